// SPDX-License-Identifier: MIT
/* See wire_read.h, where the contracts are. */
#include "wire_read.h"

#include <errno.h>

static const uint8_t nothing[1];

const uint8_t *wire_take(struct wire_reader *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || r->left < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->left -= n;
	return p;
}

uint64_t wire_get(struct wire_reader *r, unsigned int bytes)
{
	const uint8_t *p = wire_take(r, bytes);
	uint64_t v = 0;

	if (!p)
		return 0;
	/*@
	  loop invariant i <= bytes;
	  loop assigns i, v;
	  loop variant bytes - i;
	*/
	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

struct p9_str wire_get_str(struct wire_reader *r)
{
	uint16_t len = (uint16_t)wire_get(r, 2);
	const uint8_t *p = wire_take(r, len);
	struct p9_str s = { .p = nothing, .len = 0 };

	if (p) {
		s.p = p;
		s.len = len;
	}
	return s;
}

struct p9_data wire_get_data(struct wire_reader *r)
{
	uint32_t len = (uint32_t)wire_get(r, 4);
	const uint8_t *p = wire_take(r, len);
	struct p9_data d = { .p = nothing, .len = 0 };

	if (p) {
		d.p = p;
		d.len = len;
	}
	return d;
}

void wire_get_names(struct wire_reader *r, struct p9_names *names)
{
	uint16_t n = (uint16_t)wire_get(r, 2);

	if (n > P9_MAX_NAMES) {
		r->bad = true;
		n = 0;
	}
	/*@
	  loop invariant 0 <= i <= n;
	  loop invariant reads(r->p, r->left);
	  loop invariant \forall integer k; 0 <= k < i ==> str_reads(names->name[k]);
	  loop assigns i, *r, names->name[0 .. 15];
	  loop variant n - i;
	*/
	for (uint16_t i = 0; i < n; i++)
		names->name[i] = wire_get_str(r);
	names->n = n;
}

int wire_text_check(struct p9_str s, char *buf, size_t cap)
{
	if (s.len >= cap)
		return -ENAMETOOLONG;
	/*@
	  loop invariant 0 <= i <= s.len;
	  loop invariant \forall integer k; 0 <= k < i ==> s.p[k] != 0;
	  loop assigns i, buf[0 .. cap - 1];
	  loop variant s.len - i;
	*/
	for (uint16_t i = 0; i < s.len; i++) {
		if (s.p[i] == 0)
			return -EINVAL;
		buf[i] = (char)s.p[i];
	}
	buf[s.len] = 0;
	return 0;
}

int wire_name_check(struct p9_str s, char *buf)
{
	if (s.len > P9_NAME_MAX)
		return -ENAMETOOLONG;
	if (s.len == 0 || (s.len == 1 && s.p[0] == '.') ||
	    (s.len == 2 && s.p[0] == '.' && s.p[1] == '.'))
		return -EINVAL;
	/*@
	  loop invariant 0 <= i <= s.len;
	  loop invariant \forall integer k; 0 <= k < i ==> s.p[k] != 47;
	  loop assigns i;
	  loop variant s.len - i;
	*/
	for (uint16_t i = 0; i < s.len; i++) {
		if (s.p[i] == '/')
			return -EINVAL;
	}
	return wire_text_check(s, buf, P9_NAME_MAX + 1);
}
