/* SPDX-License-Identifier: MIT */
/*
 * System V shared memory: segments that live until IPC_RMID and the last detach. Errors as shmget(2), shmop(2), shmctl(2).
 */
#ifndef LIB_MM_SHM_H
#define LIB_MM_SHM_H

#include "base/types.h"

#define SHM_MNI		4096u			/* segments */
#define SHM_MAX		(~0ull - (1ull << 24))	/* bytes of one: as Linux's default; RAM is the real limit */
#define SHM_ALL		(~0ull - (1ull << 24))	/* pages of all */

#define IPC_CREAT	01000
#define IPC_EXCL	02000
#define IPC_PRIVATE	0
#define SHM_HUGETLB	04000
#define SHM_NORESERVE	010000
#define SHM_RDONLY	010000
#define SHM_RND		020000
#define SHM_REMAP	040000
#define SHM_EXEC	0100000
#define SHM_DEST	01000			/* in mode: to be destroyed on the last detach */
#define SHM_LOCKED	02000

struct shm_status {
	s32 id, key;
	u32 uid, gid, cuid, cgid, mode;
	u16 seq;
	u64 size, nattch;
	s64 atime, dtime, ctime;		/* seconds */
	s32 cpid, lpid;
};

/* shm_get() - Return: id or -errno */
long shm_get(s32 key, u64 size, u32 flags);
/* shm_attach() - Return: address or -errno */
long shm_attach(s32 id, u64 addr, u32 flags);
long shm_detach(u64 addr);
/* shm_stat() - @by_index: @id is a place in the table, and the id is returned. @any: without asking for read permission */
long shm_stat(s32 id, bool by_index, bool any, struct shm_status *st);
long shm_set(s32 id, u32 uid, u32 gid, u32 mode);
long shm_remove(s32 id);
long shm_lock(s32 id, bool lock);
/* shm_usage() - segments, pages in all and pages there; Return: the highest place in use, 0: none */
long shm_usage(u32 *used, u64 *pages, u64 *resident);

#endif
