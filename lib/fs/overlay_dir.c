// SPDX-License-Identifier: MIT
/*
 * Directories of the overlay: looking up, making, removing, renaming, listing. All of them, also those that were made here, for they
 * may come to hold what has a lower half.
 */
#include "fs/overlay_internal.h"

#include "base/string.h"
#include "mm/kmalloc.h"

static struct inode *ovl_lookup(struct inode *dir, const struct qstr *name)
{
	struct overlay *o = overlay_of(dir);
	struct memfs_dirent *e;
	struct inode *found = NULL;

	mutex_lock(&o->lock);
	e = memfs_find(dir, name);
	if (e && e->inode) {
		found = e->inode;
		inode_get(found);
	}
	mutex_unlock(&o->lock);
	if (e)
		return found ? found : ERR_PTR(-ENOENT);
	found = ovl_lower_lookup(dir, name);
	return IS_ERR(found) ? found : ovl_inode(dir, name, found);
}

/* ---- entries; overlay.lock held ---- */

/* The name is @inode's (whose reference is taken over on success). Return: 0, -ENOSPC */
static int entry_set(struct inode *dir, const struct qstr *name, struct inode *inode, bool hides)
{
	struct memfs_dirent *e = memfs_find(dir, name);

	if (!e) {
		e = memfs_add(dir, name, inode);
		if (!e)
			return -ENOSPC;
		e->hides = hides;
		return 0;
	}
	e->inode = inode;	/* over a whiteout */
	memfs_dir(dir)->nr++;
	dir->size += MEMFS_DIRENT_SIZE;
	return 0;
}

/* The name is gone: a whiteout where something lies below. Return: 0 and the entry's reference (or NULL) in *put; -ENOSPC */
static int entry_unset(struct inode *dir, const struct qstr *name, struct inode **put)
{
	struct memfs_dirent *e = memfs_find(dir, name);

	*put = NULL;
	if (!e) {
		e = memfs_add(dir, name, NULL);
		if (!e)
			return -ENOSPC;
		e->hides = true;
		return 0;
	}
	if (!e->hides) {
		*put = memfs_del(dir, e);
		return 0;
	}
	*put = e->inode;
	e->inode = NULL;
	memfs_dir(dir)->nr--;
	dir->size -= MEMFS_DIRENT_SIZE;
	return 0;
}

/* ---- making ---- */


static struct inode *ovl_create(struct inode *dir, const struct qstr *name, const struct new_inode *n)
{
	struct overlay *o = overlay_of(dir);
	struct inode *inode = memfs_new_inode(dir->sb, n);
	int ret;

	if (!inode)
		return ERR_PTR(-ENOSPC);
	if (S_ISDIR(n->mode)) {
		inode->ops = &ovl_dir_ops;
		inode->fops = &ovl_dir_file_ops;
	}
	inode_get(inode);
	mutex_lock(&o->lock);
	ret = ovl_link_locked(dir);
	if (!ret)
		ret = entry_set(dir, name, inode, false);
	mutex_unlock(&o->lock);
	if (ret) {
		inode_put(inode);
		inode_put(inode);
		return ERR_PTR(ret);
	}
	if (S_ISDIR(n->mode)) {
		memfs_dir(inode)->parent = dir;
		dir->nlink++;
	}
	inode_touch(dir);
	return inode;
}

int overlay_hide(struct inode *dir, const struct qstr *name)
{
	struct inode *lower = dir->ops == &ovl_dir_ops ? ovl_lower_lookup(dir, name) : ERR_PTR(-ENOENT), *put = NULL;
	struct memfs_dirent *e;
	int ret = 0;

	if (dir->ops != &ovl_dir_ops && dir->ops != &memfs_dir_ops)
		return 0;
	mutex_lock(&dir->lock);
	if (dir->ops == &ovl_dir_ops)
		mutex_lock(&overlay_of(dir)->lock);
	e = memfs_find(dir, name);
	if (!IS_ERR(lower)) {
		ret = ovl_link_locked(dir);
		if (!ret && e)
			e->hides = true;
		if (!ret && (!e || e->inode))
			ret = entry_unset(dir, name, &put);
	} else if (e && e->inode) {
		put = memfs_del(dir, e);
	}
	if (put && S_ISDIR(put->mode)) {
		memfs_dir(put)->parent = NULL;
		dir->nlink--;
	}
	if (dir->ops == &ovl_dir_ops)
		mutex_unlock(&overlay_of(dir)->lock);
	mutex_unlock(&dir->lock);
	if (!IS_ERR(lower))
		inode_put(lower);
	inode_put(put);
	return ret;
}

