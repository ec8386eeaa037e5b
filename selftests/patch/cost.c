// SPDX-License-Identifier: MIT
/*
 * What a system call costs. Prints two numbers: instructions of getpid from a patched site, the site's own two included (under
 * lbx-vm --icount, where the time-stamp counter counts them; cycles elsewhere), and ns of one in a loop. The least of many tries.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define TRIES	2000
#define LOOP	1000

uint64_t cost_call(void), cost_nothing(void);

static uint64_t least(uint64_t (*fn)(void))
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t t = fn();

		if (t < best)
			best = t;
	}
	return best;
}

static double nanoseconds(void)
{
	double best = 1e18;

	for (int i = 0; i < 100; i++) {
		struct timespec a, b;
		double t;

		clock_gettime(CLOCK_MONOTONIC, &a);
		for (int k = 0; k < LOOP; k++) {
			long ret;

			__asm__ volatile("mov $39, %%eax\n\tsyscall" : "=a"(ret) : : "rcx", "r11", "memory");
		}
		clock_gettime(CLOCK_MONOTONIC, &b);
		t = ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / LOOP;
		if (t < best)
			best = t;
	}
	return best;
}

int main(void)
{
	uint64_t nothing = least(cost_nothing);

	printf("%llu %.0f\n", (unsigned long long)(least(cost_call) - nothing), nanoseconds());
	return 0;
}
