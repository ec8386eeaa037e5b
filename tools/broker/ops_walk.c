// SPDX-License-Identifier: MIT
/* Sessions and names: version, attach, walk, clunk. */
#define _GNU_SOURCE
#include "server.h"

#include <errno.h>
#include <string.h>

int op_version(struct channel *ch, const struct p9_tversion *t, struct wire_out *o)
{
	const char *version = "unknown";
	uint32_t msize = t->msize < ch->msize_max ? t->msize : ch->msize_max;
	enum p9_state state = P9_ANY;

	if (t->msize < B9P_MSIZE_MIN)
		return -EINVAL;
	if (wire_str_is(t->version, "9P2000.L.lbx") && msize >= B9P_MSIZE_LBX_MIN) {
		version = "9P2000.L.lbx";
		state = P9_LBX;
	} else if (wire_str_is(t->version, "9P2000.L") ||
		   wire_str_is(t->version, "9P2000.L.lbx")) {
		version = "9P2000.L";
		state = P9_BASE;
	}
	fid_free_all(ch);	/* a version starts a new session */
	ch->state = state;
	ch->msize = msize;
	wire_put_u32(o, msize);
	wire_put_str(o, version, strlen(version));
	return 0;
}

/* ENOENT means "no authentication needed" to diod's clients. */
int op_auth(struct channel *ch, const struct p9_tauth *t, struct wire_out *o)
{
	(void)ch;
	(void)t;
	(void)o;
	return -ENOENT;
}

/* Users are not looked at: whoever holds the channel acts with the broker's rights on the exports. */
int op_attach(struct channel *ch, const struct p9_tattach *t, struct wire_out *o)
{
	struct p9_attr attr;
	struct node *node;
	int ret;

	if (t->afid != P9_NOFID)
		return -EINVAL;
	ret = fid_check_new(ch, t->fid);
	if (ret)
		return ret;
	for (size_t i = 0; i < ch->b->nr_exports; i++) {
		const struct export *ex = &ch->b->exports[i];

		if (!wire_str_is(t->aname, ex->name))
			continue;
		ret = node_root(ch, ex, &node, &attr);
		if (!ret)
			ret = fid_new(ch, t->fid, node, NULL);
		if (ret)
			return ret;
		wire_put_qid(o, &attr.qid);
		return 0;
	}
	return -ENOENT;
}

int op_flush(struct channel *ch, const struct p9_tflush *t, struct wire_out *o)
{
	(void)ch;	/* whatever it was, it has been answered */
	(void)t;
	(void)o;
	return 0;
}

int op_clunk(struct channel *ch, const struct p9_tclunk *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	int ret = 0;

	(void)o;
	if (!fid)
		return -EBADF;
	if (fid->kind == FID_XATTR_WRITE)
		ret = xattr_commit(ch, fid);
	fid_free(ch, fid);
	return ret;
}

int walk_step(struct channel *ch, struct node *at, struct p9_str s, struct node **next,
	      struct p9_attr *attr)
{
	char name[B9P_NAME_CAP];
	int ret;

	if (wire_str_is(s, "..") || wire_str_is(s, ".")) {
		if (!node_is_dir(at))
			return -ENOTDIR;
		ret = 0;
		if (s.len == 1)
			(*next = at)->refs++;
		else
			ret = node_parent(ch, at, next, NULL);
		if (ret)
			return ret;
		ret = node_attr(ch->b, *next, attr);
		if (ret)
			node_put(ch, *next);
		return ret;
	}
	ret = wire_name_check(s, name);
	return ret ? ret : node_lookup(ch, at, name, next, attr);
}

bool walk_allowed(const struct fid *fid)
{
	return fid && (fid->kind == FID_PATH || fid->kind == FID_OPEN);
}

int op_walk(struct channel *ch, const struct p9_twalk *t, struct wire_out *o)
{
	struct fid *fid = fid_find(ch, t->fid);
	struct p9_qid qids[P9_MAX_NAMES];
	struct node *at, *next;
	struct p9_attr attr;
	uint16_t n;
	int ret;

	if (!walk_allowed(fid) || (t->newfid == t->fid && fid->kind == FID_OPEN && t->names.n))
		return -EBADF;
	ret = t->newfid == t->fid ? 0 : fid_check_new(ch, t->newfid);
	if (ret)
		return ret;
	at = fid->node;
	at->refs++;
	for (n = 0; n < t->names.n; n++) {
		ret = walk_step(ch, at, t->names.name[n], &next, &attr);
		if (ret)
			break;
		node_put(ch, at);
		at = next;
		qids[n] = attr.qid;
	}
	if (n < t->names.n) {
		node_put(ch, at);
		if (!n)
			return ret;
	} else if (t->newfid != t->fid) {
		ret = fid_new(ch, t->newfid, at, NULL);
		if (ret)
			return ret;
	} else if (n) {
		fid_set_node(ch, fid, at);
	} else {
		node_put(ch, at);
	}
	wire_put_u16(o, n);
	for (unsigned int i = 0; i < n; i++)
		wire_put_qid(o, &qids[i]);
	return 0;
}
