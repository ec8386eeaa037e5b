/* SPDX-License-Identifier: MIT */
/* Times as programs pass them, to and from ns. What is beyond s64 ns becomes FOREVER. */
#ifndef LIB_NORTH_LINUX_TIMESPEC_H
#define LIB_NORTH_LINUX_TIMESPEC_H

#include "base/errno.h"
#include "mm/uaccess.h"
#include "sched/time.h"
#include "sched/wait.h"

struct linux_timespec {
	s64 sec, nsec;
};

struct linux_timeval {
	s64 sec, usec;
};

struct linux_itimerspec {
	struct linux_timespec interval, value;
};

static inline bool timespec_valid(const struct linux_timespec *ts)
{
	return ts->sec >= 0 && ts->nsec >= 0 && ts->nsec < NSEC_PER_SEC;
}

/* timespec_to_ns() - @ts is valid */
static inline s64 timespec_to_ns(const struct linux_timespec *ts)
{
	s64 ns;

	if (__builtin_mul_overflow(ts->sec, NSEC_PER_SEC, &ns) || __builtin_add_overflow(ns, ts->nsec, &ns))
		return FOREVER;
	return ns;
}

static inline struct linux_timespec ns_to_timespec(s64 ns)
{
	return (struct linux_timespec){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
}

/* deadline_after() - the monotonic time that lies @ns ahead; 0 for @ns 0: do not sleep */
static inline s64 deadline_after(s64 ns)
{
	s64 deadline;

	if (ns <= 0)
		return 0;
	return __builtin_add_overflow(clock_monotonic(), ns, &deadline) ? FOREVER : deadline;
}

/* deadline_from_user() - a relative timeout; @addr 0: FOREVER. Return: 0, -EFAULT, -EINVAL */
static inline int deadline_from_user(s64 *deadline, u64 addr)
{
	struct linux_timespec ts;

	*deadline = FOREVER;
	if (!addr)
		return 0;
	if (get_user(ts, addr))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	*deadline = deadline_after(timespec_to_ns(&ts));
	return 0;
}

#endif
