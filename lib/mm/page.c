/* SPDX-License-Identifier: MIT */
/*
 * The allocator of RAM: a buddy system with two lists per size, of blocks known to be zero and of blocks that hold old bytes.
 *
 * RAM that was never used is one number (fresh): blocks of 4 MiB are taken from it when the lists have nothing that fits, so
 * nothing is touched before it is needed. Dirty blocks are preferred, being warm; they and zero blocks merge only when something
 * as large is wanted, else allocating would clear (and so make the host back) memory that was never touched. When much dirty
 * memory is free, it is given back to the host and becomes zero memory.
 *
 * A free block is known by the state of its first page alone, and no other page of it has a state.
 */
#include "base/errno.h"
#include "base/printf.h"
#include "base/string.h"
#include "mm/page.h"
#include "south/south.h"

#define TRIM_ABOVE	1024u		/* free dirty pages that start a trim, */
#define TRIM_TO		256u		/* and that it leaves */
#define TRIM_ORDER	2u		/* smaller blocks are not worth a host call */

static struct {
	struct spinlock lock;		/* guards all up to dirty */
	char *base;
	struct page *pages;		/* == base */
	u32 nr_pages;
	u32 fresh;			/* pages from here on were never used */
	u32 head[2][PAGE_MAX_ORDER + 1];	/* [zero?]: page numbers */
	u32 dirty;			/* free pages on the dirty lists, */
	u32 free;			/* and on all */
	u32 trimming;			/* one at a time */
	u64 used;			/* pages in use and charged; atomic */
	u64 reserve;			/* pages that ram_charge() leaves */
} ram;

struct page *page_of(const void *p)
{
	static struct page none;	/* of what lies outside of RAM: no kind of page */
	u64 nr = (u64)((char *)p - ram.base) >> PAGE_SHIFT;

	return likely(nr < ram.nr_pages) ? ram.pages + nr : &none;
}

void *page_memory(const struct page *pg)
{
	return ram.base + ((u64)(pg - ram.pages) << PAGE_SHIFT);
}

u64 ram_total(void) { return (u64)ram.nr_pages << PAGE_SHIFT; }
u64 ram_used(void) { return load_relaxed(&ram.used) << PAGE_SHIFT; }
u64 ram_offset(const void *p) { return (u64)((char *)p - ram.base); }
void *ram_address(u64 offset) { return ram.base + offset; }

void ram_init(void *base, u64 size)
{
	u64 info;

	memset(&ram, 0, sizeof(ram));
	ram.base = base;
	ram.pages = base;
	ram.nr_pages = (u32)min_t(u64, size >> PAGE_SHIFT, 0xffffffffu);
	info = PAGE_ALIGN((u64)ram.nr_pages * sizeof(struct page)) >> PAGE_SHIFT;
	/* Page 0 holds the array: no block has number 0, which ends the lists. */
	ram.fresh = (u32)info;
	ram.reserve = max_t(u64, ram.nr_pages / 64, 64);
}

static bool charge(u64 pages, u64 reserve)
{
	if (pages > ram.nr_pages)
		return false;
	if (likely(atomic_add(&ram.used, pages) + reserve <= ram.nr_pages))
		return true;
	atomic_sub(&ram.used, pages);
	return false;
}

bool ram_charge(u64 pages) { return !pages || charge(pages, ram.reserve); }

void ram_uncharge(u64 pages)
{
	if (pages)
		atomic_sub(&ram.used, pages);
}

static void list_push(u32 nr, u32 order, bool zero)
{
	struct page *pg = ram.pages + nr;
	u32 *head = &ram.head[zero][order];

	pg->state = zero ? PAGE_FREE_ZERO : PAGE_FREE_DIRTY;
	pg->order = (u8)order;
	pg->next = *head;
	pg->prev = 0;
	if (*head)
		ram.pages[*head].prev = nr;
	*head = nr;
	ram.free += 1u << order;
	if (!zero)
		ram.dirty += 1u << order;
}

static void list_take(u32 nr)
{
	struct page *pg = ram.pages + nr;
	bool zero = pg->state == PAGE_FREE_ZERO;

	if (pg->prev)
		ram.pages[pg->prev].next = pg->next;
	else
		ram.head[zero][pg->order] = pg->next;
	if (pg->next)
		ram.pages[pg->next].prev = pg->prev;
	ram.free -= 1u << pg->order;
	if (!zero)
		ram.dirty -= 1u << pg->order;
	memset(pg, 0, sizeof(*pg));
}

/* Put a block of one size back, merged with its buddies of the same kind. */
static void block_free(u32 nr, u32 order, bool zero)
{
	u8 kind = zero ? PAGE_FREE_ZERO : PAGE_FREE_DIRTY;

	while (order < PAGE_MAX_ORDER) {
		u32 buddy = nr ^ (1u << order);

		/* What is not below fresh has no state yet, and may lie beyond the array. */
		if (buddy >= ram.fresh || ram.pages[buddy].state != kind || ram.pages[buddy].order != order)
			break;
		list_take(buddy);
		nr &= ~(1u << order);
		order++;
	}
	list_push(nr, order, zero);
}

/* [nr, nr + count) in blocks, as large as their alignment allows */
static void range_free(u32 nr, u32 count, bool zero)
{
	while (count) {
		u32 order = min_t(u32, 31u - (u32)__builtin_clz(count), PAGE_MAX_ORDER);

		order = min_t(u32, order, (u32)__builtin_ctz(nr));
		block_free(nr, order, zero);
		nr += 1u << order;
		count -= 1u << order;
	}
}

