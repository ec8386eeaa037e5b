// SPDX-License-Identifier: MIT
/* --keep-changes, at the start: what DIR has is made again, by name and through the mounts, as if a program did it. */
#include "fs/keep_internal.h"

#include "base/printf.h"
#include "base/string.h"
#include "fs/namei.h"
#include "mm/kmalloc.h"

#define CHUNK	65536u

/* A directory of DIR, and how far we are in it. */
struct loading {
	struct loading *up;
	struct inode *from;		/* a reference */
	struct keep_name *names, *at;
	u32 len;			/* of the path before it was entered */
};

static int set_attrs(const char *path, const struct inode *from)
{
	struct iattr attr = { .valid = ATTR_UID | ATTR_GID, .uid = keep.uid, .gid = keep.gid };
	struct path p;
	int ret = path_lookup(AT_FDCWD, path, 0, &p);

	if (ret)
		return ret;
	ret = vfs_setattr(&p, &attr, false);
	/* after the owner, who takes set-id bits along */
	attr = (struct iattr){ .valid = ATTR_MODE | ATTR_ATIME | ATTR_MTIME, .mode = from->mode & 07777, .atime = from->atime,
			       .mtime = from->mtime };
	if (S_ISLNK(from->mode))
		attr.valid &= ~ATTR_MODE;
	if (!ret)
		ret = vfs_setattr(&p, &attr, false);
	if (!ret && S_ISREG(from->mode))
		atomic_or(&p.dentry->inode->flags, INODE_KEPT);
	path_put(&p);
	return ret;
}

/* What the lower half of the overlay has as @name in the directory at @path is hidden, and so is what was made of it. */
static int hide(const char *path, const char *name, size_t len)
{
	struct qstr q = keep_qstr(name, len);
	struct dentry *d;
	struct path p;
	int ret = path_lookup(AT_FDCWD, *path ? path : "/", LOOKUP_DIRECTORY, &p);

	if (ret == -ENOENT)
		return 0;	/* a part of the tree that this sandbox does not have */
	if (ret)
		return ret;
	ret = mount_writable(p.mnt);
	if (!ret)
		ret = overlay_hide(p.dentry->inode, &q);
	d = ret ? NULL : dcache_find(p.dentry, &q);
	if (d)
		dentry_drop(d);
	dentry_put(d);
	path_put(&p);
	return ret;
}

/* Room for a @mode at @path: what has the name already goes, but for a directory where one is to be. Return: 0, 1: it is there, 2: and is not the layer's */
static int make_room(const char *parent, const char *path, const struct keep_name *n, u32 mode)
{
	struct path p;
	int ret = path_lookup(AT_FDCWD, path, 0, &p);
	u32 there;
	bool own;

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	there = p.dentry->inode->mode;
	own = (load_relaxed(&p.dentry->inode->flags) & (INODE_COVERED | INODE_FURNITURE)) || p.dentry == p.mnt->root;
	ret = (load_relaxed(&p.dentry->inode->flags) & INODE_COVERED) || p.dentry == p.mnt->root;
	path_put(&p);
	if (S_ISDIR(mode) && S_ISDIR(there))
		return own ? 2 : 1;
	if (ret)
		return -EBUSY;		/* something else is mounted there now */
	if (S_ISDIR(there))
		return hide(parent, n->s, n->len);
	return vfs_unlink(AT_FDCWD, path);
}

static int load_bytes(struct inode *from, struct file *to)
{
	struct file *f = inode_open(from, O_RDONLY);
	char *buf;
	pos_t pos = 0;
	ssize_t n = 0, put;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	buf = kmalloc(CHUNK);
	if (!buf)
		n = -ENOMEM;
	while (!n && (n = file_read_at(f, buf, CHUNK, pos)) > 0) {
		ssize_t used = n;

		/* holes stay holes, by and large */
		while (used && !buf[used - 1])
			used--;
		put = used ? file_write_at(to, buf, (size_t)used, pos) : 0;
		pos += n;
		n = put < 0 ? put : put < used ? -ENOSPC : 0;
	}
	kfree(buf);
	file_put(f);
	return n ? (int)n : file_truncate(to, pos);
}

static int load_file(const char *path, struct inode *from)
{
	struct file *to = vfs_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	int ret;

	if (IS_ERR(to))
		return (int)PTR_ERR(to);
	ret = load_bytes(from, to);
	file_put(to);
	return ret;
}

static int load_link(const char *path, struct inode *from)
{
	char *target = kmalloc(PATH_MAX);
	ssize_t n = target ? from->ops->readlink(from, target, PATH_MAX - 1) : -ENOMEM;

	if (n > 0) {
		target[n] = '\0';
		n = vfs_create_node(AT_FDCWD, path, S_IFLNK | 0777, 0, target, NULL);
	}
	kfree(target);
	return (int)n;
}

