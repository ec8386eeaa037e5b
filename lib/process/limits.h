/* SPDX-License-Identifier: MIT */
/* Resource limits (getrlimit(2)), usage, and the sandbox's own limit of tasks (lbx-exec --procs). */
#ifndef LIB_PROCESS_LIMITS_H
#define LIB_PROCESS_LIMITS_H

#include "process/task.h"

#define RLIM_CPU		0
#define RLIM_FSIZE		1
#define RLIM_DATA		2
#define RLIM_STACK		3
#define RLIM_CORE		4
#define RLIM_RSS		5
#define RLIM_NPROC		6
#define RLIM_NOFILE		7
#define RLIM_MEMLOCK		8
#define RLIM_AS			9
#define RLIM_LOCKS		10
#define RLIM_SIGPENDING		11
#define RLIM_MSGQUEUE		12
#define RLIM_NICE		13
#define RLIM_RTPRIO		14
#define RLIM_RTTIME		15

/* The most tasks that the sandbox may have at a time; set at boot. Beyond it clone answers EAGAIN. */
extern u32 tasks_max;

/* limits_init() - what the first program starts with */
void limits_init(struct rlimit64 *rlim);

/* rlimit() - the current process's soft limit */
static inline u64 rlimit(int which)
{
	return load_relaxed(&current->process->rlim[which].cur);
}

struct rusage_times {
	s64 utime, stime;	/* ns */
	u64 maxrss_kib, minflt, majflt, nvcsw, nivcsw;
};

/* process_usage() - of all threads of @p, live and gone; children_usage(): of children waited for */
void process_usage(struct process *p, struct rusage_times *u);
void children_usage(struct process *p, struct rusage_times *u);
/* task_usage() - of one thread */
void task_usage(struct task *t, struct rusage_times *u);

/* struct rusage of getrusage(2), as programs see it */
struct linux_rusage {
	s64 utime_sec, utime_usec, stime_sec, stime_usec;
	s64 maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};
_Static_assert(sizeof(struct linux_rusage) == 144, "struct rusage of x86-64");
void rusage_to_linux(const struct rusage_times *u, struct linux_rusage *r);

#define USER_HZ			100
static inline s64 ns_to_ticks(s64 ns) { return ns / (NSEC_PER_SEC / USER_HZ); }

#endif
