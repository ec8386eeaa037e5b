// SPDX-License-Identifier: MIT
/* Pipes and FIFOs, eventfd, timerfd. */
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

#include "conform.h"

static int p[2];
static char buf[1 << 20];

static int events(int fd)
{
	struct pollfd pfd = { fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0 };

	poll(&pfd, 1, 0);
	return pfd.revents;
}

static int available(int fd)
{
	int n = -1;

	return ioctl(fd, FIONREAD, &n) ? -1 : n;
}

TEST(capacity)
{
	long total = 0, n;

	MUST(pipe2(p, O_NONBLOCK));
	RET("getpipe_sz", fcntl(p[0], F_GETPIPE_SZ));
	while ((n = write(p[1], buf, 4096)) > 0)
		total += n;
	say("full", "%ld %s", total, errno_name(errno));
	HEX("full.poll", events(p[1]));
	NUM("fionread", available(p[0]));
	RET("one_more", write(p[1], "x", 1));
	RET("read_page", read(p[0], buf, 4096));
	HEX("poll.room", events(p[1]));
	RET("write_page", write(p[1], buf, 4096));
	RET("read_part", read(p[0], buf, 100));
	RET("atomic_no_room", write(p[1], buf, 4096));
	RET("big_no_room", write(p[1], buf, 8192));
	RET("read_all", read(p[0], buf, sizeof(buf)));
	RET("big_is_cut", write(p[1], buf, 1 << 20));
	RET("drain", read(p[0], buf, sizeof(buf)));
	RET("empty", read(p[0], buf, 1));
	HEX("empty.poll", events(p[0]));
	RET("shrink", fcntl(p[0], F_SETPIPE_SZ, 4096));
	RET("shrink.is", fcntl(p[1], F_GETPIPE_SZ));
	RET("shrunk.write", write(p[1], buf, 10000));
	RET("grow", fcntl(p[0], F_SETPIPE_SZ, 5000));
	RET("grow.write", write(p[1], buf, 10000));
	RET("shrink_busy", fcntl(p[0], F_SETPIPE_SZ, 4096));
	RET("zero", fcntl(p[0], F_SETPIPE_SZ, 0));
	RET("negative", fcntl(p[0], F_SETPIPE_SZ, -1));
	RET("1MiB", fcntl(p[0], F_SETPIPE_SZ, 1 << 20));
	RET("not_pipe", fcntl(MUST(open("/dev/null", O_RDONLY)), F_GETPIPE_SZ));
}

TEST(small_writes)
{
	MUST(pipe2(p, O_NONBLOCK));
	/* bytes merge into pages: 65536 single bytes fit */
	int n = 0;

	while (n < 70000 && write(p[1], "x", 1) == 1)
		n++;
	NUM("bytes", n);
	MUST(pipe2(p, O_NONBLOCK | O_DIRECT));
	RET("packet1", write(p[1], "abc", 3));
	RET("packet2", write(p[1], "defgh", 5));
	RET("read1", read(p[0], buf, 100));
	RET("read2_cut", read(p[0], buf, 2));
	RET("rest_is_gone", read(p[0], buf, 100));
}

TEST(ends)
{
	MUST(pipe(p));
	MUST(write(p[1], "last words", 10));
	close(p[1]);
	HEX("poll.data_hup", events(p[0]));
	RET("read", read(p[0], buf, 4));
	RET("read_rest", read(p[0], buf, 100));
	RET("eof", read(p[0], buf, 100));
	RET("eof_again", read(p[0], buf, 100));
	HEX("poll.hup", events(p[0]));
	MUST(pipe(p));
	close(p[0]);
	HEX("poll.err", events(p[1]));
	signal(SIGPIPE, SIG_IGN);
	RET("epipe", write(p[1], "x", 1));
	RET("epipe.zero", write(p[1], "x", 0));
	signal(SIGPIPE, SIG_DFL);
	pid_t pid = xfork();

	if (!pid) {
		write(p[1], "x", 1);
		_exit(0);
	}
	STR("sigpipe", xwait(pid));
	MUST(pipe(p));
	RET("read_on_write_end", read(p[1], buf, 1));
	RET("write_on_read_end", write(p[0], buf, 1));
	RET("zero_read", read(p[0], buf, 0));
	/* a sleeping reader sees the end when the last writer is killed */
	int q[2];

	MUST(pipe(q));
	pid = xfork();
	if (!pid) {
		close(q[0]);
		pause();
	}
	close(q[1]);
	pid_t killer = xfork();

	if (!killer) {
		wait_asleep(getppid());
		kill(pid, SIGKILL);
		_exit(0);
	}
	RET("writer_killed", read(q[0], buf, 1));
	xwait(pid);
	xwait(killer);
}

