// SPDX-License-Identifier: MIT
/*
 * Files in flight. A socket that is sent over a socket lives on by the message alone, and two that are sent over each other would
 * live for ever: so unreachable circles are looked for.
 *
 * unix_gc_lock is held whenever a file goes into a queue or comes out of one, so while it is held the picture stands still: each
 * socket knows how many messages refer to it (inflight). One whose file has no other references is a candidate. From each
 * candidate's count we take the references that stand in candidates' own queues; what is left over comes from outside, and
 * such a candidate, with all that its queue leads to, is alive. The rest is garbage: nobody can ever receive from it, and nobody
 * can get at it again, because that would take a descriptor or a message from a queue that is reachable.
 */
#include "ipc/unix.h"

#include "base/errno.h"
#include "process/limits.h"
#include "sched/time.h"

/* After the close of one of several references to a socket in flight: time enough for the close itself. */
#define GC_DELAY	(20 * NSEC_PER_MSEC)

struct mutex unix_gc_lock = MUTEX_INIT;
static struct list inflight_socks = LIST_INIT(inflight_socks);	/* by inflight_node; guarded by unix_gc_lock */
static u32 nr_inflight;						/* files in all queues; changed under it */
static struct timer gc_timer;
static bool gc_timer_ready, gc_wanted;				/* guarded by it */

static struct unix_sock *file_unix(const struct file *f)
{
	struct socket *s = file_socket(f);

	return s && s->ops->family == LINUX_AF_UNIX ? unix_of(s) : NULL;
}

int unix_inflight_add(struct scm_files *fp)
{
	if (nr_inflight + fp->nr > rlimit(RLIM_NOFILE))
		return -ETOOMANYREFS;
	store_relaxed(&nr_inflight, nr_inflight + fp->nr);
	for (u32 i = 0; i < fp->nr; i++) {
		struct unix_sock *u = file_unix(fp->file[i]);

		if (u && !u->inflight++)
			list_add_tail(&u->inflight_node, &inflight_socks);
		/* the last descriptor was closed while the message was made: no close will come any more to look for it */
		if (u && ref_read(&fp->file[i]->ref) == u->inflight)
			gc_wanted = true;
	}
	return 0;
}

void unix_inflight_sub(struct scm_files *fp)
{
	store_relaxed(&nr_inflight, nr_inflight - fp->nr);
	for (u32 i = 0; i < fp->nr; i++) {
		struct unix_sock *u = file_unix(fp->file[i]);

		if (u && !--u->inflight)
			list_del(&u->inflight_node);
	}
}

/* For each candidate that a message in @u's own queue refers to, as often as it does. */
static void each_child_of_queue(struct unix_sock *u, void (*fn)(struct unix_sock *child, struct list *arg), struct list *arg)
{
	struct unix_msg *msg;

	spin_lock(&u->lock);
	list_for_each(msg, &u->queue, node) {
		for (u32 i = 0; msg->files && i < msg->files->nr; i++) {
			struct unix_sock *child = file_unix(msg->files->file[i]);

			if (child && child->gc_candidate)
				fn(child, arg);
		}
	}
	spin_unlock(&u->lock);
}

/* The same, with the queues of connections that wait to be accepted: they can be reached through the listener only. */
static void each_child(struct unix_sock *u, void (*fn)(struct unix_sock *child, struct list *arg), struct list *arg)
{
	struct unix_sock *e;

	each_child_of_queue(u, fn, arg);
	spin_lock(&u->lock);
	list_for_each(e, &u->accept_queue, accept_node)
		each_child_of_queue(e, fn, arg);
	spin_unlock(&u->lock);
}

static void child_uncount(struct unix_sock *child, struct list *arg __unused)
{
	child->gc_refs--;
}

static void child_is_live(struct unix_sock *child, struct list *live)
{
	if (!child->gc_live) {
		child->gc_live = true;
		list_move_tail(&child->gc_node, live);
	}
}

/* Messages with files out of a queue that nobody can read; they are not in flight any more. */
static void take_messages(struct unix_sock *u, struct list *gone)
{
	struct unix_msg *msg, *tmp;

	spin_lock(&u->lock);
	list_for_each_safe(msg, tmp, &u->queue, node) {
		if (!msg->files)
			continue;
		list_move_tail(&msg->node, gone);
		u->queue_len--;
		u->queue_bytes -= msg->len - msg->off;
		unix_inflight_sub(msg->files);
	}
	spin_unlock(&u->lock);
}

static void take_garbage(struct unix_sock *u, struct list *gone)
{
	struct unix_sock *e;

	take_messages(u, gone);
	spin_lock(&u->lock);
	list_for_each(e, &u->accept_queue, accept_node)
		take_messages(e, gone);
	spin_unlock(&u->lock);
}

void unix_gc(void)
{
	struct list candidates = LIST_INIT(candidates), live = LIST_INIT(live), gone = LIST_INIT(gone);
	struct unix_sock *u, *tmp;
	struct unix_msg *msg, *next;

	mutex_lock(&unix_gc_lock);
	list_for_each(u, &inflight_socks, inflight_node) {
		u->gc_refs = u->inflight;
		u->gc_live = false;
		u->gc_candidate = ref_read(&u->sock.file->ref) == u->inflight;
		if (u->gc_candidate)
			list_add_tail(&u->gc_node, &candidates);
	}
	list_for_each(u, &candidates, gc_node)
		each_child(u, child_uncount, NULL);
	list_for_each_safe(u, tmp, &candidates, gc_node)
		if (u->gc_refs)
			child_is_live(u, &live);
	/* the list grows while we walk it */
	list_for_each(u, &live, gc_node)
		each_child(u, child_is_live, &live);
	list_for_each(u, &candidates, gc_node)
		take_garbage(u, &gone);
	list_splice_tail(&candidates, &live);
	list_for_each_safe(u, tmp, &live, gc_node) {
		list_del(&u->gc_node);
		u->gc_candidate = false;
	}
	mutex_unlock(&unix_gc_lock);

	list_for_each_safe(msg, next, &gone, node) {
		list_del(&msg->node);
		unix_msg_free(msg);
	}
}

void unix_gc_if_needed(void)
{
	if (load_relaxed(&nr_inflight))
		unix_gc();
}

static void gc_timer_fired(struct timer *t __unused)
{
	unix_gc_if_needed();
}

/* unix_gc_lock held. */
static void gc_arm(void)
{
	if (!gc_timer_ready)
		timer_init(&gc_timer, gc_timer_fired);
	gc_timer_ready = true;
	timer_start(&gc_timer, clock_monotonic() + GC_DELAY);
}

void unix_gc_soon(struct unix_sock *u)
{
	if (!load_relaxed(&u->inflight))
		return;
	mutex_lock(&unix_gc_lock);
	gc_arm();
	mutex_unlock(&unix_gc_lock);
}

void unix_inflight_added(void)
{
	if (gc_wanted)
		gc_arm();
	gc_wanted = false;
}
