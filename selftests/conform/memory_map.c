// SPDX-License-Identifier: MIT
/* mmap, munmap, mprotect, mremap, madvise, brk and their errnos. */
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "conform.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static sigjmp_buf env;
static volatile int got, code;

static void fault(int sig, siginfo_t *si, void *ctx)
{
	(void)ctx;
	got = sig, code = si->si_code;
	siglongjmp(env, 1);
}

static void catch(void)
{
	struct sigaction sa = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
}

/* 'r', 'w', or what happened instead: m(apping error), a(ccess error), b(us error). */
static char try_read(const volatile char *p)
{
	if (sigsetjmp(env, 1))
		return got == SIGBUS ? 'b' : code == SEGV_MAPERR ? 'm' : 'a';
	(void)*p;
	return 'r';
}

static char try_write(volatile char *p)
{
	if (sigsetjmp(env, 1))
		return got == SIGBUS ? 'b' : code == SEGV_MAPERR ? 'm' : 'a';
	*p = *p;
	return 'w';
}

static const char *pages(char *p, int nr)
{
	static char out[256];

	for (int i = 0; i < nr; i++) {
		out[2 * i] = try_read(p + i * (long)PAGE);
		out[2 * i + 1] = try_write(p + i * (long)PAGE);
	}
	out[2 * nr] = 0;
	return out;
}

