// SPDX-License-Identifier: MIT
#include "south/hosted/patch_site.h"

#include "base/string.h"
#include "south/hosted/insn.h"

#define LOOK_BACK	64u	/* bytes before the SYSCALL that are decoded */
#define SETTLE		16u	/* ... of which the last are too near to begin in */
#define MIN_STREAMS	8u
#define MAX_PRE		24u
#define MAX_MOVED	18u	/* before and after together, when there are any after */

#define RCX		1
#define R11		11

/*
 * Which bytes before the SYSCALL begin instructions? x86 code read from a wrong start falls into step after a few instructions. So
 * decode from each byte far enough before, and believe what three streams in four agree on. next[i] and votes[i] are for the byte
 * i bytes after @low.
 */
struct streams {
	u8 next[LOOK_BACK + 1];		/* 0: no instruction, or one that runs past the SYSCALL */
	u8 votes[LOOK_BACK + 1];
	bool hits[LOOK_BACK + 1];	/* leads to the SYSCALL */
	bool movable[LOOK_BACK + 1];
	u8 len[LOOK_BACK + 1];
	u32 size, all;
};

static bool streams_decode(struct streams *st, const u8 *page, u32 s)
{
	u32 low = s > LOOK_BACK ? s - LOOK_BACK : 0;
	struct insn in;

	memset(st, 0, sizeof(*st));
	st->size = s - low;
	if (st->size < SETTLE + MIN_STREAMS)
		return false;
	for (u32 i = 0; i < st->size; i++) {
		if (!insn_decode(page + low + i, st->size - i, &in))
			continue;
		st->next[i] = (u8)(i + in.len);
		st->movable[i] = insn_movable(&in);
		st->len[i] = in.len;
	}
	for (u32 i = 0; i < st->size; i++) {
		if (i <= st->size - SETTLE)
			st->votes[i]++;
		if (st->next[i])
			st->votes[st->next[i]] += st->votes[i];
	}
	st->all = st->size - SETTLE + 1;
	st->hits[st->size] = true;
	for (u32 i = st->size; i-- > 0; )
		st->hits[i] = st->next[i] && st->hits[st->next[i]];
	return true;
}

/* The instruction that ends at @end. Return: its start, or @end when the streams do not agree on one */
static u32 stream_before(const struct streams *st, u32 end)
{
	for (u32 i = end; i-- > 0 && end - i <= 15; )
		if (st->next[i] == end && st->hits[i] && st->votes[i] * 4u >= st->all * 3u)
			return i;
	return end;
}

/* What follows the SYSCALL: whole instructions until @want bytes. Return: bytes, 0: not to be had */
static u32 take_after(const u8 *page, u32 from, u32 want, u32 max, u64 *begins)
{
	u32 n = 0;

	while (n < want) {
		struct insn in;

		if (!insn_decode(page + from + n, PAGE_SIZE - from - n, &in) || !insn_movable(&in) ||
		    in.regs & (BIT(RCX) | BIT(R11)))
			return 0;
		*begins |= BIT(n);
		n += in.len;
	}
	return n <= max ? n : 0;
}

static bool window_set(struct patch_window *w, u32 at, u32 pre, u32 post, u64 begins)
{
	/* the second byte of the jump is an AND: nobody may come there */
	if (begins & BIT(1) || at + PATCH_JUMP > PAGE_SIZE)
		return false;
	*w = (struct patch_window){ (u16)at, (u8)pre, (u8)post, (u8)(begins & 0x7c) };
	return true;
}

/*
 * mov $imm32, %eax as the last one. What was called must be what it says, or it is no instruction but the end of one. That is a
 * witness too, so fewer streams will do: behind padding they often do not agree (00 00 is an ADD, and half of them are off by one).
 */
static bool is_number(const u8 *page, u32 at, u32 len, u64 nr)
{
	u32 imm;

	if (len != 5 || page[at] != 0xb8)
		return false;
	memcpy(&imm, page + at + 1, sizeof(imm));
	return imm == nr;
}

static bool number_before(const struct streams *st, const u8 *page, u32 s, u64 nr)
{
	u32 i = st->size - 5;

	return st->len[i] == 5 && st->votes[i] * 4u >= st->all && is_number(page, s - 5, 5, nr);
}

