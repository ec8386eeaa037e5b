// SPDX-License-Identifier: MIT
/*
 * The system calls of memory with arguments that nobody would pass in good faith: each answers, the books stay in order, and
 * nothing is left over at the end. Random, 3 * 10^5 calls; the sanitizers look for what the calls should not do.
 */
#include "unit.h"

#include "fake_pager.h"
#include "mm/maps.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/fork.h"
#include "south/fake/fake.h"

static struct pagecache *pc;
static struct file *file;
static struct cred cred;

static struct vm_object *test_mmap(struct file *f __unused, bool shared_write __unused) { return pagecache_object(pc); }
static const struct file_ops test_ops = { .mmap = test_mmap };

/* A range's start: in the window most of the time, else at or across some edge. */
static u64 any_addr(void)
{
	static const u64 edges[] = {
		0, 0x10000, 0x400000, 1ull << 31, 1ull << 32, MM_LEN_END, MM_END, LBX_PROGRAM_END, LBX_KERNEL_MIN,
		LBX_KERNEL_END, 0x7ffffffff000, 1ull << 47, 1ull << 63, ~0ull & PAGE_MASK, ~0ull,
	};

	if (random_below(4))
		return BASE + random_below(PAGES) * PAGE_SIZE + (random_below(16) ? 0 : random_below(PAGE_SIZE));
	return edges[random_below(ARRAY_SIZE(edges))] + (random_below(3) - 1) * PAGE_SIZE;
}

static u64 any_len(void)
{
	static const u64 edges[] = {
		0, 1, PAGE_SIZE - 1, 1ull << 30, 1ull << 40, MM_LEN_END - PAGE_SIZE, MM_LEN_END, MM_END, 1ull << 47, 1ull << 63,
		~0ull & PAGE_MASK, ~0ull,
	};

	return random_below(5) ? (1 + random_below(40)) * PAGE_SIZE : edges[random_below(ARRAY_SIZE(edges))];
}

/* Where a call reads or writes its own data: memory of ours, or none. Never somebody else's in this process. */
static u64 any_pointer(void)
{
	static u64 data[1024];
	static const u64 none[] = { 0, 8, BASE, 1ull << 63, ~0ull, ~0ull << 12 };

	return random_below(2) ? (u64)(uintptr_t)data : none[random_below(ARRAY_SIZE(none))];
}

static u64 any_number(void)
{
	static const u64 odd[] = { ~0ull, 1ull << 31, 1ull << 32, 1ull << 63, 0x7fffffff, 4096, 1024, 1025 };

	return random_below(3) ? random_below(32) : odd[random_below(ARRAY_SIZE(odd))];
}

static u64 argument(char kind)
{
	switch (kind) {
	case 'a':
		return any_addr();
	case 'l':
		return any_len();
	case 'p':
		return any_pointer();
	case 'f':	/* mmap's flags */
		return (random_below(4)) | (random_below(2) ? MAP_ANONYMOUS : 0) | (random_below(2) ? MAP_FIXED : 0) |
		       (random_below(6) ? 0 : random_u64() & 0x1fff00);
	case 'r':
		return random_below(8);
	case 's':	/* a length whose answer has room */
		return random_below(4000) * PAGE_SIZE;
	case 'm':
		return random_below(64);
	case 'n':	/* how many of something at a pointer: no more than is there */
		return random_below(8) ? random_below(64) : ~0ull;
	case 'o':
		return random_below(2) ? 0 : random_below(64) * PAGE_SIZE + (random_below(8) ? 0 : 1);
	default:
		return any_number();
	}
}

