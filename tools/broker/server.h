/* SPDX-License-Identifier: MIT */
/*
 * Inside the file server: who holds what.
 *
 *	struct b9p	one for the process. Shared by threads: constant after b9p_create() but for the
 *			atomics and what @lock guards. Counted by its channels and its maker.
 *	struct channel	one connection, used by its thread alone. Owns its fids and nodes.
 *	struct fid	a client's number for a node, and the open file when it was opened.
 *	struct node	a file of the host, held by an O_PATH descriptor (or by the open one). Shared by
 *			cloned fids. A node is only ever made by looking one name up in a directory
 *			node, so whatever is renamed meanwhile, it was reached from an export's root.
 *
 * The only lock is b9p.lock; no system call that may sleep is made under it. What may sleep (opens,
 * reads, lookups) is done by a channel's thread holding nothing.
 */
#ifndef BROKER_SERVER_H
#define BROKER_SERVER_H

#include "broker9p.h"
#include "wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/types.h>

#define B9P_NAME_CAP	256u	/* a file name and its zero */
#define B9P_PATH_CAP	4096u
#define B9P_DEVS	64u

/* What must stay where it is below a writable export: guard.c. */
struct guard {
	dev_t dev;
	uint64_t ino;
	const struct export *ro;	/* the export that begins here, or NULL: a directory on the way to one */
};

struct export {
	int fd;
	char *name;
	bool writable, guard;
	dev_t dev;
	mode_t type;		/* S_IFDIR or S_IFREG */
	uint64_t caps;		/* effective while a request on this export is served */
	struct guard *guards;
	size_t nr_guards;
};

struct b9p {
	struct export *exports;
	size_t nr_exports;
	struct b9p_limits limits;
	_Atomic(b9p_log_fn) log; /* NULL: none, or the caller is gone */
	void *log_arg;
	int procfd;		/* /proc/self/fd */
	int stopfd;		/* eventfd: readable once b9p_stop() was called */
	bool confined;
	bool filter;		/* channels' threads put themselves under seccomp_enter() */
	atomic_bool filter_noted;
	uint64_t keep_caps;	/* effective always, once confined */

	pthread_mutex_t lock;	/* guards channels, nr_channels, next_nr, stopping, refs */
	pthread_cond_t ended;	/* a channel ended */
	struct channel *channels;
	uint32_t nr_channels;
	uint32_t next_nr;
	uint32_t refs;
	bool stopping;

	atomic_uint log_lines;
	atomic_uint fids, files, files_peak;
	atomic_ullong requests, errors, malformed, refused, bytes_read, bytes_written, grants;
	atomic_ullong devs[B9P_DEVS];	/* device + 1 of each file system seen: qid.path's high bits */
};

struct node {
	int fd;
	uint32_t refs;		/* of this channel's thread only */
	mode_t type;		/* S_IFMT part: cannot change while fd is held */
	dev_t dev;
	uint64_t ino;
	const struct export *ex;
};

enum fid_kind { FID_PATH, FID_OPEN, FID_XATTR_READ, FID_XATTR_WRITE };

struct xattr {
	uint32_t len;		/* bytes there */
	uint32_t size;		/* bytes allocated and, when writing, announced */
	uint32_t flags;
	char name[B9P_NAME_CAP];
	uint8_t data[];
};

struct fid {
	uint32_t id;
	enum fid_kind kind;
	int fd;			/* FID_OPEN: may be node->fd, which then owns it */
	uint64_t dirpos;	/* FID_OPEN of a directory: where fd stands; ~0 for unknown */
	struct node *node;
	struct xattr *xattr;
	struct fid *next;
};

struct channel {
	struct b9p *b;
	struct channel *next, **link;	/* b->lock */
	int rfd, wfd;
	uint32_t nr;
	bool stream, can_grant;
	enum p9_state state;	/* P9_ANY: no version yet */
	uint32_t msize;		/* agreed on; at most msize_max, which in and out hold */
	uint32_t msize_max;
	uint64_t caps;		/* effective now, once confined */

	struct fid **buckets;
	uint32_t nr_buckets;	/* a power of two */
	uint32_t nr_fids;
	uint32_t xattr_bytes;

	uint8_t *in, *out;
	int send_fd;		/* goes with the reply; -1 for none */
	bool send_fd_close;	/* and is ours to close after */
};

/* ---- log.c ---- */
__attribute__((format(printf, 3, 4)))
void log_line(struct b9p *b, enum b9p_log_kind kind, const char *fmt, ...);
/* log_refused() - count a refusal by our own rules, log it with the file's path, return @err. */
int log_refused(struct channel *ch, const struct node *node, const char *name, const char *why,
		int err);

/* ---- priv.c ---- */
/* priv_use() - make @ex's capabilities, and no others, effective in this thread. */
void priv_use(struct channel *ch, const struct export *ex);

/* ---- seccomp.c ---- */
int seccomp_enter(void);	/* the calling thread, for good; needs no_new_privs */

/* ---- node.c ---- */
/* file_take() - room for one more descriptor? 0 or -ENFILE. file_give() returns it. */
int file_take(struct b9p *b);
void file_give(struct b9p *b);
void fd_close(struct b9p *b, int fd);	/* close and file_give() */

