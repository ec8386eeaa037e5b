/* SPDX-License-Identifier: MIT */
#ifndef LBX_EXEC_TTY_H
#define LBX_EXEC_TTY_H

#include "exec.h"

/* tty_init() - @fd is the terminal that the sandbox gets: raw from now on while our job is in the foreground */
void tty_init(int fd);
/* tty_enter(), tty_leave() - raw, and as it was; either does nothing when it is so already, or there is no terminal */
void tty_enter(void);
void tty_leave(void);
bool tty_exists(void);
bool tty_is_raw(void);
bool tty_size(uint32_t *rows, uint32_t *columns);

#endif
