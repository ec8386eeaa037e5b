/* SPDX-License-Identifier: MIT */
/* What a file is: type and permission bits (inode(7)), and the attributes that stat(2), statx(2) and statfs(2) are made from. */
#ifndef LIB_FS_STAT_H
#define LIB_FS_STAT_H

#include "base/types.h"

#define S_IFMT		0170000
#define S_IFSOCK	0140000
#define S_IFLNK		0120000
#define S_IFREG		0100000
#define S_IFBLK		0060000
#define S_IFDIR		0040000
#define S_IFCHR		0020000
#define S_IFIFO		0010000
#define S_ISUID		0004000
#define S_ISGID		0002000
#define S_ISVTX		0001000
#define S_IRWXU		0700
#define S_IRWXG		0070
#define S_IXGRP		0010
#define S_IRWXO		0007
#define S_IALLUGO	07777
#define S_IRWXUGO	0777
#define S_IXUGO		0111

#define S_ISLNK(m)	(((m) & S_IFMT) == S_IFLNK)
#define S_ISREG(m)	(((m) & S_IFMT) == S_IFREG)
#define S_ISDIR(m)	(((m) & S_IFMT) == S_IFDIR)
#define S_ISCHR(m)	(((m) & S_IFMT) == S_IFCHR)
#define S_ISBLK(m)	(((m) & S_IFMT) == S_IFBLK)
#define S_ISFIFO(m)	(((m) & S_IFMT) == S_IFIFO)
#define S_ISSOCK(m)	(((m) & S_IFMT) == S_IFSOCK)

/* d_type of a directory entry, from a mode */
#define DT_UNKNOWN	0
#define DT_FIFO		1
#define DT_CHR		2
#define DT_DIR		4
#define DT_BLK		6
#define DT_REG		8
#define DT_LNK		10
#define DT_SOCK		12
static inline u8 mode_to_dt(u32 mode) { return (mode & S_IFMT) >> 12; }

/* Device numbers: 12 bits of major, 20 of minor, packed as stat(2) shows them on x86-64 (makedev(3)) */
static inline u64 dev_make(u32 major, u32 minor)
{
	return (minor & 0xff) | ((u64)(major & 0xfff) << 8) | ((u64)(minor & ~0xffu) << 12);
}
static inline u32 dev_major(u64 dev) { return (dev >> 8) & 0xfff; }
static inline u32 dev_minor(u64 dev) { return (dev & 0xff) | ((dev >> 12) & 0xffffff00); }

/* STATX_ATTR_* */
#define STATX_ATTR_IMMUTABLE	0x10ull
#define STATX_ATTR_APPEND	0x20ull
#define STATX_ATTR_MOUNT_ROOT	0x2000ull

struct kstat {
	u64 dev, ino, rdev;
	u32 mode, nlink, uid, gid;
	pos_t size;
	u64 blocks;		/* of 512 bytes */
	u32 blksize;
	s64 atime, mtime, ctime, btime;	/* ns of real time */
	u64 attributes;		/* STATX_ATTR_* */
	u32 mnt_id;
	bool has_btime;
};

/* statfs(2), the same layout as the program's */
struct kstatfs {
	s64 type, bsize;
	u64 blocks, bfree, bavail, files, ffree;
	s32 fsid[2];
	s64 namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct kstatfs) == 120, "struct statfs of x86-64");

#endif
