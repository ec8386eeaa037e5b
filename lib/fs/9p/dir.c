// SPDX-License-Identifier: MIT
/*
 * Directories of the host. A directory is read whole, in one turn on a channel, when its first entry is asked for (and again after
 * a rewind): so no fid stays behind, and entries do not move while a program walks them.
 */
#include "fs/9p/p9.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "sched/wait.h"

/* Entries in chunks, as they came: name after name. */
#define CHUNK_SIZE	8192u
/* offset[8] type[1] attr[169] name[s], the longest: an answer with room for it is the last. */
#define DIRENT_MAX	(8u + 1 + 169 + 2 + P9_NAME_MAX)
/* The most that one open directory may hold: 64 MiB are about a million names. */
#define CHUNKS_MAX	8192u

struct entry {
	u64 ino;
	u8 type;
	u8 len;
	char name[];
};

struct chunk {
	struct chunk *next;
	u32 used, nr;
	u8 bytes[];
};

struct p9_dir {
	struct mutex lock;
	struct chunk *first, *last;
	u32 nr_chunks;
	bool read;
};

static void dir_forget(struct p9_dir *d)
{
	while (d->first) {
		struct chunk *next = d->first->next;

		kfree(d->first);
		d->first = next;
	}
	d->last = NULL;
	d->nr_chunks = 0;
	d->read = false;
}

static int dir_add(struct p9_dir *d, u64 ino, u8 type, const char *name, u32 len)
{
	u32 need = (u32)ALIGN_UP(sizeof(struct entry) + len, 8ul);
	struct chunk *c = d->last;
	struct entry *e;

	if (!c || CHUNK_SIZE - sizeof(*c) - c->used < need) {
		if (d->nr_chunks == CHUNKS_MAX)
			return -ENOMEM;
		c = kmalloc(CHUNK_SIZE);
		if (!c)
			return -ENOMEM;
		c->next = NULL;
		c->used = c->nr = 0;
		if (d->last)
			d->last->next = c;
		else
			d->first = c;
		d->last = c;
		d->nr_chunks++;
	}
	e = (struct entry *)(c->bytes + c->used);
	e->ino = ino;
	e->type = type;
	e->len = (u8)len;
	memcpy(e->name, name, len);
	c->used += need;
	c->nr++;
	return 0;
}

static bool name_is_dots(const char *name, u32 len)
{
	return (len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.');
}

/* One answer to Treaddirplus. Return: 1: there may be more, 0, or -errno; @offset moves on; *@l, when not NULL, grows or goes */
static int read_some(struct p9_channel *c, struct inode *dir, struct p9_dir *d, u64 *offset, struct p9_listing **l)
{
	u32 room = c->msize - 24, used;
	struct p9_in in;
	int ret;

	p9_request(c, P9_TREADDIRPLUS);
	p9_put(&c->out, P9_FID_WORK, 4);
	p9_put(&c->out, *offset, 8);
	p9_put(&c->out, room, 4);
	ret = p9_transact(c, &in, NULL);
	if (ret)
		return ret;
	used = (u32)p9_get(&in, 4);
	while (!in.failed && in.left) {
		struct p9_attr a;
		const char *name;
		u8 type;
		u32 len;

		*offset = p9_get(&in, 8);
		type = (u8)p9_get(&in, 1);
		p9_get_attr(&in, &a);
		name = p9_get_str(&in, &len);
		if (!name || !len || len > P9_NAME_MAX || memchr(name, '/', len) || memchr(name, 0, len))
			return -EIO;
		if (name_is_dots(name, len))
			continue;
		ret = dir_add(d, a.valid ? a.ino : 1, type, name, len);
		if (ret)
			return ret;
		if (*l && !p9_listing_add(*l, dir, &a, name, len)) {
			p9_listing_free(*l);
			*l = NULL;
		}
	}
	if (in.failed || used > room)
		return -EIO;
	return room - used < DIRENT_MAX;
}

static int dir_read(struct file *f, struct p9_dir *d)
{
	struct p9_channel *c = p9_channel_get();
	struct p9_listing *l = NULL;
	struct p9_walk w;
	u64 offset = 0;
	int ret;

	if (!c)
		return -EIO;
	ret = p9_walk(c, f->inode, NULL, P9_TOPENGRANT, P9_FID_WORK, 0, O_RDONLY | O_DIRECTORY, &w);
	if (!ret) {
		l = p9_listing_new();
		do {
			u64 before = offset;

			ret = read_some(c, f->inode, d, &offset, &l);
			/* a server that never comes to an end holds nobody who is killed, and one that stands still nobody at all */
			if (ret > 0 && fatal_signal_pending())
				ret = -EINTR;
			else if (ret > 0 && offset == before)
				ret = -EIO;
		} while (ret > 0);
		p9_clunk(c, P9_FID_WORK);
	}
	p9_channel_put(c);
	d->read = !ret;
	if (ret) {
		p9_listing_free(l);
		dir_forget(d);
	} else if (l) {
		p9_listing_keep(f->inode, l);
	}
	return ret;
}

static u64 parent_ino(struct inode *inode)
{
	struct inode *parent = p9_of(inode)->parent;

	return parent ? parent->ino : inode->ino;
}

/* Positions: 0 ".", 1 "..", then the entries. */
static int p9_readdir(struct file *f, struct dir_context *ctx)
{
	struct p9_dir *d = f->priv;
	pos_t at = 2;
	int ret = 0;

	mutex_lock(&d->lock);
	if (ctx->pos == 0)
		dir_forget(d);		/* rewinddir(3): as it is now */
	if (!d->read)
		ret = dir_read(f, d);
	if (ret)
		goto out;
	if (ctx->pos == 0 && ctx->emit(ctx, ".", 1, 1, f->inode->ino, DT_DIR))
		ctx->pos = 1;
	if (ctx->pos == 1 && ctx->emit(ctx, "..", 2, 2, parent_ino(f->inode), DT_DIR))
		ctx->pos = 2;
	if (ctx->pos < 2)
		goto out;
	for (struct chunk *c = d->first; c; c = c->next) {
		u32 off = 0;

		if (ctx->pos >= at + (pos_t)c->nr) {
			at += c->nr;
			continue;
		}
		for (u32 i = 0; i < c->nr; i++, at++) {
			struct entry *e = (struct entry *)(c->bytes + off);

			off += (u32)ALIGN_UP(sizeof(*e) + e->len, 8ul);
			if (at < ctx->pos)
				continue;
			if (!ctx->emit(ctx, e->name, e->len, at + 1, e->ino, e->type))
				goto out;
			ctx->pos = at + 1;
		}
	}
	p9_special_emit(f->inode, ctx, at);
out:
	mutex_unlock(&d->lock);
	return ret;
}

int p9_dir_open(struct inode *inode __unused, struct file *f)
{
	struct p9_dir *d = kzalloc(sizeof(*d));

	if (!d)
		return -ENOMEM;
	mutex_init(&d->lock);
	f->priv = d;
	f->ops = &p9_dir_ops;
	return 0;
}

static void p9_dir_release(struct file *f)
{
	struct p9_dir *d = f->priv;

	dir_forget(d);
	kfree(d);
}

const struct file_ops p9_dir_ops = {
	.name = "9p",
	.readdir = p9_readdir,
	.seek = sizeless_seek,
	.release = p9_dir_release,
};
