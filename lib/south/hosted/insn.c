// SPDX-License-Identifier: MIT
#include "south/hosted/insn.h"

#define INSN_MAX	15

/*
 * A letter for each opcode:
 *	. nothing follows	M ModRM			1 imm8 (or rel8)	z imm32 (rel32), imm16 with 66
 *	m ModRM and imm8	Z ModRM and immz	w imm16			e imm16 and imm8
 *	v mov imm: 64 bits with REX.W			o a 64-bit address	g ModRM; /0 and /1 have an imm8 (f6), immz (f7)
 *	x no instruction	p prefix: not looked up
 */
static const char one_map[] =
	"MMMM1zxx" "MMMM1zxp" "MMMM1zxx" "MMMM1zxx" "MMMM1zpx" "MMMM1zpx" "MMMM1zpx" "MMMM1zpx"
	"pppppppp" "pppppppp" "........" "........" "xxpMpppp" "zZ1m...." "11111111" "11111111"
	"mZxmMMMM" "MMMMMMMM" "........" "..x....." "oooo...." "1z......" "11111111" "vvvvvvvv"
	"mmw.ppmZ" "e.w..1x." "MMMMxxx." "MMMMMMMM" "11111111" "zzx1...." "p.pp..gg" "......MM";
static const char map_0f[] =
	"MMMMx..." "..x.xMxx" "MMMMMMMM" "MMMMMMMM" "MMMMxxxx" "MMMMMMMM" "......x." "pxpxxxxx"
	"MMMMMMMM" "MMMMMMMM" "MMMMMMMM" "MMMMMMMM" "MMMMMMMM" "MMMMMMMM" "mmmmMMM." "MMxxMMMM"
	"zzzzzzzz" "zzzzzzzz" "MMMMMMMM" "MMMMMMMM" "...MmMxx" "...MmMMM" "MMMMMMMM" "MMmMMMMM"
	"MMmMmmmM" "........" "MMMMMMMM" "MMMMMMMM" "MMMMMMMM" "MMMMMMMM" "MMMMMMMM" "MMMMMMMM";
_Static_assert(sizeof(one_map) == 257 && sizeof(map_0f) == 257, "a letter for each opcode");

struct decoder {
	const u8 *p, *end;
	u8 rex;
	bool data16;
};

static bool take(struct decoder *d, size_t n)
{
	if ((size_t)(d->end - d->p) < n)
		return false;
	d->p += n;
	return true;
}

/* Segment prefixes, operand and address size, LOCK, REP, and one REX last. */
static bool decode_prefixes(struct decoder *d, struct insn *in)
{
	for (; d->p < d->end; d->p++) {
		u8 b = *d->p;

		if ((b & 0xf0) == 0x40) {
			d->rex = b;
			d->p++;
			return d->p < d->end && (*d->p & 0xf0) != 0x40;
		}
		if (b == 0x66)
			d->data16 = true;
		else if (b == 0x65 || b == 0x67 || b == 0xf0)
			in->odd_prefix = true;
		else if (b != 0x26 && b != 0x2e && b != 0x36 && b != 0x3e && b != 0x64 && b != 0xf2 && b != 0xf3)
			return true;
	}
	return false;
}

/* c4, c5, 62: what stands for prefixes and the map. Return: false when it is none of this processor's */
static bool decode_vex(struct decoder *d, struct insn *in)
{
	u8 kind = *d->p, payload;

	if (d->rex || d->data16 || !take(d, kind == 0xc5 ? 2 : kind == 0xc4 ? 3 : 4) || d->p >= d->end)
		return false;
	payload = kind == 0xc5 ? 1 : d->p[kind == 0xc4 ? -2 : -3] & (kind == 0xc4 ? 0x1f : 0x07);
	if (payload < 1 || payload > 3)
		return false;
	in->vex = true;
	in->map = payload;
	return true;
}

static bool decode_opcode(struct decoder *d, struct insn *in)
{
	u8 b = *d->p;

	if (b == 0xc4 || b == 0xc5 || b == 0x62) {
		if (!decode_vex(d, in))
			return false;
	} else if (b == 0x0f) {
		in->map = INSN_0F;
		d->p++;
		if (d->p < d->end && (*d->p == 0x38 || *d->p == 0x3a))
			in->map = *d->p++ == 0x38 ? INSN_0F38 : INSN_0F3A;
	}
	if (d->p >= d->end)
		return false;
	in->opcode = *d->p++;
	return true;
}

static char letter(const struct insn *in)
{
	switch (in->map) {
	case INSN_ONE:
		return one_map[in->opcode];
	case INSN_0F:
		return map_0f[in->opcode];
	case INSN_0F38:
		return 'M';
	default:
		return 'm';
	}
}

