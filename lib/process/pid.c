// SPDX-License-Identifier: MIT
/* The table of ids and the look-ups on it. */
#include "process/pid.h"

#include "mm/kmalloc.h"
#include "process/fork.h"

#define PID_BUCKETS	1024u

struct mutex tasklist_lock = MUTEX_INIT;
struct list process_list = LIST_INIT(process_list);
u32 nr_processes, nr_tasks;
s32 last_pid;

static struct spinlock pid_lock = SPINLOCK_INIT;
static struct pid *buckets[PID_BUCKETS];	/* guarded by pid_lock */
static u32 nr_pids;				/* guarded by pid_lock */

static struct pid **bucket(s32 nr)
{
	return &buckets[(u32)nr % PID_BUCKETS];
}

static struct pid *lookup(s32 nr)
{
	struct pid *p = *bucket(nr);

	while (p && p->nr != nr)
		p = p->hash_next;
	return p;
}

struct pid *pid_alloc(void)
{
	struct pid *pid = kzalloc(sizeof(*pid));
	s32 nr;

	if (!pid)
		return NULL;
	pid->uses = 1;
	list_init(&pid->pgrp);
	list_init(&pid->session);

	spin_lock(&pid_lock);
	/* tasks are bounded far below the numbers there are, and each holds few: the search ends */
	if (nr_pids >= PID_MAX / 2) {
		spin_unlock(&pid_lock);
		kfree(pid);
		return NULL;
	}
	nr = last_pid;
	do {
		if (++nr >= PID_MAX)
			nr = PID_FIRST_AGAIN;
	} while (lookup(nr));
	pid->nr = last_pid = nr;
	pid->hash_next = *bucket(nr);
	*bucket(nr) = pid;
	nr_pids++;
	spin_unlock(&pid_lock);
	return pid;
}

void pid_use(struct pid *pid)
{
	spin_lock(&pid_lock);
	pid->uses++;
	spin_unlock(&pid_lock);
}

void pid_release(struct pid *pid)
{
	struct pid **link;
	bool last;

	spin_lock(&pid_lock);
	last = --pid->uses == 0;
	if (last) {
		for (link = bucket(pid->nr); *link != pid; link = &(*link)->hash_next)
			;
		*link = pid->hash_next;
		nr_pids--;
	}
	spin_unlock(&pid_lock);
	if (last)
		kfree(pid);
}

void pid_set_task(struct pid *pid, struct task *t)
{
	spin_lock(&pid_lock);
	pid->task = t;
	spin_unlock(&pid_lock);
}

void pid_set_process(struct pid *pid, struct process *p)
{
	spin_lock(&pid_lock);
	pid->process = p;
	spin_unlock(&pid_lock);
}

struct pid *pid_find(s32 nr)
{
	struct pid *p;

	spin_lock(&pid_lock);
	p = lookup(nr);
	spin_unlock(&pid_lock);
	return p;
}

struct task *task_find_get(s32 tid)
{
	struct task *t = NULL;
	struct pid *p;

	spin_lock(&pid_lock);
	p = lookup(tid);
	if (p && p->task && ref_tryget(&p->task->ref))
		t = p->task;
	spin_unlock(&pid_lock);
	return t;
}

struct process *process_find_get(s32 tgid)
{
	struct process *proc = NULL;
	struct pid *p;

	spin_lock(&pid_lock);
	p = lookup(tgid);
	if (p && p->process && ref_tryget(&p->process->ref))
		proc = p->process;
	spin_unlock(&pid_lock);
	return proc;
}

struct task *process_task_get(struct process *p)
{
	struct task *t, *found = NULL;

	spin_lock(&p->siglock);
	for_each_thread(p, t) {
		if (!found || (found->exiting && !t->exiting))
			found = t;
	}
	if (found)
		task_get(found);
	spin_unlock(&p->siglock);
	return found;
}

struct process *process_next_get(s32 from)
{
	struct process *p, *best = NULL;

	mutex_lock(&tasklist_lock);
	list_for_each(p, &process_list, pid_node)
		if (p->tgid >= from && (!best || p->tgid < best->tgid))
			best = p;
	if (best)
		process_get(best);
	mutex_unlock(&tasklist_lock);
	return best;
}

struct task *task_next_get(struct process *p, s32 from)
{
	struct task *t, *best = NULL;

	spin_lock(&p->siglock);
	for_each_thread(p, t)
		if (t->tid >= from && (!best || t->tid < best->tid))
			best = t;
	if (best)
		task_get(best);
	spin_unlock(&p->siglock);
	return best;
}
