// SPDX-License-Identifier: MIT
/*
 * A control group (cgroup v2) for the sandbox, where the caller may make one: what --mem, --cpus and --procs say then holds against a
 * library kernel that was taken over as well. It is made below the caller's own group or beside it (a group with processes in it may
 * have none below that have limits), the reaper is born in it, and a process that outlives us removes it.
 */
#include "sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define CGROUP2_MAGIC	0x63677270

/* Page tables, stacks and the reaper are not the program's memory, and must not end it. */
static uint64_t memory_max(const struct options *o)
{
	return o->mem + o->mem / 8 + (64ull << 20);
}

/* The path of the only hierarchy of v2 in a line of mountinfo: "ID PARENT DEV ROOT POINT OPTIONS … - cgroup2 …" */
static bool mount_line(const char *line, char **root, char **point)
{
	const char *type = strstr(line, " - cgroup2 ");

	return type && sscanf(line, "%*s %*s %*s %ms %ms", root, point) == 2;
}

/* Where the caller's group is in the file system, or NULL with @why. */
static char *own_group(char *why, size_t size)
{
	char *line = NULL, *path = NULL, *root = NULL, *point = NULL, *full = NULL;
	size_t room = 0;
	FILE *f = fopen("/proc/self/cgroup", "re");

	while (f && !path && getline(&line, &room, f) > 0)
		if (!strncmp(line, "0::/", 4))
			path = strndup(line + 3, strcspn(line + 3, "\n"));
	if (f)
		fclose(f);
	f = path ? fopen("/proc/self/mountinfo", "re") : NULL;
	while (f && !point && getline(&line, &room, f) > 0)
		(void)mount_line(line, &root, &point);
	if (f)
		fclose(f);
	if (!path || !point) {
		snprintf(why, size, "no cgroup v2 is mounted here");
	} else {
		size_t n = strcmp(root, "/") ? strlen(root) : 0;

		if (strncmp(path, root, n))
			snprintf(why, size, "the caller's group, %s, is not in what is mounted on %s", path, point);
		else
			full = xasprintf("%s%s", point, strcmp(path + n, "/") ? path + n : "");
	}
	free(line);
	free(path);
	free(root);
	free(point);
	return full;
}

static int write_at(int dir, const char *file, const char *text)
{
	int fd = openat(dir, file, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = errno;
	close(fd);
	return ret;
}

/* Groups of runs that were killed, and whose sweeper was too. Those that are used cannot be removed. */
static void remove_stale(int base)
{
	int fd = openat(base, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), pid, end;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		if (sscanf(e->d_name, "lbx-exec-%d%n", &pid, &end) == 1 && !e->d_name[end] && kill(pid, 0) && errno == ESRCH)
			(void)unlinkat(base, e->d_name, AT_REMOVEDIR);
	if (d)
		closedir(d);
}

static int set_limit(int dir, const char *file, const char *what, const char *text, char *got, size_t size)
{
	int ret = write_at(dir, file, text);

	if (!ret)
		snprintf(got + strlen(got), size - strlen(got), "%s%s", *got ? ", " : "", what);
	return ret;
}

/*
 * A group @name in @base with as many limits as there are controllers for; @memory: that one must be among them, for the others can
 * also be had where processes are, and then it could not.
 * Return: it, open, with their names in @got; -1 with @why
 */
static int make_in(int base, const char *base_name, const char *name, const struct options *o, bool memory, char *got, char *why,
		   size_t size)
{
	char mem[32], pids[32], cpu[48];
	int dir, ret, enabled;

	snprintf(mem, sizeof(mem), "%llu", (unsigned long long)memory_max(o));
	snprintf(pids, sizeof(pids), "%llu", 2ull * o->procs + 72);
	snprintf(cpu, sizeof(cpu), "%llu 100000", 100000ull * o->cpus);
	remove_stale(base);
	/* each by itself: one that is missing must not take the others along */
	enabled = write_at(base, "cgroup.subtree_control", "+memory");
	if (enabled != EBUSY || !memory) {
		(void)write_at(base, "cgroup.subtree_control", "+pids");
		(void)write_at(base, "cgroup.subtree_control", "+cpu");
	}
	if (mkdirat(base, name, 0755) && errno != EEXIST) {
		snprintf(why, size, "%s: %s", base_name, strerror(errno));
		return -1;
	}
	dir = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*got = 0;
	ret = dir < 0 ? errno : set_limit(dir, "memory.max", "memory", mem, got, size);
	if (dir >= 0 && (!ret || !memory)) {
		(void)set_limit(dir, "pids.max", "pids", pids, got, size);
		(void)set_limit(dir, "cpu.max", "cpu", cpu, got, size);
	}
	if (*got)
		return dir;
	if (enabled == EBUSY)
		snprintf(why, size, "%s has processes itself, so that groups below have no limits", base_name);
	else
		snprintf(why, size, "%s: no controller for memory, pids or cpu (%s)", base_name, strerror(ret));
	if (dir >= 0)
		close(dir);
	(void)unlinkat(base, name, AT_REMOVEDIR);
	return -1;
}

/* The caller's own group first, then the one above; once more for what can be had without memory. Return: as make_in(); *@base: where it is, open */
static int make(const struct options *o, const char *name, int *base, char *got, char *why, size_t size)
{
	char *own = own_group(why, size);
	int dir = -1;

	for (int turn = 0; own && turn < 4 && dir < 0; turn++) {
		char *path = xstrdup(own);
		bool up = turn & 1, memory = turn < 2;
		struct statfs st;

		if (up && strrchr(path, '/') > path)
			*strrchr(path, '/') = 0;
		*base = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*base < 0 || fstatfs(*base, &st) || st.f_type != CGROUP2_MAGIC) {
			if (!turn)
				snprintf(why, size, "%s: %s", path, *base < 0 ? strerror(errno) : "no cgroup v2");
		} else {
			char reason[160];

			dir = make_in(*base, path, name, o, memory, got, reason, sizeof(reason));
			if (dir < 0 && !turn)
				snprintf(why, size, "%s", reason);
		}
		if (dir < 0 && *base >= 0)
			close(*base);
		free(path);
	}
	free(own);
	return dir;
}

