/* SPDX-License-Identifier: MIT */
/*
 * Signals (signal(7)): sending, queues, masks, delivery, job control stops.
 *
 * process->siglock (a spinlock) guards the pending sets of the process and of its threads, their blocked masks (for writers; a
 * task reads its own without), group stop and group exit, and a change of task->sighand. The thread list may be read under it too.
 * sighand->lock nests inside and guards the actions, which processes made with CLONE_SIGHAND share.
 *
 * The first program is an ordinary process for signals: nothing protects it as init is protected natively.
 *
 * WORK_SIGNAL in task->work says "look for a signal"; WORK_EXIT "a signal that ends the process was sent"; WORK_STOP "take part in
 * a group stop". A sleep in TASK_INTERRUPTIBLE ends by any of them, one in TASK_KILLABLE by WORK_EXIT.
 */
#ifndef LIB_PROCESS_SIGNAL_H
#define LIB_PROCESS_SIGNAL_H

#include "process/signal_numbers.h"
#include "process/task.h"

#define SIGACTION_DFL	0ull
#define SIGACTION_IGN	1ull

/* As rt_sigaction(2) has it on x86-64. */
struct ksigaction {
	u64 handler, flags, restorer;
	sigset_t mask;
};

struct sighand {
	ref_t ref;
	struct spinlock lock;			/* guards action for writers; readers hold siglock */
	struct ksigaction action[NSIG];		/* [sig - 1] */
};

/* The part of siginfo_t that carries something, laid out as programs see it; the rest of their 128 bytes is zero. */
struct siginfo {
	s32 signo, err, code;
	u32 pad;
	union {
		struct { s32 pid; u32 uid; u64 value; } rt;			/* kill, sigqueue, mq */
		struct { s32 timerid, overrun; u64 value; } timer;
		struct { s32 pid; u32 uid; s32 status; u32 pad; s64 utime, stime; } chld;	/* clock ticks */
		struct { u64 addr; s16 addr_lsb; } fault;
		struct { s64 band; s32 fd; } poll;
		struct { u64 call_addr; s32 syscall; u32 arch; } sys;
		u64 raw[4];
	};
};
_Static_assert(sizeof(struct siginfo) == 48, "kernel part of siginfo_t on x86-64");
#define SIGINFO_USER_SIZE	128

struct sigqueue {
	struct list node;		/* in a sigpending, or unlinked */
	struct siginfo info;
	struct user *user;		/* counted against; a reference; NULL: nobody */
	bool prealloc;			/* a POSIX timer's: it stays allocated, and info.timer.overrun counts what it could not queue */
	s32 expirations;		/* prealloc: how many periods the next sending stands for, at least 1 */
	s32 last_overrun;		/* prealloc: overruns of the last delivery, for timer_getoverrun(2) */
	struct process *process;	/* prealloc: on whose siglock it depends while linked */
};

/* What to send when there is no struct siginfo at hand. */
#define SIGINFO_NONE	((const struct siginfo *)0)	/* as kill(2) by the current task */
#define SIGINFO_KERNEL	((const struct siginfo *)1)	/* SI_KERNEL; is not lost to limits */

static inline bool signal_valid(int sig) { return sig >= 1 && sig <= NSIG; }

/*
 * Sending. No permission checks; @sig is valid. May be called from any task and from timers, holding tasklist_lock or nothing
 * (they allocate). Return: 0, or -EAGAIN when a real-time signal with a sigqueue(3) info is beyond RLIMIT_SIGPENDING.
 * A process that is exiting swallows everything.
 */
int send_signal_task(struct task *t, int sig, const struct siginfo *info);
int send_signal_process(struct process *p, int sig, const struct siginfo *info);
/* send_signal_pgrp() - to all of a process group. Return: 0, -ESRCH when it is empty. The second with tasklist_lock held. */
int send_signal_pgrp(s32 pgid, int sig, const struct siginfo *info);
int send_signal_pgrp_locked(s32 pgid, int sig, const struct siginfo *info);
/* signal_self() - SIGPIPE, SIGXFSZ, …: thread-directed to the current task as if it had sent it itself */
void signal_self(int sig);

/**
 * force_signal() - a signal that the current task cannot escape: a synchronous fault
 * @code: si_code; @addr: si_addr
 *
 * When it is blocked or ignored, the action becomes the default one, as Linux does.
 */
void force_signal(int sig, int code, u64 addr);
/* force_fatal_signal() - the same, but the program's handler is not asked: a signal frame could not be written */
void force_fatal_signal(int sig);

/* POSIX timers: an entry that is allocated once. send: Return: 0, 1 when it was still pending (overrun counted) or is ignored. */
__must_check struct sigqueue *sigqueue_alloc_timer(void);
void sigqueue_free_timer(struct sigqueue *q);
int send_sigqueue_process(struct sigqueue *q, struct process *p);
int send_sigqueue_task(struct sigqueue *q, struct task *t);

/* ---- the current task's side ---- */

