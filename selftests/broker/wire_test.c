// SPDX-License-Identifier: MIT
/* wire.c alone: every message whole, cut short at each length, too long, and lying about itself. */
#include "fixture.h"
#include "sample.h"
#include "tools/broker/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct p9c c;
static struct p9_request req;

static void set_size(uint32_t size)
{
	for (int i = 0; i < 4; i++)
		c.out[i] = (uint8_t)(size >> (8 * i));
}

/* Decodes a copy that ends where the memory ends, so that a sanitizer sees a read past it. */
static int decode(uint32_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	int ret;

	memcpy(copy, c.out, len);
	ret = wire_decode(copy, len, &req);
	free(copy);
	return ret;
}

static void messages(void)
{
	for (size_t i = 0; i < NR_SAMPLES; i++) {
		int cut = 0, grown, liar = 0;
		uint32_t len;

		samples[i].build(&c);
		len = c.out_len;
		set_size(len);
		tap_eq(decode(len), 0, "%s, %u bytes", samples[i].name, len);
		tap_ok(req.type == samples[i].type && !strcmp(wire_type_name(req.type), samples[i].name),
		       "%s is number %u", samples[i].name, req.type);
		for (uint32_t n = 0; n < len; n++) {
			set_size(n);
			cut += decode(n) != -EBADMSG;
			set_size(len);
			liar += decode(n) != -EBADMSG;
		}
		set_size(len - 1);
		liar += decode(len) != -EBADMSG;
		set_size(len + 1);
		liar += decode(len) != -EBADMSG;
		grown = decode(len + 1) != -EBADMSG;
		tap_ok(!cut && !liar && !grown,
		       "%s cut short at each length, longer, of another size: EBADMSG", samples[i].name);
	}
	for (int type = 0, wrong = 0; type < 256; type++) {
		bool known = false;

		for (size_t i = 0; i < NR_SAMPLES; i++)
			known |= samples[i].type == type;
		p9c_begin(&c, (uint8_t)type);
		set_size(7);
		wrong += decode(7) != (known ? -EBADMSG : -EOPNOTSUPP);
		if (type == 255)
			tap_eq(wrong, 0, "an empty message of each type");
	}
}

static void lengths(void)
{
	p9c_begin(&c, 110);
	p9c_u32(&c, 1);
	p9c_u32(&c, 2);
	p9c_u16(&c, 1);
	p9c_u16(&c, 65535);
	p9c_bytes(&c, "abc", 3);
	set_size(c.out_len);
	tap_eq(decode(c.out_len), -EBADMSG, "a string that claims 65535 bytes");
	p9c_begin(&c, 110);
	p9c_u32(&c, 1);
	p9c_u32(&c, 2);
	p9c_u16(&c, 65535);
	set_size(c.out_len);
	tap_eq(decode(c.out_len), -EBADMSG, "a walk that claims 65535 names");
	p9c_begin(&c, 110);
	p9c_u32(&c, 1);
	p9c_u32(&c, 2);
	p9c_names(&c, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p");
	set_size(c.out_len);
	tap_ok(decode(c.out_len) == 0 && req.u.walk.names.n == 16, "sixteen names");
	p9c_begin(&c, 118);
	p9c_u32(&c, 1);
	p9c_u64(&c, 2);
	p9c_u32(&c, 0xffffffff);
	p9c_bytes(&c, "abc", 3);
	set_size(c.out_len);
	tap_eq(decode(c.out_len), -EBADMSG, "data that claims 4 GiB");
	p9c_begin(&c, 118);
	p9c_u32(&c, 0x01020304);
	p9c_u64(&c, 0x1122334455667788);
	p9c_u32(&c, 0);
	set_size(c.out_len);
	tap_ok(!decode(c.out_len) && req.u.write.fid == 0x01020304 &&
	       req.u.write.offset == 0x1122334455667788 && !req.u.write.data.len,
	       "numbers are little-endian, data may be empty");
}

#define S(text) ((struct p9_str){ .p = (const uint8_t *)text, .len = sizeof(text) - 1 })

static void names(void)
{
	static uint8_t many[300];
	char buf[256];

	memset(many, 'n', sizeof(many));
	tap_ok(!wire_name_check(S("name"), buf) && !strcmp(buf, "name"), "a name");
	tap_ok(!wire_name_check(S("..."), buf) && !strcmp(buf, "..."), "three dots");
	tap_eq(wire_name_check(S(""), buf), -EINVAL, "the empty name");
	tap_eq(wire_name_check(S("."), buf), -EINVAL, "a dot");
	tap_eq(wire_name_check(S(".."), buf), -EINVAL, "two dots");
	tap_eq(wire_name_check(S("a/b"), buf), -EINVAL, "a slash");
	tap_eq(wire_name_check(S("/"), buf), -EINVAL, "only a slash");
	tap_eq(wire_name_check(S("a\0b"), buf), -EINVAL, "a zero byte");
	tap_eq(wire_name_check(S("..\0"), buf), -EINVAL, "two dots and a zero byte");
	tap_eq(wire_name_check((struct p9_str){ many, 255 }, buf), 0, "255 bytes");
	tap_eq(wire_name_check((struct p9_str){ many, 256 }, buf), -ENAMETOOLONG, "256 bytes");
	tap_eq(wire_text_check(S("abc"), buf, 4), 0, "text that just fits");
	tap_eq(wire_text_check(S("abcd"), buf, 4), -ENAMETOOLONG, "text that does not");
	tap_ok(wire_str_is(S("ro"), "ro") && !wire_str_is(S("ro\0"), "ro") &&
	       !wire_str_is(S("r"), "ro"), "strings are compared whole");
}

static void replies(void)
{
	uint8_t *buf = malloc(16);
	struct wire_out o;

	wire_out_begin(&o, buf, 16, 121, 0x0102);
	wire_put_u64(&o, 1);
	tap_ok(!o.overflow && wire_room(&o) == 1, "a reply that nearly fills its buffer");
	wire_put_u8(&o, 9);
	wire_out_end(&o);
	tap_ok(!o.overflow && buf[0] == 16 && buf[4] == 121 && buf[5] == 2 && buf[6] == 1 &&
	       buf[15] == 9, "a reply that fills it");
	wire_put_u8(&o, 9);
	tap_ok(o.overflow && o.len == 16, "one byte more is an overflow");
	wire_out_begin(&o, buf, 16, 121, 1);
	wire_put_str(&o, "0123456789", 10);
	tap_ok(o.overflow, "a string that does not fit");
	wire_put_u8(&o, 1);
	tap_ok(o.overflow && o.len <= 16, "after which nothing is written");
	free(buf);
}

int main(void)
{
	messages();
	lengths();
	names();
	replies();
	return tap_end();
}
