// SPDX-License-Identifier: MIT
/*
 * Random calls with random arguments on descriptors that come and go, from several threads at once, under the sanitizers. Nothing is
 * expected of the answers; the library kernel must stay whole, every wait must end by a signal, and in the end nothing may be left.
 */
#include "ipc_env.h"

#include "ipc/epoll.h"
#include "ipc/sysv.h"
#include "ipc/unix.h"
#include "sched/time.h"

#define STEPS	150000
#define THREADS	3
#define MAX_FD	24

struct fuzz {
	u64 seed;
	u64 mem[128];		/* what pointers point to */
	u64 more[128];
};

static s32 recent[2][8];	/* ids of semaphores and of message queues */

static u32 rnd(struct fuzz *z, u32 n)
{
	return env_random(&z->seed) % n;
}

static u64 rnd_fd(struct fuzz *z)
{
	return rnd(z, 64) ? rnd(z, MAX_FD) : (u64)-1;
}

static u64 rnd_flags(struct fuzz *z)
{
	static const u32 flags[] = { 0, O_NONBLOCK, O_CLOEXEC, O_NONBLOCK | O_CLOEXEC, O_DIRECT, 1, 2, 0x40, ~0u, 0x4000, 0x100, SYSV_CREAT | 0600 };

	return flags[rnd(z, ARRAY_SIZE(flags))];
}

static u64 rnd_num(struct fuzz *z)
{
	static const u64 nums[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 56, 64, 110, 128, 255, 512, ~0ull, 1ull << 31, 1ull << 63, 0x7fffffff };

	return nums[rnd(z, ARRAY_SIZE(nums))];
}

/* sockaddr_un with one of four abstract names, or one of two paths */
static u64 ptr_addr(struct fuzz *z, u64 *m)
{
	u32 n = rnd(z, 6);

	memset(m, 0, 32);
	m[0] = 1;
	if (n < 4)
		m[0] |= (u64)(n + 1) << 24;
	else
		memcpy((char *)m + 2, n & 1 ? "/tmp/a" : "/tmp/b", 7);
	return (u64)m;
}

/* msghdr: sometimes a name; some data; sometimes descriptors or credentials */
static u64 ptr_msg(struct fuzz *z, u64 *m)
{
	memset(m, 0, 7 * 8);
	if (!rnd(z, 6)) {
		m[0] = ptr_addr(z, m + 40);
		m[1] = 4;
	}
	m[2] = (u64)&m[16];
	m[3] = rnd(z, 4);
	for (int i = 16; i < 24; i += 2) {
		m[i] = (u64)&m[44];
		m[i + 1] = rnd(z, 100);
	}
	if (rnd(z, 2)) {
		u32 fds = rnd(z, 5);

		m[4] = (u64)&m[24];
		m[5] = 16 + 4 * fds;
		m[24] = rnd(z, 16) ? m[5] : rnd_num(z);
		m[25] = 1 | (u64)(rnd(z, 8) ? 1 : 2) << 32;
		for (int i = 26; i < 30; i++)
			m[i] = rnd(z, MAX_FD) | (u64)rnd(z, MAX_FD) << 32;
	}
	return (u64)m;
}

static u64 ptr_words(struct fuzz *z, u64 *m)
{
	for (int i = 0; i < 16; i++)
		m[i] = rnd(z, 4) ? rnd_num(z) : env_random(&z->seed);
	return (u64)m;
}

