// SPDX-License-Identifier: MIT
/*
 * Tar images: the input is one. When there is a tree in it, all of that is listed, read and given back. The sums of headers are put
 * right first, since nothing random would ever pass them. For fuzz.t: -max_len=16384
 */
#include "fs_env.h"

#include "fs/overlay.h"
#include "fs/tar.h"
#include "fs/tar_parse.h"

#define DEPTH_MAX	40

static ssize_t input_read(const struct tar_source *s, u64 off, void *buf, size_t len)
{
	if (off >= s->size)
		return 0;
	len = min(len, (size_t)(s->size - off));
	memcpy(buf, (const u8 *)s->arg + off, len);
	return (ssize_t)len;
}

static void right_sum(u8 *h)
{
	char text[8];
	u32 sum = 0;

	memset(h + 148, ' ', 8);
	for (u32 i = 0; i < TAR_BLOCK; i++)
		sum += h[i];
	snprintf(text, sizeof(text), "%06o", sum);
	memcpy(h + 148, text, sizeof(text));
}

struct walk {
	struct dir_context ctx;
	struct super *sb;
	struct inode *dir;
	int depth;
};

static void visit(struct super *sb, struct inode *inode, int depth);

static bool one_name(struct dir_context *ctx, const char *name, size_t len, pos_t next __unused, u64 ino __unused, u8 type __unused)
{
	struct walk *w = container_of(ctx, struct walk, ctx);
	struct qstr q = { name, (u32)len, qstr_hash(name, (u32)len) };
	struct inode *inode;

	if (name[0] == '.' && (len == 1 || (len == 2 && name[1] == '.')))
		return true;
	if (!len || len > NAME_MAX || memchr(name, '/', len) || memchr(name, 0, len))
		abort();
	/* memfs_readdir() has the lock */
	inode = w->dir->ops->lookup(w->dir, &q);
	if (IS_ERR(inode))
		abort();
	visit(w->sb, inode, w->depth + 1);
	inode_put(inode);
	return true;
}

static void read_all(struct inode *inode)
{
	static u8 buf[70000];
	struct file *f = inode_open(inode, O_RDONLY);

	if (IS_ERR(f))
		abort();
	for (pos_t at = 0, turns = 0; turns < 8; turns++) {
		ssize_t n = file_read_at(f, buf, sizeof(buf), at);

		if (n < 0 || at + n > inode->size)
			abort();
		if (!n)
			break;
		at += n;
	}
	/* the last bytes of what claims to be long */
	if (inode->size > (pos_t)sizeof(buf) && file_read_at(f, buf, sizeof(buf), inode->size - 100) != 100)
		abort();
	file_put(f);
}

static void visit(struct super *sb, struct inode *inode, int depth)
{
	char link[PATH_MAX];

	if (S_ISREG(inode->mode)) {
		read_all(inode);
	} else if (S_ISLNK(inode->mode)) {
		ssize_t n = inode->ops->readlink(inode, link, sizeof(link));

		if (n <= 0 || n >= PATH_MAX)
			abort();
	} else if (S_ISDIR(inode->mode) && depth < DEPTH_MAX) {
		struct walk w = { .ctx.emit = one_name, .sb = sb, .dir = inode, .depth = depth };
		struct file *f = inode_open(inode, O_RDONLY | O_DIRECTORY);

		if (IS_ERR(f))
			abort();
		f->ops->readdir(f, &w.ctx);
		file_put(f);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc __unused, char ***argv __unused)
{
	fs_boot();
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *copy = malloc(size + 1);
	const struct tar_source src = { .read = input_read, .size = size, .arg = copy };
	long before = fake_allocs;
	struct super *sb;

	memcpy(copy, data, size);
	for (size_t at = 0; at + TAR_BLOCK <= size; at += TAR_BLOCK)
		if (!memcmp(copy + at + 257, "ustar", 5))
			right_sum(copy + at);
	sb = tar_super_create(&src, "input");
	if (!IS_ERR(sb)) {
		visit(sb, sb->root, 0);
		super_kill(sb);
		super_put(sb);
	}
	if (fake_allocs != before)
		abort();
	free(copy);
	return 0;
}
