// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Which host system calls of the gate pass: hostcalls.def as code. Numbers and words only, from any address. */
#include <asm/syscall.h>

#include <uapi/linux/mman.h>
#include <uapi/linux/sched.h>

#include "litebox.h"

static bool in_program(u64 addr, u64 len)
{
	return addr < LBX_MAP_START_END && len < LBX_MAP_LEN_END;
}

static bool advice_known(u32 advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_WILLNEED:
	case MADV_DONTNEED:
	case MADV_FREE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_COLD:
	case MADV_PAGEOUT:
	case MADV_POPULATE_READ:
	case MADV_POPULATE_WRITE:
		return true;
	default:
		return false;
	}
}

#define CLONE_THREAD_WORD	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
				 CLONE_PARENT_SETTID)
#define CLONE_PROCESS_WORD	(CLONE_PARENT | CLONE_FILES | CLONE_PARENT_SETTID)

static bool clone_ready(const struct litebox_cpu *cpu, u64 flags)
{
	if (!cpu->next)
		return false;
	return flags == (cpu->next_process ? CLONE_PROCESS_WORD : CLONE_THREAD_WORD);
}

bool litebox_host_call_allowed(const struct pt_regs *regs, struct litebox_cpu *cpu)
{
	u64 a0 = regs->di, a1 = regs->si, a2 = regs->dx, a3 = regs->r10, a4 = regs->r8;

	switch (regs->orig_ax) {
#define HOST_CALL(nr, name, text, condition) \
	case nr: \
		return condition;
#include "hostcalls.def"
	default:
		return false;
	}
}
