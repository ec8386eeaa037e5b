/* SPDX-License-Identifier: MIT */
/*
 * A South for fuzzers: all of a sandbox in one host thread, the same every time.
 *
 * A task is a fiber; who runs next is drawn from a seeded generator whenever a task sleeps, and between a call's steps as well
 * (each copy to or from the program may give the processor away). Time stands still while anybody can run and then jumps to the next
 * deadline. Address spaces are real ones: program memory is reached through tables of this South (mm.c), so processes do not see
 * each other's, and every fault goes to lib/mm. The same input therefore does the same, and a wait that nothing ends is found
 * at once instead of by a time limit.
 */
#ifndef LIB_SOUTH_SIM_SIM_H
#define LIB_SOUTH_SIM_SIM_H

#include "process/task.h"

/* Where every "SYSCALL instruction" stands; its return address is two bytes on. */
#define SIM_SYSCALL_RIP	0x400000ull

/*
 * sim_boot() - once: RAM, file systems, terminals, /proc, as boot does, and the calling fiber is the first program's task (root)
 * @program: what a task does once it is in its program; it never returns (sim_syscall() is its way to the library kernel)
 */
void sim_boot(u64 ram, void __noreturn (*program)(void));

/* sim_seed() - from here on scheduling and randomness follow from @seed. @preempt: 1 of so many copies gives the processor away, 0: none */
void sim_seed(u64 seed, u32 preempt);
u32 sim_random(u32 below);

/* sim_syscall() - the current task's program makes a call: all that a South does, restarts too. Return: what rax holds then */
long sim_syscall(u64 nr, const u64 *args);
/* sim_checkpoint() - what an interrupt of the program would do */
void sim_checkpoint(void);

/*
 * sim_settle() - let the others run until all sleep and nothing is due for @ns of their time
 * Return: false: they still ran after @switches changes of task
 */
bool sim_settle(s64 ns, u32 switches);
/* sim_fibers() - tasks that are not gone, the caller not counted */
u32 sim_fibers(void);

/* What is behind handles; the target's. NULL members answer -EBADF. Kernel memory only. */
struct sim_host {
	ssize_t (*read)(u32 handle, u64 off, void *buf, size_t len);
	ssize_t (*write)(u32 handle, u64 off, const void *buf, size_t len);
	ssize_t (*send)(u32 handle, const void *buf, size_t len);
	ssize_t (*recv)(u32 handle, void *buf, size_t len, u32 *granted);
	void (*close)(u32 handle);
};
extern struct sim_host sim_host;
extern bool sim_talks;		/* kprint() goes to standard error */

/* mm.c: sim_mm_check() - the address space and its books agree. Return: NULL, or what is wrong */
const char *sim_mm_check(struct mm *mm);
int sim_mm_fork(struct mm *from, struct mm *to);
void sim_mm_free(struct mm *mm);
/* sim_mm_pages() - private pages that exist in all address spaces */
extern u64 sim_mm_pages;
/* sim_yield() - a place where another task may go first */
void sim_yield(void);
extern s64 sim_now;

#endif
