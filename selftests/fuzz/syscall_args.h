/* SPDX-License-Identifier: MIT */
/* From bytes to system calls: which, and with what arguments and memory behind them. */
#ifndef SELFTESTS_FUZZ_SYSCALL_ARGS_H
#define SELFTESTS_FUZZ_SYSCALL_ARGS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mm/uaccess.h"
#include "north/linux/syscall.h"
#include "south/sim/sim.h"

/* Memory that every program has, and a window where its mappings meet. */
#define ARENA		0x10000000ull
#define ARENA_SIZE	0x20000ull
#define WINDOW		0x20000000ull
#define WINDOW_PAGES	48u
#define NR_FDS		24u

#define CALL_TOUCH	(~0u)

struct fuzz_input {
	const u8 *at, *end;
};
extern struct fuzz_input fuzz_input;

u32 fuzz_byte(struct fuzz_input *in);
u64 fuzz_bytes(struct fuzz_input *in, u32 nr);

/* args_begin() - a new run: forget ids of the last one */
void args_begin(void);
/* args_theme() - draw from the calls of one theme more often than not; @theme: any number */
void args_theme(u32 theme);
/* args_names() - paths are built of these, @nr of them; NULL: of the usual ones */
void args_names(const char *const *names, u32 nr);
/* args_only() - no other calls than these, 0: all */
void args_only(const u16 *nrs, u32 nr);
/* args_call() - the next call and its arguments, written to the current program's memory. Return: its number or CALL_TOUCH */
u32 args_call(struct fuzz_input *in, u64 *a);
/* args_result() - what a call gave may be an argument of later ones */
void args_result(u32 nr, const u64 *a, long ret);
u64 args_address(struct fuzz_input *in);

#endif
