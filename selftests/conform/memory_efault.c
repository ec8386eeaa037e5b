// SPDX-License-Identifier: MIT
/*
 * A bad pointer in every argument that is one. The calls are made with
 * arguments that reach the copy; the answer is EFAULT or what Linux checks
 * first, and the program lives on.
 */
#include <sys/mman.h>
#include <sys/socket.h>

#include "conform.h"

static int fd, p[2], s[2], ep, dir;

static const struct {
	const char *name;
	int nr;
	long a[6];
	int nr_args;
	int pointers;	/* bit i: argument i is a pointer that is made bad in its turn */
} calls[] = {
#define A(...) { __VA_ARGS__ }
#define FD_ -100001
#define P0 -100002
#define P1 -100003
#define S0 -100004
#define EP -100005
#define DIR_ -100006
#define BUF -100007
#define PATH -100008
	{ "read", SYS_read, A(FD_, BUF, 16), 3, 2 },
	{ "write", SYS_write, A(FD_, BUF, 16), 3, 2 },
	{ "write_pipe", SYS_write, A(P1, BUF, 16), 3, 2 },
	{ "pread64", SYS_pread64, A(FD_, BUF, 16, 0), 4, 2 },
	{ "pwrite64", SYS_pwrite64, A(FD_, BUF, 16, 0), 4, 2 },
	{ "readv", SYS_readv, A(FD_, BUF, 1), 3, 2 },
	{ "writev", SYS_writev, A(FD_, BUF, 1), 3, 2 },
	{ "open", SYS_open, A(PATH, 0), 2, 1 },
	{ "openat", SYS_openat, A(-100, PATH, 0), 3, 2 },
	{ "creat", SYS_creat, A(PATH, 0600), 2, 1 },
	{ "stat", SYS_stat, A(PATH, BUF), 2, 3 },
	{ "lstat", SYS_lstat, A(PATH, BUF), 2, 3 },
	{ "fstat", SYS_fstat, A(FD_, BUF), 2, 2 },
	{ "newfstatat", SYS_newfstatat, A(-100, PATH, BUF, 0), 4, 6 },
	{ "statx", SYS_statx, A(-100, PATH, 0, 0xfff, BUF), 5, 18 },
	{ "statfs", SYS_statfs, A(PATH, BUF), 2, 3 },
	{ "fstatfs", SYS_fstatfs, A(FD_, BUF), 2, 2 },
	{ "access", SYS_access, A(PATH, 0), 2, 1 },
	{ "faccessat", SYS_faccessat, A(-100, PATH, 0), 3, 2 },
	{ "readlink", SYS_readlink, A(PATH, BUF, 16), 3, 1 },
	{ "getcwd", SYS_getcwd, A(BUF, 4096), 2, 1 },
	{ "chdir", SYS_chdir, A(PATH), 1, 1 },
	{ "mkdir", SYS_mkdir, A(PATH, 0700), 2, 1 },
	{ "rmdir", SYS_rmdir, A(PATH), 1, 1 },
	{ "unlink", SYS_unlink, A(BUF), 1, 1 },
	{ "rename", SYS_rename, A(PATH, PATH), 2, 3 },
	{ "link", SYS_link, A(PATH, PATH), 2, 3 },
	{ "symlink", SYS_symlink, A(PATH, PATH), 2, 3 },
	{ "chmod", SYS_chmod, A(PATH, 0600), 2, 1 },
	{ "chown", SYS_chown, A(PATH, -1, -1), 3, 1 },
	{ "lchown", SYS_lchown, A(PATH, -1, -1), 3, 1 },
	{ "truncate", SYS_truncate, A(PATH, 10), 2, 1 },
	{ "utimensat", SYS_utimensat, A(-100, PATH, BUF, 0), 4, 6 },
	{ "setxattr", SYS_setxattr, A(PATH, PATH, BUF, 4, 0), 5, 7 },
	{ "getxattr", SYS_getxattr, A(PATH, PATH, BUF, 4), 4, 3 },
	{ "listxattr", SYS_listxattr, A(PATH, BUF, 4), 3, 1 },
	{ "mknod", SYS_mknod, A(BUF, 0100600, 0), 3, 1 },
	{ "getdents64", SYS_getdents64, A(DIR_, BUF, 4096), 3, 2 },
	{ "pipe", SYS_pipe, A(BUF), 1, 1 },
	{ "pipe2", SYS_pipe2, A(BUF, 0), 2, 1 },
	{ "socketpair", SYS_socketpair, A(1, 1, 0, BUF), 4, 8 },
	{ "bind", SYS_bind, A(S0, BUF, 10), 3, 2 },
	{ "connect", SYS_connect, A(S0, BUF, 10), 3, 2 },
	{ "sendto", SYS_sendto, A(S0, BUF, 10, 0, 0, 0), 6, 2 },
	{ "recvfrom", SYS_recvfrom, A(S0, BUF, 10, 0x40, 0, 0), 6, 2 },
	{ "sendmsg", SYS_sendmsg, A(S0, BUF, 0), 3, 2 },
	{ "recvmsg", SYS_recvmsg, A(S0, BUF, 0x40), 3, 2 },
	{ "getsockname", SYS_getsockname, A(S0, BUF, BUF), 3, 4 },
	{ "getsockopt", SYS_getsockopt, A(S0, 1, 3, BUF, BUF), 5, 16 },
	{ "setsockopt", SYS_setsockopt, A(S0, 1, 7, BUF, 4), 5, 8 },
	{ "poll", SYS_poll, A(BUF, 1, 0), 3, 1 },
	{ "ppoll", SYS_ppoll, A(BUF, 1, BUF, 0, 8), 5, 5 },
	{ "select", SYS_select, A(4, BUF, 0, 0, BUF), 5, 18 },
	{ "pselect6", SYS_pselect6, A(4, BUF, 0, 0, BUF, 0), 6, 18 },
	{ "epoll_ctl", SYS_epoll_ctl, A(EP, 1, P0, BUF), 4, 8 },
	{ "nanosleep", SYS_nanosleep, A(BUF, 0), 2, 1 },
	{ "clock_gettime", SYS_clock_gettime, A(0, BUF), 2, 2 },
	{ "clock_getres", SYS_clock_getres, A(0, BUF), 2, 2 },
	{ "clock_nanosleep", SYS_clock_nanosleep, A(0, 0, BUF, 0), 4, 4 },
	{ "gettimeofday", SYS_gettimeofday, A(BUF, 0), 2, 1 },
	{ "time", SYS_time, A(BUF), 1, 1 },
	{ "times", SYS_times, A(BUF), 1, 1 },
	{ "getitimer", SYS_getitimer, A(0, BUF), 2, 2 },
	{ "setitimer", SYS_setitimer, A(0, BUF, 0), 3, 2 },
	{ "timer_create", SYS_timer_create, A(0, BUF, BUF), 3, 6 },
	{ "timerfd_settime", SYS_timerfd_settime, A(FD_, 0, BUF, 0), 4, 4 },
	{ "rt_sigaction", SYS_rt_sigaction, A(10, BUF, BUF, 8), 4, 6 },
	{ "rt_sigprocmask", SYS_rt_sigprocmask, A(0, BUF, 0, 8), 4, 2 },
	{ "rt_sigpending", SYS_rt_sigpending, A(BUF, 8), 2, 1 },
	{ "rt_sigtimedwait", SYS_rt_sigtimedwait, A(BUF, 0, BUF, 8), 4, 5 },
	{ "rt_sigqueueinfo", SYS_rt_sigqueueinfo, A(0, 10, BUF), 3, 4 },
	{ "signalfd4", SYS_signalfd4, A(-1, BUF, 8, 0), 4, 2 },
	{ "uname", SYS_uname, A(BUF), 1, 1 },
	{ "sysinfo", SYS_sysinfo, A(BUF), 1, 1 },
	{ "getrlimit", SYS_getrlimit, A(7, BUF), 2, 2 },
	{ "setrlimit", SYS_setrlimit, A(4, BUF), 2, 2 },
	{ "prlimit64", SYS_prlimit64, A(0, 4, BUF, BUF), 4, 12 },
	{ "getrusage", SYS_getrusage, A(0, BUF), 2, 2 },
	{ "getgroups", SYS_getgroups, A(0, BUF), 2, 0 },
	{ "getresuid", SYS_getresuid, A(BUF, BUF, BUF), 3, 7 },
	{ "getresgid", SYS_getresgid, A(BUF, BUF, BUF), 3, 7 },
	{ "getcpu", SYS_getcpu, A(BUF, BUF, 0), 3, 3 },
	{ "sched_getaffinity", SYS_sched_getaffinity, A(0, 128, BUF), 3, 4 },
	{ "sched_setaffinity", SYS_sched_setaffinity, A(0, 128, BUF), 3, 4 },
	{ "sched_getparam", SYS_sched_getparam, A(0, BUF), 2, 2 },
	{ "sched_rr_get_interval", SYS_sched_rr_get_interval, A(0, BUF), 2, 2 },
	{ "prctl_get_name", SYS_prctl, A(16, BUF), 2, 2 },
	{ "prctl_set_name", SYS_prctl, A(15, BUF), 2, 2 },
	{ "prctl_get_pdeathsig", SYS_prctl, A(2, BUF), 2, 2 },
	{ "arch_prctl_get_fs", SYS_arch_prctl, A(0x1003, BUF), 2, 2 },
	{ "futex_wake", SYS_futex, A(BUF, 1, 1), 3, 0 },
	{ "futex_wait", SYS_futex, A(BUF, 0, 0x12345678, 0, 0, 0), 6, 1 },
	{ "memfd_create", SYS_memfd_create, A(PATH, 0), 2, 1 },
	{ "inotify_add_watch", SYS_inotify_add_watch, A(FD_, PATH, 2), 3, 0 },
	{ "sendfile", SYS_sendfile, A(P1, FD_, BUF, 4), 4, 4 },
	{ "copy_file_range", SYS_copy_file_range, A(FD_, BUF, FD_, BUF, 0, 0), 6, 0 },
	{ "wait4", SYS_wait4, A(-1, BUF, 1, 0), 4, 0 },
	{ "ioctl_fionread", SYS_ioctl, A(P0, 0x541b, BUF), 3, 4 },
	{ "fcntl_getlk", SYS_fcntl, A(FD_, 5, BUF), 3, 4 },
	{ "execve", SYS_execve, A(PATH, BUF, BUF), 3, 1 },
	{ "mincore", SYS_mincore, A(BUF, 0, BUF), 3, 0 },
	{ "process_vm_readv", SYS_process_vm_readv, A(0, BUF, 1, BUF, 1, 0), 6, 0 },
};

