// SPDX-License-Identifier: MIT
/* epoll: errors, triggering, nesting, and races between those who add, wake, collect and close. */
#include "ipc_env.h"

#include "ipc/epoll.h"

#define IN	(POLLIN)
typedef struct epoll_event_abi event;

static int add(int ep, int fd, u32 events, u64 data)
{
	event ev = { events, data };

	return CALL(epoll_ctl, ep, EPOLL_CTL_ADD, fd, &ev);
}

static int mod(int ep, int fd, u32 events, u64 data)
{
	event ev = { events, data };

	return CALL(epoll_ctl, ep, EPOLL_CTL_MOD, fd, &ev);
}

static int del(int ep, int fd)
{
	return CALL(epoll_ctl, ep, EPOLL_CTL_DEL, fd, 0);
}

static int wait_for(int ep, event *ev, int max, int ms)
{
	return CALL(epoll_wait, ep, ev, max, ms);
}

static int give(int fd, u64 n)
{
	return env_write(fd, &n, 8) == 8;
}

static u64 take(int fd)
{
	u64 n = 0;

	return env_read(fd, &n, 8) == 8 ? n : 0;
}

static int new_eventfd(void)
{
	return CALL(eventfd2, 0, O_NONBLOCK);
}

static void arguments_are_checked(void)
{
	static const struct file_ops regular_ops = { .name = "no poll" };
	int ep = CALL(epoll_create1, O_CLOEXEC), e = new_eventfd(), reg, i;
	event ev[4];

	EXPECT_EQ(CALL(epoll_create, 0), -EINVAL);
	EXPECT_EQ(CALL(epoll_create1, 1), -EINVAL);
	i = CALL(epoll_create, 1);
	EXPECT(i > e);
	reg = fd_add(file_alloc(&regular_ops, O_RDWR, FMODE_READ, NULL), 0);
	EXPECT_EQ(add(ep, reg, IN, 0), -EPERM);
	EXPECT_EQ(add(ep, ep, IN, 0), -EINVAL);
	EXPECT_EQ(add(e, ep, IN, 0), -EINVAL);
	EXPECT_EQ(add(ep, 99, IN, 0), -EBADF);
	EXPECT_EQ(add(99, e, IN, 0), -EBADF);
	EXPECT_EQ(CALL(epoll_ctl, ep, EPOLL_CTL_ADD, e, 8), -EFAULT);
	EXPECT_EQ(CALL(epoll_ctl, ep, 7, e, ev), -EINVAL);
	EXPECT_EQ(mod(ep, e, IN, 0), -ENOENT);
	EXPECT_EQ(del(ep, e), -ENOENT);
	EXPECT_EQ(add(ep, e, IN, 0), 0);
	EXPECT_EQ(add(ep, e, IN, 0), -EEXIST);
	EXPECT_EQ(mod(ep, e, IN | EPOLLEXCLUSIVE, 0), -EINVAL);
	EXPECT_EQ(del(ep, e), 0);
	EXPECT_EQ(add(ep, e, IN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0), -EINVAL);
	EXPECT_EQ(add(ep, i, IN | EPOLLEXCLUSIVE, 0), -EINVAL);
	EXPECT_EQ(add(ep, e, IN | EPOLLEXCLUSIVE, 0), 0);
	EXPECT_EQ(mod(ep, e, IN, 0), -EINVAL);
	EXPECT_EQ(wait_for(ep, ev, 0, 0), -EINVAL);
	EXPECT_EQ(wait_for(ep, ev, -1, 0), -EINVAL);
	EXPECT_EQ(wait_for(e, ev, 1, 0), -EINVAL);
	EXPECT_EQ(wait_for(99, ev, 1, 0), -EBADF);
	EXPECT_EQ(wait_for(ep, ev, 1, 0), 0);
	give(e, 1);
	EXPECT_EQ(CALL(epoll_wait, ep, 8, 1, 0), -EFAULT);
	EXPECT_EQ(wait_for(ep, ev, 1, 0), 1);	/* the event is not lost with the bad address */
	fd_close(i);
	fd_close(reg);
	fd_close(e);
	fd_close(ep);
}

