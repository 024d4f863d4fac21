/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Documents kept: their bytes, the two limits, replacing and removing, from several threads. */
#include <pthread.h>

#include "spec_fixture.h"

static int put(struct memweir_spec_store *s, const char *name, struct spec_text *t, const char *in)
{
	const struct memweir_spec_io io = {sizeof(io), spec_read, NULL, spec_again, t};

	spec_give(t, in);
	return memweir_spec_store_put(s, name, &t->options, &io, &t->stats, &t->error);
}

static void assert_has(struct memweir_spec_store *s, const char *name, const char *out)
{
	struct spec_text t = {0};

	assert_int_equal(memweir_spec_store_get(s, name, spec_write, &t), 0);
	assert_string_equal(t.out, out);
	free(t.out);
}

static struct memweir_spec_store_stats stats_of(struct memweir_spec_store *s)
{
	struct memweir_spec_store_stats stats = MEMWEIR_INIT(struct memweir_spec_store_stats);

	assert_int_equal(memweir_spec_store_stats(s, &stats), 0);
	return stats;
}

static void keeps(void **state)
{
	struct memweir_spec_store *s = NULL;
	struct spec_text t = {0};

	(void)state;
	assert_int_equal(memweir_spec_store_new(NULL, &s), 0);
	assert_int_equal(put(s, "a", &t, "{ \"openapi\": \"3.0.0\" }"), 0);
	assert_int_equal(t.stats.input_bytes, 22);
	assert_int_equal(put(s, "b", &t, "openapi: 3.1.0\n"), 0);
	assert_int_equal(t.stats.format, MEMWEIR_SPEC_YAML);
	assert_has(s, "a", "{\"openapi\":\"3.0.0\"}");
	assert_has(s, "b", "{\"openapi\":\"3.1.0\"}");
	assert_int_equal(stats_of(s).specs, 2);
	assert_int_equal(stats_of(s).input_bytes, 37);
	assert_int_equal(stats_of(s).stripped_bytes, 38);
	assert_true(stats_of(s).stored_bytes > 0);
	/* The same name: the new one, once it is whole. */
	assert_int_equal(put(s, "a", &t, "{\"openapi\":}"), -EBADMSG);
	assert_has(s, "a", "{\"openapi\":\"3.0.0\"}");
	assert_int_equal(stats_of(s).input_bytes, 37);
	assert_int_equal(put(s, "a", &t, "{\"openapi\":\"3.0.1\"}"), 0);
	assert_has(s, "a", "{\"openapi\":\"3.0.1\"}");
	assert_int_equal(stats_of(s).input_bytes, 34);
	assert_int_equal(memweir_spec_store_remove(s, "a"), 0);
	assert_int_equal(memweir_spec_store_remove(s, "a"), -ENOENT);
	assert_int_equal(memweir_spec_store_get(s, "a", spec_write, &t), -ENOENT);
	assert_int_equal(stats_of(s).input_bytes, 15);
	memweir_spec_store_free(s);
	memweir_spec_store_free(NULL);
}

static void kept_by_reference(void **state)
{
	struct memweir_spec_store *s = NULL;
	struct spec_text t = {0};

	(void)state;
	assert_int_equal(memweir_spec_store_new(NULL, &s), 0);
	assert_int_equal(
		put(s, "a", &t,
		    "{\"openapi\":\"3.0.0\",\"x-a\":{\"b\":1},\"x-c\":2,\"paths\":{\"/\":{\"$ref\":\"#/x-a/b\"}}}"),
		0);
	assert_int_equal(t.agains, 1);
	assert_int_equal(t.stats.passes, 2);
	assert_int_equal(t.stats.kept, 1);
	assert_has(s, "a", "{\"openapi\":\"3.0.0\",\"x-a\":{\"b\":1},\"paths\":{\"/\":{\"$ref\":\"#/x-a/b\"}}}");
	assert_int_equal(stats_of(s).input_bytes, t.in_len);
	memweir_spec_store_free(s);
}

static void limits(void **state)
{
	const struct memweir_spec_store_options small = {sizeof(small), 30, 50, 1, 0},
						wrong = {sizeof(wrong), 0, 0, 20, 0};
	static const char twenty[] = "{\"openapi\":\"3.0.0\" }", thirty_one[] = "{\"openapi\":\"3.0.0\"            }";
	struct memweir_spec_store *s = NULL;
	struct spec_text t = {0};
	char name[300];

	(void)state;
	assert_int_equal(memweir_spec_store_new(&wrong, &s), -EINVAL);
	assert_int_equal(memweir_spec_store_new(&small, &s), 0);
	assert_int_equal(put(s, "a", &t, thirty_one), -EFBIG);
	assert_int_equal(put(s, "a", &t, twenty), 0);
	assert_int_equal(put(s, "b", &t, twenty), 0);
	assert_int_equal(put(s, "c", &t, twenty), -ENOSPC);
	assert_non_null(strstr(t.error.text, "in all"));
	t.part = 1;
	assert_int_equal(put(s, "c", &t, twenty), -ENOSPC); /* what was read until then is given back */
	assert_int_equal(stats_of(s).input_bytes, 40);
	assert_int_equal(memweir_spec_store_remove(s, "a"), 0);
	assert_int_equal(put(s, "c", &t, twenty), 0);
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	assert_int_equal(put(s, name, &t, twenty), -EINVAL);
	name[255] = '\0';
	assert_int_equal(memweir_spec_store_remove(s, "b"), 0);
	assert_int_equal(put(s, name, &t, twenty), 0);
	assert_int_equal(put(s, "", &t, twenty), -EINVAL);
	memweir_spec_store_free(s);
}

