// SPDX-License-Identifier: MIT
/*
 * Broker, reaper, sandbox.
 *
 *	lbx-exec (broker): serves files, prints the sandbox's log, keeps the time
 *	  └ reaper: parent of every host process of the sandbox, sees each death, ends all when one dies out of order
 *	      └ the sandbox's host processes, all siblings (CLONE_PARENT), in a session of their own
 *
 * When the broker dies the reaper ends the sandbox (PDEATHSIG), and when the reaper dies the sandbox's first process does.
 */
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/south/host/header.h"
#include "tools/broker/broker9p.h"

/* Where descriptors are parked while they are put into their places. */
#define PARKED	200

struct sandbox {
	const struct options *o;
	int image, config, ram, log[2];
	struct stdio_plan stdio;
	uint32_t channels[NR_CHANNELS];		/* handle numbers inside */
	int channel_fd[NR_CHANNELS], server_fd[NR_CHANNELS];
	struct host_header *header;
	pid_t reaper;
};

static int open_image(void)
{
	char self[PATH_MAX], *slash, *path;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int fd;

	if (n < 0)
		die("/proc/self/exe: %s: lbx-exec looks for lbx-host beside itself", strerror(errno));
	self[n] = 0;
	slash = strrchr(self, '/');
	*slash = 0;
	path = xasprintf("%s/lbx-host", self);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		free(path);
		path = xasprintf("%s/../lib/litebox/lbx-host", self);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		die("lbx-host: not beside lbx-exec and not in ../lib/litebox: is the build complete?");
	free(path);
	return fd;
}

