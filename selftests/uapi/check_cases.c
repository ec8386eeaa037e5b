// SPDX-License-Identifier: MIT
/*
 * Every refusal of every check, with its exact errno, and the values on both
 * sides of every bound. A case is a good record and one edit of it.
 *
 * The real files are included, so that they run under this test's sanitizers.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "tap.h"
#include "../../uapi/check_call.c"
#include "../../uapi/check_cpu.c"
#include "../../uapi/check_handle.c"
#include "../../uapi/check_io.c"
#include "../../uapi/check_map.c"
#include "../../uapi/check_sandbox.c"

static const struct lbx_space space = LBX_SPACE_HOSTED;
static const struct lbx_limits ceiling = LBX_LIMITS_CEILING;

/* The result must be as it was before, or not, when the record was refused. */
#define UNTOUCHED(out) (memcmp(&(out), memset(before, 0xa5, sizeof(out)), sizeof(out)) == 0)

/* @edit changes r, a copy of @good; the check must answer @want. */
#define CASE(what, good, want, edit, ...) do { \
	struct lbx_##what##_raw r = good; \
	struct lbx_##what out; \
	unsigned char before[sizeof(out)]; \
	int got; \
	memset(&out, 0xa5, sizeof(out)); \
	edit; \
	got = lbx_check_##what(__VA_ARGS__); \
	tap_ok(got == -(want) && (want == 0) == !UNTOUCHED(out), \
	       #what ": " #edit " -> " #want " (got %d)", -got); \
} while (0)

#define EXIT(want, edit)	CASE(exit, exit_good, want, edit, &r, &out)
#define CLOCK(want, edit)	CASE(clock, clock_good, want, edit, &r, &out)
#define CALL(want, edit)	CASE(call, call_good, want, edit, &r, &out)
#define IO(want, edit)		CASE(io, io_good, want, edit, &r, &space, &out)
#define MAP(good, want, edit)	CASE(map, good, want, edit, &r, &space, &out)
#define CPU(want, edit)		CASE(cpu, cpu_good, want, edit, &r, &space, &out)
#define WAIT(want, edit)	CASE(wait, wait_good, want, edit, &r, &space, &out)
#define KICK(good, want, edit)	CASE(kick, good, want, edit, &r, &space, &out)
#define GRANT(good, want, edit)	CASE(grant, good, want, edit, &r, &out)
#define SPACE(want, edit)	CASE(space, space_good, want, edit, &r, &out)
#define LIMITS(want, edit)	CASE(limits, limits_good, want, edit, &r, &ceiling, &out)

#define KERNEL		(LBX_KERNEL_MIN + 0x4000)
#define PROGRAM		0x7f000000ULL

static const struct lbx_exit_raw exit_good = { 0, 0 };
static const struct lbx_clock_raw clock_good = { LBX_CLOCK_MONOTONIC, 0 };
static const struct lbx_call_raw call_good = { LBX_SOUTH_map, sizeof(struct lbx_map_raw) };
static const struct lbx_io_raw io_good = { 3, 2, 4096, KERNEL, 0 };
static const struct lbx_map_raw back = {
	.op = LBX_MAP_BACK, .prot = LBX_PROT_READ, .handle = LBX_HANDLE_NONE,
	.addr = PROGRAM, .len = 0x2000,
};
static const struct lbx_map_raw file = {
	.op = LBX_MAP_BACK, .prot = LBX_PROT_READ, .handle = 5, .addr = PROGRAM,
	.len = 0x2000, .off = 0x1000,
};
static const struct lbx_map_raw protect = {
	.op = LBX_MAP_PROTECT, .prot = LBX_PROT_READ, .handle = LBX_HANDLE_NONE,
	.addr = PROGRAM, .len = 0x2000,
};
static const struct lbx_map_raw release = {
	.op = LBX_MAP_RELEASE, .handle = LBX_HANDLE_NONE, .addr = PROGRAM, .len = 0x2000,
};
static const struct lbx_map_raw discard = {
	.op = LBX_MAP_DISCARD, .handle = LBX_HANDLE_NONE, .addr = PROGRAM, .len = 0x2000,
};
static const struct lbx_map_raw move = {
	.op = LBX_MAP_MOVE, .handle = LBX_HANDLE_NONE, .addr = PROGRAM, .len = 0x2000,
	.to = PROGRAM + 0x10000, .to_len = 0x3000,
};
static const struct lbx_cpu_raw cpu_good = {
	.flags = LBX_CPU_THREAD, .entry = KERNEL, .stack = KERNEL + 0x1000,
	.arg = ~0ULL, .tls = KERNEL + 0x40,
};
static const struct lbx_wait_raw wait_good = {
	.deadline = 1000, .word = KERNEL, .value = 7, .handle = 3, .events = LBX_WAIT_READ,
};
static const struct lbx_kick_raw wake = {
	.mode = LBX_KICK_WAKE, .cpu = LBX_CPU_NONE, .word = KERNEL, .count = 1,
};
static const struct lbx_kick_raw interrupt = { .mode = LBX_KICK_INTERRUPT, .cpu = 9 };
static const struct lbx_grant_raw grant_file = { 3, LBX_KIND_FILE, LBX_RIGHTS_ALL, 0, 0 };
static const struct lbx_grant_raw grant_ram = { 3, LBX_KIND_RAM, LBX_RIGHTS_ALL, 0, 0x3000 };
static const struct lbx_grant_raw grant_console = { 0, LBX_KIND_CONSOLE, 3, 0, 0 };
static const struct lbx_grant_raw grant_entropy = { 1, LBX_KIND_ENTROPY, 1, 0, 0 };
static const struct lbx_space_raw space_good = LBX_SPACE_HOSTED;
static const struct lbx_limits_raw limits_good = { 1 << 30, 1 << 20, 64, 8, 4, 16 };

