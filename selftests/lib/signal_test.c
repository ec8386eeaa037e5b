// SPDX-License-Identifier: MIT
/* Signals over a fake South: queues, masks, actions, frames written to memory and read back, waiting, hostile frames. */
#include "tasks.c"
#include "unit.h"

#include "north/linux/sigframe.h"
#include "process/internal.h"

#define RESTORER	0x401000ull
#define OWN		((u64)current->process->tgid)

static long wait_for(s32 pid, u32 *status, u32 options)
{
	return call(61, wait4, (u64)pid, (u64)status, options, 0);
}

static long action(int sig, void (*handler)(int, void *, void *), u64 flags, sigset_t mask)
{
	struct ksigaction a = { (u64)handler, flags | LINUX_SA_RESTORER, RESTORER, mask };

	return call(13, rt_sigaction, (u64)sig, (u64)&a, 0, 8);
}

static void defaults(int sig)
{
	struct ksigaction a = { 0 };

	call(13, rt_sigaction, (u64)sig, (u64)&a, 0, 8);
}

static sigset_t setmask(int how, sigset_t set)
{
	sigset_t old = 0;

	EXPECT_EQ(call(14, rt_sigprocmask, (u64)how, (u64)&set, (u64)&old, 8), 0);
	return old;
}

static sigset_t pending(void)
{
	sigset_t set = 0;

	EXPECT_EQ(call(127, rt_sigpending, (u64)&set, 8), 0);
	return set;
}

/* What handlers saw, in order. Only one thread at a time handles signals in most tests. */
static int seen_nr, seen_sig[4096];
static u64 seen_value[4096];
static sigset_t seen_mask;
static s32 seen_tid;

static void note(int sig, void *info, void *uc)
{
	int i = __atomic_fetch_add(&seen_nr, 1, __ATOMIC_ACQ_REL) % 4096;

	(void)uc;
	seen_sig[i] = sig;
	seen_value[i] = ((struct siginfo *)info)->rt.value;
	seen_mask = current->blocked;
	seen_tid = current->tid;
}

static long queue(s32 pid, int sig, u64 value)
{
	struct siginfo info = { .signo = sig, .code = SI_QUEUE };
	u8 all[SIGINFO_USER_SIZE] = { 0 };

	info.rt.pid = 77;
	info.rt.value = value;
	memcpy(all, &info, sizeof(info));
	return call(129, rt_sigqueueinfo, (u64)pid, (u64)sig, (u64)all);
}

static void standard_signals_coalesce(void)
{
	seen_nr = 0;
	EXPECT_EQ(action(SIGUSR1, note, SA_SIGINFO, SIGMASK(SIGUSR2)), 0);
	setmask(SIG_BLOCK, SIGMASK(SIGUSR1));
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(call(62, kill, OWN, SIGUSR1), 0);
	EXPECT_EQ(seen_nr, 0);
	EXPECT_EQ(pending(), SIGMASK(SIGUSR1));
	setmask(SIG_UNBLOCK, SIGMASK(SIGUSR1));
	EXPECT_EQ(seen_nr, 1);
	EXPECT_EQ(seen_mask, SIGMASK(SIGUSR1) | SIGMASK(SIGUSR2));
	EXPECT_EQ(current->blocked, 0);
	EXPECT_EQ(pending(), 0);
	defaults(SIGUSR1);
}

static void realtime_signals_queue(void)
{
	seen_nr = 0;
	EXPECT_EQ(action(40, note, SA_SIGINFO, ~0ull), 0);
	EXPECT_EQ(action(35, note, SA_SIGINFO, ~0ull), 0);
	setmask(SIG_BLOCK, SIGMASK(35) | SIGMASK(40));
	for (u64 i = 0; i < 5; i++) {
		EXPECT_EQ(queue((s32)OWN, 40, i), 0);
		EXPECT_EQ(queue((s32)OWN, 35, 100 + i), 0);
	}
	setmask(SIG_SETMASK, 0);
	EXPECT_EQ(seen_nr, 10);
	for (u64 i = 0; i < 5; i++) {
		EXPECT_EQ(seen_sig[i], 35);	/* the lowest number first */
		EXPECT_EQ(seen_value[i], 100 + i);
		EXPECT_EQ(seen_sig[5 + i], 40);
		EXPECT_EQ(seen_value[5 + i], i);
	}
	defaults(35);
	defaults(40);
}

static int pending_limit_child(void *arg)
{
	struct rlimit64 lim = { 3, 3 };

	(void)arg;
	setmask(SIG_BLOCK, ~0ull);
	call(160, setrlimit, RLIM_SIGPENDING, (u64)&lim);
	for (int i = 0; i < 3; i++)
		if (queue((s32)OWN, 50, 1))
			return 1;
	if (queue((s32)OWN, 50, 1) != -EAGAIN)
		return 2;
	/* kill(2) never fails for that: it has nothing to say but its number */
	if (call(62, kill, OWN, 51) || call(62, kill, OWN, SIGUSR2))
		return 3;
	return pending() == (SIGMASK(50) | SIGMASK(51) | SIGMASK(SIGUSR2)) ? 0 : 4;
}

