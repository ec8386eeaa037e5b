// SPDX-License-Identifier: MIT
/*
 * clone: a new task from the current one. First everything that may fail is made (prepare), then the child is published, then the
 * South starts it; when that fails, the child is taken back as if it had never been.
 */
#include "process/fork.h"

#include "base/errno.h"
#include "base/string.h"
#include "fs/file.h"
#include "fs/fs_state.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/internal.h"
#include "process/itimer.h"
#include "sched/wait.h"
#include "south/south.h"

/* RLIMIT_NPROC and the sandbox's own limit. Counts the new task when it is allowed. */
static int charge_task(struct cred *cred)
{
	u32 n = atomic_add(&cred->user->tasks, 1u);

	if (n > load_relaxed(&current->process->rlim[RLIM_NPROC].cur) && cred->uid != 0 &&
	    !cred_has_cap(cred, CAP_SYS_RESOURCE) && !cred_has_cap(cred, CAP_SYS_ADMIN))
		goto refuse;
	if (load_relaxed(&nr_tasks) >= tasks_max)
		goto refuse;
	return 0;
refuse:
	atomic_sub(&cred->user->tasks, 1u);
	return -EAGAIN;
}

static void inherit(struct task *t, const struct clone_args *a)
{
	struct task *me = current;

	memcpy(t->comm, me->comm, sizeof(t->comm));
	t->blocked = me->blocked;
	t->nice = me->nice;
	t->ioprio = me->ioprio;
	t->policy = me->policy;
	t->rt_priority = me->rt_priority;
	memcpy(t->affinity, me->affinity, sizeof(t->affinity));
	t->timer_slack = me->timer_slack;
	t->no_new_privs = me->no_new_privs;
	t->tls = a->flags & CLONE_SETTLS ? a->tls : machine->get_tls();
	if (a->flags & CLONE_CHILD_SETTID) {
		t->set_child_tid = a->child_tid;
		atomic_or(&t->work, WORK_NEW);
	}
	if (a->flags & CLONE_CHILD_CLEARTID)
		t->clear_child_tid = a->child_tid;
	/* sigaltstack(2): a thread of its own starts without one, a vfork child and a copy keep it */
	if (!(a->flags & CLONE_VM) || (a->flags & CLONE_VFORK)) {
		t->sas_sp = me->sas_sp;
		t->sas_size = me->sas_size;
		t->sas_flags = me->sas_flags;
	}
	if (!(a->flags & CLONE_VM)) {
		t->rseq_addr = me->rseq_addr;
		t->rseq_len = me->rseq_len;
		t->rseq_sig = me->rseq_sig;
	}
	*t->regs = *me->regs;
	regs_set_result(t->regs, 0);
	t->regs->orig_rax = ~0ull;	/* nothing to restart in the child */
	if (a->stack)
		t->regs->rsp = a->stack;
}

static int copy_sighand(struct task *t, u64 flags)
{
	struct sighand *mine = current->sighand;
	int i;

	if (flags & CLONE_SIGHAND) {
		sighand_get(mine);
		t->sighand = mine;
		return 0;
	}
	t->sighand = sighand_alloc();
	if (!t->sighand)
		return -ENOMEM;
	spin_lock(&mine->lock);
	memcpy(t->sighand->action, mine->action, sizeof(mine->action));
	spin_unlock(&mine->lock);
	if (flags & CLONE_CLEAR_SIGHAND)
		for (i = 0; i < NSIG; i++)
			if (t->sighand->action[i].handler != SIGACTION_IGN)
				t->sighand->action[i] = (struct ksigaction){ .handler = SIGACTION_DFL };
	return 0;
}

static int copy_mm(struct task *t, u64 flags)
{
	struct mm *mm = current->mm;

	if (!mm)
		return 0;
	if (flags & CLONE_VM) {
		mm_get(mm);
	} else {
		mm = mm_clone(mm);
		if (!mm)
			return -ENOMEM;
	}
	mm_count_users(mm, 1);
	t->mm = mm;
	return 0;
}

