// SPDX-License-Identifier: MIT
#include "sched/wait.h"

#include "process/task.h"

void wait_queue_init(struct wait_queue *q)
{
	spin_init(&q->lock);
	list_init(&q->entries);
}

static bool wake_entry_task(struct wait_entry *we, u64 key __unused)
{
	return wake_task(we->task);
}

void wait_entry_init_func(struct wait_entry *we, wait_func func)
{
	list_init(&we->node);
	we->queue = NULL;
	we->task = current;
	we->func = func;
	we->exclusive = false;
}

void wait_entry_init(struct wait_entry *we)
{
	wait_entry_init_func(we, wake_entry_task);
}

static void queue_insert(struct wait_queue *q, struct wait_entry *we, bool exclusive)
{
	if (!q->entries.next)
		list_init(&q->entries);
	we->exclusive = exclusive;
	we->queue = q;
	if (exclusive)
		list_add_tail(&we->node, &q->entries);
	else
		list_add(&we->node, &q->entries);
}

void wait_queue_add(struct wait_queue *q, struct wait_entry *we)
{
	spin_lock(&q->lock);
	queue_insert(q, we, false);
	spin_unlock(&q->lock);
}

void wait_queue_add_exclusive(struct wait_queue *q, struct wait_entry *we)
{
	spin_lock(&q->lock);
	queue_insert(q, we, true);
	spin_unlock(&q->lock);
}

void wait_queue_del(struct wait_entry *we)
{
	struct wait_queue *q = we->queue;

	if (!q)
		return;
	spin_lock(&q->lock);
	list_del(&we->node);
	we->queue = NULL;
	spin_unlock(&q->lock);
}

static void prepare(struct wait_queue *q, struct wait_entry *we, u32 state, bool exclusive)
{
	spin_lock(&q->lock);
	if (!we->queue)
		queue_insert(q, we, exclusive);
	set_current_state(state);
	spin_unlock(&q->lock);
}

void prepare_to_wait(struct wait_queue *q, struct wait_entry *we, u32 state)
{
	prepare(q, we, state, false);
}

void prepare_to_wait_exclusive(struct wait_queue *q, struct wait_entry *we, u32 state)
{
	prepare(q, we, state, true);
}

void finish_wait(struct wait_entry *we)
{
	set_current_state(TASK_RUNNING);
	wait_queue_del(we);
}

unsigned int wake_up_key(struct wait_queue *q, unsigned int nr_exclusive, u64 key)
{
	struct wait_entry *we, *tmp;
	struct wake_batch batch;
	unsigned int woken = 0;

	if (!wait_queue_active(q))
		return 0;
	wake_batch_begin(&batch);
	spin_lock(&q->lock);
	list_for_each_safe(we, tmp, &q->entries, node) {
		bool exclusive = we->exclusive;

		if (!we->func(we, key))
			continue;
		woken++;
		if (exclusive && nr_exclusive && !--nr_exclusive)
			break;
	}
	spin_unlock(&q->lock);
	wake_batch_end(&batch);
	return woken;
}
