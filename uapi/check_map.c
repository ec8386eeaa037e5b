// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * map: words first, then the handle's number, then where it is. No sum is
 * formed before its parts are known to be small. Contracts: check_map.h.
 */
#include "check_map.h"

/* The flags and rights are low bits without a gap, so one compare finds others. */
LBX_STATIC_ASSERT((LBX_MAP_BACK_FLAGS & (LBX_MAP_BACK_FLAGS + 1)) == 0, "no gap in the flags");
LBX_STATIC_ASSERT((LBX_PROT_ALL & (LBX_PROT_ALL + 1)) == 0, "no gap in the rights");

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_map_fields(raw);
*/
static int fields_fit(const struct lbx_map_raw *raw)
{
	if (raw->op >= LBX_MAP_OP_END)
		return 0;

	if (raw->op == LBX_MAP_BACK) {
		if (raw->flags > LBX_MAP_BACK_FLAGS)
			return 0;
		if (raw->handle == LBX_HANDLE_NONE && raw->off != 0)
			return 0;
	} else {
		if (raw->off != 0 || raw->handle != LBX_HANDLE_NONE)
			return 0;
		if (raw->flags != 0 &&
		    (raw->op != LBX_MAP_MOVE || raw->flags != LBX_MAP_KEEP))
			return 0;
	}

	if (raw->op == LBX_MAP_BACK || raw->op == LBX_MAP_PROTECT) {
		if (raw->prot > LBX_PROT_ALL)
			return 0;
	} else if (raw->prot != 0) {
		return 0;
	}

	return raw->op == LBX_MAP_MOVE || (raw->to == 0 && raw->to_len == 0);
}

/*@
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_map_extent(start, len);
*/
static int extent_fits(lbx_u64 start, lbx_u64 len)
{
	return start % LBX_PAGE_SIZE == 0 && len % LBX_PAGE_SIZE == 0 && len != 0;
}

/*@
  requires \valid_read(raw) && raw->len > 0 && raw->to_len > 0;
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_map_disjoint(raw);
*/
static int move_disjoint(const struct lbx_map_raw *raw)
{
	if (raw->to >= raw->addr)
		return raw->to - raw->addr >= raw->len;
	return raw->addr - raw->to >= raw->to_len;
}

/*@
  requires \valid_read(raw) && raw->len > 0;
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_map_target(raw);
*/
static int target_fits(const struct lbx_map_raw *raw)
{
	if (!extent_fits(raw->to, raw->to_len))
		return 0;
	if (raw->flags == LBX_MAP_KEEP)
		return raw->to_len == raw->len && move_disjoint(raw);
	return raw->to == raw->addr || move_disjoint(raw);
}

/*@
  requires \valid_read(space);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_map_range(start, len, space);
*/
static int range_in_program(const struct lbx_space *space, lbx_u64 start, lbx_u64 len)
{
	return start >= space->program_start && start < space->map_start_end &&
	       len < space->map_len_end;
}

/*@
  requires \valid_read(space) && lbx_space_checked(space);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_inside(start, len, space->kernel_start, space->kernel_end);
*/
static int range_in_kernel(const struct lbx_space *space, lbx_u64 start, lbx_u64 len)
{
	return start >= space->kernel_start && start <= space->kernel_end &&
	       len <= space->kernel_end - start;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_map_words(raw);
*/
static int words_fit(const struct lbx_map_raw *raw)
{
	if (!fields_fit(raw) || !extent_fits(raw->addr, raw->len))
		return 0;
	if (raw->off % LBX_PAGE_SIZE != 0 || raw->len > LBX_OFF_MAX ||
	    raw->off > LBX_OFF_MAX - raw->len)
		return 0;
	return raw->op != LBX_MAP_MOVE || target_fits(raw);
}

/*@
  requires \valid_read(raw);
  requires \valid_read(space) && lbx_space_checked(space);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_map_addresses(raw, space);
*/
static int addresses_fit(const struct lbx_map_raw *raw, const struct lbx_space *space)
{
	if (!range_in_program(space, raw->addr, raw->len) &&
	    (raw->op != LBX_MAP_DISCARD || !range_in_kernel(space, raw->addr, raw->len)))
		return 0;
	return raw->op != LBX_MAP_MOVE || range_in_program(space, raw->to, raw->to_len);
}

int lbx_check_map(const struct lbx_map_raw *raw, const struct lbx_space *space,
		  struct lbx_map *out)
{
	if (!words_fit(raw))
		return -LBX_EINVAL;
	if (raw->handle >= LBX_HANDLES_END && raw->handle != LBX_HANDLE_NONE)
		return -LBX_EBADF;
	if (!addresses_fit(raw, space))
		return -LBX_EFAULT;

	out->op = raw->op;
	out->prot = raw->prot;
	out->flags = raw->flags;
	out->handle = raw->handle;
	out->addr = raw->addr;
	out->len = raw->len;
	out->off = raw->off;
	out->to = raw->to;
	out->to_len = raw->to_len;
	return 0;
}
