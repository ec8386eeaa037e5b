/* SPDX-License-Identifier: MIT */
/*
 * The wire format of 9P2000.L and of the broker's extension: parsing and making messages, nothing
 * else. Pure functions: no allocation, no system call, no global state; what they are given may be
 * anything. What a decoded request points to (strings, data) lies in the buffer that was decoded.
 */
#ifndef BROKER_WIRE_H
#define BROKER_WIRE_H

#include "wire_read.h"

#define P9_NOTAG	((uint16_t)~0u)
#define P9_NOFID	(~0u)
#define P9_HDR_BYTES	7u	/* size[4] type[1] tag[2] */
#define P9_IO_HDR	24u	/* room that clients leave for the header of Twrite and Rread */
#define P9_RLERROR	7

#define B9P_MSIZE_MIN		4096u
#define B9P_MSIZE_MAX		(65536u + P9_IO_HDR)
#define B9P_MSIZE_LBX_MIN	32768u	/* so that walk, attributes and 16 KiB of data fit in one reply */
#define B9P_INLINE_MAX		16384u

/* qid.type */
#define P9_QT_DIR	0x80
#define P9_QT_SYMLINK	0x02
#define P9_QT_FILE	0x00

/* Tlopen and Tlcreate flags: Linux' generic values. */
#define P9_O_ACCMODE	03u
#define P9_O_WRONLY	01u
#define P9_O_RDWR	02u
#define P9_O_CREAT	0100u
#define P9_O_EXCL	0200u
#define P9_O_NOCTTY	0400u
#define P9_O_TRUNC	01000u
#define P9_O_APPEND	02000u
#define P9_O_NONBLOCK	04000u
#define P9_O_DSYNC	010000u
#define P9_O_FASYNC	020000u
#define P9_O_DIRECT	040000u
#define P9_O_LARGEFILE	0100000u
#define P9_O_DIRECTORY	0200000u
#define P9_O_NOFOLLOW	0400000u
#define P9_O_NOATIME	01000000u
#define P9_O_CLOEXEC	02000000u
#define P9_O_SYNC	04000000u
#define P9_O_ALL	07777703u

/* Tgetattr: what the mask and valid bits say. */
#define P9_STATS_BASIC	0x000007ffull
#define P9_STATS_BTIME	0x00000800ull

/* Tsetattr.valid */
#define P9_SET_MODE	0x001u
#define P9_SET_UID	0x002u
#define P9_SET_GID	0x004u
#define P9_SET_SIZE	0x008u
#define P9_SET_ATIME	0x010u
#define P9_SET_MTIME	0x020u
#define P9_SET_CTIME	0x040u
#define P9_SET_ATIME_SET 0x080u
#define P9_SET_MTIME_SET 0x100u
#define P9_SET_ALL	0x1ffu

#define P9_AT_REMOVEDIR	0x200u
#define P9_LOCK_SUCCESS	0
#define P9_LOCK_TYPE_UNLCK 2

/* Twalkstat.flags */
#define B9P_WALK_PARTIAL	0x1u	/* newfid is made also when the walk stops early */
#define B9P_WALK_LAST		0x2u	/* attributes of the last element only */
/* Tgrant.flags */
#define B9P_GRANT_WRITE		0x1u	/* read and write; else read */
/* Topengrant.flags */
#define B9P_OPEN_PARTIAL	0x1u	/* as B9P_WALK_PARTIAL */
#define B9P_OPEN_GRANT		0x2u	/* send the descriptor of a regular file */
#define B9P_OPEN_INLINE		0x4u	/* send the data of a small regular file */
#define B9P_OPEN_EITHER		0x8u	/* no descriptor when the data went */
#define B9P_OPEN_NOFID		0x10u	/* no newfid when a descriptor or the data went */
#define B9P_OPEN_LAST		0x20u	/* as B9P_WALK_LAST */
#define B9P_OPEN_ALL		0x3fu
/* Ropengrant.flags */
#define B9P_OPENED_FID		0x1u	/* newfid is made (open, or of the last element reached) */
#define B9P_OPENED_OPEN		0x2u	/* newfid is open */
#define B9P_OPENED_GRANT	0x4u	/* a descriptor comes with this reply */
#define B9P_OPENED_INLINE	0x8u	/* data is the whole file */
/* Trenameat2.flags: RENAME_NOREPLACE, RENAME_EXCHANGE */
#define B9P_RENAME_NOREPLACE	0x1u
#define B9P_RENAME_EXCHANGE	0x2u

