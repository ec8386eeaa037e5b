// SPDX-License-Identifier: MIT
/* AF_UNIX: streams, datagrams, packets, names, rights and credentials. */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "conform.h"

static int s[2];
static char buf[70000];

static int events(int fd)
{
	struct pollfd pfd = { fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };

	poll(&pfd, 1, 0);
	return pfd.revents;
}

static socklen_t name(struct sockaddr_un *sa, const char *path)
{
	memset(sa, 0, sizeof(*sa));
	sa->sun_family = AF_UNIX;
	if (path[0] == '@') {	/* abstract */
		memcpy(sa->sun_path + 1, path + 1, strlen(path) - 1);
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	}
	strcpy(sa->sun_path, path);
	return sizeof(*sa);
}

static int bind_(int fd, const char *path)
{
	struct sockaddr_un sa;
	socklen_t len = name(&sa, path);

	return bind(fd, (struct sockaddr *)&sa, len);
}

static int connect_(int fd, const char *path)
{
	struct sockaddr_un sa;
	socklen_t len = name(&sa, path);

	return connect(fd, (struct sockaddr *)&sa, len);
}

static int server(int type, const char *path)
{
	int fd = MUST(socket(AF_UNIX, type, 0));

	MUST(bind_(fd, path));
	if (type != SOCK_DGRAM)
		MUST(listen(fd, 5));
	return fd;
}

static void show_name(const char *what, struct sockaddr_un *sa, socklen_t len)
{
	int n = (int)len - 2;

	say(what, "len %u %s%.*s", len, n > 0 && !sa->sun_path[0] ? "@" : "",
	    n > 0 ? (sa->sun_path[0] ? n : n - 1) : 0, sa->sun_path[0] ? sa->sun_path : sa->sun_path + 1);
}

TEST(create)
{
	for (int type = 0; type < 8; type++)
		FD(N("unix.%d", type), socket(AF_UNIX, type, 0));
	FD("protocol", socket(AF_UNIX, SOCK_STREAM, 1));
	FD("protocol2", socket(AF_UNIX, SOCK_STREAM, 2));
	FD("family", socket(99, SOCK_STREAM, 0));
	FD("family_negative", socket(-1, SOCK_STREAM, 0));
	FD("flags", socket(AF_UNIX, SOCK_STREAM | 0x10000, 0));
	FD("nonblock", socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	RET("pair", socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	RET("pair.family", socketpair(99, SOCK_STREAM, 0, s));
	RET("pair.efault", socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)1));
}

TEST(stream)
{
	struct iovec iov[2] = { { buf, 3 }, { buf + 100, 3 } };

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	HEX("poll.start", events(s[0]));
	RET("send", send(s[0], "one", 3, 0));
	RET("send2", send(s[0], "two", 3, 0));
	RET("peek", recv(s[1], buf, 100, MSG_PEEK));
	RET("merged", recv(s[1], buf, 100, 0));
	RET("dontwait", recv(s[1], buf, 1, MSG_DONTWAIT));
	write(s[0], "abcdef", 6);
	RET("part", recv(s[1], buf, 2, 0));
	RET("trunc_flag", recv(s[1], buf, 2, MSG_TRUNC));
	RET("readv", readv(s[1], iov, 2));
	say("readv.data", "%.2s", buf);
	write(s[0], "12", 2);
	pid_t pid = xfork();

	if (!pid) {
		wait_asleep(getppid());
		write(s[0], "3456", 4);
		_exit(0);
	}
	RET("waitall", recv(s[1], buf, 6, MSG_WAITALL));
	xwait(pid);
	RET("zero_send", send(s[0], "", 0, 0));
	RET("zero_not_seen", recv(s[1], buf, 1, MSG_DONTWAIT));
	RET("oob_flag", recv(s[1], buf, 1, MSG_OOB | MSG_DONTWAIT) >= 0);
	int n;

	write(s[0], "12345", 5);
	ioctl(s[1], FIONREAD, &n);
	NUM("fionread", n);
	RET("lseek", lseek(s[0], 0, SEEK_SET));
	RET("pread", pread(s[0], buf, 1, 0));
	shutdown(s[0], SHUT_WR);
	HEX("poll.half", events(s[1]));
	RET("rest", read(s[1], buf, 100));
	RET("eof", read(s[1], buf, 100));
	RET("other_way", write(s[1], "back", 4));
	RET("other_way.read", read(s[0], buf, 100));
	signal(SIGPIPE, SIG_IGN);
	RET("write_after_shutdown", write(s[0], "x", 1));
	RET("shutdown.rd", shutdown(s[0], SHUT_RD));
	RET("peer_write", send(s[1], "x", 1, MSG_NOSIGNAL));
	RET("shutdown.bad", shutdown(s[0], 7));
	close(s[1]);
	HEX("poll.closed", events(s[0]));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	write(s[0], "unread", 6);
	close(s[1]);
	RET("reset", read(s[0], buf, 1));
	RET("then_eof", read(s[0], buf, 1));
	signal(SIGPIPE, SIG_DFL);
	pid = xfork();
	if (!pid) {
		send(s[0], "x", 1, MSG_NOSIGNAL);
		say("nosignal", "%s", errno_name(errno));
		write(s[0], "x", 1);
		_exit(0);
	}
	STR("sigpipe", xwait(pid));
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	ssize_t r;
	long total = 0;

	while ((r = write(s[0], buf, 4096)) > 0)
		total += r;
	say("full", "%s %s", errno_name(errno), total > 65536 ? "more than 64 KiB" : "less");
	HEX("full.poll", events(s[0]) & POLLOUT);
	while ((r = read(s[1], buf, sizeof(buf))) > 0)
		total -= r;
	NUM("drained", total);
	HEX("drained.poll", events(s[0]) & POLLOUT);
}

