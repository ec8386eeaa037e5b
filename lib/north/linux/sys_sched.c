// SPDX-License-Identifier: MIT
/*
 * Scheduling as a container sees it: sched(7). The host schedules; what a program sets is checked, kept and told again. Real-time
 * policies need CAP_SYS_NICE, which nobody inside has, or RLIMIT_RTPRIO.
 */
#include "base/string.h"
#include "mm/uaccess.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/pid.h"
#include "south/south.h"

#define SCHED_OTHER		0
#define SCHED_FIFO		1
#define SCHED_RR		2
#define SCHED_BATCH		3
#define SCHED_IDLE		5
#define SCHED_DEADLINE		6
#define SCHED_RESET_ON_FORK	0x40000000

#define RT_PRIO_MAX		99
#define RR_INTERVAL_NS		100000000

static bool policy_realtime(int policy) { return policy == SCHED_FIFO || policy == SCHED_RR; }

static bool policy_known(int policy)
{
	return policy_realtime(policy) || policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

/* sched_task() - the task that @pid means, with a reference; 0 is the caller */
static struct task *sched_task(s32 pid)
{
	if (!pid) {
		task_get(current);
		return current;
	}
	return task_find_get(pid);
}

/* The rule of sched_setscheduler(2): the caller's effective uid is the target's real or effective one. */
static bool may_schedule(struct task *t)
{
	struct cred *c = task_cred_get(t);
	bool ok = current->cred->euid == c->euid || current->cred->euid == c->uid || capable(CAP_SYS_NICE);

	cred_put(c);
	return ok;
}

SYSCALL_DEFINE(sched_yield)
{
	/* Giving the processor away is the host's business: a short nap would cost more than it gives. */
	return 0;
}

static long set_policy(s32 pid, int policy, s32 prio, s32 nice)
{
	struct task *t;
	long ret = 0;

	if (pid < 0)
		return -EINVAL;
	t = sched_task(pid);
	if (!t)
		return -ESRCH;
	if (policy < 0)
		policy = t->policy;
	policy &= ~SCHED_RESET_ON_FORK;
	if (!policy_known(policy) || (policy_realtime(policy) ? prio < 1 || prio > RT_PRIO_MAX : prio != 0))
		ret = -EINVAL;
	else if (!may_schedule(t))
		ret = -EPERM;
	else if (policy_realtime(policy) && !capable(CAP_SYS_NICE) &&
		 (policy != t->policy || prio > t->rt_priority) && (u64)prio > rlimit(RLIM_RTPRIO))
		ret = -EPERM;
	if (!ret) {
		t->policy = policy;
		t->rt_priority = prio;
		if (nice != INT32_MIN)
			t->nice = nice;
	}
	task_put(t);
	return ret;
}

SYSCALL_DEFINE(sched_setscheduler)
{
	s32 prio;

	if ((int)a[1] < 0)
		return -EINVAL;
	if (!a[2])
		return -EINVAL;
	if (get_user(prio, a[2]))
		return -EFAULT;
	return set_policy((s32)a[0], (int)a[1], prio, INT32_MIN);
}

SYSCALL_DEFINE(sched_setparam)
{
	s32 prio;

	if (!a[1])
		return -EINVAL;
	if (get_user(prio, a[1]))
		return -EFAULT;
	return set_policy((s32)a[0], -1, prio, INT32_MIN);
}

SYSCALL_DEFINE(sched_getscheduler)
{
	struct task *t = (s32)a[0] < 0 ? NULL : sched_task((s32)a[0]);
	long ret;

	if (!t)
		return (s32)a[0] < 0 ? -EINVAL : -ESRCH;
	ret = t->policy;
	task_put(t);
	return ret;
}

SYSCALL_DEFINE(sched_getparam)
{
	struct task *t;
	s32 prio;

	if (!a[1] || (s32)a[0] < 0)
		return -EINVAL;
	t = sched_task((s32)a[0]);
	if (!t)
		return -ESRCH;
	prio = policy_realtime(t->policy) ? t->rt_priority : 0;
	task_put(t);
	return put_user(prio, a[1]);
}

SYSCALL_DEFINE(sched_get_priority_max)
{
	int policy = (int)a[0];

	if (policy_realtime(policy))
		return RT_PRIO_MAX;
	return policy_known(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

SYSCALL_DEFINE(sched_get_priority_min)
{
	int policy = (int)a[0];

	if (policy_realtime(policy))
		return 1;
	return policy_known(policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

SYSCALL_DEFINE(sched_rr_get_interval)
{
	struct linux_timespec ts = { 0, 0 };
	struct task *t;

	if ((s32)a[0] < 0)
		return -EINVAL;
	t = sched_task((s32)a[0]);
	if (!t)
		return -ESRCH;
	if (t->policy == SCHED_RR)
		ts.nsec = RR_INTERVAL_NS;
	else if (t->policy != SCHED_FIFO)
		ts.nsec = 4000000;
	task_put(t);
	return put_user(ts, a[1]);
}

/* struct sched_attr, version 0; later versions begin with it */
struct linux_sched_attr {
	u32 size, policy;
	u64 flags;
	s32 nice;
	u32 priority;
	u64 runtime, deadline, period;
};
#define SCHED_ATTR_SIZE_VER0	48
_Static_assert(sizeof(struct linux_sched_attr) == SCHED_ATTR_SIZE_VER0, "struct sched_attr");

SYSCALL_DEFINE(sched_setattr)
{
	struct linux_sched_attr at;
	u32 size;

	if (!a[1] || (s32)a[0] < 0 || (u32)a[2])
		return -EINVAL;
	if (get_user(size, a[1]))
		return -EFAULT;
	if (size && size < SCHED_ATTR_SIZE_VER0)
		return -E2BIG;
	if (get_user(at, a[1]))
		return -EFAULT;
	if (at.policy == SCHED_DEADLINE)
		return -EPERM;
	if (at.flags & ~0x7full)
		return -EINVAL;
	return set_policy((s32)a[0], (int)at.policy, (s32)at.priority, max(-20, min(19, at.nice)));
}

SYSCALL_DEFINE(sched_getattr)
{
	u32 size = (u32)a[2];
	struct linux_sched_attr at = { .size = SCHED_ATTR_SIZE_VER0 };
	struct task *t;

	if (!a[1] || (s32)a[0] < 0 || size < SCHED_ATTR_SIZE_VER0 || size > PAGE_SIZE || (u32)a[3])
		return -EINVAL;
	t = sched_task((s32)a[0]);
	if (!t)
		return -ESRCH;
	at.policy = (u32)t->policy;
	at.nice = t->nice;
	at.priority = policy_realtime(t->policy) ? (u32)t->rt_priority : 0;
	task_put(t);
	return put_user(at, a[1]);
}

/* The processors that are there, as bits. */
static void cpus_mask(u64 *mask, u32 words)
{
	u32 n = machine->nr_cpus();

	memset(mask, 0, words * sizeof(u64));
	for (u32 i = 0; i < n && i < words * 64; i++)
		mask[i / 64] |= 1ull << i % 64;
}

SYSCALL_DEFINE(sched_setaffinity)
{
	struct task *t = current;
	u64 mask[ARRAY_SIZE(t->affinity)] = { 0 }, there[ARRAY_SIZE(t->affinity)];
	size_t len = min_t(u64, (u32)a[1], sizeof(mask));
	bool any = false;
	long ret = 0;

	if (copy_from_user(mask, a[2], len))
		return -EFAULT;
	t = (s32)a[0] < 0 ? NULL : sched_task((s32)a[0]);
	if (!t)
		return -ESRCH;
	cpus_mask(there, ARRAY_SIZE(there));
	for (u32 i = 0; i < ARRAY_SIZE(mask); i++)
		any |= (mask[i] & there[i]) != 0;
	if (!may_schedule(t))
		ret = -EPERM;
	else if (!any)
		ret = -EINVAL;
	else
		memcpy(t->affinity, mask, sizeof(mask));
	task_put(t);
	return ret;
}

SYSCALL_DEFINE(sched_getaffinity)
{
	struct task *t;
	u64 mask[ARRAY_SIZE(t->affinity)], there[ARRAY_SIZE(t->affinity)];
	u32 n = machine->nr_cpus(), len = (u32)a[1];
	size_t bytes = ALIGN_UP(DIV_ROUND_UP(n, 8u), 8u);

	if (len < bytes || len % 8)
		return -EINVAL;
	t = (s32)a[0] < 0 ? NULL : sched_task((s32)a[0]);
	if (!t)
		return -ESRCH;
	cpus_mask(there, ARRAY_SIZE(there));
	for (u32 i = 0; i < ARRAY_SIZE(mask); i++)
		mask[i] = t->affinity[i] & there[i];
	task_put(t);
	return copy_to_user(a[2], mask, bytes) ? -EFAULT : (long)bytes;
}

SYSCALL_DEFINE(getcpu)
{
	u32 cpu = machine->cpu_nr(), node = 0;

	if (a[0] && put_user(cpu, a[0]))
		return -EFAULT;
	if (a[1] && put_user(node, a[1]))
		return -EFAULT;
	return 0;
}
