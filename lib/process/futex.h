/* SPDX-License-Identifier: MIT */
/* What clone and exit need of futexes: futex(2), set_robust_list(2). */
#ifndef LIB_PROCESS_FUTEX_H
#define LIB_PROCESS_FUTEX_H

#include "base/types.h"

struct task;

/* futex_wake_user() - FUTEX_WAKE of at most @n waiters on @addr of the current task's memory */
void futex_wake_user(u64 addr, u32 n);
/* futex_exit_robust() - @t, the current task, dies: marks and wakes what its robust list names, gives up PI futexes */
void futex_exit_robust(struct task *t);

#endif
