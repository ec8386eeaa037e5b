/* SPDX-License-Identifier: MIT */
/*
 * Faults: what the VMA layer promised and left to the first touch. Stacks grow; lazy VMAs (sparse shared memory, files that grew
 * after they were mapped) are backed by chunks.
 *
 * A fault in a VMA that allows the access and is backed is most often somebody else's work that just finished: try again. When
 * the same address comes over and over, the pager cannot have it (a granted file shrank on the host): SIGBUS.
 */
#include "base/errno.h"
#include "mm/pagecache.h"
#include "mm/vma.h"
#include "process/signal_numbers.h"


#define STACK_STEP	(128ul << 10)
#define SAME_FAULTS	64u

/* @v begins above @addr and grows down: let it begin there. Return: 0 or -ENOMEM */
static int stack_grow(struct mm *mm, struct vma *v, u64 addr)
{
	struct vma *below = vma_prev(v);
	u64 limit = rlimit(RLIM_STACK), start = addr & PAGE_MASK, room = MM_START, pages;
	LIST_HEAD(trash);

	if (start < MM_START)
		return -ENOMEM;
	if (below) {
		/* The guard: nothing else may be so near, but what cannot be touched anyway. */
		room = below->end;
		if (below->prot && !(below->flags & MAP_GROWSDOWN))
			room += STACK_GUARD;
		if (start < room)
			return -ENOMEM;
	}
	if (limit != RLIM64_INFINITY && v->end - start > limit)
		return -ENOMEM;
	/* A step more than was asked for, when all limits allow it: faults are dear. */
	if (start > room + STACK_STEP && v->start - start < STACK_STEP &&
	    (limit == RLIM64_INFINITY || v->end - (v->start - STACK_STEP) <= limit) &&
	    !mm_may_grow(mm, STACK_STEP >> PAGE_SHIFT, false))
		start = v->start - STACK_STEP;
	pages = (v->start - start) >> PAGE_SHIFT;
	if (mm_may_grow(mm, pages, false) || ((v->flags & MAP_LOCKED) && !mm_lock_ok(mm, pages)))
		return -ENOMEM;
	if ((v->flags & VMA_ACCOUNT) && !ram_charge(pages))
		return -ENOMEM;
	if (pager->map(mm, start, v->start - start, v->prot, false, NULL, 0, false, false)) {
		if (v->flags & VMA_ACCOUNT)
			ram_uncharge(pages);
		return -ENOMEM;
	}
	vma_count(mm, v, -1);
	v->start = start;	/* still above its neighbour: the tree's order stays */
	vma_count(mm, v, 1);
	vma_merge(mm, v, &trash);
	trash_free(&trash);	/* private anonymous memory: no references that could need a lock */
	return 0;
}

/* Back the chunk of lazy @v that holds @addr. Return: 0, or a signal */
static int lazy_bring(struct mm *mm, struct vma *v, u64 addr)
{
	u64 eof, start, end, at = v->off + (addr - v->start);
	LIST_HEAD(trash);
	int ret;

	if (!vma_pagecache(v)) {
		/* mremap(MREMAP_DONTUNMAP) found no memory for what stays behind */
		v->flags &= ~(u32)VMA_LAZY;
		mm->seq++;
		if (!vma_back(mm, v, false, false))
			return 0;
		v->flags |= VMA_LAZY;
		return SIGBUS;
	}
	eof = PAGE_ALIGN(pagecache_size(v->obj->pc));
	if (at >= eof)
		return SIGBUS;
	start = max(v->start, ALIGN_DOWN(addr, LAZY_CHUNK));
	end = min(v->end, ALIGN_DOWN(addr, LAZY_CHUNK) + LAZY_CHUNK);
	end = min(end, v->start + (eof - v->off));
	/* Near the limit of mappings or memory, a page at a time would not help either. */
	v = vma_isolate(mm, v, start, end);
	if (!v)
		return SIGBUS;
	ret = pagecache_populate(v->obj->pc, v->off >> PAGE_SHIFT, vma_pages(v));
	if (!ret)
		ret = pager->map(mm, v->start, v->end - v->start, v->prot, vma_shared(v), v->obj, v->off, false, false);
	if (!ret)
		v->flags &= ~(u32)VMA_LAZY;
	mm->seq++;
	vma_merge(mm, v, &trash);
	mutex_unlock(&mm->lock);
	trash_free(&trash);
	mutex_lock(&mm->lock);
	return ret ? SIGBUS : 0;
}

