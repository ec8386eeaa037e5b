// SPDX-License-Identifier: MIT
/*
 * waits: a process for every kind of wait there is. stop.py stops and continues the host processes of the sandbox that this runs in;
 * none of the waits may notice. Prints "ready" when all of them wait; a line on standard input lets those end that wait for an event.
 * Each then prints its name and "ok", or what was wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define TIMED_MS	4000	/* longer than all stops together */
#define SHORT_MS	700	/* ends while we are stopped, or not: never early */
#define LATE_MS		20000	/* what a busy machine may add */

static struct shared {
	unsigned int word;	/* futex */
	unsigned int waiting;	/* processes that are about to wait */
	volatile unsigned int go;
} *shared;

/* Made before the first fork, so that the parent can end the waits. */
static int pipe_fd[2], full_fd[2], sock_fd[2], tty_fd[2], epoll_pipe[2], poll_pipe[2], vfork_pipe[2], wait_pipe[2], listen_fd;
static int lock_fd;
static char lock_path[4096];
static struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0waits" };

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static long long began;

static void begin(void)
{
	began = now_ms();
	__atomic_add_fetch(&shared->waiting, 1, __ATOMIC_SEQ_CST);
}

static const char *wrong(const char *what, long ret, int err)
{
	static char text[120];

	snprintf(text, sizeof(text), "%s: %ld, %s", what, ret, strerror(err));
	return text;
}

/* @ret and @err as wanted, and not before @ms have gone by. Return: NULL, or what was wrong */
static const char *timed(long ret, long want, int want_err, int ms)
{
	int err = ret < 0 ? errno : 0;
	long long took = now_ms() - began;

	if (ret != want || err != want_err)
		return wrong("result", ret, err);
	if (took < ms)
		return wrong("too early, ms", (long)took, 0);
	if (took > ms + LATE_MS)
		return wrong("too late, ms", (long)took, 0);
	return NULL;
}

/* As wanted, and not before the parent let it. */
static const char *event(long ret, long want, int want_err)
{
	int err = ret < 0 ? errno : 0;

	if (ret != want || err != want_err)
		return wrong("result", ret, err);
	return shared->go ? NULL : "ended before there was an event";
}

static struct timespec in_ms(int ms)
{
	return (struct timespec){ ms / 1000, ms % 1000 * 1000000l };
}

/* ---- with a time ---- */

static const char *futex_timed(void)
{
	struct timespec ts = in_ms(TIMED_MS);
	unsigned int word = 0;

	begin();
	return timed(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0), -1, ETIMEDOUT, TIMED_MS);
}

static const char *nanosleep_long(void)
{
	struct timespec ts = in_ms(TIMED_MS);

	begin();
	return timed(nanosleep(&ts, NULL), 0, 0, TIMED_MS);
}

static const char *nanosleep_short(void)
{
	const char *bad = NULL;

	/* one of them ends while all is stopped */
	for (int i = 0; i < TIMED_MS / SHORT_MS && !bad; i++) {
		struct timespec ts = in_ms(SHORT_MS);

		if (i)
			began = now_ms();
		else
			begin();
		bad = timed(nanosleep(&ts, NULL), 0, 0, SHORT_MS);
	}
	return bad;
}

static const char *nanosleep_absolute(void)
{
	struct timespec ts;

	begin();
	clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += TIMED_MS / 1000;
	return timed(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL), 0, 0, TIMED_MS - 1);
}

static const char *poll_timed(void)
{
	struct pollfd p = { .fd = pipe_fd[0], .events = POLLPRI };

	begin();
	return timed(poll(&p, 1, TIMED_MS), 0, 0, TIMED_MS);
}

static const char *select_timed(void)
{
	struct timeval tv = { TIMED_MS / 1000, 0 };
	const char *bad;

	begin();
	bad = timed(select(0, NULL, NULL, NULL, &tv), 0, 0, TIMED_MS);
	return bad ? bad : tv.tv_sec || tv.tv_usec ? "select: time is left" : NULL;
}

static const char *epoll_timed(void)
{
	struct epoll_event e;
	int fd = epoll_create1(0);

	begin();
	return timed(epoll_wait(fd, &e, 1, TIMED_MS), 0, 0, TIMED_MS);
}

static const char *sigtimedwait_timed(void)
{
	struct timespec ts = in_ms(TIMED_MS);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	begin();
	return timed(sigtimedwait(&set, NULL, &ts), -1, EAGAIN, TIMED_MS);
}

static const char *recv_timed(void)
{
	struct timeval tv = { TIMED_MS / 1000, 0 };
	int pair[2];
	char c;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) || setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)))
		return wrong("socketpair", -1, errno);
	begin();
	return timed(recv(pair[0], &c, 1, 0), -1, EAGAIN, TIMED_MS);
}

