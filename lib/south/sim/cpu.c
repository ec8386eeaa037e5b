// SPDX-License-Identifier: MIT
/* Fibers, time, sleeping, and how tasks begin and end. */
#define _GNU_SOURCE
#include "south/sim/sim.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/random.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "north/linux/syscall.h"
#include "process/fork.h"
#include "process/signal.h"
#include "south/south.h"

void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size);
void __asan_unpoison_memory_region(const volatile void *p, size_t n);
void __lsan_register_root_region(const void *p, size_t n);

#define MAX_FIBERS	128u
#define STACK_SIZE	(512ul << 10)
#define STEP_NS		200		/* each look at the clock takes that long */

enum fiber_state { FIBER_FREE, FIBER_READY, FIBER_WAITS, FIBER_SETTLES, FIBER_DEAD };

struct fiber {
	enum fiber_state state;
	ucontext_t context;
	jmp_buf program;		/* enter(): back to the loop that plays the program */
	struct task *task;
	void (*fn)(void *arg);
	void *arg;
	u8 *stack;			/* NULL: the host thread's own */
	size_t stack_size;
	void *fake_stack;
	u32 *word;			/* FIBER_WAITS */
	s64 deadline;
	int result;
};

__thread struct task *fake_current;
s64 sim_now = 1000 * NSEC_PER_SEC;
struct sim_host sim_host;
bool sim_talks;

static struct fiber fibers[MAX_FIBERS], *running = &fibers[0], *reaper;
static void __noreturn (*program)(void);
static u64 rng = 1;
static u32 preempt_in;
static u32 switches_left;
static s64 settle_until;
static const struct machine_ops sim_machine;
const struct machine_ops *machine = &sim_machine;

/* ---- chance ---- */

void sim_seed(u64 seed, u32 preempt)
{
	rng = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
	preempt_in = preempt;
}

u32 sim_random(u32 below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return below ? (u32)((rng >> 20) % below) : 0;
}

/* These stand in for lib/base/random.c, whose state would differ from input to input. */
void random_seed(const void *seed __unused, size_t len __unused) { }

void random_bytes(void *buf, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((u8 *)buf)[i] = (u8)sim_random(256);
}

u64 random_u64(void) { return (u64)sim_random(~0u) << 32 | sim_random(~0u); }
u64 random_below(u64 n) { return random_u64() % n; }

/* ---- switching ---- */

static void arrived(void)
{
	__sanitizer_finish_switch_fiber(running->fake_stack, NULL, NULL);
	fake_current = running->task;
}

static void switch_to(struct fiber *f)
{
	struct fiber *from = running;

	if (f == from)
		return;
	from->task = fake_current;
	running = f;
	__sanitizer_start_switch_fiber(from->state == FIBER_DEAD ? NULL : &from->fake_stack, f->stack, f->stack_size);
	swapcontext(&from->context, &f->context);
	arrived();
}

static void fiber_main(void)
{
	arrived();
	running->fn(running->arg);
	machine->exit_task();
}

/* Somebody who can run; time passes when nobody can. */
static struct fiber *pick(void)
{
	for (;;) {
		struct fiber *ready[MAX_FIBERS], *next = NULL, *settles = NULL;
		u32 n = 0;

		for (struct fiber *f = fibers; f < fibers + MAX_FIBERS; f++) {
			if (f->state == FIBER_READY)
				ready[n++] = f;
			else if (f->state == FIBER_WAITS && f->deadline != FOREVER && (!next || f->deadline < next->deadline))
				next = f;
			else if (f->state == FIBER_SETTLES)
				settles = f;
		}
		if (switches_left && settles)
			switches_left--;
		if (settles && !switches_left)
			return settles;
		if (n)
			return ready[n == 1 ? 0 : sim_random(n)];
		if (next && (!settles || next->deadline <= settle_until)) {
			sim_now = max(sim_now, next->deadline);
			next->result = -ETIMEDOUT;
			next->state = FIBER_READY;
			continue;
		}
		if (settles)
			return settles;
		fprintf(stderr, "sim: everybody sleeps, and nothing will wake anybody\n");
		abort();
	}
}

void sim_yield(void)
{
	if (preempt_in && !sim_random(preempt_in))
		switch_to(pick());
}

bool sim_settle(s64 ns, u32 switches)
{
	bool quiet;

	settle_until = sim_now + ns;
	switches_left = switches;
	running->state = FIBER_SETTLES;
	switch_to(pick());
	running->state = FIBER_READY;
	quiet = switches_left;
	switches_left = 0;
	return quiet;
}

u32 sim_fibers(void)
{
	u32 n = 0;

	for (struct fiber *f = fibers; f < fibers + MAX_FIBERS; f++)
		n += f->state != FIBER_FREE && f != running && f != reaper && !(f->task && f->task->kthread);
	return n;
}

