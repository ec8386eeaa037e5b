/* SPDX-License-Identifier: MIT */
/*
 * Linux's system calls. One line in calls/<theme>.def and one function:
 *
 *	SYSCALL(0, read, "fpu", "")		nr, name, how --trace prints the arguments, what is missing ("" = nothing)
 *	SYSCALL_DEFINE(read) { int fd = (int)a[0]; … }
 *
 * Argument letters: f descriptor, d int, u unsigned, l long, x hex, o octal, p pointer, s path or string, a argv vector,
 * S signal, O open flags, - unused.
 */
#ifndef LIB_NORTH_LINUX_SYSCALL_H
#define LIB_NORTH_LINUX_SYSCALL_H

#include "base/errno.h"
#include "base/types.h"

typedef long (*syscall_fn)(const u64 *a);
#define SYSCALL_DEFINE(name)	long sys_##name(const u64 *a __unused)

#define SYSCALL(nr, name, args, missing) long sys_##name(const u64 *a);
#include "north/linux/calls/all.def"
#undef SYSCALL

#define SYSCALL_TABLE_SIZE	480

struct syscall_def {
	syscall_fn fn;		/* NULL: ENOSYS */
	const char *name;
	const char *args;
	const char *missing;	/* "": all of it is there */
};
extern const struct syscall_def syscall_defs[SYSCALL_TABLE_SIZE];

struct syscall_count {
	u64 calls, errors;
};
/* SYSCALL_TABLE_SIZE entries when calls are counted (--stats), else NULL */
extern struct syscall_count *syscall_counts;
/* calls that the table does not have */
u64 syscall_unknown_count(void);
extern bool syscall_tracing;
/* syscall_watch() - one of both is on: every call is looked at from now on */
void syscall_watch(void);

/* syscall_dispatch() - serve the call in @regs, the current task's; sets the result. Restarts are task_exit_work()'s. */
struct regs;
void syscall_dispatch(struct regs *regs);

#endif
