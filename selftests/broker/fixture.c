// SPDX-License-Identifier: MIT
#define _GNU_SOURCE
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

static int tests, failures;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static bool tap_line(bool cond, const char *text)
{
	tests++;
	failures += !cond;
	printf("%sok %d - %s\n", cond ? "" : "not ", tests, text);
	fflush(stdout);
	return cond;
}

bool tap_ok(bool cond, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return tap_line(cond, text);
}

static const char *show(int64_t v, char *buf, size_t cap)
{
	const char *name = v < 0 && v > -4096 ? strerrorname_np((int)-v) : NULL;

	if (v == P9C_BROKEN)
		return "(no proper reply)";
	if (name)
		return name;
	snprintf(buf, cap, "%lld", (long long)v);
	return buf;
}

bool tap_eq(int64_t got, int64_t want, const char *fmt, ...)
{
	char text[512], a[32], b[32];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (got != want && n >= 0 && n < (int)sizeof(text))
		snprintf(text + n, sizeof(text) - (size_t)n, " # got %s, want %s",
			 show(got, a, sizeof(a)), show(want, b, sizeof(b)));
	return tap_line(got == want, text);
}

void tap_skip(const char *name, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tests, name, why);
}

int tap_end(void)
{
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

const char *fixture_path(const struct fixture *f, const char *rel)
{
	static _Thread_local char bufs[4][512];
	static _Thread_local unsigned int next;
	char *buf = bufs[next++ % 4];

	snprintf(buf, sizeof(bufs[0]), "%s/%s", f->base, rel);
	return buf;
}

static void make_file(const char *dir, const char *name, size_t size, mode_t mode)
{
	char path[600], line[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		die(path);
	for (size_t at = 0; at < size;) {
		size_t n = (size_t)snprintf(line, sizeof(line), "%s", size == 6 ? "hello\n" :
					    "0123456789abcdef0123456789abcde\n");

		if (n > size - at)
			n = size - at;
		if (write(fd, line, n) != (ssize_t)n)
			die(path);
		at += n;
	}
	if (fchmod(fd, mode))
		die(path);
	close(fd);
}

static void make_socket(const char *dir)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/sock", dir);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)))
		die("socket");
	close(fd);
}

static void make_tree(struct fixture *f, const char *which)
{
	char dir[96], path[256], abs[128];
	static const struct { const char *name; size_t size; mode_t mode; } files[] = {
		{ "file", 6, 0644 }, { "empty", 0, 0644 }, { "exact", 16384, 0644 },
		{ "over", 16385, 0644 }, { "big", 200000, 0644 }, { "noread", 6, 0 },
		{ "suid", 6, 04755 }, { "dir/a", 6, 0644 }, { "dir/b", 6, 0644 },
		{ "dir/c", 6, 0644 }, { "dir/sub/deep/leaf", 6, 0644 },
	};
	static const char *const dirs[] = { "", "/dir", "/dir/sub", "/dir/sub/deep" };

	snprintf(dir, sizeof(dir), "%s/%s", f->base, which);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", dir, dirs[i]);
		if (mkdir(path, 0755))
			die(path);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		make_file(dir, files[i].name, files[i].size, files[i].mode);
	snprintf(abs, sizeof(abs), "%s/outside", f->base);
#define LINK(target, name) do { \
		snprintf(path, sizeof(path), "%s/%s", dir, name); \
		if (symlink(target, path)) \
			die(path); \
	} while (0)
	LINK("file", "link");
	LINK("dir", "dirlink");
	LINK("../outside", "uplink");
	LINK(abs, "abslink");
	snprintf(path, sizeof(path), "%s/fifo", dir);
	if (mkfifo(path, 0666))
		die(path);
	make_socket(dir);
	snprintf(path, sizeof(path), "%s/null", dir);
	if (geteuid() == 0 && mknod(path, S_IFCHR | 0666, makedev(1, 3)))
		die(path);
}

