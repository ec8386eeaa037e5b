// SPDX-License-Identifier: MIT
/* Names: link, symlink, rename, unlink, mkdir, rmdir, their *at forms and errnos. */
#include <dirent.h>
#include <ftw.h>
#include <sys/syscall.h>

#include "conform.h"

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE	1
#define RENAME_EXCHANGE		2
#define RENAME_WHITEOUT		4
#endif

static const char *const kinds[] = { "absent", "file", "file2", "empty", "full", "link", "dangling", "fifo",
				     "file/", "empty/", "absent/", "empty/.", "empty/..", ".", "..", "link/",
				     "dirlink", "dirlink/", "file/x", "absent/x", "", "hard", "full/sub" };

static int wipe_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag;
	if (ftw->level)
		MUST(remove(path));
	return 0;
}

static void wipe(void)
{
	MUST(nftw(".", wipe_one, 16, FTW_DEPTH | FTW_PHYS));
}

static void populate(void)
{
	wipe();
	put_file("file", "1");
	put_file("file2", "22");
	MUST(link("file", "hard"));
	MUST(mkdir("empty", 0755));
	MUST(mkdir("full", 0755));
	put_file("full/in", "333");
	MUST(mkdir("full/sub", 0755));
	MUST(symlink("file", "link"));
	MUST(symlink("nowhere", "dangling"));
	MUST(symlink("empty", "dirlink"));
	MUST(mkfifo("fifo", 0644));
}

static char kind_char(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return '-';
	return S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : S_ISFIFO(st.st_mode) ? 'p' :
	       (char)('0' + st.st_size);
}

/* What the names are now, one character each. */
static const char *picture(void)
{
	static char out[64];
	static const char *const names[] = { "absent", "file", "file2", "hard", "empty", "full", "link", "dangling",
					     "dirlink", "fifo", "nowhere", "full/sub", "empty/in" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		out[i] = kind_char(names[i]);
	out[i] = 0;
	return out;
}

static void result(const char *name, long ret)
{
	int err = errno;

	say(name, "%s %s", ret ? errno_name(err) : "ok", picture());
}

TEST(rename)
{
	for (size_t a = 0; a < ARRAY_SIZE(kinds); a++)
		for (size_t b = 0; b < ARRAY_SIZE(kinds); b++) {
			populate();
			result(N("%s>%s", kinds[a], kinds[b]), rename(kinds[a], kinds[b]));
		}
	populate();
	result("into_itself", rename("full", "full/sub/x"));
	result("into_child", rename("full", "full/sub"));
}

TEST(renameat2)
{
	static const int flags[] = { RENAME_NOREPLACE, RENAME_EXCHANGE };
	static const char *const some[] = { "absent", "file", "hard", "empty", "full", "link", "dirlink", "dangling",
					    "full/sub", "full/in", ".", "file/", "empty/" };

	for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
		for (size_t a = 0; a < ARRAY_SIZE(some); a++)
			for (size_t b = 0; b < ARRAY_SIZE(some); b++) {
				populate();
				result(N("%d,%s>%s", flags[f], some[a], some[b]),
				       syscall(SYS_renameat2, AT_FDCWD, some[a], AT_FDCWD, some[b], flags[f]));
			}
	populate();
	result("both", syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "absent", RENAME_NOREPLACE | RENAME_EXCHANGE));
	result("unknown", syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "absent", 8));
	result("none", syscall(SYS_renameat2, AT_FDCWD, "file", AT_FDCWD, "absent", 0));
}

