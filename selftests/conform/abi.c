// SPDX-License-Identifier: MIT
/*
 * The system-call instruction itself: what it keeps, what it changes, what it
 * answers to numbers that are none. Each call is made from many kinds of call
 * sites, twice and more, because a sandbox may rewrite a site after its first use.
 */
#include <setjmp.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#include "conform.h"

struct regs {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, flags, rsp_moved;
};

static uint64_t in[16] __attribute__((used)), out[18] __attribute__((used));

/* Loads all registers from in[], makes the call, stores them to out[]. rbp too, so no frame is used. */
asm(".text\n.globl raw_all\nraw_all:\n"
    "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "lea in(%rip), %rax\n"
    "mov 8(%rax), %rbx; mov 24(%rax), %rdx; mov 32(%rax), %rsi; mov 40(%rax), %rdi; mov 48(%rax), %rbp\n"
    "mov 56(%rax), %r8; mov 64(%rax), %r9; mov 72(%rax), %r10; mov 80(%rax), %r11; mov 88(%rax), %r12\n"
    "mov 96(%rax), %r13; mov 104(%rax), %r14; mov 112(%rax), %r15\n"
    "pushq 120(%rax); popfq\n"
    "mov %rsp, out+136(%rip)\n"
    "mov (%rax), %rax\n"
    ".globl raw_all_site\nraw_all_site: syscall\n.globl raw_all_next\nraw_all_next:\n"
    "mov %rax, out(%rip); mov %rbx, out+8(%rip); mov %rcx, out+16(%rip); mov %rdx, out+24(%rip)\n"
    "mov %rsi, out+32(%rip); mov %rdi, out+40(%rip); mov %rbp, out+48(%rip); mov %r8, out+56(%rip)\n"
    "mov %r9, out+64(%rip); mov %r10, out+72(%rip); mov %r11, out+80(%rip); mov %r12, out+88(%rip)\n"
    "mov %r13, out+96(%rip); mov %r14, out+104(%rip); mov %r15, out+112(%rip)\n"
    "pushfq; popq out+120(%rip)\n"
    "mov %rsp, %rax; sub out+136(%rip), %rax; mov %rax, out+128(%rip)\n"
    "cld\n"
    "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx; ret\n");

void raw_all(void);
extern char raw_all_next[];

static void check(const char *name, long nr, const uint64_t *args, uint64_t flags)
{
	static const int kept[] = { 1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14 };
	static const char *const names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8", "r9", "r10",
					     "r11", "r12", "r13", "r14", "r15" };
	char lost[128] = "";

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 15; i++)
			in[i] = 0x1111111111111111UL * (uint64_t)(i + 1);
		if (args) {
			in[5] = args[0], in[4] = args[1], in[3] = args[2];
			in[9] = args[3], in[7] = args[4], in[8] = args[5];
		}
		in[0] = (uint64_t)nr;
		in[15] = flags;
		raw_all();
		for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
			if (out[kept[i]] != in[kept[i]] && !strstr(lost, names[kept[i]]))
				strcat(strcat(lost, names[kept[i]]), " ");
		if (out[2] != (uint64_t)(uintptr_t)raw_all_next && !strstr(lost, "rcx!=rip"))
			strcat(lost, "rcx!=rip ");
		if ((out[11 - 1] & ~0x202UL) != (flags & ~0x202UL) && !strstr(lost, "r11!=flags"))
			strcat(lost, "r11!=flags ");
		/* the arithmetic flags and DF come back as they went in; the others are the system's */
		if ((out[15] & 0xcd5) != (flags & 0xcd5) && !strstr(lost, "FLAGS"))
			strcat(lost, "FLAGS ");
		if (out[16] && !strstr(lost, "RSP"))
			strcat(lost, "RSP ");
	}
	say(name, "%s", lost[0] ? lost : "kept");
}

