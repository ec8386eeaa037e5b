/* SPDX-License-Identifier: MIT */
/* The extents of a page cache: two trees (present, limbo) by file position. Callers hold pagecache.lock. */
#include "base/errno.h"
#include "base/string.h"
#include "mm/pagecache_internal.h"

struct extent *extent_find(const struct rb_root *root, u64 pgoff)
{
	struct rb_node *n = root->node;
	struct extent *best = NULL;

	while (n) {
		struct extent *e = rb_entry(n, struct extent, node);

		if (e->pgoff + e->nr > pgoff) {
			best = e;
			if (e->pgoff <= pgoff)
				break;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

struct extent *extent_next(const struct extent *e)
{
	struct rb_node *n = rb_next(&e->node);

	return n ? rb_entry(n, struct extent, node) : NULL;
}

static void extent_link(struct rb_root *root, struct extent *new)
{
	struct rb_node **link = &root->node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = new->pgoff < rb_entry(parent, struct extent, node)->pgoff ? &parent->left : &parent->right;
	}
	rb_insert(root, &new->node, parent, link);
}

int extent_insert(struct pagecache *pc, struct rb_root *root, u64 pgoff, u32 nr, char *mem, bool pinned)
{
	struct extent *prev = pgoff ? extent_find(root, pgoff - 1) : NULL;
	struct extent *e;

	/* Grow the one before when memory goes on there. */
	if (prev && prev->pgoff + prev->nr == pgoff && prev->mem + ((u64)prev->nr << PAGE_SHIFT) == mem &&
	    prev->nr + nr > nr) {
		prev->nr += nr;
		prev->pinned |= pinned;
		return 0;
	}
	if (!pc->first_used) {
		e = &pc->first;
		pc->first_used = true;
	} else {
		e = kmalloc(sizeof(*e));
		if (!e)
			return -ENOMEM;
	}
	*e = (struct extent){ .pgoff = pgoff, .nr = nr, .mem = mem, .pinned = pinned };
	extent_link(root, e);
	return 0;
}

void extent_delete(struct pagecache *pc, struct rb_root *root, struct extent *e)
{
	rb_erase(root, &e->node);
	if (pc->hint == e)
		pc->hint = NULL;
	if (e == &pc->first)
		pc->first_used = false;
	else
		kfree(e);
}

void extent_free_pages(char *mem, u32 nr, bool pinned)
{
	struct page *pg = page_of(mem);
	u32 i;

	if (!pinned) {
		page_free(mem, nr);
		return;
	}
	for (i = 0; i < nr; i++)
		page_drop(pg + i);
}

/* Take [from, to), which lies within @e, out. Return: false when that would need memory that is not there. */
static bool extent_cut(struct pagecache *pc, struct extent *e, u64 from, u64 to)
{
	u64 end = e->pgoff + e->nr;

	if (from == e->pgoff && to == end) {
		extent_delete(pc, &pc->extents, e);
	} else if (from == e->pgoff) {
		e->mem += (to - from) << PAGE_SHIFT;
		e->nr -= (u32)(to - from);
		e->pgoff = to;		/* still between its neighbours: the tree's order stays */
	} else if (to == end) {
		e->nr -= (u32)(to - from);
	} else {
		char *tail = e->mem + ((to - e->pgoff) << PAGE_SHIFT);

		e->nr = (u32)(from - e->pgoff);
		if (extent_insert(pc, &pc->extents, to, (u32)(end - to), tail, e->pinned)) {
			e->nr = (u32)(end - e->pgoff);
			return false;
		}
	}
	return true;
}

void extent_remove(struct pagecache *pc, u64 from, u64 to, bool limbo)
{
	while (from < to) {
		struct extent *e = extent_find(&pc->extents, from);
		u64 start, end;
		bool pinned;
		char *mem;
		u32 nr;

		if (!e || e->pgoff >= to)
			break;
		start = max(e->pgoff, from);
		end = min(e->pgoff + e->nr, to);
		mem = e->mem + ((start - e->pgoff) << PAGE_SHIFT);
		pinned = e->pinned;
		nr = (u32)(end - start);
		from = end;
		if (limbo && extent_insert(pc, &pc->limbo, start, nr, mem, pinned)) {
			memset(mem, 0, (u64)nr << PAGE_SHIFT);
			continue;
		}
		/* Only a hole in the middle can fail here, which no truncate (limbo) makes. */
		if (!extent_cut(pc, e, start, end)) {
			memset(mem, 0, (u64)nr << PAGE_SHIFT);
			continue;
		}
		pc->pages -= nr;
		if (!limbo)
			extent_free_pages(mem, nr, pinned);
	}
}
