// SPDX-License-Identifier: MIT
/* exec in all its forms: what is found, what is refused, what survives. */
#include <elf.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>

#include "conform.h"

/* Started again by its own tests as: PROGRAM "inner" what... */
extern char **environ;

static int run(const char *path, char *const argv[], char *const envp[])
{
	int p[2];
	pid_t pid;

	MUST(pipe2(p, O_CLOEXEC));
	pid = xfork();
	if (!pid) {
		int err;

		execve(path, argv, envp);
		err = errno;
		MUST(write(p[1], &err, sizeof(err)));
		_exit(126);
	}
	close(p[1]);
	int err = 0, status;

	if (read(p[0], &err, sizeof(err)) < 0)
		err = 0;
	close(p[0]);
	waitpid(pid, &status, 0);
	return err ? -err : status;
}

static void report(const char *name, int r)
{
	say(name, "%s", r < 0 ? errno_name(-r) : status_name(r));
}

static char *const env0[] = { "A=1", "B=two words", NULL };

static void script(const char *name, const char *text, mode_t mode)
{
	put_file(name, text);
	MUST(chmod(name, mode));
}

TEST(errors)
{
	char *argv[] = { "x", NULL };
	static char big[5000];

	put_file("plain", "not a program\n");
	report("not_executable", run("./plain", argv, env0));
	chmod("plain", 0755);
	report("no_format", run("./plain", argv, env0));
	script("empty", "", 0755);
	report("empty", run("./empty", argv, env0));
	script("elf_only", "\177ELF", 0755);
	report("elf_cut", run("./elf_only", argv, env0));
	report("absent", run("./absent", argv, env0));
	report("dir", run(".", argv, env0));
	report("notdir", run("plain/x", argv, env0));
	report("slash", run("plain/", argv, env0));
	report("empty_path", run("", argv, env0));
	report("efault", run((void *)1, argv, env0));
	report("efault.argv", run("/bin/sh", (void *)1, env0));
	report("efault.arg", run("/bin/sh", (char *[]){ "sh", (char *)1, NULL }, env0));
	report("efault.env", run("/bin/sh", argv, (void *)1));
	memset(big, 'a', 4999);
	report("path_too_long", run(big, argv, env0));
	big[256] = 0;
	report("name_too_long", run(big, argv, env0));
	symlink("loop", "loop");
	report("loop", run("./loop", argv, env0));
	mkfifo("fifo", 0755);
	report("fifo", run("./fifo", argv, env0));
	report("devnull", run("/dev/null", argv, env0));
	symlink("/bin/true", "link");
	report("link", run("./link", argv, env0));
	script("noaccess", "#!/bin/sh\n", 0644);
	report("noaccess", run("./noaccess", argv, env0));
	/* an executable that someone writes is busy, and one that runs cannot be opened for writing */
	script("busy", "#!/bin/sh\nexit 3\n", 0755);
	report("exit3", run("./busy", argv, env0));
}

TEST(scripts)
{
	char *argv[] = { "arg0", "one", "two words", NULL };
	static char line[400];

	script("s1", "#!/bin/sh\necho \"s1 by $TAG: $# $1 $2\"\nexit 7\n", 0755);
	report("plain", run("./s1", argv, (char *[]){ "TAG=plain", NULL }));
	script("s2", "#! /bin/sh -e   \necho \"s2: $- \" | tr -d a-df-z; false; exit 9\n", 0755);
	report("option_with_blanks", run("./s2", argv, env0));
	script("s3", "#!/bin/sh -c echo\n", 0755);
	report("one_argument", run("./s3", argv, env0));
	script("s4", "#!./s1\n", 0755);
	report("nested", run("./s4", argv, (char *[]){ "TAG=nested", NULL }));
	script("s5", "#!./s5\n", 0755);
	report("self", run("./s5", argv, env0));
	script("s6", "#!/nonexistent/interp\n", 0755);
	report("no_interpreter", run("./s6", argv, env0));
	script("s7", "#!\n", 0755);
	report("no_name", run("./s7", argv, env0));
	script("s8", "#!   \t\n", 0755);
	report("blanks", run("./s8", argv, env0));
	script("s9", "#!/bin/sh", 0755);
	report("no_newline", run("./s9", argv, env0));
	memset(line, 'x', 390);
	memcpy(line, "#!/", 3);
	script("s10", line, 0755);
	report("truncated_interpreter", run("./s10", argv, env0));
	memset(line, 0, sizeof(line));
	strcpy(line, "#!/bin/sh ");
	memset(line + 10, ' ', 300);
	strcat(line, "\nexit 4\n");
	script("s11", line, 0755);
	report("long_line_argument_cut", run("./s11", argv, env0));
	for (int i = 0; i < 8; i++)
		script(N("n%d", i), N("#!./n%d\n", i - 1), 0755);
	script("n0", "#!/bin/sh\nexit 5\n", 0755);
	for (int i = 3; i < 8; i++)
		report(N("depth %d", i), run(N("./n%d", i), argv, env0));
	script("s12", "#!/usr/bin/env sh\necho s12: $A $B\n", 0755);
	report("env", run("./s12", argv, env0));
	report("empty_argv", run("./s1", (char *[]){ NULL }, (char *[]){ "TAG=empty_argv", NULL }));
	report("null_argv", run("./s1", NULL, NULL));
	script("s13", "echo no hash\n", 0755);
	report("no_hash", run("./s13", argv, env0));
}

