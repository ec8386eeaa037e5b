/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The checks: raw record in, checked record out, or an errno.
 *
 * Every function here is pure: it reads what it is given (copied once, out of
 * reach of who sent it), writes at most its result, calls nothing of its host,
 * and ends. One source serves the module, the hypervisor, the broker, BPF and
 * the proofs. A refused record leaves the result as it was.
 *
 * The contracts (ACSL, in comments that begin with an at sign) say exactly when
 * each errno is given; `make prove` proves them and the absence of run-time
 * errors for all inputs. In a contract numbers are mathematical: nothing wraps.
 *
 * When a record has several faults, words come before handles and cpus, and
 * those before addresses: E2BIG, ENOSYS, EINVAL; EBADF, ESRCH; EFAULT.
 */
#ifndef LBX_UAPI_CHECK_H
#define LBX_UAPI_CHECK_H

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

/* ---- the sandbox as its creator describes it: check_sandbox.c ---- */

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
    lbx_space_sane(raw->kernel_start, raw->kernel_end, raw->program_start,
                   raw->program_end, raw->map_start_end, raw->map_len_end);
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
  ensures \result == 0 <==> lbx_limits_sane(raw) && lbx_limits_below(raw, top);
  ensures \result == -LBX_EINVAL <==> !lbx_limits_sane(raw);
  ensures \result == -LBX_EPERM <==> lbx_limits_sane(raw) && !lbx_limits_below(raw, top);
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_EPERM;
  ensures \result == 0 ==>
    out->mem == raw->mem && out->queue_bytes == raw->queue_bytes &&
    out->handles == raw->handles && out->cpus == raw->cpus &&
    out->spaces == raw->spaces && out->queue == raw->queue;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_limits(const struct lbx_limits_raw *raw,
				    const struct lbx_limits *top, struct lbx_limits *out);

/* ---- calls as messages: check_call.c ---- */

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

/* ---- exit, clock, cpu, wait, kick: check_call.c, check_cpu.c ---- */

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

struct lbx_cpu {
	lbx_u32 flags;
	lbx_u64 entry;
	lbx_u64 stack;
	lbx_u64 arg;
	lbx_u64 tls;
};

/*@
  predicate lbx_cpu_words{L}(struct lbx_cpu_raw *r) =
    (r->flags == LBX_CPU_THREAD || r->flags == LBX_CPU_COPY) && r->pad == 0 &&
    r->stack % 16 == 0 && r->tls % 64 == 0;

  predicate lbx_cpu_addresses{L}(struct lbx_cpu_raw *r, struct lbx_space *s) =
    lbx_inside(r->entry, 1, s->kernel_start, s->kernel_end) &&
    lbx_inside(r->stack - 16, 16, s->kernel_start, s->kernel_end) &&
    lbx_inside(r->tls, 64, s->kernel_start, s->kernel_end);
*/

/**
 * lbx_check_cpu() - check the record of cpu
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
  ensures \result == 0 <==> lbx_cpu_words(raw) && lbx_cpu_addresses(raw, space);
  ensures \result == -LBX_EINVAL <==> !lbx_cpu_words(raw);
  ensures \result == -LBX_EFAULT <==> lbx_cpu_words(raw) && !lbx_cpu_addresses(raw, space);
  ensures \result == 0 ==> out->flags == raw->flags && out->entry == raw->entry &&
    out->stack == raw->stack && out->arg == raw->arg && out->tls == raw->tls;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_cpu(const struct lbx_cpu_raw *raw,
				 const struct lbx_space *space, struct lbx_cpu *out);

struct lbx_wait {
	lbx_u64 deadline;
	lbx_u64 word;
	lbx_u32 value;
	lbx_u32 handle;
	lbx_u32 events;
};

/*@
  predicate lbx_wait_words{L}(struct lbx_wait_raw *r) =
    (r->deadline <= LBX_NS_MAX || r->deadline == LBX_DEADLINE_NEVER) &&
    r->word % 4 == 0 && (r->word == 0 ==> r->value == 0) && r->flags == 0 &&
    r->events <= LBX_WAIT_EVENTS_ALL &&
    (r->events == 0 <==> r->handle == LBX_HANDLE_NONE);

  predicate lbx_wait_handle{L}(struct lbx_wait_raw *r) =
    r->handle < LBX_HANDLES_END || r->handle == LBX_HANDLE_NONE;

  predicate lbx_wait_address{L}(struct lbx_wait_raw *r, struct lbx_space *s) =
    r->word == 0 || lbx_inside(r->word, 4, s->kernel_start, s->kernel_end);
*/

