// SPDX-License-Identifier: MIT
/* idle_threads PROCESSES THREADS: one process after the other starts so many threads, waits for their end, and stays. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MAX	256

static pthread_barrier_t all_there;

static void *thread(void *arg)
{
	pthread_barrier_wait(&all_there);
	return arg;
}

/* As many as there may be: with fewer than @nr the others would wait for ever, and so end with the process. */
static void __attribute__((noreturn)) process(int nr, int ready)
{
	pthread_t threads[MAX];
	pthread_attr_t attr;
	int made = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_barrier_init(&all_there, NULL, (unsigned int)nr + 1);
	while (made < nr && !pthread_create(&threads[made], &attr, thread, NULL))
		made++;
	if (made == nr) {
		pthread_barrier_wait(&all_there);
		while (made)
			pthread_join(threads[--made], NULL);
	}
	if (write(ready, "x", 1) != 1 || made)
		_exit(1);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int processes = argc > 1 ? atoi(argv[1]) : 0, nr = argc > 2 ? atoi(argv[2]) : 0, ready[2];
	char byte;

	if (processes < 1 || nr < 1 || nr > MAX || pipe(ready))
		return 2;
	for (int i = 0; i < processes; i++) {
		pid_t pid = fork();

		if (!pid)
			process(nr, ready[1]);
		if (pid < 0 || read(ready[0], &byte, 1) != 1)
			return 1;
	}
	puts("done");
	fflush(stdout);
	for (;;)
		pause();
}
