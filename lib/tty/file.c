// SPDX-License-Identifier: MIT
/* Terminals as files, on the program's side: open, read, write, poll, close. */
#include "tty/tty.h"

#include "base/string.h"
#include "fs/vfs.h"
#include "mm/kmalloc.h"
#include "sched/time.h"

#define CHUNK		512u
#define DECISECOND	(100 * NSEC_PER_MSEC)

static const struct termios2 defaults = {
	.iflag = ICRNL | IXON,
	.oflag = OPOST | ONLCR,
	.cflag = B38400 | CS8 | CREAD,
	.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
	.cc = { [VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VTIME] = 0, [VMIN] = 1, [VSTART] = 17,
		[VSTOP] = 19, [VSUSP] = 26, [VREPRINT] = 18, [VDISCARD] = 15, [VWERASE] = 23, [VLNEXT] = 22 },
	.ispeed = 38400,
	.ospeed = 38400,
};

struct tty *tty_alloc(const struct tty_driver *driver, u32 index)
{
	struct tty *t = kzalloc(sizeof(*t));

	if (!t)
		return NULL;
	t->ref.count = 1;
	mutex_init(&t->lock);
	t->driver = driver;
	t->index = index;
	t->termios = defaults;
	t->in.max = TTY_IN_MAX;
	t->out.max = TTY_OUT_MAX;
	wait_queue_init(&t->read_wait);
	wait_queue_init(&t->write_wait);
	wait_queue_init(&t->master_wait);
	list_init(&t->node);
	n_tty_set_termios(t, NULL);
	return t;
}

void tty_put(struct tty *t)
{
	if (!ref_put(&t->ref))
		return;
	/* no file and so no process has it; what it led is forgotten */
	if (t->session)
		pid_release(t->session);
	if (t->pgrp)
		pid_release(t->pgrp);
	if (t->driver->release)
		t->driver->release(t);
	ring_free(&t->in);
	ring_free(&t->out);
	kfree(t);
}

struct tty *file_tty(struct file *f)
{
	if (f->ops != &tty_file_ops && f->ops != &pty_master_ops)
		return NULL;
	return ((struct tty_file *)f->priv)->tty;
}

static bool hung_up(const struct tty_file *tf)
{
	return READ_ONCE(tf->tty->generation) != tf->generation;
}

int tty_open_file(struct tty *t, struct file *f, bool master)
{
	struct tty_file *tf = kmalloc(sizeof(*tf));
	int ret = 0;

	if (!tf)
		return -ENOMEM;
	mutex_lock(&t->lock);
	if (!master && t->is_pty && (!t->master_open || t->locked))
		ret = -EIO;
	else if (t->exclusive && !capable(CAP_SYS_ADMIN))
		ret = -EBUSY;
	if (!ret && !master) {
		t->opens++;
		t->no_slave = false;
	}
	*tf = (struct tty_file){ t, t->generation, master };
	mutex_unlock(&t->lock);
	if (ret) {
		kfree(tf);
		return ret;
	}
	tty_get(t);
	f->ops = master ? &pty_master_ops : &tty_file_ops;
	f->priv = tf;
	f->mode |= FMODE_STREAM;
	if (!master)
		tty_open_controlling(t, f);
	return 0;
}

static void tty_release(struct file *f)
{
	struct tty_file *tf = f->priv;
	struct tty *t = tf->tty;
	bool last;

	mutex_lock(&t->lock);
	last = !--t->opens;
	if (last) {
		t->no_slave = true;
		t->exclusive = false;
	}
	mutex_unlock(&t->lock);
	if (last) {
		wake_up_poll(&t->master_wait, POLLHUP);
		tty_forget_sessions(t);
	}
	kfree(tf);
	tty_put(t);
}

/* ---- read ---- */

/* Under the lock: what there is, at most a chunk. Return: true when the reader may go on for more of the same line */
static bool take(struct tty *t, u8 *buf, u32 want, u32 *got)
{
	bool more = true;

	if ((t->termios.lflag & (ICANON | EXTPROC)) == ICANON)
		more = n_tty_canon_copy(t, buf, want, got) && n_tty_input_available(t, false);
	else
		*got = n_tty_raw_copy(t, buf, want);
	n_tty_receive(t);
	return more;
}

struct reader {
	size_t min;		/* enough to return with */
	s64 between;		/* ns between bytes, 0: no matter */
	s64 deadline;
};

static struct reader make_reader(const struct tty *t)
{
	const u8 *cc = t->termios.cc;
	struct reader r = { 0, 0, FOREVER };

	if (t->termios.lflag & ICANON)
		return r;
	r.min = cc[VMIN];
	if (r.min) {
		r.between = cc[VTIME] * DECISECOND;
	} else {
		r.deadline = cc[VTIME] ? clock_monotonic() + cc[VTIME] * DECISECOND : 0;
		r.min = 1;
	}
	return r;
}

