// SPDX-License-Identifier: MIT
/*
 * Tar images as file systems. Images are made by tar(1) in each of its formats and compared with the tree they were made from, and by
 * hand where tar(1) would not write such a thing.
 */
#include "fs_env.h"

#include "fs/memfs.h"
#include "fs/overlay.h"
#include "fs/tar.h"
#include "fs/tar_parse.h"

static ssize_t memory_read(const struct tar_source *s, u64 off, void *buf, size_t len)
{
	if (off >= s->size)
		return 0;
	len = min(len, (size_t)(s->size - off));
	memcpy(buf, (const u8 *)s->arg + off, len);
	return (ssize_t)len;
}

static struct super *image(const void *bytes, size_t size)
{
	const struct tar_source src = { .read = memory_read, .size = size, .arg = bytes };

	return tar_super_create(&src, "image");
}

/* ---- by hand ---- */

static u8 img[1 << 17];
static size_t img_len;

static u8 *entry(const char *name, char type, u64 size, const char *link)
{
	u8 *h = img + img_len;
	u32 sum = 0;

	memset(h, 0, TAR_BLOCK);
	snprintf((char *)h, 100, "%s", name);
	snprintf((char *)h + 100, 8, "%07o", type == TAR_DIR ? 0755 : 0644);
	snprintf((char *)h + 108, 8, "%07o", 7);
	snprintf((char *)h + 116, 8, "%07o", 8);
	snprintf((char *)h + 124, 12, "%011llo", (unsigned long long)size);
	snprintf((char *)h + 136, 12, "%011o", 1000);
	memset(h + 148, ' ', 8);
	h[156] = (u8)type;
	memcpy(h + 157, link, strnlen(link, 100));
	memcpy(h + 257, "ustar\00000", 8);
	for (u32 i = 0; i < TAR_BLOCK; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
	img_len += TAR_BLOCK;
	return h;
}

static void data(const void *p, size_t len)
{
	memset(img + img_len, 0, ALIGN_UP(len, (size_t)TAR_BLOCK));
	memcpy(img + img_len, p, len);
	img_len += ALIGN_UP(len, (size_t)TAR_BLOCK);
}

static void file(const char *name, const char *text)
{
	entry(name, '0', strlen(text), "");
	data(text, strlen(text));
}

static void fix_sum(u8 *h)
{
	u32 sum = 0;

	memset(h + 148, ' ', 8);
	for (u32 i = 0; i < TAR_BLOCK; i++)
		sum += h[i];
	snprintf((char *)h + 148, 8, "%06o", sum);
}

static void begin(void)
{
	img_len = 0;
	memset(img, 0, sizeof(img));
}

static void stand_at(const char *path)
{
	struct path p;

	if (path_lookup(AT_FDCWD, path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p))
		abort();
	fs_state_set_root(current->fs, &p);
	fs_state_set_cwd(current->fs, &p);
}

static void show(struct super *sb)
{
	struct cred *user = current->cred;

	current->cred = NULL;
	if (vfs_mount_at(sb, "/w/t", 0, "image", true))
		abort();
	super_put(sb);
	current->cred = user;
}

static void hide(void)
{
	struct path p;

	if (path_lookup(AT_FDCWD, "/w/t", LOOKUP_FOLLOW, &p))
		abort();
	EXPECT_EQ(vfs_umount(&p, true), 0);
	path_put(&p);
	while (dcache_prune(100000))
		;
}

/* The image that was made by hand, at /w/t. Return: 0, or the error */
static int show_made(void)
{
	struct super *sb = image(img, img_len);

	if (IS_ERR(sb))
		return (int)PTR_ERR(sb);
	show(sb);
	return 0;
}

static void numbers(void)
{
	static const u8 full[12] = "777777777777", big[12] = { 0x80, 0, 0, 0, 0, 0, 1 }, minus[12] = { 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe }, over[12] = { 0x80, 0, 1 }, words[12] = "12x";
	s64 v;

	EXPECT_EQ(tar_number(full, 12, &v), 0);
	EXPECT_EQ(v, 0777777777777);
	EXPECT_EQ(tar_number(big, 12, &v), 0);
	EXPECT_EQ(v, 1ll << 40);
	EXPECT_EQ(tar_number(minus, 12, &v), 0);
	EXPECT_EQ(v, -2);
	EXPECT_EQ(tar_number(over, 12, &v), -EINVAL);
	EXPECT_EQ(tar_number(words, 12, &v), -EINVAL);
	EXPECT_EQ(tar_number((const u8 *)"   17 \0", 7, &v), 0);
	EXPECT_EQ(v, 15);
	EXPECT_EQ(tar_number((const u8 *)"\0\0\0\0\0\0\0\0", 8, &v), 0);
	EXPECT_EQ(v, 0);
	EXPECT_EQ(tar_pax_time("12.5", 4, &v), 0);
	EXPECT_EQ(v, 12500000000ll);
	EXPECT_EQ(tar_pax_time("-1.123456789999", 15, &v), 0);
	EXPECT_EQ(v, -1123456789ll);
	EXPECT_EQ(tar_pax_time("1.x", 3, &v), -EINVAL);
	EXPECT_EQ(tar_pax_time(".5", 2, &v), -EINVAL);
	EXPECT_EQ(tar_pax_time("99999999999999999999", 20, &v), -EINVAL);
}

static void records(void)
{
	static const char text[] = "8 a=bcd\n6 x=y\n";
	const char *at = text, *end = text + sizeof(text) - 1;
	struct tar_record r;

	EXPECT_EQ(tar_pax_next(&at, end, &r), 1);
	EXPECT(r.key_len == 1 && r.value_len == 3 && !memcmp(r.value, "bcd", 3));
	EXPECT_EQ(tar_pax_next(&at, end, &r), 1);
	EXPECT(r.value_len == 1 && *r.value == 'y');
	EXPECT_EQ(tar_pax_next(&at, end, &r), 0);
	for (const char *const *bad = (const char *const[]){ "9 a=bcd\n", "8 abcde\n", "8 a=bcd ", "a=b\n", "0 a=b\n", "1 ", "3 \n",
	     "99999999999999999999 a=b\n", " 8 a=b\n", "5a=b\n", NULL }; *bad; bad++) {
		at = *bad;
		EXPECT_EQ(tar_pax_next(&at, at + strlen(at), &r), -EINVAL);
	}
}

static void by_hand(void)
{
	struct kstat st;
	struct path p;
	char buf[64];

	begin();
	file("top", "first");
	file("a/b/c", "deep");
	file("/absolute//./x", "abs");
	file("top", "second");			/* the last one counts */
	entry("a/b/", '5', 0, "");
	entry("link", '2', 0, "a/b/c");
	entry("hard", '1', 0, "./a/b/c");
	entry("hard", '1', 0, "hard");		/* to itself */
	entry("fifo", '6', 0, "");
	file("old/", "");			/* version 7: a directory by its name */
	file("a", "a directory is in the way");
	file("up/../../evil", "x");
	file("..", "x");
	file("link/through", "x");
	entry("dangling", '1', 0, "nowhere");
	entry("empty", '2', 0, "");
	file("last", "end");
	EXPECT_EQ(show_made(), 0);
	EXPECT(fs_has("/w/t/top", "second"));
	EXPECT(fs_has("/w/t/a/b/c", "deep"));
	EXPECT(fs_has("/w/t/absolute/x", "abs"));
	EXPECT(fs_has("/w/t/link", "deep"));
	EXPECT(fs_has("/w/t/hard", "deep"));
	EXPECT(fs_has("/w/t/last", "end"));
	EXPECT_EQ(path_lookup(AT_FDCWD, "/w/t/hard", 0, &p), 0);
	EXPECT_EQ(vfs_stat(&p, &st), 0);
	EXPECT_EQ(st.nlink, 2);
	EXPECT_EQ(st.uid, 7);
	EXPECT_EQ(st.gid, 8);
	EXPECT_EQ(st.mtime, 1000 * NSEC_PER_SEC);
	EXPECT_EQ(st.mode, S_IFREG | 0644);
	path_put(&p);
	EXPECT_EQ(path_lookup(AT_FDCWD, "/w/t/old", LOOKUP_DIRECTORY, &p), 0);
	path_put(&p);
	EXPECT_EQ(path_lookup(AT_FDCWD, "/w/t/fifo", 0, &p), 0);
	EXPECT(S_ISFIFO(p.dentry->inode->mode));
	path_put(&p);
	for (const char *const *not = (const char *const[]){ "/w/t/evil", "/w/evil", "/w/t/up/evil", "/w/t/dangling", "/w/t/empty",
	     "/w/t/a/b/through", NULL }; *not; not++)
		EXPECT_EQ(path_lookup(AT_FDCWD, *not, 0, &p), -ENOENT);
	/* nothing changes it */
	EXPECT_EQ(fs_open("/w/t/new", O_CREAT | O_WRONLY, 0644), -EROFS);
	EXPECT_EQ(fs_open("/w/t/top", O_WRONLY, 0), -EROFS);
	EXPECT_EQ(CALL(unlink, "/w/t/top"), -EROFS);
	EXPECT_EQ(CALL(readlink, "/w/t/link", buf, sizeof(buf)), 5);
	hide();
}

/* Every length of an image, and every byte of its headers changed: an answer, and no memory left behind. */
static void damage(void)
{
	static u8 copy[sizeof(img)];
	static const u8 block[TAR_BLOCK] = "data";
	long before;

	begin();
	entry("pax", 'x', 30, "");
	data("12 path=long\n17 size=0000005\n\n", 30);
	file("short", "12345");
	entry("sparse", 'S', 512, "");
	img_len -= TAR_BLOCK;
	snprintf((char *)img + img_len + 386, 12, "%011o", 1024);
	snprintf((char *)img + img_len + 398, 12, "%011o", 512);
	snprintf((char *)img + img_len + 483, 12, "%011o", 4096);
	fix_sum(img + img_len);
	img_len += TAR_BLOCK;
	data(block, sizeof(block));
	entry("name", 'L', 5, "");
	data("very", 5);
	file("x", "y");
	before = fake_allocs;
	for (size_t len = 0; len <= img_len; len += 64) {
		struct super *sb = image(img, len);

		if (!IS_ERR(sb)) {
			super_kill(sb);
			super_put(sb);
		}
		EXPECT_EQ(fake_allocs, before);
	}
	for (size_t at = 0; at < img_len; at++) {
		u8 *header = copy + at / TAR_BLOCK * TAR_BLOCK;
		struct super *sb;

		memcpy(copy, img, img_len);
		copy[at] ^= (u8)(1u << (at % 8));
		if (header[257] == 'u' && (at % TAR_BLOCK < 148 || at % TAR_BLOCK > 155))
			fix_sum(header);
		sb = image(copy, img_len);
		if (!IS_ERR(sb)) {
			super_kill(sb);
			super_put(sb);
		}
		EXPECT_EQ(fake_allocs, before);
	}
}

static void refused(void)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = { { "", 0 }, { "\x1f\x8b\x08 gzip", 512 }, { "text", 4 }, { "\xfd" "7zXZ", 600 } };
	struct super *sb;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		begin();
		strcpy((char *)img, bad[i].bytes);
		sb = image(img, bad[i].len);
		EXPECT(IS_ERR(sb) && PTR_ERR(sb) == -EINVAL);
	}
	/* a file beyond the end, and one whose end wraps */
	begin();
	entry("big", '0', 1 << 20, "");
	EXPECT_EQ(show_made(), -EINVAL);
	begin();
	memset(entry("big", '0', 0, "") + 124, 0x7f, 12);
	img[124] = 0x80;
	fix_sum(img);
	EXPECT_EQ(show_made(), -EINVAL);
	/* zeros only */
	begin();
	img_len = 4 * TAR_BLOCK;
	EXPECT_EQ(show_made(), -EINVAL);
	/* a sparse file that claims more than is there, and one whose pieces overlap */
	for (int i = 0; i < 2; i++) {
		begin();
		entry("s", 'S', 512, "");
		snprintf((char *)img + 386, 12, "%011o", 0);
		snprintf((char *)img + 398, 12, "%011o", i ? 300 : 4096);
		snprintf((char *)img + 410, 12, "%011o", i ? 100 : 8192);
		snprintf((char *)img + 422, 12, "%011o", i ? 100 : 0);
		snprintf((char *)img + 483, 12, "%011o", 8192);
		fix_sum(img);
		img_len += TAR_BLOCK;
		EXPECT_EQ(show_made(), -EINVAL);
	}
}

