// SPDX-License-Identifier: MIT
/* Clocks and sleeping: clock_gettime(2), clock_nanosleep(2), time(2). Programs mostly ask the vDSO and never come here. */
#include "base/string.h"
#include "north/linux/syscall.h"
#include "north/linux/timespec.h"
#include "process/limits.h"
#include "process/fork.h"
#include "process/pid.h"
#include "process/task.h"
#include "south/south.h"

#define CLOCK_REALTIME			0
#define CLOCK_MONOTONIC			1
#define CLOCK_PROCESS_CPUTIME_ID	2
#define CLOCK_THREAD_CPUTIME_ID		3
#define CLOCK_MONOTONIC_RAW		4
#define CLOCK_REALTIME_COARSE		5
#define CLOCK_MONOTONIC_COARSE		6
#define CLOCK_BOOTTIME			7
#define CLOCK_REALTIME_ALARM		8
#define CLOCK_BOOTTIME_ALARM		9
#define CLOCK_TAI			11

#define TIMER_ABSTIME			1
#define COARSE_RES_NS			4000000

/* CPU clocks of other tasks: ~pid << 3 | kind, clock_getcpuclockid(3) */
#define CPUCLOCK_THREAD			4
#define CPUCLOCK_KIND			3

static s64 process_cputime(struct process *p)
{
	struct rusage_times u;

	process_usage(p, &u);
	return u.utime + u.stime;
}

static s64 cpu_clock_of(s32 id)
{
	s32 pid = ~(id >> 3);
	s64 ns = -EINVAL;

	if ((id & CPUCLOCK_KIND) == CPUCLOCK_KIND)
		return -EINVAL;
	if (id & CPUCLOCK_THREAD) {
		struct task *t = pid ? task_find_get(pid) : NULL;

		if (!pid)
			return machine->cputime(current);
		if (t && t->process == current->process)
			ns = machine->cputime(t);
		task_put(t);
	} else {
		struct process *p = pid ? process_find_get(pid) : NULL;

		if (!pid)
			return process_cputime(current->process);
		if (p)
			ns = process_cputime(p);
		process_put(p);
	}
	return ns;
}

/* Return: ns, or -EINVAL: no such clock */
static s64 clock_read(s32 id)
{
	if (id < 0)
		return cpu_clock_of(id);
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_TAI:
		return clock_realtime();
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return clock_monotonic();
	case CLOCK_PROCESS_CPUTIME_ID:
		return process_cputime(current->process);
	case CLOCK_THREAD_CPUTIME_ID:
		return machine->cputime(current);
	}
	return -EINVAL;
}

SYSCALL_DEFINE(clock_gettime)
{
	s64 ns = clock_read((s32)a[0]);
	struct linux_timespec ts;

	if (ns < 0)
		return ns;
	ts = ns_to_timespec(ns);
	return put_user(ts, a[1]);
}

SYSCALL_DEFINE(clock_getres)
{
	s32 id = (s32)a[0];
	struct linux_timespec ts = { 0, 1 };

	if (clock_read(id) < 0)
		return -EINVAL;
	if (id == CLOCK_REALTIME_COARSE || id == CLOCK_MONOTONIC_COARSE)
		ts.nsec = COARSE_RES_NS;
	return a[1] ? put_user(ts, a[1]) : 0;
}

SYSCALL_DEFINE(gettimeofday)
{
	s64 now = clock_realtime();
	struct linux_timeval tv = { now / NSEC_PER_SEC, now % NSEC_PER_SEC / NSEC_PER_USEC };
	s32 tz[2] = { 0, 0 };

	if (a[0] && put_user(tv, a[0]))
		return -EFAULT;
	if (a[1] && copy_to_user(a[1], tz, sizeof(tz)))
		return -EFAULT;
	return 0;
}

SYSCALL_DEFINE(time)
{
	s64 now = clock_realtime() / NSEC_PER_SEC;

	if (a[0] && put_user(now, a[0]))
		return -EFAULT;
	return now;
}

/* The clock is the host's: nobody inside has CAP_SYS_TIME. */
SYSCALL_DEFINE(clock_settime)
{
	struct linux_timespec ts;

	if ((s32)a[0] < 0 || clock_read((s32)a[0]) < 0)
		return -EINVAL;
	if (get_user(ts, a[1]))
		return -EFAULT;
	return timespec_valid(&ts) ? -EPERM : -EINVAL;
}

