// SPDX-License-Identifier: MIT
/* Terminals: the line discipline, signals from keys, job control, sizes, hangup. */
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "conform.h"

static int m, s;
static char buf[8192];

static void pair(void)
{
	MUST(openpty(&m, &s, NULL, NULL, NULL));
}

/* Everything that is there after it was quiet for a moment, control characters as ^X. */
static const char *drain(int fd)
{
	static char out[4096];
	struct pollfd p = { fd, POLLIN, 0 };
	size_t at = 0;
	ssize_t n;

	while (poll(&p, 1, 30) > 0 && (p.revents & POLLIN) && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n && at < sizeof(out) - 8; i++)
			at += (size_t)sprintf(out + at, (unsigned char)buf[i] < 32 ? "^%c" : buf[i] == 127 ? "^?" : "%c",
					      (unsigned char)buf[i] < 32 ? buf[i] + 64 : buf[i]);
	out[at] = 0;
	return out;
}

static void type(const char *text)
{
	MUST(write(m, text, strlen(text)));
}

static void line(const char *name, const char *keys)
{
	type(keys);
	say(name, "reads %s", drain(s));
	say(N("%s.echo", name), "%s", drain(m));
}

static void flags(tcflag_t i_off, tcflag_t o_off, tcflag_t l_off, tcflag_t i_on, tcflag_t l_on)
{
	struct termios t;

	MUST(tcgetattr(s, &t));
	t.c_iflag = (t.c_iflag & ~i_off) | i_on;
	t.c_oflag &= ~o_off;
	t.c_lflag = (t.c_lflag & ~l_off) | l_on;
	MUST(tcsetattr(s, TCSANOW, &t));
}

TEST(defaults)
{
	struct termios t;
	struct winsize ws;
	char name[64];
	int n;

	m = MUST(posix_openpt(O_RDWR | O_NOCTTY));
	RET("grantpt", grantpt(m));
	RET("slave_locked", open(ptsname(m), O_RDWR | O_NOCTTY));
	RET("unlockpt", unlockpt(m));
	s = MUST(open(ptsname(m), O_RDWR | O_NOCTTY));
	MUST(tcgetattr(s, &t));
	say("termios", "%#x %#x %#x %#x", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
	for (int i = 0; i < 17; i++)
		sprintf(buf + 3 * i, "%02x ", t.c_cc[i]);
	STR("cc", buf);
	RET("speed", cfgetospeed(&t) == B38400);
	MUST(ioctl(s, TIOCGWINSZ, &ws));
	say("winsize", "%d %d", ws.ws_row, ws.ws_col);
	YES("isatty", isatty(s) && isatty(m));
	ERR("ttyname", ttyname_r(s, name, sizeof(name)));
	YES("ttyname.is", !strcmp(name, ptsname(m)) && !strncmp(name, "/dev/pts/", 9));
	RET("ptn", ioctl(m, TIOCGPTN, &n));
	YES("ptn.is", n == atoi(name + 9));
	struct stat st;

	MUST(fstat(s, &st));
	say("stat", "%o major %ld mine %d", st.st_mode & S_IFMT, (long)(st.st_rdev >> 8), st.st_uid == geteuid());
	FD("peer", ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY));
	RET("not_tty", tcgetattr(MUST(open("/dev/null", O_RDWR)), &t));
	RET("lseek", lseek(s, 0, SEEK_SET));
	RET("unknown_ioctl", ioctl(s, 0x54ff, buf));
	int line_disc = -1;

	RET("getd", ioctl(s, TIOCGETD, &line_disc));
	NUM("getd.is", line_disc);
}

