// SPDX-License-Identifier: MIT
/* A client that wants the broker to crash, hang, leak, or write nonsense to the terminal. */
#define _GNU_SOURCE
#include "fixture.h"
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct fixture f;
static bool own_mounts;

static void set_size(struct p9c *c, uint32_t size)
{
	for (int i = 0; i < 4; i++)
		c->out[i] = (uint8_t)(size >> (8 * i));
}

/* Sends the first @len bytes of the message being built: the error in the reply, or P9C_BROKEN. */
static int send_cut(struct p9c *c, uint32_t len)
{
	if (p9c_send_raw(c, c->out, len) || p9c_recv(c) || p9c_get_u8(c) != 7)
		return P9C_BROKEN;
	p9c_get_u16(c);
	return -(int)p9c_get_u32(c);
}

static void malformed(void)
{
	struct p9c *c = client_attached(&f);

	for (size_t i = 0; i < NR_SAMPLES; i++) {
		uint32_t wrong = 0, len;

		samples[i].build(c);
		len = c->out_len;
		for (uint32_t n = 7; n < len; n++) {
			set_size(c, n);
			wrong += send_cut(c, n) != -EBADMSG;
			set_size(c, len);
			wrong += send_cut(c, n) != -EBADMSG;
		}
		set_size(c, 0);
		wrong += send_cut(c, len) != -EBADMSG;
		set_size(c, 0xffffffff);
		wrong += send_cut(c, len) != -EBADMSG;
		tap_eq(wrong, 0, "%s cut short or lying about its size: EBADMSG", samples[i].name);
	}
	tap_ok(!p9c_getattr(c, 0, &(struct p9c_attr){ 0 }), "the session goes on");
	tap_ok(files_become(&f, 2), "and holds its two roots");
	client_free(c);
}

/* Is the connection closed by the server? */
static bool closed(struct p9c *c)
{
	struct pollfd p = { .fd = c->rfd, .events = POLLIN };
	char byte;

	return poll(&p, 1, 5000) == 1 && recv(c->rfd, &byte, 1, MSG_DONTWAIT) <= 0;
}

static void broken_frames(void)
{
	static uint8_t big[100000];
	static const struct { uint32_t len; const char *name; } t[] = {
		{ 0, "an empty packet" }, { 1, "a packet of one byte" }, { 6, "of six bytes" },
		{ 65561, "one byte longer than msize" }, { 100000, "longer than any" },
	};
	static const uint32_t sizes[] = { 0, 6, 65561, 0x7fffffff, 0xffffffff };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct p9c *c = client_new(&f, 0, "9P2000.L");

		if (!t[i].len)
			send(c->wfd, big, 0, 0);
		else
			p9c_send_raw(c, big, t[i].len);
		tap_ok(closed(c), "%s closes the channel", t[i].name);
		client_free(c);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct p9c *c = client_new(&f, B9P_CHANNEL_STREAM, "9P2000.L");

		p9c_begin(c, 120);
		set_size(c, sizes[i]);
		p9c_send_raw(c, c->out, 7);
		tap_ok(closed(c), "a stream's message of size %u closes the channel", sizes[i]);
		client_free(c);
	}
	tap_ok(channels_become(&f, 0), "no channel is left");
}

static void garbage(void)
{
	struct p9c *c = client_attached(&f);
	uint64_t x = 88172645463325252ull;
	bool ok = true;

	for (int i = 0; ok && i < 20000; i++) {
		samples[(x >> 20) % NR_SAMPLES].build(c);
		for (uint32_t at = 7; at < c->out_len; at++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			if (x % 4 == 0)
				c->out[at] = (uint8_t)(x >> 32);
		}
		if (c->out[4] == 100)	/* a new version would end the session */
			continue;
		set_size(c, c->out_len);
		ok = !p9c_send_raw(c, c->out, c->out_len) && !p9c_recv(c);
		if (c->got_fd >= 0)
			close(c->got_fd);
	}
	tap_ok(ok, "20000 messages with changed bytes are all answered");
	client_free(c);
	tap_ok(files_become(&f, 0), "and nothing is held when the client is gone");
	tap_ok(access(fixture_path(&f, "outside/secret"), F_OK) == 0, "nothing outside was touched");
}

