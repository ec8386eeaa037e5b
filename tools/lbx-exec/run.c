// SPDX-License-Identifier: MIT
/*
 * Broker, reaper, sandbox.
 *
 *	lbx-exec (broker): serves files, relays terminals, prints the sandbox's log, keeps the time
 *	  └ reaper: parent of every host process of the sandbox, sees each death, ends all when one dies out of order
 *	      └ the sandbox's host processes, all siblings (CLONE_PARENT), in a session of their own
 *
 * When the broker dies the host's kernel ends the sandbox (reaper.c: tie_to_broker), and the reaper goes (PDEATHSIG). When the
 * reaper dies its PID namespace does; where there is none, the sandbox's first process (PDEATHSIG again) and the broker, which
 * inherits the others, end all. No two of these deaths at once leave anything behind.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "relay.h"
#include "tty.h"
#include "tools/broker/broker9p.h"

#define KEEP_GRACE_MS	60000		/* after --timeout, for --keep-changes */
#define MIN_FILES	1024		/* descriptors that starting a sandbox needs, and some for its files */

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

static void make_memory(struct sandbox *s)
{
	uint64_t size = s->o->mem + HOST_EXTRA;

	s->ram = memfd_create("litebox-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->ram < 0 || ftruncate(s->ram, (off_t)size) ||
	    fcntl(s->ram, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		die("memory for the sandbox: %s: less with --mem", strerror(errno));
	s->header = mmap(NULL, 4096, PROT_READ, MAP_SHARED, s->ram, (off_t)s->o->mem);
	s->shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->header == MAP_FAILED || s->shared == MAP_FAILED)
		die("memory for the sandbox: %s: less with --mem", strerror(errno));
}

static void log_line(void *arg, enum b9p_log_kind kind, const char *line)
{
	const struct options *o = arg;

	if (o->verbose || kind == B9P_LOG_PROTOCOL)
		message("%s", line);
}

static void make_channels(struct sandbox *s)
{
	for (int i = 0; i < BOOT_NR_CHANNELS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
			die("file server: %s", strerror(errno));
		s->server_fd[i] = pair[0];
		s->channel_fd[i] = pair[1];
		s->channels[i] = BOOT_FD_CHANNELS + (uint32_t)i;
	}
}

/* The way for signals that arrive here. */
static void make_control(struct sandbox *s, uint32_t *next_handle)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		die("control: %s", strerror(errno));
	s->control = pair[0];
	s->stdio.control = pair[1];
	s->stdio.control_handle = (*next_handle)++;
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
		exports[config.nr_exports++].flags = (m->ro ? 0 : B9P_EXPORT_RW) |
							 (m->explicit ? B9P_EXPORT_ROOT_RIGHTS : 0) |
							 (m->guard ? B9P_EXPORT_GUARD : 0);
	}
	ret = b9p_create(&config, &b);
	if (ret)
		die("file server: %s", strerror(-ret));
	ret = b9p_confine(b, 0, 0);
	if (ret)
		die("file server: cannot give up its rights: %s", strerror(-ret));
	return b;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

/* What came, and what became of it. */
struct serving {
	struct sandbox *s;
	struct b9p *server;
	int sigfd;
	int64_t deadline;	/* INT64_MAX: none (any more) */
	bool timed_out, over;
	bool deaf;		/* the sandbox has nothing more to say */
	int killed_by;		/* a signal to us that ended it */
	int status;		/* the reaper's, when @over */
};