/* A tree deeper than any stack, and as many names as fit: no recursion, and all of it is given back. */
static void deep(void)
{
	static u8 path[5000];
	long before;
	struct super *sb;

	for (int i = 0; i < 2048; i++)
		memcpy(path + 2 * i, "d/", 2);
	begin();
	entry("x", 'L', 4096, "");
	data(path, 4096);
	entry("x", '5', 0, "");
	before = fake_allocs;
	sb = image(img, img_len);
	EXPECT(!IS_ERR(sb));
	if (!IS_ERR(sb)) {
		super_kill(sb);
		super_put(sb);
	}
	EXPECT_EQ(fake_allocs, before);
}

/* ---- by tar(1) ---- */

static char *slurp(const char *name, size_t *len)
{
	FILE *f = fopen(name, "r");
	char *p;

	if (!f)
		abort();
	fseek(f, 0, SEEK_END);
	*len = (size_t)ftell(f);
	rewind(f);
	p = malloc(*len + 1);
	if (fread(p, 1, *len, f) != *len)
		abort();
	fclose(f);
	return p;
}

static char dir[] = "/tmp/tar_test.XXXXXX";

static void run(const char *what)
{
	char cmd[2000];

	snprintf(cmd, sizeof(cmd), "cd %s && %s", dir, what);
	if (system(cmd)) {
		printf("# failed: %s\n", cmd);
		unit_bad++;
	}
}

