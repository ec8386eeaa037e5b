// SPDX-License-Identifier: MIT
/* Looking at files: stat(2), statx(2), statfs(2), access(2), readlink(2), getdents(2). */
#include "base/string.h"
#include "fs/namei.h"
#include "fs/rw.h"
#include "mm/kmalloc.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/task.h"

struct linux_stat {
	u64 dev, ino, nlink;
	u32 mode, uid, gid, pad0;
	u64 rdev;
	s64 size, blksize, blocks;
	s64 atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
	s64 unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat of x86-64");

struct linux_statx_time {
	s64 sec;
	u32 nsec;
	s32 pad;
};

struct linux_statx {
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode, pad0;
	u64 ino, size, blocks, attributes_mask;
	struct linux_statx_time atime, btime, ctime, mtime;
	u32 rdev_major, rdev_minor, dev_major, dev_minor;
	u64 mnt_id;
	u32 dio_mem_align, dio_offset_align;
	u64 spare[12];
};
_Static_assert(sizeof(struct linux_statx) == 256, "struct statx");

#define STATX_BASIC_STATS	0x7ffu
#define STATX_BTIME		0x800u
#define STATX_MNT_ID		0x1000u
#define STATX_RESERVED		0x80000000u
#define AT_STATX_SYNC_TYPE	0x6000u

/* Times before 1970 have a negative second and a positive part of it. */
static s64 sec_of(s64 ns)
{
	return ns / NSEC_PER_SEC - (ns % NSEC_PER_SEC < 0);
}

static u32 nsec_of(s64 ns)
{
	return (u32)(ns - sec_of(ns) * NSEC_PER_SEC);
}

static long put_stat(u64 user, const struct kstat *k)
{
	struct linux_stat st = {
		.dev = k->dev, .ino = k->ino, .nlink = k->nlink,
		.mode = k->mode, .uid = k->uid, .gid = k->gid, .rdev = k->rdev,
		.size = k->size, .blksize = k->blksize, .blocks = (s64)k->blocks,
		.atime = sec_of(k->atime), .atime_nsec = nsec_of(k->atime),
		.mtime = sec_of(k->mtime), .mtime_nsec = nsec_of(k->mtime),
		.ctime = sec_of(k->ctime), .ctime_nsec = nsec_of(k->ctime),
	};

	return put_user(st, user);
}

static int stat_fd(int fd, struct kstat *k)
{
	struct file *f = fd_get_path(fd);
	int ret;

	if (!f)
		return -EBADF;
	ret = file_stat(f, k);
	file_put(f);
	return ret;
}

/* Lookup flags of AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH */
static u32 at_lookup(u32 flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
}

static int stat_at(int dirfd, u64 user, u32 flags, struct kstat *k)
{
	struct path p;
	int ret;

	/* fstat() of newer libcs: an empty name, or (Linux 6.11) none at all. */
	if ((flags & AT_EMPTY_PATH) && dirfd >= 0) {
		char first = 0;

		if (user && get_user(first, user))
			return -EFAULT;
		if (!first)
			return stat_fd(dirfd, k);
	}
	if ((flags & AT_EMPTY_PATH) && !user) {
		ret = path_lookup(dirfd, "", at_lookup(flags), &p);
	} else {
		ret = path_lookup_user(dirfd, user, at_lookup(flags), &p);
	}
	if (ret)
		return ret;
	ret = vfs_stat(&p, k);
	path_put(&p);
	return ret;
}

SYSCALL_DEFINE(stat)
{
	struct kstat k;
	int ret = stat_at(AT_FDCWD, a[0], 0, &k);

	return ret ? ret : put_stat(a[1], &k);
}

SYSCALL_DEFINE(lstat)
{
	struct kstat k;
	int ret = stat_at(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, &k);

	return ret ? ret : put_stat(a[1], &k);
}

SYSCALL_DEFINE(fstat)
{
	struct kstat k;
	int ret = stat_fd((int)a[0], &k);

	return ret ? ret : put_stat(a[1], &k);
}

SYSCALL_DEFINE(newfstatat)
{
	u32 flags = (u32)a[3];
	struct kstat k;
	int ret;

	if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH))
		return -EINVAL;
	ret = stat_at((int)a[0], a[1], flags, &k);
	return ret ? ret : put_stat(a[2], &k);
}

