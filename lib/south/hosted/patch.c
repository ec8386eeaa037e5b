// SPDX-License-Identifier: MIT
/*
 * What is patched in an address space.
 *
 * A trap brings its site to patch_trapped() before the call is served. The page of text is copied, the copy gets the jump, and is
 * mapped over the page: nothing is ever writable and executable, and a thread sees the old page or the new one. The books of
 * lib/mm keep saying "private mapping of that file", which stays true: a change of rights, a move or a new mapping
 * (patch_text_changed()) first puts the file's own page back.
 *
 * Only private mappings of files that were never writable are patched. What a program writes itself (JIT), shared text, the vDSO,
 * and sites where nothing may move keep trapping.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/vma.h"
#include "process/task.h"
#include "south/hosted/cpu.h"
#include "south/hosted/pager.h"
#include "south/hosted/patch_internal.h"
#include "south/hosted/sigframe.h"
#include "south/south.h"

#define FILE_OFF_MAX	0x7fff0000ull	/* stubs have 32 bits for it */

/* Linux's numbers, as a hint: a page that is patched for these is gone with the address space a moment later. */
#define NR_EXECVE	59u
#define NR_EXIT_GROUP	231u
#define NR_EXECVEAT	322u

size_t user_copy(void *dst, const void *src, size_t n);

static bool patching;

void patch_init(bool on)
{
	patching = on;
}

/* ---- the pages of an address space; mm->lock and patch_lock are held ---- */