/**
 * lbx_check_wait() - check the record of wait
 * @raw:   as it came
 * @space: the sandbox's windows
 * @out:   the caller's, written when the answer is 0
 *
 * With a handle, lbx_check_wait_handle() comes next.
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
    lbx_wait_words(raw) && lbx_wait_handle(raw) && lbx_wait_address(raw, space);
  ensures \result == -LBX_EINVAL <==> !lbx_wait_words(raw);
  ensures \result == -LBX_EBADF <==> lbx_wait_words(raw) && !lbx_wait_handle(raw);
  ensures \result == -LBX_EFAULT <==>
    lbx_wait_words(raw) && lbx_wait_handle(raw) && !lbx_wait_address(raw, space);
  ensures \result == 0 ==> out->deadline == raw->deadline && out->word == raw->word &&
    out->value == raw->value && out->handle == raw->handle && out->events == raw->events;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_wait(const struct lbx_wait_raw *raw,
				  const struct lbx_space *space, struct lbx_wait *out);

struct lbx_kick {
	lbx_u32 mode;
	lbx_u32 cpu;
	lbx_u64 word;
	lbx_u32 count;
};

/*@
  predicate lbx_kick_words{L}(struct lbx_kick_raw *r) =
    r->pad == 0 &&
    (r->mode == LBX_KICK_WAKE ?
       r->cpu == LBX_CPU_NONE && r->word % 4 == 0 && 1 <= r->count <= LBX_KICK_MAX :
       r->mode == LBX_KICK_INTERRUPT && r->word == 0 && r->count == 0);

  predicate lbx_kick_cpu{L}(struct lbx_kick_raw *r) =
    r->mode == LBX_KICK_INTERRUPT ==> r->cpu < LBX_CPUS_END;

  predicate lbx_kick_address{L}(struct lbx_kick_raw *r, struct lbx_space *s) =
    r->mode == LBX_KICK_WAKE ==> lbx_inside(r->word, 4, s->kernel_start, s->kernel_end);
*/

/**
 * lbx_check_kick() - check the record of kick
 * @raw:   as it came
 * @space: the sandbox's windows
 * @out:   the caller's, written when the answer is 0
 *
 * Return: 0, -EINVAL, -ESRCH, -EFAULT.
 */
/*@
  requires \valid_read(raw) && \valid_read(space) && \valid(out);
  requires \separated(raw, out) && \separated(space, out);
  requires lbx_space_checked(space);
  assigns *out;
  ensures \result == 0 || \result == -LBX_EINVAL || \result == -LBX_ESRCH ||
          \result == -LBX_EFAULT;
  ensures \result == 0 <==>
    lbx_kick_words(raw) && lbx_kick_cpu(raw) && lbx_kick_address(raw, space);
  ensures \result == -LBX_EINVAL <==> !lbx_kick_words(raw);
  ensures \result == -LBX_ESRCH <==> lbx_kick_words(raw) && !lbx_kick_cpu(raw);
  ensures \result == -LBX_EFAULT <==>
    lbx_kick_words(raw) && lbx_kick_cpu(raw) && !lbx_kick_address(raw, space);
  ensures \result == 0 ==> out->mode == raw->mode && out->cpu == raw->cpu &&
    out->word == raw->word && out->count == raw->count;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_kick(const struct lbx_kick_raw *raw,
				  const struct lbx_space *space, struct lbx_kick *out);

/* ---- read and write: check_io.c ---- */

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
    lbx_io_words(raw) && raw->handle < LBX_HANDLES_END && lbx_io_address(raw, space);
  ensures \result == -LBX_EINVAL <==> !lbx_io_words(raw);
  ensures \result == -LBX_EBADF <==> lbx_io_words(raw) && raw->handle >= LBX_HANDLES_END;
  ensures \result == -LBX_EFAULT <==>
    lbx_io_words(raw) && raw->handle < LBX_HANDLES_END && !lbx_io_address(raw, space);
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
  ensures \result == 0 <==> lbx_iov_total(io, vec) && lbx_iov_inside(io, vec, space);
  ensures \result == -LBX_EINVAL <==> !lbx_iov_total(io, vec);
  ensures \result == -LBX_EFAULT <==>
    lbx_iov_total(io, vec) && !lbx_iov_inside(io, vec, space);
  ensures \result == 0 ==> *total == lbx_iov_sum(vec, io->nr_iov);
  ensures \result != 0 ==> *total == \old(*total);
