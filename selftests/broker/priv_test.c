// SPDX-License-Identifier: MIT
/*
 * What b9p_confine() takes away and what serving still can do. Each case runs in a child, because
 * nothing of it can be undone; the child reports through shared memory what it saw.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct fixture f;

/* The child's results: TAP lines are the parent's to number. */
static struct {
	int n;
	struct { bool ok; char text[120]; } line[64];
} *shared;

__attribute__((format(printf, 2, 3)))
static void check(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (shared->n == 64)
		return;
	shared->line[shared->n].ok = ok;
	va_start(ap, fmt);
	vsnprintf(shared->line[shared->n++].text, 120, fmt, ap);
	va_end(ap);
}

static void eq(int got, int want, const char *what)
{
	check(got == want, "%s (%d, want %d)", what, got, want);
}

static void in_child(void (*fn)(void), const char *name)
{
	int status;
	pid_t pid;

	shared->n = 0;
	pid = fork();
	if (!pid) {
		alarm(60);
		fn();
		_exit(0);	/* not exit(): sanitizers read /proc at exit, which is closed by then */
	}
	waitpid(pid, &status, 0);
	for (int i = 0; i < shared->n; i++)
		tap_ok(shared->line[i].ok, "%s: %s", name, shared->line[i].text);
	tap_ok(WIFEXITED(status) && !WEXITSTATUS(status), "%s: ends well", name);
}

static uint64_t status_field(const char *file, const char *field)
{
	static char buf[8192];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	const char *p;

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = 0;
	p = strstr(buf, field);
	return p ? strtoull(p + strlen(field), NULL, 16) : ~0ull;
}

static bool have_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 1;
}

/* Everything that a client does still works under the ruleset. */
static void serve_all(void)
{
	struct p9c *c = client_attached(&f);
	struct p9c_walkstat w;
	char buf[8];

	eq(p9c_opengrant(c, 0, 10, 2 | 4, 0, "dir/sub/deep/leaf", &w), 0, "open and grant");
	check(w.data_len == 6 && c->got_fd >= 0, "with data and descriptor");
	p9c_clunk(c, 10);
	p9c_walk(c, 0, 10, "");
	eq(p9c_open(c, 10, 0), 0, "open of a directory");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "");
	eq(p9c_create(c, 10, "n", O_RDWR, 0644), 0, "create");
	eq(p9c_write(c, 10, 0, "abc", 3), 3, "write");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "n");
	eq(p9c_open(c, 10, O_RDWR | O_TRUNC), 0, "open with O_TRUNC");
	eq(p9c_setattr(c, 10, 8, 0, 0, 0, 7, 0, 0), 0, "truncate");
	eq(p9c_setattr(c, 10, 1 | 0x30, 0600, 0, 0, 0, 0, 0), 0, "chmod and times");
	eq(p9c_mkdir(c, 1, "nd", 0755), 0, "mkdir");
	p9c_walk(c, 1, 11, "nd");
	eq(p9c_renameat(c, 1, "n", 11, "n2"), 0, "rename to another directory");
	eq(p9c_link(c, 1, 10, "n3"), 0, "link to another directory");
	eq(p9c_symlink(c, 11, "s", "x"), 0, "symlink");
	eq(p9c_walk(c, 11, 12, "../n3"), 2, "\"..\"");
	eq(p9c_unlink(c, 11, "s", 0) | p9c_unlink(c, 11, "n2", 0) | p9c_unlink(c, 1, "n3", 0), 0,
	   "unlink");
	eq(p9c_unlink(c, 1, "nd", 0x200), 0, "rmdir");
	if (!setxattr(fixture_path(&f, "ro/file"), "user.x", "abc", 3, 0)) {
		p9c_walk(c, 0, 13, "file");
		p9c_begin(c, 30);
		p9c_u32(c, 13);
		p9c_u32(c, 14);
		p9c_str(c, "user.x");
		check(!p9c_call(c) && p9c_get_u64(c) == 3, "an attribute");
	}
	p9c_attach(c, 20, "one");
	eq(p9c_open(c, 20, 0), 0, "a file exported alone");
	eq(p9c_read(c, 20, 0, buf, 8), 6, "is read");
	p9c_attach(c, 21, "onerw");
	eq(p9c_open(c, 21, O_RDWR | O_TRUNC), 0, "a writable one is truncated");
}