TEST(messages)
{
	static const struct { const char *name; int type; } kinds[] = {
		{ "dgram", SOCK_DGRAM }, { "seqpacket", SOCK_SEQPACKET } };

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *k = kinds[i].name;
		struct msghdr m = { 0 };
		struct iovec iov = { buf, 2 };

		MUST(socketpair(AF_UNIX, kinds[i].type, 0, s));
		RET(N("%s.one", k), send(s[0], "one", 3, 0));
		RET(N("%s.two", k), send(s[0], "three", 5, 0));
		RET(N("%s.empty", k), send(s[0], "", 0, 0));
		RET(N("%s.recv", k), recv(s[1], buf, 100, 0));
		RET(N("%s.cut", k), recv(s[1], buf, 2, MSG_TRUNC));
		RET(N("%s.recv_empty", k), recv(s[1], buf, 100, MSG_DONTWAIT));
		RET(N("%s.none", k), recv(s[1], buf, 100, MSG_DONTWAIT));
		send(s[0], "three", 5, MSG_EOR);
		m.msg_iov = &iov, m.msg_iovlen = 1;
		RET(N("%s.recvmsg", k), recvmsg(s[1], &m, 0));
		HEX(N("%s.recvmsg.flags", k), m.msg_flags);
		RET(N("%s.too_big", k), send(s[0], MUST((char *)calloc(1, 1 << 20)), 1 << 20, MSG_DONTWAIT));
		shutdown(s[0], SHUT_WR);
		RET(N("%s.shutdown", k), recv(s[1], buf, 1, MSG_DONTWAIT));
		MUST(socketpair(AF_UNIX, kinds[i].type, 0, s));
		close(s[1]);
		RET(N("%s.peer_closed", k), send(s[0], "x", 1, MSG_NOSIGNAL));
		RET(N("%s.peer_closed.recv", k), recv(s[0], buf, 1, MSG_DONTWAIT));
	}
	struct mmsghdr mm[3] = { 0 };
	struct iovec v[3] = { { "a", 1 }, { "bb", 2 }, { "ccc", 3 } }, w[3] = { { buf, 10 }, { buf + 10, 10 }, { buf + 20, 10 } };

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	for (int i = 0; i < 3; i++)
		mm[i].msg_hdr.msg_iov = &v[i], mm[i].msg_hdr.msg_iovlen = 1;
	RET("sendmmsg", sendmmsg(s[0], mm, 3, 0));
	for (int i = 0; i < 3; i++)
		mm[i].msg_hdr.msg_iov = &w[i];
	RET("recvmmsg", recvmmsg(s[1], mm, 3, MSG_DONTWAIT, NULL));
	say("recvmmsg.lengths", "%u %u %u", mm[0].msg_len, mm[1].msg_len, mm[2].msg_len);
}

