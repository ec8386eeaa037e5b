// SPDX-License-Identifier: MIT
/* The extension 9P2000.L.lbx: walk with attributes, open and grant in one round trip. */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARTIAL = 1, GRANT = 2, INLINE = 4, EITHER = 8, NOFID = 16 };
enum { R_FID = 1, R_OPEN = 2, R_GRANT = 4, R_INLINE = 8 };

static struct fixture f;
static struct p9c_walkstat w;

static bool same_file(const struct p9c_attr *a, const char *rel)
{
	struct stat st;

	return !lstat(fixture_path(&f, rel), &st) && a->dev == st.st_dev && a->ino == st.st_ino &&
	       a->mode == st.st_mode && a->size == (uint64_t)st.st_size && a->uid == st.st_uid &&
	       a->nlink == st.st_nlink && a->sec[1] == (uint64_t)st.st_mtim.tv_sec &&
	       a->nsec[2] == (uint64_t)st.st_ctim.tv_nsec && a->rdev == st.st_rdev;
}

static void walkstats(struct p9c *c)
{
	struct p9c_attr a;

	tap_eq(p9c_walkstat(c, 0, 10, 0, "dir/sub/deep/leaf", &w), 0, "walkstat of four names");
	tap_ok(w.status == 0 && w.count == 4 && w.flags == R_FID && !w.target[0], "all walked");
	tap_ok(same_file(&w.attr[0], "ro/dir") && same_file(&w.attr[2], "ro/dir/sub/deep") &&
	       same_file(&w.attr[3], "ro/dir/sub/deep/leaf"), "the attributes are the files'");
	tap_ok(!p9c_getattr(c, 10, &a) && a.qid.path == w.attr[3].qid.path, "newfid is the last");
	tap_eq(p9c_walkstat(c, 0, 10, 0, "file", &w), -EINVAL, "newfid in use");
	p9c_clunk(c, 10);
	tap_eq(p9c_walkstat(c, 0, P9C_NOFID, 0, "dir/a", &w), 0, "walkstat without newfid");
	tap_ok(!w.status && w.count == 2 && w.flags == 0, "gives the attributes alone");
	tap_eq(p9c_walkstat(c, 0, P9C_NOFID, 0, "", &w), 0, "walkstat of no names");
	tap_ok(!w.status && w.count == 1 && same_file(&w.attr[0], "ro"), "is the fid's own");
	tap_eq(p9c_walkstat(c, 0, 10, 0, "dir/none/x", &w), 0, "walkstat to a missing name");
	tap_ok(w.status == ENOENT && w.count == 1 && w.flags == 0, "says how far it came");
	tap_eq(p9c_clunk(c, 10), -EBADF, "and makes no fid");
	tap_eq(p9c_walkstat(c, 0, 10, PARTIAL, "dir/none/x", &w), 0, "unless asked to");
	tap_ok(w.status == ENOENT && w.count == 1 && w.flags == R_FID &&
	       !p9c_getattr(c, 10, &a) && a.qid.path == w.attr[0].qid.path, "of the last that is there");
	p9c_clunk(c, 10);
	p9c_walkstat(c, 0, 10, PARTIAL, "none", &w);
	tap_ok(w.status == ENOENT && w.count == 0 && w.flags == 0 && p9c_clunk(c, 10) == -EBADF,
	       "which the start is not");
	p9c_walkstat(c, 0, 10, PARTIAL, "dirlink/a", &w);
	tap_ok(w.status == ELOOP && w.count == 1 && S_ISLNK(w.attr[0].mode) &&
	       !strcmp(w.target, "dir") && w.flags == R_FID, "a symlink on the way: with its target");
	p9c_clunk(c, 10);
	p9c_walkstat(c, 0, 10, 0, "uplink", &w);
	tap_ok(w.status == 0 && w.count == 1 && !strcmp(w.target, "../outside"),
	       "a symlink at the end: with its target");
	p9c_clunk(c, 10);
	p9c_walkstat(c, 0, 10, PARTIAL, "file/x", &w);
	tap_ok(w.status == ENOTDIR && w.count == 1, "a file on the way");
	p9c_clunk(c, 10);
	p9c_walkstat(c, 0, 10, 0, "fifo", &w);
	tap_ok(!w.status && S_ISFIFO(w.attr[0].mode), "a FIFO's attributes");
	p9c_clunk(c, 10);
	tap_eq(p9c_walkstat(c, 0, 10, 4, "file", &w), -EINVAL, "an unknown flag");
	p9c_walkstat(c, 0, P9C_NOFID, 0, "dir/../..", &w);
	tap_ok(!w.status && w.count == 3 && w.attr[2].ino == w.attr[1].ino, "\"..\" at the root");
	tap_eq(p9c_walkstat(c, 99, 10, 0, "file", &w), -EBADF, "an unknown fid");
}

