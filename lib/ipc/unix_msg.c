// SPDX-License-Identifier: MIT
/* Messages: what a sender may have under way, and queues of what was received. See unix.h. */
#include "ipc/unix.h"

#include "base/errno.h"
#include "mm/kmalloc.h"
#include "process/cred.h"
#include "process/task.h"

#define READ_EVENTS	(POLLIN | POLLRDNORM | POLLRDBAND | POLLERR | POLLHUP | POLLRDHUP)
#define WRITE_EVENTS	(POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLHUP)

/* Readers and writers sleep on one queue. In a round of question and answer each would wake the other for nothing. */
static bool wake_reader(struct wait_entry *we, u64 key)
{
	return (!key || (key & READ_EVENTS)) && wake_task(we->task);
}

static bool wake_writer(struct wait_entry *we, u64 key)
{
	return (!key || (key & WRITE_EVENTS)) && wake_task(we->task);
}

/* What a message of @len bytes counts against the send buffer: about what Linux's bookkeeping makes of it, which programs size by. */
static u32 charge_of(size_t len)
{
	size_t size = ALIGN_UP(len, 64ul) + 320, bucket = 512;

	while (bucket < size && bucket < 8192)
		bucket *= 2;
	return 256 + max(size, bucket);
}

/* Room in the send buffer for one more message; it may overshoot by that one, as on Linux. */
static bool reserve(struct unix_sock *u, u32 charge)
{
	u32 old = load_relaxed(&u->wmem);

	do {
		if (old >= READ_ONCE(u->sock.sndbuf))
			return false;
	} while (!__atomic_compare_exchange_n(&u->wmem, &old, old + charge, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	return true;
}

static int reserve_or_wait(struct unix_sock *u, u32 charge, s64 deadline)
{
	struct wait_entry we;
	bool timed_out = !deadline;
	int ret = 0;

	wait_entry_init_func(&we, wake_writer);
	for (;;) {
		prepare_to_wait(&u->sock.wait, &we, TASK_INTERRUPTIBLE);
		ret = socket_error(&u->sock);
		if (!ret && (READ_ONCE(u->shut) & SHUT_SEND))
			ret = -EPIPE;
		if (ret || reserve(u, charge))
			break;
		if (timed_out)
			ret = -EAGAIN;
		else if (signal_pending())
			ret = socket_interrupted(deadline);
		if (ret)
			break;
		timed_out = schedule_until(deadline) == -ETIMEDOUT;
	}
	finish_wait(&we);
	return ret;
}

struct unix_msg *unix_msg_alloc(struct unix_sock *u, size_t len, const struct sock_msg *m, s64 deadline)
{
	u32 charge = charge_of(len);
	struct unix_msg *msg;
	int ret = 0;

	if (load_relaxed(&u->sock.error) || (READ_ONCE(u->shut) & SHUT_SEND) || !reserve(u, charge))
		ret = reserve_or_wait(u, charge, deadline);
	if (ret)
		return ERR_PTR(ret);
	msg = kmalloc(sizeof(*msg) + len);
	if (!msg) {
		atomic_sub(&u->wmem, charge);
		return ERR_PTR(-ENOBUFS);
	}
	list_init(&msg->node);
	unix_get(u);
	msg->sender = u;
	msg->files = NULL;
	if (m->has_cred)
		msg->cred = m->cred;
	else
		msg->cred = (struct ucred_abi){ current->process->tgid, current->cred->uid, current->cred->gid };
	msg->len = len;
	msg->off = 0;
	msg->charge = charge;
	return msg;
}

void unix_msg_free(struct unix_msg *msg)
{
	struct unix_sock *u = msg->sender;

	scm_files_put(msg->files);
	atomic_sub(&u->wmem, msg->charge);
	if (wait_queue_active(&u->sock.wait) && unix_writable(u))
		wake_up_poll(&u->sock.wait, POLLOUT | POLLWRNORM | POLLWRBAND);
	unix_put(u);
	kfree(msg);
}

bool unix_queue_lock(struct unix_sock *to, const struct unix_msg *msg)
{
	bool files = msg->files;

	if (files)
		mutex_lock(&unix_gc_lock);
	spin_lock(&to->lock);
	return files;
}

void unix_queue_unlock(struct unix_sock *to, bool files)
{
	spin_unlock(&to->lock);
	if (files) {
		unix_inflight_added();
		mutex_unlock(&unix_gc_lock);
	}
}

int unix_queue_add(struct unix_sock *to, struct unix_msg *msg)
{
	if (msg->files) {
		int ret = unix_inflight_add(msg->files);

		if (ret)
			return ret;
	}
	list_add_tail(&msg->node, &to->queue);
	to->queue_len++;
	to->queue_bytes += msg->len;
	return 0;
}

void unix_queue_purge(struct unix_sock *u)
{
	struct list gone = LIST_INIT(gone);
	struct unix_msg *msg, *tmp;

	spin_lock(&u->lock);
	list_splice_tail(&u->queue, &gone);
	u->queue_len = 0;
	u->queue_bytes = 0;
	spin_unlock(&u->lock);
	list_for_each_safe(msg, tmp, &gone, node) {
		list_del(&msg->node);
		if (msg->files) {
			mutex_lock(&unix_gc_lock);
			unix_inflight_sub(msg->files);
			mutex_unlock(&unix_gc_lock);
		}
		unix_msg_free(msg);
	}
}

void unix_queue_tell(struct unix_sock *to)
{
	wake_up_poll(&to->sock.wait, POLLIN | POLLRDNORM | POLLRDBAND);
}

static bool has_something(const struct unix_sock *u)
{
	return !list_empty(&u->queue) || !list_empty(&u->accept_queue);
}

int unix_wait_readable(struct unix_sock *u, s64 deadline)
{
	/* a stream's reader may leave bytes that another can use: all are told. A message or a connection is for one. */
	bool exclusive = u->sock.type != LINUX_SOCK_STREAM || READ_ONCE(u->state) == UNIX_LISTENING;
	bool timed_out = !deadline;
	struct wait_entry we;
	int ret = 0;

	wait_entry_init_func(&we, wake_reader);
	for (;;) {
		if (exclusive)
			prepare_to_wait_exclusive(&u->sock.wait, &we, TASK_INTERRUPTIBLE);
		else
			prepare_to_wait(&u->sock.wait, &we, TASK_INTERRUPTIBLE);
		if (has_something(u) || load_relaxed(&u->sock.error) || (READ_ONCE(u->shut) & SHUT_RECEIVE))
			break;
		if (timed_out)
			ret = -EAGAIN;
		else if (signal_pending())
			ret = socket_interrupted(deadline);
		if (ret)
			break;
		timed_out = schedule_until(deadline) == -ETIMEDOUT;
	}
	finish_wait(&we);
	if (ret && exclusive && has_something(u))
		unix_queue_tell(u);	/* the wake-up that came with the signal was for another */
	return ret;
}