static void level_edge_oneshot(void)
{
	int ep = CALL(epoll_create1, 0), a = new_eventfd(), b = new_eventfd(), c = new_eventfd(), n;
	event ev[8];

	EXPECT_EQ(add(ep, a, IN, 1), 0);
	EXPECT_EQ(add(ep, b, IN | EPOLLET, 2), 0);
	EXPECT_EQ(add(ep, c, IN | EPOLLONESHOT, 3), 0);
	EXPECT_EQ(wait_for(ep, ev, 8, 0), 0);
	give(a, 1), give(b, 1), give(c, 1);
	EXPECT_EQ(wait_for(ep, ev, 8, 0), 3);
	EXPECT_EQ(ev[0].data, 1);
	EXPECT_EQ(ev[0].events, POLLIN);
	EXPECT_EQ(wait_for(ep, ev, 8, 0), 1);	/* level: again and again */
	EXPECT_EQ(ev[0].data, 1);
	give(b, 1);
	EXPECT_EQ(wait_for(ep, ev, 8, 0), 2);	/* a new edge */
	give(c, 1);
	EXPECT_EQ(wait_for(ep, ev, 8, 0), 1);	/* one shot was fired */
	EXPECT_EQ(mod(ep, c, IN | EPOLLONESHOT, 33), 0);
	n = wait_for(ep, ev, 8, 0);
	EXPECT_EQ(n, 2);
	EXPECT(ev[0].data == 33 || ev[1].data == 33);
	take(a);
	EXPECT_EQ(wait_for(ep, ev, 8, 0), 0);
	EXPECT_EQ(mod(ep, a, POLLOUT, 4), 0);
	EXPECT_EQ(wait_for(ep, ev, 8, 0), 1);
	EXPECT_EQ(ev[0].events, POLLOUT);
	EXPECT_EQ(del(ep, a), 0);
	EXPECT_EQ(wait_for(ep, ev, 8, 0), 0);
	EXPECT_EQ(env_poll(ep), 0);
	fd_close(a), fd_close(b), fd_close(c), fd_close(ep);
}

static void maxevents_rotates(void)
{
	int ep = CALL(epoll_create1, 0), e[6];
	u32 seen = 0;
	event ev[2];

	for (int i = 0; i < 6; i++) {
		e[i] = new_eventfd();
		EXPECT_EQ(add(ep, e[i], IN, i), 0);
		give(e[i], 1);
	}
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(wait_for(ep, ev, 2, 0), 2);
		seen |= 1u << ev[0].data | 1u << ev[1].data;
	}
	EXPECT_EQ(seen, 63);	/* nobody starves */
	for (int i = 0; i < 6; i++)
		fd_close(e[i]);
	fd_close(ep);
}

static void the_end_of_a_file_ends_its_watch(void)
{
	int ep = CALL(epoll_create1, 0), p[2];
	struct file *f;
	event ev[4];

	EXPECT_EQ(CALL(pipe2, p, 0), 0);
	EXPECT_EQ(add(ep, p[0], IN, 1), 0);
	f = fd_get(p[0]);	/* as dup(2) would */
	fd_close(p[0]);
	env_write(p[1], "x", 1);
	EXPECT_EQ(wait_for(ep, ev, 4, 0), 1);	/* epoll(7): as long as another descriptor refers to it */
	file_put(f);
	EXPECT_EQ(wait_for(ep, ev, 4, 0), 0);
	fd_close(p[1]);
	/* and the other way round */
	EXPECT_EQ(CALL(pipe2, p, 0), 0);
	EXPECT_EQ(add(ep, p[0], IN, 1), 0);
	fd_close(ep);
	env_write(p[1], "x", 1);
	fd_close(p[0]);
	fd_close(p[1]);
}

