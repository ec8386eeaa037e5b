// SPDX-License-Identifier: MIT
/* Descriptors: numbers against a model, copies, limits, threads that open, use and close the same ones; and locks on files. */
#include "fs_env.h"

#include "fs/fdtable.h"
#include "fs/locks.h"

#define MAX_FD	200

static u64 seed = 42;

static u32 rnd(u32 n) { return env_random(&seed) % n; }

/* What POSIX says of numbers: the lowest that is free; and a count of what is open, to see that no file is lost. */
static void numbers_are_the_lowest_free(void)
{
	bool open[MAX_FD] = { false }, cloexec[MAX_FD] = { false };
	u32 before = files_open();
	struct files *copy;

	current->process->rlim[7].cur = MAX_FD;
	for (int i = 0; i < 20000; i++) {
		u32 fd = rnd(MAX_FD + 5), to = rnd(MAX_FD + 5), low = 0;
		long want, ret;
		bool is = fd < MAX_FD && open[fd];

		switch (rnd(7)) {
		case 0:
			while (low < MAX_FD && open[low])
				low++;
			want = low == MAX_FD ? -EMFILE : (long)low;
			ret = fs_open("/dev/null", O_RDWR | (i & 1 ? O_CLOEXEC : 0), 0);
			if (ret >= 0) {
				open[ret] = true;
				cloexec[ret] = i & 1;
			}
			break;
		case 1:
			want = is ? 0 : -EBADF;
			ret = CALL(close, fd);
			if (is)
				open[fd] = cloexec[fd] = false;
			break;
		case 2:
			for (low = to; low < MAX_FD && open[low]; low++)
				;
			want = !is ? -EBADF : to >= MAX_FD ? -EINVAL : low >= MAX_FD ? -EMFILE : (long)low;
			ret = CALL(fcntl, fd, i & 1 ? 1030 : 0, to);
			if (ret >= 0) {
				open[ret] = true;
				cloexec[ret] = i & 1;
			}
			break;
		case 3:
			want = !is ? -EBADF : to >= MAX_FD ? -EBADF : (long)to;
			ret = CALL(dup2, fd, to);
			if (ret >= 0 && fd != to) {
				open[to] = true;
				cloexec[to] = false;
			}
			break;
		case 4:
			want = fd == to ? -EINVAL : !is || to >= MAX_FD ? -EBADF : (long)to;
			ret = CALL(dup3, fd, to, O_CLOEXEC);
			if (ret >= 0)
				open[to] = cloexec[to] = true;
			break;
		case 5:
			want = !is ? -EBADF : cloexec[fd];
			ret = CALL(fcntl, fd, 1, 0);
			break;
		default:
			if (rnd(40))
				continue;
			to = min(fd + 10, (u32)MAX_FD);
			want = 0;
			ret = CALL(close_range, fd, to, i & 1 ? 4 : 0);
			for (u32 k = fd; k <= to && k < MAX_FD; k++) {
				if (i & 1)
					cloexec[k] = open[k];
				else
					open[k] = cloexec[k] = false;
			}
		}
		if (ret != want) {
			printf("# step %d: fd %u to %u: %ld, not %ld\n", i, fd, to, ret, want);
			unit_bad++;
			return;
		}
	}
	copy = files_dup(current->files);
	files_close_on_exec(copy);
	for (int fd = 0; fd < MAX_FD; fd++) {
		struct file *f = files_get_file(copy, fd, NULL);

		if (!f != !(open[fd] && !cloexec[fd]))
			unit_bad++;
		file_put(f);
	}
	files_put(copy);
	EXPECT_EQ(CALL(close_range, 5, 4, 0), -EINVAL);
	EXPECT_EQ(CALL(close_range, 0, ~0u, 0), 0);
	EXPECT_EQ(files_next(current->files, 0), -1);
	EXPECT_EQ(files_open(), before);
	current->process->rlim[7].cur = 1024;
}

static void tables_grow_to_the_limit_and_no_further(void)
{
	int n = 0;

	current->process->rlim[7].cur = 5000;
	while (fs_open("/dev/zero", O_RDONLY, 0) >= 0)
		n++;
	EXPECT_EQ(n, 5000);
	EXPECT_EQ(fs_open("/dev/zero", O_RDONLY, 0), -EMFILE);
	EXPECT_EQ(CALL(dup, 7), -EMFILE);
	EXPECT_EQ(CALL(close_range, 0, ~0u, 0), 0);
	files_max = 100;
	for (n = 0; fs_open("/dev/zero", O_RDONLY, 0) >= 0; n++)
		;
	EXPECT(n <= 100);
	EXPECT_EQ(fs_open("/dev/zero", O_RDONLY, 0), -ENFILE);
	EXPECT_EQ(CALL(close_range, 0, ~0u, 0), 0);
	files_max = 65536;
	current->process->rlim[7].cur = 1024;
}

