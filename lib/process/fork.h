/* SPDX-License-Identifier: MIT */
/*
 * How tasks and processes begin and end: clone, exit, wait, sessions.
 *
 * References to a struct task: one for the pid table, dropped when the task is released (a thread: at its exit; a leader: when its
 * process was waited for); one that the South takes when it starts the task and puts once nothing of it stands on the task's kernel
 * stack any more (exit_task() never returns); and one for each who looks. The last task_put() gives the kernel stack back
 * (machine->unprepare()).
 *
 * mm->users counts the tasks that run in an address space: clone and exit keep it, exec_fresh() does so for both (task_set_mm()).
 */
#ifndef LIB_PROCESS_FORK_H
#define LIB_PROCESS_FORK_H

#include "process/cred.h"
#include "process/pid.h"
#include "process/limits.h"
#include "process/signal.h"

#define CLONE_NEWTIME		0x00000080ull
#define CLONE_CSIGNAL		0x000000ffull
#define CLONE_VM		0x00000100ull
#define CLONE_FS		0x00000200ull
#define CLONE_FILES		0x00000400ull
#define CLONE_SIGHAND		0x00000800ull
#define CLONE_PIDFD		0x00001000ull
#define CLONE_PTRACE		0x00002000ull
#define CLONE_VFORK		0x00004000ull
#define CLONE_PARENT		0x00008000ull
#define CLONE_THREAD		0x00010000ull
#define CLONE_NEWNS		0x00020000ull
#define CLONE_SYSVSEM		0x00040000ull
#define CLONE_SETTLS		0x00080000ull
#define CLONE_PARENT_SETTID	0x00100000ull
#define CLONE_CHILD_CLEARTID	0x00200000ull
#define CLONE_DETACHED		0x00400000ull
#define CLONE_UNTRACED		0x00800000ull
#define CLONE_CHILD_SETTID	0x01000000ull
#define CLONE_NEWCGROUP		0x02000000ull
#define CLONE_NEWUTS		0x04000000ull
#define CLONE_NEWIPC		0x08000000ull
#define CLONE_NEWUSER		0x10000000ull
#define CLONE_NEWPID		0x20000000ull
#define CLONE_NEWNET		0x40000000ull
#define CLONE_IO		0x80000000ull
#define CLONE_CLEAR_SIGHAND	0x100000000ull
#define CLONE_INTO_CGROUP	0x200000000ull
#define CLONE_NAMESPACES	(CLONE_NEWTIME | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
				 CLONE_NEWPID | CLONE_NEWNET)

struct clone_args {
	u64 flags;		/* CLONE_*, without the signal */
	u64 pidfd;		/* user address */
	u64 child_tid, parent_tid;	/* user addresses */
	u32 exit_signal;
	u64 stack;		/* the child's stack pointer, 0: the parent's */
	u64 tls;
};

/**
 * process_create_first() - the task of the first program: pid 1, its own process, group and session
 * @cred: taken
 *
 * Its mm, files, fs and regs are the caller's to fill in. Return: the task with the table's reference and one for the caller, or NULL.
 */
__must_check struct task *process_create_first(struct cred *cred);

/* task_clone() - fork, vfork, clone, clone3, with the flags already checked. Return: the child's id, or -errno as clone(2) */
long task_clone(const struct clone_args *args);
/* vfork_complete() - @t lets go of its parent's memory (exec, exit): the parent that waits in vfork goes on */
void vfork_complete(struct task *t);

/* task_exit() - ends the current thread; @code is a wait status. task_exit_group(): the whole process. */
void __noreturn task_exit(u32 code);
void __noreturn task_exit_group(u32 code);
/* process_kill_all() - SIGKILL for all but the current process; waits until they are gone or @deadline. Return: true when gone */
bool process_kill_all(s64 deadline);

/**
 * process_de_thread() - exec: end all other threads, wait for them, become the leader with the process's id
 * Return: 0, or -EAGAIN when the process is going anyway.
 */
__must_check int process_de_thread(void);

/* wait status helpers */
#define WAIT_STATUS_EXIT(code)	(((u32)(code) & 0xff) << 8)
#define WAIT_COREDUMP		0x80u

#define WAIT_NOHANG		0x00000001u
#define WAIT_UNTRACED		0x00000002u	/* WSTOPPED */
#define WAIT_EXITED		0x00000004u
#define WAIT_CONTINUED		0x00000008u
#define WAIT_NOWAIT		0x01000000u
#define WAIT_NOTHREAD		0x20000000u
#define WAIT_ALL		0x40000000u
#define WAIT_CLONE		0x80000000u

enum wait_who { WAIT_WHO_ALL, WAIT_WHO_PID, WAIT_WHO_PGID };

struct wait_request {
	enum wait_who who;
	s32 id;
	u32 options;		/* WAIT_* */
	/* out */
	struct siginfo info;	/* CLD_*: code, pid, uid, status */
	u32 status;		/* as wait4(2) */
	struct rusage_times usage;
};
/* process_wait() - Return: pid, 0 (WNOHANG and nothing yet), -ECHILD, -ERESTARTSYS */
long process_wait(struct wait_request *req);

/* Sessions and groups; setpgid(2), setsid(2). Return: 0 or a number, or -errno */
long process_setpgid(s32 pid, s32 pgid);
long process_setsid(void);
/*
 * What a terminal does when the leader of its session exits (SIGHUP to the foreground group, the session loses the terminal); set
 * by the terminal code. Called without locks, in the leader.
 */
extern void (*session_leader_exit)(struct process *leader);
/*
 * The first program stopped by @sig: for whoever can stop the runner likewise and continue both later. Called without locks. As long
 * as it is NULL, SIGTSTP, SIGTTIN and SIGTTOU do not stop the first program; its children they do.
 */
extern void (*first_process_stopped)(u32 sig);

/* pidfds. pidfd_process(): the process behind a descriptor, with a reference, or ERR_PTR(-EBADF) */
long pidfd_create(struct process *p, u32 flags);
__must_check struct process *pidfd_process(int fd, u32 *file_flags);

__must_check struct task *task_alloc(void);
void process_put(struct process *p);
static inline void process_get(struct process *p) { ref_get(&p->ref); }


#endif