static struct fiber *fiber_new(struct task *t, void (*fn)(void *arg), void *arg)
{
	struct fiber *f;

	for (f = fibers + 1; f < fibers + MAX_FIBERS && f->state != FIBER_FREE; f++)
		;
	if (f == fibers + MAX_FIBERS)
		return NULL;
	if (!f->stack) {
		f->stack_size = STACK_SIZE;
		f->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (f->stack == MAP_FAILED)
			abort();
		mprotect(f->stack, PAGE_SIZE, PROT_NONE);
		__lsan_register_root_region(f->stack + PAGE_SIZE, STACK_SIZE - PAGE_SIZE);
	}
	__asan_unpoison_memory_region(f->stack + PAGE_SIZE, STACK_SIZE - PAGE_SIZE);
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = f->stack_size;
	f->context.uc_link = NULL;
	makecontext(&f->context, fiber_main, 0);
	f->fake_stack = NULL;
	f->task = t;
	f->fn = fn;
	f->arg = arg;
	f->state = FIBER_READY;
	return f;
}

static struct fiber *dead_fiber(void)
{
	for (struct fiber *f = fibers; f < fibers + MAX_FIBERS; f++)
		if (f->state == FIBER_DEAD)
			return f;
	return NULL;
}

/* The last references of tasks that left go here, where no lock is held. Putting one may sleep, and more may have died then. */
static void reap(void *arg __unused)
{
	for (;;) {
		struct fiber *f = dead_fiber();
		struct task *t;

		if (!f) {
			running->state = FIBER_WAITS;
			running->deadline = FOREVER;
			running->word = NULL;
			switch_to(pick());
			continue;
		}
		t = f->task;
		f->task = NULL;
		f->state = FIBER_FREE;
		task_put(t);
	}
}

/* ---- the South's calls ---- */

s64 south_clock(u32 id)
{
	sim_now += STEP_NS;
	return id == SOUTH_CLOCK_REALTIME ? sim_now + 1700000000ll * NSEC_PER_SEC : sim_now;
}

int south_wait(s64 deadline, u32 *word, u32 expected)
{
	if (READ_ONCE(*word) != expected)
		return 0;
	running->word = word;
	running->deadline = deadline;
	running->result = 0;
	running->state = FIBER_WAITS;
	switch_to(pick());
	return running->result;
}

void south_kick(u32 *word, u32 nr)
{
	for (struct fiber *f = fibers; nr && f < fibers + MAX_FIBERS; f++) {
		if (f->state != FIBER_WAITS || f->word != word)
			continue;
		f->state = FIBER_READY;
		nr--;
	}
}

static ssize_t move(u32 handle, u64 off, const struct iov *iov, u32 nr, bool out)
{
	ssize_t sum = 0;

	if (out ? !sim_host.write : !sim_host.read)
		return -EBADF;
	for (u32 i = 0; i < nr; i++) {
		u64 at = off == SOUTH_STREAM ? off : off + (u64)sum;
		size_t len = min_t(size_t, iov[i].len, 65536);
		bool user = access_ok(iov[i].base, 1);
		u8 *buf = user ? malloc(len + 1) : (u8 *)iov[i].base;
		ssize_t n = -EFAULT;

		/* as a host would: what is not backed is not brought */
		if (!user || !out || !copy_from_user(buf, iov[i].base, len))
			n = out ? sim_host.write(handle, at, buf, len) : sim_host.read(handle, at, buf, len);
		if (user && !out && n > 0 && copy_to_user(iov[i].base, buf, (size_t)n))
			n = -EFAULT;
		if (user)
			free(buf);
		if (n < 0)
			return sum ? sum : n;
		sum += n;
		if (n < (ssize_t)iov[i].len)
			break;
	}
	return sum;
}

ssize_t south_read(u32 handle, u64 off, const struct iov *iov, u32 nr) { return move(handle, off, iov, nr, false); }
ssize_t south_write(u32 handle, u64 off, const struct iov *iov, u32 nr) { return move(handle, off, iov, nr, true); }

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

void south_exit(int status)
{
	fprintf(stderr, "sim: the sandbox ended with %d\n", status);
	abort();
}

