// SPDX-License-Identifier: MIT
/* AF_UNIX sockets: states and errors, names, streams and messages, threads against each other. */
#include "unix_env.h"

static void what_there_is_and_what_not(void)
{
	int s[2];

	EXPECT_EQ(CALL(socket, AF_INET, SOCK_STREAM, 0), -EAFNOSUPPORT);
	EXPECT_EQ(CALL(socket, AF_INET6, SOCK_DGRAM, 0), -EAFNOSUPPORT);
	EXPECT_EQ(CALL(socket, AF_NETLINK, SOCK_RAW, 0), -EAFNOSUPPORT);
	EXPECT_EQ(CALL(socket, AF_PACKET, SOCK_RAW, 0), -EAFNOSUPPORT);
	EXPECT_EQ(CALL(socket, 1000, SOCK_STREAM, 0), -EAFNOSUPPORT);
	EXPECT_EQ(CALL(socket, AF_UNIX, 12, 0), -EINVAL);
	EXPECT_EQ(CALL(socket, AF_UNIX, SOCK_RDM, 0), -ESOCKTNOSUPPORT);
	EXPECT_EQ(CALL(socket, AF_UNIX, SOCK_STREAM | 0x100, 0), -EINVAL);
	EXPECT_EQ(CALL(socket, AF_UNIX, SOCK_STREAM, 7), -EPROTONOSUPPORT);
	EXPECT_EQ(CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, 8), -EFAULT);
	EXPECT_EQ(CALL(socketpair, AF_INET, SOCK_STREAM, 0, s), -EAFNOSUPPORT);
	EXPECT_EQ(CALL(bind, 77, s, 4), -EBADF);
	EXPECT_EQ(CALL(socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s), 0);
	EXPECT_EQ(receive(s[0], back, 10, 0), -EAGAIN);
	EXPECT_EQ(s[0], 0);
	fd_close(s[0]), fd_close(s[1]);
	EXPECT_EQ(CALL(eventfd2, 0, 0), 0);
	EXPECT_EQ(CALL(listen, 0, 1), -ENOTSOCK);
	fd_close(0);
}

static int option(int fd, int name)
{
	int val = -1;
	socklen_t len = sizeof(val);
	int ret = CALL(getsockopt, fd, SOL_SOCKET, name, &val, &len);

	return ret ? ret : val;
}

