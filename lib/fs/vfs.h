/* SPDX-License-Identifier: MIT */
/*
 * The virtual file system: inodes, names (dentries), file systems (supers), mounts.
 *
 * A file system provides struct super_ops, struct inode_ops and struct file_ops. The VFS does everything that is the same for
 * all: permissions, the name cache, mounts, symbolic links, sticky directories, limits, notification, locking.
 *
 * References: whoever keeps a pointer to one of these objects has a reference. A dentry holds its parent, its inode (unless it is
 * negative) and its super; an open file holds dentry, mount and inode. A linked inode is kept alive by its file system (memfs: by its directory
 * entries) or only by the cache (9P): an inode whose last reference goes is given to super_ops.evict().
 *
 * Locks, outer to inner:
 *	rename_lock (mutex, one): renames across directories; the shape of the tree does not change while it is held
 *	inode.lock (mutex): of a directory: its entries; of a file: writes, size, attributes. Parent before child; two unrelated
 *		directories only under rename_lock; files after directories, two files by address. May be held over copies to and
 *		from the program (so it is outside of mm.lock).
 *	dcache_lock, a hash bucket's lock, mount_lock, fs_state.lock, super.lock (spinlocks, in this order)
 */
#ifndef LIB_FS_VFS_H
#define LIB_FS_VFS_H

#include "base/atomic.h"
#include "base/errno.h"
#include "base/list.h"
#include "fs/file.h"
#include "fs/stat.h"
#include "sched/lock.h"

struct cred;
struct file_locks;
struct mount;
struct pagecache;
struct super;
struct watch_list;
struct xattrs;

#define PATH_MAX	4096
#define NAME_MAX	255
#define SYMLINK_MAX_DEPTH 40

struct path {
	struct mount *mnt;
	struct dentry *dentry;
};

/* A name within a directory; not always NUL-terminated. Never ".", ".." or empty when a file system sees it. */
struct qstr {
	const char *name;
	u32 len;
	u32 hash;		/* qstr_hash(); file systems need not set or look at it */
};

/* ---- inodes ---- */

struct inode {
	ref_t ref;
	u32 mode;		/* S_IF* and permissions; the type never changes */
	u32 uid, gid;
	u32 nlink;		/* guarded by lock */
	u32 flags;		/* INODE_*, atomic_or() */
	u64 ino;
	u64 rdev;		/* device nodes */
	pos_t size;		/* written under lock, read without */
	u64 blocks;		/* of 512 bytes; unless ops->getattr says better */
	s64 atime, mtime, ctime, btime;	/* ns of real time */
	struct mutex lock;
	const struct inode_ops *ops;
	const struct file_ops *fops;	/* what open() gives when ops->open is NULL */
	struct super *sb;		/* a reference */
	struct pagecache *pagecache;	/* file systems that use one; may be made on first use */
	void *priv;			/* the file system's */
	struct xattrs *xattrs;		/* user.*, guarded by lock; fs/xattr.c */
	struct file_locks *locks;	/* flock, POSIX and OFD locks; fs/locks.c */
	struct watch_list *watches;	/* inotify; fs/inotify.c */
	void *socket;			/* AF_UNIX: the socket bound to this inode; owner: ipc, guarded by its lock */
	s32 writers;			/* > 0: open for writing so often; < 0: being executed so often (ETXTBSY) */
	u32 seals;			/* F_SEAL_*: memfd; guarded by lock */
};

#define INODE_DEAD	BIT(0)		/* a removed directory: nothing can be made in it; set under lock */
#define INODE_ANON	BIT(1)		/* pipes, sockets, …: no path */
#define INODE_SEALABLE	BIT(2)		/* memfd */
#define INODE_NOATIME	BIT(3)
#define INODE_FURNITURE	BIT(5)		/* --keep-changes: there from the start; not kept */
#define INODE_COVERED	BIT(6)		/* … something is mounted on it */
#define INODE_KEPT	BIT(7)		/* … a file as it was read from there, not opened for writing since */
#define INODE_LINKABLE	BIT(4)		/* O_TMPFILE: may get its first name by linkat() */

/* inode_ops.setattr: which of the values are meant */
#define ATTR_MODE	BIT(0)
#define ATTR_UID	BIT(1)
#define ATTR_GID	BIT(2)
#define ATTR_SIZE	BIT(3)
#define ATTR_ATIME	BIT(4)
#define ATTR_MTIME	BIT(5)
#define ATTR_CTIME	BIT(6)
struct iattr {
	u32 valid;
	u32 mode, uid, gid;
	pos_t size;
	s64 atime, mtime, ctime;
};