TEST(environment)
{
	report("printed", run("/usr/bin/env", (char *[]){ "env", NULL }, env0));
	report("args", run("/bin/echo", (char *[]){ "echo", "environment.echo:", "", "b  c", "\xff", NULL }, env0));
	/* many and long arguments */
	static char *many[10003];

	many[0] = "sh", many[1] = "-c", many[2] = "exit $(( $# % 251 ))";
	for (int i = 3; i < 10002; i++)
		many[i] = "argument";
	report("many", run("/bin/sh", many, env0));
	char *big = malloc(131073);

	memset(big, 'x', 131073);
	big[131071] = 0;
	report("string_131071", run("/bin/true", (char *[]){ "true", big, NULL }, env0));
	big[131071] = 'x', big[131072] = 0;
	report("string_131072", run("/bin/true", (char *[]){ "true", big, NULL }, env0));
	big[100000] = 0;
	for (int i = 1; i < 200; i++)
		many[i] = big;
	many[200] = NULL;
	report("total_20MB", run("/bin/true", many, env0));
}

static void ignore(int sig)
{
	(void)sig;
}

TEST(survives)
{
	pid_t pid = xfork();

	if (!pid) {
		sigset_t set;

		signal(SIGUSR1, SIG_IGN);
		signal(SIGUSR2, ignore);
		sigemptyset(&set);
		sigaddset(&set, SIGHUP);
		sigprocmask(SIG_SETMASK, &set, NULL);
		raise(SIGHUP);
		umask(0127);
		execl("/bin/grep", "grep", "-E", "^(Sig(Ign|Cgt|Blk)|ShdPnd|SigPnd|Umask)", "/proc/self/status", NULL);
		_exit(126);
	}
	STR("child", xwait(pid));
	pid = xfork();
	if (!pid) {
		put_file("here", "");
		MUST(setpgid(0, 0));
		execl("/bin/sh", "sh", "-c", "test -e here && test $(cut -d' ' -f5 /proc/self/stat) = $$ && exit 51", NULL);
		_exit(126);
	}
	STR("cwd_and_group", xwait(pid));
}

static int exec_fd(int fd, const char *path, int flags)
{
	int p[2], err = 0, status;
	pid_t pid;

	MUST(pipe2(p, O_CLOEXEC));
	pid = xfork();
	if (!pid) {
		syscall(SYS_execveat, fd, path, (char *[]){ "sh", "-c", "exit 21", NULL }, env0, flags);
		err = errno;
		MUST(write(p[1], &err, sizeof(err)));
		_exit(126);
	}
	close(p[1]);
	if (read(p[0], &err, sizeof(err)) < 0)
		err = 0;
	close(p[0]);
	waitpid(pid, &status, 0);
	return err ? -err : status;
}

TEST(execveat)
{
	int bin = MUST(open("/bin", O_PATH | O_DIRECTORY)), sh = MUST(open("/bin/sh", O_PATH));
	int rd = MUST(open("/bin/sh", O_RDONLY)), script_fd, m;
	char buf[65536];
	ssize_t n;

	report("dirfd", exec_fd(bin, "sh", 0));
	report("empty_path", exec_fd(sh, "", AT_EMPTY_PATH));
	report("empty_path.rdonly", exec_fd(rd, "", AT_EMPTY_PATH));
	report("empty_without_flag", exec_fd(sh, "", 0));
	report("nofollow", (symlink("/bin/sh", "l"), exec_fd(AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW)));
	report("follow", exec_fd(AT_FDCWD, "./l", 0));
	report("flags", exec_fd(bin, "sh", 0x8));
	report("badfd", exec_fd(999, "sh", 0));
	report("abs_badfd", exec_fd(999, "/bin/sh", 0));
	report("dir", exec_fd(bin, "", AT_EMPTY_PATH));
	script("s", "#!/bin/sh\nexit 22\n", 0755);
	script_fd = MUST(open("s", O_RDONLY));
	report("script", exec_fd(script_fd, "", AT_EMPTY_PATH));
	MUST(fcntl(script_fd, F_SETFD, FD_CLOEXEC));
	report("script_cloexec", exec_fd(script_fd, "", AT_EMPTY_PATH));
	m = MUST((int)syscall(SYS_memfd_create, "m", 1));
	while ((n = read(rd, buf, sizeof(buf))) > 0)
		MUST(write(m, buf, (size_t)n));
	int busy = exec_fd(m, "", AT_EMPTY_PATH);

	report("memfd", busy);
	MUST(unlink("l"));
	/* /proc/self/exe of a deleted program */
	script("gone", "#!/bin/sh\nexit 1\n", 0755);
}