static void same_file_twice(void)
{
	int ep = CALL(epoll_create1, 0), e = new_eventfd(), e2;
	struct file *f = fd_get(e);
	event ev[4];

	e2 = fd_add(f, 0);
	EXPECT_EQ(add(ep, e, IN, 1), 0);
	EXPECT_EQ(add(ep, e2, IN, 2), 0);
	give(e, 1);
	EXPECT_EQ(wait_for(ep, ev, 4, 0), 2);
	EXPECT_EQ(del(ep, e), 0);
	EXPECT_EQ(wait_for(ep, ev, 4, 0), 1);
	EXPECT_EQ(ev[0].data, 2);
	fd_close(e), fd_close(e2), fd_close(ep);
}

static void nested_instances(void)
{
	int in = CALL(epoll_create1, 0), out = CALL(epoll_create1, 0), edge = CALL(epoll_create1, 0), e = new_eventfd();
	event ev[4];

	EXPECT_EQ(add(in, e, IN, 1), 0);
	EXPECT_EQ(add(out, in, IN, 2), 0);
	EXPECT_EQ(add(edge, in, IN | EPOLLET, 3), 0);
	EXPECT_EQ(wait_for(out, ev, 4, 0), 0);
	give(e, 1);
	EXPECT_EQ(env_poll(in), POLLIN | POLLRDNORM);
	EXPECT_EQ(wait_for(out, ev, 4, 0), 1);
	EXPECT_EQ(ev[0].data, 2);
	EXPECT_EQ(wait_for(edge, ev, 4, 0), 1);
	EXPECT_EQ(wait_for(edge, ev, 4, 0), 0);
	EXPECT_EQ(wait_for(out, ev, 4, 0), 1);
	give(e, 1);
	EXPECT_EQ(wait_for(edge, ev, 4, 0), 1);
	take(e);
	EXPECT_EQ(wait_for(out, ev, 4, 0), 0);
	EXPECT_EQ(wait_for(in, ev, 4, 0), 0);
	fd_close(in);
	EXPECT_EQ(wait_for(out, ev, 4, 0), 0);
	fd_close(out), fd_close(edge), fd_close(e);
}

static void no_circles_and_five_at_most(void)
{
	int ep[6], many[40], hub;

	for (int i = 0; i < 6; i++)
		ep[i] = CALL(epoll_create1, 0);
	for (int i = 0; i < 4; i++)
		EXPECT_EQ(add(ep[i], ep[i + 1], IN, 0), 0);
	EXPECT_EQ(add(ep[4], ep[0], IN, 0), -ELOOP);
	EXPECT_EQ(add(ep[1], ep[0], IN, 0), -ELOOP);
	EXPECT_EQ(add(ep[4], ep[5], IN, 0), -ELOOP);	/* six in a row */
	EXPECT_EQ(add(ep[5], ep[0], IN, 0), -ELOOP);
	EXPECT_EQ(add(ep[3], ep[5], IN, 0), 0);
	EXPECT_EQ(del(ep[0], ep[1]), 0);
	EXPECT_EQ(add(ep[5], ep[0], IN, 0), 0);
	EXPECT_EQ(add(ep[0], ep[1], IN, 0), -ELOOP);
	for (int i = 0; i < 6; i++)
		fd_close(ep[i]);
	/* and not in too many: each event would have to go through all of them */
	hub = CALL(epoll_create1, 0);
	for (u32 i = 0; i < 40; i++) {
		many[i] = CALL(epoll_create1, 0);
		EXPECT_EQ(add(many[i], hub, IN, 0), i < EPOLL_MAX_PARENTS ? 0 : -EINVAL);
	}
	fd_close(many[0]);
	EXPECT_EQ(add(many[39], hub, IN, 0), 0);
	for (u32 i = 1; i < 40; i++)
		fd_close(many[i]);
	fd_close(hub);
}

