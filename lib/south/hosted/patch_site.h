/* SPDX-License-Identifier: MIT */
/*
 * One call site: which of its bytes become a jump, and what the jump leads to. Pure functions: they look at bytes they are given.
 *
 * The jump is seven bytes: ff 24 e5 d0 d1 60 60, `jmp *0x6060d1d0(,%riz,8)`, through a cell in low memory that no program's
 * position changes. It covers whole instructions (the window), which run in the site's stub instead. Where one of them began,
 * somebody may still come by: a thread that stood there or slept in the call, a signal frame, a branch. So each such byte but the
 * first must not execute: e5 is IN, which is privileged; 60 and what PATCH_TRAPS has are no instructions in 64-bit mode. The fault
 * goes on in the stub, where the same instruction is (patch_fault()).
 */
#ifndef LIB_SOUTH_HOSTED_PATCH_SITE_H
#define LIB_SOUTH_HOSTED_PATCH_SITE_H

#include "base/types.h"

#define PATCH_JUMP		7	/* bytes */
#define PATCH_STUB_SIZE		64

/* Low memory: what every process of the sandbox has at one address; patch_area.c says what is there. */
#define PATCH_BASES		0x605ff000u
#define PATCH_CELLS		0x60600000u
#define PATCH_CELLS_SIZE	0x10000u
#define PATCH_STUBS		0x60610000u
#define PATCH_NR_STUBS		4096u
#define PATCH_END		(PATCH_STUBS + PATCH_NR_STUBS * PATCH_STUB_SIZE)

/* Cells that every stub uses: where the library kernel is entered. */
#define PATCH_CELL_ENTRY	PATCH_CELLS
#define PATCH_CELL_ENTRY_FAR	(PATCH_CELLS + 8)

struct patch_window {
	u16 at;			/* offset in the page */
	u8 pre;			/* bytes of instructions before the SYSCALL that move */
	u8 post;		/* ... after it; 0: the call returns to where it always did */
	u8 begins;		/* bit n: an instruction begins n bytes in, 1 to 6 */
};

struct patch_stub {
	s32 off;		/* of the window in the file */
	u16 base;		/* number in the table of bases */
	u8 pre, post;
	u16 cell;		/* of the jump, from PATCH_CELLS */
	u8 begins;
	u8 old[PATCH_JUMP];	/* what the jump replaced */
};

/*
 * patch_window_find() - the window for the SYSCALL at offset @s of @page, which was executed with rax = @nr
 * Of the SYSCALL itself nothing need lie in the page: @s is PAGE_SIZE at most.
 * Return: false when nothing there may be moved.
 */
bool patch_window_find(const u8 *page, u32 s, u64 nr, struct patch_window *w);

/* patch_jump() - the bytes that lead to @stub */
void patch_jump(const struct patch_stub *stub, u8 out[PATCH_JUMP]);

/* patch_stub_build() - code for stub number @nr, whose moved bytes begin at @insns: pre, SYSCALL, post */
void patch_stub_build(const struct patch_stub *stub, u32 nr, const u8 *insns, u8 code[PATCH_STUB_SIZE]);

/* patch_stub_return() - where in the stub a call with moved instructions after it goes on; 0: it has none */
u64 patch_stub_return(const struct patch_stub *stub, u32 nr);

/* patch_stub_origin() - a thread stands at offset @in of the stub: bytes from the window's start to where the old code would be */
u32 patch_stub_origin(const struct patch_stub *stub, u32 in);
/* patch_stub_entry() - the reverse, for a place @in the window where an instruction began; 0: none did */
u32 patch_stub_entry(const struct patch_stub *stub, u32 in);

/* patch_cell_fits() - the low 16 bits of a cell's address hold opcodes that trap wherever an instruction began */
bool patch_cell_fits(u16 cell, u8 begins);

#endif
