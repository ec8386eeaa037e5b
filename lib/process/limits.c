// SPDX-License-Identifier: MIT
/* Limits and usage. The South counts a thread's time as one sum; it is shown as user time. */
#include "process/limits.h"

#include "mm/mm.h"
#include "process/pid.h"
#include "south/south.h"

u32 tasks_max = 32768;

void limits_init(struct rlimit64 *rlim)
{
	static const struct rlimit64 start[RLIM_NLIMITS] = {
		[RLIM_CPU] = { RLIM64_INFINITY, RLIM64_INFINITY },
		[RLIM_FSIZE] = { RLIM64_INFINITY, RLIM64_INFINITY },
		[RLIM_DATA] = { RLIM64_INFINITY, RLIM64_INFINITY },
		[RLIM_STACK] = { 8ul << 20, RLIM64_INFINITY },
		[RLIM_CORE] = { 0, RLIM64_INFINITY },
		[RLIM_RSS] = { RLIM64_INFINITY, RLIM64_INFINITY },
		[RLIM_NPROC] = { 32768, 32768 },
		[RLIM_NOFILE] = { 1024, 1048576 },
		[RLIM_MEMLOCK] = { 8ul << 20, 8ul << 20 },
		[RLIM_AS] = { RLIM64_INFINITY, RLIM64_INFINITY },
		[RLIM_LOCKS] = { RLIM64_INFINITY, RLIM64_INFINITY },
		[RLIM_SIGPENDING] = { 32768, 32768 },
		[RLIM_MSGQUEUE] = { 819200, 819200 },
		[RLIM_NICE] = { 0, 0 },
		[RLIM_RTPRIO] = { 0, 0 },
		[RLIM_RTTIME] = { RLIM64_INFINITY, RLIM64_INFINITY },
	};
	u32 i;

	for (i = 0; i < RLIM_NLIMITS; i++)
		rlim[i] = start[i];
}

static s64 task_cputime(struct task *t)
{
	return t->dead || !machine->cputime ? 0 : machine->cputime(t);
}

static u64 mm_maxrss_kib(struct task *t)
{
	return t->mm ? (u64)t->mm->max_rss_pages * (PAGE_SIZE / 1024) : 0;
}

void task_usage(struct task *t, struct rusage_times *u)
{
	*u = (struct rusage_times){ .utime = task_cputime(t) };
	u->maxrss_kib = t == current ? mm_maxrss_kib(t) : 0;
}

void process_usage(struct process *p, struct rusage_times *u)
{
	struct task *t;

	*u = (struct rusage_times){ .maxrss_kib = p->maxrss, .minflt = p->min_flt, .majflt = p->maj_flt,
				    .nvcsw = p->nvcsw, .nivcsw = p->nivcsw };
	mutex_lock(&tasklist_lock);
	u->utime = p->utime;
	u->stime = p->stime;
	for_each_thread(p, t)
		u->utime += task_cputime(t);
	mutex_unlock(&tasklist_lock);
	if (p == current->process)
		u->maxrss_kib = max(u->maxrss_kib, mm_maxrss_kib(current));
}

void children_usage(struct process *p, struct rusage_times *u)
{
	mutex_lock(&tasklist_lock);
	*u = (struct rusage_times){ .utime = p->cutime, .stime = p->cstime, .maxrss_kib = p->cmaxrss };
	mutex_unlock(&tasklist_lock);
}

void rusage_to_linux(const struct rusage_times *u, struct linux_rusage *r)
{
	*r = (struct linux_rusage){
		.utime_sec = u->utime / NSEC_PER_SEC, .utime_usec = u->utime % NSEC_PER_SEC / NSEC_PER_USEC,
		.stime_sec = u->stime / NSEC_PER_SEC, .stime_usec = u->stime % NSEC_PER_SEC / NSEC_PER_USEC,
		.maxrss = (s64)u->maxrss_kib, .minflt = (s64)u->minflt, .majflt = (s64)u->majflt,
		.nvcsw = (s64)u->nvcsw, .nivcsw = (s64)u->nivcsw,
	};
}
