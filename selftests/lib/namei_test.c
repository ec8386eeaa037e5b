// SPDX-License-Identifier: MIT
/*
 * Names: the same random calls go to our files in memory and to a directory of the host's kernel, and must answer the same. What
 * cannot be compared that way (limits, mounts, openat2) stands in vfs_test.
 */
#define _DEFAULT_SOURCE
#include <sys/syscall.h>

#include "fs_env.h"

#include "fs/overlay.h"

#define OPS 60000

struct host_stat {	/* struct stat of x86-64 */
	u64 dev, ino, nlink;
	u32 mode, uid, gid, pad;
	u64 rdev;
	s64 size, blksize, blocks, times[6], unused[3];
};

static char host_root[64];
static u64 seed = 0x12345678abcdefull;
static unsigned long differences;
static bool overlaid;	/* directories do not count their links then */

/* One call on both sides. */
static long both(const char *what, const char *p1, const char *p2, long host, long ours)
{
	if (host != ours && differences++ < 20)
		printf("# %s(%s%s%s): host %ld, here %ld\n", what, p1, p2 ? ", " : "", p2 ? p2 : "", host, ours);
	return host == ours ? host : -4096;
}

static long host(long nr, long a, long b, long c, long d, long e)
{
	long ret = syscall(nr, a, b, c, d, e);

	return ret < 0 ? -errno : ret;
}
#define HOST(nr, a, b, c, d, e) host(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

static u32 rnd(u32 n) { return env_random(&seed) % n; }

/* At most two "..", and none in symlinks: so a path stays within the four directories that both sides have above the place. */
static char *random_path(char *buf, bool dots)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "a_long_name_that_does_not_fit_into_a_dentry_of_ours_x" };
	u32 n = 1 + rnd(3), ups = 0;
	char *at = buf;

	for (u32 i = 0; i < n; i++) {
		u32 k = rnd(20);

		if (i)
			*at++ = '/';
		if (!rnd(40))
			*at++ = '/';
		if (i == 0 && at > buf)
			at = buf;	/* never an absolute one */
		if (dots && k == 0 && ups++ < 2)
			at += sprintf(at, "..");
		else if (k == 1)
			at += sprintf(at, ".");
		else
			at += sprintf(at, "%s", names[rnd(ARRAY_SIZE(names))]);
	}
	if (!rnd(10))
		*at++ = '/';
	*at = 0;
	return buf;
}

