/* SPDX-License-Identifier: MIT */
/* One well-formed message of each type, made from the server's list of messages. */
#ifndef BROKER_SAMPLE_H
#define BROKER_SAMPLE_H

#include "client.h"

struct sample {
	const char *name;
	uint8_t type;
	void (*build)(struct p9c *c);
};

#define U8(f)		p9c_u8(c, 1);
#define U16(f)		p9c_u16(c, 1);
#define U32(f)		p9c_u32(c, 1);
#define U64(f)		p9c_u64(c, 1);
#define STR(f)		p9c_str(c, #f);
#define NAMES(f)	p9c_names(c, "dir/a");
#define DATA(f)		(p9c_u32(c, 5), p9c_bytes(c, "data!", 5));
#define B9P_T(name, nr, state, fields) \
	static void sample_##name(struct p9c *c) { p9c_begin(c, nr); fields }
#include "tools/broker/messages.def"
#undef U8
#undef U16
#undef U32
#undef U64
#undef STR
#undef NAMES
#undef DATA

static const struct sample samples[] = {
#define B9P_T(name, nr, state, fields) { "T" #name, nr, sample_##name },
#include "tools/broker/messages.def"
};
#define NR_SAMPLES (sizeof(samples) / sizeof(samples[0]))

#endif