static void calls(void)
{
	lbx_u8 record[LBX_RECORD_MAX] = { 0 };
	struct lbx_call call = { LBX_SOUTH_exit, LBX_RECORD_MAX, 8 };

	CALL(0, (void)r);
	CALL(0, r.nr = 0);
	CALL(0, r.nr = 7; r.size = 24);
	CALL(ENOSYS, r.nr = 8);
	CALL(ENOSYS, r.nr = ~0U);
	CALL(ENOSYS, r.nr = 8; r.size = 0);
	CALL(EINVAL, r.size = 0);
	CALL(EINVAL, r.size--);
	CALL(0, r.size++);
	CALL(0, r.size = LBX_RECORD_MAX);
	CALL(E2BIG, r.size = LBX_RECORD_MAX + 1);
	CALL(E2BIG, r.size = ~0U);

	tap_ok(lbx_check_tail(record, &call) == 0, "tail: all zero -> 0");
	record[7] = 1;
	tap_ok(lbx_check_tail(record, &call) == 0, "tail: what is known is not the tail -> 0");
	record[8] = 1;
	tap_ok(lbx_check_tail(record, &call) == -E2BIG, "tail: its first byte -> E2BIG");
	record[8] = 0;
	record[LBX_RECORD_MAX - 1] = 0x80;
	tap_ok(lbx_check_tail(record, &call) == -E2BIG, "tail: its last byte -> E2BIG");
	call.size--;
	tap_ok(lbx_check_tail(record, &call) == 0, "tail: the byte beyond it -> 0");
	call.size = call.known;
	tap_ok(lbx_check_tail(record, &call) == 0, "tail: none -> 0");

	EXIT(0, r.status = 0);
	EXIT(0, r.status = 255);
	EXIT(EINVAL, r.status = 256);
	EXIT(EINVAL, r.status = ~0U);
	EXIT(EINVAL, r.pad = 1);

	CLOCK(0, r.id = LBX_CLOCK_REALTIME);
	CLOCK(0, r.id = LBX_CLOCK_MONOTONIC);
	CLOCK(EINVAL, r.id = LBX_CLOCK_END);
	CLOCK(EINVAL, r.id = ~0U);
	CLOCK(EINVAL, r.pad = 1U << 31);
}

static void io(void)
{
	IO(0, (void)r);
	IO(EINVAL, r.nr_iov = 0);
	IO(0, r.nr_iov = LBX_IOV_MAX);
	IO(EINVAL, r.nr_iov = LBX_IOV_MAX + 1);
	IO(EINVAL, r.nr_iov = ~0U);
	IO(EINVAL, r.flags = 1);
	IO(EINVAL, r.flags = 1ULL << 63);
	IO(0, r.off = 0);
	IO(0, r.off = LBX_OFF_MAX);
	IO(EINVAL, r.off = LBX_OFF_MAX + 1);
	IO(EINVAL, r.off = LBX_OFF_STREAM - 1);
	IO(0, r.off = LBX_OFF_STREAM);
	IO(0, r.handle = LBX_HANDLES_END - 1);
	IO(EBADF, r.handle = LBX_HANDLES_END);
	IO(EBADF, r.handle = LBX_HANDLE_NONE);
	IO(EINVAL, r.iov += 4);
	IO(EINVAL, r.iov += 1);
	IO(0, r.iov = LBX_KERNEL_MIN);
	IO(EFAULT, r.iov = LBX_KERNEL_MIN - 8);
	IO(EFAULT, r.iov = 0);
	IO(EFAULT, r.iov = PROGRAM);
	IO(0, r.iov = LBX_KERNEL_END - 32);
	IO(EFAULT, r.iov = LBX_KERNEL_END - 24);
	IO(EFAULT, r.iov = LBX_KERNEL_END);
	IO(EFAULT, r.iov = ~7ULL);
	/* Order: words, handle, address. */
	IO(EINVAL, r.flags = 1; r.handle = ~0U; r.iov = 0);
	IO(EBADF, r.handle = ~0U; r.iov = 0);
}

