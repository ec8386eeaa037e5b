// SPDX-License-Identifier: MIT
#include "fs/seq_buf.h"

#include "base/printf.h"
#include "base/string.h"
#include "mm/kmalloc.h"

void seq_free(struct seq_buf *s)
{
	kfree(s->buf);
	seq_init(s);
}

/* Room for @more bytes and a NUL. */
static bool seq_reserve(struct seq_buf *s, size_t more)
{
	size_t want;
	char *buf;

	if (s->failed)
		return false;
	if (more < s->size && s->len < s->size - more)
		return true;
	if (more > SEQ_MAX || s->len + more + 1 > SEQ_MAX) {
		s->failed = true;
		return false;
	}
	want = max(s->size * 2, (size_t)512);
	while (want < s->len + more + 1)
		want *= 2;
	want = min(want, (size_t)SEQ_MAX);
	buf = krealloc(s->buf, s->size, want);
	if (!buf) {
		s->failed = true;
		return false;
	}
	s->buf = buf;
	s->size = want;
	return true;
}

void seq_write(struct seq_buf *s, const void *data, size_t len)
{
	if (!seq_reserve(s, len))
		return;
	memcpy(s->buf + s->len, data, len);
	s->len += len;
	s->buf[s->len] = '\0';
}

void seq_puts(struct seq_buf *s, const char *text)
{
	seq_write(s, text, strlen(text));
}

void seq_putc(struct seq_buf *s, char c)
{
	seq_write(s, &c, 1);
}

void seq_printf(struct seq_buf *s, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (!seq_reserve(s, 128))
		return;
	va_start(ap, fmt);
	len = vsnprintf(s->buf + s->len, s->size - s->len, fmt, ap);
	va_end(ap);
	if (len < 0) {
		s->failed = true;
		return;
	}
	if ((size_t)len >= s->size - s->len) {
		s->buf[s->len] = '\0';
		if (!seq_reserve(s, len))
			return;
		va_start(ap, fmt);
		vsnprintf(s->buf + s->len, s->size - s->len, fmt, ap);
		va_end(ap);
	}
	s->len += len;
}

void seq_escape(struct seq_buf *s, const char *text, const char *which)
{
	for (; *text; text++) {
		if (strchr(which, *text))
			seq_printf(s, "\\%03o", (u8)*text);
		else
			seq_putc(s, *text);
	}
}