/* Removes the group when all in it, and we, are gone: nobody else may, since the broker has given that right up by then. */
static void start_sweeper(int base, const char *name)
{
	int alive[2];
	sigset_t all;
	char byte;
	pid_t pid;

	if (pipe2(alive, O_CLOEXEC))
		return;
	pid = fork();
	if (pid) {
		close(alive[0]);	/* the other end closes with us */
		if (pid > 0)
			waitpid(pid, NULL, 0);
		return;
	}
	/* a grandchild: it is init's, and no child that the broker waits for */
	if (fork())
		_exit(0);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	if (dup2(alive[0], 0) < 0 || dup2(base, 1) < 0)
		_exit(1);
	syscall(SYS_close_range, 2, ~0u, 0);
	prctl(PR_SET_NAME, "lbx-sweeper");
	while (read(0, &byte, 1) < 0 && errno == EINTR)
		;
	/* the last of its processes may still be on their way out */
	for (int i = 0; i < 100 && unlinkat(1, name, AT_REMOVEDIR) && errno == EBUSY; i++)
		usleep(100000);
	_exit(0);
}

int cgroup_make(const struct options *o)
{
	char got[64] = "", why[200] = "", name[32];
	int base, dir;

	if (!o->limits_given)
		return -1;
	snprintf(name, sizeof(name), "lbx-exec-%d", getpid());
	dir = make(o, name, &base, got, why, sizeof(why));
	if (dir < 0) {
		if (o->verbose)
			message("no control group (%s): --mem, --cpus and --procs bind programs, not a library kernel that is taken over", why);
		return -1;
	}
	start_sweeper(base, name);
	close(base);
	if (o->verbose)
		message("control group %s: limits for %s", name, got);
	return dir;
}

bool cgroup_state(const struct options *o, char *text, size_t size)
{
	char got[64] = "", why[200] = "", name[32];
	int base, dir;

	snprintf(name, sizeof(name), "lbx-exec-%d", getpid());
	dir = make(o, name, &base, got, why, sizeof(why));
	if (dir < 0) {
		snprintf(text, size, "no: %s", why);
		return false;
	}
	snprintf(text, size, "yes: %s", got);
	close(dir);
	(void)unlinkat(base, name, AT_REMOVEDIR);
	close(base);
	return true;
}
