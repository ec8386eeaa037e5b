// SPDX-License-Identifier: MIT
#include "process/futex.h"

#include "base/errno.h"
#include "base/list.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "process/futex_internal.h"
#include "process/task.h"
#include "sched/wait.h"

struct futex_bucket futex_buckets[FUTEX_BUCKETS];

int futex_key(u64 addr, u32 flags, struct mm_key *key)
{
	if (addr % 4)
		return -EINVAL;
	if (!access_ok(addr, 4))
		return -EFAULT;
	if (flags & FUTEX_SHARED) {
		int ret = mm_futex_key(addr, key);

		/* private memory by the shared kind is a futex of its own, as on Linux; words are aligned, so bit 0 is free */
		if (!ret && key->obj == current->mm)
			key->off |= 1;
		return ret;
	}
	*key = (struct mm_key){ current->mm, addr };
	return 0;
}

struct futex_bucket *futex_bucket(const struct mm_key *key)
{
	u64 h = ((u64)key->obj ^ key->off) * 0x9e3779b97f4a7c15ull;
	struct futex_bucket *b = &futex_buckets[h >> (64 - FUTEX_BUCKETS_LOG)];

	return b;
}

void futex_enqueue(struct futex_bucket *b, struct futex_waiter *w)
{
	if (!b->waiters.next)
		list_init(&b->waiters);
	w->task = current;
	w->woken = false;
	store_release(&w->bucket, b);
	list_add_tail(&w->node, &b->waiters);
}

/* The bucket that @w is in, locked; NULL when it was woken. It may be moved to another while we look. */
struct futex_bucket *futex_lock_waiter(struct futex_waiter *w)
{
	for (;;) {
		struct futex_bucket *b = load_acquire(&w->bucket);

		if (!b)
			return NULL;
		mutex_lock(&b->lock);
		if (load_acquire(&w->bucket) == b)
			return b;
		mutex_unlock(&b->lock);
	}
}

/* futex_dequeue() - stop waiting. Return: true when it was woken before */
bool futex_dequeue(struct futex_waiter *w)
{
	struct futex_bucket *b = futex_lock_waiter(w);

	if (b) {
		list_del(&w->node);
		store_release(&w->bucket, NULL);
		mutex_unlock(&b->lock);
	}
	return load_acquire(&w->woken);
}

/* Bucket locked. The waiter's memory is its stack: nothing of it may be touched once it can see that it was woken. */
void futex_wake_waiter(struct futex_waiter *w)
{
	struct task *t = w->task;

	task_get(t);
	list_del(&w->node);
	store_release(&w->bucket, NULL);
	store_release(&w->woken, true);
	wake_task(t);
	task_put(t);
}

static bool same_key(const struct mm_key *a, const struct mm_key *b)
{
	return a->obj == b->obj && a->off == b->off;
}

static u32 wake_locked(struct futex_bucket *b, const struct mm_key *key, u32 nr, u32 bitset)
{
	struct futex_waiter *w, *tmp;
	u32 woken = 0;

	if (!b->waiters.next)
		return 0;
	list_for_each_safe(w, tmp, &b->waiters, node) {
		if (w->pi || !same_key(&w->key, key) || !(w->bitset & bitset))
			continue;
		futex_wake_waiter(w);
		/* none is one, and so is less than none: Linux looks afterwards */
		if ((s32)++woken >= (s32)nr)
			break;
	}
	return woken;
}

long futex_wake(u64 addr, u32 nr, u32 bitset, u32 flags)
{
	struct wake_batch batch;
	struct futex_bucket *b;
	struct mm_key key;
	u32 woken;
	int ret;

	if (!bitset)
		return -EINVAL;
	ret = futex_key(addr, flags, &key);
	if (ret)
		return ret;
	b = futex_bucket(&key);
	/*
	 * Nobody here, the common case. In this order: who held the lock before our look is in the list, and who takes it after
	 * that sees what the caller wrote to the word.
	 */
	smp_mb();
	if (!mutex_is_locked(&b->lock)) {
		smp_mb();
		if (!b->waiters.next || list_empty(&b->waiters))
			return 0;
	}
	wake_batch_begin(&batch);
	mutex_lock(&b->lock);
	woken = wake_locked(b, &key, nr, bitset);
	mutex_unlock(&b->lock);
	wake_batch_end(&batch);
	return woken;
}

/* Sleep until woken, a signal, or the deadline; any of @nr waiters. */
static int sleep_on(struct futex_waiter *w, u32 nr, s64 deadline)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		for (u32 i = 0; i < nr; i++) {
			if (load_acquire(&w[i].woken)) {
				set_current_state(TASK_RUNNING);
				return 0;
			}
		}
		if (signal_pending()) {
			set_current_state(TASK_RUNNING);
			return -ERESTARTSYS;
		}
		if (schedule_until(deadline) == -ETIMEDOUT)
			return -ETIMEDOUT;
	}
}

static int prepare_waiter(struct futex_waiter *w, const struct futex_word *word, u32 bitset)
{
	struct futex_bucket *b;
	u32 now;
	int ret = futex_key(word->addr, word->flags, &w->key);

	if (ret)
		return ret;
	w->bitset = bitset;
	w->pi = false;
	b = futex_bucket(&w->key);
	mutex_lock(&b->lock);
	ret = user_load32(word->addr, &now);
	if (!ret && now != word->val)
		ret = -EAGAIN;
	if (!ret)
		futex_enqueue(b, w);
	mutex_unlock(&b->lock);
	return ret;
}

