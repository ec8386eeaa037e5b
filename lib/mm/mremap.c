/* SPDX-License-Identifier: MIT */
/*
 * mremap(2). The range lies within one mapping, which may be several VMAs that differ in being lazy only. Each is moved for itself:
 * the new one is known to the page cache first, the pager moves, the old one goes. What is added at the end is a mapping of its own
 * that merges.
 */
#include "base/errno.h"
#include "mm/pagecache.h"
#include "mm/vma.h"
#include "process/cred.h"

#define MREMAP_MAYMOVE		1u
#define MREMAP_FIXED		2u
#define MREMAP_DONTUNMAP	4u

struct remap {
	struct mm *mm;
	u64 addr, old_len, new_len, to;
	u32 flags;
	struct list trash;
};

/* Flags of a VMA that its extension has as well. */
#define INHERITED	(~(u32)(VMA_LAZY | VMA_FORK_DROP))

/* More of what @v maps, from @at on, whose offset in the object is @off. @v's references are taken again. */
static int map_more(struct remap *r, const struct vma *v, u64 at, u64 len, u64 off)
{
	struct map_request req = {
		.addr = at, .len = len, .off = off, .prot = v->prot, .flags = v->flags & INHERITED,
		.obj = v->obj, .file = v->file, .name = v->name, .populate = v->flags & MAP_LOCKED,
	};

	return map_range(r->mm, &req, &r->trash);
}

/* Limits for growing by @pages; nothing is charged yet. */
static int may_grow(struct remap *r, const struct vma *v, u64 pages)
{
	if ((v->flags & MAP_LOCKED) && !mm_lock_ok(r->mm, pages))
		return -EAGAIN;
	return mm_may_grow(r->mm, pages, is_data(v->prot, v->flags, v->flags & MAP_GROWSDOWN));
}

/* The whole of @v to @to. */
static int move_vma(struct remap *r, struct vma *v, u64 to)
{
	struct mm *mm = r->mm;
	struct pagecache *pc = vma_pagecache(v);
	u64 from = v->start, len = v->end - v->start;
	bool keep = r->flags & MREMAP_DONTUNMAP, account = v->flags & VMA_ACCOUNT;
	struct vma *new = vma_alloc(mm);
	int ret = -ENOMEM;

	if (!new)
		return -ENOMEM;
	new->start = to;
	new->end = to + len;
	new->prot = v->prot;
	new->flags = v->flags;
	new->off = v->off;
	new->obj = v->obj;
	new->file = v->file;
	new->name = v->name;
	/* DONTUNMAP leaves a writable mapping behind, which counts too. */
	if (keep && account && !ram_charge(len >> PAGE_SHIFT))
		goto err_free;
	if (pc)
		pagecache_link_split(pc, new, v);
	if (v->flags & VMA_LAZY) {
		ret = 0;
	} else if (vma_shared(v)) {
		ret = pager->map(mm, to, len, v->prot, true, v->obj, v->off, false, false);
		if (!ret && !keep)
			ret = pager->unmap(mm, from, len);
		if (ret)
			pager->unmap(mm, to, len);
	} else {
		/* before: what moves has to be what the books say */
		if (v->prot & PROT_EXEC)
			text_changed(mm, from, from + len);
		ret = pager->move(mm, from, len, to);
	}
	if (ret)
		goto err_unlink;
	if (new->obj)
		vm_object_get(new->obj);
	if (new->file)
		file_get(new->file);
	vma_insert(mm, new);
	if (keep) {
		if (!(v->flags & VMA_LAZY) && !vma_shared(v) && vma_back(mm, v, false, false))
			v->flags |= VMA_LAZY;	/* nothing is there: a fault says so */
	} else {
		/* the charge went along */
		if (account)
			mm->charged -= len >> PAGE_SHIFT;
		v->flags &= ~(u32)VMA_ACCOUNT;
		vma_remove(mm, v, &r->trash);
	}
	if (new->prot & PROT_EXEC) {
		text_changed(mm, from, from + len);
		text_changed(mm, to, to + len);
	}
	return 0;

err_unlink:
	if (pc)
		pagecache_unlink(pc, new);
	if (keep && account)
		ram_uncharge(len >> PAGE_SHIFT);
err_free:
	kfree(new);
	return ret;
}

/* The VMAs of [from, from + len), which is cut at both ends, to @to. */
static int move_pieces(struct remap *r, u64 from, u64 len, u64 to)
{
	u64 done = 0;
	int ret = 0;

	while (done < len) {
		struct vma *v = vma_at(r->mm, from + done);
		u64 piece = v->end - v->start;

		ret = move_vma(r, v, to + done);
		if (ret)
			break;
		done += piece;
	}
	if (ret && done) {
		/* back again; DONTUNMAP's copies just go */
		if (r->flags & MREMAP_DONTUNMAP)
			unmap_range(r->mm, to, to + done, &r->trash);
		else if (move_pieces(r, to, done, from))
			return -EFAULT;
	}
	return ret;
}

static void merge_at(struct remap *r, u64 addr)
{
	struct vma *v = vma_at(r->mm, addr);

	if (v)
		vma_merge(r->mm, v, &r->trash);
}

static int cut_at(struct mm *mm, u64 addr)
{
	struct vma *v = vma_at(mm, addr);

	return v && v->start < addr && !vma_split(mm, v, addr) ? -ENOMEM : 0;
}

