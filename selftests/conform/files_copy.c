// SPDX-License-Identifier: MIT
/* sendfile, splice, tee, vmsplice, copy_file_range, fallocate. */
#include <linux/falloc.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "conform.h"

static char buf[65536];

static int file(const char *name, const char *text)
{
	put_file(name, text);
	return MUST(open(name, O_RDWR));
}

TEST(sendfile)
{
	int in = file("in", "0123456789"), out = file("out", ""), p[2], s[2];
	off_t off = 3;

	MUST(pipe(p));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	RET("to_file", sendfile(out, in, NULL, 4));
	RET("pos.in", lseek(in, 0, SEEK_CUR));
	RET("offset", sendfile(out, in, &off, 100));
	NUM("offset.after", off);
	RET("pos.unmoved", lseek(in, 0, SEEK_CUR));
	STR("content", get_file("out"));
	RET("eof", sendfile(out, in, &off, 10));
	RET("to_pipe", (lseek(in, 0, SEEK_SET), sendfile(p[1], in, NULL, 5)));
	RET("pipe.read", read(p[0], buf, 100));
	say("pipe.data", "%.5s", buf);
	RET("to_socket", sendfile(s[0], in, NULL, 100));
	RET("socket.read", read(s[1], buf, 100));
	say("socket.data", "%.5s", buf);
	RET("from_pipe", sendfile(out, p[0], NULL, 1) && errno == EINVAL);
	RET("zero", sendfile(out, in, NULL, 0));
	off = -1;
	RET("negative", sendfile(out, in, &off, 1));
	RET("efault", sendfile(out, in, (void *)1, 1));
	RET("badfd", sendfile(out, -1, NULL, 1));
	RET("wronly_in", sendfile(out, MUST(open("in", O_WRONLY)), NULL, 1));
	RET("rdonly_out", sendfile(MUST(open("out", O_RDONLY)), in, NULL, 1));
	RET("append_out", sendfile(MUST(open("out", O_WRONLY | O_APPEND)), in, (off = 0, &off), 1));
	RET("dir", sendfile(out, MUST(open(".", O_RDONLY)), NULL, 1));
	RET("to_null", sendfile(MUST(open("/dev/null", O_WRONLY)), in, (off = 0, &off), 10));
}

TEST(splice)
{
	int in = file("in", "0123456789"), out = file("out", ""), p[2], q[2];
	loff_t off = 2, off2 = 5;

	MUST(pipe(p));
	MUST(pipe(q));
	RET("file_to_pipe", splice(in, NULL, p[1], NULL, 4, 0));
	RET("pos", lseek(in, 0, SEEK_CUR));
	RET("file_to_pipe_off", splice(in, &off, p[1], NULL, 3, 0));
	NUM("off", off);
	RET("pipe_to_file", splice(p[0], NULL, out, NULL, 5, 0));
	RET("pipe_to_file_off", splice(p[0], NULL, out, &off2, 100, 0));
	NUM("off2", off2);
	STR("content", get_file("out"));
	RET("empty_nonblock", splice(p[0], NULL, out, NULL, 5, SPLICE_F_NONBLOCK));
	RET("eof", (lseek(in, 0, SEEK_END), splice(in, NULL, p[1], NULL, 5, 0)));
	MUST(write(p[1], "pipe to pipe", 12));
	RET("pipe_to_pipe", splice(p[0], NULL, q[1], NULL, 6, 0));
	RET("read_q", read(q[0], buf, 100));
	say("data_q", "%.6s", buf);
	RET("read_p", read(p[0], buf, 100));
	say("data_p", "%.6s", buf);
	RET("same_pipe", (write(p[1], "x", 1), splice(p[0], NULL, p[1], NULL, 1, SPLICE_F_NONBLOCK)));
	RET("file_to_file", splice(in, NULL, out, NULL, 1, 0));
	RET("pipe_with_off", splice(in, NULL, p[1], &off, 1, 0));
	RET("flags", splice(in, NULL, p[1], NULL, 1, 0x100));
	RET("zero", splice(in, NULL, p[1], NULL, 0, 0));
	RET("badfd", splice(-1, NULL, p[1], NULL, 1, 0));
	RET("append", splice(p[0], NULL, MUST(open("out", O_WRONLY | O_APPEND)), NULL, 1, 0));
	RET("wrong_end", splice(in, NULL, p[0], NULL, 1, 0));
	RET("efault", splice(in, (void *)1, p[1], NULL, 1, 0));
	close(q[1]);
	RET("writer_gone", splice(q[0], NULL, out, NULL, 1, 0));
	signal(SIGPIPE, SIG_IGN);
	close(p[0]);
	RET("reader_gone", (lseek(in, 0, SEEK_SET), splice(in, NULL, p[1], NULL, 1, 0)));
}

