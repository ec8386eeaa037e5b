// SPDX-License-Identifier: MIT
/*
 * Path walking: component by component, symlinks by a stack of what is left to do, mounts as they come. See path_resolution(7) and
 * openat2(2).
 */
#include "fs/namei.h"

#include "base/string.h"
#include "fs/fs_state.h"
#include "fs/walk.h"
#include "mm/kmalloc.h"
#include "mm/uaccess.h"
#include "process/task.h"

u32 vfs_rename_seq;

int pathname_get(struct pathname *p, u64 user, u32 flags)
{
	ssize_t len = strncpy_from_user(p->small, user, sizeof(p->small));

	if (len < 0)
		return len;
	p->s = p->small;
	if ((size_t)len == sizeof(p->small)) {
		p->s = kmalloc(PATH_MAX);
		if (!p->s)
			return -ENOMEM;
		len = strncpy_from_user(p->s, user, PATH_MAX);
		if (len < 0 || len == PATH_MAX) {
			kfree(p->s);
			return len < 0 ? (int)len : -ENAMETOOLONG;
		}
	}
	if (!p->s[0] && !(flags & LOOKUP_EMPTY)) {
		pathname_put(p);
		return -ENOENT;
	}
	return 0;
}

void pathname_put(struct pathname *p)
{
	if (p->s != p->small)
		kfree(p->s);
}

/* ---- one name ---- */

static bool still_holds(struct dentry *dir, const struct qstr *name, struct dentry *d)
{
	return likely(!(dir->inode->sb->flags & SB_REVALIDATE)) ||
	       dir->inode->ops->revalidate(dir->inode, name, load_acquire(&d->inode));
}

/* @found: a reference or NULL. @old, if not NULL, is what the cache said of the name; its reference is used up. */
static struct dentry *cache_answer(struct dentry *dir, const struct qstr *name, struct dentry *old, struct inode *found)
{
	u32 sb_flags = dir->inode->sb->flags;
	struct dentry *d;

	/*
	 * The same object: keep the name, and with it all that is cached below. A second one beside it, in which somebody else
	 * stands, would not hear of what is done through this one.
	 */
	if (old && old->inode == found) {
		inode_put(found);
		return old;
	}
	if (old) {
		dentry_drop(old);
		dentry_put(old);
	}
	d = dentry_alloc(dir, name);
	if (!d) {
		inode_put(found);
		return ERR_PTR(-ENOMEM);
	}
	if ((sb_flags & SB_NOCACHE) || (!found && (sb_flags & SB_NONEGATIVE)))
		d->inode = found;
	else
		dentry_add(d, found);
	return d;
}

static struct dentry *lookup_locked(struct dentry *dir, const struct qstr *name, bool opening)
{
	struct inode *inode = dir->inode, *found;
	struct dentry *d;

	d = dcache_find(dir, name);
	if (d && still_holds(dir, name, d))
		return d;
	if (inode->flags & INODE_DEAD)
		found = ERR_PTR(-ENOENT);
	else if (!inode->ops || !inode->ops->lookup)
		found = ERR_PTR(-ENOTDIR);
	else if (opening && inode->ops->lookup_open)
		found = inode->ops->lookup_open(inode, name);
	else
		found = inode->ops->lookup(inode, name);
	if (IS_ERR(found) && (PTR_ERR(found) != -ENOENT || (inode->flags & INODE_DEAD))) {
		dentry_put(d);
		return (void *)found;
	}
	return cache_answer(dir, name, d, IS_ERR(found) ? NULL : found);
}

struct dentry *dentry_lookup_locked(struct dentry *dir, const struct qstr *name)
{
	return lookup_locked(dir, name, false);
}

/* From the cache, if what it says still holds. */
static struct dentry *lookup_cached(struct dentry *dir, const struct qstr *name)
{
	struct dentry *d = dcache_find(dir, name);

	if (d && unlikely(!still_holds(dir, name, d))) {
		dentry_put(d);
		return NULL;
	}
	return d;
}

static struct dentry *lookup_one(struct dentry *dir, const struct qstr *name, bool opening)
{
	struct dentry *d = lookup_cached(dir, name);

	if (likely(d))
		return d;
	mutex_lock(&dir->inode->lock);
	d = lookup_locked(dir, name, opening);
	mutex_unlock(&dir->inode->lock);
	return d;
}

