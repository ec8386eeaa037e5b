// SPDX-License-Identifier: MIT
/* Pipes come and go: pipe(2), open(2) of a FIFO, the last close. See pipe.h. */
#include "ipc/pipe_internal.h"

#include "base/errno.h"
#include "fs/vfs.h"
#include "mm/kmalloc.h"
#include "process/task.h"

static struct spinlock attach_lock = SPINLOCK_INIT;	/* guards inode.socket of FIFOs and pipes: the pipe, while it is open */
static u32 pipe_pages;		/* promised to all pipes */

bool pipe_promise(u32 old, u32 new)
{
	u32 sum = atomic_add(&pipe_pages, new - old);

	if (new <= old || sum <= PIPE_TOTAL_PAGES)
		return true;
	atomic_sub(&pipe_pages, new - old);
	return false;
}

static struct pipe *pipe_alloc(void)
{
	struct pipe *p = kzalloc(sizeof(*p));
	u32 slots = PIPE_DEF_SLOTS;

	if (!p)
		return NULL;
	if (!pipe_promise(0, slots)) {
		/* the least is always there: the number of open files bounds the sum */
		slots = PIPE_MIN_SLOTS;
		atomic_add(&pipe_pages, slots);
	}
	p->ring = kcalloc(slots, sizeof(*p->ring));
	if (!p->ring) {
		atomic_sub(&pipe_pages, slots);
		kfree(p);
		return NULL;
	}
	p->slots = slots;
	ref_init(&p->ref);
	mutex_init(&p->lock);
	wait_queue_init(&p->readers);
	wait_queue_init(&p->writers);
	return p;
}

static void pipe_put(struct pipe *p)
{
	if (!ref_put(&p->ref))
		return;
	if (p->inode) {
		spin_lock(&attach_lock);
		if (p->inode->socket == p)
			p->inode->socket = NULL;
		spin_unlock(&attach_lock);
		inode_put(p->inode);
	}
	atomic_sub(&pipe_pages, p->slots);
	pipe_free_pages(p);
	kfree(p->ring);
	kfree(p);
}

static void pipe_wake_everybody(struct pipe *p)
{
	wake_up_key(&p->readers, ~0u, POLLIN | POLLRDNORM | POLLHUP);
	wake_up_key(&p->writers, ~0u, POLLOUT | POLLWRNORM | POLLERR | POLLHUP);
}

static void pipe_close_end(struct pipe *p, u32 mode)
{
	mutex_lock(&p->lock);
	if (mode & FMODE_READ)
		WRITE_ONCE(p->nr_readers, p->nr_readers - 1);
	if (mode & FMODE_WRITE)
		WRITE_ONCE(p->nr_writers, p->nr_writers - 1);
	mutex_unlock(&p->lock);
	pipe_wake_everybody(p);
	pipe_put(p);
}

static void pipe_release(struct file *f)
{
	pipe_close_end(f->priv, f->mode);
}

static const struct file_ops pipe_ops = {
	.name = "pipe",
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.release = pipe_release,
};

struct pipe *file_pipe(struct file *f)
{
	return f->ops == &pipe_ops ? f->priv : NULL;
}

/* One end of a new pipe; takes a reference of the pipe when there is a file. */
static struct file *pipe_file(struct pipe *p, u32 flags, u32 mode)
{
	struct file *f = file_alloc(&pipe_ops, flags, mode | FMODE_STREAM, p);

	if (!f)
		return NULL;
	inode_get(p->inode);
	f->inode = p->inode;
	ref_get(&p->ref);
	return f;
}