TEST(atomicity)
{
	pid_t pids[4];
	int bad = 0, counts[4] = { 0 };

	MUST(pipe(p));
	for (int i = 0; i < 4; i++) {
		pids[i] = xfork();
		if (!pids[i]) {
			memset(buf, 'a' + i, 4096);
			for (int k = 0; k < 50; k++)
				if (write(p[1], buf, 4096) != 4096)
					_exit(1);
			_exit(0);
		}
	}
	close(p[1]);
	for (;;) {
		size_t got = 0;
		ssize_t n;

		while (got < 4096 && (n = read(p[0], buf + got, 4096 - got)) > 0)
			got += (size_t)n;
		if (!got)
			break;
		for (size_t i = 0; i < got; i++)
			bad += buf[i] != buf[0];
		if (buf[0] >= 'a' && buf[0] < 'e')
			counts[buf[0] - 'a']++;
	}
	for (int i = 0; i < 4; i++)
		xwait(pids[i]);
	say("counts", "%d %d %d %d bad %d", counts[0], counts[1], counts[2], counts[3], bad);
}

TEST(throughput)
{
	pid_t pid;
	unsigned long sum = 0, total = 0;
	ssize_t n;

	MUST(pipe(p));
	pid = xfork();
	if (!pid) {
		for (size_t i = 0; i < sizeof(buf); i++)
			buf[i] = (char)(i * 31);
		for (int i = 0; i < 8; i++)
			MUST(write(p[1], buf, sizeof(buf) - (size_t)i * 1000));
		_exit(0);
	}
	close(p[1]);
	while ((n = read(p[0], buf, 70000)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum += (unsigned char)buf[i];
		total += (unsigned long)n;
	}
	say("sum", "%lu of %lu", sum, total);
	STR("writer", xwait(pid));
}

TEST(fifo)
{
	int r, w;
	pid_t pid;

	MUST(mkfifo("f", 0600));
	RET("write_nonblock_no_reader", open("f", O_WRONLY | O_NONBLOCK));
	r = open("f", O_RDONLY | O_NONBLOCK);
	YES("read_nonblock", r >= 0);
	RET("read_no_writer", read(r, buf, 1));
	HEX("poll.no_writer", events(r));
	w = open("f", O_WRONLY | O_NONBLOCK);
	YES("write_nonblock", w >= 0);
	RET("read_empty", read(r, buf, 1));
	RET("write", write(w, "fifo", 4));
	RET("read", read(r, buf, 10));
	close(w);
	RET("eof", read(r, buf, 1));
	HEX("poll.hup", events(r));
	close(r);
	int rw = open("f", O_RDWR);

	YES("rdwr", rw >= 0);
	RET("rdwr.write", write(rw, "self", 4));
	RET("rdwr.read", read(rw, buf, 10));
	close(rw);
	pid = xfork();
	if (!pid) {
		w = open("f", O_WRONLY);
		MUST(write(w, "from child", 10));
		_exit(0);
	}
	r = open("f", O_RDONLY);	/* both opens wait for each other */
	RET("rendezvous", read(r, buf, 100));
	RET("rendezvous.eof", read(r, buf, 100));
	STR("child", xwait(pid));
	close(r);
	struct stat st;

	stat("f", &st);
	NUM("size", st.st_size);
	RET("lseek", lseek(open("f", O_RDWR), 0, SEEK_SET));
}

TEST(eventfd)
{
	uint64_t v = 0;
	int fd = eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC), sem;

	HEX("poll.start", events(fd));
	RET("read", read(fd, &v, 8));
	NUM("value", v);
	RET("empty", read(fd, &v, 8));
	HEX("poll.empty", events(fd));
	v = 3;
	RET("write", write(fd, &v, 8));
	RET("write2", write(fd, &v, 8));
	read(fd, &v, 8);
	NUM("sum", v);
	v = ~0ULL;
	RET("max", write(fd, &v, 8));
	v = ~0ULL - 1;
	RET("max-1", write(fd, &v, 8));
	HEX("poll.full", events(fd));
	v = 1;
	RET("overflow", write(fd, &v, 8));
	RET("short_read", read(fd, &v, 7));
	RET("short_write", write(fd, &v, 4));
	RET("long_read", read(fd, buf, 16));
	RET("flags", eventfd(0, 0x10));
	sem = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
	RET("sem.read", read(sem, &v, 8));
	NUM("sem.value", v);
	read(sem, &v, 8);
	RET("sem.empty", read(sem, &v, 8));
	fd = eventfd(0, 0);
	pid_t pid = xfork();

	if (!pid) {
		v = 77;
		wait_asleep(getppid());
		write(fd, &v, 8);
		_exit(0);
	}
	RET("blocking", read(fd, &v, 8));
	NUM("blocking.value", v);
	xwait(pid);
	RET("lseek", lseek(fd, 0, SEEK_SET));
	RET("pread", pread(fd, &v, 8, 0));
}

