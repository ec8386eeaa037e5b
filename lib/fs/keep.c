// SPDX-License-Identifier: MIT
/* --keep-changes: what loading and saving share. */
#include "fs/keep_internal.h"

#include "base/printf.h"
#include "base/string.h"
#include "fs/namei.h"
#include "mm/kmalloc.h"

#define LINES	5u

struct keep keep;

int keep_failed(const char *path, const char *name, const char *what, int err)
{
	char shown[120];
	int n = scnprintf(shown, sizeof(shown), "%s%s%s", path, *path ? "/" : "", name);

	for (int i = 0; i < n; i++)
		if (shown[i] < ' ' || shown[i] > '~')
			shown[i] = '?';		/* the line may go to a terminal */
	if (keep.lines++ < LINES)
		kprint("--keep-changes %s: %s: %s (error %d)%s", keep.name, shown, what, -err,
		       keep.lines == LINES ? ", and so may be others" : "");
	return err;
}

/* ---- names ---- */

struct gather {
	struct dir_context ctx;
	struct keep_name *first, **last;
	bool failed;
};

static bool gather_name(struct dir_context *ctx, const char *name, size_t len, pos_t next __unused, u64 ino __unused, u8 type)
{
	struct gather *g = container_of(ctx, struct gather, ctx);
	struct keep_name *n;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	n = kmalloc(sizeof(*n) + len + 1);
	if (!n) {
		g->failed = true;
		return false;
	}
	n->next = NULL;
	n->type = type;
	n->len = (u32)len;
	memcpy(n->s, name, len);
	n->s[len] = '\0';
	*g->last = n;
	g->last = &n->next;
	return true;
}

void keep_names_free(struct keep_name *n)
{
	while (n) {
		struct keep_name *next = n->next;

		kfree(n);
		n = next;
	}
}

int keep_names(struct inode *dir, struct keep_name **out)
{
	struct gather g = { .ctx.emit = gather_name };
	struct file *f = inode_open(dir, O_RDONLY | O_DIRECTORY);
	pos_t before;
	int ret;

	*out = NULL;
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	g.last = &g.first;
	do {
		before = g.ctx.pos;
		ret = f->ops->readdir ? f->ops->readdir(f, &g.ctx) : -ENOTDIR;
	} while (!ret && !g.failed && g.ctx.pos != before);
	file_put(f);
	if (!ret && g.failed)
		ret = -ENOMEM;
	if (ret)
		keep_names_free(g.first);
	else
		*out = g.first;
	return ret;
}

/* ---- the host's directory ---- */

struct inode *keep_find(struct inode *dir, const char *name, size_t len)
{
	struct qstr q = keep_qstr(name, len);
	struct inode *found;

	mutex_lock(&dir->lock);
	found = dir->ops->lookup(dir, &q);
	mutex_unlock(&dir->lock);
	return IS_ERR(found) && PTR_ERR(found) == -ENOENT ? NULL : found;
}

struct inode *keep_make(struct inode *dir, const char *name, size_t len, u32 mode, const char *target)
{
	const struct new_inode n = { .mode = mode, .target = target, .uid = ~0u, .gid = ~0u };
	struct qstr q = keep_qstr(name, len);
	struct inode *made;

	mutex_lock(&dir->lock);
	made = dir->ops->create(dir, &q, &n);
	mutex_unlock(&dir->lock);
	return made;
}

static int remove_one(struct inode *dir, const char *name, size_t len, struct inode *inode)
{
	struct qstr q = keep_qstr(name, len);
	int ret;

	mutex_lock(&dir->lock);
	mutex_lock(&inode->lock);
	ret = S_ISDIR(inode->mode) ? dir->ops->rmdir(dir, &q, inode) : dir->ops->unlink(dir, &q, inode);
	mutex_unlock(&inode->lock);
	mutex_unlock(&dir->lock);
	return ret;
}

/* A directory that is being emptied; the tree may be deeper than our stack. */
struct emptying {
	struct emptying *up;
	struct inode *dir;		/* a reference */
	struct keep_name *names, *at;	/* at: the one that is being removed */
};