TEST(canonical)
{
	pair();
	fcntl(s, F_SETFL, O_NONBLOCK);
	line("line", "hello\n");
	line("cr_is_nl", "return\r");
	type("partial");
	RET("partial", read(s, buf, 10));
	line("rest", " line\n");
	line("erase", "abx\177c\n");
	line("erase_start", "\177\177x\n");
	line("word", "one two\027three\n");
	line("kill", "nothing\025left\n");
	line("lnext", "a\026\003b\n");
	line("reprint", "abc\022\n");
	line("control", "a\001b\n");
	line("tab", "a\tb\177\n");
	type("eof\004");
	RET("eof.partial", read(s, buf, 10));
	type("\004");
	RET("eof", read(s, buf, 10));
	RET("eof.once", read(s, buf, 10));
	drain(m);
	type("one\ntwo\n");
	RET("line_at_a_time", read(s, buf, 100));
	RET("line_part", read(s, buf, 2));
	RET("line_rest", read(s, buf, 100));
	drain(m);
	struct pollfd p = { s, POLLIN | POLLOUT, 0 };

	type("not yet");
	poll(&p, 1, 0);
	HEX("poll.partial", p.revents);
	type("\n");
	poll(&p, 1, 0);
	HEX("poll.line", p.revents);
	int n;

	MUST(ioctl(s, FIONREAD, &n));
	NUM("fionread", n);
	RET("tcflush", tcflush(s, TCIFLUSH));
	STR("flushed", drain(s));
	RET("tcflush.bad", tcflush(s, 9));
	drain(m);
	/* a line longer than the buffer: 4095 characters and the newline are kept */
	memset(buf, 'x', 5000);
	buf[5000] = 0;
	for (int i = 0; i < 5; i++) {
		write(m, buf, 1000);
		drain(m);
		memset(buf, 'x', 5000);
	}
	type("\n");
	drain(m);
	RET("long", read(s, buf, sizeof(buf)));
}

TEST(output)
{
	pair();
	MUST(write(s, "a\nb\tc\n", 6));
	STR("onlcr", drain(m));
	flags(0, OPOST, 0, 0, 0);
	MUST(write(s, "a\nb\n", 4));
	STR("raw", drain(m));
	flags(0, 0, ECHO, 0, 0);
	line("noecho", "secret\n");
	flags(0, 0, 0, 0, ECHONL);
	line("echonl", "secret\n");
	RET("tcdrain", tcdrain(s));
	RET("outq", ioctl(s, TIOCOUTQ, buf) ? -1 : *(int *)buf);
	flags(0, 0, 0, 0, ECHO);
	/* flow control: ^S stops the output, ^Q lets it go on */
	fcntl(s, F_SETFL, O_NONBLOCK);
	type("\023");
	msleep(100);
	RET("stopped.write", write(s, "held", 4));
	STR("stopped", drain(m));
	type("\021");
	STR("started", (msleep(100), write(s, "go", 2), drain(m)));
	RET("tcflow.off", tcflow(s, TCOOFF));
	RET("tcflow.write", write(s, "x", 1));
	RET("tcflow.on", tcflow(s, TCOON));
	drain(m);
	/* a full terminal pushes back */
	long total = 0, r;

	while ((r = write(s, buf, 1000)) > 0)
		total += r;
	say("full", "%s %s", errno_name(errno), total > 1000 ? "after some" : "at once");
}

TEST(raw)
{
	struct termios t;
	long long start;

	pair();
	MUST(tcgetattr(s, &t));
	cfmakeraw(&t);
	MUST(tcsetattr(s, TCSANOW, &t));
	fcntl(s, F_SETFL, O_NONBLOCK);
	RET("empty", read(s, buf, 10));
	line("bytes", "a\003\r\n\004\177b");
	fcntl(s, F_SETFL, 0);
	t.c_cc[VMIN] = 0, t.c_cc[VTIME] = 0;
	MUST(tcsetattr(s, TCSANOW, &t));
	RET("min0_time0", read(s, buf, 10));
	t.c_cc[VTIME] = 1;
	MUST(tcsetattr(s, TCSANOW, &t));
	start = now_ns();
	RET("min0_time1", read(s, buf, 10));
	YES("min0_time1.waited", now_ns() - start > 80000000);
	t.c_cc[VMIN] = 3, t.c_cc[VTIME] = 0;
	MUST(tcsetattr(s, TCSANOW, &t));
	type("xy");
	pid_t pid = xfork();

	if (!pid) {
		wait_asleep(getppid());
		type("z!");
		_exit(0);
	}
	YES("min3", read(s, buf, 10) >= 3);
	xwait(pid);
	t.c_cc[VMIN] = 5, t.c_cc[VTIME] = 1;
	MUST(tcsetattr(s, TCSANOW, &t));
	drain(s);
	type("ab");
	RET("min5_time1", read(s, buf, 10));
	flags(0, 0, 0, ICRNL, 0);
	line("icrnl", "a\rb");
	flags(ICRNL, 0, 0, INLCR | IGNCR, 0);
	line("inlcr_igncr", "a\nb\rc");
	flags(0, 0, 0, ISTRIP | IUCLC, 0);
	line("istrip", "\341B");
	/* back to canonical: what was typed before becomes readable with the next newline */
	MUST(tcgetattr(s, &t));
	RET("bad_action", tcsetattr(s, 7, &t));
}

