/* SPDX-License-Identifier: MIT */
#ifndef LIB_SOUTH_HOST_GRANTS_H
#define LIB_SOUTH_HOST_GRANTS_H

/* Descriptors below the first were granted before sealing and cannot be closed; none is as high as the end. */
#define HOST_FIRST_GRANT	64
#define HOST_GRANTS_END		0x10000

#endif
