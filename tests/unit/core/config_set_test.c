/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Changing settings at run time and keeping them. */
#include "../unit.h"
#include "config_tree.h"

#include <signal.h>
#include <sys/resource.h>

#include "util/cleanup.h"

#define SAVED "/etc/memweir/memweir.conf.d/90-set.conf"

static struct mw_config cfg;
static struct mw_error err;

static int setup(void **state)
{
	return make_prefix(state) || mw_config_defaults(&cfg);
}

static int teardown(void **state)
{
	mw_config_free(&cfg);
	return remove_prefix(state);
}

#define KV(...)		  ((const struct mw_kv[]){__VA_ARGS__})
#define SET(target, ...)  mw_config_set(&cfg, target, KV(__VA_ARGS__), ARRAY_SIZE(KV(__VA_ARGS__)), &err)
#define SAVE(target, ...) mw_config_save(prefix, target, KV(__VA_ARGS__), ARRAY_SIZE(KV(__VA_ARGS__)), &err)

static void says(const char *words)
{
	if (!strstr(err.text, words))
		fail_msg("\"%s\" has not \"%s\"", err.text, words);
}

static void test_set(void **state)
{
	const struct mw_profile *p;

	(void)state;
	assert_int_equal(SET("monitor", {"check_interval", "1s"}, {"max_history", "20"}), 0);
	assert_int_equal(cfg.monitor.check_interval_ns, 1000000000);
	assert_int_equal(cfg.monitor.max_history, 20);
	assert_int_equal(SET("class tool", {"max_heap", "60MB"}), 0);
	p = &mw_config_class(&cfg, "tool")->profile;
	assert_int_equal(p->max_bin_heap, 30000000);
	assert_int_equal(SET("class tool", {"max_heap", ""}), 0);
	p = &mw_config_class(&cfg, "tool")->profile;
	assert_int_equal(p->max_heap, 50000000);
	assert_int_equal(p->max_bin_heap, 25000000);
	assert_int_equal(SET("monitor", {"max_history", "default"}), 0);
	assert_int_equal(cfg.monitor.max_history, 10);
	assert_int_equal(SET("tree", {"budget", "3GB"}), 0);
	assert_int_equal(cfg.tree.budget, 3000000000ULL);
}

/* The order of two keys does not matter, and a given bound no longer follows. */
static void test_bin_heap(void **state)
{
	(void)state;
	assert_int_equal(SET("class context", {"max_bin_heap", "50MB"}, {"max_heap", "200MB"}), 0);
	assert_int_equal(mw_config_class(&cfg, "context")->profile.max_bin_heap, 50000000);
	assert_int_equal(SET("class context", {"max_heap", "40MB"}), -EINVAL);
	says("[class context] max_bin_heap: found \"50MB\", expected max, or at most max_heap = 40MB");
	assert_int_equal(mw_config_class(&cfg, "context")->profile.max_heap, 200000000);
	assert_int_equal(SET("class context", {"max_bin_heap", "auto"}, {"max_heap", "40MB"}), 0);
	assert_int_equal(mw_config_class(&cfg, "context")->profile.max_bin_heap, 20000000);
	assert_int_equal(SET("class context", {"max_bin_heap", "max"}, {"max_heap", "30MB"}), 0);
	assert_true(mw_config_class(&cfg, "context")->profile.max_bin_heap == MW_UNLIMITED);
	assert_int_equal(SET("class context", {"max_bin_heap", "default"}), 0);
	assert_int_equal(mw_config_class(&cfg, "context")->profile.max_bin_heap, 15000000);
}

static void test_all_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(SET("monitor", {"max_history", "20"}, {"check_interval", "never"}), -EINVAL);
	says("[monitor] check_interval: found \"never\", expected a time from 100ms to 1h");
	assert_int_equal(cfg.monitor.max_history, 10);
	assert_int_equal(SET("class node", {"policy", "strict"}), -EINVAL);
	says("[class node] max_heap: found nothing");
	assert_null(mw_config_class(&cfg, "node"));
	assert_int_equal(SET("worker w", {"max_heap", "1M"}, {"max_bin_heap", "2M"}), -EINVAL);
	assert_int_equal(cfg.n_worker_settings, 0);
}