/* Take up to one block's worth of never used pages; the array's part for it is counted as used. */
static bool fresh_take(void)
{
	u32 end = min_t(u32, ALIGN_UP(ram.fresh + 1, PAGE_BLOCK_PAGES), ram.nr_pages);
	u32 nr = ram.fresh;

	if (nr >= ram.nr_pages)
		return false;
	atomic_add(&ram.used, (u64)DIV_ROUND_UP((end - nr) * sizeof(struct page), PAGE_SIZE));
	ram.fresh = end;
	range_free(nr, end - nr, true);
	return true;
}

/* Return: the block's number, 0 when there is none; the rest of a larger block goes back. */
static u32 block_take(u32 order, bool *zero)
{
	u32 nr = 0, k;

	for (k = order; k <= PAGE_MAX_ORDER; k++) {
		nr = ram.head[0][k];
		if (!nr)
			nr = ram.head[1][k];
		if (nr)
			break;
	}
	if (!nr)
		return 0;
	*zero = ram.pages[nr].state == PAGE_FREE_ZERO;
	list_take(nr);
	while (k > order) {
		k--;
		list_push(nr + (1u << k), k, *zero);
	}
	return nr;
}

/* Merge zero blocks with dirty buddies, for want of a block of @order. Return: true when there may be one now. */
static bool coalesce(u32 order)
{
	u32 k, nr, next;

	if (ram.free < 2u << order)
		return false;
	for (k = 0; k < order; k++) {
		for (nr = ram.head[1][k]; nr; nr = next) {
			u32 buddy = nr ^ (1u << k);

			next = ram.pages[nr].next;
			if (buddy >= ram.fresh || ram.pages[buddy].state != PAGE_FREE_DIRTY || ram.pages[buddy].order != k)
				continue;
			list_take(nr);
			list_take(buddy);
			block_free(nr & ~(1u << k), k + 1, false);
		}
	}
	for (k = order; k <= PAGE_MAX_ORDER; k++)
		if (ram.head[0][k])
			return true;
	return false;
}

/* Give dirty blocks of at least @min_order back to the host until at most @leave dirty pages are free. */
static void trim(u32 leave, u32 min_order)
{
	if (!atomic_cmpxchg(&ram.trimming, 0u, 1u))
		return;
	for (;;) {
		u32 nr = 0, order = PAGE_MAX_ORDER + 1;
		void *p;
		bool zero;

		spin_lock(&ram.lock);
		while (ram.dirty > leave && !nr && order > min_order)
			nr = ram.head[0][--order];
		if (nr)
			list_take(nr);
		spin_unlock(&ram.lock);
		if (!nr)
			break;
		p = page_memory(ram.pages + nr);
		mem_unpoison(p, PAGE_SIZE << order);
		zero = !south_map(SOUTH_MAP_DISCARD, (u64)(uintptr_t)p, PAGE_SIZE << order, 0, 0, SOUTH_NO_HANDLE, 0);
		mem_poison(p, PAGE_SIZE << order);
		spin_lock(&ram.lock);
		block_free(nr, order, zero);
		spin_unlock(&ram.lock);
		if (!zero)
			break;
	}
	store_release(&ram.trimming, 0u);
}

void ram_trim(void) { trim(0, 0); }

static void *alloc(size_t nr, bool want_zero)
{
	u32 order, block;
	bool zero = false;
	void *p;

	if (!nr || nr > PAGE_BLOCK_PAGES || !charge(nr, 0))
		return NULL;
	order = nr == 1 ? 0 : 32u - (u32)__builtin_clz((u32)nr - 1);
	spin_lock(&ram.lock);
	while (!(block = block_take(order, &zero)) && (coalesce(order) || fresh_take()))
		;
	spin_unlock(&ram.lock);
	if (unlikely(!block)) {
		/* Zero and dirty neighbours may fit together once both are zero. */
		ram_trim();
		spin_lock(&ram.lock);
		block = block_take(order, &zero);
		spin_unlock(&ram.lock);
		if (!block) {
			ram_uncharge(nr);
			return NULL;
		}
	}
	if (nr != 1u << order) {
		spin_lock(&ram.lock);
		range_free(block + (u32)nr, (1u << order) - (u32)nr, zero);
		spin_unlock(&ram.lock);
	}
	p = page_memory(ram.pages + block);
	mem_unpoison(p, nr << PAGE_SHIFT);
	if (want_zero && !zero)
		memset(p, 0, nr << PAGE_SHIFT);
	return p;
}

void *page_alloc(size_t nr) { return alloc(nr, true); }
void *page_alloc_dirty(size_t nr) { return alloc(nr, false); }

void page_free(void *p, size_t nr)
{
	struct page *pg = page_of(p);
	u32 first = (u32)(pg - ram.pages);

	if (!p || !nr)
		return;
#ifdef LBX_DEBUG_MM
	if (pg->state == PAGE_FREE_DIRTY || pg->state == PAGE_FREE_ZERO) {
		kprint("page_free: %p is free already\n", p);
		__builtin_trap();
	}
#endif
	mem_poison(p, nr << PAGE_SHIFT);
	spin_lock(&ram.lock);
	range_free(first, (u32)nr, false);
	spin_unlock(&ram.lock);
	ram_uncharge(nr);
	if (unlikely(READ_ONCE(ram.dirty) > TRIM_ABOVE))
		trim(TRIM_TO, TRIM_ORDER);
}