/* To r->to, which is free. */
static long move(struct remap *r)
{
	struct mm *mm = r->mm;
	struct vma *v = vma_at(mm, r->addr), *last;
	u64 len = r->old_len, off = v->off + (r->addr - v->start);
	int ret;

	if (mm->nr_vmas >= MAX_MAP_COUNT - 3)
		return -ENOMEM;
	if (!len) {
		/* A second mapping of the same shared object. */
		ret = map_more(r, v, r->to, r->new_len, off);
		return ret ? ret : (long)r->to;
	}
	/* What grows is mapped first: it can fail, and is easily undone. It may merge with what is to be moved: cut after it. */
	last = vma_at(mm, r->addr + len - 1);
	ret = r->new_len > len ? map_more(r, last, r->to + len, r->new_len - len, off + len) : 0;
	if (ret)
		return ret;
	ret = cut_at(mm, r->addr) || cut_at(mm, r->addr + len) ? -ENOMEM : move_pieces(r, r->addr, len, r->to);
	if (ret && r->new_len > len)
		unmap_range(mm, r->to + len, r->to + r->new_len, &r->trash);
	merge_at(r, r->addr);
	merge_at(r, r->addr + len);
	if (ret)
		return ret;
	merge_at(r, r->to);
	merge_at(r, r->to + len);
	return (long)r->to;
}

/* Where the mapping ends that @v belongs to, whatever of it is lazy. */
static u64 mapping_end(struct vma *v)
{
	struct vma *next;

	while ((next = vma_next(v)) && vma_alike(v, next, VMA_LAZY))
		v = next;
	return v->end;
}

static long remap_locked(struct remap *r)
{
	struct mm *mm = r->mm;
	struct vma *v = vma_at(mm, r->addr), *next;
	u64 grow = r->new_len > r->old_len ? r->new_len - r->old_len : 0;
	bool fixed = r->flags & MREMAP_FIXED, keep = r->flags & MREMAP_DONTUNMAP;
	u64 end;
	long to;
	int ret;

	if (!v)
		return -EFAULT;
	if (vma_sealed(mm, r->addr, r->addr + max(r->old_len, 1ull)) ||
	    (fixed && r->new_len <= MM_END - r->to && vma_sealed(mm, r->to, r->to + r->new_len)))
		return -EPERM;
	if (fixed) {
		if ((r->to & ~PAGE_MASK) || r->to > MM_END || r->new_len > MM_END - r->to ||
		    (r->to < r->addr + r->old_len && r->addr < r->to + r->new_len))
			return -EINVAL;
		if (r->to < MM_START)
			return -EPERM;
	}
	if (!r->old_len && !vma_shared(v))
		return -EINVAL;
	if (fixed) {
		ret = unmap_range(mm, r->to, r->to + r->new_len, &r->trash);
		if (ret)
			return ret;
		v = vma_at(mm, r->addr);
		if (!v)
			return -EFAULT;
	}
	if (r->old_len > r->new_len) {
		ret = unmap_range(mm, r->addr + r->new_len, r->addr + r->old_len, &r->trash);
		if (ret)
			return ret;
		r->old_len = r->new_len;
		if (!fixed && !keep)
			return (long)r->addr;
		v = vma_at(mm, r->addr);
		if (!v)
			return -EFAULT;
	}
	end = mapping_end(v);
	if (r->old_len > end - r->addr)
		return -EFAULT;
	if (r->old_len == r->new_len && !fixed && !keep)
		return (long)r->addr;
	ret = may_grow(r, v, (keep ? r->new_len : grow) >> PAGE_SHIFT);
	if (ret)
		return ret;
	if (!fixed && !keep && r->old_len == end - r->addr && r->old_len) {
		v = vma_at(mm, end - 1);
		next = vma_next(v);
		if (r->new_len <= MM_END - r->addr && r->addr + r->new_len - v->start < MM_LEN_END &&
		    (!next || next->start >= r->addr + r->new_len)) {
			ret = map_more(r, v, end, grow, v->off + (end - v->start));
			return ret ? ret : (long)r->addr;
		}
	}
	if (!(r->flags & MREMAP_MAYMOVE))
		return -ENOMEM;
	if (!fixed) {
		to = gap_find(mm, keep ? r->to : 0, r->new_len, vma_shared(v) ? MAP_SHARED : 0);
		if (to < 0)
			return to;
		r->to = (u64)to;
	}
	return move(r);
}

long mm_remap(u64 addr, u64 old_len, u64 new_len, u32 flags, u64 to)
{
	struct remap r = { .mm = current->mm, .addr = addr, .to = to, .flags = flags };
	long ret;

	if (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP))
		return -EINVAL;
	if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) && old_len != new_len)
		return -EINVAL;
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	r.old_len = PAGE_ALIGN(old_len);
	r.new_len = PAGE_ALIGN(new_len);
	if (!r.new_len)
		return -EINVAL;
	if (r.new_len >= MM_LEN_END)
		return flags & MREMAP_FIXED && r.new_len > MM_END ? -EINVAL : -ENOMEM;
	/* What is beyond the end is mapped by nobody. */
	if (addr >= MM_END || r.old_len > MM_END - addr)
		return addr >= MM_END || r.old_len <= r.new_len ? -EFAULT : -EINVAL;
	list_init(&r.trash);
	mutex_lock(&r.mm->lock);
	mm_work_locked(r.mm, &r.trash);
	ret = remap_locked(&r);
	mutex_unlock(&r.mm->lock);
	trash_free(&r.trash);
	return ret;
}
