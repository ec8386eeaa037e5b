// SPDX-License-Identifier: MIT
/*
 * Arguments by kind. Most calls take theirs from the letters of the table (calls/<theme>.def); those with structures behind pointers,
 * or whose plain numbers mean something, have a line of their own here, in the letters of arg().
 */
#include "syscall_args.h"

#include "mm/mm.h"
#include "process/fork.h"

struct fuzz_input fuzz_input;

static s32 pids[8], ipc_ids[8];
static u32 next_pid, next_ipc, next_slot;

#define SLOTS		24u
#define SLOT_SIZE	1024u
#define PICK(in, list)	((list)[fuzz_byte(in) % ARRAY_SIZE(list)])

static const struct {
	u16 nr;
	const char *kinds;
} special[] = {
	{ 7, "Hnd" }, { 9, "DNRmfo" }, { 10, "DNR" }, { 11, "DN" }, { 12, "D" }, { 13, "SCpz" }, { 14, "3Gpz" }, { 16, "fIp" },
	{ 19, "fVn" }, { 20, "fVn" }, { 22, "p" }, { 23, "bGGGT" }, { 25, "DNN8D" }, { 26, "DNx" }, { 27, "DNp" }, { 28, "DN!" },
	{ 29, "4N6" }, { 30, "QDm" }, { 31, "Qbp" }, { 35, "Tp" }, { 36, "3p" }, { 38, "3Tp" }, { 41, "1tb" }, { 42, "fAw" },
	{ 43, "fpL" }, { 44, "fpnxAa" }, { 45, "fpnxpL" }, { 46, "fMx" }, { 47, "fMx" }, { 49, "fAw" }, { 50, "fb" }, { 51, "fpL" },
	{ 52, "fpL" }, { 53, "1tbp" }, { 54, "f1ypn" }, { 55, "f1ypL" }, { 56, "KDppD" }, { 61, "ipWp" }, { 62, "iS" }, { 64, "4b6" },
	{ 65, "QBn" }, { 66, "Qbbp" }, { 67, "D" }, { 68, "46" }, { 69, "Qpnx" }, { 70, "Qpnbx" }, { 71, "Qbp" }, { 72, "fcp" },
	{ 73, "fb" }, { 97, "bp" }, { 98, "bp" }, { 109, "ii" }, { 121, "i" }, { 124, "i" }, { 127, "pz" }, { 128, "GpTz" },
	{ 129, "iSp" }, { 130, "Gz" }, { 131, "kp" }, { 140, "3i" }, { 141, "3ib" }, { 143, "ip" }, { 144, "ibp" }, { 149, "DN" },
	{ 150, "DN" }, { 157, "Ypppp" }, { 158, "xD" }, { 160, "bT" }, { 200, "iS" }, { 202, "FqbTFb" }, { 203, "inp" }, { 204, "inp" },
	{ 213, "n" }, { 216, "DNRox" }, { 218, "F" }, { 219, "" }, { 220, "QBnT" }, { 222, "tep" }, { 223, "bxTp" }, { 224, "bp" },
	{ 225, "b" }, { 226, "b" }, { 230, "txTp" }, { 232, "fpnd" }, { 233, "fEfe" }, { 234, "iiS" }, { 237, "DNbpnx" }, { 241, "fhT" },
	{ 247, "3ipWp" }, { 254, "fsx" }, { 270, "bGGGTp" }, { 271, "HnTGz" }, { 273, "Fn" }, { 274, "ipp" }, { 275, "fofonx" },
	{ 281, "fpndGz" }, { 282, "fGz" }, { 283, "tx" }, { 286, "fxTp" }, { 289, "fGzx" }, { 295, "fVno" }, { 296, "fVno" },
	{ 297, "iiSp" }, { 299, "fMnxT" }, { 302, "ibTp" }, { 307, "fMnx" }, { 310, "iVnVnb" }, { 311, "iVnVnb" }, { 312, "iibbb" },
	{ 315, "ipnb" }, { 318, "pnb" }, { 324, "xbb" }, { 325, "DNb" }, { 327, "fVnoxb" }, { 328, "fVnoxb" }, { 329, "DNRb" },
	{ 424, "fSpb" }, { 434, "ib" }, { 435, "jn" }, { 438, "ffb" }, { 441, "fpnTGz" }, { 449, "FnxTt" }, { 59, "saa" }, { 322, "fsaax" },
	{ 17, "fpno" }, { 18, "fpno" }, { 40, "ffpn" }, { 76, "so" }, { 77, "fo" }, { 8, "fo5" }, { 285, "fboo" }, { 326, "fofonx" },
	{ 437, "fsOn" }, { 280, "fsTx" }, { 235, "sT" }, { 132, "sT" }, { 261, "fsT" },
};

