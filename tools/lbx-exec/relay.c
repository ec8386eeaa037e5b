// SPDX-License-Identifier: MIT
/*
 * Relays: what may not be handed in (terminals, devices, pipes that others have made non-blocking) is copied through a socket, by
 * a thread in each direction, so that one that blocks holds up no other. The sandbox's log goes the same way.
 *
 * Towards the sandbox ends with an end of file (shutdown). Away from it ends when the sandbox has closed its end; relays_done
 * counts these, so that the last words are printed before lbx-exec ends.
 */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER		65536
#define BACKGROUND_MS	200	/* how often a background job looks whether it may read the terminal */

struct copy {
	int from, to;
	bool inward;
};

static int done_fd = -1;
static unsigned int outward_running;

static bool wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

/* Return: false when @to takes no more */
static bool write_all(int to, const char *buf, size_t len)
{
	while (len) {
		ssize_t n = write(to, buf, len);

		if (n > 0) {
			buf += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			if (!wait_for(to, POLLOUT))
				return false;
		} else if (n == 0 || errno != EINTR) {
			return false;
		}
	}
	return true;
}

/* Return: read(2)'s, when that is an answer: not while another job has the terminal, or nothing is there yet */
static ssize_t read_some(int from, char *buf)
{
	bool waited = false;

	for (;;) {
		ssize_t n;

		/* fg of a job that bg let run sends no signal: whoever makes the terminal raw has to hear of it */
		if (waited && tcgetpgrp(from) == getpgrp()) {
			kill(getpid(), SIGCONT);
			waited = false;
		}
		n = read(from, buf, BUFFER);
		if (n >= 0)
			return n;
		if (errno == EAGAIN) {
			if (!wait_for(from, POLLIN))
				return -1;
		} else if (errno == EIO && isatty(from) && tcgetpgrp(from) != getpgrp()) {
			struct timespec pause = { 0, BACKGROUND_MS * 1000000l };

			nanosleep(&pause, NULL);
			waited = true;
		} else if (errno != EINTR) {
			return -1;
		}
	}
}

static void *copy_thread(void *arg)
{
	struct copy *c = arg;
	char *buf = malloc(BUFFER);
	uint64_t one = 1;
	bool taken = true;
	ssize_t n;

	while (buf && (n = read_some(c->from, buf)) > 0) {
		if (taken && write_all(c->to, buf, (size_t)n))
			continue;
		if (c->inward)
			break;
		/*
		 * What nobody takes is thrown away, so that the sandbox does not wait for it for ever. Who writes to a pipe
		 * is told (the socket becomes EPIPE); the log and a terminal that hung up go on into nothing.
		 */
		if (taken && !isatty(c->to))
			shutdown(c->from, SHUT_RD);
		taken = false;
	}
	if (c->inward)
		shutdown(c->to, SHUT_WR);
	else if (write(done_fd, &one, sizeof(one)) != sizeof(one))
		abort();
	free(buf);
	free(c);
	return NULL;
}

int relays_done_fd(void)
{
	if (done_fd < 0)
		done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return done_fd;
}

bool relays_running(void)
{
	uint64_t n;

	if (read(done_fd, &n, sizeof(n)) == sizeof(n))
		outward_running -= (unsigned int)n;
	return outward_running > 0;
}

void relay_copy(int from, int to, bool inward)
{
	struct copy *c = xmalloc(sizeof(*c));
	pthread_t thread;
	int ret;

	*c = (struct copy){ from, to, inward };
	relays_done_fd();
	if (!inward)
		outward_running++;
	ret = pthread_create(&thread, NULL, copy_thread, c);
	if (ret)
		die("a thread to relay with: %s", strerror(ret));
	pthread_detach(thread);
}

int relay_socket(int *ours)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("relay: %s", strerror(errno));
	*ours = pair[0];
	return pair[1];
}
