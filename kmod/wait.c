// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * wait and kick. A word in the sandbox's shared memory means the same to all of its members; one elsewhere in the kernel window is
 * its address space's own. Words of two sandboxes never meet: each has buckets of its own.
 */
#include <linux/hash.h>
#include <linux/hrtimer.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "litebox.h"

struct sleeper {
	struct list_head node;
	struct task_struct *task;
	u64 word;
	struct mm_struct *mm;		/* of a word that is not shared; else NULL */
	bool woken;
};

static struct litebox_bucket *bucket_of(struct litebox_sandbox *sb, u64 word)
{
	return &sb->buckets[hash_64(word >> 2, ilog2(LITEBOX_BUCKETS))];
}

static struct mm_struct *mm_of(const struct litebox_sandbox *sb, u64 word)
{
	return word >= sb->seal.shared_start && word < sb->seal.shared_end ? NULL : current->mm;
}

/* Into the bucket if the word holds the value. Return: 0, LBX_WOKEN_VALUE, -EFAULT */
static int enqueue(struct litebox_bucket *b, struct sleeper *s, u32 value)
{
	u32 __user *at = (u32 __user *)s->word;
	u32 now;
	int ret;

	for (;;) {
		spin_lock(&b->lock);
		pagefault_disable();
		ret = __get_user(now, at);
		pagefault_enable();
		if (!ret)
			break;
		spin_unlock(&b->lock);
		if (get_user(now, at))
			return -EFAULT;
		if (fatal_signal_pending(current))
			return LBX_WOKEN_INTERRUPT;
	}
	if (now == value)
		list_add_tail(&s->node, &b->sleepers);
	spin_unlock(&b->lock);
	return now == value ? 0 : LBX_WOKEN_VALUE;
}

/* Return: whether a kick came */
static bool dequeue(struct litebox_bucket *b, struct sleeper *s)
{
	bool woken;

	spin_lock(&b->lock);
	woken = s->woken;
	if (!woken)
		list_del(&s->node);
	spin_unlock(&b->lock);
	return woken;
}

struct ready {
	struct file *file;		/* NULL: no handle */
	__poll_t events;
	struct poll_wqueues pwq;
};

static bool is_ready(struct ready *r)
{
	__poll_t mask;

	if (!r->file)
		return false;
	mask = vfs_poll(r->file, &r->pwq.pt);
	r->pwq.pt._qproc = NULL;	/* registered once */
	return mask & (r->events | EPOLLERR | EPOLLHUP);
}

/* Sleep until woken, ready, the deadline or a signal. Return: LBX_WOKEN_* */
static int sleep_on(struct sleeper *s, struct ready *r, u64 deadline)
{
	ktime_t until = ns_to_ktime(deadline);

	for (;;) {
		int left = 1;

		if (is_ready(r))
			return LBX_WOKEN_READY;
		set_current_state(TASK_INTERRUPTIBLE);
		if (READ_ONCE(s->woken)) {
			__set_current_state(TASK_RUNNING);
			return LBX_WOKEN_KICK;
		}
		if (!r->file || !READ_ONCE(r->pwq.triggered))
			left = schedule_hrtimeout_range(deadline == LBX_DEADLINE_NEVER ? NULL : &until,
							current->timer_slack_ns, HRTIMER_MODE_ABS);
		__set_current_state(TASK_RUNNING);
		if (r->file)
			smp_store_mb(r->pwq.triggered, 0);
		if (READ_ONCE(s->woken))
			return LBX_WOKEN_KICK;
		if (is_ready(r))
			return LBX_WOKEN_READY;
		if (signal_pending(current))
			return LBX_WOKEN_INTERRUPT;
		if (!left)
			return LBX_WOKEN_DEADLINE;
	}
}

static long wait_for(struct litebox_sandbox *sb, const struct lbx_wait *wait, struct ready *r)
{
	struct sleeper s = { .task = current, .word = wait->word };
	struct litebox_bucket *b = NULL;
	int ret;

	if (wait->word) {
		b = bucket_of(sb, wait->word);
		s.mm = mm_of(sb, wait->word);
		ret = enqueue(b, &s, wait->value);
		if (ret)
			return ret;
	}
	ret = sleep_on(&s, r, wait->deadline);
	/* a kick that counted us is not lost, whatever else woke us */
	if (b && dequeue(b, &s))
		ret = LBX_WOKEN_KICK;
	return ret;
}

static long wait_with_handle(struct litebox_sandbox *sb, const struct lbx_wait *wait)
{
	struct litebox_handle *h = litebox_handle_get(sb, wait->handle);
	struct ready r = { 0 };
	long ret = lbx_check_wait_handle(h ? &h->grant : NULL, wait);

	if (!ret && !h->file) {
		ret = LBX_WOKEN_READY;		/* ENTROPY always is */
	} else if (!ret) {
		r.file = h->file;
		r.events = (wait->events & LBX_WAIT_READ ? EPOLLIN | EPOLLRDNORM | EPOLLRDHUP : 0) |
			   (wait->events & LBX_WAIT_WRITE ? EPOLLOUT | EPOLLWRNORM : 0);
		poll_initwait(&r.pwq);
		r.pwq.pt._key = r.events | EPOLLERR | EPOLLHUP;
		ret = wait_for(sb, wait, &r);
		poll_freewait(&r.pwq);
	}
	if (h)
		litebox_handle_put(h);
	return ret;
}

long litebox_wait(struct litebox_sandbox *sb, const struct lbx_wait *wait)
{
	struct ready none;

	if (wait->handle != LBX_HANDLE_NONE)
		return wait_with_handle(sb, wait);
	none.file = NULL;
	return wait_for(sb, wait, &none);
}

static long wake(struct litebox_sandbox *sb, u64 word, u32 count)
{
	struct litebox_bucket *b = bucket_of(sb, word);
	struct mm_struct *mm = mm_of(sb, word);
	struct sleeper *s, *tmp;
	u32 n = 0;

	spin_lock(&b->lock);
	list_for_each_entry_safe(s, tmp, &b->sleepers, node) {
		if (n == count)
			break;
		if (s->word != word || s->mm != mm)
			continue;
		list_del(&s->node);
		WRITE_ONCE(s->woken, true);
		/* it takes this lock before it goes: task and sleeper are still there */
		wake_up_process(s->task);
		n++;
	}
	spin_unlock(&b->lock);
	return n;
}

long litebox_kick(struct litebox_sandbox *sb, const struct lbx_kick *kick)
{
	if (kick->mode == LBX_KICK_INTERRUPT)
		return litebox_cpu_interrupt(sb, kick->cpu);
	return wake(sb, kick->word, kick->count);
}
