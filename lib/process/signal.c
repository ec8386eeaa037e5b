// SPDX-License-Identifier: MIT
/* Sending signals: whom they reach, what they undo, whom they wake. Delivery is in deliver.c, stops in stop.c. */
#include "process/signal.h"

#include "base/errno.h"
#include "fs/file.h"
#include "process/cred.h"
#include "process/internal.h"
#include "sched/wait.h"

#define SIGNALFD_QUEUES	16u

static struct wait_queue signalfd_queues[SIGNALFD_QUEUES];

struct wait_queue *signalfd_queue(const struct process *p)
{
	return &signalfd_queues[((u64)p >> 8) % SIGNALFD_QUEUES];
}

static u64 handler_of(const struct task *t, int sig)
{
	return READ_ONCE(t->sighand->action[sig - 1].handler);
}

/* What has no effect is not queued, unless it is blocked: then the action may change before it is looked at. */
static bool is_ignored(const struct task *t, int sig)
{
	u64 handler;

	if ((t->blocked | t->real_blocked) & SIGMASK(sig))
		return false;
	handler = handler_of(t, sig);
	return handler == SIGACTION_IGN || (handler == SIGACTION_DFL && (SIGSET_IGNORE & SIGMASK(sig)));
}

static bool is_fatal(const struct task *t, int sig)
{
	return !((SIGSET_IGNORE | SIGSET_STOP) & SIGMASK(sig)) && handler_of(t, sig) == SIGACTION_DFL;
}

/*
 * A stop of a vfork child waits for its exec. The parent cannot stop before that, so whoever waits for the parent (a shell, whose
 * job got Ctrl-Z between vfork and exec) would never hear that anything stands, as happens on Linux.
 */
sigset_t signal_unblocked(const struct task *t)
{
	return ~t->blocked & ~(READ_ONCE(t->vfork_parent) ? SIGSET_STOP : 0);
}

bool signal_deliverable(struct task *t)
{
	return (t->pending.set | t->process->shared_pending.set) & signal_unblocked(t);
}

void signal_recalc(struct task *t)
{
	if (signal_deliverable(t)) {
		if (t == current)
			atomic_or(&t->work, WORK_SIGNAL);
		else
			task_set_work(t, WORK_SIGNAL);
	} else if (t == current) {
		atomic_and(&t->work, ~(u32)WORK_SIGNAL);
	}
}

static void wake_for_signal(struct task *t, u32 bits)
{
	if (t == current)
		atomic_or(&t->work, bits);
	else
		task_set_work(t, bits);
}

static void remove_everywhere(struct process *p, sigset_t mask, struct list *done)
{
	struct task *t;

	sigpending_remove(&p->shared_pending, mask, done);
	for_each_thread(p, t)
		sigpending_remove(&t->pending, mask, done);
}

/* SIGCONT: whatever its action, a stop ends, and one that is on its way is called off. */
static void continue_process(struct process *p)
{
	struct task *t;

	for_each_thread(p, t) {
		t->stop_dequeued = false;
		atomic_and(&t->work, ~(u32)WORK_STOP);
	}
	if (!p->stop_active)
		return;
	p->cld_notify = p->stopped ? CLD_CONTINUED : CLD_STOPPED;
	p->continued = true;
	p->stopped = false;
	p->stop_code = 0;
	p->stop_active = false;
	p->group_stop_count = 0;
	wake_up_all(&p->stop_wait);
}

/* What a signal does when it is sent. Return: false when it goes no further. */
static bool prepare_signal(struct process *p, struct task *t, int sig, struct list *done)
{
	if (p->dying)
		return false;
	if (SIGSET_STOP & SIGMASK(sig)) {
		remove_everywhere(p, SIGMASK(SIGCONT), done);
	} else if (sig == SIGCONT) {
		remove_everywhere(p, SIGSET_STOP, done);
		continue_process(p);
	}
	return !is_ignored(t, sig);
}

