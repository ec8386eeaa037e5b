// SPDX-License-Identifier: MIT
/*
 * Threads of execution: how they are made, what they run, where they wait when they have nothing to run.
 *
 * A host thread never ends before its host process does: a task that exits leaves it idle, and the next thread that the program
 * starts takes it. So no host thread is ever created twice for the same work, and no call is needed to end one.
 */
#include "south/hosted/cpu.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/limits.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "south/host/host.h"
#include "south/hosted/gate.h"
#include "south/hosted/sigframe.h"
#include "south/south.h"

bool hosted_fsgsbase;

void cpu_set_gs(struct cpu *cpu)
{
	if (hosted_fsgsbase)
		__asm__ volatile("wrgsbase %0" : : "r"(cpu) : "memory");
	else
		host_arch_prctl(HOST_ARCH_SET_GS, (u64)cpu);
}

struct host_process *host_process_alloc(void)
{
	struct host_process *hp;

	host_process_collect();
	hp = kzalloc(sizeof(*hp));
	if (!hp)
		return NULL;
	list_init(&hp->idle);
	return hp;
}

/* A slot number for a new thread of @hp, or -EAGAIN; hp->lock held. */
static int slot_get(struct host_process *hp)
{
	for (u32 i = 0; i < ARRAY_SIZE(hp->slots); i++) {
		if (hp->slots[i] != ~0ull) {
			u32 bit = __builtin_ctzll(~hp->slots[i]);

			hp->slots[i] |= BIT(bit);
			return (int)(i * 64 + bit);
		}
	}
	return -EAGAIN;
}

/*
 * Of all host processes. A thread that idles is no task, but is the host's: processes that each had many threads once would keep more
 * than --procs allows without end. A new process gets its first one in any case, since it is a task.
 */
static u32 host_threads;

/* cpu_alloc() - a cpu of @hp for cpu_start(); @slot: the slot it has, or -1: a free one */
struct cpu *cpu_alloc(struct host_process *hp, int slot)
{
	struct cpu *cpu;
	u32 threads;

	spin_lock(&hp->lock);
	cpu = hp->unstarted;
	if (cpu)
		hp->unstarted = cpu->next_unstarted;
	spin_unlock(&hp->lock);
	if (cpu)
		return cpu;
	threads = atomic_add(&host_threads, 1u);
	cpu = slot < 0 && threads > 2 * tasks_max ? NULL : kzalloc(sizeof(*cpu));
	if (!cpu) {
		atomic_sub(&host_threads, 1u);
		return NULL;
	}
	cpu->self = cpu;
	cpu->hp = hp;
	cpu->timer = -1;
	list_init(&cpu->idle_node);
	spin_lock(&hp->lock);
	if (slot < 0)
		slot = slot_get(hp);
	else
		hp->slots[slot / 64] |= BIT(slot % 64);
	if (slot >= 0) {
		cpu->slot = (u32)slot;
		cpu->next_cpu = hp->cpus;
		store_release(&hp->cpus, cpu);
	}
	spin_unlock(&hp->lock);
	if (slot < 0) {
		atomic_sub(&host_threads, 1u);
		kfree(cpu);
		return NULL;
	}
	return cpu;
}

void cpu_unstarted(struct cpu *cpu)
{
	struct host_process *hp = cpu->hp;

	spin_lock(&hp->lock);
	cpu->next_unstarted = hp->unstarted;
	hp->unstarted = cpu;
	spin_unlock(&hp->lock);
}

/* host_process_free() - the host process has ended, or never began */
void host_process_free(struct host_process *hp)
{
	struct cpu *cpu = hp->cpus;

	while (cpu) {
		struct cpu *next = cpu->next_cpu;

		atomic_sub(&host_threads, 1u);
		kfree(cpu);
		cpu = next;
	}
	kfree(hp);
}

