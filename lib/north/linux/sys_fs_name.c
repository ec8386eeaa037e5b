// SPDX-License-Identifier: MIT
/* Changing names and attributes: mkdir(2), unlink(2), rename(2), link(2), symlink(2), chmod(2), chown(2), utimensat(2), truncate(2). */
#include "base/string.h"
#include "fs/namei.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/cred.h"
#include "process/task.h"

static long do_mknod(int dirfd, u64 user, u32 mode, u64 dev)
{
	struct pathname name;
	long ret;

	switch (mode & S_IFMT) {
	case 0:
		mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	ret = pathname_get(&name, user, 0);
	if (ret)
		return ret;
	ret = vfs_create_node(dirfd, name.s, mode & (S_IFMT | S_IALLUGO), S_ISCHR(mode) || S_ISBLK(mode) ? (u32)dev : 0, NULL, NULL);
	pathname_put(&name);
	return ret;
}

SYSCALL_DEFINE(mknod) { return do_mknod(AT_FDCWD, a[0], (u32)a[1], a[2]); }
SYSCALL_DEFINE(mknodat) { return do_mknod((int)a[0], a[1], (u32)a[2], a[3]); }

static long do_mkdir(int dirfd, u64 user, u32 mode)
{
	struct pathname name;
	long ret = pathname_get(&name, user, 0);

	if (ret)
		return ret;
	ret = vfs_create_node(dirfd, name.s, S_IFDIR | (mode & (S_IRWXUGO | S_ISVTX)), 0, NULL, NULL);
	pathname_put(&name);
	return ret;
}

SYSCALL_DEFINE(mkdir) { return do_mkdir(AT_FDCWD, a[0], (u32)a[1]); }
SYSCALL_DEFINE(mkdirat) { return do_mkdir((int)a[0], a[1], (u32)a[2]); }

static long do_symlink(u64 target, int dirfd, u64 user)
{
	struct pathname text, name;
	long ret = pathname_get(&text, target, 0);

	if (ret)
		return ret;
	ret = pathname_get(&name, user, 0);
	if (!ret) {
		ret = vfs_create_node(dirfd, name.s, S_IFLNK | S_IRWXUGO, 0, text.s, NULL);
		pathname_put(&name);
	}
	pathname_put(&text);
	return ret;
}

SYSCALL_DEFINE(symlink) { return do_symlink(a[0], AT_FDCWD, a[1]); }
SYSCALL_DEFINE(symlinkat) { return do_symlink(a[0], (int)a[1], a[2]); }

static long do_unlink(int dirfd, u64 user, bool dir)
{
	struct pathname name;
	long ret = pathname_get(&name, user, 0);

	if (ret)
		return ret;
	ret = dir ? vfs_rmdir(dirfd, name.s) : vfs_unlink(dirfd, name.s);
	pathname_put(&name);
	return ret;
}

SYSCALL_DEFINE(unlink) { return do_unlink(AT_FDCWD, a[0], false); }
SYSCALL_DEFINE(rmdir) { return do_unlink(AT_FDCWD, a[0], true); }

SYSCALL_DEFINE(unlinkat)
{
	if ((u32)a[2] & ~AT_REMOVEDIR)
		return -EINVAL;
	return do_unlink((int)a[0], a[1], (u32)a[2] & AT_REMOVEDIR);
}

/* A name for an open file by its descriptor alone: for who opened it with the same rights (Linux 6.10), or may look everywhere. */
static bool may_link_fd(int fd)
{
	struct file *f = fd_get_path(fd);
	bool ok = f && (f->cred == current->cred || capable(CAP_DAC_READ_SEARCH));

	file_put(f);
	return ok;
}

static long do_link(int from_dirfd, u64 from, int dirfd, u64 user, u32 flags)
{
	struct pathname old, name;
	struct path p;
	long ret;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	ret = pathname_get(&old, from, flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
	if (ret)
		return ret;
	if (!old.s[0] && from_dirfd != AT_FDCWD && !may_link_fd(from_dirfd))
		ret = -ENOENT;
	if (!ret)
		ret = path_lookup(from_dirfd, old.s, (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
				  (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0), &p);
	pathname_put(&old);
	if (ret)
		return ret;
	ret = pathname_get(&name, user, 0);
	if (!ret) {
		ret = vfs_link(&p, dirfd, name.s);
		pathname_put(&name);
	}
	path_put(&p);
	return ret;
}

SYSCALL_DEFINE(link) { return do_link(AT_FDCWD, a[0], AT_FDCWD, a[1], 0); }
SYSCALL_DEFINE(linkat) { return do_link((int)a[0], a[1], (int)a[2], a[3], (u32)a[4]); }

static long do_rename(int from_dirfd, u64 from, int to_dirfd, u64 to, u32 flags)
{
	struct pathname old, new;
	long ret = pathname_get(&old, from, 0);

	if (ret)
		return ret;
	/* An empty new name is found out after the old one's directory was looked for. */
	ret = pathname_get(&new, to, LOOKUP_EMPTY);
	if (!ret) {
		ret = vfs_rename(from_dirfd, old.s, to_dirfd, new.s, flags);
		pathname_put(&new);
	}
	pathname_put(&old);
	return ret;
}

SYSCALL_DEFINE(rename) { return do_rename(AT_FDCWD, a[0], AT_FDCWD, a[1], 0); }
SYSCALL_DEFINE(renameat) { return do_rename((int)a[0], a[1], (int)a[2], a[3], 0); }
SYSCALL_DEFINE(renameat2) { return do_rename((int)a[0], a[1], (int)a[2], a[3], (u32)a[4]); }

/* ---- attributes ---- */

static u32 at_lookup(u32 flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) | (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
}

static long setattr_at(int dirfd, u64 user, u32 flags, struct iattr *attr, bool now)
{
	struct path p;
	long ret = path_lookup_user(dirfd, user, at_lookup(flags), &p);

	if (ret)
		return ret;
	/* The mode of a symlink means nothing and cannot be set. */
	if ((attr->valid & ATTR_MODE) && S_ISLNK(p.dentry->inode->mode))
		ret = -EOPNOTSUPP;
	else
		ret = vfs_setattr(&p, attr, now);
	path_put(&p);
	return ret;
}

static long setattr_fd(int fd, struct iattr *attr, bool now, bool path_too)
{
	struct file *f = path_too ? fd_get_path(fd) : fd_get(fd);
	struct path p;
	long ret;

	if (!f)
		return -EBADF;
	ret = file_path(f, &p);
	if (!ret) {
		ret = vfs_setattr(&p, attr, now);
		path_put(&p);
	}
	file_put(f);
	return ret;
}

static struct iattr mode_attr(u64 mode)
{
	return (struct iattr){ .valid = ATTR_MODE, .mode = (u32)mode & S_IALLUGO };
}

SYSCALL_DEFINE(chmod)
{
	struct iattr attr = mode_attr(a[1]);

	return setattr_at(AT_FDCWD, a[0], 0, &attr, false);
}

SYSCALL_DEFINE(fchmod)
{
	struct iattr attr = mode_attr(a[1]);

	return setattr_fd((int)a[0], &attr, false, false);
}

SYSCALL_DEFINE(fchmodat)
{
	struct iattr attr = mode_attr(a[2]);

	return setattr_at((int)a[0], a[1], 0, &attr, false);
}

SYSCALL_DEFINE(fchmodat2)
{
	struct iattr attr = mode_attr(a[2]);

	if ((u32)a[3] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return setattr_at((int)a[0], a[1], (u32)a[3], &attr, false);
}

/* -1 leaves an id as it is */
static struct iattr owner_attr(u64 uid, u64 gid)
{
	struct iattr attr = { .uid = (u32)uid, .gid = (u32)gid };

	if (attr.uid != ~0u)
		attr.valid |= ATTR_UID;
	if (attr.gid != ~0u)
		attr.valid |= ATTR_GID;
	return attr;
}

SYSCALL_DEFINE(chown)
{
	struct iattr attr = owner_attr(a[1], a[2]);

	return setattr_at(AT_FDCWD, a[0], 0, &attr, false);
}

SYSCALL_DEFINE(lchown)
{
	struct iattr attr = owner_attr(a[1], a[2]);

	return setattr_at(AT_FDCWD, a[0], AT_SYMLINK_NOFOLLOW, &attr, false);
}

SYSCALL_DEFINE(fchown)
{
	struct iattr attr = owner_attr(a[1], a[2]);

	return setattr_fd((int)a[0], &attr, false, false);
}

SYSCALL_DEFINE(fchownat)
{
	struct iattr attr = owner_attr(a[2], a[3]);

	if ((u32)a[4] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	return setattr_at((int)a[0], a[1], (u32)a[4], &attr, false);
}

#define UTIME_NOW	0x3fffffff
#define UTIME_OMIT	0x3ffffffe

/* What the two times mean. Return: 0, -EINVAL, 1: nothing is to be done; *now: both are the present */
static int times_attr(const struct linux_timespec ts[2], struct iattr *attr, bool *now)
{
	s64 present = time_now();
	int nows = 0;

	*attr = (struct iattr){ 0 };
	for (int i = 0; i < 2; i++) {
		s64 ns;

		if (ts[i].nsec == UTIME_OMIT)
			continue;
		attr->valid |= i ? ATTR_MTIME : ATTR_ATIME;
		if (ts[i].nsec == UTIME_NOW) {
			nows++;
			ns = present;
		} else {
			if (ts[i].nsec < 0 || ts[i].nsec >= NSEC_PER_SEC)
				return -EINVAL;
			/* What lies beyond 292 years stays at the edge. */
			if (__builtin_mul_overflow(ts[i].sec, NSEC_PER_SEC, &ns) ||
			    __builtin_add_overflow(ns, ts[i].nsec, &ns))
				ns = ts[i].sec < 0 ? INT64_MIN : INT64_MAX;
		}
		if (i)
			attr->mtime = ns;
		else
			attr->atime = ns;
	}
	*now = nows == 2;
	return !attr->valid;
}

static long do_utimes(int dirfd, u64 user, const struct linux_timespec ts[2], u32 flags)
{
	struct iattr attr;
	bool now;
	int ret = times_attr(ts, &attr, &now);

	if (ret)
		return ret < 0 ? ret : 0;
	if (!user && dirfd != AT_FDCWD)
		return flags ? -EINVAL : setattr_fd(dirfd, &attr, now, false);
	return setattr_at(dirfd, user, flags, &attr, now);
}

static const struct linux_timespec both_now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };

SYSCALL_DEFINE(utimensat)
{
	struct linux_timespec ts[2];

	if ((u32)a[3] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (!a[2])
		return do_utimes((int)a[0], a[1], both_now, (u32)a[3]);
	if (copy_from_user(ts, a[2], sizeof(ts)))
		return -EFAULT;
	return do_utimes((int)a[0], a[1], ts, (u32)a[3]);
}

static long utimes_usec(int dirfd, u64 user, u64 times)
{
	struct linux_timeval tv[2];
	struct linux_timespec ts[2];

	if (!times)
		return do_utimes(dirfd, user, both_now, 0);
	if (copy_from_user(tv, times, sizeof(tv)))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (tv[i].usec < 0 || tv[i].usec >= 1000000)
			return -EINVAL;
		ts[i] = (struct linux_timespec){ tv[i].sec, tv[i].usec * NSEC_PER_USEC };
	}
	return do_utimes(dirfd, user, ts, 0);
}

SYSCALL_DEFINE(utimes) { return utimes_usec(AT_FDCWD, a[0], a[1]); }
SYSCALL_DEFINE(futimesat) { return utimes_usec((int)a[0], a[1], a[2]); }

SYSCALL_DEFINE(utime)
{
	struct linux_timespec ts[2] = { { 0, 0 }, { 0, 0 } };
	s64 sec[2];

	if (!a[1])
		return do_utimes(AT_FDCWD, a[0], both_now, 0);
	if (copy_from_user(sec, a[1], sizeof(sec)))
		return -EFAULT;
	ts[0].sec = sec[0];
	ts[1].sec = sec[1];
	return do_utimes(AT_FDCWD, a[0], ts, 0);
}

SYSCALL_DEFINE(truncate)
{
	struct path p;
	long ret;

	if ((pos_t)a[1] < 0)
		return -EINVAL;
	ret = path_lookup_user(AT_FDCWD, a[0], LOOKUP_FOLLOW, &p);
	if (ret)
		return ret;
	ret = vfs_truncate(&p, (pos_t)a[1]);
	path_put(&p);
	return ret;
}

SYSCALL_DEFINE(ftruncate)
{
	struct file *f;
	long ret;

	if ((pos_t)a[1] < 0)
		return -EINVAL;
	f = fd_get((int)a[0]);
	if (!f)
		return -EBADF;
	ret = file_truncate(f, (pos_t)a[1]);
	file_put(f);
	return ret;
}