static struct fs_state *shared_fs;

/* Whoever gets a file has it until he gives it back, whatever the others close meanwhile: the sanitizer watches. */
static void open_use_close(void *arg)
{
	u64 s = (u64)arg + 99;
	char buf[16];

	fs_state_get(shared_fs);
	current->fs = shared_fs;
	for (int i = 0; i < 20000; i++) {
		u32 r = env_random(&s), fd = r / 8 % 100;

		switch (r % 8) {
		case 0: fs_open("/w/shared", O_RDWR | O_CREAT, 0600); break;
		case 1: CALL(close, fd); break;
		case 2: CALL(dup2, fd, r / 800 % 300); break;
		case 3: CALL(read, fd, buf, 16); break;
		case 4: CALL(write, fd, buf, 1); break;
		case 5: CALL(fcntl, fd, 0, r / 800 % 300); break;
		case 6: CALL(close_range, fd, fd + 3, 0); break;
		default: files_put(files_dup(current->files));
		}
	}
	fs_state_put(shared_fs);
}

static void threads_share_a_table(void)
{
	struct task *t[4];
	u32 before = files_open();

	shared_fs = current->fs;
	for (u64 i = 0; i < 4; i++)
		t[i] = env_thread(open_use_close, (void *)i);
	for (int i = 0; i < 4; i++)
		env_join(t[i]);
	EXPECT_EQ(CALL(close_range, 0, ~0u, 0), 0);
	EXPECT_EQ(files_open(), before);
}

/* ---- locks ---- */

struct flock_abi { s16 type, whence; u32 pad; s64 start, len; s32 pid; u32 pad2; };

static long lock(int fd, u32 cmd, s16 type, s64 start, s64 len)
{
	struct flock_abi fl = { .type = type, .start = start, .len = len };

	return CALL(fcntl, fd, cmd, &fl);
}

#define SETLK	6
#define SETLKW	7
#define OFD_SETLK 37
#define POS	64

/* One file, three owners (a table of descriptors and two open files), 64 positions: every answer against a table of who has what. */
static void locks_agree_with_a_table(void)
{
	u8 held[3][POS] = { { 0 } };	/* 0 none, 1 read, 2 write */
	int fd[3];

	for (int i = 0; i < 3; i++)
		fd[i] = fs_open("locked", O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < 30000; i++) {
		u32 who = rnd(3), start = rnd(POS), len = 1 + rnd(POS - start);
		s16 type = (s16)rnd(3);
		bool conflict = false;
		long want, ret;

		for (u32 o = 0; o < 3; o++)
			for (u32 p = start; p < start + len; p++)
				if (o != who && type != F_UNLCK && held[o][p] && (held[o][p] == 2 || type == F_WRLCK))
					conflict = true;
		want = conflict ? -EAGAIN : 0;
		ret = lock(fd[who], who ? OFD_SETLK : SETLK, type, start, len);
		if (!conflict)
			memset(&held[who][start], type == F_UNLCK ? 0 : type == F_WRLCK ? 2 : 1, len);
		if (ret != want) {
			printf("# step %d: owner %u type %d [%u, +%u): %ld, not %ld\n", i, who, type, start, len, ret, want);
			unit_bad++;
			break;
		}
	}
	/* The table's locks go with any descriptor of the file, an open file's with its last one. */
	for (int i = 0; i < 3; i++)
		lock(fd[i], i ? OFD_SETLK : SETLK, F_UNLCK, 0, 0);
	EXPECT_EQ(lock(fd[0], SETLK, F_WRLCK, 0, 10), 0);
	EXPECT_EQ(lock(fd[1], OFD_SETLK, F_WRLCK, 20, 10), 0);
	EXPECT_EQ(lock(fd[2], OFD_SETLK, F_WRLCK, 5, 1), -EAGAIN);
	CALL(close, fd[1]);
	EXPECT_EQ(lock(fd[2], OFD_SETLK, F_WRLCK, 5, 20), 0);
	EXPECT_EQ(lock(fd[0], SETLK, F_WRLCK, 110, -10), 0);
	EXPECT_EQ(lock(fd[2], OFD_SETLK, F_WRLCK, 100, 1), -EAGAIN);
	EXPECT_EQ(lock(fd[2], OFD_SETLK, F_WRLCK, 110, 1), 0);
	EXPECT_EQ(lock(fd[0], SETLK, F_WRLCK, 5, -10), -EINVAL);
	EXPECT_EQ(lock(fd[0], SETLK, 7, 0, 0), -EINVAL);
	EXPECT_EQ(lock(fd[0], SETLK, F_WRLCK, INT64_MAX, 2), -EOVERFLOW);
	CALL(close, fd[0]);
	CALL(close, fd[2]);
	EXPECT_EQ(CALL(unlink, "locked"), 0);
}

