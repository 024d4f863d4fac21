/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Records as a process may have written them: sums, growth, and what is not believed. */
#include "unit.h"

#include "leak/heap.h"
#include "leak/heap_region.h"
#include "util/cleanup.h"

static struct mw_heap_head good_head(void)
{
	return (struct mw_heap_head){
		.magic = MW_HEAP_MAGIC,
		.version = MW_HEAP_VERSION,
		.head_size = sizeof(struct mw_heap_head),
		.record_size = sizeof(struct mw_heap_record),
		.n_records = MW_HEAP_RECORDS_MAX,
		.records_at = 4096,
		.mean_bytes = MW_HEAP_MEAN_DEFAULT,
		.began_ns = 1000,
		.pid = 7,
		.n_used = 10,
	};
}

static struct mw_heap_record record(__u64 size, __u64 weight, __u64 time_ns, __u64 caller)
{
	return (struct mw_heap_record){
		.seq = 2,
		.address = 0x7f0000001000,
		.size = size,
		.weight = weight,
		.time_ns = time_ns,
		.n_frames = 2,
		.frames = {caller, 0x4000},
	};
}

static void add(struct mw_heap *h, pid_t pid, const struct mw_heap_record *r, size_t n)
{
	struct mw_heap_head head = good_head();

	assert_int_equal(mw_heap_add(h, pid, &head, r, r, n), 0);
}

static void heads(void **state)
{
	struct mw_heap_head good = good_head(), bad, got = {0};
	struct mw_error err = {""};

	(void)state;
	assert_int_equal(mw_heap_head_check(&good, sizeof(good), &got, &err), 0);
	assert_memory_equal(&good, &got, sizeof(got));
	assert_int_equal(mw_heap_head_check(&good, sizeof(good) - 1, &got, &err), -EBADMSG);
	assert_string_equal(err.text, "a head of 159 bytes, expected 160");
#define REFUSED(field, value, said)                                                                                    \
	do {                                                                                                           \
		bad = good;                                                                                            \
		bad.field = (value);                                                                                   \
		assert_int_equal(mw_heap_head_check(&bad, sizeof(bad), &got, &err), -EBADMSG);                         \
		assert_non_null(strstr(err.text, said));                                                               \
	} while (0)
	REFUSED(magic, 1, "no sampler's region: it begins with 1");
	REFUSED(version, 2, "region of version 2 (160, 320), expected 1 (160, 320)");
	REFUSED(head_size, 8, "(8, 320)");
	REFUSED(record_size, 0, "(160, 0)");
	REFUSED(n_records, 0, "0 records");
	REFUSED(n_records, MW_HEAP_RECORDS_MAX + 1, "4097 records");
	REFUSED(records_at, 0, "from 0 on");
	REFUSED(records_at, 4097, "from 4097 on");
	REFUSED(records_at, ~0ULL, "expected 1 to 4096");
	REFUSED(mean_bytes, 0, "a sample every 0 bytes, expected 1024 to 1073741824");
	bad = good;
	bad.n_used = ~0U;
	bad.counts[MW_HEAP_COUNT_TAKEN] = ~0ULL;
	assert_int_equal(mw_heap_head_check(&bad, sizeof(bad), &got, &err), 0);
	assert_int_equal(got.n_used, MW_HEAP_RECORDS_MAX);
	assert_int_equal(got.counts[MW_HEAP_COUNT_TAKEN], 1ULL << 62);
}

static void sums_by_stack(void **state)
{
	struct mw_heap_record r[] = {record(100, 1000, 5000, 0x1000), record(200, 3000, 3000, 0x2000),
				     record(100, 1000, 4000, 0x1000), record(100, 500, 9000, 0x1000)};
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	(void)state;
	r[3].kind = MW_HEAP_MAPPING_ANON; /* the same stack, another kind */
	add(&h, 7, r, ARRAY_SIZE(r));
	add(&h, 8, r, 1); /* another process */
	mw_heap_sort(&h);
	assert_int_equal(h.n_sites, 4);
	assert_int_equal(h.live_bytes, 6500);
	assert_int_equal(h.samples, 5);
	assert_int_equal(h.sites[0].frames[0], 0x2000);
	assert_int_equal(h.sites[0].live_objects, 15);
	assert_int_equal(h.sites[1].live_bytes, 2000);
	assert_int_equal(h.sites[1].samples, 2);
	assert_int_equal(h.sites[1].live_objects, 20);
	assert_int_equal(h.sites[1].oldest_ns, 4000);
	assert_int_equal(h.sites[1].newest_ns, 5000);
	assert_int_equal(h.sites[1].pid, 7);
	assert_int_equal(h.sites[2].pid, 8);
	assert_int_equal(h.sites[3].kind, MW_HEAP_MAPPING_ANON);
	for (size_t i = 0; i < h.n_sites; i++)
		assert_ptr_equal(mw_heap_find(&h, &h.sites[i]), &h.sites[i]);
}

