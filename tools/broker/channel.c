// SPDX-License-Identifier: MIT
/*
 * One connection: a thread that reads a request, answers it, and reads the next. Requests of one
 * channel are served strictly one after the other, so a Tflush always comes too late to matter.
 *
 * A packet with a readable header always gets a reply, Rlerror at worst. Framing that is lost (a
 * packet under seven bytes or cut off by the receiver; on a stream also a size out of range) ends the
 * channel, and with it its fids.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A packet is sent whole or not at all: how large may it be on this socket? */
static uint32_t packet_max(int fd, uint32_t want)
{
	int room = 0, ask = 2 * (int)want;
	socklen_t len = sizeof(room);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &len))
		return want;
	if (room < ask) {
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &ask, sizeof(ask));
		(void)getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &len);
	}
	room -= 64;	/* the kernel wants 32 for itself */
	return room > 0 && (uint32_t)room < want ? (uint32_t)room : want;
}

int channel_init(struct channel *ch, struct b9p *b, int rfd, int wfd, uint32_t flags)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	ch->b = b;
	ch->rfd = rfd;
	ch->wfd = wfd;
	ch->stream = flags & B9P_CHANNEL_STREAM;
	ch->can_grant = !getsockopt(wfd, SOL_SOCKET, SO_DOMAIN, &domain, &len) &&
			domain == AF_UNIX;
	ch->msize_max = b->limits.msize;
	ch->send_fd = -1;
	(void)fcntl(rfd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(wfd, F_SETFD, FD_CLOEXEC);
	if (!ch->stream) {
		ch->msize_max = packet_max(wfd, b->limits.msize);
	} else {
		/* Waits are made in poll(), where b9p_stop() can end them on any kind of file. */
		if (fcntl(rfd, F_SETFL, fcntl(rfd, F_GETFL) | O_NONBLOCK) ||
		    fcntl(wfd, F_SETFL, fcntl(wfd, F_GETFL) | O_NONBLOCK))
			return -errno;
	}
	ch->msize = ch->msize_max;
	ch->in = malloc(ch->msize_max);
	ch->out = malloc(ch->msize_max);
	return ch->in && ch->out ? 0 : -ENOMEM;
}

void channel_exit(struct channel *ch)
{
	fid_free_all(ch);
	free(ch->in);
	free(ch->out);
	ch->in = NULL;
	ch->out = NULL;
}

