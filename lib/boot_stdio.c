// SPDX-License-Identifier: MIT
/* Descriptors 0, 1, 2 and those of --fd, as the broker found them. */
#include "base/errno.h"
#include "boot.h"
#include "boot_parts.h"
#include "fs/file.h"
#include "fs/namei.h"
#include "fs/stream.h"

static struct file *open_stdio(const struct boot_stdio *io)
{
	switch (io->kind) {
	case BOOT_STDIO_FILE:
	case BOOT_STDIO_STREAM:
		return stream_open(io->handle, io->flags & (O_ACCMODE | O_APPEND), io->kind == BOOT_STDIO_FILE);
	case BOOT_STDIO_NULL:
		return vfs_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
	}
	return ERR_PTR(-EINVAL);
}

int boot_stdio(void)
{
	const struct boot_stdio *io = (const struct boot_stdio *)boot_string(boot_config->stdio);

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
	return 0;
}

void boot_exit_stdio(void)
{
	/* what was written went to the host at once */
}
