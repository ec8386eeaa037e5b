/* SPDX-License-Identifier: MIT */
/*
 * The gate: the one page from which a hosted South's host calls are issued. Each South has a gate.S of its own.
 */
#ifndef LIB_SOUTH_HOSTED_GATE_H
#define LIB_SOUTH_HOSTED_GATE_H

#include "base/types.h"

long gate_call(long nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);
/* gate_call_int() - the same; -EINTR without asking the host when cpu->kicked is set (and a kick in time sets it) */
long gate_call_int(long nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);
/* gate_clone() - the child starts @fn(@arg) on @stack. Return: the child's number for the host, or -errno */
long gate_clone(u64 flags, void *stack, s32 *tid, void (*fn)(void *arg), void *arg);
/* gate_exit_process() - end the host process; sets *@flag last: from there on its memory is not touched */
void __noreturn gate_exit_process(int status, u32 *flag);
void gate_sigreturn(void);		/* what host signal handlers return to */
void __noreturn gate_sigreturn_frame(void *frame);	/* rt_sigreturn with rsp = @frame */
extern const char gate_start[], gate_end[], gate_int_start[], gate_int_syscall[], gate_int_kicked[];

#endif
