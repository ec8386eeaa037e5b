// SPDX-License-Identifier: MIT
/* read, write and their relatives; lseek with data and holes; truncate; appending. */
#include <limits.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "conform.h"

static char buf[65536];

TEST(basic)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));

	RET("read.empty", read(fd, buf, 10));
	RET("write", write(fd, "abcdef", 6));
	RET("read.eof", read(fd, buf, 10));
	RET("seek", lseek(fd, 2, SEEK_SET));
	RET("read", read(fd, buf, 10));
	say("data", "%.4s", buf);
	RET("pread", pread(fd, buf, 3, 1));
	say("pread.data", "%.3s", buf);
	RET("pread.eof", pread(fd, buf, 3, 100));
	RET("pread.negative", pread(fd, buf, 3, -1));
	RET("pwrite.negative", pwrite(fd, buf, 3, -1));
	RET("pwrite", pwrite(fd, "ZZ", 2, 8));
	STR("hole_start", N("%.6s", get_file("f")));
	RET("pos", lseek(fd, 0, SEEK_CUR));
	RET("end", lseek(fd, 0, SEEK_END));
	RET("end_minus", lseek(fd, -10, SEEK_END));
	RET("before_start", lseek(fd, -11, SEEK_END));
	RET("set_negative", lseek(fd, -1, SEEK_SET));
	RET("whence", lseek(fd, 0, 99));
	RET("far", lseek(fd, 1L << 40, SEEK_SET));
	RET("far.read", read(fd, buf, 1));
	RET("cur_overflow", lseek(fd, LONG_MAX, SEEK_CUR));
	RET("zero_read", read(fd, NULL, 0));
	RET("zero_write", write(fd, NULL, 0));
	struct stat st;

	fstat(fd, &st);
	NUM("size_not_grown", st.st_size);
	RET("read.efault", pread(fd, (void *)1, 3, 0));
	RET("write.efault", write(fd, (void *)1, 3));
	RET("write.efault.kernel", write(fd, (void *)0xffffffff81000000UL, 3));
	RET("read.badfd", read(-1, buf, 1));
	RET("write.badfd", write(1000, buf, 1));
	close(fd);
	RET("closed", read(fd, buf, 1));
	fd = MUST(open("f", O_RDONLY));
	RET("write.rdonly", write(fd, "x", 1));
	RET("ftruncate.rdonly", ftruncate(fd, 0));
	close(fd);
	fd = MUST(open("f", O_WRONLY));
	RET("read.wronly", read(fd, buf, 1));
	close(fd);
	fd = MUST(open(".", O_RDONLY));
	RET("read.dir", read(fd, buf, 1));
	RET("pread.dir", pread(fd, buf, 1, 0));
	RET("write.dir", write(fd, buf, 1));
	close(fd);
	fd = MUST(open("f", 3));
	RET("read.mode3", read(fd, buf, 1));
	RET("write.mode3", write(fd, buf, 1));
	close(fd);
}

