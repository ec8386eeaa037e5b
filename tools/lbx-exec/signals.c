// SPDX-License-Identifier: MIT
/*
 * Signals that the caller left ignored or blocked (nohup, a shell's background job, a CI runner) are so for the program too, as
 * after exec. Asked of the kernel itself: libc keeps its own real-time signals, 32 and 33, to itself, and they are inherited all
 * the same.
 */
#include "exec.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NR_SIGNALS	64

/* As rt_sigaction(2) has it on x86-64. */
struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

void signals_inherited(struct options *o)
{
	struct kernel_action a;

	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		if (!syscall(SYS_rt_sigaction, sig, NULL, &a, sizeof(a.mask)) && a.handler == SIG_IGN)
			o->sig_ignored |= 1ull << (sig - 1);
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &o->sig_blocked, sizeof(o->sig_blocked));
}

void signals_default(void)
{
	const struct kernel_action dfl = { .handler = SIG_DFL };
	const uint64_t none = 0;

	for (int sig = 1; sig <= NR_SIGNALS; sig++)
		(void)syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(dfl.mask));
	(void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
}

int signals_take(void)
{
	/*
	 * Ignored ones too: the program may have a handler for them, and while a signal is blocked the kernel keeps it even when
	 * it is ignored.
	 */
	static const int ours[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		sigaddset(&set, ours[i]);
	/* ignored, it would take the reaper's status with it */
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		die("signalfd: %s", strerror(errno));
	/* not for those who relay: relay.c */
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}
