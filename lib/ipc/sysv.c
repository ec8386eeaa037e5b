// SPDX-License-Identifier: MIT
#include "ipc/sysv.h"

#include "base/errno.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/task.h"

static u32 slot_of(s32 id)
{
	return (u32)id % SYSV_MAX;
}

void sysv_init(struct sysv_object *o, s32 key, u32 mode, void (*free)(struct sysv_object *o))
{
	const struct cred *c = current->cred;

	ref_init(&o->ref);
	mutex_init(&o->lock);
	o->key = key;
	o->uid = o->cuid = c->euid;
	o->gid = o->cgid = c->egid;
	o->mode = mode & 0777;
	o->removed = false;
	o->free = free;
}

void sysv_put(struct sysv_object *o)
{
	if (ref_put(&o->ref))
		o->free(o);
}

static bool permitted(const struct sysv_object *o, u32 flags)
{
	u32 asked = (flags >> 6) | (flags >> 3) | flags, granted = o->mode;
	u32 euid = current->cred->euid;

	if (euid == o->cuid || euid == o->uid)
		granted >>= 6;
	else if (in_egroup_p(o->cgid) || in_egroup_p(o->gid))
		granted >>= 3;
	return !(asked & ~granted & 7) || capable(CAP_IPC_OWNER);
}

/* @o: with the table's lock held, or NULL. Takes a reference and the object's lock, in the right order. */
static struct sysv_object *lock_object(struct sysv_table *t, struct sysv_object *o, u32 flags)
{
	int ret = 0;

	if (o)
		ref_get(&o->ref);
	mutex_unlock(&t->lock);
	if (!o)
		return ERR_PTR(-EINVAL);
	mutex_lock(&o->lock);
	if (o->removed)
		ret = -EINVAL;
	else if (!permitted(o, flags))
		ret = -EACCES;
	if (!ret)
		return o;
	sysv_unlock(o);
	return ERR_PTR(ret);
}

struct sysv_object *sysv_lookup(struct sysv_table *t, s32 id, u32 flags)
{
	struct sysv_object *o = NULL;

	mutex_lock(&t->lock);
	if (id >= 0 && t->slot) {
		o = t->slot[slot_of(id)];
		if (o && o->id != id)
			o = NULL;
	}
	return lock_object(t, o, flags);
}

struct sysv_object *sysv_index(struct sysv_table *t, s32 index, u32 flags)
{
	struct sysv_object *o = NULL;

	mutex_lock(&t->lock);
	if (index >= 0 && (u32)index < SYSV_MAX && t->slot)
		o = t->slot[index];
	return lock_object(t, o, flags);
}

void sysv_unlock(struct sysv_object *o)
{
	mutex_unlock(&o->lock);
	sysv_put(o);
}

int sysv_highest(struct sysv_table *t)
{
	int i = -1;

	mutex_lock(&t->lock);
	if (t->slot)
		for (i = SYSV_MAX - 1; i >= 0 && !t->slot[i]; i--)
			;
	mutex_unlock(&t->lock);
	return i;
}

/* The table's lock held. */
static struct sysv_object *find_key(struct sysv_table *t, s32 key)
{
	for (u32 i = 0, left = t->used; left && i < SYSV_MAX; i++) {
		if (!t->slot[i])
			continue;
		if (t->slot[i]->key == key)
			return t->slot[i];
		left--;
	}
	return NULL;
}

/* The table's lock held. Slots are given out in a circle, so that an id does not come back soon. */
static long publish(struct sysv_table *t, struct sysv_object *o)
{
	u32 i;

	do {
		i = t->next;
		o->seq = t->seq;
		if (++t->next == SYSV_MAX) {
			t->next = 0;
			t->seq = (t->seq + 1) & SYSV_SEQ_MAX;
		}
	} while (t->slot[i]);
	o->id = (s32)(o->seq * SYSV_MAX + i);
	t->slot[i] = o;
	t->used++;
	return o->id;
}

static long get_new(struct sysv_table *t, s32 key, u32 flags, struct sysv_object *(*create)(s32 key, u32 flags, u64 arg), u64 arg)
{
	struct sysv_object *o;

	if (!t->slot) {
		t->slot = kcalloc(SYSV_MAX, sizeof(t->slot[0]));
		if (!t->slot)
			return -ENOMEM;
	}
	if (t->used == SYSV_MAX)
		return -ENOSPC;
	o = create(key, flags, arg);
	return IS_ERR(o) ? PTR_ERR(o) : publish(t, o);
}

static long get_old(struct sysv_object *o, u32 flags, int (*check)(struct sysv_object *o, u64 arg), u64 arg)
{
	long ret = check ? check(o, arg) : 0;

	if (!ret)
		ret = permitted(o, flags & 0777) ? o->id : -EACCES;
	return ret;
}

long sysv_get(struct sysv_table *t, s32 key, u32 flags, struct sysv_object *(*create)(s32 key, u32 flags, u64 arg),
	      int (*check)(struct sysv_object *o, u64 arg), u64 arg)
{
	struct sysv_object *o = NULL;
	long ret;

	mutex_lock(&t->lock);
	if (key != SYSV_PRIVATE)
		o = find_key(t, key);
	if (o)
		ret = (flags & (SYSV_CREAT | SYSV_EXCL)) == (SYSV_CREAT | SYSV_EXCL) ? -EEXIST : get_old(o, flags, check, arg);
	else if (key != SYSV_PRIVATE && !(flags & SYSV_CREAT))
		ret = -ENOENT;
	else
		ret = get_new(t, key, flags, create, arg);
	mutex_unlock(&t->lock);
	return ret;
}

bool sysv_may_change(const struct sysv_object *o)
{
	u32 euid = current->cred->euid;

	return euid == o->uid || euid == o->cuid || capable(CAP_SYS_ADMIN);
}

bool sysv_remove(struct sysv_table *t, struct sysv_object *o)
{
	bool mine;

	mutex_unlock(&o->lock);
	mutex_lock(&t->lock);
	mutex_lock(&o->lock);
	mine = !o->removed;
	if (mine) {
		o->removed = true;
		t->slot[slot_of(o->id)] = NULL;
		t->used--;
	}
	mutex_unlock(&t->lock);
	if (mine)
		sysv_put(o);	/* the table's; the caller has one of his own */
	return mine;
}

void sysv_perm(const struct sysv_object *o, struct sysv_perm_abi *abi)
{
	*abi = (struct sysv_perm_abi){ .key = o->key, .uid = o->uid, .gid = o->gid, .cuid = o->cuid, .cgid = o->cgid,
				       .mode = o->mode, .seq = (u16)o->seq };
}

void sysv_set_perm(struct sysv_object *o, const struct sysv_perm_abi *abi)
{
	o->uid = abi->uid;
	o->gid = abi->gid;
	o->mode = abi->mode & 0777;
}
