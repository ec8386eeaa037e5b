/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Checks of cpu, wait and kick. How contracts are read: check.h.
 */
#ifndef LBX_UAPI_CHECK_CPU_H
#define LBX_UAPI_CHECK_CPU_H

#include "check_sandbox.h"
#include "south.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lbx_cpu {
	lbx_u32 flags;
	lbx_u64 entry;
	lbx_u64 stack;
	lbx_u64 arg;
	lbx_u64 tls;
};

/*@
  predicate lbx_cpu_words{L}(struct lbx_cpu_raw *r) =
    (r->flags == LBX_CPU_THREAD || r->flags == LBX_CPU_COPY) && r->pad == 0 &&
    r->stack % 16 == 0 && r->tls % 64 == 0;

  predicate lbx_cpu_addresses{L}(struct lbx_cpu_raw *r, struct lbx_space *s) =
    lbx_inside(r->entry, 1, s->kernel_start, s->kernel_end) &&
    lbx_inside(r->stack - 16, 16, s->kernel_start, s->kernel_end) &&
    lbx_inside(r->tls, 64, s->kernel_start, s->kernel_end);
*/

/**
 * lbx_check_cpu() - check the record of cpu
 * @raw:   as it came
 * @space: the sandbox's windows
 * @out:   the caller's, written when the answer is 0
 *
 * Return: 0, -EINVAL, -EFAULT.
 */
/*@
  requires \valid_read(raw) && \valid_read(space) && \valid(out);
  requires \separated(raw, out) && \separated(space, out);
  requires lbx_space_checked(space);
  assigns *out;
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_EFAULT;
  ensures \result == 0 <==> \old(lbx_cpu_words(raw) && lbx_cpu_addresses(raw, space));
  ensures \result == -LBX_EINVAL <==> \old(!lbx_cpu_words(raw));
  ensures \result == -LBX_EFAULT <==> \old(lbx_cpu_words(raw) && !lbx_cpu_addresses(raw, space));
  ensures \result == 0 ==> out->flags == raw->flags && out->entry == raw->entry &&
    out->stack == raw->stack && out->arg == raw->arg && out->tls == raw->tls;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_cpu(const struct lbx_cpu_raw *raw,
				 const struct lbx_space *space, struct lbx_cpu *out);

struct lbx_wait {
	lbx_u64 deadline;
	lbx_u64 word;
	lbx_u32 value;
	lbx_u32 handle;
	lbx_u32 events;
};

/*@
  predicate lbx_wait_words{L}(struct lbx_wait_raw *r) =
    (r->deadline <= LBX_NS_MAX || r->deadline == LBX_DEADLINE_NEVER) &&
    r->word % 4 == 0 && (r->word == 0 ==> r->value == 0) && r->flags == 0 &&
    r->events <= LBX_WAIT_EVENTS_ALL &&
    (r->events == 0 <==> r->handle == LBX_HANDLE_NONE);

  predicate lbx_wait_handle{L}(struct lbx_wait_raw *r) =
    r->handle < LBX_HANDLES_END || r->handle == LBX_HANDLE_NONE;

  predicate lbx_wait_address{L}(struct lbx_wait_raw *r, struct lbx_space *s) =
    r->word == 0 || lbx_inside(r->word, 4, s->kernel_start, s->kernel_end);
*/

/**
 * lbx_check_wait() - check the record of wait
 * @raw:   as it came
 * @space: the sandbox's windows
 * @out:   the caller's, written when the answer is 0
 *
 * With a handle, lbx_check_wait_handle() comes next.
 * Return: 0, -EINVAL, -EBADF, -EFAULT.
 */
/*@
  requires \valid_read(raw) && \valid_read(space) && \valid(out);
  requires \separated(raw, out) && \separated(space, out);
  requires lbx_space_checked(space);
  assigns *out;
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_EBADF ||
          \result == -LBX_EFAULT;
  ensures \result == 0 <==>
    \old(lbx_wait_words(raw) && lbx_wait_handle(raw) && lbx_wait_address(raw, space));
  ensures \result == -LBX_EINVAL <==> \old(!lbx_wait_words(raw));
  ensures \result == -LBX_EBADF <==> \old(lbx_wait_words(raw) && !lbx_wait_handle(raw));
  ensures \result == -LBX_EFAULT <==>
    \old(lbx_wait_words(raw) && lbx_wait_handle(raw) && !lbx_wait_address(raw, space));
  ensures \result == 0 ==> out->deadline == raw->deadline && out->word == raw->word &&
    out->value == raw->value && out->handle == raw->handle && out->events == raw->events;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_wait(const struct lbx_wait_raw *raw,
				  const struct lbx_space *space, struct lbx_wait *out);

struct lbx_kick {
	lbx_u32 mode;
	lbx_u32 cpu;
	lbx_u64 word;
	lbx_u32 count;
};

/*@
  predicate lbx_kick_words{L}(struct lbx_kick_raw *r) =
    r->pad == 0 &&
    (r->mode == LBX_KICK_WAKE ?
       r->cpu == LBX_CPU_NONE && r->word % 4 == 0 && 1 <= r->count <= LBX_KICK_MAX :
       r->mode == LBX_KICK_INTERRUPT && r->word == 0 && r->count == 0);

  predicate lbx_kick_cpu{L}(struct lbx_kick_raw *r) =
    r->mode == LBX_KICK_INTERRUPT ==> r->cpu < LBX_CPUS_END;

  predicate lbx_kick_address{L}(struct lbx_kick_raw *r, struct lbx_space *s) =
    r->mode == LBX_KICK_WAKE ==> lbx_inside(r->word, 4, s->kernel_start, s->kernel_end);
*/

/**
 * lbx_check_kick() - check the record of kick
 * @raw:   as it came
 * @space: the sandbox's windows
 * @out:   the caller's, written when the answer is 0
 *
 * Return: 0, -EINVAL, -ESRCH, -EFAULT.
 */
/*@
  requires \valid_read(raw) && \valid_read(space) && \valid(out);
  requires \separated(raw, out) && \separated(space, out);
  requires lbx_space_checked(space);
  assigns *out;
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_ESRCH ||
          \result == -LBX_EFAULT;
  ensures \result == 0 <==>
    \old(lbx_kick_words(raw) && lbx_kick_cpu(raw) && lbx_kick_address(raw, space));
  ensures \result == -LBX_EINVAL <==> \old(!lbx_kick_words(raw));
  ensures \result == -LBX_ESRCH <==> \old(lbx_kick_words(raw) && !lbx_kick_cpu(raw));
  ensures \result == -LBX_EFAULT <==>
    \old(lbx_kick_words(raw) && lbx_kick_cpu(raw) && !lbx_kick_address(raw, space));
  ensures \result == 0 ==> out->mode == raw->mode && out->cpu == raw->cpu &&
    out->word == raw->word && out->count == raw->count;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_kick(const struct lbx_kick_raw *raw,
				  const struct lbx_space *space, struct lbx_kick *out);

#ifdef __cplusplus
}
#endif

#endif /* LBX_UAPI_CHECK_CPU_H */