static void pending_limit(void)
{
	u32 status = 1;
	s32 pid = (s32)fork_to(pending_limit_child, NULL);

	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}

static void arguments(void)
{
	struct ksigaction a = { SIGACTION_IGN, 0, 0, 0 };
	sigset_t set = 0;

	EXPECT_EQ(call(13, rt_sigaction, SIGKILL, (u64)&a, 0, 8), -EINVAL);
	EXPECT_EQ(call(13, rt_sigaction, SIGSTOP, (u64)&a, 0, 8), -EINVAL);
	EXPECT_EQ(call(13, rt_sigaction, SIGKILL, 0, (u64)&a, 8), 0);
	EXPECT_EQ(call(13, rt_sigaction, 0, 0, 0, 8), -EINVAL);
	EXPECT_EQ(call(13, rt_sigaction, 65, 0, 0, 8), -EINVAL);
	EXPECT_EQ(call(13, rt_sigaction, 1, 0, 0, 4), -EINVAL);
	EXPECT_EQ(call(13, rt_sigaction, 1, 8, 0, 8), -EFAULT);
	EXPECT_EQ(call(14, rt_sigprocmask, 3, (u64)&set, 0, 8), -EINVAL);
	EXPECT_EQ(call(14, rt_sigprocmask, 3, 0, 0, 8), 0);
	EXPECT_EQ(call(14, rt_sigprocmask, 0, (u64)&set, 0, 16), -EINVAL);
	EXPECT_EQ(call(127, rt_sigpending, (u64)&set, 9), -EINVAL);
	EXPECT_EQ(call(62, kill, OWN, 65), -EINVAL);
	EXPECT_EQ(call(62, kill, 4000000, 65), -ESRCH);
	EXPECT_EQ(call(62, kill, (u64)INT32_MIN, 9), -ESRCH);
	EXPECT_EQ(call(234, tgkill, 0, 1, 0), -EINVAL);
	EXPECT_EQ(call(234, tgkill, OWN, (u64)-1, 0), -EINVAL);
	EXPECT_EQ(call(234, tgkill, 4000000, OWN, 0), -ESRCH);
	EXPECT_EQ(call(234, tgkill, OWN, OWN, 0), 0);
	EXPECT_EQ(call(200, tkill, 0, 0), -EINVAL);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, 0, 0, 4), -EINVAL);
	EXPECT_EQ(call(130, rt_sigsuspend, 8, 8), -EFAULT);
	EXPECT_EQ(call(219, restart_syscall, 0), -EINTR);
	setmask(SIG_BLOCK, ~0ull);
	EXPECT_EQ(setmask(SIG_SETMASK, 0), ~(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP)));
	/* only one's own process may be told that the kernel sent something */
	EXPECT_EQ(queue(4000000, 40, 1), -ESRCH);
	EXPECT_EQ(call(129, rt_sigqueueinfo, 4000000, SIGUSR1, (u64)(u8[128]){ SIGUSR1 }), -EPERM);
}

static void ignored_pending_is_dropped(void)
{
	struct ksigaction ign = { SIGACTION_IGN, 0, 0, 0 };

	setmask(SIG_BLOCK, SIGMASK(SIGUSR1) | SIGMASK(SIGCHLD));
	EXPECT_EQ(call(62, kill, OWN, SIGUSR1), 0);
	EXPECT_EQ(call(62, kill, OWN, SIGCHLD), 0);	/* blocked: kept, though its default is nothing */
	EXPECT_EQ(pending(), SIGMASK(SIGUSR1) | SIGMASK(SIGCHLD));
	EXPECT_EQ(call(13, rt_sigaction, SIGUSR1, (u64)&ign, 0, 8), 0);
	defaults(SIGCHLD);
	EXPECT_EQ(pending(), 0);
	defaults(SIGUSR1);
	setmask(SIG_SETMASK, 0);
}

/* ---- frames ---- */

static void fill_regs(struct regs *r)
{
	u64 *words = (u64 *)r;

	for (size_t i = 0; i < offsetof(struct regs, orig_rax) / 8; i++)
		words[i] = 0x1111111111111111ull * (i + 1);
	r->rip = 0x123456;
	r->rflags = 0x246 | 0x400 | 0x100;	/* DF, TF set */
	r->cs = 0x33;
	r->ss = 0x2b;
	r->orig_rax = ~0ull;
}

