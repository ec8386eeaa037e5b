// SPDX-License-Identifier: MIT
/* Files in memory: inodes and directories. What is in regular files is memfs_file.c's. */
#include "fs/memfs.h"

#include "base/string.h"
#include "fs/xattr.h"
#include "mm/kmalloc.h"

/* ---- entries ---- */

static int name_cmp(const struct qstr *a, const struct memfs_dirent *e)
{
	if (a->hash != e->hash)
		return a->hash < e->hash ? -1 : 1;
	if (a->len != e->len)
		return a->len < e->len ? -1 : 1;
	return memcmp(a->name, e->name, a->len);
}

struct memfs_dirent *memfs_find(struct inode *dir, const struct qstr *name)
{
	struct rb_node *n = memfs_dir(dir)->names.node;

	while (n) {
		struct memfs_dirent *e = rb_entry(n, struct memfs_dirent, by_name);
		int cmp = name_cmp(name, e);

		if (!cmp)
			return e;
		n = cmp < 0 ? n->left : n->right;
	}
	return NULL;
}

static void link_by_name(struct memfs_dir *d, struct memfs_dirent *e)
{
	struct rb_node **link = &d->names.node, *parent = NULL;
	struct qstr name = { e->name, e->len, e->hash };

	while (*link) {
		parent = *link;
		link = name_cmp(&name, rb_entry(parent, struct memfs_dirent, by_name)) < 0 ? &parent->left :
											      &parent->right;
	}
	rb_insert(&d->names, &e->by_name, parent, link);
}

/* Numbers only grow, so the new one goes to the far right. */
static void link_by_pos(struct memfs_dir *d, struct memfs_dirent *e)
{
	struct rb_node **link = &d->positions.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = &parent->right;
	}
	rb_insert(&d->positions, &e->by_pos, parent, link);
}

struct memfs_dirent *memfs_add(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	struct memfs_dir *d = memfs_dir(dir);
	struct memfs_dirent *e = kmalloc(sizeof(*e) + name->len + 1);

	if (!e)
		return NULL;
	e->inode = inode;
	e->hash = name->hash;
	e->len = (u16)name->len;
	e->hides = false;
	memcpy(e->name, name->name, name->len);
	e->name[name->len] = '\0';
	e->pos = d->next_pos++;
	list_init(&e->work);
	link_by_name(d, e);
	link_by_pos(d, e);
	if (inode) {
		d->nr++;
		dir->size += MEMFS_DIRENT_SIZE;
	}
	return e;
}

struct inode *memfs_del(struct inode *dir, struct memfs_dirent *e)
{
	struct memfs_dir *d = memfs_dir(dir);
	struct inode *inode = e->inode;

	rb_erase(&d->names, &e->by_name);
	rb_erase(&d->positions, &e->by_pos);
	if (inode) {
		d->nr--;
		dir->size -= MEMFS_DIRENT_SIZE;
	}
	kfree(e);
	return inode;
}

struct memfs_dirent *memfs_first_at(struct inode *dir, u64 pos)
{
	struct rb_node *n = memfs_dir(dir)->positions.node;
	struct memfs_dirent *best = NULL;