static void test_new_class(void **state)
{
	const struct mw_class *cls;

	(void)state;
	assert_int_equal(SET("class node", {"share", "class"}, {"max_heap", "300MB"}), 0);
	cls = mw_config_class(&cfg, "node");
	assert_non_null(cls);
	assert_false(cls->builtin);
	assert_int_equal(cls->profile.max_bin_heap, 150000000);
	assert_true(cls->profile.hibernate_threshold == 0.8);
	assert_int_equal(SET("class node", {"max_heap", "default"}), -EINVAL);
	says("a class of your own needs one");
	assert_int_equal(SET("class node", {"share", "none"}), -EPERM);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(SET("tree", {"root", "/x"}), -EPERM);
	says("restart");
	assert_int_equal(SET("monitor", {"max_workers", "10"}), -EPERM);
	assert_int_equal(SET("montor", {"max_history", "5"}), -EINVAL);
	says("did you mean \"monitor\"");
	assert_int_equal(SET("class a\n[tree]", {"max_heap", "5M"}), -EINVAL);
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(SET("class daemon", {"max_heap", "5M"}), -EINVAL);
	assert_int_equal(SET("", {"max_heap", "5M"}), -EINVAL);
	assert_int_equal(SET("worker w", {"selectable", "yes"}), -EINVAL);
	says("belongs in [class NAME]");
	assert_int_equal(SET("class tool", {"max_heap", "5M\nlow = 0"}), -EINVAL);
	assert_int_equal(mw_config_set(&cfg, "class tool", KV({"max_heap", "x"}), 1, NULL), -EINVAL);
}

static void test_worker_settings(void **state)
{
	struct mw_profile p;

	(void)state;
	assert_int_equal(SET("worker w", {"max_heap", "70MB"}, {"low", "0"}), 0);
	assert_int_equal(SET("worker a", {"max_heap", "30MB"}), 0);
	assert_int_equal(SET("worker w", {"max_heap", "80MB"}), 0);
	assert_int_equal(cfg.n_worker_settings, 3);
	assert_int_equal(mw_config_worker_profile(&cfg, "tool", "w", &p, &err), 0);
	assert_int_equal(p.max_heap, 80000000);
	assert_int_equal(SET("worker w", {"max_heap", "default"}, {"low", ""}), 0);
	assert_int_equal(cfg.n_worker_settings, 1);
	assert_int_equal(mw_config_worker_profile(&cfg, "tool", "w", &p, &err), 0);
	assert_int_equal(p.max_heap, 50000000);
}

static void test_many_worker_settings(void **state)
{
	char target[32];

	(void)state;
	for (unsigned int i = 0; i < 300; i++) {
		snprintf(target, sizeof(target), "worker w%u", i * 7919 % 300);
		assert_int_equal(SET(target, {"max_heap", "30MB"}), 0);
	}
	assert_int_equal(cfg.n_worker_settings, 300);
	for (size_t i = 1; i < cfg.n_worker_settings; i++)
		assert_true(strcmp(cfg.worker_settings[i - 1].worker, cfg.worker_settings[i].worker) < 0);
	for (unsigned int i = 0; i < 300; i++) {
		snprintf(target, sizeof(target), "worker w%u", i);
		assert_int_equal(SET(target, {"max_heap", ""}), 0);
	}
	assert_int_equal(cfg.n_worker_settings, 0);
}

static void saved_is(const char *expected)
{
	char text[1024] = "";
	FILE *f = fopen(host_path(SAVED), "r");

	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	assert_int_equal(*text, '#');
	assert_string_equal(strchr(text, '\n') + 1, expected);
}

static void test_save(void **state)
{
	struct mw_config loaded;

	(void)state;
	assert_int_equal(SAVE("class tool", {"max_heap", "60MB"}), 0);
	saved_is("\n[class tool]\nmax_heap = 60MB\n");
	assert_int_equal(SAVE("monitor", {"max_history", "20"}), 0);
	assert_int_equal(SAVE("class tool", {"policy", "strict"}, {"max_heap", ""}), 0);
	assert_int_equal(SAVE("tree", {"state_dir", "/srv/memweir"}), 0);
	saved_is("\n[class tool]\nmax_heap = default\npolicy = strict\n\n[monitor]\nmax_history = 20\n"
		 "\n[tree]\nstate_dir = /srv/memweir\n");
	assert_int_equal(mw_config_load(prefix, NULL, &loaded, &err), 0);
	assert_int_equal(loaded.monitor.max_history, 20);
	assert_int_equal(mw_config_class(&loaded, "tool")->profile.policy, MW_POLICY_STRICT);
	mw_config_free(&loaded);
}

