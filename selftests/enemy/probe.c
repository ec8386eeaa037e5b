// SPDX-License-Identifier: MIT
/*
 * What can be reached from inside by the host calls that the filter lets pass. Static, so that it is one file.
 *
 *	probe GATE WHAT [ARGUMENT]
 *
 * GATE is the address of gate_call() in lbx-host (nm). reach.t looks at what is printed.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

typedef long (*gate_fn)(uint64_t nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
static gate_fn gate;

#define PROGRAM_WINDOW	0x100000000000ul
#define NR_FDS		1024

/* Each descriptor that is open in the host process: its number, and the first bytes of it when it is a file. */
static int probe_fds(void)
{
	static char bytes[16];
	struct iovec iov = { bytes, sizeof(bytes) - 1 };

	for (uint64_t fd = 0; fd < NR_FDS; fd++) {
		long n, mapped;

		/* with an offset a pipe or socket answers ESPIPE and does not block */
		memset(bytes, 0, sizeof(bytes));
		n = gate(SYS_preadv2, fd, (uint64_t)&iov, 1, 0, 0, 0);
		mapped = gate(SYS_mmap, PROGRAM_WINDOW, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
		if (n == -EBADF && mapped == -EBADF)
			continue;
		for (char *p = bytes; *p; p++)
			if (*p < ' ' || *p > '~')
				*p = '.';
		printf("fd %lu: %s%s\n", fd, n == -ESPIPE ? "stream" : n > 0 ? "file " : "nothing", bytes);
	}
	return 0;
}

/* A file that was granted for reading, by every call that could change it: all of them are refused. */
static int probe_readonly(const char *fd_text)
{
	uint64_t fd = strtoull(fd_text, NULL, 0);
	static char evil[16] = "EVIL EVIL EVIL";
	struct iovec iov = { evil, sizeof(evil) };
	char *p = (char *)PROGRAM_WINDOW;

	printf("pwritev2 %ld\n", gate(SYS_pwritev2, fd, (uint64_t)&iov, 1, 0, 0, 0));
	printf("pwritev2 at its position %ld\n", gate(SYS_pwritev2, fd, (uint64_t)&iov, 1, ~0ul, ~0ul, 0));
	printf("mmap shared, to write %ld\n", gate(SYS_mmap, PROGRAM_WINDOW, 4096, 3, MAP_SHARED | MAP_FIXED, fd, 0));
	printf("mmap shared %d\n", gate(SYS_mmap, PROGRAM_WINDOW, 4096, 1, MAP_SHARED | MAP_FIXED, fd, 0) == PROGRAM_WINDOW);
	printf("mprotect %ld\n", gate(SYS_mprotect, PROGRAM_WINDOW, 4096, 3, 0, 0, 0));
	printf("madvise POPULATE_WRITE %ld\n", gate(SYS_madvise, PROGRAM_WINDOW, 4096, 23, 0, 0, 0));
	printf("madvise REMOVE %ld\n", gate(SYS_madvise, PROGRAM_WINDOW, 4096, 9, 0, 0, 0));
	/* moved: the right stays what it was */
	gate(SYS_mremap, PROGRAM_WINDOW, 4096, 4096, 3, PROGRAM_WINDOW + 8192, 0);
	printf("mprotect where it was moved to %ld\n", gate(SYS_mprotect, PROGRAM_WINDOW + 8192, 4096, 7, 0, 0, 0));
	/* a copy of our own may be written, and is nobody else's */
	gate(SYS_mmap, PROGRAM_WINDOW, 4096, 3, MAP_PRIVATE | MAP_FIXED, fd, 0);
	memcpy(p, evil, sizeof(evil));
	return 0;
}

/* What a library kernel says when its program stopped, over and over: it is for whoever has a terminal. */
static __attribute__((noreturn)) void probe_stopped(const char *handle)
{
	uint32_t event[3] = { 4 /* BOOT_EVENT_STOPPED */, SIGSTOP, 0 };
	struct iovec iov = { event, sizeof(event) };

	for (;;) {
		gate(SYS_pwritev2, strtoull(handle, NULL, 0), (uint64_t)&iov, 1, ~0ul, ~0ul, 0);
		usleep(1000);
	}
}

/* A descriptor that somebody sends to a socket which is our standard input. */
static int probe_receive(const char *handle)
{
	char byte;
	struct iovec iov = { &byte, 1 };
	char control[64];
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	long n = gate(SYS_recvmsg, strtoull(handle, NULL, 0), (uint64_t)&msg, MSG_CMSG_CLOEXEC, 0, 0, 0);

	printf("received %ld, %zu bytes of control data\n", n, n < 0 ? 0 : msg.msg_controllen);
	return 0;
}

/* Sleep on @word in the kernel window for a while: was it another sandbox that woke us? */
static int probe_futex_wait(const char *word)
{
	struct timespec ts;
	uint32_t *w = (uint32_t *)strtoull(word, NULL, 0);
	long ret;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += 4;
	puts("waiting");
	fflush(stdout);
	ret = gate(SYS_futex, (uint64_t)w, 9, *w, (uint64_t)&ts, 0, ~0u);
	printf("wait %ld\n", ret);
	return 0;
}

static int probe_futex_wake(const char *word)
{
	long woken = 0;

	for (int i = 0; i < 20 && woken <= 0; i++) {
		woken = gate(SYS_futex, strtoull(word, NULL, 0), 10, 100, 0, 0, ~0u);
		usleep(100000);
	}
	printf("wake %ld\n", woken);
	return 0;
}

/* More host processes than any limit of ours allows: how many there were is what a host process was told. */
static int probe_fork(void)
{
	volatile int *made = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long ret = 0;

	for (int i = 0; i < 20000; i++) {
		/* a child of our memory's copy: it stays here, and makes no call */
		ret = gate(SYS_clone, 0x8000ul | 0x400 | 0x100000, 0, (uint64_t)&made[1], 0, 0, 0);
		if (!ret)
			for (;;)
				__asm__ volatile("pause");
		if (ret < 0)
			break;
		made[0]++;
	}
	printf("made %d, then %ld\n", made[0], ret);
	fflush(stdout);
	return 0;
}

/* POSIX timers are counted as the user's queued signals. */
static int probe_timers(void)
{
	struct { uint64_t value; int32_t signo, notify, pad[12]; } event = { .notify = SIGEV_NONE };
	int32_t id;
	long made = 0, ret;

	while (!(ret = gate(SYS_timer_create, 1, (uint64_t)&event, (uint64_t)&id, 0, 0, 0)) && made < 200000)
		made++;
	printf("made %ld, then %ld\n", made, ret);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "", *arg = argc > 3 ? argv[3] : "0";

	if (argc < 3)
		return 2;
	gate = (gate_fn)strtoull(argv[1], NULL, 16);
	if (!strcmp(what, "fds"))
		return probe_fds();
	if (!strcmp(what, "readonly"))
		return probe_readonly(arg);
	if (!strcmp(what, "stopped"))
		probe_stopped(arg);
	if (!strcmp(what, "receive"))
		return probe_receive(arg);
	if (!strcmp(what, "futex-wait"))
		return probe_futex_wait(arg);
	if (!strcmp(what, "futex-wake"))
		return probe_futex_wake(arg);
	if (!strcmp(what, "fork"))
		return probe_fork();
	if (!strcmp(what, "timers"))
		return probe_timers();
	return 2;
}
