// SPDX-License-Identifier: MIT
/* Directories being read while they change, seeking in them, and the current directory. */
#include <dirent.h>
#include <limits.h>

#include "conform.h"

struct dent {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

/* Names (sorted) with their types, read with a buffer of @size bytes at a time. */
static const char *list(int fd, size_t size)
{
	static char out[4096];
	static char buf[65536] __attribute__((aligned(8)));
	static char names[400][64];
	int nr = 0;
	long n;

	while ((n = syscall(SYS_getdents64, fd, buf, size)) > 0)
		for (long at = 0; at < n; at += ((struct dent *)(buf + at))->reclen) {
			struct dent *d = (struct dent *)(buf + at);

			if (nr < 400)
				snprintf(names[nr++], sizeof(names[0]), "%.60s/%d", d->name, d->type);
			if (d->reclen % 8 || !d->ino)
				return "malformed";
		}
	if (n < 0)
		return errno_name(errno);
	for (int i = 0; i < nr; i++)
		for (int k = i + 1; k < nr; k++)
			if (strcmp(names[i], names[k]) > 0) {
				char t[64];

				strcpy(t, names[i]);
				strcpy(names[i], names[k]);
				strcpy(names[k], t);
			}
	out[0] = 0;
	for (int i = 0; i < nr && strlen(out) < sizeof(out) - 70; i++) {
		strcat(out, names[i]);
		strcat(out, " ");
	}
	return out;
}

TEST(getdents)
{
	char buf[4096];
	int fd, n;

	mkdir("d", 0755);
	fd = MUST(open("d", O_RDONLY | O_DIRECTORY));
	STR("empty", list(fd, 4096));
	STR("at_end", list(fd, 4096));
	put_file("d/file", "");
	mkdir("d/dir", 0755);
	symlink("x", "d/link");
	mkfifo("d/fifo", 0600);
	lseek(fd, 0, SEEK_SET);
	STR("kinds", list(fd, 4096));
	for (int i = 0; i < 100; i++)
		put_file(N("d/n%02d", i), "");
	lseek(fd, 0, SEEK_SET);
	STR("big", list(fd, 65536));
	lseek(fd, 0, SEEK_SET);
	STR("small", list(fd, 32));
	RET("too_small", (lseek(fd, 0, SEEK_SET), syscall(SYS_getdents64, fd, buf, 8)));
	RET("efault", syscall(SYS_getdents64, fd, (void *)1, 4096));
	RET("notdir", syscall(SYS_getdents64, MUST(open("d/file", O_RDONLY)), buf, 4096));
	RET("badfd", syscall(SYS_getdents64, -1, buf, 4096));
	int p[2];

	MUST(pipe(p));
	RET("pipe", syscall(SYS_getdents64, p[0], buf, 4096));
	lseek(fd, 0, SEEK_SET);
	n = (int)syscall(SYS_getdents, fd, buf, sizeof(buf));
	YES("old_call", n > 0);
}

/* Unlinking each name as it is read must meet every name once. */
TEST(unlink_while_reading)
{
	DIR *dir;
	int met = 0, left = 0;

	mkdir("d", 0755);
	for (int i = 0; i < 300; i++)
		put_file(N("d/name-%03d", i), "");
	dir = opendir("d");
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] == 'n') {
			met++;
			MUST(unlinkat(dirfd(dir), e->d_name, 0));
		}
	rewinddir(dir);
	for (struct dirent *e; (e = readdir(dir));)
		left++;
	closedir(dir);
	say("met", "%d left %d", met, left);
	RET("rmdir", rmdir("d"));
}

/* What existed before and after must be seen exactly once, whatever else comes and goes. */
TEST(create_while_reading)
{
	char seen[200] = "", buf[512] __attribute__((aligned(8)));
	int fd, i = 0, twice = 0, missing = 0;
	long n;

	mkdir("d", 0755);
	for (int k = 0; k < 200; k++)
		put_file(N("d/keep-%03d", k), "");
	fd = MUST(open("d", O_RDONLY));
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n; at += ((struct dent *)(buf + at))->reclen) {
			struct dent *d = (struct dent *)(buf + at);

			if (!strncmp(d->name, "keep-", 5))
				twice += seen[atoi(d->name + 5)]++;
		}
		if (i < 100) {
			put_file(N("d/new-%03d", i), "");
			if (i % 2)
				unlink(N("d/new-%03d", i - 1));
			i++;
		}
	}
	for (int k = 0; k < 200; k++)
		missing += !seen[k];
	say("result", "twice %d missing %d", twice, missing);
}

