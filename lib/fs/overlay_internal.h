/* SPDX-License-Identifier: MIT */
/*
 * Inside the overlay. See overlay.h.
 *
 * Locks: overlay.lock (mutex) guards the upper directories' trees, the links from nodes to their places, and the table of nodes; it
 * nests inside inode.lock, so that a directory can be entered in its parents while only itself is locked. node.up_lock serialises
 * the copying of one file's data; it nests inside inode.lock, and overlay.lock inside it. Lower inodes' locks are innermost.
 */
#ifndef LIB_FS_OVERLAY_INTERNAL_H
#define LIB_FS_OVERLAY_INTERNAL_H

#include "fs/memfs.h"
#include "fs/namei.h"
#include "fs/overlay.h"

/* Numbers of what was made here; the host's are smaller. */
#define OVERLAY_FIRST_INO	(1ull << 62)
/* A directory with a lower half does not count its links; a program sees 1, "unknown", as on other overlays. */
#define OVERLAY_DIR_NLINK	(1u << 30)

struct overlay {
	struct mutex lock;
	struct rb_root nodes;		/* of all live inodes with a lower half, by the lower number */
	struct inode *lower;		/* the root's; a reference */
	struct ovl_node *free;		/* see put_parents() */
	bool freeing;
	bool separate;			/* overlay_separate_links() */
};

/* The lower half of an inode; none where there was nothing below. */
struct ovl_node {
	struct rb_node rb;		/* in overlay.nodes */
	bool in_table;
	struct inode *inode;		/* whose half this is */
	struct inode *lower;		/* a reference */
	struct inode *parent;		/* a reference, until linked: where it was found, and by which name. NULL: several lower links */
	char *name;
	bool linked, data;		/* see overlay.h; only ever become true. Read without lock */
	bool pinned;			/* the table holds a reference: linked, with lower links that find it by the table alone */
	struct mutex up_lock;
	struct ovl_node *next_free;
};

static inline struct overlay *overlay_of(const struct inode *inode) { return inode->sb->priv; }
/* ovl_node() - NULL: nothing below */
struct ovl_node *ovl_node(const struct inode *inode);
static inline struct inode *ovl_lower(const struct inode *dir)
{
	struct ovl_node *n = ovl_node(dir);

	return n ? n->lower : NULL;
}

/* ovl_lower_lookup() - a reference, ERR_PTR(-ENOENT) also where there is no lower directory */
struct inode *ovl_lower_lookup(struct inode *dir, const struct qstr *name);
/* ovl_inode() - the inode for @lower (whose reference is taken over), found as @name in @dir */
struct inode *ovl_inode(struct inode *dir, const struct qstr *name, struct inode *lower);
/* ovl_link() - make @inode and all directories above it ours. Return: 0, -ENOSPC. ovl_link_locked(): with overlay.lock held */
int ovl_link(struct inode *inode);
int ovl_link_locked(struct inode *inode);
/* ovl_unpin() - its last name is gone: the table's reference, for the caller to put after the locks; or NULL */
struct inode *ovl_unpin(struct inode *inode);
/* ovl_orphan() - overlay.lock held: it lost its place; a reference to put after the lock, or NULL */
struct inode *ovl_orphan(struct inode *inode);
/* ovl_copy_data() - the first @keep bytes of a regular file become ours. Return: 0, -ENOSPC, -EIO, … */
int ovl_copy_data(struct inode *inode, pos_t keep);

extern const struct inode_ops ovl_dir_ops, ovl_file_inode_ops, ovl_link_ops, ovl_special_ops;
extern const struct file_ops ovl_dir_file_ops;

int ovl_setattr(struct inode *inode, const struct iattr *attr);
void ovl_dir_getattr(struct inode *inode, struct kstat *st);
int ovl_refresh(struct inode *inode);
void ovl_copy_attrs(struct inode *inode);	/* what the lower inode says at present, while it is still the one that counts */
int ovl_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
int ovl_removexattr(struct inode *inode, const char *name);

#endif
