/* SPDX-License-Identifier: MIT */
/*
 * What a handler finds on its stack: Linux's x86-64 struct rt_sigframe (arch/x86/include/uapi/asm/{sigcontext,ucontext}.h).
 * Debuggers and unwinders know this layout, so it is exact to the byte.
 */
#ifndef LIB_NORTH_LINUX_SIGFRAME_H
#define LIB_NORTH_LINUX_SIGFRAME_H

#include "base/types.h"
#include "process/signal_types.h"

struct linux_stack {
	u64 sp;
	u32 flags, pad;
	u64 size;
};

struct linux_sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	u64 fpstate;		/* user address, 0: none */
	u64 reserved[8];
};

struct linux_ucontext {
	u64 flags, link;
	struct linux_stack stack;
	struct linux_sigcontext mcontext;
	sigset_t sigmask;
};

struct linux_rt_sigframe {
	u64 restorer;		/* return address of the handler */
	struct linux_ucontext uc;
	u8 info[128];
};
_Static_assert(sizeof(struct linux_sigcontext) == 256, "struct sigcontext_64");
_Static_assert(sizeof(struct linux_ucontext) == 304, "struct ucontext");
_Static_assert(sizeof(struct linux_rt_sigframe) == 440, "struct rt_sigframe");

#define LINUX_UC_FP_XSTATE		1	/* fpstate is an XSAVE area with its magic */
#define LINUX_UC_SIGCONTEXT_SS		2	/* ss is saved */
#define LINUX_UC_STRICT_RESTORE_SS	4	/* and restored */

/* sigframe_return() - undo the frame at the current stack pointer. Return: what rax shall be; a bad frame forces SIGSEGV */
struct regs;
long sigframe_return(struct regs *regs);

/* sigaltstack_set() - install @ss as the current task's stack. Return: 0, -EPERM, -EINVAL, -ENOMEM */
int sigaltstack_set(const struct linux_stack *ss, u64 sp);
void sigaltstack_get(struct linux_stack *ss, u64 sp);

#endif