static void what_came_since(void **state)
{
	struct mw_heap_record r[] = {record(9000000, 9000000, 2000, 0x1000), record(100, 500, 3000, 0x2000),
				     record(100, 700, 3001, 0x2000), record(100, 900, 2999, 0x2000)};
	_cleanup_(mw_heap_free) struct mw_heap h = {.since_ns = 3000}, before = {0};

	(void)state;
	add(&h, 7, r, ARRAY_SIZE(r));
	mw_heap_sort_by_growth(&h);
	assert_int_equal(h.sites[0].frames[0], 0x2000);
	assert_int_equal(h.sites[0].grown_bytes, 1200);
	assert_int_equal(h.sites[0].live_bytes, 2100);
	assert_int_equal(h.sites[1].grown_bytes, 0);
	add(&before, 7, &r[3], 1);
	mw_heap_compare(&h, &before);
	assert_int_equal(h.sites[0].grown_bytes, 1200);
	assert_int_equal(h.sites[1].grown_bytes, 9000000);
}

static void inherited_is_the_parents(void **state)
{
	struct mw_heap_record r[] = {record(100, 1000, 999, 0x1000), record(100, 1000, 1000, 0x1000)};
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	(void)state;
	add(&h, 7, r, 2);
	assert_int_equal(h.samples, 1);
	assert_int_equal(h.inherited_bytes, 1000);
}

static void growth(void **state)
{
	struct mw_heap_record big = record(9000000, 9000000, 2000, 0x1000), leak = record(100, 500, 3000, 0x2000),
			      gone = record(100, 700, 3000, 0x3000);
	_cleanup_(mw_heap_free) struct mw_heap before = {0}, now = {0};

	(void)state;
	add(&before, 7, &big, 1);
	add(&before, 7, &leak, 1);
	add(&before, 7, &gone, 1);
	add(&before, 7, &gone, 1);
	add(&now, 7, &gone, 1);
	add(&now, 7, &big, 1);
	for (int i = 0; i < 4; i++)
		add(&now, 7, &leak, 1);
	mw_heap_compare(&now, &before);
	mw_heap_sort_by_growth(&now);
	assert_int_equal(now.sites[0].frames[0], 0x2000);
	assert_int_equal(now.sites[0].grown_bytes, 1500);
	assert_int_equal(now.sites[1].grown_bytes, 0);
	assert_int_equal(now.sites[2].grown_bytes, -700);
	mw_heap_compare(&now, &(struct mw_heap){0});
	assert_int_equal(now.sites[0].grown_bytes, 2000);
}

/* One record with one field changed: is it left out, and counted? */
static void unsettled(struct mw_heap_record r, const struct mw_heap_record *second)
{
	_cleanup_(mw_heap_free) struct mw_heap h = {0};
	struct mw_heap_head head = good_head();

	assert_int_equal(mw_heap_add(&h, 7, &head, &r, second ? second : &r, 1), 0);
	assert_int_equal(h.n_sites, 0);
	assert_int_equal(h.samples, 0);
	assert_int_equal(h.unsettled, 1);
}

/* The pid was given again, and who has it now grows in the same place. */
static void pid_of_another(void **state)
{
	_cleanup_(mw_heap_free) struct mw_heap before = {.start_ticks = 70}, now = {.start_ticks = 80};
	struct mw_heap_record r = record(100, 1000, 5000, 1);

	(void)state;
	add(&before, 7, &r, 1);
	add(&now, 7, &r, 1);
	assert_int_equal(now.sites[0].start_ticks, 80);
	assert_null(mw_heap_find(&before, &now.sites[0]));
	assert_true(mw_heap_site_id(&before.sites[0]) != mw_heap_site_id(&now.sites[0]));
	mw_heap_compare(&now, &before);
	assert_int_equal(now.sites[0].grown_bytes, 1000);
	before.start_ticks = 80;
	add(&before, 7, &r, 1);
	assert_int_equal(before.n_sites, 2);
	mw_heap_compare(&now, &before);
	assert_int_equal(now.sites[0].grown_bytes, 0);
}