static void test_save_refuses(void **state)
{
	static char path[256] = "/";

	(void)state;
	assert_int_equal(SAVE("class tool", {"max_heap", "60MB\n[tree]"}), -EINVAL);
	assert_int_equal(SAVE("class tool", {"max_hep", "60MB"}), -EINVAL);
	assert_int_equal(SAVE("class to]ol", {"max_heap", "60MB"}), -EINVAL);
	memset(path + 1, 'x', 220);
	assert_int_equal(SAVE("tree", {"state_dir", path}), -EINVAL); /* no line can hold it */
	says("at most 199 bytes");
	assert_int_equal(access(host_path(SAVED), F_OK), -1);
	put(SAVED, "[monitor]\nmax_histry = 5\n");
	assert_int_equal(SAVE("class tool", {"max_heap", "60MB"}), -EINVAL);
	says("90-set.conf:2: [monitor] max_histry");
}

#define RULE(name) "\n[rule " name "]\nclass = tool\nimage = " name "\n"

static void test_remove(void **state)
{
	(void)state;
	assert_int_equal(mw_config_remove(&cfg, "rule web", &err), -ENOENT);
	says("rule \"web\" is unknown; known: none");
	assert_int_equal(SET("rule a", {"class", "tool"}, {"image", "a"}), 0);
	assert_int_equal(SET("rule web", {"class", "tool"}, {"image", "w"}), 0);
	assert_int_equal(SET("rule z", {"class", "none"}, {"image", "z"}), 0);
	assert_int_equal(mw_config_remove(&cfg, "rule wep", &err), -ENOENT);
	says("rule \"wep\" is unknown (did you mean \"web\"?); known: a, web, z");
	assert_int_equal(mw_config_remove(&cfg, "class tool", &err), -EINVAL);
	says("only a rule can be removed");
	assert_int_equal(mw_config_remove(&cfg, "rule a\nb", &err), -EINVAL);
	assert_null(strchr(err.text, '\n'));
	assert_int_equal(mw_config_remove(&cfg, "", &err), -EINVAL);
	assert_int_equal(cfg.n_rules, 3);
	assert_int_equal(mw_config_remove(&cfg, "rule web", &err), 0);
	assert_null(mw_config_rule(&cfg, "rule web"));
	assert_string_equal(mw_config_rule(&cfg, "rule z")->image, "z");
	assert_int_equal(mw_config_remove(&cfg, "rule z", &err), 0);
	assert_int_equal(mw_config_remove(&cfg, "rule a", &err), 0);
	assert_int_equal(cfg.n_rules, 0);
	assert_int_equal(SET("rule web", {"class", "generic"}, {"pod", "p"}),
			 0); /* there is room again, and nothing is left */
	assert_string_equal(mw_config_rule(&cfg, "rule  web")->image, "");
	assert_null(mw_config_rule(&cfg, "class web"));
}

/* A hundred long names: the sentence has an end, and the nearest is found wherever it stands. */
static void test_remove_among_many(void **state)
{
	char target[80];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(target, sizeof(target), "rule a-long-name-of-somebody-who-has-many-of-them-%d", i);
		assert_int_equal(SET(target, {"class", "tool"}, {"image", "a"}), 0);
	}
	assert_int_equal(SET("rule last", {"class", "tool"}, {"image", "a"}), 0);
	assert_int_equal(mw_config_remove(&cfg, "rule lost", &err), -ENOENT);
	says("did you mean \"last\"?");
	says("-0, ");
	assert_string_equal(err.text + strlen(err.text) - 5, ", ...");
}

