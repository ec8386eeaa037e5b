// SPDX-License-Identifier: MIT
/* fork, vfork, clone, clone3, exit and wait: who is whose child and what the parent learns. */
#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "conform.h"

static long raw_clone(unsigned long flags)
{
	return syscall(SYS_clone, flags, 0, 0, 0, 0);
}

static long clone3_(struct clone_args *args, size_t size)
{
	return syscall(SYS_clone3, args, size);
}

TEST(exit_status)
{
	static const int codes[] = { 0, 1, 127, 128, 255, 256, 511, -1 };
	static const int sigs[] = { SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL,
				    SIGUSR1, SIGSEGV, SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU,
				    SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSYS, 34, 64,
				    SIGCHLD, SIGCONT, SIGURG, SIGWINCH };
	pid_t pid;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		pid = xfork();
		if (!pid)
			_exit(codes[i]);
		STR(N("code %d", codes[i]), xwait(pid));
	}
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++) {
		pid = xfork();
		if (!pid) {
			kill(getpid(), sigs[i]);
			_exit(7);
		}
		STR(N("signal %s", signal_name(sigs[i])), xwait(pid));
	}
	pid = xfork();
	if (!pid)
		syscall(SYS_exit_group, 0x1234);
	STR("exit_group", xwait(pid));
	pid = xfork();
	if (!pid)
		syscall(SYS_exit, 0x1235);
	STR("exit", xwait(pid));
}

static const char *info_name(siginfo_t *si, pid_t pid)
{
	static const char *const codes[] = { "?", "EXITED", "KILLED", "KILLED", "TRAPPED", "STOPPED", "CONTINUED" };

	if (!si->si_pid)
		return "none";
	return N("%s status %d pid %s uid %s sig %s", si->si_code >= 1 && si->si_code <= 6 ? codes[si->si_code] : "?",
		 si->si_status, si->si_pid == pid ? "right" : "wrong", si->si_uid == getuid() ? "mine" : "other",
		 signal_name(si->si_signo));
}

TEST(wait4)
{
	struct rusage ru;
	int status = -1;
	pid_t pid, pid2;

	RET("nochild", waitpid(-1, &status, 0));
	RET("nochild.nohang", waitpid(-1, &status, WNOHANG));
	RET("not_mine", waitpid(getppid(), &status, 0));
	RET("options", waitpid(-1, &status, 0x100));
	RET("int_min", waitpid((pid_t)0x80000000, &status, 0));
	pid = xfork();
	if (!pid) {
		pause();
		_exit(0);
	}
	RET("running", waitpid(pid, &status, WNOHANG));
	kill(pid, SIGTERM);
	YES("reaped", wait4(pid, &status, 0, &ru) == pid);
	STR("status", status_name(status));
	YES("rusage", ru.ru_maxrss >= 0 && ru.ru_utime.tv_sec >= 0);
	RET("twice", waitpid(pid, &status, 0));
	RET("efault.first", (pid = xfork()) ? 0 : (_exit(3), 0));
	wait_asleep(pid);
	while (!({ siginfo_t si = { 0 }; waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT | WNOHANG); si.si_pid; }))
		msleep(1);
	RET("efault", waitpid(pid, (int *)1, 0));
	RET("efault.reaped", waitpid(pid, &status, 0));
	pid = xfork();
	if (!pid)
		_exit(4);
	YES("null_status", waitpid(pid, NULL, 0) == pid);
	/* by group */
	pid = xfork();
	if (!pid) {
		setpgid(0, 0);
		_exit(5);
	}
	setpgid(pid, pid);
	pid2 = xfork();
	if (!pid2)
		_exit(6);
	YES("zero_is_my_group", waitpid(0, &status, 0) == pid2 && WEXITSTATUS(status) == 6);
	RET("zero_none_left", waitpid(0, &status, 0));
	YES("negative_is_group", waitpid(-pid, &status, 0) == pid && WEXITSTATUS(status) == 5);
	RET("negative_gone", waitpid(-pid, &status, 0));
}