static const char *timerfd_read(void)
{
	struct itimerspec its = { .it_value = in_ms(TIMED_MS) };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	uint64_t n = 0;
	const char *bad;

	begin();
	timerfd_settime(fd, 0, &its, NULL);
	bad = timed(read(fd, &n, sizeof(n)), sizeof(n), 0, TIMED_MS);
	return bad ? bad : n != 1 ? "timerfd: it expired more than once" : NULL;
}

static volatile int caught;

static void on_signal(int sig)
{
	caught = sig;
}

static const char *alarm_pause(void)
{
	struct itimerval itv = { .it_value = { TIMED_MS / 1000, 0 } };
	const char *bad;

	signal(SIGALRM, on_signal);
	begin();
	setitimer(ITIMER_REAL, &itv, NULL);
	bad = timed(pause(), -1, EINTR, TIMED_MS);
	return bad ? bad : caught != SIGALRM ? "another signal" : NULL;
}

/* ---- for an event ---- */

static const char *futex_wait(void)
{
	begin();
	return event(syscall(SYS_futex, &shared->word, FUTEX_WAIT, 0, NULL, NULL, 0), 0, 0);
}

static const char *read_one(int fd)
{
	char c = 0;

	begin();
	return event(read(fd, &c, 1), 1, 0);
}

static const char *read_pipe(void) { return read_one(pipe_fd[0]); }
static const char *read_socket(void) { return read_one(sock_fd[0]); }
static const char *read_tty(void) { return read_one(tty_fd[1]); }

static const char *write_full(void)
{
	begin();
	return event(write(full_fd[1], "x", 1), 1, 0);
}

static const char *accept_one(void)
{
	int fd;

	begin();
	fd = accept(listen_fd, NULL, NULL);
	return event(fd < 0 ? -1 : 0, 0, 0);
}

static const char *poll_event(void)
{
	struct pollfd p = { .fd = poll_pipe[0], .events = POLLIN };

	begin();
	return event(poll(&p, 1, -1), 1, 0);
}

static const char *epoll_event(void)
{
	struct epoll_event e = { .events = EPOLLIN };
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, epoll_pipe[0], &e);
	begin();
	return event(epoll_wait(fd, &e, 1, -1), 1, 0);
}

static const char *wait_child(void)
{
	int status = 0;
	pid_t pid = fork();
	char c;

	if (!pid) {
		if (read(wait_pipe[0], &c, 1) != 1)
			_exit(1);
		_exit(9);
	}
	begin();
	if (wait4(pid, &status, 0, NULL) != pid)
		return wrong("wait4", -1, errno);
	return WEXITSTATUS(status) == 9 ? event(0, 0, 0) : wrong("status", status, 0);
}

static const char *vfork_parent(void)
{
	int status = 0;
	pid_t pid;
	char c;

	begin();
	pid = vfork();
	if (!pid)
		_exit(read(vfork_pipe[0], &c, 1) == 1 ? 8 : 1);
	if (!shared->go)
		return "vfork: the parent went on before its child";
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status) == 8 ? NULL : wrong("status", status, 0);
}

static const char *signal_event(bool fd)
{
	siginfo_t info;
	sigset_t set;
	char buf[sizeof(struct signalfd_siginfo)];

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (fd) {
		int sigfd = signalfd(-1, &set, 0);

		begin();
		return event(read(sigfd, buf, sizeof(buf)), sizeof(buf), 0);
	}
	begin();
	return event(sigwaitinfo(&set, &info), SIGUSR1, 0);
}

static const char *sigwait_event(void) { return signal_event(false); }
static const char *signalfd_read(void) { return signal_event(true); }

static const char *pause_event(void)
{
	signal(SIGUSR1, on_signal);
	begin();
	return event(pause(), -1, EINTR);
}

static const char *flock_wait(void)
{
	int fd = open(lock_path, O_RDWR);

	begin();
	return event(flock(fd, LOCK_EX), 0, 0);
}

static const char *setlkw(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(lock_path, O_RDWR);

	begin();
	return event(fcntl(fd, F_SETLKW, &l), 0, 0);
}

/* ---- that do something all the time ---- */

static const char *files_of_host(void)
{
	unsigned long first = 0;

	begin();
	for (int round = 0; !shared->go || !round; round++) {
		static const char *const names[] = { "/usr/bin/env", "/usr/bin/sort", "/etc/passwd", "/usr/bin/ls" };
		unsigned long sum = 0;

		for (size_t i = 0; i < 4; i++) {
			unsigned char buf[8192];
			int fd = open(names[i], O_RDONLY);
			struct stat st;
			off_t size = 0;
			ssize_t n;

			if (fd < 0 || fstat(fd, &st))
				return wrong(names[i], -1, errno);
			while ((n = read(fd, buf, sizeof(buf))) > 0) {
				size += n;
				for (ssize_t k = 0; k < n; k++)
					sum = sum * 31 + buf[k];
			}
			close(fd);
			if (n < 0 || size != st.st_size)
				return wrong(names[i], (long)size, errno);
		}
		/* names that nobody asked for before: the file server is asked */
		{
			char name[64];

			snprintf(name, sizeof(name), "/usr/share/no-such-%d", round);
			if (!access(name, F_OK) || errno != ENOENT)
				return wrong(name, -1, errno);
		}
		if (round && sum != first)
			return "a file's contents changed";
		first = sum;
	}
	return NULL;
}

