// SPDX-License-Identifier: MIT
/* futex(2), futex_waitv(2), futex_wait and its kin of Linux 6.7, set_robust_list(2). */
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/cred.h"
#include "process/futex.h"
#include "process/pid.h"

#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_REQUEUE		3
#define FUTEX_CMP_REQUEUE	4
#define FUTEX_WAKE_OP		5
#define FUTEX_LOCK_PI		6
#define FUTEX_UNLOCK_PI		7
#define FUTEX_TRYLOCK_PI	8
#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10
#define FUTEX_LOCK_PI2		13
#define FUTEX_PRIVATE_FLAG	128
#define FUTEX_CLOCK_REALTIME	256

#define ROBUST_HEAD_SIZE	24

/* An absolute time of either clock as a monotonic deadline; 0 and less: at once */
static s64 absolute_deadline(s64 ns, bool realtime)
{
	s64 deadline;

	if (!realtime)
		return ns;
	if (__builtin_sub_overflow(ns, clock_realtime(), &deadline) ||
	    __builtin_add_overflow(deadline, clock_monotonic(), &deadline))
		return FOREVER;
	return max_t(s64, deadline, 0);
}

static bool takes_timeout(u32 cmd)
{
	return cmd == FUTEX_WAIT || cmd == FUTEX_WAIT_BITSET || cmd == FUTEX_LOCK_PI || cmd == FUTEX_LOCK_PI2;
}

static long wait_restart(struct task *t)
{
	u64 *r = t->restart.arg;
	long ret = futex_wait(r[0], (u32)r[1], (u32)r[2], (u32)r[3], (s64)r[4]);

	return ret == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : ret;
}

static long do_wait(u64 addr, u32 val, u32 bitset, u32 flags, s64 deadline)
{
	long ret = futex_wait(addr, val, bitset, flags, deadline);
	u64 *r = current->restart.arg;

	if (ret != -ERESTARTSYS || deadline == FOREVER)
		return ret;
	/* a relative timeout must not begin anew */
	r[0] = addr;
	r[1] = val;
	r[2] = bitset;
	r[3] = flags;
	r[4] = (u64)deadline;
	current->restart.func = wait_restart;
	return -ERESTART_RESTARTBLOCK;
}

