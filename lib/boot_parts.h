/* SPDX-License-Identifier: MIT */
/* What boot.c asks of other parts of the library kernel. */
#ifndef LIB_BOOT_PARTS_H
#define LIB_BOOT_PARTS_H

/* boot_mounts() - /proc, /sys, what the configuration lists, in order; says itself which one failed and why. Return: 0 or -errno */
int boot_mounts(void);
/* boot_stdio() - descriptors 0, 1, … of the current task, as the configuration says. Return: 0 or -errno */
int boot_stdio(void);
/* boot_events() - from now on signals that the runner gets reach the first program. Return: 0, -ENOMEM, -EAGAIN */
int boot_events(void);
/* boot_exit_stdio() - the sandbox ends: whatever the programs wrote has left */
void boot_exit_stdio(void);

extern char boot_hostname[65];		/* uname(2); sethostname(2) may change it */

#endif
