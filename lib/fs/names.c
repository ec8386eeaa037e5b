// SPDX-License-Identifier: MIT
/* Making and removing names: mknod, mkdir, symlink, link, unlink, rmdir, readlink. Renaming is in rename.c. */
#include "base/string.h"
#include "fs/fs_state.h"
#include "fs/inotify.h"
#include "fs/namei.h"
#include "fs/walk.h"
#include "mm/kmalloc.h"
#include "process/task.h"

int may_create(struct inode *dir)
{
	if (dir->flags & INODE_DEAD)
		return -ENOENT;
	return inode_permission(dir, MAY_WRITE | MAY_EXEC);
}

static const struct cred *my_cred(void)
{
	return current && current->cred ? current->cred : &kernel_cred;
}

int may_delete(struct inode *dir, struct dentry *victim, bool isdir)
{
	struct inode *inode = victim->inode;
	const struct cred *cred = my_cred();
	int ret = inode_permission(dir, MAY_WRITE | MAY_EXEC);

	if (ret)
		return ret;
	if ((dir->mode & S_ISVTX) && inode->uid != cred->fsuid && dir->uid != cred->fsuid &&
	    !cred_has_cap(cred, CAP_FOWNER))
		return -EPERM;
	if (isdir && !S_ISDIR(inode->mode))
		return -ENOTDIR;
	if (!isdir && S_ISDIR(inode->mode))
		return -EISDIR;
	if (dir->flags & INODE_DEAD)
		return -ENOENT;
	return READ_ONCE(victim->flags) & DENTRY_MOUNTED ? -EBUSY : 0;
}