static void options(void)
{
	int s = unix_socket(SOCK_SEQPACKET), one = 1;
	struct timeval tv = { 1, 500000 }, bad = { 0, 1000000 };
	struct linger li = { 1, 5 };
	socklen_t len = sizeof(tv);

	EXPECT_EQ(option(s, SO_TYPE), SOCK_SEQPACKET);
	EXPECT_EQ(option(s, SO_DOMAIN), AF_UNIX);
	EXPECT_EQ(option(s, SO_PROTOCOL), 0);
	EXPECT_EQ(option(s, SO_ERROR), 0);
	EXPECT_EQ(option(s, SO_ACCEPTCONN), 0);
	EXPECT_EQ(option(s, SO_SNDBUF), 212992);
	EXPECT_EQ(set_option(s, SO_SNDBUF, 10000), 0);
	EXPECT_EQ(option(s, SO_SNDBUF), 20000);
	EXPECT_EQ(set_option(s, SO_SNDBUF, 0), 0);
	EXPECT_EQ(option(s, SO_SNDBUF), 4608);
	EXPECT_EQ(set_option(s, SO_SNDBUF, -1), 0);
	EXPECT_EQ(option(s, SO_SNDBUF), 425984);
	EXPECT_EQ(set_option(s, SO_REUSEADDR, 5), 0);
	EXPECT_EQ(option(s, SO_REUSEADDR), 1);
	EXPECT_EQ(set_option(s, SO_KEEPALIVE, 1), 0);
	EXPECT_EQ(set_option(s, SO_TYPE, 1), -ENOPROTOOPT);
	EXPECT_EQ(set_option(s, 999, 1), -ENOPROTOOPT);
	EXPECT_EQ(option(s, 999), -ENOPROTOOPT);
	EXPECT_EQ(CALL(setsockopt, s, SOL_SOCKET, SO_KEEPALIVE, &one, 3), -EINVAL);
	EXPECT_EQ(CALL(setsockopt, s, 6, 1, &one, 4), -EOPNOTSUPP);
	EXPECT_EQ(CALL(setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &bad, sizeof(bad)), -EDOM);
	EXPECT_EQ(CALL(setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	memset(&tv, 0, sizeof(tv));
	EXPECT_EQ(CALL(getsockopt, s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len), 0);
	EXPECT(tv.tv_sec == 1 && tv.tv_usec == 500000 && len == sizeof(tv));
	EXPECT_EQ(CALL(setsockopt, s, SOL_SOCKET, SO_LINGER, &li, sizeof(li)), 0);
	len = 1;
	EXPECT_EQ(CALL(getsockopt, s, SOL_SOCKET, SO_TYPE, &one, &len), 0);
	EXPECT_EQ(len, 1);
	fd_close(s);
}

static void names(void)
{
	int a = unix_socket(SOCK_STREAM), b = unix_socket(SOCK_STREAM), d = unix_socket(SOCK_DGRAM);
	struct sockaddr_un sa = { .sun_family = AF_INET };
	socklen_t len = sizeof(sa);

	EXPECT_EQ(CALL(bind, a, &sa, sizeof(sa)), -EINVAL);
	sa.sun_family = AF_UNIX;
	EXPECT_EQ(CALL(bind, a, &sa, 1), -EINVAL);
	EXPECT_EQ(CALL(bind, a, &sa, 111), -EINVAL);
	EXPECT_EQ(CALL(bind, a, &sa, 200), -EINVAL);
	EXPECT_EQ(CALL(bind, a, 8, 10), -EFAULT);
	EXPECT_EQ(bind_to(a, "x"), 0);
	EXPECT_EQ(bind_to(a, "y"), -EINVAL);
	EXPECT_EQ(bind_to(b, "x"), -EADDRINUSE);
	EXPECT_EQ(bind_to(d, "x"), 0);		/* another type is another name */
	EXPECT_EQ(CALL(getsockname, a, &sa, &len), 0);
	EXPECT_EQ(len, 4);
	EXPECT(!memcmp(sa.sun_path, "\0x", 2));
	len = sizeof(sa);
	EXPECT_EQ(CALL(getsockname, b, &sa, &len), 0);
	EXPECT_EQ(len, 2);
	EXPECT_EQ(CALL(getpeername, a, &sa, &len), -ENOTCONN);
	len = -1;
	EXPECT_EQ(CALL(getsockname, a, &sa, &len), -EINVAL);
	fd_close(a);
	EXPECT_EQ(bind_to(b, "x"), 0);
	fd_close(b), fd_close(d);
	/* autobind: five digits */
	a = unix_socket(SOCK_DGRAM);
	EXPECT_EQ(CALL(bind, a, &sa, 2), 0);
	len = sizeof(sa);
	EXPECT_EQ(CALL(getsockname, a, &sa, &len), 0);
	EXPECT_EQ(len, 8);
	fd_close(a);
}

/* ---- names in the file system ---- */

static struct sockaddr_un path_of(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	memcpy(a.sun_path, path, strlen(path) + 1);
	return a;
}

static int bind_path(int fd, const char *path)
{
	struct sockaddr_un a = path_of(path);

	return CALL(bind, fd, &a, sizeof(a));
}

static int connect_path(int fd, const char *path)
{
	struct sockaddr_un a = path_of(path);

	return CALL(connect, fd, &a, 2 + strlen(path) + 1);
}

static void names_in_the_file_system(void)
{
	int l = unix_socket(SOCK_STREAM), c = unix_socket(SOCK_STREAM), d = unix_socket(SOCK_DGRAM), s;
	struct sockaddr_un sa;
	struct path path;
	struct kstat st;
	socklen_t len = sizeof(sa);

	EXPECT_EQ(connect_path(c, "/tmp/s"), -ENOENT);
	EXPECT_EQ(bind_path(l, "/nowhere/s"), -ENOENT);
	EXPECT_EQ(bind_path(l, "/tmp/s"), 0);
	EXPECT_EQ(bind_path(c, "/tmp/s"), -EADDRINUSE);
	EXPECT_EQ(bind_path(l, "/tmp/t"), -EINVAL);
	EXPECT_EQ(CALL(getsockname, l, &sa, &len), 0);
	EXPECT_EQ(len, 2 + 7);
	EXPECT(!strcmp(sa.sun_path, "/tmp/s"));
	EXPECT_EQ(path_lookup(AT_FDCWD, "/tmp/s", 0, &path), 0);
	EXPECT_EQ(vfs_stat(&path, &st), 0);
	EXPECT_EQ(st.mode, S_IFSOCK | 0755);	/* umask 022 */
	EXPECT_EQ(connect_path(c, "/tmp/s"), -ECONNREFUSED);	/* does not listen */
	EXPECT_EQ(CALL(listen, l, 5), 0);
	EXPECT_EQ(connect_path(d, "/tmp/s"), -EPROTOTYPE);
	EXPECT_EQ(connect_path(c, "/tmp"), -ECONNREFUSED);
	/* renamed: the socket goes with its inode */
	EXPECT_EQ(vfs_rename(AT_FDCWD, "/tmp/s", AT_FDCWD, "/tmp/new", 0), 0);
	EXPECT_EQ(connect_path(c, "/tmp/s"), -ENOENT);
	EXPECT_EQ(connect_path(c, "/tmp/new"), 0);
	len = sizeof(sa);
	EXPECT_EQ(CALL(getpeername, c, &sa, &len), 0);
	EXPECT(!strcmp(sa.sun_path, "/tmp/s"));	/* the name that was bound */
	s = CALL(accept, l, 0, 0);
	EXPECT(s > 0);
	fd_close(s), fd_close(c);
	/* without the right to write: no connection */
	c = unix_socket(SOCK_STREAM);
	EXPECT_EQ(vfs_setattr(&path, &(struct iattr){ .valid = ATTR_MODE, .mode = 0555 }, false), 0);
	EXPECT_EQ(connect_path(c, "/tmp/new"), -EACCES);
	EXPECT_EQ(vfs_setattr(&path, &(struct iattr){ .valid = ATTR_MODE, .mode = 0777 }, false), 0);
	/* unlinked: nobody finds it any more; bound again by another */
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/tmp/new"), 0);
	EXPECT_EQ(connect_path(c, "/tmp/new"), -ENOENT);
	EXPECT_EQ(bind_path(d, "/tmp/new"), 0);
	EXPECT_EQ(connect_path(c, "/tmp/new"), -EPROTOTYPE);
	fd_close(d);
	EXPECT_EQ(connect_path(c, "/tmp/new"), -ECONNREFUSED);	/* the inode is there, nobody behind it */
	EXPECT_EQ(vfs_unlink(AT_FDCWD, "/tmp/new"), 0);
	path_put(&path);
	fd_close(l), fd_close(c);
}

static void stream_states(void)
{
	int l = unix_socket(SOCK_STREAM | SOCK_NONBLOCK), c = unix_socket(SOCK_STREAM), c2 = unix_socket(SOCK_STREAM | SOCK_NONBLOCK), s;
	int d = unix_socket(SOCK_DGRAM), q = unix_socket(SOCK_SEQPACKET);
	struct sockaddr_un sa;
	struct { s32 pid; u32 uid, gid; } cred;
	socklen_t len = sizeof(cred);

	EXPECT_EQ(env_poll(c), POLLOUT | POLLWRNORM | POLLWRBAND | POLLHUP);
	EXPECT_EQ(receive(c, back, 1, 0), -EINVAL);
	EXPECT_EQ(env_write(c, "x", 1), -ENOTCONN);
	EXPECT_EQ(CALL(listen, l, 1), -EINVAL);
	EXPECT_EQ(connect_to(c, "srv"), -ECONNREFUSED);
	EXPECT_EQ(bind_to(l, "srv"), 0);
	EXPECT_EQ(connect_to(c, "srv"), -ECONNREFUSED);
	EXPECT_EQ(CALL(accept, l, 0, 0), -EINVAL);
	EXPECT_EQ(CALL(listen, d, 1), -EOPNOTSUPP);
	EXPECT_EQ(CALL(accept, d, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(CALL(listen, l, 0), 0);
	EXPECT_EQ(option(l, SO_ACCEPTCONN), 1);
	EXPECT_EQ(CALL(accept4, l, 0, 0, 1), -EINVAL);
	EXPECT_EQ(CALL(accept, l, 0, 0), -EAGAIN);
	EXPECT_EQ(connect_to(q, "srv"), -ECONNREFUSED);
	EXPECT_EQ(connect_to(l, "srv"), -EINVAL);
	EXPECT_EQ(connect_to(c, "srv"), 0);
	EXPECT_EQ(connect_to(c, "srv"), -EISCONN);
	EXPECT_EQ(env_poll(l), POLLIN | POLLRDNORM);
	EXPECT_EQ(connect_to(c2, "srv"), -EAGAIN);	/* backlog 0: one waits */
	EXPECT_EQ(env_write(c, "early", 5), 5);		/* before accept */
	len = sizeof(sa);
	s = CALL(accept4, l, &sa, &len, SOCK_NONBLOCK);
	EXPECT(s > 0);
	EXPECT_EQ(len, 2);
	EXPECT_EQ(env_read(s, back, 10), 5);
	EXPECT_EQ(connect_to(c2, "srv"), 0);
	len = sizeof(sa);
	EXPECT_EQ(CALL(getpeername, c, &sa, &len), 0);
	EXPECT_EQ(len, 6);
	len = sizeof(sa);
	EXPECT_EQ(CALL(getsockname, s, &sa, &len), 0);
	EXPECT_EQ(len, 6);
	len = sizeof(cred);
	EXPECT_EQ(CALL(getsockopt, s, SOL_SOCKET, SO_PEERCRED, &cred, &len), 0);
	EXPECT(cred.pid == current->process->tgid && cred.uid == 1000 && cred.gid == 1000 && len == 12);
	EXPECT_EQ(send_to(c, "srv", "x", 1, 0), -EISCONN);
	EXPECT_EQ(CALL(listen, c, 1), -EINVAL);
	EXPECT_EQ(CALL(sendto, c, "x", 1, MSG_OOB, 0, 0), -EOPNOTSUPP);
	/* the listener goes: who waits there is reset, who was accepted is not */
	fd_close(l);
	EXPECT_EQ(env_read(c2, back, 1), -ECONNRESET);
	EXPECT_EQ(env_read(c2, back, 1), 0);
	EXPECT_EQ(env_poll(s), POLLOUT | POLLWRNORM | POLLWRBAND);
	/* one end goes, with bytes unread */
	env_write(s, "abc", 3);
	fd_close(c);
	EXPECT_EQ(env_poll(s) & (POLLHUP | POLLRDHUP | POLLIN | POLLERR), POLLHUP | POLLRDHUP | POLLIN | POLLERR);
	EXPECT_EQ(option(s, SO_ERROR), ECONNRESET);
	EXPECT_EQ(env_read(s, back, 1), 0);
	EXPECT_EQ(CALL(sendto, s, "x", 1, MSG_NOSIGNAL, 0, 0), -EPIPE);
	EXPECT(!env_took_signal(SIGPIPE));
	EXPECT_EQ(env_write(s, "x", 1), -EPIPE);
	EXPECT(env_took_signal(SIGPIPE));
	fd_close(s), fd_close(c2), fd_close(d), fd_close(q);
}

static void shutdowns(void)
{
	int s[2];

	pair(SOCK_STREAM, s);
	EXPECT_EQ(env_write(s[0], "abc", 3), 3);
	EXPECT_EQ(CALL(shutdown, s[0], 3), -EINVAL);
	EXPECT_EQ(CALL(shutdown, s[0], SHUT_WR), 0);
	EXPECT_EQ(env_write(s[0], "x", 1), -EPIPE);
	EXPECT(env_took_signal(SIGPIPE));
	EXPECT_EQ(env_poll(s[1]) & (POLLIN | POLLRDHUP | POLLHUP), POLLIN | POLLRDHUP);
	EXPECT_EQ(env_read(s[1], back, 10), 3);
	EXPECT_EQ(env_read(s[1], back, 10), 0);
	EXPECT_EQ(env_write(s[1], "yes", 3), 3);	/* the other way still works */
	EXPECT_EQ(env_read(s[0], back, 10), 3);
	EXPECT_EQ(CALL(shutdown, s[0], SHUT_RD), 0);
	EXPECT_EQ(env_poll(s[0]) & POLLHUP, POLLHUP);
	EXPECT_EQ(env_write(s[1], "no", 2), -EPIPE);
	EXPECT(env_took_signal(SIGPIPE));
	fd_close(s[0]), fd_close(s[1]);
}

static void stream_borders_vanish(void)
{
	int s[2], n = 0;
	struct file *f;

	pair(SOCK_STREAM | SOCK_NONBLOCK, s);
	EXPECT_EQ(env_write(s[0], "abc", 3), 3);
	EXPECT_EQ(env_write(s[0], "defg", 4), 4);
	EXPECT_EQ(receive(s[1], back, 100, MSG_PEEK), 7);
	EXPECT_EQ(receive(s[1], back, 2, MSG_PEEK), 2);
	f = fd_get(s[1]);
	EXPECT_EQ(f->ops->ioctl(f, 0x541b, (u64)&n), 0);
	EXPECT_EQ(n, 7);
	file_put(f);
	EXPECT_EQ(env_read(s[1], back, 5), 5);
	EXPECT(!memcmp(back, "abcde", 5));
	EXPECT_EQ(env_read(s[1], back, 5), 2);
	EXPECT(!memcmp(back, "fg", 2));
	EXPECT_EQ(env_read(s[1], (void *)8, 5), -EAGAIN);
	EXPECT_EQ(env_write(s[0], (void *)8, 5), -EFAULT);
	EXPECT_EQ(env_write(s[0], "q", 1), 1);
	EXPECT_EQ(env_read(s[1], (void *)8, 5), -EFAULT);
	EXPECT_EQ(env_read(s[1], back, 5), 1);
	fd_close(s[0]), fd_close(s[1]);
}

static void buffers_are_bounded(void)
{
	int s[2], n = 0;
	ssize_t sum = 0, ret;
	struct file *f;

	pair(SOCK_STREAM | SOCK_NONBLOCK, s);
	while ((ret = env_write(s[0], big, 10000)) > 0)
		sum += ret;
	EXPECT_EQ(ret, -EAGAIN);
	EXPECT(sum > 150000 && sum < 260000);
	EXPECT_EQ(env_poll(s[0]), 0);
	f = fd_get(s[0]);
	EXPECT_EQ(f->ops->ioctl(f, 0x5411, (u64)&n), 0);
	EXPECT(n >= sum);
	for (ssize_t got = 0; got < sum; got += ret) {
		ret = env_read(s[1], back, sizeof(back));
		if (ret <= 0) {
			EXPECT_EQ(ret, 1);
			break;
		}
	}
	EXPECT_EQ(f->ops->ioctl(f, 0x5411, (u64)&n), 0);
	EXPECT_EQ(n, 0);
	file_put(f);
	for (sum = 0; env_write(s[0], "x", 1) == 1; sum++)
		;
	EXPECT_EQ(sum, 278);	/* as natively: bookkeeping counts */
	fd_close(s[0]), fd_close(s[1]);
	pair(SOCK_DGRAM | SOCK_NONBLOCK, s);
	EXPECT_EQ(env_write(s[0], big, 212992 - 32), 212992 - 32);
	EXPECT_EQ(env_write(s[0], big, 212992 - 31), -EMSGSIZE);
	EXPECT_EQ(env_write(s[0], big, 10), -EAGAIN);
	EXPECT_EQ(env_read(s[1], back, sizeof(back)), 212992 - 32);
	EXPECT_EQ(env_write(s[0], big, 10), 10);
	fd_close(s[0]), fd_close(s[1]);
}

static void datagrams(void)
{
	int a = unix_socket(SOCK_DGRAM | SOCK_NONBLOCK), b = unix_socket(SOCK_DGRAM | SOCK_NONBLOCK);
	int c = unix_socket(SOCK_DGRAM | SOCK_NONBLOCK), n, ep = CALL(epoll_create1, 0);
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	struct { u32 events; u64 data; } __packed ev = { POLLOUT | (1u << 31), 1 };

	EXPECT_EQ(bind_to(a, "a"), 0);
	EXPECT_EQ(bind_to(b, "b"), 0);
	EXPECT_EQ(env_write(b, "x", 1), -ENOTCONN);
	EXPECT_EQ(send_to(b, "nobody", "x", 1, 0), -ECONNREFUSED);
	EXPECT_EQ(send_to(b, "a", "hello", 5, 0), 5);
	EXPECT_EQ(send_to(b, "a", "", 0, 0), 0);
	EXPECT_EQ(CALL(recvfrom, a, back, 3, MSG_TRUNC | MSG_PEEK, &sa, &len), 5);
	EXPECT_EQ(len, 4);
	EXPECT(!memcmp(sa.sun_path, "\0b", 2));
	EXPECT_EQ(receive(a, back, 3, 0), 3);
	EXPECT_EQ(receive(a, back, 3, 0), 0);	/* an empty message */
	EXPECT_EQ(receive(a, back, 3, 0), -EAGAIN);
	/* many to one is bounded by the queue */
	EXPECT_EQ(connect_to(b, "a"), 0);
	for (n = 0; env_write(b, "m", 1) == 1; n++)
		;
	EXPECT_EQ(n, UNIX_DGRAM_BACKLOG + 1);
	EXPECT_EQ(CALL(epoll_ctl, ep, 1, b, &ev), 0);
	EXPECT_EQ(CALL(epoll_wait, ep, &ev, 1, 0), 0);
	EXPECT_EQ(env_poll(b), 0);
	EXPECT_EQ(receive(a, back, 3, 0), 1);
	EXPECT_EQ(env_poll(b) & POLLOUT, POLLOUT);
	EXPECT_EQ(CALL(epoll_wait, ep, &ev, 1, 0), 1);	/* the reader's progress woke the writer's poller */
	/* a is connected to c: nobody else may send to it */
	EXPECT_EQ(bind_to(c, "c"), 0);
	EXPECT_EQ(connect_to(a, "c"), 0);
	EXPECT_EQ(receive(a, back, 3, 0), 1);
	EXPECT_EQ(send_to(b, "a", "x", 1, 0), -EPERM);
	EXPECT_EQ(connect_to(b, "a"), -EPERM);
	sa.sun_family = AF_UNSPEC;
	EXPECT_EQ(CALL(connect, a, &sa, 2), 0);
	EXPECT_EQ(receive(a, back, 3, 0), -EAGAIN);	/* what strangers had sent went with the link */
	EXPECT_EQ(connect_to(b, "a"), 0);
	fd_close(a);
	EXPECT_EQ(env_write(b, "x", 1), -ECONNREFUSED);
	EXPECT_EQ(env_write(b, "x", 1), -ENOTCONN);
	fd_close(b), fd_close(c), fd_close(ep);
}

static void sequenced_packets(void)
{
	int s[2];

	pair(SOCK_SEQPACKET | SOCK_NONBLOCK, s);
	EXPECT_EQ(env_write(s[0], "abc", 3), 3);
	EXPECT_EQ(env_write(s[0], "de", 2), 2);
	EXPECT_EQ(env_read(s[1], back, 2), 2);
	EXPECT_EQ(env_read(s[1], back, 9), 2);
	EXPECT_EQ(env_read(s[1], back, 9), -EAGAIN);
	EXPECT_EQ(env_write(s[0], "zz", 2), 2);
	fd_close(s[0]);
	EXPECT_EQ(env_read(s[1], back, 9), 2);
	EXPECT_EQ(env_read(s[1], back, 9), 0);
	EXPECT_EQ(env_write(s[1], "x", 1), -EPIPE);
	fd_close(s[1]);
}

/* ---- threads ---- */

static int th[2];
static u64 th_in, th_out;

static void stream_writer(void *arg)
{
	u64 seed = 3 + (u64)arg, sum = 0;
	static __thread u8 buf[70000];

	for (int i = 0; i < 1500; i++) {
		u32 n = 1 + env_random(&seed) % (i % 20 ? 200 : sizeof(buf));

		for (u32 j = 0; j < n; j++)
			sum += (buf[j] = (u8)env_random(&seed)) + 1;
		if (env_write(th[0], buf, n) != (ssize_t)n)
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
	}
	__atomic_add_fetch(&th_in, sum, __ATOMIC_SEQ_CST);
}

static void stream_reader(void *arg)
{
	u64 seed = 33 + (u64)arg, sum = 0;
	static __thread u8 buf[5000];
	ssize_t n;

	while ((n = env_read(th[1], buf, 1 + env_random(&seed) % sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum += buf[i] + 1;
	__atomic_add_fetch(&th_out, sum, __ATOMIC_SEQ_CST);
}

static void streams_lose_nothing(void)
{
	struct task *w[2], *r[2];

	pair(SOCK_STREAM, th);
	for (u64 i = 0; i < 2; i++) {
		w[i] = env_thread(stream_writer, (void *)i);
		r[i] = env_thread(stream_reader, (void *)i);
	}
	env_join(w[0]), env_join(w[1]);
	CALL(shutdown, th[0], SHUT_WR);
	env_join(r[0]), env_join(r[1]);
	EXPECT_EQ(th_in, th_out);
	EXPECT(th_in > 0);
	fd_close(th[0]), fd_close(th[1]);
}

#define MESSAGES 4000
static u32 dgram_seen[3][MESSAGES];

static void dgram_writer(void *arg)
{
	int s = unix_socket(SOCK_DGRAM);

	for (u32 i = 0; i < MESSAGES; i++) {
		u32 msg[2] = { (u32)(u64)arg, i };

		if (send_to(s, "drain", msg, sizeof(msg), 0) != sizeof(msg))
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
	}
	fd_close(s);
}

static void dgram_reader(void *arg)
{
	u32 msg[2];

	(void)arg;
	while (receive(th[0], msg, sizeof(msg), 0) == sizeof(msg) && msg[0] < 3)
		__atomic_add_fetch(&dgram_seen[msg[0]][msg[1]], 1, __ATOMIC_SEQ_CST);
}

static void datagrams_come_once_each(void)
{
	struct task *w[3], *r[2];
	u32 stop[2] = { 9, 9 }, wrong = 0;

	th[0] = unix_socket(SOCK_DGRAM);
	th[1] = unix_socket(SOCK_DGRAM);
	EXPECT_EQ(bind_to(th[0], "drain"), 0);
	for (u64 i = 0; i < 3; i++)
		w[i] = env_thread(dgram_writer, (void *)i);
	for (u64 i = 0; i < 2; i++)
		r[i] = env_thread(dgram_reader, NULL);
	for (int i = 0; i < 3; i++)
		env_join(w[i]);
	for (int i = 0; i < 2; i++)
		EXPECT_EQ(send_to(th[1], "drain", stop, sizeof(stop), 0), sizeof(stop));
	env_join(r[0]), env_join(r[1]);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < MESSAGES; j++)
			wrong += dgram_seen[i][j] != 1;
	EXPECT_EQ(wrong, 0);
	fd_close(th[0]), fd_close(th[1]);
}

#define CONNECTIONS 1500

static void connector(void *arg)
{
	(void)arg;
	for (int i = 0; i < CONNECTIONS; i++) {
		int s = unix_socket(SOCK_STREAM);
		char c = 0;

		if (connect_to(s, "busy") || env_write(s, "q", 1) != 1 || env_read(s, &c, 1) != 1 || c != 'a')
			__atomic_add_fetch(&unit_bad, 1, __ATOMIC_SEQ_CST);
		fd_close(s);
	}
}

static void acceptor(void *arg)
{
	int n = 0;

	(void)arg;
	for (;;) {
		int s = CALL(accept, th[0], 0, 0);
		char c;

		if (s < 0)
			break;
		if (env_read(s, &c, 1) == 1)
			env_write(s, "a", 1);
		fd_close(s);
		n++;
	}
	__atomic_add_fetch(&th_out, n, __ATOMIC_SEQ_CST);
}

static void connections_meet_their_acceptors(void)
{
	struct task *c[3], *a[2];

	th_out = 0;
	th[0] = unix_socket(SOCK_STREAM);
	EXPECT_EQ(bind_to(th[0], "busy"), 0);
	EXPECT_EQ(CALL(listen, th[0], 1), 0);
	for (int i = 0; i < 2; i++)
		a[i] = env_thread(acceptor, NULL);
	for (int i = 0; i < 3; i++)
		c[i] = env_thread(connector, NULL);
	for (int i = 0; i < 3; i++)
		env_join(c[i]);
	CALL(shutdown, th[0], SHUT_RD);
	env_join(a[0]), env_join(a[1]);
	EXPECT_EQ(th_out, 3 * CONNECTIONS);
	fd_close(th[0]);
}

struct sleeper {
	int fd, flags;
	size_t len;
	ssize_t ret;
};

static void receive_once(void *arg)
{
	struct sleeper *s = arg;

	s->ret = receive(s->fd, back, s->len, s->flags);
}

static void waits_end(void)
{
	struct sleeper w = { .len = 10 };
	struct timeval tv = { 0, 20000 };
	struct task *t;
	s64 start;
	int s[2];

	pair(SOCK_STREAM, s);
	w.fd = s[0];
	t = env_thread(receive_once, &w);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(w.ret, -ERESTARTSYS);
	CALL(setsockopt, s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	start = clock_monotonic();
	EXPECT_EQ(receive(s[0], back, 1, 0), -EAGAIN);
	EXPECT(clock_monotonic() - start >= 20 * NSEC_PER_MSEC);
	t = env_thread(receive_once, &w);
	task_set_work(t, WORK_SIGNAL);
	env_join(t);
	EXPECT_EQ(w.ret, -EINTR);	/* signal(7): with a timeout it is not restarted */
	memset(&tv, 0, sizeof(tv));
	CALL(setsockopt, s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	/* MSG_WAITALL collects */
	w = (struct sleeper){ s[0], MSG_WAITALL, 6, 0 };
	t = env_thread(receive_once, &w);
	env_write(s[1], "abc", 3);
	env_sleep_ms(3);
	env_write(s[1], "defgh", 5);
	env_join(t);
	EXPECT_EQ(w.ret, 6);
	EXPECT_EQ(receive(s[0], back, 10, 0), 2);
	w = (struct sleeper){ s[0], MSG_WAITALL, 6, 0 };
	t = env_thread(receive_once, &w);
	env_write(s[1], "abc", 3);
	env_sleep_ms(3);
	fd_close(s[1]);
	env_join(t);
	EXPECT_EQ(w.ret, 3);
	fd_close(s[0]);
}

static void several_messages_at_once(void)
{
	struct iovec v[3] = { { "one", 3 }, { "three", 5 }, { "x", 1 } };
	struct mmsghdr m[3] = { 0 };
	struct timespec ts = { 0, 5000000 };
	int s[2];

	pair(SOCK_DGRAM, s);
	for (int i = 0; i < 3; i++)
		m[i].msg_hdr = (struct msghdr){ .msg_iov = &v[i], .msg_iovlen = 1 };
	EXPECT_EQ(CALL(sendmmsg, s[0], m, 3, 0), 3);
	EXPECT_EQ(m[1].msg_len, 5);
	for (int i = 0; i < 3; i++)
		v[i] = (struct iovec){ back + 100 * i, 4 };
	EXPECT_EQ(CALL(recvmmsg, s[1], m, 3, MSG_WAITFORONE, 0), 3);
	EXPECT_EQ(m[0].msg_len, 3);
	EXPECT_EQ(m[1].msg_len, 4);
	EXPECT_EQ(m[1].msg_hdr.msg_flags, MSG_TRUNC);
	EXPECT_EQ(CALL(recvmmsg, s[1], m, 3, MSG_DONTWAIT, &ts), -EAGAIN);
	m[1].msg_hdr.msg_iov = (void *)8;
	EXPECT_EQ(CALL(sendmmsg, s[0], m, 3, 0), 1);	/* the first went */
	m[0].msg_hdr.msg_iovlen = 2000;
	EXPECT_EQ(CALL(sendmsg, s[0], &m[0].msg_hdr, 0), -EMSGSIZE);
	fd_close(s[0]), fd_close(s[1]);
}

/* ---- random operations on a stream pair against two plain queues ---- */

static void random_operations_match_a_model(void)
{
	static u8 model[2][1000000], buf[40000];
	size_t head[2] = { 0 }, tail[2] = { 0 };
	u64 seed = 0xda3e39cb94b95bdbull;
	int s[2];

	pair(SOCK_STREAM | SOCK_NONBLOCK, s);
	for (int step = 0; step < 30000 && !unit_bad; step++) {
		u32 d = env_random(&seed) & 1, len = 1 + env_random(&seed) % (step % 9 ? 500 : sizeof(buf));
		ssize_t n;

		if (tail[d] > sizeof(model[0]) / 4) {
			memmove(model[d], model[d] + tail[d], head[d] - tail[d]);
			head[d] -= tail[d];
			tail[d] = 0;
		}
		switch (env_random(&seed) % 5) {
		case 0:
		case 1:
			for (u32 i = 0; i < len; i++)
				buf[i] = (u8)env_random(&seed);
			n = env_write(s[d], buf, len);
			if (n < 0) {
				EXPECT_EQ(n, -EAGAIN);
				EXPECT(head[d] > tail[d]);
				break;
			}
			EXPECT(n > 0 && n <= (ssize_t)len);
			memcpy(model[d] + head[d], buf, n);
			head[d] += n;
			break;
		case 2:
		case 3:
			n = receive(s[!d], buf, len, 0);
			EXPECT_EQ(n, head[d] == tail[d] ? -EAGAIN : (ssize_t)min_t(size_t, len, head[d] - tail[d]));
			if (n > 0) {
				EXPECT(!memcmp(buf, model[d] + tail[d], n));
				tail[d] += n;
			}
			break;
		case 4:
			n = receive(s[!d], buf, len, MSG_PEEK);
			EXPECT_EQ(n, head[d] == tail[d] ? -EAGAIN : (ssize_t)min_t(size_t, len, head[d] - tail[d]));
			if (n > 0)
				EXPECT(!memcmp(buf, model[d] + tail[d], n));
		}
	}
	fd_close(s[0]), fd_close(s[1]);
}

int main(void)
{
	unix_env_boot();
	RUN(what_there_is_and_what_not);
	RUN(options);
	RUN(names);
	RUN(names_in_the_file_system);
	RUN(stream_states);
	RUN(shutdowns);
	RUN(stream_borders_vanish);
	RUN(buffers_are_bounded);
	RUN(datagrams);
	RUN(sequenced_packets);
	RUN(streams_lose_nothing);
	RUN(datagrams_come_once_each);
	RUN(connections_meet_their_acceptors);
	RUN(waits_end);
	RUN(several_messages_at_once);
	RUN(random_operations_match_a_model);
	RUN(nothing_is_leaked);
	return unit_done();
}