u32 fuzz_byte(struct fuzz_input *in) { return in->at < in->end ? *in->at++ : 0; }

u64 fuzz_bytes(struct fuzz_input *in, u32 nr)
{
	u64 v = 0;

	while (nr--)
		v = v << 8 | fuzz_byte(in);
	return v;
}

void args_begin(void)
{
	memset(pids, 0, sizeof(pids));
	memset(ipc_ids, 0, sizeof(ipc_ids));
	next_pid = next_ipc = next_slot = 0;
}

void args_result(u32 nr, const u64 *a __unused, long ret)
{
	if (ret <= 0 || ret > INT32_MAX)
		return;
	if (nr == 56 || nr == 57 || nr == 58 || nr == 435)
		pids[next_pid++ % ARRAY_SIZE(pids)] = (s32)ret;
	else if (nr == 64 || nr == 68 || nr == 29)
		ipc_ids[next_ipc++ % ARRAY_SIZE(ipc_ids)] = (s32)ret;
}

/* ---- numbers ---- */

static u64 number(struct fuzz_input *in)
{
	static const u64 odd[] = { ~0ull, 1ull << 63, ~0ull >> 1, 1ull << 31, 0xffffffff, 0x7fffffff, 1ull << 32, 4096, 4095, 65536, 1ull << 20,
				   1ull << 40, 0xfffffffffffff000, 512, 1024, 128, 256, 2048 };
	u32 b = fuzz_byte(in);

	if (b < 200)
		return b % 100;
	return b < 240 ? PICK(in, odd) : fuzz_bytes(in, 1 + b % 8);
}

static u64 length(struct fuzz_input *in)
{
	u32 b = fuzz_byte(in);

	return b < 210 ? (b % 24 + 1) * PAGE_SIZE : b < 230 ? number(in) : (b - 229) * 64 * PAGE_SIZE;
}

u64 args_address(struct fuzz_input *in)
{
	static const u64 odd[] = { 0, 1, 4096, 65536, 0x600000000000, 0x5ffffffff000, 0x4ffffffff000, 0x500000000000, 0x7fffffffe000,
				   0xffff800000000000, ~0ull, ~0xfffull, ARENA + ARENA_SIZE - 8, ARENA + ARENA_SIZE, SIM_SYSCALL_RIP };
	u32 b = fuzz_byte(in);

	if (b < 160)
		return WINDOW + b % WINDOW_PAGES * PAGE_SIZE;
	if (b < 180)
		return WINDOW + b % WINDOW_PAGES * PAGE_SIZE + fuzz_byte(in) * 16;
	if (b < 200)
		return 0;
	if (b < 230)
		return ARENA + fuzz_byte(in) % (ARENA_SIZE / PAGE_SIZE) * PAGE_SIZE;
	if (b < 245)
		return PICK(in, odd);
	return current->mm->brk + fuzz_byte(in) * 512 - 65536;
}

