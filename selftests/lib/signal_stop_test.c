// SPDX-License-Identifier: MIT
/* Signals over a fake South: job control stops, and timers that end in a signal. */
#include "tasks.c"
#include "unit.h"

#include "process/internal.h"
#include "process/itimer.h"

#define RESTORER	0x401000ull
#define OWN		((u64)current->process->tgid)

static long wait_for(s32 pid, u32 *status, u32 options)
{
	return call(61, wait4, (u64)pid, (u64)status, options, 0);
}

static long action(int sig, void (*handler)(int, void *, void *), u64 flags, sigset_t mask)
{
	struct ksigaction a = { (u64)handler, flags | LINUX_SA_RESTORER, RESTORER, mask };

	return call(13, rt_sigaction, (u64)sig, (u64)&a, 0, 8);
}

static void defaults(int sig)
{
	struct ksigaction a = { 0 };

	call(13, rt_sigaction, (u64)sig, (u64)&a, 0, 8);
}

static sigset_t setmask(int how, sigset_t set)
{
	sigset_t old = 0;

	EXPECT_EQ(call(14, rt_sigprocmask, (u64)how, (u64)&set, (u64)&old, 8), 0);
	return old;
}

static sigset_t pending(void)
{
	sigset_t set = 0;

	EXPECT_EQ(call(127, rt_sigpending, (u64)&set, 8), 0);
	return set;
}

/* What handlers saw, in order. Only one thread at a time handles signals in most tests. */
static int seen_nr, seen_sig[4096];
static u64 seen_value[4096];
static sigset_t seen_mask;
static s32 seen_tid;

static void note(int sig, void *info, void *uc)
{
	int i = __atomic_fetch_add(&seen_nr, 1, __ATOMIC_ACQ_REL) % 4096;

	(void)uc;
	seen_sig[i] = sig;
	seen_value[i] = ((struct siginfo *)info)->rt.value;
	seen_mask = current->blocked;
	seen_tid = current->tid;
}

static u32 status_of(int (*fn)(void *), void *arg)
{
	u32 status = 0xdead;
	s32 pid = (s32)fork_to(fn, arg);

	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	return status;
}

static int threads_ready;

static int stop_thread(void *arg)
{
	__atomic_add_fetch(&threads_ready, 1, __ATOMIC_ACQ_REL);
	for (;;) {
		call(186, gettid, 0);
		if (__atomic_load_n((bool *)arg, __ATOMIC_ACQUIRE))
			return 0;
		pause_ms(1);
	}
}

static bool stop_end;

static int stop_leader(void *arg)
{
	for (int i = 0; i < 3; i++)
		thread_to(stop_thread, &stop_end);
	stop_thread(&stop_end);
	while (current->process->nr_threads > 1)
		pause_ms(1);
	return (int)(long)arg;
}

static int next_child_info(struct siginfo *info)
{
	u8 all[SIGINFO_USER_SIZE];
	sigset_t set = SIGMASK(SIGCHLD);
	s64 ts[2] = { 5, 0 };
	int sig = (int)call(128, rt_sigtimedwait, (u64)&set, (u64)all, (u64)ts, 8);

	memcpy(info, all, sizeof(*info));
	return sig == SIGCHLD ? info->code : sig;
}

static void stop_and_continue(void)
{
	struct siginfo info;
	u32 status = 0;
	s32 pid;

	setmask(SIG_SETMASK, SIGMASK(SIGCHLD));
	threads_ready = 0;
	stop_end = false;
	pid = (s32)fork_to(stop_leader, (void *)8);
	EXPECT(eventually(__atomic_load_n(&threads_ready, __ATOMIC_ACQUIRE) == 4));
	EXPECT_EQ(wait_for(pid, &status, WAIT_UNTRACED | WAIT_CONTINUED | WAIT_NOHANG), 0);
	for (int i = 0; i < 20; i++) {
		EXPECT_EQ(call(62, kill, (u64)pid, SIGSTOP), 0);
		EXPECT_EQ(next_child_info(&info), CLD_STOPPED);
		EXPECT_EQ(info.chld.status, SIGSTOP);
		EXPECT_EQ(info.chld.pid, pid);
		EXPECT_EQ(wait_for(pid, &status, 0 | WAIT_NOHANG), 0);
		EXPECT_EQ(wait_for(pid, &status, WAIT_UNTRACED), pid);
		EXPECT_EQ(status, SIGSTOP << 8 | 0x7f);
		EXPECT_EQ(wait_for(pid, &status, WAIT_UNTRACED | WAIT_NOHANG), 0);
		/* a stopped process does not even handle what is deadly, but for SIGKILL */
		EXPECT_EQ(call(62, kill, (u64)pid, SIGCONT), 0);
		EXPECT_EQ(next_child_info(&info), CLD_CONTINUED);
		EXPECT_EQ(info.chld.status, SIGCONT);
		EXPECT_EQ(wait_for(-1, &status, WAIT_CONTINUED), pid);
		EXPECT_EQ(status, 0xffff);
		EXPECT_EQ(wait_for(pid, &status, WAIT_CONTINUED | WAIT_NOHANG), 0);
	}
	__atomic_store_n(&stop_end, true, __ATOMIC_RELEASE);
	EXPECT_EQ(next_child_info(&info), CLD_EXITED);
	EXPECT_EQ(info.chld.status, 8);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(status, 8 << 8);

	/* SA_NOCLDSTOP: no signal, but wait still says so. And SIGKILL ends a stopped process. */
	threads_ready = 0;
	stop_end = false;
	action(SIGCHLD, note, SA_NOCLDSTOP, 0);
	pid = (s32)fork_to(stop_leader, (void *)8);
	EXPECT(eventually(__atomic_load_n(&threads_ready, __ATOMIC_ACQUIRE) == 4));
	EXPECT_EQ(call(62, kill, (u64)pid, SIGSTOP), 0);
	EXPECT_EQ(wait_for(pid, &status, WAIT_UNTRACED), pid);
	EXPECT_EQ(pending(), 0);
	EXPECT_EQ(call(62, kill, (u64)pid, SIGTERM), 0);
	EXPECT_EQ(call(62, kill, (u64)pid, SIGKILL), 0);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT(status == SIGKILL || status == SIGTERM);
	EXPECT_EQ(next_child_info(&info), CLD_KILLED);
	defaults(SIGCHLD);
	setmask(SIG_SETMASK, 0);
}

