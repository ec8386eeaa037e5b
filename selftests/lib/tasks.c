// SPDX-License-Identifier: MIT
/* Included by the tests that need it: each test is one object. */
#define _GNU_SOURCE
#include "tasks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "north/linux/syscall.h"
#include "sched/wait.h"
#include "south/fake/fake.h"
#include "south/south.h"

#define STACK_SIZE	65536
/* Where every "SYSCALL instruction" stands; its return address is two bytes on. */
#define SYSCALL_RIP	0x400000ull
#define NR_RESTART	219

bool tasks_raw;
struct task *boot_task;		/* nobody frees it: leak checkers shall find it */
static int running;
static __thread void *stack;
static struct machine_ops ops;

void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ 0, ms * 1000000l }, NULL);
}

int tasks_running(void)
{
	return __atomic_load_n(&running, __ATOMIC_ACQUIRE);
}

bool tasks_settle(void)
{
	return eventually(!tasks_running());
}

static void new_stack(struct regs *r)
{
	stack = malloc(STACK_SIZE);
	r->rsp = (u64)stack + STACK_SIZE - 64;
}

static void *task_main(void *arg)
{
	struct task *t = arg;
	int (*fn)(void *arg) = (int (*)(void *))t->regs->rip, ret;

	fake_current = t;
	new_stack(t->regs);
	arg = (void *)t->regs->REG_RDI;
	t->regs->rip = SYSCALL_RIP + 2;
	checkpoint();
	ret = fn(arg);
	if (t == t->process->leader)
		task_exit_group(WAIT_STATUS_EXIT(ret));
	task_exit(WAIT_STATUS_EXIT(ret));
}

static int start(struct task *t)
{
	pthread_t thread;
	pthread_attr_t attr;
	int ret;

	task_get(t);
	__atomic_add_fetch(&running, 1, __ATOMIC_ACQ_REL);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	ret = pthread_create(&thread, &attr, task_main, t);
	pthread_attr_destroy(&attr);
	if (ret) {
		__atomic_sub_fetch(&running, 1, __ATOMIC_ACQ_REL);
		task_put(t);
		return -EAGAIN;
	}
	return 0;
}

static void __noreturn leave(void)
{
	task_put(fake_current);
	free(stack);
	stack = NULL;
	fake_current = NULL;
	__atomic_sub_fetch(&running, 1, __ATOMIC_ACQ_REL);
	pthread_exit(NULL);
}

void tasks_boot(u64 caps)
{
	static const u32 groups[] = { 7, 3, 5 };
	struct task *t;

	fake_boot();
	boot_task = fake_current;
	ops = *machine;
	ops.start_thread = start;
	ops.start_fork = start;
	ops.exit_task = leave;
	machine = &ops;
	t = process_create_first(cred_create(1000, 100, groups, 3, caps, CAP_CONTAINER));
	if (!t)
		abort();
	fake_current = t;
	new_stack(t->regs);
	strcpy(t->comm, "first");
}

/* The current registers stand at a handler's first instruction: run it, and return from it as its restorer would. */
static void run_handler(struct regs *r)
{
	void (*handler)(int sig, void *info, void *uc) = (void (*)(int, void *, void *))r->rip;
	u64 frame = r->rsp;
	static const u64 none[6];

	handler((int)r->REG_RDI, (void *)r->REG_RSI, (void *)r->REG_RDX);
	r->rsp = frame + 8;
	r->orig_rax = 15;
	(void)sys_rt_sigreturn(none);
}

static void way_back(struct regs *r)
{
	while (task_wants_exit_work(r)) {
		u64 rip = r->rip;

		task_exit_work(r);
		if (r->rip == rip || r->rip == SYSCALL_RIP)
			continue;
		if (tasks_raw)
			return;
		run_handler(r);
	}
}

void checkpoint(void)
{
	current->regs->orig_rax = ~0ull;
	current->regs->rax = 0;
	way_back(current->regs);
}

long call_nr(long nr, long (*fn)(const u64 *a), const u64 *a)
{
	struct regs *r = current->regs;

	memcpy(r->arg, a, sizeof(r->arg));
	for (;;) {
		long ret;

		r->rip = SYSCALL_RIP + 2;
		r->orig_rax = r->rax = (u64)nr;
		ret = fn(r->arg);
		if (r->orig_rax != ~0ull)
			r->rax = (u64)ret;
		way_back(r);
		if (r->rip != SYSCALL_RIP)
			return (long)r->rax;
		if (r->rax == NR_RESTART)
			fn = sys_restart_syscall;
	}
}

long spawn(u64 flags, u32 exit_signal, int (*fn)(void *arg), void *arg)
{
	struct regs *r = current->regs;
	struct clone_args c = { .flags = flags, .exit_signal = exit_signal };
	long ret;

	do {
		r->rip = (u64)fn;
		r->REG_RDI = (u64)arg;
		r->orig_rax = 56;
		ret = task_clone(&c);
		r->rip = SYSCALL_RIP + 2;
		r->rax = (u64)ret;
		way_back(r);
	} while (r->rip == SYSCALL_RIP);
	return ret;
}