void new_inode_prepare(struct new_inode *n, struct inode *dir, u32 mode, u64 rdev)
{
	const struct cred *cred = my_cred();
	u32 umask = current && current->fs ? fs_state_umask(current->fs) : 0;

	*n = (struct new_inode){ .uid = cred->fsuid, .gid = cred->fsgid, .rdev = rdev };
	if (!S_ISLNK(mode))
		mode &= ~(umask & S_IRWXUGO);
	if (dir->mode & S_ISGID) {
		n->gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
		else if ((mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && cred->fsgid != dir->gid &&
			 !cred_in_group(cred, dir->gid) && !cred_has_cap(cred, CAP_FSETID))
			mode &= ~(u32)S_ISGID;
	}
	n->mode = mode;
}

/*
 * To the directory where a new name is to be, which is locked on success; *out is the name's dentry, known not to exist.
 * @isdir: the name may end in slashes.
 */
static int begin_create(struct walk *w, int dirfd, const char *name, bool isdir, struct dentry **out)
{
	struct dentry *d;
	struct inode *dir;
	int ret = walk_begin(w, dirfd, name, 0);

	if (ret)
		return ret;
	ret = walk_parent(w, name);
	if (!ret && w->last_type != LAST_NORM)
		ret = -EEXIST;
	if (!ret && w->last.len > NAME_MAX)
		ret = -ENAMETOOLONG;
	if (ret)
		goto err_end;
	dir = w->path.dentry->inode;
	mutex_lock(&dir->lock);
	d = dentry_lookup_locked(w->path.dentry, &w->last);
	if (IS_ERR(d)) {
		ret = PTR_ERR(d);
		goto err_unlock;
	}
	if (d->inode)
		ret = -EEXIST;
	else if ((w->slash && !isdir) || (dir->sb->flags & SB_NOCREATE))
		ret = -ENOENT;
	else
		ret = mount_writable(w->path.mnt);
	if (ret)
		goto err_put;
	*out = d;
	return 0;
err_put:
	dentry_put(d);
err_unlock:
	mutex_unlock(&dir->lock);
err_end:
	walk_end(w);
	return ret;
}

static void end_create(struct walk *w, struct dentry *d)
{
	mutex_unlock(&w->path.dentry->inode->lock);
	dentry_put(d);
	walk_end(w);
}

static int check_node(u32 mode, u64 rdev)
{
	switch (mode & S_IFMT) {
	case S_IFCHR:
	case S_IFBLK:
		/* The device 0:0 is a whiteout, which leads nowhere. */
		if (!(S_ISCHR(mode) && rdev == 0) && !cred_has_cap(my_cred(), CAP_MKNOD))
			return -EPERM;
		return 0;
	default:
		return 0;
	}
}

int vfs_create_node(int dirfd, const char *name, u32 mode, u64 rdev, const char *target, struct path *out)
{
	struct walk w;
	struct new_inode n;
	struct inode *dir, *inode;
	struct dentry *d;
	int ret = begin_create(&w, dirfd, name, S_ISDIR(mode), &d);

	if (ret)
		return ret;
	dir = w.path.dentry->inode;
	ret = may_create(dir);
	if (!ret)
		ret = check_node(mode, rdev);
	if (!ret && !dir->ops->create)
		ret = -EPERM;
	if (ret)
		goto out;
	new_inode_prepare(&n, dir, mode, rdev);
	n.target = target;
	inode = dir->ops->create(dir, &w.last, &n);
	if (IS_ERR(inode)) {
		ret = PTR_ERR(inode);
		goto out;
	}
	dentry_instantiate(d, inode);
	notify_dir(dir, &w.last, inode, IN_CREATE | (S_ISDIR(mode) ? IN_ISDIR : 0), 0);
	if (out) {
		*out = (struct path){ w.path.mnt, d };
		path_get(out);
	}
out:
	end_create(&w, d);
	return ret;
}

int vfs_mkdirs(const char *name, u32 mode)
{
	char *part = kstrdup(name);
	int ret = 0;

	if (!part)
		return -ENOMEM;
	for (char *p = part + 1; !ret; p++) {
		char was = *p;

		if (was && was != '/')
			continue;
		*p = '\0';
		ret = vfs_create_node(AT_FDCWD, part, S_IFDIR | mode, 0, NULL, NULL);
		if (ret == -EEXIST)
			ret = 0;
		*p = was;
		if (!was)
			break;
	}
	kfree(part);
	return ret;
}

/* fs.protected_hardlinks: no new names for files of others that one could not open for reading and writing anyway. */
static int may_link(struct inode *inode)
{
	if (inode_owner_or_capable(inode))
		return 0;
	if (!S_ISREG(inode->mode) || (inode->mode & S_ISUID) ||
	    (inode->mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) ||
	    inode_permission(inode, MAY_READ | MAY_WRITE))
		return -EPERM;
	return 0;
}

int vfs_link(const struct path *from, int dirfd, const char *name)
{
	struct inode *inode = from->dentry->inode, *dir;
	struct walk w;
	struct dentry *d;
	int ret = begin_create(&w, dirfd, name, false, &d);

	if (ret)
		return ret;
	dir = w.path.dentry->inode;
	ret = from->mnt != w.path.mnt ? -EXDEV : may_link(inode);
	if (!ret)
		ret = may_create(dir);
	if (!ret && inode->sb != dir->sb)
		ret = -EXDEV;
	if (!ret && (!dir->ops->link || S_ISDIR(inode->mode)))
		ret = -EPERM;
	if (ret)
		goto out;
	mutex_lock(&inode->lock);
	if (!inode->nlink && !(inode->flags & INODE_LINKABLE))
		ret = -ENOENT;
	else
		ret = dir->ops->link(dir, &w.last, inode);
	if (!ret)
		atomic_and(&inode->flags, ~(u32)INODE_LINKABLE);
	mutex_unlock(&inode->lock);
	if (!ret) {
		inode_get(inode);
		dentry_instantiate(d, inode);
		notify_inode(inode, IN_ATTRIB);
		notify_dir(dir, &w.last, inode, IN_CREATE, 0);
	}
out:
	end_create(&w, d);
	return ret;
}

/* ---- removing ---- */

static int remove_locked(struct walk *w, struct dentry *d, bool isdir)
{
	struct inode *dir = w->path.dentry->inode, *inode = d->inode;
	int ret;

	if (!inode)
		return -ENOENT;
	if (w->slash && !isdir)
		return S_ISDIR(inode->mode) ? -EISDIR : -ENOTDIR;
	ret = may_delete(dir, d, isdir);
	if (ret)
		return ret;
	if (isdir ? !dir->ops->rmdir : !dir->ops->unlink)
		return -EPERM;
	mutex_lock(&inode->lock);
	ret = isdir ? dir->ops->rmdir(dir, &w->last, inode) : dir->ops->unlink(dir, &w->last, inode);
	if (!ret && isdir)
		atomic_or(&inode->flags, (u32)INODE_DEAD);
	mutex_unlock(&inode->lock);
	if (ret)
		return ret;
	if (!isdir)
		notify_inode(inode, IN_ATTRIB);
	notify_dir(dir, &w->last, inode, IN_DELETE | (isdir ? IN_ISDIR : 0), 0);
	dentry_deleted(d);
	notify_unlinked(inode);
	return 0;
}

static int remove_name(int dirfd, const char *name, bool isdir)
{
	struct walk w;
	struct inode *dir;
	struct dentry *d;
	int ret = walk_begin(&w, dirfd, name, 0);

	if (ret)
		return ret;
	ret = walk_parent(&w, name);
	if (!ret && w.last_type != LAST_NORM) {
		if (!isdir)
			ret = -EISDIR;
		else
			ret = w.last_type == LAST_DOT ? -EINVAL : w.last_type == LAST_DOTDOT ? -ENOTEMPTY : -EBUSY;
	}
	if (!ret && w.last.len > NAME_MAX)
		ret = -ENAMETOOLONG;
	if (!ret)
		ret = mount_writable(w.path.mnt);
	if (ret)
		goto out;
	dir = w.path.dentry->inode;
	mutex_lock(&dir->lock);
	d = dentry_lookup_locked(w.path.dentry, &w.last);
	ret = IS_ERR(d) ? (int)PTR_ERR(d) : remove_locked(&w, d, isdir);
	mutex_unlock(&dir->lock);
	/* After the lock: this may free the whole file. */
	if (!IS_ERR(d))
		dentry_put(d);
out:
	walk_end(&w);
	return ret;
}

int vfs_unlink(int dirfd, const char *name)
{
	return remove_name(dirfd, name, false);
}

int vfs_rmdir(int dirfd, const char *name)
{
	return remove_name(dirfd, name, true);
}

ssize_t vfs_readlink(const struct path *p, char *buf, size_t size)
{
	struct inode *inode = p->dentry->inode;

	if (!S_ISLNK(inode->mode) || !inode->ops || !inode->ops->readlink)
		return -EINVAL;
	inode_accessed(inode, p->mnt, 0);
	return inode->ops->readlink(inode, buf, size);
}
