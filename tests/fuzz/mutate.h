/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A fuzz target as a program of its own, for any compiler: its seeds are changed again and again and given to
 * LLVMFuzzerTestOneInput. Included by the target, which has it all in one file.
 */
#ifndef MW_FUZZ_MUTATE_H
#define MW_FUZZ_MUTATE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_ROOM 4096 /* of one input, bytes */

struct fuzz_texts {
	const char *const *at;
	size_t n;
};
#define FUZZ_TEXTS(array) ((struct fuzz_texts){array, sizeof(array) / sizeof((array)[0])})

/* xorshift64: the same inputs everywhere, unlike rand(). */
static uint64_t fuzz_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static size_t fuzz_insert(uint8_t *buf, size_t size, size_t at, const uint8_t *what, size_t n)
{
	if (size + n > FUZZ_ROOM)
		return size;
	memmove(buf + at + n, buf + at, size - at);
	memmove(buf + at, what, n);
	return size + n;
}

/* Another byte, cut short, a piece dropped, doubled, a word or another seed put in. */
static size_t fuzz_mutate(uint8_t *buf, size_t size, struct fuzz_texts seeds, struct fuzz_texts words, uint64_t *state)
{
	size_t at = fuzz_random(state) % (size + 1), n = fuzz_random(state) % 40 + 1;
	const char *word = words.at[fuzz_random(state) % words.n], *seed = seeds.at[fuzz_random(state) % seeds.n];
	uint8_t piece[40];

	n = n < size - at ? n : size - at;
	switch (fuzz_random(state) % 8) {
	case 0:
		if (at < size)
			buf[at] = (uint8_t)fuzz_random(state);
		return size;
	case 1:
		return at ? at : size;
	case 2:
		memmove(buf + at, buf + at + n, size - at - n);
		return size - n;
	case 3:
		memcpy(piece, buf + at, n);
		return fuzz_insert(buf, size, at, piece, n);
	case 4:
		return fuzz_insert(buf, size, at, (const uint8_t *)seed, strlen(seed));
	default:
		return fuzz_insert(buf, size, at, (const uint8_t *)word, strlen(word));
	}
}

/* Arguments: inputs (20000), seed (1). */
static int fuzz_main(int argc, char **argv, struct fuzz_texts seeds, struct fuzz_texts words)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
	uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	static uint8_t buf[FUZZ_ROOM];

	state = state ? state : 1; /* zero stays zero */
	for (unsigned long i = 0; i < rounds; i++) {
		const char *seed = seeds.at[i % seeds.n];
		size_t size = strlen(seed);

		memcpy(buf, seed, size);
		for (uint64_t m = fuzz_random(&state) % 12; m; m--)
			size = fuzz_mutate(buf, size, seeds, words, &state);
		LLVMFuzzerTestOneInput(buf, size);
	}
	printf("%lu inputs\n", rounds);
	return 0;
}

#endif
