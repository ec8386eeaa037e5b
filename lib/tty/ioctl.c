// SPDX-License-Identifier: MIT
/* ioctl_tty(2) */
#include "tty/tty.h"

#include "base/string.h"
#include "fs/vfs.h"
#include "process/cred.h"

/* ---- settings ---- */

static const u32 speeds[] = {
	0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
	/* CBAUDEX */
	0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000,
	4000000,
};

/* What the baud bits of c_cflag stand for; BOTHER: what the caller says. */
static u32 speed_of(u32 bits, u32 other)
{
	u32 nr = bits & 0xf;

	if (bits & BOTHER)
		return nr ? speeds[16 + nr] : other;
	return speeds[nr];
}

static void set_speeds(struct termios2 *n)
{
	u32 in = n->cflag >> IBSHIFT & CBAUD;

	n->ospeed = speed_of(n->cflag & CBAUD, n->ospeed);
	n->ispeed = in ? speed_of(in, n->ispeed) : n->ospeed;
}

static bool usual_flow(const struct termios2 *s)
{
	return (s->iflag & IXON) && s->cc[VSTOP] == 023 && s->cc[VSTART] == 021;
}

static void tell_master(struct tty *t, const struct termios2 *old)
{
	bool was = usual_flow(old), is = usual_flow(&t->termios);

	if (was != is)
		tty_packet_status(t, is ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
	if ((old->lflag | t->termios.lflag) & EXTPROC)
		tty_packet_status(t, TIOCPKT_IOCTL, 0);
}

static void set_termios(struct tty *t, const struct termios2 *new)
{
	struct termios2 old = t->termios;

	t->termios = *new;
	if (t->is_pty)
		t->termios.cflag = (new->cflag & ~(CSIZE | PARENB)) | CS8 | CREAD;
	tell_master(t, &old);
	n_tty_set_termios(t, &old);
	n_tty_receive(t);
}

/* Until what was written is with the other side; a pty's master has it at once. */
static int drain(struct tty *t)
{
	if (t->is_pty)
		return 0;
	return wait_event_interruptible(&t->write_wait, !READ_ONCE(t->out.len) && !READ_ONCE(t->in_flight));
}

enum layout { TERMIO, TERMIOS, TERMIOS2 };

static int get_settings(struct termios2 *new, const struct termios2 *old, u64 arg, enum layout layout)
{
	struct termios1 s;
	struct termio a;

	*new = *old;
	switch (layout) {
	case TERMIO:
		if (get_user(a, arg))
			return -EFAULT;
		new->iflag = (old->iflag & 0xffff0000u) | a.iflag;
		new->oflag = (old->oflag & 0xffff0000u) | a.oflag;
		new->cflag = (old->cflag & 0xffff0000u) | a.cflag;
		new->lflag = (old->lflag & 0xffff0000u) | a.lflag;
		new->line = a.line;
		memcpy(new->cc, a.cc, sizeof(a.cc));
		break;
	case TERMIOS:
		if (get_user(s, arg))
			return -EFAULT;
		memcpy(new, &s, sizeof(s));
		break;
	case TERMIOS2:
		if (get_user(*new, arg))
			return -EFAULT;
		break;
	}
	set_speeds(new);
	return 0;
}

static long put_settings(struct tty *t, u64 arg, enum layout layout)
{
	struct termios2 s;
	struct termios1 s1;
	struct termio a;

	mutex_lock(&t->lock);
	s = t->termios;
	mutex_unlock(&t->lock);
	switch (layout) {
	case TERMIO:
		a = (struct termio){ (u16)s.iflag, (u16)s.oflag, (u16)s.cflag, (u16)s.lflag, s.line, { 0 } };
		memcpy(a.cc, s.cc, sizeof(a.cc));
		return put_user(a, arg);
	case TERMIOS:
		memcpy(&s1, &s, sizeof(s1));
		return put_user(s1, arg);
	default:
		return put_user(s, arg);
	}
}

/* @when: 0 now, 1 after output is drained, 2 and input is thrown away */
static long change_settings(struct tty *t, u64 arg, enum layout layout, u32 when)
{
	struct termios2 new;
	int ret = tty_check_change(t, SIGTTOU);

	if (ret)
		return ret;
	ret = get_settings(&new, &t->termios, arg, layout);
	if (ret)
		return ret;
	if (when == 2) {
		mutex_lock(&t->lock);
		n_tty_flush_input(t);
		mutex_unlock(&t->lock);
	}
	if (when) {
		ret = drain(t);
		if (ret)
			return ret;
	}
	mutex_lock(&t->lock);
	set_termios(t, &new);
	mutex_unlock(&t->lock);
	return 0;
}

/* ---- sizes ---- */

void tty_set_winsize(struct tty *t, const struct winsize *ws)
{
	bool same;

	mutex_lock(&t->lock);
	same = !memcmp(&t->winsize, ws, sizeof(*ws));
	t->winsize = *ws;
	mutex_unlock(&t->lock);
	if (!same)
		tty_signal_pgrp(t, SIGWINCH);
}

static long set_winsize(struct tty *t, u64 arg)
{
	struct winsize ws;

	if (get_user(ws, arg))
		return -EFAULT;
	tty_set_winsize(t, &ws);
	return 0;
}

/* ---- flow ---- */

/* Past output that ^S stopped; what TCOOFF stopped holds it back as well, and so it is lost. */
static void send_flow_char(struct tty *t, u8 c)
{
	if (t->stopped)
		tty_packet_status(t, TIOCPKT_START, TIOCPKT_STOP);
	tty_put_raw(t, c);
	if (t->stopped)
		tty_packet_status(t, TIOCPKT_STOP, TIOCPKT_START);
}

static long flow(struct tty *t, u64 arg, bool master)
{
	int ret = master ? 0 : tty_check_change(t, SIGTTOU);
	u8 c;

	if (ret)
		return ret;
	mutex_lock(&t->lock);
	switch (arg) {
	case 0:		/* TCOOFF */
	case 1:		/* TCOON */
		if (master) {
			t->master_stopped = !arg;
		} else if (!arg && !t->tco_stopped) {
			t->tco_stopped = true;
			tty_stop(t);
		} else if (arg && t->tco_stopped) {
			t->tco_stopped = false;
			tty_start(t);
		}
		break;
	case 2:		/* TCIOFF */
	case 3:		/* TCION */
		c = t->termios.cc[arg == 2 ? VSTOP : VSTART];
		if (c && !master && !t->tco_stopped)
			send_flow_char(t, c);
		break;
	default:
		ret = -EINVAL;
	}
	mutex_unlock(&t->lock);
	wake_up_all(&t->master_wait);
	return ret;
}

static long flush(struct tty *t, u64 arg, bool master)
{
	int ret = master ? 0 : tty_check_change(t, SIGTTOU);

	if (ret)
		return ret;
	if (arg > 2)
		return -EINVAL;
	mutex_lock(&t->lock);
	if (master) {
		/* the master's input is our output */
		if (arg != 1)
			ring_cut(&t->out, 0);
		if (arg != 0)
			ring_cut(&t->in, 0);
	} else {
		if (arg != 1) {
			n_tty_flush_input(t);
			n_tty_receive(t);
		}
		if (arg != 0) {
			tty_output_flush(t);
			tty_packet_status(t, TIOCPKT_FLUSHWRITE, 0);
		}
	}
	mutex_unlock(&t->lock);
	wake_up_poll(&t->write_wait, POLLOUT | POLLWRNORM);
	wake_up_all(&t->master_wait);
	return 0;
}

static long count(struct tty *t, u64 arg, bool master)
{
	s32 n;

	mutex_lock(&t->lock);
	n = (s32)(master ? min(t->out.len, N_TTY_BUF - 1) : n_tty_inq(t));
	mutex_unlock(&t->lock);
	return put_user(n, arg);
}

static long exclusive(struct tty *t, bool on)
{
	mutex_lock(&t->lock);
	t->exclusive = on;
	mutex_unlock(&t->lock);
	return 0;
}

static long soft_carrier(struct tty *t, u64 arg)
{
	s32 on;

	if (get_user(on, arg))
		return -EFAULT;
	mutex_lock(&t->lock);
	t->termios.cflag = on ? t->termios.cflag | 04000 : t->termios.cflag & ~04000u;	/* CLOCAL */
	mutex_unlock(&t->lock);
	return 0;
}

static long send_break(struct tty *t, bool wait)
{
	int ret = tty_check_change(t, SIGTTOU);

	/* nobody hears a break here */
	return ret ? ret : wait ? drain(t) : 0;
}

static long any_ioctl(struct tty *t, struct file *f, u32 cmd, u64 arg, bool master)
{
	switch (cmd) {
	case TCGETS:		return put_settings(t, arg, TERMIOS);
	case TCGETS2:		return put_settings(t, arg, TERMIOS2);
	case TCGETA:		return put_settings(t, arg, TERMIO);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:		return change_settings(t, arg, TERMIOS, cmd - TCSETS);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:		return change_settings(t, arg, TERMIOS2, cmd - TCSETS2);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:		return change_settings(t, arg, TERMIO, cmd - TCSETA);
	case TCSBRK:		return send_break(t, arg != 0);
	case TCSBRKP:
	case TIOCSBRK:
	case TIOCCBRK:		return send_break(t, false);
	case TCXONC:		return flow(t, arg, master);
	case TCFLSH:		return flush(t, arg, master);
	case TIOCINQ:		return count(t, arg, master);
	case TIOCOUTQ:		return put_user(t->is_pty ? 0 : (s32)(READ_ONCE(t->out.len) + READ_ONCE(t->in_flight)), arg);
	case TIOCGWINSZ:	return put_user(t->winsize, arg);
	case TIOCSWINSZ:	return set_winsize(t, arg);
	case TIOCGPGRP:		return tty_get_pgrp(t, master, arg);
	case TIOCSPGRP:		return tty_set_pgrp(t, arg);
	case TIOCGSID:		return tty_get_session(t, master, arg);
	case TIOCSCTTY:		return master ? -ENOTTY : tty_set_controlling(t, f, arg);
	case TIOCNOTTY:		return tty_give_up(t);
	case TIOCEXCL:		return exclusive(t, true);
	case TIOCNXCL:		return exclusive(t, false);
	case TIOCGEXCL:		return put_user((s32)t->exclusive, arg);
	case TIOCGSOFTCAR:	return put_user((s32)!!(t->termios.cflag & 04000), arg);
	case TIOCSSOFTCAR:	return soft_carrier(t, arg);
	case TIOCGETD:		return put_user((s32)0, arg);
	case TIOCGDEV:		return put_user((u32)dev_make(t->driver->major, t->driver->minor + t->index), arg);
	case TIOCSTI:		return -EIO;	/* as Linux with dev.tty.legacy_tiocsti off */
	case TIOCVHANGUP:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		tty_hangup(t);
		return 0;
	}
	return t->is_pty ? pty_ioctl(t, f, cmd, arg, master) : -ENOTTY;
}

long tty_ioctl(struct file *f, u32 cmd, u64 arg)
{
	struct tty_file *tf = f->priv;

	if (READ_ONCE(tf->tty->generation) != tf->generation && !tf->master)
		return cmd == TIOCSPGRP ? -ENOTTY : -EIO;
	return any_ioctl(tf->tty, f, cmd, arg, tf->master);
}
