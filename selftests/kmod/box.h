/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * A sandbox for tests: an owner (the test), and a member, a forked child that runs one C function. The member has RAM that the
 * owner sees too, a gate, and an entry that hands each upcall to a C function.
 */
#ifndef SELFTESTS_KMOD_BOX_H
#define SELFTESTS_KMOD_BOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "uapi/device.h"
#include "uapi/south.h"
#include "uapi/window.h"

#define BOX_RAM		LBX_KERNEL_MIN			/* shared by all members and the owner */
#define BOX_RAM_SIZE	0x100000
#define BOX_GATE	(LBX_KERNEL_MIN + 0x10000000)
#define BOX_OWN		(LBX_KERNEL_MIN + 0x20000000)	/* private memory of the kernel window */
#define BOX_OWN_SIZE	0x100000

/* Handles that every box has */
#define BOX_H_RAM	1
#define BOX_H_ENTROPY	2

struct box {
	int fd;			/* the sandbox's file */
	int ram_fd;
	pid_t child;
	struct box_ram *ram;
};

/* What stands at BOX_RAM; the rest of it is the test's. */
struct box_ram {
	int64_t result[64];
	uint64_t upcalls;		/* that came to the default entry */
	uint64_t last_nr, last_ip;
	uint32_t words[64];
};

static const struct lbx_limits_raw box_limits = {
	.mem = 64 << 20, .handles = 64, .cpus = 16, .spaces = 4,
};

int box_device(void);					/* open /dev/litebox or end the test */
long box_call(int fd, uint32_t nr, void *record, uint32_t size);	/* the owner's: answer or -errno */
int box_grant(int fd, uint32_t handle, uint32_t kind, uint32_t rights, uint64_t size, int object);
/* box_make() - created, RAM and entropy granted, sealed */
void box_make(struct box *b, const struct lbx_limits_raw *limits);
/*
 * box_run() - @fn in a member; what it returns, it exits with. @before runs just before, or is NULL: a libc still works there.
 * A member that could not become one exits with 200 and more.
 */
void box_run(struct box *b, int (*fn)(struct box_ram *ram), void (*before)(struct box *b));
/* box_do() - make, run, wait, and leave the box to be looked at. Return: the exit status, or -1 */
int box_do(struct box *b, int (*fn)(struct box_ram *ram));
int box_wait(struct box *b);				/* its wait status */
void box_end(struct box *b);
void box_info(struct box *b, struct lbx_info_raw *info);

/* For members: no libc, nothing else. */
long gate(long nr, long a0, long a1, long a2, long a3, long a4);
long south(uint32_t nr, void *record, uint32_t size);
/* now_is() - nanoseconds, or the negative error */
long now_is(uint32_t clock);
/* SOUTH(exit, exit, .status = 1): the call, its record's name, the record */
#define SOUTH(call, record, ...) \
	south(LBX_SOUTH_##call, &(struct lbx_##record##_raw){ __VA_ARGS__ }, sizeof(struct lbx_##record##_raw))
static inline long raw_syscall(long nr, long a0, long a1, long a2)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a0), "S"(a1), "d"(a2) : "rcx", "r11", "memory");
	return ret;
}

#endif
