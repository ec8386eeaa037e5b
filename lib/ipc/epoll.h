/* SPDX-License-Identifier: MIT */
/*
 * epoll(7): a set of watched files, and the list of those that may be ready.
 *
 * A watch (item) hangs on the wait queues of its file; a wake-up puts it on the ready list and wakes one sleeper. What is on the
 * list is asked (ops->poll) only when somebody collects events. An item holds no reference to its file: the file's end removes it,
 * see epoll_file_release().
 *
 * Locks, outer to inner: nest_lock > ep->mutex (outer instance before the nested one) > the file's wait queue > ep->lock;
 * file.lock guards file.epoll_items and nests inside ep->mutex.
 */
#ifndef LIB_IPC_EPOLL_H
#define LIB_IPC_EPOLL_H

#include "fs/file.h"

#define EPOLLEXCLUSIVE	(1u << 28)
#define EPOLLWAKEUP	(1u << 29)
#define EPOLLONESHOT	(1u << 30)
#define EPOLLET		(1u << 31)

#define EPOLL_CTL_ADD	1
#define EPOLL_CTL_DEL	2
#define EPOLL_CTL_MOD	3

#define EPOLL_MAX_NESTS		4u	/* edges on a path through nested instances: five instances */
#define EPOLL_MAX_PARENTS	32u	/* instances that watch one instance: bounds what one event sets in motion */
#define EPOLL_MAX_PATHS		500u	/* ways up from one instance: each is walked for an event, under the lock of what it happened to */

/* As the program has it on x86-64. */
struct epoll_event_abi {
	u32 events;
	u64 data;
} __packed;
_Static_assert(sizeof(struct epoll_event_abi) == 12, "epoll_ctl(2) on x86-64");

/* epoll_open() - NULL: no memory, or too many files */
__must_check struct file *epoll_open(void);
bool file_is_epoll(const struct file *f);

/**
 * epoll_ctl() - add, change or remove the watch on (@target, @fd)
 * @ev: NULL for EPOLL_CTL_DEL
 * Return: 0, -EEXIST, -ENOENT, -EPERM, -EINVAL, -ELOOP, -ENOSPC (max_user_watches), -ENOMEM. Source: epoll_ctl(2).
 */
__must_check int epoll_ctl(struct file *epf, int op, struct file *target, int fd, const struct epoll_event_abi *ev);

/**
 * epoll_collect() - epoll_wait(2)
 * @events: user address of room for @max; @deadline: monotonic, 0: do not sleep
 * Return: how many, 0 at the deadline, -EFAULT, -EINTR.
 */
__must_check int epoll_collect(struct file *epf, u64 events, int max, s64 deadline);

/* epoll_file_release() - @f has no references left and ends: called before f->ops->release(). Cheap when nobody watches it. */
void epoll_file_release(struct file *f);

/* How many watches there may be in all, and are: /proc/sys/fs/epoll/max_user_watches */
u64 epoll_max_watches(void);

#endif