/* A session with the terminal as its own, run in a child; signals to it are told by its status or words. */
static pid_t session(void (*fn)(void))
{
	pid_t pid = xfork();

	if (!pid) {
		MUST(setsid());
		close(m);
		MUST(ioctl(s, TIOCSCTTY, 0));
		fn();
		_exit(0);
	}
	return pid;
}

static volatile int got;

static void note(int sig)
{
	got = sig;
}

static void ready(void)
{
	MUST(write(s, "#", 1));
}

static void wait_ready(void)
{
	char c = 0;

	while (c != '#')
		MUST(read(m, &c, 1));
}

static void sleep_there(void)
{
	ready();
	for (;;)
		pause();
}

TEST(keys)
{
	static const struct { const char *name, *key; } keys[] = {
		{ "intr", "\003" }, { "quit", "\034" } };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		pid_t pid;

		pair();
		pid = session(sleep_there);
		wait_ready();
		type(keys[i].key);
		STR(keys[i].name, xwait(pid));
		STR(N("%s.echo", keys[i].name), drain(m));
		close(m), close(s);
	}
	pair();
	pid_t pid = session(sleep_there);
	int status;

	wait_ready();
	/* the session's leader is an orphaned group: ^Z must not stop it */
	type("\032");
	msleep(20);
	RET("susp_orphan", waitpid(pid, &status, WUNTRACED | WNOHANG));
	/* without ISIG keys are plain characters */
	flags(0, 0, ISIG, 0, 0);
	type("\003");
	msleep(10);
	RET("no_isig", waitpid(pid, &status, WNOHANG));
	close(m);	/* hangup */
	STR("hangup", xwait(pid));
}

static void winch(void)
{
	struct winsize ws;

	signal(SIGWINCH, note);
	ready();
	while (!got)
		msleep(1);
	MUST(ioctl(s, TIOCGWINSZ, &ws));
	_exit(ws.ws_row == 33 && ws.ws_col == 99 && got == SIGWINCH ? 5 : 6);
}

TEST(winsize)
{
	struct winsize ws = { 33, 99, 0, 0 };

	pair();
	pid_t pid = session(winch);

	wait_ready();
	RET("set", ioctl(m, TIOCSWINSZ, &ws));
	STR("sigwinch", xwait(pid));
	RET("efault", ioctl(m, TIOCGWINSZ, 1));
}

