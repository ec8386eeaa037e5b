// SPDX-License-Identifier: MIT
/* Messages over SOCK_DGRAM and SOCK_SEQPACKET. See unix.h. */
#include "ipc/unix.h"

#include "base/errno.h"
#include "process/task.h"

/* Where to: the address given, else the peer. Return: a reference or ERR_PTR */
static struct unix_sock *dgram_target(struct unix_sock *u, const struct sock_msg *m)
{
	struct unix_sock *other;

	if (m->to)
		return unix_find(m->to, u->sock.type);
	other = unix_peer_get(u);
	return other ? other : ERR_PTR(-ENOTCONN);
}

/* The peer is gone: a datagram socket is unconnected from now on. */
static int dgram_peer_died(struct unix_sock *u, struct unix_sock *other)
{
	bool was_peer;

	if (u->sock.type == LINUX_SOCK_SEQPACKET)
		return -EPIPE;
	spin_lock(&u->lock);
	was_peer = u->peer == other;
	if (was_peer) {
		unix_relay_stop(u);
		u->peer = NULL;
		u->state = UNIX_CLOSED;
	}
	spin_unlock(&u->lock);
	if (was_peer) {
		unix_dgram_disconnected(u, other);
		unix_put(other);	/* the peer's; the caller has one of its own */
	}
	return -ECONNREFUSED;
}

/*
 * Queue @msg at @other. Return: 0, -EAGAIN: full; an error. @msg is taken over on success.
 * A pair that is connected to each other is bounded by the send buffers alone, many-to-one by the length of the queue as well.
 */
static int dgram_deliver(struct unix_sock *u, struct unix_sock *other, struct unix_msg *msg)
{
	struct unix_sock *back;
	bool files;
	int ret;

	files = unix_queue_lock(other, msg);
	back = other->peer;
	if (other->dead)
		ret = -ECONNRESET;
	else if (back && back != u && u->sock.type == LINUX_SOCK_DGRAM)
		ret = -EPERM;
	else if (other->shut & SHUT_RECEIVE)
		ret = -EPIPE;
	else if (other != u && back != u && unix_queue_full(other))
		ret = -EAGAIN;
	else
		ret = unix_queue_add(other, msg);
	unix_queue_unlock(other, files);
	return ret;
}

static int dgram_send_msg(struct unix_sock *u, struct sock_msg *m, struct unix_msg *msg, s64 deadline)
{
	for (;;) {
		struct unix_sock *other = dgram_target(u, m);
		int ret;

		if (IS_ERR(other))
			return PTR_ERR(other);
		ret = dgram_deliver(u, other, msg);
		if (!ret)
			unix_queue_tell(other);
		else if (ret == -ECONNRESET)
			ret = m->to ? -ECONNREFUSED : dgram_peer_died(u, other);
		else if (ret == -EAGAIN && deadline)
			ret = unix_wait_for_peer(other, deadline) ?: -ERESTARTNOINTR;
		unix_put(other);
		if (ret != -ERESTARTNOINTR)	/* else there may be room now */
			return ret;
	}
}

ssize_t unix_dgram_send(struct socket *s, struct sock_msg *m)
{
	s64 deadline = socket_deadline(READ_ONCE(s->sndtimeo), m->flags & LINUX_MSG_DONTWAIT);
	struct unix_sock *u = unix_of(s);
	size_t len = m->uio->left;
	struct unix_msg *msg;
	int ret;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type == LINUX_SOCK_SEQPACKET) {
		ret = socket_error(s);
		if (ret)
			return ret;
		if (READ_ONCE(u->state) != UNIX_CONNECTED)
			return -ENOTCONN;
		m->to = NULL;
	}
	if (m->to) {
		ret = unix_check_addr(m->to);
		if (ret)
			return ret;
	} else if (!READ_ONCE(u->peer)) {
		return -ENOTCONN;
	}
	if (socket_option(s, LINUX_SO_PASSCRED)) {
		ret = unix_autobind(u);
		if (ret)
			return ret;
	}
	if (len > READ_ONCE(s->sndbuf) - 32)
		return -EMSGSIZE;
	msg = unix_msg_alloc(u, len, m, deadline);
	if (IS_ERR(msg))
		return PTR_ERR(msg);
	if (uio_get(m->uio, msg->data, len) != (ssize_t)len) {
		unix_msg_free(msg);
		return -EFAULT;
	}
	msg->files = m->files;
	ret = dgram_send_msg(u, m, msg, deadline);
	if (ret) {
		msg->files = NULL;	/* still the caller's */
		unix_msg_free(msg);
		return ret;
	}
	m->files = NULL;
	return len;
}

