/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several files at once, for poll(2) and select(2): an entry on each of their queues, one sleeper.
 *
 *	poll_waiter_init(&w);
 *	for (;;) {
 *		for each file: events = file_poll(f, poll_waiter_table(&w, wanted));	the first time round only; then NULL
 *		if (found any || signal_pending() || timed out)
 *			break;
 *		ret = poll_waiter_sleep(&w, deadline);
 *	}
 *	poll_waiter_exit(&w);
 */
#ifndef LIB_IPC_POLL_H
#define LIB_IPC_POLL_H

#include "fs/file.h"

struct poll_waiter;

struct poll_entry {
	struct wait_entry we;
	struct poll_waiter *waiter;
	struct file *file;	/* a reference: the queue lives as long */
	u32 events;		/* a wake-up that says it is for something else is ignored */
};

#define POLL_INLINE	6u

struct poll_chunk {
	struct poll_chunk *next;
	u32 nr;
	struct poll_entry entry[];
};
#define POLL_CHUNK_ENTRIES	((PAGE_SIZE - sizeof(struct poll_chunk)) / sizeof(struct poll_entry))

struct poll_waiter {
	struct poll_table pt;	/* first: the table that files get is the waiter */
	struct task *task;
	u32 triggered;
	u32 events;		/* wanted of the file that is asked now */
	int error;		/* -ENOMEM: an entry is missing */
	u32 nr_inline;
	struct poll_entry entry[POLL_INLINE];
	struct poll_chunk *chunks;
};

void poll_waiter_init(struct poll_waiter *w);
void poll_waiter_exit(struct poll_waiter *w);
/* poll_waiter_table() - what to hand to file_poll() for a file of which @events are wanted */
struct poll_table *poll_waiter_table(struct poll_waiter *w, u32 events);
/* poll_waiter_sleep() - until one of the queues is woken, a signal, @deadline. Return: 0 or -ETIMEDOUT */
int poll_waiter_sleep(struct poll_waiter *w, s64 deadline);

#endif
