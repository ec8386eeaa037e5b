// SPDX-License-Identifier: MIT
/*
 * The one command: started as the user asked for, its streams carried between
 * its pipes (or its terminal) and the ports, its end reported with the number
 * of bytes that it wrote, so that the host knows when it has all of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "tools/vm/vm.h"

enum { P_IN, P_OUT, P_ERR, P_COUNT };

struct command {
	const struct conf *conf;
	const int *ports;
	struct pump pumps[P_COUNT];
	pid_t pid;
	int master;		/* the terminal's, or -1 */
	int signals;
	size_t in_left;		/* input still to come; SIZE_MAX until it is known */
	int status;		/* as wait() gives it, once ended */
	bool ended;
	char line[256];		/* of the control port, not yet whole */
	size_t line_len;
};

static struct command cmd;

static void __attribute__((noreturn)) child_exec(const struct conf *conf)
{
	sigset_t none;
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "0", 1) != 1)
		fprintf(stderr, "lbx-vm: oom_score_adj: %s\n", strerror(errno));
	close(fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	if (setgroups((size_t)conf->nr_groups, conf->groups) || setgid(conf->gid) ||
	    setuid(conf->uid)) {
		fprintf(stderr, "lbx-vm: cannot become user %u: %s\n", conf->uid, strerror(errno));
		_exit(126);
	}
	if (chdir(conf->cwd)) {
		fprintf(stderr, "lbx-vm: cannot enter %s inside the machine: %s\n",
			conf->cwd, strerror(errno));
		_exit(126);
	}
	environ = conf->envp;
	execvp(conf->argv[0], conf->argv);
	fprintf(stderr, "lbx-vm: cannot run '%s' inside the machine: %s\n", conf->argv[0],
		strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void start_with_tty(void)
{
	struct winsize ws = { .ws_row = cmd.conf->rows, .ws_col = cmd.conf->cols };

	cmd.pid = forkpty(&cmd.master, NULL, NULL, &ws);
	if (cmd.pid < 0)
		fail("cannot start a terminal");
	if (!cmd.pid)
		child_exec(cmd.conf);
	fcntl(cmd.master, F_SETFD, FD_CLOEXEC);
	nonblocking(cmd.master);
	cmd.pumps[P_IN] = (struct pump){ .from = cmd.ports[PORT_IN], .to = cmd.master };
	cmd.pumps[P_OUT] = (struct pump){ .from = cmd.master, .to = cmd.ports[PORT_OUT] };
	cmd.pumps[P_ERR] = (struct pump){ .from = -1, .to = -1 };
}

static void start_with_pipes(void)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		fail("cannot make pipes");
	cmd.pid = fork();
	if (cmd.pid < 0)
		fail("cannot fork");
	if (!cmd.pid) {
		setsid();
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		child_exec(cmd.conf);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	nonblocking(in[1]);
	nonblocking(out[0]);
	nonblocking(err[0]);
	cmd.master = -1;
	cmd.pumps[P_IN] = (struct pump){ .from = cmd.ports[PORT_IN], .to = in[1] };
	cmd.pumps[P_OUT] = (struct pump){ .from = out[0], .to = cmd.ports[PORT_OUT] };
	cmd.pumps[P_ERR] = (struct pump){ .from = err[0], .to = cmd.ports[PORT_ERR] };
}

/* The host's reader left: let the command find out as from any pipe. */
static void close_output(struct pump *p)
{
	if (p->from >= 0 && p->from != cmd.master)
		close(p->from);
	p->from = -1;
	p->to = -1;
}

static void ctl_line(const char *line)
{
	unsigned int a, b;
	size_t total;

	if (sscanf(line, "winsize %u %u", &a, &b) == 2 && cmd.master >= 0) {
		struct winsize ws = { .ws_row = (unsigned short)a, .ws_col = (unsigned short)b };

		ioctl(cmd.master, TIOCSWINSZ, &ws);
	} else if (sscanf(line, "signal %u", &a) == 1 && !cmd.ended) {
		kill(-cmd.pid, (int)a);
	} else if (sscanf(line, "eof %zu", &total) == 1) {
		/* in_left counts down from SIZE_MAX. */
		cmd.in_left = total - (SIZE_MAX - cmd.in_left);
	} else if (!strcmp(line, "closed out")) {
		close_output(&cmd.pumps[P_OUT]);
	} else if (!strcmp(line, "closed err")) {
		close_output(&cmd.pumps[P_ERR]);
	}
}

static void ctl_read(void)
{
	char c;

	while (read(cmd.ports[PORT_CTL], &c, 1) == 1) {
		if (c != '\n') {
			if (cmd.line_len < sizeof(cmd.line) - 1)
				cmd.line[cmd.line_len++] = c;
			continue;
		}
		cmd.line[cmd.line_len] = 0;
		cmd.line_len = 0;
		ctl_line(cmd.line);
	}
}

/* Process 1 is everybody's parent in the end. */
static void reap(void)
{
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	while (read(cmd.signals, &info, sizeof(info)) == sizeof(info))
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == cmd.pid) {
			cmd.ended = true;
			cmd.status = status;
		}
	}
}

