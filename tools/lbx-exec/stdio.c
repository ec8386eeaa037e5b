// SPDX-License-Identifier: MIT
/* What becomes of each descriptor: handed in as it is, relayed by the broker, or /dev/null. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool same_file(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino &&
	       x.st_rdev == y.st_rdev && fcntl(a, F_GETFL) == fcntl(b, F_GETFL);
}

static void plan_one(struct stdio_plan *p, size_t i, int fd, uint32_t *next)
{
	struct boot_stdio *io = &p->io[i];
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	p->fd[i] = -1;
	io->kind = BOOT_STDIO_NULL;
	if (flags < 0 || fstat(fd, &st))
		return;		/* closed */
	io->flags = (uint32_t)flags & (O_ACCMODE | O_APPEND);
	for (size_t k = 0; k < i; k++) {
		if (p->fd[k] >= 0 && S_ISREG(st.st_mode) && same_file(p->fd[k], fd)) {
			io->kind = p->io[k].kind;
			io->same_as = (uint32_t)k + 1;
			return;
		}
	}
	if (S_ISREG(st.st_mode))
		io->kind = BOOT_STDIO_FILE;
	else if (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd))
		io->kind = BOOT_STDIO_STREAM;
	else
		return;
	p->fd[i] = fd;
	io->handle = (*next)++;
}

int stdio_plan(struct stdio_plan *p, const struct options *o, uint32_t first_handle)
{
	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < 3; i++)
		plan_one(p, p->nr++, (int)i, &first_handle);
	for (size_t i = 0; i < o->nr_fds; i++) {
		if (fcntl(o->fds[i], F_GETFD) < 0)
			die("--fd %d: %s", o->fds[i], strerror(errno));
		plan_one(p, p->nr++, o->fds[i], &first_handle);
	}
	return (int)first_handle;
}
