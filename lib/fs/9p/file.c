// SPDX-License-Identifier: MIT
/*
 * Open files of the host. The broker grants a handle with the open; reading and mapping go to it directly, and all open files and
 * mappings of an inode share it. A small file's content comes with the answer to its open, and no handle is needed at all.
 */
#include "fs/9p/p9.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/task.h"
#include "sched/time.h"

/* Pieces of one south_read(). */
#define P9_IOV		16u
/* Program memory that the host cannot reach yet goes through a buffer of this size. */
#define P9_BOUNCE	4096u

void p9_handle_put(struct p9_handle *h)
{
	if (!h || !ref_put(&h->ref))
		return;
	machine->close_handle(h->handle);
	kfree(h);
}

static struct p9_handle *handle_new(u32 granted)
{
	struct p9_handle *h = kmalloc(sizeof(*h));

	if (!h) {
		machine->close_handle(granted);
		return NULL;
	}
	ref_init(&h->ref);
	h->handle = granted;
	return h;
}

/* The handle that @inode has now, with a reference, or NULL. */
static struct p9_handle *handle_get(struct inode *inode, bool write)
{
	struct p9_super *ps = p9_super_of(inode);
	struct p9_handle *h;

	mutex_lock(&ps->lock);
	h = p9_of(inode)->rw_handle;
	if (!h && !write)
		h = p9_of(inode)->handle;
	if (h)
		ref_get(&h->ref);
	mutex_unlock(&ps->lock);
	return h;
}

/* Keeps @h as the inode's, unless somebody was faster. Return: the one to use, with a reference */
static struct p9_handle *handle_keep(struct inode *inode, struct p9_handle *h, bool write)
{
	struct p9_super *ps = p9_super_of(inode);
	u8 *data = NULL;
	struct p9_handle **slot = write ? &p9_of(inode)->rw_handle : &p9_of(inode)->handle;

	mutex_lock(&ps->lock);
	if (*slot) {
		p9_handle_put(h);
		h = *slot;
	} else {
		*slot = h;
	}
	ref_get(&h->ref);
	if (write) {
		/* who writes sees to it that nobody reads the copy any more; later opens get this handle */
		data = p9_of(inode)->data;
		p9_of(inode)->data = NULL;
	}
	mutex_unlock(&ps->lock);
	kfree(data);
	return h;
}

static void keep_data(struct inode *inode, struct p9_walk *w)
{
	struct p9_super *ps = p9_super_of(inode);
	u32 len = (u32)p9_get(&w->in, 4);
	const u8 *p = p9_get_bytes(&w->in, len);
	u8 *copy = p && len <= P9_INLINE_MAX ? kmemdup(p, max(len, 1u)) : NULL;

	if (!copy)
		return;
	mutex_lock(&ps->lock);
	if (!p9_of(inode)->rw_handle) {
		swap(p9_of(inode)->data, copy);
		p9_of(inode)->data_len = len;
		p9_of(inode)->data_mtime = w->attr.mtime;
		p9_of(inode)->data_ctime = w->attr.ctime;
	}
	mutex_unlock(&ps->lock);
	kfree(copy);
}

/* p9_super.lock held: is the copy what the file holds, as far as its attributes tell? */
static bool data_holds(const struct inode *inode, const struct p9_inode *pi)
{
	return pi->data && pi->data_mtime == inode->mtime && pi->data_ctime == inode->ctime &&
	       (pos_t)pi->data_len == inode->size;
}

/*
 * p9_created() - fid P9_FID_WORK of @c is a file that was just made: keep a handle for writing, whatever its mode allows later
 * The creator may write it even when its mode is read-only (open(2)), so the handle is had before the mode is set.
 */
int p9_created(struct p9_channel *c, struct p9_handle **out)
{
	struct p9_in in;
	u32 granted;
	int ret;

	p9_request(c, P9_TGRANT);
	p9_put(&c->out, P9_FID_WORK, 4);
	p9_put(&c->out, 1, 4);		/* read and write */
	ret = p9_transact(c, &in, &granted);
	if (ret)
		return ret;
	if (granted == SOUTH_NO_HANDLE)
		return -ENFILE;
	*out = handle_new(granted);
	return *out ? 0 : -ENOMEM;
}

void p9_adopt(struct inode *inode, struct p9_handle *h)
{
	p9_handle_put(handle_keep(inode, h, true));
}