void kprint(const char *fmt, ...)
{
	va_list ap;

	if (!sim_talks)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ---- the way back to the program ---- */

static void way_back(struct regs *r)
{
	while (task_wants_exit_work(r))
		task_exit_work(r);
}

void sim_checkpoint(void)
{
	current->regs->orig_rax = ~0ull;
	current->regs->rax = 0;
	way_back(current->regs);
}

long sim_syscall(u64 nr, const u64 *args)
{
	struct regs *r = current->regs;

	memcpy(r->arg, args, sizeof(r->arg));
	r->rax = nr;
	for (;;) {
		sim_yield();
		r->rip = SIM_SYSCALL_RIP + 2;
		r->orig_rax = r->rax;
		syscall_dispatch(r);
		way_back(r);
		if (r->rip != SIM_SYSCALL_RIP)
			return (long)r->rax;
	}
}

/* ---- the machine ---- */

static int sim_prepare(struct task *t)
{
	t->regs = calloc(1, sizeof(*t->regs));
	return t->regs ? 0 : -ENOMEM;
}

static void sim_unprepare(struct task *t)
{
	free(t->regs);
	t->regs = NULL;
}

static void enter_program(void *arg __unused)
{
	(void)setjmp(running->program);
	way_back(current->regs);
	program();
}

static void enter_fork(void *arg)
{
	mm_fork_fixup();
	enter_program(arg);
}

static int start(struct task *t, void (*fn)(void *arg), void *arg)
{
	if (!fiber_new(t, fn, arg))
		return -EAGAIN;
	task_get(t);
	return 0;
}

static int sim_start_thread(struct task *t) { return start(t, enter_program, NULL); }
static int sim_start_kthread(struct task *t) { return start(t, t->kthread_fn, t->kthread_arg); }

static int sim_start_fork(struct task *t)
{
	int ret = sim_mm_fork(current->mm, t->mm);

	if (!ret)
		ret = start(t, enter_fork, NULL);
	if (ret)
		sim_mm_free(t->mm);
	return ret;
}

static int sim_exec_fresh(struct mm *mm, void (*fn)(void *arg), void *arg)
{
	struct mm *old = current->mm;

	if (READ_ONCE(old->users) == 1)
		mm_clear(old);
	task_set_mm(mm);
	fn(arg);
	abort();
}

static void __noreturn sim_enter(void)
{
	longjmp(running->program, 1);
}

static void __noreturn sim_exit_task(void)
{
	running->state = FIBER_DEAD;
	if (reaper->state == FIBER_WAITS)
		reaper->state = FIBER_READY;
	switch_to(pick());
	abort();
}

static void sim_mm_exit(struct mm *mm) { sim_mm_free(mm); }
static void sim_kick(struct task *t __unused) { }
static u32 sim_cpu_nr(void) { return 0; }
static u32 sim_nr_cpus(void) { return 2; }
static s64 sim_cputime(struct task *t) { return max(sim_now - t->start_time - t->slept, 0ll); }
static void sim_set_tls(u64 base) { current->tls = base; }
static u64 sim_get_tls(void) { return current->tls; }
static u32 sim_fpu_frame_size(void) { return 576; }
static int sim_save_fpu(u64 dst) { return clear_user(dst, 576); }
static void sim_reset_fpu(void) { }
static u64 sim_auxv(u32 type __unused) { return 0; }

static int sim_restore_fpu(u64 src)
{
	u8 area[576];

	return src ? copy_from_user(area, src, sizeof(area)) : 0;
}

static ssize_t sim_send(u32 handle, const void *buf, size_t len)
{
	return sim_host.send ? sim_host.send(handle, buf, len) : -EBADF;
}

static ssize_t sim_recv(u32 handle, void *buf, size_t len, u32 *granted)
{
	return sim_host.recv ? sim_host.recv(handle, buf, len, granted) : -EBADF;
}

static void sim_close(u32 handle)
{
	if (sim_host.close)
		sim_host.close(handle);
}

static const struct machine_ops sim_machine = {
	.name = "sim", .direct_io = true,
	.prepare = sim_prepare, .unprepare = sim_unprepare,
	.start_thread = sim_start_thread, .start_fork = sim_start_fork, .start_kthread = sim_start_kthread,
	.exec_fresh = sim_exec_fresh, .enter = sim_enter, .exit_task = sim_exit_task, .kick = sim_kick,
	.set_tls = sim_set_tls, .get_tls = sim_get_tls,
	.fpu_frame_size = sim_fpu_frame_size, .save_fpu = sim_save_fpu, .restore_fpu = sim_restore_fpu, .reset_fpu = sim_reset_fpu,
	.cpu_nr = sim_cpu_nr, .nr_cpus = sim_nr_cpus, .auxv = sim_auxv, .cputime = sim_cputime, .mm_exit = sim_mm_exit,
	.send = sim_send, .recv = sim_recv, .close_handle = sim_close,
};

/* ---- boot ---- */

void sim_machine_boot(void __noreturn (*fn)(void));
void sim_machine_boot(void __noreturn (*fn)(void))
{
	pthread_attr_t attr;
	void *stack;

	program = fn;
	running->state = FIBER_READY;
	if (pthread_getattr_np(pthread_self(), &attr) || pthread_attr_getstack(&attr, &stack, &running->stack_size))
		abort();
	pthread_attr_destroy(&attr);
	running->stack = stack;
	reaper = fiber_new(NULL, reap, NULL);
}
