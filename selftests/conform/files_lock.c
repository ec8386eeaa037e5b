// SPDX-License-Identifier: MIT
/* flock, POSIX record locks and open-file-description locks; leases are not the subject. */
#include <sys/file.h>

#include "conform.h"

static int fd;

static void ignore(int sig)
{
	(void)sig;
}

static struct flock lk(int type, long start, long len)
{
	return (struct flock){ .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };
}

static int set(int f, int cmd, int type, long start, long len)
{
	struct flock l = lk(type, start, len);

	return fcntl(f, cmd, &l);
}

/* What another process would meet on [start, start + len) when it wants @type. */
static void probe(const char *name, int cmd, int type, long start, long len)
{
	pid_t parent = getpid(), pid = xfork();

	if (!pid) {
		struct flock l = lk(type, start, len);
		int f = MUST(open("f", O_RDWR));

		if (fcntl(f, cmd, &l))
			say(name, "%s", errno_name(errno));
		else if (l.l_type == F_UNLCK)
			say(name, "free");
		else
			say(name, "%s %ld+%ld by %s", l.l_type == F_WRLCK ? "write" : "read", (long)l.l_start,
			    (long)l.l_len, l.l_pid == parent ? "parent" : l.l_pid == -1 ? "ofd" : "other");
		_exit(0);
	}
	xwait(pid);
}

static void begin(void)
{
	put_file("f", "0123456789");
	fd = MUST(open("f", O_RDWR));
}

TEST(posix)
{
	int fd2, ro, wo;

	begin();
	RET("write", set(fd, F_SETLK, F_WRLCK, 10, 10));
	probe("meet.before", F_GETLK, F_RDLCK, 0, 10);
	probe("meet.edge", F_GETLK, F_RDLCK, 0, 11);
	probe("meet.inside", F_GETLK, F_WRLCK, 12, 1);
	probe("meet.after", F_GETLK, F_WRLCK, 20, 0);
	RET("split", set(fd, F_SETLK, F_UNLCK, 13, 2));
	probe("split.left", F_GETLK, F_RDLCK, 0, 13);
	probe("split.gap", F_GETLK, F_RDLCK, 13, 2);
	probe("split.right", F_GETLK, F_RDLCK, 14, 10);
	RET("convert", set(fd, F_SETLK, F_RDLCK, 0, 0));
	probe("converted.read", F_GETLK, F_RDLCK, 0, 100);
	probe("converted.write", F_GETLK, F_WRLCK, 50, 1);
	RET("own_again", set(fd, F_SETLK, F_WRLCK, 5, 1));
	probe("middle", F_GETLK, F_RDLCK, 0, 0);
	probe("first_of_two", F_GETLK, F_WRLCK, 0, 0);
	RET("merge", set(fd, F_SETLK, F_RDLCK, 5, 1));
	probe("merged", F_GETLK, F_WRLCK, 0, 0);
	RET("unlock", set(fd, F_SETLK, F_UNLCK, 0, 0));
	probe("free", F_GETLK, F_WRLCK, 0, 0);
	RET("negative_len", set(fd, F_SETLK, F_WRLCK, 20, -5));
	probe("negative_len.is", F_GETLK, F_WRLCK, 0, 0);
	RET("negative_len_below_0", set(fd, F_SETLK, F_WRLCK, 2, -5));
	RET("negative_start", set(fd, F_SETLK, F_WRLCK, -2, 5));
	RET("overflow", set(fd, F_SETLK, F_WRLCK, 0x7ffffffffffffff0L, 0x100));
	RET("to_max", set(fd, F_SETLK, F_WRLCK, 0x7ffffffffffffff0L, 0));
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -3, .l_len = 2 };

	set(fd, F_SETLK, F_UNLCK, 0, 0);
	RET("whence_end", fcntl(fd, F_SETLK, &l));
	probe("whence_end.is", F_GETLK, F_WRLCK, 0, 0);
	set(fd, F_SETLK, F_UNLCK, 0, 0);
	lseek(fd, 4, SEEK_SET);
	l.l_whence = SEEK_CUR, l.l_start = 1;
	RET("whence_cur", fcntl(fd, F_SETLK, &l));
	probe("whence_cur.is", F_GETLK, F_WRLCK, 0, 0);
	l.l_whence = 9;
	RET("whence_bad", fcntl(fd, F_SETLK, &l));
	l.l_whence = 0, l.l_type = 77;
	RET("type_bad", fcntl(fd, F_SETLK, &l));
	RET("efault", fcntl(fd, F_SETLK, (void *)1));
	RET("badfd", set(-1, F_SETLK, F_RDLCK, 0, 0));
	ro = MUST(open("f", O_RDONLY));
	wo = MUST(open("f", O_WRONLY));
	RET("write_on_ro", set(ro, F_SETLK, F_WRLCK, 0, 1));
	RET("read_on_wo", set(wo, F_SETLK, F_RDLCK, 0, 1));
	/* closing any descriptor of the file drops all of the process's locks */
	RET("again", set(fd, F_SETLK, F_WRLCK, 0, 0));
	fd2 = MUST(open("f", O_RDONLY));
	close(fd2);
	probe("closed_other", F_GETLK, F_WRLCK, 0, 0);
	RET("self_getlk", ({ set(fd, F_SETLK, F_WRLCK, 0, 0); struct flock q = lk(F_WRLCK, 0, 0);
			     fcntl(fd, F_GETLK, &q) ? -1 : q.l_type; }));
	RET("getlk_unlck", ({ struct flock q = lk(F_UNLCK, 0, 0); fcntl(fd, F_GETLK, &q); }));
	/* not inherited by fork, kept over exec */
	pid_t pid = xfork();

	if (!pid) {
		RET("child.inherits", set(fd, F_SETLK, F_WRLCK, 0, 0));
		_exit(0);
	}
	xwait(pid);
	int p[2];

	MUST(pipe(p));
	RET("pipe", set(p[0], F_SETLK, F_RDLCK, 0, 0));
	RET("dir", set(MUST(open(".", O_RDONLY)), F_SETLK, F_RDLCK, 0, 0));
}