*/
LBX_MUST_CHECK int lbx_check_iov(const struct lbx_io *io, const struct lbx_iov *vec,
				 const struct lbx_space *space, lbx_u64 *total);

/* ---- map: check_map.c ---- */

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
       r->flags <= LBX_MAP_FLAGS_ALL && (r->handle == LBX_HANDLE_NONE ==> r->off == 0) :
       r->flags == 0 && r->off == 0 && r->handle == LBX_HANDLE_NONE) &&
    (r->op == LBX_MAP_MOVE || (r->to == 0 && r->to_len == 0));

  predicate lbx_map_extent(integer start, integer len) =
    lbx_page_multiple(start) && lbx_page_multiple(len) && len > 0;

  predicate lbx_map_disjoint{L}(struct lbx_map_raw *r) =
    r->to == r->addr || r->to + r->to_len <= r->addr || r->addr + r->len <= r->to;

  predicate lbx_map_words{L}(struct lbx_map_raw *r) =
    lbx_map_fields(r) && lbx_map_extent(r->addr, r->len) &&
    lbx_page_multiple(r->off) && r->off + r->len <= LBX_OFF_MAX &&
    (r->op == LBX_MAP_MOVE ==> lbx_map_extent(r->to, r->to_len) && lbx_map_disjoint(r));

  predicate lbx_map_handle{L}(struct lbx_map_raw *r) =
    r->handle < LBX_HANDLES_END || r->handle == LBX_HANDLE_NONE;

  predicate lbx_map_range{L}(integer start, integer len, struct lbx_space *s) =
    s->program_start <= start < s->map_start_end && len < s->map_len_end;

  predicate lbx_map_addresses{L}(struct lbx_map_raw *r, struct lbx_space *s) =
    lbx_map_range(r->addr, r->len, s) &&
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
    lbx_map_words(raw) && lbx_map_handle(raw) && lbx_map_addresses(raw, space);
  ensures \result == -LBX_EINVAL <==> !lbx_map_words(raw);
  ensures \result == -LBX_EBADF <==> lbx_map_words(raw) && !lbx_map_handle(raw);
  ensures \result == -LBX_EFAULT <==>
    lbx_map_words(raw) && lbx_map_handle(raw) && !lbx_map_addresses(raw, space);
  ensures \result == 0 ==>
    out->op == raw->op && out->prot == raw->prot && out->flags == raw->flags &&
    out->handle == raw->handle && out->addr == raw->addr && out->len == raw->len &&
    out->off == raw->off && out->to == raw->to && out->to_len == raw->to_len;
  // What the code behind the door relies on: never outside of the program window.
  ensures \result == 0 ==>
    lbx_inside(out->addr, out->len, space->program_start, space->program_end);
  ensures \result == 0 && out->op == LBX_MAP_MOVE ==>
    lbx_inside(out->to, out->to_len, space->program_start, space->program_end);
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_map(const struct lbx_map_raw *raw,
				 const struct lbx_space *space, struct lbx_map *out);

/* ---- handles and rights: check_handle.c ---- */

