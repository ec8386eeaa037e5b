/* SPDX-License-Identifier: MIT */
/*
 * As much of TAP as these tests need. One line a test; the plan comes last.
 */
#ifndef SELFTESTS_UAPI_TAP_H
#define SELFTESTS_UAPI_TAP_H

#include <stdarg.h>
#include <stdio.h>

static int tap_nr, tap_bad;

__attribute__((format(printf, 2, 3)))
static void tap_ok(int good, const char *fmt, ...)
{
	va_list args;

	tap_nr++;
	tap_bad += !good;
	printf("%sok %d - ", good ? "" : "not ", tap_nr);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
}

static int tap_end(void)
{
	printf("1..%d\n", tap_nr);
	return tap_bad != 0;
}

#endif
