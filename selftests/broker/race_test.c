// SPDX-License-Identifier: MIT
/*
 * Names that change under a walk: a thread swaps a directory with a symlink that leads outside, a file
 * with a FIFO, moves directories out of the export and back, while clients walk, open and create.
 * Whatever the order, nothing outside is reached and nothing hangs.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWAPS 10000

static struct fixture f;
static atomic_bool stop;
static struct stat outside, secret, base;
static atomic_int escapes, hits, misses;

/* Is this a file that no client may see? */
static void check(uint64_t dev, uint64_t ino)
{
	if (dev == outside.st_dev && (ino == outside.st_ino || ino == secret.st_ino ||
				      ino == base.st_ino))
		escapes++;
}

static void *swapper(void *arg)
{
	const char *const *names = arg;
	char a[512], b[512];

	snprintf(a, sizeof(a), "%s/%s", f.base, names[0]);
	snprintf(b, sizeof(b), "%s/%s", f.base, names[1]);
	for (int i = 0; i < SWAPS; i++) {
		if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE))
			escapes += 1000000;	/* the test itself does not work */
	}
	atomic_store(&stop, true);
	return NULL;
}

/* Moves a directory out of the export and back. */
static void *mover(void *arg)
{
	char in[512], out[512];

	(void)arg;
	snprintf(in, sizeof(in), "%s/rw/dir/moving", f.base);
	snprintf(out, sizeof(out), "%s/outside/moving", f.base);
	for (int i = 0; i < SWAPS; i++) {
		if (rename(i % 2 ? out : in, i % 2 ? in : out))
			escapes += 1000000;
	}
	atomic_store(&stop, true);
	return NULL;
}

static void look(struct p9c *c, uint32_t fid)
{
	struct p9c_walkstat w;

	if (!p9c_walkstat(c, fid, P9C_NOFID, 0, "", &w) && w.count == 1)
		check(w.attr[0].dev, w.attr[0].ino);
}

static void *dir_client(void *arg)
{
	struct p9c *c = arg;
	struct p9c_walkstat w;
	struct stat st;

	while (!atomic_load(&stop)) {
		/* "secret" is outside only, "inside" in the directory only */
		if (p9c_walk(c, 1, 10, "swap/secret") == 2)
			escapes++;
		if (p9c_walk(c, 1, 10, "swap") == 1) {
			if (p9c_walk(c, 10, 11, "secret") == 1)
				escapes++;
			look(c, 10);
			p9c_clunk(c, 10);
		}
		if (!p9c_walkstat(c, 1, P9C_NOFID, 0, "swap/inside", &w)) {
			*(w.count == 2 ? &hits : &misses) += 1;
			for (uint32_t i = 0; i < w.count; i++)
				check(w.attr[i].dev, w.attr[i].ino);
		}
		if (!p9c_opengrant(c, 1, 10, 1 | 2 | 4, 0, "swap/secret", &w)) {
			if (c->got_fd >= 0) {
				escapes++;
				close(c->got_fd);
			}
			if (w.flags & 1)
				p9c_clunk(c, 10);
		}
		if (!p9c_opengrant(c, 1, 10, 2, 0, "swap/inside", &w) && c->got_fd >= 0) {
			if (!fstat(c->got_fd, &st))
				check(st.st_dev, st.st_ino);
			close(c->got_fd);
		}
		p9c_clunk(c, 10);
		if (!p9c_walkstat(c, 1, P9C_NOFID, 2, "swap/secret", &w) && !w.status)
			escapes++;
		if (!p9c_walkstat(c, 1, P9C_NOFID, 2, "swap/inside", &w) && !w.status)
			check(w.attr[0].dev, w.attr[0].ino);
		if (p9c_walk(c, 1, 10, "swap") == 1) {
			p9c_create(c, 10, "made", O_WRONLY | O_TRUNC, 0644);
			p9c_clunk(c, 10);
		}
		p9c_mkdir(c, 1, "swap", 0755);
		p9c_create(c, 1, "swap", 0, 0644);	/* must not open what the symlink leads to */
	}
	return NULL;
}

static void *file_client(void *arg)
{
	struct p9c *c = arg;
	struct p9c_walkstat w;

	while (!atomic_load(&stop)) {
		p9c_walk(c, 1, 10, "");
		*(p9c_create(c, 10, "swapfile", O_WRONLY | O_TRUNC, 0644) ? &misses : &hits) += 1;
		look(c, 10);
		p9c_clunk(c, 10);
		if (p9c_walk(c, 1, 10, "swapfile") == 1) {
			p9c_open(c, 10, O_RDWR | O_TRUNC);
			look(c, 10);
			p9c_setattr(c, 10, 1 | 8, 0600, 0, 0, 0, 0, 0);
			p9c_clunk(c, 10);
		}
		if (!p9c_opengrant(c, 1, 10, 2, O_RDWR | O_TRUNC, "swapfile", &w)) {
			if (c->got_fd >= 0)
				close(c->got_fd);
			p9c_clunk(c, 10);
		}
	}
	return NULL;
}

