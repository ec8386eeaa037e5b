/* SPDX-License-Identifier: MIT */
/*
 * Pipes and FIFOs (pipe(7), fifo(7)).
 *
 * A pipe is a ring of pages that are allocated as they are filled. Life: one reference per open end (a file). Its inode (that of
 * the FIFO, or an anonymous one, which /proc/self/fd/N leads back to) points to it in inode.socket while it is open somewhere.
 *
 * Lock: pipe->lock guards everything but the reference count; it is held over copies to and from the program, because that is what
 * makes writes of up to PIPE_BUF bytes atomic. Nothing nests inside but wait queues. The last reference is dropped after it is let go.
 */
#ifndef LIB_IPC_PIPE_H
#define LIB_IPC_PIPE_H

#include "fs/file.h"

#define PIPE_DEF_SLOTS		16u		/* 64 KiB */
#define PIPE_MIN_SLOTS		2u		/* what a pipe gets when too many pages are promised already */
#define PIPE_MAX_SIZE		(1u << 20)	/* F_SETPIPE_SZ without CAP_SYS_RESOURCE: /proc/sys/fs/pipe-max-size */
#define PIPE_TOTAL_PAGES	16384u		/* promised to pipes beyond the smallest size: /proc/sys/fs/pipe-user-pages-soft */
#define PIPE_SPARE_PAGES	2u		/* emptied pages kept for the next write: page_alloc() zeroes, which we do not need */

struct pipe_slot {
	u8 *page;
	u32 off, len;
	bool packet;		/* O_DIRECT: one read takes it whole, the next write does not add to it */
};

struct pipe {
	ref_t ref;
	struct mutex lock;
	struct wait_queue readers;	/* sleeping readers, pollers for POLLIN, openers that wait for a writer */
	struct wait_queue writers;
	struct pipe_slot *ring;
	u32 slots;		/* of ring, a power of two */
	u32 head, tail;		/* free-running: filled at head, emptied at tail */
	u32 nr_readers, nr_writers;	/* open ends */
	u32 r_opens, w_opens;	/* count opens, so that a FIFO's opener sees a partner that came and went */
	bool claimed;		/* pipe_peek() showed bytes to somebody: other readers wait */
	bool polled;		/* an edge-triggered watcher may want each write, not just the first into an empty pipe */
	u8 *spare[PIPE_SPARE_PAGES];
	struct inode *inode;	/* a reference */
};

/**
 * pipe_create() - two files on a new pipe
 * @flags: O_NONBLOCK, O_DIRECT
 * Return: 0, -ENFILE, -ENOMEM. On success the caller owns a reference to each.
 */
__must_check int pipe_create(struct file **reader, struct file **writer, u32 flags);

/**
 * fifo_open() - open(2) of a FIFO: joins the inode's pipe, or makes it
 * @f: a fresh file; its flags say how it is opened. Gets its operations and ->priv here
 *
 * Waits, interruptibly, for the other end as fifo(7) says.
 * Return: 0, -ENXIO (O_WRONLY|O_NONBLOCK without a reader), -ENOMEM, -EINVAL, -ERESTARTSYS; after an error there is nothing to release.
 */
__must_check int fifo_open(struct inode *inode, struct file *f);

/* file_pipe() - the pipe that @f is an end of, or NULL */
struct pipe *file_pipe(struct file *f);

/**
 * pipe_peek() - for splice(2) and tee(2): show the first bytes and keep other readers away from them
 * @f:   the reading end
 * @buf: library-kernel memory
 * @nonblock: do not sleep, as O_NONBLOCK
 *
 * Whoever got a count above 0 must call pipe_consume(), at once or after writing the bytes elsewhere.
 * Return: bytes, 0 at end of file, -EAGAIN, -EBADF (not a reading end), -ERESTARTSYS.
 */
__must_check ssize_t pipe_peek(struct file *f, void *buf, size_t len, bool nonblock);
/* pipe_consume() - the first @n of the bytes that pipe_peek() showed are taken; the rest is there for readers again */
void pipe_consume(struct file *f, size_t n);

/* F_GETPIPE_SZ; F_SETPIPE_SZ. Return: capacity in bytes, -EBADF (no pipe), -EBUSY, -EPERM, -EINVAL, -ENOMEM. Source: fcntl(2). */
long pipe_get_size(struct file *f);
long pipe_set_size(struct file *f, u64 size);

#endif
