/* SPDX-License-Identifier: MIT */
/* Between pipe.c (bytes) and pipe_open.c (life). */
#ifndef LIB_IPC_PIPE_INTERNAL_H
#define LIB_IPC_PIPE_INTERNAL_H

#include "ipc/pipe.h"

ssize_t pipe_read(struct file *f, struct uio *to, pos_t *pos);
ssize_t pipe_write(struct file *f, struct uio *from, pos_t *pos);
u32 pipe_poll(struct file *f, struct poll_table *pt);
long pipe_ioctl(struct file *f, u32 cmd, u64 arg);

/* pipe_sleep() - let p->lock go until somebody wakes @q; held again afterwards. Return: 0 or -ERESTARTSYS */
int pipe_sleep(struct pipe *p, struct wait_queue *q);
void pipe_free_pages(struct pipe *p);

/*
 * pipe_promise() - the capacity of one pipe goes from @old to @new slots; counted over the sandbox
 * Return: false when it grows and too much is promised already: nothing has changed.
 */
__must_check bool pipe_promise(u32 old, u32 new);

#endif
