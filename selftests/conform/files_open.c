// SPDX-License-Identifier: MIT
/* open(2), openat(2), openat2(2): every target by every useful set of flags. */
#include <linux/openat2.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "conform.h"

static const struct {
	const char *name;
	int flags;
} sets[] = {
	{ "rdonly", O_RDONLY },
	{ "wronly", O_WRONLY },
	{ "rdwr", O_RDWR },
	{ "mode3", 3 },
	{ "creat", O_RDWR | O_CREAT },
	{ "creat_ro", O_RDONLY | O_CREAT },
	{ "excl", O_RDWR | O_CREAT | O_EXCL },
	{ "trunc", O_WRONLY | O_TRUNC },
	{ "rdonly_trunc", O_RDONLY | O_TRUNC },
	{ "creat_trunc", O_WRONLY | O_CREAT | O_TRUNC },
	{ "directory", O_RDONLY | O_DIRECTORY },
	{ "directory_rw", O_RDWR | O_DIRECTORY },
	{ "nofollow", O_RDONLY | O_NOFOLLOW },
	{ "nofollow_creat", O_RDWR | O_NOFOLLOW | O_CREAT },
	{ "path", O_PATH },
	{ "path_nofollow", O_PATH | O_NOFOLLOW },
	{ "path_directory", O_PATH | O_DIRECTORY },
	{ "path_nofollow_dir", O_PATH | O_NOFOLLOW | O_DIRECTORY },
	{ "append", O_WRONLY | O_APPEND },
	{ "append_trunc", O_WRONLY | O_APPEND | O_TRUNC },
	{ "cloexec", O_RDONLY | O_CLOEXEC },
	{ "tmpfile", O_TMPFILE | O_RDWR },
	{ "tmpfile_ro", O_TMPFILE | O_RDONLY },
};

static const char *const targets[] = {
	"absent", "file", "file/", "dir", "dir/", "dir/.", "dir/..", "link", "link/", "dangling",
	"dangling/", "dirlink", "dirlink/", "loop", "file/x", "absent/x", "dir/x", "fifo", "sock", "",
	"./file", "dir/../file", ".//file", "dirlink/../file", "/dev/null", "/", "..", ".", "/../dev/zero",
};

static void populate(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int fd;

	unlink("absent");
	unlink("dir/x");
	unlink("nowhere");
	put_file("file", "0123456789");
	mkdir("dir", 0755);
	symlink("file", "link");
	symlink("nowhere", "dangling");
	symlink("dir", "dirlink");
	symlink("loop", "loop");
	mkfifo("fifo", 0644);
	fd = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	bind(fd, (struct sockaddr *)&sa, sizeof(sa));
	close(fd);
}

static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : S_ISREG(st.st_mode) ? (long)st.st_size : -1;
}

TEST(matrix)
{
	for (size_t t = 0; t < ARRAY_SIZE(targets); t++) {
		for (size_t s = 0; s < ARRAY_SIZE(sets); s++) {
			const char *name = N("%s,%s", targets[t], sets[s].name);
			int fd, err, fl;

			/* Writing through the real root or a device is not the subject. */
			if (targets[t][0] == '/' && (sets[s].flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY))
				continue;
			if (!strcmp(targets[t], "..") && (sets[s].flags & O_TMPFILE) == O_TMPFILE)
				continue;
			populate();
			fd = open(targets[t], sets[s].flags | O_NONBLOCK, 0640);
			err = errno;
			if (fd < 0) {
				say(name, "%s", errno_name(err));
				continue;
			}
			fl = fcntl(fd, F_GETFL);
			say(name, "fd fl=%#x fd=%d file=%ld absent=%ld nowhere=%ld dirx=%ld",
			    fl, fcntl(fd, F_GETFD), size_of("file"), size_of("absent"),
			    size_of("nowhere"), size_of("dir/x"));
			close(fd);
		}
	}
}