static u64 pid(struct fuzz_input *in)
{
	u32 b = fuzz_byte(in);

	switch (b % 16) {
	case 0: return 0;
	case 1: return (u64)-1;
	case 2: return 1;
	case 3: return (u64)current->tid;
	case 4: return (u64)current->process->tgid;
	case 5: return (u64)-(s64)current->process->pgid;
	case 6: return 0x7fffffff;
	case 7: return (u64)(u32)-pids[b >> 4 & 7];
	}
	return (u64)pids[b >> 4 & 7];
}

/* ---- memory ---- */

static u64 slot(void)
{
	return ARENA + next_slot++ % SLOTS * SLOT_SIZE;
}

/* At @p, or where it is not; now and then across the end of all that there is. */
static u64 put(struct fuzz_input *in, const void *p, size_t len)
{
	u32 b = fuzz_byte(in);
	u64 at = b < 230 ? slot() : b < 236 ? ARENA + ARENA_SIZE - len : b < 246 ? ARENA + ARENA_SIZE - len + b % 8 : args_address(in);

	if (copy_to_user(at, p, len))
		return at;
	return at;
}

static u64 words(struct fuzz_input *in)
{
	u64 w[32] = { 0 };
	u32 n = fuzz_byte(in) % 17;

	for (u32 i = 0; i < n; i++)
		w[i] = number(in);
	return put(in, w, sizeof(w));
}

static const char *const *names;
static u32 names_nr;

void args_names(const char *const *list, u32 nr)
{
	names = list;
	names_nr = nr;
}

static u64 path(struct fuzz_input *in)
{
	static const char *const whole[] = {
		"/proc/self/exe", "/proc/self/maps", "/proc/self/smaps", "/proc/self/status", "/proc/self/mem", "/proc/self/cmdline",
		"/proc/self/environ", "/proc/self/fd", "/proc/self/fdinfo", "/proc/self/task", "/proc/self/comm", "/proc/self/oom_score_adj",
		"/proc/self/ns", "/proc/self/root", "/proc/self/cwd", "/proc/mounts", "/proc/net/unix", "/proc/sys/kernel", "/sys", "/dev/ptmx",
		"/dev/pts/0", "/dev/pts", "/dev/tty", "/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/shm/x", "/tmp/x",
		"/w/elf", "/w/script", "/w/self", "/w/o/f", "/w/low/f", "/w/o", "/w/fifo", "/dev/fd/4", "", "/", ".", "..", "/w/o/link",
		"/proc/self/limits", "/proc/self/stat", "/proc/sysvipc/sem", "/proc/self/fd/5", "/proc/thread-self/attr", "/dev/console",
		"/dev/stdin",
	};
	static const char *const parts[] = { "a", "b", "c/", "..", ".", "/", "o/", "/w/", "a/", "/tmp/", "f", "/o/", "l" };
	char buf[300] = "";
	u32 b = fuzz_byte(in), n;

	if (names && b < 240) {
		for (n = 1 + b % 5; n; n--)
			strcat(buf, names[fuzz_byte(in) % names_nr]);
	} else if (b < 120) {
		strcpy(buf, whole[b % ARRAY_SIZE(whole)]);
	} else if (b < 240) {
		for (n = b % 6; n; n--)
			strcat(buf, PICK(in, parts));
	} else {
		for (n = 0; n < sizeof(buf) - 1 && n < (b - 239) * 18; n++)
			buf[n] = (char)fuzz_byte(in);
	}
	return put(in, buf, strlen(buf) + 1);
}

static u64 timespecs(struct fuzz_input *in)
{
	s64 t[4];
	u32 b = fuzz_byte(in);

	if (b < 40)
		return 0;
	for (u32 i = 0; i < 4; i += 2) {
		t[i] = b & 1 ? 0 : (s64)number(in);
		t[i + 1] = b & 2 ? (s64)fuzz_byte(in) * 1000000 : (s64)number(in);
	}
	return put(in, t, sizeof(t));
}

