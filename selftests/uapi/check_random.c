// SPDX-License-Identifier: MIT
/*
 * Random records, judged by the checks and by a slow oracle of their rules.
 *
 * The oracle shares nothing with the checks: it computes ends of ranges in 128
 * bits, walks page by page or bit by bit where it can, and finds the errno from
 * three questions (words? number? address?) asked one after the other. A
 * record is a good one with up to three fields replaced by values around the
 * bounds, so that every answer comes up often; the test fails when one does not.
 *
 *   check_random [records a check [seed]]
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "../../uapi/check_call.c"
#include "../../uapi/check_cpu.c"
#include "../../uapi/check_handle.c"
#include "../../uapi/check_io.c"
#include "../../uapi/check_map.c"
#include "../../uapi/check_sandbox.c"

typedef __int128 wide;

static const struct lbx_space space = LBX_SPACE_HOSTED;
static lbx_u64 state;

static lbx_u64 rnd(void)
{
	/* splitmix64 */
	lbx_u64 z = (state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static lbx_u64 below(lbx_u64 n)
{
	return rnd() % n;
}

/* A value that is on or beside some bound, or anything. */
static lbx_u64 odd_value(void)
{
	static const lbx_u64 bounds[] = {
		0, 1, 2, 4, 7, 8, 16, 31, 64, 128, 255, 256, 0x800, 0x1000, 0x2000,
		LBX_PROGRAM_MIN, LBX_MAP_START_END, LBX_MAP_LEN_END, LBX_PROGRAM_END,
		LBX_KERNEL_END, LBX_KERNEL_MIN + 0x100000, LBX_HANDLES_END, LBX_IO_MAX,
		LBX_OFF_MAX, LBX_KICK_MAX, LBX_MEM_MAX, LBX_QUEUE_MAX, LBX_QUEUE_BYTES_MAX,
		0xffffffffULL, 1ULL << 63, ~0ULL, ~0xfffULL,
	};
	lbx_u64 v = bounds[below(sizeof(bounds) / sizeof(bounds[0]))];

	switch (below(8)) {
	case 0: return v + 1;
	case 1: return v - 1;
	case 2: return v + 0x1000 * below(4);
	case 3: return v - 0x1000 * below(4);
	case 4: return v - 16 * below(70);
	case 5: return rnd() >> below(64);
	default: return v;
	}
}

/* Up to three of the @n fields of @size bytes at @record get odd values. */
static void spoil(void *record, const unsigned char *sizes, unsigned int n)
{
	unsigned int times = below(4);

	while (times--) {
		unsigned int field = below(n), at = 0, i;
		lbx_u64 v = odd_value();

		for (i = 0; i < field; i++)
			at += sizes[i];
		memcpy((char *)record + at, &v, sizes[field]);
	}
}

#define SPOIL(record, ...) do { \
	static const unsigned char sizes[] = { __VA_ARGS__ }; \
	spoil(record, sizes, sizeof(sizes)); \
} while (0)

/* ---- the oracle's words ---- */

static int within(wide start, wide len, wide first, wide end)
{
	return start >= first && start + len <= end;
}

static int in_kernel(wide start, wide len)
{
	return within(start, len, space.kernel_start, space.kernel_end);
}

static int low_bits_clear(lbx_u64 v, int n)
{
	while (n--) {
		if ((v >> n) & 1)
			return 0;
	}
	return 1;
}

static int only_bits(lbx_u64 v, int n)
{
	return v >> n == 0;
}

static int first_of(int words, int number_errno, int number, int address)
{
	return !words ? EINVAL : !number ? number_errno : !address ? EFAULT : 0;
}

static int is_handle(lbx_u32 h, int none)
{
	return h >> 16 == 0 || (none && (h ^ 0xffffffffU) == 0);
}

static int oracle_io(const struct lbx_io_raw *r)
{
	int words = r->nr_iov != 0 && (wide)r->nr_iov - 1 < 64 && !r->flags &&
		    low_bits_clear(r->iov, 3) && ((lbx_s64)r->off >= 0 || r->off == ~0ULL);

	return first_of(words, EBADF, is_handle(r->handle, 0),
			in_kernel(r->iov, (wide)16 * r->nr_iov));
}

static int map_extent(lbx_u64 start, lbx_u64 len)
{
	return low_bits_clear(start, 12) && low_bits_clear(len, 12) && len;
}

static int map_place(wide start, wide len)
{
	return start >= 0x10000 && start < (wide)0x5000 << 32 && len < (wide)0x1000 << 32;
}

