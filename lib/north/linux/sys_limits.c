// SPDX-License-Identifier: MIT
/* getrlimit(2), getrusage(2), times(2), getpriority(2). */
#include "mm/uaccess.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/fork.h"
#include "process/itimer.h"
#include "process/limits.h"

#define NR_OPEN_MAX	1048576		/* /proc/sys/fs/nr_open */

static void get_limit(struct process *p, u32 which, struct rlimit64 *old)
{
	mutex_lock(&p->lock);
	*old = p->rlim[which];
	mutex_unlock(&p->lock);
}

static long set_limit(struct process *p, u32 which, const struct rlimit64 *new)
{
	long ret = 0;

	if (new->cur > new->max)
		return -EINVAL;
	if (which == RLIM_NOFILE && new->max > NR_OPEN_MAX)
		return -EPERM;
	mutex_lock(&p->lock);
	if (new->max > p->rlim[which].max && !capable(CAP_SYS_RESOURCE))
		ret = -EPERM;
	else
		p->rlim[which] = *new;
	mutex_unlock(&p->lock);
	if (!ret && which == RLIM_CPU)
		itimers_cpu_limit(p);
	return ret;
}

SYSCALL_DEFINE(getrlimit)
{
	struct rlimit64 old;

	if ((u32)a[0] >= RLIM_NLIMITS)
		return -EINVAL;
	get_limit(current->process, (u32)a[0], &old);
	return put_user(old, a[1]);
}

SYSCALL_DEFINE(setrlimit)
{
	struct rlimit64 new;

	if (get_user(new, a[1]))
		return -EFAULT;
	if ((u32)a[0] >= RLIM_NLIMITS)
		return -EINVAL;
	return set_limit(current->process, (u32)a[0], &new);
}

/* prlimit(2): all of the target's ids must be the caller's real ones */
static bool may_limit(struct task *t)
{
	const struct cred *mine = current->cred;
	struct cred *c;
	bool same;

	if (t == current)
		return true;
	c = task_cred_get(t);
	same = mine->uid == c->euid && mine->uid == c->suid && mine->uid == c->uid &&
	       mine->gid == c->egid && mine->gid == c->sgid && mine->gid == c->gid;
	cred_put(c);
	return same || capable(CAP_SYS_RESOURCE);
}

SYSCALL_DEFINE(prlimit64)
{
	u32 which = (u32)a[1];
	struct rlimit64 new, old;
	struct task *t;
	long ret;

	if (a[2] && get_user(new, a[2]))
		return -EFAULT;
	t = task_find_get((s32)a[0] ? (s32)a[0] : current->tid);
	if (!t)
		return -ESRCH;
	ret = may_limit(t) ? 0 : -EPERM;
	if (!ret && which >= RLIM_NLIMITS)
		ret = -EINVAL;
	if (!ret) {
		get_limit(t->process, which, &old);
		if (a[2])
			ret = set_limit(t->process, which, &new);
	}
	task_put(t);
	return !ret && a[3] && put_user(old, a[3]) ? -EFAULT : ret;
}

#define RUSAGE_SELF	0
#define RUSAGE_CHILDREN	(-1)
#define RUSAGE_THREAD	1

SYSCALL_DEFINE(getrusage)
{
	struct rusage_times u;
	struct linux_rusage r;

	switch ((s32)a[0]) {
	case RUSAGE_SELF:
		process_usage(current->process, &u);
		break;
	case RUSAGE_CHILDREN:
		children_usage(current->process, &u);
		break;
	case RUSAGE_THREAD:
		task_usage(current, &u);
		break;
	default:
		return -EINVAL;
	}
	rusage_to_linux(&u, &r);
	return put_user(r, a[1]);
}

SYSCALL_DEFINE(times)
{
	struct rusage_times own, children;
	s64 ticks[4];

	if (a[0]) {
		process_usage(current->process, &own);
		children_usage(current->process, &children);
		ticks[0] = ns_to_ticks(own.utime);
		ticks[1] = ns_to_ticks(own.stime);
		ticks[2] = ns_to_ticks(children.utime);
		ticks[3] = ns_to_ticks(children.stime);
		if (copy_to_user(a[0], ticks, sizeof(ticks)))
			return -EFAULT;
	}
	return ns_to_ticks(clock_monotonic());
}
