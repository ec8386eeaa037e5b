/* SPDX-License-Identifier: MIT */
/* struct pagecache, for lib/mm/pagecache*.c. */
#ifndef LIB_MM_PAGECACHE_INTERNAL_H
#define LIB_MM_PAGECACHE_INTERNAL_H

#include "base/rbtree.h"
#include "mm/mm.h"
#include "mm/page.h"
#include "mm/pagecache.h"

/* Pages that are neighbours in the file and in RAM. Never empty, never overlapping another. */
struct extent {
	struct rb_node node;
	u64 pgoff;
	u32 nr;
	bool pinned;		/* one of its pages was pinned once: frees must look at each */
	char *mem;
};

/*
 * limbo: extents that a truncate took while somebody mapped them. They are freed once every VMA that was told (trunc_from) let go, and
 * taken back, cleared, when the file grows there again: so it never holds more than the file once had.
 */
struct pagecache {
	ref_t ref;
	u32 nr_pending;		/* VMAs in maps with trunc_from set */
	struct mutex lock;	/* guards all below */
	struct rb_root extents;
	struct extent *hint;	/* of the last look-up */
	struct rb_root limbo;
	struct list maps;	/* of vma.rmap */
	u32 nr_writable;	/* of them, shared ones that may be written */
	bool sealed;		/* no more of those */
	bool first_used;
	u32 spare_nr;		/* pages kept for growing at the end: */
	char *spare;
	u64 spare_pgoff;	/* where they would go */
	u64 pages;		/* in extents */
	pos_t size;
	struct extent first;	/* most files have one extent: no second object for it */
};

static inline bool is_shared_writable(const struct vma *v)
{
	return (v->flags & (MAP_SHARED | VMA_MAYWRITE)) == (MAP_SHARED | VMA_MAYWRITE);
}

/* extent_find() - the first one that ends above @pgoff, or NULL */
struct extent *extent_find(const struct rb_root *root, u64 pgoff);
struct extent *extent_next(const struct extent *e);
/* extent_insert() - Return: 0 or -ENOMEM */
__must_check int extent_insert(struct pagecache *pc, struct rb_root *root, u64 pgoff, u32 nr, char *mem, bool pinned);
void extent_delete(struct pagecache *pc, struct rb_root *root, struct extent *e);
/*
 * extent_remove() - take pages [from, to) out of the tree; free them, or put them in limbo
 * What cannot be taken out for want of memory is cleared and stays.
 */
void extent_remove(struct pagecache *pc, u64 from, u64 to, bool limbo);
void extent_free_pages(char *mem, u32 nr, bool pinned);
void pagecache_spare_free(struct pagecache *pc);

#endif
