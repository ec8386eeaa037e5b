// SPDX-License-Identifier: MIT
/*
 * The VMA layer against a picture of an address space page by page.
 *
 * The oracle keeps what Linux's manual pages promise. After each step of a long random walk (mmap, munmap, mprotect,
 * mremap, madvise, brk, fork-time flags, files truncated and written) a program's accesses to random pages must end as the oracle
 * says, with the content it says; the books are checked as a whole now and then.
 */
#include "unit.h"

#include "fake_pager.h"
#include "mm/maps.h"
#include "south/fake/fake.h"

#define BRK_AT		(BASE + 0x1000 * (PAGES + 64))
#define BRK_PAGES	64u
#define NR_FILES	3u
#define OBJ_PAGES	96u
#define SIGBUS_NR	7
#define SIGSEGV_NR	11

/* ---- the oracle ---- */

struct object {
	u32 val[OBJ_PAGES];
	u64 size;		/* pages */
};
struct opage {
	bool mapped, shared, dirty, charged, heap, wipe;
	u8 prot, may;
	struct object *obj;
	u64 pgoff;
	u32 val;
};
static struct opage opages[WINDOW];
static struct object files[NR_FILES];
static struct pagecache *file_pc[NR_FILES];
static struct file test_files[NR_FILES];
static struct object *anon_objects[60000];
static u32 nr_anon_objects;

static struct opage *opage(u64 addr) { return &opages[(addr - BASE) / PAGE_SIZE]; }
static bool inside(u64 addr, u64 len) { return addr >= BASE && len <= WINDOW * PAGE_SIZE && addr - BASE <= WINDOW * PAGE_SIZE - len; }

static struct vm_object *test_mmap(struct file *f, bool shared_write __unused)
{
	return pagecache_object(file_pc[f - test_files]);
}
static const struct file_ops test_ops = { .mmap = test_mmap };

static u8 random_prot(void)
{
	static const u8 prots[] = { 0, 1, 3, 3, 3, 5, 1, 2 };

	return prots[random_below(sizeof(prots))];
}

static u64 random_addr(void) { return BASE + random_below(PAGES - 32) * PAGE_SIZE; }
static u64 random_pages(void) { return (1 + random_below(random_below(4) ? 8 : 32)) * PAGE_SIZE; }

static void note_map(u64 addr, u64 len, u8 prot, u8 may, bool shared, struct object *obj, u64 pgoff, bool heap)
{
	for (u64 i = 0; i < len / PAGE_SIZE; i++)
		*opage(addr + i * PAGE_SIZE) = (struct opage){
			.mapped = true, .prot = prot, .may = may, .shared = shared, .obj = obj, .pgoff = pgoff + i,
			.charged = !shared && (prot & 2), .heap = heap,
		};
}

static void note_unmap(u64 addr, u64 len)
{
	for (u64 i = 0; i < len; i += PAGE_SIZE)
		*opage(addr + i) = (struct opage){ 0 };
}

static bool any_mapped(u64 addr, u64 len)
{
	for (u64 i = 0; i < len; i += PAGE_SIZE)
		if (opage(addr + i)->mapped)
			return true;
	return false;
}

static bool alike(const struct opage *a, const struct opage *b)
{
	return b->mapped && a->prot == b->prot && a->may == b->may && a->shared == b->shared && a->obj == b->obj &&
	       a->charged == b->charged && a->heap == b->heap && a->wipe == b->wipe &&
	       (!a->obj || a->pgoff + 1 == b->pgoff);
}

/* Outside of the window goes only what finds no room within, below mmap_base. */
static bool went_outside(u64 addr, u64 len)
{
	u64 i, run = 0;

	if (inside(addr, len))
		return false;
	for (i = 0; i < PAGES && run < len / PAGE_SIZE; i++)
		run = opages[i].mapped ? 0 : run + 1;
	EXPECT(run < len / PAGE_SIZE);
	EXPECT_EQ(mm_unmap(addr, len), 0);
	return true;
}

/* ---- steps ---- */

