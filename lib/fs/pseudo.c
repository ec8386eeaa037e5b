// SPDX-License-Identifier: MIT
/* Trees of generated files: see pseudo.h. */
#include "fs/pseudo.h"

#include "base/random.h"
#include "base/string.h"
#include "mm/kmalloc.h"

/* Positions in a directory: ".", "..", the table, and from here on those of the dynamic part. */
#define POS_TABLE	2
#define POS_DYNAMIC	4096

struct pseudo_info {
	const struct pseudo_entry *e;
	struct pseudo_ctx ctx;
};

/* An open file: the text as it was when it was last read from the beginning. */
struct pseudo_file {
	struct mutex lock;
	struct seq_buf text;
	bool made;
};

static u64 ino_salt;

static struct pseudo_info *info_of(const struct inode *inode)
{
	return inode->priv;
}

const struct pseudo_ctx *pseudo_inode_ctx(struct inode *inode)
{
	return &info_of(inode)->ctx;
}

static bool alive(const struct pseudo_ctx *ctx)
{
	return !ctx->ops || !ctx->ops->alive || ctx->ops->alive(ctx);
}

/* The same object has the same number each time it is looked up; what it is made of cannot be told from it. */
static u64 make_ino(const struct pseudo_entry *e, const struct pseudo_ctx *ctx)
{
	u64 h = ino_salt;

	h = (h ^ (u64)(uintptr_t)e) * 0x9e3779b97f4a7c15ull;
	h = (h ^ (h >> 29) ^ (u64)(uintptr_t)ctx->obj) * 0xbf58476d1ce4e5b9ull;
	h = (h ^ (h >> 32) ^ ctx->key) * 0x94d049bb133111ebull;
	h = (h ^ (h >> 31) ^ ctx->key2) * 0x9e3779b97f4a7c15ull;
	return (h >> 24) | 1;
}

/* ---- files ---- */

static int make_text(struct file *f, struct pseudo_file *pf)
{
	struct pseudo_info *info = info_of(f->inode);
	int ret;

	if (!alive(&info->ctx))
		return -ESRCH;
	seq_free(&pf->text);
	ret = info->e->show ? info->e->show(&pf->text, &info->ctx) : -EINVAL;
	if (!ret && seq_failed(&pf->text))
		ret = -ENOMEM;
	pf->made = !ret;
	return ret;
}

static ssize_t pseudo_read(struct file *f, struct uio *to, pos_t *pos)
{
	struct pseudo_file *pf = f->priv;
	ssize_t n = 0;

	mutex_lock(&pf->lock);
	if (!pf->made || !*pos)
		n = make_text(f, pf);
	if (!n && (u64)*pos < pf->text.len)
		n = uio_put(to, pf->text.buf + *pos, min(to->left, pf->text.len - (size_t)*pos));
	mutex_unlock(&pf->lock);
	if (n > 0)
		*pos += n;
	return n;
}

static ssize_t pseudo_write(struct file *f, struct uio *from, pos_t *pos)
{
	struct pseudo_info *info = info_of(f->inode);
	size_t len = from->left;
	char *text;
	ssize_t n;

	if (!info->e->store)
		return -EIO;
	if (len >= PAGE_SIZE)
		return -EINVAL;
	if (!alive(&info->ctx))
		return -ESRCH;
	text = kmalloc(len + 1);
	if (!text)
		return -ENOMEM;
	n = uio_get(from, text, len);
	if (n == (ssize_t)len) {
		text[len] = '\0';
		n = info->e->store(&info->ctx, text, len);
	} else if (n >= 0) {
		n = -EFAULT;
	}
	kfree(text);
	if (n > 0)
		*pos += n;
	return n;
}

static void pseudo_release(struct file *f)
{
	struct pseudo_file *pf = f->priv;

	seq_free(&pf->text);
	kfree(pf);
}

static const struct file_ops pseudo_file_ops = {
	.name = "proc",
	.read = pseudo_read,
	.write = pseudo_write,
	.seek = sizeless_seek,
	.release = pseudo_release,
};

