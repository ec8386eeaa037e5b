// SPDX-License-Identifier: MIT
#include "fs/stream.h"

#include "base/errno.h"
#include "base/string.h"
#include "fs/vfs.h"
#include "ipc/ipc.h"
#include "mm/kmalloc.h"
#include "mm/mm.h"
#include "process/cred.h"
#include "process/task.h"
#include "south/south.h"

#define STREAM_BUFFER	4096u
/* Pieces of one south_read() or south_write(); uapi/limits.h allows 64. */
#define STREAM_IOV	16u

struct stream {
	u32 handle;
	struct mutex lock;		/* guards all below; not held while reading from the host */
	u32 mode;			/* FMODE_READ, FMODE_WRITE; never changed */
	bool reading;			/* somebody reads from the host: a program, or the pump */
	bool pump_started, wanted;	/* poll() or a nonblocking read wants to know whether there is something */
	bool eof;
	s32 error;
	u32 head, len;			/* of what the pump read */
	u8 *buf;
	struct wait_queue changed;	/* readers, pollers, the pump */
};

static bool can_read_host(struct stream *s)
{
	bool ok;

	mutex_lock(&s->lock);
	ok = !s->reading;
	mutex_unlock(&s->lock);
	return ok;
}

static void reading_done(struct stream *s)
{
	mutex_lock(&s->lock);
	s->reading = false;
	mutex_unlock(&s->lock);
	wake_up_all(&s->changed);
}

/* Reads ahead for those who only want to know. Lives as long as the sandbox: so does standard input. */
static void stream_pump(void *arg)
{
	struct stream *s = arg;

	for (;;) {
		struct iov iov;
		ssize_t n;

		wait_event(&s->changed, READ_ONCE(s->wanted) && !READ_ONCE(s->len) && !READ_ONCE(s->eof) &&
			   can_read_host(s));
		mutex_lock(&s->lock);
		if (s->reading || s->len || s->eof) {
			mutex_unlock(&s->lock);
			continue;
		}
		s->reading = true;
		mutex_unlock(&s->lock);
		iov = (struct iov){ (u64)(uintptr_t)s->buf, STREAM_BUFFER };
		n = south_read(s->handle, SOUTH_STREAM, &iov, 1);
		mutex_lock(&s->lock);
		if (n != -EINTR) {
			s->wanted = false;
			s->eof = n == 0;
			s->error = n < 0 ? (s32)n : 0;
			s->head = 0;
			s->len = n > 0 ? (u32)n : 0;
		}
		s->reading = false;
		mutex_unlock(&s->lock);
		wake_up_poll(&s->changed, POLLIN | POLLRDNORM);
		wake_up_all(&s->changed);
	}
}

/* s->lock held: have the pump read, so that pollers hear of it. */
static void want_data(struct stream *s)
{
	if (s->eof || s->len || s->wanted)
		return;
	if (!s->buf)
		s->buf = kmalloc(STREAM_BUFFER);
	if (s->buf && !s->pump_started)
		s->pump_started = !kthread_create("stream", stream_pump, s);
	s->wanted = s->pump_started;
}

/* Straight between the host and the program. */
ssize_t stream_io(u32 handle, u64 off, struct uio *u, bool write)
{
	struct iov part[STREAM_IOV];
	u32 nr = 0;
	size_t left = u->left;
	ssize_t n;

	for (u32 i = 0; i < u->nr && nr < STREAM_IOV && left; i++) {
		part[nr] = u->iov[i];
		part[nr].len = min_t(u64, part[nr].len, left);
		left -= part[nr].len;
		if (part[nr].len)
			nr++;
	}
	if (!nr)
		return 0;
	n = write ? south_write(handle, off, part, nr) : south_read(handle, off, part, nr);
	if (n == -EFAULT && u->user && !mm_fault_in(part[0].base, part[0].len, !write))
		n = write ? south_write(handle, off, part, nr) : south_read(handle, off, part, nr);
	if (n > 0)
		uio_advance(u, (size_t)n);
	return n == -EINTR ? -ERESTARTSYS : n;
}

