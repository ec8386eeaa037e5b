/* SPDX-License-Identifier: MIT */
/* Files of the host, over the broker's file server (tools/broker). */
#ifndef LIB_FS_9P_9P_H
#define LIB_FS_9P_9P_H

#include "fs/vfs.h"

struct boot_attr;

/* p9_channel_add() - a connection to the server, which speaks 9P2000.L.lbx; it is first spoken to when it is needed. Return: 0, -ENOMEM */
int p9_channel_add(u32 handle);

/*
 * p9_super_create() - the tree (or single file) that the server exports as @export, in decimal; @root: its root's attributes
 * The server is not asked anything. Return: a super with one reference, or ERR_PTR: -ENOMEM, -ENOSPC: too many exports
 */
__must_check struct super *p9_super_create(u32 export, bool writable, const struct boot_attr *root);

#endif
