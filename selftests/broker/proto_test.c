// SPDX-License-Identifier: MIT
/* 9P2000.L as Linux' client speaks it: what works, and each refusal with its errno. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct fixture f;

static void versions(void)
{
	struct p9c *c = client_new(&f, 0, NULL);
	char v[64];

	tap_eq(p9c_attach(c, 0, "ro"), -EPROTO, "attach before version");
	tap_eq(p9c_version(c, 4095, "9P2000.L", v, sizeof(v)), -EINVAL, "msize below 4096");
	tap_ok(!p9c_version(c, 8192, "9P2000", v, sizeof(v)) && !strcmp(v, "unknown"),
	       "9P2000 is unknown");
	tap_eq(p9c_attach(c, 0, "ro"), -EPROTO, "attach after an unknown version");
	tap_ok(!p9c_version(c, 8192, "9P2000.L", v, sizeof(v)) && !strcmp(v, "9P2000.L") &&
	       c->msize == 8192, "9P2000.L, msize as asked");
	tap_eq(p9c_attach(c, 0, "ro"), 0, "attach");
	tap_eq(p9c_attach(c, 0, "rw"), -EINVAL, "attach to a fid in use");
	tap_eq(p9c_attach(c, P9C_NOFID, "rw"), -EBADF, "attach to NOFID");
	tap_eq(p9c_attach(c, 1, "nope"), -ENOENT, "attach to an export that is not there");
	tap_eq(p9c_simple2(c, 204, 0, 0), -EOPNOTSUPP, "Tgrant without the extension");
	tap_ok(!p9c_version(c, 8192, "9P2000.L.lbx", v, sizeof(v)) && !strcmp(v, "9P2000.L"),
	       "no extension with a small msize");
	tap_eq(p9c_clunk(c, 0), -EBADF, "a version clunks all fids");
	tap_ok(!p9c_version(c, 1 << 30, "9P2000.L.lbx", v, sizeof(v)) &&
	       !strcmp(v, "9P2000.L.lbx") && c->msize == 65560, "the extension, msize capped");
	p9c_begin(c, 102);
	p9c_u32(c, 5);
	p9c_str(c, "u");
	p9c_str(c, "ro");
	p9c_u32(c, 0);
	tap_eq(p9c_call(c), -ENOENT, "Tauth: none needed");
	p9c_begin(c, 108);
	p9c_u16(c, 77);
	tap_eq(p9c_call(c), 0, "Tflush of an old tag");
	p9c_begin(c, 250);
	tap_eq(p9c_call(c), -EOPNOTSUPP, "an unknown message");
	client_free(c);
}

static void walks(struct p9c *c)
{
	char longname[300];
	struct p9c_attr a, b;

	tap_eq(p9c_walk(c, 0, 10, ""), 0, "walk of no names clones");
	tap_eq(p9c_walk(c, 10, 11, "dir/sub/deep/leaf"), 4, "walk of four names");
	tap_ok(!p9c_getattr(c, 11, &a) && S_ISREG(a.mode) && a.size == 6, "the leaf's attributes");
	tap_eq(p9c_walk(c, 0, 12, "nope"), -ENOENT, "walk to a missing name");
	tap_eq(p9c_walk(c, 0, 12, "dir/nope/x"), 1, "partial walk: one of three");
	tap_eq(p9c_clunk(c, 12), -EBADF, "a partial walk makes no fid");
	tap_eq(p9c_walk(c, 0, 12, "file/x"), 1, "walk through a file stops");
	tap_eq(p9c_walk(c, 11, 12, "x"), -ENOTDIR, "walk from a file");
	tap_eq(p9c_walk(c, 0, 12, "dirlink/a"), 1, "walk through a symlink stops at it");
	tap_eq(p9c_walk(c, 0, 12, "link"), 1, "walk to a symlink");
	tap_ok(!p9c_getattr(c, 12, &a) && S_ISLNK(a.mode), "it is not followed");
	tap_eq(p9c_walk(c, 12, 13, "x"), -ENOTDIR, "walk from a symlink");
	p9c_clunk(c, 12);
	tap_eq(p9c_walk(c, 0, 11, "file"), -EINVAL, "walk to a fid in use");
	tap_eq(p9c_walk(c, 0, P9C_NOFID, "file"), -EBADF, "walk to NOFID");
	tap_eq(p9c_walk(c, 99, 12, "file"), -EBADF, "walk from an unknown fid");
	tap_eq(p9c_walk(c, 0, 12, "dir/./sub/."), 4, "\".\" is where it is");
	tap_eq(p9c_walk(c, 12, 13, "../a"), 2, "and no more");
	p9c_clunk(c, 12);
	p9c_clunk(c, 13);
	tap_eq(p9c_walk(c, 11, 12, "."), -ENOTDIR, "\".\" of a file");
	p9c_begin(c, 110);
	p9c_u32(c, 0);
	p9c_u32(c, 12);
	p9c_u16(c, 1);
	p9c_str(c, "");
	tap_eq(p9c_call(c), -EINVAL, "the empty name");
	p9c_begin(c, 110);
	p9c_u32(c, 0);
	p9c_u32(c, 12);
	p9c_u16(c, 1);
	p9c_str(c, "dir/a");
	tap_eq(p9c_call(c), -EINVAL, "a name with a slash");
	p9c_begin(c, 110);
	p9c_u32(c, 0);
	p9c_u32(c, 12);
	p9c_u16(c, 1);
	p9c_u16(c, 6);
	p9c_bytes(c, "file\0x", 6);
	tap_eq(p9c_call(c), -EINVAL, "a name with a zero byte");
	memset(longname, 'x', 256);
	longname[256] = 0;
	tap_eq(p9c_walk(c, 0, 12, longname), -ENAMETOOLONG, "a name of 256 bytes");
	longname[255] = 0;
	tap_eq(p9c_walk(c, 0, 12, longname), -ENOENT, "a name of 255 bytes");

	tap_eq(p9c_walk(c, 0, 12, ".."), 1, "\"..\" at the root");
	p9c_getattr(c, 0, &a);
	tap_ok(!p9c_getattr(c, 12, &b) && a.qid.path == b.qid.path, "stays at the root");
	p9c_clunk(c, 12);
	tap_eq(p9c_walk(c, 0, 12, "dir/sub/../../../../.."), 7, "many \"..\"");
	tap_ok(!p9c_getattr(c, 12, &b) && a.qid.path == b.qid.path, "end at the root");
	p9c_clunk(c, 12);
	tap_eq(p9c_walk(c, 0, 12, "dir/sub/.."), 3, "\"..\" of a subdirectory");
	p9c_walk(c, 0, 13, "dir");
	p9c_getattr(c, 13, &a);
	tap_ok(!p9c_getattr(c, 12, &b) && a.qid.path == b.qid.path, "is its parent");
	tap_eq(p9c_walk(c, 11, 14, ".."), -ENOTDIR, "\"..\" of a file");
	tap_eq(p9c_walk(c, 13, 13, "sub/deep"), 2, "a walk can move its own fid");
	tap_ok(!p9c_getattr(c, 13, &a) && S_ISDIR(a.mode) && a.nlink == 2, "moved");
	tap_eq(p9c_walk(c, 0, 14, "dir/sub/deep/leaf/a/b/c/d/e/f/g/h/i/j/k/l"), 4,
	       "sixteen names are parsed");
	p9c_begin(c, 110);
	p9c_u32(c, 0);
	p9c_u32(c, 14);
	p9c_names(c, "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17");
	tap_eq(p9c_call(c), -EBADMSG, "seventeen names are not");
	for (uint32_t i = 10; i < 14; i++)
		p9c_clunk(c, i);
}

static void opens(struct p9c *c)
{
	static const struct { const char *name; uint32_t flags; int want; } t[] = {
		{ "file", O_RDONLY, 0 }, { "file", 0100000 | 02000000, 0 },
		{ "file", O_WRONLY, -EROFS }, { "file", O_RDWR, -EROFS },
		{ "file", 01000, -EROFS }, { "file", 3, -EINVAL }, { "file", 1u << 30, -EINVAL },
		{ "file", 0200000, -ENOTDIR },
		{ "dir", O_RDONLY, 0 }, { "dir", 0200000, 0 }, { "dir", O_WRONLY, -EISDIR },
		{ "dir", 01000, -EISDIR },
		{ "link", O_RDONLY, -ELOOP }, { "abslink", O_RDONLY, -ELOOP },
		{ "fifo", O_RDONLY, -EACCES }, { "fifo", O_WRONLY, -EACCES },
		{ "fifo", O_RDWR, -EACCES }, { "sock", O_RDONLY, -ENXIO },
		{ "null", O_RDWR, -EACCES }, { "noread", O_RDONLY, -EACCES },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int want = t[i].want;

		if (!strcmp(t[i].name, "null") && geteuid()) {
			tap_skip("open of a device", "only root can make one");
			continue;
		}
		if (!strcmp(t[i].name, "noread") && !geteuid())
			want = 0;
		p9c_walk(c, 0, 10, t[i].name);
		tap_eq(p9c_open(c, 10, t[i].flags), want, "open %s with 0%o", t[i].name, t[i].flags);
		p9c_clunk(c, 10);
	}
	tap_eq(p9c_open(c, 99, 0), -EBADF, "open of an unknown fid");
	p9c_walk(c, 0, 10, "file");
	p9c_open(c, 10, 0);
	tap_eq(p9c_open(c, 10, 0), -EBADF, "open of an open fid");
	tap_eq(p9c_walk(c, 10, 10, "x"), -EBADF, "an open fid is not moved");
	tap_eq(p9c_walk(c, 10, 11, ""), 0, "but it can be cloned");
	tap_eq(p9c_open(c, 11, 0), 0, "and the clone opened");
	p9c_clunk(c, 10);
	tap_eq(p9c_read(c, 11, 0, &(char[9]){ 0 }, 9), 6, "and read when the first is gone");
	p9c_clunk(c, 11);
	tap_ok(strstr(f.log, "/ro/fifo: a FIFO is not opened\n"), "the log names the FIFO");
}

static void io(struct p9c *c)
{
	static char buf[70000], back[70000];
	struct p9c_attr a;

	p9c_walk(c, 0, 10, "big");
	tap_eq(p9c_read(c, 10, 0, buf, 10), -EBADF, "read of a fid that is not open");
	p9c_open(c, 10, 0);
	tap_eq(p9c_read(c, 10, 0, buf, sizeof(buf)), 65560 - 11, "a read is cut to msize");
	tap_eq(p9c_read(c, 10, 199990, buf, 100), 10, "a read at the end is short");
	tap_ok(p9c_read(c, 10, 32, buf, 32) == 32 &&
	       !memcmp(buf, "0123456789abcdef0123456789abcde\n", 32), "and gives the file's bytes");
	tap_eq(p9c_read(c, 10, 200000, buf, 100), 0, "a read past the end is empty");
	tap_eq(p9c_read(c, 10, 1ull << 63, buf, 100), -EINVAL, "a negative offset");
	tap_eq(p9c_write(c, 10, 0, "x", 1), -EBADF, "a write to a file opened for reading");
	p9c_clunk(c, 10);
	p9c_walk(c, 0, 10, "dir");
	p9c_open(c, 10, 0);
	tap_eq(p9c_read(c, 10, 0, buf, 100), -EISDIR, "a read of a directory");
	p9c_clunk(c, 10);

	p9c_walk(c, 1, 10, "");
	tap_eq(p9c_create(c, 10, "new", O_RDWR, 0640), 0, "create");
	memset(buf, 'x', sizeof(buf));
	tap_eq(p9c_write(c, 10, 0, buf, 65536), 65536, "write 64 KiB");
	tap_eq(p9c_write(c, 10, 100000, "end", 3), 3, "write past the end");
	tap_eq(p9c_write(c, 10, ~0ull, "x", 1), -EINVAL, "write at a negative offset");
	tap_ok(!p9c_getattr(c, 10, &a) && a.size == 100003 && (a.mode & 07777) == 0640,
	       "size and mode");
	tap_ok(p9c_read(c, 10, 0, back, 65536) == 65536 && !memcmp(buf, back, 65536), "read back");
	tap_ok(p9c_read(c, 10, 65536, back, 10) == 10 && !memcmp(back, "\0\0\0\0\0", 5), "a hole");
	p9c_simple2(c, 50, 10, 0);
	tap_ok(p9c_done(c), "fsync");
	tap_eq(p9c_simple2(c, 50, 10, 1), 0, "fdatasync");
	tap_eq(p9c_simple2(c, 50, 1, 0), -EBADF, "fsync of a fid that is not open");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "new");
	tap_eq(p9c_open(c, 10, O_WRONLY | 01000), 0, "open with O_TRUNC");
	tap_ok(!p9c_getattr(c, 10, &a) && a.size == 0, "truncates");
	tap_eq(p9c_read(c, 10, 0, back, 1), -EBADF, "a read of a file opened for writing");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "new");
	p9c_open(c, 10, O_WRONLY | 02000);
	p9c_write(c, 10, 0, "one", 3);
	p9c_write(c, 10, 0, "two", 3);
	p9c_getattr(c, 10, &a);
	tap_eq((int64_t)a.size, 6, "O_APPEND appends");
	p9c_clunk(c, 10);
	p9c_unlink(c, 1, "new", 0);
}

static void creates(struct p9c *c)
{
	static const struct { const char *name; uint32_t flags, mode; int want; } t[] = {
		{ "n1", O_WRONLY, 0100644, 0 }, { "n1", O_WRONLY | O_EXCL, 0644, -EEXIST },
		{ "n1", O_RDONLY, 0644, 0 }, { "dir", O_RDONLY, 0644, -EISDIR },
		{ "fifo", O_WRONLY, 0644, -EACCES }, { "fifo", O_RDONLY, 0644, -EACCES },
		{ "link", O_WRONLY, 0644, -ELOOP }, { "abslink", O_WRONLY, 0644, -ELOOP },
		{ "sock", O_WRONLY, 0644, -ENXIO }, { "n2", O_WRONLY, 04755, -EPERM },
		{ "n2", O_WRONLY, 02755, -EPERM }, { "n2", O_WRONLY, 020644, -EINVAL },
		{ "n2", 3, 0644, -EINVAL }, { "n2", 1u << 31, 0644, -EINVAL },
		{ "n2", 0200000, 0644, -EINVAL }, { "a/b", 0, 0644, -EINVAL },
		{ "..", 0, 0644, -EINVAL }, { "", 0, 0644, -EINVAL },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		p9c_walk(c, 1, 10, "");
		tap_eq(p9c_create(c, 10, t[i].name, t[i].flags, t[i].mode), t[i].want,
		       "create \"%s\" with 0%o, mode 0%o", t[i].name, t[i].flags, t[i].mode);
		p9c_clunk(c, 10);
	}
	tap_ok(access(fixture_path(&f, "rw/n2"), F_OK), "what was refused was not made");
	p9c_walk(c, 0, 10, "");
	tap_eq(p9c_create(c, 10, "n3", O_WRONLY, 0644), -EROFS, "create on a read-only export");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "file");
	tap_eq(p9c_create(c, 10, "x", O_WRONLY, 0644), -ENOTDIR, "create in a file");
	p9c_clunk(c, 10);
	p9c_unlink(c, 1, "n1", 0);
}

static void changes(struct p9c *c)
{
	char buf[64];
	struct p9c_attr a;
	struct stat st;

	tap_eq(p9c_mkdir(c, 1, "d1", 0750), 0, "mkdir");
	tap_ok(!stat(fixture_path(&f, "rw/d1"), &st) && (st.st_mode & 07777) == 0750, "its mode");
	tap_eq(p9c_mkdir(c, 1, "d1", 0750), -EEXIST, "mkdir again");
	tap_eq(p9c_mkdir(c, 1, "d2", 02755), -EPERM, "mkdir with a set-group-id bit of its own");
	tap_eq(p9c_mkdir(c, 0, "d2", 0755), -EROFS, "mkdir, read-only");
	tap_eq(p9c_mkdir(c, 1, "../d2", 0755), -EINVAL, "mkdir of a path");
	tap_eq(p9c_symlink(c, 1, "s1", "/etc/passwd"), 0, "symlink");
	p9c_walk(c, 1, 10, "s1");
	tap_ok(!p9c_readlink(c, 10, buf, sizeof(buf)) && !strcmp(buf, "/etc/passwd"), "readlink");
	tap_eq(p9c_readlink(c, 1, buf, sizeof(buf)), -EINVAL, "readlink of a directory");
	tap_eq(p9c_symlink(c, 1, "s2", ""), -ENOENT, "an empty symlink");
	tap_eq(p9c_symlink(c, 0, "s2", "x"), -EROFS, "symlink, read-only");
	tap_eq(p9c_link(c, 1, 10, "s1b"), 0, "a hard link to a symlink");
	tap_ok(!lstat(fixture_path(&f, "rw/s1b"), &st) && S_ISLNK(st.st_mode) && st.st_nlink == 2,
	       "links the symlink itself");
	tap_eq(p9c_setattr(c, 10, 8, 0, 0, 0, 0, 0, 0), -EINVAL,
	       "size of a symlink");
	tap_eq(p9c_setattr(c, 10, 0x1b0, 0, 0, 0, 0, 1000, 5), 0, "times of a symlink");
	tap_ok(!lstat(fixture_path(&f, "rw/s1"), &st) && st.st_mtim.tv_sec == 1000 &&
	       st.st_mtim.tv_nsec == 5, "are its own");
	tap_eq(p9c_setattr(c, 10, 1, 0600, 0, 0, 0, 0, 0), -EOPNOTSUPP, "mode of a symlink");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "file");
	tap_eq(p9c_link(c, 1, 10, "h1"), 0, "a hard link");
	tap_eq(p9c_link(c, 1, 10, "h1"), -EEXIST, "again");
	tap_eq(p9c_link(c, 1, 1, "h2"), -EPERM, "a hard link to a directory");
	p9c_walk(c, 0, 11, "file");
	tap_eq(p9c_link(c, 1, 11, "h2"), -EXDEV, "a hard link from a read-only export to a writable one");
	tap_eq(p9c_link(c, 0, 11, "h2"), -EROFS, "a hard link, read-only");
	p9c_clunk(c, 11);
	p9c_walk(c, 1, 11, "fifo");
	tap_eq(p9c_link(c, 1, 11, "h2"), -EPERM, "a hard link to a FIFO");
	p9c_clunk(c, 11);

	tap_eq(p9c_renameat(c, 1, "h1", 1, "h3"), 0, "renameat");
	p9c_walk(c, 1, 11, "d1");
	tap_eq(p9c_renameat(c, 1, "h3", 11, "h4"), 0, "renameat to another directory");
	tap_eq(p9c_renameat(c, 1, "h3", 11, "h4"), -ENOENT, "again");
	tap_eq(p9c_renameat(c, 0, "file", 1, "stolen"), -EROFS, "renameat out of a read-only export");
	tap_eq(p9c_renameat(c, 1, "file", 0, "x"), -EROFS, "renameat into a read-only export");
	tap_eq(p9c_renameat(c, 1, "..", 1, "x"), -EINVAL, "renameat of \"..\"");
	tap_eq(p9c_unlink(c, 1, "d1", 0x200), -ENOTEMPTY, "rmdir of a full directory");
	tap_eq(p9c_unlink(c, 1, "d1", 0), -EISDIR, "unlink of a directory");
	p9c_walk(c, 11, 12, "h4");
	p9c_begin(c, 20);
	p9c_u32(c, 12);
	p9c_u32(c, 1);
	p9c_str(c, "h5");
	tap_eq(p9c_call(c), 0, "Trename by fid");
	tap_ok(!access(fixture_path(&f, "rw/h5"), F_OK), "moved it");
	tap_eq(p9c_simple(c, 122, 12), 0, "Tremove by fid");
	tap_ok(access(fixture_path(&f, "rw/h5"), F_OK), "removed it");
	tap_eq(p9c_clunk(c, 12), -EBADF, "and its fid");
	tap_eq(p9c_simple(c, 122, 11), 0, "Tremove of a directory");
	p9c_walk(c, 1, 11, "");
	tap_eq(p9c_simple(c, 122, 11), -EBUSY, "Tremove of the root");
	tap_eq(p9c_clunk(c, 11), -EBADF, "clunks it all the same");
	p9c_walk(c, 0, 11, "file");
	tap_eq(p9c_simple(c, 122, 11), -EROFS, "Tremove, read-only");
	p9c_walk(c, 1, 11, "empty");
	unlink(fixture_path(&f, "rw/empty"));
	close(open(fixture_path(&f, "rw/empty"), O_CREAT | O_WRONLY, 0644));
	tap_eq(p9c_simple(c, 122, 11), -ENOENT, "Tremove of a file that was replaced");
	tap_ok(!access(fixture_path(&f, "rw/empty"), F_OK), "leaves the new one");
	tap_eq(p9c_unlink(c, 1, "s1", 0x400), -EINVAL, "unlinkat with an unknown flag");
	tap_eq(p9c_unlink(c, 1, "s1", 0), 0, "unlinkat");
	tap_eq(p9c_unlink(c, 1, "s1", 0), -ENOENT, "again");
	p9c_unlink(c, 1, "s1b", 0);
	tap_eq(p9c_unlink(c, 0, "file", 0), -EROFS, "unlinkat, read-only");
	p9c_begin(c, 18);
	p9c_u32(c, 1);
	p9c_str(c, "dev");
	p9c_u32(c, 020666);
	p9c_u32(c, 1);
	p9c_u32(c, 3);
	p9c_u32(c, 0);
	tap_eq(p9c_call(c), -EPERM, "mknod");

	tap_eq(p9c_setattr(c, 10, 1, 0600, 0, 0, 0, 0, 0), 0, "chmod");
	tap_ok(!p9c_getattr(c, 10, &a) && (a.mode & 07777) == 0600, "took");
	tap_eq(p9c_setattr(c, 10, 1, 04755, 0, 0, 0, 0, 0), -EPERM, "chmod u+s");
	tap_eq(p9c_setattr(c, 10, 1, 02755, 0, 0, 0, 0, 0), -EPERM, "chmod g+s");
	tap_eq(p9c_setattr(c, 10, 1, 01755, 0, 0, 0, 0, 0), 0, "chmod +t");
	tap_eq(p9c_setattr(c, 10, 2, 0, a.uid + 1, 0, 0, 0, 0), -EPERM, "chown");
	tap_eq(p9c_setattr(c, 10, 4, 0, 0, a.gid + 1, 0, 0, 0), -EPERM, "chgrp");
	tap_eq(p9c_setattr(c, 10, 6, 0, a.uid, a.gid, 0, 0, 0), 0, "chown to the same");
	tap_eq(p9c_setattr(c, 10, 8, 0, 0, 0, 3, 0, 0), 0, "truncate");
	tap_eq(p9c_setattr(c, 10, 8, 0, 0, 0, 1ull << 63, 0, 0), -EINVAL, "truncate to a negative size");
	tap_eq(p9c_setattr(c, 1, 8, 0, 0, 0, 3, 0, 0), -EISDIR, "truncate of a directory");
	tap_eq(p9c_setattr(c, 10, 0x200, 0, 0, 0, 0, 0, 0), -EINVAL, "an unknown bit");
	tap_eq(p9c_setattr(c, 10, 0x1b0, 0, 0, 0, 0, 1, 1000000000), -EINVAL, "nanoseconds out of range");
	tap_eq(p9c_setattr(c, 10, 0x120, 0, 0, 0, 0, 77, 88), 0, "mtime alone");
	tap_ok(!p9c_getattr(c, 10, &a) && a.size == 3 && a.sec[1] == 77 && a.nsec[1] == 88 &&
	       a.sec[0] > 1000000, "size and times");
	tap_eq(p9c_setattr(c, 10, 0x30, 0, 0, 0, 0, 0, 0), 0, "times to now");
	tap_ok(!p9c_getattr(c, 10, &a) && a.sec[1] > 1000000, "took");
	p9c_clunk(c, 10);
	p9c_walk(c, 0, 10, "file");
	tap_eq(p9c_setattr(c, 10, 1, 0600, 0, 0, 0, 0, 0), -EROFS, "chmod, read-only");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "sock");
	tap_eq(p9c_setattr(c, 10, 1, 0600, 0, 0, 0, 0, 0), -EPERM, "chmod of a socket");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "suid");
	tap_eq(p9c_setattr(c, 10, 1, 04755, 0, 0, 0, 0, 0), 0, "chmod that changes nothing of a set-id file");
	p9c_clunk(c, 10);
}

static void reads_dir(struct p9c *c)
{
	char name[300];
	uint64_t off = 0;
	int n = 0, rounds = 0, seen = 0;
	struct p9c_qid q, root;
	struct p9c_attr a;

	p9c_getattr(c, 0, &a);
	root = a.qid;
	p9c_walk(c, 0, 10, "");
	p9c_begin(c, 40);
	p9c_u32(c, 10);
	p9c_u64(c, 0);
	p9c_u32(c, 100);
	tap_eq(p9c_call(c), -EBADF, "readdir of a fid that is not open");
	p9c_open(c, 10, 0);
	for (;;) {
		uint32_t bytes;

		p9c_begin(c, 40);
		p9c_u32(c, 10);
		p9c_u64(c, off);
		p9c_u32(c, 70);	/* one or two entries a time */
		if (p9c_call(c))
			break;
		bytes = p9c_get_u32(c);
		if (!bytes)
			break;
		rounds++;
		while (c->at < c->in_len && !c->bad) {
			p9c_get_qid(c, &q);
			off = p9c_get_u64(c);
			p9c_get_u8(c);
			p9c_get_str(c, name, sizeof(name));
			n++;
			seen |= !strcmp(name, "file") && q.type == 0 ? 1 : 0;
			seen |= !strcmp(name, "dir") && q.type == 0x80 ? 2 : 0;
			seen |= !strcmp(name, "link") && q.type == 2 ? 4 : 0;
			seen |= !strcmp(name, "..") && q.path == root.path ? 8 : 0;
			seen |= !strcmp(name, ".") && q.path == root.path ? 16 : 0;
		}
	}
	tap_ok(seen == 31 && n == (geteuid() ? 16 : 17) && rounds >= 8,
	       "readdir in small pieces gives each entry once (%d in %d, %d)", n, rounds, seen);
	p9c_begin(c, 40);
	p9c_u32(c, 10);
	p9c_u64(c, 0);
	p9c_u32(c, 20);
	tap_eq(p9c_call(c), -EINVAL, "readdir with no room for one entry");
	p9c_begin(c, 40);
	p9c_u32(c, 10);
	p9c_u64(c, 1ull << 63);
	p9c_u32(c, 1000);
	tap_eq(p9c_call(c), -EINVAL, "readdir at a negative offset");
	p9c_begin(c, 40);
	p9c_u32(c, 10);
	p9c_u64(c, 0);
	p9c_u32(c, ~0u);
	tap_ok(p9c_call(c) == 0 && p9c_get_u32(c) > 400, "readdir from the start again, count ~0");
	p9c_clunk(c, 10);
	p9c_walk(c, 0, 10, "file");
	p9c_open(c, 10, 0);
	p9c_begin(c, 40);
	p9c_u32(c, 10);
	p9c_u64(c, 0);
	p9c_u32(c, 1000);
	tap_eq(p9c_call(c), -ENOTDIR, "readdir of a file");
	p9c_clunk(c, 10);
	tap_eq(p9c_simple(c, 8, 0), 0, "statfs");
	p9c_get_bytes(c, 60);
	tap_ok(p9c_done(c), "its reply is 60 bytes");
}