	while (n) {
		struct memfs_dirent *e = rb_entry(n, struct memfs_dirent, by_pos);

		if (e->pos >= pos) {
			best = e;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

/* ---- inodes ---- */

static const struct inode_ops memfs_special_ops = {
	.setattr = memfs_setattr,
};

int memfs_init_inode(struct inode *inode, const struct new_inode *n)
{
	struct memfs_dir *d;

	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		inode->ops = &memfs_file_inode_ops;
		inode->fops = &memfs_file_ops;
		return 0;
	case S_IFDIR:
		d = kzalloc(sizeof(*d));
		if (!d)
			return -ENOMEM;
		d->next_pos = 2;
		inode->priv = d;
		inode->nlink = 2;
		inode->ops = &memfs_dir_ops;
		inode->fops = &memfs_dir_file_ops;
		return 0;
	case S_IFLNK:
		inode->ops = &memfs_symlink_ops;
		inode->size = strlen(n->target);
		inode->priv = kstrdup(n->target);
		return inode->priv ? 0 : -ENOMEM;
	default:
		inode->ops = &memfs_special_ops;
		inode->rdev = n->rdev;
		return 0;
	}
}

struct inode *memfs_new_inode(struct super *sb, const struct new_inode *n)
{
	struct inode *inode = inode_alloc(sb, n->mode, 0);

	if (!inode)
		return NULL;
	inode->uid = n->uid;
	inode->gid = n->gid;
	if (memfs_init_inode(inode, n)) {
		inode_put(inode);
		return NULL;
	}
	return inode;
}

/* Moves all entries of @d to the list. */
static void take_entries(struct memfs_dir *d, struct list *work)
{
	struct rb_node *n;

	while ((n = rb_first(&d->positions))) {
		struct memfs_dirent *e = rb_entry(n, struct memfs_dirent, by_pos);

		rb_erase(&d->positions, n);
		list_add_tail(&e->work, work);
	}
	d->names.node = NULL;
	d->nr = 0;
}

/*
 * A directory that still has entries goes when its file system is unmounted. Its tree is taken apart by a list, not by
 * recursion: programs make trees that are deeper than our stack.
 */
void memfs_evict(struct inode *inode)
{
	LIST_HEAD(work);

	memfs_unaccount(inode);
	if (S_ISDIR(inode->mode) && inode->priv) {
		take_entries(inode->priv, &work);
		while (!list_empty(&work)) {
			struct memfs_dirent *e = list_first(&work, struct memfs_dirent, work);
			struct inode *child = e->inode;

			list_del(&e->work);
			kfree(e);
			if (child && S_ISDIR(child->mode) && child->priv && ref_read(&child->ref) == 1)
				take_entries(child->priv, &work);
			inode_put(child);
		}
	}
	if (S_ISDIR(inode->mode) || S_ISLNK(inode->mode))
		kfree(inode->priv);
	inode->priv = NULL;
}

int memfs_statfs(struct super *sb, struct kstatfs *st)
{
	u64 total = ram_total() / PAGE_SIZE, used = ram_used() / PAGE_SIZE;

	st->blocks = total;
	st->bfree = st->bavail = total > used ? total - used : 0;
	st->files = total;
	st->ffree = total > sb->nr_inodes ? total - sb->nr_inodes : 0;
	memfs_limit_statfs(sb, st);
	return 0;
}

/* ---- directory operations; the directory's lock is held ---- */

struct inode *memfs_lookup(struct inode *dir, const struct qstr *name)
{
	struct memfs_dirent *e = memfs_find(dir, name);

	if (!e || !e->inode)
		return ERR_PTR(-ENOENT);
	inode_get(e->inode);
	return e->inode;
}

struct inode *memfs_create(struct inode *dir, const struct qstr *name, const struct new_inode *n)
{
	struct inode *inode = memfs_new_inode(dir->sb, n);

	if (!inode)
		return ERR_PTR(-ENOSPC);
	inode_get(inode);
	if (!memfs_add(dir, name, inode)) {
		inode_put(inode);
		inode_put(inode);
		return ERR_PTR(-ENOSPC);
	}
	if (S_ISDIR(n->mode)) {
		memfs_dir(inode)->parent = dir;
		dir->nlink++;
	}
	inode_touch(dir);
	return inode;
}

struct inode *memfs_tmpfile(struct inode *dir, const struct new_inode *n)
{
	struct inode *inode = memfs_new_inode(dir->sb, n);

	if (!inode)
		return ERR_PTR(-ENOSPC);
	inode->nlink = 0;
	return inode;
}

int memfs_link(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	if (inode->nlink == INT32_MAX)
		return -EMLINK;
	if (!memfs_add(dir, name, inode))
		return -ENOSPC;
	inode_get(inode);
	inode->nlink++;
	inode_touch_ctime(inode);
	inode_touch(dir);
	return 0;
}

int memfs_unlink(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	struct memfs_dirent *e = memfs_find(dir, name);

	if (!e || e->inode != inode)
		return -ENOENT;
	inode->nlink--;
	inode_touch(dir);
	inode->ctime = dir->ctime;
	/* The caller's dentry still holds it. */
	inode_put(memfs_del(dir, e));
	return 0;
}

int memfs_rmdir(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	struct memfs_dirent *e = memfs_find(dir, name);

	if (!e || e->inode != inode)
		return -ENOENT;
	if (memfs_dir(inode)->nr)
		return -ENOTEMPTY;
	inode->nlink = 0;
	memfs_dir(inode)->parent = NULL;
	dir->nlink--;
	inode_touch(dir);
	inode->ctime = dir->ctime;
	inode_put(memfs_del(dir, e));
	return 0;
}

static void set_parent(struct inode *inode, struct inode *from, struct inode *to)
{
	if (!S_ISDIR(inode->mode))
		return;
	memfs_dir(inode)->parent = to;
	from->nlink--;
	to->nlink++;
}

static int memfs_exchange(struct inode *dir, struct memfs_dirent *e, struct inode *to_dir, struct memfs_dirent *to)
{
	swap(e->inode, to->inode);
	set_parent(to->inode, dir, to_dir);
	set_parent(e->inode, to_dir, dir);
	inode_touch(dir);
	inode_touch(to_dir);
	inode_touch_ctime(e->inode);
	inode_touch_ctime(to->inode);
	return 0;
}

int memfs_rename(struct inode *dir, const struct qstr *name, struct inode *inode, struct inode *to_dir,
		 const struct qstr *to_name, struct inode *target, u32 flags)
{
	struct memfs_dirent *e = memfs_find(dir, name), *to = memfs_find(to_dir, to_name);

	if (!e || e->inode != inode || (target && (!to || to->inode != target)))
		return -ENOENT;
	if (flags & RENAME_EXCHANGE)
		return memfs_exchange(dir, e, to_dir, to);
	if (target && S_ISDIR(target->mode) && memfs_dir(target)->nr)
		return -ENOTEMPTY;
	/* First what may fail. A whiteout under the new name has done its work. */
	if (to && !to->inode)
		memfs_del(to_dir, to);
	else if (to)
		to->inode = inode;
	if (!target && !memfs_add(to_dir, to_name, inode))
		return -ENOSPC;
	if (target) {
		if (S_ISDIR(target->mode)) {
			target->nlink = 0;
			memfs_dir(target)->parent = NULL;
			to_dir->nlink--;
		} else {
			target->nlink--;
		}
		inode_touch_ctime(target);
		inode_put(target);
	}
	/* The new entry has the old one's reference. */
	memfs_del(dir, e);
	set_parent(inode, dir, to_dir);
	inode_touch(dir);
	inode_touch(to_dir);
	inode_touch_ctime(inode);
	return 0;
}

ssize_t memfs_readlink(struct inode *inode, char *buf, size_t size)
{
	size_t len = min((size_t)inode->size, size);

	memcpy(buf, inode->priv, len);
	return len;
}

int memfs_setattr(struct inode *inode, const struct iattr *attr)
{
	if ((attr->valid & ATTR_SIZE) && S_ISREG(inode->mode)) {
		int ret = memfs_resize(inode, attr->size);

		if (ret)
			return ret;
	}
	if ((attr->valid & ATTR_MODE) && (inode->seals & F_SEAL_EXEC) && ((attr->mode ^ inode->mode) & S_IXUGO))
		return -EPERM;
	setattr_copy(inode, attr);
	return 0;
}

/* "." and "..", the same for all that have a struct memfs_dir */
int memfs_readdir(struct file *f, struct dir_context *ctx)
{
	struct inode *dir = f->inode, *parent;
	struct memfs_dirent *e;
	struct rb_node *n;

	mutex_lock(&dir->lock);
	parent = memfs_dir(dir)->parent ? memfs_dir(dir)->parent : dir;
	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, 1, dir->ino, DT_DIR))
			goto out;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, 2, parent->ino, DT_DIR))
			goto out;
		ctx->pos = 2;
	}
	e = dir->flags & INODE_DEAD ? NULL : memfs_first_at(dir, (u64)ctx->pos);
	for (; e; e = n ? rb_entry(n, struct memfs_dirent, by_pos) : NULL) {
		n = rb_next(&e->by_pos);
		if (e->inode && !ctx->emit(ctx, e->name, e->len, (pos_t)e->pos + 1, e->inode->ino, mode_to_dt(e->inode->mode)))
			goto out;
		ctx->pos = (pos_t)e->pos + 1;
	}
