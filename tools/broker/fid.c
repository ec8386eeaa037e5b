// SPDX-License-Identifier: MIT
/*
 * A channel's table of fids: a hash with chains that doubles when full, bounded by max_fids.
 */
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static struct fid **bucket(struct channel *ch, uint32_t id)
{
	/* Clients count fids up from 0, or use addresses: mix the high bits in. */
	uint32_t h = id * 2654435761u;

	return &ch->buckets[(h >> 7) & (ch->nr_buckets - 1)];
}

static struct fid **find_link(struct channel *ch, uint32_t id)
{
	struct fid **p;

	if (!ch->nr_buckets)
		return NULL;
	for (p = bucket(ch, id); *p; p = &(*p)->next) {
		if ((*p)->id == id)
			return p;
	}
	return NULL;
}

struct fid *fid_find(struct channel *ch, uint32_t id)
{
	struct fid **p = find_link(ch, id);

	if (!p)
		return NULL;
	priv_use(ch, (*p)->node->ex);
	return *p;
}

static int grow(struct channel *ch)
{
	uint32_t old_nr = ch->nr_buckets, nr = old_nr ? 2 * old_nr : 64;
	struct fid **old = ch->buckets, **new = calloc(nr, sizeof(*new));

	if (!new)
		return -ENOMEM;
	ch->buckets = new;
	ch->nr_buckets = nr;
	for (uint32_t i = 0; i < old_nr; i++) {
		struct fid *f, *next;

		for (f = old[i]; f; f = next) {
			struct fid **b = bucket(ch, f->id);

			next = f->next;
			f->next = *b;
			*b = f;
		}
	}
	free(old);
	return 0;
}

int fid_check_new(struct channel *ch, uint32_t id)
{
	if (id == P9_NOFID)
		return -EBADF;
	if (find_link(ch, id))
		return -EINVAL;
	if (ch->nr_fids >= ch->b->limits.max_fids)
		return -ENFILE;
	return 0;
}

int fid_new(struct channel *ch, uint32_t id, struct node *node, struct fid **out)
{
	struct fid *fid, **b;
	int ret = fid_check_new(ch, id);

	if (ret)
		goto err_node;
	ret = -ENOMEM;
	if (ch->nr_fids >= ch->nr_buckets && grow(ch))
		goto err_node;
	fid = calloc(1, sizeof(*fid));
	if (!fid)
		goto err_node;
	fid->id = id;
	fid->kind = FID_PATH;
	fid->fd = -1;
	fid->node = node;
	b = bucket(ch, id);
	fid->next = *b;
	*b = fid;
	ch->nr_fids++;
	atomic_fetch_add(&ch->b->fids, 1);
	if (out)
		*out = fid;
	return 0;

err_node:
	node_put(ch, node);
	return ret;
}

/* Back to a fid that was not opened. */
static void fid_close(struct channel *ch, struct fid *fid)
{
	if (fid->fd >= 0 && fid->fd != fid->node->fd)
		fd_close(ch->b, fid->fd);
	fid->fd = -1;
	if (fid->xattr)
		ch->xattr_bytes -= fid->xattr->size;
	free(fid->xattr);
	fid->xattr = NULL;
	fid->kind = FID_PATH;
}

void fid_set_node(struct channel *ch, struct fid *fid, struct node *node)
{
	fid_close(ch, fid);
	node_put(ch, fid->node);
	fid->node = node;
}

void fid_set_open(struct channel *ch, struct fid *fid, int fd)
{
	fid->kind = FID_OPEN;
	fid->fd = fd;
	fid->dirpos = 0;
	if (fid->node->refs == 1 && fid->node->fd != fd) {
		fd_close(ch->b, fid->node->fd);
		fid->node->fd = fd;
	}
}

static void release(struct channel *ch, struct fid *fid)
{
	fid_close(ch, fid);
	node_put(ch, fid->node);
	free(fid);
	ch->nr_fids--;
	atomic_fetch_sub(&ch->b->fids, 1);
}

void fid_free(struct channel *ch, struct fid *fid)
{
	struct fid **p = find_link(ch, fid->id);

	*p = fid->next;
	release(ch, fid);
}

void fid_free_all(struct channel *ch)
{
	for (uint32_t i = 0; i < ch->nr_buckets; i++) {
		struct fid *f, *next;

		for (f = ch->buckets[i]; f; f = next) {
			next = f->next;
			release(ch, f);
		}
	}
	free(ch->buckets);
	ch->buckets = NULL;
	ch->nr_buckets = 0;
}

int xattr_alloc(struct channel *ch, uint32_t size, struct xattr **out)
{
	struct xattr *x;

	if (size > ch->b->limits.max_xattr - ch->xattr_bytes)
		return -ENOSPC;
	x = calloc(1, sizeof(*x) + size);
	if (!x)
		return -ENOMEM;
	x->size = size;
	ch->xattr_bytes += size;
	*out = x;
	return 0;
}
