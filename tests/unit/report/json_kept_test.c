/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Lists that are kept as text: in documents they are what their objects would be. */
#include "../unit.h"

#include <pthread.h>

#include "report/incident.h"
#include "report/json.h"
#include "report/json_out.h"
#include "util/clock.h"

#define WALL (1795291501ULL * MW_NS_PER_S)

/* Whatever JSON may hold: escapes, slashes, all kinds of numbers, null, empty ones, other alphabets. */
static const char sites_text[] =
	"[{\"bytes\":18446744073709551615,\"grown_bytes\":-7,\"share\":0.125,\"kind\":\"heap\",\"samples\":null,"
	"\"comm\":\"a \\\"quoted\\\" \\\\ "
	"\\u0001\\n\",\"ended\":false,\"frames\":[{\"function\":\"gr\xc3\xbc\xc3\x9f\","
	"\"file\":\"/usr/src/leak.c\",\"line\":31},{}]},{\"bytes\":1,\"share\":1.0,\"frames\":[]}]";
static const char lines_text[] = "[{\"runtime\":\"python\",\"file\":\"/srv/app.py\",\"line\":7,\"objects\":null}]";

static struct mw_kept *keep(const char *text)
{
	struct json_object *list = json_tokener_parse(text);
	struct mw_kept *kept;

	assert_non_null(list);
	kept = mw_json_keep(list);
	assert_non_null(kept);
	return kept;
}

/* As they are made by a look; the worker's to free. */
static struct mw_sites *sites_of(const char *list, const char *lines)
{
	struct mw_sites *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->list = keep(list);
	s->lines = keep(lines);
	s->left_out_bytes = 4711;
	return s;
}

/* The same as written, with all its lists as objects. */
static struct json_object *again(struct json_object *doc, int flags)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *parsed;
	size_t size;
	const char *text = json_object_to_json_string_length(doc, flags, &size);

	assert_non_null(text);
	assert_int_equal(size, strlen(text));
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	parsed = json_tokener_parse_ex(tok, text, (int)size + 1);
	assert_int_equal(json_tokener_get_error(tok), json_tokener_success);
	json_tokener_free(tok);
	return parsed;
}

static void assert_member(struct json_object *doc, const char *key, const char *text)
{
	struct json_object *found, *expected = json_tokener_parse(text);

	assert_true(json_object_object_get_ex(doc, key, &found));
	assert_true(json_object_equal(found, expected));
	json_object_put(expected);
}

static void written_as_it_was_kept(void **state)
{
	struct mw_kept *kept = keep(sites_text);
	struct json_object *o = mw_json_kept(kept);

	(void)state;
	assert_string_equal(kept->text, sites_text);
	assert_int_equal(kept->size, strlen(sites_text));
	assert_string_equal(json_object_to_json_string_ext(o, MW_JSON_COMPACT), sites_text);
	assert_string_equal(json_object_to_json_string_ext(o, MW_JSON_COMPACT), sites_text); /* once more */
	json_object_put(o);
	mw_kept_drop(kept);
}

static void only_lists_are_kept(void **state)
{
	(void)state;
	assert_null(mw_json_keep(NULL));
	assert_null(mw_json_keep(json_object_new_object()));
	assert_null(mw_json_keep(json_object_new_string("[]")));
}

/* However it is laid out around them. */
static void the_document_is_that_of_its_objects(void **state)
{
	static const int flags[] = {JSON_C_TO_STRING_PLAIN, MW_JSON_COMPACT, JSON_C_TO_STRING_SPACED,
				    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED};
	struct mw_worker w = {.name = "web-7", .class_name = "tool", .sites = sites_of(sites_text, lines_text)};
	struct json_object *doc = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL), *parsed;

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		parsed = again(doc, flags[i]);
		assert_member(parsed, "name", "\"web-7\"");
		assert_member(parsed, "sites", sites_text);
		assert_member(parsed, "lines", lines_text);
		assert_member(parsed, "sites_left_out_bytes", "4711");
		json_object_put(parsed);
	}
	json_object_put(doc);
	mw_sites_free(w.sites);
}

