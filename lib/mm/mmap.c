/* SPDX-License-Identifier: MIT */
/*
 * mmap(2) and munmap(2).
 *
 * A new VMA is in the books (and known to its page cache) before the pager maps it, so that a truncate in between is told; what
 * it replaces stays known until the pager has replaced it, so that no page is given back that the host still maps.
 */
#include "base/errno.h"
#include "base/string.h"
#include "fs/vfs.h"
#include "mm/pagecache.h"
#include "mm/vma.h"
#include "process/cred.h"

void text_changed(struct mm *mm, u64 start, u64 end)
{
	if (machine && machine->text_changed)
		machine->text_changed(mm, start, end - start);
}

int mm_may_grow(struct mm *mm, u64 pages, bool data)
{
	u64 as = rlimit(RLIM_AS), limit = rlimit(RLIM_DATA);

	if (as != RLIM64_INFINITY && mm->total_pages + pages > as >> PAGE_SHIFT)
		return -ENOMEM;
	if (data && limit != RLIM64_INFINITY && mm->data_pages + pages > limit >> PAGE_SHIFT)
		return -ENOMEM;
	return 0;
}

bool mm_lock_ok(struct mm *mm, u64 pages)
{
	u64 limit = rlimit(RLIM_MEMLOCK);

	return limit == RLIM64_INFINITY || mm->locked_pages + pages <= limit >> PAGE_SHIFT || capable(CAP_IPC_LOCK);
}

static int make_lazy(struct mm *mm, struct vma *v, bool replaced)
{
	v->flags |= VMA_LAZY;
	return replaced ? pager->unmap(mm, v->start, v->end - v->start) : 0;
}

/* Of a page cache: up to the end of the file, all or nothing now. */
static int back_pagecache(struct mm *mm, struct vma *v, bool populate, bool replaced)
{
	struct pagecache *pc = v->obj->pc;
	u64 eof = PAGE_ALIGN(pagecache_size(pc)), first = v->off >> PAGE_SHIFT, holes;
	int ret;

	if (v->off >= eof)
		return make_lazy(mm, v, replaced);
	if (v->end - v->start > eof - v->off) {
		struct vma *tail = vma_split(mm, v, v->start + (eof - v->off));

		if (!tail)
			return -ENOMEM;
		ret = make_lazy(mm, tail, replaced);
		if (ret)
			return ret;
	}
	holes = pagecache_holes(pc, first, vma_pages(v));
	if (holes && ((holes > EAGER_HOLES && !populate) || pagecache_populate(pc, first, vma_pages(v))))
		return make_lazy(mm, v, replaced);
	return pager->map(mm, v->start, v->end - v->start, v->prot, vma_shared(v), v->obj, v->off, populate, false);
}

int vma_back(struct mm *mm, struct vma *v, bool populate, bool replaced)
{
	if (vma_pagecache(v))
		return back_pagecache(mm, v, populate, replaced);
	return pager->map(mm, v->start, v->end - v->start, v->prot, vma_shared(v), v->obj, v->off, populate,
			  v->flags & MAP_NORESERVE);
}

/* All VMAs are cut at @start and @end. Return: the first one in between, NULL: none, ERR_PTR(-ENOMEM) */
static struct vma *cut_range(struct mm *mm, u64 start, u64 end)
{
	struct vma *v = vma_find(mm, start), *last;

	if (!v || v->start >= end)
		return NULL;
	/* A hole in the middle of one makes one more: as on Linux, not at the limit. */
	if (v->start < start && v->end > end && mm->nr_vmas >= MAX_MAP_COUNT - 1)
		return ERR_PTR(-ENOMEM);
	if (v->start < start) {
		v = vma_split(mm, v, start);
		if (!v)
			return ERR_PTR(-ENOMEM);
	}
	last = vma_at(mm, end - 1);
	if (last && last->end > end && !vma_split(mm, last, end))
		return ERR_PTR(-ENOMEM);
	return v;
}

/* Put the pieces together again that cut_range() made. */
static void uncut_range(struct mm *mm, u64 start, u64 end, struct list *trash)
{
	struct vma *v = vma_at(mm, start);

	if (v)
		vma_merge(mm, v, trash);
	v = vma_at(mm, end);
	if (v)
		vma_merge(mm, v, trash);
}