static char *page, *cut;

static long value(long v)
{
	static const char path[] = "somewhere";

	switch (v) {
	case FD_: return fd;
	case P0: return p[0];
	case P1: return p[1];
	case S0: return s[0];
	case EP: return ep;
	case DIR_: return dir;
	case PATH: return (long)path;
	case BUF: memset(page, 0, PAGE); return (long)page;
	}
	return v;
}

static void sweep(const char *how, long bad)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		for (int k = 0; k < 6; k++) {
			long a[6];

			if (!(calls[i].pointers & 1 << k))
				continue;
			for (int n = 0; n < 6; n++)
				a[n] = n == k ? bad : value(calls[i].a[n]);
			lseek(fd, 0, SEEK_SET);
			lseek(dir, 0, SEEK_SET);
			OK(N("%s.%d,%s", calls[i].name, k, how),
			   syscall(calls[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]));
		}
}

static void prepare(void)
{
	put_file("f", "twenty bytes of text");
	put_file("somewhere", "");
	fd = MUST(open("f", O_RDWR));
	MUST(pipe(p));
	MUST(write(p[1], "pipe", 4));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	MUST(write(s[1], "socket data", 11));
	ep = MUST((int)syscall(SYS_epoll_create1, 0));
	dir = MUST(open(".", O_RDONLY));
	page = MUST(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	cut = page + PAGE;
	MUST(mprotect(cut, PAGE, PROT_NONE));
}

TEST(low) { prepare(); sweep("low", 8); }
TEST(none) { prepare(); sweep("none", (long)cut); }
TEST(kernel) { prepare(); sweep("kernel", (long)0xffffffff81000000UL); }
TEST(noncanonical) { prepare(); sweep("noncanonical", (long)0x8000000000000000UL); }
TEST(minus_one) { prepare(); sweep("-1", -1); }
TEST(edge) { prepare(); sweep("edge", (long)cut - 1); }

TEST(readonly)
{
	prepare();
	MUST(mprotect(cut, PAGE, PROT_READ));
	sweep("ro", (long)cut);
}
