// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "south/fake/fake.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/printf.h"
#include "base/random.h"
#include "mm/page.h"
#include "mm/uaccess.h"
#include "south/south.h"

#define FAKE_RAM	(1ull << 30)

__thread struct task *fake_current;

struct fake_thread {
	pthread_t thread;
	void (*fn)(void *arg);
	void *arg;
};

void __noreturn south_exit(int status)
{
	exit(status);
}

s64 south_clock(u32 id)
{
	struct timespec ts;

	clock_gettime(id == SOUTH_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

ssize_t (*fake_read)(u32 handle, u64 off, void *buf, size_t len);

ssize_t south_read(u32 handle, u64 off, const struct iov *iov, u32 nr)
{
	return fake_read && nr ? fake_read(handle, off, (void *)iov->base, iov->len) : -EBADF;
}

ssize_t south_write(u32 handle, u64 off __unused, const struct iov *iov, u32 nr)
{
	ssize_t sum = 0;

	if (handle != 2)
		return -EBADF;
	for (u32 i = 0; i < nr; i++)
		sum += write(2, (void *)iov[i].base, iov[i].len);
	return sum;
}

int south_wait(s64 deadline, u32 *word, u32 expected)
{
	struct timespec ts = { deadline / NSEC_PER_SEC, deadline % NSEC_PER_SEC };
	long ret = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected,
			   deadline == FOREVER ? NULL : &ts, NULL, ~0u);

	if (ret < 0 && (errno == ETIMEDOUT || errno == EINTR))
		return -errno;
	return 0;
}

void south_kick(u32 *word, u32 nr)
{
	syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, nr, NULL, NULL, 0);
}

long south_map(u32 op, u64 addr, u64 len, u32 prot __unused, u32 flags __unused, u32 handle __unused, u64 off __unused)
{
	/* RAM is private anonymous memory here: zero again afterwards, as lib/mm/page.c expects. */
	if (op == SOUTH_MAP_DISCARD && madvise((void *)addr, len, MADV_DONTNEED))
		return -errno;
	return 0;
}

long south_cpu(u32 flags __unused, void (*entry)(void *arg) __unused, void *stack __unused, void *arg __unused, u64 tls __unused)
{
	return -ENOSYS;
}

void kprint(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void *thread_main(void *arg)
{
	struct task *t = arg;
	struct fake_thread *ft = (void *)t->cpu;

	fake_current = t;
	ft->fn(ft->arg);
	return NULL;
}

void fake_run(struct task *t, void (*fn)(void *arg), void *arg)
{
	struct fake_thread *ft = calloc(1, sizeof(*ft));

	ft->fn = fn;
	ft->arg = arg;
	t->cpu = (void *)ft;
	if (pthread_create(&ft->thread, NULL, thread_main, t))
		abort();
}

void fake_join(struct task *t)
{
	struct fake_thread *ft = (void *)t->cpu;

	pthread_join(ft->thread, NULL);
	free(ft);
	t->cpu = NULL;
}

/* A test's tasks last as long as the test: no leak checker has to hear of them. */
void __lsan_ignore_object(const void *p) __attribute__((weak));

static void *lasting(void *p)
{
	if (__lsan_ignore_object)
		__lsan_ignore_object(p);
	return p;
}

struct task *fake_task(struct process *process)
{
	static s32 next_tid = 1;
	struct task *t = lasting(calloc(1, sizeof(*t)));
	s32 tid = __atomic_fetch_add(&next_tid, 1, __ATOMIC_RELAXED);

	ref_init(&t->ref);
	t->tid = tid;
	t->regs = lasting(calloc(1, sizeof(*t->regs)));
	list_init(&t->pending.queue);
	list_init(&t->thread_node);
	list_init(&t->pi_states);
	if (!process) {
		process = lasting(calloc(1, sizeof(*process)));
		ref_init(&process->ref);
		process->tgid = process->pgid = process->sid = tid;
		process->leader = t;
		list_init(&process->threads);
		list_init(&process->children);
		list_init(&process->sibling);
		list_init(&process->pid_node);
		list_init(&process->pgrp_node);
		list_init(&process->session_node);
		list_init(&process->shared_pending.queue);
		mutex_init(&process->lock);
		for (int i = 0; i < RLIM_NLIMITS; i++)
			process->rlim[i] = (struct rlimit64){ RLIM64_INFINITY, RLIM64_INFINITY };
		process->rlim[7] = (struct rlimit64){ 1024, 4096 };	/* RLIMIT_NOFILE */
	}
	t->process = process;
	list_add_tail(&t->thread_node, &process->threads);
	process->nr_threads++;
	return t;
}

static void fake_kick(struct task *t __unused)
{
}

static int fake_start_kthread(struct task *t)
{
	task_get(t);
	fake_run(t, t->kthread_fn, t->kthread_arg);
	return 0;
}

static int fake_prepare(struct task *t)
{
	t->regs = calloc(1, sizeof(*t->regs));
	return t->regs ? 0 : -ENOMEM;
}

static void fake_unprepare(struct task *t)
{
	free(t->regs);
	t->regs = NULL;
}

static u32 fake_cpu_nr(void) { return 0; }
static u32 fake_nr_cpus(void) { return 2; }
static s64 fake_cputime(struct task *t __unused) { return 0; }
static void fake_set_tls(u64 base __unused) { }
static u64 fake_get_tls(void) { return 0; }
static u32 fake_fpu_frame_size(void) { return 512; }
static int fake_save_fpu(u64 dst) { return clear_user(dst, 512); }
static int fake_restore_fpu(u64 src __unused) { return 0; }
static void fake_reset_fpu(void) { }
static void __noreturn fake_exit_task(void) { pthread_exit(NULL); }
static void fake_mm_exit(struct mm *mm __unused) { }

static const struct machine_ops fake_machine = {
	.name = "fake",
	.direct_io = true,
	.prepare = fake_prepare,
	.unprepare = fake_unprepare,
	.start_kthread = fake_start_kthread,
	.exit_task = fake_exit_task,
	.kick = fake_kick,
	.set_tls = fake_set_tls,
	.get_tls = fake_get_tls,
	.fpu_frame_size = fake_fpu_frame_size,
	.save_fpu = fake_save_fpu,
	.restore_fpu = fake_restore_fpu,
	.reset_fpu = fake_reset_fpu,
	.cpu_nr = fake_cpu_nr,
	.nr_cpus = fake_nr_cpus,
	.cputime = fake_cputime,
	.mm_exit = fake_mm_exit,
};
const struct machine_ops *machine = &fake_machine;

/* No address spaces here; a test of lib/mm brings a pager of its own. */
extern const struct pager_ops *pager;
const struct pager_ops *pager __attribute__((weak));

void fake_boot(void)
{
	u8 seed[32];

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		abort();
	random_seed(seed, sizeof(seed));
	ram_init(mmap(NULL, FAKE_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0), FAKE_RAM);
	fake_current = fake_task(NULL);
}
