// SPDX-License-Identifier: MIT
/*
 * What may go wrong where call sites are patched: one test by its name. Each says the same natively, inside, and inside with
 * --no-patch (patch.t compares); those named sealed and wild are for inside only.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

long site_number(void), site_moves(long nr, long a, long b), site_after(long unused, long nr), site_both(void), site_stays(void);
long site_block(int fd, void *buf, long len), site_block_after(int fd, void *buf, long len);
long site_redzone(void), site_across(void), site_first(void), site_cut(void);
void site_registers(const uint64_t *set, uint64_t *got);
long jump_to(const void *where, long rax, long a, long b, long c);
long step(long (*fn)(void)), aligned(long (*fn)(void));
extern const char site_number_call[], site_number_next[], site_moves_1[], site_moves_2[], site_moves_call[], site_after_call[],
	site_after_next[], site_after_ja[], site_both_start[], site_both_call[], site_both_next[], site_both_2[], site_block_call[],
	site_block_next[], site_block_after_call[], site_block_after_next[];
extern const char sites_fresh[], sites_pages[];

#define PAGE		4096ul
#define NR_FRESH	256
#define NR_PAGES	400
#define LOW		0x605ff000ul
#define LOW_END		0x60650000ul

static long pid;
static int failures;

static void say(bool good, const char *what)
{
	printf("%s: %s\n", what, good ? "right" : "wrong");
	failures += !good;
}

/* ---- shapes ---- */

static void call_all(void)
{
	for (int i = 0; i < 50; i++) {
		say(site_number() == pid, "number");
		say(site_moves(SYS_kill, pid, 0) == 0, "moves");
		say(site_after(0, SYS_getpid) == pid + 1, "after");
		say(site_after(0, 5000) == -ENOSYS, "after, error");
		say(site_both() == 0, "both");
		say(site_stays() == pid, "stays");
		say(site_redzone() == pid, "red zone");
		say(site_across() == pid, "across");
		say(site_first() == pid, "first");
		say(site_cut() == pid, "cut");
	}
}

static void registers(void)
{
	/* carry, parity, adjust, zero, sign, overflow, and the direction */
	static const uint64_t flags[] = { 0x202, 0x203, 0x206, 0x212, 0x242, 0x282, 0xa02, 0x602, 0xad7, 0xed7 };

	for (unsigned i = 0; i < 3 * sizeof(flags) / sizeof(flags[0]); i++) {
		uint64_t set[16] = { 0 }, got[16] = { 0 };
		bool same = true;

		for (int r = 0; r < 12; r++)
			set[r] = 0x0102030405060708ull * (r + 1) ^ (uint64_t)i << 60;
		set[12] = flags[i % (sizeof(flags) / sizeof(flags[0]))];
		site_registers(set, got);
		for (int r = 0; r < 12; r++)
			same &= set[r] == got[r];
		say(same, "registers");
		say(set[12] == got[12], "flags");
		say((long)got[13] == pid, "result");
	}
}

static void shapes(void)
{
	call_all();
	registers();
}

/* ---- who comes to the middle of what was patched ---- */

static void middle(void)
{
	int zero = open("/dev/zero", O_RDONLY);

	dup2(zero, 0);
	for (int i = 0; i < 3; i++) {
		/* the first turn patches, by coming from the front */
		site_number();
		site_moves(SYS_getppid, 0, 0);
		site_after(0, SYS_getppid);
		site_both();
		say(jump_to(site_number_call, SYS_getpid, 0, 0, 0) == pid, "at the call");
		say(jump_to(site_number_next, 77, 0, 0, 0) == 77, "after the call");
		/* rsi moves to rdi, rdx to rsi: kill(pid, 0) */
		say(jump_to(site_moves_1, SYS_kill, -1, pid, 0) == 0, "second of three");
		say(jump_to(site_moves_2, SYS_kill, pid, -1, 0) == 0, "third of three");
		say(jump_to(site_moves_call, SYS_kill, pid, 0, 0) == 0, "at the call behind three");
		say(jump_to(site_after_call, SYS_getpid, 0, 0, 0) == pid + 1, "at the call before others");
		say(jump_to(site_after_next, 41, 0, 0, 0) == 42, "at the others");
		say(jump_to(site_after_next, -EINVAL, 0, 0, 0) == -EINVAL, "at the others, with an error");
		say(jump_to(site_both_start, 5, 0, 0, 0) == 0, "at the start of both");
		say(jump_to(site_both_call, SYS_getpid, 0, 0, 0) == pid, "at the call of both");
		say(jump_to(site_both_next, 99, 0, 0, 0) == 99, "behind the call of both");
		say(jump_to(site_both_2, 0, 0, 0, 55) == 55, "behind all of both");
	}
}

