// SPDX-License-Identifier: MIT
/* open(2), openat2(2): from a path to an open file, creation and truncation included. */
#include "base/printf.h"
#include "base/string.h"
#include "fs/chrdev.h"
#include "fs/fs_state.h"
#include "fs/inotify.h"
#include "fs/namei.h"
#include "fs/walk.h"
#include "ipc/pipe.h"
#include "process/cred.h"

#define OPEN_KNOWN (O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC | \
		    O_DIRECT | O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | O_TMPFILE)
#define OPEN_PATH_KNOWN (O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC)
/* What does not stay in the file's flags. */
#define OPEN_ONCE (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

static const struct file_ops path_only_ops = { .name = "path" };
static const struct file_ops no_ops = { .name = "none" };

/* The access that a set of flags asks for; mode 3 asks for both and gives neither (ioctl only). */
static u32 open_mask(u32 flags)
{
	static const u8 mask[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };
	u32 m = mask[flags & O_ACCMODE];

	if (flags & O_TRUNC)
		m |= MAY_WRITE;
	if (flags & O_APPEND)
		m |= MAY_APPEND;
	return m;
}

static int may_open(const struct path *p, u32 flags, bool created)
{
	struct inode *inode = p->dentry->inode;
	u32 mask = created ? 0 : open_mask(flags);
	u32 mnt_flags = READ_ONCE(p->mnt->flags);
	int ret;

	switch (inode->mode & S_IFMT) {
	case S_IFLNK:
		return -ELOOP;
	case S_IFDIR:
		if (open_mask(flags) & MAY_WRITE)
			return -EISDIR;
		break;
	case S_IFCHR:
	case S_IFBLK:
		if ((mnt_flags & MNT_NODEV) || (inode->sb->flags & SB_NODEV))
			return -EACCES;
		break;
	case S_IFREG:
		if ((open_mask(flags) & MAY_WRITE) && mount_writable(p->mnt))
			return -EROFS;
		break;
	}
	ret = mask ? inode_permission(inode, mask) : 0;
	if (ret)
		return ret;
	if ((flags & O_NOATIME) && !inode_owner_or_capable(inode))
		return -EPERM;
	return 0;
}

/* The operations, by what the inode is. */
static int open_type(struct inode *inode, struct file *f)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
		f->mode |= FMODE_SEEK | FMODE_PREAD | FMODE_ATOMIC_POS;
		break;
	case S_IFIFO:
		/* standard input and output that the runner relays look like pipes too */
		if (inode->ops && inode->ops->open)
			break;
		f->mode |= FMODE_STREAM;
		return fifo_open(inode, f);
	case S_IFCHR:
		return chrdev_open(inode, f);
	default:
		/* Sockets and block devices; also anonymous inodes, which have no type. */
		return -ENXIO;
	}
	f->ops = inode->fops ? inode->fops : &no_ops;
	return inode->ops->open ? inode->ops->open(inode, f) : 0;
}

static u32 access_mode(u32 flags)
{
	switch (flags & O_ACCMODE) {
	case O_RDONLY: return FMODE_READ;
	case O_WRONLY: return FMODE_WRITE;
	case O_RDWR:   return FMODE_READ | FMODE_WRITE;
	default:       return 0;
	}
}

static bool counts_as_writer(const struct inode *inode)
{
	return S_ISREG(inode->mode);
}

/* @p may be opened: make the file. O_TRUNC is the caller's business. */
struct file *open_inode(const struct path *p, u32 flags)
{
	struct inode *inode = p->dentry->inode;
	struct file *f;
	int ret;

	if (flags & O_PATH) {
		f = file_alloc(&path_only_ops, flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW), FMODE_PATH, NULL);
	} else {
		f = file_alloc(&no_ops, flags & ~OPEN_ONCE, access_mode(flags), NULL);
	}
	if (!f)
		return ERR_PTR(-ENFILE);
	f->mount = p->mnt;
	f->dentry = p->dentry;
	path_get(p);
	inode_get(inode);
	f->inode = inode;
	if (flags & O_PATH)
		return f;
	if ((f->mode & FMODE_WRITE) && counts_as_writer(inode)) {
		ret = inode_get_write(inode);
		if (ret)
			goto err_put;
		f->mode |= FMODE_WRITER;
	}
	/* terminals want to know it; it does not stay */
	f->flags |= flags & O_NOCTTY;
	ret = open_type(inode, f);
	f->flags &= ~(u32)O_NOCTTY;
	if (ret)
		goto err_put;
	f->mode |= FMODE_OPENED;
	return f;
