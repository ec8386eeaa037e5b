// SPDX-License-Identifier: MIT
/* System V message queues: msgop(2). */
#include "ipc/sysv.h"

#include "base/errno.h"
#include "mm/kmalloc.h"
#include "process/task.h"
#include "sched/time.h"

struct sysv_table msg_table = { .lock = MUTEX_INIT };
static u64 bytes_in_use;	/* of all messages, with bookkeeping; atomic */

u64 msg_bytes_in_use(void)
{
	return load_relaxed(&bytes_in_use);
}

static struct msg_queue *queue_of(struct sysv_object *o)
{
	return container_of(o, struct msg_queue, o);
}

struct msg *msg_alloc(s64 type, u32 len)
{
	u64 size = sizeof(struct msg) + len;
	struct msg *m = NULL;

	if (atomic_add(&bytes_in_use, size) <= MSG_MAX_BYTES)
		m = kmalloc(size);
	if (!m) {
		atomic_sub(&bytes_in_use, size);
		return NULL;
	}
	list_init(&m->node);
	m->type = type;
	m->len = len;
	return m;
}

void msg_free(struct msg *m)
{
	atomic_sub(&bytes_in_use, sizeof(*m) + m->len);
	kfree(m);
}

static void queue_free(struct sysv_object *o)
{
	struct msg_queue *q = queue_of(o);
	struct msg *m, *tmp;

	list_for_each_safe(m, tmp, &q->messages, node) {
		list_del(&m->node);
		msg_free(m);
	}
	kfree(q);
}

static s64 now_seconds(void)
{
	return clock_realtime() / NSEC_PER_SEC;
}

static struct sysv_object *queue_create(s32 key, u32 flags, u64 arg __unused)
{
	struct msg_queue *q = kzalloc(sizeof(*q));

	if (!q)
		return ERR_PTR(-ENOMEM);
	sysv_init(&q->o, key, flags, queue_free);
	list_init(&q->messages);
	wait_queue_init(&q->readers);
	wait_queue_init(&q->writers);
	q->max_bytes = MSG_MAX_QUEUE;
	q->ctime = now_seconds();
	return &q->o;
}

long msg_get(s32 key, u32 flags)
{
	return sysv_get(&msg_table, key, flags, queue_create, NULL, 0);
}

int msg_remove(struct msg_queue *q)
{
	if (!sysv_may_change(&q->o))
		return -EPERM;
	if (!sysv_remove(&msg_table, &q->o))
		return -EIDRM;
	wake_up_all(&q->readers);
	wake_up_all(&q->writers);
	return 0;
}

/* Put it in. Return: 0, or -EAGAIN: full */
static int try_send(struct msg_queue *q, struct msg *m)
{
	if (q->bytes + m->len > q->max_bytes || q->nr + 1 > q->max_bytes)
		return -EAGAIN;
	list_add_tail(&m->node, &q->messages);
	q->nr++;
	q->bytes += m->len;
	q->stime = now_seconds();
	q->lspid = current->process->tgid;
	return 0;
}

/* The message that msgrcv(2) means by @type, or NULL. */
static struct msg *choose(struct msg_queue *q, s64 type, u32 flags)
{
	struct msg *m, *best = NULL;

	list_for_each(m, &q->messages, node) {
		if (!type)
			return m;
		if (type > 0) {
			if ((m->type == type) != !!(flags & MSG_FLAG_EXCEPT))
				return m;
		} else if (m->type <= (type == INT64_MIN ? INT64_MAX : -type) && (!best || m->type < best->type)) {
			best = m;
		}
	}
	return best;
}

static struct msg *try_receive(struct msg_queue *q, u64 size, s64 type, u32 flags)
{
	struct msg *m = choose(q, type, flags);

	if (!m)
		return ERR_PTR(-ENOMSG);
	if (m->len > size && !(flags & MSG_FLAG_NOERROR))
		return ERR_PTR(-E2BIG);
	list_del(&m->node);
	q->nr--;
	q->bytes -= m->len;
	q->rtime = now_seconds();
	q->lrpid = current->process->tgid;
	return m;
}

/* Sleep on @wq until somebody wakes it; the queue's lock is held, and let go meanwhile. Return: 0, -EIDRM, -ERESTARTNOHAND */
static int queue_sleep(struct msg_queue *q, struct wait_queue *wq)
{
	struct wait_entry we;

	if (signal_pending())
		return -ERESTARTNOHAND;
	wait_entry_init(&we);
	prepare_to_wait(wq, &we, TASK_INTERRUPTIBLE);
	mutex_unlock(&q->o.lock);
	schedule_until(FOREVER);
	finish_wait(&we);
	mutex_lock(&q->o.lock);
	return q->o.removed ? -EIDRM : 0;
}

long msg_send(s32 id, struct msg *m, u32 flags)
{
	struct sysv_object *o = sysv_lookup(&msg_table, id, SYSV_WRITE);
	struct msg_queue *q;
	int ret;

	if (IS_ERR(o))
		return PTR_ERR(o);
	q = queue_of(o);
	for (;;) {
		ret = try_send(q, m);
		if (ret != -EAGAIN || (flags & SYSV_NOWAIT))
			break;
		ret = queue_sleep(q, &q->writers);
		if (ret)
			break;
	}
	if (!ret)
		wake_up_all(&q->readers);
	sysv_unlock(o);
	return ret;
}

struct msg *msg_receive(s32 id, u64 size, s64 type, u32 flags)
{
	struct sysv_object *o = sysv_lookup(&msg_table, id, SYSV_READ);
	struct msg_queue *q;
	struct msg *m;

	if (IS_ERR(o))
		return (struct msg *)o;
	q = queue_of(o);
	for (;;) {
		int ret;

		m = try_receive(q, size, type, flags);
		if (m != ERR_PTR(-ENOMSG) || (flags & SYSV_NOWAIT))
			break;
		ret = queue_sleep(q, &q->readers);
		if (ret) {
			m = ERR_PTR(ret);
			break;
		}
	}
	if (!IS_ERR(m))
		wake_up_all(&q->writers);
	sysv_unlock(o);
	return m;
}
