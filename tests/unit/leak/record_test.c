/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <sys/stat.h>

#include "leak/record.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define S  MW_NS_PER_S
#define T0 (5000 * S)

static struct mw_record_head head(void)
{
	struct mw_record_head h = {.wall_ns = 1790000000 * S, .time_ns = T0};

	h.monitor.check_interval_ns = 5 * S;
	h.monitor.sample_interval_ns = S / 2;
	h.monitor.alert_threshold = 0.85;
	h.monitor.max_history = 10;
	h.monitor.method = MW_METHOD_REGRESSION;
	return h;
}

static struct mw_record_item worker(__u32 id, const char *name, __u64 max_heap)
{
	struct mw_record_item item = {.kind = MW_RECORD_WORKER, .worker = id, .time_ns = T0};

	snprintf(item.about.name, sizeof(item.about.name), "%s", name);
	snprintf(item.about.class_name, sizeof(item.about.class_name), "tool");
	item.about.profile = (struct mw_profile){.max_heap = max_heap,
						 .max_bin_heap = max_heap / 2,
						 .bin_follows = true,
						 .hibernate_threshold = 0.85,
						 .swap_max = MW_AUTO,
						 .low = MW_AUTO,
						 .policy = MW_POLICY_STRICT,
						 .pause_budget_ns = 1000,
						 .freeze_max_ns = 2 * S,
						 .budget = MW_UNLIMITED};
	return item;
}

/* Sample i of a worker: pages, bytes, numbers that fall, limits that are "max". */
static struct mw_record_item sample(__u32 id, unsigned i)
{
	struct mw_record_item item = {.kind = MW_RECORD_SAMPLE,
				      .worker = id,
				      .time_ns = T0 + i * S / 2 + i * 37 % 1000};
	struct mw_usage *u = &item.usage;

	u->time_ns = item.time_ns;
	u->anon = 4096ULL * (1000 + i % 7 * 100 + id);
	u->swapped = i % 5 ? 0 : 8192;
	u->file = 4096ULL * 300;
	u->kernel = 100000 + i * 13;
	u->slab_reclaimable = 50001 - i % 11;
	u->sock = i % 3;
	u->shmem = 1ULL << 40;
	u->current = u->anon + u->file + u->kernel;
	u->max = i % 2 ? MW_UNLIMITED : 50000000;
	u->high = MW_UNLIMITED;
	u->events[1] = i / 10;
	mw_record_derive(u);
	return item;
}

#define SAMPLES 200

static struct mw_record_writer written(bool closed)
{
	struct mw_record_item item = {.kind = MW_RECORD_CLOSE, .time_ns = T0 + 1000 * S};
	struct mw_record_head h = head();
	struct mw_record_writer w;

	assert_int_equal(mw_record_begin(&w, &h), 0);
	for (__u32 id = 0; id < 3; id++) {
		item = worker(id, id ? "web-7" : "a", 50000000 + id);
		assert_int_equal(mw_record_add(&w, &item), 0);
	}
	for (unsigned i = 1; i < SAMPLES; i++) {
		item = sample(i % 3, i);
		assert_int_equal(mw_record_add(&w, &item), 0);
		if (i % 10)
			continue;
		item = (struct mw_record_item){.kind = MW_RECORD_CHECK,
					       .worker = i % 3,
					       .time_ns = item.time_ns,
					       .used = item.usage.heap + item.usage.bin + i,
					       .said = MW_SUSPECT};
		assert_int_equal(mw_record_add(&w, &item), 0);
	}
	item = (struct mw_record_item){.kind = MW_RECORD_ENDED, .worker = 2, .time_ns = T0 + 900 * S};
	assert_int_equal(mw_record_add(&w, &item), 0);
	item = (struct mw_record_item){.kind = MW_RECORD_CLOSE, .time_ns = T0 + 1000 * S};
	if (closed)
		assert_int_equal(mw_record_add(&w, &item), 0);
	return w;
}

