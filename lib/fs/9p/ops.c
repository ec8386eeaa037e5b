// SPDX-License-Identifier: MIT
/* Names in directories of the host: finding and changing them. */
#include "fs/9p/p9.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/task.h"
#include "sched/time.h"

#define P9_SET_MODE	0x001u
#define P9_SET_SIZE	0x008u
#define P9_SET_ATIME	0x010u
#define P9_SET_MTIME	0x020u
#define P9_SET_ATIME_SET 0x080u
#define P9_SET_MTIME_SET 0x100u
#define P9_AT_REMOVEDIR	0x200u

/* What a symlink says never changes: whoever looked it up was told. Return: what is left to be freed */
static char *keep_target(struct inode *inode, char *target, u32 len)
{
	struct p9_super *ps = p9_super_of(inode);
	struct p9_inode *pi = p9_of(inode);

	mutex_lock(&ps->lock);
	if (S_ISLNK(inode->mode) && !pi->data) {
		pi->data = (u8 *)target;
		pi->data_len = len;
		target = NULL;
	}
	mutex_unlock(&ps->lock);
	return target;
}

static struct inode *look_up(struct inode *dir, const struct qstr *name, bool opening)
{
	struct inode *special = p9_special_find(dir, name), *inode;
	struct p9_channel *c;
	char *target = NULL;
	struct p9_walk w;
	s64 when;
	int ret;

	if (special)
		return special;
	if (name->len > P9_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (p9_listing_find(dir, name, &w.attr, &when))
		return p9_inode_get(dir->sb, &w.attr, when, dir, name->name, name->len);
	c = p9_channel_get();
	if (!c)
		return ERR_PTR(-EIO);
	when = clock_monotonic();
	if (opening)
		ret = p9_walk(c, dir, name, P9_TOPENGRANT, P9_NOFID, P9_OPEN_GRANT | P9_OPEN_INLINE | P9_OPEN_EITHER, O_RDONLY, &w);
	else
		ret = p9_walk(c, dir, name, P9_TWALKSTAT, P9_NOFID, 0, 0, &w);
	if (ret && !w.arrived) {
		p9_channel_put(c);
		return ERR_PTR(ret == -ESTALE ? -ENOENT : ret);
	}
	if (S_ISLNK(w.attr.mode) && w.target_len)
		target = kmemdup(w.target, w.target_len);
	inode = p9_inode_get(dir->sb, &w.attr, when, dir, name->name, name->len);
	if (!IS_ERR(inode) && opening && !ret)
		p9_opened(inode, &w, when);
	else if (w.granted != SOUTH_NO_HANDLE)
		machine->close_handle(w.granted);
	p9_channel_put(c);
	if (target && !IS_ERR(inode))
		target = keep_target(inode, target, w.target_len);
	kfree(target);
	return inode;
}

static struct inode *p9_lookup(struct inode *dir, const struct qstr *name)
{
	return look_up(dir, name, false);
}

static struct inode *p9_lookup_open(struct inode *dir, const struct qstr *name)
{
	return look_up(dir, name, true);
}

/* A name holds as long as the attributes of what it led to; an absent one is asked for each time. */
static bool p9_revalidate(struct inode *dir __unused, const struct qstr *name __unused, struct inode *inode)
{
	if (inode && p9_of(inode)->special)
		return inode->nlink;
	return inode && clock_monotonic() - READ_ONCE(p9_of(inode)->checked) < P9_VALID_NS;
}

static ssize_t kept_target(struct inode *inode, char *buf, size_t size)
{
	struct p9_super *ps = p9_super_of(inode);
	struct p9_inode *pi = p9_of(inode);
	ssize_t ret = -ENODATA;

	mutex_lock(&ps->lock);
	if (pi->data) {
		ret = (ssize_t)min_t(size_t, pi->data_len, size);
		memcpy(buf, pi->data, (size_t)ret);
	}
	mutex_unlock(&ps->lock);
	return ret;
}

static ssize_t p9_readlink(struct inode *inode, char *buf, size_t size)
{
	ssize_t ret = kept_target(inode, buf, size);
	struct p9_channel *c;
	struct p9_walk w;

	if (ret >= 0)
		return ret;
	c = p9_channel_get();
	if (!c)
		return -EIO;
	ret = p9_walk(c, inode, NULL, P9_TWALKSTAT, P9_NOFID, 0, 0, &w);
	if (!ret) {
		ret = (ssize_t)min_t(size_t, w.target_len, size);
		memcpy(buf, w.target, (size_t)ret);
	}
	p9_channel_put(c);
	return ret;
}

/* Run a request on the directory @dir: fid P9_FID_WORK stands at it while @fill and the answer pass. */
static struct p9_channel *begin_at(struct inode *inode, int *ret)
{
	struct p9_channel *c = p9_channel_get();
	struct p9_walk w;

