// SPDX-License-Identifier: MIT
/* The line discipline's input side: what received characters mean, line editing, what readers get. */
#include "tty/tty.h"

#include "base/string.h"

#define AT(n, i)	((n)->buf[(i) % N_TTY_BUF])
#define DISABLED	0	/* a c_cc that is none; in the buffer, marked as a line's end: end of file */

static bool test(const u64 *map, u32 i) { return map[i / 64] >> (i % 64) & 1; }
static void mark(u64 *map, u32 i) { map[i / 64] |= 1ull << (i % 64); }
static void unmark(u64 *map, u32 i) { map[i / 64] &= ~(1ull << (i % 64)); }

static u32 l(const struct tty *t, u32 flag) { return t->termios.lflag & flag; }
static u32 i(const struct tty *t, u32 flag) { return t->termios.iflag & flag; }

static bool is_alnum(u8 c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

static u8 lower(u8 c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ? c + 32 : c;
}

/* ---- stop and start ---- */

void tty_packet_status(struct tty *t, u8 set, u8 clear)
{
	if (!t->packet)
		return;
	t->pktstatus = (u8)((t->pktstatus & ~clear) | set);
	wake_up_poll(&t->master_wait, POLLPRI | POLLIN | POLLRDNORM);
}

void tty_stop(struct tty *t)
{
	if (t->stopped)
		return;
	t->stopped = true;
	tty_packet_status(t, TIOCPKT_STOP, TIOCPKT_START);
}

void tty_start(struct tty *t)
{
	if (!t->stopped || t->tco_stopped)
		return;
	t->stopped = false;
	tty_packet_status(t, TIOCPKT_START, TIOCPKT_STOP);
	if (t->out.len)
		t->driver->output(t);
	wake_up_poll(&t->write_wait, POLLOUT | POLLWRNORM);
}

/* ---- settings ---- */

static void make_special(struct tty *t)
{
	static const u8 canon[] = { VERASE, VKILL, VEOF, VEOL }, extended[] = { VWERASE, VLNEXT, VEOL2 };
	static const u8 signals[] = { VINTR, VQUIT, VSUSP };
	const u8 *cc = t->termios.cc;
	u64 *map = t->n.special;

	memset(map, 0, sizeof(t->n.special));
	if (i(t, IGNCR | ICRNL))
		mark(map, '\r');
	if (i(t, INLCR))
		mark(map, '\n');
	if (l(t, ICANON)) {
		for (size_t k = 0; k < sizeof(canon); k++)
			mark(map, cc[canon[k]]);
		mark(map, '\n');
		for (size_t k = 0; l(t, IEXTEN) && k < sizeof(extended); k++)
			mark(map, cc[extended[k]]);
		if (l(t, IEXTEN) && l(t, ECHO))
			mark(map, cc[VREPRINT]);
	}
	if (i(t, IXON)) {
		mark(map, cc[VSTART]);
		mark(map, cc[VSTOP]);
	}
	for (size_t k = 0; l(t, ISIG) && k < sizeof(signals); k++)
		mark(map, cc[signals[k]]);
	unmark(map, DISABLED);
}

void n_tty_set_termios(struct tty *t, const struct termios2 *old)
{
	struct n_tty *n = &t->n;

	if (!old || ((old->lflag ^ t->termios.lflag) & (ICANON | EXTPROC))) {
		memset(n->eol, 0, sizeof(n->eol));
		n->line_start = n->tail;
		if (!l(t, ICANON) || n->head == n->tail) {
			n->canon = n->tail;
			n->push = false;
		} else {
			/* what was received in raw mode can be read as a line */
			mark(n->eol, (n->head - 1) % N_TTY_BUF);
			n->canon = n->head;
			n->push = true;
		}
		n->erasing = n->lnext = false;
	}
	n->raw = !i(t, ISTRIP | IUCLC | IGNCR | ICRNL | INLCR | IXON | PARMRK) && !l(t, ICANON | ISIG | ECHO);
	make_special(t);
	if (!i(t, IXON) && old && (old->iflag & IXON) && !t->tco_stopped) {
		tty_start(t);
		echo_process(t);
	}
	wake_up_all(&t->read_wait);
	wake_up_all(&t->write_wait);
}

void n_tty_flush_input(struct tty *t)
{
	struct n_tty *n = &t->n;

	n->head = n->tail = n->canon = n->line_start = 0;
	n->erasing = false;
	n->push = false;
	memset(n->eol, 0, sizeof(n->eol));
	ring_cut(&t->in, 0);
	/* there is room again */
	wake_up_all(&t->master_wait);
	tty_packet_status(t, TIOCPKT_FLUSHREAD, 0);
}

/* ---- editing ---- */

static void store(struct n_tty *n, u8 c)
{
	AT(n, n->head) = c;
	n->head++;
}

static void finish_erasing(struct tty *t)
{
	if (t->n.erasing) {
		echo_byte(t, '/');
		t->n.erasing = false;
	}
}

static void echo_erased_tab(struct tty *t)
{
	struct n_tty *n = &t->n;
	u32 columns = 0;
	bool after_tab = false;

	for (u32 at = n->head; at != n->canon;) {
		u8 c = AT(n, --at);

		if (c == '\t') {
			after_tab = true;
			break;
		}
		if (tty_is_control(c))
			columns += l(t, ECHOCTL) ? 2 : 0;
		else if (!tty_is_continuation(t, c))
			columns++;
	}
	echo_op(t, (u16)(ECHO_ERASE_TAB | (columns & 7) | (after_tab ? 0x80 : 0)));
}

static void echo_rubout(struct tty *t)
{
	echo_byte(t, '\b');
	echo_byte(t, ' ');
	echo_byte(t, '\b');
}

/* The character at n->head, of @len bytes, was erased by @what. */
static void echo_erased(struct tty *t, u8 c, u32 len, u8 what)
{
	struct n_tty *n = &t->n;

	if (l(t, ECHOPRT)) {
		if (!n->erasing) {
			echo_byte(t, '\\');
			n->erasing = true;
		}
		echo_char(t, c);
		for (u32 k = 1; k < len; k++) {
			echo_byte(t, AT(n, n->head + k));
			echo_op(t, ECHO_MOVE_BACK);
		}
	} else if (what == VERASE && !l(t, ECHOE)) {
		echo_char(t, t->termios.cc[VERASE]);
	} else if (c == '\t') {
		echo_erased_tab(t);
	} else if (!tty_is_control(c)) {
		echo_rubout(t);
	} else if (l(t, ECHOCTL)) {
		echo_rubout(t);
		echo_rubout(t);
	}
}

/* Return: false: the kill was done without erasing what is on the screen */
static bool kill_visibly(struct tty *t)
{
	struct n_tty *n = &t->n;

	if (l(t, ECHO) && l(t, ECHOK) && l(t, ECHOKE) && l(t, ECHOE))
		return true;
	n->head = n->canon;
	if (l(t, ECHO)) {
		finish_erasing(t);
		echo_char(t, t->termios.cc[VKILL]);
		if (l(t, ECHOK))
			echo_byte(t, '\n');
	}
	return false;
}

static void erase(struct tty *t, u8 key)
{
	struct n_tty *n = &t->n;
	u8 what = key == t->termios.cc[VERASE] ? VERASE : key == t->termios.cc[VWERASE] ? VWERASE : VKILL;
	bool word = false;

	if (n->head == n->canon)
		return;
	if (what == VKILL && !kill_visibly(t))
		return;
	while (n->head != n->canon) {
		u32 head = n->head, len;
		u8 c;

		do
			c = AT(n, --head);
		while (tty_is_continuation(t, c) && head != n->canon);
		if (tty_is_continuation(t, c))
			break;		/* its beginning was read already */
		if (what == VWERASE) {
			if (is_alnum(c) || c == '_')
				word = true;
			else if (word)
				break;
		}
		len = n->head - head;
		n->head = head;
		if (l(t, ECHO))
			echo_erased(t, c, len, what);
		if (what == VERASE)
			break;
	}
	if (n->head == n->canon && l(t, ECHO))
		finish_erasing(t);
}

static void reprint(struct tty *t, u8 c)
{
	finish_erasing(t);
	echo_char(t, c);
	echo_byte(t, '\n');
	for (u32 at = t->n.canon; at != t->n.head; at++)
		echo_char(t, AT(&t->n, at));
	echo_commit(t);
}

/* ---- received characters ---- */

static void plain(struct tty *t, u8 c)
{
	struct n_tty *n = &t->n;

	if (l(t, ECHO)) {
		finish_erasing(t);
		if (n->canon == n->head)
			echo_op(t, ECHO_SET_CANON);
		echo_char(t, c);
		echo_commit(t);
	}
	if (c == 0xff && i(t, PARMRK))
		store(n, c);
	store(n, c);
}

static void restart_output(struct tty *t)
{
	if (t->stopped && !t->tco_stopped && i(t, IXON) && i(t, IXANY)) {
		tty_start(t);
		echo_process(t);
	}
}

static void signal_key(struct tty *t, int sig, u8 c)
{
	tty_signal_pgrp(t, sig);
	if (!l(t, NOFLSH)) {
		struct ring in = t->in;

		echo_forget(t);
		tty_output_flush(t);
		/* a pty's master has not seen what was echoed for the same piece of input either */
		ring_cut(&t->out, t->before_input);
		/* what came after this key stays */
		t->in.len = 0;
		n_tty_flush_input(t);
		t->in = in;
		tty_packet_status(t, TIOCPKT_FLUSHWRITE, 0);
	}
	if (i(t, IXON))
		tty_start(t);
	if (l(t, ECHO)) {
		echo_char(t, c);
		echo_commit(t);
	} else {
		echo_process(t);
	}
}

static void line_end(struct tty *t, u8 c)
{
	struct n_tty *n = &t->n;

	mark(n->eol, n->head % N_TTY_BUF);
	store(n, c);
	n->canon = n->head;
	wake_up_poll(&t->read_wait, POLLIN | POLLRDNORM);
}

/* Return: true when that was all about @c */
static bool canonical(struct tty *t, u8 c)
{
	const u8 *cc = t->termios.cc;

	if (c == cc[VERASE] || c == cc[VKILL] || (c == cc[VWERASE] && l(t, IEXTEN))) {
		erase(t, c);
		echo_commit(t);
		return true;
	}
	if (c == cc[VLNEXT] && l(t, IEXTEN)) {
		t->n.lnext = true;
		if (l(t, ECHO)) {
			finish_erasing(t);
			if (l(t, ECHOCTL)) {
				echo_byte(t, '^');
				echo_byte(t, '\b');
				echo_commit(t);
			}
		}
		return true;
	}
	if (c == cc[VREPRINT] && l(t, ECHO) && l(t, IEXTEN)) {
		reprint(t, c);
		return true;
	}
	if (c == '\n') {
		if (l(t, ECHO | ECHONL)) {
			echo_byte(t, '\n');
			echo_commit(t);
		}
		line_end(t, c);
		return true;
	}
	if (c == cc[VEOF]) {
		line_end(t, DISABLED);
		return true;
	}
	if (c == cc[VEOL] || (c == cc[VEOL2] && l(t, IEXTEN))) {
		if (l(t, ECHO)) {
			if (t->n.canon == t->n.head)
				echo_op(t, ECHO_SET_CANON);
			echo_char(t, c);
			echo_commit(t);
		}
		if (c == 0xff && i(t, PARMRK))
			store(&t->n, c);
		line_end(t, c);
		return true;
	}
	return false;
}

static void special(struct tty *t, u8 c)
{
	const u8 *cc = t->termios.cc;

	if (i(t, IXON) && (c == cc[VSTART] || c == cc[VSTOP])) {
		if (c == cc[VSTART]) {
			tty_start(t);
			echo_process(t);
		} else {
			tty_stop(t);
		}
		return;
	}
	if (l(t, ISIG)) {
		int sig = c == cc[VINTR] ? SIGINT : c == cc[VQUIT] ? SIGQUIT : c == cc[VSUSP] ? SIGTSTP : 0;

		if (sig) {
			signal_key(t, sig, c);
			return;
		}
	}
	restart_output(t);
	if (c == '\r') {
		if (i(t, IGNCR))
			return;
		if (i(t, ICRNL))
			c = '\n';
	} else if (c == '\n' && i(t, INLCR)) {
		c = '\r';
	}
	if (l(t, ICANON) && canonical(t, c))
		return;
	/* a newline that came as one, or was made one, is echoed as it is */
	if (l(t, ECHO) && c == '\n') {
		finish_erasing(t);
		echo_byte(t, c);
		echo_commit(t);
		store(&t->n, c);
		return;
	}
	plain(t, c);
}

static void receive(struct tty *t, u8 c)
{
	bool quoted = t->n.lnext;

	if (t->n.raw || (l(t, EXTPROC) && !i(t, ISTRIP) && !(i(t, IUCLC) && l(t, IEXTEN)))) {
		store(&t->n, c);
		return;
	}
	t->n.lnext = false;
	if (i(t, ISTRIP))
		c &= 0x7f;
	if (i(t, IUCLC) && l(t, IEXTEN))
		c = lower(c);
	if (!quoted && l(t, EXTPROC)) {
		store(&t->n, c);
	} else if (!quoted && test(t->n.special, c)) {
		special(t, c);
	} else {
		restart_output(t);
		plain(t, c);
	}
}

/*
 * How many characters may come. In canonical mode without a complete line a full buffer would be the end: the last character is
 * given up for the next one then, which may be the line's end.
 */
static u32 room(struct tty *t)
{
	struct n_tty *n = &t->n;
	s32 space = (s32)(N_TTY_BUF - (n->head - n->tail));

	if (i(t, PARMRK))
		space = (space + 2) / 3;
	space--;
	if (space > 0)
		return (u32)space;
	if (!l(t, ICANON) || n->canon != n->tail)
		return 0;
	if (space < 0)
		n->head--;
	return 1;
}

void n_tty_receive(struct tty *t)
{
	bool some = false;
	u32 nr;

	t->before_input = t->out.len;
	while (t->in.len && (nr = room(t))) {
		nr = min(nr, t->in.len);
		while (nr--) {
			const u8 *p;
			u8 c;

			(void)ring_peek(&t->in, &p);
			c = *p;
			ring_drop(&t->in, 1);
			receive(t, c);
		}
		echo_flush(t);
		some = true;
	}
	if (!some)
		return;
	if (n_tty_input_available(t, false))
		wake_up_poll(&t->read_wait, POLLIN | POLLRDNORM);
	wake_up_poll(&t->master_wait, POLLOUT | POLLWRNORM);
}

/* ---- what readers get ---- */

static bool by_line(const struct tty *t)
{
	return (t->termios.lflag & (ICANON | EXTPROC)) == ICANON;
}

bool n_tty_input_available(const struct tty *t, bool poll)
{
	u8 min = t->termios.cc[VMIN];

	if (by_line(t))
		return t->n.canon != t->n.tail;
	return t->n.head - t->n.tail >= (poll && !t->termios.cc[VTIME] && min ? min : 1u);
}

/* FIONREAD: in canonical mode without the marks that stand for end of file */
u32 n_tty_inq(const struct tty *t)
{
	const struct n_tty *n = &t->n;
	u32 nr = n->canon - n->tail;

	if (!by_line(t))
		return n->head - n->tail;
	for (u32 at = n->tail; at != n->canon; at++)
		if (test(n->eol, at % N_TTY_BUF) && AT(n, at) == DISABLED)
			nr--;
	return nr;
}

bool n_tty_canon_copy(struct tty *t, u8 *dst, u32 want, u32 *got)
{
	struct n_tty *n = &t->n;
	/* one more is looked at: an end of file right behind what is wanted goes with it */
	u32 limit = min(n->canon - n->tail, want + 1), len = 0;
	bool end = false;

	while (len < limit && !(end = test(n->eol, (n->tail + len) % N_TTY_BUF)))
		len++;
	*got = len;
	if (end && AT(n, n->tail + len) != DISABLED) {
		*got = ++len;
	} else if (end) {
		len++;
	}
	if (*got > want) {
		*got = len = want;
		end = false;
	}
	for (u32 k = 0; k < *got; k++)
		dst[k] = AT(n, n->tail + k);
	if (end)
		unmark(n->eol, (n->tail + len - 1) % N_TTY_BUF);
	n->tail += len;
	if (end) {
		if (!n->push)
			n->line_start = n->tail;
		n->push = false;
	}
	return !end;
}

u32 n_tty_raw_copy(struct tty *t, u8 *dst, u32 want)
{
	struct n_tty *n = &t->n;
	u32 len = min(want, n->head - n->tail);

	for (u32 k = 0; k < len; k++)
		dst[k] = AT(n, n->tail + k);
	n->tail += len;
	/* behind EXTPROC, a lonely end of file character is one */
	if (l(t, EXTPROC) && l(t, ICANON) && len == 1 && dst[0] == t->termios.cc[VEOF])
		return 0;
	return len;
}