#define RENAME_NOREPLACE	1u
#define RENAME_EXCHANGE		2u
#define RENAME_WHITEOUT		4u

#define XATTR_CREATE	1
#define XATTR_REPLACE	2
#define XATTR_NAME_MAX	255
#define XATTR_SIZE_MAX	65536
#define XATTR_LIST_MAX	65536

/* What a new file gets: the VFS has applied umask, setgid directories and so on already. */
struct new_inode {
	u32 mode;		/* with type */
	u32 uid, gid;
	u64 rdev;
	const char *target;	/* symlink(2): the text, NUL-terminated */
};

/*
 * Called with the directory's lock held for all that have a @dir (rename: both), and the inode's lock for setattr and xattrs; the
 * victim of unlink, rmdir and rename is locked as well. The VFS has checked permissions, types, emptiness is checked by the file system
 * (ENOTEMPTY). Times and nlink are the file system's business. NULL members: EPERM (changes), EOPNOTSUPP (xattrs), ENOTDIR.
 */
struct inode_ops {
	/* Return: a reference, ERR_PTR(-ENOENT), another error. The answer is cached unless the super has SB_NOCACHE. */
	struct inode *(*lookup)(struct inode *dir, const struct qstr *name);
	/* The same when what is found will be opened for reading next, by this task: a remote file system can do both at once. May be NULL */
	struct inode *(*lookup_open)(struct inode *dir, const struct qstr *name);
	/*
	 * Something found in the name cache: does it still hold? Called without locks, only for supers with SB_REVALIDATE. @inode is
	 * NULL for a negative entry. false: the entry is dropped and looked up again.
	 */
	bool (*revalidate)(struct inode *dir, const struct qstr *name, struct inode *inode);
	/* A regular file, directory, symlink, device, FIFO or socket, by n->mode. Return: a reference or ERR_PTR */
	struct inode *(*create)(struct inode *dir, const struct qstr *name, const struct new_inode *n);
	/* O_TMPFILE: a regular file without a name (nlink 0) */
	struct inode *(*tmpfile)(struct inode *dir, const struct new_inode *n);
	int (*link)(struct inode *dir, const struct qstr *name, struct inode *inode);
	int (*unlink)(struct inode *dir, const struct qstr *name, struct inode *inode);
	int (*rmdir)(struct inode *dir, const struct qstr *name, struct inode *inode);
	/* @target is NULL when nothing is replaced; flags: RENAME_NOREPLACE (target is NULL), RENAME_EXCHANGE (it is not) */
	int (*rename)(struct inode *dir, const struct qstr *name, struct inode *inode,
		      struct inode *to_dir, const struct qstr *to_name, struct inode *target, u32 flags);
	/* The text of a symlink without NUL, cut at @size. Return: length or -errno */
	ssize_t (*readlink)(struct inode *inode, char *buf, size_t size);
	/* Magic links (/proc/self/fd/1): where to go on, instead of by text. Return: 0 with references in @out */
	int (*follow)(struct inode *inode, struct path *out);
	/* Bring the inode's fields up to date (NULL: they are), e.g. before stat or after somebody else may have changed them */
	int (*refresh)(struct inode *inode);
	/* Fine-tune what inode_stat() filled in */
	void (*getattr)(struct inode *inode, struct kstat *st);
	/* Apply; NULL: a read-only object (EPERM). setattr_copy() does all but the size */
	int (*setattr)(struct inode *inode, const struct iattr *attr);
	/* More than the mode bits to check; NULL: generic */
	int (*permission)(struct inode *inode, u32 mask, const struct cred *cred);
	/* Make @f ready: may set f->ops, f->priv, f->mode. Called unlocked and may sleep. FIFOs and devices never come here. */
	int (*open)(struct inode *inode, struct file *f);
	/* Extended attributes. get and list: @size 0 asks for the length; ERANGE. NULL: the VFS keeps user.* in memory for SB_XATTR */
	ssize_t (*getxattr)(struct inode *inode, const char *name, void *buf, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size, int flags);
	ssize_t (*listxattr)(struct inode *inode, char *buf, size_t size);
	int (*removexattr)(struct inode *inode, const char *name);
};

/*
 * inode_alloc() - an inode with one reference, nlink 1, times now, a fresh number (super_next_ino()) when @ino is 0
 * NULL: no memory
 */
