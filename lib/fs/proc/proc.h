/* SPDX-License-Identifier: MIT */
/*
 * /proc and /sys, as proc(5) and sysfs(5) describe them: what programs read about themselves, each other and the machine.
 *
 * Nothing here tells of the host: processes, memory, files and counters are the sandbox's own. The exceptions are the model and the
 * features of the processor, which every instruction shows anyway, and the clock: uptime is CLOCK_BOOTTIME, as programs expect.
 */
#ifndef LIB_FS_PROC_PROC_H
#define LIB_FS_PROC_PROC_H

#include "base/types.h"

/* proc_init() - register the file systems "proc" and "sysfs"; once, at boot, after vfs_init(). Return: 0 */
int proc_init(void);

#endif
