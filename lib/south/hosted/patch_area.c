// SPDX-License-Identifier: MIT
/*
 * Low memory: in every address space that has patched sites, at one address.
 *
 *	PATCH_BASES	a page: struct patch_bases of the address space
 *	PATCH_CELLS	64 KiB: pointers to stubs, and to the entries of the library kernel
 *	PATCH_STUBS	64 bytes of code a site
 *
 * Cells and stubs are RAM that all address spaces share; they are only ever added to, by the direct map, before a jump leads to
 * them. In the program window they are readable and executable. A thread may stand in a stub at any time, so none is used twice.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "south/hosted/cpu.h"
#include "south/hosted/pager.h"
#include "south/hosted/patch_internal.h"
#include "south/south.h"

#define CELL_STEP	8u
#define NR_STEPS	(PATCH_CELLS_SIZE / CELL_STEP)

static struct {
	u8 *memory;			/* cells, then stubs */
	struct patch_stub *stubs;
	u32 nr_stubs, nr_bases;
	u32 next_cell;			/* below it: used, or left for those that cannot choose freely */
	u64 used[NR_STEPS / 64];	/* of the cells, by 8 bytes */
} area;

#define AREA_SIZE	(PATCH_END - PATCH_CELLS)

static int area_init(void)
{
	u64 *cells;

	if (area.memory)
		return 0;
	area.stubs = page_alloc(DIV_ROUND_UP(PATCH_NR_STUBS * sizeof(*area.stubs), PAGE_SIZE));
	if (!area.stubs)
		return -ENOMEM;
	cells = page_alloc(AREA_SIZE / PAGE_SIZE);
	if (!cells) {
		page_free(area.stubs, DIV_ROUND_UP(PATCH_NR_STUBS * sizeof(*area.stubs), PAGE_SIZE));
		return -ENOMEM;
	}
	cells[(PATCH_CELL_ENTRY - PATCH_CELLS) / 8] = (u64)hosted_syscall_entry;
	cells[(PATCH_CELL_ENTRY_FAR - PATCH_CELLS) / 8] = (u64)hosted_syscall_entry_far;
	area.used[0] = 3;
	area.next_cell = PATCH_CELLS_SIZE;
	area.memory = (u8 *)cells;
	return 0;
}

static bool cell_free(u32 cell)
{
	u32 first = cell / CELL_STEP, last = (cell + 7) / CELL_STEP;

	return last < NR_STEPS && !(area.used[first / 64] >> first % 64 & 1) && !(area.used[last / 64] >> last % 64 & 1);
}

static void cell_use(u32 cell)
{
	u32 first = cell / CELL_STEP, last = (cell + 7) / CELL_STEP;

	area.used[first / 64] |= BIT(first % 64);
	area.used[last / 64] |= BIT(last % 64);
}

/* From the top for those that any will do; the few with rules look from the bottom. */
static int cell_alloc(u8 begins)
{
	if (!(begins & (BIT(3) | BIT(4)))) {
		while (area.next_cell) {
			area.next_cell -= CELL_STEP;
			if (cell_free(area.next_cell)) {
				cell_use(area.next_cell);
				return (int)area.next_cell;
			}
		}
		return -ENOSPC;
	}
	for (u32 cell = 0; cell < PATCH_CELLS_SIZE; cell++) {
		if (patch_cell_fits((u16)cell, begins) && cell_free(cell)) {
			cell_use(cell);
			return (int)cell;
		}
	}
	return -ENOSPC;
}

int patch_stub_alloc(struct patch_stub *stub, const u8 *insns)
{
	u8 code[PATCH_STUB_SIZE];
	u32 nr = area.nr_stubs;
	u64 target = PATCH_STUBS + (u64)nr * PATCH_STUB_SIZE;
	int cell;

	if (nr == PATCH_NR_STUBS)
		return -ENOSPC;
	cell = cell_alloc(stub->begins);
	if (cell < 0)
		return cell;
	stub->cell = (u16)cell;
	area.stubs[nr] = *stub;
	patch_stub_build(stub, nr, insns, code);
	memcpy(area.memory + (target - PATCH_CELLS), code, sizeof(code));
	memcpy(area.memory + cell, &target, sizeof(target));
	store_release(&area.nr_stubs, nr + 1);
	return (int)nr;
}

const struct patch_stub *patch_stub_at(u32 nr)
{
	return nr < load_acquire(&area.nr_stubs) ? &area.stubs[nr] : NULL;
}

void patch_bases_put(struct patch_bases *b)
{
	if (!b || !ref_put(&b->ref))
		return;
	page_free(b->slots, 1);
	kfree(b);
}

static struct patch_bases *bases_alloc(void)
{
	struct patch_bases *b = kmalloc(sizeof(*b));

	if (!b)
		return NULL;
	ref_init(&b->ref);
	b->slots = page_alloc(1);
	if (!b->slots) {
		kfree(b);
		return NULL;
	}
	return b;
}

static int bases_map(const struct patch_bases *b)
{
	return (int)south_map(SOUTH_MAP_BACK, PATCH_BASES, PAGE_SIZE, PROT_READ, SOUTH_MAP_SHARED | SOUTH_MAP_POPULATE,
			      hosted_ram_handle, ram_offset(b->slots));
}

int patch_area_setup(struct mm *mm, struct patch_mm *pm)
{
	struct patch_bases *b;
	int ret = area_init();

	if (ret)
		return ret;
	b = bases_alloc();
	if (!b)
		return -ENOMEM;
	/* The books first: what the program has there stays. */
	ret = mm_reserve(mm, PATCH_BASES, PATCH_END - PATCH_BASES, PROT_READ | PROT_EXEC, "[litebox]");
	if (ret)
		goto err_put;
	ret = (int)south_map(SOUTH_MAP_BACK, PATCH_CELLS, AREA_SIZE, PROT_READ | PROT_EXEC, SOUTH_MAP_SHARED, hosted_ram_handle,
			     ram_offset(area.memory));
	if (!ret)
		ret = bases_map(b);
	if (ret)
		goto err_release;
	pm->bases = b;
	return 0;

err_release:
	mm_unreserve(mm, PATCH_BASES);
err_put:
	patch_bases_put(b);
	return ret;
}

int patch_base_find(const struct patch_mm *pm, u64 bias)
{
	for (u32 i = 0; i < area.nr_bases; i++)
		if (pm->bases->slots[i] == bias)
			return (int)i;
	return area.nr_bases < PATCH_NR_BASES ? (int)area.nr_bases++ : -ENOSPC;
}

static bool base_in_use(const struct patch_mm *pm, u32 base)
{
	for (u32 i = 0; i < pm->nr; i++)
		if (pm->pages[i].text->base == base)
			return true;
	return false;
}

int patch_base_set(struct patch_mm *pm, u32 base, u64 bias)
{
	struct patch_bases *old = pm->bases, *b;
	int ret;

	if (old->slots[base] == bias)
		return 0;
	if (!bias || (old->slots[base] && base_in_use(pm, base)))
		return -EBUSY;
	if (ref_read(&old->ref) == 1) {
		WRITE_ONCE(old->slots[base], bias);
		return 0;
	}
	b = bases_alloc();
	if (!b)
		return -ENOMEM;
	memcpy(b->slots, old->slots, PAGE_SIZE);
	b->slots[base] = bias;
	ret = bases_map(b);
	if (ret) {
		patch_bases_put(b);
		return ret;
	}
	pm->bases = b;
	patch_bases_put(old);
	return 0;
}