/* Memory with something plausible in it, now and then a bad address. */
static u64 rnd_ptr(struct fuzz *z, char kind)
{
	u64 *m = rnd(z, 2) ? z->mem : z->more;

	switch (rnd(z, 20)) {
	case 0:
		return 0;
	case 1:
		return 8;
	case 2:
		return ptr_words(z, m);
	}
	switch (kind) {
	case 'a':
		return ptr_addr(z, m);
	case 'm':
		return ptr_msg(z, m);
	case 'w':	/* timespec, itimerspec: short */
		m[0] = m[2] = 0;
		m[1] = m[3] = rnd(z, 1000);
		return rnd(z, 3) ? (u64)m : 0;
	case 'P':	/* pollfds, epoll_event */
		for (int i = 0; i < 16; i++)
			m[i] = rnd(z, MAX_FD) | (u64)rnd(z, 0x400) << 32;
		return (u64)m;
	case 'E':
		m[0] = rnd(z, 0x20) | (u64)rnd(z, 4) << 30 | (rnd(z, 8) ? 0 : 1u << 28);
		return (u64)m;
	case 's':	/* sembufs */
		for (int i = 0; i < 8; i++)
			m[i] = rnd(z, 3) | (u64)(u16)(rnd(z, 5) - 2) << 16 | (u64)(rnd(z, 2) ? 04000 : 0x1000) << 32;
		return (u64)m;
	case 'l':	/* a length */
		m[0] = 128;
		return (u64)m;
	case 'z':	/* a message with a type */
		m[0] = 1 + rnd(z, 4);
		return (u64)m;
	}
	return ptr_words(z, m);
}

static u64 arg_of(struct fuzz *z, char kind)
{
	switch (kind) {
	case 'f': return rnd_fd(z);
	case 'x': return rnd_flags(z);
	case 'g': return rnd(z, 8) ? (rnd(z, 2) ? MSG_DONTWAIT : MSG_DONTWAIT | MSG_PEEK) : rnd_flags(z);
	case 'd': return rnd(z, 4);
	case '1': return 1;
	case 't': return rnd(z, 8) ? (u64[]){ 1, 2, 5 }[rnd(z, 3)] | (rnd(z, 2) ? O_NONBLOCK : 0) : rnd(z, 12);
	case 'e': return rnd(z, 6) ? EPOLL_CTL_ADD : 1 + rnd(z, 4);
	case 'S': return (u64)recent[0][rnd(z, 8)];
	case 'Q': return (u64)recent[1][rnd(z, 8)];
	case 'M': return rnd(z, 6) ? SYSV_CREAT | 0600 : rnd_flags(z);
	case 'i': return rnd(z, 6);
	case 'n': return rnd_num(z);
	case 'L': return rnd(z, 4) ? rnd(z, 112) : rnd_num(z);
	case 'Y': return rnd(z, 3) ? 8 : rnd_num(z);	/* size of a signal mask */
	}
	return rnd_ptr(z, kind);
}

static const struct {
	syscall_fn fn;
	const char *args;
	const char *name;
} calls[] = {
#define C(name, args) { sys_##name, args, #name }
	C(pipe2, "px"), C(eventfd2, "nx"), C(timerfd_create, "dx"), C(timerfd_settime, "fdww"), C(timerfd_gettime, "fp"),
	C(signalfd4, "fpYx"), C(poll, "Pdd"), C(ppoll, "PdwpY"), C(select, "npppw"), C(pselect6, "npppwp"),
	C(epoll_create1, "x"), C(epoll_ctl, "fefE"), C(epoll_ctl, "fefE"), C(epoll_wait, "fpdd"), C(epoll_pwait, "fpddpY"),
	C(socket, "1td"), C(socket, "dtd"), C(socketpair, "1tdp"), C(socketpair, "1tdp"), C(bind, "faL"), C(connect, "faL"),
	C(connect, "faL"), C(listen, "fd"), C(accept4, "fplx"), C(getsockname, "fpl"), C(getpeername, "fpl"), C(shutdown, "fd"),
	C(setsockopt, "f1npL"), C(getsockopt, "f1npl"), C(sendto, "fpLgaL"), C(recvfrom, "fpLgpl"), C(sendmsg, "fmg"),
	C(sendmsg, "fmg"), C(sendmsg, "fmg"), C(sendmmsg, "fmdg"), C(recvmsg, "fmg"), C(recvmsg, "fmg"), C(recvmmsg, "fmdgw"),
	C(semget, "diM"), C(semop, "Ssd"), C(semtimedop, "Ssdw"), C(semctl, "Sidp"), C(semctl, "Sinp"), C(msgget, "dM"),
	C(msgsnd, "QzLx"), C(msgrcv, "QzLdx"), C(msgctl, "Qdp"),
#undef C
};

