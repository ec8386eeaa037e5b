/* SPDX-License-Identifier: MIT */
/*
 * Sleeping: one mechanism for everything that waits.
 *
 * A task that wants to sleep sets its state, looks at its condition, and calls schedule_until(). A waker changes the condition
 * and calls wake_task() (or wake_up() on a queue). The state is set before the condition is read and cleared after it was
 * written, so no wake-up is lost.
 *
 *	wait_event(&pipe->readers, pipe_readable(pipe))			not interruptible
 *	ret = wait_event_interruptible(&q, cond)			0 or -ERESTARTSYS
 *	ret = wait_event_interruptible_until(&q, cond, deadline)	0, -ERESTARTSYS or -ETIMEDOUT
 *
 * @cond is evaluated several times, without any lock: it takes what locks it needs itself. Or open-coded:
 *
 *	struct wait_entry we;
 *	wait_entry_init(&we);
 *	for (;;) {
 *		prepare_to_wait(&q, &we, TASK_INTERRUPTIBLE);
 *		if (cond || signal_pending())
 *			break;
 *		unlock(); schedule_until(deadline); lock();
 *	}
 *	finish_wait(&we);
 */
#ifndef LIB_SCHED_WAIT_H
#define LIB_SCHED_WAIT_H

#include "base/errno.h"
#include "base/list.h"
#include "sched/lock.h"

struct task;

#define TASK_RUNNING		0u
#define TASK_INTERRUPTIBLE	1u	/* signals end the sleep */
#define TASK_UNINTERRUPTIBLE	2u	/* only wake_task() and the deadline; for waits that are bounded by the library kernel itself */
#define TASK_KILLABLE		3u	/* as uninterruptible, but a fatal signal ends it */
#define TASK_STATE_MASK		0xffu	/* who only looks: the scheduler has a bit of its own above */

/* No deadline. Deadlines are ns of the monotonic clock. */
#define FOREVER			INT64_MAX

struct wait_queue {
	struct spinlock lock;	/* guards entries; nothing nests inside but the South's kick */
	struct list entries;	/* of struct wait_entry; next == NULL means not yet used */
};
#define WAIT_QUEUE_INIT		{ SPINLOCK_INIT, { NULL, NULL } }

struct wait_entry;
/*
 * Called under the queue's lock with what wake_up_key() was given: no sleeping, no allocation, no other queue's lock but through
 * wake_up(). Return: true when this entry counts as woken (for exclusive waits and the maximum).
 */
typedef bool (*wait_func)(struct wait_entry *we, u64 key);

struct wait_entry {
	struct list node;
	struct wait_queue *queue;	/* where it is linked, or NULL */
	struct task *task;
	wait_func func;
	bool exclusive;			/* wake_up(q, n) stops after n of these; they stand at the end */
};

void wait_queue_init(struct wait_queue *q);

/* wait_entry_init() - an entry that wakes the current task */
void wait_entry_init(struct wait_entry *we);
/* wait_entry_init_func() - an entry whose function is called instead (poll, epoll, futex) */
void wait_entry_init_func(struct wait_entry *we, wait_func func);

void wait_queue_add(struct wait_queue *q, struct wait_entry *we);
void wait_queue_add_exclusive(struct wait_queue *q, struct wait_entry *we);
/* wait_queue_del() - after it returns @we->func does not run and will not */
void wait_queue_del(struct wait_entry *we);

void prepare_to_wait(struct wait_queue *q, struct wait_entry *we, u32 state);
void prepare_to_wait_exclusive(struct wait_queue *q, struct wait_entry *we, u32 state);
void finish_wait(struct wait_entry *we);

/* wake_up() - wakes all entries that are not exclusive and one that is; Return: how many */
unsigned int wake_up_key(struct wait_queue *q, unsigned int nr_exclusive, u64 key);
#define wake_up(q)			wake_up_key(q, 1, 0)
#define wake_up_all(q)			wake_up_key(q, ~0u, 0)
/* wake_up_poll() - @events: the EPOLL* bits that came true */
#define wake_up_poll(q, events)		wake_up_key(q, 1, events)
static inline bool wait_queue_active(const struct wait_queue *q)
{
	smp_mb();
	return q->entries.next && !list_empty(&q->entries);
}

/* wake_task() - makes @task run if it sleeps. Return: true when it slept */
bool wake_task(struct task *task);

/*
 * Who is woken runs at once, often on the waker's own processor, and next takes the lock of the queue that it slept in. So whoever
 * wakes under a lock lets the South know only after it let go of the lock:
 *
 *	wake_batch_begin(&batch); lock(); ... wake_task() ... unlock(); wake_batch_end(&batch);
 *
 * Batches nest, the outermost counts. When the waker itself has to sleep before the end, they are woken then.
 */
#define WAKE_BATCH_MAX	8u	/* more are woken at once */
struct wake_batch {
	u32 nr;
	bool outermost;
	u32 *words[WAKE_BATCH_MAX];	/* to unpark */
};
void wake_batch_begin(struct wake_batch *batch);
void wake_batch_end(struct wake_batch *batch);

void set_current_state(u32 state);
/*
 * schedule_until() - sleep until wake_task(), a signal (as the state allows) or @deadline
 * The state is TASK_RUNNING afterwards. Return: 0, or -ETIMEDOUT.
 */
int schedule_until(s64 deadline);

/* signal_pending() - the current task should end its sleep and go back to the North's exit path */
bool signal_pending(void);
bool fatal_signal_pending(void);

#define wait_event_state(q, cond, state, deadline) ({					\
	struct wait_entry _we;								\
	int _ret = 0;									\
	if (!(cond)) {									\
		wait_entry_init(&_we);							\
		for (;;) {								\
			prepare_to_wait(q, &_we, state);				\
			if (cond)							\
				break;							\
			if (((state) == TASK_INTERRUPTIBLE && signal_pending()) ||	\
			    ((state) == TASK_KILLABLE && fatal_signal_pending())) {	\
				_ret = -ERESTARTSYS;					\
				break;							\
			}								\
			if (_ret == -ETIMEDOUT)						\
				break;							\
			_ret = schedule_until(deadline);				\
			if (_ret == -ETIMEDOUT && (cond)) {				\
				_ret = 0;						\
				break;							\
			}								\
		}									\
		if (_ret == -ETIMEDOUT && (cond))					\
			_ret = 0;							\
		finish_wait(&_we);							\
	}										\
	_ret;										\
})
#define wait_event(q, cond)	((void)wait_event_state(q, cond, TASK_UNINTERRUPTIBLE, FOREVER))
#define wait_event_killable(q, cond)	wait_event_state(q, cond, TASK_KILLABLE, FOREVER)
#define wait_event_interruptible(q, cond)	wait_event_state(q, cond, TASK_INTERRUPTIBLE, FOREVER)
#define wait_event_interruptible_until(q, cond, deadline) \
	wait_event_state(q, cond, TASK_INTERRUPTIBLE, deadline)

#endif
