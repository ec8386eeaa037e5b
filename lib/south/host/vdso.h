/* SPDX-License-Identifier: MIT */
#ifndef LIB_SOUTH_HOST_VDSO_H
#define LIB_SOUTH_HOST_VDSO_H

#include "base/types.h"

/* vdso_find() - the function @name of the vDSO at @base, or NULL. Source: vdso(7). */
void *vdso_find(u64 base, const char *name);

#endif
