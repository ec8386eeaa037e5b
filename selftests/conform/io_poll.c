// SPDX-License-Identifier: MIT
/* poll, select and epoll over everything that can be waited for. */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

#include "conform.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

static int p[2], s[2];
static char buf[65536];

static const char *wait_for(int ep, int timeout)
{
	static char out[512];
	struct epoll_event e[16];
	int n = epoll_wait(ep, e, 16, timeout), at = 0;

	if (n < 0)
		return errno_name(errno);
	out[0] = 0;
	for (int i = 0; i < n; i++)
		at += sprintf(out + at, "%d:%#x ", (int)e[i].data.u64, e[i].events);
	return n ? out : "none";
}

static int add(int ep, int fd, unsigned int events, int tag)
{
	struct epoll_event e = { .events = events, .data.u64 = (uint64_t)tag };

	return epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static int mod(int ep, int fd, unsigned int events, int tag)
{
	struct epoll_event e = { .events = events, .data.u64 = (uint64_t)tag };

	return epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e);
}

static int del(int ep, int fd)
{
	return epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
}

TEST(poll)
{
	struct pollfd f[4];
	struct rlimit rl;
	int file = MUST(open("f", O_RDWR | O_CREAT, 0600)), dir = MUST(open(".", O_RDONLY));

	MUST(pipe(p));
	f[0] = (struct pollfd){ p[0], POLLIN, 0 };
	f[1] = (struct pollfd){ p[1], POLLOUT, 0 };
	f[2] = (struct pollfd){ -1, POLLIN, 99 };
	f[3] = (struct pollfd){ 999, POLLIN, 0 };
	RET("mixed", poll(f, 4, 0));
	say("mixed.is", "%#x %#x %#x %#x", f[0].revents, f[1].revents, f[2].revents, f[3].revents);
	f[0].events = 0;
	RET("no_events", poll(f, 1, 0));
	f[0] = (struct pollfd){ file, POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM, 0 };
	f[1] = (struct pollfd){ dir, POLLIN | POLLOUT, 0 };
	f[2] = (struct pollfd){ MUST(open("/dev/null", O_RDWR)), POLLIN | POLLOUT, 0 };
	RET("files", poll(f, 3, -1));
	say("files.is", "%#x %#x %#x", f[0].revents, f[1].revents, f[2].revents);
	RET("nothing", poll(NULL, 0, 1));
	long long t = now_ns();

	f[0] = (struct pollfd){ p[0], POLLIN, 0 };
	RET("timeout", poll(f, 1, 20));
	YES("timeout.long_enough", now_ns() - t >= 20000000);
	RET("efault", poll((void *)1, 1, 0));
	getrlimit(RLIMIT_NOFILE, &rl);
	RET("too_many", syscall(SYS_poll, f, rl.rlim_cur + 1, 0));
	RET("ppoll.bad_time", ppoll(f, 1, &(struct timespec){ 0, -1 }, NULL));
	RET("ppoll.size", syscall(SYS_ppoll, f, 1, NULL, &f, 4));
	/* woken by another process */
	pid_t pid = xfork();

	if (!pid) {
		wait_asleep(getppid());
		write(p[1], "x", 1);
		_exit(0);
	}
	RET("woken", poll(f, 1, 15000));
	HEX("woken.is", f[0].revents);
	xwait(pid);
	f[0] = f[1] = (struct pollfd){ p[0], POLLIN, 0 };
	RET("same_twice", poll(f, 2, 0));
}

TEST(select)
{
	struct timeval tv = { 0, 20000 };
	fd_set r, w, e;

	MUST(pipe(p));
	FD_ZERO(&r);
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(p[0], &r), FD_SET(p[1], &w), FD_SET(p[0], &e);
	RET("one", select(p[1] + 1, &r, &w, &e, NULL));
	say("one.is", "%d %d %d", FD_ISSET(p[0], &r), FD_ISSET(p[1], &w), FD_ISSET(p[0], &e));
	FD_SET(p[0], &r);
	RET("timeout", select(p[0] + 1, &r, NULL, NULL, &tv));
	say("timeout.left", "%ld %ld set %d", tv.tv_sec, tv.tv_usec, FD_ISSET(p[0], &r));
	FD_SET(p[0], &r);
	FD_SET(900, &r);
	RET("badfd", select(901, &r, NULL, NULL, &(struct timeval){ 0, 0 }));
	FD_ZERO(&r);
	FD_SET(900, &r);
	RET("beyond_n", (select(5, &r, NULL, NULL, &(struct timeval){ 0, 0 })));
	RET("negative", select(-1, NULL, NULL, NULL, &tv));
	RET("bad_time", select(0, NULL, NULL, NULL, &(struct timeval){ -1, 0 }));
	RET("usec_carry", select(0, NULL, NULL, NULL, &(struct timeval){ 0, 1000 }));
	RET("efault", select(5, (void *)1, NULL, NULL, &(struct timeval){ 0, 0 }));
	close(p[1]);
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	RET("hup_reads", select(p[0] + 1, &r, NULL, NULL, NULL));
	tv = (struct timeval){ 5, 0 };
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	select(p[0] + 1, &r, NULL, NULL, &tv);
	YES("ready_updates_time", tv.tv_sec == 4 || (tv.tv_sec == 5 && tv.tv_usec == 0));
}

