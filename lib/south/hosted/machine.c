// SPDX-License-Identifier: MIT
/* struct machine_ops for hosted Souths: a task runs on a host thread, an address space is a host process. */
#include "base/errno.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/fork.h"
#include "sched/time.h"
#include "south/host/host.h"
#include "south/hosted/cpu.h"
#include "south/hosted/gate.h"
#include "south/hosted/patch.h"
#include "south/south.h"

u64 hosted_auxv[64];
static u32 processors;

#define AT_NULL	0

static int hosted_prepare(struct task *t)
{
	void *stack = page_alloc(HOSTED_KSTACK_SIZE / PAGE_SIZE);

	if (!stack)
		return -ENOMEM;
	t->kstack = stack;
	t->regs = (struct regs *)((char *)stack + HOSTED_KSTACK_SIZE - KSTACK_ABOVE_REGS - sizeof(struct regs));
	return 0;
}

static void hosted_unprepare(struct task *t)
{
	if (t->kstack)
		page_free(t->kstack, HOSTED_KSTACK_SIZE / PAGE_SIZE);
	t->kstack = NULL;
	t->regs = NULL;
}

static struct cpu *idle_cpu_get(struct host_process *hp)
{
	struct cpu *cpu;

	spin_lock(&hp->lock);
	cpu = list_first_or_null(&hp->idle, struct cpu, idle_node);
	if (cpu)
		list_del(&cpu->idle_node);
	spin_unlock(&hp->lock);
	return cpu;
}

static void hp_count(struct host_process *hp, int n)
{
	spin_lock(&hp->lock);
	hp->nr_tasks += n;
	spin_unlock(&hp->lock);
}

/* run_in_process() - @t on an idle or new thread of the current host process */
int run_in_process(struct host_process *hp, struct task *t, void (*fn)(void *arg), void *arg)
{
	struct cpu *cpu = idle_cpu_get(hp);
	bool fresh = !cpu;
	int ret = 0;

	if (fresh)
		cpu = cpu_alloc(hp, -1);
	if (!cpu)
		return -EAGAIN;
	task_get(t);
	hp_count(hp, 1);
	cpu_assign(cpu, t, fn, arg);
	if (fresh)
		ret = cpu_start(cpu);
	if (ret) {
		slot_at(cpu->slot)->next = NULL;
		cpu_unstarted(cpu);
		hp_count(hp, -1);
		task_put(t);
		return ret;
	}
	return 0;
}

static int hosted_start_thread(struct task *t)
{
	pkey_inherit(t);
	return run_in_process(current_cpu()->hp, t, NULL, NULL);
}

static void __noreturn fork_child(void *arg)
{
	struct cpu *cpu = arg;
	struct task *t = cpu->next;

	/* until here the slot names nobody, and host signals do nothing */
	cpu_set_gs(cpu);
	slot_at(cpu->slot)->cpu = cpu;
	cpu->next = NULL;
	cpu_take_task(cpu, t);
	/* the host has copied the registration too; a vfork child's child has none */
	if (!t->rseq_addr)
		cpu_rseq_switch(cpu, &(struct host_rseq){ 0 });
	mm_fork_fixup();
	hosted_return(t->regs);
}

static int hosted_start_fork(struct task *t)
{
	struct host_process *hp = host_process_alloc();
	struct cpu *cpu = hp ? cpu_alloc(hp, (int)current_cpu()->slot) : NULL;
	long ret;

	if (!cpu) {
		kfree(hp);
		return -ENOMEM;
	}
	cpu->rseq = current_cpu()->rseq;
	task_get(t);
	pkey_inherit(t);
	hp->nr_tasks = 1;
	t->mm->south = hp;
	cpu->next = t;
	if (!t->tls)
		t->tls = machine->get_tls();
	ret = patch_fork(t->mm);
	if (!ret)
		ret = cpu_clone_process(cpu, t->regs, fork_child);
	if (ret < 0) {
		patch_exit(t->mm);
		t->mm->south = NULL;
		host_process_free(hp);
		task_put(t);
		return (int)ret;
	}
	return 0;
}

