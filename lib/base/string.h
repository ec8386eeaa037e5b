/* SPDX-License-Identifier: MIT */
/* Memory and strings, as string(3) says; strscpy() returns the length or -E2BIG and always ends with NUL. */
#ifndef LIB_BASE_STRING_H
#define LIB_BASE_STRING_H

#include "base/types.h"

#ifdef LBX_HAVE_LIBC
#include <string.h>
#else
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
#endif
ssize_t strscpy(char *dst, const char *src, size_t size);
static inline bool streq(const char *a, const char *b) { return strcmp(a, b) == 0; }

#endif
