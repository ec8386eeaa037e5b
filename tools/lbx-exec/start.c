// SPDX-License-Identifier: MIT
/* The last of the broker's code that runs in a host process of the sandbox: everything is put away but what it was granted. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/south/host/calls.h"

static void __attribute__((noreturn)) fail(int log, const char *what)
{
	dprintf(log, "lbx-exec: starting the sandbox: %s: %s\n", what, strerror(errno));
	_exit(EXIT_FAILED);
}

/* A copy at or above @from, which exec closes. */
static int park(const struct sandbox *s, int fd, int from)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, from);

	if (copy < 0)
		fail(s->log[1], "descriptors");
	return copy;
}

/*
 * Every number below HOST_FIRST_GRANT is taken when this is done, by what was granted or by /dev/null: so what comes later comes
 * above, where the filter lets it be closed. What else the caller had open, whatever its number, is closed.
 * Return: the descriptor of lbx-host. @s is of no use any more: what it names has moved.
 */
static int place_all(const struct sandbox *s)
{
	int granted[HOST_FIRST_GRANT], image, log;

	for (int i = 0; i < HOST_FIRST_GRANT; i++)
		granted[i] = s->null;
	granted[BOOT_FD_CONFIG] = s->config;
	granted[BOOT_FD_RAM] = s->ram;
	granted[BOOT_FD_LOG] = s->log[1];
	for (size_t i = 0; i < s->stdio.nr; i++)
		if (s->stdio.fd[i] >= 0)
			granted[s->stdio.io[i].handle] = s->stdio.fd[i];
	if (s->stdio.control >= 0)
		granted[s->stdio.control_handle] = s->stdio.control;
	granted[s->life_handle] = s->life[0];
	for (size_t i = 0; i < s->v->nr; i++)
		if (s->v->mounts[i].image >= 0)
			granted[s->v->mounts[i].handle] = s->v->mounts[i].image;
	for (int i = 0; i < BOOT_NR_CHANNELS; i++)
		granted[s->channels[i]] = s->channel_fd[i];
	/* first all out of the way, then each to its place: none overwrites one that is still needed */
	for (int i = 0; i < HOST_FIRST_GRANT; i++)
		granted[i] = park(s, granted[i], HOST_FIRST_GRANT);
	image = park(s, s->image, HOST_FIRST_GRANT);
	log = granted[BOOT_FD_LOG];
	for (int i = 0; i < HOST_FIRST_GRANT; i++)
		if (dup2(granted[i], i) < 0)
			fail(log, "descriptors");
	if ((image > HOST_FIRST_GRANT && syscall(SYS_close_range, HOST_FIRST_GRANT, image - 1, 0)) ||
	    syscall(SYS_close_range, image + 1, ~0u, 0))
		fail(BOOT_FD_LOG, "close_range (Linux 5.9 or newer)");
	return image;
}

/* No more of @what than @most, for good. */
static void limit(int what, rlim_t most)
{
	struct rlimit r;

	if (getrlimit(what, &r))
		return;
	r.rlim_max = r.rlim_max < most ? r.rlim_max : most;
	r.rlim_cur = r.rlim_max;
	setrlimit(what, &r);
}

/* --cpus: as many of those that we may use, and not the same ones in each sandbox. The filter leaves no call to change it. */
static void limit_cpus(const struct sandbox *s)
{
	cpu_set_t have, set;
	uint32_t nr, left = s->o->cpus, from = 0, seen = 0;

	if (sched_getaffinity(0, sizeof(have), &have))
		return;
	nr = (uint32_t)CPU_COUNT(&have);
	if (left >= nr || getrandom(&from, sizeof(from), 0) != sizeof(from))
		return;
	from %= nr;
	CPU_ZERO(&set);
	for (int cpu = 0; left; cpu = (cpu + 1) % CPU_SETSIZE) {
		if (!CPU_ISSET(cpu, &have) || seen++ < from)
			continue;
		CPU_SET(cpu, &set);
		left--;
	}
	if (sched_setaffinity(0, sizeof(set), &set) && s->o->verbose)
		message("--cpus: all processors stay allowed: %s", strerror(errno));
}

/*
 * A library kernel that keeps to --procs never comes near these. One that is taken over does not get the user's last process,
 * timer or file; the first two are counted by user, and so are told apart from the user's others in a user namespace only.
 */
static void set_limits(const struct sandbox *s)
{
	/* host threads: those that idle stay, and each may have its timer */
	rlim_t threads = 2 * (rlim_t)s->o->procs + 64;
	struct rlimit cpu = { s->o->time, s->o->time };
	int fd;

	limit_cpus(s);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, HOST_GRANTS_END);
	if (s->namespaces & CLONE_NEWUSER) {
		limit(RLIMIT_NPROC, threads);
		limit(RLIMIT_SIGPENDING, 2 * threads);
	}
	if (s->o->time)
		setrlimit(RLIMIT_CPU, &cpu);
	fd = openat(s->proc, "self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "500", 3) != 3) {
		if (s->o->verbose)
			message("oom_score_adj stays as it is: %s", strerror(errno));
	}
	if (fd >= 0)
		close(fd);
}

void __attribute__((noreturn)) become_sandbox(const struct sandbox *s, pid_t reaper)
{
	static char *const argv[] = { "litebox", NULL }, *const envp[] = { NULL };
	bool verbose = s->o->verbose;
	int image, ret;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != reaper)
		_exit(EXIT_FAILED);
	set_limits(s);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail(s->log[1], "no_new_privs");
	ret = isolate_landlock(s->image);
	if (ret && verbose)
		message("no Landlock here (%s): the filter holds without", strerror(ret));
	ret = isolate_drop_caps();
	if (ret && verbose)
		message("capabilities: %s", strerror(ret));
	image = place_all(s);
	signals_default();
	syscall(SYS_execveat, image, "", argv, envp, AT_EMPTY_PATH);
	fail(BOOT_FD_LOG, "lbx-host");
}