static int xattr_walk(struct p9c *c, uint32_t fid, uint32_t newfid, const char *name, uint64_t *size)
{
	int ret;

	p9c_begin(c, 30);
	p9c_u32(c, fid);
	p9c_u32(c, newfid);
	p9c_str(c, name);
	ret = p9c_call(c);
	if (!ret)
		*size = p9c_get_u64(c);
	return ret;
}

static int xattr_set(struct p9c *c, uint32_t from, const char *name, const char *value, uint64_t size,
		     uint32_t flags)
{
	int ret, ret2;

	p9c_walk(c, from, 20, "");
	p9c_begin(c, 32);
	p9c_u32(c, 20);
	p9c_str(c, name);
	p9c_u64(c, size);
	p9c_u32(c, flags);
	ret = p9c_call(c);
	if (!ret && *value && p9c_write(c, 20, 0, value, (uint32_t)strlen(value)) < 0)
		ret = -EIO;
	ret2 = p9c_clunk(c, 20);
	return ret ? ret : ret2;
}

static void xattrs(struct p9c *c)
{
	char buf[256];
	uint64_t size = 0;
	bool have = !setxattr(fixture_path(&f, "ro/file"), "user.x", "abc", 3, 0);

	p9c_walk(c, 0, 10, "file");
	tap_eq(xattr_walk(c, 10, 11, "security.capability", &size), -ENODATA, "security.* has no data");
	tap_eq(xattr_walk(c, 10, 11, "trusted.x", &size), -ENODATA, "trusted.* neither");
	tap_eq(xattr_walk(c, 10, 11, "system.posix_acl_access", &size), -EOPNOTSUPP, "no ACLs");
	tap_eq(xattr_walk(c, 10, 11, "user.", &size), -EINVAL, "an empty name");
	p9c_walk(c, 1, 12, "file");
	tap_eq(xattr_set(c, 12, "security.x", "v", 1, 0), -EPERM, "security.* is not set");
	tap_eq(xattr_set(c, 12, "trusted.x", "v", 1, 0), -EPERM, "trusted.* is not set");
	tap_eq(xattr_set(c, 12, "system.posix_acl_access", "v", 1, 0), -EOPNOTSUPP, "no ACL is set");
	tap_eq(xattr_set(c, 12, "user.y", "v", 70000, 0), -E2BIG, "a value that is too long");
	tap_eq(xattr_set(c, 12, "user.y", "v", 1, 4), -EINVAL, "an unknown flag");
	tap_eq(xattr_set(c, 12, "user.y", "v", 2, 0), -EINVAL, "a value that was not written whole");
	tap_eq(xattr_set(c, 12, "user.y", "toolong", 2, 0), -EIO, "a value longer than announced");
	tap_eq(xattr_set(c, 10, "user.y", "v", 1, 0), -EROFS, "a value on a read-only export");
	p9c_walk(c, 1, 13, "fifo");
	tap_eq(xattr_set(c, 13, "user.y", "v", 1, 0), -EPERM, "a value on a FIFO");
	tap_eq(xattr_walk(c, 13, 11, "", &size), 0, "the list of a FIFO is empty");
	p9c_clunk(c, 11);
	p9c_clunk(c, 13);
	if (!have) {
		tap_skip("user.* attributes", "the file system of TMPDIR has none");
		p9c_clunk(c, 10);
		p9c_clunk(c, 12);
		return;
	}
	tap_ok(!xattr_walk(c, 10, 11, "user.x", &size) && size == 3, "a value's size");
	tap_ok(p9c_read(c, 11, 0, buf, 100) == 3 && !memcmp(buf, "abc", 3), "a value");
	tap_ok(p9c_read(c, 11, 2, buf, 100) == 1 && p9c_read(c, 11, 9, buf, 100) == 0, "its rest");
	tap_eq(p9c_write(c, 11, 0, "x", 1), -EBADF, "it is not written");
	tap_eq(p9c_walk(c, 11, 14, ""), -EBADF, "nor walked from");
	p9c_clunk(c, 11);
	tap_eq(xattr_walk(c, 10, 11, "user.none", &size), -ENODATA, "a value that is not there");
	if (!geteuid())
		setxattr(fixture_path(&f, "ro/file"), "trusted.hide", "x", 1, 0);
	tap_ok(!xattr_walk(c, 10, 11, "", &size) && size == 7, "the list has user.* only");
	tap_ok(p9c_read(c, 11, 0, buf, 100) == 7 && !memcmp(buf, "user.x", 7), "its text");
	p9c_clunk(c, 11);
	tap_eq(xattr_set(c, 12, "user.y", "value", 5, 0), 0, "a value is set");
	tap_ok(getxattr(fixture_path(&f, "rw/file"), "user.y", buf, 10) == 5, "on the file");
	tap_eq(xattr_set(c, 12, "user.y", "value", 5, 1), -EEXIST, "XATTR_CREATE");
	tap_eq(xattr_set(c, 12, "user.z", "value", 5, 2), -ENODATA, "XATTR_REPLACE");
	tap_eq(xattr_set(c, 12, "user.y", "", 0, 2), 0, "replaced by nothing");
	tap_ok(getxattr(fixture_path(&f, "rw/file"), "user.y", buf, 10) < 0, "it is removed");
	p9c_clunk(c, 10);
	p9c_clunk(c, 12);
}

