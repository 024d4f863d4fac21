/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "core/pace_read.h"
#include "memweir/abi.h"
#include "util/cleanup.h"

static char folder[] = "/tmp/pace-read.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void reads_what_pacing_needs(void **state)
{
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__u64 page = (__u64)sysconf(_SC_PAGESIZE);
	struct mw_pace_input in = {0};

	(void)state;
	put("memory.current", "42000000\n");
	put("memory.high", "max\n");
	put("memory.swap.current", "4000000\n");
	put("memory.pressure", "some avg10=1.00 avg60=0.50 avg300=0.10 total=1234\nfull avg10=0.00 total=99\n");
	put("memory.stat", "anon 20000000\nfile 15000000\nshmem 1000000\nslab_reclaimable 500000\npgsteal 10\n"
			   "workingset_refault_anon 3\nworkingset_refault_file 100\nworkingset_activate_file 4\n");
	assert_int_equal(mw_pace_read(fd, 1ULL << 30, 9000000, &in), 0);
	assert_int_equal(in.current, 42000000);
	assert_true(in.high_now == MW_UNLIMITED);
	assert_int_equal(in.cache, 14500000);
	assert_int_equal(in.swappable, 5000000); /* what memory.swap.max leaves */
	assert_int_equal(in.stolen, 10 * page);
	assert_int_equal(in.refaulted, 7 * page);
	assert_int_equal(in.stalled_ns, 1234000);
	assert_int_equal(mw_pace_read(fd, 1ULL << 30, MW_UNLIMITED, &in), 0);
	assert_int_equal(in.swappable, 21000000); /* anon and shmem */
	assert_int_equal(mw_pace_read(fd, 0, MW_UNLIMITED, &in), 0);
	assert_int_equal(in.swappable, 0);
	assert_int_equal(mw_pace_read(fd, 1ULL << 30, 0, &in), 0);
	assert_int_equal(in.swappable, 0);
}

static void what_is_gone_is_said(void **state)
{
	_cleanup_close_ int fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mw_pace_input in = {0};

	(void)state;
	assert_int_equal(mw_pace_read(fd, 0, 0, &in), -ENOENT);
	assert_int_equal(mw_pace_stalled(""), 0);
	assert_int_equal(mw_pace_stalled("full total=7\n"), 0);
	assert_int_equal(mw_pace_stalled("some avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"), 7000);
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {"memory.current", "memory.high", "memory.swap.current", "memory.pressure",
					    "memory.stat"};
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_pacing_needs),
		cmocka_unit_test(what_is_gone_is_said),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
