// SPDX-License-Identifier: MIT
/*
 * --keep-changes under the sanitizers, with a file system in memory in the place of the host's directory: what one overlay was made
 * to be is saved, taken up by a fresh one, and looks the same; nothing is written twice; nothing stays behind.
 */
#include "fs_env.h"

#include "fs/keep_internal.h"
#include "fs/memfs.h"
#include "fs/overlay.h"

#define FILES	300

static struct super *lower, *host;

static void as_kernel(void (*fn)(void))
{
	struct cred *user = current->cred;

	current->cred = NULL;
	fn();
	current->cred = user;
}

static struct super *made_lower(void)
{
	struct super *sb = memfs_super("tmpfs", 0777);

	if (!sb || vfs_mount_at(sb, "/w/low", 0, "low", true))
		abort();
	fs_put("/w/low/one", "1");
	fs_mkdir("/w/low/sub");
	fs_put("/w/low/sub/two", "2");
	fs_mkdir("/w/low/moved");
	fs_put("/w/low/moved/three", "3");
	fs_mkdir("/w/low/gone");
	fs_put("/w/low/gone/x", "x");
	fs_put("/w/low/linked", "l");
	EXPECT_EQ(CALL(link, "/w/low/linked", "/w/low/linked2"), 0);
	EXPECT_EQ(CALL(chmod, "/w/low/one", 0666), 0);
	EXPECT_EQ(CALL(chmod, "/w/low/linked", 0666), 0);
	return sb;
}

static void begin(void)
{
	struct super *sb = overlay_super(lower->root);

	if (!sb || vfs_mount_at(sb, "/w/over", 0, "over", true))
		abort();
	super_put(sb);
	EXPECT_EQ(keep_layer("/w/over"), 0);
	EXPECT_EQ(keep_begin(host->root, "host", FS_UID, FS_UID), 0);
}

static void end(void)
{
	struct path p;

	EXPECT_EQ(keep_save(), 0);
	for (u32 i = 0; i < keep.nr_layers; i++)
		super_put(keep.layers[i].sb);
	inode_put(keep.dir);
	memset(&keep, 0, sizeof(keep));
	if (path_lookup(AT_FDCWD, "/w/over", LOOKUP_FOLLOW, &p))
		abort();
	EXPECT_EQ(vfs_umount(&p, true), 0);
	path_put(&p);
	while (dcache_prune(100000))
		;
}

static bool absent(const char *path)
{
	struct path p;
	int ret = path_lookup(AT_FDCWD, path, 0, &p);

	if (!ret)
		path_put(&p);
	return ret == -ENOENT;
}

static void changes_come_back(void)
{
	char name[64];

	as_kernel(begin);
	fs_put("/w/over/one", "changed");
	fs_put("/w/over/sub/new", "new");
	EXPECT_EQ(CALL(unlink, "/w/over/sub/two"), 0);
	EXPECT_EQ(CALL(rename, "/w/over/moved", "/w/over/elsewhere"), 0);
	EXPECT_EQ(CALL(unlink, "/w/over/gone/x"), 0);
	EXPECT_EQ(CALL(rmdir, "/w/over/gone"), 0);
	fs_mkdir("/w/over/gone");
	fs_put("/w/over/gone/y", "y");
	fs_put("/w/over/linked", "parted");
	EXPECT_EQ(CALL(symlink, "nowhere", "/w/over/link"), 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "/w/over/sub/f%d", i);
		fs_put(name, name);
	}
	as_kernel(end);
	for (int turn = 0; turn < 3; turn++) {
		as_kernel(begin);
		EXPECT(fs_has("/w/over/one", "changed"));
		EXPECT(fs_has("/w/over/sub/new", "new"));
		EXPECT(absent("/w/over/sub/two"));
		EXPECT(absent("/w/over/moved"));
		EXPECT(fs_has("/w/over/elsewhere/three", "3"));
		EXPECT(absent("/w/over/gone/x"));
		EXPECT(fs_has("/w/over/gone/y", "y"));
		EXPECT(fs_has("/w/over/linked", "parted"));
		EXPECT(fs_has("/w/over/linked2", "l"));
		EXPECT(fs_has("/w/over/sub/f299", "/w/over/sub/f299"));
		as_kernel(end);
	}
}

static void removals_come_back(void)
{
	as_kernel(begin);
	EXPECT_EQ(CALL(unlink, "/w/over/gone/y"), 0);
	EXPECT_EQ(CALL(rmdir, "/w/over/gone"), 0);
	EXPECT_EQ(CALL(unlink, "/w/over/link"), 0);
	fs_mkdir("/w/over/link");
	fs_put("/w/over/sub/two", "again");
	fs_put("/w/over/.wh.one", "no name for a file");
	as_kernel((void (*)(void))keep_save);
	EXPECT_EQ(CALL(unlink, "/w/over/.wh.one"), 0);
	as_kernel(end);
	as_kernel(begin);
	EXPECT(absent("/w/over/gone"));
	EXPECT(fs_has("/w/over/sub/two", "again"));
	EXPECT(fs_has("/w/over/one", "changed"));
	EXPECT(absent("/w/over/link/x"));
	as_kernel(end);
}

static void deep_trees(void)
{
	static char path[2000];
	size_t at = (size_t)snprintf(path, sizeof(path), "/w/over");

	as_kernel(begin);
	while (at < 1200) {
		at += (size_t)snprintf(path + at, sizeof(path) - at, "/d");
		EXPECT_EQ(fs_mkdir(path), 0);
	}
	as_kernel(end);
	as_kernel(begin);
	EXPECT(!absent(path));
	EXPECT_EQ(CALL(rename, "/w/over/d/d", "/w/over/e"), 0);
	as_kernel(end);
	as_kernel(begin);
	EXPECT(absent(path));
	EXPECT(!absent("/w/over/e/d/d/d"));
	as_kernel((void (*)(void))keep_load);	/* once more over what is there */
	as_kernel(end);
	EXPECT_EQ(keep_remove(host->root, "w", 1), 0);
	as_kernel(begin);
	EXPECT(absent("/w/over/e"));
	as_kernel(end);
	EXPECT_EQ(keep_remove(host->root, "w", 1), 0);
}

static void prepare(void)
{
	lower = made_lower();
	host = memfs_super("tmpfs", 0777);
	if (!host)
		abort();
}

static void finish(void)
{
	struct path p;

	if (path_lookup(AT_FDCWD, "/w/low", 0, &p))
		abort();
	EXPECT_EQ(vfs_umount(&p, true), 0);
	path_put(&p);
	super_put(lower);
	super_kill(host);
	super_put(host);
	while (dcache_prune(100000))
		;
}

static void nothing_stays(void)
{
	long before;

	as_kernel(prepare);
	while (dcache_prune(100000))
		;
	before = fake_allocs;
	as_kernel(begin);
	fs_put("/w/over/a", "a");
	as_kernel(end);
	EXPECT_EQ(keep_remove(host->root, "w", 1), 0);
	EXPECT_EQ(fake_allocs, before);
	as_kernel(finish);
}

int main(void)
{
	fs_boot();
	as_kernel(prepare);
	RUN(changes_come_back);
	RUN(removals_come_back);
	RUN(deep_trees);
	as_kernel(finish);
	RUN(nothing_stays);
	return unit_done();
}
