// SPDX-License-Identifier: MIT
/*
 * /proc/<pid>/{smaps,smaps_rollup,numa_maps,pagemap}: mappings with what is there of each, as far as the pager can tell. Who shares a
 * page with whom is not counted: memory of a file counts as shared, everything else as private to the process.
 */
#include "base/string.h"
#include "fs/proc/internal.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/pid.h"

struct smaps {
	u64 size, rss, shared, private_clean, private_dirty, anon, file, shmem, locked;
};

static void smaps_add(struct smaps *m, const struct vma_view *v)
{
	u64 rss = v->resident;

	m->size += v->end - v->start;
	m->rss += rss;
	if (v->flags & MAP_SHARED)
		m->shared += rss;
	else if (v->file && !(v->prot & PROT_WRITE))
		m->private_clean += rss;
	else
		m->private_dirty += rss;
	if (v->file)
		m->file += rss;
	else if (v->flags & MAP_SHARED)
		m->shmem += rss;
	else
		m->anon += rss;
	if (v->flags & MAP_LOCKED)
		m->locked += rss;
}

static void put_kb(struct seq_buf *s, const char *name, u64 bytes)
{
	seq_printf(s, "%s:%*s%8lu kB\n", name, (int)(15 - strlen(name)), "", bytes / 1024);
}

static void put_smaps(struct seq_buf *s, const struct smaps *m, bool rollup)
{
	put_kb(s, "Rss", m->rss);
	put_kb(s, "Pss", m->rss);
	put_kb(s, "Pss_Dirty", m->private_dirty);
	if (rollup) {
		put_kb(s, "Pss_Anon", m->anon);
		put_kb(s, "Pss_File", m->file);
		put_kb(s, "Pss_Shmem", m->shmem);
	}
	put_kb(s, "Shared_Clean", m->shared);
	put_kb(s, "Shared_Dirty", 0);
	put_kb(s, "Private_Clean", m->private_clean);
	put_kb(s, "Private_Dirty", m->private_dirty);
	put_kb(s, "Referenced", m->rss);
	put_kb(s, "Anonymous", m->anon);
	put_kb(s, "KSM", 0);
	put_kb(s, "LazyFree", 0);
	put_kb(s, "AnonHugePages", 0);
	put_kb(s, "ShmemPmdMapped", 0);
	put_kb(s, "FilePmdMapped", 0);
	put_kb(s, "Shared_Hugetlb", 0);
	put_kb(s, "Private_Hugetlb", 0);
	put_kb(s, "Swap", 0);
	put_kb(s, "SwapPss", 0);
	put_kb(s, "Locked", m->locked);
}

static void put_vm_flags(struct seq_buf *s, const struct vma_view *v)
{
	static const struct {
		u32 flag;
		const char *text;
	} flags[] = {
		{ VMA_MAYREAD, "mr " }, { VMA_MAYWRITE, "mw " }, { VMA_MAYEXEC, "me " }, { MAP_GROWSDOWN, "gd " }, { MAP_LOCKED, "lo " },
		{ VMA_SEQ_READ, "sr " }, { VMA_RAND_READ, "rr " }, { VMA_DONTFORK, "dc " }, { VMA_ACCOUNT, "ac " },
		{ MAP_NORESERVE, "nr " }, { VMA_WIPEONFORK, "wf " }, { VMA_DONTDUMP, "dd " }, { VMA_HUGEPAGE, "hg " },
		{ VMA_NOHUGEPAGE, "nh " },
	};

	seq_puts(s, "VmFlags: ");
	seq_puts(s, v->prot & PROT_READ ? "rd " : "");
	seq_puts(s, v->prot & PROT_WRITE ? "wr " : "");
	seq_puts(s, v->prot & PROT_EXEC ? "ex " : "");
	seq_puts(s, v->flags & MAP_SHARED ? "sh " : "");
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (v->flags & flags[i].flag)
			seq_puts(s, flags[i].text);
	seq_putc(s, '\n');
}

struct smaps_walk {
	struct seq_buf *s;
	char *buf;
	struct smaps sum;
	u64 first, last;
	bool any;
};