	*ret = c ? p9_walk(c, inode, NULL, P9_TWALKSTAT, P9_FID_WORK, 0, 0, &w) : -EIO;
	if (*ret && c) {
		p9_channel_put(c);
		c = NULL;
	}
	return c;
}

static void end_at(struct p9_channel *c)
{
	p9_clunk(c, P9_FID_WORK);
	p9_channel_put(c);
}

static void dir_changed(struct inode *dir)
{
	inode_touch(dir);
	p9_inode_changed(dir);
}

static void put_setattr(struct p9_channel *c, u32 valid, const struct iattr *at)
{
	p9_request(c, P9_TSETATTR);
	p9_put(&c->out, P9_FID_WORK, 4);
	p9_put(&c->out, valid, 4);
	p9_put(&c->out, at->mode & 07777, 4);
	p9_put(&c->out, ~0u, 4);
	p9_put(&c->out, ~0u, 4);
	p9_put(&c->out, (u64)at->size, 8);
	p9_put(&c->out, (u64)(at->atime / NSEC_PER_SEC), 8);
	p9_put(&c->out, (u64)(at->atime % NSEC_PER_SEC), 8);
	p9_put(&c->out, (u64)(at->mtime / NSEC_PER_SEC), 8);
	p9_put(&c->out, (u64)(at->mtime % NSEC_PER_SEC), 8);
}

static int set_mode(struct p9_channel *c, u32 mode)
{
	const struct iattr at = { .mode = mode };
	struct p9_in in;

	put_setattr(c, P9_SET_MODE, &at);
	return p9_transact(c, &in, NULL);
}

static struct inode *p9_create(struct inode *dir, const struct qstr *name, const struct new_inode *n)
{
	bool read_only = S_ISREG(n->mode) && (n->mode & 0600) != 0600;
	struct p9_handle *h = NULL;
	struct p9_channel *c;
	struct inode *inode;
	struct p9_in in;
	int ret;

	if (S_ISFIFO(n->mode) || S_ISSOCK(n->mode))
		return p9_special_create(dir, name, n);
	if (!S_ISREG(n->mode) && !S_ISDIR(n->mode) && !S_ISLNK(n->mode))
		return ERR_PTR(-EPERM);		/* devices are not made on the host */
	c = begin_at(dir, &ret);
	if (!c)
		return ERR_PTR(ret);
	if (S_ISREG(n->mode)) {
		p9_request(c, P9_TLCREATE);
		p9_put(&c->out, P9_FID_WORK, 4);
		p9_put_str(&c->out, name->name, name->len);
		p9_put(&c->out, O_RDWR | O_EXCL, 4);
	} else if (S_ISDIR(n->mode)) {
		p9_request(c, P9_TMKDIR);
		p9_put(&c->out, P9_FID_WORK, 4);
		p9_put_str(&c->out, name->name, name->len);
	} else {
		p9_request(c, P9_TSYMLINK);
		p9_put(&c->out, P9_FID_WORK, 4);
		p9_put_str(&c->out, name->name, name->len);
		p9_put_str(&c->out, n->target, (u32)strlen(n->target));
	}
	if (!S_ISLNK(n->mode))
		p9_put(&c->out, (n->mode & 01777) | (read_only ? 0600 : 0), 4);
	p9_put(&c->out, n->gid, 4);
	ret = p9_transact(c, &in, NULL);
	if (!ret && read_only) {
		ret = p9_created(c, &h);
		if (!ret)
			ret = set_mode(c, n->mode & 01777);
	}
	end_at(c);
	if (ret) {
		p9_handle_put(h);
		return ERR_PTR(ret);
	}
	dir_changed(dir);
	inode = p9_lookup(dir, name);
	if (!h)
		return inode;
	if (IS_ERR(inode))
		p9_handle_put(h);
	else
		p9_adopt(inode, h);
	return inode;
}

static int remove_name(struct inode *dir, const struct qstr *name, struct inode *inode, u32 flags)
{
	struct p9_channel *c;
	struct p9_in in;
	int ret;

	if (p9_of(inode)->special)
		return p9_special_remove(dir, name) ? 0 : -ENOENT;
	c = begin_at(dir, &ret);
	if (!c)
		return ret;
	p9_request(c, P9_TUNLINKAT);
	p9_put(&c->out, P9_FID_WORK, 4);
	p9_put_str(&c->out, name->name, name->len);
	p9_put(&c->out, flags, 4);
	ret = p9_transact(c, &in, NULL);
	end_at(c);
	if (!ret) {
		dir_changed(dir);
		if (inode->nlink)
			inode->nlink--;
		inode_touch_ctime(inode);
	}
	return ret;
}

static int p9_unlink(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	return remove_name(dir, name, inode, 0);
}

static int p9_rmdir(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	return remove_name(dir, name, inode, P9_AT_REMOVEDIR);
}

static void place(struct inode *inode, struct inode *parent, char *name, u32 len)
{
	struct p9_super *ps = p9_super_of(inode);
	struct p9_inode *pi = p9_of(inode);
	struct inode *old;
	char *old_name;

	inode_get(parent);
	mutex_lock(&ps->lock);
	old = pi->parent;
	old_name = pi->name;
	pi->parent = parent;
	pi->name = name;
	pi->name_len = len;
	mutex_unlock(&ps->lock);
	inode_put(old);
	kfree(old_name);
}

static int p9_rename(struct inode *dir, const struct qstr *name, struct inode *inode, struct inode *to_dir,
		     const struct qstr *to_name, struct inode *target, u32 flags)
{
	char *copy = kstrndup(to_name->name, to_name->len), *back = NULL;
	struct p9_channel *c;
	struct p9_walk w;
	struct p9_in in;
	int ret = copy ? 0 : -ENOMEM;

	if (!ret && flags & RENAME_EXCHANGE) {
		back = kstrndup(name->name, name->len);
		ret = back ? 0 : -ENOMEM;
	}
	if (!ret && (p9_of(inode)->special || (target && p9_of(target)->special)))
		ret = -EXDEV;		/* mv(1) copies, which for these is making a new one */
	if (!ret && flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE))
		ret = -EINVAL;
	c = ret ? NULL : begin_at(dir, &ret);
	if (!c)
		goto err;
	ret = p9_walk(c, to_dir, NULL, P9_TWALKSTAT, P9_FID_WORK2, 0, 0, &w);
	if (!ret) {
		p9_request(c, P9_TRENAMEAT2);
		p9_put(&c->out, P9_FID_WORK, 4);
		p9_put_str(&c->out, name->name, name->len);
		p9_put(&c->out, P9_FID_WORK2, 4);
		p9_put_str(&c->out, to_name->name, to_name->len);
		p9_put(&c->out, flags, 4);
		ret = p9_transact(c, &in, NULL);
		p9_clunk(c, P9_FID_WORK2);
	}
	end_at(c);
	if (ret)
		goto err;
	place(inode, to_dir, copy, to_name->len);
	if (flags & RENAME_EXCHANGE)
		place(target, dir, back, name->len);
	else if (target && target->nlink)
		target->nlink--;
	dir_changed(dir);
	dir_changed(to_dir);
	inode_touch_ctime(inode);
	return 0;
err:
	kfree(copy);
	kfree(back);
	return ret;
}

