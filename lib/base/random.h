/* SPDX-License-Identifier: MIT */
/*
 * Random bytes: ChaCha20 with fast key erasure, seeded at boot from the South's entropy handle (which must be there: a South
 * without entropy refuses to start). The state is the sandbox's, not a process's: a fork repeats nothing.
 */
#ifndef LIB_BASE_RANDOM_H
#define LIB_BASE_RANDOM_H

#include "base/types.h"

/* random_seed() - mix @len bytes in; called by the South before anything else runs */
void random_seed(const void *seed, size_t len);
void random_bytes(void *buf, size_t len);
u64 random_u64(void);
/* random_below() - uniform in [0, @n), @n > 0 */
u64 random_below(u64 n);

#endif
