// SPDX-License-Identifier: MIT
/* /proc of oneself and of a child: that it parses, and agrees with what calls say. */
#include <dirent.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "conform.h"

/* The value behind "Name:" in a file of such lines, blanks in front removed; "" when there is none. */
static const char *field(const char *path, const char *name)
{
	static char line[1024];
	FILE *f = fopen(path, "r");
	size_t len = strlen(name);

	if (!f)
		return errno_name(errno);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ':') {
			char *v = line + len + 1;

			v += strspn(v, " \t");
			v[strcspn(v, "\n")] = 0;
			fclose(f);
			return v;
		}
	fclose(f);
	return "";
}

static const char *link_of(const char *path)
{
	static char out[4097];
	ssize_t n = readlink(path, out, sizeof(out) - 1);

	if (n < 0)
		return errno_name(errno);
	out[n] = 0;
	return out;
}

static pid_t sleeper(void)
{
	pid_t pid = xfork();

	if (!pid)
		for (;;)
			pause();
	wait_asleep(pid);
	return pid;
}

TEST(status)
{
	pid_t pid = sleeper();
	const char *p = N("/proc/%d/status", pid);

	YES("pid", atoi(field("/proc/self/status", "Pid")) == getpid());
	YES("ppid", atoi(field("/proc/self/status", "PPid")) == getppid());
	YES("tgid", atoi(field("/proc/self/status", "Tgid")) == getpid());
	STR("name", field("/proc/self/status", "Name"));
	STR("state", field("/proc/self/status", "State"));
	STR("threads", field("/proc/self/status", "Threads"));
	STR("umask", field("/proc/self/status", "Umask"));
	YES("uid", (uid_t)atoi(field("/proc/self/status", "Uid")) == getuid());
	YES("gid", (gid_t)atoi(field("/proc/self/status", "Gid")) == getgid());
	YES("vmsize", atol(field("/proc/self/status", "VmSize")) > 100);
	YES("vmrss", atol(field("/proc/self/status", "VmRSS")) > 0);
	YES("vmpeak", atol(field("/proc/self/status", "VmPeak")) >= atol(field("/proc/self/status", "VmSize")));
	STR("sigq_sane", strchr(field("/proc/self/status", "SigQ"), '/') ? "yes" : "no");
	STR("sigblk", field("/proc/self/status", "SigBlk"));
	STR("sigcgt", field("/proc/self/status", "SigCgt"));
	YES("cap", strlen(field("/proc/self/status", "CapEff")) == 16);
	YES("cpus", field("/proc/self/status", "Cpus_allowed_list")[0]);
	STR("child.state", field(p, "State"));
	YES("child.ppid", atoi(field(p, "PPid")) == getpid());
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	STR("child.stopped", field(p, "State"));
	kill(pid, SIGKILL);
	siginfo_t si;

	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	STR("child.zombie", field(p, "State"));
	STR("child.zombie.vm", field(p, "VmSize"));
	xwait(pid);
	STR("child.gone", field(p, "State"));
}

static void *sleeps(void *arg)
{
	pause();
	return arg;
}

TEST(stat)
{
	char comm[64], state, rest[1024];
	int pid, ppid, pgrp, sid, tty, fields = 0;
	FILE *f = fopen("/proc/self/stat", "r");

	REQUIRE(f);
	NUM("scanned", fscanf(f, "%d (%63[^)]) %c %d %d %d %d %1023[^\n]", &pid, comm, &state, &ppid, &pgrp, &sid,
			      &tty, rest));
	fclose(f);
	say("is", "%d %s %c %d %d %d", pid == getpid(), comm, state, ppid == getppid(), pgrp == getpgrp(),
	    sid == getsid(0));
	for (char *p = strtok(rest, " "); p; p = strtok(NULL, " "))
		fields++;
	YES("fields", fields + 7 >= 52);
	long size, rss;

	f = fopen("/proc/self/statm", "r");
	REQUIRE(f);
	NUM("statm", fscanf(f, "%ld %ld", &size, &rss));
	YES("statm.sane", size > rss && rss > 0 && size * 4 == atol(field("/proc/self/status", "VmSize")));
	fclose(f);
	pthread_t t;

	pthread_create(&t, NULL, sleeps, NULL);
	STR("threads", field("/proc/self/status", "Threads"));
	DIR *d = opendir("/proc/self/task");
	int n = 0, leader = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		n += e->d_name[0] != '.';
		leader += atoi(e->d_name) == getpid();
	}
	say("task", "%d leader %d", n, leader);
	YES("thread_self", strstr(link_of("/proc/thread-self"), "/task/") != NULL);
}

