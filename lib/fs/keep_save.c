// SPDX-License-Identifier: MIT
/*
 * --keep-changes, at the end: DIR is made to say what the layer has. Only what the layer has itself is looked at: a tree of the host
 * that nobody changed costs nothing. A file comes into its place by a rename, so that whatever happens it is the old one or the new.
 */
#include "fs/keep_internal.h"

#include "base/string.h"
#include "boot_config.h"
#include "fs/namei.h"
#include "mm/kmalloc.h"
#include "mm/pagecache.h"

#define CHUNK		65536u
#define DT_WHT		14

/* A directory of the layer, and how far we are in it. */
struct saving {
	struct saving *up;
	struct inode *from, *to;	/* references; to: of the host */
	struct keep_name *names, *at;
	bool full;			/* what lies below it here is not what lies below it in the next sandbox: all is written */
	bool opaque;
	bool furniture;			/* goes when nothing is in it */
	u32 len;			/* of the path before it was entered */
};

/* ---- what the layer has ---- */

/* As keep_names(), but only what the layer itself has, whiteouts among it. */
static int layer_names(struct inode *dir, struct keep_name **out)
{
	bool overlay = dir->ops == &ovl_dir_ops;
	struct keep_name **last = out;
	struct memfs_dirent *e;
	int ret = 0;

	*out = NULL;
	mutex_lock(&dir->lock);
	if (overlay)
		mutex_lock(&overlay_of(dir)->lock);
	for (e = memfs_first_at(dir, 0); e && !ret; ) {
		struct rb_node *next = rb_next(&e->by_pos);
		struct keep_name *n = kmalloc(sizeof(*n) + e->len + 1u);

		if (n) {
			*n = (struct keep_name){ .type = e->inode ? mode_to_dt(e->inode->mode) : DT_WHT, .len = e->len };
			memcpy(n->s, e->name, e->len + 1u);
			*last = n;
			last = &n->next;
		}
		ret = n ? 0 : -ENOMEM;
		e = next ? rb_entry(next, struct memfs_dirent, by_pos) : NULL;
	}
	if (overlay)
		mutex_unlock(&overlay_of(dir)->lock);
	mutex_unlock(&dir->lock);
	if (ret) {
		keep_names_free(*out);
		*out = NULL;
	}
	return ret;
}

enum has { HAS_NOTHING, HAS_WHITEOUT, HAS_OBJECT };

/* What the layer itself has as @name. */
static enum has layer_has(struct inode *dir, const char *name, size_t len)
{
	struct qstr q = keep_qstr(name, len);
	bool overlay = dir->ops == &ovl_dir_ops;
	struct memfs_dirent *e;
	enum has has;

	if (overlay)
		mutex_lock(&overlay_of(dir)->lock);
	e = memfs_find(dir, &q);
	has = !e ? HAS_NOTHING : e->inode ? HAS_OBJECT : HAS_WHITEOUT;
	if (overlay)
		mutex_unlock(&overlay_of(dir)->lock);
	return has;
}

/* Below the layer; a reference or NULL. */
static struct inode *below(struct inode *dir, const char *name, size_t len)
{
	struct qstr q = keep_qstr(name, len);
	struct inode *lower = ovl_lower_lookup(dir, &q);

	return IS_ERR(lower) ? NULL : lower;
}

/* ---- what DIR has too much ---- */

static bool stays(const struct saving *s, const struct keep_name *h)
{
	const char *name = h->s + sizeof(WH_PREFIX) - 1;
	struct inode *there;
	enum has has;

	if (keep_is_meta(h->s))
		return streq(h->s, BOOT_KEEP_MARKER) || (s->opaque && streq(h->s, WH_OPAQUE));
	if (!keep_is_whiteout(h->s)) {
		if (!s->full)
			return layer_has(s->from, h->s, h->len) == HAS_OBJECT;
		there = keep_find(s->from, h->s, h->len);
	} else {
		has = layer_has(s->from, name, strlen(name));
		if (s->full || has != HAS_NOTHING)
			return !s->full && has == HAS_WHITEOUT;
		/* of another view of the tree, where there is something below */
		there = below(s->from, name, strlen(name));
		inode_put(there);
		return !there;
	}
	if (IS_ERR_OR_NULL(there))
		return false;
	inode_put(there);
	return true;
}

static int prune(const struct saving *s, const char *path)
{
	struct keep_name *all, *h;
	int ret = keep_names(s->to, &all);

	for (h = all; h && !ret; h = h->next) {
		/* what we never make is left to whoever made it */
		if (stays(s, h) || (h->type != DT_REG && h->type != DT_LNK && h->type != DT_DIR))
			continue;
		ret = keep_remove(s->to, h->s, h->len);
		if (ret)
			keep_failed(path, h->s, "cannot be removed", ret);
	}
	keep_names_free(all);
	return ret;
}