TEST(lowest_fd)
{
	int a = MUST(open("/dev/null", O_RDONLY)), b = MUST(dup(a)), c = MUST(dup(a));

	close(b);
	YES("reuse", open("/dev/null", O_RDONLY) == b);
	close(a);
	close(b);
	YES("lowest", open("/dev/null", O_RDONLY) == a);
	YES("next", open("/dev/null", O_RDONLY) == b);
	close(c);
}

TEST(opath)
{
	char buf[8];
	struct stat st;
	int fd, fd2;

	put_file("f", "data");
	symlink("f", "l");
	mkdir("d", 0700);
	put_file("d/g", "gg");
	fd = MUST(open("f", O_PATH));
	RET("read", read(fd, buf, 4));
	RET("write", write(fd, buf, 4));
	RET("lseek", lseek(fd, 0, SEEK_SET));
	RET("fchmod", fchmod(fd, 0600));
	RET("fchown", fchown(fd, (uid_t)-1, (gid_t)-1));
	RET("ftruncate", ftruncate(fd, 0));
	RET("fsync", fsync(fd));
	RET("fgetxattr", syscall(SYS_fgetxattr, fd, "user.x", buf, 4));
	RET("ioctl", syscall(SYS_ioctl, fd, 0x5401, buf));
	RET("getdents", syscall(SYS_getdents64, fd, buf, 8));
	RET("fstat", fstat(fd, &st));
	NUM("fstat.size", st.st_size);
	RET("fstatfs", syscall(SYS_fstatfs, fd, (char[256]){ 0 }));
	OK("dup", fd2 = dup(fd));
	RET("dup.read", read(fd2, buf, 1));
	RET("setfl", fcntl(fd, F_SETFL, O_APPEND));
	RET("setfd", fcntl(fd, F_SETFD, FD_CLOEXEC));
	RET("setlk", fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_RDLCK }));
	FD("reopen", open(N("/proc/self/fd/%d", fd), O_RDONLY));
	RET("linkat_empty_needs_cap_or_same", faccessat(fd, "", F_OK, AT_EMPTY_PATH));
	fd2 = MUST(open("l", O_PATH | O_NOFOLLOW));
	RET("link.fstat", fstat(fd2, &st));
	YES("link.islnk", S_ISLNK(st.st_mode));
	RET("link.readlinkat", readlinkat(fd2, "", buf, sizeof(buf)));
	FD("link.reopen", open(N("/proc/self/fd/%d", fd2), O_RDONLY));
	close(fd2);
	fd2 = MUST(open("d", O_PATH));
	FD("dir.openat", openat(fd2, "g", O_RDONLY));
	RET("dir.fchdir", fchdir(fd2));
	FD("dir.in", open("g", O_RDONLY));
	FD("file.openat", openat(fd, "g", O_RDONLY));
	RET("file.fchdir", fchdir(fd));
	RET("close", close(fd));
	RET("close.again", close(fd));
}

TEST(tmpfile)
{
	char buf[8] = "";
	struct stat st;
	int fd;

	fd = MUST(open(".", O_TMPFILE | O_RDWR, 0640));
	RET("fstat", fstat(fd, &st));
	NUM("nlink", st.st_nlink);
	say("mode", "%o", st.st_mode);
	RET("write", write(fd, "hello", 5));
	RET("link_proc", linkat(AT_FDCWD, N("/proc/self/fd/%d", fd), AT_FDCWD, "now", AT_SYMLINK_FOLLOW));
	STR("content", get_file("now"));
	fstat(fd, &st);
	NUM("nlink.after", st.st_nlink);
	RET("link.again", linkat(AT_FDCWD, N("/proc/self/fd/%d", fd), AT_FDCWD, "now", AT_SYMLINK_FOLLOW));
	RET("pread", pread(fd, buf, 5, 0));
	close(fd);
	fd = MUST(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640));
	RET("excl.link", linkat(AT_FDCWD, N("/proc/self/fd/%d", fd), AT_FDCWD, "no", AT_SYMLINK_FOLLOW));
	close(fd);
	FD("without_directory_bit", open(".", O_RDWR | (O_TMPFILE & ~O_DIRECTORY)));
}

