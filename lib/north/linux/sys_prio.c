// SPDX-License-Identifier: MIT
/*
 * Priorities: getpriority(2), setpriority(2), ioprio_get(2), ioprio_set(2). Kept, inherited and answered; how tasks share processors
 * and disks is the host's business.
 */
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/pid.h"

#define PRIO_PROCESS	0
#define PRIO_PGRP	1
#define PRIO_USER	2
#define NICE_MIN	(-20)
#define NICE_MAX	19

/* A priority of I/O: class << 13 | level */
#define IOPRIO_NONE		0
#define IOPRIO_RT		1
#define IOPRIO_BE		2
#define IOPRIO_IDLE		3
#define IOPRIO_LEVELS		8
#define IOPRIO_VALUE(c, l)	((c) << 13 | (l))
#define IOPRIO_CLASS(prio)	((prio) >> 13)
#define IOPRIO_LEVEL(prio)	((prio) & (IOPRIO_LEVELS - 1))

struct prio_walk {
	u32 which;		/* PRIO_*; ioprio's numbers are one higher */
	s32 who;
	void (*one)(struct prio_walk *w, struct task *t);
	s32 value;		/* to set, or the best found */
	long ret;		/* -ESRCH until one was found */
};

static void prio_process(struct prio_walk *w, struct process *p)
{
	struct task *t;

	for_each_thread(p, t)
		if (!t->dead && (w->which != PRIO_USER || task_uid(t) == (u32)w->who))
			w->one(w, t);
}

static long prio_walk(struct prio_walk *w)
{
	struct process *p;
	struct task *t;

	if (w->which > PRIO_USER)
		return -EINVAL;
	w->ret = -ESRCH;
	if (w->which == PRIO_PROCESS) {
		t = task_find_get(w->who ? w->who : current->tid);
		if (t)
			w->one(w, t);
		task_put(t);
		return w->ret;
	}
	if (!w->who)
		w->who = w->which == PRIO_PGRP ? current->process->pgid : (s32)current->cred->uid;
	mutex_lock(&tasklist_lock);
	list_for_each(p, &process_list, pid_node)
		if (w->which == PRIO_USER || p->pgid == w->who)
			prio_process(w, p);
	mutex_unlock(&tasklist_lock);
	return w->ret;
}

/* An error of one stays the answer, whatever the others say. */
static void prio_result(struct prio_walk *w, long ret)
{
	if (ret || w->ret == -ESRCH)
		w->ret = ret;
}

static long may_set_nice(struct task *t, s32 nice)
{
	const struct cred *mine = current->cred;
	struct cred *c = task_cred_get(t);
	bool same = mine->euid == c->uid || mine->euid == c->euid;

	cred_put(c);
	if (!same && !capable(CAP_SYS_NICE))
		return -EPERM;
	/* RLIMIT_NICE counts from 20 down: 1 is nice 19, 40 is nice -20 */
	if (nice < t->nice && (u64)(20 - nice) > load_relaxed(&t->process->rlim[RLIM_NICE].cur) && !capable(CAP_SYS_NICE))
		return -EACCES;
	return 0;
}

static void set_nice(struct prio_walk *w, struct task *t)
{
	long ret = may_set_nice(t, w->value);

	if (!ret)
		t->nice = w->value;
	prio_result(w, ret);
}

static void get_nice(struct prio_walk *w, struct task *t)
{
	if (w->ret == -ESRCH || t->nice < w->value)
		w->value = t->nice;
	w->ret = 0;
}

SYSCALL_DEFINE(getpriority)
{
	struct prio_walk w = { .which = (u32)a[0], .who = (s32)a[1], .one = get_nice };
	long ret = prio_walk(&w);

	return ret ? ret : 20 - w.value;
}

SYSCALL_DEFINE(setpriority)
{
	s32 nice = (s32)a[2];
	struct prio_walk w = { .which = (u32)a[0], .who = (s32)a[1], .one = set_nice };

	w.value = nice < NICE_MIN ? NICE_MIN : nice > NICE_MAX ? NICE_MAX : nice;
	return prio_walk(&w);
}

static void set_ioprio(struct prio_walk *w, struct task *t)
{
	const struct cred *mine = current->cred;
	struct cred *c = task_cred_get(t);
	bool may = c->uid == mine->euid || c->uid == mine->uid || capable(CAP_SYS_NICE);

	cred_put(c);
	if (may)
		t->ioprio = (u16)w->value;
	prio_result(w, may ? 0 : -EPERM);
}

/* Of several, the best of those that they have by their nice values when none was set. */
static void get_ioprio(struct prio_walk *w, struct task *t)
{
	s32 prio = t->ioprio;

	if (w->which != PRIO_PROCESS && IOPRIO_CLASS(prio) == IOPRIO_NONE)
		prio = IOPRIO_VALUE(IOPRIO_BE, (t->nice + 20) / 5);
	if (w->ret == -ESRCH || prio < w->value)
		w->value = prio;
	w->ret = 0;
}

static int check_ioprio(s32 prio)
{
	switch (IOPRIO_CLASS(prio)) {
	case IOPRIO_RT:
		return capable(CAP_SYS_ADMIN) || capable(CAP_SYS_NICE) ? 0 : -EPERM;
	case IOPRIO_BE:
	case IOPRIO_IDLE:
		return 0;
	case IOPRIO_NONE:
		return IOPRIO_LEVEL(prio) ? -EINVAL : 0;
	}
	return -EINVAL;
}

SYSCALL_DEFINE(ioprio_set)
{
	struct prio_walk w = { .which = (u32)a[0] - 1, .who = (s32)a[1], .one = set_ioprio, .value = (s32)a[2] };
	int ret = check_ioprio(w.value);

	return ret ? ret : prio_walk(&w);
}

SYSCALL_DEFINE(ioprio_get)
{
	struct prio_walk w = { .which = (u32)a[0] - 1, .who = (s32)a[1], .one = get_ioprio };
	long ret = prio_walk(&w);

	return ret ? ret : w.value;
}
