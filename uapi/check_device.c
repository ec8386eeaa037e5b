// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What /dev/litebox is asked for by a sandbox's owner. Contracts: check_device.h.
 */
#include "check_device.h"

/*@
  assigns \nothing;
  ensures \result == lbx_device_size(nr);
*/
static lbx_u32 device_size(lbx_u32 nr)
{
	switch (nr) {
#define DEVICE_CALL(nr, call, record, help) \
	case nr: \
		return sizeof(struct lbx_##record##_raw);
#include "device_calls.def"
	default:
		return 0;
	}
}

int lbx_check_device(const struct lbx_call_raw *raw, struct lbx_call *out)
{
	lbx_u32 known = device_size(raw->nr);

	if (known == 0)
		return -LBX_ENOSYS;
	if (raw->size > LBX_RECORD_MAX)
		return -LBX_E2BIG;
	if (raw->size < known)
		return -LBX_EINVAL;

	out->nr = raw->nr;
	out->size = raw->size;
	out->known = known;
	return 0;
}

int lbx_check_create(const struct lbx_create_raw *raw)
{
	if (raw->version / 65536 != LBX_SOUTH_VERSION / 65536 || raw->flags != 0)
		return -LBX_EINVAL;
	return 0;
}

int lbx_check_grant_fd(const struct lbx_grant_fd_raw *raw)
{
	if (raw->pad != 0)
		return -LBX_EINVAL;
	if (raw->grant.kind == LBX_KIND_ENTROPY)
		return raw->fd == -1 ? 0 : -LBX_EINVAL;
	return raw->fd >= 0 ? 0 : -LBX_EBADF;
}

int lbx_check_revoke(const struct lbx_revoke_raw *raw)
{
	if (raw->pad != 0)
		return -LBX_EINVAL;
	if (raw->handle >= LBX_HANDLES_END)
		return -LBX_EBADF;
	return 0;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_seal_words(raw);
*/
static int seal_words_fit(const struct lbx_seal_raw *raw)
{
	return raw->flags == 0 && raw->gate % LBX_PAGE_SIZE == 0 &&
	       raw->shared_start % LBX_PAGE_SIZE == 0 && raw->shared_end % LBX_PAGE_SIZE == 0 &&
	       raw->shared_start <= raw->shared_end;
}

int lbx_check_seal(const struct lbx_seal_raw *raw, const struct lbx_space *space,
		   struct lbx_seal *out)
{
	if (!seal_words_fit(raw))
		return -LBX_EINVAL;

	/* A window may be a single page: then nothing is left of its end. */
	if (space->kernel_end - space->kernel_start < 2 * LBX_GATE_SIZE ||
	    raw->gate < space->kernel_start || raw->gate > space->kernel_end - 2 * LBX_GATE_SIZE)
		return -LBX_EFAULT;
	if (raw->shared_start < space->kernel_start || raw->shared_end > space->kernel_end)
		return -LBX_EFAULT;

	out->gate = raw->gate;
	out->shared_start = raw->shared_start;
	out->shared_end = raw->shared_end;
	return 0;
}

int lbx_check_run(const struct lbx_run_raw *raw)
{
	return raw->flags == 0 && raw->pad == 0 ? 0 : -LBX_EINVAL;
}

int lbx_check_end(const struct lbx_end_raw *raw)
{
	return raw->flags == 0 && raw->pad == 0 ? 0 : -LBX_EINVAL;
}