static void compare_stat(const char *p, bool follow)
{
	struct host_stat h, o;
	long ret = both(follow ? "stat" : "lstat", p, NULL, HOST(follow ? SYS_stat : SYS_lstat, p, &h, 0, 0, 0),
			follow ? CALL(stat, p, &o) : CALL(lstat, p, &o));
	bool dir;

	if (ret)
		return;
	dir = (h.mode & S_IFMT) == S_IFDIR;
	if (h.mode != o.mode || h.uid != o.uid || (!(dir && overlaid) && h.nlink != o.nlink) || (!dir && h.size != o.size) || h.rdev != o.rdev) {
		if (differences++ < 20)
			printf("# stat(%s): host mode %o nlink %lu size %ld, here %o %lu %ld\n", p, h.mode, h.nlink, h.size,
			       o.mode, o.nlink, o.size);
	}
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names of an open directory, sorted. */
static u32 list_dir(int fd, bool ours, char *buf, size_t size, char **names, u32 max)
{
	u32 n = 0;
	size_t used = 0;
	long got;

	while ((got = ours ? CALL(getdents64, fd, buf + used, size - used) : HOST(SYS_getdents64, fd, buf + used, size - used, 0, 0)) > 0) {
		for (long at = 0; at < got;) {
			u16 len = *(u16 *)(buf + used + at + 16);

			if (n < max)
				names[n++] = buf + used + at + 19;
			at += len;
		}
		used += got;
	}
	qsort(names, n, sizeof(*names), by_name);
	return n;
}

static void compare_dirs(const char *p)
{
	static char hb[65536], ob[65536];
	char *hn[200], *on[200];
	int h = (int)HOST(SYS_open, p, O_RDONLY | O_DIRECTORY, 0, 0, 0), o = fs_open(p, O_RDONLY | O_DIRECTORY, 0);
	u32 nh, no;

	both("opendir", p, NULL, h < 0 ? h : 0, o < 0 ? o : 0);
	if (h >= 0 && o >= 0) {
		nh = list_dir(h, false, hb, sizeof(hb), hn, 200);
		no = list_dir(o, true, ob, sizeof(ob), on, 200);
		both("number of entries", p, NULL, nh, no);
		for (u32 i = 0; i < nh && i < no; i++)
			both("entry", hn[i], on[i], 0, strcmp(hn[i], on[i]));
	}
	if (h >= 0)
		close(h);
	if (o >= 0)
		CALL(close, o);
}

static void one_open(const char *p)
{
	static const int flag[] = { O_CREAT, O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_APPEND, O_PATH };
	int flags = (int)rnd(3) | O_NONBLOCK, fd;
	long h, o;
	char text[64];

	for (u32 i = rnd(3); i; i--)
		flags |= flag[rnd(ARRAY_SIZE(flag))];
	sprintf(text, "flags %o", flags);
	h = HOST(SYS_open, p, flags, 0666, 0, 0);
	o = fs_open(p, flags, 0666);
	fd = both("open", p, text, h < 0 ? h : 0, o < 0 ? o : 0);
	if (fd == 0) {
		u32 n = rnd(9000);
		static char data[9000];

		memset(data, (int)rnd(256), sizeof(data));

		both("write", p, text, HOST(SYS_write, h, data, n, 0, 0), CALL(write, o, data, n));
		both("lseek", p, text, HOST(SYS_lseek, h, 0, SEEK_END, 0, 0) * !(flags & O_DIRECTORY), CALL(lseek, o, 0, SEEK_END) * !(flags & O_DIRECTORY));
	}
	if (h >= 0)
		close((int)h);
	if (o >= 0)
		CALL(close, o);
}

static void one_op(void)
{
	static const u32 rename_flags[] = { 0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE };
	char p[512], q[512], hb[600], ob[600];
	long n, m;
	u32 f;

	random_path(p, true);
	random_path(q, true);
	switch (rnd(16)) {
	case 0:
	case 1:
		both("mkdir", p, NULL, HOST(SYS_mkdir, p, 0777, 0, 0, 0), CALL(mkdir, p, 0777));
		break;
	case 2:
		both("rmdir", p, NULL, HOST(SYS_rmdir, p, 0, 0, 0, 0), CALL(rmdir, p));
		break;
	case 3:
		both("unlink", p, NULL, HOST(SYS_unlink, p, 0, 0, 0, 0), CALL(unlink, p));
		break;
	case 4:
		both("link", p, q, HOST(SYS_link, p, q, 0, 0, 0), CALL(link, p, q));
		break;
	case 5:
		random_path(p, false);
		both("symlink", p, q, HOST(SYS_symlink, p, q, 0, 0, 0), CALL(symlink, p, q));
		break;
	case 6:
	case 7:
		f = rename_flags[rnd(ARRAY_SIZE(rename_flags))];
		sprintf(hb, "%s%s", f == RENAME_EXCHANGE ? "exchange " : f ? "noreplace " : "", q);
		both("rename", p, hb, HOST(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, q, f), CALL(renameat2, AT_FDCWD, p, AT_FDCWD, q, f));
		break;
	case 8:
		f = 1 + rnd(200);
		n = HOST(SYS_readlink, p, hb, f, 0, 0);
		m = CALL(readlink, p, ob, f);
		if (both("readlink", p, NULL, n, m) > 0)
			both("text", p, NULL, 0, memcmp(hb, ob, n));
		break;
	case 9:
		f = rnd(01000) | 0700;
		both("chmod", p, NULL, HOST(SYS_chmod, p, f, 0, 0, 0), CALL(chmod, p, f));
		break;
	case 10:
		f = rnd(20000);
		both("truncate", p, NULL, HOST(SYS_truncate, p, f, 0, 0, 0), CALL(truncate, p, f));
		break;
	case 11:
		f = rnd(8);
		both("access", p, NULL, HOST(SYS_access, p, f, 0, 0, 0), CALL(access, p, f));
		break;
	case 12:
		both("mkfifo", p, NULL, HOST(SYS_mknod, p, S_IFIFO | 0666, 0, 0, 0), CALL(mknod, p, S_IFIFO | 0666, 0));
		break;
	default:
		one_open(p);
	}
	compare_stat(p, rnd(2));
	if (!rnd(50))
		compare_dirs(p);
}

static void the_host_says_the_same(void)
{
	for (int i = 0; i < OPS && differences < 20; i++)
		one_op();
	EXPECT_EQ(differences, 0);
}

/* The long tail of path_resolution(7), one by one, again with the host as the witness. */
static void corner_cases(void)
{
	static char longname[5000];
	static const char *const paths[] = {
		"", "/", ".", "..", "./", "../", "//", "f", "f/", "f/.", "f/x", "none", "none/", "none/x", "s", "s/", "s/f", "loop",
		"loop/x", "dangling", "dangling/", "s/..", "s/../f", "sf", "sf/", "sub/../f", "sub/.", "sub/..", "sub//f",
	};
	struct host_stat st;

	EXPECT_EQ(both("mkdir", "cc", NULL, HOST(SYS_mkdir, "cc", 0777, 0, 0, 0), CALL(mkdir, "cc", 0777)), 0);
	EXPECT_EQ(chdir("cc"), 0);
	EXPECT_EQ(CALL(chdir, "cc"), 0);
	for (int turn = 0; turn < 2; turn++) {
		memset(longname, 'x', sizeof(longname));
		longname[turn ? 255 : 256] = 0;
		both("mkdir", turn ? "255" : "256", NULL, HOST(SYS_mkdir, longname, 0777, 0, 0, 0), CALL(mkdir, longname, 0777));
		compare_stat(longname, true);
		both("rename", "long", "f", HOST(SYS_rename, longname, "none/f", 0, 0, 0), CALL(rename, longname, "none/f"));
		both("unlink", "long", NULL, HOST(SYS_unlink, longname, 0, 0, 0, 0), CALL(unlink, longname));
		both("open", "long", NULL, HOST(SYS_open, longname, O_CREAT | O_EXCL, 0, 0, 0), CALL(open, longname, O_CREAT | O_EXCL, 0));
		memset(longname, '/', 4999);
		longname[turn ? 4095 : 4096] = 0;
		both("access", turn ? "4095" : "4096", NULL, HOST(SYS_access, longname, 0, 0, 0, 0), CALL(access, longname, 0));
	}
	close((int)HOST(SYS_open, "f", O_CREAT | O_WRONLY, 0644, 0, 0));
	CALL(close, fs_open("f", O_CREAT | O_WRONLY, 0644));
	both("mkdir", "sub", NULL, HOST(SYS_mkdir, "sub", 0777, 0, 0, 0), CALL(mkdir, "sub", 0777));
	both("symlink", "sub", "s", HOST(SYS_symlink, "sub", "s", 0, 0, 0), CALL(symlink, "sub", "s"));
	both("symlink", "f", "sf", HOST(SYS_symlink, "f", "sf", 0, 0, 0), CALL(symlink, "f", "sf"));
	both("symlink", "loop", "loop", HOST(SYS_symlink, "loop", "loop", 0, 0, 0), CALL(symlink, "loop", "loop"));
	both("symlink", "nowhere", "dangling", HOST(SYS_symlink, "nowhere", "dangling", 0, 0, 0), CALL(symlink, "nowhere", "dangling"));
	both("symlink", "", "e", HOST(SYS_symlink, "", "e", 0, 0, 0), CALL(symlink, "", "e"));
	for (u32 i = 0; i < ARRAY_SIZE(paths); i++) {
		const char *p = paths[i];
		int fd;

		both("stat", p, NULL, HOST(SYS_stat, p, &st, 0, 0, 0), CALL(stat, p, &st));
		both("lstat", p, NULL, HOST(SYS_lstat, p, &st, 0, 0, 0), CALL(lstat, p, &st));
		both("readlink", p, NULL, HOST(SYS_readlink, p, longname, 10, 0, 0), CALL(readlink, p, longname, 10));
		both("chdir", p, NULL, HOST(SYS_access, p, 1, 0, 0, 0), CALL(access, p, 1));
		if (p[0] == '/' || !strncmp(p, "..", 2))
			continue;
		both("rmdir", p, NULL, HOST(SYS_rmdir, p, 0, 0, 0, 0) * !strstr(p, "sub/."), CALL(rmdir, p) * !strstr(p, "sub/."));
		both("mkdir", p, NULL, HOST(SYS_mkdir, p, 0777, 0, 0, 0), CALL(mkdir, p, 0777));
		both("unlink", p, NULL, HOST(SYS_unlink, p, 0, 0, 0, 0), CALL(unlink, p));
		both("rename", p, "g", HOST(SYS_rename, p, "g", 0, 0, 0), CALL(rename, p, "g"));
		both("rename", "g", p, HOST(SYS_rename, "g", p, 0, 0, 0), CALL(rename, "g", p));
		both("link", p, "h", HOST(SYS_link, p, "h", 0, 0, 0), CALL(link, p, "h"));
		both("unlink", "h", NULL, HOST(SYS_unlink, "h", 0, 0, 0, 0), CALL(unlink, "h"));
		both("link", "f", p, HOST(SYS_link, "f", p, 0, 0, 0), CALL(link, "f", p));
		both("symlink", "x", p, HOST(SYS_symlink, "x", p, 0, 0, 0), CALL(symlink, "x", p));
		for (int flags = 0; flags < 8; flags++) {
			int fl = (flags & 1 ? O_CREAT : 0) | (flags & 2 ? O_EXCL : 0) | (flags & 4 ? O_WRONLY : 0);
			char text[20];

			sprintf(text, "%o", fl);
			fd = (int)HOST(SYS_open, p, fl, 0644, 0, 0);
			if (fd >= 0)
				close(fd);
			both("open", p, text, fd < 0 ? fd : 0, ({
				int o = fs_open(p, fl, 0644);

				if (o >= 0)
					CALL(close, o);
				o < 0 ? o : 0;
			}));
		}
	}
	EXPECT_EQ(differences, 0);
}

/* All below here, each file's bytes as well. */
static void compare_tree(const char *p)
{
	static char hb[20000], ob[20000];
	struct host_stat st;
	char *hn[100], *names = malloc(65536), path[600];
	u32 n;
	int h, o;

	compare_stat(p, false);
	if (HOST(SYS_lstat, p, &st, 0, 0, 0) == 0 && (st.mode & S_IFMT) == S_IFREG && (st.mode & 0400)) {
		h = (int)HOST(SYS_open, p, O_RDONLY, 0, 0, 0);
		o = fs_open(p, O_RDONLY, 0);
		if (both("read", p, NULL, HOST(SYS_read, h, hb, sizeof(hb), 0, 0), CALL(read, o, ob, sizeof(ob))) > 0)
			both("bytes", p, NULL, 0, memcmp(hb, ob, sizeof(hb)));
		close(h);
		CALL(close, o);
	} else if ((st.mode & S_IFMT) == S_IFDIR && strlen(p) < 500) {
		compare_dirs(p);
		h = (int)HOST(SYS_open, p, O_RDONLY | O_DIRECTORY, 0, 0, 0);
		n = h < 0 ? 0 : list_dir(h, false, names, 65536, hn, 100);
		for (u32 i = 0; i < n; i++) {
			if (!strcmp(hn[i], ".") || !strcmp(hn[i], ".."))
				continue;
			snprintf(path, sizeof(path), "%s/%s", p, hn[i]);
			compare_tree(path);
		}
		if (h >= 0)
			close(h);
	}
	free(names);
}

/* What the test above left becomes the lower half; the host's directory stays the witness. */
static void an_overlay_says_the_same(void)
{
	struct cred *user = current->cred;
	struct path low, at;
	struct super *sb;

	current->cred = NULL;
	EXPECT_EQ(path_lookup(AT_FDCWD, "/w", LOOKUP_FOLLOW, &low), 0);
	sb = overlay_super(low.dentry->inode);
	EXPECT(sb);
	EXPECT_EQ(vfs_mkdirs("/over", 0777), 0);
	EXPECT_EQ(path_lookup(AT_FDCWD, "/over", LOOKUP_FOLLOW, &at), 0);
	EXPECT_EQ(vfs_mount(sb, &at, 0, "overlay", NULL), 0);
	super_put(sb);
	path_put(&at);
	path_put(&low);
	current->cred = user;
	EXPECT_EQ(CALL(chdir, "/over/1/2/3/4"), 0);
	overlaid = true;
	compare_tree(".");
	for (int i = 0; i < OPS && differences < 20; i++) {
		one_op();
		/* Forget what is not used: state that was kept nowhere else would be lost. */
		if (!rnd(100))
			dcache_prune(1000);
	}
	compare_tree(".");
	EXPECT_EQ(differences, 0);
}

static void host_boot(void)
{
	struct host_stat st;

	strcpy(host_root, "/dev/shm/lbx-namei-XXXXXX");
	if (HOST(SYS_stat, "/dev/shm", &st, 0, 0, 0))
		strcpy(host_root, "/tmp/lbx-namei-XXXXXX");
	HOST(SYS_umask, 0, 0, 0, 0, 0);
	if (!mkdtemp(host_root) || chown(host_root, FS_UID, FS_UID) || chdir(host_root))
		printf("# no native directory: %s\n", strerror(errno));
	/* Compare as an ordinary user: root may too much. */
	if (getuid() == 0 && (setgid(FS_UID) || setuid(FS_UID)))
		abort();
	for (const char *d = "1234"; *d; d++) {
		char name[2] = { *d, 0 };

		if (HOST(SYS_mkdir, name, 0777, 0, 0, 0) || chdir(name) || fs_mkdir(name) || CALL(chdir, name))
			abort();
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		seed = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15ull | 1;
	fs_boot();
	host_boot();
	if (getuid() != FS_UID) {
		/* Owners would differ. */
		current->cred->uid = current->cred->fsuid = current->cred->euid = getuid();
		current->cred->gid = current->cred->fsgid = current->cred->egid = getgid();
	}
	RUN(corner_cases);
	if (chdir("..") || CALL(chdir, ".."))
		abort();
	RUN(the_host_says_the_same);
	RUN(an_overlay_says_the_same);
	if (chdir("/") == 0) {
		char cmd[200];

		snprintf(cmd, sizeof(cmd), "chmod -R u+rwx %s; rm -rf %s", host_root, host_root);
		EXPECT_EQ(system(cmd), 0);
	}
	return unit_done();
}