TEST(names)
{
	struct sockaddr_un sa;
	socklen_t len;
	struct stat st;
	int fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0)), fd2;

	len = sizeof(sa);
	RET("unbound", getsockname(fd, (struct sockaddr *)&sa, &len));
	show_name("unbound.is", &sa, len);
	RET("bind", bind_(fd, "sock"));
	len = sizeof(sa);
	getsockname(fd, (struct sockaddr *)&sa, &len);
	show_name("bind.is", &sa, len);
	stat("sock", &st);
	say("mode", "%o", st.st_mode);
	RET("bind.again", bind_(fd, "sock2"));
	fd2 = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	RET("taken", bind_(fd2, "sock"));
	RET("no_dir", bind_(fd2, "nodir/sock"));
	sa.sun_family = AF_UNIX;
	RET("short", bind(fd2, (struct sockaddr *)&sa, 1));
	RET("long", bind(fd2, (struct sockaddr *)&sa, sizeof(sa) + 1));
	sa.sun_family = AF_INET;
	RET("family", bind(fd2, (struct sockaddr *)&sa, sizeof(sa)));
	sa.sun_family = AF_UNIX;
	RET("autobind", bind(fd2, (struct sockaddr *)&sa, 2));
	len = sizeof(sa);
	getsockname(fd2, (struct sockaddr *)&sa, &len);
	say("autobind.is", "%u %d", len, sa.sun_path[0]);
	char full[108];

	memset(full, 'p', sizeof(full));
	memset(&sa, 'p', sizeof(sa));
	sa.sun_family = AF_UNIX;
	fd2 = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	RET("path108", bind(fd2, (struct sockaddr *)&sa, sizeof(sa)));
	len = sizeof(sa);
	getsockname(fd2, (struct sockaddr *)&sa, &len);
	NUM("path108.len", len);
	fd2 = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	RET("connect.not_listening", connect_(fd2, "sock"));
	RET("connect.absent", connect_(fd2, "nothing"));
	put_file("file", "");
	RET("connect.file", connect_(fd2, "file"));
	RET("connect.abstract_absent", connect_(fd2, "@nobody-is-here"));
	RET("listen.unbound", listen(fd2, 1));
	RET("accept.not_listening", accept(fd2, NULL, NULL));
	MUST(listen(fd, 1));
	RET("connect", connect_(fd2, "sock"));
	RET("connect.again", connect_(fd2, "sock"));
	len = sizeof(sa);
	RET("getpeername", getpeername(fd2, (struct sockaddr *)&sa, &len));
	show_name("getpeername.is", &sa, len);
	len = 4;
	getpeername(fd2, (struct sockaddr *)&sa, &len);
	NUM("getpeername.short", len);
	int c = accept4(fd, (struct sockaddr *)&sa, (len = sizeof(sa), &len), SOCK_CLOEXEC | SOCK_NONBLOCK);

	YES("accept", c >= 0);
	say("accept.is", "len %u family %d fl %#x fd %d", len, sa.sun_family, fcntl(c, F_GETFL), fcntl(c, F_GETFD));
	RET("accept.flags", accept4(fd, NULL, NULL, 1));
	len = sizeof(sa);
	getsockname(c, (struct sockaddr *)&sa, &len);
	show_name("accepted.name", &sa, len);
	RET("unlink", unlink("sock"));
	RET("connect.unlinked", connect_(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), "sock"));
	RET("still_connected", write(fd2, "x", 1));
	/* renaming keeps the address */
	fd = server(SOCK_STREAM, "old");
	rename("old", "new");
	RET("renamed", connect_(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), "new"));
	RET("wrong_type", connect_(MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), "new"));
	RET("getpeername.unconnected", (len = sizeof(sa), getpeername(fd, (struct sockaddr *)&sa, &len)));
}

TEST(abstract)
{
	struct sockaddr_un sa;
	socklen_t len = sizeof(sa);
	const char *me = N("@conform-%d", getpid());
	int fd = server(SOCK_STREAM, me), c, a;

	RET("taken", bind_(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), me));
	FD("other_type", ({ int d = socket(AF_UNIX, SOCK_DGRAM, 0); bind_(d, me) ? -1 : d; }));
	c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	RET("connect", connect_(c, me));
	a = MUST(accept(fd, (struct sockaddr *)&sa, &len));
	NUM("client_len", len);
	RET("write", write(c, "hi", 2));
	RET("read", read(a, buf, 10));
	close(fd);
	RET("closed", connect_(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), me));
	FD("free_again", server(SOCK_STREAM, me));
	pid_t pid = xfork();

	if (!pid) {
		server(SOCK_STREAM, me);
		_exit(0);
	}
	STR("freed_by_exit", xwait(pid));
	FD("freed", server(SOCK_STREAM, me));
}