/* Nothing is there. Return: 1: look again, 0: that is all, -errno */
static int wait_input(struct file *f, struct reader *r)
{
	struct tty_file *tf = f->priv;
	struct tty *t = tf->tty;
	int ret;

	if (hung_up(tf) || !r->deadline)
		return 0;
	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	ret = wait_event_interruptible_until(&t->read_wait, n_tty_input_available(t, false) || hung_up(tf), r->deadline);
	if (ret == -ETIMEDOUT)
		r->deadline = 0;
	return ret && ret != -ETIMEDOUT ? ret : 1;
}

static ssize_t tty_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct tty_file *tf = f->priv;
	struct tty *t = tf->tty;
	struct reader r;
	size_t done = 0;
	ssize_t ret;

	if (hung_up(tf))
		return 0;
	ret = tty_check_change(t, SIGTTIN);
	if (ret)
		return ret;
	r = make_reader(t);
	while (to->left) {
		bool available, more = false;
		u8 buf[CHUNK];
		u32 got = 0;

		mutex_lock(&t->lock);
		available = !hung_up(tf) && n_tty_input_available(t, false);
		if (available)
			more = take(t, buf, min_t(u32, CHUNK, min_t(size_t, to->left, CHUNK)), &got);
		mutex_unlock(&t->lock);
		if (!available) {
			ret = wait_input(f, &r);
			if (ret <= 0)
				break;
			continue;
		}
		ret = got ? uio_put(to, buf, got) : 0;
		if (ret < 0)
			break;
		done += (size_t)ret;
		if (!r.min) {
			if (!more)
				break;
		} else if (done >= r.min) {
			/* whatever else is there already comes along */
			if (got < CHUNK || !n_tty_input_available(t, false))
				break;
		} else if (r.between) {
			r.deadline = clock_monotonic() + r.between;
		}
	}
	return done ? (ssize_t)done : ret;
}

/* ---- write ---- */

static bool may_write(struct tty_file *tf)
{
	return hung_up(tf) || (!READ_ONCE(tf->tty->stopped) && ring_room(&tf->tty->out) > 8);
}

/* @len bytes of @buf, or as many as may be. Return: 0, -EIO, -EAGAIN, -ERESTARTSYS */
static int write_chunk(struct file *f, const u8 *buf, u32 len, u32 *done)
{
	struct tty_file *tf = f->priv;
	struct tty *t = tf->tty;
	int ret;

	for (*done = 0;;) {
		bool gone, stuck = false;
		u32 n = 0;

		mutex_lock(&t->lock);
		gone = hung_up(tf) || (t->is_pty && !t->master_open);
		if (!gone) {
			echo_process(t);
			n = tty_output(t, buf + *done, len - *done);
			/* room, but no memory for it */
			stuck = !n && !t->stopped && ring_room(&t->out) > 8;
			*done += n;
		}
		mutex_unlock(&t->lock);
		if (gone)
			return -EIO;
		if (*done == len)
			return 0;
		if (stuck)
			return -ENOMEM;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(&t->write_wait, may_write(tf));
		if (ret)
			return ret;
	}
}

static ssize_t tty_write(struct file *f, struct uio *from, pos_t *pos __unused)
{
	struct tty_file *tf = f->priv;
	size_t done = 0;
	ssize_t ret = 0;

	if (hung_up(tf))
		return -EIO;
	if (tf->tty->termios.lflag & TOSTOP)
		ret = tty_check_change(tf->tty, SIGTTOU);
	while (!ret && from->left) {
		u8 buf[CHUNK];
		u32 part = 0;
		ssize_t n = uio_get(from, buf, min_t(size_t, from->left, CHUNK));

		if (n <= 0) {
			ret = n;
			break;
		}
		ret = write_chunk(f, buf, (u32)n, &part);
		done += part;
		if (signal_pending())
			break;
	}
	return done ? (ssize_t)done : ret;
}

static u32 tty_poll(struct file *f, struct poll_table *pt)
{
	struct tty_file *tf = f->priv;
	struct tty *t = tf->tty;
	u32 events = 0;

	poll_wait(f, &t->read_wait, pt);
	poll_wait(f, &t->write_wait, pt);
	mutex_lock(&t->lock);
	if (hung_up(tf)) {
		events = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
	} else {
		if (n_tty_input_available(t, true))
			events |= POLLIN | POLLRDNORM;
		if (!t->stopped && ring_room(&t->out) > 8)
			events |= POLLOUT | POLLWRNORM;
	}
	mutex_unlock(&t->lock);
	return events;
}

const struct file_ops tty_file_ops = {
	.name = "tty",
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.release = tty_release,
};
