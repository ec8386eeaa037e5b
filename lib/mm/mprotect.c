/* SPDX-License-Identifier: MIT */
/*
 * mprotect(2). First each VMA is checked, charged and cut, up to the first that refuses; then the pager changes all up to there
 * with as few calls as it takes, and the books follow. So, as on Linux, what comes before a hole is changed.
 */
#include "base/errno.h"
#include "mm/pagecache.h"
#include "mm/vma.h"

static u32 may_of(u32 prot)
{
	return (prot & PROT_READ ? VMA_MAYREAD : 0) | (prot & PROT_WRITE ? VMA_MAYWRITE : 0) |
	       (prot & PROT_EXEC ? VMA_MAYEXEC : 0);
}

/* Is there memory for @v to have @prot? Charges what becomes writable for the first time. Return: 0 or -ENOMEM */
static int check(struct mm *mm, struct vma *v, u32 prot)
{
	bool stack = v->flags & MAP_GROWSDOWN, data = is_data(prot, v->flags, stack);
	u64 pages = vma_pages(v);

	if (data && !is_data(v->prot, v->flags, stack) && mm_may_grow(mm, pages, true) && !mm_may_grow(mm, pages, false))
		return -ENOMEM;
	if (is_data(prot, v->flags, false) && !(v->flags & VMA_ACCOUNT)) {
		if (!ram_charge(pages))
			return -ENOMEM;
		vma_count(mm, v, -1);
		v->flags |= VMA_ACCOUNT;
		vma_count(mm, v, 1);
	}
	return 0;
}

static void set_prot(struct mm *mm, struct vma *v, u32 prot)
{
	vma_count(mm, v, -1);
	v->prot = prot;
	vma_count(mm, v, 1);
}

/* All VMAs of [start, end) are there and checked. */
static int apply(struct mm *mm, u64 start, u64 end, u32 prot, struct list *trash)
{
	struct vma *v = vma_at(mm, start), *first, *next;
	u64 from, to;
	bool exec;
	int ret;

	while (v && v->start < end) {
		if ((v->flags & VMA_LAZY) || v->prot == prot) {
			set_prot(mm, v, prot);
			v = vma_next(v);
			continue;
		}
		first = v;
		from = v->start;
		exec = prot & PROT_EXEC;
		for (to = from; v && v->start == to && to < end && !(v->flags & VMA_LAZY) && v->prot != prot;
		     v = vma_next(v)) {
			exec |= v->prot & PROT_EXEC;
			to = v->end;
		}
		ret = pager->protect(mm, from, to - from, prot);
		if (ret)
			return ret;
		for (; first != v; first = vma_next(first))
			set_prot(mm, first, prot);
		if (exec)
			text_changed(mm, from, to);
	}
	for (v = vma_at(mm, start); v && v->start < end; v = next) {
		v = vma_merge(mm, v, trash);
		next = vma_next(v);
	}
	if (v)
		vma_merge(mm, v, trash);
	return 0;
}

static int protect_locked(struct mm *mm, u64 start, u64 end, u32 prot, struct list *trash)
{
	struct vma *v = vma_find(mm, start);
	u64 at = start;
	int ret = 0, ret2;

	if (!v)
		return -ENOMEM;
	if (prot & PROT_GROWSDOWN) {
		if (v->start >= end)
			return -ENOMEM;
		if (!(v->flags & MAP_GROWSDOWN))
			return -EINVAL;
		at = start = v->start;
	}
	prot &= PROT_READ | PROT_WRITE | PROT_EXEC;
	while (at < end) {
		if (!v || v->start > at) {
			ret = -ENOMEM;
			break;
		}
		if (v->flags & VMA_SEALED) {
			ret = -EPERM;
			break;
		}
		if (v->prot != prot) {
			if (may_of(prot) & ~v->flags) {
				ret = -EACCES;
				break;
			}
			v = vma_isolate(mm, v, max(v->start, start), min(v->end, end));
			if (!v) {
				ret = -ENOMEM;
				break;
			}
			ret = check(mm, v, prot);
			if (ret) {
				vma_merge(mm, v, trash);
				break;
			}
		}
		at = min(v->end, end);
		v = vma_next(v);
	}
	ret2 = at > start ? apply(mm, start, at, prot, trash) : 0;
	return ret ? ret : ret2;
}

int mm_protect(u64 addr, u64 len, u32 prot)
{
	u32 grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	struct mm *mm = current->mm;
	LIST_HEAD(trash);
	u64 end;
	int ret;

	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (addr & ~PAGE_MASK))
		return -EINVAL;
	if (!len)
		return 0;
	end = addr + PAGE_ALIGN(len);
	if (end <= addr)
		return -ENOMEM;
	/* 8 is PROT_SEM, which means nothing */
	if (prot & ~(u32)(PROT_READ | PROT_WRITE | PROT_EXEC | 8 | PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if (prot & PROT_GROWSUP)
		return -EINVAL;
	mutex_lock(&mm->lock);
	ret = protect_locked(mm, addr, end, prot, &trash);
	mutex_unlock(&mm->lock);
	trash_free(&trash);
	return ret;
}
