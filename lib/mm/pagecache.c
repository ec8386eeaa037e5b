/* SPDX-License-Identifier: MIT */
/*
 * Page caches: allocation, and reading and writing by copy. What address spaces and truncation have to do with it is in
 * pagecache_map.c.
 *
 * Pages come in runs as long as can be had: a file that grows at its end gets room for half as much again (at most 2 MiB), so
 * that it lies in few extents, which costs the host few mappings; pagecache_trim() gives back what was not used.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/pagecache_internal.h"

#define RUN_MAX		512u		/* pages allocated at a time: 2 MiB */
#define SPARE_FROM	8u		/* a smaller file gets no room for growing */
#define BATCH		64u		/* pages pinned at a time */

struct pagecache *pagecache_create(void)
{
	struct pagecache *pc = kzalloc(sizeof(*pc));

	if (!pc)
		return NULL;
	ref_init(&pc->ref);
	mutex_init(&pc->lock);
	list_init(&pc->maps);
	return pc;
}

void pagecache_get(struct pagecache *pc) { ref_get(&pc->ref); }

void pagecache_put(struct pagecache *pc)
{
	if (!pc || !ref_put(&pc->ref))
		return;
	extent_remove(pc, 0, ~0ull, false);
	pagecache_spare_free(pc);
	kfree(pc);
}

u64 pagecache_pages(const struct pagecache *pc) { return READ_ONCE(pc->pages); }
pos_t pagecache_size(const struct pagecache *pc) { return READ_ONCE(pc->size); }

void pagecache_spare_free(struct pagecache *pc)
{
	if (pc->spare_nr)
		page_free(pc->spare, pc->spare_nr);
	pc->spare_nr = 0;
}

void pagecache_trim(struct pagecache *pc)
{
	if (!READ_ONCE(pc->spare_nr))
		return;
	mutex_lock(&pc->lock);
	pagecache_spare_free(pc);
	mutex_unlock(&pc->lock);
}

static struct extent *lookup(struct pagecache *pc, u64 pgoff)
{
	struct extent *e = pc->hint;

	if (e && pgoff - e->pgoff < e->nr)
		return e;
	e = extent_find(&pc->extents, pgoff);
	if (e)
		pc->hint = e;
	return e;
}

/* Pages that a truncate took and that are still mapped somewhere come back first. Return: how many, from @pgoff on. */
static u32 from_limbo(struct pagecache *pc, u64 pgoff, u64 nr, char **mem, bool *pinned)
{
	struct extent *e = extent_find(&pc->limbo, pgoff);
	u64 skip, take;

	if (!e || e->pgoff > pgoff)
		return 0;
	skip = pgoff - e->pgoff;
	take = min_t(u64, nr, e->nr - skip);
	*mem = e->mem + (skip << PAGE_SHIFT);
	*pinned = e->pinned;
	if (skip + take < e->nr && skip) {
		/* the middle: the rest goes back as an extent of its own, or comes along when there is no memory for that */
		if (extent_insert(pc, &pc->limbo, pgoff + take, (u32)(e->nr - skip - take),
				  *mem + (take << PAGE_SHIFT), e->pinned))
			return 0;
		e->nr = (u32)skip;
	} else if (skip) {
		e->nr = (u32)skip;
	} else if (take < e->nr) {
		e->pgoff += take;
		e->mem += take << PAGE_SHIFT;
		e->nr -= (u32)take;
	} else {
		extent_delete(pc, &pc->limbo, e);
	}
	memset(*mem, 0, take << PAGE_SHIFT);
	return (u32)take;
}

/* At most @nr new zeroed pages for @pgoff; @grows: at the end of what is there. Return: how many, 0: no memory. */
static u32 run_alloc(struct pagecache *pc, u64 pgoff, u32 nr, bool grows, char **mem)
{
	u32 want = nr, room = 0;

	if (pc->spare_nr) {
		if (pc->spare_pgoff == pgoff) {
			u32 take = min(nr, pc->spare_nr);

			*mem = pc->spare;
			pc->spare += (u64)take << PAGE_SHIFT;
			pc->spare_pgoff += take;
			pc->spare_nr -= take;
			return take;
		}
		pagecache_spare_free(pc);
	}
	if (grows && pc->pages >= SPARE_FROM)
		room = (u32)min_t(u64, pc->pages / 2, RUN_MAX - nr);
	*mem = page_alloc(nr + room);
	if (!*mem)
		room = 0;
	while (!*mem && want) {
		*mem = page_alloc(want);
		if (!*mem)
			want /= 2;
	}
	if (room) {
		pc->spare = *mem + ((u64)nr << PAGE_SHIFT);
		pc->spare_nr = room;
		pc->spare_pgoff = pgoff + nr;
	}
	return want;
}