TEST(tee)
{
	int p[2], q[2], f = file("f", "");
	struct iovec iov[2] = { { "vm", 2 }, { "splice", 6 } };

	MUST(pipe(p));
	MUST(pipe(q));
	MUST(write(p[1], "doubled", 7));
	RET("tee", tee(p[0], q[1], 100, 0));
	RET("first", read(p[0], buf, 100));
	say("first.data", "%.7s", buf);
	RET("second", read(q[0], buf, 100));
	say("second.data", "%.7s", buf);
	RET("empty", tee(p[0], q[1], 100, SPLICE_F_NONBLOCK));
	RET("part", (write(p[1], "abcdef", 6), tee(p[0], q[1], 3, 0)));
	RET("part.read", read(q[0], buf, 100));
	RET("same", tee(p[0], p[1], 1, 0));
	RET("file", tee(p[0], f, 1, 0));
	RET("flags", tee(p[0], q[1], 1, 0x100));
	read(p[0], buf, 100);
	RET("vmsplice", vmsplice(p[1], iov, 2, 0));
	RET("vmsplice.read", read(p[0], buf, 100));
	say("vmsplice.data", "%.8s", buf);
	RET("vmsplice.file", vmsplice(f, iov, 1, 0));
	MUST(write(p[1], "to user", 7));
	iov[0] = (struct iovec){ buf + 100, 7 };
	RET("vmsplice.from", vmsplice(p[0], iov, 1, 0));
	say("vmsplice.from_data", "%.7s", buf + 100);
}

TEST(copy_file_range)
{
	int in = file("in", "0123456789"), out = file("out", ""), p[2];
	loff_t a = 2, b = 1;

	MUST(pipe(p));
	RET("plain", copy_file_range(in, NULL, out, NULL, 4, 0));
	RET("offsets", copy_file_range(in, &a, out, &b, 3, 0));
	say("offsets.after", "%ld %ld", (long)a, (long)b);
	RET("pos", lseek(out, 0, SEEK_CUR));
	STR("content", get_file("out"));
	a = 8;
	RET("short", copy_file_range(in, &a, out, NULL, 100, 0));
	RET("eof", copy_file_range(in, &a, out, NULL, 100, 0));
	a = 0, b = 5;
	RET("overlap", copy_file_range(in, &a, in, &b, 6, 0));
	a = 0, b = 20;
	RET("same_file", copy_file_range(in, &a, in, &b, 4, 0));
	RET("flags", copy_file_range(in, NULL, out, NULL, 1, 1));
	RET("pipe", copy_file_range(in, NULL, p[1], NULL, 1, 0));
	RET("dir", copy_file_range(MUST(open(".", O_RDONLY)), NULL, out, NULL, 1, 0));
	RET("ro_out", copy_file_range(in, NULL, MUST(open("out", O_RDONLY)), NULL, 1, 0));
	RET("append_out", copy_file_range(in, NULL, MUST(open("out", O_WRONLY | O_APPEND)), NULL, 1, 0));
	RET("badfd", copy_file_range(in, NULL, -1, NULL, 1, 0));
	a = -1;
	RET("negative", copy_file_range(in, &a, out, NULL, 1, 0) && errno != EINVAL && errno != EOVERFLOW ? -1 : 0);
	RET("efault", copy_file_range(in, (void *)1, out, NULL, 1, 0));
}

static void show(const char *name, int fd)
{
	struct stat st;

	fstat(fd, &st);
	say(name, "size %ld blocks %s", (long)st.st_size, st.st_blocks ? "some" : "none");
}

TEST(fallocate)
{
	int fd = file("f", ""), sum;

	RET("plain", fallocate(fd, 0, 0, 1 << 20));
	show("plain.is", fd);
	RET("keep_size", fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 20));
	show("keep_size.is", fd);
	memset(buf, 'x', sizeof(buf));
	for (int i = 0; i < 16; i++)
		MUST(pwrite(fd, buf, 65536, i * 65536));
	RET("punch", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536 + 10, 65536 * 3));
	MUST(pread(fd, buf, 65536, 65536));
	say("punch.edge", "%c %d", buf[9], buf[10]);
	MUST(pread(fd, buf, 65536, 65536 * 4));
	say("punch.end", "%d %c", buf[9], buf[10]);
	MUST(pread(fd, buf, 65536, 65536 * 2));
	sum = 0;
	for (int i = 0; i < 65536; i++)
		sum |= buf[i];
	NUM("punch.middle", sum);
	show("punch.is", fd);
	RET("punch_without_keep", fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
	RET("punch_past_end", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1L << 30, 4096));
	show("punch_past_end.is", fd);
	RET("zero_len", fallocate(fd, 0, 0, 0));
	RET("negative", fallocate(fd, 0, -1, 10));
	RET("negative_len", fallocate(fd, 0, 0, -1));
	RET("overflow", fallocate(fd, 0, 0x7ffffffffffff000L, 0x7000) && errno != EFBIG ? -1 : 0);
	RET("unknown", fallocate(fd, 0x1000, 0, 10));
	RET("rdonly", fallocate(MUST(open("f", O_RDONLY)), 0, 0, 10));
	RET("dir", fallocate(MUST(open(".", O_RDONLY)), 0, 0, 10));
	int p[2];

	MUST(pipe(p));
	RET("pipe", fallocate(p[1], 0, 0, 10));
	RET("null", fallocate(MUST(open("/dev/null", O_WRONLY)), 0, 0, 10));
	ERR("posix", posix_fallocate(fd, 0, 3 << 20));
	show("posix.is", fd);
	ERR("posix.smaller", posix_fallocate(fd, 0, 10));
	show("posix.smaller.is", fd);
}