void cpu_count(struct cpu *cpu, struct task *t)
{
	s64 now = host_thread_time();

	WRITE_ONCE(t->ran, t->ran + now - cpu->run_start);
	cpu->run_start = now;
	WRITE_ONCE(t->ran_slept, t->slept);
	WRITE_ONCE(t->ran_at, clock_monotonic());
}

/* cpu_take_task() - @cpu, which is this one, runs @t from here on */
void cpu_take_task(struct cpu *cpu, struct task *t)
{
	cpu->kstack_top = (u64)t->regs + REGS_SIZE;
	cpu->run_start = host_thread_time();
	t->ran_at = clock_monotonic();
	t->ran_slept = t->slept;
	t->cpu = cpu;
	store_release(&cpu->task, t);
	machine->set_tls(t->tls);
}

/* The kernel stack of @cpu->done is left: the machine's reference to the task goes. */
static void cpu_put_done(struct cpu *cpu)
{
	struct task *done = cpu->done;

	if (done) {
		cpu->done = NULL;
		task_put(done);
	}
}

static void __noreturn run_regs(void *arg)
{
	hosted_return(arg);
}

static void __noreturn run_task(struct cpu *cpu, struct task *t, void (*fn)(void *arg), void *arg)
{
	cpu_take_task(cpu, t);
	/* another task was here before; if this one inherited more, it comes with WORK_PKRU */
	pkey_reset();
	if (fn)
		stack_call((void *)(cpu->kstack_top - REGS_SIZE), fn, arg);
	stack_call((void *)(cpu->kstack_top - REGS_SIZE), run_regs, t->regs);
}

/* cpu_idle() - on the cpu's own stack: wait for a task and run it */
void __noreturn cpu_idle(void *arg)
{
	struct cpu *cpu = arg;
	struct slot *slot = slot_at(cpu->slot);
	struct task *t;

	cpu_put_done(cpu);
	while (!(t = load_acquire(&slot->next))) {
		u32 wake = load_acquire(&slot->wake);

		if (!load_acquire(&slot->next))
			park(FOREVER, &slot->wake, wake);
	}
	slot->next = NULL;
	run_task(cpu, t, slot->fn, slot->arg);
}

/* cpu_assign() - let the idle @cpu, of this host process, run @t: @fn(@arg) on its kernel stack, or its program when NULL */
void cpu_assign(struct cpu *cpu, struct task *t, void (*fn)(void *arg), void *arg)
{
	struct slot *slot = slot_at(cpu->slot);

	slot->fn = fn;
	slot->arg = arg;
	store_release(&slot->next, t);
	atomic_add(&slot->wake, 1u);
	unpark(&slot->wake);
}

/* cpu_spare() - the first thread of a clean host process: the same, assigned from another address space */
void __noreturn cpu_spare(void *arg)
{
	struct cpu *cpu = arg;
	struct task *t;

	cpu_set_gs(cpu);
	slot_at(cpu->slot)->cpu = cpu;
	fpu_reset();
	while (!(t = load_acquire(&cpu->next)))
		park(FOREVER, &cpu->wake, 0);
	cpu->next = NULL;
	run_task(cpu, t, cpu->next_fn, cpu->next_arg);
}

void cpu_assign_spare(struct cpu *cpu, struct task *t, void (*fn)(void *arg), void *arg)
{
	cpu->next_fn = fn;
	cpu->next_arg = arg;
	store_release(&cpu->next, t);
	store_release(&cpu->wake, 1u);
	unpark(&cpu->wake);
}

/* cpu_leave_stack() - the current task is done with this thread of execution; @fn runs on the cpu's own stack */
void __noreturn cpu_leave_stack(struct cpu *cpu, void (*fn)(void *cpu))
{
	stack_call(cpu->idle_stack + sizeof(cpu->idle_stack), fn, cpu);
}

/*
 * cpu_first() - what a new host thread runs first, on its cpu's own stack
 * Its signal stack is set by going through rt_sigreturn, which takes it from the frame: one host call less to leave open.
 */
