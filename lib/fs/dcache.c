// SPDX-License-Identifier: MIT
/*
 * The name cache.
 *
 * dentry.count holds the references and, in its top bit, "not in the cache". So the last dentry_put() of a name that is in the
 * cache is one atomic decrement: the name stays, and the clock hand frees it later. A name that is not in the cache is freed by
 * its last put. In between stands only the pruner, which turns "0" into "1, not cached" under the bucket's lock, where no look-up
 * can take a new reference.
 */
#include "fs/vfs.h"

#include "base/random.h"
#include "base/string.h"
#include "mm/kmalloc.h"

#define DCACHE_BUCKETS	2048u
#define DCACHE_MIN	1024u
#define PRUNE_BATCH	64u

struct bucket {
	struct spinlock lock;
	struct dentry *first;
};

static struct bucket buckets[DCACHE_BUCKETS];
struct spinlock dcache_lock = SPINLOCK_INIT;
static LIST_HEAD(dcache_clock);		/* guarded by dcache_lock */
static u32 nr_cached;			/* guarded by dcache_lock */
static u32 dcache_max;
static u32 dcache_salt;

u32 qstr_hash(const char *name, u32 len)
{
	u32 h = dcache_salt;

	for (u32 i = 0; i < len; i++)
		h = (h ^ (u8)name[i]) * 0x01000193u;
	return h;
}

/* One name for each 8 KiB of RAM: at 128 bytes a name and some 350 an inode that is a sixteenth of it. */
void dcache_init(void)
{
	u64 n = ram_total() / 8192;

	dcache_salt = (u32)random_u64();
	dcache_max = (u32)min(max(n, (u64)DCACHE_MIN), (u64)262144);
}

static struct bucket *bucket_of(const struct dentry *parent, u32 hash)
{
	u64 h = ((u64)(uintptr_t)parent >> 6) * 0x9e3779b97f4a7c15ull;

	return &buckets[(hash ^ (u32)(h >> 32)) % DCACHE_BUCKETS];
}

void dentry_get(struct dentry *d)
{
	atomic_add(&d->count, 1u);
}

static void dentry_free(struct dentry *d)
{
	if (d->name != d->inline_name)
		kfree(d->name);
	kfree(d);
}

void dentry_put(struct dentry *d)
{
	while (d && atomic_sub(&d->count, 1u) == DENTRY_UNHASHED) {
		struct dentry *parent = d->parent != d ? d->parent : NULL;

		inode_put(d->inode);
		dentry_free(d);
		d = parent;
	}
}

struct dentry *dcache_find(struct dentry *parent, const struct qstr *name)
{
	struct bucket *b = bucket_of(parent, name->hash);
	struct dentry *d;

	spin_lock(&b->lock);
	for (d = b->first; d; d = d->hash_next) {
		if (d->hash != name->hash || d->parent != parent || d->len != name->len ||
		    memcmp(d->name, name->name, name->len))
			continue;
		atomic_add(&d->count, 1u);
		if (!d->used)
			d->used = 1;
		break;
	}
	spin_unlock(&b->lock);
	return d;
}

static struct dentry *dentry_new(const char *name, u32 len)
{
	struct dentry *d = kmalloc(sizeof(*d));
	char *text = NULL;

	if (!d)
		return NULL;
	memset(d, 0, offsetof(struct dentry, inline_name));
	if (len >= DNAME_INLINE) {
		text = kmalloc(len + 1);
		if (!text) {
			kfree(d);
			return NULL;
		}
	} else {
		text = d->inline_name;
	}
	memcpy(text, name, len);
	text[len] = '\0';
	d->name = text;
	d->len = len;
	d->count = DENTRY_UNHASHED | 1;
	list_init(&d->clock);
	return d;
}

struct dentry *dentry_alloc(struct dentry *parent, const struct qstr *name)
{
	struct dentry *d = dentry_new(name->name, name->len);

	if (!d)
		return NULL;
	d->hash = name->hash;
	dentry_get(parent);
	d->parent = parent;
	d->sb = parent->sb;
	return d;
}

struct dentry *dentry_root(struct inode *inode)
{
	struct dentry *d = dentry_new("/", 1);

