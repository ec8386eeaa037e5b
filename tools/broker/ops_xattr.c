// SPDX-License-Identifier: MIT
/*
 * Extended attributes: user.* of regular files and directories; security.*, trusted.* and system.*
 * (capabilities, labels, ACLs) answer as on a file system that has none, to a caller without rights.
 */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#define XATTR_BYTES_MAX	65536u	/* Linux' XATTR_SIZE_MAX and XATTR_LIST_MAX */

static bool has_xattrs(const struct node *node)
{
	return node_is_reg(node) || node_is_dir(node);
}

static int name_check(struct p9_str s, char *name, bool write)
{
	int ret = wire_text_check(s, name, B9P_NAME_CAP);

	if (ret)
		return ret == -ENAMETOOLONG ? -ERANGE : ret;	/* as setxattr(2) says it */
	if (!strncmp(name, "user.", 5))
		return name[5] ? 0 : -EINVAL;
	if (!strncmp(name, "security.", 9) || !strncmp(name, "trusted.", 8))
		return write ? -EPERM : -ENODATA;
	return -EOPNOTSUPP;
}

/* Reads with @name NULL: the list. The value's size may change between the two calls: try again. */
static int fetch(struct channel *ch, const struct node *node, const char *name, struct xattr **out)
{
	struct proc_path path = proc_path(node->fd);
	struct xattr *x;
	ssize_t n;
	int ret;

	for (int tries = 0; tries < 4; tries++) {
		n = name ? getxattr(path.s, name, NULL, 0) : listxattr(path.s, NULL, 0);
		if (n < 0)
			return -errno;
		if (n > XATTR_BYTES_MAX)
			return -E2BIG;
		ret = xattr_alloc(ch, (uint32_t)n, &x);
		if (ret)
			return ret;
		/* A size of 0 asks for the size again, and stores nothing. */
		n = name ? getxattr(path.s, name, x->data, x->size) :
			   listxattr(path.s, (char *)x->data, x->size);
		if (n >= 0 && (uint32_t)n <= x->size) {
			x->len = (uint32_t)n;
			*out = x;
			return 0;
		}
		ret = n < 0 ? -errno : -ERANGE;
		ch->xattr_bytes -= x->size;
		free(x);
		if (ret != -ERANGE)
			return ret;
	}
	return -EAGAIN;
}

static void keep_user_names(struct xattr *x)
{
	uint32_t to = 0, len;

	for (uint32_t at = 0; at < x->len; at += len) {
		const char *name = (const char *)x->data + at;

		len = (uint32_t)strnlen(name, x->len - at) + 1;
		if (at + len > x->len)
			break;
		if (!strncmp(name, "user.", 5)) {
			memmove(x->data + to, name, len);
			to += len;
		}
	}
	x->len = to;
}

int op_xattrwalk(struct channel *ch, const struct p9_txattrwalk *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid), *new;
	char name[B9P_NAME_CAP];
	struct xattr *x = NULL;
	struct node *node;
	int ret;

	if (!fid || (fid->kind != FID_PATH && fid->kind != FID_OPEN))
		return -EBADF;
	ret = fid_check_new(ch, t->newfid);
	if (!ret && t->name.len)
		ret = name_check(t->name, name, false);
	if (ret)
		return ret;
	node = fid->node;
	if (has_xattrs(node))
		ret = fetch(ch, node, t->name.len ? name : NULL, &x);
	else
		ret = t->name.len ? -ENODATA : xattr_alloc(ch, 0, &x);
	if (ret)
		return ret;
	if (!t->name.len)
		keep_user_names(x);
	node->refs++;
	ret = fid_new(ch, t->newfid, node, &new);
	if (ret) {
		ch->xattr_bytes -= x->size;
		free(x);
		return ret;
	}
	new->kind = FID_XATTR_READ;
	new->xattr = x;
	wire_put_u64(o, x->len);
	return 0;
}

int op_xattrcreate(struct channel *ch, const struct p9_txattrcreate *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	char name[B9P_NAME_CAP];
	int ret;

	(void)o;
	if (!fid || fid->kind != FID_PATH)
		return -EBADF;
	ret = name_check(t->name, name, true);
	if (ret)
		return ret == -EPERM ? log_refused(ch, fid->node, NULL, "only user.* attributes are set",
						   ret) : ret;
	if (t->flags & ~(uint32_t)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	ret = need_writable(ch, fid->node);
	if (ret)
		return ret;
	if (!has_xattrs(fid->node))
		return -EPERM;
	if (t->size > XATTR_BYTES_MAX)
		return -E2BIG;
	ret = xattr_alloc(ch, (uint32_t)t->size, &fid->xattr);
	if (ret)
		return ret;
	fid->kind = FID_XATTR_WRITE;
	fid->xattr->flags = t->flags;
	memcpy(fid->xattr->name, name, sizeof(name));
	return 0;
}

/* Size 0 with XATTR_REPLACE alone is how Linux' client removes an attribute. */
int xattr_commit(struct channel *ch, struct fid *fid)
{
	struct proc_path path = proc_path(fid->node->fd);
	const struct xattr *x = fid->xattr;

	(void)ch;
	if (x->len != x->size)
		return -EINVAL;
	if (!x->size && x->flags == XATTR_REPLACE)
		return removexattr(path.s, x->name) ? -errno : 0;
	return setxattr(path.s, x->name, x->data, x->size, (int)x->flags) ? -errno : 0;
}