static int oracle_map(const struct lbx_map_raw *r)
{
	static const struct { int prot, flags, handle, off, to; } has[] = {
		{ 3, 4, 1, 1, 0 }, { 3, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0 }, { 0, -1, 0, 0, 1 }, { 0, 0, 0, 0, 0 },
	};
	wide a = r->addr, a_end = a + r->len, b = r->to, b_end = b + r->to_len;
	int words, keep = r->flags == 0x10, apart = a_end <= b || b_end <= a;
	int place = map_place(a, r->len);

	if (r->op > 4)
		return EINVAL;
	words = only_bits(r->prot, has[r->op].prot);
	words &= has[r->op].flags < 0 ? !r->flags || keep : only_bits(r->flags, has[r->op].flags);
	words &= has[r->op].handle || r->handle == 0xffffffffU;
	words &= (has[r->op].off && r->handle != 0xffffffffU) || !r->off;
	words &= has[r->op].to || (!r->to && !r->to_len);
	words &= map_extent(r->addr, r->len) && low_bits_clear(r->off, 12);
	words &= (wide)r->off + r->len < (wide)1 << 63;
	if (r->op == 3) {
		words &= map_extent(r->to, r->to_len);
		words &= keep ? apart && a_end - a == b_end - b : apart || a == b;
		place &= map_place(b, r->to_len);
	}
	if (r->op == 4)
		place |= in_kernel(a, r->len);
	return first_of(words, EBADF, is_handle(r->handle, 1), place);
}

static int oracle_cpu(const struct lbx_cpu_raw *r)
{
	return first_of(__builtin_popcount(r->flags) == 1 && only_bits(r->flags, 2) && !r->pad &&
			low_bits_clear(r->stack, 4) && low_bits_clear(r->tls, 6), 0, 1,
			in_kernel(r->entry, 1) && in_kernel((wide)r->stack - 16, 16) &&
			in_kernel(r->tls, 64));
}

static int oracle_wait(const struct lbx_wait_raw *r)
{
	int words = ((lbx_s64)r->deadline >= -1) && low_bits_clear(r->word, 2) && !r->flags &&
		    (r->word || !r->value) && only_bits(r->events, 2) &&
		    !r->events == !(r->handle + 1);

	return first_of(words, EBADF, is_handle(r->handle, 1), !r->word || in_kernel(r->word, 4));
}

static int oracle_kick(const struct lbx_kick_raw *r)
{
	if (r->pad)
		return EINVAL;
	if (r->mode == 0)
		return first_of(r->cpu + 1 == 0 && low_bits_clear(r->word, 2) &&
				(lbx_s32)r->count > 0, 0, 1, in_kernel(r->word, 4));
	return first_of(r->mode == 1 && !r->word && !r->count, ESRCH, r->cpu >> 16 == 0, 1);
}

static int oracle_grant(const struct lbx_grant_raw *r)
{
	int can_map = r->kind == 1 || r->kind == 2, R = r->rights & 1, M = r->rights & 4;

	if (!is_handle(r->handle, 0) || r->flags || !r->kind || r->kind > 6 || !r->rights)
		return EINVAL;
	if (!only_bits(r->rights, can_map ? 4 : r->kind == 6 ? 1 : 2))
		return EINVAL;
	if ((M && !R) || ((r->rights & 8) && !M))
		return EINVAL;
	if (r->kind != 2)
		return r->size ? EINVAL : 0;
	return r->size && low_bits_clear(r->size, 12) && r->size <= 1ULL << 44 ? 0 : EINVAL;
}

static int oracle_space(const struct lbx_space_raw *r)
{
	const lbx_u64 *v = &r->kernel_start;
	int i;

	for (i = 0; i < 6; i++) {
		if (!low_bits_clear(v[i], 12) || !v[i])
			return EINVAL;
	}
	if (v[0] >= v[1] || v[2] >= v[3] || v[4] <= v[2])
		return EINVAL;
	/* Disjoint: the later one starts where the earlier one has ended. */
	if (v[0] < v[2] ? v[1] > v[2] : v[3] > v[0])
		return EINVAL;
	return (wide)v[4] + v[5] <= (wide)v[3] ? 0 : EINVAL;
}

static int oracle_limits(const struct lbx_limits_raw *r)
{
	const struct lbx_limits top = LBX_LIMITS_CEILING;

	if (!r->mem || !r->handles || !r->cpus || !r->spaces || r->spaces > r->cpus ||
	    !r->queue != !r->queue_bytes)
		return EINVAL;
	/* Counted in 128 bits: how much is left below each ceiling. */
	return (wide)top.mem - r->mem < 0 || (wide)top.queue_bytes - r->queue_bytes < 0 ||
	       (wide)top.handles - r->handles < 0 || (wide)top.cpus - r->cpus < 0 ||
	       (wide)top.spaces - r->spaces < 0 || (wide)top.queue - r->queue < 0 ? EPERM : 0;
}

