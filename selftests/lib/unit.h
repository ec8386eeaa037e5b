/* SPDX-License-Identifier: MIT */
/* A few lines of TAP for the unit tests of lib/. Each test function is one line of the report. */
#ifndef SELFTESTS_LIB_UNIT_H
#define SELFTESTS_LIB_UNIT_H

#include <stdio.h>
#include <stdlib.h>

static int unit_nr, unit_failed;
static int unit_bad;	/* of the test that runs */

#define EXPECT(cond) do {							\
	if (!(cond)) {								\
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond);		\
		unit_bad++;							\
	}									\
} while (0)
#define EXPECT_EQ(a, b) do {							\
	long long _a = (long long)(a), _b = (long long)(b);			\
	if (_a != _b) {								\
		printf("# %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #a, _a, _b); \
		unit_bad++;							\
	}									\
} while (0)
#define RUN(test) do {								\
	unit_bad = 0;								\
	test();									\
	unit_nr++;								\
	unit_failed += unit_bad != 0;						\
	printf("%s %d - %s\n", unit_bad ? "not ok" : "ok", unit_nr, #test);	\
	fflush(stdout);								\
} while (0)

static inline int unit_done(void)
{
	printf("1..%d\n", unit_nr);
	return unit_failed != 0;
}

#endif
