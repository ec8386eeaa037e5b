// SPDX-License-Identifier: MIT
/* Bytes over SOCK_STREAM. See unix.h. */
#include "ipc/unix.h"

#include "base/errno.h"
#include "ipc/ipc.h"
#include "process/task.h"

/* One piece into @other's queue. Return: bytes, or -errno; m->files is taken over with the first piece. */
static ssize_t stream_send_piece(struct unix_sock *u, struct unix_sock *other, struct sock_msg *m, s64 deadline)
{
	size_t len = min_t(size_t, m->uio->left, UNIX_CHUNK - sizeof(struct unix_msg));
	struct unix_msg *msg;
	bool files;
	ssize_t n;
	int ret;

	len = min_t(size_t, len, READ_ONCE(u->sock.sndbuf) / 2 - 64);
	msg = unix_msg_alloc(u, len, m, deadline);
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	/* a piece that cannot be read to its end is not sent at all, as on Linux */
	n = uio_get(m->uio, msg->data, len);
	if (n != (ssize_t)len) {
		unix_msg_free(msg);
		return -EFAULT;
	}
	msg->files = m->files;
	files = unix_queue_lock(other, msg);
	if (other->dead || (other->shut & SHUT_RECEIVE))
		ret = -EPIPE;
	else
		ret = unix_queue_add(other, msg);
	unix_queue_unlock(other, files);
	if (ret) {
		msg->files = NULL;	/* still the caller's */
		unix_msg_free(msg);
		return ret;
	}
	m->files = NULL;
	unix_queue_tell(other);
	return n;
}

ssize_t unix_stream_send(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s), *other;
	ssize_t sent = 0, n = 0;
	s64 deadline;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (m->to)
		return READ_ONCE(u->state) == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	other = unix_peer_get(u);
	if (!other)
		return -ENOTCONN;
	deadline = socket_deadline(READ_ONCE(s->sndtimeo), m->flags & LINUX_MSG_DONTWAIT);
	if (READ_ONCE(u->shut) & SHUT_SEND)
		n = -EPIPE;
	while (n >= 0 && m->uio->left) {
		n = stream_send_piece(u, other, m, deadline);
		sent += max_t(ssize_t, n, 0);
	}
	unix_put(other);
	if (n == -EPIPE && !sent && !(m->flags & LINUX_MSG_NOSIGNAL))
		ipc_sigpipe();
	return sent ? sent : n;
}

static struct unix_msg *stream_first(struct unix_sock *u)
{
	struct unix_msg *msg;

	spin_lock(&u->lock);
	msg = list_first_or_null(&u->queue, struct unix_msg, node);
	spin_unlock(&u->lock);
	return msg;
}

static struct unix_msg *stream_next(struct unix_sock *u, struct unix_msg *msg)
{
	spin_lock(&u->lock);
	msg = msg->node.next == &u->queue ? NULL : list_next(msg, node);
	spin_unlock(&u->lock);
	return msg;
}

/* A stream shows where the sender changes when the reader asks for credentials: bytes of two are not mixed in one answer. */
static bool stream_same_sender(struct unix_sock *u, struct sock_msg *m, const struct unix_msg *msg)
{
	if (m->has_cred)
		return m->cred.pid == msg->cred.pid && m->cred.uid == msg->cred.uid && m->cred.gid == msg->cred.gid;
	if (socket_option(&u->sock, LINUX_SO_PASSCRED)) {
		m->cred = msg->cred;
		m->has_cred = true;
	}
	return true;
}

/* The files of @msg, which stays: all of them (reading), or once more (peeking). Return: 0 or -ENOMEM */
static int stream_take_files(struct sock_msg *m, struct unix_msg *msg, bool peek)
{
	int ret = 0;

	if (!msg->files)
		return 0;
	mutex_lock(&unix_gc_lock);
	if (peek) {
		m->files = scm_files_dup(msg->files);
		ret = m->files ? 0 : -ENOMEM;
	} else {
		m->files = msg->files;
		msg->files = NULL;
		unix_inflight_sub(m->files);
	}
	mutex_unlock(&unix_gc_lock);
	return ret;
}

/* @n bytes of the first message are read. Return: true when more of it is left */
static bool stream_consume(struct unix_sock *u, struct unix_msg *msg, size_t n)
{
	bool more;

	spin_lock(&u->lock);
	msg->off += n;
	u->queue_bytes -= n;
	more = msg->off < msg->len;
	if (!more) {
		list_del(&msg->node);
		u->queue_len--;
	}
	spin_unlock(&u->lock);
	if (!more)
		unix_msg_free(msg);
	return more;
}

/*
 * Copy from messages until something ends it: no room, no message, files, another sender. u->receive_mutex held: so the first
 * message stays where it is. Return: bytes, -EFAULT, -ENOMEM; *@stop: do not wait for more.
 */
static ssize_t stream_copy(struct unix_sock *u, struct sock_msg *m, bool *stop)
{
	bool peek = m->flags & LINUX_MSG_PEEK;
	struct unix_msg *msg = stream_first(u);
	ssize_t done = 0;

	while (msg) {
		struct unix_msg *next = peek ? stream_next(u, msg) : NULL;
		size_t want = min_t(size_t, msg->len - msg->off, m->uio->left);
		ssize_t n;
		int ret;

		*stop = true;
		if (!stream_same_sender(u, m, msg))
			break;
		if (m->from && !m->from->len)
			unix_sender_copy(m->from, msg->sender);
		n = uio_put(m->uio, msg->data + msg->off, want);
		if (n != (ssize_t)want)
			return done ? done : -EFAULT;
		ret = stream_take_files(m, msg, peek);
		if (ret)
			return done ? done : ret;
		done += n;
		if (!peek && stream_consume(u, msg, n))
			break;
		if (m->files || !m->uio->left)
			break;
		*stop = peek;
		msg = peek ? next : stream_first(u);
	}
	return done;
}

ssize_t unix_stream_receive(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	s64 deadline = socket_deadline(READ_ONCE(s->rcvtimeo), m->flags & LINUX_MSG_DONTWAIT);
	ssize_t target, done = 0, ret = 0;
	bool stop = false;

	if (READ_ONCE(u->state) != UNIX_CONNECTED)
		return -EINVAL;
	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	target = m->flags & LINUX_MSG_WAITALL ? m->uio->left : min_t(size_t, READ_ONCE(s->rcvlowat), m->uio->left);
	target = max_t(ssize_t, target, 1);
	mutex_lock(&u->receive_mutex);
	for (;;) {
		bool shut;

		ret = stream_copy(u, m, &stop);
		if (ret < 0)
			break;
		done += ret;
		ret = 0;
		if (stop || done >= target)
			break;
		/* in this order: who shuts puts his last bytes into the queue first */
		shut = READ_ONCE(u->shut) & SHUT_RECEIVE;
		smp_mb();
		if (!list_empty(&u->queue))
			continue;
		ret = socket_error(s);
		if (ret || shut)
			break;
		mutex_unlock(&u->receive_mutex);
		ret = unix_wait_readable(u, deadline);
		mutex_lock(&u->receive_mutex);
		if (ret)
			break;
	}
	mutex_unlock(&u->receive_mutex);
	return done ? done : ret;
}