static int oracle_iov(const struct lbx_io *io, const struct lbx_iov *v)
{
	wide sum = 0;
	lbx_u32 i;

	for (i = 0; i < io->nr_iov; i++)
		sum += v[i].len;
	if (sum > 1 << 30 || (io->off != ~0ULL && io->off + sum >= (wide)1 << 63))
		return EINVAL;
	for (i = 0; i < io->nr_iov; i++) {
		if (!in_kernel(v[i].base, v[i].len) &&
		    !within(v[i].base, v[i].len, space.program_start, space.program_end))
			return EFAULT;
	}
	return 0;
}

/* ---- good records to spoil ---- */

static lbx_u64 kernel_addr(lbx_u64 align)
{
	return LBX_KERNEL_MIN + align * below(0x10000 / align);
}

static lbx_u64 program_page(void)
{
	return LBX_PROGRAM_MIN + 0x1000 * below(12);
}

static void good_map(struct lbx_map_raw *r)
{
	memset(r, 0, sizeof(*r));
	r->op = below(5);
	r->handle = LBX_HANDLE_NONE;
	r->addr = program_page();
	r->len = 0x1000 * (1 + below(4));
	if (r->op < 2)
		r->prot = below(8);
	if (r->op == 0) {
		r->flags = below(16);
		if (below(2)) {
			r->handle = below(100);
			r->off = 0x1000 * below(9);
		}
	}
	if (r->op == 3) {
		r->to = program_page();
		r->to_len = 0x1000 * (1 + below(4));
		r->flags = 16 * below(2);
	}
	if (r->op == 4 && below(2))
		r->addr += LBX_KERNEL_MIN;
}

static void make_call(struct lbx_call_raw *r)
{
	*r = (struct lbx_call_raw){ below(8), below(140) };
	SPOIL(r, 4, 4);
}

static void make_io(struct lbx_io_raw *r)
{
	*r = (struct lbx_io_raw){ below(64), 1 + below(64), below(99), kernel_addr(8), 0 };
	SPOIL(r, 4, 4, 8, 8, 8);
}

static void make_map(struct lbx_map_raw *r)
{
	good_map(r);
	SPOIL(r, 4, 4, 4, 4, 8, 8, 8, 8, 8);
}

static void make_cpu(struct lbx_cpu_raw *r)
{
	*r = (struct lbx_cpu_raw){ 1 + below(2), 0, kernel_addr(1), kernel_addr(16) + 16,
				   rnd(), kernel_addr(64) };
	SPOIL(r, 4, 4, 8, 8, 8, 8);
}

static void make_wait(struct lbx_wait_raw *r)
{
	*r = (struct lbx_wait_raw){ rnd() >> 1, kernel_addr(4), below(9), below(9), 1 + below(3), 0 };
	SPOIL(r, 8, 8, 4, 4, 4, 4);
}

static void make_kick(struct lbx_kick_raw *r)
{
	if (below(2))
		*r = (struct lbx_kick_raw){ 0, LBX_CPU_NONE, kernel_addr(4), 1 + below(9), 0 };
	else
		*r = (struct lbx_kick_raw){ 1, below(99), 0, 0, 0 };
	SPOIL(r, 4, 4, 8, 4, 4);
}

static void make_grant(struct lbx_grant_raw *r)
{
	*r = (struct lbx_grant_raw){ below(99), below(8), below(18), 0, 0 };
	if (r->kind == LBX_KIND_RAM)
		r->size = 0x1000 * below(99);
	SPOIL(r, 4, 4, 4, 4, 8);
}

static void make_space(struct lbx_space_raw *r)
{
	*r = (struct lbx_space_raw)LBX_SPACE_HOSTED;
	SPOIL(r, 8, 8, 8, 8, 8, 8);
}

static void make_limits(struct lbx_limits_raw *r)
{
	*r = (struct lbx_limits_raw){ 1 + below(1 << 30), 1 + below(99), 1 + below(99),
				      9 + below(9), 1 + below(9), 1 + below(9) };
	SPOIL(r, 8, 8, 4, 4, 4, 4);
}

/* ---- run ---- */

static const int answers[] = { 0, EINVAL, EBADF, EFAULT, ESRCH, EPERM, ENOSYS, E2BIG };

struct tally {
	const char *name;
	long seen[sizeof(answers) / sizeof(answers[0])];
	long wrong;
};

static void count(struct tally *t, int got, int want, int kept)
{
	unsigned int i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		t->seen[i] += answers[i] == want;
	if (got == -want && kept)
		return;
	if (t->wrong++ < 5)
		printf("# %s: got %d, want %d%s\n", t->name, got, -want,
		       kept ? "" : ", the result is not what it should be");
}

