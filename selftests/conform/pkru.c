// SPDX-License-Identifier: MIT
/*
 * Programs that deny themselves their own memory: PKRU, which says what protection keys allow, can be written by anybody, and all
 * memory has key 0 unless pkey_mprotect() gave it another. Code still runs then, and registers are enough to make a call with.
 */
#include <cpuid.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/time.h>

#include "conform.h"

#define INITIAL		0x55555554u	/* Linux' own: key 0 alone */
#define NO_ACCESS	(INITIAL | 1)
#define NO_WRITE	(INITIAL | 2)

/* Also lets go of what glibc registered by rseq(2): Linux writes there whenever it preempts, and kills who denied it that. */
static bool have_keys(void)
{
	unsigned int a, b, c = 0, d;
	char *self;

	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(c & (1u << 4))) {
		say("processor", "has no protection keys");
		return false;
	}
	__asm__("movq %%fs:0, %0" : "=r"(self));
	if (__rseq_size)
		syscall(SYS_rseq, self + __rseq_offset, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
	return true;
}

static uint32_t rdpkru(void)
{
	uint32_t val, zero;

	__asm__ volatile(".byte 0x0f, 0x01, 0xee" : "=a"(val), "=d"(zero) : "c"(0));
	return val;
}

static void wrpkru(uint32_t val)
{
	__asm__ volatile(".byte 0x0f, 0x01, 0xef" : : "a"(val), "c"(0), "d"(0) : "memory");
}

/* A call with @pkru in force, and the initial value before and after; *@after is what PKRU was behind the call. */
static long call_with(uint32_t pkru, uint32_t *after, long nr, long a0, long a1, long a2)
{
	register uint64_t keys __asm__("rbx") = pkru;
	register long number __asm__("r12") = nr, third __asm__("r13") = a2;
	register long ret __asm__("r14");
	register uint64_t seen __asm__("r15");

	__asm__ volatile("xorl %%ecx, %%ecx\n\t"
			 "xorl %%edx, %%edx\n\t"
			 "movl %%ebx, %%eax\n\t"
			 ".byte 0x0f, 0x01, 0xef\n\t"
			 "movq %%r12, %%rax\n\t"
			 "movq %%r13, %%rdx\n\t"
			 "syscall\n\t"
			 "movq %%rax, %%r14\n\t"
			 "xorl %%ecx, %%ecx\n\t"
			 ".byte 0x0f, 0x01, 0xee\n\t"
			 "movl %%eax, %%r15d\n\t"
			 "movl %[initial], %%eax\n\t"
			 ".byte 0x0f, 0x01, 0xef\n\t"
			 : "=r"(ret), "=r"(seen), "+D"(a0), "+S"(a1)
			 : "r"(keys), "r"(number), "r"(third), [initial] "i"(INITIAL)
			 : "rax", "rcx", "rdx", "r11", "memory");
	*after = (uint32_t)seen;
	return ret;
}

static const char *result(long ret)
{
	return ret < 0 ? errno_name((int)-ret) : "good";
}

TEST(calls)
{
	static const uint32_t values[] = { 0, INITIAL, NO_WRITE, NO_ACCESS, 1, 2, 3, 0xfffffffc, 0xffffffff };
	uint32_t after = 0;

	if (!have_keys())
		return;
	HEX("initial", rdpkru());
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char name[32];
		bool same = true;

		/* many times: a call site may be served in another way once it is known */
		for (int k = 0; k < 200; k++)
			same &= call_with(values[i], &after, SYS_getppid, 0, 0, 0) == getppid() && after == values[i];
		snprintf(name, sizeof(name), "getppid.%zu", i);
		YES(name, same);
	}
	HEX("register", rdpkru());
}

TEST(memory)
{
	static const struct { const char *name; uint32_t pkru; } how[] = {
		{ "free", 0 }, { "initial", INITIAL }, { "no_write", NO_WRITE }, { "no_access", NO_ACCESS }
	};
	char name[48], byte = 'x', words[4096];
	struct timespec ts = { 0, 1 };
	int p[2];
	uint32_t after;

	if (!have_keys())
		return;
	memset(words, 0, sizeof(words));
	MUST(pipe(p));
	for (size_t i = 0; i < ARRAY_SIZE(how); i++) {
#define CASE(what, nr, a, b, c) do {									\
	long ret_ = call_with(how[i].pkru, &after, nr, (long)(a), (long)(b), (long)(c));		\
	snprintf(name, sizeof(name), "%s." what, how[i].name);						\
	say(name, "%s %x", result(ret_), after);							\
} while (0)
		CASE("write", SYS_write, p[1], &byte, 1);
		CASE("write.long", SYS_write, p[1], words, sizeof(words));
		MUST(write(p[1], "abc", 3));
		CASE("read", SYS_read, p[0], &byte, 1);
		CASE("open", SYS_open, ".", O_RDONLY | O_DIRECTORY, 0);
		CASE("nanosleep", SYS_nanosleep, &ts, 0, 0);
		CASE("uname", SYS_uname, words, 0, 0);
		CASE("pipe", SYS_pipe2, words, 0, 0);
		CASE("mmap", SYS_mprotect, (long)words & -4096, 4096, PROT_READ | PROT_WRITE);
		CASE("sigprocmask", SYS_rt_sigprocmask, SIG_BLOCK, 0, words);
	}
}

