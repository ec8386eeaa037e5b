// SPDX-License-Identifier: MIT
/*
 * How a task ends: it lets go of what it has, its children get another parent, and its process, when it was the last thread,
 * becomes a zombie that the parent waits for. The leader stays until then, whether or not it ended first.
 */
#include "base/errno.h"
#include "fs/file.h"
#include "mm/mm.h"
#include "process/futex.h"
#include "process/internal.h"
#include "process/itimer.h"
#include "process/rseq.h"
#include "sched/wait.h"
#include "south/south.h"

void (*session_leader_exit)(struct process *leader);
void (*first_process_stopped)(u32 sig);

/* How long the first program's end waits for all the others' ends before the sandbox goes anyway. */
#define LAST_WAIT	(2 * NSEC_PER_SEC)

/* ---- out of the tables ---- */

void process_detach(struct process *p)
{
	struct task *leader = p->leader;

	p->reaped = true;
	spin_lock(&p->siglock);
	list_del(&leader->thread_node);
	spin_unlock(&p->siglock);
	pid_set_task(leader->pid, NULL);
	pid_set_process(p->pid, NULL);
	list_del(&p->pid_node);
	list_del(&p->sibling);
	list_del(&p->pgrp_node);
	list_del(&p->session_node);
	nr_tasks--;
	nr_processes--;
	p->parent = NULL;
	p->leader = NULL;
	pid_release(p->pgrp);
	pid_release(p->session);
	pid_release(p->pid);
	pid_release(leader->pid);
	leader->pid = NULL;
	p->pid = p->pgrp = p->session = NULL;
}

void process_let_go(struct process *p, struct task *leader)
{
	atomic_sub(&leader->cred->user->tasks, 1u);
	task_put(leader);
	process_put(p);
}

void task_unpublish(struct task *t)
{
	struct process *p = t->process, *parent = NULL;

	mutex_lock(&tasklist_lock);
	spin_lock(&p->siglock);
	p->nr_threads--;
	t->exiting = t->dead = true;
	if (p->leader != t)
		list_del(&t->thread_node);
	if (p->group_stop_count && (load_relaxed(&t->work) & WORK_STOP))
		p->group_stop_count--;
	spin_unlock(&p->siglock);
	if (p->leader == t) {
		parent = p->parent;
		process_detach(p);
		wake_up_all(&parent->child_wait);
	} else {
		pid_set_task(t->pid, NULL);
		nr_tasks--;
		if (p->exec_task)
			wake_task(p->exec_task);
	}
	mutex_unlock(&tasklist_lock);
	if (parent)
		process_put(p);		/* the tables' reference */
}

/* A thread that is not the leader is gone at once. Return: true, the caller drops the table's reference afterwards */
static bool release_thread(struct task *t)
{
	struct process *p = t->process;

	if (t == p->leader)
		return false;
	spin_lock(&p->siglock);
	list_del(&t->thread_node);
	spin_unlock(&p->siglock);
	pid_set_task(t->pid, NULL);
	pid_release(t->pid);
	t->pid = NULL;
	nr_tasks--;
	return true;
}

/* ---- children and groups; tasklist_lock held ---- */

/* @p ties its group to the rest of the session: somebody outside of the group could continue it. */
bool process_connects(const struct process *p, s32 pgid)
{
	/* the first program's parent is the runner: it stands where natively a shell would */
	if (p == first_process)
		return true;
	return p->parent && !p->adopted && p->parent->pgid != pgid && p->parent->sid == p->sid;
}

static bool group_would_be_orphaned(struct pid *pgrp, const struct process *ignored)
{
	struct process *p;

	list_for_each(p, &pgrp->pgrp, pgrp_node)
		if (p != ignored && !p->zombie && process_connects(p, pgrp->nr))
			return false;
	return true;
}

static bool has_stopped_jobs(struct pid *pgrp)
{
	struct process *p;

	list_for_each(p, &pgrp->pgrp, pgrp_node)
		if (READ_ONCE(p->stopped))
			return true;
	return false;
}

/* POSIX: when the last tie of a stopped group to its session is cut, it gets SIGHUP and SIGCONT. */
static void hang_up_orphans(struct process *p, const struct process *parent, const struct process *ignored)
{
	if (!parent || parent->pgid == p->pgid || parent->sid != p->sid)
		return;
	if (!group_would_be_orphaned(p->pgrp, ignored) || !has_stopped_jobs(p->pgrp))
		return;
	(void)send_signal_pgrp_locked(p->pgid, SIGHUP, SIGINFO_KERNEL);
	(void)send_signal_pgrp_locked(p->pgid, SIGCONT, SIGINFO_KERNEL);
}

static struct task *live_thread(struct process *p, const struct task *but)
{
	struct task *t;