TEST(posix_wait)
{
	pid_t pid;
	int p[2];
	char c;

	begin();
	MUST(pipe(p));
	MUST(set(fd, F_SETLK, F_WRLCK, 0, 0));
	pid = xfork();
	if (!pid) {
		int f = MUST(open("f", O_RDWR));

		RET("child.try", set(f, F_SETLK, F_WRLCK, 0, 0));
		RET("child.wait", set(f, F_SETLKW, F_WRLCK, 3, 2));
		MUST(write(p[1], "x", 1));
		_exit(0);
	}
	YES("asleep", wait_asleep(pid));
	RET("other_part", set(fd, F_SETLK, F_UNLCK, 5, 0));
	YES("still_asleep", wait_asleep(pid));
	RET("release", set(fd, F_SETLK, F_UNLCK, 0, 5));
	MUST(read(p[0], &c, 1));
	STR("child", xwait(pid));
	/* a signal ends the wait */
	MUST(set(fd, F_SETLK, F_WRLCK, 0, 0));
	pid = xfork();
	if (!pid) {
		sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = ignore }, NULL);
		RET("interrupted", set(MUST(open("f", O_RDWR)), F_SETLKW, F_RDLCK, 0, 0));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	STR("interrupted.child", xwait(pid));
	/* the owner's death releases */
	pid = xfork();
	if (!pid) {
		MUST(write(p[1], "x", 1));
		RET("after_death.wait", set(MUST(open("f", O_RDWR)), F_SETLKW, F_RDLCK, 0, 0));
		_exit(0);
	}
	MUST(read(p[0], &c, 1));
	wait_asleep(pid);
	close(fd);
	STR("after_close", xwait(pid));
}

TEST(posix_deadlock)
{
	pid_t pid;
	int p[2];
	char c;

	begin();
	MUST(pipe(p));
	MUST(set(fd, F_SETLK, F_WRLCK, 0, 1));
	pid = xfork();
	if (!pid) {
		int f = MUST(open("f", O_RDWR));

		MUST(set(f, F_SETLK, F_WRLCK, 1, 1));
		MUST(write(p[1], "x", 1));
		MUST(set(f, F_SETLKW, F_WRLCK, 0, 1));
		_exit(0);
	}
	MUST(read(p[0], &c, 1));
	wait_asleep(pid);
	RET("second", set(fd, F_SETLKW, F_WRLCK, 1, 1));
	RET("release", set(fd, F_SETLK, F_UNLCK, 0, 1));
	STR("child", xwait(pid));
	RET("now", set(fd, F_SETLKW, F_WRLCK, 1, 1));
}

