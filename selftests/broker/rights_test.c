// SPDX-License-Identifier: MIT
/*
 * Rights that a writable export must not give away: files that give other rights to whoever executes them (set-id bits, file
 * capabilities), and read-only exports that lie below it.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static struct fixture f;

/* "rw" with a directory and a file below it that are kept read-only, two levels down. */
static void start(void)
{
	static const struct { const char *name, *path; uint32_t flags; } list[] = {
		{ "ro", "ro", 0 }, { "rw", "rw", B9P_EXPORT_RW }, { "keptdir", "rw/dir/sub/deep", B9P_EXPORT_GUARD },
		{ "keptfile", "rw/file", B9P_EXPORT_GUARD }, { "not", "rw/dir/a", 0 },
	};
	struct b9p_export ex[5];
	struct b9p_config config = { .exports = ex, .nr_exports = 5 };

	f.fds_before = count_fds();
	for (int i = 0; i < 5; i++)
		ex[i] = (struct b9p_export){ .name = list[i].name, .flags = list[i].flags,
					     .fd = open(fixture_path(&f, list[i].path), O_PATH | O_CLOEXEC) };
	tap_eq(b9p_create(&config, &f.b), 0, "a server with exports below another");
	for (int i = 0; i < 5; i++)
		close(ex[i].fd);
}

static mode_t mode_of(const char *rel)
{
	struct stat st;

	return stat(fixture_path(&f, rel), &st) ? 0 : st.st_mode & 07777;
}

/* What a store to a mapping does, which is why a writable descriptor is not given: on the host, not through the server. */
static void store_keeps(void)
{
	int fd = open(fixture_path(&f, "rw/suid"), O_RDWR);
	char *p = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED) {
		tap_skip("a store to a mapping leaves set-id bits", "cannot map");
		return;
	}
	p[0] = 'X';
	tap_eq(mode_of("rw/suid"), 04755, "a store to a mapping leaves set-id bits");
	munmap(p, 4096);
	close(fd);
}

static void not_written(struct p9c *c, const char *name, const char *what)
{
	static struct p9c_walkstat w;

	tap_ok(!p9c_opengrant(c, 1, P9C_NOFID, 2, O_RDWR, name, &w) && w.status == EPERM && c->got_fd < 0,
	       "%s: no writable descriptor (%u)", what, w.status);
	tap_ok(!p9c_opengrant(c, 1, P9C_NOFID, 2, O_RDONLY | O_TRUNC, name, &w) && w.status == EPERM, "%s: not truncated", what);
	p9c_walk(c, 1, 10, name);
	tap_eq(p9c_simple2(c, 204, 10, 1), -EPERM, "%s: Tgrant", what);
	tap_eq(p9c_open(c, 10, O_WRONLY), -EPERM, "%s: Tlopen", what);
	tap_eq(p9c_setattr(c, 10, 8, 0, 0, 0, 3, 0, 0), -EPERM, "%s: truncate", what);
	p9c_walk(c, 1, 11, "");
	tap_eq(p9c_create(c, 11, name, O_RDWR | O_TRUNC, 0644), -EPERM, "%s: Tlcreate of what is there", what);
	tap_eq(p9c_simple2(c, 204, 10, 0), 0, "%s: a descriptor to read", what);
	if (c->got_fd >= 0)
		close(c->got_fd);
	c->got_fd = -1;
	p9c_clunk(c, 10);
	p9c_clunk(c, 11);
}

static void set_id(void)
{
	struct p9c *c = client_attached(&f);

	not_written(c, "suid", "set-user-id");
	p9c_walk(c, 1, 10, "suid");
	tap_eq(p9c_setattr(c, 10, 1, 04755, 0, 0, 0, 0, 0), 0, "chmod to what it is");
	tap_eq(p9c_setattr(c, 10, 1, 04711, 0, 0, 0, 0, 0), -EPERM, "chmod that would set the bit once more");
	tap_eq(mode_of("rw/suid"), 04755, "it is as it was");
	tap_eq(p9c_setattr(c, 10, 1, 0755, 0, 0, 0, 0, 0), 0, "chmod that takes the bit away");
	tap_eq(p9c_open(c, 10, O_WRONLY), 0, "then it is written");
	p9c_clunk(c, 10);
	chmod(fixture_path(&f, "rw/suid"), 02755);
	not_written(c, "suid", "set-group-id");
	chmod(fixture_path(&f, "rw/suid"), 04755);
	client_free(c);
}

