/* SPDX-License-Identifier: MIT */
/*
 * A pager for tests: it keeps what it was told for each page of a small window, and finds wrong calls (rights on nothing, moves of
 * nothing). Calls outside of the window do nothing.
 */
#ifndef SELFTESTS_LIB_FAKE_PAGER_H
#define SELFTESTS_LIB_FAKE_PAGER_H

#include <string.h>

#include "base/random.h"
#include "mm/pagecache.h"
#include "mm/vma.h"

#define BASE		0x10000000ull
#define PAGES		2048u
#define WINDOW		(PAGES + 128)

struct ppage {
	bool mapped, shared, dirty;
	u8 prot;
	u8 *ram;		/* of a page cache, NULL: private anonymous */
	u32 val;		/* private content, when dirty */
};
static struct ppage ppages[WINDOW];	/* of every mm that has none of its own: mm->south */
static u32 pager_bad;
static u32 pager_fails;		/* one call in so many fails, and none after that; 0: none */
static bool failing_books;	/* pieces that a failed call cut need not be merged */

#define BAD(cond) do {							\
	if (cond) {							\
		printf("# %s:%d: %s: %s\n", __FILE__, __LINE__, __func__, #cond);	\
		pager_bad++;						\
	}								\
} while (0)

static bool fails(void)
{
	bool yes = pager_fails && !random_below(pager_fails);

	if (yes)
		pager_fails = 0;
	return yes;
}


static struct ppage *ppage(struct mm *mm, u64 addr)
{
	static __thread struct ppage outside;	/* where mappings go for which the window has no room */

	if (addr < BASE || addr >= BASE + WINDOW * PAGE_SIZE) {
		outside = (struct ppage){ .mapped = true };
		return &outside;
	}
	return (mm->south ? (struct ppage *)mm->south : ppages) + (addr - BASE) / PAGE_SIZE;
}

/* The pages of a range that lie in the window: others may be very many. */
#define for_pages(a, addr, len)								\
	for (u64 a = max_t(u64, addr, BASE); a < min_t(u64, (addr) + (len), BASE + WINDOW * PAGE_SIZE); a += PAGE_SIZE)

static int t_unmap(struct mm *mm, u64 addr, u64 len)
{
	if (fails())
		return -ENOMEM;
	for_pages(a, addr, len)
		*ppage(mm, a) = (struct ppage){ 0 };
	return 0;
}

static int t_map(struct mm *mm, u64 addr, u64 len, u32 prot, bool shared, struct vm_object *obj, u64 off,
		 bool populate __unused, bool noreserve __unused)
{
	if (fails())
		return -ENOMEM;
	for_pages(a, addr, len) {
		struct ppage p = { .mapped = true, .prot = (u8)prot, .shared = shared };

		if (obj) {
			u64 hole;
			void *mem = NULL;

			/* what a truncate took meanwhile is left out */
			p.mapped = pagecache_run(obj->pc, (off + (a - addr)) / PAGE_SIZE, 1, &mem, &hole) == 1;
			p.ram = mem;
		}
		*ppage(mm, a) = p;
	}
	return 0;
}

static int t_protect(struct mm *mm, u64 addr, u64 len, u32 prot)
{
	if (fails())
		return -ENOMEM;
	for_pages(a, addr, len) {
		BAD(!ppage(mm, a)->mapped);
		ppage(mm, a)->prot = (u8)prot;
	}
	return 0;
}

static int t_move(struct mm *mm, u64 addr, u64 len, u64 to)
{
	if (fails())
		return -ENOMEM;
	BAD(addr < to + len && to < addr + len);
	if (addr < BASE || addr + len > BASE + WINDOW * PAGE_SIZE) {
		/* what lies outside was not kept: take it from the books */
		struct vma *v = vma_at(mm, addr);

		for_pages(a, addr, len)
			*ppage(mm, a) = (struct ppage){ 0 };
		return t_map(mm, to, len, v->prot, vma_shared(v), v->obj, v->off, false, false);
	}
	for_pages(a, to, len) {
		BAD(!ppage(mm, addr + (a - to))->mapped);
		*ppage(mm, a) = *ppage(mm, addr + (a - to));
	}
	for_pages(a, addr, len) {
		BAD(!ppage(mm, a)->mapped);
		*ppage(mm, a) = (struct ppage){ 0 };
	}
	return 0;
}

