/* SPDX-License-Identifier: MIT */
/*
 * Tasks (threads) and processes (thread groups), after Linux's task_struct and signal_struct.
 *
 * Life: task_alloc() by clone or by the South for the first one; published in the pid table; runs; task_exit(); a process whose
 * last task is gone is a zombie until its parent waits. Who holds a struct task * must have a reference, be that task, or hold
 * tasklist_lock.
 *
 * Locks: tasklist_lock (a mutex; process/pid.h) guards parents, children, thread lists, process groups and sessions.
 * process->lock guards the process's own counters, limits and itimers; process->siglock all of signal state (process/signal.h)
 * and the thread list as well: it is changed holding both and may be read under either.
 */
#ifndef LIB_PROCESS_TASK_H
#define LIB_PROCESS_TASK_H

#include "arch/regs.h"
#include "base/atomic.h"
#include "base/list.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "process/signal_types.h"

struct cred;
struct files;
struct fs_state;
struct mm;
struct namespace;
struct tty;

#define TASK_COMM_LEN	16

/* task->work: reasons to leave the fast way back to the program; set by anyone with atomic_or(), then machine->kick() */
#define WORK_SIGNAL	BIT(0)	/* look for a signal to deliver */
#define WORK_EXIT	BIT(1)	/* the process is going: die */
#define WORK_RESTORE_MASK BIT(2)	/* sigsuspend & co: put saved_sigmask back when no handler runs */
#define WORK_STOP	BIT(3)	/* group stop */
#define WORK_MM		BIT(4)	/* the pager asks this task's address space to let go of pages (truncate) */
#define WORK_TRACE	BIT(5)
#define WORK_SINGLESTEP	BIT(6)
#define WORK_NEW	BIT(7)	/* first return to the program of a clone's child: CLONE_CHILD_SETTID */
#define WORK_PKRU	BIT(8)	/* task->pkru is the program's: the South's own affair */
#define WORK_RSEQ	BIT(9)	/* the South found the program's rseq area broken: die of SIGSEGV */
#define WORK_INTERRUPTS	(WORK_SIGNAL | WORK_EXIT | WORK_STOP | WORK_RSEQ)	/* ends an interruptible sleep */

struct rlimit64 {
	u64 cur, max;
};
#define RLIM_NLIMITS	16
#define RLIM64_INFINITY	(~0ull)

struct process {
	ref_t ref;
	s32 tgid;
	struct list threads;		/* of task.thread_node; to change: tasklist_lock and siglock, to read: either */
	u32 nr_threads;			/* on the list and not exiting; guarded by siglock */
	struct task *leader;		/* stays until the process is reaped */
	struct process *parent;		/* guarded by tasklist_lock; NULL: the first program, and who is reaped */
	struct task *parent_task;	/* the thread of parent that made it, for __WNOTHREAD and PR_SET_PDEATHSIG; tasklist_lock */
	struct list children, sibling;	/* of process */
	struct list pid_node;		/* in the table of all processes */
	s32 pgid, sid;			/* guarded by tasklist_lock; read freely */
	struct pid *pid, *pgrp, *session;	/* the same as numbers above, each one use; guarded by tasklist_lock */
	struct list pgrp_node, session_node;
	struct spinlock siglock;	/* see process/signal.h */
	struct tty *tty;		/* controlling terminal; guarded by tasklist_lock */
	bool is_subreaper, has_child_subreaper, did_exec, session_leader;

	struct mutex lock;		/* guards limits, timers, usage */
	struct rlimit64 rlim[RLIM_NLIMITS];
	struct sigpending shared_pending;	/* guarded by siglock */
	struct wait_queue child_wait;	/* wait4(): a child changed state */
	struct wait_queue pidfd_wait;	/* pidfds poll here: this process exited */
	u32 exit_signal;		/* to the parent */
	u32 exit_code;			/* wait status; valid once group_exit */
	bool group_exit;		/* all tasks are to die; guarded by siglock */
	bool zombie;			/* all tasks gone, nobody waited yet */
	u32 group_stop_count;		/* threads that are still to stop; guarded by siglock */
	bool stopped;			/* all threads stopped; guarded by siglock, as are the next four */
	bool continued;			/* wait4(WCONTINUED) has something to report */
	bool stop_active;		/* a group stop began and no SIGCONT came yet */
	struct wait_queue stop_wait;	/* stopped threads sleep here until stop_active is false */
	u32 stop_code;			/* the stop's signal as long as no wait4(WUNTRACED) reported it, else 0 */
	u32 cld_notify;			/* CLD_STOPPED or CLD_CONTINUED that the parent is still to be told, else 0 */
	bool adopted;			/* its parent died and the first program stands in, as init would; tasklist_lock */
	bool reaped;			/* out of the tables: guarded by tasklist_lock */
	bool dying;			/* group_exit by exit or signal, not by exec; guarded by siglock */
	struct task *exec_task;		/* a thread in exec that waits for the others to go */