/* The same in one step: what differs is only what is told of the way. */
static void last_only(struct p9c *c)
{
	static const struct { const char *path; uint32_t status; const char *target; } t[] = {
		{ "dir/sub/deep/leaf", 0, "" }, { "file", 0, "" }, { "dir/a", 0, "" },
		{ "dir/none", ENOENT, "" }, { "none/a", ENOENT, "" }, { "file/x", ENOTDIR, "" },
		{ "dirlink/a", ELOOP, "" }, { "uplink/secret", ELOOP, "" }, { "dir/sub", 0, "" },
		{ "abslink/secret", ELOOP, "" }, { "uplink", 0, "../outside" }, { "fifo", 0, "" },
		{ "dir/../dir/a", EINVAL, "" }, { "../ro", EINVAL, "" }, { "dir/./a", EINVAL, "" },
	};
	char path[600], name[256];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		uint32_t n = 1;
		int ret = p9c_walkstat(c, 0, 10, 2, t[i].path, &w);
		bool fid = p9c_clunk(c, 10) == 0;

		for (const char *p = t[i].path; *p; p++)
			n += *p == '/';
		snprintf(path, sizeof(path), "ro/%s", t[i].path);
		tap_ok(!ret && w.status == t[i].status && !strcmp(w.target, t[i].target) &&
		       w.count == (w.status ? 0 : n) && fid == !w.status &&
		       (w.status || same_file(&w.attr[0], path)), "LAST: %s: %u", t[i].path, w.status);
	}
	tap_eq(p9c_walkstat(c, 0, 10, 3, "dir/a", &w), -EINVAL, "LAST and PARTIAL");
	tap_ok(!p9c_walkstat(c, 0, P9C_NOFID, 2, "", &w) && same_file(&w.attr[0], "ro"),
	       "LAST of no names");
	memset(name, 'n', 255);
	name[255] = 0;
	p9c_walkstat(c, 0, P9C_NOFID, 2, name, &w);
	tap_eq(w.status, ENOENT, "LAST: a name of 255 bytes");
	p9c_begin(c, 200);
	p9c_u32(c, 0);
	p9c_u32(c, P9C_NOFID);
	p9c_u32(c, 2);
	p9c_u16(c, 16);
	for (int i = 0; i < 16; i++)
		p9c_str(c, name);
	tap_ok(!p9c_call(c) && p9c_get_u32(c) == ENOENT, "LAST: sixteen of them, too many for one call");
	tap_ok(!p9c_opengrant(c, 0, 10, GRANT | INLINE | EITHER | NOFID | 32, 0, "dir/sub/deep/leaf", &w) &&
	       w.count == 4 && w.flags == R_INLINE && w.data_len == 6 &&
	       same_file(&w.attr[0], "ro/dir/sub/deep/leaf"), "LAST: opengrant");
	tap_ok(!p9c_opengrant(c, 0, 10, GRANT | 32, 0, "uplink/secret", &w) && w.status == ELOOP &&
	       w.count == 0 && w.flags == 0 && c->got_fd < 0, "LAST: opengrant through a symlink");
}

static int grant(struct p9c *c, uint32_t fid, uint32_t flags, struct p9c_attr *a)
{
	int ret = p9c_simple2(c, 204, fid, flags);

	if (!ret)
		p9c_get_attr(c, a, true);
	return ret ? ret : p9c_done(c) ? 0 : P9C_BROKEN;
}