/*@
  predicate lbx_has{L}(struct lbx_grant *g, integer bit) = (g->rights & bit) == bit;

  predicate lbx_rights_sane{L}(struct lbx_grant_raw *r) =
    r->kind == LBX_KIND_FILE || r->kind == LBX_KIND_RAM ?
      1 <= r->rights <= LBX_RIGHTS_ALL &&
      ((r->rights & LBX_RIGHT_MAP) != 0 ==> (r->rights & LBX_RIGHT_READ) != 0) &&
      ((r->rights & LBX_RIGHT_EXEC) != 0 ==> (r->rights & LBX_RIGHT_MAP) != 0) :
    r->kind == LBX_KIND_ENTROPY ?
      r->rights == LBX_RIGHT_READ :
      1 <= r->rights <= (LBX_RIGHT_READ | LBX_RIGHT_WRITE);

  predicate lbx_grant_sane{L}(struct lbx_grant_raw *r) =
    r->handle < LBX_HANDLES_END && r->flags == 0 &&
    LBX_KIND_NONE < r->kind < LBX_KIND_END && lbx_rights_sane(r) &&
    (r->kind == LBX_KIND_RAM ?
       0 < r->size <= LBX_MEM_MAX && lbx_page_multiple(r->size) : r->size == 0);
*/

/**
 * lbx_check_grant() - may the sandbox's table have this entry
 * @raw: as it came from the broker
 * @out: the caller's, written when the answer is 0
 *
 * Return: 0 or -EINVAL.
 */
/*@
  requires \valid_read(raw) && \valid(out) && \separated(raw, out);
  assigns *out;
  ensures \result == 0 || \result == -LBX_EINVAL;
  ensures \result == 0 <==> lbx_grant_sane(raw);
  ensures \result == 0 ==> out->handle == raw->handle && out->kind == raw->kind &&
    out->rights == raw->rights && out->size == raw->size;
  ensures \result != 0 ==> *out == \old(*out);
*/
LBX_MUST_CHECK int lbx_check_grant(const struct lbx_grant_raw *raw, struct lbx_grant *out);

/**
 * lbx_check_handle() - is there such a handle, with these rights
 * @grant: its entry in the sandbox's table, or NULL when it has none
 * @need:  LBX_RIGHT_*, all of which it must have
 *
 * Return: 0 or -EBADF.
 */
/*@
  requires grant == \null || \valid_read(grant);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EBADF;
  ensures \result == 0 <==>
    grant != \null && grant->kind != LBX_KIND_NONE && lbx_has(grant, need);
*/
LBX_MUST_CHECK int lbx_check_handle(const struct lbx_grant *grant, lbx_u32 need);

/*@
  predicate lbx_offset_fits{L}(struct lbx_grant *g, struct lbx_io *io) =
    g->kind == LBX_KIND_FILE ||
    (g->kind == LBX_KIND_RAM ? io->off != LBX_OFF_STREAM : io->off == LBX_OFF_STREAM);
*/

/**
 * lbx_check_io_handle() - may this handle be read or written there
 * @grant: its entry in the sandbox's table, or NULL when it has none
 * @io:    from lbx_check_io()
 * @need:  LBX_RIGHT_READ for read, LBX_RIGHT_WRITE for write: the list says so
 *
 * Return: 0, -EBADF, -ESPIPE (an offset on a stream, or none on RAM).
 */
/*@
  requires grant == \null || \valid_read(grant);
  requires \valid_read(io);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EBADF || \result == -LBX_ESPIPE;
  ensures \result == -LBX_EBADF <==>
    !(grant != \null && grant->kind != LBX_KIND_NONE && lbx_has(grant, need));
  ensures \result == 0 <==> \result != -LBX_EBADF && lbx_offset_fits(grant, io);
*/
LBX_MUST_CHECK int lbx_check_io_handle(const struct lbx_grant *grant, const struct lbx_io *io,
				       lbx_u32 need);

/**
 * lbx_check_wait_handle() - may this handle be waited for
 * @grant: its entry in the sandbox's table, or NULL when it has none
 * @wait:  from lbx_check_wait(), with a handle
 *
 * Return: 0 or -EBADF.
 */
/*@
  requires grant == \null || \valid_read(grant);
  requires \valid_read(wait);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EBADF;
  ensures \result == 0 <==> grant != \null && grant->kind != LBX_KIND_NONE &&
    ((wait->events & LBX_WAIT_READ) != 0 ==> lbx_has(grant, LBX_RIGHT_READ)) &&
    ((wait->events & LBX_WAIT_WRITE) != 0 ==> lbx_has(grant, LBX_RIGHT_WRITE));
*/
LBX_MUST_CHECK int lbx_check_wait_handle(const struct lbx_grant *grant,
					 const struct lbx_wait *wait);

