// SPDX-License-Identifier: MIT
/* Output: the rules of c_oflag, and echoes, which wait in a queue of their own so that they do not tear what programs write. */
#include "base/string.h"
#include "mm/kmalloc.h"
#include "tty/tty.h"

/* ---- rings ---- */

u32 ring_room(const struct ring *r)
{
	return r->max - r->len;
}

static bool ring_grow(struct ring *r, u32 need)
{
	u32 size = r->size ? r->size : min_t(u32, PAGE_SIZE, r->max);
	u8 *buf;

	while (size < need)
		size *= 2;
	if (size == r->size)
		return true;
	buf = kmalloc(size);
	if (!buf)
		return false;
	for (u32 i = 0; i < r->len; i++)
		buf[i] = r->buf[(r->head + i) & (r->size - 1)];
	kfree(r->buf);
	r->buf = buf;
	r->size = size;
	r->head = 0;
	return true;
}

bool ring_put(struct ring *r, const u8 *p, u32 len)
{
	u32 at, first;

	if (!ring_grow(r, r->len + len))
		return false;
	at = (r->head + r->len) & (r->size - 1);
	first = min(len, r->size - at);
	memcpy(r->buf + at, p, first);
	memcpy(r->buf, p + first, len - first);
	r->len += len;
	return true;
}

u32 ring_peek(const struct ring *r, const u8 **p)
{
	*p = r->buf + r->head;
	return min(r->len, r->size - r->head);
}

void ring_drop(struct ring *r, u32 len)
{
	r->head = (r->head + len) & (r->size - 1);
	r->len -= len;
	/* a burst does not keep its memory for ever */
	if (!r->len && r->size > PAGE_SIZE)
		ring_free(r);
}

void ring_cut(struct ring *r, u32 keep)
{
	r->len = min(r->len, keep);
}

void ring_free(struct ring *r)
{
	kfree(r->buf);
	r->buf = NULL;
	r->size = r->head = r->len = 0;
}

/* ---- characters: Latin-1 where a letter's case matters, as Linux's ---- */

bool tty_is_control(u8 c)
{
	return c < 32 || c == 127;
}

bool tty_is_continuation(const struct tty *t, u8 c)
{
	return (t->termios.iflag & IUTF8) && (c & 0xc0) == 0x80;
}

static u8 upper(u8 c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 0xdf && c != 0xf7))
		c -= 32;
	return c;
}

/* ---- the rules ---- */

static bool put(struct tty *t, const char *p, u32 len)
{
	return ring_room(&t->out) >= len && ring_put(&t->out, (const u8 *)p, len);
}

/* One character. Return: false: no room, nothing happened */
static bool output_char(struct tty *t, u8 c)
{
	u32 o = t->termios.oflag, column = t->n.column, canon = t->n.canon_column, spaces;
	bool ok;

	switch (c) {
	case '\n':
		if (o & ONLRET)
			column = 0;
		if (o & ONLCR) {
			if (!put(t, "\r\n", 2))
				return false;
			t->n.canon_column = t->n.column = 0;
			return true;
		}
		canon = column;
		break;
	case '\r':
		if ((o & ONOCR) && !column)
			return ring_room(&t->out) > 0;
		if (o & OCRNL) {
			c = '\n';
			if (o & ONLRET)
				canon = column = 0;
			break;
		}
		canon = column = 0;
		break;
	case '\t':
		spaces = 8 - (column & 7);
		if ((o & TABDLY) == XTABS) {
			if (!put(t, "        ", spaces))
				return false;
			t->n.column += spaces;
			return true;
		}
		column += spaces;
		break;
	case '\b':
		if (column)
			column--;
		break;
	default:
		if (tty_is_control(c))
			break;
		if (o & OLCUC)
			c = upper(c);
		if (!tty_is_continuation(t, c))
			column++;
	}
	ok = put(t, (const char *)&c, 1);
	if (ok) {
		t->n.column = column;
		t->n.canon_column = canon;
	}
	return ok;
}

u32 tty_output(struct tty *t, const u8 *p, u32 len)
{
	u32 done = 0;

	if (t->stopped)
		return 0;
	if (t->termios.oflag & OPOST) {
		while (done < len && output_char(t, p[done]))
			done++;
	} else {
		done = min(len, ring_room(&t->out));
		if (done && !ring_put(&t->out, p, done))
			done = 0;
	}
	if (done)
		t->driver->output(t);
	return done;
}

