/* SPDX-License-Identifier: MIT */
/* Reading and writing through open files: what read(2), pread(2), sendfile(2), … have in common. */
#ifndef LIB_FS_RW_H
#define LIB_FS_RW_H

#include "fs/file.h"

/* At the file's own position. Return: bytes, -EBADF (not open for it), -EISDIR, -EINVAL, and what the file says */
ssize_t vfs_read(struct file *f, struct uio *to);
ssize_t vfs_write(struct file *f, struct uio *from);
/* At @pos, which is not changed. Also -ESPIPE. */
ssize_t vfs_pread(struct file *f, struct uio *to, pos_t pos);
ssize_t vfs_pwrite(struct file *f, struct uio *from, pos_t pos);
pos_t vfs_seek(struct file *f, pos_t off, int whence);
int vfs_readdir(struct file *f, struct dir_context *ctx);
long vfs_fallocate(struct file *f, int mode, pos_t off, pos_t len);

/*
 * file_write_limit() - how much of a write of @len bytes at @pos RLIMIT_FSIZE and @max (the file system's longest file) let through
 * Return: bytes, or -EFBIG (SIGXFSZ was sent when it is the limit's doing)
 */
ssize_t file_write_limit(pos_t pos, size_t len, pos_t max);

/* fs/splice.c. Positions NULL: the file's own, which moves. Return: bytes, or -errno */
ssize_t vfs_copy(struct file *in, pos_t *in_pos, struct file *out, pos_t *out_pos, size_t len);
ssize_t vfs_splice(struct file *in, pos_t *in_pos, struct file *out, pos_t *out_pos, size_t len, u32 flags);
ssize_t vfs_tee(struct file *in, struct file *out, size_t len, u32 flags);

#define SPLICE_F_MOVE		1u
#define SPLICE_F_NONBLOCK	2u
#define SPLICE_F_MORE		4u
#define SPLICE_F_GIFT		8u

#endif
