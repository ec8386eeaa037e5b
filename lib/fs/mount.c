// SPDX-License-Identifier: MIT
/*
 * The tree of mounts. There is one namespace; its mounts stand in one list, under one lock that is taken only where a dentry says
 * that something is mounted on it.
 */
#include "fs/vfs.h"

#include "base/string.h"
#include "fs/fs_state.h"
#include "mm/kmalloc.h"
#include "process/task.h"

static struct spinlock mount_lock = SPINLOCK_INIT;
static LIST_HEAD(mounts);	/* in the order of mounting; guarded by mount_lock */
static u32 nr_mounts;
static u32 next_id = 20;
static struct mount *root_mount;	/* what lies at the bottom */

void path_put(struct path *p)
{
	struct path old = *p;

	*p = (struct path){ NULL, NULL };
	dentry_put(old.dentry);
	if (old.mnt)
		mount_put(old.mnt);
}

void super_kill(struct super *sb)
{
	struct dentry *root = sb->root_dentry;
	struct inode *inode = sb->root;

	dcache_prune_super(sb);
	if (sb->ops->unmounted)
		sb->ops->unmounted(sb);
	sb->root_dentry = NULL;
	sb->root = NULL;
	dentry_put(root);
	inode_put(inode);
}

void mount_put(struct mount *m)
{
	struct super *sb = m->sb;
	bool last;

	if (!ref_put(&m->ref))
		return;
	dentry_put(m->root);
	kfree(m->source);
	kfree(m);
	spin_lock(&mount_lock);
	last = --sb->nr_mounts == 0;
	spin_unlock(&mount_lock);
	if (last)
		super_kill(sb);
	super_put(sb);
}

/* A mount of @root, in no tree yet. */
static struct mount *mount_alloc(struct super *sb, struct dentry *root, u32 flags, const char *source)
{
	struct mount *m = kzalloc(sizeof(*m));

	if (!m)
		return NULL;
	m->source = kstrdup(source ? source : "none");
	if (!m->source) {
		kfree(m);
		return NULL;
	}
	ref_init(&m->ref);
	super_get(sb);
	m->sb = sb;
	dentry_get(root);
	m->root = root;
	m->flags = flags;
	list_init(&m->node);
	spin_lock(&mount_lock);
	m->id = next_id++;
	sb->nr_mounts++;
	spin_unlock(&mount_lock);
	return m;
}

static int super_make_root(struct super *sb)
{
	struct dentry *d;

	if (load_acquire(&sb->root_dentry))
		return 0;
	if (!sb->root)
		return -EINVAL;
	d = dentry_root(sb->root);
	if (!d)
		return -ENOMEM;
	if (!atomic_cmpxchg(&sb->root_dentry, NULL, d))
		dentry_put(d);
	return 0;
}

/* Puts @m at @at (NULL: as the bottom of the tree). The list takes a reference. */
static int mount_attach(struct mount *m, const struct path *at)
{
	int ret = 0;

	if (at)
		mutex_lock(&at->dentry->inode->lock);
	spin_lock(&dcache_lock);
	spin_lock(&mount_lock);
	if (nr_mounts >= MOUNTS_MAX) {
		ret = -ENOSPC;
	} else if (at && ((at->dentry->flags & DENTRY_DELETED) || (at->dentry->inode->flags & INODE_DEAD))) {
		ret = -ENOENT;
	} else {
		if (at) {
			m->parent = at->mnt;
			m->mountpoint = at->dentry;
			path_get(at);
			at->dentry->flags |= DENTRY_MOUNTED;
		} else {
			root_mount = m;
		}
		mount_get(m);
		list_add_tail(&m->node, &mounts);
		nr_mounts++;
	}
	spin_unlock(&mount_lock);
	spin_unlock(&dcache_lock);
	if (at)
		mutex_unlock(&at->dentry->inode->lock);
	return ret;
}

