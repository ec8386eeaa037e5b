// SPDX-License-Identifier: MIT
/*
 * Reading a tar image's headers, from its first block to its last. An entry may be announced by others: pax records, GNU's long names;
 * a sparse file's map stands in its header, in blocks behind it, in pax records or in its first blocks of data. All of that is put
 * together here, and given to tar_add().
 */
#include "fs/tar_internal.h"

#include "base/printf.h"
#include "base/string.h"
#include "mm/kmalloc.h"
#include "sched/time.h"

/* What one look at the image brings: many headers, where files are small. */
#define WINDOW		8192u
/* A pax header, a long name: more is no name that anybody has. */
#define META_MAX	(1u << 20)

/* What is announced for the next entry. */
struct announced {
	char *path, *link, *sparse_path;	/* kmalloc()ed */
	bool has_size, has_uid, has_gid, has_mtime, sparse, sparse_in_data;
	u64 size, uid, gid, real_size, pair_off;
	s64 mtime;
	struct tar_map map;
};

struct reader {
	struct super *sb;
	struct tar_image *img;
	u64 off;			/* of the next header */
	u64 window_at;
	u32 window_len;
	u32 entries;
	struct announced next;
	u8 window[WINDOW];
};

static int damaged(const struct reader *r, u64 off, const char *what)
{
	kprint("%s: %s at byte %llu: not a tar image, or damaged", r->img->name, what, (unsigned long long)off);
	return -EINVAL;
}

/* Return: @len bytes at @off, valid until the next call, or NULL with *@ret */
static const u8 *look(struct reader *r, u64 off, u32 len, int *ret)
{
	const struct tar_source *src = &r->img->src;

	if (off < r->window_at || off + len > r->window_at + r->window_len) {
		r->window_at = off;
		r->window_len = 0;
		while (r->window_len < len) {
			ssize_t n = src->read(src, off + r->window_len, r->window + r->window_len, WINDOW - r->window_len);

			if (n == -EINTR)
				continue;
			if (n <= 0) {
				*ret = n ? (int)n : damaged(r, off, "the end comes too early");
				return NULL;
			}
			r->window_len += (u32)n;
		}
	}
	return r->window + (off - r->window_at);
}

static void forget(struct announced *a)
{
	kfree(a->path);
	kfree(a->link);
	kfree(a->sparse_path);
	tar_map_free(&a->map);
	*a = (struct announced){ .path = NULL };
}

/* Names are C strings from here on. Return: 0, -EINVAL, -ENOMEM */
static int set_string(char **to, const char *s, size_t len)
{
	if (memchr(s, 0, len))
		return -EINVAL;
	kfree(*to);
	*to = kstrndup(s, len);
	return *to ? 0 : -ENOMEM;
}

/* ---- pax ---- */

static int sparse_list(struct announced *a, const char *s, size_t len)
{
	const char *end = s + len;
	u64 v[2];

	while (s < end) {
		for (int i = 0; i < 2; i++) {
			const char *comma = memchr(s, ',', (size_t)(end - s));
			const char *stop = comma ? comma : end;
			int ret = tar_decimal(s, (size_t)(stop - s), &v[i]);

			if (ret || (!comma && i == 0))
				return -EINVAL;
			s = comma ? comma + 1 : end;
		}
		if (tar_map_add(&a->map, v[0], v[1]))
			return -EINVAL;
	}
	return 0;
}

static int sparse_record(struct announced *a, const char *key, const char *s, size_t len)
{
	u64 v = 0;
	int ret;

	a->sparse = true;
	if (streq(key, "map"))
		return sparse_list(a, s, len);
	if (streq(key, "name"))
		return set_string(&a->sparse_path, s, len);
	ret = tar_decimal(s, len, &v);
	if (ret)
		return ret;
	if (streq(key, "size") || streq(key, "realsize"))
		a->real_size = v;
	else if (streq(key, "major"))
		a->sparse_in_data = v >= 1;
	else if (streq(key, "offset"))
		a->pair_off = v;
	else if (streq(key, "numbytes"))
		return tar_map_add(&a->map, a->pair_off, v);
	return 0;
}

static int take_record(struct announced *a, const struct tar_record *rec)
{
	static const char sparse[] = "GNU.sparse.";
	char key[32];

	/* what is longer is no key that we know */
	if (rec->key_len >= sizeof(key))
		return 0;
	memcpy(key, rec->key, rec->key_len);
	key[rec->key_len] = '\0';
	if (streq(key, "path"))
		return set_string(&a->path, rec->value, rec->value_len);
	if (streq(key, "linkpath"))
		return set_string(&a->link, rec->value, rec->value_len);
	if (!strncmp(key, sparse, sizeof(sparse) - 1))
		return sparse_record(a, key + sizeof(sparse) - 1, rec->value, rec->value_len);
	if (streq(key, "size")) {
		a->has_size = true;
		return tar_decimal(rec->value, rec->value_len, &a->size);
	}
	if (streq(key, "uid")) {
		a->has_uid = true;
		return tar_decimal(rec->value, rec->value_len, &a->uid);
	}
	if (streq(key, "gid")) {
		a->has_gid = true;
		return tar_decimal(rec->value, rec->value_len, &a->gid);
	}
	if (streq(key, "mtime")) {
		a->has_mtime = true;
		return tar_pax_time(rec->value, rec->value_len, &a->mtime);
	}
	return 0;
}