/* ---- signals ---- */

static volatile long seen_rip, nr_seen, nr_odd;

struct range {
	uintptr_t start, end;
};
static struct range code[64];
static int nr_code;

static int add_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && p->p_flags & PF_X && nr_code < 64)
			code[nr_code++] = (struct range){ info->dlpi_addr + p->p_vaddr, info->dlpi_addr + p->p_vaddr + p->p_memsz };
	}
	return 0;
}

static void note_rip(int sig, siginfo_t *info, void *ctx)
{
	uintptr_t rip = (uintptr_t)((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP];
	bool known = false;

	(void)sig;
	(void)info;
	seen_rip = (long)rip;
	nr_seen = nr_seen + 1;
	for (int i = 0; i < nr_code; i++)
		known |= rip >= code[i].start && rip < code[i].end;
	if (!known && getenv("ODD"))
		fprintf(stderr, "odd %lx\n", rip);
	if (!known)
		nr_odd = nr_odd + 1;
}

static void on(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = note_rip, .sa_flags = SA_SIGINFO | flags };

	sigaction(sig, &sa, NULL);
}

/* A thread that signals the caller a while later, and writes a byte after that. */
struct poke {
	pthread_t who;
	int fd;
};

static void *poke_main(void *arg)
{
	struct poke *p = arg;

	usleep(100000);
	pthread_kill(p->who, SIGUSR1);
	usleep(100000);
	if (write(p->fd, "x", 1) != 1)
		return arg;
	return NULL;
}

typedef long (*block_fn)(int fd, void *buf, long len);

static void block(block_fn fn, const char *call, const char *next, int flags)
{
	int fds[2];
	struct poke p;
	pthread_t t;
	char c;
	long ret;

	if (pipe(fds))
		exit(2);
	p = (struct poke){ pthread_self(), fds[1] };
	on(SIGUSR1, flags);
	pthread_create(&t, NULL, poke_main, &p);
	ret = fn(fds[0], &c, 1);
	printf("interrupted: %ld, rip at %s\n", ret, seen_rip == (long)call ? "the call" : seen_rip == (long)next ? "its return" : "?");
	if (ret == -EINTR)
		say(fn(fds[0], &c, 1) == 1, "again");
	pthread_join(t, NULL);
	close(fds[0]);
	close(fds[1]);
}

static void signals(void)
{
	struct itimerval every = { { 0, 300 }, { 0, 300 } }, never = { 0 };
	struct timeval from, now;
	bool good = true;

	/* twice: the first time the sites are not patched yet when the thread goes to sleep */
	for (int i = 0; i < 2; i++) {
		block(site_block, site_block_call, site_block_next, 0);
		block(site_block, site_block_call, site_block_next, SA_RESTART);
		block(site_block_after, site_block_after_call, site_block_after_next, 0);
		block(site_block_after, site_block_after_call, site_block_after_next, SA_RESTART);
	}
	dl_iterate_phdr(add_code, NULL);
	on(SIGALRM, SA_RESTART);
	nr_seen = nr_odd = 0;
	setitimer(ITIMER_REAL, &every, NULL);
	gettimeofday(&from, NULL);
	do {
		for (int i = 0; i < 2000; i++)
			good &= site_number() == pid && site_after(0, SYS_getpid) == pid + 1 && site_moves(SYS_kill, pid, 0) == 0;
		gettimeofday(&now, NULL);
	} while ((now.tv_sec - from.tv_sec) * 1000000 + now.tv_usec - from.tv_usec < 1500000 || nr_seen < 100);
	setitimer(ITIMER_REAL, &never, NULL);
	say(good, "calls under signals");
	say(!nr_odd, "rip is always in a program's own text");
}

