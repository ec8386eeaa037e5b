// SPDX-License-Identifier: MIT
/*
 * Under lbx-vm --icount the time-stamp counter advances by one for each
 * instruction. Prints what 1,000 more rounds of a loop of two instructions
 * cost: interrupts only ever add, so the least of many tries is the cost.
 */
#include <stdint.h>
#include <stdio.h>

#define TRIES 200

static inline uint64_t loop_cost(uint64_t rounds)
{
	uint32_t lo0, hi0, lo1, hi1;

	asm volatile("rdtsc\n\t"
		     "mov %%eax, %[lo0]\n\t"
		     "mov %%edx, %[hi0]\n"
		     "1:	dec %[n]\n\t"
		     "jnz 1b\n\t"
		     "rdtsc"
		     : [lo0] "=&r"(lo0), [hi0] "=&r"(hi0), "=&a"(lo1), "=&d"(hi1),
		       [n] "+r"(rounds)
		     : : "cc");
	return (((uint64_t)hi1 << 32) | lo1) - (((uint64_t)hi0 << 32) | lo0);
}

static uint64_t least_cost(uint64_t rounds)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TRIES; i++) {
		uint64_t cost = loop_cost(rounds);

		if (cost < least)
			least = cost;
	}
	return least;
}

int main(void)
{
	uint64_t one = least_cost(1000);

	printf("%llu\n", (unsigned long long)(least_cost(2000) - one));
	return 0;
}
