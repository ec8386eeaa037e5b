// SPDX-License-Identifier: MIT
/*
 * /proc/<pid>/ns: the namespaces of a process. A sandbox has one of each; what the links lead to are inodes that say so: two
 * processes are in the same namespace when device and inode number are the same (namespaces(7)).
 */
#include "base/printf.h"
#include "base/string.h"
#include "fs/proc/internal.h"

#define NSFS_MAGIC	0x6e736673

/* The numbers that Linux gives to the first namespaces. */
static const struct {
	const char *name, *type;
	u64 ino;
} spaces[] = {
	{ "cgroup", "cgroup", 4026531835 }, { "ipc", "ipc", 4026531839 }, { "mnt", "mnt", 4026531841 }, { "net", "net", 4026531840 },
	{ "pid", "pid", 4026531836 }, { "pid_for_children", "pid", 4026531836 }, { "time", "time", 4026531834 },
	{ "time_for_children", "time", 4026531834 }, { "user", "user", 4026531837 }, { "uts", "uts", 4026531838 },
};

static struct mutex ns_lock = MUTEX_INIT;
static struct super *ns_super;			/* guarded by ns_lock, as are the next two */
static struct mount *ns_mount;
static struct inode *inodes[ARRAY_SIZE(spaces)];

static const struct file_ops ns_file_ops = { .name = "ns" };
static const struct inode_ops ns_inode_ops = { 0 };
static const struct super_ops ns_super_ops = { 0 };

/* ns_lock held: the inode of @i; names of one namespace share it. */
static struct inode *ns_inode(u32 i)
{
	while (i && spaces[i - 1].ino == spaces[i].ino)
		i--;
	if (inodes[i])
		return inodes[i];
	if (!ns_super)
		ns_super = super_alloc("nsfs", &ns_super_ops, SB_NOATIME, NSFS_MAGIC);
	inodes[i] = ns_super ? inode_alloc(ns_super, S_IFREG | 0444, spaces[i].ino) : NULL;
	if (inodes[i]) {
		inodes[i]->ops = &ns_inode_ops;
		inodes[i]->fops = &ns_file_ops;
	}
	return inodes[i];
}

static void ns_text(u32 i, char *buf, size_t size)
{
	snprintf(buf, size, "%s:[%lu]", spaces[i].type, (unsigned long)spaces[i].ino);
}

static int ns_follow(const struct pseudo_ctx *ctx, struct path *out)
{
	u32 i = (u32)(ctx->key2 & PROC_LOW);
	int ret = proc_may_look(ctx);
	struct inode *inode;
	char name[32];

	if (ret)
		return ret;
	ns_text(i, name, sizeof(name));
	mutex_lock(&ns_lock);
	inode = ns_inode(i);
	ret = inode ? 0 : -ENOMEM;
	if (!ret && !ns_mount)
		ret = mount_detached(inode, &ns_mount);
	if (!ret) {
		out->dentry = dentry_anon(inode, name);
		out->mnt = ns_mount;
		if (out->dentry)
			mount_get(ns_mount);
		else
			ret = -ENOMEM;
	}
	mutex_unlock(&ns_lock);
	return ret;
}

static ssize_t ns_readlink(const struct pseudo_ctx *ctx, char *buf, size_t size)
{
	int ret = proc_may_look(ctx);
	char name[32];

	if (ret)
		return ret;
	ns_text((u32)(ctx->key2 & PROC_LOW), name, sizeof(name));
	size = min(size, strlen(name));
	memcpy(buf, name, size);
	return (ssize_t)size;
}

static const struct pseudo_entry ns_link = { "", S_IFLNK | 0777, .readlink = ns_readlink, .follow = ns_follow };

static const struct pseudo_entry *ns_lookup(const struct pseudo_ctx *dir __unused, const struct qstr *name, struct pseudo_ctx *ctx,
					    bool *counted __unused)
{
	for (u32 i = 0; i < ARRAY_SIZE(spaces); i++) {
		if (strlen(spaces[i].name) == name->len && !memcmp(spaces[i].name, name->name, name->len)) {
			ctx->key2 = i;
			return &ns_link;
		}
	}
	return NULL;
}

static bool ns_next(const struct pseudo_ctx *dir __unused, u64 *from, char *name, size_t size, u32 *mode)
{
	if (*from >= ARRAY_SIZE(spaces))
		return false;
	strscpy(name, spaces[*from].name, size);
	*mode = S_IFLNK | 0777;
	return true;
}

const struct pseudo_dir proc_ns_dir = { .lookup = ns_lookup, .next = ns_next };