/* ---- what announces ---- */

/* The data of an entry of @size bytes at @off, in memory of its own. */
static char *read_meta(struct reader *r, u64 off, u64 size, int *ret)
{
	char *p;

	if (size > META_MAX) {
		*ret = damaged(r, off, "a header that is too long");
		return NULL;
	}
	p = kmalloc(size + 1);
	if (!p) {
		*ret = -ENOMEM;
		return NULL;
	}
	for (u32 done = 0; done < size; ) {
		u32 n = min_t(u32, (u32)size - done, TAR_BLOCK);
		const u8 *from = look(r, off + done, n, ret);

		if (!from) {
			kfree(p);
			return NULL;
		}
		memcpy(p + done, from, n);
		done += n;
	}
	p[size] = '\0';
	return p;
}

static int read_announcement(struct reader *r, const struct tar_header *h)
{
	u64 off = r->off + TAR_BLOCK;
	int ret = 0;
	char *p = read_meta(r, off, h->size, &ret);
	const char *at = p;
	struct tar_record rec;

	if (!p)
		return ret;
	switch (h->type) {
	case TAR_GNU_LONG_NAME:
		ret = set_string(&r->next.path, p, strlen(p));
		break;
	case TAR_GNU_LONG_LINK:
		ret = set_string(&r->next.link, p, strlen(p));
		break;
	default:
		while ((ret = tar_pax_next(&at, p + h->size, &rec)) > 0) {
			ret = take_record(&r->next, &rec);
			if (ret)
				break;
		}
	}
	kfree(p);
	return ret == -EINVAL ? damaged(r, off, "a header that makes no sense") : ret;
}

/* ---- sparse files ---- */

/* GNU's old kind: the map begins in the header and goes on in blocks before the data, to which *@data moves. */
static int old_sparse(struct reader *r, struct announced *a, u64 *data)
{
	int ret = 0;
	const u8 *block = look(r, r->off, TAR_BLOCK, &ret);
	u32 at = TAR_SPARSE_AT, nr = TAR_SPARSE_IN_HEADER, more_at = TAR_SPARSE_MORE_AT;
	s64 size;

	if (!block)
		return ret;
	if (tar_number(block + TAR_SPARSE_SIZE_AT, 12, &size) || size < 0 || (u64)size > TAR_SIZE_MAX)
		return -EINVAL;
	a->real_size = (u64)size;
	for (;;) {
		bool more = block[more_at];

		for (u32 i = 0; i < nr; i++) {
			u64 off, len;

			ret = tar_sparse_pair(block + at + i * 24, &off, &len);
			if (ret <= 0)
				break;
			ret = tar_map_add(&a->map, off, len);
			if (ret)
				return ret;
		}
		if (ret < 0 || !more)
			return ret;
		block = look(r, *data, TAR_BLOCK, &ret);
		if (!block)
			return ret;
		*data += TAR_BLOCK;
		at = 0;
		nr = TAR_SPARSE_IN_BLOCK;
		more_at = TAR_SPARSE_BLOCK_MORE_AT;
	}
}

/* One decimal number and its newline of a map that stands in front of the data. */
static int map_number(struct reader *r, u64 *at, u64 end, u64 *out)
{
	char text[24];
	int ret = 0;

	for (u32 n = 0; n < sizeof(text) && *at < end; n++) {
		const u8 *c = look(r, (*at)++, 1, &ret);

		if (!c)
			return ret;
		if (*c == '\n')
			return tar_decimal(text, n, out);
		text[n] = (char)*c;
	}
	return -EINVAL;
}

/* pax format 1.0: text, padded to a block. *@data moves behind it. */
static int sparse_in_data(struct reader *r, struct announced *a, u64 *data, u64 end)
{
	u64 at = *data, nr, off, len;
	int ret = map_number(r, &at, end, &nr);

	if (ret)
		return ret;
	if (nr > TAR_EXTENTS_MAX)
		return -EINVAL;
	while (nr--) {
		ret = map_number(r, &at, end, &off);
		if (!ret)
			ret = map_number(r, &at, end, &len);
		if (!ret)
			ret = tar_map_add(&a->map, off, len);
		if (ret)
			return ret;
	}
	*data += ALIGN_UP(at - *data, (u64)TAR_BLOCK);
	return 0;
}

/* ---- entries ---- */

static bool has_data(char type)
{
	return !(type >= TAR_HARDLINK && type <= TAR_FIFO) && type != TAR_GNU_VOLUME;
}

