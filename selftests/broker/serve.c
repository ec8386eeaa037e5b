// SPDX-License-Identifier: MIT
/*
 * The broker's file server on a unix stream socket, for clients that are not ours.
 *
 *	serve SOCKET NAME=DIR[:rw]... -- COMMAND [ARGUMENT...]
 *
 * Serves each connection until the command ends; its exit status is the command's. What the server
 * logs goes to stderr.
 */
#define _GNU_SOURCE
#include "tools/broker/broker9p.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void log_fn(void *arg, enum b9p_log_kind kind, const char *line)
{
	(void)arg;
	(void)kind;
	fprintf(stderr, "serve: %s\n", line);
}

static int fail(const char *what)
{
	fprintf(stderr, "serve: %s: %s\n", what, strerror(errno));
	return 125;
}

static int loop(struct b9p *b, int listener, int sigfd, pid_t pid)
{
	struct pollfd p[2] = { { .fd = listener, .events = POLLIN },
			       { .fd = sigfd, .events = POLLIN } };
	int status;

	for (;;) {
		if (poll(p, 2, -1) < 0)
			return fail("poll");
		if (p[0].revents) {
			int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

			if (fd >= 0 && b9p_add_channel(b, fd, fd, B9P_CHANNEL_STREAM) < 0)
				return fail("add_channel");
		}
		if (p[1].revents && waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct b9p_export ex[16];
	struct b9p_config config = { .exports = ex, .log = log_fn };
	sigset_t chld;
	struct b9p *b;
	int i, ret, listener, sigfd;
	pid_t pid;

	for (i = 2; i < argc && strcmp(argv[i], "--") && config.nr_exports < 16; i++) {
		char *dir = strchr(argv[i], '='), *rw;

		if (!dir)
			break;
		*dir++ = 0;
		rw = strstr(dir, ":rw");
		if (rw)
			*rw = 0;
		ex[config.nr_exports].fd = open(dir, O_PATH | O_CLOEXEC);
		if (ex[config.nr_exports].fd < 0)
			return fail(dir);
		ex[config.nr_exports].name = argv[i];
		ex[config.nr_exports++].flags = rw ? B9P_EXPORT_RW : 0;
	}
	if (i + 1 >= argc || strcmp(argv[i], "--") || strlen(argv[1]) >= sizeof(sa.sun_path)) {
		fprintf(stderr, "usage: serve SOCKET NAME=DIR[:rw]... -- COMMAND [ARGUMENT...]\n");
		return 125;
	}
	ret = b9p_create(&config, &b);
	if (ret) {
		errno = -ret;
		return fail("b9p_create");
	}
	strcpy(sa.sun_path, argv[1]);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&sa, sizeof(sa)) ||
	    listen(listener, 8))
		return fail(argv[1]);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC);
	pid = fork();	/* before any thread and before confinement */
	if (!pid) {
		sigprocmask(SIG_UNBLOCK, &chld, NULL);
		execvp(argv[i + 1], argv + i + 1);
		_exit(127);
	}
	ret = b9p_confine(b, 0, 0);
	if (ret) {
		errno = -ret;
		return fail("b9p_confine");
	}
	ret = loop(b, listener, sigfd, pid);
	b9p_destroy(b);
	return ret;
}