static void *parent_client(void *arg)
{
	struct p9c *c = arg;
	struct p9c_walkstat w;

	while (!atomic_load(&stop)) {
		if (p9c_walk(c, 1, 10, "dir/moving/deep") != 3) {
			misses++;
			continue;
		}
		hits++;
		for (int i = 0; i < 20; i++) {
			if (p9c_walkstat(c, 10, P9C_NOFID, 0, "../..", &w))
				continue;
			for (uint32_t k = 0; k < w.count; k++)
				check(w.attr[k].dev, w.attr[k].ino);
			if (!p9c_walkstat(c, 10, P9C_NOFID, 0, "../../../../../../x", &w)) {
				for (uint32_t k = 0; k < w.count; k++)
					check(w.attr[k].dev, w.attr[k].ino);
			}
		}
		/* Trename by fid onto a name that is a full directory: must fail, wherever it is */
		p9c_begin(c, 20);
		p9c_u32(c, 10);
		p9c_u32(c, 1);
		p9c_str(c, "dir");
		if (!p9c_call(c))
			escapes++;
		p9c_clunk(c, 10);
	}
	return NULL;
}

static void run(void *(*enemy)(void *), void *arg, void *(*client)(void *), const char *what)
{
	struct p9c *c[2] = { client_attached(&f), client_attached(&f) };
	pthread_t t[3];

	stop = false;
	hits = misses = escapes = 0;
	pthread_create(&t[0], NULL, enemy, arg);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i + 1], NULL, client, c[i]);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	tap_ok(escapes == 0 && hits > 3 && misses > 3, "%s: %d escapes in %d hits, %d misses", what,
	       escapes, hits, misses);
	client_free(c[0]);
	client_free(c[1]);
	tap_ok(files_become(&f, 0), "%s: nothing is held", what);
}

static void *rename_client(void *arg)
{
	struct p9c *c = arg;
	uint32_t x = 1;

	for (int i = 0; i < 4000; i++) {
		static const char *const names[] = { "p", "q", "r" };

		x = x * 1664525 + 1013904223 + (uint32_t)(uintptr_t)c;
		if (p9c_walk(c, 1, 10, names[x >> 16 & 1]) == 1) {
			*(p9c_renameat(c, 1, names[(x >> 18) % 3], 10, names[(x >> 20) % 3]) ?
			  &misses : &hits) += 1;
			p9c_renameat(c, 10, names[(x >> 22) % 3], 1, names[(x >> 24) % 3]);
			p9c_walk(c, 10, 11, "..");
			p9c_clunk(c, 11);
			p9c_clunk(c, 10);
		}
		p9c_mkdir(c, 1, names[(x >> 26) % 3], 0755);
	}
	return NULL;
}

int main(void)
{
	static const char *dirs[2] = { "rw/swap", "rw/swaplink" };
	static const char *files[2] = { "rw/swapfile", "rw/swapfifo" };
	static const char *links[2] = { "rw/swapfile", "rw/swapsecret" };
	char before[128], after[128];
	struct p9c *c[2];
	pthread_t t[2];
	struct stat st;
	int fd;

	fixture_make(&f);
	mkdir(fixture_path(&f, "rw/swap"), 0755);
	close(open(fixture_path(&f, "rw/swap/inside"), O_CREAT | O_WRONLY, 0644));
	(void)!symlink("../outside", fixture_path(&f, "rw/swaplink"));
	close(open(fixture_path(&f, "rw/swapfile"), O_CREAT | O_WRONLY, 0644));
	mkfifo(fixture_path(&f, "rw/swapfifo"), 0666);
	(void)!symlink(fixture_path(&f, "outside/secret"), fixture_path(&f, "rw/swapsecret"));
	mkdir(fixture_path(&f, "rw/dir/moving"), 0755);
	mkdir(fixture_path(&f, "rw/dir/moving/deep"), 0755);
	stat(fixture_path(&f, "outside"), &outside);
	stat(fixture_path(&f, "outside/secret"), &secret);
	stat(f.base, &base);
	fd = open(fixture_path(&f, "outside/secret"), O_RDONLY | O_CLOEXEC);
	(void)!read(fd, before, 100);
	fixture_start(&f, NULL);

	run(swapper, dirs, dir_client, "a directory and a symlink to outside");
	tap_ok(access(fixture_path(&f, "outside/made"), F_OK), "nothing was created outside");
	run(swapper, files, file_client, "a file and a FIFO");
	run(swapper, links, file_client, "a file and a symlink to a file outside");
	tap_ok(!fstat(fd, &st) && st.st_size == 100 && st.st_mode == secret.st_mode &&
	       pread(fd, after, 100, 0) == 100 && !memcmp(before, after, 100),
	       "which was neither truncated nor changed");
	run(mover, NULL, parent_client, "a directory moved out and back");

	escapes = hits = misses = 0;
	for (int i = 0; i < 2; i++) {
		c[i] = client_attached(&f);
		pthread_create(&t[i], NULL, rename_client, c[i]);
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(t[i], NULL);
		client_free(c[i]);
	}
	tap_ok(hits > 10 && files_become(&f, 0), "two clients rename directories into each other (%d, %d)",
	       hits, misses);
	close(fd);
	f.fds_before--;	/* fd was open then */
	fixture_end(&f);
	return tap_end();
}
