/* SPDX-License-Identifier: MIT */
/*
 * The South as lib/ sees it: the eight calls (uapi/south_calls.def), and the machine that runs tasks.
 *
 * lib/ without lib/south/ needs these eight functions and nothing else from outside. How tasks get processors and address spaces
 * differs between hosted and guest Souths and crosses no boundary; it is a table that the South hands over at boot.
 * Errors are negative errno.
 */
#ifndef LIB_SOUTH_SOUTH_H
#define LIB_SOUTH_SOUTH_H

#include "base/types.h"
#include "mm/uaccess.h"

#define SOUTH_STREAM		(~0ull)		/* read and write at a stream's own position */
#define SOUTH_NO_HANDLE		(~0u)

#define SOUTH_CLOCK_REALTIME	0
#define SOUTH_CLOCK_MONOTONIC	1

/* south_map() operations; the numbers are uapi's */
#define SOUTH_MAP_BACK		0	/* fresh RAM (SOUTH_NO_HANDLE) or a granted handle */
#define SOUTH_MAP_PROTECT	1
#define SOUTH_MAP_RELEASE	2
#define SOUTH_MAP_MOVE		3	/* @off: where to, as long as it is now */
#define SOUTH_MAP_DISCARD	4	/* RAM of the library kernel: back to the host; a program's range: @flags is the MADV_* advice */
/* flags of SOUTH_MAP_BACK */
#define SOUTH_MAP_SHARED	0x1
#define SOUTH_MAP_POPULATE	0x2
#define SOUTH_MAP_NORESERVE	0x4
/* of SOUTH_MAP_MOVE: the old range stays mapped, empty */
#define SOUTH_MAP_KEEP		0x10

/* flags of south_cpu(): exactly one */
#define SOUTH_CPU_THREAD	0x1
#define SOUTH_CPU_COPY		0x2

void __noreturn south_exit(int status);
s64 south_clock(u32 id);
/*
 * south_read()/south_write() - @iov may lie in the program's memory when machine->direct_io says so
 * Return: bytes, -EFAULT, -EINTR when kicked before anything moved, -EBADF, -EAGAIN, …
 */
ssize_t south_read(u32 handle, u64 off, const struct iov *iov, u32 nr);
ssize_t south_write(u32 handle, u64 off, const struct iov *iov, u32 nr);
/*
 * south_wait() - sleep while *@word == @expected, until south_kick() on the word, or @deadline
 * Return: 0 (also spuriously), -ETIMEDOUT, -EINTR (interrupted by machine->kick())
 */
int south_wait(s64 deadline, u32 *word, u32 expected);
/* south_kick() - wake at most @nr that wait on @word */
void south_kick(u32 *word, u32 nr);
long south_map(u32 op, u64 addr, u64 len, u32 prot, u32 flags, u32 handle, u64 off);
/*
 * south_cpu() - one more thread of execution: @entry(@arg) on @stack, in this address space or in a copy of it
 * @tls: its per-cpu area; hosted: its struct cpu
 * Return: the South's number for it, -EAGAIN (limits), -ENOMEM
 */
long south_cpu(u32 flags, void (*entry)(void *arg), void *stack, void *arg, u64 tls);

struct task;
struct mm;

/*
 * struct machine_ops - how tasks run; one per kind of South (hosted, guest, fake)
 *
 * A task's kernel stack and its struct regs are made by prepare(): when the task first runs it "returns" to the program with regs.
 */
struct machine_ops {
	const char *name;
	bool direct_io;		/* the host may read and write program memory itself (hosted Souths) */