static void iov_try(const char *name, int want, lbx_u64 off, lbx_u32 nr,
		    const struct lbx_iov *vec, lbx_u64 sum)
{
	struct lbx_io checked = { 3, nr, off, KERNEL };
	lbx_u64 total = 0xa5;
	int got = lbx_check_iov(&checked, vec, &space, &total);

	tap_ok(got == -want && total == (want ? 0xa5 : sum), "iov: %s -> %d (got %d)",
	       name, want, -got);
}

#define IOV(name, want, off, sum, ...) do { \
	const struct lbx_iov vec[] = { __VA_ARGS__ }; \
	iov_try(name, want, off, sizeof(vec) / sizeof(vec[0]), vec, sum); \
} while (0)

static void iov(void)
{
	struct lbx_iov many[LBX_IOV_MAX];
	const lbx_u64 s = LBX_OFF_STREAM;
	int i;

	IOV("one byte", 0, s, 1, { PROGRAM, 1 });
	IOV("both windows", 0, s, 3, { PROGRAM, 1 }, { KERNEL, 2 });
	IOV("all empty", 0, s, 0, { PROGRAM, 0 }, { KERNEL, 0 });
	IOV("the most", 0, s, LBX_IO_MAX, { PROGRAM, LBX_IO_MAX });
	IOV("one more", EINVAL, s, 0, { PROGRAM, LBX_IO_MAX + 1 });
	IOV("one more in the sum", EINVAL, s, 0, { PROGRAM, LBX_IO_MAX }, { KERNEL, 1 });
	IOV("lengths that wrap to 1", EINVAL, s, 0, { PROGRAM, ~0ULL }, { KERNEL, 2 });
	IOV("lengths that wrap to 0", EINVAL, s, 0, { PROGRAM, 1ULL << 63 }, { KERNEL, 1ULL << 63 });
	IOV("up to the last offset", 0, LBX_OFF_MAX - 5, 5, { PROGRAM, 5 });
	IOV("past the last offset", EINVAL, LBX_OFF_MAX - 5, 0, { PROGRAM, 6 });
	IOV("nothing at the last offset", 0, LBX_OFF_MAX, 0, { PROGRAM, 0 });
	IOV("below the program window", EFAULT, s, 0, { LBX_PROGRAM_MIN - 1, 1 });
	IOV("its first byte", 0, s, 1, { LBX_PROGRAM_MIN, 1 });
	IOV("its last byte", 0, s, 1, { LBX_PROGRAM_END - 1, 1 });
	IOV("across the windows", EFAULT, s, 0, { LBX_PROGRAM_END - 1, 2 });
	IOV("the kernel window's last byte", 0, s, 1, { LBX_KERNEL_END - 1, 1 });
	IOV("past it", EFAULT, s, 0, { LBX_KERNEL_END - 1, 2 });
	IOV("nothing, at its end", 0, s, 0, { LBX_KERNEL_END, 0 });
	IOV("nothing, beyond its end", EFAULT, s, 0, { LBX_KERNEL_END + 1, 0 });
	IOV("a null pointer", EFAULT, s, 0, { 0, 0 });
	IOV("an end that wraps", EFAULT, s, 0, { ~0ULL, 1 });
	IOV("the second is bad", EFAULT, s, 0, { PROGRAM, 1 }, { 8, 1 });
	IOV("too long comes before outside", EINVAL, s, 0, { 8, 1 }, { PROGRAM, LBX_IO_MAX });

	for (i = 0; i < LBX_IOV_MAX; i++)
		many[i] = (struct lbx_iov){ PROGRAM, LBX_IO_MAX / LBX_IOV_MAX };
	iov_try("64 pieces, the most", 0, s, LBX_IOV_MAX, many, LBX_IO_MAX);
	many[LBX_IOV_MAX - 1].len++;
	iov_try("64 pieces, one byte more", EINVAL, s, LBX_IOV_MAX, many, 0);
	many[LBX_IOV_MAX - 1] = (struct lbx_iov){ 0, 0 };
	iov_try("64 pieces, the last is bad", EFAULT, s, LBX_IOV_MAX, many, 0);
	iov_try("63 pieces, the bad one is not among them", 0, s, LBX_IOV_MAX - 1, many,
		LBX_IO_MAX / LBX_IOV_MAX * (LBX_IOV_MAX - 1));
}

