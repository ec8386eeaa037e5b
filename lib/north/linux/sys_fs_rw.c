// SPDX-License-Identifier: MIT
/* Reading and writing: read(2), readv(2), pread(2), preadv2(2), lseek(2), sendfile(2), splice(2), fallocate(2), fsync(2), … */
#include "base/string.h"
#include "fs/namei.h"
#include "fs/rw.h"
#include "ipc/pipe.h"
#include "mm/kmalloc.h"
#include "north/linux/sockmsg.h"
#include "north/linux/syscall.h"

#define RWF_HIPRI	1u
#define RWF_DSYNC	2u
#define RWF_SYNC	4u
#define RWF_NOWAIT	8u
#define RWF_APPEND	0x10u
#define RWF_NOAPPEND	0x20u

typedef ssize_t (*rw_fn)(struct file *f, struct uio *u);
typedef ssize_t (*prw_fn)(struct file *f, struct uio *u, pos_t pos);

static long rw(const u64 *a, rw_fn fn)
{
	struct file *f = fd_get((int)a[0]);
	struct uio uio;
	struct iov iov;
	long ret;

	if (!f)
		return -EBADF;
	ret = (s64)a[2] < 0 ? -EINVAL : uio_init_user(&uio, &iov, a[1], a[2]);
	if (!ret)
		ret = fn(f, &uio);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(read) { return rw(a, vfs_read); }
SYSCALL_DEFINE(write) { return rw(a, vfs_write); }

static long prw(const u64 *a, prw_fn fn)
{
	struct file *f;
	struct uio uio;
	struct iov iov;
	long ret;

	if ((s64)a[3] < 0)
		return -EINVAL;
	f = fd_get((int)a[0]);
	if (!f)
		return -EBADF;
	ret = (s64)a[2] < 0 ? -EINVAL : uio_init_user(&uio, &iov, a[1], a[2]);
	if (!ret)
		ret = fn(f, &uio, (pos_t)a[3]);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(pread64) { return prw(a, vfs_pread); }
SYSCALL_DEFINE(pwrite64) { return prw(a, vfs_pwrite); }

/* @pos NULL: the file's own. */
static long rwv(int fd, u64 vec, u64 nr, const pos_t *pos, u32 uio_flags, rw_fn fn, prw_fn pfn)
{
	struct file *f = fd_get(fd);
	struct iov_list l;
	long ret;

	if (!f)
		return -EBADF;
	ret = nr > UIO_MAX_IOV ? -EINVAL : iov_list_get(&l, vec, nr);
	if (!ret) {
		l.uio.flags = uio_flags;
		ret = pos ? pfn(f, &l.uio, *pos) : fn(f, &l.uio);
		iov_list_put(&l);
	}
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(readv) { return rwv((int)a[0], a[1], a[2], NULL, 0, vfs_read, vfs_pread); }
SYSCALL_DEFINE(writev) { return rwv((int)a[0], a[1], a[2], NULL, 0, vfs_write, vfs_pwrite); }

static long prwv(const u64 *a, rw_fn fn, prw_fn pfn)
{
	pos_t pos = (pos_t)a[3];

	return pos < 0 ? -EINVAL : rwv((int)a[0], a[1], a[2], &pos, 0, fn, pfn);
}

SYSCALL_DEFINE(preadv) { return prwv(a, vfs_read, vfs_pread); }
SYSCALL_DEFINE(pwritev) { return prwv(a, vfs_write, vfs_pwrite); }

static long sync_after_write(int fd, long ret, u32 flags)
{
	struct file *f;

	if (ret <= 0 || !(flags & (RWF_DSYNC | RWF_SYNC)))
		return ret;
	f = fd_get(fd);
	if (f && f->ops->fsync) {
		int err = f->ops->fsync(f, !(flags & RWF_SYNC));

		ret = err ? err : ret;
	}
	file_put(f);
	return ret;
}

/* RWF_NOWAIT: would a stream sleep? Files in memory do not. */
static bool ready(int fd, bool write)
{
	struct file *f = fd_get(fd);
	bool ok = !f || !(f->mode & FMODE_STREAM) ||
		  (file_poll(f, NULL) & (write ? POLLOUT | POLLERR : POLLIN | POLLHUP | POLLERR));

	file_put(f);
	return ok;
}

static long prwv2(const u64 *a, bool write)
{
	pos_t pos = (pos_t)a[3];
	u32 flags = (u32)a[5];
	long ret;

	if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND | RWF_NOAPPEND))
		return -EOPNOTSUPP;
	if ((flags & RWF_NOAPPEND) || (!write && (flags & RWF_APPEND)))
		return flags & RWF_NOAPPEND ? -EINVAL : -EOPNOTSUPP;
	if (pos < -1)
		return -EINVAL;
	if ((flags & RWF_NOWAIT) && !ready((int)a[0], write))
		return -EAGAIN;
	ret = rwv((int)a[0], a[1], a[2], pos == -1 ? NULL : &pos, flags & RWF_APPEND ? UIO_APPEND : 0,
		  write ? vfs_write : vfs_read, write ? vfs_pwrite : vfs_pread);
	return write ? sync_after_write((int)a[0], ret, flags) : ret;
}

SYSCALL_DEFINE(preadv2) { return prwv2(a, false); }
SYSCALL_DEFINE(pwritev2) { return prwv2(a, true); }

SYSCALL_DEFINE(lseek)
{
	struct file *f = fd_get((int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = vfs_seek(f, (pos_t)a[1], (u32)a[2] > SEEK_HOLE ? -1 : (int)a[2]);
	file_put(f);
	return ret;
}

/* ---- from one file to another ---- */

static int get_pos(u64 user, pos_t *pos, pos_t **out)
{
	*out = NULL;
	if (!user)
		return 0;
	if (get_user(*pos, user))
		return -EFAULT;
	*out = pos;
	return 0;
}

static int put_pos(u64 user, pos_t pos)
{
	return user && put_user(pos, user) ? -EFAULT : 0;
}

struct two_files {
	struct file *in, *out;
	pos_t in_pos, out_pos;
	pos_t *in_at, *out_at;
};

static int two_files_get(struct two_files *t, int in, u64 in_pos, int out, u64 out_pos)
{
	int ret = get_pos(in_pos, &t->in_pos, &t->in_at);

	if (!ret)
		ret = get_pos(out_pos, &t->out_pos, &t->out_at);
	if (ret)
		return ret;
	t->in = fd_get(in);
	t->out = fd_get(out);
	if (t->in && t->out)
		return 0;
	file_put(t->in);
	file_put(t->out);
	return -EBADF;
}

static long two_files_put(struct two_files *t, u64 in_pos, u64 out_pos, long ret)
{
	if (ret > 0 && (put_pos(in_pos, t->in_pos) || put_pos(out_pos, t->out_pos)))
		ret = -EFAULT;
	file_put(t->in);
	file_put(t->out);
	return ret;
}

SYSCALL_DEFINE(sendfile)
{
	struct two_files t;
	long ret = two_files_get(&t, (int)a[1], a[2], (int)a[0], 0);

	if (ret)
		return ret;
	if (!(t.in->mode & FMODE_READ) || !(t.out->mode & FMODE_WRITE))
		ret = -EBADF;
	else if (!t.in->ops->read)
		ret = -EINVAL;
	else if (t.in_at && (!(t.in->mode & FMODE_PREAD) || *t.in_at < 0))
		ret = t.in->mode & FMODE_PREAD ? -EINVAL : -ESPIPE;
	else if (!t.in_at && !(t.in->mode & FMODE_PREAD) && !t.in->ops->seek)
		ret = -EINVAL;
	else if ((t.out->flags & O_APPEND) && (t.out->mode & FMODE_PREAD))
		ret = -EINVAL;
	else
		ret = vfs_copy(t.in, t.in_at, t.out, NULL, min(a[3], (u64)MAX_RW_COUNT));
	return two_files_put(&t, a[2], 0, ret);
}

static long copy_range(struct two_files *t, u64 len, u32 flags)
{
	struct file *in = t->in, *out = t->out;
	pos_t in_start, out_start, end;

	if (flags)
		return -EINVAL;
	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE) || (out->flags & O_APPEND))
		return -EBADF;
	if ((in->inode && S_ISDIR(in->inode->mode)) || (out->inode && S_ISDIR(out->inode->mode)))
		return -EISDIR;
	if (!in->inode || !out->inode || !S_ISREG(in->inode->mode) || !S_ISREG(out->inode->mode))
		return -EINVAL;
	in_start = t->in_at ? *t->in_at : in->pos;
	out_start = t->out_at ? *t->out_at : out->pos;
	if (in_start < 0 || out_start < 0)
		return -EINVAL;
	len = min(len, (u64)MAX_RW_COUNT);
	if (__builtin_add_overflow(in_start, (pos_t)len, &end) || __builtin_add_overflow(out_start, (pos_t)len, &end))
		return -EOVERFLOW;
	if (in->inode == out->inode && in_start < out_start + (pos_t)len && out_start < in_start + (pos_t)len)
		return -EINVAL;
	return vfs_copy(in, t->in_at, out, t->out_at, len);
}

SYSCALL_DEFINE(copy_file_range)
{
	struct two_files t;
	long ret = two_files_get(&t, (int)a[0], a[1], (int)a[2], a[3]);

	return ret ? ret : two_files_put(&t, a[1], a[3], copy_range(&t, a[4], (u32)a[5]));
}

#define SPLICE_KNOWN (SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT)

SYSCALL_DEFINE(splice)
{
	struct two_files t;
	long ret;

	if ((u32)a[5] & ~SPLICE_KNOWN)
		return -EINVAL;
	ret = two_files_get(&t, (int)a[0], a[1], (int)a[2], a[3]);
	if (ret)
		return ret;
	if (t.in_at && !(t.in->mode & FMODE_PREAD))
		ret = -ESPIPE;
	else if (t.out_at && !(t.out->mode & FMODE_PREAD))
		ret = -ESPIPE;
	else if ((t.in_at && *t.in_at < 0) || (t.out_at && *t.out_at < 0))
		ret = -EINVAL;
	else
		ret = vfs_splice(t.in, t.in_at, t.out, t.out_at, min(a[4], (u64)MAX_RW_COUNT), (u32)a[5]);
	return two_files_put(&t, a[1], a[3], ret);
}

SYSCALL_DEFINE(tee)
{
	struct two_files t;
	long ret;

	if ((u32)a[3] & ~SPLICE_KNOWN)
		return -EINVAL;
	ret = two_files_get(&t, (int)a[0], 0, (int)a[1], 0);
	return ret ? ret : two_files_put(&t, 0, 0, vfs_tee(t.in, t.out, a[2], (u32)a[3]));
}

/* Pages are copied, not given away: what the program may see of SPLICE_F_GIFT is the same. */
SYSCALL_DEFINE(vmsplice)
{
	struct file *f;
	u32 flags = (u32)a[3];
	long ret;

	if (flags & ~SPLICE_KNOWN)
		return -EINVAL;
	f = fd_get((int)a[0]);
	if (!f)
		return -EBADF;
	ret = file_pipe(f) ? 0 : -EBADF;
	if (!ret && (flags & SPLICE_F_NONBLOCK) &&
	    !(file_poll(f, NULL) & (f->mode & FMODE_WRITE ? POLLOUT | POLLERR : POLLIN | POLLHUP)))
		ret = -EAGAIN;
	if (!ret)
		ret = rwv((int)a[0], a[1], a[2], NULL, 0, f->mode & FMODE_WRITE ? vfs_write : vfs_read, NULL);
	file_put(f);
	return ret;
}

/* ---- space, and how far it got ---- */

SYSCALL_DEFINE(fallocate)
{
	struct file *f = fd_get((int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = vfs_fallocate(f, (int)a[1], (pos_t)a[2], (pos_t)a[3]);
	file_put(f);
	return ret;
}

static long do_fsync(int fd, bool datasync)
{
	struct file *f = fd_get(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = f->ops->fsync ? f->ops->fsync(f, datasync) : -EINVAL;
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(fsync) { return do_fsync((int)a[0], false); }
SYSCALL_DEFINE(fdatasync) { return do_fsync((int)a[0], true); }

SYSCALL_DEFINE(sync)
{
	for (struct mount *m = mount_next(NULL); m; m = mount_next(m))
		if (m->sb->ops->sync)
			(void)m->sb->ops->sync(m->sb);
	return 0;
}

SYSCALL_DEFINE(syncfs)
{
	struct file *f = fd_get((int)a[0]);
	struct super *sb;
	long ret;

	if (!f)
		return -EBADF;
	sb = f->inode ? f->inode->sb : NULL;
	ret = sb && sb->ops->sync ? sb->ops->sync(sb) : 0;
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(sync_file_range)
{
	struct file *f = fd_get((int)a[0]);
	pos_t end;
	long ret = 0;

	if (!f)
		return -EBADF;
	if ((u32)a[3] & ~7u || (pos_t)a[1] < 0 || (pos_t)a[2] < 0 || __builtin_add_overflow((pos_t)a[1], (pos_t)a[2], &end))
		ret = -EINVAL;
	else if (!f->inode || (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode) && !S_ISBLK(f->inode->mode) &&
			       !S_ISLNK(f->inode->mode)))
		ret = -ESPIPE;
	else if (f->ops->fsync)
		ret = f->ops->fsync(f, true);
	file_put(f);
	return ret;
}

/* Advice changes nothing that can be seen; only the errors do. */
SYSCALL_DEFINE(fadvise64)
{
	struct file *f = fd_get((int)a[0]);
	long ret = 0;

	if (!f)
		return -EBADF;
	if (f->inode && S_ISFIFO(f->inode->mode))
		ret = -ESPIPE;
	else if ((pos_t)a[2] < 0 || (u32)a[3] > 5)
		ret = -EINVAL;
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(readahead)
{
	struct file *f = fd_get((int)a[0]);
	long ret = 0;

	if (!f)
		return -EBADF;
	if (!(f->mode & FMODE_READ))
		ret = -EBADF;
	else if (!f->inode || !S_ISREG(f->inode->mode))
		ret = -EINVAL;
	file_put(f);
	return ret;
}
