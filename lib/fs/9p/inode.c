// SPDX-License-Identifier: MIT
/* Inodes of host files: found by walking, told apart by device and number, believed for a second. */
#include "fs/9p/9p.h"
#include "fs/9p/p9.h"

#include "base/errno.h"
#include "base/printf.h"
#include "base/string.h"
#include "boot.h"
#include "boot_config.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/task.h"
#include "sched/time.h"

#define P9_TABLE_SIZE	512u
#define P9_SUPER_MAGIC	0x01021997ull

/* ---- walking ---- */

/* The names from the root down to an inode; as many as one request takes. */
struct names {
	const struct p9_inode *pi[P9_MAX_NAMES];
	u32 nr;
};

/* p9_super.lock held. The last P9_MAX_NAMES - @room names from @inode upwards, deepest first. Return: where they begin */
static struct inode *collect(struct inode *inode, struct names *n, u32 room)
{
	n->nr = 0;
	while (inode && p9_of(inode)->parent && n->nr < P9_MAX_NAMES - room) {
		n->pi[n->nr++] = p9_of(inode);
		inode = p9_of(inode)->parent;
	}
	return inode;
}

static void put_names(struct p9_channel *c, const struct names *n, const struct qstr *name)
{
	p9_put(&c->out, n->nr + (name ? 1 : 0), 2);
	for (u32 i = n->nr; i-- > 0; )
		p9_put_str(&c->out, n->pi[i]->name, n->pi[i]->name_len);
	if (name)
		p9_put_str(&c->out, name->name, name->len);
}

/* status flags count attr[0 or 1] target, as the answers to LAST begin. Return: the walk's status, -EIO */
static int read_walked(struct p9_walk *w, u32 wanted)
{
	u32 status = (u32)p9_get(&w->in, 4), count;

	w->arrived = false;
	w->flags = (u32)p9_get(&w->in, 4);
	count = (u32)p9_get(&w->in, 4);
	if (count > P9_MAX_NAMES + 1 || (!status && count != max(wanted, 1u)))
		return -EIO;
	if (count)
		p9_get_attr(&w->in, &w->attr);
	w->target = p9_get_str(&w->in, &w->target_len);
	if (w->in.failed || status > 4095)
		return -EIO;
	w->arrived = count == max(wanted, 1u);
	return -(int)status;
}

/* p9_super.lock held. How many names lead from the root to @inode. */
static u32 depth_of(const struct inode *inode)
{
	u32 depth = 0;

	for (; p9_of((struct inode *)inode)->parent; depth++)
		inode = p9_of((struct inode *)inode)->parent;
	return depth;
}

/* One step of walk_deep(): @names more, from fid @from to @to, which stands at @target then. */
static int walk_on(struct p9_channel *c, u32 from, u32 to, const struct names *n, struct inode *target)
{
	struct p9_walk w;
	int ret;

	p9_request(c, P9_TWALKSTAT);
	p9_put(&c->out, from, 4);
	p9_put(&c->out, to, 4);
	p9_put(&c->out, P9_WALK_LAST, 4);
	put_names(c, n, NULL);
	mutex_unlock(&p9_super_of(target)->lock);
	ret = p9_transact(c, &w.in, NULL);
	if (!ret)
		ret = read_walked(&w, n->nr);
	if (ret)
		return ret;
	if (w.attr.dev != p9_of(target)->dev || w.attr.ino != p9_of(target)->ino) {
		p9_clunk(c, to);
		return -ESTALE;
	}
	return 0;
}

/* A directory deeper than one request reaches: fid c->deep is made to stand at @at, by as many requests as that takes. */
static int walk_deep(struct p9_channel *c, struct inode *at)
{
	struct p9_super *ps = p9_super_of(at);
	u32 left = 1, from = ps->export;
	int ret = 0;

	if (c->deep)
		p9_clunk(c, c->deep);
	c->deep = 0;
	for (u32 done = 0; !ret && left; ) {
		u32 to = c->deep == P9_FID_DEEP ? P9_FID_DEEP + 1 : P9_FID_DEEP, depth, step;
		struct inode *target = at;
		struct names n;

		mutex_lock(&ps->lock);
		depth = depth_of(at);
		if (depth > P9_DEPTH_MAX || depth <= done) {
			mutex_unlock(&ps->lock);
			/* or somebody moves it about while we walk: then it is not where it was */
			return depth > P9_DEPTH_MAX ? -ENAMETOOLONG : -ESTALE;
		}
		step = min(depth - done, P9_MAX_NAMES);
		left = depth - done - step;
		for (u32 i = 0; i < left; i++)
			target = p9_of(target)->parent;
		inode_get(target);
		collect(target, &n, P9_MAX_NAMES - step);
		ret = walk_on(c, from, to, &n, target);
		inode_put(target);
		if (c->deep)
			p9_clunk(c, c->deep);
		c->deep = ret ? 0 : to;
		from = to;
		done += step;
	}
	return ret;
}

