// SPDX-License-Identifier: MIT
/* poll, ppoll, select, pselect6: what they find, how long they wait, what they leave in the timeout. */
#include "ipc_env.h"

#include "north/linux/timespec.h"

#define MS	1000000ll

struct pfd {
	s32 fd;
	s16 events, revents;
};

static void pipe_ends(int p[2])
{
	EXPECT_EQ(CALL(pipe2, p, O_NONBLOCK), 0);
}

static void poll_finds(void)
{
	struct pfd f[40];
	int p[2];

	pipe_ends(p);
	f[0] = (struct pfd){ p[0], POLLIN, -1 };
	f[1] = (struct pfd){ p[1], POLLOUT, -1 };
	f[2] = (struct pfd){ -5, POLLIN, -1 };
	f[3] = (struct pfd){ 99, POLLIN, -1 };
	EXPECT_EQ(CALL(poll, f, 4, 0), 2);
	EXPECT(f[0].revents == 0 && f[1].revents == POLLOUT && f[2].revents == 0 && f[3].revents == POLLNVAL);
	env_write(p[1], "x", 1);
	EXPECT_EQ(CALL(poll, f, 2, -1), 2);
	EXPECT_EQ(f[0].revents, POLLIN);
	fd_close(p[1]);
	f[0].events = 0;
	EXPECT_EQ(CALL(poll, f, 1, -1), 1);
	EXPECT_EQ(f[0].revents, POLLHUP);	/* always told */
	for (int i = 0; i < 40; i++)	/* more than stand on the stack */
		f[i] = (struct pfd){ p[0], i & 1 ? POLLIN : 0, 0 };
	EXPECT_EQ(CALL(poll, f, 40, 0), 40);
	EXPECT_EQ(f[39].revents, POLLIN | POLLHUP);
	EXPECT_EQ(f[38].revents, POLLHUP);
	EXPECT_EQ(CALL(poll, 8, 1, 0), -EFAULT);
	EXPECT_EQ(CALL(poll, f, 1025, 0), -EINVAL);	/* RLIMIT_NOFILE */
	EXPECT_EQ(CALL(poll, NULL, 0, 0), 0);
	fd_close(p[0]);
}

struct waiter {
	struct pfd *f;
	int nr, timeout;
	long ret;
};

static void poll_once(void *arg)
{
	struct waiter *w = arg;

	w->ret = CALL(poll, w->f, w->nr, w->timeout);
}

static void poll_waits(void)
{
	static struct pfd f[600];
	struct waiter w = { f, 600, -1, 0 };
	s64 start = clock_monotonic();
	struct task *t;
	int p[2];

	EXPECT_EQ(CALL(poll, NULL, 0, 5), 0);
	EXPECT(clock_monotonic() - start >= 5 * MS);
	pipe_ends(p);
	for (int i = 0; i < 600; i++)
		f[i] = (struct pfd){ p[0], i == 577 ? POLLIN : 0, 0 };
	t = env_thread(poll_once, &w);
	env_sleep_ms(3);
	env_write(p[1], "x", 1);
	env_join(t);
	EXPECT_EQ(w.ret, 1);
	EXPECT_EQ(f[577].revents, POLLIN);
	f[0].events = 0;
	w.nr = 1;
	t = env_thread(poll_once, &w);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(w.ret, -ERESTART_RESTARTBLOCK);
	fd_close(p[0]), fd_close(p[1]);
}

/* What a signal interrupted goes on by the restart block, with the deadline that it had. */
static long restarted;
static s64 restart_took;

static void poll_and_restart(void *arg)
{
	s64 start = clock_monotonic();

	(void)arg;
	restarted = CALL(poll, NULL, 0, 60);
	if (restarted == -ERESTART_RESTARTBLOCK) {
		(void)atomic_and(&current->work, ~(u32)WORK_SIGNAL);
		restarted = current->restart.func(current);
	}
	restart_took = clock_monotonic() - start;
}

