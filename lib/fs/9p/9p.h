/* SPDX-License-Identifier: MIT */
/* Files of the host, over the broker's file server (tools/broker). */
#ifndef LIB_FS_9P_9P_H
#define LIB_FS_9P_9P_H

#include "fs/vfs.h"

/* p9_channel_add() - a connection to the server, which speaks 9P2000.L.lbx. Return: 0, -ENOMEM, -EIO, -EPROTO */
int p9_channel_add(u32 handle);

/*
 * p9_super_create() - the tree (or single file) that the server exports as @export, in decimal
 * Return: a super with one reference, or ERR_PTR: the server's errno, -ENOMEM, -EIO
 */
__must_check struct super *p9_super_create(u32 export, bool writable);

#endif
