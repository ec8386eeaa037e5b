// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Handles: what the owner granted, by number. */
#include <linux/file.h>
#include <linux/mount.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>

#include "litebox.h"

static void handle_release(struct kref *ref)
{
	struct litebox_handle *h = container_of(ref, struct litebox_handle, ref);

	if (h->file)
		fput(h->file);
	kfree_rcu(h, rcu);
	atomic_dec(&litebox_counters.handles);
}

void litebox_handle_put(struct litebox_handle *h)
{
	kref_put(&h->ref, handle_release);
}

struct litebox_handle *litebox_handle_get(struct litebox_sandbox *sb, u32 nr)
{
	struct litebox_handle *h;

	rcu_read_lock();
	h = xa_load(&sb->handles, nr);
	if (h && !kref_get_unless_zero(&h->ref))
		h = NULL;
	rcu_read_unlock();
	return h;
}

static bool may_exec(const struct file *file)
{
	return !(file->f_path.mnt->mnt_flags & MNT_NOEXEC) &&
	       !(file_inode(file)->i_sb->s_iflags & SB_I_NOEXEC);
}

/* Is this file of that kind? Only kinds of files that cannot name a sandbox back, or wait for one. */
static int kind_fits(const struct lbx_grant *grant, struct file *file)
{
	umode_t mode = file_inode(file)->i_mode;

	switch (grant->kind) {
	case LBX_KIND_FILE:
		return S_ISREG(mode) ? 0 : -ENODEV;
	case LBX_KIND_RAM:
		if (!shmem_file(file))
			return -ENODEV;
		return i_size_read(file_inode(file)) >= grant->size ? 0 : -EINVAL;
	case LBX_KIND_CONSOLE:
	case LBX_KIND_SERVER:
		return S_ISFIFO(mode) || S_ISSOCK(mode) ? 0 : -ENODEV;
	case LBX_KIND_PACKET:
		return S_ISCHR(mode) || S_ISSOCK(mode) ? 0 : -ENODEV;
	default:
		return -EINVAL;
	}
}

static int rights_fit(const struct lbx_grant *grant, const struct file *file)
{
	if ((grant->rights & LBX_RIGHT_READ) && !(file->f_mode & FMODE_READ))
		return -EACCES;
	if ((grant->rights & LBX_RIGHT_WRITE) && !(file->f_mode & FMODE_WRITE))
		return -EACCES;
	if ((grant->rights & LBX_RIGHT_EXEC) && !may_exec(file))
		return -EACCES;
	if ((grant->rights & LBX_RIGHT_READ) && !file->f_op->read_iter)
		return -ENODEV;
	if ((grant->rights & LBX_RIGHT_WRITE) && !file->f_op->write_iter)
		return -ENODEV;
	if ((grant->rights & LBX_RIGHT_MAP) && !file->f_op->mmap)
		return -ENODEV;
	return 0;
}

static int handle_insert(struct litebox_sandbox *sb, struct litebox_handle *h)
{
	u64 ram = h->grant.kind == LBX_KIND_RAM ? h->grant.size : 0;
	int ret;

	mutex_lock(&sb->lock);
	if (sb->nr_handles >= sb->limits.handles)
		ret = -EMFILE;
	else if (ram > sb->limits.mem - sb->ram)
		ret = -ENOMEM;
	else
		ret = xa_insert(&sb->handles, h->grant.handle, h, GFP_KERNEL_ACCOUNT);
	if (!ret) {
		sb->nr_handles++;
		sb->ram += ram;
	}
	mutex_unlock(&sb->lock);
	return ret == -EBUSY ? -EEXIST : ret;
}

int litebox_grant(struct litebox_sandbox *sb, const struct lbx_grant *grant, int fd)
{
	struct litebox_handle *h;
	struct file *file = NULL;
	int ret = 0;

	if (grant->kind != LBX_KIND_ENTROPY) {
		file = fget(fd);
		if (!file)
			return -EBADF;
		ret = kind_fits(grant, file);
		if (!ret)
			ret = rights_fit(grant, file);
	}
	h = ret ? NULL : kzalloc(sizeof(*h), GFP_KERNEL_ACCOUNT);
	if (!h) {
		if (file)
			fput(file);
		return ret ? ret : -ENOMEM;
	}
	kref_init(&h->ref);
	h->grant = *grant;
	h->file = file;
	atomic_inc(&litebox_counters.handles);
	ret = handle_insert(sb, h);
	if (ret)
		litebox_handle_put(h);
	return ret;
}

static void forget(struct litebox_sandbox *sb, struct litebox_handle *h)
{
	sb->nr_handles--;
	if (h->grant.kind == LBX_KIND_RAM)
		sb->ram -= h->grant.size;
	litebox_handle_put(h);
}

int litebox_revoke(struct litebox_sandbox *sb, u32 nr)
{
	struct litebox_handle *h;

	mutex_lock(&sb->lock);
	h = xa_erase(&sb->handles, nr);
	if (h)
		forget(sb, h);
	mutex_unlock(&sb->lock);
	return h ? 0 : -EBADF;
}

/* litebox_handles_free() - nobody uses the sandbox any more */
void litebox_handles_free(struct litebox_sandbox *sb)
{
	struct litebox_handle *h;
	unsigned long nr;

	xa_for_each(&sb->handles, nr, h) {
		xa_erase(&sb->handles, nr);
		forget(sb, h);
	}
}
