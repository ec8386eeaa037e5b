// SPDX-License-Identifier: MIT
/* The extension's messages that walk, look, open and grant in one round trip: README.md. */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * The head of Rwalkstat and Ropengrant: status[4] flags[4] count[4] attr[count] target[s].
 * @status and @flags are patched in when they are known.
 */
struct walked {
	struct node *at;	/* the last element reached; a reference */
	struct p9_attr attr;	/* of @at */
	uint32_t head;		/* where the head begins in the reply */
	uint32_t last_attr;	/* where @attr stands there */
	uint32_t count;
	int status;		/* 0: all names were walked */
};

/* All names in one step: @w->status says how that went; -ENOSYS when it cannot be done so. */
static int walk_last(struct channel *ch, const struct p9_names *names, struct wire_out *o,
		     struct walked *w)
{
	char path[B9P_PATH_CAP];
	struct node *next;
	size_t at = 0;
	int ret;

	for (unsigned int i = 0; i < names->n; i++) {
		if (at + names->name[i].len + 2 > sizeof(path))
			return -ENOSYS;
		ret = names->name[i].len > P9_NAME_MAX ? -ENAMETOOLONG :
		      wire_name_check(names->name[i], path + at);
		if (ret)
			return ret;
		at += names->name[i].len;
		path[at++] = '/';
	}
	path[at - 1] = 0;
	ret = node_lookup_path(ch, w->at, path, &next, &w->attr);
	if (ret)
		return ret;
	node_put(ch, w->at);
	w->at = next;
	w->last_attr = o->len;
	wire_put_attr_lbx(o, &w->attr);
	w->count = names->n;
	return 0;
}

/* Name by name. With @last the attributes of the last element only; the count of an early end is then
 * 0, as if none had been walked. */
static int walk_each(struct channel *ch, const struct p9_names *names, bool last,
		     struct wire_out *o, struct walked *w)
{
	struct node *next;
	int ret;

	for (unsigned int i = 0; i < names->n; i++) {
		if (i && S_ISLNK(w->at->type))
			return -ELOOP;	/* the client resolves it */
		ret = walk_step(ch, w->at, names->name[i], &next, &w->attr);
		if (ret)
			return ret;
		node_put(ch, w->at);
		w->at = next;
		if (last && i + 1 < names->n)
			continue;
		w->last_attr = o->len;
		wire_put_attr_lbx(o, &w->attr);
		w->count = i + 1;
	}
	return 0;
}

static int walk_attrs(struct channel *ch, const struct fid *fid, const struct p9_names *names,
		      bool last, struct wire_out *o, struct walked *w)
{
	char target[B9P_PATH_CAP];
	ssize_t len = 0;
	int ret;

	w->at = fid->node;
	w->head = o->len;
	wire_put_u32(o, 0);
	wire_put_u32(o, 0);
	wire_put_u32(o, 0);
	w->last_attr = o->len;
	if (!names->n) {
		ret = node_attr(ch->b, w->at, &w->attr);
		if (ret)
			return ret;
		wire_put_attr_lbx(o, &w->attr);
		w->count = 1;
	}
	w->at->refs++;
	w->status = -ENOSYS;
	if (last && names->n > 1)
		w->status = walk_last(ch, names, o, w);
	if (w->status == -ENOSYS)
		w->status = walk_each(ch, names, last, o, w);
	if (w->count && S_ISLNK(w->at->type))
		len = readlinkat(w->at->fd, "", target, sizeof(target));
	wire_put_str(o, target, len > 0 ? (size_t)len : 0);
	return 0;
}

static void walked_patch(struct wire_out *o, const struct walked *w, uint32_t flags)
{
	wire_patch_u32(o, w->head, (uint32_t)-w->status);
	wire_patch_u32(o, w->head + 4, flags);
	wire_patch_u32(o, w->head + 8, w->count);
}

/* PARTIAL (1) has no meaning where only the last element counts. */
static bool flags_fit(uint32_t flags, uint32_t all, uint32_t last)
{
	return !(flags & ~all) && !(flags & last && flags & B9P_WALK_PARTIAL);
}

int op_walkstat(struct channel *ch, const struct p9_twalkstat *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	struct walked w = { 0 };
	int ret;

	if (!flags_fit(t->flags, B9P_WALK_PARTIAL | B9P_WALK_LAST, B9P_WALK_LAST))
		return -EINVAL;
	if (!walk_allowed(fid))
		return -EBADF;
	ret = t->newfid == P9_NOFID ? 0 : fid_check_new(ch, t->newfid);
	if (!ret)
		ret = walk_attrs(ch, fid, &t->names, t->flags & B9P_WALK_LAST, o, &w);
	if (ret)
		return ret;
	if (t->newfid == P9_NOFID ||
	    (w.status && (!w.count || !(t->flags & B9P_WALK_PARTIAL)))) {
		node_put(ch, w.at);
		walked_patch(o, &w, 0);
		return 0;
	}
	ret = fid_new(ch, t->newfid, w.at, NULL);
	if (!ret)
		walked_patch(o, &w, B9P_OPENED_FID);
	return ret;
}

