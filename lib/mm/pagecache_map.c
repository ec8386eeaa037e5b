/* SPDX-License-Identifier: MIT */
/*
 * Page caches and those who map them.
 *
 * Each VMA that maps a page cache is on its list (maps). A truncate moves the pages it takes to limbo, tells each VMA from where on
 * to let go (trunc_from) and kicks the tasks of its mm into mm_do_work(), which unmaps and then calls pagecache_ack(). With the last
 * ack limbo is freed. So a page is never used for something else while a process can reach it; and the truncate waits for nobody: a
 * process that sleeps in the library kernel lets go before it runs again.
 * A hole punched into a mapped file keeps its pages, cleared: mappings see zeros at once, and the host gets the memory.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/pagecache_internal.h"
#include "mm/vma.h"
#include "process/pid.h"
#include "south/south.h"

#define NOTHING		(~0ull)
#define DISCARD_FROM	16u		/* fewer pages are cleared by hand: cheaper than the host call and the faults */

/*
 * Mark the address spaces of all VMAs in the list, collect up to @max that nobody marked yet. Without references: they are only
 * compared, and the last put of one could want the inode's lock, which our caller has.
 */
static u32 collect(struct pagecache *pc, struct mm **mms, u32 max)
{
	struct vma *v;
	u32 n = 0;

	list_for_each(v, &pc->maps, rmap) {
		if (n == max)
			break;
		if (!atomic_xchg(&v->mm->work_pending, 1u))
			mms[n++] = v->mm;
	}
	return n;
}

static void kick(const struct mm *mm)
{
	struct process *p;
	struct task *t;

	mutex_lock(&tasklist_lock);
	list_for_each(p, &process_list, pid_node)
		for_each_thread(p, t)
			if (READ_ONCE(t->mm) == mm && t != current)
				task_set_work(t, WORK_MM);
	mutex_unlock(&tasklist_lock);
}

static void tell_mappers(struct pagecache *pc)
{
	struct mm *mms[8];
	u32 n, i;

	do {
		mutex_lock(&pc->lock);
		n = collect(pc, mms, ARRAY_SIZE(mms));
		mutex_unlock(&pc->lock);
		for (i = 0; i < n; i++) {
			if (current && mms[i] == current->mm)
				mm_do_work();
			else
				kick(mms[i]);
		}
	} while (n == ARRAY_SIZE(mms));
}

static void zero_tail(struct pagecache *pc, pos_t pos)
{
	u64 pgoff = (u64)pos >> PAGE_SHIFT, in = (u64)pos & (PAGE_SIZE - 1);
	struct extent *e;

	if (!in)
		return;
	e = extent_find(&pc->extents, pgoff);
	if (e && e->pgoff <= pgoff)
		memset(e->mem + ((pgoff - e->pgoff) << PAGE_SHIFT) + in, 0, PAGE_SIZE - in);
}

