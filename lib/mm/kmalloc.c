/* SPDX-License-Identifier: MIT */
/*
 * The library kernel's objects: slabs of one page per size class, larger ones are pages.
 *
 * A slab's state is in its struct page. Free objects are chained through their first two bytes, as 16-byte steps in the page;
 * objects never handed out yet are not chained, so a new slab costs nothing. Each class has a list of the slabs with room; one
 * that is empty stays as the class's spare, further ones are freed.
 *
 * Debug builds (LBX_DEBUG_MM) fill freed objects with 0x6b, find writes to them when they are handed out again, and find double
 * frees; under AddressSanitizer free objects are poisoned instead.
 */
#include "base/errno.h"
#include "base/printf.h"
#include "base/string.h"
#include "mm/page.h"

#define KMALLOC_SMALL	2048u
#define POISON		0x6b

struct kmalloc_class {
	struct spinlock lock;
	u16 size;
	u16 max;		/* objects in a slab */
	struct page *slabs;	/* with room; the first is allocated from. Linked by page numbers */
	u64 live;		/* objects handed out */
} __aligned(64);

#define CLASS(bytes)	{ .size = bytes, .max = PAGE_SIZE / (bytes) }
static struct kmalloc_class classes[] = {
	CLASS(16), CLASS(32), CLASS(48), CLASS(64), CLASS(96), CLASS(128), CLASS(192), CLASS(256),
	CLASS(384), CLASS(512), CLASS(768), CLASS(1024), CLASS(2048),
};

/* The class of (size + 15) / 16. */
#define X4(n)	n, n, n, n
#define X16(n)	X4(n), X4(n), X4(n), X4(n)
static const u8 class_of[KMALLOC_SMALL / 16 + 1] = {
	0, 0, 1, 2, 3, 4, 4, 5, 5, X4(6), X4(7), X4(8), X4(8), X4(9), X4(9), X16(10), X16(11), X16(12), X16(12), X16(12), X16(12),
};

static u64 large_live;

#ifdef LBX_DEBUG_MM
static __noreturn void corrupt(const char *what, const void *p)
{
	kprint("kmalloc: %s at %p\n", what, p);
	__builtin_trap();
}

static void debug_free(struct kmalloc_class *c, struct page *pg, u8 *p)
{
	u8 *base = page_memory(pg);
	u16 at, n;

	if ((p - base) % c->size)
		corrupt("free of no object", p);
	for (at = pg->free, n = 0; at && n < c->max; n++) {
		u8 *obj = base + (at - 1) * 16;

		if (obj == p)
			corrupt("double free", p);
		at = *(u16 *)(void *)obj;
	}
	memset(p + 2, POISON, c->size - 2u);
}

static void debug_alloc(struct kmalloc_class *c, const u8 *p)
{
	u32 i;

	for (i = 2; i < c->size; i++)
		if (p[i] != POISON)
			corrupt("write after free", p + i);
}
#else
static inline void debug_free(struct kmalloc_class *c, struct page *pg, u8 *p) { }
static inline void debug_alloc(struct kmalloc_class *c, const u8 *p) { }
#endif

static struct page *slab_next(const struct page *pg)
{
	return pg->next ? page_of(ram_address((u64)pg->next << PAGE_SHIFT)) : NULL;
}

static u32 slab_nr(const struct page *pg) { return (u32)(ram_offset(page_memory(pg)) >> PAGE_SHIFT); }

static void slab_add(struct kmalloc_class *c, struct page *pg)
{
	pg->prev = 0;
	pg->next = c->slabs ? slab_nr(c->slabs) : 0;
	if (c->slabs)
		c->slabs->prev = slab_nr(pg);
	c->slabs = pg;
}

static void slab_del(struct kmalloc_class *c, struct page *pg)
{
	struct page *next = slab_next(pg);

	if (next)
		next->prev = pg->prev;
	if (pg == c->slabs)
		c->slabs = next;
	else
		page_of(ram_address((u64)pg->prev << PAGE_SHIFT))->next = pg->next;
	pg->next = pg->prev = 0;
}

static struct page *slab_create(u32 class)
{
	void *p = page_alloc_dirty(1);
	struct page *pg;

	if (!p)
		return NULL;
	pg = page_of(p);
	pg->free = pg->fresh = pg->inuse = 0;
	pg->order = (u8)class;
	pg->state = PAGE_SLAB;
	mem_poison(p, PAGE_SIZE);
	return pg;
}

static void slab_destroy(struct page *pg)
{
	memset(pg, 0, sizeof(*pg));
	page_free(page_memory(pg), 1);
}

