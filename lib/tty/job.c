// SPDX-License-Identifier: MIT
/* Controlling terminals: sessions, foreground groups, who may read and write, hangups. */
#include "tty/tty.h"

#include "process/internal.h"
#include "tty/termios.h"

/* ---- tasklist_lock held ---- */

static void set_pid(struct pid **where, struct pid *pid)
{
	if (pid)
		pid_use(pid);
	if (*where)
		pid_release(*where);
	*where = pid;
}

static void take_terminal(struct tty *t)
{
	struct process *me = current->process;

	set_pid(&t->session, me->session);
	set_pid(&t->pgrp, me->pgrp);
	me->tty = t;
}

static void forget_locked(struct tty *t)
{
	struct process *p;

	list_for_each(p, &process_list, pid_node)
		if (p->tty == t)
			p->tty = NULL;
}

/* ---- */

void tty_forget_sessions(struct tty *t)
{
	mutex_lock(&tasklist_lock);
	forget_locked(t);
	mutex_unlock(&tasklist_lock);
}

struct tty *tty_current(void)
{
	struct tty *t;

	mutex_lock(&tasklist_lock);
	t = current->process->tty;
	if (t)
		tty_get(t);
	mutex_unlock(&tasklist_lock);
	return t;
}

void tty_signal_pgrp(struct tty *t, int sig)
{
	mutex_lock(&tasklist_lock);
	if (t->pgrp)
		(void)send_signal_pgrp_locked(t->pgrp->nr, sig, SIGINFO_KERNEL);
	mutex_unlock(&tasklist_lock);
}

int tty_check_change(struct tty *t, int sig)
{
	struct process *me = current->process;
	bool background;
	s32 pgid;

	mutex_lock(&tasklist_lock);
	background = me->tty == t && t->pgrp && t->pgrp != me->pgrp;
	pgid = me->pgid;
	mutex_unlock(&tasklist_lock);
	if (!background)
		return 0;
	if (signal_is_ignored(sig))
		return sig == SIGTTIN ? -EIO : 0;
	/* nobody could continue it; the same for the first program when its runner takes no part in job control */
	if (pgrp_is_orphaned(pgid) || (me == first_process && !first_process_stopped))
		return -EIO;
	(void)send_signal_pgrp(pgid, sig, SIGINFO_KERNEL);
	return -ERESTARTSYS;
}

void tty_open_controlling(struct tty *t, struct file *f)
{
	struct process *me = current->process;

	if ((f->flags & O_NOCTTY) || !(f->mode & FMODE_READ))
		return;
	mutex_lock(&tasklist_lock);
	if (me->session_leader && !me->tty && !t->session)
		take_terminal(t);
	mutex_unlock(&tasklist_lock);
}

long tty_set_controlling(struct tty *t, struct file *f, u64 arg)
{
	struct process *me = current->process;
	bool admin = capable(CAP_SYS_ADMIN);
	long ret = 0;

	mutex_lock(&tasklist_lock);
	if (me->session_leader && me->session == t->session) {
		mutex_unlock(&tasklist_lock);
		return 0;
	}
	if (!me->session_leader || me->tty)
		ret = -EPERM;
	else if (t->session && !(arg == 1 && admin))
		ret = -EPERM;
	else if (!(f->mode & FMODE_READ) && !admin)
		ret = -EPERM;
	if (!ret) {
		if (t->session)
			forget_locked(t);
		take_terminal(t);
	}
	mutex_unlock(&tasklist_lock);
	return ret;
}

/* The leader of its session lets go of it: so does the session. @exiting: SIGHUP only, as Linux does for ptys */
static void disassociate(struct tty *t, bool exiting)
{
	mutex_lock(&tasklist_lock);
	if (t->pgrp) {
		(void)send_signal_pgrp_locked(t->pgrp->nr, SIGHUP, SIGINFO_KERNEL);
		if (!exiting)
			(void)send_signal_pgrp_locked(t->pgrp->nr, SIGCONT, SIGINFO_KERNEL);
	}
	set_pid(&t->session, NULL);
	set_pid(&t->pgrp, NULL);
	forget_locked(t);
	mutex_unlock(&tasklist_lock);
}

