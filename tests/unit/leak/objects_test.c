/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Samples of objects watched from outside: weights, thinning, frames, arguments of static probes. */
#include "unit.h"

#include "leak/objects.h"

static struct mw_heap_record sample(__u64 size, __u64 mean)
{
	struct mw_heap_record r = {.seq = 2, .address = 0x1000, .size = size};

	r.pad[MW_OBJECT_PAD_MEAN] = mean;
	return r;
}

static void weights(void **state)
{
	struct mw_heap_record r = sample(900, 4096), given = sample(900, 0);

	(void)state;
	mw_object_weigh(&r);
	assert_true(r.weight > 4500 && r.weight < 4650); /* 900 / (1 - exp(-900 / 4096)) */
	given.weight = 524288;
	mw_object_weigh(&given);
	assert_int_equal(given.weight, 524288);
}

/* As many stay, and what they stand for together is the same. */
static void thinned_out_they_stand_for_as_much(void **state)
{
	static const __u64 sizes[] = {16, 900, 4096, 70000};
	__u64 random = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		double before = 0, after = 0;

		for (int n = 0; n < 40000; n++) {
			struct mw_heap_record r = sample(sizes[i], 4096);

			mw_object_weigh(&r);
			before += (double)r.weight;
			if (!mw_object_stays(&r, 65536, &random))
				continue;
			assert_int_equal(r.pad[MW_OBJECT_PAD_MEAN], 65536);
			mw_object_weigh(&r);
			after += (double)r.weight;
		}
		assert_true(after > 0.93 * before && after < 1.07 * before);
	}
}

static void what_is_as_rare_already_stays(void **state)
{
	struct mw_heap_record r = sample(16, 65536), given = sample(16, 0);
	__u64 random = 1;

	(void)state;
	for (int n = 0; n < 1000; n++) {
		assert_true(mw_object_stays(&r, 65536, &random));
		assert_true(mw_object_stays(&r, 4096, &random));
		assert_true(mw_object_stays(&given, 1 << 30, &random));
	}
	assert_int_equal(r.pad[MW_OBJECT_PAD_MEAN], 65536);
	assert_int_equal(given.pad[MW_OBJECT_PAD_MEAN], 0);
}

static bool is_low(__u64 address, const void *arg)
{
	(void)arg;
	return address < 0x10000;
}

static void frames_that_are_no_code_are_cut(void **state)
{
	struct mw_heap_record r = {.n_frames = 4, .frames = {0x100000, 0x2000, 0x7f0000000000, 0x3000}};

	(void)state;
	mw_object_cut(&r, is_low, NULL);
	assert_int_equal(r.n_frames, 2); /* the innermost is the register's, not the stack's: it stays */
	assert_int_equal(r.frames[1], 0x2000);
	assert_int_equal(r.frames[2], 0);
	assert_int_equal(r.frames[3], 0);
}

#if defined(__x86_64__)
static void arguments_of_static_probes(void **state)
{
	struct mw_otel_arguments a;

	(void)state;
	assert_int_equal(mw_otel_arguments_parse("8@%rdi 4@-20(%rbp) -8@$-64", 3, &a), 0);
	assert_int_equal(a.at[0].kind, MW_ARGUMENT_REGISTER);
	assert_int_equal(a.at[0].at, 112);
	assert_int_equal(a.at[0].bytes, 8);
	assert_int_equal(a.at[1].kind, MW_ARGUMENT_MEMORY);
	assert_int_equal(a.at[1].at, 32);
	assert_int_equal(a.at[1].number, -20);
	assert_int_equal(a.at[1].bytes, 4);
	assert_false(a.at[1].is_signed);
	assert_int_equal(a.at[2].kind, MW_ARGUMENT_NUMBER);
	assert_int_equal(a.at[2].number, -64);
	assert_true(a.at[2].is_signed);
	assert_int_equal(mw_otel_arguments_parse("8@(%rsp)", 1, &a), 0);
	assert_int_equal(a.at[0].kind, MW_ARGUMENT_MEMORY);
	assert_int_equal(a.at[0].at, 152);
	assert_int_equal(a.at[0].number, 0);
	assert_int_equal(mw_otel_arguments_parse("8@%r12 8@%eax", 1, &a), 0); /* more than asked for */
	assert_int_equal(a.at[0].at, 24);
	assert_int_equal(a.at[1].kind, MW_ARGUMENT_NONE);
}

static void arguments_that_are_none(void **state)
{
	static const char *const bad[] = {
		"",
		"8",
		"8@",
		"8@%",
		"8@%zmm0",
		"3@%rdi",
		"8@%rdi8@%rsi",
		"8@8(%rax,%rbx,4)",
		"8@%rdi%rsi",
		"8@$",
		"@%rdi",
		"8@-(%rbp)",
		"8@sym(%rip)x",
		"8@%rdi\t8@%rsi",
	};
	struct mw_otel_arguments a = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (mw_otel_arguments_parse(bad[i], 1, &a) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_int_equal(mw_otel_arguments_parse("8@%rdi", 3, &a), -EINVAL); /* too few */
	assert_int_equal(a.at[0].kind, MW_ARGUMENT_NONE); /* untouched */
}
#elif defined(__aarch64__)
static void arguments_of_static_probes(void **state)
{
	struct mw_otel_arguments a;

	(void)state;
	assert_int_equal(mw_otel_arguments_parse("8@x0 4@[sp, 12] -8@-64", 3, &a), 0);
	assert_int_equal(a.at[0].at, 0);
	assert_int_equal(a.at[1].kind, MW_ARGUMENT_MEMORY);
	assert_int_equal(a.at[1].at, 248);
	assert_int_equal(a.at[1].number, 12);
	assert_int_equal(a.at[2].number, -64);
}

static void arguments_that_are_none(void **state)
{
	struct mw_otel_arguments a;

	(void)state;
	assert_int_equal(mw_otel_arguments_parse("8@x31", 1, &a), -EINVAL);
	assert_int_equal(mw_otel_arguments_parse("8@[x0", 1, &a), -EINVAL);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weights),
		cmocka_unit_test(thinned_out_they_stand_for_as_much),
		cmocka_unit_test(what_is_as_rare_already_stays),
		cmocka_unit_test(frames_that_are_no_code_are_cut),
		cmocka_unit_test(arguments_of_static_probes),
		cmocka_unit_test(arguments_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
