/* SPDX-License-Identifier: MIT */
/* eventfd(2): a 64-bit counter to wait on. */
#ifndef LIB_IPC_EVENTFD_H
#define LIB_IPC_EVENTFD_H

#include "fs/file.h"

#define EFD_SEMAPHORE	1u

/* eventfd_create() - @flags: EFD_SEMAPHORE, O_NONBLOCK. NULL: no memory, or too many files */
__must_check struct file *eventfd_create(u32 count, u32 flags);

#endif