/* Seen from inside a channel's thread: the log's function runs there. */
static void try_calls(void *arg, enum b9p_log_kind kind, const char *line)
{
	int *errors = arg;

	(void)line;
	if (kind != B9P_LOG_REFUSED)
		return;
	errors[0] = socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
	errors[1] = kill(getpid(), 0) ? errno : 0;
	errors[2] = execve("/bin/true", (char *[]){ "true", NULL }, (char *[]){ NULL }) ? errno : 0;
	errors[3] = syscall(SYS_fork) < 0 ? errno : 0;
	errors[4] = (int)syscall(SYS_gettid) == getpid() ? 1 : 0;
}

static void filtered(void)
{
	static const char *const names[] = { "socket", "kill", "execve", "fork" };
	int errors[5] = { 0 };
	struct b9p_export ex = { .fd = open(fixture_path(&f, "ro"), O_PATH), .name = "ro" };
	struct b9p_config config = { .exports = &ex, .nr_exports = 1, .log = try_calls,
				     .log_arg = errors };
	struct p9c *c;

	if (b9p_create(&config, &f.b) || b9p_confine(f.b, 0, 0))
		abort();
	c = client_new(&f, 0, "9P2000.L");
	p9c_attach(c, 0, "ro");
	p9c_walk(c, 0, 1, "fifo");
	eq(p9c_open(c, 1, 0), -EACCES, "a refusal is logged in the channel's thread");
	for (int i = 0; i < 4; i++)
		check(errors[i] == EPERM, "%s there is EPERM (%d)", names[i], errors[i]);
	check(!errors[4] && kill(getpid(), 0) == 0 && socket(AF_UNIX, SOCK_STREAM, 0) >= 0,
	      "the caller's thread is free to do such things");
	eq(b9p_stop(f.b, 5000), 0, "the thread ends");
}

static void landlocked(void)
{
	fixture_start(&f, NULL);
	eq(b9p_confine(f.b, 8, 0), -EINVAL, "an unknown flag");
	eq(b9p_confine(f.b, 0, 0), 0, "confine");
	eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "no_new_privs");
	if (have_landlock()) {
		check(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES, "nothing else is opened");
		check(open(fixture_path(&f, "outside/secret"), O_RDONLY) < 0 && errno == EACCES,
		      "neither next to the exports");
		check(open(fixture_path(&f, "ro/file"), O_RDONLY) >= 0, "below them it is");
		check(open(fixture_path(&f, "ro/n"), O_WRONLY | O_CREAT, 0644) < 0 && errno == EACCES,
		      "a read-only export is not written");
		check(mkdir(fixture_path(&f, "ro/n"), 0755) && errno == EACCES, "nor changed");
		check(open(fixture_path(&f, "rw/x"), O_WRONLY | O_CREAT, 0644) >= 0, "a writable one is");
		check(mkfifo(fixture_path(&f, "rw/y"), 0644) && errno == EACCES, "but gets no FIFOs");
	} else {
		check(strstr(f.log, "Landlock"), "a note says that there is no Landlock");
	}
	serve_all();
	eq(b9p_confine(f.b, 0, 0), -EBUSY, "too late once a channel exists");
}

static void not_landlocked(void)
{
	fixture_start(&f, NULL);
	eq(b9p_confine(f.b, B9P_CONFINE_NO_LANDLOCK, 0), 0, "confine without Landlock");
	check(open("/etc/passwd", O_RDONLY) >= 0, "the rest of the process opens what it likes");
	eq((int)status_field("/proc/thread-self/status", "CapEff:\t"), 0, "no capability is effective");
	eq((int)status_field("/proc/thread-self/status", "CapPrm:\t"), 0, "or permitted");
	serve_all();
}

#define OWNER 65533	/* neither root nor the user that tests run as */

