// SPDX-License-Identifier: MIT
/*
 * /proc/cpuinfo: the processor as its cpuid instruction describes it to any program, once for each processor of the sandbox. How
 * many there are on the host, and in which sockets, is not told: the sandbox's are cores of one package.
 */
#include "base/string.h"
#include "fs/proc/internal.h"
#include "sched/time.h"
#include "south/south.h"

struct cpuid {
	u32 a, b, c, d;
};

static struct cpuid cpuid(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(sub));
	return r;
}

/* Names of feature bits as Linux prints them; "" for bits it does not name, or that nobody can use here (fsgsbase, vmx, svm). */
struct feature_word {
	u32 leaf, sub;
	u8 reg;			/* 'a' … 'd' */
	const char *names[32];
};

static const struct feature_word words[] = {
	{ 1, 0, 'd', { "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "", "sep", "mtrr", "pge", "mca", "cmov",
		"pat", "pse36", "pn", "clflush", "", "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe" } },
	{ 0x80000001, 0, 'd', { [11] = "syscall", [19] = "mp", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt", [26] = "pdpe1gb",
		[27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow" } },
	{ 1, 0, 'c', { "pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "", "smx", "est", "tm2", "ssse3", "cid", "sdbg", "fma",
		"cx16", "xtpr", "pdcm", "", "pcid", "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt", "tsc_deadline_timer",
		"aes", "xsave", "", "avx", "f16c", "rdrand", "hypervisor" } },
	{ 0x80000001, 0, 'c', { "lahf_lm", "cmp_legacy", "", "extapic", "cr8_legacy", "abm", "sse4a", "misalignsse", "3dnowprefetch",
		"osvw", "ibs", "xop", "skinit", "wdt", "", "lwp", "fma4", "tce", "", "nodeid_msr", "", "tbm", "topoext",
		"perfctr_core", "perfctr_nb", "", "bpext", "ptsc", "perfctr_llc", "mwaitx" } },
	{ 7, 0, 'b', { "", "tsc_adjust", "", "bmi1", "hle", "avx2", "", "smep", "bmi2", "erms", "invpcid", "rtm", "cqm", "", "mpx",
		"rdt_a", "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", "", "clflushopt", "clwb", "intel_pt",
		"avx512pf", "avx512er", "avx512cd", "sha_ni", "avx512bw", "avx512vl" } },
	{ 0xd, 1, 'a', { "xsaveopt", "xsavec", "xgetbv1", "xsaves" } },
	{ 7, 1, 'a', { [4] = "avx_vnni", [5] = "avx512_bf16", [10] = "fzrm", [11] = "fsrs", [12] = "fsrc" } },
	{ 0x80000008, 0, 'b', { [0] = "clzero", [2] = "xsaveerptr", [4] = "rdpru", [9] = "wbnoinvd" } },
	{ 7, 0, 'c', { [1] = "avx512vbmi", [2] = "umip", [6] = "avx512_vbmi2", [8] = "gfni", [9] = "vaes", [10] = "vpclmulqdq",
		[11] = "avx512_vnni", [12] = "avx512_bitalg", [14] = "avx512_vpopcntdq", [16] = "la57", [22] = "rdpid",
		[25] = "cldemote", [27] = "movdiri", [28] = "movdir64b" } },
	{ 7, 0, 'd', { [2] = "avx512_4vnniw", [3] = "avx512_4fmaps", [4] = "fsrm", [8] = "avx512_vp2intersect", [10] = "md_clear",
		[14] = "serialize", [16] = "tsxldtrk", [22] = "amx_bf16", [23] = "avx512_fp16", [24] = "amx_tile",
		[25] = "amx_int8" } },
};

#define XCR0_SSE	0x6u
#define XCR0_AVX512	0xe6u
#define XCR0_AMX	0x60000u

static u64 xcr0(void)
{
	u32 lo, hi;

	if (!(cpuid(1, 0).c >> 27 & 1))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo | (u64)hi << 32;
}

/* Vector instructions work only when the system saves their registers. */
static bool usable(const char *name, u64 xcr)
{
	static const char *const ymm[] = { "avx", "avx2", "fma", "f16c", "fma4", "xop", "vaes", "vpclmulqdq", "avx_vnni" };

	if (!strncmp(name, "amx_", 4))
		return (xcr & XCR0_AMX) == XCR0_AMX;
	if (!strncmp(name, "avx512", 6))
		return (xcr & XCR0_AVX512) == XCR0_AVX512;
	for (size_t i = 0; i < ARRAY_SIZE(ymm); i++)
		if (streq(name, ymm[i]))
			return (xcr & XCR0_SSE) == XCR0_SSE;
	return true;
}

static u32 reg_of(struct cpuid r, u8 reg)
{
	return reg == 'a' ? r.a : reg == 'b' ? r.b : reg == 'c' ? r.c : r.d;
}

static void put_flags(struct seq_buf *s)
{
	u32 max = cpuid(0, 0).a, max_ext = cpuid(0x80000000, 0).a;
	u64 xcr = xcr0();
	const char *sep = "";

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct feature_word *w = &words[i];
		u32 bits;

		if (w->leaf > (w->leaf >> 31 ? max_ext : max))
			continue;
		bits = reg_of(cpuid(w->leaf, w->sub), w->reg);
		for (u32 b = 0; b < 32; b++) {
			const char *name = w->names[b];

			if (!(bits >> b & 1) || !name || !*name || !usable(name, xcr))
				continue;
			seq_printf(s, "%s%s", sep, name);
			sep = " ";
		}
	}
}

/* ---- frequency: what the time stamp counter is seen to do ---- */

static u64 tsc_start;
static s64 time_start;

static u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return lo | (u64)hi << 32;
}

void proc_cpuinfo_init(void)
{
	time_start = clock_monotonic();
	tsc_start = rdtsc();
}

static u64 measured_khz(void)
{
	u64 ticks, ns;

	do {
		ns = (u64)(clock_monotonic() - time_start);
		ticks = rdtsc() - tsc_start;
	} while (ns < NSEC_PER_MSEC);
	/* in units that keep the product small however long the sandbox ran */
	while (ticks > 1ull << 40) {
		ticks >>= 1;
		ns >>= 1;
	}
	return ticks * 1000000 / max(ns, (u64)1);
}

/* ---- text ---- */

static void brand(char out[49])
{
	struct cpuid *r;
	u32 regs[12];
	char *from = (char *)regs;

	memset(out, 0, 49);
	if (cpuid(0x80000000, 0).a < 0x80000004)
		return;
	for (u32 i = 0; i < 3; i++) {
		r = (struct cpuid *)&regs[i * 4];
		*r = cpuid(0x80000002 + i, 0);
	}
	for (u32 n = sizeof(regs); n && *from == ' '; n--)
		from++;
	strscpy(out, from, (size_t)((char *)regs + sizeof(regs) - from) + 1);
	for (size_t n = strlen(out); n && out[n - 1] == ' ';)
		out[--n] = '\0';
}

/* Bytes of the largest cache that cpuid describes. */
static u64 cache_size(void)
{
	u32 leaf = cpuid(0, 0).a >= 4 && cpuid(4, 0).a & 31 ? 4 : 0x8000001d;
	u64 largest = 0;

	if (leaf != 4 && cpuid(0x80000000, 0).a < leaf)
		return 0;
	for (u32 i = 0; i < 8; i++) {
		struct cpuid r = cpuid(leaf, i);
		u64 size;

		if (!(r.a & 31))
			break;
		size = (u64)((r.b >> 22) + 1) * ((r.b >> 12 & 0x3ff) + 1) * ((r.b & 0xfff) + 1) * (r.c + 1ull);
		largest = max(largest, size);
	}
	return largest;
}

int proc_show_cpuinfo(struct seq_buf *s, const struct pseudo_ctx *ctx __unused)
{
	struct cpuid zero = cpuid(0, 0), one = cpuid(1, 0), width = cpuid(0x80000008, 0);
	u32 family = one.a >> 8 & 15, model = one.a >> 4 & 15, n = machine->nr_cpus();
	u64 khz = measured_khz(), cache = cache_size();
	u32 vendor[3] = { zero.b, zero.d, zero.c };
	char name[49];

	if (family == 15 || family == 6)
		model |= (one.a >> 16 & 15) << 4;
	if (family == 15)
		family += one.a >> 20 & 0xff;
	brand(name);
	for (u32 i = 0; i < n; i++) {
		seq_printf(s, "processor\t: %u\nvendor_id\t: %.12s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n", i,
			   (const char *)vendor, family, model, *name ? name : "unknown", one.a & 15);
		seq_printf(s, "cpu MHz\t\t: %lu.%03lu\n", khz / 1000, khz % 1000);
		if (cache)
			seq_printf(s, "cache size\t: %lu KB\n", cache / 1024);
		seq_printf(s, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\ninitial apicid\t: %u\n", n, i, n,
			   i, i);
		seq_printf(s, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t: ", zero.a);
		put_flags(s);
		seq_printf(s, "\nbugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: %u\n", khz / 500, khz / 5 % 100,
			   (one.b >> 8 & 0xff) * 8, (one.b >> 8 & 0xff) * 8);
		seq_printf(s, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n", width.a & 0xff,
			   width.a >> 8 & 0xff);
	}
	return 0;
}
