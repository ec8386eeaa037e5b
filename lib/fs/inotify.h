/* SPDX-License-Identifier: MIT */
/*
 * Telling watchers what happens to files: inotify(7). The VFS calls notify_*() after each operation; while nobody watches anything
 * that costs one load.
 */
#ifndef LIB_FS_INOTIFY_H
#define LIB_FS_INOTIFY_H

#include "fs/vfs.h"

#define IN_ACCESS		0x001u
#define IN_MODIFY		0x002u
#define IN_ATTRIB		0x004u
#define IN_CLOSE_WRITE		0x008u
#define IN_CLOSE_NOWRITE	0x010u
#define IN_OPEN			0x020u
#define IN_MOVED_FROM		0x040u
#define IN_MOVED_TO		0x080u
#define IN_CREATE		0x100u
#define IN_DELETE		0x200u
#define IN_DELETE_SELF		0x400u
#define IN_MOVE_SELF		0x800u
#define IN_ALL_EVENTS		0xfffu
#define IN_UNMOUNT		0x2000u
#define IN_Q_OVERFLOW		0x4000u
#define IN_IGNORED		0x8000u
#define IN_ONLYDIR		0x01000000u
#define IN_DONT_FOLLOW		0x02000000u
#define IN_EXCL_UNLINK		0x04000000u
#define IN_MASK_CREATE		0x10000000u
#define IN_MASK_ADD		0x20000000u
#define IN_ISDIR		0x40000000u
#define IN_ONESHOT		0x80000000u

extern u32 inotify_watches;	/* how many there are in all */

void __notify_dir(struct inode *dir, const struct qstr *name, struct inode *child, u32 mask, u32 cookie);
void __notify_inode(struct inode *inode, u32 mask);
void __notify_self(struct inode *inode, u32 mask);
void __notify_dentry(struct dentry *d, u32 mask);
void __notify_unlinked(struct inode *inode);
u32 notify_cookie(void);

static inline bool notify_active(void)
{
	return unlikely(load_relaxed(&inotify_watches) != 0);
}
/* notify_dir() - something happened to entry @name (which is or was @child) of @dir */
static inline void notify_dir(struct inode *dir, const struct qstr *name, struct inode *child, u32 mask, u32 cookie)
{
	if (notify_active())
		__notify_dir(dir, name, child, mask, cookie);
}
/* notify_inode() - to the object itself; notify_dentry(): and, with its name, to the directory that it is in */
static inline void notify_inode(struct inode *inode, u32 mask)
{
	if (notify_active())
		__notify_inode(inode, mask);
}
/* notify_self() - what is told without IN_ISDIR even of a directory: IN_MOVE_SELF */
static inline void notify_self(struct inode *inode, u32 mask)
{
	if (notify_active())
		__notify_self(inode, mask);
}
static inline void notify_dentry(struct dentry *d, u32 mask)
{
	if (notify_active())
		__notify_dentry(d, mask);
}
static inline void notify_file(struct file *f, u32 mask)
{
	if (notify_active() && f->dentry && !(f->mode & FMODE_PATH))
		__notify_dentry(f->dentry, mask);
}

/* notify_unlinked() - a name of @inode is gone, perhaps the last one; the caller holds a reference */
static inline void notify_unlinked(struct inode *inode)
{
	if (notify_active())
		__notify_unlinked(inode);
}

/* inotify_inode_gone() - the inode is being freed: its watches end */
void inotify_inode_gone(struct inode *inode);

/* inotify_create() - Return: a file or ERR_PTR. @flags: O_NONBLOCK */
__must_check struct file *inotify_create(u32 flags);
/* inotify_add()/inotify_remove() - @f is an inotify file or the answer is -EINVAL. Return: a watch descriptor, or -errno */
int inotify_add(struct file *f, const struct path *p, u32 mask);
int inotify_remove(struct file *f, int wd);

#endif
