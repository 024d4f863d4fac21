/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The whole configuration as one file: what is written reads back as the same. */
#include "../unit.h"
#include "config_tree.h"

#include <fcntl.h>

#include "util/cleanup.h"

static const char everything[] = "[monitor]\n"
				 "check_interval = 1500ms\n"
				 "alert_threshold = 0.7\n"
				 "[tree]\n"
				 "root = /some.slice/place\n"
				 "budget = 3GB\n"
				 "[class tool]\n"
				 "max_heap = 61MB\n"
				 "[class own]\n"
				 "max_heap = max\n"
				 "max_bin_heap = 7000001\n"
				 "hibernate_threshold = 0.333\n"
				 "share = class\n"
				 "policy = strict\n"
				 "swap_max = 0\n"
				 "[worker a]\n"
				 "max_heap = 70MB\n"
				 "low = 0\n"
				 "[worker b.c]\n"
				 "thp = off\n";

static struct mw_error err;

/* Written and read again. */
static void through_file(const struct mw_config *from, struct mw_config *ret_to)
{
	_cleanup_close_ int fd = open(prefix, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char path[512];

	assert_int_equal(mw_config_write(from, fd, "whole.conf"), 0);
	snprintf(path, sizeof(path), "%s/whole.conf", prefix);
	if (mw_config_load_file(path, ret_to, &err))
		fail_msg("%s", err.text);
}

static void same(const struct mw_config *a, const struct mw_config *b)
{
	assert_memory_equal(&a->monitor, &b->monitor, sizeof(a->monitor));
	assert_string_equal(a->tree.root, b->tree.root);
	assert_string_equal(a->tree.state_dir, b->tree.state_dir);
	assert_string_equal(a->tree.run_dir, b->tree.run_dir);
	assert_true(a->tree.budget == b->tree.budget);
	assert_string_equal(a->http.listen, b->http.listen);
	assert_int_equal(a->n_classes, b->n_classes);
	for (size_t i = 0; i < a->n_classes; i++) {
		assert_string_equal(a->classes[i].name, b->classes[i].name);
		assert_memory_equal(&a->classes[i].profile, &b->classes[i].profile, sizeof(struct mw_profile));
	}
	assert_int_equal(a->n_worker_settings, b->n_worker_settings);
	for (size_t i = 0; i < a->n_worker_settings; i++)
		assert_memory_equal(&a->worker_settings[i], &b->worker_settings[i], sizeof(struct mw_setting));
}

static void test_defaults(void **state)
{
	_cleanup_(mw_config_free) struct mw_config a = {0}, b = {0};

	(void)state;
	assert_int_equal(mw_config_defaults(&a), 0);
	through_file(&a, &b);
	same(&a, &b);
}

static void test_everything(void **state)
{
	_cleanup_(mw_config_free) struct mw_config a = {0}, b = {0};

	(void)state;
	put("/etc/memweir/memweir.conf", everything);
	assert_int_equal(mw_config_load(prefix, NULL, &a, &err), 0);
	through_file(&a, &b);
	same(&a, &b);
	/* still following, not a number by now */
	assert_int_equal(mw_config_set(&b, "class tool", &(struct mw_kv){"max_heap", "80MB"}, 1, &err), 0);
	assert_int_equal(mw_config_class(&b, "tool")->profile.max_bin_heap, 40000000);
}

/* As the daemon has them: a root without its slash, paths of the command line. */
static void test_paths(void **state)
{
	_cleanup_(mw_config_free) struct mw_config a = {0}, b = {0};

	(void)state;
	assert_int_equal(mw_config_defaults(&a), 0);
	strcpy(a.tree.root, "memweir-x");
	strcpy(a.tree.run_dir, "/tmp/a b");
	strcpy(a.http.listen, "[::1]:9757");
	through_file(&a, &b);
	assert_string_equal(b.tree.root, "/memweir-x");
	assert_string_equal(b.tree.run_dir, "/run/memweir");
	assert_string_equal(b.http.listen, "[::1]:9757");
}

/* One file alone: drop-ins beside it do not count. */
static void test_alone(void **state)
{
	_cleanup_(mw_config_free) struct mw_config a = {0};

	(void)state;
	put("/x.conf", "[class tool]\nmax_heap = 41MB\n");
	put("/etc/memweir/memweir.conf.d/wrong.conf", "nonsense\n");
	assert_int_equal(mw_config_load_file(host_path("/x.conf"), &a, &err), 0);
	assert_int_equal(mw_config_class(&a, "tool")->profile.max_heap, 41000000);
	assert_int_equal(mw_config_load_file(host_path("/not-there.conf"), &a, &err), -ENOENT);
}

/* The old file stays when the new one cannot be written. */
static void test_no_room(void **state)
{
	_cleanup_(mw_config_free) struct mw_config a = {0};

	(void)state;
	assert_int_equal(mw_config_defaults(&a), 0);
	assert_int_equal(mw_config_write(&a, -1, "whole.conf"), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults), cmocka_unit_test(test_everything), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_alone),	 cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, make_prefix, remove_prefix);
}
