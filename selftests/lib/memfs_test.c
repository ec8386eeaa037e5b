// SPDX-License-Identifier: MIT
/* The bytes of files in memory against an array; holes, limits, seals, and appends of many at once. */
#include "fs_env.h"

#include "fs/memfs.h"

#define SIZE	300000
#define STEPS	20000

static u8 model[SIZE], back[SIZE];
static s64 model_size;
static u64 seed = 7;

static u32 rnd(u32 n) { return env_random(&seed) % n; }

static long model_write(s64 pos, u32 len, u8 with)
{
	memset(model + pos, with, len);
	if (pos + len > model_size)
		model_size = pos + len;
	return len;
}

static void resize_model(s64 size)
{
	if (size < model_size)
		memset(model + size, 0, model_size - size);
	model_size = size;
}

/* Near a page's edge more often than elsewhere. */
static u32 random_pos(u32 max)
{
	u32 p = rnd(max);

	return rnd(3) ? p : min((u32)((p & ~4095u) + rnd(3)), max - 1);
}

static void bytes_agree_with_an_array(void)
{
	int fd = fs_open("bytes", O_RDWR | O_CREAT | O_TRUNC, 0600);
	static u8 buf[20000];

	model_size = 0;
	memset(model, 0, sizeof(model));
	for (int i = 0; i < STEPS; i++) {
		u32 pos = random_pos(SIZE - sizeof(buf)), len = rnd(rnd(4) ? 100 : sizeof(buf));
		long want = 0, ret = 0;
		struct { void *base; u64 len; } vec[3];

		switch (rnd(9)) {
		case 0:
		case 1:
			memset(buf, i | 1, len);
			want = len ? model_write(pos, len, (u8)(i | 1)) : 0;
			ret = CALL(pwrite64, fd, buf, len, pos);
			break;
		case 2:
			memset(buf, i | 1, len);
			vec[0].base = buf;
			vec[0].len = len / 3;
			vec[1].base = NULL;
			vec[1].len = 0;
			vec[2].base = buf;
			vec[2].len = len - len / 3;
			want = len ? model_write(pos, len, (u8)(i | 1)) : 0;
			ret = CALL(pwritev, fd, vec, 3, pos);
			break;
		case 3:
			if (rnd(4))
				pos = (u32)(model_size ? rnd((u32)model_size) : 0);
			resize_model(pos);
			ret = CALL(ftruncate, fd, pos);
			break;
		case 4:
			if (!len)
				continue;
			if (pos < model_size)
				memset(model + pos, 0, min((s64)len, model_size - pos));
			ret = CALL(fallocate, fd, 3, pos, len);
			break;
		case 5:
			if (!len)
				continue;
			if (pos + len > model_size)
				resize_model(pos + len);
			ret = CALL(fallocate, fd, 0, pos, len);
			break;
		case 6:
			if (!len)
				continue;
			if (pos + len > model_size)
				resize_model(pos + len);
			memset(model + pos, 0, len);
			ret = CALL(fallocate, fd, 16, pos, len);
			break;
		default:
			want = pos >= model_size ? 0 : min((s64)len, model_size - pos);
			memset(buf, 0xee, sizeof(buf));
			ret = CALL(pread64, fd, buf, len, pos);
			if (ret == want && ret > 0 && memcmp(buf, model + pos, ret))
				ret = -1;
		}
		if (ret != want) {
			printf("# step %d: pos %u len %u: %ld, not %ld\n", i, pos, len, ret, want);
			unit_bad++;
			break;
		}
	}
	EXPECT_EQ(CALL(lseek, fd, 0, SEEK_END), model_size);
	EXPECT_EQ(CALL(pread64, fd, back, sizeof(back), 0), model_size);
	EXPECT(!memcmp(back, model, model_size));
	CALL(close, fd);
}

