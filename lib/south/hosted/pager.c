/* SPDX-License-Identifier: MIT */
/*
 * The pager of hosted Souths: one south_map() for an operation where the host's mappings allow it.
 *
 * Page cache is mapped as ranges of RAM, one host mapping for a run of pages that are neighbours there. Private memory is
 * MAP_NORESERVE throughout: what a program may use is counted by lib/mm, and the host joins neighbours only when they are alike.
 *
 * What is populated without being asked: only small shared memory that may be written. Measured here, per page: private memory is
 * had for 1.8 us by a fault and for 1.7 by populating, so populating what is not touched only costs; files read come 16 pages a
 * fault. Shared writable pages take a fault each, 1.1 us against 0.6.
 */
#include "south/hosted/pager.h"

#include "base/errno.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "mm/pagecache.h"
#include "process/task.h"
#include "south/hosted/cpu.h"
#include "south/south.h"
#include "uapi/window.h"

#define POPULATE_SHARED		(64ul << 10)
#define CHUNK			(LBX_MAP_LEN_END - PAGE_SIZE)	/* the most of one host call */
#define MADV_DONTNEED		4

u32 hosted_ram_handle;

static int map_pagecache(u64 addr, u64 len, u32 prot, u32 flags, struct pagecache *pc, u64 off)
{
	u64 pgoff = off >> PAGE_SHIFT, end = addr + len;

	while (addr < end) {
		u64 left = (end - addr) >> PAGE_SHIFT, hole = 0, nr;
		void *mem;
		long ret;

		nr = pagecache_run(pc, pgoff, left, &mem, &hole);
		if (nr)
			ret = south_map(SOUTH_MAP_BACK, addr, nr << PAGE_SHIFT, prot, flags, hosted_ram_handle,
					ram_offset(mem));
		else	/* taken by a truncate meanwhile */
			ret = south_map(SOUTH_MAP_RELEASE, addr, hole << PAGE_SHIFT, 0, 0, SOUTH_NO_HANDLE, 0);
		if (ret)
			return (int)ret;
		nr += hole * !nr;
		addr += nr << PAGE_SHIFT;
		pgoff += nr;
	}
	return 0;
}

static int hosted_map(struct mm *mm, u64 addr, u64 len, u32 prot, bool shared, struct vm_object *obj, u64 off,
		      bool populate, bool noreserve)
{
	u32 flags = shared ? SOUTH_MAP_SHARED : 0;

	if (!obj) {
		if (populate && (prot & PROT_WRITE))
			flags |= SOUTH_MAP_POPULATE;
		return (int)south_map(SOUTH_MAP_BACK, addr, len, prot, flags | SOUTH_MAP_NORESERVE, SOUTH_NO_HANDLE, 0);
	}
	if ((populate && prot) || (shared && (prot & PROT_WRITE) && len <= POPULATE_SHARED))
		flags |= SOUTH_MAP_POPULATE;
	if (obj->kind == VM_PAGECACHE)
		return map_pagecache(addr, len, prot, flags, obj->pc, off);
	return (int)south_map(SOUTH_MAP_BACK, addr, len, prot, flags, obj->handle, off);
}

static int each_chunk(u32 op, u64 addr, u64 len, u32 prot, u32 flags)
{
	while (len) {
		u64 part = min_t(u64, len, CHUNK);
		long ret = south_map(op, addr, part, prot, flags, SOUTH_NO_HANDLE, 0);

		if (ret)
			return (int)ret;
		addr += part;
		len -= part;
	}
	return 0;
}

static int hosted_unmap(struct mm *mm, u64 addr, u64 len)
{
	return each_chunk(SOUTH_MAP_RELEASE, addr, len, 0, 0);
}

static int hosted_protect(struct mm *mm, u64 addr, u64 len, u32 prot)
{
	return each_chunk(SOUTH_MAP_PROTECT, addr, len, prot, 0);
}

static int hosted_advise(struct mm *mm, u64 addr, u64 len, int advice)
{
	return each_chunk(SOUTH_MAP_DISCARD, addr, len, 0, (u32)advice);
}

static int hosted_discard(struct mm *mm, u64 addr, u64 len)
{
	return hosted_advise(mm, addr, len, MADV_DONTNEED);
}

/*
 * The host moves only what is one mapping of its own, and says EFAULT else: halve until it goes. Return: bytes moved, or -errno
 * when not all was; *@moved says how many were.
 */
static int move_by_parts(u64 addr, u64 len, u64 to, u64 *moved)
{
	u64 part = len;

	*moved = 0;
	while (*moved < len) {
		long ret;

		part = min(part, len - *moved);
		ret = south_map(SOUTH_MAP_MOVE, addr + *moved, part, 0, 0, SOUTH_NO_HANDLE, to + *moved);
		if (ret == -EFAULT && part > PAGE_SIZE) {
			part = (part / 2) & PAGE_MASK;
			continue;
		}
		if (ret)
			return (int)ret;
		*moved += part;
		part = len;
	}
	return 0;
}

static int hosted_move(struct mm *mm, u64 addr, u64 len, u64 to)
{
	u64 moved, back;
	int ret = move_by_parts(addr, len, to, &moved);

	if (ret && moved && move_by_parts(to, moved, addr, &back))
		return -EFAULT;
	return ret == -EFAULT ? -ENOMEM : ret;
}

static void hosted_unmap_all(struct mm *mm)
{
	/* All of the window: what the South itself put there goes as well. */
	hosted_unmap(mm, LBX_PROGRAM_MIN, LBX_MAP_START_END - LBX_PROGRAM_MIN);
}

/*
 * The host process ends with its last task, and the host unmaps what it had while our parent goes on already. Its memory may be another's
 * by then: no program code runs here any more.
 */
static bool hosted_abandon(struct mm *mm)
{
	const struct cpu *cpu = current_cpu();

	return mm == current->mm && !cpu->vfork && READ_ONCE(cpu->hp->nr_tasks) == 1;
}

static const struct pager_ops hosted_pager = {
	.map = hosted_map,
	.unmap = hosted_unmap,
	.protect = hosted_protect,
	.move = hosted_move,
	.discard = hosted_discard,
	.advise = hosted_advise,
	.unmap_all = hosted_unmap_all,
	.abandon = hosted_abandon,
};
const struct pager_ops *pager = &hosted_pager;