TEST(registers)
{
	static const struct { const char *name; uint64_t flags; } flags[] = {
		{ "plain", 0x202 }, { "carry", 0x203 }, { "all", 0x2 | 0x200 | 0x8d5 }, { "df", 0x602 } };
	static char buf[64];
	int null = MUST(open("/dev/null", O_RDWR)), zero = MUST(open("/dev/zero", O_RDONLY));
	uint64_t rd[6] = { (uint64_t)zero, (uintptr_t)buf, 64, 4, 5, 6 };
	uint64_t wr[6] = { (uint64_t)null, (uintptr_t)buf, 64, 4, 5, 6 };
	uint64_t bad[6] = { 999, 0, 0, 0, 0, 0 }, mm[6] = { 0, 4096, 3, 0x22, (uint64_t)-1, 0 };
	uint64_t kl[6] = { (uint64_t)getpid(), 0, 7, 7, 7, 7 };

	for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
		check(N("getpid,%s", flags[f].name), SYS_getpid, NULL, flags[f].flags);
		check(N("gettid,%s", flags[f].name), SYS_gettid, NULL, flags[f].flags);
		check(N("read,%s", flags[f].name), SYS_read, rd, flags[f].flags);
		check(N("write,%s", flags[f].name), SYS_write, wr, flags[f].flags);
		check(N("close_bad,%s", flags[f].name), SYS_close, bad, flags[f].flags);
		check(N("mmap,%s", flags[f].name), SYS_mmap, mm, flags[f].flags);
		check(N("kill0,%s", flags[f].name), SYS_kill, kl, flags[f].flags);
		check(N("enosys,%s", flags[f].name), 5000, NULL, flags[f].flags);
		check(N("sched_yield,%s", flags[f].name), SYS_sched_yield, NULL, flags[f].flags);
	}
}

static volatile int handled;

static void note(int sig)
{
	(void)sig;
	handled++;
}

TEST(registers_with_signal)
{
	/* the call ends in a handler; registers are as ever when it returns */
	uint64_t kl[6] = { (uint64_t)getpid(), SIGUSR1, 7, 8, 9, 10 };
	struct itimerval it = { { 0, 300 }, { 0, 300 } };

	signal(SIGUSR1, note);
	check("kill", SYS_kill, kl, 0x202);
	check("kill,df", SYS_kill, kl, 0x602);
	NUM("handled", handled);
	signal(SIGALRM, note);
	setitimer(ITIMER_REAL, &it, NULL);
	handled = 0;
	char lost[64] = "kept";
	long long until = now_ns() + 120000000000LL;

	while (handled < 100 && now_ns() < until)
		for (int i = 0; i < 50; i++) {
			for (int k = 0; k < 15; k++)
				in[k] = 0x0101010101010101UL * (uint64_t)(k + 3);
			in[0] = SYS_getppid;
			in[15] = 0x203;
			raw_all();
			for (int k = 1; k < 15; k++)
				if (k != 2 && k != 10 && out[k] != in[k])
					strcpy(lost, "lost");
		}
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
	STR("storm", lost);
	YES("storm.enough", handled >= 100);
}

TEST(return_values)
{
	long r;

#define RAW(nr, a, b, c)							\
	({ asm volatile("syscall" : "=a"(r) : "a"((long)(nr)), "D"((long)(a)), "S"((long)(b)), "d"((long)(c)) \
			: "rcx", "r11", "memory"); r; })
	YES("getpid", RAW(SYS_getpid, 0, 0, 0) == getpid());
	NUM("close", RAW(SYS_close, 999, 0, 0));
	NUM("unknown_400", RAW(400, 0, 0, 0));
	NUM("unknown_1000", RAW(1000, 0, 0, 0));
	NUM("minus_one", RAW(-1, 0, 0, 0));
	NUM("minus_4096", RAW(-4096, 0, 0, 0));
	NUM("int_min", RAW(0x80000000L, 0, 0, 0));
	/* only the low 32 bits of rax are the number */
	YES("high_bits", RAW(0x700000000L | SYS_getpid, 0, 0, 0) == getpid());
	NUM("max_int", RAW(0x7fffffff, 0, 0, 0));
	/* arguments narrower than 64 bits: the upper halves do not count */
	NUM("fd_high_bits", RAW(SYS_fcntl, 0x500000001L, F_GETFD, 0));
	NUM("kill_high_bits", RAW(SYS_kill, 0x900000000L | (unsigned int)getpid(), 0x100000000L, 0));
	static const int removed[] = { 134 /* uselib */, 156 /* _sysctl */, 174 /* create_module */,
		177 /* get_kernel_syms */, 178 /* query_module */, 180 /* nfsservctl */, 181, 182, 183, 184, 185,
		205 /* set_thread_area */, 211 /* get_thread_area */, 214, 215, 236 /* vserver */ };

	for (size_t i = 0; i < ARRAY_SIZE(removed); i++)
		NUM(N("removed.%d", removed[i]), RAW(removed[i], 0, 0, 0));
	for (int nr = 344; nr < 424; nr += 8)
		NUM(N("hole.%d", nr), RAW(nr, 0, 0, 0));
}