SYSCALL_DEFINE(futex)
{
	u64 addr = a[0], addr2 = a[4];
	u32 op = (u32)a[1], val = (u32)a[2], val2 = (u32)a[3], val3 = (u32)a[5];
	u32 cmd = op & ~(u32)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);
	u32 flags = op & FUTEX_PRIVATE_FLAG ? 0 : FUTEX_SHARED;
	bool realtime = op & FUTEX_CLOCK_REALTIME;
	s64 deadline = FOREVER;

	if (realtime && cmd != FUTEX_WAIT_BITSET && cmd != FUTEX_LOCK_PI2)
		return -ENOSYS;
	if (takes_timeout(cmd) && a[3]) {
		struct linux_timespec ts;

		if (get_user(ts, a[3]))
			return -EFAULT;
		if (!timespec_valid(&ts))
			return -EINVAL;
		deadline = timespec_to_ns(&ts);
		if (cmd == FUTEX_WAIT)
			deadline = deadline_after(deadline);
		else
			deadline = absolute_deadline(deadline, realtime || cmd == FUTEX_LOCK_PI);
	}
	switch (cmd) {
	case FUTEX_WAIT:
		return do_wait(addr, val, FUTEX_ANY, flags, deadline);
	case FUTEX_WAIT_BITSET:
		return do_wait(addr, val, val3, flags, deadline);
	case FUTEX_WAKE:
		return futex_wake(addr, val, FUTEX_ANY, flags);
	case FUTEX_WAKE_BITSET:
		return futex_wake(addr, val, val3, flags);
	case FUTEX_REQUEUE:
		return futex_requeue(addr, flags, addr2, flags, val, val2, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(addr, flags, addr2, flags, val, val2, &val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(addr, addr2, val, val2, val3, flags);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(addr, flags, deadline, false);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(addr, flags, FOREVER, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(addr, flags);
	}
	return -ENOSYS;
}

/* struct futex_waitv */
struct linux_futex_waitv {
	u64 val, uaddr;
	u32 flags, reserved;
};
#define FUTEX2_SIZE_U32	2u
#define FUTEX2_PRIVATE	128u

/* The flags of one word. Return: 0 or -EINVAL: only 32 bits, and no NUMA */
static int futex2_flags(u32 flags, u32 *out)
{
	if ((flags & ~FUTEX2_PRIVATE) != FUTEX2_SIZE_U32)
		return -EINVAL;
	*out = flags & FUTEX2_PRIVATE ? 0 : FUTEX_SHARED;
	return 0;
}

/* @addr: of a struct timespec, absolute; 0: FOREVER. Return: 0, -EINVAL, -EFAULT */
static int futex2_deadline(u64 addr, u32 clock, s64 *deadline)
{
	struct linux_timespec ts;

	*deadline = FOREVER;
	if (!addr)
		return 0;
	if (clock > 1)
		return -EINVAL;
	if (get_user(ts, addr))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	*deadline = absolute_deadline(timespec_to_ns(&ts), clock == 0);
	return 0;
}

static int futex2_words(struct futex_word *words, u64 addr, u32 nr)
{
	for (u32 i = 0; i < nr; i++) {
		struct linux_futex_waitv w;

		if (get_user(w, addr + i * sizeof(w)))
			return -EFAULT;
		words[i] = (struct futex_word){ w.uaddr, (u32)w.val, 0 };
		if (futex2_flags(w.flags, &words[i].flags) || w.reserved || w.val > UINT32_MAX)
			return -EINVAL;
	}
	return 0;
}

SYSCALL_DEFINE(futex_waitv)
{
	struct futex_word words[FUTEX_WAITV_MAX];
	u32 nr = (u32)a[1];
	s64 deadline;
	int ret;

	if ((u32)a[2] || !nr || nr > FUTEX_WAITV_MAX || !a[0])
		return -EINVAL;
	ret = futex2_deadline(a[3], (u32)a[4], &deadline);
	if (!ret)
		ret = futex2_words(words, a[0], nr);
	return ret ? ret : futex_wait_multiple(words, nr, deadline);
}

SYSCALL_DEFINE(futex_wake)
{
	u32 flags;

	if (futex2_flags((u32)a[3], &flags) || a[1] > UINT32_MAX)
		return -EINVAL;
	/* unlike futex(2), none means none; the word is looked at all the same */
	if (!(s32)a[2])
		return a[1] ? futex_requeue(a[0], flags, a[0], flags, 0, 0, NULL) : -EINVAL;
	return futex_wake(a[0], (u32)a[2], (u32)a[1], flags);
}

SYSCALL_DEFINE(futex_wait)
{
	s64 deadline;
	u32 flags;
	int ret;

	if (futex2_flags((u32)a[3], &flags) || a[1] > UINT32_MAX || a[2] > UINT32_MAX)
		return -EINVAL;
	ret = futex2_deadline(a[4], (u32)a[5], &deadline);
	return ret ? ret : futex_wait(a[0], (u32)a[1], (u32)a[2], flags, deadline);
}

SYSCALL_DEFINE(futex_requeue)
{
	struct futex_word w[2];
	int ret;

	if ((u32)a[1] || !a[0])
		return -EINVAL;
	ret = futex2_words(w, a[0], 2);
	return ret ? ret : futex_requeue(w[0].addr, w[0].flags, w[1].addr, w[1].flags, (u32)a[2], (u32)a[3], &w[0].val);
}

SYSCALL_DEFINE(set_robust_list)
{
	if (a[1] != ROBUST_HEAD_SIZE)
		return -EINVAL;
	current->robust_list = a[0];
	return 0;
}

SYSCALL_DEFINE(get_robust_list)
{
	u64 head, len = ROBUST_HEAD_SIZE;
	struct task *t = current;

	if ((s32)a[0]) {
		int ret;

		t = task_find_get((s32)a[0]);
		if (!t)
			return -ESRCH;
		ret = task_may_access(t);
		head = t->robust_list;
		task_put(t);
		if (ret)
			return ret;
	} else {
		head = t->robust_list;
	}
	if (put_user(len, a[2]) || put_user(head, a[1]))
		return -EFAULT;
	return 0;
}
