// SPDX-License-Identifier: MIT
/*
 * The ring of a pipe, and read, write, poll on its ends. See pipe.h for the life and the lock; opening is in pipe_open.c.
 *
 * Wake-ups: a writer wakes readers when the ring was empty, a reader wakes writers when it was full; in between nobody can be
 * asleep for lack of bytes or room, and a wake-up of an empty queue costs no host call. Sleepers are exclusive, one is woken and
 * passes the word on when it leaves something behind. (A watched pipe tells of each write: "polled".)
 */
#include "ipc/pipe.h"

#include "ipc/pipe_internal.h"

#include "base/errno.h"
#include "base/string.h"
#include "ipc/ipc.h"
#include "mm/kmalloc.h"
#include "process/task.h"

#define FIONREAD	0x541bu

static u32 pipe_used(const struct pipe *p) { return p->head - p->tail; }
static bool pipe_empty(const struct pipe *p) { return p->head == p->tail; }
static bool pipe_full(const struct pipe *p) { return pipe_used(p) >= p->slots; }
static struct pipe_slot *pipe_slot(struct pipe *p, u32 i) { return &p->ring[i & (p->slots - 1)]; }

static u8 *pipe_page_get(struct pipe *p)
{
	for (u32 i = 0; i < PIPE_SPARE_PAGES; i++) {
		u8 *page = p->spare[i];

		if (page) {
			p->spare[i] = NULL;
			return page;
		}
	}
	return page_alloc(1);
}

static void pipe_page_put(struct pipe *p, u8 *page)
{
	for (u32 i = 0; i < PIPE_SPARE_PAGES; i++) {
		if (!p->spare[i]) {
			p->spare[i] = page;
			return;
		}
	}
	page_free(page, 1);
}

void pipe_free_pages(struct pipe *p)
{
	while (!pipe_empty(p))
		page_free(pipe_slot(p, p->tail++)->page, 1);
	for (u32 i = 0; i < PIPE_SPARE_PAGES; i++)
		if (p->spare[i])
			page_free(p->spare[i], 1);
}

static void pipe_drop_slot(struct pipe *p)
{
	pipe_page_put(p, pipe_slot(p, p->tail)->page);
	p->tail++;
}

int pipe_sleep(struct pipe *p, struct wait_queue *q)
{
	struct wait_entry we;

	if (signal_pending())
		return -ERESTARTSYS;
	wait_entry_init(&we);
	prepare_to_wait_exclusive(q, &we, TASK_INTERRUPTIBLE);
	mutex_unlock(&p->lock);
	schedule_until(FOREVER);
	finish_wait(&we);
	mutex_lock(&p->lock);
	return 0;
}

/*
 * Sleep until there is a byte to read that nobody has claimed. p->lock held, let go meanwhile.
 * Return: 1, 0 at end of file, -EAGAIN, -ERESTARTSYS.
 */
static int pipe_wait_readable(struct pipe *p, bool nonblock)
{
	while (p->claimed || pipe_empty(p)) {
		int ret;

		if (!p->claimed && !p->nr_writers)
			return 0;
		if (nonblock)
			return -EAGAIN;
		ret = pipe_sleep(p, &p->readers);
		if (ret)
			return ret;
	}
	return 1;
}

/* What is in the ring now, into @to. Return: bytes, or -EFAULT when the first byte faults. p->lock held. */
static ssize_t pipe_take(struct pipe *p, struct uio *to)
{
	ssize_t done = 0;

	while (to->left && !pipe_empty(p)) {
		struct pipe_slot *s = pipe_slot(p, p->tail);
		u32 want = min_t(size_t, s->len, to->left);
		ssize_t n = uio_put(to, s->page + s->off, want);
		bool packet = s->packet;

		if (n < 0)
			return done ? done : n;
		done += n;
		s->off += n;
		s->len -= n;
		if (n < want)
			return done;
		if (!s->len || packet)	/* what a reader of a packet has no room for is lost */
			pipe_drop_slot(p);
		if (packet)
			break;
	}
	return done;
}

