// SPDX-License-Identifier: MIT
/*
 * What listing a directory told of its entries, believed for as long as any attributes are: a program that lists a directory mostly
 * looks at what is in it next (ls -l, find, grep -r, python's importer), and would ask the server for each name.
 *
 * Only names that are there come from here: one that is missing is asked for each time, since a host program may have just made it.
 * Symlinks are asked for too (the answer has their target), and what is mounted below (the server judges that). Whatever is changed
 * through this file system makes all its listings old at once. A few of limited size are kept for each tree.
 */
#include "fs/9p/p9.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "sched/time.h"

#define BLOCK_SIZE	4096u
#define ENTRIES_MAX	1024u

struct known {
	struct p9_attr attr;
	u8 len;
	char name[];
};

struct block {
	struct block *next;
	u32 used;
	u8 bytes[] __aligned(8);	/* struct known, one after the other */
};

struct p9_listing {
	s64 when;		/* monotonic: before the server was asked */
	u32 nr;
	struct block *blocks;
};

static u32 known_size(u32 len)
{
	return (u32)ALIGN_UP(sizeof(struct known) + len, 8ul);
}

void p9_listing_free(struct p9_listing *l)
{
	while (l && l->blocks) {
		struct block *next = l->blocks->next;

		kfree(l->blocks);
		l->blocks = next;
	}
	kfree(l);
}

struct p9_listing *p9_listing_new(void)
{
	struct p9_listing *l = kzalloc(sizeof(*l));

	if (l)
		l->when = clock_monotonic();
	return l;
}

bool p9_listing_add(struct p9_listing *l, const struct inode *dir, const struct p9_attr *a, const char *name, u32 len)
{
	struct block *b = l->blocks;
	struct known *k;

	if (!a->valid || S_ISLNK(a->mode) || a->dev != p9_of((struct inode *)dir)->dev)
		return true;
	if (l->nr == ENTRIES_MAX)
		return false;
	if (!b || BLOCK_SIZE - sizeof(*b) - b->used < known_size(len)) {
		b = kmalloc(BLOCK_SIZE);
		if (!b)
			return false;
		b->next = l->blocks;
		b->used = 0;
		l->blocks = b;
	}
	k = (struct known *)(b->bytes + b->used);
	k->attr = *a;
	k->len = (u8)len;
	memcpy(k->name, name, len);
	b->used += known_size(len);
	l->nr++;
	return true;
}

void p9_listing_keep(struct inode *dir, struct p9_listing *l)
{
	struct p9_super *ps = p9_super_of(dir);
	struct p9_listing *old = l;
	u32 at = 0;

	mutex_lock(&ps->lock);
	if (l->when > ps->changed) {
		/* the same directory's, else the oldest */
		for (u32 i = 0; i < P9_LISTINGS; i++) {
			if (ps->listings[i].dir == dir) {
				at = i;
				break;
			}
			if (!ps->listings[i].l || (ps->listings[at].l && ps->listings[i].l->when < ps->listings[at].l->when))
				at = i;
		}
		old = ps->listings[at].l;
		ps->listings[at].dir = dir;
		ps->listings[at].l = l;
	}
	mutex_unlock(&ps->lock);
	p9_listing_free(old);
}

void p9_listing_forget(struct inode *dir)
{
	struct p9_super *ps = p9_super_of(dir);
	struct p9_listing *old = NULL;

	mutex_lock(&ps->lock);
	for (u32 i = 0; i < P9_LISTINGS && !old; i++) {
		if (ps->listings[i].dir == dir) {
			old = ps->listings[i].l;
			ps->listings[i].dir = NULL;
			ps->listings[i].l = NULL;
		}
	}
	mutex_unlock(&ps->lock);
	p9_listing_free(old);
}

static bool find(const struct p9_listing *l, const struct qstr *name, struct p9_attr *a)
{
	for (const struct block *b = l->blocks; b; b = b->next) {
		for (u32 off = 0; off < b->used; ) {
			const struct known *k = (const struct known *)(b->bytes + off);

			if (k->len == name->len && !memcmp(k->name, name->name, name->len)) {
				*a = k->attr;
				return true;
			}
			off += known_size(k->len);
		}
	}
	return false;
}

bool p9_listing_find(struct inode *dir, const struct qstr *name, struct p9_attr *a, s64 *when)
{
	struct p9_super *ps = p9_super_of(dir);
	s64 now = clock_monotonic();
	bool old = false, found = false;

	mutex_lock(&ps->lock);
	for (u32 i = 0; i < P9_LISTINGS; i++) {
		const struct p9_listing *l = ps->listings[i].l;

		if (ps->listings[i].dir != dir)
			continue;
		old = l->when <= ps->changed || now - l->when >= P9_VALID_NS;
		if (!old && find(l, name, a)) {
			*when = l->when;
			found = true;
		}
		break;
	}
	mutex_unlock(&ps->lock);
	if (old)
		p9_listing_forget(dir);
	return found;
}