__must_check struct inode *inode_alloc(struct super *sb, u32 mode, u64 ino);
static inline void inode_get(struct inode *inode) { ref_get(&inode->ref); }
void inode_put(struct inode *inode);
/* inode_anon() - for pipes, sockets and the like: on a super of its own, owner is the caller. NULL: no memory */
__must_check struct inode *inode_anon(u32 mode);

void inode_stat(struct inode *inode, struct kstat *st);	/* from the fields; without refresh */
int inode_refresh(struct inode *inode);
int inode_statfs(struct inode *inode, struct kstatfs *st);
/* setattr_copy() - all of @attr but the size, with ctime. Lock held. */
void setattr_copy(struct inode *inode, const struct iattr *attr);
s64 time_now(void);				/* real time, for inode times */
void inode_touch(struct inode *inode);		/* mtime and ctime are now */
void inode_touch_ctime(struct inode *inode);
void inode_accessed(struct inode *inode, struct mount *mnt, u32 file_flags);	/* atime by relatime's rule */

/* ---- permission ---- */

#define MAY_EXEC	1u
#define MAY_WRITE	2u
#define MAY_READ	4u
#define MAY_APPEND	8u

/* inode_permission() - may the current task's fsuid do @mask? Return: 0, -EACCES, -EROFS (super), -EPERM */
int inode_permission(struct inode *inode, u32 mask);
int inode_permission_cred(struct inode *inode, u32 mask, const struct cred *cred);
/* by mode bits, groups and capabilities: what ops->permission may fall back to */
int generic_permission(struct inode *inode, u32 mask, const struct cred *cred);
/* inode_owner_or_capable() - fsuid owns it, or CAP_FOWNER */
bool inode_owner_or_capable(struct inode *inode);

/* inode_get_write() - before writing (open, truncate): -ETXTBSY while it is executed. inode_deny_write(): the reverse, for exec */
int inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);
int inode_deny_write(struct inode *inode);
void inode_allow_write(struct inode *inode);

/* ---- file systems ---- */

struct super_ops {
	int (*statfs)(struct super *sb, struct kstatfs *st);	/* NULL: type and zeros */
	int (*sync)(struct super *sb);
	/* The last reference of an inode went: free what priv stands for. May sleep, any task. */
	void (*evict)(struct inode *inode);
	/* The last mount went: drop what keeps inodes alive from within. NULL: nothing does */
	void (*unmounted)(struct super *sb);
	/* The super's last reference went */
	void (*put)(struct super *sb);
	/* Options for /proc/mounts, each beginning with a comma */
	void (*show_options)(struct super *sb, struct seq_buf *out);
};

struct super {
	ref_t ref;
	const struct super_ops *ops;
	const char *type;	/* "tmpfs", "proc", "overlay"; static */
	u32 flags;		/* SB_* */
	u64 dev;		/* st_dev */
	u64 magic;		/* statfs f_type */
	u32 blksize;
	struct inode *root;	/* set by the file system: a reference, which goes with the last mount (or super_kill()) */
	struct dentry *root_dentry;	/* the VFS's, made with the first mount */
	u32 nr_mounts;		/* guarded by mount_lock */
	void *priv;
	u64 next_ino;		/* atomic */
	u32 nr_inodes;		/* atomic */
};

#define SB_RDONLY	BIT(0)
#define SB_NODEV	BIT(1)		/* device nodes do not open */
#define SB_NOEXEC	BIT(2)
#define SB_NOCACHE	BIT(3)		/* names are not cached (/proc/<pid>) */
#define SB_REVALIDATE	BIT(4)		/* inode_ops.revalidate is asked */
#define SB_XATTR	BIT(5)		/* the VFS keeps user.* attributes in inode.xattrs */
#define SB_NONEGATIVE	BIT(6)		/* absent names are not cached */
#define SB_NOATIME	BIT(7)
#define SB_ANON		BIT(8)		/* inode_anon()'s */
#define SB_NOCREATE	BIT(9)		/* proc: an absent name is ENOENT to those who would make it, too */

/* super_alloc() - one reference, a device number of its own. NULL: no memory */
__must_check struct super *super_alloc(const char *type, const struct super_ops *ops, u32 flags, u64 magic);
static inline void super_get(struct super *sb) { ref_get(&sb->ref); }
void super_put(struct super *sb);
/* super_kill() - a super that is in no mount (any more): let its root go. Keeps the caller's reference */
void super_kill(struct super *sb);
u64 super_next_ino(struct super *sb);

/* ---- names ---- */

