// SPDX-License-Identifier: MIT
#include "fs/tar_parse.h"

#include "base/errno.h"
#include "base/string.h"
#include "sched/time.h"

/* Where things stand in a header (tar(5), pax(1)). */
#define AT_NAME		0
#define AT_MODE		100
#define AT_UID		108
#define AT_GID		116
#define AT_SIZE		124
#define AT_MTIME	136
#define AT_SUM		148
#define AT_TYPE		156
#define AT_LINK		157
#define AT_MAGIC	257
#define AT_MAJOR	329
#define AT_MINOR	337
#define AT_PREFIX	345
#define PREFIX_LEN	155

static int base256(const u8 *field, u32 len, s64 *out)
{
	bool negative = field[0] & 0x40;
	u64 v = negative ? ~0ull : 0;
	u8 first = field[0] & 0x3f;

	/* the first byte keeps six bits and its sign */
	for (u32 i = 0; i < len; i++) {
		u8 byte = i ? field[i] : (u8)(first | (negative ? 0xc0 : 0));
		u64 top = v >> 55;

		if (top != 0 && top != 0x1ff)
			return -EINVAL;
		v = v << 8 | byte;
	}
	*out = (s64)v;
	return 0;
}

int tar_number(const u8 *field, u32 len, s64 *out)
{
	u64 v = 0;
	u32 i = 0;

	if (field[0] & 0x80)
		return base256(field, len, out);
	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++) {
		if (v >> 60)
			return -EINVAL;
		v = v << 3 | (u64)(field[i] - '0');
	}
	for (; i < len; i++)
		if (field[i] && field[i] != ' ')
			return -EINVAL;
	*out = (s64)v;
	return 0;
}

static int number32(const u8 *field, u32 len, u32 *out)
{
	s64 v;
	int ret = tar_number(field, len, &v);

	if (ret || v < 0 || v > UINT32_MAX)
		return -EINVAL;
	*out = (u32)v;
	return 0;
}

/* Old archives summed bytes as signed. */
static bool sum_is_right(const u8 *block)
{
	s64 sum = 0, plus = 0, want;

	for (u32 i = 0; i < TAR_BLOCK; i++) {
		u8 c = i >= AT_SUM && i < AT_SUM + 8 ? ' ' : block[i];

		plus += c;
		sum += (s8)c;
	}
	return !tar_number(block + AT_SUM, 8, &want) && (want == plus || want == sum);
}

/* A field that is full has no NUL. Return: where it ends in @to */
static u32 put_field(char *to, u32 at, const u8 *field, u32 len)
{
	u32 n = (u32)strnlen((const char *)field, len);

	memcpy(to + at, field, n);
	to[at + n] = '\0';
	return at + n;
}

static void put_name(const u8 *block, struct tar_header *h)
{
	bool posix = !memcmp(block + AT_MAGIC, "ustar\0", 6);
	u32 at = 0;

	/* GNU's own format keeps times where the prefix would be */
	if (posix && block[AT_PREFIX]) {
		at = put_field(h->name, 0, block + AT_PREFIX, PREFIX_LEN);
		h->name[at++] = '/';
	}
	(void)put_field(h->name, at, block + AT_NAME, 100);
	(void)put_field(h->link, 0, block + AT_LINK, 100);
}

int tar_parse_header(const u8 *block, struct tar_header *h)
{
	s64 size, mtime;
	u32 n = 0;

	while (n < TAR_BLOCK && !block[n])
		n++;
	if (n == TAR_BLOCK)
		return 1;
	if (!sum_is_right(block))
		return -EINVAL;
	*h = (struct tar_header){ .type = (char)block[AT_TYPE] };
	if (number32(block + AT_MODE, 8, &h->mode) || number32(block + AT_UID, 8, &h->uid) ||
	    number32(block + AT_GID, 8, &h->gid) || tar_number(block + AT_SIZE, 12, &size) ||
	    tar_number(block + AT_MTIME, 12, &mtime))
		return -EINVAL;
	if (size < 0 || (u64)size > TAR_SIZE_MAX)
		return -EINVAL;
	if ((h->type == TAR_CHAR || h->type == TAR_BLOCKDEV) &&
	    (number32(block + AT_MAJOR, 8, &h->major) || number32(block + AT_MINOR, 8, &h->minor)))
		return -EINVAL;
	h->size = (u64)size;
	h->mtime = mtime;
	put_name(block, h);
	/* before there was a type for directories, the name said it */
	n = (u32)strlen(h->name);
	if ((h->type == '0' || !h->type) && n && h->name[n - 1] == '/')
		h->type = TAR_DIR;
	return 0;
}

int tar_decimal(const char *s, size_t len, u64 *out)
{
	u64 v = 0;

	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		v = v * 10 + (u64)(s[i] - '0');
		if (v > TAR_SIZE_MAX)
			return -EINVAL;
	}
	*out = v;
	return 0;
}

int tar_pax_time(const char *s, size_t len, s64 *ns)
{
	bool negative = len && *s == '-';
	const char *dot;
	u64 whole, part = 0;
	size_t n;

	if (negative) {
		s++;
		len--;
	}
	dot = memchr(s, '.', len);
	n = dot ? (size_t)(dot - s) : len;
	if (tar_decimal(s, n, &whole) || whole > INT64_MAX / NSEC_PER_SEC - 1)
		return -EINVAL;
	for (u64 unit = NSEC_PER_SEC / 10, i = n + 1; i < len; i++, unit /= 10) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		part += unit * (u64)(s[i] - '0');	/* digits beyond the ninth count nothing */
	}
	*ns = (s64)(whole * NSEC_PER_SEC + part);
	if (negative)
		*ns = -*ns;
	return 0;
}

int tar_pax_next(const char **at, const char *end, struct tar_record *r)
{
	size_t left = (size_t)(end - *at), digits;
	const char *blank, *equals;
	u64 len;

	if (!left || !**at)
		return 0;	/* some writers pad with NULs */
	blank = memchr(*at, ' ', min(left, (size_t)20));
	if (!blank)
		return -EINVAL;
	digits = (size_t)(blank - *at);
	if (tar_decimal(*at, digits, &len) || len > left || len < digits + 3 || (*at)[len - 1] != '\n')
		return -EINVAL;
	r->key = blank + 1;
	equals = memchr(r->key, '=', len - digits - 2);
	if (!equals)
		return -EINVAL;
	r->key_len = (size_t)(equals - r->key);
	r->value = equals + 1;
	r->value_len = (size_t)(*at + len - 1 - r->value);
	*at += len;
	return 1;
}

int tar_sparse_pair(const u8 *pair, u64 *off, u64 *len)
{
	s64 o, n;

	if (!pair[0] && !pair[12])
		return 0;
	if (tar_number(pair, 12, &o) || tar_number(pair + 12, 12, &n) || o < 0 || n < 0 || (u64)o > TAR_SIZE_MAX ||
	    (u64)n > TAR_SIZE_MAX)
		return -EINVAL;
	*off = (u64)o;
	*len = (u64)n;
	return 1;
}