static void a_restart_keeps_the_deadline(void)
{
	struct task *t = env_thread(poll_and_restart, NULL);

	env_sleep_ms(20);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(restarted, 0);
	EXPECT(restart_took >= 60 * MS && restart_took < 1000 * MS);
}

static void ppoll_tells_what_is_left(void)
{
	struct linux_timespec ts = { 100, 0 }, bad = { -1, 0 };
	struct pfd f;
	u64 mask = 0;
	int p[2];

	pipe_ends(p);
	f = (struct pfd){ p[1], POLLOUT, 0 };
	EXPECT_EQ(CALL(ppoll, &f, 1, &ts, 0, 0), 1);
	EXPECT(ts.sec == 99 && ts.nsec > 0);
	EXPECT_EQ(CALL(ppoll, &f, 1, &bad, 0, 0), -EINVAL);
	EXPECT_EQ(CALL(ppoll, &f, 1, 8, 0, 0), -EFAULT);
	EXPECT_EQ(CALL(ppoll, &f, 1, &ts, &mask, 7), -EINVAL);
	EXPECT_EQ(CALL(ppoll, &f, 1, &ts, 8, 8), -EFAULT);
	ts = (struct linux_timespec){ 0, 4000000 };
	f.fd = p[0], f.events = POLLIN;
	EXPECT_EQ(CALL(ppoll, &f, 1, &ts, 0, 0), 0);
	EXPECT(!ts.sec && !ts.nsec);
	/* a mask that lets a pending signal through ends the wait at once, and stays until the handler has run */
	signal_self(SIGUSR1);
	ts = (struct linux_timespec){ 100, 0 };
	current->sighand->action[SIGUSR1 - 1].handler = 0x1000;
	EXPECT_EQ(CALL(ppoll, &f, 1, &ts, &mask, 8), -ERESTARTNOHAND);
	EXPECT(current->work & WORK_RESTORE_MASK);
	EXPECT_EQ(current->blocked, 0);
	signal_restore_mask(false);
	EXPECT_EQ(current->blocked, ~(SIGMASK(SIGKILL) | SIGMASK(SIGSTOP)));
	EXPECT(env_took_signal(SIGUSR1));
	(void)atomic_and(&current->work, ~(u32)WORK_SIGNAL);
	fd_close(p[0]), fd_close(p[1]);
}

static void select_finds(void)
{
	struct linux_timeval tv = { 50, 0 }, bad = { 0, -1 }, now = { 0, 0 };
	u64 in[16] = { 0 }, out[16] = { 0 }, ex[16] = { 0 };
	int p[2];

	pipe_ends(p);
	in[0] = 1ull << p[0];
	out[0] = 1ull << p[1];
	ex[0] = 1ull << p[0];
	in[15] = 77;	/* beyond nr: not looked at, not touched */
	EXPECT_EQ(CALL(select, 64, in, out, ex, &tv), 1);
	EXPECT(!in[0] && out[0] == 1ull << p[1] && !ex[0]);
	EXPECT_EQ(in[15], 77);
	EXPECT(tv.sec == 49);
	env_write(p[1], "x", 1);
	in[0] = 1ull << p[0];
	EXPECT_EQ(CALL(select, p[1] + 1, in, out, NULL, NULL), 2);
	EXPECT_EQ(CALL(select, -1, in, out, NULL, &tv), -EINVAL);
	EXPECT_EQ(CALL(select, 3, in, out, NULL, &bad), -EINVAL);
	EXPECT_EQ(CALL(select, 3, 8, out, NULL, &tv), -EFAULT);
	in[0] = 1ull << 40;
	EXPECT_EQ(CALL(select, 64, in, NULL, NULL, &tv), -EBADF);
	EXPECT_EQ(CALL(select, 40, in, NULL, NULL, &now), 0);
	EXPECT_EQ(in[0], 0);	/* 40 itself is beyond */
	tv = (struct linux_timeval){ 0, 3000 };
	in[0] = 0;
	EXPECT_EQ(CALL(select, 64, in, NULL, NULL, &tv), 0);
	EXPECT(!tv.sec && !tv.usec);
	/* nr may be anything: no more is looked at than the table has */
	in[0] = 1ull << p[0];
	EXPECT_EQ(CALL(select, INT32_MAX, in, NULL, NULL, NULL), 1);
	EXPECT_EQ(in[15], 77);
	fd_close(p[1]);
	env_read(p[0], ex, 1);
	EXPECT_EQ(CALL(select, 64, in, NULL, NULL, NULL), 1);	/* end of file is readable */
	fd_close(p[0]);
}

