// SPDX-License-Identifier: MIT
/*
 * Queues of signals: what is pending, in which order it is taken, and what it counts against.
 *
 * Entries are allocated and freed without locks: those that leave a queue under siglock go to a list that is freed afterwards.
 */
#include "base/errno.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/internal.h"
#include "process/limits.h"

void sigpending_init(struct sigpending *p)
{
	list_init(&p->queue);
	p->set = 0;
}

struct sigqueue *sigqueue_alloc(struct task *t, bool beyond_limit)
{
	struct sigqueue *q;
	struct cred *c = task_cred_get(t);
	struct user *u = c->user;
	u32 n = atomic_add(&u->sigpending, 1u);

	ref_get(&u->ref);
	cred_put(c);
	if (!beyond_limit && n > load_relaxed(&t->process->rlim[RLIM_SIGPENDING].cur))
		goto err;
	q = kzalloc(sizeof(*q));
	if (!q)
		goto err;
	list_init(&q->node);
	q->user = u;
	return q;
err:
	atomic_sub(&u->sigpending, 1u);
	user_put(u);
	return NULL;
}

void sigqueue_free(struct sigqueue *q)
{
	if (!q)
		return;
	if (q->user) {
		atomic_sub(&q->user->sigpending, 1u);
		user_put(q->user);
	}
	kfree(q);
}

void sigqueue_free_list(struct list *done)
{
	struct sigqueue *q, *tmp;

	list_for_each_safe(q, tmp, done, node) {
		list_del(&q->node);
		sigqueue_free(q);
	}
}

/* Takes @q out of its queue. A timer's own entry stays the timer's. */
static void unlink_entry(struct sigqueue *q, struct list *done)
{
	list_del(&q->node);
	if (!q->prealloc)
		list_add_tail(&q->node, done);
}

void sigpending_remove(struct sigpending *p, sigset_t mask, struct list *done)
{
	struct sigqueue *q, *tmp;

	if (!(p->set & mask))
		return;
	p->set &= ~mask;
	list_for_each_safe(q, tmp, &p->queue, node)
		if (SIGMASK(q->info.signo) & mask)
			unlink_entry(q, done);
}

void sigpending_flush(struct sigpending *p)
{
	LIST_HEAD(done);

	sigpending_remove(p, ~0ull, &done);
	sigqueue_free_list(&done);
}

/* Faults come first: their handler must see the registers of the fault. Then the lowest number. */
static int next_signal(sigset_t set)
{
	if (set & SIGSET_SYNC)
		set &= SIGSET_SYNC;
	return set ? __builtin_ctzll(set) + 1 : 0;
}

static int take(struct sigpending *p, sigset_t mask, struct siginfo *info, struct list *done)
{
	struct sigqueue *q, *found = NULL;
	bool more = false;
	int sig = next_signal(p->set & mask);

	if (!sig)
		return 0;
	list_for_each(q, &p->queue, node) {
		if (q->info.signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = q;
	}
	if (!more)
		p->set &= ~SIGMASK(sig);
	if (!found) {
		/* there was no memory for what it had to say */
		*info = (struct siginfo){ .signo = sig, .code = SI_USER };
		return sig;
	}
	*info = found->info;
	if (found->prealloc) {
		found->last_overrun = info->timer.overrun;
		found->info.timer.overrun = 0;
	}
	unlink_entry(found, done);
	return sig;
}

int sigqueue_take(struct task *t, sigset_t mask, struct siginfo *info, struct list *done)
{
	int sig = take(&t->pending, mask, info, done);

	return sig ? sig : take(&t->process->shared_pending, mask, info, done);
}

/* ---- POSIX timers ---- */

struct sigqueue *sigqueue_alloc_timer(void)
{
	struct sigqueue *q = sigqueue_alloc(current, false);

	if (q)
		q->prealloc = true;
	return q;
}

void sigqueue_free_timer(struct sigqueue *q)
{
	struct process *p = q ? q->process : NULL;

	if (p) {
		/* what is still queued stays pending and is freed by who takes it, as Linux has it */
		bool queued;

		spin_lock(&p->siglock);
		queued = !list_empty(&q->node);
		q->prealloc = false;
		spin_unlock(&p->siglock);
		process_put(p);
		if (queued)
			return;
	}
	sigqueue_free(q);
}