static void one_call(struct fuzz *z)
{
	u32 n = rnd(z, ARRAY_SIZE(calls));
	u64 a[6] = { 0 };
	long ret;

	for (u32 i = 0; i < 6 && calls[n].args[i]; i++)
		a[i] = arg_of(z, calls[n].args[i]);
	if (a[0] > MAX_FD && calls[n].fn == sys_select)
		a[0] = rnd(z, 300);
	ret = calls[n].fn(a);
	if (ret >= 0 && (calls[n].fn == sys_semget || calls[n].fn == sys_msgget))
		__atomic_store_n(&recent[calls[n].fn == sys_msgget][rnd(z, 8)], (s32)ret, __ATOMIC_RELAXED);
	if (current->work & WORK_RESTORE_MASK)
		signal_restore_mask(false);
}

static void one_step(struct fuzz *z)
{
	switch (rnd(z, 32)) {
	case 0:
		fd_close(rnd(z, MAX_FD));
		break;
	case 1:
	case 2:
		env_read(rnd_fd(z), (void *)rnd_ptr(z, 'p'), rnd(z, 400));
		break;
	case 3:
	case 4:
		env_write(rnd_fd(z), (void *)rnd_ptr(z, 'p'), rnd(z, 400));
		break;
	default:
		one_call(z);
	}
	/* what came above the range would be out of reach */
	for (int fd = MAX_FD; fd < MAX_FD + 8; fd++)
		fd_close(fd);
}

static void fuzz_thread(void *arg)
{
	struct fuzz *z = calloc(1, sizeof(*z));

	/* something that never goes away ends every wait at once */
	atomic_or(&current->work, WORK_STOP);
	z->seed = 0x9e3779b97f4a7c15ull * (1 + (u64)arg);
	for (int i = 0; i < STEPS; i++)
		one_step(z);
	sem_exit(current);
	free(z);
}

static struct timer never;

static void never_fires(struct timer *t)
{
	(void)t;
}

static void leave_nothing(void)
{
	for (int fd = 0; fd < 1024; fd++)
		fd_close(fd);
	for (int i = 0; i < (int)SYSV_MAX; i++) {
		struct sysv_object *o = sysv_index(&sem_table, i, 0);
		int id;

		if (!IS_ERR(o)) {
			id = o->id;
			sysv_unlock(o);
			CALL(semctl, id, 0, 0, 0);
		}
		o = sysv_index(&msg_table, i, 0);
		if (!IS_ERR(o)) {
			id = o->id;
			sysv_unlock(o);
			CALL(msgctl, id, 0, 0);
		}
	}
	unix_gc();
	vfs_unlink(AT_FDCWD, "/tmp/a");
	vfs_unlink(AT_FDCWD, "/tmp/b");
	sigpending_flush(&current->pending);
	dcache_prune(1000);
}

static void random_calls_from_threads(void)
{
	struct task *t[THREADS];
	long before;

	leave_nothing();
	before = fake_allocs;
	for (u64 i = 0; i < THREADS; i++)
		t[i] = env_thread(fuzz_thread, (void *)i);
	for (int i = 0; i < THREADS; i++)
		env_join(t[i]);
	leave_nothing();
	for (int i = 0; i < 100 && fake_allocs > before + 2; i++) {
		env_sleep_ms(10);	/* the collector's timer */
		unix_gc();
	}
	EXPECT(fake_allocs <= before + 2);	/* the tables of System V objects stay */
}

/* The same with memory running out now and then. */
static void random_calls_without_memory(void)
{
	struct fuzz *z = calloc(1, sizeof(*z));
	long before = fake_allocs;

	atomic_or(&current->work, WORK_STOP);
	z->seed = 4242;
	for (int i = 0; i < STEPS; i++) {
		if (i % 7 == 0)
			fake_fail_alloc = 1 + rnd(z, 4);
		one_step(z);
	}
	fake_fail_alloc = 0;
	sem_exit(current);
	leave_nothing();
	for (int i = 0; i < 100 && fake_allocs > before; i++) {
		env_sleep_ms(10);
		unix_gc();
	}
	EXPECT(fake_allocs <= before);
	free(z);
}

int main(void)
{
	env_boot();
	env_tree();
	timer_init(&never, never_fires);
	timer_start(&never, clock_monotonic() + 1000 * NSEC_PER_SEC);
	RUN(random_calls_from_threads);
	RUN(random_calls_without_memory);
	return unit_done();
}