static void holes_are_found(void)
{
	int fd = fs_open("holes", O_RDWR | O_CREAT, 0600);
	char x = 'x';

	EXPECT_EQ(CALL(lseek, fd, 0, SEEK_DATA), -ENXIO);
	EXPECT_EQ(CALL(pwrite64, fd, &x, 1, 20 * 4096), 1);
	EXPECT_EQ(CALL(ftruncate, fd, 40 * 4096), 0);
	EXPECT_EQ(CALL(lseek, fd, 0, SEEK_DATA), 20 * 4096);
	EXPECT_EQ(CALL(lseek, fd, 0, SEEK_HOLE), 0);
	EXPECT_EQ(CALL(lseek, fd, 20 * 4096, SEEK_HOLE), 21 * 4096);
	EXPECT_EQ(CALL(lseek, fd, 20 * 4096 + 5, SEEK_DATA), 20 * 4096 + 5);
	EXPECT_EQ(CALL(lseek, fd, 21 * 4096, SEEK_DATA), -ENXIO);
	EXPECT_EQ(CALL(lseek, fd, 40 * 4096, SEEK_HOLE), -ENXIO);
	EXPECT_EQ(CALL(lseek, fd, 39 * 4096, SEEK_HOLE), 39 * 4096);
	EXPECT_EQ(CALL(lseek, fd, -1, SEEK_SET), -EINVAL);
	EXPECT_EQ(CALL(lseek, fd, 0, 9), -EINVAL);
	EXPECT_EQ(CALL(lseek, fd, INT64_MAX, SEEK_END), -EINVAL);
	CALL(close, fd);
}

static void errors_are_those_of_the_manual(void)
{
	int fd = fs_open("err", O_RDWR | O_CREAT, 0600), ro = fs_open("err", O_RDONLY, 0);
	char buf[10] = "";

	EXPECT_EQ(CALL(write, ro, buf, 1), -EBADF);
	EXPECT_EQ(CALL(write, fd, 8, 1), -EFAULT);
	EXPECT_EQ(CALL(write, fd, buf, -1), -EINVAL);
	EXPECT_EQ(CALL(pwrite64, fd, buf, 1, -1), -EINVAL);
	EXPECT_EQ(CALL(pwrite64, fd, buf, 1, INT64_MAX), -EFBIG);
	EXPECT_EQ(CALL(ftruncate, ro, 1), -EINVAL);
	EXPECT_EQ(CALL(ftruncate, fd, -1), -EINVAL);
	EXPECT_EQ(CALL(fallocate, fd, 0, 0, 0), -EINVAL);
	EXPECT_EQ(CALL(fallocate, fd, 2, 0, 1), -EOPNOTSUPP);
	EXPECT_EQ(CALL(fallocate, ro, 0, 0, 1), -EBADF);
	EXPECT_EQ(CALL(writev, fd, 8, 1), -EFAULT);
	EXPECT_EQ(CALL(writev, fd, buf, 2000), -EINVAL);
	EXPECT_EQ(CALL(write, 77, buf, 1), -EBADF);
	current->process->rlim[1].cur = 1000;		/* RLIMIT_FSIZE */
	EXPECT_EQ(CALL(pwrite64, fd, model, 600, 600), 400);
	EXPECT(!env_took_signal(SIGXFSZ));
	EXPECT_EQ(CALL(pwrite64, fd, model, 600, 1000), -EFBIG);
	EXPECT(env_took_signal(SIGXFSZ));
	EXPECT_EQ(CALL(ftruncate, fd, 1001), -EFBIG);
	EXPECT(env_took_signal(SIGXFSZ));
	current->process->rlim[1].cur = RLIM64_INFINITY;
	EXPECT_EQ(CALL(pwritev2, fd, 0, 0, -1, 0, 0x1000), -EOPNOTSUPP);
	CALL(close, fd);
	CALL(close, ro);
}

static struct fs_state *shared_fs;

static void appender(void *arg)
{
	u8 record[64];
	int fd;

	current->fs = shared_fs;
	fd = fs_open("/w/log", O_WRONLY | O_APPEND, 0);
	memset(record, (int)(u64)arg, sizeof(record));
	for (int i = 0; i < 2000; i++)
		EXPECT_EQ(CALL(write, fd, record, sizeof(record)), sizeof(record));
	CALL(close, fd);
}

static void appends_do_not_mix(void)
{
	struct task *t[4];
	u8 *all = malloc(4 * 2000 * 64);
	int fd = fs_open("log", O_RDWR | O_CREAT, 0600), count[5] = { 0 };

	shared_fs = current->fs;
	for (u64 i = 1; i <= 4; i++)
		t[i - 1] = env_thread(appender, (void *)i);
	for (int i = 0; i < 4; i++)
		env_join(t[i]);
	EXPECT_EQ(CALL(read, fd, all, 4 * 2000 * 64), 4 * 2000 * 64);
	for (int i = 0; i < 4 * 2000; i++) {
		for (int k = 1; k < 64; k++)
			unit_bad += all[i * 64 + k] != all[i * 64];
		if (all[i * 64] < 5)
			count[all[i * 64]]++;
	}
	for (int i = 1; i <= 4; i++)
		EXPECT_EQ(count[i], 2000);
	free(all);
	CALL(close, fd);
}

