// SPDX-License-Identifier: MIT
/*
 * PI futexes, futex(2): the word holds the owner's tid. Who finds it taken sets FUTEX_WAITERS and sleeps; the owner's unlock gives
 * the word to the first waiter. Priorities are the host's business, so nothing is inherited.
 */
#include "base/errno.h"
#include "mm/uaccess.h"
#include "process/futex.h"
#include "process/futex_internal.h"
#include "process/pid.h"
#include "sched/wait.h"

static struct futex_waiter *first_waiter(struct futex_bucket *b, const struct mm_key *key)
{
	struct futex_waiter *w;

	if (!b->waiters.next)
		return NULL;
	list_for_each(w, &b->waiters, node)
		if (w->pi && w->key.obj == key->obj && w->key.off == key->off)
			return w;
	return NULL;
}

static bool tid_alive(s32 tid)
{
	struct task *t = task_find_get(tid);
	bool alive = t && !t->exiting;

	task_put(t);
	return alive;
}

/*
 * Bucket locked: take the word, or make it say that we wait. Return: 0: ours; 1: wait, with *@owner; -EDEADLK, -ESRCH, -EFAULT,
 * -EAGAIN
 */
static int try_or_mark(u64 addr, struct futex_bucket *b, const struct mm_key *key, bool try, s32 *owner)
{
	u32 me = (u32)current->tid, val, old;
	int ret = user_load32(addr, &val);

	if (ret)
		return ret;
	for (;;) {
		if ((val & FUTEX_TID_MASK) == me)
			return -EDEADLK;
		if (!(val & FUTEX_TID_MASK)) {
			/* free, or its owner died: OWNER_DIED stays, for who looks after robust ones */
			u32 waiters = first_waiter(b, key) ? FUTEX_WAITERS : 0;

			ret = user_cmpxchg32(addr, val, (val & FUTEX_OWNER_DIED) | waiters | me, &old);
			if (ret || old == val)
				return ret;
		} else {
			if (!tid_alive((s32)(val & FUTEX_TID_MASK)))
				return -ESRCH;
			if (try)
				return -EAGAIN;
			if (val & FUTEX_WAITERS)
				break;
			ret = user_cmpxchg32(addr, val, val | FUTEX_WAITERS, &old);
			if (ret)
				return ret;
			if (old == val)
				break;
		}
		val = old;
	}
	*owner = (s32)(val & FUTEX_TID_MASK);
	return 1;
}

long futex_lock_pi(u64 addr, u32 flags, s64 deadline, bool try)
{
	struct futex_waiter w = { .pi = true, .addr = addr };
	struct futex_bucket *b;
	int ret = futex_key(addr, flags, &w.key);

	if (ret)
		return ret;
	b = futex_bucket(&w.key);
	for (;;) {
		int slept = 0;

		mutex_lock(&b->lock);
		ret = try_or_mark(addr, b, &w.key, try, &w.owner);
		if (ret == 1)
			futex_enqueue(b, &w);
		mutex_unlock(&b->lock);
		if (ret != 1)
			return ret;
		while (!load_acquire(&w.woken) && !slept) {
			set_current_state(TASK_INTERRUPTIBLE);
			if (load_acquire(&w.woken))
				break;
			if (signal_pending())
				slept = -ERESTARTNOINTR;
			else if (schedule_until(deadline) == -ETIMEDOUT)
				slept = -ETIMEDOUT;
		}
		set_current_state(TASK_RUNNING);
		if (futex_dequeue(&w)) {
			/* handed over: the word already holds our tid. Or the owner died: look again */
			u32 val;

			if (user_load32(addr, &val))
				return -EFAULT;
			if ((val & FUTEX_TID_MASK) == (u32)current->tid)
				return 0;
			continue;
		}
		if (slept)
			return slept;
	}
}

long futex_unlock_pi(u64 addr, u32 flags)
{
	struct futex_waiter *w;
	struct futex_bucket *b;
	struct mm_key key;
	u32 val, old, next;
	int ret = futex_key(addr, flags, &key);

	if (ret)
		return ret;
	b = futex_bucket(&key);
	mutex_lock(&b->lock);
	ret = user_load32(addr, &val);
	while (!ret) {
		if ((val & FUTEX_TID_MASK) != (u32)current->tid) {
			ret = -EPERM;
			break;
		}
		w = first_waiter(b, &key);
		next = w ? (u32)w->task->tid | FUTEX_WAITERS : 0;
		ret = user_cmpxchg32(addr, val, next, &old);
		if (ret || old != val) {
			val = old;
			continue;
		}
		if (w) {
			struct futex_waiter *other;

			list_for_each(other, &b->waiters, node)
				if (other->pi && other->key.obj == key.obj && other->key.off == key.off)
					other->owner = w->task->tid;
			futex_wake_waiter(w);
		}
		break;
	}
	mutex_unlock(&b->lock);
	return ret;
}

void futex_pi_owner_died(struct task *t)
{
	for (u32 i = 0; i < FUTEX_BUCKETS; i++) {
		struct futex_bucket *b = &futex_buckets[i];
		struct futex_waiter *w, *tmp;

		if (!b->waiters.next || list_empty(&b->waiters))
			continue;
		mutex_lock(&b->lock);
		list_for_each_safe(w, tmp, &b->waiters, node) {
			u32 val, old;

			if (!w->pi || w->owner != t->tid)
				continue;
			/* in our address space as well when the word is shared with us; else the waiter finds ESRCH */
			if (w->key.obj == t->mm && !user_load32(w->addr, &val) && (val & FUTEX_TID_MASK) == (u32)t->tid)
				(void)!user_cmpxchg32(w->addr, val, FUTEX_OWNER_DIED | FUTEX_WAITERS, &old);
			futex_wake_waiter(w);
		}
		mutex_unlock(&b->lock);
	}
}
