/* SPDX-License-Identifier: MIT */
/* Looking at an address space: /proc/self/maps, mincore(2). */
#include "base/errno.h"
#include "mm/maps.h"
#include "mm/pagecache.h"
#include "mm/vma.h"

static u64 resident(const struct vma *v)
{
	u64 len = v->end - v->start;

	if (v->flags & VMA_LAZY || !v->prot)
		return 0;
	if (!vma_pagecache(v))
		return len;
	return len - (pagecache_holes(v->obj->pc, v->off >> PAGE_SHIFT, vma_pages(v)) << PAGE_SHIFT);
}

/* On hosted Souths the vDSO is the host's, where it put it: above all that the VMA layer has, in every address space. */
static int view_vdso(int (*fn)(const struct vma_view *v, void *arg), void *arg)
{
	u64 base = machine && machine->vdso ? machine->vdso() : 0, end = 0;
	const u8 *elf = (const u8 *)(uintptr_t)base, *ph;
	u16 i;

	if (base < MM_END)
		return 0;
	ph = elf + *(const u64 *)(const void *)(elf + 32);
	for (i = *(const u16 *)(const void *)(elf + 56); i; i--, ph += *(const u16 *)(const void *)(elf + 54))
		if (*(const u32 *)(const void *)ph == 1)	/* PT_LOAD: its address and size in memory */
			end = max(end, *(const u64 *)(const void *)(ph + 16) + *(const u64 *)(const void *)(ph + 40));
	end = PAGE_ALIGN(end);
	return fn(&(struct vma_view){
		.start = base, .end = base + end, .prot = PROT_READ | PROT_EXEC, .name = "[vdso]", .resident = end,
		.flags = VMA_MAYREAD | VMA_MAYEXEC, .uncounted = true,
	}, arg);
}

int mm_for_each_vma(struct mm *mm, int (*fn)(const struct vma_view *v, void *arg), void *arg)
{
	struct vma *v, *next;
	int ret = 0;

	mutex_lock(&mm->lock);
	for (v = vma_find(mm, 0); v && !ret; v = next) {
		struct vma_view view = {
			v->start, v->end, v->prot, v->flags & ~(u32)VMA_LAZY, v->off, v->file, v->name, v->obj, resident(v), false,
		};
		struct vma *last = v;

		while ((next = vma_next(last)) && vma_alike(last, next, VMA_LAZY | VMA_ACCOUNT)) {
			view.end = next->end;
			view.resident += resident(next);
			last = next;
		}
		ret = fn(&view, arg);
	}
	if (!ret && mm->nr_vmas)
		ret = view_vdso(fn, arg);
	mutex_unlock(&mm->lock);
	return ret;
}

static void resident_pages(struct mm *mm, const struct vma *v, u64 addr, u64 nr, u8 *vec)
{
	struct pagecache *pc = vma_pagecache(v);
	u64 i = 0, run, hole, k;
	void *mem;

	if (pc) {
		u64 pgoff = (v->off + (addr - v->start)) >> PAGE_SHIFT;

		while (i < nr) {
			run = pagecache_run(pc, pgoff + i, nr - i, &mem, &hole);
			for (k = run ? run : hole; k; k--)
				vec[i++] = run != 0;
		}
		return;
	}
	if (pager->resident && !pager->resident(mm, addr, nr, vec))
		return;
	while (i < nr)
		vec[i++] = v->prot != 0;
}

long mm_mincore(u64 addr, u64 nr, u8 *vec)
{
	struct mm *mm = current->mm;
	long ret = 0;

	mutex_lock(&mm->lock);
	while (nr) {
		struct vma *v = vma_at(mm, addr);
		u64 part;

		if (!v) {
			ret = -ENOMEM;
			break;
		}
		part = min(nr, (v->end - addr) >> PAGE_SHIFT);
		resident_pages(mm, v, addr, part, vec);
		vec += part;
		addr += part << PAGE_SHIFT;
		nr -= part;
	}
	mutex_unlock(&mm->lock);
	return ret;
}

long mm_sync(u64 addr, u64 end, bool invalidate, bool wait)
{
	struct mm *mm = current->mm;
	bool hole = false;
	long ret = 0;

	while (addr < end && !ret) {
		struct file *f = NULL;
		struct vma *v;

		mutex_lock(&mm->lock);
		v = vma_find(mm, addr);
		if (!v || v->start >= end) {
			ret = -ENOMEM;
		} else {
			hole |= v->start > addr;
			if (invalidate && (v->flags & MAP_LOCKED))
				ret = -EBUSY;
			else if (wait && vma_shared(v) && v->file && v->file->ops->fsync)
				file_get(f = v->file);
			addr = v->end;
		}
		mutex_unlock(&mm->lock);
		if (f) {
			ret = f->ops->fsync(f, false);
			file_put(f);
		}
	}
	return ret ? ret : hole ? -ENOMEM : 0;
}