TEST(waitid)
{
	siginfo_t si;
	pid_t pid;

	memset(&si, 0x55, sizeof(si));
	RET("no_options", waitid(P_ALL, 0, &si, 0));
	RET("nohang_only", waitid(P_ALL, 0, &si, WNOHANG));
	RET("bad_option", waitid(P_ALL, 0, &si, WEXITED | 0x80));
	RET("bad_type", waitid((idtype_t)77, 0, &si, WEXITED));
	RET("pid_zero", waitid(P_PID, 0, &si, WEXITED));
	RET("pid_negative", waitid(P_PID, (id_t)-5, &si, WEXITED));
	RET("pgid_negative", waitid(P_PGID, (id_t)-5, &si, WEXITED));
	RET("pidfd_bad", waitid(P_PIDFD, 999, &si, WEXITED));
	RET("pidfd_file", waitid(P_PIDFD, 1, &si, WEXITED));
	RET("nochild", waitid(P_ALL, 0, &si, WEXITED));
	pid = xfork();
	if (!pid) {
		raise(SIGSTOP);
		raise(SIGTSTP);
		_exit(9);
	}
#define WAITID(name, type, id, opt)						\
	do {									\
		memset(&si, 0, sizeof(si));					\
		if (waitid(type, (id_t)(id), &si, opt))				\
			say(name, "%s", errno_name(errno));			\
		else								\
			say(name, "%s", info_name(&si, pid));			\
	} while (0)
	WAITID("stopped.nowait", P_PID, pid, WSTOPPED | WNOWAIT);
	WAITID("exited_only", P_PID, pid, WEXITED | WNOHANG);
	WAITID("stopped", P_PID, pid, WSTOPPED);
	WAITID("stopped.again", P_PID, pid, WSTOPPED | WNOHANG);
	kill(pid, SIGCONT);
	WAITID("stopped2", P_PID, pid, WSTOPPED);
	kill(pid, SIGCONT);
	WAITID("exited.nowait", P_ALL, 0, WEXITED | WNOWAIT);
	WAITID("exited", P_PGID, 0, WEXITED);
	WAITID("gone", P_PID, pid, WEXITED);
	pid = xfork();
	if (!pid)
		pause();
	WAITID("nohang", P_PID, pid, WEXITED | WNOHANG);
	kill(pid, SIGKILL);
	RET("null_info", waitid(P_PID, (id_t)pid, NULL, WEXITED));
	pid = xfork();
	if (!pid)
		abort();
	WAITID("aborted", P_PID, pid, WEXITED);
	RET("efault", ({ pid = xfork(); if (!pid) _exit(0);
			 syscall(SYS_waitid, P_PID, pid, (void *)1, WEXITED, NULL); }));
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

TEST(stop_continue)
{
	pid_t pid = sleeper();
	int status;

	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	STR("stop", status_name(status));
	RET("stop.once", waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGSTOP);
	RET("stop.again", waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGCONT);
	MUST(waitpid(pid, &status, WCONTINUED));
	STR("continue", status_name(status));
	RET("continue.once", waitpid(pid, &status, WCONTINUED | WNOHANG));
	kill(pid, SIGCONT);
	RET("continue.running", waitpid(pid, &status, WCONTINUED | WNOHANG));
	kill(pid, SIGSTOP);
	MUST(waitpid(pid, &status, WUNTRACED));
	kill(pid, SIGTERM);	/* all but SIGKILL stay pending while it is stopped */
	msleep(10);
	RET("pending", waitpid(pid, &status, WUNTRACED | WNOHANG));
	kill(pid, SIGCONT);
	MUST(waitpid(pid, &status, 0));
	STR("died", status_name(status));
	pid = sleeper();
	kill(pid, SIGSTOP);
	kill(pid, SIGKILL);
	MUST(waitpid(pid, &status, 0));
	STR("killed_stopped", status_name(status));
}

/* A slot in memory that parent and child share. */
static volatile int *shared(void)
{
	return MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}

TEST(orphan)
{
	volatile int *box = shared();
	pid_t pid, me = getpid();

	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	int is = -1;

	MUST(prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0));
	NUM("subreaper", is);
	pid = xfork();
	if (!pid) {
		pid_t mid = getpid();

		MUST(prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0));
		NUM("subreaper.child", is);
		if (!xfork()) {
			while (getppid() == mid)
				msleep(1);
			box[0] = getppid() == me;
			_exit(11);
		}
		_exit(0);
	}
	STR("middle", xwait(pid));
	int status;
	pid_t orphan = waitpid(-1, &status, 0);

	YES("adopted", orphan > 0 && orphan != pid);
	STR("orphan", status_name(status));
	NUM("orphan_saw_me", box[0]);
	RET("no_more", waitpid(-1, &status, 0));
	/* zombies of a dead parent come too */
	pid = xfork();
	if (!pid) {
		for (int i = 0; i < 3; i++)
			if (!xfork())
				_exit(20 + i);
		msleep(30);
		_exit(0);
	}
	STR("middle2", xwait(pid));
	int sum = 0;

	while (waitpid(-1, &status, 0) > 0)
		sum += WEXITSTATUS(status);
	NUM("zombies", sum);
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
}

