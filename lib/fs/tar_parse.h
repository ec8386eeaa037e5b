/* SPDX-License-Identifier: MIT */
/*
 * The words of a tar image: ustar (POSIX.1-1988), pax (POSIX.1-2001) and GNU tar's headers. Pure functions on bytes that a stranger
 * wrote: each reads only what it is given, and says -EINVAL to what it does not understand.
 */
#ifndef LIB_FS_TAR_PARSE_H
#define LIB_FS_TAR_PARSE_H

#include "base/types.h"

#define TAR_BLOCK		512u
#define TAR_NAME_ROOM		257u	/* prefix, '/', name, NUL */
#define TAR_LINK_ROOM		101u
#define TAR_SIZE_MAX		(1ull << 60)

/* Kinds of entries that are not files, and GNU's sparse file */
#define TAR_HARDLINK		'1'
#define TAR_SYMLINK		'2'
#define TAR_CHAR		'3'
#define TAR_BLOCKDEV		'4'
#define TAR_DIR			'5'
#define TAR_FIFO		'6'
#define TAR_PAX			'x'
#define TAR_PAX_GLOBAL		'g'
#define TAR_GNU_DUMPDIR		'D'
#define TAR_GNU_LONG_LINK	'K'
#define TAR_GNU_LONG_NAME	'L'
#define TAR_GNU_MULTI		'M'
#define TAR_GNU_SPARSE		'S'
#define TAR_GNU_VOLUME		'V'

struct tar_header {
	char name[TAR_NAME_ROOM];
	char link[TAR_LINK_ROOM];
	char type;			/* TAR_*; all else is a regular file */
	u32 mode, uid, gid, major, minor;
	u64 size;
	s64 mtime;			/* seconds */
};

/* tar_parse_header() - Return: 0, 1 (a block of zeros: the end), -EINVAL (the sum is wrong, a number makes no sense) */
int tar_parse_header(const u8 *block, struct tar_header *h);

/* tar_number() - octal digits or GNU's base 256. Return: 0, -EINVAL */
int tar_number(const u8 *field, u32 len, s64 *out);
/* tar_decimal() - all of @s is digits. Return: 0, -EINVAL (also beyond TAR_SIZE_MAX) */
int tar_decimal(const char *s, size_t len, u64 *out);
/* tar_pax_time() - seconds with a fraction, to ns. Return: 0, -EINVAL */
int tar_pax_time(const char *s, size_t len, s64 *ns);

/* One "length key=value\n" of a pax header; the text stays where it is. */
struct tar_record {
	const char *key, *value;
	size_t key_len, value_len;
};
/* tar_pax_next() - the record at *@at, which moves on. Return: 1, 0 (none left), -EINVAL */
int tar_pax_next(const char **at, const char *end, struct tar_record *r);

/* GNU's old sparse header: @nr pairs of numbers, 24 bytes each. tar_sparse_pair() - Return: 1, 0 (the list ends), -EINVAL */
#define TAR_SPARSE_IN_HEADER	4u
#define TAR_SPARSE_IN_BLOCK	21u
#define TAR_SPARSE_AT		386u
#define TAR_SPARSE_MORE_AT	482u
#define TAR_SPARSE_SIZE_AT	483u
#define TAR_SPARSE_BLOCK_MORE_AT 504u
int tar_sparse_pair(const u8 *pair, u64 *off, u64 *len);

#endif
