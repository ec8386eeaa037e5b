/* SPDX-License-Identifier: MIT */
/* The gate page of South `host`: ordinary SYSCALL instructions, which the seccomp filter lets pass from here alone. */
#include "south/hosted/layout.h"

#define NR_RT_SIGRETURN	15
#define NR_CLONE	56
#define NR_EXIT_GROUP	231

	.section .gate, "ax", @progbits
	.globl gate_start
gate_start:

	.macro arguments
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	.endm

	.globl gate_call
	.type gate_call, @function
gate_call:
	arguments
	syscall
	ret
	.size gate_call, . - gate_call

	/*
	 * A kick that comes before the SYSCALL instruction was executed would be lost in a call that blocks: the handler moves a
	 * thread that it finds in [gate_int_start, gate_int_syscall] to gate_int_kicked.
	 */
	.globl gate_call_int
	.type gate_call_int, @function
gate_call_int:
	arguments
	.globl gate_int_start
gate_int_start:
	cmpl	$0, %gs:CPU_KICKED
	jne	gate_int_kicked
	.globl gate_int_syscall
gate_int_syscall:
	syscall
	ret
	.globl gate_int_kicked
gate_int_kicked:
	movq	$-4, %rax		/* -EINTR */
	ret
	.size gate_call_int, . - gate_call_int

	/* long gate_clone(u64 flags, void *stack, s32 *tid, void (*fn)(void *), void *arg) */
	.globl gate_clone
	.type gate_clone, @function
gate_clone:
	andq	$-16, %rsi
	subq	$16, %rsi
	movq	%rcx, (%rsi)
	movq	%r8, 8(%rsi)
	xorl	%r10d, %r10d
	xorl	%r8d, %r8d
	movl	$NR_CLONE, %eax
	syscall
	testq	%rax, %rax
	jz	1f
	ret
1:	popq	%rax
	popq	%rdi
	xorl	%ebp, %ebp
	call	*%rax
	ud2
	.size gate_clone, . - gate_clone

	/* void gate_exit_process(int status, u32 *flag): uses no stack after the store */
	.globl gate_exit_process
	.type gate_exit_process, @function
gate_exit_process:
	movl	$NR_EXIT_GROUP, %eax
	movl	$1, (%rsi)
	syscall
	ud2
	.size gate_exit_process, . - gate_exit_process

	.globl gate_sigreturn
	.type gate_sigreturn, @function
gate_sigreturn:
	movl	$NR_RT_SIGRETURN, %eax
	syscall
	.size gate_sigreturn, . - gate_sigreturn

	.globl gate_sigreturn_frame
	.type gate_sigreturn_frame, @function
gate_sigreturn_frame:
	movq	%rdi, %rsp
	movl	$NR_RT_SIGRETURN, %eax
	syscall
	.size gate_sigreturn_frame, . - gate_sigreturn_frame

	.balign 4096, 0xcc
	.globl gate_end
gate_end:
	.section .note.GNU-stack, "", @progbits