static bool decode_modrm(struct decoder *d, struct insn *in)
{
	u8 mod, rm, sib;

	if (d->p >= d->end)
		return false;
	in->modrm = *d->p++;
	mod = in->modrm >> 6;
	rm = in->modrm & 7;
	in->regs |= (u16)BIT((in->modrm >> 3 & 7) | (d->rex & 4) << 1);
	if (mod == 3 || rm != 4) {
		in->rip_relative = mod == 0 && rm == 5;
		if (!in->rip_relative)
			in->regs |= (u16)BIT(rm | (d->rex & 1) << 3);
	} else {
		if (d->p >= d->end)
			return false;
		sib = *d->p++;
		in->regs |= (u16)BIT((sib >> 3 & 7) | (d->rex & 2) << 2);
		rm = sib & 7;
		if (mod || rm != 5)
			in->regs |= (u16)BIT(rm | (d->rex & 1) << 3);
	}
	if (mod == 1)
		return take(d, 1);
	return mod == 3 || (mod == 0 && rm != 5) || take(d, 4);
}

static bool decode_rest(struct decoder *d, struct insn *in, char form)
{
	size_t z = d->data16 && !(d->rex & 8) ? 2 : 4;

	switch (form) {
	case '.':
		return true;
	case '1':
		return take(d, 1);
	case 'z':
		/* branches have 32 bits with 66 as well, on Intel's; compilers emit none */
		return take(d, z);
	case 'w':
		return take(d, 2);
	case 'e':
		return take(d, 3);
	case 'o':
		return take(d, 8);
	case 'v':
		return take(d, d->rex & 8 ? 8 : z);
	case 'M':
		return decode_modrm(d, in);
	case 'm':
		return decode_modrm(d, in) && take(d, 1);
	case 'Z':
		return decode_modrm(d, in) && take(d, z);
	case 'g':
		if (!decode_modrm(d, in))
			return false;
		return (in->modrm >> 3 & 7) > 1 || take(d, in->opcode == 0xf6 ? 1 : z);
	}
	return false;
}

bool insn_decode(const u8 *p, size_t max, struct insn *in)
{
	struct decoder d = { p, p + min_t(size_t, max, INSN_MAX), 0, false };

	*in = (struct insn){ 0 };
	if (!decode_prefixes(&d, in) || !decode_opcode(&d, in))
		return false;
	if (in->map == INSN_ONE && ((in->opcode & 0xf0) == 0x50 || (in->opcode & 0xf0) == 0x90 || (in->opcode & 0xf0) == 0xb0))
		in->regs |= (u16)BIT((in->opcode & 7) | (d.rex & 1) << 3);
	/* vzeroupper alone has no ModRM among what is VEX */
	if (!decode_rest(&d, in, in->vex && letter(in) != 'm' && in->opcode != 0x77 ? 'M' : letter(in)))
		return false;
	in->len = (u8)(d.p - p);
	return true;
}

static bool movable_one(const struct insn *in)
{
	u8 op = in->opcode, reg = in->modrm >> 3 & 7;

	if (op < 0x40)
		return (op & 7) < 6;				/* add or adc sbb and sub xor cmp */
	switch (op) {
	case 0x50 ... 0x5f:					/* push, pop */
	case 0x63: case 0x69: case 0x6b:			/* movslq, imul */
	case 0x80: case 0x81: case 0x83: case 0x84 ... 0x8b:	/* arithmetic, test, xchg, mov */
	case 0x8d: case 0x90: case 0x98: case 0x99:		/* lea, nop, cltq, cqto */
	case 0xa8: case 0xa9: case 0xb0 ... 0xbf:		/* test, mov */
	case 0xc0: case 0xc1: case 0xd0: case 0xd1:		/* shifts */
		return true;
	case 0xc6: case 0xc7:
		return reg == 0;				/* mov; not XABORT, XBEGIN */
	case 0xf6: case 0xf7:
		return reg <= 5;				/* test, not, neg, mul; not what divides */
	case 0xfe: case 0xff:
		return reg <= 1;				/* inc, dec */
	}
	return false;
}

bool insn_movable(const struct insn *in)
{
	if (in->rip_relative || in->odd_prefix || in->vex)
		return false;
	if (in->map == INSN_ONE)
		return movable_one(in);
	if (in->map != INSN_0F)
		return false;
	switch (in->opcode) {
	case 0x10 ... 0x17: case 0x28: case 0x29: case 0x54 ... 0x57:	/* moves and logic of vectors */
	case 0x6c ... 0x6f: case 0x7e: case 0x7f: case 0xd6: case 0xef:
	case 0x1e: case 0x1f:						/* endbr64, nop */
	case 0x40 ... 0x4f: case 0x90 ... 0x9f:				/* cmov, set */
	case 0xaf: case 0xb6: case 0xb7: case 0xbe: case 0xbf:		/* imul, movz, movs */
		return true;
	}
	return false;
}