/* Appends data[count[4]]: the whole file when it is small enough, else none. */
static uint32_t put_inline(struct channel *ch, int fd, struct wire_out *o)
{
	uint32_t at = o->len, flag = 0;
	ssize_t n;

	wire_put_u32(o, 0);
	if (fd < 0 || wire_room(o) <= B9P_INLINE_MAX)
		return 0;
	n = pread(fd, o->buf + o->len, B9P_INLINE_MAX + 1, 0);
	if (n >= 0 && n <= (ssize_t)B9P_INLINE_MAX) {
		wire_patch_u32(o, at, (uint32_t)n);
		o->len += (uint32_t)n;
		atomic_fetch_add_explicit(&ch->b->bytes_read, (uint64_t)n, memory_order_relaxed);
		flag = B9P_OPENED_INLINE;
	}
	return flag;
}

/* What follows the walk when it arrived: @w->status says how it went. Returns B9P_OPENED_* flags. */
static uint32_t open_walked(struct channel *ch, const struct p9_topengrant *t, struct walked *w,
			    struct wire_out *o, int *fd)
{
	uint32_t flags = 0;
	bool reg = node_is_reg(w->at);
	int oflags;

	*fd = -1;
	w->status = open_flags(ch, w->at, t->open_flags, &oflags);
	if (!w->status)
		w->status = node_open(ch, w->at, oflags, fd);
	if (w->status)
		return put_inline(ch, -1, o);
	if (oflags & O_TRUNC && !attr_at(ch->b, *fd, "", AT_EMPTY_PATH, &w->attr)) {
		struct wire_out at = { .buf = o->buf, .cap = o->len, .len = w->last_attr };

		wire_put_attr_lbx(&at, &w->attr);
	}
	if (t->flags & B9P_OPEN_INLINE && reg && (oflags & O_ACCMODE) != O_WRONLY)
		flags = put_inline(ch, *fd, o);
	else
		(void)put_inline(ch, -1, o);
	if (t->flags & B9P_OPEN_GRANT && reg && ch->can_grant &&
	    !(t->flags & B9P_OPEN_EITHER && flags & B9P_OPENED_INLINE)) {
		ch->send_fd = *fd;
		flags |= B9P_OPENED_GRANT;
	}
	return flags | B9P_OPENED_OPEN;
}

int op_opengrant(struct channel *ch, const struct p9_topengrant *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid), *new;
	struct walked w = { 0 };
	uint32_t flags = 0;
	int ret, fd = -1;

	if (!flags_fit(t->flags, B9P_OPEN_ALL, B9P_OPEN_LAST))
		return -EINVAL;
	if (!walk_allowed(fid))
		return -EBADF;
	ret = t->newfid == P9_NOFID ? 0 : fid_check_new(ch, t->newfid);
	if (!ret)
		ret = walk_attrs(ch, fid, &t->names, t->flags & B9P_OPEN_LAST, o, &w);
	if (ret)
		return ret;
	if (w.status)
		(void)put_inline(ch, -1, o);
	else
		flags = open_walked(ch, t, &w, o, &fd);

	if (t->newfid == P9_NOFID ||
	    (w.status && (!w.count || !(t->flags & B9P_OPEN_PARTIAL))) ||
	    (t->flags & B9P_OPEN_NOFID && flags & (B9P_OPENED_GRANT | B9P_OPENED_INLINE))) {
		node_put(ch, w.at);
		if (flags & B9P_OPENED_GRANT)
			ch->send_fd_close = true;
		else if (fd >= 0)
			fd_close(ch->b, fd);
		walked_patch(o, &w, flags & ~B9P_OPENED_OPEN);
		return 0;
	}
	ret = fid_new(ch, t->newfid, w.at, &new);
	if (ret) {
		ch->send_fd = -1;
		if (fd >= 0)
			fd_close(ch->b, fd);
		return ret;
	}
	ch->send_fd_close = false;
	if (fd >= 0)
		fid_set_open(ch, new, fd);
	walked_patch(o, &w, flags | B9P_OPENED_FID);
	return 0;
}

int op_grant(struct channel *ch, const struct p9_tgrant *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	struct p9_attr attr;
	int ret, fd, oflags;

	if (t->flags & ~B9P_GRANT_WRITE)
		return -EINVAL;
	if (!walk_allowed(fid))
		return -EBADF;
	if (!ch->can_grant)
		return -EOPNOTSUPP;
	if (node_is_dir(fid->node))
		return -EISDIR;
	ret = open_flags(ch, fid->node, t->flags & B9P_GRANT_WRITE ? P9_O_RDWR : 0, &oflags);
	if (!ret)
		ret = node_open(ch, fid->node, oflags, &fd);
	if (ret)
		return ret;
	ret = attr_at(ch->b, fd, "", AT_EMPTY_PATH, &attr);
	if (ret) {
		fd_close(ch->b, fd);
		return ret;
	}
	ch->send_fd = fd;
	ch->send_fd_close = true;
	wire_put_attr_lbx(o, &attr);
	return 0;
}