static void pselect_has_a_mask(void)
{
	struct { u64 mask, size; } sig;
	struct linux_timespec ts = { 0, 2000000 };
	u64 mask = ~0ull, none = 0;

	sig.mask = (u64)&mask;
	sig.size = 8;
	EXPECT_EQ(CALL(pselect6, 0, NULL, NULL, NULL, &ts, &sig), 0);
	sig.size = 9;
	EXPECT_EQ(CALL(pselect6, 0, NULL, NULL, NULL, &ts, &sig), -EINVAL);
	EXPECT_EQ(CALL(pselect6, 0, NULL, NULL, NULL, &ts, 8), -EFAULT);
	sig.mask = (u64)&none;
	sig.size = 8;
	signal_self(SIGUSR1);
	ts.sec = 100;
	EXPECT_EQ(CALL(pselect6, 0, NULL, NULL, NULL, &ts, &sig), -ERESTARTNOHAND);
	EXPECT(ts.sec >= 99 && ts.sec <= 100);
	signal_restore_mask(false);
	EXPECT(env_took_signal(SIGUSR1));
	(void)atomic_and(&current->work, ~(u32)WORK_SIGNAL);
}

static int pp[2][2];

static void ponger(void *arg)
{
	struct pfd f = { pp[0][0], POLLIN, 0 };
	char c;

	(void)arg;
	while (CALL(poll, &f, 1, 5000) == 1 && env_read(pp[0][0], &c, 1) == 1 && c)
		env_write(pp[1][1], &c, 1);
}

static void no_wake_up_is_lost(void)
{
	struct pfd f;
	struct task *t;
	char c = 1;
	int n = 0;

	pipe_ends(pp[0]);
	pipe_ends(pp[1]);
	t = env_thread(ponger, NULL);
	f = (struct pfd){ pp[1][0], POLLIN, 0 };
	for (; n < 20000; n++) {
		env_write(pp[0][1], &c, 1);
		if (CALL(poll, &f, 1, 5000) != 1 || env_read(pp[1][0], &c, 1) != 1)
			break;
	}
	EXPECT_EQ(n, 20000);
	c = 0;
	env_write(pp[0][1], &c, 1);
	env_join(t);
	for (int i = 0; i < 4; i++)
		fd_close(pp[i / 2][i % 2]);
}

static void failing_allocations_leave_nothing_behind(void)
{
	static struct pfd f[600];
	int p[2], done = 0;
	long before;

	pipe_ends(p);
	for (int i = 0; i < 600; i++)
		f[i] = (struct pfd){ p[0], POLLIN, 0 };
	before = fake_allocs;
	for (int nth = 1; nth < 60 && !done; nth++) {
		long ret;

		fake_fail_alloc = nth;
		ret = CALL(poll, f, 600, 1);
		fake_fail_alloc = 0;
		done = ret == 0;
		EXPECT(ret == 0 || ret == -ENOMEM);
		EXPECT_EQ(fake_allocs, before);
	}
	EXPECT(done);
	fd_close(p[0]), fd_close(p[1]);
}

int main(void)
{
	env_boot();
	RUN(poll_finds);
	RUN(poll_waits);
	RUN(a_restart_keeps_the_deadline);
	RUN(ppoll_tells_what_is_left);
	RUN(select_finds);
	RUN(pselect_has_a_mask);
	RUN(no_wake_up_is_lost);
	RUN(failing_allocations_leave_nothing_behind);
	return unit_done();
}
