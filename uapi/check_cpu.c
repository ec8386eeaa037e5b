// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Threads of execution: to start one, to sleep, to wake or interrupt.
 * Contracts: check_cpu.h.
 */
#include "check_cpu.h"

/*@
  requires \valid_read(space) && lbx_space_checked(space) && len <= LBX_PAGE_SIZE;
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_inside(addr, len, space->kernel_start, space->kernel_end);
*/
static int word_in_kernel(const struct lbx_space *space, lbx_u64 addr, lbx_u64 len)
{
	return addr >= space->kernel_start && addr <= space->kernel_end - len;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_cpu_words(raw);
*/
static int cpu_words_fit(const struct lbx_cpu_raw *raw)
{
	if (raw->flags != LBX_CPU_THREAD && raw->flags != LBX_CPU_COPY)
		return 0;
	return raw->pad == 0 && raw->stack % 16 == 0 && raw->tls % 64 == 0;
}

int lbx_check_cpu(const struct lbx_cpu_raw *raw, const struct lbx_space *space,
		  struct lbx_cpu *out)
{
	if (!cpu_words_fit(raw))
		return -LBX_EINVAL;

	/* The stack grows down: it may begin right at the window's end. */
	if (!word_in_kernel(space, raw->entry, 1) ||
	    raw->stack < 16 || !word_in_kernel(space, raw->stack - 16, 16) ||
	    !word_in_kernel(space, raw->tls, 64))
		return -LBX_EFAULT;

	out->flags = raw->flags;
	out->entry = raw->entry;
	out->stack = raw->stack;
	out->arg = raw->arg;
	out->tls = raw->tls;
	return 0;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_wait_words(raw);
*/
static int wait_words_fit(const struct lbx_wait_raw *raw)
{
	if (raw->deadline > LBX_NS_MAX && raw->deadline != LBX_DEADLINE_NEVER)
		return 0;
	if (raw->word % 4 != 0 || (raw->word == 0 && raw->value != 0) || raw->flags != 0)
		return 0;
	return raw->events <= LBX_WAIT_EVENTS_ALL &&
	       (raw->events == 0) == (raw->handle == LBX_HANDLE_NONE);
}

int lbx_check_wait(const struct lbx_wait_raw *raw, const struct lbx_space *space,
		   struct lbx_wait *out)
{
	if (!wait_words_fit(raw))
		return -LBX_EINVAL;
	if (raw->handle >= LBX_HANDLES_END && raw->handle != LBX_HANDLE_NONE)
		return -LBX_EBADF;
	if (raw->word != 0 && !word_in_kernel(space, raw->word, 4))
		return -LBX_EFAULT;

	out->deadline = raw->deadline;
	out->word = raw->word;
	out->value = raw->value;
	out->handle = raw->handle;
	out->events = raw->events;
	return 0;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_kick_words(raw);
*/
static int kick_words_fit(const struct lbx_kick_raw *raw)
{
	if (raw->pad != 0)
		return 0;
	if (raw->mode == LBX_KICK_WAKE)
		return raw->cpu == LBX_CPU_NONE && raw->word % 4 == 0 &&
		       raw->count >= 1 && raw->count <= LBX_KICK_MAX;
	return raw->mode == LBX_KICK_INTERRUPT && raw->word == 0 && raw->count == 0;
}

int lbx_check_kick(const struct lbx_kick_raw *raw, const struct lbx_space *space,
		   struct lbx_kick *out)
{
	if (!kick_words_fit(raw))
		return -LBX_EINVAL;
	if (raw->mode == LBX_KICK_INTERRUPT) {
		if (raw->cpu >= LBX_CPUS_END)
			return -LBX_ESRCH;
	} else if (!word_in_kernel(space, raw->word, 4)) {
		return -LBX_EFAULT;
	}

	out->mode = raw->mode;
	out->cpu = raw->cpu;
	out->word = raw->word;
	out->count = raw->count;
	return 0;
}