TEST(dgram_names)
{
	struct sockaddr_un sa;
	socklen_t len;
	int a = server(SOCK_DGRAM, "a"), b = server(SOCK_DGRAM, "b"), c = MUST(socket(AF_UNIX, SOCK_DGRAM, 0));

	len = name(&sa, "a");
	RET("sendto", sendto(b, "from b", 6, 0, (struct sockaddr *)&sa, len));
	RET("sendto.unnamed", sendto(c, "from c", 6, 0, (struct sockaddr *)&sa, len));
	len = sizeof(sa);
	RET("recvfrom", recvfrom(a, buf, 100, 0, (struct sockaddr *)&sa, &len));
	show_name("recvfrom.is", &sa, len);
	len = sizeof(sa);
	RET("recvfrom2", recvfrom(a, buf, 100, 0, (struct sockaddr *)&sa, &len));
	NUM("recvfrom2.len", len);
	RET("send.unconnected", send(c, "x", 1, 0));
	RET("connect", connect_(c, "a"));
	RET("send", send(c, "x", 1, 0));
	RET("connect_other", connect_(c, "b"));
	/* a connected socket takes from its peer only */
	RET("b_connect", connect_(b, "a"));
	RET("c_to_b", send(c, "x", 1, 0));
	sa.sun_family = AF_UNSPEC;
	RET("disconnect", connect(c, (struct sockaddr *)&sa, sizeof(sa)));
	RET("send.disconnected", send(c, "x", 1, 0));
	close(a);
	RET("gone", send(b, "x", 1, 0));
	RET("listen", listen(b, 1));
	RET("accept", accept(b, NULL, NULL));
}

static int send_fds(int via, const int *fds, int nr, int extra_flags)
{
	union { char b[CMSG_SPACE(300 * sizeof(int))]; struct cmsghdr align; } ctl;
	struct iovec iov = { "f", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.b,
			    .msg_controllen = CMSG_SPACE((size_t)nr * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN((size_t)nr * sizeof(int));
	memcpy(CMSG_DATA(c), fds, (size_t)nr * sizeof(int));
	return (int)sendmsg(via, &m, extra_flags);
}

static int recv_fds(int via, int *fds, int room, int flags, int *msg_flags)
{
	union { char b[CMSG_SPACE(300 * sizeof(int))]; struct cmsghdr align; } ctl;
	struct iovec iov = { buf, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.b,
			    .msg_controllen = room ? CMSG_LEN((size_t)room * sizeof(int)) : 0 };
	int r = (int)recvmsg(via, &m, flags), nr = 0;

	if (msg_flags)
		*msg_flags = m.msg_flags;
	if (r < 0)
		return r;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			int n = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));

			memcpy(fds + nr, CMSG_DATA(c), (size_t)n * sizeof(int));
			nr += n;
		}
	return nr;
}