static int t_discard(struct mm *mm, u64 addr, u64 len)
{
	if (fails())
		return -ENOMEM;
	for_pages(a, addr, len) {
		BAD(!ppage(mm, a)->mapped || ppage(mm, a)->shared);
		ppage(mm, a)->dirty = false;
	}
	return 0;
}

static void t_unmap_all(struct mm *mm) { memset(mm->south ? mm->south : ppages, 0, sizeof(ppages)); }

static const struct pager_ops test_pager = {
	.map = t_map, .unmap = t_unmap, .protect = t_protect, .move = t_move, .discard = t_discard, .unmap_all = t_unmap_all,
};
const struct pager_ops *pager = &test_pager;

/* A load or store by the program: faults are served as a South would do it. Return: 0 or signal | code << 8 */
static int program_access(u64 addr, bool write, u32 *val)
{
	struct mm *mm = current->mm;
	u32 tries;

	for (tries = 0; tries < 100; tries++) {
		struct ppage *p = ppage(mm, addr);
		int sig, code;

		/* as one step, which it is for a processor */
		mutex_lock(&mm->lock);
		if (p->mapped && (write ? p->prot & 2 : p->prot)) {
			u32 *mem = (u32 *)(void *)p->ram;

			if (write && !p->shared) {
				p->dirty = true;
				p->val = *val;
			} else if (write) {
				*mem = *val;
			} else {
				*val = p->dirty ? p->val : mem ? *mem : 0;
			}
			mutex_unlock(&mm->lock);
			return 0;
		}
		mutex_unlock(&mm->lock);
		sig = mm_fault(addr, write, false, &code);
		if (sig)
			return sig | code << 8;
	}
	return -1;
}

/* The VMAs are in order, merged and counted, and the pager has what they say. */
static u32 check_books(struct mm *mm)
{
	u64 total = 0, locked = 0, data = 0, charged = 0, end = 0, i;
	struct vma *v, *prev = NULL;
	u32 n = 0, bad = 0;

	mutex_lock(&mm->lock);
	for (v = vma_find(mm, 0); v; prev = v, v = vma_next(v)) {
		BAD(v->start >= v->end);
		BAD(v->start < end);
		BAD((v->start | v->end) & ~PAGE_MASK);
		if (prev && vma_alike(prev, v, 0) && !failing_books) {
			printf("# not merged: page %llu and %llu, flags %x\n", (prev->start - BASE) / PAGE_SIZE,
			       (v->start - BASE) / PAGE_SIZE, v->flags);
			bad++;
		}
		BAD(v->trunc_from != ~0ull);
		BAD(!!vma_pagecache(v) == list_empty(&v->rmap));
		end = v->end;
		n++;
		total += vma_pages(v);
		locked += v->flags & MAP_LOCKED ? vma_pages(v) : 0;
		data += is_data(v->prot, v->flags, v->flags & MAP_GROWSDOWN) ? vma_pages(v) : 0;
		charged += v->flags & VMA_ACCOUNT ? vma_pages(v) : 0;
	}
	BAD(n != mm->nr_vmas || total != mm->total_pages || locked != mm->locked_pages);
	BAD(data != mm->data_pages || charged != mm->charged);
	bad += pager_bad;
	EXPECT_EQ(bad, 0);
	for (i = 0; i < WINDOW && !bad; i++) {
		u64 addr = BASE + i * PAGE_SIZE;
		struct ppage *p = ppage(mm, addr);

		v = vma_at(mm, addr);
		if (p->mapped) {
			u64 pgoff, hole;
			void *mem = NULL;

			/* the pager has no more than the books, with their rights, and of page caches their present pages */
			bad += !v || p->prot != v->prot || p->shared != vma_shared(v) || (v->flags & VMA_LAZY);
			if (!bad && vma_pagecache(v)) {
				pgoff = (v->off + (addr - v->start)) / PAGE_SIZE;
				bad += pagecache_run(v->obj->pc, pgoff, 1, &mem, &hole) != 1 || mem != p->ram;
			}
		} else {
			bad += v && !(v->flags & VMA_LAZY);
		}
		if (bad) {
			printf("# page %llu: %s by the pager, rights %d; VMA flags %x, rights %d\n", (unsigned long long)i,
			       p->mapped ? "mapped" : "not mapped", p->prot, v ? v->flags : 0, v ? (int)v->prot : -1);
			unit_bad++;
		}
	}
	mutex_unlock(&mm->lock);
	return bad;
}

#endif
