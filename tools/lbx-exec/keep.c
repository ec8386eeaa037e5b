// SPDX-License-Identifier: MIT
/*
 * --keep-changes DIR. The sandbox empties and fills it, so it must be meant for that: a directory that is not there yet, an empty one, or
 * one that an earlier run has marked. One run at a time has it.
 */
#include "exec.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_empty(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;
	bool empty = d;

	while (empty && (e = readdir(d)))
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, "lost+found");
	if (d)
		closedir(d);
	return empty;
}

/* The marker is locked for as long as we live. */
static void take(int dir, const char *name)
{
	int fd = openat(dir, BOOT_KEEP_MARKER, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno == ENOENT) {
		if (!is_empty(dir))
			die("--keep-changes %s: neither empty nor made by an earlier run: name a directory of its own, which need not be there",
			    name);
		fd = openat(dir, BOOT_KEEP_MARKER, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	}
	if (fd < 0)
		die("--keep-changes %s: %s", name, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB))
		die("--keep-changes %s: %s", name, errno == EWOULDBLOCK ? "another lbx-exec has it: wait for its end" : strerror(errno));
}

void keep_open(struct view *v, const struct options *o)
{
	struct view_mount *m;
	char *full;
	int dir;

	/* nothing is made when nothing is to run */
	if (o->dry_run) {
		view_add(v, BOOT_MOUNT_KEEP, o->keep, "(writable layer)", false);
		return;
	}
	if (mkdir(o->keep, 0755) && errno != EEXIST)
		die("--keep-changes %s: %s", o->keep, strerror(errno));
	full = realpath(o->keep, NULL);
	dir = full ? open(full, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (dir < 0)
		die("--keep-changes %s: %s", o->keep, strerror(errno));
	if (faccessat(dir, "", W_OK | X_OK, AT_EMPTY_PATH | AT_EACCESS) && faccessat(AT_FDCWD, full, W_OK | X_OK, AT_EACCESS))
		die("--keep-changes %s: cannot be written: %s", o->keep, strerror(errno));
	take(dir, o->keep);
	m = view_add(v, BOOT_MOUNT_KEEP, full, o->keep, false);
	m->fd = dir;
	m->explicit = true;
	free(full);
}
