/* SPDX-License-Identifier: MIT */
/* Address spaces as a whole: made, copied for a fork, emptied; and the work that a truncate elsewhere leaves to them. */
#include "base/errno.h"
#include "base/random.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/pagecache.h"
#include "mm/vma.h"

#define MMAP_RND_PAGES	(1ull << 28)		/* vm.mmap_rnd_bits of x86-64 */
#define GAP_MIN		(128ull << 20)
#define GAP_MAX		(MM_END / 6 * 5)

/* Mappings begin below the stack: its limit, what it is moved by at random, and a guard. */
static u64 mmap_base_new(void)
{
	u64 gap = current && current->process ? rlimit(RLIM_STACK) : GAP_MIN;

	gap = min_t(u64, gap, GAP_MAX - STACK_RND_MAX) + STACK_RND_MAX + STACK_GUARD;
	gap = max_t(u64, gap, GAP_MIN);
	return (MM_END - gap - random_below(MMAP_RND_PAGES) * PAGE_SIZE) & PAGE_MASK;
}

struct mm *mm_create(void)
{
	struct mm *mm = kzalloc(sizeof(*mm));

	if (!mm)
		return NULL;
	ref_init(&mm->ref);
	mutex_init(&mm->lock);
	wait_queue_init(&mm->work_wait);
	mm->dumpable = true;
	mm->mmap_base = mmap_base_new();
	mm->hole_cache = mm->mmap_base;
	return mm;
}

void mm_get(struct mm *mm) { ref_get(&mm->ref); }

/* The books alone: nobody runs here any more, or the pager has unmapped all. */
static void forget_all(struct mm *mm, struct list *trash)
{
	struct rb_node *n;

	while ((n = rb_first(&mm->vmas)))
		vma_remove(mm, rb_entry(n, struct vma, node), trash);
	mm->hole_cache = mm->mmap_base;
	mm->hole_size = 0;
}

void mm_set_strings(struct mm *mm, char *args, size_t args_len, char *envs, size_t envs_len)
{
	struct exec_strings *x = mm->strings ? NULL : kmalloc(sizeof(*x));

	if (!x) {
		kfree(args);
		kfree(envs);
		return;
	}
	*x = (struct exec_strings){ .args = args, .envs = envs, .args_len = args_len, .envs_len = envs_len };
	ref_init(&x->ref);
	store_release(&mm->strings, x);
}

static void exec_strings_put(struct exec_strings *x)
{
	if (!x || !ref_put(&x->ref))
		return;
	kfree(x->args);
	kfree(x->envs);
	kfree(x);
}

void mm_put(struct mm *mm)
{
	LIST_HEAD(trash);

	if (!mm || !ref_put(&mm->ref))
		return;
	forget_all(mm, &trash);
	trash_free(&trash);
	if (mm->exe)
		file_put(mm->exe);
	exec_strings_put(mm->strings);
	kfree(mm);
}

static void clear(struct mm *mm, bool unmap)
{
	LIST_HEAD(trash);

	mutex_lock(&mm->lock);
	if (unmap)
		pager->unmap_all(mm);
	forget_all(mm, &trash);
	mutex_unlock(&mm->lock);
	trash_free(&trash);
}

void mm_clear(struct mm *mm)
{
	clear(mm, true);
}

void mm_abandon(struct mm *mm)
{
	clear(mm, !pager->abandon || !pager->abandon(mm));
}

/* Unmap [start, end) of @v, which is its end, and make that part lazy. Return: 0, or -errno and nothing changed */
static int unmap_tail(struct mm *mm, struct vma *v, u64 start)
{
	u64 end = v->end;
	struct vma *part = v;
	int ret;

	if (start > v->start) {
		part = vma_split(mm, v, start);
		/* Without memory or room for that, all of a shared VMA can be lazy; a private one has copies to keep. */
		if (!part && !vma_shared(v))
			return -ENOMEM;
		if (!part) {
			part = v;
			start = v->start;
		}
	}
	ret = pager->unmap(mm, start, end - start);
	if (ret)
		return ret;
	part->flags |= VMA_LAZY;
	mm->seq++;
	if (part != v)
		(void)pagecache_ack(part->obj->pc, part, 0);
	if (part->prot & PROT_EXEC)
		text_changed(mm, start, end);
	return 0;
}

/* Unmap what a truncate of its object took from @v. */
static int let_go(struct mm *mm, struct vma *v)
{
	u64 from, start;
	int ret;

	do {
		from = READ_ONCE(v->trunc_from);
		if (from == ~0ull)
			return 0;
		start = v->start;
		if (from > v->off)
			start = from - v->off >= v->end - start ? v->end : start + (from - v->off);
		if (start < v->end && !(v->flags & VMA_LAZY)) {
			ret = unmap_tail(mm, v, start);
			if (ret)
				return ret;
		}
	} while (!pagecache_ack(v->obj->pc, v, from));
	return 0;
}

