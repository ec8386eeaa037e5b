/* SPDX-License-Identifier: MIT */
/* The hosted pager: what lib/mm wants mapped, the host maps. */
#ifndef LIB_SOUTH_HOSTED_PAGER_H
#define LIB_SOUTH_HOSTED_PAGER_H

#include "base/types.h"

/* The handle of RAM; set at boot, before the first address space is used. */
extern u32 hosted_ram_handle;

#endif
