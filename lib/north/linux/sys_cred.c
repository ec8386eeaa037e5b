// SPDX-License-Identifier: MIT
/* Who one is and may become: credentials(7), capabilities(7). */
#include "mm/uaccess.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/pid.h"

#define NO_ID		0xffffffffu

/* Capabilities that go with file system user id 0 (setfsuid(2)). */
#define CAP_FS_SET	(BIT(CAP_CHOWN) | BIT(CAP_MKNOD) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | \
			 BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MAC_OVERRIDE))

SYSCALL_DEFINE(getuid) { return current->cred->uid; }
SYSCALL_DEFINE(geteuid) { return current->cred->euid; }
SYSCALL_DEFINE(getgid) { return current->cred->gid; }
SYSCALL_DEFINE(getegid) { return current->cred->egid; }

SYSCALL_DEFINE(getresuid)
{
	const struct cred *c = current->cred;

	return put_user(c->uid, a[0]) || put_user(c->euid, a[1]) || put_user(c->suid, a[2]) ? -EFAULT : 0;
}

SYSCALL_DEFINE(getresgid)
{
	const struct cred *c = current->cred;

	return put_user(c->gid, a[0]) || put_user(c->egid, a[1]) || put_user(c->sgid, a[2]) ? -EFAULT : 0;
}

/* capabilities(7), "Effect of user ID changes on capabilities" */
static void fix_capabilities(struct cred *new, const struct cred *old)
{
	bool was_root = !old->uid || !old->euid || !old->suid;
	bool is_root = !new->uid || !new->euid || !new->suid;

	if (new->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was_root && !is_root) {
		if (!(new->securebits & SECBIT_KEEP_CAPS)) {
			new->cap_permitted = 0;
			new->cap_effective = 0;
		}
		new->cap_ambient = 0;
	}
	if (!old->euid && new->euid)
		new->cap_effective = 0;
	if (old->euid && !new->euid)
		new->cap_effective = new->cap_permitted;
}

/* Install @new, which differs from the current credentials in ids. Takes it, also on failure. */
static long commit_uids(struct cred *new)
{
	if (cred_set_user(new)) {
		cred_put(new);
		return -EAGAIN;		/* setuid(2): resources ran out for a moment */
	}
	fix_capabilities(new, current->cred);
	cred_commit(new);
	return 0;
}

/* User ids and group ids change by the same rules; these take the one kind or the other. */
struct ids {
	u32 real, effective, saved;
};

static bool one_of(u32 id, const struct ids *ids)
{
	return id == NO_ID || id == ids->real || id == ids->effective || id == ids->saved;
}

/* setuid(2), setgid(2). @may: the capability for all of it is there. The others alike. */
static int set_id(struct ids *ids, const u64 *a, bool may)
{
	u32 id = (u32)a[0];

	if (id == NO_ID)
		return -EINVAL;
	if (!may && id != ids->real && id != ids->saved)
		return -EPERM;
	if (may)
		ids->real = ids->saved = id;
	ids->effective = id;
	return 0;
}

/* setreuid(2), setregid(2) */
static int set_re_ids(struct ids *ids, const u64 *a, bool may)
{
	u32 r = (u32)a[0], e = (u32)a[1];
	struct ids old = *ids;

	if (!may && ((r != NO_ID && r != old.real && r != old.effective) || !one_of(e, &old)))
		return -EPERM;
	if (r != NO_ID)
		ids->real = r;
	if (e != NO_ID)
		ids->effective = e;
	if (r != NO_ID || (e != NO_ID && e != old.real))
		ids->saved = ids->effective;
	return 0;
}

/* setresuid(2), setresgid(2) */
static int set_res_ids(struct ids *ids, const u64 *a, bool may)
{
	u32 r = (u32)a[0], e = (u32)a[1], s = (u32)a[2];

	if (!may && (!one_of(r, ids) || !one_of(e, ids) || !one_of(s, ids)))
		return -EPERM;
	if (r != NO_ID)
		ids->real = r;
	if (e != NO_ID)
		ids->effective = e;
	if (s != NO_ID)
		ids->saved = s;
	return 0;
}

typedef int (*change_ids)(struct ids *ids, const u64 *a, bool may);

static struct ids user_ids(const struct cred *c)
{
	return (struct ids){ c->uid, c->euid, c->suid };
}

static struct ids group_ids(const struct cred *c)
{
	return (struct ids){ c->gid, c->egid, c->sgid };
}

static long change_user(change_ids change, const u64 *a)
{
	struct ids ids = user_ids(current->cred);
	int ret = change(&ids, a, capable(CAP_SETUID));
	struct cred *new = ret ? NULL : cred_prepare();

	if (!new)
		return ret ? ret : -ENOMEM;
	new->uid = ids.real;
	new->euid = new->fsuid = ids.effective;
	new->suid = ids.saved;
	return commit_uids(new);
}

static long change_group(change_ids change, const u64 *a)
{
	struct ids ids = group_ids(current->cred);
	int ret = change(&ids, a, capable(CAP_SETGID));
	struct cred *new = ret ? NULL : cred_prepare();

	if (!new)
		return ret ? ret : -ENOMEM;
	new->gid = ids.real;
	new->egid = new->fsgid = ids.effective;
	new->sgid = ids.saved;
	cred_commit(new);
	return 0;
}

SYSCALL_DEFINE(setuid) { return change_user(set_id, a); }
SYSCALL_DEFINE(setreuid) { return change_user(set_re_ids, a); }
SYSCALL_DEFINE(setresuid) { return change_user(set_res_ids, a); }
SYSCALL_DEFINE(setgid) { return change_group(set_id, a); }
SYSCALL_DEFINE(setregid) { return change_group(set_re_ids, a); }
SYSCALL_DEFINE(setresgid) { return change_group(set_res_ids, a); }