/* signal_set_blocked() - change the mask (SIGKILL and SIGSTOP stay open) and look whether something is deliverable now */
void signal_set_blocked(sigset_t mask);

/**
 * signal_set_user_mask() - ppoll, pselect, epoll_pwait: a mask for the length of this call
 * @addr: of the program's sigset_t, 0: leave the mask alone
 * @size: its size as the program says; only 8 is right
 *
 * The old mask comes back when the call ends: by signal_restore_mask() when it was not interrupted, else after a handler.
 * Return: 0, -EINVAL, -EFAULT.
 */
__must_check int signal_set_user_mask(u64 addr, u64 size);
/* signal_restore_mask() - at the end of such a call; @interrupted: it ends with -EINTR or a restart, so a handler comes first */
void signal_restore_mask(bool interrupted);
/* signal_suspend() - sigsuspend(2). Return: -ERESTARTNOHAND */
long signal_suspend(sigset_t mask);

/* signal_dequeue() - take a signal of @mask that is pending for the current task (signalfd, sigtimedwait). Return: its number or 0 */
int signal_dequeue(sigset_t mask, struct siginfo *info);
/* signal_pending_set() - what is pending for @t, private and shared */
sigset_t signal_pending_set(struct task *t);
/* signalfd_queue() - where pollers and readers of signalfds of @p's signals wait; static, so it outlives everything */
struct wait_queue *signalfd_queue(const struct process *p);
/* signal_timedwait() - @deadline monotonic or FOREVER. Return: the signal, -EAGAIN, -EINTR */
long signal_timedwait(sigset_t mask, s64 deadline, struct siginfo *info);

/* signal_action() - rt_sigaction(2). @new, @old may be NULL. Return: 0 or -EINVAL */
int signal_action(int sig, const struct ksigaction *new, struct ksigaction *old);
/* signal_is_ignored() - the current task ignores or blocks @sig (terminals ask for SIGTTIN, SIGTTOU) */
bool signal_is_ignored(int sig);
/* signal_action_sets() - for /proc/pid/status: fills the sets of ignored and caught signals */
void signal_action_sets(struct task *t, sigset_t *ignored, sigset_t *caught);

/* siginfo_to_user() - all 128 bytes; Return: 0 or -EFAULT. siginfo_from_user(): for *sigqueueinfo; 0, -EFAULT, -E2BIG */
__must_check int siginfo_to_user(u64 addr, const struct siginfo *info);
__must_check int siginfo_from_user(struct siginfo *info, u64 addr);

/* ---- exec, fork, exit ---- */

__must_check struct sighand *sighand_alloc(void);
static inline void sighand_get(struct sighand *s) { ref_get(&s->ref); }
void sighand_put(struct sighand *s);

/* signal_prepare_exec() - before the point of no return: own sighand. Return: 0 or -ENOMEM */
__must_check int signal_prepare_exec(void);
/* signal_exec() - after it: handlers go back to the default, ignored ones stay, no alternate stack */
void signal_exec(void);
/* signal_inherit() - what the first program finds ignored and blocked: its caller's, as after exec. Before @t runs */
void signal_inherit(struct task *t, sigset_t ignored, sigset_t blocked);
void sigpending_init(struct sigpending *p);
void sigpending_flush(struct sigpending *p);

/**
 * task_exit_work() - what is to be done before the current task runs its program again
 * @regs: its registers, current->regs
 *
 * The South's return path calls it when current->work is not 0, and after a system call whose result is one of the
 * ERESTART numbers (task_wants_exit_work()). Stops, exits, delivers signals, restarts calls. May not return.
 */
void task_exit_work(struct regs *regs);

static inline bool task_wants_exit_work(const struct regs *regs)
{
	return load_relaxed(&current->work) != 0 || regs->rax - (u64)-ERESTART_RESTARTBLOCK <= ERESTART_RESTARTBLOCK - ERESTARTSYS;
}

/**
 * task_fault() - the program faulted
 * @trapno: x86 vector; @err: error code as the processor pushes it; @addr: CR2 for page faults
 * @host_signo, @host_code: on hosted Souths what the host made of it, else 0
 *
 * Page faults go to mm_fault() first. Else the signal that Linux would send is forced on the current task; the South then
 * goes through task_exit_work().
 */
void task_fault(struct regs *regs, int trapno, u64 err, u64 addr, int host_signo, int host_code);

/* The North's half of delivery: where a handler finds its frame is its ABI's business (north/linux/sigframe.c). */
struct sigframe_request {
	int sig;
	struct ksigaction action;
	struct siginfo info;
	sigset_t saved_mask;		/* what the handler's return restores */
};
/* Return: 0, or -EFAULT: the frame could not be written (SIGSEGV follows) */
__must_check int sigframe_setup(struct regs *regs, const struct sigframe_request *req);

/* job control: the current process's group is orphaned (no member has a parent in another group of the session) */
bool pgrp_is_orphaned(s32 pgid);

#endif
