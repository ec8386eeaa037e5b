// SPDX-License-Identifier: MIT
/* timerfd: relative and absolute times, intervals, what is left, polling. */
#include "ipc_env.h"

#include "ipc/timerfd.h"
#include "north/linux/timespec.h"

#define MS	1000000ll

static int set_flags(int fd, u32 flags, s64 value, s64 interval)
{
	struct linux_itimerspec its = { ns_to_timespec(interval), ns_to_timespec(value) };

	return CALL(timerfd_settime, fd, flags, &its, 0);
}

static int set(int fd, s64 value, s64 interval)
{
	return set_flags(fd, 0, value, interval);
}

static s64 left(int fd, s64 *interval)
{
	struct linux_itimerspec its;

	if (CALL(timerfd_gettime, fd, &its))
		return -1;
	if (interval)
		*interval = timespec_to_ns(&its.interval);
	return timespec_to_ns(&its.value);
}

static u64 ticks(int fd)
{
	u64 n;
	ssize_t ret = env_read(fd, &n, 8);

	return ret == 8 ? n : (u64)ret;
}

static void arguments_are_checked(void)
{
	struct linux_itimerspec its = { { 0, 0 }, { 1, 1000000000 } };
	int fd, e = CALL(eventfd, 0);

	EXPECT_EQ(CALL(timerfd_create, 2, 0), -EINVAL);
	EXPECT_EQ(CALL(timerfd_create, CLOCK_MONOTONIC, 1), -EINVAL);
	EXPECT_EQ(CALL(timerfd_create, CLOCK_BOOTTIME_ALARM, 0), -EPERM);
	fd = CALL(timerfd_create, CLOCK_BOOTTIME, O_NONBLOCK | O_CLOEXEC);
	EXPECT(fd > 0);
	EXPECT_EQ(CALL(timerfd_settime, fd, 0, &its, 0), -EINVAL);
	EXPECT_EQ(CALL(timerfd_settime, fd, 0, 8, 0), -EFAULT);
	its.value.nsec = 0;
	EXPECT_EQ(CALL(timerfd_settime, fd, 4, &its, 0), -EINVAL);
	EXPECT_EQ(CALL(timerfd_settime, e, 0, &its, 0), -EINVAL);
	EXPECT_EQ(CALL(timerfd_settime, 99, 0, &its, 0), -EBADF);
	EXPECT_EQ(CALL(timerfd_settime, fd, 0, &its, 8), -EFAULT);
	its.value.sec = -1;
	EXPECT_EQ(CALL(timerfd_settime, fd, 0, &its, 0), -EINVAL);
	EXPECT_EQ(CALL(timerfd_gettime, fd, 8), -EFAULT);
	EXPECT_EQ(env_read(fd, &its, 7), -EINVAL);
	EXPECT_EQ(env_write(fd, &its, 8), -EBADF);
	fd_close(fd), fd_close(e);
}

