// SPDX-License-Identifier: MIT
/*
 * /proc/<pid>/{maps,auxv,cmdline,environ}: an address space as a list, and what it was started with.
 *
 * An address space can be read only by those who run in it. So cmdline and environ come from the program's memory when a process
 * looks at itself, and show what execve() put there when another one does: changes that a program makes to its own arguments
 * (setproctitle) are seen by itself alone.
 */
#include "base/printf.h"
#include "base/string.h"
#include "fs/proc/internal.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "process/exec.h"
#include "process/pid.h"

#define MAPS_NAME_COLUMN	73

/* ---- sums ---- */

struct sizes_walk {
	struct mm *mm;
	struct proc_mm_sizes *sz;
};

static int add_sizes(const struct vma_view *v, void *arg)
{
	struct sizes_walk *w = arg;
	struct proc_mm_sizes *sz = w->sz;
	u64 resident = v->resident / PAGE_SIZE;

	/* part of the address space, but its pages are the host's: nobody here holds them */
	if (v->uncounted) {
		sz->total += (v->end - v->start) / PAGE_SIZE;
		resident = 0;
	}
	sz->rss += resident;
	if (v->file)
		sz->rss_file += resident;
	else if (v->flags & MAP_SHARED)
		sz->rss_shmem += resident;
	else
		sz->rss_anon += resident;
	if ((v->prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC)
		sz->exec += (v->end - v->start) / PAGE_SIZE;
	return 0;
}

void proc_mm_sizes(struct mm *mm, struct proc_mm_sizes *sz)
{
	struct sizes_walk w = { mm, sz };

	memset(sz, 0, sizeof(*sz));
	(void)mm_for_each_vma(mm, add_sizes, &w);
	mutex_lock(&mm->lock);
	sz->total += mm->total_pages;
	sz->locked = mm->locked_pages;
	sz->data = mm->data_pages;
	sz->stack = mm->stack_pages;
	sz->text = (PAGE_ALIGN(mm->end_code) - (mm->start_code & PAGE_MASK)) / PAGE_SIZE;
	mutex_unlock(&mm->lock);
	sz->text = min(sz->text, sz->exec);
	sz->lib = sz->exec - sz->text;
}

/* ---- maps ---- */

/* The name that a mapping is shown with; "" none. @buf: PATH_MAX */
static const char *map_name(const struct vma_view *v, char *buf)
{
	struct path p;
	char *text;

	if (v->name)
		return v->name;
	if (v->file && v->file->dentry) {
		p = (struct path){ v->file->mount, v->file->dentry };
		text = path_text(&p, NULL, buf, PATH_MAX);
		return IS_ERR(text) ? "?" : text;
	}
	if (v->file)
		return file_text(v->file, buf, PATH_MAX);
	return v->flags & MAP_SHARED ? "/dev/zero (deleted)" : "";
}

void proc_put_map_line(struct seq_buf *s, const struct vma_view *v, char *buf)
{
	struct inode *inode = v->file ? v->file->inode : NULL;
	u64 dev = inode ? inode->sb->dev : !v->name && (v->flags & MAP_SHARED) ? 1 : 0;
	const char *name = map_name(v, buf);
	size_t start = s->len;

	seq_printf(s, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", v->start, v->end, v->prot & PROT_READ ? 'r' : '-',
		   v->prot & PROT_WRITE ? 'w' : '-', v->prot & PROT_EXEC ? 'x' : '-', v->flags & MAP_SHARED ? 's' : 'p',
		   v->file ? v->off : 0, dev_major(dev), dev_minor(dev), inode ? inode->ino : 0);
	if (*name) {
		while (!s->failed && s->len - start < MAPS_NAME_COLUMN)
			seq_putc(s, ' ');
		seq_escape(s, name, "\n");
	}
	seq_putc(s, '\n');
}

struct maps_walk {
	struct seq_buf *s;
	char *buf;
};

static int put_map(const struct vma_view *v, void *arg)
{
	struct maps_walk *w = arg;

	proc_put_map_line(w->s, v, w->buf);
	return w->s->failed ? -ENOMEM : 0;
}

int proc_walk_mm(struct seq_buf *s, const struct pseudo_ctx *ctx, int (*fn)(const struct vma_view *v, void *arg), void *arg)
{
	struct task *t = proc_task_get(ctx);
	struct mm *mm;
	int ret = t ? proc_task_may_look(t) : -ESRCH;

	if (!ret) {
		mm = task_mm_get(t);
		if (mm)
			ret = mm_for_each_vma(mm, fn, arg);
		mm_put(mm);
	}
	task_put(t);
	return seq_failed(s) ? -ENOMEM : ret;
}

int proc_show_maps(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct maps_walk w = { s, kmalloc(PATH_MAX) };
	int ret = w.buf ? proc_walk_mm(s, ctx, put_map, &w) : -ENOMEM;

	kfree(w.buf);
	return ret;
}

/* ---- what execve() was given ---- */

int proc_show_auxv(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct task *t = proc_task_get(ctx);
	struct mm *mm;
	int ret = t ? proc_task_may_look(t) : -ESRCH;

	if (!ret) {
		mm = task_mm_get(t);
		if (mm)
			seq_write(s, mm->auxv, min_t(size_t, mm->nr_auxv, ARRAY_SIZE(mm->auxv)) * sizeof(u64));
		mm_put(mm);
	}
	task_put(t);
	return ret;
}

/* The program's own memory [start, end), as far as it is there. */
static int put_user_range(struct seq_buf *s, u64 start, u64 end)
{
	char *page = kmalloc(PAGE_SIZE);

	if (!page)
		return -ENOMEM;
	end = min(end, start + SEQ_MAX / 2);
	while (start < end) {
		size_t n = min_t(u64, end - start, PAGE_SIZE), got = copy_from_user_partial(page, start, n);

		seq_write(s, page, got);
		if (got < n)
			break;
		start += n;
	}
	kfree(page);
	return 0;
}

static int show_strings(struct seq_buf *s, const struct pseudo_ctx *ctx, bool environ)
{
	struct task *t = proc_task_get(ctx);
	struct mm *mm = t ? task_mm_get(t) : NULL;
	int ret = 0;

	if (!t)
		return -ESRCH;
	if (mm && mm == current->mm) {
		ret = environ ? put_user_range(s, mm->env_start, mm->env_end) : put_user_range(s, mm->arg_start, mm->arg_end);
	} else if (mm) {
		const struct exec_strings *x = load_acquire(&mm->strings);

		if (x)
			seq_write(s, environ ? x->envs : x->args, environ ? x->envs_len : x->args_len);
	}
	mm_put(mm);
	task_put(t);
	return ret;
}

int proc_show_cmdline(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	return show_strings(s, ctx, false);
}

int proc_show_environ(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	int ret = proc_may_look(ctx);

	return ret ? ret : show_strings(s, ctx, true);
}
