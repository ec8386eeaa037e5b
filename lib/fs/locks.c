// SPDX-License-Identifier: MIT
/*
 * File locks.
 *
 * POSIX and OFD locks are ranges with an owner (a descriptor table, or an open file) and stand in one list, because they exclude
 * each other; flock's stand in another. Whoever must wait sleeps on the inode's queue and looks again when anything was dropped.
 *
 * Lock: file_locks.lock guards the lists of one inode; blocked_lock, inside it, the list of all POSIX waiters, in which a cycle is
 * looked for before somebody goes to sleep.
 */
#include "fs/locks.h"

#include "fs/seq_buf.h"
#include "mm/kmalloc.h"
#include "process/task.h"

#define LOCKS_MAX	65536u
#define DEADLOCK_STEPS	1024u

struct file_lock {
	struct list node;
	enum lock_kind kind;
	u32 type;
	pos_t start, end;
	const void *owner;
	s32 pid;
};

struct file_locks {
	struct mutex lock;
	struct list flocks, ranges;	/* of struct file_lock */
	u32 generation;			/* changes whenever a lock is dropped */
	struct wait_queue waiters;
};

struct blocked {
	struct list node;
	const void *owner, *on;
};

static struct spinlock blocked_lock = SPINLOCK_INIT;
static LIST_HEAD(blocked_list);
static u32 nr_locks;	/* atomic */

static struct file_lock *lock_new(void)
{
	struct file_lock *l;

	if (atomic_add(&nr_locks, 1u) > LOCKS_MAX || !(l = kzalloc(sizeof(*l)))) {
		atomic_sub(&nr_locks, 1u);
		return NULL;
	}
	list_init(&l->node);
	return l;
}

static void lock_free(struct file_lock *l)
{
	if (!l)
		return;
	list_del(&l->node);
	kfree(l);
	atomic_sub(&nr_locks, 1u);
}

static struct file_locks *locks_of(struct inode *inode)
{
	struct file_locks *fl = load_acquire(&inode->locks);

	if (fl)
		return fl;
	fl = kzalloc(sizeof(*fl));
	if (!fl)
		return NULL;
	mutex_init(&fl->lock);
	list_init(&fl->flocks);
	list_init(&fl->ranges);
	wait_queue_init(&fl->waiters);
	if (!atomic_cmpxchg(&inode->locks, NULL, fl))
		kfree(fl);
	return load_acquire(&inode->locks);
}

static const void *owner_of(struct file *f, enum lock_kind kind)
{
	return kind == LOCK_POSIX ? (const void *)current->files : f;
}

static struct list *list_of(struct file_locks *fl, enum lock_kind kind)
{
	return kind == LOCK_FLOCK ? &fl->flocks : &fl->ranges;
}

/* fl->lock held. Of several that stand in the way the first by position. */
static struct file_lock *find_conflict(struct file_locks *fl, const struct lock_request *req, const void *owner)
{
	struct file_lock *l, *first = NULL;

	list_for_each(l, list_of(fl, req->kind), node) {
		if (l->owner == owner || l->start > req->end || l->end < req->start)
			continue;
		if (l->type != F_WRLCK && req->type != F_WRLCK)
			continue;
		if (!first || l->start < first->start)
			first = l;
	}
	return first;
}

/* fl->lock held. */
static void dropped(struct file_locks *fl)
{
	WRITE_ONCE(fl->generation, fl->generation + 1);
	wake_up_all(&fl->waiters);
}

/* Would @owner, waiting for @on, wait for itself? Both are POSIX owners. */
static bool would_deadlock(const void *owner, const void *on)
{
	struct blocked *b;

	/* Each owner may wait in several threads; a bounded walk along the first of them is what Linux does. */
	for (u32 steps = 0; steps < DEADLOCK_STEPS; steps++) {
		const void *next = NULL;

		if (on == owner)
			return true;
		list_for_each(b, &blocked_list, node) {
			if (b->owner == on) {
				next = b->on;
				break;
			}
		}
		if (!next)
			return false;
		on = next;
	}
	return false;
}

/* fl->lock held on entry, not on return. Return: 0: look again; -EDEADLK, -ERESTARTSYS */
static int wait_for(struct file_locks *fl, const struct file_lock *conflict, const struct lock_request *req,
		    const void *owner)
{
	struct blocked b = { .owner = owner, .on = conflict->owner };
	u32 generation = fl->generation;
	int ret = 0;

	list_init(&b.node);
	if (req->kind == LOCK_POSIX && conflict->kind == LOCK_POSIX) {
		spin_lock(&blocked_lock);
		if (would_deadlock(owner, b.on))
			ret = -EDEADLK;
		else
			list_add_tail(&b.node, &blocked_list);
		spin_unlock(&blocked_lock);
	}
	mutex_unlock(&fl->lock);
	if (ret)
		return ret;
	ret = wait_event_interruptible(&fl->waiters, READ_ONCE(fl->generation) != generation);
	spin_lock(&blocked_lock);
	list_del(&b.node);
	spin_unlock(&blocked_lock);
	return ret;
}

