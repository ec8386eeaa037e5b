/* SPDX-License-Identifier: MIT */
/*
 * Streams of the host that were granted at the start: standard input and output when they are pipes, sockets or devices that
 * the broker relays. Nothing is read from the host before a program asks for it.
 */
#ifndef LIB_FS_STREAM_H
#define LIB_FS_STREAM_H

#include "fs/file.h"

/* stream_open() - @flags: O_ACCMODE of the handle. Return: a file or ERR_PTR */
__must_check struct file *stream_open(u32 handle, u32 flags);

/* stream_io() - one read or write of a handle at @off, or SOUTH_STREAM. Return: bytes, 0 at the end, -ERESTARTSYS, another error */
ssize_t stream_io(u32 handle, u64 off, struct uio *u, bool write);

#endif