static void what_was_written_is_read_to_the_bit(void **state)
{
	_cleanup_(mw_record_writer_free) struct mw_record_writer w = written(true);
	_cleanup_(mw_record_reader_free) struct mw_record_reader r = {0};
	struct mw_record_item item, want;
	struct mw_error err = {""};
	unsigned samples = 0, checks = 0;

	(void)state;
	assert_int_equal(mw_record_open("f", w.bytes, w.size, &r, &err), 0);
	assert_int_equal(r.head.wall_ns, head().wall_ns);
	assert_int_equal(r.head.monitor.check_interval_ns, 5 * S);
	assert_int_equal(r.head.monitor.max_history, 10);
	assert_int_equal(r.head.monitor.method, MW_METHOD_REGRESSION);
	assert_true(r.head.monitor.alert_threshold == 0.85);
	for (__u32 id = 0; id < 3; id++) {
		assert_int_equal(mw_record_next(&r, &item, &err), 1);
		want = worker(id, id ? "web-7" : "a", 50000000 + id);
		assert_int_equal(item.kind, MW_RECORD_WORKER);
		assert_string_equal(item.about.name, want.about.name);
		assert_string_equal(item.about.class_name, "tool");
		assert_true(mw_profile_same(&item.about.profile, &want.about.profile));
	}
	while (mw_record_next(&r, &item, &err) == 1 && item.kind != MW_RECORD_ENDED) {
		if (item.kind == MW_RECORD_SAMPLE) {
			samples++;
			want = sample(samples % 3, samples);
			assert_int_equal(item.worker, want.worker);
			assert_memory_equal(&item.usage, &want.usage, sizeof(want.usage));
			continue;
		}
		checks++;
		assert_int_equal(item.kind, MW_RECORD_CHECK);
		assert_int_equal(item.time_ns, want.time_ns);
		assert_int_equal(item.used, want.usage.heap + want.usage.bin + samples);
		assert_int_equal(item.said, MW_SUSPECT);
	}
	assert_int_equal(samples, SAMPLES - 1);
	assert_int_equal(checks, (SAMPLES - 1) / 10);
	assert_int_equal(mw_record_next(&r, &item, &err), 1);
	assert_int_equal(item.kind, MW_RECORD_CLOSE);
	assert_int_equal(mw_record_next(&r, &item, &err), 0);
	assert_true(r.closed && !r.cut);
}

/* A worker at rest, and one that moves by pages, every half second. */
static void a_sample_takes_a_few_bytes(void **state)
{
	struct mw_record_head h = head();
	_cleanup_(mw_record_writer_free) struct mw_record_writer w;
	struct mw_record_item item = worker(0, "a", 1 << 20);
	size_t before, still, moving;

	(void)state;
	assert_int_equal(mw_record_begin(&w, &h), 0);
	assert_int_equal(mw_record_add(&w, &item), 0);
	item = sample(0, 1);
	assert_int_equal(mw_record_add(&w, &item), 0);
	before = w.size;
	item.time_ns += S / 2 + 12345;
	assert_int_equal(mw_record_add(&w, &item), 0);
	still = w.size - before;
	before = w.size;
	item.time_ns += S / 2 + 54321;
	item.usage.anon += 25 * 4096;
	item.usage.current += 27 * 4096;
	item.usage.kernel += 8192;
	assert_int_equal(mw_record_add(&w, &item), 0);
	moving = w.size - before;
	assert_in_range(still, 3, 7);
	assert_in_range(moving, 3, 11);
}

/* However it was cut, all whole records are read, and that it was cut is said. */
static void a_cut_file_is_good_up_to_its_last_record(void **state)
{
	_cleanup_(mw_record_writer_free) struct mw_record_writer w = written(false);
	struct mw_error err = {""};
	struct mw_record_item item;
	size_t header = 0;
	__u64 records = 0;

	(void)state;
	for (size_t size = 0; size <= w.size; size++) {
		_cleanup_(mw_record_reader_free) struct mw_record_reader r = {0};
		_cleanup_free_ unsigned char *copy = malloc(size + 1); /* not one byte more may be looked at */

		memcpy(copy, w.bytes, size);
		if (mw_record_open("f", copy, size, &r, &err) < 0) {
			assert_int_equal(header, 0);
			continue;
		}
		header = header ? header : size;
		while (mw_record_next(&r, &item, &err) == 1)
			;
		assert_int_equal(mw_record_next(&r, &item, &err), 0); /* and no failure */
		assert_in_range(r.records, records, records + 1);
		records = r.records;
		assert_false(r.closed);
		assert_int_equal(r.cut, r.at != size);
	}
	assert_int_equal(records, w.records);
}

static int read_all(const void *bytes, size_t size, struct mw_error *err)
{
	_cleanup_(mw_record_reader_free) struct mw_record_reader r = {0};
	struct mw_record_item item;
	int rc = mw_record_open("some.file", bytes, size, &r, err);

	while (rc >= 0 && (rc = mw_record_next(&r, &item, err)) == 1)
		;
	return rc;
}

static void refused(const void *bytes, size_t size, const char *word)
{
	struct mw_error err = {""};

	assert_int_equal(read_all(bytes, size, &err), -EBADMSG);
	if (!strstr(err.text, "some.file:") || !strstr(err.text, word) || !strstr(err.text, "expected"))
		fail_msg("\"%s\" does not say %s", err.text, word);
}

static void a_hostile_file_is_refused_and_says_where(void **state)
{
	_cleanup_(mw_record_writer_free) struct mw_record_writer w = written(true);
	unsigned char *b = w.bytes;
	const unsigned char tail[] = {MW_RECORD_SAMPLE, 1};
	size_t size = w.size;

	(void)state;
	refused("", 0, "at byte 0");
	refused("\x7f"
		"ELF....",
		8, "at byte 0");
	b[10] = 0xfe;
	b[11] = 0xff;
	refused(b, size, "at byte 10: byte order");
	b[10] = 0xff;
	b[11] = 0xfe;
	b[8] = 2;
	refused(b, size, "at byte 8: version 2");
	b[8] = 1;
	b[12] = 99;
	refused(b, size, "fields");
	b[12] = MW_RECORD_FIELDS;
	refused(b, 13, "at byte 13");
	w.bytes = b = realloc(b, size + 2);
	memcpy(b + size, tail, 2);
	refused(b, size + 2, "closed before");
	b[12] = MW_RECORD_FIELDS - 1;
	refused(b, size, "at byte 12: expected the numbers of fields");
	b[12] = MW_RECORD_FIELDS;
	memset(b + size - 4, 0xff, 6);
	refused(b, size + 2, "64 bits");
}