/* Few parents each, but crosswise: ways up multiply, 16 * 16 * 16 of them from the lowest. */
static void crosswise(void)
{
	int level[4][16], paths = 0;
	bool refused = false;

	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 16; j++)
			level[i][j] = CALL(epoll_create1, 0);
	for (int j = 0; j < 16; j++)
		EXPECT_EQ(add(level[1][j], level[0][0], IN, 0), 0);
	/* each of these is one more way up for each of level 1, so for the lowest */
	for (int j = 0; j < 16; j++)
		for (int k = 0; k < 16; k++)
			EXPECT_EQ(add(level[2][j], level[1][k], IN, 0), 0);
	/* and each of these 16 more: 16 + 256 + 16 * 14 = 496 */
	for (int k = 0; k < 16; k++) {
		int ret = add(level[3][0], level[2][k], IN, 0);

		EXPECT_EQ(ret, k < 14 ? 0 : -EINVAL);
		paths += ret ? 0 : 16;
		refused |= ret != 0;
	}
	EXPECT(refused);
	EXPECT_EQ(16 + 256 + paths, 496);
	/* what was refused is not there, and what is taken away makes room */
	EXPECT_EQ(del(level[3][0], level[2][15]), -ENOENT);
	for (int k = 0; k < 6; k++) {
		EXPECT_EQ(add(level[3][0], level[2][15], IN, 0), -EINVAL);
		EXPECT_EQ(del(level[2][15], level[1][k]), 0);
	}
	EXPECT_EQ(add(level[3][0], level[2][15], IN, 0), 0);
	for (int i = 0; i < 4; i++)
		for (int j = 0; j < 16; j++)
			fd_close(level[i][j]);
}

static void deadlines(void)
{
	struct { s64 sec, nsec; } ts = { 0, 3000000 }, bad = { 0, 1000000000 };
	int ep = CALL(epoll_create1, 0);
	s64 start = clock_monotonic();
	u64 mask = 0;
	event ev[1];

	EXPECT_EQ(wait_for(ep, ev, 1, 5), 0);
	EXPECT(clock_monotonic() - start >= 5 * NSEC_PER_MSEC);
	EXPECT_EQ(CALL(epoll_pwait2, ep, ev, 1, &ts, 0, 0), 0);
	EXPECT_EQ(CALL(epoll_pwait2, ep, ev, 1, &bad, 0, 0), -EINVAL);
	EXPECT_EQ(CALL(epoll_pwait, ep, ev, 1, 0, &mask, 4), -EINVAL);
	EXPECT_EQ(CALL(epoll_pwait, ep, ev, 1, 0, 8, 8), -EFAULT);
	EXPECT_EQ(CALL(epoll_pwait, ep, ev, 1, 0, 0, 0), 0);
	fd_close(ep);
}

struct waiter {
	int ep, ret;
};

static void wait_long(void *arg)
{
	struct waiter *w = arg;
	event ev[1];

	w->ret = wait_for(w->ep, ev, 1, 10000);
}

static void a_signal_ends_the_wait(void)
{
	struct waiter w = { .ep = CALL(epoll_create1, 0) };
	struct task *t = env_thread(wait_long, &w);

	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(w.ret, -EINTR);
	fd_close(w.ep);
}

/* An event for each sleeper, one by one: each wakes one of them and not the herd. */
static void one_event_wakes_one(void)
{
	struct waiter w[4];
	struct task *t[4];
	int ep = CALL(epoll_create1, 0), e = new_eventfd(), done;

	EXPECT_EQ(add(ep, e, IN | EPOLLET, 0), 0);
	for (int i = 0; i < 4; i++) {
		w[i] = (struct waiter){ ep, -1 };
		t[i] = env_thread(wait_long, &w[i]);
	}
	env_sleep_ms(20);
	for (int round = 1; round <= 4; round++) {
		give(e, 1);
		for (int tries = 0; tries < 1000; tries++) {
			done = 0;
			for (int i = 0; i < 4; i++)
				done += __atomic_load_n(&w[i].ret, __ATOMIC_SEQ_CST) == 1;
			if (done == round)
				break;
			env_sleep_ms(1);
		}
		env_sleep_ms(2);
		EXPECT_EQ(done, round);
	}
	for (int i = 0; i < 4; i++)
		env_join(t[i]);
	fd_close(e), fd_close(ep);
}