	if (!d)
		return NULL;
	d->parent = d;
	d->sb = inode->sb;
	inode_get(inode);
	d->inode = inode;
	return d;
}

struct dentry *dentry_anon(struct inode *inode, const char *name)
{
	struct dentry *d = dentry_new(name, min_t(u32, strlen(name), NAME_MAX));

	if (!d)
		return NULL;
	d->parent = d;
	d->sb = inode->sb;
	d->flags = DENTRY_ANON;
	inode_get(inode);
	d->inode = inode;
	return d;
}

/* dcache_lock held. */
static void hash_insert(struct dentry *d)
{
	struct bucket *b = bucket_of(d->parent, d->hash);

	spin_lock(&b->lock);
	d->hash_next = b->first;
	d->hash_prev = &b->first;
	if (b->first)
		b->first->hash_prev = &d->hash_next;
	b->first = d;
	atomic_and(&d->count, ~DENTRY_UNHASHED);
	spin_unlock(&b->lock);
	list_add_tail(&d->clock, &dcache_clock);
	nr_cached++;
}

/* dcache_lock and the bucket's lock held; the count's top bit is set already, or will be by the caller */
static void hash_unlink(struct dentry *d)
{
	*d->hash_prev = d->hash_next;
	if (d->hash_next)
		d->hash_next->hash_prev = d->hash_prev;
	d->hash_prev = NULL;
	list_del(&d->clock);
	nr_cached--;
}

/* dcache_lock held. */
static void hash_remove(struct dentry *d)
{
	struct bucket *b = bucket_of(d->parent, d->hash);

	spin_lock(&b->lock);
	if (d->hash_prev) {
		hash_unlink(d);
		atomic_or(&d->count, DENTRY_UNHASHED);
	}
	spin_unlock(&b->lock);
}

void dentry_add(struct dentry *d, struct inode *inode)
{
	bool full;

	d->inode = inode;
	d->used = 1;
	spin_lock(&dcache_lock);
	hash_insert(d);
	full = nr_cached > dcache_max;
	spin_unlock(&dcache_lock);
	if (full)
		dcache_prune(PRUNE_BATCH);
}

void dentry_instantiate(struct dentry *d, struct inode *inode)
{
	store_release(&d->inode, inode);
}

void dentry_drop(struct dentry *d)
{
	spin_lock(&dcache_lock);
	hash_remove(d);
	spin_unlock(&dcache_lock);
}

void dentry_deleted(struct dentry *d)
{
	spin_lock(&dcache_lock);
	hash_remove(d);
	d->flags |= DENTRY_DELETED;
	spin_unlock(&dcache_lock);
}

struct dentry *dentry_parent(struct dentry *d)
{
	struct dentry *parent;

	spin_lock(&dcache_lock);
	parent = d->parent;
	dentry_get(parent);
	spin_unlock(&dcache_lock);
	return parent;
}

bool dentry_is_ancestor(struct dentry *anc, struct dentry *d)
{
	for (;; d = d->parent) {
		if (d == anc)
			return true;
		if (d == d->parent)
			return false;
	}
}

/* ---- pruning ---- */

/* dcache_lock held: free @d's place in the cache when nobody uses it; the caller puts it afterwards. */
static bool prune_one(struct dentry *d, struct list *victims)
{
	struct bucket *b = bucket_of(d->parent, d->hash);
	bool won;

	spin_lock(&b->lock);
	won = atomic_cmpxchg(&d->count, 0u, DENTRY_UNHASHED | 1);
	if (won)
		hash_unlink(d);
	spin_unlock(&b->lock);
	if (won)
		list_add_tail(&d->clock, victims);
	return won;
}

static u32 put_victims(struct list *victims)
{
	struct dentry *d, *tmp;
	u32 n = 0;

	list_for_each_safe(d, tmp, victims, clock) {
		list_del(&d->clock);
		dentry_put(d);
		n++;
	}
	return n;
}

