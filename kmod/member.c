// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Members: tasks that are in a sandbox.
 *
 * A member is marked in the kernel's own fields of user dispatch: the bit that lets the kernel ask syscall_user_dispatch(), and a
 * selector that nobody else can have. A clone copies the fields but not the bit; the probe on fork sets it before the child first
 * runs. What a new member is made of was allocated when its maker said cpu(): the probe cannot fail.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/entry-common.h>
#include <linux/file.h>
#include <linux/hashtable.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#include "litebox.h"

/* Guards the table, every sandbox's processes and nr_spaces, and what litebox.h says. */
DEFINE_SPINLOCK(litebox_members_lock);
static DEFINE_HASHTABLE(cpus_by_task, 10);

unsigned long litebox_mark __ro_after_init;
static struct tracepoint *fork_tp, *exit_tp;

/* members_lock held, or RCU */
static struct litebox_cpu *cpu_of(const struct task_struct *t)
{
	struct litebox_cpu *cpu;

	hash_for_each_possible_rcu(cpus_by_task, cpu, node, (unsigned long)t,
				   lockdep_is_held(&litebox_members_lock))
		if (cpu->task == t)
			return cpu;
	return NULL;
}

struct litebox_cpu *litebox_current(void)
{
	struct litebox_cpu *cpu;

	if (!litebox_is_member(current))
		return NULL;
	/* the others in the chain may go; our own entry goes with us */
	rcu_read_lock();
	cpu = cpu_of(current);
	rcu_read_unlock();
	return cpu;
}

static struct litebox_process *process_alloc(struct litebox_sandbox *sb)
{
	struct litebox_process *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return NULL;
	kref_get(&sb->ref);
	p->sandbox = sb;
	INIT_LIST_HEAD(&p->node);
	atomic_inc(&litebox_counters.processes);
	return p;
}

/* Out of its list, and nobody's any more. */
static void process_free(struct litebox_process *p)
{
	put_pid(p->pid);
	litebox_sandbox_put(p->sandbox);
	kfree_rcu(p, rcu);
	atomic_dec(&litebox_counters.processes);
}

/* A cpu with a number, for a task to come. */
static struct litebox_cpu *cpu_alloc(struct litebox_sandbox *sb)
{
	struct litebox_cpu *cpu = kzalloc(sizeof(*cpu), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!cpu)
		return ERR_PTR(-ENOMEM);
	ret = xa_alloc(&sb->cpus, &cpu->nr, cpu, XA_LIMIT(0, sb->limits.cpus - 1), GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(cpu);
		return ERR_PTR(ret == -EBUSY ? -EAGAIN : ret);
	}
	atomic_inc(&litebox_counters.cpus);
	return cpu;
}

static void cpu_free(struct litebox_sandbox *sb, struct litebox_cpu *cpu)
{
	xa_erase(&sb->cpus, cpu->nr);
	kfree_rcu(cpu, rcu);
	atomic_dec(&litebox_counters.cpus);
}

static bool space_reserve(struct litebox_sandbox *sb)
{
	bool ok;

	spin_lock(&litebox_members_lock);
	ok = sb->nr_spaces < sb->limits.spaces;
	sb->nr_spaces += ok;
	spin_unlock(&litebox_members_lock);
	return ok;
}

static void space_release(struct litebox_sandbox *sb)
{
	spin_lock(&litebox_members_lock);
	sb->nr_spaces--;
	spin_unlock(&litebox_members_lock);
}

/* What cpu() made ready for a clone that did not come. */
static void forget_next(struct litebox_sandbox *sb, struct litebox_cpu *self)
{
	if (!self->next)
		return;
	if (self->next_process) {
		process_free(self->next_process);
		space_release(sb);
	}
	cpu_free(sb, self->next);
	self->next = NULL;
	self->next_process = NULL;
}

/* litebox_cpu_ready() - the next clone of the caller is as @start says. Return: the new cpu's number, -EAGAIN, -ENOMEM */
int litebox_cpu_ready(struct litebox_cpu *self, const struct lbx_cpu *start)
{
	struct litebox_sandbox *sb = self->process->sandbox;
	struct litebox_process *process = NULL;
	struct litebox_cpu *cpu;

	forget_next(sb, self);
	cpu = cpu_alloc(sb);
	if (IS_ERR(cpu))
		return PTR_ERR(cpu);
	if (start->flags == LBX_CPU_COPY) {
		if (!space_reserve(sb)) {
			cpu_free(sb, cpu);
			return -EAGAIN;
		}
		process = process_alloc(sb);
		if (!process) {
			space_release(sb);
			cpu_free(sb, cpu);
			return -ENOMEM;
		}
	}
	cpu->start = *start;
	self->next_process = process;
	self->next = cpu;
	return cpu->nr;
}

int litebox_cpu_interrupt(struct litebox_sandbox *sb, u32 nr)
{
	struct litebox_cpu *cpu;
	int ret = -ESRCH;

	rcu_read_lock();
	cpu = xa_load(&sb->cpus, nr);
	spin_lock(&litebox_members_lock);
	if (cpu && cpu->task)
		ret = send_sig(LITEBOX_SIGKICK, cpu->task, 1);
	spin_unlock(&litebox_members_lock);
	rcu_read_unlock();
	return ret;
}

static void mark(struct task_struct *t)
{
	set_task_syscall_work(t, SYSCALL_USER_DISPATCH);
}

