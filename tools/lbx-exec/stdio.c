// SPDX-License-Identifier: MIT
/* What becomes of each descriptor: handed in as it is, relayed by the broker, or /dev/null. */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/south/host/header.h"
#include "relay.h"

/* Whether a flag of @a's open file is one of @b's: O_NONBLOCK, which means nothing for a regular file. */
static bool shares_flags(int a, int b)
{
	int flags = fcntl(a, F_GETFL), theirs = fcntl(b, F_GETFL);
	bool shared;

	if (fcntl(a, F_SETFL, flags ^ O_NONBLOCK))
		return false;
	shared = (fcntl(b, F_GETFL) ^ theirs) & O_NONBLOCK;
	(void)fcntl(a, F_SETFL, flags);
	return shared;
}

/* The same open file, with one position. Where the kernel does not tell (in containers), a device opened the same way is the same. */
static bool same_file(int a, int b)
{
	long order = syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, a, b);
	struct stat x, y;

	if (order >= 0)
		return !order;
	if (fstat(a, &x) || fstat(b, &y) || x.st_dev != y.st_dev || x.st_ino != y.st_ino || x.st_rdev != y.st_rdev ||
	    fcntl(a, F_GETFL) != fcntl(b, F_GETFL))
		return false;
	return !S_ISREG(x.st_mode) || shares_flags(a, b);
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

static void plan_one(struct stdio_plan *p, size_t i, int fd, uint32_t *next)
{
	struct boot_stdio *io = &p->io[i];
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	p->fd[i] = p->relay[i] = p->host[i] = -1;
	io->kind = BOOT_STDIO_NULL;
	if (flags < 0 || flags & O_PATH || fstat(fd, &st) || is_null(&st) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
		return;		/* closed, or nothing to read and write */
	io->flags = (uint32_t)flags & (O_ACCMODE | O_APPEND);
	for (size_t k = 0; k < i; k++) {
		if (p->host[k] >= 0 && (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode)) && same_file(p->host[k], fd)) {
			io->kind = p->io[k].kind;
			io->same_as = (uint32_t)k + 1;
			return;
		}
	}
	p->host[i] = fd;
	io->handle = (*next)++;
	if (S_ISREG(st.st_mode)) {
		off_t pos = lseek(fd, 0, SEEK_CUR);

		io->kind = BOOT_STDIO_FILE;
		io->pos = pos > 0 ? (uint64_t)pos : 0;
		io->size = (uint64_t)st.st_size;
		p->fd[i] = fd;
		return;
	}
	io->kind = BOOT_STDIO_STREAM;
	if ((S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) && !(flags & O_NONBLOCK)) {
		p->fd[i] = fd;
		return;
	}
	if (isatty(fd))
		io->kind = BOOT_STDIO_TTY;
	p->fd[i] = relay_socket(&p->relay[i]);
}

uint32_t stdio_plan(struct stdio_plan *p, const struct options *o, uint32_t first_handle)
{
	memset(p, 0, sizeof(*p));
	p->control = -1;
	for (size_t i = 0; i < 3; i++)
		plan_one(p, p->nr++, (int)i, &first_handle);
	for (int fd = 3; fd < MAX_FDS; fd++) {
		if (!(o->fds & 1u << fd))
			continue;
		while (p->nr < (size_t)fd) {
			p->fd[p->nr] = p->relay[p->nr] = p->host[p->nr] = -1;
			p->io[p->nr++].kind = BOOT_STDIO_NONE;
		}
		plan_one(p, p->nr++, fd, &first_handle);
	}
	return first_handle;
}

void stdio_close_sandbox_ends(const struct stdio_plan *p)
{
	for (size_t i = 0; i < p->nr; i++)
		if (p->relay[i] >= 0)
			close(p->fd[i]);
}

void stdio_leave(const struct stdio_plan *p, const struct host_header *header)
{
	for (size_t i = 0; i < p->nr; i++) {
		uint64_t at = 0;

		if (p->io[i].kind == BOOT_STDIO_FILE && !p->io[i].same_as)
			at = *(const volatile uint64_t *)&header->left_at[p->io[i].handle];
		if (at && at <= INT64_MAX)
			(void)lseek(p->host[i], (off_t)at - 1, SEEK_SET);
	}
}

void stdio_relay(const struct stdio_plan *p)
{
	for (size_t i = 0; i < p->nr; i++) {
		uint32_t access = p->io[i].flags & O_ACCMODE;

		if (p->relay[i] < 0)
			continue;
		/* a terminal is open for both mostly, and then serves both ways */
		if (access != O_WRONLY)
			relay_copy(p->host[i], p->relay[i], true);
		if (access != O_RDONLY)
			relay_copy(p->relay[i], p->host[i], false);
	}
}
