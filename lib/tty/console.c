// SPDX-License-Identifier: MIT
/*
 * The console: the runner's terminal. The broker has made that one raw and relays bytes over handles; the line discipline is here.
 * Two kernel threads: one reads, one writes. Signals and sizes come by boot_events.c.
 */
#include "tty/console.h"

#include "base/string.h"
#include "fs/chrdev.h"
#include "mm/kmalloc.h"
#include "process/internal.h"
#include "sched/time.h"
#include "south/south.h"
#include "tty/tty.h"

#define CONSOLE_BUF	4096u

struct console {
	struct tty *tty;
	u32 handle_in, handle_out;
	struct wait_queue out_wait;
	u8 in[CONSOLE_BUF], out[CONSOLE_BUF];
};

static struct tty *console;		/* made at boot, stays */

static void console_output(struct tty *t)
{
	struct console *c = t->priv;

	wake_up_all(&c->out_wait);
}

static const struct tty_driver console_driver = { .major = TTYAUX_MAJOR, .minor = 1, .output = console_output };

static void read_thread(void *arg)
{
	struct console *c = arg;
	struct tty *t = c->tty;

	for (;;) {
		struct iov iov;
		ssize_t n;
		bool ok;

		wait_event(&t->master_wait, TTY_IN_MAX - READ_ONCE(t->in.len) >= CONSOLE_BUF);
		iov = (struct iov){ (u64)(uintptr_t)c->in, CONSOLE_BUF };
		n = south_read(c->handle_in, SOUTH_STREAM, &iov, 1);
		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		mutex_lock(&t->lock);
		/* without memory the keys are lost, as they are when nobody reads them for long */
		ok = ring_put(&t->in, c->in, (u32)n);
		if (ok)
			n_tty_receive(t);
		mutex_unlock(&t->lock);
	}
	tty_hangup(t);
}

static bool has_output(struct tty *t)
{
	return READ_ONCE(t->out.len) && !READ_ONCE(t->stopped);
}

/* All of it, or nothing more when the terminal is gone: then output goes nowhere, so that nobody waits for it. */
static void write_all(struct console *c, u32 len)
{
	u32 done = 0;

	while (done < len) {
		struct iov iov = { (u64)(uintptr_t)c->out + done, len - done };
		ssize_t n = south_write(c->handle_out, SOUTH_STREAM, &iov, 1);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			return;
		done += (u32)n;
	}
}

static void write_thread(void *arg)
{
	struct console *c = arg;
	struct tty *t = c->tty;

	for (;;) {
		const u8 *p;
		u32 len = 0;

		wait_event(&c->out_wait, has_output(t));
		mutex_lock(&t->lock);
		if (has_output(t)) {
			len = min(ring_peek(&t->out, &p), CONSOLE_BUF);
			memcpy(c->out, p, len);
			ring_drop(&t->out, len);
			t->in_flight = len;
			echo_process(t);
		}
		mutex_unlock(&t->lock);
		write_all(c, len);
		mutex_lock(&t->lock);
		t->in_flight = 0;
		mutex_unlock(&t->lock);
		wake_up_poll(&t->write_wait, POLLOUT | POLLWRNORM);
	}
}

/* ---- what the broker tells ---- */

bool console_exists(void)
{
	return console;
}

void console_resize(u32 rows, u32 columns)
{
	struct winsize ws = { (u16)rows, (u16)columns, 0, 0 };

	if (console)
		tty_set_winsize(console, &ws);
}

bool console_signal(int sig)
{
	if (!console || !READ_ONCE(console->pgrp))
		return false;
	tty_signal_pgrp(console, sig);
	return true;
}

/* ---- the device ---- */

static int console_open(struct inode *inode __unused, struct file *f)
{
	return console ? tty_open_file(console, f, false) : -ENXIO;
}

static struct chrdev device = { .major = TTYAUX_MAJOR, .minor = 1, .nr = 1, .name = "/dev/console", .open = console_open };

void console_init(void)
{
	chrdev_register(&device);
}

int console_start(u32 handle_in, u32 handle_out, u32 rows, u32 columns)
{
	struct console *c = kzalloc(sizeof(*c));
	struct tty *t = c ? tty_alloc(&console_driver, 0) : NULL;
	int ret = 0;

	if (!t) {
		kfree(c);
		return -ENOMEM;
	}
	*c = (struct console){ .tty = t, .handle_in = handle_in, .handle_out = handle_out };
	wait_queue_init(&c->out_wait);
	t->priv = c;
	t->winsize = (struct winsize){ (u16)rows, (u16)columns, 0, 0 };
	console = t;
	tty_take(t);
	if (handle_out != SOUTH_NO_HANDLE)
		ret = kthread_create("console-out", write_thread, c);
	if (!ret && handle_in != SOUTH_NO_HANDLE)
		ret = kthread_create("console-in", read_thread, c);
	return ret;
}

void console_drain(s64 deadline)
{
	struct tty *t = console;

	if (!t || ((struct console *)t->priv)->handle_out == SOUTH_NO_HANDLE)
		return;
	mutex_lock(&t->lock);
	t->tco_stopped = false;
	tty_start(t);
	echo_flush(t);
	mutex_unlock(&t->lock);
	(void)wait_event_state(&t->write_wait, !READ_ONCE(t->out.len) && !READ_ONCE(t->in_flight), TASK_UNINTERRUPTIBLE,
			       deadline);
}
