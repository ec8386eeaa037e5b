// SPDX-License-Identifier: MIT
/* poll(2), ppoll(2), select(2), pselect6(2). */
#include "base/string.h"
#include "fs/fdtable.h"
#include "ipc/poll.h"
#include "mm/kmalloc.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/limits.h"
#include "process/signal.h"

struct pollfd_abi {
	s32 fd;
	u16 events, revents;
};
_Static_assert(sizeof(struct pollfd_abi) == 8, "poll(2)");

/* The array as it was copied in, in pieces. A few stand on the stack. */
#define PIECE_FDS	((PAGE_SIZE - sizeof(struct pollfd_piece)) / sizeof(struct pollfd_abi))
#define STACK_FDS	16u

struct pollfd_piece {
	struct pollfd_piece *next;
	u64 nr;
	struct pollfd_abi fd[];
};

struct pollfd_first {
	struct pollfd_piece piece;
	struct pollfd_abi fd[STACK_FDS];
};

static void pieces_free(struct pollfd_piece *first)
{
	struct pollfd_piece *p, *next;

	for (p = first->next; p; p = next) {
		next = p->next;
		kfree(p);
	}
}

static int pieces_copy_in(struct pollfd_piece *first, u64 ufds, u64 nr)
{
	struct pollfd_piece *p = first;
	u64 room = STACK_FDS;

	first->next = NULL;
	for (;;) {
		p->nr = min(nr, room);
		if (copy_from_user(p->fd, ufds, p->nr * sizeof(p->fd[0])))
			return -EFAULT;
		ufds += p->nr * sizeof(p->fd[0]);
		nr -= p->nr;
		if (!nr)
			return 0;
		p->next = kmalloc(PAGE_SIZE);
		if (!p->next)
			return -ENOMEM;
		p = p->next;
		p->next = NULL;
		room = PIECE_FDS;
	}
}

/* Only revents are the kernel's to write: another thread may change the rest. */
static int pieces_copy_out(struct pollfd_piece *p, u64 ufds)
{
	for (; p; p = p->next) {
		for (u64 i = 0; i < p->nr; i++, ufds += sizeof(p->fd[0]))
			if (put_user(p->fd[i].revents, ufds + offsetof(struct pollfd_abi, revents)))
				return -EFAULT;
	}
	return 0;
}

static u32 poll_one(struct poll_waiter *w, int fd, u32 events, bool hook)
{
	struct file *f = fd_get(fd);
	u32 found;

	if (!f)
		return POLLNVAL;
	events |= POLLERR | POLLHUP;
	found = file_poll(f, hook ? poll_waiter_table(w, events) : NULL) & events;
	file_put(f);
	return found;
}

static int poll_scan(struct poll_waiter *w, struct pollfd_piece *p, bool hook)
{
	int count = 0;

	for (; p; p = p->next) {
		for (u64 i = 0; i < p->nr; i++) {
			struct pollfd_abi *pfd = &p->fd[i];

			pfd->revents = pfd->fd < 0 ? 0 : poll_one(w, pfd->fd, pfd->events, hook && !count);
			count += pfd->revents != 0;
		}
	}
	return count;
}

/* Return: how many have events, 0 at the deadline, -EINTR, -ENOMEM */
static int poll_wait_for(struct pollfd_piece *fds, s64 deadline)
{
	bool hook = deadline != 0, timed_out = !deadline;
	struct poll_waiter w;
	int ret;

	poll_waiter_init(&w);
	for (;;) {
		ret = poll_scan(&w, fds, hook);
		if (!ret)
			ret = w.error;
		if (!ret && !timed_out && signal_pending())
			ret = -EINTR;
		if (ret || timed_out)
			break;
		hook = false;
		timed_out = poll_waiter_sleep(&w, deadline) == -ETIMEDOUT;
	}
	poll_waiter_exit(&w);
	return ret;
}