/* Index of the first page at or above @addr. */
static u32 page_index(const struct patch_mm *pm, u64 addr)
{
	u32 low = 0, high = pm->nr;

	while (low < high) {
		u32 mid = (low + high) / 2;

		if (pm->pages[mid].addr < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct patch_page *page_at(const struct patch_mm *pm, u64 addr)
{
	u32 i = page_index(pm, addr);

	return i < pm->nr && pm->pages[i].addr == addr ? &pm->pages[i] : NULL;
}

static int page_room(struct patch_mm *pm)
{
	u32 max = pm->max ? pm->max * 2 : 16;
	struct patch_page *pages;

	if (pm->nr < pm->max)
		return 0;
	pages = krealloc(pm->pages, pm->max * sizeof(*pages), max * sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	pm->pages = pages;
	pm->max = max;
	return 0;
}

static void page_put(const struct patch_page *pg)
{
	pg->text->users--;
	patch_copy_put(pg->copy);
}

/* Map text->copy at @addr; there is room for the record. */
static int page_map(struct patch_mm *pm, u64 addr, u32 prot, struct patch_text *text)
{
	struct patch_page *pg = page_at(pm, addr);
	long ret;
	u32 i;

	if (pg && pg->copy == text->copy)
		return 0;
	ret = south_map(SOUTH_MAP_BACK, addr, PAGE_SIZE, prot, SOUTH_MAP_POPULATE, hosted_ram_handle,
			ram_offset(text->copy->bytes));
	if (ret)
		return (int)ret;
	ref_get(&text->copy->ref);
	text->users++;
	if (pg) {
		page_put(pg);
	} else {
		i = page_index(pm, addr);
		memmove(&pm->pages[i + 1], &pm->pages[i], (pm->nr - i) * sizeof(*pg));
		pm->nr++;
		pg = &pm->pages[i];
	}
	*pg = (struct patch_page){ addr, text, text->copy };
	return 0;
}

/* ---- a trap ---- */

static struct patch_mm *patch_mm_get(struct mm *mm)
{
	if (!mm->patches)
		mm->patches = kzalloc(sizeof(struct patch_mm));
	return mm->patches;
}

static bool patchable(const struct vma *v)
{
	return v && v->obj && (v->prot & PROT_EXEC) && !(v->prot & PROT_WRITE) &&
	       !(v->flags & (MAP_SHARED | VMA_LAZY | VMA_ACCOUNT | VMA_SEALED)) && v->off + (v->end - v->start) < FILE_OFF_MAX;
}

/* The page that @v has at @addr holds @bytes and is not patched yet: find it among the known ones, or make it known. */
static struct patch_text *text_of_new(struct patch_mm *pm, const struct vma *v, u64 addr, const u8 *bytes, u32 in, u64 nr)
{
	u64 off = v->off + (addr - v->start);
	struct patch_text *text = patch_text_find(bytes, off);
	struct patch_window w;
	int base;

	if (text || !patch_window_find(bytes, in, nr, &w))
		return text;
	base = patch_base_find(pm, v->start - v->off);
	return base >= 0 ? patch_text_create(bytes, off, (u32)base) : NULL;
}

/* patch_lock is held. @bytes: what is at @addr, NULL when that is patched already. */
static int patch_locked(struct mm *mm, struct patch_mm *pm, const struct vma *v, u64 addr, const u8 *bytes, u32 in, u64 nr)
{
	struct patch_text *text;
	int ret = 0, ret2;

	if (!pm->bases) {
		ret = patch_area_setup(mm, pm);
		if (ret == -EEXIST)
			pm->off = true;
		if (ret)
			return ret;
	}
	text = bytes ? text_of_new(pm, v, addr, bytes, in, nr) : page_at(pm, addr)->text;
	if (!text)
		return -ENOENT;
	if (patch_text_site(text, in) < 0)
		ret = patch_text_add(text, in, nr);
	if (ret && !text->nr) {
		patch_text_free(text);	/* new, and of no use */
		return ret;
	}
	/* even when this site stays as it is: others of the page are known */
	ret2 = patch_base_set(pm, text->base, v->start - v->off);
	if (!ret2)
		ret2 = page_map(pm, addr, v->prot, text);
	if (ret2)
		return ret2;
	return ret ? ret : patch_text_site(text, in);
}

/*
 * Patch the SYSCALL at @site, executed as call @nr. Return: its stub, or -errno: it will trap again
 * mm->lock is held. The page is read with that alone: a file system that does not answer holds up nobody else.
 */
static int patch_site(struct mm *mm, struct patch_mm *pm, u64 site, u64 nr)
{
	/* the page of the byte before: what is before the SYSCALL moves more often than what is after */
	u64 addr = (site - 1) & PAGE_MASK;
	u32 in = (u32)(site - addr);
	struct vma *v = vma_at(mm, addr);
	u8 *bytes = NULL;
	int ret;

	if (pm->off || !patchable(v) || v->end < site + 2)
		return -EPERM;
	ret = page_room(pm);
	if (ret)
		return ret;
	if (!page_at(pm, addr)) {
		bytes = page_alloc_dirty(1);
		if (!bytes)
			return -ENOMEM;
		ret = user_copy(bytes, (const void *)addr, PAGE_SIZE) ? -EFAULT : 0;
	}
	if (!ret) {
		mutex_lock(&patch_lock);
		ret = patch_locked(mm, pm, v, addr, bytes, in, nr);
		mutex_unlock(&patch_lock);
	}
	if (bytes)
		page_free(bytes, 1);
	return ret;
}

static u64 *refused_slot(struct patch_mm *pm, u64 site)
{
	return &pm->refused[site * 0x9e3779b97f4a7c15ull >> 32 & (PATCH_REFUSED - 1)];
}

/* Is this call the last of its address space? A vfork's child execs in its parent's, which stays. */
static bool last_call(u64 nr)
{
	return nr == NR_EXIT_GROUP || ((nr == NR_EXECVE || nr == NR_EXECVEAT) && !READ_ONCE(current->vfork_parent));
}

void patch_trapped(struct regs *r)
{
	struct mm *mm = current->mm;
	u64 site = r->rip - 2, *refused, resume = 0;
	struct patch_mm *pm;
	int stub = -EPERM;

	atomic_add(&patch_counters.traps, 1ull);
	if (!patching || !mm || last_call(r->orig_rax))
		return;
	pm = READ_ONCE(mm->patches);
	if (pm && READ_ONCE(*refused_slot(pm, site)) == site)
		return;
	mutex_lock(&mm->lock);
	pm = patch_mm_get(mm);
	if (pm) {
		refused = refused_slot(pm, site);
		stub = patch_site(mm, pm, site, r->orig_rax);
		if (stub >= 0)
			resume = patch_stub_return(patch_stub_at((u32)stub), (u32)stub);
		if (stub < 0) {
			WRITE_ONCE(*refused, site);
			atomic_add(&patch_counters.refused, 1ull);
		}
	}
	mutex_unlock(&mm->lock);
	/* this call returns into what moved, as all that come after it */
	if (resume)
		hosted_set_resume(r, resume);
}

/* ---- threads that stand where nobody should see them ---- */

void patch_unwind(struct regs *r)
{
	const struct patch_stub *stub = patch_stub_at((u32)(r->rip - PATCH_STUBS) / PATCH_STUB_SIZE);
	struct mm *mm = current->mm;
	struct patch_mm *pm;

	/* a program that jumped somewhere into low memory itself is where it is */
	if (r->rip < PATCH_STUBS || !stub || !mm)
		return;
	mutex_lock(&mm->lock);
	pm = mm->patches;
	if (pm && pm->bases && pm->bases->slots[stub->base])
		r->rip = pm->bases->slots[stub->base] + (u64)(s64)stub->off +
			 patch_stub_origin(stub, (u32)(r->rip - PATCH_STUBS) % PATCH_STUB_SIZE);
	mutex_unlock(&mm->lock);
}

bool patch_fault(struct regs *r)
{
	struct mm *mm = current->mm;
	const struct patch_page *pg;
	struct patch_mm *pm = mm ? READ_ONCE(mm->patches) : NULL;
	u32 entry = 0, in;
	int nr = -1;

	if (!pm || !pm->bases)
		return false;
	mutex_lock(&mm->lock);
	mutex_lock(&patch_lock);
	pg = page_at(pm, r->rip & PAGE_MASK);
	if (pg) {
		in = (u32)(r->rip & (PAGE_SIZE - 1));
		nr = patch_text_window(pg->text, in);
		if (nr >= 0) {
			const struct patch_stub *stub = patch_stub_at((u32)nr);

			entry = patch_stub_entry(stub, in - ((u32)stub->off & (PAGE_SIZE - 1)));
			/*
			 * Behind the call the stub finds its way back by r11, which holds nothing there: the call would have
			 * overwritten it, and what moved does not name it.
			 */
			if (entry > stub->pre)
				r->r11 = pm->bases->slots[stub->base] + (u64)(s64)stub->off + stub->pre + 2 + stub->post;
		}
	}
	mutex_unlock(&patch_lock);
	mutex_unlock(&mm->lock);
	if (!entry)
		return false;
	atomic_add(&patch_counters.faults, 1ull);
	r->rip = PATCH_STUBS + (u64)(u32)nr * PATCH_STUB_SIZE + entry;
	return true;
}

/* ---- the life of an address space ---- */

void patch_text_changed(struct mm *mm, u64 addr, u64 len)
{
	struct patch_mm *pm = mm->patches;
	u32 i, kept;

	if (!pm)
		return;
	memset(pm->refused, 0, sizeof(pm->refused));
	mutex_lock(&patch_lock);
	kept = i = page_index(pm, addr);
	for (; i < pm->nr && pm->pages[i].addr < addr + len; i++) {
		struct patch_page *pg = &pm->pages[i];
		struct vma *v = vma_at(mm, pg->addr);

		/* The file's page again. Whatever is mapped there by now, the books have it right. */
		if (v && v->obj && !(v->flags & (MAP_SHARED | VMA_LAZY)) &&
		    pager->map(mm, pg->addr, PAGE_SIZE, v->prot, false, v->obj, v->off + (pg->addr - v->start), false, false)) {
			pm->pages[kept++] = *pg;
			continue;
		}
		page_put(pg);
	}
	memmove(&pm->pages[kept], &pm->pages[i], (pm->nr - i) * sizeof(*pm->pages));
	pm->nr -= i - kept;
	mutex_unlock(&patch_lock);
}

bool patch_stop(void)
{
	struct mm *mm = current->mm;
	bool was_on = false;

	mutex_lock(&mm->lock);
	if (mm->patches) {
		patch_text_changed(mm, 0, ~0ull);
		was_on = !((struct patch_mm *)mm->patches)->off;
		((struct patch_mm *)mm->patches)->off = true;
	}
	mutex_unlock(&mm->lock);
	return was_on;
}

int patch_fork(struct mm *child)
{
	struct patch_mm *from = current->mm ? current->mm->patches : NULL, *pm;

	if (!from)
		return 0;
	pm = kmemdup(from, sizeof(*from));
	if (!pm)
		return -ENOMEM;
	pm->max = from->nr;
	pm->pages = from->nr ? kmemdup(from->pages, from->nr * sizeof(*from->pages)) : NULL;
	if (from->nr && !pm->pages) {
		kfree(pm);
		return -ENOMEM;
	}
	mutex_lock(&patch_lock);
	if (pm->bases)
		ref_get(&pm->bases->ref);
	for (u32 i = 0; i < pm->nr; i++) {
		pm->pages[i].text->users++;
		ref_get(&pm->pages[i].copy->ref);
	}
	mutex_unlock(&patch_lock);
	child->patches = pm;
	return 0;
}

void patch_exit(struct mm *mm)
{
	struct patch_mm *pm = mm->patches;

	if (!pm)
		return;
	mm->patches = NULL;
	mutex_lock(&patch_lock);
	for (u32 i = 0; i < pm->nr; i++)
		page_put(&pm->pages[i]);
	patch_bases_put(pm->bases);
	mutex_unlock(&patch_lock);
	kfree(pm->pages);
	kfree(pm);
}

void patch_stats(void (*line)(void *arg, const char *name, u64 n), void *arg)
{
	line(arg, "traps", load_relaxed(&patch_counters.traps));
	line(arg, "patched sites", load_relaxed(&patch_counters.sites));
	line(arg, "pages of patched text", load_relaxed(&patch_counters.pages));
	line(arg, "sites left as they are", load_relaxed(&patch_counters.refused));
	line(arg, "faults in the middle of a patch", load_relaxed(&patch_counters.faults));
}