TEST(names)
{
	char *big = malloc(8200);
	int fd;

	memset(big, 'a', 8200);
	big[255] = 0;
	FD("name255", open(big, O_CREAT | O_RDWR, 0600));
	RET("unlink255", unlink(big));
	big[255] = 'a', big[256] = 0;
	FD("name256", open(big, O_CREAT | O_RDWR, 0600));
	FD("lookup256", open(big, O_RDONLY));
	for (int i = 0; i < 8200; i += 2)
		memcpy(big + i, "./", 2);
	big[4094] = 0;
	FD("path4094", open(big, O_RDONLY));
	big[4094] = '.', big[4095] = 0;
	FD("path4095", open(big, O_RDONLY));
	big[4095] = '/', big[4096] = 0;
	FD("path4096", open(big, O_RDONLY));
	FD("null", open(NULL, O_RDONLY));
	FD("bad", syscall(SYS_open, (char *)1, O_RDONLY));
	FD("empty", open("", O_RDONLY | O_CREAT));
	FD("newline", open("a\nb", O_CREAT | O_RDWR, 0600));
	RET("unlink.newline", unlink("a\nb"));
	FD("utf8", open("\xc3\xa4\xff", O_CREAT | O_RDWR, 0600));
	RET("unlink.utf8", unlink("\xc3\xa4\xff"));
	fd = MUST(open("plain", O_CREAT | O_RDWR, 0600));
	FD("openat.file", openat(fd, "x", O_RDONLY));
	FD("openat.badfd", openat(999, "x", O_RDONLY));
	FD("openat.badfd.abs", openat(999, "/dev/null", O_RDONLY));
	FD("openat.empty", openat(fd, "", O_RDONLY));
	FD("creat", creat("created", 0400));
	FD("creat.again", creat("created", 0400));
	FD("unknown_flag_ignored", syscall(SYS_open, "plain", O_RDONLY | 0x40000000));
	/* forty links are followed, forty-one are not */
	char a[16], b[16];

	strcpy(a, "plain");
	for (int i = 0; i < 41; i++) {
		snprintf(b, sizeof(b), "s%d", i);
		MUST(symlink(a, b));
		strcpy(a, b);
	}
	FD("links40", open("s39", O_RDONLY));
	FD("links41", open("s40", O_RDONLY));
	FD("links40.nofollow", open("s39", O_RDONLY | O_NOFOLLOW));
	FD("links41.path_nofollow", open("s40", O_PATH | O_NOFOLLOW));
}

TEST(mode)
{
	static const mode_t masks[] = { 0, 022, 077, 0777, 0133 };
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		umask(masks[i]);
		for (mode_t m = 0; m <= 07777; m += 01111) {
			int fd = open("m", O_CREAT | O_EXCL | O_WRONLY, m);

			if (fd < 0) {
				say(N("%03o,%04o", masks[i], m), "%s", errno_name(errno));
				continue;
			}
			fstat(fd, &st);
			say(N("%03o,%04o", masks[i], m), "%04o writes=%zd", st.st_mode & 07777,
			    write(fd, "x", 1));
			close(fd);
			unlink("m");
		}
	}
	umask(027);
	say("umask", "%03o", umask(01777));
	say("umask.masked", "%04o", umask(0));
	mkdir("d", 01777);
	stat("d", &st);
	say("mkdir", "%04o", st.st_mode & 07777);
}