void __noreturn cpu_first(void *arg)
{
	struct cpu *cpu = arg;

	cpu_set_gs(cpu);
	slot_at(cpu->slot)->cpu = cpu;
	hosted_frame_set_altstack(cpu->slot);
	/* the kick signal goes to any thread of the process: one that came to this one before it had its stack was lost on us */
	kick_wanted_cpus(cpu->hp);
	fpu_reset();
	cpu_idle(cpu);
}

/* cpu_start() - a new host thread of the current host process for @cpu; it idles, or runs what was assigned before */
int cpu_start(struct cpu *cpu)
{
	long ret = south_cpu(SOUTH_CPU_THREAD, cpu_first, cpu->idle_stack + sizeof(cpu->idle_stack), cpu, (u64)cpu);

	return ret < 0 ? (int)ret : 0;
}

/*
 * cpu_clone_process() - @cpu in a new host process: @fn(@cpu) on @stack
 * Until the child has made itself a cpu it looks like us to the signal handler, with our memory: it would take the kicks that other
 * threads of ours wait for. So the slot, which is private, names nobody meanwhile, and we look for kicks that we missed afterwards.
 */
long cpu_clone_process(struct cpu *cpu, void *stack, void (*fn)(void *cpu))
{
	struct cpu *self = current_cpu();
	struct slot *slot = slot_at(self->slot);
	long ret;

	WRITE_ONCE(slot->cpu, NULL);
	barrier();
	ret = south_cpu(SOUTH_CPU_COPY, fn, stack, cpu, (u64)cpu);
	barrier();
	WRITE_ONCE(slot->cpu, self);
	barrier();
	kick_wanted_cpus(self->hp);
	return ret;
}

/* What a frame for rt_sigreturn has to hold so that it only sets the signal stack and the mask, and goes on at @rip. */
struct altstack_frame {
	struct host_ucontext uc;
};

void hosted_frame_set_altstack(u32 slot)
{
	struct altstack_frame frame;
	struct context ctx;
	u64 sp = (u64)slot_at(slot) + PAGE_SIZE;

	if (context_save(&ctx))
		return;
	memset(&frame, 0, sizeof(frame));
	frame.uc.flags = HOST_UC_SIGCONTEXT_SS | HOST_UC_STRICT_RESTORE_SS;
	frame.uc.stack.sp = sp;
	frame.uc.stack.size = HOSTED_SLOT_SIZE - PAGE_SIZE;
	frame.uc.mc.rip = (u64)context_restore;
	frame.uc.mc.rdi = (u64)&ctx;
	frame.uc.mc.rsp = (u64)&frame - 256;
	frame.uc.mc.rflags = 0x202;
	frame.uc.mc.cs = USER_CS;
	frame.uc.mc.ss = USER_SS;
	gate_sigreturn_frame(&frame);
}

/* ---- kicks: no locks, since the kick signal's handler may have interrupted anything ---- */

/* kick_cpu() - send the kick signal to @cpu's thread, which is of our host process: a timer can reach no other */
bool kick_cpu(struct cpu *cpu)
{
	s32 timer = load_acquire(&cpu->timer);

	if (timer < 0) {
		timer = host_kick_timer_create(load_acquire(&cpu->host_tid));
		if (timer < 0)
			return false;
		/* two kickers at once: the other timer stays unused */
		if (!atomic_cmpxchg(&cpu->timer, -1, timer))
			timer = load_acquire(&cpu->timer);
	}
	return !host_kick_timer_fire(timer);
}

/* In the kick signal's handler: pass on what was wanted from outside for the other threads here. */
void kick_wanted_cpus(struct host_process *hp)
{
	struct cpu *self = current_cpu();

	for (struct cpu *cpu = load_acquire(&hp->cpus); cpu; cpu = cpu->next_cpu)
		if (cpu != self && atomic_xchg(&cpu->kick_wanted, 0u))
			kick_cpu(cpu);
}
