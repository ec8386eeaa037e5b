/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Handles: the host objects that a sandbox was granted.
 *
 * A handle is a small number, below LBX_HANDLES_END, that indexes the sandbox's
 * table of grants. A grant has a kind, which says how the object behaves, and
 * rights, which say what the sandbox may do with it. Rights are given once, at
 * the grant, and never grow. No path, pid, fd or host address crosses the South
 * (on South host a handle happens to be the fd's number: it is still only an
 * index, into a table that the sandbox cannot add to).
 */
#ifndef LBX_UAPI_HANDLE_H
#define LBX_UAPI_HANDLE_H

#include "types.h"

/* "No handle": fresh RAM in map(), nothing to be ready in wait(). */
#define LBX_HANDLE_NONE		LBX_U32_C(0xffffffff)

/* Rights. EXEC is of use with MAP only. */
#define LBX_RIGHT_READ		LBX_U32_C(0x1)
#define LBX_RIGHT_WRITE		LBX_U32_C(0x2)
#define LBX_RIGHT_MAP		LBX_U32_C(0x4)
#define LBX_RIGHT_EXEC		LBX_U32_C(0x8)
#define LBX_RIGHTS_ALL		LBX_U32_C(0xf)

/*
 * Kinds. FILE and RAM have offsets; the others are streams and know only
 * LBX_OFF_STREAM. FILE and RAM can be mapped.
 */
#define LBX_KIND_NONE		0	/* a free slot of the table */
#define LBX_KIND_FILE		1	/* a regular file of the host; may shrink at any time */
#define LBX_KIND_RAM		2	/* memory of a fixed size, shared with who holds it too */
#define LBX_KIND_CONSOLE	3	/* bytes in and out, relayed by the broker */
#define LBX_KIND_SERVER		4	/* a server's socket: whole messages (9P) */
#define LBX_KIND_PACKET		5	/* a network device: whole frames */
#define LBX_KIND_ENTROPY	6	/* random bytes, as many as are asked for */
#define LBX_KIND_END		7

#ifndef __ASSEMBLER__

/**
 * struct lbx_grant_raw - one grant, as the broker hands it over
 * @handle: the number it shall have, below LBX_HANDLES_END
 * @kind:   LBX_KIND_*, not NONE
 * @rights: LBX_RIGHT_*, at least one; which ones a kind knows: see uapi/README.md.
 *          MAP needs READ, EXEC needs MAP
 * @flags:  0
 * @size:   RAM: bytes, a multiple of the page size, not 0; other kinds: 0
 *
 * How the host object itself is named (an fd beside an ioctl, SCM_RIGHTS beside
 * a message) is up to the South. Checked by lbx_check_grant().
 */
struct lbx_grant_raw {
	lbx_u32 handle;
	lbx_u32 kind;
	lbx_u32 rights;
	lbx_u32 flags;
	lbx_u64 size;
};
LBX_ASSERT_SIZE(struct lbx_grant_raw, 24);

#endif /* __ASSEMBLER__ */
#endif /* LBX_UAPI_HANDLE_H */
