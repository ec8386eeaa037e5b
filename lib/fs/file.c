// SPDX-License-Identifier: MIT
/* Open files: their life, and the small operations that are the same for all. */
#include "fs/file.h"

#include "base/printf.h"
#include "base/string.h"
#include "fs/inotify.h"
#include "fs/locks.h"
#include "fs/vfs.h"
#include "ipc/epoll.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/task.h"

u32 files_max = 1u << 16;
static u32 nr_files;	/* atomic */

u32 files_open(void)
{
	return load_relaxed(&nr_files);
}

struct file *file_alloc(const struct file_ops *ops, u32 flags, u32 mode, void *priv)
{
	struct file *f;

	if (atomic_add(&nr_files, 1u) > files_max)
		goto err_count;
	f = kzalloc(sizeof(*f));
	if (!f)
		goto err_count;
	ref_init(&f->ref);
	mutex_init(&f->pos_lock);
	f->ops = ops;
	f->flags = flags & ~(u32)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	f->mode = mode;
	f->priv = priv;
	if (current && current->cred) {
		f->cred = current->cred;
		cred_get(f->cred);
	}
	return f;
err_count:
	atomic_sub(&nr_files, 1u);
	return NULL;
}

void file_put(struct file *f)
{
	struct path p;

	if (!f || !ref_put(&f->ref))
		return;
	if (f->mode & FMODE_OPENED)
		notify_file(f, f->mode & FMODE_WRITE ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	epoll_file_release(f);
	if (f->inode && f->inode->locks)
		locks_release(f);
	if (f->ops->release)
		f->ops->release(f);
	if (f->mode & FMODE_WRITER)
		inode_put_write(f->inode);
	if (f->mode & FMODE_EXEC)
		inode_allow_write(f->inode);
	inode_put(f->inode);
	p = (struct path){ f->mount, f->dentry };
	path_put(&p);
	cred_put(f->cred);
	kfree(f);
	atomic_sub(&nr_files, 1u);
}

struct file *anon_file(const struct file_ops *ops, u32 flags, void *priv)
{
	u32 mode = FMODE_STREAM;

	switch (flags & O_ACCMODE) {
	case O_RDONLY: mode |= FMODE_READ; break;
	case O_WRONLY: mode |= FMODE_WRITE; break;
	default:       mode |= FMODE_READ | FMODE_WRITE; break;
	}
	return file_alloc(ops, flags, mode, priv);
}

u32 file_poll(struct file *f, struct poll_table *pt)
{
	if (f->ops->poll)
		return f->ops->poll(f, pt);
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

pos_t generic_seek(struct file *f, pos_t off, int whence)
{
	pos_t size = f->inode ? READ_ONCE(f->inode->size) : 0;
	pos_t base;

	switch (whence) {
	case SEEK_SET:
		base = 0;
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		base = size;
		break;
	case SEEK_DATA:
		if (off < 0 || off >= size)
			return -ENXIO;
		base = 0;
		break;
	case SEEK_HOLE:
		if (off < 0 || off >= size)
			return -ENXIO;
		base = size - off;
		break;
	default:
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, off, &off) || off < 0)
		return -EINVAL;
	f->pos = off;
	return off;
}

pos_t sizeless_seek(struct file *f, pos_t off, int whence)
{
	return whence == SEEK_SET || whence == SEEK_CUR ? generic_seek(f, off, whence) : -EINVAL;
}

ssize_t file_read_at(struct file *f, void *buf, size_t len, pos_t pos)
{
	struct uio uio;
	struct iov iov;
	size_t done = 0;

	if (!f->ops->read)
		return -EINVAL;
	while (done < len) {
		ssize_t n;

		uio_init_kernel(&uio, &iov, (char *)buf + done, len - done);
		n = f->ops->read(f, &uio, &pos);
		if (n < 0)
			return done ? (ssize_t)done : n;
		if (!n)
			break;
		done += n;
	}
	return done;
}

ssize_t file_write_at(struct file *f, const void *buf, size_t len, pos_t pos)
{
	struct uio uio;
	struct iov iov;
	size_t done = 0;

	if (!f->ops->write)
		return -EINVAL;
	while (done < len) {
		ssize_t n;

		uio_init_kernel(&uio, &iov, (char *)(uintptr_t)buf + done, len - done);
		n = f->ops->write(f, &uio, &pos);
		if (n < 0)
			return done ? (ssize_t)done : n;
		if (!n)
			break;
		done += n;
	}
	return done;
}

/* ---- what /proc/self/fd shows ---- */

static struct mutex anon_lock = MUTEX_INIT;
static struct inode *typeless;		/* of all files that have no inode of their own; guarded by anon_lock while it is NULL */
static struct mount *anon_mount;

/* Anonymous files hang in a mount that is in no tree, so that a path leads to them as to any other. */
static int anon_setup(void)
{
	int ret = 0;

	mutex_lock(&anon_lock);
	if (!typeless) {
		struct inode *inode = inode_anon(0600);

		ret = inode ? mount_detached(inode, &anon_mount) : -ENOMEM;
		if (ret)
			inode_put(inode);
		else
			store_release(&typeless, inode);
	}
	mutex_unlock(&anon_lock);
	return ret;
}

char *file_text(struct file *f, char *buf, size_t size)
{
	struct path p = { f->mount, f->dentry };

	if (f->dentry)
		return path_text(&p, NULL, buf, size);
	if (f->inode)
		snprintf(buf, size, "%s:[%lu]", f->ops->name ? f->ops->name : "file", (unsigned long)f->inode->ino);
	else
		snprintf(buf, size, f->ops->plain_name ? "anon_inode:%s" : "anon_inode:[%s]", f->ops->name ? f->ops->name : "file");
	return buf;
}

int file_path(struct file *f, struct path *out)
{
	char name[64];
	int ret;

	if (f->dentry) {
		*out = (struct path){ f->mount, f->dentry };
		path_get(out);
		return 0;
	}
	if (!load_acquire(&typeless)) {
		ret = anon_setup();
		if (ret)
			return ret;
	}
	out->dentry = dentry_anon(f->inode ? f->inode : typeless, file_text(f, name, sizeof(name)));
	if (!out->dentry)
		return -ENOMEM;
	mount_get(anon_mount);
	out->mnt = anon_mount;
	return 0;
}