static void grants(struct p9c *c)
{
	struct p9c_attr a;
	struct stat st;
	char *p;
	int fd;

	p9c_walk(c, 0, 10, "big");
	tap_eq(grant(c, 10, 0, &a), 0, "grant of a file");
	fd = c->got_fd;
	tap_ok(fd >= 0 && !fstat(fd, &st) && st.st_ino == a.ino && st.st_dev == a.dev &&
	       same_file(&a, "ro/big"), "comes with a descriptor of that file");
	tap_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY, "for reading only");
	p = mmap(NULL, 200000, PROT_READ, MAP_SHARED, fd, 0);
	tap_ok(p != MAP_FAILED && !memcmp(p + 64, "0123456789abcdef", 16), "which can be mapped");
	tap_ok(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED &&
	       errno == EACCES, "not for writing");
	munmap(p, 200000);
	close(fd);
	tap_eq(grant(c, 10, 1, &a), -EROFS, "grant for writing, read-only");
	tap_eq(grant(c, 10, 2, &a), -EINVAL, "an unknown flag");
	p9c_open(c, 10, 0);
	tap_eq(grant(c, 10, 0, &a), 0, "grant of an open fid");
	close(c->got_fd);
	p9c_clunk(c, 10);
	tap_eq(grant(c, 0, 0, &a), -EISDIR, "grant of a directory");
	p9c_walk(c, 0, 10, "fifo");
	tap_eq(grant(c, 10, 0, &a), -EACCES, "grant of a FIFO");
	p9c_clunk(c, 10);
	p9c_walk(c, 0, 10, "sock");
	tap_eq(grant(c, 10, 0, &a), -ENXIO, "grant of a socket");
	p9c_clunk(c, 10);
	p9c_walk(c, 0, 10, "abslink");
	tap_eq(grant(c, 10, 0, &a), -ELOOP, "grant of a symlink");
	p9c_clunk(c, 10);
	p9c_walk(c, 1, 10, "file");
	tap_eq(grant(c, 10, 1, &a), 0, "grant for writing");
	tap_ok((fcntl(c->got_fd, F_GETFL) & O_ACCMODE) == O_RDWR && pwrite(c->got_fd, "J", 1, 0) == 1,
	       "writes");
	close(c->got_fd);
	p9c_clunk(c, 10);
}

/* One Topengrant and what its reply must say; the descriptor is checked and closed. */
static void og(struct p9c *c, const char *path, uint32_t flags, uint32_t oflags, uint32_t status,
	       uint32_t rflags, uint32_t data_len)
{
	struct stat st;
	bool fd_ok, fid_ok, data_ok;
	int ret = p9c_opengrant(c, 0, 10, flags, oflags, path, &w);

	data_ok = w.data_len == data_len &&
		  (data_len <= 6 ? !memcmp(w.data, "hello\n", data_len) :
		   !memcmp(w.data + data_len - 32, "0123456789abcdef0123456789abcde\n", 32));

	fd_ok = (c->got_fd >= 0) == !!(rflags & R_GRANT);
	if (c->got_fd >= 0) {
		fd_ok = fd_ok && !fstat(c->got_fd, &st) && st.st_ino == w.attr[w.count - 1].ino;
		close(c->got_fd);
	}
	fid_ok = p9c_read(c, 10, 0, (char[8]){ 0 }, 8) >= 0;
	if (w.count && S_ISDIR(w.attr[w.count - 1].mode))
		fid_ok = rflags & R_OPEN;
	fid_ok = fid_ok == !!(rflags & R_OPEN);
	fid_ok = fid_ok && (p9c_clunk(c, 10) == 0) == !!(rflags & R_FID);
	tap_ok(!ret && fd_ok && fid_ok && w.status == status && w.flags == rflags && data_ok,
	       "opengrant %s, flags %u: status %u, flags %u, %u bytes%s", path, flags, w.status,
	       w.flags, w.data_len, fd_ok ? fid_ok ? data_ok ? "" : " # data" : " # fid" : " # descriptor");
}