static u64 iovecs(struct fuzz_input *in)
{
	u64 v[16];

	for (u32 i = 0; i < 16; i += 2) {
		v[i] = fuzz_byte(in) & 8 ? args_address(in) : slot();
		v[i + 1] = number(in) % (1 << 20);
	}
	return put(in, v, sizeof(v));
}

static u64 sockaddr(struct fuzz_input *in)
{
	char a[110] = { 1 };
	u32 b = fuzz_byte(in);

	if (b < 100)
		a[3] = (char)(1 + b % 4);
	else
		strcpy(a + 2, b & 1 ? "/tmp/s" : "/w/s");
	if (b > 250)
		a[0] = 2;
	return put(in, a, sizeof(a));
}

static u64 message(struct fuzz_input *in)
{
	u64 m[8] = { 0 }, c[8] = { 0 };
	u32 b = fuzz_byte(in), n = b >> 4 & 3;

	if (b & 1) {
		m[0] = sockaddr(in);
		m[1] = 4;
	}
	m[2] = iovecs(in);
	m[3] = fuzz_byte(in) % 9;
	if (b & 2) {
		c[0] = b & 4 ? number(in) : 16 + 4 * n;
		c[1] = 1 | (u64)(b & 8 ? 2 : 1) << 32;
		for (u32 i = 2; i < 6; i++)
			c[i] = fuzz_bytes(in, 1) % NR_FDS | fuzz_bytes(in, 1) % NR_FDS << 32;
		m[4] = put(in, c, sizeof(c));
		m[5] = b & 4 ? number(in) : 16 + 4 * n;
	}
	return put(in, m, sizeof(m));
}

static u64 action(struct fuzz_input *in)
{
	u64 sa[4];
	u32 b = fuzz_byte(in);

	sa[0] = b & 1 ? 0x500000 : b & 2 ? 1 : b & 4 ? 0 : args_address(in);
	sa[1] = (b & 8 ? 0x04000000 : 0) | (fuzz_bytes(in, 1) << 24 & 0xf8000000) | (fuzz_byte(in) & 7);
	sa[2] = args_address(in);
	sa[3] = b & 16 ? fuzz_bytes(in, 2) : 0;
	return put(in, sa, sizeof(sa));
}

static u64 sigset(struct fuzz_input *in)
{
	u64 set[4] = { 0 };
	u32 b = fuzz_byte(in);

	if (b < 30)
		return 0;
	set[0] = b < 100 ? 0 : b < 120 ? ~0ull : fuzz_bytes(in, 3);
	return put(in, set, sizeof(set));
}

static u64 sigevent(struct fuzz_input *in)
{
	u32 e[16] = { 0 };

	if (fuzz_byte(in) < 30)
		return 0;
	e[2] = fuzz_byte(in) % 66;
	e[3] = (u32[]){ 0, 1, 2, 4, 3 }[fuzz_byte(in) % 5];
	e[4] = (u32)pid(in);
	return put(in, e, sizeof(e));
}

static u64 clone_args(struct fuzz_input *in)
{
	static const u64 flags[] = { 0, 0x3d0f00, 0x10f00, 0x4100, 0x1100000, 0x1000, 0x100, 0x900, 0x8000, 0x200000, 0x100000000 };
	u64 k[11] = { 0 };
	u32 b = fuzz_byte(in);

	k[0] = PICK(in, flags) ^ (b > 240 ? fuzz_bytes(in, 5) : 0);
	k[1] = slot();
	k[2] = slot();
	k[3] = b & 1 ? slot() : args_address(in);
	k[4] = b & 2 ? 17 : fuzz_byte(in);
	if (b & 4) {
		k[5] = args_address(in);
		k[6] = length(in);
	}
	k[7] = args_address(in);
	if (b > 250)
		k[fuzz_byte(in) % 11] = number(in);
	return put(in, k, sizeof(k));
}

