// SPDX-License-Identifier: MIT
/*
 * Areas of rseq(2) that the host's kernel knows: one a host thread, in the program's memory, which the host writes whenever it gives
 * the thread a processor. The registration goes with the task: a vfork child that borrows the thread and has an area of its own
 * takes the parent's place until it leaves; a fork's copy has it as Linux has it; else a task's thread has none when the task comes.
 *
 * The host answers a broken area by SIGSEGV, wherever the thread is, and resets the disposition of SIGSEGV, which we cannot set
 * again. So from then on the host process can take no fault: the thread goes on with SIGSEGV blocked, forgets the area, and its
 * task ends the process before any more of the program runs. Nothing that faults is touched for it: uaccess refuses (hp->deaf).
 */
#include "base/errno.h"
#include "south/host/host.h"
#include "south/hosted/cpu.h"
#include "south/south.h"
#include "uapi/window.h"

#define RSEQ_UNREGISTER		1
/* The filter bounds lengths; the host writes no more than it knows of, and that at the beginning. */
#define RSEQ_LEN_MAX		4064u

/* Called from the host signal's handler as well: touches no program memory itself. Return: 0 or -EFAULT: the area is broken. */
static int drop(struct cpu *cpu)
{
	struct host_rseq r = cpu->rseq;
	u64 page = r.addr & PAGE_MASK;
	long ret;

	if (!r.addr)
		return 0;
	cpu->rseq.addr = 0;
	ret = host_rseq(r.addr, r.len, RSEQ_UNREGISTER, r.sig);
	if (ret != -EFAULT)
		return 0;
	/* the host wants to write there once more: into what is there, else into a page that is put there */
	(void)south_map(SOUTH_MAP_PROTECT, page, PAGE_SIZE, 3, 0, SOUTH_NO_HANDLE, 0);
	if (host_rseq(r.addr, r.len, RSEQ_UNREGISTER, r.sig) == -EFAULT) {
		(void)south_map(SOUTH_MAP_BACK, page, PAGE_SIZE, 3, SOUTH_MAP_NORESERVE, SOUTH_NO_HANDLE, 0);
		(void)host_rseq(r.addr, r.len, RSEQ_UNREGISTER, r.sig);
	}
	return -EFAULT;
}

int hosted_rseq(u64 addr, u32 len, u32 sig)
{
	struct cpu *cpu = current_cpu();
	struct host_rseq r = { addr, min(len, RSEQ_LEN_MAX), sig };
	int ret = drop(cpu);	/* our own, or a vfork parent's */

	if (!addr)
		return ret;
	ret = (int)host_rseq(r.addr, r.len, 0, r.sig);
	if (!ret)
		cpu->rseq = r;
	return ret;
}

void cpu_rseq_switch(struct cpu *cpu, const struct host_rseq *want)
{
	int ret;

	if (cpu->rseq.addr == want->addr)
		return;
	(void)drop(cpu);
	if (!want->addr)
		return;
	ret = (int)host_rseq(want->addr, want->len, 0, want->sig);
	if (!ret)
		cpu->rseq = *want;
	else if (cpu->task)
		atomic_or(&cpu->task->work, WORK_RSEQ);
}

void cpu_rseq_broke(struct cpu *cpu)
{
	WRITE_ONCE(cpu->hp->deaf, true);
	(void)drop(cpu);
	if (cpu->task)
		atomic_or(&cpu->task->work, WORK_RSEQ);
}