static void map_words(void)
{
	MAP(back, 0, (void)r);
	MAP(file, 0, (void)r);
	MAP(protect, 0, (void)r);
	MAP(release, 0, (void)r);
	MAP(discard, 0, (void)r);
	MAP(move, 0, (void)r);
	MAP(back, EINVAL, r.op = LBX_MAP_OP_END);
	MAP(back, EINVAL, r.op = ~0U);

	MAP(back, 0, r.prot = 0);
	MAP(back, 0, r.prot = LBX_PROT_ALL);
	MAP(back, EINVAL, r.prot = LBX_PROT_ALL + 1);
	MAP(back, EINVAL, r.prot = 1U << 31);
	MAP(protect, 0, r.prot = LBX_PROT_ALL);
	MAP(protect, EINVAL, r.prot = 8);
	MAP(release, EINVAL, r.prot = LBX_PROT_READ);
	MAP(discard, EINVAL, r.prot = LBX_PROT_READ);
	MAP(move, EINVAL, r.prot = LBX_PROT_READ);

	MAP(back, 0, r.flags = LBX_MAP_BACK_FLAGS);
	MAP(back, EINVAL, r.flags = LBX_MAP_KEEP);
	MAP(back, EINVAL, r.flags = LBX_MAP_BACK_FLAGS + 1);
	MAP(back, EINVAL, r.flags = 1U << 31);
	MAP(protect, EINVAL, r.flags = LBX_MAP_SHARED);
	MAP(release, EINVAL, r.flags = LBX_MAP_KEEP);
	MAP(discard, EINVAL, r.flags = LBX_MAP_POPULATE);
	MAP(move, EINVAL, r.flags = LBX_MAP_SHARED);
	MAP(move, EINVAL, r.flags = LBX_MAP_KEEP);
	MAP(move, 0, r.flags = LBX_MAP_KEEP; r.to_len = r.len);
	MAP(move, EINVAL, r.flags = LBX_MAP_KEEP | 1; r.to_len = r.len);
	MAP(move, EINVAL, r.flags = LBX_MAP_KEEP; r.to_len = r.len; r.to = r.addr);

	MAP(back, 0, r.handle = LBX_HANDLES_END - 1);
	MAP(back, EBADF, r.handle = LBX_HANDLES_END);
	MAP(back, EBADF, r.handle = LBX_HANDLE_NONE - 1);
	MAP(back, EINVAL, r.off = 0x1000);
	MAP(protect, EINVAL, r.handle = 5);
	MAP(release, EINVAL, r.handle = 5);
	MAP(discard, EINVAL, r.handle = 5);
	MAP(move, EINVAL, r.handle = 5);
	MAP(release, EINVAL, r.off = 0x1000);
	MAP(file, EINVAL, r.off = 0x800);
	MAP(file, 0, r.off = LBX_OFF_MAX - 0x2fff);
	MAP(file, EINVAL, r.off = LBX_OFF_MAX - 0xfff);
	MAP(file, EINVAL, r.off = ~0xfffULL);
	MAP(back, EINVAL, r.to = 0x1000);
	MAP(release, EINVAL, r.to_len = 0x1000);
}

static void map_ranges(void)
{
	MAP(back, EINVAL, r.len = 0);
	MAP(back, EINVAL, r.len = 1);
	MAP(back, EINVAL, r.addr += 1);
	MAP(back, EINVAL, r.len = ~0xfffULL);
	MAP(release, EINVAL, r.len = 1ULL << 63);
	MAP(release, EFAULT, r.len = 1ULL << 62);
	MAP(release, EFAULT, r.addr = -r.len);
	MAP(back, EFAULT, r.addr = 0);
	MAP(back, EFAULT, r.addr = LBX_PROGRAM_MIN - 0x1000);
	MAP(back, 0, r.addr = LBX_PROGRAM_MIN);
	MAP(back, 0, r.addr = LBX_MAP_START_END - 0x1000);
	MAP(back, EFAULT, r.addr = LBX_MAP_START_END);
	MAP(back, 0, r.len = LBX_MAP_LEN_END - 0x1000);
	MAP(back, EFAULT, r.len = LBX_MAP_LEN_END);
	MAP(back, 0, r.addr = LBX_MAP_START_END - 0x1000; r.len = LBX_MAP_LEN_END - 0x1000);
	MAP(back, EFAULT, r.addr = LBX_KERNEL_MIN);
	MAP(protect, EFAULT, r.addr = LBX_KERNEL_MIN);
	MAP(release, EFAULT, r.addr = LBX_KERNEL_MIN);
	MAP(move, EFAULT, r.addr = LBX_KERNEL_MIN);
	MAP(discard, 0, r.addr = LBX_KERNEL_MIN);
	MAP(discard, 0, r.addr = LBX_KERNEL_END - r.len);
	MAP(discard, EFAULT, r.addr = LBX_KERNEL_END - 0x1000);
	MAP(discard, EFAULT, r.addr = LBX_KERNEL_END);
	MAP(discard, EFAULT, r.addr = LBX_PROGRAM_END - 0x1000);
	MAP(back, EFAULT, r.addr = 0xffffffff80000000ULL);

	MAP(move, EINVAL, r.to_len = 0);
	MAP(move, EINVAL, r.to_len = 0x1001);
	MAP(move, EINVAL, r.to += 0x800);
	MAP(move, 0, r.to = r.addr);
	MAP(move, 0, r.to = r.addr; r.to_len = 0x1000);
	MAP(move, EINVAL, r.to = r.addr + 0x1000);
	MAP(move, 0, r.to = r.addr + r.len);
	MAP(move, EINVAL, r.to = r.addr - 0x1000);
	MAP(move, EINVAL, r.to = r.addr - 0x2000);
	MAP(move, 0, r.to = r.addr - 0x3000);
	MAP(move, EINVAL, r.to = 0x1000; r.to_len = ~0xfffULL);
	MAP(move, EFAULT, r.to = 0x1000);
	MAP(move, EFAULT, r.to = LBX_MAP_START_END);
	MAP(move, EFAULT, r.to_len = LBX_MAP_LEN_END);
	MAP(move, EFAULT, r.to = LBX_KERNEL_MIN);
	/* Order: words, handle, address. */
	MAP(back, EINVAL, r.prot = 8; r.handle = LBX_HANDLES_END; r.addr = 0);
	MAP(back, EBADF, r.handle = LBX_HANDLES_END; r.addr = 0);
}

