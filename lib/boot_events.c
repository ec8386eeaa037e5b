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

static void continue_first(void)
{
	struct process *p = process_find_get(FIRST_PROGRAM);

	if (!p)
		return;
	(void)send_signal_pgrp(READ_ONCE(p->pgid), SIGCONT, SIGINFO_KERNEL);
	process_put(p);
}

/* On the runner's terminal its user sees the runner stop then, and continues both. What the runner does not take is no loss. */
static void tell_stopped(u32 sig)
{
	struct boot_event e = { .kind = BOOT_EVENT_STOPPED, .a = sig };

	(void)machine->send(boot_config->tty_control, &e, sizeof(e));
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
		else if (e.kind == BOOT_EVENT_END)
			take_signal(&(struct boot_event){ BOOT_EVENT_SIGNAL, SIGKILL, 0 });
		else if (e.kind == BOOT_EVENT_WINSIZE)
			console_resize(e.a, e.b);
		else if (e.kind == BOOT_EVENT_CONTINUE)
			continue_first();
	}
}

int boot_events(void)
{
	if (!boot_config->tty_control)
		return 0;
	/* without a terminal there is nobody who would see it and continue us */
	if (console_exists())
		first_process_stopped = tell_stopped;
	return kthread_create("events", events, NULL);
}
