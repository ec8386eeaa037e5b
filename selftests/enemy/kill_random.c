// SPDX-License-Identifier: MIT
/*
 * kill_random LBX-EXEC ROUNDS: random processes of a sandbox are killed at random moments. It never hangs and never leaks.
 *
 * We are the subreaper of everything that we start, so what a sandbox leaves behind becomes our child and is seen, whatever it is.
 * A victim that was about to end by itself is not killed by a signal: then the sandbox has to go on working, which the output of
 * its program shows, and the next victim is looked for. One that neither ends nor works hangs.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <dirent.h>

#define MAX_TREE	256
#define PATIENCE_MS	15000	/* for what should take some milliseconds, on a busy machine */
#define AT_ONCE_MS	400	/* a sandbox that still works after this was not hit */

/* forks, execs, pipes, files of the broker: locks are held at most moments. A byte says that it works. */
static const char program[] =
	"while :; do (echo a | cat | cat; ls -l /usr/bin | sort | tail -n 1) >/dev/null & wait; echo; done";

enum who { HOST_PROCESS, BROKER, REAPER, ANYBODY };

static const struct kind {
	const char *name;
	enum who who;
	int victims;		/* at once; -1: all but one */
	int share;		/* of the rounds, in percent */
} kinds[] = {
	{ "a host process", HOST_PROCESS, 1, 100 },
	{ "lbx-exec", BROKER, 1, 25 },
	{ "the reaper", REAPER, 1, 25 },
	{ "two at once", ANYBODY, 2, 25 },
	{ "all but one", ANYBODY, -1, 25 },
};

struct proc {
	pid_t pid, parent;
	char state;
};

struct sandbox {
	pid_t pid;
	int pidfd, out;
};

static int count, failed;

static void result(bool good, const char *what, const char *kind)
{
	failed |= !good;
	printf("%sok %d - %s: %s\n", good ? "" : "not ", ++count, kind, what);
	fflush(stdout);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ll + ts.tv_nsec / 1000000;
}

static void __attribute__((noreturn)) bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool read_proc(pid_t pid, struct proc *p)
{
	char path[64], text[512], *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	end = strrchr(text, ')');
	p->pid = pid;
	return end && sscanf(end + 1, " %c %d", &p->state, &p->parent) == 2;
}

/* All below @root that live, breadth first, after @root itself. */
static int read_tree(pid_t root, struct proc *tree)
{
	static struct proc all[65536];
	DIR *dir = opendir("/proc");
	struct dirent *e;
	int nr_all = 0, nr = 0;

	if (!dir)
		bail("/proc");
	while ((e = readdir(dir)) && nr_all < 65536)
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && read_proc(atoi(e->d_name), &all[nr_all]))
			nr_all++;
	closedir(dir);
	for (int i = 0; i < nr_all; i++)
		if (all[i].pid == root)
			tree[nr++] = all[i];
	for (int k = 0; k < nr; k++)
		for (int i = 0; i < nr_all && nr < MAX_TREE; i++)
			if (all[i].parent == tree[k].pid)
				tree[nr++] = all[i];
	return nr;
}

static bool is_dead(const struct proc *p)
{
	return p->state == 'Z' || p->state == 'X';
}

static bool may_be_killed(const struct sandbox *s, const struct proc *p, enum who who)
{
	if (is_dead(p))
		return false;
	switch (who) {
	case HOST_PROCESS:
		return p->pid != s->pid && p->parent != s->pid;
	case BROKER:
		return p->pid == s->pid;
	case REAPER:
		return p->parent == s->pid;
	default:
		return true;
	}
}

/* Return: how many were killed */
static int kill_some(const struct sandbox *s, const struct kind *kind)
{
	struct proc tree[MAX_TREE], again;
	int nr = read_tree(s->pid, tree), nr_left = 0, fds[MAX_TREE], nr_fds = 0, wanted = kind->victims;

	for (int i = 0; i < nr; i++)
		if (may_be_killed(s, &tree[i], kind->who))
			tree[nr_left++] = tree[i];
	if (wanted < 0)
		wanted = nr_left - 1;
	while (nr_left && nr_fds < wanted) {
		int pick = (int)(random() % nr_left);
		int fd = (int)syscall(SYS_pidfd_open, tree[pick].pid, 0);

		/* the number may be another's by now */
		if (fd >= 0 && read_proc(tree[pick].pid, &again) && again.parent == tree[pick].parent)
			fds[nr_fds++] = fd;
		else if (fd >= 0)
			close(fd);
		tree[pick] = tree[--nr_left];
	}
	for (int i = 0; i < nr_fds; i++) {
		syscall(SYS_pidfd_send_signal, fds[i], SIGKILL, NULL, 0);
		close(fds[i]);
	}
	return nr_fds;
}

static void start(struct sandbox *s, const char *lbx)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		bail("pipe");
	s->pid = fork();
	if (s->pid < 0)
		bail("fork");
	if (!s->pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(ends[1], 1);
		dup2(null, 2);
		execl(lbx, lbx, "sh", "-c", program, NULL);
		_exit(127);
	}
	close(ends[1]);
	s->out = ends[0];
	fcntl(s->out, F_SETFL, O_NONBLOCK);
	s->pidfd = (int)syscall(SYS_pidfd_open, s->pid, 0);
	if (s->pidfd < 0)
		bail("pidfd_open");
}

