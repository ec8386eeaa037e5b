/* SPDX-License-Identifier: MIT */
/*
 * Inside patching. Locks: mm.lock > patch_lock > the allocators. Everything here is called with patch_lock held, and what takes an
 * mm with its lock held as well and that mm the current one.
 */
#ifndef LIB_SOUTH_HOSTED_PATCH_INTERNAL_H
#define LIB_SOUTH_HOSTED_PATCH_INTERNAL_H

#include "base/atomic.h"
#include "base/list.h"
#include "mm/mm.h"
#include "sched/lock.h"
#include "south/hosted/patch.h"

#define PATCH_MAX_TEXTS		256u		/* pages of text with patches that the sandbox keeps */
#define PATCH_MAX_COPIES	512u		/* of them, older ones that are still mapped too: 2 MiB */
#define PATCH_MAX_SITES		40u		/* of one page */

extern struct mutex patch_lock;

/*
 * The way back from a stub: where a file lies in this address space. Slot n holds what to add to an offset in the file that all
 * texts with base n come from; 0: nothing. A page of RAM at PATCH_BASES, not writable there. A fork shares it until one of both
 * needs a slot more.
 */
struct patch_bases {
	ref_t ref;
	u64 *slots;
};
#define PATCH_NR_BASES		(PAGE_SIZE / sizeof(u64))

/* A patched page of text, never changed while somebody maps it. */
struct patch_copy {
	ref_t ref;		/* the text's own, and one for each address space that maps it */
	u8 *bytes;
};

/* What is known of a page of text: known by its bytes and its place in the file, wherever that comes from. */
struct patch_text {
	struct list node;	/* in its bucket */
	u64 hash, off;
	u32 base;
	u32 users;		/* address spaces that map a copy */
	struct patch_copy *copy;	/* with all that is patched so far */
	u32 nr;
	u16 stubs[PATCH_MAX_SITES];
};

struct patch_page {
	u64 addr;
	struct patch_text *text;
	struct patch_copy *copy;	/* what is mapped there; older than text->copy when others found more since */
};

#define PATCH_REFUSED		64u

struct patch_mm {
	struct patch_bases *bases;	/* NULL: low memory is not set up */
	bool off;			/* not any more: the program lies there, or steps through its code */
	u32 nr, max;
	struct patch_page *pages;	/* by address */
	u64 refused[PATCH_REFUSED];	/* sites that were looked at and stay as they are */
};

/* ---- patch_area.c ---- */
/* patch_area_setup() - put low memory into the current address space. Return: 0, -EEXIST, -ENOMEM */
__must_check int patch_area_setup(struct mm *mm, struct patch_mm *pm);
/* patch_stub_alloc() - number of a new stub like @stub, whose cell it chooses; it leads to code for @insns. Or -ENOSPC */
__must_check int patch_stub_alloc(struct patch_stub *stub, const u8 *insns);
const struct patch_stub *patch_stub_at(u32 nr);
/* patch_base_find() - the base of this address space that holds @bias, or one that no text has yet; -ENOSPC */
__must_check int patch_base_find(const struct patch_mm *pm, u64 bias);
/* patch_base_set() - Return: 0, -ENOMEM, -EBUSY: the base is in use for another place */
__must_check int patch_base_set(struct patch_mm *pm, u32 base, u64 bias);
void patch_bases_put(struct patch_bases *b);

/* ---- patch_text.c ---- */
/* patch_text_find() - what is known of a page with these bytes, or NULL */
struct patch_text *patch_text_find(const u8 *bytes, u64 off);
/* patch_text_create() - with no sites yet: without any it is to be freed before patch_lock is released; NULL: none to be had */
__must_check struct patch_text *patch_text_create(const u8 *bytes, u64 off, u32 base);
/* patch_text_free() - nobody maps it */
void patch_text_free(struct patch_text *text);
/* patch_text_add() - one site more. Return: 0; -errno, and the text is as it was */
__must_check int patch_text_add(struct patch_text *text, u32 site, u64 nr);
/* patch_text_site() - the stub of the SYSCALL at offset @site, or -1; patch_text_window(): of the window that holds offset @in */
int patch_text_site(const struct patch_text *text, u32 site);
int patch_text_window(const struct patch_text *text, u32 in);
void patch_copy_put(struct patch_copy *c);

/* counters for --stats */
extern struct patch_counters {
	u64 traps, faults, refused;	/* atomic */
	u32 sites, pages;		/* patch_lock */
} patch_counters;

#endif