static void frame_layout(void)
{
	struct regs *r = current->regs, saved;
	struct linux_rt_sigframe *f;
	u64 sp = r->rsp;

	action(SIGUSR1, note, SA_SIGINFO, SIGMASK(SIGUSR2));
	fill_regs(r);
	saved = *r;
	setmask(SIG_SETMASK, SIGMASK(SIGHUP));
	*r = saved;
	r->rsp = saved.rsp = sp - 4000;
	EXPECT_EQ(send_signal_task(current, SIGUSR1, SIGINFO_NONE), 0);
	task_exit_work(r);
	f = (void *)r->rsp;
	EXPECT_EQ(r->rip, (u64)note);
	EXPECT_EQ(r->REG_RDI, SIGUSR1);
	EXPECT_EQ(r->REG_RSI, (u64)f->info);
	EXPECT_EQ(r->REG_RDX, (u64)&f->uc);
	EXPECT_EQ(r->rax, 0);
	EXPECT_EQ(r->rflags & 0x500, 0);
	EXPECT_EQ(r->rsp % 16, 8);
	EXPECT(r->rsp + sizeof(*f) <= saved.rsp - 128);
	EXPECT_EQ(f->restorer, RESTORER);
	EXPECT_EQ(f->uc.flags, 6);	/* no XSAVE here: the fake vector state is FXSAVE's 512 bytes */
	EXPECT_EQ(f->uc.sigmask, SIGMASK(SIGHUP));
	EXPECT_EQ(f->uc.mcontext.oldmask, SIGMASK(SIGHUP));
	EXPECT_EQ(f->uc.mcontext.rip, saved.rip);
	EXPECT_EQ(f->uc.mcontext.rsp, saved.rsp);
	EXPECT_EQ(f->uc.mcontext.rbx, saved.rbx);
	EXPECT_EQ(f->uc.mcontext.r15, saved.r15);
	EXPECT_EQ(f->uc.mcontext.rflags, saved.rflags);
	EXPECT_EQ(f->uc.mcontext.cs, 0x33);
	EXPECT_EQ(f->uc.mcontext.ss, 0x2b);
	EXPECT_EQ(f->uc.mcontext.fpstate % 64, 0);
	EXPECT(f->uc.mcontext.fpstate >= (u64)(f + 1) && f->uc.mcontext.fpstate + 512 <= saved.rsp - 128);
	EXPECT_EQ(f->uc.stack.flags, SS_DISABLE);
	EXPECT_EQ(((struct siginfo *)f->info)->signo, SIGUSR1);
	EXPECT_EQ(((struct siginfo *)f->info)->rt.pid, OWN);
	EXPECT_EQ(((struct siginfo *)f->info)->rt.uid, 1000);
	EXPECT_EQ(current->blocked, SIGMASK(SIGHUP) | SIGMASK(SIGUSR1) | SIGMASK(SIGUSR2));

	/* what the handler changes in the frame counts, as far as a program may have it */
	f->uc.mcontext.r12 = 42;
	f->uc.mcontext.rflags = ~0ull;
	f->uc.mcontext.cs = 0x10;
	f->uc.mcontext.ss = 0;
	f->uc.sigmask = ~0ull;
	r->rsp += 8;
	(void)sys_rt_sigreturn(NULL);
	EXPECT_EQ(r->r12, 42);
	EXPECT_EQ(r->r15, saved.r15);
	EXPECT_EQ(r->rip, saved.rip);
	EXPECT_EQ(r->rsp, saved.rsp);
	EXPECT_EQ(r->rax, saved.rax);
	EXPECT_EQ(r->cs, 0x33);
	EXPECT_EQ(r->ss, 0x2b);
	EXPECT_EQ(r->rflags & 0x3000, 0);		/* no I/O privilege */
	EXPECT_EQ(r->rflags & 0x200, 0x200);
	EXPECT_EQ(current->blocked, ~(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP)));
	setmask(SIG_SETMASK, 0);
	r->rsp = sp;
	defaults(SIGUSR1);
}

static u64 fault_addr, fault_code, fault_sig, fault_rsp;

static void note_fault(int sig, void *info, void *uc)
{
	struct siginfo *si = info;
	struct linux_ucontext *u = uc;

	fault_sig = (u64)sig;
	fault_addr = si->fault.addr;
	fault_code = (u64)si->code;
	fault_rsp = u->mcontext.rsp;
	u->mcontext.rip = SYSCALL_RIP + 2;	/* go on behind it */
}

