/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Sites named while their processes live, and when their pids are given to others. */
#include "symbols/program.h"

#include "daemon/sites_impl.h"
#include "util/clock.h"

static struct mw_sites_look look;
static struct mw_site_list all;

static int begin(void **state)
{
	(void)state;
	look = (struct mw_sites_look){
		.cgroup_fd = -1,
		.remembered = mw_remembered_new(symbols_program()),
		.ask_until_ns = mw_now_ns() + 3600 * MW_NS_PER_S,
	};
	return look.remembered ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	end_worker();
	for (size_t i = 0; i < all.n; i++)
		json_object_put(all.at[i].named);
	all = (struct mw_site_list){0};
	mw_remembered_free(look.remembered);
	return 0;
}

/* In a function of this program, which a child has where we have it. */
static void add_site(pid_t pid, __u64 start_ticks)
{
	all.at[all.n++] = (struct mw_site_found){
		.pid = pid,
		.start_ticks = start_ticks,
		.n_frames = 1,
		.frames = {{(__u64)(unsigned long)mw_sites_name + 4, false}},
	};
}

static const char *function_of(size_t i)
{
	struct json_object *value = NULL;

	assert_non_null(all.at[i].named);
	json_object_object_get_ex(json_object_array_get_idx(all.at[i].named, 0), "function", &value);
	return json_object_get_string(value);
}

/* "": it has names. */
static const char *said_why(size_t i)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	static char text[MW_SITES_WHY];
	struct json_object *value = NULL, *site;

	mw_sites_put_why(&o, &all.at[i]);
	site = mw_json_end(&o);
	assert_true(json_object_object_get_ex(site, "unnamed", &value));
	snprintf(text, sizeof(text), "%s", value ? json_object_get_string(value) : "");
	json_object_put(site);
	return text;
}

static __u64 start_of(pid_t pid)
{
	__u64 ticks = 0;

	assert_int_equal(mw_proc_start_ticks("/proc", pid, &ticks), 0);
	return ticks;
}

static void of_who_lives(void **state)
{
	(void)state;
	add_site(getpid(), start_of(getpid()));
	add_site(getpid(), start_of(getpid()) + 1);
	add_site(getpid(), 0); /* when it began was not noted */
	for (size_t i = 0; i < all.n; i++)
		mw_sites_name(&look, &all, i);
	assert_string_equal(function_of(0), "mw_sites_name");
	assert_false(all.at[0].ended);
	assert_string_equal(said_why(0), "");
	assert_string_equal(function_of(1), "");
	assert_true(all.at[1].ended);
	assert_non_null(strstr(said_why(1), "its pid is another one's now"));
	assert_string_equal(function_of(2), "mw_sites_name");
}

/* The dead one's addresses would have names in the other's memory: it is a copy of the same program. */
static void of_two_with_one_pid(void **state)
{
	pid_t pid = fork(), again;
	__u64 start;

	(void)state;
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	start = start_of(pid);
	assert_true(mw_remember(look.remembered, pid, mw_now_ns()) > 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	again = start_as(pid);
	if (!again)
		skip();
	worker.pid = again; /* to be ended */
	add_site(pid, start);
	add_site(pid, start_of(again));
	add_site(pid, start - 1);
	for (size_t i = 0; i < all.n; i++)
		mw_sites_name(&look, &all, i);
	assert_true(all.at[0].ended && !all.at[1].ended && all.at[2].ended);
	assert_string_equal(function_of(0), "mw_sites_name"); /* as it was remembered */
	assert_string_equal(function_of(1), "mw_sites_name");
	assert_string_equal(function_of(2), "");
	assert_string_equal(said_why(0), "");
	assert_non_null(strstr(said_why(2), "nobody looked at it before"));
}

#define name_case(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {name_case(of_who_lives), name_case(of_two_with_one_pid)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
