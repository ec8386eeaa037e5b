/* SPDX-License-Identifier: MIT */
/*
 * The program's registers as the entry code leaves them on the task's kernel stack. lib/arch/x86_64/entry code of the South knows
 * these offsets (asserted there).
 */
#ifndef LIB_ARCH_REGS_H
#define LIB_ARCH_REGS_H

#include "base/types.h"

struct regs {
	u64 arg[6];		/* rdi rsi rdx r10 r8 r9: a system call's arguments, in order */
	u64 rax;		/* in: call number; out: result */
	u64 rbx, rbp, r12, r13, r14, r15;
	u64 rcx, r11;		/* after a call: rip and rflags, as SYSCALL leaves them */
	u64 orig_rax;		/* the call's number, or -1 when it was no call */
	u64 rip, cs, rflags, rsp, ss;	/* in IRET's order */
};

#ifdef LBX_HAVE_LIBC
#include <signal.h>		/* its ucontext has the same names: first, and out of the way */
#undef REG_RDI
#undef REG_RSI
#undef REG_RDX
#undef REG_R10
#undef REG_R8
#undef REG_R9
#endif
#define REG_RDI arg[0]
#define REG_RSI arg[1]
#define REG_RDX arg[2]
#define REG_R10 arg[3]
#define REG_R8  arg[4]
#define REG_R9  arg[5]

static inline u64 regs_syscall_nr(const struct regs *r) { return r->orig_rax; }
static inline void regs_set_result(struct regs *r, long v) { r->rax = (u64)v; }

#endif
