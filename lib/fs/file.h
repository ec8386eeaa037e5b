/* SPDX-License-Identifier: MIT */
/*
 * Open files and descriptor tables: the interface between everything that can be opened (file systems, pipes, sockets, epoll, …)
 * and the calls that use descriptors.
 *
 * struct file is an "open file description" of POSIX: reference counted; the last file_put() calls ops->release(). It may run in
 * any task of the sandbox, so release() must not look at the current task.
 */
#ifndef LIB_FS_FILE_H
#define LIB_FS_FILE_H

#include "base/atomic.h"
#include "base/list.h"
#include "mm/uaccess.h"
#include "sched/lock.h"
#include "sched/wait.h"

struct cred;
struct dentry;
struct file;
struct inode;
struct mount;
struct seq_buf;
struct vma;
struct kstat;

/* open(2) flags, x86-64 */
#define O_ACCMODE	03
#define O_RDONLY	00
#define O_WRONLY	01
#define O_RDWR		02
#define O_CREAT		0100
#define O_EXCL		0200
#define O_NOCTTY	0400
#define O_TRUNC		01000
#define O_APPEND	02000
#define O_NONBLOCK	04000
#define O_DSYNC		010000
#define O_ASYNC		020000
#define O_DIRECT	040000
#define O_LARGEFILE	0100000
#define O_DIRECTORY	0200000
#define O_NOFOLLOW	0400000
#define O_NOATIME	01000000
#define O_CLOEXEC	02000000
#define O_SYNC		04010000
#define O_PATH		010000000
#define O_TMPFILE	020200000

#define SEEK_SET	0
#define SEEK_CUR	1
#define SEEK_END	2
#define SEEK_DATA	3
#define SEEK_HOLE	4

/* poll(2) and epoll(7) events */
#define POLLIN		0x001u
#define POLLPRI		0x002u
#define POLLOUT		0x004u
#define POLLERR		0x008u
#define POLLHUP		0x010u
#define POLLNVAL	0x020u
#define POLLRDNORM	0x040u
#define POLLRDBAND	0x080u
#define POLLWRNORM	0x100u
#define POLLWRBAND	0x200u
#define POLLRDHUP	0x2000u

/*
 * ops->poll() calls poll_wait() on each queue whose wake-ups can change the answer, then returns what is ready now. A NULL table
 * means: only tell.
 */
struct poll_table {
	void (*add)(struct poll_table *pt, struct file *f, struct wait_queue *q);
};
static inline void poll_wait(struct file *f, struct wait_queue *q, struct poll_table *pt)
{
	if (pt && pt->add)
		pt->add(pt, f, q);
}

/* readdir: the file system calls emit() per entry; false means the caller's buffer is full: stop before this entry. */
struct dir_context {
	bool (*emit)(struct dir_context *ctx, const char *name, size_t len, pos_t next_pos, u64 ino, u8 dt_type);
	pos_t pos;		/* where to go on; the file system sets it to the next entry's position */
};

/* What mmap() of a file gives the memory layer; see mm/mm.h. */
struct vm_object;

/* Any member may be NULL: the call then answers what Linux does (EINVAL, ENOTTY, ESPIPE, always ready, …). */
struct file_ops {
	const char *name;	/* "pipe", "eventfd", …: for /proc/self/fd of anonymous files and for traces */
	bool plain_name;	/* /proc/self/fd shows it without brackets */
	/* @pos: in and out; NULL for streams. A short count is fine, 0 is end of file. Flags: f->flags (O_NONBLOCK). */
	ssize_t (*read)(struct file *f, struct uio *to, pos_t *pos);
	ssize_t (*write)(struct file *f, struct uio *from, pos_t *pos);
	pos_t (*seek)(struct file *f, pos_t off, int whence);	/* NULL: ESPIPE. generic_seek() fits most */
	u32 (*poll)(struct file *f, struct poll_table *pt);	/* NULL: POLLIN|POLLOUT|POLLRDNORM|POLLWRNORM */
	long (*ioctl)(struct file *f, u32 cmd, u64 arg);
	int (*readdir)(struct file *f, struct dir_context *ctx);
	/* A counted object for mmap; @shared_write: the mapping is MAP_SHARED and may be made writable */
	struct vm_object *(*mmap)(struct file *f, bool shared_write);
	int (*fsync)(struct file *f, bool datasync);
	long (*fallocate)(struct file *f, int mode, pos_t off, pos_t len);
	/* close(2) of one descriptor; POSIX locks are dropped by the caller */
	int (*flush)(struct file *f);
	void (*release)(struct file *f);
	void (*show_fdinfo)(struct file *f, struct seq_buf *out);
	/* fstat(2) of files without an inode; NULL: an anonymous inode */
	int (*stat)(struct file *f, struct kstat *st);
	/* F_SETFL changed @f->flags (O_ASYNC, O_NONBLOCK, O_APPEND, …) */
	int (*set_flags)(struct file *f, u32 flags);
	/* splice: move up to @len bytes straight into or out of pipe buffers is done by read/write through a bounce buffer */
};