static const char *computing(void)
{
	volatile unsigned long n = 0;

	begin();
	while (!shared->go)
		n++;
	return NULL;
}

static const char *calling(void)
{
	pid_t me = getpid();

	begin();
	while (!shared->go)
		if (syscall(SYS_getpid) != me)
			return "getpid: another number";
	return NULL;
}

static const char *starting(void)
{
	begin();
	do {
		pid_t pid = fork();
		int status;

		if (!pid) {
			execl("/bin/true", "true", NULL);
			_exit(1);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			return wrong("true", status, errno);
	} while (!shared->go);
	return NULL;
}

static const struct wait {
	const char *name;
	const char *(*func)(void);
} waits[] = {
#define W(f)	{ #f, f }
	W(futex_timed), W(nanosleep_long), W(nanosleep_short), W(nanosleep_absolute), W(poll_timed), W(select_timed), W(epoll_timed),
	W(sigtimedwait_timed), W(recv_timed), W(timerfd_read), W(alarm_pause),
	W(futex_wait), W(read_pipe), W(read_socket), W(read_tty), W(write_full), W(accept_one), W(poll_event), W(epoll_event),
	W(wait_child), W(vfork_parent), W(sigwait_event), W(signalfd_read), W(pause_event), W(flock_wait), W(setlkw),
	W(files_of_host), W(computing), W(calling), W(starting),
};
#define NR_WAITS	(sizeof(waits) / sizeof(*waits))

static void prepare(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct termios t;
	char zeros[65536] = { 0 };

	/* the sandbox has a /tmp of its own, and no TMPDIR */
	snprintf(lock_path, sizeof(lock_path), "%s/waits.lock", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	lock_fd = open(lock_path, O_RDWR | O_CREAT, 0600);
	listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (shared == MAP_FAILED || lock_fd < 0 || pipe(pipe_fd) || pipe(full_fd) || pipe(epoll_pipe) || pipe(poll_pipe) ||
	    pipe(vfork_pipe) || pipe(wait_pipe) || socketpair(AF_UNIX, SOCK_STREAM, 0, sock_fd) ||
	    openpty(&tty_fd[0], &tty_fd[1], NULL, NULL, NULL) || flock(lock_fd, LOCK_EX) || fcntl(lock_fd, F_SETLK, &l) ||
	    bind(listen_fd, (struct sockaddr *)&address, sizeof(address.sun_family) + 6) || listen(listen_fd, 1)) {
		perror("waits");
		exit(1);
	}
	tcgetattr(tty_fd[1], &t);
	cfmakeraw(&t);
	tcsetattr(tty_fd[1], TCSANOW, &t);
	fcntl(full_fd[1], F_SETFL, O_NONBLOCK);
	while (write(full_fd[1], zeros, sizeof(zeros)) > 0)
		;
	fcntl(full_fd[1], F_SETFL, 0);
}

static void must_write(int fd)
{
	if (write(fd, "x", 1) != 1)
		perror("waits: event");
}

/* What the second half waits for. */
static void let_go(const pid_t *pids)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char buf[4096];

	shared->go = 1;
	syscall(SYS_futex, &shared->word, FUTEX_WAKE, 1, NULL, NULL, 0);
	must_write(pipe_fd[1]);
	must_write(sock_fd[1]);
	must_write(tty_fd[0]);
	must_write(epoll_pipe[1]);
	must_write(poll_pipe[1]);
	must_write(vfork_pipe[1]);
	must_write(wait_pipe[1]);
	if (read(full_fd[0], buf, sizeof(buf)) != sizeof(buf) || connect(fd, (struct sockaddr *)&address, sizeof(address.sun_family) + 6))
		perror("waits: event");
	flock(lock_fd, LOCK_UN);
	fcntl(lock_fd, F_SETLK, &l);
	for (size_t i = 0; i < NR_WAITS; i++)
		if (waits[i].func == sigwait_event || waits[i].func == signalfd_read || waits[i].func == pause_event)
			kill(pids[i], SIGUSR1);
}

int main(void)
{
	pid_t pids[NR_WAITS];
	char line[16];

	prepare();
	for (size_t i = 0; i < NR_WAITS; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			const char *bad = waits[i].func();

			dprintf(1, "%s %s\n", waits[i].name, bad ? bad : "ok");
			_exit(0);
		}
	}
	while (__atomic_load_n(&shared->waiting, __ATOMIC_SEQ_CST) < NR_WAITS)
		usleep(10000);
	usleep(100000);
	dprintf(1, "ready\n");
	/* a wait of its own: for the host */
	if (read(0, line, sizeof(line)) <= 0)
		return 1;
	let_go(pids);
	for (size_t i = 0; i < NR_WAITS; i++)
		waitpid(pids[i], NULL, 0);
	dprintf(1, "end\n");
	return 0;
}