static void passed_descriptors(void)
{
	struct p9c *c = client_attached(&f);
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
	int before = count_fds(), fd = 0;

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	for (int i = 0; i < 50; i++) {
		p9c_begin(c, 108);
		p9c_u16(c, 1);
		set_size(c, c->out_len);
		iov.iov_base = c->out;
		iov.iov_len = c->out_len;
		if (sendmsg(c->wfd, &msg, 0) < 0 || p9c_recv(c))
			break;
	}
	tap_eq(count_fds(), before, "descriptors that a client sends are dropped");
	client_free(c);
}

static void limits(void)
{
	struct p9c *c = client_attached(&f);
	uint32_t i;
	int ret = 0;

	for (i = 2; i < 200 && !ret; i++)
		ret = p9c_walk(c, 0, i, "");
	tap_ok(ret == -ENFILE && i == 100 + 1, "the 101st fid is ENFILE");
	p9c_clunk(c, 50);
	tap_eq(p9c_walk(c, 0, 50, ""), 0, "a fid given back can be used again");
	for (i = 2; i < 100; i++)
		p9c_clunk(c, i);
	for (i = 2, ret = 1; i < 200 && ret == 1; i++)
		ret = p9c_walk(c, 0, i, "file");
	tap_ok(ret == -ENFILE && i > 55 && i < 65, "the 61st descriptor is ENFILE (%u)", i);
	tap_eq(p9c_open(c, 2, 0), -ENFILE, "also for an open");
	p9c_clunk(c, 3);
	tap_eq(p9c_open(c, 2, 0), 0, "until one is given back");
	client_free(c);
	files_become(&f, 0);

	c = client_attached(&f);
	for (i = 0, ret = 0; i < 30 && !ret; i++) {
		p9c_walk(c, 1, 2, "");
		p9c_begin(c, 32);
		p9c_u32(c, 2);
		p9c_str(c, "user.x");
		p9c_u64(c, 10000);
		p9c_u32(c, 0);
		ret = p9c_call(c);
		p9c_clunk(c, 2);
	}
	tap_eq(ret, 0, "attributes one after the other");
	for (i = 2, ret = 0; i < 50 && !ret; i++) {
		p9c_walk(c, 1, i, "");
		p9c_begin(c, 32);
		p9c_u32(c, i);
		p9c_str(c, "user.x");
		p9c_u64(c, 10000);
		p9c_u32(c, 0);
		ret = p9c_call(c);
	}
	tap_ok(ret == -ENOSPC && i == 2 + 11, "attributes under way are bounded");
	client_free(c);
	tap_ok(files_become(&f, 0), "all is given back");
}

static void channel_limit(void)
{
	struct p9c *c[4];
	int sv[2], before;

	for (int i = 0; i < 4; i++)
		c[i] = client_new(&f, 0, "9P2000.L");
	before = count_fds();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv))
		return;
	tap_eq(b9p_add_channel(f.b, sv[1], sv[1], 0), -ENFILE, "the fifth channel is ENFILE");
	close(sv[0]);
	tap_eq(count_fds(), before, "and its descriptor is closed");
	for (int i = 0; i < 4; i++)
		client_free(c[i]);
	tap_ok(channels_become(&f, 0), "channels end with their clients");
}

