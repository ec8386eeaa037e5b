// SPDX-License-Identifier: MIT
/*
 * Open files: open, create, read, write, sync; and locks, which stay with the client.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

int need_writable(struct channel *ch, const struct node *node)
{
	(void)ch;
	return node->ex->writable ? 0 : -EROFS;
}

/*
 * May @node be opened so, and what is that in Linux' flags? Only regular files and directories are
 * opened. Flags that are the client's own business (O_NONBLOCK, O_CLOEXEC…) are dropped, as are those
 * that would need rights (O_NOATIME) or alignment (O_DIRECT).
 */
int open_flags(struct channel *ch, const struct node *node, uint32_t p9flags, int *oflags)
{
	uint32_t acc = p9flags & P9_O_ACCMODE;
	bool change = acc || p9flags & P9_O_TRUNC;

	if (p9flags & ~P9_O_ALL || acc == P9_O_ACCMODE)
		return -EINVAL;
	if (S_ISLNK(node->type))
		return -ELOOP;
	if (S_ISSOCK(node->type))
		return log_refused(ch, node, NULL, "a socket is not opened", -ENXIO);
	if (!node_is_reg(node) && !node_is_dir(node))
		return log_refused(ch, node, NULL,
				   S_ISFIFO(node->type) ? "a FIFO is not opened" :
				   "a device is not opened", -EACCES);
	if (p9flags & P9_O_DIRECTORY && !node_is_dir(node))
		return -ENOTDIR;
	if (node_is_dir(node) && change)
		return -EISDIR;
	if (change && need_writable(ch, node))
		return -EROFS;
	*oflags = acc == P9_O_RDWR ? O_RDWR : acc == P9_O_WRONLY ? O_WRONLY : O_RDONLY;
	if (node_is_dir(node))
		*oflags |= O_DIRECTORY;
	if (p9flags & P9_O_TRUNC)
		*oflags |= O_TRUNC;
	if (p9flags & P9_O_APPEND && acc)
		*oflags |= O_APPEND;
	if ((p9flags & P9_O_SYNC) == P9_O_SYNC)
		*oflags |= O_SYNC;
	else if (p9flags & P9_O_DSYNC)
		*oflags |= O_DSYNC;
	return 0;
}

static int put_opened(struct channel *ch, const struct fid *fid, struct wire_out *o)
{
	struct p9_attr attr;
	int ret = node_attr(ch->b, fid->node, &attr);

	if (ret)
		return ret;
	wire_put_qid(o, &attr.qid);
	wire_put_u32(o, ch->msize - P9_IO_HDR);
	return 0;
}

int op_lopen(struct channel *ch, const struct p9_tlopen *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	int ret, fd, oflags;

	if (!fid || fid->kind != FID_PATH)
		return -EBADF;
	ret = open_flags(ch, fid->node, t->flags, &oflags);
	if (!ret)
		ret = node_open(ch, fid->node, oflags, &fd);
	if (ret)
		return ret;
	fid_set_open(ch, fid, fd);
	return put_opened(ch, fid, o);
}

/* A file that was not there: O_EXCL, so that what is opened is what was made here. */
static int create_new(struct channel *ch, const struct node *dir, const char *name, int oflags,
		      mode_t mode, struct node **out)
{
	int fd, ret = file_take(ch->b);

	if (ret)
		return ret;
	fd = openat(dir->fd, name, oflags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0) {
		ret = -errno;
		file_give(ch->b);
		return ret;
	}
	return node_new(ch, dir->ex, fd, dir->dev, out, NULL);
}

/* A file that is there: looked at before it is opened, as in a walk and Tlopen. */
static int create_existing(struct channel *ch, const struct node *dir, const char *name,
			   uint32_t p9flags, struct node **out, int *fd)
{
	struct node *node;
	int oflags, ret = node_lookup(ch, dir, name, &node, NULL);

	if (ret)
		return ret;
	ret = node_is_dir(node) ? -EISDIR : open_flags(ch, node, p9flags, &oflags);
	if (!ret)
		ret = node_open(ch, node, oflags, fd);
	if (ret)
		node_put(ch, node);
	else
		*out = node;
	return ret;
}

