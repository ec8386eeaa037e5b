/* SPDX-License-Identifier: MIT */
/*
 * From names to files (path_resolution(7)), and the operations on names.
 *
 * Names here are library-kernel memory, NUL-terminated, at most PATH_MAX with the NUL; struct pathname brings them in from the program. @dirfd
 * is AT_FDCWD or a descriptor of the current task. Everything works with the current task's credentials, root and directory; kernel threads and boot
 * code have the root of the tree for both.
 */
#ifndef LIB_FS_NAMEI_H
#define LIB_FS_NAMEI_H

#include "fs/vfs.h"

#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100u
#define AT_EACCESS		0x200u
#define AT_REMOVEDIR		0x200u
#define AT_SYMLINK_FOLLOW	0x400u
#define AT_NO_AUTOMOUNT		0x800u
#define AT_EMPTY_PATH		0x1000u

#define LOOKUP_FOLLOW		BIT(0)	/* a symlink as the last component is followed */
#define LOOKUP_DIRECTORY	BIT(1)	/* ENOTDIR unless it is one */
#define LOOKUP_EMPTY		BIT(2)	/* "" is @dirfd itself */
#define LOOKUP_REAL_IDS		BIT(3)	/* access(2): the real uid and gid decide */
#define LOOKUP_PARENT		BIT(4)	/* internal: stop before the last component */

/* openat2(2), the same numbers; they may be or-ed into lookup flags shifted by LOOKUP_RESOLVE_SHIFT */
#define RESOLVE_NO_XDEV		1u
#define RESOLVE_NO_MAGICLINKS	2u
#define RESOLVE_NO_SYMLINKS	4u
#define RESOLVE_BENEATH		8u
#define RESOLVE_IN_ROOT		0x10u
#define RESOLVE_CACHED		0x20u
#define RESOLVE_ALL		0x3fu
#define LOOKUP_RESOLVE_SHIFT	16

/* A path name from the program. Short ones stay on the stack. */
struct pathname {
	char *s;
	char small[184];
};
/* pathname_get() - Return: 0, -EFAULT, -ENAMETOOLONG, -ENOENT (empty, unless LOOKUP_EMPTY is in @flags), -ENOMEM */
__must_check int pathname_get(struct pathname *p, u64 user, u32 flags);
void pathname_put(struct pathname *p);

/* path_lookup() - Return: 0 with references in @out, -ENOENT, -ENOTDIR, -EACCES, -ELOOP, -ENAMETOOLONG, -EBADF, -EXDEV, … */
__must_check int path_lookup(int dirfd, const char *name, u32 flags, struct path *out);
/* path_lookup_user() - pathname_get() and path_lookup() */
__must_check int path_lookup_user(int dirfd, u64 name, u32 flags, struct path *out);
/* path_lookup_from() - from a directory of the library kernel's; a leading '/' is the current root still */
__must_check int path_lookup_from(const struct path *dir, const char *name, u32 flags, struct path *out);
/* dentry_lookup() - one name in one directory, no mounts, no symlinks: Return: a dentry (maybe negative) or ERR_PTR; locks dir */
__must_check struct dentry *dentry_lookup(struct dentry *dir, const char *name, size_t len);

struct open_how {
	u64 flags, mode, resolve;
};

/* vfs_open_check() - are open(2)'s flags good? Return: 0 or -EINVAL */
__must_check int vfs_open_check(u32 flags);
/* vfs_open() - open(2) without the descriptor. Return: a file or ERR_PTR */
__must_check struct file *vfs_open(int dirfd, const char *name, u32 flags, u32 mode);
__must_check struct file *vfs_open_how(int dirfd, const char *name, const struct open_how *how);
/* vfs_open_path() - open what @p is; no symlinks, no creation; permissions are checked */
__must_check struct file *vfs_open_path(const struct path *p, u32 flags);
/* inode_open() - a file of an inode that has no name here: the lower half of an overlay. Regular files and directories; no checks */
__must_check struct file *inode_open(struct inode *inode, u32 flags);
/*
 * vfs_open_exec() - for execve: a regular file that may be executed, opened for reading, writers shut out until vfs_close_exec()
 * Return: a file, or ERR_PTR(-EACCES, -ETXTBSY, -ELOOP, …). @flags: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW
 */
__must_check struct file *vfs_open_exec(int dirfd, const char *name, u32 flags);
/* vfs_allow_write() - the image is no longer executed: writers may come again. Does not put the file. */
void vfs_allow_write(struct file *f);

/*
 * vfs_create_node() - mknod(2), mkdir(2), symlink(2), bind(2) of a socket: make what @mode says; umask is applied to it
 * @target: text of a symlink, or NULL. @out: NULL, or gets references to the new object.
 * Return: 0, -EEXIST, -ENOENT, -EACCES, -EROFS, -EPERM, …
 */
int vfs_create_node(int dirfd, const char *name, u32 mode, u64 rdev, const char *target, struct path *out);
int vfs_unlink(int dirfd, const char *name);
int vfs_rmdir(int dirfd, const char *name);
int vfs_link(const struct path *from, int dirfd, const char *name);
int vfs_rename(int from_dirfd, const char *from, int to_dirfd, const char *to, u32 flags);
ssize_t vfs_readlink(const struct path *p, char *buf, size_t size);
/* vfs_setattr() - checks rights and limits, strips set-id bits, notifies. @attr->valid: ATTR_*; @now: times are "now" (utime(NULL)) */
int vfs_setattr(const struct path *p, struct iattr *attr, bool now);
int vfs_truncate(const struct path *p, pos_t size);
int file_truncate(struct file *f, pos_t size);
int vfs_stat(const struct path *p, struct kstat *st);
int file_stat(struct file *f, struct kstat *st);
int vfs_access(const struct path *p, u32 mask, const struct cred *cred);

/* Boot code: make a directory and those above it. Return: 0 or -errno */
int vfs_mkdirs(const char *name, u32 mode);

#endif
