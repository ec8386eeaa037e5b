// SPDX-License-Identifier: MIT
/* The tree that the first program sees: what the broker's list says, in its order, on top of the empty one in memory. */
#include "base/errno.h"
#include "base/printf.h"
#include "base/string.h"
#include "boot.h"
#include "boot_parts.h"
#include "fs/9p/9p.h"
#include "fs/keep.h"
#include "fs/memfs.h"
#include "fs/namei.h"
#include "fs/overlay.h"
#include "fs/tar.h"
#include "fs/vfs.h"
#include "tty/tty.h"

#define MOUNT_EXIT	125

static int parse_export(const char *s, u32 *export)
{
	u32 v = 0;

	if (!s || !*s)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || v > 100000)
			return -EINVAL;
		v = v * 10 + (u32)(*s - '0');
	}
	*export = v;
	return 0;
}

/* The directories above @dst, and an empty file there for a file to be mounted on. */
static int make_file(const char *dst)
{
	char parent[PATH_MAX];
	char *slash;
	int ret;

	if (strscpy(parent, dst, sizeof(parent)) < 0)
		return -ENAMETOOLONG;
	slash = strrchr(parent, '/');
	if (slash && slash != parent) {
		*slash = 0;
		ret = vfs_mkdirs(parent, 0755);
		if (ret && ret != -EEXIST)
			return ret;
	}
	ret = vfs_create_node(AT_FDCWD, dst, S_IFREG | 0644, 0, NULL, NULL);
	return ret == -EEXIST ? 0 : ret;
}

static int mount_super(struct super *sb, const struct boot_mount *m, const char *source)
{
	const char *dst = boot_string(m->dst);
	bool ro = (m->flags & BOOT_MOUNT_RO) && m->kind != BOOT_MOUNT_OVERLAY && m->kind != BOOT_MOUNT_TAR;
	u32 flags = ro ? MNT_RDONLY : 0;
	int ret = 0;

	if (!S_ISDIR(sb->root->mode))
		ret = make_file(dst);
	if (!ret)
		ret = vfs_mount_at(sb, dst, flags | MNT_NOSUID | MNT_NODEV, source, true);
	if (ret)
		super_kill(sb);
	super_put(sb);
	return ret;
}

/* @lower, which only the overlay sees from now on, below a layer in memory. Takes over the reference. */
static struct super *cover(struct super *lower)
{
	struct super *sb = overlay_super(lower->root);

	super_kill(lower);
	super_put(lower);
	return sb;
}

static bool is_root(const struct boot_mount *m)
{
	return !strcmp(boot_string(m->dst), "/");
}

/*
 * Every tree has these of its own. Those of a tree that becomes the root are never looked at: the host's /proc would be refused by its
 * server.
 */
static int cover_kernel_dirs(struct super *sb)
{
	static const char *const names[] = { "dev", "proc", "sys" };
	int ret = 0;

	for (size_t i = 0; !ret && i < ARRAY_SIZE(names); i++)
		ret = overlay_make_dir(sb, names[i], 0755);
	return ret;
}

/* Takes over the reference of @sb, which is to be mounted as @m says. */
static int mount_tree(struct super *sb, const struct boot_mount *m, const char *source)
{
	int ret;

	if (m->kind != BOOT_MOUNT_HOST && m->kind != BOOT_MOUNT_HOST_FILE && S_ISDIR(sb->root->mode)) {
		sb = cover(sb);
		if (!sb)
			return -ENOMEM;
		ret = is_root(m) ? cover_kernel_dirs(sb) : 0;
		if (ret) {
			super_kill(sb);
			super_put(sb);
			return ret;
		}
	}
	ret = mount_super(sb, m, source);
	if (ret || !is_root(m))
		return ret;
	/* over the whole tree: what every tree has is hidden now */
	ret = vfs_skeleton();
	return ret ? ret : tty_devices();
}

static int mount_host(const struct boot_mount *m)
{
	struct super *sb;
	u32 export;
	int ret = parse_export(boot_string(m->source), &export);

	if (ret)
		return ret;
	sb = p9_super_create(export, !(m->flags & BOOT_MOUNT_RO) && m->kind != BOOT_MOUNT_OVERLAY, &m->attr);
	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	return mount_tree(sb, m, "host");
}

static int mount_tar(const struct boot_mount *m)
{
	const struct tar_source src = tar_source_handle(m->handle, m->size);
	struct super *sb = tar_super_create(&src, boot_string(m->source));

	if (PTR_ERR(sb) == -EINVAL)
		boot_fail(MOUNT_EXIT, "--root %s: cannot be the root: give a tar image, as docker export writes, or a directory",
			  boot_string(m->source));
	if (PTR_ERR(sb) == -ENOMEM)
		boot_fail(MOUNT_EXIT, "--root %s: no memory for the names in it: more with --mem", boot_string(m->source));
	return IS_ERR(sb) ? (int)PTR_ERR(sb) : mount_tree(sb, m, "tar");
}

