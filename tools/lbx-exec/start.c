// SPDX-License-Identifier: MIT
/* The last of the broker's code that runs in a host process of the sandbox: everything is put away but what it was granted. */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Where descriptors are parked while they are put into their places, and the image's above them. */
#define PARKED		200
#define PARKED_IMAGE	300
#define NR_HANDLES	64

static void __attribute__((noreturn)) fail(int log, const char *what)
{
	dprintf(log, "lbx-exec: starting the sandbox: %s: %s\n", what, strerror(errno));
	_exit(EXIT_FAILED);
}

static void place(const struct sandbox *s, int fd, int at)
{
	if (dup2(fd, at) < 0)
		fail(s->log[1], "descriptors");
}

/* Return: the descriptor of lbx-host. @s is of no use any more: what it names has moved. */
static int place_all(const struct sandbox *s)
{
	/* first all out of the way, then each to its place: no descriptor overwrites one that is still needed */
	place(s, s->image, PARKED_IMAGE);
	place(s, s->null, PARKED_IMAGE + 1);
	place(s, s->config, PARKED + BOOT_FD_CONFIG);
	place(s, s->ram, PARKED + BOOT_FD_RAM);
	for (size_t i = 0; i < s->stdio.nr; i++)
		if (s->stdio.fd[i] >= 0)
			place(s, s->stdio.fd[i], PARKED + (int)s->stdio.io[i].handle);
	if (s->stdio.control >= 0)
		place(s, s->stdio.control, PARKED + (int)s->stdio.control_handle);
	for (int i = 0; i < NR_CHANNELS; i++)
		place(s, s->channel_fd[i], PARKED + (int)s->channels[i]);
	place(s, s->log[1], PARKED + BOOT_FD_LOG);
	for (int i = 0; i < 3; i++)
		dup2(PARKED_IMAGE + 1, i);
	for (int i = BOOT_FD_CONFIG; i < NR_HANDLES; i++)
		if (fcntl(PARKED + i, F_GETFD) < 0)
			close(i);
		else if (dup2(PARKED + i, i) < 0)
			fail(PARKED + BOOT_FD_LOG, "descriptors");
	fcntl(PARKED_IMAGE, F_SETFD, FD_CLOEXEC);
	if (syscall(SYS_close_range, NR_HANDLES, PARKED_IMAGE - 1, 0) ||
	    syscall(SYS_close_range, PARKED_IMAGE + 1, ~0u, 0))
		fail(BOOT_FD_LOG, "close_range (Linux 5.9 or newer)");
	return PARKED_IMAGE;
}

static void set_limits(const struct sandbox *s)
{
	struct rlimit none = { 0, 0 }, cpu = { s->o->time, s->o->time };
	int fd;

	setrlimit(RLIMIT_CORE, &none);
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
