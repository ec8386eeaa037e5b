// SPDX-License-Identifier: MIT
/* The set of watches: adding, changing, removing; nesting; the end of a watched file. See epoll.h. */
#include "ipc/epoll_internal.h"

#include "base/errno.h"
#include "mm/kmalloc.h"

static struct mutex nest_lock = MUTEX_INIT;	/* held while an instance is put into another: the graph gains edges under it only */
static u64 nest_walks;				/* guarded by nest_lock */
static u64 nr_watches;				/* in all instances; atomic */

u64 epoll_max_watches(void)
{
	/* a twenty-fifth of memory, as Linux has it */
	return ram_total() / 25 / sizeof(struct epoll_item);
}

static int item_cmp(const struct epoll_item *it, const struct file *f, int fd)
{
	if (it->file != f)
		return it->file < f ? -1 : 1;
	return it->fd < fd ? -1 : it->fd > fd;
}

static struct epoll_item *item_find(struct eventpoll *ep, const struct file *f, int fd)
{
	struct rb_node *n = ep->items.node;

	while (n) {
		struct epoll_item *it = rb_entry(n, struct epoll_item, rb);
		int cmp = item_cmp(it, f, fd);

		if (!cmp)
			return it;
		n = cmp < 0 ? n->right : n->left;
	}
	return NULL;
}

/* Any item of file @f, whatever its descriptor. */
static struct epoll_item *item_find_file(struct eventpoll *ep, const struct file *f)
{
	struct rb_node *n = ep->items.node;

	while (n) {
		struct epoll_item *it = rb_entry(n, struct epoll_item, rb);

		if (it->file == f)
			return it;
		n = it->file < f ? n->right : n->left;
	}
	return NULL;
}

static void item_insert(struct eventpoll *ep, struct epoll_item *it)
{
	struct rb_node **link = &ep->items.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = item_cmp(rb_entry(parent, struct epoll_item, rb), it->file, it->fd) < 0 ?
			&parent->right : &parent->left;
	}
	rb_insert(&ep->items, &it->rb, parent, link);
}

/* ep->mutex held. The last touch of the file is to take the item off its list: epoll_file_release() waits for that. */
static void item_remove(struct epoll_item *it)
{
	struct eventpoll *ep = it->ep;
	struct file *f = it->file;
	struct epoll_hook *h;

	if (it->nr_hooks)
		wait_queue_del(&it->hook.we);
	while ((h = it->hook.next)) {
		it->hook.next = h->next;
		wait_queue_del(&h->we);
		kfree(h);
	}
	spin_lock(&ep->lock);
	list_del(&it->ready);
	spin_unlock(&ep->lock);
	rb_erase(&ep->items, &it->rb);
	list_del(&it->nested_node);
	if (file_is_epoll(f))
		atomic_sub(&((struct eventpoll *)f->priv)->nr_parents, 1);
	spin_lock(&f->lock);
	list_del(&it->file_node);
	spin_unlock(&f->lock);
	atomic_sub(&nr_watches, 1);
	kfree(it);
}

struct hook_table {
	struct poll_table pt;
	struct epoll_item *item;
};

static void hook_add(struct poll_table *pt, struct file *f __unused, struct wait_queue *q)
{
	struct epoll_item *it = container_of(pt, struct hook_table, pt)->item;
	struct epoll_hook *h = &it->hook;

	if (it->nr_hooks) {
		h = kzalloc(sizeof(*h));
		if (!h) {
			it->out_of_memory = true;
			return;
		}
		h->next = it->hook.next;
		it->hook.next = h;
	}
	it->nr_hooks++;
	h->item = it;
	wait_entry_init_func(&h->we, epoll_hook_wake);
	if (it->events & EPOLLEXCLUSIVE)
		wait_queue_add_exclusive(q, &h->we);
	else
		wait_queue_add(q, &h->we);
}