static int mount_tmpfs(const struct boot_mount *m)
{
	struct super *sb = memfs_super("tmpfs", m->mode ? m->mode : 0755);

	if (!sb)
		return -ENOMEM;
	if (m->size && memfs_set_limit(sb, m->size)) {
		super_kill(sb);
		super_put(sb);
		return -ENOMEM;
	}
	return mount_super(sb, m, "tmpfs");
}

static int mount_type(const struct boot_mount *m, const char *type)
{
	struct fs_type *t = fs_type_find(type);
	struct super *sb;

	if (!t)
		return 0;
	sb = t->mount(type, NULL);
	if (IS_ERR_OR_NULL(sb))
		return sb ? (int)PTR_ERR(sb) : -ENOMEM;
	return mount_super(sb, m, type);
}

static int make_symlink(const struct boot_mount *m)
{
	int ret = vfs_create_node(AT_FDCWD, boot_string(m->dst), S_IFLNK | 0777, 0, boot_string(m->source), NULL);

	return ret == -EEXIST ? 0 : ret;
}

/* The last of the list: where the layer lies is known then. */
static int keep_changes(const struct boot_mount *keep)
{
	const struct boot_mount *m = (const struct boot_mount *)boot_string(boot_config->mounts);
	struct super *sb;
	u32 export;
	int ret = parse_export(boot_string(keep->source), &export);

	if (!ret)
		ret = keep_layer("/");
	for (; !ret && m != keep; m++)
		if ((m->flags & BOOT_MOUNT_ROOT) && !is_root(m))
			ret = keep_layer(boot_string(m->dst));
	if (ret)
		return ret;
	sb = p9_super_create(export, true, &keep->attr);
	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	return keep_begin(sb->root, boot_string(keep->dst), boot_config->uid, boot_config->gid);
}

static bool is_there(const char *dst)
{
	struct path p;

	if (path_lookup(AT_FDCWD, dst, LOOKUP_FOLLOW, &p))
		return false;
	path_put(&p);
	return true;
}

static int mount_one(const struct boot_mount *m)
{
	if (m->flags & BOOT_MOUNT_IF_MISSING && is_there(boot_string(m->dst)))
		return 0;
	switch (m->kind) {
	case BOOT_MOUNT_HOST:
	case BOOT_MOUNT_HOST_FILE:
	case BOOT_MOUNT_OVERLAY:
		return mount_host(m);
	case BOOT_MOUNT_TAR:
		return mount_tar(m);
	case BOOT_MOUNT_TMPFS:
		return mount_tmpfs(m);
	case BOOT_MOUNT_PROC:
		return mount_type(m, "proc");
	case BOOT_MOUNT_SYS:
		return mount_type(m, "sysfs");
	case BOOT_MOUNT_SYMLINK:
		return make_symlink(m);
	case BOOT_MOUNT_KEEP:
		return keep_changes(m);
	}
	return -EINVAL;
}

/* --ro-root: what was writable while places to mount on were made in it, is so no more. */
static int set_read_only(const char *dst)
{
	struct path p;
	int ret = path_lookup(AT_FDCWD, dst, LOOKUP_FOLLOW, &p);

	if (ret)
		return ret;
	mount_remount(p.mnt, p.mnt->flags | MNT_RDONLY);
	path_put(&p);
	return 0;
}

static int read_only_root(const struct boot_mount *m)
{
	int ret = set_read_only("/");

	for (u32 i = 0; !ret && i < boot_config->nr_mounts; i++)
		if ((m[i].flags & BOOT_MOUNT_ROOT) && m[i].kind != BOOT_MOUNT_SYMLINK)
			ret = set_read_only(boot_string(m[i].dst));
	return ret;
}

int boot_mounts(void)
{
	const struct boot_mount *m = (const struct boot_mount *)boot_string(boot_config->mounts);
	const u32 *channels = (const u32 *)boot_string(boot_config->channels);

	for (u32 i = 0; i < boot_config->nr_channels; i++) {
		int ret = p9_channel_add(channels[i]);

		if (ret)
			boot_fail(MOUNT_EXIT, "no memory for the file server's channels (error %d)", -ret);
	}
	for (u32 i = 0; i < boot_config->nr_mounts; i++) {
		int ret = mount_one(&m[i]);

		if (ret && m[i].kind == BOOT_MOUNT_KEEP)
			boot_fail(MOUNT_EXIT, "--keep-changes %s: what was kept there cannot be taken up (error %d)",
				  boot_string(m[i].dst), -ret);
		if (ret)
			boot_fail(MOUNT_EXIT, "%s: cannot be put into the sandbox (error %d): leave it out or see --dry-run",
				  boot_string(m[i].dst), -ret);
	}
	return boot_config->flags & BOOT_RO_ROOT ? read_only_root(m) : 0;
}
