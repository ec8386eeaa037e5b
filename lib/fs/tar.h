/* SPDX-License-Identifier: MIT */
/*
 * A tar image as a file system that nobody can change: what `docker export` writes, and tar(1). The image is read once from end to
 * end for its headers; files are read when somebody reads them, in place, and come into memory only when they are mapped.
 *
 * The tree is memfs's, with regular files of our own. The image is a stranger's: names with ".." and parents that are no directories
 * leave their entry out, and everything counts against the sandbox's memory.
 */
#ifndef LIB_FS_TAR_H
#define LIB_FS_TAR_H

#include "fs/vfs.h"

/* Where the image's bytes come from. Must not change while it is mounted: what is missing then reads as EIO. */
struct tar_source {
	/* as pread(2): bytes, 0 at the end, -errno */
	ssize_t (*read)(const struct tar_source *s, u64 off, void *buf, size_t len);
	u64 size;
	u32 handle;
	const void *arg;
};

/* tar_source_handle() - a granted handle of @size bytes */
struct tar_source tar_source_handle(u32 handle, u64 size);

/**
 * tar_super_create() - the image's tree
 * @src: copied; the handle stays the caller's
 * @name: of the image, for the lines that say what was left out, and why
 *
 * Return: a super to mount, or ERR_PTR: -EINVAL (not an image, or damaged; a line says where), -ENOMEM, -EIO
 */
__must_check struct super *tar_super_create(const struct tar_source *src, const char *name);

#endif