static void the_worker_may_end_before_it_is_written(void **state)
{
	struct mw_worker w = {.name = "web-7", .class_name = "tool", .sites = sites_of(sites_text, lines_text)};
	struct json_object *one = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL), *two, *parsed;

	(void)state;
	two = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	mw_sites_free(w.sites);
	parsed = again(one, MW_JSON_COMPACT);
	json_object_put(one);
	assert_member(parsed, "sites", sites_text);
	json_object_put(parsed);
	parsed = again(two, MW_JSON_COMPACT);
	json_object_put(two);
	assert_member(parsed, "lines", lines_text);
	json_object_put(parsed);
}

static void empty_ones_and_none(void **state)
{
	struct mw_sites unseen = {.left_out_bytes = 9};
	struct mw_worker w = {.name = "web-7", .class_name = "tool"};
	const char *left_out[] = {"null", "null", "4711"};

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct mw_sites *empty = i == 2 ? sites_of("[]", "[]") : NULL;
		struct json_object *doc, *parsed;

		w.sites = i == 1 ? &unseen : empty;
		doc = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
		mw_sites_free(empty);
		parsed = again(doc, MW_JSON_COMPACT);
		assert_member(parsed, "sites", "[]");
		assert_member(parsed, "lines", "[]");
		assert_member(parsed, "sites_left_out_bytes", left_out[i]);
		json_object_put(parsed);
		json_object_put(doc);
	}
}

/* What is copied keeps the text too, and outlives the first; rates keep their few digits. */
static void copied(void **state)
{
	struct mw_worker w = {.name = "web-7", .class_name = "tool", .sites = sites_of(sites_text, "[]")};
	struct json_object *doc, *copy;
	char *text;

	(void)state;
	w.trend.rate_bytes_per_s = 0.3;
	doc = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	text = strdup(json_object_to_json_string_ext(doc, MW_JSON_COMPACT));
	copy = mw_json_copy(doc);
	assert_non_null(copy);
	json_object_put(doc);
	mw_sites_free(w.sites);
	assert_string_equal(json_object_to_json_string_ext(copy, MW_JSON_COMPACT), text);
	assert_non_null(strstr(text, "\"rate_bytes_per_s\":0.3,"));
	assert_non_null(strstr(text, sites_text));
	json_object_put(copy);
	free(text);
	assert_null(mw_json_copy(NULL));
}

/* Its document is made when the worker is gone. */
static void in_an_incident(void **state)
{
	struct mw_incident inc = {.reason = MW_REASON_SIGNAL, .wall_ns = WALL, .why = "why", .wait_status = 11};

	(void)state;
	for (int full = 0; full < 2; full++) {
		struct mw_worker w = {.name = "web-7", .class_name = "tool"};
		struct mw_incident_facts *f;
		struct json_object *doc, *parsed;

		w.sites = full ? sites_of(sites_text, lines_text) : NULL;
		f = mw_incident_facts(&inc, &w, NULL, NULL, NULL);
		assert_non_null(f);
		mw_sites_free(w.sites);
		memset(&w, 0xa5, sizeof(w));
		doc = mw_incident_facts_json(f);
		mw_incident_facts_free(f);
		parsed = again(doc, JSON_C_TO_STRING_PLAIN);
		assert_member(parsed, "sites", full ? sites_text : "[]");
		assert_member(parsed, "lines", full ? lines_text : "[]");
		assert_member(parsed, "sites_left_out_bytes", full ? "4711" : "null");
		json_object_put(parsed);
		json_object_put(doc);
	}
	mw_incident_facts_free(NULL);
}

/* All of it, read as a socket takes it. */
static char *whole(struct mw_parts *p, size_t step)
{
	char *text = calloc(1, p->size + 1);
	size_t done = 0, n;

	assert_non_null(text);
	do {
		n = mw_parts_read(p, done, text + done, step < p->size - done ? step : p->size - done);
		done += n;
	} while (n);
	assert_int_equal(done, p->size);
	return text;
}

