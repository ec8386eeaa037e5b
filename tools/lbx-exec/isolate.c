// SPDX-License-Identifier: MIT
/*
 * What is put around the sandbox beside its seccomp filter, where this host allows it. Nothing depends on it: the filter alone
 * lets nothing out, so a host that forbids all of this gets a line under --verbose and no error.
 */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	unsigned long flag;
	const char *name;
} kinds[] = {
	{ CLONE_NEWUSER, "user" }, { CLONE_NEWPID, "PID" }, { CLONE_NEWNS, "mount" }, { CLONE_NEWNET, "network" },
	{ CLONE_NEWIPC, "IPC" }, { CLONE_NEWUTS, "UTS" }, { CLONE_NEWCGROUP, "cgroup" },
};
#define NR_KINDS	(sizeof(kinds) / sizeof(*kinds))

#define INTO_CGROUP	0x200000000ull	/* newer than the headers that this may be built with */

/* As fork(), since no memory is shared; flags of glibc's fork() handlers are of no use to us. */
static pid_t clone_with(unsigned long flags)
{
	return (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);
}

/* The same, born in a control group: which namespace of those it is in is seen from is decided after that. */
static pid_t clone_into(unsigned long flags, int cgroup)
{
	const uint64_t args[11] = { [0] = flags | INTO_CGROUP, [4] = SIGCHLD, [10] = (uint64_t)cgroup };
	pid_t pid;

	if (cgroup < 0)
		return clone_with(flags);
	pid = (pid_t)syscall(SYS_clone3, args, sizeof(args));
	if (pid >= 0)
		return pid;
	/* the namespaces are not to blame when it works without the group */
	pid = clone_with(flags);
	if (pid > 0)
		message("no process can be started in the control group: its limits do not hold");
	return pid;
}

/* Return: 0 when a process can be started with @flags, or the errno */
static int try(unsigned long flags)
{
	pid_t pid = clone_with(flags);

	if (pid < 0)
		return errno;
	if (!pid)
		_exit(0);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

/* Namespaces that work here, one by one; reasons for the others in @err. */
static unsigned long allowed(int err[NR_KINDS])
{
	unsigned long base, set;

	err[0] = try(CLONE_NEWUSER);
	base = err[0] ? 0 : CLONE_NEWUSER;
	set = base;
	for (size_t i = 1; i < NR_KINDS; i++) {
		err[i] = try(base | kinds[i].flag);
		if (!err[i])
			set |= kinds[i].flag;
	}
	return set;
}

pid_t isolate_fork(unsigned long *got, bool verbose, int cgroup)
{
	int err[NR_KINDS] = { 0 };
	pid_t pid;

	*got = 0;
	for (size_t i = 0; i < NR_KINDS; i++)
		*got |= kinds[i].flag;
	pid = clone_into(*got, cgroup);
	if (pid >= 0)
		return pid;
	*got = allowed(err);
	for (size_t i = 0; verbose && i < NR_KINDS; i++)
		if (err[i])
			message("no %s namespace here (%s): the filter holds without", kinds[i].name, strerror(err[i]));
	pid = clone_into(*got, cgroup);
	if (pid < 0 && *got) {
		*got = 0;
		pid = clone_into(0, cgroup);
	}
	return pid;
}

static int write_file(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = errno;
	close(fd);
	return ret;
}

static int map_ids(int proc, uid_t uid, gid_t gid)
{
	char line[64];
	int ret;

	snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	ret = write_file(proc, "self/uid_map", line);
	if (ret)
		return ret;
	ret = write_file(proc, "self/setgroups", "deny");
	snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	return ret && ret != ENOENT ? ret : write_file(proc, "self/gid_map", line);
}

/* An empty directory in memory becomes the root of all in this mount namespace, and nothing else stays mounted. */
static int empty_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("litebox", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2,mode=0555") ||
	    chdir("/proc") || syscall(SYS_pivot_root, ".", ".") || umount2(".", MNT_DETACH) || chdir("/"))
		return errno;
	(void)mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	return 0;
}

void isolate_enter(const struct sandbox *s)
{
	int ret;

	if (s->namespaces & CLONE_NEWUSER) {
		/* before the call our ids were these; now they have no name until they are mapped */
		ret = map_ids(s->proc, (uid_t)s->o->host_uid, (gid_t)s->o->host_gid);
		if (ret && s->o->verbose)
			message("user namespace: ids stay unmapped: %s", strerror(ret));
	}
	if (s->namespaces & CLONE_NEWNS) {
		ret = empty_root();
		if (ret && s->o->verbose)
			message("mount namespace: the root directory stays the host's: %s", strerror(ret));
	}
}

/* Of newer kernels than the headers that this may be built with. */
struct ruleset {
	uint64_t fs, net, scoped;
};

static int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

int isolate_landlock(int image)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = image,
	};
	struct ruleset set = { .fs = 0x1fff };
	int abi = landlock_abi(), fd, ret = 0;
	size_t size = sizeof(set.fs);

	if (abi < 1)
		return errno;
	if (abi >= 2)
		set.fs |= 0x2000;	/* REFER */
	if (abi >= 3)
		set.fs |= 0x4000;	/* TRUNCATE */
	if (abi >= 4) {
		set.net = 3;		/* TCP bind, connect */
		size = offsetof(struct ruleset, scoped);
	}
	if (abi >= 5)
		set.fs |= 0x8000;	/* ioctl on devices */
	if (abi >= 6) {
		set.scoped = 3;		/* abstract sockets, signals */
		size = sizeof(set);
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
	if (fd < 0)
		return errno;
	if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) ||
	    syscall(SYS_landlock_restrict_self, fd, 0))
		ret = errno;
	close(fd);
	return ret;
}

int isolate_drop_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	/* the first two need a capability: without it there is none to lose */
	(void)prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
		    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED, 0, 0, 0);
	for (unsigned long cap = 0; cap < 64; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &head, none) ? errno : 0;
}

void isolate_print(void)
{
	int err[NR_KINDS] = { 0 }, abi = landlock_abi();

	printf("  around the filter, where allowed (nothing depends on it):\n");
	allowed(err);
	for (size_t i = 0; i < NR_KINDS; i++)
		printf("  %-8s namespace: %s%s\n", kinds[i].name, err[i] ? "no: " : "yes", err[i] ? strerror(err[i]) : "");
	if (abi > 0)
		printf("  Landlock: yes, ABI %d\n", abi);
	else
		printf("  Landlock: no: %s\n", strerror(errno));
}
