// SPDX-License-Identifier: MIT
/* mount(2), umount(2), pivot_root(2): for who has CAP_SYS_ADMIN, which no program of an ordinary sandbox has. */
#include "base/string.h"
#include "fs/namei.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/task.h"

#define MS_RDONLY	0x1u
#define MS_NOSUID	0x2u
#define MS_NODEV	0x4u
#define MS_NOEXEC	0x8u
#define MS_REMOUNT	0x20u
#define MS_NOSYMFOLLOW	0x100u
#define MS_NOATIME	0x400u
#define MS_NODIRATIME	0x800u
#define MS_BIND		0x1000u
#define MS_REC		0x4000u
#define MS_SILENT	0x8000u
#define MS_RELATIME	0x200000u
#define MS_STRICTATIME	0x1000000u
#define MS_MGC_VAL	0xc0ed0000u
#define MS_KNOWN (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_REMOUNT | MS_NOSYMFOLLOW | MS_NOATIME | \
		  MS_NODIRATIME | MS_BIND | MS_REC | MS_SILENT | MS_RELATIME | MS_STRICTATIME)

#define MNT_DETACH_FLAG	2u
#define UMOUNT_NOFOLLOW	8u

static u32 mnt_flags(u64 ms)
{
	u32 flags = 0;

	if (ms & MS_RDONLY)
		flags |= MNT_RDONLY;
	if (ms & MS_NOSUID)
		flags |= MNT_NOSUID;
	if (ms & MS_NODEV)
		flags |= MNT_NODEV;
	if (ms & MS_NOEXEC)
		flags |= MNT_NOEXEC;
	if (ms & MS_NOATIME)
		flags |= MNT_NOATIME;
	if (ms & MS_NODIRATIME)
		flags |= MNT_NODIRATIME;
	if (ms & MS_STRICTATIME)
		flags |= MNT_STRICTATIME;
	if (ms & MS_NOSYMFOLLOW)
		flags |= MNT_NOSYMFOLLOW;
	return flags;
}

static long mount_type(u64 type, u64 source, const struct path *at, u32 flags)
{
	struct pathname name, src;
	struct fs_type *t;
	struct super *sb;
	long ret = type ? pathname_get(&name, type, 0) : -EINVAL;

	if (ret)
		return ret;
	t = fs_type_find(name.s);
	pathname_put(&name);
	if (!t || t->internal)
		return -ENODEV;
	src.s = src.small;
	src.small[0] = '\0';
	ret = source ? pathname_get(&src, source, LOOKUP_EMPTY) : 0;
	if (ret)
		return ret;
	sb = t->mount(src.s, NULL);
	if (IS_ERR(sb) || !sb) {
		ret = sb ? PTR_ERR(sb) : -ENOMEM;
	} else {
		ret = vfs_mount(sb, at, flags, src.s, NULL);
		if (ret)
			super_kill(sb);
		super_put(sb);
	}
	pathname_put(&src);
	return ret;
}

SYSCALL_DEFINE(mount)
{
	u64 flags = (a[3] & 0xffff0000u) == MS_MGC_VAL ? a[3] & 0xffffu : a[3];
	struct path at, from;
	long ret;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (flags & ~(u64)MS_KNOWN)
		return -EINVAL;
	ret = path_lookup_user(AT_FDCWD, a[1], LOOKUP_FOLLOW, &at);
	if (ret)
		return ret;
	if (flags & MS_REMOUNT) {
		ret = at.dentry == at.mnt->root ? 0 : -EINVAL;
		if (!ret)
			mount_remount(at.mnt, mnt_flags(flags));
	} else if (flags & MS_BIND) {
		ret = path_lookup_user(AT_FDCWD, a[0], LOOKUP_FOLLOW, &from);
		if (!ret) {
			ret = vfs_bind(&from, &at, from.mnt->flags);
			path_put(&from);
		}
	} else {
		ret = mount_type(a[2], a[0], &at, mnt_flags(flags));
	}
	path_put(&at);
	return ret;
}

SYSCALL_DEFINE(umount2)
{
	u32 flags = (u32)a[1];
	struct path p;
	long ret;

	if (flags & ~0xfu)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	ret = path_lookup_user(AT_FDCWD, a[0], flags & UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &p);
	if (ret)
		return ret;
	/* Our own way in holds the mount once; the name's place goes before it is asked whether it is used. */
	ret = vfs_umount(&p, flags & MNT_DETACH_FLAG);
	path_put(&p);
	return ret;
}

/* The one namespace keeps its root: exchanging it would pull it from under every task. */
SYSCALL_DEFINE(pivot_root)
{
	return capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
}

/* File handles outlive names, and nothing here does. */
SYSCALL_DEFINE(name_to_handle_at) { return -EOPNOTSUPP; }
SYSCALL_DEFINE(open_by_handle_at) { return capable(CAP_DAC_READ_SEARCH) ? -EOPNOTSUPP : -EPERM; }
