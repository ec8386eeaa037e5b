/* SPDX-License-Identifier: MIT */
/*
 * Terminals: pseudo terminals, and the console behind which the runner's own terminal is.
 *
 * A struct tty is the program's side (of a pty: the slave) with its line discipline, N_TTY. Bytes from the other side (the pty's
 * master, the runner's terminal) go through tty->in into the line discipline as long as that has room; what programs write and
 * what is echoed goes through the output rules into tty->out, where the other side takes it.
 *
 * Locks: tty->lock guards all but what is marked otherwise; tasklist_lock nests inside (signals from keys); pty_lock too.
 * A file's priv is a struct tty_file, so a hangup can make all that are open useless: their generation is an old one.
 */
#ifndef LIB_TTY_TTY_H
#define LIB_TTY_TTY_H

#include "fs/file.h"
#include "process/fork.h"
#include "tty/termios.h"

/* ---- a queue of bytes that grows from a page up to its limit ---- */

struct ring {
	u8 *buf;
	u32 size, head, len, max;	/* size and max are powers of two */
};
u32 ring_room(const struct ring *r);
/* ring_put() - all of @len, which ring_room() has. Return: false: no memory, nothing was put */
bool ring_put(struct ring *r, const u8 *p, u32 len);
/* ring_peek() - contiguous bytes at the front. Return: how many */
u32 ring_peek(const struct ring *r, const u8 **p);
void ring_drop(struct ring *r, u32 len);
/* ring_cut() - forget what was put last */
void ring_cut(struct ring *r, u32 keep);
void ring_free(struct ring *r);

/* ---- the line discipline ---- */

#define N_TTY_BUF	4096u
#define ECHO_BUF	4096u

struct n_tty {
	u8 buf[N_TTY_BUF];
	u64 eol[N_TTY_BUF / 64];	/* which of them end a line */
	/* counters that only grow; the place is the number modulo N_TTY_BUF */
	u32 head, tail;			/* what is received, what is read */
	u32 canon;			/* canonical mode: the end of the last complete line */
	u32 line_start;			/* where the line that is being read began */
	bool push;			/* the line in eol was made by leaving raw mode */
	bool lnext, erasing;
	u64 special[4];			/* characters that mean something with these settings */
	bool raw;			/* nothing means anything */
	u16 echo[ECHO_BUF];		/* bytes, and ECHO_* */
	u32 echo_head, echo_commit, echo_mark, echo_tail;
	u32 column, canon_column;
};

#define TTY_IN_MAX	16384u
#define TTY_OUT_MAX	16384u

struct tty_driver {
	u32 major, minor;	/* of number 0 */
	/* output that tty->out has now, or room in tty->in; tty->lock is held */
	void (*output)(struct tty *t);
	/* the last reference went */
	void (*release)(struct tty *t);
};

struct tty {
	ref_t ref;
	struct mutex lock;
	const struct tty_driver *driver;
	u32 index;
	struct termios2 termios;
	struct winsize winsize;
	struct n_tty n;
	struct ring in, out;
	bool stopped, tco_stopped;	/* output: by ^S, by TCXONC */
	bool master_stopped;		/* a pty: TCXONC at the master */
	bool exclusive;
	u32 in_flight;			/* the console: bytes that were taken out of out and are not written yet */
	u32 before_input;		/* bytes in out when the input that is being looked at began */
	u32 opens;			/* files of the program's side */
	u32 generation;			/* counts hangups */
	struct wait_queue read_wait, write_wait;
	/* guarded by tasklist_lock; each one use, or NULL */
	struct pid *session, *pgrp;
	/* ptys */
	bool is_pty, master_open, locked, no_slave;	/* no_slave: the last one closed: the master reads EIO */
	bool packet;
	u8 pktstatus;
	struct wait_queue master_wait;	/* readers and pollers of the master, who writes to it */
	struct inode *inode;		/* of /dev/pts/N; a reference as long as the master is open */
	struct list node;		/* of all ptys; guarded by pty_lock */
	void *priv;			/* the driver's */
};

struct tty_file {
	struct tty *tty;	/* a reference */
	u32 generation;
	bool master;
};

__must_check struct tty *tty_alloc(const struct tty_driver *driver, u32 index);
static inline void tty_get(struct tty *t) { ref_get(&t->ref); }
void tty_put(struct tty *t);

/* tty_open_file() - make @f one of the program's side of @t, or the master's; takes a reference. Return: 0, -ENOMEM, -EIO, -EBUSY */
int tty_open_file(struct tty *t, struct file *f, bool master);
struct tty *file_tty(struct file *f);		/* NULL: not a terminal; no reference */
extern const struct file_ops tty_file_ops, pty_master_ops;

