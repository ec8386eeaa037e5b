/* SPDX-License-Identifier: MIT */
/* Descriptor tables, the part that only the calls on descriptors need; the rest is in fs/file.h. */
#ifndef LIB_FS_FDTABLE_H
#define LIB_FS_FDTABLE_H

#include "fs/file.h"

#define NR_OPEN_MAX	(1u << 20)	/* /proc/sys/fs/nr_open */

/*
 * fd_dup_to() - dup3(2): @newfd becomes @f (one more reference is taken), what it was before is closed
 * Return: @newfd, -EBADF (beyond the limit), -EBUSY (being opened by another thread), -ENOMEM
 */
int fd_dup_to(struct file *f, int newfd, u32 flags);
/* fd_dup_from() - the lowest free number from @min on. Return: number, -EINVAL (@min beyond the limit), -EMFILE, -ENOMEM */
int fd_dup_from(struct file *f, int min, u32 flags);
/* Return: O_CLOEXEC, 0 or -EBADF */
int fd_get_cloexec(int fd);
int fd_set_cloexec(int fd, bool on);
/* fd_close_range() - close_range(2) on the current table; @cloexec: only mark. */
void fd_close_range(u32 first, u32 last, bool cloexec);
/* fd_table_size() - how many numbers the current table has room for: select(2) looks at no more of a set than that */
u32 fd_table_size(void);
/* files_table_size() - the same of another task's table */
u32 files_table_size(const struct files *files);
/* fd_unshare() - give the current task a table of its own. Return: 0, -ENOMEM */
int fd_unshare(void);

#endif
