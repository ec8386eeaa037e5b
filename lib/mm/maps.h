/* SPDX-License-Identifier: MIT */
/* For the North: calls that look at mappings, lock them, wait for them. All on the current mm; errors as the manual pages have them. */
#ifndef LIB_MM_MAPS_H
#define LIB_MM_MAPS_H

#include "mm/mm.h"

/* mm_mincore() - a byte for each of @nr pages from @addr (aligned). Return: 0 or -ENOMEM */
long mm_mincore(u64 addr, u64 nr, u8 *vec);
/* mm_sync() - msync(2); @addr and @end aligned. Return: 0, -ENOMEM, -EBUSY, or what fsync says */
long mm_sync(u64 addr, u64 end, bool invalidate, bool wait);

/*
 * mm_lock_range() - mlock(2), munlock(2): the books; nothing can be pinned on a hosted South
 * @set: MAP_LOCKED, VMA_LOCKONFAULT or 0 (unlock)
 */
long mm_lock_range(u64 addr, u64 len, u32 set);
/* mm_lock_all() - mlockall(2), munlockall(2): @now for what is mapped (or ~0: leave it), @future for what will be */
long mm_lock_all(u32 now, u32 future);

/*
 * mm_barrier() - every task of @mm (NULL: of any) that runs its program passes a full memory barrier before this returns
 * Tasks are kicked into the library kernel; those that sleep or work in it need none. Return: 0, -ENOMEM, or -ERESTARTSYS (killed while waiting)
 */
long mm_barrier(struct mm *mm);

#endif
