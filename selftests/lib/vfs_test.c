// SPDX-License-Identifier: MIT
/* The tree as a whole: openat2, mounts, links of unnamed files, rights, notification, attributes, and threads against each other. */
#include "fs_env.h"

#include "fs/inotify.h"
#include "fs/memfs.h"
#include "fs/overlay.h"
#include "fs/pseudo.h"

static long try_openat2(int dirfd, const char *name, u64 flags, u64 mode, u64 resolve)
{
	struct open_how how = { flags, mode, resolve };
	long fd = CALL(openat2, dirfd, name, &how, sizeof(how));

	if (fd >= 0)
		CALL(close, fd);
	return fd < 0 ? fd : 0;
}

static void openat2_stays_where_it_must(void)
{
	u64 long_how[4] = { 0, 0, 0, 1 };
	int d;

	EXPECT_EQ(fs_mkdir("o2"), 0);
	EXPECT_EQ(fs_mkdir("o2/in"), 0);
	fs_put("o2/in/f", "inside");
	fs_put("outside", "outside");
	EXPECT_EQ(CALL(symlink, "/outside", "o2/abs"), 0);
	EXPECT_EQ(CALL(symlink, "../outside", "o2/up"), 0);
	EXPECT_EQ(CALL(symlink, "in/f", "o2/fine"), 0);
	EXPECT_EQ(CALL(symlink, "/in/f", "o2/rooted"), 0);
	d = fs_open("o2", O_PATH | O_DIRECTORY, 0);
	EXPECT_EQ(try_openat2(d, "in/f", 0, 0, RESOLVE_BENEATH), 0);
	EXPECT_EQ(try_openat2(d, "in/../in/f", 0, 0, RESOLVE_BENEATH), 0);
	EXPECT_EQ(try_openat2(d, "fine", 0, 0, RESOLVE_BENEATH), 0);
	EXPECT_EQ(try_openat2(d, "..", 0, 0, RESOLVE_BENEATH), -EXDEV);
	EXPECT_EQ(try_openat2(d, "in/../../outside", 0, 0, RESOLVE_BENEATH), -EXDEV);
	EXPECT_EQ(try_openat2(d, "abs", 0, 0, RESOLVE_BENEATH), -EXDEV);
	EXPECT_EQ(try_openat2(d, "up", 0, 0, RESOLVE_BENEATH), -EXDEV);
	EXPECT_EQ(try_openat2(d, "/w/outside", 0, 0, RESOLVE_BENEATH), -EXDEV);
	EXPECT_EQ(try_openat2(d, "../../in/f", 0, 0, RESOLVE_IN_ROOT), 0);
	EXPECT_EQ(try_openat2(d, "/in/f", 0, 0, RESOLVE_IN_ROOT), 0);
	EXPECT_EQ(try_openat2(d, "rooted", 0, 0, RESOLVE_IN_ROOT), 0);
	EXPECT_EQ(try_openat2(d, "rooted", 0, 0, 0), -ENOENT);
	EXPECT_EQ(try_openat2(d, "fine", 0, 0, RESOLVE_NO_SYMLINKS), -ELOOP);
	EXPECT_EQ(try_openat2(AT_FDCWD, "/dev/null", 0, 0, RESOLVE_NO_XDEV), -EXDEV);
	EXPECT_EQ(try_openat2(d, "in/f", 0, 0, RESOLVE_CACHED), 0);
	dcache_prune(10000);
	EXPECT_EQ(try_openat2(d, "in/f", 0, 0, RESOLVE_CACHED), -EAGAIN);
	EXPECT_EQ(try_openat2(d, "in/f", 0, 0, 0x40), -EINVAL);
	EXPECT_EQ(try_openat2(d, "in/f", 0, 0, RESOLVE_BENEATH | RESOLVE_IN_ROOT), -EINVAL);
	EXPECT_EQ(try_openat2(d, "in/f", 1ull << 40, 0, 0), -EINVAL);
	EXPECT_EQ(try_openat2(d, "in/f", 0, 0600, 0), -EINVAL);
	EXPECT_EQ(try_openat2(d, "in/f", O_CREAT, 010000, 0), -EINVAL);
	EXPECT_EQ(try_openat2(d, "in/f", O_PATH | O_RDWR, 0, 0), -EINVAL);
	EXPECT_EQ(CALL(openat2, d, "in/f", long_how, 8), -EINVAL);
	EXPECT_EQ(CALL(openat2, d, "in/f", long_how, 32), -E2BIG);
	CALL(close, d);
}

