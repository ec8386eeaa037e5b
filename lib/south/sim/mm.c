// SPDX-License-Identifier: MIT
/*
 * Address spaces in tables: ranges in order, as the pager calls left them, and the private pages that were written. Program memory is
 * reached through them alone, with rights and faults as a processor has them.
 */
#include "south/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/errno.h"
#include "mm/page.h"
#include "mm/pagecache.h"
#include "mm/vma.h"

#define BUCKETS		256u
#define MAX_PAGES	16384u		/* private ones, of all: beyond that the host is out of memory */
#define FAULT_TRIES	80u		/* more than lib/mm takes to see that a fault will stay */

struct range {
	u64 start, end;
	u32 prot;
	bool shared;
	u8 *mem;			/* of a page cache; NULL: zeros until written */
	struct pagecache *pc;
	u64 pgoff;
};

struct priv_page {
	struct priv_page *next;
	u64 vpn;
	u8 bytes[PAGE_SIZE];
};

struct sim_mm {
	struct range *r;
	u32 nr, cap;
	struct priv_page *pages[BUCKETS];
};

u64 sim_mm_pages;

static struct sim_mm *space(struct mm *mm)
{
	if (!mm->south) {
		mm->south = calloc(1, sizeof(struct sim_mm));
		if (!mm->south)
			abort();
	}
	return mm->south;
}

/* ---- private pages ---- */

static struct priv_page **page_slot(struct sim_mm *s, u64 vpn)
{
	struct priv_page **p = &s->pages[vpn % BUCKETS];

	while (*p && (*p)->vpn != vpn)
		p = &(*p)->next;
	return p;
}

static struct priv_page *page_add(struct sim_mm *s, u64 vpn)
{
	struct priv_page **slot = page_slot(s, vpn), *p;

	if (*slot || sim_mm_pages >= MAX_PAGES)
		return *slot;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->vpn = vpn;
	*slot = p;
	sim_mm_pages++;
	return p;
}

static void pages_drop(struct sim_mm *s, u64 start, u64 end)
{
	u64 first = start >> PAGE_SHIFT, last = end >> PAGE_SHIFT;

	for (u32 i = 0; i < BUCKETS; i++) {
		struct priv_page **p = &s->pages[i];

		while (*p) {
			struct priv_page *old = *p;

			if (old->vpn < first || old->vpn >= last) {
				p = &old->next;
				continue;
			}
			*p = old->next;
			free(old);
			sim_mm_pages--;
		}
	}
}

/* ---- ranges ---- */

