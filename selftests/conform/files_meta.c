// SPDX-License-Identifier: MIT
/* What stat shows and what changes it: modes, owners, times, extended attributes, access checks. */
#include <linux/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <utime.h>

#include "conform.h"

static long statx_(int fd, const char *path, int flags, unsigned int mask, void *stx)
{
	return syscall(SYS_statx, fd, path, flags, mask, stx);
}

/* glibc's struct statx needs headers that clash with linux/stat.h */
static void same(const char *path, bool follow)
{
	struct stat st, fst;
	struct statx x;
	int fd = open(path, O_PATH | (follow ? 0 : O_NOFOLLOW));
	const char *how = follow ? "" : ",nofollow";

	MUST(fd);
	MUST(fstatat(AT_FDCWD, path, &st, follow ? 0 : AT_SYMLINK_NOFOLLOW));
	MUST(fstat(fd, &fst));
	MUST(statx_(AT_FDCWD, path, follow ? 0 : AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &x));
	YES(N("%s%s.stat==fstat", path, how), !memcmp(&st, &fst, sizeof(st)));
	YES(N("%s%s.stat==statx", path, how),
	    st.st_ino == x.stx_ino && st.st_mode == x.stx_mode && st.st_nlink == x.stx_nlink &&
	    st.st_uid == x.stx_uid && st.st_gid == x.stx_gid && st.st_size == (off_t)x.stx_size &&
	    st.st_blocks == (blkcnt_t)x.stx_blocks && st.st_blksize == (blksize_t)x.stx_blksize &&
	    st.st_mtim.tv_sec == x.stx_mtime.tv_sec && st.st_mtim.tv_nsec == x.stx_mtime.tv_nsec &&
	    st.st_ctim.tv_sec == x.stx_ctime.tv_sec && major(st.st_dev) == x.stx_dev_major &&
	    minor(st.st_dev) == x.stx_dev_minor && major(st.st_rdev) == x.stx_rdev_major &&
	    minor(st.st_rdev) == x.stx_rdev_minor);
	YES(N("%s%s.mask", path, how), (x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	say(N("%s%s.mode", path, how), "%o nlink %ld", st.st_mode, (long)st.st_nlink);
	YES(N("%s%s.mine", path, how), st.st_uid == geteuid() && st.st_gid == getegid());
	close(fd);
}

TEST(stat)
{
	struct stat st, st2;
	struct statx x;
	int fd, p[2];

	put_file("f", "12345");
	mkdir("d", 0750);
	mkdir("d/e", 0750);
	symlink("f", "l");
	mkfifo("p", 0604);
	same("f", true);
	same("d", true);
	same("l", true);
	same("l", false);
	same("p", true);
	link("f", "g");
	stat("f", &st);
	stat("g", &st2);
	YES("link.same", st.st_ino == st2.st_ino && st.st_dev == st2.st_dev && st2.st_nlink == 2);
	stat("d", &st);
	stat("d/e/..", &st2);
	YES("dotdot.same", st.st_ino == st2.st_ino);
	RET("absent", stat("nope", &st));
	RET("notdir", stat("f/x", &st));
	RET("slash", stat("f/", &st));
	RET("empty", stat("", &st));
	RET("efault", stat("f", (void *)1));
	RET("efault.path", stat((void *)1, &st));
	RET("fstat.bad", fstat(-1, &st));
	fd = MUST(open("f", O_RDONLY));
	RET("empty_path", fstatat(fd, "", &st, AT_EMPTY_PATH));
	RET("empty_path.cwd", fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
	YES("empty_path.cwd.isdir", S_ISDIR(st.st_mode));
	RET("empty_path.without", fstatat(fd, "", &st, 0));
	RET("flags", fstatat(fd, "", &st, 0x40000));
	RET("badfd", fstatat(77, "f", &st, 0));
	RET("badfd.abs", fstatat(77, "/", &st, 0));
	RET("statx.flags", statx_(fd, "", AT_EMPTY_PATH | 0x6000, 0xfff, &x));
	RET("statx.mask", statx_(fd, "", AT_EMPTY_PATH, 0x80000000U, &x));
	RET("statx.zero_mask", statx_(fd, "", AT_EMPTY_PATH, 0, &x));
	RET("statx.efault", statx_(fd, "", AT_EMPTY_PATH, 0xfff, (void *)1));
	RET("statx.empty", statx_(fd, "", 0, 0xfff, &x));
	MUST(pipe(p));
	MUST(fstat(p[0], &st));
	say("pipe", "%o size %ld nlink %ld", st.st_mode, (long)st.st_size, (long)st.st_nlink);
	MUST(fstat(p[1], &st2));
	YES("pipe.same", st.st_ino == st2.st_ino);
}

TEST(chmod)
{
	struct stat st;

	put_file("f", "x");
	mkdir("d", 0755);
	for (int m = 0; m <= 07777; m += 0511) {
		RET(N("%04o", m), chmod("f", (mode_t)m));
		stat("f", &st);
		say(N("%04o.is", m), "%04o", st.st_mode & 07777);
	}
	RET("high_bits", chmod("f", 0177644));
	stat("f", &st);
	say("high_bits.is", "%06o", st.st_mode);
	RET("dir", chmod("d", 02711));
	stat("d", &st);
	say("dir.is", "%06o", st.st_mode);
	MUST(mkdir("d/sub", 0755));
	stat("d/sub", &st);
	say("setgid_inherited", "%06o", st.st_mode);
	put_file("d/file", "");
	stat("d/file", &st);
	say("setgid_file", "%06o", st.st_mode);
	RET("absent", chmod("nope", 0600));
	RET("slash", chmod("f/", 0600));
	RET("badfd", fchmod(-1, 0600));
	RET("efault", chmod((void *)1, 0600));
	RET("fchmodat.badfd", fchmodat(55, "f", 0600, 0));
	/* writing takes set-id bits away (from who is not root) */
	MUST(chmod("f", 06777));
	int fd = MUST(open("f", O_WRONLY));

	MUST(write(fd, "y", 1));
	fstat(fd, &st);
	say("write_clears", "%04o root %d", st.st_mode & 07777, geteuid() == 0);
	MUST(fchmod(fd, 06777));
	MUST(ftruncate(fd, 0));
	fstat(fd, &st);
	say("truncate_clears", "%04o", st.st_mode & 07777);
	MUST(fchmod(fd, 06777));
	RET("chown_self", fchown(fd, geteuid(), getegid()));
	fstat(fd, &st);
	say("chown_clears", "%04o", st.st_mode & 07777);
}

static void owner_unprivileged(void)
{
	RET("chown_other", chown("mine", 1, (gid_t)-1));
	RET("chgrp_other", chown("mine", (uid_t)-1, 1));
	RET("chown_same", chown("mine", geteuid(), (gid_t)-1));
	RET("chgrp_same", chown("mine", (uid_t)-1, getegid()));
	RET("none", chown("mine", (uid_t)-1, (gid_t)-1));
	RET("chmod_mine", chmod("mine", 0640));
	if (access("others", F_OK))
		return;
	RET("chmod_others", chmod("others", 0777));
	RET("chown_others", chown("others", geteuid(), (gid_t)-1));
	RET("utimes_others_now", utimensat(AT_FDCWD, "others", NULL, 0));
	RET("utimes_others", utimensat(AT_FDCWD, "others", (struct timespec[2]){ { 1, 0 }, { 2, 0 } }, 0));
	RET("sticky_unlink", unlink("sticky/others"));
	RET("sticky_rename", rename("sticky/others", "sticky/x"));
	RET("sticky_create", open("sticky/mine", O_CREAT | O_RDWR, 0600) < 0 ? -1 : 0);
	RET("sticky_unlink_mine", unlink("sticky/mine"));
	RET("sticky_rmdir", rmdir("sticky/dir"));
	RET("noaccess", unlink("closed/x"));
	RET("noaccess_stat", access("closed/x", F_OK));
	RET("link_others_ro", link("others", "linked") && errno != EPERM ? -1 : 0);
}

TEST(owner)
{
	struct stat st;

	put_file("mine", "");
	RET("keep", chown("mine", (uid_t)-1, (gid_t)-1));
	RET("absent", chown("nope", 0, 0));
	RET("lchown", (symlink("nope", "l"), lchown("l", geteuid(), getegid())));
	RET("chown_dangling", chown("l", geteuid(), getegid()));
	RET("fchownat.nofollow", fchownat(AT_FDCWD, "l", geteuid(), getegid(), AT_SYMLINK_NOFOLLOW));
	RET("fchownat.flags", fchownat(AT_FDCWD, "mine", 0, 0, 0x8000));
	RET("fchownat.empty", fchownat(MUST(open("mine", O_RDONLY)), "", geteuid(), getegid(), AT_EMPTY_PATH));
	if (geteuid() == 0) {	/* natively only root can make what others own */
		put_file("others", "");
		MUST(chmod("others", 0644));
		MUST(mkdir("sticky", 0777));
		MUST(chmod("sticky", 01777));
		put_file("sticky/others", "");
		MUST(mkdir("sticky/dir", 0777));
		MUST(mkdir("closed", 0700));
		put_file("closed/x", "");
		MUST(chown("mine", NOBODY_UID, NOBODY_GID));
		MUST(stat("mine", &st));
		say("given", "%d:%d", st.st_uid, st.st_gid);
		MUST(chown("sticky/others", 1, 1));
		MUST(chmod("sticky/others", 04755));
		MUST(chown("sticky/others", 2, (gid_t)-1));
		MUST(stat("sticky/others", &st));
		say("root_chown_clears", "%o %d:%d", st.st_mode, st.st_uid, st.st_gid);
	}
	STR("unprivileged", as_nobody(owner_unprivileged));
}

/* A file's times move by ticks, which an emulated machine may be late with. */
static void next_tick(void)
{
	struct timespec before, now;

	clock_gettime(CLOCK_REALTIME_COARSE, &before);
	do {
		msleep(12);
		clock_gettime(CLOCK_REALTIME_COARSE, &now);
	} while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

TEST(times)
{
	struct timespec t[2] = { { 1000000000, 123456789 }, { 1100000000, 987654321 } };
	struct stat st, st2;
	int fd;

	put_file("f", "x");
	fd = MUST(open("f", O_RDWR));
	RET("set", utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	say("is", "%ld.%09ld %ld.%09ld", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	t[0].tv_nsec = UTIME_OMIT;
	t[1] = (struct timespec){ 5, 0 };
	RET("omit", utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	say("omit.is", "%ld %ld", st.st_atim.tv_sec, st.st_mtim.tv_sec);
	t[0].tv_nsec = UTIME_OMIT, t[1].tv_nsec = UTIME_OMIT;
	RET("omit_both", utimensat(AT_FDCWD, "f", t, 0));
	RET("omit_both.absent", utimensat(AT_FDCWD, "absent", t, 0));
	t[0].tv_nsec = 1000000000;
	RET("bad_nsec", utimensat(AT_FDCWD, "f", t, 0));
	t[0] = (struct timespec){ 7, UTIME_NOW }, t[1] = (struct timespec){ 8, 0 };
	RET("now", utimensat(AT_FDCWD, "f", t, 0));
	stat("f", &st);
	YES("now.is", st.st_atim.tv_sec > 1500000000 && st.st_mtim.tv_sec == 8);
	t[0] = (struct timespec){ -5, 0 }, t[1] = (struct timespec){ 1L << 33, 1 };
	RET("futimens", futimens(fd, t));
	stat("f", &st);
	say("wide", "%ld %ld", st.st_atim.tv_sec, st.st_mtim.tv_sec);
	symlink("f", "l");
	t[0] = (struct timespec){ 11, 0 }, t[1] = (struct timespec){ 12, 0 };
	RET("nofollow", utimensat(AT_FDCWD, "l", t, AT_SYMLINK_NOFOLLOW));
	lstat("l", &st);
	say("nofollow.is", "%ld %ld", st.st_atim.tv_sec, st.st_mtim.tv_sec);
	RET("flags", utimensat(AT_FDCWD, "f", t, 0x4000));
	RET("efault", syscall(SYS_utimensat, AT_FDCWD, "f", (void *)1, 0));
	RET("null_path", syscall(SYS_utimensat, fd, NULL, t, 0));
	RET("null_path_badfd", syscall(SYS_utimensat, -1, NULL, t, 0));
	RET("utime", utime("f", &(struct utimbuf){ 21, 22 }));
	stat("f", &st);
	say("utime.is", "%ld %ld", st.st_atim.tv_sec, st.st_mtim.tv_sec);
	RET("utimes", utimes("f", (struct timeval[2]){ { 31, 5 }, { 32, 7 } }));
	stat("f", &st);
	say("utimes.is", "%ld.%ld %ld.%ld", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	RET("utimes.bad", syscall(SYS_utimes, "f", (struct timeval[2]){ { 31, 1000000 }, { 32, 7 } }));
	/* which calls move which times: start from 100, see what is not 100 any more */
#define FROM100(what) do { futimens(fd, (struct timespec[2]){ { 100, 0 }, { 100, 0 } }); fstat(fd, &st2); \
		next_tick(); what; fstat(fd, &st); \
		say("moves " #what, "m=%d c=%d", st.st_mtim.tv_sec != 100, \
		    st.st_ctim.tv_sec != st2.st_ctim.tv_sec || st.st_ctim.tv_nsec != st2.st_ctim.tv_nsec); } while (0)
	FROM100(write(fd, "1", 1));
	FROM100(write(fd, "1", 0));
	FROM100(chmod("f", 0600));
	FROM100(link("f", "f2"));
	FROM100(unlink("f2"));
	FROM100(ftruncate(fd, 1));
	FROM100(ftruncate(fd, 1L));

	FROM100(truncate("f", 1));
	FROM100(truncate("f", 5));
	FROM100(fchown(fd, (uid_t)-1, getegid()));
	FROM100(close(open("f", O_TRUNC | O_WRONLY)));
	FROM100(stat("f", &st2));
	FROM100(fsync(fd));
	mkdir("d", 0755);
	fd = MUST(open("d", O_RDONLY));
	FROM100(close(creat("d/x", 0600)));
	FROM100(put_file("d/x", "more"));
	FROM100(rename("d/x", "d/y"));
	FROM100(chmod("d/y", 0644));
	FROM100(mkdir("d/z", 0755));
	FROM100(rmdir("d/z"));
	FROM100(unlink("d/y"));
	FROM100(unlink("d/none"));
}

TEST(xattr)
{
	char v[64] = "", list[256];
	static char big[70000];
	int fd;
	long n;

	put_file("f", "");
	mkdir("d", 0755);
	symlink("f", "l");
	fd = MUST(open("f", O_RDONLY));
	if (setxattr("f", "user.a", "1", 1, 0) && errno == EOPNOTSUPP) {
		/* tmpfs before 6.6 */
		say("unsupported", "here");
		return;
	}
	RET("set", setxattr("f", "user.a", "value", 5, 0));
	RET("get", getxattr("f", "user.a", v, sizeof(v)));
	STR("is", v);
	RET("size", getxattr("f", "user.a", NULL, 0));
	RET("short", getxattr("f", "user.a", v, 2));
	RET("absent", getxattr("f", "user.b", v, sizeof(v)));
	RET("create_exists", setxattr("f", "user.a", "v", 1, XATTR_CREATE));
	RET("replace_absent", setxattr("f", "user.b", "v", 1, XATTR_REPLACE));
	RET("replace", fsetxattr(fd, "user.a", "vv", 2, XATTR_REPLACE));
	RET("create", fsetxattr(fd, "user.b", "", 0, XATTR_CREATE));
	RET("empty", fgetxattr(fd, "user.b", v, sizeof(v)));
	RET("flags", setxattr("f", "user.a", "v", 1, 4));
	RET("through_link", getxattr("l", "user.a", v, sizeof(v)));
	RET("link_itself", lsetxattr("l", "user.a", "v", 1, 0));
	RET("dir", setxattr("d", "user.d", "v", 1, 0));
	RET("no_namespace", setxattr("f", "plain", "v", 1, 0));
	RET("unknown_namespace", setxattr("f", "strange.x", "v", 1, 0));
	RET("empty_suffix", setxattr("f", "user.", "v", 1, 0));
	RET("empty_name", setxattr("f", "", "v", 1, 0));
	memset(big, 'n', 300);
	memcpy(big, "user.", 5);
	big[255] = 0;
	RET("name255", setxattr("d", big, "v", 1, 0));
	RET("name255.remove", removexattr("d", big));
	big[255] = 'n', big[256] = 0;
	RET("name256", setxattr("d", big, "v", 1, 0));
	RET("too_big", setxattr("f", "user.a", big, 65537, 0));
	n = listxattr("f", list, sizeof(list));
	int found = 0;

	for (char *p = list; p < list + n; p += strlen(p) + 1)
		found += !strcmp(p, "user.a") * 10 + !strcmp(p, "user.b");
	NUM("list", found);
	say("list.short", "%s", listxattr("f", list, 3) < 0 ? errno_name(errno) : "ok");
	RET("remove", removexattr("f", "user.a"));
	RET("remove.again", removexattr("f", "user.a"));
	RET("fremove", fremovexattr(fd, "user.b"));
	RET("nofile", getxattr("nope", "user.a", v, 1));
	RET("efault", setxattr("f", (void *)1, "v", 1, 0));
	RET("efault.value", setxattr("f", "user.a", (void *)1, 1, 0));
	mkfifo("p", 0600);
	RET("fifo", setxattr("p", "user.a", "v", 1, 0));
	MUST(chmod("f", 0444));
	RET("read_only_file", setxattr("f", "user.ro", "v", 1, 0) && geteuid() ? -1 : 0);
}

static void access_modes(void)
{
	static const mode_t modes[] = { 0, 0400, 0200, 0100, 0700, 0070, 0007, 0755 };
	static const int want[] = { F_OK, R_OK, W_OK, X_OK, R_OK | W_OK, R_OK | X_OK };

	put_file("af", "x");
	mkdir("ad", 0755);
	for (size_t m = 0; m < ARRAY_SIZE(modes); m++)
		for (size_t w = 0; w < ARRAY_SIZE(want); w++) {
			MUST(chmod("af", modes[m]));
			MUST(chmod("ad", modes[m]));
			RET(N("u%d,file,%04o,%d", geteuid() != 0, modes[m], want[w]), access("af", want[w]));
			RET(N("u%d,dir,%04o,%d", geteuid() != 0, modes[m], want[w]), access("ad", want[w]));
			RET(N("u%d,eff,%04o,%d", geteuid() != 0, modes[m], want[w]),
			    syscall(SYS_faccessat2, AT_FDCWD, "af", want[w], AT_EACCESS));
		}
	MUST(unlink("af"));
	MUST(rmdir("ad"));
}

TEST(access)
{
	int fd;

	if (geteuid() == 0)
		access_modes();
	MUST(chmod(".", 0777));
	if (geteuid() == 0)
		STR("nobody", as_nobody(access_modes));
	else
		access_modes();
	put_file("f", "");
	fd = MUST(open("f", O_RDONLY));
	RET("mode", access("f", 8));
	RET("absent", access("nope", F_OK));
	RET("efault", access((void *)1, F_OK));
	RET("faccessat2.flags", syscall(SYS_faccessat2, AT_FDCWD, "f", 0, 1));
	RET("faccessat2.empty", syscall(SYS_faccessat2, fd, "", R_OK, AT_EMPTY_PATH));
	symlink("nope", "l");
	RET("dangling", access("l", F_OK));
	RET("dangling.nofollow", syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
	if (geteuid() == 0) {	/* access() asks for the real user */
		pid_t pid = xfork();

		if (!pid) {
			put_file("secret", "");
			MUST(chmod("secret", 0600));
			MUST(setresuid(NOBODY_UID, 0, 0));
			RET("real", access("secret", R_OK));
			RET("effective", syscall(SYS_faccessat2, AT_FDCWD, "secret", R_OK, AT_EACCESS));
			_exit(0);
		}
		STR("setuid", xwait(pid));
	}
}

TEST(statfs)
{
	struct statfs a, b, c;

	RET("path", statfs(".", &a));
	RET("fd", fstatfs(MUST(open(".", O_RDONLY)), &b));
	YES("same", a.f_type == b.f_type && a.f_bsize == b.f_bsize && a.f_namelen == b.f_namelen);
	YES("sane", a.f_bsize >= 512 && a.f_blocks >= a.f_bfree && a.f_bfree >= a.f_bavail && a.f_namelen == 255);
	RET("absent", statfs("nope", &a));
	RET("bad", fstatfs(-1, &a));
	RET("efault", statfs(".", (void *)1));
	RET("proc", statfs("/proc", &c));
	HEX("proc.type", c.f_type);
	int p[2];

	MUST(pipe(p));
	RET("pipe", fstatfs(p[0], &c));
	HEX("pipe.type", c.f_type);
}
