// SPDX-License-Identifier: MIT
/*
 * Host files, and the only ways to reach them.
 *
 * A node is made by openat(directory, one name, O_PATH | O_NOFOLLOW): one component that is neither
 * "." nor "..", with no symlink followed, cannot leave the directory, whatever others rename at the
 * same time. O_PATH opens nothing that could block or act (FIFO, device). The type is judged on that
 * descriptor; only then is the same inode opened again, by its number in /proc/self/fd, so nothing
 * can be swapped in between.
 *
 * Mounts below an export are crossed, as a host process would see them, except into file systems that
 * are interfaces to the kernel: through /proc/self/mem a "regular file" would be the broker itself.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#define STATX_WANT (STATX_BASIC_STATS | STATX_BTIME)

int file_take(struct b9p *b)
{
	unsigned int n = atomic_fetch_add(&b->files, 1) + 1, peak;

	if (n > b->limits.max_files) {
		atomic_fetch_sub(&b->files, 1);
		return -ENFILE;
	}
	peak = atomic_load(&b->files_peak);
	while (n > peak && !atomic_compare_exchange_weak(&b->files_peak, &peak, n))
		;
	return 0;
}

void file_give(struct b9p *b)
{
	atomic_fetch_sub(&b->files, 1);
}

void fd_close(struct b9p *b, int fd)
{
	close(fd);
	file_give(b);
}

struct proc_name proc_name(int fd)
{
	struct proc_name name;

	snprintf(name.s, sizeof(name.s), "%d", fd);
	return name;
}

/* Numbers of <linux/magic.h> and of the file systems that keep theirs to themselves. */
int fs_check(int fd)
{
	static const uint32_t refused[] = {
		0x9fa0 /* proc */, 0x62656572 /* sysfs */, 0x64626720 /* debugfs */,
		0x74726163 /* tracefs */, 0x73636673 /* securityfs */, 0x27e0eb /* cgroup */,
		0x63677270 /* cgroup2 */, 0xcafe4a11 /* bpf */, 0x62656570 /* configfs */,
		0xf97cff8c /* selinux */, 0x43415d53 /* smack */, 0x5a3c69f0 /* apparmor */,
		0xde5e81e4 /* efivarfs */, 0x6165676c /* pstore */, 0x42494e4d /* binfmt_misc */,
		0x1cd1 /* devpts */, 0x6e736673 /* nsfs */, 0x50495045 /* pipefs */,
		0x534f434b /* sockfs */, 0x09041934 /* anon inodes */, 0x50494446 /* pidfs */,
		0x19800202 /* mqueue */, 0x65735543 /* fusectl */, 0x67596969 /* rpc_pipefs */,
		0x6e667364 /* nfsd */, 0x07655821 /* resctrl */, 0xabba1974 /* xenfs */,
		0x9fa2 /* usbdevice */, 0x6c6f6f70 /* binder */, 0x444d4142 /* dma-buf */,
		0x454d444d /* devmem */, 0x5345434d /* secretmem */, 0x0187 /* autofs */,
		0xa647361 /* functionfs */, 0xaee71ee7 /* gadgetfs */, 0x64646178 /* dax */,
		0x7461636f /* ocfs2_dlmfs */, 0x62646576 /* bdev */,
	};
	struct statfs st;

	if (fstatfs(fd, &st))
		return -errno;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if ((uint32_t)st.f_type == refused[i])
			return -EACCES;
	}
	return 0;
}

/*
 * qid.path must tell files of different file systems apart: the device's place in a table of those
 * seen goes into the high bits where the inode number leaves them free, else both are mixed.
 */
static uint64_t qid_path(struct b9p *b, dev_t dev, uint64_t ino)
{
	for (uint64_t i = 0; i < B9P_DEVS && ino >> 48 == 0; i++) {
		unsigned long long seen = 0;

		if (atomic_compare_exchange_strong(&b->devs[i], &seen, (uint64_t)dev + 1) ||
		    seen == (uint64_t)dev + 1)
			return i << 48 | ino;
	}
	return (ino ^ ((uint64_t)dev * 0x9e3779b97f4a7c15ull)) | 1ull << 63;
}

struct p9_qid qid_make(struct b9p *b, dev_t dev, uint64_t ino, uint8_t qid_type, uint32_t version)
{
	return (struct p9_qid){ .type = qid_type, .version = version,
				.path = qid_path(b, dev, ino) };
}