/* ---- ranges ---- */

/*
 * fl->lock held: cut [start, end] out of @owner's locks. @spare is used when one lock becomes two, and *used says so.
 * Return: true when something was dropped that somebody may wait for.
 */
static bool cut_range(struct file_locks *fl, pos_t start, pos_t end, const void *owner, struct file_lock *spare, bool *used)
{
	struct file_lock *l, *tmp;
	bool any = false;

	list_for_each_safe(l, tmp, &fl->ranges, node) {
		bool left = l->start < start, right = l->end > end;

		if (l->owner != owner || l->start > end || l->end < start)
			continue;
		any = true;
		if (left && right) {
			*spare = *l;
			list_init(&spare->node);
			spare->start = end + 1;
			list_add_tail(&spare->node, &fl->ranges);
			*used = true;
			l->end = start - 1;
		} else if (left) {
			l->end = start - 1;
		} else if (right) {
			l->start = end + 1;
		} else {
			lock_free(l);
		}
	}
	return any;
}

/* fl->lock held: @new goes in; neighbours of the same owner and type melt into it. */
static void insert_range(struct file_locks *fl, struct file_lock *new)
{
	struct file_lock *l, *tmp;

	list_for_each_safe(l, tmp, &fl->ranges, node) {
		if (l->owner != new->owner || l->type != new->type)
			continue;
		if (l->end != INT64_MAX && l->end + 1 == new->start)
			new->start = l->start;
		else if (new->end != INT64_MAX && new->end + 1 == l->start)
			new->end = l->end;
		else
			continue;
		lock_free(l);
	}
	list_add_tail(&new->node, &fl->ranges);
}

static int apply_range(struct file_locks *fl, const struct lock_request *req, const void *owner, bool wait)
{
	struct file_lock *new = lock_new(), *spare = lock_new(), *conflict;
	bool used = false;
	int ret = 0;

	if (!new || !spare) {
		lock_free(new);
		lock_free(spare);
		return -ENOLCK;
	}
	for (;;) {
		mutex_lock(&fl->lock);
		conflict = req->type == F_UNLCK ? NULL : find_conflict(fl, req, owner);
		if (!conflict)
			break;
		if (!wait) {
			mutex_unlock(&fl->lock);
			ret = -EAGAIN;
			goto out;
		}
		ret = wait_for(fl, conflict, req, owner);
		if (ret)
			goto out;
	}
	if (cut_range(fl, req->start, req->end, owner, spare, &used))
		dropped(fl);
	if (req->type != F_UNLCK) {
		new->kind = req->kind;
		new->type = req->type;
		new->start = req->start;
		new->end = req->end;
		new->owner = owner;
		new->pid = req->pid;
		insert_range(fl, new);
		new = NULL;
	}
	mutex_unlock(&fl->lock);
out:
	lock_free(new);
	if (!used)
		lock_free(spare);
	return ret;
}

/* ---- flock ---- */

/* A change of type drops the old lock first, and it stays dropped when the new one cannot be had: flock(2) says so. */
static int apply_flock(struct file_locks *fl, const struct lock_request *req, const void *owner, bool wait)
{
	struct file_lock *new = lock_new(), *l;
	int ret = 0;

	if (!new)
		return -ENOLCK;
	for (;;) {
		struct file_lock *own = NULL, *conflict;

		mutex_lock(&fl->lock);
		list_for_each(l, &fl->flocks, node)
			if (l->owner == owner)
				own = l;
		if (own && own->type == req->type)
			break;
		if (own) {
			lock_free(own);
			dropped(fl);
		}
		if (req->type == F_UNLCK)
			break;
		conflict = find_conflict(fl, req, owner);
		if (!conflict) {
			new->kind = LOCK_FLOCK;
			new->type = req->type;
			new->end = INT64_MAX;
			new->owner = owner;
			new->pid = req->pid;
			list_add_tail(&new->node, &fl->flocks);
			new = NULL;
			break;
		}
		if (!wait) {
			ret = -EAGAIN;
			break;
		}
		ret = wait_for(fl, conflict, req, owner);
		if (ret)
			goto out;
	}
	mutex_unlock(&fl->lock);
out:
	lock_free(new);
	return ret;
}