static u64 strings(struct fuzz_input *in)
{
	u64 v[9] = { 0 };
	u32 n = fuzz_byte(in);

	if (n > 220)
		return 0;
	for (u32 i = 0; i < n % 5; i++)
		v[i] = path(in);
	if (n > 210)
		v[n % 8] = args_address(in);
	return put(in, v, sizeof(v));
}

static u64 shorts(struct fuzz_input *in, char kind)
{
	u16 v[32] = { 0 };
	u32 n = 1 + fuzz_byte(in) % 8;

	for (u32 i = 0; i < n; i++) {
		if (kind == 'B') {		/* sembuf */
			v[3 * i] = (u16)(fuzz_byte(in) % 6);
			v[3 * i + 1] = (u16)(fuzz_byte(in) - 128) / 32;
			v[3 * i + 2] = (u16)(fuzz_byte(in) % 3 << 11);
		} else {			/* pollfd */
			v[4 * i] = (u16)(fuzz_byte(in) % NR_FDS);
			v[4 * i + 2] = (u16)fuzz_bytes(in, 2);
		}
	}
	return put(in, v, sizeof(v));
}

static u64 epoll_event(struct fuzz_input *in)
{
	u32 e[3] = { fuzz_byte(in) | fuzz_byte(in) << 24, fuzz_byte(in) };

	return put(in, e, sizeof(e));
}

static u64 small_number_at(struct fuzz_input *in)
{
	u32 v[2] = { (u32)number(in), 0 };

	return put(in, v, sizeof(v));
}

static u64 stack_at(struct fuzz_input *in)
{
	u64 s[3] = { args_address(in), fuzz_byte(in) % 5, length(in) };

	return fuzz_byte(in) < 30 ? 0 : put(in, s, sizeof(s));
}

static u64 ioctl_nr(struct fuzz_input *in)
{
	static const u32 nr[] = {
		0x5421, 0x541b, 0x5450, 0x5451, 0x5452, 0x80045430, 0x40045431, 0x5413, 0x5414, 0x802c542a, 0x402c542b, 0x5420, 0x540e,
		0x5410, 0x540f, 0x5429, 0x5412, 0x5422, 0x5441, 0x540a, 0x540b, 0x5411, 0x40045436, 0x5404, 0x5406, 0x660b, 0x80086601,
		0x5437, 0x5424, 0x5423, 0x40086602,
	};
	u32 b = fuzz_byte(in);

	return b < 160 ? 0x5400 + b % 0x40 : b < 250 ? nr[b % ARRAY_SIZE(nr)] : fuzz_bytes(in, 4);
}

static u64 clone_flags(struct fuzz_input *in)
{
	static const u64 flags[] = { 17, 0, 0x3d0f00, 0x10f00, 0x4111, 0x1200011, 0x1011, 0x111, 0x911, 0x8011, 0x200011, 0x4000, 0x411, 0x211 };
	u32 b = fuzz_byte(in);

	return PICK(in, flags) ^ (b > 230 ? fuzz_bytes(in, 4) : 0);
}

static u64 open_flags(struct fuzz_input *in)
{
	static const u64 flags[] = { 0, 2, 0102, 01102, 02101, 0200000, 010000000, 04002, 020200000 | 2, 0x80000, 0400000, 0301 };
	u32 b = fuzz_byte(in);

	return PICK(in, flags) | (b & 3 ? 04000 : 0) | (b > 230 ? fuzz_bytes(in, 3) : 0);
}