err_put:
	/* Nothing to release: the type's open failed. */
	f->ops = &no_ops;
	f->priv = NULL;
	file_put(f);
	return ERR_PTR(ret);
}

struct file *inode_open(struct inode *inode, u32 flags)
{
	struct file *f = file_alloc(&no_ops, flags | O_LARGEFILE, access_mode(flags), NULL);
	int ret;

	if (!f)
		return ERR_PTR(-ENFILE);
	inode_get(inode);
	f->inode = inode;
	ret = open_type(inode, f);
	if (!ret)
		return f;
	f->ops = &no_ops;
	f->priv = NULL;
	file_put(f);
	return ERR_PTR(ret);
}

static struct file *open_checked(const struct path *p, u32 flags, bool created)
{
	struct file *f;
	int ret;

	if (!(flags & O_PATH)) {
		ret = may_open(p, flags, created);
		if (ret)
			return ERR_PTR(ret);
	}
	f = open_inode(p, flags);
	if (IS_ERR(f))
		return f;
	if ((flags & O_TRUNC) && !(flags & O_PATH) && S_ISREG(f->inode->mode) && !created) {
		bool writer = f->mode & FMODE_WRITER;

		/* O_RDONLY|O_TRUNC truncates too, and must not do so under a running program. */
		ret = writer ? 0 : inode_get_write(f->inode);
		if (!ret)
			ret = do_truncate(f->inode, 0);
		if (!ret)
			notify_dentry(f->dentry, IN_MODIFY);
		if (!writer && ret != -ETXTBSY)
			inode_put_write(f->inode);
		if (ret) {
			file_put(f);
			return ERR_PTR(ret);
		}
	}
	if (!(flags & O_PATH))
		notify_file(f, IN_OPEN);
	return f;
}

/* fs.protected_regular and protected_fifos at 1: O_CREAT does not open what somebody else put into a sticky directory for all. */
static int may_reuse(struct walk *w, struct inode *dir, struct inode *inode)
{
	if (!S_ISREG(inode->mode) && !S_ISFIFO(inode->mode))
		return 0;
	if ((dir->mode & (S_ISVTX | 02)) != (S_ISVTX | 02) || inode->uid == dir->uid || inode->uid == w->cred->fsuid)
		return 0;
	return -EACCES;
}

/* O_CREAT: the last component, made when it is not there. */
static struct dentry *lookup_or_create(struct walk *w, u32 flags, u32 mode, bool *created)
{
	struct inode *dir = w->path.dentry->inode;
	struct new_inode n;
	struct inode *inode;
	struct dentry *d;
	int ret;

	if (w->last.len > NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	if (!(flags & O_EXCL)) {
		d = walk_last(w, false);
		if (IS_ERR(d) || !dentry_negative(d))
			return d;
		dentry_put(d);
	}
	mutex_lock(&dir->lock);
	d = dentry_lookup_locked(w->path.dentry, &w->last);
	if (IS_ERR(d) || d->inode)
		goto out;
	ret = dir->sb->flags & SB_NOCREATE ? -ENOENT : mount_writable(w->path.mnt);
	if (!ret)
		ret = may_create(dir);
	if (!ret && !dir->ops->create)
		ret = -EACCES;
	if (!ret) {
		new_inode_prepare(&n, dir, S_IFREG | (mode & S_IALLUGO), 0);
		inode = dir->ops->create(dir, &w->last, &n);
		ret = IS_ERR(inode) ? (int)PTR_ERR(inode) : 0;
	}
	if (ret) {
		dentry_put(d);
		d = ERR_PTR(ret);
		goto out;
	}
	dentry_instantiate(d, inode);
	*created = true;
	notify_dir(dir, &w->last, inode, IN_CREATE, 0);
out:
	mutex_unlock(&dir->lock);
	return d;
}

/* One round: the last component. Return: a file, ERR_PTR, or NULL: go on with *more */
static struct file *open_last(struct walk *w, u32 flags, u32 mode, const char **more)
{
	bool created = false, follow = !(flags & O_NOFOLLOW) || w->slash;
	struct dentry *d;
	int ret;