static int mount_new(struct super *sb, struct dentry *root, const struct path *at, u32 flags, const char *source,
		     struct mount **out)
{
	struct path top = { NULL, NULL };
	struct mount *m;
	int ret;

	if (at) {
		if (S_ISDIR(at->dentry->inode->mode) != S_ISDIR(root->inode->mode))
			return -ENOTDIR;
		top = *at;
		path_get(&top);
		path_to_top(&top);
	}
	m = mount_alloc(sb, root, flags, source);
	if (!m) {
		path_put(&top);
		return -ENOMEM;
	}
	ret = mount_attach(m, at ? &top : NULL);
	if (!ret && out) {
		mount_get(m);
		*out = m;
	}
	mount_put(m);
	path_put(&top);
	return ret;
}

int vfs_mount(struct super *sb, const struct path *at, u32 flags, const char *source, struct mount **out)
{
	int ret = super_make_root(sb);

	return ret ? ret : mount_new(sb, sb->root_dentry, root_mount ? at : NULL, flags, source, out);
}

int mount_detached(struct inode *root, struct mount **out)
{
	struct dentry *d = dentry_root(root);

	*out = d ? mount_alloc(root->sb, d, 0, "none") : NULL;
	dentry_put(d);
	return *out ? 0 : -ENOMEM;
}

int vfs_bind(const struct path *from, const struct path *at, u32 flags)
{
	return mount_new(from->mnt->sb, from->dentry, at, flags, from->mnt->source, NULL);
}

struct mount *mount_lookup(const struct path *p)
{
	struct mount *m, *found = NULL;

	if (!(READ_ONCE(p->dentry->flags) & DENTRY_MOUNTED))
		return NULL;
	spin_lock(&mount_lock);
	list_for_each(m, &mounts, node) {
		if (m->parent == p->mnt && m->mountpoint == p->dentry) {
			found = m;
			mount_get(m);
			break;
		}
	}
	spin_unlock(&mount_lock);
	return found;
}

void path_to_top(struct path *p)
{
	struct mount *m;

	while ((m = mount_lookup(p))) {
		struct path top = { m, m->root };

		dentry_get(top.dentry);
		path_put(p);
		*p = top;
	}
}

bool path_up(struct path *p)
{
	struct path up = { NULL, NULL };

	spin_lock(&mount_lock);
	if (p->mnt->parent) {
		up = (struct path){ p->mnt->parent, p->mnt->mountpoint };
		path_get(&up);
	}
	spin_unlock(&mount_lock);
	if (!up.mnt)
		return false;
	path_put(p);
	*p = up;
	return true;
}

bool root_is_mounted(void)
{
	return root_mount != NULL;
}

void root_path(struct path *out)
{
	*out = (struct path){ root_mount, root_mount->root };
	path_get(out);
	path_to_top(out);
}

/* mount_lock held: something is mounted in @m */
static bool has_children(const struct mount *m)
{
	const struct mount *c;

	list_for_each(c, &mounts, node)
		if (c->parent == m)
			return true;
	return false;
}

/* mount_lock held: out of the tree; the list's reference and those of its place go to the caller. */
static void detach_one(struct mount *m, struct path *was)
{
	*was = (struct path){ m->parent, m->mountpoint };
	m->parent = NULL;
	m->mountpoint = NULL;
	list_del(&m->node);
	nr_mounts--;
}

/* The flag on the mountpoint stays while anything else is mounted there. */
static void unmark_mountpoint(struct dentry *d)
{
	struct mount *m;
	bool used = false;

	spin_lock(&dcache_lock);
	spin_lock(&mount_lock);
	list_for_each(m, &mounts, node)
		used |= m->mountpoint == d;
	if (!used)
		d->flags &= ~DENTRY_MOUNTED;
	spin_unlock(&mount_lock);
	spin_unlock(&dcache_lock);
}

static void finish_detach(struct mount *m, struct path *was)
{
	unmark_mountpoint(was->dentry);
	path_put(was);
	mount_put(m);
}

