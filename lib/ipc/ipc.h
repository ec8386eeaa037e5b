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

#endif
