// SPDX-License-Identifier: MIT
/* AF_UNIX sockets: files and credentials in messages, circles of files in flight. */
#include "unix_env.h"

static void files_travel(void)
{
	int s[2], p[2], got[10], many[300], flags;
	char c;

	pair(SOCK_STREAM, s);
	CALL(pipe2, p, 0);
	EXPECT_EQ(send_fds(s[0], p, 2, "x", 1), 1);
	EXPECT_EQ(receive_fds(s[1], got, 2, MSG_PEEK, &flags), 2);
	fd_close(got[0]), fd_close(got[1]);
	EXPECT_EQ(receive_fds(s[1], got, 2, MSG_CMSG_CLOEXEC, &flags), 2);
	EXPECT_EQ(flags, MSG_CMSG_CLOEXEC);
	fd_close(p[0]), fd_close(p[1]);
	EXPECT_EQ(env_write(got[1], "y", 1), 1);
	EXPECT_EQ(env_read(got[0], &c, 1), 1);
	EXPECT_EQ(c, 'y');
	/* no room for all: the rest is closed, and said */
	EXPECT_EQ(send_fds(s[0], got, 2, "x", 1), 1);
	EXPECT_EQ(receive_fds(s[1], p, 1, 0, &flags), 1);
	EXPECT_EQ(flags, MSG_CTRUNC);
	fd_close(p[0]);
	/* read(2) drops them */
	EXPECT_EQ(send_fds(s[0], got, 2, "x", 1), 1);
	EXPECT_EQ(env_read(s[1], &c, 1), 1);
	/* two messages with files are not merged */
	EXPECT_EQ(send_fds(s[0], got, 1, "ab", 2), 2);
	EXPECT_EQ(send_fds(s[0], got + 1, 1, "cd", 2), 2);
	EXPECT_EQ(receive(s[1], back, 10, 0), 2);
	EXPECT_EQ(receive(s[1], back, 10, 0), 2);
	got[2] = 99;
	EXPECT_EQ(send_fds(s[0], got, 3, "x", 1), -EBADF);
	for (int i = 0; i < 300; i++)
		many[i] = got[0];
	EXPECT_EQ(send_fds(s[0], many, 254, "x", 1), -EINVAL);
	EXPECT_EQ(send_fds(s[0], many, 253, "x", 1), 1);
	fd_close(s[1]);		/* with the message in its queue */
	fd_close(s[0]), fd_close(got[0]), fd_close(got[1]);
}

static void files_in_flight_are_bounded(void)
{
	struct rlimit64 *lim = &current->process->rlim[RLIM_NOFILE];
	int s[2], many[253], sent = 0, ret;
	u64 old = lim->cur;

	pair(SOCK_DGRAM, s);
	for (int i = 0; i < 253; i++)
		many[i] = s[0];
	lim->cur = 600;
	while ((ret = send_fds(s[0], many, 100, "x", 1)) == 1)
		sent++;
	EXPECT_EQ(ret, -ETOOMANYREFS);
	EXPECT_EQ(sent, 6);
	lim->cur = old;
	fd_close(s[0]), fd_close(s[1]);
}

static void credentials_travel(void)
{
	struct ucred { s32 pid; u32 uid, gid; } out, in;
	union { char buf[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr h; } c;
	struct iovec v = { big, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c) };
	int s[2];

	pair(SOCK_STREAM, s);
	out = (struct ucred){ current->process->tgid, 1000, 1000 };
	c.h.cmsg_len = CMSG_LEN(sizeof(out));
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_CREDENTIALS;
	memcpy(CMSG_DATA(&c.h), &out, sizeof(out));
	EXPECT_EQ(CALL(sendmsg, s[0], &m, 0), 1);
	out.uid = 0;
	memcpy(CMSG_DATA(&c.h), &out, sizeof(out));
	EXPECT_EQ(CALL(sendmsg, s[0], &m, 0), -EPERM);
	out = (struct ucred){ 1, 1000, 1000 };
	memcpy(CMSG_DATA(&c.h), &out, sizeof(out));
	if (current->process->tgid != 1)
		EXPECT_EQ(CALL(sendmsg, s[0], &m, 0), -EPERM);
	c.h.cmsg_len = 5;
	EXPECT_EQ(CALL(sendmsg, s[0], &m, 0), -EINVAL);
	c.h.cmsg_len = 5000;
	EXPECT_EQ(CALL(sendmsg, s[0], &m, 0), -EINVAL);
	EXPECT_EQ(set_option(s[1], SO_PASSCRED, 1), 0);
	memset(&c, 0, sizeof(c));
	EXPECT_EQ(CALL(recvmsg, s[1], &m, 0), 1);
	EXPECT_EQ(m.msg_controllen, sizeof(c));
	EXPECT_EQ(c.h.cmsg_type, SCM_CREDENTIALS);
	memcpy(&in, CMSG_DATA(&c.h), sizeof(in));
	EXPECT(in.pid == current->process->tgid && in.uid == 1000 && in.gid == 1000);
	fd_close(s[0]), fd_close(s[1]);
}