static void unnamed_files_get_names(void)
{
	int fd = fs_open(".", O_TMPFILE | O_RDWR, 0600), gone;

	EXPECT(fd >= 0);
	EXPECT_EQ(CALL(write, fd, "text", 4), 4);
	EXPECT_EQ(CALL(linkat, fd, "", AT_FDCWD, "named", AT_EMPTY_PATH), 0);
	EXPECT(fs_has("named", "text"));
	EXPECT_EQ(CALL(close, fd), 0);
	fd = fs_open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	EXPECT_EQ(CALL(linkat, fd, "", AT_FDCWD, "never", AT_EMPTY_PATH), -ENOENT);
	EXPECT_EQ(CALL(close, fd), 0);
	EXPECT_EQ(fs_open(".", O_TMPFILE | O_RDONLY, 0600), -EINVAL);
	EXPECT_EQ(fs_open("named", O_TMPFILE | O_RDWR, 0600), -ENOTDIR);
	/* An unlinked file lives while it is open, and has no way back. */
	gone = fs_open("named", O_RDONLY, 0);
	EXPECT_EQ(CALL(unlink, "named"), 0);
	EXPECT_EQ(CALL(linkat, gone, "", AT_FDCWD, "again", AT_EMPTY_PATH), -ENOENT);
	EXPECT_EQ(CALL(close, gone), 0);
}

static void cwd_has_a_name_until_it_is_removed(void)
{
	char buf[200];

	EXPECT_EQ(fs_mkdir("cwd"), 0);
	EXPECT_EQ(CALL(chdir, "cwd"), 0);
	EXPECT_EQ(CALL(getcwd, buf, sizeof(buf)), 7);
	EXPECT(!strcmp(buf, "/w/cwd"));
	EXPECT_EQ(CALL(getcwd, buf, 6), -ERANGE);
	EXPECT_EQ(CALL(rename, "/w/cwd", "/w/moved"), 0);
	EXPECT_EQ(CALL(getcwd, buf, sizeof(buf)), 9);
	EXPECT(!strcmp(buf, "/w/moved"));
	EXPECT_EQ(CALL(rmdir, "/w/moved"), 0);
	EXPECT_EQ(CALL(getcwd, buf, sizeof(buf)), -ENOENT);
	EXPECT_EQ(fs_mkdir("in_removed"), -ENOENT);
	EXPECT_EQ(fs_open("in_removed", O_CREAT | O_WRONLY, 0600), -ENOENT);
	EXPECT_EQ(CALL(access, "..", 0), 0);
	EXPECT_EQ(CALL(chdir, "/w"), 0);
}

static void be(u32 uid, u64 caps)
{
	struct cred *c = cred_create(uid, uid, NULL, 0, caps, caps);

	cred_put(current->cred);
	current->cred = c;
}

static void rights_are_checked(void)
{
	struct kstat st;
	struct path p;

	EXPECT_EQ(fs_mkdir("r"), 0);
	EXPECT_EQ(CALL(chmod, "r", 01777), 0);
	fs_put("r/mine", "x");
	EXPECT_EQ(CALL(chmod, "r/mine", 0640), 0);
	EXPECT_EQ(fs_mkdir("r/closed"), 0);
	fs_put("r/closed/f", "x");
	EXPECT_EQ(CALL(chmod, "r/closed", 0600), 0);
	EXPECT_EQ(CALL(access, "r/closed/f", 0), -EACCES);
	EXPECT_EQ(CALL(chmod, "r/closed", 0100), 0);
	EXPECT_EQ(CALL(access, "r/closed/f", 4), 0);
	EXPECT_EQ(fs_open("r/closed", O_RDONLY, 0), -EACCES);
	be(2000, 0);
	EXPECT_EQ(fs_open("r/mine", O_RDONLY, 0), -EACCES);
	EXPECT_EQ(CALL(unlink, "r/mine"), -EPERM);		/* sticky */
	EXPECT_EQ(CALL(rename, "r/mine", "r/other"), -EPERM);
	EXPECT_EQ(CALL(chmod, "r/mine", 0777), -EPERM);
	EXPECT_EQ(CALL(chown, "r/mine", 2000, -1), -EPERM);
	EXPECT_EQ(CALL(utimensat, AT_FDCWD, "r/mine", 0, 0), -EACCES);
	EXPECT_EQ(CALL(link, "r/mine", "r/hard"), -EPERM);	/* protected_hardlinks */
	fs_put("r/theirs", "x");
	EXPECT_EQ(CALL(mknod, "r/dev", S_IFCHR | 0666, dev_make(1, 3)), -EPERM);
	EXPECT_EQ(CALL(chroot, "/w"), -EPERM);
	EXPECT_EQ(CALL(mount, "none", "/w", "tmpfs", 0, 0), -EPERM);
	EXPECT_EQ(CALL(unlink, "r/theirs"), 0);
	be(0, CAP_CONTAINER);
	EXPECT_EQ(fs_open("r/mine", O_RDONLY, 0) >= 0, 1);
	EXPECT_EQ(CALL(chown, "r/mine", 2000, 2000), 0);
	EXPECT_EQ(CALL(chmod, "r/mine", 06755), 0);
	EXPECT_EQ(CALL(chown, "r/mine", 1000, 1000), 0);
	EXPECT_EQ(path_lookup(AT_FDCWD, "r/mine", 0, &p), 0);
	EXPECT_EQ(vfs_stat(&p, &st), 0);
	EXPECT_EQ(st.mode, S_IFREG | 0755);			/* chown strips set-id bits */
	path_put(&p);
	be(1000, 0);
}

