// SPDX-License-Identifier: MIT
#include "exec.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#ifndef LBX_VERSION
#define LBX_VERSION "0.1"
#endif

static const char help[] =
"Usage: lbx-exec [OPTION]... [--] PROGRAM [ARGUMENT]...\n"
"Run PROGRAM in a sandbox: its own kernel, files and processes. Of the host it sees\n"
"a read-only system and the current directory; what it changes there is thrown away.\n"
"\n"
"Files\n"
"  --bind SRC[:DST][:ro|rw]  show the host's SRC at DST (default: same path, ro)\n"
"  --root DIR|IMAGE.tar      the root, instead of the host's system\n"
"  --tmpfs DST[:SIZE]        an empty directory in memory\n"
"  --ro-root                 nothing can be written but --tmpfs, /tmp and --bind ...:rw\n"
"  --keep-changes DIR        what the program changed is kept in DIR for the next run\n"
"  --chdir DIR               start in DIR (default: the current directory, else /)\n"
"  --fd N                    hand in descriptor N (3 to 31) as well as 0, 1 and 2\n"
"\n"
"Program\n"
"  --env NAME[=VALUE]        set it, or take it from here; the rest is cleaned\n"
"  --clearenv                nothing but what --env says\n"
"  --uid N, --gid N          ids inside (default: those of the caller)\n"
"  --hostname NAME           default: litebox\n"
"\n"
"Limits\n"
"  --mem SIZE                memory, with K, M or G (default: half of the host's)\n"
"  --cpus N                  threads that run at a time (default: all processors)\n"
"  --procs N                 tasks in all (default: 4096)\n"
"  --fds N                   open files of a process (default: 4096, soft 1024)\n"
"  --time SECONDS            processor time of a process: then all are killed, status 152\n"
"  --timeout SECONDS         then all are killed: status 124\n"
"\n"
"Looking\n"
"  --south NAME              host, or auto: the strongest that works here\n"
"  --list-souths             what works here; --verbose: with which host calls\n"
"  --dry-run                 print mounts, calls and limits, and run nothing\n"
"  --trace[=FILE]            print system calls\n"
"  --stats                   count them, at the end\n"
"  --json                    --list-souths, --dry-run, --stats and the end as JSON\n"
"  --verbose                 a line for each refused file, missing call, missing protection\n"
"  --no-patch                leave system call sites alone: each call traps\n"
"  --help, --version\n"
"\n"
"Exit status: the program's; 128+N when signal N killed it; 124 time is over;\n"
"125 lbx-exec failed; 126 PROGRAM cannot be executed; 127 it was not found.\n"
"lbx-exec(1) has the details, litebox(7) what the sandbox is made of.\n";

enum {
	OPT_BIND = 256, OPT_ROOT, OPT_TMPFS, OPT_RO_ROOT, OPT_KEEP, OPT_CHDIR, OPT_FD, OPT_ENV, OPT_CLEARENV, OPT_UID,
	OPT_GID, OPT_HOSTNAME, OPT_MEM, OPT_CPUS, OPT_PROCS, OPT_FDS, OPT_TIME, OPT_TIMEOUT, OPT_SOUTH, OPT_LIST, OPT_DRY,
	OPT_TRACE, OPT_STATS, OPT_JSON, OPT_VERBOSE, OPT_NO_PATCH, OPT_HELP, OPT_VERSION,
};

