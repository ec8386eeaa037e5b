// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * A call as a message, and the two records that have no address in them.
 * Contracts: check_call.h.
 */
#include "check_call.h"

int lbx_check_call(const struct lbx_call_raw *raw, struct lbx_call *out)
{
	lbx_u32 known;

	switch (raw->nr) {
#define SOUTH_CALL(nr, call, record, right, sleeps, help) \
	case LBX_SOUTH_##call: \
		known = sizeof(struct lbx_##record##_raw); \
		break;
#include "south_calls.def"
	default:
		return -LBX_ENOSYS;
	}

	if (raw->size > LBX_RECORD_MAX)
		return -LBX_E2BIG;
	if (raw->size < known)
		return -LBX_EINVAL;

	out->nr = raw->nr;
	out->size = raw->size;
	out->known = known;
	return 0;
}

int lbx_check_tail(const lbx_u8 *record, const struct lbx_call *call)
{
	lbx_u32 i;

	/*@
	  loop invariant call->known <= i <= call->size;
	  loop invariant \forall integer j; call->known <= j < i ==> record[j] == 0;
	  loop assigns i;
	  loop variant call->size - i;
	*/
	for (i = call->known; i < call->size; i++) {
		if (record[i] != 0)
			return -LBX_E2BIG;
	}
	return 0;
}

int lbx_check_exit(const struct lbx_exit_raw *raw, struct lbx_exit *out)
{
	if (raw->status > LBX_STATUS_MAX || raw->pad != 0)
		return -LBX_EINVAL;

	out->status = raw->status;
	return 0;
}

int lbx_check_clock(const struct lbx_clock_raw *raw, struct lbx_clock *out)
{
	if (raw->id >= LBX_CLOCK_END || raw->pad != 0)
		return -LBX_EINVAL;

	out->id = raw->id;
	return 0;
}
