// SPDX-License-Identifier: MIT
/* For musl: threads are cancelled in calls that block, that return at once, and between the two. Run as `cancel musl`. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int fds[2], null_fds[2];

static void *in_read(void *arg)
{
	char c;

	for (;;)
		if (read(fds[0], &c, 1) != 1)
			return arg;
}

/* Never sleeps: only where the thread stands says whether the call was made. A byte that was written has to be counted. */
static void *in_write(void *arg)
{
	long *count = arg;

	for (;;) {
		if (write(null_fds[1], "x", 1) == 1)
			++*(volatile long *)count;
		pthread_testcancel();
	}
}

static int drain(long want)
{
	char buf[4096];
	long n, got = 0;

	while (got < want && (n = read(null_fds[0], buf, want - got < 4096 ? (size_t)(want - got) : 4096)) > 0)
		got += n;
	return got == want;
}

int main(void)
{
	int reads = 0, writes = 0;
	pthread_t t;
	void *ret;

	if (pipe(fds) || pipe(null_fds))
		return 2;
	for (int i = 0; i < 20; i++) {
		pthread_create(&t, NULL, in_read, NULL);
		if (i % 3)
			usleep(500 * i);
		pthread_cancel(t);
		pthread_join(t, &ret);
		reads += ret == PTHREAD_CANCELED;
	}
	for (int i = 0; i < 20; i++) {
		long count = 0;

		pthread_create(&t, NULL, in_write, &count);
		usleep(200 * i);
		pthread_cancel(t);
		pthread_join(t, &ret);
		writes += ret == PTHREAD_CANCELED && drain(count);
	}
	printf("%d reads, %d writes\n", reads, writes);
	return 0;
}