static void attr_fill(struct b9p *b, const struct statx *st, struct p9_attr *a)
{
	dev_t dev = makedev(st->stx_dev_major, st->stx_dev_minor);
	uint8_t type = S_ISDIR(st->stx_mode) ? P9_QT_DIR :
		       S_ISLNK(st->stx_mode) ? P9_QT_SYMLINK : P9_QT_FILE;
	uint32_t version = (uint32_t)st->stx_mtime.tv_sec ^ st->stx_mtime.tv_nsec ^
			   (uint32_t)st->stx_size << 8;

	*a = (struct p9_attr){
		.valid = P9_STATS_BASIC | (st->stx_mask & STATX_BTIME ? P9_STATS_BTIME : 0),
		.qid = qid_make(b, dev, st->stx_ino, type, version),
		.mode = st->stx_mode,
		.uid = st->stx_uid,
		.gid = st->stx_gid,
		.nlink = st->stx_nlink,
		.rdev = makedev(st->stx_rdev_major, st->stx_rdev_minor),
		.size = st->stx_size,
		.blksize = st->stx_blksize,
		.blocks = st->stx_blocks,
		.atime_sec = (uint64_t)st->stx_atime.tv_sec,
		.atime_nsec = st->stx_atime.tv_nsec,
		.mtime_sec = (uint64_t)st->stx_mtime.tv_sec,
		.mtime_nsec = st->stx_mtime.tv_nsec,
		.ctime_sec = (uint64_t)st->stx_ctime.tv_sec,
		.ctime_nsec = st->stx_ctime.tv_nsec,
		.btime_sec = st->stx_mask & STATX_BTIME ? (uint64_t)st->stx_btime.tv_sec : 0,
		.btime_nsec = st->stx_mask & STATX_BTIME ? st->stx_btime.tv_nsec : 0,
		.dev = dev,
		.ino = st->stx_ino,
	};
}

int attr_at(struct b9p *b, int dirfd, const char *name, int at_flags, struct p9_attr *attr)
{
	struct statx st;

	if (statx(dirfd, name, at_flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_WANT, &st))
		return -errno;
	attr_fill(b, &st, attr);
	return 0;
}

/* There is no getxattrat() before Linux 6.13; /proc/self/fd/N leads to the node's own inode. */
struct proc_path proc_path(int fd)
{
	struct proc_path path;

	snprintf(path.s, sizeof(path.s), "/proc/self/fd/%d", fd);
	return path;
}

int node_attr(struct b9p *b, const struct node *node, struct p9_attr *attr)
{
	return attr_at(b, node->fd, "", AT_EMPTY_PATH, attr);
}

int node_new(struct channel *ch, const struct export *ex, int fd, dev_t parent_dev,
	     struct node **out, struct p9_attr *attr)
{
	struct p9_attr local;
	struct node *node;
	int ret;

	if (!attr)
		attr = &local;
	ret = attr_at(ch->b, fd, "", AT_EMPTY_PATH, attr);
	if (ret)
		goto err_close;
	if (attr->dev != parent_dev) {
		ret = fs_check(fd);
		if (ret) {
			struct node tmp = { .fd = fd };

			log_refused(ch, &tmp, NULL, "on a file system of the kernel's own", ret);
			goto err_close;
		}
	}
	ret = -ENOMEM;
	node = malloc(sizeof(*node));
	if (!node)
		goto err_close;
	*node = (struct node){ .fd = fd, .refs = 1, .type = attr->mode & S_IFMT,
			       .dev = attr->dev, .ino = attr->ino,
			       .ex = guard_enter(ex, attr->dev, attr->ino) };
	*out = node;
	return 0;

err_close:
	fd_close(ch->b, fd);
	return ret;
}

void node_put(struct channel *ch, struct node *node)
{
	if (--node->refs)
		return;
	fd_close(ch->b, node->fd);
	free(node);
}

int node_root(struct channel *ch, const struct export *ex, struct node **out,
	      struct p9_attr *attr)
{
	int fd, ret = file_take(ch->b);

	if (ret)
		return ret;
	fd = fcntl(ex->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		ret = -errno;
		file_give(ch->b);
		return ret;
	}
	return node_new(ch, ex, fd, ex->dev, out, attr);
}

int node_lookup(struct channel *ch, const struct node *dir, const char *name, struct node **out,
		struct p9_attr *attr)
{
	int fd, ret;

