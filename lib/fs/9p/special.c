// SPDX-License-Identifier: MIT
#include "fs/9p/p9.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"

/* As many as one directory may hold; more is ENOSPC. */
#define P9_SPECIALS_MAX	1024u

static struct p9_special *find(struct inode *dir, const struct qstr *name)
{
	struct p9_inode *pi = p9_of(dir);
	struct p9_special *s;

	if (!pi->specials.next)
		return NULL;
	list_for_each(s, &pi->specials, node)
		if (s->len == name->len && !memcmp(s->name, name->name, name->len))
			return s;
	return NULL;
}

struct inode *p9_special_find(struct inode *dir, const struct qstr *name)
{
	struct p9_super *ps = p9_super_of(dir);
	struct p9_special *s;
	struct inode *inode = NULL;

	mutex_lock(&ps->lock);
	s = find(dir, name);
	if (s) {
		inode = s->inode;
		inode_get(inode);
	}
	mutex_unlock(&ps->lock);
	return inode;
}

static struct inode *special_inode(struct inode *dir, const struct new_inode *n)
{
	struct inode *inode = inode_alloc(dir->sb, n->mode, 0);
	struct p9_inode *pi = inode ? kzalloc(sizeof(*pi)) : NULL;

	if (!pi) {
		inode_put(inode);
		return NULL;
	}
	inode->uid = n->uid;
	inode->gid = n->gid;
	inode->ops = &p9_inode_ops;
	inode->priv = pi;
	pi->inode = inode;
	pi->special = true;
	return inode;
}

struct inode *p9_special_create(struct inode *dir, const struct qstr *name, const struct new_inode *n)
{
	struct p9_super *ps = p9_super_of(dir);
	struct p9_inode *pi = p9_of(dir);
	struct p9_special *s = kzalloc(sizeof(*s) + name->len + 1), *other;
	struct inode *inode = s ? special_inode(dir, n) : NULL;
	u32 nr = 0;

	if (!inode) {
		kfree(s);
		return ERR_PTR(-ENOMEM);
	}
	memcpy(s->name, name->name, name->len);
	s->len = name->len;
	s->inode = inode;
	inode_get(inode);
	mutex_lock(&ps->lock);
	if (!pi->specials.next)
		list_init(&pi->specials);
	list_for_each(other, &pi->specials, node) {
		s->pos = other->pos + 1;
		nr++;
	}
	if (nr < P9_SPECIALS_MAX)
		list_add_tail(&s->node, &pi->specials);
	mutex_unlock(&ps->lock);
	if (nr == P9_SPECIALS_MAX) {
		inode_put(inode);
		inode_put(inode);
		kfree(s);
		return ERR_PTR(-ENOSPC);
	}
	/* the directory is kept as long as something is in it: it is found by its name again, and must be the same then */
	inode_get(dir);
	inode_touch(dir);
	return inode;
}

bool p9_special_remove(struct inode *dir, const struct qstr *name)
{
	struct p9_super *ps = p9_super_of(dir);
	struct p9_special *s;

	mutex_lock(&ps->lock);
	s = find(dir, name);
	if (s)
		list_del(&s->node);
	mutex_unlock(&ps->lock);
	if (!s)
		return false;
	s->inode->nlink = 0;
	inode_touch_ctime(s->inode);
	inode_put(s->inode);
	kfree(s);
	inode_touch(dir);
	inode_put(dir);
	return true;
}

/* p9_super.lock held. One that is there still, out of its directory's list. */
static struct p9_special *take_any(struct p9_super *ps, struct inode **dir)
{
	for (u32 b = 0; b <= ps->table_mask; b++) {
		for (struct p9_inode *pi = ps->table[b]; pi; pi = pi->hash_next) {
			struct p9_special *s;

			if (!pi->specials.next || list_empty(&pi->specials))
				continue;
			s = list_first(&pi->specials, struct p9_special, node);
			list_del(&s->node);
			*dir = pi->inode;
			return s;
		}
	}
	return NULL;
}

void p9_special_forget(struct super *sb)
{
	struct p9_super *ps = sb->priv;

	for (;;) {
		struct p9_special *s;
		struct inode *dir;

		mutex_lock(&ps->lock);
		s = take_any(ps, &dir);
		mutex_unlock(&ps->lock);
		if (!s)
			return;
		s->inode->nlink = 0;
		inode_put(s->inode);
		kfree(s);
		inode_put(dir);
	}
}

bool p9_special_emit(struct inode *dir, struct dir_context *ctx, pos_t base)
{
	struct p9_super *ps = p9_super_of(dir);
	struct p9_inode *pi = p9_of(dir);
	struct p9_special *s;
	bool room = true;

	/* names stay while the directory's lock, which readdir holds, keeps remove away; emit() copies to the program */
	mutex_lock(&ps->lock);
	s = pi->specials.next && !list_empty(&pi->specials) ? list_first(&pi->specials, struct p9_special, node) : NULL;
	mutex_unlock(&ps->lock);
	while (s && room) {
		pos_t at = base + (pos_t)s->pos;

		if (at >= ctx->pos) {
			room = ctx->emit(ctx, s->name, s->len, at + 1, s->inode->ino, mode_to_dt(s->inode->mode));
			if (room)
				ctx->pos = at + 1;
		}
		mutex_lock(&ps->lock);
		s = s->node.next == &pi->specials ? NULL : list_next(s, node);
		mutex_unlock(&ps->lock);
	}
	return room;
}