static u32 step_map(void)
{
	u64 len = random_pages(), addr = random_addr(), pgoff = 0;
	bool shared = random_below(3) == 0;
	u32 flags = shared ? MAP_SHARED : MAP_PRIVATE, how = (u32)random_below(4);
	struct object *obj = NULL;
	struct file *f = NULL;
	u8 prot = random_prot(), may = 7;
	long want = 0, ret;

	if (random_below(2)) {
		u32 nr = (u32)random_below(NR_FILES);

		f = &test_files[nr];
		obj = &files[nr];
		pgoff = random_below(40);
		if (shared && !(f->mode & FMODE_WRITE)) {
			may &= ~2;
			if (prot & 2)
				want = -EACCES;
		}
	} else {
		flags |= MAP_ANONYMOUS;
	}
	if (how == 0)
		flags |= MAP_FIXED;
	if (how == 1) {
		flags |= MAP_FIXED_NOREPLACE;
		if (!want && any_mapped(addr, len))
			want = -EEXIST;
	}
	if (!f && shared && !want) {
		obj = anon_objects[nr_anon_objects++] = calloc(1, sizeof(*obj));
		obj->size = len / PAGE_SIZE;
	}
	ret = mm_map(addr, len, prot, flags, f, pgoff * PAGE_SIZE, NULL);
	if (want || ret < 0) {
		EXPECT_EQ(ret, want);
		return ret != want;
	}
	if (went_outside((u64)ret, len))
		return unit_bad;
	if (!inside((u64)ret, len) || (how < 2 && (u64)ret != addr) || (how >= 2 && any_mapped((u64)ret, len))) {
		EXPECT(!"the place of a mapping");
		return 1;
	}
	note_map((u64)ret, len, prot, may, shared, obj, pgoff, false);
	return 0;
}

static u32 step_unmap(void)
{
	u64 addr = random_addr(), len = random_pages();

	note_unmap(addr, len);
	return mm_unmap(addr, len) != 0;
}

static u32 step_protect(void)
{
	u64 addr = random_addr(), len = random_pages(), i;
	u8 prot = random_prot();
	int want = 0, ret;

	for (i = 0; i < len && !want; i += PAGE_SIZE) {
		struct opage *p = opage(addr + i);

		if (!p->mapped)
			want = -ENOMEM;
		else if (prot & ~p->may)
			want = -EACCES;
		if (want)
			break;
		p->prot = prot;
		p->charged |= !p->shared && (prot & 2);
	}
	ret = mm_protect(addr, len, prot);
	EXPECT_EQ(ret, want);
	return ret != want;
}

static u32 step_remap(void)
{
	u64 addr = random_addr(), old = random_pages(), new = random_pages(), to = random_addr(), i, n;
	u32 flags = (u32)random_below(2), kind = (u32)random_below(5);
	static struct opage old_pages[WINDOW];
	bool uniform, moved;
	struct opage *p = opage(addr);
	long ret;

	if (kind == 0)
		flags = 3;
	if (kind == 1) {
		flags = 5;
		new = old;
	}
	if (kind == 0 && to < addr + old && addr < to + new) {
		ret = mm_remap(addr, old, new, flags, to);
		EXPECT_EQ(ret, p->mapped ? -EINVAL : -EFAULT);
		return ret != (p->mapped ? -EINVAL : -EFAULT);
	}
	uniform = p->mapped;
	/* shrinking looks at what remains, as Linux does after it has unmapped the rest */
	for (i = 1; i < min(old, new) / PAGE_SIZE && uniform; i++)
		uniform = alike(opage(addr + (i - 1) * PAGE_SIZE), opage(addr + i * PAGE_SIZE));
	n = min(old, new) / PAGE_SIZE;
	for (i = 0; i < n; i++)
		old_pages[i] = *opage(addr + i * PAGE_SIZE);
	ret = mm_remap(addr, old, new, flags, to);
	if (!p->mapped) {
		EXPECT_EQ(ret, -EFAULT);
		return ret != -EFAULT;
	}
	if (kind == 0)
		note_unmap(to, new);
	if (old > new)
		note_unmap(addr + new, old - new);
	if (!uniform && !(old > new && kind != 0 && kind != 1)) {
		EXPECT_EQ(ret, -EFAULT);
		return ret != -EFAULT;
	}
	if (ret == -ENOMEM && !(flags & 1))
		return !(old < new);
	if (ret < 0) {
		EXPECT_EQ(ret, 0);
		return 1;
	}
	if (went_outside((u64)ret, new)) {
		if (kind != 1)
			note_unmap(addr, n * PAGE_SIZE);
		else
			for (i = 0; i < n; i++)
				opage(addr + i * PAGE_SIZE)->dirty = false;
		return unit_bad;
	}
	moved = (u64)ret != addr;
	if ((kind == 0 && (u64)ret != to) || (kind == 1 && !moved)) {
		EXPECT(!"the place of a moved mapping");
		return 1;
	}
	if (!moved) {
		if (new > old && any_mapped(addr + old, new - old)) {
			EXPECT(!"grown over another mapping");
			return 1;
		}
	} else {
		if (kind != 0 && any_mapped((u64)ret, new)) {
			EXPECT(!"moved over another mapping");
			return 1;
		}
		if (kind != 1)
			note_unmap(addr, n * PAGE_SIZE);
		else
			for (i = 0; i < n; i++) {
				opage(addr + i * PAGE_SIZE)->dirty = false;
			}
		for (i = 0; i < n; i++)
			*opage((u64)ret + i * PAGE_SIZE) = old_pages[i];
	}
	for (i = n; i < new / PAGE_SIZE; i++) {
		struct opage *q = opage((u64)ret + i * PAGE_SIZE);

		*q = old_pages[n - 1];
		q->pgoff += i - (n - 1);
		q->dirty = false;
	}
	return 0;
}