void mm_work_locked(struct mm *mm, struct list *trash)
{
	struct vma *v;

	if (likely(!READ_ONCE(mm->work_pending)) || !atomic_xchg(&mm->work_pending, 0u))
		return;
	for (v = vma_find(mm, 0); v; v = vma_next(v)) {
		if (!vma_pagecache(v))
			continue;
		/* The host has no room for it now: the pages stay in limbo until it is done, with the next call that maps. */
		if (let_go(mm, v))
			store_relaxed(&mm->work_pending, 1u);
		v = vma_merge(mm, v, trash);
	}
}

void mm_do_work(void)
{
	struct mm *mm = current->mm;
	LIST_HEAD(trash);

	if (!mm)
		return;
	mutex_lock(&mm->lock);
	mm_work_locked(mm, &trash);
	mutex_unlock(&mm->lock);
	trash_free(&trash);
	wake_up_all(&mm->work_wait);
}

static int clone_vma(struct mm *mm, const struct vma *from)
{
	struct vma *v = vma_alloc(mm);

	if (!v)
		return -ENOMEM;
	v->start = from->start;
	v->end = from->end;
	v->prot = from->prot;
	v->flags = from->flags & ~(u32)(MAP_LOCKED | VMA_LOCKONFAULT);
	v->off = from->off;
	v->obj = from->obj;
	v->file = from->file;
	v->name = from->name;
	if (from->flags & VMA_DONTFORK) {
		/* the South's copy has it: mm_fork_fixup() unmaps it */
		v->flags |= VMA_FORK_DROP;
		mm->fork_fixup = true;
	}
	if (from->flags & VMA_WIPEONFORK)
		mm->fork_fixup = true;
	if ((v->flags & VMA_ACCOUNT) && !ram_charge(vma_pages(v))) {
		kfree(v);
		return -ENOMEM;
	}
	if (v->obj)
		vm_object_get(v->obj);
	if (v->file)
		file_get(v->file);
	if (vma_pagecache(v))
		pagecache_link_split(v->obj->pc, v, from);
	vma_insert(mm, v);
	return 0;
}

/* @mm, which has no VMAs, gets @old's; old->lock held. Return: 0 or -ENOMEM; then @mm has some of them */
static int copy_vmas(struct mm *mm, struct mm *old)
{
	struct vma *v;
	int ret = 0;

	mm->fork_fixup = false;
	mm->work_pending = 0;
	mm->cloned_seq = old->seq;
	mm->brk = old->brk;
	for (v = vma_find(old, 0); v && !ret; v = vma_next(v))
		ret = clone_vma(mm, v);
	return ret;
}

struct mm *mm_clone(struct mm *old)
{
	struct mm *mm = kzalloc(sizeof(*mm));
	LIST_HEAD(trash);
	int ret;

	if (!mm)
		return NULL;
	mutex_lock(&old->lock);
	mm_work_locked(old, &trash);
	memcpy(mm, old, sizeof(*mm));
	ref_init(&mm->ref);
	mutex_init(&mm->lock);
	wait_queue_init(&mm->work_wait);
	mm->vmas = (struct rb_root)RB_ROOT;
	mm->nr_vmas = 0;
	mm->total_pages = mm->locked_pages = mm->data_pages = mm->shared_pages = mm->stack_pages = 0;
	mm->charged = mm->exec_pages = 0;
	mm->def_flags = 0;
	mm->users = 0;
	mm->south = NULL;
	mm->patches = NULL;
	mm->max_rss_pages = 0;
	if (mm->exe)
		file_get(mm->exe);
	if (mm->strings)
		ref_get(&mm->strings->ref);
	ret = copy_vmas(mm, old);
	mutex_unlock(&old->lock);
	trash_free(&trash);
	if (ret) {
		mm_put(mm);
		return NULL;
	}
	return mm;
}

int mm_start_fork(struct task *t)
{
	struct mm *old = current->mm, *mm = t->mm;
	LIST_HEAD(trash);
	int ret = 0;

	if (!old)
		return machine->start_fork(t);
	mutex_lock(&old->lock);
	mm_work_locked(old, &trash);
	if (mm->cloned_seq != old->seq) {
		forget_all(mm, &trash);
		ret = copy_vmas(mm, old);
	}
	if (!ret)
		ret = machine->start_fork(t);
	mutex_unlock(&old->lock);
	trash_free(&trash);
	return ret;
}

void mm_fork_fixup(void)
{
	struct mm *mm = current->mm;
	struct vma *v, *next;
	LIST_HEAD(trash);

	/* A truncate between the copy of the books and here kicked nobody of us. */
	if (!mm->fork_fixup && !READ_ONCE(mm->work_pending))
		return;
	mutex_lock(&mm->lock);
	for (v = vma_find(mm, 0); v; v = next) {
		next = vma_next(v);
		if (v->flags & VMA_FORK_DROP) {
			if (!pager->unmap(mm, v->start, v->end - v->start))
				vma_remove(mm, v, &trash);
		} else if ((v->flags & VMA_WIPEONFORK) && !(v->flags & VMA_LAZY)) {
			pager->discard(mm, v->start, v->end - v->start);
		}
	}
	mm->fork_fixup = false;
	mm_work_locked(mm, &trash);
	mutex_unlock(&mm->lock);
	trash_free(&trash);
}
