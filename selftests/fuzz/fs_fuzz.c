// SPDX-License-Identifier: MIT
/*
 * Paths and the calls that take them: the input is a list of calls with names of arbitrary bytes, made in a fresh file system in memory
 * and then, the same list again, in an overlay over what that left. Afterwards nothing may be left: no open file, no memory.
 */
#include "fs_env.h"

#include "fs/fdtable.h"
#include "fs/memfs.h"
#include "fs/overlay.h"

struct input {
	const u8 *at, *end;
};

static u32 byte(struct input *in) { return in->at < in->end ? *in->at++ : 0; }
static u32 word(struct input *in) { u32 low = byte(in); return low | byte(in) << 8; }

/* Mostly a few names that meet again, sometimes raw bytes. */
static char *name(struct input *in, char *buf, size_t size)
{
	static const char *const parts[] = { "a", "b", "c/", "..", ".", "/", "a/b", "../", "a/b/c", "//", "d", "c/..", "w", "long_" };
	u32 n = byte(in), len = 0;

	if (n >= 0xf0) {
		n = word(in) % size;
		while (len < n && in->at < in->end)
			buf[len++] = (char)byte(in);
	} else {
		for (n %= 6; n; n--) {
			const char *p = parts[byte(in) % ARRAY_SIZE(parts)];

			if (len + strlen(p) + 1 >= size)
				break;
			memcpy(buf + len, p, strlen(p));
			len += strlen(p);
		}
	}
	buf[min((size_t)len, size - 1)] = '\0';
	return buf;
}

static int dirfd(struct input *in)
{
	u32 b = byte(in);

	return b & 1 ? AT_FDCWD : (int)(b >> 1) % 12;
}

static void one_call(struct input *in)
{
	static char p[4200], q[4200], data[5000];
	struct open_how how;
	struct kstatfs sfs;
	u64 st[40];
	int d1 = dirfd(in), d2 = dirfd(in), fd;
	u32 op = byte(in), x = word(in);

	name(in, p, sizeof(p));
	switch (op % 30) {
	case 0: CALL(mkdirat, d1, p, x); break;
	case 1: CALL(unlinkat, d1, p, x & 0x200); break;
	case 2: CALL(renameat2, d1, p, d2, name(in, q, sizeof(q)), x % 5); break;
	case 3: CALL(linkat, d1, p, d2, name(in, q, sizeof(q)), x & 0x1400); break;
	case 4: CALL(symlinkat, p, d2, name(in, q, sizeof(q))); break;
	case 5: CALL(readlinkat, d1, p, data, x % 300); break;
	case 6: CALL(fchmodat2, d1, p, x, x & 0x1100); break;
	case 7: CALL(fchownat, d1, p, x & 1 ? 1000 : -1, -1, x & 0x1100); break;
	case 8: CALL(newfstatat, d1, p, st, x & 0x1900); break;
	case 9: CALL(statx, d1, p, x & 0x7900, 0xfff, st); break;
	case 10: CALL(faccessat2, d1, p, x & 7, x & 0x1300); break;
	case 11: CALL(mknodat, d1, p, (x & 0777) | (x & 01000 ? S_IFIFO : S_IFSOCK), 0); break;
	case 12: CALL(chdir, p); break;
	case 13: CALL(fchdir, d1); break;
	case 14: CALL(getcwd, data, x % 5000); break;
	case 15: CALL(close, x % 12); break;
	case 16: CALL(read, x % 12, data, x % 5000); break;
	case 17: CALL(write, x % 12, data, x % 5000); break;
	case 18: CALL(lseek, x % 12, (s64)(s16)x, x % 6); break;
	case 19: CALL(getdents64, x % 12, data, x % 1000); break;
	case 20: CALL(ftruncate, x % 12, x); break;
	case 21: CALL(fallocate, x % 12, x >> 8, x & 0xff, word(in)); break;
	case 22: CALL(dup2, x % 12, x / 12 % 12); break;
	case 23: CALL(fcntl, x % 12, x / 12 % 45, word(in) % 64); break;
	case 24: CALL(setxattr, p, "user.x", data, x % 100, x >> 14); break;
	case 25: CALL(statfs, p, &sfs); break;
	case 26: CALL(utimensat, d1, p, 0, x & 0x1100); break;
	case 27: dcache_prune(x % 64); break;
	default:
		how = (struct open_how){ word(in) & (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND), x & 0777, x >> 10 & 0x3f };
		how.flags |= O_NONBLOCK | (op & 32 ? O_DIRECTORY : 0) | (op & 64 ? O_PATH : 0) | (op & 128 ? O_NOFOLLOW : 0);
		if (x & 1)
			fd = (int)CALL(openat2, d1, p, &how, sizeof(how));
		else
			fd = (int)CALL(openat, d1, p, how.flags | (x & 2 ? (u32)O_TMPFILE : 0), x & 0777);
		if (fd >= 12)
			CALL(close, fd);
	}
}

static void put_mount(struct super *sb, const char *at)
{
	struct path p;

	if (!sb || path_lookup(AT_FDCWD, at, 0, &p) || vfs_mount(sb, &p, 0, "fuzz", NULL))
		abort();
	super_put(sb);
	path_put(&p);
}

static void take_mount(const char *at)
{
	struct path p;

	if (path_lookup(AT_FDCWD, at, 0, &p) || vfs_umount(&p, true))
		abort();
	path_put(&p);
}

static void stand_at(const char *root, const char *cwd)
{
	struct path p, q;

	if (path_lookup(AT_FDCWD, root, 0, &p) || path_lookup(AT_FDCWD, cwd, 0, &q))
		abort();
	fs_state_set_root(current->fs, &p);
	fs_state_set_cwd(current->fs, &q);
}

/* With @at as root: what a list does, it does to its own file system. */
static void run(struct input in, const char *at)
{
	struct path root;

	fs_state_root(current->fs, &root);
	stand_at(at, at);
	while (in.at < in.end)
		one_call(&in);
	fd_close_range(0, ~0u, false);
	fs_state_set_root(current->fs, &root);
	stand_at("/", "/w");
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerInitialize(int *argc __unused, char ***argv __unused)
{
	fs_boot();
	if (fs_mkdir("low") || fs_mkdir("over"))
		abort();
	return 0;
}

/* Return: what is left of @in that was not there before */
static long left_by(struct input in)
{
	struct path low;
	u32 files = files_open();
	long before = fake_allocs;

	put_mount(memfs_super("tmpfs", 0777), "/w/low");
	run(in, "/w/low");
	if (path_lookup(AT_FDCWD, "/w/low", 0, &low))
		abort();
	put_mount(overlay_super(low.dentry->inode), "/w/over");
	path_put(&low);
	run(in, "/w/over");
	take_mount("/w/over");
	take_mount("/w/low");
	while (dcache_prune(100000))
		;
	return (long)(files_open() - files) + max(fake_allocs - before, 0l);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, data + size };

	/* what is made once, by the first who needs it, stays: the second time makes nothing that stays */
	if (!left_by(in))
		return 0;
	fake_allocs_mark();
	if (left_by(in)) {
		fake_allocs_show();
		abort();
	}
	return 0;
}
