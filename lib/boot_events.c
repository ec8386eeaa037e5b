// SPDX-License-Identifier: MIT
/* Signals and window sizes that arrived at the runner, for the first program and its terminal. */
#include "base/errno.h"
#include "base/string.h"
#include "boot.h"
#include "boot_parts.h"
#include "process/fork.h"
#include "process/pid.h"
#include "process/signal.h"
#include "process/task.h"
#include "south/south.h"
#include "tty/console.h"

/* The first program is pid 1, and so is its group while nobody has moved it. */
#define FIRST_PROGRAM	1

static void take_signal(const struct boot_event *e)
{
	struct process *p;

	if (!signal_valid((int)e->a))
		return;
	if (e->b && console_signal((int)e->a))
		return;
	if (e->b && !send_signal_pgrp(FIRST_PROGRAM, (int)e->a, SIGINFO_KERNEL))
		return;
	p = process_find_get(FIRST_PROGRAM);
	if (!p)
		return;
	(void)send_signal_process(p, (int)e->a, SIGINFO_KERNEL);
	process_put(p);
}

/* Lives as long as the sandbox. */
static void events(void *arg __unused)
{
	for (;;) {
		struct boot_event e;
		struct iov iov = { (u64)(uintptr_t)&e, sizeof(e) };
		ssize_t n = south_read(boot_config->tty_control, SOUTH_STREAM, &iov, 1);

		if (n == -EINTR)
			continue;
		/* the socket keeps records whole; its end is the runner's */
		if (n != (ssize_t)sizeof(e))
			return;
		if (e.kind == BOOT_EVENT_SIGNAL)
			take_signal(&e);
		else if (e.kind == BOOT_EVENT_WINSIZE)
			console_resize(e.a, e.b);
	}
}

int boot_events(void)
{
	return boot_config->tty_control ? kthread_create("events", events, NULL) : 0;
}