long futex_wait(u64 addr, u32 val, u32 bitset, u32 flags, s64 deadline)
{
	const struct futex_word word = { addr, val, flags };
	struct futex_waiter w;
	int ret;

	if (!bitset)
		return -EINVAL;
	ret = prepare_waiter(&w, &word, bitset);
	if (ret)
		return ret;
	ret = sleep_on(&w, 1, deadline);
	return futex_dequeue(&w) ? 0 : ret;
}

long futex_wait_multiple(const struct futex_word *words, u32 nr, s64 deadline)
{
	struct futex_waiter w[FUTEX_WAITV_MAX];
	long woken = -1;
	u32 queued;
	int ret = 0;

	for (queued = 0; queued < nr; queued++) {
		ret = prepare_waiter(&w[queued], &words[queued], FUTEX_ANY);
		if (ret)
			break;
	}
	if (!ret)
		ret = sleep_on(w, nr, deadline);
	for (u32 i = 0; i < queued; i++)
		if (futex_dequeue(&w[i]))
			woken = i;
	return woken >= 0 ? woken : ret;
}

/* Two buckets in address order, or one. */
static void lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	mutex_lock(a < b ? &a->lock : &b->lock);
	if (a != b)
		mutex_lock(a < b ? &b->lock : &a->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	mutex_unlock(&a->lock);
	if (a != b)
		mutex_unlock(&b->lock);
}

long futex_requeue(u64 from, u32 flags, u64 to, u32 to_flags, u32 nr_wake, u32 nr_move, const u32 *cmp)
{
	struct futex_bucket *b, *b2;
	struct futex_waiter *w, *tmp;
	struct wake_batch batch;
	struct mm_key key, key2;
	u32 woken = 0, moved = 0, now;
	int ret = futex_key(from, flags, &key);

	if (!ret)
		ret = futex_key(to, to_flags, &key2);
	if (ret)
		return ret;
	if ((s32)nr_wake < 0 || (s32)nr_move < 0)
		return -EINVAL;
	b = futex_bucket(&key);
	b2 = futex_bucket(&key2);
	wake_batch_begin(&batch);
	lock_two(b, b2);
	if (cmp) {
		ret = user_load32(from, &now);
		if (!ret && now != *cmp)
			ret = -EAGAIN;
	}
	if (!ret && b->waiters.next) {
		if (!b2->waiters.next)
			list_init(&b2->waiters);
		list_for_each_safe(w, tmp, &b->waiters, node) {
			if (w->pi || !same_key(&w->key, &key))
				continue;
			if (woken < nr_wake) {
				futex_wake_waiter(w);
				woken++;
				continue;
			}
			if (moved == nr_move)
				break;
			moved++;
			/* on the same word they stay where they are: moved to the end, they would come by again and again */
			if (same_key(&key, &key2))
				continue;
			w->key = key2;
			list_move_tail(&w->node, &b2->waiters);
			store_release(&w->bucket, b2);
		}
	}
	unlock_two(b, b2);
	wake_batch_end(&batch);
	return ret ? ret : (long)woken + moved;
}

/* FUTEX_OP(): operation, shift flag, comparison and two 12-bit arguments in one word */
static int apply_op(u64 addr, u32 encoded, bool *hit)
{
	u32 op = encoded >> 28 & 7, cmp = encoded >> 24 & 15, old;
	s32 oparg = (s32)(encoded << 8) >> 20, cmparg = (s32)(encoded << 20) >> 20;
	int ret;

	if (encoded >> 31) {
		if (oparg < 0 || oparg > 31)
			oparg &= 31;
		oparg = (s32)(1u << oparg);
	}
	switch (op) {
	case 0: ret = user_xchg32(addr, (u32)oparg, &old); break;
	case 1: ret = user_add32(addr, (u32)oparg, &old); break;
	case 2: ret = user_or32(addr, (u32)oparg, &old); break;
	case 3: ret = user_and32(addr, ~(u32)oparg, &old); break;
	case 4: ret = user_xor32(addr, (u32)oparg, &old); break;
	default: return -ENOSYS;
	}
	if (ret)
		return ret;
	switch (cmp) {
	case 0: *hit = (s32)old == cmparg; break;
	case 1: *hit = (s32)old != cmparg; break;
	case 2: *hit = (s32)old < cmparg; break;
	case 3: *hit = (s32)old <= cmparg; break;
	case 4: *hit = (s32)old > cmparg; break;
	case 5: *hit = (s32)old >= cmparg; break;
	default: return -ENOSYS;
	}
	return 0;
}

long futex_wake_op(u64 addr, u64 addr2, u32 nr, u32 nr2, u32 op, u32 flags)
{
	struct futex_bucket *b, *b2;
	struct wake_batch batch;
	struct mm_key key, key2;
	bool hit = false;
	long woken = 0;
	int ret = futex_key(addr, flags, &key);

	if (!ret)
		ret = futex_key(addr2, flags, &key2);
	if (ret)
		return ret;
	b = futex_bucket(&key);
	b2 = futex_bucket(&key2);
	wake_batch_begin(&batch);
	lock_two(b, b2);
	ret = apply_op(addr2, op, &hit);
	if (!ret) {
		woken = wake_locked(b, &key, nr, FUTEX_ANY);
		if (hit)
			woken += wake_locked(b2, &key2, nr2, FUTEX_ANY);
	}
	unlock_two(b, b2);
	wake_batch_end(&batch);
	return ret ? ret : woken;
}

void futex_wake_user(u64 addr, u32 n)
{
	/* who waits for a thread's end may use either kind of futex */
	if (futex_wake(addr, n, FUTEX_ANY, FUTEX_SHARED) <= 0)
		(void)futex_wake(addr, n, FUTEX_ANY, 0);
}
