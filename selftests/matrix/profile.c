// SPDX-License-Identifier: MIT
/*
 * Writes a seccomp filter to standard output as bubblewrap's --seccomp takes it: what a container engine's default profile refuses
 * to a container that has no capabilities. It is kept as the list of what is refused, which is the shorter one; the rest passes,
 * as all of a sandbox's own calls must for it to work in there at all.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* Newer calls do not exist for a profile that does not name them; 451 is the first after set_mempolicy_home_node. */
#define NR_UNKNOWN	451
#define NAMESPACES	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

static const uint16_t refused[] = {
	SYS_acct, SYS_add_key, SYS_bpf, SYS_chroot, SYS_clock_adjtime, SYS_clock_settime, SYS_create_module, SYS_delete_module,
	SYS_fanotify_init, SYS_finit_module, SYS_fsconfig, SYS_fsmount, SYS_fsopen, SYS_fspick, SYS_get_kernel_syms,
	SYS_get_mempolicy, SYS_init_module, SYS_io_uring_enter, SYS_io_uring_register, SYS_io_uring_setup, SYS_ioperm, SYS_iopl,
	SYS_kcmp, SYS_kexec_file_load, SYS_kexec_load, SYS_keyctl, SYS_lookup_dcookie, SYS_mbind, SYS_migrate_pages, SYS_mount,
	SYS_mount_setattr, SYS_move_mount, SYS_move_pages, SYS_nfsservctl, SYS_open_by_handle_at, SYS_open_tree,
	SYS_perf_event_open, SYS_pidfd_getfd, SYS_pivot_root, SYS_process_madvise, SYS_query_module, SYS_quotactl,
	SYS_quotactl_fd, SYS_reboot, SYS_request_key, SYS_set_mempolicy, SYS_set_mempolicy_home_node, SYS_setdomainname,
	SYS_sethostname, SYS_setns, SYS_settimeofday, SYS_swapoff, SYS_swapon, SYS__sysctl, SYS_sysfs, SYS_syslog, SYS_umount2,
	SYS_unshare, SYS_uselib, SYS_userfaultfd, SYS_ustat, SYS_vhangup, SYS_vserver,
};

/* What personality() may be given: the usual, 32-bit Linux, and both without address space randomization's opposite. */
static const uint32_t personalities[] = { 0, 8, 0x20000, 0x20008, 0xffffffff };

static void put(uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	struct sock_filter f = { code, yes, no, k };

	fwrite(&f, sizeof(f), 1, stdout);
}

static void load(size_t offset)
{
	put(BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void answer(uint32_t error)
{
	put(BPF_RET | BPF_K, 0, 0, error ? SECCOMP_RET_ERRNO | error : SECCOMP_RET_ALLOW);
}

/* The number is in the accumulator, and is again afterwards, unless the answer was given. */
static void refuse(uint32_t nr, uint32_t error)
{
	put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, nr);
	answer(error);
}

int main(void)
{
	const size_t nr = offsetof(struct seccomp_data, nr), arg0 = offsetof(struct seccomp_data, args[0]);
	const uint8_t count = sizeof(personalities) / sizeof(*personalities);

	/* 32-bit calls: such a profile lets most of them through, one of a careful administrator none */
	load(offsetof(struct seccomp_data, arch));
	put(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
	answer(EPERM);
	load(nr);
	/* x32 is above all of them */
	put(BPF_JMP | BPF_JGE | BPF_K, 0, 1, NR_UNKNOWN);
	answer(ENOSYS);
	/* its flags lie in memory: so that libc comes back with clone() */
	refuse(SYS_clone3, ENOSYS);
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		refuse(refused[i], EPERM);
	put(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_clone);
	load(arg0);
	put(BPF_JMP | BPF_JSET | BPF_K, 0, 1, NAMESPACES);
	answer(EPERM);
	answer(0);
	put(BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_socket);
	load(arg0);
	put(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, AF_VSOCK);
	answer(EPERM);
	answer(0);
	put(BPF_JMP | BPF_JEQ | BPF_K, 0, (uint8_t)(count + 2), SYS_personality);
	load(arg0);
	for (uint8_t i = 0; i < count; i++)
		put(BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(count - i), 0, personalities[i]);
	answer(EPERM);
	answer(0);
	return fflush(stdout) ? 1 : 0;
}
