// SPDX-License-Identifier: MIT
/* open(2) and its kin, close(2), dup(2), close_range(2), chdir(2), chroot(2), umask(2), getcwd(2). */
#include "base/string.h"
#include "fs/fdtable.h"
#include "fs/fs_state.h"
#include "fs/memfs.h"
#include "fs/namei.h"
#include "mm/kmalloc.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/task.h"

static long do_open(int dirfd, u64 user, u32 flags, u32 mode)
{
	struct pathname name;
	struct file *f;
	int fd, ret = vfs_open_check(flags);

	if (!ret)
		ret = pathname_get(&name, user, 0);
	if (ret)
		return ret;
	fd = fd_reserve(flags & O_CLOEXEC, 0);
	if (fd < 0)
		goto out;
	f = vfs_open(dirfd, name.s, flags, mode);
	if (IS_ERR(f)) {
		fd_unreserve(fd);
		fd = (int)PTR_ERR(f);
		goto out;
	}
	fd_install(fd, f);
out:
	pathname_put(&name);
	return fd;
}

SYSCALL_DEFINE(open) { return do_open(AT_FDCWD, a[0], (u32)a[1], (u32)a[2]); }
SYSCALL_DEFINE(openat) { return do_open((int)a[0], a[1], (u32)a[2], (u32)a[3]); }
SYSCALL_DEFINE(creat) { return do_open(AT_FDCWD, a[0], O_CREAT | O_WRONLY | O_TRUNC, (u32)a[1]); }

/* Newer programs pass longer records; what we do not know of must be zero. */
static int get_how(struct open_how *how, u64 user, u64 size)
{
	u64 word;

	if (size < sizeof(*how))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (copy_from_user(how, user, sizeof(*how)))
		return -EFAULT;
	for (u64 at = sizeof(*how); at < size; at += sizeof(word)) {
		word = 0;
		if (copy_from_user(&word, user + at, min(size - at, (u64)sizeof(word))))
			return -EFAULT;
		if (word)
			return -E2BIG;
	}
	return 0;
}

SYSCALL_DEFINE(openat2)
{
	struct open_how how;
	struct pathname name;
	struct file *f;
	int fd, ret = get_how(&how, a[2], a[3]);

	if (!ret)
		ret = pathname_get(&name, a[1], 0);
	if (ret)
		return ret;
	f = vfs_open_how((int)a[0], name.s, &how);
	fd = IS_ERR(f) ? (int)PTR_ERR(f) : fd_add(f, (u32)how.flags);
	pathname_put(&name);
	return fd;
}

/* A descriptor that is being closed is closed, whatever else close() has to say. */
SYSCALL_DEFINE(close)
{
	int ret = fd_close((int)a[0]);

	return ret == -ERESTARTSYS ? -EINTR : ret;
}

#define CLOSE_RANGE_UNSHARE	2u
#define CLOSE_RANGE_CLOEXEC	4u

SYSCALL_DEFINE(close_range)
{
	u32 first = (u32)a[0], last = (u32)a[1], flags = (u32)a[2];
	int ret = 0;

	if ((flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE)
		ret = fd_unshare();
	if (!ret)
		fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
	return ret;
}

SYSCALL_DEFINE(dup)
{
	struct file *f = fd_get_path((int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = fd_dup_from(f, 0, 0);
	file_put(f);
	return ret;
}

static long do_dup3(int fd, int newfd, u32 flags)
{
	struct file *f = fd_get_path(fd);
	long ret;

	if (!f)
		return -EBADF;
	ret = fd == newfd ? newfd : fd_dup_to(f, newfd, flags);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(dup2) { return do_dup3((int)a[0], (int)a[1], 0); }

SYSCALL_DEFINE(dup3)
{
	if (((u32)a[2] & ~(u32)O_CLOEXEC) || (int)a[0] == (int)a[1])
		return -EINVAL;
	return do_dup3((int)a[0], (int)a[1], (u32)a[2]);
}

SYSCALL_DEFINE(memfd_create)
{
	u32 flags = (u32)a[1];
	char name[NAME_MAX - 6 + 1];
	struct file *f;
	ssize_t len;

	if (flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC | MFD_HUGETLB))
		return -EINVAL;
	if ((flags & MFD_NOEXEC_SEAL) && (flags & MFD_EXEC))
		return -EINVAL;
	len = strncpy_from_user(name, a[0], sizeof(name));
	if (len < 0)
		return len;
	if ((size_t)len == sizeof(name))
		return -EINVAL;
	if (flags & MFD_HUGETLB)
		return -ENOENT;	/* no huge pages are set aside */
	f = memfd_open(name, flags);
	return IS_ERR(f) ? PTR_ERR(f) : fd_add(f, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}

/* ---- where the task stands ---- */

/* A directory that may be searched. */
static int get_dir(u64 user, struct path *p)
{
	int ret = path_lookup_user(AT_FDCWD, user, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, p);

	if (!ret)
		ret = inode_permission(p->dentry->inode, MAY_EXEC);
	if (ret)
		path_put(p);
	return ret;
}

SYSCALL_DEFINE(chdir)
{
	struct path p = { NULL, NULL };
	int ret = get_dir(a[0], &p);

	if (!ret)
		fs_state_set_cwd(current->fs, &p);
	return ret;
}

SYSCALL_DEFINE(fchdir)
{
	struct file *f = fd_get_path((int)a[0]);
	struct path p = { NULL, NULL };
	int ret;

	if (!f)
		return -EBADF;
	ret = f->inode && S_ISDIR(f->inode->mode) && f->dentry ? inode_permission(f->inode, MAY_EXEC) : -ENOTDIR;
	if (!ret)
		ret = file_path(f, &p);
	if (!ret)
		fs_state_set_cwd(current->fs, &p);
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(chroot)
{
	struct path p = { NULL, NULL };
	int ret = get_dir(a[0], &p);

	if (!ret && !capable(CAP_SYS_CHROOT)) {
		path_put(&p);
		return -EPERM;
	}
	if (!ret)
		fs_state_set_root(current->fs, &p);
	return ret;
}

SYSCALL_DEFINE(getcwd)
{
	static const char unreachable[] = "(unreachable)";
	struct path cwd, root;
	char *buf = kmalloc(PATH_MAX + sizeof(unreachable)), *text, *room;
	bool reachable;
	size_t len;
	long ret;

	if (!buf)
		return -ENOMEM;
	room = buf + sizeof(unreachable);
	fs_state_cwd(current->fs, &cwd);
	fs_state_root(current->fs, &root);
	text = path_text_reach(&cwd, &root, room, PATH_MAX, &reachable);
	ret = IS_ERR(text) ? PTR_ERR(text) : 0;
	if (!ret && (READ_ONCE(cwd.dentry->flags) & DENTRY_DELETED))
		ret = -ENOENT;
	if (!ret && !reachable) {
		text -= sizeof(unreachable) - 1;
		memcpy(text, unreachable, sizeof(unreachable) - 1);
	}
	path_put(&cwd);
	path_put(&root);
	if (!ret) {
		len = strlen(text) + 1;
		if (len > a[1])
			ret = -ERANGE;
		else
			ret = copy_to_user(a[0], text, len) ? -EFAULT : (long)len;
	}
	kfree(buf);
	return ret;
}

SYSCALL_DEFINE(umask)
{
	struct fs_state *fs = current->fs;
	u32 old;

	spin_lock(&fs->lock);
	old = fs->umask;
	fs->umask = (u32)a[0] & S_IRWXUGO;
	spin_unlock(&fs->lock);
	return old;
}
