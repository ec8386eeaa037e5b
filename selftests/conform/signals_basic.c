// SPDX-License-Identifier: MIT
/* Handlers, masks, queues, alternate stacks, siginfo, faults, stop and continue. */
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

#include "conform.h"

static volatile int count;
static char order[256];
static siginfo_t last;

static void note(int sig)
{
	count++;
	if (strlen(order) < sizeof(order) - 8)
		sprintf(order + strlen(order), "%d ", sig);
}

static void note_info(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	last = *si;
	note(sig);
	if (si->si_code == SI_QUEUE)
		sprintf(order + strlen(order), "(%d) ", si->si_value.sival_int);
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	MUST(sigaction(sig, &sa, NULL));
}

static void handle_info(int sig, void (*fn)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_sigaction = fn, .sa_flags = flags | SA_SIGINFO };

	sigfillset(&sa.sa_mask);
	MUST(sigaction(sig, &sa, NULL));
}

static void reset(void)
{
	count = 0;
	order[0] = 0;
}

static void mask(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(how, &set, NULL));
}

static bool blocked(int sig)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, sig);
}

static bool pending(int sig)
{
	sigset_t set;

	sigpending(&set);
	return sigismember(&set, sig);
}

struct ksigaction {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};

TEST(sigaction)
{
	struct ksigaction old, act = { .handler = 1 };
	struct sigaction sa;

	for (int sig = 0; sig <= 66; sig++) {
		RET(N("get.%d", sig), syscall(SYS_rt_sigaction, sig, NULL, &old, 8));
		RET(N("set.%d", sig), syscall(SYS_rt_sigaction, sig, &act, NULL, 8));
	}
	RET("size", syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 4));
	RET("size16", syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 16));
	RET("efault.get", syscall(SYS_rt_sigaction, SIGUSR1, NULL, (void *)1, 8));
	RET("efault.set", syscall(SYS_rt_sigaction, SIGUSR1, (void *)1, NULL, 8));
	handle(SIGUSR1, note, SA_RESTART | SA_NODEFER | SA_RESETHAND);
	sigaction(SIGUSR1, NULL, &sa);
	say("kept", "%#x %s", sa.sa_flags, sa.sa_handler == note ? "same" : "other");
	reset();
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &sa);
	say("resethand", "%d %s flags %#x", count, sa.sa_handler == SIG_DFL ? "default" : "other", sa.sa_flags);
	act = (struct ksigaction){ .handler = 1, .mask = ~0ULL };
	syscall(SYS_rt_sigaction, SIGUSR2, &act, NULL, 8);
	syscall(SYS_rt_sigaction, SIGUSR2, NULL, &old, 8);
	HEX("mask_without_kill_stop", old.mask);
	/* unknown flags are cleared, so that programs can probe for them (SA_UNSUPPORTED) */
	act = (struct ksigaction){ .handler = 1, .flags = 0xffffffff & ~0x04000000UL };
	syscall(SYS_rt_sigaction, SIGUSR2, &act, NULL, 8);
	syscall(SYS_rt_sigaction, SIGUSR2, NULL, &old, 8);
	HEX("flags", old.flags & ~0x04000000UL);
}