/* A frame that sends the program where nothing of it can be. */
static void hostile_sigreturn(void)
{
	struct regs *r = current->regs;
	struct linux_rt_sigframe *f;
	u64 sp = r->rsp;

	action(SIGSEGV, note_fault, SA_SIGINFO, 0);
	f = (void *)((sp - 8000) & ~15ull);
	memset(f, 0, sizeof(*f));
	f->uc.mcontext.rip = 0xffffffff81000000ull;
	f->uc.mcontext.rsp = sp - 9000;
	r->rsp = (u64)f + 8;
	r->orig_rax = 15;
	(void)sys_rt_sigreturn(NULL);
	way_back(r);
	EXPECT_EQ(fault_sig, SIGSEGV);
	EXPECT_EQ(fault_addr, 0xffffffff81000000ull);
	EXPECT_EQ(fault_code, SEGV_MAPERR);
	EXPECT_EQ(r->rip, SYSCALL_RIP + 2);

	/* vector state that lies in nobody's memory */
	f->uc.mcontext.fpstate = 0xffff800000000000ull;
	f->uc.mcontext.rip = 0x1234;
	r->rsp = (u64)f + 8;
	fault_sig = 0;
	(void)sys_rt_sigreturn(NULL);
	way_back(r);
	EXPECT_EQ(fault_sig, SIGSEGV);
	EXPECT_EQ(fault_code, SI_KERNEL);
	r->rsp = sp;
	defaults(SIGSEGV);
}

static int bad_stack_child(void *arg)
{
	struct regs *r = current->regs;

	action(SIGUSR1, note, SA_SIGINFO, 0);
	action(SIGSEGV, note, SA_SIGINFO, 0);
	r->rsp = (u64)arg;
	call(62, kill, OWN, SIGUSR1);
	return 1;
}

static int no_restorer_child(void *arg)
{
	struct ksigaction a = { (u64)note, SA_SIGINFO, 0, 0 };

	(void)arg;
	call(13, rt_sigaction, SIGUSR1, (u64)&a, 0, 8);
	call(62, kill, OWN, SIGUSR1);
	return 1;
}

static int bad_return_child(void *arg)
{
	current->regs->rsp = (u64)arg;
	(void)sys_rt_sigreturn(NULL);
	checkpoint();
	return 1;
}

static u32 status_of(int (*fn)(void *), void *arg)
{
	u32 status = 0xdead;
	s32 pid = (s32)fork_to(fn, arg);

	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	return status;
}

static void frames_that_cannot_be(void)
{
	EXPECT_EQ(status_of(bad_stack_child, (void *)0x1000), SIGSEGV);
	EXPECT_EQ(status_of(bad_stack_child, (void *)0xffff800000001000), SIGSEGV);
	EXPECT_EQ(status_of(bad_stack_child, (void *)16), SIGSEGV);
	EXPECT_EQ(status_of(no_restorer_child, NULL), SIGSEGV);
	EXPECT_EQ(status_of(bad_return_child, (void *)0), SIGSEGV);
	EXPECT_EQ(status_of(bad_return_child, (void *)~0ull), SIGSEGV);
	EXPECT_EQ(status_of(bad_return_child, (void *)0x7ffffffffff8), SIGSEGV);
}

/* ---- alternate stacks ---- */

static struct linux_stack stack_seen;
static long stack_set_result;
static bool on_alt;

static void alt_handler(int sig, void *info, void *uc)
{
	struct linux_stack ss = { 0 };
	u64 here = (u64)info;

	(void)sig;
	(void)uc;
	call(131, sigaltstack, 0, (u64)&stack_seen);
	stack_set_result = call(131, sigaltstack, (u64)&ss, 0);
	on_alt = here >= stack_seen.sp && here < stack_seen.sp + stack_seen.size;
}

static void alternate_stack(void)
{
	static u8 mem[16384];
	struct linux_stack ss = { (u64)mem, 0, 0, sizeof(mem) }, old;

	EXPECT_EQ(call(131, sigaltstack, (u64)&ss, (u64)&old), 0);
	EXPECT_EQ(old.flags, SS_DISABLE);
	action(SIGUSR1, alt_handler, SA_SIGINFO | SA_ONSTACK, 0);
	call(62, kill, OWN, SIGUSR1);
	EXPECT(on_alt);
	EXPECT_EQ(stack_seen.flags, SS_ONSTACK);
	EXPECT_EQ(stack_set_result, -EPERM);
	action(SIGUSR1, alt_handler, SA_SIGINFO, 0);
	call(62, kill, OWN, SIGUSR1);
	EXPECT(!on_alt);
	EXPECT_EQ(stack_seen.flags, 0);
	/* the handler took it away: sigreturn brought it back from the frame */
	EXPECT_EQ(stack_set_result, -ENOMEM);

	ss.flags = LINUX_SS_AUTODISARM;
	EXPECT_EQ(call(131, sigaltstack, (u64)&ss, 0), 0);
	action(SIGUSR1, alt_handler, SA_SIGINFO | SA_ONSTACK, 0);
	call(62, kill, OWN, SIGUSR1);
	EXPECT_EQ(stack_seen.flags, SS_DISABLE);
	EXPECT_EQ(stack_set_result, -ENOMEM);
	EXPECT_EQ(call(131, sigaltstack, 0, (u64)&old), 0);
	EXPECT_EQ(old.flags, LINUX_SS_AUTODISARM);
	EXPECT_EQ(old.sp, (u64)mem);

	ss = (struct linux_stack){ (u64)mem, 0, 0, 2047 };
	EXPECT_EQ(call(131, sigaltstack, (u64)&ss, 0), -ENOMEM);
	ss.flags = 4;
	EXPECT_EQ(call(131, sigaltstack, (u64)&ss, 0), -EINVAL);
	EXPECT_EQ(call(131, sigaltstack, 8, 0), -EFAULT);
	ss = (struct linux_stack){ 0, SS_DISABLE, 0, 0 };
	EXPECT_EQ(call(131, sigaltstack, (u64)&ss, 0), 0);
	defaults(SIGUSR1);
}