int unmap_range(struct mm *mm, u64 start, u64 end, struct list *trash)
{
	struct vma *first = cut_range(mm, start, end), *v, *next;
	u64 from, to = 0;
	bool exec = false;
	int ret;

	if (!first)
		return 0;
	if (IS_ERR(first)) {
		uncut_range(mm, start, end, trash);
		return -ENOMEM;
	}
	from = first->start;
	for (v = first; v && v->start < end; v = vma_next(v)) {
		to = v->end;
		exec |= v->prot & PROT_EXEC;
	}
	ret = pager->unmap(mm, from, to - from);
	if (ret) {
		uncut_range(mm, start, end, trash);
		return ret;
	}
	for (v = first; v && v->start < end; v = next) {
		next = vma_next(v);
		vma_remove(mm, v, trash);
	}
	if (exec)
		text_changed(mm, from, to);
	return 0;
}

/* Take the VMAs of a range out of the tree, but leave them known to their page caches: into @old. */
static void detach_range(struct mm *mm, struct vma *first, u64 end, struct vma **old, bool *exec)
{
	struct vma *v = first, *next;

	for (; v && v->start < end; v = next) {
		next = vma_next(v);
		*exec |= v->prot & PROT_EXEC;
		rb_erase(&mm->vmas, &v->node);
		mm->nr_vmas--;
		vma_count(mm, v, -1);
		/* chained by a pointer that only the tree uses */
		v->node.right = *old ? &(*old)->node : NULL;
		*old = v;
	}
}

static void drop_detached(struct vma *old, struct list *trash)
{
	while (old) {
		struct vma *next = old->node.right ? rb_entry(old->node.right, struct vma, node) : NULL;

		if (old->flags & VMA_ACCOUNT)
			ram_uncharge(vma_pages(old));
		if (vma_pagecache(old))
			pagecache_unlink(old->obj->pc, old);
		list_add_tail(&old->rmap, trash);
		old = next;
	}
}

static void attach_again(struct mm *mm, struct vma *old)
{
	while (old) {
		struct vma *next = old->node.right ? rb_entry(old->node.right, struct vma, node) : NULL;

		vma_insert(mm, old);
		old = next;
	}
}

int map_range(struct mm *mm, const struct map_request *r, struct list *trash)
{
	u64 end = r->addr + r->len, pages = r->len >> PAGE_SHIFT;
	bool exec = r->prot & PROT_EXEC;
	struct vma *v, *first, *old = NULL;
	u32 flags = r->flags;
	int ret;

	if (is_data(r->prot, flags, false))
		flags |= VMA_ACCOUNT;
	if ((flags & VMA_ACCOUNT) && !ram_charge(pages))
		return -ENOMEM;
	ret = -ENOMEM;
	v = vma_alloc(mm);
	if (!v)
		goto err_uncharge;
	v->start = r->addr;
	v->end = end;
	v->prot = r->prot;
	v->flags = flags;
	v->off = r->obj ? r->off : 0;
	v->obj = r->obj;
	v->name = r->name;
	if (vma_pagecache(v)) {
		ret = pagecache_link(v->obj->pc, v);
		if (ret)
			goto err_free;
	}
	first = cut_range(mm, r->addr, end);
	if (IS_ERR(first)) {
		uncut_range(mm, r->addr, end, trash);
		ret = -ENOMEM;
		goto err_unlink;
	}
	if (v->obj)
		vm_object_get(v->obj);
	if (r->file) {
		v->file = r->file;
		file_get(v->file);
	}
	detach_range(mm, first, end, &old, &exec);
	vma_insert(mm, v);
	ret = vma_back(mm, v, r->populate, old != NULL);
	if (ret) {
		/* Half of it may be there, and its tail may be a VMA of its own. Does the host refuse even that, it has changed nothing. */
		bool gone = !pager->unmap(mm, r->addr, r->len);

		for (v = vma_find(mm, r->addr); v && v->start < end; v = first) {
			first = vma_next(v);
			vma_remove(mm, v, trash);
		}
		if (gone)
			drop_detached(old, trash);
		else
			attach_again(mm, old);
		uncut_range(mm, r->addr, end, trash);
	} else {
		drop_detached(old, trash);
	}
	if (exec)
		text_changed(mm, r->addr, end);
	if (ret)
		return ret;
	vma_merge(mm, v, trash);
	v = vma_at(mm, end - 1);
	if (v)
		vma_merge(mm, v, trash);
	return 0;

err_unlink:
	if (vma_pagecache(v))
		pagecache_unlink(v->obj->pc, v);
err_free:
	kfree(v);
err_uncharge:
	if (flags & VMA_ACCOUNT)
		ram_uncharge(pages);
	return ret;
}