int vfs_umount(const struct path *p, bool detach)
{
	struct mount *m = p->mnt, *c;
	struct path was = { NULL, NULL };

	if (p->dentry != m->root)
		return -EINVAL;
	for (;;) {
		struct mount *victim = NULL;

		spin_lock(&mount_lock);
		if (!m->parent || list_empty(&m->node)) {
			spin_unlock(&mount_lock);
			return -EINVAL;
		}
		if (detach) {
			/* Leaves first, as many turns as there are mounts below. */
			struct mount *at = m;

			for (bool deeper = true; deeper;) {
				deeper = false;
				list_for_each(c, &mounts, node) {
					if (c->parent == at) {
						at = c;
						deeper = true;
						break;
					}
				}
			}
			victim = at;
		} else if (has_children(m) || ref_read(&m->ref) > 2) {
			/* The list's and the caller's references are all that an idle mount has. */
			spin_unlock(&mount_lock);
			return -EBUSY;
		} else {
			victim = m;
		}
		detach_one(victim, &was);
		spin_unlock(&mount_lock);
		finish_detach(victim, &was);
		if (victim == m)
			return 0;
	}
}

void mount_remount(struct mount *m, u32 flags)
{
	WRITE_ONCE(m->flags, flags);
}

int mount_writable(const struct mount *m)
{
	return (READ_ONCE(m->flags) & MNT_RDONLY) || (m->sb->flags & SB_RDONLY) ? -EROFS : 0;
}

struct mount *mount_next(struct mount *m)
{
	struct mount *next = NULL;
	struct list *pos;

	spin_lock(&mount_lock);
	pos = m ? (list_empty(&m->node) ? &mounts : m->node.next) : mounts.next;
	if (pos != &mounts) {
		next = list_entry(pos, struct mount, node);
		mount_get(next);
	}
	spin_unlock(&mount_lock);
	if (m)
		mount_put(m);
	return next;
}

/* ---- paths as text ---- */

struct text {
	char *buf, *at;
	bool full;
};

static void text_prepend(struct text *t, const char *s, size_t len)
{
	if ((size_t)(t->at - t->buf) < len) {
		t->full = true;
		return;
	}
	t->at -= len;
	memcpy(t->at, s, len);
}

char *path_text_reach(const struct path *p, const struct path *root, char *buf, size_t size, bool *reachable)
{
	struct text t = { buf, buf + size, false };
	struct dentry *d = p->dentry;
	struct mount *m = p->mnt;
	bool any = false, reached = false;

	text_prepend(&t, "", 1);
	spin_lock(&dcache_lock);
	spin_lock(&mount_lock);
	if (d->flags & DENTRY_DELETED)
		text_prepend(&t, " (deleted)", 10);
	if (d->flags & DENTRY_ANON) {
		text_prepend(&t, d->name, d->len);
		any = reached = true;
	}
	while (!reached && !t.full) {
		if (root && d == root->dentry && m == root->mnt) {
			reached = true;
		} else if (d == m->root) {
			if (!m->parent) {
				/* The bottom: what covers it may be the root that was meant. */
				reached = !root && m == root_mount;
				break;
			}
			d = m->mountpoint;
			m = m->parent;
		} else if (d->parent == d) {
			break;
		} else {
			text_prepend(&t, d->name, d->len);
			text_prepend(&t, "/", 1);
			any = true;
			d = d->parent;
		}
	}
	spin_unlock(&mount_lock);
	spin_unlock(&dcache_lock);
	if (!any)
		text_prepend(&t, "/", 1);
	*reachable = reached;
	return t.full ? ERR_PTR(-ENAMETOOLONG) : t.at;
}

char *path_text(const struct path *p, const struct path *root, char *buf, size_t size)
{
	struct path own = { NULL, NULL };
	bool reachable;
	char *text;

	if (!root && current && current->fs) {
		fs_state_root(current->fs, &own);
		root = &own;
	}
	text = path_text_reach(p, root, buf, size, &reachable);
	path_put(&own);
	return text;
}
