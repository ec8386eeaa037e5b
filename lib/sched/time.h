/* SPDX-License-Identifier: MIT */
/*
 * Time and timers. All times are s64 ns; deadlines are of the monotonic clock (CLOCK_MONOTONIC == CLOCK_BOOTTIME here).
 *
 * A timer's function runs in the timer kernel thread, one at a time, without locks held: it may take mutexes but must not wait for
 * a program. It may start its own timer again.
 */
#ifndef LIB_SCHED_TIME_H
#define LIB_SCHED_TIME_H

#include "base/rbtree.h"
#include "base/types.h"

s64 clock_monotonic(void);
s64 clock_realtime(void);

struct timer {
	struct rb_node node;
	s64 deadline;
	void (*func)(struct timer *t);
	bool queued;		/* guarded by the timer lock */
};

void timer_init(struct timer *t, void (*func)(struct timer *t));
/* timer_start() - (re)arm for @deadline */
void timer_start(struct timer *t, s64 deadline);
/*
 * timer_stop() - disarm; when it returns, @t->func does not run. Never call it from @t->func itself or holding a lock that
 * @t->func takes. Return: true when it was armed.
 */
bool timer_stop(struct timer *t);
/* timer_try_stop() - the same without waiting for a running @t->func */
bool timer_try_stop(struct timer *t);

#endif