static void once(void)
{
	int fd = CALL(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
	s64 interval = -1;

	EXPECT_EQ(left(fd, &interval), 0);
	EXPECT_EQ(interval, 0);
	EXPECT_EQ((s64)ticks(fd), -EAGAIN);
	EXPECT_EQ(set(fd, 10 * MS, 0), 0);
	EXPECT(left(fd, NULL) > 0 && left(fd, NULL) <= 10 * MS);
	EXPECT_EQ((s64)ticks(fd), -EAGAIN);
	EXPECT_EQ(env_poll(fd), 0);
	env_sleep_ms(12);
	EXPECT_EQ(env_poll(fd), POLLIN | POLLRDNORM);
	EXPECT_EQ(left(fd, NULL), 0);
	EXPECT_EQ(ticks(fd), 1);
	EXPECT_EQ((s64)ticks(fd), -EAGAIN);
	EXPECT_EQ(set(fd, 5 * MS, 0), 0);
	EXPECT_EQ(set(fd, 0, 0), 0);
	env_sleep_ms(7);
	EXPECT_EQ((s64)ticks(fd), -EAGAIN);
	fd_close(fd);
}

static void again_and_again(void)
{
	int fd = CALL(timerfd_create, CLOCK_MONOTONIC, 0);
	s64 start = clock_monotonic(), interval = 0, elapsed;
	u64 n, sum = 0;

	EXPECT_EQ(set(fd, 3 * MS, 2 * MS), 0);
	for (int i = 0; i < 5; i++)
		sum += ticks(fd);
	elapsed = clock_monotonic() - start;
	EXPECT(elapsed >= 11 * MS);
	EXPECT(sum >= 5 && sum <= (u64)((elapsed - 3 * MS) / (2 * MS) + 1));
	EXPECT(left(fd, &interval) <= 2 * MS);
	EXPECT_EQ(interval, 2 * MS);
	/* an interval of a nanosecond is only arithmetic */
	EXPECT_EQ(set(fd, 1, 1), 0);
	env_sleep_ms(2);
	n = ticks(fd);
	EXPECT(n > 2 * MS);
	EXPECT_EQ(set(fd, INT64_MAX - 1, INT64_MAX - 1), 0);
	EXPECT(left(fd, NULL) > 0);
	fd_close(fd);
}

static void absolute_times(void)
{
	int m = CALL(timerfd_create, CLOCK_MONOTONIC, 0), r = CALL(timerfd_create, CLOCK_REALTIME, 0);
	s64 when = clock_monotonic() + 8 * MS;

	EXPECT_EQ(set_flags(m, TFD_TIMER_ABSTIME, when, 0), 0);
	EXPECT_EQ(ticks(m), 1);
	EXPECT(clock_monotonic() >= when);
	when = clock_realtime() + 8 * MS;
	EXPECT_EQ(set_flags(r, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, when, 0), 0);
	EXPECT_EQ(ticks(r), 1);
	EXPECT(clock_realtime() >= when);
	/* what is past counts: with an interval, as often as it would have fired */
	EXPECT_EQ(set_flags(m, TFD_TIMER_ABSTIME, clock_monotonic() - 10 * MS, 0), 0);
	EXPECT_EQ(ticks(m), 1);
	EXPECT_EQ(set_flags(m, TFD_TIMER_ABSTIME, clock_monotonic() - 1000 * MS, 100 * MS), 0);
	EXPECT_EQ(ticks(m), 11);
	fd_close(m), fd_close(r);
}

static void old_value_and_set_ticks(void)
{
	struct linux_itimerspec its = { { 0, 0 }, { 0, 0 } }, old;
	int fd = CALL(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
	struct file *f;
	u64 n = 7;

	EXPECT_EQ(set(fd, 1000 * MS, 300 * MS), 0);
	EXPECT_EQ(CALL(timerfd_settime, fd, 0, &its, &old), 0);
	EXPECT(timespec_to_ns(&old.value) > 900 * MS && timespec_to_ns(&old.value) <= 1000 * MS);
	EXPECT_EQ(timespec_to_ns(&old.interval), 300 * MS);
	f = fd_get(fd);
	EXPECT_EQ(f->ops->ioctl(f, 0x40085400, (u64)&n), 0);
	EXPECT_EQ(ticks(fd), 7);
	n = 0;
	EXPECT_EQ(f->ops->ioctl(f, 0x40085400, (u64)&n), -EINVAL);
	EXPECT_EQ(f->ops->ioctl(f, 0x40085400, 8), -EFAULT);
	EXPECT_EQ(f->ops->ioctl(f, 1, (u64)&n), -ENOTTY);
	file_put(f);
	fd_close(fd);
}

static int wait_fd;
static s64 waited;

static void wait_ticks(void *arg)
{
	(void)arg;
	waited = (s64)ticks(wait_fd);
}

static void a_sleeper_sees_a_new_time(void)
{
	struct task *t;

	wait_fd = CALL(timerfd_create, CLOCK_MONOTONIC, 0);
	EXPECT_EQ(set(wait_fd, 100000 * MS, 0), 0);
	t = env_thread(wait_ticks, NULL);
	env_sleep_ms(3);
	EXPECT_EQ(set(wait_fd, 2 * MS, 0), 0);
	env_join(t);
	EXPECT_EQ(waited, 1);
	t = env_thread(wait_ticks, NULL);	/* not armed: for ever */
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(waited, -ERESTARTSYS);
	fd_close(wait_fd);
}

static void epoll_is_told(void)
{
	struct { u32 events; u64 data; } __packed ev = { POLLIN | (1u << 31), 1 };
	int fd = CALL(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK), ep = CALL(epoll_create1, 0);
	s64 start;

	EXPECT_EQ(CALL(epoll_ctl, ep, 1, fd, &ev), 0);
	EXPECT_EQ(set(fd, 3 * MS, 3 * MS), 0);
	start = clock_monotonic();
	for (int i = 1; i <= 4; i++) {
		EXPECT_EQ(CALL(epoll_wait, ep, &ev, 1, 2000), 1);
		EXPECT(clock_monotonic() - start >= i * 3 * MS - MS / 2);
		EXPECT(ticks(fd) >= 1);
	}
	EXPECT(clock_monotonic() - start < 1000 * MS);
	/* set while somebody watches, again */
	EXPECT_EQ(set(fd, 0, 0), 0);
	EXPECT_EQ(CALL(epoll_wait, ep, &ev, 1, 10), 0);
	EXPECT_EQ(set(fd, 2 * MS, 0), 0);
	EXPECT_EQ(CALL(epoll_wait, ep, &ev, 1, 2000), 1);
	fd_close(fd), fd_close(ep);
}

int main(void)
{
	env_boot();
	RUN(arguments_are_checked);
	RUN(once);
	RUN(again_and_again);
	RUN(absolute_times);
	RUN(old_value_and_set_ticks);
	RUN(a_sleeper_sees_a_new_time);
	RUN(epoll_is_told);
	return unit_done();
}
