// SPDX-License-Identifier: MIT
/* inotify: which operation gives which events, in which order. */
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

#include "conform.h"

static const struct {
	uint32_t bit;
	const char *name;
} bits[] = {
	{ IN_ACCESS, "ACCESS" }, { IN_MODIFY, "MODIFY" }, { IN_ATTRIB, "ATTRIB" },
	{ IN_CLOSE_WRITE, "CLOSE_WRITE" }, { IN_CLOSE_NOWRITE, "CLOSE_NOWRITE" }, { IN_OPEN, "OPEN" },
	{ IN_MOVED_FROM, "MOVED_FROM" }, { IN_MOVED_TO, "MOVED_TO" }, { IN_CREATE, "CREATE" },
	{ IN_DELETE, "DELETE" }, { IN_DELETE_SELF, "DELETE_SELF" }, { IN_MOVE_SELF, "MOVE_SELF" },
	{ IN_UNMOUNT, "UNMOUNT" }, { IN_Q_OVERFLOW, "Q_OVERFLOW" }, { IN_IGNORED, "IGNORED" },
	{ IN_ISDIR, "ISDIR" },
};

static int in;

/* All queued events: "wd:MASK[(name)]", cookies as equal (=) to the one before or not (!). */
static void drain(const char *name)
{
	static char buf[65536] __attribute__((aligned(8)));
	char out[3500] = "";
	uint32_t last = 0;
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;
			size_t at = strlen(out);

			if (at > sizeof(out) - 300)
				break;
			at += (size_t)sprintf(out + at, "%d:", e->wd);
			for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
				if (e->mask & bits[i].bit)
					at += (size_t)sprintf(out + at, "%s,", bits[i].name);
			if (e->len)
				at += (size_t)sprintf(out + at, "(%s)", e->name);
			if (e->cookie)
				at += (size_t)sprintf(out + at, "%s", e->cookie == last ? "=" : "!");
			last = e->cookie;
			strcpy(out + at, " ");
			p += sizeof(*e) + e->len;
		}
	say(name, "%s", out);
}

#define EVENTS(what) do { what; drain(#what); } while (0)