static void test_unsave(void **state)
{
	(void)state;
	assert_int_equal(mw_config_unsave(prefix, "rule web", &err), 0); /* no file: none is made */
	assert_int_equal(access(host_path(SAVED), F_OK), -1);
	assert_int_equal(SAVE("rule web", {"class", "tool"}, {"image", "web"}), 0);
	assert_int_equal(SAVE("monitor", {"max_history", "20"}), 0);
	assert_int_equal(SAVE("rule b", {"class", "tool"}, {"image", "b"}), 0);
	assert_int_equal(SAVE("rule web", {"priority", "3"}), 0);
	assert_int_equal(mw_config_unsave(prefix, "rule we", &err), 0);
	assert_int_equal(mw_config_unsave(prefix, "rule web", &err), 0);
	saved_is("\n[monitor]\nmax_history = 20\n" RULE("b"));
	assert_int_equal(mw_config_unsave(prefix, "rule b", &err), 0);
	assert_int_equal(mw_config_unsave(prefix, "monitor", &err), 0);
	saved_is("");
	assert_int_equal(mw_config_unsave(prefix, "rul b", &err), -EINVAL);
	put(SAVED, "[monitor]\nmax_histry = 5\n");
	assert_int_equal(mw_config_unsave(prefix, "rule b", &err), -EINVAL);
	says("90-set.conf:2: [monitor] max_histry");
}

/* Whose is a rule to take out of the files? */
static void test_written_by_hand(void **state)
{
	const struct mw_rule *r;
	struct mw_config loaded;

	(void)state;
	put("/etc/memweir/memweir.conf", RULE("main") RULE("both"));
	put("/etc/memweir/memweir.conf.d/50-x.conf", "[rule saved]\npriority = 2\n");
	put("/usr/lib/memweir/memweir.conf.d/90-set.conf.conf", RULE("odd"));
	assert_int_equal(SAVE("rule saved", {"class", "tool"}, {"image", "saved"}), 0);
	assert_int_equal(SAVE("rule both", {"class", "generic"}), 0);
	assert_int_equal(SAVE("rule own", {"class", "generic"}, {"pod", "x"}), 0);
	assert_int_equal(mw_config_load(prefix, NULL, &loaded, &err), 0);
	r = mw_config_rule(&loaded, "rule both");
	assert_non_null(strstr(r->file, "90-set.conf"));
	assert_non_null(strstr(r->hand_file, "/etc/memweir/memweir.conf"));
	assert_int_equal(r->hand_line, 6);
	assert_non_null(strstr(mw_config_rule(&loaded, "rule saved")->hand_file, "50-x.conf"));
	assert_non_null(strstr(mw_config_rule(&loaded, "rule odd")->hand_file, "90-set.conf.conf"));
	assert_string_equal(mw_config_rule(&loaded, "rule own")->hand_file, "");
	mw_config_free(&loaded);
}

/* A disk that takes no more: the old file stays as it was, and no other is left. */
static void test_save_full_disk(void **state)
{
	struct rlimit before;
	char dir[512];
	int r;

	(void)state;
	assert_int_equal(SAVE("monitor", {"max_history", "20"}), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, before.rlim_max}), 0);
	r = SAVE("monitor", {"max_history", "30"});
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(r, -EFBIG);
	says("90-set.conf: cannot write: File too large");
	saved_is("\n[monitor]\nmax_history = 20\n");
	strcpy(dir, host_path(SAVED));
	assert_int_equal(unlink(dir), 0);
	*strrchr(dir, '/') = '\0';
	assert_int_equal(rmdir(dir), 0); /* nothing but the file was there */
	put("/etc/memweir/memweir.conf.d", "a file where the directory should be");
	assert_int_equal(SAVE("monitor", {"max_history", "30"}), -ENOTDIR);
}

#define CLEAN(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CLEAN(test_set),
		CLEAN(test_bin_heap),
		CLEAN(test_all_or_nothing),
		CLEAN(test_new_class),
		CLEAN(test_refused),
		CLEAN(test_worker_settings),
		CLEAN(test_save),
		CLEAN(test_save_refuses),
		CLEAN(test_save_full_disk),
		CLEAN(test_remove),
		CLEAN(test_remove_among_many),
		CLEAN(test_unsave),
		CLEAN(test_written_by_hand),
		CLEAN(test_many_worker_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