TEST(seekdir)
{
	DIR *dir;
	long at[64];
	char names[64][32];
	int nr = 0, good = 0;

	mkdir("d", 0755);
	for (int i = 0; i < 20; i++)
		put_file(N("d/s%02d", i), "");
	dir = opendir("d");
	for (;;) {
		struct dirent *e;

		at[nr] = telldir(dir);
		e = readdir(dir);
		if (!e)
			break;
		strcpy(names[nr++], e->d_name);
	}
	for (int i = nr - 1; i >= 0; i--) {
		struct dirent *e;

		seekdir(dir, at[i]);
		e = readdir(dir);
		good += e && !strcmp(e->d_name, names[i]);
	}
	say("found_again", "%d of %d", good, nr);
	RET("set", lseek(dirfd(dir), 0, SEEK_SET));
	RET("whence", lseek(dirfd(dir), 0, 77));
	RET("negative", lseek(dirfd(dir), -1, SEEK_SET));
}

TEST(two_readers)
{
	int a, b;
	char buf[80] __attribute__((aligned(8)));

	mkdir("d", 0755);
	for (int i = 0; i < 10; i++)
		put_file(N("d/t%d", i), "");
	a = MUST(open("d", O_RDONLY));
	b = MUST(open("d", O_RDONLY));
	MUST(syscall(SYS_getdents64, a, buf, sizeof(buf)));
	STR("own_position", list(b, 4096));
	b = MUST(dup(a));
	list(a, 4096);
	STR("dup_shares", list(b, 4096));
}

TEST(cwd)
{
	char here[PATH_MAX], buf[PATH_MAX], want[PATH_MAX + 16];
	int fd;
	long n;

	MUST(syscall(SYS_getcwd, here, sizeof(here)));
	n = syscall(SYS_getcwd, buf, sizeof(buf));
	YES("length_with_nul", n == (long)strlen(here) + 1);
	RET("too_small", syscall(SYS_getcwd, buf, strlen(here)));
	YES("exact", syscall(SYS_getcwd, buf, strlen(here) + 1) > 0);
	RET("zero", syscall(SYS_getcwd, buf, 0));
	RET("efault", syscall(SYS_getcwd, (void *)1, PATH_MAX));
	mkdir("d", 0755);
	mkdir("d/e", 0755);
	symlink("d/e", "l");
	RET("chdir.link", chdir("l"));
	MUST(syscall(SYS_getcwd, buf, sizeof(buf)));
	snprintf(want, sizeof(want), "%s/d/e", here);
	YES("resolved", !strcmp(buf, want));
	RET("rename_under", rename("../../d", "../../D"));
	MUST(syscall(SYS_getcwd, buf, sizeof(buf)));
	snprintf(want, sizeof(want), "%s/D/e", here);
	YES("follows_rename", !strcmp(buf, want));
	n = readlink("/proc/self/cwd", buf, sizeof(buf));
	YES("proc_cwd", n == (long)strlen(want) && !memcmp(buf, want, (size_t)n));
	RET("up", chdir("../.."));
	put_file("f", "");
	RET("file", chdir("f"));
	RET("absent", chdir("nope"));
	RET("empty", chdir(""));
	RET("chdir.efault", chdir((void *)1));
	fd = MUST(open("D/e", O_RDONLY));
	RET("fchdir", fchdir(fd));
	MUST(syscall(SYS_getcwd, buf, sizeof(buf)));
	YES("fchdir.is", !strcmp(buf, want));
	RET("fchdir.file", fchdir(MUST(open("../../f", O_RDONLY))));
	RET("fchdir.bad", fchdir(-1));
	/* a child's directory is its own; CLONE_FS shares it */
	if (!xfork()) {
		MUST(chdir("/"));
		_exit(0);
	}
	wait(NULL);
	MUST(syscall(SYS_getcwd, buf, sizeof(buf)));
	YES("fork_own", !strcmp(buf, want));
	pid_t pid = (pid_t)syscall(SYS_clone, 0x200 | SIGCHLD, 0, 0, 0, 0);

	if (!pid) {
		chdir("/");
		umask(0123);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	MUST(syscall(SYS_getcwd, buf, sizeof(buf)));
	STR("clone_fs", buf);
	say("clone_fs.umask", "%o", umask(022));
	RET("root.up", chdir(".."));
	MUST(syscall(SYS_getcwd, buf, sizeof(buf)));
	STR("root.stays", buf);
	MUST(chdir(here));
}