out:
	mutex_unlock(&dir->lock);
	inode_accessed(dir, f->mount, f->flags);
	return 0;
}

static int memfs_fsync(struct file *f __unused, bool datasync __unused)
{
	return 0;
}

const struct file_ops memfs_dir_file_ops = {
	.name = "dir",
	.seek = sizeless_seek,
	.readdir = memfs_readdir,
	.fsync = memfs_fsync,
};

const struct inode_ops memfs_dir_ops = {
	.lookup = memfs_lookup,
	.create = memfs_create,
	.tmpfile = memfs_tmpfile,
	.link = memfs_link,
	.unlink = memfs_unlink,
	.rmdir = memfs_rmdir,
	.rename = memfs_rename,
	.setattr = memfs_setattr,
};

const struct inode_ops memfs_symlink_ops = {
	.readlink = memfs_readlink,
	.setattr = memfs_setattr,
};

/* ---- supers ---- */

const struct super_ops memfs_super_ops = {
	.statfs = memfs_statfs,
	.evict = memfs_evict,
	.put = memfs_limit_free,
};

struct super *memfs_super(const char *type, u32 root_mode)
{
	struct super *sb = super_alloc(type, &memfs_super_ops, SB_XATTR, TMPFS_MAGIC);
	struct new_inode n = { .mode = S_IFDIR | root_mode };

	if (!sb)
		return NULL;
	sb->root = memfs_new_inode(sb, &n);
	if (!sb->root) {
		super_put(sb);
		return NULL;
	}
	return sb;
}