ssize_t pipe_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct pipe *p = f->priv;
	bool was_full, more;
	ssize_t ret;

	if (!to->left)
		return 0;
	mutex_lock(&p->lock);
	ret = pipe_wait_readable(p, f->flags & O_NONBLOCK);
	was_full = pipe_full(p);
	if (ret > 0)
		ret = pipe_take(p, to);
	was_full &= !pipe_full(p);
	more = !pipe_empty(p) && !p->claimed;
	mutex_unlock(&p->lock);
	if (was_full)
		wake_up_poll(&p->writers, POLLOUT | POLLWRNORM);
	if (more && wait_queue_active(&p->readers))
		wake_up_poll(&p->readers, POLLIN | POLLRDNORM);
	return ret;
}

/*
 * A short tail of a write goes into the page that was written last, when it fits as a whole.
 * Return: bytes, 0 when it does not fit, -EFAULT.
 */
static ssize_t pipe_merge(struct pipe *p, struct uio *from)
{
	struct pipe_slot *s = pipe_slot(p, p->head - 1);
	size_t part = from->left & (PAGE_SIZE - 1);
	ssize_t n;

	if (!part || pipe_empty(p) || s->packet || s->off + s->len + part > PAGE_SIZE)
		return 0;
	n = uio_get(from, s->page + s->off + s->len, part);
	if (n < (ssize_t)part)
		return -EFAULT;
	s->len += n;
	return n;
}

/* One more page of the write. There is a free slot. Return: bytes, -ENOMEM, -EFAULT (a page is taken whole or not). */
static ssize_t pipe_fill_slot(struct pipe *p, struct uio *from, bool packet)
{
	size_t part = min_t(size_t, from->left, PAGE_SIZE);
	struct pipe_slot *s = pipe_slot(p, p->head);
	u8 *page = pipe_page_get(p);
	ssize_t n;

	if (!page)
		return -ENOMEM;
	n = uio_get(from, page, part);
	if (n < (ssize_t)part) {
		pipe_page_put(p, page);
		return -EFAULT;
	}
	*s = (struct pipe_slot){ .page = page, .len = n, .packet = packet };
	p->head++;
	return n;
}

ssize_t pipe_write(struct file *f, struct uio *from, pos_t *pos __unused)
{
	struct pipe *p = f->priv;
	bool packet = f->flags & O_DIRECT;
	bool tell, slept = false, broken = false;
	ssize_t done = 0, n = 0;

	if (!from->left)
		return 0;
	mutex_lock(&p->lock);
	tell = pipe_empty(p);
	if (p->nr_readers && !packet && !tell) {
		n = pipe_merge(p, from);
		done = max_t(ssize_t, n, 0);
	}
	while (n >= 0 && from->left) {
		if (!p->nr_readers) {
			broken = true;
			n = -EPIPE;
		} else if (!pipe_full(p)) {
			n = pipe_fill_slot(p, from, packet);
			done += max_t(ssize_t, n, 0);
		} else if (f->flags & O_NONBLOCK) {
			n = -EAGAIN;
		} else {
			if (tell || p->polled)
				wake_up_poll(&p->readers, POLLIN | POLLRDNORM);
			n = pipe_sleep(p, &p->writers);
			tell = pipe_empty(p);
			slept = true;
		}
	}
	tell = (tell || p->polled) && !pipe_empty(p);
	slept = (slept || n == -ERESTARTSYS) && !pipe_full(p);
	mutex_unlock(&p->lock);
	if (tell)
		wake_up_poll(&p->readers, POLLIN | POLLRDNORM);
	if (slept)
		wake_up_poll(&p->writers, POLLOUT | POLLWRNORM);
	if (broken)
		ipc_sigpipe();
	return done ? done : n;
}

