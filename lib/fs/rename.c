// SPDX-License-Identifier: MIT
/*
 * rename(2), renameat2(2).
 *
 * Renames between two directories happen one at a time, under rename_lock, so that the tree cannot change its shape while we look
 * whether a directory would end up below itself.
 */
#include "base/string.h"
#include "fs/inotify.h"
#include "fs/namei.h"
#include "fs/walk.h"
#include "process/task.h"

static struct mutex rename_lock = MUTEX_INIT;

/* Both directories locked, parent before child. Return: true when rename_lock is held as well. */
static bool lock_dirs(struct dentry *a, struct dentry *b)
{
	if (a == b) {
		mutex_lock(&a->inode->lock);
		return false;
	}
	mutex_lock(&rename_lock);
	if (a->inode == b->inode) {
		mutex_lock(&a->inode->lock);
		return true;
	}
	if (dentry_is_ancestor(b, a))
		swap(a, b);
	mutex_lock(&a->inode->lock);
	mutex_lock(&b->inode->lock);
	return true;
}

static void unlock_dirs(struct dentry *a, struct dentry *b, bool rename_locked)
{
	mutex_unlock(&a->inode->lock);
	if (a->inode != b->inode)
		mutex_unlock(&b->inode->lock);
	if (rename_locked)
		mutex_unlock(&rename_lock);
}

struct rename {
	struct walk from, to;
	struct dentry *d, *target;	/* what moves; what is there already, maybe negative */
	u32 flags;
	bool cross;
};