static void make_foreign(const char *dir)
{
	char path[512];
	int fd;

	mkdir(fixture_path(&f, dir), 0755);
	snprintf(path, sizeof(path), "%s/%s/private", f.base, dir);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || write(fd, "private\n", 8) != 8 || fchown(fd, OWNER, OWNER))
		abort();
	close(fd);
	snprintf(path, sizeof(path), "%s/%s/closed", f.base, dir);
	mkdir(path, 0700);
	if (chown(path, OWNER, OWNER) || chown(fixture_path(&f, dir), OWNER, OWNER))
		abort();
}

static struct b9p *start_foreign(uint64_t keep)
{
	static const struct { const char *dir; uint32_t flags; } list[] = {
		{ "plain", B9P_EXPORT_RW }, { "see", B9P_EXPORT_ROOT_RIGHTS },
		{ "do", B9P_EXPORT_RW | B9P_EXPORT_ROOT_RIGHTS },
	};
	struct b9p_export ex[3];
	struct b9p_config config = { .exports = ex, .nr_exports = 3 };
	struct b9p *b;

	for (int i = 0; i < 3; i++)
		ex[i] = (struct b9p_export){ .fd = open(fixture_path(&f, list[i].dir), O_PATH),
					     .name = list[i].dir, .flags = list[i].flags };
	if (b9p_create(&config, &b) || b9p_confine(b, B9P_CONFINE_NO_LANDLOCK, keep))
		abort();
	return b;
}

static void as_root(void)
{
	const uint64_t search = 1ull << 2, override = 1ull << 1, fowner = 1ull << 3, kill = 1ull << 5;
	struct p9c *c;

	f.b = start_foreign(kill);
	check(status_field("/proc/thread-self/status", "CapPrm:\t") ==
	      (search | override | fowner | kill), "permitted: what exports and caller need");
	check(status_field("/proc/thread-self/status", "CapEff:\t") == kill, "effective: the caller's");
	check(status_field("/proc/thread-self/status", "CapBnd:\t") ==
	      (search | override | fowner | kill), "bounding set likewise");
	c = client_new(&f, 0, "9P2000.L");
	for (int round = 0; round < 2; round++) {	/* rights come and go with the export */
		p9c_attach(c, 1, "plain");
		p9c_attach(c, 2, "see");
		p9c_attach(c, 3, "do");
		p9c_walk(c, 1, 10, "private");
		eq(p9c_open(c, 10, 0), -EACCES, "without ROOT_RIGHTS a stranger's file stays closed");
		eq(p9c_walk(c, 1, 11, "closed/x"), 1, "and his directory");
		eq(p9c_setattr(c, 10, 1, 0644, 0, 0, 0, 0, 0), -EPERM, "and its mode");
		eq(p9c_mkdir(c, 1, "d", 0755), -EACCES, "and nothing is made there");
		p9c_walk(c, 2, 20, "private");
		eq(p9c_open(c, 20, 0), 0, "with ROOT_RIGHTS it is read");
		eq(p9c_walk(c, 2, 21, "closed"), 1, "his directory is");
		eq(p9c_walk(c, 21, 22, "x"), -ENOENT, "searched");
		eq(p9c_mkdir(c, 2, "d", 0755), -EROFS, "but read-only stays so");
		p9c_walk(c, 3, 30, "private");
		eq(p9c_open(c, 30, O_RDWR), 0, "with RW too it is written");
		eq(p9c_setattr(c, 30, 1, 0640, 0, 0, 0, 0, 0), 0, "its mode changed");
		eq(p9c_setattr(c, 30, 2, 0, 0, 0, 0, 0, 0), -EPERM, "its owner never");
		eq(p9c_mkdir(c, 3, "d", 0755), 0, "and things are made");
		p9c_unlink(c, 3, "d", 0x200);
		for (uint32_t i = 1; i < 40; i++)
			p9c_clunk(c, i);
	}
}

int main(void)
{
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fixture_make(&f);
	in_child(landlocked, "Landlock");
	in_child(not_landlocked, "no Landlock");
	in_child(filtered, "seccomp");
	if (geteuid()) {
		tap_skip("capabilities by export", "only root has any");
	} else {
		make_foreign("plain");
		make_foreign("see");
		make_foreign("do");
		in_child(as_root, "capabilities");
	}
	fixture_end(&f);
	return tap_end();
}
