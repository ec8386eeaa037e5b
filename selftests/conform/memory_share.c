// SPDX-License-Identifier: MIT
/* Memory that processes and files share: coherence, truncation, memfd seals, copy on write, /proc/self/maps. */
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "conform.h"

static sigjmp_buf env;

static void fault(int sig)
{
	siglongjmp(env, sig);
}

static char peek(const volatile char *p)
{
	int sig = sigsetjmp(env, 1);

	return sig == SIGBUS ? 'B' : sig == SIGSEGV ? 'S' : *p ? *p : '0';
}

static void catch(void)
{
	signal(SIGBUS, fault);
	signal(SIGSEGV, fault);
}

static int file(const char *name, size_t size)
{
	int fd = MUST(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));

	MUST(ftruncate(fd, (off_t)size));
	return fd;
}

static char *map(int fd, size_t len, int flags)
{
	return MUST(mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0));
}

TEST(coherence)
{
	int fd = file("f", 2 * PAGE), fd2 = MUST(open("f", O_RDWR));
	char *a = map(fd, 2 * PAGE, MAP_SHARED), *b = map(fd2, 2 * PAGE, MAP_SHARED);
	char *p = map(fd, 2 * PAGE, MAP_PRIVATE), buf[32] = "";

	a[10] = 'x';
	say("map_to_map", "%c", b[10]);
	MUST(pread(fd2, buf, 1, 10));
	say("map_to_read", "%c", buf[0]);
	MUST(pwrite(fd2, "written", 7, (off_t)PAGE - 3));
	say("write_to_map", "%.7s", a + PAGE - 3);
	say("private_untouched_sees", "%c", p[10]);
	p[10] = 'p';
	say("private_write", "%c %c", p[10], a[10]);
	MUST(pwrite(fd, "N", 1, 10));
	say("private_after_write", "%c %c", p[10], a[10]);
	close(fd);
	close(fd2);
	a[11] = 'y';
	say("after_close", "%c", b[11]);
	MUST(unlink("f"));
	a[12] = 'z';
	say("after_unlink", "%c", b[12]);
	MUST(munmap(a, 2 * PAGE));
	say("other_stays", "%c", b[12]);
}