static void populate(void)
{
	in = MUST(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
	mkdir("d", 0755);
	mkdir("e", 0755);
	put_file("d/f", "text");
}

TEST(directory)
{
	char buf[16];
	int fd;

	populate();
	NUM("add", inotify_add_watch(in, "d", IN_ALL_EVENTS));
	EVENTS(fd = open("d/f", O_RDWR));
	EVENTS(read(fd, buf, 2));
	EVENTS(read(fd, buf, 0));
	EVENTS(write(fd, "x", 1));
	EVENTS(ftruncate(fd, 1));
	EVENTS(fchmod(fd, 0600));
	EVENTS(close(fd));
	EVENTS(close(open("d/f", O_RDONLY)));
	EVENTS(close(open("d/new", O_CREAT | O_WRONLY, 0600)));
	EVENTS(truncate("d/f", 3));
	EVENTS(mkdir("d/sub", 0755));
	EVENTS(symlink("x", "d/link"));
	EVENTS(link("d/f", "d/hard"));
	EVENTS(mkfifo("d/fifo", 0600));
	EVENTS(rename("d/new", "d/newer"));
	EVENTS(rename("d/newer", "e/out"));
	EVENTS(rename("e/out", "d/back"));
	EVENTS(rename("d/back", "d/hard"));
	EVENTS(rename("d/sub", "d/sub2"));
	EVENTS(unlink("d/hard"));
	EVENTS(unlink("d/link"));
	EVENTS(rmdir("d/sub2"));
	EVENTS(chmod("d", 0711));
	EVENTS(close(open("d", O_RDONLY)));
	EVENTS(access("d/f", R_OK));
	EVENTS(utimensat(AT_FDCWD, "d/f", NULL, 0));
	EVENTS(unlink("d/fifo"));
	EVENTS(unlink("d/f"));
	EVENTS(rename("d", "dd"));
	EVENTS(rmdir("dd"));
}

TEST(file)
{
	int fd;

	populate();
	NUM("add", inotify_add_watch(in, "d/f", IN_ALL_EVENTS));
	EVENTS(link("d/f", "d/g"));
	EVENTS(unlink("d/g"));
	EVENTS(rename("d/f", "d/h"));
	fd = open("d/h", O_WRONLY | O_APPEND);
	EVENTS(write(fd, "1", 1));
	EVENTS(write(fd, "1", (size_t)1L));	/* equal to the last one: merged only while it is queued */
	write(fd, "2", 1), write(fd, "3", 1);
	drain("merged");
	EVENTS(unlink("d/h"));
	EVENTS(close(fd));
}

TEST(watches)
{
	int wd, wd2;

	populate();
	wd = inotify_add_watch(in, "d", IN_CREATE);
	NUM("first", wd);
	NUM("same_inode", inotify_add_watch(in, "d/.", IN_DELETE));
	put_file("d/a", "");
	drain("replaced_mask");
	EVENTS(unlink("d/a"));
	NUM("mask_add", inotify_add_watch(in, "d", IN_CREATE | IN_MASK_ADD));
	put_file("d/a", "");
	unlink("d/a");
	drain("both");
	RET("mask_create", inotify_add_watch(in, "d", IN_CREATE | IN_MASK_CREATE));
	wd2 = inotify_add_watch(in, "e", IN_ALL_EVENTS | IN_MASK_CREATE);
	NUM("second", wd2);
	RET("remove", inotify_rm_watch(in, wd));
	drain("removed");
	RET("remove.again", inotify_rm_watch(in, wd));
	RET("remove.file", inotify_rm_watch(0, 1));
	put_file("d/b", "");
	drain("silent");
	NUM("fresh_number", inotify_add_watch(in, "d", IN_CREATE | IN_ONESHOT));
	put_file("d/c", "");
	put_file("d/c2", "");
	drain("oneshot");
	RET("absent", inotify_add_watch(in, "nope", IN_CREATE));
	RET("zero_mask", inotify_add_watch(in, "d", 0));
	RET("onlydir", inotify_add_watch(in, "d/b", IN_CREATE | IN_ONLYDIR));
	symlink("d", "l");
	NUM("dont_follow", inotify_add_watch(in, "l", IN_ALL_EVENTS | IN_DONT_FOLLOW) > 0);
	RET("badfd", inotify_add_watch(-1, "d", IN_CREATE));
	RET("notify_fd_is_file", inotify_add_watch(MUST(open("d/b", O_RDONLY)), "d", IN_CREATE));
	RET("init.flags", inotify_init1(0x8));
}

TEST(queue)
{
	struct pollfd pfd;
	char small[16], buf[256];
	int n = -1;

	populate();
	inotify_add_watch(in, "d", IN_CREATE);
	pfd = (struct pollfd){ .fd = in, .events = POLLIN | POLLOUT };
	RET("poll.empty", poll(&pfd, 1, 0));
	RET("read.empty", read(in, buf, sizeof(buf)));
	put_file("d/name-of-some-length", "");
	RET("poll.ready", poll(&pfd, 1, 0));
	HEX("revents", pfd.revents);
	RET("fionread", ioctl(in, FIONREAD, &n));
	NUM("fionread.is", n);
	RET("too_small", read(in, small, sizeof(small)));
	RET("enough", read(in, buf, sizeof(buf)));
	NUM("padded_len", ((struct inotify_event *)buf)->len);
	RET("write", write(in, buf, 1));
	RET("lseek", lseek(in, 0, SEEK_SET));
}

TEST(excl_unlink)
{
	int fd;

	populate();
	inotify_add_watch(in, "d", IN_ALL_EVENTS | IN_EXCL_UNLINK);
	fd = open("d/f", O_RDWR);
	unlink("d/f");
	drain("before");
	EVENTS(write(fd, "x", 1));
	EVENTS(close(fd));
}

TEST(others)
{
	populate();
	inotify_add_watch(in, "d", IN_ALL_EVENTS);
	if (!xfork()) {
		put_file("d/by-child", "x");
		_exit(0);
	}
	wait(NULL);
	drain("child");
	fcntl(in, F_SETFL, 0);
	pid_t pid = xfork();

	if (!pid) {
		wait_asleep(getppid());
		mkdir("d/wake", 0755);
		_exit(0);
	}
	char buf[256];

	RET("blocking_read", read(in, buf, sizeof(buf)));
	xwait(pid);
}
