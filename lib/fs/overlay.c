// SPDX-License-Identifier: MIT
/* The overlay's inodes: how they are found, made ours, and freed. */
#include "fs/overlay_internal.h"

#include "base/string.h"
#include "fs/xattr.h"
#include "mm/kmalloc.h"

#define OVERLAYFS_MAGIC 0x794c7630

struct ovl_node *ovl_node(const struct inode *inode)
{
	if (S_ISDIR(inode->mode))
		return memfs_dir(inode)->overlay;
	if (inode->ops == &ovl_file_inode_ops || inode->ops == &ovl_link_ops || inode->ops == &ovl_special_ops)
		return inode->priv;
	return NULL;
}

/* ---- the table; overlay.lock held ---- */

static void table_insert(struct overlay *o, struct ovl_node *n)
{
	struct rb_node **link = &o->nodes.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = n->lower->ino < rb_entry(parent, struct ovl_node, rb)->lower->ino ? &parent->left : &parent->right;
	}
	rb_insert(&o->nodes, &n->rb, parent, link);
	n->in_table = true;
}

static void table_remove(struct overlay *o, struct ovl_node *n)
{
	if (n->in_table)
		rb_erase(&o->nodes, &n->rb);
	n->in_table = false;
}

static struct ovl_node *table_first(struct overlay *o, u64 ino)
{
	struct rb_node *r = o->nodes.node;
	struct ovl_node *best = NULL;

	while (r) {
		struct ovl_node *n = rb_entry(r, struct ovl_node, rb);

		if (n->lower->ino >= ino) {
			best = n->lower->ino == ino ? n : best;
			r = r->left;
		} else {
			r = r->right;
		}
	}
	return best;
}

/*
 * The inode that stands for @lower already: any with several links is the same under each name; else it must be the one that was found
 * here, for a tree may show one thing in two places.
 */
static struct inode *table_find(struct overlay *o, const struct inode *lower, const struct inode *dir, const struct qstr *name)
{
	struct ovl_node *n = table_first(o, lower->ino);

	while (n && n->lower->ino == lower->ino) {
		struct rb_node *next = rb_next(&n->rb);
		bool same = n->lower == lower;

		if (same && n->parent)
			same = n->parent == dir && strlen(n->name) == name->len && !memcmp(n->name, name->name, name->len);
		else if (same)
			same = !o->separate && !S_ISDIR(lower->mode) && lower->nlink > 1;
		if (same && ref_tryget(&n->inode->ref))
			return n->inode;
		n = next ? rb_entry(next, struct ovl_node, rb) : NULL;
	}
	return NULL;
}

/* ---- inodes ---- */

static void copy_attrs(struct inode *inode, const struct inode *lower)
{
	inode->mode = lower->mode;
	inode->uid = lower->uid;
	inode->gid = lower->gid;
	inode->size = lower->size;
	inode->blocks = lower->blocks;
	inode->atime = lower->atime;
	inode->mtime = lower->mtime;
	inode->ctime = lower->ctime;
	inode->btime = lower->btime;
}

static struct ovl_node *node_new(struct inode *inode, struct inode *lower, struct inode *dir, const struct qstr *name)
{
	struct ovl_node *n = kzalloc(sizeof(*n));

	if (!n)
		return NULL;
	n->inode = inode;
	n->lower = lower;
	mutex_init(&n->up_lock);
	if (!dir) {
		n->linked = true;	/* the root */
	} else if (S_ISDIR(lower->mode) || lower->nlink <= 1 || overlay_of(inode)->separate) {
		n->name = kstrndup(name->name, name->len);
		if (!n->name) {
			kfree(n);
			return NULL;
		}
		inode_get(dir);
		n->parent = dir;
	}
	return n;
}

static struct inode *inode_new(struct super *sb, struct inode *dir, const struct qstr *name, struct inode *lower)
{
	struct inode *inode = inode_alloc(sb, lower->mode, lower->ino);
	struct memfs_dir *d = NULL;
	struct ovl_node *n;

	if (!inode)
		return NULL;
	copy_attrs(inode, lower);
	inode->rdev = lower->rdev;
	inode->nlink = lower->nlink;
	if (S_ISDIR(lower->mode)) {
		d = kzalloc(sizeof(*d));
		if (!d)
			goto err_put;
		d->next_pos = 2;
		d->parent = dir;
		inode->priv = d;
		inode->nlink = OVERLAY_DIR_NLINK;
	}
	n = node_new(inode, lower, dir, name);
	if (!n)
		goto err_put;
	if (d) {
		d->overlay = n;
		inode->ops = &ovl_dir_ops;
		inode->fops = &ovl_dir_file_ops;
	} else {
		inode->priv = n;
		inode->ops = S_ISREG(lower->mode) ? &ovl_file_inode_ops :
			     S_ISLNK(lower->mode) ? &ovl_link_ops : &ovl_special_ops;
	}
	return inode;
err_put:
	inode_put(inode);
	return NULL;
}