/* @want: bits, answers[] that must each have come up. */
static void report(const struct tally *t, long n, unsigned int want)
{
	unsigned int i;
	int rare = 0;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (((want >> i) & 1) != (t->seen[i] > n / 1000))
			rare = 1;
		if (t->seen[i])
			printf("# %s: errno %d: %ld\n", t->name, answers[i], t->seen[i]);
	}
	tap_ok(!t->wrong && !rare, "%s: %ld random records, %ld wrong%s", t->name, n, t->wrong,
	       rare ? ", and some answer is too rare or unexpected" : "");
}

/*
 * make_*() makes a good record and spoils it, @same compares r with the checked
 * record field by field; refused, the result must be as it was.
 */
#define RUN(what, want, same, ...) do { \
	struct tally t = { #what, { 0 }, 0 }; \
	long i; \
	for (i = 0; i < n; i++) { \
		struct lbx_##what##_raw r; \
		struct lbx_##what out, old; \
		int got, expect; \
		make_##what(&r); \
		memset(&out, 0x5a, sizeof(out)); \
		old = out; \
		got = lbx_check_##what(__VA_ARGS__); \
		expect = oracle_##what(&r); \
		count(&t, got, expect, got ? !memcmp(&out, &old, sizeof(out)) : (same)); \
	} \
	report(&t, n, want); \
} while (0)

#define EQ(f) (out.f == r.f)

static void run_iov(long n)
{
	struct tally t = { "iov", { 0 }, 0 };
	long i;

	for (i = 0; i < n; i++) {
		struct lbx_iov v[LBX_IOV_MAX];
		struct lbx_io checked = { 1, 1 + below(below(8) ? 4 : LBX_IOV_MAX), 0, LBX_KERNEL_MIN };
		lbx_u64 total = 77;
		wide sum = 0;
		lbx_u32 j;
		int got;

		checked.off = below(2) ? LBX_OFF_STREAM : below(2) ? LBX_OFF_MAX - below(0x8000) : below(99);
		for (j = 0; j < checked.nr_iov; j++) {
			v[j].base = below(2) ? kernel_addr(1) : program_page();
			v[j].len = below(0x3000);
		}
		SPOIL(v, 8, 8);
		SPOIL(&v[checked.nr_iov - 1], 8, 8);
		got = lbx_check_iov(&checked, v, &space, &total);
		for (j = 0; j < checked.nr_iov; j++)
			sum += v[j].len;
		count(&t, got, oracle_iov(&checked, v), got ? total == 77 : (wide)total == sum);
	}
	report(&t, n, 0xb);
}

static int oracle_call(const struct lbx_call_raw *r)
{
	static const unsigned char size[] = { 8, 8, 32, 32, 56, 40, 32, 24 };

	if (r->nr > 7)
		return ENOSYS;
	return r->size > 128 ? E2BIG : (wide)r->size - size[r->nr] < 0 ? EINVAL : 0;
}

int main(int argc, char **argv)
{
	const struct lbx_limits top = LBX_LIMITS_CEILING;
	long n = argc > 1 ? atol(argv[1]) : 400000;

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	printf("# seed %llu\n", state);

	RUN(call, 0xc3, EQ(nr) && EQ(size), &r, &out);
	RUN(io, 0xf, EQ(handle) && EQ(nr_iov) && EQ(off) && EQ(iov), &r, &space, &out);
	run_iov(n);
	RUN(map, 0xf, EQ(op) && EQ(prot) && EQ(flags) && EQ(handle) && EQ(addr) && EQ(len) &&
	    EQ(off) && EQ(to) && EQ(to_len), &r, &space, &out);
	RUN(cpu, 0xb, EQ(flags) && EQ(entry) && EQ(stack) && EQ(arg) && EQ(tls), &r, &space, &out);
	RUN(wait, 0xf, EQ(deadline) && EQ(word) && EQ(value) && EQ(handle) && EQ(events),
	    &r, &space, &out);
	RUN(kick, 0x1b, EQ(mode) && EQ(cpu) && EQ(word) && EQ(count), &r, &space, &out);
	RUN(grant, 0x3, EQ(handle) && EQ(kind) && EQ(rights) && EQ(size), &r, &out);
	RUN(space, 0x3, EQ(kernel_start) && EQ(kernel_end) && EQ(program_start) &&
	    EQ(program_end) && EQ(map_start_end) && EQ(map_len_end), &r, &out);
	RUN(limits, 0x23, EQ(mem) && EQ(queue_bytes) && EQ(handles) && EQ(cpus) && EQ(spaces) &&
	    EQ(queue), &r, &top, &out);
	return tap_end();
}
