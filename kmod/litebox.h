/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * litebox.ko's own structures.
 *
 *	sandbox		of one open /dev/litebox; lives until the file and its last member are gone
 *	process		an address space of a sandbox's members
 *	cpu		a member: one task
 *	handle		an open file that the owner granted, by number
 *
 * Locks, in the order they are taken: sandbox.lock (a mutex), then bucket.lock or members_lock (spinlocks). members_lock is one for
 * all sandboxes: it is taken when a member is made and when it ends, from probes that must not sleep.
 */
#ifndef LITEBOX_H
#define LITEBOX_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "compat.h"
#include "uapi/check.h"

#define LITEBOX_BUCKETS		64

/* What a member is interrupted with. Its handler was set before it became one; no member can change that. */
#define LITEBOX_SIGKICK		SIGUSR1

/**
 * struct litebox_bucket - sleepers of one sandbox whose words hash alike
 * @lock:     guards @sleepers and each one's woken
 * @sleepers: struct sleeper (wait.c), oldest first
 */
struct litebox_bucket {
	spinlock_t lock;
	struct list_head sleepers;
};

struct litebox_sandbox {
	struct kref ref;		/* the file's, and each process's */
	struct work_struct free_work;	/* the last reference may go where nobody may sleep */

	struct mutex lock;		/* guards sealed, ran, handles' changes and nr_handles */
	bool sealed, ran;
	struct lbx_limits limits;	/* these three: set by create and seal, read-only when sealed */
	struct lbx_seal seal;
	struct lbx_space space;
	struct xarray handles;		/* struct litebox_handle; looked up under RCU */
	u32 nr_handles;
	u64 ram;			/* bytes of RAM granted */

	/* members_lock */
	struct xarray cpus;		/* struct litebox_cpu by number; also those that cpu() made ready */
	struct list_head processes;
	u32 nr_cpus, nr_spaces;
	bool dying;			/* killed: who joins now is killed too */

	u32 exited;			/* 1: status is valid */
	u32 status;
	wait_queue_head_t ended;	/* woken when the last member has gone */
	struct litebox_bucket buckets[LITEBOX_BUCKETS];
	atomic64_t calls[LBX_SOUTH_NR_CALLS], host_calls, refused;
};

struct litebox_process {
	struct list_head node;		/* in sandbox->processes; members_lock */
	struct litebox_sandbox *sandbox;	/* holds a reference */
	struct pid *pid;		/* holds a reference */
	u32 nr_cpus;			/* members_lock */
	struct rcu_head rcu;
};

struct litebox_cpu {
	struct hlist_node node;		/* by task; members_lock, read under RCU */
	struct task_struct *task;	/* no reference: the cpu is out of all tables before the task is freed */
	struct litebox_process *process;
	u32 nr;
	struct litebox_cpu *next;	/* made ready by cpu(), for the clone that follows: current's own */
	struct litebox_process *next_process;	/* COPY: the new address space's */
	struct lbx_cpu start;		/* of @next: where it begins */
	struct rcu_head rcu;
};

struct litebox_handle {
	struct kref ref;
	struct lbx_grant grant;
	struct file *file;		/* NULL: ENTROPY */
	struct rcu_head rcu;
};

/*
 * The selector of a task's user dispatch that is ours: above what access_ok() lets pass, so prctl() and ptrace() refuse it and no
 * stranger has it. Nothing is ever mapped there: a kernel whose hook is gone looks, faults, and kills the task.
 */
extern unsigned long litebox_mark;

/* Is this task a member of some sandbox? A few instructions: probes ask it for every task of the host. */
static inline bool litebox_is_member(const struct task_struct *t)
{
	return unlikely((unsigned long)t->syscall_dispatch.selector == litebox_mark);
}

/* main.c */
extern struct workqueue_struct *litebox_wq;

/* status of a sandbox whose exit was not called */
#define LITEBOX_NO_STATUS	(~0u)

/* sandbox.c */
struct litebox_sandbox *litebox_sandbox_create(const struct lbx_limits *limits);
void litebox_sandbox_put(struct litebox_sandbox *sb);
u32 litebox_sandbox_kill(struct litebox_sandbox *sb);

/* member.c */
int litebox_members_init(void);
void litebox_members_exit(void);
/* litebox_current() - the current task's cpu, or NULL: a stranger */
struct litebox_cpu *litebox_current(void);
int litebox_run(struct litebox_sandbox *sb, struct file *file);
int litebox_cpu_ready(struct litebox_cpu *self, const struct lbx_cpu *start);
int litebox_cpu_interrupt(struct litebox_sandbox *sb, u32 nr);
extern spinlock_t litebox_members_lock;

/* handle.c */
int litebox_grant(struct litebox_sandbox *sb, const struct lbx_grant *grant, int fd);
int litebox_revoke(struct litebox_sandbox *sb, u32 nr);
/* litebox_handle_get() - with a reference, or NULL */
struct litebox_handle *litebox_handle_get(struct litebox_sandbox *sb, u32 nr);
void litebox_handle_put(struct litebox_handle *h);
void litebox_handles_free(struct litebox_sandbox *sb);

/* io.c, map.c, wait.c: the calls; records are checked */
long litebox_io(struct litebox_sandbox *sb, const struct lbx_io *io, bool write);
long litebox_map(struct litebox_sandbox *sb, const struct lbx_map *map);
long litebox_wait(struct litebox_sandbox *sb, const struct lbx_wait *wait);
long litebox_kick(struct litebox_sandbox *sb, const struct lbx_kick *kick);

/* hostcalls.c, hook.c */
bool litebox_host_call_allowed(const struct pt_regs *regs, struct litebox_cpu *cpu);
int litebox_hook_init(void);
void litebox_hook_exit(void);
bool litebox_gate(struct pt_regs *regs, struct task_struct *me);
bool litebox_upcall(struct pt_regs *regs, struct task_struct *me);
void litebox_dispatch(void);		/* hook_entry.S */

/* counters.c: what is there at present; all zero when nothing is left */
struct litebox_counters {
	atomic_t sandboxes, processes, cpus, handles;
};
extern struct litebox_counters litebox_counters;
void litebox_counters_init(void);
void litebox_counters_exit(void);

extern const struct file_operations litebox_fops;

#endif