static void setgid_directories_pass_their_group_on(void)
{
	struct kstat st;
	struct path p;

	be(0, CAP_CONTAINER);
	EXPECT_EQ(fs_mkdir("sg"), 0);
	EXPECT_EQ(CALL(chown, "sg", 1000, 50), 0);
	EXPECT_EQ(CALL(chmod, "sg", 02777), 0);
	be(1000, 0);
	EXPECT_EQ(CALL(umask, 022), 0);
	EXPECT_EQ(fs_mkdir("sg/d"), 0);
	EXPECT_EQ(CALL(close, fs_open("sg/f", O_CREAT | O_WRONLY, 02775)), 0);
	EXPECT_EQ(CALL(umask, 0), 022);
	EXPECT_EQ(path_lookup(AT_FDCWD, "sg/d", 0, &p), 0);
	EXPECT_EQ(vfs_stat(&p, &st), 0);
	EXPECT_EQ(st.gid, 50);
	EXPECT_EQ(st.mode, S_IFDIR | 02755);
	path_put(&p);
	EXPECT_EQ(path_lookup(AT_FDCWD, "sg/f", 0, &p), 0);
	EXPECT_EQ(vfs_stat(&p, &st), 0);
	EXPECT_EQ(st.gid, 50);
	EXPECT_EQ(st.mode, S_IFREG | 0755);			/* not in that group: no set-group-id */
	path_put(&p);
}