TEST(self)
{
	char exe[4096], name[32] = "", cmd[256] = "";
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	exe[n > 0 ? n : 0] = 0;
	YES("exe", !strcmp(exe, conform_argv0()));
	MUST(prctl(PR_GET_NAME, name));
	STR("comm", name);
	MUST(prctl(PR_SET_NAME, "a name longer than fifteen"));
	MUST(prctl(PR_GET_NAME, name));
	STR("comm.set", name);
	STR("comm.proc", get_file("/proc/self/comm"));
	put_file("/proc/self/comm", "other");
	MUST(prctl(PR_GET_NAME, name));
	STR("comm.written", name);
	int fd = MUST(open("/proc/self/cmdline", O_RDONLY));

	n = read(fd, cmd, sizeof(cmd) - 1);
	YES("cmdline", n > 0 && strstr(cmd, "process_exec"));
}

TEST(auxv)
{
	unsigned char *rnd = (void *)getauxval(AT_RANDOM);
	int sum = 0;

	NUM("pagesz", getauxval(AT_PAGESZ));
	NUM("clktck", getauxval(AT_CLKTCK));
	YES("uid", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
	YES("gid", getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
	NUM("secure", getauxval(AT_SECURE));
	STR("platform", (char *)getauxval(AT_PLATFORM));
	YES("execfn", strstr((char *)getauxval(AT_EXECFN), "process_exec") != NULL);
	NUM("phent", getauxval(AT_PHENT));
	YES("phdr", getauxval(AT_PHDR) && getauxval(AT_PHNUM) > 3);
	YES("entry", getauxval(AT_ENTRY) != 0);
	YES("hwcap", getauxval(AT_HWCAP) != 0);
	YES("vdso", !memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, 4));
	for (int i = 0; i < 16; i++)
		sum |= rnd[i];
	YES("random", sum);
	int fd = MUST(open("/proc/self/auxv", O_RDONLY)), end = 0, nr = 0;
	Elf64_auxv_t a;

	while (read(fd, &a, sizeof(a)) == sizeof(a)) {
		nr++;
		end |= a.a_type == AT_NULL;
		if (a.a_type == AT_RANDOM)
			YES("proc.random", a.a_un.a_val == (uintptr_t)rnd);
	}
	YES("proc", end && nr > 10);
}

TEST(from_vfork_and_child)
{
	/* a child's exec leaves the parent alone, whatever they shared */
	int status;
	pid_t pid;

	pid = (pid_t)syscall(SYS_clone, 0x400 | 0x200 | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		execl("/bin/sh", "sh", "-c", "cd /; exit 31", NULL);
		_exit(1);
	}
	MUST(waitpid(pid, &status, 0));
	STR("shared_files", status_name(status));
	int fd = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));

	pid = (pid_t)syscall(SYS_clone, 0x400 | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	MUST(waitpid(pid, &status, 0));
	YES("cloexec_unshares", fcntl(fd, F_GETFD) >= 0);
	for (int i = 0; i < 20; i++) {
		pid = vfork();
		if (!pid) {
			execl("/bin/true", "true", NULL);
			_exit(1);
		}
		MUST(waitpid(pid, &status, 0));
		if (status)
			STR(N("vfork %d", i), status_name(status));
	}
	STR("vforks", "done");
}

TEST(chain)
{
	/* exec after exec in one process keeps its number */
	pid_t pid = xfork();

	if (!pid) {
		execl("/bin/sh", "sh", "-c", "p=$$; exec sh -c \"exec sh -c 'test $p = \\$\\$ && exit 41'\"", NULL);
		_exit(1);
	}
	STR("same_pid", xwait(pid));
}

TEST(itimer_kept)
{
	pid_t pid = xfork();

	if (!pid) {
		struct itimerval it = { .it_value = { 0, 100000 } };

		setitimer(ITIMER_REAL, &it, NULL);
		execl("/bin/sleep", "sleep", "5", NULL);
		_exit(1);
	}
	STR("killed_by_timer", xwait(pid));
}