static long do_poll(u64 ufds, u32 nfds, s64 deadline)
{
	struct pollfd_first first;
	long ret;

	if (nfds > rlimit(RLIM_NOFILE))
		return -EINVAL;
	ret = pieces_copy_in(&first.piece, ufds, nfds);
	if (!ret) {
		ret = poll_wait_for(&first.piece, deadline);
		if (ret >= 0 && pieces_copy_out(&first.piece, ufds))
			ret = -EFAULT;
	}
	pieces_free(&first.piece);
	return ret;
}

static long poll_restart(struct task *t);

static long poll_or_restart(u64 ufds, u32 nfds, s64 deadline)
{
	struct task *t = current;
	long ret = do_poll(ufds, nfds, deadline);

	if (ret != -EINTR)
		return ret;
	t->restart.func = poll_restart;
	t->restart.arg[0] = ufds;
	t->restart.arg[1] = nfds;
	t->restart.arg[2] = deadline;
	return -ERESTART_RESTARTBLOCK;
}

static long poll_restart(struct task *t)
{
	return poll_or_restart(t->restart.arg[0], t->restart.arg[1], t->restart.arg[2]);
}

SYSCALL_DEFINE(poll)
{
	int timeout = (int)a[2];

	return poll_or_restart(a[0], (u32)a[1], timeout < 0 ? FOREVER : deadline_after(timeout * NSEC_PER_MSEC));
}

enum time_form { AS_TIMESPEC, AS_TIMEVAL };

/*
 * The end of the calls that have a mask and tell what is left of the timeout. When that cannot be written, a restart would begin
 * with the whole timeout again: then it is EINTR.
 */
static long finish_timed(long ret, s64 deadline, u64 addr, enum time_form form)
{
	struct linux_timespec left;
	int err;

	if (ret == -EINTR)
		ret = -ERESTARTNOHAND;
	signal_restore_mask(ret == -ERESTARTNOHAND);
	if (!addr || !deadline || deadline == FOREVER)
		return ret;
	left = ns_to_timespec(max_t(s64, deadline - clock_monotonic(), 0));
	if (form == AS_TIMEVAL) {
		struct linux_timeval tv = { left.sec, left.nsec / NSEC_PER_USEC };

		err = copy_to_user(addr, &tv, sizeof(tv));
	} else {
		err = copy_to_user(addr, &left, sizeof(left));
	}
	if (err && ret == -ERESTARTNOHAND)
		ret = -EINTR;
	return ret;
}

SYSCALL_DEFINE(ppoll)
{
	s64 deadline;
	int ret;

	ret = deadline_from_user(&deadline, a[2]);
	if (!ret)
		ret = signal_set_user_mask(a[3], a[4]);
	if (ret)
		return ret;
	return finish_timed(do_poll(a[0], (u32)a[1], deadline), deadline, a[2], AS_TIMESPEC);
}

/* ---- select ---- */

#define SELECT_IN	(POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define SELECT_OUT	(POLLWRNORM | POLLWRBAND | POLLOUT | POLLERR)
#define SELECT_EX	POLLPRI
#define STACK_WORDS	4u	/* of each set: 256 descriptors */

/* Three sets as they came, and three with what was found; each @words long. */
struct select_sets {
	u32 nr, words;
	u64 user[3];
	u64 *want[3], *found[3];
	u64 stack[6 * STACK_WORDS];
};

static const u32 select_events[3] = { SELECT_IN, SELECT_OUT, SELECT_EX };

static int select_copy_in(struct select_sets *s)
{
	u64 *mem = s->stack;

	s->words = DIV_ROUND_UP(s->nr, 64);
	if (s->words > STACK_WORDS) {
		mem = kcalloc(6 * s->words, sizeof(u64));
		if (!mem)
			return -ENOMEM;
	} else {
		memset(s->stack, 0, sizeof(s->stack));
	}
	for (u32 i = 0; i < 3; i++) {
		s->want[i] = mem + i * s->words;
		s->found[i] = mem + (3 + i) * s->words;
		if (s->user[i] && copy_from_user(s->want[i], s->user[i], s->words * sizeof(u64)))
			return -EFAULT;
	}
	if (s->nr % 64)
		for (u32 i = 0; i < 3; i++)
			s->want[i][s->words - 1] &= (1ull << s->nr % 64) - 1;
	return 0;
}

