// SPDX-License-Identifier: MIT
/* Every futex operation, private and between processes, with its errnos. */
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

#include "conform.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif

static long futex(volatile void *addr, int op, uint32_t val, const void *timeout, volatile void *addr2, uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static long futex_n(volatile void *addr, int op, uint32_t val, unsigned long val2, volatile void *addr2, uint32_t val3)
{
	return syscall(SYS_futex, addr, op, val, val2, addr2, val3);
}

static volatile uint32_t w[8];

static struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000L;
	t.tv_sec += t.tv_nsec / 1000000000L;
	t.tv_nsec %= 1000000000L;
	return t;
}

TEST(errors)
{
	struct timespec ts = { 0, 1000000 }, bad = { 0, 1000000000 }, negative = { -1, 0 }, past = { 0, 0 };
	char *page = MUST(mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	volatile uint32_t *ro = MUST(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (int private = 0; private <= FUTEX_PRIVATE_FLAG; private += FUTEX_PRIVATE_FLAG) {
		const char *p = private ? "private" : "shared";

		w[0] = 5;
		RET(N("%s.wait_other_value", p), futex(w, FUTEX_WAIT | private, 4, NULL, NULL, 0));
		RET(N("%s.wait_timeout", p), futex(w, FUTEX_WAIT | private, 5, &ts, NULL, 0));
		RET(N("%s.wait_zero", p), futex(w, FUTEX_WAIT | private, 5, &past, NULL, 0));
		RET(N("%s.wait_bad_nsec", p), futex(w, FUTEX_WAIT | private, 5, &bad, NULL, 0));
		RET(N("%s.wait_negative", p), futex(w, FUTEX_WAIT | private, 5, &negative, NULL, 0));
		RET(N("%s.wait_timeout_efault", p), futex(w, FUTEX_WAIT | private, 5, (void *)1, NULL, 0));
		RET(N("%s.wait_unaligned", p), futex((char *)w + 1, FUTEX_WAIT | private, 5, NULL, NULL, 0));
		RET(N("%s.wait_null", p), futex(NULL, FUTEX_WAIT | private, 5, &ts, NULL, 0));
		RET(N("%s.wait_none", p), futex(page, FUTEX_WAIT | private, 5, &ts, NULL, 0));
		RET(N("%s.wait_readonly", p), futex(ro, FUTEX_WAIT | private, 0, &ts, NULL, 0));
		RET(N("%s.wait_kernel", p), futex((void *)0xffffffff81000000UL, FUTEX_WAIT | private, 5, &ts, NULL, 0));
		RET(N("%s.wake_nobody", p), futex(w, FUTEX_WAKE | private, 1, NULL, NULL, 0));
		RET(N("%s.wake_unaligned", p), futex((char *)w + 2, FUTEX_WAKE | private, 1, NULL, NULL, 0));
		RET(N("%s.wake_kernel", p), futex((void *)0xffffffff81000000UL, FUTEX_WAKE | private, 1, NULL, NULL, 0));
		RET(N("%s.bitset_zero", p), futex(w, FUTEX_WAIT_BITSET | private, 5, &ts, NULL, 0));
		RET(N("%s.wake_bitset_zero", p), futex(w, FUTEX_WAKE_BITSET | private, 1, NULL, NULL, 0));
		RET(N("%s.bitset_past", p), futex(w, FUTEX_WAIT_BITSET | private, 5, &past, NULL, ~0U));
		RET(N("%s.bitset_realtime", p), futex(w, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME | private, 5, &past,
						      NULL, ~0U));
		RET(N("%s.cmp_requeue_other", p), futex_n(w, FUTEX_CMP_REQUEUE | private, 1, 1, w + 1, 4));
		RET(N("%s.cmp_requeue_none", p), futex_n(w, FUTEX_CMP_REQUEUE | private, 1, 1, w + 1, 5));
		RET(N("%s.requeue_negative", p), futex_n(w, FUTEX_CMP_REQUEUE | private, (uint32_t)-1, 1, w + 1, 5));
		RET(N("%s.requeue_unaligned", p), futex_n(w, FUTEX_REQUEUE | private, 1, 1, (char *)w + 1, 0));
		RET(N("%s.wake_realtime", p), futex(w, FUTEX_WAKE | FUTEX_CLOCK_REALTIME | private, 1, NULL, NULL, 0));
		RET(N("%s.wait_kernel2", p), futex_n(w, FUTEX_REQUEUE | private, 1, 1, (void *)0xffffffff81000000UL, 0));
	}
	RET("unknown", futex(w, 77, 0, NULL, NULL, 0));
	RET("fd", futex(w, 2, 0, NULL, NULL, 0));
	RET("trylock_nobody", (w[2] = 0, futex(w + 2, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0)));
	YES("trylock_owner", w[2] == (uint32_t)gettid_());
	RET("lock_self", futex(w + 2, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	RET("trylock_self", futex(w + 2, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
	RET("unlock", futex(w + 2, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	NUM("unlocked", w[2]);
	RET("unlock_not_mine", futex(w + 2, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	w[2] = 0x3fffffff;
	RET("lock_dead_owner", futex(w + 2, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
}

struct sleeper {
	volatile uint32_t *addr;
	int op;
	uint32_t val, bits;
	volatile pid_t tid;
	long ret;
	int err;
	pthread_t thread;
};

static void *sleep_on(void *arg)
{
	struct sleeper *s = arg;
	struct timespec end = in_ms(CLOCK_MONOTONIC, 20000);

	s->tid = gettid_();
	errno = 0;
	s->ret = futex(s->addr, s->op, s->val, s->op == FUTEX_WAIT ? NULL : &end, NULL, s->bits);
	s->err = errno;
	return NULL;
}

static struct sleeper *sleeper(volatile uint32_t *addr, int op, uint32_t bits)
{
	static struct sleeper all[64];
	static int next;
	struct sleeper *s = &all[next++ % 64];

	*s = (struct sleeper){ .addr = addr, .op = op, .val = *addr, .bits = bits };
	REQUIRE(!pthread_create(&s->thread, NULL, sleep_on, s));
	while (!s->tid)
		sched_yield();
	wait_asleep(s->tid);
	return s;
}

static const char *end(struct sleeper *s)
{
	pthread_join(s->thread, NULL);
	return s->ret < 0 ? errno_name(s->err) : N("%ld", s->ret);
}

TEST(wake)
{
	struct sleeper *s[5];
	int op = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;

	for (int i = 0; i < 5; i++)
		s[i] = sleeper(w, op, 1U << i);
	RET("bits_none", futex(w, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 0x100));
	RET("bit_2", futex(w, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 4));
	STR("bit_2.is", end(s[2]));
	RET("two_of_many", futex(w, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 3));
	STR("fifo", end(s[0]));
	RET("wake_any", futex(w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0));
	STR("fifo2", end(s[1]));
	RET("wake_all", futex(w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff, NULL, NULL, 0));
	STR("rest3", end(s[3]));
	STR("rest4", end(s[4]));
	s[0] = sleeper(w, op, ~0U);
	RET("wake_zero", futex(w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0));
	RET("shared_wake_does_not_meet_private", futex(w, FUTEX_WAKE, 1, NULL, NULL, 0));
	RET("other_word", futex(w + 1, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0));
	RET("wake", futex(w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0));
	STR("woken", end(s[0]));
}

TEST(requeue)
{
	struct sleeper *s[6];
	int op = FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG;

	for (int i = 0; i < 6; i++)
		s[i] = sleeper(w, op, ~0U);
	RET("wake1_move2", futex_n(w, FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG, 1, 2, w + 1, 0));
	STR("woken", end(s[0]));
	RET("on_second", futex(w + 1, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 0));
	STR("second1", end(s[1]));
	STR("second2", end(s[2]));
	RET("requeue", futex_n(w, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0, 9, w + 1, 0));
	RET("first_empty", futex(w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 0));
	RET("all_moved", futex(w + 1, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 0));
	for (int i = 3; i < 6; i++)
		STR(N("moved%d", i), end(s[i]));
	s[0] = sleeper(w, op, ~0U);
	RET("same_word", futex_n(w, FUTEX_REQUEUE | FUTEX_PRIVATE_FLAG, 0, 1, w, 0));
	RET("same_word.wake", futex(w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 0));
	STR("same_word.is", end(s[0]));
}

TEST(wake_op)
{
	static const struct { const char *name; int op, oparg, cmp, cmparg; uint32_t start; } ops[] = {
		{ "set", FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 3, 3 },
		{ "add", FUTEX_OP_ADD, 2, FUTEX_OP_CMP_NE, 3, 3 },
		{ "or", FUTEX_OP_OR, 0xf0, FUTEX_OP_CMP_LT, 4, 3 },
		{ "andn", FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_LE, 2, 3 },
		{ "xor", FUTEX_OP_XOR, 0xff, FUTEX_OP_CMP_GT, 2, 3 },
		{ "shift", FUTEX_OP_ADD | FUTEX_OP_OPARG_SHIFT, 4, FUTEX_OP_CMP_GE, 4, 3 },
		{ "negative", FUTEX_OP_ADD, 0xfff, FUTEX_OP_CMP_LT, 0, (uint32_t)-3 },
		{ "bad_op", 7, 1, FUTEX_OP_CMP_EQ, 3, 3 },
		{ "bad_cmp", FUTEX_OP_SET, 5, 9, 3, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		struct sleeper *a, *b;
		long ret;
		int err;

		w[0] = 0, w[1] = ops[i].start;
		a = sleeper(w, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, ~0U);
		b = sleeper(w + 1, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, ~0U);
		errno = 0;
		ret = futex_n(w, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, w + 1,
			      (uint32_t)FUTEX_OP(ops[i].op, ops[i].oparg, ops[i].cmp, ops[i].cmparg));
		err = errno;
		say(ops[i].name, "%s word %#x", ret < 0 ? errno_name(err) : N("%ld", ret), w[1]);
		futex(w, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 0);
		futex(w + 1, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 9, NULL, NULL, 0);
		say(N("%s.ends", ops[i].name), "%s %s", end(a), end(b));
	}
}

TEST(between_processes)
{
	volatile uint32_t *s = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	volatile uint32_t *private = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	pid_t pid;

	MUST(ftruncate(fd, 2 * (off_t)PAGE));
	private[0] = 0;
	pid = xfork();
	if (!pid) {
		RET("child", futex(s, FUTEX_WAIT, 0, NULL, NULL, 0));
		_exit(0);
	}
	wait_asleep(pid);
	RET("private_flag_misses", futex(s, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0));
	RET("wake", futex(s, FUTEX_WAKE, 1, NULL, NULL, 0));
	xwait(pid);
	/* two maps of one file at different addresses are one futex */
	volatile uint32_t *m = MUST(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));

	pid = xfork();
	if (!pid) {
		volatile uint32_t *n = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)PAGE));

		RET("file.child", futex(n + 5, FUTEX_WAIT, 0, NULL, NULL, 0));
		_exit(0);
	}
	wait_asleep(pid);
	RET("file.other_page", futex(m + 5, FUTEX_WAKE, 1, NULL, NULL, 0));
	RET("file.wake", futex(m + PAGE / 4 + 5, FUTEX_WAKE, 1, NULL, NULL, 0));
	xwait(pid);
	/* the same address in private memory of two processes is two futexes */
	pid = xfork();
	if (!pid) {
		struct timespec ts = { 0, 60000000 };

		RET("private.child", futex(private, FUTEX_WAIT, 0, &ts, NULL, 0));
		_exit(0);
	}
	wait_asleep(pid);
	RET("private.wake", futex(private, FUTEX_WAKE, 1, NULL, NULL, 0));
	xwait(pid);
	pid = xfork();
	if (!pid) {
		struct timespec ts = in_ms(CLOCK_MONOTONIC, 20000);

		RET("requeue.child", futex(s, FUTEX_WAIT_BITSET, 0, &ts, NULL, ~0U));
		_exit(0);
	}
	wait_asleep(pid);
	RET("requeue", futex_n(s, FUTEX_CMP_REQUEUE, 0, 1, m, 0));
	RET("requeue.wake", futex(m, FUTEX_WAKE, 1, NULL, NULL, 0));
	xwait(pid);
	/* a killed waiter is no longer woken */
	pid = xfork();
	if (!pid)
		futex(s, FUTEX_WAIT, 0, NULL, NULL, 0);
	wait_asleep(pid);
	kill(pid, SIGKILL);
	xwait(pid);
	RET("after_kill", futex(s, FUTEX_WAKE, 1, NULL, NULL, 0));
}

static volatile uint32_t pi;

static void *pi_lock(void *arg)
{
	struct sleeper *s = arg;

	s->tid = gettid_();
	errno = 0;
	s->ret = futex(s->addr, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	s->err = errno;
	if (!s->ret)
		s->bits = *s->addr == (uint32_t)gettid_() || *s->addr == ((uint32_t)gettid_() | FUTEX_WAITERS);
	if (!s->ret && s->val)
		futex(s->addr, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	return NULL;
}

TEST(pi)
{
	struct sleeper s = { .addr = &pi, .val = 1 };
	struct timespec ts = in_ms(CLOCK_REALTIME, 20);

	RET("lock", futex(&pi, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	pthread_create(&s.thread, NULL, pi_lock, &s);
	while (!s.tid)
		sched_yield();
	wait_asleep(s.tid);
	YES("waiters_bit", pi == ((uint32_t)gettid_() | FUTEX_WAITERS));
	RET("unlock", futex(&pi, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	STR("handed_over", end(&s));
	NUM("handed_over.owner", s.bits);
	NUM("free", pi);
	/* owner dies without a robust list: the next one waits on a tid that is no more */
	s = (struct sleeper){ .addr = &pi, .val = 0 };
	pthread_create(&s.thread, NULL, pi_lock, &s);
	pthread_join(s.thread, NULL);
	msleep(5);
	RET("owner_gone", futex(&pi, FUTEX_LOCK_PI, 0, &ts, NULL, 0));
	/* timeouts are absolute CLOCK_REALTIME */
	pi = 0;
	pid_t pid = xfork();
	volatile uint32_t *shared;

	if (!pid)
		_exit(0);
	xwait(pid);
	shared = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	MUST(futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	pid = xfork();
	if (!pid) {
		struct timespec t = in_ms(CLOCK_REALTIME, 20);

		RET("shared.trylock", futex(shared, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
		RET("shared.timeout", futex(shared, FUTEX_LOCK_PI, 0, &t, NULL, 0));
		t = in_ms(CLOCK_MONOTONIC, 20);
		RET("shared.lock_pi2", futex(shared, 13 /* FUTEX_LOCK_PI2 */, 0, &t, NULL, 0));
		shared[1] = 1;
		RET("shared.lock", futex(shared, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
		RET("shared.unlock", futex(shared, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
		_exit(0);
	}
	while (!shared[1])
		msleep(1);
	wait_asleep(pid);
	RET("shared.release", futex(shared, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	STR("shared.child", xwait(pid));
}

struct waitv { uint64_t val, uaddr; uint32_t flags, reserved; };

static struct waitv vec[130];

static void *waitv_thread(void *arg)
{
	struct sleeper *s = arg;

	s->tid = gettid_();
	s->ret = syscall(SYS_futex_waitv, vec, s->val, 0, NULL, CLOCK_MONOTONIC);
	s->err = errno;
	return NULL;
}

TEST(waitv)
{
	struct timespec ts = in_ms(CLOCK_MONOTONIC, 10), past = { 0, 0 };
	static volatile uint32_t words[128];
	struct sleeper s;

	for (int i = 0; i < 128; i++)
		vec[i] = (struct waitv){ 0, (uintptr_t)&words[i], 2 | FUTEX_PRIVATE_FLAG, 0 };
	errno = 0;
	if (syscall(SYS_futex_waitv, vec, 1, 0, &past, CLOCK_MONOTONIC) && errno == ENOSYS) {
		STR("unsupported", "before 5.16");
		return;
	}
	RET("timeout", syscall(SYS_futex_waitv, vec, 3, 0, &ts, CLOCK_MONOTONIC));
	RET("past", syscall(SYS_futex_waitv, vec, 3, 0, &past, CLOCK_MONOTONIC));
	RET("zero", syscall(SYS_futex_waitv, vec, 0, 0, &past, CLOCK_MONOTONIC));
	RET("too_many", syscall(SYS_futex_waitv, vec, 129, 0, &past, CLOCK_MONOTONIC));
	RET("128", syscall(SYS_futex_waitv, vec, 128, 0, &past, CLOCK_MONOTONIC));
	RET("flags", syscall(SYS_futex_waitv, vec, 1, 1, &past, CLOCK_MONOTONIC));
	RET("clock", syscall(SYS_futex_waitv, vec, 1, 0, &past, CLOCK_BOOTTIME));
	RET("efault", syscall(SYS_futex_waitv, NULL, 1, 0, &past, CLOCK_MONOTONIC));
	words[1] = 1;
	RET("other_value", syscall(SYS_futex_waitv, vec, 3, 0, &ts, CLOCK_MONOTONIC));
	words[1] = 0;
	vec[1].reserved = 1;
	RET("reserved", syscall(SYS_futex_waitv, vec, 3, 0, &past, CLOCK_MONOTONIC));
	vec[1].reserved = 0, vec[1].flags = 0x40;
	RET("word_flags", syscall(SYS_futex_waitv, vec, 3, 0, &past, CLOCK_MONOTONIC));
	/* a value above 32 bits is EINVAL from Linux 6.7 on only */
	vec[1].flags = 2 | FUTEX_PRIVATE_FLAG;
	for (int i = 0; i < 3; i++) {
		s = (struct sleeper){ .val = 3 };
		pthread_create(&s.thread, NULL, waitv_thread, &s);
		while (!s.tid)
			sched_yield();
		wait_asleep(s.tid);
		RET(N("wake%d", i), futex(&words[i], FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 0));
		STR(N("index%d", i), end(&s));
	}
}

#define FUTEX2_WAKE	454
#define FUTEX2_WAIT	455
#define FUTEX2_REQUEUE	456
#define SMALL		(2u | FUTEX_PRIVATE_FLAG)	/* FUTEX2_SIZE_U32 */

static void *wait2_thread(void *arg)
{
	struct sleeper *s = arg;

	s->tid = gettid_();
	s->ret = syscall(FUTEX2_WAIT, &w[4], 0ul, (unsigned long)s->val, SMALL, NULL, CLOCK_MONOTONIC);
	s->err = errno;
	return NULL;
}

/* The calls that Linux 6.7 made of futex(2)'s operations. */
TEST(futex2)
{
	struct timespec ts = in_ms(CLOCK_MONOTONIC, 10), past = { 0, 0 }, bad = { 0, 1000000000 };
	struct waitv two[2] = { { 0, (uintptr_t)&w[4], SMALL, 0 }, { 0, (uintptr_t)&w[5], SMALL, 0 } };
	struct sleeper s[3];

	w[4] = w[5] = 0;
	if (syscall(FUTEX2_WAKE, &w[4], 1ul, 1, SMALL) && errno == ENOSYS) {
		STR("unsupported", "before 6.7");
		return;
	}
	RET("wait.timeout", syscall(FUTEX2_WAIT, &w[4], 0ul, 1ul, SMALL, &ts, CLOCK_MONOTONIC));
	RET("wait.past", syscall(FUTEX2_WAIT, &w[4], 0ul, 1ul, SMALL, &past, CLOCK_REALTIME));
	RET("wait.bad_time", syscall(FUTEX2_WAIT, &w[4], 0ul, 1ul, SMALL, &bad, CLOCK_REALTIME));
	RET("wait.clock", syscall(FUTEX2_WAIT, &w[4], 0ul, 1ul, SMALL, &past, CLOCK_BOOTTIME));
	RET("wait.other", syscall(FUTEX2_WAIT, &w[4], 1ul, 1ul, SMALL, NULL, CLOCK_MONOTONIC));
	RET("wait.large", syscall(FUTEX2_WAIT, &w[4], 1ul << 32, 1ul, SMALL, NULL, CLOCK_MONOTONIC));
	RET("wait.mask", syscall(FUTEX2_WAIT, &w[4], 0ul, 0ul, SMALL, NULL, CLOCK_MONOTONIC));
	RET("wait.large_mask", syscall(FUTEX2_WAIT, &w[4], 0ul, 1ul << 32, SMALL, NULL, CLOCK_MONOTONIC));
	RET("wait.flags", syscall(FUTEX2_WAIT, &w[4], 0ul, 1ul, SMALL | 0x40, NULL, CLOCK_MONOTONIC));
	RET("wait.u64", syscall(FUTEX2_WAIT, &w[4], 0ul, 1ul, SMALL | 1, NULL, CLOCK_MONOTONIC));
	RET("wait.u8", syscall(FUTEX2_WAIT, &w[4], 0ul, 1ul, SMALL & ~3u, NULL, CLOCK_MONOTONIC));
	RET("wait.unaligned", syscall(FUTEX2_WAIT, (char *)&w[4] + 1, 0ul, 1ul, SMALL, NULL, CLOCK_MONOTONIC));
	RET("wait.efault", syscall(FUTEX2_WAIT, NULL, 0ul, 1ul, SMALL, NULL, CLOCK_MONOTONIC));
	RET("wake.none", syscall(FUTEX2_WAKE, &w[4], 1ul, 0, SMALL));
	RET("wake.mask", syscall(FUTEX2_WAKE, &w[4], 0ul, 0, SMALL));
	RET("wake.flags", syscall(FUTEX2_WAKE, &w[4], 1ul, 1, 0));
	RET("wake.large_mask", syscall(FUTEX2_WAKE, &w[4], 1ul << 32, 1, SMALL));
	RET("wake.unaligned", syscall(FUTEX2_WAKE, (char *)&w[4] + 2, 1ul, 0, SMALL));
	RET("requeue.flags", syscall(FUTEX2_REQUEUE, two, 1, 1, 1));
	RET("requeue.null", syscall(FUTEX2_REQUEUE, NULL, 0, 1, 1));
	RET("requeue.negative", syscall(FUTEX2_REQUEUE, two, 0, -1, 1));
	two[0].val = 1;
	RET("requeue.other", syscall(FUTEX2_REQUEUE, two, 0, 1, 1));
	two[0].val = 0;
	for (int i = 0; i < 3; i++) {
		s[i] = (struct sleeper){ .val = i ? 3 : 4 };
		pthread_create(&s[i].thread, NULL, wait2_thread, &s[i]);
		while (!s[i].tid)
			sched_yield();
		wait_asleep(s[i].tid);
	}
	RET("wake.zero", syscall(FUTEX2_WAKE, &w[4], 7ul, 0, SMALL));
	RET("wake.masked", syscall(FUTEX2_WAKE, &w[4], 4ul, 5, SMALL));
	STR("wake.first", end(&s[0]));
	RET("requeue", syscall(FUTEX2_REQUEUE, two, 0, 1, 1));
	RET("requeue.left", syscall(FUTEX2_WAKE, &w[4], 3ul, 5, SMALL));
	RET("requeue.there", syscall(FUTEX2_WAKE, &w[5], 3ul, 5, SMALL));
	STR("requeue.second", end(&s[1]));
	STR("requeue.third", end(&s[2]));
}

struct robust_head { void *next; long offset; void *pending; };

TEST(robust_list)
{
	struct robust_head head = { &head, 0, NULL }, *got;
	volatile uint32_t *word = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	size_t len = 0;

	RET("size", syscall(SYS_set_robust_list, &head, 23));
	RET("set", syscall(SYS_set_robust_list, &head, 24));
	RET("get", syscall(SYS_get_robust_list, 0, &got, &len));
	say("is", "%d %zu", got == &head, len);
	RET("get.absent", syscall(SYS_get_robust_list, 0x3fffffff, &got, &len));
	RET("get.efault", syscall(SYS_get_robust_list, 0, (void *)1, &len));
	for (int how = 0; how < 4; how++) {
		pid_t pid;

		*word = 0;
		pid = xfork();
		if (!pid) {
			static struct { void *next; } entry;
			static struct robust_head h;

			/* the word lies at an offset from the entry */
			h = (struct robust_head){ &entry, (long)((uintptr_t)word - (uintptr_t)&entry), NULL };
			entry.next = &h;
			if (how == 1) {		/* only pending */
				h.next = &h;
				h.pending = &entry;
			}
			if (how == 2)		/* endless list */
				entry.next = &entry;
			if (how == 3)		/* garbage */
				entry.next = (void *)0x1230;
			MUST(syscall(SYS_set_robust_list, &h, 24));
			*word = (uint32_t)gettid_() | FUTEX_WAITERS;
			syscall(SYS_exit, 0);
		}
		STR(N("%d.child", how), xwait(pid));
		HEX(N("%d.word", how), *word);
	}
}
