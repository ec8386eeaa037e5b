/* SPDX-License-Identifier: MIT */
/* Between the files of keep. */
#ifndef LIB_FS_KEEP_INTERNAL_H
#define LIB_FS_KEEP_INTERNAL_H

#include "fs/keep.h"
#include "base/string.h"
#include "fs/overlay_internal.h"

#define KEEP_LAYERS_MAX	8u
/* Paths that are longer could not be read again. */
#define KEEP_PATH_MAX	(PATH_MAX - NAME_MAX - 8)

/* Names in DIR that mean something. Those that begin with WH_META are nobody's files: ours, and other tools'. */
#define WH_PREFIX	".wh."
#define WH_META		".wh..wh."
#define WH_OPAQUE	".wh..wh..opq"
#define WH_TEMPORARY	".wh..wh.new"

struct keep {
	struct inode *dir;		/* NULL: nothing is kept */
	const char *name;
	u32 uid, gid;
	struct { struct super *sb; const char *path; } layers[KEEP_LAYERS_MAX];
	u32 nr_layers;
	u32 lines;
};
extern struct keep keep;

/* keep_failed() - a line about @path below @dir, of which there are not many. Return: @err */
int keep_failed(const char *path, const char *name, const char *what, int err);

/* The names in a directory: a list, since what is done with each may change the directory. */
struct keep_name {
	struct keep_name *next;
	u8 type;			/* DT_* */
	u32 len;
	char s[];
};
/* keep_names() - all but "." and "..". Return: 0 with the list in *@out; -ENOMEM and what reading says */
int keep_names(struct inode *dir, struct keep_name **out);
void keep_names_free(struct keep_name *n);

static inline struct qstr keep_qstr(const char *s, size_t len)
{
	return (struct qstr){ s, (u32)len, qstr_hash(s, (u32)len) };
}
static inline bool keep_is_whiteout(const char *s) { return !strncmp(s, WH_PREFIX, sizeof(WH_PREFIX) - 1); }
static inline bool keep_is_meta(const char *s) { return !strncmp(s, WH_META, sizeof(WH_META) - 1); }

/* Operations on a directory of the host; they take its lock. keep_find(): a reference, NULL: not there, ERR_PTR */
struct inode *keep_find(struct inode *dir, const char *name, size_t len);
struct inode *keep_make(struct inode *dir, const char *name, size_t len, u32 mode, const char *target);
/* keep_remove() - with all that is below it. Return: 0 (also when it is not there) */
int keep_remove(struct inode *dir, const char *name, size_t len);

/* keep_load() - put what DIR has into the tree */
int keep_load(void);

#endif
