// SPDX-License-Identifier: MIT
/* Pseudo terminals: /dev/ptmx gives a master and makes a slave, which devpts.c shows. */
#include "fs/chrdev.h"
#include "mm/kmalloc.h"
#include "tty/tty.h"

#define CHUNK	512u

static struct mutex pty_lock = MUTEX_INIT;
static LIST_HEAD(ptys);			/* whose master is open, by number */
static u32 nr_ptys;

static void pty_output(struct tty *t)
{
	wake_up_poll(&t->master_wait, POLLIN | POLLRDNORM);
}

static const struct tty_driver pty_driver = { .major = PTS_MAJOR, .output = pty_output };

/* ---- the table ---- */

struct tty *pty_find(u32 index)
{
	struct tty *t, *found = NULL;

	mutex_lock(&pty_lock);
	list_for_each(t, &ptys, node)
		if (t->index == index)
			found = t;
	if (found)
		tty_get(found);
	mutex_unlock(&pty_lock);
	return found;
}

int pty_next(u32 from)
{
	struct tty *t;
	int index = -1;

	mutex_lock(&pty_lock);
	list_for_each(t, &ptys, node) {
		if (t->index >= from) {
			index = (int)t->index;
			break;
		}
	}
	mutex_unlock(&pty_lock);
	return index;
}

/* The lowest free number. Return: 0 or -ENOSPC */
static int pty_add(struct tty *t)
{
	struct tty *other;
	struct list *at = &ptys;
	u32 index = 0;

	mutex_lock(&pty_lock);
	if (nr_ptys == PTY_MAX) {
		mutex_unlock(&pty_lock);
		return -ENOSPC;
	}
	list_for_each(other, &ptys, node) {
		if (other->index != index) {
			at = &other->node;
			break;
		}
		index++;
	}
	t->index = index;
	list_add_tail(&t->node, at);
	nr_ptys++;
	mutex_unlock(&pty_lock);
	return 0;
}

static void pty_remove(struct tty *t)
{
	mutex_lock(&pty_lock);
	list_del(&t->node);
	nr_ptys--;
	mutex_unlock(&pty_lock);
}

/* ---- the master ---- */

static int ptmx_open(struct inode *inode __unused, struct file *f)
{
	struct tty *t = tty_alloc(&pty_driver, 0);
	struct inode *slave;
	int ret;

	if (!t)
		return -ENOMEM;
	t->is_pty = t->locked = true;
	ret = pty_add(t);
	if (ret)
		goto err_put;
	slave = devpts_inode(t->index);
	ret = slave ? tty_open_file(t, f, true) : -ENOMEM;
	if (ret) {
		pty_remove(t);
		if (slave)
			inode_put(slave);
		goto err_put;
	}
	mutex_lock(&t->lock);
	t->inode = slave;
	t->master_open = true;
	mutex_unlock(&t->lock);
err_put:
	tty_put(t);
	return ret;
}

static void master_release(struct file *f)
{
	struct tty_file *tf = f->priv;
	struct tty *t = tf->tty;
	struct inode *inode;

	pty_remove(t);
	mutex_lock(&t->lock);
	t->master_open = false;
	inode = t->inode;
	t->inode = NULL;
	ring_cut(&t->out, 0);
	mutex_unlock(&t->lock);
	if (inode)
		inode_put(inode);
	tty_hangup(t);
	kfree(tf);
	tty_put(t);
}

static bool master_readable(struct tty *t)
{
	return READ_ONCE(t->out.len) || READ_ONCE(t->no_slave) || (READ_ONCE(t->packet) && READ_ONCE(t->pktstatus));
}

/* Under the lock. Return: bytes to hand out, -EIO, -EAGAIN: nothing yet; *@status: it is a packet's header alone */
static int master_take(struct tty *t, u8 *buf, u32 want, bool *status)
{
	const u8 *p;
	bool full;
	u32 len;

	if (t->packet && t->pktstatus) {
		*status = true;
		buf[0] = t->pktstatus;
		t->pktstatus = 0;
		return 1;
	}
	if (!t->out.len)
		return t->no_slave ? -EIO : -EAGAIN;
	len = min(want, ring_peek(&t->out, &p));
	for (u32 i = 0; i < len; i++)
		buf[i] = p[i];
	full = ring_room(&t->out) <= 8;
	ring_drop(&t->out, len);
	/* echoes that found no room; those that TCOOFF held back wait for the next key, as on Linux */
	if (full)
		echo_process(t);
	return (int)len;
}

static ssize_t master_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct tty *t = ((struct tty_file *)f->priv)->tty;
	size_t done = 0;
	ssize_t ret = 0;

	while (to->left) {
		u8 buf[CHUNK + 1], *data = buf;
		bool status = false, header;
		int n;

		mutex_lock(&t->lock);
		if (done && t->packet && t->pktstatus) {
			mutex_unlock(&t->lock);
			break;
		}
		header = t->packet && !done && !t->pktstatus;
		if (header)
			*data++ = 0;
		n = to->left == 1 && header && t->out.len ? 0 :
		    master_take(t, data, (u32)min_t(size_t, to->left - (header ? 1 : 0), CHUNK), &status);
		mutex_unlock(&t->lock);
		if (n >= 0) {
			wake_up_poll(&t->write_wait, POLLOUT | POLLWRNORM);
			ret = uio_put(to, buf, (size_t)n + (header ? 1 : 0));
			if (ret < 0)
				break;
			done += (size_t)ret;
			if (status || !n)
				break;
			continue;
		}
		ret = n;
		if (done || n != -EAGAIN || f->flags & O_NONBLOCK)
			break;
		ret = wait_event_interruptible(&t->master_wait, master_readable(t));
		if (ret)
			break;
	}
	return done ? (ssize_t)done : ret;
}