static int copy_files(struct task *t, u64 flags)
{
	if (current->files) {
		t->files = current->files;
		if (flags & CLONE_FILES)
			files_get(t->files);
		else
			t->files = files_dup(current->files);
		if (!t->files)
			return -ENOMEM;
	}
	if (current->fs) {
		t->fs = current->fs;
		if (flags & CLONE_FS)
			fs_state_get(t->fs);
		else
			t->fs = fs_state_dup(current->fs);
		if (!t->fs)
			return -ENOMEM;
	}
	return 0;
}

static int copy_process(struct task *t, u64 flags, u32 exit_signal)
{
	struct process *mine = current->process, *p;
	u32 i;

	if (flags & CLONE_THREAD) {
		process_get(mine);
		t->process = mine;
		return 0;
	}
	p = process_alloc();
	if (!p)
		return -ENOMEM;
	t->process = p;
	p->leader = t;
	p->exit_signal = flags & CLONE_PARENT ? mine->exit_signal : exit_signal;
	p->oom_score_adj = mine->oom_score_adj;
	p->personality = mine->personality;
	mutex_lock(&mine->lock);
	for (i = 0; i < RLIM_NLIMITS; i++)
		p->rlim[i] = mine->rlim[i];
	if (mine->cmdline_override)
		p->cmdline_override = kstrdup(mine->cmdline_override);
	mutex_unlock(&mine->lock);
	return 0;
}

/* What the task took that its last reference does not give back. */
static void undo_copy(struct task *t)
{
	struct mm *mm = t->mm;

	if (t->fs)
		fs_state_put(t->fs);
	if (t->files)
		files_put(t->files);
	if (mm) {
		mm_count_users(mm, -1);
		mm_put(mm);
	}
	t->fs = NULL;
	t->files = NULL;
	t->mm = NULL;
	if (t->cred)
		atomic_sub(&t->cred->user->tasks, 1u);
	if (t->pid)
		pid_release(t->pid);
	t->pid = NULL;
}

/* tasklist_lock held */
static void join_family(struct process *p, u64 flags)
{
	struct process *mine = current->process;

	p->parent = flags & CLONE_PARENT ? mine->parent : mine;
	p->parent_task = flags & CLONE_PARENT ? mine->parent_task : current;
	list_add_tail(&p->sibling, &p->parent->children);
	p->has_child_subreaper = mine->has_child_subreaper || mine->is_subreaper;
	p->tty = mine->tty;
	p->pid = p->leader->pid;
	p->tgid = p->pid->nr;
	pid_use(p->pid);
	p->pgrp = mine->pgrp;
	p->pgid = mine->pgid;
	pid_use(p->pgrp);
	list_add_tail(&p->pgrp_node, &p->pgrp->pgrp);
	p->session = mine->session;
	p->sid = mine->sid;
	pid_use(p->session);
	list_add_tail(&p->session_node, &p->session->session);
}

/* Return: 0, or -ERESTARTNOINTR: a signal came first, and shall not find half of us here and half there */
static int publish(struct task *t, u64 flags)
{
	struct process *mine = current->process;
	int ret = 0;

	mutex_lock(&tasklist_lock);
	spin_lock(&mine->siglock);
	if (mine->group_exit || (load_relaxed(&current->work) & (WORK_EXIT | WORK_RSEQ)))
		ret = -ERESTARTNOINTR;
	else if (signal_deliverable(current)) {
		atomic_or(&current->work, WORK_SIGNAL);
		ret = -ERESTARTNOINTR;
	} else if (flags & CLONE_THREAD) {
		signal_join_stop(t);
	}
	spin_unlock(&mine->siglock);
	if (!ret) {
		if (!(flags & CLONE_THREAD))
			join_family(t->process, flags);
		task_publish(t, !(flags & CLONE_THREAD));
	}
	mutex_unlock(&tasklist_lock);
	return ret;
}

static int start(struct task *t, u64 flags)
{
	if (!(flags & CLONE_VM))
		return mm_start_fork(t);
	if ((flags & CLONE_VFORK) && !(flags & CLONE_THREAD) && machine->run_vfork)
		return machine->run_vfork(t);
	return machine->start_thread(t);
}

