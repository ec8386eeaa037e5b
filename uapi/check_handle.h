/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Checks of handles: grants, and whether a call may use one. How contracts are
 * read: check.h.
 */
#ifndef LBX_UAPI_CHECK_HANDLE_H
#define LBX_UAPI_CHECK_HANDLE_H

#include "check_cpu.h"
#include "check_io.h"
#include "check_map.h"
#include "south.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct lbx_grant - one entry of the sandbox's table
 * @handle: its own number
 * @kind:   LBX_KIND_*; NONE: the slot is free and the rest means nothing
 * @rights: LBX_RIGHT_*
 * @size:   RAM: bytes; else 0
 *
 * Only lbx_check_grant() makes one.
 */
struct lbx_grant {
	lbx_u32 handle;
	lbx_u32 kind;
	lbx_u32 rights;
	lbx_u64 size;
};

/*@
  // One predicate a bit: provers know a test of a constant bit.
  predicate lbx_may_read{L}(struct lbx_grant *g) = (g->rights & LBX_RIGHT_READ) != 0;
  predicate lbx_may_write{L}(struct lbx_grant *g) = (g->rights & LBX_RIGHT_WRITE) != 0;
  predicate lbx_may_map{L}(struct lbx_grant *g) = (g->rights & LBX_RIGHT_MAP) != 0;
  predicate lbx_may_exec{L}(struct lbx_grant *g) = (g->rights & LBX_RIGHT_EXEC) != 0;

  predicate lbx_has_all{L}(struct lbx_grant *g, integer bits) = (g->rights & bits) == bits;

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
  ensures \result == 0 <==> \old(lbx_grant_sane(raw));
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
    grant != \null && grant->kind != LBX_KIND_NONE && lbx_has_all(grant, need);
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
    !(grant != \null && grant->kind != LBX_KIND_NONE && lbx_has_all(grant, need));
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
    ((wait->events & LBX_WAIT_READ) != 0 ==> lbx_may_read(grant)) &&
    ((wait->events & LBX_WAIT_WRITE) != 0 ==> lbx_may_write(grant));
*/
LBX_MUST_CHECK int lbx_check_wait_handle(const struct lbx_grant *grant,
					 const struct lbx_wait *wait);

/*@
  predicate lbx_mappable{L}(struct lbx_grant *g) =
    g->kind == LBX_KIND_FILE || g->kind == LBX_KIND_RAM;

  predicate lbx_map_access{L}(struct lbx_grant *g, struct lbx_map *m) =
    lbx_may_map(g) && lbx_may_read(g) &&
    ((m->flags & LBX_MAP_SHARED) != 0 && (m->prot & LBX_PROT_WRITE) != 0 ==>
       lbx_may_write(g));

  predicate lbx_map_execute{L}(struct lbx_grant *g, struct lbx_map *m) =
    (m->prot & LBX_PROT_EXEC) != 0 ==> lbx_may_exec(g);

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
    ((map->flags & LBX_MAP_SHARED) == 0 || (grant->rights & LBX_RIGHT_WRITE) != 0 ?
       LBX_PROT_WRITE : 0) +
    ((grant->rights & LBX_RIGHT_EXEC) != 0 ? LBX_PROT_EXEC : 0);
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

#endif /* LBX_UAPI_CHECK_HANDLE_H */