static void cpus(void)
{
	CPU(0, (void)r);
	CPU(0, r.flags = LBX_CPU_COPY);
	CPU(EINVAL, r.flags = 0);
	CPU(EINVAL, r.flags = LBX_CPU_THREAD | LBX_CPU_COPY);
	CPU(EINVAL, r.flags = 4);
	CPU(EINVAL, r.flags = LBX_CPU_THREAD | 1U << 31);
	CPU(EINVAL, r.pad = 1);
	CPU(0, r.arg = 0);
	CPU(EINVAL, r.stack += 8);
	CPU(EINVAL, r.tls += 32);
	CPU(0, r.entry = LBX_KERNEL_MIN);
	CPU(EFAULT, r.entry = LBX_KERNEL_MIN - 1);
	CPU(0, r.entry = LBX_KERNEL_END - 1);
	CPU(EFAULT, r.entry = LBX_KERNEL_END);
	CPU(EFAULT, r.entry = ~0ULL);
	CPU(EFAULT, r.stack = 0);
	CPU(EFAULT, r.stack = LBX_KERNEL_MIN);
	CPU(0, r.stack = LBX_KERNEL_MIN + 16);
	CPU(0, r.stack = LBX_KERNEL_END);
	CPU(EFAULT, r.stack = LBX_KERNEL_END + 16);
	CPU(EFAULT, r.tls = 0);
	CPU(0, r.tls = LBX_KERNEL_MIN);
	CPU(0, r.tls = LBX_KERNEL_END - 64);
	CPU(EFAULT, r.tls = LBX_KERNEL_END);
	CPU(EFAULT, r.tls = PROGRAM);

	WAIT(0, (void)r);
	WAIT(0, r.deadline = 0);
	WAIT(0, r.deadline = LBX_NS_MAX);
	WAIT(EINVAL, r.deadline = LBX_NS_MAX + 1);
	WAIT(EINVAL, r.deadline = LBX_DEADLINE_NEVER - 1);
	WAIT(0, r.deadline = LBX_DEADLINE_NEVER);
	WAIT(EINVAL, r.word += 2);
	WAIT(EINVAL, r.word = 0);
	WAIT(0, r.word = 0; r.value = 0);
	WAIT(EINVAL, r.flags = 1);
	WAIT(EINVAL, r.events = 0);
	WAIT(0, r.events = LBX_WAIT_EVENTS_ALL);
	WAIT(EINVAL, r.events = LBX_WAIT_EVENTS_ALL + 1);
	WAIT(EINVAL, r.handle = LBX_HANDLE_NONE);
	WAIT(0, r.handle = LBX_HANDLE_NONE; r.events = 0);
	WAIT(0, r.handle = LBX_HANDLES_END - 1);
	WAIT(EBADF, r.handle = LBX_HANDLES_END);
	WAIT(EBADF, r.handle = LBX_HANDLE_NONE - 1);
	WAIT(0, r.word = LBX_KERNEL_MIN);
	WAIT(EFAULT, r.word = LBX_KERNEL_MIN - 4);
	WAIT(0, r.word = LBX_KERNEL_END - 4);
	WAIT(EFAULT, r.word = LBX_KERNEL_END);
	WAIT(EFAULT, r.word = PROGRAM);
	WAIT(EBADF, r.handle = LBX_HANDLES_END; r.word = PROGRAM);

	KICK(wake, 0, (void)r);
	KICK(wake, 0, r.count = LBX_KICK_MAX);
	KICK(wake, EINVAL, r.count = LBX_KICK_MAX + 1);
	KICK(wake, EINVAL, r.count = 0);
	KICK(wake, EINVAL, r.cpu = 0);
	KICK(wake, EINVAL, r.word += 1);
	KICK(wake, EINVAL, r.pad = 1);
	KICK(wake, EINVAL, r.mode = LBX_KICK_MODE_END);
	KICK(wake, EINVAL, r.mode = ~0U);
	KICK(wake, 0, r.word = LBX_KERNEL_END - 4);
	KICK(wake, EFAULT, r.word = LBX_KERNEL_END);
	KICK(wake, EFAULT, r.word = LBX_KERNEL_MIN - 4);
	KICK(wake, EFAULT, r.word = 0);
	KICK(wake, EFAULT, r.word = PROGRAM);
	KICK(interrupt, 0, (void)r);
	KICK(interrupt, EINVAL, r.pad = 1);
	KICK(interrupt, EINVAL, r.word = KERNEL);
	KICK(interrupt, EINVAL, r.count = 1);
	KICK(interrupt, 0, r.cpu = LBX_CPUS_END - 1);
	KICK(interrupt, ESRCH, r.cpu = LBX_CPUS_END);
	KICK(interrupt, ESRCH, r.cpu = LBX_CPU_NONE);
}

