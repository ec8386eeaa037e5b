/* SPDX-License-Identifier: MIT */
/*
 * The pages of a file, of shared memory, of a memfd: a sparse array of pages of RAM, in extents as contiguous as can be had, which
 * file systems read and write and address spaces map. Reference counted: the inode holds one, each vm_object made of it another.
 *
 * Lock: pagecache.lock guards the tree and size; it nests inside inode.lock and mm.lock. Data is copied without it, pages pinned.
 */
#ifndef LIB_MM_PAGECACHE_H
#define LIB_MM_PAGECACHE_H

#include "mm/uaccess.h"

struct pagecache;
struct vm_object;

__must_check struct pagecache *pagecache_create(void);
void pagecache_get(struct pagecache *pc);
void pagecache_put(struct pagecache *pc);

/* Holes read as zeros. Return: bytes, or -EFAULT when nothing could be copied. The caller cuts at the file's size. */
ssize_t pagecache_read(struct pagecache *pc, struct uio *to, pos_t pos, size_t len);
/* Return: bytes (short when memory ran out or the source faulted), -ENOMEM/-ENOSPC, -EFAULT */
ssize_t pagecache_write(struct pagecache *pc, struct uio *from, pos_t pos, size_t len);

/* pagecache_truncate() - drop all beyond @size, zero the tail of the last page; mapped pages beyond it answer SIGBUS */
void pagecache_truncate(struct pagecache *pc, pos_t size);
/* pagecache_set_size() - tell the size, so that mappings know where SIGBUS begins (growing, or after truncate) */
void pagecache_set_size(struct pagecache *pc, pos_t size);
/* pagecache_punch() - make [pos, pos+len) a hole; partial pages are zeroed. Mappings see zeros. */
void pagecache_punch(struct pagecache *pc, pos_t pos, pos_t len);
/* pagecache_fill() - allocate [pos, pos+len) (fallocate). Return: 0, -ENOSPC */
int pagecache_fill(struct pagecache *pc, pos_t pos, pos_t len);
/* Return: where data (hole) begins at or after @pos, or @limit */
pos_t pagecache_seek_data(struct pagecache *pc, pos_t pos, pos_t limit);
pos_t pagecache_seek_hole(struct pagecache *pc, pos_t pos, pos_t limit);
/* pages held, for st_blocks and statfs */
u64 pagecache_pages(const struct pagecache *pc);

/* pagecache_object() - what ops->mmap of a file on this page cache returns: one reference, or ERR_PTR */
struct vm_object *pagecache_object(struct pagecache *pc);

/*
 * pagecache_seal_writable() - no shared mapping that may be written from now on (F_SEAL_WRITE; memfd)
 * @existing_too: refuse when there is one already; else those stay (F_SEAL_FUTURE_WRITE). Return: 0 or -EBUSY
 */
int pagecache_seal_writable(struct pagecache *pc, bool existing_too);

/* pagecache_trim() - nobody writes to it any more (last close): give back what was kept for growing */
void pagecache_trim(struct pagecache *pc);

/* ---- for lib/mm and the pagers ---- */

struct vma;
/*
 * pagecache_run() - contiguous pages from @pgoff on, at most @max
 * Return: how many are there, with *@mem their memory; or 0 and *@hole pages (at most @max) are not.
 * The pages stay as long as the caller holds the mm->lock of a VMA that was linked before.
 */
u64 pagecache_run(struct pagecache *pc, u64 pgoff, u64 max, void **mem, u64 *hole);
/* pagecache_populate() - allocate all holes of [pgoff, pgoff + nr). Return: 0 or -ENOSPC */
int pagecache_populate(struct pagecache *pc, u64 pgoff, u64 nr);
/* pagecache_holes() - how many pages of [pgoff, pgoff + nr) are not there */
u64 pagecache_holes(struct pagecache *pc, u64 pgoff, u64 nr);
/* pagecache_size() - the file's size in bytes, as pagecache_set_size() and pagecache_truncate() told */
pos_t pagecache_size(const struct pagecache *pc);
/* pagecache_link() - @v maps @pc from now on; sealed, it loses VMA_MAYWRITE. Return: 0 or -EPERM. pagecache_unlink(): not any more, for the pager too */
int pagecache_link(struct pagecache *pc, struct vma *v);
void pagecache_unlink(struct pagecache *pc, struct vma *v);
/* pagecache_link_split() - @v was split off @from; pagecache_link_change(): its rights changed from @was to v->flags */
void pagecache_link_split(struct pagecache *pc, struct vma *v, const struct vma *from);
/* pagecache_ack() - all of @v beyond @from is unmapped. Return: false when a truncate wants more meanwhile: do it again */
bool pagecache_ack(struct pagecache *pc, struct vma *v, u64 from);

#endif