static u32 step_advise(void)
{
	u64 addr = random_addr(), len = random_pages(), i;
	int advice = random_below(3) ? 4 : random_below(2) ? 18 : 19;	/* DONTNEED, WIPEONFORK, KEEPONFORK */
	bool hole = false, wrong = false;
	long ret, want;

	for (i = 0; i < len && !wrong; i += PAGE_SIZE) {
		struct opage *p = opage(addr + i);

		if (!p->mapped) {
			hole = true;
			continue;
		}
		if (advice == 4 && !p->shared)
			p->dirty = false;
		if (advice == 18 && (p->obj || p->shared))
			wrong = true;
		else if (advice != 4)
			p->wipe = advice == 18;
	}
	want = wrong ? -EINVAL : hole ? -ENOMEM : 0;
	ret = mm_advise(addr, len, advice);
	EXPECT_EQ(ret, want);
	return ret != want;
}

static u32 step_brk(void)
{
	static u64 at = BRK_AT;
	u64 to = BRK_AT + random_below(BRK_PAGES * PAGE_SIZE), from = PAGE_ALIGN(at), end = PAGE_ALIGN(to), ret;

	ret = mm_brk(to);
	if (ret != to) {
		EXPECT_EQ(ret, to);
		return 1;
	}
	if (end > from)
		note_map(from, end - from, 3, 7, false, NULL, 0, true);
	else
		note_unmap(end, from - end);
	at = to;
	return mm_brk(0) != to;
}

/* What is beyond the file's end is gone, private copies too. */
static u32 step_truncate(void)
{
	u32 nr = (u32)random_below(NR_FILES);
	u64 size = random_below(64), i;
	struct object *o = &files[nr];

	if (size >= o->size) {
		pagecache_set_size(file_pc[nr], (pos_t)(size * PAGE_SIZE));
	} else {
		pagecache_truncate(file_pc[nr], (pos_t)(size * PAGE_SIZE));
		memset(o->val + size, 0, sizeof(o->val) - size * 4);
		for (i = 0; i < WINDOW; i++)
			if (opages[i].obj == o && opages[i].pgoff >= size)
				opages[i].dirty = false;
	}
	o->size = size;
	return 0;
}

static u32 step_write_file(void)
{
	u32 nr = (u32)random_below(NR_FILES), val = (u32)random_u64();
	u64 pgoff = random_below(64);
	struct object *o = &files[nr];
	struct iov iov;
	struct uio uio;

	uio_init_kernel(&uio, &iov, &val, 4);
	if (pagecache_write(file_pc[nr], &uio, (pos_t)(pgoff * PAGE_SIZE), 4) != 4)
		return 1;
	o->val[pgoff] = val;
	if (pgoff >= o->size) {
		o->size = pgoff + 1;
		pagecache_set_size(file_pc[nr], (pos_t)(o->size * PAGE_SIZE));
	}
	return 0;
}