static int hosted_run_vfork(struct task *t)
{
	struct cpu *cpu = current_cpu();
	struct vfork_frame frame;
	struct task *done;

	supervisor_expect_exec();
	frame.outer = cpu->vfork;
	frame.parent = current;
	frame.tls = machine->get_tls();
	frame.pkru = pkey_get();
	frame.rseq = cpu->rseq;
	cpu_count(cpu, current);
	fpu_save_kernel(frame.fpu);
	pkey_inherit(t);
	hp_count(cpu->hp, 1);
	task_get(t);
	if (!context_save(&frame.context)) {
		cpu->vfork = &frame;
		if (!t->tls)
			t->tls = frame.tls;
		cpu_take_task(cpu, t);
		hosted_return(t->regs);
	}
	/* the child left this thread: vfork_resume() */
	fpu_restore_kernel(frame.fpu);
	pkey_set(frame.pkru);
	done = cpu->done;
	cpu->done = NULL;
	if (done)
		task_put(done);
	return 0;
}

/* On the cpu's own stack: the vfork parent goes on. */
static void __noreturn vfork_resume(void *arg)
{
	struct cpu *cpu = arg;
	struct vfork_frame *frame = cpu->vfork;

	cpu->vfork = frame->outer;
	cpu->kstack_top = (u64)frame->parent->regs + REGS_SIZE;
	cpu->run_start = host_thread_time();
	store_release(&cpu->task, frame->parent);
	machine->set_tls(frame->tls);
	cpu_rseq_switch(cpu, &frame->rseq);
	if (READ_ONCE(cpu->hp->deaf))
		atomic_or(&frame->parent->work, WORK_RSEQ);
	context_restore(&frame->context);
}

static void __noreturn become_idle(struct cpu *cpu)
{
	struct host_process *hp = cpu->hp;
	struct task *done = cpu->done;
	bool last;

	store_release(&cpu->task, NULL);
	cpu->done = NULL;
	spin_lock(&hp->lock);
	last = --hp->nr_tasks == 0;
	if (!last)
		list_add(&cpu->idle_node, &hp->idle);
	spin_unlock(&hp->lock);
	if (done)
		task_put(done);
	if (!last)
		cpu_idle(cpu);
	slot_at(cpu->slot)->cpu = NULL;
	host_process_bury(hp);
	gate_exit_process(0, &hp->dead);
}

/* On the cpu's own stack: the task is gone, or went to another cpu. */
static void __noreturn task_left(void *arg)
{
	struct cpu *cpu = arg;

	if (cpu->vfork) {
		hp_count(cpu->hp, -1);
		vfork_resume(cpu);
	}
	become_idle(cpu);
}

static void __noreturn hosted_exit_task(void)
{
	struct cpu *cpu = current_cpu();

	cpu->done = current;
	cpu_leave_stack(cpu, task_left);
}

/* A task that moves to a clean host process; its old thread has to be off its kernel stack first. */
struct move {
	struct cpu *spare;
	struct task *task;
	void (*fn)(void *arg);
	void *arg;
};

static void __noreturn task_moved(void *arg)
{
	struct cpu *cpu = arg;
	struct move *move = cpu->next_arg;

	/* the machine's reference moves with the task */
	cpu_assign_spare(move->spare, move->task, move->fn, move->arg);
	kfree(move);
	task_left(cpu);
}

static int hosted_exec_fresh(struct mm *mm, void (*fn)(void *arg), void *arg)
{
	struct cpu *cpu = current_cpu(), *spare;
	struct task *t = current;
	struct mm *old = t->mm;
	struct move *move;

	if (!cpu->vfork && cpu->hp->nr_tasks == 1) {
		mm_clear(old);
		mm->south = cpu->hp;
		task_set_mm(mm);
		machine->set_tls(0);
		fpu_reset();
		atomic_and(&t->work, ~(u32)WORK_PKRU);
		stack_call(t->regs, fn, arg);
	}
	move = kmalloc(sizeof(*move));
	if (!move)
		return -ENOMEM;
	spare = supervisor_take_spare();
	if (IS_ERR(spare)) {
		kfree(move);
		return (int)PTR_ERR(spare);
	}
	*move = (struct move){ spare, t, fn, arg };
	cpu_count(cpu, t);
	spare->hp->nr_tasks = 1;
	mm->south = spare->hp;
	task_set_mm(mm);
	t->tls = 0;
	atomic_and(&t->work, ~(u32)WORK_PKRU);
	cpu->next_arg = move;
	cpu_leave_stack(cpu, task_moved);
}

static int hosted_start_fresh(struct task *t, void (*fn)(void *arg), void *arg)
{
	struct cpu *spare = supervisor_take_spare();

	if (IS_ERR(spare))
		return (int)PTR_ERR(spare);
	task_get(t);
	spare->hp->nr_tasks = 1;
	if (t->mm)
		t->mm->south = spare->hp;
	cpu_assign_spare(spare, t, fn, arg);
	return 0;
}

