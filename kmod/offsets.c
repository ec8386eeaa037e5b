// SPDX-License-Identifier: MIT OR GPL-2.0-only
#include <linux/kbuild.h>
#include <linux/sched.h>
#include <asm/ptrace.h>

static void __used offsets(void)
{
	OFFSET(TASK_DISPATCH_SELECTOR, task_struct, syscall_dispatch.selector);
	OFFSET(TASK_DISPATCH_OFFSET, task_struct, syscall_dispatch.offset);
	OFFSET(TASK_DISPATCH_LEN, task_struct, syscall_dispatch.len);
	OFFSET(REGS_IP, pt_regs, ip);
}