static void a_tail_of_zeros_is_a_cut(void **state)
{
	_cleanup_(mw_record_writer_free) struct mw_record_writer w = written(false);
	_cleanup_(mw_record_reader_free) struct mw_record_reader r = {0};
	_cleanup_free_ unsigned char *copy = calloc(1, w.size + 4096);
	struct mw_record_item item;
	struct mw_error err = {""};

	(void)state;
	memcpy(copy, w.bytes, w.size);
	assert_int_equal(mw_record_open("f", copy, w.size + 4096, &r, &err), 0);
	while (mw_record_next(&r, &item, &err) == 1)
		;
	assert_string_equal(err.text, "");
	assert_true(r.cut);
	assert_int_equal(r.records, w.records);
}

static void a_writer_refuses_what_a_reader_would(void **state)
{
	struct mw_record_head h = head();
	_cleanup_(mw_record_writer_free) struct mw_record_writer w;
	struct mw_record_item item = sample(0, 1);
	size_t size;

	(void)state;
	assert_int_equal(mw_record_begin(&w, &h), 0);
	size = w.size;
	assert_int_equal(mw_record_add(&w, &item), -EINVAL);
	item = worker(1, "b", 1 << 20);
	assert_int_equal(mw_record_add(&w, &item), -EINVAL);
	item.kind = MW_RECORD_MAX;
	assert_int_equal(mw_record_add(&w, &item), -EINVAL);
	assert_int_equal(w.size, size);
}

static void a_csv_is_one_worker(void **state)
{
	static const char csv[] = "seconds,memory_bytes\r\n0.0,8913000\n1.1,155900000\n2.123456789,1\n";
	_cleanup_(mw_record_reader_free) struct mw_record_reader r = {0};
	struct mw_record_item item;
	struct mw_error err = {""};

	(void)state;
	assert_int_equal(mw_record_open("/some where/run a.csv", csv, strlen(csv), &r, &err), 0);
	assert_int_equal(mw_record_next(&r, &item, &err), 1);
	assert_int_equal(item.kind, MW_RECORD_WORKER);
	assert_string_equal(item.about.name, "run_a");
	assert_true(item.about.profile.max_heap == MW_UNLIMITED);
	assert_int_equal(mw_record_next(&r, &item, &err), 1);
	assert_int_equal(item.usage.heap, 8913000);
	assert_int_equal(item.usage.current, 8913000);
	assert_true(item.time_ns > 0);
	assert_int_equal(mw_record_next(&r, &item, &err), 1);
	assert_int_equal(item.time_ns, r.head.time_ns + 1100 * MW_NS_PER_MS);
	assert_int_equal(mw_record_next(&r, &item, &err), 1);
	assert_int_equal(item.time_ns, r.head.time_ns + 2123456789);
	assert_int_equal(mw_record_next(&r, &item, &err), 0);
	assert_true(r.closed && !r.cut);
}

static void a_wrong_line_of_a_csv_is_named(void **state)
{
	static const char *const wrong[] = {
		"x,1\n",   "1\n",     "1,\n",	"1,2,3\n", ",\n", "-1,2\n", "1,99999999999999999999\n",
		"1e3,5\n", "0.5,7\n", "1 ,2\n", "\n3,4\n"};
	struct mw_error err = {""};
	char csv[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		snprintf(csv, sizeof(csv), "seconds,memory_bytes\n1,5\n%s9,9\n", wrong[i]);
		refused(csv, strlen(csv), "some.file:3:");
	}
	/* A last line without its end may be half of one. */
	snprintf(csv, sizeof(csv), "seconds,memory_bytes\n1,5\n2,");
	assert_int_equal(read_all(csv, strlen(csv), &err), 0);
}

static void a_file_that_cannot_be_read_says_so(void **state)
{
	unsigned char *bytes = NULL;
	struct mw_error err = {""};
	size_t size;

	(void)state;
	assert_int_equal(mw_record_load("/nowhere/at all", &bytes, &size, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at all: No such file"));
	assert_int_equal(mw_record_load("/", &bytes, &size, &err), -EISDIR);
	assert_null(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_to_the_bit),
		cmocka_unit_test(a_sample_takes_a_few_bytes),
		cmocka_unit_test(a_cut_file_is_good_up_to_its_last_record),
		cmocka_unit_test(a_hostile_file_is_refused_and_says_where),
		cmocka_unit_test(a_tail_of_zeros_is_a_cut),
		cmocka_unit_test(a_writer_refuses_what_a_reader_would),
		cmocka_unit_test(a_csv_is_one_worker),
		cmocka_unit_test(a_wrong_line_of_a_csv_is_named),
		cmocka_unit_test(a_file_that_cannot_be_read_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