static u32 step_access(void)
{
	u64 addr = BASE + random_below(WINDOW) * PAGE_SIZE;
	struct opage *p = opage(addr);
	bool write = random_below(2);
	u32 val = (u32)random_u64(), want_val = 0;
	int want = 0, ret;

	if (!p->mapped)
		want = SIGSEGV_NR | 1 << 8;
	else if (write ? !(p->prot & 2) : !p->prot)
		want = SIGSEGV_NR | 2 << 8;
	else if (p->obj && p->pgoff >= p->obj->size)
		want = SIGBUS_NR | 2 << 8;
	else if (!write)
		want_val = p->dirty ? p->val : p->obj ? p->obj->val[p->pgoff] : 0;
	ret = program_access(addr, write, &val);
	if (ret != want) {
		printf("# access %s page %llu: %d.%d, not %d.%d\n", write ? "to" : "of", (addr - BASE) / PAGE_SIZE,
		       ret & 0xff, ret >> 8, want & 0xff, want >> 8);
		unit_bad++;
		return 1;
	}
	if (ret)
		return 0;
	if (!write) {
		EXPECT_EQ(val, want_val);
		return val != want_val;
	}
	if (p->shared) {
		p->obj->val[p->pgoff] = val;
	} else {
		p->dirty = true;
		p->val = val;
	}
	return 0;
}

/* ---- the books as a whole ---- */

static u32 check_oracle(struct mm *mm)
{
	u64 i;
	u32 bad = 0;

	mutex_lock(&mm->lock);
	for (i = 0; i < WINDOW && !bad; i++) {
		u64 addr = BASE + i * PAGE_SIZE;
		struct vma *v = vma_at(mm, addr);
		struct opage *p = &opages[i];

		bad += p->mapped != !!v;
		if (v && p->mapped)
			bad += v->prot != p->prot || vma_shared(v) != p->shared ||
			       !!(v->flags & VMA_ACCOUNT) != p->charged || !!v->obj != !!p->obj ||
			       (p->obj && v->off / PAGE_SIZE + (addr - v->start) / PAGE_SIZE != p->pgoff) ||
			       (v->name && !strcmp(v->name, "[heap]")) != p->heap;
		if (bad) {
			printf("# page %llu: %d mapped, %d in the books\n", (unsigned long long)i, p->mapped, v != NULL);
			unit_bad++;
		}
	}
	mutex_unlock(&mm->lock);
	return bad;
}

static void world_create(void)
{
	struct mm *mm = mm_create();

	memset(ppages, 0, sizeof(ppages));
	memset(opages, 0, sizeof(opages));
	memset(files, 0, sizeof(files));
	mm->mmap_base = BASE + PAGES * PAGE_SIZE;
	mm->hole_cache = mm->mmap_base;
	mm->start_brk = mm->brk = BRK_AT;
	current->mm = mm;
	for (u32 i = 0; i < NR_FILES; i++) {
		file_pc[i] = pagecache_create();
		test_files[i] = (struct file){ .ops = &test_ops, .mode = FMODE_READ | (i ? FMODE_WRITE : 0) };
		ref_init(&test_files[i].ref);
	}
}

static void world_destroy(void)
{
	mm_clear(current->mm);
	EXPECT_EQ(current->mm->total_pages, 0);
	mm_put(current->mm);
	current->mm = NULL;
	for (u32 i = 0; i < NR_FILES; i++) {
		EXPECT_EQ(ref_read(&test_files[i].ref), 1);
		pagecache_put(file_pc[i]);
	}
	while (nr_anon_objects)
		free(anon_objects[--nr_anon_objects]);
}

static u32 random_step(void)
{
	switch (random_below(16)) {
	case 0:
	case 1:
	case 2:
		return step_map();
	case 3:
	case 4:
		return step_unmap();
	case 5:
	case 6:
	case 7:
		return step_protect();
	case 8:
	case 9:
		return step_remap();
	case 10:
		return step_advise();
	case 11:
		return step_brk();
	case 12:
		return step_truncate();
	case 13:
		return step_write_file();
	default:
		return step_access() || step_access() || step_access();
	}
}

static void random_walk_is_as_promised(void)
{
	u64 used = ram_used();
	long live = fake_allocs;
	u32 step;

	world_create();
	for (step = 0; step < 100000; step++) {
		if (random_step() || pager_bad || unit_bad)
			break;
		if (step % 64 == 0 && (check_books(current->mm) || check_oracle(current->mm)))
			break;
	}
	EXPECT_EQ(pager_bad, 0);
	EXPECT_EQ(step, 100000);
	if (step != 100000)
		printf("# stopped at step %u\n", step);
	world_destroy();
	EXPECT_EQ(fake_allocs, live);
	EXPECT(ram_used() - used <= 64 * PAGE_SIZE);
}

int main(void)
{
	fake_boot();
	RUN(random_walk_is_as_promised);
	return unit_done();
}