static void what_is_not_believed(void **state)
{
	struct mw_heap_record good = record(100, 1000, 2000, 0x1000), bad;

	(void)state;
#define UNSETTLED(field, value)                                                                                        \
	do {                                                                                                           \
		bad = good;                                                                                            \
		bad.field = (value);                                                                                   \
		unsettled(bad, NULL);                                                                                  \
	} while (0)
	UNSETTLED(seq, 3); /* being written */
	UNSETTLED(kind, MW_HEAP_KIND_MAX);
	UNSETTLED(n_frames, MW_HEAP_FRAMES + 1);
	UNSETTLED(n_frames, ~0U);
	UNSETTLED(size, 0);
	UNSETTLED(size, ~0ULL);
	UNSETTLED(weight, 0);
	UNSETTLED(weight, ~0ULL);
	bad = good;
	bad.seq = 4; /* freed, and used again for the same, in between */
	unsettled(good, &bad);
	bad = good;
	bad.frames[MW_HEAP_FRAMES - 1] = 1;
	unsettled(good, &bad);
}

static void free_records_are_nothing(void **state)
{
	struct mw_heap_record r[2] = {record(100, 1000, 2000, 0x1000), record(100, 1000, 2000, 0x1000)};
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	(void)state;
	r[0].address = 0;
	r[1].seq = 0;
	add(&h, 7, r, 2);
	assert_int_equal(h.samples + h.unsettled, 0);
	assert_null(mw_heap_find(&h, &(struct mw_heap_site){.pid = 7}));
	mw_heap_sort(&h);
}

static void no_more_sites_than_there_is_room_for(void **state)
{
	_cleanup_(mw_heap_free) struct mw_heap h = {0};

	(void)state;
	for (__u64 i = 0; i < MW_HEAP_SITES_MAX + 100; i++) {
		struct mw_heap_record r = record(100, 10, 2000, 0x1000 + i);

		add(&h, 7, &r, 1);
	}
	assert_int_equal(h.n_sites, MW_HEAP_SITES_MAX);
	assert_int_equal(h.left_out_bytes, 1000);
	assert_int_equal(h.live_bytes, (MW_HEAP_SITES_MAX + 100) * 10);
	assert_int_equal(h.samples, MW_HEAP_SITES_MAX + 100);
}

static void sums_stop_at_the_top(void **state)
{
	struct mw_heap_record r = record(MW_HEAP_BYTES_MAX, MW_HEAP_BYTES_MAX, 2000, 0x1000);
	_cleanup_(mw_heap_free) struct mw_heap h = {0}, none = {0};

	(void)state;
	for (int i = 0; i < 5000; i++)
		add(&h, 7, &r, 1);
	assert_int_equal(h.live_bytes, 1ULL << 62);
	mw_heap_compare(&h, &none);
	assert_int_equal(h.sites[0].grown_bytes, 1LL << 62);
}

#define NAMED "/memfd:memweir-heap (deleted)"

/* Up to the line that ends it, or all of them. */
static int region_of(const char *const *lines, struct mw_heap_region *ret)
{
	struct mw_error err = {""};
	int r = 0;

	*ret = (struct mw_heap_region){0};
	for (; !r && *lines; lines++)
		r = mw_heap_region_line(ret, *lines, &err);
	assert_int_equal(*err.text != 0, r < 0);
	return r;
}

static void no_lines_of_a_region(void **state)
{
	static const char *const lines[] = {
		"7f46049d3000-7f46049d4000 rw-p 00001000 00:01 11463                      " NAMED,
		"7f46049d4000-7f46049d3000 rw-p 00000000 00:01 11463                      " NAMED,
		"7f46049d3000-7f46049d4000 rw-p 00000000 00:01 11463                      /tmp/memfd:memweir-heap "
		"(deleted)",
		"7f46049d3000-7f46049d4000 rw-p 00000000 00:01 11463                      /memfd:memweir-heap2 "
		"(deleted)",
		"7f46049d3000-7f46049d4000 rw-p 00000000 00:00 0 ",
		"",
		"-",
		"x-y rw-p 0 0 0 " NAMED,
		"ffffffffffffffff1-7f46049d4000 rw-p 00000000 00:01 1 " NAMED,
		NULL,
	};
	struct mw_heap_region g;

	(void)state;
	assert_int_equal(region_of(lines, &g), 0);
	assert_int_equal(g.begin, 0);
}