static int p9_link(struct inode *dir, const struct qstr *name, struct inode *inode)
{
	struct p9_channel *c;
	struct p9_walk w;
	struct p9_in in;
	int ret;

	if (p9_of(inode)->special)
		return -EPERM;
	c = begin_at(dir, &ret);
	if (!c)
		return ret;
	ret = p9_walk(c, inode, NULL, P9_TWALKSTAT, P9_FID_WORK2, 0, 0, &w);
	if (!ret) {
		p9_request(c, P9_TLINK);
		p9_put(&c->out, P9_FID_WORK, 4);
		p9_put(&c->out, P9_FID_WORK2, 4);
		p9_put_str(&c->out, name->name, name->len);
		ret = p9_transact(c, &in, NULL);
		p9_clunk(c, P9_FID_WORK2);
	}
	end_at(c);
	if (!ret) {
		inode->nlink++;
		dir_changed(dir);
		inode_touch_ctime(inode);
	}
	return ret;
}

static int p9_setattr(struct inode *inode, const struct iattr *at)
{
	struct p9_channel *c;
	struct p9_in in;
	u32 valid = 0;
	int ret;

	if (p9_of(inode)->special) {
		setattr_copy(inode, at);
		return 0;
	}
	/* owners are the host's: a change to what is there already is none */
	if ((at->valid & ATTR_UID && at->uid != inode->uid) || (at->valid & ATTR_GID && at->gid != inode->gid))
		return -EPERM;
	if (at->valid & ATTR_MODE)
		valid |= P9_SET_MODE;
	if (at->valid & ATTR_SIZE)
		valid |= P9_SET_SIZE;
	if (at->valid & ATTR_ATIME)
		valid |= P9_SET_ATIME | P9_SET_ATIME_SET;
	if (at->valid & ATTR_MTIME)
		valid |= P9_SET_MTIME | P9_SET_MTIME_SET;
	if (!valid)
		return 0;
	c = begin_at(inode, &ret);
	if (!c)
		return ret;
	put_setattr(c, valid, at);
	ret = p9_transact(c, &in, NULL);
	end_at(c);
	if (!ret) {
		if (at->valid & ATTR_SIZE)
			inode->size = at->size;
		setattr_copy(inode, at);
		p9_inode_changed(inode);
	}
	return ret;
}

const struct inode_ops p9_inode_ops = {
	.lookup = p9_lookup,
	.lookup_open = p9_lookup_open,
	.revalidate = p9_revalidate,
	.create = p9_create,
	.link = p9_link,
	.unlink = p9_unlink,
	.rmdir = p9_rmdir,
	.rename = p9_rename,
	.readlink = p9_readlink,
	.refresh = p9_refresh,
	.setattr = p9_setattr,
	.open = p9_open,
};