void p9_opened(struct inode *inode, struct p9_walk *w, s64 when)
{
	struct p9_super *ps = p9_super_of(inode);
	struct p9_handle *h;

	if (w->flags & P9_OPENED_INLINE) {
		keep_data(inode, w);
		mutex_lock(&ps->lock);
		p9_of(inode)->opened_by = current;
		p9_of(inode)->opened_at = when;
		mutex_unlock(&ps->lock);
	}
	if (w->granted != SOUTH_NO_HANDLE) {
		h = handle_new(w->granted);
		if (h)
			p9_handle_put(handle_keep(inode, h, false));
	}
}

/* Did the look-up of this very open(2) bring the content? */
static bool take_opened(struct inode *inode)
{
	struct p9_super *ps = p9_super_of(inode);
	struct p9_inode *pi = p9_of(inode);
	bool ours;

	mutex_lock(&ps->lock);
	ours = pi->opened_by == current;
	if (ours) {
		pi->opened_by = NULL;
		ours = data_holds(inode, pi) && clock_monotonic() - pi->opened_at < P9_VALID_NS;
	}
	mutex_unlock(&ps->lock);
	return ours;
}

static int request_open(struct inode *inode, u32 flags, u32 open_flags, struct p9_handle **out)
{
	struct p9_channel *c = p9_channel_get();
	bool write = (open_flags & O_ACCMODE) != O_RDONLY;
	s64 when = clock_monotonic();
	struct p9_walk w;
	int ret;

	if (!c)
		return -EIO;
	ret = p9_walk(c, inode, NULL, P9_TOPENGRANT, P9_NOFID, flags, open_flags, &w);
	if (!ret) {
		p9_inode_update(inode, &w.attr, when);
		if (w.flags & P9_OPENED_INLINE)
			keep_data(inode, &w);
	}
	p9_channel_put(c);
	*out = NULL;
	if (!ret && w.granted != SOUTH_NO_HANDLE) {
		struct p9_handle *h = handle_new(w.granted);

		if (!h)
			return -ENOMEM;
		*out = handle_keep(inode, h, write);
	}
	return ret;
}

int p9_open(struct inode *inode, struct file *f)
{
	bool write = (f->flags & O_ACCMODE) != O_RDONLY;
	struct p9_handle *h;
	int ret;

	if (S_ISDIR(inode->mode))
		return p9_dir_open(inode, f);
	if (!S_ISREG(inode->mode))
		return -ENXIO;
	f->ops = &p9_file_ops;
	h = handle_get(inode, write);
	/* what was granted before shows the file as it is; attributes are as fresh as any stat */
	if (h) {
		f->priv = h;
		return 0;
	}
	if (!write && take_opened(inode)) {
		f->priv = NULL;
		return 0;
	}
	ret = request_open(inode, P9_OPEN_GRANT | (write ? 0 : P9_OPEN_INLINE | P9_OPEN_EITHER), write ? O_RDWR : O_RDONLY, &h);
	if (ret)
		return ret;
	f->priv = h;	/* NULL: the data came */
	return 0;
}

/* The file's handle; small files that were read from memory so far get one now. Return: borrowed from @f, or ERR_PTR */
static struct p9_handle *file_handle(struct file *f)
{
	struct p9_handle *h = load_acquire((struct p9_handle **)&f->priv);
	int ret;

	if (h)
		return h;
	h = handle_get(f->inode, false);
	if (!h) {
		ret = request_open(f->inode, P9_OPEN_GRANT, O_RDONLY, &h);
		if (ret || !h)
			return ERR_PTR(ret ? ret : -ENFILE);
	}
	if (!atomic_cmpxchg((struct p9_handle **)&f->priv, (struct p9_handle *)NULL, h)) {
		p9_handle_put(h);
		h = f->priv;
	}
	return h;
}

/* From the copy that came with the open. Return: bytes, or -EAGAIN: it is not there or not this file's present content */
static ssize_t read_data(struct file *f, struct uio *to, pos_t pos)
{
	struct p9_super *ps = p9_super_of(f->inode);
	struct p9_inode *pi = p9_of(f->inode);
	ssize_t n = -EAGAIN;

	mutex_lock(&ps->lock);
	if (data_holds(f->inode, pi))
		n = pos >= (pos_t)pi->data_len ? 0 : uio_put(to, pi->data + pos, pi->data_len - (size_t)pos);
	mutex_unlock(&ps->lock);
	return n;
}

