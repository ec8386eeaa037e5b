/* SPDX-License-Identifier: MIT */
/* Where the host's exec begins: on the host's stack, which is not in the data that host_start() replaces. */
	.text
	.globl _start
_start:
	xorl	%ebp, %ebp
	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	host_start
	ud2
	.section .note.GNU-stack, "", @progbits
