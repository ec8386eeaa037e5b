// SPDX-License-Identifier: MIT
/*
 * The system calls of a channel's thread, and no others: a fault in the parser must not become a new
 * process, a socket or a signal. What is not listed is EPERM. Installed by each thread for itself, so
 * that the rest of the broker is left alone; the filter looks at numbers only, which the kernel turns
 * into a bitmap, so it costs next to nothing.
 */
#include "server.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH is this?"
#endif

static const uint16_t allowed[] = {
	/* files by descriptor and name */
	SYS_openat, SYS_openat2, SYS_close, SYS_statx, SYS_newfstatat, SYS_fstat, SYS_fstatfs, SYS_readlinkat,
	SYS_getdents64, SYS_lseek, SYS_pread64, SYS_pwrite64, SYS_fsync, SYS_fdatasync,
	SYS_ftruncate, SYS_fcntl, SYS_mkdirat, SYS_symlinkat, SYS_linkat, SYS_renameat,
	SYS_renameat2, SYS_unlinkat, SYS_fchmodat, SYS_utimensat,
	SYS_getxattr, SYS_listxattr, SYS_setxattr, SYS_removexattr,
	/* the channel; the log's function writes too */
	SYS_recvfrom, SYS_sendmsg, SYS_read, SYS_write, SYS_writev, SYS_shutdown, SYS_ppoll,
	/* rights by export */
	SYS_capget, SYS_capset,
	/* libc: memory, locks, time, the end of a thread, abort() */
	SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex,
	SYS_sched_yield, SYS_clock_gettime, SYS_clock_nanosleep, SYS_restart_syscall,
	SYS_set_robust_list, SYS_rseq, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigaction,
	SYS_sigaltstack, SYS_gettid, SYS_getpid, SYS_tgkill, SYS_exit, SYS_exit_group,
#if defined(__x86_64__)
	SYS_poll,
#endif
};

#define NR_ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

int seccomp_enter(void)
{
	struct sock_filter f[NR_ALLOWED + 6];	/* 4 before the list, 2 after */
	struct sock_fprog prog = { .filter = f };
	unsigned short n = 0;

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, arch));
	f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < NR_ALLOWED; i++)
		f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
						      (uint8_t)(NR_ALLOWED - i), 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) ? -errno : 0;
}
