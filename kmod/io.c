// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* read and write. The pieces' addresses are copied once, checked, and never read again. */
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "litebox.h"

#define FEW_PIECES	8

/* Random bytes to @iter, until it is full or the task shall die. */
static ssize_t read_entropy(struct iov_iter *iter)
{
	u8 buf[256];
	ssize_t done = 0;

	while (iov_iter_count(iter)) {
		size_t len = min(iov_iter_count(iter), sizeof(buf)), copied;

		get_random_bytes(buf, len);
		copied = copy_to_iter(buf, len, iter);
		done += copied;
		if (copied < len)
			break;
		cond_resched();
		if (signal_pending(current))
			break;
	}
	memzero_explicit(buf, sizeof(buf));
	return done ? done : -EFAULT;
}

/* At the file's own position, which others may move: as read(2) and write(2) take it. */
static ssize_t move_stream(struct file *file, struct iov_iter *iter, bool write)
{
	loff_t pos = 0;
	bool has_pos = !(file->f_mode & FMODE_STREAM) && S_ISREG(file_inode(file)->i_mode);
	ssize_t ret;

	if (has_pos) {
		mutex_lock(&file->f_pos_lock);
		pos = file->f_pos;
	}
	ret = write ? litebox_iter_write(file, iter, &pos) : vfs_iter_read(file, iter, &pos, 0);
	if (has_pos) {
		file->f_pos = pos;
		mutex_unlock(&file->f_pos_lock);
	}
	return ret;
}

static ssize_t move(struct litebox_handle *h, const struct lbx_io *io, struct iov_iter *iter, bool write)
{
	loff_t pos = io->off;

	if (!h->file)
		return read_entropy(iter);
	if (io->off == LBX_OFF_STREAM)
		return move_stream(h->file, iter, write);
	return write ? litebox_iter_write(h->file, iter, &pos) : vfs_iter_read(h->file, iter, &pos, 0);
}

static ssize_t io_pieces(struct litebox_sandbox *sb, struct litebox_handle *h, const struct lbx_io *io, bool write,
			 struct lbx_iov *vec, struct iovec *iov)
{
	struct iov_iter iter;
	u64 total;
	int ret;

	if (copy_from_user(vec, (void __user *)io->iov, io->nr_iov * sizeof(*vec)))
		return -EFAULT;
	ret = lbx_check_iov(io, vec, &sb->space, &total);
	if (ret)
		return ret;
	if (!total)
		return 0;
	for (u32 i = 0; i < io->nr_iov; i++) {
		iov[i].iov_base = (void __user *)vec[i].base;
		iov[i].iov_len = vec[i].len;
	}
	iov_iter_init(&iter, write ? ITER_SOURCE : ITER_DEST, iov, io->nr_iov, total);
	return move(h, io, &iter, write);
}

long litebox_io(struct litebox_sandbox *sb, const struct lbx_io *io, bool write)
{
	struct lbx_iov few_vec[FEW_PIECES], *vec = few_vec;
	struct iovec few[FEW_PIECES], *iov = few;
	struct litebox_handle *h = litebox_handle_get(sb, io->handle);
	void *many = NULL;
	ssize_t ret;

	ret = lbx_check_io_handle(h ? &h->grant : NULL, io, write ? LBX_RIGHT_WRITE : LBX_RIGHT_READ);
	if (!ret && io->nr_iov > FEW_PIECES) {
		many = kmalloc_array(io->nr_iov, sizeof(*vec) + sizeof(*iov), GFP_KERNEL_ACCOUNT);
		vec = many;
		iov = many + io->nr_iov * sizeof(*vec);
		if (!many)
			ret = -ENOMEM;
	}
	if (!ret)
		ret = io_pieces(sb, h, io, write, vec, iov);
	kfree(many);
	if (h)
		litebox_handle_put(h);
	/* the caller makes it anew if he likes: nothing is restarted behind his back */
	if (ret == -ERESTARTSYS || ret == -ERESTARTNOINTR || ret == -ERESTARTNOHAND || ret == -ERESTART_RESTARTBLOCK)
		ret = -EINTR;
	return ret;
}
