// SPDX-License-Identifier: MIT
/*
 * Bytes from one descriptor to another, never blocking. A pump reads only when
 * its buffer is empty, so a slow reader slows its writer and memory is bounded.
 */
#include <errno.h>
#include <unistd.h>

#include "tools/vm/vm.h"

static bool would_block(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static bool pump_write(struct pump *p)
{
	ssize_t n = write(p->to, p->buf + p->off, p->len - p->off);

	if (n < 0 && would_block())
		return false;
	if (n <= 0) {
		/* The reader is gone; what it did not take is dropped. */
		p->to = -1;
		return true;
	}
	p->off += (size_t)n;
	p->total += (uint64_t)n;
	return true;
}

static bool pump_read(struct pump *p, size_t *budget)
{
	size_t want = sizeof(p->buf) < *budget ? sizeof(p->buf) : *budget;
	ssize_t n;

	if (!want)
		return false;
	n = read(p->from, p->buf, want);
	if (n < 0 && would_block())
		return false;
	if (n <= 0) {
		/* EIO is how a terminal's master says that all have left. */
		p->from = -1;
		return true;
	}
	p->off = 0;
	p->len = (size_t)n;
	*budget -= (size_t)n;
	return true;
}

bool pump_step(struct pump *p, size_t *budget)
{
	bool moved = false;

	if (pump_idle(p) && p->from >= 0 && p->to >= 0)
		moved = pump_read(p, budget);
	if (!pump_idle(p))
		moved |= pump_write(p);
	return moved;
}
