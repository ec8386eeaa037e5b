/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Checks of what /dev/litebox is asked for by a sandbox's owner. How contracts
 * are read: check.h.
 */
#ifndef LBX_UAPI_CHECK_DEVICE_H
#define LBX_UAPI_CHECK_DEVICE_H

#include "check_call.h"
#include "check_handle.h"
#include "check_sandbox.h"
#include "device.h"

#ifdef __cplusplus
extern "C" {
#endif

/*@
  logic integer lbx_device_size(integer nr) =
    nr == 0 ? 40 : nr == 1 ? 32 : nr == 2 ? 8 : nr == 3 ? 32 :
    nr == 4 ? 8 : nr == 5 ? 8 : nr == 6 ? 104 : 0;
*/

/**
 * lbx_check_device() - is there such a call of the device, with such a size
 * @raw: number and size as the ioctl's number has them
 * @out: the caller's, written when the answer is 0
 *
 * What lbx_check_call() is to the South's calls. Return: 0, -ENOSYS, -E2BIG,
 * -EINVAL (too short).
 */
/*@
  requires \valid_read(raw) && \valid(out) && \separated(raw, out);
  assigns *out;
  ensures \result == 0 || \result == -LBX_ENOSYS || \result == -LBX_E2BIG ||
          \result == -LBX_EINVAL;
  ensures \result == -LBX_ENOSYS <==> raw->nr >= 7;
  ensures \result == -LBX_E2BIG <==> raw->nr < 7 && raw->size > LBX_RECORD_MAX;
  ensures \result == -LBX_EINVAL <==> raw->nr < 7 && raw->size < lbx_device_size(raw->nr);
  ensures \result == 0 ==> out->nr == raw->nr && out->size == raw->size &&
    out->known == lbx_device_size(raw->nr) && 0 < out->known <= out->size <= LBX_RECORD_MAX;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_device(const struct lbx_call_raw *raw, struct lbx_call *out);

/**
 * lbx_check_create() - check the record of create, but for its limits
 * @raw: as it came; its limits go through lbx_check_limits() next
 *
 * Return: 0 or -EINVAL (another major version, flags).
 */
/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EINVAL;
  ensures \result == 0 <==>
    raw->version / 65536 == LBX_SOUTH_VERSION / 65536 && raw->flags == 0;
*/
LBX_MUST_CHECK int lbx_check_create(const struct lbx_create_raw *raw);

/**
 * lbx_check_grant_fd() - check the record of grant, but for the grant itself
 * @raw: as it came; its grant goes through lbx_check_grant() next
 *
 * ENTROPY is no file; everything else is one. Return: 0, -EINVAL, -EBADF.
 */
/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_EBADF;
  ensures \result == -LBX_EBADF <==> raw->pad == 0 &&
    raw->grant.kind != LBX_KIND_ENTROPY && raw->fd < 0;
  ensures \result == 0 <==> raw->pad == 0 &&
    (raw->grant.kind == LBX_KIND_ENTROPY ? raw->fd == -1 : raw->fd >= 0);
*/
LBX_MUST_CHECK int lbx_check_grant_fd(const struct lbx_grant_fd_raw *raw);

/**
 * lbx_check_revoke() - check the record of revoke
 * @raw: as it came
 *
 * Return: 0, -EINVAL, -EBADF (no such number can be).
 */
/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_EBADF;
  ensures \result == -LBX_EINVAL <==> raw->pad != 0;
  ensures \result == -LBX_EBADF <==> raw->pad == 0 && raw->handle >= LBX_HANDLES_END;
*/
LBX_MUST_CHECK int lbx_check_revoke(const struct lbx_revoke_raw *raw);

struct lbx_seal {
	lbx_u64 gate;
	lbx_u64 shared_start;
	lbx_u64 shared_end;
};

/*@
  predicate lbx_seal_words{L}(struct lbx_seal_raw *r) =
    r->flags == 0 && lbx_page_multiple(r->gate) && lbx_page_multiple(r->shared_start) &&
    lbx_page_multiple(r->shared_end) && r->shared_start <= r->shared_end;

  // The gate, and a page for the entry behind it.
  predicate lbx_seal_addresses{L}(struct lbx_seal_raw *r, struct lbx_space *s) =
    lbx_inside(r->gate, 2 * LBX_GATE_SIZE, s->kernel_start, s->kernel_end) &&
    s->kernel_start <= r->shared_start && r->shared_end <= s->kernel_end;
*/

/**
 * lbx_check_seal() - check the record of seal
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
  ensures \result == 0 <==> \old(lbx_seal_words(raw) && lbx_seal_addresses(raw, space));
  ensures \result == -LBX_EINVAL <==> \old(!lbx_seal_words(raw));
  ensures \result == -LBX_EFAULT <==> \old(lbx_seal_words(raw) && !lbx_seal_addresses(raw, space));
  ensures \result == 0 ==> out->gate == raw->gate &&
    out->shared_start == raw->shared_start && out->shared_end == raw->shared_end;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_seal(const struct lbx_seal_raw *raw,
				  const struct lbx_space *space, struct lbx_seal *out);

/**
 * lbx_check_run() - check the record of run: both words are 0
 * @raw: as it came
 *
 * Return: 0 or -EINVAL.
 */
/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EINVAL;
  ensures \result == 0 <==> raw->flags == 0 && raw->pad == 0;
*/
LBX_MUST_CHECK int lbx_check_run(const struct lbx_run_raw *raw);

/**
 * lbx_check_end() - check the record of end: both words are 0
 * @raw: as it came
 *
 * Return: 0 or -EINVAL.
 */
/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EINVAL;
  ensures \result == 0 <==> raw->flags == 0 && raw->pad == 0;
*/
LBX_MUST_CHECK int lbx_check_end(const struct lbx_end_raw *raw);

#ifdef __cplusplus
}
#endif

#endif /* LBX_UAPI_CHECK_DEVICE_H */