static int overflow_child(void *arg)
{
	static u8 mem[4096];
	struct linux_stack ss = { (u64)mem, 0, 0, sizeof(mem) };

	(void)arg;
	call(131, sigaltstack, (u64)&ss, 0);
	action(SIGUSR1, note, SA_SIGINFO | SA_ONSTACK, 0);
	action(SIGSEGV, note, SA_SIGINFO | SA_ONSTACK, 0);
	current->regs->rsp = (u64)mem + 512;	/* deep in the alternate stack already */
	call(62, kill, OWN, SIGUSR1);
	return 1;
}

static void alternate_stack_overflow(void)
{
	EXPECT_EQ(status_of(overflow_child, NULL), SIGSEGV);
}

/* ---- flags, masks, restarts ---- */

static int depth, max_depth;

static void nest(int sig, void *info, void *uc)
{
	(void)info;
	(void)uc;
	depth++;
	max_depth = max(max_depth, depth);
	if (depth < 3)
		call(62, kill, OWN, (u64)sig);
	depth--;
}

static void action_flags(void)
{
	struct ksigaction old;

	max_depth = 0;
	action(SIGUSR1, nest, SA_NODEFER, 0);
	call(62, kill, OWN, SIGUSR1);
	EXPECT_EQ(max_depth, 3);
	seen_nr = 0;
	action(SIGUSR1, note, SA_SIGINFO | SA_RESETHAND, 0);
	call(62, kill, OWN, SIGUSR1);
	EXPECT_EQ(seen_nr, 1);
	EXPECT_EQ(call(13, rt_sigaction, SIGUSR1, 0, (u64)&old, 8), 0);
	EXPECT_EQ(old.handler, SIGACTION_DFL);
	/* unknown flags are not kept, and SA_UNSUPPORTED is how a program finds out */
	action(SIGUSR1, note, 0x400 | 0x1000, ~0ull);
	call(13, rt_sigaction, SIGUSR1, 0, (u64)&old, 8);
	EXPECT_EQ(old.flags, LINUX_SA_RESTORER);
	EXPECT_EQ(old.mask, ~(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP)));
	defaults(SIGUSR1);
}

static struct task *first;

static int signal_the_first(void *arg)
{
	/* once it sleeps, not before: then it would handle the signal on its way to sleep */
	if (!eventually((load_acquire(&first->state) & 0xff) == TASK_INTERRUPTIBLE))
		return 1;
	call(62, kill, 1, (u64)arg);
	pause_ms(30);
	return 4;
}

static void restarts(void)
{
	u32 status = 0;
	s32 pid;

	seen_nr = 0;
	action(SIGUSR1, note, SA_SIGINFO, 0);
	pid = (s32)fork_to(signal_the_first, (void *)SIGUSR1);
	EXPECT_EQ(wait_for(pid, &status, 0), -EINTR);
	EXPECT_EQ(seen_nr, 1);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	action(SIGUSR1, note, SA_SIGINFO | SA_RESTART, 0);
	pid = (s32)fork_to(signal_the_first, (void *)SIGUSR1);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(seen_nr, 2);
	EXPECT_EQ(status, 4 << 8);
	/* pause has no restart, whatever the action says */
	pid = (s32)fork_to(signal_the_first, (void *)SIGUSR1);
	EXPECT_EQ(call(34, pause, 0), -EINTR);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	/* an ignored signal wakes nobody */
	pid = (s32)fork_to(signal_the_first, (void *)SIGURG);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	defaults(SIGUSR1);
}

