/* SPDX-License-Identifier: MIT */
/*
 * Streams of the host that were granted at the start: standard input and output when they are pipes, sockets, files or devices
 * that the broker relays. Nothing is read from the host before a program asks for it.
 */
#ifndef LIB_FS_STREAM_H
#define LIB_FS_STREAM_H

#include "fs/file.h"

/* stream_open() - @flags: O_ACCMODE of the handle; @regular: never blocks. Return: a file or ERR_PTR */
__must_check struct file *stream_open(u32 handle, u32 flags, bool regular);

#endif
