/* SPDX-License-Identifier: MIT */
/* For unit tests: lib/ in an ordinary process, a task is a pthread (lib/south/fake/). */
#ifndef LIB_ARCH_CURRENT_H
#define LIB_ARCH_CURRENT_H

struct task;
struct cpu;
extern __thread struct task *fake_current;

static inline struct task *current_task(void) { return fake_current; }
static inline struct cpu *current_cpu(void) { return (struct cpu *)0; }

#endif
