// SPDX-License-Identifier: MIT
/*
 * Pages of text that are patched. They belong to the sandbox: what one process found the next one that maps the same page has with
 * its first trap there. No other sandbox and no disk ever sees them. A page is known by what is in it: where the file came from,
 * how often it was opened and whether it changed meanwhile does not matter.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/page.h"
#include "south/hosted/patch_internal.h"

#define NR_BUCKETS	64u

struct mutex patch_lock = MUTEX_INIT;
struct patch_counters patch_counters;

static struct list buckets[NR_BUCKETS];
static u32 nr_texts;

static u64 hash_page(const u8 *bytes, u64 off)
{
	const u64 *p = (const u64 *)bytes;
	u64 h[4] = { off, 1, 2, 3 };

	/* four at a time: a multiplication takes three cycles, and they need not wait for each other */
	for (u32 i = 0; i < PAGE_SIZE / sizeof(u64); i += 4) {
		for (u32 k = 0; k < 4; k++) {
			h[k] = (h[k] ^ p[i + k]) * 0xff51afd7ed558ccdull;
			h[k] ^= h[k] >> 32;
		}
	}
	for (u32 k = 1; k < 4; k++) {
		h[0] = (h[0] ^ h[k]) * 0x9e3779b97f4a7c15ull;
		h[0] ^= h[0] >> 29;
	}
	return h[0];
}

static struct list *bucket(u64 hash)
{
	struct list *b = &buckets[hash % NR_BUCKETS];

	if (!b->next)
		list_init(b);
	return b;
}

static u32 stub_offset(const struct patch_stub *stub)
{
	return (u32)stub->off & (PAGE_SIZE - 1);
}

/* What the page of @text was before the first patch. */
static void text_original(const struct patch_text *text, u8 *bytes)
{
	memcpy(bytes, text->copy->bytes, PAGE_SIZE);
	for (u32 i = 0; i < text->nr; i++) {
		const struct patch_stub *stub = patch_stub_at(text->stubs[i]);

		memcpy(bytes + stub_offset(stub), stub->old, PATCH_JUMP);
	}
}

/* The first window at or behind @from, or NULL. */
static const struct patch_stub *next_window(const struct patch_text *text, u32 from)
{
	const struct patch_stub *best = NULL;

	for (u32 i = 0; i < text->nr; i++) {
		const struct patch_stub *stub = patch_stub_at(text->stubs[i]);

		if (stub_offset(stub) >= from && (!best || stub_offset(stub) < stub_offset(best)))
			best = stub;
	}
	return best;
}

static bool same_bytes(const struct patch_text *text, const u8 *bytes)
{
	const struct patch_stub *stub;
	u32 from = 0;

	while ((stub = next_window(text, from))) {
		u32 at = stub_offset(stub);

		if (memcmp(bytes + from, text->copy->bytes + from, at - from) || memcmp(bytes + at, stub->old, PATCH_JUMP))
			return false;
		from = at + PATCH_JUMP;
	}
	return !memcmp(bytes + from, text->copy->bytes + from, PAGE_SIZE - from);
}

struct patch_text *patch_text_find(const u8 *bytes, u64 off)
{
	u64 hash = hash_page(bytes, off);
	struct patch_text *text;

	list_for_each(text, bucket(hash), node)
		if (text->hash == hash && text->off == off && same_bytes(text, bytes))
			return text;
	return NULL;
}

void patch_text_free(struct patch_text *text)
{
	list_del(&text->node);
	nr_texts--;
	patch_copy_put(text->copy);
	kfree(text);
}

/* Room for one more: of those that nobody maps now, one goes. Its stubs stay: somebody may yet stand in one. */
static bool make_room(void)
{
	struct patch_text *text;

	for (u32 i = 0; i < NR_BUCKETS && nr_texts >= PATCH_MAX_TEXTS; i++) {
		list_for_each(text, bucket(i), node) {
			if (!text->users) {
				patch_text_free(text);
				break;
			}
		}
	}
	return nr_texts < PATCH_MAX_TEXTS;
}