static u64 arg(struct fuzz_input *in, char kind)
{
	static const u64 clocks[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, ~0ull, ~6ull, ~17ull };
	static const u64 fcntls[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 36, 37, 38, 1024, 1025, 1026, 1030, 1031, 1032, 1033, 1034 };
	static const u64 advice[] = { 0, 1, 2, 3, 4, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 100, 101 };
	u32 b;

	switch (kind) {
	case 'f': b = fuzz_byte(in); return b < 240 ? b % NR_FDS : b < 250 ? (u64)-100 : (u64)-1;
	case 'd': case 'u': case 'l': return number(in);
	case 'b': return fuzz_byte(in) % 32;
	case 'n': b = fuzz_byte(in); return b < 230 ? b * 3 : number(in);
	case 'x': b = fuzz_byte(in); return b < 80 ? 0 : b < 240 ? 1ull << b % 32 : fuzz_bytes(in, 4);
	case 'o': b = fuzz_byte(in); return b < 100 ? (u64)b * 64 : b < 200 ? (b - 100) * 2 * PAGE_SIZE : number(in);
	case 'p': return fuzz_byte(in) < 40 ? 0 : words(in);
	case 's': return path(in);
	case 'a': return strings(in);
	case 'S': b = fuzz_byte(in); return b < 250 ? b % 66 : number(in);
	case 'O': return open_flags(in);
	case 'D': return args_address(in);
	case 'N': return length(in);
	case 'R': b = fuzz_byte(in); return b < 250 ? b & 7 : number(in);
	case 'm': b = fuzz_byte(in); return (b & 1 ? 1 : 2) | (b & 2 ? 0x10 : 0) | (b & 4 ? 0x20 : 0) | (b > 200 ? 1ull << fuzz_byte(in) % 21 : 0);
	case 'T': return timespecs(in);
	case 'V': return iovecs(in);
	case 'M': return message(in);
	case 'A': return sockaddr(in);
	case 'L': return small_number_at(in);
	case 'w': b = fuzz_byte(in); return b < 120 ? 4 : b < 240 ? b % 112 : number(in);
	case 'H': case 'B': return shorts(in, kind);
	case 'G': return sigset(in);
	case 'C': return action(in);
	case 'e': return sigevent(in);
	case 'E': b = fuzz_byte(in); return b < 240 ? 1 + b % 3 : b;
	case 'h': return epoll_event(in);
	case 'K': return clone_flags(in);
	case 'j': return clone_args(in);
	case 'k': return fuzz_byte(in) < 30 ? 0 : stack_at(in);
	case 'F': b = fuzz_byte(in); return b < 120 ? WINDOW + b % 4 * 4 : b < 220 ? ARENA + b % 8 * 4 : args_address(in);
	case 'q': b = fuzz_byte(in); return b % 14 | (b & 128 ? 128 : 0) | (b & 64 ? 256 : 0);
	case 'Q': b = fuzz_byte(in); return b < 240 ? (u64)ipc_ids[b % 8] : number(in);
	case 'i': return pid(in);
	case 't': return PICK(in, clocks);
	case 'c': return PICK(in, fcntls);
	case 'I': return ioctl_nr(in);
	case '!': return PICK(in, advice);
	case 'z': return fuzz_byte(in) < 245 ? 8 : number(in);
	case 'W': return fuzz_byte(in) & 15;
	case 'Y': b = fuzz_byte(in); return b < 200 ? b % 70 : number(in);
	case 'y': return fuzz_byte(in) % 80;
	case '1': return fuzz_byte(in) < 245 ? 1 : number(in);
	case '3': return fuzz_byte(in) % 4;
	case '4': return fuzz_byte(in) % 5;
	case '5': return fuzz_byte(in) % 7;
	case '6': b = fuzz_byte(in); return b < 200 ? 01600 : (u64)b << 4;
	case '8': return fuzz_byte(in) % 8;
	}
	return number(in);
}

/* rt_sigreturn: from the frame that the current handler was given, whole or damaged, or from anywhere. */
static void prepare_sigreturn(struct fuzz_input *in)
{
	struct regs *r = current->regs;
	u32 b = fuzz_byte(in);

	if (b < 60)
		r->rsp = args_address(in);
	else
		r->rsp += 8;
	for (u32 n = b & 3; n; n--) {
		u64 v = number(in), at = r->rsp - 8 + fuzz_byte(in) % 56 * 8;

		if (copy_to_user(at, &v, sizeof(v)))
			return;
	}
}