/* Pages of [start, end) that are mapped already: MAP_FIXED replaces them. */
static u64 pages_in(struct mm *mm, u64 start, u64 end)
{
	struct vma *v;
	u64 n = 0;

	for (v = vma_find(mm, start); v && v->start < end; v = vma_next(v))
		n += (min(v->end, end) - max(v->start, start)) >> PAGE_SHIFT;
	return n;
}

static long place(struct mm *mm, u64 addr, u64 len, u32 flags)
{
	if (!(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)))
		return gap_find(mm, addr, len, flags);
	if (addr & ~PAGE_MASK)
		return -EINVAL;
	if (len > MM_END || addr > MM_END - len)
		return -ENOMEM;
	if (addr < MM_START)
		return -EPERM;
	if (flags & MAP_FIXED_NOREPLACE) {
		struct vma *v = vma_find(mm, addr);

		if (v && v->start < addr + len)
			return -EEXIST;
	}
	return vma_sealed(mm, addr, addr + len) ? -EPERM : (long)addr;
}

#define MAP_KEPT	(MAP_SHARED | MAP_GROWSDOWN | MAP_NORESERVE | MAP_LOCKED)

static long map_locked(struct mm *mm, struct map_request *r, u32 flags, struct list *trash)
{
	u64 pages = r->len >> PAGE_SHIFT, replaced = 0;
	long addr;
	int ret;

	if (mm->nr_vmas > MAX_MAP_COUNT - 1)
		return -ENOMEM;
	addr = place(mm, r->addr, r->len, flags);
	if (addr < 0)
		return addr;
	r->addr = (u64)addr;
	if (r->flags & MAP_LOCKED) {
		if (!rlimit(RLIM_MEMLOCK) && !capable(CAP_IPC_LOCK))
			return -EPERM;
		if (!mm_lock_ok(mm, pages))
			return -EAGAIN;
		r->populate = true;
	}
	if (flags & MAP_FIXED)
		replaced = pages_in(mm, r->addr, r->addr + r->len);
	if (mm_may_grow(mm, pages - replaced, is_data(r->prot, r->flags, r->flags & MAP_GROWSDOWN)))
		return -ENOMEM;
	ret = map_range(mm, r, trash);
	return ret ? ret : addr;
}

long mm_map_object(u64 addr, u64 len, u32 prot, u32 flags, struct vm_object *obj, u64 off, u32 may, struct file *file,
		   const char *name)
{
	struct map_request r = {
		.addr = addr, .len = PAGE_ALIGN(len), .off = off, .prot = prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
		.flags = (flags & MAP_KEPT & ~MAP_SHARED) | may | current->mm->def_flags,
		.obj = obj, .file = file, .name = name,
		.populate = (flags & MAP_POPULATE) && !(flags & MAP_NONBLOCK),
	};
	struct mm *mm = current->mm;
	LIST_HEAD(trash);
	long ret;

	if ((flags & MAP_TYPE) == MAP_SHARED || (flags & MAP_TYPE) == MAP_SHARED_VALIDATE)
		r.flags |= MAP_SHARED;
	if (!r.len || r.len >= MM_LEN_END) {
		ret = len ? -ENOMEM : -EINVAL;
	} else {
		mutex_lock(&mm->lock);
		mm_work_locked(mm, &trash);
		ret = map_locked(mm, &r, flags, &trash);
		mutex_unlock(&mm->lock);
	}
	trash_free(&trash);
	vm_object_put(obj);
	return ret;
}

/* Shared anonymous memory: a file without a name. All of it counts at once, as on Linux, unless it is MAP_NORESERVE. */
static struct vm_object *shared_anonymous(u64 len, u32 flags)
{
	struct pagecache *pc = pagecache_create();
	struct vm_object *obj;

	if (!pc)
		return ERR_PTR(-ENOMEM);
	pagecache_set_size(pc, (pos_t)len);
	if (!(flags & MAP_NORESERVE) && pagecache_fill(pc, 0, (pos_t)len)) {
		pagecache_put(pc);
		return ERR_PTR(-ENOMEM);
	}
	pagecache_trim(pc);
	obj = pagecache_object(pc);
	pagecache_put(pc);
	return obj;
}

