/* SPDX-License-Identifier: MIT */
/* Between epoll.c (events) and epoll_ctl.c (the set). Objects and locks: epoll.h. */
#ifndef LIB_IPC_EPOLL_INTERNAL_H
#define LIB_IPC_EPOLL_INTERNAL_H

#include "base/rbtree.h"
#include "ipc/epoll.h"

#define EPOLL_PRIVATE_BITS	(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

struct epoll_item;

struct eventpoll {
	ref_t ref;		/* its file, and who is in the middle of epoll_file_release() */
	struct mutex mutex;	/* guards items, and who collects events */
	struct rb_root items;	/* by file and fd */
	struct list nested;	/* of items that watch an epoll instance; guarded by mutex */
	struct file *file;	/* its own; no reference */
	struct spinlock lock;	/* guards ready, scanning */
	struct list ready;	/* of items */
	bool scanning;		/* somebody has taken ready away to look at it, and brings it back */
	struct wait_queue wait;		/* sleepers of epoll_wait() */
	struct wait_queue pollers;	/* who polls or watches the instance itself */
	u32 nr_parents;		/* atomic: instances that watch this one */
	u64 walk_down, walk_up;	/* number of the last walk that came by, and the depth it found; guarded by nest_lock */
	u32 depth_down, depth_up, paths_up;
};

/* An item's entry on one of the file's queues. Nearly all files have one queue. */
struct epoll_hook {
	struct wait_entry we;
	struct epoll_item *item;
	struct epoll_hook *next;
};

struct epoll_item {
	struct rb_node rb;
	struct list ready;	/* guarded by ep->lock */
	struct list file_node;	/* in file->epoll_items */
	struct list nested_node;
	struct eventpoll *ep;
	struct file *file;	/* no reference: the item goes before the file does */
	int fd;
	u32 events;		/* changed under ep->mutex */
	u64 data;
	bool out_of_memory;	/* a hook is missing */
	u32 nr_hooks;
	struct epoll_hook hook;	/* the first */
};

/* epoll_hook_wake() - the function of a hook's wait entry */
bool epoll_hook_wake(struct wait_entry *we, u64 key);
/* epoll_item_look() - is it ready now? Then put it on the list and wake somebody. ep->mutex held */
void epoll_item_look(struct epoll_item *it, struct poll_table *pt);
/* epoll_clear() - remove all watches: the instance ends */
void epoll_clear(struct eventpoll *ep);
void eventpoll_put(struct eventpoll *ep);

#endif