int p9_walk(struct p9_channel *c, struct inode *inode, const struct qstr *name, u8 type, u32 newfid, u32 flags,
	    u32 open_flags, struct p9_walk *w)
{
	struct p9_super *sb = p9_super_of(inode);
	struct inode *from;
	struct names n;
	u32 fid = sb->export;
	int ret = p9_attach(c, sb);

	w->arrived = false;
	w->granted = SOUTH_NO_HANDLE;
	if (ret)
		return ret;
	mutex_lock(&sb->lock);
	from = collect(inode, &n, name ? 1 : 0);
	if (p9_of(from)->parent) {
		inode_get(from);
		mutex_unlock(&sb->lock);
		ret = walk_deep(c, from);
		inode_put(from);
		if (ret)
			return ret;
		fid = c->deep;
		mutex_lock(&sb->lock);
		if (collect(inode, &n, name ? 1 : 0) != from) {
			mutex_unlock(&sb->lock);
			return -ESTALE;		/* moved meanwhile */
		}
	}
	p9_request(c, type);
	p9_put(&c->out, fid, 4);
	p9_put(&c->out, newfid, 4);
	p9_put(&c->out, flags | (type == P9_TOPENGRANT ? P9_OPEN_LAST : P9_WALK_LAST), 4);
	if (type == P9_TOPENGRANT)
		p9_put(&c->out, open_flags, 4);
	put_names(c, &n, name);
	mutex_unlock(&sb->lock);
	/* a handle that was not asked for is given back at once */
	ret = p9_transact(c, &w->in, flags & P9_OPEN_GRANT ? &w->granted : NULL);
	if (!ret)
		ret = read_walked(w, n.nr + (name ? 1 : 0));
	if (ret && w->granted != SOUTH_NO_HANDLE) {
		machine->close_handle(w->granted);
		w->granted = SOUTH_NO_HANDLE;
	}
	/* the name leads somewhere else now */
	if (!ret && !name && (w->attr.dev != p9_of(inode)->dev || w->attr.ino != p9_of(inode)->ino)) {
		/* the fid stands there all the same, and would be in the way of the next one */
		if (newfid != P9_NOFID)
			p9_clunk(c, newfid);
		if (w->granted != SOUTH_NO_HANDLE)
			machine->close_handle(w->granted);
		ret = -ESTALE;
	}
	return ret;
}

/* ---- inodes ---- */

static u32 bucket(const struct p9_super *sb, u64 dev, u64 ino)
{
	return (u32)(((dev * 31 + ino) * 0x9e3779b97f4a7c15ull) >> 40) & sb->table_mask;
}

/*
 * p9_super.lock held. What the server said, asked at @when: unless something newer is known, or we changed the file since, and the answer
 * may be of before that. Then what we know is right, and is asked for once more.
 */
static void update_from(struct inode *inode, const struct p9_attr *a, s64 when)
{
	struct p9_inode *pi = p9_of(inode);

	if (when < pi->checked || when <= pi->changed)
		return;
	inode->mode = (inode->mode & S_IFMT) | (a->mode & 07777);
	inode->uid = a->uid;
	inode->gid = a->gid;
	inode->nlink = (u32)a->nlink;
	inode->size = (pos_t)a->size;
	inode->blocks = a->blocks;
	inode->atime = a->atime;
	inode->mtime = a->mtime;
	inode->ctime = a->ctime;
	inode->btime = a->btime;
	WRITE_ONCE(pi->checked, when);
}

void p9_inode_update(struct inode *inode, const struct p9_attr *a, s64 when)
{
	struct p9_super *ps = p9_super_of(inode);

	mutex_lock(&ps->lock);
	update_from(inode, a, when);
	mutex_unlock(&ps->lock);
}