static int show_one(const struct vma_view *v, void *arg)
{
	struct smaps_walk *w = arg;
	struct smaps m = { 0 };

	smaps_add(&m, v);
	proc_put_map_line(w->s, v, w->buf);
	put_kb(w->s, "Size", m.size);
	put_kb(w->s, "KernelPageSize", PAGE_SIZE);
	put_kb(w->s, "MMUPageSize", PAGE_SIZE);
	put_smaps(w->s, &m, false);
	seq_printf(w->s, "THPeligible:%12d\n", 0);
	put_vm_flags(w->s, v);
	return w->s->failed ? -ENOMEM : 0;
}

int proc_show_smaps(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct smaps_walk w = { .s = s, .buf = kmalloc(PATH_MAX) };
	int ret = w.buf ? proc_walk_mm(s, ctx, show_one, &w) : -ENOMEM;

	kfree(w.buf);
	return ret;
}

static int sum_one(const struct vma_view *v, void *arg)
{
	struct smaps_walk *w = arg;

	smaps_add(&w->sum, v);
	if (!w->any)
		w->first = v->start;
	w->any = true;
	w->last = v->end;
	return 0;
}

int proc_show_smaps_rollup(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct smaps_walk w = { .s = s };
	int ret = proc_walk_mm(s, ctx, sum_one, &w);

	if (ret || !w.any)
		return ret ? ret : -ESRCH;
	seq_printf(s, "%08lx-%08lx ---p 00000000 00:00 0                          [rollup]\n", w.first, w.last);
	put_smaps(s, &w.sum, true);
	return 0;
}

static int numa_one(const struct vma_view *v, void *arg)
{
	struct smaps_walk *w = arg;
	u64 pages = v->resident / PAGE_SIZE;
	struct path p;
	char *text;

	seq_printf(w->s, "%08lx default", v->start);
	if (v->file && v->file->dentry) {
		p = (struct path){ v->file->mount, v->file->dentry };
		text = path_text(&p, NULL, w->buf, PATH_MAX);
		if (!IS_ERR(text)) {
			seq_puts(w->s, " file=");
			seq_escape(w->s, text, "\n\t= ");
		}
	} else if (v->name && (streq(v->name, "[heap]") || streq(v->name, "[stack]"))) {
		seq_puts(w->s, v->name[1] == 'h' ? " heap" : " stack");
	}
	if (pages && v->file)
		seq_printf(w->s, " mapped=%lu", pages);
	else if (pages)
		seq_printf(w->s, " anon=%lu dirty=%lu", pages, pages);
	if (pages)
		seq_printf(w->s, " N0=%lu kernelpagesize_kB=4", pages);
	seq_putc(w->s, '\n');
	return w->s->failed ? -ENOMEM : 0;
}

int proc_show_numa_maps(struct seq_buf *s, const struct pseudo_ctx *ctx)
{
	struct smaps_walk w = { .s = s, .buf = kmalloc(PATH_MAX) };
	int ret = w.buf ? proc_walk_mm(s, ctx, numa_one, &w) : -ENOMEM;

	kfree(w.buf);
	return ret;
}

/* ---- pagemap: present or not, and nothing of where, as for everybody without CAP_SYS_ADMIN ---- */

#define PAGEMAP_PRESENT		BIT(63)
#define PAGEMAP_FILE		BIT(61)
#define PAGEMAP_BATCH		512u
#define PAGEMAP_END		(1ull << 35)	/* pages of the 47-bit half */

static u64 pagemap_entry(const struct vma *v, u64 addr)
{
	if (!v || v->start > addr || (v->flags & VMA_LAZY) || !v->prot)
		return 0;
	return PAGEMAP_PRESENT | (v->file || (v->flags & MAP_SHARED) ? PAGEMAP_FILE : 0);
}

