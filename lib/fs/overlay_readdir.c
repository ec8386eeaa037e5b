// SPDX-License-Identifier: MIT
/*
 * Listing a merged directory. The lower names are taken down when the listing begins; each is shown once, at its place among them, if
 * the merged directory has it then, wherever it came from. After them come the upper names that are not among them. So no name is
 * shown twice or missed when something is copied up, removed or made meanwhile.
 */
#include "fs/overlay_internal.h"

#include "base/string.h"
#include "mm/kmalloc.h"

#define POS_FIRST	2
#define POS_UPPER	((pos_t)1 << 40)

struct lower_name {
	struct rb_node by_name;
	u64 ino;
	u32 hash;
	u16 len;
	u8 type;
	char name[];
};

/* f->priv of an open directory with a lower half; guarded by the directory's inode.lock */
struct listing {
	struct dir_context ctx;		/* while it is made */
	struct rb_root names;
	struct lower_name **v;
	u32 nr, room;
	bool made, failed;
};

static int cmp(const struct qstr *a, const struct lower_name *n)
{
	if (a->hash != n->hash)
		return a->hash < n->hash ? -1 : 1;
	if (a->len != n->len)
		return a->len < n->len ? -1 : 1;
	return memcmp(a->name, n->name, a->len);
}

static struct lower_name *find_name(struct listing *l, const struct qstr *name)
{
	struct rb_node *r = l->names.node;

	while (r) {
		struct lower_name *n = rb_entry(r, struct lower_name, by_name);
		int c = cmp(name, n);

		if (!c)
			return n;
		r = c < 0 ? r->left : r->right;
	}
	return NULL;
}

static bool grow(struct listing *l)
{
	u32 room = l->room ? l->room * 2 : 32;
	struct lower_name **v = krealloc(l->v, l->room * sizeof(*v), room * sizeof(*v));

	if (!v)
		return false;
	l->v = v;
	l->room = room;
	return true;
}

static bool add_name(struct dir_context *ctx, const char *name, size_t len, pos_t next __unused, u64 ino, u8 type)
{
	struct listing *l = container_of(ctx, struct listing, ctx);
	struct qstr q = { name, (u32)len, qstr_hash(name, (u32)len) };
	struct rb_node **link = &l->names.node, *parent = NULL;
	struct lower_name *n;

	if ((len <= 2 && name[0] == '.' && (len == 1 || name[1] == '.')) || len > NAME_MAX)
		return true;
	while (*link) {
		int c = cmp(&q, rb_entry(*link, struct lower_name, by_name));

		if (!c)
			return true;	/* the host's listing is not ours to trust */
		parent = *link;
		link = c < 0 ? &parent->left : &parent->right;
	}
	n = l->nr < l->room || grow(l) ? kmalloc(sizeof(*n) + len + 1) : NULL;
	if (!n) {
		l->failed = true;
		return false;
	}
	n->ino = ino;
	n->hash = q.hash;
	n->len = (u16)len;
	n->type = type;
	memcpy(n->name, name, len);
	n->name[len] = '\0';
	rb_insert(&l->names, &n->by_name, parent, link);
	l->v[l->nr++] = n;
	return true;
}

static void listing_clear(struct listing *l)
{
	for (u32 i = 0; i < l->nr; i++)
		kfree(l->v[i]);
	kfree(l->v);
	*l = (struct listing){ .made = false };
}

static int listing_make(struct listing *l, struct inode *lower)
{
	struct file *f = inode_open(lower, O_RDONLY | O_DIRECTORY);
	pos_t before;
	int ret;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	listing_clear(l);
	l->ctx.emit = add_name;
	do {
		before = l->ctx.pos;
		ret = f->ops->readdir ? f->ops->readdir(f, &l->ctx) : -ENOTDIR;
	} while (!ret && !l->failed && l->ctx.pos != before);
	file_put(f);
	if (!ret && l->failed)
		ret = -ENOMEM;
	l->made = !ret;
	return ret;
}

/* Both of these with the directory's lock and overlay.lock. Return: false when the caller's buffer is full */
static bool emit_lower(struct file *f, struct listing *l, struct dir_context *ctx)
{
	struct inode *dir = f->inode;

	for (u32 i = (u32)(ctx->pos - POS_FIRST); i < l->nr; i++) {
		struct lower_name *n = l->v[i];
		struct qstr q = { n->name, n->len, n->hash };
		struct memfs_dirent *e = memfs_find(dir, &q);
		u64 ino = e && e->inode ? e->inode->ino : n->ino;
		u8 type = e && e->inode ? mode_to_dt(e->inode->mode) : n->type;

		if (!(e && !e->inode) && !ctx->emit(ctx, n->name, n->len, POS_FIRST + i + 1, ino, type))
			return false;
		ctx->pos = POS_FIRST + i + 1;
	}
	return true;
}

static bool emit_upper(struct file *f, struct listing *l, struct dir_context *ctx)
{
	struct memfs_dirent *e = memfs_first_at(f->inode, (u64)(ctx->pos - POS_UPPER));

	while (e) {
		struct qstr q = { e->name, e->len, e->hash };
		struct rb_node *next = rb_next(&e->by_pos);

		if (e->inode && !find_name(l, &q) &&
		    !ctx->emit(ctx, e->name, e->len, POS_UPPER + (pos_t)e->pos + 1, e->inode->ino, mode_to_dt(e->inode->mode)))
			return false;
		ctx->pos = POS_UPPER + (pos_t)e->pos + 1;
		e = next ? rb_entry(next, struct memfs_dirent, by_pos) : NULL;
	}
	return true;
}

static int emit_merged(struct file *f, struct listing *l, struct dir_context *ctx)
{
	struct inode *dir = f->inode, *parent = memfs_dir(dir)->parent;
	int ret = 0;

	if (!l->made || ctx->pos == 0)
		ret = listing_make(l, ovl_lower(dir));
	if (ret)
		return ret;
	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, 1, dir->ino, DT_DIR))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		if (!ctx->emit(ctx, "..", 2, 2, parent ? parent->ino : dir->ino, DT_DIR))
			return 0;
		ctx->pos = POS_FIRST;
	}
	mutex_lock(&overlay_of(dir)->lock);
	if (ctx->pos >= POS_UPPER || emit_lower(f, l, ctx)) {
		if (ctx->pos < POS_UPPER)
			ctx->pos = POS_UPPER;
		(void)emit_upper(f, l, ctx);
	}
	mutex_unlock(&overlay_of(dir)->lock);
	return 0;
}

static int ovl_readdir(struct file *f, struct dir_context *ctx)
{
	struct inode *dir = f->inode;
	int ret;

	if (!ovl_lower(dir))
		return memfs_readdir(f, ctx);
	mutex_lock(&dir->lock);
	if (!f->priv)
		f->priv = kzalloc(sizeof(struct listing));
	ret = !f->priv ? -ENOMEM : dir->flags & INODE_DEAD ? 0 : emit_merged(f, f->priv, ctx);
	mutex_unlock(&dir->lock);
	inode_accessed(dir, f->mount, f->flags);
	return ret;
}

static int ovl_dir_fsync(struct file *f __unused, bool datasync __unused)
{
	return 0;
}

static void ovl_dir_release(struct file *f)
{
	if (f->priv)
		listing_clear(f->priv);
	kfree(f->priv);
}

const struct file_ops ovl_dir_file_ops = {
	.name = "dir",
	.seek = sizeless_seek,
	.readdir = ovl_readdir,
	.fsync = ovl_dir_fsync,
	.release = ovl_dir_release,
};
