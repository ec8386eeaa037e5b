// SPDX-License-Identifier: MIT
/*
 * Address spaces: what the random walk of vma_test does not reach. Errors and limits call by call, stacks, fork, truncates seen by
 * other address spaces, sparse mappings, System V shared memory, and a walk on which memory and the pager fail.
 */
#include "unit.h"

#include "fake_pager.h"
#include "mm/maps.h"
#include "mm/shm.h"
#include "process/cred.h"
#include "south/fake/fake.h"

#define P(n)		((u64)(n) * PAGE_SIZE)
#define AT(n)		(BASE + P(n))
#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define RW		(PROT_READ | PROT_WRITE)
#define SEGV_MAP	(11 | 1 << 8)
#define SEGV_ACC	(11 | 2 << 8)
#define BUS		(7 | 2 << 8)

static u64 used_before;
static long live_before;
static struct pagecache *pc;
static struct file file;
static struct cred cred = { .euid = 1000, .egid = 1000 };

static struct vm_object *test_mmap(struct file *f __unused, bool shared_write __unused) { return pagecache_object(pc); }
static const struct file_ops test_ops = { .mmap = test_mmap };

static struct mm *fresh_mm(void)
{
	struct mm *mm = mm_create();

	mm->mmap_base = AT(PAGES);
	mm->hole_cache = mm->mmap_base;
	return mm;
}

static void begin(void)
{
	used_before = ram_used();
	live_before = fake_allocs;
	current->mm = fresh_mm();
	pc = pagecache_create();
	file = (struct file){ .ops = &test_ops, .mode = FMODE_READ | FMODE_WRITE };
	ref_init(&file.ref);
	memset(ppages, 0, sizeof(ppages));
	pager_bad = 0;
	for (u32 i = 0; i < RLIM_NLIMITS; i++)
		current->process->rlim[i].cur = RLIM64_INFINITY;
}

static void end(void)
{
	EXPECT_EQ(check_books(current->mm), 0);
	mm_clear(current->mm);
	mm_put(current->mm);
	current->mm = NULL;
	pagecache_put(pc);
	EXPECT_EQ(ref_read(&file.ref), 1);
	EXPECT_EQ(fake_allocs, live_before);
	EXPECT(ram_used() <= used_before + P(8));
	EXPECT_EQ(pager_bad, 0);
}