struct inode *ovl_inode(struct inode *dir, const struct qstr *name, struct inode *lower)
{
	struct overlay *o = overlay_of(dir);
	struct inode *inode, *new;

	mutex_lock(&o->lock);
	inode = table_find(o, lower, dir, name);
	mutex_unlock(&o->lock);
	if (inode) {
		inode_put(lower);
		return inode;
	}
	new = inode_new(dir->sb, dir, name, lower);
	if (!new) {
		inode_put(lower);
		return ERR_PTR(-ENOMEM);
	}
	mutex_lock(&o->lock);
	/* Another link to it may have been looked up in another directory meanwhile. */
	inode = table_find(o, lower, dir, name);
	if (!inode)
		table_insert(o, ovl_node(new));
	mutex_unlock(&o->lock);
	if (!inode)
		return new;
	inode_put(new);
	return inode;
}

struct inode *ovl_lower_lookup(struct inode *dir, const struct qstr *name)
{
	struct inode *lower = ovl_lower(dir), *found;

	if (!lower)
		return ERR_PTR(-ENOENT);
	mutex_lock(&lower->lock);
	found = lower->ops->lookup(lower, name);
	mutex_unlock(&lower->lock);
	return found;
}

/*
 * Puts the directories that freed nodes were found in. Such a directory may be kept by nothing else, and so may the one above it: they
 * go one after the other through a list, not by recursion, for a tree can be deeper than our stack.
 */
static void put_parents(struct overlay *o, struct ovl_node *n)
{
	mutex_lock(&o->lock);
	n->next_free = o->free;
	o->free = n;
	if (o->freeing) {
		mutex_unlock(&o->lock);
		return;
	}
	o->freeing = true;
	while ((n = o->free)) {
		o->free = n->next_free;
		mutex_unlock(&o->lock);
		inode_put(n->parent);
		kfree(n);
		mutex_lock(&o->lock);
	}
	o->freeing = false;
	mutex_unlock(&o->lock);
}

static void ovl_evict(struct inode *inode)
{
	struct ovl_node *n = inode->priv ? ovl_node(inode) : NULL;
	struct overlay *o = overlay_of(inode);

	if (n) {
		mutex_lock(&o->lock);
		table_remove(o, n);
		mutex_unlock(&o->lock);
		inode_put(n->lower);
		kfree(n->name);
		if (!S_ISDIR(inode->mode))
			inode->priv = NULL;
	}
	memfs_evict(inode);
	if (n)
		put_parents(o, n);
}

/* ---- making it ours ---- */

int ovl_link_locked(struct inode *inode)
{
	for (;;) {
		struct ovl_node *n = ovl_node(inode), *up;
		struct inode *parent;
		struct memfs_dirent *e;
		struct qstr name;

		if (!n || n->linked)
			return 0;
		if (!n->parent) {
			/* One of several lower links: the table keeps it for all of them. */
			inode_get(inode);
			n->pinned = true;
			store_release(&n->linked, true);
			return 0;
		}
		parent = n->parent;
		/* From the top down, so that a failure leaves nothing that cannot be reached: find the highest that is not ours. */
		while ((up = ovl_node(parent)) && !up->linked) {
			n = up;
			parent = n->parent;
		}
		name = (struct qstr){ n->name, (u32)strlen(n->name), 0 };
		name.hash = qstr_hash(name.name, name.len);
		if (memfs_find(parent, &name))
			return -ESTALE;
		inode_get(n->inode);
		e = memfs_add(parent, &name, n->inode);
		if (!e) {
			inode_put(n->inode);
			return -ENOSPC;
		}
		e->hides = true;
		n->parent = NULL;
		kfree(n->name);
		n->name = NULL;
		store_release(&n->linked, true);
		/* Not the last one: its own entry holds it, and whoever walks here holds that. */
		inode_put(parent);
	}
}

int ovl_link(struct inode *inode)
{
	struct ovl_node *n = ovl_node(inode);
	struct overlay *o = overlay_of(inode);
	int ret;

	if (!n || load_acquire(&n->linked))
		return 0;
	mutex_lock(&o->lock);
	ret = ovl_link_locked(inode);
	mutex_unlock(&o->lock);
	return ret;
}

struct inode *ovl_orphan(struct inode *inode)
{
	struct ovl_node *n = ovl_node(inode);
	struct inode *parent;

