/* SPDX-License-Identifier: MIT */
/*
 * How a task gives up its processor and gets it back. On hosted Souths each task has a thread of execution of its own and parks
 * in the South; a guest South puts its run queue here.
 */
#ifndef LIB_SCHED_SCHED_H
#define LIB_SCHED_SCHED_H

#include "base/types.h"

struct task;

/* park() - sleep while *@word == @expected. Return: 0 (perhaps spuriously), -ETIMEDOUT, -EINTR (a kick) */
int park(s64 deadline, u32 *word, u32 expected);
/* unpark() - the word has changed: wake who parks on it. The word may belong to a stack that is gone by now. */
void unpark(u32 *word);

/* sched_init() - starts the timer thread */
int sched_init(void);

#endif