TEST(mask)
{
	uint64_t set = ~0ULL, old;

	RET("all", syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, NULL, 8));
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &old, 8);
	HEX("all.is", old);
	set = 0;
	RET("none", syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, &old, 8));
	RET("how", syscall(SYS_rt_sigprocmask, 7, &set, NULL, 8));
	RET("how_without_set", syscall(SYS_rt_sigprocmask, 7, NULL, &old, 8));
	RET("size", syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
	RET("efault", syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)1, NULL, 8));
	RET("efault.old", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, (void *)1, 8));
	reset();
	handle(SIGUSR1, note, 0);
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	say("blocked", "%d %d", count, pending(SIGUSR1));
	mask(SIG_UNBLOCK, SIGUSR1);
	say("unblocked", "%d %d", count, pending(SIGUSR1));
	/* an ignored signal is thrown away even when it is blocked */
	mask(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	say("ignored_later", "%d", pending(SIGUSR1));
	raise(SIGUSR1);
	handle(SIGUSR1, note, 0);
	say("ignored_then", "%d", pending(SIGUSR1));
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_DFL);
	say("default_keeps", "%d", pending(SIGUSR1));
	mask(SIG_BLOCK, SIGCHLD);
	raise(SIGCHLD);
	say("default_ignored_blocked", "%d", pending(SIGCHLD));
	signal(SIGCHLD, SIG_DFL);
	say("set_default_drops", "%d", pending(SIGCHLD));
	RET("sigpending.size", syscall(SYS_rt_sigpending, &old, 16));
	RET("sigpending.efault", syscall(SYS_rt_sigpending, (void *)1, 8));
}

static void nest(int sig)
{
	note(sig);
	if (sig == SIGUSR1 && count < 4) {
		raise(SIGUSR2);	/* not in the mask: at once */
		raise(SIGUSR1);	/* itself: only after the return */
		sprintf(order + strlen(order), "end1 ");
	}
}

TEST(handlers)
{
	struct sigaction sa = { .sa_handler = nest };

	reset();
	MUST(sigaction(SIGUSR1, &sa, NULL));
	MUST(sigaction(SIGUSR2, &sa, NULL));
	raise(SIGUSR1);
	STR("nested", order);
	reset();
	sigaddset(&sa.sa_mask, SIGUSR2);
	MUST(sigaction(SIGUSR1, &sa, NULL));
	raise(SIGUSR1);
	STR("masked", order);
	reset();
	sigemptyset(&sa.sa_mask);
	sa.sa_flags = SA_NODEFER;
	MUST(sigaction(SIGUSR1, &sa, NULL));
	raise(SIGUSR1);
	STR("nodefer", order);
	YES("mask_restored", !blocked(SIGUSR1) && !blocked(SIGUSR2));
}

TEST(order)
{
	sigset_t all, none;

	reset();
	sigfillset(&all);
	sigemptyset(&none);
	for (int s = 34; s < 40; s++)
		handle_info(s, note_info, 0);
	handle_info(SIGUSR1, note_info, 0);
	handle_info(SIGTERM, note_info, 0);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int i = 0; i < 3; i++)
		for (int s = 39; s >= 34; s--)
			sigqueue(getpid(), s, (union sigval){ .sival_int = i });
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGTERM);
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 9 });
	sigprocmask(SIG_SETMASK, &none, NULL);
	STR("delivered", order);
	/* thread-directed before process-directed */
	reset();
	sigprocmask(SIG_SETMASK, &all, NULL);
	sigqueue(getpid(), 35, (union sigval){ .sival_int = 1 });
	syscall(SYS_tgkill, getpid(), gettid_(), 36);
	sigprocmask(SIG_SETMASK, &none, NULL);
	STR("thread_first", order);
	RET("sigqueue.zero", sigqueue(getpid(), 0, (union sigval){ 0 }));
	RET("sigqueue.absent", sigqueue(0x3fffffff, SIGUSR1, (union sigval){ 0 }));
	RET("sigqueue.bad", sigqueue(getpid(), 70, (union sigval){ 0 }));
	/* the queue is bounded by RLIMIT_SIGPENDING */
	struct { long cur, max; } rl = { 20, 20 };
	int queued = 0;

	sigprocmask(SIG_SETMASK, &all, NULL);
	MUST(syscall(SYS_setrlimit, 11, &rl));
	while (queued < 1000 && !sigqueue(getpid(), 40, (union sigval){ 0 }))
		queued++;
	say("bounded", "%s %s", queued < 1000 ? errno_name(errno) : "not", queued <= 20 ? "at most 20" : "more");
}