TEST(links)
{
	char cwd[4096];
	pid_t pid;
	int fd, p[2];

	MUST(syscall(SYS_getcwd, cwd, sizeof(cwd)));
	YES("self", atoi(link_of("/proc/self")) == getpid());
	YES("cwd", !strcmp(link_of("/proc/self/cwd"), cwd));
	STR("root", link_of("/proc/self/root"));
	YES("exe", !strcmp(link_of("/proc/self/exe"), conform_argv0()));
	put_file("f", "text");
	fd = MUST(open("f", O_RDWR | O_APPEND));
	YES("fd.file", !strcmp(link_of(N("/proc/self/fd/%d", fd)), N("%s/f", cwd)));
	MUST(pipe(p));
	YES("fd.pipe", !strncmp(link_of(N("/proc/self/fd/%d", p[0])), "pipe:[", 6));
	STR("fd.pipe_same", !strcmp(strdup(link_of(N("/proc/self/fd/%d", p[0]))),
				    link_of(N("/proc/self/fd/%d", p[1]))) ? "yes" : "no");
	STR("fd.eventfd", link_of(N("/proc/self/fd/%d", MUST((int)syscall(SYS_eventfd2, 0, 0)))));
	STR("fd.epoll", link_of(N("/proc/self/fd/%d", MUST((int)syscall(SYS_epoll_create1, 0)))));
	STR("fd.timerfd", link_of(N("/proc/self/fd/%d", MUST((int)syscall(SYS_timerfd_create, 1, 0)))));
	STR("fd.inotify", link_of(N("/proc/self/fd/%d", MUST((int)syscall(SYS_inotify_init1, 0)))));
	STR("fd.null", link_of(N("/proc/self/fd/%d", MUST(open("/dev/null", O_RDONLY)))));
	STR("fd.absent", link_of("/proc/self/fd/999"));
	struct stat st, st2;

	MUST(stat(N("/proc/self/fd/%d", fd), &st));
	fstat(fd, &st2);
	YES("fd.stat", st.st_ino == st2.st_ino);
	MUST(lstat(N("/proc/self/fd/%d", fd), &st));
	say("fd.lstat", "%o", st.st_mode);
	MUST(lstat(N("/proc/self/fd/%d", p[0]), &st));
	say("fd.lstat_ro", "%o", st.st_mode);
	FD("fd.open_pipe", open(N("/proc/self/fd/%d", p[0]), O_WRONLY));
	lseek(fd, 3, SEEK_SET);
	STR("fdinfo.pos", field(N("/proc/self/fdinfo/%d", fd), "pos"));
	STR("fdinfo.flags", field(N("/proc/self/fdinfo/%d", fd), "flags"));
	DIR *d = opendir("/proc/self/fd");
	int n = 0, mine = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		n += e->d_name[0] != '.';
		mine += atoi(e->d_name) == fd;
	}
	say("fd.list", "%s %d", n >= 9 ? "many" : "few", mine);
	pid = sleeper();
	YES("child.cwd", !strcmp(link_of(N("/proc/%d/cwd", pid)), cwd));
	YES("child.exe", !strcmp(link_of(N("/proc/%d/exe", pid)), conform_argv0()));
	YES("child.fd", !strcmp(link_of(N("/proc/%d/fd/%d", pid, fd)), N("%s/f", cwd)));
	FD("child.fd_open", open(N("/proc/%d/fd/%d", pid, fd), O_RDONLY));
	kill(pid, SIGKILL);
	xwait(pid);
	STR("child.gone", link_of(N("/proc/%d/cwd", pid)));
}

TEST(texts)
{
	char buf[4096];
	int fd;
	ssize_t n;
	pid_t pid = xfork();

	if (!pid) {
		execle("/bin/sh", "the name", "-c", "read x </proc/self/comm; echo texts.comm: $x; "
		       "tr '\\0' '|' </proc/$$/cmdline | cut -c1-11 | sed 's/^/texts.cmdline: /'; "
		       "tr '\\0' '|' </proc/$$/environ | sed 's/^/texts.environ: /'; echo", NULL,
		       (char *[]){ "PATH=/usr/bin:/bin", "X=1", "Y=a b", NULL });
		_exit(1);
	}
	STR("shell", xwait(pid));
	fd = MUST(open("/proc/self/environ", O_RDONLY));
	n = read(fd, buf, sizeof(buf));
	YES("environ_readable", n >= 0);
	RET("write_status", open("/proc/self/status", O_WRONLY) >= 0 && write(fd, "x", 1) == -1 ? 0 : 1);
	YES("limits", strstr(get_file("/proc/self/limits"), "Max open files") != NULL);
	struct rlimit rl = { 77, 99 };

	MUST(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }));
	MUST(setrlimit(RLIMIT_NOFILE, &rl));
	const char *l = strstr(get_file("/proc/self/limits"), "Max open files");
	long soft = 0, hard = 0;

	if (l)
		sscanf(l + 14, "%ld %ld", &soft, &hard);
	say("limits.nofile", "%ld %ld", soft, hard);
	YES("mounts", strstr(get_file("/proc/self/mounts"), " /proc proc ") != NULL);
	YES("mountinfo", strstr(get_file("/proc/self/mountinfo"), " - proc ") != NULL);
	YES("mounts.link", !strcmp(link_of("/proc/mounts"), "self/mounts"));
	FD("oom_score_adj", open("/proc/self/oom_score_adj", O_RDONLY));
	RET("dir_create", mkdir("/proc/self/x", 0755));
	FD("create", open("/proc/x", O_CREAT | O_WRONLY, 0600));
	RET("link", link("/proc/version", "/proc/x"));
	RET("rename", rename("/proc/version", "/proc/x"));
	RET("rename_over", rename("/proc/version", "/proc/uptime"));
	RET("symlink", symlink("a", "/proc/self/x"));
	RET("unlink", unlink("/proc/version"));
	RET("absent_pid", access("/proc/999999999", F_OK));
	YES("smaps", strstr(get_file("/proc/self/smaps"), "Rss:") != NULL);
	YES("pread", ({ int f = open("/proc/self/stat", O_RDONLY); pread(f, buf, 3, 1) == 3; }));
	YES("small_reads", ({ int f = open("/proc/self/status", O_RDONLY), k = 0; char c;
			      while (read(f, &c, 1) == 1) k++; k > 300; }));
	struct stat st;

	MUST(stat("/proc/self/status", &st));
	say("status.mode", "%o size %ld", st.st_mode, (long)st.st_size);
	MUST(stat("/proc/self", &st));
	say("self.mode", "%o", st.st_mode);
	MUST(stat("/proc", &st));
	say("proc.mode", "%o", st.st_mode);
}

