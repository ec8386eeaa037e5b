// SPDX-License-Identifier: MIT
/* alarm(2), setitimer(2), timer_create(2) and its kin. */
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/itimer.h"
#include "process/pid.h"

#define CLOCK_REALTIME			0
#define CLOCK_MONOTONIC			1
#define CLOCK_PROCESS_CPUTIME_ID	2
#define CLOCK_THREAD_CPUTIME_ID		3
#define CLOCK_BOOTTIME			7
#define CLOCK_REALTIME_ALARM		8
#define CLOCK_BOOTTIME_ALARM		9
#define CLOCK_TAI			11

#define SIGEV_SIGNAL_		0
#define SIGEV_NONE_		1
#define SIGEV_THREAD_		2
#define SIGEV_THREAD_ID_	4

#define TIMER_ABSTIME_		1

static s64 timeval_to_ns(const struct linux_timeval *tv)
{
	s64 ns;

	if (__builtin_mul_overflow(tv->sec, NSEC_PER_SEC, &ns) || __builtin_add_overflow(ns, tv->usec * NSEC_PER_USEC, &ns))
		return INT64_MAX;
	return ns;
}

/* Rounded up: what has not run out yet is not 0. */
static struct linux_timeval ns_to_timeval(s64 ns)
{
	s64 usec = ns / NSEC_PER_USEC + (ns % NSEC_PER_USEC != 0);

	return (struct linux_timeval){ usec / 1000000, usec % 1000000 };
}

static bool timeval_valid(const struct linux_timeval *tv)
{
	return tv->sec >= 0 && tv->usec >= 0 && tv->usec < 1000000;
}

struct linux_itimerval {
	struct linux_timeval interval, value;
};

static int put_itimerval(u64 addr, const struct itimer_spec *spec)
{
	struct linux_itimerval out = { ns_to_timeval(spec->interval), ns_to_timeval(spec->value) };

	return copy_to_user(addr, &out, sizeof(out));
}

SYSCALL_DEFINE(getitimer)
{
	struct itimer_spec cur;
	int ret;

	if ((u32)a[0] >= ITIMER_KINDS)
		return -EINVAL;
	ret = itimer_set((enum itimer_which)(u32)a[0], NULL, &cur);
	return ret ? ret : put_itimerval(a[1], &cur);
}

SYSCALL_DEFINE(setitimer)
{
	struct linux_itimerval in = { { 0, 0 }, { 0, 0 } };
	struct itimer_spec new, old;
	int ret;

	/* setitimer(2): a missing new value disarms, for the sake of old programs */
	if (a[1] && get_user(in, a[1]))
		return -EFAULT;
	if (!timeval_valid(&in.value) || !timeval_valid(&in.interval) || (u32)a[0] >= ITIMER_KINDS)
		return -EINVAL;
	new = (struct itimer_spec){ timeval_to_ns(&in.value), timeval_to_ns(&in.interval) };
	ret = itimer_set((enum itimer_which)(u32)a[0], &new, &old);
	if (ret || !a[2])
		return ret;
	return put_itimerval(a[2], &old);
}

SYSCALL_DEFINE(alarm)
{
	struct itimer_spec new = { (s64)(u32)a[0] * NSEC_PER_SEC, 0 }, old;
	int ret = itimer_set(ITIMER_REAL_, &new, &old);

	if (ret)
		return ret;
	/* to the nearest second, but never 0 for one that was still to come */
	return old.value ? max((old.value + NSEC_PER_SEC / 2) / NSEC_PER_SEC, (s64)1) : 0;
}

/* ---- POSIX timers ---- */

/* The part of struct sigevent that the kernel reads. */
struct linux_sigevent {
	u64 value;
	s32 signo, notify, tid, pad[11];
};
_Static_assert(sizeof(struct linux_sigevent) == 64, "struct sigevent");