#define DNAME_INLINE	48
#define DENTRY_UNHASHED	0x80000000u	/* in count: not in the cache; the last put frees */

struct dentry {
	u32 count;			/* references, and DENTRY_UNHASHED */
	u32 hash;
	struct dentry *hash_next, **hash_prev;	/* guarded by the bucket's lock */
	struct dentry *parent;		/* a reference; itself for a root. Changes under dcache_lock and rename_lock */
	struct inode *inode;		/* a reference; NULL: known not to exist. Set once, under the parent's inode.lock */
	struct super *sb;		/* kept by the inode, or the parent's */
	const char *name;		/* NUL-terminated; changes with parent */
	u32 len;
	u8 flags;			/* DENTRY_*; guarded by dcache_lock for writers */
	u8 used;			/* second chance for the clock */
	struct list clock;		/* all cached dentries, oldest first; guarded by dcache_lock */
	char inline_name[DNAME_INLINE];
};
#define DENTRY_MOUNTED	1		/* something may be mounted here: ask mount_lookup() */
#define DENTRY_DELETED	2		/* unlinked */
#define DENTRY_ANON	4		/* a file without a path: name is the whole text */

void dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);	/* NULL is fine */
static inline bool dentry_negative(const struct dentry *d) { return !load_acquire(&d->inode); }
/* dentry_anon() - a dentry for a file that has no path (takes its own reference of @inode). NULL: no memory */
__must_check struct dentry *dentry_anon(struct inode *inode, const char *name);
/* dcache_prune() - throw out up to @nr unused names; Return: how many. Memory is short, or a test. dcache_prune_super(): all of one. */
u32 dcache_prune(u32 nr);
void dcache_prune_super(struct super *sb);
/* dentry_drop() - forget a cached name: its file system knows it changed behind our back */
void dentry_drop(struct dentry *d);
/* Hash of a name; with the parent it picks a bucket. */
void dcache_init(void);		/* at boot, before the first name */
u32 qstr_hash(const char *name, u32 len);
/* dcache_find() - look in the cache only: a reference or NULL */
struct dentry *dcache_find(struct dentry *parent, const struct qstr *name);
/* dentry_alloc() - not yet in the cache; dentry_add() puts it there (parent's inode.lock held). @inode: its reference is taken over */
__must_check struct dentry *dentry_alloc(struct dentry *parent, const struct qstr *name);
void dentry_add(struct dentry *d, struct inode *inode);
/* dentry_instantiate() - a negative one becomes @inode, whose reference is taken over */
void dentry_instantiate(struct dentry *d, struct inode *inode);
__must_check struct dentry *dentry_root(struct inode *inode);
/* dentry_deleted() - the name was removed: out of the cache; who has it open still sees it as "(deleted)" */
void dentry_deleted(struct dentry *d);
/*
 * dentry_move() - @d takes the place of @to, which leaves the cache (or, @exchange, takes the place of @d).
 * Prepared by dentry_move_prepare(), which may fail. Under rename_lock or the one parent's inode.lock.
 */
struct dentry_move { char *name, *to_name; };
__must_check int dentry_move_prepare(struct dentry_move *m, struct dentry *d, struct dentry *to, bool exchange);
void dentry_move(struct dentry_move *m, struct dentry *d, struct dentry *to, bool exchange);
void dentry_move_abort(struct dentry_move *m);
bool dentry_is_ancestor(struct dentry *anc, struct dentry *d);	/* or the same; under rename_lock */
extern struct spinlock dcache_lock;

/* dentry_parent() - with a reference */
struct dentry *dentry_parent(struct dentry *d);
/* dcache_stats() - for /proc/sys/fs/dentry-state and tests */
void dcache_stats(u32 *nr, u32 *nr_unused);

/* ---- mounts ---- */

#define MNT_RDONLY	BIT(0)
#define MNT_NOSUID	BIT(1)
#define MNT_NODEV	BIT(2)
#define MNT_NOEXEC	BIT(3)
#define MNT_NOATIME	BIT(4)
#define MNT_NODIRATIME	BIT(5)
#define MNT_STRICTATIME	BIT(6)
#define MNT_NOSYMFOLLOW	BIT(7)

struct mount {
	ref_t ref;
	struct super *sb;	/* a reference */
	struct dentry *root;	/* a reference; a bind mount's need not be the super's root */
	struct mount *parent;	/* a reference; NULL: the root of the tree, or detached. Guarded by mount_lock, as all below */
	struct dentry *mountpoint;	/* a reference, in parent */
	u32 flags;		/* MNT_* */
	u32 id;			/* of /proc/self/mountinfo */
	const char *source;	/* kmalloc()ed: first column of /proc/mounts */
	struct list node;	/* in the list of all, in the order of mounting; empty: detached */
};

