/* SPDX-License-Identifier: MIT */
/*
 * Process ids. A number is taken while a task, a process, a process group or a session has it, and given out cyclically, so that
 * an id that was just freed is not handed out at once.
 *
 * Locks: tasklist_lock (see task.h) guards who is attached; pid_lock, a spinlock inside all others, the table itself, so that a
 * look-up takes nothing but that. Nothing nests inside pid_lock.
 */
#ifndef LIB_PROCESS_PID_H
#define LIB_PROCESS_PID_H

#include "process/task.h"

#define PID_MAX		4194304		/* ids are below this */
#define PID_FIRST_AGAIN	300		/* after a wrap, as Linux: low ids stay with those who started early */

struct pid {
	s32 nr;
	u32 uses;			/* task, process, pgrp members, session members; guarded by pid_lock; 0: not in the table */
	struct pid *hash_next;		/* guarded by pid_lock */
	struct task *task;		/* whose tid this is; guarded by pid_lock */
	struct process *process;	/* whose tgid this is; zombies too; guarded by pid_lock */
	struct list pgrp;		/* processes, by pgrp_node; guarded by tasklist_lock */
	struct list session;		/* processes, by session_node; guarded by tasklist_lock */
};

extern struct mutex tasklist_lock;
extern struct list process_list;	/* all processes, zombies too, by pid_node; guarded by tasklist_lock */
extern u32 nr_processes, nr_tasks;	/* guarded by tasklist_lock; read freely */
extern s32 last_pid;			/* the newest id, for /proc/loadavg */

/* pid_alloc() - a new number with one use, which pid_release() ends. NULL: out of memory or of numbers */
__must_check struct pid *pid_alloc(void);
void pid_use(struct pid *pid);
void pid_release(struct pid *pid);
/* what task_find_get() and process_find_get() answer for @pid; NULL: nothing any more */
void pid_set_task(struct pid *pid, struct task *t);
void pid_set_process(struct pid *pid, struct process *p);

/* pid_find() - tasklist_lock held: the entry of @nr or NULL */
struct pid *pid_find(s32 nr);

/* Look-ups from anywhere; each gives a reference or NULL. Zombies are found until they are waited for. */
__must_check struct task *task_find_get(s32 tid);
__must_check struct process *process_find_get(s32 tgid);

/* process_task_get() - a task that stands for @p: a live one if there is, else the leader, else NULL (reaped); a reference */
__must_check struct task *process_task_get(struct process *p);

/**
 * process_next_get() - walk all processes by id, for /proc
 * Return: the process with the smallest tgid >= @from, with a reference, or NULL.
 */
__must_check struct process *process_next_get(s32 from);
/* task_next_get() - the same for the threads of @p */
__must_check struct task *task_next_get(struct process *p, s32 from);

#define for_each_thread(p, t)	list_for_each(t, &(p)->threads, thread_node)

#endif
