// SPDX-License-Identifier: MIT
/*
 * Restartable sequences: who has an area registered when, and that a critical section is never torn: not by another thread on the
 * same processor, not by a signal. libc has registered its own area for every thread; the tests use that one.
 */
#include "conform.h"

#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/rseq.h>
#include <sys/time.h>

#define SPIN	3000000

static struct rseq *mine(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static uint32_t area_len(void)
{
	return __rseq_size < 32 ? 32 : __rseq_size;
}

static long do_rseq(void *area, int flags)
{
	return syscall(SYS_rseq, area, area_len(), flags, RSEQ_SIG);
}

/*
 * *@slot += 1 unless the thread has left processor @cpu. The section is three instructions and a loop of @spin turns, so that it is
 * interrupted often. Return: 0; 1: aborted, or not on that processor
 */
static int add_on_cpu(struct rseq *area, uint32_t cpu, volatile uint64_t *slot, uint64_t spin)
{
	uint64_t sum;

	__asm__ goto volatile (
		".pushsection .data.rel, \"aw\"\n\t"
		".balign 32\n"
		"7:	.long 0, 0\n\t"
		".quad 1f, (2f - 1f), 4f\n\t"
		".popsection\n\t"
		"leaq	7b(%%rip), %%rax\n\t"
		"movq	%%rax, 8(%[area])\n"
		"1:	cmpl	%[cpu], 4(%[area])\n\t"
		"jne	%l[abort]\n\t"
		"movq	(%[slot]), %%rax\n\t"
		"movq	%[spin], %%rcx\n"
		"3:	decq	%%rcx\n\t"
		"jg	3b\n\t"
		"incq	%%rax\n\t"
		"movq	%%rax, (%[slot])\n"
		"2:\n\t"
		".pushsection .text.rseq_abort, \"ax\"\n\t"
		".byte	0x0f, 0xb9, 0x3d\n\t"		/* ud1 sig(%rip), %edi: the signature is code that traps */
		".long	0x53053053\n"
		"4:	jmp	%l[abort]\n\t"
		".popsection\n\t"
		: : [area] "r" (area), [cpu] "r" (cpu), [slot] "r" (slot), [spin] "r" (spin)
		: "rax", "rcx", "memory", "cc" : abort);
	return 0;
abort:
	sum = 1;
	return (int)sum;
}

static volatile uint64_t slots[1024];
static uint64_t aborts;

static void *adder(void *turns)
{
	for (long i = 0; i < (long)turns; i++) {
		for (;;) {
			uint32_t cpu = *(volatile uint32_t *)&mine()->cpu_id_start;

			if (!add_on_cpu(mine(), cpu, &slots[cpu % 1024], 200))
				break;
			__atomic_fetch_add(&aborts, 1, __ATOMIC_RELAXED);
		}
	}
	return NULL;
}

static uint64_t total(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		sum += slots[i];
	return sum;
}

TEST(threads)
{
	pthread_t t[6];

	YES("registered", __rseq_size && mine()->cpu_id < 1024 && mine()->cpu_id == mine()->cpu_id_start);
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		REQUIRE(!pthread_create(&t[i], NULL, adder, (void *)60000L));
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		pthread_join(t[i], NULL);
	NUM("sum", total());
}

static void nothing(int sig)
{
	(void)sig;
}

/* A timer's signals abort the section; so does losing the processor. */
TEST(signals)
{
	struct itimerval every = { { 0, 1000 }, { 0, 1000 } };
	struct sigaction sa = { .sa_handler = nothing };
	uint64_t done = 0, aborted = 0;

	MUST(sigaction(SIGALRM, &sa, NULL));
	MUST(setitimer(ITIMER_REAL, &every, NULL));
	while ((aborted < 20 || done < 20) && done + aborted < 100000) {
		uint32_t cpu = *(volatile uint32_t *)&mine()->cpu_id_start;

		if (add_on_cpu(mine(), cpu, &slots[0], aborted < 20 ? SPIN : 10))
			aborted++;
		else
			done++;
	}
	YES("aborted", aborted >= 20);
	YES("sum", slots[0] == done);
	YES("cleared", mine()->rseq_cs == 0 || done);
}

static int has_area(void *arg)
{
	(void)arg;
	/* EBUSY: it is registered */
	RET("again", do_rseq(mine(), 0));
	RET("unregister", do_rseq(mine(), 1));
	RET("twice", do_rseq(mine(), 1));
	return 5;
}

TEST(fork)
{
	STR("child", child(has_area, NULL));
	RET("parent", do_rseq(mine(), 0));
	slots[1] = 0;
	if (!xfork()) {
		adder((void *)1000L);
		_exit(total() == 1000 ? 0 : 1);
	}
	int st;

	MUST(wait(&st));
	STR("child_adds", status_name(st));
}

static struct rseq other __attribute__((aligned(32)));

static int vfork_child(void *arg)
{
	RET(N("again.%d", !!arg), do_rseq(mine(), 1));
	RET(N("register.%d", !!arg), do_rseq(&other, 0));
	sched_yield();
	YES(N("cpu.%d", !!arg), other.cpu_id < 1024);
	if (arg)
		execl("/bin/true", "true", NULL);
	_exit(6);
}

TEST(vfork)
{
	static char stack[65536] __attribute__((aligned(16)));

	for (uintptr_t exec = 0; exec < 2; exec++) {
		int pid = MUST(clone(vfork_child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)exec));

		STR(N("status.%d", (int)exec), xwait(pid));
		memset(&other, 0xff, sizeof(other));
		/* ours is what it was, and works */
		RET(N("parent.%d", (int)exec), do_rseq(mine(), 0));
		memset((void *)slots, 0, sizeof(slots));
		adder((void *)5000L);
		NUM(N("sum.%d", (int)exec), total());
		YES(N("theirs.%d", (int)exec), other.cpu_id == ~0u);
	}
}