static void info(const char *name)
{
	say(name, "%s code %d pid %s uid %s value %d", signal_name(last.si_signo), last.si_code,
	    last.si_pid == getpid() ? "me" : last.si_pid == 0 ? "0" : "other",
	    last.si_uid == getuid() ? "me" : "other", last.si_value.sival_int);
}

TEST(siginfo)
{
	siginfo_t si = { 0 };

	handle_info(SIGUSR1, note_info, 0);
	handle_info(SIGCHLD, note_info, 0);
	kill(getpid(), SIGUSR1);
	info("kill");
	syscall(SYS_tgkill, getpid(), gettid_(), SIGUSR1);
	info("tgkill");
	syscall(SYS_tkill, gettid_(), SIGUSR1);
	info("tkill");
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 77 });
	info("sigqueue");
	si.si_signo = SIGUSR1, si.si_code = -60, si.si_value.sival_int = 5;
	RET("own_code", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &si));
	info("own_code.is");
	si.si_code = SI_USER;
	RET("fake_user_self", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &si));
	RET("tgsigqueue", syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid_(), SIGUSR1, &si));
	pid_t pid = xfork();

	if (!pid) {
		siginfo_t s = { .si_signo = SIGUSR1, .si_code = SI_USER };

		RET("fake_user_other", syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &s));
		s.si_code = SI_TKILL;
		RET("fake_tkill_other", syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &s));
		s.si_code = 1;
		RET("fake_kernel_other", syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &s));
		_exit(13);
	}
	xwait(pid);
	say("child", "%s code %d pid %d status %d uid %d", signal_name(last.si_signo), last.si_code,
	    last.si_pid == pid, last.si_status, last.si_uid == getuid());
	pid = xfork();
	if (!pid)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	while (last.si_code != CLD_STOPPED)
		msleep(1);
	say("stopped", "code %d status %d", last.si_code, last.si_status);
	kill(pid, SIGCONT);
	while (last.si_code != CLD_CONTINUED)
		msleep(1);
	say("continued", "code %d status %d", last.si_code, last.si_status);
	handle_info(SIGCHLD, note_info, SA_NOCLDSTOP);
	int before = count, status;

	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	say("nocldstop", "%d", count - before);
	kill(pid, SIGKILL);
	while (last.si_code != CLD_KILLED)
		msleep(1);
	say("killed", "code %d status %d", last.si_code, last.si_status);
	xwait(pid);
}

static sigjmp_buf env;
static char *expected;

static void fault(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;

	last = *si;
	say(N("%s.gregs", order), "trapno %lld err %#llx cr2 %s", (long long)uc->uc_mcontext.gregs[REG_TRAPNO],
	    (long long)uc->uc_mcontext.gregs[REG_ERR] & 0x16,	/* write, user, fetch; "present" depends on paging */
	    sig == SIGSEGV && (char *)uc->uc_mcontext.gregs[REG_CR2] == expected ? "addr" : "-");
	siglongjmp(env, sig);
}

#define FAULT(name, addr, what)							\
	do {									\
		int s_;								\
		strcpy(order, name);						\
		expected = (char *)(addr);					\
		s_ = sigsetjmp(env, 1);						\
		if (!s_) {							\
			what;							\
			say(name, "none");					\
		} else								\
			say(name, "%s code %d addr %s", signal_name(s_),	\
			    last.si_code, expected == (char *)-1 ? "-" :	\
			    last.si_addr == (void *)expected ? "right" : "wrong");	\
	} while (0)

static void ud2_here(void)
{
	asm volatile(".globl the_ud2\nthe_ud2: ud2");
}

extern char the_ud2[], the_div[], the_hlt[], the_int3_next[];