void tty_put_raw(struct tty *t, u8 c)
{
	if (put(t, (const char *)&c, 1))
		t->driver->output(t);
}

/* What the other side has not fetched into its own buffer yet; that buffer is as large as ours. */
void tty_output_flush(struct tty *t)
{
	ring_cut(&t->out, t->is_pty ? N_TTY_BUF - 1 : 0);
	wake_up_poll(&t->write_wait, POLLOUT | POLLWRNORM);
}

/* ---- echoes ---- */

#define ECHO_AT(n, i)	((n)->echo[(i) % ECHO_BUF])
/* Echoes are put out when so many wait, and at the end of each piece of input. */
#define ECHO_WATERMARK	256u

void echo_op(struct tty *t, u16 op)
{
	struct n_tty *n = &t->n;

	/* nobody reads the output: the oldest goes */
	if (n->echo_head - n->echo_tail == ECHO_BUF) {
		n->echo_tail++;
		if ((s32)(n->echo_commit - n->echo_tail) < 0)
			n->echo_commit = n->echo_tail;
		if ((s32)(n->echo_mark - n->echo_tail) < 0)
			n->echo_mark = n->echo_tail;
	}
	ECHO_AT(n, n->echo_head) = op;
	n->echo_head++;
}

void echo_byte(struct tty *t, u8 c)
{
	echo_op(t, c);
}

void echo_char(struct tty *t, u8 c)
{
	echo_op(t, (t->termios.lflag & ECHOCTL) && tty_is_control(c) && c != '\t' ? ECHO_CONTROL | c : c);
}

static bool put_raw_column(struct tty *t, u8 c)
{
	if (!put(t, (const char *)&c, 1))
		return false;
	t->n.column++;
	return true;
}

static bool erase_tab(struct tty *t, u32 columns)
{
	u32 back;

	/* Counted from the start of the line, which is not always at the left; or from another tab, which is at a multiple of 8. */
	if (!(columns & 0x80))
		columns += t->n.canon_column;
	back = 8 - (columns & 7);
	if (!put(t, "\b\b\b\b\b\b\b\b", back))
		return false;
	t->n.column -= min(back, t->n.column);
	return true;
}

static bool put_echo(struct tty *t, u16 op)
{
	struct n_tty *n = &t->n;
	char shown[2];
	u8 c = (u8)op;

	switch (op & 0xff00) {
	case ECHO_ERASE_TAB:
		return erase_tab(t, c);
	case ECHO_SET_CANON:
		n->canon_column = n->column;
		return true;
	case ECHO_MOVE_BACK:
		if (n->column)
			n->column--;
		return true;
	case ECHO_CONTROL:
		shown[0] = '^';
		shown[1] = (char)(c ^ 0100);
		if (!put(t, shown, 2))
			return false;
		n->column += 2;
		return true;
	}
	/* this one byte is never touched by the output rules when it is echoed */
	if (c == 0xff)
		return put_raw_column(t, c);
	if (t->termios.oflag & OPOST)
		return output_char(t, c);
	return put(t, (const char *)&c, 1);
}

static void put_echoes(struct tty *t)
{
	struct n_tty *n = &t->n;
	u32 before = t->out.len;

	if (t->stopped)
		return;
	while (n->echo_tail != n->echo_commit && put_echo(t, ECHO_AT(n, n->echo_tail)))
		n->echo_tail++;
	if (t->out.len != before)
		t->driver->output(t);
}

void echo_commit(struct tty *t)
{
	struct n_tty *n = &t->n;
	u32 old = n->echo_commit - n->echo_tail, nr = n->echo_head - n->echo_tail;

	n->echo_mark = n->echo_head;
	if (nr < ECHO_WATERMARK || nr % ECHO_WATERMARK > old % ECHO_WATERMARK)
		return;
	n->echo_commit = n->echo_head;
	put_echoes(t);
}

void echo_process(struct tty *t)
{
	if (t->n.echo_mark == t->n.echo_tail)
		return;
	t->n.echo_commit = t->n.echo_mark;
	put_echoes(t);
}

void echo_flush(struct tty *t)
{
	if (!(t->termios.lflag & (ECHO | ECHONL)) || t->n.echo_commit == t->n.echo_head)
		return;
	t->n.echo_commit = t->n.echo_head;
	put_echoes(t);
}

void echo_forget(struct tty *t)
{
	t->n.echo_head = t->n.echo_commit = t->n.echo_mark = t->n.echo_tail = 0;
}