/* clockid_t of a process's or thread's processor time: ~id << 3 | bit 2: thread | kind */
static int decode_cpu_clock(s32 id, enum itimer_clock *clock)
{
	s32 pid = ~(id >> 3);

	if ((id & 3) == 3)
		return -EINVAL;
	*clock = id & 4 ? ITIMER_CLOCK_THREAD : ITIMER_CLOCK_PROCESS;
	return pid == 0 || pid == (id & 4 ? current->tid : current->process->tgid) ? 0 : -EINVAL;
}

static int decode_clock(s32 id, enum itimer_clock *clock)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_TAI:
		*clock = ITIMER_CLOCK_REALTIME;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
		*clock = ITIMER_CLOCK_MONOTONIC;
		return 0;
	case CLOCK_PROCESS_CPUTIME_ID:
		*clock = ITIMER_CLOCK_PROCESS;
		return 0;
	case CLOCK_THREAD_CPUTIME_ID:
		*clock = ITIMER_CLOCK_THREAD;
		return 0;
	case CLOCK_REALTIME_ALARM:
	case CLOCK_BOOTTIME_ALARM:
		return -EPERM;		/* CAP_WAKE_ALARM */
	default:
		return id < 0 ? decode_cpu_clock(id, clock) : -EINVAL;
	}
}

static int decode_event(struct posix_timer_args *args, const struct linux_sigevent *ev)
{
	args->value = ev->value;
	args->sig = ev->signo;
	switch (ev->notify) {
	case SIGEV_NONE_:
		args->notify = ITIMER_NOTIFY_NONE;
		return 0;
	case SIGEV_SIGNAL_:
	case SIGEV_THREAD_:
		args->notify = ITIMER_NOTIFY_PROCESS;
		break;
	case SIGEV_THREAD_ID_:
		args->notify = ITIMER_NOTIFY_THREAD;
		args->tid = ev->tid;
		break;
	default:
		return -EINVAL;
	}
	return signal_valid(ev->signo) ? 0 : -EINVAL;
}

SYSCALL_DEFINE(timer_create)
{
	struct posix_timer_args args = { .notify = ITIMER_NOTIFY_PROCESS, .sig = SIGALRM, .value_is_id = true };
	struct linux_sigevent ev;
	int ret = decode_clock((s32)a[0], &args.clock);
	s32 out;
	long id;

	if (!ret && a[1]) {
		if (get_user(ev, a[1]))
			return -EFAULT;
		args.value_is_id = false;
		ret = decode_event(&args, &ev);
	}
	if (ret)
		return ret;
	id = posix_timer_create(&args);
	if (id < 0)
		return id;
	out = (s32)id;
	if (put_user(out, a[2])) {
		(void)posix_timer_delete(out);
		return -EFAULT;
	}
	return 0;
}

static int put_itimerspec(u64 addr, const struct itimer_spec *spec)
{
	struct linux_itimerspec out = { ns_to_timespec(spec->interval), ns_to_timespec(spec->value) };

	return copy_to_user(addr, &out, sizeof(out));
}

SYSCALL_DEFINE(timer_settime)
{
	struct linux_itimerspec in;
	struct itimer_spec new, old;
	long ret;

	if (!a[2])
		return -EINVAL;
	if (get_user(in, a[2]))
		return -EFAULT;
	if (!timespec_valid(&in.value) || !timespec_valid(&in.interval))
		return -EINVAL;
	new = (struct itimer_spec){ timespec_to_ns(&in.value), timespec_to_ns(&in.interval) };
	ret = posix_timer_set((s32)a[0], (u32)a[1] & TIMER_ABSTIME_, &new, &old);
	if (ret || !a[3])
		return ret;
	return put_itimerspec(a[3], &old);
}

SYSCALL_DEFINE(timer_gettime)
{
	struct itimer_spec cur;
	long ret = posix_timer_get((s32)a[0], &cur);

	return ret ? ret : put_itimerspec(a[1], &cur);
}

SYSCALL_DEFINE(timer_getoverrun)
{
	return posix_timer_overrun((s32)a[0]);
}

SYSCALL_DEFINE(timer_delete)
{
	return posix_timer_delete((s32)a[0]);
}
