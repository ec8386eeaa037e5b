/* SPDX-License-Identifier: MIT */
/* Call sites of every shape, with labels where instructions begin. All return what the call returned. */
	.text

	.macro function name
	.p2align 4
	.globl \name
	.type \name, @function
\name:
	.endm

	.p2align 12
	.skip	64, 0x90

	/* long site_number(void): getpid */
	function site_number
	movl	$39, %eax
	.globl site_number_call
site_number_call:
	syscall
	.globl site_number_next
site_number_next:
	ret

	/* long site_moves(long nr, long a, long b): several instructions before; 2 is never an instruction's start */
	function site_moves
	movq	%rdi, %rax
	.globl site_moves_1
site_moves_1:
	movq	%rsi, %rdi
	.globl site_moves_2
site_moves_2:
	movq	%rdx, %rsi
	.globl site_moves_call
site_moves_call:
	syscall
	ret

	/* long site_after(long unused, long nr): nothing before may move; what follows adds 1 */
	function site_after
	movq	%rsi, %rax
	jmp	site_after_call
	.globl site_after_call
site_after_call:
	syscall
	.globl site_after_next
site_after_next:
	cmpq	$-4096, %rax
	.globl site_after_ja
site_after_ja:
	ja	1f
	addq	$1, %rax
1:	ret

	/* long site_both(void): read(0, NULL, 0) with little before and little after */
	function site_both
	xorl	%edi, %edi
	xorl	%esi, %esi
	xorl	%edx, %edx
	jmp	1f
1:	.globl site_both_start
site_both_start:
	xorl	%eax, %eax
	.globl site_both_call
site_both_call:
	syscall
	.globl site_both_next
site_both_next:
	movq	%rax, %rdx
	.globl site_both_2
site_both_2:
	movq	%rdx, %rax
	ret

	/* long site_stays(void): nothing around it may move */
	function site_stays
	leaq	site_stays(%rip), %rdi
	movq	%rdi, %rdi
	jmp	1f
1:	pushq	$39
	popq	%rax
	jmp	2f
2:	syscall
	jmp	3f
3:	ret

	/* long site_block(int fd, void *buf, long len): read */
	function site_block
	xorl	%ecx, %ecx
	movl	$0, %eax
	.globl site_block_call
site_block_call:
	syscall
	.globl site_block_next
site_block_next:
	ret

	/* the same, and the call returns into what moved */
	function site_block_after
	xorl	%eax, %eax
	jmp	1f
1:	.globl site_block_after_call
site_block_after_call:
	syscall
	.globl site_block_after_next
site_block_after_next:
	cmpq	$-4096, %rax
	ja	1f
1:	ret

	/* long site_redzone(void): getpid, or -1 when a word of the 128 bytes below the stack pointer changed */
	function site_redzone
	movl	$16, %ecx
1:	movq	%rcx, %rax
	imulq	$0x1234567, %rax
	negq	%rcx
	movq	%rax, (%rsp,%rcx,8)
	negq	%rcx
	loop	1b
	movl	$39, %eax
	syscall
	movl	$16, %ecx
1:	movq	%rcx, %rdx
	imulq	$0x1234567, %rdx
	negq	%rcx
	cmpq	%rdx, (%rsp,%rcx,8)
	jne	2f
	negq	%rcx
	loop	1b
	ret
2:	movq	$-1, %rax
	ret

	/* void site_registers(u64 set[16], u64 got[16]): all but rsp, rcx, r11 loaded from set, rflags too; and seen after the call */
	function site_registers
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushq	%rsi
	movq	%rdi, %rax
	movq	0(%rax), %rbx
	movq	8(%rax), %rbp
	movq	16(%rax), %r12
	movq	24(%rax), %r13
	movq	32(%rax), %r14
	movq	40(%rax), %r15
	movq	48(%rax), %rdi
	movq	56(%rax), %rsi
	movq	64(%rax), %rdx
	movq	72(%rax), %r10
	movq	80(%rax), %r8
	movq	88(%rax), %r9
	pushq	96(%rax)
	popfq
	movl	$39, %eax
	syscall
	pushfq
	popq	%rcx
	xchgq	%rsi, (%rsp)
	movq	%rbx, 0(%rsi)
	movq	%rbp, 8(%rsi)
	movq	%r12, 16(%rsi)
	movq	%r13, 24(%rsi)
	movq	%r14, 32(%rsi)
	movq	%r15, 40(%rsi)
	movq	%rdi, 48(%rsi)
	popq	56(%rsi)
	movq	%rdx, 64(%rsi)
	movq	%r10, 72(%rsi)
	movq	%r8, 80(%rsi)
	movq	%r9, 88(%rsi)
	movq	%rcx, 96(%rsi)
	movq	%rax, 104(%rsi)
	cld
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret

	/* long jump_to(void *where, long rax, long a, long b): as a branch from elsewhere would */
	function jump_to
	movq	%rdi, %r11
	movq	%rsi, %rax
	movq	%rdx, %rdi
	movq	%rcx, %rsi
	movq	%r8, %rdx
	jmp	*%r11

	/* long step(long (*fn)(void)): fn() with the trap flag set */
	function step
	pushfq
	orl	$0x100, (%rsp)
	popfq
	call	*%rdi
	pushfq
	andl	$~0x100, (%rsp)
	popfq
	ret

	/* long aligned(long (*fn)(void)): fn() with alignment checks on */
	function aligned
	pushfq
	orl	$0x40000, (%rsp)
	popfq
	call	*%rdi
	pushfq
	andl	$~0x40000, (%rsp)
	popfq
	ret

	/* a SYSCALL across the end of a page, one that begins a page, one whose window would cross it */
	.p2align 12
	.skip	4096 - 8, 0x90
	.globl site_across
site_across:
	movl	%edi, %edx
	movl	$39, %eax
	syscall
	ret
	.p2align 12
	.skip	4096 - 7, 0x90
	.globl site_first
site_first:
	movl	%edi, %edx
	movl	$39, %eax
	syscall
	ret
	.p2align 12
	.skip	4096 - 3, 0x90
	.globl site_cut
site_cut:
	movl	$39, %eax
	syscall
	ret

	/* sites for threads to meet at, none patched before */
	.p2align 7
	.globl sites_fresh
sites_fresh:
	.rept	256
	.p2align 7
	movl	$39, %eax
	syscall
	ret
	.endr

	/* more pages than may be patched at a time; each another */
	.p2align 12
	.globl sites_pages
sites_pages:
	.set	n, 0
	.rept	400
	.p2align 12
	.skip	64, 0x90
	movl	$39, %eax
	syscall
	ret
	.long	n
	.set	n, n + 1
	.endr
	.p2align 12

	.section .note.GNU-stack, "", @progbits
