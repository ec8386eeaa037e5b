// SPDX-License-Identifier: MIT
/*
 * Attributes: reading them of any file, changing them of regular files, directories and (times only)
 * symlinks. Owners never change and set-id bits are never added.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

static bool has_node(const struct fid *fid)
{
	return fid && (fid->kind == FID_PATH || fid->kind == FID_OPEN);
}

int op_getattr(struct channel *ch, const struct p9_tgetattr *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	struct p9_attr attr;
	int ret;

	if (!has_node(fid))
		return -EBADF;
	ret = node_attr(ch->b, fid->node, &attr);
	if (!ret)
		wire_put_attr(o, &attr);
	return ret;
}

int op_readlink(struct channel *ch, const struct p9_treadlink *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	char target[B9P_PATH_CAP];
	ssize_t n;

	(void)ch;
	if (!has_node(fid))
		return -EBADF;
	if (!S_ISLNK(fid->node->type))
		return -EINVAL;
	n = readlinkat(fid->node->fd, "", target, sizeof(target));
	if (n < 0)
		return -errno;
	wire_put_str(o, target, (size_t)n);
	return 0;
}

int op_statfs(struct channel *ch, const struct p9_tstatfs *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	struct statfs st;
	uint64_t fsid = 0;

	(void)ch;
	if (!has_node(fid))
		return -EBADF;
	if (fstatfs(fid->node->fd, &st))
		return -errno;
	memcpy(&fsid, &st.f_fsid, sizeof(st.f_fsid) < sizeof(fsid) ? sizeof(st.f_fsid) :
	       sizeof(fsid));
	wire_put_u32(o, (uint32_t)st.f_type);
	wire_put_u32(o, (uint32_t)st.f_bsize);
	wire_put_u64(o, st.f_blocks);
	wire_put_u64(o, st.f_bfree);
	wire_put_u64(o, st.f_bavail);
	wire_put_u64(o, st.f_files);
	wire_put_u64(o, st.f_ffree);
	wire_put_u64(o, fsid);
	wire_put_u32(o, (uint32_t)st.f_namelen);
	return 0;
}

/* All refusals, before anything is changed. */
static int setattr_check(struct channel *ch, const struct node *node, const struct p9_tsetattr *t)
{
	struct p9_attr now;
	int ret;

	if (t->valid & ~P9_SET_ALL)
		return -EINVAL;
	ret = need_writable(ch, node);
	if (ret)
		return ret;
	if (!node_is_reg(node) && !node_is_dir(node) && !S_ISLNK(node->type))
		return log_refused(ch, node, NULL, "a device, FIFO or socket is not changed", -EPERM);
	ret = node_attr(ch->b, node, &now);
	if (ret)
		return ret;
	if ((t->valid & P9_SET_UID && t->uid != now.uid) ||
	    (t->valid & P9_SET_GID && t->gid != now.gid))
		return log_refused(ch, node, NULL, "owners are not changed", -EPERM);
	if (t->valid & P9_SET_MODE) {
		if (S_ISLNK(node->type))
			return -EOPNOTSUPP;
		/* Those that are there stay only when nothing changes: else they could come back to a file that another of
		 * the client's requests takes them from, and writes to, between our look and our change. */
		if (t->mode & (S_ISUID | S_ISGID) & ~now.mode ||
		    (node_is_reg(node) && t->mode & (S_ISUID | S_ISGID) && (t->mode ^ now.mode) & 07777))
			return log_refused(ch, node, NULL, "set-id bits are not set", -EPERM);
	}
	if (t->valid & P9_SET_SIZE) {
		if (node_is_dir(node))
			return -EISDIR;
		if (!node_is_reg(node) || t->size > INT64_MAX)
			return -EINVAL;
	}
	if ((t->valid & P9_SET_ATIME_SET && t->atime_nsec >= 1000000000) ||
	    (t->valid & P9_SET_MTIME_SET && t->mtime_nsec >= 1000000000))
		return -EINVAL;
	return 0;
}

static int set_size(struct channel *ch, const struct fid *fid, uint64_t size)
{
	int fd, ret;

	/* A file opened for writing may have lost its write permission since. */
	if (fid->kind == FID_OPEN) {
		if (!ftruncate(fid->fd, (off_t)size))
			return 0;
		if (errno != EINVAL && errno != EBADF)
			return -errno;
	}
	ret = node_open(ch, fid->node, O_WRONLY, &fd);
	if (ret)
		return ret;
	if (ftruncate(fd, (off_t)size))
		ret = -errno;
	fd_close(ch->b, fd);
	return ret;
}

static struct timespec time_arg(uint32_t valid, uint32_t change, uint32_t explicit, uint64_t sec,
				uint64_t nsec)
{
	if (!(valid & change))
		return (struct timespec){ .tv_nsec = UTIME_OMIT };
	if (!(valid & explicit))
		return (struct timespec){ .tv_nsec = UTIME_NOW };
	return (struct timespec){ .tv_sec = (time_t)sec, .tv_nsec = (long)nsec };
}

int op_setattr(struct channel *ch, const struct p9_tsetattr *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	int ret;

	(void)o;
	if (!has_node(fid))
		return -EBADF;
	ret = setattr_check(ch, fid->node, t);
	if (ret)
		return ret;
	/* a regular file's set-id bits: setattr_check() has seen that they are to stay as they are */
	if (t->valid & P9_SET_MODE && !(node_is_reg(fid->node) && t->mode & (S_ISUID | S_ISGID)) &&
	    fchmodat(ch->b->procfd, proc_name(fid->node->fd).s, t->mode & 07777, 0))
		return -errno;
	if (t->valid & P9_SET_SIZE) {
		ret = set_size(ch, fid, t->size);
		if (ret)
			return ret;
	}
	if (t->valid & (P9_SET_ATIME | P9_SET_MTIME)) {
		struct timespec ts[2] = {
			time_arg(t->valid, P9_SET_ATIME, P9_SET_ATIME_SET, t->atime_sec,
				 t->atime_nsec),
			time_arg(t->valid, P9_SET_MTIME, P9_SET_MTIME_SET, t->mtime_sec,
				 t->mtime_nsec),
		};

		if (utimensat(ch->b->procfd, proc_name(fid->node->fd).s, ts, 0))
			return -errno;
	}
	return 0;
}
