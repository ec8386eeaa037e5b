// SPDX-License-Identifier: MIT
/*
 * The supervisor: the first host process of a sandbox. It never runs program code. All kernel threads are threads of it, and
 * clean host processes for exec are clones of it, one of which is made ahead as soon as a program vforks: an exec does not wait for a
 * clone, and the clone's cost does not depend on how large the program is that execs. Who only forks execs in place, and never needs one.
 */
#include "base/errno.h"
#include "base/printf.h"
#include "mm/kmalloc.h"
#include "sched/sched.h"
#include "sched/wait.h"
#include "south/host/host.h"
#include "south/hosted/cpu.h"
#include "south/hosted/gate.h"
#include "south/south.h"

static struct {
	struct spinlock lock;		/* guards all below */
	struct cpu *cpu;		/* the supervisor's own */
	struct cpu *spare;
	bool ahead;			/* there will be an exec: have a spare */
	u32 wanted;			/* tasks that wait for a spare */
	int error;			/* of the last clone, when it failed */
	struct list kthreads;		/* struct kthread_request */
	struct list graves;		/* struct host_process, by grave_node */
	u32 word;			/* the supervisor parks here */
	struct wait_queue done;		/* those who asked wait here */
} sup = {
	.kthreads = LIST_INIT(sup.kthreads),
	.graves = LIST_INIT(sup.graves),
};

struct kthread_request {
	struct list node;
	struct task *task;
	int ret;
	bool done;
};

static void supervisor_wake(void)
{
	atomic_add(&sup.word, 1u);
	unpark(&sup.word);
}

static void make_spare(void)
{
	struct host_process *hp = host_process_alloc();
	struct cpu *cpu = hp ? cpu_alloc(hp, (int)sup.cpu->slot) : NULL;
	long ret = -ENOMEM;

	if (cpu)
		ret = cpu_clone_process(cpu, cpu->idle_stack + sizeof(cpu->idle_stack), cpu_spare);
	if (ret < 0 && hp)
		host_process_free(hp);
	spin_lock(&sup.lock);
	if (ret < 0)
		sup.error = (int)ret;
	else
		sup.spare = cpu;
	spin_unlock(&sup.lock);
	wake_up_all(&sup.done);
}

struct cpu *supervisor_take_spare(void)
{
	struct cpu *spare;
	int error;

	/* at boot we are the supervisor ourselves */
	if (current_cpu() == sup.cpu)
		make_spare();
	spin_lock(&sup.lock);
	sup.wanted++;
	if (!sup.spare && current_cpu() != sup.cpu)
		sup.error = 0;
	spin_unlock(&sup.lock);
	for (;;) {
		spin_lock(&sup.lock);
		spare = sup.spare;
		error = sup.error;
		if (spare || error) {
			sup.spare = NULL;
			sup.wanted--;
			spin_unlock(&sup.lock);
			break;
		}
		spin_unlock(&sup.lock);
		supervisor_wake();
		wait_event(&sup.done, READ_ONCE(sup.spare) || READ_ONCE(sup.error));
	}
	if (READ_ONCE(sup.ahead))
		supervisor_wake();	/* make the next one */
	return spare ? spare : ERR_PTR(error);
}

void supervisor_expect_exec(void)
{
	if (READ_ONCE(sup.ahead))
		return;
	WRITE_ONCE(sup.ahead, true);
	supervisor_wake();
}

static void __noreturn kthread_main(void *arg)
{
	struct task *t = arg;

	t->kthread_fn(t->kthread_arg);
	machine->exit_task();
}

static struct kthread_request *next_request(void)
{
	struct kthread_request *req;

	spin_lock(&sup.lock);
	req = list_first_or_null(&sup.kthreads, struct kthread_request, node);
	if (req)
		list_del(&req->node);
	spin_unlock(&sup.lock);
	return req;
}

static void start_kthreads(void)
{
	struct kthread_request *req;

	while ((req = next_request())) {
		req->ret = run_in_process(sup.cpu->hp, req->task, kthread_main, req->task);
		store_release(&req->done, true);
		wake_up_all(&sup.done);
	}
}

int supervisor_run_kthread(struct task *t)
{
	struct kthread_request req = { .task = t };

	if (!t->regs && machine->prepare(t))
		return -ENOMEM;
	/* before supervisor_run(), and for kernel threads themselves, we are in the right process already */
	if (current_cpu()->hp == sup.cpu->hp)
		return run_in_process(sup.cpu->hp, t, kthread_main, t);
	spin_lock(&sup.lock);
	list_add_tail(&req.node, &sup.kthreads);
	spin_unlock(&sup.lock);
	supervisor_wake();
	wait_event(&sup.done, load_acquire(&req.done));
	return req.ret;
}

void supervisor_init(struct cpu *cpu)
{
	sup.cpu = cpu;
}

/* host_process_bury() - to be freed as soon as its last thread has set hp->dead */
void host_process_bury(struct host_process *hp)
{
	spin_lock(&sup.lock);
	list_add_tail(&hp->grave_node, &sup.graves);
	spin_unlock(&sup.lock);
}

static struct host_process *next_grave(void)
{
	struct host_process *hp, *found = NULL;

	spin_lock(&sup.lock);
	list_for_each(hp, &sup.graves, grave_node) {
		if (load_acquire(&hp->dead)) {
			found = hp;
			list_del(&hp->grave_node);
			break;
		}
	}
	spin_unlock(&sup.lock);
	return found;
}

/* host_process_collect() - free those that are dead; called when a new one is made, so there are never many */
void host_process_collect(void)
{
	struct host_process *hp;

	while ((hp = next_grave()))
		host_process_free(hp);
}

void __noreturn supervisor_run(void)
{
	for (;;) {
		u32 word = load_acquire(&sup.word);
		bool make;

		start_kthreads();
		spin_lock(&sup.lock);
		make = !sup.spare && (sup.wanted || (sup.ahead && !sup.error));
		spin_unlock(&sup.lock);
		if (make)
			make_spare();
		else
			park(FOREVER, &sup.word, word);
	}
}
