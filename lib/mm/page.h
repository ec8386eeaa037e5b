/* SPDX-License-Identifier: MIT */
/*
 * Pages of RAM, for lib/mm and for the South that boots it. Everybody else uses mm/kmalloc.h and mm/pagecache.h.
 *
 * RAM is one window of memory (the direct map) as large as the sandbox's limit, sparse on the host: a page costs the host nothing
 * until it is first touched. It starts with an array of struct page, touched as far as RAM was ever used.
 */
#ifndef LIB_MM_PAGE_H
#define LIB_MM_PAGE_H

#include "base/atomic.h"
#include "mm/kmalloc.h"
#include "sched/lock.h"

#define PAGE_MAX_ORDER		10u		/* blocks of up to 4 MiB */
#define PAGE_BLOCK_PAGES	(1u << PAGE_MAX_ORDER)

/* struct page.state; valid for the first page of a block only, 0 for all others */
enum page_state {
	PAGE_OTHER = 0,		/* in use without more to say, or not the first of its block */
	PAGE_FREE_DIRTY,	/* first page of a free block that holds old bytes */
	PAGE_FREE_ZERO,		/* ... whose bytes are all zero (never touched, or discarded) */
	PAGE_SLAB,		/* kmalloc's small objects */
	PAGE_LARGE,		/* first page of a kmalloc of more than KMALLOC_SMALL bytes */
};

struct page {
	u32 next;		/* free block, slab: page numbers of its list, 0 ends it. PAGE_LARGE: how many pages */
	union {
		u32 prev;
		u32 pins;	/* page cache: see page_pin() */
	};
	u16 free;		/* slab: first free object, in 16-byte steps from the page's start plus 1; 0: none */
	u16 fresh;		/* slab: first byte that was never handed out */
	u16 inuse;		/* slab: objects handed out */
	u8 state;		/* PAGE_* */
	u8 order;		/* free block: log2 of its pages; slab: its class */
};
_Static_assert(sizeof(struct page) == 16, "0.4 % of what was ever used");

/*
 * ram_init() - @size bytes at @base, zeroed, are the RAM from now on. Called once by the South, before any allocation.
 * @size: the sandbox's memory limit; what the programs' private memory takes is charged against it as well.
 */
void ram_init(void *base, u64 size);

struct page *page_of(const void *p);
void *page_memory(const struct page *pg);

/* page_alloc_dirty() - as page_alloc(), but the pages may hold old bytes of the library kernel: overwrite all of them */
__must_check void *page_alloc_dirty(size_t nr);

/*
 * ram_charge() - count @pages of a program's private memory, which lies outside of RAM, against the limit
 * A part of the limit stays reserved for the library kernel. Return: false when it would be exceeded.
 */
__must_check bool ram_charge(u64 pages);
void ram_uncharge(u64 pages);

/* ram_trim() - give all free memory back to the host */
void ram_trim(void);

/*
 * Pins keep a page of the page cache while bytes are copied from or to it. Who takes pages out of a page cache gives each to
 * page_drop(): an unpinned page is free at once, a pinned one with its last page_unpin().
 * page_pin() is for holders of the pagecache's lock that see the page in it.
 */
#define PAGE_ORPHAN	0x80000000u

static inline void page_pin(struct page *pg) { atomic_add(&pg->pins, 1u); }
static inline void page_unpin(struct page *pg)
{
	if (unlikely(atomic_sub(&pg->pins, 1u) == PAGE_ORPHAN)) {
		store_relaxed(&pg->pins, 0u);
		page_free(page_memory(pg), 1);
	}
}
static inline void page_drop(struct page *pg)
{
	if (likely(!(atomic_or(&pg->pins, PAGE_ORPHAN)))) {
		store_relaxed(&pg->pins, 0u);
		page_free(page_memory(pg), 1);
	}
}

/* In tests under AddressSanitizer, free memory is poisoned; elsewhere these do nothing. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_HWADDRESS__)
void __asan_poison_memory_region(const volatile void *p, size_t n);
void __asan_unpoison_memory_region(const volatile void *p, size_t n);
int __asan_address_is_poisoned(const volatile void *p);
#define mem_poison(p, n)	__asan_poison_memory_region(p, n)
#define mem_unpoison(p, n)	__asan_unpoison_memory_region(p, n)
#define mem_is_poisoned(p)	__asan_address_is_poisoned(p)
#define MM_NO_ASAN		__attribute__((no_sanitize_address))
#else
#define mem_poison(p, n)	((void)(p))
#define mem_unpoison(p, n)	((void)(p))
#define mem_is_poisoned(p)	((void)(p), 0)
#define MM_NO_ASAN
#endif

#endif
