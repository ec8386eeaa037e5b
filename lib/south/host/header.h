/* SPDX-License-Identifier: MIT */
#ifndef LIB_SOUTH_HOST_HEADER_H
#define LIB_SOUTH_HOST_HEADER_H

#include "lib/base/types.h"
#include "lib/boot_config.h"
#include "lib/south/host/grants.h"

#define HOST_FD_LOG	BOOT_FD_LOG

/*
 * The first page behind RAM in the same memory: what the reaper (tools/) reads when the sandbox has ended. The sandbox can write
 * it, so it is only ever a number that is cut to its range.
 */
struct host_header {
	u32 exit_valid;
	u32 exit_status;
	u64 left_at[HOST_FIRST_GRANT];	/* by handle of a file: 1 + the position to leave it at, 0: where it is */
};
extern struct host_header *host_header;

/* Where RAM ends in the memfd and the header begins: the broker makes it mem + HOST_EXTRA bytes long. */
#define HOST_EXTRA	(4ul << 20)

#endif