/* How far it goes: over what nobody else can stand behind. */
static void lines_of_a_region(void **state)
{
#define HEAD   "7f0000001000-7f0000002000 rw-p 00000000 00:01 11463                      " NAMED
#define BEHIND "7f0000002000-7f0000142000 "
	static const struct {
		const char *lines[4];
		int r;
		__u64 end;
	} maps[] = {
		{{HEAD}, 0, 0x7f0000002000},
		{{HEAD, BEHIND "rw-p 00000000 00:00 0 "}, 0, 0x7f0000142000},
		{{HEAD, BEHIND "rw-p 00000000 00:00 0                 [anon:heap]"}, 0, 0x7f0000142000},
		{{HEAD, BEHIND "rw-p 00000000 00:00 0 ", "7f0000142000-7f0000143000 rw-p 00000000 00:00 0 "},
		 0,
		 0x7f0000143000},
		{{HEAD, BEHIND "rw-p 00001000 00:01 11463                 " NAMED}, 0, 0x7f0000142000},
		/* All it can be. */
		{{HEAD, "7f0000002000-7f0010000000 rw-p 00000000 00:00 0 "}, 1, 0x7f0010000000},
		/* A gap; another mode; shared; another file; the same from elsewhere; a device; no line. */
		{{HEAD, "7f0000003000-7f0000142000 rw-p 00000000 00:00 0 "}, 1, 0x7f0000002000},
		{{HEAD, BEHIND "---p 00000000 00:00 0 "}, 1, 0x7f0000002000},
		{{HEAD, BEHIND "rw-s 00001000 00:01 11463                 " NAMED}, 1, 0x7f0000002000},
		{{HEAD, BEHIND "rw-p 00001000 00:01 11464                 " NAMED}, 1, 0x7f0000002000},
		{{HEAD, BEHIND "rw-p 00002000 00:01 11463                 " NAMED}, 1, 0x7f0000002000},
		{{HEAD, BEHIND "rw-p 00001000 00:2f 11463                 " NAMED}, 1, 0x7f0000002000},
		{{HEAD, BEHIND "rw-p 00001000 00:05 7                     /dev/mem"}, 1, 0x7f0000002000},
		{{HEAD, "..."}, 1, 0x7f0000002000},
		{{"7f0000001000-7f0000002000 rw-s 00000000 00:01 11463     " NAMED}, -EBADMSG, 0},
		{{"7f0000001000-7f0000002000 r--p 00000000 00:01 11463     " NAMED}, -EBADMSG, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct mw_heap_region g;

		assert_int_equal(region_of(maps[i].lines, &g), maps[i].r);
		assert_int_equal(g.end, maps[i].end);
		if (maps[i].end)
			assert_true(g.begin == 0x7f0000001000 && g.inode == 11463 && !g.major && g.minor == 1);
	}
}

static void all_records_are_in_the_region(void **state)
{
	struct mw_heap_region g = {.begin = 0x1000, .end = 0x1000 + 4096 + 4096 * 320};
	struct mw_heap_head head = good_head();
	struct mw_error err = {""};

	(void)state;
	assert_int_equal(mw_heap_region_holds(&g, &head, &err), 0);
	g.end--;
	assert_int_equal(mw_heap_region_holds(&g, &head, &err), -EBADMSG);
	assert_string_equal(err.text,
			    "4096 records that end 1314816 bytes behind its beginning, of which its memory is "
			    "1314815");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads),
		cmocka_unit_test(sums_by_stack),
		cmocka_unit_test(what_came_since),
		cmocka_unit_test(inherited_is_the_parents),
		cmocka_unit_test(growth),
		cmocka_unit_test(pid_of_another),
		cmocka_unit_test(what_is_not_believed),
		cmocka_unit_test(free_records_are_nothing),
		cmocka_unit_test(no_more_sites_than_there_is_room_for),
		cmocka_unit_test(sums_stop_at_the_top),
		cmocka_unit_test(no_lines_of_a_region),
		cmocka_unit_test(lines_of_a_region),
		cmocka_unit_test(all_records_are_in_the_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
