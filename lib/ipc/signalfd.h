/* SPDX-License-Identifier: MIT */
/* signalfd(2): signals that are read. */
#ifndef LIB_IPC_SIGNALFD_H
#define LIB_IPC_SIGNALFD_H

#include "fs/file.h"
#include "process/signal_types.h"

/* signalfd_open() - @flags: O_NONBLOCK. NULL: no memory, or too many files */
__must_check struct file *signalfd_open(sigset_t mask, u32 flags);
/* signalfd_set() - Return: 0, or -EINVAL when @f is no signalfd */
int signalfd_set(struct file *f, sigset_t mask);

#endif
