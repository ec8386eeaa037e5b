/* SPDX-License-Identifier: MIT */
/*
 * lbx-exec --keep-changes DIR: what programs changed in the writable layer is written to a directory of the host when the sandbox ends,
 * and read from there when the next one starts. lbx-exec(1) says what the directory looks like; it is a tree like the sandbox's, with
 * the whiteouts of OCI image layers (".wh.NAME", ".wh..wh..opq").
 *
 * The layer is made of the file systems that keep_layer() names: overlays and ones in memory. What is in them at keep_begin() is the
 * sandbox's own furniture and is not kept. Everything goes through the file server, which lets nothing outside of DIR be touched.
 */
#ifndef LIB_FS_KEEP_H
#define LIB_FS_KEEP_H

#include "fs/vfs.h"

/* keep_layer() - what is mounted at @path is part of the layer. Return: 0, -ENOMEM, and what a look-up says */
int keep_layer(const char *path);

/**
 * keep_begin() - once all is mounted: what is there is not kept, and what was kept is put into its place
 * @dir: the host's directory, writable; a reference is taken
 * @name: of it, for lines about what fails; @uid, @gid: who owns what was kept
 *
 * Return: 0, or an error, after a line that says what it is about
 */
int keep_begin(struct inode *dir, const char *name, u32 uid, u32 gid);

/* keep_save() - all programs have ended. Return: 0 (also when nothing is kept), or the first error, after lines about them */
int keep_save(void);

#endif
