// SPDX-License-Identifier: MIT
/* See wire.h. What looks at bytes is in wire_read.c, and proven; the decoders here are made from the list
 * of messages and do nothing but call it field by field. */
#include "wire.h"

#include <errno.h>
#include <string.h>

#define U8(f)		m->f = (uint8_t)wire_get(r, 1);
#define U16(f)		m->f = (uint16_t)wire_get(r, 2);
#define U32(f)		m->f = (uint32_t)wire_get(r, 4);
#define U64(f)		m->f = wire_get(r, 8);
#define STR(f)		m->f = wire_get_str(r);
#define NAMES(f)	wire_get_names(r, &m->f);
#define DATA(f)		m->f = wire_get_data(r);
#define B9P_T(name, nr, state, fields) \
	static void decode_##name(struct wire_reader *r, struct p9_t##name *m) { fields }
#include "messages.def"

bool wire_decode_header(const uint8_t *buf, size_t len, uint32_t *size, struct p9_request *req)
{
	struct wire_reader r = { .p = buf, .left = len };

	*size = (uint32_t)wire_get(&r, 4);
	req->type = (uint8_t)wire_get(&r, 1);
	req->tag = (uint16_t)wire_get(&r, 2);
	return !r.bad;
}

int wire_decode(const uint8_t *buf, size_t len, struct p9_request *req)
{
	struct wire_reader r = { .p = buf, .left = len };
	uint32_t size;

	memset(req, 0, sizeof(*req));
	if (!wire_decode_header(buf, len, &size, req) || size != len)
		return -EBADMSG;
	(void)wire_take(&r, P9_HDR_BYTES);
	switch (req->type) {
#define B9P_T(name, nr, st, fields) \
	case nr: \
		req->state = P9_##st; \
		decode_##name(&r, &req->u.name); \
		break;
#include "messages.def"
	default:
		return -EOPNOTSUPP;
	}
	return r.bad || r.left ? -EBADMSG : 0;
}

const char *wire_type_name(uint8_t type)
{
	switch (type) {
#define B9P_T(name, nr, state, fields) case nr: return "T" #name;
#include "messages.def"
	default:
		return "T?";
	}
}

bool wire_str_is(struct p9_str s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.p, text, s.len);
}

uint32_t wire_room(const struct wire_out *o)
{
	return o->cap - o->len;
}

static void put(struct wire_out *o, const void *p, size_t len)
{
	if (o->overflow || len > wire_room(o)) {
		o->overflow = true;
		return;
	}
	if (len)
		memcpy(o->buf + o->len, p, len);
	o->len += (uint32_t)len;
}

static void put_le(struct wire_out *o, uint64_t v, unsigned int bytes)
{
	uint8_t b[8];

	for (unsigned int i = 0; i < bytes; i++)
		b[i] = (uint8_t)(v >> (8 * i));
	put(o, b, bytes);
}

void wire_put_u8(struct wire_out *o, uint8_t v)
{
	put_le(o, v, 1);
}

void wire_put_u16(struct wire_out *o, uint16_t v)
{
	put_le(o, v, 2);
}

void wire_put_u32(struct wire_out *o, uint32_t v)
{
	put_le(o, v, 4);
}

void wire_put_u64(struct wire_out *o, uint64_t v)
{
	put_le(o, v, 8);
}

void wire_put_str(struct wire_out *o, const char *p, size_t len)
{
	if (len > UINT16_MAX) {
		o->overflow = true;
		return;
	}
	put_le(o, len, 2);
	put(o, p, len);
}

void wire_put_qid(struct wire_out *o, const struct p9_qid *q)
{
	put_le(o, q->type, 1);
	put_le(o, q->version, 4);
	put_le(o, q->path, 8);
}

void wire_put_attr(struct wire_out *o, const struct p9_attr *a)
{
	put_le(o, a->valid, 8);
	wire_put_qid(o, &a->qid);
	put_le(o, a->mode, 4);
	put_le(o, a->uid, 4);
	put_le(o, a->gid, 4);
	put_le(o, a->nlink, 8);
	put_le(o, a->rdev, 8);
	put_le(o, a->size, 8);
	put_le(o, a->blksize, 8);
	put_le(o, a->blocks, 8);
	put_le(o, a->atime_sec, 8);
	put_le(o, a->atime_nsec, 8);
	put_le(o, a->mtime_sec, 8);
	put_le(o, a->mtime_nsec, 8);
	put_le(o, a->ctime_sec, 8);
	put_le(o, a->ctime_nsec, 8);
	put_le(o, a->btime_sec, 8);
	put_le(o, a->btime_nsec, 8);
	put_le(o, a->gen, 8);
	put_le(o, a->data_version, 8);
}

void wire_put_attr_lbx(struct wire_out *o, const struct p9_attr *a)
{
	wire_put_attr(o, a);
	put_le(o, a->dev, 8);
	put_le(o, a->ino, 8);
}

void wire_patch_u32(struct wire_out *o, uint32_t at, uint32_t v)
{
	struct wire_out tmp = { .buf = o->buf, .cap = o->len, .len = at };

	if (!o->overflow && at <= o->len)
		put_le(&tmp, v, 4);
}

void wire_out_begin(struct wire_out *o, uint8_t *buf, uint32_t cap, uint8_t type, uint16_t tag)
{
	*o = (struct wire_out){ .buf = buf, .cap = cap };
	put_le(o, 0, 4);
	put_le(o, type, 1);
	put_le(o, tag, 2);
}

void wire_out_end(struct wire_out *o)
{
	wire_patch_u32(o, 0, o->len);
}