int op_lcreate(struct channel *ch, const struct p9_tlcreate *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	struct node as_file, *node = NULL;
	char name[B9P_NAME_CAP];
	int ret, oflags, fd = -1;

	if (!fid || fid->kind != FID_PATH)
		return -EBADF;
	ret = wire_name_check(t->name, name);
	if (ret)
		return ret;
	if (!node_is_dir(fid->node))
		return -ENOTDIR;
	if (t->mode & S_IFMT && (t->mode & S_IFMT) != S_IFREG)
		return -EINVAL;
	ret = need_writable(ch, fid->node);
	if (ret)
		return ret;
	if (t->mode & (S_ISUID | S_ISGID))
		return log_refused(ch, fid->node, name, "set-id bits are not set", -EPERM);
	if (t->flags & P9_O_DIRECTORY)
		return -EINVAL;
	as_file = *fid->node;
	as_file.type = S_IFREG;
	ret = open_flags(ch, &as_file, t->flags, &oflags);
	if (ret)
		return ret;
	for (int tries = 0; tries < 8; tries++) {
		ret = create_new(ch, fid->node, name, oflags, t->mode & 01777, &node);
		if (ret != -EEXIST || t->flags & P9_O_EXCL)
			break;
		ret = create_existing(ch, fid->node, name, t->flags, &node, &fd);
		if (ret != -ENOENT)	/* gone in between: make it after all */
			break;
	}
	if (ret)
		return ret;
	fid_set_node(ch, fid, node);
	fid_set_open(ch, fid, fd >= 0 ? fd : node->fd);
	return put_opened(ch, fid, o);
}

static int read_xattr(const struct xattr *x, uint64_t offset, uint32_t count, struct wire_out *o)
{
	uint32_t at = offset < x->len ? (uint32_t)offset : x->len;
	uint32_t n = count < x->len - at ? count : x->len - at;

	wire_put_u32(o, n);
	memcpy(o->buf + o->len, x->data + at, n);
	o->len += n;
	return 0;
}

int op_read(struct channel *ch, const struct p9_tread *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	uint32_t count = wire_room(o) - 4, at = o->len;
	ssize_t n;

	if (!fid)
		return -EBADF;
	if (t->count < count)
		count = t->count;
	if (fid->kind == FID_XATTR_READ)
		return read_xattr(fid->xattr, t->offset, count, o);
	if (fid->kind != FID_OPEN)
		return -EBADF;
	if (t->offset > INT64_MAX)
		return -EINVAL;
	wire_put_u32(o, 0);
	n = pread(fid->fd, o->buf + o->len, count, (off_t)t->offset);
	if (n < 0)
		return -errno;
	wire_patch_u32(o, at, (uint32_t)n);
	o->len += (uint32_t)n;
	atomic_fetch_add_explicit(&ch->b->bytes_read, (uint64_t)n, memory_order_relaxed);
	return 0;
}

static int write_xattr(struct xattr *x, uint64_t offset, struct p9_data data, struct wire_out *o)
{
	if (offset > x->len || data.len > x->size - offset)
		return -ENOSPC;
	if (data.len)
		memcpy(x->data + offset, data.p, data.len);
	if (offset + data.len > x->len)
		x->len = (uint32_t)offset + data.len;
	wire_put_u32(o, data.len);
	return 0;
}

int op_write(struct channel *ch, const struct p9_twrite *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	ssize_t n;

	if (!fid)
		return -EBADF;
	if (fid->kind == FID_XATTR_WRITE)
		return write_xattr(fid->xattr, t->offset, t->data, o);
	if (fid->kind != FID_OPEN || !node_is_reg(fid->node))
		return -EBADF;
	if (t->offset > INT64_MAX)
		return -EINVAL;
	n = pwrite(fid->fd, t->data.p, t->data.len, (off_t)t->offset);
	if (n < 0)
		return -errno;
	wire_put_u32(o, (uint32_t)n);
	atomic_fetch_add_explicit(&ch->b->bytes_written, (uint64_t)n, memory_order_relaxed);
	return 0;
}

int op_fsync(struct channel *ch, const struct p9_tfsync *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);

	(void)ch;
	(void)o;
	if (!fid || fid->kind != FID_OPEN)
		return -EBADF;
	if (t->datasync ? fdatasync(fid->fd) : fsync(fid->fd))
		return -errno;
	return 0;
}

/*
 * Locks are granted and kept by the client among its own programs. A lock on the host's file would
 * let a sandbox that may only read a file stop every host process that locks it, and a fid does not
 * say which process owns a lock.
 */
int op_lock(struct channel *ch, const struct p9_tlock *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);

	if (!fid || fid->kind != FID_OPEN)
		return -EBADF;
	if (t->type > P9_LOCK_TYPE_UNLCK)
		return -EINVAL;
	wire_put_u8(o, P9_LOCK_SUCCESS);
	return 0;
}

int op_getlock(struct channel *ch, const struct p9_tgetlock *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);

	if (!fid || fid->kind != FID_OPEN)
		return -EBADF;
	if (t->type > P9_LOCK_TYPE_UNLCK)
		return -EINVAL;
	wire_put_u8(o, P9_LOCK_TYPE_UNLCK);
	wire_put_u64(o, t->start);
	wire_put_u64(o, t->length);
	wire_put_u32(o, t->proc_id);
	wire_put_str(o, (const char *)t->client_id.p, t->client_id.len);
	return 0;
}