/* ---- threads that meet at sites nobody has been to ---- */

static pthread_barrier_t barrier;
static volatile long wrong;

static void *meet(void *arg)
{
	for (int i = 0; i < NR_FRESH; i++) {
		long (*fn)(void) = (long (*)(void))(sites_fresh + 128 * i);

		pthread_barrier_wait(&barrier);
		for (int k = 0; k < 20; k++)
			if (fn() != pid)
				wrong = wrong + 1;
	}
	return arg;
}

static void threads(void)
{
	pthread_t t[4];

	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, meet, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say(!wrong, "four threads at 256 new sites");
}

/* ---- cancellation: libc looks where the thread stands ---- */

static void *cancelled(void *arg)
{
	char c;

	for (;;)
		if (read(*(int *)arg, &c, 1) != 1)
			break;
	return NULL;
}

static void cancel(void)
{
	int fds[2], good = 0;

	if (pipe(fds))
		exit(2);
	for (int i = 0; i < 20; i++) {
		void *ret = NULL;
		pthread_t t;

		pthread_create(&t, NULL, cancelled, &fds[0]);
		if (i % 4)
			usleep(1000 * i);
		pthread_cancel(t);
		pthread_join(t, &ret);
		good += ret == PTHREAD_CANCELED;
	}
	printf("%d of 20 cancelled\n", good);
}

/* ---- text that changes ---- */

static void *page_of(const void *p)
{
	return (void *)((uintptr_t)p & ~(PAGE - 1));
}

static void text(void)
{
	long (*fn)(void) = (long (*)(void))(sites_pages + 64), (*moved)(void);
	const char *page = page_of((void *)fn);
	unsigned char before[PAGE], now[PAGE];
	char *copy, *place;
	int fd;

	memcpy(before, page, PAGE);
	for (int i = 0; i < 5; i++)
		say(fn() == pid, "called");
	/* what the file has, once it may be written */
	say(!mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE), "writable");
	memcpy(now, page, PAGE);
	say(!memcmp(before, now, PAGE), "as it is in the file");
	((char *)page)[65] = SYS_getppid;
	say(!mprotect((void *)page, PAGE, PROT_READ | PROT_EXEC), "executable again");
	for (int i = 0; i < 5; i++)
		say(fn() == getppid(), "the call that was written");

	/* moved elsewhere */
	fn = (long (*)(void))(sites_pages + PAGE + 64);
	say(fn() == pid && fn() == pid, "before it moves");
	place = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	copy = mremap(page_of((void *)fn), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	say(copy == place, "mremap");
	moved = (long (*)(void))(copy + 64);
	for (int i = 0; i < 5; i++)
		say(moved() == pid, "after it moved");

	/* one page of a file at two places at once, then at others */
	fd = open("/proc/self/exe", O_RDONLY);
	for (int i = 0; i < 3; i++) {
		Dl_info info;
		long off;
		char *a, *b;

		/* the file's bytes, wherever they lie in it */
		if (!dladdr((void *)site_number, &info))
			exit(2);
		for (off = 0;; off += PAGE) {
			if (pread(fd, now, PAGE, off) != PAGE)
				exit(2);
			if (!memcmp(now, sites_pages + 2 * PAGE, PAGE))
				break;
		}
		a = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, off);
		b = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, off);
		for (int k = 0; k < 5; k++)
			say(((long (*)(void))(a + 64))() == pid && ((long (*)(void))(b + 64))() == pid, "at two places");
		munmap(a, PAGE);
		for (int k = 0; k < 5; k++)
			say(((long (*)(void))(b + 64))() == pid, "at one of them");
		/* something else where it was */
		a = mmap(b, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		memcpy(a, "\xb8\x6e\0\0\0\x0f\x05\xc3", 8);	/* getppid */
		mprotect(a, PAGE, PROT_READ | PROT_EXEC);
		for (int k = 0; k < 3; k++)
			say(((long (*)(void))a)() == getppid(), "what was written there instead");
		/* leave a hole of another size, so that the next comes elsewhere */
		munmap(a, PAGE);
		mmap(NULL, (3 + 2 * i) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
}

/* Threads run where the main one changes rights again and again, so that sites are patched and taken back under them. */
static volatile bool over;

static void *runner(void *arg)
{
	bool good = true;

	while (!over)
		good &= site_number() == pid && site_moves(SYS_kill, pid, 0) == 0 && site_after(0, SYS_getpid) == pid + 1 &&
			site_both() == 0 && site_redzone() == pid;
	return good ? arg : NULL;
}

static void toggle(void)
{
	void *page = page_of((void *)site_number), *ret;
	pthread_t t[3];
	bool good = true;

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, runner, t);
	for (int i = 0; i < 2000; i++) {
		good &= !mprotect(page, PAGE, i % 2 ? PROT_READ | PROT_EXEC : PROT_EXEC);
		if (i % 4 == 0)
			usleep(20 * (i % 32));
	}
	over = true;
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &ret);
		good &= ret == t;
	}
	say(good, "three threads, 2000 changes");
}

