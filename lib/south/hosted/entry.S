/* SPDX-License-Identifier: MIT */
/*
 * Into the library kernel and out of it.
 *
 * Ways in: a patched call site jumps to hosted_syscall_entry with the call's number in rax and its return address in rcx, all
 * else as the program left it (r11 may change: a call clobbers it); to hosted_syscall_entry_far with in r11 where the program goes
 * on. A host signal (a system call that trapped, a fault, a kick) is turned into the same by its handler, which writes the
 * registers to the task's kernel stack and returns to hosted_*_entry with rsp there.
 *
 * The way out is one: hosted_exit. Between setting cpu->in_user and the last jump lies the exit window. The registers stay on
 * the kernel stack until it is passed, so a kick that arrives inside it starts over at hosted_exit_retry: work that came late
 * is never left behind.
 */
#include "south/hosted/layout.h"

	.text
	.globl hosted_syscall_entry
	.type hosted_syscall_entry, @function
hosted_syscall_entry:
	movl	$0, %gs:CPU_IN_USER
	movq	%rsp, %gs:CPU_USER_RSP
	movq	%gs:CPU_KSTACK_TOP, %rsp
	movq	$0, KSTACK_RESUME_FOR(%rsp)
hosted_syscall_push:
	pushq	$USER_SS
	pushq	%gs:CPU_USER_RSP
	pushfq
	pushq	$USER_CS
	pushq	%rcx
	pushq	%rax
	pushq	24(%rsp)		/* r11 = rflags, as SYSCALL leaves it */
	pushq	%rcx
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%rbp
	pushq	%rbx
	pushq	%rax
	pushq	%r9
	pushq	%r8
	pushq	%r10
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	cld

hosted_syscall_serve:
	movq	%rsp, %rdi
	call	syscall_dispatch

hosted_exit:
	movl	$1, %eax
	xchgl	%eax, %gs:CPU_IN_USER	/* a barrier: whoever sets work after our look sees in_user */
	.globl hosted_exit_window
hosted_exit_window:
	movq	%gs:CPU_TASK, %rax
	cmpl	$0, TASK_WORK(%rax)
	jne	hosted_exit_work
	movq	REGS_RIP(%rsp), %rcx
	movq	REGS_R11(%rsp), %r11
	cmpq	%rcx, REGS_RCX(%rsp)
	jne	1f
	cmpq	%r11, REGS_RFLAGS(%rsp)
	jne	1f
	testl	$EFLAGS_TF, %r11d
	jnz	1f
	cmpq	%rcx, REGS_SIZE+KSTACK_RESUME_FOR(%rsp)
	cmoveq	REGS_SIZE+KSTACK_RESUME_AT(%rsp), %rcx

	pushq	%r11
	movq	REGS_RDI+8(%rsp), %rdi
	movq	REGS_RSI+8(%rsp), %rsi
	movq	REGS_RDX+8(%rsp), %rdx
	movq	REGS_R10+8(%rsp), %r10
	movq	REGS_R8+8(%rsp), %r8
	movq	REGS_R9+8(%rsp), %r9
	movq	REGS_RAX+8(%rsp), %rax
	movq	REGS_RBX+8(%rsp), %rbx
	movq	REGS_RBP+8(%rsp), %rbp
	movq	REGS_R12+8(%rsp), %r12
	movq	REGS_R13+8(%rsp), %r13
	movq	REGS_R14+8(%rsp), %r14
	movq	REGS_R15+8(%rsp), %r15
	popfq
	movq	REGS_RSP(%rsp), %rsp
	jmp	*%rcx

	/* rcx or r11 have to be exact: IRET, which a program may use for itself */
