// SPDX-License-Identifier: MIT
/* Signal frames: to a handler and back; the alternate stack. */
#include "north/linux/sigframe.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/uaccess.h"
#include "process/signal.h"
#include "south/south.h"

#define USER_CS		0x33
#define USER_SS		0x2b
#define RED_ZONE	128
#define FXSAVE_SIZE	512u


#define EFLAGS_TF	BIT(8)
#define EFLAGS_DF	BIT(10)
#define EFLAGS_RF	BIT(16)
/* What a program may set: CF PF AF ZF SF TF DF OF RF AC; as Linux (FIX_EFLAGS). */
#define EFLAGS_USER	(BIT(18) | BIT(16) | BIT(11) | BIT(10) | BIT(8) | BIT(7) | BIT(6) | BIT(4) | BIT(2) | BIT(0))
#define EFLAGS_FIXED	(BIT(1) | BIT(9))

static bool on_altstack(u64 sp)
{
	const struct task *t = current;

	/* while it disarms itself the stack may be somebody else's by now */
	if (t->sas_flags & LINUX_SS_AUTODISARM)
		return false;
	return sp > t->sas_sp && sp - t->sas_sp <= t->sas_size;
}

static u32 altstack_state(u64 sp)
{
	if (!current->sas_size)
		return SS_DISABLE;
	return on_altstack(sp) ? SS_ONSTACK : 0;
}

void sigaltstack_get(struct linux_stack *ss, u64 sp)
{
	const struct task *t = current;

	*ss = (struct linux_stack){ .sp = t->sas_sp, .size = t->sas_size };
	ss->flags = altstack_state(sp) | (t->sas_flags & LINUX_SS_AUTODISARM);
}

int sigaltstack_set(const struct linux_stack *ss, u64 sp)
{
	struct task *t = current;
	u32 mode = ss->flags & ~LINUX_SS_AUTODISARM;

	if (on_altstack(sp))
		return -EPERM;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		t->sas_sp = t->sas_size = 0;
		t->sas_flags = SS_DISABLE | (ss->flags & LINUX_SS_AUTODISARM);
		return 0;
	}
	/* today's vector state does not fit into the least size; Linux lets the program find out (SIGSEGV) */
	if (ss->size < MINSIGSTKSZ)
		return -ENOMEM;
	t->sas_sp = ss->sp;
	t->sas_size = ss->size;
	t->sas_flags = ss->flags;
	return 0;
}

/* Where the frame goes. Return: its address, 0: the alternate stack would overflow. */
static u64 frame_address(const struct regs *regs, const struct ksigaction *action, u64 *fpu)
{
	const struct task *t = current;
	u64 sp = regs->rsp - RED_ZONE;
	bool nested = on_altstack(regs->rsp), entering = false;

	if ((action->flags & SA_ONSTACK) && altstack_state(regs->rsp) == 0) {
		sp = t->sas_sp + t->sas_size;
		entering = true;
	}
	*fpu = ALIGN_DOWN(sp - machine->fpu_frame_size(), 64ul);
	sp = ALIGN_DOWN(*fpu - sizeof(struct linux_rt_sigframe), 16ul) - 8;
	if ((nested || entering) && !(sp > t->sas_sp && sp - t->sas_sp <= t->sas_size))
		return 0;
	return sp;
}