int overlay_make_dir(struct super *sb, const char *name, u32 mode)
{
	const struct new_inode n = { .mode = S_IFDIR | mode };
	const u32 len = (u32)strlen(name);
	const struct qstr q = { name, len, qstr_hash(name, len) };
	struct inode *made;

	mutex_lock(&sb->root->lock);
	made = ovl_create(sb->root, &q, &n);
	mutex_unlock(&sb->root->lock);
	if (IS_ERR(made))
		return (int)PTR_ERR(made);
	inode_put(made);
	return 0;
}

static int ovl_link_name(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	struct overlay *o = overlay_of(dir);
	int ret;

	if (inode->nlink == INT32_MAX)
		return -EMLINK;
	mutex_lock(&o->lock);
	ret = ovl_link_locked(dir);
	if (!ret)
		ret = ovl_link_locked(inode);
	if (!ret) {
		inode_get(inode);
		ret = entry_set(dir, name, inode, false);
		if (ret)
			inode_put(inode);	/* not the last one */
	}
	mutex_unlock(&o->lock);
	if (ret)
		return ret;
	inode->nlink++;
	inode_touch_ctime(inode);
	inode_touch(dir);
	return 0;
}

/* ---- removing ---- */

struct emptiness {
	struct dir_context ctx;
	struct inode *dir;
	bool empty;
};

/* A lower name counts unless it is whited out. */
static bool check_name(struct dir_context *ctx, const char *name, size_t len, pos_t next __unused, u64 ino __unused, u8 type __unused)
{
	struct emptiness *c = container_of(ctx, struct emptiness, ctx);
	struct qstr q = { name, (u32)len, qstr_hash(name, (u32)len) };
	bool hidden;

	if (len <= 2 && name[0] == '.' && (len == 1 || name[1] == '.'))
		return true;
	mutex_lock(&overlay_of(c->dir)->lock);
	hidden = memfs_find(c->dir, &q);
	mutex_unlock(&overlay_of(c->dir)->lock);
	c->empty &= hidden;
	return hidden;
}

/* @dir is locked. Return: 0, -ENOTEMPTY, an error of the lower file system */
static int check_empty(struct inode *dir)
{
	struct emptiness c = { .ctx.emit = check_name, .dir = dir, .empty = true };
	struct inode *lower = ovl_lower(dir);
	struct file *f;
	pos_t before;
	int ret = 0;

	if (memfs_dir(dir)->nr)
		return -ENOTEMPTY;
	if (!lower)
		return 0;
	f = inode_open(lower, O_RDONLY | O_DIRECTORY);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	do {
		before = c.ctx.pos;
		ret = f->ops->readdir ? f->ops->readdir(f, &c.ctx) : -ENOTDIR;
	} while (!ret && c.empty && c.ctx.pos != before);
	file_put(f);
	return ret ? ret : c.empty ? 0 : -ENOTEMPTY;
}

static int remove_entry(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	struct overlay *o = overlay_of(dir);
	struct inode *put = NULL, *parent = NULL;
	int ret;

	mutex_lock(&o->lock);
	ret = ovl_link_locked(dir);
	if (!ret)
		ret = entry_unset(dir, name, &put);
	if (!ret) {
		if (S_ISDIR(inode->mode)) {
			inode->nlink = 0;
			memfs_dir(inode)->parent = NULL;
			dir->nlink--;
		} else {
			inode->nlink--;
		}
		parent = ovl_orphan(inode);
	}
	mutex_unlock(&o->lock);
	if (ret)
		return ret;
	inode_touch(dir);
	inode->ctime = dir->ctime;
	/* The caller's dentry still holds it, and the caller its directory. */
	inode_put(put);
	inode_put(parent);
	inode_put(ovl_unpin(inode));
	return 0;
}

