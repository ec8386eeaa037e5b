/* SPDX-License-Identifier: MIT */
/*
 * File systems whose content is made when it is looked at: /proc, /sys, parts of /dev. A tree is described by tables; directories
 * may add entries that come and go (processes, descriptors).
 *
 *	static const struct pseudo_entry net_dir[] = { { "dev", S_IFREG | 0444, .show = show_dev }, {} };
 *	static const struct pseudo_entry root[] = {
 *		{ "uptime", S_IFREG | 0444, .show = show_uptime },
 *		{ "net", S_IFDIR | 0555, .children = net_dir },
 *		{ "self", S_IFLNK | 0777, .readlink = self_readlink },
 *		{}
 *	};
 *
 * An inode of such a tree has a context: two words and a counted object, inherited from the directory it is found in. So what hangs
 * below /proc/<pid> finds its process through it: pseudo_ctx(inode).
 */
#ifndef LIB_FS_PSEUDO_H
#define LIB_FS_PSEUDO_H

#include "fs/seq_buf.h"
#include "fs/vfs.h"

/* What an inode stands for. @obj is counted by ops->get and ops->put. */
struct pseudo_ctx {
	void *obj;
	u64 key, key2;
	const struct pseudo_ctx_ops *ops;	/* NULL: @obj is not counted */
};
struct pseudo_ctx_ops {
	void (*get)(void *obj);
	void (*put)(void *obj);
	/* Is the object still there? false: names that lead to it are gone (ENOENT) and reads answer ESRCH. NULL: always. */
	bool (*alive)(const struct pseudo_ctx *ctx);
	/* The owner that its files are shown with; NULL: root */
	void (*owner)(const struct pseudo_ctx *ctx, u32 *uid, u32 *gid);
};

struct pseudo_entry {
	const char *name;	/* NULL ends a table */
	u32 mode;		/* S_IF* and permissions */
	/* Regular files: the text, made when it is first read (and again after seeking to 0). Return: 0 or -errno */
	int (*show)(struct seq_buf *s, const struct pseudo_ctx *ctx);
	/* One write(2), at most PAGE_SIZE, NUL-terminated. Return: bytes taken or -errno */
	ssize_t (*store)(const struct pseudo_ctx *ctx, const char *text, size_t len);
	/* Symlinks: text without NUL; magic links have follow as well */
	ssize_t (*readlink)(const struct pseudo_ctx *ctx, char *buf, size_t size);
	int (*follow)(const struct pseudo_ctx *ctx, struct path *out);
	/* Directories: a table, and entries that are not in it */
	const struct pseudo_entry *children;
	const struct pseudo_dir *dynamic;
	/* Regular files with operations of their own: sets f->ops and f->priv. Instead of show */
	int (*open)(const struct pseudo_ctx *ctx, struct file *f);
	/* Finer than the mode: may it be opened at all? Return: 0 or -errno */
	int (*may_open)(const struct pseudo_ctx *ctx);
	u64 key2;		/* handed to the entry's ctx.key2: one function for several files */
};

struct pseudo_dir {
	/*
	 * Find @name: fill @ctx (it holds a copy of the directory's, without a reference; replace what differs, and take no
	 * reference: the pseudo file system does by ops->get; return a reference in @ctx with *counted = true when that is easier).
	 * Return: the entry that describes the object, or NULL (ENOENT).
	 */
	const struct pseudo_entry *(*lookup)(const struct pseudo_ctx *dir, const struct qstr *name,
					     struct pseudo_ctx *ctx, bool *counted);
	/*
	 * The entries in an order that stays: the first one at or after @from. Write its name and type, and set *from to its
	 * position; positions are the directory's own numbers, 0 to INT32_MAX. Return: true, or false at the end.
	 */
	bool (*next)(const struct pseudo_ctx *dir, u64 *from, char *name, size_t size, u32 *mode);
};

/**
 * pseudo_super() - a file system of such a tree
 * @type, @magic: as super_alloc(); @flags: SB_*, SB_NOCACHE for trees whose objects come and go
 * @root: the directory's entry: children, dynamic, mode; the name is not looked at
 */
__must_check struct super *pseudo_super(const char *type, u64 magic, u32 flags, const struct pseudo_entry *root);
const struct pseudo_ctx *pseudo_inode_ctx(struct inode *inode);

#endif