void p9_inode_changed(struct inode *inode)
{
	struct p9_super *ps = p9_super_of(inode);

	mutex_lock(&ps->lock);
	WRITE_ONCE(p9_of(inode)->checked, 0);
	p9_of(inode)->changed = ps->changed = clock_monotonic();
	mutex_unlock(&ps->lock);
}

/*
 * p9_super.lock held. What is walked by is the name that was seen last: the one before may be gone (another link was removed, or the
 * file is gone and the host gave its number to this one). Return: the directory whose reference is to be put, or NULL
 */
static struct inode *take_name(struct p9_inode *pi, struct inode *parent, const char *name, u32 len)
{
	struct inode *old = pi->parent;
	char *copy;

	if (!parent || !old || (old == parent && pi->name_len == len && !memcmp(pi->name, name, len)))
		return NULL;
	copy = kstrndup(name, len);
	if (!copy)
		return NULL;
	kfree(pi->name);
	pi->name = copy;
	pi->name_len = len;
	inode_get(parent);
	pi->parent = parent;
	return old;
}

/* The host gives the number of a removed file to a new one: that one is another inode, with no handle and no content yet. */
static bool same_life(const struct inode *inode, const struct p9_attr *a)
{
	return (inode->mode & S_IFMT) == (a->mode & S_IFMT) && inode->btime == a->btime && inode->nlink &&
	       !(load_relaxed(&inode->flags) & INODE_DEAD);
}

/* The inode for what the server described, an old one when it is known. Return: a reference or ERR_PTR */
struct inode *p9_inode_get(struct super *sb, const struct p9_attr *a, s64 when, struct inode *parent, const char *name, u32 len)
{
	struct p9_super *ps = sb->priv;
	u32 b = bucket(ps, a->dev, a->ino);
	struct p9_inode *pi;
	struct inode *inode, *old;
	char *copy;

	mutex_lock(&ps->lock);
	for (pi = ps->table[b]; pi; pi = pi->hash_next) {
		if (pi->dev == a->dev && pi->ino == a->ino && same_life(pi->inode, a) &&
		    ref_tryget(&pi->inode->ref)) {
			update_from(pi->inode, a, when);
			inode = pi->inode;
			old = take_name(pi, parent, name, len);
			mutex_unlock(&ps->lock);
			inode_put(old);
			return inode;
		}
	}
	inode = inode_alloc(sb, a->mode, a->ino);
	pi = inode ? kzalloc(sizeof(*pi)) : NULL;
	copy = pi ? kstrndup(name, len) : NULL;
	if (!copy) {
		mutex_unlock(&ps->lock);
		kfree(pi);
		inode_put(inode);
		return ERR_PTR(-ENOMEM);
	}
	inode->priv = pi;
	inode->ops = &p9_inode_ops;
	inode->rdev = a->rdev;
	pi->inode = inode;
	pi->dev = a->dev;
	pi->ino = a->ino;
	pi->name = copy;
	pi->name_len = len;
	if (parent)
		inode_get(parent);
	pi->parent = parent;
	update_from(inode, a, when);
	pi->hash_next = ps->table[b];
	ps->table[b] = pi;
	mutex_unlock(&ps->lock);
	return inode;
}

/*
 * Puts the directories that freed inodes were found in. Such a directory may be kept by nothing else, and so may the one above it: they
 * go one after the other through a list, not by recursion, for a tree can be deeper than our stack. Frees @pi.
 */
static void put_parents(struct p9_super *ps, struct p9_inode *pi)
{
	mutex_lock(&ps->lock);
	pi->next_free = ps->free;
	ps->free = pi;
	if (ps->freeing) {
		mutex_unlock(&ps->lock);
		return;
	}
	ps->freeing = true;
	while ((pi = ps->free)) {
		ps->free = pi->next_free;
		mutex_unlock(&ps->lock);
		inode_put(pi->parent);
		kfree(pi);
		mutex_lock(&ps->lock);
	}
	ps->freeing = false;
	mutex_unlock(&ps->lock);
}

