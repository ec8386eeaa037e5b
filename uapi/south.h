/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The South: eight calls and their argument records, as they come (raw).
 *
 * A record is copied once, out of reach of who sent it, and then checked by the
 * pure function of the same name (check.h), which refuses with an errno or
 * makes a checked record. What lies behind the door takes checked records only.
 *
 * Every call answers with one lbx_s64: 0 or more as the call says, or the
 * negative of an LBX_E* number. Addresses are plain numbers, so that nobody can
 * dereference them by mistake; which address space they mean (hosted: the
 * caller's virtual addresses; guest: guest-physical ones) is the South's word,
 * and struct lbx_space has its bounds. Fields marked "0" are reserved and
 * refused with EINVAL when they are not 0. Versions: see README.md.
 */
#ifndef LBX_UAPI_SOUTH_H
#define LBX_UAPI_SOUTH_H

#include "errno.h"
#include "handle.h"
#include "limits.h"
#include "types.h"
#include "window.h"

/* Major << 16 | minor. A record that only grew, or one more flag: minor. */
#define LBX_SOUTH_VERSION	LBX_U32_C(0x00010000)

#ifndef __ASSEMBLER__

/* LBX_SOUTH_exit .. LBX_SOUTH_kick and how many there are. */
enum lbx_south_nr {
#define SOUTH_CALL(nr, call, record, right, sleeps, help) LBX_SOUTH_##call = nr,
#include "south_calls.def"
	LBX_SOUTH_NR_CALLS = 8,
};

enum lbx_south_count {
#define SOUTH_CALL(nr, call, record, right, sleeps, help) LBX_SOUTH_COUNT_##call,
#include "south_calls.def"
	LBX_SOUTH_COUNTED
};
LBX_STATIC_ASSERT((int)LBX_SOUTH_COUNTED == (int)LBX_SOUTH_NR_CALLS,
		  "the boundary is eight calls: DESIGN.md section 2");

#define SOUTH_CALL(nr, call, record, right, sleeps, help) \
	LBX_STATIC_ASSERT((int)LBX_SOUTH_##call == (int)LBX_SOUTH_COUNT_##call, \
			  "south_calls.def is in the order of its numbers");
#include "south_calls.def"

/**
 * struct lbx_call_raw - what comes before the record where a call is a message
 * @nr:   LBX_SOUTH_exit .. LBX_SOUTH_kick
 * @size: bytes of the record that follows
 *
 * Errors: ENOSYS (no such call), EINVAL (@size too small for the record),
 * E2BIG (too large, or what is beyond the known record is not all zero).
 * An ioctl has both in its number, a hypercall in its registers.
 */
struct lbx_call_raw {
	lbx_u32 nr;
	lbx_u32 size;
};
LBX_ASSERT_SIZE(struct lbx_call_raw, 8);

/**
 * struct lbx_exit_raw - exit: end the sandbox, with all of its processes
 * @status: 0 to 255, the status that the runner ends with (128 + n: signal n)
 * @pad:    0
 *
 * Answer: none. Errors: EINVAL.
 */
struct lbx_exit_raw {
	lbx_u32 status;
	lbx_u32 pad;
};
LBX_ASSERT_SIZE(struct lbx_exit_raw, 8);

/* clock: which one. */
#define LBX_CLOCK_REALTIME	0	/* since 1970, steps when it is set */
#define LBX_CLOCK_MONOTONIC	1	/* since some start; the clock of deadlines */
#define LBX_CLOCK_END		2

/**
 * struct lbx_clock_raw - clock: what time is it
 * @id:  LBX_CLOCK_*
 * @pad: 0
 *
 * Answer: nanoseconds; by an ioctl, which answers 32 bits only, 0, and they stand
 * where the record was. Errors: EINVAL. Source: clock_gettime(2).
 */
struct lbx_clock_raw {
	lbx_u32 id;
	lbx_u32 pad;
};
LBX_ASSERT_SIZE(struct lbx_clock_raw, 8);

/* read, write: instead of an offset. A file's own position; all a stream has. */
#define LBX_OFF_STREAM		LBX_U64_C(0xffffffffffffffff)

/**
 * struct lbx_iov - one piece of memory
 * @base: its first byte
 * @len:  bytes; may be 0
 *
 * All of it lies in the kernel window, or all of it in the program window.
 */
struct lbx_iov {
	lbx_u64 base;
	lbx_u64 len;
};
LBX_ASSERT_SIZE(struct lbx_iov, 16);

/**
 * struct lbx_io_raw - read and write: bytes from or to a handle
 * @handle: with READ or with WRITE
 * @nr_iov: pieces, 1 to LBX_IOV_MAX
 * @off:    bytes from the object's start, or LBX_OFF_STREAM
 * @iov:    where the array of struct lbx_iov is: kernel window, 8-aligned
 * @flags:  0
 *
 * At most LBX_IO_MAX bytes in all, and none beyond LBX_OFF_MAX. The memory
 * stays the caller's; the host writes (read) or reads (write) it until the
 * answer.
 *
 * Answer: bytes moved, which may be fewer; read: 0 at the end.
 * Errors: EBADF (no such handle, or it lacks the right), EINVAL (count, offset
 * or total out of bounds, flags), EFAULT (a piece outside of its window, or
 * memory that is not there), ESPIPE (an offset on a stream, none on RAM),
 * EINTR, EIO, ENOSPC, EPIPE, EMSGSIZE, EAGAIN. Source: preadv2(2), pwritev2(2).
 */
struct lbx_io_raw {
	lbx_u32 handle;
	lbx_u32 nr_iov;
	lbx_u64 off;
	lbx_u64 iov;
	lbx_u64 flags;
};
LBX_ASSERT_SIZE(struct lbx_io_raw, 32);

/* map: what to do. */
#define LBX_MAP_BACK		0	/* back with fresh RAM or with a handle */
#define LBX_MAP_PROTECT		1	/* change the rights */
#define LBX_MAP_RELEASE		2	/* give it back: unmapped afterwards */
#define LBX_MAP_MOVE		3	/* to another place, or another length */
#define LBX_MAP_DISCARD		4	/* forget the content: as freshly backed */
#define LBX_MAP_OP_END		5

#define LBX_PROT_READ		LBX_U32_C(0x1)	/* the numbers of PROT_* */
#define LBX_PROT_WRITE		LBX_U32_C(0x2)
#define LBX_PROT_EXEC		LBX_U32_C(0x4)
#define LBX_PROT_ALL		LBX_U32_C(0x7)

#define LBX_MAP_SHARED		LBX_U32_C(0x1)	/* else private: copy on write */
#define LBX_MAP_POPULATE	LBX_U32_C(0x2)	/* fault it in now */
#define LBX_MAP_NORESERVE	LBX_U32_C(0x4)	/* not counted until touched */
#define LBX_MAP_HUGE		LBX_U32_C(0x8)	/* advice: large pages are welcome */
#define LBX_MAP_BACK_FLAGS	LBX_U32_C(0xf)
#define LBX_MAP_KEEP		LBX_U32_C(0x10)	/* MOVE: the old range stays, as freshly backed */

/**
 * struct lbx_map_raw - map: a range of pages
 * @op:     LBX_MAP_BACK .. LBX_MAP_DISCARD
 * @prot:   BACK, PROTECT: LBX_PROT_*; else 0
 * @flags:  BACK: LBX_MAP_SHARED .. LBX_MAP_HUGE; MOVE: LBX_MAP_KEEP; else 0
 * @handle: BACK: what to map, or LBX_HANDLE_NONE for fresh, zeroed RAM;
 *          else LBX_HANDLE_NONE
 * @addr:   start of the range
 * @len:    its bytes
 * @off:    BACK with a handle: bytes from the object's start; else 0
 * @to:     MOVE: the new start; else 0
 * @to_len: MOVE: the new length; else 0
 *
 * Starts, lengths and @off are multiples of LBX_PAGE_SIZE. A range is in the
 * program window, starts below LBX_MAP_START_END, and is neither empty nor
 * LBX_MAP_LEN_END or longer. DISCARD may also name a range in the kernel window:
 * the library kernel's own RAM goes back to the host and is zero when it is
 * touched again. What a BACK or a MOVE finds at its target is replaced. MOVE with
 * @to == @addr grows or shrinks in place; otherwise the two ranges are disjoint.
 * KEEP wants another place and the same length.
 *
 * A handle needs MAP and READ; SHARED with WRITE needs WRITE; EXEC needs EXEC. A
 * mapping remembers what its handle allows (lbx_map_prot_max()), and PROTECT
 * never exceeds that.
 *
 * Answer: 0. Errors: EINVAL (malformed), EFAULT (outside of the program
 * window), EBADF (no such handle), ENODEV (not FILE or RAM), EACCES (the handle
 * lacks MAP, READ or WRITE), EPERM (it lacks EXEC), ENOMEM (the sandbox's or
 * the host's memory or mappings; PROTECT and MOVE: a part is not mapped).
 * Source: mmap(2), mprotect(2), munmap(2), mremap(2), madvise(2).
 */
struct lbx_map_raw {
	lbx_u32 op;
	lbx_u32 prot;
	lbx_u32 flags;
	lbx_u32 handle;
	lbx_u64 addr;
	lbx_u64 len;
	lbx_u64 off;
	lbx_u64 to;
	lbx_u64 to_len;
};
LBX_ASSERT_SIZE(struct lbx_map_raw, 56);

/* cpu: exactly one of the two. */
#define LBX_CPU_THREAD		LBX_U32_C(0x1)	/* in this address space */
#define LBX_CPU_COPY		LBX_U32_C(0x2)	/* in a copy of it (copy on write) */
#define LBX_CPU_FLAGS_ALL	LBX_U32_C(0x3)

#define LBX_CPU_NONE		LBX_U32_C(0xffffffff)

/**
 * struct lbx_cpu_raw - cpu: one more thread of execution
 * @flags: LBX_CPU_THREAD or LBX_CPU_COPY
 * @pad:   0
 * @entry: its first instruction: kernel window
 * @stack: its first stack pointer: kernel window, 16-aligned, the stack below it
 * @arg:   any number; the entry gets it
 * @tls:   its per-cpu area (GS base): kernel window, 64-aligned
 *
 * The stack and the area are the caller's to give, and are the new cpu's until
 * it ends.
 *
 * Answer: the cpu's number, below LBX_CPUS_END. Errors: EINVAL (flags,
 * alignment), EFAULT (outside of the kernel window), EAGAIN (the sandbox's
 * limit of cpus or address spaces), ENOMEM. Source: clone(2).
 */
struct lbx_cpu_raw {
	lbx_u32 flags;
	lbx_u32 pad;
	lbx_u64 entry;
	lbx_u64 stack;
	lbx_u64 arg;
	lbx_u64 tls;
};
LBX_ASSERT_SIZE(struct lbx_cpu_raw, 40);

/* wait: what the handle should be ready for. */
#define LBX_WAIT_READ		LBX_U32_C(0x1)
#define LBX_WAIT_WRITE		LBX_U32_C(0x2)
#define LBX_WAIT_EVENTS_ALL	LBX_U32_C(0x3)

#define LBX_DEADLINE_NEVER	LBX_U64_C(0xffffffffffffffff)

/* wait: why it returned. */
#define LBX_WOKEN_KICK		0	/* by a kick on the word */
#define LBX_WOKEN_VALUE		1	/* the word did not hold the value (any more) */
#define LBX_WOKEN_READY		2	/* the handle is ready, or is at its end */
#define LBX_WOKEN_DEADLINE	3	/* the deadline has passed */
#define LBX_WOKEN_INTERRUPT	4	/* by a kick on this cpu, or for no reason */

/**
 * struct lbx_wait_raw - wait: sleep
 * @deadline: monotonic time in ns, or LBX_DEADLINE_NEVER
 * @word:     address of a 32-bit word: kernel window, 4-aligned; 0: none
 * @value:    sleep only while the word holds this; 0 without a word
 * @handle:   or LBX_HANDLE_NONE
 * @events:   LBX_WAIT_*: at least one with a handle, 0 without
 * @flags:    0
 *
 * The comparison and going to sleep are one step, as seen by a kick on the word
 * that follows the change of its value.
 *
 * Answer: LBX_WOKEN_*. Errors: EINVAL, EFAULT (the word is outside of the
 * kernel window), EBADF (no such handle, or it lacks READ or WRITE).
 * Source: futex(2) FUTEX_WAIT_BITSET, poll(2).
 */
struct lbx_wait_raw {
	lbx_u64 deadline;
	lbx_u64 word;
	lbx_u32 value;
	lbx_u32 handle;
	lbx_u32 events;
	lbx_u32 flags;
};
LBX_ASSERT_SIZE(struct lbx_wait_raw, 32);

/* kick: whom. */
#define LBX_KICK_WAKE		0	/* who waits on the word */
#define LBX_KICK_INTERRUPT	1	/* the cpu, asleep or running */
#define LBX_KICK_MODE_END	2

/**
 * struct lbx_kick_raw - kick: wake or interrupt
 * @mode:  LBX_KICK_*
 * @cpu:   INTERRUPT: its number; WAKE: LBX_CPU_NONE
 * @word:  WAKE: address of the word: kernel window, 4-aligned; INTERRUPT: 0
 * @count: WAKE: how many at most, 1 to LBX_KICK_MAX; INTERRUPT: 0
 * @pad:   0
 *
 * Never sleeps. An interrupted cpu that runs the program enters the library
 * kernel; one that waits returns with LBX_WOKEN_INTERRUPT.
 *
 * Answer: WAKE: how many were woken; INTERRUPT: 0. Errors: EINVAL, EFAULT (the
 * word is outside of the kernel window), ESRCH (no such cpu in this sandbox).
 * Source: futex(2) FUTEX_WAKE_BITSET.
 */
struct lbx_kick_raw {
	lbx_u32 mode;
	lbx_u32 cpu;
	lbx_u64 word;
	lbx_u32 count;
	lbx_u32 pad;
};
LBX_ASSERT_SIZE(struct lbx_kick_raw, 24);

#define SOUTH_CALL(nr, call, record, right, sleeps, help) \
	LBX_STATIC_ASSERT(sizeof(struct lbx_##record##_raw) <= LBX_RECORD_MAX, \
			  "a record fits what a South copies in");
#include "south_calls.def"

#endif /* __ASSEMBLER__ */
#endif /* LBX_UAPI_SOUTH_H */