static struct linux_statx_time statx_time(s64 ns)
{
	return (struct linux_statx_time){ sec_of(ns), nsec_of(ns), 0 };
}

SYSCALL_DEFINE(statx)
{
	u32 flags = (u32)a[2], mask = (u32)a[3];
	struct linux_statx sx;
	struct kstat k;
	int ret;

	if (mask & STATX_RESERVED)
		return -EINVAL;
	if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE)) ||
	    (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
		return -EINVAL;
	ret = stat_at((int)a[0], a[1], flags, &k);
	if (ret)
		return ret;
	sx = (struct linux_statx){
		.mask = STATX_BASIC_STATS | (k.has_btime ? STATX_BTIME : 0) | (k.mnt_id ? STATX_MNT_ID : 0),
		.blksize = k.blksize,
		.attributes = k.attributes,
		.attributes_mask = STATX_ATTR_MOUNT_ROOT | STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND,
		.nlink = k.nlink, .uid = k.uid, .gid = k.gid, .mode = (u16)k.mode,
		.ino = k.ino, .size = (u64)k.size, .blocks = k.blocks,
		.atime = statx_time(k.atime), .ctime = statx_time(k.ctime), .mtime = statx_time(k.mtime),
		.rdev_major = dev_major(k.rdev), .rdev_minor = dev_minor(k.rdev),
		.dev_major = dev_major(k.dev), .dev_minor = dev_minor(k.dev),
		.mnt_id = k.mnt_id,
	};
	if (k.has_btime)
		sx.btime = statx_time(k.btime);
	return put_user(sx, a[4]);
}

/* ---- statfs ---- */

#define ST_RDONLY	0x1
#define ST_NOSUID	0x2
#define ST_NODEV	0x4
#define ST_NOEXEC	0x8
#define ST_VALID	0x20
#define ST_NOATIME	0x400
#define ST_NODIRATIME	0x800
#define ST_RELATIME	0x1000

static s64 statfs_flags(const struct mount *m, const struct super *sb)
{
	u32 flags = m ? READ_ONCE(m->flags) : 0;
	s64 st = ST_VALID;

	if ((flags & MNT_RDONLY) || (sb->flags & SB_RDONLY))
		st |= ST_RDONLY;
	if (flags & MNT_NOSUID)
		st |= ST_NOSUID;
	if ((flags & MNT_NODEV) || (sb->flags & SB_NODEV))
		st |= ST_NODEV;
	if ((flags & MNT_NOEXEC) || (sb->flags & SB_NOEXEC))
		st |= ST_NOEXEC;
	if (flags & MNT_NOATIME)
		st |= ST_NOATIME;
	else if (!(flags & MNT_STRICTATIME))
		st |= ST_RELATIME;
	if (flags & MNT_NODIRATIME)
		st |= ST_NODIRATIME;
	return st;
}

static long put_statfs(u64 user, const struct path *p)
{
	struct kstatfs st;
	int ret = inode_statfs(p->dentry->inode, &st);

	if (ret)
		return ret;
	st.flags = statfs_flags(p->mnt, p->dentry->inode->sb);
	return put_user(st, user);
}

SYSCALL_DEFINE(statfs)
{
	struct path p;
	long ret = path_lookup_user(AT_FDCWD, a[0], LOOKUP_FOLLOW, &p);

	if (ret)
		return ret;
	ret = put_statfs(a[1], &p);
	path_put(&p);
	return ret;
}

SYSCALL_DEFINE(fstatfs)
{
	struct file *f = fd_get_path((int)a[0]);
	struct path p;
	long ret;

	if (!f)
		return -EBADF;
	ret = file_path(f, &p);
	if (!ret) {
		ret = put_statfs(a[1], &p);
		path_put(&p);
	}
	file_put(f);
	return ret;
}

/* ---- access ---- */

