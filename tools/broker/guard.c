// SPDX-License-Identifier: MIT
/*
 * Exports with B9P_EXPORT_GUARD that lie below a writable one: --bind DIR:DIR:rw with --bind DIR/.git:DIR/.git:ro. The client's own mounts show
 * the one over the other, but a client need not look at its mounts. So the writable export knows them: whoever walks into such a
 * directory (or file) is in the read-only export from there on, and neither it nor a directory on the way to it can be renamed,
 * removed or replaced, as a mount point cannot: else another could be made in its place.
 *
 * The list is made once, before there is a client. It stays right, since all that is on it stays where it is as far as clients go.
 * What the host itself moves away is no longer found by the path that was bound, and is not protected any more.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int guard_add(struct export *rw, int fd, const struct export *ro)
{
	struct guard *g = reallocarray(rw->guards, rw->nr_guards + 1, sizeof(*g));
	struct stat st;

	if (!g)
		return -ENOMEM;
	rw->guards = g;
	if (fstat(fd, &st))
		return -errno;
	g[rw->nr_guards++] = (struct guard){ .dev = st.st_dev, .ino = st.st_ino, .ro = ro };
	return 0;
}

/* @below: the way from @rw to @ro, which is what stands at its end unless somebody moves things just now. */
static int guard_path(struct export *rw, const struct export *ro, char *below)
{
	char *save = NULL, *name = strtok_r(below, "/", &save);
	int dir = fcntl(rw->fd, F_DUPFD_CLOEXEC, 0), ret = 0;

	if (dir < 0)
		return -errno;
	while (name && !ret) {
		char *after = strtok_r(NULL, "/", &save);
		int next = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		close(dir);
		if (next < 0)
			return -errno;
		dir = next;
		ret = guard_add(rw, dir, after ? NULL : ro);
		name = after;
	}
	close(dir);
	return ret;
}

/* The path of an export's root, or "" when it has none (any more). */
static void root_path(const struct b9p *b, const struct export *ex, char path[B9P_PATH_CAP])
{
	ssize_t n = readlinkat(b->procfd, proc_name(ex->fd).s, path, B9P_PATH_CAP - 1);

	path[n > 0 && n < B9P_PATH_CAP - 1 ? n : 0] = 0;
	if (!strcmp(path, "/"))
		path[0] = 0;
}

int guards_init(struct b9p *b)
{
	char above[B9P_PATH_CAP], path[B9P_PATH_CAP];
	int ret = 0;

	for (size_t i = 0; i < b->nr_exports && !ret; i++) {
		struct export *rw = &b->exports[i];
		size_t len;

		if (!rw->writable || !S_ISDIR(rw->type))
			continue;
		root_path(b, rw, above);
		len = strlen(above);
		for (size_t k = 0; k < b->nr_exports && !ret; k++) {
			const struct export *ro = &b->exports[k];

			if (!ro->guard)
				continue;
			root_path(b, ro, path);
			if (!strncmp(path, above, len) && path[len] == '/' && path[len + 1])
				ret = guard_path(rw, ro, path + len);
		}
	}
	return ret;
}

const struct export *guard_enter(const struct export *ex, dev_t dev, uint64_t ino)
{
	for (size_t i = 0; i < ex->nr_guards; i++)
		if (ex->guards[i].ro && ex->guards[i].ino == ino && ex->guards[i].dev == dev)
			return ex->guards[i].ro;
	return ex;
}

int guard_check(struct channel *ch, const struct node *dir, const char *name)
{
	const struct export *ex = dir->ex;
	struct stat st;

	if (!ex->nr_guards || fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT))
		return 0;
	for (size_t i = 0; i < ex->nr_guards; i++)
		if (ex->guards[i].ino == st.st_ino && ex->guards[i].dev == st.st_dev)
			return log_refused(ch, dir, name, "a read-only export is mounted here or below", -EBUSY);
	return 0;
}