long tty_give_up(struct tty *t)
{
	struct process *me = current->process;
	bool mine;

	mutex_lock(&tasklist_lock);
	mine = me->tty == t;
	if (mine && !me->session_leader)
		me->tty = NULL;
	mutex_unlock(&tasklist_lock);
	if (!mine)
		return -ENOTTY;
	if (me->session_leader)
		disassociate(t, false);
	return 0;
}

void tty_take(struct tty *t)
{
	mutex_lock(&tasklist_lock);
	take_terminal(t);
	mutex_unlock(&tasklist_lock);
}

static void leader_exit(struct process *leader __unused)
{
	struct tty *t = tty_current();

	if (!t)
		return;
	if (t->is_pty)
		disassociate(t, true);
	else
		tty_hangup(t);
	tty_put(t);
}

void tty_hangup(struct tty *t)
{
	struct process *p;

	mutex_lock(&t->lock);
	t->generation++;
	n_tty_flush_input(t);
	echo_forget(t);
	t->stopped = t->tco_stopped = false;
	mutex_unlock(&t->lock);

	mutex_lock(&tasklist_lock);
	if (t->session)
		list_for_each(p, &t->session->session, session_node) {
			if (!p->session_leader || p->tty != t)
				continue;
			(void)send_signal_process(p, SIGHUP, SIGINFO_KERNEL);
			(void)send_signal_process(p, SIGCONT, SIGINFO_KERNEL);
			/* whoever is in the foreground as well, when it is the leader that ends */
			if (p == current->process && t->pgrp)
				(void)send_signal_pgrp_locked(t->pgrp->nr, SIGHUP, SIGINFO_KERNEL);
		}
	forget_locked(t);
	set_pid(&t->session, NULL);
	set_pid(&t->pgrp, NULL);
	mutex_unlock(&tasklist_lock);
	wake_up_poll(&t->read_wait, POLLHUP);
	wake_up_poll(&t->write_wait, POLLHUP);
	wake_up_poll(&t->master_wait, POLLHUP);
}

/* ---- ioctls ---- */

long tty_get_pgrp(struct tty *t, bool master, u64 arg)
{
	s32 pgid;

	mutex_lock(&tasklist_lock);
	pgid = t->pgrp ? t->pgrp->nr : 0;
	if (!master && current->process->tty != t)
		pgid = -ENOTTY;
	mutex_unlock(&tasklist_lock);
	return pgid < 0 ? pgid : put_user(pgid, arg);
}

long tty_get_session(struct tty *t, bool master, u64 arg)
{
	s32 sid;

	mutex_lock(&tasklist_lock);
	sid = t->session ? t->session->nr : -ENOTTY;
	if (!master && current->process->tty != t)
		sid = -ENOTTY;
	mutex_unlock(&tasklist_lock);
	return sid < 0 ? sid : put_user(sid, arg);
}

long tty_set_pgrp(struct tty *t, u64 arg)
{
	struct process *me = current->process;
	struct pid *pid;
	long ret = tty_check_change(t, SIGTTOU);
	s32 pgid;

	if (ret)
		return ret == -EIO ? -ENOTTY : ret;
	if (get_user(pgid, arg))
		return -EFAULT;
	if (pgid < 0)
		return -EINVAL;
	mutex_lock(&tasklist_lock);
	pid = pid_find(pgid);
	if (me->tty != t || t->session != me->session)
		ret = -ENOTTY;
	else if (!pid)
		ret = -ESRCH;
	else if (list_empty(&pid->pgrp) || list_first(&pid->pgrp, struct process, pgrp_node)->session != me->session)
		ret = -EPERM;
	else
		set_pid(&t->pgrp, pid);
	mutex_unlock(&tasklist_lock);
	return ret;
}

void tty_job_init(void)
{
	session_leader_exit = leader_exit;
}