int pipe_create(struct file **reader, struct file **writer, u32 flags)
{
	struct pipe *p = pipe_alloc();
	int ret = -ENOMEM;

	if (!p)
		return ret;
	p->inode = inode_anon(S_IFIFO | 0600);
	if (!p->inode)
		goto out;
	p->inode->socket = p;
	p->nr_readers = p->nr_writers = p->r_opens = p->w_opens = 1;
	ret = -ENFILE;
	*reader = pipe_file(p, O_RDONLY | (flags & (O_NONBLOCK | O_DIRECT)), FMODE_READ);
	if (!*reader)
		goto out;
	*writer = pipe_file(p, O_WRONLY | (flags & (O_NONBLOCK | O_DIRECT)), FMODE_WRITE);
	if (*writer)
		ret = 0;
	else
		file_put(*reader);
out:
	pipe_put(p);
	return ret;
}

/* A reference to the pipe that @inode is attached to, or NULL. */
static struct pipe *pipe_attached(struct inode *inode)
{
	struct pipe *p = inode->socket;

	return p && ref_tryget(&p->ref) ? p : NULL;
}

/* The pipe of @inode, new when nobody has it open. Return: a reference, or NULL: no memory */
static struct pipe *fifo_find(struct inode *inode)
{
	struct pipe *p, *new;

	spin_lock(&attach_lock);
	p = pipe_attached(inode);
	spin_unlock(&attach_lock);
	if (p)
		return p;
	new = pipe_alloc();
	if (!new)
		return NULL;
	inode_get(inode);
	new->inode = inode;
	spin_lock(&attach_lock);
	p = pipe_attached(inode);
	if (!p)
		inode->socket = new;	/* whose last reference goes at this moment sees that it is not its own */
	spin_unlock(&attach_lock);
	if (!p)
		return new;
	pipe_put(new);
	return p;
}

/* Sleep until *@opens, which counts opens of the other end, changes. p->lock held. */
static int fifo_wait_for_partner(struct pipe *p, u32 *opens)
{
	u32 seen = *opens;

	while (*opens == seen) {
		struct wait_entry we;

		if (signal_pending())
			return -ERESTARTSYS;
		wait_entry_init(&we);
		prepare_to_wait(&p->readers, &we, TASK_INTERRUPTIBLE);
		mutex_unlock(&p->lock);
		schedule_until(FOREVER);
		finish_wait(&we);
		mutex_lock(&p->lock);
	}
	return 0;
}

static int fifo_join(struct pipe *p, struct file *f)
{
	u32 mode = f->mode & (FMODE_READ | FMODE_WRITE);
	bool nonblock = f->flags & O_NONBLOCK;
	bool fifo = !(p->inode->flags & INODE_ANON);	/* else a pipe(2), opened again through /proc/self/fd: nobody waits */

	if (fifo && mode == FMODE_WRITE && nonblock && !p->nr_readers)
		return -ENXIO;
	if (mode & FMODE_READ) {
		p->r_opens++;
		p->nr_readers++;
	}
	if (mode & FMODE_WRITE) {
		p->w_opens++;
		p->nr_writers++;
	}
	wake_up_all(&p->readers);
	f->pos = -1;
	if (fifo && mode == FMODE_READ && !p->nr_writers) {
		if (!nonblock)
			return fifo_wait_for_partner(p, &p->w_opens);
		f->pos = p->w_opens;	/* pipe_poll(): no POLLHUP before the first writer came */
	} else if (fifo && mode == FMODE_WRITE && !p->nr_readers) {
		return fifo_wait_for_partner(p, &p->r_opens);
	}
	return 0;
}

int fifo_open(struct inode *inode, struct file *f)
{
	struct pipe *p;
	int ret;

	if (!(f->mode & (FMODE_READ | FMODE_WRITE)))
		return -EINVAL;
	p = fifo_find(inode);
	if (!p)
		return -ENOMEM;
	mutex_lock(&p->lock);
	ret = fifo_join(p, f);
	mutex_unlock(&p->lock);
	if (ret == -ENXIO) {
		pipe_put(p);
		return ret;
	}
	if (ret) {
		pipe_close_end(p, f->mode);
		return ret;
	}
	f->mode &= ~(FMODE_SEEK | FMODE_PREAD | FMODE_ATOMIC_POS);
	f->mode |= FMODE_STREAM;
	f->priv = p;
	f->ops = &pipe_ops;
	return 0;
}
