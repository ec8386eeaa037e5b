// SPDX-License-Identifier: MIT
/*
 * Ten thousand pseudo-random lives of a pseudo terminal, on this machine's kernel and in the library kernel: settings, keys, output,
 * reads, flushes, stops, packet mode. Every answer and every byte must be the same.
 *
 * Linux moves bytes between the two ends in a worker, so what a call finds there depends on when it looks. Each step therefore waits until
 * both ends hold as much as ours do, for a moment; and a script that went differently is played again, slowly, before it counts.
 */
#include "tty_env.h"

#include <errno.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>

#define SCRIPTS		10000
#define STEPS		14
#define WAIT_US		2000
#define SLOW_US		20000
#define TEXT		40

enum { KEYS, OUTPUT, READ, MASTER_READ, SET, FLUSH, FLOW, PACKET, COUNT, NR_KINDS };

struct step {
	int kind;
	u32 len, cmd, arg;
	u8 text[TEXT];
	struct termios2 t;
};

struct end {
	bool native;
	int m, s;
};

struct answer {
	long ret;
	long in, out;		/* bytes that the slave can read, the master can */
	u8 text[256];
};

/* ---- the two kernels ---- */

static long ret_of(long r) { return r < 0 ? -errno : r; }

static long do_read(const struct end *e, int fd, void *buf, size_t len)
{
	return e->native ? ret_of(syscall(SYS_read, fd, buf, len)) : CALL(read, fd, buf, len);
}

static long do_write(const struct end *e, int fd, const void *buf, size_t len)
{
	return e->native ? ret_of(syscall(SYS_write, fd, buf, len)) : CALL(write, fd, buf, len);
}

static long do_ioctl(const struct end *e, int fd, u32 cmd, u64 arg)
{
	return e->native ? ret_of(syscall(SYS_ioctl, fd, cmd, arg)) : CALL(ioctl, fd, cmd, arg);
}

