// SPDX-License-Identifier: MIT
#include "sched/lock.h"

#include "sched/sched.h"
#include "sched/wait.h"
#include "sched/time.h"

/* Turns before a waiter believes that the holder lost its processor, and how long it naps then. */
#define SPIN_TURNS	200
#define SPIN_NAP_NS	(50 * NSEC_PER_USEC)

/* One task that waits for a mutex or an rwsem; on its stack. */
struct lock_waiter {
	struct list node;
	u32 woken;
	bool writer;
};

static void waiter_wake(struct lock_waiter *w)
{
	store_release(&w->woken, 1u);
	unpark(&w->woken);
}

static void waiter_sleep(struct lock_waiter *w)
{
	while (!load_acquire(&w->woken))
		park(FOREVER, &w->woken, 0);
}

void spin_lock_slow(struct spinlock *l)
{
	for (;;) {
		for (int i = 0; i < SPIN_TURNS; i++) {
			if (!load_relaxed(&l->word) && spin_trylock(l))
				return;
			cpu_relax();
		}
		park(clock_monotonic() + SPIN_NAP_NS, &l->word, 1);
	}
}

void mutex_init(struct mutex *m)
{
	m->word = 0;
	spin_init(&m->lock);
	list_init(&m->waiters);
}

void mutex_lock_slow(struct mutex *m)
{
	for (int i = 0; i < SPIN_TURNS; i++) {
		if (!load_relaxed(&m->word) && mutex_trylock(m))
			return;
		cpu_relax();
	}
	for (;;) {
		struct lock_waiter w = { .woken = 0 };

		spin_lock(&m->lock);
		if (!m->waiters.next)
			list_init(&m->waiters);
		/* 2 also when we get it: others may be in the list, so our unlock has to look */
		if (atomic_xchg(&m->word, 2u) == 0) {
			spin_unlock(&m->lock);
			return;
		}
		list_add_tail(&w.node, &m->waiters);
		spin_unlock(&m->lock);
		waiter_sleep(&w);
	}
}

void mutex_unlock_slow(struct mutex *m)
{
	struct lock_waiter *w = NULL;

	spin_lock(&m->lock);
	store_release(&m->word, 0u);
	if (m->waiters.next && !list_empty(&m->waiters)) {
		w = list_first(&m->waiters, struct lock_waiter, node);
		list_del(&w->node);
	}
	spin_unlock(&m->lock);
	if (w)
		waiter_wake(w);
}

void rwsem_init(struct rwsem *s)
{
	*s = (struct rwsem)RWSEM_INIT;
	mutex_init(&s->lock);
	list_init(&s->waiters);
}

static void rwsem_wait(struct rwsem *s, bool writer)
{
	struct lock_waiter w = { .writer = writer };

	if (!s->waiters.next)
		list_init(&s->waiters);
	list_add_tail(&w.node, &s->waiters);
	mutex_unlock(&s->lock);
	waiter_sleep(&w);
	mutex_lock(&s->lock);
}

/* Everybody looks again: simple, and the queue is short wherever rwsems are used. @all is woken when s->lock is free. */
static void rwsem_take_all(struct rwsem *s, struct list *all)
{
	while (s->waiters.next && !list_empty(&s->waiters)) {
		struct lock_waiter *w = list_first(&s->waiters, struct lock_waiter, node);

		list_del(&w->node);
		list_add_tail(&w->node, all);
	}
}

static void wake_all(struct list *all)
{
	while (!list_empty(all)) {
		struct lock_waiter *w = list_first(all, struct lock_waiter, node);

		list_del(&w->node);
		waiter_wake(w);
	}
}

void down_read(struct rwsem *s)
{
	mutex_lock(&s->lock);
	while (s->writer || s->writers_waiting)
		rwsem_wait(s, false);
	s->readers++;
	mutex_unlock(&s->lock);
}

void up_read(struct rwsem *s)
{
	LIST_HEAD(all);

	mutex_lock(&s->lock);
	if (!--s->readers)
		rwsem_take_all(s, &all);
	mutex_unlock(&s->lock);
	wake_all(&all);
}

void down_write(struct rwsem *s)
{
	mutex_lock(&s->lock);
	s->writers_waiting++;
	while (s->writer || s->readers)
		rwsem_wait(s, true);
	s->writers_waiting--;
	s->writer = true;
	mutex_unlock(&s->lock);
}

void up_write(struct rwsem *s)
{
	LIST_HEAD(all);

	mutex_lock(&s->lock);
	s->writer = false;
	rwsem_take_all(s, &all);
	mutex_unlock(&s->lock);
	wake_all(&all);
}