static char *anon(int nr)
{
	return MUST(mmap(NULL, (size_t)nr * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

TEST(flags)
{
	static const struct { const char *name; int flags; } kinds[] = {
		{ "private", MAP_PRIVATE }, { "shared", MAP_SHARED }, { "validate", MAP_SHARED_VALIDATE },
		{ "none", 0 }, { "private_anon", MAP_PRIVATE | MAP_ANONYMOUS },
		{ "shared_anon", MAP_SHARED | MAP_ANONYMOUS }, { "type_0xf", 0xf },
		{ "noreserve", MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE },
		{ "stack", MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_GROWSDOWN },
		{ "populate", MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE },
		{ "denywrite", MAP_PRIVATE | MAP_DENYWRITE | MAP_EXECUTABLE },
		{ "unknown", MAP_PRIVATE | MAP_ANONYMOUS | (1 << 27) },
		{ "validate_unknown", MAP_SHARED_VALIDATE | (1 << 27) },
		{ "32bit", MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT },
	};
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };
	static const int prots[] = { PROT_NONE, PROT_READ, PROT_WRITE, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC };

	catch();
	put_file("f", "content of the file");
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++)
		for (size_t m = 0; m < ARRAY_SIZE(modes); m++)
			for (size_t p = 0; p < ARRAY_SIZE(prots); p++) {
				int fd = MUST(open("f", modes[m]));
				char *a = mmap(NULL, PAGE, prots[p], kinds[k].flags, fd, 0);
				const char *name = N("%s,%d,%d", kinds[k].name, modes[m], prots[p]);

				if (a == MAP_FAILED) {
					STR(name, errno_name(errno));
				} else {
					/* a page that is only writable is readable too on this processor */
					say(name, "%s", prots[p] == PROT_WRITE ? "ok" : pages(a, 1));
					munmap(a, PAGE);
				}
				close(fd);
			}
}

TEST(errors)
{
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600)), p[2];
	char *a = anon(4);

	MUST(pipe(p));
	OK("zero", (long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	OK("huge", (long)mmap(NULL, 1UL << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	OK("wraps", (long)mmap(NULL, ~0UL, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	OK("offset_unaligned", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100));
	OK("offset_overflow", (long)syscall(SYS_mmap, NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, 0xfffffffffffff000UL));
	OK("fixed_unaligned", (long)mmap(a + 5, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	OK("hint_unaligned", (long)mmap(a + 5, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	OK("fixed_kernel", (long)mmap((void *)0xffff800000000000UL, PAGE, PROT_READ,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	OK("fixed_top", (long)mmap((void *)0x7ffffffff000UL, PAGE, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	OK("badfd", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
	OK("closed", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0));
	OK("pipe", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0));
	OK("dir", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, MUST(open(".", O_RDONLY)), 0));
	OK("opath", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, MUST(open("f", O_PATH)), 0));
	OK("null_device", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, MUST(open("/dev/null", O_RDWR)), 0));
	OK("zero_device", (long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
				     MUST(open("/dev/zero", O_RDWR)), 0));
	OK("zero_device_shared", (long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
					    MUST(open("/dev/zero", O_RDWR)), 0));
	OK("noreplace.taken", (long)mmap(a, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	MUST(munmap(a + PAGE, PAGE));
	YES("noreplace.free", mmap(a + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
				   -1, 0) == a + PAGE);
	OK("noreplace.part", (long)mmap(a + PAGE, 2 * PAGE, PROT_READ,
					MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
	YES("fixed_replaces", mmap(a, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == a);
	MUST(munmap(a + PAGE, PAGE));
	YES("hint_taken_when_free", mmap(a + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == a + PAGE);
	char *low = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	YES("32bit_is_low", (uintptr_t)low < 1UL << 31);
	OK("hugetlb_bad", (long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | (5 << 26), -1, 0));
}

TEST(munmap)
{
	char *a = anon(8);

	catch();
	RET("middle", munmap(a + 2 * PAGE, PAGE));
	STR("middle.is", pages(a, 8));
	RET("again", munmap(a + 2 * PAGE, PAGE));
	RET("over_hole", munmap(a + PAGE, 3 * PAGE));
	STR("over_hole.is", pages(a, 8));
	RET("length_rounds_up", munmap(a + 5 * PAGE, 1));
	STR("length_rounds_up.is", pages(a, 8));
	RET("zero", munmap(a, 0));
	RET("unaligned", munmap(a + 1, PAGE));
	RET("kernel", munmap((void *)0xffff800000000000UL, PAGE));
	RET("wraps", munmap(a, ~0UL));
	RET("nothing_there", munmap((void *)0x10000, PAGE));
}

TEST(mprotect)
{
	char *a = anon(6);
	int fd;

	catch();
	RET("readonly", mprotect(a + PAGE, PAGE, PROT_READ));
	RET("none", mprotect(a + 3 * PAGE, 2 * PAGE, PROT_NONE));
	STR("is", pages(a, 6));
	RET("back", mprotect(a, 6 * PAGE, PROT_READ | PROT_WRITE));
	STR("back.is", pages(a, 6));
	a[0] = 'k';
	mprotect(a, PAGE, PROT_NONE);
	mprotect(a, PAGE, PROT_READ);
	say("content_kept", "%c", a[0]);
	RET("unaligned", mprotect(a + 1, PAGE, PROT_READ));
	RET("zero", mprotect(a, 0, PROT_READ));
	RET("bad_prot", mprotect(a, PAGE, 0x40));
	RET("grow_both", mprotect(a, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP));
	RET("wraps", mprotect(a, ~0UL & ~(PAGE - 1), PROT_READ));
	MUST(munmap(a + 3 * PAGE, PAGE));
	RET("over_hole", mprotect(a, 6 * PAGE, PROT_READ));
	STR("over_hole.is", pages(a, 6));
	RET("unmapped", mprotect(a + 3 * PAGE, PAGE, PROT_READ));
	put_file("f", "x");
	fd = MUST(open("f", O_RDONLY));
	a = MUST(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	RET("shared_readonly_file", mprotect(a, PAGE, PROT_READ | PROT_WRITE));
	a = MUST(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0));
	RET("private_readonly_file", mprotect(a, PAGE, PROT_READ | PROT_WRITE));
	a[0] = 'y';
	STR("private_stays", get_file("f"));
	/* code that is written and then run */
	char *code_page = anon(1);

	memcpy(code_page, "\xb8\x2a\x00\x00\x00\xc3", 6);
	RET("exec", mprotect(code_page, PAGE, PROT_READ | PROT_EXEC));
	NUM("run", ((int (*)(void))code_page)());
	code_page = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	memcpy(code_page, "\xb8\x2b\x00\x00\x00\xc3", 6);
	NUM("run_rwx", ((int (*)(void))code_page)());
	code_page[1] = 44;
	NUM("rewritten", ((int (*)(void))code_page)());
}

TEST(mremap)
{
	char *a = anon(8), *b, *c;
	int fd;

	catch();
	memset(a, 'A', 8 * PAGE);
	YES("same", mremap(a, 8 * PAGE, 8 * PAGE, 0) == a);
	YES("shrink", mremap(a, 8 * PAGE, 4 * PAGE, 0) == a);
	STR("shrink.is", pages(a, 8));
	YES("grow_in_place", mremap(a, 4 * PAGE, 6 * PAGE, 0) == a);
	say("grow.content", "%c%d", a[3 * PAGE], a[5 * PAGE]);
	b = MUST(mmap(a + 6 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	OK("grow_blocked", (long)mremap(a, 6 * PAGE, 8 * PAGE, 0));
	c = mremap(a, 6 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	YES("moved", c != MAP_FAILED && c != a);
	say("moved.content", "%c%c%d", c[0], c[3 * PAGE], c[15 * PAGE]);
	STR("moved.old", pages(a, 2));
	b = anon(20);
	memset(b, 'B', 20 * PAGE);
	YES("fixed", mremap(c, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b + 4 * PAGE) == b + 4 * PAGE);
	say("fixed.content", "%c%c%c%c", b[3 * PAGE], b[4 * PAGE], b[5 * PAGE], b[6 * PAGE]);
	STR("fixed.old", pages(c, 3));
	OK("fixed_without_maymove", (long)mremap(b, PAGE, PAGE, MREMAP_FIXED, b + 8 * PAGE));
	OK("fixed_overlap", (long)mremap(b, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b + 2 * PAGE));
	OK("fixed_unaligned", (long)mremap(b, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, b + 8 * PAGE + 1));
	OK("unaligned", (long)mremap(b + 1, PAGE, PAGE, 0));
	OK("new_zero", (long)mremap(b, PAGE, 0, 0));
	OK("flags", (long)mremap(b, PAGE, PAGE, 64));
	OK("unmapped", (long)mremap(a, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
	MUST(munmap(b + 10 * PAGE, PAGE));
	OK("over_hole", (long)mremap(b + 9 * PAGE, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE));
	OK("old_zero_private", (long)mremap(b, 0, PAGE, MREMAP_MAYMOVE));
	c = mremap(b, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	YES("dontunmap", c != MAP_FAILED && c != b);
	say("dontunmap.is", "%c%d", c[0], b[0]);
	OK("dontunmap_resize", (long)mremap(b, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	c = MUST(mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	c[0] = 's';
	a = mremap(c, 0, PAGE, MREMAP_MAYMOVE);
	YES("duplicate_shared", a != MAP_FAILED && a != c && a[0] == 's');
	if (a != MAP_FAILED) {
		a[1] = 't';
		say("duplicate.coherent", "%c", c[1]);
	}
	fd = MUST(open("f", O_RDWR | O_CREAT, 0600));
	MUST(ftruncate(fd, 2 * (off_t)PAGE));
	pwrite(fd, "second", 6, (off_t)PAGE);
	a = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	a = MUST(mremap(a, PAGE, 3 * PAGE, MREMAP_MAYMOVE));
	say("file.grown", "%.6s %c", a + PAGE, try_read(a + 2 * PAGE));
}

TEST(madvise)
{
	char *a = anon(4), *s;
	int fd = MUST(open("f", O_RDWR | O_CREAT, 0600));

	memset(a, 'x', 4 * PAGE);
	RET("dontneed", madvise(a, PAGE, MADV_DONTNEED));
	say("dontneed.is", "%d%c", a[0], a[PAGE]);
	MUST(pwrite(fd, "file", 4, 0));
	s = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	s[0] = 'F';
	RET("dontneed.private_file", madvise(s, PAGE, MADV_DONTNEED));
	say("dontneed.private_file.is", "%.4s", s);
	s = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	s[0] = 'G';
	RET("dontneed.shared", madvise(s, PAGE, MADV_DONTNEED));
	say("dontneed.shared.is", "%.4s", s);
	s = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	s[0] = 'H';
	madvise(s, PAGE, MADV_DONTNEED);
	say("dontneed.shared_anon", "%c", s[0]);
	RET("remove.shared_anon", madvise(s, PAGE, MADV_REMOVE));
	say("remove.is", "%d", s[0]);
	RET("remove.private", madvise(a, PAGE, MADV_REMOVE));
	static const int advice[] = { MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_FREE,
				      MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP, MADV_DODUMP, MADV_COLD,
				      MADV_PAGEOUT, 22, 23, 77, -1 };

	for (size_t i = 0; i < ARRAY_SIZE(advice); i++)
		RET(N("advice.%d", advice[i]), madvise(a, 2 * PAGE, advice[i]));
	RET("zero", madvise(a, 0, MADV_DONTNEED));
	RET("unaligned", madvise(a + 1, PAGE, MADV_DONTNEED));
	RET("wraps", madvise(a, ~0UL & ~(PAGE - 1), MADV_DONTNEED));
	MUST(munmap(a + PAGE, PAGE));
	a[0] = a[2 * PAGE] = 'y';
	RET("over_hole", madvise(a, 4 * PAGE, MADV_DONTNEED));
	say("over_hole.is", "%d%d", a[0], a[2 * PAGE]);
	RET("unmapped", madvise(a + PAGE, PAGE, MADV_DONTNEED));
	/* DONTFORK and WIPEONFORK */
	a = anon(2);
	memset(a, 'z', 2 * PAGE);
	RET("wipeonfork", madvise(a, PAGE, MADV_WIPEONFORK));
	RET("dontfork", madvise(a + PAGE, PAGE, MADV_DONTFORK));
	pid_t pid = xfork();

	if (!pid) {
		catch();
		say("child", "%d %c", a[0], try_read(a + PAGE));
		_exit(0);
	}
	xwait(pid);
	say("parent", "%c%c", a[0], a[PAGE]);
}

TEST(locks)
{
	char *a = anon(4);
	unsigned char vec[8];

	RET("mlock", mlock(a, PAGE));
	RET("mlock.unaligned", mlock(a + 10, 1));
	RET("munlock", munlock(a, PAGE));
	RET("mlock2", mlock2(a, PAGE, 1));
	RET("mlock2.flags", mlock2(a, PAGE, 2));
	RET("mlockall.flags", mlockall(64));
	RET("mlockall.none", mlockall(0));
	RET("munlockall", munlockall());
	MUST(munmap(a + PAGE, PAGE));
	RET("mlock.hole", mlock(a, 2 * PAGE));
	RET("munlock.hole", munlock(a, 2 * PAGE));
	a[0] = 1;
	memset(vec, 0xff, sizeof(vec));
	RET("mincore", mincore(a, PAGE, vec));
	say("mincore.is", "%d", vec[0] & 1);
	RET("mincore.hole", mincore(a, 2 * PAGE, vec));
	RET("mincore.unaligned", mincore(a + 1, PAGE, vec));
	RET("mincore.zero", mincore(a, 0, vec));
	RET("mincore.efault", mincore(a, PAGE, (void *)1));
	RET("mincore.kernel", mincore((void *)0xffff800000000000UL, PAGE, vec));
	RET("msync", msync(a, PAGE, MS_SYNC));
	RET("msync.async", msync(a, PAGE, MS_ASYNC | MS_INVALIDATE));
	RET("msync.both", msync(a, PAGE, MS_SYNC | MS_ASYNC));
	RET("msync.flags", msync(a, PAGE, 64));
	RET("msync.unaligned", msync(a + 1, PAGE, MS_SYNC));
	RET("msync.hole", msync(a, 2 * PAGE, MS_SYNC));
	RET("msync.zero", msync(a, 0, MS_SYNC));
}

TEST(brk)
{
	uintptr_t start = (uintptr_t)syscall(SYS_brk, 0);

	YES("start", start > 0);
	YES("grow", (uintptr_t)syscall(SYS_brk, start + 10000) == start + 10000);
	((char *)start)[9999] = 'b';
	YES("zeros", ((char *)start)[5000] == 0);
	YES("unchanged_by_zero", (uintptr_t)syscall(SYS_brk, 0) == start + 10000);
	YES("below_start", (uintptr_t)syscall(SYS_brk, 4096) == start + 10000);
	YES("impossible", (uintptr_t)syscall(SYS_brk, 1UL << 47) == start + 10000);
	YES("shrink", (uintptr_t)syscall(SYS_brk, start + 10) == start + 10);
	YES("regrow", (uintptr_t)syscall(SYS_brk, start + 10000) == start + 10000);
	NUM("fresh", ((char *)start)[9999]);
	pid_t pid = xfork();

	if (!pid) {
		YES("child", (uintptr_t)syscall(SYS_brk, 0) == start + 10000);
		syscall(SYS_brk, start + 50000);
		_exit(0);
	}
	xwait(pid);
	YES("parent", (uintptr_t)syscall(SYS_brk, 0) == start + 10000);
}

TEST(limits)
{
	pid_t pid = xfork();

	if (!pid) {
		struct rlimit rl = { 256 << 20, 256 << 20 };

		MUST(setrlimit(RLIMIT_AS, &rl));
		OK("as", (long)mmap(NULL, 1 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		OK("as.small", (long)mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
		YES("malloc", malloc(1UL << 30) == NULL);
		_exit(0);
	}
	xwait(pid);
	pid = xfork();
	if (!pid) {
		setrlimit(RLIMIT_DATA, &(struct rlimit){ 0, 0 });
		uintptr_t at = (uintptr_t)syscall(SYS_brk, 0);

		YES("data.brk", (uintptr_t)syscall(SYS_brk, at + (1 << 20)) == at);
		_exit(0);
	}
	xwait(pid);
}

static int use_stack(int kib)
{
	volatile char block[1024];

	block[0] = (char)kib;
	if (kib <= 0)
		return 0;
	return use_stack(kib - 1) + block[0] * 0;
}

static int deep(void *arg)
{
	return use_stack((int)(intptr_t)arg);
}

TEST(stack)
{
	STR("4MiB", child(deep, (void *)4096));
	setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, RLIM_INFINITY });
	STR("over_limit", child(deep, (void *)4096));
	/* a MAP_GROWSDOWN mapping grows, and leaves a gap to what is below */
	pid_t pid = xfork();

	if (!pid) {
		char *a = anon(600), *g;

		catch();
		MUST(munmap(a, 600 * PAGE));
		g = MUST(mmap(a + 590 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0));
		for (int i = 1; i < 20; i++)
			if (try_write(g - i * (long)PAGE) != 'w') {
				NUM("growsdown_stopped_at", i);
				_exit(0);
			}
		STR("growsdown", "grows");
		_exit(0);
	}
	STR("growsdown.end", xwait(pid));
}
