/* SPDX-License-Identifier: MIT */
/* A sandbox that is being started, between the files that start, reap and serve it. */
#ifndef LBX_EXEC_SANDBOX_H
#define LBX_EXEC_SANDBOX_H

#include <sys/mman.h>

#include "exec.h"
#include "lib/south/host/header.h"

/* Memory of the broker and the reaper; the sandbox has left it behind by its exec. */
struct reaper_shared {
	pid_t group;		/* of the sandbox; valid in the broker only without a PID namespace */
	volatile bool stop;	/* what the broker wants: a state, since signals come together and out of order */
};

struct sandbox {
	const struct options *o;
	const struct view *v;
	int image, config, ram;		/* lbx-host, configuration, memory and header */
	int log[2];			/* pipe: lines of the sandbox */
	int life[2];			/* pipe: end of file says that the broker is gone: reaper.c */
	uint32_t life_handle;		/* where the sandbox has its end; it has no use for it */
	int null, proc;			/* /dev/null and /proc, open */
	struct stdio_plan stdio;
	uint32_t channels[BOOT_NR_CHANNELS];	/* handle numbers inside */
	int channel_fd[BOOT_NR_CHANNELS], server_fd[BOOT_NR_CHANNELS];
	struct host_header *header;
	struct reaper_shared *shared;
	int control;			/* the broker's end of the way for struct boot_event */
	unsigned long namespaces;	/* CLONE_NEW* that the reaper got */
	pid_t reaper;
};

/* What broker and reaper tell each other, beside the reaper's exit status. */
#define REAPER_END	SIGTERM		/* kill the sandbox */
#define REAPER_JOB	SIGUSR1		/* stop all of it, or let it go on, as reaper_shared says */

/* reaper.c: the reaper's life, in a process of its own */
void __attribute__((noreturn)) reap(const struct sandbox *s);

/*
 * job.c: stopping and going on, and what else the broker and the sandbox tell each other by struct boot_event.
 *
 * job_stop() - whoever stops us stops the sandbox; returns when we were continued, both
 * job_go_on() - we were continued
 * job_take_event() - what the sandbox says, which may be anything. Return: false when it has closed its end
 * job_tell() - Return: false when the sandbox does not take it
 */
void job_stop(const struct sandbox *s);
void job_go_on(const struct sandbox *s);
bool job_take_event(const struct sandbox *s);
bool job_tell(const struct sandbox *s, uint32_t kind, uint32_t a, uint32_t b);
void job_send_size(const struct sandbox *s);

/* start.c: from the reaper's child to the sandbox's image; @reaper: getpid() of the parent */
void __attribute__((noreturn)) become_sandbox(const struct sandbox *s, pid_t reaper);

/*
 * isolate.c: namespaces and Landlock, each where it is allowed.
 *
 * isolate_fork() - fork(2) into as many namespaces as possible, which come back in @got, and into @cgroup unless that is -1
 * isolate_enter() - in that child: ids, and an empty root directory; says with --verbose what does not work
 * isolate_landlock() - for this process and its children: no file but @image (to be executed), no network, no signals outside
 * isolate_drop_caps() - for ever
 * isolate_print() - for --list-souths --verbose
 */
pid_t isolate_fork(unsigned long *got, bool verbose, int cgroup);
void isolate_enter(const struct sandbox *s);
int isolate_landlock(int image);
int isolate_drop_caps(void);
void isolate_print(void);

/*
 * cgroup.c: limits that hold from outside, where the caller may set them.
 *
 * cgroup_make() - a group for the sandbox when a limit was given, open; it goes when we are gone. -1: there is none; a line with --verbose
 * cgroup_state() - would it work? in words
 */
int cgroup_make(const struct options *o);
bool cgroup_state(const struct options *o, char *text, size_t size);

#endif