/* FIFOs by every message that opens. A hang would be the runner's time limit. */
static void fifos(void)
{
	struct p9c *c = client_attached(&f);
	struct p9c_walkstat w;
	struct p9c_attr a;
	struct timespec t0, t1;

	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (int flags = 0; flags < 3; flags++) {
		p9c_walk(c, 1, 10, "fifo");
		tap_eq(p9c_open(c, 10, (uint32_t)flags), -EACCES, "Tlopen of a FIFO with %d", flags);
		p9c_clunk(c, 10);
		p9c_walk(c, 1, 10, "");
		tap_eq(p9c_create(c, 10, "fifo", (uint32_t)flags, 0644), -EACCES,
		       "Tlcreate of a FIFO with %d", flags);
		p9c_clunk(c, 10);
		tap_ok(!p9c_opengrant(c, 1, 10, 7, (uint32_t)flags, "fifo", &w) && w.status == EACCES &&
		       c->got_fd < 0, "Topengrant of a FIFO with %d", flags);
		p9c_clunk(c, 10);
	}
	p9c_walk(c, 1, 10, "fifo");
	tap_eq(p9c_setattr(c, 10, 8, 0, 0, 0, 0, 0, 0), -EPERM, "truncate of a FIFO");
	tap_ok(!p9c_getattr(c, 10, &a) && S_ISFIFO(a.mode), "its attributes can be had");
	clock_gettime(CLOCK_MONOTONIC, &t1);
	tap_ok(t1.tv_sec - t0.tv_sec < 5, "none of it waited");
	client_free(c);
}

/* A lease that a stranger holds makes open(2) wait: the nearest thing to a dead file server. */
static pid_t hold_lease(const char *path)
{
	int p[2], fd;
	char byte;
	pid_t pid;

	if (pipe(p))
		return -1;
	pid = fork();
	if (!pid) {
		signal(SIGIO, SIG_IGN);
		fd = open(path, O_RDWR);
		byte = fcntl(fd, F_SETLEASE, F_WRLCK) == 0;
		(void)!write(p[1], &byte, 1);
		for (;;)
			pause();
	}
	if (read(p[0], &byte, 1) != 1 || !byte) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	close(p[0]);
	close(p[1]);
	return pid;
}

static void stuck(void)
{
	struct p9c *a = client_attached(&f), *b = client_attached(&f);
	pid_t pid = hold_lease(fixture_path(&f, "ro/dir/c"));
	struct pollfd p = { .fd = a->rfd, .events = POLLIN };
	char buf[8];

	if (pid < 0) {
		tap_skip("an open that hangs", "no leases here");
		client_free(a);
		client_free(b);
		return;
	}
	p9c_walk(a, 0, 10, "dir/c");
	p9c_begin(a, 12);
	p9c_u32(a, 10);
	p9c_u32(a, 0);
	p9c_send(a);
	tap_eq(poll(&p, 1, 200), 0, "an open hangs");
	p9c_walk(b, 0, 10, "dir/a");
	p9c_open(b, 10, 0);
	tap_eq(p9c_read(b, 10, 0, buf, 8), 6, "the other channel does not");
	tap_eq(b9p_stop(f.b, 100), 1, "b9p_stop() says that one thread is stuck");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap_eq(b9p_stop(f.b, 5000), 0, "and none when it got loose");
	tap_eq(b9p_add_channel(f.b, dup(0), dup(0), 0), -ESHUTDOWN, "no channel is added after a stop");
	client_free(a);
	client_free(b);
}

/* Destroying it does not wait for a stuck thread, which cleans up when it gets loose. */
static void stuck_destroy(void)
{
	struct p9c *a;
	pid_t pid = hold_lease(fixture_path(&f, "ro/dir/c"));
	struct timespec t0, t1;
	int before = count_fds();

	if (pid < 0)
		return;
	fixture_start(&f, NULL);
	a = client_attached(&f);
	p9c_walk(a, 0, 10, "dir/c");
	p9c_begin(a, 12);
	p9c_u32(a, 10);
	p9c_u32(a, 0);
	p9c_send(a);
	usleep(100000);
	clock_gettime(CLOCK_MONOTONIC, &t0);
	b9p_destroy(f.b);
	clock_gettime(CLOCK_MONOTONIC, &t1);
	tap_ok((t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000 < 2000,
	       "b9p_destroy() does not wait for it");
	f.b = NULL;
	client_free(a);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 5000 && count_fds() != before; i++)
		usleep(1000);
	tap_eq(count_fds(), before, "the stuck thread gave all back");
}

