// SPDX-License-Identifier: MIT
/* The objects: tasks and processes, from allocation to the last reference; the first program's; kernel threads. */
#include "process/task.h"

#include "base/errno.h"
#include "base/string.h"
#include "fs/file.h"
#include "fs/fs_state.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/fork.h"
#include "process/internal.h"
#include "south/south.h"

/* Kernel threads belong to no program's process; this one stands in, so that nobody has to ask for NULL. */
static struct process kernel_process = {
	.ref = REF_INIT(1),
	.threads = LIST_INIT(kernel_process.threads),
	.children = LIST_INIT(kernel_process.children),
	.sibling = LIST_INIT(kernel_process.sibling),
	.pid_node = LIST_INIT(kernel_process.pid_node),
	.shared_pending = { .queue = LIST_INIT(kernel_process.shared_pending.queue) },
	.rlim = { [0 ... RLIM_NLIMITS - 1] = { RLIM64_INFINITY, RLIM64_INFINITY } },
};
static struct sighand kernel_sighand = { .ref = REF_INIT(1) };

struct task *task_alloc(void)
{
	struct task *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	ref_init(&t->ref);
	list_init(&t->thread_node);
	list_init(&t->pi_states);
	sigpending_init(&t->pending);
	t->sas_flags = SS_DISABLE;
	t->timer_slack = 50000;
	t->start_time = clock_monotonic();
	return t;
}

/* The last reference: everything that the task itself did not let go of at its exit. */
static void task_free(struct task *t)
{
	if (machine->unprepare)
		machine->unprepare(t);
	sigpending_flush(&t->pending);
	cred_put(t->cred);
	if (t->sighand && t->sighand != &kernel_sighand)
		sighand_put(t->sighand);
	if (t->process && t->process != &kernel_process)
		process_put(t->process);
	kfree(t);
}

void task_put(struct task *t)
{
	if (t && ref_put(&t->ref))
		task_free(t);
}

struct process *process_alloc(void)
{
	struct process *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	ref_init(&p->ref);
	list_init(&p->threads);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->pid_node);
	list_init(&p->pgrp_node);
	list_init(&p->session_node);
	mutex_init(&p->lock);
	mutex_init(&p->itimer_lock);
	spin_init(&p->siglock);
	sigpending_init(&p->shared_pending);
	wait_queue_init(&p->child_wait);
	wait_queue_init(&p->pidfd_wait);
	p->start_time = clock_monotonic();
	return p;
}

void process_put(struct process *p)
{
	if (!p || !ref_put(&p->ref))
		return;
	sigpending_flush(&p->shared_pending);
	kfree(p->cmdline_override);
	kfree(p);
}

struct mm *task_mm_get(struct task *t)
{
	struct mm *mm;

	spin_lock(&t->cred_lock);
	mm = t->mm;
	if (mm)
		mm_get(mm);
	spin_unlock(&t->cred_lock);
	return mm;
}

struct files *task_files_get(struct task *t)
{
	struct files *files;

	spin_lock(&t->cred_lock);
	files = t->files;
	if (files)
		files_get(files);
	spin_unlock(&t->cred_lock);
	return files;
}

struct fs_state *task_fs_get(struct task *t)
{
	struct fs_state *fs;

	spin_lock(&t->cred_lock);
	fs = t->fs;
	if (fs)
		fs_state_get(fs);
	spin_unlock(&t->cred_lock);
	return fs;
}

void mm_count_users(struct mm *mm, int n)
{
	mutex_lock(&mm->lock);
	mm->users += (u32)n;
	mutex_unlock(&mm->lock);
}

/* The last task that runs in an address space empties it: who only looks at it keeps the books, not the pages. */
static void mm_leave(struct mm *mm)
{
	bool last;

	mutex_lock(&mm->lock);
	last = --mm->users == 0;
	mutex_unlock(&mm->lock);
	if (last && machine->mm_exit)
		machine->mm_exit(mm);
	mm_put(mm);
}