/* What a file of the image and of the tree on disk has, byte for byte, read in pieces of @piece. */
static void compare(const char *name, size_t piece)
{
	char in[600], out[600], buf[9000];
	size_t len, at = 0;
	char *want;
	int fd;

	snprintf(in, sizeof(in), "/w/t/tree/%s", name);
	snprintf(out, sizeof(out), "%s/tree/%s", dir, name);
	want = slurp(out, &len);
	fd = fs_open(in, O_RDONLY, 0);
	EXPECT(fd >= 0);
	while (fd >= 0) {
		long n = CALL(read, fd, buf, piece);

		EXPECT(n >= 0 && at + (size_t)n <= len && !memcmp(buf, want + at, (size_t)max(n, 0l)));
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	EXPECT_EQ(at, len);
	if (fd >= 0)
		CALL(close, fd);
	free(want);
}

static void with_options(const char *options)
{
	char cmd[400], tar[100], name[210];
	struct super *sb;
	size_t len;
	char *bytes;

	snprintf(cmd, sizeof(cmd), "tar -c%sf t.tar tree", options);
	run(cmd);
	snprintf(tar, sizeof(tar), "%s/t.tar", dir);
	bytes = slurp(tar, &len);
	sb = image(bytes, len);
	EXPECT(!IS_ERR(sb));
	if (!IS_ERR(sb)) {
		show(sb);
		compare("small", 3);
		compare("empty", 10);
		compare("big", 8999);
		compare("hard", 4096);
		if (!strstr(options, "v7") && !strstr(options, "ustar")) {
			compare("holes", 4096);
			memset(name, 'n', 200);
			name[200] = 0;
			compare(name, 100);
			EXPECT(fs_has("/w/t/tree/sym", "small\n"));
		}
		hide();
	}
	free(bytes);
}

static void formats(void)
{
	if (!mkdtemp(dir))
		abort();
	run("mkdir -p tree/sub && echo small >tree/small && : >tree/empty && seq 100000 >tree/big && ln tree/small tree/hard");
	with_options(" --format=v7 -");
	with_options(" --format=ustar -");
	run("n=$(printf %0200d 0 | tr 0 n) && echo long >tree/$n && mkdir tree/$n.d && ln -s $n.d/../small tree/sym");
	run("truncate -s 300K tree/holes && for i in 3 50 51 99 200 250 299; do echo $i | "
	    "dd of=tree/holes bs=1K seek=$i conv=notrunc 2>/dev/null; done");
	with_options(" --format=gnu -");
	with_options(" --format=posix -");
	with_options(" --sparse --format=gnu -");
	with_options(" --sparse --format=posix --sparse-version=0.0 -");
	with_options(" --sparse --format=posix --sparse-version=0.1 -");
	with_options(" --sparse --format=posix --sparse-version=1.0 -");
	/* many pieces: more than the header and its first block hold */
	run("for i in $(seq 0 3 270); do echo $i | dd of=tree/holes bs=1K seek=$i conv=notrunc 2>/dev/null; done");
	with_options(" --sparse --hole-detection=raw --format=gnu -");
	with_options(" --sparse --hole-detection=raw --format=posix -");
	run("rm -rf tree t.tar && rmdir \"$PWD\"");
}

/* Under a writable layer: what is not copied up is the image's. */
static void layered(void)
{
	struct super *sb, *over;

	begin();
	file("d/one", "1");
	file("d/two", "2");
	sb = image(img, img_len);
	EXPECT(!IS_ERR(sb));
	over = overlay_super(sb->root);
	super_kill(sb);
	super_put(sb);
	over->root->mode |= 0777;
	show(over);
	EXPECT(fs_has("/w/t/d/one", "1"));
	EXPECT_EQ(fs_open("/w/t/d/one", O_WRONLY, 0), -EACCES);	/* it is user 7's */
	fs_put("/w/t/new", "n");
	EXPECT(fs_has("/w/t/new", "n"));
	hide();
}

int main(void)
{
	fs_boot();
	stand_at("/");
	RUN(numbers);
	RUN(records);
	RUN(by_hand);
	RUN(damage);
	RUN(refused);
	RUN(deep);
	RUN(formats);
	RUN(layered);
	return unit_done();
}