static void no_reader(void)
{
	struct p9c *c = client_attached(&f);
	int n = 0;

	fcntl(c->wfd, F_SETFL, O_NONBLOCK);
	p9c_walk(c, 0, 10, "file");
	p9c_begin(c, 204);
	p9c_u32(c, 10);
	p9c_u32(c, 0);
	set_size(c, c->out_len);
	while (n < 100000 && (write(c->wfd, c->out, c->out_len) > 0 || (usleep(20000), 0) ||
			      write(c->wfd, c->out, c->out_len) > 0))
		n++;
	tap_ok(n > 10 && n < 20000, "a client that does not read is stopped after %d requests", n);
	client_free(c);
	tap_ok(channels_become(&f, 0) && files_become(&f, 0), "and leaves nothing");
}

/* A thread that waits for room to send must see the end. */
static void stop_a_sender(void)
{
	struct p9c *c[2];

	fixture_start(&f, NULL);
	for (int i = 0; i < 2; i++) {
		int n = 0, idle = 0;

		c[i] = client_new(&f, i ? B9P_CHANNEL_STREAM : 0, "9P2000.L");
		(void)!truncate(fixture_path(&f, "ro/big"), 100000);
		p9c_attach(c[i], 0, "ro");
		p9c_walk(c[i], 0, 10, "big");
		p9c_open(c[i], 10, 0);
		fcntl(c[i]->wfd, F_SETFL, O_NONBLOCK);
		p9c_begin(c[i], 116);
		p9c_u32(c[i], 10);
		p9c_u64(c[i], 0);
		p9c_u32(c[i], 60000);
		set_size(c[i], c[i]->out_len);
		while (n < 100000 && idle < 5) {
			if (write(c[i]->wfd, c[i]->out, c[i]->out_len) == (ssize_t)c[i]->out_len)
				n++;
			else
				idle += usleep(20000) == 0;
		}
	}
	tap_eq(b9p_stop(f.b, 5000), 0, "threads that wait for room to send are stopped");
	b9p_destroy(f.b);
	client_free(c[0]);
	client_free(c[1]);
}