int lock_apply(struct file *f, const struct lock_request *req, bool wait)
{
	struct file_locks *fl;
	const void *owner = owner_of(f, req->kind);

	/* Nothing to drop where nobody ever took one. */
	if (req->type == F_UNLCK && !load_acquire(&f->inode->locks))
		return 0;
	fl = locks_of(f->inode);
	if (!fl)
		return -ENOLCK;
	return req->kind == LOCK_FLOCK ? apply_flock(fl, req, owner, wait) : apply_range(fl, req, owner, wait);
}

void lock_test(struct file *f, struct lock_request *req)
{
	struct file_locks *fl = load_acquire(&f->inode->locks);
	struct lock_request ask = *req;
	struct file_lock *l;

	req->type = F_UNLCK;
	if (!fl)
		return;
	mutex_lock(&fl->lock);
	l = find_conflict(fl, &ask, owner_of(f, ask.kind));
	if (l) {
		req->type = l->type;
		req->start = l->start;
		req->end = l->end;
		req->pid = l->pid;
	}
	mutex_unlock(&fl->lock);
}

static void drop_owner(struct file_locks *fl, struct list *list, const void *owner)
{
	struct file_lock *l, *tmp;
	bool any = false;

	mutex_lock(&fl->lock);
	list_for_each_safe(l, tmp, list, node) {
		if (l->owner == owner) {
			lock_free(l);
			any = true;
		}
	}
	if (any)
		dropped(fl);
	mutex_unlock(&fl->lock);
}

void locks_close(struct file *f, struct files *files)
{
	struct file_locks *fl = load_acquire(&f->inode->locks);

	if (fl)
		drop_owner(fl, &fl->ranges, files);
}

void locks_release(struct file *f)
{
	struct file_locks *fl = load_acquire(&f->inode->locks);

	if (!fl)
		return;
	drop_owner(fl, &fl->ranges, f);
	drop_owner(fl, &fl->flocks, f);
}

void file_locks_free(struct inode *inode)
{
	struct file_locks *fl = inode->locks;
	struct file_lock *l, *tmp;

	if (!fl)
		return;
	list_for_each_safe(l, tmp, &fl->flocks, node)
		lock_free(l);
	list_for_each_safe(l, tmp, &fl->ranges, node)
		lock_free(l);
	inode->locks = NULL;
	kfree(fl);
}

/* ---- for /proc ---- */

static void show_lock(struct seq_buf *s, const struct file_lock *l, const struct inode *inode)
{
	static const char *const kinds[] = { "FLOCK ", "POSIX ", "OFDLCK" };

	seq_printf(s, "%s %s %s %d %02x:%02x:%lu %ld ", kinds[l->kind], "ADVISORY ", l->type == F_WRLCK ? "WRITE" : "READ ",
		   l->pid, dev_major(inode->sb->dev), dev_minor(inode->sb->dev), (unsigned long)inode->ino, (long)l->start);
	if (l->end == INT64_MAX)
		seq_puts(s, "EOF\n");
	else
		seq_printf(s, "%ld\n", (long)l->end);
}

void locks_show_file(struct file *f, struct seq_buf *s)
{
	struct file_locks *fl = f->inode ? load_acquire(&f->inode->locks) : NULL;
	const void *files = current->files;
	struct file_lock *l;
	int n = 1;

	if (!fl)
		return;
	mutex_lock(&fl->lock);
	list_for_each(l, &fl->flocks, node) {
		if (l->owner == f) {
			seq_printf(s, "lock:\t%d: ", n++);
			show_lock(s, l, f->inode);
		}
	}
	list_for_each(l, &fl->ranges, node) {
		if (l->owner == f || l->owner == files) {
			seq_printf(s, "lock:\t%d: ", n++);
			show_lock(s, l, f->inode);
		}
	}
	mutex_unlock(&fl->lock);
}

void locks_show_inode(struct inode *inode, struct seq_buf *s, u32 *nr)
{
	struct file_locks *fl = load_acquire(&inode->locks);
	struct file_lock *l;

	if (!fl)
		return;
	mutex_lock(&fl->lock);
	list_for_each(l, &fl->flocks, node) {
		seq_printf(s, "%u: ", (*nr)++);
		show_lock(s, l, inode);
	}
	list_for_each(l, &fl->ranges, node) {
		seq_printf(s, "%u: ", (*nr)++);
		show_lock(s, l, inode);
	}
	mutex_unlock(&fl->lock);
}