static struct emptying *enter(struct emptying *up, struct inode *dir, int *ret)
{
	struct emptying *e = kzalloc(sizeof(*e));

	*ret = e ? keep_names(dir, &e->names) : -ENOMEM;
	if (*ret) {
		kfree(e);
		inode_put(dir);
		return up;
	}
	e->up = up;
	e->dir = dir;
	e->at = e->names;
	return e;
}

static struct emptying *leave(struct emptying *e)
{
	struct emptying *up = e->up;

	inode_put(e->dir);
	keep_names_free(e->names);
	kfree(e);
	return up;
}

int keep_remove(struct inode *dir, const char *name, size_t len)
{
	struct inode *top = keep_find(dir, name, len), *inode;
	struct emptying *e = NULL;
	int ret = 0;

	if (IS_ERR_OR_NULL(top))
		return top ? (int)PTR_ERR(top) : 0;
	inode_get(top);
	if (S_ISDIR(top->mode))
		e = enter(NULL, top, &ret);
	else
		inode_put(top);
	while (e && !ret) {
		if (!e->at) {
			e = leave(e);
			if (!e)
				break;
			inode = keep_find(e->dir, e->at->s, e->at->len);
			if (!IS_ERR_OR_NULL(inode)) {
				ret = remove_one(e->dir, e->at->s, e->at->len, inode);
				inode_put(inode);
			}
			e->at = e->at->next;
			continue;
		}
		inode = keep_find(e->dir, e->at->s, e->at->len);
		if (!IS_ERR_OR_NULL(inode) && S_ISDIR(inode->mode)) {
			e = enter(e, inode, &ret);	/* which has the reference now */
			continue;
		}
		if (IS_ERR(inode))
			ret = (int)PTR_ERR(inode);
		else if (inode)
			ret = remove_one(e->dir, e->at->s, e->at->len, inode);
		if (!IS_ERR(inode))
			inode_put(inode);
		e->at = e->at->next;
	}
	while (e)
		e = leave(e);
	if (!ret)
		ret = remove_one(dir, name, len, top);
	inode_put(top);
	return ret;
}

/* ---- the layer ---- */

int keep_layer(const char *path)
{
	struct path p;
	int ret = path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW, &p);

	if (ret)
		return ret;
	/* else nothing is mounted there, and what is there belongs to another part */
	if (p.dentry == p.mnt->root && keep.nr_layers < KEEP_LAYERS_MAX) {
		super_get(p.mnt->sb);
		keep.layers[keep.nr_layers].sb = p.mnt->sb;
		keep.layers[keep.nr_layers++].path = path;
		overlay_separate_links(p.mnt->sb);
	}
	path_put(&p);
	return 0;
}

/* All that is in @dir and below, as the layer has it, is @flag. Boot made it, so it is no deeper than names in the configuration. */
static void mark_furniture(struct inode *dir)
{
	struct memfs_dirent *e = memfs_first_at(dir, 0);

	while (e) {
		struct rb_node *next = rb_next(&e->by_pos);

		if (e->inode) {
			atomic_or(&e->inode->flags, INODE_FURNITURE);
			if (S_ISDIR(e->inode->mode))
				mark_furniture(e->inode);
		}
		e = next ? rb_entry(next, struct memfs_dirent, by_pos) : NULL;
	}
}

/* What is mounted on belongs to what is mounted there. */
static void mark_covered(void)
{
	struct mount *m = NULL;

	while ((m = mount_next(m)))
		if (m->mountpoint)
			atomic_or(&m->mountpoint->inode->flags, INODE_COVERED);
}

int keep_begin(struct inode *dir, const char *name, u32 uid, u32 gid)
{
	inode_get(dir);
	keep.dir = dir;
	keep.name = name;
	keep.uid = uid;
	keep.gid = gid;
	for (u32 i = 0; i < keep.nr_layers; i++)
		mark_furniture(keep.layers[i].sb->root);
	mark_covered();
	return keep_load();
}
