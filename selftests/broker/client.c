// SPDX-License-Identifier: MIT
#include "client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

void p9c_init(struct p9c *c, int rfd, int wfd, bool stream)
{
	memset(c, 0, sizeof(*c));
	c->rfd = rfd;
	c->wfd = wfd;
	c->stream = stream;
	c->msize = 65536 + 24;
	c->got_fd = -1;
}

void p9c_bytes(struct p9c *c, const void *p, size_t n)
{
	if (n > sizeof(c->out) - c->out_len)
		n = sizeof(c->out) - c->out_len;
	if (n)
		memcpy(c->out + c->out_len, p, n);
	c->out_len += (uint32_t)n;
}

static void put(struct p9c *c, uint64_t v, int n)
{
	uint8_t b[8];

	for (int i = 0; i < n; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	p9c_bytes(c, b, (size_t)n);
}

void p9c_u8(struct p9c *c, uint8_t v)
{
	put(c, v, 1);
}

void p9c_u16(struct p9c *c, uint16_t v)
{
	put(c, v, 2);
}

void p9c_u32(struct p9c *c, uint32_t v)
{
	put(c, v, 4);
}

void p9c_u64(struct p9c *c, uint64_t v)
{
	put(c, v, 8);
}

void p9c_str(struct p9c *c, const char *s)
{
	put(c, strlen(s), 2);
	p9c_bytes(c, s, strlen(s));
}

void p9c_names(struct p9c *c, const char *path)
{
	uint32_t count_at = c->out_len;
	uint16_t n = 0;

	put(c, 0, 2);
	while (*path) {
		size_t len = strcspn(path, "/");

		put(c, len, 2);
		p9c_bytes(c, path, len);
		path += len;
		path += *path == '/';
		n++;
	}
	c->out[count_at] = (uint8_t)n;
	c->out[count_at + 1] = (uint8_t)(n >> 8);
}

void p9c_begin(struct p9c *c, uint8_t type)
{
	c->out_len = 0;
	put(c, 0, 4);
	put(c, type, 1);
	put(c, type == 100 ? 0xffff : ++c->tag & 0x7fff, 2);
}

int p9c_send_raw(struct p9c *c, const void *p, size_t n)
{
	size_t at = 0;

	do {
		ssize_t w = write(c->wfd, (const uint8_t *)p + at, n - at);

		if (w < 0)
			return P9C_BROKEN;
		at += (size_t)w;
	} while (at < n);
	return 0;
}

int p9c_send(struct p9c *c)
{
	for (int i = 0; i < 4; i++)
		c->out[i] = (uint8_t)(c->out_len >> (8 * i));
	return p9c_send_raw(c, c->out, c->out_len);
}

/* One read, with a descriptor if one comes. */
static ssize_t receive(struct p9c *c, void *buf, size_t len)
{
	union {
		char buf[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	ssize_t n = recvmsg(c->rfd, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0 && errno == ENOTSOCK)
		return read(c->rfd, buf, len);
	if (n < 0)
		return n;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&msg); h; h = CMSG_NXTHDR(&msg, h)) {
		if (h->cmsg_type == SCM_RIGHTS)
			memcpy(&c->got_fd, CMSG_DATA(h), sizeof(int));
	}
	return n;
}

int p9c_recv(struct p9c *c)
{
	uint32_t want = 4;

	c->got_fd = -1;
	c->at = 0;
	c->bad = false;
	c->in_len = 0;
	if (!c->stream) {
		ssize_t n = receive(c, c->in, sizeof(c->in));

		if (n < 7)
			return P9C_BROKEN;
		c->in_len = (uint32_t)n;
	}
	while (c->stream && c->in_len < want) {
		ssize_t n = receive(c, c->in + c->in_len, want - c->in_len);

		if (n <= 0)
			return P9C_BROKEN;
		c->in_len += (uint32_t)n;
		if (c->in_len == 4)
			want = c->in[0] | c->in[1] << 8 | (uint32_t)c->in[2] << 16;
		if (want > sizeof(c->in) || want < 4)
			return P9C_BROKEN;
	}
	return p9c_get_u32(c) == c->in_len ? 0 : P9C_BROKEN;
}

int p9c_call(struct p9c *c)
{
	uint8_t type, want = (uint8_t)(c->out[4] + 1);
	uint16_t tag, want_tag = (uint16_t)(c->out[5] | c->out[6] << 8);

	if (p9c_send(c) || p9c_recv(c))
		return P9C_BROKEN;
	type = p9c_get_u8(c);
	tag = p9c_get_u16(c);
	if (tag != want_tag || (type != want && type != 7))
		return P9C_BROKEN;
	if (type == 7) {
		uint32_t err = p9c_get_u32(c);

		/* an error carries nothing else, and is an errno */
		return p9c_done(c) && err && err < 4096 && c->got_fd < 0 ? -(int)err : P9C_BROKEN;
	}
	return 0;
}

const uint8_t *p9c_get_bytes(struct p9c *c, size_t n)
{
	const uint8_t *p = c->in + c->at;

	if (c->bad || n > c->in_len - c->at) {
		c->bad = true;
		return NULL;
	}
	c->at += (uint32_t)n;
	return p;
}

static uint64_t get(struct p9c *c, size_t n)
{
	const uint8_t *p = p9c_get_bytes(c, n);
	uint64_t v = 0;

	while (p && n--)
		v = v << 8 | p[n];
	return v;
}

uint8_t p9c_get_u8(struct p9c *c)
{
	return (uint8_t)get(c, 1);
}

uint16_t p9c_get_u16(struct p9c *c)
{
	return (uint16_t)get(c, 2);
}

uint32_t p9c_get_u32(struct p9c *c)
{
	return (uint32_t)get(c, 4);
}

uint64_t p9c_get_u64(struct p9c *c)
{
	return get(c, 8);
}

void p9c_get_str(struct p9c *c, char *buf, size_t cap)
{
	uint16_t len = p9c_get_u16(c);
	const uint8_t *p = p9c_get_bytes(c, len);

	if (!p || len >= cap) {
		c->bad = true;
		len = 0;
	}
	if (len)
		memcpy(buf, p, len);
	buf[len] = 0;
}

void p9c_get_qid(struct p9c *c, struct p9c_qid *q)
{
	q->type = p9c_get_u8(c);
	q->version = p9c_get_u32(c);
	q->path = p9c_get_u64(c);
}

void p9c_get_attr(struct p9c *c, struct p9c_attr *a, bool lbx)
{
	memset(a, 0, sizeof(*a));
	a->valid = get(c, 8);
	p9c_get_qid(c, &a->qid);
	a->mode = (uint32_t)get(c, 4);
	a->uid = (uint32_t)get(c, 4);
	a->gid = (uint32_t)get(c, 4);
	a->nlink = get(c, 8);
	a->rdev = get(c, 8);
	a->size = get(c, 8);
	a->blksize = get(c, 8);
	a->blocks = get(c, 8);
	for (int i = 0; i < 4; i++) {
		a->sec[i] = get(c, 8);
		a->nsec[i] = get(c, 8);
	}
	a->gen = get(c, 8);
	a->data_version = get(c, 8);
	if (lbx) {
		a->dev = get(c, 8);
		a->ino = get(c, 8);
	}
}

bool p9c_done(const struct p9c *c)
{
	return !c->bad && c->at == c->in_len;
}

/* The end of every call below: @ret when it is an error or all of the reply was read. */
static int done(struct p9c *c, int ret)
{
	return ret < 0 || p9c_done(c) ? ret : P9C_BROKEN;
}

int p9c_version(struct p9c *c, uint32_t msize, const char *version, char *got, size_t cap)
{
	int ret;

	p9c_begin(c, 100);
	p9c_u32(c, msize);
	p9c_str(c, version);
	ret = p9c_call(c);
	if (ret)
		return ret;
	c->msize = p9c_get_u32(c);
	p9c_get_str(c, got, cap);
	return done(c, 0);
}

int p9c_attach(struct p9c *c, uint32_t fid, const char *aname)
{
	struct p9c_qid q;
	int ret;

	p9c_begin(c, 104);
	p9c_u32(c, fid);
	p9c_u32(c, P9C_NOFID);
	p9c_str(c, "nobody");
	p9c_str(c, aname);
	p9c_u32(c, P9C_NOFID);
	ret = p9c_call(c);
	if (!ret)
		p9c_get_qid(c, &q);
	return done(c, ret);
}

int p9c_walk(struct p9c *c, uint32_t fid, uint32_t newfid, const char *path)
{
	struct p9c_qid q;
	int ret, n;

	p9c_begin(c, 110);
	p9c_u32(c, fid);
	p9c_u32(c, newfid);
	p9c_names(c, path);
	ret = p9c_call(c);
	if (ret)
		return ret;
	n = p9c_get_u16(c);
	for (int i = 0; i < n; i++)
		p9c_get_qid(c, &q);
	return done(c, n);
}

int p9c_simple(struct p9c *c, uint8_t type, uint32_t a)
{
	p9c_begin(c, type);
	p9c_u32(c, a);
	return p9c_call(c);
}

int p9c_simple2(struct p9c *c, uint8_t type, uint32_t a, uint32_t b)
{
	p9c_begin(c, type);
	p9c_u32(c, a);
	p9c_u32(c, b);
	return p9c_call(c);
}

int p9c_clunk(struct p9c *c, uint32_t fid)
{
	return done(c, p9c_simple(c, 120, fid));
}

static int opened(struct p9c *c, int ret)
{
	struct p9c_qid q;

	if (!ret) {
		p9c_get_qid(c, &q);
		if (p9c_get_u32(c) > c->msize)
			return P9C_BROKEN;
	}
	return done(c, ret);
}

int p9c_open(struct p9c *c, uint32_t fid, uint32_t flags)
{
	return opened(c, p9c_simple2(c, 12, fid, flags));
}

int p9c_create(struct p9c *c, uint32_t fid, const char *name, uint32_t flags, uint32_t mode)
{
	p9c_begin(c, 14);
	p9c_u32(c, fid);
	p9c_str(c, name);
	p9c_u32(c, flags);
	p9c_u32(c, mode);
	p9c_u32(c, 0);
	return opened(c, p9c_call(c));
}

int p9c_read(struct p9c *c, uint32_t fid, uint64_t off, void *buf, uint32_t count)
{
	const uint8_t *p;
	uint32_t n;
	int ret;

	p9c_begin(c, 116);
	p9c_u32(c, fid);
	p9c_u64(c, off);
	p9c_u32(c, count);
	ret = p9c_call(c);
	if (ret)
		return ret;
	n = p9c_get_u32(c);
	p = p9c_get_bytes(c, n);
	if (!p || n > count)
		return P9C_BROKEN;
	memcpy(buf, p, n);
	return done(c, (int)n);
}

int p9c_write(struct p9c *c, uint32_t fid, uint64_t off, const void *buf, uint32_t count)
{
	int ret;

	p9c_begin(c, 118);
	p9c_u32(c, fid);
	p9c_u64(c, off);
	p9c_u32(c, count);
	p9c_bytes(c, buf, count);
	ret = p9c_call(c);
	return done(c, ret ? ret : (int)p9c_get_u32(c));
}

int p9c_getattr(struct p9c *c, uint32_t fid, struct p9c_attr *a)
{
	int ret;

	p9c_begin(c, 24);
	p9c_u32(c, fid);
	p9c_u64(c, 0x7ff);
	ret = p9c_call(c);
	if (!ret)
		p9c_get_attr(c, a, false);
	return done(c, ret);
}

static int made(struct p9c *c, int ret)
{
	struct p9c_qid q;

	if (!ret)
		p9c_get_qid(c, &q);
	return done(c, ret);
}

int p9c_mkdir(struct p9c *c, uint32_t dfid, const char *name, uint32_t mode)
{
	p9c_begin(c, 72);
	p9c_u32(c, dfid);
	p9c_str(c, name);
	p9c_u32(c, mode);
	p9c_u32(c, 0);
	return made(c, p9c_call(c));
}

int p9c_symlink(struct p9c *c, uint32_t dfid, const char *name, const char *target)
{
	p9c_begin(c, 16);
	p9c_u32(c, dfid);
	p9c_str(c, name);
	p9c_str(c, target);
	p9c_u32(c, 0);
	return made(c, p9c_call(c));
}

int p9c_link(struct p9c *c, uint32_t dfid, uint32_t fid, const char *name)
{
	p9c_begin(c, 70);
	p9c_u32(c, dfid);
	p9c_u32(c, fid);
	p9c_str(c, name);
	return done(c, p9c_call(c));
}

int p9c_unlink(struct p9c *c, uint32_t dfid, const char *name, uint32_t flags)
{
	p9c_begin(c, 76);
	p9c_u32(c, dfid);
	p9c_str(c, name);
	p9c_u32(c, flags);
	return done(c, p9c_call(c));
}

int p9c_renameat(struct p9c *c, uint32_t od, const char *on, uint32_t nd, const char *nn)
{
	p9c_begin(c, 74);
	p9c_u32(c, od);
	p9c_str(c, on);
	p9c_u32(c, nd);
	p9c_str(c, nn);
	return done(c, p9c_call(c));
}

int p9c_readlink(struct p9c *c, uint32_t fid, char *buf, size_t cap)
{
	int ret = p9c_simple(c, 22, fid);

	if (!ret)
		p9c_get_str(c, buf, cap);
	return done(c, ret);
}

int p9c_setattr(struct p9c *c, uint32_t fid, uint32_t valid, uint32_t mode, uint32_t uid,
		uint32_t gid, uint64_t size, uint64_t sec, uint64_t nsec)
{
	p9c_begin(c, 26);
	p9c_u32(c, fid);
	p9c_u32(c, valid);
	p9c_u32(c, mode);
	p9c_u32(c, uid);
	p9c_u32(c, gid);
	p9c_u64(c, size);
	p9c_u64(c, sec);
	p9c_u64(c, nsec);
	p9c_u64(c, sec);
	p9c_u64(c, nsec);
	return done(c, p9c_call(c));
}

static void get_walkstat(struct p9c *c, struct p9c_walkstat *w, bool last)
{
	uint32_t attrs;

	w->status = p9c_get_u32(c);
	w->flags = p9c_get_u32(c);
	w->count = p9c_get_u32(c);
	if (w->count > 16)
		c->bad = true;
	attrs = last && w->count ? 1 : w->count;
	for (uint32_t i = 0; i < attrs && !c->bad; i++)
		p9c_get_attr(c, &w->attr[i], true);
	p9c_get_str(c, w->target, sizeof(w->target));
}

int p9c_walkstat(struct p9c *c, uint32_t fid, uint32_t newfid, uint32_t flags, const char *path,
		 struct p9c_walkstat *w)
{
	int ret;

	memset(w, 0, sizeof(*w));
	p9c_begin(c, 200);
	p9c_u32(c, fid);
	p9c_u32(c, newfid);
	p9c_u32(c, flags);
	p9c_names(c, path);
	ret = p9c_call(c);
	if (!ret)
		get_walkstat(c, w, flags & 2);
	return done(c, ret);
}

int p9c_opengrant(struct p9c *c, uint32_t fid, uint32_t newfid, uint32_t flags, uint32_t oflags,
		  const char *path, struct p9c_walkstat *w)
{
	int ret;

	memset(w, 0, sizeof(*w));
	p9c_begin(c, 202);
	p9c_u32(c, fid);
	p9c_u32(c, newfid);
	p9c_u32(c, flags);
	p9c_u32(c, oflags);
	p9c_names(c, path);
	ret = p9c_call(c);
	if (ret)
		return ret;
	get_walkstat(c, w, flags & 32);
	w->data_len = p9c_get_u32(c);
	w->data = p9c_get_bytes(c, w->data_len);
	return done(c, 0);
}
