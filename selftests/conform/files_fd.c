// SPDX-License-Identifier: MIT
/* The descriptor table: dup, fcntl, close_range, close-on-exec; mknod; umask over fork. */
#include <linux/close_range.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

#include "conform.h"

#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (1024 + 3)
#endif

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

TEST(dup)
{
	int fd = MUST(open("/dev/null", O_RDWR | O_CLOEXEC)), d;

	d = dup(fd);
	YES("lowest", d == fd + 1);
	NUM("cloexec_cleared", fcntl(d, F_GETFD));
	RET("dup2", dup2(fd, 100));
	NUM("dup2.flags", fcntl(100, F_GETFD));
	YES("dup2.same", dup2(fd, fd) == fd);
	NUM("dup2.same_keeps", fcntl(fd, F_GETFD));
	RET("dup2.badold", dup2(999, 101));
	RET("dup2.badold_same", dup2(999, 999));
	YES("dup2.badold_leaves", is_open(100) && dup2(999, 100) < 0 && is_open(100));
	RET("dup2.negative", dup2(fd, -1));
	RET("dup3", dup3(fd, 102, O_CLOEXEC));
	NUM("dup3.flags", fcntl(102, F_GETFD));
	RET("dup3.same", dup3(fd, fd, 0));
	RET("dup3.flag", dup3(fd, 103, O_NONBLOCK));
	RET("dup.bad", dup(-1));
	RET("dupfd", fcntl(fd, F_DUPFD, 200));
	RET("dupfd.next", fcntl(fd, F_DUPFD, 200));
	RET("dupfd_cloexec", fcntl(fd, F_DUPFD_CLOEXEC, 200));
	NUM("dupfd_cloexec.flags", fcntl(202, F_GETFD));
	RET("dupfd.negative", fcntl(fd, F_DUPFD, -1));
	RET("setfd", fcntl(fd, F_SETFD, 0xffff));
	NUM("setfd.is", fcntl(fd, F_GETFD));
	RET("unknown", fcntl(fd, 9999, 0));
	RET("close", close(202));
	RET("close.again", close(202));
	RET("close.negative", close(-1));
	RET("close.big", close(0x7fffffff));
}

TEST(flags)
{
	int p[2], fd = MUST(open("f", O_RDWR | O_CREAT | O_TRUNC | O_EXCL | O_NOFOLLOW | O_NOCTTY, 0600));

	HEX("file", fcntl(fd, F_GETFL));
	RET("setfl", fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_RDONLY | O_CREAT));
	HEX("setfl.is", fcntl(fd, F_GETFL));
	int d = dup(fd);

	HEX("dup_shares", fcntl(d, F_GETFL));
	RET("noatime_mine", fcntl(fd, F_SETFL, O_NOATIME));
	HEX("noatime.is", fcntl(fd, F_GETFL));
	MUST(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	HEX("pipe0", fcntl(p[0], F_GETFL));
	HEX("pipe1", fcntl(p[1], F_GETFL));
	NUM("pipe.fd", fcntl(p[0], F_GETFD));
	RET("pipe2.flags", pipe2(p, O_CREAT));
	RET("pipe2.efault", pipe2((int *)1, 0));
	HEX("opath", fcntl(MUST(open("f", O_PATH | O_RDWR | O_APPEND)), F_GETFL));
	HEX("dir", fcntl(MUST(open(".", O_RDONLY | O_DIRECTORY)), F_GETFL));
	HEX("sync", fcntl(MUST(open("f", O_RDWR | O_SYNC)), F_GETFL));
	HEX("dsync", fcntl(MUST(open("f", O_RDWR | O_DSYNC)), F_GETFL));
	HEX("socket", fcntl(MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)), F_GETFL));
	RET("getown", fcntl(fd, F_GETOWN));
	RET("getsig", fcntl(fd, F_GETSIG));
	int nb = 1;

	RET("fionbio", syscall(SYS_ioctl, fd, 0x5421, &nb));
	HEX("fionbio.is", fcntl(fd, F_GETFL) & O_NONBLOCK);
	RET("fioclex", syscall(SYS_ioctl, fd, 0x5451, 0));
	NUM("fioclex.is", fcntl(fd, F_GETFD));
	RET("fionclex", syscall(SYS_ioctl, fd, 0x5450, 0));
	NUM("fionclex.is", fcntl(fd, F_GETFD));
	RET("ioctl.unknown", syscall(SYS_ioctl, fd, 0xdeadbeef, 0));
	RET("ioctl.badfd", syscall(SYS_ioctl, -1, 0x5451, 0));
	RET("isatty", isatty(fd));
	lseek(fd, 0, SEEK_SET);
	MUST(ftruncate(fd, 100));
	int n = -1;

	RET("fionread", syscall(SYS_ioctl, fd, 0x541b, &n));
	NUM("fionread.is", n);
}

