/* SPDX-License-Identifier: MIT */
/*
 * Files in memory: tmpfs, and the upper half of the overlay, which builds on what is declared here.
 *
 * A directory's entries stand in two trees: by name, and by a number that an entry keeps for life, so that reading a directory
 * goes on at the right place whatever was added or removed meanwhile. An entry holds a reference of its inode.
 */
#ifndef LIB_FS_MEMFS_H
#define LIB_FS_MEMFS_H

#include "base/rbtree.h"
#include "fs/vfs.h"

#define TMPFS_MAGIC	0x01021994
#define MEMFS_DIRENT_SIZE 20		/* what an entry adds to st_size, as tmpfs has it */
#define MEMFS_MAX_SIZE	((pos_t)1 << 46)

struct memfs_dirent {
	struct rb_node by_name;
	struct rb_node by_pos;
	struct list work;		/* while a directory is being freed */
	struct inode *inode;		/* NULL: a whiteout (overlay) */
	u64 pos;
	u32 hash;
	u16 len;
	bool hides;			/* overlay: the lower directory has this name as well */
	char name[];
};

/* inode->priv of a directory; guarded by inode->lock */
struct memfs_dir {
	struct rb_root names, positions;
	u64 next_pos;
	u32 nr;				/* entries that are no whiteouts */
	struct inode *parent;		/* for "..": no reference; NULL: the root, or removed */
	void *overlay;			/* of overlay.c */
};

static inline struct memfs_dir *memfs_dir(const struct inode *inode) { return inode->priv; }

/* memfs_super() - a file system with an empty root. NULL: no memory */
__must_check struct super *memfs_super(const char *type, u32 root_mode);

/* memfs_set_limit() - at most @bytes of file data (beyond: ENOSPC); before it is mounted. Return: 0, -ENOMEM */
__must_check int memfs_set_limit(struct super *sb, u64 bytes);
/* memfs_limit_len() - how much of a write the limit lets through: bytes or -ENOSPC. The inode has a page cache and is locked */
ssize_t memfs_limit_len(struct inode *inode, pos_t pos, ssize_t len);
/* memfs_account() - the number of pages may have changed; memfs_unaccount(): the inode goes */
void memfs_account(struct inode *inode);
void memfs_unaccount(struct inode *inode);
void memfs_limit_free(struct super *sb);
void memfs_limit_statfs(struct super *sb, struct kstatfs *st);
extern const struct super_ops memfs_super_ops;

struct memfs_dirent *memfs_find(struct inode *dir, const struct qstr *name);
/* memfs_add() - takes over the reference of @inode (NULL: a whiteout). Return: the entry, NULL: no memory */
__must_check struct memfs_dirent *memfs_add(struct inode *dir, const struct qstr *name, struct inode *inode);
/* memfs_del() - frees the entry; its reference of the inode goes to the caller */
struct inode *memfs_del(struct inode *dir, struct memfs_dirent *e);
/* memfs_first_at() - the entry with the smallest number >= @pos, or NULL */
struct memfs_dirent *memfs_first_at(struct inode *dir, u64 pos);

/* memfs_init_inode() - priv, operations and nlink for @inode's type. Return: 0, -ENOMEM */
__must_check int memfs_init_inode(struct inode *inode, const struct new_inode *n);
__must_check struct inode *memfs_new_inode(struct super *sb, const struct new_inode *n);
void memfs_evict(struct inode *inode);
int memfs_statfs(struct super *sb, struct kstatfs *st);

/* Directory operations, on entries that exist; the overlay calls them after it has copied up what they need. */
struct inode *memfs_lookup(struct inode *dir, const struct qstr *name);
struct inode *memfs_create(struct inode *dir, const struct qstr *name, const struct new_inode *n);
struct inode *memfs_tmpfile(struct inode *dir, const struct new_inode *n);
int memfs_link(struct inode *dir, const struct qstr *name, struct inode *inode);
int memfs_unlink(struct inode *dir, const struct qstr *name, struct inode *inode);
int memfs_rmdir(struct inode *dir, const struct qstr *name, struct inode *inode);
int memfs_rename(struct inode *dir, const struct qstr *name, struct inode *inode, struct inode *to_dir,
		 const struct qstr *to_name, struct inode *target, u32 flags);
ssize_t memfs_readlink(struct inode *inode, char *buf, size_t size);
int memfs_setattr(struct inode *inode, const struct iattr *attr);
int memfs_readdir(struct file *f, struct dir_context *ctx);

extern const struct file_ops memfs_file_ops, memfs_dir_file_ops;
extern const struct inode_ops memfs_dir_ops, memfs_file_inode_ops, memfs_symlink_ops;

/* memfs_pages() - the inode's page cache, made when it has none; without inode.lock. NULL: no memory */
struct pagecache *memfs_pages(struct inode *inode);
/* memfs_resize() - inode.lock held; seals are obeyed. Return: 0, -EPERM, -EFBIG, -ENOMEM */
int memfs_resize(struct inode *inode, pos_t size);

/* memfd_create(2): an unlinked regular file named "memfd:@name". Return: a file or ERR_PTR */
#define MFD_CLOEXEC		1u
#define MFD_ALLOW_SEALING	2u
#define MFD_HUGETLB		4u
#define MFD_NOEXEC_SEAL		8u
#define MFD_EXEC		0x10u
__must_check struct file *memfd_open(const char *name, u32 flags);

#define F_SEAL_SEAL		1u
#define F_SEAL_SHRINK		2u
#define F_SEAL_GROW		4u
#define F_SEAL_WRITE		8u
#define F_SEAL_FUTURE_WRITE	0x10u
#define F_SEAL_EXEC		0x20u
/* F_ADD_SEALS, F_GET_SEALS. Return: seals, 0, -EINVAL (not a memfd), -EPERM, -EBUSY */
long memfd_add_seals(struct file *f, u32 seals);
long memfd_get_seals(struct file *f);

#endif