/* u->lock held. */
static void dgram_unqueue(struct unix_sock *u, struct unix_msg *msg)
{
	list_del(&msg->node);
	u->queue_len--;
	u->queue_bytes -= msg->len;
}

/* The first message has files: the picture of what is in flight must stand still. */
static struct unix_msg *dgram_first_with_files(struct unix_sock *u, struct sock_msg *m, bool peek)
{
	struct unix_msg *msg;

	mutex_lock(&unix_gc_lock);
	spin_lock(&u->lock);
	msg = list_first_or_null(&u->queue, struct unix_msg, node);
	if (msg && !peek)
		dgram_unqueue(u, msg);
	spin_unlock(&u->lock);
	if (msg && msg->files && peek) {
		m->files = scm_files_dup(msg->files);
	} else if (msg && msg->files) {
		m->files = msg->files;
		msg->files = NULL;
		unix_inflight_sub(m->files);
	}
	mutex_unlock(&unix_gc_lock);
	return msg;
}

/* Take the first message out of the queue, or only look at it. NULL: there is none. u->receive_mutex held */
static struct unix_msg *dgram_first(struct unix_sock *u, struct sock_msg *m, bool peek)
{
	struct unix_msg *msg;
	bool files;

	spin_lock(&u->lock);
	msg = list_first_or_null(&u->queue, struct unix_msg, node);
	files = msg && msg->files;
	if (msg && !files && !peek)
		dgram_unqueue(u, msg);
	spin_unlock(&u->lock);
	return files ? dgram_first_with_files(u, m, peek) : msg;
}

static ssize_t dgram_copy(struct sock_msg *m, struct unix_sock *u, struct unix_msg *msg)
{
	size_t len = min_t(size_t, msg->len, m->uio->left);

	if (m->from)
		unix_sender_copy(m->from, msg->sender);
	if (socket_option(&u->sock, LINUX_SO_PASSCRED)) {
		m->cred = msg->cred;
		m->has_cred = true;
	}
	if (len < msg->len)
		m->out_flags |= LINUX_MSG_TRUNC;
	if (uio_put(m->uio, msg->data, len) != (ssize_t)len)
		return -EFAULT;
	return m->flags & LINUX_MSG_TRUNC ? msg->len : len;
}

ssize_t unix_dgram_receive(struct socket *s, struct sock_msg *m)
{
	struct unix_sock *u = unix_of(s);
	s64 deadline = socket_deadline(READ_ONCE(s->rcvtimeo), m->flags & LINUX_MSG_DONTWAIT);
	bool peek = m->flags & LINUX_MSG_PEEK, shut;
	struct unix_msg *msg;
	ssize_t ret;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (s->type == LINUX_SOCK_SEQPACKET && READ_ONCE(u->state) != UNIX_CONNECTED)
		return -ENOTCONN;
	mutex_lock(&u->receive_mutex);
	for (;;) {
		ret = socket_error(s);
		shut = READ_ONCE(u->shut) & SHUT_RECEIVE;
		smp_mb();
		msg = ret ? NULL : dgram_first(u, m, peek);
		if (ret || msg)
			break;
		/* a datagram socket that does not wait says EAGAIN even when it is shut */
		if (shut && (s->type == LINUX_SOCK_SEQPACKET || deadline))
			break;
		mutex_unlock(&u->receive_mutex);
		ret = deadline || !shut ? unix_wait_readable(u, deadline) : -EAGAIN;
		mutex_lock(&u->receive_mutex);
		if (ret)
			break;
	}
	if (msg) {
		ret = dgram_copy(m, u, msg);
		if (ret < 0) {
			scm_files_put(m->files);
			m->files = NULL;
		}
		if (!peek) {
			unix_msg_free(msg);
			wake_up_poll(&u->peer_wait, POLLOUT | POLLWRNORM | POLLWRBAND);
		}
	}
	mutex_unlock(&u->receive_mutex);
	return ret;
}
