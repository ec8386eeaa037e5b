/* SPDX-License-Identifier: MIT */
/*
 * An overlay: a tree that nobody may change (any file system, typically the host's over 9P) under a layer in memory.
 *
 * What a program changes becomes memory's *in place*: the inode stays the same object with the same number, so files that are open,
 * locked, watched or mapped stay what they are. In steps, each as late as can be:
 *	linked	it stands in the upper directory (or, with several lower links, in the table of links): it is not forgotten any
 *		more, and its attributes are ours. chmod, chown, rename, link.
 *	data	its bytes are ours: copied at the first write, mapping for writing or truncation.
 * A lower directory that is renamed takes its lower half along; nothing is copied. A removed name leaves a whiteout.
 */
#ifndef LIB_FS_OVERLAY_H
#define LIB_FS_OVERLAY_H

#include "fs/vfs.h"

/**
 * overlay_super() - a file system that shows @lower, changeable
 * @lower: a directory; a reference is taken. Nobody may see it by another way and change it
 *
 * Inode numbers of lower objects are the lower file system's. user.* attributes of the lower tree are not shown.
 * Return: a super to mount, or NULL: no memory.
 */
__must_check struct super *overlay_super(struct inode *lower);

/*
 * overlay_make_dir() - before it is mounted: the root has an empty directory @name, whatever lies below, which is not even looked at
 * (the host's /proc is refused by its server). Return: 0, -ENOMEM, -ENOSPC
 */
__must_check int overlay_make_dir(struct super *sb, const char *name, u32 mode);

/*
 * overlay_hide() - nothing of what lies below as @name in @dir (a directory of any file system) is seen any more, a whole tree at once;
 * for the time before programs run, when nobody uses it. The name may be cached. Return: 0, -ENOSPC
 */
__must_check int overlay_hide(struct inode *dir, const struct qstr *name);

/*
 * overlay_separate_links() - names of one lower file part when one of them is changed. Before anybody looks at it; no overlay is fine.
 * Then all that is changed stands in the upper tree, under its name.
 */
void overlay_separate_links(struct super *sb);

#endif