static int check_shape(struct rename *r)
{
	bool exchange = r->flags & RENAME_EXCHANGE;
	bool isdir;

	if (!r->d->inode || (!r->target->inode && (r->to.path.dentry->sb->flags & SB_NOCREATE)))
		return -ENOENT;
	if ((r->flags & RENAME_NOREPLACE) && r->target->inode)
		return -EEXIST;
	if (exchange && !r->target->inode)
		return -ENOENT;
	isdir = S_ISDIR(r->d->inode->mode);
	if (exchange && !S_ISDIR(r->target->inode->mode) && r->to.slash)
		return -ENOTDIR;
	if (!isdir && (r->from.slash || (!exchange && r->to.slash)))
		return -ENOTDIR;
	/* Only under rename_lock can one directory be above the other; in one directory none is. */
	if (r->cross && dentry_is_ancestor(r->d, r->to.path.dentry))
		return -EINVAL;
	if (r->cross && r->target->inode && dentry_is_ancestor(r->target, r->from.path.dentry))
		return exchange ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_rights(struct rename *r)
{
	struct inode *dir = r->from.path.dentry->inode, *to_dir = r->to.path.dentry->inode;
	struct inode *inode = r->d->inode, *target = r->target->inode;
	bool exchange = r->flags & RENAME_EXCHANGE;
	int ret = may_delete(dir, r->d, S_ISDIR(inode->mode));

	if (!ret && !target)
		ret = may_create(to_dir);
	else if (!ret)
		ret = may_delete(to_dir, r->target, exchange ? S_ISDIR(target->mode) : S_ISDIR(inode->mode));
	if (!ret && !dir->ops->rename)
		ret = -EPERM;
	/* A directory that gets another parent changes its "..". */
	if (!ret && dir != to_dir && S_ISDIR(inode->mode))
		ret = inode_permission(inode, MAY_WRITE);
	if (!ret && dir != to_dir && exchange && S_ISDIR(target->mode))
		ret = inode_permission(target, MAY_WRITE);
	return ret;
}

static void notify_rename(struct rename *r, struct inode *inode, struct inode *target)
{
	struct inode *dir = r->from.path.dentry->inode, *to_dir = r->to.path.dentry->inode;
	u32 cookie, isdir = S_ISDIR(inode->mode) ? IN_ISDIR : 0;

	if (!notify_active())
		return;
	cookie = notify_cookie();
	notify_dir(dir, &r->from.last, inode, IN_MOVED_FROM | isdir, cookie);
	notify_dir(to_dir, &r->to.last, inode, IN_MOVED_TO | isdir, cookie);
	notify_self(inode, IN_MOVE_SELF);
	if (target && (r->flags & RENAME_EXCHANGE)) {
		isdir = S_ISDIR(target->mode) ? IN_ISDIR : 0;
		cookie = notify_cookie();
		notify_dir(to_dir, &r->to.last, target, IN_MOVED_FROM | isdir, cookie);
		notify_dir(dir, &r->from.last, target, IN_MOVED_TO | isdir, cookie);
		notify_self(target, IN_MOVE_SELF);
	} else if (target) {
		notify_inode(target, IN_ATTRIB);
		notify_unlinked(target);
	}
}

/* Both directories locked, both names looked up. */
static int rename_locked(struct rename *r)
{
	struct inode *inode, *target;
	struct dentry_move move;
	bool exchange = r->flags & RENAME_EXCHANGE;
	int ret = check_shape(r);

	if (ret)
		return ret;
	inode = r->d->inode;
	target = r->target->inode;
	if (inode == target)
		return 0;	/* two links to one file: POSIX says do nothing */
	ret = check_rights(r);
	if (!ret)
		ret = dentry_move_prepare(&move, r->d, r->target, exchange);
	if (ret)
		return ret;
	if (target)
		mutex_lock(&target->lock);
	ret = inode->sb != r->to.path.dentry->sb ? -EXDEV :
	      r->from.path.dentry->inode->ops->rename(r->from.path.dentry->inode, &r->from.last, inode,
						      r->to.path.dentry->inode, &r->to.last, target, r->flags);
	if (!ret && target && !exchange && S_ISDIR(target->mode))
		atomic_or(&target->flags, (u32)INODE_DEAD);
	if (target)
		mutex_unlock(&target->lock);
	if (ret) {
		dentry_move_abort(&move);
		return ret;
	}
	if (S_ISDIR(inode->mode) || exchange)
		atomic_add(&vfs_rename_seq, 1u);
	notify_rename(r, inode, target);
	dentry_move(&move, r->d, r->target, exchange);
	return 0;
}

static int find_parent(struct walk *w, int dirfd, const char *name)
{
	int ret = walk_begin(w, dirfd, name, 0);

	if (ret)
		return ret;
	ret = walk_parent(w, name);
	if (ret)
		walk_end(w);
	return ret;
}

static int rename_walked(struct rename *r)
{
	struct dentry *dir = r->from.path.dentry, *to_dir = r->to.path.dentry;
	int ret;

	if (r->from.path.mnt != r->to.path.mnt)
		return -EXDEV;
	if (r->from.last_type != LAST_NORM)
		return -EBUSY;
	if (r->to.last_type != LAST_NORM)
		return r->flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (r->from.last.len > NAME_MAX || r->to.last.len > NAME_MAX)
		return -ENAMETOOLONG;
	ret = mount_writable(r->from.path.mnt);
	if (ret)
		return ret;
	r->cross = lock_dirs(dir, to_dir);
	r->d = dentry_lookup_locked(dir, &r->from.last);
	if (IS_ERR(r->d)) {
		ret = PTR_ERR(r->d);
		r->d = NULL;
		goto out;
	}
	r->target = dentry_lookup_locked(to_dir, &r->to.last);
	if (IS_ERR(r->target)) {
		/* A name that is not there comes before a place that is gone. */
		ret = r->d->inode ? (int)PTR_ERR(r->target) : -ENOENT;
		r->target = NULL;
		goto out;
	}
	ret = rename_locked(r);
out:
	unlock_dirs(dir, to_dir, r->cross);
	dentry_put(r->d);
	dentry_put(r->target);
	return ret;
}

int vfs_rename(int from_dirfd, const char *from, int to_dirfd, const char *to, u32 flags)
{
	struct rename r = { .flags = flags };
	int ret;

	if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) ||
	    ((flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) && (flags & RENAME_EXCHANGE)))
		return -EINVAL;
	if (flags & RENAME_WHITEOUT)
		return cred_has_cap(current && current->cred ? current->cred : &kernel_cred, CAP_MKNOD) ? -EINVAL : -EPERM;
	ret = find_parent(&r.from, from_dirfd, from);
	if (ret)
		return ret;
	ret = find_parent(&r.to, to_dirfd, to);
	if (!ret) {
		ret = rename_walked(&r);
		walk_end(&r.to);
	}
	walk_end(&r.from);
	return ret;
}
