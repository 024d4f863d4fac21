/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* record: what a daemon's documents become in a file. */
#include "fake.h"

#include <sys/resource.h>

#include "core/worker.h"
#include "leak/record.h"
#include "report/json_sample.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define S 1000000000ULL

static struct mw_workers workers;
static struct mw_worker *a, *b;
static struct mw_monitor monitor = {.check_interval_ns = 5 * S,
				    .sample_interval_ns = S / 10,
				    .alert_threshold = 0.85,
				    .max_history = 10};

static struct mw_worker *worker(const char *name, __u64 id)
{
	struct mw_worker *w = NULL;

	assert_int_equal(mw_worker_add(&workers, name, "tool", "/x", open("/", O_PATH | O_CLOEXEC), id, 10, &w), 0);
	w->profile = (struct mw_profile){.max_heap = 50000000 + id,
					 .max_bin_heap = MW_UNLIMITED,
					 .hibernate_threshold = 0.85,
					 .swap_max = MW_AUTO,
					 .low = MW_AUTO,
					 .policy = MW_POLICY_PROTECT,
					 .budget = MW_UNLIMITED};
	w->usage = (struct mw_usage){.time_ns = 700 * S + id,
				     .anon = 20000000 + id,
				     .file = 4096,
				     .current = 20004096 + id,
				     .max = MW_UNLIMITED,
				     .high = 42500000};
	mw_record_derive(&w->usage);
	return w;
}

static char *document(bool profiles)
{
	struct mw_json_text t;
	struct mw_worker *w;

	mw_json_samples_begin(&t, &monitor, 700 * S + S / 2, 1790000000 * S);
	for (w = workers.by_id; w; w = w->by_id.next)
		mw_json_sample(&t, w, profiles);
	return mw_json_samples_end(&t);
}

static int start(void **state)
{
	(void)state;
	assert_int_equal(mw_workers_init(&workers, 4096), 0);
	a = worker("a", 1);
	b = worker("b", 2);
	mw_series_push(&a->history, (struct mw_point){a->usage.time_ns, a->usage.heap});
	a->trend.verdict = MW_SUSPECT;
	return 0;
}

static int stop(void **state)
{
	(void)state;
	mw_workers_free(&workers);
	return 0;
}

/* Runs record against a daemon that says that, for a moment; its exit code. */
static int record_into(const char *path, const char *with, const char *without, const char *one, const char *length)
{
	const struct fake_reply table[] = {
		{"GET", "/v1/samples?profiles", 200, with},
		{"GET", "/v1/samples", 200, without},
		{NULL},
	};
	struct fake f;
	int code;

	fake_start(&f, table);
	code = one ? memweir(&f, "record", "--out", path, "--for", length, one)
		   : memweir(&f, "record", "--out", path, "--for", length);
	fake_stop(&f);
	return code;
}

struct read {
	unsigned kinds[MW_RECORD_MAX];
	struct mw_record_item items[16];
	size_t n;
	bool closed;
};

static struct read read_back(const char *path)
{
	_cleanup_(mw_record_reader_free) struct mw_record_reader r = {0};
	_cleanup_free_ unsigned char *bytes = NULL;
	struct mw_error err = {""};
	struct read out = {0};
	size_t size;

	if (mw_record_load(path, &bytes, &size, &err) < 0 || mw_record_open(path, bytes, size, &r, &err) < 0)
		fail_msg("%s", err.text);
	while (out.n < 16 && mw_record_next(&r, &out.items[out.n], &err) == 1)
		out.kinds[out.items[out.n++].kind]++;
	assert_string_equal(err.text, "");
	assert_int_equal(r.head.wall_ns, 1790000000 * S);
	assert_int_equal(r.head.monitor.check_interval_ns, 5 * S);
	out.closed = r.closed;
	unlink(path);
	return out;
}

static const char *new_file(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "/tmp/record-test-%d.rec", getpid());
	unlink(path);
	return path;
}

static void each_look_is_recorded_once_and_exact(void **state)
{
	_cleanup_free_ char *with = document(true), *without = document(false);
	const char *path = new_file();
	struct read r;

	(void)state;
	assert_null(strstr(without, "profile"));
	assert_int_equal(record_into(path, with, without, NULL, "500ms"), 0);
	assert_out("2 workers, 2 samples");
	r = read_back(path);
	assert_true(r.closed);
	assert_int_equal(r.kinds[MW_RECORD_WORKER], 2);
	assert_int_equal(r.kinds[MW_RECORD_SAMPLE], 2);
	assert_int_equal(r.kinds[MW_RECORD_CHECK], 1);
	assert_string_equal(r.items[0].about.name, "a");
	assert_string_equal(r.items[0].about.class_name, "tool");
	assert_true(mw_profile_same(&r.items[0].about.profile, &a->profile));
	assert_memory_equal(&r.items[1].usage, &a->usage, sizeof(a->usage));
	assert_int_equal(r.items[2].kind, MW_RECORD_CHECK);
	assert_int_equal(r.items[2].used, a->usage.heap);
	assert_int_equal(r.items[2].said, MW_SUSPECT);
	assert_int_equal(r.items[3].worker, 1);
	assert_memory_equal(&r.items[4].usage, &b->usage, sizeof(b->usage));
}

