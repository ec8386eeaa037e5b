// SPDX-License-Identifier: MIT
/* eventfd and signalfd: counting, blocking, overflow; signals that are read. */
#include "ipc_env.h"

static void counts(void)
{
	u64 v = 0, max = ~0ull;
	int e = CALL(eventfd2, 5, O_NONBLOCK);

	EXPECT_EQ(CALL(eventfd2, 0, 2), -EINVAL);
	EXPECT_EQ(env_read(e, &v, 7), -EINVAL);
	EXPECT_EQ(env_read(e, &v, 20), 8);
	EXPECT_EQ(v, 5);
	EXPECT_EQ(env_read(e, &v, 8), -EAGAIN);
	EXPECT_EQ(env_poll(e), POLLOUT | POLLWRNORM);
	EXPECT_EQ(env_write(e, &max, 8), -EINVAL);
	EXPECT_EQ(env_write(e, &v, 4), -EINVAL);
	EXPECT_EQ(env_write(e, (void *)8, 8), -EFAULT);
	v = max - 1;
	EXPECT_EQ(env_write(e, &v, 8), 8);
	EXPECT_EQ(env_poll(e), POLLIN | POLLRDNORM);
	v = 0;
	EXPECT_EQ(env_write(e, &v, 8), 8);
	v = 1;
	EXPECT_EQ(env_write(e, &v, 8), -EAGAIN);
	EXPECT_EQ(env_read(e, &v, 8), 8);
	EXPECT_EQ(v, max - 1);
	fd_close(e);
}

static void semaphore(void)
{
	int e = CALL(eventfd2, 3, O_NONBLOCK | 1);
	u64 v;

	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(env_read(e, &v, 8), 8);
		EXPECT_EQ(v, 1);
	}
	EXPECT_EQ(env_read(e, &v, 8), -EAGAIN);
	fd_close(e);
}

static int fd;
static u64 got;
static ssize_t last;

static void taker(void *arg)
{
	u64 v;

	(void)arg;
	for (int i = 0; i < 20000; i++)
		if (env_read(fd, &v, 8) == 8)
			__atomic_add_fetch(&got, v, __ATOMIC_SEQ_CST);
}

static void giver(void *arg)
{
	u64 v = 1;

	(void)arg;
	for (int i = 0; i < 20000; i++)
		if (env_write(fd, &v, 8) != 8)
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
}

static void takers_and_givers_meet(void)
{
	struct task *t[4];

	fd = CALL(eventfd2, 0, 1);
	for (int i = 0; i < 4; i++)
		t[i] = env_thread(i & 1 ? giver : taker, NULL);
	for (int i = 0; i < 4; i++)
		env_join(t[i]);
	EXPECT_EQ(got, 40000);
	fd_close(fd);
}

static void write_max(void *arg)
{
	u64 v = ~0ull - 1;

	(void)arg;
	last = env_write(fd, &v, 8);
}

static void a_full_counter_blocks(void)
{
	struct task *t;
	u64 v;

	fd = CALL(eventfd, 7);
	t = env_thread(write_max, NULL);
	env_sleep_ms(5);
	EXPECT_EQ(env_read(fd, &v, 8), 8);
	EXPECT_EQ(v, 7);
	env_join(t);
	EXPECT_EQ(last, 8);
	t = env_thread(write_max, NULL);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(last, -ERESTARTSYS);
	fd_close(fd);
}

struct ssi {
	u32 signo;
	s32 err, code;
	u32 pid, uid;
	s32 fd;
	u32 tid, band, overrun, trapno;
	s32 status, value_int;
	u64 value_ptr;
	u8 rest[128 - 56];
};

static void signals_are_read(void)
{
	u64 mask = SIGMASK(SIGUSR1) | SIGMASK(40) | SIGMASK(SIGKILL), usr2 = SIGMASK(SIGUSR2);
	struct siginfo info = { .signo = 40, .code = SI_QUEUE };
	struct ssi s[4];
	int sfd;

	EXPECT_EQ(CALL(signalfd4, -1, &mask, 4, 0), -EINVAL);
	EXPECT_EQ(CALL(signalfd4, -1, 8, 8, 0), -EFAULT);
	EXPECT_EQ(CALL(signalfd4, -1, &mask, 8, 1), -EINVAL);
	sfd = CALL(signalfd4, -1, &mask, 8, O_NONBLOCK);
	EXPECT(sfd >= 0);
	EXPECT_EQ(env_poll(sfd), 0);
	EXPECT_EQ(env_read(sfd, s, sizeof(s)), -EAGAIN);
	EXPECT_EQ(env_read(sfd, s, 127), -EINVAL);
	signal_self(SIGUSR1);
	signal_self(SIGUSR2);	/* not ours */
	info.rt.pid = 77;
	info.rt.value = 0x1234567800000009ull;
	EXPECT_EQ(send_signal_task(current, 40, &info), 0);
	EXPECT_EQ(env_poll(sfd), POLLIN);
	EXPECT_EQ(env_read(sfd, s, sizeof(s)), 256);
	EXPECT_EQ(s[0].signo, SIGUSR1);
	EXPECT_EQ(s[0].pid, current->process->tgid);
	EXPECT_EQ(s[0].uid, 1000);
	EXPECT_EQ(s[1].signo, 40);
	EXPECT_EQ(s[1].code, SI_QUEUE);
	EXPECT_EQ(s[1].pid, 77);
	EXPECT_EQ(s[1].value_int, 9);
	EXPECT_EQ(s[1].value_ptr, 0x1234567800000009ull);
	EXPECT_EQ(env_read(sfd, s, sizeof(s)), -EAGAIN);
	EXPECT_EQ(CALL(signalfd4, sfd, &usr2, 8, 0), sfd);
	EXPECT_EQ(env_read(sfd, s, sizeof(s)), 128);
	EXPECT_EQ(s[0].signo, SIGUSR2);
	fd_close(sfd);
	sfd = CALL(eventfd, 0);
	EXPECT_EQ(CALL(signalfd4, sfd, &usr2, 8, 0), -EINVAL);
	fd_close(sfd);
	EXPECT_EQ(CALL(signalfd4, 99, &usr2, 8, 0), -EBADF);
}

static struct ssi one;

static void read_signal(void *arg)
{
	(void)arg;
	last = env_read(fd, &one, sizeof(one));
}

static void a_reader_waits_for_his_signal(void)
{
	u64 mask = SIGMASK(SIGUSR1);
	struct task *t;

	fd = CALL(signalfd4, -1, &mask, 8, 0);
	t = env_thread(read_signal, NULL);
	env_sleep_ms(3);
	EXPECT_EQ(send_signal_task(t, SIGUSR1, SIGINFO_NONE), 0);
	env_join(t);
	EXPECT_EQ(last, 128);
	EXPECT_EQ(one.signo, SIGUSR1);
	fd_close(fd);
}

static long allocs_at_start;

static void nothing_is_leaked(void)
{
	EXPECT_EQ(fake_allocs, allocs_at_start);
}

int main(void)
{
	env_boot();
	allocs_at_start = fake_allocs;
	RUN(counts);
	RUN(semaphore);
	RUN(takers_and_givers_meet);
	RUN(a_full_counter_blocks);
	RUN(signals_are_read);
	RUN(a_reader_waits_for_his_signal);
	RUN(nothing_is_leaked);
	return unit_done();
}