static const struct option long_options[] = {
	{ "bind", required_argument, NULL, OPT_BIND }, { "root", required_argument, NULL, OPT_ROOT },
	{ "tmpfs", required_argument, NULL, OPT_TMPFS }, { "ro-root", no_argument, NULL, OPT_RO_ROOT },
	{ "keep-changes", required_argument, NULL, OPT_KEEP }, { "chdir", required_argument, NULL, OPT_CHDIR },
	{ "fd", required_argument, NULL, OPT_FD }, { "env", required_argument, NULL, OPT_ENV },
	{ "clearenv", no_argument, NULL, OPT_CLEARENV }, { "uid", required_argument, NULL, OPT_UID },
	{ "gid", required_argument, NULL, OPT_GID }, { "hostname", required_argument, NULL, OPT_HOSTNAME },
	{ "mem", required_argument, NULL, OPT_MEM }, { "cpus", required_argument, NULL, OPT_CPUS },
	{ "procs", required_argument, NULL, OPT_PROCS }, { "fds", required_argument, NULL, OPT_FDS },
	{ "time", required_argument, NULL, OPT_TIME }, { "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "south", required_argument, NULL, OPT_SOUTH }, { "list-souths", no_argument, NULL, OPT_LIST },
	{ "dry-run", no_argument, NULL, OPT_DRY }, { "trace", optional_argument, NULL, OPT_TRACE },
	{ "stats", no_argument, NULL, OPT_STATS }, { "json", no_argument, NULL, OPT_JSON },
	{ "verbose", no_argument, NULL, OPT_VERBOSE }, { "no-patch", no_argument, NULL, OPT_NO_PATCH },
	{ "help", no_argument, NULL, OPT_HELP }, { "version", no_argument, NULL, OPT_VERSION }, { 0 },
};

/* A number in [@min, @max]; @units: K, M and G may follow. */
static uint64_t number(const char *name, const char *s, uint64_t min, uint64_t max, bool units)
{
	unsigned long long v;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (units && *end && strchr("kKmMgG", *end)) {
		shift = *end == 'k' || *end == 'K' ? 10 : *end == 'm' || *end == 'M' ? 20 : 30;
		end++;
	}
	if (errno || end == s || *end || *s == '-' || v > (UINT64_MAX >> shift) || v << shift < min || v << shift > max)
		die("--%s %s: not a number from %llu to %llu", name, s, (unsigned long long)min, (unsigned long long)max);
	return v << shift;
}

static void add_bind(struct options *o, char *arg)
{
	char *copy = xstrdup(arg), *src = copy, *dst = NULL, *p;
	bool ro = true;

	/* from the right, so that only the last words are special */
	p = strrchr(src, ':');
	if (p && (!strcmp(p, ":ro") || !strcmp(p, ":rw"))) {
		ro = p[2] == 'o';
		*p = 0;
	}
	p = strchr(src, ':');
	if (p) {
		*p = 0;
		dst = p + 1;
	}
	if (!*src || (dst && *dst != '/'))
		die("--bind %s: SRC[:DST][:ro|rw], and DST begins with /", arg);
	if (dst && !dst[strspn(dst, "/")])
		die("--bind %s: it would hide everything: --root %s makes it the root", arg, src);
	o->binds = realloc(o->binds, (o->nr_binds + 1) * sizeof(*o->binds));
	if (!o->binds)
		die("out of memory");
	o->binds[o->nr_binds].src = src;
	o->binds[o->nr_binds].dst = dst;
	o->binds[o->nr_binds++].ro = ro;
}

static void add_tmpfs(struct options *o, char *arg)
{
	char *dst = xstrdup(arg), *size = strchr(dst, ':');

	if (size)
		*size++ = 0;
	if (*dst != '/')
		die("--tmpfs %s: DST begins with /", arg);
	if (size && !*size)
		die("--tmpfs %s: after the colon comes a size, as in %s64M", arg, arg);
	if (!dst[strspn(dst, "/")])
		die("--tmpfs %s: it would hide everything: name a directory below /", arg);
	o->tmpfs = realloc(o->tmpfs, (o->nr_tmpfs + 1) * sizeof(*o->tmpfs));
	if (!o->tmpfs)
		die("out of memory");
	o->tmpfs[o->nr_tmpfs].dst = dst;
	o->tmpfs[o->nr_tmpfs++].size = size ? number("tmpfs", size, 4096, UINT64_MAX / 2, true) : 0;
}

static void add_env(struct options *o, char *arg)
{
	if (!*arg || *arg == '=')
		die("--env %s: NAME or NAME=VALUE", arg);
	o->env = realloc(o->env, (o->nr_env + 1) * sizeof(*o->env));
	if (!o->env)
		die("out of memory");
	o->env[o->nr_env++] = arg;
}

static void add_fd(struct options *o, const char *arg)
{
	int fd = (int)number("fd", arg, 3, MAX_FDS - 1, false);

	if (fcntl(fd, F_GETFD) < 0)
		die("--fd %d: %s: open it, as in %d</file", fd, strerror(errno), fd);
	o->fds |= 1u << fd;
}

static uint64_t parse_timeout(const char *s)
{
	char *end;
	double v;

	errno = 0;
	v = strtod(s, &end);
	if (errno || end == s || *end || !(v > 0) || v > 1e9)
		die("--timeout %s: seconds, more than 0", s);
	return (uint64_t)(v * 1000);
}

static void set_defaults(struct options *o)
{
	struct sysinfo si;
	cpu_set_t set;

	memset(o, 0, sizeof(*o));
	signals_inherited(o);
	o->uid = getuid();
	o->gid = getgid();
	o->host_uid = getuid();
	o->host_gid = getgid();
	o->trace_fd = STDERR_FILENO;
	o->hostname = "litebox";
	o->south = "auto";
	o->mem = 1ull << 30;
	if (!sysinfo(&si))
		o->mem = (uint64_t)si.totalram * si.mem_unit / 2;
	if (o->mem < 256ull << 20)
		o->mem = 256ull << 20;
	o->cpus = sched_getaffinity(0, sizeof(set), &set) ? 1 : (uint32_t)CPU_COUNT(&set);
	o->procs = 4096;
	o->max_fds = 4096;
}

void options_parse(struct options *o, int argc, char **argv)
{
	int c;

	set_defaults(o);
	while ((c = getopt_long(argc, argv, "+", long_options, NULL)) != -1) {
		switch (c) {
		case OPT_BIND: add_bind(o, optarg); break;
		case OPT_ROOT: o->root = optarg; break;
		case OPT_TMPFS: add_tmpfs(o, optarg); break;
		case OPT_RO_ROOT: o->ro_root = true; break;
		case OPT_KEEP: o->keep = optarg; break;
		case OPT_CHDIR:
			if (*optarg != '/')
				die("--chdir %s: a path inside, which begins with /", optarg);
			o->chdir = optarg;
			break;
		case OPT_FD: add_fd(o, optarg); break;
		case OPT_ENV: add_env(o, optarg); break;
		case OPT_CLEARENV: o->clearenv = true; break;
		case OPT_UID: o->uid = (int64_t)number("uid", optarg, 0, 0xfffffffe, false); break;
		case OPT_GID: o->gid = (int64_t)number("gid", optarg, 0, 0xfffffffe, false); break;
		case OPT_HOSTNAME:
			if (strlen(optarg) > 64 || !*optarg)
				die("--hostname %s: 1 to 64 bytes", optarg);
			o->hostname = optarg;
			break;
		case OPT_MEM: o->limits_given = true; o->mem = number("mem", optarg, 16 << 20, 256ull << 30, true); break;
		case OPT_CPUS: o->limits_given = true; o->cpus = (uint32_t)number("cpus", optarg, 1, 1024, false); break;
		case OPT_PROCS: o->limits_given = true; o->procs = (uint32_t)number("procs", optarg, 1, 1 << 20, false); break;
		case OPT_FDS: o->max_fds = (uint32_t)number("fds", optarg, 8, 1 << 20, false); break;
		case OPT_TIME: o->time = number("time", optarg, 1, 1u << 30, false); break;
		case OPT_TIMEOUT: o->timeout_ms = parse_timeout(optarg); break;
		case OPT_SOUTH: o->south = optarg; break;
		case OPT_LIST: o->list_souths = true; break;
		case OPT_DRY: o->dry_run = true; break;
		case OPT_TRACE: o->trace = true; o->trace_file = optarg; break;
		case OPT_STATS: o->stats = true; break;
		case OPT_JSON: o->json = true; break;
		case OPT_VERBOSE: o->verbose = true; break;
		case OPT_NO_PATCH: o->no_patch = true; break;
		case OPT_HELP: fputs(help, stdout); exit(0);
		case OPT_VERSION: puts("lbx-exec " LBX_VERSION); exit(0);
		default: fputs("Try 'lbx-exec --help'.\n", stderr); exit(EXIT_FAILED);
		}
	}
	if (strcmp(o->south, "auto") && strcmp(o->south, "host"))
		die("--south %s: not built: --list-souths says what works here", o->south);
	if (o->keep && o->ro_root)
		die("--keep-changes %s: with --ro-root there are none to keep", o->keep);
	o->mem &= ~(uint64_t)4095;
	if (o->trace_file) {
		/* before the broker gives up its right to open files */
		o->trace_fd = open(o->trace_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
		if (o->trace_fd < 0)
			die("--trace=%s: %s", o->trace_file, strerror(errno));
	}
	o->argv = argv + optind;
	o->argc = argc - optind;
	if (!o->argc && !o->list_souths && !o->dry_run) {
		fputs("lbx-exec: which program?\nTry 'lbx-exec --help'.\n", stderr);
		exit(EXIT_FAILED);
	}
}
