// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A sandbox as its creator describes it: windows and limits. Contracts: check_sandbox.h.
 */
#include "check_sandbox.h"

/*@
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_page_multiple(x);
*/
static int page_multiple(lbx_u64 x)
{
	return x % LBX_PAGE_SIZE == 0;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==>
    lbx_space_sane(raw->kernel_start, raw->kernel_end, raw->program_start,
                   raw->program_end, raw->map_start_end, raw->map_len_end);
*/
static int space_fits(const struct lbx_space_raw *raw)
{
	if (!page_multiple(raw->kernel_start) || !page_multiple(raw->kernel_end) ||
	    !page_multiple(raw->program_start) || !page_multiple(raw->program_end) ||
	    !page_multiple(raw->map_start_end) || !page_multiple(raw->map_len_end))
		return 0;

	/* Address 0 belongs to no window: it says "none" in a record. */
	if (raw->kernel_start == 0 || raw->kernel_start >= raw->kernel_end ||
	    raw->program_start == 0 || raw->program_start >= raw->program_end)
		return 0;
	if (raw->kernel_end > raw->program_start && raw->program_end > raw->kernel_start)
		return 0;

	return raw->map_start_end > raw->program_start &&
	       raw->map_start_end <= raw->program_end && raw->map_len_end != 0 &&
	       raw->map_len_end <= raw->program_end - raw->map_start_end;
}

int lbx_check_space(const struct lbx_space_raw *raw, struct lbx_space *out)
{
	if (!space_fits(raw))
		return -LBX_EINVAL;

	out->kernel_start = raw->kernel_start;
	out->kernel_end = raw->kernel_end;
	out->program_start = raw->program_start;
	out->program_end = raw->program_end;
	out->map_start_end = raw->map_start_end;
	out->map_len_end = raw->map_len_end;
	return 0;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_limits_sane(raw);
*/
static int limits_fit(const struct lbx_limits_raw *raw)
{
	if (raw->mem == 0 || raw->handles == 0 || raw->cpus == 0)
		return 0;
	if (raw->spaces == 0 || raw->spaces > raw->cpus)
		return 0;
	return (raw->queue == 0) == (raw->queue_bytes == 0);
}

/*@
  requires \valid_read(raw) && \valid_read(top);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_limits_below(raw, top);
*/
static int limits_below(const struct lbx_limits_raw *raw, const struct lbx_limits *top)
{
	return raw->mem <= top->mem && raw->queue_bytes <= top->queue_bytes &&
	       raw->handles <= top->handles && raw->cpus <= top->cpus &&
	       raw->spaces <= top->spaces && raw->queue <= top->queue;
}

int lbx_check_limits(const struct lbx_limits_raw *raw,
		     const struct lbx_limits *top, struct lbx_limits *out)
{
	if (!limits_fit(raw))
		return -LBX_EINVAL;
	if (!limits_below(raw, top))
		return -LBX_EPERM;

	out->mem = raw->mem;
	out->queue_bytes = raw->queue_bytes;
	out->handles = raw->handles;
	out->cpus = raw->cpus;
	out->spaces = raw->spaces;
	out->queue = raw->queue;
	return 0;
}
