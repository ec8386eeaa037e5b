/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Checks of read and write. How contracts are read: check.h.
 */
#ifndef LBX_UAPI_CHECK_IO_H
#define LBX_UAPI_CHECK_IO_H

#include "check_sandbox.h"
#include "south.h"

#ifdef __cplusplus
extern "C" {
#endif

struct lbx_io {
	lbx_u32 handle;
	lbx_u32 nr_iov;
	lbx_u64 off;
	lbx_u64 iov;
};

/*@
  predicate lbx_io_words{L}(struct lbx_io_raw *r) =
    1 <= r->nr_iov <= LBX_IOV_MAX && r->flags == 0 && r->iov % 8 == 0 &&
    (r->off <= LBX_OFF_MAX || r->off == LBX_OFF_STREAM);

  predicate lbx_io_address{L}(struct lbx_io_raw *r, struct lbx_space *s) =
    lbx_inside(r->iov, r->nr_iov * 16, s->kernel_start, s->kernel_end);

  predicate lbx_io_checked{L}(struct lbx_io *io) =
    io->handle < LBX_HANDLES_END && 1 <= io->nr_iov <= LBX_IOV_MAX &&
    (io->off <= LBX_OFF_MAX || io->off == LBX_OFF_STREAM);
*/

/**
 * lbx_check_io() - check the record of read or write
 * @raw:   as it came
 * @space: the sandbox's windows
 * @out:   the caller's, written when the answer is 0
 *
 * The caller then copies the array at @out->iov and gives it to
 * lbx_check_iov(), and looks up the handle for lbx_check_io_handle().
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
    \old(lbx_io_words(raw) && raw->handle < LBX_HANDLES_END && lbx_io_address(raw, space));
  ensures \result == -LBX_EINVAL <==> \old(!lbx_io_words(raw));
  ensures \result == -LBX_EBADF <==> \old(lbx_io_words(raw) && raw->handle >= LBX_HANDLES_END);
  ensures \result == -LBX_EFAULT <==>
    \old(lbx_io_words(raw) && raw->handle < LBX_HANDLES_END && !lbx_io_address(raw, space));
  ensures \result == 0 ==> lbx_io_checked(out) &&
    out->handle == raw->handle && out->nr_iov == raw->nr_iov &&
    out->off == raw->off && out->iov == raw->iov;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_io(const struct lbx_io_raw *raw,
				const struct lbx_space *space, struct lbx_io *out);

/*@
  predicate lbx_piece_inside{L}(struct lbx_iov *v, struct lbx_space *s) =
    lbx_inside(v->base, v->len, s->kernel_start, s->kernel_end) ||
    lbx_inside(v->base, v->len, s->program_start, s->program_end);

  logic integer lbx_iov_sum{L}(struct lbx_iov *v, integer n) =
    n <= 0 ? 0 : lbx_iov_sum(v, n - 1) + v[n - 1].len;

  predicate lbx_iov_total{L}(struct lbx_io *io, struct lbx_iov *v) =
    (\forall integer i; 0 <= i < io->nr_iov ==> v[i].len <= LBX_IO_MAX) &&
    lbx_iov_sum(v, io->nr_iov) <= LBX_IO_MAX &&
    (io->off == LBX_OFF_STREAM || io->off + lbx_iov_sum(v, io->nr_iov) <= LBX_OFF_MAX);

  predicate lbx_iov_inside{L}(struct lbx_io *io, struct lbx_iov *v, struct lbx_space *s) =
    \forall integer i; 0 <= i < io->nr_iov ==> lbx_piece_inside(&v[i], s);
*/

/**
 * lbx_check_iov() - check the pieces of memory of a read or write
 * @io:    from lbx_check_io()
 * @vec:   @io->nr_iov pieces, the caller's copy of what was at @io->iov
 * @space: the sandbox's windows
 * @total: the caller's, written when the answer is 0: bytes, at most LBX_IO_MAX
 *
 * Return: 0, -EINVAL (total or end out of bounds), -EFAULT (a piece that is in
 * neither window).
 */
/*@
  requires \valid_read(io) && lbx_io_checked(io);
  requires \valid_read(vec + (0 .. io->nr_iov - 1));
  requires \valid_read(space) && lbx_space_checked(space) && \valid(total);
  requires \separated(total, io) && \separated(total, space) &&
           \separated(total, vec + (0 .. io->nr_iov - 1));
  assigns *total;
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_EFAULT;
  // \old: that the store to *total leaves the pieces alone is not for a prover to guess.
  ensures \result == 0 <==> \old(lbx_iov_total(io, vec) && lbx_iov_inside(io, vec, space));
  ensures \result == -LBX_EINVAL <==> \old(!lbx_iov_total(io, vec));
  ensures \result == -LBX_EFAULT <==>
    \old(lbx_iov_total(io, vec) && !lbx_iov_inside(io, vec, space));
  ensures \result == 0 ==> *total == \old(lbx_iov_sum(vec, io->nr_iov));
  ensures \result != 0 ==> *total == \old(*total);
*/
LBX_MUST_CHECK int lbx_check_iov(const struct lbx_io *io, const struct lbx_iov *vec,
				 const struct lbx_space *space, lbx_u64 *total);

#ifdef __cplusplus
}
#endif

#endif /* LBX_UAPI_CHECK_IO_H */
