/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* replay: files in, no daemon anywhere. */
#include "fake.h"

#include "leak/record.h"

#define S 1000000000ULL

static struct fake f;
static char csv[PATH_MAX], recording[PATH_MAX];

static void write_file(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* A minute of 30 MB, then a minute of 60 MB. */
static void write_csv(void)
{
	char text[8192] = "seconds,memory_bytes\n";

	for (int i = 0; i <= 120; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d.5,%d\n", i,
			 i < 60 ? 30000000 : 60000000);
	write_file(csv, text, strlen(text));
}

/* The same with a name that would like to write to the terminal. */
static void write_recording(void)
{
	struct mw_record_head head = {.wall_ns = 1790000000 * S, .time_ns = 500 * S};
	struct mw_record_item item = {.kind = MW_RECORD_WORKER, .time_ns = 500 * S};
	struct mw_record_writer w;

	head.monitor = (struct mw_monitor){.check_interval_ns = 5 * S,
					   .sample_interval_ns = S,
					   .alert_threshold = 0.85,
					   .max_history = 10};
	assert_int_equal(mw_record_begin(&w, &head), 0);
	snprintf(item.about.name, sizeof(item.about.name), "a\x7f[31m");
	snprintf(item.about.class_name, sizeof(item.about.class_name), "tool");
	item.about.profile = (struct mw_profile){.max_heap = 100000000,
						 .max_bin_heap = MW_UNLIMITED,
						 .hibernate_threshold = 0.5,
						 .policy = MW_POLICY_PROTECT,
						 .swap_max = MW_AUTO,
						 .low = MW_AUTO,
						 .budget = MW_UNLIMITED};
	assert_int_equal(mw_record_add(&w, &item), 0);
	item.kind = MW_RECORD_SAMPLE;
	for (unsigned i = 0; i <= 120; i++) {
		item.time_ns = (501 + i) * S;
		item.usage = (struct mw_usage){.time_ns = item.time_ns, .anon = i < 60 ? 30000000 : 60000000};
		item.usage.current = item.usage.anon;
		assert_int_equal(mw_record_add(&w, &item), 0);
	}
	write_file(recording, w.bytes, w.size - 3);
	mw_record_writer_free(&w);
}

static int start(void **state)
{
	(void)state;
	fake_dir(&f);
	snprintf(csv, sizeof(csv), "%s/run.csv", f.dir);
	snprintf(recording, sizeof(recording), "%s/run.rec", f.dir);
	write_csv();
	write_recording();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fake_stop(&f);
	return 0;
}

static void a_csv_is_judged_by_settings(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "replay", csv), 0);
	assert_out("run: max_heap max");
	assert_out("at the end: steady");
	assert_int_equal(memweir(&f, "replay", "--set", "max_heap=50MB,hibernate_threshold=0.9", csv), 0);
	assert_out("run: max_heap 50.0 MB, memory.high 45.0 MB");
	assert_out("1 min  would have been killed at memory.max: 60.0 MB of 50.0 MB, 1 min before the end");
	assert_out("saved 60.0 MB x min of 90.0 MB x min used");
	assert_int_equal(memweir(&f, "replay", "--class", "generic", csv), 0);
	assert_out("max_heap 20.0 MB");
	assert_out("0 ns  would have been killed at memory.max: 30.0 MB of 20.0 MB, 2 min before the end");
}

static void a_recording_is_judged_by_its_own_profile(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "replay", recording), 0);
	assert_out("1 worker");
	assert_out("cut short");
	assert_out("a?[31m (tool): max_heap 100.0 MB, memory.high 50.0 MB, policy protect");
	assert_out("1 min  over memory.high: 60.0 MB that cannot be reclaimed, of 50.0 MB");
	assert_out("from 2026-");
	assert_int_equal(memweir(&f, "replay", "--set", "check_interval=60s", "--method", "regression", recording), 0);
	assert_out("1 checks");
}

static void json_has_it_all(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "replay", "--json", "--set", "max_heap=50MB,policy=observe", csv, recording), 0);
	assert_out("\"recordings\":[{\"file\":");
	assert_out("\"name\":\"run\",\"class\":\"\",\"max_bytes\":null");
	assert_out("\"peak_bytes\":60000000");
	assert_out("\"killed_at_ns\":null");
	assert_out("\"cut\":true");
	assert_int_equal(memweir(&f, "replay", "--json", "--set", "max_heap=50MB", csv), 0);
	assert_out("\"killed_at_ns\":60000000000,\"killed_by\":\"heap_size\",\"killed_before_end_ns\":60000000000");
	assert_out("\"saved_byte_seconds\":3600000000");
}

static void what_is_wrong_is_said(void **state)
{
	char broken[PATH_MAX + 16];

	(void)state;
	snprintf(broken, sizeof(broken), "%s.broken", csv);
	write_file(broken, "seconds,memory_bytes\n1,x\n", 25);
	assert_int_equal(memweir(&f, "replay"), 2);
	assert_int_equal(memweir(&f, "replay", "/nowhere"), 1);
	assert_err("/nowhere: No such file");
	assert_int_equal(memweir(&f, "replay", broken), 1);
	assert_err(":2: found \"1,x\", expected SECONDS,BYTES");
	assert_int_equal(memweir(&f, "replay", "/bin/true"), 1);
	assert_err("at byte 0: expected a recording of memweir record, or a CSV");
	assert_int_equal(memweir(&f, "replay", "--set", "max_heap", csv), 1);
	assert_err("--set: found \"max_heap\", expected KEY=VALUE,...");
	assert_int_equal(memweir(&f, "replay", "--set", "max_heap=many", csv), 1);
	assert_err("max_heap: found \"many\"");
	assert_int_equal(memweir(&f, "replay", "--method", "guess", csv), 1);
	assert_err("expected windows or regression");
	assert_int_equal(memweir(&f, "replay", "--config", "/x", csv), 1);
	assert_int_equal(memweir(&f, "replay", "--class", "x", "--config", "/nowhere", csv), 1);
	/* One that is good is judged all the same. */
	assert_int_equal(memweir(&f, "replay", "/nowhere", csv), 1);
	assert_out("at the end: steady");
}

static void budgets_are_proposed_and_tried(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "calibrate", csv, recording), 0);
	assert_out("(no class): 1 worker, 2 min in all\n"
		   "FROM         MEASURED  MAX_HEAP  THRESHOLD  KILLED  OVER HIGH        RESERVED  USED\n");
	assert_out("\ntool: 1 worker, ");
	assert_out("proposed: max_heap = 76MB, hibernate_threshold = 0.83\n");
	assert_int_equal(memweir(&f, "calibrate", "--by", "file", "--margin", "100", csv), 0);
	assert_out("run.csv: 1 worker");
	assert_out("proposed: max_heap = 121MB");
	assert_int_equal(memweir(&f, "calibrate", "--by", "worker", "--json", csv), 0);
	assert_out("\"groups\":[{\"worker\":\"run\",\"workers\":1");
	assert_out("\"from\":\"working set\",\"proposed\":false,\"measured_bytes\":30000000");
	assert_out("\"killed\":1");
	assert_int_equal(memweir(&f, "calibrate", "--by", "name", csv), 2);
	assert_err("--by: found \"name\", expected class, worker or file");
	assert_int_equal(memweir(&f, "calibrate", "/nowhere"), 1);
	assert_err("/nowhere: No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_csv_is_judged_by_settings),
		cmocka_unit_test(a_recording_is_judged_by_its_own_profile),
		cmocka_unit_test(json_has_it_all),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(budgets_are_proposed_and_tried),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
