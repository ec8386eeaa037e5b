// SPDX-License-Identifier: MIT
/*
 * The way back to the program: signals are delivered, stops and ends happen, interrupted calls restart.
 */
#include "base/errno.h"
#include "mm/mm.h"
#include "process/internal.h"
#include "process/rseq.h"

#define NR_RESTART_SYSCALL	219

/* A call that ended with one of the ERESTART numbers runs again, or says EINTR. @action: of the handler that runs now, or NULL. */
static void fix_result(struct regs *regs, const struct ksigaction *action)
{
	long result = (long)regs->rax;
	bool again;

	if ((s64)regs->orig_rax < 0)
		return;
	switch (-result) {
	case ERESTARTNOINTR:
		again = true;
		break;
	case ERESTARTSYS:
		again = !action || (action->flags & SA_RESTART);
		break;
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK:
		again = !action;
		break;
	default:
		return;
	}
	if (!again) {
		regs->rax = (u64)-EINTR;
		return;
	}
	regs->rax = result == -ERESTART_RESTARTBLOCK ? NR_RESTART_SYSCALL : regs->orig_rax;
	regs->rip -= 2;		/* the SYSCALL instruction, which patched sites keep in place */
}

static bool dumps_core(int sig)
{
	return (SIGSET_CORE & SIGMASK(sig)) && rlimit(RLIM_CORE) && current->mm && READ_ONCE(current->mm->dumpable);
}

/* Nobody could ever continue a member of an orphaned group, nor, unless the runner takes part, the first program. */
static bool nobody_continues(struct process *p)
{
	return p == first_process ? !first_process_stopped : pgrp_is_orphaned(p->pgid);
}

/* Take the next signal that has a handler; do what the default actions of those before it say. Return: its number or 0. */
static int get_signal(struct sigframe_request *req)
{
	struct task *t = current;
	struct process *p = t->process;
	int sig;

	for (;;) {
		struct ksigaction *action;
		LIST_HEAD(done);

		spin_lock(&p->siglock);
		sig = sigqueue_take(t, signal_unblocked(t), &req->info, &done);
		signal_recalc(t);
		if (!sig) {
			spin_unlock(&p->siglock);
			return 0;
		}
		action = &t->sighand->action[sig - 1];
		spin_lock(&t->sighand->lock);
		req->action = *action;
		if (action->handler > SIGACTION_IGN && (action->flags & LINUX_SA_RESETHAND))
			action->handler = SIGACTION_DFL;
		spin_unlock(&t->sighand->lock);
		if (SIGSET_STOP & SIGMASK(sig))
			t->stop_dequeued = true;
		if (req->action.handler != SIGACTION_DFL || !(SIGSET_STOP & SIGMASK(sig))) {
			spin_unlock(&p->siglock);
			sigqueue_free_list(&done);
			if (req->action.handler == SIGACTION_IGN)
				continue;
			if (req->action.handler != SIGACTION_DFL)
				return sig;
			if (SIGSET_IGNORE & SIGMASK(sig))
				continue;
			task_exit_group((u32)sig | (dumps_core(sig) ? WAIT_COREDUMP : 0));
		}
		spin_unlock(&p->siglock);
		sigqueue_free_list(&done);
		if (sig != SIGSTOP && nobody_continues(p))
			continue;
		spin_lock(&p->siglock);
		(void)signal_stop_self(sig);
		if (load_relaxed(&t->work) & WORK_EXIT)
			return 0;
	}
}

/* The frame of @sig cannot be written, or the program has broken what the kernel looks at before. */
static void force_sigsegv(int sig)
{
	if (sig == SIGSEGV)
		force_fatal_signal(SIGSEGV);
	else
		force_signal(SIGSEGV, SI_KERNEL, 0);
}

static void handle_signal(struct regs *regs, struct sigframe_request *req)
{
	struct task *t = current;
	sigset_t mask = req->action.mask;
	bool restore = load_relaxed(&t->work) & WORK_RESTORE_MASK;

	fix_result(regs, &req->action);
	req->saved_mask = restore ? t->saved_sigmask : t->blocked;
	/* as Linux: the frame is made all the same; a handler of SIGSEGV runs, and dies of the next when it returns */
	if (!rseq_fixup(regs))
		force_sigsegv(req->sig);
	if (sigframe_setup(regs, req)) {
		force_sigsegv(req->sig);
		return;
	}
	atomic_and(&t->work, ~(u32)WORK_RESTORE_MASK);
	t->restart.func = NULL;		/* a call that a handler interrupted is over */
	if (!(req->action.flags & SA_NODEFER))
		mask |= SIGMASK(req->sig);
	signal_set_blocked(t->blocked | mask);
}

