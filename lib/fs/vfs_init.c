// SPDX-License-Identifier: MIT
/* The first tree: memory at /, the skeleton of a system, devices. */
#include "fs/chrdev.h"
#include "fs/memfs.h"
#include "fs/namei.h"

static struct super *tmpfs_mount(const char *source __unused, const char *data __unused)
{
	return memfs_super("tmpfs", 01777);
}

static struct fs_type tmpfs_type = { .name = "tmpfs", .mount = tmpfs_mount };

static const struct {
	const char *name;
	u32 mode;
} skeleton[] = {
	{ "/dev", 0755 }, { "/proc", 0555 }, { "/sys", 0555 }, { "/tmp", 01777 }, { "/run", 0755 }, { "/root", 0700 },
	{ "/home", 0755 }, { "/var/tmp", 0755 }, { "/etc", 0755 },
};

static int mount_memory(const char *at, const char *type, u32 mode, u32 flags)
{
	struct super *sb = memfs_super(type, mode);
	int ret = sb ? vfs_mount_at(sb, at, flags, type, true) : -ENOMEM;

	if (ret && sb)
		super_kill(sb);
	super_put(sb);
	return ret;
}

int vfs_mount_at(struct super *sb, const char *at, u32 flags, const char *source, bool mkdir)
{
	struct path p;
	int ret;

	/* The very first has nothing to stand on. */
	if (!root_is_mounted())
		return vfs_mount(sb, NULL, flags, source, NULL);
	if (mkdir && S_ISDIR(sb->root->mode)) {
		ret = vfs_mkdirs(at, 0755);
		if (ret && ret != -EEXIST)
			return ret;
	}
	ret = path_lookup(AT_FDCWD, at, LOOKUP_FOLLOW, &p);
	if (ret)
		return ret;
	ret = vfs_mount(sb, &p, flags, source, NULL);
	path_put(&p);
	return ret;
}

/* Boot code has the root of the tree as its root; a fresh overlay over "/" gets the same skeleton. */
int vfs_skeleton(void)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < ARRAY_SIZE(skeleton); i++)
		ret = vfs_mkdirs(skeleton[i].name, skeleton[i].mode);
	if (!ret)
		ret = mount_memory("/dev", "devtmpfs", 0755, MNT_NOSUID);
	if (!ret)
		ret = dev_populate();
	if (!ret)
		ret = mount_memory("/dev/shm", "tmpfs", 01777, MNT_NOSUID | MNT_NODEV);
	return ret;
}

int vfs_init(void)
{
	int ret;

	dcache_init();
	dev_init();
	fs_register(&tmpfs_type);
	ret = mount_memory("/", "tmpfs", 0755, 0);
	return ret ? ret : vfs_skeleton();
}
