// SPDX-License-Identifier: MIT
/*
 * Signals of the host: how program code that traps, faults or is kicked comes into the library kernel.
 *
 * The handler runs on the thread's slot with every signal blocked but SIGSEGV (rseq_broke()). It never serves anything there: it writes the program's
 * registers to the task's kernel stack and lets rt_sigreturn go to the entry code, so that all work is done in one kind of
 * context. When the library kernel itself was interrupted, a fault is looked up in the exception table and a kick is noted.
 */
#include "base/printf.h"
#include "process/signal.h"
#include "south/hosted/cpu.h"
#include "south/hosted/gate.h"
#include "south/hosted/patch.h"
#include "south/hosted/sigframe.h"
#include "south/host/host.h"
#include "south/south.h"

#define TRAP_DEBUG	1
#define TRAP_GP		13		/* general protection */
#define TRAP_PAGE_FAULT	14
#define TRAP_ALIGNMENT	17
#define PF_PKEY		0x20	/* of the page fault error code */
#define EFLAGS_AC	0x40000

extern const char image_start[], image_end[];

static bool in_image(u64 rip)
{
	return rip >= (u64)image_start && rip < (u64)image_end;
}

/* The registers of @uc become those of the interrupted program on its task's kernel stack; the return goes to @entry. */
static struct regs *enter(struct cpu *cpu, struct host_ucontext *uc, const char *entry, u64 orig_rax)
{
	struct host_sigcontext *mc = &uc->mc;
	struct regs *r = (struct regs *)(cpu->kstack_top - REGS_SIZE);

	*r = (struct regs){
		.arg = { mc->rdi, mc->rsi, mc->rdx, mc->r10, mc->r8, mc->r9 },
		.rax = mc->rax, .rbx = mc->rbx, .rbp = mc->rbp,
		.r12 = mc->r12, .r13 = mc->r13, .r14 = mc->r14, .r15 = mc->r15,
		.rcx = mc->rcx, .r11 = mc->r11, .orig_rax = orig_rax,
		.rip = mc->rip, .cs = mc->cs, .rflags = mc->rflags, .rsp = mc->rsp, .ss = mc->ss,
	};
	hosted_set_resume(r, 0);
	store_relaxed(&cpu->in_user, 0u);
	pkey_enter(cpu, mc->fpstate);
	mc->rip = (u64)entry;
	mc->rsp = (u64)r;
	mc->cs = USER_CS;
	mc->ss = USER_SS;
	mc->rflags &= ~(u64)(EFLAGS_TF | EFLAGS_DF);
	return r;
}

/* The reverse: the program goes on with PKRU as it left it, unless there is something else to do first. */
static void leave(struct cpu *cpu, struct host_ucontext *uc)
{
	struct regs *r = (struct regs *)(cpu->kstack_top - REGS_SIZE);
	struct host_sigcontext *mc = &uc->mc;

	if (!pkey_leave(cpu, mc->fpstate)) {
		mc->rip = (u64)hosted_exit_retry;
		return;
	}
	mc->rdi = r->arg[0], mc->rsi = r->arg[1], mc->rdx = r->arg[2];
	mc->r10 = r->arg[3], mc->r8 = r->arg[4], mc->r9 = r->arg[5];
	mc->rax = r->rax, mc->rbx = r->rbx, mc->rbp = r->rbp, mc->rcx = r->rcx, mc->r11 = r->r11;
	mc->r12 = r->r12, mc->r13 = r->r13, mc->r14 = r->r14, mc->r15 = r->r15;
	mc->rip = r->rip, mc->rflags = r->rflags, mc->rsp = r->rsp;
	mc->cs = USER_CS, mc->ss = USER_SS;
}

static void enter_fault(struct cpu *cpu, struct host_ucontext *uc, int signo, int code, u64 addr)
{
	cpu->fault_signo = signo;
	cpu->fault_code = code;
	cpu->fault_addr = addr;
	cpu->fault_trap = (u32)uc->mc.trapno;
	cpu->fault_err = uc->mc.err;
	enter(cpu, uc, hosted_fault_entry, (u64)-1);
}

