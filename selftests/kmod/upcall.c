// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* A member's system calls come up to its entry; its gate makes the listed host calls; nothing else reaches the host. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "box.h"
#include "selftests/uapi/tap.h"

static int every_call(struct box_ram *ram)
{
	for (long i = 0; i < 600; i++)
		if (raw_syscall(i, 0, 0, 0) != 0x1000 + i)
			return 1;
	ram->result[0] = raw_syscall(0x40000000 | 39, 0, 0, 0);
	ram->result[1] = raw_syscall(-1, 0, 0, 0);
	ram->result[2] = raw_syscall(0x1ffff, 0, 0, 0);
	return 0;
}

/* The registers that a call keeps, and where it returns to. */
static int registers(struct box_ram *ram)
{
	uint64_t rbx = 0x1111, r12 = 0x2222, here, sp, sp_after;

	__asm__ volatile("movq %6, %%r12\n"
			 "movq %%rsp, %3\n"
			 "leaq 1f(%%rip), %2\n"
			 "movl $39, %%eax\n"
			 "syscall\n"
			 "1: movq %%rsp, %4\n"
			 "movq %%r12, %0\n"
			 : "=&r"(r12), "+b"(rbx), "=&r"(here), "=&r"(sp), "=&r"(sp_after)
			 : "0"(0ul), "r"(0x2222ul) : "rax", "rcx", "r11", "r12", "memory");
	ram->result[0] = r12 == 0x2222 && rbx == 0x1111 && sp == sp_after;
	ram->result[1] = ram->last_ip == here;
	return 0;
}

static int gate_refuses(struct box_ram *ram)
{
	long n = 0;

	for (long nr = 0; nr < 600; nr++) {
		if (nr == 16 || nr == 10 || nr == 28 || nr == 25 || nr == 15 || nr == 231)
			continue;
		if (gate(nr, 0, 0, 0, 0, 0) != -EPERM)
			ram->result[n++ % 8] = nr;
	}
	ram->result[8] = n;
	ram->result[9] = gate(SYS_ioctl, 0, 0x5401, (long)&ram->words, 0, 0);
	ram->result[10] = gate(SYS_ioctl, LBX_DEVICE_FD | 0x100, 0, 0, 0, 0);
	ram->result[11] = gate(SYS_mprotect, BOX_RAM, 4096, 0, 0, 0);
	ram->result[12] = gate(SYS_mprotect, 0x10000, 0x500000000000, 0, 0, 0);
	ram->result[13] = gate(SYS_mprotect, 0x10000, 4096, 0x1000001, 0, 0);
	ram->result[14] = gate(SYS_madvise, 0x10000, 4096, MADV_MERGEABLE, 0, 0);
	ram->result[15] = gate(SYS_madvise, BOX_RAM, 4096, MADV_DONTNEED, 0, 0);
	ram->result[16] = gate(SYS_mremap, 0x10000, 4096, 4096, 3, BOX_GATE);
	ram->result[17] = gate(SYS_mremap, BOX_GATE, 4096, 4096, 3, 0x10000);
	ram->result[18] = gate(SYS_mremap, 0x10000, 4096, 4096, 1, 0x20000);
	ram->result[19] = gate(SYS_clone, 0x8000 | 0x400 | 0x100000, 0, 0, 0, 0);
	ram->result[20] = gate(SYS_clone, CLD_EXITED, 0, 0, 0, 0);
	return 0;
}

static int int80(struct box_ram *ram)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "a"(20) : "r8", "r9", "r10", "r11", "rcx", "memory");
	ram->result[0] = ret;
	return 0;
}

static int wait_a_while(struct box_ram *ram)
{
	ram->words[0] = 1;
	for (;;)
		SOUTH(wait, wait, .deadline = LBX_DEADLINE_NEVER, .handle = LBX_HANDLE_NONE);
	return 0;
}

int main(void)
{
	static const char *const words[] = {
		"ioctl on another descriptor", "ioctl on a number beyond", "mprotect of the kernel window", "mprotect that leaves the window",
		"mprotect with more than rights", "madvise MERGEABLE", "madvise of the kernel window", "mremap into the kernel window",
		"mremap out of it", "mremap without FIXED", "clone that cpu() did not make ready", "clone with other words",
	};
	struct lbx_info_raw info;
	struct box b;
	int st;

	tap_ok(box_do(&b, every_call) == 0 && b.ram->upcalls == 603, "each of 600 numbers comes up, and none goes down");
	tap_ok(b.ram->result[0] == 0x1000 + LBX_UPCALL_BAD && b.ram->result[1] == 0x1000 + LBX_UPCALL_BAD &&
	       b.ram->result[2] == 0x1000 + LBX_UPCALL_BAD, "a number that does not fit comes as such");
	box_info(&b, &info);
	tap_ok(info.cpus == 0 && info.spaces == 0 && info.handles == 2 && info.refused == 0 && info.host_calls == 1,
	       "counted: no member left, one host call, none refused");
	tap_ok((info.flags & LBX_INFO_RAN) && !(info.flags & LBX_INFO_EXITED), "it ran, and did not call exit");
	box_end(&b);

	tap_ok(box_do(&b, registers) == 0 && b.ram->result[0], "registers and stack are as they were");
	tap_ok(b.ram->result[1], "it returns behind its instruction");
	box_end(&b);

	tap_ok(box_do(&b, gate_refuses) == 0 && b.ram->result[8] == 0, "the gate makes no call that is not listed");
	for (int i = 0; i < 12; i++)
		tap_ok(b.ram->result[9 + i] == -EPERM, "%s is refused", words[i]);
	box_info(&b, &info);
	tap_ok(info.refused == 600 - 6 + 12, "refusals are counted: %llu", info.refused);
	box_end(&b);

	tap_ok(box_do(&b, int80) == 0 && b.ram->last_nr == LBX_UPCALL_COMPAT, "int 0x80 comes up, marked");
	box_end(&b);

	/* strangers */
	box_make(&b, NULL);
	box_run(&b, wait_a_while, NULL);
	while (!*(volatile uint32_t *)&b.ram->words[0])
		usleep(1000);
	tap_ok(getppid() > 0 && syscall(SYS_getpid) == getpid(), "a stranger's calls are its own while a sandbox lives");
	tap_ok(prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, BOX_GATE, LBX_GATE_SIZE, 0x7ffffffff0b8) == -1 && errno == EFAULT,
	       "a stranger cannot take the mark");
	kill(b.child, SIGSTOP);
	waitpid(b.child, &st, WUNTRACED);
	tap_ok(WIFSTOPPED(st), "a member stops");
	kill(b.child, SIGCONT);
	usleep(20000);
	tap_ok(waitpid(b.child, &st, WNOHANG) == 0, "and goes on");
	kill(b.child, SIGKILL);
	st = box_wait(&b);
	tap_ok(WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL, "and dies by SIGKILL in a wait");
	box_end(&b);
	return tap_end();
}