static void exclusive_watches_share(void)
{
	struct waiter w[3];
	struct task *t[3];
	int e = new_eventfd(), done = 0;

	for (int i = 0; i < 3; i++) {
		w[i] = (struct waiter){ CALL(epoll_create1, 0), -1 };
		EXPECT_EQ(add(w[i].ep, e, IN | EPOLLEXCLUSIVE | EPOLLET, 0), 0);
		t[i] = env_thread(wait_long, &w[i]);
	}
	env_sleep_ms(20);
	give(e, 1);
	env_sleep_ms(20);
	/* an eventfd wakes all of its exclusive sleepers, as on Linux, so all come; with one at a time it is a pipe */
	for (int i = 0; i < 3; i++)
		done += __atomic_load_n(&w[i].ret, __ATOMIC_SEQ_CST) == 1;
	EXPECT(done >= 1);
	for (int i = 0; i < 3; i++)
		give(e, 1);
	for (int i = 0; i < 3; i++) {
		env_join(t[i]);
		EXPECT_EQ(w[i].ret, 1);
		fd_close(w[i].ep);
	}
	fd_close(e);
}

/* ---- 100,000 events from two producers to three consumers over eight eventfds ---- */

#define EVENTS		50000u
#define NR_FDS		8
static int race_ep, race_fd[NR_FDS], race_rearm;
static u64 race_taken;
static u32 race_lost;

static void producer(void *arg)
{
	u64 seed = 1234567 + (u64)arg;

	for (u32 i = 0; i < EVENTS; i++)
		if (!give(race_fd[env_random(&seed) % NR_FDS], 1))
			race_lost++;
}

static void consumer(void *arg)
{
	event ev[3];

	(void)arg;
	while (__atomic_load_n(&race_taken, __ATOMIC_SEQ_CST) < 2ull * EVENTS) {
		int n = wait_for(race_ep, ev, 3, 5000);

		if (n <= 0) {
			if (__atomic_load_n(&race_taken, __ATOMIC_SEQ_CST) < 2ull * EVENTS)
				race_lost++;
			return;
		}
		for (int i = 0; i < n; i++) {
			u64 got = take(race_fd[ev[i].data]);

			__atomic_add_fetch(&race_taken, got, __ATOMIC_SEQ_CST);
			if (race_rearm)
				mod(race_ep, race_fd[ev[i].data], IN | EPOLLONESHOT, ev[i].data);
		}
	}
	give(race_fd[0], 1);	/* others may still sleep */
}

static void race(u32 events)
{
	struct task *p[2], *c[3];

	race_ep = CALL(epoll_create1, 0);
	race_rearm = (events & EPOLLONESHOT) != 0;
	race_taken = 0;
	race_lost = 0;
	for (int i = 0; i < NR_FDS; i++) {
		race_fd[i] = new_eventfd();
		EXPECT_EQ(add(race_ep, race_fd[i], events, i), 0);
	}
	for (u64 i = 0; i < 3; i++)
		c[i] = env_thread(consumer, NULL);
	for (u64 i = 0; i < 2; i++)
		p[i] = env_thread(producer, (void *)i);
	for (int i = 0; i < 2; i++)
		env_join(p[i]);
	for (int i = 0; i < 3; i++)
		env_join(c[i]);
	EXPECT(race_taken >= 2ull * EVENTS);
	EXPECT_EQ(race_lost, 0);
	for (int i = 0; i < NR_FDS; i++)
		fd_close(race_fd[i]);
	fd_close(race_ep);
}

static void no_level_is_lost(void)
{
	race(IN);
}

static void no_edge_is_lost(void)
{
	race(IN | EPOLLET);
}

static void no_shot_is_lost(void)
{
	race(IN | EPOLLONESHOT);
}