	*more = NULL;
	if (w->last_type != LAST_NORM) {
		if (flags & O_CREAT)
			return ERR_PTR(flags & O_EXCL ? -EEXIST : -EISDIR);
		ret = walk_dots(w);
		if (ret)
			return ERR_PTR(ret);
	} else {
		struct inode *dir = w->path.dentry->inode;

		if (flags & O_CREAT) {
			if (w->slash)
				return ERR_PTR(-EISDIR);
			d = lookup_or_create(w, flags, mode, &created);
		} else {
			d = walk_last(w, !(flags & (O_ACCMODE | O_PATH | O_DIRECTORY)));
		}
		if (IS_ERR(d))
			return (void *)d;
		if (dentry_negative(d)) {
			dentry_put(d);
			return ERR_PTR(-ENOENT);
		}
		if ((flags & O_CREAT) && (flags & O_EXCL) && !created) {
			dentry_put(d);
			return ERR_PTR(-EEXIST);
		}
		if ((flags & O_CREAT) && !created) {
			ret = may_reuse(w, dir, d->inode);
			if (ret) {
				dentry_put(d);
				return ERR_PTR(ret);
			}
		}
		ret = walk_into(w, d, follow, more);
		if (ret)
			return ERR_PTR(ret);
		if (*more)
			return NULL;
	}
	if (S_ISDIR(w->path.dentry->inode->mode)) {
		if (flags & O_CREAT)
			return ERR_PTR(-EISDIR);
	} else if (w->slash || (flags & O_DIRECTORY)) {
		return ERR_PTR(-ENOTDIR);
	}
	return open_checked(&w->path, flags, created);
}

static struct file *open_tmpfile(struct walk *w, u32 flags, u32 mode)
{
	struct inode *dir = w->path.dentry->inode, *inode;
	struct new_inode n;
	struct path p = { w->path.mnt, NULL };
	struct file *f;
	char name[24];
	int ret = mount_writable(w->path.mnt);

	if (!ret)
		ret = inode_permission(dir, MAY_WRITE | MAY_EXEC);
	if (!ret && !dir->ops->tmpfile)
		ret = -EOPNOTSUPP;
	if (ret)
		return ERR_PTR(ret);
	mutex_lock(&dir->lock);
	new_inode_prepare(&n, dir, S_IFREG | (mode & S_IALLUGO), 0);
	inode = dir->flags & INODE_DEAD ? ERR_PTR(-ENOENT) : dir->ops->tmpfile(dir, &n);
	mutex_unlock(&dir->lock);
	if (IS_ERR(inode))
		return (void *)inode;
	if (!(flags & O_EXCL))
		atomic_or(&inode->flags, INODE_LINKABLE);
	snprintf(name, sizeof(name), "#%lu", (unsigned long)inode->ino);
	/* Shown as "dir/#ino (deleted)", in no cache. */
	p.dentry = dentry_alloc(w->path.dentry, &(struct qstr){ name, (u32)strlen(name), 0 });
	if (!p.dentry) {
		inode_put(inode);
		return ERR_PTR(-ENOMEM);
	}
	p.dentry->flags |= DENTRY_DELETED;
	p.dentry->inode = inode;
	f = open_inode(&p, flags);
	dentry_put(p.dentry);
	return f;
}

static struct file *open_walk(struct walk *w, const char *name, u32 flags, u32 mode)
{
	struct file *f;