TEST(rights)
{
	int fds[300], got[300], file, flags, p[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	put_file("f", "passed on");
	file = MUST(open("f", O_RDONLY));
	RET("send", send_fds(s[0], &file, 1, 0));
	close(file);
	RET("recv", recv_fds(s[1], got, 1, 0, &flags));
	HEX("recv.flags", flags);
	RET("read", read(got[0], buf, 100));
	NUM("cloexec", fcntl(got[0], F_GETFD));
	send_fds(s[0], got, 1, 0);
	recv_fds(s[1], got + 1, 1, MSG_CMSG_CLOEXEC, NULL);
	NUM("cmsg_cloexec", fcntl(got[1], F_GETFD));
	RET("shared_offset", lseek(got[1], 0, SEEK_CUR));
	for (int i = 0; i < 300; i++)
		fds[i] = got[0];
	RET("253", send_fds(s[0], fds, 253, 0));
	RET("253.recv", recv_fds(s[1], got, 253, 0, &flags));
	for (int i = 1; i < 253; i++)
		close(got[i]);
	RET("254", send_fds(s[0], fds, 254, 0));
	MUST(send_fds(s[0], fds, 3, 0));
	RET("little_room", recv_fds(s[1], got + 1, 1, 0, &flags));
	HEX("little_room.flags", flags);
	MUST(send_fds(s[0], fds, 1, 0));
	RET("no_room", recv_fds(s[1], got + 1, 0, 0, &flags));
	HEX("no_room.flags", flags);
	MUST(send_fds(s[0], fds, 1, 0));
	RET("read_drops", read(s[1], buf, 10));
	fds[1] = 999;
	RET("badfd", send_fds(s[0], fds, 2, 0));
	/* peeking gives descriptors too, each time new ones */
	MUST(send_fds(s[0], fds, 1, 0));
	RET("peek", recv_fds(s[1], got + 1, 1, MSG_PEEK, NULL));
	RET("after_peek", recv_fds(s[1], got + 2, 1, 0, NULL));
	YES("peek_distinct", got[1] != got[2]);
	/* bytes with different rights are not merged into one read */
	write(s[0], "before", 6);
	send_fds(s[0], fds, 1, 0);
	write(s[0], "after", 5);
	char big[100];

	RET("barrier1", read(s[1], big, 100));
	RET("barrier2", read(s[1], big, 100));
	/* a socket sent over itself, then closed: nothing may hang or leak */
	for (int i = 0; i < 50; i++) {
		MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
		MUST(send_fds(p[0], &p[1], 1, 0));
		MUST(send_fds(p[1], &p[0], 1, 0));
		close(p[0]);
		close(p[1]);
	}
	STR("cycles", "done");
	/* the last reference to a pipe's end travels: its reader waits for it */
	MUST(pipe(p));
	MUST(send_fds(s[0], &p[1], 1, 0));
	close(p[1]);
	HEX("in_flight", events(p[0]));
	close(s[0]);
	close(s[1]);
	HEX("dropped", events(p[0]) & POLLHUP);
}

TEST(rights_to_child)
{
	int got, p[2];
	pid_t pid;

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	MUST(pipe(p));
	pid = xfork();
	if (!pid) {
		close(p[0]), close(p[1]);
		if (recv_fds(s[1], &got, 1, 0, NULL) != 1)
			_exit(1);
		MUST(write(got, "through", 7));
		_exit(0);
	}
	MUST(send_fds(s[0], &p[1], 1, 0));
	close(p[1]);
	RET("read", read(p[0], buf, 100));
	STR("child", xwait(pid));
	RET("eof", read(p[0], buf, 100));
}

TEST(credentials)
{
	struct ucred uc = { 0 }, *in;
	socklen_t len = sizeof(uc);
	int on = 1;
	union { char b[CMSG_SPACE(sizeof(uc))]; struct cmsghdr align; } ctl;
	struct iovec iov = { buf, 10 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.b, .msg_controllen = sizeof(ctl) };

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	RET("peercred", getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &uc, &len));
	say("peercred.is", "%d %d %d len %u", uc.pid == getpid(), uc.uid == geteuid(), uc.gid == getegid(), len);
	RET("passcred", setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	pid_t pid = xfork();

	if (!pid) {
		MUST(write(s[0], "x", 1));
		_exit(0);
	}
	xwait(pid);
	RET("recvmsg", recvmsg(s[1], &m, 0));
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (c && c->cmsg_type == SCM_CREDENTIALS) {
		in = (struct ucred *)CMSG_DATA(c);
		say("scm", "%s %d %d", in->pid == pid ? "child" : "other", in->uid == geteuid(), in->gid == getegid());
	} else {
		STR("scm", "none");
	}
	uc = (struct ucred){ getpid() + 1000000, geteuid(), getegid() };
	c = (struct cmsghdr *)ctl.b;
	c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_CREDENTIALS, c->cmsg_len = CMSG_LEN(sizeof(uc));
	memcpy(CMSG_DATA(c), &uc, sizeof(uc));
	m.msg_controllen = sizeof(ctl), iov.iov_len = 1;
	YES("forged_pid", sendmsg(s[0], &m, 0) < 0 && (errno == EPERM || errno == ESRCH));
	uc.pid = getpid();
	memcpy(CMSG_DATA(c), &uc, sizeof(uc));
	m.msg_controllen = sizeof(ctl);
	RET("true_pid", sendmsg(s[0], &m, 0));
	uc.uid = geteuid() + 1;
	memcpy(CMSG_DATA(c), &uc, sizeof(uc));
	m.msg_controllen = sizeof(ctl);
	if (geteuid())
		RET("forged_uid", sendmsg(s[0], &m, 0));
	/* a listener's credentials are those of whoever called listen */
	int l = server(SOCK_STREAM, "l"), k = MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	pid = xfork();
	if (!pid) {
		MUST(connect_(k, "l"));
		len = sizeof(uc);
		getsockopt(k, SOL_SOCKET, SO_PEERCRED, &uc, &len);
		_exit(uc.pid == getppid() ? 3 : 4);
	}
	int a = MUST(accept(l, NULL, NULL));

	len = sizeof(uc);
	getsockopt(a, SOL_SOCKET, SO_PEERCRED, &uc, &len);
	YES("accepted", uc.pid == pid);
	STR("connected", xwait(pid));
	len = sizeof(uc);
	getsockopt(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), SOL_SOCKET, SO_PEERCRED, &uc, &len);
	say("unconnected", "%d %d %d", uc.pid, (int)uc.uid, (int)uc.gid);
}

