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

#endif
