// SPDX-License-Identifier: MIT
/*
 * Credentials: copy on write, and the accounts of real user ids that they point to.
 */
#include "process/cred.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/internal.h"

static struct spinlock users_lock = SPINLOCK_INIT;	/* guards the list and every user's last reference */
static LIST_HEAD(users);
static struct user root_user = { .ref = REF_INIT(1), .uid = 0, .node = LIST_INIT(root_user.node) };

struct cred kernel_cred = {
	.ref = REF_INIT(1),
	.cap_permitted = CAP_ALL,
	.cap_effective = CAP_ALL,
	.cap_bset = CAP_ALL,
	.user = &root_user,
};

static struct user *user_find(u32 uid)
{
	struct user *u;

	list_for_each(u, &users, node)
		if (u->uid == uid)
			return u;
	return NULL;
}

static struct user *user_get(u32 uid)
{
	struct user *new = NULL, *u;

	for (;;) {
		spin_lock(&users_lock);
		u = user_find(uid);
		if (u) {
			ref_get(&u->ref);
		} else if (new) {
			list_add(&new->node, &users);
			u = new;
			new = NULL;
		}
		spin_unlock(&users_lock);
		if (u) {
			kfree(new);
			return u;
		}
		new = kzalloc(sizeof(*new));
		if (!new)
			return NULL;
		ref_init(&new->ref);
		new->uid = uid;
	}
}

