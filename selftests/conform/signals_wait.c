// SPDX-License-Identifier: MIT
/* Which calls a signal interrupts, waiting for signals, signalfd, and registers across a handler. */
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>

#include "conform.h"

static volatile int count;
static volatile int *seen;	/* shared with the one who sends */

static void note(int sig)
{
	(void)sig;
	count++;
	if (seen)
		++*seen;
}

/* Until @pid, whose handler has been called, sleeps again or has ended. */
static void settle(pid_t pid)
{
	siginfo_t si;

	for (int i = 0; i < 10000 && !*seen; i++)
		msleep(1);
	for (int i = 0; i < 10000; i++) {
		char buf[256] = "", *p;
		int fd = open(N("/proc/%d/stat", pid), O_RDONLY);

		si.si_pid = 0;
		if (fd < 0 || (!waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT | WNOHANG) && si.si_pid))
			break;
		read(fd, buf, sizeof(buf) - 1);
		close(fd);
		p = strrchr(buf, ')');
		if (p && p[2] == 'S')
			return;
		msleep(1);
	}
}

static void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	MUST(sigaction(sig, &sa, NULL));
}

/*
 * Each of these blocks until @release was called (or for ever). A restarted
 * call then ends as if no signal had come.
 */
static int fds[2], out[2], ef, tf, ep;
static uint32_t word;
static struct timespec half = { 0, 300000000 };
static pid_t sleeper;

static long do_read_pipe(void) { char c; return read(fds[0], &c, 1); }
static long do_readv_socket(void) { char c; return recv(fds[0], &c, 1, 0); }
static long do_write_pipe(void) { static char b[1 << 20]; return write(out[1], b, 1 << 20) > 0 ? 1 : -1; }
static long do_poll(void) { return poll(&(struct pollfd){ fds[0], POLLIN, 0 }, 1, 2000); }
static long do_ppoll(void) { return ppoll(&(struct pollfd){ fds[0], POLLIN, 0 }, 1, NULL, NULL); }
static long do_select(void)
{
	fd_set s;

	FD_ZERO(&s);
	FD_SET(fds[0], &s);
	return select(fds[0] + 1, &s, NULL, NULL, NULL);
}
static long do_epoll(void) { struct epoll_event e; return epoll_wait(ep, &e, 1, 2000); }
static long do_nanosleep(void) { return nanosleep(&half, NULL); }
static long do_clock_nanosleep(void) { errno = clock_nanosleep(CLOCK_MONOTONIC, 0, &half, NULL); return errno ? -1 : 0; }
static long do_usleep_abs(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 300000000;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	return errno ? -1 : 0;
}
static long do_pause(void) { return pause(); }
static long do_wait(void) { int st; return waitpid(sleeper, &st, 0) > 0 ? 1 : -1; }
static long do_waitid(void) { siginfo_t si; return waitid(P_ALL, 0, &si, WEXITED); }
static long do_futex(void) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0); }
static long do_futex_timed(void) { return syscall(SYS_futex, &word, FUTEX_WAIT, 0, &(struct timespec){ 2, 0 }, NULL, 0); }
static long do_futex_abs(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 2;
	return syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &t, NULL, 1);
}
static long do_eventfd(void) { uint64_t v; return read(ef, &v, 8); }
static long do_timerfd(void) { uint64_t v; return read(tf, &v, 8); }
static long do_accept(void) { return accept(fds[0], NULL, NULL) >= 0 ? 1 : -1; }
static long do_connect(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "full" };

	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&sa, sizeof(sa));
}
static long do_fifo(void) { return open("fifo", O_RDONLY) >= 0 ? 1 : -1; }
static long do_sigtimedwait(void)
{
	sigset_t s;

	sigemptyset(&s);
	sigaddset(&s, SIGUSR2);
	return sigtimedwait(&s, NULL, &(struct timespec){ 2, 0 });
}
static long do_recv_timeout(void)
{
	char c;

	setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 2, 0 }, sizeof(struct timeval));
	return recv(fds[0], &c, 1, 0);
}
static long do_sendmsg(void)
{
	static char b[4096];

	for (;;)
		if (send(fds[0], b, sizeof(b), 0) < 0)
			return -1;
}