/* @path: of the new object; @parent: of its directory. Return: 0, -errno; 1: a directory, which is there now */
static int load_one(const char *parent, const char *path, const struct keep_name *n, struct inode *from)
{
	int ret = make_room(parent, path, n, from->mode);

	if (ret < 0)
		return ret;
	switch (from->mode & S_IFMT) {
	case S_IFDIR:
		if (!ret)
			ret = vfs_create_node(AT_FDCWD, path, S_IFDIR | 0700, 0, NULL, NULL);
		break;
	case S_IFREG:
		ret = load_file(path, from);
		break;
	case S_IFLNK:
		ret = load_link(path, from);
		break;
	default:
		return -EINVAL;
	}
	if (ret == 2)
		return 1;	/* the sandbox's own: it stays as it is */
	if (ret >= 0)
		ret = set_attrs(path, from);
	return ret ? ret : S_ISDIR(from->mode) ? 1 : 0;
}

/* An opaque directory hides what lies below: the directory is made anew. */
static int load_opaque(char *path, u32 len, const struct inode *from)
{
	char *slash = strrchr(path, '/');
	u32 at = (u32)(slash - path);
	int ret;

	path[at] = '\0';
	ret = hide(path, slash + 1, len - at - 1);
	path[at] = '/';
	if (!ret)
		ret = vfs_create_node(AT_FDCWD, path, S_IFDIR | 0700, 0, NULL, NULL);
	if (ret == -EEXIST)
		return 0;	/* there was nothing below */
	return ret ? ret : set_attrs(path, from);
}

static struct loading *enter(struct loading *up, struct inode *from, char *path, u32 len, int *ret)
{
	struct loading *l = kzalloc(sizeof(*l));
	u32 now = (u32)strlen(path);

	*ret = l ? keep_names(from, &l->names) : -ENOMEM;
	/* first, so that nothing which was kept is hidden with the rest */
	for (struct keep_name *n = *ret ? NULL : l->names; n; n = n->next)
		if (!*ret && now && streq(n->s, WH_OPAQUE))
			*ret = load_opaque(path, now, from);
	if (*ret) {
		if (l)
			keep_names_free(l->names);
		kfree(l);
		inode_put(from);
		return up;
	}
	l->up = up;
	l->from = from;
	l->at = l->names;
	l->len = len;
	return l;
}

static struct loading *leave(struct loading *l, char *path)
{
	struct loading *up = l->up;

	path[l->len] = '\0';
	inode_put(l->from);
	keep_names_free(l->names);
	kfree(l);
	return up;
}

/* One name of the directory at @path. */
static struct loading *load_name(struct loading *l, struct keep_name *n, char *path, int *ret)
{
	u32 len = (u32)strlen(path);
	struct inode *from;
	char *parent;

	if (keep_is_meta(n->s))
		return l;
	if (keep_is_whiteout(n->s)) {
		*ret = hide(path, n->s + sizeof(WH_PREFIX) - 1, n->len - (sizeof(WH_PREFIX) - 1));
		if (*ret)
			keep_failed(path, n->s, "cannot be taken up", *ret);
		return l;
	}
	if (len + n->len + 1 >= PATH_MAX) {
		*ret = keep_failed(path, n->s, "lies too deep", -ENAMETOOLONG);
		return l;
	}
	from = keep_find(l->from, n->s, n->len);
	if (IS_ERR_OR_NULL(from)) {
		*ret = keep_failed(path, n->s, "cannot be read", from ? (int)PTR_ERR(from) : -ENOENT);
		return l;
	}
	parent = kstrndup(path, len);
	path[len] = '/';
	memcpy(path + len + 1, n->s, n->len + 1);
	*ret = parent ? load_one(parent, path, n, from) : -ENOMEM;
	kfree(parent);
	if (*ret == 1)
		return enter(l, from, path, len, ret);
	path[len] = '\0';
	inode_put(from);
	if (*ret)
		keep_failed(path, n->s, *ret == -EROFS ? "is in a part that is read-only now: give the options that it was kept with" :
			    *ret == -EINVAL ? "is neither a file, a directory nor a link: remove it" : "cannot be taken up", *ret);
	return l;
}

int keep_load(void)
{
	char *path = kzalloc(PATH_MAX + NAME_MAX + 2);
	struct loading *l;
	int ret = 0;

	if (!path)
		return -ENOMEM;
	inode_get(keep.dir);
	l = enter(NULL, keep.dir, path, 0, &ret);
	while (l && !ret) {
		struct keep_name *n = l->at;

		if (n) {
			l->at = n->next;
			l = load_name(l, n, path, &ret);
		} else {
			l = leave(l, path);
		}
	}
	while (l)
		l = leave(l, path);
	kfree(path);
	return ret;
}
