// SPDX-License-Identifier: MIT
/* Threads and processes: made, and waited for. */
#define _GNU_SOURCE
#include "bench.h"

#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void *nothing(void *arg)
{
	return arg;
}

static void run_thread(unsigned long n)
{
	while (n--) {
		pthread_t t;

		need(!pthread_create(&t, NULL, nothing, NULL) && !pthread_join(t, NULL), "thread");
	}
}

static void wait_for(pid_t pid)
{
	int status;

	need(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status), "child");
}

static void run_fork(unsigned long n)
{
	while (n--) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		wait_for(pid);
	}
}

static void run_fork_exec(unsigned long n)
{
	char *const argv[] = { (char *)true_path, NULL };

	while (n--) {
		pid_t pid = fork();

		if (!pid) {
			execv(true_path, argv);
			_exit(127);
		}
		wait_for(pid);
	}
}

static void run_spawn(unsigned long n)
{
	char *const argv[] = { (char *)true_path, NULL };

	while (n--) {
		pid_t pid;

		need(!posix_spawn(&pid, true_path, NULL, NULL, argv, environ), "posix_spawn");
		wait_for(pid);
	}
}

void command_run(char *const argv[])
{
	pid_t pid = fork();

	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		close(null);
		execvp(argv[0], argv);
		_exit(127);
	}
	wait_for(pid);
}

const struct item process_items[] = {
	{ "thread create+join", NULL, run_thread, NULL },
	{ "fork+wait", NULL, run_fork, NULL },
	{ "fork+exec+wait, static true", NULL, run_fork_exec, NULL },
	{ "posix_spawn+wait, static true", NULL, run_spawn, NULL },
	{ 0 },
};
