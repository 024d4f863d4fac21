/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Recordings of real agents at work, of whom none is known to leak: what is said of them with limits of 1.25, 1.5 and 2
 * times what each needed at most. They lie beside the tree, or where MEMWEIR_TRACES says.
 */
#include "../unit.h"

#include <dirent.h>

#include "leak/replay.h"
#include "util/cleanup.h"

static const char *folder(void)
{
	const char *from_env = getenv("MEMWEIR_TRACES");

	return from_env && *from_env ? from_env : "../shared/traces";
}

static int limited(const struct mw_record_worker *about, struct mw_replay_rules *r, void *arg, struct mw_error *err)
{
	(void)about, (void)err;
	r->profile.max_heap = *(const __u64 *)arg;
	return 0;
}

static struct mw_replay_result replayed(const char *path, __u64 max_heap)
{
	const struct mw_replay_asks asks = {.rules = limited, .keep_profile = true, .arg = &max_heap};
	_cleanup_(mw_replay_run_free) struct mw_replay_run run = {0};
	_cleanup_free_ unsigned char *bytes = NULL;
	struct mw_error err = {""};
	size_t size;

	if (mw_record_load(path, &bytes, &size, &err) < 0 || mw_replay_run(path, bytes, size, &asks, &run, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(run.n_workers, 1);
	return run.workers[0].replay.result;
}

static void who_does_not_leak_is_not_called_so(void **state)
{
	static const double times[] = {1.25, 1.5, 2};
	unsigned n = 0, ever[3] = {0}, end[3] = {0};
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *e;
	char path[PATH_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/agents", folder());
	dir = opendir(path);
	if (!dir) {
		print_message("skipped: no recordings of agents in %s (MEMWEIR_TRACES says where): %s\n", path,
			      strerror(errno));
		skip();
	}
	while ((e = readdir(dir))) {
		__u64 peak;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/agents/%s", folder(), e->d_name);
		peak = replayed(path, MW_UNLIMITED).peak_used;
		n++;
		for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
			struct mw_replay_result r = replayed(path, (__u64)(times[i] * (double)peak));

			assert_int_equal(r.killed_ns, 0);
			ever[i] += r.leak_ns != 0;
			end[i] += r.trend.verdict == MW_LEAK;
		}
	}
	for (unsigned i = 0; i < ARRAY_SIZE(times); i++)
		print_message("# of %u with %.2f times their peak: %u called a leak at any time, %u at the end\n", n,
			      times[i], ever[i], end[i]);
	assert_true(n > 0);
	for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
		assert_true(100 * end[i] <= 3 * n);
		assert_true(100 * ever[i] <= 10 * n);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_does_not_leak_is_not_called_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
