/* SPDX-License-Identifier: MIT */
/* timerfd_create(2): timers that are read and polled. */
#ifndef LIB_IPC_TIMERFD_H
#define LIB_IPC_TIMERFD_H

#include "fs/file.h"

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_BOOTTIME		7
#define CLOCK_REALTIME_ALARM	8
#define CLOCK_BOOTTIME_ALARM	9

#define TFD_TIMER_ABSTIME	1u
#define TFD_TIMER_CANCEL_ON_SET	2u

/* Both in ns. @value: time left (or, for a set with TFD_TIMER_ABSTIME, the clock's time); 0: not armed. */
struct timerfd_spec {
	s64 value, interval;
};

/* timerfd_open() - @clock: one of the five above; @flags: O_NONBLOCK. NULL: no memory, or too many files */
__must_check struct file *timerfd_open(u32 clock, u32 flags);

/* timerfd_get(), timerfd_set() - @old may be NULL. Return: 0, or -EINVAL when @f is no timerfd. Source: timerfd_settime(2). */
int timerfd_get(struct file *f, struct timerfd_spec *now);
int timerfd_set(struct file *f, u32 flags, const struct timerfd_spec *new, struct timerfd_spec *old);

#endif