TEST(pdeathsig)
{
	int sig = -1, p[2];
	char c;

	MUST(pipe(p));
	MUST(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	RET("bad", prctl(PR_SET_PDEATHSIG, 65, 0, 0, 0));
	if (!xfork()) {
		pid_t mid = getpid();

		if (!xfork()) {
			MUST(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
			MUST(prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0));
			STR("get", signal_name(sig));
			MUST(write(p[1], "x", 1));
			while (getppid() == mid)
				pause();
			msleep(2000);
			_exit(0);
		}
		MUST(read(p[0], &c, 1));
		_exit(0);
	}
	int status;

	for (int i = 0; i < 2; i++)
		if (wait(&status) > 0 && WIFSIGNALED(status))
			STR("orphan", status_name(status));
}

TEST(vfork)
{
	static volatile int seen;
	int status;
	pid_t pid = vfork();

	if (!pid) {
		seen = 42;	/* the parent's memory, and the parent sleeps */
		_exit(3);
	}
	NUM("shared", seen);
	MUST(waitpid(pid, &status, 0));
	STR("status", status_name(status));
	pid = vfork();
	if (!pid) {
		execl("/nonexistent/program", "x", NULL);
		seen = errno;
		_exit(4);
	}
	STR("failed_exec", errno_name(seen));
	STR("failed_exec.status", xwait(pid));
	pid = vfork();
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 5", NULL);
		_exit(6);
	}
	STR("exec", xwait(pid));
	pid = vfork();
	if (!pid) {
		kill(getpid(), SIGKILL);
		_exit(0);
	}
	STR("killed", xwait(pid));
	int fd = MUST(dup(1));

	pid = vfork();
	if (!pid) {
		close(fd);	/* the table of descriptors is a copy */
		chdir("/");
		_exit(0);
	}
	xwait(pid);
	YES("own_files", fcntl(fd, F_GETFD) >= 0);
	YES("own_cwd", access("/proc", F_OK) == 0 && access("proc", F_OK) != 0);
}