/* ---- circles ---- */

static void collect(void)
{
	unix_gc();
}

static void a_socket_sent_over_itself_is_freed(void)
{
	long before = fake_allocs;
	int s[2];

	pair(SOCK_STREAM, s);
	EXPECT_EQ(send_fds(s[0], &s[1], 1, "x", 1), 1);		/* s[1] lies in its own queue */
	EXPECT_EQ(send_fds(s[1], &s[0], 1, "x", 1), 1);		/* and s[0] in its own */
	fd_close(s[0]), fd_close(s[1]);
	EXPECT(fake_allocs > before);
	collect();
	EXPECT_EQ(fake_allocs, before);
	/* over each other */
	pair(SOCK_DGRAM, s);
	EXPECT_EQ(send_fds(s[0], &s[0], 1, "x", 1), 1);
	EXPECT_EQ(send_fds(s[1], &s[1], 1, "x", 1), 1);
	fd_close(s[0]), fd_close(s[1]);
	collect();
	EXPECT_EQ(fake_allocs, before);
}

static void what_can_be_reached_stays(void)
{
	int a[2], b[2], got[2];
	long before = fake_allocs;

	pair(SOCK_STREAM, a);
	pair(SOCK_STREAM, b);
	EXPECT_EQ(send_fds(b[0], &a[1], 1, "x", 1), 1);	/* a[1] is only in b[1]'s queue */
	EXPECT_EQ(send_fds(a[0], &b[1], 1, "y", 1), 1);	/* and b[1] in a[1]'s as well, but a descriptor is left */
	fd_close(a[1]);
	collect();
	EXPECT_EQ(receive_fds(b[1], got, 1, 0, NULL), 1);
	EXPECT_EQ(receive_fds(got[0], got + 1, 1, 0, NULL), 1);
	EXPECT_EQ(env_write(a[0], "z", 1), 1);
	EXPECT_EQ(env_read(got[0], back, 5), 1);
	/* now for good */
	EXPECT_EQ(send_fds(b[0], got, 1, "x", 1), 1);
	EXPECT_EQ(send_fds(a[0], &b[1], 1, "y", 1), 1);
	fd_close(got[0]), fd_close(got[1]), fd_close(b[1]), fd_close(a[0]), fd_close(b[0]);
	collect();
	EXPECT_EQ(fake_allocs, before);
}

static void circles_through_a_backlog_are_freed(void)
{
	int l = unix_socket(SOCK_STREAM), c = unix_socket(SOCK_STREAM);
	long before;

	fd_close(l), fd_close(c);
	before = fake_allocs;
	l = unix_socket(SOCK_STREAM), c = unix_socket(SOCK_STREAM);
	EXPECT_EQ(bind_to(l, "circle"), 0);
	EXPECT_EQ(CALL(listen, l, 5), 0);
	EXPECT_EQ(connect_to(c, "circle"), 0);
	EXPECT_EQ(send_fds(c, &l, 1, "x", 1), 1);	/* the listener waits in a connection that waits in the listener */
	fd_close(l);
	fd_close(c);
	collect();
	EXPECT_EQ(fake_allocs, before);
}

/* A chain of sockets in each other's queues, as long as the limit allows: its end must not recurse. */
static void a_long_chain_ends(void)
{
	long before = fake_allocs;
	int s[2], next[2], n;

	pair(SOCK_DGRAM, s);
	for (n = 0; n < 900; n++) {
		pair(SOCK_DGRAM, next);
		if (send_fds(next[0], &s[1], 1, "x", 1) != 1)
			break;
		fd_close(s[0]), fd_close(s[1]);
		s[0] = next[0], s[1] = next[1];
	}
	EXPECT_EQ(n, 900);
	fd_close(s[0]), fd_close(s[1]);
	EXPECT_EQ(fake_allocs, before);
}

static void random_circles_are_freed(void)
{
	u64 seed = 0x853c49e6748fea9bull;
	long before = fake_allocs;

	for (int round = 0; round < 300; round++) {
		int s[16], got[4];

		for (int i = 0; i < 16; i += 2)
			pair(env_random(&seed) & 1 ? SOCK_STREAM : SOCK_DGRAM, s + i);
		for (int i = 0; i < 60; i++) {
			int fds[3], nr = 1 + env_random(&seed) % 3;

			for (int j = 0; j < nr; j++)
				fds[j] = s[env_random(&seed) % 16];
			send_fds(s[env_random(&seed) % 16], fds, nr, "x", 1);
			if (env_random(&seed) % 4 == 0) {
				nr = receive_fds(s[env_random(&seed) % 16], got, 3, 0, NULL);
				for (int j = 0; j < nr; j++)
					fd_close(got[j]);
			}
			if (env_random(&seed) % 16 == 0)
				collect();
		}
		/* what has a descriptor still works */
		for (int i = 0; i < 16; i += 2)
			while (receive(s[i], back, 100, MSG_DONTWAIT) > 0)
				;
		for (int i = 0; i < 16; i++)
			fd_close(s[i]);
		collect();
		if (fake_allocs != before)
			break;
	}
	EXPECT_EQ(fake_allocs, before);
}

