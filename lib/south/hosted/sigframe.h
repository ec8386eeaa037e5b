/* SPDX-License-Identifier: MIT */
/* What the host's kernel puts on the stack for a signal, and takes back by rt_sigreturn: <asm/ucontext.h>, <asm/sigcontext.h>. */
#ifndef LIB_SOUTH_HOSTED_SIGFRAME_H
#define LIB_SOUTH_HOSTED_SIGFRAME_H

#include "base/types.h"

struct host_sigcontext {
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	void *fpstate;
	u64 reserved[8];
};

struct host_ucontext {
	u64 flags;
	struct host_ucontext *link;
	struct { u64 sp; s32 flags; u64 size; } stack;
	struct host_sigcontext mc;
	u64 mask;
};
_Static_assert(offsetof(struct host_ucontext, mc) == 40, "ucontext of x86-64");
_Static_assert(sizeof(struct host_sigcontext) == 256, "sigcontext of x86-64");

struct host_siginfo {
	s32 signo, errno_, code, pad;
	union {
		struct { u64 addr; } fault;
		struct { u64 call_addr; s32 nr; u32 arch; } sys;
		u8 bytes[112];
	};
};
_Static_assert(sizeof(struct host_siginfo) == 128, "siginfo");

#define HOST_SIGILL	4
#define HOST_SIGTRAP	5
#define HOST_SIGBUS	7
#define HOST_SIGFPE	8
#define HOST_SIGKILL	9
#define HOST_SIGSEGV	11
#define HOST_SIGSYS	31

#define HOST_UC_FP_XSTATE	1
#define HOST_UC_SIGCONTEXT_SS	2
#define HOST_UC_STRICT_RESTORE_SS 4
#define HOST_AUDIT_ARCH_X86_64	0xc000003eu
#define HOST_SYS_SECCOMP	1
#define HOST_SI_KERNEL		128

#endif