static void suspend(void)
{
	sigset_t none = 0;
	u32 status;
	s32 pid;

	seen_nr = 0;
	action(SIGUSR1, note, SA_SIGINFO, 0);
	setmask(SIG_SETMASK, SIGMASK(SIGUSR1) | SIGMASK(SIGUSR2));
	pid = (s32)fork_to(signal_the_first, (void *)SIGUSR1);
	EXPECT_EQ(call(130, rt_sigsuspend, (u64)&none, 8), -EINTR);
	EXPECT_EQ(seen_nr, 1);
	EXPECT_EQ(seen_mask, SIGMASK(SIGUSR1));
	EXPECT_EQ(current->blocked, SIGMASK(SIGUSR1) | SIGMASK(SIGUSR2));
	EXPECT_EQ(wait_for(pid, &status, 0), pid);

	/* as ppoll does it, interrupted and not */
	EXPECT_EQ(signal_set_user_mask((u64)&none, 8), 0);
	EXPECT_EQ(current->blocked, 0);
	signal_restore_mask(false);
	EXPECT_EQ(current->blocked, SIGMASK(SIGUSR1) | SIGMASK(SIGUSR2));
	EXPECT_EQ(signal_set_user_mask((u64)&none, 4), -EINVAL);
	EXPECT_EQ(signal_set_user_mask(8, 8), -EFAULT);
	call(62, kill, OWN, SIGUSR1);
	EXPECT_EQ(seen_nr, 1);
	EXPECT_EQ(signal_set_user_mask((u64)&none, 8), 0);
	signal_restore_mask(true);
	checkpoint();
	EXPECT_EQ(seen_nr, 2);
	EXPECT_EQ(current->blocked, SIGMASK(SIGUSR1) | SIGMASK(SIGUSR2));
	setmask(SIG_SETMASK, 0);
	defaults(SIGUSR1);
}

static void timed_wait(void)
{
	struct siginfo info = { 0 };
	u8 all[SIGINFO_USER_SIZE];
	sigset_t set = SIGMASK(SIGUSR1) | SIGMASK(40);
	s64 ts[2] = { 0, 20000000 }, bad[2] = { 0, -1 }, none[2] = { 0, 0 };
	s64 before = clock_monotonic();
	u32 status;
	s32 pid;

	setmask(SIG_BLOCK, set);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, (u64)ts, 8), -EAGAIN);
	EXPECT(clock_monotonic() - before >= 20 * NSEC_PER_MSEC);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, (u64)none, 8), -EAGAIN);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, (u64)bad, 8), -EINVAL);
	EXPECT_EQ(queue((s32)OWN, 40, 99), 0);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, 0, 8), 40);
	memcpy(&info, all, sizeof(info));
	EXPECT_EQ(info.rt.value, 99);
	EXPECT_EQ(info.code, SI_QUEUE);
	EXPECT_EQ(pending(), 0);
	pid = (s32)fork_to(signal_the_first, (void *)SIGUSR1);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, 0, 8), SIGUSR1);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	/* an open one that is waited for is taken before its handler runs */
	setmask(SIG_SETMASK, 0);
	seen_nr = 0;
	action(SIGUSR1, note, SA_SIGINFO, 0);
	pid = (s32)fork_to(signal_the_first, (void *)SIGUSR1);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, 0, 8), SIGUSR1);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(seen_nr, 0);
	defaults(SIGUSR1);
	/* another one ends it */
	action(SIGUSR2, note, SA_SIGINFO | SA_RESTART, 0);
	pid = (s32)fork_to(signal_the_first, (void *)SIGUSR2);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, 0, 8), -EINTR);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	defaults(SIGUSR2);
}

/* ---- threads ---- */

static int threads_ready;

static int open_thread(void *arg)
{
	(void)arg;
	setmask(SIG_SETMASK, 0);
	__atomic_add_fetch(&threads_ready, 1, __ATOMIC_ACQ_REL);
	return (int)call(34, pause, 0);
}

static void shared_signals_find_a_thread(void)
{
	s32 tid;

	seen_nr = threads_ready = 0;
	action(SIGUSR1, note, SA_SIGINFO, 0);
	setmask(SIG_SETMASK, SIGMASK(SIGUSR1));
	tid = (s32)thread_to(open_thread, NULL);
	EXPECT(eventually(__atomic_load_n(&threads_ready, __ATOMIC_ACQUIRE) == 1));
	EXPECT_EQ(call(62, kill, OWN, SIGUSR1), 0);
	EXPECT(eventually(__atomic_load_n(&seen_nr, __ATOMIC_ACQUIRE) == 1));
	EXPECT_EQ(seen_tid, tid);
	EXPECT_EQ(pending(), 0);
	EXPECT(tasks_settle());
	/* nobody is open: it waits for who opens first */
	EXPECT_EQ(call(62, kill, OWN, SIGUSR1), 0);
	EXPECT_EQ(pending(), SIGMASK(SIGUSR1));
	tid = (s32)thread_to(open_thread, NULL);
	EXPECT(eventually(__atomic_load_n(&seen_nr, __ATOMIC_ACQUIRE) == 2));
	EXPECT_EQ(seen_tid, tid);
	/* to one thread alone, and to it even when another is open */
	EXPECT(eventually(__atomic_load_n(&threads_ready, __ATOMIC_ACQUIRE) == 2));
	EXPECT_EQ(call(234, tgkill, OWN, OWN, SIGUSR1), 0);
	EXPECT_EQ(pending(), SIGMASK(SIGUSR1));
	EXPECT_EQ(seen_nr, 2);
	setmask(SIG_SETMASK, 0);
	EXPECT_EQ(seen_nr, 3);
	EXPECT_EQ(seen_tid, OWN);
	EXPECT_EQ(call(234, tgkill, OWN, (u64)tid, SIGUSR1), 0);
	EXPECT(tasks_settle());
	EXPECT_EQ(seen_tid, tid);
	defaults(SIGUSR1);
}

