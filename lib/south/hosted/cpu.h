/* SPDX-License-Identifier: MIT */
/*
 * struct cpu: a thread of execution (one thread of the host) that runs one task at a time; struct host_process: one address
 * space. Both lie in RAM, so that everybody can kick everybody.
 */
#ifndef LIB_SOUTH_HOSTED_CPU_H
#define LIB_SOUTH_HOSTED_CPU_H

#include "base/list.h"
#include "process/task.h"
#include "sched/lock.h"
#include "south/hosted/layout.h"

/* Where to continue when a borrowed thread of execution comes back; saved by context_save(). */
struct context {
	u64 rbx, rbp, r12, r13, r14, r15, rsp, rip;
};
int context_save(struct context *ctx) __attribute__((returns_twice));
void __noreturn context_restore(const struct context *ctx);

/* What the host knows of this thread for rseq(2); addr 0: nothing */
struct host_rseq {
	u64 addr;
	u32 len, sig;
};

/* A vfork parent that waits on this cpu for its child to leave; on the parent's kernel stack. */
struct vfork_frame {
	struct vfork_frame *outer;
	struct context context;
	struct task *parent;
	u64 tls;
	u32 pkru;
	struct host_rseq rseq;
	u8 fpu[4096] __aligned(64);
};

struct host_process {
	struct spinlock lock;		/* guards all below */
	struct list idle;		/* cpus that wait for a task, by idle_node */
	struct cpu *cpus;		/* all, by next_cpu: only ever grows, read without the lock by signal handlers */
	struct list grave_node;
	u32 dead;			/* nothing of the host process uses this memory any more */
	struct cpu *unstarted;		/* by next_unstarted */
	u32 nr_tasks;			/* tasks that live here, waiting vfork parents too */
	bool deaf;			/* the host has taken the handler of SIGSEGV away (rseq.c): nothing may fault any more */
	u64 slots[HOSTED_NR_SLOTS / 64];	/* bit set: slot in use */
};

struct cpu {
	struct task *task;		/* entry code: CPU_* in layout.h */
	struct cpu *self;
	u64 user_rsp;
	u64 kstack_top;
	u32 in_user;			/* runs program code, or is just about to */
	u32 kicked;			/* a kick came while not in program code; host calls that block look at it */
	u32 in_call;			/* in a host call that blocks for the outside: a kick has to interrupt it */
	u32 kick_wanted;		/* somebody in another address space wants the kick signal sent here */
	s32 host_tid;
	s32 timer;			/* the POSIX timer that kicks this thread, or -1 */
	u32 slot;
	u32 wake;			/* a spare parks here */
	struct host_process *hp;
	struct cpu *next_cpu, *next_unstarted;
	struct list idle_node;
	struct task *next;		/* for a spare: what to run; set before wake changes */
	void (*next_fn)(void *arg);
	void *next_arg;
	struct task *done;		/* ran here until just now; put once its kernel stack is left */
	struct vfork_frame *vfork;
	/* the fault that entry code hands to hosted_fault() */
	u32 fault_trap;
	s32 fault_signo, fault_code;
	u64 fault_err, fault_addr;
	s64 run_start;			/* CPU time of this thread when it took its task, or last looked */
	struct host_rseq rseq;
	u8 idle_stack[6144] __aligned(16);
};
_Static_assert(offsetof(struct cpu, task) == CPU_TASK, "layout.h");
_Static_assert(offsetof(struct cpu, self) == CPU_SELF, "layout.h");
_Static_assert(offsetof(struct cpu, user_rsp) == CPU_USER_RSP, "layout.h");
_Static_assert(offsetof(struct cpu, kstack_top) == CPU_KSTACK_TOP, "layout.h");
_Static_assert(offsetof(struct cpu, in_user) == CPU_IN_USER, "layout.h");
_Static_assert(offsetof(struct cpu, kicked) == CPU_KICKED, "layout.h");
_Static_assert(offsetof(struct task, work) == TASK_WORK, "layout.h");
_Static_assert(offsetof(struct regs, rax) == REGS_RAX, "layout.h");
_Static_assert(offsetof(struct regs, orig_rax) == REGS_ORIG_RAX, "layout.h");
_Static_assert(offsetof(struct regs, rip) == REGS_RIP, "layout.h");
_Static_assert(sizeof(struct regs) == REGS_SIZE, "layout.h");
_Static_assert((KSTACK_ABOVE_REGS + REGS_SIZE) % 16 == 0, "a call from entry code finds the stack aligned");

/*
 * The private page at the low end of each slot: how a host signal's handler knows its cpu, whatever the program did to GS; and
 * where an idle thread waits. Being private, it cannot be woken from another address space: a thread that idles while its host
 * process ends never runs again, so the memory of its struct cpu can be used anew.
 */
struct slot {
	struct cpu *cpu;
	struct task *next;		/* what to run; set before wake changes */
	void (*fn)(void *arg);		/* run this instead of returning to the program, or NULL */
	void *arg;
	u32 wake;
};
static inline struct slot *slot_at(u32 nr)
{
	return (struct slot *)(HOSTED_SLOTS + ((u64)nr << HOSTED_SLOT_SHIFT));
}

