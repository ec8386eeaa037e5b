// SPDX-License-Identifier: MIT
/* Groups, sessions, credentials, limits, pidfds, and the small process calls. */
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>

#include "conform.h"

static int p[2];

/* A child that lives until its end of the pipe closes. */
static pid_t holder(void)
{
	pid_t pid;
	char c;

	MUST(pipe(p));
	pid = xfork();
	if (!pid) {
		close(p[1]);
		read(p[0], &c, 1);
		_exit(0);
	}
	close(p[0]);
	return pid;
}

TEST(groups)
{
	pid_t pid, me = getpid();

	YES("inherited", getpgrp() == getpgid(getppid()));
	YES("getpgid0", getpgid(0) == getpgrp());
	RET("getpgid.absent", getpgid(0x3fffffff));
	RET("getpgid.negative", getpgid(-1));
	RET("own", setpgid(0, 0));
	YES("own.is", getpgrp() == me);
	RET("own.again", setpgid(0, me));
	RET("negative", setpgid(0, -1));
	RET("absent", setpgid(0x3fffffff, 0));
	RET("not_child", setpgid(getppid(), me));
	RET("group_absent", setpgid(0, 0x3fffffff));
	pid = holder();
	YES("child.inherits", getpgid(pid) == me);
	RET("child", setpgid(pid, pid));
	YES("child.is", getpgid(pid) == pid);
	RET("join_child", setpgid(0, pid));
	RET("back", setpgid(0, me));
	RET("child_to_mine", setpgid(pid, me));
	close(p[1]);
	xwait(pid);
	RET("dead_child", setpgid(pid, me));
	/* after exec a child is not the parent's to move */
	int q[2];
	char c;

	MUST(pipe2(q, O_CLOEXEC));
	pid = xfork();
	if (!pid) {
		execl("/bin/sleep", "sleep", "5", NULL);
		_exit(1);
	}
	close(q[1]);
	read(q[0], &c, 1);
	RET("child_after_exec", setpgid(pid, pid));
	kill(pid, SIGKILL);
	xwait(pid);
}

TEST(sessions)
{
	pid_t pid, me;
	int status;

	YES("inherited", getsid(0) == getsid(getppid()));
	RET("getsid.absent", getsid(0x3fffffff));
	pid = xfork();
	if (!pid) {
		me = getpid();
		YES("setsid", setsid() == me);
		YES("leader", getsid(0) == me && getpgrp() == me);
		RET("again", setsid());
		RET("leader_setpgid", setpgid(0, 0));
		RET("leader_leaves", setpgid(0, getppid()));
		pid = xfork();
		if (!pid) {
			YES("child.session", getsid(0) == me && getpgrp() == me);
			RET("child.setpgid", setpgid(0, 0));
			/* a group of another session cannot be joined */
			RET("other_session", setpgid(0, getsid(0) == me ? getpgid(1) > 0 ? getpgid(1) : 1 : 0));
			RET("child.setsid_as_leader", setsid());
			_exit(0);
		}
		xwait(pid);
		pid = xfork();
		if (!pid) {
			setsid();
			pause();
			_exit(0);
		}
		while (getsid(pid) == me)
			msleep(1);
		RET("child_in_other_session", setpgid(pid, me));
		YES("getsid.child", getsid(pid) == pid);
		kill(pid, SIGKILL);
		xwait(pid);
		int tty = open("/dev/tty", O_RDWR);

		say("no_tty", "%s", tty < 0 ? errno_name(errno) : "opened");
		_exit(0);
	}
	waitpid(pid, &status, 0);
	STR("end", status_name(status));
}

static void ids(const char *name)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	getresuid(&r, &e, &s);
	getresgid(&gr, &ge, &gs);
	/* own ids as "me", so that the caller's number does not matter */
	say(name, "uid %d,%d,%d gid %d,%d,%d fs %d %d", r >= 1000 ? (int)r : -(int)r, e >= 1000 ? (int)e : -(int)e,
	    s >= 1000 ? (int)s : -(int)s, gr, ge, gs, setfsuid((uid_t)-1), setfsgid((gid_t)-1));
}