struct p9_qid {
	uint8_t type;
	uint32_t version;
	uint64_t path;
};

/* The attributes of Rgetattr; dev and ino are on the wire of the extension only. */
struct p9_attr {
	uint64_t valid;
	struct p9_qid qid;
	uint32_t mode, uid, gid;
	uint64_t nlink, rdev, size, blksize, blocks;
	uint64_t atime_sec, atime_nsec, mtime_sec, mtime_nsec, ctime_sec, ctime_nsec;
	uint64_t btime_sec, btime_nsec, gen, data_version;
	uint64_t dev, ino;
};

#define P9_ATTR_BYTES	153u			/* in Rgetattr */
#define B9P_ATTR_BYTES	(P9_ATTR_BYTES + 16u)	/* in the extension: dev[8] ino[8] follow */
#define P9_DIRENT_BYTES	24u			/* Rreaddir entry without its name */
#define B9P_DIRENT_BYTES (8u + 1u + 2u + B9P_ATTR_BYTES)

/* struct p9_tNAME, from the list. */
#define U8(f)		uint8_t f;
#define U16(f)		uint16_t f;
#define U32(f)		uint32_t f;
#define U64(f)		uint64_t f;
#define STR(f)		struct p9_str f;
#define NAMES(f)	struct p9_names f;
#define DATA(f)		struct p9_data f;
#define B9P_T(name, nr, state, fields) struct p9_t##name { fields };
#include "messages.def"
#undef U8
#undef U16
#undef U32
#undef U64
#undef STR
#undef NAMES
#undef DATA

enum p9_type {
#define B9P_T(name, nr, state, fields) P9_T##name = (nr),
#include "messages.def"
};

enum p9_state { P9_ANY, P9_BASE, P9_LBX };

struct p9_request {
	uint8_t type;
	uint16_t tag;
	enum p9_state state;
	union {
#define B9P_T(name, nr, state, fields) struct p9_t##name name;
#include "messages.def"
	} u;
};

/**
 * wire_decode_header() - read size, type and tag
 * @buf:  @len bytes
 * @size: set to the size field
 * @req:  type and tag are set
 * Return: true when there are seven bytes; then @req->type and @req->tag are what they say.
 */
__attribute__((warn_unused_result))
bool wire_decode_header(const uint8_t *buf, size_t len, uint32_t *size, struct p9_request *req);

/**
 * wire_decode() - parse one whole request
 * @buf: @len bytes, the message and nothing more
 * @req: filled; strings and data point into @buf
 *
 * Return: 0; -EBADMSG when the size field is not @len, a field is cut short, a count lies, or bytes
 * are left over; -EOPNOTSUPP for a type that is not in messages.def.
 */
__attribute__((warn_unused_result))
int wire_decode(const uint8_t *buf, size_t len, struct p9_request *req);

/**
 * wire_type_name() - for logs
 * @type: any number
 * Return: "Twalk" and the like; "T?" for what is not a request.
 */
const char *wire_type_name(uint8_t type);

/* wire_str_is() - does the string say @text? */
bool wire_str_is(struct p9_str s, const char *text);

/**
 * struct wire_out - a reply in the making
 * @buf:      @cap bytes
 * @len:      bytes so far, at most @cap
 * @overflow: something did not fit: the reply cannot be sent
 */
struct wire_out {
	uint8_t *buf;
	uint32_t cap, len;
	bool overflow;
};

void wire_out_begin(struct wire_out *o, uint8_t *buf, uint32_t cap, uint8_t type, uint16_t tag);
void wire_out_end(struct wire_out *o);	/* sets the size field */
void wire_put_u8(struct wire_out *o, uint8_t v);
void wire_put_u16(struct wire_out *o, uint16_t v);
void wire_put_u32(struct wire_out *o, uint32_t v);
void wire_put_u64(struct wire_out *o, uint64_t v);
void wire_put_str(struct wire_out *o, const char *p, size_t len);
void wire_put_qid(struct wire_out *o, const struct p9_qid *q);
void wire_put_attr(struct wire_out *o, const struct p9_attr *a);	/* P9_ATTR_BYTES */
void wire_put_attr_lbx(struct wire_out *o, const struct p9_attr *a);	/* B9P_ATTR_BYTES */
/* Overwrites four bytes at @at, which must have been written already. */
void wire_patch_u32(struct wire_out *o, uint32_t at, uint32_t v);
/* Bytes that still fit. */
uint32_t wire_room(const struct wire_out *o);

#endif
