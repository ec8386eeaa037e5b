// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * How a member's system calls come here: README.md has the ways that were compared.
 *
 * Both functions below answer for syscall_user_dispatch(): true, the call is dealt with; false, the kernel goes on with it. They
 * run with interrupts on, in the task's own context, and neither sleep nor touch its memory.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/ftrace.h>
#include <linux/sched/signal.h>
#include <linux/syscalls.h>
#include <asm/syscall.h>

#include "litebox.h"

static struct ftrace_ops hook;
static char hooked[] = "syscall_user_dispatch";

/* The exit path leaves out tracers and audit: for them there was no call. Nothing is restarted: it was none of the kernel's. */
static bool dealt_with(struct pt_regs *regs, struct task_struct *me)
{
	regs->orig_ax = -1;
	me->syscall_dispatch.on_dispatch = true;
	return true;
}

/* A call from the gate: one on the list of host calls, or none. */
bool litebox_gate(struct pt_regs *regs, struct task_struct *me)
{
	struct litebox_cpu *cpu = litebox_current();

	if (likely(cpu && !in_ia32_syscall() && litebox_host_call_allowed(regs, cpu))) {
		atomic64_inc(&cpu->process->sandbox->host_calls);
		return false;
	}
	if (cpu)
		atomic64_inc(&cpu->process->sandbox->refused);
	regs->ax = -EPERM;
	return dealt_with(regs, me);
}

/* A call from anywhere else is the program's: up to the entry behind the gate. */
bool litebox_upcall(struct pt_regs *regs, struct task_struct *me)
{
	u64 nr = regs->orig_ax;

	if (unlikely(nr >= LBX_UPCALL_NR_END))
		nr = LBX_UPCALL_BAD;
	if (unlikely(in_ia32_syscall()))
		nr = LBX_UPCALL_COMPAT;
	/* from a 32-bit code segment there is no way to the entry: a fault, whose handler runs in 64-bit mode */
	if (unlikely(regs->cs != __USER_CS || regs->ip >> LBX_UPCALL_SHIFT)) {
		regs->ax = -ENOSYS;
		force_sig(SIGSEGV);
		return dealt_with(regs, me);
	}
	regs->ax = nr << LBX_UPCALL_SHIFT | regs->ip;
	/* cx equal to ip: the way back stays SYSRET */
	regs->ip = me->syscall_dispatch.offset + LBX_GATE_SIZE;
	regs->cx = regs->ip;
	return dealt_with(regs, me);
}

int litebox_hook_init(void)
{
	int ret = ftrace_set_filter(&hook, hooked, strlen(hooked), 1);

	if (ret) {
		pr_err("%s() cannot be hooked on this kernel: error %d\n", hooked, ret);
		return ret;
	}
	ret = register_ftrace_direct(&hook, (unsigned long)litebox_dispatch);
	if (ret) {
		pr_err("%s() is hooked by somebody else (a BPF fentry program, a livepatch?): error %d\n", hooked, ret);
		ftrace_free_filter(&hook);
		return ret;
	}
	/* from here on ftrace_enabled=0 is refused: the way up is not to be turned off under a sandbox */
	hook.flags |= FTRACE_OPS_FL_PERMANENT;
	return 0;
}

void litebox_hook_exit(void)
{
	unregister_ftrace_direct(&hook, (unsigned long)litebox_dispatch, true);
	/* a task may have been preempted inside of litebox_dispatch() or what it calls */
	synchronize_rcu_tasks();
}