static void unprivileged(void)
{
	gid_t list[4];

	RET("u.setuid_root", setuid(0) && geteuid());
	RET("u.setuid_same", setuid(getuid()));
	RET("u.setuid_other", setuid(getuid() + 1));
	RET("u.setreuid", setreuid((uid_t)-1, getuid() + 1));
	RET("u.setresuid_same", setresuid(getuid(), getuid(), getuid()));
	RET("u.setresuid_other", setresuid(getuid(), getuid() + 1, getuid()));
	RET("u.setgid_other", setgid(getgid() + 1));
	RET("u.setregid_same", setregid(getgid(), getgid()));
	RET("u.setgroups", setgroups(0, NULL));
	RET("u.getgroups_negative", getgroups(-1, list));
	RET("u.chroot", chroot("."));
	RET("u.nice_up", setpriority(PRIO_PROCESS, 0, 5));
	RET("u.nice", getpriority(PRIO_PROCESS, 0));
	RET("u.nice_down", setpriority(PRIO_PROCESS, 0, -5));
	RET("u.mount", syscall(SYS_mount, "none", ".", "tmpfs", 0, NULL));
	RET("u.umount", syscall(SYS_umount2, ".", 0));
	RET("u.sethostname", sethostname("x", 1));
	RET("u.reboot", syscall(SYS_reboot, 1, 2, 3, NULL));
	RET("u.settime", syscall(SYS_settimeofday, &(struct { long a, b; }){ 1, 1 }, NULL));
	RET("u.swapon", syscall(SYS_swapon, "x", 0));
	RET("u.rlimit_raise", ({ struct rlimit rl; getrlimit(RLIMIT_STACK, &rl); rl.rlim_cur = 1 << 20;
				 rl.rlim_max = 2 << 20; setrlimit(RLIMIT_STACK, &rl);
				 rl.rlim_max = 4 << 20; setrlimit(RLIMIT_STACK, &rl); }));
	ids("u.ids");
}