struct file {
	ref_t ref;
	const struct file_ops *ops;
	u32 flags;		/* O_*, without the creation flags; changed by F_SETFL under lock */
	u32 mode;		/* FMODE_* */
	struct mutex pos_lock;	/* guards pos for files with FMODE_ATOMIC_POS; outside of inode.lock */
	pos_t pos;
	struct inode *inode;	/* NULL for some anonymous files; a reference */
	struct dentry *dentry;	/* NULL when it has no path; a reference */
	struct mount *mount;	/* a reference, with dentry */
	struct cred *cred;	/* of the opener; a reference, may be NULL */
	void *priv;		/* of ops */
	struct spinlock lock;	/* guards flags, owner, epoll_items */
	struct list epoll_items;	/* of the epoll instances that watch this file (ipc/epoll.c) */
	/* F_SETOWN, F_SETSIG */
	s32 owner_type, owner_id, owner_sig;
	struct { pos_t start, prev; } ra;
};

#define FMODE_READ		BIT(0)
#define FMODE_WRITE		BIT(1)
#define FMODE_SEEK		BIT(2)	/* lseek works */
#define FMODE_PREAD		BIT(3)	/* pread/pwrite work */
#define FMODE_ATOMIC_POS	BIT(4)	/* regular files and directories: read/write/lseek serialise on pos_lock */
#define FMODE_PATH		BIT(5)	/* O_PATH */
#define FMODE_STREAM		BIT(6)	/* no position at all: pipes, sockets */
#define FMODE_EXEC		BIT(7)	/* the image of a running program: holds inode_deny_write() */
#define FMODE_WRITER		BIT(8)	/* holds inode_get_write() */
#define FMODE_OPENED		BIT(9)	/* by open(2) and its kin: inotify is told of the close */

/* file_alloc() - a file with one reference, @mode FMODE_*, no inode. NULL: out of memory or over the sandbox's limit of files */
__must_check struct file *file_alloc(const struct file_ops *ops, u32 flags, u32 mode, void *priv);
static inline void file_get(struct file *f) { ref_get(&f->ref); }
void file_put(struct file *f);

/* ---- descriptor tables ---- */

struct files;			/* a descriptor table, shared by CLONE_FILES */

__must_check struct files *files_alloc(void);
__must_check struct files *files_dup(struct files *old);	/* fork */
void files_get(struct files *files);
void files_put(struct files *files);				/* the last one closes all */
void files_close_on_exec(struct files *files);
bool files_shared(const struct files *files);			/* somebody else has it too */

/* fd_get() - the current task's descriptor @fd; counted: file_put() it. NULL: EBADF (O_PATH files too; see fd_get_path()) */
__must_check struct file *fd_get(int fd);
__must_check struct file *fd_get_path(int fd);	/* O_PATH files as well */
/* fd_reserve()/fd_install() - a number first, the file once nothing can fail. @flags: O_CLOEXEC. Return: number, -EMFILE, -ENOMEM */
__must_check int fd_reserve(u32 flags, int min);
void fd_install(int fd, struct file *f);	/* takes the caller's reference */
void fd_unreserve(int fd);
/* fd_add() - reserve and install; on failure the reference is put. Return: number or -errno */
__must_check int fd_add(struct file *f, u32 flags);
int fd_close(int fd);

/* Another task's table, for /proc/<pid>/fd and pidfd_getfd: a reference, or NULL; files_next(): the first open number >= @fd, or -1 */
__must_check struct file *files_get_file(struct files *files, int fd, bool *cloexec);
int files_next(struct files *files, int fd);
/* The most files that the sandbox may have open in all; set at boot (lbx-exec --fds), ENFILE beyond */
extern u32 files_max;
u32 files_open(void);

/* anon_file() - an anonymous file (eventfd, epoll, …) for which /proc/self/fd shows "anon_inode:[name]" */
__must_check struct file *anon_file(const struct file_ops *ops, u32 flags, void *priv);

pos_t generic_seek(struct file *f, pos_t off, int whence);
/* sizeless_seek() - for directories and generated files: the same, but there is no end to seek from */
pos_t sizeless_seek(struct file *f, pos_t off, int whence);

/* file_poll() - as ops->poll with its default */
u32 file_poll(struct file *f, struct poll_table *pt);

/* file_read_at()/file_write_at() - from and to the library kernel's own memory; do not touch f->pos */
ssize_t file_read_at(struct file *f, void *buf, size_t len, pos_t pos);
ssize_t file_write_at(struct file *f, const void *buf, size_t len, pos_t pos);

#endif
