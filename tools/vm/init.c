// SPDX-License-Identifier: MIT
/* Process 1 of lbx-vm's machine: see vm.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "tools/vm/vm.h"

static int ports[PORT_COUNT] = { -1, -1, -1, -1 };

static void mark_end(void)
{
	static const char mark[] = "<6>lbx-vm: end\n";
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, mark, sizeof(mark) - 1) < 0)
		fprintf(stderr, "lbx-vm: /dev/kmsg: %s\n", strerror(errno));
	close(fd);
}

static void ctl_write(const char *text, size_t len)
{
	struct pollfd pfd = { .fd = ports[PORT_CTL], .events = POLLOUT };

	while (len) {
		ssize_t n = write(ports[PORT_CTL], text, len);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			poll(&pfd, 1, 1000);
		} else {
			return;
		}
	}
}

static void ctl_vsend(const char *fmt, va_list args)
{
	char line[512];
	int n = vsnprintf(line, sizeof(line) - 1, fmt, args);

	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	ctl_write(line, (size_t)n);
}

void ctl_send(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ctl_vsend(fmt, args);
	va_end(args);
}

void ctl_last(const char *fmt, ...)
{
	va_list args;

	mark_end();
	va_start(args, fmt);
	ctl_vsend(fmt, args);
	va_end(args);
}

/* The host ends the machine once it has read what it was told. */
static void __attribute__((noreturn)) stop(void)
{
	poll(NULL, 0, 10000);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

void fail(const char *fmt, ...)
{
	const char *why = errno ? strerror(errno) : NULL;
	char text[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (why)
		fprintf(stderr, "lbx-vm: %s: %s\n", text, why);
	else
		fprintf(stderr, "lbx-vm: %s\n", text);
	if (ports[PORT_CTL] >= 0)
		ctl_last("fail %s%s%s", text, why ? ": " : "", why ? why : "");
	stop();
}

int main(void)
{
	static struct conf conf;

	conf_load(&conf, "/lbx.conf");
	/* the ports' own driver may be among them */
	boot_modules(&conf);
	boot_ports(ports);
	boot_root(&conf);
	command_run(&conf, ports);
	stop();
}