/* n_tty.c: all with t->lock held */
void n_tty_set_termios(struct tty *t, const struct termios2 *old);
void n_tty_flush_input(struct tty *t);
/* n_tty_receive() - move what fits from t->in into the line discipline */
void n_tty_receive(struct tty *t);
bool n_tty_input_available(const struct tty *t, bool poll);
u32 n_tty_inq(const struct tty *t);
void tty_start(struct tty *t);
void tty_stop(struct tty *t);
void tty_packet_status(struct tty *t, u8 set, u8 clear);
/* n_tty_canon_copy() - up to @want bytes of the first line, to @dst. Return: true: the line goes on */
bool n_tty_canon_copy(struct tty *t, u8 *dst, u32 want, u32 *got);
u32 n_tty_raw_copy(struct tty *t, u8 *dst, u32 want);

/* output.c: all with t->lock held */
bool tty_is_control(u8 c);
bool tty_is_continuation(const struct tty *t, u8 c);
void echo_byte(struct tty *t, u8 c);		/* as it is */
void echo_char(struct tty *t, u8 c);		/* control characters as ECHOCTL says */
void echo_op(struct tty *t, u16 op);
void echo_commit(struct tty *t);		/* more may follow soon */
void echo_process(struct tty *t);		/* what is committed, now */
void echo_flush(struct tty *t);			/* all, now */
void echo_forget(struct tty *t);
/* tty_output() - through the output rules. Return: how many of @len were taken */
u32 tty_output(struct tty *t, const u8 *p, u32 len);
/* tty_put_raw() - past the rules, even when output is stopped (XON, XOFF) */
void tty_put_raw(struct tty *t, u8 c);
void tty_output_flush(struct tty *t);		/* TCOFLUSH */
#define ECHO_MOVE_BACK		0x100u		/* the column goes one back */
#define ECHO_SET_CANON		0x200u		/* the line's first character stands here */
#define ECHO_ERASE_TAB		0x400u		/* low 8 bits: columns since the start, or 0x80: since a tab */
#define ECHO_CONTROL		0x800u		/* low 8 bits: a character that is shown as ^X */

/* job.c; tty_job_init(): from now on the end of a session is noticed */
void tty_job_init(void);
void tty_take(struct tty *t);			/* controlling terminal of the current process, a session leader */
int tty_check_change(struct tty *t, int sig);	/* job control. Return: 0, -EIO, -ERESTARTSYS */
void tty_open_controlling(struct tty *t, struct file *f);
long tty_set_controlling(struct tty *t, struct file *f, u64 arg);	/* TIOCSCTTY */
long tty_give_up(struct tty *t);		/* TIOCNOTTY */
long tty_get_pgrp(struct tty *t, bool master, u64 arg);
long tty_set_pgrp(struct tty *t, u64 arg);
long tty_get_session(struct tty *t, bool master, u64 arg);
void tty_signal_pgrp(struct tty *t, int sig);
/* tty_hangup() - no lock held: all that have it open see its end, the session gets SIGHUP */
void tty_hangup(struct tty *t);
/* tty_forget_sessions() - nobody has it as controlling terminal any more */
void tty_forget_sessions(struct tty *t);
__must_check struct tty *tty_current(void);	/* the current process's, with a reference, or NULL */

/* ioctl.c */
long tty_ioctl(struct file *f, u32 cmd, u64 arg);
long pty_ioctl(struct tty *t, struct file *f, u32 cmd, u64 arg, bool master);	/* pty.c: -ENOTTY: not one of these */
void tty_set_winsize(struct tty *t, const struct winsize *ws);

/* devpts.c */
__must_check struct super *devpts_super(void);
__must_check struct inode *devpts_inode(u32 index);	/* owner is the current task */
int devpts_open_peer(struct tty *t, u32 flags);		/* TIOCGPTPEER. Return: a descriptor */
/* pty.c: for devpts. pty_find(): a reference or NULL; pty_next(): the first number >= @from, or -1 */
__must_check struct tty *pty_find(u32 index);
int pty_next(u32 from);
void pty_init(void);
#define PTY_MAX		4096u
#define PTS_MAJOR	136u
#define TTYAUX_MAJOR	5u

/* tty_init() - at boot, after vfs_init(): drivers, /dev/ptmx, /dev/pts, /dev/console. Return: 0 or -errno */
int tty_init(void);
/* tty_devices() - the latter three once more, for a /dev that covers the first one */
int tty_devices(void);

#endif
