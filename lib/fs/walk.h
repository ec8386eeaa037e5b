/* SPDX-License-Identifier: MIT */
/* Walking a path, for the files of fs/ that end the walk in different ways (look up, open, create, remove, rename). */
#ifndef LIB_FS_WALK_H
#define LIB_FS_WALK_H

#include "fs/namei.h"
#include "process/cred.h"

enum walk_last {
	LAST_NORM,
	LAST_DOT,
	LAST_DOTDOT,
	LAST_ROOT,		/* "/", or nothing was left after the last symlink */
};

/*
 * A walk in progress: walk_parent() goes to the directory of the last component and says what that is. Its name points into the
 * path or into the text of a symlink, both of which live until walk_end().
 */
struct walk {
	struct path path;	/* where we are; references */
	struct path root;	/* what "/" means; references */
	struct path start;	/* given by the caller instead of a descriptor; no references */
	const struct cred *cred;
	struct cred real;	/* LOOKUP_REAL_IDS */
	u32 flags, resolve;
	struct qstr last;
	enum walk_last last_type;
	bool slash;		/* the last component was followed by '/': it must be a directory */
	u32 links;		/* symlinks followed so far */
	u32 depth;
	u32 rename_seq;
	const char *rest[SYMLINK_MAX_DEPTH];	/* of the paths that symlinks interrupted */
	char *text[SYMLINK_MAX_DEPTH];		/* of symlinks, freed at the end */
};

/* walk_begin() - Return: 0, or an error after which there is nothing to end */
__must_check int walk_begin(struct walk *w, int dirfd, const char *name, u32 flags);
__must_check int walk_begin_at(struct walk *w, const struct path *dir, const char *name, u32 flags);
void walk_end(struct walk *w);
__must_check int walk_parent(struct walk *w, const char *name);
/*
 * walk_last() - the last component from the cache or the file system; not through mounts; @opening: to be opened for reading next
 * Return: a dentry or ERR_PTR
 */
struct dentry *walk_last(struct walk *w, bool opening);
/*
 * walk_into() - take @d (whose reference is taken over) as the place, stepping into what is mounted there; a symlink to be followed
 * starts another round: *more gets the text to go on with. Return: 0 or -errno
 */
__must_check int walk_into(struct walk *w, struct dentry *d, bool follow, const char **more);
/* walk_dots() - finish a walk that ended in ".", ".." or "/" */
__must_check int walk_dots(struct walk *w);

/* dentry_lookup_locked() - @dir's inode.lock held */
struct dentry *dentry_lookup_locked(struct dentry *dir, const struct qstr *name);

/* Changes whenever a directory moved: a walk that must stay below its start and goes up by ".." cannot trust what it saw before. */
extern u32 vfs_rename_seq;

/* may_create()/may_delete() - rights on the directory; its lock held. Return: 0 or -errno */
int may_create(struct inode *dir);
int may_delete(struct inode *dir, struct dentry *victim, bool isdir);

/* new_inode_prepare() - owner and mode of what is made in @dir: umask, setgid directories */
void new_inode_prepare(struct new_inode *n, struct inode *dir, u32 mode, u64 rdev);

/* walk_all() - to the end, by w->flags; the place is w->path */
__must_check int walk_all(struct walk *w, const char *name);

/* open_inode() - make the file; rights were checked. O_TRUNC is the caller's business */
struct file *open_inode(const struct path *p, u32 flags);
/* do_truncate() - no checks but the file system's; drops set-id bits, sets times */
int do_truncate(struct inode *inode, pos_t size);

#endif
