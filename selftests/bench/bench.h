/* SPDX-License-Identifier: MIT */
/* What is measured: each item is a set-up, a loop and an undoing; work.c times the loop. */
#ifndef SELFTESTS_BENCH_H
#define SELFTESTS_BENCH_H

#include <stddef.h>

struct item {
	const char *name;
	void (*setup)(void);		/* may be NULL, as @undo */
	void (*run)(unsigned long n);	/* @n times */
	void (*undo)(void);
};

/* Each list ends with an empty item. */
extern const struct item call_items[];		/* calls.c: one thread, no sleeping */
extern const struct item wake_items[];		/* wakes.c: somebody is woken */
extern const struct item process_items[];	/* processes.c: something is made, and ends */

/* The static program that fork+exec+wait starts. */
extern const char *true_path;

/* need() - a call that has to work: says which did not, and ends the program */
void need(int ok, const char *what);

/* files.c: files_read() - open, read to the end and close each file of @dir's directories. Return: how many */
unsigned long files_read(const char *dir);
/* processes.c: command_run() - fork, exec, wait; the standard descriptors are /dev/null but the third */
void command_run(char *const argv[]);

#endif
