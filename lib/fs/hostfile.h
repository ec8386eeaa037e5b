/* SPDX-License-Identifier: MIT */
/*
 * Regular files of the host that the runner hands in as standard input or output, or by --fd.
 *
 * The open file that the sandbox starts with is the runner's own: it reads and writes at the host's position, so that what comes
 * after lbx-exec in a script goes on where the sandbox stopped. Once a program seeks, the position is kept here, and
 * the runner sets the host's when the sandbox has ended. /dev/stdin opened anew has a position of its own, as on Linux. What cannot be had through the South: truncating, so
 * /dev/stdout opened anew for writing goes on at the first open file's position whatever O_TRUNC says.
 */
#ifndef LIB_FS_HOSTFILE_H
#define LIB_FS_HOSTFILE_H

#include "fs/file.h"

/* hostfile_open() - @flags: O_ACCMODE and O_APPEND of the handle; @pos, @size: as they are now. Return: a file or ERR_PTR */
__must_check struct file *hostfile_open(u32 handle, u32 flags, pos_t pos, pos_t size);

#endif