	s64 start_time;			/* monotonic ns */
	s64 utime, stime, cutime, cstime;	/* ns; of threads that are gone, of children waited for */
	u64 min_flt, maj_flt, cmaxrss, maxrss, nvcsw, nivcsw;
	struct mutex itimer_lock;	/* guards itimers; outside tasklist_lock */
	struct itimer_state *itimers;	/* alarm, setitimer, POSIX timers: process/itimer.c */
	u32 personality;
	s32 oom_score_adj;
	bool thp_disabled;		/* prctl(PR_SET_THP_DISABLE): kept and answered */
	u64 membarrier_state;		/* what membarrier(2) is registered for: mm/barrier.c */
	char *cmdline_override;
};

struct task {
	struct cpu *cpu;		/* the South's thread of execution that runs this task, NULL when it never ran; first: entry code uses it */
	struct regs *regs;		/* the program's registers, on the kernel stack */
	u32 state;			/* TASK_*; sched/ */
	u32 work;			/* WORK_* */
	struct wake_batch *wakes;	/* the task itself: whom it wakes later, see sched/wait.h; NULL: at once */

	ref_t ref;
	s32 tid;
	struct process *process;
	struct list thread_node;
	struct pid *pid;		/* one use */
	char comm[TASK_COMM_LEN];
	bool kthread;			/* runs in the library kernel only */
	bool exiting;			/* guarded by process->siglock for writers */
	bool dead;			/* off all lists but its leader's place */
	s64 ran, ran_at, ran_slept;	/* the South's: ns of processor time, and monotonic time and slept when it was looked at */
	s64 ran_told;			/* the most that cputime() said: CPU clocks do not go back */

	struct mm *mm;			/* NULL for kernel threads */
	struct files *files;
	struct fs_state *fs;		/* cwd, root, umask: fs/fs_state.h */
	struct cred *cred;		/* only the task itself changes it; others: task_cred_get() */
	struct spinlock cred_lock;	/* guards cred, mm, files and fs against the looks of others */
	struct sighand *sighand;	/* a reference; changed by the task itself under process->siglock */

	bool stop_dequeued;		/* a stop signal is between its queue and the stop; SIGCONT takes it back */
	sigset_t blocked, saved_sigmask, real_blocked;	/* guarded by siglock for writers */
	struct sigpending pending;
	u64 sas_sp, sas_size;		/* sigaltstack */
	u32 sas_flags;

	u64 clear_child_tid, set_child_tid;	/* user addresses, 0: none */
	u64 robust_list;		/* user address */
	struct task *vfork_parent;	/* whom to wake at exec or exit; a reference; taken with atomic_xchg() */
	bool vfork_done;
	u64 rseq_addr;
	u32 rseq_len, rseq_sig;
	u32 pdeath_signal;
	u64 fault_trapno, fault_err, fault_addr;	/* the last fault of the program, for signal frames */

	struct {
		long (*func)(struct task *t);	/* ERESTART_RESTARTBLOCK: nanosleep, poll, futex */
		u64 arg[6];
	} restart;

	struct futex_waiter *pi_waiter;
	struct list pi_states;
	u64 tls;			/* FS base as the program set it (kept by the South between switches) */
	u32 pkru;			/* valid with WORK_PKRU: protection keys that would deny the South its own memory */
	u32 exit_code;
	s64 start_time;
	void *kstack;
	struct { u64 nr; u64 args[6]; } last_call;	/* for /proc/self/syscall, --trace */
	u64 calls;			/* served, for --stats */
	s64 slept;			/* ns in schedule_until(), without the sleep that goes on: */
	s64 sleep_start;		/* monotonic ns, 0: not asleep */
	s32 nice, policy, rt_priority;
	u16 ioprio;			/* ioprio_set(2): class << 13 | level */
	u64 affinity[16];
	u64 timer_slack;
	bool no_new_privs, dumpable_unused, in_exec;
	void (*kthread_fn)(void *arg);
	void *kthread_arg;
};

#include "arch/current.h"		/* static inline struct task *current_task(void) */
#define current current_task()

static inline void task_get(struct task *t) { ref_get(&t->ref); }
void task_put(struct task *t);

/* Of another task, with a reference; NULL when it is exiting or has none. */
__must_check struct mm *task_mm_get(struct task *t);
__must_check struct files *task_files_get(struct task *t);
__must_check struct fs_state *task_fs_get(struct task *t);
/* task_set_mm() - the current task's address space is @mm from now on (exec); takes the reference, counts the user, lets the old go */
void task_set_mm(struct mm *mm);
/* task_set_files() - another descriptor table or fs_state for the current task; take the reference, put the old one */
void task_set_files(struct files *files);
void task_set_fs(struct fs_state *fs);

/* task_set_work() - set WORK_* bits and make @t notice: wakes an interruptible sleep, interrupts program code */
void task_set_work(struct task *t, u32 bits);

/* kthread_alloc() - a kernel thread's task that does not run yet; one reference. For the South's boot, and kthread_create(). */
__must_check struct task *kthread_alloc(const char *name);
/* kthread_create() - run @fn(@arg) in a task of the library kernel (in the supervisor, on hosted Souths). Return: 0, -ENOMEM, -EAGAIN */
int kthread_create(const char *name, void (*fn)(void *arg), void *arg);

#endif