TEST(faults)
{
	char *page = MUST(mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	volatile int zero = 0;

	MUST(ftruncate(fd, (off_t)PAGE));
	char *map = MUST(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));

	MUST(munmap(page + PAGE, PAGE));
	MUST(mprotect(page + 2 * PAGE, PAGE, PROT_READ));
	MUST(mprotect(page + 3 * PAGE, PAGE, PROT_NONE));
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };

	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		handle_info(sigs[i], fault, 0);
	FAULT("read_unmapped", page + PAGE + 5, (void)*(volatile char *)(page + PAGE + 5));
	FAULT("write_unmapped", page + PAGE + 5, *(volatile char *)(page + PAGE + 5) = 1);
	FAULT("write_readonly", page + 2 * PAGE, *(volatile char *)(page + 2 * PAGE) = 1);
	FAULT("read_none", page + 3 * PAGE, (void)*(volatile char *)(page + 3 * PAGE));
	FAULT("null", 0, (void)*(volatile char *)expected);
	FAULT("exec_data", page, ((void (*)(void))page)());
	FAULT("noncanonical", 0, (void)*(volatile char *)0x8000000000000000UL);
	FAULT("past_eof", map + PAGE, (void)*(volatile char *)(map + PAGE));
	MUST(ftruncate(fd, 0));
	FAULT("truncated", map, (void)*(volatile char *)map);
	FAULT("divide", the_div, asm volatile(".globl the_div\nxorl %%edx, %%edx; movl $1, %%eax\n"
					      "the_div: idivl %0" : : "r"(zero) : "eax", "edx"));
	FAULT("ud2", the_ud2, ud2_here());
	FAULT("hlt", 0, asm volatile("hlt"));
	FAULT("int3", -1, asm volatile("int3"));
	FAULT("into_kernel", -1, (void)*(volatile char *)0xffffffff81000000UL);
	FAULT("unaligned_sse", 0, asm volatile("movaps (%0), %%xmm0" : : "r"(page + 1) : "xmm0"));
	FAULT("cli", 0, asm volatile("cli"));
	FAULT("in_al", 0, asm volatile("inb $0x80, %%al" : : : "eax"));
	/* the mask of the jump was restored, so it works again */
	YES("unblocked", !blocked(SIGSEGV));
}

static int deref(void *arg)
{
	*(volatile char *)arg = 1;
	return 0;
}

static int deref_blocked(void *arg)
{
	handle_info(SIGSEGV, fault, 0);
	mask(SIG_BLOCK, SIGSEGV);
	return deref(arg);
}

static int deref_ignored(void *arg)
{
	signal(SIGSEGV, SIG_IGN);
	return deref(arg);
}

static void refault(int sig)
{
	(void)sig;	/* returns to the instruction that faults again, now with the default action */
}

static int deref_reset(void *arg)
{
	handle(SIGSEGV, refault, (int)SA_RESETHAND);
	return deref(arg);
}

static int deref_in_handler_body(void *arg);

static void deref_handler(int sig)
{
	(void)sig;
	deref(NULL);
}

static int deref_in_handler_body(void *arg)
{
	handle(SIGSEGV, deref_handler, 0);
	return deref(arg);
}

static int bad_stack(void *arg)
{
	handle(SIGUSR1, note, 0);
	asm volatile("movq %0, %%rsp\n"
		     "movl $39, %%eax; syscall; movl %%eax, %%edi; movl $10, %%esi; movl $62, %%eax; syscall\n"
		     "ud2" : : "r"(arg) : "memory");
	return 0;
}

TEST(fatal)
{
	STR("segv", child(deref, NULL));
	STR("blocked_fault_kills", child(deref_blocked, NULL));
	STR("ignored_fault_kills", child(deref_ignored, NULL));
	STR("reset_then_default", child(deref_reset, NULL));
	STR("fault_in_handler", child(deref_in_handler_body, NULL));
	STR("no_stack_for_frame", child(bad_stack, (void *)64));
}

static volatile bool on_alt;
static char *alt;
static size_t alt_size;

