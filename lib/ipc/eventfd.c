// SPDX-License-Identifier: MIT
/*
 * A compare-and-swap on the counter decides who gets what, the wait queue only wakes. So a write
 * and a read that need not sleep take no lock at all.
 */
#include "ipc/eventfd.h"

#include "base/errno.h"
#include "base/printf.h"
#include "ipc/ipc.h"
#include "mm/kmalloc.h"

#define EVENTFD_MAX	(~0ull - 1)	/* the largest count that a write may leave */

struct eventfd {
	u64 count;
	bool semaphore;
	struct wait_queue wait;		/* readers, writers and pollers */
};

/* Return: true when something was taken, in *@val */
static bool eventfd_take(struct eventfd *e, u64 *val)
{
	u64 old = load_acquire(&e->count);

	do {
		if (!old)
			return false;
		*val = e->semaphore ? 1 : old;
	} while (!__atomic_compare_exchange_n(&e->count, &old, old - *val, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
	return true;
}

static bool eventfd_add(struct eventfd *e, u64 val)
{
	u64 old = load_acquire(&e->count);

	do {
		if (old > EVENTFD_MAX - val)
			return false;
	} while (!__atomic_compare_exchange_n(&e->count, &old, old + val, false, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE));
	return true;
}

static ssize_t eventfd_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct eventfd *e = f->priv;
	u64 val;
	int ret;

	if (to->left < sizeof(val))
		return -EINVAL;
	while (!eventfd_take(e, &val)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(&e->wait, load_acquire(&e->count));
		if (ret)
			return ret;
	}
	wake_up_key(&e->wait, ~0u, POLLOUT | POLLWRNORM);
	return uio_put(to, &val, sizeof(val)) == sizeof(val) ? (ssize_t)sizeof(val) : -EFAULT;
}

static ssize_t eventfd_write(struct file *f, struct uio *from, pos_t *pos __unused)
{
	struct eventfd *e = f->priv;
	u64 val;
	int ret;

	if (from->left < sizeof(val))
		return -EINVAL;
	if (uio_get(from, &val, sizeof(val)) != sizeof(val))
		return -EFAULT;
	if (val == ~0ull)
		return -EINVAL;
	while (!eventfd_add(e, val)) {
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(&e->wait, load_acquire(&e->count) <= EVENTFD_MAX - val);
		if (ret)
			return ret;
	}
	wake_up_key(&e->wait, ~0u, POLLIN | POLLRDNORM);
	return sizeof(val);
}

static u32 eventfd_poll(struct file *f, struct poll_table *pt)
{
	struct eventfd *e = f->priv;
	u32 events = 0;
	u64 count;

	poll_wait(f, &e->wait, pt);
	smp_mb();
	count = load_acquire(&e->count);
	if (count)
		events |= POLLIN | POLLRDNORM;
	if (count < EVENTFD_MAX)
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static void eventfd_release(struct file *f)
{
	kfree(f->priv);
}

static void eventfd_show(struct file *f, struct seq_buf *out)
{
	struct eventfd *e = f->priv;

	seq_printf(out, "eventfd-count: %16llx\neventfd-semaphore: %d\n",
		   (unsigned long long)load_relaxed(&e->count), e->semaphore);
}

static const struct file_ops eventfd_ops = {
	.name = "eventfd",
	.read = eventfd_read,
	.write = eventfd_write,
	.seek = ipc_noop_seek,
	.poll = eventfd_poll,
	.release = eventfd_release,
	.show_fdinfo = eventfd_show,
};

struct file *eventfd_create(u32 count, u32 flags)
{
	struct eventfd *e = kzalloc(sizeof(*e));
	struct file *f;

	if (!e)
		return NULL;
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	wait_queue_init(&e->wait);
	f = anon_file(&eventfd_ops, O_RDWR | (flags & O_NONBLOCK), e);
	if (!f)
		kfree(e);
	return f;
}
