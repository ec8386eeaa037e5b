/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * /dev/litebox: how a sandbox is made on litebox.ko, and how its calls arrive.
 *
 * Who opens the device and says create is the sandbox's owner. He grants, seals,
 * and lets a process of his run: that process and what it clones are the
 * sandbox's members. A member may make the South's calls and nothing of what
 * stands here; an owner the reverse. Both are ioctls on the same open file; the
 * number holds the call and the size of its record, which grows at its end only.
 *
 * Errors of all: ENOTTY (no such call), EINVAL (a malformed word), E2BIG (the
 * record's tail has content unknown here), EFAULT (the record is not readable),
 * EPERM (a member asked, or for a South call: a stranger).
 */
#ifndef LBX_UAPI_DEVICE_H
#define LBX_UAPI_DEVICE_H

#include "handle.h"
#include "limits.h"
#include "types.h"

#define LBX_DEVICE_PATH		"/dev/litebox"

/* The bits of Linux's _IOW() and _IOR(): asm-generic/ioctl.h */
#define LBX_IOC_TYPE		LBX_U32_C(0xb8)
#define LBX_IOC(dir, nr, size)	((dir) << 30 | (size) << 16 | LBX_IOC_TYPE << 8 | (nr))
#define LBX_IOC_DIR_IN		LBX_U32_C(1)	/* the record is read */
#define LBX_IOC_DIR_INOUT	LBX_U32_C(3)	/* and written */

/* A South call's number is its own and this. */
#define LBX_IOC_SOUTH		LBX_U32_C(0x80)
#define LBX_IOC_SOUTH_CALL(call, record) \
	LBX_IOC(LBX_IOC_DIR_IN, LBX_IOC_SOUTH + (lbx_u32)LBX_SOUTH_##call, \
		(lbx_u32)sizeof(struct lbx_##record##_raw))

/* A member's descriptor of its sandbox: it has no other. */
#define LBX_DEVICE_FD		3

/* Bytes of the gate; the entry of upcalls lies behind it. */
#define LBX_GATE_SIZE		LBX_U64_C(0x1000)

/*
 * An upcall: the member's SYSCALL instruction returns to the entry with this in
 * rax, all else as it was (rcx and r11 as SYSCALL sets them but rcx, which is
 * the entry). The call's number stands above LBX_UPCALL_SHIFT, the address behind
 * the instruction below.
 */
#define LBX_UPCALL_SHIFT	47
#define LBX_UPCALL_NR_END	LBX_U32_C(0x1fffe)	/* a number from here on comes as LBX_UPCALL_BAD */
#define LBX_UPCALL_COMPAT	LBX_U32_C(0x1fffe)	/* int 0x80 from 64-bit code */
#define LBX_UPCALL_BAD		LBX_U32_C(0x1ffff)

#ifndef __ASSEMBLER__

enum lbx_device_nr {
#define DEVICE_CALL(nr, call, record, help) LBX_DEVICE_##call = nr,
#include "device_calls.def"
	LBX_DEVICE_NR_MAX = 8,
};

enum lbx_device_count {
#define DEVICE_CALL(nr, call, record, help) LBX_DEVICE_COUNT_##call,
#include "device_calls.def"
	LBX_DEVICE_COUNTED
};
LBX_STATIC_ASSERT((int)LBX_DEVICE_COUNTED <= (int)LBX_DEVICE_NR_MAX,
		  "at most eight: DESIGN.md section 4");

/**
 * struct lbx_create_raw - create
 * @version: LBX_SOUTH_VERSION; the majors must agree
 * @flags:   0
 * @limits:  what the sandbox may hold
 *
 * Answer: the module's LBX_SOUTH_VERSION. Errors: EBUSY (this file is one
 * already), ENOMEM.
 */
struct lbx_create_raw {
	lbx_u32 version;
	lbx_u32 flags;
	struct lbx_limits_raw limits;
};
LBX_ASSERT_SIZE(struct lbx_create_raw, 40);

/**
 * struct lbx_grant_fd_raw - grant: a handle for an open file
 * @grant: number, kind and rights
 * @fd:    the owner's descriptor of the object; ENTROPY: -1
 * @pad:   0
 *
 * Rights beyond the file's own mode, and a file that cannot do what its kind
 * does, are EACCES and ENODEV. Answer: 0. Errors: EBADF (@fd), EEXIST (the
 * number is taken), EMFILE (the limit of handles), EINVAL, ENOMEM.
 */
struct lbx_grant_fd_raw {
	struct lbx_grant_raw grant;
	lbx_s32 fd;
	lbx_u32 pad;
};
LBX_ASSERT_SIZE(struct lbx_grant_fd_raw, 32);

/**
 * struct lbx_revoke_raw - revoke: a number is free again
 * @handle: which
 * @pad:    0
 *
 * What is mapped or under way goes on. Members may too: a handle that was
 * granted is theirs to give back. Answer: 0. Errors: EBADF.
 */
struct lbx_revoke_raw {
	lbx_u32 handle;
	lbx_u32 pad;
};
LBX_ASSERT_SIZE(struct lbx_revoke_raw, 8);

/**
 * struct lbx_seal_raw - seal
 * @gate:         where host calls are made from: LBX_GATE_SIZE bytes; the entry
 *                lies behind them. Kernel window, page-aligned
 * @shared_start: memory in the kernel window that all members see alike: a word
 * @shared_end:   in it means the same to each of them, one elsewhere is a process's
 *                own. Page-aligned
 * @flags:        0
 *
 * Answer: 0. Errors: EFAULT (outside of the kernel window), EBUSY (sealed).
 */
struct lbx_seal_raw {
	lbx_u64 gate;
	lbx_u64 shared_start;
	lbx_u64 shared_end;
	lbx_u64 flags;
};
LBX_ASSERT_SIZE(struct lbx_seal_raw, 32);

/**
 * struct lbx_run_raw - run: the caller becomes the first member
 * @flags: 0
 * @pad:   0
 *
 * From the answer on its own SYSCALL instructions come up to the entry, and the
 * gate's are judged by the list of host calls. The caller has one thread, and the
 * sandbox's file as descriptor LBX_DEVICE_FD.
 *
 * Answer: the caller's cpu number, 0. Errors: EBUSY (it runs, or ran), EAGAIN
 * (not sealed), EINVAL (the caller has more threads, another descriptor, or user
 * dispatch of its own), ENOMEM, EOPNOTSUPP (this kernel's hook is another's).
 */
struct lbx_run_raw {
	lbx_u32 flags;
	lbx_u32 pad;
};
LBX_ASSERT_SIZE(struct lbx_run_raw, 8);

/**
 * struct lbx_end_raw - end: SIGKILL for every member
 * @flags: 0
 * @pad:   0
 *
 * Answer: how many processes were killed.
 */
struct lbx_end_raw {
	lbx_u32 flags;
	lbx_u32 pad;
};
LBX_ASSERT_SIZE(struct lbx_end_raw, 8);

#define LBX_INFO_SEALED		LBX_U32_C(0x1)
#define LBX_INFO_RAN		LBX_U32_C(0x2)
#define LBX_INFO_EXITED		LBX_U32_C(0x4)	/* by the call exit: @status is valid */

/**
 * struct lbx_info_raw - info: filled in
 * @flags:   LBX_INFO_*
 * @status:  of exit
 * @cpus:    threads of execution at present
 * @spaces:  address spaces at present
 * @handles: at present
 * @pad:     0
 * @calls:   South calls so far, by number
 * @host_calls: host calls of the gate that were let through
 * @refused: host calls of the gate that were not
 *
 * The file is readable (poll) when a sandbox that ran has no members left.
 */
struct lbx_info_raw {
	lbx_u32 flags;
	lbx_u32 status;
	lbx_u32 cpus;
	lbx_u32 spaces;
	lbx_u32 handles;
	lbx_u32 pad;
	lbx_u64 calls[8];
	lbx_u64 host_calls;
	lbx_u64 refused;
};
LBX_ASSERT_SIZE(struct lbx_info_raw, 104);

#endif /* __ASSEMBLER__ */
#endif /* LBX_UAPI_DEVICE_H */
