// SPDX-License-Identifier: MIT
/*
 * Lines for the broker's log. A client chooses file names, so a line is escaped before it can reach a
 * terminal; and it can make refusals without end, so the number of lines is bounded.
 */
#include "server.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void escape(char *out, size_t cap, const char *in)
{
	size_t n = 0;

	for (; *in; in++) {
		unsigned char c = (unsigned char)*in;

		if (n + 5 > cap)
			break;
		if (c >= 0x20 && c < 0x7f && c != '\\')
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, cap - n, "\\x%02x", c);
	}
	out[n] = 0;
}

/* The function to call when there is a line left. Says once that there is none. */
static b9p_log_fn may_log(struct b9p *b, enum b9p_log_kind kind)
{
	b9p_log_fn log = atomic_load(&b->log);
	uint32_t n, max = b->limits.max_log;

	if (!log || atomic_load(&b->log_lines) > max)
		return NULL;
	n = atomic_fetch_add(&b->log_lines, 1);
	if (n == max)
		log(b->log_arg, kind, "further lines are left out");
	return n < max ? log : NULL;
}

void log_line(struct b9p *b, enum b9p_log_kind kind, const char *fmt, ...)
{
	char raw[512], line[1024];
	b9p_log_fn log = may_log(b, kind);
	va_list ap;

	if (!log)
		return;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	escape(line, sizeof(line), raw);
	log(b->log_arg, kind, line);
}

int log_refused(struct channel *ch, const struct node *node, const char *name, const char *why,
		int err)
{
	struct b9p *b = ch->b;
	char raw[B9P_PATH_CAP], line[B9P_PATH_CAP + 512];
	b9p_log_fn log = may_log(b, B9P_LOG_REFUSED);
	ssize_t n;

	atomic_fetch_add_explicit(&b->refused, 1, memory_order_relaxed);
	if (!log)
		return err;
	n = readlinkat(b->procfd, proc_name(node->fd).s, raw, sizeof(raw) - 1);
	raw[n > 0 ? n : 0] = 0;
	escape(line, B9P_PATH_CAP, raw);
	if (name) {
		size_t at = strlen(line);

		line[at++] = '/';
		escape(line + at, 256, name);
	}
	n = (ssize_t)strlen(line);
	snprintf(line + n, sizeof(line) - (size_t)n, ": %s", why);
	log(b->log_arg, B9P_LOG_REFUSED, line);
	return err;
}
