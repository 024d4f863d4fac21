/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "../unit.h"

#include "report/json.h"
#include "report/pause.h"
#include "report/json_out.h"
#include "util/clock.h"

#define WALL (1795291501ULL * MW_NS_PER_S + 123 * MW_NS_PER_MS) /* 2026-11-21T20:05:01.123Z */

static char path[] = "/memweir/tool/web-7";

static struct mw_worker worker(void)
{
	return (struct mw_worker){
		.name = "web-7",
		.class_name = "tool",
		.cgroup = path,
		.cgroup_id = 18446744073709551614ULL,
		.profile = {.policy = MW_POLICY_STRICT,
			    .max_heap = 50000000,
			    .max_bin_heap = MW_UNLIMITED,
			    .hibernate_threshold = 0.85},
		.command = "node a.js",
		.main_pid = 42,
		.started_wall_ns = WALL,
		.peak = 77,
		.usage = {.time_ns = 10 * MW_NS_PER_S,
			  .current = 9007199254740993ULL,
			  .heap = 5,
			  .bin = 6,
			  .max = 100,
			  .high = MW_UNLIMITED},
		.check = {.status = MW_STATUS_WARNING, .percent = 76.54321},
		.trend = {.verdict = MW_GROWING,
			  .rate_bytes_per_s = 1234567.89,
			  .time_to_limit_s = 33.333,
			  .onset_ns = 5 * MW_NS_PER_S,
			  .confidence = 0.79876,
			  .evidence = "rises"},
		.squeeze = {.lifted = true},
	};
}

/* The member names in order, "a b c". */
static const char *keys(struct json_object *obj)
{
	static char text[1024];
	size_t used = 0;

	text[0] = 0;
	json_object_object_foreach (obj, key, value) {
		(void)value;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "", key);
	}
	return text;
}

static const char *text_of(struct json_object *obj)
{
	return json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static const char *member(struct json_object *obj, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(obj, key, &value));
	return value ? text_of(value) : "null";
}

static void document_and_time(void **state)
{
	struct json_object *doc = mw_json_document(WALL);
	char text[40];

	(void)state;
	assert_string_equal(text_of(doc), "{\"schema\":1,\"timestamp\":\"2026-11-21T20:05:01.123Z\"}");
	json_object_put(doc);
	assert_string_equal(mw_json_time(0, text, sizeof(text)), "1970-01-01T00:00:00.000Z");
	assert_string_equal(mw_json_time(951827696999999999ULL, text, sizeof(text)), "2000-02-29T12:34:56.999Z");
}

static void worker_object(void **state)
{
	struct mw_worker w = worker();
	struct json_object *o = mw_json_worker(&w);

	(void)state;
	assert_string_equal(text_of(o), "{\"name\":\"web-7\",\"class\":\"tool\",\"cgroup\":\"/memweir/tool/web-7\","
					"\"cgroup_id\":18446744073709551614,\"uid\":0}");
	json_object_put(o);
}