void task_set_mm(struct mm *mm)
{
	struct task *t = current;
	struct mm *old = t->mm;

	if (mm)
		mm_count_users(mm, 1);
	spin_lock(&t->cred_lock);
	t->mm = mm;
	spin_unlock(&t->cred_lock);
	if (!old)
		return;
	t->process->maxrss = max(t->process->maxrss, (u64)old->max_rss_pages * (PAGE_SIZE / 1024));
	mm_leave(old);
}

void task_set_files(struct files *files)
{
	struct task *t = current;
	struct files *old = t->files;

	spin_lock(&t->cred_lock);
	t->files = files;
	spin_unlock(&t->cred_lock);
	if (old)
		files_put(old);
}

void task_set_fs(struct fs_state *fs)
{
	struct task *t = current;
	struct fs_state *old = t->fs;

	spin_lock(&t->cred_lock);
	t->fs = fs;
	spin_unlock(&t->cred_lock);
	if (old)
		fs_state_put(old);
}

struct process *first_process;

struct task *process_create_first(struct cred *cred)
{
	struct task *t = task_alloc();
	struct process *p = process_alloc();
	struct pid *pid = pid_alloc();
	struct sighand *sighand = sighand_alloc();
	u32 i;

	if (!t || !p || !pid || !sighand)
		goto err;
	if (machine->prepare && machine->prepare(t))
		goto err;
	limits_init(p->rlim);
	p->rlim[RLIM_NPROC].cur = p->rlim[RLIM_NPROC].max = tasks_max;
	p->rlim[RLIM_SIGPENDING] = p->rlim[RLIM_NPROC];
	p->exit_signal = SIGCHLD;
	p->leader = t;
	t->process = p;
	t->sighand = sighand;
	t->cred = cred;
	t->pid = pid;
	t->tid = p->tgid = p->pgid = p->sid = pid->nr;
	for (i = 0; i < ARRAY_SIZE(t->affinity); i++)
		t->affinity[i] = ~0ull;
	atomic_add(&cred->user->tasks, 1u);

	mutex_lock(&tasklist_lock);
	/* uses: the task has one, the process, its group and its session one each */
	p->pid = p->pgrp = p->session = pid;
	pid_use(pid);
	pid_use(pid);
	pid_use(pid);
	list_add(&p->pgrp_node, &pid->pgrp);
	list_add(&p->session_node, &pid->session);
	p->session_leader = true;
	task_publish(t, true);
	mutex_unlock(&tasklist_lock);
	first_process = p;
	task_get(t);
	return t;
err:
	if (pid)
		pid_release(pid);
	if (sighand)
		sighand_put(sighand);
	process_put(p);
	if (t)
		task_put(t);
	return NULL;
}

void task_publish(struct task *t, bool new_process)
{
	struct process *p = t->process;

	spin_lock(&p->siglock);
	list_add_tail(&t->thread_node, &p->threads);
	p->nr_threads++;
	spin_unlock(&p->siglock);
	nr_tasks++;
	pid_set_task(t->pid, t);
	if (!new_process)
		return;
	process_get(p);		/* the tables': dropped when it is reaped */
	list_add_tail(&p->pid_node, &process_list);
	nr_processes++;
	pid_set_process(p->pid, p);
}

struct task *kthread_alloc(const char *name)
{
	struct task *t = task_alloc();

	if (!t)
		return NULL;
	strscpy(t->comm, name, sizeof(t->comm));
	t->kthread = true;
	t->process = &kernel_process;
	t->sighand = &kernel_sighand;
	t->cred = &kernel_cred;
	t->blocked = ~0ull;
	return t;
}

int kthread_create(const char *name, void (*fn)(void *arg), void *arg)
{
	struct task *t = kthread_alloc(name);
	int ret;

	if (!t)
		return -ENOMEM;
	t->kthread_fn = fn;
	t->kthread_arg = arg;
	ret = machine->prepare ? machine->prepare(t) : 0;
	if (!ret)
		ret = machine->start_kthread(t);	/* takes a reference of its own */
	task_put(t);
	return ret;
}
