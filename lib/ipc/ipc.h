/* SPDX-License-Identifier: MIT */
/* What the files of this folder have in common. */
#ifndef LIB_IPC_IPC_H
#define LIB_IPC_IPC_H

#include "fs/file.h"
#include "fs/seq_buf.h"
#include "process/signal.h"

/* ipc_sigpipe() - the current task wrote to what nobody can read any more */
static inline void ipc_sigpipe(void)
{
	signal_self(SIGPIPE);
}

/* lseek(2) on a file that has no position but does not mind: eventfd, epoll, …. Source: noop_llseek(), seen natively */
static inline pos_t ipc_noop_seek(struct file *f __unused, pos_t off __unused, int whence __unused)
{
	return 0;
}

#endif
