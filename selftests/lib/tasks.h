/* SPDX-License-Identifier: MIT */
/*
 * Tasks that really run, for the tests of lib/process: a machine whose start_thread() and start_fork() start a pthread that calls
 * the C function whose address is in the child's rip, with rdi as argument. There is one address space: a fork's child sees the
 * parent's memory. "System calls" go through call(), which does what a South does on the way back, handlers included.
 */
#ifndef SELFTESTS_LIB_TASKS_H
#define SELFTESTS_LIB_TASKS_H

#include "process/fork.h"

/* tasks_boot() - once: makes the calling thread pid 1, real credentials and all */
void tasks_boot(u64 caps);
extern struct task *boot_task;
/* tasks_running() - threads that have not left yet, the first one not counted */
int tasks_running(void);
/* tasks_settle() - wait until no other thread runs. Return: false after 10 s */
bool tasks_settle(void);

/* A system call of the current task, with restarts, stops, handlers; a handler is a C function with three arguments. */
long call_nr(long nr, long (*fn)(const u64 *a), const u64 *a);
#define call(nr, name, ...)	call_nr(nr, sys_##name, (const u64[6]){ __VA_ARGS__ })
/* checkpoint() - what an interrupt of the program would do: look for work */
void checkpoint(void);
/* Between these two, call() leaves a new handler frame alone: *regs stand at its first instruction */
extern bool tasks_raw;

/* spawn() - clone with @flags and a child that runs @fn(@arg), then exits with its result */
long spawn(u64 flags, u32 exit_signal, int (*fn)(void *arg), void *arg);
#define fork_to(fn, arg)	spawn(0, SIGCHLD, fn, arg)
#define thread_to(fn, arg)	spawn(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0, fn, arg)

/* pause_ms() - of the machine underneath, not a system call */
void pause_ms(int ms);
/* eventually() - @cond becomes true within 10 s */
#define eventually(cond) ({						\
	bool _ok = false;						\
	for (int _i = 0; _i < 10000 && !(_ok = (cond)); _i++)		\
		pause_ms(1);						\
	_ok;								\
})

#endif