/* Sleeps until @fd can go on: false when the server stops. */
static bool wait_for(struct channel *ch, int fd, short events)
{
	struct pollfd p[2] = {
		{ .fd = fd, .events = events },
		{ .fd = ch->b->stopfd, .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0) {
		if (errno != EINTR)
			return false;
	}
	return !p[1].revents;
}

static bool stream_read(struct channel *ch, uint8_t *buf, size_t len)
{
	while (len) {
		ssize_t n = read(ch->rfd, buf, len);

		if (n == 0)
			return false;
		if (n < 0) {
			if (errno == EINTR || (errno == EAGAIN && wait_for(ch, ch->rfd, POLLIN)))
				continue;
			return false;
		}
		buf += n;
		len -= (size_t)n;
	}
	return true;
}

/* One request into ch->in: its length, or 0 at the end of the channel. */
static uint32_t receive_stream(struct channel *ch)
{
	struct p9_request req;
	uint32_t size;

	if (!stream_read(ch, ch->in, P9_HDR_BYTES) ||
	    !wire_decode_header(ch->in, P9_HDR_BYTES, &size, &req))
		return 0;
	if (size < P9_HDR_BYTES || size > ch->msize) {
		atomic_fetch_add(&ch->b->malformed, 1);
		log_line(ch->b, B9P_LOG_PROTOCOL, "channel %u: a message of %u bytes: closed", ch->nr,
			 size);
		return 0;
	}
	return stream_read(ch, ch->in + P9_HDR_BYTES, size - P9_HDR_BYTES) ? size : 0;
}

static uint32_t receive_packet(struct channel *ch)
{
	ssize_t n;

	do {
		/* No room for control data: descriptors that a client sends are dropped. */
		n = recv(ch->rfd, ch->in, ch->msize, MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return 0;
	if (n < P9_HDR_BYTES || n > ch->msize) {
		atomic_fetch_add(&ch->b->malformed, 1);
		log_line(ch->b, B9P_LOG_PROTOCOL, "channel %u: a packet of %zd bytes: closed", ch->nr,
			 n);
		return 0;
	}
	return (uint32_t)n;
}

/* Sends ch->out (and ch->send_fd with its first byte): 0, or -errno. */
static int send_socket(struct channel *ch, uint32_t len)
{
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = ch->out, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (ch->send_fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &ch->send_fd, sizeof(int));
	}
	while (iov.iov_len) {
		ssize_t n = sendmsg(ch->wfd, &msg, MSG_NOSIGNAL);

		if (n < 0) {
			if (errno == EINTR || (errno == EAGAIN && wait_for(ch, ch->wfd, POLLOUT)))
				continue;
			return -errno;
		}
		iov.iov_base = (uint8_t *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

static int send_file(struct channel *ch, uint32_t len)
{
	uint8_t *p = ch->out;

	while (len) {
		ssize_t n = write(ch->wfd, p, len);	/* SIGPIPE is blocked in this thread */

		if (n < 0) {
			if (errno == EINTR || (errno == EAGAIN && wait_for(ch, ch->wfd, POLLOUT)))
				continue;
			return -errno;
		}
		p += n;
		len -= (uint32_t)n;
	}
	return 0;
}

static uint32_t make_error(struct channel *ch, uint16_t tag, int err)
{
	struct wire_out o;

	atomic_fetch_add_explicit(&ch->b->errors, 1, memory_order_relaxed);
	wire_out_begin(&o, ch->out, ch->msize, P9_RLERROR, tag);
	wire_put_u32(&o, (uint32_t)-err);
	wire_out_end(&o);
	return o.len;
}

static void drop_send_fd(struct channel *ch)
{
	if (ch->send_fd >= 0 && ch->send_fd_close)
		fd_close(ch->b, ch->send_fd);
	ch->send_fd = -1;
}

static bool reply(struct channel *ch, uint32_t len)
{
	bool granted = ch->send_fd >= 0;
	uint16_t tag = (uint16_t)(ch->out[5] | ch->out[6] << 8);
	int ret = ch->can_grant || granted ? send_socket(ch, len) : send_file(ch, len);

	drop_send_fd(ch);
	if (granted && ret == -ETOOMANYREFS)	/* the user's descriptors in flight, over all sandboxes */
		ret = send_socket(ch, make_error(ch, tag, -ENFILE));
	else if (granted && !ret)
		atomic_fetch_add(&ch->b->grants, 1);
	return ret == 0;
}

static int dispatch(struct channel *ch, const struct p9_request *req, struct wire_out *o)
{
	if (req->state > ch->state)
		return req->state == P9_LBX && ch->state == P9_BASE ? -EOPNOTSUPP : -EPROTO;
	switch (req->type) {
#define B9P_T(name, nr, state, fields) case nr: return op_##name(ch, &req->u.name, o);
#include "messages.def"
	default:
		return -EOPNOTSUPP;
	}
}

uint32_t channel_serve(struct channel *ch, uint32_t len)
{
	struct p9_request req;
	struct wire_out o;
	uint32_t size;
	int ret;

	if (!wire_decode_header(ch->in, len, &size, &req))
		return 0;
	ret = wire_decode(ch->in, len, &req);
	wire_out_begin(&o, ch->out, ch->msize, (uint8_t)(req.type + 1), req.tag);
	if (ret == -EBADMSG) {
		atomic_fetch_add(&ch->b->malformed, 1);
		log_line(ch->b, B9P_LOG_PROTOCOL, "channel %u: malformed %s of %u bytes", ch->nr,
			 wire_type_name(req.type), len);
	}
	if (!ret)
		ret = dispatch(ch, &req, &o);
	if (!ret && o.overflow)
		ret = -EMSGSIZE;
	atomic_fetch_add_explicit(&ch->b->requests, 1, memory_order_relaxed);
	if (ret) {
		drop_send_fd(ch);
		return make_error(ch, req.tag, ret);
	}
	wire_out_end(&o);
	return o.len;
}

void *channel_thread(void *arg)
{
	struct channel *ch = arg;
	uint32_t len;
	int ret;

	prctl(PR_SET_NAME, "b9p");
	ret = ch->b->filter ? seccomp_enter() : 0;
	if (ret && !atomic_exchange(&ch->b->filter_noted, true))
		log_line(ch->b, B9P_LOG_NOTE, "no seccomp filter for the file server (%s)",
			 strerror(-ret));
	for (;;) {
		len = ch->stream ? receive_stream(ch) : receive_packet(ch);
		if (!len)
			break;
		len = channel_serve(ch, len);
		if (!len || !reply(ch, len))
			break;
	}
	b9p_channel_ended(ch);
	return NULL;
}
