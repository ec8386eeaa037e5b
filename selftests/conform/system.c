// SPDX-License-Identifier: MIT
/* Clocks, uname, prctl, scheduling, getrandom, membarrier, rseq and other small calls. */
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>

#include "conform.h"

TEST(clocks)
{
	struct timespec a, b, res;

	for (int id = 0; id < 13; id++) {
		if (id == 8 || id == 9)
			continue;	/* alarm clocks: there where the machine has an RTC */
		OK(N("%d.get", id), clock_gettime(id, &a));
		OK(N("%d.syscall", id), syscall(SYS_clock_gettime, id, &b));
		OK(N("%d.res", id), clock_getres(id, &res));
		if (clock_gettime(id, &a))
			continue;
		clock_gettime(id, &b);
		YES(N("%d.forward", id), b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
		if (id != 5 && id != 6)		/* the coarse ones tell the timer's tick */
			say(N("%d.res.is", id), "%ld %ld", (long)res.tv_sec, res.tv_nsec);
		YES(N("%d.range", id), a.tv_nsec >= 0 && a.tv_nsec < 1000000000);
	}
	OK("negative", clock_gettime(-1, &a));
	OK("pid_clock", ({ clockid_t c; clock_getcpuclockid(getpid(), &c) ? -1 : clock_gettime(c, &a); }));
	ERR("pid_clock.absent", ({ clockid_t c; clock_getcpuclockid(0x3fffffff, &c); }));
	OK("set_monotonic", clock_settime(CLOCK_MONOTONIC, &a) && errno != EINVAL && errno != EPERM ? -1 : 0);
	clock_gettime(CLOCK_REALTIME, &a);
	struct timeval tv;

	gettimeofday(&tv, NULL);
	YES("gettimeofday", tv.tv_sec - a.tv_sec <= 1);
	YES("time", time(NULL) - a.tv_sec <= 1);
	clock_gettime(CLOCK_REALTIME_COARSE, &b);
	YES("coarse", a.tv_sec - b.tv_sec <= 1 && b.tv_sec - a.tv_sec <= 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (volatile int i = 0; i < 3000000; i++)
		;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	YES("cpu_advances", b.tv_sec * 1000000000L + b.tv_nsec > a.tv_sec * 1000000000L + a.tv_nsec + 100000);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	msleep(30);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	YES("sleep_costs_no_cpu", b.tv_sec * 1000000000L + b.tv_nsec - a.tv_sec * 1000000000L - a.tv_nsec < 20000000);
}

TEST(sleeping)
{
	static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID,
				      CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_TAI, 50 };
	struct timespec ts = { 0, 10000000 }, now;
	long long start;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		if (clocks[i] == CLOCK_PROCESS_CPUTIME_ID)
			continue;	/* would never end: nothing runs meanwhile */
		start = now_ns();
		int e = clock_nanosleep(clocks[i], 0, &ts, NULL);

		say(N("%d", clocks[i]), "%s %s", e ? errno_name(e) : "ok",
		    !e && now_ns() - start < 10000000 ? "too early" : "-");
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	now.tv_nsec += 10000000;
	now.tv_sec += now.tv_nsec / 1000000000, now.tv_nsec %= 1000000000;
	start = now_ns();
	ERR("abs", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL));
	ERR("abs_past", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){ 1, 0 }, NULL));
	ERR("bad", clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ 0, 1000000000 }, NULL));
	start = now_ns();
	for (int i = 0; i < 20; i++)
		nanosleep(&(struct timespec){ 0, 1000 }, NULL);
	YES("short_sleeps_are_short", now_ns() - start < 2000000000);
}

TEST(uname)
{
	struct utsname u;
	char name[65];

	RET("uname", uname(&u));
	STR("sysname", u.sysname);
	STR("machine", u.machine);
	int maj = 0, min = 0;

	sscanf(u.release, "%d.%d", &maj, &min);
	YES("release", maj * 1000 + min >= 5015);
	YES("version", u.version[0] == '#');
	RET("gethostname", gethostname(name, sizeof(name)));
	YES("gethostname.is", !strcmp(name, u.nodename));
	RET("gethostname.short", gethostname(name, 1) == 0 || errno == ENAMETOOLONG ? 0 : -1);
	RET("personality", personality(0xffffffff));
	RET("personality.set", personality(ADDR_NO_RANDOMIZE));
	HEX("personality.is", personality(0xffffffff));
	pid_t pid = xfork();

	if (!pid)
		_exit(personality(0xffffffff) == ADDR_NO_RANDOMIZE ? 0 : 1);
	STR("personality.child", xwait(pid));
}

