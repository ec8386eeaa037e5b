// SPDX-License-Identifier: MIT
/* Round trips: one side wakes the other and waits for its answer. */
#define _GNU_SOURCE
#include "bench.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int there[2], back[2];
static pthread_t peer;
static pid_t child;
static unsigned ball;		/* odd: the peer's turn; STOP: it ends */

#define STOP	0x80000000u

static void open_pipes(void)
{
	need(!pipe(there) && !pipe(back), "pipe");
}

static void echo(void)
{
	char c;

	while (read(there[0], &c, 1) == 1)
		need(write(back[1], &c, 1) == 1, "echo");
}

static void *echo_thread(void *arg)
{
	echo();
	return arg;
}

static void start_echo_thread(void)
{
	open_pipes();
	need(!pthread_create(&peer, NULL, echo_thread, NULL), "pthread_create");
}

static void end_echo_thread(void)
{
	close(there[1]);
	pthread_join(peer, NULL);
	close(there[0]);
	close(back[0]);
	close(back[1]);
}

static void start_echo_process(void)
{
	open_pipes();
	child = fork();
	need(child >= 0, "fork");
	if (!child) {
		close(there[1]);
		echo();
		_exit(0);
	}
}

static void end_echo_process(void)
{
	close(there[1]);
	waitpid(child, NULL, 0);
	close(there[0]);
	close(back[0]);
	close(back[1]);
}

static void run_echo(unsigned long n)
{
	char c = 0;

	while (n--)
		need(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1, "pipe");
}

static void futex(int op, unsigned val)
{
	syscall(SYS_futex, &ball, op | FUTEX_PRIVATE_FLAG, val, NULL, NULL, 0);
}

static void *return_balls(void *arg)
{
	for (;;) {
		unsigned now = __atomic_load_n(&ball, __ATOMIC_ACQUIRE);

		if (now & STOP)
			return arg;
		if (now & 1) {
			__atomic_store_n(&ball, now + 1, __ATOMIC_RELEASE);
			futex(FUTEX_WAKE, 1);
		} else {
			futex(FUTEX_WAIT, now);
		}
	}
}

static void start_player(void)
{
	ball = 0;
	need(!pthread_create(&peer, NULL, return_balls, NULL), "pthread_create");
}

static void end_player(void)
{
	__atomic_store_n(&ball, STOP, __ATOMIC_RELEASE);
	futex(FUTEX_WAKE, 1);
	pthread_join(peer, NULL);
}

static void run_balls(unsigned long n)
{
	while (n--) {
		unsigned now = (ball + 1) & ~STOP;

		__atomic_store_n(&ball, now, __ATOMIC_RELEASE);
		futex(FUTEX_WAKE, 1);
		while (__atomic_load_n(&ball, __ATOMIC_ACQUIRE) == now)
			futex(FUTEX_WAIT, now);
	}
}

const struct item wake_items[] = {
	{ "pipe round trip, threads", start_echo_thread, run_echo, end_echo_thread },
	{ "pipe round trip, processes", start_echo_process, run_echo, end_echo_process },
	{ "futex round trip, threads", start_player, run_balls, end_player },
	{ 0 },
};
