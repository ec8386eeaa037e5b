// SPDX-License-Identifier: MIT
/* Robust lists, set_robust_list(2): a thread that dies marks the mutexes it holds. The list is the program's: bounded, never believed. */
#include "mm/uaccess.h"
#include "process/futex.h"
#include "process/futex_internal.h"
#include "process/task.h"

#define ROBUST_LIST_LIMIT	2048

/* struct robust_list_head */
struct robust_head {
	u64 next;
	s64 futex_offset;
	u64 list_op_pending;
};

/* @entry's low bit: a PI mutex */
static void handle_death(struct task *t, u64 addr, bool pi, bool pending)
{
	u32 val, old;

	if (addr % 4 || user_load32(addr, &val))
		return;
	for (;;) {
		/* died between unlocking and waking: the next waiter is to be woken nevertheless */
		if (pending && !pi && !(val & FUTEX_TID_MASK)) {
			(void)futex_wake(addr, 1, FUTEX_ANY, FUTEX_SHARED);
			(void)futex_wake(addr, 1, FUTEX_ANY, 0);
			return;
		}
		if ((val & FUTEX_TID_MASK) != (u32)t->tid)
			return;
		if (user_cmpxchg32(addr, val, (val & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &old))
			return;
		if (old == val)
			break;
		val = old;
	}
	if (!pi && (val & FUTEX_WAITERS)) {
		(void)futex_wake(addr, 1, FUTEX_ANY, FUTEX_SHARED);
		(void)futex_wake(addr, 1, FUTEX_ANY, 0);
	}
}

static void walk_list(struct task *t, u64 head_addr)
{
	struct robust_head head;
	u64 entry, pending;

	if (get_user(head, head_addr))
		return;
	entry = head.next;
	pending = head.list_op_pending;
	for (u32 i = 0; i < ROBUST_LIST_LIMIT && (entry & ~1ull) != head_addr; i++) {
		u64 next;

		/* read on before the mutex is let go: another thread may free it then */
		if (get_user(next, entry & ~1ull))
			break;
		if ((entry & ~1ull) != (pending & ~1ull))
			handle_death(t, (entry & ~1ull) + (u64)head.futex_offset, entry & 1, false);
		entry = next;
	}
	if (pending)
		handle_death(t, (pending & ~1ull) + (u64)head.futex_offset, pending & 1, true);
}

void futex_exit_robust(struct task *t)
{
	u64 head = t->robust_list;

	t->robust_list = 0;
	if (head)
		walk_list(t, head);
	futex_pi_owner_died(t);
}
