/* SPDX-License-Identifier: MIT */
/*
 * Formatted text: %d %i %u %x %X %o %c %s %p %% with flags 0 - # + space, width, precision (also *), and h hh l ll z.
 * No floating point.
 */
#ifndef LIB_BASE_PRINTF_H
#define LIB_BASE_PRINTF_H

#include <stdarg.h>

#include "base/types.h"

/* Return: the length that the whole text has (as snprintf(3)); at most @size - 1 bytes and a NUL are stored. */
#ifdef LBX_HAVE_LIBC
#include <stdio.h>
#else
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
#endif

/* scnprintf() - as snprintf(), but returns what was stored */
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

/* kprint() - a line to the runner's log (lbx-exec --verbose); for the library kernel's own troubles, rate-limited per call site by the caller */
void kprint(const char *fmt, ...) __printf(1, 2);

#endif