static void ps_object(void **state)
{
	struct mw_worker w = worker();
	struct json_object *o = mw_json_ps(&w, 3, MW_UNLIMITED, 10 * MW_NS_PER_S + 250 * MW_NS_PER_MS);

	(void)state;
	assert_string_equal(keys(o),
			    "name class cgroup cgroup_id uid pids owner unit policy class_from rule usage_bytes "
			    "heap_bytes bin_bytes "
			    "max_bytes high_bytes percent status level verdict sample_age_ms peak_bytes main_pid "
			    "command started restarts lifted frozen frozen_by hibernated effective_low_bytes "
			    "paced_reclaims paced_bytes paced_ns "
			    "reclaims_per_min stalled_share conflicts limits_failed not_in_force worst_pause_ns "
			    "max_heap_bytes max_bin_heap_bytes hibernate_threshold figures");
	assert_string_equal(member(o, "usage_bytes"), "9007199254740993"); /* past 2^53 */
	assert_string_equal(member(o, "max_bytes"), "100");
	assert_string_equal(member(o, "high_bytes"), "null");
	assert_string_equal(member(o, "percent"), "76.54");
	assert_string_equal(member(o, "policy"), "\"strict\"");
	assert_string_equal(member(o, "owner"), "\"own\"");
	assert_string_equal(member(o, "status"), "\"warning\"");
	assert_string_equal(member(o, "verdict"), "\"growing\"");
	assert_string_equal(member(o, "sample_age_ms"), "250");
	assert_string_equal(member(o, "pids"), "3");
	assert_string_equal(member(o, "main_pid"), "42");
	assert_string_equal(member(o, "started"), "\"2026-11-21T20:05:01.123Z\"");
	assert_string_equal(member(o, "lifted"), "true");
	assert_string_equal(member(o, "frozen"), "false");
	assert_string_equal(member(o, "frozen_by"), "null");
	assert_string_equal(member(o, "effective_low_bytes"), "null");
	assert_string_equal(member(o, "unit"), "null");
	assert_string_equal(member(o, "conflicts"), "{\"count\":0,\"repairs\":0}");
	assert_string_equal(member(o, "not_in_force"), "null");
	assert_string_equal(member(o, "max_heap_bytes"), "50000000");
	assert_string_equal(member(o, "max_bin_heap_bytes"), "null");
	assert_string_equal(member(o, "hibernate_threshold"), "0.85");
	json_object_put(o);
	w.unit = &(struct mw_unit){.name = "web.service"};
	w.hold = (struct mw_hold){.conflicts = 2,
				  .repairs = 1,
				  .what = MW_LIMIT_HIGH,
				  .found = 7,
				  .by = "runc",
				  .by_pid = 5,
				  .last_ns = 10 * MW_NS_PER_S};
	mw_unmet_failed(&w.unmet, 7, -EBUSY, 10 * MW_NS_PER_S);
	mw_unmet_failed(&w.unmet, 7, -EBUSY, 10 * MW_NS_PER_S);
	o = mw_json_ps(&w, 3, MW_UNLIMITED, 11 * MW_NS_PER_S);
	assert_string_equal(member(o, "limits_failed"), "2");
	assert_string_equal(member(o, "not_in_force"),
			    "{\"max_bytes\":7,\"why\":\"more is in use, and the kernel cannot reclaim it\",\"tries\":2,"
			    "\"since_ms\":1000,\"next_ms\":1000}");
	assert_string_equal(member(o, "unit"), "\"web.service\"");
	assert_string_equal(member(o, "conflicts"),
			    "{\"count\":2,\"repairs\":1,\"file\":\"memory.high\",\"found_bytes\":7,"
			    "\"by\":\"runc\",\"by_pid\":5,\"ago_ms\":1000}");
	json_object_put(o);
}

static void ladder_list(void **state)
{
	struct mw_worker w = worker();
	struct mw_ladder ladder = {0};
	struct json_object *list = mw_json_ladder(&w);

	(void)state;
	assert_string_equal(text_of(list), "[]");
	json_object_put(list);
	w.ladder = &ladder;
	mw_ladder_begin(w.ladder, (struct mw_step){.rung = MW_RUNG_NOTIFY,
						   .heard = true,
						   .level = MW_LEVEL_HIBERNATE,
						   .wall_ns = WALL,
						   .began_ns = MW_NS_PER_S,
						   .before = 45});
	mw_ladder_end(w.ladder, MW_RUNG_NOTIFY, 40, MW_LEVEL_WARNING, 3 * MW_NS_PER_S);
	mw_ladder_begin(w.ladder, (struct mw_step){.rung = MW_RUNG_KILL, .wall_ns = WALL, .before = 50});
	list = mw_json_ladder(&w);
	assert_string_equal(text_of(list),
			    "[{\"rung\":\"notify\",\"heard\":true,\"time\":\"2026-11-21T20:05:01.123Z\",\"level\":"
			    "\"hibernate-now\",\"before_bytes\":45,\"after_bytes\":40,\"took_ms\":2000,"
			    "\"level_after\":\"warning\",\"fell\":true},{\"rung\":\"kill\",\"heard\":null,"
			    "\"time\":\"2026-11-21T20:05:01.123Z\",\"level\":\"ok\",\"before_bytes\":50,"
			    "\"after_bytes\":null,\"took_ms\":null,\"level_after\":null,\"fell\":null}]");
	json_object_put(list);
}

