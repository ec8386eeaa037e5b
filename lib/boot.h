/* SPDX-License-Identifier: MIT */
/* From nothing to the first program, and the end of the sandbox. */
#ifndef LIB_BOOT_H
#define LIB_BOOT_H

#include "base/types.h"
#include "boot_config.h"

extern const struct boot_config *boot_config;

static inline const char *boot_string(u32 offset)
{
	return offset ? (const char *)boot_config + offset : NULL;
}

/*
 * kernel_boot() - bring up the library kernel and start the first program
 * Called once by the South, which has set up RAM, randomness and `machine`, in a task of its own (task_boot()). Returns when the
 * program's task was started; an error ends the sandbox with a line that says what could not be had.
 */
void kernel_boot(const struct boot_config *config);

/* task_boot() - the task that boots; a kernel thread from then on */
struct task *task_boot(void);

/* sandbox_exit() - the first program ended with @wait_status: statistics, then the end of everything */
void __noreturn sandbox_exit(u32 wait_status);

/* boot_fail() - cannot start: says why and ends the sandbox with @status (125..127 as env(1)) */
void __noreturn boot_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
