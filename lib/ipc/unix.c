// SPDX-License-Identifier: MIT
/* Life of AF_UNIX sockets, shutdown, poll, ioctl, options. See unix.h. */
#include "ipc/unix.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/task.h"

#define SIOCINQ		0x541bu
#define SIOCOUTQ	0x5411u
#define OPT_PEERCRED	17
#define OPT_ACCEPTCONN	30
#define ANY_EVENT	(POLLIN | POLLRDNORM | POLLRDBAND | POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLHUP | POLLRDHUP)

void unix_put(struct unix_sock *u)
{
	if (!ref_put(&u->ref))
		return;
	unix_addr_put(u->addr);
	kfree(u);
}

void unix_lock_two(struct unix_sock *a, struct unix_sock *b)
{
	if (a > b)
		swap(a, b);
	spin_lock(&a->lock);
	if (a != b)
		spin_lock(&b->lock);
}

void unix_unlock_two(struct unix_sock *a, struct unix_sock *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

struct unix_sock *unix_peer_get(struct unix_sock *u)
{
	struct unix_sock *peer;

	spin_lock(&u->lock);
	peer = u->peer;
	if (peer)
		unix_get(peer);
	spin_unlock(&u->lock);
	return peer;
}

void unix_set_peercred(struct unix_sock *u)
{
	const struct cred *c = current->cred;

	u->peercred = (struct ucred_abi){ current->process->tgid, c->euid, c->egid };
}

bool unix_queue_full(const struct unix_sock *u)
{
	return READ_ONCE(u->queue_len) + READ_ONCE(u->nr_pending) > READ_ONCE(u->backlog);
}

bool unix_writable(const struct unix_sock *u)
{
	return READ_ONCE(u->state) != UNIX_LISTENING &&
	       (u64)load_relaxed(&u->wmem) * 4 <= READ_ONCE(u->sock.sndbuf);
}

void unix_relay_stop(struct unix_sock *u)
{
	wait_queue_del(&u->relay);
}

/* Under the lock of the peer's queue. */
static bool relay_wake(struct wait_entry *we, u64 key)
{
	wake_up_poll(&container_of(we, struct unix_sock, relay)->sock.wait, key ? key : POLLOUT | POLLWRNORM | POLLWRBAND);
	return false;
}

static bool is_connection(const struct unix_sock *u)
{
	return u->sock.type != LINUX_SOCK_DGRAM;
}

/* The other end learns that we are gone. @unread: bytes or a connection were never looked at: it gets ECONNRESET */
static void unix_hang_up(struct unix_sock *u, struct unix_sock *peer, bool unread)
{
	if (is_connection(u)) {
		spin_lock(&peer->lock);
		peer->shut = SHUT_BOTH;
		spin_unlock(&peer->lock);
		if (unread)
			socket_set_error(&peer->sock, ECONNRESET);
		wake_up_key(&peer->sock.wait, ~0u, ANY_EVENT);
	}
	unix_put(peer);
}

static void unix_end(struct unix_sock *u, bool embryo)
{
	struct list embryos = LIST_INIT(embryos);
	struct unix_sock *peer, *e, *tmp;
	bool unread;

	unix_unbind(u);
	spin_lock(&u->lock);
	u->dead = true;
	u->shut = SHUT_BOTH;
	u->state = UNIX_CLOSED;
	unix_relay_stop(u);
	peer = u->peer;
	u->peer = NULL;
	unread = embryo || !list_empty(&u->queue);
	list_splice_tail(&u->accept_queue, &embryos);
	u->nr_pending = 0;
	spin_unlock(&u->lock);
	wake_up_key(&u->peer_wait, ~0u, POLLOUT | POLLWRNORM | POLLWRBAND);

	if (peer)
		unix_hang_up(u, peer, unread);
	list_for_each_safe(e, tmp, &embryos, accept_node) {
		list_del(&e->accept_node);
		unix_end(e, true);	/* one level: what waits to be accepted does not listen */
	}
	unix_queue_purge(u);
	unix_put(u);
}

static void unix_release(struct socket *s)
{
	unix_end(unix_of(s), false);
	unix_gc_if_needed();
}

static void unix_flush(struct socket *s)
{
	unix_gc_soon(unix_of(s));
}

static int unix_shutdown(struct socket *s, u32 what)
{
	struct unix_sock *u = unix_of(s), *peer;
	u8 theirs = (what & SHUT_RECEIVE ? SHUT_SEND : 0) | (what & SHUT_SEND ? SHUT_RECEIVE : 0);

	spin_lock(&u->lock);
	u->shut |= what;
	peer = u->peer;
	if (peer)
		unix_get(peer);
	spin_unlock(&u->lock);
	wake_up_key(&s->wait, ~0u, ANY_EVENT);
	if (!peer)
		return 0;
	if (is_connection(u)) {
		spin_lock(&peer->lock);
		peer->shut |= theirs;
		spin_unlock(&peer->lock);
		wake_up_key(&peer->sock.wait, ~0u, ANY_EVENT);
	}
	unix_put(peer);
	return 0;
}

/*
 * A datagram socket is writable when its buffer has room and its peer, unless that is connected back to us, has room for one more.
 * If not, the peer's wake-ups are passed on to those who poll us.
 */
static bool unix_dgram_writable(struct unix_sock *u)
{
	struct unix_sock *peer;
	bool writable = unix_writable(u);

	if (!writable)
		return false;
	spin_lock(&u->lock);
	peer = u->peer;
	if (peer && READ_ONCE(peer->peer) != u && unix_queue_full(peer)) {
		if (!u->relay.queue) {
			wait_entry_init_func(&u->relay, relay_wake);
			wait_queue_add(&peer->peer_wait, &u->relay);
		}
		smp_mb();	/* what was read before we stood in the queue did not wake us */
		writable = !unix_queue_full(peer);
	}
	spin_unlock(&u->lock);
	return writable;
}

static u32 unix_poll(struct socket *s, struct file *f, struct poll_table *pt)
{
	struct unix_sock *u = unix_of(s);
	u32 shut, events = 0;

	poll_wait(f, &s->wait, pt);
	smp_mb();
	shut = READ_ONCE(u->shut);
	if (load_relaxed(&s->error))
		events |= POLLERR;
	if (shut == SHUT_BOTH)
		events |= POLLHUP;
	if (shut & SHUT_RECEIVE)
		events |= POLLRDHUP | POLLIN | POLLRDNORM;
	if (!list_empty(&u->queue) || !list_empty(&u->accept_queue))
		events |= POLLIN | POLLRDNORM;
	if (is_connection(u) && READ_ONCE(u->state) == UNIX_CLOSED)
		events |= POLLHUP;
	if (s->type == LINUX_SOCK_STREAM ? unix_writable(u) : unix_dgram_writable(u))
		events |= POLLOUT | POLLWRNORM | POLLWRBAND;
	return events;
}

static long unix_ioctl(struct socket *s, u32 cmd, u64 arg)
{
	struct unix_sock *u = unix_of(s);
	struct unix_msg *msg;
	s32 val;

	switch (cmd) {
	case SIOCOUTQ:
		val = load_relaxed(&u->wmem);
		return put_user(val, arg);
	case SIOCINQ:
		if (READ_ONCE(u->state) == UNIX_LISTENING)
			return -EINVAL;
		spin_lock(&u->lock);
		val = u->queue_bytes;
		if (s->type == LINUX_SOCK_DGRAM) {
			msg = list_first_or_null(&u->queue, struct unix_msg, node);
			val = msg ? msg->len : 0;
		}
		spin_unlock(&u->lock);
		return put_user(val, arg);
	}
	return -ENOTTY;
}

static ssize_t unix_getopt(struct socket *s, u32 name, void *buf, size_t size)
{
	struct unix_sock *u = unix_of(s);
	s32 listening;

	switch (name) {
	case OPT_PEERCRED:
		size = min(size, sizeof(u->peercred));
		spin_lock(&u->lock);
		memcpy(buf, &u->peercred, size);
		spin_unlock(&u->lock);
		return size;
	case OPT_ACCEPTCONN:
		listening = READ_ONCE(u->state) == UNIX_LISTENING;
		size = min(size, sizeof(listening));
		memcpy(buf, &listening, size);
		return size;
	}
	return -ENOPROTOOPT;
}

#define UNIX_OPS							\
	.family = LINUX_AF_UNIX, .bind = unix_bind, .pair = unix_pair,	\
	.getname = unix_getname, .shutdown = unix_shutdown, .poll = unix_poll, .ioctl = unix_ioctl,	\
	.getopt = unix_getopt, .flush = unix_flush, .release = unix_release

static const struct socket_ops unix_stream_ops = {
	UNIX_OPS, .connect = unix_stream_connect, .listen = unix_listen, .accept = unix_accept,
	.send = unix_stream_send, .receive = unix_stream_receive,
};

static const struct socket_ops unix_seqpacket_ops = {
	UNIX_OPS, .connect = unix_stream_connect, .listen = unix_listen, .accept = unix_accept,
	.send = unix_dgram_send, .receive = unix_dgram_receive,
};

static const struct socket_ops unix_dgram_ops = {
	UNIX_OPS, .connect = unix_dgram_connect, .send = unix_dgram_send, .receive = unix_dgram_receive,
};

struct unix_sock *unix_alloc(u32 type)
{
	struct unix_sock *u = kzalloc(sizeof(*u));

	if (!u)
		return NULL;
	socket_init(&u->sock, type == LINUX_SOCK_STREAM ? &unix_stream_ops :
		    type == LINUX_SOCK_DGRAM ? &unix_dgram_ops : &unix_seqpacket_ops, type);
	ref_init(&u->ref);
	spin_init(&u->lock);
	mutex_init(&u->receive_mutex);
	mutex_init(&u->bind_mutex);
	wait_queue_init(&u->peer_wait);
	list_init(&u->queue);
	list_init(&u->accept_queue);
	list_init(&u->accept_node);
	list_init(&u->name_node);
	list_init(&u->inflight_node);
	list_init(&u->gc_node);
	u->backlog = UNIX_DGRAM_BACKLOG;
	u->peercred = (struct ucred_abi){ 0, ~0u, ~0u };
	return u;
}

struct socket *unix_create(u32 type, u32 protocol)
{
	struct unix_sock *u;

	if (protocol && protocol != LINUX_AF_UNIX)
		return ERR_PTR(-EPROTONOSUPPORT);
	if (type == LINUX_SOCK_RAW)	/* as on BSD */
		type = LINUX_SOCK_DGRAM;
	if (type != LINUX_SOCK_STREAM && type != LINUX_SOCK_DGRAM && type != LINUX_SOCK_SEQPACKET)
		return ERR_PTR(-ESOCKTNOSUPPORT);
	u = unix_alloc(type);
	return u ? &u->sock : ERR_PTR(-ENOMEM);
}