TEST(prctl)
{
	int v = -1;

	RET("name", prctl(PR_SET_NAME, "x"));
	RET("dumpable", prctl(PR_GET_DUMPABLE));
	RET("dumpable.set", prctl(PR_SET_DUMPABLE, 0));
	RET("dumpable.is", prctl(PR_GET_DUMPABLE));
	RET("dumpable.bad", prctl(PR_SET_DUMPABLE, 7));
	RET("dumpable.back", prctl(PR_SET_DUMPABLE, 1));
	RET("no_new_privs.bad", prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
	RET("no_new_privs.tail", prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
	RET("no_new_privs.set", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	RET("no_new_privs.is", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	RET("timerslack", prctl(PR_SET_TIMERSLACK, 12345));
	RET("timerslack.is", prctl(PR_GET_TIMERSLACK));
	RET("pdeathsig", prctl(PR_GET_PDEATHSIG, &v));
	NUM("pdeathsig.is", v);
	RET("keepcaps", prctl(PR_GET_KEEPCAPS));
	RET("tsc", prctl(PR_GET_TSC, &v));
	NUM("tsc.is", v);
	RET("thp", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	RET("capbset_read", prctl(PR_CAPBSET_READ, 0) >= 0);
	RET("capbset_bad", prctl(PR_CAPBSET_READ, 999));
	RET("unknown", prctl(987654, 0, 0, 0, 0));
}

TEST(sched)
{
	struct sched_param sp = { 0 };
	cpu_set_t set, old;
	struct timespec ts;

	RET("getscheduler", sched_getscheduler(0));
	RET("getscheduler.absent", sched_getscheduler(0x3fffffff));
	RET("getscheduler.negative", sched_getscheduler(-1));
	RET("getparam", sched_getparam(0, &sp));
	NUM("priority", sp.sched_priority);
	RET("setscheduler.same", sched_setscheduler(0, SCHED_OTHER, &sp));
	RET("batch", sched_setscheduler(0, SCHED_BATCH, &sp));
	RET("batch.is", sched_getscheduler(0));
	sp.sched_priority = 5;
	RET("other_with_priority", sched_setscheduler(0, SCHED_OTHER, &sp));
	RET("bad_policy", sched_setscheduler(0, 99, &sp));
	static const int policies[] = { SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, 99 };

	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		RET(N("%d.max", policies[i]), sched_get_priority_max(policies[i]));
		RET(N("%d.min", policies[i]), sched_get_priority_min(policies[i]));
	}
	RET("rr_interval", sched_rr_get_interval(0, &ts));
	RET("yield", sched_yield());
	RET("getaffinity", sched_getaffinity(0, sizeof(old), &old));
	YES("getaffinity.some", CPU_COUNT(&old) >= 1 && CPU_COUNT(&old) == sysconf(_SC_NPROCESSORS_ONLN));
	RET("getaffinity.small", syscall(SYS_sched_getaffinity, 0, 1, &set) == -1 && errno == EINVAL);
	RET("getaffinity.odd", syscall(SYS_sched_getaffinity, 0, 129, &set));
	RET("setaffinity", sched_setaffinity(0, sizeof(old), &old));
	CPU_ZERO(&set);
	RET("setaffinity.none", sched_setaffinity(0, sizeof(set), &set));
	int first = 0;

	while (!CPU_ISSET(first, &old))
		first++;
	CPU_SET(first, &set);
	RET("setaffinity.one", sched_setaffinity(0, sizeof(set), &set));
	RET("getaffinity.one", sched_getaffinity(0, sizeof(set), &set));
	NUM("one", CPU_COUNT(&set));
	YES("getcpu", CPU_ISSET(sched_getcpu(), &old));
	unsigned int cpu = 99, node = 99;

	RET("getcpu.syscall", syscall(SYS_getcpu, &cpu, &node, NULL));
	YES("getcpu.is", CPU_ISSET(cpu, &old) && node < 99);
	RET("getpriority", getpriority(PRIO_PROCESS, 0));
	RET("getpriority.raw", syscall(SYS_getpriority, PRIO_PROCESS, 0));
	RET("getpriority.bad", getpriority(7, 0));
	RET("getpriority.absent", getpriority(PRIO_PROCESS, 0x3fffffff));
	RET("setpriority", setpriority(PRIO_PROCESS, 0, 10));
	RET("setpriority.is", getpriority(PRIO_PROCESS, 0));
	RET("setpriority.over", setpriority(PRIO_PROCESS, 0, 100));
	RET("setpriority.clamped", getpriority(PRIO_PROCESS, 0));
	pid_t pid = xfork();

	if (!pid)
		_exit(getpriority(PRIO_PROCESS, 0));
	STR("inherited", xwait(pid));
}

TEST(getrandom)
{
	unsigned char a[64] = { 0 }, b[64] = { 0 };

	RET("plain", getrandom(a, 64, 0));
	RET("random", getrandom(b, 64, GRND_RANDOM));
	YES("differ", memcmp(a, b, 64));
	RET("nonblock", getrandom(a, 10, GRND_NONBLOCK));
	RET("insecure", getrandom(a, 10, 4));
	RET("insecure_random", getrandom(a, 10, 4 | GRND_RANDOM));
	RET("flags", getrandom(a, 10, 0x10));
	RET("zero", getrandom(a, 0, 0));
	RET("efault", getrandom((void *)1, 10, 0));
	char *big = malloc(1 << 20);
	int hist[256] = { 0 }, bad = 0;

	RET("big", getrandom(big, 1 << 20, 0));
	for (int i = 0; i < 1 << 20; i++)
		hist[(unsigned char)big[i]]++;
	for (int i = 0; i < 256; i++)
		bad += hist[i] < 3400 || hist[i] > 4800;	/* 4096 expected; eleven standard deviations */
	NUM("big.skewed", bad);
	pid_t pid = xfork();

	if (!pid) {
		getrandom(b, 32, 0);
		put_file("child", N("%02x%02x%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]));
		_exit(0);
	}
	xwait(pid);
	getrandom(b, 32, 0);
	YES("child_differs", strcmp(get_file("child"), N("%02x%02x%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
						       b[5], b[6], b[7])));
}

TEST(membarrier)
{
	long q = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	YES("query", q > 0 && (q & MEMBARRIER_CMD_PRIVATE_EXPEDITED));
	RET("unregistered", syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	RET("register", syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	RET("private", syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
	RET("global", syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
	RET("flags", syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0x100, 0));
	RET("unknown", syscall(SYS_membarrier, 1 << 20, 0, 0));
}

struct rseq_area {
	uint32_t cpu_start, cpu;
	uint64_t cs;
	uint32_t flags, pad[3];
} __attribute__((aligned(32)));

static void *rseq_thread(void *arg)
{
	static struct rseq_area area = { .cpu = (uint32_t)-1 };

	RET("size", syscall(SYS_rseq, &area, 16, 0, 0x53053053));
	RET("unaligned", syscall(SYS_rseq, (char *)&area + 8, 32, 0, 0x53053053));
	RET("flags", syscall(SYS_rseq, &area, 32, 8, 0x53053053));
	RET("unregister_early", syscall(SYS_rseq, &area, 32, 1, 0x53053053));
	RET("register", syscall(SYS_rseq, &area, 32, 0, 0x53053053));
	sched_yield();
	YES("cpu", area.cpu < 1024 && area.cpu == area.cpu_start);
	RET("twice", syscall(SYS_rseq, &area, 32, 0, 0x53053053));
	RET("other_signature", syscall(SYS_rseq, &area, 32, 0, 0x1234));
	RET("unregister_other", syscall(SYS_rseq, &area, 32, 1, 0x1234));
	RET("unregister", syscall(SYS_rseq, &area, 32, 1, 0x53053053));
	YES("unregistered", area.cpu == (uint32_t)-2 || area.cpu == (uint32_t)-1);
	return arg;
}

TEST(rseq)
{
	/* glibc has registered an area for this thread; one that shares our memory starts without */
	static char stack[65536] __attribute__((aligned(16)));
	int tid = clone((int (*)(void *))(void *)rseq_thread, stack + sizeof(stack),
			CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

	MUST(tid);
	STR("child", xwait(tid));
}

static int64_t cpu_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int64_t usage_ns(int who)
{
	struct rusage ru;

	getrusage(who, &ru);
	return (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) * 1000000000ll + (ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) * 1000ll;
}

/* More children than processors: what they used together is no more than the processors had to give. */
TEST(cputime)
{
	int64_t start = cpu_ns(CLOCK_MONOTONIC), wall, used, had = get_nprocs();
	int n = 4 * (int)had;

	for (int i = 0; i < n; i++)
		if (!xfork()) {
			while (cpu_ns(CLOCK_MONOTONIC) - start < 400000000)
				;
			_exit(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) <= cpu_ns(CLOCK_MONOTONIC) - start ? 0 : 1);
		}
	int status, bad = 0;

	for (int i = 0; i < n; i++) {
		MUST(wait(&status));
		bad += status != 0;
	}
	wall = cpu_ns(CLOCK_MONOTONIC) - start;
	used = usage_ns(RUSAGE_CHILDREN);
	NUM("bad", bad);
	YES("used", used > 0 && used <= had * wall + had * wall / 10);
	used = usage_ns(RUSAGE_SELF);
	while (usage_ns(RUSAGE_SELF) < used + 20000000)
		;
	YES("self", usage_ns(RUSAGE_SELF) >= used + 20000000);
	YES("clocks_agree", llabs(cpu_ns(CLOCK_PROCESS_CPUTIME_ID) - usage_ns(RUSAGE_SELF)) < 200000000);
}

#define IOPRIO(class, level)	((class) << 13 | (level))

TEST(ioprio)
{
	long start = syscall(SYS_ioprio_get, 1, 0);

	HEX("start", start);
	RET("set.be", syscall(SYS_ioprio_set, 1, 0, IOPRIO(2, 6)));
	HEX("get.be", syscall(SYS_ioprio_get, 1, getpid()));
	HEX("get.group", syscall(SYS_ioprio_get, 2, 0));
	RET("set.idle", syscall(SYS_ioprio_set, 1, getpid(), IOPRIO(3, 0)));
	HEX("get.idle", syscall(SYS_ioprio_get, 1, 0));
	RET("set.none", syscall(SYS_ioprio_set, 1, 0, 0));
	RET("set.none_level", syscall(SYS_ioprio_set, 1, 0, 3));
	RET("set.class", syscall(SYS_ioprio_set, 1, 0, IOPRIO(4, 0)));
	RET("set.negative", syscall(SYS_ioprio_set, 1, 0, -1));
	RET("set.which", syscall(SYS_ioprio_set, 0, 0, IOPRIO(2, 4)));
	RET("get.which", syscall(SYS_ioprio_get, 4, 0));
	RET("get.absent", syscall(SYS_ioprio_get, 1, 0x3fffffff));
	RET("set.absent", syscall(SYS_ioprio_set, 2, 0x3fffffff, IOPRIO(2, 4)));
	MUST(syscall(SYS_ioprio_set, 1, 0, IOPRIO(2, 7)));
	if (!xfork()) {
		HEX("child", syscall(SYS_ioprio_get, 1, 0));
		_exit(0);
	}
	MUST(wait(NULL));
}

TEST(misc)
{
	struct sysinfo si;

	RET("sysinfo", sysinfo(&si));
	YES("sysinfo.sane", si.uptime > 0 && si.totalram > si.freeram && si.mem_unit > 0 && si.procs > 0);
	RET("getpagesize", getpagesize());
	YES("nprocs", sysconf(_SC_NPROCESSORS_CONF) >= sysconf(_SC_NPROCESSORS_ONLN));
	RET("umask", (umask(0123), umask(022)));
	RET("io_setup_efault", syscall(SYS_io_setup, 1, (void *)1) == -1 && (errno == EFAULT || errno == ENOSYS));
	RET("restart_syscall", syscall(SYS_restart_syscall));
	RET("kcmp_self", syscall(SYS_kcmp, getpid(), getpid(), 0, 1, 1) == 0 || errno == ENOSYS);
	RET("getdtablesize", getdtablesize() > 0);
	RET("capget", ({ struct { uint32_t v; int pid; } h = { 0x20080522, 0 }; uint32_t d[6]; syscall(SYS_capget, &h, d); }));
	RET("capget.version", ({ struct { uint32_t v; int pid; } h = { 7, 0 }; uint32_t d[6]; syscall(SYS_capget, &h, d); }));
	RET("chroot_absent", chroot("/nonexistent"));
}