static bool open_end(struct end *e)
{
	char name[32];
	int n, unlock = 0;

	if (!e->native) {
		tty_pair(&e->m, &e->s);
		return true;
	}
	e->m = (int)syscall(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
	if (e->m < 0)
		return false;
	do_ioctl(e, e->m, TIOCSPTLCK, (u64)&unlock);
	do_ioctl(e, e->m, TIOCGPTN, (u64)&n);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	e->s = (int)syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
	return e->s >= 0;
}

static void close_end(struct end *e)
{
	if (e->native) {
		close(e->s);
		close(e->m);
	} else {
		CALL(close, e->s);
		CALL(close, e->m);
	}
}

static void count(const struct end *e, struct answer *a)
{
	s32 in = -1, out = -1;

	do_ioctl(e, e->s, TIOCINQ, (u64)&in);
	do_ioctl(e, e->m, TIOCINQ, (u64)&out);
	a->in = in;
	a->out = out;
}

/* ---- scripts ---- */

static u8 random_key(u64 *seed)
{
	static const u8 special[] = { 3, 28, 127, 21, 4, 17, 19, 26, 18, 15, 23, 22, '\r', '\n', '\t', '\\', 0, ' ', '\n', 127, 23, 4, 8, 1, '_' };
	u32 r = env_random(seed) % 100;

	if (r < 45)
		return (u8)('a' + env_random(seed) % 26);
	if (r < 85)
		return special[env_random(seed) % sizeof(special)];
	if (r < 90)
		return (u8)('A' + env_random(seed) % 26);
	return (u8)env_random(seed);
}

static void random_settings(u64 *seed, struct termios2 *t)
{
	static const u32 iflags = ISTRIP | INLCR | IGNCR | ICRNL | IUCLC | IXON | IXANY | PARMRK | IUTF8 | IMAXBEL;
	static const u32 oflags = OPOST | OLCUC | ONLCR | OCRNL | ONOCR | ONLRET | XTABS;
	static const u32 lflags = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHONL | NOFLSH | ECHOCTL | ECHOPRT | ECHOKE | IEXTEN;

	for (u32 n = env_random(seed) % 4; n; n--) {
		u32 bit = 1u << env_random(seed) % 18;

		t->iflag ^= bit & iflags;
		t->oflag ^= 1u << env_random(seed) % 13 & oflags;
		t->lflag ^= 1u << env_random(seed) % 17 & lflags;
	}
	if (env_random(seed) % 8 == 0)
		t->lflag ^= ICANON;
	if (env_random(seed) % 16 == 0)
		t->cc[VEOL] = env_random(seed) % 2 ? ';' : 0;
	if (env_random(seed) % 16 == 0)
		t->cc[VEOL2] = env_random(seed) % 2 ? '.' : 0;
	if (env_random(seed) % 16 == 0)
		t->cc[VERASE] = env_random(seed) % 2 ? 8 : 127;
	if (env_random(seed) % 32 == 0)
		t->cc[VKILL] = 0;
}

/* @t: the settings so far */
static void random_step(u64 *seed, struct step *s, struct termios2 *t)
{
	static const u8 kinds[] = { KEYS, KEYS, KEYS, KEYS, KEYS, OUTPUT, OUTPUT, READ, READ, READ, MASTER_READ, MASTER_READ, SET, SET, SET,
				    FLUSH, FLOW, PACKET, COUNT };
	u32 r = env_random(seed);

	*s = (struct step){ .kind = kinds[r % sizeof(kinds)] };
	s->len = 1 + env_random(seed) % (r & 0x10000 ? 4 : TEXT);
	for (u32 i = 0; i < s->len; i++)
		s->text[i] = random_key(seed);
	switch (s->kind) {
	case SET:
		random_settings(seed, t);
		s->t = *t;
		s->cmd = env_random(seed) % 6 ? TCSETS2 : TCSETSF2;
		break;
	case FLUSH:
		s->cmd = TCFLSH;
		s->arg = env_random(seed) % 3;
		break;
	case FLOW:
		s->cmd = TCXONC;
		s->arg = env_random(seed) % 4;
		break;
	case PACKET:
		s->arg = env_random(seed) % 2;
		break;
	}
}

static void play_step(const struct end *e, const struct step *s, struct answer *a)
{
	s32 on = (s32)s->arg, n = 0;

	memset(a, 0, sizeof(*a));
	switch (s->kind) {
	case KEYS:
		a->ret = do_write(e, e->m, s->text, s->len);
		break;
	case OUTPUT:
		a->ret = do_write(e, e->s, s->text, s->len);
		break;
	case READ:
		a->ret = do_read(e, e->s, a->text, s->len);
		break;
	case MASTER_READ:
		a->ret = do_read(e, e->m, a->text, s->len * 5);
		break;
	case SET:
		a->ret = do_ioctl(e, e->s, s->cmd, (u64)&s->t);
		break;
	case FLUSH:
	case FLOW:
		a->ret = do_ioctl(e, e->s, s->cmd, s->arg);
		break;
	case PACKET:
		a->ret = do_ioctl(e, e->m, TIOCPKT, (u64)&on);
		break;
	case COUNT:
		a->ret = do_ioctl(e, e->s, TIOCOUTQ, (u64)&n);
		a->text[0] = (u8)n;
		break;
	}
}

/* The worker has done what it will: both ends hold what @want says, or time is up. */
static void settle(const struct end *e, struct answer *a, const struct answer *want, bool slow)
{
	struct pollfd p = { e->s, POLLIN, 0 };

	if (slow)
		usleep(SLOW_US);
	for (u32 us = 0; ; us += 20) {
		poll(&p, 1, 0);		/* without a line this runs the worker's work at once */
		count(e, a);
		if (us >= WAIT_US || (a->in == want->in && a->out == want->out))
			break;
		usleep(20);
	}
	/* with a line there already, more may be on its way that does not show */
	if (a->in > 0 && !slow)
		usleep(50);
}

static bool same(const struct answer *a, const struct answer *b)
{
	return a->ret == b->ret && a->in == b->in && a->out == b->out && !memcmp(a->text, b->text, sizeof(a->text));
}

static void print_text(const char *what, const u8 *p, u32 len)
{
	printf("%s\"", what);
	for (u32 i = 0; i < len; i++)
		printf(p[i] >= 32 && p[i] < 127 ? "%c" : "\\%03o", p[i]);
	printf("\" ");
}

static void print_step(const struct step *s, const struct answer *n, const struct answer *o)
{
	static const char *const names[] = { "keys", "output", "read", "master read", "set", "flush", "flow", "packet", "count" };

	printf("#   %s ", names[s->kind]);
	if (s->kind <= OUTPUT)
		print_text("", s->text, s->len);
	if (s->kind == SET)
		printf("%x: i %o o %o l %o ", s->cmd, s->t.iflag, s->t.oflag, s->t.lflag);
	printf("len %u arg %u: native %ld (%ld, %ld), ours %ld (%ld, %ld) ", s->len, s->arg, n->ret, n->in, n->out, o->ret, o->in, o->out);
	if (s->kind == READ || s->kind == MASTER_READ) {
		print_text("native ", n->text, n->ret > 0 ? (u32)n->ret : 0);
		print_text("ours ", o->text, o->ret > 0 ? (u32)o->ret : 0);
	}
	printf("\n");
}

/* Return: the script went the same. @slow: and say so when it did not */
static bool play(u64 seed, bool slow)
{
	struct end native = { .native = true }, ours = { .native = false };
	struct answer n[STEPS + 2], o[STEPS + 2];
	struct step steps[STEPS + 2];
	struct termios2 t;
	bool ok = true;
	u32 i;

	if (!open_end(&native) || !open_end(&ours))
		abort();
	do_ioctl(&ours, ours.s, TCGETS2, (u64)&t);
	for (i = 0; i < STEPS + 2 && ok; i++) {
		random_step(&seed, &steps[i], &t);
		/* what is left is looked at last */
		if (i >= STEPS)
			steps[i] = (struct step){ .kind = i == STEPS ? READ : MASTER_READ, .len = TEXT };
		play_step(&ours, &steps[i], &o[i]);
		count(&ours, &o[i]);
		play_step(&native, &steps[i], &n[i]);
		settle(&native, &n[i], &o[i], slow);
		ok = same(&n[i], &o[i]);
	}
	if (!ok && slow)
		for (u32 k = 0; k < i; k++)
			print_step(&steps[k], &n[k], &o[k]);
	close_end(&native);
	close_end(&ours);
	return ok;
}

static void ten_thousand_scripts(void)
{
	u64 first = getenv("TTY_SEED") ? strtoull(getenv("TTY_SEED"), NULL, 0) : 1;
	u32 bad = 0, again = 0;

	for (u64 seed = first; seed < first + SCRIPTS && bad < 5; seed++) {
		u64 s = seed * 0x9e3779b97f4a7c15ull;

		if (play(s, false))
			continue;
		again++;
		if (play(s, true))
			continue;
		bad++;
		printf("# script %llu went differently\n", (unsigned long long)seed);
	}
	printf("# %u scripts were played twice\n", again);
	EXPECT_EQ(bad, 0);
}

int main(void)
{
	int probe = (int)syscall(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY);

	if (probe < 0) {
		printf("ok 1 - ten_thousand_scripts # SKIP this machine has no /dev/ptmx for us\n1..1\n");
		return 0;
	}
	close(probe);
	tty_env_boot();
	RUN(ten_thousand_scripts);
	return unit_done();
}
