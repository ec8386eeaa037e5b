/* SPDX-License-Identifier: MIT */
/* Files that travel in messages (SCM_RIGHTS): cmsg(3), unix(7). */
#ifndef LIB_IPC_SCM_H
#define LIB_IPC_SCM_H

#include "fs/file.h"

#define SCM_MAX_FILES	253u

struct scm_files {
	struct list node;	/* while waiting to be put */
	u32 nr;
	struct file *file[];	/* references */
};

__must_check struct scm_files *scm_files_alloc(u32 nr);
/* scm_files_dup() - the same files once more (MSG_PEEK). NULL: no memory */
__must_check struct scm_files *scm_files_dup(const struct scm_files *fp);
/*
 * scm_files_put() - put every file and free; NULL is fine. Whatever ends with them (a socket with more files in its queue, and so
 * on) is worked off in a loop, not by recursion: a program can make such a chain as long as it likes.
 */
void scm_files_put(struct scm_files *fp);

#endif
