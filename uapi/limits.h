/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Bounds on what crosses the boundary, and on what one sandbox may hold.
 */
#ifndef LBX_UAPI_LIMITS_H
#define LBX_UAPI_LIMITS_H

#include "types.h"

/* One call. */
#define LBX_RECORD_MAX		128			/* bytes of an argument record */
#define LBX_IOV_MAX		64			/* pieces of one read or write */
#define LBX_IO_MAX		LBX_U64_C(0x40000000)	/* bytes of one read or write: 1 GiB */
#define LBX_OFF_MAX		LBX_U64_C(0x7fffffffffffffff)
#define LBX_NS_MAX		LBX_U64_C(0x7fffffffffffffff)	/* a time: until the year 2262 */
#define LBX_KICK_MAX		LBX_U32_C(0x7fffffff)	/* waiters woken by one kick */
#define LBX_STATUS_MAX		255			/* exit(status) */

/* One sandbox: no limit that is set for it exceeds these. */
#define LBX_HANDLES_END		LBX_U32_C(0x10000)	/* handles are below this */
#define LBX_CPUS_END		LBX_U32_C(0x10000)	/* cpu numbers are below this */
#define LBX_MEM_MAX		LBX_U64_C(0x100000000000)	/* bytes: 16 TiB */
#define LBX_QUEUE_MAX		LBX_U32_C(0x1000)	/* asynchronous submissions under way */
#define LBX_QUEUE_BYTES_MAX	LBX_U64_C(0x1000000000)	/* and their bytes: 64 GiB */

#ifndef __ASSEMBLER__

/**
 * struct lbx_limits_raw - what a sandbox may hold at most, as its creator says
 * @mem:         bytes of RAM
 * @queue_bytes: bytes of asynchronous submissions under way
 * @handles:     handles
 * @cpus:        threads of execution
 * @spaces:      address spaces (hosted: host processes), at most @cpus
 * @queue:       asynchronous submissions under way
 *
 * Every field is at least 1 but @queue and @queue_bytes, which are both 0 (no
 * asynchronous submissions) or neither. Checked by lbx_check_limits().
 */
struct lbx_limits_raw {
	lbx_u64 mem;
	lbx_u64 queue_bytes;
	lbx_u32 handles;
	lbx_u32 cpus;
	lbx_u32 spaces;
	lbx_u32 queue;
};
LBX_ASSERT_SIZE(struct lbx_limits_raw, 32);

/* Only lbx_check_limits() makes one; the fields are those above. */
struct lbx_limits {
	lbx_u64 mem;
	lbx_u64 queue_bytes;
	lbx_u32 handles;
	lbx_u32 cpus;
	lbx_u32 spaces;
	lbx_u32 queue;
};

#endif /* __ASSEMBLER__ */
#endif /* LBX_UAPI_LIMITS_H */