static int visit(void *arg, const struct memweir_spec_entry *entry)
{
	unsigned int *seen = arg;

	assert_int_equal(entry->input_bytes, 19);
	assert_int_equal(entry->stripped_bytes, 19);
	assert_true(entry->stored_bytes > 0);
	*seen |= 1u << (entry->name[0] - 'a');
	return *seen == 3 ? 42 : 0;
}

static void iterates(void **state)
{
	struct memweir_spec_store *s = NULL;
	struct spec_text t = {0};
	unsigned int seen = 0;

	(void)state;
	assert_int_equal(memweir_spec_store_new(NULL, &s), 0);
	assert_int_equal(memweir_spec_store_iterate(s, visit, &seen), 0);
	assert_int_equal(put(s, "a", &t, "{\"openapi\":\"3.0.0\"}"), 0);
	assert_int_equal(memweir_spec_store_iterate(s, visit, &seen), 0);
	assert_int_equal(seen, 1);
	assert_int_equal(put(s, "b", &t, "{\"openapi\":\"3.0.0\"}"), 0);
	assert_int_equal(memweir_spec_store_iterate(s, visit, &seen), 42);
	assert_int_equal(seen, 3);
	memweir_spec_store_free(s);
}

/* Larger than a chunk, than the output buffer and than the window. */
static void large(void **state)
{
	size_t room = 8 << 20;
	char *in = malloc(room), *p = in;
	struct memweir_spec_store *s = NULL;
	struct spec_text t = {0}, whole = {0}, u = {.write_fails = -EPIPE};
	uint32_t random = 1;

	(void)state;
	p += sprintf(p, "{\"openapi\":\"3.0.0\",\"components\":{\"schemas\":{\"A\":{}");
	while (p < in + room - 100) {
		random = random * 1664525 + 1013904223;
		p += sprintf(p, ",\"s%08x\":{\"type\":\"object\",\"default\":%u}", random, random >> 3);
	}
	sprintf(p, "}}}");
	assert_int_equal(memweir_spec_store_new(NULL, &s), 0);
	assert_int_equal(put(s, "a", &t, in), 0);
	assert_int_equal(memweir_spec_store_get(s, "a", spec_write, &whole), 0);
	assert_int_equal(whole.out_len, strlen(in));
	assert_string_equal(whole.out, in);
	assert_true(stats_of(s).stored_bytes < whole.out_len / 2);
	assert_int_equal(memweir_spec_store_get(s, "a", spec_write, &u), -EPIPE);
	memweir_spec_store_free(s);
	free(whole.out);
	free(in);
}

static void *busy(void *arg)
{
	struct memweir_spec_store *s = arg;
	static const char *const names[] = {"a", "b", "c"};

	for (int i = 0; i < 300; i++) {
		struct spec_text t = {0}, got = {0};
		int r = put(s, names[i % 3], &t, i % 2 ? "{\"openapi\":\"3.0.0\",\"a\":1}" : "{\"openapi\":\"3.0.0\"}");

		if (r && r != -ENOSPC)
			return (void *)1;
		r = memweir_spec_store_get(s, names[(i + 1) % 3], spec_write, &got);
		if ((r && r != -ENOENT) || (!r && got.out_len != 19 && got.out_len != 25))
			return (void *)1;
		free(got.out);
		if (i % 5 == 0)
			memweir_spec_store_remove(s, names[(i + 2) % 3]);
	}
	return NULL;
}

static void threads(void **state)
{
	const struct memweir_spec_store_options small = {sizeof(small), 0, 100, 1, 0};
	struct memweir_spec_store *s = NULL;
	uint64_t left;
	pthread_t t[4];

	(void)state;
	assert_int_equal(memweir_spec_store_new(&small, &s), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&t[i], NULL, busy, s), 0);
	for (int i = 0; i < 4; i++) {
		void *r;

		pthread_join(t[i], &r);
		assert_null(r);
	}
	left = stats_of(s).input_bytes;
	assert_int_equal(left, stats_of(s).stripped_bytes);
	memweir_spec_store_remove(s, "a");
	memweir_spec_store_remove(s, "b");
	memweir_spec_store_remove(s, "c");
	assert_int_equal(stats_of(s).specs, 0);
	/* Nothing of it is still counted: there is room for as much as at first. */
	for (int i = 0; i < 5; i++) {
		struct spec_text text = {0};
		char name[2] = {(char)('a' + i)};

		assert_int_equal(put(s, name, &text, "{\"openapi\":\"3.0.0\" }"), 0);
	}
	memweir_spec_store_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps),  cmocka_unit_test(kept_by_reference),
		cmocka_unit_test(limits), cmocka_unit_test(iterates),
		cmocka_unit_test(large),  cmocka_unit_test(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