u32 pipe_poll(struct file *f, struct poll_table *pt)
{
	struct pipe *p = f->priv;
	u32 head, tail, events = 0;

	if (pt && pt->add)
		WRITE_ONCE(p->polled, true);
	if (f->mode & FMODE_READ)
		poll_wait(f, &p->readers, pt);
	if (f->mode & FMODE_WRITE)
		poll_wait(f, &p->writers, pt);
	/* without the lock: what changes after this look wakes the caller once more */
	smp_mb();
	tail = READ_ONCE(p->tail);
	head = READ_ONCE(p->head);
	if (f->mode & FMODE_READ) {
		if (head != tail)
			events |= POLLIN | POLLRDNORM;
		/* no end of file for an opener who came before the first writer */
		if (!READ_ONCE(p->nr_writers) && f->pos != (pos_t)READ_ONCE(p->w_opens))
			events |= POLLHUP;
	}
	if (f->mode & FMODE_WRITE) {
		if (head - tail < READ_ONCE(p->slots))
			events |= POLLOUT | POLLWRNORM;
		if (!READ_ONCE(p->nr_readers))
			events |= POLLERR;
	}
	return events;
}

long pipe_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct pipe *p = f->priv;
	s32 sum = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&p->lock);
	for (u32 i = p->tail; i != p->head; i++)
		sum += pipe_slot(p, i)->len;
	mutex_unlock(&p->lock);
	return put_user(sum, arg);
}

ssize_t pipe_peek(struct file *f, void *buf, size_t len, bool nonblock)
{
	struct pipe *p = file_pipe(f);
	ssize_t ret;
	size_t n = 0;

	if (!p || !(f->mode & FMODE_READ))
		return -EBADF;
	if (!len)
		return 0;
	mutex_lock(&p->lock);
	ret = pipe_wait_readable(p, nonblock);
	if (ret > 0) {
		for (u32 i = p->tail; i != p->head && n < len; i++) {
			struct pipe_slot *s = pipe_slot(p, i);
			size_t part = min_t(size_t, s->len, len - n);

			memcpy((u8 *)buf + n, s->page + s->off, part);
			n += part;
		}
		p->claimed = true;
		ret = n;
	}
	mutex_unlock(&p->lock);
	return ret;
}

void pipe_consume(struct file *f, size_t n)
{
	struct pipe *p = f->priv;
	bool was_full, more;

	mutex_lock(&p->lock);
	p->claimed = false;
	was_full = pipe_full(p);
	while (n && !pipe_empty(p)) {
		struct pipe_slot *s = pipe_slot(p, p->tail);
		u32 part = min_t(size_t, s->len, n);

		s->off += part;
		s->len -= part;
		n -= part;
		if (!s->len)
			pipe_drop_slot(p);
	}
	was_full &= !pipe_full(p);
	more = !pipe_empty(p) || !p->nr_writers;
	mutex_unlock(&p->lock);
	if (was_full)
		wake_up_poll(&p->writers, POLLOUT | POLLWRNORM);
	if (more)
		wake_up_all(&p->readers);
}

long pipe_get_size(struct file *f)
{
	struct pipe *p = file_pipe(f);

	return p ? (long)(READ_ONCE(p->slots) * PAGE_SIZE) : -EBADF;
}

long pipe_set_size(struct file *f, u64 size)
{
	struct pipe *p = file_pipe(f);
	struct pipe_slot *ring, *old;
	u32 slots = 1, old_slots;

	if (!p)
		return -EBADF;
	if (size > (1ul << 31))
		return -EINVAL;
	while (slots * PAGE_SIZE < size)
		slots *= 2;
	/* CAP_SYS_RESOURCE is the program's own word: it lifts no limit of the sandbox */
	if (slots * PAGE_SIZE > PIPE_MAX_SIZE && slots > READ_ONCE(p->slots))
		return -EPERM;
	ring = kcalloc(slots, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	mutex_lock(&p->lock);
	old = p->ring;
	old_slots = p->slots;
	if (slots < pipe_used(p)) {
		mutex_unlock(&p->lock);
		kfree(ring);
		return -EBUSY;
	}
	if (!pipe_promise(old_slots, slots)) {
		mutex_unlock(&p->lock);
		kfree(ring);
		return -EPERM;
	}
	for (u32 i = p->tail; i != p->head; i++)
		ring[i & (slots - 1)] = old[i & (old_slots - 1)];
	p->ring = ring;
	WRITE_ONCE(p->slots, slots);
	mutex_unlock(&p->lock);
	kfree(old);
	if (slots > old_slots)
		wake_up_poll(&p->writers, POLLOUT | POLLWRNORM);
	return slots * PAGE_SIZE;
}