int sigframe_setup(struct regs *regs, const struct sigframe_request *req)
{
	struct task *t = current;
	struct linux_rt_sigframe f;
	u64 fpu, at = frame_address(regs, &req->action, &fpu);
	size_t len = sizeof(f);

	if (!at || !access_ok(at, sizeof(f) + machine->fpu_frame_size()))
		return -EFAULT;
	/* without a restorer there is no way back: x86-64 has none of its own */
	if (!(req->action.flags & LINUX_SA_RESTORER))
		return -EFAULT;
	if (machine->save_fpu(fpu))
		return -EFAULT;

	memset(&f, 0, sizeof(f));
	f.restorer = req->action.restorer;
	f.uc.flags = LINUX_UC_SIGCONTEXT_SS | LINUX_UC_STRICT_RESTORE_SS;
	if (machine->fpu_frame_size() > FXSAVE_SIZE)
		f.uc.flags |= LINUX_UC_FP_XSTATE;
	sigaltstack_get(&f.uc.stack, regs->rsp);
	f.uc.stack.flags = t->sas_flags;
	f.uc.mcontext = (struct linux_sigcontext){
		.r8 = regs->REG_R8, .r9 = regs->REG_R9, .r10 = regs->REG_R10, .r11 = regs->r11,
		.r12 = regs->r12, .r13 = regs->r13, .r14 = regs->r14, .r15 = regs->r15,
		.rdi = regs->REG_RDI, .rsi = regs->REG_RSI, .rbp = regs->rbp, .rbx = regs->rbx,
		.rdx = regs->REG_RDX, .rax = regs->rax, .rcx = regs->rcx, .rsp = regs->rsp,
		.rip = regs->rip, .rflags = regs->rflags, .cs = USER_CS, .ss = USER_SS,
		.err = t->fault_err, .trapno = t->fault_trapno, .oldmask = req->saved_mask,
		.cr2 = t->fault_addr, .fpstate = fpu,
	};
	f.uc.sigmask = req->saved_mask;
	if (req->action.flags & SA_SIGINFO)
		memcpy(f.info, &req->info, sizeof(req->info));
	else
		len = offsetof(struct linux_rt_sigframe, info);
	if (copy_to_user(at, &f, len))
		return -EFAULT;

	/* the stack is the handler's own business from here on */
	if (t->sas_flags & LINUX_SS_AUTODISARM) {
		t->sas_sp = t->sas_size = 0;
		t->sas_flags = SS_DISABLE;
	}
	regs->REG_RDI = (u64)req->sig;
	regs->REG_RSI = at + offsetof(struct linux_rt_sigframe, info);
	regs->REG_RDX = at + offsetof(struct linux_rt_sigframe, uc);
	regs->rax = 0;
	regs->rip = req->action.handler;
	regs->rsp = at;
	regs->cs = USER_CS;
	regs->ss = USER_SS;
	regs->rflags &= ~(EFLAGS_DF | EFLAGS_RF | EFLAGS_TF);
	return 0;
}

static void restore_regs(struct regs *regs, const struct linux_sigcontext *c)
{
	regs->REG_R8 = c->r8;
	regs->REG_R9 = c->r9;
	regs->REG_R10 = c->r10;
	regs->r11 = c->r11;
	regs->r12 = c->r12;
	regs->r13 = c->r13;
	regs->r14 = c->r14;
	regs->r15 = c->r15;
	regs->REG_RDI = c->rdi;
	regs->REG_RSI = c->rsi;
	regs->rbp = c->rbp;
	regs->rbx = c->rbx;
	regs->REG_RDX = c->rdx;
	regs->rax = c->rax;
	regs->rcx = c->rcx;
	regs->rsp = c->rsp;
	regs->rip = c->rip;
	/* the segments are the only ones that a 64-bit program has, whatever the frame says */
	regs->cs = USER_CS;
	regs->ss = USER_SS;
	regs->rflags = (regs->rflags & ~EFLAGS_USER) | (c->rflags & EFLAGS_USER) | EFLAGS_FIXED;
	regs->orig_rax = ~0ull;		/* what was interrupted is over: nothing restarts */
}

/* The vDSO is the one place outside of its own memory where a program may have been interrupted. */
#define VDSO_SIZE	0x4000

static bool may_run_at(u64 rip)
{
	u64 vdso = machine->vdso ? machine->vdso() : 0;

	return access_ok(rip, 1) || (vdso && rip - vdso < VDSO_SIZE);
}

long sigframe_return(struct regs *regs)
{
	struct linux_ucontext uc;
	struct task *t = current;
	u64 sp = regs->rsp;

	t->restart.func = NULL;
	/* the handler's RET took the restorer's address off the frame */
	if (copy_from_user(&uc, sp - sizeof(u64) + offsetof(struct linux_rt_sigframe, uc), sizeof(uc)))
		goto bad;
	signal_set_blocked(uc.sigmask);
	if (uc.mcontext.fpstate && !access_ok(uc.mcontext.fpstate, machine->fpu_frame_size()))
		goto bad;
	restore_regs(regs, &uc.mcontext);
	if (machine->restore_fpu(uc.mcontext.fpstate))
		goto bad;
	/* errors in the stack are not reported: the frame may be one that another thread made up */
	(void)sigaltstack_set(&uc.stack, regs->rsp);
	if (!may_run_at(regs->rip)) {
		/* the processor would fault on its way there; it is not even tried */
		t->fault_trapno = 14;
		t->fault_err = 0x14;	/* user, instruction fetch */
		t->fault_addr = regs->rip;
		force_signal(SIGSEGV, SEGV_MAPERR, regs->rip);
	}
	return (long)regs->rax;
bad:
	force_signal(SIGSEGV, SI_KERNEL, 0);
	return 0;
}
