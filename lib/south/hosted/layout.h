/* SPDX-License-Identifier: MIT */
/*
 * The kernel window of a hosted sandbox (uapi/window.h), and what entry code knows of C's structures. The same in every host
 * process of the sandbox.
 *
 *	HOSTED_IMAGE	the library kernel's text: a file's pages, the same for every sandbox of this host
 *	HOSTED_DATA	its data; from here on nothing is another sandbox's too
 *	HOSTED_SLOTS	per host thread: the stack that host signals arrive on; private memory, so that a fork's child has its own
 *	HOSTED_RAM	all of RAM: shared memory of the sandbox, one memfd
 */
#ifndef LIB_SOUTH_HOSTED_LAYOUT_H
#define LIB_SOUTH_HOSTED_LAYOUT_H

#define HOSTED_IMAGE		0x6000ff000000		/* image.lds; data is in reach of its code */
#define HOSTED_DATA		0x600100000000
#define HOSTED_SLOTS		0x602000000000
#define HOSTED_RAM		0x608000000000
#define HOSTED_RAM_MAX		0x008000000000

#define HOSTED_SLOT_SHIFT	15
#define HOSTED_SLOT_SIZE	(1 << HOSTED_SLOT_SHIFT)
#define HOSTED_NR_SLOTS		4096		/* threads of one host process */

#define HOSTED_KSTACK_SIZE	0x8000

/*
 * Above the registers on a kernel stack: when the program goes on at *RESUME_FOR, that is at *RESUME_AT (patched sites whose next
 * instructions moved). So that struct regs says where the program believes to be.
 */
#define KSTACK_RESUME_FOR	0		/* from cpu->kstack_top */
#define KSTACK_RESUME_AT	8
#define KSTACK_ABOVE_REGS	24		/* and what aligns */

/* struct cpu, by GS */
#define CPU_TASK		0
#define CPU_SELF		8
#define CPU_USER_RSP		16
#define CPU_KSTACK_TOP		24
#define CPU_IN_USER		32
#define CPU_KICKED		36

/* struct task */
#define TASK_WORK		20

/* struct regs */
#define REGS_RDI		0
#define REGS_RSI		8
#define REGS_RDX		16
#define REGS_R10		24
#define REGS_R8			32
#define REGS_R9			40
#define REGS_RAX		48
#define REGS_RBX		56
#define REGS_RBP		64
#define REGS_R12		72
#define REGS_R13		80
#define REGS_R14		88
#define REGS_R15		96
#define REGS_RCX		104
#define REGS_R11		112
#define REGS_ORIG_RAX		120
#define REGS_RIP		128
#define REGS_CS			136
#define REGS_RFLAGS		144
#define REGS_RSP		152
#define REGS_SS			160
#define REGS_SIZE		168

#define USER_CS			0x33
#define USER_SS			0x2b
#define EFLAGS_TF		0x100
#define EFLAGS_DF		0x400

/* One signal of the host is the kick: wakes a thread out of program code or out of a blocking host call. */
#define HOST_SIGKICK		10		/* SIGUSR1 */

/* SIGUSR2: the reaper died, and with it who would see ours: sent to the supervisor (PR_SET_PDEATHSIG), which ends all. */
#define HOST_SIGORPHAN		12

#endif
