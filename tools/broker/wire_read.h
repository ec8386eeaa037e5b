/* SPDX-License-Identifier: MIT */
/*
 * Taking fields out of a message, and the checks of strings: what must hold against any bytes. Proven
 * by Frama-C/WP to read only what is there and to do what the contracts say (selftests/broker/prove.t);
 * the decoders in wire.c are lists of these calls.
 */
#ifndef BROKER_WIRE_READ_H
#define BROKER_WIRE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P9_MAX_NAMES	16u
#define P9_NAME_MAX	255u

struct p9_str {
	const uint8_t *p;	/* not terminated; may hold any byte */
	uint16_t len;
};

struct p9_names {
	uint16_t n;
	struct p9_str name[P9_MAX_NAMES];
};

struct p9_data {
	const uint8_t *p;
	uint32_t len;
};

/* A reader that ran out of bytes stays failed and gives zeros, so that a decoder can be a plain list of
 * fields, checked once at its end. */
struct wire_reader {
	const uint8_t *p;
	size_t left;
	bool bad;
};

/*@
  predicate reads(uint8_t *p, integer n) =
	p != \null && (n == 0 || \valid_read(p + (0 .. n - 1)));
  predicate str_reads(struct p9_str s) = reads(s.p, s.len);
  predicate name_sane(struct p9_str s) =
	0 < s.len <= 255 && (\forall integer i; 0 <= i < s.len ==> s.p[i] != 0 && s.p[i] != 47) &&
	!(s.len == 1 && s.p[0] == 46) && !(s.len == 2 && s.p[0] == 46 && s.p[1] == 46);
*/

/*@
  requires \valid(r) && reads(r->p, r->left);
  assigns *r;
  ensures reads(r->p, r->left) && r->left <= \old(r->left);
  ensures \old(r->bad) || n > \old(r->left) <==> \result == \null;
  ensures \result == \null ==> r->bad;
  ensures \result != \null ==> !r->bad && \result == \old(r->p) && reads(\result, n) &&
	  r->left == \old(r->left) - n;
*/
/* The next @n bytes; NULL when there are fewer. */
const uint8_t *wire_take(struct wire_reader *r, size_t n);

/*@
  requires \valid(r) && reads(r->p, r->left);
  requires bytes <= 8;
  assigns *r;
  ensures reads(r->p, r->left) && r->left <= \old(r->left);
  ensures \old(r->bad) ==> r->bad;
*/
/* A little-endian number of @bytes bytes. */
uint64_t wire_get(struct wire_reader *r, unsigned int bytes);

/*@
  requires \valid(r) && reads(r->p, r->left);
  assigns *r;
  ensures reads(r->p, r->left) && str_reads(\result);
  ensures r->bad ==> \result.len == 0;
*/
struct p9_str wire_get_str(struct wire_reader *r);

/*@
  requires \valid(r) && reads(r->p, r->left);
  assigns *r;
  ensures reads(r->p, r->left) && reads(\result.p, \result.len);
  ensures r->bad ==> \result.len == 0;
*/
struct p9_data wire_get_data(struct wire_reader *r);

/*@
  requires \valid(r) && reads(r->p, r->left) && \valid(names);
  requires \separated(r, names, r->p + (0 .. r->left - 1));
  assigns *r, *names;
  ensures reads(r->p, r->left);
  ensures names->n <= 16;
  ensures \forall integer i; 0 <= i < names->n ==> str_reads(names->name[i]);
*/
void wire_get_names(struct wire_reader *r, struct p9_names *names);

/*@
  requires str_reads(s) && cap > 0 && \valid(buf + (0 .. cap - 1));
  requires \separated(s.p + (0 .. s.len - 1), buf + (0 .. cap - 1));
  assigns buf[0 .. cap - 1];
  ensures \result == 0 || \result == -22 || \result == -36;
  ensures \result == -36 <==> s.len >= cap;
  ensures \result == 0 <==> s.len < cap && (\forall integer i; 0 <= i < s.len ==> s.p[i] != 0);
  ensures \result == 0 ==> buf[s.len] == 0;
*/
/**
 * wire_text_check() - copy a string that the system takes with a zero at its end
 * @s:   as it came
 * @buf: @cap bytes, filled with the text and a zero on success
 * @cap: at least 1
 * Return: 0, -EINVAL (holds a zero byte), -ENAMETOOLONG (does not fit).
 */
__attribute__((warn_unused_result))
int wire_text_check(struct p9_str s, char *buf, size_t cap);

/*@
  requires str_reads(s) && \valid(buf + (0 .. 255));
  requires \separated(s.p + (0 .. s.len - 1), buf + (0 .. 255));
  assigns buf[0 .. 255];
  ensures \result == 0 || \result == -22 || \result == -36;
  ensures \result == -36 <==> s.len > 255;
  ensures \result == 0 <==> name_sane(s);
  ensures \result == 0 ==> buf[s.len] == 0;
*/
/**
 * wire_name_check() - may this string be one name in a directory?
 * @s:   as it came
 * @buf: 256 bytes, filled with the name and a zero on success
 * Return: 0, -EINVAL (empty, ".", "..", holds '/' or a zero), -ENAMETOOLONG (over 255 bytes).
 */
__attribute__((warn_unused_result))
int wire_name_check(struct p9_str s, char *buf);

#endif
