// SPDX-License-Identifier: MIT
/* /dev/pts: one directory with a device for each pseudo terminal, and ptmx. The terminals keep their inodes. */
#include "base/printf.h"
#include "base/string.h"
#include "fs/namei.h"
#include "fs/seq_buf.h"
#include "process/cred.h"
#include "tty/tty.h"

#define DEVPTS_MAGIC	0x1cd1
#define TTY_GROUP	5u
#define INO_PTMX	2u
#define INO_FIRST	3u

static struct super *devpts;
static struct inode *ptmx;

static int devpts_setattr(struct inode *inode, const struct iattr *attr)
{
	setattr_copy(inode, attr);
	return 0;
}

static const struct inode_ops node_ops = { .setattr = devpts_setattr };

struct inode *devpts_inode(u32 index)
{
	struct inode *inode = inode_alloc(devpts, S_IFCHR | 0620, INO_FIRST + index);

	if (!inode)
		return NULL;
	inode->ops = &node_ops;
	inode->rdev = dev_make(PTS_MAJOR, index);
	inode->uid = current->cred->fsuid;
	inode->gid = TTY_GROUP;
	return inode;
}

/* A decimal number without leading zeros, below PTY_MAX. */
static bool parse(const struct qstr *name, u32 *index)
{
	u32 v = 0;

	if (!name->len || name->len > 4 || (name->name[0] == '0' && name->len > 1))
		return false;
	for (u32 i = 0; i < name->len; i++) {
		if (name->name[i] < '0' || name->name[i] > '9')
			return false;
		v = v * 10 + (u32)(name->name[i] - '0');
	}
	*index = v;
	return v < PTY_MAX;
}

static struct inode *devpts_lookup(struct inode *dir __unused, const struct qstr *name)
{
	struct inode *inode = NULL;
	struct tty *t;
	u32 index;

	if (name->len == 4 && !memcmp(name->name, "ptmx", 4)) {
		inode_get(ptmx);
		return ptmx;
	}
	t = parse(name, &index) ? pty_find(index) : NULL;
	if (!t)
		return ERR_PTR(-ENOENT);
	mutex_lock(&t->lock);
	inode = t->inode;
	if (inode)
		inode_get(inode);
	mutex_unlock(&t->lock);
	tty_put(t);
	return inode ? inode : ERR_PTR(-ENOENT);
}

/* Positions: 0 ".", 1 "..", 2 ptmx, 3 + number */
static int devpts_readdir(struct file *f, struct dir_context *ctx)
{
	char name[12];
	int index;

	if (ctx->pos == 0) {
		if (!ctx->emit(ctx, ".", 1, 1, f->inode->ino, DT_DIR))
			return 0;
		ctx->pos = 1;
	}
	if (ctx->pos == 1) {
		struct dentry *up = dentry_parent(f->dentry);
		bool ok = ctx->emit(ctx, "..", 2, 2, up->inode->ino, DT_DIR);

		dentry_put(up);
		if (!ok)
			return 0;
		ctx->pos = 2;
	}
	if (ctx->pos == 2) {
		if (!ctx->emit(ctx, "ptmx", 4, 3, INO_PTMX, DT_CHR))
			return 0;
		ctx->pos = 3;
	}
	while (ctx->pos < 3 + (pos_t)PTY_MAX && (index = pty_next((u32)(ctx->pos - 3))) >= 0) {
		int len = scnprintf(name, sizeof(name), "%d", index);

		if (!ctx->emit(ctx, name, (size_t)len, 4 + index, INO_FIRST + (u32)index, DT_CHR))
			return 0;
		ctx->pos = 4 + index;
	}
	return 0;
}

static const struct inode_ops dir_ops = { .lookup = devpts_lookup, .setattr = devpts_setattr };
static const struct file_ops dir_file_ops = { .name = "dir", .seek = generic_seek, .readdir = devpts_readdir };
static void devpts_show(struct super *sb __unused, struct seq_buf *s)
{
	seq_printf(s, ",gid=%u,mode=620,ptmxmode=666", TTY_GROUP);
}
static const struct super_ops devpts_ops = { .show_options = devpts_show };

struct super *devpts_super(void)
{
	struct super *sb = super_alloc("devpts", &devpts_ops, SB_NOCACHE | SB_NOEXEC | SB_NOATIME, DEVPTS_MAGIC);

	if (!sb)
		return NULL;
	sb->root = inode_alloc(sb, S_IFDIR | 0755, 1);
	ptmx = sb->root ? inode_alloc(sb, S_IFCHR | 0666, INO_PTMX) : NULL;
	if (!ptmx) {
		super_put(sb);
		return NULL;
	}
	sb->root->ops = &dir_ops;
	sb->root->fops = &dir_file_ops;
	sb->root->nlink = 2;
	ptmx->ops = &node_ops;
	ptmx->rdev = dev_make(TTYAUX_MAJOR, 2);
	devpts = sb;
	return sb;
}

int devpts_open_peer(struct tty *t, u32 flags)
{
	char name[24];
	struct file *f;

	scnprintf(name, sizeof(name), "/dev/pts/%u", t->index);
	f = vfs_open(AT_FDCWD, name, flags & (O_ACCMODE | O_NOCTTY | O_NONBLOCK), 0);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	if (file_tty(f) != t) {
		file_put(f);
		return -EIO;
	}
	return fd_add(f, flags & O_CLOEXEC);
}