#define STORM_THREADS	4
#define STORM_SIGNALS	800

static int sender(void *arg)
{
	for (int i = 0; i < STORM_SIGNALS; i++)
		while (queue((s32)(long)arg, 45, 1) == -EAGAIN)
			pause_ms(1);
	return 0;
}

/* Every queued signal arrives, whoever handles it. */
static void storm(void)
{
	u64 sum = 0;

	seen_nr = 0;
	action(45, note, SA_SIGINFO, 0);
	for (int i = 0; i < STORM_THREADS; i++)
		EXPECT(thread_to(sender, (void *)OWN) > 0);
	EXPECT(eventually((checkpoint(), __atomic_load_n(&seen_nr, __ATOMIC_ACQUIRE) == STORM_THREADS * STORM_SIGNALS)));
	EXPECT(tasks_settle());
	for (int i = 0; i < STORM_THREADS * STORM_SIGNALS; i++)
		sum += seen_value[i];
	EXPECT_EQ(sum, STORM_THREADS * STORM_SIGNALS);
	defaults(45);
}

/* ---- faults and the end ---- */

static int fault_child(void *arg)
{
	struct rlimit64 lim = { (u64)arg, (u64)arg };

	call(160, setrlimit, RLIM_CORE, (u64)&lim);
	setmask(SIG_BLOCK, ~0ull);
	action(SIGFPE, note, 0, 0);
	current->regs->rip = SYSCALL_RIP + 2;
	task_fault(current->regs, 0, 0, 0, 0, 0);	/* blocked: the default action, at once */
	way_back(current->regs);
	return 1;
}

static void faults(void)
{
	struct regs *r = current->regs;
	u64 sp = r->rsp;

	EXPECT_EQ(status_of(fault_child, NULL), SIGFPE);
	action(SIGILL, note_fault, SA_SIGINFO, 0);
	r->rip = 0x777;
	task_fault(r, 6, 0, 0, 0, 0);
	way_back(r);
	EXPECT_EQ(fault_sig, SIGILL);
	EXPECT_EQ(fault_addr, 0x777);
	EXPECT_EQ(fault_rsp, sp);
	action(SIGTRAP, note_fault, SA_SIGINFO, 0);
	r->rip = 0x778;
	task_fault(r, 1, 0, 0, SIGTRAP, TRAP_TRACE);
	way_back(r);
	EXPECT_EQ(fault_code, TRAP_TRACE);
	EXPECT_EQ(fault_addr, 0x778);
	action(SIGSEGV, note_fault, SA_SIGINFO, 0);
	r->rip = 0x779;
	task_fault(r, 13, 0, 0, 0, 0);
	way_back(r);
	EXPECT_EQ(fault_code, SI_KERNEL);
	EXPECT_EQ(current->fault_trapno, 13);
	/* the fault is handled before whatever else is pending */
	seen_nr = 0;
	action(SIGHUP, note, SA_SIGINFO, 0);
	fault_sig = 0;
	(void)send_signal_task(current, SIGHUP, SIGINFO_NONE);
	task_fault(r, 13, 0, 0, 0, 0);
	tasks_raw = true;
	task_exit_work(r);
	tasks_raw = false;
	EXPECT_EQ(((struct linux_rt_sigframe *)r->rsp)->uc.mcontext.rip, (u64)note_fault);	/* SIGHUP's frame lies above */
	run_handler(r);
	EXPECT_EQ(seen_nr, 1);
	run_handler(r);
	EXPECT_EQ(fault_sig, SIGSEGV);
	r->rsp = sp;
	defaults(SIGILL);
	defaults(SIGTRAP);
	defaults(SIGSEGV);
	defaults(SIGHUP);
}

