// SPDX-License-Identifier: MIT
/*
 * sendfile(2), copy_file_range(2), splice(2), tee(2): bytes go through a buffer of ours. Bytes of a pipe are shown first and taken
 * when they were written, so that none is lost when the other side takes fewer.
 */
#include "fs/rw.h"

#include "fs/vfs.h"
#include "ipc/pipe.h"
#include "mm/kmalloc.h"

#define BOUNCE	65536u

static ssize_t read_some(struct file *f, pos_t *pos, void *buf, size_t len)
{
	struct uio uio;
	struct iov iov;
	ssize_t n;

	uio_init_kernel(&uio, &iov, buf, len);
	if (!pos)
		return vfs_read(f, &uio);
	n = vfs_pread(f, &uio, *pos);
	if (n > 0)
		*pos += n;
	return n;
}

static ssize_t write_some(struct file *f, pos_t *pos, const void *buf, size_t len)
{
	struct uio uio;
	struct iov iov;
	ssize_t n;

	uio_init_kernel(&uio, &iov, (void *)(uintptr_t)buf, len);
	if (!pos)
		return vfs_write(f, &uio);
	n = vfs_pwrite(f, &uio, *pos);
	if (n > 0)
		*pos += n;
	return n;
}

/* All of it, as far as it goes. */
static ssize_t write_all(struct file *f, pos_t *pos, const char *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write_some(f, pos, buf + done, len - done);

		if (n <= 0)
			return done ? (ssize_t)done : n;
		done += n;
	}
	return done;
}

ssize_t vfs_copy(struct file *in, pos_t *in_pos, struct file *out, pos_t *out_pos, size_t len)
{
	size_t size = min(len, (size_t)BOUNCE), done = 0;
	char *buf;
	ssize_t n = 0;

	if (!len)
		return 0;
	buf = kmalloc(size);
	if (!buf)
		return -ENOMEM;
	while (done < len) {
		ssize_t got = read_some(in, in_pos, buf, min(size, len - done));

		n = got;
		if (got <= 0)
			break;
		n = write_all(out, out_pos, buf, got);
		/* What was read and could not be written goes back, where that is possible. */
		if (n < got) {
			pos_t back = got - max(n, (ssize_t)0);

			if (in_pos)
				*in_pos -= back;
			else if (in->ops->seek)
				(void)vfs_seek(in, -back, SEEK_CUR);
		}
		if (n > 0)
			done += n;
		if (n < got || signal_pending())
			break;
	}
	kfree(buf);
	return done ? (ssize_t)done : n;
}

static bool nonblock(struct file *f, u32 flags)
{
	return (flags & SPLICE_F_NONBLOCK) || (f->flags & O_NONBLOCK);
}

static ssize_t splice_from_pipe(struct file *in, struct file *out, pos_t *out_pos, char *buf, size_t len, u32 flags)
{
	size_t done = 0;
	ssize_t n;

	do {
		ssize_t wrote;

		/* Only the first bytes are worth waiting for. */
		n = pipe_peek(in, buf, min(len - done, (size_t)BOUNCE), done || nonblock(in, flags));
		if (n <= 0)
			break;
		wrote = write_all(out, out_pos, buf, n);
		pipe_consume(in, wrote > 0 ? wrote : 0);
		if (wrote < 0)
			n = wrote;
		else
			done += wrote;
		if (wrote < n)
			break;
	} while (done < len);
	return done ? (ssize_t)done : n;
}

/* A pipe takes what it has room for: one round, so that no byte is read that finds no place. */
static ssize_t splice_to_pipe(struct file *in, pos_t *in_pos, struct file *out, char *buf, size_t len, u32 flags)
{
	ssize_t n;

	if (nonblock(out, flags) && !(file_poll(out, NULL) & (POLLOUT | POLLERR)))
		return -EAGAIN;
	n = read_some(in, in_pos, buf, min(len, (size_t)BOUNCE));
	if (n <= 0)
		return n;
	return write_all(out, NULL, buf, n);
}

ssize_t vfs_splice(struct file *in, pos_t *in_pos, struct file *out, pos_t *out_pos, size_t len, u32 flags)
{
	struct pipe *from = file_pipe(in), *to = file_pipe(out);
	char *buf;
	ssize_t n;

	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if ((from && in_pos) || (to && out_pos))
		return -ESPIPE;
	if (!from && !to)
		return -EINVAL;
	if (from && from == to)
		return -EINVAL;
	if ((out->flags & O_APPEND) && !to)
		return -EINVAL;
	if (!len)
		return 0;
	buf = kmalloc(min(len, (size_t)BOUNCE));
	if (!buf)
		return -ENOMEM;
	n = from ? splice_from_pipe(in, out, out_pos, buf, len, flags) : splice_to_pipe(in, in_pos, out, buf, len, flags);
	kfree(buf);
	return n;
}

ssize_t vfs_tee(struct file *in, struct file *out, size_t len, u32 flags)
{
	struct pipe *from = file_pipe(in), *to = file_pipe(out);
	char *buf;
	ssize_t n;

	if (!(in->mode & FMODE_READ) || !(out->mode & FMODE_WRITE))
		return -EBADF;
	if (!from || !to || from == to)
		return -EINVAL;
	if (!len)
		return 0;
	len = min(len, (size_t)BOUNCE);
	buf = kmalloc(len);
	if (!buf)
		return -ENOMEM;
	n = pipe_peek(in, buf, len, nonblock(in, flags));
	if (n > 0) {
		/* They stay in the first pipe, for its reader. */
		pipe_consume(in, 0);
		n = write_some(out, NULL, buf, n);
	}
	kfree(buf);
	return n;
}