bool patch_window_find(const u8 *page, u32 s, u64 nr, struct patch_window *w)
{
	u32 i, start, pre, post;
	u64 begins, after = 0;
	struct streams st;
	bool agree = streams_decode(&st, page, s);

	/* a SYSCALL in the middle of what is another instruction to the rest of the program: not worth the risk */
	if (agree && st.votes[st.size] * 4u < st.all)
		return false;
	if ((s < PAGE_SIZE && page[s] != 0x0f) || (s + 1 < PAGE_SIZE && page[s + 1] != 0x05))
		return false;

	/* Only what is before: the call returns to bytes that stay as they were. */
	if (agree && number_before(&st, page, s, nr) && window_set(w, s - 5, 5, 0, 1 | BIT(5)))
		return true;
	for (i = st.size, pre = 0, begins = 1; agree && pre <= MAX_PRE; i = start) {
		start = stream_before(&st, i);
		if (start == i || !st.movable[start])
			break;
		/* a number that was not called: no instruction at all */
		if (i == st.size && st.len[start] == 5 && page[s - 5] == 0xb8 && !is_number(page, s - 5, 5, nr))
			break;
		pre += st.len[start];
		begins = begins << st.len[start] | 1;
		if (pre >= PATCH_JUMP - 2 && pre <= MAX_PRE && window_set(w, s - pre, pre, 0, begins))
			return true;
	}
	if (s + 2 > PAGE_SIZE)
		return false;
	/* Only what is after. */
	post = take_after(page, s + 2, PATCH_JUMP - 2, MAX_MOVED, &after);
	if (post)
		return window_set(w, s, 0, post, 1 | after << 2);
	/* Some of both. */
	for (i = st.size, pre = 0, begins = 1; agree && pre < PATCH_JUMP - 2; i = start) {
		start = stream_before(&st, i);
		if (start == i || !st.movable[start])
			break;
		pre += st.len[start];
		begins = begins << st.len[start] | 1;
		after = 0;
		post = pre < PATCH_JUMP - 2 ? take_after(page, s + 2, PATCH_JUMP - 2 - pre, MAX_MOVED - pre, &after) : 0;
		if (post && window_set(w, s - pre, pre, post, begins | after << (pre + 2)))
			return true;
	}
	return false;
}

/* Opcodes that 64-bit mode does not have, whatever follows them. */
static bool traps(u8 b)
{
	switch (b) {
	case 0x06: case 0x07: case 0x0e: case 0x16: case 0x17: case 0x1e: case 0x1f: case 0x27: case 0x2f: case 0x37: case 0x3f:
	case 0x60: case 0x61: case 0x82: case 0x9a: case 0xce: case 0xd4: case 0xd6: case 0xea:
		return true;
	}
	return false;
}

bool patch_cell_fits(u16 cell, u8 begins)
{
	return (!(begins & BIT(3)) || traps((u8)cell)) && (!(begins & BIT(4)) || traps((u8)(cell >> 8)));
}

void patch_jump(const struct patch_stub *stub, u8 out[PATCH_JUMP])
{
	u32 cell = PATCH_CELLS + stub->cell;

	out[0] = 0xff;
	out[1] = 0x24;
	out[2] = 0xe5;
	memcpy(out + 3, &cell, sizeof(cell));
}

struct emitter {
	u8 *p;
};

static void emit(struct emitter *e, const void *bytes, size_t n)
{
	memcpy(e->p, bytes, n);
	e->p += n;
}

static void emit32(struct emitter *e, const char *opcode, size_t n, u32 word)
{
	emit(e, opcode, n);
	emit(e, &word, sizeof(word));
}

#define CALL_NEAR	22u	/* bytes of the call in a stub: to where the window's code would return */
#define CALL_FAR	28u	/* ... to the rest of the stub */
#define RELOAD		15u	/* there: the way back */

u64 patch_stub_return(const struct patch_stub *stub, u32 nr)
{
	return stub->post ? PATCH_STUBS + (u64)nr * PATCH_STUB_SIZE + stub->pre + CALL_FAR : 0;
}

void patch_stub_build(const struct patch_stub *stub, u32 nr, const u8 *insns, u8 code[PATCH_STUB_SIZE])
{
	struct emitter e = { code };
	u32 base = PATCH_BASES + 8u * stub->base;

	memset(code, 0xcc, PATCH_STUB_SIZE);
	emit(&e, insns, stub->pre);
	emit32(&e, "\x48\x8b\x0c\x25", 4, base);				/* mov base, %rcx */
	emit32(&e, "\x48\x8d\x89", 3, (u32)stub->off + stub->pre + 2);		/* lea the return address(%rcx), %rcx */
	if (!stub->post) {
		emit32(&e, "\xff\x24\x25", 3, PATCH_CELL_ENTRY);		/* jmp *entry */
		return;
	}
	emit32(&e, "\x41\xbb", 2, (u32)patch_stub_return(stub, nr));		/* mov $here, %r11d */
	emit32(&e, "\xff\x24\x25", 3, PATCH_CELL_ENTRY_FAR);
	/* here: */
	emit32(&e, "\x4c\x8b\x1c\x25", 4, base);				/* mov base, %r11 */
	emit32(&e, "\x4d\x8d\x9b", 3, (u32)stub->off + stub->pre + 2 + stub->post);
	emit(&e, insns + stub->pre + 2, stub->post);
	emit(&e, "\x41\xff\xe3", 3);						/* jmp *%r11 */
}

u32 patch_stub_origin(const struct patch_stub *stub, u32 in)
{
	u32 back = stub->pre + CALL_FAR + RELOAD;

	if (in < stub->pre)
		return in;
	if (!stub->post || in < stub->pre + CALL_FAR)
		return stub->pre;
	return stub->pre + 2 + (in < back ? 0 : min(in - back, (u32)stub->post));
}

u32 patch_stub_entry(const struct patch_stub *stub, u32 in)
{
	if (in >= PATCH_JUMP || !(stub->begins & BIT(in)))
		return 0;
	if (in <= stub->pre)
		return in;
	/* just after the call, or at one of what follows */
	return in == stub->pre + 2u ? stub->pre + CALL_FAR : stub->pre + CALL_FAR + RELOAD + in - stub->pre - 2;
}
