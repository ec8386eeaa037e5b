// SPDX-License-Identifier: MIT
/*
 * What runs natively and inside, and is asked for one figure at a time, so that whoever asks can take turns:
 *
 *	work TRUE                  reads requests from standard input, a line each, fields parted by tabs, until its end:
 *	    ITEM MS                about MS milliseconds of the item, in BATCHES parts: prints for each ns an item
 *	    files DIR              the files of DIR's directories: prints ns a file, and how many there were
 *	    start COMMAND ARGS     one run of it: prints ns
 *	work TRUE count ITEM...    prints the least time-stamp counter ticks an item (lbx-vm --icount: instructions)
 *	work list                  prints the items
 *
 * It is static, and small: what it costs to fork it is next to nothing but the fork.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_FIELDS	32
#define BATCHES		5
#define COUNT_TRIES	40
#define COUNT_ROUNDS	256

const char *true_path;

void need(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "work: ");
	perror(what);
	_exit(1);
}

static const struct item *find(const char *name)
{
	static const struct item *const lists[] = { call_items, wake_items, process_items };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (const struct item *it = lists[i]; it->name; it++)
			if (!strcmp(it->name, name))
				return it;
	fprintf(stderr, "work: no item \"%s\"\n", name);
	_exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double timed(const struct item *it, unsigned long n)
{
	double begin = now();

	it->run(n);
	return now() - begin;
}

/* One warm-up that doubles until the clock can tell; then as many as @ms should take. */
static void measure(const struct item *it, double ms)
{
	unsigned long n = 1;
	double t;

	if (it->setup)
		it->setup();
	while ((t = timed(it, n)) < ms * 1e6 / 8)
		n *= 2;
	n = (unsigned long)(ms / BATCHES * 1e6 * (double)n / t) + 1;
	for (int i = 0; i < BATCHES; i++)
		printf("%.1f ", timed(it, n) / (double)n);
	putchar('\n');
	if (it->undo)
		it->undo();
}

static void serve(char *fields[])
{
	double begin = now();
	unsigned long nr;

	if (!strcmp(fields[0], "start")) {
		command_run(fields + 1);
		printf("%.0f\n", now() - begin);
	} else if (!strcmp(fields[0], "files")) {
		nr = files_read(fields[1]);
		need(nr > 0, "no files");
		printf("%.0f %lu\n", (now() - begin) / (double)nr, nr);
	} else {
		measure(find(fields[0]), atof(fields[1]));
	}
	fflush(stdout);
}

static void serve_all(void)
{
	char *line = NULL, *fields[MAX_FIELDS + 1];
	size_t cap = 0;

	puts("ready");
	fflush(stdout);
	while (getline(&line, &cap, stdin) > 0) {
		char *rest = line;
		int nr = 0;

		line[strcspn(line, "\n")] = 0;
		while (nr < MAX_FIELDS && (fields[nr] = strsep(&rest, "\t")))
			nr++;
		fields[nr] = NULL;
		need(nr >= 2, "request");
		serve(fields);
	}
	free(line);
}

static unsigned long ticks(void)
{
	unsigned lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (unsigned long)hi << 32 | lo;
}

/* The least of many tries: an interrupt only ever adds. */
static void count(const struct item *it)
{
	unsigned long least = ~0ul;

	if (it->setup)
		it->setup();
	it->run(COUNT_ROUNDS);
	for (int i = 0; i < COUNT_TRIES; i++) {
		unsigned long begin = ticks(), t;

		it->run(COUNT_ROUNDS);
		t = ticks() - begin;
		if (t < least)
			least = t;
	}
	if (it->undo)
		it->undo();
	printf("%s\t%lu\n", it->name, least / COUNT_ROUNDS);
}

static void list(void)
{
	static const struct item *const lists[] = { call_items, wake_items, process_items };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (const struct item *it = lists[i]; it->name; it++)
			puts(it->name);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "list")) {
		list();
		return 0;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: work TRUE [count ITEM...] | work list\n");
		return 2;
	}
	true_path = argv[1];
	if (argc == 2)
		serve_all();
	for (int i = 3; i < argc; i++)
		count(find(argv[i]));
	return 0;
}
