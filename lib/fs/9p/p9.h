/* SPDX-License-Identifier: MIT */
/* Between the files of lib/fs/9p; see README.md there. */
#ifndef LIB_FS_9P_P9_H
#define LIB_FS_9P_P9_H

#include "fs/9p/wire.h"
#include "fs/vfs.h"
#include "south/south.h"

#define P9_MSIZE	(65536u + 24)

/* Fids: each channel has the trees' roots attached as fid 0, 1, …; one more is used while a request needs it. */
#define P9_FID_WORK	1000u
#define P9_FID_WORK2	1001u
#define P9_FID_DEEP	1002u		/* and the next: a directory that one request does not reach is walked to with these in turn */
#define P9_MAX_EXPORTS	256u
#define P9_OWED_MAX	4u		/* of unread answers: they stay far below what a socket holds */
#define P9_LISTINGS	8u		/* kept for each tree */

/* A connection to the server: one request at a time. */
struct p9_channel {
	u32 handle;
	bool ready;			/* the version is agreed on */
	bool broken;
	u32 deep;			/* which of P9_FID_DEEP and the next is in use; 0: none */
	bool attached[P9_MAX_EXPORTS];
	u32 msize;			/* the server's */
	/* Requests whose answers were not waited for, and come before any other: */
	struct {
		u8 type;
		u32 export;		/* of a Tattach */
	} owed[P9_OWED_MAX];
	u32 nr_owed;
	u8 *buf;			/* P9_MSIZE bytes: the request, then its answer */
	struct p9_out out;
	struct list node;		/* in the list of free ones */
};

/* A tree that the server exports, as a file system. */
struct p9_super {
	u32 export;			/* its root is this fid in each channel; the aname is the number as text */
	bool writable;
	char aname[12];
	struct mutex lock;		/* guards the table, and the place of each inode in its tree */
	struct p9_inode **table;	/* by (dev, ino) */
	s64 changed;			/* monotonic: when something was last changed through it */
	struct {
		struct inode *dir;	/* not counted: p9_evict() takes it out */
		struct p9_listing *l;
	} listings[P9_LISTINGS];
	u32 table_mask;
	struct p9_inode *free;		/* see put_parents() */
	bool freeing;
};

/* A directory may lie so deep below an export's root; below it, names are ENAMETOOLONG. */
#define P9_DEPTH_MAX	2048u

/*
 * What the file system keeps of a file: where it was found. There are no fids to it: each request walks from the root, and the
 * answer says whether what it found is still the same file. Guarded by p9_super.lock, but for what is said otherwise.
 */
struct p9_inode {
	struct inode *inode;		/* not counted: this is its priv */
	struct inode *parent;		/* counted; NULL: the root */
	char *name;
	u32 name_len;
	u64 dev, ino;
	struct p9_inode *hash_next, *next_free;
	s64 checked;			/* monotonic: attributes are as the server had them then, or later */
	s64 changed;			/* monotonic: when we last changed something of it */
	struct p9_handle *handle;	/* granted for reading; a reference */
	struct p9_handle *rw_handle;	/* granted for reading and writing */
	u8 *data;			/* a small file's whole content, or what a symlink says; NULL: not known */
	u32 data_len;
	struct task *opened_by;		/* not a reference: who looked it up to open it, and got @data; it asks no second time */
	s64 opened_at;
	s64 data_mtime, data_ctime;
	struct list specials;		/* a directory's FIFOs and sockets, which are in the sandbox only: struct p9_special */
	bool special;			/* is one; not known to the server */
};

/*
 * A FIFO or socket that was made in a directory of the host. The broker makes none (it would open a way out), so the node lives
 * in the sandbox's memory beside the names that the server has; the host does not see it.
 */
struct p9_special {
	struct list node;
	struct inode *inode;		/* a reference */
	u64 pos;
	u32 len;
	char name[];
};

/* A granted handle: shared by open files and mappings; given back with the last. */
struct p9_handle {
	ref_t ref;
	u32 handle;
};

/* How long attributes and names hold without asking again. */
#define P9_VALID_NS	(1 * NSEC_PER_SEC)