	for_each_thread(p, t)
		if (t != but && !t->exiting)
			return t;
	return NULL;
}

/* Who takes the children of @p: the nearest ancestor that asked for it, else the first program. */
static struct process *find_reaper(struct process *p)
{
	struct process *a;

	if (p->has_child_subreaper)
		for (a = p->parent; a; a = a->parent)
			if (a->is_subreaper && live_thread(a, NULL))
				return a;
	return first_process;
}

static void send_parent_death_signals(struct process *child)
{
	struct task *t;

	for_each_thread(child, t)
		if (t->pdeath_signal)
			(void)send_signal_process(child, (int)t->pdeath_signal, SIGINFO_NONE);
}

/* The children that @me made go to another thread, or to another process. Those that nobody waits for go to @dead. */
static void reparent_children(struct task *me, struct list *dead)
{
	struct process *p = me->process, *child, *tmp, *reaper = NULL;
	struct task *heir = live_thread(p, me);

	if (list_empty(&p->children))
		return;
	if (!heir) {
		reaper = find_reaper(p);
		if (reaper == p)
			return;		/* the sandbox is about to end */
		heir = live_thread(reaper, NULL);
	}
	list_for_each_safe(child, tmp, &p->children, sibling) {
		if (reaper ? false : child->parent_task != me)
			continue;
		child->parent_task = heir;
		if (!child->zombie)
			send_parent_death_signals(child);
		if (!reaper)
			continue;
		list_move_tail(&child->sibling, &reaper->children);
		child->parent = reaper;
		child->adopted = reaper == first_process && !reaper->is_subreaper;
		child->exit_signal = SIGCHLD;
		if (child->zombie && signal_notify_parent(child)) {
			struct task *leader = child->leader;

			process_detach(child);
			list_add_tail(&leader->thread_node, dead);
			continue;
		}
		hang_up_orphans(child, p, NULL);
	}
}

/* Only the leader is left, and it is dead: the process is a zombie. Return: true when nobody shall wait for it: it was detached. */
static bool maybe_zombie(struct process *p)
{
	struct task *leader = p->leader;

	if (!leader->dead || list_first(&p->threads, struct task, thread_node) != leader ||
	    list_last(&p->threads, struct task, thread_node) != leader)
		return false;
	spin_lock(&p->siglock);
	if (!p->dying)
		p->exit_code = leader->exit_code;
	p->dying = true;
	p->stopped = p->stop_active = false;
	p->stop_code = 0;
	spin_unlock(&p->siglock);
	p->zombie = true;
	if (!p->adopted)
		hang_up_orphans(p, p->parent, p);
	wake_up_poll(&p->pidfd_wait, POLLIN);
	if (!signal_notify_parent(p))
		return false;
	process_detach(p);
	return true;
}

static void exit_notify(struct task *me)
{
	struct process *p = me->process;
	struct task *leader, *t, *tmp;
	struct wake_batch batch;
	bool released, reaped;
	LIST_HEAD(dead);

	/* the parent looks at us under this lock */
	wake_batch_begin(&batch);
	mutex_lock(&tasklist_lock);
	reparent_children(me, &dead);
	if (machine->cputime)
		p->utime += machine->cputime(me);
	me->dead = true;
	released = release_thread(me);
	leader = p->leader;
	reaped = maybe_zombie(p);
	if (p->exec_task)
		wake_task(p->exec_task);
	mutex_unlock(&tasklist_lock);
	wake_batch_end(&batch);

	list_for_each_safe(t, tmp, &dead, thread_node) {
		list_del(&t->thread_node);
		process_let_go(t->process, t);
	}
	if (released) {
		atomic_sub(&me->cred->user->tasks, 1u);
		task_put(me);
	}
	if (reaped)
		process_let_go(p, leader);
}

/* ---- the end ---- */

void sem_exit(struct task *t __unused) { }

static void leave_memory(struct task *t)
{
	static const u32 zero;

	/* before others may take the thread's end as leave to free its memory, into which the South writes until now */
	if (!rseq_suspend() && READ_ONCE(t->mm->users) > 1)
		(void)send_signal_process(t->process, SIGKILL, SIGINFO_KERNEL);
	t->rseq_addr = 0;
	if (t->mm)
		futex_exit_robust(t);
	if (t->clear_child_tid && t->mm) {
		if (READ_ONCE(t->mm->users) > 1 && !copy_to_user(t->clear_child_tid, &zero, sizeof(zero)))
			futex_wake_user(t->clear_child_tid, 1);
		t->clear_child_tid = 0;
	}
	if (t->mm) {
		/* only those who run in it add users: one left is us */
		if (READ_ONCE(t->mm->users) == 1)
			mm_abandon(t->mm);
		task_set_mm(NULL);
	}
	vfork_complete(t);
}

