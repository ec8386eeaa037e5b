// SPDX-License-Identifier: MIT
/*
 * inotify(7).
 *
 * A watch holds a reference of its inode, so that what only the cache knows stays there; it gives it back when the last name goes
 * (notify of the unlink), after which the inode's end is the IN_DELETE_SELF. A queue holds at most QUEUE_MAX events and then one
 * that says that some were lost.
 *
 * Lock: inotify_lock (mutex, one) guards all watches and queues. It nests inside inode.lock; references are dropped after it.
 */
#include "fs/inotify.h"

#include "base/string.h"
#include "mm/kmalloc.h"
#include "process/task.h"

#define WATCHES_MAX	65536u		/* /proc/sys/fs/inotify/max_user_watches */
#define INSTANCES_MAX	128u		/* max_user_instances */
#define QUEUE_MAX	16384u		/* max_queued_events */

struct watch_list {
	struct list all;		/* of struct watch, by inode_node */
};

struct watch {
	struct list inode_node, group_node;
	struct inotify *group;
	struct inode *inode;
	bool holds;			/* a reference of inode */
	s32 wd;
	u32 mask;
};

struct event {
	struct list node;
	s32 wd;
	u32 mask, cookie;
	u32 len;			/* of the name */
	char name[];
};

struct inotify {
	struct list watches, events;
	u32 nr_events;
	s32 next_wd;
	struct wait_queue readers;
};

/* What read(2) gives; the name follows, filled up with zeros to a multiple of this. */
struct event_abi {
	s32 wd;
	u32 mask, cookie, len;
};

u32 inotify_watches;
static u32 nr_instances, last_cookie;	/* atomic */
static struct mutex inotify_lock = MUTEX_INIT;

u32 notify_cookie(void)
{
	return atomic_add(&last_cookie, 1u);
}

/* ---- queues; inotify_lock held ---- */

static void queue_event(struct inotify *g, s32 wd, u32 mask, u32 cookie, const char *name, u32 len)
{
	struct event *last = list_empty(&g->events) ? NULL : list_last(&g->events, struct event, node);
	struct event *e;

	/* What says the same as the newest one is dropped. */
	if (last && last->wd == wd && last->mask == mask && last->cookie == cookie && last->len == len &&
	    !memcmp(last->name, name, len))
		return;
	if (g->nr_events >= QUEUE_MAX) {
		if (last->mask == IN_Q_OVERFLOW)
			return;
		wd = -1;
		mask = IN_Q_OVERFLOW;
		cookie = len = 0;
	}
	e = kmalloc(sizeof(*e) + len + 1);
	if (!e)
		return;
	*e = (struct event){ .wd = wd, .mask = mask, .cookie = cookie, .len = len };
	if (len)
		memcpy(e->name, name, len);
	e->name[len] = '\0';
	list_add_tail(&e->node, &g->events);
	g->nr_events++;
	wake_up_poll(&g->readers, POLLIN | POLLRDNORM);
}

/* Takes @w out; the caller drops the inode's reference, if there is one to drop, after the lock. */
static struct inode *watch_remove(struct watch *w, bool ignored)
{
	struct inode *inode = w->holds ? w->inode : NULL;

	if (ignored)
		queue_event(w->group, w->wd, IN_IGNORED, 0, "", 0);
	list_del(&w->inode_node);
	list_del(&w->group_node);
	kfree(w);
	atomic_sub(&inotify_watches, 1u);
	return inode;
}

/* Tells all watches of @inode. One-shot ones end; at most one reference is handed to the caller at a time. */
static struct inode *tell(struct inode *inode, u32 mask, u32 cookie, const char *name, u32 len, bool unlinked)
{
	struct watch *w, *tmp;
	struct inode *put = NULL;

	if (!inode->watches)
		return NULL;
	list_for_each_safe(w, tmp, &inode->watches->all, inode_node) {
		if (!(w->mask & mask & IN_ALL_EVENTS) || (unlinked && (w->mask & IN_EXCL_UNLINK)))
			continue;
		queue_event(w->group, w->wd, mask, cookie, name, len);
		if (w->mask & IN_ONESHOT) {
			struct inode *held = watch_remove(w, true);

			/* The same inode each time: keep one reference, the others go at once. */
			if (held && put)
				inode_put(held);
			else if (held)
				put = held;
		}
	}
	return put;
}

/* ---- what the VFS calls ---- */

void __notify_dir(struct inode *dir, const struct qstr *name, struct inode *child __unused, u32 mask, u32 cookie)
{
	struct inode *put;

	if (!load_acquire(&dir->watches))
		return;
	mutex_lock(&inotify_lock);
	put = tell(dir, mask, cookie, name->name, name->len, false);
	mutex_unlock(&inotify_lock);
	inode_put(put);
}

