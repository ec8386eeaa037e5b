// SPDX-License-Identifier: MIT
/* xattr(7): the three families (path, symlink itself, descriptor) of get, set, list and remove. */
#include "base/string.h"
#include "fs/namei.h"
#include "fs/xattr.h"
#include "mm/kmalloc.h"
#include "north/linux/syscall.h"

/* Where: a path (@follow) or, @fd >= 0, a descriptor. */
static int xattr_where(u64 arg, bool by_fd, bool follow, struct path *p)
{
	struct file *f;
	int ret;

	if (!by_fd)
		return path_lookup_user(AT_FDCWD, arg, follow ? LOOKUP_FOLLOW : 0, p);
	f = fd_get((int)arg);
	if (!f)
		return -EBADF;
	ret = file_path(f, p);
	file_put(f);
	return ret;
}

static int xattr_name(char *name, u64 user)
{
	ssize_t len = strncpy_from_user(name, user, XATTR_NAME_MAX + 1);

	if (len < 0)
		return (int)len;
	return !len || len == XATTR_NAME_MAX + 1 ? -ERANGE : 0;
}

static long do_setxattr(const u64 *a, bool by_fd, bool follow)
{
	char name[XATTR_NAME_MAX + 1];
	size_t size = a[3];
	int flags = (int)a[4];
	struct path p;
	void *value = NULL;
	long ret;

	if (flags & ~(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	ret = xattr_name(name, a[1]);
	if (ret)
		return ret;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	if (size) {
		value = kmalloc(size);
		if (!value)
			return -ENOMEM;
		ret = copy_from_user(value, a[2], size) ? -EFAULT : 0;
	}
	if (!ret)
		ret = xattr_where(a[0], by_fd, follow, &p);
	if (!ret) {
		ret = vfs_setxattr(&p, name, value, size, flags);
		path_put(&p);
	}
	kfree(value);
	return ret;
}

SYSCALL_DEFINE(setxattr) { return do_setxattr(a, false, true); }
SYSCALL_DEFINE(lsetxattr) { return do_setxattr(a, false, false); }
SYSCALL_DEFINE(fsetxattr) { return do_setxattr(a, true, true); }

static long copy_out(long ret, u64 user, const void *buf, size_t size)
{
	return ret > 0 && size && copy_to_user(user, buf, ret) ? -EFAULT : ret;
}

static long do_getxattr(const u64 *a, bool by_fd, bool follow)
{
	char name[XATTR_NAME_MAX + 1];
	size_t size = min(a[3], (u64)XATTR_SIZE_MAX);
	void *buf = NULL;
	struct path p;
	long ret = xattr_name(name, a[1]);

	if (ret)
		return ret;
	if (size) {
		buf = kmalloc(size);
		if (!buf)
			return -ENOMEM;
	}
	ret = xattr_where(a[0], by_fd, follow, &p);
	if (!ret) {
		ret = vfs_getxattr(&p, name, buf, size);
		path_put(&p);
	}
	ret = copy_out(ret, a[2], buf, size);
	kfree(buf);
	return ret;
}

SYSCALL_DEFINE(getxattr) { return do_getxattr(a, false, true); }
SYSCALL_DEFINE(lgetxattr) { return do_getxattr(a, false, false); }
SYSCALL_DEFINE(fgetxattr) { return do_getxattr(a, true, true); }

static long do_listxattr(const u64 *a, bool by_fd, bool follow)
{
	size_t size = min(a[2], (u64)XATTR_LIST_MAX);
	void *buf = NULL;
	struct path p;
	long ret;

	if (size) {
		buf = kmalloc(size);
		if (!buf)
			return -ENOMEM;
	}
	ret = xattr_where(a[0], by_fd, follow, &p);
	if (!ret) {
		ret = vfs_listxattr(&p, buf, size);
		path_put(&p);
	}
	ret = copy_out(ret, a[1], buf, size);
	kfree(buf);
	return ret;
}

SYSCALL_DEFINE(listxattr) { return do_listxattr(a, false, true); }
SYSCALL_DEFINE(llistxattr) { return do_listxattr(a, false, false); }
SYSCALL_DEFINE(flistxattr) { return do_listxattr(a, true, true); }

static long do_removexattr(const u64 *a, bool by_fd, bool follow)
{
	char name[XATTR_NAME_MAX + 1];
	struct path p;
	long ret = xattr_name(name, a[1]);

	if (!ret)
		ret = xattr_where(a[0], by_fd, follow, &p);
	if (ret)
		return ret;
	ret = vfs_removexattr(&p, name);
	path_put(&p);
	return ret;
}

SYSCALL_DEFINE(removexattr) { return do_removexattr(a, false, true); }
SYSCALL_DEFINE(lremovexattr) { return do_removexattr(a, false, false); }
SYSCALL_DEFINE(fremovexattr) { return do_removexattr(a, true, true); }