static long map_anonymous(u64 addr, u64 len, u32 prot, u32 flags, const char *name)
{
	struct vm_object *obj = NULL;

	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
		if (flags & MAP_GROWSDOWN)
			return -EINVAL;
		obj = shared_anonymous(PAGE_ALIGN(len), flags);
		if (IS_ERR(obj))
			return PTR_ERR(obj);
		return mm_map_object(addr, len, prot, flags, obj, 0, VMA_MAY_ALL, NULL, name ? name : "/dev/zero (deleted)");
	case MAP_PRIVATE:
		return mm_map_object(addr, len, prot, flags, NULL, 0, VMA_MAY_ALL, NULL, name);
	default:
		return -EINVAL;
	}
}

/* The flags that MAP_SHARED_VALIDATE knows; the last two are MAP_ABOVE4G and the size of huge pages. */
#define MAP_VALIDATED	(MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_GROWSDOWN | MAP_LOCKED | \
			 MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT | 0x80 | 0x1f << 26)

/* No huge page was ever reserved here; sizes are 2 MiB and 1 GiB. */
static long huge_error(u32 flags)
{
	u32 size = flags >> 26;

	return !size || size == 21 || size == 30 ? -ENOMEM : -EINVAL;
}

static long map_file(u64 addr, u64 len, u32 prot, u32 flags, struct file *f, u64 off, const char *name)
{
	bool shared = false, writable = f->mode & FMODE_WRITE;
	u32 may = VMA_MAYREAD | VMA_MAYWRITE | VMA_MAYEXEC;
	struct vm_object *obj;

	switch (flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if (flags & ~(u32)MAP_VALIDATED)
			return -EOPNOTSUPP;
		fallthrough;
	case MAP_SHARED:
		shared = true;
		if ((prot & PROT_WRITE) && !writable)
			return -EACCES;
		if (!writable)
			may &= ~(u32)VMA_MAYWRITE;
		fallthrough;
	case MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	if (!(f->mode & FMODE_READ))
		return -EACCES;
	if (f->mount && ((f->mount->flags & MNT_NOEXEC) || (f->mount->sb->flags & SB_NOEXEC))) {
		if (prot & PROT_EXEC)
			return -EPERM;
		may &= ~(u32)VMA_MAYEXEC;
	}
	if (!f->ops->mmap)
		return -ENODEV;
	if (flags & (MAP_GROWSDOWN | MAP_HUGETLB))
		return -EINVAL;
	obj = f->ops->mmap(f, shared && writable);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	return mm_map_object(addr, len, prot, flags, obj, off, may, f, name);
}

long mm_map(u64 addr, u64 len, u32 prot, u32 flags, struct file *file, u64 off, const char *name)
{
	u64 pages = PAGE_ALIGN(len);

	if (!len)
		return -EINVAL;
	if (!pages || pages >= MM_LEN_END)
		return -ENOMEM;
	if (off + pages < off || off + pages > (u64)INT64_MAX)
		return -EOVERFLOW;
	if (file)
		return map_file(addr, len, prot, flags, file, off, name);
	if (flags & MAP_HUGETLB)
		return huge_error(flags);
	return map_anonymous(addr, len, prot, flags, name);
}

int mm_unmap(u64 addr, u64 len)
{
	struct mm *mm = current->mm;
	LIST_HEAD(trash);
	int ret;

	if ((addr & ~PAGE_MASK) || !len || addr > MM_END || len > MM_END - addr)
		return -EINVAL;
	len = PAGE_ALIGN(len);
	mutex_lock(&mm->lock);
	mm_work_locked(mm, &trash);
	ret = vma_sealed(mm, addr, addr + len) ? -EPERM : unmap_range(mm, addr, addr + len, &trash);
	mutex_unlock(&mm->lock);
	trash_free(&trash);
	return ret;
}

int mm_reserve(struct mm *mm, u64 addr, u64 len, u32 prot, const char *name)
{
	struct vma *v;

	if (!gap_free(mm, addr, len))
		return -EEXIST;
	v = mm->nr_vmas < MAX_MAP_COUNT ? vma_alloc(mm) : NULL;
	if (!v)
		return -ENOMEM;
	v->start = addr;
	v->end = addr + len;
	v->prot = prot;
	v->flags = VMA_SEALED;
	v->name = name;
	vma_insert(mm, v);
	return 0;
}

void mm_unreserve(struct mm *mm, u64 addr)
{
	struct vma *v = vma_at(mm, addr);
	LIST_HEAD(trash);

	(void)pager->unmap(mm, v->start, v->end - v->start);
	vma_remove(mm, v, &trash);
	trash_free(&trash);	/* nothing that could need a lock */
}
