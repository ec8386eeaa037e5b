// SPDX-License-Identifier: MIT
/*
 * The seccomp filter of South `host` against its table, and against what a taken-over library kernel would try.
 *
 * A child puts the filter on top of one of our own, which answers every call from the gate page with an errno that Linux does not
 * have. So no call is ever made, whatever its words, and yet it is seen which ones would have been: the stricter answer of the two
 * filters counts, and among equals that of the later one.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/south/host/calls.h"
#include "lib/south/hosted/layout.h"
#include "selftests/uapi/tap.h"

#define GATE		HOSTED_IMAGE
#define WOULD_PASS	4001
#define X32		0x40000000u
#define NR_MAX		1024
#define RANDOM_CALLS	200000

enum answer { PASSES, EPERM_ANSWER, TRAPS, FAULTS, OTHER };

/* The gate's code: System V arguments to a system call; at 64 the same by int 0x80. */
__asm__(".pushsection .rodata\n"
	"gate_code:\n"
	"	movq %rdi, %rax; movq %rsi, %rdi; movq %rdx, %rsi; movq %rcx, %rdx; movq %r8, %r10; movq %r9, %r8\n"
	"	movq 8(%rsp), %r9; syscall; ret\n"
	"	.balign 64\n"
	"	pushq %rbx; movq %rdi, %rax; movq %rsi, %rbx; movq %rdx, %rcx; movq %r8, %rdx; int $0x80; popq %rbx; ret\n"
	"	.balign 64\n"
	"gate_code_end:\n"
	".popsection\n");
extern const char gate_code[], gate_code_end[];

typedef long (*gate_fn)(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);

/* Written by the child, read by the parent, who ends the child: it can make no call any more, not even exit. */
static struct shared {
	volatile int done;
	volatile int stage;			/* how far it came */
	int wrong_listed, wrong_random, random_passed, random_refused;
	int passed_unlisted[3];			/* native, x32, int 0x80 */
	int outside_not_trapped;
	int vsyscall;
	struct { uint32_t nr; uint64_t a[6]; } first_wrong;
	enum answer named[96];
} *sh;

static void *jump[5];
static volatile int signal_seen;

static void on_signal(int sig)
{
	signal_seen = sig;
	/* no rt_sigreturn: that is a system call too */
	__builtin_longjmp(jump, 1);
}

static enum answer __attribute__((noinline)) ask(gate_fn fn, uint64_t nr, const uint64_t a[6])
{
	volatile enum answer answer = OTHER;
	long ret;