TEST(partial_fault)
{
	/* the second page of the buffer is not there: what fits is transferred, if anything is */
	long r;
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	char *p = MUST(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	MUST(munmap(p + PAGE, PAGE));
	r = write(fd, buf, 8192);
	NUM("setup", r);
	r = pread(fd, p + PAGE, PAGE, 0);
	say("read.none", "%s", r < 0 ? errno_name(errno) : "some");
	r = pread(fd, p + PAGE - 100, 200, 0);
	say("read.cut", "%s", r < 0 ? errno_name(errno) : r <= 100 ? "at most 100" : "too many");
	r = pwrite(fd, p + PAGE, 100, 0);
	say("write.none", "%s", r < 0 ? errno_name(errno) : "some");
	r = pwrite(fd, p + PAGE - 100, 200, 0);
	say("write.cut", "%s", r < 0 ? errno_name(errno) : r <= 100 ? "at most 100" : "too many");
}

TEST(vectors)
{
	char a[4] = "", b[4] = "", c[9] = "";
	struct iovec iov[3] = { { a, 3 }, { b, 3 }, { c, 8 } };
	static struct iovec many[IOV_MAX + 1];
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	struct iovec w[3] = { { "one", 3 }, { "", 0 }, { "two!", 4 } };

	RET("writev", writev(fd, w, 3));
	lseek(fd, 0, SEEK_SET);
	RET("readv", readv(fd, iov, 3));
	say("data", "%s,%s,%s", a, b, c);
	RET("preadv", preadv(fd, iov, 2, 1));
	say("preadv.data", "%s,%s", a, b);
	RET("pwritev", pwritev(fd, w, 3, 3));
	STR("content", get_file("f"));
	RET("pos", lseek(fd, 0, SEEK_CUR));
	RET("zero", readv(fd, iov, 0));
	RET("negative", syscall(SYS_readv, fd, iov, -1));
	for (int i = 0; i < IOV_MAX + 1; i++)
		many[i] = (struct iovec){ buf, 1 };
	RET("1024", writev(fd, many, 1024));
	RET("1025", writev(fd, many, 1025));
	iov[0] = (struct iovec){ buf, SIZE_MAX / 2 + 2 };
	RET("len_negative", readv(fd, iov, 1));
	iov[0] = (struct iovec){ (void *)1, 3 };
	RET("efault_first", preadv(fd, iov, 2, 0));
	RET("efault_array", readv(fd, (void *)1, 2));
	iov[0] = (struct iovec){ a, 3 };
	iov[1] = (struct iovec){ (void *)1, 3 };
	RET("efault_second", preadv(fd, iov, 2, 0));
	RET("negative_offset", preadv(fd, iov, 1, -5));
	iov[1] = (struct iovec){ b, 3 };
	RET("preadv2.cur", preadv2(fd, iov, 2, -1, 0));
	lseek(fd, 0, SEEK_SET);
	RET("preadv2.cur0", preadv2(fd, iov, 1, -1, 0));
	RET("preadv2.moved", lseek(fd, 0, SEEK_CUR));
	RET("preadv2.hipri_bad", preadv2(fd, iov, 1, 0, 0x40000000));
	RET("pwritev2.append", pwritev2(fd, w, 1, 0, RWF_APPEND));
	struct stat st;

	fstat(fd, &st);
	NUM("pwritev2.size", st.st_size);
	RET("pwritev2.dsync", pwritev2(fd, w, 1, 0, RWF_DSYNC));
	RET("pwritev2.sync", pwritev2(fd, w, 1, 0, RWF_SYNC));
	RET("preadv2.nowait", preadv2(fd, iov, 1, 0, RWF_NOWAIT) >= 0 || errno == EAGAIN || errno == EOPNOTSUPP);
	int p[2];

	MUST(pipe(p));
	RET("pipe.preadv", preadv(p[0], iov, 1, 0));
	RET("pipe.pwritev", pwritev(p[1], iov, 1, 0));
	RET("pipe.pread", pread(p[0], buf, 1, 0));
	RET("pipe.lseek", lseek(p[0], 0, SEEK_SET));
	RET("pipe.preadv2_cur", (write(p[1], "x", 1), preadv2(p[0], iov, 1, -1, 0)));
	RET("pipe.preadv2_nowait", preadv2(p[0], iov, 1, -1, RWF_NOWAIT));
}

TEST(append)
{
	int a = MUST(open("f", O_RDWR | O_CREAT | O_APPEND, 0600)), b = MUST(open("f", O_RDWR));

	RET("a", write(a, "aaa", 3));
	RET("b", write(b, "B", 1));
	RET("a2", write(a, "cc", 2));
	RET("a.pos", lseek(a, 0, SEEK_CUR));
	RET("seek", lseek(a, 1, SEEK_SET));
	RET("a3", write(a, "d", 1));
	RET("a.pwrite", pwrite(a, "e", 1, 0));	/* Linux appends all the same */
	STR("content", get_file("f"));
	RET("clear", fcntl(a, F_SETFL, 0));
	RET("plain", pwrite(a, "Z", 1, 0));
	RET("set", fcntl(b, F_SETFL, O_APPEND));
	RET("b2", write(b, "end", 3));
	STR("content2", get_file("f"));
	/* two processes append without losing a byte */
	close(b);
	MUST(ftruncate(a, 0));
	pid_t pid[2];

	for (int i = 0; i < 2; i++) {
		pid[i] = xfork();
		if (!pid[i]) {
			int fd = MUST(open("f", O_WRONLY | O_APPEND));

			for (int k = 0; k < 200; k++)
				MUST(write(fd, i ? "11111\n" : "00000\n", 6));
			_exit(0);
		}
	}
	for (int i = 0; i < 2; i++)
		STR(N("child%d", i), xwait(pid[i]));
	FILE *f = fopen("f", "r");
	int counts[2] = { 0, 0 }, bad = 0;
	char line[32];

	while (fgets(line, sizeof(line), f))
		if (!strcmp(line, "00000\n"))
			counts[0]++;
		else if (!strcmp(line, "11111\n"))
			counts[1]++;
		else
			bad++;
	say("lines", "%d %d %d", counts[0], counts[1], bad);
}

TEST(shared_offset)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600)), fd2 = MUST(dup(fd)), fd3 = MUST(open("f", O_RDONLY));

	MUST(write(fd, "0123456789", 10));
	RET("dup", lseek(fd2, 0, SEEK_CUR));
	RET("other", lseek(fd3, 0, SEEK_CUR));
	if (!xfork()) {
		lseek(fd, 4, SEEK_SET);
		_exit(0);
	}
	wait(NULL);
	RET("fork", lseek(fd, 0, SEEK_CUR));
	RET("read", read(fd2, buf, 2));
	say("data", "%.2s", buf);
	RET("after", lseek(fd, 0, SEEK_CUR));
	int p = MUST(open(N("/proc/self/fd/%d", fd), O_RDONLY));

	RET("proc_reopen", lseek(p, 0, SEEK_CUR));
}

