// SPDX-License-Identifier: MIT
/*
 * System V semaphores. Operations on a set are all done or none. Who cannot go on waits in the set's list with what he wants; whoever
 * changes a value does, in the order of the list, what has become possible, on the sleepers' behalf: so a value that is zero for
 * a moment only is still seen by those who wait for zero.
 */
#include "ipc/sysv.h"

#include "base/errno.h"
#include "mm/kmalloc.h"
#include "process/pid.h"
#include "process/task.h"
#include "sched/time.h"

#define WAITING		1

struct sem_waiter {
	struct list node;
	struct task *task;
	const struct sem_op *ops;
	u32 nr;
	struct sem_undo *undo;
	u32 blocked_at;		/* which of ops cannot be done */
	int status;		/* WAITING, 0, or the error */
};

/* What is to be added to the values when the process ends. Guarded by the set's lock. */
struct sem_undo {
	struct list node;	/* in set->undos */
	struct process *process;	/* no reference: it ends by sem_exit() first */
	s16 adjust[];
};

struct sysv_table sem_table = { .lock = MUTEX_INIT };
static u32 nr_sems;		/* in all sets; atomic */
static u32 nr_undos;		/* atomic */

u32 sem_in_use(void)
{
	return load_relaxed(&nr_sems);
}

static struct sem_set *set_of(struct sysv_object *o)
{
	return container_of(o, struct sem_set, o);
}

static s64 now_seconds(void)
{
	return clock_realtime() / NSEC_PER_SEC;
}

static void set_free(struct sysv_object *o)
{
	struct sem_set *set = set_of(o);

	atomic_sub(&nr_sems, set->nr);
	kfree(set);
}

static struct sysv_object *set_create(s32 key, u32 flags, u64 nr)
{
	struct sem_set *set;

	if (!nr)
		return ERR_PTR(-EINVAL);
	if (atomic_add(&nr_sems, (u32)nr) > SEM_MAX_ALL) {
		atomic_sub(&nr_sems, (u32)nr);
		return ERR_PTR(-ENOSPC);
	}
	set = kzalloc(sizeof(*set) + nr * sizeof(set->sem[0]));
	if (!set) {
		atomic_sub(&nr_sems, (u32)nr);
		return ERR_PTR(-ENOMEM);
	}
	sysv_init(&set->o, key, flags, set_free);
	set->nr = nr;
	set->ctime = now_seconds();
	list_init(&set->waiters);
	list_init(&set->undos);
	return &set->o;
}

static int set_check(struct sysv_object *o, u64 nr)
{
	return nr > set_of(o)->nr ? -EINVAL : 0;
}

long sem_get(s32 key, u32 nr, u32 flags)
{
	if (nr > SEM_MAX_PER_SET)
		return -EINVAL;
	return sysv_get(&sem_table, key, flags, set_create, set_check, nr);
}

/* One operation. Return: 0, WAITING, -ERANGE */
static int do_one(struct sem_set *set, const struct sem_op *op, struct sem_undo *undo)
{
	struct sem_value *s = &set->sem[op->num];
	int adjust;

	if (!op->op)
		return s->val ? WAITING : 0;
	if (s->val + op->op < 0)
		return WAITING;
	if (s->val + op->op > SEM_MAX_VALUE)
		return -ERANGE;
	if (op->flags & SEM_FLAG_UNDO) {
		adjust = undo->adjust[op->num] - op->op;
		if (adjust < -SEM_MAX_VALUE - 1 || adjust > SEM_MAX_VALUE)
			return -ERANGE;
		undo->adjust[op->num] = adjust;
	}
	s->val += op->op;
	return 0;
}

static void undo_one(struct sem_set *set, const struct sem_op *op, struct sem_undo *undo)
{
	set->sem[op->num].val -= op->op;
	if (op->op && (op->flags & SEM_FLAG_UNDO))
		undo->adjust[op->num] += op->op;
}

/* All or nothing. Return: 0, WAITING with w->blocked_at, -EAGAIN, -ERANGE */
static int do_all(struct sem_set *set, struct sem_waiter *w)
{
	s32 pid = w->task->process->tgid;
	int ret = 0;
	u32 i;

	for (i = 0; i < w->nr; i++) {
		ret = do_one(set, &w->ops[i], w->undo);
		if (ret)
			break;
	}
	if (!ret) {
		for (i = 0; i < w->nr; i++)
			set->sem[w->ops[i].num].pid = pid;
		set->otime = now_seconds();
		return 0;
	}
	w->blocked_at = i;
	if (ret == WAITING && (w->ops[i].flags & SYSV_NOWAIT))
		ret = -EAGAIN;
	while (i--)
		undo_one(set, &w->ops[i], w->undo);
	return ret;
}

/* The waiter takes the set's lock before it looks at its status for good: until then it stays where it is. */
static void finish(struct sem_waiter *w, int status)
{
	list_del(&w->node);
	store_release(&w->status, status);
	wake_task(w->task);
}

void sem_values_changed(struct sem_set *set)
{
	struct sem_waiter *w, *tmp;
	bool again;

	do {
		again = false;
		list_for_each_safe(w, tmp, &set->waiters, node) {
			int ret = do_all(set, w);

			if (ret == WAITING)
				continue;
			finish(w, ret);
			if (!ret) {
				again = true;	/* values changed: those before may be able to go on */
				break;
			}
		}
	} while (again);
}

u32 sem_count_waiters(struct sem_set *set, u32 i, bool zero)
{
	struct sem_waiter *w;
	u32 n = 0;

	list_for_each(w, &set->waiters, node) {
		const struct sem_op *op = &w->ops[w->blocked_at];

		n += op->num == i && (op->op == 0) == zero;
	}
	return n;
}