static ssize_t pagemap_read(struct file *f, struct uio *to, pos_t *pos)
{
	struct mm *mm = f->priv;
	u64 page = (u64)*pos / 8;
	ssize_t done = 0;
	u64 *out;

	if (*pos % 8 || to->left % 8)
		return -EINVAL;
	out = kmalloc(PAGEMAP_BATCH * sizeof(*out));
	if (!out)
		return -ENOMEM;
	while (to->left && page < PAGEMAP_END) {
		u32 n = (u32)min_t(u64, min_t(u64, to->left / 8, PAGEMAP_END - page), PAGEMAP_BATCH);
		ssize_t moved;

		mutex_lock(&mm->lock);
		for (u32 i = 0; i < n; i++)
			out[i] = pagemap_entry(vma_find(mm, (page + i) << PAGE_SHIFT), (page + i) << PAGE_SHIFT);
		mutex_unlock(&mm->lock);
		moved = uio_put(to, out, n * 8);
		if (moved < 0) {
			done = done ? done : moved;
			break;
		}
		done += moved;
		page += (u64)moved / 8;
		if (moved < (ssize_t)n * 8 || signal_pending())
			break;
	}
	kfree(out);
	if (done > 0)
		*pos += done;
	return done;
}

static void mm_file_release(struct file *f)
{
	mm_put(f->priv);
}

static const struct file_ops pagemap_ops = {
	.name = "pagemap", .read = pagemap_read, .seek = sizeless_seek, .release = mm_file_release,
};

static int open_mm(const struct pseudo_ctx *ctx, struct file *f, const struct file_ops *ops, bool own)
{
	struct task *t = proc_task_get(ctx);
	struct mm *mm = NULL;
	int ret = t ? proc_task_may_look(t) : -ESRCH;

	if (!ret) {
		mm = task_mm_get(t);
		if (!mm)
			ret = -ESRCH;
		else if (own && mm != current->mm)
			ret = -EACCES;
	}
	task_put(t);
	if (ret) {
		mm_put(mm);
		return ret;
	}
	f->ops = ops;
	f->priv = mm;
	return 0;
}

int proc_open_pagemap(const struct pseudo_ctx *ctx, struct file *f)
{
	return open_mm(ctx, f, &pagemap_ops, false);
}

/*
 * ---- mem: the address space as a file ----
 *
 * Only who runs in an address space can reach its memory, so only a process's own can be opened; and memory that the program itself
 * may not write cannot be written here either (Linux lets a debugger do so).
 */
static ssize_t mem_move(struct file *f, struct uio *uio, pos_t *pos, bool write)
{
	ssize_t done = 0;
	char *page;

	if (f->priv != current->mm)
		return -EACCES;
	page = kmalloc(PAGE_SIZE);
	if (!page)
		return -ENOMEM;
	while (uio->left) {
		u64 addr = (u64)*pos;
		size_t n = min(uio->left, PAGE_SIZE - (addr & ~PAGE_MASK)), got;
		ssize_t moved;

		if (write) {
			moved = uio_get(uio, page, n);
			got = moved > 0 ? copy_to_user_partial(addr, page, (size_t)moved) : 0;
			if (moved > 0 && got < (size_t)moved && !got)
				moved = -EIO;
		} else {
			got = copy_from_user_partial(page, addr, n);
			moved = got ? uio_put(uio, page, got) : -EIO;
		}
		if (moved <= 0) {
			done = done ? done : moved;
			break;
		}
		done += (ssize_t)min((size_t)moved, got);
		*pos += (pos_t)min((size_t)moved, got);
		if (got < n || signal_pending())
			break;
	}
	kfree(page);
	return done;
}

static ssize_t mem_read(struct file *f, struct uio *to, pos_t *pos) { return mem_move(f, to, pos, false); }
static ssize_t mem_write(struct file *f, struct uio *from, pos_t *pos) { return mem_move(f, from, pos, true); }

static const struct file_ops mem_ops = {
	.name = "mem", .read = mem_read, .write = mem_write, .seek = sizeless_seek, .release = mm_file_release,
};

int proc_open_mem(const struct pseudo_ctx *ctx, struct file *f)
{
	return open_mm(ctx, f, &mem_ops, true);
}