static int stops_and_conts(void *arg)
{
	sigset_t both = SIGMASK(SIGTSTP) | SIGMASK(SIGCONT);

	(void)arg;
	setmask(SIG_BLOCK, both);
	action(SIGTSTP, note, 0, 0);
	action(SIGCONT, note, 0, 0);
	call(62, kill, OWN, SIGTSTP);
	if (pending() != SIGMASK(SIGTSTP))
		return 1;
	call(62, kill, OWN, SIGCONT);
	if (pending() != SIGMASK(SIGCONT))
		return 2;
	call(62, kill, OWN, SIGTSTP);
	return pending() == SIGMASK(SIGTSTP) ? 0 : 3;
}

static int orphan_tstp(void *arg)
{
	(void)arg;
	call(112, setsid, 0);
	call(62, kill, OWN, SIGTSTP);	/* nobody could continue us: it has no effect */
	return 0;
}

static void stop_rules(void)
{
	EXPECT_EQ(status_of(stops_and_conts, NULL), 0);
	EXPECT_EQ(status_of(orphan_tstp, NULL), 0);
}

/* Stops and continues that come as they like; at the end it is alive and can be killed. */
static void stop_storm(void)
{
	u32 status;
	s32 pid;

	threads_ready = 0;
	stop_end = false;
	pid = (s32)fork_to(stop_leader, (void *)1);
	EXPECT(eventually(__atomic_load_n(&threads_ready, __ATOMIC_ACQUIRE) == 4));
	for (int i = 0; i < 2000; i++)
		EXPECT_EQ(call(62, kill, (u64)pid, i % 2 ? SIGCONT : SIGSTOP), 0);
	__atomic_store_n(&stop_end, true, __ATOMIC_RELEASE);
	EXPECT_EQ(wait_for(pid, &status, 0), pid);
	EXPECT_EQ(status, 1 << 8);
}

static void timer_entries(void)
{
	struct sigqueue *q = sigqueue_alloc_timer();
	struct siginfo info;

	setmask(SIG_BLOCK, SIGMASK(SIGALRM));
	q->info = (struct siginfo){ .signo = SIGALRM, .code = SI_TIMER };
	q->info.timer.value = 5;
	EXPECT_EQ(send_sigqueue_process(q, current->process), 0);
	for (int i = 0; i < 7; i++)
		EXPECT_EQ(send_sigqueue_process(q, current->process), 1);
	EXPECT_EQ(signal_dequeue(SIGMASK(SIGALRM), &info), SIGALRM);
	EXPECT_EQ(info.timer.overrun, 7);
	EXPECT_EQ(q->last_overrun, 7);
	EXPECT_EQ(signal_dequeue(SIGMASK(SIGALRM), &info), 0);
	EXPECT_EQ(send_sigqueue_task(q, current), 0);
	EXPECT_EQ(signal_dequeue(~0ull, &info), SIGALRM);
	EXPECT_EQ(info.timer.overrun, 0);
	/* freed while it is pending: it still arrives */
	EXPECT_EQ(send_sigqueue_process(q, current->process), 0);
	sigqueue_free_timer(q);
	EXPECT_EQ(pending(), SIGMASK(SIGALRM));
	EXPECT_EQ(signal_dequeue(~0ull, &info), SIGALRM);
	setmask(SIG_SETMASK, 0);
}

