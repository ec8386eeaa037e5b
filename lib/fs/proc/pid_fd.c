// SPDX-License-Identifier: MIT
/* /proc/<pid>/{exe,cwd,root,fd,fdinfo}: links that lead to the object itself, whatever its name is now. */
#include "base/printf.h"
#include "base/string.h"
#include "fs/fs_state.h"
#include "fs/locks.h"
#include "fs/proc/internal.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"

/* ---- exe, cwd, root ---- */

static int task_path(const struct pseudo_ctx *ctx, void (*get)(struct fs_state *fs, struct path *out), struct path *out)
{
	struct task *t = proc_task_get(ctx);
	struct fs_state *fs;
	int ret = t ? proc_task_may_look(t) : -ENOENT;

	if (!ret) {
		fs = task_fs_get(t);
		if (fs)
			get(fs, out);
		else
			ret = -ENOENT;
		fs_state_put(fs);
	}
	task_put(t);
	return ret;
}

int proc_follow_cwd(const struct pseudo_ctx *ctx, struct path *out) { return task_path(ctx, fs_state_cwd, out); }
int proc_follow_root(const struct pseudo_ctx *ctx, struct path *out) { return task_path(ctx, fs_state_root, out); }

int proc_follow_exe(const struct pseudo_ctx *ctx, struct path *out)
{
	struct task *t = proc_task_get(ctx);
	struct mm *mm;
	int ret = t ? proc_task_may_look(t) : -ENOENT;

	if (!ret) {
		mm = task_mm_get(t);
		ret = mm && mm->exe ? file_path(mm->exe, out) : -ENOENT;
		mm_put(mm);
	}
	task_put(t);
	return ret;
}

static ssize_t copy_text(const char *text, char *buf, size_t size)
{
	size_t len = min(strlen(text), size);

	memcpy(buf, text, len);
	return (ssize_t)len;
}

static ssize_t readlink_by(proc_follow_fn *follow, const struct pseudo_ctx *ctx, char *buf, size_t size)
{
	struct path p;
	char *tmp, *text;
	ssize_t ret = follow(ctx, &p);

	if (ret)
		return ret;
	tmp = kmalloc(PATH_MAX);
	text = tmp ? path_text(&p, NULL, tmp, PATH_MAX) : ERR_PTR(-ENOMEM);
	ret = IS_ERR(text) ? PTR_ERR(text) : copy_text(text, buf, size);
	kfree(tmp);
	path_put(&p);
	return ret;
}

ssize_t proc_readlink_exe(const struct pseudo_ctx *ctx, char *buf, size_t size)
{
	return readlink_by(proc_follow_exe, ctx, buf, size);
}

ssize_t proc_readlink_cwd(const struct pseudo_ctx *ctx, char *buf, size_t size)
{
	return readlink_by(proc_follow_cwd, ctx, buf, size);
}

ssize_t proc_readlink_root(const struct pseudo_ctx *ctx, char *buf, size_t size)
{
	return readlink_by(proc_follow_root, ctx, buf, size);
}

/* ---- descriptors ---- */

static int fd_file(const struct pseudo_ctx *ctx, struct file **out, bool *cloexec)
{
	struct task *t = proc_task_get(ctx);
	struct files *files;
	int ret = t ? proc_task_may_look(t) : -ENOENT;

	if (!ret) {
		files = task_files_get(t);
		*out = files ? files_get_file(files, (int)ctx->key, cloexec) : NULL;
		if (!*out)
			ret = -ENOENT;
		if (files)
			files_put(files);
	}
	task_put(t);
	return ret;
}

static int fd_follow(const struct pseudo_ctx *ctx, struct path *out)
{
	struct file *f;
	int ret = fd_file(ctx, &f, NULL);

	if (ret)
		return ret;
	ret = file_path(f, out);
	file_put(f);
	return ret;
}

