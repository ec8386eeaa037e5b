// SPDX-License-Identifier: MIT
/* kmalloc() on malloc(), so that AddressSanitizer watches every object; and failures on demand. Pages are lib/mm/page.c's own. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "mm/kmalloc.h"
#include "south/fake/fake.h"

int fake_fail_alloc;
long fake_allocs;

static bool fails(void)
{
	int n = __atomic_load_n(&fake_fail_alloc, __ATOMIC_RELAXED);

	return n && __atomic_fetch_sub(&fake_fail_alloc, 1, __ATOMIC_RELAXED) == 1;
}

void *kmalloc(size_t size)
{
	if (size > KMALLOC_MAX || fails())
		return NULL;
	__atomic_add_fetch(&fake_allocs, 1, __ATOMIC_RELAXED);
	return malloc(size ? size : 1);
}

void *kzalloc(size_t size)
{
	void *p = kmalloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void *kcalloc(size_t n, size_t size)
{
	size_t sum;

	return __builtin_mul_overflow(n, size, &sum) ? NULL : kzalloc(sum);
}

void *krealloc(void *p, size_t old_size __unused, size_t size)
{
	if (size > KMALLOC_MAX || fails())
		return NULL;
	if (!p)
		__atomic_add_fetch(&fake_allocs, 1, __ATOMIC_RELAXED);
	return realloc(p, size);
}

void kfree(const void *p)
{
	if (p)
		__atomic_sub_fetch(&fake_allocs, 1, __ATOMIC_RELAXED);
	free((void *)p);
}

char *kstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = kmalloc(len + 1);

	if (p) {
		memcpy(p, s, len);
		p[len] = 0;
	}
	return p;
}

char *kstrdup(const char *s)
{
	return kstrndup(s, strlen(s));
}

void *kmemdup(const void *p, size_t n)
{
	void *copy = kmalloc(n);

	if (copy)
		memcpy(copy, p, n);
	return copy;
}

size_t ksize(const void *p)
{
	return malloc_usable_size((void *)p);
}

u64 kmalloc_live(void)
{
	return (u64)__atomic_load_n(&fake_allocs, __ATOMIC_RELAXED);
}

void kmalloc_init(void) { }
