/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Called by ftrace in place of the first instruction of
 *
 *	bool syscall_user_dispatch(struct pt_regs *regs)
 *
 * which the kernel asks only for tasks that are armed with user dispatch. One of ours is answered here, and the function's own
 * code is left out; for a stranger it goes on as if nothing were. On the stack: the return into the function, and above it the
 * one to its caller.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/percpu.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#include "compat.h"
#include "offsets.h"

	.text
SYM_CODE_START(litebox_dispatch)
	UNWIND_HINT_FUNC
	ENDBR
	movq	LITEBOX_CURRENT_TASK, %rax
	movq	litebox_mark(%rip), %rcx
	cmpq	%rcx, TASK_DISPATCH_SELECTOR(%rax)
	jne	.Lstranger
	addq	$8, %rsp
	UNWIND_HINT_FUNC
	movq	REGS_IP(%rdi), %rcx
	subq	TASK_DISPATCH_OFFSET(%rax), %rcx
	movq	%rax, %rsi
	cmpq	TASK_DISPATCH_LEN(%rax), %rcx
	jb	litebox_gate
	jmp	litebox_upcall
.Lstranger:
	UNWIND_HINT_FUNC
	RET
SYM_CODE_END(litebox_dispatch)