TEST(fork)
{
	uint32_t after;
	long pid;
	int status;

	if (!have_keys())
		return;
	for (int i = 0; i < 3; i++) {
		const uint32_t pkru[] = { NO_ACCESS, NO_WRITE, 0 };
		char name[32];

		pid = call_with(pkru[i], &after, SYS_clone, SIGCHLD, 0, 0);
		if (!pid)
			_exit(after == pkru[i] ? 7 : 8);
		MUST(waitpid((pid_t)pid, &status, 0));
		snprintf(name, sizeof(name), "child.%d", i);
		say(name, "%s %x", status_name(status), after);
	}
}

static void *thread_pkru(void *arg)
{
	*(uint32_t *)arg = rdpkru();
	wrpkru(0xfffffffc);
	return NULL;
}

TEST(threads)
{
	uint32_t seen = 1;
	pthread_t t;

	if (!have_keys())
		return;
	/* the second may get the first one's thread of the host */
	for (int i = 0; i < 2; i++) {
		pthread_create(&t, NULL, thread_pkru, &seen);
		pthread_join(t, NULL);
		HEX(i ? "second" : "first", seen);
	}
	wrpkru(0);
	pthread_create(&t, NULL, thread_pkru, &seen);
	pthread_join(t, NULL);
	HEX("inherited", seen);
	HEX("own", rdpkru());
}

static volatile uint32_t in_handler;
static volatile int handled;
static siginfo_t info;

static void handler(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	(void)sig;
	in_handler = rdpkru();
	info = *si;
	handled++;
	wrpkru(0xfffffffc);	/* the handler's own: what was interrupted has its value back afterwards */
}

TEST(signals)
{
	static const uint32_t values[] = { 0, INITIAL, NO_WRITE, NO_ACCESS };
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	uint32_t after;

	if (!have_keys())
		return;
	sigaction(SIGUSR1, &sa, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		char name[32];

		in_handler = 1;
		RET(N("kill.%zu", i), call_with(values[i], &after, SYS_kill, getpid(), SIGUSR1, 0));
		snprintf(name, sizeof(name), "handled.%zu", i);
		say(name, "%d, in %x, after %x", handled, in_handler, after);
	}
}

static sigjmp_buf back;

static void fault(int sig, siginfo_t *si, void *ctx)
{
	(void)sig;
	(void)ctx;
	info = *si;
	in_handler = rdpkru();
	siglongjmp(back, 1);
}

TEST(faults)
{
	struct sigaction sa = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!have_keys())
		return;
	*page = 5;
	sigaction(SIGSEGV, &sa, NULL);
	if (!sigsetjmp(back, 1))
		/* load, then store, by an address in a register, with the key denied */
		__asm__ volatile("xorl %%ecx, %%ecx; xorl %%edx, %%edx; .byte 0x0f, 0x01, 0xef; movb (%%rbx), %%al"
				 : : "a"(NO_ACCESS), "b"(page) : "rcx", "rdx", "memory");
	say("load", "code %d, there %d, key %d, in %x", info.si_code, info.si_addr == page, info.si_pkey, in_handler);
	memset(&info, 0, sizeof(info));
	if (!sigsetjmp(back, 1))
		__asm__ volatile("xorl %%ecx, %%ecx; xorl %%edx, %%edx; .byte 0x0f, 0x01, 0xef; movb %%al, (%%rbx)"
				 : : "a"(NO_WRITE), "b"(page) : "rcx", "rdx", "memory");
	say("store", "code %d, there %d, key %d, in %x", info.si_code, info.si_addr == page, info.si_pkey, in_handler);
	wrpkru(INITIAL);
	NUM("untouched", *page);
	/* without a handler it is an ordinary death */
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		wrpkru(NO_ACCESS);
		*page = 6;
		_exit(0);
	}
	STR("death", xwait(pid));
}

/* A timer's signal comes while the program runs with its memory denied, and does nothing but that. */
TEST(interrupted)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	uint32_t after;

	if (!have_keys())
		return;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	__asm__ volatile("xorl %%ecx, %%ecx; xorl %%edx, %%edx; .byte 0x0f, 0x01, 0xef\n\t"
			 "movq $300000000, %%rbx\n"
			 "1: decq %%rbx; jnz 1b\n\t"
			 "xorl %%ecx, %%ecx; .byte 0x0f, 0x01, 0xee; movl %%eax, %%ebx\n\t"
			 "movl %[initial], %%eax; xorl %%edx, %%edx; .byte 0x0f, 0x01, 0xef"
			 : "=&b"(after) : "a"(NO_ACCESS), [initial] "i"(INITIAL) : "rcx", "rdx", "memory");
	while (!handled)
		pause();
	say("handled", "%d, in %x, after %x", handled, in_handler, after);
}
