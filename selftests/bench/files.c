// SPDX-License-Identifier: MIT
/* Many small files, read as grep -r reads them. */
#define _GNU_SOURCE
#include "bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static unsigned long read_one(int dir, const char *name)
{
	static char buf[65536];
	int fd = openat(dir, name, O_RDONLY);
	ssize_t n;

	need(fd >= 0, name);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	need(!n && !close(fd), name);
	return 1;
}

static DIR *open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	need(d != NULL, name);
	return d;
}

unsigned long files_read(const char *path)
{
	DIR *top = open_dir(AT_FDCWD, path);
	unsigned long nr = 0;
	struct dirent *sub, *e;

	while ((sub = readdir(top))) {
		DIR *d;

		if (sub->d_name[0] == '.')
			continue;
		d = open_dir(dirfd(top), sub->d_name);
		while ((e = readdir(d)))
			if (e->d_name[0] != '.')
				nr += read_one(dirfd(d), e->d_name);
		closedir(d);
	}
	closedir(top);
	return nr;
}
