/* SPDX-License-Identifier: MIT */
/*
 * madvise(2). What the pager does not know is remembered and otherwise ignored, which the manual allows; where it has no MADV_FREE,
 * that frees at once.
 */
#include "base/errno.h"
#include "mm/pagecache.h"
#include "mm/uaccess.h"
#include "mm/vma.h"
#include "sched/wait.h"

#define MADV_NORMAL		0
#define MADV_RANDOM		1
#define MADV_SEQUENTIAL		2
#define MADV_WILLNEED		3
#define MADV_DONTNEED		4
#define MADV_FREE		8
#define MADV_REMOVE		9
#define MADV_DONTFORK		10
#define MADV_DOFORK		11
#define MADV_MERGEABLE		12
#define MADV_UNMERGEABLE	13
#define MADV_HUGEPAGE		14
#define MADV_NOHUGEPAGE		15
#define MADV_DONTDUMP		16
#define MADV_DODUMP		17
#define MADV_WIPEONFORK		18
#define MADV_KEEPONFORK		19
#define MADV_COLD		20
#define MADV_PAGEOUT		21
#define MADV_POPULATE_READ	22
#define MADV_POPULATE_WRITE	23
#define MADV_DONTNEED_LOCKED	24
#define MADV_HWPOISON		100
#define MADV_SOFT_OFFLINE	101

/* Advice that sets and clears flags of the VMA. */
static const struct {
	u8 advice;
	u32 set, clear;
} flag_advice[] = {
	{ MADV_NORMAL, 0, VMA_SEQ_READ | VMA_RAND_READ },
	{ MADV_RANDOM, VMA_RAND_READ, VMA_SEQ_READ },
	{ MADV_SEQUENTIAL, VMA_SEQ_READ, VMA_RAND_READ },
	{ MADV_DONTFORK, VMA_DONTFORK, 0 },
	{ MADV_DOFORK, 0, VMA_DONTFORK },
	{ MADV_HUGEPAGE, VMA_HUGEPAGE, VMA_NOHUGEPAGE },
	{ MADV_NOHUGEPAGE, VMA_NOHUGEPAGE, VMA_HUGEPAGE },
	{ MADV_DONTDUMP, (u32)VMA_DONTDUMP, 0 },
	{ MADV_DODUMP, 0, (u32)VMA_DONTDUMP },
	{ MADV_WIPEONFORK, VMA_WIPEONFORK, 0 },
	{ MADV_KEEPONFORK, 0, VMA_WIPEONFORK },
};

struct advise {
	struct mm *mm;
	int advice;
	u32 set, clear;
	bool flags;		/* set and clear mean something */
	struct list trash;
};

static int hint(struct advise *a, u64 start, u64 end)
{
	return pager->advise ? pager->advise(a->mm, start, end - start, a->advice) : -EINVAL;
}

static int advise_flags(struct advise *a, struct vma *v, u64 start, u64 end)
{
	if (a->advice == MADV_WIPEONFORK && (v->obj || vma_shared(v)))
		return -EINVAL;
	if ((v->flags & a->set) == a->set && !(v->flags & a->clear))
		return 0;
	v = vma_isolate(a->mm, v, start, end);
	if (!v)
		return -ENOMEM;
	v->flags = (v->flags | a->set) & ~a->clear;
	if ((a->advice == MADV_HUGEPAGE || a->advice == MADV_NOHUGEPAGE) && !v->obj)
		hint(a, start, end);
	vma_merge(a->mm, v, &a->trash);
	return 0;
}

static int advise_dontneed(struct advise *a, struct vma *v, u64 start, u64 end)
{
	if ((v->flags & MAP_LOCKED) && a->advice != MADV_DONTNEED_LOCKED)
		return -EINVAL;
	if (a->advice == MADV_FREE && (v->obj || vma_shared(v)))
		return -EINVAL;
	/* Shared memory keeps its pages, a lazy VMA has none. */
	if (vma_shared(v) || (v->flags & VMA_LAZY))
		return 0;
	if (a->advice == MADV_FREE && !hint(a, start, end))
		return 0;
	return pager->discard(a->mm, start, end - start);
}