static void pipes(void) { MUST(pipe(fds)); MUST(pipe(out)); }
static void epolls(void)
{
	pipes();
	ep = MUST(epoll_create1(0));
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &(struct epoll_event){ .events = EPOLLIN }));
}
static void sockets(void) { MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, fds)); }
static void listener(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "lsn" };

	fds[0] = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(fds[0], (struct sockaddr *)&sa, sizeof(sa)));
	MUST(listen(fds[0], 1));
}
static void full(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX, .sun_path = "full" };

	fds[0] = MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	MUST(bind(fds[0], (struct sockaddr *)&sa, sizeof(sa)));
	MUST(listen(fds[0], 0));
	for (;;) {
		int s = MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));

		if (connect(s, (struct sockaddr *)&sa, sizeof(sa)))
			break;
	}
}
static void mk_ef(void) { ef = MUST(eventfd(0, 0)); }
static void mk_tf(void)
{
	tf = MUST(timerfd_create(CLOCK_MONOTONIC, 0));
	MUST(timerfd_settime(tf, 0, &(struct itimerspec){ .it_value = { 0, 400000000 } }, NULL));
}
static void mk_fifo(void) { MUST(mkfifo("fifo", 0600)); }
static void nothing(void) { }

static const struct {
	const char *name;
	void (*setup)(void);
	long (*call)(void);
	bool ends;	/* the signaller can end a restarted call, by writing to fds[1] */
} calls[] = {
	{ "read_pipe", pipes, do_read_pipe, true }, { "recv", sockets, do_readv_socket, true },
	{ "poll", pipes, do_poll, true }, { "ppoll", pipes, do_ppoll, true },
	{ "select", pipes, do_select, true }, { "epoll_wait", epolls, do_epoll, true },
	{ "nanosleep", nothing, do_nanosleep, false }, { "clock_nanosleep", nothing, do_clock_nanosleep, false },
	{ "clock_nanosleep_abs", nothing, do_usleep_abs, false }, { "pause", nothing, do_pause, false },
	{ "futex", nothing, do_futex, false }, { "futex_timed", nothing, do_futex_timed, false },
	{ "futex_abs", nothing, do_futex_abs, false },
	{ "eventfd", mk_ef, do_eventfd, false }, { "timerfd", mk_tf, do_timerfd, false },
	{ "accept", listener, do_accept, false }, { "connect", full, do_connect, false },
	{ "open_fifo", mk_fifo, do_fifo, false },
	{ "sigtimedwait", nothing, do_sigtimedwait, false }, { "recv_timeout", sockets, do_recv_timeout, true },
	{ "send", sockets, do_sendmsg, false }, { "write_pipe_part", pipes, do_write_pipe, false },
};

/*
 * A child makes the call; it gets a signal with a handler when it sleeps, and
 * shortly after either what it waits for, or a second signal without SA_RESTART.
 */
static void interrupt(const char *name, size_t i, int flags)
{
	pid_t pid;
	int status;

	mkdir(name, 0755);
	MUST(chdir(name));
	calls[i].setup();
	seen = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	pid = xfork();
	if (!pid) {
		long r;
		int err;

		handle(SIGUSR1, note, flags);
		handle(SIGHUP, note, 0);
		errno = 0;
		r = calls[i].call();
		err = errno;
		say(name, "%s handlers %d", r < 0 ? errno_name(err) : r > 0 ? "more" : "0", count);
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	if (flags & SA_RESTART) {
		settle(pid);	/* a call that is not restarted has ended then */
		if (calls[i].ends)
			MUST(write(fds[1], "x", 1));
		else if (i != 6 && i != 7 && i != 8)
			kill(pid, SIGHUP);
	}
	waitpid(pid, &status, 0);
	if (status)
		STR(N("%s.end", name), status_name(status));
	MUST(chdir(".."));
	close(fds[0]), close(fds[1]), close(out[0]), close(out[1]);
}

TEST(interrupted)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		interrupt(calls[i].name, i, 0);
}

TEST(restarted)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		interrupt(calls[i].name, i, SA_RESTART);
}

