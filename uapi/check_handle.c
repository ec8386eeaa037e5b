// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Grants and rights: pure functions over one entry of the sandbox's table. The
 * table itself, its lock and its references are the South's. Contracts: check_handle.h.
 */
#include "check_handle.h"

LBX_STATIC_ASSERT(LBX_RIGHTS_ALL == (LBX_RIGHT_READ | LBX_RIGHT_WRITE |
				     LBX_RIGHT_MAP | LBX_RIGHT_EXEC), "all rights");
LBX_STATIC_ASSERT((LBX_RIGHTS_ALL & (LBX_RIGHTS_ALL + 1)) == 0, "no gap in the rights");

/*@
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> kind == LBX_KIND_FILE || kind == LBX_KIND_RAM;
*/
static int mappable(lbx_u32 kind)
{
	return kind == LBX_KIND_FILE || kind == LBX_KIND_RAM;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_rights_sane(raw);
*/
static int rights_fit(const struct lbx_grant_raw *raw)
{
	if (raw->rights == 0)
		return 0;
	if (raw->kind == LBX_KIND_ENTROPY)
		return raw->rights == LBX_RIGHT_READ;
	if (!mappable(raw->kind))
		return raw->rights <= (LBX_RIGHT_READ | LBX_RIGHT_WRITE);

	if (raw->rights > LBX_RIGHTS_ALL)
		return 0;
	if ((raw->rights & LBX_RIGHT_MAP) != 0 && (raw->rights & LBX_RIGHT_READ) == 0)
		return 0;
	return (raw->rights & LBX_RIGHT_EXEC) == 0 || (raw->rights & LBX_RIGHT_MAP) != 0;
}

/*@
  requires \valid_read(raw);
  assigns \nothing;
  ensures \result == 0 || \result == 1;
  ensures \result == 1 <==> lbx_grant_sane(raw);
*/
static int grant_fits(const struct lbx_grant_raw *raw)
{
	if (raw->handle >= LBX_HANDLES_END || raw->flags != 0)
		return 0;
	if (raw->kind == LBX_KIND_NONE || raw->kind >= LBX_KIND_END || !rights_fit(raw))
		return 0;
	if (raw->kind != LBX_KIND_RAM)
		return raw->size == 0;
	return raw->size != 0 && raw->size <= LBX_MEM_MAX && raw->size % LBX_PAGE_SIZE == 0;
}

int lbx_check_grant(const struct lbx_grant_raw *raw, struct lbx_grant *out)
{
	if (!grant_fits(raw))
		return -LBX_EINVAL;

	out->handle = raw->handle;
	out->kind = raw->kind;
	out->rights = raw->rights;
	out->size = raw->size;
	return 0;
}

int lbx_check_handle(const struct lbx_grant *grant, lbx_u32 need)
{
	if (!grant || grant->kind == LBX_KIND_NONE || (grant->rights & need) != need)
		return -LBX_EBADF;
	return 0;
}

int lbx_check_io_handle(const struct lbx_grant *grant, const struct lbx_io *io, lbx_u32 need)
{
	int ret = lbx_check_handle(grant, need);

	if (ret != 0)
		return ret;

	if (grant->kind == LBX_KIND_FILE)
		return 0;
	if (grant->kind == LBX_KIND_RAM) {
		if (io->off == LBX_OFF_STREAM)
			return -LBX_ESPIPE;
	} else if (io->off != LBX_OFF_STREAM) {
		return -LBX_ESPIPE;
	}
	return 0;
}

int lbx_check_wait_handle(const struct lbx_grant *grant, const struct lbx_wait *wait)
{
	if (!grant || grant->kind == LBX_KIND_NONE)
		return -LBX_EBADF;
	if ((wait->events & LBX_WAIT_READ) != 0 && (grant->rights & LBX_RIGHT_READ) == 0)
		return -LBX_EBADF;
	if ((wait->events & LBX_WAIT_WRITE) != 0 && (grant->rights & LBX_RIGHT_WRITE) == 0)
		return -LBX_EBADF;
	return 0;
}

int lbx_check_map_handle(const struct lbx_grant *grant, const struct lbx_map *map)
{
	if (!grant || grant->kind == LBX_KIND_NONE)
		return -LBX_EBADF;
	if (!mappable(grant->kind))
		return -LBX_ENODEV;

	if ((grant->rights & LBX_RIGHT_MAP) == 0 || (grant->rights & LBX_RIGHT_READ) == 0)
		return -LBX_EACCES;
	if ((map->flags & LBX_MAP_SHARED) != 0 && (map->prot & LBX_PROT_WRITE) != 0 &&
	    (grant->rights & LBX_RIGHT_WRITE) == 0)
		return -LBX_EACCES;
	if ((map->prot & LBX_PROT_EXEC) != 0 && (grant->rights & LBX_RIGHT_EXEC) == 0)
		return -LBX_EPERM;

	if (grant->kind == LBX_KIND_RAM &&
	    (map->len > grant->size || map->off > grant->size - map->len))
		return -LBX_EINVAL;
	return 0;
}

lbx_u32 lbx_map_prot_max(const struct lbx_grant *grant, const struct lbx_map *map)
{
	lbx_u32 max = LBX_PROT_READ;

	/* A private mapping's stores stay private: they need no right. */
	if ((map->flags & LBX_MAP_SHARED) == 0 || (grant->rights & LBX_RIGHT_WRITE) != 0)
		max += LBX_PROT_WRITE;
	if ((grant->rights & LBX_RIGHT_EXEC) != 0)
		max += LBX_PROT_EXEC;
	return max;
}

int lbx_check_protect(const struct lbx_map *map, lbx_u32 max)
{
	return (map->prot & max) == map->prot ? 0 : -LBX_EACCES;
}