/* Large lists are not copied, small ones are; together they are the document. */
static void in_parts(void **state)
{
	static const size_t steps[] = {1, 7, 511, 4096, 1 << 20};
	char large[3000] = "[\"";
	struct mw_worker w = {.name = "web-7", .class_name = "tool"};
	struct json_object *doc = mw_json_document(WALL), *list = json_object_new_array();
	struct mw_parts *parts;
	char *text, *got;

	(void)state;
	memset(large + 2, 'x', sizeof(large) - 5);
	memcpy(large + sizeof(large) - 3, "\"]", 3);
	for (int i = 0; i < 200; i++) {
		w.sites = i % 3 ? sites_of(i % 2 ? large : "[]", i % 5 ? lines_text : large) : NULL;
		json_object_array_add(list, mw_json_leak(&w, 10 * MW_NS_PER_S, WALL));
		mw_sites_free(w.sites);
	}
	json_object_object_add(doc, "workers", list);
	text = strdup(json_object_to_json_string_ext(doc, MW_JSON_COMPACT));
	parts = mw_json_parts(doc);
	assert_non_null(parts);
	assert_string_equal(json_object_to_json_string_ext(doc, MW_JSON_COMPACT), text); /* as before */
	json_object_put(doc);
	assert_true(parts->n > 150);
	assert_int_equal(parts->size, strlen(text));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) { /* each from the beginning again */
		got = whole(parts, steps[i]);
		assert_string_equal(got, text);
		free(got);
	}
	mw_parts_free(parts);
	free(text);
}

static void in_one_part(void **state)
{
	struct mw_worker w = {.name = "web-7", .class_name = "tool", .sites = sites_of("[]", lines_text)};
	struct json_object *doc = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	struct mw_parts *parts = mw_json_parts(doc);
	char *text;

	(void)state;
	mw_sites_free(w.sites);
	assert_int_equal(parts->n, 1);
	text = whole(parts, 4096);
	assert_string_equal(text, json_object_to_json_string_ext(doc, MW_JSON_COMPACT));
	json_object_put(doc);
	free(text);
	mw_parts_free(parts);
	mw_parts_free(NULL);
}

static void parts_put_together(void **state)
{
	struct mw_kept *kept = mw_kept_new("one, two", 8);
	struct mw_parts *a = mw_parts_new(), *b = mw_parts_new();
	char *text;

	(void)state;
	assert_int_equal(mw_parts_add(a, kept, 0, 5), 0);
	assert_int_equal(mw_parts_add(b, kept, 5, 3), 0);
	assert_int_equal(mw_parts_add(b, kept, 3, 0), 0);
	assert_int_equal(mw_parts_add(b, kept, 0, 3), 0);
	mw_parts_cut(a, 1);
	assert_int_equal(mw_parts_append(a, b), 0);
	mw_parts_free(b);
	mw_kept_drop(kept);
	text = whole(a, 1);
	assert_string_equal(text, "one,twoone");
	free(text);
	mw_parts_cut(a, 9); /* no more than there is in the last one */
	text = whole(a, 100);
	assert_string_equal(text, "one,two");
	free(text);
	mw_parts_free(a);
	a = mw_parts_new();
	mw_parts_cut(a, 1);
	assert_int_equal(a->size, 0);
	mw_parts_free(a);
}

#define ROUNDS 20000

static void *hold_and_drop(void *kept)
{
	for (int i = 0; i < ROUNDS; i++) {
		struct json_object *o = mw_json_kept(kept);

		assert_int_equal(((struct mw_kept *)kept)->text[0], '[');
		json_object_put(o);
	}
	mw_kept_drop(kept);
	return NULL;
}

/* Incidents are made in other threads than reports: the last who lets go frees it, whoever that is. */
static void held_in_many_threads(void **state)
{
	struct mw_kept *kept = keep(sites_text);
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hold_and_drop, mw_kept_hold(kept)), 0);
	mw_kept_drop(kept);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_null(mw_kept_hold(NULL));
	mw_kept_drop(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_as_it_was_kept),
		cmocka_unit_test(only_lists_are_kept),
		cmocka_unit_test(the_document_is_that_of_its_objects),
		cmocka_unit_test(the_worker_may_end_before_it_is_written),
		cmocka_unit_test(empty_ones_and_none),
		cmocka_unit_test(copied),
		cmocka_unit_test(in_an_incident),
		cmocka_unit_test(in_parts),
		cmocka_unit_test(in_one_part),
		cmocka_unit_test(parts_put_together),
		cmocka_unit_test(held_in_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