/* ---- files that end while others wake, watch and collect ---- */

static int churn_ep, churn_outer, churn_stop;

static void churner(void *arg)
{
	u64 seed = 31 + (u64)arg;
	event ev[4];

	for (int i = 0; i < 4000; i++) {
		int p[2], e = new_eventfd();

		if (CALL(pipe2, p, O_NONBLOCK))
			break;
		add(churn_ep, p[0], IN | (env_random(&seed) & 1 ? EPOLLET : 0), 1);
		add(churn_ep, e, IN, 2);
		env_write(p[1], "x", 1);
		give(e, 1);
		if (env_random(&seed) & 1)
			wait_for(churn_ep, ev, 4, 0);
		if (env_random(&seed) & 1)
			del(churn_ep, e);
		fd_close(p[env_random(&seed) & 1]);
		fd_close(p[0]);
		fd_close(p[1]);
		fd_close(e);
	}
}

static void collector(void *arg)
{
	event ev[4];

	(void)arg;
	while (!__atomic_load_n(&churn_stop, __ATOMIC_SEQ_CST)) {
		wait_for(churn_outer, ev, 4, 1);
		wait_for(churn_ep, ev, 4, 1);
	}
}

/* Instances come and go around the same files. */
static void nester(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&churn_stop, __ATOMIC_SEQ_CST)) {
		int ep = CALL(epoll_create1, 0);

		add(ep, churn_ep, IN, 0);
		add(churn_ep, ep, IN, 0);
		env_poll(ep);
		fd_close(ep);
	}
}

static void ends_race_with_everything(void)
{
	struct task *t[4];

	churn_ep = CALL(epoll_create1, 0);
	churn_outer = CALL(epoll_create1, 0);
	EXPECT_EQ(add(churn_outer, churn_ep, IN, 0), 0);
	t[0] = env_thread(churner, (void *)0);
	t[1] = env_thread(churner, (void *)1);
	t[2] = env_thread(collector, NULL);
	t[3] = env_thread(nester, NULL);
	env_join(t[0]);
	env_join(t[1]);
	__atomic_store_n(&churn_stop, 1, __ATOMIC_SEQ_CST);
	env_join(t[2]);
	env_join(t[3]);
	fd_close(churn_ep);
	fd_close(churn_outer);
}

static void failing_allocations_leave_nothing_behind(void)
{
	int ep = CALL(epoll_create1, 0), p[2], done = 0;
	event ev[1];

	CALL(pipe2, p, 0);
	for (int nth = 1; nth < 20 && !done; nth++) {
		long before = fake_allocs;
		int ret;

		fake_fail_alloc = nth;
		ret = add(ep, p[1], POLLOUT, 0);
		fake_fail_alloc = 0;
		if (!ret) {
			done = 1;
		} else {
			EXPECT_EQ(ret, -ENOMEM);
			EXPECT_EQ(fake_allocs, before);
			EXPECT_EQ(wait_for(ep, ev, 1, 0), 0);
		}
	}
	EXPECT(done);
	EXPECT_EQ(wait_for(ep, ev, 1, 0), 1);
	fd_close(ep), fd_close(p[0]), fd_close(p[1]);
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
	RUN(arguments_are_checked);
	RUN(level_edge_oneshot);
	RUN(maxevents_rotates);
	RUN(the_end_of_a_file_ends_its_watch);
	RUN(same_file_twice);
	RUN(nested_instances);
	RUN(no_circles_and_five_at_most);
	RUN(crosswise);
	RUN(deadlines);
	RUN(a_signal_ends_the_wait);
	RUN(one_event_wakes_one);
	RUN(exclusive_watches_share);
	RUN(no_level_is_lost);
	RUN(no_edge_is_lost);
	RUN(no_shot_is_lost);
	RUN(ends_race_with_everything);
	RUN(failing_allocations_leave_nothing_behind);
	RUN(nothing_is_leaked);
	return unit_done();
}
