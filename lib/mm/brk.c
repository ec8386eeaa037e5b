/* SPDX-License-Identifier: MIT */
/* The heap (brk) and the stack of a program. */
#include "base/errno.h"
#include "base/random.h"
#include "mm/vma.h"

#define BRK_RND		(32ull << 20)

void mm_set_brk(u64 end)
{
	struct mm *mm = current->mm;

	mutex_lock(&mm->lock);
	mm->start_brk = mm->brk = PAGE_ALIGN(end) + (random_below(BRK_RND) & PAGE_MASK);
	mutex_unlock(&mm->lock);
}

static int brk_grow(struct mm *mm, u64 from, u64 to, struct list *trash)
{
	struct map_request r = {
		.addr = from, .len = to - from, .prot = PROT_READ | PROT_WRITE,
		.flags = VMA_MAYREAD | VMA_MAYWRITE | VMA_MAYEXEC | mm->def_flags, .name = "[heap]",
		.populate = mm->def_flags & MAP_LOCKED,
	};
	u64 pages = (to - from) >> PAGE_SHIFT;

	if (!range_ok(from, to - from) || mm->nr_vmas >= MAX_MAP_COUNT || !gap_free(mm, from, to - from))
		return -ENOMEM;
	if ((mm->def_flags & MAP_LOCKED) && !mm_lock_ok(mm, pages))
		return -EAGAIN;
	if (mm_may_grow(mm, pages, true))
		return -ENOMEM;
	return map_range(mm, &r, trash);
}

u64 mm_brk(u64 brk)
{
	struct mm *mm = current->mm;
	u64 limit = rlimit(RLIM_DATA), from, to, now;
	LIST_HEAD(trash);

	mutex_lock(&mm->lock);
	now = mm->brk;
	if (brk < mm->start_brk || brk > MM_END)
		goto out;
	if (limit != RLIM64_INFINITY && brk - mm->start_brk + (mm->end_data - mm->start_data) > limit)
		goto out;
	from = PAGE_ALIGN(mm->brk);
	to = PAGE_ALIGN(brk);
	if (to < from ? unmap_range(mm, to, from, &trash) : to > from && brk_grow(mm, from, to, &trash))
		goto out;
	mm->brk = now = brk;
out:
	mutex_unlock(&mm->lock);
	trash_free(&trash);
	return now;
}

long mm_map_stack(u64 size, bool exec)
{
	struct mm *mm = current->mm;
	u64 top = (MM_END - PAGE_SIZE - random_below(STACK_RND_MAX)) & PAGE_MASK;
	struct map_request r = {
		.len = PAGE_ALIGN(size), .prot = PROT_READ | PROT_WRITE | (exec ? PROT_EXEC : 0), .name = "[stack]",
		.flags = MAP_GROWSDOWN | VMA_MAYREAD | VMA_MAYWRITE | VMA_MAYEXEC | mm->def_flags, .populate = true,
	};
	LIST_HEAD(trash);
	int ret = -ENOMEM;

	if (!r.len || r.len > STACK_RND_MAX)
		return -ENOMEM;
	r.addr = top - r.len;
	mutex_lock(&mm->lock);
	if (!mm_may_grow(mm, r.len >> PAGE_SHIFT, false))
		ret = map_range(mm, &r, &trash);
	mutex_unlock(&mm->lock);
	trash_free(&trash);
	return ret ? ret : (long)top;
}
