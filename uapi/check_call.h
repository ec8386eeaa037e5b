/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Checks of a call as a message, and of the records that have no address in
 * them: exit, clock. How contracts are read: check.h.
 */
#ifndef LBX_UAPI_CHECK_CALL_H
#define LBX_UAPI_CHECK_CALL_H

#include "south.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lbx_call - a call that exists, with a record of a possible size
 * @nr:    below LBX_SOUTH_NR_CALLS
 * @size:  bytes that came, at least @known and at most LBX_RECORD_MAX
 * @known: bytes of its record as this side knows it
 */
struct lbx_call {
	lbx_u32 nr;
	lbx_u32 size;
	lbx_u32 known;
};

/*@
  logic integer lbx_record_size(integer nr) =
    nr == 0 ? 8 : nr == 1 ? 8 : nr == 2 ? 32 : nr == 3 ? 32 :
    nr == 4 ? 56 : nr == 5 ? 40 : nr == 6 ? 32 : nr == 7 ? 24 : 0;
*/

/**
 * lbx_check_call() - is there such a call, with such a size
 * @raw: as it came
 * @out: the caller's, written when the answer is 0
 *
 * The caller then copies @out->size bytes and gives them to lbx_check_tail().
 * Return: 0, -ENOSYS, -E2BIG, -EINVAL (too short).
 */
/*@
  requires \valid_read(raw) && \valid(out) && \separated(raw, out);
  assigns *out;
  ensures \result == 0 || \result == -LBX_ENOSYS || \result == -LBX_E2BIG ||
          \result == -LBX_EINVAL;
  ensures \result == -LBX_ENOSYS <==> raw->nr >= 8;
  ensures \result == -LBX_E2BIG <==> raw->nr < 8 && raw->size > LBX_RECORD_MAX;
  ensures \result == -LBX_EINVAL <==> raw->nr < 8 && raw->size < lbx_record_size(raw->nr);
  ensures \result == 0 ==> out->nr == raw->nr && out->size == raw->size &&
    out->known == lbx_record_size(raw->nr) && 0 < out->known <= out->size <= LBX_RECORD_MAX;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_call(const struct lbx_call_raw *raw, struct lbx_call *out);

/**
 * lbx_check_tail() - is what lies beyond the known record all zero
 * @record: @call->size bytes, the caller's copy
 * @call:   from lbx_check_call()
 *
 * A sender of a newer version may send a longer record; as long as the new
 * fields are 0 it means what it always meant. Return: 0 or -E2BIG.
 */
/*@
  requires \valid_read(call) && call->known <= call->size <= LBX_RECORD_MAX;
  requires \valid_read(record + (0 .. call->size - 1));
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_E2BIG;
  ensures \result == 0 <==>
    \forall integer i; call->known <= i < call->size ==> record[i] == 0;
*/
LBX_MUST_CHECK int lbx_check_tail(const lbx_u8 *record, const struct lbx_call *call);

struct lbx_exit {
	lbx_u32 status;
};

/**
 * lbx_check_exit() - check the record of exit
 * @raw: as it came
 * @out: the caller's, written when the answer is 0
 *
 * Return: 0 or -EINVAL.
 */
/*@
  requires \valid_read(raw) && \valid(out) && \separated(raw, out);
  assigns *out;
  ensures \result == 0 || \result == -LBX_EINVAL;
  ensures \result == 0 <==> raw->status <= LBX_STATUS_MAX && raw->pad == 0;
  ensures \result == 0 ==> out->status == raw->status;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_exit(const struct lbx_exit_raw *raw, struct lbx_exit *out);

struct lbx_clock {
	lbx_u32 id;
};

/**
 * lbx_check_clock() - check the record of clock
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
    (raw->id == LBX_CLOCK_REALTIME || raw->id == LBX_CLOCK_MONOTONIC) && raw->pad == 0;
  ensures \result == 0 ==> out->id == raw->id;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_clock(const struct lbx_clock_raw *raw, struct lbx_clock *out);

#ifdef __cplusplus
}
#endif

#endif /* LBX_UAPI_CHECK_CALL_H */