static struct patch_copy *copy_alloc(void)
{
	struct patch_copy *c = patch_counters.pages < PATCH_MAX_COPIES ? kmalloc(sizeof(*c)) : NULL;

	if (!c)
		return NULL;
	ref_init(&c->ref);
	c->bytes = page_alloc_dirty(1);
	if (!c->bytes) {
		kfree(c);
		return NULL;
	}
	patch_counters.pages++;
	return c;
}

void patch_copy_put(struct patch_copy *c)
{
	if (!ref_put(&c->ref))
		return;
	patch_counters.pages--;
	page_free(c->bytes, 1);
	kfree(c);
}

struct patch_text *patch_text_create(const u8 *bytes, u64 off, u32 base)
{
	struct patch_text *text;

	if (!make_room())
		return NULL;
	text = kzalloc(sizeof(*text));
	if (!text)
		return NULL;
	text->copy = copy_alloc();
	if (!text->copy) {
		kfree(text);
		return NULL;
	}
	memcpy(text->copy->bytes, bytes, PAGE_SIZE);
	text->hash = hash_page(bytes, off);
	text->off = off;
	text->base = base;
	list_add(&text->node, bucket(text->hash));
	nr_texts++;
	return text;
}

/* Does what moves for @w touch what moved for another site? */
static bool overlaps(const struct patch_text *text, const struct patch_window *w)
{
	u32 end = w->at + max(w->pre + 2u + w->post, PATCH_JUMP + 0u);

	for (u32 i = 0; i < text->nr; i++) {
		const struct patch_stub *stub = patch_stub_at(text->stubs[i]);
		u32 at = stub_offset(stub);

		if (at < end && w->at < at + max(stub->pre + 2u + stub->post, PATCH_JUMP + 0u))
			return true;
	}
	return false;
}

static int add_to(struct patch_text *text, struct patch_copy *c, u32 site, u64 nr)
{
	struct patch_window w;
	struct patch_stub stub;
	int ret;

	if (text->nr == PATCH_MAX_SITES)
		return -ENOSPC;
	text_original(text, c->bytes);
	if (!patch_window_find(c->bytes, site, nr, &w) || overlaps(text, &w))
		return -ENOENT;
	stub = (struct patch_stub){
		.off = (s32)(text->off + w.at), .base = (u16)text->base, .pre = w.pre, .post = w.post, .begins = w.begins,
	};
	memcpy(stub.old, c->bytes + w.at, PATCH_JUMP);
	ret = patch_stub_alloc(&stub, c->bytes + w.at);
	if (ret < 0)
		return ret;
	text->stubs[text->nr++] = (u16)ret;
	for (u32 i = 0; i < text->nr; i++) {
		const struct patch_stub *s = patch_stub_at(text->stubs[i]);

		patch_jump(s, c->bytes + stub_offset(s));
	}
	patch_counters.sites++;
	return 0;
}

int patch_text_add(struct patch_text *text, u32 site, u64 nr)
{
	struct patch_copy *c = copy_alloc();
	int ret = c ? add_to(text, c, site, nr) : -ENOMEM;

	if (!ret) {
		patch_copy_put(text->copy);
		text->copy = c;
		return 0;
	}
	if (c)
		patch_copy_put(c);
	return ret;
}

int patch_text_site(const struct patch_text *text, u32 site)
{
	for (u32 i = 0; i < text->nr; i++) {
		const struct patch_stub *stub = patch_stub_at(text->stubs[i]);

		if (stub_offset(stub) + stub->pre == site)
			return text->stubs[i];
	}
	return -1;
}

int patch_text_window(const struct patch_text *text, u32 in)
{
	for (u32 i = 0; i < text->nr; i++) {
		u32 at = stub_offset(patch_stub_at(text->stubs[i]));

		if (in >= at && in < at + PATCH_JUMP)
			return text->stubs[i];
	}
	return -1;
}