static void locks(struct p9c *c)
{
	p9c_walk(c, 1, 10, "file");
	for (int open = 0; open < 2; open++) {
		if (open)
			p9c_open(c, 10, O_RDWR);
		p9c_begin(c, 52);
		p9c_u32(c, 10);
		p9c_u8(c, 1);
		p9c_u32(c, 0);
		p9c_u64(c, 0);
		p9c_u64(c, 0);
		p9c_u32(c, 1);
		p9c_str(c, "client");
		tap_eq(p9c_call(c), open ? 0 : -EBADF, "lock, %s", open ? "open" : "not open");
	}
	tap_eq(p9c_get_u8(c), 0, "is granted");
	p9c_begin(c, 54);
	p9c_u32(c, 10);
	p9c_u8(c, 1);
	p9c_u64(c, 5);
	p9c_u64(c, 6);
	p9c_u32(c, 7);
	p9c_str(c, "client");
	tap_ok(!p9c_call(c) && p9c_get_u8(c) == 2 && p9c_get_u64(c) == 5, "getlock finds none");
	p9c_begin(c, 54);
	p9c_u32(c, 10);
	p9c_u8(c, 9);
	p9c_u64(c, 5);
	p9c_u64(c, 6);
	p9c_u32(c, 7);
	p9c_str(c, "client");
	tap_eq(p9c_call(c), -EINVAL, "getlock of an unknown type");
	p9c_clunk(c, 10);
}

