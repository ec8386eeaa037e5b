// SPDX-License-Identifier: MIT
/* ChaCha20 (RFC 8439) as a generator with fast key erasure: every refill replaces the key with the first bytes of its output. */
#include "base/random.h"
#include "base/string.h"
#include "sched/lock.h"

#define ROTL(x, n)	((x) << (n) | (x) >> (32 - (n)))

static struct {
	struct spinlock lock;	/* guards all; refills take about a microsecond */
	u32 key[8];
	u64 counter;
	u8 buf[256];
	u32 used;
} rng = { .used = sizeof(rng.buf) };

static void quarter(u32 *x, int a, int b, int c, int d)
{
	x[a] += x[b]; x[d] = ROTL(x[d] ^ x[a], 16);
	x[c] += x[d]; x[b] = ROTL(x[b] ^ x[c], 12);
	x[a] += x[b]; x[d] = ROTL(x[d] ^ x[a], 8);
	x[c] += x[d]; x[b] = ROTL(x[b] ^ x[c], 7);
}

static void chacha_block(const u32 key[8], u64 counter, u8 out[64])
{
	u32 in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	u32 x[16];

	memcpy(in + 4, key, 32);
	in[12] = (u32)counter;
	in[13] = (u32)(counter >> 32);
	memcpy(x, in, sizeof(x));
	for (int i = 0; i < 10; i++) {
		quarter(x, 0, 4, 8, 12);
		quarter(x, 1, 5, 9, 13);
		quarter(x, 2, 6, 10, 14);
		quarter(x, 3, 7, 11, 15);
		quarter(x, 0, 5, 10, 15);
		quarter(x, 1, 6, 11, 12);
		quarter(x, 2, 7, 8, 13);
		quarter(x, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		x[i] += in[i];
	memcpy(out, x, 64);
}

static void refill(void)
{
	for (u32 i = 0; i < sizeof(rng.buf); i += 64)
		chacha_block(rng.key, rng.counter++, rng.buf + i);
	memcpy(rng.key, rng.buf, sizeof(rng.key));
	memset(rng.buf, 0, sizeof(rng.key));
	rng.used = sizeof(rng.key);
}

void random_seed(const void *seed, size_t len)
{
	const u8 *s = seed;

	spin_lock(&rng.lock);
	while (len) {
		u8 block[64];
		size_t n = min_t(size_t, len, sizeof(rng.key));

		for (size_t i = 0; i < n; i++)
			((u8 *)rng.key)[i] ^= s[i];
		chacha_block(rng.key, rng.counter++, block);
		memcpy(rng.key, block, sizeof(rng.key));
		s += n;
		len -= n;
	}
	rng.used = sizeof(rng.buf);
	spin_unlock(&rng.lock);
}

void random_bytes(void *buf, size_t len)
{
	u8 *p = buf;

	while (len) {
		size_t n;

		spin_lock(&rng.lock);
		if (rng.used == sizeof(rng.buf))
			refill();
		n = min_t(size_t, len, sizeof(rng.buf) - rng.used);
		memcpy(p, rng.buf + rng.used, n);
		memset(rng.buf + rng.used, 0, n);
		rng.used += n;
		spin_unlock(&rng.lock);
		p += n;
		len -= n;
	}
}

u64 random_u64(void)
{
	u64 v;

	random_bytes(&v, sizeof(v));
	return v;
}

u64 random_below(u64 n)
{
	u64 limit = -n % n;	/* 2^64 mod n: values below it would favour small results */
	u64 v;

	do {
		v = random_u64();
	} while (v < limit);
	return v % n;
}