/* ---- single objects ---- */

static int set_host_attrs(struct inode *to, const struct iattr *attr)
{
	int ret;

	mutex_lock(&to->lock);
	ret = to->ops->setattr(to, attr);
	mutex_unlock(&to->lock);
	return ret;
}

static int write_all(struct file *to, const char *buf, size_t len, pos_t pos)
{
	while (len) {
		ssize_t n = file_write_at(to, buf, len, pos);

		if (n == -EINTR || n == -ERESTARTSYS)
			continue;	/* we are being killed: this is what is left to do */
		if (n <= 0)
			return n ? (int)n : -EIO;
		buf += n;
		pos += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Bytes of [pos, size) that are there. */
static int copy_bytes(struct inode *inode, struct file *from, struct file *to, char *buf)
{
	pos_t pos = 0, size = inode->size;

	while (pos < size) {
		ssize_t n;
		int ret;

		if (inode->pagecache)
			pos = pagecache_seek_data(inode->pagecache, pos, size);
		if (pos >= size)
			break;
		n = file_read_at(from, buf, (size_t)min(size - pos, (pos_t)CHUNK), pos);
		if (n == -EINTR || n == -ERESTARTSYS)
			continue;
		if (n <= 0)
			return (int)n;
		ret = write_all(to, buf, (size_t)n, pos);
		if (ret)
			return ret;
		pos += n;
	}
	return 0;
}

static int fill_file(struct inode *inode, struct inode *made)
{
	const struct iattr size = { .valid = ATTR_SIZE, .size = inode->size };
	const struct iattr attr = {
		.valid = ATTR_MODE | ATTR_ATIME | ATTR_MTIME, .mode = (inode->mode & 0777) | 0400,
		.atime = inode->atime, .mtime = inode->mtime,
	};
	struct file *from = inode_open(inode, O_RDONLY), *to;
	char *buf;
	int ret;

	if (IS_ERR(from))
		return (int)PTR_ERR(from);
	to = inode_open(made, O_RDWR);
	if (IS_ERR(to)) {
		file_put(from);
		return (int)PTR_ERR(to);
	}
	buf = kmalloc(CHUNK);
	ret = buf ? copy_bytes(inode, from, to, buf) : -ENOMEM;
	kfree(buf);
	file_put(from);
	file_put(to);
	if (!ret)
		ret = set_host_attrs(made, &size);
	return ret ? ret : set_host_attrs(made, &attr);
}

static bool is_same_file(const struct inode *inode, const struct inode *host)
{
	return host && S_ISREG(host->mode) && (load_relaxed(&inode->flags) & INODE_KEPT) && inode->mtime == host->mtime &&
	       inode->size == host->size && ((inode->mode & 0777) | 0400) == (host->mode & 0777);
}

static int save_file(struct saving *s, const struct keep_name *n, struct inode *inode, struct inode *host)
{
	const size_t tmp_len = sizeof(WH_TEMPORARY) - 1;
	struct qstr tmp = keep_qstr(WH_TEMPORARY, tmp_len), name = keep_qstr(n->s, n->len);
	struct inode *made;
	int ret;

	if (is_same_file(inode, host))
		return 0;
	ret = keep_remove(s->to, WH_TEMPORARY, tmp_len);
	if (!ret && host && S_ISDIR(host->mode)) {
		ret = keep_remove(s->to, n->s, n->len);
		host = NULL;
	}
	if (ret)
		return ret;
	made = keep_make(s->to, WH_TEMPORARY, tmp_len, S_IFREG | 0600, NULL);
	if (IS_ERR(made))
		return (int)PTR_ERR(made);
	ret = fill_file(inode, made);
	if (!ret) {
		mutex_lock(&s->to->lock);
		ret = s->to->ops->rename(s->to, &tmp, made, s->to, &name, host, 0);
		mutex_unlock(&s->to->lock);
	}
	inode_put(made);
	if (ret)
		(void)keep_remove(s->to, WH_TEMPORARY, tmp_len);
	return ret;
}

static int save_link(struct saving *s, const struct keep_name *n, struct inode *inode, struct inode *host)
{
	char *target = kmalloc(2 * PATH_MAX), *old = target + PATH_MAX;
	ssize_t len = target ? inode->ops->readlink(inode, target, PATH_MAX - 1) : -ENOMEM, old_len;
	int ret = len < 0 ? (int)len : 0;

	if (!ret && host && S_ISLNK(host->mode)) {
		old_len = host->ops->readlink(host, old, PATH_MAX - 1);
		if (old_len == len && !memcmp(old, target, (size_t)len))
			goto out;
	}
	if (!ret)
		ret = keep_remove(s->to, n->s, n->len);
	if (!ret) {
		struct inode *made;

		target[len] = '\0';
		made = keep_make(s->to, n->s, n->len, S_IFLNK | 0777, target);
		if (IS_ERR(made))
			ret = (int)PTR_ERR(made);
		else
			inode_put(made);
	}
out:
	kfree(target);
	return ret;
}

/* An empty file that means something. */
static int save_mark(struct inode *to, const char *name, size_t len)
{
	struct inode *made = keep_find(to, name, len);

	if (!made)
		made = keep_make(to, name, len, S_IFREG | 0644, NULL);
	if (IS_ERR(made))
		return (int)PTR_ERR(made);
	inode_put(made);
	return 0;
}

static int save_whiteout(struct saving *s, const struct keep_name *n)
{
	const size_t prefix = sizeof(WH_PREFIX) - 1;
	char name[NAME_MAX + 1];

	if (n->len + prefix > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(name, WH_PREFIX, prefix);
	memcpy(name + prefix, n->s, n->len);
	return save_mark(s->to, name, n->len + prefix);
}

/* ---- directories ---- */

/* Takes over both references. Return: the frame, or @up after an error */
static struct saving *enter(struct saving *up, struct inode *from, struct inode *to, const struct saving *how, char *path, int *ret)
{
	struct saving *s = kzalloc(sizeof(*s));

	*ret = s ? 0 : -ENOMEM;
	if (s) {
		*s = *how;
		s->up = up;
		s->from = from;
		s->to = to;
		*ret = how->full ? keep_names(from, &s->names) : layer_names(from, &s->names);
		s->at = s->names;
	}
	if (!*ret)
		*ret = prune(s, path);
	if (!*ret && how->opaque)
		*ret = save_mark(to, WH_OPAQUE, sizeof(WH_OPAQUE) - 1);
	if (!*ret)
		return s;
	if (s)
		keep_names_free(s->names);
	kfree(s);
	inode_put(from);
	inode_put(to);
	return up;
}

/* Its name in the directory above is the last one of @path. */
static struct saving *leave(struct saving *s, char *path)
{
	struct saving *up = s->up;

	if (up && s->furniture) {
		struct qstr q = keep_qstr(path + s->len + 1, strlen(path + s->len + 1));

		mutex_lock(&up->to->lock);
		(void)up->to->ops->rmdir(up->to, &q, s->to);	/* ENOTEMPTY: it is needed */
		mutex_unlock(&up->to->lock);
	}
	path[s->len] = '\0';
	keep_names_free(s->names);
	inode_put(s->from);
	inode_put(s->to);
	kfree(s);
	return up;
}

/* The directory of DIR for @inode; *@host is what is there, or NULL. Return: 0 with a reference in *@host */
static int host_dir(struct saving *s, const struct keep_name *n, const struct inode *inode, struct inode **host)
{
	const struct iattr attr = { .valid = ATTR_MODE, .mode = (inode->mode & 01777) | 0700 };

	if (*host && !S_ISDIR((*host)->mode)) {
		int ret = keep_remove(s->to, n->s, n->len);

		inode_put(*host);
		*host = NULL;
		if (ret)
			return ret;
	}
	if (!*host) {
		*host = keep_make(s->to, n->s, n->len, S_IFDIR | attr.mode, NULL);
		if (IS_ERR(*host)) {
			int ret = (int)PTR_ERR(*host);

			*host = NULL;
			return ret;
		}
		return 0;
	}
	return ((*host)->mode & 01777) == attr.mode ? 0 : set_host_attrs(*host, &attr);
}

/* How the content of @inode, which is @n in @s, is to be written. */
static struct saving how_to(const struct saving *s, const struct keep_name *n, const struct inode *inode)
{
	struct ovl_node *node = ovl_node(inode);
	struct inode *lower = below(s->from, n->s, n->len);
	bool in_place = node ? node->lower == lower : !lower;

	struct saving how = {
		.full = s->full || (node && !in_place),
		.opaque = !s->full && !in_place && lower && S_ISDIR(lower->mode),
		.furniture = load_relaxed(&inode->flags) & INODE_FURNITURE,
	};

	inode_put(lower);
	return how;
}

/* @inode: a reference, which is taken over; @host likewise, or NULL */
static struct saving *save_dir(struct saving *s, const struct keep_name *n, struct inode *inode, struct inode *host, char *path, int *ret)
{
	struct saving how = how_to(s, n, inode);

	how.len = (u32)strlen(path);
	*ret = host_dir(s, n, inode, &host);
	if (*ret) {
		inode_put(inode);
		inode_put(host);
		return s;
	}
	path[how.len] = '/';
	memcpy(path + how.len + 1, n->s, n->len + 1);
	s = enter(s, inode, host, &how, path, ret);
	if (*ret)
		path[how.len] = '\0';
	return s;
}

static struct saving *save_name(struct saving *s, const struct keep_name *n, char *path, int *ret)
{
	struct inode *inode, *host;
	u32 flags;

	if (n->type == DT_WHT) {
		*ret = save_whiteout(s, n);
		return s;
	}
	inode = keep_find(s->from, n->s, n->len);
	if (IS_ERR_OR_NULL(inode)) {
		*ret = inode ? (int)PTR_ERR(inode) : 0;
		return s;
	}
	flags = load_relaxed(&inode->flags);
	if (flags & INODE_COVERED || (flags & INODE_FURNITURE && !S_ISDIR(inode->mode)) || keep_is_whiteout(n->s) ||
	    strlen(path) + n->len + 1 > KEEP_PATH_MAX) {
		if (!(flags & (INODE_COVERED | INODE_FURNITURE)))
			*ret = keep_is_whiteout(n->s) ? -EINVAL : -ENAMETOOLONG;
		inode_put(inode);
		return s;
	}
	host = keep_find(s->to, n->s, n->len);
	if (IS_ERR(host)) {
		*ret = (int)PTR_ERR(host);
		host = NULL;
	} else if (S_ISDIR(inode->mode)) {
		return save_dir(s, n, inode, host, path, ret);
	} else if (S_ISREG(inode->mode)) {
		*ret = save_file(s, n, inode, host);
	} else if (S_ISLNK(inode->mode)) {
		*ret = save_link(s, n, inode, host);
	} else if (host) {
		*ret = keep_remove(s->to, n->s, n->len);	/* a FIFO, a socket, a device: nothing that lasts */
	}
	inode_put(inode);
	inode_put(host);
	return s;
}

static const char *why(int err)
{
	switch (err) {
	case -EINVAL: return "cannot be kept: names that begin with .wh. are whiteouts there";
	case -ENAMETOOLONG: return "cannot be kept: its path or name is too long";
	case -ENOSPC: case -EDQUOT: return "cannot be kept: no room in the directory";
	}
	return "cannot be kept";
}

/* All below @from, which is at @path. Return: the first error; what else can be saved is */
static int save_tree(struct inode *from, struct inode *to, char *path)
{
	const struct saving how = { .len = (u32)strlen(path) };
	struct saving *s;
	int first = 0, ret;

	inode_get(from);
	inode_get(to);
	s = enter(NULL, from, to, &how, path, &ret);
	if (ret)
		return keep_failed(path, "", "cannot be kept", ret);
	while (s) {
		struct keep_name *n = s->at;

		if (!n) {
			s = leave(s, path);
			continue;
		}
		s->at = n->next;
		ret = 0;
		s = save_name(s, n, path, &ret);
		if (ret)
			keep_failed(path, n->s, why(ret), ret);
		first = first ? first : ret;
	}
	return first;
}

/* Directories of DIR down to where a part of the layer is mounted; those that stay empty go again. */
static int save_at(struct inode *from, struct inode *to, char *path, const char *rest)
{
	size_t len = 0, at;
	struct inode *dir;
	struct qstr q;
	int ret;

	while (*rest == '/')
		rest++;
	while (rest[len] && rest[len] != '/')
		len++;
	if (!len)
		return save_tree(from, to, path);
	dir = keep_find(to, rest, len);
	if (!dir)
		dir = keep_make(to, rest, len, S_IFDIR | 0755, NULL);
	if (IS_ERR(dir))
		return keep_failed(path, rest, "cannot be kept", (int)PTR_ERR(dir));
	at = strlen(path);
	path[at] = '/';
	memcpy(path + at + 1, rest, len);
	path[at + 1 + len] = '\0';
	ret = save_at(from, dir, path, rest + len);
	path[at] = '\0';
	q = keep_qstr(rest, len);
	mutex_lock(&to->lock);
	(void)to->ops->rmdir(to, &q, dir);
	mutex_unlock(&to->lock);
	inode_put(dir);
	return ret;
}

int keep_save(void)
{
	int first = 0;

	if (!keep.dir)
		return 0;
	for (u32 i = 0; i < keep.nr_layers; i++) {
		char *path = kzalloc(2 * PATH_MAX);
		int ret = path ? save_at(keep.layers[i].sb->root, keep.dir, path, keep.layers[i].path) : -ENOMEM;

		kfree(path);
		first = first ? first : ret;
	}
	return first;
}