static void handle_sigsys(struct cpu *cpu, struct host_siginfo *info, struct host_ucontext *uc)
{
	struct host_sigcontext *mc = &uc->mc;
	struct regs *r;

	if (info->code != HOST_SYS_SECCOMP)
		return;
	if (in_image(mc->rip)) {	/* our own call with words that the filter does not know */
		mc->rax = (u64)-EPERM;
		return;
	}
	/* int 0x80 and calls from 32-bit code are not served: as on a kernel built without them */
	if (info->sys.arch != HOST_AUDIT_ARCH_X86_64 || mc->cs != USER_CS) {
		mc->rax = (u64)info->sys.nr;
		enter_fault(cpu, uc, HOST_SIGSEGV, HOST_SI_KERNEL, 0);
		return;
	}
	/* the filter's trap leaves rax as the call's number; rcx and r11 as SYSCALL set them */
	r = enter(cpu, uc, hosted_trap_entry, mc->rax);
	r->rcx = r->rip;
	r->r11 = r->rflags;
}

/* A patched call site's first instruction in here, which is the first to use GS and our memory. */
static bool at_entry(u64 rip)
{
	return rip == (u64)hosted_syscall_entry || rip == (u64)hosted_syscall_entry_far;
}

/* A patched call site came in with PKRU denying our memory: its registers are as the program left them, rcx is where it goes on. */
static bool entry_denied(struct cpu *cpu, struct host_ucontext *uc)
{
	struct host_sigcontext *mc = &uc->mc;
	struct regs *r;

	if (!at_entry(mc->rip) || mc->trapno != TRAP_PAGE_FAULT || !(mc->err & PF_PKEY))
		return false;
	mc->rip = mc->rcx;
	r = enter(cpu, uc, hosted_trap_entry, mc->rax);
	r->rcx = r->rip;
	r->r11 = r->rflags;
	return true;
}

static void handle_fault(struct cpu *cpu, int sig, struct host_siginfo *info, struct host_ucontext *uc)
{
	struct host_sigcontext *mc = &uc->mc;

	if (!in_image(mc->rip)) {
		enter_fault(cpu, uc, sig, info->code, sig == HOST_SIGSEGV || sig == HOST_SIGBUS ? info->fault.addr : mc->rip);
		return;
	}
	if (mc->rip == (u64)hosted_exit_trap) {
		leave(cpu, uc);
		return;
	}
	if (entry_denied(cpu, uc))
		return;
	/* What programs may leave behind that a SYSCALL instruction would have undone: GS (it is right by now), alignment checks. */
	if (at_entry(mc->rip))
		return;
	if (mc->trapno == TRAP_ALIGNMENT && mc->rflags & EFLAGS_AC) {
		mc->rflags &= ~(u64)EFLAGS_AC;
		return;
	}
	cpu->fault_addr = info->fault.addr;
	cpu->fault_err = mc->err;
	if (uaccess_fixup(&mc->rip))
		return;
	kprint("litebox: the library kernel faulted: signal %d, rip %#llx, address %#llx", sig,
	       (unsigned long long)mc->rip, (unsigned long long)info->fault.addr);
	south_exit(LBX_EXIT_BROKEN);
}

/* The task has work: it comes into the library kernel, or looks at it before it sleeps or leaves. */
static void interrupt(struct cpu *cpu, struct host_ucontext *uc)
{
	struct host_sigcontext *mc = &uc->mc;

	if (!in_image(mc->rip)) {
		if (cpu->task && cpu->in_user && load_relaxed(&cpu->task->work))
			enter(cpu, uc, hosted_interrupt_entry, (u64)-1);
		return;
	}
	store_relaxed(&cpu->kicked, 1u);
	if (mc->rip >= (u64)gate_int_start && mc->rip <= (u64)gate_int_syscall)
		mc->rip = (u64)gate_int_kicked;
	else if (mc->rip >= (u64)hosted_exit_window && mc->rip < (u64)hosted_exit_window_end)
		mc->rip = (u64)hosted_exit_retry;
}

