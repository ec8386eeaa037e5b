/* SPDX-License-Identifier: MIT */
/*
 * A text that grows: for files in /proc and /sys, and fdinfo. When memory runs out or the text passes SEQ_MAX it is cut and
 * seq_failed() says so; the functions that add text need no checks.
 */
#ifndef LIB_FS_SEQ_BUF_H
#define LIB_FS_SEQ_BUF_H

#include "base/types.h"

#define SEQ_MAX		(1ul << 22)

struct seq_buf {
	char *buf;
	size_t len, size;
	bool failed;
};

static inline void seq_init(struct seq_buf *s) { *s = (struct seq_buf){ 0 }; }
void seq_free(struct seq_buf *s);
static inline bool seq_failed(const struct seq_buf *s) { return s->failed; }

void seq_write(struct seq_buf *s, const void *data, size_t len);
void seq_puts(struct seq_buf *s, const char *text);
void seq_putc(struct seq_buf *s, char c);
void seq_printf(struct seq_buf *s, const char *fmt, ...) __printf(2, 3);
/* seq_escape() - @text with blanks and backslashes (those in @which) as \ooo: mount points in /proc/mounts */
void seq_escape(struct seq_buf *s, const char *text, const char *which);

#endif