TEST(level)
{
	int ep = MUST(epoll_create1(EPOLL_CLOEXEC));

	MUST(pipe(p));
	STR("empty", wait_for(ep, 0));
	RET("add", add(ep, p[0], EPOLLIN, 1));
	RET("add_w", add(ep, p[1], EPOLLOUT, 2));
	STR("writable", wait_for(ep, 0));
	RET("mod", mod(ep, p[1], 0, 2));
	STR("silent", wait_for(ep, 0));
	MUST(write(p[1], "xy", 2));
	STR("readable", wait_for(ep, 0));
	STR("still", wait_for(ep, 0));
	MUST(read(p[0], buf, 1));
	STR("rest", wait_for(ep, 0));
	MUST(read(p[0], buf, 1));
	STR("read", wait_for(ep, 0));
	close(p[1]);
	STR("hup_without_asking", wait_for(ep, 0));
	RET("mod_zero", mod(ep, p[0], 0, 5));
	STR("hup_always", wait_for(ep, 0));
	RET("del", del(ep, p[0]));
	STR("deleted", wait_for(ep, 0));
	/* a closed descriptor disappears, unless a copy keeps the description alive */
	MUST(pipe(p));
	int d = MUST(dup(p[0]));

	MUST(add(ep, p[0], EPOLLIN, 7));
	close(p[0]);
	MUST(write(p[1], "x", 1));
	STR("dup_keeps", wait_for(ep, 0));
	RET("del_closed", del(ep, p[0]));
	close(d);
	STR("gone", wait_for(ep, 0));
}

TEST(edge)
{
	int ep = MUST(epoll_create1(0));

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	MUST(add(ep, s[0], EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, 1));
	STR("first", wait_for(ep, 0));
	STR("second", wait_for(ep, 0));
	MUST(write(s[1], "a", 1));
	STR("data", wait_for(ep, 0));
	STR("data.once", wait_for(ep, 0));
	MUST(write(s[1], "b", 1));
	STR("more_data", wait_for(ep, 0));
	MUST(read(s[0], buf, 1));
	STR("read_part", wait_for(ep, 0));
	MUST(mod(ep, s[0], EPOLLIN | EPOLLET, 2));
	STR("mod_rearms", wait_for(ep, 0));
	shutdown(s[1], SHUT_WR);
	MUST(mod(ep, s[0], EPOLLIN | EPOLLET | EPOLLRDHUP, 3));
	STR("rdhup", wait_for(ep, 0));
	close(s[1]);
	STR("hup", wait_for(ep, 0));
	STR("hup.once", wait_for(ep, 0));
	int ev = MUST(eventfd(0, EFD_NONBLOCK));
	uint64_t v = 1;

	MUST(add(ep, ev, EPOLLIN | EPOLLET, 9));
	MUST(write(ev, &v, 8));
	STR("eventfd", wait_for(ep, 0));
	MUST(write(ev, &v, 8));
	STR("eventfd.again", wait_for(ep, 0));
}

TEST(oneshot)
{
	int ep = MUST(epoll_create1(0));

	MUST(pipe(p));
	MUST(add(ep, p[0], EPOLLIN | EPOLLONESHOT, 1));
	MUST(write(p[1], "x", 1));
	STR("first", wait_for(ep, 0));
	STR("second", wait_for(ep, 0));
	MUST(write(p[1], "x", 1));
	STR("third", wait_for(ep, 0));
	MUST(mod(ep, p[0], EPOLLIN | EPOLLONESHOT, 2));
	STR("rearmed", wait_for(ep, 0));
	close(p[1]);
	STR("hup_disarmed", wait_for(ep, 0));
}

