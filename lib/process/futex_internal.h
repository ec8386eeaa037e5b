/* SPDX-License-Identifier: MIT */
/* Between futex.c, futex_pi.c and futex_robust.c. */
#ifndef LIB_PROCESS_FUTEX_INTERNAL_H
#define LIB_PROCESS_FUTEX_INTERNAL_H

#include "base/list.h"
#include "mm/mm.h"
#include "sched/lock.h"

struct task;

#define FUTEX_BUCKETS_LOG	8
#define FUTEX_BUCKETS		(1 << FUTEX_BUCKETS_LOG)

struct futex_bucket {
	struct mutex lock;	/* guards waiters, and each look at a word that decides about waiting. mm.lock nests inside */
	struct list waiters;	/* of struct futex_waiter; next == NULL: never used */
};
extern struct futex_bucket futex_buckets[FUTEX_BUCKETS];

struct futex_waiter {
	struct list node;
	struct futex_bucket *bucket;	/* NULL: woken. Changed with the bucket's lock held */
	struct mm_key key;
	struct task *task;
	u32 bitset;
	bool woken;
	bool pi;
	s32 owner;			/* PI: the tid that holds the lock */
	u64 addr;			/* PI: of the word, in the waiter's address space */
};

int futex_key(u64 addr, u32 flags, struct mm_key *key);
struct futex_bucket *futex_bucket(const struct mm_key *key);
void futex_enqueue(struct futex_bucket *b, struct futex_waiter *w);
struct futex_bucket *futex_lock_waiter(struct futex_waiter *w);
bool futex_dequeue(struct futex_waiter *w);
void futex_wake_waiter(struct futex_waiter *w);

#define FUTEX_WAITERS		0x80000000u
#define FUTEX_OWNER_DIED	0x40000000u
#define FUTEX_TID_MASK		0x3fffffffu

/* futex_pi_owner_died() - @t, the current task, dies: its waiters look again */
void futex_pi_owner_died(struct task *t);

#endif
