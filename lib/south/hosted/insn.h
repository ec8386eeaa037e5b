/* SPDX-License-Identifier: MIT */
/*
 * Lengths of x86-64 instructions, and which of them can run elsewhere.
 *
 * All that compilers put into text is decoded as far as its length goes (legacy, 0f, 0f38, 0f3a, VEX and EVEX maps; Intel SDM
 * vol. 2 app. A). What may be moved is a short list of plain ones: insn_movable().
 */
#ifndef LIB_SOUTH_HOSTED_INSN_H
#define LIB_SOUTH_HOSTED_INSN_H

#include "base/types.h"

enum insn_map { INSN_ONE, INSN_0F, INSN_0F38, INSN_0F3A };

struct insn {
	u8 len;
	u8 map;			/* enum insn_map */
	u8 opcode;
	u8 modrm;		/* 0 when there is none */
	bool rip_relative;
	bool vex;		/* VEX or EVEX */
	bool odd_prefix;	/* LOCK, GS, address size, segments that mean something else in 32-bit code */
	u16 regs;		/* general registers that it names (vector registers of the same numbers too) */
};

/* insn_decode() - @p: @max bytes that may be read. Return: false when that is no instruction, or does not end within @max */
bool insn_decode(const u8 *p, size_t max, struct insn *in);
/* insn_movable() - it does the same at another address, and goes on with what follows it */
bool insn_movable(const struct insn *in);

#endif
