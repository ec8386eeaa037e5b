// SPDX-License-Identifier: MIT
#include "fs/rw.h"

#include "fs/inotify.h"
#include "fs/vfs.h"
#include "process/limits.h"
#include "process/signal.h"

ssize_t file_write_limit(pos_t pos, size_t len, pos_t max)
{
	u64 limit = current ? rlimit(RLIM_FSIZE) : RLIM64_INFINITY;

	if ((u64)pos >= limit && limit < (u64)max) {
		signal_self(SIGXFSZ);
		return -EFBIG;
	}
	limit = min(limit, (u64)max);
	if ((u64)pos >= limit)
		return -EFBIG;
	return min(len, (size_t)(limit - (u64)pos));
}

static int check_read(struct file *f)
{
	if (!(f->mode & FMODE_READ))
		return -EBADF;
	if (likely(f->ops->read))
		return 0;
	return f->inode && S_ISDIR(f->inode->mode) ? -EISDIR : -EINVAL;
}

static int check_write(struct file *f)
{
	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	return likely(f->ops->write) ? 0 : -EINVAL;
}

ssize_t vfs_read(struct file *f, struct uio *to)
{
	ssize_t n = check_read(f);

	if (n)
		return n;
	if (f->mode & FMODE_STREAM) {
		n = f->ops->read(f, to, NULL);
	} else if (f->mode & FMODE_ATOMIC_POS) {
		mutex_lock(&f->pos_lock);
		n = f->ops->read(f, to, &f->pos);
		mutex_unlock(&f->pos_lock);
	} else {
		n = f->ops->read(f, to, &f->pos);
	}
	if (n > 0)
		notify_file(f, IN_ACCESS);
	return n;
}

ssize_t vfs_write(struct file *f, struct uio *from)
{
	ssize_t n = check_write(f);

	if (n)
		return n;
	if (f->mode & FMODE_STREAM) {
		n = f->ops->write(f, from, NULL);
	} else if (f->mode & FMODE_ATOMIC_POS) {
		mutex_lock(&f->pos_lock);
		n = f->ops->write(f, from, &f->pos);
		mutex_unlock(&f->pos_lock);
	} else {
		n = f->ops->write(f, from, &f->pos);
	}
	if (n > 0)
		notify_file(f, IN_MODIFY);
	return n;
}

ssize_t vfs_pread(struct file *f, struct uio *to, pos_t pos)
{
	ssize_t n;

	if (!(f->mode & FMODE_PREAD))
		return -ESPIPE;
	n = check_read(f);
	if (n)
		return n;
	n = f->ops->read(f, to, &pos);
	if (n > 0)
		notify_file(f, IN_ACCESS);
	return n;
}

ssize_t vfs_pwrite(struct file *f, struct uio *from, pos_t pos)
{
	ssize_t n;

	if (!(f->mode & FMODE_PREAD))
		return -ESPIPE;
	n = check_write(f);
	if (n)
		return n;
	n = f->ops->write(f, from, &pos);
	if (n > 0)
		notify_file(f, IN_MODIFY);
	return n;
}

pos_t vfs_seek(struct file *f, pos_t off, int whence)
{
	pos_t ret;

	if (whence < SEEK_SET || whence > SEEK_HOLE)
		return -EINVAL;
	if (!f->ops->seek)
		return -ESPIPE;
	mutex_lock(&f->pos_lock);
	ret = f->ops->seek(f, off, whence);
	mutex_unlock(&f->pos_lock);
	return ret;
}

int vfs_readdir(struct file *f, struct dir_context *ctx)
{
	int ret;

	if (!f->ops->readdir)
		return -ENOTDIR;
	if (f->inode && (f->inode->flags & INODE_DEAD))
		return -ENOENT;
	mutex_lock(&f->pos_lock);
	ctx->pos = f->pos;
	ret = f->ops->readdir(f, ctx);
	f->pos = ctx->pos;
	mutex_unlock(&f->pos_lock);
	notify_file(f, IN_ACCESS);
	return ret;
}

long vfs_fallocate(struct file *f, int mode, pos_t off, pos_t len)
{
	pos_t end;
	long ret;

	if (off < 0 || len <= 0)
		return -EINVAL;
	if (!(f->mode & FMODE_WRITE))
		return -EBADF;
	if (f->inode && S_ISFIFO(f->inode->mode))
		return -ESPIPE;
	if (f->inode && S_ISDIR(f->inode->mode))
		return -EISDIR;
	if (!f->inode || !S_ISREG(f->inode->mode))
		return -ENODEV;
	if (__builtin_add_overflow(off, len, &end))
		return -EFBIG;
	if (!f->ops->fallocate)
		return -EOPNOTSUPP;
	ret = f->ops->fallocate(f, mode, off, len);
	if (!ret)
		notify_file(f, IN_MODIFY);
	return ret;
}