TEST(options)
{
	int v = -1;
	socklen_t len = sizeof(v);
	struct timeval tv = { 0, 20000 };

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
#define GET(opt) do { v = -1; len = sizeof(v); RET(#opt, getsockopt(s[0], SOL_SOCKET, opt, &v, &len)); \
		NUM(#opt ".is", v); } while (0)
	GET(SO_TYPE);
	GET(SO_DOMAIN);
	GET(SO_PROTOCOL);
	GET(SO_ERROR);
	GET(SO_ACCEPTCONN);
	GET(SO_KEEPALIVE);
	GET(SO_REUSEADDR);
	GET(SO_PASSCRED);
	v = 8192;
	RET("sndbuf", setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)));
	GET(SO_SNDBUF);
	v = 1;
	RET("sndbuf_min", setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)));
	RET("rcvtimeo", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	RET("times_out", recv(s[0], buf, 1, 0));
	tv.tv_usec = 1000000;
	RET("rcvtimeo.bad", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	RET("unknown", setsockopt(s[0], SOL_SOCKET, 9999, &v, sizeof(v)));
	RET("unknown.get", getsockopt(s[0], SOL_SOCKET, 9999, &v, &len));
	RET("level", setsockopt(s[0], 6, 1, &v, sizeof(v)));
	RET("short", setsockopt(s[0], SOL_SOCKET, SO_SNDBUF, &v, 2));
	len = 2;
	RET("get.short", getsockopt(s[0], SOL_SOCKET, SO_TYPE, &v, &len));
	NUM("get.short.len", len);
	RET("not_socket", getsockopt(0, SOL_SOCKET, SO_TYPE, &v, &len));
	RET("not_socket.send", send(MUST(open("/dev/null", O_RDWR)), "x", 1, 0));
	RET("badfd", send(999, "x", 1, 0));
	RET("recv.unconnected", recv(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), buf, 1, MSG_DONTWAIT));
	RET("send.unconnected", send(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), buf, 1, MSG_NOSIGNAL));
}

TEST(server)
{
	/* a server with many clients, each a process */
	int l = server(SOCK_STREAM, "srv"), sum = 0, status;

	for (int i = 0; i < 20; i++)
		if (!xfork()) {
			int c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
			char d;

			MUST(connect_(c, "srv"));
			d = (char)i;
			MUST(write(c, &d, 1));
			MUST(read(c, &d, 1));
			_exit(d == i + 1 ? 0 : 1);
		}
	for (int i = 0; i < 20; i++) {
		int c = MUST(accept(l, NULL, NULL));
		char d;

		MUST(read(c, &d, 1));
		sum += d;
		d++;
		MUST(write(c, &d, 1));
		close(c);
	}
	int bad = 0;

	while (wait(&status) > 0)
		bad += status != 0;
	say("sum", "%d bad %d", sum, bad);
	fcntl(l, F_SETFL, O_NONBLOCK);
	RET("accept.none", accept(l, NULL, NULL));
	HEX("poll", events(l));
	int c = MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	MUST(connect_(c, "srv"));
	HEX("poll.pending", events(l));
	write(c, "early", 5);
	close(c);
	c = MUST(accept(l, NULL, NULL));
	RET("early_data", read(c, buf, 10));
	RET("early_eof", read(c, buf, 10));
	close(l);
	RET("closed", connect_(MUST(socket(AF_UNIX, SOCK_STREAM, 0)), "srv"));
}

/* Natively these work; a sandbox of this issue has no network: see inside.expect. */
TEST(inet)
{
	FD("tcp", socket(AF_INET, SOCK_STREAM, 0));
	FD("udp", socket(AF_INET, SOCK_DGRAM, 0));
	FD("tcp_cloexec", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}
