/* SPDX-License-Identifier: MIT */
/*
 * The instructions that touch the program's memory. Each has a line in the exception table: where to go on when it faults.
 * Registers at the fault are kept, so a string copy's rcx tells how much was left.
 */
	.macro extable from, to
	.pushsection .extable, "a"
	.quad	\from, \to
	.popsection
	.endm

	.text
	/* size_t user_copy(void *dst, const void *src, size_t n): bytes that were NOT copied */
	.globl user_copy
	.type user_copy, @function
user_copy:
	movq	%rdx, %rcx
	cmpq	$16, %rdx
	jb	2f
1:	rep movsb
2:	testq	%rcx, %rcx
	jz	4f
3:	movb	(%rsi), %al
5:	movb	%al, (%rdi)
	incq	%rsi
	incq	%rdi
	decq	%rcx
	jnz	3b
4:	movq	%rcx, %rax
	ret
	extable 1b, 4b
	extable 3b, 4b
	extable 5b, 4b
	.size user_copy, . - user_copy

	/* Eight bytes at once: the common size. int user_copy8(void *dst, const void *src): 0, else it faulted */
	.globl user_copy8
	.type user_copy8, @function
user_copy8:
	movl	$1, %eax
1:	movq	(%rsi), %rcx
2:	movq	%rcx, (%rdi)
	xorl	%eax, %eax
3:	ret
	extable 1b, 3b
	extable 2b, 3b
	.size user_copy8, . - user_copy8

	.globl user_copy4
	.type user_copy4, @function
user_copy4:
	movl	$1, %eax
1:	movl	(%rsi), %ecx
2:	movl	%ecx, (%rdi)
	xorl	%eax, %eax
3:	ret
	extable 1b, 3b
	extable 2b, 3b
	.size user_copy4, . - user_copy4

	/* size_t user_zero(void *dst, size_t n): bytes that were not cleared */
	.globl user_zero
	.type user_zero, @function
user_zero:
	movq	%rsi, %rcx
	xorl	%eax, %eax
1:	rep stosb
2:	movq	%rcx, %rax
	ret
	extable 1b, 2b
	.size user_zero, . - user_zero

	/* ssize_t user_strncpy(char *dst, const char *src, size_t n): length without NUL, n, or -1 on a fault */
	.globl user_strncpy
	.type user_strncpy, @function
user_strncpy:
	xorl	%eax, %eax
1:	cmpq	%rdx, %rax
	jae	3f
2:	movb	(%rsi,%rax), %cl
	movb	%cl, (%rdi,%rax)
	testb	%cl, %cl
	jz	3f
	incq	%rax
	jmp	1b
3:	ret
4:	movq	$-1, %rax
	ret
	extable 2b, 4b
	.size user_strncpy, . - user_strncpy

	/* ssize_t user_strnlen(const char *s, size_t n): the same without a copy */
	.globl user_strnlen
	.type user_strnlen, @function
user_strnlen:
	xorl	%eax, %eax
1:	cmpq	%rsi, %rax
	jae	3f
2:	cmpb	$0, (%rdi,%rax)
	je	3f
	incq	%rax
	jmp	1b
3:	ret
4:	movq	$-1, %rax
	ret
	extable 2b, 4b
	.size user_strnlen, . - user_strnlen

	/* int user_<op>(u32 *addr, u32 val, u32 *old): 0, else it faulted */
	.macro user_op name, insn
	.globl user_\name
	.type user_\name, @function
user_\name:
	movl	$1, %eax
1:	\insn
	movl	%esi, (%rdx)
	xorl	%eax, %eax
2:	ret
	extable 1b, 2b
	.size user_\name, . - user_\name
	.endm
	user_op xchg, "xchgl %esi, (%rdi)"
	user_op xadd, "lock xaddl %esi, (%rdi)"

	/* int user_cmpxchg(u32 *addr, u32 expect, u32 new, u32 *old) */
	.globl user_cmpxchg
	.type user_cmpxchg, @function
user_cmpxchg:
	movq	%rcx, %r8
	movl	%esi, %eax
1:	lock cmpxchgl %edx, (%rdi)
	movl	%eax, (%r8)
	xorl	%eax, %eax
	ret
2:	movl	$1, %eax
	ret
	extable 1b, 2b
	.size user_cmpxchg, . - user_cmpxchg

	/* int user_xsave(void *area, u64 mask), int user_xrstor(...), user_fxsave, user_fxrstor: 0, else it faulted */
	.macro user_fpu name, insn
	.globl user_\name
	.type user_\name, @function
user_\name:
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
1:	\insn	(%rdi)
	xorl	%eax, %eax
	ret
2:	movl	$1, %eax
	ret
	extable 1b, 2b
	.size user_\name, . - user_\name
	.endm
	user_fpu xsave, xsave64
	user_fpu xrstor, xrstor64
	user_fpu fxsave, fxsave64
	user_fpu fxrstor, fxrstor64

	.section .note.GNU-stack, "", @progbits
