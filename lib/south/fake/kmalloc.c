// SPDX-License-Identifier: MIT
/* kmalloc() on malloc(), so that AddressSanitizer watches every object; and failures on demand. Pages are lib/mm/page.c's own. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "mm/kmalloc.h"
#include "south/fake/fake.h"

int fake_fail_alloc;
long fake_allocs;

/* Objects since fake_allocs_mark(), for fake_allocs_show(); NULL: nobody asked. */
static void **live;
static u32 live_nr;
#define LIVE_MAX	65536u

void __asan_describe_address(void *p) __attribute__((weak));

static void *made(void *p)
{
	if (live && p && live_nr < LIVE_MAX)
		live[live_nr++] = p;
	return p;
}

static void gone(const void *p)
{
	for (u32 i = live && p ? live_nr : 0; i; i--) {
		if (live[i - 1] != p)
			continue;
		live[i - 1] = live[--live_nr];
		return;
	}
}

void fake_allocs_mark(void)
{
	if (!live)
		live = malloc(LIVE_MAX * sizeof(*live));
	live_nr = 0;
}

void fake_allocs_show(void)
{
	for (u32 i = 0; i < live_nr && __asan_describe_address; i++)
		__asan_describe_address(live[i]);
}

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
	return made(malloc(size ? size : 1));
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
	gone(p);
	return made(realloc(p, size));
}

void kfree(const void *p)
{
	if (p)
		__atomic_sub_fetch(&fake_allocs, 1, __ATOMIC_RELAXED);
	gone(p);
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