/* ep->mutex held, and nest_lock when @f is an epoll instance. */
static int item_create(struct eventpoll *ep, struct file *f, int fd, u32 events, u64 data)
{
	struct hook_table table = { .pt.add = hook_add };
	struct epoll_item *it;

	if (atomic_add(&nr_watches, 1) > epoll_max_watches()) {
		atomic_sub(&nr_watches, 1);
		return -ENOSPC;
	}
	it = kzalloc(sizeof(*it));
	if (!it) {
		atomic_sub(&nr_watches, 1);
		return -ENOMEM;
	}
	it->ep = ep;
	it->file = f;
	it->fd = fd;
	it->events = events;
	it->data = data;
	list_init(&it->ready);
	list_init(&it->nested_node);
	item_insert(ep, it);
	if (file_is_epoll(f)) {
		list_add_tail(&it->nested_node, &ep->nested);
		atomic_add(&((struct eventpoll *)f->priv)->nr_parents, 1);
	}
	spin_lock(&f->lock);
	if (!f->epoll_items.next)
		list_init(&f->epoll_items);
	list_add_tail(&it->file_node, &f->epoll_items);
	spin_unlock(&f->lock);

	table.item = it;
	epoll_item_look(it, &table.pt);
	if (it->out_of_memory) {
		item_remove(it);
		return -ENOMEM;
	}
	return 0;
}

/*
 * Walks through the graph of nested instances, under nest_lock: so it has no cycles and no path longer than EPOLL_MAX_NESTS while
 * we walk, and each instance is visited once a walk. Down: how many edges hang below; finding @look_for is a cycle.
 */
static bool walk_down(struct eventpoll *ep, const struct eventpoll *look_for, u32 *depth)
{
	struct epoll_item *it;
	bool clean = ep != look_for;
	u32 deepest = 0;

	if (ep->walk_down == nest_walks) {
		*depth = ep->depth_down;
		return clean;
	}
	mutex_lock(&ep->mutex);
	list_for_each(it, &ep->nested, nested_node) {
		u32 below = 0;

		if (!clean)
			break;
		clean = walk_down(it->file->priv, look_for, &below);
		deepest = max(deepest, below + 1);
	}
	mutex_unlock(&ep->mutex);
	ep->walk_down = nest_walks;
	ep->depth_down = deepest;
	*depth = deepest;
	return clean;
}

/* Up: an instance that watches @ep stays while the item is on our file's list, whose lock we hold. */
static u32 walk_up(struct eventpoll *ep)
{
	struct file *f = ep->file;
	struct epoll_item *it;
	u32 highest = 0, paths = 0;

	if (ep->walk_up == nest_walks)
		return ep->depth_up;
	spin_lock(&f->lock);
	if (f->epoll_items.next)
		list_for_each(it, &f->epoll_items, file_node) {
			highest = max(highest, walk_up(it->ep) + 1);
			paths = min(paths + 1 + it->ep->paths_up, EPOLL_MAX_PATHS + 1);
		}
	spin_unlock(&f->lock);
	ep->walk_up = nest_walks;
	ep->depth_up = highest;
	ep->paths_up = paths;
	return highest;
}

/* May @inner be watched by @ep? nest_lock held. */
static int check_nesting(struct eventpoll *ep, struct eventpoll *inner)
{
	u32 below;

	nest_walks++;
	if (!walk_down(inner, ep, &below) || below + 1 + walk_up(ep) > EPOLL_MAX_NESTS)
		return -ELOOP;
	return load_relaxed(&inner->nr_parents) >= EPOLL_MAX_PARENTS ? -EINVAL : 0;
}

/* Of @ep and all below it. Instances that watch each other crosswise multiply their paths, which bounding parents does not bound. */
static bool too_many_paths(struct eventpoll *ep)
{
	struct epoll_item *it;
	bool ret;

	if (ep->walk_down == nest_walks)
		return false;
	(void)walk_up(ep);
	ret = ep->paths_up > EPOLL_MAX_PATHS;
	mutex_lock(&ep->mutex);
	list_for_each(it, &ep->nested, nested_node) {
		if (ret)
			break;
		ret = too_many_paths(it->file->priv);
	}
	mutex_unlock(&ep->mutex);
	ep->walk_down = nest_walks;
	return ret;
}