static long openat2_(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	return syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

TEST(openat2)
{
	struct { struct open_how how; uint64_t more; } longer = { .how.flags = O_RDONLY };
	int d;

	mkdir("d", 0755);
	mkdir("d/e", 0755);
	put_file("d/f", "f");
	put_file("out", "o");
	symlink("f", "d/rel");
	symlink("../out", "d/up");
	symlink("/dev/null", "d/abs");
	symlink("e/..", "d/within");
	d = MUST(open("d", O_PATH));
	FD("plain", openat2_(d, "f", O_RDONLY, 0, 0));
	FD("mode_without_creat", openat2_(d, "f", O_RDONLY, 0644, 0));
	FD("bad_flag", openat2_(d, "f", 1ULL << 40, 0, 0));
	FD("bad_mode", openat2_(d, "n", O_CREAT | O_RDWR, 010000, 0));
	FD("bad_resolve", openat2_(d, "f", O_RDONLY, 0, 1ULL << 30));
	FD("path_and_rdwr", openat2_(d, "f", O_PATH | O_RDWR, 0, 0));
	FD("path_and_trunc", openat2_(d, "f", O_PATH | O_TRUNC, 0, 0));
	FD("small", syscall(SYS_openat2, d, "f", &longer.how, 8));
	FD("zero_tail", syscall(SYS_openat2, d, "f", &longer, sizeof(longer)));
	longer.more = 1;
	FD("nonzero_tail", syscall(SYS_openat2, d, "f", &longer, sizeof(longer)));
	FD("huge", syscall(SYS_openat2, d, "f", &longer, 1 << 20));
	FD("efault", syscall(SYS_openat2, d, "f", NULL, sizeof(longer.how)));
	static const char *const paths[] = { "f", "rel", "up", "abs", "within", "../out", "/dev/null", "e/../f",
					     "e/../../out", ".", "..", "within/f" };
	static const struct { const char *name; uint64_t r; } res[] = {
		{ "beneath", RESOLVE_BENEATH }, { "in_root", RESOLVE_IN_ROOT },
		{ "no_symlinks", RESOLVE_NO_SYMLINKS }, { "no_magiclinks", RESOLVE_NO_MAGICLINKS },
		{ "beneath_in_root", RESOLVE_BENEATH | RESOLVE_IN_ROOT },
	};
	for (size_t r = 0; r < ARRAY_SIZE(res); r++)
		for (size_t p = 0; p < ARRAY_SIZE(paths); p++)
			FD(N("%s,%s", res[r].name, paths[p]), openat2_(d, paths[p], O_RDONLY, 0, res[r].r));
	FD("magic", openat2_(AT_FDCWD, N("/proc/self/fd/%d/f", d), O_RDONLY, 0, RESOLVE_NO_MAGICLINKS));
	FD("magic.ok", openat2_(AT_FDCWD, N("/proc/self/fd/%d/f", d), O_RDONLY, 0, 0));
	FD("no_symlinks.path_nofollow", openat2_(d, "rel", O_PATH | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS));
	FD("no_xdev", openat2_(AT_FDCWD, "/proc/self/status", O_RDONLY, 0, RESOLVE_NO_XDEV));
	FD("creat_beneath", openat2_(d, "new", O_RDWR | O_CREAT, 0600, RESOLVE_BENEATH));
	FD("creat_out", openat2_(d, "../new", O_RDWR | O_CREAT, 0600, RESOLVE_BENEATH));
}

static void perms(void)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	mode_t list[] = { 0000, 0400, 0200, 0600, 0040, 0004, 0100, 0777 };

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		unlink("p");
		put_file("p", "x");
		MUST(chmod("p", list[i]));
		for (size_t m = 0; m < ARRAY_SIZE(modes); m++)
			FD(N("own,%04o,%d", list[i], modes[m]), open("p", modes[m]));
		FD(N("own,%04o,trunc", list[i]), open("p", O_RDONLY | O_TRUNC));
		FD(N("own,%04o,path", list[i]), open("p", O_PATH));
	}
	mkdir("d", 0700);
	put_file("d/f", "x");
	for (mode_t m = 0; m <= 0700; m += 0100) {
		MUST(chmod("d", m));
		FD(N("dir,%04o,list", m), open("d", O_RDONLY | O_DIRECTORY));
		FD(N("dir,%04o,look", m), open("d/f", O_RDONLY));
		FD(N("dir,%04o,absent", m), open("d/g", O_RDONLY));
		FD(N("dir,%04o,creat", m), open("d/h", O_RDWR | O_CREAT, 0600));
		RET(N("dir,%04o,unlink", m), unlink("d/h"));
		RET(N("dir,%04o,chdir", m), chdir("d"));
		if (!access("../d", F_OK))
			MUST(chdir(".."));
	}
	FD("noatime", open("/dev/null", O_RDONLY | O_NOATIME));
}

TEST(permissions)
{
	STR("end", as_nobody(perms));
}
