/* SPDX-License-Identifier: MIT */
/* uint64_t cost_call(void), cost_nothing(void): ticks of the time-stamp counter around `mov $39, %eax; syscall`, and without it. */
	.text
	.macro cost name, calls
	.p2align 6
	.skip	64, 0x90	/* what is decoded before the site */
	.globl \name
	.type \name, @function
\name:
	rdtsc
	shlq	$32, %rdx
	leaq	(%rdx,%rax), %r8
	.if \calls
	movl	$39, %eax
	syscall
	.endif
	rdtsc
	shlq	$32, %rdx
	leaq	(%rdx,%rax), %rax
	subq	%r8, %rax
	ret
	.size \name, . - \name
	.endm

	cost cost_call, 1
	cost cost_nothing, 0
	.section .note.GNU-stack, "", @progbits