TEST(truncate)
{
	struct stat st;
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));

	MUST(write(fd, "0123456789", 10));
	RET("shrink", ftruncate(fd, 4));
	RET("grow", ftruncate(fd, 8));
	RET("read", pread(fd, buf, 20, 0));
	say("zeros", "%.4s %d %d %d %d", buf, buf[4], buf[5], buf[6], buf[7]);
	RET("same", ftruncate(fd, 8));
	RET("negative", ftruncate(fd, -1));
	RET("path", truncate("f", 3));
	RET("pos_stays", lseek(fd, 0, SEEK_CUR));
	RET("write_beyond", write(fd, "x", 1));
	fstat(fd, &st);
	NUM("size", st.st_size);
	RET("page_edge", ftruncate(fd, 5000));
	memset(buf, 'q', 5000);
	RET("fill", pwrite(fd, buf, 5000, 0));
	RET("cut", ftruncate(fd, 4097));
	RET("regrow", ftruncate(fd, 5000));
	RET("reread", pread(fd, buf, 5000, 0));
	say("tail", "%c %d %d", buf[4096], buf[4097], buf[4999]);
	RET("big", ftruncate(fd, 1L << 36));
	fstat(fd, &st);
	NUM("big.size", st.st_size);
	RET("big.read", pread(fd, buf, 4, (1L << 36) - 4));
	RET("max", ftruncate(fd, LONG_MAX) && errno != EFBIG && errno != EINVAL ? -1 : 0);
	RET("absent", truncate("nope", 0));
	RET("dir", truncate(".", 0));
	RET("ftruncate.dir", ftruncate(MUST(open(".", O_RDONLY)), 0));
	RET("efault", truncate((void *)1, 0));
	RET("path.negative", truncate("f", -1));
	int p[2];

	MUST(pipe(p));
	RET("pipe", ftruncate(p[1], 0));
	mkfifo("ff", 0600);
	RET("fifo", truncate("ff", 0));
}

TEST(holes)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	struct stat st;

	/* 1 MiB apart, so that the block size does not matter */
	memset(buf, 'd', 65536);
	MUST(ftruncate(fd, 4 << 20));
	MUST(pwrite(fd, buf, 65536, 1 << 20));
	RET("data0", lseek(fd, 0, SEEK_DATA));
	RET("hole0", lseek(fd, 0, SEEK_HOLE));
	RET("hole_in_data", lseek(fd, 1 << 20, SEEK_HOLE));
	RET("data_in_data", lseek(fd, (1 << 20) + 100, SEEK_DATA));
	RET("data_after", lseek(fd, 2 << 20, SEEK_DATA));
	RET("hole_after", lseek(fd, 2 << 20, SEEK_HOLE));
	RET("data_end", lseek(fd, 4 << 20, SEEK_DATA));
	RET("hole_end", lseek(fd, 4 << 20, SEEK_HOLE));
	RET("beyond", lseek(fd, 5 << 20, SEEK_HOLE));
	RET("negative", lseek(fd, -1, SEEK_DATA));
	fstat(fd, &st);
	YES("sparse", st.st_blocks < (2 << 20) / 512 && st.st_blocks >= 65536 / 512);
	RET("read_hole", pread(fd, buf, 4096, 3 << 20));
	int sum = 0;

	for (int i = 0; i < 4096; i++)
		sum |= buf[i];
	NUM("zeros", sum);
	fd = MUST(open("e", O_RDWR | O_CREAT, 0600));
	RET("empty.data", lseek(fd, 0, SEEK_DATA));
	RET("empty.hole", lseek(fd, 0, SEEK_HOLE));
}