/* entry.S */
extern const char hosted_syscall_entry[], hosted_syscall_entry_far[], hosted_trap_entry[], hosted_fault_entry[], hosted_interrupt_entry[];
extern const char hosted_exit_window[], hosted_exit_window_end[], hosted_exit_retry[], hosted_exit_trap[];
void __noreturn hosted_return(struct regs *regs);			/* on @regs' kernel stack: to the program */
/* hosted_set_resume() - unless @r is changed until it returns to the program, it goes on at @at instead of @r->rip */
static inline void hosted_set_resume(struct regs *r, u64 at)
{
	u64 *above = (u64 *)(r + 1);

	above[KSTACK_RESUME_FOR / 8] = at ? r->rip : 0;
	above[KSTACK_RESUME_AT / 8] = at;
}
void __noreturn stack_call(void *top, void (*fn)(void *arg), void *arg);	/* @fn on another stack */

/* cpu.c */
void cpu_set_gs(struct cpu *cpu);
__must_check struct host_process *host_process_alloc(void);
void host_process_free(struct host_process *hp);
__must_check struct cpu *cpu_alloc(struct host_process *hp, int slot);
void cpu_unstarted(struct cpu *cpu);		/* cpu_start() failed: the cpu goes to the next cpu_alloc() */
int cpu_start(struct cpu *cpu);
void cpu_assign(struct cpu *cpu, struct task *t, void (*fn)(void *arg), void *arg);	/* same host process */
void cpu_assign_spare(struct cpu *cpu, struct task *t, void (*fn)(void *arg), void *arg);
void __noreturn cpu_spare(void *cpu);
void cpu_take_task(struct cpu *cpu, struct task *t);
/* cpu_count() - the current task, which runs on @cpu, has used this much so far; before it leaves @cpu at the latest */
void cpu_count(struct cpu *cpu, struct task *t);
void __noreturn cpu_idle(void *cpu);
void __noreturn cpu_first(void *cpu);
void __noreturn cpu_leave_stack(struct cpu *cpu, void (*fn)(void *cpu));
void hosted_frame_set_altstack(u32 slot);	/* the slot is this thread's signal stack, and no signal is blocked */
bool kick_cpu(struct cpu *cpu);
long cpu_clone_process(struct cpu *cpu, void *stack, void (*fn)(void *cpu));
void kick_wanted_cpus(struct host_process *hp);
extern bool hosted_fsgsbase;

/* machine.c */
int hosted_init(u32 nr_cpus);
extern u64 hosted_auxv[64];			/* pairs, as the host gave them, AT_NULL last */

int run_in_process(struct host_process *hp, struct task *t, void (*fn)(void *arg), void *arg);

/* rseq.c */
int hosted_rseq(u64 addr, u32 len, u32 sig);
/* cpu_rseq_switch() - the host shall know @want of this thread */
void cpu_rseq_switch(struct cpu *cpu, const struct host_rseq *want);
/* cpu_rseq_broke() - in a host signal's handler: the host has found the area of this thread broken */
void cpu_rseq_broke(struct cpu *cpu);

/* supervisor.c */
/* supervisor_init() - @cpu is the one that runs now, of the host process that all others come from */
void supervisor_init(struct cpu *cpu);
void __noreturn supervisor_run(void);
/* supervisor_take_spare() - an idle cpu of a clean host process, or ERR_PTR(-EAGAIN, -ENOMEM); may sleep */
__must_check struct cpu *supervisor_take_spare(void);
/* supervisor_expect_exec() - from a vfork: a spare will be wanted soon */
void supervisor_expect_exec(void);
int supervisor_run_kthread(struct task *t);
void host_process_bury(struct host_process *hp);
void host_process_collect(void);

/* signal.c */
void host_signal_handler(int sig, void *info, void *ucontext);

/* uaccess.c */
int uaccess_fixup(u64 *rip);

/* pkey.c */
#define PKRU_INITIAL	0x55555554u	/* Linux' init_pkru: key 0 alone may be used */
void pkey_init(void);
u32 pkey_get(void);
void pkey_set(u32 pkru);
void pkey_reset(void);
void pkey_inherit(struct task *t);
void pkey_enter(struct cpu *cpu, void *fpstate);
__must_check bool pkey_leave(struct cpu *cpu, void *fpstate);
bool pkey_denies_slow(u32 bits);

/* pkey_denies() - the program denied itself to read (or to @write) its memory */
static inline bool pkey_denies(bool write)
{
	return (load_relaxed(&current->work) & WORK_PKRU) && pkey_denies_slow(write ? 3 : 1);
}

/* fpu.c */
/* fpu_frame_pkru() - PKRU in the vector state of a host signal's frame; NULL: there is none */
u32 *fpu_frame_pkru(void *fpstate);
void fpu_init(void);
void fpu_reset(void);
u32 fpu_frame_size(void);
int fpu_save(u64 dst);
int fpu_restore(u64 src);
/* fpu_save_kernel() - into @area of 4096 bytes, 64-aligned; fpu_restore_kernel(): back */
void fpu_save_kernel(void *area);
void fpu_restore_kernel(void *area);

#endif
