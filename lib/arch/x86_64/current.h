/* SPDX-License-Identifier: MIT */
/* The current task: the first word of the South's per-thread area, which GS points to while the library kernel runs. */
#ifndef LIB_ARCH_CURRENT_H
#define LIB_ARCH_CURRENT_H

struct task;
struct cpu;

static inline struct task *current_task(void)
{
	struct task *t;

	/* Not volatile: within one function the task stays the same. Code that switches tasks is in the South. */
	__asm__("movq %%gs:0, %0" : "=r"(t));
	return t;
}

static inline struct cpu *current_cpu(void)
{
	struct cpu *c;

	__asm__("movq %%gs:8, %0" : "=r"(c));
	return c;
}

#endif