static int select_copy_out(struct select_sets *s)
{
	for (u32 i = 0; i < 3; i++)
		if (s->user[i] && copy_to_user(s->user[i], s->found[i], s->words * sizeof(u64)))
			return -EFAULT;
	return 0;
}

static int select_one(struct select_sets *s, struct poll_waiter *w, u32 fd, bool hook)
{
	u64 bit = 1ull << fd % 64;
	u32 word = fd / 64, events = 0, found;
	int count = 0;

	for (u32 i = 0; i < 3; i++)
		if (s->want[i][word] & bit)
			events |= select_events[i];
	found = poll_one(w, (int)fd, events, hook);
	if (found & POLLNVAL)
		return -EBADF;
	for (u32 i = 0; i < 3; i++) {
		if ((s->want[i][word] & bit) && (found & select_events[i])) {
			s->found[i][word] |= bit;
			count++;
		}
	}
	return count;
}

static int select_scan(struct select_sets *s, struct poll_waiter *w, bool hook)
{
	int count = 0;

	for (u32 word = 0; word < s->words; word++) {
		u64 bits = s->want[0][word] | s->want[1][word] | s->want[2][word];

		for (; bits; bits &= bits - 1) {
			int ret = select_one(s, w, word * 64 + __builtin_ctzll(bits), hook && !count);

			if (ret < 0)
				return ret;
			count += ret;
		}
	}
	return count;
}

static int select_wait_for(struct select_sets *s, s64 deadline)
{
	bool hook = deadline != 0, timed_out = !deadline;
	struct poll_waiter w;
	int ret;

	poll_waiter_init(&w);
	for (;;) {
		ret = select_scan(s, &w, hook);
		if (!ret)
			ret = w.error;
		if (!ret && signal_pending())
			ret = -EINTR;
		if (ret || timed_out)
			break;
		hook = false;
		timed_out = poll_waiter_sleep(&w, deadline) == -ETIMEDOUT;
	}
	poll_waiter_exit(&w);
	return ret;
}

static long do_select(const u64 *a, s64 deadline)
{
	struct select_sets s = { .user = { a[1], a[2], a[3] } };
	int nr = (int)a[0];
	long ret;

	if (nr < 0)
		return -EINVAL;
	s.nr = min_t(u32, nr, fd_table_size());
	ret = select_copy_in(&s);
	if (!ret) {
		ret = select_wait_for(&s, deadline);
		if (ret >= 0 && select_copy_out(&s))
			ret = -EFAULT;
	}
	if (s.words > STACK_WORDS)
		kfree(s.want[0]);
	return ret;
}

SYSCALL_DEFINE(select)
{
	s64 deadline = FOREVER;
	struct linux_timeval tv;

	if (a[4]) {
		struct linux_timespec ts;

		if (get_user(tv, a[4]))
			return -EFAULT;
		if (__builtin_add_overflow(tv.sec, tv.usec / 1000000, &ts.sec))
			return -EINVAL;
		ts.nsec = tv.usec % 1000000 * NSEC_PER_USEC;
		if (!timespec_valid(&ts))
			return -EINVAL;
		deadline = deadline_after(timespec_to_ns(&ts));
	}
	return finish_timed(do_select(a, deadline), deadline, a[4], AS_TIMEVAL);
}

SYSCALL_DEFINE(pselect6)
{
	struct { u64 mask, size; } sig = { 0, 0 };
	s64 deadline;
	int ret;

	if (a[5] && get_user(sig, a[5]))
		return -EFAULT;
	ret = deadline_from_user(&deadline, a[4]);
	if (!ret)
		ret = signal_set_user_mask(sig.mask, sig.size);
	if (ret)
		return ret;
	return finish_timed(do_select(a, deadline), deadline, a[4], AS_TIMESPEC);
}
