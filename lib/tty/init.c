// SPDX-License-Identifier: MIT
#include "fs/namei.h"
#include "tty/console.h"
#include "tty/tty.h"

static int make_node(const char *name, u32 mode, u32 minor)
{
	int ret = vfs_create_node(AT_FDCWD, name, S_IFCHR | mode, dev_make(TTYAUX_MAJOR, minor), NULL, NULL);

	return ret == -EEXIST ? 0 : ret;
}

/* There is one, wherever it is mounted. */
static struct super *pts;

int tty_devices(void)
{
	int ret = make_node("/dev/ptmx", 0666, 2);

	if (!ret)
		ret = make_node("/dev/console", 0620, 1);
	return ret ? ret : vfs_mount_at(pts, "/dev/pts", MNT_NOSUID | MNT_NOEXEC, "devpts", true);
}

int tty_init(void)
{
	pts = devpts_super();
	if (!pts)
		return -ENOMEM;
	pty_init();
	console_init();
	tty_job_init();
	return tty_devices();
}