static void timers(void)
{
	s64 it[4] = { 0, 20000, 0, 10000 }, old[4], ts[4] = { 0, 5000000, 0, 10000000 }, none[4] = { 0 };
	u64 event[8] = { 99, SIGUSR1 };		/* sigev_value; signo, notify 0 */
	u8 all[SIGINFO_USER_SIZE];
	struct siginfo info;
	sigset_t set = SIGMASK(SIGUSR1);
	s32 id = -1, id2 = -1;

	seen_nr = 0;
	action(SIGALRM, note, SA_SIGINFO, 0);
	EXPECT_EQ(call(38, setitimer, 0, (u64)it, (u64)old), 0);
	EXPECT_EQ(old[2] + old[3], 0);
	for (int i = 0; i < 3; i++)
		EXPECT_EQ(call(34, pause, 0), -EINTR);
	EXPECT_EQ(seen_nr, 3);
	EXPECT_EQ(call(36, getitimer, 0, (u64)old), 0);
	EXPECT_EQ(old[1], 20000);
	EXPECT(old[3] > 0 && old[3] <= 20000);
	EXPECT_EQ(call(37, alarm, 100), 1);
	EXPECT_EQ(call(37, alarm, 0), 100);
	EXPECT_EQ(call(36, getitimer, 3, (u64)old), -EINVAL);
	it[3] = 1000000;
	EXPECT_EQ(call(38, setitimer, 0, (u64)it, 0), -EINVAL);

	EXPECT_EQ(call(222, timer_create, 1, (u64)event, (u64)&id), 0);
	EXPECT_EQ(call(222, timer_create, 77, 0, (u64)&id2), -EINVAL);
	EXPECT_EQ(call(222, timer_create, 8, 0, (u64)&id2), -EPERM);
	EXPECT_EQ(call(222, timer_create, 1, (u64)event, 8), -EFAULT);
	setmask(SIG_BLOCK, set);
	EXPECT_EQ(call(223, timer_settime, (u64)id, 0, (u64)ts, 0), 0);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, 0, 8), SIGUSR1);
	memcpy(&info, all, sizeof(info));
	EXPECT_EQ(info.code, SI_TIMER);
	EXPECT_EQ(info.timer.timerid, id);
	EXPECT_EQ(info.timer.value, 99);
	pause_ms(58);			/* while it is pending, periods pass */
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, 0, 8), SIGUSR1);
	memcpy(&info, all, sizeof(info));
	EXPECT(info.timer.overrun >= 7);
	EXPECT_EQ(call(225, timer_getoverrun, (u64)id), info.timer.overrun);
	EXPECT_EQ(call(224, timer_gettime, (u64)id, (u64)old), 0);
	EXPECT_EQ(old[1], 5000000);
	/* a period that nobody could keep up with: bounded, and counted */
	ts[1] = 1;
	ts[3] = 1;
	EXPECT_EQ(call(223, timer_settime, (u64)id, 0, (u64)ts, 0), 0);
	pause_ms(20);
	EXPECT_EQ(call(223, timer_settime, (u64)id, 0, (u64)none, (u64)old), 0);
	EXPECT_EQ(call(128, rt_sigtimedwait, (u64)&set, (u64)all, 0, 8), SIGUSR1);
	memcpy(&info, all, sizeof(info));
	EXPECT(info.timer.overrun > 1000000);
	EXPECT_EQ(call(226, timer_delete, (u64)id), 0);
	EXPECT_EQ(call(226, timer_delete, (u64)id), -EINVAL);
	EXPECT_EQ(call(223, timer_settime, (u64)id, 0, (u64)ts, 0), -EINVAL);
	setmask(SIG_SETMASK, 0);
	defaults(SIGALRM);
}

static int armed_child(void *arg)
{
	s64 it[4] = { 0, 1000, 0, 1000 };
	s32 id;

	call(38, setitimer, 0, (u64)it, 0);
	call(222, timer_create, 1, 0, (u64)&id);
	call(223, timer_settime, (u64)id, 0, (u64)it, 0);
	action(SIGALRM, note, SA_SIGINFO, 0);
	pause_ms((int)(long)arg);
	return 0;
}

/* Processes end while their timers fire. */
static void timers_and_exit(void)
{
	for (long i = 0; i < 40; i++)
		EXPECT((status_of(armed_child, (void *)(i % 4)) & ~SIGALRM) == 0);
	itimers_exit(current->process);
}

static long allocs_at_start;

static void nothing_is_left(void)
{
	EXPECT(tasks_settle());
	EXPECT_EQ(current->cred->user->sigpending, 0);
	EXPECT_EQ(fake_allocs, allocs_at_start + 1);	/* the timer thread's task */
}

int main(void)
{
	tasks_boot(0);
	allocs_at_start = fake_allocs;
	RUN(stop_and_continue);
	RUN(stop_rules);
	RUN(stop_storm);
	RUN(timer_entries);
	RUN(timers);
	RUN(timers_and_exit);
	RUN(nothing_is_left);
	return unit_done();
}