/* @f has become one of @ep's: take it off again when that leaves too many paths. nest_lock held, which keeps others from adding more. */
static int check_paths(struct eventpoll *ep, struct file *f, int fd)
{
	struct epoll_item *it;

	nest_walks++;
	if (!too_many_paths(f->priv))
		return 0;
	mutex_lock(&ep->mutex);
	it = item_find(ep, f, fd);
	if (it)
		item_remove(it);
	mutex_unlock(&ep->mutex);
	return -EINVAL;
}

static int ctl_add(struct eventpoll *ep, struct file *f, int fd, const struct epoll_event_abi *ev)
{
	bool nested = file_is_epoll(f);
	int ret = 0;

	if (nested) {
		mutex_lock(&nest_lock);
		ret = check_nesting(ep, f->priv);
	}
	if (!ret) {
		mutex_lock(&ep->mutex);
		ret = item_find(ep, f, fd) ? -EEXIST :
			item_create(ep, f, fd, ev->events | POLLERR | POLLHUP, ev->data);
		mutex_unlock(&ep->mutex);
	}
	if (nested) {
		if (!ret)
			ret = check_paths(ep, f, fd);
		mutex_unlock(&nest_lock);
	}
	return ret;
}

static int ctl_mod(struct eventpoll *ep, struct file *f, int fd, const struct epoll_event_abi *ev)
{
	struct epoll_item *it;
	int ret = 0;

	mutex_lock(&ep->mutex);
	it = item_find(ep, f, fd);
	if (!it) {
		ret = -ENOENT;
	} else if (it->events & EPOLLEXCLUSIVE) {
		ret = -EINVAL;
	} else {
		it->data = ev->data;
		WRITE_ONCE(it->events, ev->events | POLLERR | POLLHUP);
		smp_mb();	/* a wake-up that still saw the old set came before the look */
		epoll_item_look(it, NULL);
	}
	mutex_unlock(&ep->mutex);
	return ret;
}

static int ctl_del(struct eventpoll *ep, struct file *f, int fd)
{
	struct epoll_item *it;

	mutex_lock(&ep->mutex);
	it = item_find(ep, f, fd);
	if (it)
		item_remove(it);
	mutex_unlock(&ep->mutex);
	return it ? 0 : -ENOENT;
}

#define EXCLUSIVE_OK	(POLLIN | POLLOUT | POLLERR | POLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

int epoll_ctl(struct file *epf, int op, struct file *target, int fd, const struct epoll_event_abi *ev)
{
	if (!target->ops->poll)
		return -EPERM;
	if (target == epf || !file_is_epoll(epf))
		return -EINVAL;
	if (op != EPOLL_CTL_DEL && (ev->events & EPOLLEXCLUSIVE)) {
		if (op == EPOLL_CTL_MOD || (ev->events & ~EXCLUSIVE_OK))
			return -EINVAL;
		if (op == EPOLL_CTL_ADD && file_is_epoll(target))
			return -EINVAL;
	}
	switch (op) {
	case EPOLL_CTL_ADD:
		return ctl_add(epf->priv, target, fd, ev);
	case EPOLL_CTL_MOD:
		return ctl_mod(epf->priv, target, fd, ev);
	case EPOLL_CTL_DEL:
		return ctl_del(epf->priv, target, fd);
	}
	return -EINVAL;
}

void epoll_clear(struct eventpoll *ep)
{
	struct rb_node *n;

	mutex_lock(&ep->mutex);
	while ((n = rb_first(&ep->items)))
		item_remove(rb_entry(n, struct epoll_item, rb));
	mutex_unlock(&ep->mutex);
}

void epoll_file_release(struct file *f)
{
	if (!f->epoll_items.next)
		return;
	for (;;) {
		struct epoll_item *it;
		struct eventpoll *ep;

		spin_lock(&f->lock);
		it = list_first_or_null(&f->epoll_items, struct epoll_item, file_node);
		if (!it) {
			spin_unlock(&f->lock);
			return;
		}
		/* its instance is alive: it takes all items off their files before it goes */
		ep = it->ep;
		ref_get(&ep->ref);
		spin_unlock(&f->lock);

		mutex_lock(&ep->mutex);
		while ((it = item_find_file(ep, f)))
			item_remove(it);
		mutex_unlock(&ep->mutex);
		eventpoll_put(ep);
	}
}