static void opengrants(struct p9c *c)
{
	og(c, "dir/a", 0, 0, 0, R_FID | R_OPEN, 0);
	og(c, "dir/a", GRANT, 0, 0, R_FID | R_OPEN | R_GRANT, 0);
	og(c, "dir/a", GRANT | INLINE, 0, 0, R_FID | R_OPEN | R_GRANT | R_INLINE, 6);
	og(c, "dir/a", GRANT | INLINE | EITHER, 0, 0, R_FID | R_OPEN | R_INLINE, 6);
	og(c, "dir/a", GRANT | INLINE | EITHER | NOFID, 0, 0, R_INLINE, 6);
	og(c, "dir/a", GRANT | NOFID, 0, 0, R_GRANT, 0);
	og(c, "dir/a", NOFID, 0, 0, R_FID | R_OPEN, 0);
	og(c, "exact", GRANT | INLINE | EITHER | NOFID, 0, 0, R_INLINE, 16384);
	og(c, "over", GRANT | INLINE | EITHER | NOFID, 0, 0, R_GRANT, 0);
	og(c, "over", INLINE | NOFID, 0, 0, R_FID | R_OPEN, 0);
	og(c, "empty", GRANT | INLINE | EITHER | NOFID, 0, 0, R_INLINE, 0);
	og(c, "dir", GRANT | INLINE | NOFID, 0, 0, R_FID | R_OPEN, 0);
	og(c, "file", GRANT, O_RDWR, EROFS, 0, 0);
	og(c, "file", GRANT | PARTIAL, O_RDWR, EROFS, R_FID, 0);
	og(c, "fifo", GRANT, 0, EACCES, 0, 0);
	og(c, "none", GRANT | PARTIAL, 0, ENOENT, 0, 0);
	og(c, "dir/none", GRANT | PARTIAL, 0, ENOENT, R_FID, 0);
	og(c, "link", GRANT | PARTIAL, 0, ELOOP, R_FID, 0);
	tap_ok(!strcmp(w.target, "file"), "a symlink comes with its target");
	og(c, "dirlink/a", GRANT, 0, ELOOP, 0, 0);
	tap_ok(!strcmp(w.target, "dir") && w.count == 1, "also one on the way");
	tap_eq(p9c_opengrant(c, 0, 10, 64, 0, "file", &w), -EINVAL, "an unknown flag");
	tap_eq(p9c_opengrant(c, 0, 0, GRANT, 0, "file", &w), -EINVAL, "newfid in use");
	tap_eq(p9c_opengrant(c, 9, 10, GRANT, 0, "file", &w), -EBADF, "an unknown fid");
	tap_ok(p9c_opengrant(c, 0, P9C_NOFID, INLINE, 0, "file", &w) == 0 && w.data_len == 6 &&
	       !memcmp(w.data, "hello\n", 6) && w.flags == R_INLINE, "no newfid: the data alone");

	tap_ok(p9c_opengrant(c, 1, 10, GRANT, O_RDWR | 01000, "dir/b", &w) == 0 &&
	       w.attr[1].size == 0 && w.flags == (R_FID | R_OPEN | R_GRANT),
	       "O_TRUNC: the attributes are those after it");
	tap_eq(pwrite(c->got_fd, "xyz", 3, 0), 3, "the descriptor writes");
	close(c->got_fd);
	tap_eq(p9c_write(c, 10, 3, "uvw", 3), 3, "the fid too");
	tap_ok(p9c_read(c, 10, 0, (char[8]){ 0 }, 8) == 6, "one file");
	p9c_clunk(c, 10);
}