/* setfsuid(2), setfsgid(2): no errors; the answer is always the old id */
SYSCALL_DEFINE(setfsuid)
{
	const struct cred *old = current->cred;
	u32 uid = (u32)a[0], was = old->fsuid;
	struct ids ids = user_ids(old);
	struct cred *new;

	if (uid == NO_ID || (!one_of(uid, &ids) && uid != old->fsuid && !capable(CAP_SETUID)))
		return was;
	new = uid == was ? NULL : cred_prepare();
	if (!new)
		return was;
	new->fsuid = uid;
	if (!(new->securebits & SECBIT_NO_SETUID_FIXUP)) {
		if (!was && uid)
			new->cap_effective &= ~CAP_FS_SET;
		else if (was && !uid)
			new->cap_effective |= new->cap_permitted & CAP_FS_SET;
	}
	cred_commit(new);
	return was;
}

SYSCALL_DEFINE(setfsgid)
{
	const struct cred *old = current->cred;
	u32 gid = (u32)a[0], was = old->fsgid;
	struct ids ids = group_ids(old);
	struct cred *new;

	if (gid == NO_ID || (!one_of(gid, &ids) && gid != old->fsgid && !capable(CAP_SETGID)))
		return was;
	new = gid == was ? NULL : cred_prepare();
	if (!new)
		return was;
	new->fsgid = gid;
	cred_commit(new);
	return was;
}

SYSCALL_DEFINE(getgroups)
{
	const struct groups *g = current->cred->groups;
	s32 size = (s32)a[0];
	u32 n = g ? g->nr : 0;

	if (size < 0)
		return -EINVAL;
	if (!size)
		return n;
	if (n > (u32)size)
		return -EINVAL;
	return n && copy_to_user(a[1], g->gid, n * sizeof(g->gid[0])) ? -EFAULT : (long)n;
}

SYSCALL_DEFINE(setgroups)
{
	u32 n = (u32)a[0];
	struct groups *g;
	struct cred *new;

	if (!capable(CAP_SETGID))
		return -EPERM;
	if (n > NGROUPS_MAX)
		return -EINVAL;
	g = groups_alloc(n);
	if (!g)
		return -ENOMEM;
	if (copy_from_user(g->gid, a[1], n * sizeof(g->gid[0]))) {
		groups_put(g);
		return -EFAULT;
	}
	groups_sort(g);
	new = cred_prepare();
	if (!new) {
		groups_put(g);
		return -ENOMEM;
	}
	groups_put(new->groups);
	new->groups = g;
	cred_commit(new);
	return 0;
}

/* ---- capget(2), capset(2) ---- */

struct cap_header {
	u32 version;
	s32 pid;
};

struct cap_data {
	u32 effective, permitted, inheritable;
};

#define CAP_VERSION_1	0x19980330u
#define CAP_VERSION_2	0x20071026u
#define CAP_VERSION_3	0x20080522u

/* Return: how many struct cap_data the program's version has, or -errno; an unknown version is told ours */
static int cap_words(struct cap_header *h, u64 addr)
{
	const u32 ours = CAP_VERSION_3;

	if (get_user(*h, addr))
		return -EFAULT;
	switch (h->version) {
	case CAP_VERSION_1:
		return 1;
	case CAP_VERSION_2:
	case CAP_VERSION_3:
		return 2;
	default:
		return put_user(ours, addr) ? -EFAULT : -EINVAL;
	}
}

SYSCALL_DEFINE(capget)
{
	struct cap_header h;
	struct cap_data d[2];
	struct cred *c;
	struct task *t;
	int n = cap_words(&h, a[0]);

	/* a probe for the version */
	if (n == -EINVAL && !a[1])
		return 0;
	if (n < 0)
		return n;
	if (h.pid < 0)
		return -EINVAL;
	t = task_find_get(h.pid ? h.pid : current->tid);
	if (!t)
		return -ESRCH;
	c = task_cred_get(t);
	task_put(t);
	for (int i = 0; i < 2; i++)
		d[i] = (struct cap_data){ (u32)(c->cap_effective >> 32 * i), (u32)(c->cap_permitted >> 32 * i),
					  (u32)(c->cap_inheritable >> 32 * i) };
	cred_put(c);
	return a[1] ? copy_to_user(a[1], d, (size_t)n * sizeof(d[0])) : 0;
}

SYSCALL_DEFINE(capset)
{
	struct cap_header h;
	struct cap_data d[2] = { 0 };
	const struct cred *old = current->cred;
	struct cred *new;
	u64 effective, permitted, inheritable;
	int n = cap_words(&h, a[0]);

	if (n < 0)
		return n;
	if (h.pid && h.pid != current->tid)
		return -EPERM;
	if (copy_from_user(d, a[1], (size_t)n * sizeof(d[0])))
		return -EFAULT;
	effective = (d[0].effective | (u64)d[1].effective << 32) & CAP_ALL;
	permitted = (d[0].permitted | (u64)d[1].permitted << 32) & CAP_ALL;
	inheritable = (d[0].inheritable | (u64)d[1].inheritable << 32) & CAP_ALL;
	if (!capable(CAP_SETPCAP) && (inheritable & ~(old->cap_inheritable | old->cap_permitted)))
		return -EPERM;
	if ((inheritable & ~(old->cap_inheritable | old->cap_bset)) || (permitted & ~old->cap_permitted) ||
	    (effective & ~permitted))
		return -EPERM;
	new = cred_prepare();
	if (!new)
		return -ENOMEM;
	new->cap_effective = effective;
	new->cap_permitted = permitted;
	new->cap_inheritable = inheritable;
	new->cap_ambient &= permitted & inheritable;
	cred_commit(new);
	return 0;
}
