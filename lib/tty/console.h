/* SPDX-License-Identifier: MIT */
/* The console, for boot: see console.c. */
#ifndef LIB_TTY_CONSOLE_H
#define LIB_TTY_CONSOLE_H

#include "base/types.h"

/*
 * console_start() - the runner's terminal becomes /dev/console, and the controlling terminal of the current process
 * @handle_in, @handle_out: may be the same, or SOUTH_NO_HANDLE
 * Return: 0, -ENOMEM, -EAGAIN
 */
int console_start(u32 handle_in, u32 handle_out, u32 rows, u32 columns);
/* console_exists() - the runner has a terminal */
bool console_exists(void);
/* console_resize() - the runner's terminal has another size now */
void console_resize(u32 rows, u32 columns);
/* console_signal() - to the foreground group. Return: false: there is none */
bool console_signal(int sig);
/* console_drain() - wait until all output has left, or @deadline */
void console_drain(s64 deadline);
/* console_init() - the device */
void console_init(void);

#endif