static long do_access(int dirfd, u64 user, u32 mode, u32 flags)
{
	u32 lookup = at_lookup(flags) | (flags & AT_EACCESS ? 0 : LOOKUP_REAL_IDS);
	struct cred cred = *current->cred;
	struct path p;
	long ret;

	if ((mode & ~(MAY_READ | MAY_WRITE | MAY_EXEC)) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
		return -EINVAL;
	ret = path_lookup_user(dirfd, user, lookup, &p);
	if (ret)
		return ret;
	if (!(flags & AT_EACCESS)) {
		cred.fsuid = cred.uid;
		cred.fsgid = cred.gid;
		if (!(cred.securebits & SECBIT_NO_SETUID_FIXUP))
			cred.cap_effective = cred.uid ? 0 : cred.cap_permitted;
	}
	ret = mode ? vfs_access(&p, mode, &cred) : 0;
	path_put(&p);
	return ret;
}

SYSCALL_DEFINE(access) { return do_access(AT_FDCWD, a[0], (u32)a[1], 0); }
SYSCALL_DEFINE(faccessat) { return do_access((int)a[0], a[1], (u32)a[2], 0); }
SYSCALL_DEFINE(faccessat2) { return do_access((int)a[0], a[1], (u32)a[2], (u32)a[3]); }

/* ---- readlink ---- */

static long do_readlink(int dirfd, u64 user, u64 out, s32 size)
{
	struct path p;
	char *buf;
	long ret;

	if (size <= 0)
		return -EINVAL;
	ret = path_lookup_user(dirfd, user, LOOKUP_EMPTY, &p);
	if (ret)
		return ret;
	/* An empty name is for O_PATH descriptors of symlinks. */
	if (!S_ISLNK(p.dentry->inode->mode)) {
		char first = 1;

		ret = get_user(first, user) ? -EFAULT : first ? -EINVAL : -ENOENT;
		path_put(&p);
		return ret;
	}
	size = min(size, (s32)PATH_MAX);
	buf = kmalloc(size);
	ret = buf ? vfs_readlink(&p, buf, size) : -ENOMEM;
	path_put(&p);
	if (ret > 0 && copy_to_user(out, buf, ret))
		ret = -EFAULT;
	kfree(buf);
	return ret;
}

SYSCALL_DEFINE(readlink) { return do_readlink(AT_FDCWD, a[0], a[1], (s32)a[2]); }
SYSCALL_DEFINE(readlinkat) { return do_readlink((int)a[0], a[1], a[2], (s32)a[3]); }

/* ---- getdents ---- */

struct dirent_head {
	u64 ino;
	s64 off;
	u16 reclen;
} __packed;
#define DIRENT_NAME	sizeof(struct dirent_head)	/* getdents: the name, and the type as the record's last byte */
#define DIRENT64_NAME	(DIRENT_NAME + 1)		/* getdents64: the type stands before the name */

struct getdents {
	struct dir_context ctx;
	u64 user;
	size_t left, done;
	bool old;
	int error;
};

static bool emit_dirent(struct dir_context *ctx, const char *name, size_t len, pos_t next, u64 ino, u8 type)
{
	struct getdents *g = container_of(ctx, struct getdents, ctx);
	u8 record[ALIGN_UP(DIRENT64_NAME + NAME_MAX + 2, 8)];
	size_t name_at = g->old ? DIRENT_NAME : DIRENT64_NAME;
	size_t size = ALIGN_UP(name_at + len + (g->old ? 2 : 1), 8);
	struct dirent_head head = { ino, next, (u16)size };

	if (len > NAME_MAX || size > g->left) {
		g->error = g->error ? g->error : -EINVAL;
		return false;
	}
	if (g->done && (g->done & 0xfff) > 0xf00 && signal_pending())
		return false;
	memset(record + size - 8, 0, 8);
	memcpy(record, &head, sizeof(head));
	memcpy(record + name_at, name, len);
	record[name_at + len] = 0;
	record[g->old ? size - 1 : DIRENT_NAME] = type;
	if (copy_to_user(g->user + g->done, record, size)) {
		g->error = -EFAULT;
		return false;
	}
	g->done += size;
	g->left -= size;
	return true;
}

static long do_getdents(int fd, u64 user, u32 size, bool old)
{
	struct getdents g = { .ctx.emit = emit_dirent, .user = user, .left = min(size, (u32)INT32_MAX), .old = old };
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = vfs_readdir(f, &g.ctx);
	file_put(f);
	if (g.done)
		return g.done;
	return ret ? ret : g.error;
}

SYSCALL_DEFINE(getdents) { return do_getdents((int)a[0], a[1], (u32)a[2], true); }
SYSCALL_DEFINE(getdents64) { return do_getdents((int)a[0], a[1], (u32)a[2], false); }