static ssize_t fd_readlink(const struct pseudo_ctx *ctx, char *buf, size_t size)
{
	struct file *f;
	char *tmp, *text;
	ssize_t ret = fd_file(ctx, &f, NULL);

	if (ret)
		return ret;
	tmp = kmalloc(PATH_MAX);
	text = tmp ? file_text(f, tmp, PATH_MAX) : ERR_PTR(-ENOMEM);
	ret = IS_ERR(text) ? PTR_ERR(text) : copy_text(text, buf, size);
	kfree(tmp);
	file_put(f);
	return ret;
}

static int show_fdinfo(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct file *f;
	bool cloexec = false;
	int ret = fd_file(ctx, &f, &cloexec);

	if (ret)
		return ret;
	seq_printf(s, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", (long long)f->pos,
		   f->flags | O_LARGEFILE * !!(f->mode & FMODE_OPENED) | (cloexec ? O_CLOEXEC : 0), f->mount ? f->mount->id : 15,
		   f->inode ? f->inode->ino : 0);
	if (f->inode)
		locks_show_file(f, s);
	if (f->ops->show_fdinfo)
		f->ops->show_fdinfo(f, s);
	file_put(f);
	return 0;
}

/* The permissions of a link say how the descriptor is open: one entry for each. */
static const struct pseudo_entry fd_links[] = {
	{ "", S_IFLNK, .readlink = fd_readlink, .follow = fd_follow },
	{ "r", S_IFLNK | 0500, .readlink = fd_readlink, .follow = fd_follow },
	{ "w", S_IFLNK | 0300, .readlink = fd_readlink, .follow = fd_follow },
	{ "rw", S_IFLNK | 0700, .readlink = fd_readlink, .follow = fd_follow },
};
static const struct pseudo_entry fdinfo_entry = { "", S_IFREG | 0444, .show = show_fdinfo, .may_open = proc_may_look };

static const struct pseudo_entry *fd_find(const struct pseudo_ctx *dir, const struct qstr *name, struct pseudo_ctx *ctx, bool info)
{
	s64 fd = proc_parse_pid(name);
	struct pseudo_ctx look = *dir;
	const struct pseudo_entry *e = NULL;
	struct file *f;

	if (fd < 0)
		return NULL;
	look.key = (u64)fd;
	if (fd_file(&look, &f, NULL))
		return NULL;
	e = &fd_links[(f->mode & FMODE_READ ? 1 : 0) | (f->mode & FMODE_WRITE ? 2 : 0)];
	file_put(f);
	ctx->key = (u64)fd;
	ctx->key2 = PROC_FD | PROC_EUID | (e->mode & 0700);
	return info ? &fdinfo_entry : e;
}

static const struct pseudo_entry *fd_lookup(const struct pseudo_ctx *dir, const struct qstr *name, struct pseudo_ctx *ctx,
					    bool *counted __unused)
{
	return fd_find(dir, name, ctx, false);
}

static const struct pseudo_entry *fdinfo_lookup(const struct pseudo_ctx *dir, const struct qstr *name, struct pseudo_ctx *ctx,
						bool *counted __unused)
{
	return fd_find(dir, name, ctx, true);
}

static bool next_fd(const struct pseudo_ctx *dir, u64 *from, char *name, size_t size)
{
	struct task *t = proc_task_get(dir);
	struct files *files = t ? task_files_get(t) : NULL;
	int fd = files && *from <= INT32_MAX ? files_next(files, (int)*from) : -1;

	if (files)
		files_put(files);
	task_put(t);
	if (fd < 0)
		return false;
	*from = (u64)fd;
	snprintf(name, size, "%d", fd);
	return true;
}

static bool fd_next(const struct pseudo_ctx *dir, u64 *from, char *name, size_t size, u32 *mode)
{
	*mode = S_IFLNK | 0700;
	return next_fd(dir, from, name, size);
}

static bool fdinfo_next(const struct pseudo_ctx *dir, u64 *from, char *name, size_t size, u32 *mode)
{
	*mode = S_IFREG | 0444;
	return next_fd(dir, from, name, size);
}

const struct pseudo_dir proc_fd_dir = { .lookup = fd_lookup, .next = fd_next };
const struct pseudo_dir proc_fdinfo_dir = { .lookup = fdinfo_lookup, .next = fdinfo_next };