void __notify_self(struct inode *inode, u32 mask)
{
	struct inode *put;

	if (!load_acquire(&inode->watches))
		return;
	mutex_lock(&inotify_lock);
	put = tell(inode, mask, 0, "", 0, false);
	mutex_unlock(&inotify_lock);
	inode_put(put);
}

void __notify_inode(struct inode *inode, u32 mask)
{
	__notify_self(inode, mask | (S_ISDIR(inode->mode) ? IN_ISDIR : 0));
}

void __notify_dentry(struct dentry *d, u32 mask)
{
	struct dentry *parent;
	struct inode *inode = d->inode, *put;
	char name[NAME_MAX + 1];
	u32 len = 0;
	bool unlinked;

	if (!inode || (inode->flags & INODE_ANON))
		return;
	__notify_inode(inode, mask);
	parent = dentry_parent(d);
	if (parent != d && load_acquire(&parent->inode->watches)) {
		/* A rename may exchange the name while we read it. */
		spin_lock(&dcache_lock);
		len = min(d->len, (u32)NAME_MAX);
		memcpy(name, d->name, len);
		unlinked = d->flags & DENTRY_DELETED;
		spin_unlock(&dcache_lock);
		mutex_lock(&inotify_lock);
		put = tell(parent->inode, mask | (S_ISDIR(inode->mode) ? IN_ISDIR : 0), 0, name, len, unlinked);
		mutex_unlock(&inotify_lock);
		inode_put(put);
	}
	dentry_put(parent);
}

void __notify_unlinked(struct inode *inode)
{
	struct watch *w;
	u32 held = 0;

	if (inode->nlink || !load_acquire(&inode->watches))
		return;
	mutex_lock(&inotify_lock);
	list_for_each(w, &inode->watches->all, inode_node) {
		held += w->holds;
		w->holds = false;
	}
	mutex_unlock(&inotify_lock);
	/* The caller has one of its own. */
	while (held--)
		inode_put(inode);
}

void inotify_inode_gone(struct inode *inode)
{
	struct watch_list *list = inode->watches;
	struct watch *w, *tmp;

	if (!list)
		return;
	mutex_lock(&inotify_lock);
	list_for_each_safe(w, tmp, &list->all, inode_node) {
		if (w->mask & IN_DELETE_SELF)
			queue_event(w->group, w->wd, IN_DELETE_SELF, 0, "", 0);
		watch_remove(w, true);
	}
	inode->watches = NULL;
	mutex_unlock(&inotify_lock);
	kfree(list);
}

/* ---- the file ---- */

static size_t event_size(const struct event *e)
{
	return sizeof(struct event_abi) + (e->len ? ALIGN_UP(e->len + 1, sizeof(struct event_abi)) : 0);
}

static struct event *take_event(struct inotify *g, size_t room, ssize_t *error)
{
	struct event *e = NULL;

	mutex_lock(&inotify_lock);
	if (!list_empty(&g->events)) {
		e = list_first(&g->events, struct event, node);
		if (event_size(e) > room) {
			*error = -EINVAL;
			e = NULL;
		} else {
			list_del(&e->node);
			g->nr_events--;
		}
	}
	mutex_unlock(&inotify_lock);
	return e;
}

static ssize_t put_event(struct uio *to, const struct event *e)
{
	char record[sizeof(struct event_abi) + NAME_MAX + 1 + sizeof(struct event_abi)];
	size_t size = event_size(e);
	struct event_abi head = { e->wd, e->mask, e->cookie, (u32)(size - sizeof(head)) };
	ssize_t n;

	memset(record, 0, size);
	memcpy(record, &head, sizeof(head));
	memcpy(record + sizeof(head), e->name, e->len);
	n = uio_put(to, record, size);
	return n == (ssize_t)size ? n : -EFAULT;
}

static ssize_t inotify_read(struct file *f, struct uio *to, pos_t *pos __unused)
{
	struct inotify *g = f->priv;
	size_t done = 0;

	for (;;) {
		ssize_t ret = 0;
		struct event *e = take_event(g, to->left, &ret);

		if (e) {
			ret = put_event(to, e);
			kfree(e);
			if (ret < 0)
				return done ? (ssize_t)done : ret;
			done += ret;
			continue;
		}
		if (done)
			return done;
		if (ret)
			return ret;
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(&g->readers, READ_ONCE(g->nr_events));
		if (ret)
			return ret;
	}
}

static u32 inotify_poll(struct file *f, struct poll_table *pt)
{
	struct inotify *g = f->priv;

	poll_wait(f, &g->readers, pt);
	return READ_ONCE(g->nr_events) ? POLLIN | POLLRDNORM : 0;
}