static void deliver(struct regs *regs)
{
	struct sigframe_request req;

	if (load_relaxed(&current->work) & WORK_STOP)
		signal_take_part();
	if (load_relaxed(&current->work) & WORK_EXIT)
		return;
	req.sig = get_signal(&req);
	if (req.sig) {
		handle_signal(regs, &req);
		return;
	}
	if (load_relaxed(&current->work) & WORK_EXIT)
		return;
	fix_result(regs, NULL);
	if (load_relaxed(&current->work) & WORK_RESTORE_MASK) {
		atomic_and(&current->work, ~(u32)WORK_RESTORE_MASK);
		signal_set_blocked(current->saved_sigmask);
	}
}

void task_exit_work(struct regs *regs)
{
	struct task *t = current;
	u32 work;

	do {
		work = load_acquire(&t->work);
		if (work & WORK_EXIT)
			task_exit(t->process->exit_code);
		if (work & WORK_RSEQ)
			task_exit_group(SIGSEGV | (dumps_core(SIGSEGV) ? WAIT_COREDUMP : 0));
		if (work & WORK_NEW) {
			atomic_and(&t->work, ~(u32)WORK_NEW);
			/* clone(2): a bad address is the program's own loss */
			if (t->set_child_tid && put_user(t->tid, t->set_child_tid))
				t->set_child_tid = 0;
		}
		if (work & WORK_MM) {
			atomic_and(&t->work, ~(u32)WORK_MM);
			mm_do_work();
		}
		atomic_and(&t->work, ~(u32)(WORK_TRACE | WORK_SINGLESTEP));
		if ((work & (WORK_SIGNAL | WORK_STOP | WORK_RESTORE_MASK)) || task_wants_exit_work(regs))
			deliver(regs);
	} while (load_acquire(&t->work) & (WORK_EXIT | WORK_NEW | WORK_MM | WORK_SIGNAL | WORK_STOP | WORK_RESTORE_MASK));
}

/* Vectors of the x86-64 exceptions that a program can cause; page faults are not among them. */
static const struct {
	u8 sig, code;
	bool addr_is_rip;
} traps[] = {
	[0] = { SIGFPE, FPE_INTDIV, true },
	[1] = { SIGTRAP, TRAP_BRKPT, true },
	[3] = { SIGTRAP, SI_KERNEL, false },
	[4] = { SIGSEGV, SI_KERNEL, false },
	[5] = { SIGSEGV, SI_KERNEL, false },
	[6] = { SIGILL, ILL_ILLOPN, true },
	[7] = { SIGSEGV, SI_KERNEL, false },
	[10] = { SIGSEGV, SI_KERNEL, false },
	[11] = { SIGBUS, SI_KERNEL, false },
	[12] = { SIGBUS, SI_KERNEL, false },
	[13] = { SIGSEGV, SI_KERNEL, false },
	[16] = { SIGFPE, 0, true },
	[17] = { SIGBUS, BUS_ADRALN, false },
	[19] = { SIGFPE, 0, true },
};
#define TRAP_PAGE_FAULT	14
#define PF_WRITE	BIT(1)
#define PF_EXEC		BIT(4)
#define PF_PKEY		BIT(5)

void task_fault(struct regs *regs, int trapno, u64 err, u64 addr, int host_signo, int host_code)
{
	struct task *t = current;
	int sig = host_signo, code = host_code;

	regs->orig_rax = ~0ull;		/* no call is to be restarted */
	if (trapno == TRAP_PAGE_FAULT && (err & PF_PKEY)) {
		/* the memory is there: it was the program's own PKRU */
		sig = SIGSEGV;
		code = SEGV_PKUERR;
	} else if (trapno == TRAP_PAGE_FAULT) {
		int mm_code = code;

		sig = mm_fault(addr, err & PF_WRITE, err & PF_EXEC, &mm_code);
		if (!sig)
			return;
		code = mm_code;
	} else if (trapno >= 0 && trapno < (int)ARRAY_SIZE(traps) && traps[trapno].sig) {
		/* single steps and floating point say more than their vector does: the host knows */
		if (!sig || (trapno != 1 && trapno != 16 && trapno != 19)) {
			sig = traps[trapno].sig;
			code = traps[trapno].code;
		}
		addr = traps[trapno].addr_is_rip ? regs->rip : 0;
	} else if (!sig || !signal_valid(sig)) {
		sig = SIGSEGV;
		code = SI_KERNEL;
	}
	t->fault_trapno = (u64)trapno;
	t->fault_err = err;
	if (trapno == TRAP_PAGE_FAULT)
		t->fault_addr = addr;
	force_signal(sig, code, addr);
}
