/* SPDX-License-Identifier: MIT */
/*
 * The host system calls that a sealed sandbox on South `host` can still make, and with which words. One table: the seccomp
 * filter is made from it (filter.c), and lbx-exec --list-souths --verbose prints it.
 *
 * A rule lets a call pass when all of its conditions hold. A word is 32 bits of an argument; what no condition names is free: the
 * table says for each why that is harmless.
 */
#ifndef LIB_SOUTH_HOST_CALLS_H
#define LIB_SOUTH_HOST_CALLS_H

#include "base/types.h"
#include "south/host/grants.h"

enum word_op {
	WORD_END,
	WORD_EQ,	/* == a */
	WORD_BELOW,	/* < a */
	WORD_FROM,	/* >= a */
	WORD_SET,	/* one of set[], which ends with WORD_SET_END */
};
#define WORD_SET_END	0xdeadbeefu

struct word_cond {
	u8 arg;		/* 0..5 */
	u8 high;	/* 0: bits 0-31, 1: bits 32-63 */
	u8 op;
	u32 a;
	const u32 *set;
};

#define HOST_MAX_CONDS	12

struct host_rule {
	u16 nr;
	const char *name;
	const char *text;	/* the conditions in words */
	struct word_cond conds[HOST_MAX_CONDS];
};

extern const struct host_rule host_rules[];
extern const u32 host_nr_rules;

/* Linux's filter instructions, <linux/filter.h> */
struct bpf_insn_classic {
	u16 code;
	u8 jt, jf;
	u32 k;
};
#define HOST_FILTER_MAX		512

/*
 * host_filter_build() - the filter for code that makes its calls from [gate, gate + 4096)
 * Return: instructions, at most HOST_FILTER_MAX.
 */
u32 host_filter_build(struct bpf_insn_classic *insns, u64 gate);

#endif
