/* SPDX-License-Identifier: MIT */
/* lbx-exec --trace: a line per system call, as strace(1) prints it; and the table of --stats. */
#ifndef LIB_NORTH_LINUX_TRACE_H
#define LIB_NORTH_LINUX_TRACE_H

#include "base/types.h"

struct syscall_def;

/* trace_before() - @nr's line is printed before it is served: it may never return (exit, exec) */
bool trace_before(u64 nr);
/* trace_call() - @def NULL: an unknown call; @ret NULL: not served yet */
void trace_call(const struct syscall_def *def, u64 nr, const u64 *args, const long *ret);
/* stats_print() - calls, errors, South calls, to the runner's log */
void stats_print(bool json);
int stats_init(void);

#endif