	if (!node_is_dir(dir))
		return -ENOTDIR;
	ret = file_take(ch->b);
	if (ret)
		return ret;
	fd = openat(dir->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		ret = -errno;
		file_give(ch->b);
		return ret;
	}
	return node_new(ch, dir->ex, fd, dir->dev, out, attr);
}

int node_lookup_path(struct channel *ch, const struct node *dir, const char *path,
		     struct node **out, struct p9_attr *attr)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	int fd, ret;

	if (!node_is_dir(dir))
		return -ENOTDIR;
	if (dir->ex->nr_guards)
		return -ENOSYS;	/* each name on the way has to be looked at */
	ret = file_take(ch->b);
	if (ret)
		return ret;
	fd = (int)syscall(SYS_openat2, dir->fd, path, &how, sizeof(how));
	if (fd < 0) {
		/* EPERM is what old seccomp profiles say; an O_PATH lookup has none of its own */
		ret = errno == EPERM ? -ENOSYS : -errno;
		file_give(ch->b);
		return ret;
	}
	return node_new(ch, dir->ex, fd, dir->dev, out, attr);
}

/*
 * Where is @node now, seen from its export's root? Both paths come from /proc and mean nothing by
 * themselves (the caller walks the answer from the root again); "(deleted)" and the like lead to
 * names that do not exist. Return: the offset in @path from which it is relative to the root.
 */
static ssize_t relative_path(struct b9p *b, const struct node *node, char *path)
{
	char root[B9P_PATH_CAP];
	ssize_t n, r;

	r = readlinkat(b->procfd, proc_name(node->ex->fd).s, root, sizeof(root) - 1);
	n = readlinkat(b->procfd, proc_name(node->fd).s, path, B9P_PATH_CAP - 1);
	if (r < 0 || n < 0)
		return -errno;
	if (n == B9P_PATH_CAP - 1 || r == B9P_PATH_CAP - 1)
		return -ENAMETOOLONG;
	path[n] = 0;
	if (r == 1 && root[0] == '/')
		r = 0;
	if (n < r || memcmp(path, root, (size_t)r) || (path[r] && path[r] != '/'))
		return -ENOENT;
	return r;
}

int node_parent(struct channel *ch, const struct node *node, struct node **out, char *name)
{
	char path[B9P_PATH_CAP], *p, *last, *save = NULL;
	struct node *dir, *next;
	ssize_t rel = relative_path(ch->b, node, path);
	int ret;

	if (rel < 0)
		return (int)rel;
	ret = node_root(ch, node->ex, &dir, NULL);
	if (ret)
		return ret;
	/* "" and "/" are the root itself; else walk all but the last component. */
	last = strtok_r(path + rel, "/", &save);
	while (last && (p = strtok_r(NULL, "/", &save))) {
		ret = node_lookup(ch, dir, last, &next, NULL);
		node_put(ch, dir);
		if (ret)
			return ret;
		dir = next;
		last = p;
	}
	if (name)
		snprintf(name, B9P_NAME_CAP, "%s", last ? last : "");
	*out = dir;
	return 0;
}

/*
 * Does executing @node give other rights than the caller's? Who may write to such a file must not keep what it gives: a write takes it
 * away, but a store to a mapping of it does not.
 */
static bool gives_rights(const struct node *node)
{
	struct proc_path path = proc_path(node->fd);
	struct stat st;

	if (!node_is_reg(node))
		return false;
	if (fstat(node->fd, &st) || st.st_mode & (S_ISUID | S_ISGID))
		return true;
	return getxattr(path.s, "security.capability", NULL, 0) > 0;
}

int node_open(struct channel *ch, const struct node *node, int oflags, int *fd)
{
	int ret;

	if (!node_is_reg(node) && !node_is_dir(node))
		return -EACCES;
	if ((oflags & O_ACCMODE || oflags & O_TRUNC) && gives_rights(node))
		return log_refused(ch, node, NULL, "a file with set-id bits or capabilities is not written", -EPERM);
	ret = file_take(ch->b);
	if (ret)
		return ret;
	*fd = openat(ch->b->procfd, proc_name(node->fd).s, oflags | O_CLOEXEC | O_NOCTTY);
	if (*fd < 0) {
		ret = -errno;
		file_give(ch->b);
	}
	return ret;
}
