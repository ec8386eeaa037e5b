/* SPDX-License-Identifier: MIT */
/*
 * Inside the VMA layer (lib/mm). Everything here is called with mm->lock held, unless it says otherwise.
 *
 * References to files and objects are not put under mm->lock (the last one may take an inode's lock, which is outside of it): what
 * leaves the tree goes on a list of trash, and trash_free() is called once the lock is gone.
 */
#ifndef LIB_MM_VMA_H
#define LIB_MM_VMA_H

#include "mm/mm.h"
#include "mm/page.h"
#include "process/limits.h"
#include "south/south.h"
#include "uapi/window.h"

#define MM_START	LBX_PROGRAM_MIN		/* vm.mmap_min_addr */
/* Mappings end here too, not only start below: so every part of one may be given to the host, whose filter looks at starts. */
#define MM_END		LBX_MAP_START_END
#define MM_LEN_END	LBX_MAP_LEN_END
#define MAX_MAP_COUNT	65530u
#define STACK_GUARD	(256 * PAGE_SIZE)
#define EAGER_HOLES	4096u			/* pages of a file that mapping it allocates; more are left to mm_fault() */
#define LAZY_CHUNK	(2ul << 20)
#define STACK_RND_MAX	(16ull << 30)		/* how far the stack is moved by at random, as on Linux */

#define VMA_MAY_ALL	(VMA_MAYREAD | VMA_MAYWRITE | VMA_MAYEXEC)

static inline u64 vma_pages(const struct vma *v) { return (v->end - v->start) >> PAGE_SHIFT; }
static inline bool vma_shared(const struct vma *v) { return v->flags & MAP_SHARED; }
static inline struct pagecache *vma_pagecache(const struct vma *v)
{
	return v->obj && v->obj->kind == VM_PAGECACHE ? v->obj->pc : NULL;
}
static inline bool range_ok(u64 addr, u64 len)
{
	return addr >= MM_START && len <= MM_END && addr <= MM_END - len;
}

struct vma *vma_prev(const struct vma *v);
/* vma_sealed() - is there something in [start, end) that no call may change? */
bool vma_sealed(struct mm *mm, u64 start, u64 end);
/* vma_at() - the VMA that holds @addr, or NULL */
struct vma *vma_at(struct mm *mm, u64 addr);
/* vma_alloc() - zeroed, of no tree */
__must_check struct vma *vma_alloc(struct mm *mm);
/* vma_insert() - into the tree and the counts; vma_remove(): the reverse, and onto @trash (its page cache forgets it) */
void vma_insert(struct mm *mm, struct vma *v);
void vma_remove(struct mm *mm, struct vma *v, struct list *trash);
/* vma_count() - what @v adds to the mm's counters; sign -1: takes away. Around any change of prot, flags, start or end */
void vma_count(struct mm *mm, const struct vma *v, s64 sign);
/* vma_split() - @v ends at @addr now, the new one that is returned begins there; NULL: -ENOMEM */
__must_check struct vma *vma_split(struct mm *mm, struct vma *v, u64 addr);
/* vma_merge() - join @v with its neighbours as far as they are alike; Return: the one that holds @v's range now */
struct vma *vma_merge(struct mm *mm, struct vma *v, struct list *trash);
bool vma_alike(const struct vma *a, const struct vma *b, u32 ignore_flags);
/* vma_isolate() - split so that @v is exactly its part of [start, end). Return: that VMA or NULL (-ENOMEM) */
__must_check struct vma *vma_isolate(struct mm *mm, struct vma *v, u64 start, u64 end);
void trash_free(struct list *trash);		/* mm->lock not held */

/* gap_find() - where @len bytes are free, for mmap without MAP_FIXED. Return: address or -ENOMEM */
long gap_find(struct mm *mm, u64 hint, u64 len, u32 flags);
bool gap_free(struct mm *mm, u64 addr, u64 len);
void gap_freed(struct mm *mm, u64 end);		/* memory below @end was unmapped */

/* mm_may_grow() - RLIMIT_AS and RLIMIT_DATA allow @pages more. Return: 0 or -ENOMEM */
int mm_may_grow(struct mm *mm, u64 pages, bool data);
bool mm_lock_ok(struct mm *mm, u64 pages);	/* RLIMIT_MEMLOCK */
bool is_data(u32 prot, u32 flags, bool stack);	/* counts as data: private and writable */

/*
 * vma_back() - make the pager back the part [start, end) of @v; what cannot or should not be backed now becomes lazy
 * @replaced: there may be something the pager has to take away. Return: 0 or -errno; then the range is in an unknown state.
 */
int vma_back(struct mm *mm, struct vma *v, bool populate, bool replaced);
/* unmap_range() - books and pager */
int unmap_range(struct mm *mm, u64 start, u64 end, struct list *trash);
/* map_range() - as mm_map_object(), the place is known and checked; @obj's and @file's references are taken (on success too) */
struct map_request {
	u64 addr, len, off;
	u32 prot, flags;	/* flags: of the VMA */
	struct vm_object *obj;
	struct file *file;
	const char *name;
	bool populate;
};
int map_range(struct mm *mm, const struct map_request *r, struct list *trash);
/* mm_work_locked() - what mm_do_work() does */
void mm_work_locked(struct mm *mm, struct list *trash);
void text_changed(struct mm *mm, u64 start, u64 end);

#endif
