// SPDX-License-Identifier: MIT
/* What a task does with its own signals: masks, actions, taking them by hand; siginfo on its way to and from the program. */
#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "process/internal.h"
#include "process/itimer.h"
#include "sched/wait.h"

void signal_set_blocked(sigset_t mask)
{
	struct task *me = current, *t;
	struct process *p = me->process;
	sigset_t newly, shared;

	mask &= ~SIGSET_UNBLOCKABLE;
	spin_lock(&p->siglock);
	newly = mask & ~me->blocked;
	shared = newly & p->shared_pending.set;
	/* what this thread was to take goes to another that can */
	if (shared)
		for_each_thread(p, t)
			if (t != me && !t->exiting && (shared & ~t->blocked))
				task_set_work(t, WORK_SIGNAL);
	me->blocked = mask;
	signal_recalc(me);
	spin_unlock(&p->siglock);
}

int signal_set_user_mask(u64 addr, u64 size)
{
	struct task *t = current;
	sigset_t mask;

	if (!addr)
		return 0;
	if (size != sizeof(mask))
		return -EINVAL;
	if (get_user(mask, addr))
		return -EFAULT;
	t->saved_sigmask = t->blocked;
	atomic_or(&t->work, WORK_RESTORE_MASK);
	signal_set_blocked(mask);
	return 0;
}

void signal_restore_mask(bool interrupted)
{
	struct task *t = current;

	if (interrupted || !(load_relaxed(&t->work) & WORK_RESTORE_MASK))
		return;
	atomic_and(&t->work, ~(u32)WORK_RESTORE_MASK);
	signal_set_blocked(t->saved_sigmask);
}

long signal_suspend(sigset_t mask)
{
	struct task *t = current;

	t->saved_sigmask = t->blocked;
	signal_set_blocked(mask);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending())
			break;
		(void)schedule_until(FOREVER);
	}
	set_current_state(TASK_RUNNING);
	atomic_or(&t->work, WORK_RESTORE_MASK);
	return -ERESTARTNOHAND;
}

int signal_dequeue(sigset_t mask, struct siginfo *info)
{
	struct process *p = current->process;
	int sig;
	LIST_HEAD(done);

	mask &= ~SIGSET_UNBLOCKABLE;
	if (!((load_relaxed(&current->pending.set) | load_relaxed(&p->shared_pending.set)) & mask))
		return 0;
	spin_lock(&p->siglock);
	sig = sigqueue_take(current, mask, info, &done);
	signal_recalc(current);
	spin_unlock(&p->siglock);
	sigqueue_free_list(&done);
	return sig;
}

sigset_t signal_pending_set(struct task *t)
{
	return load_relaxed(&t->pending.set) | load_relaxed(&t->process->shared_pending.set);
}

long signal_timedwait(sigset_t mask, s64 deadline, struct siginfo *info)
{
	struct task *t = current;
	struct process *p = t->process;
	int sig, ret = 0;

	mask &= ~SIGSET_UNBLOCKABLE;
	sig = signal_dequeue(mask, info);
	if (sig)
		return sig;
	if (deadline <= clock_monotonic())
		return -EAGAIN;

	/* For the length of the sleep they are open, so that they wake us, and real_blocked, so that nobody dies of them. */
	spin_lock(&p->siglock);
	t->real_blocked = t->blocked;
	t->blocked &= ~mask;
	signal_recalc(t);
	spin_unlock(&p->siglock);

	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending() || ret == -ETIMEDOUT)
			break;
		ret = schedule_until(deadline);
	}
	set_current_state(TASK_RUNNING);

	spin_lock(&p->siglock);
	t->blocked = t->real_blocked;
	t->real_blocked = 0;
	signal_recalc(t);
	spin_unlock(&p->siglock);
	sig = signal_dequeue(mask, info);
	if (sig)
		return sig;
	return ret == -ETIMEDOUT ? -EAGAIN : -EINTR;
}

/* SA_UNSUPPORTED is cleared on purpose: sigaction(2), "Dynamically probing for flag bit support". */
#define KNOWN_FLAGS	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER | \
			 LINUX_SA_RESETHAND | LINUX_SA_EXPOSE_TAGBITS | LINUX_SA_RESTORER)

