// SPDX-License-Identifier: MIT
/*
 * Kernel timers: a tree by deadline, and one kernel thread that sleeps until the first of them. The thread is started by the
 * first timer, so a sandbox that uses none does not pay for it.
 */
#include "process/task.h"
#include "sched/lock.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "south/south.h"

static struct {
	struct spinlock lock;	/* guards all below, and timer.queued */
	struct rb_root tree;
	struct timer *running;
	bool started;
	u32 seq;		/* changes when the first deadline changes: the thread parks on it */
	u32 done_seq;		/* changes when a function returned: timer_stop() parks on it */
} timers;

s64 clock_monotonic(void) { return south_clock(SOUTH_CLOCK_MONOTONIC); }
s64 clock_realtime(void) { return south_clock(SOUTH_CLOCK_REALTIME); }

void timer_init(struct timer *t, void (*func)(struct timer *t))
{
	t->func = func;
	t->queued = false;
	t->deadline = 0;
}

static struct timer *first_timer(void)
{
	struct rb_node *n = rb_first(&timers.tree);

	return n ? rb_entry(n, struct timer, node) : NULL;
}

static void timer_insert(struct timer *t)
{
	struct rb_node **link = &timers.tree.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = t->deadline < rb_entry(parent, struct timer, node)->deadline ? &parent->left : &parent->right;
	}
	rb_insert(&timers.tree, &t->node, parent, link);
	t->queued = true;
}

static void timer_remove(struct timer *t)
{
	rb_erase(&timers.tree, &t->node);
	t->queued = false;
}

static void timer_thread(void *arg __unused)
{
	for (;;) {
		struct timer *t;
		s64 deadline;
		u32 seq;

		spin_lock(&timers.lock);
		t = first_timer();
		deadline = t ? t->deadline : FOREVER;
		if (t && deadline <= clock_monotonic()) {
			timer_remove(t);
			timers.running = t;
			spin_unlock(&timers.lock);
			t->func(t);
			spin_lock(&timers.lock);
			timers.running = NULL;
			timers.done_seq++;
			spin_unlock(&timers.lock);
			south_kick(&timers.done_seq, ~0u);
			continue;
		}
		seq = timers.seq;
		spin_unlock(&timers.lock);
		park(deadline, &timers.seq, seq);
	}
}

void timer_start(struct timer *t, s64 deadline)
{
	bool first, start;

	spin_lock(&timers.lock);
	if (t->queued)
		timer_remove(t);
	t->deadline = deadline;
	timer_insert(t);
	first = first_timer() == t;
	start = !timers.started;
	timers.started = true;
	if (first)
		timers.seq++;
	spin_unlock(&timers.lock);
	if (start && kthread_create("timer", timer_thread, NULL)) {
		spin_lock(&timers.lock);
		timers.started = false;	/* the next timer_start() tries again; this one fires then */
		spin_unlock(&timers.lock);
	} else if (first) {
		unpark(&timers.seq);
	}
}

bool timer_try_stop(struct timer *t)
{
	bool was;

	spin_lock(&timers.lock);
	was = t->queued;
	if (was)
		timer_remove(t);
	spin_unlock(&timers.lock);
	return was;
}

bool timer_stop(struct timer *t)
{
	bool was = false;

	spin_lock(&timers.lock);
	for (;;) {
		u32 seq = timers.done_seq;

		if (t->queued) {
			timer_remove(t);
			was = true;
		}
		if (timers.running != t)
			break;
		spin_unlock(&timers.lock);
		park(FOREVER, &timers.done_seq, seq);
		spin_lock(&timers.lock);
	}
	spin_unlock(&timers.lock);
	return was;
}