/* ---- code that a program makes ---- */

static void jit(void)
{
	static const char getpid_code[] = "\xb8\x27\0\0\0\x0f\x05\xc3";
	char *rw = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *rwx, *shared;
	int fd = memfd_create("jit", 0);

	memcpy(rw, getpid_code, 8);
	mprotect(rw, PAGE, PROT_READ | PROT_EXEC);
	rwx = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(rwx, getpid_code, 8);
	if (ftruncate(fd, PAGE) || pwrite(fd, getpid_code, 8, 0) != 8)
		exit(2);
	shared = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	for (int i = 0; i < 10; i++) {
		say(((long (*)(void))rw)() == pid, "made, then executable");
		say(((long (*)(void))rwx)() == (i % 2 ? getppid() : pid), "made while it runs");
		rwx[1] = i % 2 ? SYS_getpid : SYS_getppid;
		say(((long (*)(void))shared)() == (i % 2 ? getppid() : pid), "shared");
		if (pwrite(fd, i % 2 ? "\x27" : "\x6e", 1, 1) != 1)
			exit(2);
	}
	say(!memcmp(rw, getpid_code, 8), "nobody changed it");
}

/* ---- fork and exec ---- */

static int wait_for(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void forks(void)
{
	long (*volatile fn)(void) = (long (*)(void))(sites_pages + 64);
	pid_t child;

	fflush(stdout);
	site_number();
	fn();
	for (int i = 0; i < 3; i++) {
		child = fork();
		if (!child) {
			bool good = site_number() == getpid() && fn() == getpid() && site_after(0, SYS_getpid) == getpid() + 1;

			/* the child's own text changes, the parent's does not */
			mprotect(page_of((void *)fn), PAGE, PROT_READ | PROT_WRITE);
			((char *)fn)[1] = SYS_getppid;
			mprotect(page_of((void *)fn), PAGE, PROT_READ | PROT_EXEC);
			good &= fn() == pid && fn() == pid;
			_exit(!good);
		}
		say(wait_for(child) == 0, "the child");
		say(fn() == pid && site_number() == pid, "the parent after it");
		child = vfork();
		if (!child) {
			if (fn() != getpid() || site_after(0, SYS_getpid) != getpid() + 1)
				_exit(1);
			execl("/proc/self/exe", "patch", "shapes", "quiet", NULL);
			_exit(2);
		}
		say(wait_for(child) == 0, "vfork and exec");
		say(fn() == pid && site_number() == pid, "the parent after that");
	}
	/* the first to come to this site is a child: what it found must not lead the parent astray */
	fn = (long (*)(void))(sites_pages + 3 * PAGE + 64);
	child = fork();
	if (!child)
		_exit(!(fn() == getpid() && fn() == getpid()));
	say(wait_for(child) == 0, "the child came first");
	say(fn() == pid && fn() == pid, "then the parent");
}

/* ---- flags that change how the processor runs ---- */

static volatile long nr_steps;

static void on_step(int sig)
{
	(void)sig;
	nr_steps = nr_steps + 1;
}

static long number_twice(void)
{
	return site_number() == site_number() ? site_number() : -1;
}

static void flags(void)
{
	signal(SIGTRAP, on_step);
	site_number();
	say(step(site_number) == pid, "step by step");
	say(nr_steps >= 3 && nr_steps < 20, "some steps");
	say(step(site_number) == pid, "again");
	say(aligned(number_twice) == pid, "with alignment checks");
	say(site_number() == pid && site_after(0, SYS_getpid) == pid + 1, "as ever");
}

/* ---- many pages ---- */

static void many(void)
{
	bool good = true;

	for (int turn = 0; turn < 3; turn++)
		for (int i = 0; i < NR_PAGES; i++)
			good &= ((long (*)(void))(sites_pages + i * PAGE + 64))() == pid;
	say(good, "400 pages, three times");
}

/* ---- inside only ---- */

static void sealed(void)
{
	void *low = (void *)LOW;
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[200];
	bool there = false;

	while (maps && fgets(line, sizeof(line), maps))
		there |= strstr(line, "[litebox]") && !strncmp(line, "605ff000-60650000 r-xp", 22);
	say(there, "in /proc/self/maps");
	say(munmap(low, PAGE) == -1 && errno == EPERM, "munmap");
	say(munmap((void *)0x60000000, 0x1000000) == -1 && errno == EPERM, "munmap of more");
	say(mprotect(low, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EPERM, "mprotect");
	say(mmap(low, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EPERM,
	    "mmap over it");
	say(mmap(low, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST,
	    "mmap there");
	say(mremap(low, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)0x70000000) == MAP_FAILED && errno == EPERM, "mremap");
	say(mremap(page_of(line), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, low) == MAP_FAILED && errno == EPERM, "mremap onto it");
	say(madvise(low, PAGE, MADV_DONTNEED) == -1 && errno == EPERM, "madvise");
	say(madvise(low, PAGE, MADV_DONTFORK) == -1 && errno == EPERM, "madvise for forks");
	call_all();
}

/* Who jumps there, or writes, hurts nobody else. */
static void wild(void)
{
	static const unsigned long at[] = { 0, 8, 0x1000, 0x1001, 0x1008, 0x10ff8, 0x11000, 0x11001, 0x11005, 0x11009, 0x11040, 0x11046,
		0x1104d, 0x20000, 0x50ff0 };
	int died = 0;

	site_number();
	site_after(0, SYS_getpid);
	fflush(stdout);
	for (unsigned i = 0; i < 2 * sizeof(at) / sizeof(at[0]); i++) {
		unsigned long where = LOW + at[i / 2];
		pid_t child = fork();

		if (!child) {
			alarm(5);
			if (i % 2)
				*(volatile long *)where = 0x4141414141414141;
			else
				jump_to((void *)where, SYS_getpid, 0, 0, 0);
			_exit(0);
		}
		died += WIFSIGNALED(wait_for(child));
		if (site_number() != pid || site_after(0, SYS_getpid) != pid + 1) {
			say(false, "the parent");
			return;
		}
	}
	/* writes all die; of the jumps, those to a stub that is in use return to it */
	say(died >= (int)(sizeof(at) / sizeof(at[0])), "the children");
	say(true, "the parent");
}

static const struct {
	const char *name;
	void (*fn)(void);
} tests[] = {
	{ "shapes", shapes }, { "middle", middle }, { "signals", signals }, { "threads", threads }, { "cancel", cancel },
	{ "text", text }, { "toggle", toggle }, { "jit", jit }, { "forks", forks }, { "flags", flags }, { "many", many },
	{ "sealed", sealed }, { "wild", wild },
};

int main(int argc, char **argv)
{
	pid = getpid();
	if (argc > 2 && !freopen("/dev/null", "w", stdout))
		return 2;
	for (unsigned i = 0; argc > 1 && i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (strcmp(tests[i].name, argv[1]))
			continue;
		tests[i].fn();
		return failures ? 1 : 0;
	}
	return 2;
}