static int advise_remove(struct advise *a, struct vma *v, u64 start, u64 end)
{
	if (v->flags & MAP_LOCKED)
		return -EINVAL;
	if (!v->obj)
		return -EINVAL;
	if (!vma_shared(v) || !(v->flags & VMA_MAYWRITE))
		return -EACCES;
	if (!vma_pagecache(v))
		return -EOPNOTSUPP;
	pagecache_punch(v->obj->pc, (pos_t)(v->off + (start - v->start)), (pos_t)(end - start));
	return 0;
}

static int advise_one(struct advise *a, struct vma *v, u64 start, u64 end)
{
	if (v->flags & VMA_SEALED)
		return -EPERM;
	if (a->flags)
		return advise_flags(a, v, start, end);
	switch (a->advice) {
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED:
	case MADV_FREE:
		return advise_dontneed(a, v, start, end);
	case MADV_REMOVE:
		return advise_remove(a, v, start, end);
	case MADV_COLD:
	case MADV_PAGEOUT:
		if (v->flags & MAP_LOCKED)
			return -EINVAL;
		return 0;	/* only a hint, and a South that shares pages with strangers cannot pass it on */
	case MADV_WILLNEED:
		if (!(v->flags & VMA_LAZY))
			hint(a, start, end);
		return 0;
	default:
		return 0;
	}
}

static int advise_locked(struct advise *a, u64 start, u64 end)
{
	struct vma *v = vma_find(a->mm, start);
	bool hole = false;
	int ret;

	while (start < end) {
		u64 to;

		if (!v || v->start >= end)
			return -ENOMEM;
		if (v->start > start) {
			hole = true;
			start = v->start;
		}
		to = min(v->end, end);
		ret = advise_one(a, v, start, to);
		if (ret)
			return ret;
		start = to;
		v = vma_find(a->mm, start);
	}
	return hole ? -ENOMEM : 0;
}

/* MADV_POPULATE_*: by the pager, or touch every page, as the program would. Without locks then, since each touch may fault. */
static long populate(struct advise *a, u64 start, u64 end)
{
	bool write = a->advice == MADV_POPULATE_WRITE;

	while (start < end) {
		int ret = -ENOMEM;
		struct vma *v;
		u64 to = 0;
		u32 word;

		mutex_lock(&a->mm->lock);
		v = vma_at(a->mm, start);
		if (v) {
			to = min(v->end, end);
			/* -ENOSYS: by hand */
			ret = (write ? !(v->prot & PROT_WRITE) : !v->prot) ? -EINVAL : -ENOSYS;
			if (ret == -ENOSYS && !(v->flags & VMA_LAZY) && pager->advise)
				ret = hint(a, start, to);
		}
		mutex_unlock(&a->mm->lock);
		if (ret == -ENOSYS) {
			for (ret = 0; start < to && !ret; start += PAGE_SIZE) {
				ret = write ? user_or32(start, 0, &word) : user_load32(start, &word);
				if (fatal_signal_pending())
					ret = -EINTR;
			}
		}
		if (ret)
			return ret;
		start = to;
	}
	return 0;
}

static bool known(int advice)
{
	return (advice >= MADV_NORMAL && advice <= MADV_DONTNEED) || (advice >= MADV_FREE && advice <= MADV_DONTNEED_LOCKED);
}

long mm_advise(u64 addr, u64 len, int advice)
{
	struct advise a = { .mm = current->mm, .advice = advice };
	u64 end;
	long ret;
	u32 i;

	if (advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE)
		return -EPERM;
	if (!known(advice) || (addr & ~PAGE_MASK))
		return -EINVAL;
	end = addr + PAGE_ALIGN(len);
	if ((len && !PAGE_ALIGN(len)) || end < addr)
		return -EINVAL;
	if (end == addr)
		return 0;
	if (advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE)
		return populate(&a, addr, end);
	for (i = 0; i < ARRAY_SIZE(flag_advice); i++) {
		if (flag_advice[i].advice != advice)
			continue;
		a.set = flag_advice[i].set;
		a.clear = flag_advice[i].clear;
		a.flags = true;
	}
	list_init(&a.trash);
	mutex_lock(&a.mm->lock);
	ret = advise_locked(&a, addr, end);
	mutex_unlock(&a.mm->lock);
	trash_free(&a.trash);
	return ret;
}
