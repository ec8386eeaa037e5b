// SPDX-License-Identifier: MIT
/* /proc/<pid>/{mounts,mountinfo,mountstats}: the tree of mounts as the process sees it, from its root. */
#include "base/string.h"
#include "fs/fs_state.h"
#include "fs/proc/internal.h"
#include "mm/kmalloc.h"

#define ESCAPED	" \t\n\\#"

typedef void mount_line_fn(struct seq_buf *s, const struct mount *m, const char *at, char *tmp);

static void put_mount_flags(struct seq_buf *s, u32 flags)
{
	static const struct {
		u32 flag;
		const char *text;
	} names[] = {
		{ MNT_NOSUID, ",nosuid" }, { MNT_NODEV, ",nodev" }, { MNT_NOEXEC, ",noexec" }, { MNT_NOATIME, ",noatime" },
		{ MNT_NODIRATIME, ",nodiratime" }, { MNT_NOSYMFOLLOW, ",nosymfollow" },
	};

	seq_puts(s, flags & MNT_RDONLY ? "ro" : "rw");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			seq_puts(s, names[i].text);
	if (!(flags & (MNT_NOATIME | MNT_STRICTATIME)))
		seq_puts(s, ",relatime");
}

static void put_super_options(struct seq_buf *s, struct super *sb)
{
	seq_puts(s, sb->flags & SB_RDONLY ? "ro" : "rw");
	if (sb->ops->show_options)
		sb->ops->show_options(sb, s);
}

static void mounts_line(struct seq_buf *s, const struct mount *m, const char *at, char *tmp __unused)
{
	u32 flags = READ_ONCE(m->flags) | (m->sb->flags & SB_RDONLY ? MNT_RDONLY : 0);

	seq_escape(s, m->source, ESCAPED);
	seq_putc(s, ' ');
	seq_escape(s, at, ESCAPED);
	seq_printf(s, " %s ", m->sb->type);
	put_mount_flags(s, flags);
	if (m->sb->ops->show_options)
		m->sb->ops->show_options(m->sb, s);
	seq_puts(s, " 0 0\n");
}

/* A bind mount shows a part of its file system: which, is the text of its root there. */
static const char *root_in_super(const struct mount *m, char *tmp, size_t size)
{
	struct dentry *d = m->root;
	char *at = tmp + size;

	*--at = '\0';
	spin_lock(&dcache_lock);
	while (d != m->sb->root_dentry && d->parent != d && (size_t)(at - tmp) > d->len) {
		at -= d->len;
		memcpy(at, d->name, d->len);
		*--at = '/';
		d = d->parent;
	}
	spin_unlock(&dcache_lock);
	return *at ? at : "/";
}

static void mountinfo_line(struct seq_buf *s, const struct mount *m, const char *at, char *tmp)
{
	struct path up = { (struct mount *)(uintptr_t)m, m->root };

	path_get(&up);
	(void)path_up(&up);
	seq_printf(s, "%u %u %u:%u ", m->id, up.mnt->id, dev_major(m->sb->dev), dev_minor(m->sb->dev));
	path_put(&up);
	seq_escape(s, root_in_super(m, tmp, PATH_MAX), ESCAPED);
	seq_putc(s, ' ');
	seq_escape(s, at, ESCAPED);
	seq_putc(s, ' ');
	put_mount_flags(s, READ_ONCE(m->flags));
	seq_printf(s, " - %s ", m->sb->type);
	seq_escape(s, m->source, ESCAPED);
	seq_putc(s, ' ');
	put_super_options(s, m->sb);
	seq_putc(s, '\n');
}

static void mountstats_line(struct seq_buf *s, const struct mount *m, const char *at, char *tmp __unused)
{
	seq_puts(s, "device ");
	seq_escape(s, m->source, ESCAPED);
	seq_puts(s, " mounted on ");
	seq_escape(s, at, ESCAPED);
	seq_printf(s, " with fstype %s\n", m->sb->type);
}

/* Every mount that can be reached from the root of the process, one line each. */
static int for_each_mount(struct seq_buf *s, const struct pseudo_ctx *ctx, mount_line_fn *line)
{
	struct task *t = proc_task_get(ctx);
	struct fs_state *fs = t ? task_fs_get(t) : NULL;
	char *buf = kmalloc(2 * PATH_MAX);
	struct mount *m = NULL;
	struct path root;
	bool reachable;

	task_put(t);
	if (!fs || !buf) {
		fs_state_put(fs);
		kfree(buf);
		return fs ? -ENOMEM : -EINVAL;
	}
	fs_state_root(fs, &root);
	fs_state_put(fs);
	while ((m = mount_next(m))) {
		struct path p = { m, m->root };
		char *at = path_text_reach(&p, &root, buf, PATH_MAX, &reachable);

		if (!IS_ERR(at) && reachable)
			line(s, m, at, buf + PATH_MAX);
	}
	path_put(&root);
	kfree(buf);
	return 0;
}

int proc_show_mounts(struct seq_buf *s, const struct pseudo_ctx *ctx) { return for_each_mount(s, ctx, mounts_line); }
int proc_show_mountinfo(struct seq_buf *s, const struct pseudo_ctx *ctx) { return for_each_mount(s, ctx, mountinfo_line); }
int proc_show_mountstats(struct seq_buf *s, const struct pseudo_ctx *ctx) { return for_each_mount(s, ctx, mountstats_line); }
