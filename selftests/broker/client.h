/* SPDX-License-Identifier: MIT */
/*
 * A small 9P2000.L client for tests: encodes and decodes by itself (nothing of the server's wire.c),
 * so that a mistake made there is not made twice. One request at a time; any message can be built,
 * also a wrong one.
 *
 * A call returns 0 or more, -errno from Rlerror, or P9C_BROKEN when the answer is not one to this
 * request or ends early.
 */
#ifndef BROKER_CLIENT_H
#define BROKER_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P9C_BROKEN	(-10000)
#define P9C_NOFID	(~0u)
#define P9C_BUF		(65536u + 1024)

struct p9c {
	int rfd, wfd;
	bool stream;
	uint32_t msize;
	uint16_t tag;
	uint8_t out[P9C_BUF];
	uint32_t out_len;
	uint8_t in[P9C_BUF];
	uint32_t in_len, at;	/* the reply and how far it was read */
	bool bad;		/* read past the reply's end */
	int got_fd;		/* descriptor that came with the reply; -1 for none; the test closes it */
};

struct p9c_qid {
	uint8_t type;
	uint32_t version;
	uint64_t path;
};

struct p9c_attr {
	uint64_t valid;
	struct p9c_qid qid;
	uint32_t mode, uid, gid;
	uint64_t nlink, rdev, size, blksize, blocks;
	uint64_t sec[4], nsec[4];	/* a, m, c, b */
	uint64_t gen, data_version;
	uint64_t dev, ino;		/* extension only */
};

void p9c_init(struct p9c *c, int rfd, int wfd, bool stream);

/* Building a request. */
void p9c_begin(struct p9c *c, uint8_t type);
void p9c_u8(struct p9c *c, uint8_t v);
void p9c_u16(struct p9c *c, uint16_t v);
void p9c_u32(struct p9c *c, uint32_t v);
void p9c_u64(struct p9c *c, uint64_t v);
void p9c_str(struct p9c *c, const char *s);
void p9c_bytes(struct p9c *c, const void *p, size_t n);
void p9c_names(struct p9c *c, const char *path);	/* "a/b/c", split; "" is none */

int p9c_send(struct p9c *c);		/* 0 or P9C_BROKEN; sets the size field */
int p9c_send_raw(struct p9c *c, const void *p, size_t n);
int p9c_recv(struct p9c *c);		/* 0, or P9C_BROKEN at end of file */
int p9c_call(struct p9c *c);		/* send, receive, check type and tag */

/* Reading the reply. */
uint8_t p9c_get_u8(struct p9c *c);
uint16_t p9c_get_u16(struct p9c *c);
uint32_t p9c_get_u32(struct p9c *c);
uint64_t p9c_get_u64(struct p9c *c);
void p9c_get_str(struct p9c *c, char *buf, size_t cap);
void p9c_get_qid(struct p9c *c, struct p9c_qid *q);
void p9c_get_attr(struct p9c *c, struct p9c_attr *a, bool lbx);
const uint8_t *p9c_get_bytes(struct p9c *c, size_t n);
bool p9c_done(const struct p9c *c);	/* read whole, and not past its end */

/* Whole calls. */
int p9c_version(struct p9c *c, uint32_t msize, const char *version, char *got, size_t cap);
int p9c_attach(struct p9c *c, uint32_t fid, const char *aname);
int p9c_walk(struct p9c *c, uint32_t fid, uint32_t newfid, const char *path); /* names walked */
int p9c_clunk(struct p9c *c, uint32_t fid);
int p9c_open(struct p9c *c, uint32_t fid, uint32_t flags);
int p9c_create(struct p9c *c, uint32_t fid, const char *name, uint32_t flags, uint32_t mode);
int p9c_read(struct p9c *c, uint32_t fid, uint64_t off, void *buf, uint32_t count);
int p9c_write(struct p9c *c, uint32_t fid, uint64_t off, const void *buf, uint32_t count);
int p9c_getattr(struct p9c *c, uint32_t fid, struct p9c_attr *a);
int p9c_mkdir(struct p9c *c, uint32_t dfid, const char *name, uint32_t mode);
int p9c_unlink(struct p9c *c, uint32_t dfid, const char *name, uint32_t flags);
int p9c_symlink(struct p9c *c, uint32_t dfid, const char *name, const char *target);
int p9c_link(struct p9c *c, uint32_t dfid, uint32_t fid, const char *name);
int p9c_renameat(struct p9c *c, uint32_t od, const char *on, uint32_t nd, const char *nn);
int p9c_readlink(struct p9c *c, uint32_t fid, char *buf, size_t cap);
int p9c_setattr(struct p9c *c, uint32_t fid, uint32_t valid, uint32_t mode, uint32_t uid,
		uint32_t gid, uint64_t size, uint64_t sec, uint64_t nsec);
int p9c_simple(struct p9c *c, uint8_t type, uint32_t a);		/* one u32 */
int p9c_simple2(struct p9c *c, uint8_t type, uint32_t a, uint32_t b);	/* two */

/* The extension. */
struct p9c_walkstat {
	uint32_t status, flags, count;
	struct p9c_attr attr[16];
	char target[4097];
	uint32_t data_len;		/* Topengrant only */
	const uint8_t *data;
};
int p9c_walkstat(struct p9c *c, uint32_t fid, uint32_t newfid, uint32_t flags, const char *path,
		 struct p9c_walkstat *w);
int p9c_opengrant(struct p9c *c, uint32_t fid, uint32_t newfid, uint32_t flags, uint32_t oflags,
		  const char *path, struct p9c_walkstat *w);

#endif
