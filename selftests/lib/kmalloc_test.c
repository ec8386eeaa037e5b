// SPDX-License-Identifier: MIT
/* The allocators of RAM and of objects: contents, overlap, merging, limits, leaks, threads. */
#include "unit.h"

#include <string.h>
#include <sys/mman.h>

#include "base/random.h"
#include "mm/page.h"
#include "south/fake/fake.h"

#define RAM_SIZE	(64ull << 20)

static void ram_reset(u64 size)
{
	static void *ram;

	if (!ram)
		ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	madvise(ram, RAM_SIZE, MADV_DONTNEED);
	mem_unpoison(ram, RAM_SIZE);
	kmalloc_init();
	ram_init(ram, size);
}

static bool all_bytes(const u8 *p, u8 c, size_t n)
{
	return !n || (p[0] == c && !memcmp(p, p + 1, n - 1));
}

static size_t random_size(void)
{
	switch (random_below(8)) {
	case 0:
		return random_below(3 * PAGE_SIZE);
	case 1:
		return random_below(64 << 10);
	default:
		return random_below(2100);
	}
}

/* 10^5 steps; every object keeps its own byte all over until it is freed. */
static void objects_keep_their_bytes(void)
{
	enum { N = 3000 };
	static struct { u8 *p; size_t n; u8 c; } obj[N];
	u64 used;
	u32 i, step, bad = 0;

	ram_reset(RAM_SIZE);
	memset(obj, 0, sizeof(obj));
	for (step = 0; step < 100000; step++) {
		i = (u32)random_below(N);
		if (obj[i].p) {
			bad += !all_bytes(obj[i].p, obj[i].c, obj[i].n);
			if (random_below(4) == 0) {
				size_t n = random_size(), same = min(n, obj[i].n);
				u8 *p = krealloc(obj[i].p, obj[i].n, n);

				if (!p)
					continue;
				bad += !all_bytes(p, obj[i].c, same);
				memset(p, obj[i].c, n);
				obj[i].p = p;
				obj[i].n = n;
				continue;
			}
			kfree(obj[i].p);
			obj[i].p = NULL;
			continue;
		}
		obj[i].n = random_size();
		obj[i].c = (u8)step;
		obj[i].p = kmalloc(obj[i].n);
		bad += !obj[i].p || ((uintptr_t)obj[i].p & 15);
		if (obj[i].p) {
			bad += ksize(obj[i].p) < obj[i].n;
			memset(obj[i].p, obj[i].c, obj[i].n);
		}
	}
	EXPECT_EQ(bad, 0);
	for (i = 0; i < N; i++)
		kfree(obj[i].p);
	EXPECT_EQ(kmalloc_live(), 0);
	/* One spare slab a class, and what the array of struct page takes. */
	used = ram_used();
	EXPECT(used < 13 * PAGE_SIZE + RAM_SIZE / 200);
}

static void sizes_and_bounds(void)
{
	void *p;
	size_t n;

	ram_reset(RAM_SIZE);
	for (n = 0; n <= 4096; n++) {
		p = kzalloc(n);
		EXPECT(p && ksize(p) >= n && ksize(p) <= 2 * n + 16 + (n > 2048 ? PAGE_SIZE : 0));
		EXPECT(!p || all_bytes(p, 0, n));
		if (p)
			memset(p, 0xff, n);
		kfree(p);
	}
	p = kmalloc(KMALLOC_MAX);
	EXPECT(p);
	kfree(p);
	EXPECT(!kmalloc(KMALLOC_MAX + 1));
	EXPECT(!kmalloc(SIZE_MAX));
	EXPECT(!kcalloc(SIZE_MAX / 2, 3));
	EXPECT(!page_alloc(PAGE_BLOCK_PAGES + 1));
	EXPECT(!page_alloc(0));
	kfree(NULL);
	p = kstrndup("abcdef", 3);
	EXPECT(p && !strcmp(p, "abc"));
	kfree(p);
	EXPECT_EQ(kmalloc_live(), 0);
}

/* Page extents of all sizes: zeroed, disjoint, and afterwards the largest extents can be had again. */
static void pages_zeroed_and_merged(void)
{
	enum { N = 200 };
	static struct { u8 *p; size_t n; } ext[N];
	u32 i, step, whole = 0, bad = 0, had;
	void *big[16];

	ram_reset(RAM_SIZE);
	memset(ext, 0, sizeof(ext));
	for (step = 0; step < 20000; step++) {
		i = (u32)random_below(N);
		if (ext[i].p) {
			bad += !all_bytes(ext[i].p, (u8)i, ext[i].n * PAGE_SIZE);
			/* Give back a piece of it first, now and then. */
			if (ext[i].n > 1 && random_below(2)) {
				size_t cut = 1 + random_below(ext[i].n - 1);

				page_free(ext[i].p + cut * PAGE_SIZE, ext[i].n - cut);
				ext[i].n = cut;
				continue;
			}
			page_free(ext[i].p, ext[i].n);
			ext[i].p = NULL;
			continue;
		}
		ext[i].n = 1 + random_below(random_below(10) ? 8 : 300);
		ext[i].p = page_alloc(ext[i].n);
		if (!ext[i].p)
			continue;
		bad += !all_bytes(ext[i].p, 0, ext[i].n * PAGE_SIZE);
		memset(ext[i].p, (int)i, ext[i].n * PAGE_SIZE);
	}
	EXPECT_EQ(bad, 0);
	for (i = 0; i < N; i++)
		if (ext[i].p)
			page_free(ext[i].p, ext[i].n);
	had = (u32)(ram_used() >> PAGE_SHIFT);
	EXPECT(had <= RAM_SIZE / PAGE_SIZE * sizeof(struct page) / PAGE_SIZE + 16);
	for (i = 0; i < 16; i++) {
		big[i] = page_alloc(PAGE_BLOCK_PAGES);
		whole += big[i] && all_bytes(big[i], 0, PAGE_BLOCK_PAGES * PAGE_SIZE);
	}
	/* The first block holds the array of struct page. */
	EXPECT_EQ(whole, 15);
	for (i = 0; i < 16; i++)
		if (big[i])
			page_free(big[i], PAGE_BLOCK_PAGES);
}

