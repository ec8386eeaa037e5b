/* SPDX-License-Identifier: MIT */
/* Terminals for unit tests: a booted tree with /dev/pts, and a pair. */
#ifndef SELFTESTS_LIB_TTY_ENV_H
#define SELFTESTS_LIB_TTY_ENV_H

#include "fs_env.h"

#include "fs/fdtable.h"
#include "tty/tty.h"

static inline void tty_env_boot(void)
{
	struct cred *user;

	fs_boot();
	user = current->cred;
	current->cred = NULL;
	if (tty_init())
		abort();
	current->cred = user;
}

/* A master and its slave, both nonblocking, nobody's controlling terminal. */
static inline void tty_pair(int *m, int *s)
{
	char name[32];
	int n, unlock = 0;

	*m = (int)CALL(open, "/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
	if (*m < 0 || CALL(ioctl, *m, TIOCSPTLCK, &unlock) || CALL(ioctl, *m, TIOCGPTN, &n))
		abort();
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	*s = (int)CALL(open, name, O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
	if (*s < 0)
		abort();
}

#endif