TEST(errors)
{
	int ep = MUST(epoll_create1(0)), file = MUST(open("f", O_RDWR | O_CREAT, 0600));
	struct epoll_event e;

	MUST(pipe(p));
	RET("create.flags", epoll_create1(1));
	RET("create.zero", syscall(SYS_epoll_create, 0));
	RET("file", add(ep, file, EPOLLIN, 1));
	RET("dir", add(ep, MUST(open(".", O_RDONLY)), EPOLLIN, 1));
	RET("itself", add(ep, ep, EPOLLIN, 1));
	RET("badfd", add(ep, 999, EPOLLIN, 1));
	RET("badep", add(999, p[0], EPOLLIN, 1));
	RET("not_ep", add(p[0], p[1], EPOLLIN, 1));
	RET("add", add(ep, p[0], EPOLLIN, 1));
	RET("twice", add(ep, p[0], EPOLLIN, 1));
	RET("dup_is_another", add(ep, dup(p[0]), EPOLLIN, 1));
	RET("mod_absent", mod(ep, p[1], EPOLLIN, 1));
	RET("del_absent", del(ep, p[1]));
	RET("op", epoll_ctl(ep, 7, p[0], &e));
	RET("efault", epoll_ctl(ep, EPOLL_CTL_ADD, p[1], (void *)1));
	RET("wait.zero", epoll_wait(ep, &e, 0, 0));
	RET("wait.negative", epoll_wait(ep, &e, -1, 0));
	RET("wait.badfd", epoll_wait(999, &e, 1, 0));
	RET("wait.not_ep", epoll_wait(p[0], &e, 1, 0));
	MUST(write(p[1], "x", 1));
	RET("wait.efault", epoll_wait(ep, (void *)1, 1, 0));
	RET("exclusive_mod", mod(ep, p[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
	RET("exclusive", add(ep, p[1], EPOLLOUT | EPOLLEXCLUSIVE, 1));
	RET("exclusive_then_mod", mod(ep, p[1], EPOLLIN, 1));
	MUST(del(ep, p[1]));
	RET("exclusive_oneshot", add(ep, p[1], EPOLLOUT | EPOLLEXCLUSIVE | EPOLLONESHOT, 1));
	RET("read", read(ep, buf, 1));
	RET("write", write(ep, buf, 1));
}

TEST(nested)
{
	int a = MUST(epoll_create1(0)), b = MUST(epoll_create1(0)), chain[8];

	MUST(pipe(p));
	MUST(add(a, p[0], EPOLLIN, 1));
	RET("add", add(b, a, EPOLLIN, 2));
	STR("quiet", wait_for(b, 0));
	MUST(write(p[1], "x", 1));
	STR("outer", wait_for(b, 0));
	STR("inner", wait_for(a, 0));
	struct pollfd pfd = { b, POLLIN, 0 };

	RET("poll_outer", poll(&pfd, 1, 0));
	MUST(read(p[0], buf, 1));
	STR("outer.quiet", wait_for(b, 0));
	RET("loop", add(a, b, EPOLLIN, 3));
	for (int i = 0; i < 8; i++) {
		chain[i] = MUST(epoll_create1(0));
		RET(N("chain%d", i), add(chain[i], i ? chain[i - 1] : p[0], EPOLLIN, i));
	}
	RET("exclusive_ep", add(b, chain[0], EPOLLIN | EPOLLEXCLUSIVE, 1));
}

TEST(wakeups)
{
	int ep = MUST(epoll_create1(0)), q[2];
	pid_t pid;
	struct epoll_event e;

	MUST(pipe(p));
	MUST(pipe(q));
	MUST(add(ep, p[0], EPOLLIN, 4));
	pid = xfork();
	if (!pid) {
		wait_asleep(getppid());
		write(p[1], "x", 1);
		_exit(0);
	}
	STR("woken", wait_for(ep, 15000));
	xwait(pid);
	MUST(read(p[0], buf, 1));
	long long t = now_ns();

	STR("timeout", wait_for(ep, 20));
	YES("timeout.long_enough", now_ns() - t >= 20000000);
	RET("pwait2", syscall(SYS_epoll_pwait2, ep, &e, 1, &(struct timespec){ 0, 5000000 }, NULL, 8));
	RET("pwait2.bad", syscall(SYS_epoll_pwait2, ep, &e, 1, &(struct timespec){ 0, -5 }, NULL, 8));
	/* an item added while someone sleeps counts */
	pid = xfork();
	if (!pid) {
		MUST(write(q[1], "x", 1));
		wait_asleep(getppid());
		MUST(add(ep, q[0], EPOLLIN, 6));
		_exit(0);
	}
	STR("added_later", wait_for(ep, 15000));
	xwait(pid);
	/* with maxevents 1 the ready ones take turns */
	int r[2], turns[2] = { 0 };

	MUST(pipe(r));
	MUST(add(ep, r[0], EPOLLIN, 7));
	MUST(write(r[1], "x", 1));
	for (int i = 0; i < 10; i++)
		if (epoll_wait(ep, &e, 1, 0) == 1)
			turns[e.data.u64 == 7]++;
	say("turns", "%d %d", turns[0], turns[1]);
}