static void level_object(void **state)
{
	struct mw_worker w = worker();
	struct json_object *o;

	(void)state;
	w.level = MW_LEVEL_HIBERNATE;
	w.profile.max_heap = 50;
	w.limits.high = MW_UNLIMITED;
	o = mw_json_brief(&w);
	assert_string_equal(keys(o),
			    "name class cgroup_id usage_bytes heap_bytes bin_bytes max_bytes high_bytes "
			    "max_heap_bytes hibernate_threshold percent level verdict lifted frozen hibernated");
	json_object_put(o);
	o = mw_json_level(&w);
	assert_string_equal(keys(o), "name class cgroup cgroup_id uid level percent max_bytes high_bytes usage_bytes "
				     "heap_bytes bin_bytes lifted time_to_limit_s");
	assert_string_equal(member(o, "level"), "\"hibernate-now\"");
	assert_string_equal(member(o, "max_bytes"), "50");
	assert_string_equal(member(o, "high_bytes"), "null");
	assert_string_equal(member(o, "time_to_limit_s"), "33.3");
	json_object_put(o);
	w.trend.time_to_limit_s = -1;
	o = mw_json_level(&w);
	assert_string_equal(member(o, "time_to_limit_s"), "null");
	json_object_put(o);
}

static void ps_of_an_unseen_worker(void **state)
{
	struct mw_worker w = {.name = "new", .class_name = "tool", .limits = {.max = 50, .high = 42}};
	struct json_object *o = mw_json_ps(&w, -1, 7, 1);

	(void)state;
	assert_string_equal(member(o, "pids"), "null");
	assert_string_equal(member(o, "main_pid"), "null");
	assert_string_equal(member(o, "sample_age_ms"), "null");
	assert_string_equal(member(o, "started"), "null");
	assert_string_equal(member(o, "max_bytes"), "50");
	assert_string_equal(member(o, "high_bytes"), "42");
	assert_string_equal(member(o, "effective_low_bytes"), "7");
	assert_string_equal(member(o, "percent"), "0.0");
	json_object_put(o);
}

static void check_object(void **state)
{
	struct mw_worker w = worker();
	struct json_object *o = mw_json_check(&w);

	(void)state;
	assert_string_equal(keys(o),
			    "name class cgroup cgroup_id uid heap_bytes bin_bytes percent status over_bin hibernate");
	json_object_put(o);
}

static void leak_object(void **state)
{
	struct mw_worker w = worker();
	struct json_object *o;

	(void)state;
	w.trend.window_ns = 45 * MW_NS_PER_S;
	w.trend.soonest_s = 30;
	w.trend.latest_s = -1;
	snprintf(w.trend.against, sizeof(w.trend.against), "a cache looks the same");
	o = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	assert_string_equal(
		keys(o), "name class cgroup cgroup_id uid verdict rate_bytes_per_s onset window_s "
			 "time_to_limit_s time_to_limit_low_s time_to_limit_high_s confidence evidence against account "
			 "sites lines sites_left_out_bytes");
	assert_string_equal(member(o, "rate_bytes_per_s"), "1234567.9");
	assert_string_equal(member(o, "onset"), "\"2026-11-21T20:04:56.123Z\"");
	assert_string_equal(member(o, "time_to_limit_s"), "33.3");
	assert_string_equal(member(o, "confidence"), "0.799");
	assert_string_equal(member(o, "evidence"), "[\"rises\"]");
	assert_string_equal(member(o, "sites"), "[]");
	assert_string_equal(member(o, "sites_left_out_bytes"), "null");
	assert_string_equal(member(o, "window_s"), "45");
	assert_string_equal(member(o, "time_to_limit_low_s"), "30.0");
	assert_string_equal(member(o, "time_to_limit_high_s"), "null");
	assert_string_equal(member(o, "against"), "[\"a cache looks the same\"]");
	json_object_put(o);
	w.trend.verdict = MW_LEAK;
	w.siblings = 5;
	o = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	assert_string_equal(member(o, "evidence"), "[\"rises\",\"of 5 others of its class 0 grow\"]");
	json_object_put(o);
	w.siblings_growing = 4;
	o = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	assert_string_equal(member(o, "evidence"), "[\"rises\"]");
	assert_non_null(strstr(member(o, "against"), "of 5 others of its class 4 grow: the load, or the code"));
	json_object_put(o);
	w.trend = (struct mw_trend){.time_to_limit_s = -1};
	o = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	assert_string_equal(member(o, "onset"), "null");
	assert_string_equal(member(o, "time_to_limit_s"), "null");
	assert_string_equal(member(o, "evidence"), "[]");
	json_object_put(o);
}