static void grants(void)
{
	GRANT(grant_file, 0, (void)r);
	GRANT(grant_ram, 0, (void)r);
	GRANT(grant_console, 0, (void)r);
	GRANT(grant_entropy, 0, (void)r);
	GRANT(grant_file, 0, r.handle = LBX_HANDLES_END - 1);
	GRANT(grant_file, EINVAL, r.handle = LBX_HANDLES_END);
	GRANT(grant_file, EINVAL, r.flags = 1);
	GRANT(grant_file, EINVAL, r.kind = LBX_KIND_NONE);
	GRANT(grant_file, EINVAL, r.kind = LBX_KIND_END);
	GRANT(grant_file, EINVAL, r.rights = 0);
	GRANT(grant_file, EINVAL, r.rights = 16);
	GRANT(grant_file, EINVAL, r.rights = LBX_RIGHT_MAP);
	GRANT(grant_file, EINVAL, r.rights = LBX_RIGHT_WRITE | LBX_RIGHT_MAP);
	GRANT(grant_file, EINVAL, r.rights = LBX_RIGHT_READ | LBX_RIGHT_EXEC);
	GRANT(grant_file, 0, r.rights = LBX_RIGHT_READ | LBX_RIGHT_MAP | LBX_RIGHT_EXEC);
	GRANT(grant_file, 0, r.rights = LBX_RIGHT_WRITE);
	GRANT(grant_file, EINVAL, r.size = 0x1000);
	GRANT(grant_ram, EINVAL, r.size = 0);
	GRANT(grant_ram, EINVAL, r.size = 0x1001);
	GRANT(grant_ram, 0, r.size = LBX_MEM_MAX);
	GRANT(grant_ram, EINVAL, r.size = LBX_MEM_MAX + 0x1000);
	GRANT(grant_console, EINVAL, r.rights = LBX_RIGHT_READ | LBX_RIGHT_MAP);
	GRANT(grant_console, 0, r.kind = LBX_KIND_PACKET);
	GRANT(grant_console, 0, r.kind = LBX_KIND_SERVER);
	GRANT(grant_console, EINVAL, r.size = 1);
	GRANT(grant_entropy, EINVAL, r.rights = LBX_RIGHT_READ | LBX_RIGHT_WRITE);
	GRANT(grant_entropy, EINVAL, r.rights = LBX_RIGHT_WRITE);
}

static void use(const char *name, int got, int want)
{
	tap_ok(got == -want, "%s -> %d (got %d)", name, want, -got);
}

static void handles(void)
{
	const struct lbx_grant none = { 3, LBX_KIND_NONE, LBX_RIGHTS_ALL, 0 };
	const struct lbx_grant f = { 3, LBX_KIND_FILE, LBX_RIGHTS_ALL, 0 };
	const struct lbx_grant ro = { 3, LBX_KIND_FILE, LBX_RIGHT_READ | LBX_RIGHT_MAP, 0 };
	const struct lbx_grant wo = { 3, LBX_KIND_FILE, LBX_RIGHT_WRITE, 0 };
	const struct lbx_grant rw = { 3, LBX_KIND_FILE, LBX_RIGHT_READ | LBX_RIGHT_WRITE, 0 };
	const struct lbx_grant ram = { 3, LBX_KIND_RAM, LBX_RIGHTS_ALL, 0x3000 };
	const struct lbx_grant tty = { 3, LBX_KIND_CONSOLE, 3, 0 };
	const struct lbx_grant tty_in = { 3, LBX_KIND_CONSOLE, LBX_RIGHT_READ, 0 };
	const struct lbx_io at = { 3, 1, 0, KERNEL }, stream = { 3, 1, LBX_OFF_STREAM, KERNEL };
	const lbx_u32 R = LBX_RIGHT_READ, W = LBX_RIGHT_WRITE;
	struct lbx_wait w = { 0, 0, 0, 3, LBX_WAIT_READ };

	use("handle: no entry", lbx_check_handle(NULL, R), EBADF);
	use("handle: a free slot", lbx_check_handle(&none, R), EBADF);
	use("handle: read-only for write", lbx_check_handle(&ro, W), EBADF);
	use("handle: one of two rights", lbx_check_handle(&ro, R | W), EBADF);
	use("handle: both rights", lbx_check_handle(&rw, R | W), 0);
	use("handle: no right needed", lbx_check_handle(&wo, 0), 0);

	use("io: no entry", lbx_check_io_handle(NULL, &at, R), EBADF);
	use("io: write-only for read", lbx_check_io_handle(&wo, &at, R), EBADF);
	use("io: file, offset", lbx_check_io_handle(&f, &at, R), 0);
	use("io: file, position", lbx_check_io_handle(&f, &stream, W), 0);
	use("io: RAM, offset", lbx_check_io_handle(&ram, &at, W), 0);
	use("io: RAM, position", lbx_check_io_handle(&ram, &stream, W), ESPIPE);
	use("io: stream", lbx_check_io_handle(&tty, &stream, W), 0);
	use("io: stream, offset", lbx_check_io_handle(&tty, &at, W), ESPIPE);
	use("io: the right comes first", lbx_check_io_handle(&tty_in, &at, W), EBADF);

	use("wait: no entry", lbx_check_wait_handle(NULL, &w), EBADF);
	use("wait: a free slot", lbx_check_wait_handle(&none, &w), EBADF);
	use("wait: to read", lbx_check_wait_handle(&tty_in, &w), 0);
	use("wait: to read, write-only", lbx_check_wait_handle(&wo, &w), EBADF);
	w.events = LBX_WAIT_WRITE;
	use("wait: to write, read-only", lbx_check_wait_handle(&tty_in, &w), EBADF);
	use("wait: to write", lbx_check_wait_handle(&tty, &w), 0);
	w.events = LBX_WAIT_EVENTS_ALL;
	use("wait: both, read-only", lbx_check_wait_handle(&tty_in, &w), EBADF);
	use("wait: both", lbx_check_wait_handle(&tty, &w), 0);
}