static void join(struct litebox_cpu *cpu, struct task_struct *t, struct litebox_process *process)
{
	lockdep_assert_held(&litebox_members_lock);
	cpu->task = t;
	cpu->process = process;
	if (!process->nr_cpus++) {
		process->pid = get_pid(task_tgid(t));
		list_add_tail(&process->node, &process->sandbox->processes);
	}
	process->sandbox->nr_cpus++;
	hash_add_rcu(cpus_by_task, &cpu->node, (unsigned long)t);
}

/* litebox_run() - the current task becomes the first member of @sb, whose lock is held and which is sealed */
int litebox_run(struct litebox_sandbox *sb, struct file *file)
{
	struct syscall_user_dispatch *sud = &current->syscall_dispatch;
	struct litebox_process *process;
	struct litebox_cpu *cpu;
	struct file *at;

	if (litebox_is_member(current))
		return -EPERM;
	if (test_syscall_work(SYSCALL_USER_DISPATCH) || !thread_group_empty(current) || in_compat_syscall())
		return -EINVAL;
	at = fget(LBX_DEVICE_FD);
	if (at)
		fput(at);
	if (at != file)
		return -EINVAL;
	process = process_alloc(sb);
	if (!process)
		return -ENOMEM;
	cpu = cpu_alloc(sb);
	if (IS_ERR(cpu)) {
		process_free(process);
		return PTR_ERR(cpu);
	}
	spin_lock(&litebox_members_lock);
	sb->nr_spaces++;
	join(cpu, current, process);
	spin_unlock(&litebox_members_lock);
	sud->selector = (char __user *)litebox_mark;
	sud->offset = sb->seal.gate;
	sud->len = LBX_GATE_SIZE;
	sud->on_dispatch = false;
	mark(current);
	return cpu->nr;
}

/* The child begins where cpu() was told, whatever the registers of the clone said. */
static void start_at(struct task_struct *child, const struct lbx_cpu *start)
{
	struct pt_regs *regs = task_pt_regs(child);

	regs->ip = start->entry;
	regs->cx = start->entry;
	regs->sp = start->stack;
	regs->di = start->arg;
	child->thread.gsbase = start->tls;
}

static void probe_fork(void *data, struct task_struct *parent, struct task_struct *child)
{
	struct litebox_process *process;
	struct litebox_sandbox *sb;
	struct litebox_cpu *cpu, *next;
	bool dying;

	if (!litebox_is_member(parent))
		return;
	rcu_read_lock();
	cpu = cpu_of(parent);
	rcu_read_unlock();
	if (WARN_ON_ONCE(!cpu || !cpu->next)) {
		/* the gate lets no clone pass without */
		mark(child);
		send_sig(SIGKILL, child, 1);
		return;
	}
	next = cpu->next;
	process = cpu->next_process ? cpu->next_process : cpu->process;
	sb = process->sandbox;
	cpu->next = NULL;
	cpu->next_process = NULL;
	start_at(child, &next->start);
	spin_lock(&litebox_members_lock);
	join(next, child, process);
	dying = sb->dying;
	spin_unlock(&litebox_members_lock);
	mark(child);
	if (dying)
		send_sig(SIGKILL, child, 1);
}

static void probe_exit(void *data, struct task_struct *t)
{
	struct litebox_process *process;
	struct litebox_sandbox *sb;
	struct litebox_cpu *cpu;
	bool last_of_process, last = false;

	if (!litebox_is_member(t))
		return;
	rcu_read_lock();
	cpu = cpu_of(t);
	rcu_read_unlock();
	if (!cpu)
		return;
	process = cpu->process;
	sb = process->sandbox;
	forget_next(sb, cpu);
	spin_lock(&litebox_members_lock);
	hash_del_rcu(&cpu->node);
	cpu->task = NULL;
	sb->nr_cpus--;
	last_of_process = !--process->nr_cpus;
	if (last_of_process) {
		list_del(&process->node);
		sb->nr_spaces--;
		last = list_empty(&sb->processes);
	}
	spin_unlock(&litebox_members_lock);
	cpu_free(sb, cpu);
	if (last)
		wake_up_all(&sb->ended);
	if (last_of_process)
		process_free(process);
}

static void find_tracepoint(struct tracepoint *tp, void *data)
{
	if (!strcmp(tp->name, "sched_process_fork"))
		fork_tp = tp;
	else if (!strcmp(tp->name, "sched_process_exit"))
		exit_tp = tp;
}

int litebox_members_init(void)
{
	int ret;

	litebox_mark = TASK_SIZE_MAX + 0xb8;
	for_each_kernel_tracepoint(find_tracepoint, NULL);
	if (!fork_tp || !exit_tp) {
		pr_err("this kernel has no sched_process_fork or sched_process_exit tracepoint (CONFIG_TRACEPOINTS)\n");
		return -EOPNOTSUPP;
	}
	ret = tracepoint_probe_register(fork_tp, probe_fork, NULL);
	if (ret)
		return ret;
	ret = tracepoint_probe_register(exit_tp, probe_exit, NULL);
	if (ret) {
		tracepoint_probe_unregister(fork_tp, probe_fork, NULL);
		tracepoint_synchronize_unregister();
	}
	return ret;
}

void litebox_members_exit(void)
{
	tracepoint_probe_unregister(exit_tp, probe_exit, NULL);
	tracepoint_probe_unregister(fork_tp, probe_fork, NULL);
	tracepoint_synchronize_unregister();
}