int signal_action(int sig, const struct ksigaction *new, struct ksigaction *old)
{
	struct process *p = current->process;
	struct sighand *sh = current->sighand;
	struct task *t;
	bool drop;
	LIST_HEAD(done);

	if (!signal_valid(sig) || (new && (SIGSET_UNBLOCKABLE & SIGMASK(sig))))
		return -EINVAL;
	spin_lock(&p->siglock);
	if (old)
		*old = sh->action[sig - 1];
	if (new) {
		spin_lock(&sh->lock);
		sh->action[sig - 1] = *new;
		sh->action[sig - 1].flags &= KNOWN_FLAGS;
		sh->action[sig - 1].mask &= ~SIGSET_UNBLOCKABLE;
		spin_unlock(&sh->lock);
		/* POSIX: what is pending and now ignored goes, blocked or not */
		drop = new->handler == SIGACTION_IGN || (new->handler == SIGACTION_DFL && (SIGSET_IGNORE & SIGMASK(sig)));
		if (drop) {
			sigpending_remove(&p->shared_pending, SIGMASK(sig), &done);
			for_each_thread(p, t)
				sigpending_remove(&t->pending, SIGMASK(sig), &done);
		}
	}
	spin_unlock(&p->siglock);
	sigqueue_free_list(&done);
	return 0;
}

bool signal_is_ignored(int sig)
{
	const struct task *t = current;

	return (t->blocked & SIGMASK(sig)) || READ_ONCE(t->sighand->action[sig - 1].handler) == SIGACTION_IGN;
}

void signal_action_sets(struct task *t, sigset_t *ignored, sigset_t *caught)
{
	int sig;

	*ignored = *caught = 0;
	spin_lock(&t->process->siglock);
	for (sig = 1; sig <= NSIG; sig++) {
		u64 handler = t->sighand->action[sig - 1].handler;

		if (handler == SIGACTION_IGN)
			*ignored |= SIGMASK(sig);
		else if (handler != SIGACTION_DFL)
			*caught |= SIGMASK(sig);
	}
	spin_unlock(&t->process->siglock);
}

int siginfo_to_user(u64 addr, const struct siginfo *info)
{
	u8 all[SIGINFO_USER_SIZE];

	memset(all, 0, sizeof(all));
	memcpy(all, info, sizeof(*info));
	return copy_to_user(addr, all, sizeof(all));
}

int siginfo_from_user(struct siginfo *info, u64 addr)
{
	u8 all[SIGINFO_USER_SIZE];
	size_t i;

	if (copy_from_user(all, addr, sizeof(all)))
		return -EFAULT;
	memcpy(info, all, sizeof(*info));
	/* what does not fit is not carried; Linux says so only for codes that it does not know */
	if (info->code != SI_USER && info->code != SI_QUEUE && info->code != SI_TIMER && info->code != SI_MESGQ &&
	    info->code != SI_ASYNCIO && info->code != SI_SIGIO && info->code != SI_TKILL && info->code != SI_KERNEL)
		for (i = sizeof(*info); i < sizeof(all); i++)
			if (all[i])
				return -E2BIG;
	return 0;
}

/* ---- life of the actions ---- */

struct sighand *sighand_alloc(void)
{
	struct sighand *s = kzalloc(sizeof(*s));

	if (s)
		ref_init(&s->ref);
	return s;
}

void sighand_put(struct sighand *s)
{
	if (s && ref_put(&s->ref))
		kfree(s);
}

int signal_prepare_exec(void)
{
	struct task *t = current;
	struct sighand *old = t->sighand, *new;

	if (ref_read(&old->ref) == 1)
		return 0;
	new = sighand_alloc();
	if (!new)
		return -ENOMEM;
	spin_lock(&t->process->siglock);
	spin_lock(&old->lock);
	memcpy(new->action, old->action, sizeof(new->action));
	spin_unlock(&old->lock);
	t->sighand = new;
	spin_unlock(&t->process->siglock);
	sighand_put(old);
	return 0;
}

void signal_inherit(struct task *t, sigset_t ignored, sigset_t blocked)
{
	int sig;

	for (sig = 1; sig <= NSIG; sig++)
		if (ignored & ~SIGSET_UNBLOCKABLE & SIGMASK(sig))
			t->sighand->action[sig - 1].handler = SIGACTION_IGN;
	t->blocked = blocked & ~SIGSET_UNBLOCKABLE;
}

void signal_exec(void)
{
	struct task *t = current;
	int i;

	spin_lock(&t->process->siglock);
	spin_lock(&t->sighand->lock);
	for (i = 0; i < NSIG; i++) {
		struct ksigaction *a = &t->sighand->action[i];

		*a = (struct ksigaction){ .handler = a->handler == SIGACTION_IGN ? SIGACTION_IGN : SIGACTION_DFL };
	}
	spin_unlock(&t->sighand->lock);
	spin_unlock(&t->process->siglock);
	itimers_exec();
	t->sas_sp = t->sas_size = 0;
	t->sas_flags = SS_DISABLE;
	t->fault_trapno = t->fault_err = t->fault_addr = 0;
}