static bool others_gone(const struct process *me)
{
	struct process *p;
	bool gone = true;

	mutex_lock(&tasklist_lock);
	list_for_each(p, &process_list, pid_node)
		if (p != me && !p->zombie)
			gone = false;
	mutex_unlock(&tasklist_lock);
	return gone;
}

bool process_kill_all(s64 deadline)
{
	struct process *me = current->process, *p;
	int ret;

	mutex_lock(&tasklist_lock);
	list_for_each(p, &process_list, pid_node)
		if (p != me && !p->zombie)
			(void)send_signal_process(p, SIGKILL, SIGINFO_KERNEL);
	mutex_unlock(&tasklist_lock);
	ret = wait_event_state(&me->child_wait, others_gone(me), TASK_UNINTERRUPTIBLE, deadline);
	return !ret;
}

/* The first program ends: nothing outlives it. */
static void end_sandbox(struct process *p)
{
	u32 status = p->dying ? p->exit_code : p->leader->exit_code;

	if (!others_gone(p))
		(void)process_kill_all(clock_monotonic() + LAST_WAIT);
	if (sandbox_exit)
		sandbox_exit(status);
}

void task_exit(u32 code)
{
	struct task *t = current;
	struct process *p = t->process;
	bool last;

	t->exit_code = code;
	last = signal_thread_exit();
	if (last)
		itimers_exit(p);
	leave_memory(t);
	sem_exit(t);
	if (t->files)
		task_set_files(NULL);
	if (t->fs)
		task_set_fs(NULL);
	if (last && p->session_leader && session_leader_exit)
		session_leader_exit(p);
	if (last && p == first_process)
		end_sandbox(p);
	exit_notify(t);
	machine->exit_task();
}

void task_exit_group(u32 code)
{
	struct task *t = current;
	struct process *p = t->process;

	spin_lock(&p->siglock);
	if (p->dying) {
		code = p->exit_code;
	} else if (!p->group_exit) {
		p->dying = true;
		p->exit_code = code;
		signal_group_exit_locked(p, t);
	}
	/* else: another thread is in exec and all the others go; what they say does not count */
	spin_unlock(&p->siglock);
	task_exit(code);
}

/* ---- exec ---- */

/* All but @me are gone, and the leader, if that is another, is dead. */
static bool alone(struct process *p, struct task *me)
{
	struct task *t;

	for_each_thread(p, t)
		if (t != me && !(t == p->leader && t->dead))
			return false;
	return true;
}

static bool alone_locked(struct process *p, struct task *me)
{
	bool ret;

	mutex_lock(&tasklist_lock);
	ret = alone(p, me);
	mutex_unlock(&tasklist_lock);
	return ret;
}

/* tasklist_lock held: the process's id is the current thread's from now on. Return: the old leader, to be put. */
static struct task *take_over_leader(struct process *p, struct task *me)
{
	struct task *old = p->leader;
	struct pid *mine = me->pid;

	if (old == me)
		return NULL;
	spin_lock(&p->siglock);
	list_del(&old->thread_node);
	p->leader = me;
	spin_unlock(&p->siglock);
	pid_set_task(mine, NULL);
	pid_release(mine);
	me->pid = old->pid;
	me->tid = old->tid;
	old->pid = NULL;
	pid_set_task(me->pid, me);
	nr_tasks--;
	return old;
}

int process_de_thread(void)
{
	struct task *me = current, *old;
	struct process *p = me->process;

	spin_lock(&p->siglock);
	if (p->group_exit) {
		spin_unlock(&p->siglock);
		return -EAGAIN;
	}
	if (p->leader != me || !alone(p, me)) {
		p->exec_task = me;
		signal_group_exit_locked(p, me);
	}
	spin_unlock(&p->siglock);

	while (p->exec_task) {
		set_current_state(TASK_KILLABLE);
		if (alone_locked(p, me))
			break;
		if (fatal_signal_pending()) {
			set_current_state(TASK_RUNNING);
			spin_lock(&p->siglock);
			p->exec_task = NULL;
			spin_unlock(&p->siglock);
			return -EAGAIN;
		}
		(void)schedule_until(FOREVER);
	}
	set_current_state(TASK_RUNNING);

	mutex_lock(&tasklist_lock);
	old = take_over_leader(p, me);
	p->exit_signal = SIGCHLD;
	spin_lock(&p->siglock);
	p->exec_task = NULL;
	if (!p->dying)
		p->group_exit = false;
	spin_unlock(&p->siglock);
	mutex_unlock(&tasklist_lock);
	if (old) {
		atomic_sub(&old->cred->user->tasks, 1u);
		task_put(old);
	}
	return 0;
}
