// SPDX-License-Identifier: MIT
/* Calls that send signals, and who may send them to whom: kill(2), tgkill(2), sigqueue(3), pidfd_send_signal(2). */
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/fork.h"

/* A sender needs the rights of kill(2), "For a process to have permission". Return: 0, -EINVAL, -EPERM */
static int check_kill(struct task *t, int sig)
{
	const struct cred *mine = current->cred;
	struct cred *c;
	bool same;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (t->process == current->process)
		return 0;
	c = task_cred_get(t);
	same = mine->euid == c->suid || mine->euid == c->uid || mine->uid == c->suid || mine->uid == c->uid;
	cred_put(c);
	if (same || cred_has_cap(mine, CAP_KILL))
		return 0;
	if (sig == SIGCONT && t->process->sid == current->process->sid)
		return 0;
	return -EPERM;
}

static long kill_task(struct task *t, int sig, const struct siginfo *info, bool group)
{
	long ret = check_kill(t, sig);

	if (ret || !sig)
		return ret;
	return group ? send_signal_process(t->process, sig, info) : send_signal_task(t, sig, info);
}

static long kill_pid(s32 pid, int sig, const struct siginfo *info)
{
	struct task *t = task_find_get(pid);
	long ret;

	if (!t)
		return -ESRCH;
	ret = kill_task(t, sig, info, true);
	task_put(t);
	return ret;
}

static long kill_pgrp(s32 pgid, int sig)
{
	struct process *p;
	struct pid *pid;
	long ret = -ESRCH, err;
	bool sent = false;

	mutex_lock(&tasklist_lock);
	pid = pid_find(pgid);
	if (pid) {
		list_for_each(p, &pid->pgrp, pgrp_node) {
			err = kill_task(p->leader, sig, SIGINFO_NONE, true);
			sent |= !err;
			ret = err;
		}
	}
	mutex_unlock(&tasklist_lock);
	return sent ? 0 : ret;
}

/* kill(-1): all but the first program and the caller's own process */
static long kill_everybody(int sig)
{
	struct process *p;
	long ret = -ESRCH, err;

	mutex_lock(&tasklist_lock);
	list_for_each(p, &process_list, pid_node) {
		if (p->tgid <= 1 || p == current->process)
			continue;
		err = kill_task(p->leader, sig, SIGINFO_NONE, true);
		if (ret == -ESRCH)
			ret = 0;
		if (err != -EPERM)
			ret = err;
	}
	mutex_unlock(&tasklist_lock);
	return ret;
}

SYSCALL_DEFINE(kill)
{
	s32 pid = (s32)a[0];
	int sig = (int)a[1];

	if (pid > 0)
		return kill_pid(pid, sig, SIGINFO_NONE);
	if (pid == -1)
		return kill_everybody(sig);
	if (pid == INT32_MIN)
		return -ESRCH;
	return kill_pgrp(pid ? -pid : current->process->pgid, sig);
}

static long kill_thread(s32 tgid, s32 tid, int sig, const struct siginfo *info)
{
	struct task *t = task_find_get(tid);
	long ret = -ESRCH;

	if (t && (tgid <= 0 || t->process->tgid == tgid))
		ret = kill_task(t, sig, info, false);
	task_put(t);
	return ret;
}

static void fill_tkill(struct siginfo *info)
{
	*info = (struct siginfo){ .code = SI_TKILL };
	info->rt.pid = current->process->tgid;
	info->rt.uid = current->cred->uid;
}

SYSCALL_DEFINE(tkill)
{
	struct siginfo info;

	if ((s32)a[0] <= 0)
		return -EINVAL;
	fill_tkill(&info);
	return kill_thread(0, (s32)a[0], (int)a[1], &info);
}

SYSCALL_DEFINE(tgkill)
{
	struct siginfo info;

	if ((s32)a[0] <= 0 || (s32)a[1] <= 0)
		return -EINVAL;
	fill_tkill(&info);
	return kill_thread((s32)a[0], (s32)a[1], (int)a[2], &info);
}

/* What claims to come from the kernel or from kill(2) may only be sent to oneself. */
static bool may_claim(const struct siginfo *info, const struct process *target)
{
	return target == current->process || (info->code < 0 && info->code != SI_TKILL);
}

SYSCALL_DEFINE(rt_sigqueueinfo)
{
	struct siginfo info;
	struct process *p;
	bool own = (s32)a[0] == current->process->tgid;
	int ret = siginfo_from_user(&info, a[2]);

	if (ret)
		return ret;
	info.signo = (s32)a[1];
	p = own ? current->process : NULL;
	if (!may_claim(&info, p))
		return -EPERM;
	return kill_pid((s32)a[0], (int)a[1], &info);
}

SYSCALL_DEFINE(rt_tgsigqueueinfo)
{
	struct siginfo info;
	int ret = siginfo_from_user(&info, a[3]);

	if (ret)
		return ret;
	if ((s32)a[0] <= 0 || (s32)a[1] <= 0)
		return -EINVAL;
	info.signo = (s32)a[2];
	if (!may_claim(&info, (s32)a[1] == current->tid ? current->process : NULL))
		return -EPERM;
	return kill_thread((s32)a[0], (s32)a[1], (int)a[2], &info);
}

SYSCALL_DEFINE(pidfd_send_signal)
{
	const struct siginfo *info = SIGINFO_NONE;
	struct siginfo user;
	struct process *p;
	struct task *t;
	long ret = -ESRCH;

	if ((u32)a[3])
		return -EINVAL;
	p = pidfd_process((int)a[0], NULL);
	if (IS_ERR(p))
		return PTR_ERR(p);
	if (a[2]) {
		ret = siginfo_from_user(&user, a[2]);
		if (!ret && user.signo != (int)a[1])
			ret = -EINVAL;
		if (!ret && !may_claim(&user, p))
			ret = -EPERM;
		if (ret)
			goto out;
		info = &user;
		ret = -ESRCH;
	}
	t = process_task_get(p);
	if (t)
		ret = kill_task(t, (int)a[1], info, true);
	task_put(t);
out:
	process_put(p);
	return ret;
}
