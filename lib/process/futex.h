/* SPDX-License-Identifier: MIT */
/*
 * Futexes: futex(2), set_robust_list(2), futex_waitv(2).
 *
 * A word is what mm_futex_key() says: an address of one address space, or an offset in shared memory. Waiters hang in a table of
 * buckets; a bucket's mutex is held over the look at the word and over the enqueueing, so no wake-up is lost.
 */
#ifndef LIB_PROCESS_FUTEX_H
#define LIB_PROCESS_FUTEX_H

#include "base/types.h"

struct task;

#define FUTEX_SHARED		1u	/* the word may be in memory that other address spaces share */
#define FUTEX_ANY		0xffffffffu

#define FUTEX_WAITV_MAX		128

struct futex_word {
	u64 addr;
	u32 val;
	u32 flags;		/* FUTEX_SHARED */
};

/* futex_wait() - Return: 0, -EAGAIN (the word is not @val), -ETIMEDOUT, -ERESTARTSYS, -EFAULT, -EINVAL (alignment, bitset 0) */
long futex_wait(u64 addr, u32 val, u32 bitset, u32 flags, s64 deadline);
/* futex_wait_multiple() - Return: which one woke us, or as futex_wait() */
long futex_wait_multiple(const struct futex_word *words, u32 nr, s64 deadline);
long futex_wake(u64 addr, u32 nr, u32 bitset, u32 flags);
/* futex_requeue() - wake @nr_wake, move @nr_move to @to; @cmp: only while *@from is *@cmp. Return: how many in all, or -errno */
long futex_requeue(u64 from, u32 flags, u64 to, u32 to_flags, u32 nr_wake, u32 nr_move, const u32 *cmp);
long futex_wake_op(u64 addr, u64 addr2, u32 nr, u32 nr2, u32 op, u32 flags);

/* Priority inheritance is not done (the host schedules); ownership, hand-over and death of the owner are. */
long futex_lock_pi(u64 addr, u32 flags, s64 deadline, bool try);
long futex_unlock_pi(u64 addr, u32 flags);

/* futex_wake_user() - FUTEX_WAKE of at most @n waiters on @addr of the current task's memory */
void futex_wake_user(u64 addr, u32 n);
/* futex_exit_robust() - @t, the current task, dies: marks and wakes what its robust list names, gives up PI futexes */
void futex_exit_robust(struct task *t);

#endif
