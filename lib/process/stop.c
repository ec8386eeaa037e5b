// SPDX-License-Identifier: MIT
/*
 * Group stops (job control). A stop signal's default action stops every thread of the process; the parent hears of it when the
 * last one stands. SIGCONT ends it at the moment it is sent (signal.c), the threads that wake up tell the parent.
 *
 * process->stop_active: a stop began and was not ended; task->work & WORK_STOP: this thread is still to stop;
 * process->group_stop_count: how many of those there are; process->stopped: none is left.
 */
#include "base/errno.h"
#include "process/internal.h"
#include "sched/wait.h"

static void fill_child_info(struct siginfo *info, struct process *p, int code, s32 status)
{
	struct task *leader = p->leader;

	*info = (struct siginfo){ .signo = SIGCHLD, .code = code };
	info->chld.pid = p->tgid;
	info->chld.uid = task_uid(leader);
	info->chld.status = status;
	info->chld.utime = ns_to_ticks(p->utime);
	info->chld.stime = ns_to_ticks(p->stime);
}

void signal_tell_stop(struct process *p)
{
	struct process *parent;
	u32 why;
	s32 status;
	struct wake_batch batch;
	struct siginfo info;

	wake_batch_begin(&batch);
	mutex_lock(&tasklist_lock);
	spin_lock(&p->siglock);
	why = p->cld_notify;
	p->cld_notify = 0;
	status = why == CLD_CONTINUED ? SIGCONT : (s32)p->stop_code;
	spin_unlock(&p->siglock);
	parent = p->parent;
	if (why && parent) {
		const struct ksigaction *action = &parent->leader->sighand->action[SIGCHLD - 1];

		if (READ_ONCE(action->handler) != SIGACTION_IGN && !(READ_ONCE(action->flags) & SA_NOCLDSTOP)) {
			fill_child_info(&info, p, (int)why, status);
			(void)send_signal_process(parent, SIGCHLD, &info);
		}
		wake_up_all(&parent->child_wait);
	}
	mutex_unlock(&tasklist_lock);
	wake_batch_end(&batch);
	if (why == CLD_STOPPED && p == first_process && first_process_stopped)
		first_process_stopped((u32)status);
}

/* siglock held: this thread stands. Return: true when it was the last one. */
static bool count_stopped(struct process *p)
{
	if (!(atomic_and(&current->work, ~(u32)WORK_STOP) & WORK_STOP))
		return false;
	if (!p->group_stop_count || --p->group_stop_count)
		return false;
	if (!p->stop_active)
		return false;
	p->stopped = true;
	p->continued = false;
	p->cld_notify = CLD_STOPPED;
	return true;
}

static bool must_move(struct process *p)
{
	bool ret;

	spin_lock(&p->siglock);
	ret = !p->stop_active || (load_relaxed(&current->work) & (WORK_STOP | WORK_EXIT));
	spin_unlock(&p->siglock);
	return ret;
}

/* siglock held; released here. Sleeps until SIGCONT or the end. */
static void stand(struct process *p)
{
	bool tell = count_stopped(p);

	for (;;) {
		spin_unlock(&p->siglock);
		if (tell)
			signal_tell_stop(p);
		(void)wait_event_killable(&p->stop_wait, must_move(p));
		spin_lock(&p->siglock);
		if (!p->stop_active || (load_relaxed(&current->work) & WORK_EXIT))
			break;
		/* continued and stopped again before it ran */
		tell = count_stopped(p);
	}
	tell = p->cld_notify != 0;
	spin_unlock(&p->siglock);
	if (tell)
		signal_tell_stop(p);
}

bool signal_stop_self(int sig)
{
	struct task *me = current, *t;
	struct process *p = me->process;

	if (!me->stop_dequeued || p->group_exit) {
		spin_unlock(&p->siglock);
		return false;
	}
	me->stop_dequeued = false;
	if (!p->stop_active) {
		p->stop_active = true;
		p->stop_code = (u32)sig;
		p->group_stop_count = 0;
		for_each_thread(p, t) {
			if (t->exiting)
				continue;
			p->group_stop_count++;
			if (t == me)
				atomic_or(&t->work, WORK_STOP);
			else
				task_set_work(t, WORK_STOP);
		}
	}
	stand(p);
	return true;
}

void signal_take_part(void)
{
	struct process *p = current->process;

	spin_lock(&p->siglock);
	if (load_relaxed(&current->work) & WORK_STOP)
		stand(p);
	else
		spin_unlock(&p->siglock);
}

void signal_join_stop(struct task *new)
{
	struct process *p = new->process;

	if (p->stop_active && !p->stopped) {
		atomic_or(&new->work, WORK_STOP);
		p->group_stop_count++;
	}
}

bool signal_thread_exit(void)
{
	struct task *me = current, *t;
	struct process *p = me->process;
	sigset_t shared;
	bool tell = false, last;

	spin_lock(&p->siglock);
	me->exiting = true;
	last = --p->nr_threads == 0;
	/* a shared signal that waited for this thread's attention goes to another */
	shared = p->shared_pending.set & ~me->blocked;
	if (shared && !p->group_exit)
		for_each_thread(p, t)
			if (t != me && !t->exiting && (shared & ~t->blocked))
				task_set_work(t, WORK_SIGNAL);
	if (load_relaxed(&me->work) & WORK_STOP)
		tell = count_stopped(p) && p->nr_threads;
	atomic_and(&me->work, ~(u32)(WORK_SIGNAL | WORK_STOP));
	spin_unlock(&p->siglock);
	if (tell)
		signal_tell_stop(p);
	return last;
}

bool signal_notify_parent(struct process *p)
{
	struct process *parent = p->parent;
	const struct ksigaction *action;
	struct siginfo info;
	u32 status = p->exit_code;
	int code = CLD_EXITED;
	bool autoreap = false;
	int sig = (int)p->exit_signal;

	if (!parent)
		return true;
	if (status & 0x7f)
		code = status & WAIT_COREDUMP ? CLD_DUMPED : CLD_KILLED;
	if (sig == SIGCHLD) {
		action = &parent->leader->sighand->action[SIGCHLD - 1];
		if (READ_ONCE(action->handler) == SIGACTION_IGN) {
			autoreap = true;
			sig = 0;
		} else if (READ_ONCE(action->flags) & SA_NOCLDWAIT) {
			autoreap = true;
		}
	}
	if (sig) {
		fill_child_info(&info, p, code, (s32)(status & 0x7f ? status & 0x7f : status >> 8 & 0xff));
		info.signo = sig;
		(void)send_signal_process(parent, sig, &info);
	}
	wake_up_all(&parent->child_wait);
	return autoreap;
}

bool pgrp_is_orphaned(s32 pgid)
{
	struct pid *pid;
	struct process *p;
	bool orphaned = true;

	mutex_lock(&tasklist_lock);
	pid = pid_find(pgid);
	if (pid)
		list_for_each(p, &pid->pgrp, pgrp_node)
			if (!p->zombie && process_connects(p, pgid))
				orphaned = false;
	mutex_unlock(&tasklist_lock);
	return orphaned;
}
