// SPDX-License-Identifier: MIT
/* The frame of a conformance program: see conform.h. */
#include <ftw.h>
#include <grp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <time.h>

#include "conform.h"

#define MAX_TESTS 64

static struct {
	const char *name;
	void (*fn)(void);
} tests[MAX_TESTS];
static int nr_tests;
static const char *current = "main";
static char argv0[4096];

void conform_add(const char *name, void (*fn)(void))
{
	if (nr_tests == MAX_TESTS)
		abort();
	tests[nr_tests].name = name;
	tests[nr_tests++].fn = fn;
}

const char *conform_argv0(void)
{
	return argv0;
}

void say(const char *name, const char *fmt, ...)
{
	char line[4096];
	int at, len;
	va_list ap;

	at = snprintf(line, sizeof(line), "%s.%s: ", current, name);
	va_start(ap, fmt);
	len = vsnprintf(line + at, sizeof(line) - (size_t)at - 1, fmt, ap);
	va_end(ap);
	len += at;
	if (len > (int)sizeof(line) - 2)
		len = sizeof(line) - 2;
	for (int i = 0; i < len; i++)
		if (line[i] == '\n')
			line[i] = '|';
	line[len++] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		_exit(98);
}

const char *N(const char *fmt, ...)
{
	static __thread char names[16][160];
	static __thread unsigned int next;
	char *name = names[next++ % 16];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(names[0]), fmt, ap);
	va_end(ap);
	return name;
}

const char *errno_name(int err)
{
	const char *name = strerrorname_np(err);

	if (err == EOPNOTSUPP)
		return "EOPNOTSUPP";
	return name ? name : N("E#%d", err);
}

const char *signal_name(int sig)
{
	const char *name = sigabbrev_np(sig);

	if (name)
		return N("SIG%s", name);
	if (sig >= 32 && sig <= 64)
		return N("SIGRTMIN+%d", sig - 32);
	return N("SIG#%d", sig);
}

const char *status_name(int status)
{
	if (WIFEXITED(status))
		return N("exit %d", WEXITSTATUS(status));
	if (WIFSIGNALED(status))
		return N("killed %s", signal_name(WTERMSIG(status)));
	if (WIFSTOPPED(status))
		return N("stopped %s", signal_name(WSTOPSIG(status)));
	if (WIFCONTINUED(status))
		return "continued";
	return N("status %#x", status);
}

void conform_ret(const char *name, long ret, int err)
{
	if (ret == -1)
		say(name, "%s", errno_name(err));
	else
		say(name, "%ld", ret);
}

void conform_ok(const char *name, long ret, int err)
{
	say(name, "%s", ret == -1 ? errno_name(err) : "ok");
}

void conform_fd(const char *name, int fd, int err)
{
	conform_ok(name, fd, err);
	if (fd >= 0)
		close(fd);
}

void conform_die(const char *file, int line, const char *what)
{
	const char *base = strrchr(file, '/');
	int err = errno;

	dprintf(STDERR_FILENO, "%s:%d: %s: needed, but failed (%s)\n",
		base ? base + 1 : file, line, what, errno_name(err));
	_exit(99);
}

pid_t xfork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		conform_die(__FILE__, __LINE__, "fork()");
	if (!pid)
		alarm(TEST_SECONDS);
	return pid;
}

const char *xwait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) != pid)
		if (errno != EINTR)
			return errno_name(errno);
	return status_name(status);
}

const char *child(int (*fn)(void *), void *arg)
{
	pid_t pid = xfork();

	if (!pid)
		_exit(fn(arg));
	return xwait(pid);
}

const char *as_nobody(void (*fn)(void))
{
	pid_t pid = xfork();

	if (pid)
		return xwait(pid);
	if (geteuid() == 0) {
		MUST(setgroups(0, NULL));
		MUST(setresgid(NOBODY_GID, NOBODY_GID, NOBODY_GID));
		MUST(setresuid(NOBODY_UID, NOBODY_UID, NOBODY_UID));
	}
	fn();
	_exit(0);
}

bool wait_asleep(pid_t pid)
{
	char path[64], buf[512], *p;
	ssize_t len;
	int fd;

	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			msleep(50);	/* without /proc, hope */
			return false;
		}
		len = read(fd, buf, sizeof(buf) - 1);
		close(fd);
		if (len <= 0)
			return false;
		buf[len] = 0;
		p = strrchr(buf, ')');
		if (p && p[1] == ' ' && p[2] == 'S')
			return true;
		msleep(1);
	}
	return false;
}

void msleep(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

void put_file(const char *path, const char *text)
{
	int fd = MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));

	REQUIRE(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

const char *get_file(const char *path)
{
	static char buf[4096];
	ssize_t len = 0, n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		while ((n = read(fd, buf + len, sizeof(buf) - 1 - (size_t)len)) > 0)
			len += n;
		close(fd);
	}
	buf[len] = 0;
	return buf;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	remove(path);
	return 0;
}

/* Returns false when the test did not come to its end. */
static bool run_test(int i)
{
	char dir[] = "conform.XXXXXX";
	int status;
	pid_t pid;

	if (!mkdtemp(dir))
		conform_die(__FILE__, __LINE__, "mkdtemp()");
	MUST(chmod(dir, 0777));
	current = tests[i].name;
	if (getenv("CONFORM_NOFORK")) {	/* for a debugger, or a sandbox without fork */
		MUST(chdir(dir));
		tests[i].fn();
		MUST(chdir(".."));
		status = 0;
	} else {
		pid = xfork();
		if (!pid) {
			MUST(chdir(dir));
			tests[i].fn();
			_exit(0);
		}
		while (waitpid(pid, &status, 0) != pid)
			if (errno != EINTR)
				conform_die(__FILE__, __LINE__, "waitpid()");
	}
	if (status)
		say("END", "%s", status_name(status));
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return !status;
}

int main(int argc, char **argv)
{
	struct rlimit no_core = { 0, 0 };
	sigset_t none;
	bool good = true;
	int ran = 0;

	if (!realpath("/proc/self/exe", argv0) && !realpath(argv[0], argv0))
		conform_die(__FILE__, __LINE__, "realpath(argv[0])");
	/* Whoever started this may ignore or block some; the cases want to start alike. */
	for (int sig = 1; sig <= 64; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &no_core);
	umask(022);
	for (int i = 0; i < nr_tests; i++) {
		bool wanted = argc < 2;

		for (int a = 1; a < argc; a++)
			wanted |= !strcmp(argv[a], tests[i].name);
		if (!wanted)
			continue;
		good &= run_test(i);
		ran++;
	}
	return good && ran ? 0 : 1;
}
