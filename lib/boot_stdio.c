// SPDX-License-Identifier: MIT
/* Descriptors 0, 1, 2 and those of --fd, as the broker found them. */
#include "base/errno.h"
#include "boot.h"
#include "boot_parts.h"
#include "fs/file.h"
#include "fs/hostfile.h"
#include "fs/namei.h"
#include "fs/stream.h"
#include "sched/time.h"
#include "south/south.h"
#include "tty/console.h"

static struct file *open_stdio(const struct boot_stdio *io)
{
	switch (io->kind) {
	case BOOT_STDIO_FILE:
		return hostfile_open(io->handle, io->flags & (O_ACCMODE | O_APPEND), (pos_t)io->pos, (pos_t)io->size);
	case BOOT_STDIO_STREAM:
		return stream_open(io->handle, io->flags & O_ACCMODE);
	case BOOT_STDIO_TTY:
		return vfs_open(AT_FDCWD, "/dev/console", (io->flags & O_ACCMODE) | O_NOCTTY, 0);
	case BOOT_STDIO_NULL:
		return vfs_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
	}
	return ERR_PTR(-EINVAL);
}

/*
 * All entries that are a terminal are the same one, the runner's: the first that can be read is where keys come from, the first
 * that can be written takes the output.
 */
static int start_console(const struct boot_stdio *io)
{
	u32 in = SOUTH_NO_HANDLE, out = SOUTH_NO_HANDLE;
	struct path p;
	int ret;

	for (u32 i = 0; i < boot_config->nr_stdio; i++) {
		if (io[i].kind != BOOT_STDIO_TTY || io[i].same_as)
			continue;
		if (in == SOUTH_NO_HANDLE && (io[i].flags & O_ACCMODE) != O_WRONLY)
			in = io[i].handle;
		if (out == SOUTH_NO_HANDLE && (io[i].flags & O_ACCMODE) != O_RDONLY)
			out = io[i].handle;
	}
	if (in == SOUTH_NO_HANDLE && out == SOUTH_NO_HANDLE)
		return 0;
	ret = path_lookup(AT_FDCWD, "/dev/console", LOOKUP_FOLLOW, &p);
	if (ret)
		return ret;
	/* a terminal belongs to who is logged in there */
	p.dentry->inode->uid = boot_config->uid;
	p.dentry->inode->gid = 5;
	path_put(&p);
	return console_start(in, out, boot_config->tty_rows, boot_config->tty_cols);
}

int boot_stdio(void)
{
	const struct boot_stdio *io = (const struct boot_stdio *)boot_string(boot_config->stdio);
	int ret = start_console(io);

	if (ret)
		return ret;
	for (u32 i = 0; i < boot_config->nr_stdio; i++) {
		struct file *f;
		int fd;

		if (io[i].kind == BOOT_STDIO_NONE)
			continue;
		if (io[i].same_as) {
			f = fd_get((int)io[i].same_as - 1);
			if (!f)
				return -EBADF;
		} else {
			f = open_stdio(&io[i]);
			if (IS_ERR(f))
				return (int)PTR_ERR(f);
		}
		fd = fd_reserve(0, (int)i);
		if (fd < 0) {
			file_put(f);
			return fd;
		}
		fd_install(fd, f);
	}
	return boot_events();
}

void boot_exit_stdio(void)
{
	/* what goes to pipes and files went at once; a terminal that is held (Ctrl-S outside) is waited for as Linux does */
	console_drain(clock_monotonic() + 30 * NSEC_PER_SEC);
}