/* Signals without a handler do not interrupt: stop and continue, and ignored ones. */
TEST(stop_does_not_interrupt)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		pid_t pid;
		int status;

		if (!calls[i].ends && i != 6 && i != 7 && i != 8)
			continue;
		calls[i].setup();
		pid = xfork();
		if (!pid) {
			long r;

			signal(SIGUSR1, SIG_IGN);
			r = calls[i].call();
			say(calls[i].name, "%s", r < 0 ? errno_name(errno) : r > 0 ? "more" : "0");
			_exit(0);
		}
		wait_asleep(pid);
		kill(pid, SIGUSR1);
		kill(pid, SIGSTOP);
		MUST(waitpid(pid, &status, WUNTRACED));
		kill(pid, SIGCONT);
		msleep(5);
		if (calls[i].ends)
			MUST(write(fds[1], "x", 1));
		waitpid(pid, &status, 0);
		close(fds[0]), close(fds[1]), close(out[0]), close(out[1]);
	}
}

TEST(wait_calls)
{
	for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART) {
		pid_t pid = xfork();

		if (!pid) {
			long r;

			handle(SIGUSR1, note, flags);
			sleeper = xfork();
			if (!sleeper) {
				msleep(100);
				_exit(0);
			}
			r = do_wait();
			say(N("waitpid.%d", flags != 0), "%s handlers %d", r < 0 ? errno_name(errno) : "more", count);
			if (r < 0)
				xwait(sleeper);
			sleeper = xfork();
			if (!sleeper) {
				msleep(100);
				_exit(0);
			}
			kill(getpid(), 0);
			r = do_waitid();
			say(N("waitid.%d", flags != 0), "%s", r < 0 ? errno_name(errno) : "0");
			_exit(0);
		}
		wait_asleep(pid);
		kill(pid, SIGUSR1);
		xwait(pid);
	}
}

TEST(remaining)
{
	struct timespec left = { 9, 9 }, want = { 5, 0 };
	struct itimerval it = { .it_value = { 0, 300000 } };

	handle(SIGALRM, note, SA_RESTART);
	setitimer(ITIMER_REAL, &it, NULL);
	RET("nanosleep", nanosleep(&want, &left));
	YES("left", left.tv_sec == 4 && left.tv_nsec > 500000000L);
	setitimer(ITIMER_REAL, &it, NULL);
	RET("sleep", sleep(5) == 5 || count);
	setitimer(ITIMER_REAL, &it, NULL);
	RET("efault", nanosleep(&want, (void *)1));
	RET("bad", nanosleep(&(struct timespec){ 0, 1000000000 }, NULL));
	RET("negative", nanosleep(&(struct timespec){ -1, 0 }, NULL));
	RET("zero", nanosleep(&(struct timespec){ 0, 0 }, NULL));
	RET("efault.in", nanosleep((void *)1, NULL));
}