static void account_object(void **state)
{
	struct mw_sites sites = {.account = {.known = true}};
	struct mw_account *a = &sites.account;
	struct mw_worker w = worker();
	struct json_object *o;

	(void)state;
	o = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	assert_string_equal(member(o, "account"), "null");
	json_object_put(o);
	w.sites = &sites;
	o = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	assert_string_equal(member(o, "account"),
			    "{\"charged\":null,\"used\":null,\"kernel\":null,\"descriptors\":null,\"sampled\":null}");
	json_object_put(o);
	a->charged_known = a->used_known = a->files_known = a->sampled_known = true;
	a->slab = 40;
	a->page_tables = 7;
	a->stacks = 8;
	a->per_cpu = 5;
	a->vmalloc = 10;
	a->files.n[MW_FILE_PIPE] = 12;
	a->charged = 1000;
	a->charged_placed = 900;
	a->current = 700;
	a->anon = 300;
	a->cache = 200;
	a->shmem = 10;
	a->kernel = 100;
	a->sock = 50;
	a->sampled = 280;
	a->sampled_shown = 250;
	a->samples = 40;
	a->n_processes = 2;
	a->n_without = 1;
	a->n_silent = 1;
	a->n_refused = 1;
	a->without = 33;
	o = mw_json_leak(&w, 10 * MW_NS_PER_S, WALL);
	assert_string_equal(
		member(o, "account"),
		"{\"charged\":{\"bytes\":1000,\"placed_bytes\":900},\"used\":{\"bytes\":700,\"anon_bytes\":300,"
		"\"cache_bytes\":200,\"shmem_bytes\":10,\"kernel_bytes\":100,\"sock_bytes\":50,\"rest_bytes\":40,"
		"\"swapped_bytes\":0,\"came_back_bytes\":0},\"kernel\":{\"slab_bytes\":40,\"page_table_bytes\":7,"
		"\"stack_bytes\":8,\"per_cpu_"
		"bytes\":5,\"vmalloc_bytes\":10,\"rest_bytes\":30},"
		"\"descriptors\":{\"pipes\":12,\"sockets\":0,\"memfds\":0,\"anon_inodes\":0,\"other\":0,\"more\":false}"
		",\"sampled\":{\"bytes\":280,\"shown_bytes\":250,\"samples\":40,\"lost_bytes\":"
		"0,\"processes\":2,\"processes_silent\":1,\"processes_without\":1,\"processes_refused\":1,\"without_"
		"bytes\":33}}");
	json_object_put(o);
}

static void pauses_object(void **state)
{
	struct mw_pause_stat stats[MW_PAUSE_MAX] = {0};
	struct mw_worker w = worker();
	struct json_object *o = mw_json_pauses(&w, stats), *kinds;

	(void)state;
	assert_string_equal(keys(o), "name class cgroup cgroup_id uid kinds covered stalled_share reclaims_per_min");
	assert_string_equal(member(o, "covered"), "null");
	kinds = json_object_object_get(o, "kinds");
	assert_string_equal(keys(kinds), "memstall high-throttle high-reclaim max-reclaim global-reclaim node-reclaim "
					 "reclaim-throttle compaction thrash swap-in oom other");
	json_object_put(o);
	stats[MW_PAUSE_MEMSTALL] = (struct mw_pause_stat){.count = 3, .total_ns = 900, .max_ns = 500};
	stats[MW_PAUSE_MEMSTALL].hist[8] = 3;
	stats[MW_PAUSE_HIGH_THROTTLE].total_ns = 600;
	stats[MW_PAUSE_OTHER].total_ns = 300;
	o = mw_json_pauses(&w, stats);
	assert_string_equal(member(o, "covered"), "0.667");
	assert_string_equal(member(json_object_object_get(o, "kinds"), "memstall"),
			    "{\"count\":3,\"total_ns\":900,\"max_ns\":500,\"p50_ns\":500,\"p90_ns\":500,\"p99_ns\":500,"
			    "\"hist\":[0,0,0,0,0,0,0,0,3]}");
	json_object_put(o);
	stats[MW_PAUSE_OTHER].total_ns = 901; /* counters of different moments */
	o = mw_json_pauses(&w, stats);
	assert_string_equal(member(o, "covered"), "0.0");
	json_object_put(o);
}

