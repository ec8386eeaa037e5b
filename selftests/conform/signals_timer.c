// SPDX-License-Identifier: MIT
/* alarm, interval timers and POSIX timers: what arms, what is left, what arrives. */
#include <sys/time.h>
#include <time.h>

#include "conform.h"

static volatile int count;
static siginfo_t last;

static void note(int sig, siginfo_t *si, void *ctx)
{
	(void)sig, (void)ctx;
	last = *si;
	count++;
}

static void handle(int sig)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART };

	MUST(sigaction(sig, &sa, NULL));
}

static bool reach(int n)
{
	long long until = now_ns() + 120000000000LL;

	while (count < n && now_ns() < until)
		msleep(1);
	return count >= n;
}

TEST(alarm)
{
	RET("replace", (alarm(0), alarm(100)));
	YES("left", alarm(50) == 100 || alarm(50) == 50);
	RET("cancel", alarm(0) == 50);
	RET("none", alarm(0));
	struct itimerval it;

	alarm(7);
	getitimer(ITIMER_REAL, &it);
	YES("is_itimer", it.it_value.tv_sec >= 6 && !it.it_interval.tv_sec && !it.it_interval.tv_usec);
	alarm(0);
	handle(SIGALRM);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 10000 } }, NULL);
	YES("fires", reach(1));
	say("info", "code %d", last.si_code);
	getitimer(ITIMER_REAL, &it);
	say("once", "%ld %ld", it.it_value.tv_sec, it.it_value.tv_usec);
	/* not inherited by a child */
	alarm(8);
	pid_t pid = fork();

	if (!pid)
		_exit((int)alarm(0));
	STR("fork", xwait(pid));
	YES("parent_keeps", alarm(0) > 0);
}

TEST(itimer)
{
	static const int which[] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };
	static const int sigs[] = { SIGALRM, SIGVTALRM, SIGPROF };
	struct itimerval it, old;
	volatile unsigned long spin = 0;

	alarm(0);
	for (int i = 0; i < 3; i++) {
		count = 0;
		handle(sigs[i]);
		it = (struct itimerval){ { 0, 5000 }, { 0, 5000 } };
		RET(N("%d.set", i), setitimer((__itimer_which_t)which[i], &it, NULL));
		long long until = now_ns() + 20000000000LL;

		while (count < 5 && now_ns() < until)
			spin++;
		YES(N("%d.fires", i), count >= 5);
		RET(N("%d.get", i), getitimer((__itimer_which_t)which[i], &old));
		YES(N("%d.interval", i), old.it_interval.tv_usec == 5000 || old.it_interval.tv_usec == 8000);
		it = (struct itimerval){ 0 };
		RET(N("%d.stop", i), setitimer((__itimer_which_t)which[i], &it, &old));
		int at = count;

		msleep(15);
		YES(N("%d.stopped", i), count - at <= 1);
		say(N("%d.info", i), "%s code %d", signal_name(last.si_signo), last.si_code);
	}
	RET("which", setitimer((__itimer_which_t)3, &it, NULL));
	RET("which.get", getitimer((__itimer_which_t)-1, &it));
	it.it_value.tv_usec = 1000000;
	RET("usec", setitimer(ITIMER_REAL, &it, NULL));
	it.it_value.tv_usec = -1;
	RET("usec_negative", setitimer(ITIMER_REAL, &it, NULL));
	RET("efault", setitimer(ITIMER_REAL, (void *)1, NULL));
	RET("efault.get", getitimer(ITIMER_REAL, (void *)1));
	STR("default_action", ({ pid_t pid = xfork(); if (!pid) {
		signal(SIGALRM, SIG_DFL);
		setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 1000 } }, NULL); for (;;) pause(); }
		xwait(pid); }));
}

static long create(int clock, int notify, int sig, int *id)
{
	struct sigevent ev = { .sigev_notify = notify, .sigev_signo = sig, .sigev_value.sival_int = 4711 };

	if (notify == SIGEV_THREAD_ID)
		ev._sigev_un._tid = gettid_();
	return syscall(SYS_timer_create, clock, &ev, id);
}

static long set(int id, int flags, long first_us, long interval_us)
{
	struct itimerspec it = { { interval_us / 1000000, interval_us % 1000000 * 1000 },
				 { first_us / 1000000, first_us % 1000000 * 1000 } };

	return syscall(SYS_timer_settime, id, flags, &it, NULL);
}