	signal_seen = 0;
	if (__builtin_setjmp(jump))
		return signal_seen == SIGSYS ? TRAPS : FAULTS;
	ret = fn(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	answer = ret == -WOULD_PASS ? PASSES : ret == -EPERM ? EPERM_ANSWER : OTHER;
	return answer;
}

/* A system call instruction that is not in the gate. */
static __attribute__((naked, noinline)) long outside(uint64_t nr __attribute__((unused)), uint64_t a0 __attribute__((unused)),
	uint64_t a1 __attribute__((unused)), uint64_t a2 __attribute__((unused)), uint64_t a3 __attribute__((unused)),
	uint64_t a4 __attribute__((unused)), uint64_t a5 __attribute__((unused)))
{
	__asm__("movq %rdi, %rax; movq %rsi, %rdi; movq %rdx, %rsi; movq %rcx, %rdx; movq %r8, %r10; movq %r9, %r8\n"
		"movq 8(%rsp), %r9; syscall; ret");
}

static bool cond_holds(const struct word_cond *c, const uint64_t a[6])
{
	uint32_t word = (uint32_t)(a[c->arg] >> (c->high ? 32 : 0));

	switch (c->op) {
	case WORD_EQ: return word == c->a;
	case WORD_BELOW: return word < c->a;
	case WORD_FROM: return word >= c->a;
	case WORD_SET:
		for (const u32 *s = c->set; *s != WORD_SET_END; s++)
			if (*s == word)
				return true;
		return false;
	}
	return false;
}

/* What the table says, read in the plainest way. */
static bool table_allows(uint32_t nr, const uint64_t a[6])
{
	for (uint32_t i = 0; i < host_nr_rules; i++) {
		const struct word_cond *c = host_rules[i].conds;

		if (host_rules[i].nr != nr)
			continue;
		while (c->op != WORD_END && cond_holds(c, a))
			c++;
		if (c->op == WORD_END)
			return true;
	}
	return false;
}

static bool listed(uint32_t nr)
{
	for (uint32_t i = 0; i < host_nr_rules; i++)
		if (host_rules[i].nr == nr)
			return true;
	return false;
}

static uint64_t seed = 88172645463325252ull;

static uint32_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

/* Words at which a compare may be wrong by one: those of the rules, and their neighbours. */
static uint32_t telling_word(const struct host_rule *r)
{
	static const uint32_t edges[] = { 0, 1, 2, 3, 7, 8, 9, 63, 64, 0x4fff, 0x5000, 0x5fff, 0x6000, 0x6001, 0x6080, 0x60ff, 0x6100, 0x7fff,
		0x80000000, 0xffffffff, 0x10000, 0xfff, 0x1000 };
	const struct word_cond *c;
	uint32_t n = 0, v;

	while (r->conds[n].op != WORD_END)
		n++;
	if (!n || rnd() % 4 == 0)
		return rnd() % 8 ? edges[rnd() % (sizeof(edges) / sizeof(*edges))] : rnd();
	c = &r->conds[rnd() % n];
	v = c->a;
	if (c->op == WORD_SET) {
		uint32_t k = 0;

		while (c->set[k] != WORD_SET_END)
			k++;
		v = c->set[rnd() % k];
	}
	return rnd() % 3 ? v : rnd() % 2 ? v - 1 : v + 1;
}

/* Arguments that hold to @r, but for some words. */
static void near_rule(const struct host_rule *r, uint64_t a[6])
{
	for (int i = 0; i < 6; i++)
		a[i] = rnd() % 2 ? 0 : (uint64_t)telling_word(r) << 32 | telling_word(r);
	for (const struct word_cond *c = r->conds; c->op != WORD_END; c++) {
		unsigned int shift = c->high ? 32 : 0, k = 0;
		uint32_t v = c->a;

		if (c->op == WORD_BELOW)
			v = rnd() % 2 ? v - 1 : (uint32_t)(a[c->arg] >> shift) % v;
		if (c->op == WORD_SET) {
			while (c->set[k] != WORD_SET_END)
				k++;
			v = c->set[rnd() % k];
		}
		if (c->op == WORD_BELOW && c > r->conds && c[-1].op == WORD_FROM && c[-1].arg == c->arg && rnd() % 2)
			v = c[-1].a;
		a[c->arg] = (a[c->arg] & ~(0xffffffffull << shift)) | (uint64_t)v << shift;
	}
	for (uint32_t n = rnd() % 5; n; n--) {
		uint32_t i = rnd() % 6, shift = rnd() % 2 * 32;

		a[i] = (a[i] & ~(0xffffffffull << shift)) | (uint64_t)telling_word(r) << shift;
	}
}

static void try_random(gate_fn gate)
{
	for (int i = 0; i < RANDOM_CALLS; i++) {
		const struct host_rule *r = &host_rules[rnd() % host_nr_rules];
		uint64_t a[6];
		bool want;
		enum answer got;

		near_rule(r, a);
		want = table_allows(r->nr, a);
		got = ask(gate, r->nr, a);
		if (want)
			sh->random_passed++;
		else
			sh->random_refused++;
		if ((got == PASSES) == want)
			continue;
		if (!sh->wrong_random++) {
			sh->first_wrong.nr = r->nr;
			memcpy(sh->first_wrong.a, a, sizeof(a));
		}
	}
}

static const uint64_t argument_sets[][6] = {
	{ 0, 0, 0, 0, 0, 0 }, { 1, 1, 1, 1, 1, 1 }, { ~0ul, ~0ul, ~0ul, ~0ul, ~0ul, ~0ul },
	{ GATE, GATE, GATE, GATE, GATE, GATE }, { 0x10000, 0x1000, 7, 0x32, ~0ul, 0 },
};

/* Linux 6.14 and later let no filter see uretprobe and uprobe: but from their own trampoline they are SIGILL or ENXIO. */
static bool unfilterable(uint64_t nr)
{
	return nr == 335 || nr == 336;
}

static void try_numbers(gate_fn gate, gate_fn int80)
{
	for (uint64_t nr = 0; nr < NR_MAX; nr++) {
		for (size_t k = 0; k < sizeof(argument_sets) / sizeof(*argument_sets); k++) {
			const uint64_t *a = argument_sets[k];

			sh->stage = (int)nr;
			if (!listed((uint32_t)nr) && ask(gate, nr, a) == PASSES)
				sh->passed_unlisted[0]++;
			if (ask(gate, nr | X32, a) == PASSES)
				sh->passed_unlisted[1]++;
			/* the kernel looks at the low half of the number only, and so does the filter */
			if (!listed((uint32_t)nr) && ask(gate, nr | 0xdead00000000ul, a) == PASSES)
				sh->passed_unlisted[0]++;
			if (ask(int80, nr, a) == PASSES)
				sh->passed_unlisted[2]++;
			if (ask(outside, nr, a) != TRAPS && !unfilterable(nr))
				sh->outside_not_trapped++;
		}
	}
}

/* Of what the words of the design forbid, each by name: a table that allowed it would be wrong. */
static const struct {
	const char *name;
	uint32_t nr;
	uint64_t a[6];
} forbidden[] = {
	{ "mmap over the kernel window", SYS_mmap, { GATE, 4096, 7, 0x32, ~0ul, 0 } },
	{ "mmap without MAP_FIXED", SYS_mmap, { 0, 4096, 7, 0x22, ~0ul, 0 } },
	{ "mmap that reaches the kernel window", SYS_mmap, { 0x10000, 0x600000000000, 3, 0x32, ~0ul, 0 } },
	{ "mmap of a device's kind (MAP_HUGETLB)", SYS_mmap, { 0x10000, 4096, 3, 0x40032, ~0ul, 0 } },
	{ "mmap with MAP_GROWSDOWN", SYS_mmap, { 0x10000, 4096, 3, 0x132, ~0ul, 0 } },
	{ "munmap of the kernel window", SYS_munmap, { GATE, 4096 } },
	{ "munmap of all", SYS_munmap, { 0, ~0xffful } },
	{ "mprotect of the gate", SYS_mprotect, { GATE, 4096, 7 } },
	{ "mprotect with PROT_GROWSDOWN", SYS_mprotect, { 0x10000, 4096, 0x01000003 } },
	{ "mremap out of the kernel window", SYS_mremap, { GATE, 4096, 4096, 3, 0x10000, 0 } },
	{ "mremap into the kernel window", SYS_mremap, { 0x10000, 4096, 4096, 3, GATE, 0 } },
	{ "mremap without FIXED", SYS_mremap, { 0x10000, 4096, 4096, 1, 0, 0 } },
	{ "madvise HWPOISON", SYS_madvise, { 0x10000, 4096, 100 } },
	{ "madvise MERGEABLE", SYS_madvise, { 0x10000, 4096, 12 } },
	{ "madvise PAGEOUT, of pages that others share", SYS_madvise, { 0x10000, 4096, 21 } },
	{ "madvise COLD", SYS_madvise, { 0x10000, 4096, 20 } },
	{ "clone as fork(2) does", SYS_clone, { SIGCHLD } },
	{ "clone into a user namespace", SYS_clone, { CLONE_NEWUSER | 0x8000 | 0x400 } },
	{ "clone into a network namespace", SYS_clone, { CLONE_NEWNET | 0x8000 | 0x400 } },
	{ "clone untraced", SYS_clone, { 0x8000 | 0x400 | 0x100000 | 0x800000 } },
	{ "clone with high flags", SYS_clone, { 0x8000 | 0x400 | 0x100000 | 1ul << 33 } },
	{ "clone3", SYS_clone3, { GATE, 88 } },
	{ "kill of a process", SYS_kill, { 1, 9 } },
	{ "kill of all", SYS_kill, { ~0ul, 9 } },
	{ "kill of another group", SYS_kill, { (uint64_t)-2, 9 } },
	{ "kill(0, SIGSTOP)", SYS_kill, { 0, SIGSTOP } },
	{ "tgkill", SYS_tgkill, { 1, 1, 9 } },
	{ "tkill", SYS_tkill, { 1, 9 } },
	{ "futex in the program window", SYS_futex, { 0x10000, 9, 0, 0, 0, ~0u } },
	{ "futex in the image, a file that strangers map", SYS_futex, { GATE, 9, 0, 0, 0, ~0u } },
	{ "futex in the image, waking", SYS_futex, { HOSTED_DATA - 4, 10, 1, 0, 0, ~0u } },
	{ "futex with a private flag", SYS_futex, { HOSTED_DATA, 9 | 128, 0, 0, 0, ~0u } },
	{ "futex REQUEUE", SYS_futex, { HOSTED_DATA, 3, 1, 1, HOSTED_DATA, 0 } },
	{ "futex LOCK_PI", SYS_futex, { HOSTED_DATA, 6, 0, 0, 0, 0 } },
	{ "recvmsg on a granted file", SYS_recvmsg, { 64, 0, 0x40000000 } },
	{ "recvmsg on a standard stream, which may be a socket", SYS_recvmsg, { 10, 0, 0x40000000 } },
	{ "recvmsg on a high descriptor", SYS_recvmsg, { 0xffffffff, 0, 0x40000000 } },
	{ "recvmsg without CLOEXEC", SYS_recvmsg, { 7, 0, 0 } },
	{ "preadv2 with flags", SYS_preadv2, { 6, 0, 0, 0, 0, 8 } },
	{ "pwritev2 with RWF_APPEND", SYS_pwritev2, { 6, 0, 0, 0, 0, 0x10 } },
	{ "close of the broker's socket", SYS_close, { 6 } },
	{ "close of RAM", SYS_close, { 4 } },
	{ "timer_create of a wall clock alarm", SYS_timer_create, { 8, 0, 0 } },
	{ "arch_prctl ARCH_MAP_VDSO", SYS_arch_prctl, { 0x2003, 0x10000 } },
	{ "arch_prctl ARCH_CET", SYS_arch_prctl, { 0x5001, 1 } },
	{ "clock_gettime of another thread's CPU clock", SYS_clock_gettime, { (uint32_t)(~1u << 3 | 6), GATE } },
	{ "rseq in the kernel window", SYS_rseq, { GATE & ~31ul, 32, 0, 0x53053053 } },
	{ "rseq longer than a page", SYS_rseq, { 0x10000, 0x2000, 0, 0x53053053 } },
	{ "rseq with unknown flags", SYS_rseq, { 0x10000, 32, 2, 0x53053053 } },
	{ "execve", SYS_execve, { GATE, 0, 0 } }, { "execveat", SYS_execveat, { 3, 0, 0, 0, 0x1000 } },
	{ "open", SYS_open, { GATE, 2 } }, { "openat2", SYS_openat2, { 3, GATE, GATE, 24 } },
	{ "ptrace", SYS_ptrace, { 16, 1 } }, { "process_vm_writev", SYS_process_vm_writev, { 1 } },
	{ "socket", SYS_socket, { 1, 1, 0 } }, { "sendmsg", SYS_sendmsg, { 7, GATE, 0 } }, { "ioctl", SYS_ioctl, { 6, 0x5412, GATE } },
	{ "io_uring_setup", SYS_io_uring_setup, { 8, GATE } }, { "bpf", SYS_bpf, { 0, GATE, 120 } },
	{ "seccomp", SYS_seccomp, { 1, 0, GATE } }, { "prctl", SYS_prctl, { PR_SET_DUMPABLE, 1 } }, { "setsid", SYS_setsid, { 0 } },
	{ "setpgid", SYS_setpgid, { 0, 0 } }, { "rt_sigaction", SYS_rt_sigaction, { SIGSYS, 0, 0, 8 } },
	{ "unshare", SYS_unshare, { CLONE_NEWUSER } }, { "userfaultfd", SYS_userfaultfd, { 0 } },
};
#define NR_FORBIDDEN	(sizeof(forbidden) / sizeof(*forbidden))
_Static_assert(NR_FORBIDDEN <= 96, "shared.named is too short");

static void install(const void *insns, unsigned short len)
{
	struct { unsigned short len; const void *insns; } prog = { len, insns };

	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog))
		_exit(1);
}