static void readdirplus(struct p9c *c)
{
	struct p9c_attr a;
	char name[300], path[600];
	uint64_t off = 0;
	int n = 0, bad = 0, rounds = 0;

	p9c_walk(c, 0, 10, "");
	p9c_open(c, 10, 0);
	for (;;) {
		p9c_begin(c, 206);
		p9c_u32(c, 10);
		p9c_u64(c, off);
		p9c_u32(c, 1000);
		if (p9c_call(c) || !p9c_get_u32(c))
			break;
		rounds++;
		while (c->at < c->in_len && !c->bad) {
			off = p9c_get_u64(c);
			p9c_get_u8(c);
			p9c_get_attr(c, &a, true);
			p9c_get_str(c, name, sizeof(name));
			snprintf(path, sizeof(path), "ro/%s", name);
			n++;
			if (!strcmp(name, ".."))
				bad += a.valid != 0;
			else
				bad += !same_file(&a, path);
		}
	}
	tap_ok(n == (geteuid() ? 16 : 17) && !bad && rounds > 1,
	       "readdirplus gives each entry's attributes (%d, %d wrong)", n, bad);
	p9c_begin(c, 206);
	p9c_u32(c, 10);
	p9c_u64(c, 0);
	p9c_u32(c, 100);
	tap_eq(p9c_call(c), -EINVAL, "no room for one");
	p9c_clunk(c, 10);
}

static int renameat2_(struct p9c *c, const char *on, const char *nn, uint32_t flags)
{
	p9c_begin(c, 208);
	p9c_u32(c, 1);
	p9c_str(c, on);
	p9c_u32(c, 1);
	p9c_str(c, nn);
	p9c_u32(c, flags);
	return p9c_call(c);
}

static void renames(struct p9c *c)
{
	struct stat st;

	tap_eq(renameat2_(c, "exact", "over", 1), -EEXIST, "RENAME_NOREPLACE");
	tap_eq(renameat2_(c, "exact", "over", 2), 0, "RENAME_EXCHANGE");
	tap_ok(!stat(fixture_path(&f, "rw/exact"), &st) && st.st_size == 16385, "exchanged");
	tap_eq(renameat2_(c, "exact", "over", 4), -EINVAL, "RENAME_WHITEOUT");
	tap_eq(renameat2_(c, "exact", "over", 3), -EINVAL, "both");
}

static void without_sockets(void)
{
	int to[2], from[2];
	struct p9c *c = client_new(&f, B9P_CHANNEL_STREAM, "9P2000.L.lbx");
	struct p9c_attr a;
	static struct p9c pc;
	char v[32];

	p9c_attach(c, 0, "ro");
	p9c_walk(c, 0, 10, "file");
	tap_ok(!grant(c, 10, 0, &a) && c->got_fd >= 0, "grant over a stream socket");
	close(c->got_fd);
	client_free(c);

	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC) ||
	    b9p_add_channel(f.b, to[0], from[1], B9P_CHANNEL_STREAM) < 0) {
		tap_ok(false, "a channel over pipes");
		return;
	}
	p9c_init(&pc, from[0], to[1], true);
	tap_eq(p9c_version(&pc, 1 << 20, "9P2000.L.lbx", v, sizeof(v)), 0, "version over pipes");
	p9c_attach(&pc, 0, "ro");
	p9c_walk(&pc, 0, 10, "file");
	tap_eq(grant(&pc, 10, 0, &a), -EOPNOTSUPP, "no grant over a pipe");
	tap_ok(p9c_opengrant(&pc, 0, 11, GRANT | INLINE | EITHER, 0, "big", &w) == 0 && !w.status &&
	       w.flags == (R_FID | R_OPEN), "opengrant opens without one");
	tap_eq(p9c_read(&pc, 11, 0, (char[4]){ 0 }, 4), 4, "and the fid is read");
	close(from[0]);
	close(to[1]);
	tap_ok(channels_become(&f, 1), "closing a pipe ends its channel");
}

int main(void)
{
	struct p9c *c;

	fixture_make(&f);
	fixture_start(&f, NULL);
	c = client_attached(&f);
	walkstats(c);
	last_only(c);
	grants(c);
	opengrants(c);
	readdirplus(c);
	renames(c);
	without_sockets();
	tap_ok(files_become(&f, 2), "only the two roots are held");
	client_free(c);
	fixture_end(&f);
	return tap_end();
}
