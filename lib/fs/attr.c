// SPDX-License-Identifier: MIT
/* Attributes as the calls see them: stat, chmod, chown, utimes, truncate, access. */
#include "fs/inotify.h"
#include "fs/namei.h"
#include "fs/walk.h"
#include "process/cred.h"
#include "process/limits.h"
#include "process/signal.h"
#include "process/task.h"

int vfs_stat(const struct path *p, struct kstat *st)
{
	int ret = inode_refresh(p->dentry->inode);

	if (ret)
		return ret;
	inode_stat(p->dentry->inode, st);
	st->mnt_id = p->mnt ? p->mnt->id : 0;
	if (p->mnt && p->mnt->root == p->dentry)
		st->attributes |= STATX_ATTR_MOUNT_ROOT;
	return 0;
}

int file_stat(struct file *f, struct kstat *st)
{
	struct path p = { f->mount, f->dentry };

	if (f->ops->stat && !(f->mode & FMODE_PATH))
		return f->ops->stat(f, st);
	if (f->dentry)
		return vfs_stat(&p, st);
	if (f->inode) {
		int ret = inode_refresh(f->inode);

		if (!ret)
			inode_stat(f->inode, st);
		return ret;
	}
	/* All anonymous files look alike, and have no type. */
	*st = (struct kstat){ .dev = dev_make(0, 15), .ino = 1, .mode = 0600, .nlink = 1, .blksize = PAGE_SIZE };
	return 0;
}

int vfs_access(const struct path *p, u32 mask, const struct cred *cred)
{
	struct inode *inode = p->dentry->inode;
	int ret;

	if ((mask & MAY_EXEC) && S_ISREG(inode->mode) &&
	    ((READ_ONCE(p->mnt->flags) & MNT_NOEXEC) || (inode->sb->flags & SB_NOEXEC)))
		return -EACCES;
	ret = inode_permission_cred(inode, mask, cred);
	if (!ret && (mask & MAY_WRITE) && mount_writable(p->mnt) &&
	    (S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode)))
		ret = -EROFS;
	return ret;
}

static const struct cred *my_cred(void)
{
	return current && current->cred ? current->cred : &kernel_cred;
}

static bool my_group(const struct cred *cred, u32 gid)
{
	return cred->fsgid == gid || cred_in_group(cred, gid);
}

static int check_owner_change(struct inode *inode, const struct iattr *attr)
{
	const struct cred *cred = my_cred();

	if (cred_has_cap(cred, CAP_CHOWN))
		return 0;
	if ((attr->valid & ATTR_UID) && (cred->fsuid != inode->uid || attr->uid != inode->uid))
		return -EPERM;
	if ((attr->valid & ATTR_GID) &&
	    (cred->fsuid != inode->uid || (attr->gid != inode->gid && !my_group(cred, attr->gid))))
		return -EPERM;
	return 0;
}

/* chown and writes take the set-id bits away: always set-user-id, set-group-id when the group may execute. */
static void strip_setid(struct inode *inode, struct iattr *attr, bool privileged_keeps)
{
	u32 mode = attr->valid & ATTR_MODE ? attr->mode : inode->mode;
	u32 kill = 0;

	if (S_ISDIR(inode->mode) || (privileged_keeps && cred_has_cap(my_cred(), CAP_FSETID)))
		return;
	if (mode & S_ISUID)
		kill |= S_ISUID;
	if ((mode & S_ISGID) && ((mode & S_IXGRP) || !my_group(my_cred(), inode->gid)))
		kill |= S_ISGID;
	if (kill) {
		attr->mode = mode & ~kill & S_IALLUGO;
		attr->valid |= ATTR_MODE;
	}
}

/* inode.lock held. */
static int check_setattr(struct inode *inode, struct iattr *attr, bool now)
{
	const struct cred *cred = my_cred();
	int ret;

	if (attr->valid & (ATTR_UID | ATTR_GID)) {
		ret = check_owner_change(inode, attr);
		if (ret)
			return ret;
	}
	if (attr->valid & ATTR_MODE) {
		u32 gid = attr->valid & ATTR_GID ? attr->gid : inode->gid;

		if (!inode_owner_or_capable(inode))
			return -EPERM;
		if (!my_group(cred, gid) && !cred_has_cap(cred, CAP_FSETID))
			attr->mode &= ~(u32)S_ISGID;
	}
	if ((attr->valid & (ATTR_ATIME | ATTR_MTIME)) && !inode_owner_or_capable(inode)) {
		if (!now)
			return -EPERM;
		/* "now" may be set by whoever may write */
		return inode_permission(inode, MAY_WRITE);
	}
	return 0;
}

static int apply_setattr(struct inode *inode, struct iattr *attr)
{
	if (!inode->ops || !inode->ops->setattr)
		return -EPERM;
	return inode->ops->setattr(inode, attr);
}

int vfs_setattr(const struct path *p, struct iattr *attr, bool now)
{
	struct inode *inode = p->dentry->inode;
	int ret = p->mnt ? mount_writable(p->mnt) : 0;

	if (ret)
		return ret;
	mutex_lock(&inode->lock);
	ret = check_setattr(inode, attr, now);
	if (!ret) {
		if (attr->valid & (ATTR_UID | ATTR_GID))
			strip_setid(inode, attr, false);
		attr->ctime = time_now();
		attr->valid |= ATTR_CTIME;
		if (now) {
			attr->atime = attr->ctime;
			attr->mtime = attr->ctime;
		}
		ret = apply_setattr(inode, attr);
	}
	mutex_unlock(&inode->lock);
	if (!ret)
		notify_dentry(p->dentry, IN_ATTRIB);
	return ret;
}

int do_truncate(struct inode *inode, pos_t size)
{
	struct iattr attr = { .valid = ATTR_SIZE | ATTR_MTIME | ATTR_CTIME, .size = size };
	int ret;

	mutex_lock(&inode->lock);
	attr.mtime = attr.ctime = time_now();
	strip_setid(inode, &attr, true);
	ret = apply_setattr(inode, &attr);
	mutex_unlock(&inode->lock);
	return ret;
}

/* A file may not be made longer than RLIMIT_FSIZE. */
static int check_fsize(struct inode *inode, pos_t size)
{
	if (!current || (u64)size <= rlimit(RLIM_FSIZE) || size <= inode->size)
		return 0;
	signal_self(SIGXFSZ);
	return -EFBIG;
}

int vfs_truncate(const struct path *p, pos_t size)
{
	struct inode *inode = p->dentry->inode;
	int ret;

	if (S_ISDIR(inode->mode))
		return -EISDIR;
	if (!S_ISREG(inode->mode))
		return -EINVAL;
	ret = mount_writable(p->mnt);
	if (!ret)
		ret = inode_permission(inode, MAY_WRITE);
	if (!ret)
		ret = check_fsize(inode, size);
	if (!ret)
		ret = inode_get_write(inode);
	if (ret)
		return ret;
	ret = do_truncate(inode, size);
	inode_put_write(inode);
	if (!ret)
		notify_dentry(p->dentry, IN_MODIFY);
	return ret;
}

int file_truncate(struct file *f, pos_t size)
{
	int ret;

	if (!f->inode || !S_ISREG(f->inode->mode) || !(f->mode & FMODE_WRITE))
		return -EINVAL;
	ret = check_fsize(f->inode, size);
	if (!ret)
		ret = do_truncate(f->inode, size);
	if (!ret)
		notify_file(f, IN_MODIFY);
	return ret;
}
