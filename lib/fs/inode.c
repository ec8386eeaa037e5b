// SPDX-License-Identifier: MIT
/* Inodes: their life, attributes, times. What they contain is the file system's business. */
#include "fs/vfs.h"

#include "base/string.h"
#include "fs/inotify.h"
#include "fs/locks.h"
#include "fs/xattr.h"
#include "mm/kmalloc.h"
#include "mm/pagecache.h"
#include "process/cred.h"
#include "process/task.h"
#include "sched/time.h"

static struct super *anon_super;
static struct mutex anon_super_lock = MUTEX_INIT;

static s64 last_now;	/* what time_now() said last; good enough to tell days apart */

s64 time_now(void)
{
	s64 now = clock_realtime();

	store_relaxed(&last_now, now);
	return now;
}

struct inode *inode_alloc(struct super *sb, u32 mode, u64 ino)
{
	struct inode *inode = kzalloc(sizeof(*inode));

	if (!inode)
		return NULL;
	ref_init(&inode->ref);
	mutex_init(&inode->lock);
	inode->mode = mode;
	inode->nlink = 1;
	inode->ino = ino ? ino : super_next_ino(sb);
	inode->atime = inode->mtime = inode->ctime = inode->btime = time_now();
	super_get(sb);
	inode->sb = sb;
	atomic_add(&sb->nr_inodes, 1u);
	return inode;
}

void inode_put(struct inode *inode)
{
	struct super *sb;

	if (!inode || !ref_put(&inode->ref))
		return;
	sb = inode->sb;
	inotify_inode_gone(inode);
	if (sb->ops->evict)
		sb->ops->evict(inode);
	if (inode->pagecache)
		pagecache_put(inode->pagecache);
	xattrs_free(inode);
	file_locks_free(inode);
	kfree(inode);
	atomic_sub(&sb->nr_inodes, 1u);
	super_put(sb);
}

static const struct super_ops anon_super_ops = { 0 };

static struct super *anon_super_get(void)
{
	struct super *sb = load_acquire(&anon_super);

	if (sb)
		return sb;
	mutex_lock(&anon_super_lock);
	if (!anon_super) {
		sb = super_alloc("anon_inodefs", &anon_super_ops, SB_ANON, 0x09041934);
		store_release(&anon_super, sb);
	}
	mutex_unlock(&anon_super_lock);
	return anon_super;
}

struct inode *inode_anon(u32 mode)
{
	struct super *sb = anon_super_get();
	struct inode *inode = sb ? inode_alloc(sb, mode, 0) : NULL;

	if (!inode)
		return NULL;
	inode->flags = INODE_ANON;
	if (current && current->cred) {
		inode->uid = current->cred->fsuid;
		inode->gid = current->cred->fsgid;
	}
	return inode;
}

void inode_stat(struct inode *inode, struct kstat *st)
{
	*st = (struct kstat){
		.dev = inode->sb->dev,
		.ino = inode->ino,
		.rdev = inode->rdev,
		.mode = READ_ONCE(inode->mode),
		.nlink = READ_ONCE(inode->nlink),
		.uid = READ_ONCE(inode->uid),
		.gid = READ_ONCE(inode->gid),
		.size = READ_ONCE(inode->size),
		.blocks = inode->pagecache ? pagecache_pages(inode->pagecache) * (PAGE_SIZE / 512) : inode->blocks,
		.blksize = inode->sb->blksize,
		.atime = READ_ONCE(inode->atime),
		.mtime = READ_ONCE(inode->mtime),
		.ctime = READ_ONCE(inode->ctime),
		.btime = inode->btime,
		.has_btime = inode->btime != 0,
	};
	if (inode->ops && inode->ops->getattr)
		inode->ops->getattr(inode, st);
}

int inode_refresh(struct inode *inode)
{
	return inode->ops && inode->ops->refresh ? inode->ops->refresh(inode) : 0;
}

#define PIPEFS_MAGIC	0x50495045
#define SOCKFS_MAGIC	0x534f434b

int inode_statfs(struct inode *inode, struct kstatfs *st)
{
	struct super *sb = inode->sb;

	*st = (struct kstatfs){
		.type = (s64)sb->magic,
		.bsize = sb->blksize,
		.frsize = sb->blksize,
		.namelen = NAME_MAX,
		.fsid = { (s32)sb->dev, 0 },
	};
	if (sb->flags & SB_ANON)
		st->type = S_ISFIFO(inode->mode) ? PIPEFS_MAGIC : S_ISSOCK(inode->mode) ? SOCKFS_MAGIC : st->type;
	return sb->ops->statfs ? sb->ops->statfs(sb, st) : 0;
}

void setattr_copy(struct inode *inode, const struct iattr *attr)
{
	if (attr->valid & ATTR_UID)
		inode->uid = attr->uid;
	if (attr->valid & ATTR_GID)
		inode->gid = attr->gid;
	if (attr->valid & ATTR_MODE)
		inode->mode = (inode->mode & S_IFMT) | (attr->mode & S_IALLUGO);
	if (attr->valid & ATTR_ATIME)
		inode->atime = attr->atime;
	if (attr->valid & ATTR_MTIME)
		inode->mtime = attr->mtime;
	if (attr->valid & ATTR_CTIME)
		inode->ctime = attr->ctime;
}

void inode_touch(struct inode *inode)
{
	inode->mtime = inode->ctime = time_now();
}

void inode_touch_ctime(struct inode *inode)
{
	inode->ctime = time_now();
}

/*
 * relatime: atime moves only when it would become younger than the last change, or once a day. So a program that polls a file
 * costs no clock reading after the first time.
 */
void inode_accessed(struct inode *inode, struct mount *mnt, u32 file_flags)
{
	if ((file_flags & O_NOATIME) || (inode->flags & INODE_NOATIME) || (inode->sb->flags & (SB_NOATIME | SB_RDONLY)))
		return;
	if (mnt) {
		u32 flags = READ_ONCE(mnt->flags);

		if ((flags & (MNT_NOATIME | MNT_RDONLY)) || ((flags & MNT_NODIRATIME) && S_ISDIR(inode->mode)))
			return;
	}
	if (inode->atime > inode->mtime && inode->atime > inode->ctime &&
	    load_relaxed(&last_now) - inode->atime < 86400 * NSEC_PER_SEC &&
	    !(mnt && (READ_ONCE(mnt->flags) & MNT_STRICTATIME)))
		return;
	inode->atime = time_now();
}

int inode_get_write(struct inode *inode)
{
	s32 old = load_relaxed(&inode->writers);

	do {
		if (old < 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(&inode->writers, &old, old + 1, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	if (load_relaxed(&inode->flags) & INODE_KEPT)
		atomic_and(&inode->flags, ~(u32)INODE_KEPT);
	return 0;
}

void inode_put_write(struct inode *inode)
{
	atomic_sub(&inode->writers, 1);
}

int inode_deny_write(struct inode *inode)
{
	s32 old = load_relaxed(&inode->writers);

	do {
		if (old > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(&inode->writers, &old, old - 1, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return 0;
}

void inode_allow_write(struct inode *inode)
{
	atomic_add(&inode->writers, 1);
}