void pagecache_truncate(struct pagecache *pc, pos_t size)
{
	u64 first = ((u64)size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	struct extent *e;
	bool tell = false;
	struct vma *v;

	mutex_lock(&pc->lock);
	WRITE_ONCE(pc->size, size);
	pagecache_spare_free(pc);
	zero_tail(pc, size);
	e = extent_find(&pc->extents, first);
	if (e && !list_empty(&pc->maps)) {
		tell = true;
		list_for_each(v, &pc->maps, rmap) {
			if (v->trunc_from == NOTHING)
				pc->nr_pending++;
			v->trunc_from = min(v->trunc_from, first << PAGE_SHIFT);
		}
	}
	if (e)
		extent_remove(pc, first, ~0ull, tell);
	mutex_unlock(&pc->lock);
	if (tell)
		tell_mappers(pc);
}

void pagecache_set_size(struct pagecache *pc, pos_t size)
{
	mutex_lock(&pc->lock);
	/* Whatever a mapping wrote behind the end must not become part of the file. */
	if (size > pc->size && !list_empty(&pc->maps))
		zero_tail(pc, pc->size);
	WRITE_ONCE(pc->size, size);
	mutex_unlock(&pc->lock);
}

static void limbo_free(struct pagecache *pc)
{
	struct rb_node *n;

	while ((n = rb_first(&pc->limbo))) {
		struct extent *e = rb_entry(n, struct extent, node);

		extent_free_pages(e->mem, e->nr, e->pinned);
		extent_delete(pc, &pc->limbo, e);
	}
}

static void settle(struct pagecache *pc, struct vma *v)
{
	if (v->trunc_from == NOTHING)
		return;
	v->trunc_from = NOTHING;
	if (!--pc->nr_pending)
		limbo_free(pc);
}

bool pagecache_ack(struct pagecache *pc, struct vma *v, u64 from)
{
	bool done;

	mutex_lock(&pc->lock);
	done = v->trunc_from >= from;
	if (done)
		settle(pc, v);
	mutex_unlock(&pc->lock);
	return done;
}

int pagecache_link(struct pagecache *pc, struct vma *v)
{
	mutex_lock(&pc->lock);
	if (pc->sealed && vma_shared(v)) {
		if (v->prot & PROT_WRITE) {
			mutex_unlock(&pc->lock);
			return -EPERM;
		}
		v->flags &= ~(u32)VMA_MAYWRITE;
	}
	pc->nr_writable += is_shared_writable(v);
	v->trunc_from = NOTHING;
	list_add_tail(&v->rmap, &pc->maps);
	mutex_unlock(&pc->lock);
	return 0;
}

void pagecache_link_split(struct pagecache *pc, struct vma *v, const struct vma *from)
{
	mutex_lock(&pc->lock);
	pc->nr_writable += is_shared_writable(v);
	v->trunc_from = from->trunc_from;
	if (v->trunc_from != NOTHING)
		pc->nr_pending++;
	list_add_tail(&v->rmap, &pc->maps);
	mutex_unlock(&pc->lock);
}

void pagecache_unlink(struct pagecache *pc, struct vma *v)
{
	mutex_lock(&pc->lock);
	list_del(&v->rmap);
	pc->nr_writable -= is_shared_writable(v);
	settle(pc, v);
	mutex_unlock(&pc->lock);
}

int pagecache_seal_writable(struct pagecache *pc, bool existing_too)
{
	int ret = 0;

	mutex_lock(&pc->lock);
	if (existing_too && pc->nr_writable)
		ret = -EBUSY;
	else
		pc->sealed = true;
	mutex_unlock(&pc->lock);
	return ret;
}

static void clear_pages(struct pagecache *pc, u64 from, u64 to)
{
	struct extent *e;

	for (e = extent_find(&pc->extents, from); e && e->pgoff < to; e = extent_next(e)) {
		u64 start = max(e->pgoff, from), nr = min(e->pgoff + e->nr, to) - start;
		char *mem = e->mem + ((start - e->pgoff) << PAGE_SHIFT);

		if (nr < DISCARD_FROM || south_map(SOUTH_MAP_DISCARD, (u64)(uintptr_t)mem, nr << PAGE_SHIFT, 0, 0,
						   SOUTH_NO_HANDLE, 0))
			memset(mem, 0, nr << PAGE_SHIFT);
	}
}

void pagecache_punch(struct pagecache *pc, pos_t pos, pos_t len)
{
	u64 end = (u64)pos + (u64)len, first = ((u64)pos + PAGE_SIZE - 1) >> PAGE_SHIFT, last = end >> PAGE_SHIFT;
	struct extent *e;

	if (len <= 0)
		return;
	mutex_lock(&pc->lock);
	if (first > last) {
		/* within one page */
		e = extent_find(&pc->extents, last);
		if (e && e->pgoff <= last)
			memset(e->mem + (u64)pos - (e->pgoff << PAGE_SHIFT), 0, (u64)len);
		mutex_unlock(&pc->lock);
		return;
	}
	zero_tail(pc, pos);
	e = extent_find(&pc->extents, last);
	if (e && e->pgoff <= last)
		memset(e->mem + ((last - e->pgoff) << PAGE_SHIFT), 0, end & (PAGE_SIZE - 1));
	if (list_empty(&pc->maps)) {
		pagecache_spare_free(pc);
		extent_remove(pc, first, last, false);
	} else {
		clear_pages(pc, first, last);
	}
	mutex_unlock(&pc->lock);
}

u64 pagecache_run(struct pagecache *pc, u64 pgoff, u64 max, void **mem, u64 *hole)
{
	struct extent *e;
	u64 nr = 0;

	mutex_lock(&pc->lock);
	e = extent_find(&pc->extents, pgoff);
	if (!e || e->pgoff > pgoff) {
		*hole = e ? min(max, e->pgoff - pgoff) : max;
	} else {
		nr = min(max, e->pgoff + e->nr - pgoff);
		*mem = e->mem + ((pgoff - e->pgoff) << PAGE_SHIFT);
	}
	mutex_unlock(&pc->lock);
	return nr;
}

u64 pagecache_holes(struct pagecache *pc, u64 pgoff, u64 nr)
{
	u64 end = pgoff + nr, there = 0;
	struct extent *e;

	mutex_lock(&pc->lock);
	for (e = extent_find(&pc->extents, pgoff); e && e->pgoff < end; e = extent_next(e))
		there += min(e->pgoff + e->nr, end) - max(e->pgoff, pgoff);
	mutex_unlock(&pc->lock);
	return nr - there;
}

pos_t pagecache_seek_data(struct pagecache *pc, pos_t pos, pos_t limit)
{
	struct extent *e;
	pos_t at = limit;

	mutex_lock(&pc->lock);
	e = extent_find(&pc->extents, (u64)pos >> PAGE_SHIFT);
	if (e)
		at = max(pos, (pos_t)(e->pgoff << PAGE_SHIFT));
	mutex_unlock(&pc->lock);
	return min(at, limit);
}

pos_t pagecache_seek_hole(struct pagecache *pc, pos_t pos, pos_t limit)
{
	u64 pgoff = (u64)pos >> PAGE_SHIFT;
	struct extent *e;

	mutex_lock(&pc->lock);
	e = extent_find(&pc->extents, pgoff);
	if (e && e->pgoff <= pgoff) {
		while (e && e->pgoff <= pgoff) {
			pgoff = e->pgoff + e->nr;
			e = extent_next(e);
		}
		pos = (pos_t)(pgoff << PAGE_SHIFT);
	}
	mutex_unlock(&pc->lock);
	return min(pos, limit);
}

struct vm_object *pagecache_object(struct pagecache *pc)
{
	struct vm_object *obj = kzalloc(sizeof(*obj));

	if (!obj)
		return ERR_PTR(-ENOMEM);
	ref_init(&obj->ref);
	obj->kind = VM_PAGECACHE;
	pagecache_get(pc);
	obj->pc = pc;
	return obj;
}

void vm_object_get(struct vm_object *obj) { ref_get(&obj->ref); }

void vm_object_put(struct vm_object *obj)
{
	if (!obj || !ref_put(&obj->ref))
		return;
	if (obj->release) {
		obj->release(obj);
		return;
	}
	if (obj->kind == VM_PAGECACHE)
		pagecache_put(obj->pc);
	kfree(obj);
}
