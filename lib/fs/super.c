// SPDX-License-Identifier: MIT
/* File systems: their life, and the list of types. */
#include "fs/vfs.h"

#include "base/string.h"
#include "mm/kmalloc.h"

static struct spinlock types_lock = SPINLOCK_INIT;
static struct fs_type *types;
static u32 next_minor = 20;	/* anonymous devices 0:N; atomic */

struct super *super_alloc(const char *type, const struct super_ops *ops, u32 flags, u64 magic)
{
	struct super *sb = kzalloc(sizeof(*sb));

	if (!sb)
		return NULL;
	ref_init(&sb->ref);
	sb->type = type;
	sb->ops = ops;
	sb->flags = flags;
	sb->magic = magic;
	sb->blksize = PAGE_SIZE;
	sb->next_ino = 1;
	sb->dev = dev_make(0, atomic_add(&next_minor, 1u) & 0xfffff);
	return sb;
}

void super_put(struct super *sb)
{
	if (!sb || !ref_put(&sb->ref))
		return;
	if (sb->ops->put)
		sb->ops->put(sb);
	kfree(sb);
}

u64 super_next_ino(struct super *sb)
{
	return atomic_add(&sb->next_ino, 1ull) - 1;
}

void fs_register(struct fs_type *t)
{
	struct fs_type **link = &types;

	spin_lock(&types_lock);
	while (*link && *link != t)
		link = &(*link)->next;
	if (!*link) {
		t->next = NULL;
		*link = t;
	}
	spin_unlock(&types_lock);
}

/* Types are never taken back, so the list can be walked without the lock. */
struct fs_type *fs_type_find(const char *name)
{
	struct fs_type *t;

	for (t = load_acquire(&types); t; t = t->next)
		if (streq(t->name, name))
			return t;
	return NULL;
}

struct fs_type *fs_type_first(void)
{
	return load_acquire(&types);
}
