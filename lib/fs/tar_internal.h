/* SPDX-License-Identifier: MIT */
/* Between tar.c (the tree), tar_index.c (reading headers) and tar_file.c (reading files). */
#ifndef LIB_FS_TAR_INTERNAL_H
#define LIB_FS_TAR_INTERNAL_H

#include "fs/memfs.h"
#include "fs/tar.h"
#include "fs/tar_parse.h"

/* Of one file, and of one image; more is -EINVAL. */
#define TAR_EXTENTS_MAX	65536u
#define TAR_ENTRIES_MAX	(1u << 22)

/* [off, off + len) of the file stands at @at of the image. */
struct tar_extent {
	u64 off, len, at;
};

struct tar_map {
	struct tar_extent *v;	/* by off; no two overlap */
	u32 nr, room;
	u64 stored;		/* bytes in all of them */
};

/* tar_map_add() - @off is not before the last one's end. Return: 0, -EINVAL, -ENOMEM */
int tar_map_add(struct tar_map *m, u64 off, u64 len);
void tar_map_free(struct tar_map *m);

/* sb->priv */
struct tar_image {
	struct tar_source src;
	const char *name;	/* while it is read */
	u32 left_out;
};
static inline struct tar_image *tar_image(const struct super *sb) { return sb->priv; }

/* An entry, all its headers taken together. */
struct tar_entry {
	char type;
	const char *name, *link;
	u32 mode, uid, gid;
	u64 rdev, size;		/* size: of the file as it is read */
	s64 mtime;		/* ns */
	struct tar_map map;	/* of a regular file; taken over by its inode */
};

/* tar_add() - put it into the tree. Return: 0 (also when it was left out), -ENOMEM */
int tar_add(struct super *sb, struct tar_entry *e);
/* tar_left_out() - a line that says so */
void tar_left_out(struct tar_image *img, const char *name, const char *why);

/* tar_index() - read all headers, tar_add() each entry. Return: 0, -EINVAL, -ENOMEM, -EIO */
int tar_index(struct super *sb);

/* tar_file_init() - @inode reads @map, which it takes over. Return: 0, -ENOMEM. tar_file_evict(): its memory */
int tar_file_init(struct inode *inode, struct tar_map *map);
void tar_file_evict(struct inode *inode);

#endif