static void where(int sig)
{
	char here;
	stack_t ss;

	(void)sig;
	on_alt = &here >= alt && &here < alt + alt_size;
	sigaltstack(NULL, &ss);
	sprintf(order, "flags %d", ss.ss_flags);
	if (on_alt && ss.ss_flags == SS_ONSTACK) {
		errno = 0;
		ss = (stack_t){ .ss_flags = SS_DISABLE };
		sprintf(order + strlen(order), " change %s", sigaltstack(&ss, NULL) ? errno_name(errno) : "ok");
	}
}

static int overflow(void *arg)
{
	volatile char big[4096];

	big[0] = (char)(uintptr_t)arg;
	if (arg == (void *)1)
		return 0;
	return overflow((void *)&big) + big[0];
}

static void overflowed(int sig)
{
	where(sig);
	say("overflow", "%s %s", signal_name(sig), on_alt ? "on altstack" : "not on altstack");
	_exit(0);
}

TEST(altstack)
{
	stack_t ss = { 0 }, old;

	alt_size = 65536;
	alt = MUST(mmap(NULL, alt_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	RET("get", sigaltstack(NULL, &old));
	NUM("get.flags", old.ss_flags);
	ss = (stack_t){ .ss_sp = alt, .ss_size = 1024 };
	RET("too_small", sigaltstack(&ss, NULL));
	ss = (stack_t){ .ss_sp = alt, .ss_size = alt_size, .ss_flags = 8 };
	RET("bad_flags", sigaltstack(&ss, NULL));
	RET("efault", sigaltstack((void *)1, NULL));
	RET("efault.old", sigaltstack(NULL, (void *)1));
	ss.ss_flags = 0;
	RET("set", sigaltstack(&ss, NULL));
	sigaltstack(NULL, &old);
	say("set.is", "%d %d %zu", old.ss_flags, old.ss_sp == alt, old.ss_size);
	handle(SIGUSR1, where, 0);
	raise(SIGUSR1);
	say("without_flag", "%d %s", on_alt, order);
	handle(SIGUSR1, where, SA_ONSTACK);
	raise(SIGUSR1);
	say("with_flag", "%d %s", on_alt, order);
	ss.ss_flags = (int)0x80000000U;	/* SS_AUTODISARM */
	RET("autodisarm", sigaltstack(&ss, NULL));
	raise(SIGUSR1);
	say("autodisarm.in", "%d %s", on_alt, order);
	sigaltstack(NULL, &old);
	say("autodisarm.after", "%#x %d", old.ss_flags, old.ss_sp == alt);
	ss.ss_flags = SS_ONSTACK;
	RET("set_onstack_flag", sigaltstack(&ss, NULL));
	ss.ss_flags = SS_DISABLE;
	RET("disable", sigaltstack(&ss, NULL));
	raise(SIGUSR1);
	say("disabled", "%d %s", on_alt, order);
	ss.ss_flags = 0;
	sigaltstack(&ss, NULL);
	pid_t pid = xfork();

	if (!pid) {
		struct { long cur, max; } rl = { 1 << 20, 1 << 20 };

		syscall(SYS_setrlimit, 3, &rl);
		sigaltstack(NULL, &old);
		say("fork_keeps", "%d", old.ss_sp == alt && old.ss_size == alt_size);
		handle(SIGSEGV, overflowed, SA_ONSTACK);
		overflow(NULL);
		_exit(1);
	}
	STR("overflow.end", xwait(pid));
}

static void jump(int sig)
{
	siglongjmp(env, sig);
}

TEST(longjmp)
{
	volatile int n = 0;

	handle(SIGUSR1, jump, 0);
	for (volatile int i = 0; i < 100; i++)
		if (!sigsetjmp(env, 1))
			raise(SIGUSR1);
		else
			n++;
	NUM("jumps", n);
	YES("mask", !blocked(SIGUSR1));
	if (!sigsetjmp(env, 0))
		raise(SIGUSR1);
	YES("mask_not_saved", blocked(SIGUSR1));
}