void signal_group_exit_locked(struct process *p, struct task *except)
{
	struct task *t;

	p->group_exit = true;
	p->stop_active = p->stopped = false;
	p->group_stop_count = 0;
	p->cld_notify = 0;
	for_each_thread(p, t) {
		atomic_and(&t->work, ~(u32)WORK_STOP);
		if (t != except && !t->exiting)
			wake_for_signal(t, WORK_EXIT);
	}
	wake_up_all(&p->stop_wait);
}

/* A thread that can take the signal at once. SIGKILL goes to any. */
static bool wants_signal(struct task *t, int sig)
{
	if (t->exiting || (t->blocked & SIGMASK(sig)))
		return false;
	if (sig == SIGKILL)
		return true;
	if (t->process->stop_active && !(load_relaxed(&t->work) & WORK_STOP))
		return false;	/* it is stopped */
	return t == current || !(load_relaxed(&t->work) & WORK_SIGNAL);
}

static struct task *choose_thread(struct process *p, struct task *preferred, int sig, bool group)
{
	struct task *t;

	if (wants_signal(preferred, sig))
		return preferred;
	if (group)
		for_each_thread(p, t)
			if (wants_signal(t, sig))
				return t;
	return NULL;
}

static void complete_signal(struct process *p, struct task *t, int sig, bool group)
{
	struct task *chosen = choose_thread(p, t, sig, group);

	/* nobody is ready: who unblocks it, or has dealt with another signal, looks for it */
	if (!chosen)
		return;
	if (is_fatal(chosen, sig) && !(chosen->real_blocked & SIGMASK(sig)) &&
	    (sig == SIGKILL || !(SIGSET_CORE & SIGMASK(sig)))) {
		p->dying = true;
		p->exit_code = (u32)sig;
		signal_group_exit_locked(p, NULL);
		return;
	}
	wake_for_signal(chosen, WORK_SIGNAL);
}

static void fill_info(struct siginfo *to, int sig, const struct siginfo *info)
{
	if (info == SIGINFO_NONE) {
		*to = (struct siginfo){ .code = SI_USER };
		to->rt.pid = current->process->tgid;
		to->rt.uid = current->cred->uid;
	} else if (info == SIGINFO_KERNEL) {
		*to = (struct siginfo){ .code = SI_KERNEL };
	} else {
		*to = *info;
	}
	to->signo = sig;
}

/* siglock held. Takes *@q when it queues it. */
static int send_locked(struct process *p, struct task *t, int sig, const struct siginfo *info, bool group,
		       struct sigqueue **q, struct list *done)
{
	struct sigpending *pending = group ? &p->shared_pending : &t->pending;

	if (!prepare_signal(p, t, sig, done))
		return 0;
	if (sig < SIG_RTMIN && (pending->set & SIGMASK(sig)))
		return 0;		/* standard signals do not queue */
	if (*q) {
		fill_info(&(*q)->info, sig, info);
		list_add_tail(&(*q)->node, &pending->queue);
		*q = NULL;
	} else if (sig >= SIG_RTMIN && info != SIGINFO_NONE && info != SIGINFO_KERNEL && info->code != SI_USER) {
		return -EAGAIN;		/* its value would be lost: sigqueue(3) wants to know */
	}
	pending->set |= SIGMASK(sig);
	complete_signal(p, t, sig, group);
	return 0;
}

static int send(struct process *p, struct task *t, int sig, const struct siginfo *info, bool group)
{
	bool kernel = info == SIGINFO_KERNEL || (info != SIGINFO_NONE && info->code >= 0);
	struct sigqueue *q = NULL;
	LIST_HEAD(done);
	int ret = 0;

	/* nobody ever looks at what SIGKILL has to say */
	if (sig != SIGKILL)
		q = sigqueue_alloc(t, sig < SIG_RTMIN && (kernel || info == SIGINFO_NONE));
	spin_lock(&p->siglock);
	if (group || !t->exiting)
		ret = send_locked(p, t, sig, info, group, &q, &done);
	spin_unlock(&p->siglock);
	wake_up_poll(signalfd_queue(p), POLLIN);
	sigqueue_free(q);
	sigqueue_free_list(&done);
	return ret;
}