static void job_control(void)
{
	int status, fd;
	pid_t bg, me = getpid(), fg;

	YES("sid", tcgetsid(s) == me);
	YES("fg_is_me", tcgetpgrp(s) == me);
	fd = MUST(open("/dev/tty", O_RDWR));
	YES("dev_tty", isatty(fd));
	RET("ctty_again", ioctl(s, TIOCSCTTY, 0));
	RET("setpgrp_bad", tcsetpgrp(s, 0x3fffffff));
	RET("setpgrp_negative", tcsetpgrp(s, -1));
	/* a background group that reads is stopped by SIGTTIN */
	bg = xfork();
	if (!bg) {
		setpgid(0, 0);
		read(s, buf, 1);
		_exit(1);
	}
	MUST(waitpid(bg, &status, WUNTRACED));
	STR("bg_read", status_name(status));
	kill(bg, SIGKILL);
	waitpid(bg, &status, 0);
	bg = xfork();
	if (!bg) {
		setpgid(0, 0);
		signal(SIGTTIN, SIG_IGN);
		RET("bg_read_ignored", read(s, buf, 1));
		MUST(write(s, "", 0));
		struct termios t;

		signal(SIGTTOU, SIG_IGN);
		RET("bg_tcgetattr", tcgetattr(s, &t));
		RET("bg_tcsetattr_ignored", tcsetattr(s, TCSANOW, &t));
		signal(SIGTTOU, SIG_DFL);
		tcsetattr(s, TCSANOW, &t);
		_exit(2);
	}
	MUST(waitpid(bg, &status, WUNTRACED));
	STR("bg_tcsetattr", status_name(status));
	/* to the foreground: from me that is allowed, and then I am in the background */
	signal(SIGTTOU, SIG_IGN);
	RET("tcsetpgrp", tcsetpgrp(s, bg));
	YES("fg_is_bg", tcgetpgrp(s) == bg);
	kill(-bg, SIGCONT);
	STR("fg_goes_on", xwait(bg));
	RET("back", tcsetpgrp(s, me));
	/* TOSTOP decides whether writing stops */
	flags(0, 0, 0, 0, TOSTOP);
	signal(SIGTTOU, SIG_DFL);
	bg = xfork();
	if (!bg) {
		setpgid(0, 0);
		write(s, "w", 1);
		_exit(3);
	}
	MUST(waitpid(bg, &status, WUNTRACED));
	STR("tostop", status_name(status));
	kill(bg, SIGKILL);
	waitpid(bg, &status, 0);
	flags(0, 0, TOSTOP, 0, 0);
	bg = xfork();
	if (!bg) {
		setpgid(0, 0);
		write(s, "w", 1);
		_exit(3);
	}
	STR("no_tostop", xwait(bg));
	/* ^Z stops a foreground group that has its parent in the session */
	fg = xfork();
	if (!fg) {
		setpgid(0, 0);
		signal(SIGTTOU, SIG_IGN);
		tcsetpgrp(s, getpid());
		ready();
		for (;;)
			pause();
	}
	MUST(waitpid(fg, &status, WUNTRACED));
	STR("susp", status_name(status));
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(s, me);
	kill(-fg, SIGKILL);
	waitpid(fg, &status, 0);
	/* giving the terminal up */
	signal(SIGHUP, note);
	RET("notty", ioctl(s, TIOCNOTTY));
	RET("dev_tty_gone", open("/dev/tty", O_RDWR));
	RET("tcgetpgrp_gone", tcgetpgrp(s));
	signal(SIGHUP, SIG_DFL);
	RET("ctty_back", ioctl(s, TIOCSCTTY, 0));
	_exit(7);
}

TEST(job_control)
{
	pair();
	pid_t pid = session(job_control);
	char c = 0;

	/* '#' comes when the foreground child sleeps */
	while (c != '#')
		MUST(read(m, &c, 1));
	type("\032");
	STR("end", xwait(pid));
	RET("not_my_tty", tcgetpgrp(s));
	RET("sctty_not_leader", ioctl(s, TIOCSCTTY, 0));
}

static int go[2];

static void leader_exits(void)
{
	pid_t pid = xfork();
	char c;

	if (!pid) {
		signal(SIGHUP, note);
		ready();
		while (!got)
			msleep(1);
		/* a pseudo terminal goes on, but is nobody's now */
		fcntl(s, F_SETFL, O_NONBLOCK);
		int r = (int)read(s, buf, 1);

		put_file("tmp", N("%s read %s", signal_name(got), r < 0 ? errno_name(errno) : N("%d", r)));
		rename("tmp", "hup");
		_exit(0);
	}
	MUST(read(go[0], &c, 1));	/* a hangup throws away what the master has not read */
	_exit(0);
}

TEST(hangup)
{
	pair();
	MUST(pipe(go));
	pid_t pid = session(leader_exits);

	wait_ready();
	MUST(write(go[1], "x", 1));
	STR("leader", xwait(pid));
	for (int i = 0; i < 1000 && access("hup", F_OK); i++)
		msleep(1);
	STR("member", get_file("hup"));
	close(m), close(s);
	pair();
	MUST(write(s, "last", 4));
	close(s);
	STR("slave_closed", drain(m));
	RET("eio", read(m, buf, 1));
	struct pollfd p = { m, POLLIN | POLLOUT, 0 };

	poll(&p, 1, 0);
	HEX("poll", p.revents & POLLHUP);
	pair();
	close(m);
	RET("master_closed.read", read(s, buf, 1));
	RET("master_closed.write", write(s, "x", 1));
	p.fd = s;
	poll(&p, 1, 0);
	HEX("master_closed.poll", p.revents & POLLHUP);
	struct termios t;

	RET("master_closed.tcgetattr", tcgetattr(s, &t));
}

TEST(packet)
{
	int on = 1;

	pair();
	RET("on", ioctl(m, TIOCPKT, &on));
	MUST(write(s, "data", 4));
	RET("read", read(m, buf, 100));
	NUM("data", buf[0]);
	MUST(tcflush(s, TCIFLUSH));
	RET("flush", read(m, buf, 100));
	NUM("flush.is", buf[0]);
}