TEST(clone_flags)
{
	volatile int *box = shared();
	static volatile int plain;
	int fd = MUST(open("/dev/null", O_RDONLY)), status;
	pid_t pid, tid = 0, *slot = (pid_t *)(box + 8);

	plain = 1;
	pid = (pid_t)raw_clone(SIGCHLD);
	if (!pid) {
		plain = 2;
		_exit(0);
	}
	STR("plain", xwait(pid));
	NUM("memory_copied", plain);
	pid = (pid_t)raw_clone(CLONE_FILES | SIGCHLD);
	if (!pid) {
		close(fd);
		_exit(0);
	}
	xwait(pid);
	YES("files_shared", fcntl(fd, F_GETFD) < 0);
	/* exit signal 0: only __WALL or __WCLONE waits for it */
	pid = (pid_t)raw_clone(0);
	if (!pid)
		_exit(3);
	RET("no_signal.wait", waitpid(pid, &status, 0));
	YES("no_signal.wall", waitpid(pid, &status, __WALL) == pid);
	signal(SIGUSR2, SIG_IGN);
	pid = (pid_t)raw_clone(SIGUSR2);
	if (!pid)
		_exit(3);
	YES("clone_signal.wclone", waitpid(pid, &status, __WCLONE) == pid);
	pid = (pid_t)syscall(SYS_clone, CLONE_CHILD_SETTID | CLONE_PARENT_SETTID | SIGCHLD, 0, &tid, slot, 0);
	if (!pid)
		_exit(*slot == getpid() ? 0 : 1);
	STR("child_settid", xwait(pid));
	YES("parent_settid", tid == pid);
	*slot = 77;
	pid = (pid_t)syscall(SYS_clone, CLONE_CHILD_CLEARTID | SIGCHLD, 0, 0, slot, 0);
	if (!pid)
		_exit(0);
	xwait(pid);
	NUM("cleartid_private_mm", *slot);
	RET("thread_without_sighand", raw_clone(CLONE_THREAD | SIGCHLD));
	RET("sighand_without_vm", raw_clone(CLONE_SIGHAND | SIGCHLD));
	RET("fs_and_newns", raw_clone(CLONE_FS | CLONE_NEWNS | SIGCHLD));
	RET("pidfd_and_parent_settid", syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &tid, 0, 0));
	pid = (pid_t)raw_clone(CLONE_PARENT | SIGCHLD);
	if (!pid)
		_exit(0);
	RET("parent.not_mine", waitpid(pid, &status, 0));
	int pidfd = -1;

	pid = (pid_t)syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
	if (!pid)
		_exit(8);
	NUM("pidfd.cloexec", fcntl(pidfd, F_GETFD));
	siginfo_t si = { 0 };

	RET("pidfd.wait", waitid(P_PIDFD, (id_t)pidfd, &si, WEXITED));
	say("pidfd.status", "%d %d", si.si_pid == pid, si.si_status);
}

TEST(clone3)
{
	struct clone_args a = { .exit_signal = SIGCHLD };
	struct { struct clone_args a; uint64_t more; } big = { .a = a };
	int pidfd = -1;
	pid_t pid;

	pid = (pid_t)clone3_(&a, sizeof(a));
	if (!pid)
		_exit(1);
	STR("plain", xwait(pid));
	pid = (pid_t)clone3_(&a, 64);
	if (!pid)
		_exit(2);
	STR("version0", xwait(pid));
	RET("too_small", clone3_(&a, 63));
	pid = (pid_t)clone3_(&big.a, sizeof(big));
	if (!pid)
		_exit(3);
	STR("zero_tail", pid < 0 ? errno_name(errno) : xwait(pid));
	big.more = 1;
	RET("nonzero_tail", clone3_(&big.a, sizeof(big)));
	RET("page", clone3_(&big.a, 4097));
	RET("efault", clone3_((void *)1, sizeof(a)));
	a.exit_signal = 65;
	RET("exit_signal_big", clone3_(&a, sizeof(a)));
	a.exit_signal = SIGCHLD;
	a.flags = 0xff & 17;
	RET("flags_low_byte", clone3_(&a, sizeof(a)));
	a.flags = CLONE_DETACHED;
	RET("detached", clone3_(&a, sizeof(a)));
	a.flags = 0;
	a.stack = 4096;
	RET("stack_without_size", clone3_(&a, sizeof(a)));
	a.stack = 0, a.stack_size = 4096;
	RET("size_without_stack", clone3_(&a, sizeof(a)));
	a.stack_size = 0;
	a.flags = CLONE_THREAD;
	RET("thread_signal", clone3_(&a, sizeof(a)));
	a.flags = CLONE_PIDFD, a.pidfd = (uintptr_t)&pidfd;
	pid = (pid_t)clone3_(&a, sizeof(a));
	if (!pid)
		_exit(4);
	YES("pidfd", pidfd > 2);
	STR("pidfd.status", xwait(pid));
	a.flags = CLONE_PIDFD, a.pidfd = 1;
	RET("pidfd.efault", clone3_(&a, sizeof(a)));
	a.flags = 1ULL << 50;
	RET("unknown_flag", clone3_(&a, sizeof(a)));
	/* CLONE_CLEAR_SIGHAND: handlers become default, ignored stays */
	signal(SIGUSR1, (void (*)(int))(uintptr_t)_exit);
	signal(SIGUSR2, SIG_IGN);
	a = (struct clone_args){ .exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND };
	pid = (pid_t)clone3_(&a, sizeof(a));
	if (!pid) {
		struct sigaction s1, s2;

		sigaction(SIGUSR1, NULL, &s1);
		sigaction(SIGUSR2, NULL, &s2);
		_exit((s1.sa_handler == SIG_DFL) + 2 * (s2.sa_handler == SIG_IGN));
	}
	STR("clear_sighand", xwait(pid));
}