static const struct {
	syscall_fn fn;
	const char *args;
} calls[] = {
	{ sys_mmap, "alrfxo" }, { sys_mmap, "alrfxo" }, { sys_mmap, "alrfxo" }, { sys_munmap, "al" }, { sys_mprotect, "alr" },
	{ sys_mprotect, "alx" }, { sys_brk, "a" }, { sys_mremap, "allra" }, { sys_mremap, "allra" }, { sys_msync, "alr" },
	{ sys_mincore, "asp" }, { sys_madvise, "alx" }, { sys_madvise, "alr" }, { sys_shmget, "xlx" }, { sys_shmat, "xax" },
	{ sys_shmctl, "xxp" }, { sys_shmdt, "a" }, { sys_mlock, "al" }, { sys_munlock, "al" }, { sys_mlockall, "r" },
	{ sys_munlockall, "" }, { sys_remap_file_pages, "alxrx" }, { sys_mbind, "alxpnx" }, { sys_set_mempolicy, "xpn" },
	{ sys_get_mempolicy, "ppnax" }, { sys_migrate_pages, "xnpp" }, { sys_move_pages, "xmpppx" },
	{ sys_process_vm_readv, "xpnpnx" }, { sys_process_vm_writev, "xpnpnx" }, { sys_membarrier, "xxx" },
	{ sys_mlock2, "alx" }, { sys_pkey_mprotect, "alrx" }, { sys_pkey_alloc, "xx" }, { sys_pkey_free, "x" },
};

static void any_call_answers(void)
{
	u32 step;

	for (step = 0; step < 300000 && !unit_bad; step++) {
		u32 i = (u32)random_below(ARRAY_SIZE(calls));
		u64 a[6] = { 0 };

		for (u32 k = 0; calls[i].args[k]; k++)
			a[k] = argument(calls[i].args[k]);
		/* MADV_POPULATE_* touches what is mapped, which here is only in the books */
		if (calls[i].fn == sys_madvise && (a[2] == 22 || a[2] == 23))
			continue;
		calls[i].fn(a);
		if (random_below(256) == 0) {
			a[0] = BASE;
			a[1] = PAGES * PAGE_SIZE;
			sys_munlockall(a);
			sys_munmap(a);
		}
		if (random_below(512) == 0)
			pagecache_truncate(pc, (pos_t)(random_below(64) * PAGE_SIZE));
		if (random_below(8) == 0) {
			u32 val = 1;

			program_access(BASE + random_below(PAGES) * PAGE_SIZE, random_below(2), &val);
		}
		failing_books = true;	/* refused half way, pieces stay cut */
		if (step % 1024 == 0)
			check_books(current->mm);
	}
	EXPECT_EQ(pager_bad, 0);
	EXPECT_EQ(step, 300000);
}

/* Segments stay until they are removed, as natively. */
static void remove_segments(void)
{
	static u64 ds[32];

	for (u64 i = 0; i < 4096; i++) {
		u64 rm[3] = { i, 15, (u64)(uintptr_t)ds };	/* SHM_STAT_ANY: by place, answers the id */
		long id = sys_shmctl(rm);

		if (id >= 0) {
			rm[0] = (u64)id;
			rm[1] = 0;
			EXPECT_EQ(sys_shmctl(rm), 0);
		}
	}
}

static void nothing_is_left(void)
{
	mm_clear(current->mm);
	EXPECT_EQ(current->mm->nr_vmas, 0);
	EXPECT_EQ(current->mm->charged, 0);
	mm_put(current->mm);
	current->mm = NULL;
	remove_segments();
	pagecache_put(pc);
	EXPECT_EQ(ref_read(&file->ref), 5);
	/* what is left is the array of struct page, 16 bytes a page that was ever used, and the table of segments */
	printf("# %llu KiB of RAM, %ld objects left\n", (unsigned long long)ram_used() >> 10, fake_allocs);
	EXPECT(ram_used() <= ram_total() / 256 + (64 << 10));
	EXPECT(fake_allocs <= 12);
}

int main(void)
{
	fake_boot();
	cred.cap_effective = CAP_CONTAINER;
	current->cred = &cred;
	current->mm = mm_create();
	current->mm->mmap_base = BASE + PAGES * PAGE_SIZE;
	pc = pagecache_create();
	current->files = files_alloc();
	file = file_alloc(&test_ops, O_RDWR, FMODE_READ | FMODE_WRITE, NULL);
	for (int i = 0; i < 4; i++) {
		file_get(file);
		EXPECT_EQ(fd_add(file, 0), i);
	}
	pagecache_set_size(pc, 20 * PAGE_SIZE);
	RUN(any_call_answers);
	RUN(nothing_is_left);
	return unit_done();
}
