// SPDX-License-Identifier: MIT
/* The file on top of a socket. See socket.h; options are in sockopt.c. */
#include "ipc/socket.h"

#include "base/errno.h"
#include "fs/vfs.h"
#include "ipc/unix.h"
#include "process/task.h"
#include "sched/time.h"

static ssize_t socket_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct socket *s = f->priv;
	struct sock_msg m = { .uio = to, .flags = f->flags & O_NONBLOCK ? LINUX_MSG_DONTWAIT : 0 };
	ssize_t ret;

	if (!to->left)
		return 0;
	ret = s->ops->receive(s, &m);
	scm_files_put(m.files);	/* read(2) has no place for them */
	return ret;
}

static ssize_t socket_write(struct file *f, struct uio *from, pos_t *pos __unused)
{
	struct socket *s = f->priv;
	struct sock_msg m = { .uio = from, .flags = f->flags & O_NONBLOCK ? LINUX_MSG_DONTWAIT : 0 };

	return s->ops->send(s, &m);
}

static u32 socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->priv;

	return s->ops->poll(s, f, pt);
}

static long socket_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct socket *s = f->priv;

	return s->ops->ioctl ? s->ops->ioctl(s, cmd, arg) : -ENOTTY;
}

static int socket_flush(struct file *f)
{
	struct socket *s = f->priv;

	if (s->ops->flush)
		s->ops->flush(s);
	return 0;
}

static void socket_release(struct file *f)
{
	struct socket *s = f->priv;

	s->ops->release(s);
}

static const struct file_ops socket_file_ops = {
	.name = "socket",
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.flush = socket_flush,
	.release = socket_release,
};

struct socket *file_socket(const struct file *f)
{
	return f->ops == &socket_file_ops ? f->priv : NULL;
}

void socket_init(struct socket *s, const struct socket_ops *ops, u32 type)
{
	s->ops = ops;
	s->type = type;
	wait_queue_init(&s->wait);
	s->sndbuf = s->rcvbuf = SOCKBUF_DEFAULT;
	s->rcvlowat = 1;
	s->sndtimeo = s->rcvtimeo = FOREVER;
}

struct socket *socket_create(u32 family, u32 type, u32 protocol)
{
	if (family >= LINUX_AF_MAX)
		return ERR_PTR(-EAFNOSUPPORT);
	if (type >= LINUX_SOCK_TYPE_MAX)
		return ERR_PTR(-EINVAL);
	if (family == LINUX_AF_UNIX)
		return unix_create(type, protocol);
	return ERR_PTR(-EAFNOSUPPORT);
}

struct file *socket_file(struct socket *s, u32 flags)
{
	struct inode *inode = inode_anon(S_IFSOCK | 0777);
	struct file *f = NULL;

	if (inode)
		f = file_alloc(&socket_file_ops, O_RDWR | (flags & O_NONBLOCK), FMODE_READ | FMODE_WRITE | FMODE_STREAM, s);
	if (!f) {
		if (inode)
			inode_put(inode);
		s->ops->release(s);
		return NULL;
	}
	f->inode = inode;
	s->file = f;
	return f;
}

int socket_error(struct socket *s)
{
	return load_relaxed(&s->error) ? -atomic_xchg(&s->error, 0) : 0;
}

void socket_set_error(struct socket *s, int err)
{
	store_release(&s->error, err);
}

s64 socket_deadline(s64 timeo, bool nonblock)
{
	s64 deadline;

	if (nonblock)
		return 0;
	if (timeo == FOREVER || __builtin_add_overflow(clock_monotonic(), timeo, &deadline))
		return FOREVER;
	return deadline;
}

int socket_interrupted(s64 deadline)
{
	return deadline == FOREVER ? -ERESTARTSYS : -EINTR;
}