/* Packets must fit the socket's buffer: a small one gives a small msize. */
static void small_buffer(void)
{
	int sv[2], size = 4096;
	static struct p9c c;
	char v[32], buf[70000];

	fixture_start(&f, NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return;
	setsockopt(sv[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (b9p_add_channel(f.b, sv[1], sv[1], 0) < 0)
		return;
	p9c_init(&c, sv[0], sv[0], false);
	tap_eq(p9c_version(&c, 1 << 20, "9P2000.L", v, sizeof(v)), 0, "a socket with a small buffer");
	(void)!truncate(fixture_path(&f, "ro/big"), 100000);
	p9c_attach(&c, 0, "ro");
	p9c_walk(&c, 0, 1, "big");
	p9c_open(&c, 1, 0);
	tap_eq(p9c_read(&c, 1, 0, buf, sizeof(buf)), (int)c.msize - 11, "sends what it promised");
	close(sv[0]);
	b9p_destroy(f.b);
}

static void logs(void)
{
	struct p9c *c = client_attached(&f);
	const char *name = "rw/\033[2Jevil\n0 fake";
	int lines = 0;

	mkfifo(fixture_path(&f, name), 0600);
	f.log_len = 0;
	p9c_walk(c, 1, 10, name + 3);
	p9c_open(c, 10, 0);
	tap_ok(strstr(f.log, "\\x1b[2Jevil\\x0a0 fake: a FIFO is not opened") &&
	       !strchr(f.log, '\033'), "a name in the log cannot drive a terminal");
	unlink(fixture_path(&f, name));
	for (int i = 0; i < 200; i++) {
		f.log_len = 0;
		f.log[0] = 0;
		p9c_open(c, 10, 0);
		lines += !!f.log[0];
	}
	tap_ok(lines < 101, "and the log is bounded (%d)", lines);
	client_free(c);
}

static void vanishing(void)
{
	struct p9c *c = client_attached(&f);
	struct p9c_attr a;
	char buf[16];

	mkdir(fixture_path(&f, "rw/gone"), 0755);
	mkdir(fixture_path(&f, "rw/gone/sub"), 0755);
	close(open(fixture_path(&f, "rw/gone/file"), O_CREAT | O_WRONLY, 0644));
	p9c_walk(c, 1, 10, "gone");
	p9c_walk(c, 1, 11, "gone/file");
	p9c_walk(c, 1, 12, "gone/sub");
	p9c_walk(c, 0, 13, "big");
	p9c_open(c, 13, 0);
	rmdir(fixture_path(&f, "rw/gone/sub"));
	unlink(fixture_path(&f, "rw/gone/file"));
	rmdir(fixture_path(&f, "rw/gone"));
	tap_eq(p9c_walk(c, 10, 14, "file"), -ENOENT, "walk in a directory that is gone");
	tap_eq(p9c_walk(c, 12, 14, ".."), -ENOENT, "\"..\" of one");
	tap_eq(p9c_mkdir(c, 10, "x", 0755), -ENOENT, "mkdir in one");
	tap_ok(!p9c_getattr(c, 11, &a) && a.nlink == 0, "a file that is gone has no links");
	tap_eq(p9c_open(c, 11, O_RDWR), 0, "but can be opened by its fid");
	tap_eq(p9c_write(c, 11, 0, "abc", 3), 3, "and written");
	tap_eq(p9c_simple(c, 122, 11), -ENOENT, "and not removed twice");
	/* the kernel shows the path of a file that is gone as "NAME (deleted)" */
	close(open(fixture_path(&f, "rw/v"), O_CREAT | O_WRONLY, 0644));
	close(open(fixture_path(&f, "rw/v (deleted)"), O_CREAT | O_WRONLY, 0644));
	p9c_walk(c, 1, 11, "v");
	unlink(fixture_path(&f, "rw/v"));
	tap_eq(p9c_simple(c, 122, 11), -ENOENT, "Tremove of a file that is gone");
	tap_ok(!access(fixture_path(&f, "rw/v (deleted)"), F_OK), "does not remove its namesake");
	(void)!truncate(fixture_path(&f, "ro/big"), 5);
	tap_eq(p9c_read(c, 13, 0, buf, 16), 5, "a file that shrank gives less");
	tap_eq(p9c_read(c, 13, 100, buf, 16), 0, "or nothing");

	/* moved out of the export while a fid holds it */
	mkdir(fixture_path(&f, "rw/moved"), 0755);
	p9c_walk(c, 1, 20, "moved");
	(void)!rename(fixture_path(&f, "rw/moved"), fixture_path(&f, "outside/moved"));
	tap_eq(p9c_walk(c, 20, 21, ".."), -ENOENT, "\"..\" of a directory that was moved out");
	/* "ro" and "rw" are of one length: its path with the root cut off exists in both */
	(void)!rename(fixture_path(&f, "outside/moved"), fixture_path(&f, "ro/dir/moved"));
	tap_eq(p9c_walk(c, 20, 21, ".."), -ENOENT, "also when it was moved into another export");
	(void)!rename(fixture_path(&f, "ro/dir/moved"), fixture_path(&f, "rw/dir/moved"));
	tap_eq(p9c_walk(c, 20, 21, "../a"), 2, "and of one that was moved within");
	client_free(c);
}

static void file_size_limit(void)
{
	struct rlimit old, new;
	struct p9c *c = client_attached(&f);

	getrlimit(RLIMIT_FSIZE, &old);
	new = old;
	new.rlim_cur = 1000000;
	setrlimit(RLIMIT_FSIZE, &new);
	p9c_walk(c, 1, 10, "file");
	p9c_open(c, 10, O_RDWR);
	tap_eq(p9c_write(c, 10, 1000000, "x", 1), -EFBIG, "a write over RLIMIT_FSIZE");
	tap_eq(p9c_setattr(c, 10, 8, 0, 0, 0, 2000000, 0, 0), -EFBIG, "a truncate over it");
	setrlimit(RLIMIT_FSIZE, &old);
	client_free(c);
}

static int try_export(const char *path, const char *name)
{
	struct b9p_export ex = { .fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), .name = name };
	struct b9p_config config = { .exports = &ex, .nr_exports = 1 };
	struct b9p *b = NULL;
	int ret = b9p_create(&config, &b);

	close(ex.fd);
	b9p_destroy(ret ? NULL : b);
	return ret;
}

static void kernel_file_systems(void)
{
	struct p9c_walkstat w;
	struct p9c *c;

	tap_eq(try_export("/proc", "p"), -EACCES, "an export of /proc is refused");
	tap_eq(try_export("/proc/self/mem", "p"), -EACCES, "an export of /proc/self/mem");
	tap_eq(try_export(fixture_path(&f, "ro/fifo"), "p"), -EINVAL, "an export of a FIFO");
	tap_eq(try_export(fixture_path(&f, "ro/link"), "p"), -EINVAL, "an export of a symlink");
	tap_eq(try_export(fixture_path(&f, "ro"), ""), -EINVAL, "an export without a name");
	tap_eq(try_export(fixture_path(&f, "ro"), "p"), 0, "an export of a directory");
	if (!own_mounts) {
		tap_skip("mounts below an export", "only root can mount, where he may");
		return;
	}
	tap_eq(mount("proc", fixture_path(&f, "ro/dir"), "proc", 0, NULL), 0, "a mounted proc");
	c = client_attached(&f);
	tap_eq(p9c_walk(c, 0, 10, "dir"), -EACCES, "a walk into a mounted proc");
	tap_eq(p9c_walk(c, 0, 10, "dir/self/mem"), -EACCES, "and further");
	tap_ok(strstr(f.log, "a file system of the kernel's own"), "the log says so");
	tap_ok(!p9c_walkstat(c, 0, P9C_NOFID, 2, "dir/self/mem", &w) && w.status == ELOOP,
	       "in one step: the symlink stops it");
	tap_ok(!p9c_walkstat(c, 0, P9C_NOFID, 2, "dir/1/mem", &w) && w.status == EACCES,
	       "and the file system without one");
	umount(fixture_path(&f, "ro/dir"));
	tap_eq(mount("tmpfs", fixture_path(&f, "ro/dir"), "tmpfs", 0, NULL), 0, "a mounted tmpfs");
	tap_eq(p9c_walk(c, 0, 10, "dir"), 1, "is walked into");
	tap_eq(p9c_walk(c, 10, 11, ".."), 1, "and out of");
	client_free(c);
	tap_ok(channels_become(&f, 0) && !umount(fixture_path(&f, "ro/dir")),
	       "and holds nothing when the client is gone");
}

int main(void)
{
	static const struct b9p_limits tight = { .max_channels = 4, .max_fids = 100, .max_files = 60,
						 .max_xattr = 100000, .max_log = 100 };
	/* Before the exports are opened: a descriptor belongs to the mounts that it was opened in. */
	own_mounts = !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	fixture_make(&f);
	fixture_start(&f, NULL);
	malformed();
	broken_frames();
	garbage();
	passed_descriptors();
	fifos();
	no_reader();
	vanishing();
	file_size_limit();
	kernel_file_systems();
	stuck();
	b9p_destroy(f.b);
	stuck_destroy();
	stop_a_sender();
	small_buffer();

	fixture_start(&f, &tight);
	limits();
	channel_limit();
	logs();
	fixture_end(&f);
	return tap_end();
}