static int pseudo_open(struct inode *inode, struct file *f)
{
	struct pseudo_info *info = info_of(inode);
	struct pseudo_file *pf;
	int ret = alive(&info->ctx) ? 0 : -ENOENT;

	if (!ret && info->e->may_open)
		ret = info->e->may_open(&info->ctx);
	if (ret)
		return ret;
	if (info->e->open)
		return info->e->open(&info->ctx, f);
	pf = kzalloc(sizeof(*pf));
	if (!pf)
		return -ENOMEM;
	mutex_init(&pf->lock);
	seq_init(&pf->text);
	f->ops = &pseudo_file_ops;
	f->priv = pf;
	return 0;
}

/* ---- objects ---- */

static int pseudo_refresh(struct inode *inode)
{
	struct pseudo_ctx *ctx = &info_of(inode)->ctx;

	/* Who has it open still sees it when the object went: names do not lead here any more. */
	if (alive(ctx) && ctx->ops && ctx->ops->owner)
		ctx->ops->owner(ctx, &inode->uid, &inode->gid);
	return 0;
}

/* O_TRUNC before a write, and touch(1), change nothing and are no errors. */
static int pseudo_setattr(struct inode *inode __unused, const struct iattr *attr)
{
	return attr->valid & (ATTR_MODE | ATTR_UID | ATTR_GID) ? -EPERM : 0;
}

static ssize_t pseudo_readlink(struct inode *inode, char *buf, size_t size)
{
	struct pseudo_info *info = info_of(inode);

	if (!alive(&info->ctx))
		return -ENOENT;
	return info->e->readlink ? info->e->readlink(&info->ctx, buf, size) : -EINVAL;
}

static int pseudo_follow(struct inode *inode, struct path *out)
{
	struct pseudo_info *info = info_of(inode);

	return alive(&info->ctx) ? info->e->follow(&info->ctx, out) : -ENOENT;
}

static struct inode *pseudo_lookup(struct inode *dir, const struct qstr *name);
static bool pseudo_revalidate(struct inode *dir, const struct qstr *name, struct inode *inode);
static int pseudo_dir_open(struct inode *inode, struct file *f);

static const struct inode_ops pseudo_file_inode_ops = {
	.refresh = pseudo_refresh, .open = pseudo_open, .setattr = pseudo_setattr,
};
static const struct inode_ops pseudo_link_ops = { .refresh = pseudo_refresh, .readlink = pseudo_readlink };
static const struct inode_ops pseudo_magic_ops = {
	.refresh = pseudo_refresh, .readlink = pseudo_readlink, .follow = pseudo_follow,
};
static const struct inode_ops pseudo_dir_ops = {
	.refresh = pseudo_refresh, .lookup = pseudo_lookup, .revalidate = pseudo_revalidate, .open = pseudo_dir_open,
};

/* @counted: ctx->obj comes with a reference, which is used up in any case. */
static struct inode *pseudo_inode(struct super *sb, const struct pseudo_entry *e, const struct pseudo_ctx *ctx, bool counted)
{
	struct pseudo_info *info = kmalloc(sizeof(*info));
	struct inode *inode = info ? inode_alloc(sb, e->mode, make_ino(e, ctx)) : NULL;

	if (!inode) {
		kfree(info);
		if (counted && ctx->ops && ctx->obj)
			ctx->ops->put(ctx->obj);
		return ERR_PTR(-ENOMEM);
	}
	*info = (struct pseudo_info){ e, *ctx };
	if (!counted && ctx->ops && ctx->obj)
		ctx->ops->get(ctx->obj);
	inode->priv = info;
	if (ctx->ops && ctx->ops->owner)
		ctx->ops->owner(ctx, &inode->uid, &inode->gid);
	if (S_ISDIR(e->mode)) {
		inode->ops = &pseudo_dir_ops;
		inode->nlink = 2;
	} else if (S_ISLNK(e->mode)) {
		inode->ops = e->follow ? &pseudo_magic_ops : &pseudo_link_ops;
	} else {
		inode->ops = &pseudo_file_inode_ops;
	}
	return inode;
}

static void pseudo_evict(struct inode *inode)
{
	struct pseudo_info *info = info_of(inode);

	if (info->ctx.ops && info->ctx.obj)
		info->ctx.ops->put(info->ctx.obj);
	kfree(info);
}

/* ---- directories ---- */

static const struct pseudo_entry *find_child(const struct pseudo_entry *table, const struct qstr *name)
{
	for (; table && table->name; table++)
		if (strlen(table->name) == name->len && !memcmp(table->name, name->name, name->len))
			return table;
	return NULL;
}

