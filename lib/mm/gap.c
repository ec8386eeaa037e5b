/* SPDX-License-Identifier: MIT */
/*
 * Where a new mapping goes: top-down below mmap_base, as Linux has it.
 *
 * The search walks VMAs downwards from hole_cache, the lowest place below which a hole was found last; above it no hole is larger than
 * hole_size. So a program that maps and maps does not walk over all its mappings each time.
 */
#include "base/errno.h"
#include "mm/vma.h"

/* How far a mapping must stay away below @v: stacks grow. */
static u64 floor_of(const struct vma *v)
{
	if (!(v->flags & MAP_GROWSDOWN))
		return v->start;
	return v->start > STACK_GUARD + MM_START ? v->start - STACK_GUARD : MM_START;
}

bool gap_free(struct mm *mm, u64 addr, u64 len)
{
	struct vma *v = vma_find(mm, addr);

	return !v || floor_of(v) >= addr + len;
}

/* The highest place for @len bytes in [low, high); 0: none. @largest: the largest hole that was too small. */
static u64 search(struct mm *mm, u64 low, u64 high, u64 len, u64 *largest)
{
	struct vma *v = vma_find(mm, high), *below;
	u64 top = high;

	if (v && v->start < high) {
		top = min(top, floor_of(v));
		below = vma_prev(v);
	} else {
		if (v)
			top = min(top, floor_of(v));
		below = v ? vma_prev(v) : NULL;
		if (!v) {
			struct rb_node *n = rb_last(&mm->vmas);

			below = n ? rb_entry(n, struct vma, node) : NULL;
		}
	}
	for (;;) {
		u64 bottom = below ? max(below->end, low) : low;

		if (top >= bottom && top - bottom >= len)
			return top - len;
		if (top > bottom)
			*largest = max(*largest, top - bottom);
		if (!below || below->start <= low)
			return 0;
		top = min(top, floor_of(below));
		below = vma_prev(below);
	}
}

long gap_find(struct mm *mm, u64 hint, u64 len, u32 flags)
{
	u64 addr, largest = 0;

	if (len >= MM_LEN_END)
		return -ENOMEM;
	hint &= PAGE_MASK;
	if (hint >= MM_START && range_ok(hint, len) && (!(flags & MAP_32BIT) || hint + len <= 0x80000000ull) &&
	    gap_free(mm, hint, len))
		return (long)hint;
	if (flags & MAP_32BIT) {
		addr = search(mm, 0x40000000, 0x80000000, len, &largest);
		return addr ? (long)addr : -ENOMEM;
	}
	if (len <= mm->hole_size || mm->hole_cache > mm->mmap_base) {
		mm->hole_cache = mm->mmap_base;
		mm->hole_size = 0;
	}
	addr = search(mm, MM_START, mm->hole_cache, len, &largest);
	if (addr) {
		mm->hole_cache = addr + len;
		mm->hole_size = max(mm->hole_size, largest);
		return (long)addr;
	}
	/* Nothing below: look in all there is. */
	addr = search(mm, MM_START, mm->mmap_base, len, &largest);
	if (!addr)
		addr = search(mm, mm->mmap_base, MM_END, len, &largest);
	return addr ? (long)addr : -ENOMEM;
}

void gap_freed(struct mm *mm, u64 end)
{
	/* The hole may reach up to the next mapping: forget all that is known below it. */
	if (end >= mm->hole_cache) {
		mm->hole_cache = mm->mmap_base;
		mm->hole_size = 0;
	}
}