static void event_object(void **state)
{
	struct mw_event e = {.type = MW_EVENT_THROTTLE,
			     .time_ns = 5,
			     .cgroup_id = 9,
			     .pid = 1,
			     .tid = 2,
			     .kind = MW_PAUSE_HIGH_THROTTLE,
			     .duration_ns = 3,
			     .value = 4,
			     .seq = 6,
			     .comm = "node",
			     .worker = "web-7"};
	struct mw_worker w = worker();
	struct json_object *o = mw_json_event(&e, &w, (__s64)WALL);

	(void)state;
	assert_string_equal(keys(o),
			    "type time name class cgroup cgroup_id uid pid tid comm kind duration_ns value seq");
	assert_string_equal(member(o, "type"), "\"throttle\"");
	assert_string_equal(member(o, "kind"), "\"high-throttle\"");
	assert_string_equal(member(o, "class"), "\"tool\"");
	assert_string_equal(member(o, "time"), "\"2026-11-21T20:05:01.123Z\"");
	json_object_put(o);
	e.type = MW_EVENT_OOM;
	e.flags = MW_OOM_MEMCG;
	o = mw_json_event(&e, NULL, 0);
	assert_string_equal(member(o, "name"), "\"web-7\"");
	assert_string_equal(member(o, "class"), "null");
	assert_string_equal(member(o, "kind"), "null");
	assert_string_equal(member(o, "limit"), "\"memcg\"");
	json_object_put(o);
	e.type = MW_EVENT_LIMIT;
	e.flags = MW_LIMIT_SWAP_MAX;
	e.limit_id = MW_UNLIMITED;
	o = mw_json_event(&e, NULL, 0);
	assert_string_equal(member(o, "type"), "\"limit\"");
	assert_string_equal(member(o, "file"), "\"memory.swap.max\"");
	assert_string_equal(member(o, "old_bytes"), "null");
	assert_string_equal(member(o, "new_bytes"), "4");
	json_object_put(o);
}

static void names(void **state)
{
	static const char *const events[] = {"none",	  "fork",     "exec",  "exit", "attach", "mkdir",   "release",
					     "near-high", "throttle", "pause", "oom",  "limit",	 "newcomer"};

	(void)state;
	for (int i = 0; i < MW_EVENT_MAX; i++)
		assert_string_equal(mw_event_name((enum mw_event_type)i), events[i]);
	assert_string_equal(mw_event_name(MW_EVENT_MAX), "unknown");
	assert_string_equal(mw_pause_name(MW_PAUSE_MAX), "unknown");
}

static const char *number(double value, int digits)
{
	static char text[400];
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_double(&o, "n", value, digits);
	snprintf(text, sizeof(text), "%s", member(o.obj, "n"));
	json_object_put(o.obj);
	return text;
}

static void numbers_are_short(void **state)
{
	(void)state;
	assert_string_equal(number(0.1 + 0.2, 3), "0.3");
	assert_string_equal(number(87.5, 2), "87.5");
	assert_string_equal(number(100, 2), "100.0");
	assert_string_equal(number(-0.0001, 2), "0.0");
	assert_string_equal(number(-12.346, 2), "-12.35");
	assert_string_equal(number(2.0 / 3, 3), "0.667");
	assert_string_equal(number(5, 0), "5");
	assert_string_equal(number(__builtin_nan(""), 2), "null");
	assert_string_equal(number(__builtin_inf(), 2), "null");
	assert_int_equal(strlen(number(1e308, 3)), 311);
}

static void text_becomes_utf8(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"plain", "plain"},
		{"", ""},
		{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
		{"\xe2\x82\xac\xf0\x9f\x90\x9f", "\xe2\x82\xac\xf0\x9f\x90\x9f"},
		{"a\xff"
		 "b",
		 "a\xef\xbf\xbd"
		 "b"},
		{"\xc3", "\xef\xbf\xbd"}, /* cut */
		{"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf0\x9f\x90", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* past the end */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct json_object *s = mw_json_string(rows[i].from);

		assert_string_equal(json_object_get_string(s), rows[i].to);
		json_object_put(s);
	}
}

