// SPDX-License-Identifier: MIT
/* prctl(2): what a process or thread may set about itself. Options that this processor or kernel lacks are EINVAL, as on Linux. */
#include "base/string.h"
#include "mm/mm.h"
#include "north/linux/syscall.h"
#include "process/cred.h"
#include "process/pid.h"
#include "process/signal.h"

#define PR_SET_PDEATHSIG	1
#define PR_GET_PDEATHSIG	2
#define PR_GET_DUMPABLE		3
#define PR_SET_DUMPABLE		4
#define PR_GET_KEEPCAPS		7
#define PR_SET_KEEPCAPS		8
#define PR_GET_TIMING		13
#define PR_SET_TIMING		14
#define PR_SET_NAME		15
#define PR_GET_NAME		16
#define PR_GET_SECCOMP		21
#define PR_CAPBSET_READ		23
#define PR_CAPBSET_DROP		24
#define PR_GET_TSC		25
#define PR_SET_TSC		26
#define PR_GET_SECUREBITS	27
#define PR_SET_SECUREBITS	28
#define PR_SET_TIMERSLACK	29
#define PR_GET_TIMERSLACK	30
#define PR_TASK_PERF_EVENTS_DISABLE	31
#define PR_TASK_PERF_EVENTS_ENABLE	32
#define PR_MCE_KILL		33
#define PR_MCE_KILL_GET		34
#define PR_SET_MM		35
#define PR_SET_CHILD_SUBREAPER	36
#define PR_GET_CHILD_SUBREAPER	37
#define PR_SET_NO_NEW_PRIVS	38
#define PR_GET_NO_NEW_PRIVS	39
#define PR_GET_TID_ADDRESS	40
#define PR_SET_THP_DISABLE	41
#define PR_GET_THP_DISABLE	42
#define PR_CAP_AMBIENT		47
#define PR_SET_PTRACER		0x59616d61
#define PR_SET_VMA		0x53564d41

#define PR_TSC_ENABLE		1
#define PR_MCE_KILL_DEFAULT	2
#define PR_CAP_AMBIENT_IS_SET	1
#define PR_CAP_AMBIENT_RAISE	2
#define PR_CAP_AMBIENT_LOWER	3
#define PR_CAP_AMBIENT_CLEAR_ALL 4
#define PR_SET_VMA_ANON_NAME	0
#define ANON_VMA_NAME_MAX	80

static bool cap_valid(u64 cap)
{
	return cap <= CAP_LAST_CAP;
}

static long set_securebits(u64 bits)
{
	const u32 old = current->cred->securebits;
	u32 locks = (old & SECURE_ALL_LOCKS) >> 1;
	struct cred *new;

	/* a locked bit stays, a lock stays, unknown bits are none, and it takes a capability */
	if ((locks & (old ^ (u32)bits)) || (old & SECURE_ALL_LOCKS & ~bits) ||
	    (bits & ~(SECURE_ALL_BITS | SECURE_ALL_LOCKS)) || !capable(CAP_SETPCAP))
		return -EPERM;
	new = cred_prepare();
	if (!new)
		return -ENOMEM;
	new->securebits = (u32)bits;
	cred_commit(new);
	return 0;
}

static long set_keepcaps(u64 on)
{
	struct cred *new;

	if (on > 1)
		return -EINVAL;
	if (current->cred->securebits & SECBIT_KEEP_CAPS_LOCKED)
		return -EPERM;
	new = cred_prepare();
	if (!new)
		return -ENOMEM;
	new->securebits &= ~(u32)SECBIT_KEEP_CAPS;
	if (on)
		new->securebits |= SECBIT_KEEP_CAPS;
	cred_commit(new);
	return 0;
}

static long drop_bounding(u64 cap)
{
	struct cred *new;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (!cap_valid(cap))
		return -EINVAL;
	new = cred_prepare();
	if (!new)
		return -ENOMEM;
	new->cap_bset &= ~BIT(cap);
	cred_commit(new);
	return 0;
}

