/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What differs between the kernels that the module builds for: 6.1 to 6.12. */
#ifndef LITEBOX_COMPAT_H
#define LITEBOX_COMPAT_H

#include <linux/version.h>

#ifndef __ASSEMBLER__

#include <linux/fs.h>
#include <linux/uio.h>

static inline ssize_t litebox_iter_write(struct file *file, struct iov_iter *iter, loff_t *pos)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
	ssize_t ret;

	file_start_write(file);
	ret = vfs_iter_write(file, iter, pos, 0);
	file_end_write(file);
	return ret;
#else
	return vfs_iter_write(file, iter, pos, 0);
#endif
}

#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 15, 0)
#define LITEBOX_CURRENT_TASK	PER_CPU_VAR(pcpu_hot)	/* current_task comes first */
#else
#define LITEBOX_CURRENT_TASK	PER_CPU_VAR(current_task)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
#define register_ftrace_direct(ops, addr)		register_ftrace_direct_multi(ops, addr)
#define unregister_ftrace_direct(ops, addr, free)	unregister_ftrace_direct_multi(ops, addr)
#endif

#endif