/* The child lives on in memory that is ours: wait until it exits or execs. */
static void wait_for_vfork(struct task *child)
{
	for (;;) {
		set_current_state(TASK_KILLABLE);
		if (load_acquire(&child->vfork_done) || fatal_signal_pending())
			break;
		(void)schedule_until(FOREVER);
	}
	set_current_state(TASK_RUNNING);
}

void vfork_complete(struct task *t)
{
	struct task *parent = atomic_xchg(&t->vfork_parent, NULL);

	if (!parent)
		return;
	if (t == current) {
		spin_lock(&t->process->siglock);
		signal_recalc(t);	/* stops waited: signal_unblocked() */
		spin_unlock(&t->process->siglock);
	}
	store_release(&t->vfork_done, true);
	(void)wake_task(parent);
	task_put(parent);
}

/* As Linux: an address that is none costs the program its number and nothing else. */
static void store_tid(u64 addr, s32 tid)
{
	int ret __unused = put_user(tid, addr);
}

static int prepare(struct task *t, const struct clone_args *a)
{
	int ret;

	cred_get(current->cred);
	t->cred = current->cred;
	ret = charge_task(t->cred);
	if (ret) {
		cred_put(t->cred);
		t->cred = NULL;
		return ret;
	}
	ret = copy_process(t, a->flags, a->exit_signal);
	if (ret)
		return ret;
	if (machine->prepare) {
		ret = machine->prepare(t);
		if (ret)
			return ret;
	}
	inherit(t, a);
	ret = copy_sighand(t, a->flags);
	if (ret)
		return ret;
	ret = copy_files(t, a->flags);
	if (ret)
		return ret;
	ret = copy_mm(t, a->flags);
	if (ret)
		return ret;
	t->pid = pid_alloc();
	if (!t->pid)
		return -EAGAIN;
	t->tid = t->pid->nr;
	return 0;
}

long task_clone(const struct clone_args *a)
{
	struct task *t = task_alloc();
	int pidfd = -1, ret;
	s32 tid;

	if (!t)
		return -ENOMEM;
	/* the first program has no parent to share */
	ret = (a->flags & CLONE_PARENT) && !current->process->parent ? -EINVAL : prepare(t, a);
	if (ret)
		goto err;
	tid = t->tid;
	if (a->flags & CLONE_PIDFD) {
		pidfd = fd_reserve(O_CLOEXEC, 0);
		ret = pidfd;
		if (ret < 0)
			goto err;
		ret = put_user(pidfd, a->pidfd) ? -EFAULT : 0;
		if (ret)
			goto err_fd;
	}
	if (a->flags & CLONE_VFORK) {
		task_get(current);
		t->vfork_parent = current;
	}
	ret = publish(t, a->flags);
	if (ret)
		goto err_vfork;
	/* in memory that both see it stands before the child runs; a copy does not have it */
	if ((a->flags & CLONE_PARENT_SETTID) && (a->flags & CLONE_VM))
		store_tid(a->parent_tid, tid);
	if (a->flags & CLONE_PIDFD) {
		ret = pidfd_install(pidfd, t->process);
		if (ret)
			goto err_unpublish;
	}
	task_get(t);		/* the child may be gone before we look again */
	ret = start(t, a->flags);
	if (ret) {
		task_put(t);
		if (pidfd >= 0) {
			(void)fd_close(pidfd);
			pidfd = -1;
		}
		goto err_unpublish;
	}
	if ((a->flags & CLONE_PARENT_SETTID) && !(a->flags & CLONE_VM))
		store_tid(a->parent_tid, tid);
	if (!(a->flags & CLONE_THREAD) && t->process->rlim[RLIM_CPU].cur != RLIM64_INFINITY)
		itimers_cpu_limit(t->process);
	if (a->flags & CLONE_VFORK)
		wait_for_vfork(t);
	task_put(t);
	return tid;

err_unpublish:
	task_unpublish(t);
err_vfork:
	if (t->vfork_parent) {
		task_put(t->vfork_parent);
		t->vfork_parent = NULL;
	}
err_fd:
	if (pidfd >= 0)
		fd_unreserve(pidfd);
err:
	undo_copy(t);
	task_put(t);
	return ret;
}