static void capabilities(void)
{
	struct p9c *c = client_attached(&f);
	struct vfs_cap_data cap = { .magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE, .data = { { .permitted = 1 << 13 } } };

	close(open(fixture_path(&f, "rw/capable"), O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
	if (setxattr(fixture_path(&f, "rw/capable"), "security.capability", &cap, sizeof(cap), 0))
		tap_skip("a file with capabilities", "cannot make one here");
	else
		not_written(c, "capable", "capabilities");
	client_free(c);
}

/* By which way it may be reached, it stays what it is. */
static void kept(void)
{
	static struct p9c_walkstat w;
	struct p9c *c = client_attached(&f);

	tap_eq(p9c_walk(c, 1, 10, "dir/sub/deep"), 3, "kept directory: seen through the writable export");
	tap_eq(p9c_mkdir(c, 10, "new", 0755), -EROFS, "kept directory: mkdir");
	tap_eq(p9c_symlink(c, 10, "new", "x"), -EROFS, "kept directory: symlink");
	tap_eq(p9c_unlink(c, 10, "leaf", 0), -EROFS, "kept directory: unlink");
	p9c_walk(c, 10, 11, "");
	tap_eq(p9c_create(c, 11, "new", O_RDWR, 0644), -EROFS, "kept directory: create");
	p9c_clunk(c, 11);
	tap_eq(p9c_setattr(c, 10, 1, 0700, 0, 0, 0, 0, 0), -EROFS, "kept directory: chmod");
	tap_eq(p9c_simple(c, 122, 10), -EROFS, "kept directory: Tremove");
	tap_ok(!p9c_opengrant(c, 1, P9C_NOFID, 2, O_RDWR, "dir/sub/deep/leaf", &w) && w.status == EROFS, "a file in it, step by step");
	tap_ok(!p9c_opengrant(c, 1, P9C_NOFID, 2 | 32, O_RDWR, "dir/sub/deep/leaf", &w) && w.status == EROFS, "a file in it, at once");
	tap_ok(!p9c_opengrant(c, 1, P9C_NOFID, 2 | 32, O_RDWR, "dir/sub/../sub/deep/leaf", &w) && w.status, "nor by a detour");
	tap_ok(!p9c_opengrant(c, 1, P9C_NOFID, 4 | 32, O_RDONLY, "dir/sub/deep/leaf", &w) && !w.status, "but it is read");
	p9c_walk(c, 1, 10, "dir/sub/deep/leaf");
	tap_eq(p9c_link(c, 1, 10, "stolen"), -EXDEV, "no link to it outside");
	p9c_clunk(c, 10);
	tap_ok(!p9c_opengrant(c, 1, P9C_NOFID, 2, O_RDWR, "file", &w) && w.status == EROFS, "kept file: not written");
	p9c_walk(c, 1, 10, "");
	tap_eq(p9c_create(c, 10, "file", O_RDWR | O_TRUNC, 0644), -EROFS, "kept file: not created anew");
	p9c_clunk(c, 10);
	tap_ok(!p9c_opengrant(c, 1, P9C_NOFID, 2, O_RDWR, "dir/a", &w) && !w.status, "a read-only export without that flag: written");
	if (c->got_fd >= 0)
		close(c->got_fd);
	client_free(c);
}

/* What would put another in its place. */
static void replaced(void)
{
	struct p9c *c = client_attached(&f);
	struct stat deep, leaf;

	p9c_mkdir(c, 1, "other", 0755);
	tap_eq(p9c_unlink(c, 1, "file", 0), -EBUSY, "kept file: unlink");
	tap_eq(p9c_renameat(c, 1, "file", 1, "away"), -EBUSY, "kept file: renamed");
	p9c_walk(c, 1, 10, "");
	p9c_create(c, 10, "mine", O_RDWR, 0644);
	p9c_clunk(c, 10);
	tap_eq(p9c_renameat(c, 1, "mine", 1, "file"), -EBUSY, "kept file: renamed over");
	p9c_begin(c, 208);
	p9c_u32(c, 1);
	p9c_str(c, "mine");
	p9c_u32(c, 1);
	p9c_str(c, "file");
	p9c_u32(c, 2);
	tap_eq(p9c_call(c), -EBUSY, "kept file: exchanged");
	p9c_walk(c, 1, 10, "mine");
	p9c_begin(c, 20);
	p9c_u32(c, 10);
	p9c_u32(c, 1);
	p9c_str(c, "file");
	tap_eq(p9c_call(c), -EBUSY, "kept file: Trename over it");
	p9c_clunk(c, 10);
	/* the directories on the way */
	tap_eq(p9c_renameat(c, 1, "dir", 1, "away"), -EBUSY, "a directory above: renamed");
	p9c_walk(c, 1, 10, "dir");
	tap_eq(p9c_renameat(c, 10, "sub", 1, "away"), -EBUSY, "the one below: renamed");
	tap_eq(p9c_unlink(c, 10, "sub", 0x200), -EBUSY, "the one below: rmdir");
	tap_eq(p9c_renameat(c, 1, "other", 10, "sub"), -EBUSY, "the one below: renamed over");
	p9c_walk(c, 1, 11, "dir/sub");
	p9c_begin(c, 20);
	p9c_u32(c, 11);
	p9c_u32(c, 1);
	p9c_str(c, "away");
	tap_eq(p9c_call(c), -EBUSY, "the one below: Trename");
	tap_eq(p9c_renameat(c, 11, "deep", 1, "away"), -EBUSY, "kept directory: renamed");
	tap_eq(p9c_simple(c, 122, 11), -EBUSY, "the one below: Tremove");
	tap_eq(p9c_renameat(c, 1, "other", 1, "another"), 0, "others: renamed");
	tap_eq(p9c_unlink(c, 10, "c", 0), 0, "others: removed");
	tap_ok(!stat(fixture_path(&f, "rw/dir/sub/deep"), &deep) && !stat(fixture_path(&f, "rw/dir/sub/deep/leaf"), &leaf) &&
	       S_ISDIR(deep.st_mode) && leaf.st_size == 6, "all is where it was");
	client_free(c);
}

int main(void)
{
	struct b9p_export bad = { .fd = AT_FDCWD, .name = "x", .flags = B9P_EXPORT_RW | B9P_EXPORT_GUARD };
	struct b9p_config config = { .exports = &bad, .nr_exports = 1 };
	struct b9p *none;

	fixture_make(&f);
	tap_eq(b9p_create(&config, &none), -EINVAL, "writable and kept read-only is neither");
	store_keeps();
	start();
	set_id();
	capabilities();
	kept();
	replaced();
	fixture_end(&f);
	return tap_end();
}