/* The first one that ends above @addr. */
static u32 range_at(const struct sim_mm *s, u64 addr)
{
	u32 lo = 0, hi = s->nr;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (s->r[mid].end > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

static void range_insert(struct sim_mm *s, u32 i, const struct range *r)
{
	if (s->nr == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->r = realloc(s->r, s->cap * sizeof(*s->r));
		if (!s->r)
			abort();
	}
	memmove(s->r + i + 1, s->r + i, (s->nr - i) * sizeof(*s->r));
	s->r[i] = *r;
	s->nr++;
}

static void range_cut_front(struct range *r, u64 at)
{
	if (r->mem)
		r->mem += at - r->start;
	r->pgoff += (at - r->start) >> PAGE_SHIFT;
	r->start = at;
}

static void split_at(struct sim_mm *s, u64 addr)
{
	u32 i = range_at(s, addr);
	struct range tail;

	if (i == s->nr || s->r[i].start >= addr)
		return;
	tail = s->r[i];
	range_cut_front(&tail, addr);
	s->r[i].end = addr;
	range_insert(s, i + 1, &tail);
}

/* Take [start, end) out, private pages too. */
static void ranges_drop(struct sim_mm *s, u64 start, u64 end)
{
	u32 i, n;

	split_at(s, start);
	split_at(s, end);
	i = range_at(s, start);
	for (n = i; n < s->nr && s->r[n].start < end; n++)
		;
	if (n > i) {
		memmove(s->r + i, s->r + n, (s->nr - n) * sizeof(*s->r));
		s->nr -= n - i;
	}
	pages_drop(s, start, end);
}

static int sim_map(struct mm *mm, u64 addr, u64 len, u32 prot, bool shared, struct vm_object *obj, u64 off,
		   bool populate __unused, bool noreserve __unused)
{
	struct sim_mm *s = space(mm);
	struct range r = { addr, addr + len, prot, shared, NULL, NULL, off >> PAGE_SHIFT };

	ranges_drop(s, addr, addr + len);
	if (!obj || obj->kind != VM_PAGECACHE) {
		range_insert(s, range_at(s, addr), &r);
		return 0;
	}
	r.pc = obj->pc;
	for (u64 end = addr + len; addr < end; addr = r.end) {
		u64 hole = 0, nr = pagecache_run(obj->pc, r.pgoff, (end - addr) >> PAGE_SHIFT, (void **)&r.mem, &hole);

		r.start = addr;
		r.end = addr + ((nr ? nr : hole) << PAGE_SHIFT);
		if (nr)
			range_insert(s, range_at(s, addr), &r);
		r.pgoff += nr ? nr : hole;
	}
	return 0;
}

static int sim_unmap(struct mm *mm, u64 addr, u64 len)
{
	ranges_drop(space(mm), addr, addr + len);
	return 0;
}

static int sim_protect(struct mm *mm, u64 addr, u64 len, u32 prot)
{
	struct sim_mm *s = space(mm);

	split_at(s, addr);
	split_at(s, addr + len);
	for (u32 i = range_at(s, addr); i < s->nr && s->r[i].start < addr + len; i++)
		s->r[i].prot = prot;
	return 0;
}

static int sim_move(struct mm *mm, u64 addr, u64 len, u64 to)
{
	struct sim_mm *s = space(mm);
	struct priv_page *moved = NULL, *p;
	struct range r;
	u32 i;

	if (addr < to + len && to < addr + len)
		abort();	/* mremap(2) does not do that */
	ranges_drop(s, to, to + len);
	for (i = 0; i < BUCKETS; i++) {
		struct priv_page **q = &s->pages[i];

		while ((p = *q)) {
			if (p->vpn - (addr >> PAGE_SHIFT) >= len >> PAGE_SHIFT) {
				q = &p->next;
				continue;
			}
			*q = p->next;
			p->next = moved;
			moved = p;
		}
	}
	split_at(s, addr);
	split_at(s, addr + len);
	for (;;) {
		i = range_at(s, addr);
		if (i == s->nr || s->r[i].start >= addr + len)
			break;
		r = s->r[i];
		memmove(s->r + i, s->r + i + 1, (s->nr - i - 1) * sizeof(*s->r));
		s->nr--;
		r.start += to - addr;
		r.end += to - addr;
		range_insert(s, range_at(s, r.start), &r);
	}
	while ((p = moved)) {
		moved = p->next;
		p->vpn += (to >> PAGE_SHIFT) - (addr >> PAGE_SHIFT);
		p->next = s->pages[p->vpn % BUCKETS];
		s->pages[p->vpn % BUCKETS] = p;
	}
	return 0;
}

static int sim_discard(struct mm *mm, u64 addr, u64 len)
{
	pages_drop(space(mm), addr, addr + len);
	return 0;
}

static int sim_advise(struct mm *mm __unused, u64 addr __unused, u64 len __unused, int advice __unused) { return 0; }

void sim_mm_free(struct mm *mm)
{
	struct sim_mm *s = mm->south;

	if (!s)
		return;
	pages_drop(s, 0, ~0ull);
	free(s->r);
	free(s);
	mm->south = NULL;
}

static const struct pager_ops sim_pager = {
	.map = sim_map, .unmap = sim_unmap, .protect = sim_protect, .move = sim_move, .discard = sim_discard,
	.advise = sim_advise, .unmap_all = sim_mm_free,
};
const struct pager_ops *pager = &sim_pager;

int sim_mm_fork(struct mm *from, struct mm *to)
{
	struct sim_mm *a = space(from), *b;

	sim_mm_free(to);
	b = space(to);
	for (u32 i = 0; i < a->nr; i++)
		range_insert(b, i, &a->r[i]);
	for (u32 i = 0; i < BUCKETS; i++) {
		for (struct priv_page *p = a->pages[i]; p; p = p->next) {
			struct priv_page *copy = page_add(b, p->vpn);

			if (!copy)
				return -ENOMEM;
			memcpy(copy->bytes, p->bytes, PAGE_SIZE);
		}
	}
	return 0;
}

/* ---- what holds between calls ---- */

static const char *check_range(struct mm *mm, const struct range *r)
{
	for (u64 at = r->start; at < r->end; ) {
		struct vma *v = vma_at(mm, at);
		u64 end;

		if (!v)
			return "memory is mapped that the books do not have";
		end = min(v->end, r->end);
		if (v->flags & VMA_LAZY)
			return "memory is mapped that the books call lazy";
		if (r->prot != v->prot)
			return "rights differ from the books";
		if (r->shared != vma_shared(v) || r->pc != vma_pagecache(v))
			return "memory of another object than the books have";
		if (r->pc) {
			void *mem = NULL;
			u64 hole, pgoff = r->pgoff + ((at - r->start) >> PAGE_SHIFT);

			if (pgoff != (v->off + (at - v->start)) >> PAGE_SHIFT)
				return "another part of the object than the books have";
			if (v->trunc_from == ~0ull &&
			    (!pagecache_run(r->pc, pgoff, 1, &mem, &hole) || mem != r->mem + (at - r->start)))
				return "a page is mapped that the file no longer has";
			end = at + PAGE_SIZE;
		}
		at = end;
	}
	return NULL;
}

static const char *check_locked(struct mm *mm)
{
	u64 total = 0, locked = 0, data = 0, charged = 0, end = 0;
	struct sim_mm *s = space(mm);
	const char *bad = NULL;
	u32 n = 0;

	for (struct vma *v = vma_find(mm, 0); v; v = vma_next(v)) {
		if (v->start >= v->end || v->start < end || ((v->start | v->end) & ~PAGE_MASK) || !range_ok(v->start, v->end - v->start))
			return "VMAs overlap or are empty";
		if (!!vma_pagecache(v) == list_empty(&v->rmap))
			return "a VMA is not with its page cache";
		end = v->end;
		n++;
		total += vma_pages(v);
		locked += v->flags & MAP_LOCKED ? vma_pages(v) : 0;
		data += is_data(v->prot, v->flags, v->flags & MAP_GROWSDOWN) ? vma_pages(v) : 0;
		charged += v->flags & VMA_ACCOUNT ? vma_pages(v) : 0;
	}
	if (n != mm->nr_vmas || total != mm->total_pages || locked != mm->locked_pages || data != mm->data_pages ||
	    charged != mm->charged)
		return "the counts are not those of the VMAs";
	for (u32 i = 0; i < s->nr && !bad; i++)
		bad = check_range(mm, &s->r[i]);
	return bad;
}

const char *sim_mm_check(struct mm *mm)
{
	const char *bad = NULL;

	/* another task may be in the middle of a change */
	if (!mutex_trylock(&mm->lock))
		return NULL;
	if (mm->users && !mm->fork_fixup)
		bad = check_locked(mm);
	mutex_unlock(&mm->lock);
	return bad;
}

/* ---- access by the library kernel ---- */

bool access_ok(u64 addr, u64 len)
{
	return len <= LBX_PROGRAM_END && addr <= LBX_PROGRAM_END - len;
}

/* The bytes at @addr, up to its page's end; NULL: a fault. @zero: reads zeros, nothing is there */
static u8 *page_bytes(struct sim_mm *s, u64 addr, bool write, bool *zero)
{
	u64 vpn = addr >> PAGE_SHIFT, in = addr & ~PAGE_MASK;
	u32 i = range_at(s, addr);
	struct priv_page *p;
	struct range *r;
	u8 *from;

	*zero = false;
	if (i == s->nr || s->r[i].start > addr)
		return NULL;
	r = &s->r[i];
	if (write ? !(r->prot & PROT_WRITE) : !r->prot)
		return NULL;
	from = r->mem ? r->mem + ((addr & PAGE_MASK) - r->start) : NULL;
	if (r->shared && from)
		return from + in;
	p = *page_slot(s, vpn);
	if (!p && write) {
		p = page_add(s, vpn);
		if (p && from)
			memcpy(p->bytes, from, PAGE_SIZE);
		if (!p)
			return NULL;
	}
	if (p)
		return p->bytes + in;
	*zero = !from;
	return from ? from + in : (u8 *)s;
}

static u8 *reach(u64 addr, bool write, bool *zero)
{
	struct mm *mm = current->mm;

	for (u32 tries = 0; mm && tries < FAULT_TRIES; tries++) {
		u8 *p = page_bytes(space(mm), addr, write, zero);
		int code;

		if (p)
			return p;
		if (sim_mm_pages >= MAX_PAGES || mm_fault(addr, write, false, &code))
			return NULL;
	}
	return NULL;
}

/* @kernel NULL: zeros. Return: bytes moved before the first fault */
static size_t move(void *kernel, u64 addr, size_t n, bool write)
{
	size_t done = 0;

	if (!access_ok(addr, n))
		return 0;
	sim_yield();
	while (done < n) {
		u64 at = addr + done;
		size_t part = min_t(size_t, n - done, PAGE_SIZE - (at & ~PAGE_MASK));
		bool zero;
		u8 *p = reach(at, write, &zero);

		if (!p)
			break;
		if (!write && zero)
			memset((u8 *)kernel + done, 0, part);
		else if (!write)
			memcpy((u8 *)kernel + done, p, part);
		else if (kernel)
			memcpy(p, (u8 *)kernel + done, part);
		else
			memset(p, 0, part);
		done += part;
	}
	return done;
}

size_t copy_from_user_partial(void *dst, u64 src, size_t n) { return move(dst, src, n, false); }
size_t copy_to_user_partial(u64 dst, const void *src, size_t n) { return move((void *)src, dst, n, true); }
int copy_from_user(void *dst, u64 src, size_t n) { return move(dst, src, n, false) == n ? 0 : -EFAULT; }
int copy_to_user(u64 dst, const void *src, size_t n) { return move((void *)src, dst, n, true) == n ? 0 : -EFAULT; }
int clear_user(u64 dst, size_t n) { return move(NULL, dst, n, true) == n ? 0 : -EFAULT; }

/* Byte by byte up to @n; @dst NULL: only counted */
static ssize_t string(char *dst, u64 src, size_t n)
{
	for (size_t i = 0; i < n; ) {
		bool zero;
		u8 *p = access_ok(src + i, 1) ? reach(src + i, false, &zero) : NULL;
		size_t part = min_t(size_t, n - i, PAGE_SIZE - ((src + i) & ~PAGE_MASK));

		if (!p)
			return -EFAULT;
		for (size_t end = i + part; i < end; i++) {
			u8 c = zero ? 0 : *p++;

			if (dst)
				dst[i] = (char)c;
			if (!c)
				return (ssize_t)i;
		}
	}
	return (ssize_t)n;
}

ssize_t strncpy_from_user(char *dst, u64 src, size_t n) { sim_yield(); return string(dst, src, n); }
ssize_t strnlen_user(u64 src, size_t n) { return string(NULL, src, n); }

static u32 *user_word(u64 addr, bool write)
{
	static const u32 zero_word;
	bool zero;
	u8 *p;

	if (addr % 4 || !access_ok(addr, 4))
		return NULL;
	p = reach(addr, write, &zero);
	return zero && p && !write ? (u32 *)&zero_word : (u32 *)p;
}

int user_load32(u64 addr, u32 *val)
{
	u32 *p = user_word(addr, false);

	if (!p)
		return -EFAULT;
	*val = *p;
	return 0;
}

int user_cmpxchg32(u64 addr, u32 expect, u32 new, u32 *old)
{
	u32 *p = user_word(addr, true);

	if (!p)
		return -EFAULT;
	*old = *p;
	if (*p == expect)
		*p = new;
	return 0;
}

#define USER_OP(name, expr)					\
int user_##name##32(u64 addr, u32 val, u32 *old)		\
{								\
	u32 *p = user_word(addr, true);				\
								\
	if (!p)							\
		return -EFAULT;					\
	*old = *p;						\
	*p = expr;						\
	return 0;						\
}
USER_OP(xchg, val)
USER_OP(add, *p + val)
USER_OP(or, *p | val)
USER_OP(and, *p & val)
USER_OP(xor, *p ^ val)