1:	movq	REGS_RDI(%rsp), %rdi
	movq	REGS_RSI(%rsp), %rsi
	movq	REGS_RDX(%rsp), %rdx
	movq	REGS_R10(%rsp), %r10
	movq	REGS_R8(%rsp), %r8
	movq	REGS_R9(%rsp), %r9
	movq	REGS_RAX(%rsp), %rax
	movq	REGS_RBX(%rsp), %rbx
	movq	REGS_RBP(%rsp), %rbp
	movq	REGS_R12(%rsp), %r12
	movq	REGS_R13(%rsp), %r13
	movq	REGS_R14(%rsp), %r14
	movq	REGS_R15(%rsp), %r15
	movq	REGS_RCX(%rsp), %rcx
	movq	REGS_R11(%rsp), %r11
	addq	$REGS_RIP, %rsp
	iretq
	.globl hosted_exit_window_end
hosted_exit_window_end:

	.globl hosted_exit_retry
hosted_exit_retry:
	movq	%gs:CPU_KSTACK_TOP, %rsp
	subq	$REGS_SIZE, %rsp
hosted_exit_work:
	movl	$0, %gs:CPU_IN_USER
	movq	%rsp, %rdi
	call	hosted_work
	testb	%al, %al
	jz	hosted_exit
	/* PKRU and the registers are loaded by the trap's handler: pkey.c */
	.globl hosted_exit_trap
hosted_exit_trap:
	ud2
	.size hosted_syscall_entry, . - hosted_syscall_entry

	/* the same, and the program's next instructions are at r11 */
	.globl hosted_syscall_entry_far
hosted_syscall_entry_far:
	movl	$0, %gs:CPU_IN_USER
	movq	%rsp, %gs:CPU_USER_RSP
	movq	%gs:CPU_KSTACK_TOP, %rsp
	movq	%rcx, KSTACK_RESUME_FOR(%rsp)
	movq	%r11, KSTACK_RESUME_AT(%rsp)
	jmp	hosted_syscall_push

	/* from the SIGSYS handler: rsp = struct regs */
	.globl hosted_trap_entry
hosted_trap_entry:
	movq	%rsp, %rdi
	call	patch_trapped
	jmp	hosted_syscall_serve

	/* the program faulted: rsp = struct regs, the fault is in struct cpu */
	.globl hosted_fault_entry
hosted_fault_entry:
	movq	%rsp, %rdi
	call	hosted_fault
	jmp	hosted_exit

	/* a kick while program code ran */
	.globl hosted_interrupt_entry
hosted_interrupt_entry:
	jmp	hosted_exit

	/* void hosted_return(struct regs *regs): to the program, from any stack */
	.globl hosted_return
	.type hosted_return, @function
hosted_return:
	movq	%rdi, %rsp
	movq	$0, REGS_SIZE+KSTACK_RESUME_FOR(%rsp)
	jmp	hosted_exit
	.size hosted_return, . - hosted_return

	/* void stack_call(void *top, void (*fn)(void *arg), void *arg) */
	.globl stack_call
	.type stack_call, @function
stack_call:
	movq	%rdi, %rsp
	movq	%rdx, %rdi
	xorl	%ebp, %ebp
	call	*%rsi
	ud2
	.size stack_call, . - stack_call

	/* int context_save(struct context *): 0, and 1 when context_restore() comes back to it */
	.globl context_save
	.type context_save, @function
context_save:
	movq	(%rsp), %rax
	movq	%rbx, 0(%rdi)
	movq	%rbp, 8(%rdi)
	movq	%r12, 16(%rdi)
	movq	%r13, 24(%rdi)
	movq	%r14, 32(%rdi)
	movq	%r15, 40(%rdi)
	leaq	8(%rsp), %rcx
	movq	%rcx, 48(%rdi)
	movq	%rax, 56(%rdi)
	xorl	%eax, %eax
	ret
	.size context_save, . - context_save

	.globl context_restore
	.type context_restore, @function
context_restore:
	movq	0(%rdi), %rbx
	movq	8(%rdi), %rbp
	movq	16(%rdi), %r12
	movq	24(%rdi), %r13
	movq	32(%rdi), %r14
	movq	40(%rdi), %r15
	movq	48(%rdi), %rsp
	movl	$1, %eax
	jmp	*56(%rdi)
	.size context_restore, . - context_restore

	.section .note.GNU-stack, "", @progbits
