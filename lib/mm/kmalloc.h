/* SPDX-License-Identifier: MIT */
/*
 * The library kernel's own memory: all of it lies in the RAM that every process of the sandbox sees at one address (the "direct
 * map"), so pointers can be kept in shared structures. Everything may return NULL; callers answer -ENOMEM.
 */
#ifndef LIB_MM_KMALLOC_H
#define LIB_MM_KMALLOC_H

#include "base/types.h"

#define KMALLOC_MAX		(1ul << 22)

__must_check void *kmalloc(size_t size);
__must_check void *kzalloc(size_t size);
__must_check void *kcalloc(size_t n, size_t size);
__must_check void *krealloc(void *p, size_t old_size, size_t size);
void kfree(const void *p);
size_t ksize(const void *p);
__must_check char *kstrdup(const char *s);
__must_check char *kstrndup(const char *s, size_t n);
__must_check void *kmemdup(const void *p, size_t n);

/*
 * page_alloc() - @nr contiguous pages of RAM, zeroed, mapped in the direct map
 * page_free() gives them back (they are given back to the host in larger pieces).
 */
__must_check void *page_alloc(size_t nr);
void page_free(void *p, size_t nr);

/* kmalloc_live() - objects handed out and not freed, for tests of leaks; kmalloc_init(): forget all, before a new ram_init() */
u64 kmalloc_live(void);
void kmalloc_init(void);

/* Bytes of RAM: the sandbox's limit, and what is in use for everything (kernel objects, page cache, shared memory). */
u64 ram_total(void);
u64 ram_used(void);
/* ram_offset() - where in the RAM handle a direct-map address lies */
u64 ram_offset(const void *p);
void *ram_address(u64 offset);

#endif
