/* SPDX-License-Identifier: MIT */
/* What the tests of files share: a booted tree, and a native directory to compare with. */
#ifndef SELFTESTS_LIB_FS_ENV_H
#define SELFTESTS_LIB_FS_ENV_H

#include "ipc_env.h"

#include "fs/fs_state.h"
#include "fs/namei.h"

#define FS_UID 1000

static inline int fs_mkdir(const char *name) { return CALL(mkdir, name, 0777); }
static inline int fs_open(const char *name, int flags, int mode) { return CALL(open, name, flags, mode); }

/* A file with @text in it. */
static inline void fs_put(const char *name, const char *text)
{
	int fd = fs_open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	EXPECT(fd >= 0);
	EXPECT_EQ(CALL(write, fd, text, strlen(text)), strlen(text));
	EXPECT_EQ(CALL(close, fd), 0);
}

static inline bool fs_has(const char *name, const char *text)
{
	char buf[4096];
	int fd = fs_open(name, O_RDONLY, 0);
	long n = fd < 0 ? fd : CALL(read, fd, buf, sizeof(buf));

	if (fd >= 0)
		CALL(close, fd);
	return n == (long)strlen(text) && !memcmp(buf, text, n);
}

/* The tree as boot leaves it, and an ordinary user in /w, who owns that. */
static inline void fs_boot(void)
{
	struct cred *user;

	env_boot();
	user = current->cred;
	current->cred = NULL;
	if (vfs_init() || vfs_mkdirs("/w", 0777))
		abort();
	current->fs = fs_state_create();
	current->fs->umask = 0;
	current->cred = user;
	EXPECT_EQ(CALL(chdir, "/w"), 0);
}

#endif