/* Whatever a process calls itself, the document is read again as it was written. */
static void any_comm_survives(void **state)
{
	struct mw_event e = {.type = MW_EVENT_EXEC};
	unsigned int seed = 9;

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct json_tokener *tok = json_tokener_new();
		struct json_object *o, *again;
		const char *text;

		for (int i = 0; i < MW_COMM_SIZE - 1; i++)
			e.comm[i] = (char)(rand_r(&seed) & 0xff);
		o = mw_json_event(&e, NULL, 0);
		text = json_object_to_json_string(o);
		json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
		again = json_tokener_parse_ex(tok, text, (int)strlen(text) + 1);
		assert_int_equal(json_tokener_get_error(tok), json_tokener_success);
		assert_true(json_object_equal(o, again));
		json_tokener_free(tok);
		json_object_put(again);
		json_object_put(o);
	}
}

static void a_failure_yields_nothing(void **state)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	(void)state;
	mw_json_u64(&o, "a", 1);
	mw_json_put(&o, "b", NULL); /* as after a failed allocation */
	mw_json_u64(&o, "c", 1);
	mw_json_null(&o, "d");
	assert_null(mw_json_end(&o));
}

static int compare(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The slot's upper end is at or above the true quantile, and less than twice it. */
static void quantiles_match_brute_force(void **state)
{
	static const double qs[] = {0, 0.01, 0.07, 0.5, 0.9, 0.99, 1};
	unsigned int seed = 11;
	__u64 v[300];

	(void)state;
	for (int round = 0; round < 300; round++) {
		size_t n = 1 + (size_t)rand_r(&seed) % 300;
		struct mw_pause_stat s = {0};

		for (size_t i = 0; i < n; i++) {
			v[i] = 1 + ((__u64)rand_r(&seed) >> (rand_r(&seed) % 31));
			s.hist[63 - __builtin_clzll(v[i])]++;
			s.max_ns = v[i] > s.max_ns ? v[i] : s.max_ns;
		}
		qsort(v, n, sizeof(v[0]), compare);
		for (size_t k = 0; k < sizeof(qs) / sizeof(qs[0]); k++) {
			size_t rank = (size_t)(qs[k] * 100 + 0.5) * n; /* in hundredths, exact */
			__u64 got = mw_hist_quantile(&s, qs[k]), truth;

			rank = rank ? (rank + 99) / 100 : 1;
			truth = v[rank - 1];
			assert_true(got >= truth && got < 2 * truth && got <= s.max_ns);
		}
	}
}

static void quantiles_at_the_ends(void **state)
{
	struct mw_pause_stat s = {0};

	(void)state;
	assert_int_equal(mw_hist_quantile(&s, 0.5), 0);
	s.hist[MW_HIST_SLOTS - 1] = 1; /* open to the top */
	s.max_ns = 1ULL << 40;
	assert_int_equal(mw_hist_quantile(&s, 0.5), 1ULL << 40);
	s.hist[10] = 1;
	assert_int_equal(mw_hist_quantile(&s, 0.5), 2047);
	assert_int_equal(mw_hist_quantile(&s, 0.51), 1ULL << 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document_and_time),
		cmocka_unit_test(worker_object),
		cmocka_unit_test(ps_object),
		cmocka_unit_test(ladder_list),
		cmocka_unit_test(level_object),
		cmocka_unit_test(ps_of_an_unseen_worker),
		cmocka_unit_test(check_object),
		cmocka_unit_test(leak_object),
		cmocka_unit_test(account_object),
		cmocka_unit_test(pauses_object),
		cmocka_unit_test(event_object),
		cmocka_unit_test(names),
		cmocka_unit_test(numbers_are_short),
		cmocka_unit_test(text_becomes_utf8),
		cmocka_unit_test(any_comm_survives),
		cmocka_unit_test(a_failure_yields_nothing),
		cmocka_unit_test(quantiles_match_brute_force),
		cmocka_unit_test(quantiles_at_the_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
