// SPDX-License-Identifier: MIT
/* From wake-ups to events: the ready list, epoll_wait(2), polling an epoll instance. See epoll.h. */
#include "ipc/epoll_internal.h"

#include "base/errno.h"
#include "ipc/ipc.h"
#include "mm/kmalloc.h"
#include "process/task.h"

static void ready_add(struct epoll_item *it)
{
	if (list_empty(&it->ready))
		list_add_tail(&it->ready, &it->ep->ready);
}

/* Somebody who sleeps in epoll_wait(), and all who poll the instance. Return: true when a sleeper was woken */
static bool epoll_tell(struct eventpoll *ep)
{
	bool woken = wake_up(&ep->wait) != 0;

	wake_up_poll(&ep->pollers, POLLIN | POLLRDNORM);
	return woken;
}

/* The queue's lock is held, so the item is there as long as this runs. */
bool epoll_hook_wake(struct wait_entry *we, u64 key)
{
	struct epoll_item *it = container_of(we, struct epoll_hook, we)->item;
	struct eventpoll *ep = it->ep;
	u32 events = READ_ONCE(it->events);
	bool woken;

	if (!(events & ~EPOLL_PRIVATE_BITS))	/* EPOLLONESHOT has fired */
		return false;
	if (key && !(key & events))
		return false;
	spin_lock(&ep->lock);
	ready_add(it);
	spin_unlock(&ep->lock);
	woken = epoll_tell(ep);
	/* an exclusive watch counts as woken when it woke somebody: else the next one is tried */
	return woken || !(events & EPOLLEXCLUSIVE);
}

void epoll_item_look(struct epoll_item *it, struct poll_table *pt)
{
	struct eventpoll *ep = it->ep;
	bool tell;

	if (!(file_poll(it->file, pt) & it->events))
		return;
	spin_lock(&ep->lock);
	tell = list_empty(&it->ready);
	ready_add(it);
	spin_unlock(&ep->lock);
	if (tell)
		epoll_tell(ep);
}

/*
 * A scan takes the whole ready list away; an item is taken off before its file is asked, so that a wake-up that comes after the
 * question puts it back. scan_end() returns what was not looked at, in front. ep->mutex is held in between.
 */
static void scan_begin(struct eventpoll *ep, struct list *found)
{
	list_init(found);
	spin_lock(&ep->lock);
	list_splice_tail(&ep->ready, found);
	ep->scanning = true;
	spin_unlock(&ep->lock);
}

static struct epoll_item *scan_next(struct eventpoll *ep, struct list *found)
{
	struct epoll_item *it;

	spin_lock(&ep->lock);
	it = list_first_or_null(found, struct epoll_item, ready);
	if (it)
		list_del(&it->ready);
	spin_unlock(&ep->lock);
	return it;
}

static void scan_keep(struct eventpoll *ep, struct epoll_item *it)
{
	spin_lock(&ep->lock);
	ready_add(it);
	spin_unlock(&ep->lock);
}

/* Return: true when the list is not empty */
static bool scan_end(struct eventpoll *ep, struct list *found)
{
	bool more;

	spin_lock(&ep->lock);
	list_splice_tail(&ep->ready, found);
	list_splice_tail(found, &ep->ready);
	ep->scanning = false;
	more = !list_empty(&ep->ready);
	spin_unlock(&ep->lock);
	return more;
}

static bool epoll_may_have_events(struct eventpoll *ep)
{
	bool ret;

	spin_lock(&ep->lock);
	ret = !list_empty(&ep->ready) || ep->scanning;
	spin_unlock(&ep->lock);
	return ret;
}

static int epoll_put_event(struct epoll_item *it, u32 events, u64 to)
{
	struct epoll_event_abi ev = { events, it->data };

	return copy_to_user(to, &ev, sizeof(ev));
}