static void p9_evict(struct inode *inode)
{
	struct p9_super *ps = p9_super_of(inode);
	struct p9_inode *pi = p9_of(inode), **link;

	if (!pi)
		return;
	if (pi->special) {
		kfree(pi);
		return;
	}
	if (S_ISDIR(inode->mode))
		p9_listing_forget(inode);
	mutex_lock(&ps->lock);
	for (link = &ps->table[bucket(ps, pi->dev, pi->ino)]; *link; link = &(*link)->hash_next) {
		if (*link == pi) {
			*link = pi->hash_next;
			break;
		}
	}
	mutex_unlock(&ps->lock);
	p9_handle_put(pi->handle);
	p9_handle_put(pi->rw_handle);
	kfree(pi->data);
	kfree(pi->name);
	put_parents(ps, pi);
}

int p9_refresh(struct inode *inode)
{
	struct p9_inode *pi = p9_of(inode);
	s64 when = clock_monotonic();
	struct p9_channel *c;
	struct p9_walk w;
	int ret;

	if (pi->special || when - READ_ONCE(pi->checked) < P9_VALID_NS)
		return 0;
	c = p9_channel_get();
	if (!c)
		return -EIO;
	ret = p9_walk(c, inode, NULL, P9_TWALKSTAT, P9_NOFID, 0, 0, &w);
	if (!ret)
		p9_inode_update(inode, &w.attr, when);
	p9_channel_put(c);
	/* a file that lost its name is still what it was for those who have it */
	return ret == -ENOENT || ret == -ESTALE ? 0 : ret;
}

static int p9_statfs(struct super *sb, struct kstatfs *st)
{
	struct p9_super *ps = sb->priv;
	struct p9_channel *c = p9_channel_get();
	struct p9_in in;
	int ret;

	if (!c)
		return -EIO;
	ret = p9_attach(c, ps);
	if (!ret) {
		p9_request(c, P9_TSTATFS);
		p9_put(&c->out, ps->export, 4);
		ret = p9_transact(c, &in, NULL);
	}
	if (!ret) {
		(void)p9_get(&in, 4);
		st->type = P9_SUPER_MAGIC;
		st->bsize = (u32)p9_get(&in, 4);
		st->blocks = p9_get(&in, 8);
		st->bfree = p9_get(&in, 8);
		st->bavail = p9_get(&in, 8);
		st->files = p9_get(&in, 8);
		st->ffree = p9_get(&in, 8);
		ret = in.failed ? -EIO : 0;
	}
	p9_channel_put(c);
	return ret;
}

static void p9_super_free(struct super *sb)
{
	struct p9_super *ps = sb->priv;

	if (!ps)
		return;
	for (u32 i = 0; i < P9_LISTINGS; i++)
		p9_listing_free(ps->listings[i].l);
	kfree(ps->table);
	kfree(ps);
}

static const struct super_ops p9_super_ops = {
	.evict = p9_evict,
	.statfs = p9_statfs,
	.unmounted = p9_special_forget,
	.put = p9_super_free,
};

struct super *p9_super_create(u32 export, bool writable, const struct boot_attr *root)
{
	const struct p9_attr attr = {
		.mode = root->mode, .uid = root->uid, .gid = root->gid, .nlink = root->nlink, .size = root->size,
		.blocks = root->blocks, .dev = root->dev, .ino = root->ino,
		.atime = root->atime, .mtime = root->mtime, .ctime = root->ctime, .btime = root->btime,
	};
	struct super *sb;
	struct p9_super *ps;
	struct inode *inode;

	if (export >= P9_MAX_EXPORTS)
		return ERR_PTR(-ENOSPC);
	sb = super_alloc("9p", &p9_super_ops, SB_REVALIDATE | SB_NODEV | (writable ? 0 : SB_RDONLY), P9_SUPER_MAGIC);
	ps = sb ? kzalloc(sizeof(*ps)) : NULL;
	if (!ps)
		goto err;
	sb->priv = ps;
	ps->export = export;
	ps->writable = writable;
	mutex_init(&ps->lock);
	scnprintf(ps->aname, sizeof(ps->aname), "%u", export);
	/* most trees are single files of /etc */
	ps->table_mask = S_ISDIR(attr.mode) ? P9_TABLE_SIZE - 1 : 0;
	ps->table = kcalloc(ps->table_mask + 1, sizeof(*ps->table));
	if (!ps->table)
		goto err;
	inode = p9_inode_get(sb, &attr, clock_monotonic(), NULL, "", 0);
	if (IS_ERR(inode))
		goto err;
	sb->root = inode;
	return sb;
err:
	super_put(sb);
	return ERR_PTR(-ENOMEM);
}
