/* SPDX-License-Identifier: MIT */
/*
 * Messages of 9P2000.L and of the broker's extension (tools/broker/README.md), as the client makes and reads them. Pure: what is
 * read is checked against the bytes that came, and a reader that once ran over stays failed.
 */
#ifndef LIB_FS_9P_WIRE_H
#define LIB_FS_9P_WIRE_H

#include "base/types.h"

#define P9_RLERROR	7
#define P9_TSTATFS	8
#define P9_TREADLINK	22
#define P9_TSETATTR	26
#define P9_TFSYNC	50
#define P9_TSYMLINK	16
#define P9_TLCREATE	14
#define P9_TLINK	70
#define P9_TMKDIR	72
#define P9_TUNLINKAT	76
#define P9_TVERSION	100
#define P9_TATTACH	104
#define P9_TCLUNK	120
#define P9_TWALKSTAT	200
#define P9_TOPENGRANT	202
#define P9_TGRANT	204
#define P9_TREADDIRPLUS	206
#define P9_TRENAMEAT2	208

#define P9_NOTAG	0xffffu
#define P9_NOFID	0xffffffffu
#define P9_HEADER	7u
#define P9_MAX_NAMES	16u
#define P9_NAME_MAX	255u
#define P9_INLINE_MAX	16384u

#define P9_WALK_LAST	2u
#define P9_OPEN_GRANT	2u
#define P9_OPEN_INLINE	4u
#define P9_OPEN_EITHER	8u
#define P9_OPEN_NOFID	16u
#define P9_OPEN_LAST	32u
#define P9_OPENED_GRANT	4u
#define P9_OPENED_INLINE 8u

struct p9_attr {
	u64 valid;
	u8 qid_type;
	u64 qid_path;
	u32 mode, uid, gid;
	u64 nlink, rdev, size, blksize, blocks;
	s64 atime, mtime, ctime, btime;		/* ns */
	u64 dev, ino;
};

/* A message in the making; @overflow: it did not fit */
struct p9_out {
	u8 *buf;
	u32 cap, len;
	bool overflow;
};

void p9_begin(struct p9_out *o, u8 *buf, u32 cap, u8 type, u16 tag);
void p9_put(struct p9_out *o, u64 v, u32 bytes);
void p9_put_bytes(struct p9_out *o, const void *p, u32 len);
void p9_put_str(struct p9_out *o, const char *s, u32 len);
/* p9_end() - the message's length, or 0 when it did not fit */
u32 p9_end(struct p9_out *o);

struct p9_in {
	const u8 *p;
	u32 left;
	bool failed;
};

/*
 * p9_reply() - the header of an answer to a request of @type
 * Return: 0 and @in stands behind the header; the server's errno, negated; -EIO: not an answer to it
 */
int p9_reply(struct p9_in *in, const u8 *buf, u32 len, u8 type, u16 tag);
u64 p9_get(struct p9_in *in, u32 bytes);
const u8 *p9_get_bytes(struct p9_in *in, u32 len);
/* p9_get_str() - count[2] and bytes; NULL when it failed */
const char *p9_get_str(struct p9_in *in, u32 *len);
void p9_get_attr(struct p9_in *in, struct p9_attr *a);

#endif
