// SPDX-License-Identifier: MIT
/*
 * The size of a file system in memory (mount option size, lbx-exec --tmpfs DIR:SIZE). Pages count when they are written or
 * allocated; those that come by storing into a mapping's holes count at the file's next change.
 */
#include "fs/memfs.h"
#include "mm/kmalloc.h"
#include "mm/pagecache.h"

struct memfs_limit {
	u64 max;	/* pages */
	u64 used;	/* atomic */
};

static struct memfs_limit *limit_of(const struct super *sb)
{
	return sb->ops == &memfs_super_ops ? sb->priv : NULL;
}

int memfs_set_limit(struct super *sb, u64 bytes)
{
	struct memfs_limit *l = kzalloc(sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->max = DIV_ROUND_UP(bytes, PAGE_SIZE);
	sb->priv = l;
	return 0;
}

void memfs_limit_free(struct super *sb)
{
	kfree(sb->priv);
}

ssize_t memfs_limit_len(struct inode *inode, pos_t pos, ssize_t len)
{
	struct memfs_limit *l = limit_of(inode->sb);
	u64 first = (u64)pos >> PAGE_SHIFT, nr, room, used;

	if (!l || !len)
		return len;
	used = load_relaxed(&l->used);
	room = used < l->max ? l->max - used : 0;
	nr = (((u64)pos + (u64)len - 1) >> PAGE_SHIFT) - first + 1;
	/* What is there already costs nothing. The longest beginning that fits is found by halving. */
	if (pagecache_holes(inode->pagecache, first, nr) > room) {
		u64 low = 0;

		while (nr - low > 1) {
			u64 mid = low + (nr - low) / 2;

			if (pagecache_holes(inode->pagecache, first, mid) > room)
				nr = mid;
			else
				low = mid;
		}
		if (!low)
			return -ENOSPC;
		len = min(len, (ssize_t)(((first + low) << PAGE_SHIFT) - (u64)pos));
	}
	return len;
}

void memfs_account(struct inode *inode)
{
	struct memfs_limit *l = limit_of(inode->sb);
	u64 now;

	if (!l || !inode->pagecache)
		return;
	now = pagecache_pages(inode->pagecache);
	atomic_add(&l->used, now - inode->blocks);
	/* Of use to nobody else: stat asks the page cache. */
	inode->blocks = now;
}

void memfs_unaccount(struct inode *inode)
{
	struct memfs_limit *l = limit_of(inode->sb);

	if (l && S_ISREG(inode->mode))
		atomic_sub(&l->used, inode->blocks);
}

void memfs_limit_statfs(struct super *sb, struct kstatfs *st)
{
	struct memfs_limit *l = limit_of(sb);
	u64 used;

	if (!l)
		return;
	used = load_relaxed(&l->used);
	st->bfree = st->bavail = min(st->bfree, used < l->max ? l->max - used : 0);
	st->blocks = l->max;
}
