// SPDX-License-Identifier: MIT
/* Who is connected to whom: listen, connect, accept, socketpair. See unix.h for the locks. */
#include "ipc/unix.h"

#include "base/errno.h"
#include "process/task.h"

int unix_listen(struct socket *s, u32 backlog)
{
	struct unix_sock *u = unix_of(s);
	int ret = 0;

	if (!load_acquire(&u->addr))
		return -EINVAL;
	spin_lock(&u->lock);
	if (u->state == UNIX_CONNECTED) {
		ret = -EINVAL;
	} else {
		u->state = UNIX_LISTENING;
		u->backlog = min(backlog, SOCKET_BACKLOG_MAX);
		unix_set_peercred(u);
	}
	spin_unlock(&u->lock);
	if (!ret)
		wake_up_key(&u->peer_wait, ~0u, POLLOUT | POLLWRNORM | POLLWRBAND);
	return ret;
}

int unix_wait_for_peer(struct unix_sock *other, s64 deadline)
{
	bool timed_out = !deadline;
	struct wait_entry we;
	int ret = 0;

	wait_entry_init(&we);
	for (;;) {
		prepare_to_wait_exclusive(&other->peer_wait, &we, TASK_INTERRUPTIBLE);
		if (READ_ONCE(other->dead) || (READ_ONCE(other->shut) & SHUT_RECEIVE) || !unix_queue_full(other))
			break;
		if (timed_out)
			ret = -EAGAIN;
		else if (signal_pending())
			ret = socket_interrupted(deadline);
		if (ret)
			break;
		timed_out = schedule_until(deadline) == -ETIMEDOUT;
	}
	finish_wait(&we);
	if (ret && !unix_queue_full(other))
		wake_up_poll(&other->peer_wait, POLLOUT | POLLWRNORM | POLLWRBAND);	/* not for us */
	return ret;
}

/*
 * @child is the end that accept() will return. @other's lock and @u's are held.
 * Return: 0; -EAGAIN: @other's queue is full; an error.
 */
static int stream_link(struct unix_sock *u, struct unix_sock *other, struct unix_sock *child)
{
	if (other->dead || other->state != UNIX_LISTENING || (other->shut & SHUT_RECEIVE))
		return -ECONNREFUSED;
	if (u->state != UNIX_CLOSED)
		return u->state == UNIX_CONNECTED ? -EISCONN : -EINVAL;
	if (u->dead || u->peer)
		return -EISCONN;
	if (unix_queue_full(other))
		return -EAGAIN;
	unix_get(u);
	child->peer = u;
	child->state = UNIX_CONNECTED;
	unix_set_peercred(child);
	child->addr = load_acquire(&other->addr);
	ref_get(&child->addr->ref);
	child->listener = other;

	unix_get(child);
	u->peer = child;
	u->peercred = other->peercred;
	u->shut = 0;
	u->state = UNIX_CONNECTED;
	list_add_tail(&child->accept_node, &other->accept_queue);	/* takes the first reference */
	other->nr_pending++;
	return 0;
}

int unix_stream_connect(struct socket *s, const struct sockaddr_any *addr, bool nonblock)
{
	s64 deadline = socket_deadline(READ_ONCE(s->sndtimeo), nonblock);
	struct unix_sock *u = unix_of(s), *child, *other;
	int ret = unix_check_addr(addr);

	if (ret)
		return ret;
	if (socket_option(s, LINUX_SO_PASSCRED)) {
		ret = unix_autobind(u);
		if (ret)
			return ret;
	}
	child = unix_alloc(s->type);
	if (!child)
		return -ENOMEM;
	for (;;) {
		other = unix_find(addr, s->type);
		if (IS_ERR(other)) {
			ret = PTR_ERR(other);
			break;
		}
		unix_lock_two(u, other);
		ret = stream_link(u, other, child);
		unix_unlock_two(u, other);
		if (!ret)
			unix_queue_tell(other);
		else if (ret == -EAGAIN && deadline)
			ret = unix_wait_for_peer(other, deadline) ?: -ERESTARTNOINTR;
		unix_put(other);
		if (ret != -ERESTARTNOINTR)	/* else there may be room now: look the name up again, it may have moved */
			break;
	}
	if (ret)
		unix_put(child);
	return ret;
}

