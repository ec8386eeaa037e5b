/* SPDX-License-Identifier: MIT */
/* Extended attributes (xattr(7)): the checks that are the same for all file systems, and user.* kept in memory for those with SB_XATTR. */
#ifndef LIB_FS_XATTR_H
#define LIB_FS_XATTR_H

#include "fs/vfs.h"

/* By path, with permission checks, locking and notification. Errors as in the manual pages. */
ssize_t vfs_getxattr(const struct path *p, const char *name, void *value, size_t size);
ssize_t vfs_listxattr(const struct path *p, char *list, size_t size);
int vfs_setxattr(const struct path *p, const char *name, const void *value, size_t size, int flags);
int vfs_removexattr(const struct path *p, const char *name);

/* In memory; inode.lock held. */
ssize_t xattrs_get(struct inode *inode, const char *name, void *value, size_t size);
int xattrs_set(struct inode *inode, const char *name, const void *value, size_t size, int flags);
ssize_t xattrs_list(struct inode *inode, char *list, size_t size);
int xattrs_remove(struct inode *inode, const char *name);
void xattrs_free(struct inode *inode);

#endif
