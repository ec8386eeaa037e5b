// SPDX-License-Identifier: MIT
/* Extended attributes: xattr(7). */
#include "fs/xattr.h"

#include "base/string.h"
#include "fs/inotify.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/task.h"

/* All of an inode's together, as file systems on a disk limit them to about a block. */
#define XATTRS_TOTAL_MAX	(64u << 10)

struct xattr {
	struct list node;
	char *name;
	size_t size;
	u8 value[];
};

struct xattrs {
	struct list all;
	size_t total;
};

static struct xattr *xattr_find(struct inode *inode, const char *name)
{
	struct xattr *x;

	if (!inode->xattrs)
		return NULL;
	list_for_each(x, &inode->xattrs->all, node)
		if (streq(x->name, name))
			return x;
	return NULL;
}

static void xattr_free(struct xattr *x)
{
	kfree(x->name);
	kfree(x);
}

ssize_t xattrs_get(struct inode *inode, const char *name, void *value, size_t size)
{
	struct xattr *x = xattr_find(inode, name);

	if (!x)
		return -ENODATA;
	if (!size)
		return x->size;
	if (size < x->size)
		return -ERANGE;
	memcpy(value, x->value, x->size);
	return x->size;
}

static size_t cost(const struct xattr *x)
{
	return x->size + strlen(x->name) + 1;
}

int xattrs_set(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct xattr *old = xattr_find(inode, name), *x;

	if (old && (flags & XATTR_CREATE))
		return -EEXIST;
	if (!old && (flags & XATTR_REPLACE))
		return -ENODATA;
	if (!inode->xattrs) {
		inode->xattrs = kzalloc(sizeof(*inode->xattrs));
		if (!inode->xattrs)
			return -ENOSPC;
		list_init(&inode->xattrs->all);
	}
	if (inode->xattrs->total - (old ? cost(old) : 0) + size + strlen(name) + 1 > XATTRS_TOTAL_MAX + XATTR_NAME_MAX)
		return -ENOSPC;
	x = kmalloc(sizeof(*x) + size);
	if (!x)
		return -ENOSPC;
	x->name = kstrdup(name);
	if (!x->name) {
		kfree(x);
		return -ENOSPC;
	}
	x->size = size;
	if (size)
		memcpy(x->value, value, size);
	if (old) {
		inode->xattrs->total -= cost(old);
		list_del(&old->node);
		xattr_free(old);
	}
	inode->xattrs->total += cost(x);
	list_add_tail(&x->node, &inode->xattrs->all);
	return 0;
}

ssize_t xattrs_list(struct inode *inode, char *list, size_t size)
{
	struct xattr *x;
	size_t len = 0;

	if (!inode->xattrs)
		return 0;
	list_for_each(x, &inode->xattrs->all, node) {
		size_t n = strlen(x->name) + 1;

		if (size) {
			if (n > size - len)
				return -ERANGE;
			memcpy(list + len, x->name, n);
		}
		len += n;
	}
	return len;
}

int xattrs_remove(struct inode *inode, const char *name)
{
	struct xattr *x = xattr_find(inode, name);

	if (!x)
		return -ENODATA;
	inode->xattrs->total -= cost(x);
	list_del(&x->node);
	xattr_free(x);
	return 0;
}

void xattrs_free(struct inode *inode)
{
	struct xattr *x, *tmp;

	if (!inode->xattrs)
		return;
	list_for_each_safe(x, tmp, &inode->xattrs->all, node)
		xattr_free(x);
	kfree(inode->xattrs);
	inode->xattrs = NULL;
}

/* ---- by path ---- */

static bool has_prefix(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/*
 * May the current task use attribute @name of @inode? security.* and system.* (ACLs, labels) are kept by nobody here; trusted.*
 * is for CAP_SYS_ADMIN, which nobody has.
 */
static int check_name(struct inode *inode, const char *name, u32 mask)
{
	size_t len = strlen(name);

	if (!len || len > XATTR_NAME_MAX)
		return -ERANGE;
	if (has_prefix(name, "user.")) {
		if (!name[5])
			return -EINVAL;
		if (!S_ISREG(inode->mode) && !S_ISDIR(inode->mode))
			return mask & MAY_WRITE ? -EPERM : -ENODATA;
		if (S_ISDIR(inode->mode) && (inode->mode & S_ISVTX) && (mask & MAY_WRITE) &&
		    !inode_owner_or_capable(inode))
			return -EPERM;
		return inode_permission(inode, mask);
	}
	if (has_prefix(name, "trusted.") && !capable(CAP_SYS_ADMIN))
		return mask & MAY_WRITE ? -EPERM : -ENODATA;
	return -EOPNOTSUPP;
}

ssize_t vfs_getxattr(const struct path *p, const char *name, void *value, size_t size)
{
	struct inode *inode = p->dentry->inode;
	ssize_t ret = check_name(inode, name, MAY_READ);

	if (ret)
		return ret;
	if (inode->ops->getxattr)
		return inode->ops->getxattr(inode, name, value, size);
	if (!(inode->sb->flags & SB_XATTR))
		return -EOPNOTSUPP;
	mutex_lock(&inode->lock);
	ret = xattrs_get(inode, name, value, size);
	mutex_unlock(&inode->lock);
	return ret;
}

ssize_t vfs_listxattr(const struct path *p, char *list, size_t size)
{
	struct inode *inode = p->dentry->inode;
	ssize_t ret;

	if (inode->ops && inode->ops->listxattr)
		return inode->ops->listxattr(inode, list, size);
	mutex_lock(&inode->lock);
	ret = xattrs_list(inode, list, size);
	mutex_unlock(&inode->lock);
	return ret;
}

static int begin_change(const struct path *p, const char *name)
{
	int ret = mount_writable(p->mnt);

	return ret ? ret : check_name(p->dentry->inode, name, MAY_WRITE);
}

int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size, int flags)
{
	struct inode *inode = p->dentry->inode;
	int ret = begin_change(p, name);

	if (ret)
		return ret;
	mutex_lock(&inode->lock);
	if (inode->ops->setxattr)
		ret = inode->ops->setxattr(inode, name, value, size, flags);
	else if (inode->sb->flags & SB_XATTR)
		ret = xattrs_set(inode, name, value, size, flags);
	else
		ret = -EOPNOTSUPP;
	if (!ret)
		inode_touch_ctime(inode);
	mutex_unlock(&inode->lock);
	if (!ret)
		notify_dentry(p->dentry, IN_ATTRIB);
	return ret;
}

int vfs_removexattr(const struct path *p, const char *name)
{
	struct inode *inode = p->dentry->inode;
	int ret = begin_change(p, name);

	if (ret)
		return ret;
	mutex_lock(&inode->lock);
	if (inode->ops->removexattr)
		ret = inode->ops->removexattr(inode, name);
	else if (inode->sb->flags & SB_XATTR)
		ret = xattrs_remove(inode, name);
	else
		ret = -EOPNOTSUPP;
	if (!ret)
		inode_touch_ctime(inode);
	mutex_unlock(&inode->lock);
	if (!ret)
		notify_dentry(p->dentry, IN_ATTRIB);
	return ret;
}
