// SPDX-License-Identifier: MIT
#include "fs/namei.h"
#include "tty/console.h"
#include "tty/tty.h"

static int make_node(const char *name, u32 mode, u32 minor)
{
	int ret = vfs_create_node(AT_FDCWD, name, S_IFCHR | mode, dev_make(TTYAUX_MAJOR, minor), NULL, NULL);

	return ret == -EEXIST ? 0 : ret;
}

int tty_init(void)
{
	struct super *sb = devpts_super();
	int ret;

	if (!sb)
		return -ENOMEM;
	pty_init();
	console_init();
	tty_job_init();
	ret = make_node("/dev/ptmx", 0666, 2);
	if (!ret)
		ret = make_node("/dev/console", 0620, 1);
	if (!ret)
		ret = vfs_mount_at(sb, "/dev/pts", MNT_NOSUID | MNT_NOEXEC, "devpts", true);
	super_put(sb);
	return ret;
}