static bool master_writable(struct tty *t)
{
	return !READ_ONCE(t->master_stopped) && READ_ONCE(t->in.len) < TTY_IN_MAX;
}

/* @len bytes of @buf, or as many as may be. Return: 0, -EAGAIN, -ENOMEM, -ERESTARTSYS */
static int master_put(struct file *f, const u8 *buf, u32 len, u32 *done)
{
	struct tty *t = ((struct tty_file *)f->priv)->tty;

	for (*done = 0;;) {
		u32 part;
		bool ok;
		int ret;

		mutex_lock(&t->lock);
		part = t->master_stopped ? 0 : min(len - *done, ring_room(&t->in));
		ok = !part || ring_put(&t->in, buf + *done, part);
		if (ok)
			*done += part;
		n_tty_receive(t);
		mutex_unlock(&t->lock);
		if (*done == len)
			return 0;
		if (!ok)
			return -ENOMEM;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(&t->master_wait, master_writable(t));
		if (ret)
			return ret;
	}
}

static ssize_t master_write(struct file *f, struct uio *from, pos_t *pos __unused)
{
	size_t done = 0;
	ssize_t ret = 0;

	while (!ret && from->left) {
		u8 buf[CHUNK];
		u32 part = 0;
		ssize_t n = uio_get(from, buf, min_t(size_t, CHUNK, from->left));

		if (n <= 0) {
			ret = n;
			break;
		}
		ret = master_put(f, buf, (u32)n, &part);
		done += part;
		if (signal_pending())
			break;
	}
	return done ? (ssize_t)done : ret;
}

static u32 master_poll(struct file *f, struct poll_table *pt)
{
	struct tty *t = ((struct tty_file *)f->priv)->tty;
	u32 events = 0;

	poll_wait(f, &t->master_wait, pt);
	mutex_lock(&t->lock);
	if (t->out.len)
		events |= POLLIN | POLLRDNORM;
	if (t->packet && t->pktstatus)
		events |= POLLPRI | POLLIN | POLLRDNORM;
	if (t->no_slave)
		events |= POLLHUP;
	if (master_writable(t))
		events |= POLLOUT | POLLWRNORM;
	mutex_unlock(&t->lock);
	return events;
}

const struct file_ops pty_master_ops = {
	.name = "ptmx",
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.ioctl = tty_ioctl,
	.release = master_release,
};

/* ---- ioctls that only ptys have ---- */

static long set_lock(struct tty *t, u64 arg)
{
	s32 on;

	if (get_user(on, arg))
		return -EFAULT;
	mutex_lock(&t->lock);
	t->locked = on != 0;
	mutex_unlock(&t->lock);
	return 0;
}

static long set_packet(struct tty *t, u64 arg)
{
	s32 on;

	if (get_user(on, arg))
		return -EFAULT;
	mutex_lock(&t->lock);
	if (on && !t->packet)
		t->pktstatus = 0;
	t->packet = on != 0;
	mutex_unlock(&t->lock);
	return 0;
}

static long send_signal(struct tty *t, u64 sig)
{
	if (sig != SIGINT && sig != SIGQUIT && sig != SIGTSTP)
		return -EINVAL;
	tty_signal_pgrp(t, (int)sig);
	return 0;
}

long pty_ioctl(struct tty *t, struct file *f __unused, u32 cmd, u64 arg, bool master)
{
	if (!master)
		return -ENOTTY;
	switch (cmd) {
	case TIOCSPTLCK:	return set_lock(t, arg);
	case TIOCGPTLCK:	return put_user((s32)t->locked, arg);
	case TIOCPKT:		return set_packet(t, arg);
	case TIOCGPKT:		return put_user((s32)t->packet, arg);
	case TIOCGPTN:		return put_user(t->index, arg);
	case TIOCSIG:		return send_signal(t, arg);
	case TIOCGPTPEER:	return devpts_open_peer(t, (u32)arg);
	}
	return -ENOTTY;
}

/* ---- devices ---- */

/* Only devpts leads to a slave: its inode says which, even when the number was given out again. */
static int pts_open(struct inode *inode, struct file *f)
{
	struct tty *t = pty_find(dev_minor(inode->rdev));
	bool same;
	int ret = -EIO;

	if (!t)
		return -EIO;
	mutex_lock(&t->lock);
	same = t->inode == inode;
	mutex_unlock(&t->lock);
	if (same)
		ret = tty_open_file(t, f, false);
	tty_put(t);
	return ret;
}

/* /dev/tty: the terminal of whoever opens it */
static int current_open(struct inode *inode __unused, struct file *f)
{
	struct tty *t = tty_current();
	int ret;

	if (!t)
		return -ENXIO;
	f->flags |= O_NOCTTY;
	ret = tty_open_file(t, f, false);
	tty_put(t);
	return ret;
}

static struct chrdev devices[] = {
	{ .major = TTYAUX_MAJOR, .minor = 2, .nr = 1, .name = "/dev/ptmx", .open = ptmx_open },
	{ .major = PTS_MAJOR, .minor = 0, .nr = PTY_MAX, .name = "pts", .open = pts_open },
	{ .major = TTYAUX_MAJOR, .minor = 0, .nr = 1, .name = "/dev/tty", .open = current_open },
};

void pty_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		chrdev_register(&devices[i]);
}
