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

/* syscall_dispatch() - serve the call in the current task's registers; sets the result, restarts included */
struct regs;
void syscall_dispatch(struct regs *regs);

#endif
