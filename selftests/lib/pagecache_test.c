// SPDX-License-Identifier: MIT
/* The page cache against a plain array of bytes, and against threads. */
#include "unit.h"

#include <string.h>

#include "base/random.h"
#include "mm/page.h"
#include "mm/pagecache.h"
#include "south/fake/fake.h"

#define FILE_MAX	(3u << 20)

static u8 oracle[FILE_MAX], buf[FILE_MAX];

static ssize_t cache_write(struct pagecache *pc, const void *p, size_t n, pos_t pos)
{
	struct iov iov;
	struct uio uio;

	uio_init_kernel(&uio, &iov, (void *)p, n);
	return pagecache_write(pc, &uio, pos, n);
}

static ssize_t cache_read(struct pagecache *pc, void *p, size_t n, pos_t pos)
{
	struct iov iov;
	struct uio uio;

	uio_init_kernel(&uio, &iov, p, n);
	return pagecache_read(pc, &uio, pos, n);
}

static size_t random_len(void)
{
	switch (random_below(4)) {
	case 0:
		return 1 + random_below(100);
	case 1:
		return PAGE_SIZE * (1 + random_below(4));
	case 2:
		return 1 + random_below(20000);
	default:
		return 1 + random_below(300000);
	}
}

static pos_t random_pos(void)
{
	pos_t pos = (pos_t)random_below(FILE_MAX);

	return random_below(2) ? pos & (pos_t)PAGE_MASK : pos;
}

/* What seek says is a hole reads as zeros, and both agree with each other. */
static u32 check_holes(struct pagecache *pc, pos_t limit)
{
	pos_t pos = 0;
	u32 bad = 0;

	while (pos < limit) {
		pos_t data = pagecache_seek_data(pc, pos, limit), hole;

		for (pos_t i = pos; i < data; i++)
			bad += oracle[i] != 0;
		if (data == limit)
			break;
		hole = pagecache_seek_hole(pc, data, limit);
		bad += hole <= data;
		pos = hole;
	}
	return bad;
}

static void same_as_an_array(void)
{
	struct pagecache *pc = pagecache_create();
	u64 used = ram_used();
	pos_t size = 0;
	u32 step, bad = 0;

	memset(oracle, 0, sizeof(oracle));
	for (step = 0; step < 20000 && !bad; step++) {
		pos_t pos = random_pos();
		size_t n = min_t(size_t, random_len(), FILE_MAX - (size_t)pos);

		switch (random_below(10)) {
		case 0:
		case 1:
		case 2:
			if (random_below(3) == 0) {	/* append */
				pos = size;
				n = min_t(size_t, n, FILE_MAX - (size_t)size);
			}
			random_bytes(buf, min_t(size_t, n, 4096));
			for (size_t i = 4096; i < n; i++)
				buf[i] = (u8)(i ^ step);
			bad += cache_write(pc, buf, n, pos) != (ssize_t)n;
			memcpy(oracle + pos, buf, n);
			if (pos + (pos_t)n > size) {
				size = pos + (pos_t)n;
				pagecache_set_size(pc, size);
			}
			break;
		case 3:
			size = random_below(3) ? pos : 0;
			pagecache_truncate(pc, size);
			memset(oracle + size, 0, FILE_MAX - (size_t)size);
			break;
		case 4:
			if (pos > size) {
				size = pos;
				pagecache_set_size(pc, size);
			}
			break;
		case 5:
			pagecache_punch(pc, pos, (pos_t)n);
			memset(oracle + pos, 0, n);
			break;
		case 6:
			bad += pagecache_fill(pc, pos, (pos_t)n) != 0;
			bad += pagecache_holes(pc, (u64)pos / PAGE_SIZE, (((u64)pos + n - 1) / PAGE_SIZE) - (u64)pos / PAGE_SIZE + 1) != 0;
			break;
		case 7:
			bad += check_holes(pc, size);
			pagecache_trim(pc);
			break;
		default:
			memset(buf, 0xaa, n);
			bad += cache_read(pc, buf, n, pos) != (ssize_t)n;
			bad += memcmp(buf, oracle + pos, n) != 0;
			break;
		}
		bad += pagecache_pages(pc) > FILE_MAX / PAGE_SIZE;
	}
	EXPECT_EQ(bad, 0);
	pagecache_put(pc);
	/* what remains is the array of struct page: the allocator did not wander through all of RAM for these few MiB */
	EXPECT(ram_used() - used <= 4 * 4 * PAGE_SIZE);
}

