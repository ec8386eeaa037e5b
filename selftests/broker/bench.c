// SPDX-License-Identifier: MIT
/*
 * What the broker costs: 10,000 small files read natively and through one channel, by the messages of
 * plain 9P2000.L and by one Topengrant each; and single round trips. A client thread and the server's
 * thread take turns, so most of a round trip is two wake-ups.
 */
#define _GNU_SOURCE
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES 10000

static struct fixture f;
static char buf[65536];
static double native;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *name(int i)
{
	static char s[64];

	snprintf(s, sizeof(s), "many/d%d/f%d", i / 100, i % 100);
	return s;
}

static void report(const char *what, double t, int n)
{
	t = t / n * 1e6;
	if (native > 0)
		printf("%-52s %8.2f us  %5.2f x native\n", what, t, t / native);
	else
		printf("%-52s %8.2f us\n", what, t);
}

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s failed\n", what);
	exit(1);
}

static void make_files(void)
{
	char path[256];

	mkdir(fixture_path(&f, "rw/many"), 0755);
	for (int i = 0; i < FILES; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/rw/%s", f.base, name(i));
		if (i % 100 == 0) {
			*strrchr(path, '/') = 0;
			mkdir(path, 0755);
			snprintf(path, sizeof(path), "%s/rw/%s", f.base, name(i));
		}
		fd = open(path, O_CREAT | O_WRONLY, 0644);
		check(fd >= 0 && write(fd, buf, 1000) == 1000, path);
		close(fd);
	}
}

static void files_native(void)
{
	char path[256];
	double t = now();

	for (int i = 0; i < FILES; i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/rw/%s", f.base, name(i));
		fd = open(path, O_RDONLY);
		check(read(fd, buf, sizeof(buf)) == 1000 && read(fd, buf, sizeof(buf)) == 0, path);
		close(fd);
	}
	t = now() - t;
	report("open, read, read, close natively", t, FILES);
	native = t / FILES * 1e6;
}

static void files_plain(struct p9c *c)
{
	double t = now();

	for (int i = 0; i < FILES; i++) {
		check(p9c_walk(c, 1, 10, name(i)) == 3 && !p9c_open(c, 10, 0) &&
		      p9c_read(c, 10, 0, buf, 65536) == 1000 && !p9c_clunk(c, 10), name(i));
	}
	report("the same by Twalk, Tlopen, Tread, Tclunk", now() - t, FILES);
}

static void files_inline(struct p9c *c)
{
	struct p9c_walkstat w;
	double t = now();

	for (int i = 0; i < FILES; i++)
		check(!p9c_opengrant(c, 1, 10, 2 | 4 | 8 | 16, 0, name(i), &w) && w.data_len == 1000,
		      name(i));
	report("by one Topengrant, data in the reply", now() - t, FILES);
}

static void files_last(struct p9c *c)
{
	struct p9c_walkstat w;
	double t = now();

	for (int i = 0; i < FILES; i++)
		check(!p9c_opengrant(c, 1, 10, 2 | 4 | 8 | 16 | 32, 0, name(i), &w) && w.data_len == 1000,
		      name(i));
	report("the same with LAST", now() - t, FILES);
}

static void files_granted(struct p9c *c)
{
	struct p9c_walkstat w;
	double t = now();

	for (int i = 0; i < FILES; i++) {
		check(!p9c_opengrant(c, 1, 10, 2 | 16, 0, name(i), &w) && c->got_fd >= 0 &&
		      pread(c->got_fd, buf, sizeof(buf), 0) == 1000, name(i));
		close(c->got_fd);
	}
	report("by one Topengrant and pread of the descriptor", now() - t, FILES);
}

static void single(struct p9c *c)
{
	struct p9c_walkstat w;
	struct p9c_attr a;
	double t = now();

	for (int i = 0; i < FILES; i++)
		check(!p9c_getattr(c, 1, &a), "getattr");
	report("Tgetattr", now() - t, FILES);
	t = now();
	for (int i = 0; i < FILES; i++)
		check(!p9c_walkstat(c, 1, P9C_NOFID, 0, "none", &w), "walkstat");
	report("Twalkstat of a missing name", now() - t, FILES);
	p9c_begin(c, 108);
	p9c_u16(c, 0);
	t = now();
	for (int i = 0; i < FILES; i++)
		check(!p9c_call(c), "flush");
	report("an empty round trip (Tflush)", now() - t, FILES);
	p9c_walk(c, 1, 10, "big");
	p9c_open(c, 10, 0);
	t = now();
	for (int i = 0; i < 2000; i++)
		check(p9c_read(c, 10, 0, buf, 65536) == 65536, "read");
	t = now() - t;
	printf("%-52s %8.0f MB/s\n", "Tread, 64 KiB a message", 2000 * 65536 / t / 1e6);
}

int main(void)
{
	struct p9c *c;
	struct b9p_counters n;

	fixture_make(&f);
	make_files();
	fixture_start(&f, NULL);
	c = client_attached(&f);
	files_native();
	files_plain(c);
	files_inline(c);
	files_last(c);
	files_granted(c);
	native = 0;
	single(c);
	b9p_counters(f.b, &n);
	client_free(c);
	b9p_stop(f.b, 1000);
	check(n.files_peak < 20, "few descriptors held");
	check(freopen("/dev/null", "w", stdout), "freopen");
	fixture_end(&f);
	return 0;
}
