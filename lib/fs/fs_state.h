/* SPDX-License-Identifier: MIT */
/* A task's root, working directory and umask; shared by CLONE_FS. */
#ifndef LIB_FS_FS_STATE_H
#define LIB_FS_FS_STATE_H

#include "fs/vfs.h"

struct fs_state {
	ref_t ref;
	struct spinlock lock;	/* guards the rest */
	struct path root, cwd;
	u32 umask;
};

/* fs_state_create() - for the first program: the root of the tree as it is mounted now, umask 022. NULL: no memory */
__must_check struct fs_state *fs_state_create(void);
__must_check struct fs_state *fs_state_dup(struct fs_state *old);	/* fork, unshare(CLONE_FS) */
static inline void fs_state_get(struct fs_state *fs) { ref_get(&fs->ref); }
void fs_state_put(struct fs_state *fs);

/* With references. */
void fs_state_root(struct fs_state *fs, struct path *out);
void fs_state_cwd(struct fs_state *fs, struct path *out);
/* Take the caller's references. */
void fs_state_set_root(struct fs_state *fs, struct path *p);
void fs_state_set_cwd(struct fs_state *fs, struct path *p);
u32 fs_state_umask(struct fs_state *fs);

#endif