/* All of [pgoff, pgoff + nr), lock held. Return: 0 or -ENOSPC; then pages before the failure stay. */
static int fill(struct pagecache *pc, u64 pgoff, u64 nr)
{
	u64 end = pgoff + nr;

	while (pgoff < end) {
		struct extent *e = lookup(pc, pgoff);
		bool pinned = false;
		u64 hole;
		char *mem;
		u32 got;

		if (e && e->pgoff <= pgoff) {
			pgoff = e->pgoff + e->nr;
			continue;
		}
		hole = min(end, e ? e->pgoff : end) - pgoff;
		got = from_limbo(pc, pgoff, hole, &mem, &pinned);
		if (!got) {
			struct extent *limbo = extent_find(&pc->limbo, pgoff);

			/* do not allocate anew what limbo still has for later pages of this hole */
			if (limbo)
				hole = limbo->pgoff > pgoff ? min(hole, limbo->pgoff - pgoff) : 1;
			got = run_alloc(pc, pgoff, (u32)min_t(u64, hole, RUN_MAX), !e, &mem);
		}
		if (!got)
			return -ENOSPC;
		if (extent_insert(pc, &pc->extents, pgoff, got, mem, pinned)) {
			extent_free_pages(mem, got, pinned);
			return -ENOSPC;
		}
		pc->pages += got;
		pgoff += got;
	}
	return 0;
}

int pagecache_populate(struct pagecache *pc, u64 pgoff, u64 nr)
{
	int ret;

	mutex_lock(&pc->lock);
	ret = fill(pc, pgoff, nr);
	mutex_unlock(&pc->lock);
	return ret;
}

int pagecache_fill(struct pagecache *pc, pos_t pos, pos_t len)
{
	u64 first = (u64)pos >> PAGE_SHIFT, nr;

	if (len <= 0)
		return 0;
	nr = (((u64)pos + (u64)len - 1) >> PAGE_SHIFT) - first + 1;
	/* Refuse what cannot fit before taking anything. */
	if (pagecache_holes(pc, first, nr) > (ram_total() - min(ram_used(), ram_total())) >> PAGE_SHIFT)
		return -ENOSPC;
	return pagecache_populate(pc, first, nr);
}

/*
 * The memory of at most @len bytes from @pos on, pinned, or NULL for a hole; *@len becomes what it is good for.
 * Bounded: BATCH pages at a time.
 */
static char *pin(struct pagecache *pc, u64 pos, size_t *len)
{
	u64 pgoff = pos >> PAGE_SHIFT, in = pos & (PAGE_SIZE - 1);
	struct extent *e = lookup(pc, pgoff);
	struct page *pg;
	u64 n, i;
	char *mem;

	if (!e || e->pgoff > pgoff) {
		if (e)
			*len = min_t(u64, *len, ((e->pgoff - pgoff) << PAGE_SHIFT) - in);
		return NULL;
	}
	n = min_t(u64, e->nr - (pgoff - e->pgoff), BATCH);
	*len = min_t(u64, *len, (n << PAGE_SHIFT) - in);
	n = (in + *len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	mem = e->mem + ((pgoff - e->pgoff) << PAGE_SHIFT);
	e->pinned = true;
	pg = page_of(mem);
	for (i = 0; i < n; i++)
		page_pin(pg + i);
	return mem + in;
}

static void unpin(char *mem, size_t len)
{
	struct page *pg = page_of(mem);
	u64 n = (((uintptr_t)mem & (PAGE_SIZE - 1)) + len + PAGE_SIZE - 1) >> PAGE_SHIFT;

	while (n--)
		page_unpin(pg++);
}

ssize_t pagecache_read(struct pagecache *pc, struct uio *to, pos_t pos, size_t len)
{
	size_t done = 0;

	len = min(len, to->left);
	while (done < len) {
		size_t n = len - done;
		ssize_t ret;
		char *mem;

		mutex_lock(&pc->lock);
		mem = pin(pc, (u64)pos + done, &n);
		mutex_unlock(&pc->lock);
		if (mem) {
			ret = uio_put(to, mem, n);
			unpin(mem, n);
		} else {
			ret = uio_zero(to, n);
		}
		if (ret <= 0)
			return done ? (ssize_t)done : ret;
		done += (size_t)ret;
		if ((size_t)ret < n)
			break;
	}
	return (ssize_t)done;
}

ssize_t pagecache_write(struct pagecache *pc, struct uio *from, pos_t pos, size_t len)
{
	size_t done = 0;

	len = min(len, from->left);
	while (done < len) {
		u64 at = (u64)pos + done;
		size_t n = min_t(size_t, len - done, RUN_MAX << PAGE_SHIFT);
		ssize_t ret;
		char *mem;
		int err;

		mutex_lock(&pc->lock);
		err = fill(pc, at >> PAGE_SHIFT, (((at & (PAGE_SIZE - 1)) + n - 1) >> PAGE_SHIFT) + 1);
		mem = pin(pc, at, &n);
		mutex_unlock(&pc->lock);
		if (!mem)
			return done ? (ssize_t)done : err;
		ret = uio_get(from, mem, n);
		unpin(mem, n);
		if (ret <= 0)
			return done ? (ssize_t)done : ret;
		done += (size_t)ret;
		if ((size_t)ret < n)
			break;
	}
	return (ssize_t)done;
}
