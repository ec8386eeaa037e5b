/* SPDX-License-Identifier: MIT */
/*
 * What the broker's tests share: TAP lines, a tree with everything awkward in it, a server on it.
 *
 *	BASE/ro/ and BASE/rw/ (exports "ro", "rw"), the same in both:
 *		file "hello\n", empty, exact (16384 bytes), over (16385), big (200000)
 *		dir/sub/deep/leaf, dir/a … dir/c; link -> file, dirlink -> dir, abslink -> BASE/outside,
 *		uplink -> ../outside; fifo, sock; noread (mode 0); suid (mode 4755); null (as root)
 *	BASE/one, BASE/onerw: files exported alone ("one", "onerw")
 *	BASE/outside/secret: what must never be reached
 */
#ifndef BROKER_FIXTURE_H
#define BROKER_FIXTURE_H

#include "client.h"
#include "tools/broker/broker9p.h"

struct fixture {
	char base[64];
	struct b9p *b;
	char log[8192];		/* lines of the broker's log, newest last */
	size_t log_len;
	int fds_before;		/* descriptors open before fixture_start() */
};

/* TAP. Each prints one line and returns whether it held. */
__attribute__((format(printf, 2, 3)))
bool tap_ok(bool cond, const char *fmt, ...);
__attribute__((format(printf, 3, 4)))
bool tap_eq(int64_t got, int64_t want, const char *fmt, ...);	/* negative: shown as errno names */
void tap_skip(const char *name, const char *why);
int tap_end(void);	/* prints the plan; exit status */

void fixture_make(struct fixture *f);	/* the tree alone */
void fixture_start(struct fixture *f, const struct b9p_limits *limits); /* a server for it */
void fixture_end(struct fixture *f);	/* stops, destroys, removes, and checks for leaked descriptors */
/* A path below the base, in one of a few static buffers. */
const char *fixture_path(const struct fixture *f, const char *rel);

/* A connected client; with @version NULL, before Tversion. */
struct p9c *client_new(struct fixture *f, uint32_t flags, const char *version);
void client_free(struct p9c *c);
/* A client on the wire of the extension, with fid 0 = "ro" and fid 1 = "rw". */
struct p9c *client_attached(struct fixture *f);

int count_fds(void);
/* Waits until the server holds @files descriptors (closing is done by its threads): false after 5 s. */
bool files_become(struct fixture *f, uint32_t files);
bool channels_become(struct fixture *f, uint32_t channels);

#endif