TEST(devices)
{
	int null = MUST(open("/dev/null", O_RDWR)), zero = MUST(open("/dev/zero", O_RDWR));
	int full = MUST(open("/dev/full", O_RDWR)), rnd = MUST(open("/dev/urandom", O_RDWR));
	char a[32], b[32];

	RET("null.read", read(null, buf, 10));
	RET("null.write", write(null, buf, 65536));
	RET("null.write_bad", write(null, (void *)1, 10));
	RET("null.pread", pread(null, buf, 10, 100));
	memset(buf, 1, 100);
	RET("zero.read", read(zero, buf, 100));
	YES("zero.zeros", !buf[0] && !buf[99]);
	RET("zero.read_bad", read(zero, (void *)1, 10));
	RET("zero.write", write(zero, buf, 100));
	RET("full.read", read(full, buf, 100));
	RET("full.write", write(full, buf, 100));
	RET("urandom.read", read(rnd, a, 32));
	RET("urandom.read2", read(rnd, b, 32));
	YES("urandom.differ", memcmp(a, b, 32));
	RET("urandom.write", write(rnd, a, 32));
	RET("zero.lseek", lseek(zero, 10, SEEK_SET));
	FD("random", open("/dev/random", O_RDONLY));
	FD("devfd", open("/dev/fd/0", O_RDONLY));
	FD("stdin", open("/dev/stdin", O_RDONLY));
	static const char *const devs[] = { "null", "zero", "full", "random", "urandom", "tty", "ptmx" };

	for (size_t i = 0; i < ARRAY_SIZE(devs); i++) {
		struct stat st;

		MUST(stat(N("/dev/%s", devs[i]), &st));
		say(N("stat.%s", devs[i]), "%o rdev=%lx", st.st_mode & ~0022, (long)st.st_rdev);
	}
}

TEST(limits)
{
	struct { long cur, max; } rl = { 8192, 8192 };
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));

	signal(SIGXFSZ, SIG_IGN);
	MUST(syscall(SYS_setrlimit, 1 /* RLIMIT_FSIZE */, &rl));
	RET("within", pwrite(fd, buf, 8192, 0));
	RET("cut", pwrite(fd, buf, 200, 8092));
	RET("beyond", pwrite(fd, buf, 200, 8192));
	RET("truncate", ftruncate(fd, 8193));
	RET("truncate.ok", ftruncate(fd, 8192));
	signal(SIGXFSZ, SIG_DFL);
	pid_t pid = xfork();

	if (!pid) {
		pwrite(fd, buf, 1, 8192);
		_exit(0);
	}
	STR("signal", xwait(pid));
}

TEST(sync)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600)), p[2];

	MUST(pipe(p));
	RET("fsync", fsync(fd));
	RET("fdatasync", fdatasync(fd));
	RET("fsync.dir", fsync(MUST(open(".", O_RDONLY))));
	RET("fsync.pipe", fsync(p[0]));
	RET("fsync.bad", fsync(-1));
	RET("syncfs", syncfs(fd));
	RET("sync_file_range", sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE));
	RET("sync_file_range.flags", sync_file_range(fd, 0, 0, 64));
	RET("sync_file_range.pipe", sync_file_range(p[0], 0, 0, 2));
	RET("readahead", readahead(fd, 0, 100));
	RET("readahead.pipe", readahead(p[0], 0, 100));
	ERR("fadvise", posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
	ERR("fadvise.bad", posix_fadvise(fd, 0, 0, 77));
	ERR("fadvise.pipe", posix_fadvise(p[0], 0, 0, POSIX_FADV_NORMAL));
	RET("odirect_flag", fcntl(fd, F_SETFL, O_NONBLOCK | O_ASYNC) ? -1 : fcntl(fd, F_GETFL) & O_NONBLOCK);
}
