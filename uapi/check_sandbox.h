/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Checks of a sandbox as its creator describes it: windows and limits.
 * How contracts are read: check.h.
 */
#ifndef LBX_UAPI_CHECK_SANDBOX_H
#define LBX_UAPI_CHECK_SANDBOX_H

#include "south.h"

#ifdef __cplusplus
extern "C" {
#endif

/*@
  predicate lbx_page_multiple(integer x) = x % LBX_PAGE_SIZE == 0;

  // All of [start, start + len) lies in [first, end).
  predicate lbx_inside(integer start, integer len, integer first, integer end) =
    first <= start && 0 <= len && start + len <= end;
*/

struct lbx_space_raw {
	lbx_u64 kernel_start;
	lbx_u64 kernel_end;
	lbx_u64 program_start;
	lbx_u64 program_end;
	lbx_u64 map_start_end;
	lbx_u64 map_len_end;
};
LBX_ASSERT_SIZE(struct lbx_space_raw, 48);

/*@
  predicate lbx_space_sane(integer kernel_start, integer kernel_end,
                           integer program_start, integer program_end,
                           integer map_start_end, integer map_len_end) =
    lbx_page_multiple(kernel_start) && lbx_page_multiple(kernel_end) &&
    lbx_page_multiple(program_start) && lbx_page_multiple(program_end) &&
    lbx_page_multiple(map_start_end) && lbx_page_multiple(map_len_end) &&
    0 < kernel_start < kernel_end && 0 < program_start < program_end &&
    (kernel_end <= program_start || program_end <= kernel_start) &&
    program_start < map_start_end && 0 < map_len_end &&
    map_start_end + map_len_end <= program_end;

  predicate lbx_space_checked{L}(struct lbx_space *s) =
    lbx_space_sane(s->kernel_start, s->kernel_end, s->program_start,
                   s->program_end, s->map_start_end, s->map_len_end);
*/

/**
 * lbx_check_space() - are these two windows
 * @raw: as it came
 * @out: the caller's, written when the answer is 0
 *
 * Return: 0 or -EINVAL.
 */
/*@
  requires \valid_read(raw) && \valid(out) && \separated(raw, out);
  assigns *out;
  ensures \result == 0 || \result == -LBX_EINVAL;
  ensures \result == 0 <==>
    \old(lbx_space_sane(raw->kernel_start, raw->kernel_end, raw->program_start,
                   raw->program_end, raw->map_start_end, raw->map_len_end));
  ensures \result == 0 ==> lbx_space_checked(out) &&
    out->kernel_start == raw->kernel_start && out->kernel_end == raw->kernel_end &&
    out->program_start == raw->program_start && out->program_end == raw->program_end &&
    out->map_start_end == raw->map_start_end && out->map_len_end == raw->map_len_end;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_space(const struct lbx_space_raw *raw, struct lbx_space *out);

/*@
  predicate lbx_limits_sane{L}(struct lbx_limits_raw *r) =
    1 <= r->mem && 1 <= r->handles && 1 <= r->cpus &&
    1 <= r->spaces <= r->cpus && (r->queue == 0 <==> r->queue_bytes == 0);

  predicate lbx_limits_below{L}(struct lbx_limits_raw *r, struct lbx_limits *top) =
    r->mem <= top->mem && r->queue_bytes <= top->queue_bytes &&
    r->handles <= top->handles && r->cpus <= top->cpus &&
    r->spaces <= top->spaces && r->queue <= top->queue;
*/

/* What a struct lbx_limits holds when the administrator set no lower ceiling. */
#define LBX_LIMITS_CEILING { \
	LBX_MEM_MAX, LBX_QUEUE_BYTES_MAX, \
	LBX_HANDLES_END, LBX_CPUS_END, LBX_CPUS_END, LBX_QUEUE_MAX, \
}

/**
 * lbx_check_limits() - may a sandbox have these limits
 * @raw: as it came
 * @top: the ceiling that the administrator set
 * @out: the caller's, written when the answer is 0
 *
 * Return: 0, -EINVAL (not a sensible set), -EPERM (above the ceiling).
 */
/*@
  requires \valid_read(raw) && \valid_read(top) && \valid(out);
  requires \separated(raw, out) && \separated(top, out);
  assigns *out;
  ensures \result == 0 <==> \old(lbx_limits_sane(raw) && lbx_limits_below(raw, top));
  ensures \result == -LBX_EINVAL <==> \old(!lbx_limits_sane(raw));
  ensures \result == -LBX_EPERM <==> \old(lbx_limits_sane(raw) && !lbx_limits_below(raw, top));
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_EPERM;
  ensures \result == 0 ==>
    out->mem == raw->mem && out->queue_bytes == raw->queue_bytes &&
    out->handles == raw->handles && out->cpus == raw->cpus &&
    out->spaces == raw->spaces && out->queue == raw->queue;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_limits(const struct lbx_limits_raw *raw,
				    const struct lbx_limits *top, struct lbx_limits *out);

#ifdef __cplusplus
}
#endif

#endif /* LBX_UAPI_CHECK_SANDBOX_H */