static void limit_holds(void)
{
	u64 small = 8ull << 20;
	static void *p[4096];
	u32 n = 0;

	ram_reset(small);
	EXPECT_EQ(ram_total(), small);
	while (n < ARRAY_SIZE(p) && (p[n] = page_alloc(1)))
		n++;
	EXPECT(n > 2000 && n < 2048);
	EXPECT(!kmalloc(16) || n < 2048);
	EXPECT(!ram_charge(1));
	while (n)
		page_free(p[--n], 1);
	EXPECT(ram_charge(1900));
	EXPECT(!ram_charge(100));
	EXPECT(!page_alloc(300));
	p[0] = page_alloc(64);	/* the library kernel's reserve */
	EXPECT(p[0]);
	page_free(p[0], 64);
	ram_uncharge(1900);
	EXPECT(!ram_charge(~0ull));
	EXPECT(ram_charge(1900));
	ram_uncharge(1900);
	EXPECT(ram_used() < 1 << 20);
}

static void pins_keep_pages(void)
{
	u8 *p;
	struct page *pg;
	u64 used;

	ram_reset(RAM_SIZE);
	p = page_alloc(4);
	pg = page_of(p);
	used = ram_used();
	page_pin(pg);
	page_pin(pg);
	page_pin(pg + 1);
	page_drop(pg);
	page_drop(pg + 2);
	EXPECT_EQ(used - ram_used(), PAGE_SIZE);
	p[5] = 1;
	page_unpin(pg);
	p[6] = 1;
	page_unpin(pg + 1);
	EXPECT_EQ(used - ram_used(), PAGE_SIZE);
	page_unpin(pg);
	EXPECT_EQ(used - ram_used(), 2 * PAGE_SIZE);
	page_drop(pg + 1);
	page_drop(pg + 3);
	EXPECT_EQ(used - ram_used(), 4 * PAGE_SIZE);
}

static void thread_steps(void *arg)
{
	enum { N = 300 };
	struct { u8 *p; size_t n; } obj[N];
	u32 *bad = arg;
	u32 i, step, wrong = 0;
	u8 mine = (u8)(uintptr_t)current;

	memset(obj, 0, sizeof(obj));
	for (step = 0; step < 30000; step++) {
		i = (u32)random_below(N);
		if (obj[i].p) {
			wrong += !all_bytes(obj[i].p, mine, obj[i].n);
			kfree(obj[i].p);
			obj[i].p = NULL;
			continue;
		}
		obj[i].n = random_size();
		obj[i].p = kmalloc(obj[i].n);
		if (obj[i].p)
			memset(obj[i].p, mine, obj[i].n);
	}
	for (i = 0; i < N; i++)
		kfree(obj[i].p);
	__atomic_add_fetch(bad, wrong, __ATOMIC_RELAXED);
}

static void threads_do_not_disturb(void)
{
	static struct task *t[4];	/* reachable: the fake South frees no task */
	u32 i, bad = 0;

	ram_reset(RAM_SIZE);
	for (i = 0; i < 4; i++) {
		t[i] = fake_task(NULL);
		fake_run(t[i], thread_steps, &bad);
	}
	for (i = 0; i < 4; i++)
		fake_join(t[i]);
	EXPECT_EQ(bad, 0);
	EXPECT_EQ(kmalloc_live(), 0);
}

static void freed_memory_goes_back_to_the_host(void)
{
	static u8 vec[RAM_SIZE / PAGE_SIZE];
	static void *p[8];
	u32 i, resident = 0;

	ram_reset(RAM_SIZE);
	for (i = 0; i < 8; i++) {
		p[i] = page_alloc(PAGE_BLOCK_PAGES);
		memset(p[i], 1, PAGE_BLOCK_PAGES * PAGE_SIZE);
	}
	for (i = 0; i < 8; i++)
		page_free(p[i], PAGE_BLOCK_PAGES);
	EXPECT(!mincore(ram_address(0), RAM_SIZE, vec));
	for (i = 0; i < ARRAY_SIZE(vec); i++)
		resident += vec[i] & 1;
	EXPECT(resident <= 2100);
	ram_trim();
	EXPECT(!mincore(ram_address(0), RAM_SIZE, vec));
	for (resident = i = 0; i < ARRAY_SIZE(vec); i++)
		resident += vec[i] & 1;
	EXPECT(resident < 64);
}

int main(void)
{
	fake_boot();
	RUN(objects_keep_their_bytes);
	RUN(sizes_and_bounds);
	RUN(pages_zeroed_and_merged);
	RUN(limit_holds);
	RUN(pins_keep_pages);
	RUN(threads_do_not_disturb);
	RUN(freed_memory_goes_back_to_the_host);
	return unit_done();
}