	if (flags & TMPFILE_BIT) {
		int ret;

		w->flags |= LOOKUP_DIRECTORY | (flags & O_NOFOLLOW ? 0 : LOOKUP_FOLLOW);
		ret = walk_all(w, name);
		return ret ? ERR_PTR(ret) : open_tmpfile(w, flags, mode);
	}
	do {
		int ret = walk_parent(w, name);

		if (ret)
			return ERR_PTR(ret);
		f = open_last(w, flags, mode, &name);
	} while (!f);
	return f;
}

/* openat2(2)'s rules. Return: 0, -EINVAL, -EAGAIN; *flags: what is meant */
static int check_how(const struct open_how *how, u32 *flags, u32 *mode)
{
	u64 f = how->flags;

	if (f & ~(u64)OPEN_KNOWN || how->resolve & ~(u64)RESOLVE_ALL)
		return -EINVAL;
	if ((how->resolve & RESOLVE_BENEATH) && (how->resolve & RESOLVE_IN_ROOT))
		return -EINVAL;
	if (f & (O_CREAT | TMPFILE_BIT)) {
		if (how->mode & ~(u64)S_IALLUGO)
			return -EINVAL;
	} else if (how->mode) {
		return -EINVAL;
	}
	if ((f & (O_DIRECTORY | O_CREAT)) == (O_DIRECTORY | O_CREAT))
		return -EINVAL;
	if (f & TMPFILE_BIT) {
		if (!(f & O_DIRECTORY))
			return -EINVAL;
		if (!(open_mask((u32)f) & MAY_WRITE))
			return -EINVAL;
	}
	if (f & O_PATH && f & ~(u64)OPEN_PATH_KNOWN)
		return -EINVAL;
	if ((how->resolve & RESOLVE_CACHED) && (f & (O_TRUNC | O_CREAT | TMPFILE_BIT)))
		return -EAGAIN;
	*flags = (u32)f | O_LARGEFILE;
	*mode = (u32)how->mode;
	return 0;
}

struct file *vfs_open_how(int dirfd, const char *name, const struct open_how *how)
{
	struct walk w;
	struct file *f;
	u32 flags, mode;
	int ret = check_how(how, &flags, &mode);

	if (!ret)
		ret = walk_begin(&w, dirfd, name, (u32)how->resolve << LOOKUP_RESOLVE_SHIFT);
	if (ret)
		return ERR_PTR(ret);
	f = open_walk(&w, name, flags, mode);
	walk_end(&w);
	return f;
}

/* open(2) takes what openat2() refuses: unknown flags, a mode that is not used. */
static struct open_how make_how(u32 flags, u32 mode)
{
	struct open_how how = { .flags = flags & OPEN_KNOWN };

	if (flags & O_PATH)
		how.flags &= OPEN_PATH_KNOWN;
	if (how.flags & (O_CREAT | TMPFILE_BIT))
		how.mode = mode & S_IALLUGO;
	return how;
}

int vfs_open_check(u32 flags)
{
	struct open_how how = make_how(flags, 0);
	u32 mode;

	return check_how(&how, &flags, &mode);
}

struct file *vfs_open(int dirfd, const char *name, u32 flags, u32 mode)
{
	struct open_how how = make_how(flags, mode);

	return vfs_open_how(dirfd, name, &how);
}

struct file *vfs_open_path(const struct path *p, u32 flags)
{
	return open_checked(p, flags | O_LARGEFILE, false);
}

struct file *vfs_open_exec(int dirfd, const char *name, u32 flags)
{
	u32 lookup = (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0) | (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW);
	struct inode *inode;
	struct path p;
	struct file *f;
	int ret;

	ret = path_lookup(dirfd, name, lookup, &p);
	if (ret)
		return ERR_PTR(ret);
	inode = p.dentry->inode;
	ret = S_ISLNK(inode->mode) ? -ELOOP : 0;
	if (!ret && (!S_ISREG(inode->mode) || (READ_ONCE(p.mnt->flags) & MNT_NOEXEC) || (inode->sb->flags & SB_NOEXEC)))
		ret = -EACCES;
	if (!ret)
		ret = inode_permission(inode, MAY_EXEC);
	if (!ret)
		ret = inode_deny_write(inode);
	if (ret) {
		path_put(&p);
		return ERR_PTR(ret);
	}
	f = open_inode(&p, O_RDONLY | O_LARGEFILE);
	if (IS_ERR(f)) {
		inode_allow_write(inode);
	} else {
		f->mode |= FMODE_EXEC;
		notify_file(f, IN_OPEN);
	}
	path_put(&p);
	return f;
}

/* The denial goes with the file in any case: file_put() ends it when nobody did before. */
void vfs_allow_write(struct file *f)
{
	u32 old = atomic_and(&f->mode, ~(u32)FMODE_EXEC);

	if (old & FMODE_EXEC)
		inode_allow_write(f->inode);
}