static void *large_alloc(size_t size)
{
	size_t nr = (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct page *pg;
	void *p;

	if (size > KMALLOC_MAX)
		return NULL;
	p = page_alloc_dirty(nr);
	if (!p)
		return NULL;
	pg = page_of(p);
	pg->next = (u32)nr;
	pg->state = PAGE_LARGE;
	atomic_add(&large_live, 1);
	return p;
}

MM_NO_ASAN void *kmalloc(size_t size)
{
	struct kmalloc_class *c;
	struct page *pg;
	u8 *p;
	u32 class;

	if (unlikely(size > KMALLOC_SMALL))
		return large_alloc(size);
	class = class_of[(size + 15) >> 4];
	c = &classes[class];
	spin_lock(&c->lock);
	pg = c->slabs;
	if (unlikely(!pg)) {
		spin_unlock(&c->lock);
		pg = slab_create(class);
		if (!pg)
			return NULL;
		spin_lock(&c->lock);
		slab_add(c, pg);
	}
	p = page_memory(pg);
	if (likely(pg->free)) {
		p += (pg->free - 1) * 16;
		pg->free = *(u16 *)(void *)p;
		debug_alloc(c, p);
	} else {
		p += pg->fresh;
		pg->fresh += c->size;
	}
	if (unlikely(++pg->inuse == c->max))
		slab_del(c, pg);
	c->live++;
	spin_unlock(&c->lock);
	mem_unpoison(p, size ? size : 1);
	return p;
}

MM_NO_ASAN void kfree(const void *ptr)
{
	u8 *p = (u8 *)(uintptr_t)ptr;
	struct kmalloc_class *c;
	struct page *pg;

	if (!p)
		return;
	pg = page_of(p);
	if (unlikely(pg->state != PAGE_SLAB)) {
		u32 nr = pg->next;

		/* hosted, a program can write here: what is lost is better lost than the sandbox */
		if (pg->state != PAGE_LARGE) {
			kprint("kfree: %p is no object", ptr);
			return;
		}
		memset(pg, 0, sizeof(*pg));
		atomic_sub(&large_live, 1);
		page_free(p, nr);
		return;
	}
	c = &classes[pg->order];
	if (mem_is_poisoned(p)) {
		kprint("kfree: %p is free already", ptr);
		return;
	}
	spin_lock(&c->lock);
	debug_free(c, pg, p);
	*(u16 *)(void *)p = pg->free;
	mem_poison(p, c->size);
	pg->free = (u16)((((uintptr_t)p & (PAGE_SIZE - 1)) >> 4) + 1);
	if (unlikely(pg->inuse-- == c->max))
		slab_add(c, pg);
	c->live--;
	/* An empty slab goes, unless it is the only one with room. */
	if (unlikely(!pg->inuse) && (pg->next || pg != c->slabs))
		slab_del(c, pg);
	else
		pg = NULL;
	spin_unlock(&c->lock);
	if (unlikely(pg))
		slab_destroy(pg);
}

size_t ksize(const void *p)
{
	const struct page *pg = page_of(p);

	return pg->state == PAGE_SLAB ? classes[pg->order].size : (size_t)pg->next << PAGE_SHIFT;
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void *kcalloc(size_t n, size_t size)
{
	size_t total;

	if (__builtin_mul_overflow(n, size, &total))
		return NULL;
	return kzalloc(total);
}

void *krealloc(void *p, size_t old_size, size_t size)
{
	void *n;

	if (p && size <= ksize(p) && size >= ksize(p) / 2) {
		mem_unpoison(p, size ? size : 1);
		return p;
	}
	n = kmalloc(size);
	if (!n)
		return NULL;
	if (p) {
		memcpy(n, p, min(old_size, size));
		kfree(p);
	}
	return n;
}

void *kmemdup(const void *p, size_t n)
{
	void *d = kmalloc(n);

	if (d)
		memcpy(d, p, n);
	return d;
}

char *kstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *d = kmalloc(len + 1);

	if (d) {
		memcpy(d, s, len);
		d[len] = 0;
	}
	return d;
}

char *kstrdup(const char *s) { return kstrndup(s, KMALLOC_MAX); }

u64 kmalloc_live(void)
{
	u64 live = load_relaxed(&large_live);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		spin_lock(&classes[i].lock);
		live += classes[i].live;
		spin_unlock(&classes[i].lock);
	}
	return live;
}

void kmalloc_init(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		classes[i].slabs = NULL;
		classes[i].live = 0;
	}
	large_live = 0;
}