void fixture_make(struct fixture *f)
{
	const char *tmp = getenv("TMPDIR");
	mode_t old = umask(0);

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!tmp || strlen(tmp) > 50)
		tmp = "/tmp";
	snprintf(f->base, sizeof(f->base), "%s/b9p.XXXXXX", tmp);
	if (!mkdtemp(f->base))
		die(f->base);
	if (chmod(f->base, 0755) || mkdir(fixture_path(f, "outside"), 0755))
		die(f->base);
	make_file(fixture_path(f, "outside"), "secret", 100, 0644);
	make_file(f->base, "one", 6, 0644);
	make_file(f->base, "onerw", 6, 0644);
	make_tree(f, "ro");
	make_tree(f, "rw");
	umask(old);
}

static void log_fn(void *arg, enum b9p_log_kind kind, const char *line)
{
	struct fixture *f = arg;
	int n;

	pthread_mutex_lock(&log_lock);
	if (f->log_len > sizeof(f->log) / 2)
		f->log_len = 0;
	n = snprintf(f->log + f->log_len, sizeof(f->log) - f->log_len, "%d %s\n", (int)kind, line);
	if (n > 0 && (size_t)n < sizeof(f->log) - f->log_len)
		f->log_len += (size_t)n;
	pthread_mutex_unlock(&log_lock);
}

void fixture_start(struct fixture *f, const struct b9p_limits *limits)
{
	static const struct { const char *name; uint32_t flags; } list[] = {
		{ "ro", 0 }, { "rw", B9P_EXPORT_RW }, { "one", 0 }, { "onerw", B9P_EXPORT_RW },
	};
	struct b9p_export ex[4];
	struct b9p_config config = { .exports = ex, .nr_exports = 4, .log = log_fn, .log_arg = f };

	f->fds_before = count_fds();
	for (int i = 0; i < 4; i++) {
		ex[i] = (struct b9p_export){ .name = list[i].name, .flags = list[i].flags,
			.fd = open(fixture_path(f, list[i].name), O_PATH | O_CLOEXEC) };
		if (ex[i].fd < 0)
			die(list[i].name);
	}
	if (limits)
		config.limits = *limits;
	if (b9p_create(&config, &f->b))
		die("b9p_create");
	for (int i = 0; i < 4; i++)
		close(ex[i].fd);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void fixture_end(struct fixture *f)
{
	struct b9p_counters n;

	if (f->b) {
		int left = b9p_stop(f->b, 5000);

		b9p_counters(f->b, &n);
		tap_ok(left == 0 && n.channels == 0 && n.fids == 0 && n.files == 0,
		       "nothing is held at the end (%d threads, %u fids, %u files)", left, n.fids,
		       n.files);
		b9p_destroy(f->b);
		f->b = NULL;
		tap_eq(count_fds(), f->fds_before, "no descriptor leaked");
	}
	nftw(f->base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

struct p9c *client_new(struct fixture *f, uint32_t flags, const char *version)
{
	bool stream = flags & B9P_CHANNEL_STREAM;
	struct p9c *c = malloc(sizeof(*c));
	char got[32];
	int sv[2], ret;

	if (!c || socketpair(AF_UNIX, (stream ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0, sv))
		die("socketpair");
	ret = b9p_add_channel(f->b, sv[1], sv[1], flags);
	if (ret < 0) {
		errno = -ret;
		die("b9p_add_channel");
	}
	p9c_init(c, sv[0], sv[0], stream);
	if (version && (p9c_version(c, 1 << 20, version, got, sizeof(got)) || strcmp(got, version)))
		die("p9c_version");
	return c;
}

void client_free(struct p9c *c)
{
	close(c->rfd);
	if (c->wfd != c->rfd)
		close(c->wfd);
	free(c);
}

struct p9c *client_attached(struct fixture *f)
{
	struct p9c *c = client_new(f, 0, "9P2000.L.lbx");

	if (p9c_attach(c, 0, "ro") || p9c_attach(c, 1, "rw"))
		die("p9c_attach");
	return c;
}

int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static bool becomes(struct fixture *f, uint32_t want, bool files)
{
	struct b9p_counters n;

	for (int i = 0; i < 5000; i++) {
		b9p_counters(f->b, &n);
		if ((files ? n.files : n.channels) == want)
			return true;
		usleep(1000);
	}
	return false;
}

bool files_become(struct fixture *f, uint32_t files)
{
	return becomes(f, files, true);
}

bool channels_become(struct fixture *f, uint32_t channels)
{
	return becomes(f, channels, false);
}