u32 dcache_prune(u32 nr)
{
	LIST_HEAD(victims);
	u32 found = 0, looks;

	spin_lock(&dcache_lock);
	/* Twice around at most: the first turn takes the second chance away. A bounded number of looks keeps the lock short. */
	looks = min(2 * nr_cached, 16 * nr + 64);
	while (found < nr && looks-- && !list_empty(&dcache_clock)) {
		struct dentry *d = list_first(&dcache_clock, struct dentry, clock);

		if (d->used || load_relaxed(&d->count)) {
			d->used = 0;
			list_move_tail(&d->clock, &dcache_clock);
		} else if (prune_one(d, &victims)) {
			found++;
		} else {
			list_move_tail(&d->clock, &dcache_clock);
		}
	}
	spin_unlock(&dcache_lock);
	return put_victims(&victims);
}

void dcache_prune_super(struct super *sb)
{
	u32 found;

	do {
		LIST_HEAD(victims);
		struct dentry *d, *tmp;

		found = 0;
		spin_lock(&dcache_lock);
		list_for_each_safe(d, tmp, &dcache_clock, clock) {
			if (d->sb == sb && !load_relaxed(&d->count))
				found += prune_one(d, &victims);
		}
		spin_unlock(&dcache_lock);
		put_victims(&victims);
	} while (found);
}

void dcache_stats(u32 *nr, u32 *nr_unused)
{
	struct dentry *d;

	spin_lock(&dcache_lock);
	*nr = nr_cached;
	*nr_unused = 0;
	list_for_each(d, &dcache_clock, clock)
		*nr_unused += !load_relaxed(&d->count);
	spin_unlock(&dcache_lock);
}

/* ---- moving ---- */

static int long_name(char **out, const struct dentry *d)
{
	*out = NULL;
	if (d->len < DNAME_INLINE)
		return 0;
	*out = kmalloc(d->len + 1);
	return *out ? 0 : -ENOMEM;
}

int dentry_move_prepare(struct dentry_move *m, struct dentry *d, struct dentry *to, bool exchange)
{
	*m = (struct dentry_move){ NULL, NULL };
	if (long_name(&m->name, to) || (exchange && long_name(&m->to_name, d))) {
		dentry_move_abort(m);
		return -ENOMEM;
	}
	return 0;
}

void dentry_move_abort(struct dentry_move *m)
{
	kfree(m->name);
	kfree(m->to_name);
	*m = (struct dentry_move){ NULL, NULL };
}

struct where {
	struct dentry *parent;
	const char *name;
	u32 len, hash;
};

static struct where where_is(const struct dentry *d)
{
	return (struct where){ d->parent, d->name, d->len, d->hash };
}

/* Takes over @ext. Return: the old long name, to be freed. */
static char *rename_to(struct dentry *d, const struct where *w, char *ext)
{
	char *old = d->name != d->inline_name ? (char *)d->name : NULL;
	char *text = ext ? ext : d->inline_name;

	memcpy(text, w->name, w->len);
	text[w->len] = '\0';
	d->name = text;
	d->len = w->len;
	d->hash = w->hash;
	d->parent = w->parent;
	return old;
}

void dentry_move(struct dentry_move *m, struct dentry *d, struct dentry *to, bool exchange)
{
	char inline_d[DNAME_INLINE], inline_to[DNAME_INLINE];
	struct dentry *old_parent = d->parent;
	char *old_name = NULL, *old_to = NULL;
	struct where wd, wto;
	bool rehash;

	spin_lock(&dcache_lock);
	rehash = d->hash_prev != NULL || to->hash_prev != NULL;
	hash_remove(d);
	hash_remove(to);
	wd = where_is(d);
	wto = where_is(to);
	if (d->len < DNAME_INLINE)
		wd.name = memcpy(inline_d, d->name, d->len);
	if (to->len < DNAME_INLINE)
		wto.name = memcpy(inline_to, to->name, to->len);
	old_name = rename_to(d, &wto, m->name);
	if (exchange) {
		old_to = rename_to(to, &wd, m->to_name);
		if (rehash)
			hash_insert(to);
	} else {
		to->flags |= DENTRY_DELETED;
		dentry_get(d->parent);
	}
	if (rehash)
		hash_insert(d);
	spin_unlock(&dcache_lock);
	*m = (struct dentry_move){ NULL, NULL };
	kfree(old_name);
	kfree(old_to);
	if (!exchange)
		dentry_put(old_parent);
}