static void *registers_in_map(void *map)
{
	struct rseq *area = map;

	do_rseq(mine(), 1);
	if (do_rseq(area, 0))
		return (void *)1;
	sched_yield();
	return area->cpu_id < 1024 ? NULL : (void *)2;
}

/* A thread that ends with its area registered: the memory can go. */
TEST(exit)
{
	for (int i = 0; i < 20; i++) {
		void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *ret;
		pthread_t t;

		REQUIRE(map != MAP_FAILED && !pthread_create(&t, NULL, registers_in_map, map));
		pthread_join(t, &ret);
		if (!i)
			NUM("thread", (long)ret);
		MUST(munmap(map, PAGE));
	}
	YES("alive", true);
}

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void spin_until_preempted(void)
{
	for (uint64_t end = now() + 20000000000ull; now() < end; )
		;
}

static struct rseq_cs unsound __attribute__((aligned(32)));

static int breaks(void *how)
{
	void *page = (void *)((uintptr_t)mine() & ~(PAGE - 1));

	switch ((intptr_t)how) {
	case 0:
		mine()->rseq_cs = 8;
		break;
	case 1:
		mine()->rseq_cs = 0x7000000000000000;
		break;
	case 2:		/* no signature before the abort handler */
		unsound.abort_ip = (uintptr_t)&slots[8];
		mine()->rseq_cs = (uintptr_t)&unsound;
		break;
	case 3:
		do_rseq(mine(), 1);
		page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		do_rseq(page, 0);
		mprotect(page, PAGE, PROT_READ);
		break;
	case 4:
		do_rseq(mine(), 1);
		page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		do_rseq(page, 0);
		munmap(page, PAGE);
		break;
	}
	spin_until_preempted();
	return 0;
}

/* Whoever breaks his own area dies of it, and nobody else. */
TEST(broken)
{
	static const char *const names[] = { "pointer", "noncanonical", "signature", "readonly", "unmapped" };

	for (uintptr_t i = 0; i < ARRAY_SIZE(names); i++)
		STR(names[i], child(breaks, (void *)i));
}

TEST(auxv)
{
	NUM("size", getauxval(27));
	NUM("align", getauxval(28));
}