static void errors_of_mmap(void)
{
	begin();
	EXPECT_EQ(mm_map(0, 0, RW, ANON, NULL, 0, NULL), -EINVAL);
	EXPECT_EQ(mm_map(0, ~0ull, RW, ANON, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(0, MM_LEN_END, RW, ANON, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(AT(0) + 1, P(1), RW, ANON | MAP_FIXED, NULL, 0, NULL), -EINVAL);
	EXPECT_EQ(mm_map(0, P(1), RW, ANON | MAP_FIXED, NULL, 0, NULL), -EPERM);
	EXPECT_EQ(mm_map(MM_END - P(1), P(2), RW, ANON | MAP_FIXED, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(LBX_KERNEL_MIN, P(1), RW, ANON | MAP_FIXED, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(~0xfffull, P(1), RW, ANON | MAP_FIXED, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(AT(0), P(1), RW, MAP_ANONYMOUS, NULL, 0, NULL), -EINVAL);
	EXPECT_EQ(mm_map(AT(0), P(1), RW, MAP_PRIVATE, &file, (u64)INT64_MAX & PAGE_MASK, NULL), -EOVERFLOW);
	EXPECT_EQ(mm_map(AT(0), P(1), RW, MAP_SHARED_VALIDATE | MAP_SYNC, &file, 0, NULL), -EOPNOTSUPP);
	file.mode = FMODE_READ;
	EXPECT_EQ(mm_map(AT(0), P(1), RW, MAP_SHARED, &file, 0, NULL), -EACCES);
	EXPECT_EQ(mm_map(AT(0), P(1), PROT_READ, MAP_SHARED | MAP_FIXED, &file, 0, NULL), (long)AT(0));
	EXPECT_EQ(mm_protect(AT(0), P(1), RW), -EACCES);
	EXPECT_EQ(mm_map(AT(1), P(1), RW, MAP_PRIVATE | MAP_FIXED, &file, 0, NULL), (long)AT(1));
	file.mode = FMODE_WRITE;
	EXPECT_EQ(mm_map(AT(2), P(1), RW, MAP_PRIVATE, &file, 0, NULL), -EACCES);
	EXPECT_EQ(mm_map(AT(1), P(1), RW, ANON | MAP_FIXED_NOREPLACE, NULL, 0, NULL), -EEXIST);
	/* unmap, protect, remap */
	EXPECT_EQ(mm_unmap(AT(0) + 1, P(1)), -EINVAL);
	EXPECT_EQ(mm_unmap(AT(0), 0), -EINVAL);
	EXPECT_EQ(mm_unmap(LBX_KERNEL_MIN, P(1)), -EINVAL);
	EXPECT_EQ(mm_unmap(AT(0), ~0xfffull), -EINVAL);
	EXPECT_EQ(mm_unmap(AT(500), P(1)), 0);
	EXPECT_EQ(mm_protect(AT(500), P(1), 0), -ENOMEM);
	EXPECT_EQ(mm_protect(AT(0), P(1), 0x100), -EINVAL);
	EXPECT_EQ(mm_protect(AT(0) + 1, P(1), 0), -EINVAL);
	EXPECT_EQ(mm_protect(LBX_KERNEL_MIN, P(1), RW), -ENOMEM);
	EXPECT_EQ(mm_protect(AT(0), ~0ull, RW), -ENOMEM);
	EXPECT_EQ(mm_protect(AT(0), P(1), RW | PROT_GROWSDOWN), -EINVAL);
	EXPECT_EQ(mm_remap(AT(1), P(1), P(2), 2, AT(5)), -EINVAL);
	EXPECT_EQ(mm_remap(AT(1), P(1), 0, 1, 0), -EINVAL);
	EXPECT_EQ(mm_remap(AT(1), P(1), P(2), 8, 0), -EINVAL);
	EXPECT_EQ(mm_remap(AT(1), P(1), P(1), 3, LBX_KERNEL_MIN), -EINVAL);
	EXPECT_EQ(mm_remap(AT(1), P(1), P(2), 3, MM_END - P(1)), -EINVAL);
	EXPECT_EQ(mm_remap(AT(1), 0, P(1), 1, 0), -EINVAL);
	EXPECT_EQ(mm_remap(AT(1), P(2), P(3), 1, 0), -EFAULT);
	EXPECT_EQ(mm_remap(AT(700), P(1), P(2), 1, 0), -EFAULT);
	EXPECT_EQ(mm_remap(AT(1), P(1), MM_LEN_END, 1, 0), -ENOMEM);
	/* a second mapping of shared memory */
	EXPECT_EQ(mm_remap(AT(0), 0, P(1), 3, AT(9)), (long)AT(9));
	EXPECT_EQ(mm_advise(AT(1) + 1, P(1), 4), -EINVAL);
	EXPECT_EQ(mm_advise(AT(1), P(1), 99), -EINVAL);
	EXPECT_EQ(mm_advise(AT(1), P(1), 100), -EPERM);
	EXPECT_EQ(mm_advise(AT(1), 0, 4), 0);
	EXPECT_EQ(mm_advise(AT(1), P(1), 8), -EINVAL);	/* MADV_FREE of a file */
	EXPECT_EQ(mm_advise(AT(1), P(1), 9), -EACCES);	/* MADV_REMOVE of a private mapping */
	EXPECT_EQ(mm_advise(AT(1), P(20), 4), -ENOMEM);
	end();
}

static void limits_hold(void)
{
	begin();
	current->process->rlim[RLIM_AS].cur = P(100);
	EXPECT(mm_map(0, P(100), RW, ANON, NULL, 0, NULL) > 0);
	EXPECT_EQ(mm_map(0, P(1), PROT_NONE, ANON, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(AT(PAGES - 100), P(100), RW, ANON | MAP_FIXED, NULL, 0, NULL), (long)AT(PAGES - 100));
	current->process->rlim[RLIM_AS].cur = RLIM64_INFINITY;
	current->process->rlim[RLIM_DATA].cur = P(150);
	EXPECT_EQ(mm_map(0, P(60), RW, ANON, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(AT(0), P(60), PROT_READ, ANON | MAP_FIXED, NULL, 0, NULL), (long)AT(0));
	EXPECT_EQ(mm_protect(AT(0), P(60), RW), -ENOMEM);
	EXPECT_EQ(mm_protect(AT(0), P(50), RW), 0);
	current->process->rlim[RLIM_DATA].cur = RLIM64_INFINITY;
	/* the sandbox's RAM: private memory counts once it is writable, and no more after it is gone */
	EXPECT_EQ(mm_map(AT(100), 8ull << 30, RW, ANON | MAP_FIXED_NOREPLACE, NULL, 0, NULL), -EEXIST);
	EXPECT_EQ(mm_map(1ull << 40, 8ull << 30, RW, ANON, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(1ull << 40, 8ull << 30, PROT_NONE, ANON, NULL, 0, NULL), 1ll << 40);
	EXPECT_EQ(mm_protect(1ull << 40, 8ull << 30, RW), -ENOMEM);
	EXPECT_EQ(mm_protect(1ull << 40, 256ull << 20, RW), 0);
	EXPECT_EQ(mm_protect(1ull << 40, 256ull << 20, PROT_NONE), 0);
	EXPECT(ram_used() - used_before >= 256ull << 20);
	EXPECT_EQ(mm_unmap(1ull << 40, 256ull << 20), 0);
	EXPECT(ram_used() - used_before < 2ull << 20);
	/* locked memory */
	current->process->rlim[RLIM_MEMLOCK].cur = P(4);
	EXPECT_EQ(mm_lock_range(AT(0), P(5), MAP_LOCKED), -ENOMEM);
	EXPECT_EQ(mm_lock_range(AT(0), P(4), MAP_LOCKED), 0);
	EXPECT_EQ(mm_lock_range(AT(0), P(4), MAP_LOCKED), 0);
	EXPECT_EQ(mm_map(AT(70), P(1), RW, ANON | MAP_FIXED | MAP_LOCKED, NULL, 0, NULL), -EAGAIN);
	EXPECT_EQ(mm_advise(AT(0), P(1), 4), -EINVAL);
	EXPECT_EQ(mm_sync(AT(0), AT(1), true, false), -EBUSY);
	EXPECT_EQ(mm_lock_range(AT(0), P(1), 0), 0);
	EXPECT_EQ(mm_map(AT(70), P(1), RW, ANON | MAP_FIXED | MAP_LOCKED, NULL, 0, NULL), (long)AT(70));
	EXPECT_EQ(current->mm->locked_pages, 4);
	EXPECT_EQ(mm_lock_all(~0u, 0), 0);
	current->process->rlim[RLIM_MEMLOCK].cur = 0;
	EXPECT_EQ(mm_lock_range(AT(0), P(1), MAP_LOCKED), -EPERM);
	EXPECT_EQ(mm_lock_all(MAP_LOCKED, 0), -EPERM);
	EXPECT_EQ(mm_sync(AT(0), AT(1), false, true), 0);
	EXPECT_EQ(mm_sync(AT(400), AT(401), false, true), -ENOMEM);
	end();
}

static void number_of_mappings_is_bounded(void)
{
	u64 addr = 1ull << 40, n = 0;
	long ret = 0;

	begin();
	for (; n < 70000 && ret >= 0; n++)
		ret = mm_map(addr + n * P(2), P(1), PROT_READ, ANON | MAP_FIXED, NULL, 0, NULL);
	EXPECT_EQ(ret, -ENOMEM);
	EXPECT_EQ(current->mm->nr_vmas, MAX_MAP_COUNT);
	EXPECT_EQ(mm_unmap(addr, P(1)), 0);
	EXPECT_EQ(mm_map(0, P(3), PROT_READ, ANON, NULL, 0, NULL) > 0, 1);
	EXPECT_EQ(mm_unmap(AT(PAGES - 2), P(1)), -ENOMEM);
	EXPECT_EQ(mm_unmap(addr, n * P(2)), 0);
	EXPECT_EQ(current->mm->nr_vmas, 1);
	end();
}

static void stack_grows(void)
{
	u64 top;
	u32 val = 7;
	int code;

	begin();
	current->process->rlim[RLIM_STACK].cur = 1 << 20;
	EXPECT_EQ(mm_map(AT(1000), P(4), RW, ANON | MAP_FIXED | MAP_GROWSDOWN, NULL, 0, NULL), (long)AT(1000));
	EXPECT_EQ(program_access(AT(999), true, &val), 0);
	EXPECT_EQ(program_access(AT(990), false, &val), 0);
	EXPECT_EQ(val, 0);
	EXPECT_EQ(program_access(AT(1004) - (1 << 20), true, &val), 0);
	EXPECT_EQ(program_access(AT(1003) - (1 << 20), true, &val), SEGV_MAP);
	EXPECT_EQ(current->mm->nr_vmas, 1);
	/* nothing is placed, and it does not grow, within the guard */
	EXPECT_EQ(mm_map(AT(400), P(4), RW, ANON | MAP_FIXED, NULL, 0, NULL), (long)AT(400));
	current->process->rlim[RLIM_STACK].cur = 8 << 20;
	EXPECT_EQ(program_access(AT(404 + 256), true, &val), 0);
	EXPECT_EQ(program_access(AT(404 + 255), true, &val), SEGV_MAP);
	EXPECT_EQ(mm_protect(AT(1003), P(1), PROT_READ | PROT_GROWSDOWN), 0);
	EXPECT_EQ(program_access(AT(1000), true, &val), SEGV_ACC);
	EXPECT_EQ(mm_unmap(AT(0), P(PAGES)), 0);
	top = (u64)mm_map_stack(P(3), false);
	EXPECT(top <= MM_END && top > MM_END - STACK_RND_MAX - P(2) && !(top % PAGE_SIZE));
	EXPECT_EQ(mm_fault(top - P(20), true, false, &code), 0);
	EXPECT_EQ(mm_fault(top - (9 << 20), true, false, &code), 11);
	EXPECT_EQ(mm_fault_in(top - P(60), P(30), true), 0);
	EXPECT_EQ(mm_fault_in(top - P(60), P(30), true), -EFAULT);
	end();
}

static void put_word(u64 pgoff, u32 val)
{
	struct iov iov;
	struct uio uio;

	uio_init_kernel(&uio, &iov, &val, 4);
	EXPECT_EQ(pagecache_write(pc, &uio, (pos_t)P(pgoff), 4), 4);
	if (pagecache_size(pc) < (pos_t)P(pgoff + 1))
		pagecache_set_size(pc, (pos_t)P(pgoff + 1));
}

/*
 * Another address space maps the file when it is truncated: its pages are not reused before it let go, a file that grows again
 * takes them back, and afterwards the accesses are as the manual says.
 */
static void others_let_go_first(void)
{
	struct mm *mine, *other;
	struct task *t = current;
	u64 held;
	u32 val = 0;

	begin();
	mine = t->mm;
	other = fresh_mm();
	for (u32 i = 0; i < 16; i++)
		put_word(i, 100 + i);
	t->mm = other;
	EXPECT_EQ(mm_map(AT(0), P(20), RW, MAP_SHARED | MAP_FIXED, &file, 0, NULL), (long)AT(0));
	EXPECT_EQ(program_access(AT(5), false, &val), 0);
	EXPECT_EQ(val, 105);
	EXPECT_EQ(program_access(AT(16), false, &val), BUS);
	t->mm = mine;
	pagecache_trim(pc);
	held = ram_used();
	pagecache_truncate(pc, (pos_t)P(4));
	EXPECT_EQ(ram_used(), held);
	EXPECT_EQ(pagecache_pages(pc), 4);
	EXPECT_EQ(other->work_pending, 1);
	/* still mapped there, and still there */
	EXPECT_EQ(*(u32 *)(void *)ppages[5].ram, 105);
	put_word(6, 206);
	EXPECT_EQ(ppages[6].ram == NULL, 0);
	EXPECT_EQ(*(u32 *)(void *)ppages[6].ram, 206);
	t->mm = other;
	mm_do_work();
	/* page 5 was a hole again, and is no more: mapping faults it in; what is not was freed */
	EXPECT_EQ(ram_used(), held - P(11));
	EXPECT_EQ(program_access(AT(3), false, &val), 0);
	EXPECT_EQ(val, 103);
	EXPECT_EQ(program_access(AT(5), false, &val), 0);
	EXPECT_EQ(val, 0);
	EXPECT_EQ(program_access(AT(6), false, &val), 0);
	EXPECT_EQ(val, 206);
	EXPECT_EQ(program_access(AT(7), false, &val), BUS);
	/* a truncate by itself is at once */
	pagecache_truncate(pc, 0);
	EXPECT_EQ(program_access(AT(0), true, &val), BUS);
	EXPECT_EQ(pagecache_pages(pc), 0);
	EXPECT_EQ(check_books(other), 0);
	mm_clear(other);
	mm_put(other);
	t->mm = mine;
	memset(ppages, 0, sizeof(ppages));
	end();
}

static int no_fork(struct task *t __unused) { return -ENOSYS; }

static void fork_copies_the_books(void)
{
	struct task *t = current;
	struct mm *parent, *child;
	const struct machine_ops *real = machine;
	struct machine_ops ops = *real;
	static struct task forked;
	u64 used;

	begin();
	ops.start_fork = no_fork;
	machine = &ops;
	parent = t->mm;
	put_word(0, 1);
	EXPECT_EQ(mm_map(AT(0), P(10), RW, ANON | MAP_FIXED, NULL, 0, NULL), (long)AT(0));
	EXPECT_EQ(mm_map(AT(10), P(1), RW, MAP_SHARED | MAP_FIXED, &file, 0, NULL), (long)AT(10));
	EXPECT_EQ(mm_map(AT(12), P(2), RW, ANON | MAP_FIXED, NULL, 0, NULL), (long)AT(12));
	EXPECT_EQ(mm_map(AT(16), P(2), RW, ANON | MAP_FIXED | MAP_LOCKED, NULL, 0, NULL), (long)AT(16));
	EXPECT_EQ(mm_advise(AT(2), P(1), 10), 0);	/* DONTFORK */
	EXPECT_EQ(mm_advise(AT(12), P(1), 18), 0);	/* WIPEONFORK */
	EXPECT_EQ(mm_advise(AT(10), P(1), 18), -EINVAL);
	ppages[12] = (struct ppage){ .mapped = true, .prot = 3, .dirty = true, .val = 9 };
	ppages[13] = ppages[12];
	used = ram_used();
	child = mm_clone(parent);
	EXPECT(child);
	EXPECT_EQ(ram_used() - used, P(14));
	EXPECT_EQ(child->locked_pages, 0);
	t->mm = child;
	EXPECT(child->fork_fixup);
	mm_fork_fixup();
	EXPECT(!ppages[2].mapped && ppages[1].mapped && ppages[3].mapped);
	EXPECT(!ppages[12].dirty && ppages[13].dirty);
	EXPECT_EQ(check_books(child), 0);
	/* a third of the books' memory is not there: nothing is left of the attempt */
	t->mm = parent;
	ppages[2] = (struct ppage){ .mapped = true, .prot = 3 };
	EXPECT_EQ(check_books(parent), 0);
	for (int i = 1; i < 12; i++) {
		long live = fake_allocs;
		struct mm *mm;

		used = ram_used();
		fake_fail_alloc = i;
		mm = mm_clone(parent);
		fake_fail_alloc = 0;
		if (mm) {
			mm_put(mm);
			EXPECT(i > 5);
		}
		EXPECT_EQ(ram_used(), used);
		EXPECT_EQ(fake_allocs, live);
	}
	/* another thread unmapped something since the books were copied: they are copied again */
	forked.mm = mm_clone(parent);
	EXPECT(forked.mm);
	EXPECT_EQ(mm_unmap(AT(5), P(2)), 0);
	used = ram_used();
	EXPECT_EQ(mm_start_fork(&forked), -ENOSYS);
	EXPECT_EQ(used - ram_used(), P(2));
	EXPECT_EQ(forked.mm->nr_vmas, parent->nr_vmas);
	EXPECT(!vma_at(forked.mm, AT(5)) && vma_at(forked.mm, AT(7)));
	mm_put(forked.mm);
	mm_put(child);
	machine = real;
	end();
}

static void sparse_mappings_are_lazy(void)
{
	u64 size = 64ull << 30, used, addr;
	u32 val = 1;
	int code;

	begin();
	pagecache_set_size(pc, (pos_t)size);
	addr = (u64)mm_map(1ull << 40, size, RW, MAP_SHARED, &file, 0, NULL);
	EXPECT_EQ(addr, 1ull << 40);
	EXPECT_EQ(pagecache_pages(pc), 0);
	used = ram_used();
	EXPECT_EQ(mm_fault(addr + (10ull << 30) + 5, true, false, &code), 0);
	EXPECT_EQ(pagecache_pages(pc), LAZY_CHUNK / PAGE_SIZE);
	EXPECT(ram_used() - used <= LAZY_CHUNK + P(8));
	EXPECT_EQ(mm_fault(addr + (10ull << 30) + LAZY_CHUNK, true, false, &code), 0);
	EXPECT_EQ(current->mm->nr_vmas, 3);
	/* moved as one mapping, whatever is lazy */
	EXPECT_EQ(mm_remap(addr, size, size, 3, 1ull << 41), 1ll << 41);
	addr = 1ull << 41;
	EXPECT_EQ(current->mm->nr_vmas, 3);
	EXPECT_EQ(mm_advise(addr, size, 9), 0);	/* MADV_REMOVE */
	EXPECT_EQ(mm_unmap(addr, size), 0);
	EXPECT_EQ(current->mm->nr_vmas, 0);
	/* shared anonymous memory counts at once, unless it is asked not to */
	EXPECT_EQ(mm_map(1ull << 40, size, RW, MAP_SHARED | MAP_ANONYMOUS, NULL, 0, NULL), -ENOMEM);
	EXPECT_EQ(mm_map(1ull << 40, size, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, NULL, 0, NULL), 1ll << 40);
	EXPECT_EQ(mm_map(AT(0), P(4), RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, NULL, 0, NULL), (long)AT(0));
	EXPECT_EQ(program_access(AT(3), true, &val), 0);
	EXPECT_EQ(mm_remap(AT(0), P(4), P(5), 1, 0), (long)AT(0));
	EXPECT_EQ(program_access(AT(4), true, &val), BUS);
	end();
}

static void seals_refuse_writable_mappings(void)
{
	begin();
	put_word(0, 1);
	EXPECT_EQ(mm_map(AT(0), P(1), PROT_READ, MAP_SHARED | MAP_FIXED, &file, 0, NULL), (long)AT(0));
	EXPECT_EQ(pagecache_seal_writable(pc, true), -EBUSY);
	EXPECT_EQ(mm_unmap(AT(0), P(1)), 0);
	EXPECT_EQ(pagecache_seal_writable(pc, true), 0);
	EXPECT_EQ(mm_map(AT(0), P(1), RW, MAP_SHARED | MAP_FIXED, &file, 0, NULL), -EPERM);
	EXPECT_EQ(mm_map(AT(0), P(1), RW, MAP_PRIVATE | MAP_FIXED, &file, 0, NULL), (long)AT(0));
	EXPECT_EQ(mm_map(AT(1), P(1), PROT_READ, MAP_SHARED | MAP_FIXED, &file, 0, NULL), (long)AT(1));
	EXPECT_EQ(mm_protect(AT(1), P(1), RW), -EACCES);
	end();
}

static void mincore_and_views(void)
{
	u8 vec[8];

	begin();
	put_word(0, 1);
	put_word(2, 1);
	pagecache_set_size(pc, (pos_t)P(1 << 20));
	EXPECT_EQ(mm_map(AT(0), P(1 << 19), PROT_READ, MAP_SHARED | MAP_FIXED, &file, 0, NULL), (long)AT(0));
	EXPECT_EQ(mm_mincore(AT(0), 4, vec), 0);
	EXPECT(vec[0] == 1 && vec[1] == 0 && vec[2] == 1 && vec[3] == 0);
	EXPECT_EQ(mm_mincore(AT(0) - P(1), 4, vec), -ENOMEM);
	EXPECT_EQ(mm_unmap(AT(0), P(1 << 19)), 0);
	end();
}

static u32 nr_views;
static int count_view(const struct vma_view *v __unused, void *arg __unused) { return nr_views++, 0; }

static void views_hide_what_is_lazy(void)
{
	int code;

	begin();
	pagecache_set_size(pc, 1 << 30);
	EXPECT_EQ(mm_map(1ull << 40, 2ull << 30, RW, MAP_SHARED, &file, 0, NULL), 1ll << 40);
	EXPECT_EQ(mm_fault((1ull << 40) + (100 << 20), true, false, &code), 0);
	EXPECT(current->mm->nr_vmas >= 3);
	EXPECT_EQ(mm_for_each_vma(current->mm, count_view, NULL), 0);
	EXPECT_EQ(nr_views, 1);
	end();
}

static void sysv_shared_memory(void)
{
	struct shm_status st;
	u64 used = ram_used();
	u32 val = 5;
	long id, live;

	EXPECT_EQ(shm_get(0x1234, P(3), 0600), -ENOENT);
	EXPECT_EQ(shm_get(0x1234, 0, 0600 | IPC_CREAT), -EINVAL);
	id = shm_get(0x1234, P(3) - 5, 0600 | IPC_CREAT | IPC_EXCL);
	EXPECT(id >= 0);
	live = fake_allocs;
	begin();
	EXPECT_EQ(shm_get(0x1234, P(3) - 5, 0600 | IPC_CREAT | IPC_EXCL), -EEXIST);
	EXPECT_EQ(shm_get(0x1234, P(3) - 5, 0600 | IPC_CREAT), id);
	EXPECT_EQ(shm_get(0x1234, P(4), 0), -EINVAL);
	EXPECT_EQ(shm_attach((s32)id, AT(1) + 4, 0), -EINVAL);
	EXPECT_EQ(shm_attach((s32)id, AT(1) + 4, SHM_RND), (long)AT(1));
	EXPECT_EQ(shm_attach((s32)id, AT(2), 0), -EINVAL);
	EXPECT_EQ(shm_attach((s32)id + 1, 0, 0), -EINVAL);
	EXPECT_EQ(shm_attach((s32)id, AT(10), SHM_RDONLY), (long)AT(10));
	EXPECT_EQ(program_access(AT(2), true, &val), 0);
	EXPECT_EQ(program_access(AT(11), true, &val), SEGV_ACC);
	val = 0;
	EXPECT_EQ(program_access(AT(11), false, &val), 0);
	EXPECT_EQ(val, 5);
	EXPECT_EQ(mm_protect(AT(10), P(1), RW), -EACCES);
	cred.euid = 1001;
	EXPECT_EQ(shm_attach((s32)id, 0, 0), -EACCES);
	EXPECT_EQ(shm_remove((s32)id), -EPERM);
	cred.euid = 1000;
	EXPECT_EQ(shm_stat((s32)id, false, false, &st), 0);
	EXPECT_EQ(st.nattch, 2);
	EXPECT_EQ(st.size, P(3) - 5);
	EXPECT_EQ(shm_remove((s32)id), 0);
	EXPECT_EQ(shm_stat((s32)id, false, false, &st), 0);
	EXPECT_EQ(st.nattch, 2);
	EXPECT(st.mode & SHM_DEST);
	EXPECT_EQ(shm_get(0x1234, P(3), 0600), -ENOENT);
	EXPECT_EQ(shm_detach(AT(2)), -EINVAL);
	EXPECT_EQ(shm_detach(AT(1)), 0);
	EXPECT_EQ(shm_detach(AT(1)), -EINVAL);
	EXPECT_EQ(shm_detach(AT(10)), 0);
	EXPECT_EQ(shm_stat((s32)id, false, false, &st), -EINVAL);
	live_before -= 2;	/* the segment and its page cache are gone */
	end();
	EXPECT_EQ(fake_allocs, live - 2);
	EXPECT(ram_used() < used + P(2));
}

/* A walk on which memory runs out and the host refuses: whatever fails, books and pager agree, and nothing leaks. */
static void failing_walk_stays_consistent(void)
{
	static const u8 prots[] = { 0, 1, 3, 5, 7 };
	u32 step;

	begin();
	for (step = 0; step < 60000 && !unit_bad && !pager_bad; step++) {
		u64 addr = AT(random_below(PAGES - 64)), len = P(1 + random_below(24));
		u64 val = random_u64();
		int code;

		pager_fails = 12;
		fake_fail_alloc = random_below(3) ? 0 : 1 + (int)random_below(8);
		switch (random_below(10)) {
		case 0:
			mm_map(addr, len, prots[random_below(5)], ANON | MAP_FIXED, NULL, 0, NULL);
			break;
		case 1:
			mm_map(addr, len, prots[random_below(5)], MAP_SHARED | MAP_FIXED, &file, P(random_below(32)), NULL);
			break;
		case 2:
			mm_map(addr, len, prots[random_below(5)], MAP_PRIVATE | MAP_FIXED, &file, P(random_below(32)), NULL);
			break;
		case 3:
			mm_unmap(addr, len);
			break;
		case 4:
		case 5:
			mm_protect(addr, len, prots[random_below(5)]);
			break;
		case 6:
			mm_remap(addr, len, P(1 + random_below(24)), (u32[]){ 0, 1, 3 }[random_below(3)], AT(random_below(PAGES - 64)));
			break;
		case 7:
			mm_advise(addr, len, (int[]){ 4, 18, 19, 10, 11 }[random_below(5)]);
			break;
		case 8:
			if (val & 1)
				pagecache_truncate(pc, (pos_t)P(val % 48));
			else if ((pos_t)P(val % 48) > pagecache_size(pc))
				pagecache_set_size(pc, (pos_t)P(val % 48));
			break;
		default:
			mm_fault(addr, val & 1, false, &code);
			break;
		}
		fake_fail_alloc = 0;
		pager_fails = 0;
		if (step % 16 == 0) {
			/* what waits for room on the host is done now */
			mm_do_work();
			failing_books = true;
			check_books(current->mm);
			failing_books = false;
		}
	}
	EXPECT_EQ(step, 60000);
	mm_unmap(AT(0), P(PAGES));
	end();
}

/*
 * Two address spaces of two threads each map, unmap and use one file that all of them write and truncate. Who reaches a page that
 * was freed is caught by AddressSanitizer (free pages are poisoned), who sees a page of something else by its content.
 */
static struct mutex file_lock = MUTEX_INIT;	/* the inode's */
static u32 thread_bad;
static struct ppage *own_pages[2];

static void file_step(u64 pgoff)
{
	mutex_lock(&file_lock);
	if (random_below(3)) {
		put_word(pgoff, (u32)(0x77000000 + pgoff));
	} else {
		pagecache_truncate(pc, (pos_t)P(pgoff));
	}
	mutex_unlock(&file_lock);
}

static void user_of_a_file(void *arg __unused)
{
	u32 step, bad = 0;

	for (step = 0; step < 15000; step++) {
		u64 at = random_below(48), pgoff = random_below(24), n = 1 + random_below(8);
		u32 val = (u32)(0x77000000 + pgoff), got = 0;
		int ret;

		mm_do_work();
		switch (random_below(8)) {
		case 0:
			/* page n of the window maps page n % 24 of the file, so that the content is known */
			at = at - at % 24 + pgoff;
			n = min(n, 24 - pgoff);
			bad += mm_map(AT(at), P(n), RW, (random_below(4) ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED, &file,
				      P(pgoff), NULL) != (long)AT(at);
			break;
		case 1:
			bad += mm_unmap(AT(at), P(n)) != 0;
			break;
		case 2:
			file_step(pgoff);
			break;
		default:
			val = (u32)(0x77000000 + at % 24);
			ret = program_access(AT(at), random_below(2), random_below(2) ? &val : &got);
			bad += ret && ret != SEGV_MAP && ret != BUS && ret != -1;
			bad += got && got != val;
			break;
		}
	}
	__atomic_add_fetch(&thread_bad, bad, __ATOMIC_RELAXED);
}

static void truncates_race_with_mappings(void)
{
	static struct task *t[4];
	struct mm *mm[2];

	begin();
	for (u32 i = 0; i < 2; i++) {
		mm[i] = fresh_mm();
		mm[i]->south = own_pages[i] = calloc(WINDOW, sizeof(struct ppage));
	}
	for (u32 i = 0; i < 4; i++) {
		t[i] = fake_task(NULL);
		t[i]->mm = mm[i / 2];
		fake_run(t[i], user_of_a_file, NULL);
	}
	for (u32 i = 0; i < 4; i++)
		fake_join(t[i]);
	EXPECT_EQ(thread_bad, 0);
	for (u32 i = 0; i < 2; i++) {
		struct mm *mine = current->mm;

		current->mm = mm[i];
		mm_do_work();
		current->mm = mine;
		EXPECT_EQ(check_books(mm[i]), 0);
		mm_clear(mm[i]);
		mm_put(mm[i]);
		free(own_pages[i]);
	}
	pagecache_truncate(pc, 0);
	end();
}

int main(void)
{
	fake_boot();
	current->cred = &cred;
	RUN(errors_of_mmap);
	RUN(limits_hold);
	RUN(number_of_mappings_is_bounded);
	RUN(stack_grows);
	RUN(others_let_go_first);
	RUN(fork_copies_the_books);
	RUN(sparse_mappings_are_lazy);
	RUN(seals_refuse_writable_mappings);
	RUN(mincore_and_views);
	RUN(views_hide_what_is_lazy);
	RUN(sysv_shared_memory);
	RUN(failing_walk_stays_consistent);
	RUN(truncates_race_with_mappings);
	return unit_done();
}