static int epoll_send(struct eventpoll *ep, u64 to, int max)
{
	struct epoll_item *it;
	struct list found;
	int n = 0;
	bool more;

	mutex_lock(&ep->mutex);
	scan_begin(ep, &found);
	while (n < max && (it = scan_next(ep, &found))) {
		u32 events = file_poll(it->file, NULL) & it->events;

		if (!events)
			continue;
		if (epoll_put_event(it, events, to + (u64)n * sizeof(struct epoll_event_abi))) {
			scan_keep(ep, it);
			if (!n)
				n = -EFAULT;
			break;
		}
		n++;
		if (it->events & EPOLLONESHOT)
			WRITE_ONCE(it->events, it->events & EPOLL_PRIVATE_BITS);
		else if (!(it->events & EPOLLET))
			scan_keep(ep, it);
	}
	more = scan_end(ep, &found);
	mutex_unlock(&ep->mutex);
	if (more && wait_queue_active(&ep->wait))
		wake_up(&ep->wait);
	return n;
}

int epoll_collect(struct file *epf, u64 events, int max, s64 deadline)
{
	struct eventpoll *ep = epf->priv;
	bool timed_out = !deadline;

	for (;;) {
		struct wait_entry we;

		/* also after a wake-up that came with a signal or the deadline: the event must not be lost with us */
		if (epoll_may_have_events(ep)) {
			int n = epoll_send(ep, events, max);

			if (n)
				return n;
		}
		if (timed_out)
			return 0;
		if (signal_pending())
			return -EINTR;
		wait_entry_init(&we);
		prepare_to_wait_exclusive(&ep->wait, &we, TASK_INTERRUPTIBLE);
		if (!epoll_may_have_events(ep) && !signal_pending())
			timed_out = schedule_until(deadline) == -ETIMEDOUT;
		finish_wait(&we);
	}
}

static u32 epoll_poll(struct file *f, struct poll_table *pt)
{
	struct eventpoll *ep = f->priv;
	struct epoll_item *it;
	struct list found;
	u32 ret = 0;

	poll_wait(f, &ep->pollers, pt);
	if (!epoll_may_have_events(ep))
		return 0;
	mutex_lock(&ep->mutex);
	scan_begin(ep, &found);
	while (!ret && (it = scan_next(ep, &found))) {
		if (file_poll(it->file, NULL) & it->events) {
			scan_keep(ep, it);
			ret = POLLIN | POLLRDNORM;
		}
	}
	scan_end(ep, &found);
	mutex_unlock(&ep->mutex);
	return ret;
}

static void epoll_release(struct file *f)
{
	struct eventpoll *ep = f->priv;

	epoll_clear(ep);
	eventpoll_put(ep);
}

void eventpoll_put(struct eventpoll *ep)
{
	if (ref_put(&ep->ref))
		kfree(ep);
}

static void epoll_show(struct file *f, struct seq_buf *out)
{
	struct eventpoll *ep = f->priv;

	mutex_lock(&ep->mutex);
	for (struct rb_node *n = rb_first(&ep->items); n; n = rb_next(n)) {
		struct epoll_item *it = rb_entry(n, struct epoll_item, rb);

		seq_printf(out, "tfd: %8d events: %8x data: %16llx\n", it->fd, it->events, (unsigned long long)it->data);
	}
	mutex_unlock(&ep->mutex);
}

static const struct file_ops epoll_ops = {
	.name = "eventpoll",
	.seek = ipc_noop_seek,
	.poll = epoll_poll,
	.release = epoll_release,
	.show_fdinfo = epoll_show,
};

bool file_is_epoll(const struct file *f)
{
	return f->ops == &epoll_ops;
}

struct file *epoll_open(void)
{
	struct eventpoll *ep = kzalloc(sizeof(*ep));

	if (!ep)
		return NULL;
	ref_init(&ep->ref);
	mutex_init(&ep->mutex);
	spin_init(&ep->lock);
	list_init(&ep->ready);
	list_init(&ep->nested);
	wait_queue_init(&ep->wait);
	wait_queue_init(&ep->pollers);
	ep->file = anon_file(&epoll_ops, O_RDWR, ep);
	if (!ep->file) {
		kfree(ep);
		return NULL;
	}
	return ep->file;
}
