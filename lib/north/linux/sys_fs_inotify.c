// SPDX-License-Identifier: MIT
/* inotify(7). */
#include "fs/inotify.h"
#include "fs/namei.h"
#include "north/linux/syscall.h"

#define IN_INIT_FLAGS	(O_NONBLOCK | O_CLOEXEC)

static long inotify_new(u32 flags)
{
	struct file *f;

	if (flags & ~(u32)IN_INIT_FLAGS)
		return -EINVAL;
	f = inotify_create(flags & O_NONBLOCK);
	return IS_ERR(f) ? PTR_ERR(f) : fd_add(f, flags);
}

SYSCALL_DEFINE(inotify_init) { return inotify_new(0); }
SYSCALL_DEFINE(inotify_init1) { return inotify_new((u32)a[0]); }

SYSCALL_DEFINE(inotify_add_watch)
{
	u32 mask = (u32)a[2];
	struct file *f;
	struct path p;
	long ret;

	if (!(mask & (IN_ALL_EVENTS | IN_UNMOUNT)) || ((mask & IN_MASK_ADD) && (mask & IN_MASK_CREATE)))
		return -EINVAL;
	f = fd_get((int)a[0]);
	if (!f)
		return -EBADF;
	ret = path_lookup_user(AT_FDCWD, a[1], (mask & IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW) |
			       (mask & IN_ONLYDIR ? LOOKUP_DIRECTORY : 0), &p);
	if (!ret) {
		ret = inode_permission(p.dentry->inode, MAY_READ);
		if (!ret)
			ret = inotify_add(f, &p, mask);
		path_put(&p);
	}
	file_put(f);
	return ret;
}

SYSCALL_DEFINE(inotify_rm_watch)
{
	struct file *f = fd_get((int)a[0]);
	long ret;

	if (!f)
		return -EBADF;
	ret = inotify_remove(f, (int)a[1]);
	file_put(f);
	return ret;
}
