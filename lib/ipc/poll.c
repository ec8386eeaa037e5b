// SPDX-License-Identifier: MIT
#include "ipc/poll.h"

#include "mm/kmalloc.h"
#include "process/task.h"

static bool poll_wake(struct wait_entry *we, u64 key)
{
	struct poll_entry *e = container_of(we, struct poll_entry, we);

	if (key && !(key & e->events))
		return false;
	store_release(&e->waiter->triggered, 1u);
	return wake_task(e->waiter->task);
}

static struct poll_entry *poll_entry_get(struct poll_waiter *w)
{
	struct poll_chunk *c = w->chunks;

	if (w->nr_inline < POLL_INLINE)
		return &w->entry[w->nr_inline++];
	if (!c || c->nr == POLL_CHUNK_ENTRIES) {
		c = kmalloc(PAGE_SIZE);
		if (!c)
			return NULL;
		c->next = w->chunks;
		c->nr = 0;
		w->chunks = c;
	}
	return &c->entry[c->nr++];
}

static void poll_add(struct poll_table *pt, struct file *f, struct wait_queue *q)
{
	struct poll_waiter *w = container_of(pt, struct poll_waiter, pt);
	struct poll_entry *e = poll_entry_get(w);

	if (!e) {
		w->error = -ENOMEM;
		return;
	}
	file_get(f);
	e->file = f;
	e->waiter = w;
	e->events = w->events;
	wait_entry_init_func(&e->we, poll_wake);
	wait_queue_add(q, &e->we);
}

void poll_waiter_init(struct poll_waiter *w)
{
	w->pt.add = poll_add;
	w->task = current;
	w->triggered = 0;
	w->events = 0;
	w->error = 0;
	w->nr_inline = 0;
	w->chunks = NULL;
}

static void poll_entry_put(struct poll_entry *e)
{
	wait_queue_del(&e->we);
	file_put(e->file);
}

void poll_waiter_exit(struct poll_waiter *w)
{
	struct poll_chunk *c;

	for (u32 i = 0; i < w->nr_inline; i++)
		poll_entry_put(&w->entry[i]);
	while ((c = w->chunks)) {
		for (u32 i = 0; i < c->nr; i++)
			poll_entry_put(&c->entry[i]);
		w->chunks = c->next;
		kfree(c);
	}
}

struct poll_table *poll_waiter_table(struct poll_waiter *w, u32 events)
{
	w->events = events | POLLERR | POLLHUP;
	return &w->pt;
}

int poll_waiter_sleep(struct poll_waiter *w, s64 deadline)
{
	int ret = 0;

	set_current_state(TASK_INTERRUPTIBLE);
	if (!load_acquire(&w->triggered))
		ret = schedule_until(deadline);
	set_current_state(TASK_RUNNING);
	/* cleared before the caller looks at the files again, so what comes meanwhile sets it anew */
	(void)atomic_xchg(&w->triggered, 0u);
	return ret;
}