static int ovl_unlink(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	return remove_entry(dir, name, inode);
}

static int ovl_rmdir(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	int ret = check_empty(inode);

	return ret ? ret : remove_entry(dir, name, inode);
}

/* ---- renaming ---- */

static void move_dir(struct inode *inode, struct inode *from, struct inode *to)
{
	if (!S_ISDIR(inode->mode))
		return;
	memfs_dir(inode)->parent = to;
	from->nlink--;
	to->nlink++;
}

/*
 * overlay.lock held, both directories and what moves are ours. A name that only the table of links leads to gets an entry first: so
 * both names have one where something is there.
 */
static int ensure_entry(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	int ret;

	if (memfs_find(dir, name))
		return 0;
	inode_get(inode);
	ret = entry_set(dir, name, inode, true);
	if (ret)
		inode_put(inode);
	return ret;
}

static int rename_locked(struct inode *dir, const struct qstr *name, struct inode *inode, struct inode *to_dir,
			 const struct qstr *to_name, struct inode *target, u32 flags, struct inode **put)
{
	struct memfs_dirent *e, *to;
	struct inode *none;
	int ret = ovl_link_locked(dir);

	if (!ret)
		ret = ovl_link_locked(to_dir);
	if (!ret)
		ret = ovl_link_locked(inode);
	if (!ret && target)
		ret = ovl_link_locked(target);
	if (!ret)
		ret = ensure_entry(dir, name, inode);
	if (!ret && target)
		ret = ensure_entry(to_dir, to_name, target);
	if (ret)
		return ret;
	if (flags & RENAME_EXCHANGE) {
		e = memfs_find(dir, name);
		to = memfs_find(to_dir, to_name);
		swap(e->inode, to->inode);
		move_dir(inode, dir, to_dir);
		move_dir(target, to_dir, dir);
		return 0;
	}
	inode_get(inode);
	if (target) {
		to = memfs_find(to_dir, to_name);
		*put = to->inode;
		to->inode = inode;
		if (S_ISDIR(target->mode)) {
			target->nlink = 0;
			memfs_dir(target)->parent = NULL;
			to_dir->nlink--;
		} else {
			target->nlink--;
		}
	} else {
		ret = entry_set(to_dir, to_name, inode, false);
		if (ret) {
			inode_put(inode);
			return ret;
		}
	}
	/* It has an entry, so this needs no memory; the new name keeps the inode. */
	(void)entry_unset(dir, name, &none);
	inode_put(none);
	move_dir(inode, dir, to_dir);
	return 0;
}

static int ovl_rename(struct inode *dir, const struct qstr *name, struct inode *inode, struct inode *to_dir,
		      const struct qstr *to_name, struct inode *target, u32 flags)
{
	struct overlay *o = overlay_of(dir);
	struct inode *put = NULL;
	int ret = 0;

	if (target && S_ISDIR(target->mode) && !(flags & RENAME_EXCHANGE))
		ret = check_empty(target);
	if (ret)
		return ret;
	mutex_lock(&o->lock);
	ret = rename_locked(dir, name, inode, to_dir, to_name, target, flags, &put);
	mutex_unlock(&o->lock);
	if (ret)
		return ret;
	inode_touch(dir);
	inode_touch(to_dir);
	inode_touch_ctime(inode);
	if (target)
		inode_touch_ctime(target);
	inode_put(put);
	if (target && !(flags & RENAME_EXCHANGE))
		inode_put(ovl_unpin(target));
	return 0;
}

static struct inode *ovl_tmpfile(struct inode *dir, const struct new_inode *n)
{
	return memfs_tmpfile(dir, n);
}

const struct inode_ops ovl_dir_ops = {
	.lookup = ovl_lookup,
	.create = ovl_create,
	.tmpfile = ovl_tmpfile,
	.link = ovl_link_name,
	.unlink = ovl_unlink,
	.rmdir = ovl_rmdir,
	.rename = ovl_rename,
	.refresh = ovl_refresh,
	.getattr = ovl_dir_getattr,
	.setattr = ovl_setattr,
	.setxattr = ovl_setxattr,
	.removexattr = ovl_removexattr,
};