/* client.c: p9_channel_get() - a free channel; sleeps. p9_channel_put() */
struct p9_channel *p9_channel_get(void);
void p9_channel_put(struct p9_channel *c);
void p9_request(struct p9_channel *c, u8 type);
/* p9_transact() - send c->out, wait for the answer. @granted may be NULL. Return: 0 with @in behind the header, -errno */
int p9_transact(struct p9_channel *c, struct p9_in *in, u32 *granted);
/* p9_put_path() - fid[4] is written by the caller before; names[] of @inode and, unless NULL, @name below it */
int p9_attach(struct p9_channel *c, struct p9_super *sb);
void p9_clunk(struct p9_channel *c, u32 fid);

/* inode.c */
static inline struct p9_inode *p9_of(struct inode *inode) { return inode->priv; }
static inline struct p9_super *p9_super_of(struct inode *inode) { return inode->sb->priv; }
/*
 * p9_walk() - a request that begins fid[4] newfid[4] @words[..] names: walks to @inode, or to @name in it
 * With @newfid the channel holds that fid afterwards. Return: 0 with @in behind status, flags and attributes; @attr: the last one
 */
struct p9_walk {
	struct p9_attr attr;
	u32 flags;
	bool arrived;			/* @attr is of the last name, also when it could not be opened */
	const char *target;		/* of a symlink; in the channel's buffer */
	u32 target_len;
	struct p9_in in;
	u32 granted;
};
int p9_walk(struct p9_channel *c, struct inode *inode, const struct qstr *name, u8 type, u32 newfid, u32 flags,
	    u32 open_flags, struct p9_walk *w);
/* p9_inode_get() - @when: monotonic, the server said so then or later */
struct inode *p9_inode_get(struct super *sb, const struct p9_attr *a, s64 when, struct inode *parent, const char *name, u32 len);
void p9_inode_update(struct inode *inode, const struct p9_attr *a, s64 when);
/* p9_inode_changed() - by us: what the server said of it, and of anything that was listed, is old */
void p9_inode_changed(struct inode *inode);
int p9_refresh(struct inode *inode);

/* file.c */
int p9_open(struct inode *inode, struct file *f);
void p9_handle_put(struct p9_handle *h);
int p9_created(struct p9_channel *c, struct p9_handle **out);
void p9_adopt(struct inode *inode, struct p9_handle *h);	/* takes the reference */
/* p9_opened() - what came with an open for reading of @inode, asked for at @when, which p9_open() will take */
void p9_opened(struct inode *inode, struct p9_walk *w, s64 when);
extern const struct file_ops p9_file_ops, p9_dir_ops;
/* special.c: the directory's lock is held for all but find and emit, which take the super's */
struct inode *p9_special_find(struct inode *dir, const struct qstr *name);
struct inode *p9_special_create(struct inode *dir, const struct qstr *name, const struct new_inode *n);
bool p9_special_remove(struct inode *dir, const struct qstr *name);
/* p9_special_forget() - all of a file system that is in no mount any more; no lock held */
void p9_special_forget(struct super *sb);
/* p9_special_emit() - those at or after @ctx->pos, which begins at @base. Return: false: the buffer is full */
bool p9_special_emit(struct inode *dir, struct dir_context *ctx, pos_t base);

/*
 * listing.c: p9_listing_add() - Return: false: there are too many, or no memory, and @l is of no use; what need not be kept is left out
 * p9_listing_keep() takes @l over. p9_listing_find(): what @dir's last listing said of @name, and when
 */
struct p9_listing *p9_listing_new(void);
bool p9_listing_add(struct p9_listing *l, const struct inode *dir, const struct p9_attr *a, const char *name, u32 len);
void p9_listing_keep(struct inode *dir, struct p9_listing *l);
void p9_listing_free(struct p9_listing *l);
void p9_listing_forget(struct inode *dir);
bool p9_listing_find(struct inode *dir, const struct qstr *name, struct p9_attr *a, s64 *when);

/* dir.c */
int p9_dir_open(struct inode *inode, struct file *f);
/* change.c */
extern const struct inode_ops p9_inode_ops;

#endif