/* A file written in small pieces lies in few extents, also when others grow beside it. */
static void growing_files_are_contiguous(void)
{
	struct pagecache *a = pagecache_create(), *b = pagecache_create();
	u64 runs = 0, pgoff = 0, hole;
	void *mem;

	memset(buf, 1, 4096);
	for (pos_t pos = 0; pos < 16 << 20; pos += 4096) {
		EXPECT_EQ(cache_write(a, buf, 4096, pos), 4096);
		EXPECT_EQ(cache_write(b, buf, 4096, pos), 4096);
	}
	while (pgoff < 4096) {
		u64 nr = pagecache_run(a, pgoff, 4096 - pgoff, &mem, &hole);

		if (!nr)
			break;
		pgoff += nr;
		runs++;
	}
	EXPECT_EQ(pgoff, 4096);
	EXPECT(runs <= 40);
	printf("# 16 MiB in %llu runs\n", (unsigned long long)runs);
	pagecache_put(a);
	pagecache_put(b);
}

static void one_page_file_costs_one_page(void)
{
	u64 used = ram_used();
	struct pagecache *pc = pagecache_create();

	cache_write(pc, "x", 1, 0);
	EXPECT_EQ(pagecache_pages(pc), 1);
	EXPECT(ram_used() - used <= 2 * PAGE_SIZE);
	pagecache_put(pc);
}

static void faulting_source_is_short(void)
{
	struct pagecache *pc = pagecache_create();
	struct iov iov[2] = { { (u64)(uintptr_t)buf, 100 }, { 16, 100 } };
	struct uio uio = { .iov = iov, .nr = 2, .user = true, .left = 200 };
	u8 c = 1;

	memset(buf, 7, 100);
	EXPECT_EQ(pagecache_write(pc, &uio, 10, 200), 100);
	EXPECT_EQ(cache_read(pc, &c, 1, 110), 1);
	EXPECT_EQ(c, 0);
	uio = (struct uio){ .iov = iov + 1, .nr = 1, .user = true, .left = 100 };
	iov[1] = (struct iov){ 16, 100 };
	EXPECT_EQ(pagecache_write(pc, &uio, 10, 100), -EFAULT);
	iov[1] = (struct iov){ 16, 100 };
	uio = (struct uio){ .iov = iov + 1, .nr = 1, .user = true, .left = 100 };
	EXPECT_EQ(pagecache_read(pc, &uio, 10, 100), -EFAULT);
	EXPECT_EQ(cache_read(pc, &c, 1, 50), 1);
	EXPECT_EQ(c, 7);
	pagecache_put(pc);
}

static void full_memory_is_enospc(void)
{
	struct pagecache *pc = pagecache_create();
	u64 take = (ram_total() - ram_used()) / PAGE_SIZE - 100, used = ram_used();

	/* the rest belongs to the programs, but for the library kernel's reserve */
	EXPECT(!ram_charge(take));
	take -= ram_total() / PAGE_SIZE / 64;
	EXPECT(ram_charge(take));
	EXPECT_EQ(pagecache_fill(pc, 0, 1 << 30), -ENOSPC);
	EXPECT_EQ(pagecache_pages(pc), 0);
	EXPECT_EQ(pagecache_fill(pc, 0, 1 << 20), 0);
	ram_uncharge(take);
	pagecache_put(pc);
	EXPECT_EQ(ram_used(), used);
}

/* Blocks of 512 bytes that each hold one byte value (their writer's): no read may see a mixture of memory that was freed. */
static struct pagecache *shared_pc;
static u32 thread_bad;

static void thread_steps(void *arg)
{
	u8 mine[8192], got[8192];
	u32 step, bad = 0;

	memset(mine, (int)(uintptr_t)arg, sizeof(mine));
	for (step = 0; step < 8000; step++) {
		pos_t pos = (pos_t)(random_below(512) * 512);
		size_t n = 512 * (1 + random_below(16));

		switch (random_below(16)) {
		case 0:
			pagecache_truncate(shared_pc, pos);
			break;
		case 1:
			pagecache_punch(shared_pc, pos, (pos_t)n);
			break;
		case 2:
		case 3:
		case 4:
		case 5:
		case 6:
			bad += cache_write(shared_pc, mine, n, pos) != (ssize_t)n;
			break;
		default:
			bad += cache_read(shared_pc, got, n, pos) != (ssize_t)n;
			for (size_t i = 0; i < n; i++)
				bad += got[i] > 4;
			break;
		}
	}
	__atomic_add_fetch(&thread_bad, bad, __ATOMIC_RELAXED);
}

static void threads_see_no_foreign_bytes(void)
{
	static struct task *t[4];
	u64 used = ram_used();

	shared_pc = pagecache_create();
	for (u64 i = 0; i < 4; i++) {
		t[i] = fake_task(NULL);
		fake_run(t[i], thread_steps, (void *)(i + 1));
	}
	for (u32 i = 0; i < 4; i++)
		fake_join(t[i]);
	EXPECT_EQ(thread_bad, 0);
	pagecache_put(shared_pc);
	EXPECT_EQ(ram_used(), used);
}

int main(void)
{
	fake_boot();
	RUN(same_as_an_array);
	RUN(growing_files_are_contiguous);
	RUN(one_page_file_costs_one_page);
	RUN(faulting_source_is_short);
	RUN(full_memory_is_enospc);
	RUN(threads_see_no_foreign_bytes);
	return unit_done();
}