static bool allowed(const struct vma *v, bool write, bool exec)
{
	if (write)
		return v->prot & PROT_WRITE;
	if (exec)
		return v->prot & PROT_EXEC;
	return v->prot;
}

static int fault_locked(struct mm *mm, u64 addr, bool write, bool exec, int *code)
{
	struct vma *v = vma_find(mm, addr);
	int ret;

	*code = SEGV_MAPERR;
	if (!v)
		return SIGSEGV;
	if (v->start > addr) {
		if (!(v->flags & MAP_GROWSDOWN))
			return SIGSEGV;
		if (!allowed(v, write, exec)) {
			*code = SEGV_ACCERR;
			return SIGSEGV;
		}
		return stack_grow(mm, v, addr) ? SIGSEGV : 0;
	}
	*code = SEGV_ACCERR;
	if (!allowed(v, write, exec))
		return SIGSEGV;
	*code = BUS_ADRERR;
	if (v->flags & VMA_LAZY) {
		ret = lazy_bring(mm, v, addr);
		if (!ret)
			mm->fault_nr = 0;
		return ret;
	}
	if (mm->fault_addr != (addr & PAGE_MASK)) {
		mm->fault_addr = addr & PAGE_MASK;
		mm->fault_nr = 0;
	}
	if (++mm->fault_nr < SAME_FAULTS)
		return 0;
	mm->fault_nr = 0;
	return SIGBUS;
}

int mm_fault(u64 addr, bool write, bool exec, int *code)
{
	struct mm *mm = current->mm;
	int ret;

	*code = SEGV_MAPERR;
	if (!mm || addr >= MM_END)
		return SIGSEGV;
	mutex_lock(&mm->lock);
	ret = fault_locked(mm, addr, write, exec, code);
	mutex_unlock(&mm->lock);
	return ret;
}

int mm_fault_in(u64 addr, u64 len, bool write)
{
	struct mm *mm = current->mm;
	u64 end = addr + len;
	bool changed = false;

	if (!mm || end < addr || end > MM_END)
		return -EFAULT;
	mutex_lock(&mm->lock);
	while (addr < end) {
		struct vma *v = vma_find(mm, addr);
		u64 top;
		int code;

		if (!v || (v->start > addr && !(v->flags & MAP_GROWSDOWN)))
			break;
		top = v->end;
		if (v->start > addr || (v->flags & VMA_LAZY)) {
			if (fault_locked(mm, addr, write, false, &code))
				break;
			changed = true;
			v = vma_at(mm, addr);
			if (!v)
				break;
			top = v->end;
		} else if (!allowed(v, write, false)) {
			break;
		}
		addr = top;
	}
	mutex_unlock(&mm->lock);
	return changed ? 0 : -EFAULT;
}

int mm_futex_key(u64 addr, struct mm_key *key)
{
	struct mm *mm = current->mm;
	struct vma *v;
	int ret = 0;

	mutex_lock(&mm->lock);
	v = vma_at(mm, addr);
	if (!v || !v->prot) {
		ret = -EFAULT;
	} else if (!vma_shared(v)) {
		/* private memory that cannot be written never changes: Linux refuses to wait for it */
		ret = v->prot & PROT_WRITE ? 0 : -EFAULT;
		*key = (struct mm_key){ mm, addr };
	} else {
		key->obj = vma_pagecache(v) ? (void *)v->obj->pc : v->file ? (void *)v->file->inode : (void *)v->obj;
		key->off = v->off + (addr - v->start);
	}
	mutex_unlock(&mm->lock);
	return ret;
}