TEST(close_range)
{
	for (int i = 50; i < 60; i++)
		MUST(dup2(1, i));
	RET("middle", close_range(52, 54, 0));
	say("middle.is", "%d%d%d%d%d%d", is_open(51), is_open(52), is_open(53), is_open(54), is_open(55), is_open(56));
	RET("again", close_range(52, 54, 0));
	RET("inverted", close_range(5, 4, 0));
	RET("flags", close_range(5, 6, 64));
	RET("cloexec", close_range(55, 56, CLOSE_RANGE_CLOEXEC));
	say("cloexec.is", "%d %d %d", fcntl(55, F_GETFD), fcntl(56, F_GETFD), fcntl(57, F_GETFD));
	RET("to_end", close_range(57, ~0U, 0));
	say("to_end.is", "%d %d", is_open(56), is_open(57));
	/* CLOSE_RANGE_UNSHARE leaves the one who shares the table as it was */
	pid_t pid = (pid_t)syscall(SYS_clone, 0x400 /* CLONE_FILES */ | SIGCHLD, 0, 0, 0, 0);

	if (!pid) {
		MUST(close_range(50, 50, 0));
		MUST(close_range(51, ~0U, CLOSE_RANGE_UNSHARE));
		_exit(is_open(51));
	}
	STR("unshare.child", xwait(pid));
	say("unshare", "%d %d", is_open(50), is_open(51));
}

TEST(limit)
{
	struct rlimit rl = { 64, 64 }, old;
	int fd, opened = 0;

	MUST(getrlimit(RLIMIT_NOFILE, &old));
	MUST(dup2(1, 200));
	rl.rlim_max = old.rlim_max;
	MUST(setrlimit(RLIMIT_NOFILE, &rl));
	RET("dup2.at", dup2(1, 64));
	RET("dup2.below", dup2(1, 63));
	RET("dupfd.at", fcntl(1, F_DUPFD, 64));
	YES("open_above_stays", is_open(200));
	close(200);
	while ((fd = open("/dev/null", O_RDONLY)) >= 0)
		opened++;
	STR("open", errno_name(errno));
	YES("filled", is_open(62) && opened > 0);
	RET("dup", dup(1));
	int p[2];

	RET("pipe", pipe(p));
	RET("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	close(10);
	RET("pipe.one_left", pipe(p));
	FD("open.one_left", open("/dev/null", O_RDONLY));
	RET("poll", syscall(SYS_poll, (char[8 * 65]){ 0 }, 65, 0));
}

TEST(over_fork)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600)), status;

	umask(027);
	if (!xfork()) {
		say("child.umask", "%03o", umask(0));
		close(fd);
		MUST(dup2(1, 77));
		_exit(0);
	}
	wait(&status);
	say("umask", "%03o", umask(022));
	YES("parent_keeps", is_open(fd));
	YES("parent_has_not", !is_open(77));
}

TEST(mknod)
{
	struct stat st;

	RET("regular", mknod("r", S_IFREG | 0640, 0));
	RET("zero_type", mknod("z", 0640, 0));
	RET("fifo", mknod("p", S_IFIFO | 0640, 0));
	RET("socket", mknod("s", S_IFSOCK | 0640, 0));
	RET("dir", mknod("d", S_IFDIR | 0750, 0));
	RET("lnk", mknod("l", S_IFLNK | 0750, 0));
	RET("exists", mknod("r", S_IFREG | 0640, 0));
	RET("mknodat.bad", mknodat(-1, "x", S_IFREG, 0));
	static const char *const names[] = { "r", "z", "p", "s" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		MUST(stat(names[i], &st));
		say(N("%s.mode", names[i]), "%o", st.st_mode);
	}
	FD("open_socket", open("s", O_RDONLY));
}

static void devices_unprivileged(void)
{
	RET("chr", mknod("c", S_IFCHR | 0600, makedev(1, 3)));
	RET("blk", mknod("b", S_IFBLK | 0600, makedev(7, 0)));
	RET("whiteout_exists", (put_file("w", ""), mknod("w", S_IFCHR | 0600, makedev(1, 3))));
}

TEST(mknod_devices)
{
	STR("end", as_nobody(devices_unprivileged));
}

TEST(pass_by_exec)
{
	/* descriptor flags decide what a new program finds: /bin/sh tests the numbers 60..63 */
	pid_t pid = xfork();

	if (!pid) {
		MUST(dup2(1, 60));
		MUST(dup3(1, 61, O_CLOEXEC));
		MUST(dup2(1, 62));
		MUST(fcntl(62, F_SETFD, FD_CLOEXEC));
		MUST(dup2(61, 63));
		execl("/bin/sh", "sh", "-c",
		      "for i in 60 61 62 63; do if [ -e /proc/self/fd/$i ]; then echo over_exec.$i: open; else "
		      "echo over_exec.$i: closed; fi; done", NULL);
		_exit(127);
	}
	STR("shell", xwait(pid));
}
