/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The two windows of a hosted sandbox's address space, fixed at sealing.
 *
 *   program window   [LBX_PROGRAM_MIN, LBX_PROGRAM_END)  the program's mappings
 *   kernel window    [LBX_KERNEL_MIN, LBX_KERNEL_END)    the library kernel
 *
 * A mapping starts below LBX_MAP_START_END and is shorter than LBX_MAP_LEN_END.
 * So start + len cannot leave the program window, and a cBPF filter, which has
 * no 64-bit arithmetic, decides with one compare of each high word. A guest
 * South has windows of its own (struct lbx_space) in guest-physical addresses.
 *
 * Every *_END is one past the last byte.
 */
#ifndef LBX_UAPI_WINDOW_H
#define LBX_UAPI_WINDOW_H

#include "types.h"

#define LBX_PAGE_SHIFT		12
#define LBX_PAGE_SIZE		LBX_U64_C(0x1000)

#define LBX_PROGRAM_MIN		LBX_U64_C(0x10000)
#define LBX_MAP_START_END	LBX_U64_C(0x500000000000)
#define LBX_MAP_LEN_END		LBX_U64_C(0x100000000000)
#define LBX_PROGRAM_END		LBX_U64_C(0x600000000000)

#define LBX_KERNEL_MIN		LBX_U64_C(0x600000000000)
#define LBX_KERNEL_END		LBX_U64_C(0x610000000000)

#ifndef __ASSEMBLER__

/**
 * struct lbx_space - the windows of one sandbox, in bytes
 * @kernel_start:  first byte of the kernel window
 * @kernel_end:    one past its last byte
 * @program_start: first byte of the program window; never 0
 * @program_end:   one past its last byte
 * @map_start_end: a mapping starts below this
 * @map_len_end:   a mapping is shorter than this
 *
 * All are multiples of LBX_PAGE_SIZE, the windows are disjoint and not empty,
 * and @map_start_end + @map_len_end does not pass @program_end. One that came
 * from outside is struct lbx_space_raw until lbx_check_space() was there.
 */
struct lbx_space {
	lbx_u64 kernel_start;
	lbx_u64 kernel_end;
	lbx_u64 program_start;
	lbx_u64 program_end;
	lbx_u64 map_start_end;
	lbx_u64 map_len_end;
};
LBX_ASSERT_SIZE(struct lbx_space, 48);

/* What a struct lbx_space of every hosted South holds. */
#define LBX_SPACE_HOSTED { \
	LBX_KERNEL_MIN, LBX_KERNEL_END, \
	LBX_PROGRAM_MIN, LBX_PROGRAM_END, \
	LBX_MAP_START_END, LBX_MAP_LEN_END, \
}

LBX_STATIC_ASSERT(LBX_MAP_START_END + LBX_MAP_LEN_END == LBX_PROGRAM_END,
		  "no mapping that the filter lets pass leaves the program window");
LBX_STATIC_ASSERT(LBX_PROGRAM_END <= LBX_KERNEL_MIN, "the windows are disjoint");
LBX_STATIC_ASSERT((LBX_MAP_START_END & 0xffffffffU) == 0 &&
		  (LBX_MAP_LEN_END & 0xffffffffU) == 0,
		  "one compare of each high word decides");

#endif /* __ASSEMBLER__ */
#endif /* LBX_UAPI_WINDOW_H */