TEST(link)
{
	struct stat st;

	for (size_t a = 0; a < ARRAY_SIZE(kinds); a++)
		for (size_t b = 0; b < ARRAY_SIZE(kinds); b++) {
			populate();
			result(N("%s>%s", kinds[a], kinds[b]), link(kinds[a], kinds[b]));
		}
	populate();
	OK("follow", linkat(AT_FDCWD, "link", AT_FDCWD, "new", AT_SYMLINK_FOLLOW));
	MUST(lstat("new", &st));
	YES("follow.isreg", S_ISREG(st.st_mode));
	NUM("nlink", st.st_nlink);
	OK("nofollow", linkat(AT_FDCWD, "link", AT_FDCWD, "new2", 0));
	MUST(lstat("new2", &st));
	YES("nofollow.islnk", S_ISLNK(st.st_mode));
	RET("flags", linkat(AT_FDCWD, "file", AT_FDCWD, "new3", 0x4000));
	int fd = MUST(open("file", O_RDONLY));

	unlink("file");
	unlink("hard");
	unlink("new");
	fstat(fd, &st);
	NUM("nlink.zero", st.st_nlink);
	RET("dead", linkat(AT_FDCWD, N("/proc/self/fd/%d", fd), AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
}

TEST(unlink)
{
	for (size_t a = 0; a < ARRAY_SIZE(kinds); a++) {
		populate();
		result(N("unlink %s", kinds[a]), unlink(kinds[a]));
		populate();
		result(N("rmdir %s", kinds[a]), rmdir(kinds[a]));
		populate();
		result(N("unlinkat_dir %s", kinds[a]), unlinkat(AT_FDCWD, kinds[a], AT_REMOVEDIR));
		populate();
		result(N("mkdir %s", kinds[a]), mkdir(kinds[a], 0755));
		populate();
		result(N("symlink %s", kinds[a]), symlink("file", kinds[a]));
		populate();
		result(N("mkfifo %s", kinds[a]), mkfifo(kinds[a], 0644));
	}
	populate();
	RET("unlinkat.flags", unlinkat(AT_FDCWD, "file", 0x1000));
	RET("unlinkat.badfd", unlinkat(500, "file", 0));
	RET("unlinkat.abs_badfd", unlinkat(500, "/nonexistent/x", 0));
	RET("root.rmdir", rmdir("/"));
	RET("root.unlink", unlink("/") && errno == EISDIR);
	RET("root.mkdir", mkdir("/", 0755));
	RET("efault", unlink((void *)1));
	RET("mkdir.efault", mkdir((void *)1, 0755));
}

TEST(open_unlinked)
{
	struct stat st;
	char buf[16] = "";
	int fd, d;

	put_file("f", "still here");
	fd = MUST(open("f", O_RDWR));
	RET("unlink", unlink("f"));
	RET("gone", access("f", F_OK));
	RET("read", pread(fd, buf, 10, 0));
	STR("data", buf);
	RET("write", pwrite(fd, "!", 1, 10));
	fstat(fd, &st);
	say("stat", "size=%ld nlink=%ld", (long)st.st_size, (long)st.st_nlink);
	FD("reopen", open(N("/proc/self/fd/%d", fd), O_RDONLY));
	ssize_t n = readlink(N("/proc/self/fd/%d", fd), buf, sizeof(buf));

	YES("proc_link_long", n == sizeof(buf));
	char full[4096];

	n = readlink(N("/proc/self/fd/%d", fd), full, sizeof(full));
	say("proc_link", "%.*s", 12, full + n - 12);
	put_file("f", "new");
	STR("new", get_file("f"));
	RET("old", pread(fd, buf, 5, 0));
	mkdir("d", 0755);
	d = MUST(open("d", O_RDONLY | O_DIRECTORY));
	MUST(chdir("d"));
	RET("rmdir_cwd", rmdir("../d"));
	RET("getcwd", getcwd(full, sizeof(full)) ? 0 : -1);
	FD("create_in_dead", open("x", O_CREAT | O_RDWR, 0600));
	RET("mkdir_in_dead", mkdir("x", 0700));
	FD("open_dot", open(".", O_RDONLY));
	FD("open_dotdot", openat(d, "..", O_RDONLY));
	fstat(d, &st);
	NUM("dead.nlink", st.st_nlink);
	RET("dead.getdents", syscall(SYS_getdents64, d, full, sizeof(full)));
	RET("link_into_dead", link("../f", "x"));
	RET("rename_into_dead", rename("../f", "x"));
	RET("symlink_in_dead", symlink("a", "x"));
	RET("chdir_up", chdir(".."));
	YES("up", !access("f", F_OK));
}

TEST(symlinks)
{
	char buf[5000];
	struct stat st;

	RET("make", symlink("target", "s"));
	memset(buf, 'z', 10);
	RET("readlink", readlink("s", buf, 10));
	say("no_nul", "%.10s", buf);
	RET("readlink.short", readlink("s", buf, 3));
	RET("readlink.zero", readlink("s", buf, 0));
	RET("readlink.negative", syscall(SYS_readlink, "s", buf, -1));
	RET("readlink.file", (put_file("f", ""), readlink("f", buf, 10)));
	RET("readlink.dir", readlink(".", buf, 10));
	RET("readlink.absent", readlink("nope", buf, 10));
	RET("readlink.efault", readlink("s", (void *)1, 10));
	RET("lstat", lstat("s", &st));
	say("st", "%o %ld", st.st_mode, (long)st.st_size);
	RET("empty", symlink("", "e"));
	RET("again", symlink("t", "s"));
	RET("chmod_dangling", chmod("s", 0600));
	RET("fchmodat.nofollow", fchmodat(AT_FDCWD, "s", 0600, AT_SYMLINK_NOFOLLOW) && errno == EOPNOTSUPP);
	memset(buf, 'a', sizeof(buf));
	for (int i = 0; i < 4096; i += 2)
		memcpy(buf + i, "./", 2);
	buf[4095] = 0;
	RET("long4095", symlink(buf, "l1"));
	buf[4095] = '/', buf[4096] = 0;
	RET("long4096", symlink(buf, "l2"));
	symlink("a", "b");
	symlink("b", "a");
	RET("loop.stat", stat("a", &st));
	RET("loop.lstat", lstat("a", &st));
	RET("loop.chdir", chdir("a"));
	RET("loop.open_creat", open("a", O_CREAT | O_RDWR, 0600));
	RET("loop.through", access("a/x", F_OK));
	RET("loop.rename", rename("a", "c"));
	RET("unlink", unlink("c"));
	mkdir("d", 0755);
	symlink("d/../d/./../d", "round");
	RET("round", stat("round/", &st));
	symlink("/", "root");
	RET("root", stat("root/../..", &st));
	RET("trail", lstat("root/", &st));
	YES("trail.isdir", S_ISDIR(st.st_mode));
	RET("mkdir_dangling", mkdir("s", 0755));
	RET("mkdir_dangling_slash", mkdir("s/", 0755));
	RET("rmdir_link", (symlink("d", "dl"), rmdir("dl")));
	RET("rmdir_link_slash", rmdir("dl/"));
}

TEST(many)
{
	char name[64];
	int made = 0, seen = 0, odd = 0;
	DIR *dir;

	mkdir("d", 0755);
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "d/file-with-a-longer-name-%d", i);
		made += !mknod(name, S_IFREG | 0600, 0);
	}
	NUM("made", made);
	dir = opendir("d");
	for (struct dirent *e; (e = readdir(dir));) {
		seen++;
		odd += e->d_name[0] != 'f' && e->d_name[0] != '.';
	}
	closedir(dir);
	say("seen", "%d odd %d", seen, odd);
	RET("rmdir", rmdir("d"));
	for (int i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "d/file-with-a-longer-name-%d", i);
		made -= !unlink(name);
	}
	NUM("left", made);
	RET("rmdir.empty", rmdir("d"));
}

TEST(depth)
{
	char cwd[65536];
	long len;
	int depth = 0;

	/* deeper than PATH_MAX: relative steps work, absolute paths do not */
	for (int i = 0; i < 25; i++) {
		char name[201];

		memset(name, 'a' + i, 200);
		name[200] = 0;
		if (mkdir(name, 0755) || chdir(name))
			break;
		depth++;
	}
	NUM("depth", depth);
	len = syscall(SYS_getcwd, cwd, sizeof(cwd));
	say("getcwd", "%s", len < 0 ? errno_name(errno) : len > 4096 ? "longer than PATH_MAX" : "short");
	FD("creat", open("leaf", O_CREAT | O_RDWR, 0600));
	RET("stat", access("leaf", F_OK));
	for (int i = 0; i < depth; i++) {
		char name[201];

		MUST(unlinkat(AT_FDCWD, "leaf", 0) ? 0 : 0);
		MUST(chdir(".."));
		memset(name, 'a' + depth - 1 - i, 200);
		name[200] = 0;
		MUST(rmdir(name));
	}
	RET("back", access("leaf", F_OK));
}