static void __noreturn hosted_enter(void)
{
	hosted_return(current->regs);
}

static void hosted_kick(struct task *t)
{
	struct cpu *cpu = READ_ONCE(t->cpu);

	smp_mb();
	if (!cpu || load_acquire(&cpu->task) != t || t == current)
		return;
	if (!load_acquire(&cpu->in_user) && !load_acquire(&cpu->in_call))
		return;		/* looks at its work before it goes on */
	if (cpu->hp == current_cpu()->hp) {
		kick_cpu(cpu);
		return;
	}
	store_release(&cpu->kick_wanted, 1u);
	host_kick_all();
}

static void hosted_set_tls(u64 base)
{
	current->tls = base;
	if (hosted_fsgsbase)
		__asm__ volatile("wrfsbase %0" : : "r"(base));
	else
		host_arch_prctl(HOST_ARCH_SET_FS, base);
}

static u64 hosted_get_tls(void)
{
	u64 base;

	if (!hosted_fsgsbase)
		return current->tls;
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static u32 hosted_cpu_nr(void)
{
	u32 nr = 0;

	/* vgetcpu: the segment limit of selector 0x7b holds node << 12 | cpu, readable everywhere */
	__asm__("lsl %1, %0" : "+r"(nr) : "r"(0x7b));
	return (nr & 0xfff) % (processors ? processors : 1);
}

static u32 hosted_nr_cpus(void)
{
	return processors;
}

static u64 hosted_vdso(void)
{
	return host_vdso;
}

static u64 auxv_get(u32 type)
{
	for (u32 i = 0; i + 1 < ARRAY_SIZE(hosted_auxv) && hosted_auxv[i] != AT_NULL; i += 2)
		if (hosted_auxv[i] == type)
			return hosted_auxv[i + 1];
	return 0;
}

/*
 * What the current task used is what the host says. Of others it is known when they last looked, or left a thread; since then it is
 * at most the time that they were not asleep, which on a busy host is more than they ran.
 */
static s64 hosted_cputime(struct task *t)
{
	s64 ns, asleep, told;

	if (t == current) {
		cpu_count(current_cpu(), t);
		ns = t->ran;
	} else {
		s64 now = clock_monotonic();

		asleep = READ_ONCE(t->sleep_start);
		asleep = READ_ONCE(t->slept) - READ_ONCE(t->ran_slept) + (asleep ? now - asleep : 0);
		ns = READ_ONCE(t->ran);
		if (load_acquire(&t->cpu))
			ns += max_t(s64, 0, now - READ_ONCE(t->ran_at) - asleep);
	}
	told = READ_ONCE(t->ran_told);
	if (ns > told)
		WRITE_ONCE(t->ran_told, ns);
	return max(ns, told);
}

static void hosted_mm_exit(struct mm *mm)
{
	mm->south = NULL;
	patch_exit(mm);
}

static const struct machine_ops hosted_machine = {
	.name = "hosted",
	.direct_io = true,
	.prepare = hosted_prepare,
	.unprepare = hosted_unprepare,
	.start_thread = hosted_start_thread,
	.start_fork = hosted_start_fork,
	.start_fresh = hosted_start_fresh,
	.start_kthread = supervisor_run_kthread,
	.run_vfork = hosted_run_vfork,
	.exec_fresh = hosted_exec_fresh,
	.enter = hosted_enter,
	.exit_task = hosted_exit_task,
	.kick = hosted_kick,
	.set_tls = hosted_set_tls,
	.get_tls = hosted_get_tls,
	.fpu_frame_size = fpu_frame_size,
	.save_fpu = fpu_save,
	.restore_fpu = fpu_restore,
	.reset_fpu = fpu_reset,
	.rseq = hosted_rseq,
	.cpu_nr = hosted_cpu_nr,
	.nr_cpus = hosted_nr_cpus,
	.vdso = hosted_vdso,
	.auxv = auxv_get,
	.cputime = hosted_cputime,
	.mm_exit = hosted_mm_exit,
	.text_changed = patch_text_changed,
	.stats = patch_stats,
	.send = host_send,
	.recv = host_recv,
	.close_handle = host_close_handle,
	.leave_at = host_leave_at,
};
const struct machine_ops *machine = &hosted_machine;

int hosted_init(u32 nr_cpus)
{
	processors = nr_cpus;
	fpu_init();
	return 0;
}