static void seals_hold(void)
{
	int fd = (int)CALL(memfd_create, "m", MFD_ALLOW_SEALING), plain = (int)CALL(memfd_create, "p", 0);
	char buf[8] = "";

	EXPECT_EQ(CALL(fcntl, plain, 1034, 0), F_SEAL_SEAL);
	EXPECT_EQ(CALL(fcntl, plain, 1033, F_SEAL_GROW), -EPERM);
	EXPECT_EQ(CALL(write, fd, buf, 8), 8);
	EXPECT_EQ(CALL(fcntl, fd, 1033, F_SEAL_GROW), 0);
	EXPECT_EQ(CALL(write, fd, buf, 8), -EPERM);
	EXPECT_EQ(CALL(pwrite64, fd, buf, 8, 4), 4);
	EXPECT_EQ(CALL(ftruncate, fd, 9), -EPERM);
	EXPECT_EQ(CALL(fallocate, fd, 0, 0, 100), -EPERM);
	EXPECT_EQ(CALL(ftruncate, fd, 7), 0);
	EXPECT_EQ(CALL(fcntl, fd, 1033, F_SEAL_SHRINK), 0);
	EXPECT_EQ(CALL(ftruncate, fd, 6), -EPERM);
	EXPECT_EQ(CALL(fcntl, fd, 1033, F_SEAL_WRITE), 0);
	EXPECT_EQ(CALL(pwrite64, fd, buf, 1, 0), -EPERM);
	EXPECT_EQ(CALL(fallocate, fd, 3, 0, 1), -EPERM);
	EXPECT_EQ(CALL(fcntl, fd, 1033, F_SEAL_SEAL), 0);
	EXPECT_EQ(CALL(fcntl, fd, 1033, F_SEAL_GROW), -EPERM);
	EXPECT_EQ(CALL(fcntl, fd, 1034, 0), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	EXPECT_EQ(CALL(pread64, fd, buf, 8, 0), 7);
	EXPECT_EQ(CALL(memfd_create, "x", 0x100), -EINVAL);
	EXPECT_EQ(CALL(close, fd), 0);
	EXPECT_EQ(CALL(close, plain), 0);
}

/* From file to file, to and from pipes: no byte lost, none made up. */
static void bytes_move_between_files(void)
{
	int a = fs_open("from", O_RDWR | O_CREAT, 0600), b = fs_open("to", O_RDWR | O_CREAT, 0600), p[2];
	s64 off = 100, off2 = 50;
	long n;

	for (int i = 0; i < SIZE; i++)
		model[i] = (u8)(i * 31 + i / 255);
	EXPECT_EQ(CALL(write, a, model, SIZE), SIZE);
	EXPECT_EQ(CALL(sendfile, b, a, &off, 200000), 200000);
	EXPECT_EQ(off, 200100);
	EXPECT_EQ(CALL(pread64, b, back, SIZE, 0), 200000);
	EXPECT(!memcmp(back, model + 100, 200000));
	off = 0;
	EXPECT_EQ(CALL(copy_file_range, a, &off, b, &off2, SIZE, 0), SIZE);
	EXPECT_EQ(off2, SIZE + 50);
	EXPECT_EQ(CALL(pread64, b, back, SIZE, 50), SIZE);
	EXPECT(!memcmp(back, model, SIZE));
	EXPECT_EQ(CALL(copy_file_range, a, &off, a, &off, 1, 0), -EINVAL);
	EXPECT_EQ(CALL(copy_file_range, a, 0, b, 0, 1, 1), -EINVAL);
	EXPECT_EQ(CALL(pipe2, p, O_NONBLOCK), 0);
	EXPECT_EQ(CALL(splice, a, 0, b, 0, 10, 0), -EINVAL);
	off = 1000;
	n = CALL(splice, a, &off, p[1], 0, 100000, 0);
	EXPECT(n > 0 && n <= 65536);
	EXPECT_EQ(off, 1000 + n);
	EXPECT_EQ(CALL(ftruncate, b, 0), 0);
	EXPECT_EQ(CALL(lseek, b, 0, SEEK_SET), 0);
	EXPECT_EQ(CALL(splice, p[0], 0, b, 0, 10, 0), 10);
	EXPECT_EQ(CALL(splice, p[0], 0, b, 0, 100000, 0), n - 10);
	EXPECT_EQ(CALL(splice, p[0], 0, b, 0, 10, 0), -EAGAIN);
	EXPECT_EQ(CALL(pread64, b, back, SIZE, 0), n);
	EXPECT(!memcmp(back, model + 1000, n));
	EXPECT_EQ(CALL(splice, p[0], &off, b, 0, 10, 0), -ESPIPE);
	EXPECT_EQ(CALL(sendfile, p[1], p[0], 0, 10), -EINVAL);
	for (int i = 0; i < 2; i++)
		CALL(close, p[i]);
	CALL(close, a);
	CALL(close, b);
}

static void devices_do_what_they_say(void)
{
	int null = fs_open("/dev/null", O_RDWR, 0), zero = fs_open("/dev/zero", O_RDWR, 0), full = fs_open("/dev/full", O_RDWR, 0);
	int urandom = fs_open("/dev/urandom", O_RDONLY, 0);
	u8 a[100], b[100];

	memset(a, 1, 100);
	EXPECT_EQ(CALL(write, null, a, 100), 100);
	EXPECT_EQ(CALL(read, null, a, 100), 0);
	EXPECT_EQ(CALL(read, zero, a, 100), 100);
	EXPECT(!a[0] && !memcmp(a, a + 1, 99));
	EXPECT_EQ(CALL(read, zero, 8, 100), -EFAULT);
	EXPECT_EQ(CALL(write, full, a, 1), -ENOSPC);
	EXPECT_EQ(CALL(read, urandom, a, 100), 100);
	EXPECT_EQ(CALL(read, urandom, b, 100), 100);
	EXPECT(memcmp(a, b, 100));
	EXPECT_EQ(CALL(ftruncate, null, 0), -EINVAL);
	EXPECT_EQ(fs_open("/dev/tty", O_RDWR, 0), -ENXIO);
	CALL(close_range, 0, ~0u, 0);
}

static void a_limit_is_a_limit(void)
{
	struct super *sb = memfs_super("tmpfs", 0777);
	struct kstatfs st;
	struct path at;
	int fd;

	EXPECT_EQ(memfs_set_limit(sb, 20 * 4096), 0);
	EXPECT_EQ(fs_mkdir("limited"), 0);
	EXPECT_EQ(path_lookup(AT_FDCWD, "limited", 0, &at), 0);
	EXPECT_EQ(vfs_mount(sb, &at, 0, "tmpfs", NULL), 0);
	super_put(sb);
	path_put(&at);
	fd = fs_open("limited/f", O_RDWR | O_CREAT, 0600);
	EXPECT_EQ(CALL(write, fd, model, 15 * 4096), 15 * 4096);
	EXPECT_EQ(CALL(write, fd, model, 10 * 4096), 5 * 4096);
	EXPECT_EQ(CALL(write, fd, model, 1), -ENOSPC);
	EXPECT_EQ(CALL(pwrite64, fd, model, 20 * 4096, 0), 20 * 4096);
	EXPECT_EQ(CALL(pwrite64, fd, model, 4096, 20 * 4096 - 10), 10);
	EXPECT_EQ(CALL(statfs, "limited", &st), 0);
	EXPECT_EQ(st.blocks, 20);
	EXPECT_EQ(st.bfree, 0);
	EXPECT_EQ(CALL(ftruncate, fd, 4096), 0);
	EXPECT_EQ(CALL(fallocate, fd, 0, 0, 21 * 4096), -ENOSPC);
	EXPECT_EQ(CALL(fallocate, fd, 0, 0, 20 * 4096), 0);
	EXPECT_EQ(CALL(unlink, "limited/f"), 0);
	EXPECT_EQ(CALL(close, fd), 0);
	EXPECT_EQ(CALL(statfs, "limited", &st), 0);
	EXPECT_EQ(st.bfree, 20);
}

int main(void)
{
	fs_boot();
	RUN(bytes_agree_with_an_array);
	RUN(holes_are_found);
	RUN(errors_are_those_of_the_manual);
	RUN(appends_do_not_mix);
	RUN(seals_hold);
	RUN(bytes_move_between_files);
	RUN(devices_do_what_they_say);
	RUN(a_limit_is_a_limit);
	return unit_done();
}