TEST(fork_copies)
{
	volatile int *sh = shared();
	static int data = 1;
	int local = 2, *heap = malloc(sizeof(int)), p[2];
	sigset_t set, old;

	*heap = 3, sh[0] = 4;
	MUST(pipe(p));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	alarm(9);
	pid_t pid = fork();

	if (!pid) {
		sigprocmask(SIG_BLOCK, NULL, &old);
		sigset_t pend;

		sigpending(&pend);
		say("child", "mask %d pending %d alarm %u", sigismember(&old, SIGUSR1), sigismember(&pend, SIGUSR1),
		    alarm(0));
		data = local = *heap = sh[0] = 100;
		YES("child.pid", getpid() != getppid() && gettid_() == getpid());
		_exit(0);
	}
	xwait(pid);
	say("parent", "%d %d %d %d", data, local, *heap, sh[0]);
	YES("parent.alarm", alarm(0) > 0);
	/* a child of a child of a child */
	int depth = 0;

	while (depth < 20) {
		pid = xfork();
		if (pid) {
			int status;

			MUST(waitpid(pid, &status, 0));
			if (depth)
				_exit(WEXITSTATUS(status));
			NUM("depth", WEXITSTATUS(status));
			return;
		}
		depth++;
	}
	_exit(depth);
}

TEST(many_children)
{
	int sum = 0, status, n = 0;
	pid_t pids[100];

	for (int i = 0; i < 100; i++) {
		pids[i] = xfork();
		if (!pids[i])
			_exit(i);
	}
	while (waitpid(-1, &status, 0) > 0) {
		sum += WEXITSTATUS(status);
		n++;
	}
	say("sum", "%d of %d", sum, n);
	int distinct = 1;

	for (int i = 0; i < 100; i++)
		for (int k = 0; k < i; k++)
			distinct &= pids[i] != pids[k];
	YES("distinct", distinct);
}

TEST(sigchld)
{
	int status;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = xfork();
	if (!pid)
		_exit(1);
	RET("ignored.wait", waitpid(pid, &status, 0));
	signal(SIGCHLD, SIG_DFL);
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT }, NULL);
	pid = xfork();
	if (!pid)
		_exit(1);
	RET("nocldwait.wait", waitpid(pid, &status, 0));
	sigaction(SIGCHLD, &(struct sigaction){ .sa_handler = SIG_DFL }, NULL);
	/* a child that ended before SIG_IGN was set can still be waited for */
	pid = xfork();
	if (!pid)
		_exit(2);
	siginfo_t si;

	MUST(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	signal(SIGCHLD, SIG_IGN);
	YES("early", waitpid(pid, &status, 0) == pid);
	signal(SIGCHLD, SIG_DFL);
}
