// SPDX-License-Identifier: MIT
/*
 * The host's terminal while a sandbox has it: raw, since the line discipline is the library kernel's, and as it was whenever
 * lbx-exec ends, stops, or dies of a signal that it can catch.
 */
#include "tty.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int tty = -1;
static struct termios before;
static volatile sig_atomic_t raw;

/* Only while our job is the one that has the terminal: else it is somebody else's. */
void tty_enter(void)
{
	struct termios t;

	if (tty < 0 || raw || tcgetpgrp(tty) != getpgrp() || tcgetattr(tty, &before))
		return;
	t = before;
	cfmakeraw(&t);
	raw = !tcsetattr(tty, TCSADRAIN, &t);
}

void tty_leave(void)
{
	if (!raw)
		return;
	raw = 0;
	/* what is typed ahead stays for whoever reads next */
	tcsetattr(tty, TCSADRAIN, &before);
}

bool tty_exists(void)
{
	return tty >= 0;
}

bool tty_is_raw(void)
{
	return raw;
}

static void die_of(int sig)
{
	tty_leave();
	signal(sig, SIG_DFL);
	raise(sig);
}

void tty_init(int fd)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU };
	struct sigaction sa = { .sa_handler = die_of, .sa_flags = SA_NODEFER };

	tty = fd;
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++) {
		struct sigaction old;

		/* what the caller ignores ends nobody */
		if (!sigaction(fatal[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(fatal[i], &sa, NULL);
	}
	atexit(tty_leave);
	tty_enter();
}

bool tty_size(uint32_t *rows, uint32_t *columns)
{
	struct winsize ws;

	if (tty < 0 || ioctl(tty, TIOCGWINSZ, &ws))
		return false;
	*rows = ws.ws_row;
	*columns = ws.ws_col;
	return true;
}
