// SPDX-License-Identifier: MIT
/*
 * The reaper: parent of every host process of the sandbox (they clone with CLONE_PARENT), and pid 1 of their PID namespace where
 * there is one. It sees each death. One that is not the orderly end of an address space is the end of all.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the sandbox's processes; 0 before there are any and after the leader is reaped, when the number may become another's. */
static volatile sig_atomic_t group;
static volatile sig_atomic_t asked;
static struct reaper_shared *shared;

static void on_signal(int sig)
{
	int saved = errno;

	if (sig == REAPER_END)
		asked = 1;
	if (group)
		kill(-(pid_t)group, sig == REAPER_END ? SIGKILL : shared->stop ? SIGSTOP : SIGCONT);
	errno = saved;
}

static bool broker_is_gone(const struct sandbox *s)
{
	return poll(&(struct pollfd){ .fd = s->life[0], .events = POLLIN }, 1, 0) != 0;
}

static bool used_its_time(const struct sandbox *s, const struct rusage *ru)
{
	return s->o->time && (uint64_t)(ru->ru_utime.tv_sec + ru->ru_stime.tv_sec) + 1 >= s->o->time;
}

/* Status for the broker: what the sandbox said, or that it did not end as it should. */
static int final_status(const struct sandbox *s, const siginfo_t *si, const struct rusage *ru)
{
	if (*(volatile uint32_t *)&s->header->exit_valid)
		return (int)(*(volatile uint32_t *)&s->header->exit_status & 0xff);
	if (asked || broker_is_gone(s))
		return 128 + SIGKILL;
	if (si->si_code == CLD_EXITED) {
		/* a failed start has said why already, in the log */
		if (si->si_status != EXIT_FAILED)
			message("the sandbox ended without saying why (status %d)", si->si_status);
		return EXIT_FAILED;
	}
	if (si->si_status == SIGKILL && used_its_time(s, ru)) {
		message("a process used its %llu seconds of processor time (--time): the sandbox was ended",
			(unsigned long long)s->o->time);
		return 128 + SIGXCPU;
	}
	message("a host process of the sandbox was killed by signal %d%s: the sandbox was ended", si->si_status,
		si->si_status == SIGKILL ? " (out of memory? see the host's log, or give it less with --mem)" : "");
	return 128 + si->si_status;
}

/*
 * Nothing of the broker's or of the caller's stays open here: an end held here would keep others from seeing an end of file. Nor any
 * right: what is left to do needs to be of the same user only.
 */
static void give_up_all(const struct sandbox *s)
{
	unsigned int life = (unsigned int)s->life[0];

	dup2(s->null, 0);
	dup2(s->null, 1);
	if (life > 3)
		syscall(SYS_close_range, 3, life - 1, 0);
	syscall(SYS_close_range, life + 1, ~0u, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)isolate_drop_caps();
}

static void watch_broker(const struct sandbox *s)
{
	/* as pid 1 we take all with us; else it is our handler that ends them */
	prctl(PR_SET_PDEATHSIG, s->namespaces & CLONE_NEWPID ? SIGKILL : REAPER_END);
	close(s->life[1]);
	if (broker_is_gone(s))
		_exit(EXIT_FAILED);
}

/*
 * The sandbox's end of the broker's life: when the broker's is closed, by whatever death, the host's kernel itself sends SIGKILL to
 * all of the sandbox's group. That holds when the reaper and the supervisor are killed with it, and however the sandbox masks its
 * signals; it lasts as long as any process of the sandbox has the descriptor.
 */
static bool tie_to_broker(const struct sandbox *s)
{
	return !fcntl(s->life[0], F_SETOWN, -getpgrp()) && !fcntl(s->life[0], F_SETSIG, SIGKILL) &&
	       !fcntl(s->life[0], F_SETFL, O_ASYNC) && !broker_is_gone(s);
}

static pid_t start_first(const struct sandbox *s)
{
	pid_t reaper = getpid(), first;
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC))
		_exit(EXIT_FAILED);
	first = fork();
	if (first < 0) {
		message("fork: %s: too many processes of this user?", strerror(errno));
		_exit(EXIT_FAILED);
	}
	if (!first) {
		setsid();
		if (!tie_to_broker(s))
			_exit(EXIT_FAILED);
		close(ready[0]);
		close(ready[1]);
		become_sandbox(s, reaper);
	}
	/* it has a session, and so a group, of its own before it closes this */
	close(ready[1]);
	while (read(ready[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(ready[0]);
	return first;
}

void __attribute__((noreturn)) reap(const struct sandbox *s)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	siginfo_t why = { 0 };
	struct rusage why_usage = { 0 };
	bool over = false;
	sigset_t ours, none;
	pid_t first;

	shared = s->shared;
	sigemptyset(&none);
	sigemptyset(&ours);
	sigaddset(&ours, REAPER_END);
	sigaddset(&ours, REAPER_JOB);
	sigprocmask(SIG_SETMASK, &ours, NULL);
	sigaction(REAPER_END, &sa, NULL);
	sigaction(REAPER_JOB, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* out of the terminal's reach: Ctrl-C and Ctrl-Z are for the broker */
	setsid();
	watch_broker(s);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "lbx-reaper");
	isolate_enter(s);
	first = start_first(s);
	group = first;
	s->shared->group = first;
	sigprocmask(SIG_SETMASK, &none, NULL);
	give_up_all(s);
	for (;;) {
		siginfo_t si = { 0 };
		struct rusage ru;

		/* look first, reap later: as long as the zombie is there its group's number is nobody else's */
		if (waitid(P_ALL, 0, &si, WEXITED | WNOWAIT | __WALL)) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (!over && (si.si_pid == first || si.si_code != CLD_EXITED || si.si_status)) {
			over = true;
			why = si;
			kill(-first, SIGKILL);
		}
		if (si.si_pid == first)
			group = 0;
		wait4(si.si_pid, NULL, __WALL, &ru);
		if (why.si_pid == si.si_pid)
			why_usage = ru;
	}
	_exit(final_status(s, &why, &why_usage));
}
