// SPDX-License-Identifier: MIT
/* Process groups and sessions: setpgid(2), setsid(2), credentials(7). */
#include "base/errno.h"
#include "process/internal.h"

/* tasklist_lock held */
static void move_to_group(struct process *p, struct pid *pgrp)
{
	if (p->pgrp == pgrp)
		return;
	pid_use(pgrp);
	list_del(&p->pgrp_node);
	list_add_tail(&p->pgrp_node, &pgrp->pgrp);
	pid_release(p->pgrp);
	p->pgrp = pgrp;
	p->pgid = pgrp->nr;
}

static long check_setpgid(struct process *p, s32 pgid, struct pid **pgrp)
{
	struct process *me = current->process, *member;
	struct pid *pid;

	if (p != me) {
		if (p->parent != me)
			return -ESRCH;
		if (p->sid != me->sid)
			return -EPERM;
		if (p->did_exec)
			return -EACCES;
	}
	if (p->session_leader)
		return -EPERM;
	*pgrp = p->pid;
	if (pgid == p->tgid)
		return 0;
	pid = pid_find(pgid);
	if (!pid || list_empty(&pid->pgrp))
		return -EPERM;
	member = list_first(&pid->pgrp, struct process, pgrp_node);
	if (member->sid != me->sid)
		return -EPERM;
	*pgrp = pid;
	return 0;
}

long process_setpgid(s32 pid, s32 pgid)
{
	struct process *me = current->process, *p = me;
	struct pid *entry, *pgrp;
	long ret;

	if (!pid)
		pid = me->tgid;
	if (!pgid)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
	mutex_lock(&tasklist_lock);
	if (pid != me->tgid) {
		entry = pid_find(pid);
		p = entry ? entry->process : NULL;
	}
	/* a thread's id is not a process: EINVAL, as Linux */
	if (!p) {
		entry = pid_find(pid);
		ret = entry && entry->task ? -EINVAL : -ESRCH;
	} else {
		ret = check_setpgid(p, pgid, &pgrp);
		if (!ret)
			move_to_group(p, pgrp);
	}
	mutex_unlock(&tasklist_lock);
	return ret;
}

long process_setsid(void)
{
	struct process *me = current->process;
	long ret = -EPERM;

	mutex_lock(&tasklist_lock);
	if (!me->session_leader && list_empty(&me->pid->pgrp)) {
		move_to_group(me, me->pid);
		pid_use(me->pid);
		list_del(&me->session_node);
		list_add_tail(&me->session_node, &me->pid->session);
		pid_release(me->session);
		me->session = me->pid;
		me->sid = me->tgid;
		me->session_leader = true;
		me->tty = NULL;
		ret = me->sid;
	}
	mutex_unlock(&tasklist_lock);
	return ret;
}