void sem_set_value(struct sem_set *set, u32 i, s32 val)
{
	struct sem_undo *u;

	set->sem[i].val = val;
	set->sem[i].pid = current->process->tgid;
	set->ctime = now_seconds();
	list_for_each(u, &set->undos, node)
		u->adjust[i] = 0;
}

static struct sem_undo *undo_find(struct sem_set *set, const struct process *p)
{
	struct sem_undo *u;

	list_for_each(u, &set->undos, node)
		if (u->process == p)
			return u;
	return NULL;
}

static void undo_free(struct sem_undo *u)
{
	list_del(&u->node);
	atomic_sub(&nr_undos, 1);
	kfree(u);
}

int sem_remove(struct sem_set *set)
{
	struct sem_undo *u, *tmp;

	if (!sysv_may_change(&set->o))
		return -EPERM;
	if (!sysv_remove(&sem_table, &set->o))
		return -EIDRM;
	list_for_each_safe(u, tmp, &set->undos, node)
		undo_free(u);
	while (!list_empty(&set->waiters))
		finish(list_first(&set->waiters, struct sem_waiter, node), -EIDRM);
	return 0;
}

/* The set's lock held; let go for the sleep. Return: what semop(2) does */
static int wait_turn(struct sem_set *set, struct sem_waiter *w, s64 deadline)
{
	bool timed_out = false;
	int ret;

	w->status = WAITING;
	list_add_tail(&w->node, &set->waiters);
	mutex_unlock(&set->o.lock);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (load_acquire(&w->status) != WAITING || timed_out || signal_pending())
			break;
		timed_out = schedule_until(deadline) == -ETIMEDOUT;
	}
	set_current_state(TASK_RUNNING);
	mutex_lock(&set->o.lock);
	ret = w->status;
	if (ret == WAITING) {
		list_del(&w->node);
		ret = timed_out ? -EAGAIN : -EINTR;
	}
	return ret;
}

static u32 rights_for(const struct sem_op *ops, u32 nr, u32 *highest, bool *undo)
{
	u32 rights = SYSV_READ;

	*highest = 0;
	*undo = false;
	for (u32 i = 0; i < nr; i++) {
		*highest = max_t(u32, *highest, ops[i].num);
		if (ops[i].op)
			rights = SYSV_WRITE;
		*undo |= (ops[i].flags & SEM_FLAG_UNDO) != 0;
	}
	return rights;
}

/* @spare: an allocated one, or NULL when none is wanted; used up when it is put into the list. */
static struct sem_undo *undo_get(struct sem_set *set, struct sem_undo **spare)
{
	struct sem_undo *u;

	if (!*spare)
		return NULL;
	u = undo_find(set, current->process);
	if (u)
		return u;
	u = *spare;
	*spare = NULL;
	u->process = current->process;
	list_add(&u->node, &set->undos);
	atomic_add(&nr_undos, 1);
	return u;
}

long sem_operate(s32 id, const struct sem_op *ops, u32 nr, s64 deadline)
{
	struct sem_waiter w = { .task = current, .ops = ops, .nr = nr };
	struct sem_undo *spare = NULL;
	struct sysv_object *o;
	struct sem_set *set;
	u32 highest, rights;
	bool undo;
	int ret;

	rights = rights_for(ops, nr, &highest, &undo);
	o = sysv_lookup(&sem_table, id, rights);
	if (IS_ERR(o))
		return PTR_ERR(o);
	set = set_of(o);
	ret = -EFBIG;
	if (highest >= set->nr)
		goto out;
	if (undo) {
		ret = -ENOMEM;
		spare = kzalloc(sizeof(*spare) + set->nr * sizeof(spare->adjust[0]));
		if (!spare)
			goto out;
		w.undo = undo_get(set, &spare);
	}
	ret = do_all(set, &w);
	if (!ret)
		sem_values_changed(set);
	else if (ret == WAITING)
		ret = wait_turn(set, &w, deadline);
out:
	sysv_unlock(o);
	kfree(spare);
	return ret;
}

static void undo_process(struct sem_set *set, const struct process *p)
{
	struct sem_undo *u = undo_find(set, p);

	if (!u)
		return;
	for (u32 i = 0; i < set->nr; i++) {
		s32 val = set->sem[i].val + u->adjust[i];

		if (!u->adjust[i])
			continue;
		set->sem[i].val = max(0, min(val, SEM_MAX_VALUE));
		set->sem[i].pid = p->tgid;
	}
	undo_free(u);
	set->otime = now_seconds();
	sem_values_changed(set);
}

static bool last_thread(struct task *me)
{
	struct process *p = me->process;
	struct task *t;
	bool last = true;

	spin_lock(&p->siglock);
	for_each_thread(p, t)
		if (t != me && !t->exiting)
			last = false;
	spin_unlock(&p->siglock);
	return last;
}

void sem_exit(struct task *t)
{
	if (!load_relaxed(&nr_undos) || !last_thread(t))
		return;
	for (u32 i = 0; i < SYSV_MAX; i++) {
		struct sysv_object *o;

		mutex_lock(&sem_table.lock);
		o = sem_table.slot ? sem_table.slot[i] : NULL;
		if (o)
			ref_get(&o->ref);
		mutex_unlock(&sem_table.lock);
		if (!o)
			continue;
		mutex_lock(&o->lock);
		if (!o->removed)
			undo_process(set_of(o), t->process);
		sysv_unlock(o);
	}
}
