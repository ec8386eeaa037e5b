/* SPDX-License-Identifier: MIT */
/*
 * File locks: flock(2), and fcntl(2)'s POSIX and open-file-description locks. All locks of an inode stand in its struct file_locks,
 * made when the first one is taken.
 */
#ifndef LIB_FS_LOCKS_H
#define LIB_FS_LOCKS_H

#include "fs/vfs.h"

#define F_RDLCK		0
#define F_WRLCK		1
#define F_UNLCK		2

#define LOCK_SH		1
#define LOCK_EX		2
#define LOCK_NB		4
#define LOCK_UN		8

enum lock_kind { LOCK_FLOCK, LOCK_POSIX, LOCK_OFD };

/* What fcntl() hands over, with the range made absolute: [start, end], end == INT64_MAX: to infinity. */
struct lock_request {
	enum lock_kind kind;
	u32 type;		/* F_* */
	pos_t start, end;
	s32 pid;		/* of the owner; -1 for OFD */
};

/*
 * lock_apply() - take, change or drop a lock for @f (and, for POSIX, the current task's descriptor table)
 * @wait: sleep while others hold what conflicts
 * Return: 0, -EAGAIN, -EDEADLK, -ENOLCK, -ENOMEM, -ERESTARTSYS
 */
int lock_apply(struct file *f, const struct lock_request *req, bool wait);
/* lock_test() - F_GETLK: *req becomes the first lock that stands in the way, or its type F_UNLCK */
void lock_test(struct file *f, struct lock_request *req);

/* locks_close() - one descriptor of @files is closed: POSIX locks of that table on the file's inode go */
void locks_close(struct file *f, struct files *files);
/* locks_release() - the description is gone: its flock and OFD locks go */
void locks_release(struct file *f);
void file_locks_free(struct inode *inode);
/* locks_show_file() - "lock:" lines of /proc/<pid>/fdinfo */
void locks_show_file(struct file *f, struct seq_buf *s);
/* locks_show_inode() - all locks of @inode as lines of /proc/locks, numbered from *@nr on */
void locks_show_inode(struct inode *inode, struct seq_buf *s, u32 *nr);

#endif
