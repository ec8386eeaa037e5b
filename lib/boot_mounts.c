// SPDX-License-Identifier: MIT
#include "base/errno.h"
#include "boot.h"
#include "boot_parts.h"
#include "fs/file.h"
#include "fs/namei.h"
#include "south/south.h"
#include "mm/kmalloc.h"

int boot_mounts(void)
{
	const struct boot_mount *m = (const struct boot_mount *)boot_string(boot_config->mounts);
	static u8 buf[65536];
	for (u32 i = 0; i < boot_config->nr_mounts; i++, m++) {
		struct file *f = vfs_open(AT_FDCWD, boot_string(m->dst), O_WRONLY | O_CREAT, 0755);
		u64 off = 0;
		if (IS_ERR(f)) return (int)PTR_ERR(f);
		for (;;) {
			struct iov iov = { (u64)buf, sizeof(buf) };
			ssize_t n = south_read(m->handle, off, &iov, 1);
			if (n <= 0) break;
			file_write_at(f, buf, (size_t)n, (pos_t)off);
			off += (u64)n;
		}
		file_put(f);
	}
	return 0;
}