static char vec[16][32] __attribute__((aligned(32))), got[16][32] __attribute__((aligned(32)));

TEST(vectors)
{
	static const long nrs[] = { SYS_getpid, SYS_sched_yield, SYS_close, 5000, SYS_getppid, SYS_umask };
	int bad = 0;

	for (int i = 0; i < 16; i++)
		for (int k = 0; k < 32; k++)
			vec[i][k] = (char)(i * 32 + k);
	for (size_t n = 0; n < ARRAY_SIZE(nrs) * 3; n++) {
		long r;

		asm volatile("movdqa (%2), %%xmm0; movdqa 32(%2), %%xmm1; movdqa 160(%2), %%xmm5; movdqa 256(%2), %%xmm8\n"
			     "movdqa 480(%2), %%xmm15\nsyscall\n"
			     "movdqa %%xmm0, (%3); movdqa %%xmm1, 32(%3); movdqa %%xmm5, 160(%3); movdqa %%xmm8, 256(%3)\n"
			     "movdqa %%xmm15, 480(%3)"
			     : "=a"(r) : "a"(nrs[n % ARRAY_SIZE(nrs)]), "r"(vec), "r"(got), "D"(-1L)
			     : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm5", "xmm8", "xmm15");
		bad += memcmp(vec[0], got[0], 16) || memcmp(vec[1], got[1], 16) || memcmp(vec[5], got[5], 16) ||
		       memcmp(vec[8], got[8], 16) || memcmp(vec[15], got[15], 16);
	}
	NUM("xmm_lost", bad);
	if (!__builtin_cpu_supports("avx"))
		return;
	bad = 0;
	for (size_t n = 0; n < ARRAY_SIZE(nrs) * 3; n++) {
		long r;

		asm volatile("vmovdqa (%2), %%ymm0; vmovdqa 96(%2), %%ymm3; vmovdqa 480(%2), %%ymm15\nsyscall\n"
			     "vmovdqa %%ymm0, (%3); vmovdqa %%ymm3, 96(%3); vmovdqa %%ymm15, 480(%3); vzeroupper"
			     : "=a"(r) : "a"(nrs[n % ARRAY_SIZE(nrs)]), "r"(vec), "r"(got), "D"(-1L)
			     : "rcx", "r11", "memory", "xmm0", "xmm3", "xmm15");
		bad += memcmp(vec[0], got[0], 32) || memcmp(vec[3], got[3], 32) || memcmp(vec[15], got[15], 32);
	}
	NUM("ymm_lost", bad);
}

/* Call sites of unusual shapes; getpid is 39. */
asm(".text\n"
    ".globl site_plain\nsite_plain: mov $39, %eax; syscall; ret\n"
    ".globl site_wide\nsite_wide: mov $39, %rax; syscall; ret\n"
    ".globl site_xor\nsite_xor: xor %eax, %eax; mov $39, %al; syscall; ret\n"
    ".globl site_push\nsite_push: push $39; pop %rax; syscall; ret\n"
    ".globl site_nop\nsite_nop: mov $39, %eax; nop; syscall; nop; nop; nop; ret\n"
    ".globl site_jumped\nsite_jumped: mov $39, %eax; jmp 1f; .byte 0x0f, 0x0b; 1: syscall; ret\n"
    /* someone jumps between mov and syscall */
    ".globl site_middle\nsite_middle: mov $39, %eax; jmp site_other_middle\n"
    ".globl site_other\nsite_other: mov $500000, %eax\nsite_other_middle: syscall; ret\n"
    /* the instruction after the call is a branch target */
    ".globl site_loop\nsite_loop: mov $3, %edx; 1: mov $39, %eax; syscall; dec %edx; jnz 1b; ret\n"
    ".globl site_after\nsite_after: mov $39, %eax; syscall; 1: test %eax, %eax; jz 2f; ret; 2: ret\n"
    ".globl site_two\nsite_two: mov $39, %eax; syscall; mov $39, %eax; syscall; ret\n"
    ".globl site_back_to_back\nsite_back_to_back: mov $39, %eax; mov %eax, %r8d; syscall; mov %r8d, %eax; syscall; ret\n"
    /* right before the end of a page */
    ".balign 4096\n.skip 4096 - 7, 0x90\n.globl site_page\nsite_page: mov $39, %eax; syscall; ret\n"
    /* mov and syscall on two pages; then syscall's own two bytes */
    ".balign 4096\n.skip 4096 - 5, 0x90\n.globl site_split\nsite_split: mov $39, %eax; syscall; ret\n"
    ".balign 4096\n.skip 4096 - 6, 0x90\n.globl site_cut\nsite_cut: mov $39, %eax; syscall; ret\n"
    /* bytes of a syscall that are data of another instruction */
    ".globl site_hidden\nsite_hidden: mov $0x0000050f, %ecx; mov $39, %eax; syscall; ret\n"
    ".balign 16\n");

#define SITE(n) int site_##n(void)
SITE(plain); SITE(wide); SITE(xor); SITE(push); SITE(nop); SITE(jumped); SITE(middle); SITE(loop); SITE(after);
SITE(two); SITE(back_to_back); SITE(page); SITE(split); SITE(cut); SITE(hidden); SITE(other);

TEST(call_sites)
{
	static const struct { const char *name; int (*fn)(void); } sites[] = {
#define S(n) { #n, site_##n }
		S(plain), S(wide), S(xor), S(push), S(nop), S(jumped), S(middle), S(loop), S(after), S(two),
		S(page), S(split), S(cut), S(hidden) };
	int pid = getpid();

	for (size_t i = 0; i < ARRAY_SIZE(sites); i++) {
		int good = 0;

		for (int k = 0; k < 10; k++)
			good += sites[i].fn() == pid;
		NUM(sites[i].name, good);
	}
	NUM("other", site_other());
	NUM("other_again", site_other());
	YES("middle_after_other", site_middle() == pid);
	NUM("back_to_back", site_back_to_back() == pid);
	/* a patched site in a child of fork and after that in the parent */
	pid_t kid = xfork();

	if (!kid)
		_exit(site_plain() == getpid() && site_split() == getpid() ? 0 : 1);
	STR("child", xwait(kid));
}

TEST(generated_code)
{
	/* code that a program writes, moves, and writes again */
	static const unsigned char text[] = { 0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3 };
	unsigned char *c = MUST(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int (*fn)(void) = (int (*)(void))(void *)c;
	int pid = getpid();

	memcpy(c, text, sizeof(text));
	for (int i = 0; i < 3; i++)
		YES(N("rwx%d", i), fn() == pid);
	YES("bytes_as_written", !memcmp(c, text, sizeof(text)));
	c[1] = 110;	/* getppid */
	YES("rewritten", fn() == getppid());
	memmove(c + 100, c, sizeof(text));
	YES("moved", ((int (*)(void))(void *)(c + 100))() == getppid());
	memset(c, 0x90, 4000);
	memcpy(c + 2000, text, sizeof(text));
	YES("slid", fn() == pid);
	MUST(mprotect(c, PAGE, PROT_READ | PROT_EXEC));
	YES("rx", fn() == pid);
	MUST(mprotect(c, PAGE, PROT_READ));
	MUST(mprotect(c, PAGE, PROT_READ | PROT_EXEC));
	YES("rx_again", fn() == pid);
	MUST(mprotect(c, PAGE, PROT_READ | PROT_WRITE));
	memcpy(c, "\xb8\x07\x00\x00\x00\xc3", 6);
	MUST(mprotect(c, PAGE, PROT_READ | PROT_EXEC));
	NUM("without_syscall", fn());
	MUST(munmap(c, 2 * PAGE));
	/* a file's text, private and shared, and a copy of it */
	int fd = MUST(open("code", O_RDWR | O_CREAT, 0700));

	MUST(write(fd, text, sizeof(text)));
	MUST(ftruncate(fd, (off_t)PAGE));
	c = MUST(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
	fn = (int (*)(void))(void *)c;
	for (int i = 0; i < 3; i++)
		YES(N("file%d", i), fn() == pid);
	unsigned char back[8];

	MUST(pread(fd, back, 8, 0));
	YES("file_untouched", !memcmp(back, text, 8));
	unsigned char *sh = MUST(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));

	YES("shared", ((int (*)(void))(void *)sh)() == pid);
	MUST(pwrite(fd, "\x6e", 1, 1));
	YES("shared_rewritten", ((int (*)(void))(void *)sh)() == getppid());
	MUST(pread(fd, back, 8, 0));
	YES("file_as_written", back[1] == 0x6e && back[5] == 0x0f && back[6] == 0x05);
}

TEST(vdso)
{
	struct timespec a, b;
	struct timeval tv;

	YES("there", getauxval(AT_SYSINFO_EHDR) != 0);
	MUST(clock_gettime(CLOCK_REALTIME, &a));
	MUST(syscall(SYS_clock_gettime, CLOCK_REALTIME, &b));
	YES("agree", (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec < 1000000000L &&
		     (b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec)));
	MUST(gettimeofday(&tv, NULL));
	YES("gettimeofday", tv.tv_sec - b.tv_sec <= 1);
	long last = 0, back = 0;

	for (int i = 0; i < 10000; i++) {
		clock_gettime(CLOCK_MONOTONIC, &a);
		back += a.tv_sec * 1000000000L + a.tv_nsec < last;
		last = a.tv_sec * 1000000000L + a.tv_nsec;
	}
	NUM("monotonic_backwards", back);
}

TEST(segments)
{
	unsigned long fs = 0, gs = 1;
	static char area[64];

	RET("get_fs", syscall(SYS_arch_prctl, 0x1003, &fs));
	YES("fs_is_tls", fs == *(unsigned long *)fs);
	RET("get_gs", syscall(SYS_arch_prctl, 0x1004, &gs));
	HEX("gs", gs);
	RET("set_fs", syscall(SYS_arch_prctl, 0x1002, fs));
	RET("set_fs_kernel", syscall(SYS_arch_prctl, 0x1002, 0xffff800000000000UL));
	RET("unknown", syscall(SYS_arch_prctl, 0x9999, area));
	int same = 0;

	for (int i = 0; i < 1000; i++) {
		unsigned long now;

		asm volatile("mov %%fs:0, %0" : "=r"(now));
		same += now == fs;
		syscall(SYS_sched_yield);
	}
	NUM("fs_kept", same);
}

/* What native Linux would let through to its 32-bit door has no door inside: see inside.expect. */
static int int80(void *arg)
{
	long r;

	(void)arg;
	asm volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	return r == getpid() ? 10 : r == -ENOSYS ? 11 : 12;
}

static int x32(void *arg)
{
	long r;

	(void)arg;
	asm volatile("syscall" : "=a"(r) : "a"(0x40000000L + SYS_getpid) : "rcx", "r11", "memory");
	return r == getpid() ? 10 : r == -ENOSYS ? 11 : 12;
}

static int vsyscall(void *arg)
{
	long (*fn)(void *) = (long (*)(void *))0xffffffffff600400UL;

	(void)arg;
	return fn(NULL) > 0 ? 10 : 12;
}

TEST(other_doors)
{
	const char *r = child(int80, NULL);

	YES("int80_is_getpid_or_refused", strcmp(r, "exit 12"));
	r = child(x32, NULL);
	YES("x32_is_getpid_or_refused", strcmp(r, "exit 12"));
	r = child(vsyscall, NULL);
	YES("vsyscall_is_time_or_fault", strcmp(r, "exit 12"));
}
