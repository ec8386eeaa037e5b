/* SPDX-License-Identifier: MIT */
/* Locked memory. The limits and errors are Linux's; the pages themselves are the host's, which pins nothing for a sandbox. */
#include "base/errno.h"
#include "mm/maps.h"
#include "mm/vma.h"
#include "process/cred.h"

#define LOCK_FLAGS	((u32)(MAP_LOCKED | VMA_LOCKONFAULT))

static int can_lock(void)
{
	return rlimit(RLIM_MEMLOCK) || capable(CAP_IPC_LOCK) ? 0 : -EPERM;
}

static int lock_vma(struct mm *mm, struct vma *v, u64 start, u64 end, u32 set, struct list *trash)
{
	if ((v->flags & LOCK_FLAGS) == set)
		return 0;
	v = vma_isolate(mm, v, start, end);
	if (!v)
		return -ENOMEM;
	vma_count(mm, v, -1);
	v->flags = (v->flags & ~LOCK_FLAGS) | set;
	vma_count(mm, v, 1);
	vma_merge(mm, v, trash);
	return 0;
}

static long lock_range(struct mm *mm, u64 start, u64 end, u32 set, struct list *trash)
{
	u64 at = start, fresh = 0;
	struct vma *v;
	int ret;

	for (v = vma_find(mm, start); v && v->start < end; v = vma_next(v))
		if (!(v->flags & MAP_LOCKED))
			fresh += (min(v->end, end) - max(v->start, start)) >> PAGE_SHIFT;
	if (set && !mm_lock_ok(mm, fresh))
		return -ENOMEM;
	while (at < end) {
		v = vma_at(mm, at);
		if (!v)
			return -ENOMEM;
		start = at;
		at = min(v->end, end);
		ret = lock_vma(mm, v, start, at, set, trash);
		if (ret)
			return ret;
	}
	return 0;
}

long mm_lock_range(u64 addr, u64 len, u32 set)
{
	struct mm *mm = current->mm;
	u64 start = addr & PAGE_MASK, end = PAGE_ALIGN(addr + len);
	LIST_HEAD(trash);
	long ret;

	if (set) {
		ret = can_lock();
		if (ret)
			return ret;
	}
	if (addr + len < addr || (end < start && addr + len))
		return -EINVAL;
	if (start == end)
		return 0;
	mutex_lock(&mm->lock);
	ret = lock_range(mm, start, end, set, &trash);
	mutex_unlock(&mm->lock);
	trash_free(&trash);
	return ret;
}

long mm_lock_all(u32 now, u32 future)
{
	struct mm *mm = current->mm;
	LIST_HEAD(trash);
	struct vma *v;
	long ret = 0;

	if (future || (now && now != ~0u)) {
		ret = can_lock();
		if (ret)
			return ret;
	}
	mutex_lock(&mm->lock);
	if (now && now != ~0u && !mm_lock_ok(mm, mm->total_pages - mm->locked_pages)) {
		ret = -ENOMEM;
	} else {
		mm->def_flags = future;
		if (now != ~0u)
			for (v = vma_find(mm, 0); v; v = vma_find(mm, v->end))
				lock_vma(mm, v, v->start, v->end, now, &trash);
	}
	mutex_unlock(&mm->lock);
	trash_free(&trash);
	return ret;
}