static void handle_kick(struct cpu *cpu, struct host_ucontext *uc)
{
	store_relaxed(&cpu->kick_wanted, 0u);
	kick_wanted_cpus(cpu->hp);
	interrupt(cpu, uc);
}

/*
 * A SIGSEGV of the host's own making without a trap, which only a broken rseq area has. The trap's number is that of the thread's last
 * one; the library kernel has none but page faults, and those of a program's that end in the same signal are left out.
 */
static bool rseq_broke(struct cpu *cpu, int sig, const struct host_siginfo *info, const struct host_sigcontext *mc)
{
	if (sig != HOST_SIGSEGV || info->code != HOST_SI_KERNEL || !cpu->rseq.addr)
		return false;
	return in_image(mc->rip) || mc->trapno == 0 || mc->trapno == 14;
}

void host_signal_handler(int sig, void *info, void *ucontext)
{
	u64 here = (u64)__builtin_frame_address(0);
	struct host_ucontext *uc = ucontext;
	struct cpu *cpu;

	/* needs nothing of ours, and comes once: also while the supervisor clones, when its slot names nobody */
	if (sig == HOST_SIGORPHAN)
		south_exit(LBX_EXIT_BROKEN);
	/* A thread that has no slot yet runs our own start code: nothing of a program can have happened. */
	if (here < HOSTED_SLOTS || here >= HOSTED_SLOTS + ((u64)HOSTED_NR_SLOTS << HOSTED_SLOT_SHIFT))
		return;
	cpu = slot_at((u32)((here - HOSTED_SLOTS) >> HOSTED_SLOT_SHIFT))->cpu;
	if (!cpu)
		return;
	/* the program may have changed GS, which is ours */
	cpu_set_gs(cpu);
	if (sig == HOST_SIGSYS) {
		handle_sigsys(cpu, info, uc);
	} else if (sig == HOST_SIGKICK) {
		handle_kick(cpu, uc);
	} else if (rseq_broke(cpu, sig, info, &uc->mc)) {
		cpu_rseq_broke(cpu);
		interrupt(cpu, uc);
	} else {
		handle_fault(cpu, sig, info, uc);
	}
	/* one is pending that has no handler any more; it may have come while this handler ran */
	if (READ_ONCE(cpu->hp->deaf))
		uc->mask |= BIT(HOST_SIGSEGV - 1);
}

/* From entry.S, on the task's kernel stack. */
void hosted_fault(struct regs *regs);
void hosted_fault(struct regs *regs)
{
	struct cpu *cpu = current_cpu();
	u64 rip = regs->rip;

	if (patch_in_stub(rip)) {
		patch_unwind(regs);
		/* It steps through its instructions one by one: stubs have others. */
		if (cpu->fault_trap == TRAP_DEBUG)
			(void)patch_stop();
		if (cpu->fault_addr == rip)
			cpu->fault_addr = regs->rip;
	} else if ((cpu->fault_signo == HOST_SIGILL || cpu->fault_trap == TRAP_GP) && patch_fault(regs)) {
		return;
	}
	/* A site's way here has key 0 as all memory: who denied himself that makes his calls by traps. */
	if (cpu->fault_trap == TRAP_PAGE_FAULT && (cpu->fault_err & PF_PKEY) && patch_memory(cpu->fault_addr) && patch_stop())
		return;
	task_fault(regs, cpu->fault_trap, cpu->fault_err, cpu->fault_addr, cpu->fault_signo, cpu->fault_code);
}

/* Return: all that is left to do is PKRU, see pkey.c */
bool hosted_work(struct regs *regs);
bool hosted_work(struct regs *regs)
{
	store_relaxed(&current_cpu()->kicked, 0u);
	/* a signal may be taken here, and its frame is the program's to read; PKRU alone is no reason to leave a stub */
	if (patch_in_stub(regs->rip) && load_relaxed(&current->work) & ~(u32)WORK_PKRU)
		patch_unwind(regs);
	task_exit_work(regs);
	return load_relaxed(&current->work) == WORK_PKRU;
}