/* What the entry's file is made of: @stored bytes from @data of the image on, in the order of the map. */
static int place_data(struct reader *r, struct tar_entry *e, u64 data, u64 end)
{
	struct announced *a = &r->next;
	u32 i;
	int ret;

	if (!a->sparse)
		ret = tar_map_add(&a->map, 0, e->size);
	else if (a->sparse_in_data)
		ret = sparse_in_data(r, a, &data, end);
	else
		ret = 0;
	if (ret)
		return ret;
	if (a->sparse)
		e->size = a->real_size;
	if (data > end || a->map.stored > end - data)
		return -EINVAL;
	for (i = 0; i < a->map.nr; i++)
		a->map.v[i].at += data;
	if (i && a->map.v[i - 1].off + a->map.v[i - 1].len > e->size)
		return -EINVAL;
	e->map = a->map;
	a->map = (struct tar_map){ .v = NULL };
	return 0;
}

static void fill_entry(struct tar_entry *e, const struct tar_header *h, const struct announced *a)
{
	*e = (struct tar_entry){
		.type = h->type == TAR_GNU_DUMPDIR ? TAR_DIR : h->type,
		.name = a->sparse_path ? a->sparse_path : a->path ? a->path : h->name,
		.link = a->link ? a->link : h->link,
		.mode = h->mode,
		.uid = a->has_uid ? (u32)a->uid : h->uid,
		.gid = a->has_gid ? (u32)a->gid : h->gid,
		.rdev = dev_make(h->major, h->minor),
		.mtime = a->has_mtime ? a->mtime : 0,
	};
	if (!a->has_mtime && h->mtime < INT64_MAX / NSEC_PER_SEC && h->mtime > INT64_MIN / NSEC_PER_SEC)
		e->mtime = h->mtime * NSEC_PER_SEC;
}

static int read_entry(struct reader *r, const struct tar_header *h)
{
	struct announced *a = &r->next;
	u64 data = r->off + TAR_BLOCK, size = a->has_size ? a->size : h->size, end;
	struct tar_entry e;
	int ret = 0;

	if (!has_data(h->type))
		size = 0;
	if (h->type == TAR_GNU_SPARSE) {
		a->sparse = true;
		ret = old_sparse(r, a, &data);
	}
	if (ret)
		return ret == -EINVAL ? damaged(r, r->off, "a sparse file's map that makes no sense") : ret;
	end = data + size;	/* below 2^62 */
	if (end > r->img->src.size)
		return damaged(r, r->off, "a file that is cut off");
	fill_entry(&e, h, a);
	if (e.type == TAR_GNU_MULTI)
		return damaged(r, r->off, "a part of an image in several volumes");
	e.size = size;
	if (has_data(e.type)) {
		ret = place_data(r, &e, data, end);
		if (ret)
			return ret == -EINVAL ? damaged(r, r->off, "a sparse file's map that makes no sense") : ret;
	}
	if (h->type != TAR_GNU_VOLUME)
		ret = tar_add(r->sb, &e);
	tar_map_free(&e.map);
	r->off = ALIGN_UP(end, (u64)TAR_BLOCK);
	return ret;
}

/* Return: 1: go on, 0: that was the end, -errno */
static int read_header(struct reader *r)
{
	struct tar_header h;
	const u8 *block;
	int ret = 0;

	/* Some writers leave out the two blocks of zeros. */
	if (r->off >= r->img->src.size)
		return 0;
	block = look(r, r->off, TAR_BLOCK, &ret);
	if (!block)
		return ret;
	ret = tar_parse_header(block, &h);
	if (ret == 1)
		return 0;
	if (ret)
		return damaged(r, r->off, "no header");
	if (++r->entries > TAR_ENTRIES_MAX)
		return damaged(r, r->off, "more entries than are good");
	if (h.type == TAR_PAX || h.type == TAR_GNU_LONG_NAME || h.type == TAR_GNU_LONG_LINK) {
		ret = read_announcement(r, &h);
	} else if (h.type != TAR_PAX_GLOBAL) {
		ret = read_entry(r, &h);
		forget(&r->next);
		return ret ? ret : 1;
	}
	r->off += TAR_BLOCK + ALIGN_UP(h.size, (u64)TAR_BLOCK);
	return ret ? ret : 1;
}

/* What people name by mistake. */
static const char *known_as(const u8 *p)
{
	if (p[0] == 0x1f && p[1] == 0x8b)
		return "gzip: gunzip";
	if (!memcmp(p, "\xfd" "7zXZ", 5))
		return "xz: unxz";
	if (!memcmp(p, "\x28\xb5\x2f\xfd", 4))
		return "zstd: unzstd";
	return memcmp(p, "BZh", 3) ? NULL : "bzip2: bunzip2";
}

int tar_index(struct super *sb)
{
	struct reader *r = kzalloc(sizeof(*r));
	const char *packed = NULL;
	const u8 *first;
	int ret = 0;

	if (!r)
		return -ENOMEM;
	r->sb = sb;
	r->img = tar_image(sb);
	first = look(r, 0, 8, &ret);
	if (first)
		packed = known_as(first);
	if (packed) {
		kprint("%s: compressed by %s it first", r->img->name, packed);
		ret = -EINVAL;
	}
	if (!ret) {
		do {
			ret = read_header(r);
		} while (ret > 0);
	}
	if (!ret && !r->entries)
		ret = damaged(r, 0, "no files");
	forget(&r->next);
	kfree(r);
	return ret;
}
