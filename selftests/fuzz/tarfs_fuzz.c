// SPDX-License-Identifier: MIT
/*
 * Tar images of strangers: the input is an image, which is mounted and walked: every name is looked at, every file read, mapped and
 * executed. The image may also end before the size it claims, and its reads may fail. Checksums are mended most of the time, so that what is
 * behind them is reached. For fuzz.t: -max_len=16384
 */
#include "box.h"

#include "fs/namei.h"
#include "fs/tar.h"
#include "fs/vfs.h"

#define TREE		"/w/t"
#define DIRENTS		(ARENA + 0x4000)
#define DATA		(ARENA + 0x6000)
#define DEPTH		5u
#define ENTRIES		60u

static const u8 *image;
static size_t image_len, image_there;
static u32 left_to_see;
static bool mounted;

static ssize_t image_read(const struct tar_source *s __unused, u64 off, void *buf, size_t len)
{
	if (off >= image_there)
		return off < image_len && image_there % 3 == 0 ? -EIO : 0;
	len = min_t(size_t, len, image_there - off);
	memcpy(buf, image + off, len);
	return (ssize_t)len;
}

static void setup(void)
{
	const struct tar_source src = { .read = image_read, .size = image_len };
	struct super *sb = tar_super_create(&src, "fuzz");

	left_to_see = ENTRIES;
	mounted = !IS_ERR(sb);
	if (!mounted)
		return;
	if (vfs_mkdirs(TREE, 0777))
		FATAL("mkdir");
	box_put_mount(sb, TREE);
}

static void clean_up(void)
{
	if (mounted)
		box_take_mount(TREE);
}

static u64 put_path(const char *path)
{
	if (copy_to_user(ARENA, path, strlen(path) + 1))
		FATAL("no memory for a path");
	return ARENA;
}

static void look_at_file(u64 fd)
{
	u64 at;

	while (box_call(0, (const u64[6]){ fd, DATA, 4096 }) == 4096)
		;
	box_call(17, (const u64[6]){ fd, DATA, 100, 1ull << 40 });
	for (u64 whence = 3; whence < 5; whence++)
		box_call(8, (const u64[6]){ fd, 1, whence });
	at = (u64)box_call(9, (const u64[6]){ WINDOW, 3 * PAGE_SIZE, 3, 0x12, fd, 0 });
	if (at == WINDOW) {
		u8 byte = 1;

		for (u32 i = 0; i < 3; i++)
			if (!copy_from_user(&byte, at + i * PAGE_SIZE, 1) && copy_to_user(at + i * PAGE_SIZE, &byte, 1))
				byte = 2;
	}
}

static void look(const char *path, u32 depth)
{
	char name[600];
	u8 dirents[4096];
	long n;
	u64 fd;

	box_call(6, (const u64[6]){ put_path(path), DATA });
	box_call(89, (const u64[6]){ put_path(path), DATA, 200 });
	box_call(194, (const u64[6]){ put_path(path), DATA, 200 });
	box_call(59, (const u64[6]){ put_path(path), 0, 0 });
	fd = (u64)box_call(2, (const u64[6]){ put_path(path), O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0 });
	if ((long)fd < 0)
		return;
	look_at_file(fd);
	while (depth && (n = box_call(217, (const u64[6]){ fd, DIRENTS, sizeof(dirents) })) > 0) {
		if (copy_from_user(dirents, DIRENTS, (size_t)n))
			FATAL("entries cannot be read");
		for (long at = 0; at < n && left_to_see; at += *(u16 *)(dirents + at + 16)) {
			const char *entry = (char *)dirents + at + 19;

			if (!strcmp(entry, ".") || !strcmp(entry, ".."))
				continue;
			left_to_see--;
			if (snprintf(name, sizeof(name), "%s/%s", path, entry) < (int)sizeof(name))
				look(name, depth - 1);
		}
	}
	box_call(3, (const u64[6]){ fd });
}

static void program(void)
{
	if (mounted && !current->process->did_exec)
		look(TREE, DEPTH);
}

int LLVMFuzzerInitialize(int *argc __unused, char ***argv __unused)
{
	box_init();
	return 0;
}

/* The first byte says how much of the image is missing. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const struct box box = { .tasks = 1, .setup = setup, .clean_up = clean_up, .program = program };

	if (!size)
		return 0;
	image = data + 1;
	image_len = size - 1;
	image_there = data[0] & 0x80 ? image_len * (data[0] & 0x7f) / 128 : image_len;
	box_run(&box, data, 0);
	return 0;
}

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed);

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max_size, unsigned int seed)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	for (size_t at = 1; seed % 8 && at + 512 <= size; at += 512) {
		u8 *h = data + at;
		u32 sum = 0;

		if (memcmp(h + 257, "ustar", 5))
			continue;
		memset(h + 148, ' ', 8);
		for (u32 i = 0; i < 512; i++)
			sum += h[i];
		snprintf((char *)h + 148, 8, "%06o", sum);
	}
	return size;
}