static void single_files(void)
{
	struct p9c *c = client_new(&f, 0, "9P2000.L");
	struct p9c_attr a;
	char buf[10];

	tap_eq(p9c_attach(c, 0, "one"), 0, "attach to a file");
	tap_ok(!p9c_getattr(c, 0, &a) && S_ISREG(a.mode), "is a file");
	tap_eq(p9c_walk(c, 0, 1, "x"), -ENOTDIR, "walk below it");
	tap_eq(p9c_walk(c, 0, 1, ".."), -ENOTDIR, "walk above it");
	tap_eq(p9c_walk(c, 0, 1, ""), 0, "clone it");
	tap_eq(p9c_open(c, 1, O_RDWR), -EROFS, "open it for writing");
	tap_eq(p9c_open(c, 1, 0), 0, "open it");
	tap_eq(p9c_read(c, 1, 0, buf, 10), 6, "read it");
	p9c_attach(c, 2, "onerw");
	tap_eq(p9c_open(c, 2, O_RDWR), 0, "open the writable one");
	tap_eq(p9c_write(c, 2, 0, "HELLO", 5), 5, "write it");
	tap_eq(p9c_simple(c, 122, 2), -EBUSY, "it cannot be removed");
	client_free(c);
}

int main(void)
{
	struct p9c *c;

	fixture_make(&f);
	fixture_start(&f, NULL);
	versions();
	single_files();
	c = client_attached(&f);
	walks(c);
	opens(c);
	io(c);
	creates(c);
	reads_dir(c);
	changes(c);
	xattrs(c);
	locks(c);
	tap_ok(channels_become(&f, 1), "the channels of clients that left are gone");
	tap_ok(files_become(&f, 2), "only the two roots are held");
	client_free(c);
	fixture_end(&f);
	return tap_end();
}
