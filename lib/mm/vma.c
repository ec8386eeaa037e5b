/* SPDX-License-Identifier: MIT */
/* The tree of VMAs: look-up, counting, splitting, merging. It knows nothing of the pager. */
#include "base/errno.h"
#include "base/string.h"
#include "mm/pagecache.h"
#include "mm/vma.h"

struct vma *vma_find(struct mm *mm, u64 addr)
{
	struct rb_node *n = mm->vmas.node;
	struct vma *best = NULL;

	while (n) {
		struct vma *v = rb_entry(n, struct vma, node);

		if (v->end > addr) {
			best = v;
			if (v->start <= addr)
				break;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

struct vma *vma_at(struct mm *mm, u64 addr)
{
	struct vma *v = vma_find(mm, addr);

	return v && v->start <= addr ? v : NULL;
}

struct vma *vma_next(const struct vma *v)
{
	struct rb_node *n = rb_next(&v->node);

	return n ? rb_entry(n, struct vma, node) : NULL;
}

struct vma *vma_prev(const struct vma *v)
{
	struct rb_node *n = rb_prev(&v->node);

	return n ? rb_entry(n, struct vma, node) : NULL;
}

bool vma_sealed(struct mm *mm, u64 start, u64 end)
{
	struct vma *v;

	for (v = vma_find(mm, start); v && v->start < end; v = vma_next(v))
		if (v->flags & VMA_SEALED)
			return true;
	return false;
}

struct vma *vma_alloc(struct mm *mm)
{
	struct vma *v = kzalloc(sizeof(*v));

	if (v) {
		v->mm = mm;
		v->trunc_from = ~0ull;
		list_init(&v->rmap);
	}
	return v;
}

bool is_data(u32 prot, u32 flags, bool stack)
{
	return (prot & PROT_WRITE) && !(flags & MAP_SHARED) && !stack;
}

void vma_count(struct mm *mm, const struct vma *v, s64 sign)
{
	u64 n = vma_pages(v) * (u64)sign;

	mm->seq++;
	mm->total_pages += n;
	if (v->flags & MAP_GROWSDOWN)
		mm->stack_pages += n;
	if (is_data(v->prot, v->flags, v->flags & MAP_GROWSDOWN))
		mm->data_pages += n;
	if (vma_shared(v))
		mm->shared_pages += n;
	if (v->prot & PROT_EXEC)
		mm->exec_pages += n;
	if (v->flags & MAP_LOCKED)
		mm->locked_pages += n;
	if (v->flags & VMA_ACCOUNT)
		mm->charged += n;
	/* What may be resident, as far as is known here: not what is only reserved. */
	mm->max_rss_pages = max(mm->max_rss_pages, (s64)(mm->charged + mm->exec_pages + mm->shared_pages));
}

void vma_insert(struct mm *mm, struct vma *v)
{
	struct rb_node **link = &mm->vmas.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = v->start < rb_entry(parent, struct vma, node)->start ? &parent->left : &parent->right;
	}
	rb_insert(&mm->vmas, &v->node, parent, link);
	mm->nr_vmas++;
	vma_count(mm, v, 1);
}

void vma_remove(struct mm *mm, struct vma *v, struct list *trash)
{
	struct pagecache *pc = vma_pagecache(v);

	rb_erase(&mm->vmas, &v->node);
	mm->nr_vmas--;
	vma_count(mm, v, -1);
	if (v->flags & VMA_ACCOUNT)
		ram_uncharge(vma_pages(v));
	if (pc)
		pagecache_unlink(pc, v);
	gap_freed(mm, v->end);
	list_add_tail(&v->rmap, trash);
}

void trash_free(struct list *trash)
{
	struct vma *v, *tmp;

	list_for_each_safe(v, tmp, trash, rmap) {
		vm_object_put(v->obj);
		if (v->file)
			file_put(v->file);
		kfree(v);
	}
	list_init(trash);
}

struct vma *vma_split(struct mm *mm, struct vma *v, u64 addr)
{
	struct pagecache *pc = vma_pagecache(v);
	struct vma *new;

	if (mm->nr_vmas >= MAX_MAP_COUNT)
		return NULL;
	new = vma_alloc(mm);
	if (!new)
		return NULL;
	new->start = addr;
	new->end = v->end;
	new->prot = v->prot;
	new->flags = v->flags;
	new->off = v->obj ? v->off + (addr - v->start) : 0;
	new->obj = v->obj;
	new->file = v->file;
	new->name = v->name;
	if (new->obj)
		vm_object_get(new->obj);
	if (new->file)
		file_get(new->file);
	if (pc)
		pagecache_link_split(pc, new, v);
	vma_count(mm, v, -1);
	v->end = addr;
	vma_count(mm, v, 1);
	vma_insert(mm, new);
	return new;
}

struct vma *vma_isolate(struct mm *mm, struct vma *v, u64 start, u64 end)
{
	if (v->start < start)
		v = vma_split(mm, v, start);
	if (v && v->end > end && !vma_split(mm, v, end))
		return NULL;
	return v;
}

static bool same_object(const struct vm_object *a, const struct vm_object *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->kind != b->kind || a->release || b->release)
		return false;
	return a->kind == VM_PAGECACHE ? a->pc == b->pc : a->handle == b->handle;
}

bool vma_alike(const struct vma *a, const struct vma *b, u32 ignore_flags)
{
	return a->end == b->start && a->prot == b->prot && !((a->flags ^ b->flags) & ~ignore_flags) &&
	       a->file == b->file && a->name == b->name && same_object(a->obj, b->obj) &&
	       (!a->obj || a->off + (a->end - a->start) == b->off);
}

/* @a takes @b's range over. A truncate that @b was told of must have been told to @a as well. */
static bool merge_two(struct mm *mm, struct vma *a, struct vma *b, struct list *trash)
{
	if (!vma_alike(a, b, 0) || READ_ONCE(b->trunc_from) < READ_ONCE(a->trunc_from))
		return false;
	vma_count(mm, a, -1);
	vma_count(mm, b, -1);
	rb_erase(&mm->vmas, &b->node);
	mm->nr_vmas--;
	a->end = b->end;
	vma_count(mm, a, 1);
	if (vma_pagecache(b))
		pagecache_unlink(b->obj->pc, b);
	list_add_tail(&b->rmap, trash);
	return true;
}

struct vma *vma_merge(struct mm *mm, struct vma *v, struct list *trash)
{
	struct vma *next = vma_next(v), *prev = vma_prev(v);

	if (next)
		merge_two(mm, v, next, trash);
	if (prev && merge_two(mm, prev, v, trash))
		return prev;
	return v;
}
