// SPDX-License-Identifier: MIT
#include "sched/sched.h"

#include "process/task.h"
#include "sched/time.h"
#include "sched/wait.h"
#include "south/south.h"

/* In task->state beside a sleeping state: the task is in the South, or about to be, and has to be unparked. */
#define TASK_PARKED	0x100u

static void wake_batch_flush(struct wake_batch *batch)
{
	for (u32 i = 0; i < batch->nr; i++)
		unpark(batch->words[i]);
	batch->nr = 0;
}

void wake_batch_begin(struct wake_batch *batch)
{
	struct task *t = current;

	batch->nr = 0;
	/* a South's thread between two tasks is nobody, and wakes at once */
	batch->outermost = t && !t->wakes;
	if (batch->outermost)
		t->wakes = batch;
}

void wake_batch_end(struct wake_batch *batch)
{
	if (!batch->outermost)
		return;
	current->wakes = NULL;
	wake_batch_flush(batch);
}

int park(s64 deadline, u32 *word, u32 expected)
{
	struct task *t = current;

	/* what we wait for may be done by those that we have not woken yet */
	if (t && t->wakes)
		wake_batch_flush(t->wakes);
	return south_wait(deadline, word, expected);
}

void unpark(u32 *word)
{
	south_kick(word, 1);
}

void set_current_state(u32 state)
{
	/* a full barrier: the state is seen by wakers before our look at the condition */
	atomic_xchg(&current->state, state);
}

bool signal_pending(void)
{
	return load_relaxed(&current->work) & WORK_INTERRUPTS;
}

bool fatal_signal_pending(void)
{
	return load_relaxed(&current->work) & WORK_EXIT;
}

static bool sleep_is_over(const struct task *t, u32 state)
{
	u32 work = load_acquire(&t->work);

	if (state == TASK_INTERRUPTIBLE)
		return work & WORK_INTERRUPTS;
	if (state == TASK_KILLABLE)
		return work & WORK_EXIT;
	return false;
}

int schedule_until(s64 deadline)
{
	struct task *t = current;
	int ret = 0;

	for (;;) {
		u32 state = load_acquire(&t->state);

		if (state == TASK_RUNNING || sleep_is_over(t, state))
			break;
		if (!atomic_cmpxchg(&t->state, state, state | TASK_PARKED))
			continue;
		/* work that came after the look above found no PARKED to unpark */
		if (!sleep_is_over(t, state)) {
			s64 start = clock_monotonic();

			WRITE_ONCE(t->sleep_start, start);
			ret = park(deadline, &t->state, state | TASK_PARKED);
			t->slept += clock_monotonic() - start;
			WRITE_ONCE(t->sleep_start, 0);
		}
		(void)atomic_cmpxchg(&t->state, state | TASK_PARKED, state);
		if (ret == -ETIMEDOUT)
			break;
	}
	store_release(&t->state, TASK_RUNNING);
	return ret == -ETIMEDOUT ? ret : 0;
}

bool wake_task(struct task *t)
{
	u32 old = atomic_xchg(&t->state, TASK_RUNNING);
	struct wake_batch *batch = current ? current->wakes : NULL;

	if (!(old & TASK_PARKED))
		return old != TASK_RUNNING;
	if (batch && batch->nr < WAKE_BATCH_MAX)
		batch->words[batch->nr++] = &t->state;	/* unpark() does not mind when the task is gone by then */
	else
		unpark(&t->state);
	return old != TASK_RUNNING;
}

void task_set_work(struct task *t, u32 bits)
{
	u32 state;

	atomic_or(&t->work, bits);
	state = load_acquire(&t->state) & ~TASK_PARKED;
	if (state == TASK_RUNNING)
		machine->kick(t);
	else if (sleep_is_over(t, state))
		wake_task(t);
}