	/* prepare() - give @t a kernel stack and room for regs (t->regs). Return: 0 or -ENOMEM. unprepare() takes it back. */
	int (*prepare)(struct task *t);
	void (*unprepare)(struct task *t);
	/* start_thread() - run @t in the current task's address space (t->mm == current->mm), FS base t->tls */
	int (*start_thread)(struct task *t);
	/* start_fork() - run @t in a copy of the current task's address space; @t->mm's books are already copied */
	int (*start_fork)(struct task *t);
	/* start_fresh() - run @fn(@arg) as @t in an empty address space (t->mm); for the first program */
	int (*start_fresh)(struct task *t, void (*fn)(void *arg), void *arg);
	/* start_kthread() - run t->kthread_fn in no program's address space */
	int (*start_kthread)(struct task *t);
	/*
	 * run_vfork() - run @t in the current address space now, and come back when it called leave_vfork() or exited: hosted
	 * Souths run it on the caller's own thread of execution. Return: 0, or an error and @t did not run.
	 */
	int (*run_vfork)(struct task *t);
	/*
	 * exec_fresh() - the current task's program is being replaced: continue in @fn(@arg) with an empty program window and
	 * current->mm == @mm (fresh). In place when nobody else uses the old one, else in a clean address space. Does not
	 * return on success; -errno when the old program must go on.
	 */
	int (*exec_fresh)(struct mm *mm, void (*fn)(void *arg), void *arg);
	/* enter() - on the current task's kernel stack: go to its program with current->regs */
	void __noreturn (*enter)(void);
	/* exit_task() - the current task is done (task state already released): never returns */
	void __noreturn (*exit_task)(void);
	/* kick() - make @t, if it runs program code or sleeps in the South, come into the library kernel */
	void (*kick)(struct task *t);
	/* set_tls() - the current task's FS base */
	void (*set_tls)(u64 base);
	u64 (*get_tls)(void);
	/* save_fpu() - write the current task's vector state to the program's memory at @dst as the signal frame wants it (XSAVE
	 * layout with magic). Return: 0, -EFAULT. fpu_frame_size(): bytes for it. restore_fpu(): the reverse; @src 0: initial state. */
	u32 (*fpu_frame_size)(void);
	int (*save_fpu)(u64 dst);
	int (*restore_fpu)(u64 src);
	void (*reset_fpu)(void);
	/*
	 * rseq() - register, or unregister when @addr is 0, the current task's rseq area (process/rseq.h). NULL: not there
	 * Unregistering always succeeds; -EFAULT says that the area was broken.
	 */
	int (*rseq)(u64 addr, u32 len, u32 sig);
	/* cpu_nr() - number of the processor this runs on, nr_cpus() how many the sandbox has */
	u32 (*cpu_nr)(void);
	u32 (*nr_cpus)(void);
	/* vdso() - address for AT_SYSINFO_EHDR in this address space, 0: none. hwcap and co. come from the host as well */
	u64 (*vdso)(void);
	u64 (*auxv)(u32 type);
	/* cputime() - ns that task @t ran so far, as the South knows it (user + system) */
	s64 (*cputime)(struct task *t);
	/* park_mm(): an address space nobody runs in any more */
	void (*mm_exit)(struct mm *mm);
	/* text_written() - program text at [addr, +len) was mapped or made executable: forget what was patched there */
	void (*text_changed)(struct mm *mm, u64 addr, u64 len);
	/* stats() - counters of its own for --stats: @line is called for each. NULL: none */
	void (*stats)(void (*line)(void *arg, const char *name, u64 n), void *arg);
	/*
	 * recv() - one message of a server handle (read() with a grant): bytes, or -errno as south_read()
	 * @granted: the handle that the server granted with it, or SOUTH_NO_HANDLE; close_handle() gives it back
	 */
	/* send() - one message to a server handle. Neither is interrupted by signals: an exchange that was begun is finished. */
	ssize_t (*send)(u32 server, const void *buf, size_t len);
	ssize_t (*recv)(u32 server, void *buf, size_t len, u32 *granted);
	void (*close_handle)(u32 handle);
	/* leave_at() - what the runner goes on with after the sandbox: the position of a file that it handed in. NULL: not there */
	void (*leave_at)(u32 handle, u64 pos);
};
extern const struct machine_ops *machine;

#endif
