/* SPDX-License-Identifier: MIT */
/*
 * Locks. All work between any two tasks of the sandbox, in whichever address space they run.
 *
 * spinlock: for a few instructions, never held over a sleep, an allocation or a copy to or from the program. The holder can be
 *	preempted by the host; a waiter spins briefly and then naps in the South.
 * mutex: sleeps. Not interruptible by signals; holders never wait for a program.
 * rwsem: many readers or one writer; writers are preferred.
 *
 * Order (outer to inner), the one list of the whole library kernel; a lock is left out where it nests in nothing:
 *	process.itimer_lock > tasklist_lock > process.lock > process.siglock > sighand.lock > pid_lock, wait queue spinlocks
 *	mm.lock > pagecache.lock > page allocator
 *	vfs rename_lock > inode.lock (parent before child, else by address) > dentry locks
 *	file.pos_lock > inode.lock
 *	epoll.mutex > wait queue spinlocks
 */
#ifndef LIB_SCHED_LOCK_H
#define LIB_SCHED_LOCK_H

#include "base/atomic.h"
#include "base/list.h"

struct spinlock {
	u32 word;
};
#define SPINLOCK_INIT		{ 0 }

void spin_lock_slow(struct spinlock *l);

static inline void spin_init(struct spinlock *l) { l->word = 0; }
static inline bool spin_trylock(struct spinlock *l) { return atomic_cmpxchg(&l->word, 0u, 1u); }
static inline void spin_lock(struct spinlock *l)
{
	if (unlikely(!spin_trylock(l)))
		spin_lock_slow(l);
}
static inline void spin_unlock(struct spinlock *l) { store_release(&l->word, 0u); }

struct mutex {
	u32 word;		/* 0 free, 1 held, 2 held and somebody waits */
	struct spinlock lock;	/* guards waiters */
	struct list waiters;	/* of struct lock_waiter; lazily initialised (next == NULL means empty) */
};
#define MUTEX_INIT		{ 0, SPINLOCK_INIT, { NULL, NULL } }

void mutex_init(struct mutex *m);
void mutex_lock_slow(struct mutex *m);
void mutex_unlock_slow(struct mutex *m);

static inline bool mutex_trylock(struct mutex *m) { return atomic_cmpxchg(&m->word, 0u, 1u); }
static inline void mutex_lock(struct mutex *m)
{
	if (unlikely(!mutex_trylock(m)))
		mutex_lock_slow(m);
}
static inline void mutex_unlock(struct mutex *m)
{
	if (unlikely(!atomic_cmpxchg(&m->word, 1u, 0u)))
		mutex_unlock_slow(m);
}
static inline bool mutex_is_locked(const struct mutex *m) { return load_relaxed(&m->word) != 0; }

struct rwsem {
	struct mutex lock;	/* guards the rest; never held over a wait */
	u32 readers;
	bool writer;
	u32 writers_waiting;
	struct list waiters;	/* of struct lock_waiter */
};
#define RWSEM_INIT		{ .lock = MUTEX_INIT }

void rwsem_init(struct rwsem *s);
void down_read(struct rwsem *s);
void up_read(struct rwsem *s);
void down_write(struct rwsem *s);
void up_write(struct rwsem *s);

#endif