static ssize_t bounce(u32 handle, struct uio *u, pos_t pos, bool write)
{
	u8 *buf = kmalloc(P9_BOUNCE);
	struct iov iov = { (u64)(uintptr_t)buf, min_t(size_t, u->left, P9_BOUNCE) };
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	if (write) {
		n = uio_get(u, buf, iov.len);
		if (n > 0) {
			iov.len = (u64)n;
			n = south_write(handle, (u64)pos, &iov, 1);
		}
	} else {
		n = south_read(handle, (u64)pos, &iov, 1);
		if (n > 0)
			n = uio_put(u, buf, (size_t)n);
	}
	kfree(buf);
	return n;
}

/* Straight between the host's page cache and the program, as much as one call takes. */
static ssize_t handle_io(u32 handle, struct uio *u, pos_t pos, bool write)
{
	struct iov part[P9_IOV];
	u32 nr = 0;
	ssize_t n;

	if (u->user && !machine->direct_io)
		return bounce(handle, u, pos, write);
	for (u32 i = 0; i < u->nr && nr < P9_IOV; i++)
		if (u->iov[i].len)
			part[nr++] = u->iov[i];
	if (!nr)
		return 0;
	n = write ? south_write(handle, (u64)pos, part, nr) : south_read(handle, (u64)pos, part, nr);
	if (n == -EFAULT && u->user)
		return bounce(handle, u, pos, write);
	if (n > 0)
		uio_advance(u, (size_t)n);
	return n;
}

static ssize_t p9_read(struct file *f, struct uio *to, pos_t *pos)
{
	size_t done = 0;
	ssize_t n = 0;

	if (!f->priv) {
		n = read_data(f, to, *pos);
		if (n >= 0) {
			*pos += n;
			return n;
		}
	}
	while (to->left) {
		struct p9_handle *h = file_handle(f);

		n = IS_ERR(h) ? PTR_ERR(h) : handle_io(h->handle, to, *pos, false);
		if (n <= 0)
			break;
		*pos += n;
		done += (size_t)n;
		if (signal_pending())
			break;
	}
	if (n == -EINTR)
		n = -ERESTARTSYS;
	return done ? (ssize_t)done : n;
}

static ssize_t p9_write(struct file *f, struct uio *from, pos_t *pos)
{
	struct inode *inode = f->inode;
	size_t done = 0;
	ssize_t n = 0;

	/* the end is where the server says; two sandboxes that append to one file at once may overwrite each other */
	if (f->flags & O_APPEND) {
		p9_of(inode)->checked = 0;
		n = p9_refresh(inode);
		if (n)
			return n;
		*pos = inode->size;
	}
	while (from->left) {
		struct p9_handle *h = file_handle(f);

		n = IS_ERR(h) ? PTR_ERR(h) : handle_io(h->handle, from, *pos, true);
		if (n <= 0)
			break;
		*pos += n;
		done += (size_t)n;
		if (*pos > inode->size)
			inode->size = *pos;
		if (signal_pending())
			break;
	}
	if (done) {
		inode->mtime = inode->ctime = time_now();
		p9_inode_changed(inode);
	}
	if (n == -EINTR)
		n = -ERESTARTSYS;
	return done ? (ssize_t)done : n;
}

struct p9_object {
	struct vm_object obj;
	struct p9_handle *handle;
};

static void object_release(struct vm_object *obj)
{
	struct p9_object *o = container_of(obj, struct p9_object, obj);

	p9_handle_put(o->handle);
	kfree(o);
}

static struct vm_object *p9_mmap(struct file *f, bool shared_write)
{
	struct p9_handle *h = file_handle(f);
	struct p9_object *o;

	if (IS_ERR(h))
		return (void *)h;
	if (shared_write && !(f->mode & FMODE_WRITE))
		return ERR_PTR(-EACCES);
	o = kzalloc(sizeof(*o));
	if (!o)
		return ERR_PTR(-ENOMEM);
	ref_init(&o->obj.ref);
	o->obj.kind = VM_HANDLE;
	o->obj.handle = h->handle;
	o->obj.release = object_release;
	ref_get(&h->ref);
	o->handle = h;
	return &o->obj;
}

static int p9_fsync(struct file *f, bool datasync __unused)
{
	/* what is written to a handle is in the host's page cache; the host writes it back */
	return f->inode ? 0 : -EINVAL;
}

static void p9_release(struct file *f)
{
	p9_handle_put(f->priv);
}

const struct file_ops p9_file_ops = {
	.name = "9p",
	.read = p9_read,
	.write = p9_write,
	.seek = generic_seek,
	.mmap = p9_mmap,
	.fsync = p9_fsync,
	.release = p9_release,
};