static long cap_ambient(u64 op, u64 cap, u64 a4, u64 a5)
{
	const struct cred *old = current->cred;
	struct cred *new;

	if (a4 | a5)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL ? cap != 0 : !cap_valid(cap))
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_IS_SET)
		return old->cap_ambient >> cap & 1;
	if (op < PR_CAP_AMBIENT_RAISE || op > PR_CAP_AMBIENT_CLEAR_ALL)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_RAISE && (!(old->cap_permitted & old->cap_inheritable & BIT(cap)) ||
					   (old->securebits & SECBIT_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	new = cred_prepare();
	if (!new)
		return -ENOMEM;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		new->cap_ambient = 0;
	else if (op == PR_CAP_AMBIENT_RAISE)
		new->cap_ambient |= BIT(cap);
	else
		new->cap_ambient &= ~BIT(cap);
	cred_commit(new);
	return 0;
}

static long set_name(u64 addr)
{
	char name[TASK_COMM_LEN] = { 0 };
	ssize_t len = strncpy_from_user(name, addr, sizeof(name) - 1);

	if (len < 0)
		return len;
	memcpy(current->comm, name, sizeof(name));
	return 0;
}

/* All descendants that are there know whom to look for when they are orphaned. */
static void mark_descendants(struct process *top)
{
	struct process *p, *a;

	list_for_each(p, &process_list, pid_node)
		for (a = p->parent; a; a = a->parent)
			if (a == top)
				p->has_child_subreaper = true;
}

static long set_subreaper(bool on)
{
	struct process *p = current->process;

	mutex_lock(&tasklist_lock);
	p->is_subreaper = on;
	if (on)
		mark_descendants(p);
	mutex_unlock(&tasklist_lock);
	return 0;
}

/* Names of anonymous memory: checked as Linux does, and not shown. */
static long set_vma(u64 what, u64 addr, u64 len, u64 name)
{
	char text[ANON_VMA_NAME_MAX];
	ssize_t n;

	if (what != PR_SET_VMA_ANON_NAME || !IS_ALIGNED(addr, PAGE_SIZE) || PAGE_ALIGN(len) < len)
		return -EINVAL;
	if (!name)
		return 0;
	n = strncpy_from_user(text, name, sizeof(text));
	if (n < 0)
		return n;
	if (n == (ssize_t)sizeof(text))
		return -EINVAL;
	for (ssize_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~' || strchr("\\`$[]", text[i]))
			return -EINVAL;
	return access_ok(addr, PAGE_ALIGN(len)) ? 0 : -ENOMEM;
}

static long get_options(u64 option, const u64 *a, bool *known)
{
	const struct task *t = current;
	const struct cred *c = t->cred;
	int value;

	*known = true;
	switch (option) {
	case PR_GET_PDEATHSIG:
		value = (int)t->pdeath_signal;
		return put_user(value, a[1]);
	case PR_GET_DUMPABLE:
		return READ_ONCE(t->mm->dumpable);
	case PR_GET_KEEPCAPS:
		return !!(c->securebits & SECBIT_KEEP_CAPS);
	case PR_GET_TIMING:
	case PR_GET_SECCOMP:
		return 0;
	case PR_GET_NAME:
		return copy_to_user(a[1], t->comm, sizeof(t->comm));
	case PR_CAPBSET_READ:
		return cap_valid(a[1]) ? (long)(c->cap_bset >> a[1] & 1) : -EINVAL;
	case PR_GET_TSC:
		value = PR_TSC_ENABLE;
		return put_user(value, a[1]);
	case PR_GET_SECUREBITS:
		return c->securebits;
	case PR_GET_TIMERSLACK:
		return (long)min(t->timer_slack, (u64)INT64_MAX);
	case PR_MCE_KILL_GET:
		return a[1] | a[2] | a[3] | a[4] ? -EINVAL : PR_MCE_KILL_DEFAULT;
	case PR_GET_CHILD_SUBREAPER:
		value = t->process->is_subreaper;
		return put_user(value, a[1]);
	case PR_GET_NO_NEW_PRIVS:
		return a[1] | a[2] | a[3] | a[4] ? -EINVAL : t->no_new_privs;
	case PR_GET_TID_ADDRESS:
		return put_user(t->clear_child_tid, a[1]);
	case PR_GET_THP_DISABLE:
		return a[1] | a[2] | a[3] | a[4] ? -EINVAL : t->process->thp_disabled;
	default:
		*known = false;
		return 0;
	}
}

SYSCALL_DEFINE(prctl)
{
	struct task *t = current;
	u64 option = (u32)a[0];
	bool known;
	long ret = get_options(option, a, &known);

	if (known)
		return ret;
	switch (option) {
	case PR_SET_PDEATHSIG:
		if (a[1] > NSIG)
			return -EINVAL;
		t->pdeath_signal = (u32)a[1];
		return 0;
	case PR_SET_DUMPABLE:
		if (a[1] > 1)
			return -EINVAL;
		WRITE_ONCE(t->mm->dumpable, a[1] == 1);
		return 0;
	case PR_SET_KEEPCAPS:
		return set_keepcaps(a[1]);
	case PR_SET_TIMING:
		return a[1] ? -EINVAL : 0;
	case PR_SET_NAME:
		return set_name(a[1]);
	case PR_CAPBSET_DROP:
		return drop_bounding(a[1]);
	case PR_SET_TSC:
		return a[1] == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_SET_SECUREBITS:
		return set_securebits(a[1]);
	case PR_SET_TIMERSLACK:
		t->timer_slack = (s64)a[1] <= 0 ? 50000 : a[1];
		return 0;
	case PR_TASK_PERF_EVENTS_DISABLE:
	case PR_TASK_PERF_EVENTS_ENABLE:
		return 0;
	case PR_SET_MM:
		return capable(CAP_SYS_RESOURCE) ? -EINVAL : -EPERM;
	case PR_SET_CHILD_SUBREAPER:
		return set_subreaper(a[1] != 0);
	case PR_SET_NO_NEW_PRIVS:
		if (a[1] != 1 || (a[2] | a[3] | a[4]))
			return -EINVAL;
		t->no_new_privs = true;
		return 0;
	case PR_SET_THP_DISABLE:
		if (a[2] | a[3] | a[4])
			return -EINVAL;
		t->process->thp_disabled = a[1] != 0;
		return 0;
	case PR_CAP_AMBIENT:
		return cap_ambient(a[1], a[2], a[3], a[4]);
	case PR_SET_PTRACER:
		return 0;
	case PR_SET_VMA:
		return set_vma(a[1], a[2], a[3], a[4]);
	default:
		return -EINVAL;
	}
}