struct dentry *dentry_lookup(struct dentry *dir, const char *name, size_t len)
{
	struct qstr q = { name, (u32)len, 0 };

	if (len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	q.hash = qstr_hash(name, q.len);
	return lookup_one(dir, &q, false);
}

/* ---- begin and end ---- */

static void current_root(struct path *out)
{
	if (current && current->fs)
		fs_state_root(current->fs, out);
	else
		root_path(out);
}

static void current_cwd(struct path *out)
{
	if (current && current->fs)
		fs_state_cwd(current->fs, out);
	else
		root_path(out);
}

/* access(2) asks what the real user may; a real root has the capabilities that it could raise. */
static void use_real_ids(struct walk *w)
{
	w->real = *w->cred;
	w->real.fsuid = w->cred->uid;
	w->real.fsgid = w->cred->gid;
	if (!(w->cred->securebits & SECBIT_NO_SETUID_FIXUP))
		w->real.cap_effective = w->cred->uid ? 0 : w->cred->cap_permitted;
	w->cred = &w->real;
}

static int start_at_fd(struct walk *w, int dirfd, bool need_dir)
{
	struct file *f = fd_get_path(dirfd);
	int ret;

	if (!f)
		return -EBADF;
	ret = file_path(f, &w->path);
	file_put(f);
	if (!ret && need_dir && !S_ISDIR(w->path.dentry->inode->mode)) {
		path_put(&w->path);
		ret = -ENOTDIR;
	}
	return ret;
}

static int walk_start(struct walk *w, int dirfd, const struct path *dir, const char *name, u32 flags)
{
	int ret = 0;

	w->path = (struct path){ NULL, NULL };
	w->root = (struct path){ NULL, NULL };
	w->cred = current && current->cred ? current->cred : &kernel_cred;
	w->flags = flags;
	w->resolve = flags >> LOOKUP_RESOLVE_SHIFT;
	w->slash = false;
	w->links = 0;
	w->depth = 0;
	w->rename_seq = load_acquire(&vfs_rename_seq);
	if (flags & LOOKUP_REAL_IDS)
		use_real_ids(w);
	if (!*name && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	current_root(&w->root);
	if (*name == '/' && !(w->resolve & RESOLVE_IN_ROOT)) {
		if (w->resolve & RESOLVE_BENEATH) {
			path_put(&w->root);
			return -EXDEV;
		}
		w->path = w->root;
		path_get(&w->path);
		return 0;
	}
	if (dir) {
		w->path = *dir;
		path_get(&w->path);
	} else if (dirfd == AT_FDCWD) {
		current_cwd(&w->path);
	} else {
		ret = start_at_fd(w, dirfd, *name != '\0');
	}
	if (ret) {
		path_put(&w->root);
		return ret;
	}
	if (w->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) {
		path_put(&w->root);
		w->root = w->path;
		path_get(&w->root);
	}
	return 0;
}

int walk_begin(struct walk *w, int dirfd, const char *name, u32 flags)
{
	return walk_start(w, dirfd, NULL, name, flags);
}

int walk_begin_at(struct walk *w, const struct path *dir, const char *name, u32 flags)
{
	return walk_start(w, AT_FDCWD, dir, name, flags);
}

void walk_end(struct walk *w)
{
	for (u32 i = 0; i < w->links; i++)
		kfree(w->text[i]);
	path_put(&w->path);
	path_put(&w->root);
}

/* ---- steps ---- */

static bool path_equal(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

/* Onto what is mounted here. */
static int step_mounts(struct walk *w, struct path *p)
{
	struct mount *before = p->mnt;

	if (!(READ_ONCE(p->dentry->flags) & DENTRY_MOUNTED))
		return 0;
	path_to_top(p);
	return p->mnt != before && (w->resolve & RESOLVE_NO_XDEV) ? -EXDEV : 0;
}

static int step_up(struct walk *w)
{
	struct path *p = &w->path;

	for (;;) {
		struct dentry *parent;

		if (path_equal(p, &w->root)) {
			if (w->resolve & RESOLVE_BENEATH)
				return -EXDEV;
			break;
		}
		if (p->dentry == p->mnt->root) {
			if (!path_up(p))
				break;
			if (w->resolve & RESOLVE_NO_XDEV)
				return -EXDEV;
			continue;
		}
		parent = dentry_parent(p->dentry);
		dentry_put(p->dentry);
		p->dentry = parent;
		break;
	}
	/* A directory that was moved meanwhile may have carried us out of where we must stay. */
	if ((w->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) && load_acquire(&vfs_rename_seq) != w->rename_seq)
		return -EAGAIN;
	return step_mounts(w, p);
}

/* The text of @inode; short ones in a small piece of memory. */
static int read_link(struct inode *inode, char **out)
{
	size_t size = 192;

	for (;;) {
		char *text = kmalloc(size);
		ssize_t len;

		if (!text)
			return -ENOMEM;
		len = inode->ops->readlink(inode, text, size);
		if (len > 0 && (size_t)len < size) {
			text[len] = '\0';
			*out = text;
			return 0;
		}
		kfree(text);
		if (len <= 0)
			return len ? (int)len : -ENOENT;
		if (size == PATH_MAX)
			return -ENAMETOOLONG;
		size = PATH_MAX;
	}
}

/* fs.protected_symlinks: in a sticky directory that everybody writes to, links of others are not followed. */
static int may_follow(struct walk *w, struct inode *link)
{
	struct inode *dir = w->path.dentry->inode;

	if (w->cred->fsuid == link->uid || (dir->mode & (S_ISVTX | 02)) != (S_ISVTX | 02) || dir->uid == link->uid)
		return 0;
	return -EACCES;
}

static int follow_magic(struct walk *w, struct inode *link)
{
	struct path to;
	int ret;

	if (w->resolve & RESOLVE_NO_MAGICLINKS)
		return -ELOOP;
	if (w->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
		return -EXDEV;
	ret = link->ops->follow(link, &to);
	if (ret)
		return ret;
	if ((w->resolve & RESOLVE_NO_XDEV) && to.mnt != w->path.mnt)
		ret = -EXDEV;
	path_put(&w->path);
	w->path = to;
	return ret;
}

/* @link was found in w->path. On return *more is its text, or NULL when a magic link led to w->path directly. */
static int follow_link(struct walk *w, struct path *link_path, const char **more)
{
	struct inode *link = link_path->dentry->inode;
	char *text = NULL;
	int ret;

	*more = NULL;
	if (w->links >= SYMLINK_MAX_DEPTH || (w->resolve & RESOLVE_NO_SYMLINKS))
		return -ELOOP;
	if (READ_ONCE(link_path->mnt->flags) & MNT_NOSYMFOLLOW)
		return -ELOOP;
	ret = may_follow(w, link);
	if (ret)
		return ret;
	if (link->ops->follow) {
		w->text[w->links++] = NULL;
		return follow_magic(w, link);
	}
	if (!link->ops->readlink)
		return -EINVAL;
	ret = read_link(link, &text);
	if (ret)
		return ret;
	w->text[w->links++] = text;
	inode_accessed(link, link_path->mnt, 0);
	*more = text;
	if (*text != '/')
		return 0;
	if (w->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if ((w->resolve & RESOLVE_NO_XDEV) && w->root.mnt != w->path.mnt)
		return -EXDEV;
	path_get(&w->root);
	path_put(&w->path);
	w->path = w->root;
	return 0;
}

int walk_into(struct walk *w, struct dentry *d, bool follow, const char **more)
{
	struct path next = { w->path.mnt, d };
	struct inode *inode = load_acquire(&d->inode);
	int ret;

	*more = NULL;
	if (likely(inode && !S_ISLNK(inode->mode) && !(READ_ONCE(d->flags) & DENTRY_MOUNTED))) {
		/* The mount stays: one reference less to move. */
		dentry_put(w->path.dentry);
		w->path.dentry = d;
		return 0;
	}
	if (!inode) {
		dentry_put(d);
		return -ENOENT;
	}
	mount_get(next.mnt);
	ret = step_mounts(w, &next);
	if (!ret && S_ISLNK(next.dentry->inode->mode) && follow) {
		ret = follow_link(w, &next, more);
		path_put(&next);
		return ret;
	}
	path_put(&w->path);
	w->path = next;
	return ret;
}

struct dentry *walk_last(struct walk *w, bool opening)
{
	struct dentry *dir = w->path.dentry, *d;

	if (w->last.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	d = lookup_cached(dir, &w->last);
	if (likely(d))
		return d;
	if (w->resolve & RESOLVE_CACHED)
		return ERR_PTR(-EAGAIN);
	return lookup_one(dir, &w->last, opening);
}

static enum walk_last name_type(const struct qstr *name)
{
	if (name->name[0] != '.' || name->len > 2)
		return LAST_NORM;
	if (name->len == 1)
		return LAST_DOT;
	return name->name[1] == '.' ? LAST_DOTDOT : LAST_NORM;
}

static int search_permission(struct walk *w)
{
	struct inode *inode = w->path.dentry->inode;

	if (!S_ISDIR(inode->mode))
		return -ENOTDIR;
	return inode_permission_cred(inode, MAY_EXEC, w->cred);
}

static int walk_component(struct walk *w, const char **rest)
{
	const char *more;
	struct dentry *d;
	int ret;

	if (w->last_type == LAST_DOT)
		return 0;
	if (w->last_type == LAST_DOTDOT)
		return step_up(w);
	d = walk_last(w, false);
	if (IS_ERR(d))
		return PTR_ERR(d);
	ret = walk_into(w, d, true, &more);
	if (!ret && more) {
		w->rest[w->depth++] = *rest;
		*rest = more;
	}
	return ret;
}

int walk_parent(struct walk *w, const char *s)
{
	for (;;) {
		const char *end;
		int ret;

		while (*s == '/')
			s++;
		if (!*s) {
			if (!w->depth) {
				w->last = (struct qstr){ s, 0, 0 };
				w->last_type = LAST_ROOT;
				return 0;
			}
			s = w->rest[--w->depth];
			continue;
		}
		ret = search_permission(w);
		if (ret)
			return ret;
		for (end = s; *end && *end != '/'; end++)
			;
		w->last = (struct qstr){ s, (u32)(end - s), 0 };
		w->last.hash = qstr_hash(s, w->last.len);
		w->last_type = name_type(&w->last);
		s = end;
		while (*s == '/')
			s++;
		if (!*s && !w->depth) {
			w->slash |= *end == '/';
			return 0;
		}
		ret = walk_component(w, &s);
		if (ret)
			return ret;
	}
}

int walk_dots(struct walk *w)
{
	return w->last_type == LAST_DOTDOT ? step_up(w) : 0;
}

/* ---- look-up ---- */

int walk_all(struct walk *w, const char *name)
{
	bool follow = w->flags & LOOKUP_FOLLOW;

	while (*name) {
		struct dentry *d;
		int ret = walk_parent(w, name);

		if (ret)
			return ret;
		if (w->last_type != LAST_NORM) {
			ret = walk_dots(w);
			if (ret)
				return ret;
			break;
		}
		d = walk_last(w, false);
		if (IS_ERR(d))
			return PTR_ERR(d);
		ret = walk_into(w, d, follow || w->slash, &name);
		if (ret)
			return ret;
		if (!name)
			break;
	}
	if ((w->slash || (w->flags & LOOKUP_DIRECTORY)) && !S_ISDIR(w->path.dentry->inode->mode))
		return -ENOTDIR;
	return 0;
}

static int finish_lookup(struct walk *w, const char *name, struct path *out)
{
	int ret = walk_all(w, name);

	if (!ret) {
		*out = w->path;
		w->path = (struct path){ NULL, NULL };
	}
	walk_end(w);
	return ret;
}

int path_lookup(int dirfd, const char *name, u32 flags, struct path *out)
{
	struct walk w;
	int ret = walk_begin(&w, dirfd, name, flags);

	return ret ? ret : finish_lookup(&w, name, out);
}

int path_lookup_from(const struct path *dir, const char *name, u32 flags, struct path *out)
{
	struct walk w;
	int ret = walk_begin_at(&w, dir, name, flags);

	return ret ? ret : finish_lookup(&w, name, out);
}

int path_lookup_user(int dirfd, u64 user, u32 flags, struct path *out)
{
	struct pathname name;
	int ret = pathname_get(&name, user, flags);

	if (ret)
		return ret;
	ret = path_lookup(dirfd, name.s, flags, out);
	pathname_put(&name);
	return ret;
}
