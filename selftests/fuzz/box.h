/* SPDX-License-Identifier: MIT */
/*
 * A sandbox for one input: on the simulated South, with fresh /tmp, /dev/shm and /w; programs of the target's; and at the end the rule
 * that nothing of it is left: no task, no file, no object, no page. A wait that a kill does not end is found as well.
 */
#ifndef SELFTESTS_FUZZ_BOX_H
#define SELFTESTS_FUZZ_BOX_H

#include "syscall_args.h"

#define FATAL(...)	do { fprintf(stderr, "fuzz: " __VA_ARGS__); fputc('\n', stderr); abort(); } while (0)

struct super;

struct box {
	u64 seed;		/* of scheduling and randomness */
	u32 preempt;		/* see sim_seed() */
	u32 tasks;		/* processes that run @program */
	u64 caps;
	void (*setup)(void);	/* files and mounts, as root; may be NULL */
	void (*clean_up)(void);	/* the mounts; may be NULL */
	void (*program)(void);	/* of uid 1000; also entered again after an exec, and by each child */
};

extern bool box_tracing;	/* FUZZ_TRACE: calls go to standard error */

/* box_init() - once. box_run(): @data is fuzz_input */
void box_init(void);
void box_run(const struct box *b, const u8 *data, size_t size);
/* box_call() - a call of the current task, traced and checked; box_random_call(): one that the input describes */
long box_call(u32 nr, const u64 *a);
void box_random_call(struct fuzz_input *in);

/* For setup and clean_up; none of these may fail */
void box_put_file(const char *name, u32 mode, const void *bytes, size_t len);
void box_put_mount(struct super *sb, const char *at);	/* takes the reference */
void box_take_mount(const char *at);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

#endif
