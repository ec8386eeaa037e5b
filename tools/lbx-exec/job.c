// SPDX-License-Identifier: MIT
/*
 * lbx-exec as a job of the shell that started it: it and the sandbox stop together, the terminal is as it was meanwhile, and both
 * go on together. Stopping is left to the host's kernel (the default action of SIGTSTP), which knows whether there is a shell that
 * could continue us: without one nothing stops, as for any program.
 */
#include "sandbox.h"

#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tty.h"

static void sandbox_stop(const struct sandbox *s, bool stop)
{
	s->shared->stop = stop;
	kill(s->reaper, REAPER_JOB);
}

bool job_tell(const struct sandbox *s, uint32_t kind, uint32_t a, uint32_t b)
{
	struct boot_event e = { kind, a, b };

	return send(s->control, &e, sizeof(e), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(e);
}

void job_send_size(const struct sandbox *s)
{
	uint32_t rows, columns;

	if (tty_size(&rows, &columns))
		(void)job_tell(s, BOOT_EVENT_WINSIZE, rows, columns);
}

void job_go_on(const struct sandbox *s)
{
	sandbox_stop(s, false);
	tty_enter();
	job_send_size(s);
	(void)job_tell(s, BOOT_EVENT_CONTINUE, 0, 0);
}

/* Return: whether we were continued, so had been stopped. @who: as for kill(2) */
static bool stop_here(pid_t who)
{
	static const struct timespec at_once;
	sigset_t stop, cont;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigemptyset(&cont);
	sigaddset(&cont, SIGCONT);
	kill(who, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	return sigtimedwait(&cont, NULL, &at_once) == SIGCONT;
}

void job_stop(const struct sandbox *s)
{
	sandbox_stop(s, true);
	tty_leave();
	(void)stop_here(getpid());
	job_go_on(s);
}

/*
 * A key of a terminal stops all of a job: `make`, of whose recipe we may be, and the other ends of a pipeline. It is raw while we
 * have it, so its keys go to the program and what the program makes of them comes back here. A program that stops itself looks the
 * same, and may stop the job that it is part of; without the terminal only us.
 */
static void program_stopped(const struct sandbox *s, int sig)
{
	bool ours = tty_is_raw();

	sandbox_stop(s, true);
	tty_leave();
	if (stop_here(ours ? 0 : getpid()) || sig != SIGSTOP) {
		job_go_on(s);
		return;
	}
	/* SIGSTOP stops even where there is no shell: another program of the sandbox may continue it */
	sandbox_stop(s, false);
	tty_enter();
}

bool job_take_event(const struct sandbox *s)
{
	struct boot_event e;
	ssize_t n = recv(s->control, &e, sizeof(e), MSG_DONTWAIT);

	/* where nobody sits, nobody would continue us: who says so then means to outlive --timeout */
	if (n == sizeof(e) && e.kind == BOOT_EVENT_STOPPED && tty_exists())
		program_stopped(s, (int)e.a);
	return n > 0;
}