/* ---- which ---- */

/* Calls that have to do with each other. */
static const u16 processes[] = {
	13, 14, 15, 34, 35, 36, 37, 38, 56, 57, 58, 60, 61, 62, 109, 112, 127, 128, 129, 130, 131, 157, 200, 202, 218, 219, 222, 223, 231,
	234, 247, 273, 282, 289, 297, 424, 434, 435, 230, 59, 322, 272,
};
static const u16 memory[] = {
	0, 1, 2, 9, 10, 11, 12, 25, 26, 27, 28, 29, 30, 31, 67, 76, 77, 149, 150, 151, 152, 216, 285, 310, 311, 319, 324, 325, 57, 56, 202,
	59, 17, 18, 40, 275,
};
static const u16 files[] = {
	0, 1, 2, 3, 8, 16, 17, 18, 19, 20, 32, 33, 40, 72, 73, 76, 77, 80, 82, 83, 84, 86, 87, 88, 89, 90, 133, 188, 191, 194, 197, 217,
	254, 257, 262, 263, 264, 265, 266, 275, 276, 278, 280, 285, 293, 316, 319, 326, 332, 436, 437, 161, 57,
};
static const u16 pipes[] = {
	0, 1, 3, 7, 16, 20, 22, 23, 32, 33, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 53, 54, 55, 57, 64, 65, 66, 68, 69, 70, 71, 72, 213,
	220, 232, 233, 270, 271, 275, 276, 278, 281, 283, 286, 288, 289, 290, 293, 299, 307, 436, 441, 62,
};
static const u16 terminals[] = {
	0, 1, 2, 3, 7, 16, 16, 16, 16, 20, 32, 57, 61, 62, 109, 112, 257, 13, 14, 56, 233, 232, 213, 72,
};
static const struct {
	const u16 *nrs;
	u32 nr;
} themes[] = {
	{ NULL, 0 }, { processes, ARRAY_SIZE(processes) }, { memory, ARRAY_SIZE(memory) }, { files, ARRAY_SIZE(files) },
	{ pipes, ARRAY_SIZE(pipes) }, { terminals, ARRAY_SIZE(terminals) },
};
static u32 theme;
static const u16 *only;
static u32 only_nr;

void args_theme(u32 nr) { theme = nr % ARRAY_SIZE(themes); }

void args_only(const u16 *nrs, u32 nr)
{
	only = nrs;
	only_nr = nr;
}

static u32 call_number(struct fuzz_input *in)
{
	static u16 nrs[SYSCALL_TABLE_SIZE];
	static u32 count;
	u32 pick = (u32)fuzz_bytes(in, 2);

	if (!count) {
		for (u32 i = 0; i < SYSCALL_TABLE_SIZE; i++)
			if (syscall_defs[i].fn)
				nrs[count++] = (u16)i;
	}
	if (only_nr)
		return only[pick % only_nr];
	if (pick % 16 == 15)
		return CALL_TOUCH;
	if (theme && pick % 16 > 1)
		return themes[theme].nrs[pick / 16 % themes[theme].nr];
	return nrs[pick / 16 % count];
}

u32 args_call(struct fuzz_input *in, u64 *a)
{
	u32 nr = call_number(in);
	const char *kinds;

	if (nr == CALL_TOUCH)
		return nr;
	kinds = syscall_defs[nr].args;
	for (u32 i = 0; i < ARRAY_SIZE(special); i++)
		if (special[i].nr == nr)
			kinds = special[i].kinds;
	for (u32 j = 0; j < 6 && kinds[j]; j++)
		a[j] = arg(in, kinds[j]);
	if (nr == 15)
		prepare_sigreturn(in);
	return nr;
}