static size_t watch(struct pollfd *pfd)
{
	size_t n = 0;

	pfd[n++] = (struct pollfd){ .fd = cmd.signals, .events = POLLIN };
	pfd[n++] = (struct pollfd){ .fd = cmd.ports[PORT_CTL], .events = POLLIN };
	for (int i = 0; i < P_COUNT; i++) {
		struct pump *p = &cmd.pumps[i];

		if (!pump_idle(p))
			pfd[n++] = (struct pollfd){ .fd = p->to, .events = POLLOUT };
		else if (p->from >= 0 && p->to >= 0)
			pfd[n++] = (struct pollfd){ .fd = p->from, .events = POLLIN };
		else if (i != P_IN && p->to < 0 && p->from >= 0)
			close_output(p);
	}
	return n;
}

static void pump_all(void)
{
	for (int i = 0; i < P_COUNT; i++) {
		struct pump *p = &cmd.pumps[i];
		size_t unbounded = SIZE_MAX;
		size_t *budget = i == P_IN ? &cmd.in_left : &unbounded;

		/* Bounded, so that one busy stream does not starve the others. */
		for (int n = 0; n < 16 && pump_step(p, budget); n++)
			;
		if (!*budget)
			p->from = -1;
		/* End of input: a pipe is closed, a terminal just falls silent. */
		if (i == P_IN && p->from < 0 && pump_idle(p) && p->to >= 0) {
			if (p->to != cmd.master)
				close(p->to);
			p->to = -1;
		}
	}
}

/*
 * What the command wrote before it ended is still in its pipe. Take that much
 * and no more: something it left in the background may write for ever.
 */
static void drain(struct pump *p)
{
	struct pollfd pfd = { .fd = p->to, .events = POLLOUT };
	size_t budget = 0;
	int n;

	if (p->from >= 0 && !ioctl(p->from, FIONREAD, &n) && n > 0)
		budget = (size_t)n;
	while (p->to >= 0 && (!pump_idle(p) || (budget && p->from >= 0))) {
		if (!pump_step(p, &budget)) {
			if (pump_idle(p))
				break;
			poll(&pfd, 1, 1000);
		}
	}
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void command_run(const struct conf *conf, const int ports[PORT_COUNT])
{
	struct pollfd pfd[2 + P_COUNT];
	sigset_t set;

	cmd.conf = conf;
	cmd.ports = ports;
	cmd.in_left = SIZE_MAX;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	cmd.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (cmd.signals < 0)
		fail("signalfd");
	ctl_send("started");
	if (conf->tty)
		start_with_tty();
	else
		start_with_pipes();
	while (!cmd.ended) {
		size_t n = watch(pfd);

		poll(pfd, n, -1);
		if (pfd[1].revents & POLLIN)
			ctl_read();
		if (pfd[0].revents & POLLIN)
			reap();
		pump_all();
	}
	drain(&cmd.pumps[P_OUT]);
	drain(&cmd.pumps[P_ERR]);
	boot_sync(conf);
	ctl_last("exit %d %llu %llu", exit_status(cmd.status),
		 (unsigned long long)cmd.pumps[P_OUT].total,
		 (unsigned long long)cmd.pumps[P_ERR].total);
}