static ssize_t stream_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct stream *s = f->priv;
	ssize_t n;

	for (;;) {
		mutex_lock(&s->lock);
		if (s->len) {
			n = uio_put(to, s->buf + s->head, min_t(size_t, s->len, to->left));
			if (n > 0) {
				s->head += (u32)n;
				s->len -= (u32)n;
			}
			mutex_unlock(&s->lock);
			return n;
		}
		if (s->eof || s->error) {
			n = s->error;
			s->error = 0;
			mutex_unlock(&s->lock);
			return n;
		}
		if (f->flags & O_NONBLOCK) {
			want_data(s);
			mutex_unlock(&s->lock);
			return -EAGAIN;
		}
		if (!s->reading) {
			s->reading = true;
			mutex_unlock(&s->lock);
			n = stream_io(s->handle, SOUTH_STREAM, to, false);
			reading_done(s);
			return n;
		}
		mutex_unlock(&s->lock);
		n = wait_event_interruptible(&s->changed, READ_ONCE(s->len) || READ_ONCE(s->eof) || can_read_host(s));
		if (n)
			return n;
	}
}

static ssize_t stream_write(struct file *f, struct uio *from, pos_t *pos __unused)
{
	struct stream *s = f->priv;
	size_t done = 0;

	while (from->left) {
		ssize_t n = stream_io(s->handle, SOUTH_STREAM, from, true);

		/* the host's own SIGPIPE is ignored: ours goes to the program that wrote */
		if (n == -EPIPE)
			ipc_sigpipe();
		if (n <= 0)
			return done ? (ssize_t)done : n;
		done += (size_t)n;
		if (signal_pending())
			break;
	}
	return (ssize_t)done;
}

static u32 stream_poll(struct file *f, struct poll_table *pt)
{
	struct stream *s = f->priv;
	u32 events = 0;

	poll_wait(f, &s->changed, pt);
	if (f->mode & FMODE_WRITE)
		events |= POLLOUT | POLLWRNORM;
	if (f->mode & FMODE_READ) {
		mutex_lock(&s->lock);
		want_data(s);
		if (s->len || s->eof || s->error)
			events |= POLLIN | POLLRDNORM;
		if (s->eof)
			events |= POLLHUP;
		mutex_unlock(&s->lock);
		/* the pump looks at wanted; its own queue is this one */
		if (!events)
			wake_up_all(&s->changed);
	}
	return events;
}

#define FIONREAD	0x541bu

static long stream_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct stream *s = f->priv;
	s32 n;

	if (cmd != FIONREAD || !(f->mode & FMODE_READ))
		return -ENOTTY;
	mutex_lock(&s->lock);
	n = (s32)s->len;
	mutex_unlock(&s->lock);
	return put_user(n, arg);
}

static void stream_release(struct file *f)
{
	if (f->inode)
		inode_put(f->inode);
	f->inode = NULL;
	/* The stream stays: the pump may be reading, and /dev/stdout leads to it for as long as its inode is known. */
}

static const struct file_ops stream_ops = {
	.name = "stream",
	.read = stream_read,
	.write = stream_write,
	.poll = stream_poll,
	.ioctl = stream_ioctl,
	.release = stream_release,
};

/* /dev/stdin, /proc/self/fd/0: the same stream again, in the direction that it has. */
static int stream_reopen(struct inode *inode, struct file *f)
{
	struct stream *s = inode->priv;

	if ((f->mode & (FMODE_READ | FMODE_WRITE)) & ~s->mode)
		return -EACCES;
	f->ops = &stream_ops;
	f->priv = s;
	f->mode |= FMODE_STREAM;
	return 0;
}

static const struct inode_ops stream_inode_ops = { .open = stream_reopen };

struct file *stream_open(u32 handle, u32 flags)
{
	struct stream *s = kzalloc(sizeof(*s));
	struct file *f = s ? anon_file(&stream_ops, flags, s) : NULL;

	if (!f) {
		kfree(s);
		return ERR_PTR(-ENOMEM);
	}
	s->handle = handle;
	mutex_init(&s->lock);
	wait_queue_init(&s->changed);
	f->inode = inode_anon(S_IFIFO | 0600);
	if (!f->inode) {
		file_put(f);
		return ERR_PTR(-ENOMEM);
	}
	s->mode = f->mode & (FMODE_READ | FMODE_WRITE);
	f->inode->priv = s;
	f->inode->ops = &stream_inode_ops;
	f->inode->uid = current->cred->uid;
	f->inode->gid = current->cred->gid;
	return f;
}
