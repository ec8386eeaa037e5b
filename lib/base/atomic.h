/* SPDX-License-Identifier: MIT */
/* Atomic words on the compiler's builtins, and reference counts that saturate rather than wrap. */
#ifndef LIB_BASE_ATOMIC_H
#define LIB_BASE_ATOMIC_H

#include "base/types.h"

#define load_acquire(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define load_relaxed(p)		__atomic_load_n(p, __ATOMIC_RELAXED)
#define store_relaxed(p, v)	__atomic_store_n(p, v, __ATOMIC_RELAXED)
#define atomic_xchg(p, v)	__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define atomic_add(p, v)	__atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_sub(p, v)	__atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_or(p, v)		__atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)
#define atomic_and(p, v)	__atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

/* atomic_cmpxchg() - true when *p was @old and is now @new */
#define atomic_cmpxchg(p, old, new) ({						\
	typeof(*(p)) _o = (old);						\
	__atomic_compare_exchange_n(p, &_o, new, false, __ATOMIC_SEQ_CST,	\
				    __ATOMIC_SEQ_CST);				\
})

static inline void cpu_relax(void) { __builtin_ia32_pause(); }

/*
 * A reference count. ref_get() of an object that is going (0) is a bug of ours; ref_tryget() is for look-ups that race with
 * the last ref_put(). At REF_MAX a count sticks: the object leaks instead of being freed under a user's feet.
 */
typedef struct { u32 count; } ref_t;
#define REF_MAX			0x7fffffffu
#define REF_INIT(n)		{ n }

static inline void ref_init(ref_t *r) { store_relaxed(&r->count, 1); }
static inline u32 ref_read(const ref_t *r) { return load_relaxed(&r->count); }

static inline bool ref_tryget(ref_t *r)
{
	u32 old = load_relaxed(&r->count);

	do {
		if (!old)
			return false;
		if (old >= REF_MAX)
			return true;
	} while (!__atomic_compare_exchange_n(&r->count, &old, old + 1, true,
					      __ATOMIC_ACQUIRE, __ATOMIC_RELAXED));
	return true;
}

static inline void ref_get(ref_t *r) { (void)ref_tryget(r); }

/* ref_put() - true when this was the last reference: the caller frees */
static inline __must_check bool ref_put(ref_t *r)
{
	u32 old = load_relaxed(&r->count);

	do {
		if (!old || old >= REF_MAX)
			return false;
	} while (!__atomic_compare_exchange_n(&r->count, &old, old - 1, true,
					      __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return old == 1;
}

#endif
