/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Check of map. How contracts are read: check.h.
 */
#ifndef LBX_UAPI_CHECK_MAP_H
#define LBX_UAPI_CHECK_MAP_H

#include "check_sandbox.h"
#include "south.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lbx_map {
	lbx_u32 op;
	lbx_u32 prot;
	lbx_u32 flags;
	lbx_u32 handle;
	lbx_u64 addr;
	lbx_u64 len;
	lbx_u64 off;
	lbx_u64 to;
	lbx_u64 to_len;
};

/*@
  // Which fields an operation has, the others being 0 (or NONE).
  predicate lbx_map_fields{L}(struct lbx_map_raw *r) =
    r->op < 5 &&
    (r->op == LBX_MAP_BACK || r->op == LBX_MAP_PROTECT ?
       r->prot <= LBX_PROT_ALL : r->prot == 0) &&
    (r->op == LBX_MAP_BACK ?
       r->flags <= LBX_MAP_BACK_FLAGS && (r->handle == LBX_HANDLE_NONE ==> r->off == 0) :
       r->off == 0 && r->handle == LBX_HANDLE_NONE &&
       (r->flags == 0 || (r->op == LBX_MAP_MOVE && r->flags == LBX_MAP_KEEP))) &&
    (r->op == LBX_MAP_MOVE || (r->to == 0 && r->to_len == 0));

  predicate lbx_map_extent(integer start, integer len) =
    lbx_page_multiple(start) && lbx_page_multiple(len) && len > 0;

  predicate lbx_map_disjoint{L}(struct lbx_map_raw *r) =
    r->to + r->to_len <= r->addr || r->addr + r->len <= r->to;

  // In place, or to where the old range is not; to keep it wants the latter.
  predicate lbx_map_target{L}(struct lbx_map_raw *r) =
    lbx_map_extent(r->to, r->to_len) &&
    (r->flags == LBX_MAP_KEEP ?
       r->to_len == r->len && lbx_map_disjoint(r) :
       r->to == r->addr || lbx_map_disjoint(r));

  predicate lbx_map_words{L}(struct lbx_map_raw *r) =
    lbx_map_fields(r) && lbx_map_extent(r->addr, r->len) &&
    lbx_page_multiple(r->off) && r->off + r->len <= LBX_OFF_MAX &&
    (r->op == LBX_MAP_MOVE ==> lbx_map_target(r));

  predicate lbx_map_handle{L}(struct lbx_map_raw *r) =
    r->handle < LBX_HANDLES_END || r->handle == LBX_HANDLE_NONE;

  predicate lbx_map_range{L}(integer start, integer len, struct lbx_space *s) =
    s->program_start <= start < s->map_start_end && len < s->map_len_end;

  predicate lbx_map_addresses{L}(struct lbx_map_raw *r, struct lbx_space *s) =
    (lbx_map_range(r->addr, r->len, s) ||
     (r->op == LBX_MAP_DISCARD &&
      lbx_inside(r->addr, r->len, s->kernel_start, s->kernel_end))) &&
    (r->op == LBX_MAP_MOVE ==> lbx_map_range(r->to, r->to_len, s));
*/

/**
 * lbx_check_map() - check the record of map
 * @raw:   as it came
 * @space: the sandbox's windows
 * @out:   the caller's, written when the answer is 0
 *
 * With a handle, lbx_check_map_handle() comes next.
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
    \old(lbx_map_words(raw) && lbx_map_handle(raw) && lbx_map_addresses(raw, space));
  ensures \result == -LBX_EINVAL <==> \old(!lbx_map_words(raw));
  ensures \result == -LBX_EBADF <==> \old(lbx_map_words(raw) && !lbx_map_handle(raw));
  ensures \result == -LBX_EFAULT <==>
    \old(lbx_map_words(raw) && lbx_map_handle(raw) && !lbx_map_addresses(raw, space));
  ensures \result == 0 ==>
    out->op == raw->op && out->prot == raw->prot && out->flags == raw->flags &&
    out->handle == raw->handle && out->addr == raw->addr && out->len == raw->len &&
    out->off == raw->off && out->to == raw->to && out->to_len == raw->to_len;
  // What the code behind the door relies on: never outside of its window.
  ensures \result == 0 && out->op != LBX_MAP_DISCARD ==>
    lbx_inside(out->addr, out->len, space->program_start, space->program_end);
  ensures \result == 0 && out->op == LBX_MAP_DISCARD ==>
    lbx_inside(out->addr, out->len, space->program_start, space->program_end) ||
    lbx_inside(out->addr, out->len, space->kernel_start, space->kernel_end);
  ensures \result == 0 && out->op == LBX_MAP_MOVE ==>
    lbx_inside(out->to, out->to_len, space->program_start, space->program_end);
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_map(const struct lbx_map_raw *raw,
				 const struct lbx_space *space, struct lbx_map *out);

#ifdef __cplusplus
}
#endif

#endif /* LBX_UAPI_CHECK_MAP_H */