static void what_runs_is_not_written(void)
{
	struct file *f;
	int fd;

	fs_put("prog", "code");
	EXPECT_EQ(PTR_ERR(vfs_open_exec(AT_FDCWD, "prog", 0)), -EACCES);
	EXPECT_EQ(CALL(chmod, "prog", 0755), 0);
	f = vfs_open_exec(AT_FDCWD, "prog", 0);
	EXPECT(!IS_ERR(f));
	EXPECT_EQ(fs_open("prog", O_WRONLY, 0), -ETXTBSY);
	EXPECT_EQ(CALL(truncate, "prog", 0), -ETXTBSY);
	fd = fs_open("prog", O_RDONLY, 0);
	EXPECT(fd >= 0);
	CALL(close, fd);
	vfs_allow_write(f);
	fd = fs_open("prog", O_WRONLY, 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(PTR_ERR(vfs_open_exec(AT_FDCWD, "prog", 0)), -ETXTBSY);
	CALL(close, fd);
	file_put(f);
	EXPECT_EQ(PTR_ERR(vfs_open_exec(AT_FDCWD, ".", 0)), -EACCES);
}

static void mounts_cover_and_uncover(void)
{
	struct super *sb = memfs_super("tmpfs", 0777);
	struct path at, top;
	char buf[100];

	EXPECT_EQ(fs_mkdir("mnt"), 0);
	fs_put("mnt/below", "below");
	EXPECT_EQ(path_lookup(AT_FDCWD, "mnt", 0, &at), 0);
	EXPECT_EQ(vfs_mount(sb, &at, MNT_NOEXEC, "src", NULL), 0);
	super_put(sb);
	EXPECT_EQ(CALL(access, "mnt/below", 0), -ENOENT);
	fs_put("mnt/above", "above");
	EXPECT_EQ(CALL(rename, "mnt/above", "above"), -EXDEV);
	EXPECT_EQ(CALL(link, "mnt/above", "above"), -EXDEV);
	EXPECT_EQ(CALL(rmdir, "mnt"), -EBUSY);
	EXPECT_EQ(CALL(rename, "mnt", "mnt2"), -EBUSY);
	EXPECT_EQ(CALL(access, "mnt/../outside", 0), 0);
	EXPECT_EQ(CALL(chdir, "mnt"), 0);
	EXPECT_EQ(CALL(getcwd, buf, sizeof(buf)), 7);
	EXPECT(!strcmp(buf, "/w/mnt"));
	EXPECT_EQ(path_lookup(AT_FDCWD, "/w/mnt", 0, &top), 0);
	EXPECT(top.mnt != at.mnt);
	EXPECT_EQ(vfs_umount(&top, false), -EBUSY);
	mount_remount(top.mnt, MNT_RDONLY);
	EXPECT_EQ(fs_open("new", O_CREAT | O_WRONLY, 0600), -EROFS);
	EXPECT_EQ(fs_open("above", O_WRONLY, 0), -EROFS);
	EXPECT_EQ(CALL(unlink, "above"), -EROFS);
	EXPECT_EQ(CALL(chmod, "above", 0), -EROFS);
	EXPECT_EQ(CALL(access, "above", 2), -EROFS);
	EXPECT(fs_has("above", "above"));
	EXPECT_EQ(CALL(chdir, "/w"), 0);
	EXPECT_EQ(vfs_umount(&top, false), 0);
	path_put(&top);
	path_put(&at);
	EXPECT(fs_has("mnt/below", "below"));
	EXPECT_EQ(CALL(unlink, "mnt/below"), 0);
	EXPECT_EQ(CALL(rmdir, "mnt"), 0);
}

/* ---- inotify ---- */

struct in_event { s32 wd; u32 mask, cookie, len; char name[]; };

static bool next_event(char **at, char *end, u32 mask, const char *name, u32 *cookie)
{
	struct in_event *e = (void *)*at;

	if (*at >= end)
		return false;
	*at += sizeof(*e) + e->len;
	if (cookie)
		*cookie = e->cookie;
	if (e->mask != mask || strcmp(e->len ? e->name : "", name))
		printf("# event %x %s, not %x %s\n", e->mask, e->len ? e->name : "", mask, name);
	return e->mask == mask && !strcmp(e->len ? e->name : "", name);
}

static void watchers_are_told(void)
{
	char buf[4096] __aligned(8), *at = buf, *end;
	u32 from, to;
	int in = (int)CALL(inotify_init1, O_NONBLOCK), fd;
	long n;

	EXPECT_EQ(fs_mkdir("wd"), 0);
	EXPECT_EQ(CALL(read, in, buf, sizeof(buf)), -EAGAIN);
	EXPECT_EQ(CALL(inotify_add_watch, in, "wd", IN_ALL_EVENTS & ~IN_ACCESS), 1);
	fs_put("wd/f", "x");
	EXPECT_EQ(CALL(chmod, "wd/f", 0600), 0);
	EXPECT_EQ(CALL(rename, "wd/f", "wd/g"), 0);
	EXPECT_EQ(fs_mkdir("wd/d"), 0);
	EXPECT_EQ(CALL(rmdir, "wd/d"), 0);
	EXPECT_EQ(CALL(unlink, "wd/g"), 0);
	EXPECT_EQ(CALL(rmdir, "wd"), 0);
	EXPECT_EQ(CALL(read, in, buf, 10), -EINVAL);
	n = CALL(read, in, buf, sizeof(buf));
	EXPECT(n > 0);
	end = buf + n;
	EXPECT(next_event(&at, end, IN_CREATE, "f", NULL));
	EXPECT(next_event(&at, end, IN_OPEN, "f", NULL));
	EXPECT(next_event(&at, end, IN_MODIFY, "f", NULL));
	EXPECT(next_event(&at, end, IN_CLOSE_WRITE, "f", NULL));
	EXPECT(next_event(&at, end, IN_ATTRIB, "f", NULL));
	EXPECT(next_event(&at, end, IN_MOVED_FROM, "f", &from));
	EXPECT(next_event(&at, end, IN_MOVED_TO, "g", &to));
	EXPECT(from && from == to);
	EXPECT(next_event(&at, end, IN_CREATE | IN_ISDIR, "d", NULL));
	EXPECT(next_event(&at, end, IN_DELETE | IN_ISDIR, "d", NULL));
	EXPECT(next_event(&at, end, IN_DELETE, "g", NULL));
	EXPECT(next_event(&at, end, IN_DELETE_SELF, "", NULL));
	EXPECT(next_event(&at, end, IN_IGNORED, "", NULL));
	EXPECT(at == end);
	EXPECT_EQ(CALL(inotify_rm_watch, in, 1), -EINVAL);
	/* Too many events: the queue says so once. */
	EXPECT_EQ(fs_mkdir("wd"), 0);
	EXPECT_EQ(CALL(inotify_add_watch, in, "wd", IN_CREATE | IN_DELETE), 2);
	for (int i = 0; i < 9000; i++) {
		fd = fs_open("wd/f", O_CREAT | O_EXCL | O_WRONLY, 0600);
		CALL(close, fd);
		CALL(unlink, "wd/f");
	}
	for (from = 0; (n = CALL(read, in, buf, sizeof(buf))) > 0;)
		for (at = buf; at < buf + n; at += sizeof(struct in_event) + ((struct in_event *)at)->len, from++)
			to = ((struct in_event *)at)->mask;
	EXPECT_EQ(from, 16385);
	EXPECT_EQ(to, IN_Q_OVERFLOW);
	EXPECT_EQ(CALL(inotify_rm_watch, in, 2), 0);
	EXPECT_EQ(CALL(close, in), 0);
	EXPECT_EQ(inotify_watches, 0);
	EXPECT_EQ(CALL(rmdir, "wd"), 0);
}

static void attributes_are_kept(void)
{
	char buf[100];

	fs_put("xa", "x");
	EXPECT_EQ(CALL(getxattr, "xa", "user.a", buf, 10), -ENODATA);
	EXPECT_EQ(CALL(setxattr, "xa", "user.a", "value", 5, XATTR_REPLACE), -ENODATA);
	EXPECT_EQ(CALL(setxattr, "xa", "user.a", "value", 5, XATTR_CREATE), 0);
	EXPECT_EQ(CALL(setxattr, "xa", "user.a", "value", 5, XATTR_CREATE), -EEXIST);
	EXPECT_EQ(CALL(setxattr, "xa", "user.b", "", 0, 0), 0);
	EXPECT_EQ(CALL(getxattr, "xa", "user.a", buf, 0), 5);
	EXPECT_EQ(CALL(getxattr, "xa", "user.a", buf, 4), -ERANGE);
	EXPECT_EQ(CALL(getxattr, "xa", "user.a", buf, 100), 5);
	EXPECT(!memcmp(buf, "value", 5));
	EXPECT_EQ(CALL(listxattr, "xa", buf, 100), 14);
	EXPECT(!memcmp(buf, "user.a\0user.b", 14));
	EXPECT_EQ(CALL(listxattr, "xa", buf, 13), -ERANGE);
	EXPECT_EQ(CALL(removexattr, "xa", "user.a"), 0);
	EXPECT_EQ(CALL(removexattr, "xa", "user.a"), -ENODATA);
	EXPECT_EQ(CALL(setxattr, "xa", "trusted.a", "v", 1, 0), -EPERM);
	EXPECT_EQ(CALL(setxattr, "xa", "security.a", "v", 1, 0), -EOPNOTSUPP);
	EXPECT_EQ(CALL(setxattr, "xa", "user.", "v", 1, 0), -EINVAL);
	EXPECT_EQ(CALL(setxattr, "xa", "user.a", "v", 65537, 0), -E2BIG);
	EXPECT_EQ(CALL(symlink, "xa", "xl"), 0);
	EXPECT_EQ(CALL(lsetxattr, "xl", "user.a", "v", 1, 0), -EPERM);
	EXPECT_EQ(CALL(unlink, "xa"), 0);
}

/* ---- listings ---- */

static int count_names(const char *dir, int step_close, void (*between)(int i))
{
	char buf[200];
	int fd = fs_open(dir, O_RDONLY | O_DIRECTORY, 0), count = 0;
	long n;

	while ((n = CALL(getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n; at += *(u16 *)(buf + at + 16))
			count++;
		if (between)
			between(count);
	}
	EXPECT_EQ(n, 0);
	CALL(close, fd);
	return count + step_close;
}

static void remove_what_was_seen(int i)
{
	char name[20];

	/* Names are shown in the order they were made: all below i - 2 have been. */
	for (int k = 0; k < i - 2; k++) {
		sprintf(name, "ls/%d", k);
		CALL(unlink, name);
	}
}

static void listings_miss_nothing(void)
{
	char name[20], buf[32];
	int fd;

	EXPECT_EQ(fs_mkdir("ls"), 0);
	for (int i = 0; i < 1000; i++) {
		sprintf(name, "ls/%d", i);
		CALL(close, fs_open(name, O_CREAT | O_WRONLY, 0600));
	}
	EXPECT_EQ(count_names("ls", 0, NULL), 1002);
	EXPECT_EQ(count_names("ls", 0, remove_what_was_seen), 1002);
	EXPECT_EQ(CALL(rmdir, "ls"), 0);
	fd = fs_open(".", O_RDONLY, 0);
	EXPECT_EQ(CALL(getdents64, fd, buf, 10), -EINVAL);
	EXPECT_EQ(CALL(getdents64, fd, 8, 100), -EFAULT);
	EXPECT_EQ(CALL(read, fd, buf, 10), -EISDIR);
	CALL(close, fd);
}

/* ---- generated files ---- */

static u64 shown;
static bool gone;

static int show_number(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	shown++;
	seq_printf(s, "%lu\n", (unsigned long)ctx->key);
	for (int i = 0; i < 2000; i++)
		seq_putc(s, 'x');
	return 0;
}

static ssize_t store_number(const struct pseudo_ctx *ctx __unused, const char *text, size_t len)
{
	return len > 3 ? -EINVAL : text[0] == '7' ? (ssize_t)len : -ERANGE;
}

static bool number_alive(const struct pseudo_ctx *ctx) { return !(gone && ctx->key == 5); }
static void no_obj(void *obj __unused) { }
static const struct pseudo_ctx_ops number_ops = { .get = no_obj, .put = no_obj, .alive = number_alive };
static ssize_t link_text(const struct pseudo_ctx *ctx __unused, char *buf, size_t size)
{
	return snprintf(buf, size, "5") < (int)size ? 1 : (ssize_t)size;
}

static const struct pseudo_entry in_number[] = {
	{ .name = "text", .mode = S_IFREG | 0666, .show = show_number, .store = store_number }, {}
};
static const struct pseudo_entry number_dir = { .name = "*", .mode = S_IFDIR | 0555, .children = in_number };

static const struct pseudo_entry *find_number(const struct pseudo_ctx *dir __unused, const struct qstr *name,
					      struct pseudo_ctx *ctx, bool *counted __unused)
{
	if (name->len != 1 || name->name[0] < '0' || name->name[0] > '9')
		return NULL;
	*ctx = (struct pseudo_ctx){ .key = (u64)(name->name[0] - '0'), .ops = &number_ops };
	return number_alive(ctx) ? &number_dir : NULL;
}

static bool next_number(const struct pseudo_ctx *dir __unused, u64 *from, char *name, size_t size, u32 *mode)
{
	if (gone && *from == 5)
		++*from;
	*mode = S_IFDIR;
	snprintf(name, size, "%d", (int)*from);
	return *from < 10;
}

static const struct pseudo_dir numbers = { .lookup = find_number, .next = next_number };
static const struct pseudo_entry pseudo_root_children[] = {
	{ .name = "five", .mode = S_IFLNK | 0777, .readlink = link_text }, {}
};
static const struct pseudo_entry pseudo_root = {
	.mode = S_IFDIR | 0555, .children = pseudo_root_children, .dynamic = &numbers,
};

static void generated_files_come_and_go(void)
{
	struct super *sb = pseudo_super("proc", 0x9fa0, SB_NOCACHE, &pseudo_root);
	struct path at;
	char buf[10];
	int fd;

	EXPECT_EQ(fs_mkdir("pseudo"), 0);
	EXPECT_EQ(path_lookup(AT_FDCWD, "pseudo", 0, &at), 0);
	EXPECT_EQ(vfs_mount(sb, &at, 0, "proc", NULL), 0);
	super_put(sb);
	path_put(&at);
	EXPECT_EQ(count_names("pseudo", 0, NULL), 13);
	EXPECT_EQ(CALL(access, "pseudo/x", 0), -ENOENT);
	fd = fs_open("pseudo/five/text", O_RDWR, 0);
	EXPECT_EQ(CALL(read, fd, buf, 10), 10);
	EXPECT(!memcmp(buf, "5\nxxxxxxxx", 10));
	EXPECT_EQ(CALL(lseek, fd, 1995, 0), 1995);
	EXPECT_EQ(CALL(read, fd, buf, 10), 7);
	EXPECT_EQ(CALL(read, fd, buf, 10), 0);
	EXPECT_EQ(shown, 1);
	EXPECT_EQ(CALL(write, fd, "7", 1), 1);
	EXPECT_EQ(CALL(write, fd, "8", 1), -ERANGE);
	gone = true;
	EXPECT_EQ(CALL(pread64, fd, buf, 10, 0), -ESRCH);
	EXPECT_EQ(CALL(access, "pseudo/five/text", 0), -ENOENT);
	EXPECT_EQ(CALL(access, "pseudo/6/text", 4), 0);
	EXPECT_EQ(count_names("pseudo", 0, NULL), 12);
	EXPECT_EQ(CALL(unlink, "pseudo/6/text"), -EACCES);
	EXPECT_EQ(fs_mkdir("pseudo/new"), -EACCES);
	CALL(close, fd);
}

/* ---- threads ---- */

#define THREADS 4
#define TURNS 6000

static struct fs_state *shared_fs;

static void random_walker(void *arg)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	u64 seed = (u64)arg * 7919 + 1;
	char p[64], q[64], buf[300] = "";

	fs_state_get(shared_fs);
	current->fs = shared_fs;
	for (int i = 0; i < TURNS; i++) {
		u32 r = env_random(&seed);
		int fd;

		snprintf(p, sizeof(p), "%s/%s/%s", names[r % 4], names[r / 4 % 4], names[r / 16 % 4]);
		snprintf(q, sizeof(q), "%s/%s/%s", names[r / 64 % 4], names[r / 256 % 4], names[r / 1024 % 4]);
		if (r / 4096 % 3 == 0)
			p[3] = 0;
		if (r / 4096 % 5 == 0)
			q[3] = 0;
		if (r / 4096 % 7 == 0)
			p[1] = 0;
		switch (r / 65536 % 10) {
		case 0: CALL(mkdir, p, 0777); break;
		case 1: CALL(rmdir, p); break;
		case 2: CALL(unlink, p); break;
		case 3: CALL(rename, p, q); break;
		case 4: CALL(renameat2, AT_FDCWD, p, AT_FDCWD, q, RENAME_EXCHANGE); break;
		case 5: CALL(link, p, q); break;
		case 6: CALL(symlink, q, p); break;
		case 7: dcache_prune(r % 50); break;
		default:
			fd = fs_open(p, O_CREAT | O_RDWR, 0666);
			if (fd >= 0) {
				CALL(write, fd, buf, sizeof(buf));
				CALL(getdents64, fd, buf, sizeof(buf));
				CALL(close, fd);
			}
		}
		if (r % 16 == 0) {
			CALL(getcwd, buf, sizeof(buf));
			fd = fs_open(p, O_RDONLY, 0);
			while (fd >= 0 && CALL(getdents64, fd, buf, sizeof(buf)) > 0)
				;
			if (fd >= 0)
				CALL(close, fd);
		}
	}
	fs_state_put(shared_fs);
}

static void many_walk_at_once(void)
{
	struct task *t[THREADS];

	shared_fs = current->fs;
	for (u64 i = 0; i < THREADS; i++)
		t[i] = env_thread(random_walker, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++)
		env_join(t[i]);
}

static void threads_do_not_break_the_tree(void)
{
	EXPECT_EQ(fs_mkdir("threads"), 0);
	EXPECT_EQ(CALL(chdir, "threads"), 0);
	many_walk_at_once();
	EXPECT_EQ(CALL(chdir, "/w"), 0);
}

static void threads_do_not_break_the_overlay(void)
{
	struct path low, at;
	struct super *sb;

	EXPECT_EQ(fs_mkdir("over"), 0);
	EXPECT_EQ(path_lookup(AT_FDCWD, "threads", 0, &low), 0);
	EXPECT_EQ(path_lookup(AT_FDCWD, "over", 0, &at), 0);
	sb = overlay_super(low.dentry->inode);
	EXPECT_EQ(vfs_mount(sb, &at, 0, "overlay", NULL), 0);
	super_put(sb);
	path_put(&low);
	path_put(&at);
	EXPECT_EQ(CALL(chdir, "over"), 0);
	many_walk_at_once();
	EXPECT_EQ(CALL(chdir, "/w"), 0);
}

/* ---- out of memory ---- */

/* One of everything; answers may be errors. Return: whether nothing failed for want of memory */
static bool do_all(void)
{
	struct kstat st;
	struct path p;
	char buf[300];
	bool ok = true;
	int fd, d;
	long ret;
	u64 whole[4] = { 0, 0, 10, 0 };

#define TRY(call) do {									\
	ret = (call);									\
	if (ret == -ENOMEM || ret == -ENOSPC || ret == -ENFILE || ret == -ENOLCK)	\
		ok = false;								\
	else if (ret == -EFAULT || ret == -EIO)						\
		EXPECT_EQ(ret, 0);							\
} while (0)
	TRY(CALL(mkdir, "om", 0777));
	TRY(CALL(mkdir, "om/a_rather_long_name_that_does_not_fit_into_a_dentry_itself", 0777));
	TRY(CALL(symlink, "om", "ol"));
	TRY(fd = fs_open("ol/f", O_RDWR | O_CREAT, 0600));
	if (fd >= 0) {
		TRY(CALL(write, fd, buf, 300));
		TRY(CALL(fallocate, fd, 0, 0, 9000));
		TRY(CALL(fsetxattr, fd, "user.x", "yz", 2, 0));
		TRY(CALL(flock, fd, 2));
		TRY(CALL(fcntl, fd, 6, whole));
		TRY(CALL(ftruncate, fd, 100));
		TRY(d = (int)CALL(fcntl, fd, 0, 70));
		if (d >= 0)
			CALL(close, d);
		CALL(close, fd);
	}
	TRY(CALL(link, "om/f", "om/g"));
	TRY(CALL(rename, "om/g", "om/another_rather_long_name_that_does_not_fit_into_a_dentry_at_all"));
	TRY(CALL(renameat2, AT_FDCWD, "om/f", AT_FDCWD, "om/another_rather_long_name_that_does_not_fit_into_a_dentry_at_all",
		 RENAME_EXCHANGE));
	TRY(path_lookup(AT_FDCWD, "om/f", 0, &p));
	if (!ret) {
		EXPECT_EQ(vfs_stat(&p, &st), 0);
		path_put(&p);
	}
	TRY(CALL(chmod, "om/f", 0600));
	TRY(fd = fs_open("om", O_RDONLY, 0));
	if (fd >= 0) {
		TRY(CALL(getdents64, fd, buf, 300));
		CALL(close, fd);
	}
	TRY(fd = (int)CALL(inotify_init1, 0));
	if (fd >= 0) {
		TRY(CALL(inotify_add_watch, fd, "om", IN_ALL_EVENTS));
		TRY(CALL(mkdir, "om/watched", 0777));
		CALL(close, fd);
	}
	TRY(fd = (int)CALL(memfd_create, "m", 0));
	if (fd >= 0)
		CALL(close, fd);
	TRY(fd = fs_open("om", O_TMPFILE | O_RDWR, 0600));
	if (fd >= 0)
		CALL(close, fd);
	TRY(CALL(rmdir, "om/watched"));
	TRY(CALL(unlink, "om/f"));
	TRY(CALL(unlink, "om/another_rather_long_name_that_does_not_fit_into_a_dentry_at_all"));
	TRY(CALL(unlink, "om/g"));
	TRY(CALL(rmdir, "om/a_rather_long_name_that_does_not_fit_into_a_dentry_itself"));
	TRY(CALL(unlink, "ol"));
	TRY(CALL(rmdir, "om"));
	return ok;
}