static void map_handles(void)
{
	const lbx_u32 rm = LBX_RIGHT_READ | LBX_RIGHT_MAP;
	const struct lbx_grant none = { 3, LBX_KIND_NONE, LBX_RIGHTS_ALL, 0 };
	struct lbx_grant g = { 3, LBX_KIND_FILE, rm, 0 };
	struct lbx_map m = { .prot = LBX_PROT_READ, .handle = 3, .addr = PROGRAM, .len = 0x2000 };

	use("map: no entry", lbx_check_map_handle(NULL, &m), EBADF);
	use("map: a free slot", lbx_check_map_handle(&none, &m), EBADF);
	use("map: read-only file", lbx_check_map_handle(&g, &m), 0);
	m.prot = LBX_PROT_READ | LBX_PROT_WRITE;
	use("map: read-only file, private write", lbx_check_map_handle(&g, &m), 0);
	m.flags = LBX_MAP_SHARED;
	use("map: read-only file, shared write", lbx_check_map_handle(&g, &m), EACCES);
	g.rights |= LBX_RIGHT_WRITE;
	use("map: writable file, shared write", lbx_check_map_handle(&g, &m), 0);
	m.prot |= LBX_PROT_EXEC;
	use("map: exec without the right", lbx_check_map_handle(&g, &m), EPERM);
	g.rights |= LBX_RIGHT_EXEC;
	use("map: exec with the right", lbx_check_map_handle(&g, &m), 0);
	g.rights &= ~LBX_RIGHT_MAP;
	use("map: without MAP", lbx_check_map_handle(&g, &m), EACCES);
	g.rights = LBX_RIGHT_MAP | LBX_RIGHT_WRITE;
	m.prot = 0;
	use("map: without READ", lbx_check_map_handle(&g, &m), EACCES);
	g = (struct lbx_grant){ 3, LBX_KIND_CONSOLE, LBX_RIGHTS_ALL, 0 };
	use("map: a stream", lbx_check_map_handle(&g, &m), ENODEV);
	g = (struct lbx_grant){ 3, LBX_KIND_RAM, LBX_RIGHTS_ALL, 0x2000 };
	use("map: all of RAM", lbx_check_map_handle(&g, &m), 0);
	m.off = 0x1000;
	use("map: beyond the end of RAM", lbx_check_map_handle(&g, &m), EINVAL);
	m.off = LBX_OFF_MAX - 0x2fff;
	use("map: far beyond the end of RAM", lbx_check_map_handle(&g, &m), EINVAL);
	m.off = 0;
	m.len = 0x3000;
	use("map: more than RAM", lbx_check_map_handle(&g, &m), EINVAL);

	g = (struct lbx_grant){ 3, LBX_KIND_FILE, rm, 0 };
	m.flags = 0;
	tap_ok(lbx_map_prot_max(&g, &m) == 3, "prot_max: private, read-only: read and write");
	m.flags = LBX_MAP_SHARED | LBX_MAP_POPULATE;
	tap_ok(lbx_map_prot_max(&g, &m) == 1, "prot_max: shared, read-only: read");
	g.rights = LBX_RIGHTS_ALL;
	tap_ok(lbx_map_prot_max(&g, &m) == 7, "prot_max: shared, all rights: all");
	g.rights &= ~LBX_RIGHT_EXEC;
	tap_ok(lbx_map_prot_max(&g, &m) == 3, "prot_max: shared, no EXEC: read and write");

	m.prot = LBX_PROT_READ | LBX_PROT_WRITE;
	use("protect: within", lbx_check_protect(&m, 3), 0);
	use("protect: one too many", lbx_check_protect(&m, 5), EACCES);
	m.prot = 0;
	use("protect: none", lbx_check_protect(&m, 0), 0);
}