TEST(posix_timer)
{
	struct itimerspec it, old;
	struct timespec now;
	int id = -1, id2 = -1;

	handle(SIGUSR1);
	RET("create", create(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, &id));
	NUM("id", id);
	RET("create2", create(CLOCK_REALTIME, SIGEV_NONE, 0, &id2));
	YES("distinct", id != id2);
	RET("settime", set(id, 0, 5000, 0));
	YES("fires", reach(1));
	say("info", "code %d value %d overrun %d tid %d", last.si_code, last.si_value.sival_int, last.si_overrun,
	    last.si_timerid == id);
	RET("gettime", syscall(SYS_timer_gettime, id, &it));
	say("expired", "%ld %ld", it.it_value.tv_sec, it.it_value.tv_nsec);
	RET("overrun", syscall(SYS_timer_getoverrun, id));
	count = 0;
	RET("interval", set(id, 0, 2000, 2000));
	YES("interval.fires", reach(5));
	RET("gettime2", syscall(SYS_timer_gettime, id, &it));
	NUM("interval.is", it.it_interval.tv_nsec);
	it = (struct itimerspec){ 0 };
	RET("disarm", syscall(SYS_timer_settime, id, 0, &it, &old));
	YES("old", old.it_interval.tv_nsec == 2000000 && old.it_value.tv_nsec > 0);
	/* what passes while the signal is blocked is one signal with an overrun count */
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigprocmask(SIG_BLOCK, &s, NULL);
	count = 0;
	set(id, 0, 1000, 1000);
	msleep(30);
	sigprocmask(SIG_UNBLOCK, &s, NULL);
	set(id, 0, 0, 0);
	YES("blocked_once", count >= 1 && count <= 3);
	YES("overrun.some", syscall(SYS_timer_getoverrun, id) >= 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	count = 0;
	RET("absolute", set(id, TIMER_ABSTIME, now.tv_sec * 1000000 + now.tv_nsec / 1000 + 8000, 0));
	YES("absolute.fires", reach(1));
	RET("absolute_past", set(id, TIMER_ABSTIME, 1000, 0));
	YES("absolute_past.fires", reach(2));
	RET("thread", create(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGUSR1, &id2));
	count = 0;
	RET("thread.set", set(id2, 0, 1000, 0));
	YES("thread.fires", reach(1));
	RET("delete", syscall(SYS_timer_delete, id));
	RET("delete.again", syscall(SYS_timer_delete, id));
	RET("settime.deleted", set(id, 0, 1000, 0));
	RET("gettime.absent", syscall(SYS_timer_gettime, 999, &it));
	RET("overrun.absent", syscall(SYS_timer_getoverrun, 999));
	RET("clock", create(99, SIGEV_SIGNAL, SIGUSR1, &id));
	RET("notify", create(CLOCK_MONOTONIC, 9, SIGUSR1, &id));
	RET("signal", create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 70, &id));
	RET("signal_zero", create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, &id));
	RET("efault", syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, (int *)1));
	it = (struct itimerspec){ .it_value = { 0, 1000000000 } };
	RET("nsec", syscall(SYS_timer_settime, id2, 0, &it, NULL));
	it = (struct itimerspec){ .it_value = { -1, 0 } };
	RET("negative", syscall(SYS_timer_settime, id2, 0, &it, NULL));
	RET("settime.efault", syscall(SYS_timer_settime, id2, 0, (void *)1, NULL));
	RET("null_event", syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id));
	handle(SIGALRM);
	count = 0;
	set(id, 0, 1000, 0);
	YES("null_event.fires", reach(1));
	say("null_event.info", "%s value_is_id %d", signal_name(last.si_signo), last.si_value.sival_int == id);
	pid_t pid = xfork();

	if (!pid) {
		RET("child", syscall(SYS_timer_gettime, id2, &it));
		_exit(0);
	}
	xwait(pid);
}

TEST(cpu_timer)
{
	volatile unsigned long spin = 0;
	int id;

	handle(SIGUSR1);
	RET("create", create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, &id));
	RET("set", set(id, 0, 10000, 0));
	long long until = now_ns() + 20000000000LL;

	while (!count && now_ns() < until)
		spin++;
	YES("fires", count == 1);
	RET("thread", create(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGUSR1, &id));
	RET("thread.set", set(id, 0, 10000, 0));
	until = now_ns() + 20000000000LL;
	while (count < 2 && now_ns() < until)
		spin++;
	YES("thread.fires", count == 2);
}

TEST(many)
{
	int ids[40], made = 0;

	handle(SIGUSR1);
	for (int i = 0; i < 40; i++)
		made += !create(CLOCK_MONOTONIC, SIGEV_SIGNAL, 34 + i % 20, &ids[i]);
	NUM("made", made);
	for (int i = 0; i < 20; i++)
		handle(34 + i);
	for (int i = 0; i < 40; i++)
		MUST(set(ids[i], 0, 1000 + i * 300, 0));
	YES("all_fire", reach(40));
	for (int i = 0; i < 40; i++)
		made -= !syscall(SYS_timer_delete, ids[i]);
	NUM("left", made);
}