TEST(credentials)
{
	if (geteuid() == 0) {
		pid_t pid = xfork();

		if (!pid) {
			MUST(setgroups(2, (gid_t[]){ 5000, 6000 }));
			gid_t list[4] = { 0 };

			RET("getgroups", getgroups(4, list));
			say("getgroups.is", "%d %d", list[0], list[1]);
			RET("getgroups.size", getgroups(0, list));
			RET("getgroups.short", getgroups(1, list));
			RET("seteuid", seteuid(4242));
			ids("seteuid.ids");
			RET("back", seteuid(0));
			RET("setresuid", setresuid(1001, 1002, 1003));
			ids("setresuid.ids");
			RET("to_saved", setresuid((uid_t)-1, 1003, (uid_t)-1));
			RET("swap", setreuid(1003, 1001));
			ids("swap.ids");
			RET("to_root", setuid(0));
			_exit(0);
		}
		STR("root.a", xwait(pid));
		pid = xfork();
		if (!pid) {
			RET("setregid", setregid(4300, 4301));
			ids("setregid.ids");
			RET("setfsuid", setfsuid(4242));
			ids("setfsuid.ids");
			RET("setuid", setuid(4242));
			ids("setuid.ids");
			RET("setuid_back", setuid(0));
			RET("setgid_other", setgid(4400));
			_exit(0);
		}
		STR("root.b", xwait(pid));
		pid = xfork();
		if (!pid) {
			MUST(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
			NUM("keepcaps", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
			RET("invalid_uid", setuid((uid_t)-1));
			RET("invalid_gid", setgid((gid_t)-1));
			_exit(0);
		}
		STR("root.c", xwait(pid));
	}
	STR("unprivileged", as_nobody(unprivileged));
}

TEST(kill_permission)
{
	pid_t pid = holder();

	RET("zero", kill(pid, 0));
	RET("bad_signal", kill(pid, 65));
	RET("negative_signal", kill(pid, -1));
	RET("absent", kill(0x3fffffff, 0));
	RET("group_absent", kill(-0x3fffffff, 0));
	RET("int_min", kill((pid_t)0x80000000, 0));
	RET("tgkill", (int)syscall(SYS_tgkill, pid, pid, 0));
	RET("tgkill.wrong_group", (int)syscall(SYS_tgkill, getpid(), pid, 0));
	RET("tgkill.zero", (int)syscall(SYS_tgkill, 0, pid, 0));
	RET("tkill", (int)syscall(SYS_tkill, pid, 0));
	RET("tkill.zero", (int)syscall(SYS_tkill, 0, 0));
	RET("tkill.absent", (int)syscall(SYS_tkill, 0x3fffffff, 0));
	close(p[1]);
	siginfo_t si;

	MUST(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	RET("zombie", kill(pid, SIGKILL));
	xwait(pid);
	RET("reaped", kill(pid, 0));
	if (geteuid() == 0) {
		pid = holder();
		pid_t k = xfork();

		if (!k) {
			MUST(setresuid(4242, 4242, 4242));
			RET("other_user", kill(pid, 0));
			RET("other_user.term", kill(pid, SIGTERM));
			RET("other_user.cont", kill(pid, SIGCONT));	/* allowed within a session */
			_exit(0);
		}
		xwait(k);
		close(p[1]);
		STR("survivor", xwait(pid));
	}
}

TEST(group_signals)
{
	pid_t a, b;

	MUST(setpgid(0, 0));
	a = xfork();
	if (!a)
		for (;;)
			pause();
	setpgid(a, a);
	b = xfork();
	if (!b)
		for (;;)
			pause();
	setpgid(b, a);
	RET("kill", kill(-a, SIGUSR1));
	STR("a", xwait(a));
	STR("b", xwait(b));
	RET("gone", kill(-a, 0));
	signal(SIGUSR2, SIG_IGN);
	RET("own", kill(0, SIGUSR2));
	RET("killpg", killpg(getpgrp(), SIGUSR2));
}

TEST(rlimits)
{
	static const int which[] = { RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_NPROC,
				     RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS, RLIMIT_LOCKS, RLIMIT_SIGPENDING,
				     RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_RSS };
	struct rlimit rl, old, now;

	for (size_t i = 0; i < ARRAY_SIZE(which); i++) {
		MUST(getrlimit((__rlimit_resource_t)which[i], &old));
		rl = old;
		if (rl.rlim_cur != RLIM_INFINITY && rl.rlim_cur > 20)
			rl.rlim_cur -= 1;
		RET(N("%d.set", which[i]), setrlimit((__rlimit_resource_t)which[i], &rl));
		MUST(getrlimit((__rlimit_resource_t)which[i], &now));
		YES(N("%d.is", which[i]), now.rlim_cur == rl.rlim_cur && now.rlim_max == rl.rlim_max);
		rl = (struct rlimit){ 10, 5 };
		RET(N("%d.inverted", which[i]), setrlimit((__rlimit_resource_t)which[i], &rl));
	}
	RET("unknown", getrlimit((__rlimit_resource_t)16, &rl));
	RET("efault", getrlimit(RLIMIT_AS, (void *)1));
	RET("prlimit.self", prlimit(0, RLIMIT_CORE, NULL, &rl));
	RET("prlimit.absent", prlimit(0x3fffffff, RLIMIT_CORE, NULL, &rl));
	pid_t pid = holder();

	rl = (struct rlimit){ 0, 0 };
	RET("prlimit.child", prlimit(pid, RLIMIT_CORE, &rl, &old));
	RET("prlimit.child_get", prlimit(pid, RLIMIT_CORE, NULL, &old));
	NUM("prlimit.child_is", old.rlim_max);
	close(p[1]);
	xwait(pid);
	/* inherited, and kept over exec */
	rl = (struct rlimit){ 123, 456 };
	MUST(setrlimit(RLIMIT_NOFILE, &rl));
	pid = xfork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "echo rlimits.shell: $(ulimit -Sn) $(ulimit -Hn)", NULL);
		_exit(1);
	}
	xwait(pid);
	STR("cpu", ({ pid = xfork();
		      if (!pid) {
			      setrlimit(RLIMIT_CPU, &(struct rlimit){ 1, 2 });
			      for (;;)
				      ;
		      }
		      xwait(pid); }));
}

TEST(pidfd)
{
	struct pollfd pfd;
	siginfo_t si = { 0 };
	pid_t pid = holder();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), dup_fd;

	YES("open", fd >= 0);
	NUM("cloexec", fcntl(fd, F_GETFD));
	RET("flags", syscall(SYS_pidfd_open, pid, 1));
	RET("zero", syscall(SYS_pidfd_open, 0, 0));
	RET("negative", syscall(SYS_pidfd_open, -1, 0));
	RET("absent", syscall(SYS_pidfd_open, 0x3fffffff, 0));
	pfd = (struct pollfd){ .fd = fd, .events = POLLIN };
	RET("poll.alive", poll(&pfd, 1, 0));
	RET("signal0", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	RET("signal.flags", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0x100));
	RET("signal.badfd", syscall(SYS_pidfd_send_signal, 1, 0, NULL, 0));
	RET("signal.bad", syscall(SYS_pidfd_send_signal, fd, 99, NULL, 0));
	RET("read", read(fd, &si, 1));
	RET("getfd.flags", syscall(SYS_pidfd_getfd, fd, 0, 1));
	RET("wait.nohang", waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG));
	RET("kill", syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0));
	RET("poll.dead", poll(&pfd, 1, 15000));
	HEX("revents", pfd.revents & ~POLLHUP);
	RET("wait", waitid(P_PIDFD, (id_t)fd, &si, WEXITED));
	say("wait.is", "%d %d %s", si.si_code, si.si_status, si.si_pid == pid ? "right" : "wrong");
	RET("signal.dead", syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	RET("wait.again", waitid(P_PIDFD, (id_t)fd, &si, WEXITED));
	dup_fd = dup(fd);
	YES("dup", dup_fd >= 0);
	int self = MUST((int)syscall(SYS_pidfd_open, getpid(), 0));

	RET("self.wait", waitid(P_PIDFD, (id_t)self, &si, WEXITED));
	RET("getfd.self", ({ int f = (int)syscall(SYS_pidfd_getfd, self, 1, 0); f < 0 ? -1 : fcntl(f, F_GETFD); }));
	RET("getfd.absent", syscall(SYS_pidfd_getfd, self, 999, 0));
}

/* At least 10 ms of any processor, however little of it we get at a time. */
static void spin(void)
{
	for (volatile long i = 0; i < 60000000; i++)
		;
}

TEST(usage)
{
	struct rusage ru;
	struct tms t;

	spin();
	RET("self", getrusage(RUSAGE_SELF, &ru));
	YES("self.cpu", ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec + ru.ru_stime.tv_usec > 5000);
	YES("self.maxrss", ru.ru_maxrss > 0);
	RET("children", getrusage(RUSAGE_CHILDREN, &ru));
	say("children.none", "%ld", ru.ru_utime.tv_sec * 1000000 + ru.ru_utime.tv_usec);
	RET("thread", getrusage(RUSAGE_THREAD, &ru));
	RET("who", getrusage((__rusage_who_t)55, &ru));
	RET("efault", getrusage(RUSAGE_SELF, (void *)1));
	YES("times", times(&t) != -1 && t.tms_cutime == 0);
	pid_t pid = xfork();

	if (!pid) {
		spin();
		_exit(0);
	}
	xwait(pid);
	getrusage(RUSAGE_CHILDREN, &ru);
	YES("children.some", ru.ru_utime.tv_usec + ru.ru_stime.tv_usec > 5000);
}
