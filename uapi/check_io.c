// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * read and write: the record, then the pieces of memory. Contracts: check_io.h.
 */
#include "check_io.h"

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_io_words(raw);
*/
static int io_words_fit(const struct lbx_io_raw *raw)
{
	if (raw->nr_iov == 0 || raw->nr_iov > LBX_IOV_MAX)
		return 0;
	if (raw->flags != 0 || raw->iov % 8 != 0)
		return 0;
	return raw->off <= LBX_OFF_MAX || raw->off == LBX_OFF_STREAM;
}

int lbx_check_io(const struct lbx_io_raw *raw, const struct lbx_space *space,
		 struct lbx_io *out)
{
	lbx_u64 bytes;

	if (!io_words_fit(raw))
		return -LBX_EINVAL;
	if (raw->handle >= LBX_HANDLES_END)
		return -LBX_EBADF;

	/* No window is smaller than LBX_IOV_MAX pieces: the difference is no wrap. */
	bytes = (lbx_u64)raw->nr_iov * sizeof(struct lbx_iov);
	if (raw->iov < space->kernel_start || raw->iov > space->kernel_end - bytes)
		return -LBX_EFAULT;

	out->handle = raw->handle;
	out->nr_iov = raw->nr_iov;
	out->off = raw->off;
	out->iov = raw->iov;
	return 0;
}

/*@
  requires \valid_read(v) && \valid_read(space) && lbx_space_checked(space);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_piece_inside(v, space);
*/
static int piece_inside(const struct lbx_iov *v, const struct lbx_space *space)
{
	/* The windows may touch: their common bound is in both, with length 0. */
	return (v->base >= space->kernel_start && v->base <= space->kernel_end &&
		v->len <= space->kernel_end - v->base) ||
	       (v->base >= space->program_start && v->base <= space->program_end &&
		v->len <= space->program_end - v->base);
}

int lbx_check_iov(const struct lbx_io *io, const struct lbx_iov *vec,
		  const struct lbx_space *space, lbx_u64 *total)
{
	lbx_u64 sum = 0;
	lbx_u32 i;

	/* At most LBX_IOV_MAX times LBX_IO_MAX: the sum cannot wrap. */
	/*@
	  loop invariant 0 <= i <= io->nr_iov;
	  loop invariant \forall integer j; 0 <= j < i ==> vec[j].len <= LBX_IO_MAX;
	  loop invariant sum == lbx_iov_sum(vec, i);
	  loop invariant sum <= i * LBX_IO_MAX;
	  loop assigns i, sum;
	  loop variant io->nr_iov - i;
	*/
	for (i = 0; i < io->nr_iov; i++) {
		if (vec[i].len > LBX_IO_MAX)
			return -LBX_EINVAL;
		sum += vec[i].len;
	}
	if (sum > LBX_IO_MAX)
		return -LBX_EINVAL;
	if (io->off != LBX_OFF_STREAM && io->off > LBX_OFF_MAX - sum)
		return -LBX_EINVAL;

	/*@
	  loop invariant 0 <= i <= io->nr_iov;
	  loop invariant \forall integer j; 0 <= j < i ==> lbx_piece_inside(&vec[j], space);
	  loop assigns i;
	  loop variant io->nr_iov - i;
	*/
	for (i = 0; i < io->nr_iov; i++) {
		if (!piece_inside(&vec[i], space))
			return -LBX_EFAULT;
	}

	*total = sum;
	return 0;
}