/* rseq(2): {cpu_id_start, cpu_id, rseq_cs, flags} and a critical section */
static void rseq_abort(void)
{
	static struct { u32 cpu_id_start, cpu_id; u64 cs; u32 flags, node, mm_cid, pad; } area __aligned(32);
	static struct { u32 version, flags; u64 start, offset, abort; } cs __aligned(32);
	static u32 text[64] = { [9] = 0x53053053 };
	struct regs *r = current->regs;
	u64 sp = r->rsp;

	action(SIGUSR1, note, SA_SIGINFO, 0);
	cs.start = (u64)text;
	cs.offset = 16;
	cs.abort = (u64)&text[10];
	area.cs = (u64)&cs;
	current->rseq_addr = (u64)&area;
	current->rseq_sig = 0x53053053;
	current->rseq_len = 32;

	r->rip = (u64)text + 15;
	r->orig_rax = ~0ull;
	(void)send_signal_task(current, SIGUSR1, SIGINFO_NONE);
	task_exit_work(r);
	EXPECT_EQ(((struct linux_rt_sigframe *)r->rsp)->uc.mcontext.rip, cs.abort);
	EXPECT_EQ(area.cs, 0);
	run_handler(r);

	area.cs = (u64)&cs;
	r->rip = (u64)text + 16;	/* just behind it */
	r->orig_rax = ~0ull;
	(void)send_signal_task(current, SIGUSR1, SIGINFO_NONE);
	task_exit_work(r);
	EXPECT_EQ(((struct linux_rt_sigframe *)r->rsp)->uc.mcontext.rip, (u64)text + 16);
	EXPECT_EQ(area.cs, 0);
	run_handler(r);

	current->rseq_addr = 0;
	r->rsp = sp;
	defaults(SIGUSR1);
}

static int rseq_broken_child(void *arg)
{
	static struct { u32 version, flags; u64 start, offset, abort; } cs __aligned(32) = { 0, 0, SYSCALL_RIP, 16, 0 };
	static u32 text[16];
	static u64 area[4];

	cs.abort = (u64)&text[10];	/* no signature stands before it */
	area[1] = arg ? (u64)arg : (u64)&cs;
	action(SIGUSR1, note, SA_SIGINFO, 0);
	action(SIGSEGV, note, SA_SIGINFO, 0);
	current->rseq_sig = 0x53053053;
	current->rseq_addr = (u64)area;
	call(62, kill, OWN, SIGUSR1);
	return 1;
}

/* The handler of SIGSEGV meets the same broken area: the program is given up, as on Linux. */
static void rseq_broken(void)
{
	EXPECT_EQ(status_of(rseq_broken_child, (void *)8), SIGSEGV);
	EXPECT_EQ(status_of(rseq_broken_child, NULL), SIGSEGV);
}

static int exec_child(void *arg)
{
	struct ksigaction ign = { SIGACTION_IGN, 0, 0, 0 }, old;

	(void)arg;
	action(SIGUSR1, note, 0, 0);
	call(13, rt_sigaction, SIGUSR2, (u64)&ign, 0, 8);
	setmask(SIG_BLOCK, SIGMASK(SIGHUP));
	call(62, kill, OWN, SIGHUP);
	if (process_de_thread() || signal_prepare_exec())
		return 1;
	signal_exec();
	call(13, rt_sigaction, SIGUSR1, 0, (u64)&old, 8);
	if (old.handler || old.flags || old.restorer)
		return 2;
	call(13, rt_sigaction, SIGUSR2, 0, (u64)&old, 8);
	if (old.handler != SIGACTION_IGN)
		return 3;
	return pending() == SIGMASK(SIGHUP) && current->blocked == SIGMASK(SIGHUP) ? 0 : 4;
}

static void across_exec(void)
{
	EXPECT_EQ(status_of(exec_child, NULL), 0);
}

static long allocs_at_start;

static void nothing_is_left(void)
{
	EXPECT(tasks_settle());
	EXPECT_EQ(current->cred->user->sigpending, 0);
	EXPECT_EQ(fake_allocs, allocs_at_start);
}

int main(void)
{
	tasks_boot(0);
	first = current;
	allocs_at_start = fake_allocs;
	RUN(standard_signals_coalesce);
	RUN(realtime_signals_queue);
	RUN(pending_limit);
	RUN(arguments);
	RUN(ignored_pending_is_dropped);
	RUN(frame_layout);
	RUN(hostile_sigreturn);
	RUN(frames_that_cannot_be);
	RUN(alternate_stack);
	RUN(alternate_stack_overflow);
	RUN(action_flags);
	RUN(restarts);
	RUN(suspend);
	RUN(timed_wait);
	RUN(shared_signals_find_a_thread);
	RUN(storm);
	RUN(faults);
	RUN(rseq_abort);
	RUN(rseq_broken);
	RUN(across_exec);
	RUN(nothing_is_left);
	return unit_done();
}