static void sandboxes(void)
{
	SPACE(0, (void)r);
	SPACE(EINVAL, r.kernel_start += 8);
	SPACE(EINVAL, r.kernel_end += 0x800);
	SPACE(EINVAL, r.program_start += 1);
	SPACE(EINVAL, r.program_end -= 1);
	SPACE(EINVAL, r.map_start_end -= 1);
	SPACE(EINVAL, r.map_len_end -= 1);
	SPACE(EINVAL, r.kernel_end = r.kernel_start);
	SPACE(0, r.kernel_end = r.kernel_start + 0x1000);
	SPACE(EINVAL, r.program_start = 0);
	SPACE(0, r.program_start = 0x1000);
	SPACE(EINVAL, r.kernel_start -= 0x1000);
	SPACE(EINVAL, r.kernel_start = 0; r.kernel_end = 0x1000);
	SPACE(0, r.kernel_start = 0x1000; r.kernel_end = LBX_PROGRAM_MIN);
	SPACE(EINVAL, r.kernel_start = 0x1000; r.kernel_end = LBX_PROGRAM_MIN + 0x1000);
	SPACE(EINVAL, r.program_end = r.program_start);
	SPACE(EINVAL, r.map_start_end = r.program_start);
	SPACE(0, r.map_start_end = r.program_start + 0x1000);
	SPACE(EINVAL, r.map_len_end = 0);
	SPACE(EINVAL, r.map_len_end += 0x1000);
	SPACE(EINVAL, r.map_start_end += 0x1000);
	SPACE(EINVAL, r.map_start_end = ~0xfffULL);
	SPACE(EINVAL, r.map_len_end = -r.map_start_end);

	LIMITS(0, (void)r);
	LIMITS(EINVAL, r.mem = 0);
	LIMITS(EINVAL, r.handles = 0);
	LIMITS(EINVAL, r.cpus = 0);
	LIMITS(EINVAL, r.spaces = 0);
	LIMITS(0, r.spaces = r.cpus);
	LIMITS(EINVAL, r.spaces = r.cpus + 1);
	LIMITS(EINVAL, r.queue = 0);
	LIMITS(EINVAL, r.queue_bytes = 0);
	LIMITS(0, r.queue = 0; r.queue_bytes = 0);
	LIMITS(0, r.mem = ceiling.mem);
	LIMITS(EPERM, r.mem = ceiling.mem + 1);
	LIMITS(0, r.queue_bytes = ceiling.queue_bytes);
	LIMITS(EPERM, r.queue_bytes = ceiling.queue_bytes + 1);
	LIMITS(0, r.handles = ceiling.handles);
	LIMITS(EPERM, r.handles = ceiling.handles + 1);
	LIMITS(0, r.cpus = ceiling.cpus; r.spaces = ceiling.spaces);
	LIMITS(EPERM, r.cpus = ceiling.cpus + 1);
	LIMITS(EPERM, r.cpus = ceiling.cpus + 1; r.spaces = ceiling.spaces + 1);
	LIMITS(0, r.queue = ceiling.queue);
	LIMITS(EPERM, r.queue = ceiling.queue + 1);
	LIMITS(EINVAL, r.queue = 0; r.mem = ~0ULL);
}

/* The numbers are those of the host's Linux, which programs and errors come from. */
static void numbers(void)
{
#define SAME(ours, theirs) tap_ok((long)(ours) == (long)(theirs), #ours " is " #theirs)
	SAME(LBX_EPERM, EPERM);
	SAME(LBX_ESRCH, ESRCH);
	SAME(LBX_EINTR, EINTR);
	SAME(LBX_EIO, EIO);
	SAME(LBX_E2BIG, E2BIG);
	SAME(LBX_EBADF, EBADF);
	SAME(LBX_EAGAIN, EAGAIN);
	SAME(LBX_ENOMEM, ENOMEM);
	SAME(LBX_EACCES, EACCES);
	SAME(LBX_EFAULT, EFAULT);
	SAME(LBX_EBUSY, EBUSY);
	SAME(LBX_EEXIST, EEXIST);
	SAME(LBX_ENODEV, ENODEV);
	SAME(LBX_EINVAL, EINVAL);
	SAME(LBX_EMFILE, EMFILE);
	SAME(LBX_ENOSPC, ENOSPC);
	SAME(LBX_ESPIPE, ESPIPE);
	SAME(LBX_EPIPE, EPIPE);
	SAME(LBX_ENOSYS, ENOSYS);
	SAME(LBX_EMSGSIZE, EMSGSIZE);
	SAME(LBX_ETIMEDOUT, ETIMEDOUT);
	SAME(LBX_PROT_READ, PROT_READ);
	SAME(LBX_PROT_WRITE, PROT_WRITE);
	SAME(LBX_PROT_EXEC, PROT_EXEC);
}

int main(void)
{
	calls();
	io();
	iov();
	map_words();
	map_ranges();
	cpus();
	grants();
	handles();
	map_handles();
	sandboxes();
	numbers();
	return tap_end();
}