void user_put(struct user *u)
{
	bool last;
	u32 old;

	if (!u || u == &root_user)
		return;
	/* only the last reference takes the lock: look-ups revive no user that is on its way out */
	for (old = ref_read(&u->ref); old > 1;)
		if (__atomic_compare_exchange_n(&u->ref.count, &old, old - 1, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return;
	spin_lock(&users_lock);
	last = ref_put(&u->ref);
	if (last)
		list_del(&u->node);
	spin_unlock(&users_lock);
	if (last)
		kfree(u);
}

struct groups *groups_alloc(u32 nr)
{
	struct groups *g = kmalloc(sizeof(*g) + (size_t)nr * sizeof(g->gid[0]));

	if (g) {
		ref_init(&g->ref);
		g->nr = nr;
	}
	return g;
}

/* Heap sort: the list is the program's, so neither recursion nor a quadratic worst case will do. */
static void sift_down(u32 *v, u32 root, u32 n)
{
	for (;;) {
		u32 child = 2 * root + 1;

		if (child >= n)
			return;
		if (child + 1 < n && v[child] < v[child + 1])
			child++;
		if (v[root] >= v[child])
			return;
		swap(v[root], v[child]);
		root = child;
	}
}

void groups_sort(struct groups *g)
{
	u32 i;

	for (i = g->nr / 2; i-- > 0;)
		sift_down(g->gid, i, g->nr);
	for (i = g->nr; i-- > 1;) {
		swap(g->gid[0], g->gid[i]);
		sift_down(g->gid, 0, i);
	}
}

void groups_put(struct groups *g)
{
	if (g && ref_put(&g->ref))
		kfree(g);
}

static bool groups_have(const struct groups *g, u32 gid)
{
	u32 lo = 0, hi = g ? g->nr : 0;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (g->gid[mid] == gid)
			return true;
		if (g->gid[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool cred_in_group(const struct cred *c, u32 gid)
{
	return groups_have(c->groups, gid);
}

struct cred *cred_create(u32 uid, u32 gid, const u32 *groups, u32 nr_groups, u64 caps, u64 bset)
{
	struct cred *c = kzalloc(sizeof(*c));

	if (!c)
		return NULL;
	ref_init(&c->ref);
	c->uid = c->euid = c->suid = c->fsuid = uid;
	c->gid = c->egid = c->sgid = c->fsgid = gid;
	c->cap_permitted = c->cap_effective = caps & CAP_ALL;
	c->cap_bset = bset & CAP_ALL;
	if (nr_groups) {
		c->groups = groups_alloc(nr_groups);
		if (!c->groups)
			goto err;
		memcpy(c->groups->gid, groups, nr_groups * sizeof(groups[0]));
		groups_sort(c->groups);
	}
	c->user = user_get(uid);
	if (!c->user)
		goto err;
	return c;
err:
	cred_put(c);
	return NULL;
}

void cred_put(struct cred *c)
{
	if (!c || c == &kernel_cred || !ref_put(&c->ref))
		return;
	groups_put(c->groups);
	user_put(c->user);
	kfree(c);
}

struct cred *cred_prepare(void)
{
	struct cred *c = kmemdup(current->cred, sizeof(*c));

	if (!c)
		return NULL;
	ref_init(&c->ref);
	if (c->groups)
		ref_get(&c->groups->ref);
	if (c->user != &root_user)
		ref_get(&c->user->ref);
	return c;
}

int cred_set_user(struct cred *c)
{
	struct user *u;

	if (c->user->uid == c->uid && c->user != &root_user)
		return 0;
	u = user_get(c->uid);
	if (!u)
		return -ENOMEM;
	user_put(c->user);
	c->user = u;
	return 0;
}

/* A change of who one is makes the process undumpable, so that those it was cannot look into it. */
static bool becomes_undumpable(const struct cred *old, const struct cred *new)
{
	return old->euid != new->euid || old->egid != new->egid || old->fsuid != new->fsuid || old->fsgid != new->fsgid ||
	       (new->cap_permitted & ~old->cap_permitted);
}

void cred_commit(struct cred *new)
{
	struct task *t = current;
	struct cred *old = t->cred;

	if (becomes_undumpable(old, new)) {
		if (t->mm)
			WRITE_ONCE(t->mm->dumpable, false);
		t->pdeath_signal = 0;
	}
	if (new->user != old->user) {
		atomic_add(&new->user->tasks, 1u);
		atomic_sub(&old->user->tasks, 1u);
	}
	spin_lock(&t->cred_lock);
	t->cred = new;
	spin_unlock(&t->cred_lock);
	cred_put(old);
}

struct cred *task_cred_get(struct task *t)
{
	struct cred *c;

	spin_lock(&t->cred_lock);
	c = t->cred;
	if (c != &kernel_cred)
		cred_get(c);
	spin_unlock(&t->cred_lock);
	return c;
}

u32 task_uid(struct task *t)
{
	u32 uid;

	spin_lock(&t->cred_lock);
	uid = t->cred->uid;
	spin_unlock(&t->cred_lock);
	return uid;
}

bool capable(int cap)
{
	return cred_has_cap(current->cred, cap);
}

bool in_group_p(u32 gid)
{
	const struct cred *c = current->cred;

	return gid == c->fsgid || groups_have(c->groups, gid);
}

bool in_egroup_p(u32 gid)
{
	const struct cred *c = current->cred;

	return gid == c->egid || groups_have(c->groups, gid);
}

int task_may_access(struct task *t)
{
	const struct cred *mine = current->cred;
	struct cred *c;
	bool same, more;

	if (t->process == current->process)
		return 0;
	c = task_cred_get(t);
	same = mine->uid == c->euid && mine->uid == c->suid && mine->uid == c->uid &&
	       mine->gid == c->egid && mine->gid == c->sgid && mine->gid == c->gid;
	more = c->cap_permitted & ~mine->cap_permitted;
	cred_put(c);
	if (cred_has_cap(mine, CAP_SYS_PTRACE))
		return 0;
	if (!same || more)
		return -EPERM;
	return t->mm && !READ_ONCE(t->mm->dumpable) ? -EPERM : 0;
}

struct cred *cred_exec(bool setuid, u32 uid, bool setgid, u32 gid, bool *secure)
{
	const struct cred *old = current->cred;
	bool root, changed_id;
	struct cred *c = cred_prepare();

	if (!c)
		return ERR_PTR(-ENOMEM);
	if (!current->no_new_privs) {
		if (setuid)
			c->euid = uid;
		if (setgid)
			c->egid = gid;
	}

	/* capabilities(7), "Transformation of capabilities during execve()", with empty file sets unless root */
	root = !(c->securebits & SECBIT_NOROOT) && (c->euid == 0 || c->uid == 0);
	if (c->euid != old->euid || c->egid != old->egid || root)
		c->cap_ambient = 0;
	c->cap_permitted = root ? c->cap_inheritable | c->cap_bset : c->cap_ambient;
	changed_id = c->euid != old->uid || c->egid != old->gid;
	if (current->no_new_privs && (changed_id || (c->cap_permitted & ~old->cap_permitted))) {
		c->euid = c->uid;
		c->egid = c->gid;
		c->cap_permitted &= old->cap_permitted;
	}
	c->cap_effective = root && c->euid == 0 ? c->cap_permitted : c->cap_ambient;
	c->suid = c->fsuid = c->euid;
	c->sgid = c->fsgid = c->egid;
	c->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	*secure = changed_id || (c->uid != 0 && (c->cap_permitted & ~c->cap_ambient));
	return c;
}