static inline void mount_get(struct mount *m) { ref_get(&m->ref); }
void mount_put(struct mount *m);
static inline void path_get(const struct path *p)
{
	mount_get(p->mnt);
	dentry_get(p->dentry);
}
void path_put(struct path *p);		/* empty ones are fine; is empty afterwards */

/* File systems by name, for mount(2), /proc/filesystems and the boot table. @mount makes a super; @nodev: needs no block device */
struct fs_type {
	const char *name;
	struct super *(*mount)(const char *source, const char *data);
	struct fs_type *next;
	bool internal;		/* not for mount(2) */
};
void fs_register(struct fs_type *t);
struct fs_type *fs_type_find(const char *name);
struct fs_type *fs_type_first(void);

/**
 * vfs_mount() - put a super on a directory (or a file on a file)
 * @at: where; "/" covers the root: tasks that start afterwards (fs_state_create()) see the new one
 * @flags: MNT_*
 * @source: first column of /proc/mounts
 * @out: NULL, or gets a reference to the mount
 *
 * The caller keeps its reference of @sb. Return: 0, -ENOTDIR, -ENOMEM, -ENOENT (removed meanwhile), -EBUSY (more than MOUNTS_MAX).
 */
int vfs_mount(struct super *sb, const struct path *at, u32 flags, const char *source, struct mount **out);
/* vfs_mount_at() - the same by a path from the root of the tree; @mkdir: make the directory (or file) first when it is not there */
int vfs_mount_at(struct super *sb, const char *at, u32 flags, const char *source, bool mkdir);
/* mount_detached() - a mount in no tree, for objects that have no path; @root's reference is shared, not taken. One reference in *out */
int mount_detached(struct inode *root, struct mount **out);
/* vfs_bind() - show the tree @from (without what is mounted in it) at @at too */
int vfs_bind(const struct path *from, const struct path *at, u32 flags);
/* vfs_umount() - -EINVAL: not a mount's root; -EBUSY: used (unless @detach) or things are mounted in it */
int vfs_umount(const struct path *p, bool detach);
/* mount_remount() - other MNT_* flags */
void mount_remount(struct mount *m, u32 flags);
/* mount_writable() - may what is seen through @m be changed? Return: 0 or -EROFS */
int mount_writable(const struct mount *m);
/* mount_lookup() - what is mounted at @p, with a reference, or NULL */
struct mount *mount_lookup(const struct path *p);
/* path_to_top() - step into whatever is mounted on @p, as often as needed */
void path_to_top(struct path *p);
/* path_up() - one mount's root: to the mountpoint below. false: it is the root of the tree */
bool path_up(struct path *p);
/* The root of the tree (with what covers it), with references */
void root_path(struct path *out);
/* mount_next() - walk all mounts: the one after @m (NULL: the first) with a reference; puts @m */
struct mount *mount_next(struct mount *m);
#define MOUNTS_MAX	1024
bool root_is_mounted(void);

/* ---- paths as text ---- */

/**
 * path_text() - the name of @p as seen from @root
 * @root: NULL: the current task's root
 * Appends " (deleted)" for what was unlinked. Return: a pointer into @buf (the text stands at its end, with NUL), or ERR_PTR(-ENAMETOOLONG).
 */
char *path_text(const struct path *p, const struct path *root, char *buf, size_t size);
/* path_text_reach() - tells as well whether @p lies below @root; @root NULL: the root of the tree */
char *path_text_reach(const struct path *p, const struct path *root, char *buf, size_t size, bool *reachable);
/* file_text() - what readlink of /proc/self/fd/N shows: a path, "pipe:[17]", "anon_inode:[eventfd]" */
char *file_text(struct file *f, char *buf, size_t size);
/* file_path() - where /proc/self/fd/N leads: the file's path, or one made up for anonymous files. Return: 0, -ENOMEM */
int file_path(struct file *f, struct path *out);

/* vfs_skeleton() - the directories every system has, /dev and /dev/shm, in what is mounted at / now (where they are missing) */
int vfs_skeleton(void);
/* vfs_init() - memfs at /, the skeleton of directories, /dev, /dev/shm, /tmp. Called once at boot, needs memory and clocks only */
int vfs_init(void);

#endif