/* fs_check() - -EACCES when @fd lies on a file system that is an interface to the kernel. */
int fs_check(int fd);
/* node_new() - takes @fd (counted by file_take()), also on failure, which leaves *out alone. */
int node_new(struct channel *ch, const struct export *ex, int fd, dev_t parent_dev,
	     struct node **out, struct p9_attr *attr);
int node_root(struct channel *ch, const struct export *ex, struct node **out,
	      struct p9_attr *attr);
/* node_lookup() - one name that wire_name_check() passed; @attr may be NULL. */
int node_lookup(struct channel *ch, const struct node *dir, const char *name, struct node **out,
		struct p9_attr *attr);
/* node_lookup_path() - "a/b/c" in one system call, for names that wire_name_check() passed. No symlink is
 * followed on the way. -ENOSYS where the system has no openat2(2): look the names up one by one. */
int node_lookup_path(struct channel *ch, const struct node *dir, const char *path,
		     struct node **out, struct p9_attr *attr);
/* node_parent() - the directory that @node is in now, found again from the export's root, and the
 * name there; -ENOENT when it was moved out of the export or deleted. The root's is the root, with
 * the name "". @name: B9P_NAME_CAP bytes, or NULL. */
int node_parent(struct channel *ch, const struct node *node, struct node **out, char *name);
void node_put(struct channel *ch, struct node *node);
int node_attr(struct b9p *b, const struct node *node, struct p9_attr *attr);
/* attr_at() - attributes of a name, which may be gone: -ENOENT. Does not follow symlinks. */
int attr_at(struct b9p *b, int dirfd, const char *name, int at_flags, struct p9_attr *attr);
/* node_open() - a new description of a regular file or directory; counted. @oflags: Linux'. */
int node_open(struct channel *ch, const struct node *node, int oflags, int *fd);
/* proc_name() - the name of @fd in /proc/self/fd. */
struct proc_name { char s[12]; };
struct proc_name proc_name(int fd);
/* proc_path() - the same from "/", for calls that take no directory. */
struct proc_path { char s[32]; };
struct proc_path proc_path(int fd);
struct p9_qid qid_make(struct b9p *b, dev_t dev, uint64_t ino, uint8_t qid_type, uint32_t version);

/* ---- guard.c ---- */
int guards_init(struct b9p *b);
/* guard_enter() - the export that who walks from @ex to this inode is in. */
const struct export *guard_enter(const struct export *ex, dev_t dev, uint64_t ino);
/* guard_check() - -EBUSY when @name in @dir must not be renamed, removed or replaced. */
int guard_check(struct channel *ch, const struct node *dir, const char *name);

/* ---- fid.c ---- */
/* fid_find() - NULL when unknown. Makes the capabilities of its export effective. */
struct fid *fid_find(struct channel *ch, uint32_t id);
/* fid_new() - takes @node, also on failure: -EBADF (P9_NOFID), -EINVAL (in use), -ENFILE, -ENOMEM. */
int fid_new(struct channel *ch, uint32_t id, struct node *node, struct fid **out);
/* fid_check_new() - would fid_new() refuse this number? Changes nothing. */
int fid_check_new(struct channel *ch, uint32_t id);
void fid_set_node(struct channel *ch, struct fid *fid, struct node *node);	/* takes @node */
/* fid_set_open() - takes @fd; replaces the node's O_PATH descriptor by it where nobody shares it. */
void fid_set_open(struct channel *ch, struct fid *fid, int fd);
void fid_free(struct channel *ch, struct fid *fid);
void fid_free_all(struct channel *ch);
int xattr_alloc(struct channel *ch, uint32_t size, struct xattr **out);

/* ---- channel.c ---- */
/* channel_init() - all but the thread; buffers are allocated. */
int channel_init(struct channel *ch, struct b9p *b, int rfd, int wfd, uint32_t flags);
void channel_exit(struct channel *ch);
void *channel_thread(void *arg);
/* channel_serve() - answer the message in ch->in (@len bytes): the reply's length in ch->out, or 0
 * when the frame is so broken that the channel must end. */
uint32_t channel_serve(struct channel *ch, uint32_t len);

/* ---- server.c ---- */
void b9p_channel_ended(struct channel *ch);	/* unlinks and frees it; the server too, if it is the last */

/* ---- ops_*.c: one function per message, 0 or -errno ---- */
#define B9P_T(name, nr, state, fields) \
	int op_##name(struct channel *ch, const struct p9_t##name *t, struct wire_out *o);
#include "messages.def"

/* Shared between the ops_*.c files. */
/* walk_step() - one step of a walk. ".." of an export's root is the root; "." is for clients that walk to
 * it. */
int walk_step(struct channel *ch, struct node *at, struct p9_str s, struct node **next,
	      struct p9_attr *attr);
bool walk_allowed(const struct fid *fid);
int open_flags(struct channel *ch, const struct node *node, uint32_t p9flags, int *oflags);
int xattr_commit(struct channel *ch, struct fid *fid);	/* at clunk */
int need_writable(struct channel *ch, const struct node *node);

static inline bool node_is_dir(const struct node *n)
{
	return S_ISDIR(n->type);
}

static inline bool node_is_reg(const struct node *n)
{
	return S_ISREG(n->type);
}

#endif