/* Return: something had been said since the last call */
static bool drain(const struct sandbox *s)
{
	char buf[4096];
	bool any = false;

	while (read(s->out, buf, sizeof(buf)) > 0)
		any = true;
	return any;
}

static bool has_ended(const struct sandbox *s, int timeout_ms)
{
	struct pollfd p = { .fd = s->pidfd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) == 1;
}

/* Return: 1 it said something, 0 it ended, -1 neither */
static int works(const struct sandbox *s)
{
	long long until = now_ms() + PATIENCE_MS;

	drain(s);
	while (now_ms() < until) {
		if (has_ended(s, 20))
			return 0;
		if (drain(s))
			return 1;
	}
	return -1;
}

static void print_tree(const struct sandbox *s, const char *what, int round)
{
	struct proc tree[MAX_TREE];
	int nr = read_tree(s ? s->pid : getpid(), tree);

	printf("# round %d %s:", round, what);
	for (int i = s ? 0 : 1; i < nr; i++)
		printf(" %d(%c, of %d)", tree[i].pid, tree[i].state, tree[i].parent);
	printf("\n");
}

/* Return: false when something is left; it is killed */
static bool all_gone(int round)
{
	struct proc tree[MAX_TREE];
	long long until = now_ms() + PATIENCE_MS;
	int nr;

	for (;;) {
		pid_t pid = waitpid(-1, NULL, __WALL | WNOHANG);

		if (pid < 0 && errno == ECHILD)
			return true;
		if (pid > 0)
			continue;
		if (now_ms() > until)
			break;
		usleep(2000);
	}
	print_tree(NULL, "leaves", round);
	nr = read_tree(getpid(), tree);
	for (int i = 1; i < nr; i++)
		kill(tree[i].pid, SIGKILL);
	while (waitpid(-1, NULL, __WALL) > 0)
		;
	return false;
}

struct outcome {
	int hung, left, wrong, late;
};

/* What lbx-exec says about it: killed itself, or that something was. */
static bool right_status(const struct kind *kind, int status)
{
	bool by_signal = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	bool said = WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL;

	return kind->who == BROKER ? by_signal : kind->who == ANYBODY ? by_signal || said : said;
}

static void one_round(const char *lbx, const struct kind *kind, int round, int span_ms, struct outcome *o)
{
	struct sandbox s;
	int status;

	start(&s, lbx);
	usleep((useconds_t)(random() % (span_ms * 1000)));
	for (;;) {
		int ret;

		if (!kill_some(&s, kind)) {
			/* not begun yet */
			ret = has_ended(&s, 1) ? 0 : 1;
		} else {
			ret = has_ended(&s, AT_ONCE_MS) ? 0 : works(&s);
			o->late += ret == 1;
		}
		if (!ret)
			break;
		if (ret < 0) {
			print_tree(&s, "hangs", round);
			o->hung++;
			kill(s.pid, SIGKILL);
			break;
		}
	}
	if (waitpid(s.pid, &status, 0) != s.pid)
		bail("waitpid");
	o->wrong += !right_status(kind, status);
	if (!right_status(kind, status))
		printf("# round %d: status %#x\n", round, status);
	close(s.pidfd);
	close(s.out);
	if (!all_gone(round))
		o->left++;
}

/* Long enough for a start and some of the program. */
static int measure(const char *lbx)
{
	long long begin = now_ms();
	struct sandbox s;

	start(&s, lbx);
	if (works(&s) != 1) {
		printf("Bail out! %s does not run a shell\n", lbx);
		exit(1);
	}
	begin = now_ms() - begin;
	kill(s.pid, SIGKILL);
	close(s.pidfd);
	close(s.out);
	if (!all_gone(-1))
		bail("the first one stays");
	return (int)begin * 2 + 100;
}

/* What a sandbox may have mounted, or left in memory or in a directory: others work here as well, so only what is ours counts. */
static unsigned long long world(void)
{
	static const char *const commands[] = {
		"grep -c ' - tmpfs litebox' /proc/self/mountinfo; true", "ls -a /dev/shm | grep -c -e lbx -e litebox; true",
		"ls -a . \"${TMPDIR:-.}\"",
	};
	unsigned long long hash = 5381;

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		FILE *f = popen(commands[i], "r");
		int c;

		if (!f)
			bail(commands[i]);
		while ((c = getc(f)) != EOF)
			hash = hash * 33 + (unsigned int)c;
		if (pclose(f))
			bail(commands[i]);
	}
	return hash;
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0, span;
	unsigned long long before;

	if (rounds < 1) {
		fprintf(stderr, "usage: kill_random LBX-EXEC ROUNDS\n");
		return 2;
	}
	srandom((unsigned int)(time(NULL) ^ getpid()));
	if (prctl(PR_SET_CHILD_SUBREAPER, 1))
		bail("PR_SET_CHILD_SUBREAPER");
	before = world();
	span = measure(argv[1]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const struct kind *kind = &kinds[i];
		int n = (rounds * kind->share + 99) / 100;
		struct outcome o = { 0 };

		for (int round = 0; round < n; round++)
			one_round(argv[1], kind, round, span, &o);
		printf("# %s: %d rounds of up to %d ms; %d victims had been about to end\n", kind->name, n, span, o.late);
		result(!o.hung, "no hang", kind->name);
		result(!o.left, "nothing is left", kind->name);
		result(!o.wrong, "the status says so", kind->name);
	}
	result(world() == before, "no mount and no file is left", "all");
	printf("1..%d\n", count);
	return failed;
}