TEST(timerfd)
{
	struct itimerspec it = { { 0, 0 }, { 0, 200000000 } }, old;
	uint64_t v = 0;
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	RET("disarmed", read(fd, &v, 8));
	RET("set", timerfd_settime(fd, 0, &it, NULL));
	HEX("poll.early", events(fd));
	RET("early", read(fd, &v, 8));
	msleep(250);
	HEX("poll", events(fd));
	RET("read", read(fd, &v, 8));
	NUM("value", v);
	RET("again", read(fd, &v, 8));
	it = (struct itimerspec){ { 0, 2000000 }, { 0, 2000000 } };
	RET("interval", timerfd_settime(fd, 0, &it, NULL));
	msleep(20);
	RET("interval.read", read(fd, &v, 8));
	YES("interval.many", v >= 8 && v < 1000);
	RET("get", timerfd_gettime(fd, &old));
	YES("get.is", old.it_interval.tv_nsec == 2000000 && old.it_value.tv_nsec <= 2000000);
	it = (struct itimerspec){ { 0, 0 }, { 0, 0 } };
	RET("disarm", timerfd_settime(fd, 0, &it, &old));
	NUM("disarm.old", old.it_interval.tv_nsec);
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	it.it_value = now;
	RET("abs_past", timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
	fcntl(fd, F_SETFL, 0);
	RET("abs_past.read", read(fd, &v, 8));
	it.it_value = (struct timespec){ 0, 1000000000 };
	RET("bad_nsec", timerfd_settime(fd, 0, &it, NULL));
	RET("flags", timerfd_settime(fd, 0x80, &it, NULL));
	RET("create.flags", timerfd_create(CLOCK_MONOTONIC, 1));
	RET("create.clock", timerfd_create(77, 0));
	RET("short", read(fd, &v, 4));
	RET("write", write(fd, &v, 8));
	RET("not_timerfd", timerfd_gettime(1, &old));
	fd = timerfd_create(CLOCK_REALTIME, 0);
	it.it_value = (struct timespec){ 0, 5000000 };
	timerfd_settime(fd, 0, &it, NULL);
	RET("realtime", read(fd, &v, 8));
}