TEST(ofd)
{
	int fd2, dup1;

	begin();
	fd2 = MUST(open("f", O_RDWR));
	dup1 = MUST(dup(fd));
	RET("set", set(fd, F_OFD_SETLK, F_WRLCK, 0, 10));
	RET("same_process_other_open", set(fd2, F_OFD_SETLK, F_WRLCK, 5, 1));
	RET("dup_same", set(dup1, F_OFD_SETLK, F_WRLCK, 5, 1));
	RET("posix_conflicts", set(fd, F_SETLK, F_WRLCK, 0, 1));
	struct flock l = lk(F_WRLCK, 0, 0);

	RET("getlk", fcntl(fd2, F_OFD_GETLK, &l));
	say("getlk.is", "%d pid %d", l.l_type, l.l_pid);
	probe("posix_sees", F_GETLK, F_RDLCK, 0, 0);
	l = lk(F_WRLCK, 0, 0);
	l.l_pid = 5;
	RET("pid_not_zero", fcntl(fd2, F_OFD_SETLK, &l));
	if (!xfork()) {
		RET("child.inherits", set(fd, F_OFD_SETLK, F_WRLCK, 2, 2));
		_exit(0);
	}
	wait(NULL);
	close(fd2);
	fd2 = MUST(open("f", O_RDWR));
	RET("close_other_keeps", set(fd2, F_OFD_SETLK, F_RDLCK, 0, 1));
	close(fd);
	RET("dup_keeps", set(fd2, F_OFD_SETLK, F_RDLCK, 0, 1));
	close(dup1);
	RET("last_close", set(fd2, F_OFD_SETLK, F_RDLCK, 0, 1));
	fd = MUST(open("f", O_RDWR));
	RET("shared", set(fd, F_OFD_SETLK, F_RDLCK, 0, 1));
	RET("upgrade", set(fd, F_OFD_SETLK, F_WRLCK, 0, 1));
	pid_t pid = xfork();

	if (!pid) {
		int f = MUST(open("f", O_RDWR));

		RET("child.wait", set(f, F_OFD_SETLKW, F_WRLCK, 0, 1));
		_exit(0);
	}
	wait_asleep(pid);
	set(fd, F_OFD_SETLK, F_UNLCK, 0, 0);
	set(fd2, F_OFD_SETLK, F_UNLCK, 0, 0);
	STR("child", xwait(pid));
}

TEST(flock)
{
	int fd2, dup1;
	pid_t pid;

	begin();
	fd2 = MUST(open("f", O_RDONLY));
	dup1 = MUST(dup(fd));
	RET("ex", flock(fd, LOCK_EX));
	RET("other_sh", flock(fd2, LOCK_SH | LOCK_NB));
	RET("other_ex", flock(fd2, LOCK_EX | LOCK_NB));
	RET("again", flock(fd, LOCK_EX | LOCK_NB));
	RET("dup", flock(dup1, LOCK_EX | LOCK_NB));
	RET("downgrade", flock(fd, LOCK_SH));
	RET("other_sh2", flock(fd2, LOCK_SH | LOCK_NB));
	RET("upgrade", flock(fd, LOCK_EX | LOCK_NB));
	/* the failed upgrade has dropped the shared lock */
	RET("dropped", flock(fd2, LOCK_EX | LOCK_NB));
	RET("un2", flock(fd2, LOCK_UN));
	RET("posix_is_apart", (flock(fd, LOCK_EX), set(fd2, F_SETLK, F_RDLCK, 0, 0)));
	RET("bad_op", flock(fd, 16));
	RET("nothing", flock(fd, LOCK_NB));
	RET("badfd", flock(-1, LOCK_SH));
	RET("opath", flock(MUST(open("f", O_PATH)), LOCK_SH));
	RET("dir", flock(MUST(open(".", O_RDONLY)), LOCK_EX | LOCK_NB));
	int p[2];

	MUST(pipe(p));
	RET("pipe", flock(p[0], LOCK_EX | LOCK_NB));
	pid = xfork();
	if (!pid) {
		RET("child.same_description", flock(fd, LOCK_EX | LOCK_NB));
		RET("child.unlock", flock(fd, LOCK_UN));
		_exit(0);
	}
	xwait(pid);
	RET("unlocked_by_child", flock(fd2, LOCK_EX | LOCK_NB));
	flock(fd2, LOCK_UN);
	MUST(flock(fd, LOCK_EX));
	pid = xfork();
	if (!pid) {
		RET("child.wait", flock(MUST(open("f", O_RDONLY)), LOCK_EX));
		_exit(0);
	}
	wait_asleep(pid);
	close(fd);
	YES("dup_keeps", wait_asleep(pid));
	close(dup1);
	/* the sleeping child still holds its inherited copies */
	kill(pid, SIGKILL);
	STR("child", xwait(pid));
	RET("free", flock(fd2, LOCK_EX | LOCK_NB));
	pid = xfork();
	if (!pid) {
		sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = ignore }, NULL);
		RET("interrupted", flock(MUST(open("f", O_RDONLY)), LOCK_SH));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	STR("interrupted.child", xwait(pid));
}