#define FIONREAD	0x541bu

static long inotify_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct inotify *g = f->priv;
	struct event *e;
	s32 sum = 0;

	if (cmd != FIONREAD)
		return -ENOTTY;
	mutex_lock(&inotify_lock);
	list_for_each(e, &g->events, node)
		sum += (s32)event_size(e);
	mutex_unlock(&inotify_lock);
	return put_user(sum, arg);
}

/* There is no position, and asking for one is no error. */
static pos_t inotify_seek(struct file *f, pos_t off __unused, int whence __unused)
{
	return f->pos;
}

static void inotify_release(struct file *f)
{
	struct inotify *g = f->priv;
	struct event *e, *tmp;

	for (;;) {
		struct inode *put = NULL;

		mutex_lock(&inotify_lock);
		if (list_empty(&g->watches)) {
			mutex_unlock(&inotify_lock);
			break;
		}
		put = watch_remove(list_first(&g->watches, struct watch, group_node), false);
		mutex_unlock(&inotify_lock);
		inode_put(put);
	}
	list_for_each_safe(e, tmp, &g->events, node)
		kfree(e);
	kfree(g);
	atomic_sub(&nr_instances, 1u);
}

static const struct file_ops inotify_ops = {
	.name = "inotify",
	.plain_name = true,
	.read = inotify_read,
	.poll = inotify_poll,
	.seek = inotify_seek,
	.ioctl = inotify_ioctl,
	.release = inotify_release,
};

struct file *inotify_create(u32 flags)
{
	struct inotify *g;
	struct file *f;

	if (atomic_add(&nr_instances, 1u) > INSTANCES_MAX) {
		atomic_sub(&nr_instances, 1u);
		return ERR_PTR(-EMFILE);
	}
	g = kzalloc(sizeof(*g));
	f = g ? anon_file(&inotify_ops, O_RDONLY | flags, g) : NULL;
	if (!f) {
		kfree(g);
		atomic_sub(&nr_instances, 1u);
		return ERR_PTR(-ENOMEM);
	}
	list_init(&g->watches);
	list_init(&g->events);
	wait_queue_init(&g->readers);
	g->next_wd = 1;
	return f;
}

/* inotify_lock held */
static struct watch *find_watch(struct inotify *g, const struct inode *inode)
{
	struct watch *w;

	if (!inode->watches)
		return NULL;
	list_for_each(w, &inode->watches->all, inode_node)
		if (w->group == g)
			return w;
	return NULL;
}

static int add_new(struct inotify *g, struct inode *inode, u32 mask)
{
	struct watch *w;

	if (load_relaxed(&inotify_watches) >= WATCHES_MAX || g->next_wd == INT32_MAX)
		return -ENOSPC;
	if (!inode->watches) {
		struct watch_list *list = kzalloc(sizeof(*list));

		if (!list)
			return -ENOMEM;
		list_init(&list->all);
		store_release(&inode->watches, list);
	}
	w = kzalloc(sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->group = g;
	w->inode = inode;
	w->mask = mask;
	w->wd = g->next_wd++;
	if (inode->nlink) {
		inode_get(inode);
		w->holds = true;
	}
	list_add_tail(&w->inode_node, &inode->watches->all);
	list_add_tail(&w->group_node, &g->watches);
	atomic_add(&inotify_watches, 1u);
	return w->wd;
}

int inotify_add(struct file *f, const struct path *p, u32 mask)
{
	struct inode *inode = p->dentry->inode;
	struct inotify *g = f->priv;
	struct watch *w;
	int ret;

	if (f->ops != &inotify_ops)
		return -EINVAL;
	mutex_lock(&inotify_lock);
	w = find_watch(g, inode);
	if (!w) {
		ret = add_new(g, inode, mask);
	} else if (mask & IN_MASK_CREATE) {
		ret = -EEXIST;
	} else {
		w->mask = mask & IN_MASK_ADD ? w->mask | mask : mask;
		ret = w->wd;
	}
	mutex_unlock(&inotify_lock);
	return ret;
}

int inotify_remove(struct file *f, int wd)
{
	struct inotify *g = f->priv;
	struct inode *put = NULL;
	struct watch *w;
	int ret = -EINVAL;

	if (f->ops != &inotify_ops)
		return -EINVAL;
	mutex_lock(&inotify_lock);
	list_for_each(w, &g->watches, group_node) {
		if (w->wd == wd) {
			put = watch_remove(w, true);
			ret = 0;
			break;
		}
	}
	mutex_unlock(&inotify_lock);
	inode_put(put);
	return ret;
}
