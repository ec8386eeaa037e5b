// SPDX-License-Identifier: MIT
#include "fs/hostfile.h"

#include "base/errno.h"
#include "fs/rw.h"
#include "fs/stream.h"
#include "fs/vfs.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/task.h"
#include "south/south.h"

/* What an inode has; lives as long as the sandbox, as the handle does. */
struct hostfile {
	u32 handle;
	u32 mode;			/* FMODE_READ, FMODE_WRITE of the handle */
	struct file *first;		/* the runner's open file; for comparison only */
	bool seeked;			/* first's position is first->pos, not the host's any more */
	struct mutex lock;		/* guards size */
	pos_t size;			/* when it was last looked at */
};

/* Does the file reach beyond @pos? There is no host call that says how long it is, but reading a byte does. Return: 0, 1, -errno */
static ssize_t reaches(struct hostfile *h, pos_t pos)
{
	struct iov iov;
	u8 byte;

	iov = (struct iov){ (u64)(uintptr_t)&byte, 1 };
	return south_read(h->handle, (u64)pos, &iov, 1);
}

/* Two reads when nothing has changed; else outward in doubling steps, and by halves between. Return: bytes or -errno */
static pos_t find_size(struct hostfile *h)
{
	pos_t low = 0, high = h->size, step = PAGE_SIZE;	/* it has low bytes at least, high at most */
	ssize_t n;

	if (high) {
		n = reaches(h, high - 1);
		if (n < 0)
			return n;
		low = n ? high : 0;
	}
	while (low == high && high < INT64_MAX) {
		n = reaches(h, high);
		if (n <= 0)
			return n ? n : high;
		low = high + 1;
		high = step < INT64_MAX - high ? high + step : INT64_MAX;
		n = reaches(h, high - 1);
		if (n < 0)
			return n;
		if (n)
			low = high;
		step *= 2;
	}
	while (low < high) {
		pos_t mid = low + (high - low) / 2;

		n = reaches(h, mid);
		if (n < 0)
			return n;
		if (n)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int hostfile_refresh(struct inode *inode)
{
	struct hostfile *h = inode->priv;
	pos_t size;

	if (!(h->mode & FMODE_READ))
		return 0;		/* as far as we know */
	mutex_lock(&h->lock);
	size = find_size(h);
	if (size >= 0)
		inode->size = h->size = size;
	mutex_unlock(&h->lock);
	/* a signal came first */
	return size == -EINTR ? -ERESTARTNOINTR : size < 0 ? (int)size : 0;
}

static void grow(struct file *f, pos_t end)
{
	struct hostfile *h = f->priv;

	mutex_lock(&h->lock);
	if (end > h->size)
		f->inode->size = h->size = end;
	mutex_unlock(&h->lock);
}

/* The runner's own open file is at @pos now, and the host does not know it. */
static void moved(struct file *f, const pos_t *pos)
{
	struct hostfile *h = f->priv;

	if (f == h->first && pos == &f->pos && h->seeked && machine->leave_at)
		machine->leave_at(h->handle, (u64)*pos);
}

static ssize_t hostfile_read(struct file *f, struct uio *to, pos_t *pos)
{
	struct hostfile *h = f->priv;
	bool at_host = f == h->first && pos == &f->pos && !h->seeked;
	ssize_t n = stream_io(h->handle, at_host ? SOUTH_STREAM : (u64)*pos, to, false);

	if (n > 0) {
		*pos += n;
		moved(f, pos);
	}
	return n;
}

static ssize_t hostfile_write(struct file *f, struct uio *from, pos_t *pos)
{
	struct hostfile *h = f->priv;
	bool at_host = pos == &f->pos && !READ_ONCE(h->seeked);
	size_t done = 0;
	ssize_t n;

	if (f->flags & O_APPEND)
		*pos = READ_ONCE(h->size);
	n = file_write_limit(*pos, from->left, INT64_MAX);
	if (n < 0)
		return n;
	from->left = (size_t)n;
	while (from->left) {
		n = stream_io(h->handle, at_host ? SOUTH_STREAM : (u64)*pos, from, true);
		if (n <= 0)
			break;
		*pos += n;
		done += (size_t)n;
		if (signal_pending())
			break;
	}
	if (f == h->first || !at_host)
		grow(f, *pos);
	moved(f, pos);
	return done ? (ssize_t)done : n;
}

static pos_t hostfile_seek(struct file *f, pos_t off, int whence)
{
	struct hostfile *h = f->priv;
	pos_t old = f->pos;
	int ret = whence == SEEK_SET || whence == SEEK_CUR ? 0 : hostfile_refresh(f->inode);

	if (ret)
		return ret;
	off = generic_seek(f, off, whence);
	if (f == h->first && off >= 0 && off != old)
		WRITE_ONCE(h->seeked, true);
	moved(f, &f->pos);
	return off;
}

static void hostfile_release(struct file *f)
{
	struct hostfile *h = f->priv;

	if (f == h->first)
		h->first = NULL;
}

static void object_release(struct vm_object *obj)
{
	kfree(obj);
}

static struct vm_object *hostfile_mmap(struct file *f, bool shared_write)
{
	struct hostfile *h = f->priv;
	struct vm_object *obj;

	/* the host asks for both rights, whatever is mapped */
	if (!(h->mode & FMODE_READ) || (shared_write && !(h->mode & FMODE_WRITE)))
		return ERR_PTR(-EACCES);
	obj = kzalloc(sizeof(*obj));
	if (!obj)
		return ERR_PTR(-ENOMEM);
	ref_init(&obj->ref);
	obj->kind = VM_HANDLE;
	obj->handle = h->handle;
	obj->release = object_release;
	return obj;
}

static const struct file_ops hostfile_ops = {
	.name = "file",
	.read = hostfile_read,
	.write = hostfile_write,
	.seek = hostfile_seek,
	.mmap = hostfile_mmap,
	.release = hostfile_release,
};

/* /dev/stdin, /proc/self/fd/0: the same file again, with the rights that the runner has. */
static int hostfile_reopen(struct inode *inode, struct file *f)
{
	struct hostfile *h = inode->priv;

	if ((f->mode & (FMODE_READ | FMODE_WRITE)) & ~h->mode)
		return -EACCES;
	f->ops = &hostfile_ops;
	f->priv = h;
	if (!(f->mode & FMODE_READ))
		f->pos = READ_ONCE(h->size);
	return 0;
}

/* Only to what it is: but O_TRUNC, of which shell scripts with ">/dev/stderr" mean nothing, is no error. */
static int hostfile_setattr(struct inode *inode, const struct iattr *attr)
{
	if (attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID))
		return -EPERM;
	return !(attr->valid & ATTR_SIZE) || !attr->size || attr->size == inode->size ? 0 : -EPERM;
}

static const struct inode_ops hostfile_inode_ops = {
	.open = hostfile_reopen, .refresh = hostfile_refresh, .setattr = hostfile_setattr,
};

struct file *hostfile_open(u32 handle, u32 flags, pos_t pos, pos_t size)
{
	struct hostfile *h = kzalloc(sizeof(*h));
	struct file *f = h ? anon_file(&hostfile_ops, flags, h) : NULL;

	if (!f) {
		kfree(h);
		return ERR_PTR(-ENOMEM);
	}
	f->mode = (f->mode & ~FMODE_STREAM) | FMODE_SEEK | FMODE_PREAD | FMODE_ATOMIC_POS;
	f->inode = inode_anon(S_IFREG | 0600);
	if (!f->inode) {
		file_put(f);
		kfree(h);
		return ERR_PTR(-ENOMEM);
	}
	f->pos = max_t(pos_t, pos, 0);
	h->handle = handle;
	h->mode = f->mode & (FMODE_READ | FMODE_WRITE);
	h->first = f;
	mutex_init(&h->lock);
	h->size = f->inode->size = max_t(pos_t, size, 0);
	f->inode->priv = h;
	f->inode->ops = &hostfile_inode_ops;
	return f;
}
