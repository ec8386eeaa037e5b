// SPDX-License-Identifier: MIT
#include "fs/9p/wire.h"

#include "base/errno.h"
#include "base/string.h"

void p9_put_bytes(struct p9_out *o, const void *p, u32 len)
{
	if (o->overflow || o->cap - o->len < len) {
		o->overflow = true;
		return;
	}
	memcpy(o->buf + o->len, p, len);
	o->len += len;
}

/* Little endian, as this processor is. */
void p9_put(struct p9_out *o, u64 v, u32 bytes)
{
	p9_put_bytes(o, &v, bytes);
}

void p9_put_str(struct p9_out *o, const char *s, u32 len)
{
	if (len > UINT16_MAX) {
		o->overflow = true;
		return;
	}
	p9_put(o, len, 2);
	p9_put_bytes(o, s, len);
}

void p9_begin(struct p9_out *o, u8 *buf, u32 cap, u8 type, u16 tag)
{
	*o = (struct p9_out){ .buf = buf, .cap = cap };
	p9_put(o, 0, 4);
	p9_put(o, type, 1);
	p9_put(o, tag, 2);
}

u32 p9_end(struct p9_out *o)
{
	if (o->overflow)
		return 0;
	memcpy(o->buf, &o->len, 4);
	return o->len;
}

const u8 *p9_get_bytes(struct p9_in *in, u32 len)
{
	const u8 *p = in->p;

	if (in->failed || in->left < len) {
		in->failed = true;
		return NULL;
	}
	in->p += len;
	in->left -= len;
	return p;
}

u64 p9_get(struct p9_in *in, u32 bytes)
{
	const u8 *p = p9_get_bytes(in, bytes);
	u64 v = 0;

	if (p)
		memcpy(&v, p, bytes);
	return v;
}

const char *p9_get_str(struct p9_in *in, u32 *len)
{
	*len = (u32)p9_get(in, 2);
	return (const char *)p9_get_bytes(in, *len);
}

static s64 get_time(struct p9_in *in)
{
	u64 sec = p9_get(in, 8), nsec = p9_get(in, 8);

	/* times that no ns since 1970 can hold are cut */
	if ((s64)sec > INT64_MAX / NSEC_PER_SEC - 1 || (s64)sec < INT64_MIN / NSEC_PER_SEC + 1 ||
	    nsec >= (u64)NSEC_PER_SEC)
		return 0;
	return (s64)sec * NSEC_PER_SEC + (s64)nsec;
}

void p9_get_attr(struct p9_in *in, struct p9_attr *a)
{
	a->valid = p9_get(in, 8);
	a->qid_type = (u8)p9_get(in, 1);
	(void)p9_get(in, 4);
	a->qid_path = p9_get(in, 8);
	a->mode = (u32)p9_get(in, 4);
	a->uid = (u32)p9_get(in, 4);
	a->gid = (u32)p9_get(in, 4);
	a->nlink = p9_get(in, 8);
	a->rdev = p9_get(in, 8);
	a->size = p9_get(in, 8);
	a->blksize = p9_get(in, 8);
	a->blocks = p9_get(in, 8);
	a->atime = get_time(in);
	a->mtime = get_time(in);
	a->ctime = get_time(in);
	a->btime = get_time(in);
	(void)p9_get(in, 8);
	(void)p9_get(in, 8);
	a->dev = p9_get(in, 8);
	a->ino = p9_get(in, 8);
	if (a->size > INT64_MAX)
		in->failed = true;
}

int p9_reply(struct p9_in *in, const u8 *buf, u32 len, u8 type, u16 tag)
{
	u32 size, err;
	u8 got;
	u16 got_tag;

	*in = (struct p9_in){ buf, len, false };
	size = (u32)p9_get(in, 4);
	got = (u8)p9_get(in, 1);
	got_tag = (u16)p9_get(in, 2);
	if (in->failed || size != len || got_tag != tag)
		return -EIO;
	if (got == P9_RLERROR) {
		err = (u32)p9_get(in, 4);
		return in->failed || !err || err > 4095 ? -EIO : -(int)err;
	}
	return got == type + 1 ? 0 : -EIO;
}
