// SPDX-License-Identifier: MIT
/*
 * inherit [iN|bN]... -- PROGRAM [ARGUMENT]...: PROGRAM with exactly these signals ignored (i) and blocked (b). By the kernel's own
 * calls, so that 32 and 33, which libc hides, can be among them.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	uint64_t mask;
};

static void set_action(int sig, void (*handler)(int))
{
	struct kernel_action a = { .handler = handler };

	if (syscall(SYS_rt_sigaction, sig, &a, NULL, sizeof(a.mask)) && sig != SIGKILL && sig != SIGSTOP) {
		perror("rt_sigaction");
		exit(125);
	}
}

int main(int argc, char **argv)
{
	uint64_t blocked = 0;
	int i;

	for (int sig = 1; sig <= 64; sig++)
		set_action(sig, SIG_DFL);
	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		int sig = atoi(argv[i] + 1);

		if (sig < 1 || sig > 64) {
			fprintf(stderr, "inherit: %s: no signal\n", argv[i]);
			return 125;
		}
		if (*argv[i] == 'i')
			set_action(sig, SIG_IGN);
		else
			blocked |= 1ull << (sig - 1);
	}
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked)) || i >= argc - 1) {
		fputs("usage: inherit [iN|bN]... -- PROGRAM [ARGUMENT]...\n", stderr);
		return 125;
	}
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