/*@
  predicate lbx_mappable{L}(struct lbx_grant *g) =
    g->kind == LBX_KIND_FILE || g->kind == LBX_KIND_RAM;

  predicate lbx_map_access{L}(struct lbx_grant *g, struct lbx_map *m) =
    lbx_has(g, LBX_RIGHT_MAP) && lbx_has(g, LBX_RIGHT_READ) &&
    ((m->flags & LBX_MAP_SHARED) != 0 && (m->prot & LBX_PROT_WRITE) != 0 ==>
       lbx_has(g, LBX_RIGHT_WRITE));

  predicate lbx_map_execute{L}(struct lbx_grant *g, struct lbx_map *m) =
    (m->prot & LBX_PROT_EXEC) != 0 ==> lbx_has(g, LBX_RIGHT_EXEC);

  predicate lbx_map_bounds{L}(struct lbx_grant *g, struct lbx_map *m) =
    g->kind == LBX_KIND_RAM ==> m->off + m->len <= g->size;
*/

/**
 * lbx_check_map_handle() - may this handle be mapped so
 * @grant: its entry in the sandbox's table, or NULL when it has none
 * @map:   from lbx_check_map(), BACK with a handle
 *
 * Return: 0, -EBADF, -ENODEV (not FILE or RAM), -EACCES (it lacks MAP, READ or
 * WRITE), -EPERM (it lacks EXEC), -EINVAL (beyond the end of RAM).
 */
/*@
  requires grant == \null || \valid_read(grant);
  requires \valid_read(map);
  assigns \nothing;
  ensures \result == -LBX_EBADF <==> !(grant != \null && grant->kind != LBX_KIND_NONE);
  ensures \result == -LBX_ENODEV <==> grant != \null && grant->kind != LBX_KIND_NONE &&
    !lbx_mappable(grant);
  ensures \result == -LBX_EACCES <==> grant != \null && lbx_mappable(grant) &&
    !lbx_map_access(grant, map);
  ensures \result == -LBX_EPERM <==> grant != \null && lbx_mappable(grant) &&
    lbx_map_access(grant, map) && !lbx_map_execute(grant, map);
  ensures \result == -LBX_EINVAL <==> grant != \null && lbx_mappable(grant) &&
    lbx_map_access(grant, map) && lbx_map_execute(grant, map) && !lbx_map_bounds(grant, map);
  ensures \result == 0 <==> grant != \null && lbx_mappable(grant) &&
    lbx_map_access(grant, map) && lbx_map_execute(grant, map) && lbx_map_bounds(grant, map);
*/
LBX_MUST_CHECK int lbx_check_map_handle(const struct lbx_grant *grant,
					const struct lbx_map *map);

/**
 * lbx_map_prot_max() - what PROTECT may ever give a mapping of this handle
 * @grant: a handle that lbx_check_map_handle() let pass with @map
 * @map:   that mapping
 *
 * To be kept with the mapping: a handle's rights bind for as long as it is
 * mapped. Fresh RAM has LBX_PROT_ALL.
 * Return: LBX_PROT_*.
 */
/*@
  requires \valid_read(grant) && \valid_read(map);
  assigns \nothing;
  ensures \result == LBX_PROT_READ +
    ((map->flags & LBX_MAP_SHARED) == 0 || lbx_has(grant, LBX_RIGHT_WRITE) ?
       LBX_PROT_WRITE : 0) +
    (lbx_has(grant, LBX_RIGHT_EXEC) ? LBX_PROT_EXEC : 0);
*/
LBX_MUST_CHECK lbx_u32 lbx_map_prot_max(const struct lbx_grant *grant,
					const struct lbx_map *map);

/**
 * lbx_check_protect() - may a mapping be given these rights
 * @map: from lbx_check_map(), PROTECT
 * @max: what lbx_map_prot_max() said of each mapping in the range
 *
 * Return: 0 or -EACCES.
 */
/*@
  requires \valid_read(map);
  assigns \nothing;
  ensures \result == 0 || \result == -LBX_EACCES;
  ensures \result == 0 <==> (map->prot & max) == map->prot;
*/
LBX_MUST_CHECK int lbx_check_protect(const struct lbx_map *map, lbx_u32 max);

#ifdef __cplusplus
}
#endif

#endif /* LBX_UAPI_CHECK_H */