SYSCALL_DEFINE(settimeofday)
{
	return -EPERM;
}

/* struct timex of adjtimex(2): only what reading gives */
struct linux_timex {
	u32 modes, pad0;
	s64 offset, freq, maxerror, esterror;
	s32 status, pad1;
	s64 constant, precision, tolerance;
	struct linux_timeval time;
	s64 tick, ppsfreq, jitter;
	s32 shift, pad2;
	s64 stabil, jitcnt, calcnt, errcnt, stbcnt;
	s32 tai, pad3[11];
};
_Static_assert(sizeof(struct linux_timex) == 208, "struct timex of x86-64");

#define STA_UNSYNC	0x40
#define TIME_ERROR	5

static long adjust(u64 addr)
{
	struct linux_timex tx;
	u32 modes;
	s64 now;

	if (get_user(modes, addr))
		return -EFAULT;
	if (modes)
		return -EPERM;
	now = clock_realtime();
	tx = (struct linux_timex){
		.maxerror = 16000000, .esterror = 16000000, .status = STA_UNSYNC, .constant = 2, .precision = 1,
		.tolerance = 32768000, .tick = 10000,
		.time = { now / NSEC_PER_SEC, now % NSEC_PER_SEC / NSEC_PER_USEC },
	};
	return put_user(tx, addr) ? -EFAULT : TIME_ERROR;
}

SYSCALL_DEFINE(adjtimex)
{
	return adjust(a[0]);
}

SYSCALL_DEFINE(clock_adjtime)
{
	if (clock_read((s32)a[0]) < 0)
		return -EINVAL;
	if ((s32)a[0] != CLOCK_REALTIME)
		return -EOPNOTSUPP;
	return adjust(a[1]);
}

/* Sleep until @deadline; Return: 0, or -ERESTARTSYS: a signal */
static long sleep_until(s64 deadline)
{
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (signal_pending())
			break;
		if (schedule_until(deadline) == -ETIMEDOUT)
			return 0;
	}
	set_current_state(TASK_RUNNING);
	return -ERESTARTSYS;
}

static long remember_rest(s64 deadline, u64 rem)
{
	struct linux_timespec rest = ns_to_timespec(max_t(s64, 0, deadline - clock_monotonic()));

	return rem && put_user(rest, rem) ? -EFAULT : -ERESTART_RESTARTBLOCK;
}

static long nanosleep_restart(struct task *t)
{
	s64 deadline = (s64)t->restart.arg[0];
	long ret = sleep_until(deadline);

	return ret ? remember_rest(deadline, t->restart.arg[1]) : 0;
}

static long sleep_relative(s64 ns, u64 rem)
{
	s64 deadline;
	long ret;

	if (__builtin_add_overflow(clock_monotonic(), ns, &deadline))
		deadline = FOREVER;
	ret = sleep_until(deadline);
	if (!ret)
		return 0;
	current->restart.func = nanosleep_restart;
	current->restart.arg[0] = (u64)deadline;
	current->restart.arg[1] = rem;
	return remember_rest(deadline, rem);
}

SYSCALL_DEFINE(nanosleep)
{
	struct linux_timespec ts;

	if (get_user(ts, a[0]))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	return sleep_relative(timespec_to_ns(&ts), a[1]);
}

SYSCALL_DEFINE(clock_nanosleep)
{
	s32 id = (s32)a[0];
	struct linux_timespec ts;
	s64 now, ns, deadline;

	if (id == CLOCK_THREAD_CPUTIME_ID || id == CLOCK_MONOTONIC_RAW || id == CLOCK_REALTIME_COARSE ||
	    id == CLOCK_MONOTONIC_COARSE)
		return id == CLOCK_THREAD_CPUTIME_ID ? -EINVAL : -EOPNOTSUPP;
	now = clock_read(id);
	if (now < 0)
		return -EINVAL;
	if (get_user(ts, a[2]))
		return -EFAULT;
	if (!timespec_valid(&ts))
		return -EINVAL;
	ns = timespec_to_ns(&ts);
	if (!((u32)a[1] & TIMER_ABSTIME))
		return sleep_relative(ns, a[3]);
	/* absolute: as far ahead on the monotonic clock; nobody sets the clocks while we sleep but the host */
	if (ns <= now)
		return 0;
	if (__builtin_add_overflow(clock_monotonic(), ns - now, &deadline))
		deadline = FOREVER;
	return sleep_until(deadline) ? -ERESTARTNOHAND : 0;
}