static int shared_fd;
static long waited;

static void wait_for_lock(void *arg __unused)
{
	current->files = files_alloc();
	current->fs = shared_fs;
	shared_fd = fs_open("/w/dead", O_RDWR, 0);
	EXPECT_EQ(lock(shared_fd, SETLK, F_WRLCK, 10, 1), 0);
	__atomic_store_n(&waited, 1, __ATOMIC_SEQ_CST);
	EXPECT_EQ(lock(shared_fd, SETLKW, F_WRLCK, 0, 1), 0);
	files_put(current->files);
	current->files = NULL;
	__atomic_store_n(&waited, 2, __ATOMIC_SEQ_CST);
}

/* A has byte 0 and wants byte 10, B the other way round. */
static void deadlocks_are_refused(void)
{
	int fd = fs_open("dead", O_RDWR | O_CREAT, 0600);
	static struct task *t;	/* static: a process that nobody waits for is no leak of ours */

	t = fake_task(NULL);
	shared_fs = current->fs;
	env_dress(t, NULL);
	EXPECT_EQ(lock(fd, SETLK, F_WRLCK, 0, 1), 0);
	fake_run(t, wait_for_lock, NULL);
	while (__atomic_load_n(&waited, __ATOMIC_SEQ_CST) != 1)
		env_sleep_ms(1);
	env_sleep_ms(50);
	EXPECT_EQ(lock(fd, SETLKW, F_WRLCK, 10, 1), -EDEADLK);
	EXPECT_EQ(waited, 1);
	EXPECT_EQ(lock(fd, SETLK, F_UNLCK, 0, 1), 0);
	fake_join(t);
	EXPECT_EQ(waited, 2);
	EXPECT_EQ(lock(fd, SETLKW, F_WRLCK, 10, 1), 0);
	CALL(close, fd);
}

static void flock_belongs_to_the_open_file(void)
{
	int a = fs_open("fl", O_RDWR | O_CREAT, 0600), b = fs_open("fl", O_RDONLY, 0), c = (int)CALL(dup, a);

	EXPECT_EQ(CALL(flock, a, LOCK_EX | LOCK_NB), 0);
	EXPECT_EQ(CALL(flock, c, LOCK_EX | LOCK_NB), 0);
	EXPECT_EQ(CALL(flock, b, LOCK_SH | LOCK_NB), -EAGAIN);
	EXPECT_EQ(lock(a, SETLK, F_WRLCK, 0, 0), 0);	/* another kind of lock altogether */
	EXPECT_EQ(CALL(flock, a, LOCK_SH | LOCK_NB), 0);
	EXPECT_EQ(CALL(flock, b, LOCK_SH | LOCK_NB), 0);
	EXPECT_EQ(CALL(flock, b, LOCK_EX | LOCK_NB), -EAGAIN);
	EXPECT_EQ(CALL(flock, a, LOCK_EX | LOCK_NB), 0);	/* b lost its lock in trying: flock(2) */
	CALL(close, a);
	EXPECT_EQ(CALL(flock, b, LOCK_EX | LOCK_NB), -EAGAIN);
	CALL(close, c);
	EXPECT_EQ(CALL(flock, b, LOCK_EX | LOCK_NB), 0);
	EXPECT_EQ(CALL(flock, b, 99), -EINVAL);
	EXPECT_EQ(CALL(flock, 99, LOCK_EX), -EBADF);
	CALL(close, b);
}

static void path_descriptors_do_little(void)
{
	int p, fd;
	char buf[8];

	fs_put("opath", "x");
	p = fs_open("opath", O_PATH, 0);
	EXPECT_EQ(CALL(read, p, buf, 8), -EBADF);
	EXPECT_EQ(CALL(fchmod, p, 0600), -EBADF);
	EXPECT_EQ(CALL(ioctl, p, 0x541b, buf), -EBADF);
	EXPECT_EQ(CALL(fcntl, p, 3, 0), O_PATH);
	EXPECT_EQ(CALL(fcntl, p, 4, 0), -EBADF);
	fd = (int)CALL(fcntl, p, 0, 0);
	EXPECT(fd >= 0);
	EXPECT_EQ(CALL(faccessat2, p, "", 4, AT_EMPTY_PATH), 0);
	EXPECT_EQ(CALL(openat, p, "x", O_RDONLY, 0), -ENOTDIR);
	CALL(close, fd);
	CALL(close, p);
}

int main(void)
{
	fs_boot();
	RUN(numbers_are_the_lowest_free);
	RUN(tables_grow_to_the_limit_and_no_further);
	RUN(threads_share_a_table);
	RUN(locks_agree_with_a_table);
	RUN(deadlocks_are_refused);
	RUN(flock_belongs_to_the_open_file);
	RUN(path_descriptors_do_little);
	return unit_done();
}