struct socket *unix_accept(struct socket *s, bool nonblock)
{
	struct unix_sock *u = unix_of(s), *child;
	s64 deadline = socket_deadline(READ_ONCE(s->rcvtimeo), nonblock);
	int ret;

	for (;;) {
		spin_lock(&u->lock);
		if (u->state != UNIX_LISTENING) {
			spin_unlock(&u->lock);
			return ERR_PTR(-EINVAL);
		}
		child = list_first_or_null(&u->accept_queue, struct unix_sock, accept_node);
		if (child) {
			list_del(&child->accept_node);
			child->listener = NULL;
			u->nr_pending--;
		}
		spin_unlock(&u->lock);
		if (child)
			break;
		ret = socket_error(s);
		if (!ret && (READ_ONCE(u->shut) & SHUT_RECEIVE))
			ret = -EINVAL;
		if (!ret)
			ret = unix_wait_readable(u, deadline);
		if (ret)
			return ERR_PTR(ret);
	}
	wake_up_poll(&u->peer_wait, POLLOUT | POLLWRNORM | POLLWRBAND);
	if (socket_option(s, LINUX_SO_PASSCRED))
		atomic_or(&child->sock.options, BIT(LINUX_SO_PASSCRED));
	return &child->sock;
}

int unix_pair(struct socket *sa, struct socket *sb)
{
	struct unix_sock *a = unix_of(sa), *b = unix_of(sb);

	unix_get(a);
	unix_get(b);
	a->peer = b;
	b->peer = a;
	unix_set_peercred(a);
	unix_set_peercred(b);
	a->state = b->state = UNIX_CONNECTED;
	return 0;
}

void unix_dgram_disconnected(struct unix_sock *u, struct unix_sock *old)
{
	bool back;

	if (list_empty(&u->queue))
		return;
	mutex_lock(&u->receive_mutex);	/* somebody may be looking at a message */
	unix_queue_purge(u);
	mutex_unlock(&u->receive_mutex);
	wake_up_key(&u->peer_wait, ~0u, POLLOUT | POLLWRNORM | POLLWRBAND);
	spin_lock(&old->lock);
	back = !old->dead && old->peer == u;
	spin_unlock(&old->lock);
	if (back) {
		socket_set_error(&old->sock, ECONNRESET);
		wake_up_key(&old->sock.wait, ~0u, POLLERR);
	}
}

/* Make @other (a reference is taken over; NULL: nobody) the peer. */
static int dgram_link(struct unix_sock *u, struct unix_sock *other)
{
	struct unix_sock *old;
	int ret = 0;

	if (other)
		unix_lock_two(u, other);
	else
		spin_lock(&u->lock);
	if (other && other->dead)
		ret = -ECONNREFUSED;
	else if (other && other->peer && other->peer != u)
		ret = -EPERM;
	old = u->peer;
	if (!ret) {
		unix_relay_stop(u);
		u->peer = other;
		u->state = other ? UNIX_CONNECTED : UNIX_CLOSED;
		if (other)
			unix_set_peercred(u);
	}
	if (other)
		unix_unlock_two(u, other);
	else
		spin_unlock(&u->lock);
	if (ret) {
		unix_put(other);
		return ret;
	}
	if (old) {
		if (old != other)
			unix_dgram_disconnected(u, old);
		unix_put(old);
	}
	wake_up_poll(&u->sock.wait, POLLOUT | POLLWRNORM | POLLWRBAND);
	return 0;
}

int unix_dgram_connect(struct socket *s, const struct sockaddr_any *addr, bool nonblock __unused)
{
	struct unix_sock *u = unix_of(s), *other;
	int ret;

	if (addr->len < sizeof(addr->family))
		return -EINVAL;
	if (addr->family == LINUX_AF_UNSPEC)
		return dgram_link(u, NULL);
	ret = unix_check_addr(addr);
	if (!ret && socket_option(s, LINUX_SO_PASSCRED))
		ret = unix_autobind(u);
	if (ret)
		return ret;
	other = unix_find(addr, s->type);
	return IS_ERR(other) ? PTR_ERR(other) : dgram_link(u, other);
}
