// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The hash is the one it is called after, and depends on its key. */
#include "unit.h"

#include "lib/siphash.h"

/* Known results for bytes 0, 1, 2 …: the low halves, as Linux has them for its hsiphash() on 64-bit machines. */
static void known(void **state)
{
	static const uint64_t key[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
	static const uint32_t results[] = {0x050fc4dc, 0x7d57ca93, 0x4dc7d44d, 0xe7ddf7fb, 0x88d38328, 0x49533b67,
					   0xc59f22a7, 0x9bb11140, 0x8d299a8e, 0x6c063de4, 0x92ff097f, 0xf94dc352,
					   0x57b4d9a2, 0x1229ffa7, 0xc0f95d34, 0x2a519956, 0x7d908b66, 0x63dbd80c};
	unsigned char bytes[32];

	(void)state;
	for (size_t n = 0; n < sizeof(results) / sizeof(results[0]); n++) {
		bytes[n] = (unsigned char)n;
		assert_int_equal((uint32_t)mw_siphash(key, bytes, n), results[n]);
	}
}

static void keyed(void **state)
{
	uint64_t a[2] = {1, 2}, b[2] = {1, 3};

	(void)state;
	assert_true(mw_siphash(a, "session", 7) != mw_siphash(b, "session", 7));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known),
		cmocka_unit_test(keyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
