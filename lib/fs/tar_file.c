// SPDX-License-Identifier: MIT
/* Regular files of a tar image: read where they stand; mapped, from memory, since their bytes begin at no page's boundary. */
#include "fs/tar_internal.h"

#include "base/string.h"
#include "mm/kmalloc.h"
#include "mm/pagecache.h"
#include "process/signal.h"

#define CHUNK	16384u

void tar_map_free(struct tar_map *m)
{
	kfree(m->v);
	*m = (struct tar_map){ .v = NULL };
}

int tar_map_add(struct tar_map *m, u64 off, u64 len)
{
	const struct tar_extent *last = m->nr ? &m->v[m->nr - 1] : NULL;

	if (off > TAR_SIZE_MAX || len > TAR_SIZE_MAX || (last && off < last->off + last->len))
		return -EINVAL;
	if (!len)
		return 0;	/* the end of the file, which the size says as well */
	if (m->nr == m->room) {
		u32 room = m->room ? m->room * 2 : 1;
		struct tar_extent *v;

		if (m->nr == TAR_EXTENTS_MAX)
			return -EINVAL;
		v = krealloc(m->v, m->room * sizeof(*v), room * sizeof(*v));
		if (!v)
			return -ENOMEM;
		m->v = v;
		m->room = room;
	}
	/* where it stands is counted from the first byte of data, until that is known */
	m->v[m->nr++] = (struct tar_extent){ off, len, m->stored };
	m->stored += len;
	return m->stored > TAR_SIZE_MAX ? -EINVAL : 0;
}

/* The first extent that ends behind @pos, or map->nr. */
static u32 find_extent(const struct tar_map *map, u64 pos)
{
	u32 low = 0, high = map->nr;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (map->v[mid].off + map->v[mid].len <= pos)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* @len bytes at @pos, all within the file. Return: bytes (at least 1), -EIO, -EINTR */
static ssize_t read_bytes(struct inode *inode, void *buf, size_t len, u64 pos)
{
	const struct tar_map *map = inode->priv;
	const struct tar_source *src = &tar_image(inode->sb)->src;
	u32 i = find_extent(map, pos);
	const struct tar_extent *e = i < map->nr ? &map->v[i] : NULL;
	ssize_t n;

	if (!e || e->off > pos) {
		/* a hole */
		if (e)
			len = (size_t)min((u64)len, e->off - pos);
		memset(buf, 0, len);
		return (ssize_t)len;
	}
	len = (size_t)min((u64)len, e->off + e->len - pos);
	n = src->read(src, e->at + (pos - e->off), buf, len);
	return n ? n : -EIO;	/* the image is shorter than it was */
}

static ssize_t tar_read(struct file *f, struct uio *to, pos_t *pos)
{
	struct inode *inode = f->inode;
	struct pagecache *pc = load_acquire(&inode->pagecache);
	size_t done = 0, want;
	ssize_t n = 0;
	u8 *buf;

	if (*pos >= inode->size || !to->left)
		return 0;
	want = (size_t)min((u64)to->left, (u64)(inode->size - *pos));
	if (pc) {
		n = pagecache_read(pc, to, *pos, want);
		if (n > 0)
			*pos += n;
		return n;
	}
	buf = kmalloc(min_t(size_t, want, CHUNK));
	if (!buf)
		return -ENOMEM;
	while (done < want) {
		n = read_bytes(inode, buf, min_t(size_t, want - done, CHUNK), (u64)*pos);
		if (n > 0)
			n = uio_put(to, buf, (size_t)n);
		if (n <= 0)
			break;
		*pos += n;
		done += (size_t)n;
		if (signal_pending())
			break;
	}
	kfree(buf);
	if (n == -EINTR)
		n = -ERESTARTSYS;
	return done ? (ssize_t)done : n;
}

#define INTERRUPTS	((u32)(WORK_SIGNAL | WORK_EXIT | WORK_STOP))

/* All of the file into memory; its lock is held. Holes stay holes. Signals wait: exec maps when there is no way back. */
static int load(struct inode *inode, struct pagecache *pc)
{
	const struct tar_map *map = inode->priv;
	u8 *buf = kmalloc(CHUNK);
	u32 held = 0;
	int ret = buf ? 0 : -ENOMEM;

	for (u32 i = 0; !ret && i < map->nr; i++) {
		u64 pos = map->v[i].off, end = min(pos + map->v[i].len, (u64)inode->size);

		while (!ret && pos < end) {
			ssize_t n = read_bytes(inode, buf, (size_t)min(end - pos, (u64)CHUNK), pos);
			struct uio uio;
			struct iov iov;

			if (n == -EINTR) {
				held |= atomic_and(&current->work, ~INTERRUPTS) & INTERRUPTS;
				continue;
			}
			if (n < 0) {
				ret = (int)n;
				break;
			}
			uio_init_kernel(&uio, &iov, buf, (size_t)n);
			if (pagecache_write(pc, &uio, (pos_t)pos, (size_t)n) != n)
				ret = -ENOMEM;
			pos += (u64)n;
		}
	}
	if (held)
		atomic_or(&current->work, held);
	kfree(buf);
	return ret;
}

static struct vm_object *tar_mmap(struct file *f, bool shared_write)
{
	struct inode *inode = f->inode;
	struct pagecache *pc;
	int ret = 0;

	if (shared_write)
		return ERR_PTR(-EACCES);
	mutex_lock(&inode->lock);
	pc = inode->pagecache;
	if (!pc) {
		pc = pagecache_create();
		ret = pc ? load(inode, pc) : -ENOMEM;
		if (!ret) {
			pagecache_set_size(pc, inode->size);
			store_release(&inode->pagecache, pc);
		} else if (pc) {
			pagecache_put(pc);
		}
	}
	mutex_unlock(&inode->lock);
	return ret ? ERR_PTR(ret) : pagecache_object(pc);
}

static const struct file_ops tar_file_ops = {
	.name = "file",
	.read = tar_read,
	.seek = generic_seek,
	.mmap = tar_mmap,
};

static const struct inode_ops tar_file_inode_ops = { 0 };

int tar_file_init(struct inode *inode, struct tar_map *map)
{
	struct tar_map *own = kmemdup(map, sizeof(*map));

	if (!own)
		return -ENOMEM;
	*map = (struct tar_map){ .v = NULL };
	inode->priv = own;
	inode->blocks = DIV_ROUND_UP(own->stored, 512u);
	inode->ops = &tar_file_inode_ops;
	inode->fops = &tar_file_ops;
	return 0;
}

void tar_file_evict(struct inode *inode)
{
	struct tar_map *map = inode->priv;

	if (map)
		tar_map_free(map);
	kfree(map);
	inode->priv = NULL;
}
