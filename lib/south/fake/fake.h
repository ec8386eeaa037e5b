/* SPDX-License-Identifier: MIT */
/*
 * A South for unit tests: lib/ inside an ordinary libc process, so that sanitizers see it. A task is a pthread, "program memory"
 * is any memory, there are no address spaces and no program code. kmalloc() is malloc() unless the test links lib/mm's own.
 */
#ifndef LIB_SOUTH_FAKE_FAKE_H
#define LIB_SOUTH_FAKE_FAKE_H

#include "process/task.h"

/* fake_boot() - once, first: makes the calling thread the first task of process 1 */
void fake_boot(void);

/*
 * fake_task() - a new task with empty signal state; a thread of @process, or of a new process when NULL
 * The caller fills what its test needs (files, fs, cred, sighand) before fake_run().
 */
struct task *fake_task(struct process *process);
/* fake_run() - run @fn(@arg) as @t on a thread of its own; fake_join() waits for it */
void fake_run(struct task *t, void (*fn)(void *arg), void *arg);
void fake_join(struct task *t);

/* What is behind handles: a read's first piece. NULL: -EBADF */
extern ssize_t (*fake_read)(u32 handle, u64 off, void *buf, size_t len);

/* Fail the nth kmalloc from now (1 = the next), 0: none. Only with the fake kmalloc. */
extern int fake_fail_alloc;
/* Live allocations of the fake kmalloc */
extern long fake_allocs;
/* To find a leak: from fake_allocs_mark() on objects are remembered; fake_allocs_show() says where those that are left were made */
void fake_allocs_mark(void);
void fake_allocs_show(void);

#endif