static void make_ram(struct sandbox *s)
{
	uint64_t size = s->o->mem + HOST_EXTRA;

	s->ram = memfd_create("litebox-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->ram < 0 || ftruncate(s->ram, (off_t)size) ||
	    fcntl(s->ram, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		die("memory for the sandbox: %s", strerror(errno));
	s->header = mmap(NULL, 4096, PROT_READ, MAP_SHARED, s->ram, (off_t)s->o->mem);
	if (s->header == MAP_FAILED)
		die("memory for the sandbox: %s", strerror(errno));
}

static void log_line(void *arg, enum b9p_log_kind kind, const char *line)
{
	const struct options *o = arg;

	if (o->verbose || kind == B9P_LOG_PROTOCOL)
		message("%s", line);
}

static void make_channels(struct sandbox *s)
{
	for (int i = 0; i < NR_CHANNELS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
			die("file server: %s", strerror(errno));
		s->server_fd[i] = pair[0];
		s->channel_fd[i] = pair[1];
	}
}

static struct b9p *start_broker(struct sandbox *s, const struct view *v)
{
	struct b9p_export *exports = xmalloc(v->nr * sizeof(*exports));
	struct b9p_config config = { .exports = exports, .log = log_line, .log_arg = (void *)s->o };
	struct b9p *b;
	int ret;

	for (size_t i = 0; i < v->nr; i++) {
		const struct view_mount *m = &v->mounts[i];

		if (m->fd < 0)
			continue;
		exports[config.nr_exports].fd = m->fd;
		exports[config.nr_exports].name = xasprintf("%u", m->export);
		exports[config.nr_exports++].flags = m->ro ? 0 : B9P_EXPORT_RW;
	}
	ret = b9p_create(&config, &b);
	if (ret)
		die("file server: %s", strerror(-ret));
	ret = b9p_confine(b, 0, 0);
	if (ret)
		die("file server: cannot give up its rights: %s", strerror(-ret));
	for (int i = 0; i < NR_CHANNELS; i++) {
		ret = b9p_add_channel(b, s->server_fd[i], s->server_fd[i], 0);
		if (ret < 0)
			die("file server: %s", strerror(-ret));
	}
	return b;
}

static void place(int fd, int at)
{
	if (dup2(fd, at) < 0)
		_exit(EXIT_FAILED);
}

/* In the child that becomes the sandbox: nothing of the broker but the descriptors of the plan. */
static void __attribute__((noreturn)) become_sandbox(const struct sandbox *s)
{
	static char *const argv[] = { "litebox", NULL }, *const envp[] = { NULL };
	struct rlimit none = { 0, 0 };
	int parked = PARKED, null, image = PARKED + 100;
	pid_t reaper = getppid();
	sigset_t no_signals;
	int fd;

	sigemptyset(&no_signals);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != reaper)
		_exit(EXIT_FAILED);
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (write(fd, "500", 3) != 3 && s->o->verbose)
			message("oom_score_adj stays as it is: %s", strerror(errno));
		close(fd);
	}
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	null = fcntl(fd, F_DUPFD_CLOEXEC, image + 1);
	if (null < 0)
		_exit(EXIT_FAILED);
	/* first all out of the way, then each to its place: no descriptor overwrites one that is still needed */
	place(s->image, image);
	place(s->config, parked + BOOT_FD_CONFIG);
	place(s->ram, parked + BOOT_FD_RAM);
	place(s->log[1], parked + BOOT_FD_LOG);
	for (size_t i = 0; i < s->stdio.nr; i++)
		if (s->stdio.fd[i] >= 0)
			place(s->stdio.fd[i], parked + (int)s->stdio.io[i].handle);
	for (int i = 0; i < NR_CHANNELS; i++)
		place(s->channel_fd[i], parked + (int)s->channels[i]);
	for (int i = BOOT_FD_CONFIG; i < 64; i++)
		if (fcntl(parked + i, F_GETFD) >= 0)
			place(parked + i, i);
		else
			close(i);
	for (int i = 0; i < 3; i++)
		place(null, i);
	fcntl(image, F_SETFD, FD_CLOEXEC);
	syscall(SYS_close_range, 64, image - 1, 0);
	syscall(SYS_close_range, image + 1, ~0u, 0);
	for (int sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	sigprocmask(SIG_SETMASK, &no_signals, NULL);
	syscall(SYS_execveat, image, "", argv, envp, AT_EMPTY_PATH);
	_exit(EXIT_FAILED);
}

/* Status for the broker: what the sandbox said, or that it did not end as it should. */
static int final_status(const struct sandbox *s, int first_signal, bool first_exited, int exit_code)
{
	if (*(volatile uint32_t *)&s->header->exit_valid)
		return (int)(*(volatile uint32_t *)&s->header->exit_status & 0xff);
	if (first_exited) {
		if (exit_code != EXIT_FAILED)
			message("the sandbox ended without saying why (status %d)", exit_code);
		return EXIT_FAILED;
	}
	message("a host process of the sandbox was killed by signal %d%s: the sandbox was ended", first_signal,
		first_signal == SIGKILL ? " (out of memory? see the host's log, or give it less with --mem)" : "");
	return 128 + first_signal;
}

static volatile sig_atomic_t sandbox_group;

/* SIGTERM, from the broker or because it died: the end of all. They are reaped as usual then. */
static void end_sandbox(int sig)
{
	(void)sig;
	if (sandbox_group)
		kill(-(pid_t)sandbox_group, SIGKILL);
}

static void __attribute__((noreturn)) reap(const struct sandbox *s)
{
	struct sigaction sa = { .sa_handler = end_sandbox };
	pid_t broker = getppid(), first;
	int signo = 0, code = 0;
	bool exited = false, over = false;
	sigset_t term;
	int ready[2];
	char byte;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	sigaction(SIGTERM, &sa, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != broker)
		_exit(EXIT_FAILED);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "lbx-reaper");
	if (pipe2(ready, O_CLOEXEC))
		_exit(EXIT_FAILED);
	first = fork();
	if (first < 0)
		_exit(EXIT_FAILED);
	if (!first) {
		setsid();
		close(ready[0]);
		close(ready[1]);
		become_sandbox(s);
	}
	/* it has a session, and so a group, of its own before it closes this */
	close(ready[1]);
	while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	sandbox_group = first;
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	/* the sandbox's only: a copy here would keep the broker from seeing its end */
	close(s->log[1]);
	for (int i = 0; i < NR_CHANNELS; i++) {
		close(s->channel_fd[i]);
		close(s->server_fd[i]);
	}
	for (size_t i = 0; i < s->stdio.nr; i++)
		if (s->stdio.fd[i] >= 0 && s->stdio.fd[i] != 2)
			close(s->stdio.fd[i]);
	for (;;) {
		int st;
		pid_t pid = waitpid(-1, &st, __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			break;
		if (over || (WIFEXITED(st) && WEXITSTATUS(st) == 0 && pid != first))
			continue;
		/* the first death that is not the orderly end of an address space ends all */
		over = true;
		exited = WIFEXITED(st);
		code = exited ? WEXITSTATUS(st) : 0;
		signo = exited ? 0 : WTERMSIG(st);
		kill(-first, SIGKILL);
	}
	_exit(final_status(s, signo, exited, code));
}

/* Lines of the sandbox, to standard error or --trace's file. Return: false at the end */
static bool copy_log(int from, int to)
{
	char buf[65536];
	ssize_t n = read(from, buf, sizeof(buf));

	for (ssize_t done = 0; done < n; ) {
		ssize_t k = write(to, buf + done, (size_t)(n - done));

		if (k <= 0)
			break;
		done += k;
	}
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static void restore_signals(int sigfd)
{
	sigset_t none;

	close(sigfd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Until the reaper is gone. */
static int serve(struct sandbox *s, int sigfd)
{
	int64_t deadline = s->o->timeout_ms ? now_ms() + (int64_t)s->o->timeout_ms : INT64_MAX;
	int out = STDERR_FILENO, status, killed_by = 0;
	bool timed_out = false;

	if (s->o->trace_file) {
		out = open(s->o->trace_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (out < 0)
			die("--trace=%s: %s", s->o->trace_file, strerror(errno));
	}
	for (bool log_open = true; ; ) {
		struct pollfd fds[] = { { .fd = sigfd, .events = POLLIN }, { .fd = log_open ? s->log[0] : -1, .events = POLLIN } };
		int64_t left = deadline == INT64_MAX ? -1 : deadline - now_ms();
		struct signalfd_siginfo si;

		if (left < 0 && deadline != INT64_MAX) {
			timed_out = true;
			deadline = INT64_MAX;
			kill(s->reaper, SIGTERM);
		}
		if (poll(fds, 2, left > INT_MAX ? INT_MAX : (int)left) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			log_open = copy_log(s->log[0], out);
		if (!(fds[0].revents & POLLIN) || read(sigfd, &si, sizeof(si)) != sizeof(si))
			continue;
		if (si.ssi_signo == SIGCHLD) {
			if (waitpid(s->reaper, &status, WNOHANG) == s->reaper)
				break;
			continue;
		}
		killed_by = (int)si.ssi_signo;
		kill(s->reaper, SIGTERM);
	}
	while (copy_log(s->log[0], out))
		;
	if (timed_out)
		return EXIT_TIMEOUT;
	if (killed_by) {
		/* die of it ourselves, so that whoever sent it sees that it worked */
		restore_signals(sigfd);
		signal(killed_by, SIG_DFL);
		raise(killed_by);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int run(const struct options *o, const struct view *v)
{
	struct sandbox s = { .o = o };
	struct rlimit files;
	char why[160];
	sigset_t set;
	uint32_t next;
	int sigfd;

	if (!south_host_works(why, sizeof(why)))
		die("South host: %s", why);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	s.image = open_image();
	make_ram(&s);
	next = (uint32_t)stdio_plan(&s.stdio, o, BOOT_FD_FIRST);
	for (int i = 0; i < NR_CHANNELS; i++)
		s.channels[i] = next++;
	s.config = config_make(o, v, &s.stdio, s.channels, NR_CHANNELS);
	if (s.config < 0)
		die("configuration: %s", strerror(errno));
	if (pipe2(s.log, O_CLOEXEC))
		die("log: %s", strerror(errno));
	fcntl(s.log[0], F_SETFL, O_NONBLOCK);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigfd = signalfd(-1, &set, SFD_CLOEXEC);
	if (sigfd < 0)
		die("signalfd: %s", strerror(errno));
	make_channels(&s);
	fflush(NULL);
	s.reaper = fork();
	if (s.reaper < 0)
		die("fork: %s", strerror(errno));
	if (!s.reaper) {
		close(sigfd);
		sigemptyset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		reap(&s);
	}
	close(s.log[1]);
	for (int i = 0; i < NR_CHANNELS; i++)
		close(s.channel_fd[i]);
	/* after the fork: what the broker gives up, the sandbox's start still needs */
	start_broker(&s, v);
	return serve(&s, sigfd);
}
