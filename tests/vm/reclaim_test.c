/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Reclaim on page cache, to swap, and where nothing can go. */
#include "cgroup_fixture.h"

#include <glob.h>
#include <sys/stat.h>

/* The biggest file around that nobody has in the page cache yet. */
static bool find_big_file(char *ret_path, size_t size)
{
	glob_t found;
	off_t best = 0;

	if (glob("/usr/lib/*/*.so*", 0, NULL, &found))
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct stat st;

		if (stat(found.gl_pathv[i], &st) || st.st_size <= best || st.st_size > (off_t)(64 * MB))
			continue;
		best = st.st_size;
		snprintf(ret_path, size, "%s", found.gl_pathv[i]);
	}
	globfree(&found);
	return best > (off_t)(16 * MB);
}

static void reclaims_page_cache_in_batches(void **state)
{
	int fd = make_worker("w1", NULL);
	char path[PATH_MAX];
	__u64 before, freed = 0;
	pid_t pid;

	(void)state;
	if (!find_big_file(path, sizeof(path))) {
		print_message("skipped: no file of 16 MB to read\n");
		skip();
	}
	pid = play(fd, "read", path);
	wait_for(keyed(fd, "memory.stat", "file") > 12 * MB);
	before = figure(fd, "memory.current");
	assert_int_equal(mw_cgroup_reclaim(fd, 8 * MB, mw_now_ns() + 10 * MW_NS_PER_S, &freed), 0);
	assert_in_range(freed, 6 * MB, 12 * MB); /* the kernel rounds up, per-CPU stocks blur it */
	assert_true(figure(fd, "memory.current") < before);
	assert_int_equal(mw_cgroup_reclaim(fd, 8 * MB, mw_now_ns() - 1, &freed), 0);
	assert_int_equal(freed, 0); /* the deadline was over */
	end(pid);
	close(fd);
}

static void reclaims_to_swap_without_emptying(void **state)
{
	int fd = make_worker("w1", NULL);
	__u64 total, unused, freed = 0, left;
	pid_t pid;

	(void)state;
	assert_int_equal(mw_proc_swap("/proc", &total, &unused), 0);
	if (total < 64 * MB) {
		print_message("skipped: no swap (scripts/vm --zram 1G gives some)\n");
		close(fd);
		skip();
	}
	pid = play(fd, "touch", "62914560");
	wait_for(figure(fd, "memory.current") > 60 * MB);
	assert_int_equal(mw_cgroup_reclaim(fd, 16 * MB, mw_now_ns() + 20 * MW_NS_PER_S, &freed), 0);
	left = figure(fd, "memory.current");
	print_message("reclaimed %llu of 16 MiB, %llu left of 60 MiB\n", freed, left);
	assert_in_range(freed, 14 * MB, 24 * MB);
	assert_true(left > 30 * MB);
	assert_true(figure(fd, "memory.swap.current") > 12 * MB);
	end(pid);
	close(fd);
}

static void reclaim_stops_where_nothing_can_go(void **state)
{
	struct mw_limits limits = limits_of(MW_UNLIMITED, MW_UNLIMITED); /* no swap for it */
	int fd = make_worker("w1", &limits);
	pid_t pid = play(fd, "touch", "20971520");
	__u64 freed = 0, until = mw_now_ns() + 60 * MW_NS_PER_S;

	(void)state;
	wait_for(figure(fd, "memory.current") > 20 * MB);
	assert_int_equal(mw_cgroup_reclaim(fd, 16 * MB, until, &freed), 0);
	assert_true(freed < 4 * MB); /* what the program's own file pages are */
	assert_true(mw_now_ns() < until);
	assert_true(figure(fd, "memory.current") > 18 * MB);
	end(pid);
	close(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		vm_test(reclaims_page_cache_in_batches),
		vm_test(reclaims_to_swap_without_emptying),
		vm_test(reclaim_stops_where_nothing_can_go),
	};

	if (argc == 3)
		return role(argv[1], argv[2]);
	if (!can_run())
		return SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