static struct inode *pseudo_lookup(struct inode *dir, const struct qstr *name)
{
	struct pseudo_info *info = info_of(dir);
	struct pseudo_ctx ctx = info->ctx;
	const struct pseudo_entry *e;
	bool counted = false;

	if (!alive(&ctx))
		return ERR_PTR(-ENOENT);
	e = find_child(info->e->children, name);
	if (e)
		ctx.key2 = e->key2;
	else if (info->e->dynamic)
		e = info->e->dynamic->lookup(&info->ctx, name, &ctx, &counted);
	return e ? pseudo_inode(dir->sb, e, &ctx, counted) : ERR_PTR(-ENOENT);
}

/* Only trees with SB_REVALIDATE ask: an object that went takes its names with it; one that came was not there before. */
static bool pseudo_revalidate(struct inode *dir __unused, const struct qstr *name __unused, struct inode *inode)
{
	return inode && alive(&info_of(inode)->ctx);
}

static int emit_dynamic(struct inode *dir, struct dir_context *ctx)
{
	struct pseudo_info *info = info_of(dir);
	char name[NAME_MAX + 1];
	u64 at = (u64)ctx->pos - POS_DYNAMIC;
	u32 mode;

	while (info->e->dynamic->next(&info->ctx, &at, name, sizeof(name), &mode)) {
		struct pseudo_ctx key = { .key = at, .key2 = dir->ino };

		if (!ctx->emit(ctx, name, strlen(name), (pos_t)at + 1 + POS_DYNAMIC, make_ino(info->e, &key), mode_to_dt(mode)))
			return 0;
		ctx->pos = (pos_t)++at + POS_DYNAMIC;
	}
	return 0;
}

static int pseudo_readdir(struct file *f, struct dir_context *ctx)
{
	struct inode *dir = f->inode;
	struct pseudo_info *info = info_of(dir);
	const struct pseudo_entry *e = info->e->children;
	pos_t at = POS_TABLE;

	if (!alive(&info->ctx))
		return -ENOENT;
	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, 1, dir->ino, DT_DIR))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		struct dentry *up = dentry_parent(f->dentry);
		bool ok = ctx->emit(ctx, "..", 2, 2, up->inode->ino, DT_DIR);

		dentry_put(up);
		if (!ok)
			return 0;
		ctx->pos = 2;
	}
	for (; e && e->name && at < POS_DYNAMIC; e++, at++) {
		struct pseudo_ctx child = info->ctx;

		if (at < ctx->pos)
			continue;
		child.key2 = e->key2;
		if (!ctx->emit(ctx, e->name, strlen(e->name), at + 1, make_ino(e, &child), mode_to_dt(e->mode)))
			return 0;
		ctx->pos = at + 1;
	}
	if (ctx->pos < POS_DYNAMIC)
		ctx->pos = POS_DYNAMIC;
	return info->e->dynamic ? emit_dynamic(dir, ctx) : 0;
}

static const struct file_ops pseudo_dir_file_ops = {
	.name = "dir", .seek = sizeless_seek, .readdir = pseudo_readdir,
};

static int pseudo_dir_open(struct inode *inode, struct file *f)
{
	struct pseudo_info *info = info_of(inode);

	f->ops = &pseudo_dir_file_ops;
	if (!alive(&info->ctx))
		return -ENOENT;
	return info->e->may_open ? info->e->may_open(&info->ctx) : 0;
}

/* ---- the whole ---- */

static const struct super_ops pseudo_super_ops = { .evict = pseudo_evict };

struct super *pseudo_super(const char *type, u64 magic, u32 flags, const struct pseudo_entry *root)
{
	struct super *sb = super_alloc(type, &pseudo_super_ops, flags | SB_NOATIME, magic);
	struct pseudo_ctx ctx = { 0 };
	struct inode *inode;

	if (!sb)
		return NULL;
	if (!load_acquire(&ino_salt))
		store_release(&ino_salt, random_u64() | 1);
	inode = pseudo_inode(sb, root, &ctx, false);
	if (IS_ERR(inode)) {
		super_put(sb);
		return NULL;
	}
	sb->root = inode;
	return sb;
}