TEST(sigsuspend)
{
	sigset_t set, old;

	handle(SIGUSR1, note, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	sigemptyset(&set);
	RET("pending", sigsuspend(&set));
	say("count", "%d", count);
	sigprocmask(SIG_BLOCK, NULL, &old);
	YES("mask_back", sigismember(&old, SIGUSR1));
	RET("size", syscall(SYS_rt_sigsuspend, &set, 4));
	RET("efault", syscall(SYS_rt_sigsuspend, (void *)1, 8));
	/* ppoll and pselect take a mask too */
	struct timespec long_time = { 15, 0 };

	raise(SIGUSR1);
	RET("ppoll", ppoll(NULL, 0, &long_time, &set));
	raise(SIGUSR1);
	RET("pselect", pselect(0, NULL, NULL, NULL, &long_time, &set));
	int e = MUST(epoll_create1(0));
	struct epoll_event ev;

	raise(SIGUSR1);
	RET("epoll_pwait", epoll_pwait(e, &ev, 1, 3000, &set));
	say("count.end", "%d", count);
	sigprocmask(SIG_BLOCK, NULL, &old);
	YES("mask_still", sigismember(&old, SIGUSR1));
	pid_t pid = xfork();

	if (!pid) {
		RET("child", sigsuspend(&set));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	xwait(pid);
}

TEST(sigtimedwait)
{
	struct timespec zero = { 0, 0 }, short_time = { 0, 20000000 };
	siginfo_t si;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, 40);
	sigprocmask(SIG_BLOCK, &set, NULL);
	RET("none", sigtimedwait(&set, &si, &zero));
	RET("timeout", sigtimedwait(&set, &si, &short_time));
	raise(SIGUSR2);
	sigqueue(getpid(), 40, (union sigval){ .sival_int = 6 });
	raise(SIGUSR1);
	for (int i = 0; i < 4; i++) {
		int s = sigtimedwait(&set, &si, &zero);

		say(N("take%d", i), "%s code %d", s < 0 ? errno_name(errno) : signal_name(s), s < 0 ? 0 : si.si_code);
	}
	RET("bad_time", sigtimedwait(&set, &si, &(struct timespec){ 0, -1 }));
	RET("size", syscall(SYS_rt_sigtimedwait, &set, &si, &zero, 4));
	RET("efault", syscall(SYS_rt_sigtimedwait, (void *)1, &si, &zero, 8));
	RET("efault.info", (raise(SIGUSR1), syscall(SYS_rt_sigtimedwait, &set, (void *)1, &zero, 8)));
	pid_t pid = xfork();

	if (!pid) {
		RET("child", sigwaitinfo(&set, &si));
		YES("child.from_parent", si.si_pid == getppid());
		handle(SIGHUP, note, SA_RESTART);
		RET("child.interrupted", sigwaitinfo(&set, &si));
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	msleep(10);
	wait_asleep(pid);
	kill(pid, SIGHUP);
	xwait(pid);
}

TEST(signalfd)
{
	struct signalfd_siginfo info[4];
	struct pollfd pfd;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, 41);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	YES("open", fd >= 0);
	pfd = (struct pollfd){ fd, POLLIN, 0 };
	RET("empty", read(fd, info, sizeof(info)));
	RET("poll.empty", poll(&pfd, 1, 0));
	sigqueue(getpid(), 41, (union sigval){ .sival_int = 1 });
	sigqueue(getpid(), 41, (union sigval){ .sival_int = 2 });
	raise(SIGUSR1);
	RET("poll", poll(&pfd, 1, 0));
	RET("small", read(fd, info, 100));
	NUM("read", read(fd, info, sizeof(info)) / (ssize_t)sizeof(info[0]));
	for (int i = 0; i < 3; i++)
		say(N("info%d", i), "%u code %d int %d pid %d", info[i].ssi_signo, info[i].ssi_code, info[i].ssi_int,
		    info[i].ssi_pid == (uint32_t)getpid());
	RET("flags", signalfd(-1, &set, 1));
	RET("badfd", signalfd(500, &set, 0));
	RET("not_signalfd", signalfd(1, &set, 0));
	RET("size", syscall(SYS_signalfd4, -1, &set, 4, 0));
	sigdelset(&set, 41);
	YES("change", signalfd(fd, &set, 0) == fd);
	sigqueue(getpid(), 41, (union sigval){ .sival_int = 3 });
	RET("not_in_mask", read(fd, info, sizeof(info)));
	RET("write", write(fd, info, 128));
	pid_t pid = xfork();

	if (!pid) {
		msleep(10);
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	fcntl(fd, F_SETFL, 0);
	RET("blocking", read(fd, info, sizeof(info)));
	YES("from_child", info[0].ssi_pid == (uint32_t)pid);
	xwait(pid);
}

/* A handler that spoils all vector registers must not be seen by what it interrupted. */
static void spoil(int sig)
{
	(void)sig;
	count++;
	asm volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm1, %%xmm1; pcmpeqd %%xmm7, %%xmm7;"
		     "pcmpeqd %%xmm8, %%xmm8; pcmpeqd %%xmm15, %%xmm15; fninit; fldpi"
		     : : : "xmm0", "xmm1", "xmm7", "xmm8", "xmm15");
	if (__builtin_cpu_supports("avx2"))
		asm volatile("vpcmpeqd %%ymm2, %%ymm2, %%ymm2; vpcmpeqd %%ymm9, %%ymm9, %%ymm9" : : : "xmm2", "xmm9");
}

static char vec_in[64] __attribute__((aligned(64))), vec_out[64] __attribute__((aligned(64)));

TEST(vectors)
{
	unsigned int csr = 0, csr2 = 0;
	pid_t pid = getpid();
	long ret;

	for (int i = 0; i < 64; i++)
		vec_in[i] = (char)(i * 7 + 1);
	handle(SIGUSR1, spoil, 0);
	asm volatile("movdqa %2, %%xmm8\n\tsyscall\n\tmovdqa %%xmm8, %1"
		     : "=a"(ret), "=m"(*(char (*)[16])vec_out) : "m"(*(char (*)[16])vec_in), "a"(62L),
		       "D"((long)pid), "S"(10L) : "rcx", "r11", "memory", "xmm8");
	say("xmm", "%ld %d %s", ret, count, memcmp(vec_in, vec_out, 16) ? "spoilt" : "kept");
	/* these must be there natively and inside alike: a sandbox that hides AVX would say "no" to cpuid as well */
	if (__builtin_cpu_supports("avx2")) {
		asm volatile("vmovdqa %2, %%ymm9\n\tsyscall\n\tvmovdqa %%ymm9, %1\n\tvzeroupper"
			     : "=a"(ret), "=m"(*(char (*)[32])vec_out) : "m"(*(char (*)[32])vec_in), "a"(62L),
			       "D"((long)pid), "S"(10L) : "rcx", "r11", "memory", "xmm9");
		say("ymm", "%ld %d %s", ret, count, memcmp(vec_in, vec_out, 32) ? "spoilt" : "kept");
	}
	asm volatile("stmxcsr %0" : "=m"(csr));
	csr2 = csr ^ 0x6000;	/* another rounding mode */
	asm volatile("ldmxcsr %0" : : "m"(csr2));
	kill(pid, SIGUSR1);
	csr = 0;
	asm volatile("stmxcsr %0" : "=m"(csr));
	YES("mxcsr", csr == csr2);
	long double x = 1.5L, y;

	asm volatile("fldt %2; syscall; fstpt %0" : "=m"(y), "=a"(ret) : "m"(x), "a"(62L), "D"((long)pid), "S"(10L)
		     : "rcx", "r11", "memory");
	YES("x87", y == 1.5L);
}

/* Registers and flags of a loop that a timer's signal interrupts thousands of times. */
TEST(asynchronous)
{
	struct itimerval it = { { 0, 200 }, { 0, 200 } };
	unsigned long a, b, rounds = 0;
	long bad = 0;

	handle(SIGALRM, spoil, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	long long until = now_ns() + 20000000000LL;

	while (count < 200 && now_ns() < until) {
		a = rounds * 0x9e3779b97f4a7c15UL, b = ~a;
		asm volatile("movq %0, %%xmm8; movq %1, %%xmm7; mov $20000, %%ecx; stc\n"
			     "1: movq %%xmm8, %%rax; cmp %0, %%rax; jne 2f; movq %%xmm7, %%rax; cmp %1, %%rax; jne 2f\n"
			     "dec %%ecx; jnz 1b; jmp 3f\n2: incq %2\n3:"
			     : "+r"(a), "+r"(b), "+m"(bad) : : "rax", "rcx", "xmm7", "xmm8", "cc");
		rounds++;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	YES("interrupted", count >= 200);
	NUM("spoilt", bad);
}

/* The red zone below rsp belongs to the interrupted code. */
TEST(red_zone)
{
	long bad = 0;

	handle(SIGUSR1, spoil, 0);
	asm volatile("movq $0x1234567, -8(%%rsp); movq $0x7654321, -128(%%rsp)\n"
		     "movl $39, %%eax; syscall; movl %%eax, %%edi; movl $10, %%esi; movl $62, %%eax; syscall\n"
		     "cmpq $0x1234567, -8(%%rsp); jne 1f; cmpq $0x7654321, -128(%%rsp); je 2f\n1: movq $1, %0\n2:"
		     : "+r"(bad) : : "rax", "rcx", "r11", "rdi", "rsi", "memory", "cc");
	say("kept", "%s %d", bad ? "no" : "yes", count);
}
