/* SPDX-License-Identifier: MIT */
#ifndef LIB_SOUTH_HOST_GRANTS_H
#define LIB_SOUTH_HOST_GRANTS_H

/* Descriptors below this were granted before sealing: they cannot be closed, and messages come on these alone. */
#define HOST_FIRST_GRANT	64

#endif