static void clean_up(void)
{
	static const char *const files[] = { "om/f", "om/g", "ol",
		"om/another_rather_long_name_that_does_not_fit_into_a_dentry_at_all" };

	for (u32 i = 0; i < ARRAY_SIZE(files); i++)
		CALL(unlink, files[i]);
	CALL(rmdir, "om/watched");
	CALL(rmdir, "om/a_rather_long_name_that_does_not_fit_into_a_dentry_itself");
	CALL(rmdir, "om");
	EXPECT_EQ(CALL(access, "om", 0), -ENOENT);
}

/* Each allocation fails once. Nothing may be left behind, nothing may break. */
static void every_allocation_may_fail(void)
{
	u32 files = files_open();
	long before;
	int n;

	do_all();
	clean_up();
	for (n = 1; n < 2000; n++) {
		bool ok;

		while (dcache_prune(100000))
			;
		before = fake_allocs;
		fake_fail_alloc = n;
		ok = do_all();
		if (fake_fail_alloc > 0) {
			fake_fail_alloc = 0;
			EXPECT(ok);
			break;
		}
		fake_fail_alloc = 0;
		clean_up();
		while (dcache_prune(100000))
			;
		if (fake_allocs > before) {
			printf("# allocation %d: %ld objects stayed\n", n, fake_allocs - before);
			unit_bad++;
			break;
		}
	}
	EXPECT(n > 40 && n < 2000);
	EXPECT_EQ(files_open(), files);
	clean_up();
}