TEST(between_processes)
{
	int fd = file("f", 3 * PAGE), p[2], q[2];
	volatile char *a = map(fd, 3 * PAGE, MAP_SHARED);
	volatile char *anon = MUST(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	char c;
	pid_t pid;

	MUST(pipe(p));
	MUST(pipe(q));
	pid = xfork();
	if (!pid) {
		int f = MUST(open("f", O_RDWR));
		volatile char *m;

		a[0] = 'c';
		anon[0] = 'd';
		m = map(f, 3 * PAGE, MAP_SHARED);
		m[PAGE] = 'e';
		MUST(pwrite(f, "w", 1, 2 * PAGE));
		MUST(write(p[1], "1", 1));
		MUST(read(q[0], &c, 1));
		say("child", "%c%c%c%c", a[1], m[PAGE + 1], anon[1], a[2 * PAGE + 1]);
		_exit(0);
	}
	MUST(read(p[0], &c, 1));
	say("parent", "%c%c%c%c", a[0], a[PAGE], a[2 * PAGE], anon[0]);
	a[1] = 'C', anon[1] = 'D', a[PAGE + 1] = 'E';
	MUST(pwrite(fd, "W", 1, 2 * PAGE + 1));
	MUST(write(q[1], "1", 1));
	xwait(pid);
	/* an executed program reads what was stored through the map, without msync */
	memcpy((void *)a, "echo between_processes.sh: stored\n\0", 35);
	MUST(ftruncate(fd, 34));
	pid = xfork();
	if (!pid) {
		execl("/bin/sh", "sh", "f", NULL);
		_exit(1);
	}
	STR("exec", xwait(pid));
	/* counters in shared memory */
	volatile int *n = (volatile int *)(anon + 64);
	pid_t kids[4];

	for (int i = 0; i < 4; i++) {
		kids[i] = xfork();
		if (!kids[i]) {
			for (int k = 0; k < 5000; k++)
				__atomic_fetch_add(n, 1, __ATOMIC_SEQ_CST);
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		xwait(kids[i]);
	NUM("atomic", *n);
}

TEST(end_of_file)
{
	int fd = file("f", 100);
	char *a = map(fd, 4 * PAGE, MAP_SHARED), buf[8];

	catch();
	say("inside", "%c %c", peek(a), peek(a + 99));
	say("rest_of_page", "%c %c", peek(a + 100), peek(a + PAGE - 1));
	say("beyond", "%c %c", peek(a + PAGE), peek(a + 3 * PAGE));
	a[200] = 'q';	/* past the end, in its page: never gets to the file */
	RET("read_end", pread(fd, buf, 8, 96));
	MUST(ftruncate(fd, 2 * (off_t)PAGE));
	say("grown", "%c %c %c", peek(a + 4000), peek(a + PAGE), peek(a + 2 * PAGE));
	a[PAGE] = 'r';
	MUST(ftruncate(fd, (off_t)PAGE));
	say("cut", "%c %c", peek(a), peek(a + PAGE));
	MUST(ftruncate(fd, 2 * (off_t)PAGE));
	say("cut_and_grown", "%c", peek(a + PAGE));
	MUST(ftruncate(fd, 0));
	say("empty", "%c", peek(a));
	MUST(pwrite(fd, "again", 5, 0));
	say("written", "%c", peek(a));
	/* system calls meet EFAULT where loads meet SIGBUS */
	int p[2];

	MUST(pipe(p));
	RET("write_from_beyond", write(p[1], a + PAGE, 10));
	RET("read_into_beyond", (MUST(write(p[1], "0123456789", 10)), read(p[0], a + 2 * PAGE, 10)));
	/* private maps too, unless the page was already copied */
	MUST(ftruncate(fd, 2 * (off_t)PAGE));
	char *b = map(fd, 2 * PAGE, MAP_PRIVATE);

	b[0] = 'o';
	MUST(ftruncate(fd, 0));
	say("private", "%c %c", peek(b), peek(b + PAGE));
}

TEST(truncate_by_other)
{
	int fd = file("f", 4 * PAGE), p[2];
	char *a = map(fd, 4 * PAGE, MAP_SHARED), c;
	pid_t pid;

	catch();
	a[3 * PAGE] = 'L';
	MUST(pipe(p));
	pid = xfork();
	if (!pid) {
		MUST(truncate("f", (off_t)PAGE));
		_exit(0);
	}
	xwait(pid);
	say("after", "%c %c", peek(a), peek(a + 3 * PAGE));
	(void)c;
	/* the other way round */
	MUST(ftruncate(fd, 4 * (off_t)PAGE));
	pid = xfork();
	if (!pid) {
		char d;

		MUST(read(p[0], &d, 1));
		say("child", "%c %c", peek(a), peek(a + 2 * PAGE));
		_exit(0);
	}
	MUST(ftruncate(fd, 10));
	MUST(write(p[1], "x", 1));
	xwait(pid);
}

TEST(copy_on_write)
{
	char *a = MUST(mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int p[2], sum = 0;
	char c;
	pid_t pid;

	MUST(pipe(p));
	memset(a, 'p', 64 * PAGE);
	pid = xfork();
	if (!pid) {
		for (int i = 0; i < 64; i += 2)
			a[i * PAGE] = 'c';
		MUST(read(p[0], &c, 1));
		for (int i = 0; i < 64; i++)
			sum += a[i * PAGE] == (i % 2 ? 'p' : 'c');
		NUM("child", sum);
		/* a grandchild sees the child's */
		if (!xfork()) {
			say("grandchild", "%c%c", a[0], a[PAGE]);
			_exit(0);
		}
		wait(NULL);
		_exit(0);
	}
	for (int i = 1; i < 64; i += 4)
		a[i * PAGE] = 'P';
	MUST(write(p[1], "x", 1));
	for (int i = 0; i < 64; i++)
		sum += a[i * PAGE] == (i % 4 == 1 ? 'P' : 'p');
	NUM("parent", sum);
	xwait(pid);
	/* a system call writes into a page that is shared copy-on-write */
	pid = xfork();
	if (!pid) {
		MUST(write(p[1], "KERNEL", 6));
		MUST(read(p[0], a, 6));
		say("syscall.child", "%.6s", a);
		_exit(0);
	}
	xwait(pid);
	say("syscall.parent", "%.6s", a);
}

TEST(memfd)
{
	int fd, fd2;
	struct stat st;
	char *a;

	fd = MUST(memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	NUM("cloexec", fcntl(fd, F_GETFD));
	HEX("fl", fcntl(fd, F_GETFL));
	fstat(fd, &st);
	say("stat", "%o size %ld nlink %ld", st.st_mode, (long)st.st_size, (long)st.st_nlink);
	char link[64];
	ssize_t n = readlink(N("/proc/self/fd/%d", fd), link, sizeof(link));

	say("link", "%.*s", (int)n, link);
	RET("seals", fcntl(fd, F_GET_SEALS));
	MUST(ftruncate(fd, 2 * (off_t)PAGE));
	a = map(fd, PAGE, MAP_SHARED);
	RET("seal_write.mapped", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	RET("seal_shrink", fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	RET("shrink", ftruncate(fd, 10));
	RET("grow", ftruncate(fd, 3 * (off_t)PAGE));
	RET("seal_grow", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	RET("grow.sealed", ftruncate(fd, 4 * (off_t)PAGE));
	RET("write_beyond.sealed", pwrite(fd, "x", 1, 3 * (off_t)PAGE));
	RET("fallocate.sealed", fallocate(fd, 0, 0, 5 * (off_t)PAGE));
	RET("seal_future_write", fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
	a[0] = 'm';
	RET("write.future_sealed", pwrite(fd, "x", 1, 0));
	OK("map.future_sealed", (long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	OK("map_ro.future_sealed", (long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	OK("map_private.future_sealed", (long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	MUST(munmap(a, PAGE));
	RET("seal_write", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	RET("seal_seal", fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	RET("seal.sealed", fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	HEX("seals.are", fcntl(fd, F_GET_SEALS));
	RET("punch.sealed", fallocate(fd, 3, 0, 100));
	fd2 = MUST(memfd_create("", 0));
	RET("noseal.get", fcntl(fd2, F_GET_SEALS));
	RET("noseal.add", fcntl(fd2, F_ADD_SEALS, F_SEAL_GROW));
	RET("badseal", fcntl(fd2, F_ADD_SEALS, 0x100));
	RET("flags", memfd_create("x", 0x100));
	RET("efault", memfd_create((void *)1, 0));
	char name[300];

	memset(name, 'n', sizeof(name));
	name[249] = 0;
	FD("name249", memfd_create(name, 0));
	name[249] = 'n', name[250] = 0;
	FD("name250", memfd_create(name, 0));
	/* over fork, and reopened through /proc */
	MUST(write(fd2, "shared", 6));
	if (!xfork()) {
		MUST(pwrite(fd2, "S", 1, 0));
		_exit(0);
	}
	wait(NULL);
	a = map(fd2, PAGE, MAP_SHARED);
	say("over_fork", "%.6s", a);
	int fd3 = open(N("/proc/self/fd/%d", fd2), O_RDONLY);

	RET("reopened", read(fd3, name, 6));
	RET("reopened.write", write(fd3, "x", 1));
}

TEST(maps)
{
	char line[512], want[64];
	char *a = MUST(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	int fd = file("mapped-file", 2 * PAGE), nr = 0, bad = 0, stack = 0, heap = 0, vdso = 0, self = 0;
	char *m = MUST(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, (off_t)PAGE));
	unsigned long start, end, off, prev = 0;
	char perm[5], path[300];

	free(malloc(100));
	MUST(mprotect(a + PAGE, PAGE, PROT_NONE));
	FILE *f = fopen("/proc/self/maps", "r");

	REQUIRE(f);
	while (fgets(line, sizeof(line), f)) {
		unsigned int maj, min;
		unsigned long ino;

		path[0] = 0;
		if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %299[^\n]", &start, &end, perm, &off, &maj, &min, &ino,
			   path) < 7 || start >= end || start < prev)
			bad++;
		prev = end;
		nr++;
		if (start == (uintptr_t)a + PAGE)
			say("split", "%s %ld pages", perm, (long)((end - start) / PAGE));
		if (start == (uintptr_t)m) {
			struct stat st;

			fstat(fd, &st);
			say("file", "%s off %#lx ino %s path %s", perm, off, ino == st.st_ino ? "right" : "wrong",
			    strrchr(path, '/') ? strrchr(path, '/') : path);
		}
		stack += !!strstr(path, "[stack]") && start <= (uintptr_t)line && (uintptr_t)line < end;
		heap += !!strstr(path, "[heap]");
		vdso += !!strstr(path, "[vdso]");
		self += !strcmp(path, conform_argv0());
	}
	fclose(f);
	say("shape", "bad %d stack %d heap %d vdso %d self %s", bad, stack, heap, vdso, self >= 3 ? "some" : "few");
	snprintf(want, sizeof(want), "%lx-", (unsigned long)(uintptr_t)a);
	MUST(munmap(a, 3 * PAGE));
	f = fopen("/proc/self/maps", "r");
	bool gone = true;

	while (fgets(line, sizeof(line), f))
		gone &= strncmp(line, want, strlen(want)) != 0;
	fclose(f);
	YES("gone", gone);
	unlink("mapped-file");
	f = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "mapped-file"))
			STR("deleted", strstr(line, "mapped-file"));
	fclose(f);
}

TEST(other_process)
{
	char *mine = malloc(16), buf[16] = "";
	pid_t pid;
	int p[2];
	char c;

	strcpy(mine, "parents");
	MUST(pipe(p));
	pid = xfork();
	if (!pid) {
		strcpy(mine, "childs");
		MUST(write(p[1], "x", 1));
		pause();
	}
	MUST(read(p[0], &c, 1));
	struct iovec l = { buf, 7 }, r = { mine, 7 };

	RET("vm_readv", process_vm_readv(pid, &l, 1, &r, 1, 0));
	STR("is", buf);
	r.iov_base = (void *)16;
	RET("vm_readv.bad_remote", process_vm_readv(pid, &l, 1, &r, 1, 0));
	RET("vm_readv.flags", process_vm_readv(pid, &l, 1, &r, 1, 1));
	RET("vm_readv.absent", process_vm_readv(0x3fffffff, &l, 1, &r, 1, 0));
	kill(pid, SIGKILL);
	xwait(pid);
}