static __attribute__((noreturn)) void child(void)
{
	static struct bpf_insn_classic filter[HOST_FILTER_MAX];
	static const struct sock_filter ours[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, GATE >> 32, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | WOULD_PASS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_NODEFER };
	gate_fn gate = (gate_fn)GATE, int80 = (gate_fn)(GATE + 64);
	void *page = mmap((void *)GATE, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	static const uint64_t zeros[6];

	if (page != (void *)GATE)
		_exit(1);
	memcpy(page, gate_code, (size_t)(gate_code_end - gate_code));
	if (mprotect(page, 4096, PROT_READ | PROT_EXEC) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(1);
	sigaction(SIGSYS, &sa, NULL);
	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGILL, &sa, NULL);
	install(ours, sizeof(ours) / sizeof(*ours));
	install(filter, (unsigned short)host_filter_build(filter, GATE));

	for (size_t i = 0; i < NR_FORBIDDEN; i++)
		sh->named[i] = ask(gate, forbidden[i].nr, forbidden[i].a);
	try_numbers(gate, int80);
	try_random(gate);
	/* gettimeofday of the vsyscall page: it has an instruction pointer of its own */
	sh->vsyscall = ask((gate_fn)0xffffffffff600000ul, 0, zeros) == PASSES;
	sh->done = 1;
	for (;;)
		__asm__ volatile("pause");
}

static void report(void)
{
	for (size_t i = 0; i < NR_FORBIDDEN; i++)
		tap_ok(sh->named[i] == EPERM_ANSWER || sh->named[i] == TRAPS, "refused: %s", forbidden[i].name);
	tap_ok(!sh->passed_unlisted[0], "no number that is not listed passes the gate (%d did)", sh->passed_unlisted[0]);
	tap_ok(!sh->passed_unlisted[1], "no x32 number passes (%d did)", sh->passed_unlisted[1]);
	tap_ok(!sh->passed_unlisted[2], "no int 0x80 passes (%d did)", sh->passed_unlisted[2]);
	tap_ok(!sh->outside_not_trapped, "every call from outside of the gate traps (%d did not)", sh->outside_not_trapped);
	tap_ok(!sh->vsyscall, "the vsyscall page does not pass");
	tap_ok(!sh->wrong_random, "the filter does what the table says for %d calls near its rules (wrong: %d, first: %u(%#lx, %#lx, %#lx, "
	       "%#lx, %#lx, %#lx))", RANDOM_CALLS, sh->wrong_random, sh->first_wrong.nr, sh->first_wrong.a[0], sh->first_wrong.a[1],
	       sh->first_wrong.a[2], sh->first_wrong.a[3], sh->first_wrong.a[4], sh->first_wrong.a[5]);
	tap_ok(sh->random_passed > RANDOM_CALLS / 100 && sh->random_refused > RANDOM_CALLS / 100, "of which %d pass and %d do not",
	       sh->random_passed, sh->random_refused);
}

int main(void)
{
	uint32_t calls = 0, last = ~0u;
	int status = 0;
	pid_t pid;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid = fork();
	if (!pid)
		child();
	for (int i = 0; i < 12000 && !sh->done && !waitpid(pid, &status, WNOHANG); i++)
		usleep(10000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_ok(sh->done, "the child came to its end (at %d, status %#x)", sh->stage, status);
	for (uint32_t i = 0; i < host_nr_rules; i++) {
		calls += host_rules[i].nr != last;
		last = host_rules[i].nr;
	}
	tap_ok(calls <= 20, "%u calls are listed, at most 20", calls);
	if (sh->done)
		report();
	return tap_end();
}