static void only_who_was_named(void **state)
{
	_cleanup_free_ char *with = document(true), *without = document(false);
	const char *path = new_file();
	struct read r;

	(void)state;
	assert_int_equal(record_into(path, with, without, "b", "300ms"), 0);
	r = read_back(path);
	assert_int_equal(r.kinds[MW_RECORD_WORKER], 1);
	assert_string_equal(r.items[0].about.name, "b");
	assert_int_equal(record_into(path, with, without, "nobody", "300ms"), 0);
	assert_err("no worker of these names yet");
	assert_out("0 workers, 0 samples");
	assert_int_equal(read_back(path).n, 1);
}

static void who_comes_and_goes_is_recorded(void **state)
{
	_cleanup_free_ char *with = document(true), *without = NULL;
	const char *path = new_file();
	struct read r;

	(void)state;
	/* At first both; then b has gone and a is another with the name it had. */
	b->usage.time_ns = 0;
	a->cgroup_id = 9;
	a->usage.time_ns += S / 10;
	without = document(false);
	b->usage.time_ns = 700 * S + 2;
	a->cgroup_id = 1;
	a->usage.time_ns -= S / 10;
	assert_int_equal(record_into(path, with, without, NULL, "2s"), 0);
	r = read_back(path);
	assert_true(r.kinds[MW_RECORD_ENDED] >= 2);
}

static void what_goes_wrong_is_said(void **state)
{
	_cleanup_free_ char *with = document(true), *without = document(false);
	const char *path = new_file();
	struct fake f;

	(void)state;
	assert_int_equal(record_into(path, "{\"workers\":[]}", without, NULL, "300ms"), 1);
	assert_err("GET /v1/samples: expected wall_ns");
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(record_into("/nowhere/x", with, without, NULL, "300ms"), 1);
	assert_err("/nowhere/x: No such file or directory");
	assert_int_equal(record_into("/etc/passwd", with, without, NULL, "300ms"), 1);
	assert_err("/etc/passwd: File exists, expected a new file");
	fake_dir(&f);
	assert_int_equal(memweir(&f, "record", "--every", "0"), 2);
	assert_int_equal(memweir(&f, "record", "--for", "x"), 2);
	assert_err("--for: found \"x\", expected a time");
	assert_int_equal(memweir(&f, "record", "--out", path), 1);
	assert_err("no daemon on");
	assert_int_equal(access(path, F_OK), -1);
	fake_stop(&f);
}

/* A limit of a file's size stands for a full disk: nothing fits, or all but the end. */
static void a_full_disk_leaves_a_file_that_reads(void **state)
{
	_cleanup_free_ char *with = document(true), *without = document(false);
	const struct fake_reply table[] = {
		{"GET", "/v1/samples?profiles", 200, with},
		{"GET", "/v1/samples", 200, without},
		{NULL},
	};
	const char *path = new_file();
	struct rlimit old, small;
	struct stat st;
	struct read r;
	struct fake f;

	(void)state;
	fake_start(&f, table);
	assert_int_equal(memweir(&f, "record", "--out", path, "--for", "150ms"), 0);
	assert_int_equal(stat(path, &st), 0);
	unlink(path);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){(rlim_t)st.st_size - 1, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(memweir(&f, "record", "--out", path, "--for", "150ms"), 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_err("File too large after ");
	r = read_back(path);
	assert_int_equal(r.kinds[MW_RECORD_SAMPLE], 2);
	assert_false(r.closed);
	small.rlim_cur = 180; /* what is said goes into files too */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(memweir(&f, "record", "--out", path, "--for", "150ms"), 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_err("File too large; nothing was recorded");
	assert_int_equal(access(path, F_OK), -1);
	fake_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_look_is_recorded_once_and_exact), cmocka_unit_test(only_who_was_named),
		cmocka_unit_test(who_comes_and_goes_is_recorded),	cmocka_unit_test(what_goes_wrong_is_said),
		cmocka_unit_test(a_full_disk_leaves_a_file_that_reads),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