	if (!n || n->linked)
		return NULL;
	parent = n->parent;
	n->parent = NULL;
	kfree(n->name);
	n->name = NULL;
	/* With other lower links left, only the table leads to it from now on. */
	if (!parent && inode->nlink) {
		inode_get(inode);
		n->pinned = true;
	}
	store_release(&n->linked, true);
	return parent;
}

struct inode *ovl_unpin(struct inode *inode)
{
	struct ovl_node *n = ovl_node(inode);

	if (!n || !n->pinned || inode->nlink)
		return NULL;
	n->pinned = false;
	return inode;
}

/* ---- attributes ---- */

void ovl_copy_attrs(struct inode *inode)
{
	struct ovl_node *n = ovl_node(inode);

	if (n && !load_acquire(&n->linked) && !((inode->mode ^ n->lower->mode) & S_IFMT))
		copy_attrs(inode, n->lower);
}

int ovl_refresh(struct inode *inode)
{
	struct ovl_node *n = ovl_node(inode);
	int ret;

	if (!n || load_acquire(&n->linked))
		return 0;
	ret = inode_refresh(n->lower);
	if (!ret && ((inode->mode ^ n->lower->mode) & S_IFMT))
		ret = -ESTALE;
	if (!ret)
		copy_attrs(inode, n->lower);
	return ret;
}

void ovl_dir_getattr(struct inode *inode, struct kstat *st)
{
	if (ovl_lower(inode))
		st->nlink = 1;
	/* Entries add to what memory knows of; the lower half's size says nothing about the sum. */
	if (ovl_lower(inode) && !st->size)
		st->size = PAGE_SIZE;
}

int ovl_setattr(struct inode *inode, const struct iattr *attr)
{
	struct ovl_node *n = ovl_node(inode);
	int ret = ovl_link(inode);

	if (!ret && n && S_ISREG(inode->mode) && (attr->valid & ATTR_SIZE))
		ret = ovl_copy_data(inode, attr->size);
	return ret ? ret : memfs_setattr(inode, attr);
}

int ovl_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	int ret = ovl_link(inode);

	return ret ? ret : xattrs_set(inode, name, value, size, flags);
}

int ovl_removexattr(struct inode *inode, const char *name)
{
	return xattrs_remove(inode, name);
}

static ssize_t ovl_readlink(struct inode *inode, char *buf, size_t size)
{
	struct inode *lower = ovl_node(inode)->lower;

	return lower->ops->readlink(lower, buf, size);
}

const struct inode_ops ovl_link_ops = {
	.refresh = ovl_refresh, .setattr = ovl_setattr, .readlink = ovl_readlink,
	.setxattr = ovl_setxattr, .removexattr = ovl_removexattr,
};
const struct inode_ops ovl_special_ops = {
	.refresh = ovl_refresh, .setattr = ovl_setattr,
	.setxattr = ovl_setxattr, .removexattr = ovl_removexattr,
};

/* ---- the whole ---- */

/* Inodes that the table alone keeps, for lower names that nobody will look up any more. */
static void ovl_unmounted(struct super *sb)
{
	struct overlay *o = sb->priv;
	struct inode *inode;

	do {
		struct rb_node *r;

		inode = NULL;
		mutex_lock(&o->lock);
		for (r = rb_first(&o->nodes); r && !inode; r = rb_next(r)) {
			struct ovl_node *n = rb_entry(r, struct ovl_node, rb);

			if (n->pinned) {
				n->pinned = false;
				inode = n->inode;
			}
		}
		mutex_unlock(&o->lock);
		inode_put(inode);
	} while (inode);
}

static void ovl_put_super(struct super *sb)
{
	struct overlay *o = sb->priv;

	inode_put(o->lower);
	kfree(o);
}

static const struct super_ops ovl_super_ops = {
	.statfs = memfs_statfs,
	.evict = ovl_evict,
	.unmounted = ovl_unmounted,
	.put = ovl_put_super,
};

void overlay_separate_links(struct super *sb)
{
	if (sb->ops == &ovl_super_ops)
		((struct overlay *)sb->priv)->separate = true;
}

struct super *overlay_super(struct inode *lower)
{
	struct super *sb = super_alloc("overlay", &ovl_super_ops, SB_XATTR, OVERLAYFS_MAGIC);
	struct overlay *o = kzalloc(sizeof(*o));

	if (!sb || !o) {
		kfree(o);
		if (sb)
			kfree(sb);
		return NULL;
	}
	mutex_init(&o->lock);
	inode_get(lower);
	o->lower = lower;
	sb->priv = o;
	sb->next_ino = OVERLAY_FIRST_INO;
	(void)inode_refresh(lower);
	inode_get(lower);
	sb->root = inode_new(sb, NULL, NULL, lower);
	if (!sb->root) {
		inode_put(lower);
		super_put(sb);
		return NULL;
	}
	return sb;
}
