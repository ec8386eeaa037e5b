// SPDX-License-Identifier: MIT
/*
 * The seccomp filter, made from the table in calls.c. A call from outside the gate, of another architecture or of x32 traps: it
 * is a program's. One from the gate with words that no rule knows answers EPERM.
 */
#include "south/host/calls.h"

#define BPF_LD_W_ABS	0x20
#define BPF_JEQ		0x15
#define BPF_JGE		0x35
#define BPF_AND		0x54
#define BPF_RET		0x06

#define RET_ALLOW	0x7fff0000u
#define RET_TRAP	0x00030000u
#define RET_EPERM	(0x00050000u | 1)

#define ARCH_X86_64	0xc000003eu
#define X32_BIT		0x40000000u

/* struct seccomp_data */
#define DATA_NR		0
#define DATA_ARCH	4
#define DATA_IP		8
#define DATA_ARG(n)	(16 + 8 * (n))

struct builder {
	struct bpf_insn_classic *insns;
	u32 n;
};

static void emit(struct builder *b, u16 code, u8 jt, u8 jf, u32 k)
{
	b->insns[b->n++] = (struct bpf_insn_classic){ code, jt, jf, k };
}

/* Room for one condition: what emit_cond() puts out. */
static u32 cond_size(const struct word_cond *c)
{
	u32 n = 2;

	if (c->op == WORD_SET)
		for (n = 1; c->set[n - 1] != WORD_SET_END; n++)
			;
	return n;
}

static u32 rule_size(const struct host_rule *r)
{
	u32 n = 2;	/* the number's compare, and the return */

	for (const struct word_cond *c = r->conds; c->op != WORD_END; c++)
		n += cond_size(c);
	return n;
}

/* @fail: the instruction to go to when the condition does not hold */
static void emit_cond(struct builder *b, const struct word_cond *c, u32 fail)
{
	emit(b, BPF_LD_W_ABS, 0, 0, DATA_ARG(c->arg) + 4 * c->high);
	switch (c->op) {
	case WORD_EQ:
		emit(b, BPF_JEQ, 0, (u8)(fail - b->n - 1), c->a);
		break;
	case WORD_BELOW:
		emit(b, BPF_JGE, (u8)(fail - b->n - 1), 0, c->a);
		break;
	case WORD_FROM:
		emit(b, BPF_JGE, 0, (u8)(fail - b->n - 1), c->a);
		break;
	case WORD_SET: {
		u32 after = b->n + cond_size(c) - 1;

		for (const u32 *v = c->set; *v != WORD_SET_END; v++) {
			bool last = v[1] == WORD_SET_END;

			emit(b, BPF_JEQ, (u8)(after - b->n - 1), last ? (u8)(fail - b->n - 1) : 0, *v);
		}
		break;
	}
	}
}

u32 host_filter_build(struct bpf_insn_classic *insns, u64 gate)
{
	struct builder b = { insns, 0 };

	emit(&b, BPF_LD_W_ABS, 0, 0, DATA_ARCH);
	emit(&b, BPF_JEQ, 1, 0, ARCH_X86_64);
	emit(&b, BPF_RET, 0, 0, RET_TRAP);
	emit(&b, BPF_LD_W_ABS, 0, 0, DATA_IP + 4);
	emit(&b, BPF_JEQ, 1, 0, (u32)(gate >> 32));
	emit(&b, BPF_RET, 0, 0, RET_TRAP);
	emit(&b, BPF_LD_W_ABS, 0, 0, DATA_IP);
	emit(&b, BPF_AND, 0, 0, ~0xfffu);
	emit(&b, BPF_JEQ, 1, 0, (u32)gate);
	emit(&b, BPF_RET, 0, 0, RET_TRAP);
	emit(&b, BPF_LD_W_ABS, 0, 0, DATA_NR);
	emit(&b, BPF_JGE, 0, 1, X32_BIT);
	emit(&b, BPF_RET, 0, 0, RET_TRAP);
	for (u32 i = 0; i < host_nr_rules; i++) {
		const struct host_rule *r = &host_rules[i];
		u32 next = b.n + 1 + rule_size(r);

		emit(&b, BPF_LD_W_ABS, 0, 0, DATA_NR);
		emit(&b, BPF_JEQ, 0, (u8)(next - b.n - 1), r->nr);
		for (const struct word_cond *c = r->conds; c->op != WORD_END; c++)
			emit_cond(&b, c, next);
		emit(&b, BPF_RET, 0, 0, RET_ALLOW);
	}
	emit(&b, BPF_RET, 0, 0, RET_EPERM);
	return b.n;
}