int send_signal_task(struct task *t, int sig, const struct siginfo *info)
{
	if (t->kthread)
		return 0;
	return send(t->process, t, sig, info, false);
}

int send_signal_process(struct process *p, int sig, const struct siginfo *info)
{
	struct task *t = process_task_get(p);
	int ret;

	if (!t)
		return 0;
	ret = send(p, t, sig, info, true);
	task_put(t);
	return ret;
}

int send_signal_pgrp_locked(s32 pgid, int sig, const struct siginfo *info)
{
	struct pid *pid = pid_find(pgid);
	struct process *p;
	int ret = -ESRCH;

	if (!pid)
		return ret;
	list_for_each(p, &pid->pgrp, pgrp_node) {
		int err = send_signal_process(p, sig, info);

		if (ret)
			ret = err;
	}
	return ret;
}

int send_signal_pgrp(s32 pgid, int sig, const struct siginfo *info)
{
	int ret;

	mutex_lock(&tasklist_lock);
	ret = send_signal_pgrp_locked(pgid, sig, info);
	mutex_unlock(&tasklist_lock);
	return ret;
}

void signal_self(int sig)
{
	(void)send_signal_task(current, sig, SIGINFO_NONE);
}

static void force(int sig, const struct siginfo *info, bool to_default)
{
	struct task *t = current;
	struct process *p = t->process;
	struct ksigaction *action = &t->sighand->action[sig - 1];
	struct sigqueue *q = sigqueue_alloc(t, true);
	bool blocked;
	LIST_HEAD(done);

	spin_lock(&p->siglock);
	blocked = t->blocked & SIGMASK(sig);
	if (blocked || to_default || action->handler == SIGACTION_IGN) {
		spin_lock(&t->sighand->lock);
		action->handler = SIGACTION_DFL;
		spin_unlock(&t->sighand->lock);
	}
	if (blocked)
		t->blocked &= ~SIGMASK(sig);
	(void)send_locked(p, t, sig, info, false, &q, &done);
	signal_recalc(t);
	spin_unlock(&p->siglock);
	sigqueue_free(q);
	sigqueue_free_list(&done);
}

void force_signal(int sig, int code, u64 addr)
{
	struct siginfo info = { .code = code };

	info.fault.addr = addr;
	force(sig, &info, false);
}

void force_fatal_signal(int sig)
{
	force(sig, SIGINFO_KERNEL, true);
}

static int send_prealloc(struct sigqueue *q, struct process *p, struct task *t, bool group)
{
	struct sigpending *pending = group ? &p->shared_pending : &t->pending;
	struct process *old = NULL;
	int sig = q->info.signo, ret = 1;
	s32 periods = max(q->expirations, 1);
	LIST_HEAD(done);

	process_get(p);
	spin_lock(&p->siglock);
	if (!list_empty(&q->node)) {
		/* it waits to be taken; how many it stands for is all there is to say */
		if (__builtin_add_overflow(q->info.timer.overrun, periods, &q->info.timer.overrun))
			q->info.timer.overrun = INT32_MAX;
		old = p;
		goto out;
	}
	old = q->process;
	q->process = p;
	q->info.timer.overrun = periods - 1;
	if ((!group && t->exiting) || !prepare_signal(p, t, sig, &done))
		goto out;
	list_add_tail(&q->node, &pending->queue);
	pending->set |= SIGMASK(sig);
	complete_signal(p, t, sig, group);
	ret = 0;
out:
	spin_unlock(&p->siglock);
	process_put(old);
	if (!ret)
		wake_up_poll(signalfd_queue(p), POLLIN);
	sigqueue_free_list(&done);
	return ret;
}

int send_sigqueue_task(struct sigqueue *q, struct task *t)
{
	return send_prealloc(q, t->process, t, false);
}

int send_sigqueue_process(struct sigqueue *q, struct process *p)
{
	struct task *t = process_task_get(p);
	int ret;

	if (!t)
		return 1;
	ret = send_prealloc(q, p, t, true);
	task_put(t);
	return ret;
}
