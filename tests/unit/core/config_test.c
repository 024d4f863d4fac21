/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Reading files: what is understood, what is refused and in which words. */
#include "../unit.h"
#include "config_tree.h"

#include "util/cleanup.h"

#define MAIN  "/etc/memweir/memweir.conf"
#define ETC_D "/etc/memweir/memweir.conf.d/"
#define LIB_D "/usr/lib/memweir/memweir.conf.d/"
#define RUN_D "/run/memweir/memweir.conf.d/"

static struct mw_config load_ok(void)
{
	struct mw_config cfg = {0};
	struct mw_error err = {""};

	if (mw_config_load(prefix, NULL, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	return cfg;
}

/* Loading fails with code and a sentence that contains every one of the words; nothing is changed. */
static void load_fails(int code, const char *a, const char *b)
{
	struct mw_config cfg, untouched;
	struct mw_error err = {""};
	int r;

	memset(&cfg, 0x5a, sizeof(cfg));
	memset(&untouched, 0x5a, sizeof(untouched));
	r = mw_config_load(prefix, NULL, &cfg, &err);
	if (r != code || !strstr(err.text, a) || !strstr(err.text, b))
		fail_msg("%d, \"%s\" has not \"%s\" and \"%s\"", r, err.text, a, b);
	assert_null(strchr(err.text, '\n'));
	assert_memory_equal(&cfg, &untouched, sizeof(cfg));
	assert_int_equal(mw_config_load(prefix, NULL, &cfg, NULL), code);
}

static void test_nothing_there(void **state)
{
	struct mw_config cfg = load_ok();

	(void)state;
	assert_int_equal(cfg.n_classes, 4);
	assert_int_equal(cfg.monitor.check_interval_ns, 5000000000ULL);
	assert_int_equal(cfg.monitor.sample_interval_ns, 500000000ULL);
	assert_true(cfg.monitor.alert_threshold == 0.85);
	assert_false(cfg.monitor.enable_hibernation);
	assert_int_equal(cfg.monitor.max_history, 10);
	assert_int_equal(cfg.monitor.near_high, 4 << 20);
	assert_string_equal(cfg.tree.root, "");
	assert_true(cfg.tree.budget == MW_UNLIMITED);
	assert_string_equal(cfg.tree.state_dir, "/var/lib/memweir");
	mw_config_free(&cfg);
	mw_config_free(&cfg);
	mw_config_free(NULL);
}

static void test_every_kind_of_value(void **state)
{
	const struct mw_profile *p;
	struct mw_config cfg;

	(void)state;
	put(MAIN,
	    "\xef\xbb\xbf[monitor] ; BOM, comment, CRLF\r\n"
	    "check_interval = 2 s ; behind a value\r\n"
	    "  alert_threshold : 70%\r\n"
	    "enable_hibernation=on\r\n"
	    "\r\n"
	    "# a comment of any length xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"
	    "[ class \t big ]\r\n"
	    "max_heap = 1.5G\r\n"
	    "swap_max = 0\r\n"
	    "policy = strict\r\n"
	    "share = class\r\n"
	    "thp = off\r\n"
	    "pause_budget = none\r\n"
	    "heap_sample = yes\r\n"
	    "[tree]\r\n"
	    "root = /guarded/by/memweir\r\n"
	    "budget = 3GB"); /* no newline at the end */
	cfg = load_ok();
	p = &mw_config_class(&cfg, "big")->profile;
	assert_int_equal(cfg.monitor.check_interval_ns, 2000000000ULL);
	assert_true(cfg.monitor.alert_threshold == 0.7);
	assert_true(cfg.monitor.enable_hibernation);
	assert_int_equal(p->max_heap, 1610612736);
	assert_int_equal(p->max_bin_heap, 1610612736 / 2);
	assert_int_equal(p->swap_max, 0);
	assert_int_equal(p->policy, MW_POLICY_STRICT);
	assert_int_equal(p->thp, MW_THP_OFF);
	assert_true(p->share && !p->selectable && !mw_config_class(&cfg, "big")->builtin);
	assert_int_equal(p->pause_budget_ns, 0);
	assert_int_equal(p->heap_sample, 524288);
	assert_string_equal(cfg.tree.root, "/guarded/by/memweir");
	assert_int_equal(cfg.tree.budget, 3000000000ULL);
	mw_config_free(&cfg);
}

/* inih keeps 49 bytes of a section's name; a class may have 63. */
static void test_long_section_name(void **state)
{
	static const char name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	char text[256];
	struct mw_config cfg;

	(void)state;
	snprintf(text, sizeof(text), "[class %s]\nmax_heap=30M\n[class %.62s]\nmax_heap=40M\n", name, name);
	put(MAIN, text);
	cfg = load_ok();
	assert_int_equal(mw_config_class(&cfg, name)->profile.max_heap, 30 << 20);
	assert_int_equal(cfg.n_classes, 6);
	mw_config_free(&cfg);
}

static void test_wrong_lines(void **state)
{
	static const struct {
		const char *text, *a, *b;
	} cases[] = {
		{"[monitor]\nmax_history = many\n", "memweir.conf:2: [monitor] max_history: found \"many\"",
		 "3 to 1000"},
		{"[monitor]\nmax_history = 2\n", "found \"2\"", "expected a number"},
		{"[monitor]\nmax_history = 4294967299\n", "found \"4294967299\"", "expected"},
		{"[monitor]\nalert_threshold = 1.1\n", ":2: [monitor] alert_threshold", "from 0.1 to 1"},
		{"[monitor]\ncheck_interval = 1ms\n", "found \"1ms\"", "100ms to 1h"},
		{"[monitor]\nchek_interval = 1s\n", "chek_interval", "did you mean \"check_interval\""},
		{"[class tool]\nheap_sample = often\n", ":2: [class tool] heap_sample: found \"often\"",
		 "expected yes, no or a size from 1KiB to 1GiB"},
		{"[class tool]\nheap_sample = 100\n", "found \"100\"", "from 1KiB"},
		{"[monitor]\nzzz = 1s\n", "[monitor] zzz", "expected a key of [monitor]"},
		{"[worker w]\nbudget = 1G\n", "[worker w] budget", "belongs in [class NAME]"},
		{"[tree]\nmax_heap = 1G\n", "[tree] max_heap", "belongs in [class NAME]"},
		{"[moniter]\n", ":1: found \"moniter\"", "did you mean \"monitor\""},
		{"[tool]\n", "found \"tool\"", "did you mean \"class tool\""},
		{"[quux]\n", "found \"quux\"", "worker NAME"},
		{"[http]\nlisten = 0.0.0.0:9757\n", "found \"0.0.0.0:9757\"", "ssh -L"},
		{"[http]\nlisten = 127.0.0.1\n", "[http] listen", "127.0.0.1:PORT, [::1]:PORT or none"},
		{"[http]\nport = 9757\n", "port", "a key of [http]"},
		{"[http x]\n", "found \"http x\"", "tree, http"},
		{"[monitor x]\n", "found \"monitor x\"", "monitor, tree"},
		{"[class]\n", "[class]: found \"\"", "a name"},
		{"[class cgroup.x]\n", "found \"cgroup.x\"", "cgroup.*"},
		{"[class a b]\n", "found \"a b\"", "a name"},
		{"max_history = 5\n[monitor]\n", ":1: max_history", "[SECTION] before the first key"},
		{"[monitor]\nmax_history\n", ":2: found \"max_history\"", "KEY = VALUE"},
		{"[monitor]\nmax_history", ":2: found \"max_history\"", "KEY = VALUE"},
		{"[monitor\nmax_history = 5\n", ":1: found \"[monitor\"", "a ]"},
		{"[monitor] max_history = 5\n", ":1: ", "nothing after [SECTION]"},
		{"[monitor]\nmax_history = 5\n[tree]\n[monitor]\nmax_history = 6\n", ":5: [monitor] max_history",
		 "once"},
		{"[monitor]\nmax_history = 5\n 6\n", ":3: found \"6\"", "KEY = VALUE"},
		{"[tree]\nroot = memweir\n", "found \"memweir\"", "absolute path"},
		{"[tree]\nroot = /a/../b\n", "root", "absolute path"},
		{"[tree]\nroot = /\n", "root", "absolute path"},
		{"[otlp]\nendpoint = collector:4317\n", "[otlp] endpoint: found \"collector:4317\"",
		 "http://HOST:PORT or https://HOST:PORT"},
		{"[otlp]\nendpoint = http://\n", "found \"http://\"", "http://HOST:PORT"},
		{"[otlp]\nendpoint = http://c/ x\n", "found \"http://c/ x\"", "http://HOST:PORT"},
		{"[class tool]\npolicy = lax\n", "found \"lax\"", "observe, protect or strict"},
		{"[class tool]\nmax_heap = 5MB # big\n", "found \"5MB # big\"", "a size"},
		{"[class tool]\nlow = max\n", "found \"max\"", "a size"},
		{"[class tool]\nthp = maybe\n\x01\x02\xff", "found \"maybe\"", "auto, on or off"},
		{"\x7f"
		 "ELF\x02\x01\x01\n",
		 ":1: found \"\\x7fELF\\x02\\x01\\x01\"", "KEY = VALUE"},
		{"[worker w]\nmax_heap = 12Q\n", "[worker w] max_heap: found \"12Q\"", "a size"},
		/* what only the whole shows */
		{"[class own]\npolicy = strict\n", "[class own] max_heap: found nothing", "needs one"},
		{"[class own]\n", "[class own] max_heap", "needs one"},
		{"[class tool]\nmax_bin_heap = 60MB\n", "[class tool] max_bin_heap: found \"60MB\"", "max_heap = 50MB"},
		{"[class tool]\nlow = 45MB\n", "[class tool] low: found \"45MB\"", "42500KB"},
		{"[class tool]\nbudget = 40MB\n", "[class tool] budget: found \"40MB\"", "max_heap = 50MB"},
		{"[tree]\nbudget = 19MB\n", "[tree] budget: found \"19MB\"", "smallest class = 20MB"},
		{"[monitor]\nsample_interval = 10s\n", "[monitor] sample_interval: found \"10s\"",
		 "check_interval = 5s"},
		{"[worker w]\nmax_heap = 2M\nmax_bin_heap = 3M\n", "[worker w] max_bin_heap: found \"3MiB\"", "2MiB"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put(MAIN, cases[i].text);
		load_fails(-EINVAL, cases[i].a, cases[i].b);
	}
}

static void test_hostile_files(void **state)
{
	static char big[(1 << 20) + 2];
	static const char nul[] = "[monitor]\nmax_history = 5\0[tree]\n";

	(void)state;
	put_bytes(MAIN, nul, sizeof(nul) - 1);
	load_fails(-EINVAL, ":2: found \"max_history = 5\"", "NUL");
	memset(big, 'x', sizeof(big));
	put_bytes(MAIN, big, 5000);
	load_fails(-EINVAL, ":1: found \"xxx", "at most 199 bytes");
	put_bytes(MAIN, big, sizeof(big));
	load_fails(-E2BIG, "memweir.conf", "1 MiB");
	memset(big, '\n', sizeof(big));
	put_bytes(MAIN, big, sizeof(big) - 2);
	struct mw_config cfg = load_ok();
	mw_config_free(&cfg);
}

static void test_not_a_file(void **state)
{
	char path[512];

	(void)state;
	strcpy(path, host_path(MAIN));
	assert_int_equal(mkdir(path, 0755), 0);
	load_fails(-EISDIR, "memweir.conf", "not a file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	load_fails(-EINVAL, "memweir.conf", "not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("memweir.conf", path), 0);
	load_fails(-ELOOP, "memweir.conf", "cannot open");
	assert_int_equal(unlink(path), 0);
}

static void test_unreadable(void **state)
{
	(void)state;
	if (geteuid() == 0) {
		print_message("skipped: root reads every file\n");
		skip();
	}
	put(MAIN, "[monitor]\n");
	assert_int_equal(chmod(host_path(MAIN), 0), 0);
	load_fails(-EACCES, "memweir.conf", "cannot open");
}

static __u32 history(void)
{
	struct mw_config cfg = load_ok();
	__u32 value = cfg.monitor.max_history;

	mw_config_free(&cfg);
	return value;
}

static void test_dropins(void **state)
{
	char path[512];

	(void)state;
	put("/usr/lib/memweir/memweir.conf", "[monitor]\nmax_history = 20\nmax_incidents = 7\n");
	assert_int_equal(history(), 20);
	put(MAIN, "[monitor]\nmax_history = 30\n");
	assert_int_equal(history(), 30);
	put(LIB_D "50-a.conf", "[monitor]\nmax_history = 40\n");
	put(ETC_D "20-b.conf", "[monitor]\nmax_history = 50\n");
	assert_int_equal(history(), 40); /* sorted by name, whatever the directory */
	put(RUN_D "50-a.conf", "[monitor]\nmax_history = 60\n");
	assert_int_equal(history(), 60);
	put(ETC_D "50-a.conf", ""); /* masks both */
	assert_int_equal(history(), 50);
	strcpy(path, host_path(ETC_D "50-a.conf"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(history(), 50);
	put(ETC_D "99-x.conf.bak", "rubbish");
	put(ETC_D ".99-hidden.conf", "rubbish");
	put(ETC_D ".conf", "rubbish");
	assert_int_equal(history(), 50);
	put(ETC_D "60-back.conf", "[monitor]\nmax_history = default\nmax_incidents =\n");
	assert_int_equal(history(), 10);
	put(ETC_D "70\n-odd.conf", "[monitor]\nmax_history = 0\n");
	load_fails(-EINVAL, "70\\x0a-odd.conf:2: [monitor] max_history", "expected");
}

static void test_dangling_dropin(void **state)
{
	(void)state;
	assert_int_equal(symlink("/nowhere/at/all", host_path(ETC_D "10-gone.conf")), 0);
	load_fails(-ENOENT, "10-gone.conf", "cannot open");
}

static void test_main_file(void **state)
{
	struct mw_config cfg = {0};
	struct mw_error err;
	char other[512];

	(void)state;
	put(MAIN, "rubbish");
	strcpy(other, host_path("/other.conf"));
	assert_int_equal(mw_config_load(prefix, other, &cfg, &err), -ENOENT);
	assert_non_null(strstr(err.text, "other.conf: cannot open"));
	put("/other.conf", "[monitor]\nmax_history = 33\n");
	put(ETC_D "10.conf", "[monitor]\nmax_incidents = 44\n");
	assert_int_equal(mw_config_load(prefix, other, &cfg, &err), 0);
	assert_int_equal(cfg.monitor.max_history, 33);
	assert_int_equal(cfg.monitor.max_incidents, 44);
	mw_config_free(&cfg);
}

static void test_worker_profile(void **state)
{
	struct mw_config cfg;
	struct mw_profile p = {.max_heap = 7};
	struct mw_error err;

	(void)state;
	put(MAIN, "[worker w2]\nmax_heap = 200MB\npolicy = strict\n[worker w1]\nlow = 0\n"
		  "[worker tight]\nmax_heap = 8MB\n[class tool]\nmax_bin_heap = 20MB\n");
	put(ETC_D "10.conf", "[worker w2]\npolicy = default\nswap_max = 1MB\n");
	cfg = load_ok();
	assert_int_equal(cfg.n_worker_settings, 4);
	assert_int_equal(mw_config_worker_profile(&cfg, "context", "w2", &p, &err), 0);
	assert_int_equal(p.max_heap, 200000000);
	assert_int_equal(p.max_bin_heap, 100000000); /* follows */
	assert_int_equal(p.swap_max, 1000000);
	assert_int_equal(p.policy, MW_POLICY_PROTECT);
	assert_int_equal(mw_config_worker_profile(&cfg, "generic", "stranger", &p, &err), 0);
	assert_int_equal(p.max_heap, 20000000);
	assert_int_equal(mw_config_worker_profile(&cfg, "tool", "w1", &p, &err), 0);
	assert_int_equal(mw_profile_limits(&p).low, 0);
	p.max_heap = 7;
	assert_int_equal(mw_config_worker_profile(&cfg, "tool", "tight", &p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "[worker tight] max_bin_heap: found \"20MB\""));
	assert_int_equal(mw_config_worker_profile(&cfg, "contxt", "w", &p, &err), -ENOENT);
	assert_non_null(strstr(err.text, "did you mean \"context\""));
	assert_non_null(strstr(err.text, "context, tool, transport, generic"));
	assert_int_equal(p.max_heap, 7);
	mw_config_free(&cfg);
}

#define WITH_PREFIX(f) cmocka_unit_test_setup_teardown(f, make_prefix, remove_prefix)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH_PREFIX(test_nothing_there),     WITH_PREFIX(test_every_kind_of_value),
		WITH_PREFIX(test_long_section_name), WITH_PREFIX(test_wrong_lines),
		WITH_PREFIX(test_hostile_files),     WITH_PREFIX(test_not_a_file),
		WITH_PREFIX(test_dropins),	     WITH_PREFIX(test_dangling_dropin),
		WITH_PREFIX(test_main_file),	     WITH_PREFIX(test_worker_profile),
		WITH_PREFIX(test_unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
