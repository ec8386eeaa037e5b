/* SPDX-License-Identifier: MIT */
/*
 * Timers that end in a signal: alarm(2), setitimer(2), timer_create(2), and RLIMIT_CPU.
 *
 * All of a process's lie in process->itimers, made when the first is asked for and freed when its last thread ends.
 * process->itimer_lock guards the list and who sets; each timer has a spinlock for what its function, which runs in the timer thread, changes too.
 * Processor time is looked at when it may have run out: it passes no faster than the clock, times the number of threads.
 */
#ifndef LIB_PROCESS_ITIMER_H
#define LIB_PROCESS_ITIMER_H

#include "process/signal.h"
#include "sched/time.h"

enum itimer_clock {
	ITIMER_CLOCK_REALTIME,		/* absolute times are the host's wall clock at the time they are set */
	ITIMER_CLOCK_MONOTONIC,
	ITIMER_CLOCK_PROCESS,		/* processor time of the process */
	ITIMER_CLOCK_THREAD,		/* of one thread */
};

/* ns; value 0: disarmed; interval 0: once */
struct itimer_spec {
	s64 value, interval;
};

/* setitimer(2)'s three */
enum itimer_which { ITIMER_REAL_, ITIMER_VIRTUAL_, ITIMER_PROF_, ITIMER_KINDS };

/* itimer_set() - @new or @old may be NULL. Return: 0 or -ENOMEM */
int itimer_set(enum itimer_which which, const struct itimer_spec *new, struct itimer_spec *old);

enum { ITIMER_NOTIFY_NONE, ITIMER_NOTIFY_PROCESS, ITIMER_NOTIFY_THREAD };

struct posix_timer_args {
	enum itimer_clock clock;
	u32 notify;			/* ITIMER_NOTIFY_* */
	s32 tid;			/* ITIMER_NOTIFY_THREAD: of this process */
	int sig;
	u64 value;			/* sigev_value */
	bool value_is_id;		/* no sigevent was given: the value is the timer's own id */
};
/* posix_timer_create() - Return: its id, or -EAGAIN, -ENOMEM, -EINVAL (no such thread) */
long posix_timer_create(const struct posix_timer_args *args);
/* The rest: Return: 0 (or the overrun count), -EINVAL: no such timer */
long posix_timer_set(s32 id, bool absolute, const struct itimer_spec *new, struct itimer_spec *old);
long posix_timer_get(s32 id, struct itimer_spec *cur);
long posix_timer_overrun(s32 id);
long posix_timer_delete(s32 id);

/* itimers_exec() - POSIX timers do not survive exec, alarm() does */
void itimers_exec(void);
void itimers_exit(struct process *p);
/* itimers_cpu_limit() - RLIMIT_CPU of @p changed, or @p is new: watch it when there is one */
void itimers_cpu_limit(struct process *p);

#endif