TEST(system)
{
	struct utsname u;
	struct sysinfo si;
	char osrelease[128];
	double up = 0, idle;

	uname(&u);
	snprintf(osrelease, sizeof(osrelease), "%s\n", u.release);
	YES("osrelease", !strcmp(get_file("/proc/sys/kernel/osrelease"), osrelease));
	STR("ostype", get_file("/proc/sys/kernel/ostype"));
	YES("hostname", !strncmp(get_file("/proc/sys/kernel/hostname"), u.nodename, strlen(u.nodename)));
	YES("version", !strncmp(get_file("/proc/version"), "Linux version ", 14) &&
		       strstr(get_file("/proc/version"), u.release));
	YES("meminfo", atol(field("/proc/meminfo", "MemTotal")) > 1000);
	YES("meminfo.order", atol(field("/proc/meminfo", "MemFree")) <= atol(field("/proc/meminfo", "MemTotal")) &&
			     atol(field("/proc/meminfo", "MemAvailable")) > 0);
	MUST(sysinfo(&si));
	YES("sysinfo.mem", llabs((long long)si.totalram * si.mem_unit / 1024 -
				 atol(field("/proc/meminfo", "MemTotal"))) < 1024);
	NUM("uptime", sscanf(get_file("/proc/uptime"), "%lf %lf", &up, &idle));
	YES("uptime.agrees", up > 0 && up - (double)si.uptime < 3 && (double)si.uptime - up < 3);
	YES("loadavg", strchr(get_file("/proc/loadavg"), '/') != NULL);
	YES("cpuinfo", strstr(get_file("/proc/cpuinfo"), "processor\t: 0") && strstr(get_file("/proc/cpuinfo"), "\nflags\t\t: fpu "));
	int cpus = 0;
	char line[4096];
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f && fgets(line, sizeof(line), f))
		cpus += !strncmp(line, "processor", 9);
	YES("cpuinfo.cpus", cpus == sysconf(_SC_NPROCESSORS_ONLN));
	YES("stat", !strncmp(get_file("/proc/stat"), "cpu ", 4));
	YES("filesystems", strstr(get_file("/proc/filesystems"), "nodev\tproc") != NULL);
	YES("pid_max", atol(get_file("/proc/sys/kernel/pid_max")) > 1000);
	YES("overcommit", get_file("/proc/sys/vm/overcommit_memory")[0] >= '0');
	YES("random_uuid", strlen(get_file("/proc/sys/kernel/random/uuid")) == 37);
	YES("boot_id", strlen(get_file("/proc/sys/kernel/random/boot_id")) == 37);
	DIR *d = opendir("/proc");
	int pids = 0, self = 0;

	for (struct dirent *e; d && (e = readdir(d));) {
		pids += atoi(e->d_name) > 0;
		self += atoi(e->d_name) == getpid();
	}
	YES("pids", pids >= 2 && self == 1);
	YES("sys_cpu", access("/sys/devices/system/cpu/online", R_OK) == 0 &&
		       get_file("/sys/devices/system/cpu/online")[0] == '0');
}

TEST(maps_of_child)
{
	char *a = MUST(mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), line[512], want[32];
	bool there = false;
	pid_t pid = sleeper();
	FILE *f;

	MUST(munmap(a, 8 * PAGE));
	snprintf(want, sizeof(want), "%lx", (unsigned long)(uintptr_t)a);
	f = fopen(N("/proc/%d/maps", pid), "r");
	REQUIRE(f);
	unsigned long s, e;

	while (fgets(line, sizeof(line), f))
		there |= sscanf(line, "%lx-%lx", &s, &e) == 2 && s <= (uintptr_t)a && (uintptr_t)a < e;
	fclose(f);
	YES("child_keeps", there);
	kill(pid, SIGKILL);
	xwait(pid);
}