static void every_allocation_may_fail_in_the_overlay(void)
{
	EXPECT_EQ(CALL(chdir, "over"), 0);
	every_allocation_may_fail();
	EXPECT_EQ(CALL(chdir, "/w"), 0);
}

/* Everything that was made can go again, and takes its memory with it. */
static void nothing_leaks(void)
{
	struct super *sb = memfs_super("tmpfs", 0777);
	struct path at;
	long before;
	char name[40];

	EXPECT_EQ(fs_mkdir("leak"), 0);
	EXPECT_EQ(path_lookup(AT_FDCWD, "leak", 0, &at), 0);
	dcache_prune(100000);
	dcache_prune(100000);
	before = fake_allocs;
	EXPECT_EQ(vfs_mount(sb, &at, 0, "leak", NULL), 0);
	super_put(sb);
	path_put(&at);
	EXPECT_EQ(CALL(chdir, "leak"), 0);
	for (int i = 0; i < 5000; i++) {	/* deeper than any stack would bear */
		EXPECT_EQ(fs_mkdir("d"), 0);
		sprintf(name, "file%d", i);
		fs_put(name, "some text");
		EXPECT_EQ(CALL(setxattr, name, "user.x", "y", 1, 0), 0);
		EXPECT_EQ(CALL(chdir, "d"), 0);
	}
	EXPECT_EQ(CALL(chdir, "/w"), 0);
	EXPECT_EQ(path_lookup(AT_FDCWD, "leak", 0, &at), 0);
	EXPECT_EQ(vfs_umount(&at, false), 0);
	path_put(&at);
	dcache_prune(100000);
	dcache_prune(100000);
	EXPECT(fake_allocs <= before);
	if (fake_allocs > before)
		printf("# %ld objects stayed\n", fake_allocs - before);
	EXPECT_EQ(CALL(rmdir, "leak"), 0);
}

int main(void)
{
	fs_boot();
	RUN(openat2_stays_where_it_must);
	RUN(unnamed_files_get_names);
	RUN(cwd_has_a_name_until_it_is_removed);
	RUN(rights_are_checked);
	RUN(setgid_directories_pass_their_group_on);
	RUN(what_runs_is_not_written);
	RUN(mounts_cover_and_uncover);
	RUN(watchers_are_told);
	RUN(attributes_are_kept);
	RUN(listings_miss_nothing);
	RUN(generated_files_come_and_go);
	RUN(threads_do_not_break_the_tree);
	RUN(threads_do_not_break_the_overlay);
	RUN(every_allocation_may_fail);
	RUN(every_allocation_may_fail_in_the_overlay);
	RUN(nothing_leaks);
	return unit_done();
}