static int race_fds[6];
static int race_stop;

static void race_sender(void *arg)
{
	u64 seed = 5 + (u64)arg;

	for (int i = 0; i < 6000; i++) {
		int fd = race_fds[env_random(&seed) % 6];

		send_fds(race_fds[env_random(&seed) % 6], &fd, 1, "x", 1);
	}
}

static void race_receiver(void *arg)
{
	u64 seed = 77 + (u64)arg;

	while (!__atomic_load_n(&race_stop, __ATOMIC_SEQ_CST)) {
		int got[2], nr = receive_fds(race_fds[env_random(&seed) % 6], got, 2, env_random(&seed) & 1 ? MSG_PEEK : 0, NULL);

		for (int i = 0; i < nr; i++)
			fd_close(got[i]);
	}
}

static void race_collector(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&race_stop, __ATOMIC_SEQ_CST)) {
		int s[2];

		pair(SOCK_STREAM, s);
		send_fds(s[0], &s[1], 1, "x", 1);
		fd_close(s[0]), fd_close(s[1]);
		unix_gc();
	}
}

static void collecting_races_with_sending(void)
{
	long before = fake_allocs;
	struct task *t[5];

	for (int i = 0; i < 6; i += 2)
		pair(i ? SOCK_STREAM : SOCK_DGRAM, race_fds + i);
	for (u64 i = 0; i < 2; i++)
		t[i] = env_thread(race_sender, (void *)i);
	for (u64 i = 2; i < 4; i++)
		t[i] = env_thread(race_receiver, (void *)i);
	t[4] = env_thread(race_collector, NULL);
	env_join(t[0]), env_join(t[1]);
	__atomic_store_n(&race_stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 2; i < 5; i++)
		env_join(t[i]);
	for (int i = 0; i < 6; i++)
		fd_close(race_fds[i]);
	collect();
	for (int i = 0; i < 100 && fake_allocs != before; i++) {
		env_sleep_ms(5);	/* a collection by the timer may be under way */
		collect();
	}
	EXPECT_EQ(fake_allocs, before);
}

/* Nobody calls the collector: the close of the last descriptor sets a timer. */
static void the_collector_comes_by_itself(void)
{
	long before = fake_allocs;
	int s[2];

	pair(SOCK_STREAM, s);
	EXPECT_EQ(send_fds(s[0], &s[1], 1, "x", 1), 1);
	EXPECT_EQ(send_fds(s[1], &s[0], 1, "x", 1), 1);
	fd_close(s[0]), fd_close(s[1]);
	for (int i = 0; i < 400 && fake_allocs > before; i++)
		env_sleep_ms(5);
	EXPECT(fake_allocs <= before);
}

static void failing_allocations_leave_nothing_behind(void)
{
	int s[2], p[2], done = 0;
	long before = fake_allocs;

	for (int nth = 1; nth < 60 && !done; nth++) {
		int ok = 0;

		fake_fail_alloc = nth;
		if (!CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, s)) {
			if (!CALL(pipe2, p, 0)) {
				int got[2], nr;

				ok = send_fds(s[0], p, 2, "x", 1) == 1;
				nr = receive_fds(s[1], got, 2, 0, NULL);
				ok &= nr == 2;
				for (int i = 0; i < nr; i++)
					fd_close(got[i]);
				fd_close(p[0]), fd_close(p[1]);
			}
			fd_close(s[0]), fd_close(s[1]);
		}
		done = ok && fake_fail_alloc > 0;
		fake_fail_alloc = 0;
		EXPECT_EQ(fake_allocs, before);
	}
	EXPECT(done);
}

int main(void)
{
	unix_env_boot();
	RUN(files_travel);
	RUN(files_in_flight_are_bounded);
	RUN(credentials_travel);
	RUN(a_socket_sent_over_itself_is_freed);
	RUN(what_can_be_reached_stays);
	RUN(circles_through_a_backlog_are_freed);
	RUN(random_circles_are_freed);
	RUN(a_long_chain_ends);
	RUN(failing_allocations_leave_nothing_behind);
	collect();
	RUN(nothing_is_leaked);
	RUN(collecting_races_with_sending);
	RUN(the_collector_comes_by_itself);
	return unit_done();
}
