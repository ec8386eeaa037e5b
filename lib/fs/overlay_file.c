// SPDX-License-Identifier: MIT
/* Regular files of the overlay that have a lower half. Those made here are memfs's. */
#include "fs/overlay_internal.h"

#include "mm/kmalloc.h"
#include "mm/pagecache.h"

#define COPY_CHUNK	65536u

/* Bytes of the lower file into the page cache. Return: how many, -EIO, -ENOSPC, … */
static pos_t copy_bytes(struct file *from, struct pagecache *pc, pos_t keep)
{
	char *buf = kmalloc(COPY_CHUNK);
	pos_t done = 0;
	ssize_t n = 0;

	if (!buf)
		return -ENOSPC;
	while (done < keep) {
		struct uio uio;
		struct iov iov;
		ssize_t put;

		n = file_read_at(from, buf, (size_t)min(keep - done, (pos_t)COPY_CHUNK), done);
		if (n <= 0)
			break;
		uio_init_kernel(&uio, &iov, buf, n);
		put = pagecache_write(pc, &uio, done, n);
		if (put < n) {
			n = -ENOSPC;
			break;
		}
		done += n;
	}
	kfree(buf);
	return n < 0 ? n : done;
}

int ovl_copy_data(struct inode *inode, pos_t keep)
{
	struct ovl_node *n = ovl_node(inode);
	struct pagecache *pc;
	struct file *from;
	pos_t size;
	int ret;

	if (!n || load_acquire(&n->data))
		return 0;
	ret = ovl_link(inode);
	if (ret)
		return ret;
	mutex_lock(&n->up_lock);
	if (n->data)
		goto out;
	ret = -ENOSPC;
	pc = memfs_pages(inode);
	if (!pc)
		goto out;
	keep = min(keep, inode->size);
	size = 0;
	if (keep) {
		from = inode_open(n->lower, O_RDONLY);
		if (IS_ERR(from)) {
			ret = (int)PTR_ERR(from);
			goto out;
		}
		size = copy_bytes(from, pc, keep);
		file_put(from);
	}
	ret = size < 0 ? (int)size : 0;
	if (!ret) {
		/* Shorter when that is what the caller wants, or when the host made it so since we asked. */
		WRITE_ONCE(inode->size, size);
		pagecache_set_size(pc, inode->size);
		store_release(&n->data, true);
	}
out:
	mutex_unlock(&n->up_lock);
	return ret;
}

/* f->priv is the lower file, opened with ours and used until there is data of ours. */
static struct file *lower_file(struct file *f)
{
	return load_acquire(&ovl_node(f->inode)->data) ? NULL : f->priv;
}

static ssize_t ovl_read(struct file *f, struct uio *to, pos_t *pos)
{
	struct file *lower = lower_file(f);
	ssize_t n;

	if (!lower)
		return memfs_file_ops.read(f, to, pos);
	n = lower->ops->read(lower, to, pos);
	inode_accessed(f->inode, f->mount, f->flags);
	return n;
}

static ssize_t ovl_write(struct file *f, struct uio *from, pos_t *pos)
{
	int ret = from->left ? ovl_copy_data(f->inode, INT64_MAX) : 0;

	return ret ? ret : memfs_file_ops.write(f, from, pos);
}

static pos_t ovl_seek(struct file *f, pos_t off, int whence)
{
	/* A lower file is taken as all data. */
	return lower_file(f) ? generic_seek(f, off, whence) : memfs_file_ops.seek(f, off, whence);
}

static struct vm_object *ovl_mmap(struct file *f, bool shared_write)
{
	struct file *lower = lower_file(f);

	if (lower && !shared_write && lower->ops->mmap)
		return lower->ops->mmap(lower, false);
	if (lower) {
		/* Also where the lower file system cannot map: then memory can. */
		int ret = ovl_copy_data(f->inode, INT64_MAX);

		if (ret)
			return ERR_PTR(ret);
	}
	return memfs_file_ops.mmap(f, shared_write);
}

static long ovl_fallocate(struct file *f, int mode, pos_t off, pos_t len)
{
	int ret = ovl_copy_data(f->inode, INT64_MAX);

	return ret ? ret : memfs_file_ops.fallocate(f, mode, off, len);
}

static int ovl_fsync(struct file *f __unused, bool datasync __unused)
{
	return 0;
}

static void ovl_release(struct file *f)
{
	file_put(f->priv);
	memfs_file_ops.release(f);
}

static const struct file_ops ovl_file_ops = {
	.name = "file",
	.read = ovl_read,
	.write = ovl_write,
	.seek = ovl_seek,
	.mmap = ovl_mmap,
	.fallocate = ovl_fallocate,
	.fsync = ovl_fsync,
	.release = ovl_release,
};

static int ovl_open(struct inode *inode, struct file *f)
{
	struct ovl_node *n = ovl_node(inode);
	struct file *lower;

	if (load_acquire(&n->data)) {
		f->ops = &memfs_file_ops;
		return 0;
	}
	lower = inode_open(n->lower, O_RDONLY);
	if (IS_ERR(lower))
		return (int)PTR_ERR(lower);
	/* Opening may have brought news of its size. */
	ovl_copy_attrs(inode);
	f->ops = &ovl_file_ops;
	f->priv = lower;
	return 0;
}

const struct inode_ops ovl_file_inode_ops = {
	.refresh = ovl_refresh,
	.setattr = ovl_setattr,
	.open = ovl_open,
	.setxattr = ovl_setxattr,
	.removexattr = ovl_removexattr,
};
