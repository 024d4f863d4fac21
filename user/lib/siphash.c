// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/siphash.h"

#include <endian.h>
#include <string.h>

/* "somepseudorandomlygeneratedbytes", as the algorithm's description has it. */
#define V0 0x736f6d6570736575ULL
#define V1 0x646f72616e646f6dULL
#define V2 0x6c7967656e657261ULL
#define V3 0x7465646279746573ULL

struct state {
	uint64_t v[4];
};

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void mix(struct state *s)
{
	uint64_t *v = s->v;

	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

static void take(struct state *s, uint64_t word)
{
	s->v[3] ^= word;
	mix(s);
	s->v[0] ^= word;
}

uint64_t mw_siphash(const uint64_t key[2], const void *data, size_t n)
{
	struct state s = {{V0 ^ key[0], V1 ^ key[1], V2 ^ key[0], V3 ^ key[1]}};
	const unsigned char *p = data;
	uint64_t word, last = (uint64_t)n << 56;
	size_t left = n;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		take(&s, le64toh(word));
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)p[i] << (8 * i);
	take(&s, last);
	s.v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(&s);
	return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