/* Without a reaper there is none to see the sandbox's deaths: we inherit what is left, and end it. */
static void end_orphans(const struct sandbox *s)
{
	if (!(s->namespaces & CLONE_NEWPID) && s->shared->group > 0)
		kill(-s->shared->group, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
}

static void child_changed(struct serving *v)
{
	if (waitpid(v->s->reaper, &v->status, WNOHANG) != v->s->reaper)
		return;
	v->over = true;
	if (WIFSIGNALED(v->status)) {
		if (!v->killed_by && !v->timed_out)
			message("the sandbox's reaper was killed by signal %d: the sandbox was ended", WTERMSIG(v->status));
		end_orphans(v->s);
	}
}

/* By our caller: then it is for the program alone, which may have a handler of its own. */
static bool ignored(const struct sandbox *s, int sig)
{
	return s->o->sig_ignored >> (sig - 1) & 1;
}

static void handle_signal(struct serving *v, const struct signalfd_siginfo *si)
{
	int sig = (int)si->ssi_signo;

	switch (sig) {
	case SIGCHLD:
		child_changed(v);
		break;
	case SIGTSTP:
		if (!ignored(v->s, sig))
			job_stop(v->s);
		break;
	case SIGCONT:
		job_go_on(v->s);
		break;
	case SIGWINCH:
		job_send_size(v->s);
		break;
	default:
		/* to the program, which may live on; a sandbox that takes nothing is ended */
		if ((!v->over && job_tell(v->s, BOOT_EVENT_SIGNAL, (uint32_t)sig, si->ssi_code == SI_KERNEL)) || ignored(v->s, sig))
			break;
		v->killed_by = sig;
		if (!v->over)
			kill(v->s->reaper, REAPER_END);
	}
}

/* A channel gets its thread when the sandbox first speaks on it: most programs are served by one or two. */
static void serve_channel(struct sandbox *s, struct b9p *server, int i)
{
	int fd = s->server_fd[i], ret;

	s->server_fd[i] = -1;
	ret = b9p_add_channel(server, fd, fd, 0);
	if (ret < 0)
		message("file server: %s", strerror(-ret));	/* the channel is closed, which the sandbox takes as I/O errors */
}

/* The end of the time. With changes to keep, the sandbox gets some more to write them. Return: ms until it is over again, or -1 */
static int64_t time_over(struct serving *v)
{
	const struct boot_event end = { .kind = BOOT_EVENT_END };

	if (v->s->o->keep && !v->timed_out && send(v->s->control, &end, sizeof(end), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(end)) {
		v->timed_out = true;
		v->deadline = now_ms() + KEEP_GRACE_MS;
		return KEEP_GRACE_MS;
	}
	if (v->timed_out)
		message("--keep-changes %s: not done within %d s of the end of the time", v->s->o->keep, KEEP_GRACE_MS / 1000);
	v->timed_out = true;
	v->deadline = INT64_MAX;
	kill(v->s->reaper, REAPER_END);
	return -1;
}

/* One round: whatever comes first of a signal, the end of a relay, word from the sandbox, a new channel, the end of the time. */
static void serve_once(struct serving *v)
{
	struct pollfd fds[3 + BOOT_NR_CHANNELS] = {
		{ .fd = v->sigfd, .events = POLLIN }, { .fd = relays_done_fd(), .events = POLLIN },
		{ .fd = v->deaf ? -1 : v->s->control, .events = POLLIN },
	};
	int64_t left = -1;
	struct signalfd_siginfo si;

	for (int i = 0; i < BOOT_NR_CHANNELS; i++)
		fds[3 + i] = (struct pollfd){ .fd = v->s->server_fd[i], .events = POLLIN };

	if (v->deadline != INT64_MAX) {
		left = v->deadline - now_ms();
		if (left <= 0)
			left = time_over(v);
	}
	if (poll(fds, 3 + BOOT_NR_CHANNELS, left > INT_MAX ? INT_MAX : (int)left) < 0)
		return;
	for (int i = 0; i < BOOT_NR_CHANNELS; i++) {
		if (fds[3 + i].revents & POLLHUP) {	/* never used, and the sandbox is gone */
			close(v->s->server_fd[i]);
			v->s->server_fd[i] = -1;
		} else if (fds[3 + i].revents & POLLIN) {
			serve_channel(v->s, v->server, i);
		}
	}
	if (fds[1].revents & POLLIN)
		(void)relays_running();		/* counted, so that it wakes us once */
	if (fds[0].revents & POLLIN && read(v->sigfd, &si, sizeof(si)) == sizeof(si))
		handle_signal(v, &si);
	if (fds[2].revents)
		v->deaf = !job_take_event(v->s);
}

static void report(const struct serving *v, int status)
{
	const char *how = v->timed_out ? "timeout" : v->killed_by ? "signal" : WIFSIGNALED(v->status) ? "reaper" : "exit";

	if (v->s->o->json)
		dprintf(v->s->o->trace_fd, "{\"exit\":{\"status\":%d,\"by\":\"%s\"}}\n", status, how);
}

/* Until the sandbox is gone and its last words are out. */
static int serve(struct sandbox *s, struct b9p *server, int sigfd)
{
	struct serving v = {
		.s = s, .server = server, .sigfd = sigfd, .deadline = s->o->timeout_ms ? now_ms() + (int64_t)s->o->timeout_ms : INT64_MAX,
	};
	int status;

	child_changed(&v);
	while (!v.over)
		serve_once(&v);
	v.deadline = INT64_MAX;
	stdio_leave(&s->stdio, s->header);
	/* a terminal that is stopped (Ctrl-S) holds the last words back: a signal still ends us */
	while (relays_running() && !v.killed_by)
		serve_once(&v);
	status = v.timed_out ? EXIT_TIMEOUT : v.killed_by ? 128 + v.killed_by :
		 WIFEXITED(v.status) ? WEXITSTATUS(v.status) : 128 + WTERMSIG(v.status);
	tty_leave();
	report(&v, status);
	if (v.killed_by) {
		sigset_t set;

		/* die of it ourselves, so that whoever sent it sees that it worked */
		signal(v.killed_by, SIG_DFL);
		sigemptyset(&set);
		sigaddset(&set, v.killed_by);
		raise(v.killed_by);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
	return status;
}

static void raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		die("RLIMIT_NOFILE: %s", strerror(errno));
	files.rlim_cur = files.rlim_max;
	if (files.rlim_max < MIN_FILES || setrlimit(RLIMIT_NOFILE, &files))
		die("the hard limit of open files is %llu: at least %d are needed (ulimit -Hn)",
		    (unsigned long long)files.rlim_max, MIN_FILES);
}

static void open_ends(struct sandbox *s)
{
	s->image = open_image();
	make_memory(s);
	s->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	s->proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (s->null < 0 || s->proc < 0)
		die("/dev/null and /proc are needed: %s", strerror(errno));
	if (pipe2(s->log, O_CLOEXEC) || pipe2(s->life, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
}

/* Images are read by the sandbox itself. */
static void number_images(struct view *v, uint32_t *next_handle)
{
	for (size_t i = 0; i < v->nr; i++)
		if (v->mounts[i].image >= 0)
			v->mounts[i].handle = (*next_handle)++;
}

int run(const struct options *o, struct view *v)
{
	struct sandbox s = { .o = o, .v = v };
	struct b9p *server;
	char why[160];
	uint32_t next;
	int sigfd, cgroup;

	if (!south_host_works(why, sizeof(why)))
		die("South host: %s", why);
	raise_files();
	open_ends(&s);
	make_channels(&s);
	next = stdio_plan(&s.stdio, o, BOOT_FD_FIRST);
	make_control(&s, &next);
	s.life_handle = next++;
	number_images(v, &next);
	s.config = config_make(o, v, &s.stdio, s.channels, BOOT_NR_CHANNELS);
	if (s.config < 0)
		die("configuration: %s", strerror(errno));
	sigfd = signals_take();
	/* before we become the parent of all orphans */
	cgroup = cgroup_make(o);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	fflush(NULL);
	s.reaper = isolate_fork(&s.namespaces, o->verbose, cgroup);
	if (cgroup >= 0 && s.reaper)
		close(cgroup);
	if (s.reaper < 0)
		die("fork: %s: too many processes of this user?", strerror(errno));
	if (!s.reaper) {
		close(sigfd);
		close(s.control);
		for (int i = 0; i < BOOT_NR_CHANNELS; i++)
			close(s.server_fd[i]);
		for (size_t i = 0; i < s.stdio.nr; i++)
			if (s.stdio.relay[i] >= 0)
				close(s.stdio.relay[i]);
		reap(&s);
	}
	close(s.log[1]);
	close(s.life[0]);
	for (int i = 0; i < BOOT_NR_CHANNELS; i++)
		close(s.channel_fd[i]);
	close(s.stdio.control);
	stdio_close_sandbox_ends(&s.stdio);
	/* after the fork: what the broker gives up, the sandbox's start still needs */
	server = start_broker(&s, v);
	serve_channel(&s, server, 0);	/* the first program is read through it */
	relay_copy(s.log[0], o->trace_fd, false);
	for (size_t i = 0; i < s.stdio.nr; i++)
		if (s.stdio.io[i].kind == BOOT_STDIO_TTY && s.stdio.relay[i] >= 0) {
			tty_init(s.stdio.host[i]);
			break;
		}
	stdio_relay(&s.stdio);
	return serve(&s, server, sigfd);
}
