/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The verbs that only look: documents passed through unchanged, and their text. */
#include "fake.h"

#define WORKER(name, class)                                                                                            \
	"\"name\":\"" name                                                                                             \
	"\",\"class\":\"" class "\",\"cgroup\":\"/memweir/" class "/" name "\",\"cgroup_id\":18446744073709551614"
#define PS(name, class, more)                                                                                          \
	"{" WORKER(name, class) ",\"pids\":3,\"owner\":\"own\",\"policy\":\"protect\",\"usage_bytes\":45000000,"       \
				"\"heap_bytes\":43000000,\"bin_bytes\":1200000,\"max_bytes\":50000000,\"percent\":88." \
				"4,\"status\":\"error\","                                                              \
				"\"verdict\":\"growing\",\"sample_age_ms\":12,\"peak_bytes\":46000000,\"command\":"    \
				"\"npx some-server\"" more "}"

static const char ps[] = "{\"schema\": 1,\t\"timestamp\":\"2026-11-21T20:05:01.123Z\",\"workers\":[" PS(
	"web-7", "tool",
	",\"high_bytes\":null,\"reclaims_per_min\":84.0,\"stalled_share\":0.0312,\"lifted\":true,\"frozen\":false,"
	"\"hibernated\":true,\"not_in_force\":null") "," PS("api", "context",
							    ",\"high_bytes\":42500000,"
							    "\"lifted\":true,\"not_in_force\":{\"tries\":1}") "]}";
static const char check[] =
	"{\"schema\":1,\"checked_processes\":5,\"high_memory\":[\"web-7\"],\"memory_leaks\":[\"web-7\"],"
	"\"hibernated\":[],\"total_memory\":812400000,\"budget_bytes\":3000000000,\"workers\":["
	"{" WORKER("web-7", "tool") ",\"heap_bytes\":43000000,\"bin_bytes\":1200000,\"percent\":88.4,"
				    "\"status\":\"error\",\"over_bin\":true,\"hibernate\":true},"
				    "{" WORKER("api", "context") ",\"percent\":10,\"status\":\"ok\"}]}";
static const char leaks[] = "{\"workers\":[{" WORKER(
	"web-7",
	"tool") ",\"verdict\":\"growing\",\"rate_bytes_per_s\":1200000.0,"
		"\"onset\":\"2026-11-21T20:04:01.123Z\",\"time_to_limit_s\":33.2,\"confidence\":0.991,"
		"\"evidence\":[\"r2 0.99 over 10 checks\"],\"sites\":[{\"bytes\":30000000,\"share\":0.7,"
		"\"mean_age_s\":90.0,\"oldest_s\":200.0,\"kept_share\":0.98,\"pages\":60,\"pages_span_s\":60.0,"
		"\"untouched_share\":0.95,\"swapped_share\":0.1,"
		"\"kind\":\"anon\",\"frames\":[{\"function\":\"leak_it\",\"file\":\"leak.c\",\"line\":12}]},"
		"{\"bytes\":3000000,\"share\":0.07,\"kind\":\"growth\",\"ended\":true,\"unnamed\":\"its pid is "
		"another one's\",\"frames\":[{\"function\":\"\",\"offset\":4096}]}],"
		"\"account\":{\"charged\":{\"bytes\":512000000,\"placed_bytes\":498200000},\"used\":{\"bytes\":"
		"120400000,"
		"\"anon_bytes\":90100000,\"cache_bytes\":20200000,\"shmem_bytes\":0,\"kernel_bytes\":10000000,"
		"\"sock_bytes\":0,\"rest_bytes\":100000,\"swapped_bytes\":4000000},\"kernel\":{\"slab_bytes\":2000000,"
		"\"page_table_bytes\":500000,\"stack_bytes\":0,\"rest_bytes\":7500000},\"descriptors\":{\"pipes\":4000,"
		"\"sockets\":0,\"other\":7,\"more\":true},\"sampled\":{\"bytes\":84000000,"
		"\"shown_bytes\":80000000,\"samples\":100,\"lost_bytes\":0,\"processes\":3,\"processes_silent\":1,"
		"\"processes_without\":2,"
		"\"without_bytes\":6100000}}}]}";
#define PAUSES                                                                                                         \
	"{" WORKER("web-7", "tool") ",\"kinds\":{\"memstall\":{\"count\":0},\"high-throttle\":{\"count\":7,"           \
				    "\"total_ns\":5300000000,\"max_ns\":312000000,\"p50_ns\":85000,\"p99_ns\":"        \
				    "1200000,\"hist\":[0,0,1,6]}},\"covered\":0.97,\"stalled_share\":0.124,"           \
				    "\"reclaims_per_min\":84.0}"
#define QUIET                                                                                                          \
	"{" WORKER("api", "context") ",\"kinds\":{\"swap-in\":{\"count\":1,\"total_ns\":5000000,\"max_ns\":5000000}}," \
				     "\"covered\":null,\"stalled_share\":0.0,\"reclaims_per_min\":0.0}"
#define GROUP(name, workers)                                                                                           \
	"{\"name\":" name ",\"workers\":" workers ",\"kinds\":{\"max-reclaim\":{\"count\":3,\"total_ns\":3000000,"     \
	"\"max_ns\":2000000}},\"covered\":null,\"stalled_share\":0.13,\"reclaims_per_min\":90.0}"
#define INCIDENT                                                                                                       \
	"{\"id\":\"20261121T200501Z-web-7\",\"time\":\"2026-11-21T20:05:01.123Z\"," WORKER(                            \
		"web-7", "tool") ","                                                                                   \
				 "\"reason\":\"heap_size\",\"why\":\"web-7 grew to its hard limit of 50.0 "            \
				 "MB\",\"killed_by\":\"kernel (memory.max)\","                                         \
				 "\"signal\":9,\"limit_bytes\":50000000,\"usage_bytes\":49900000,\"peak_bytes\":"      \
				 "50000000,\"lifetime_s\":130,"                                                        \
				 "\"curve\":[{\"t_s\":-3,\"bytes\":1000000},{\"t_s\":-2,\"bytes\":25000000},{\"t_s\":" \
				 "-1,\"bytes\":50000000}]}"
#define EVENT                                                                                                          \
	"{\"type\":\"throttle\",\"time\":\"2026-11-21T20:05:01.123Z\"," WORKER(                                        \
		"web-7", "tool") ",\"pid\":123,"                                                                       \
				 "\"comm\":\"no\\u001bde\",\"kind\":\"high-throttle\",\"duration_ns\":312000000,"      \
				 "\"limit\":\"class\",\"culprit\":\"api\"}"

static const struct fake_reply table[] = {
	{"GET", "/v1/workers", 200, ps},
	{"POST", "/v1/check", 200, check},
	{"GET", "/v1/report/leaks", 200, leaks},
	{"GET", "/v1/report/pauses", 200,
	 "{\"schema\":1,\"workers\":[" QUIET "," PAUSES
	 "],\"classes\":[" GROUP("\"context\"", "1") "," GROUP("\"tool\"", "1") "],\"host\":" GROUP("null", "2") "}"},
	{"GET", "/v1/report/incidents", 200, "{\"incidents\":[" INCIDENT "," INCIDENT "]}"},
	{"GET", "/v1/report/incidents?limit=1", 200, "{\"incidents\":[" INCIDENT "]}"},
	{"GET", "/v1/report/20261121T200501Z-web-7", 200, "{\"incidents\":[" INCIDENT "]}"},
	{"GET", "/v1/report/web-7", 200,
	 "{\"worker\":" PS("web-7", "tool",
			   ",\"paced_reclaims\":12,\"paced_bytes\":34100000,"
			   "\"paced_ns\":210000000") ",\"leak\":{" WORKER("web-7", "tool") ",\"verdict\":\"steady\"},"
											   "\"pauses\":" PAUSES
											   ",\"incidents\":[]}"},
	{"GET", "/v1/report/boxed", 200,
	 "{\"worker\":" PS(
		 "boxed", "tool",
		 ",\"unit\":\"docker-0123.scope\",\"container\":{\"engine\":\"docker\",\"id\":\"0123456789abcdef\","
		 "\"name\":\"bo\\u001bxed\",\"image\":\"box:1\",\"pod\":\"\",\"namespace\":\"\"},"
		 "\"conflicts\":{\"count\":2,\"repairs\":1,\"file\":\"memory.max\",\"found_bytes\":null,\"by\":"
		 "\"runc\"},\"not_in_force\":{\"max_bytes\":50000000,\"why\":\"more is in use\",\"tries\":3,"
		 "\"since_ms\":7500,\"next_ms\":4000}") ",\"leak\":{" WORKER("boxed", "tool") ",\"verdict\":\"steady\"}"
											      ",\"pauses\":" PAUSES
											      ",\"incidents\":[]}"},
	{"GET", "/v1/report/nobody", 404, "{\"error\":\"no worker under guard has this name\"}"},
	{"GET", "/v1/events/recent", 200, "{\"events\":[" EVENT "]}"},
	{"GET", "/v1/events", 200,
	 "event: throttle\ndata: " EVENT "\n\nevent: lost\ndata: 12\n\nevent: started\n"
	 "data: {\"time\":\"2026-11-21T20:05:02.000Z\",\"text\":\"worker x started\"}\n\n",
	 FAKE_SSE},
	{"GET", "/v1/config", 200,
	 "{\"classes\":[{\"name\":\"context\",\"builtin\":true,\"max_heap\":\"100.0 "
	 "MB\",\"max_bytes\":100000000,\"policy\":\"protect\",\"rules\":[\"a\",\"b\"]},"
	 "{\"name\":\"mine\",\"builtin\":false,\"max_heap\":\"max\",\"policy\":\"strict\"}],"
	 "\"monitor\":{\"check_interval\":\"5 s\"},\"tree\":{\"root\":\"\"}}"},
	{NULL},
};

static struct fake f;

static int start(void **state)
{
	(void)state;
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	setenv("LANG", "C.UTF-8", 1);
	fake_start(&f, table);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fake_stop(&f);
	return 0;
}

static void ps_passes_json_through(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "ps", "--json"), 0);
	last.out[strlen(last.out) - 1] = '\0'; /* the newline */
	assert_string_equal(last.out, ps);
}

static void ps_prints_a_table(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "ps"), 0);
	assert_string_equal(
		last.out,
		"NAME   CLASS    STATUS     %     HEAP     BIN  CURRENT      MAX  RECL/MIN  STALL%  VERDICT  STATE\n"
		"web-7  tool     error   88.4  43.0 MB  1.2 MB  45.0 MB  50.0 MB        84     3.1  growing  "
		"lifted,hibernated\n"
		"api    context  error   88.4  43.0 MB  1.2 MB  45.0 MB  50.0 MB         0     0.0  growing  "
		"lifted,not-in-force\n");
	assert_int_equal(memweir(&f, "ps", "-q"), 0);
	assert_string_equal(last.out, "web-7\napi\n");
}

static void ps_picks(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "ps", "api"), 0);
	assert_null(strstr(last.out, "web-7"));
	assert_out("api");
	assert_int_equal(memweir(&f, "ps", "--json", "api"), 0);
	assert_null(strstr(last.out, "web-7"));
	assert_out("18446744073709551614");
	assert_int_equal(memweir(&f, "ps", "api", "nobody"), 1);
	assert_err("memweir ps: no worker nobody");
	assert_out("api");
}

static void check_tells_by_its_code(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "check"), 4);
	assert_string_equal(last.out,
			    "web-7 (tool) error: 88.4 % of max_heap, heap 43.0 MB, bin 1.2 MB, bin over its limit, "
			    "hibernation is due, growing\n"
			    "2 workers, 1 high, 1 growing, 812.4 MB of 3.0 GB\n");
	assert_int_equal(memweir(&f, "check", "--json", "a", "b"), 4);
	assert_true(fake_was_asked(&f, "/v1/check HTTP/1.1 {\"workers\":[\"a\",\"b\"]}"));
	last.out[strlen(last.out) - 1] = '\0';
	assert_string_equal(last.out, check);
}

static void check_codes(void **state)
{
	static const struct {
		const char *body;
		int code;
	} cases[] = {
		{"{\"workers\":[{\"name\":\"a\",\"status\":\"ok\"}],\"total_memory\":5}", 0},
		{"{\"workers\":[{\"name\":\"a\",\"status\":\"warning\"},{\"status\":\"ok\"}]}", 3},
		{"{\"workers\":[]}", 0},
		{"{}", 1},
		{"{\"workers\":7}", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct fake_reply one[] = {{"POST", "/v1/check", 200, cases[i].body}, {NULL}};
		struct fake other;

		fake_start(&other, one);
		assert_int_equal(memweir(&other, "check"), cases[i].code);
		fake_stop(&other);
	}
}

static void report_leaks(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "report", "leaks"), 0);
	assert_out("1.2 MB/s  2026-11-21 20:04:01Z");
	assert_out("33.2 s  99 %  r2 0.99 over 10 checks");
	assert_out(
		"web-7 holds memory allocated at\n  30.0 MB, 70 %, anon\n"
		"    held for 1 min 30 s on average; 98 % of what it held at the first look is held still; 95 % of its "
		"pages not touched for 1 min; 10 % of its pages swapped out\n      leak_it  leak.c:12\n"
		"  3.0 MB, 7 %, growth, of a process that has ended\n      without names: its pid is another one's\n"
		"      0x1000\n"
		"  in use 120.4 MB: anon 90.1 MB, page cache 20.2 MB, kernel 10.0 MB, not in memory.stat 100.0 KB; "
		"swapped "
		"out 4.0 MB\n"
		"  kernel 10.0 MB: slab 2.0 MB, page tables 500.0 KB, pages of pipes, sockets and the like 7.5 MB\n"
		"  its processes hold descriptors: 4000 of pipes, 7 of files, and more\n"
		"  charged since it is watched 512.0 MB, given back or not; of 97.3 % it is known which code "
		"touched it "
		"first\n"
		"  samples stand for 84.0 MB that was allocated and not freed (100 samples, give or take 10 %), the "
		"places "
		"above for 95 % of that\n"
		"  1 of 3 sampled processes never call malloc: an allocator inside a program is out of reach\n"
		"  2 of 5 processes have no sampler; they hold up to 6.1 MB of anon and swap\n");
	assert_int_equal(memweir(&f, "report", "leaks", "--folded"), 0);
	assert_out("web-7;leak_it 30000000\n");
	assert_int_equal(memweir(&f, "report", "leaks", "--folded", "--json"), 2);
	assert_int_equal(memweir(&f, "report", "incidents", "--folded"), 2);
}

static void report_pauses(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "report", "pauses"), 0);
	/* who is stalled most and why comes first */
	assert_true(strstr(last.out,
			   "web-7 (tool): stalled 12.4 % of the last minute, 84 passes of reclaim; mostly "
			   "high-throttle, put to sleep over a memory.high (100 % of 5.3 s so far, at most 312 "
			   "ms at once)\n\nNAME ") == last.out);
	assert_out("web-7  tool     high-throttle      7  5.3 s  85 us    -  1.2 ms  312 ms\n"
		   "api    context  swap-in            1   5 ms      -    -       -    5 ms\n");
	assert_null(strstr(last.out, "memstall"));
	assert_out("web-7 (tool): the known kinds cover 97 %");
	assert_out("OF             WORKERS  STALL%  RECL/MIN  TOTAL   MAX  MOSTLY\n"
		   "class context        1    13.0        90   3 ms  2 ms  max-reclaim\n");
	assert_out("host                 2    13.0        90   3 ms  2 ms  max-reclaim\n");
	assert_null(strstr(last.out, "4 ns .. 8 ns"));
}

static void report_pauses_of_some(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "report", "pauses", "web-7", "--hist"), 0);
	assert_out("web-7 (tool) high-throttle: 7, p50 85 us, p99 1.2 ms, max 312 ms\n      4 ns .. 8 ns ");
	assert_null(strstr(last.out, "api"));
	assert_null(strstr(last.out, "host"));
	assert_int_equal(memweir(&f, "report", "pauses", "--class", "context"), 0);
	assert_true(strstr(last.out, "nobody was stalled for memory in the last minute\nbefore that, most of all api "
				     "(context): ") == last.out);
	assert_out("class context  context  max-reclaim      3");
	assert_null(strstr(last.out, "web-7"));
	assert_int_equal(memweir(&f, "report", "pauses", "--host"), 0);
	assert_true(strstr(last.out, "web-7 (tool): stalled") == last.out);
	assert_out("host  -      max-reclaim      3");
	assert_int_equal(memweir(&f, "report", "pauses", "--host", "--json"), 0);
	assert_string_equal(last.out, "{\"schema\":1,\"host\":" GROUP("null", "2") "}\n");
	assert_int_equal(memweir(&f, "report", "pauses", "web-7", "--json"), 0);
	assert_string_equal(last.out, "{\"schema\":1,\"workers\":[" PAUSES "]}\n");
	assert_int_equal(memweir(&f, "report", "pauses", "nobody"), 1);
	assert_string_equal(last.err, "memweir report: no worker nobody (memweir ps lists them)\n");
	assert_int_equal(memweir(&f, "report", "pauses", "--class", "strict"), 1);
	assert_int_equal(memweir(&f, "report", "pauses", "web-7", "--host"), 2);
	assert_int_equal(memweir(&f, "report", "leaks", "--hist"), 2);
	assert_int_equal(memweir(&f, "report", "leaks", "web-7"), 2);
}

static void report_incidents(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "report", "incidents"), 0);
	assert_out(
		"2026-11-21 20:05:01Z  20261121T200501Z-web-7  web-7   tool   heap_size  web-7 grew to its hard limit");
	assert_int_equal(memweir(&f, "report", "incidents", "--limit", "1"), 0);
	assert_true(fake_was_asked(&f, "/v1/report/incidents?limit=1 "));
	assert_int_equal(memweir(&f, "report", "incidents", "20261121T200501Z-web-7"), 0);
	assert_true(fake_was_asked(&f, "/v1/report/20261121T200501Z-web-7 "));
	assert_int_equal(memweir(&f, "report", "rules", "20261121T200501Z-web-7"), 2);
	assert_int_equal(memweir(&f, "report", "20261121T200501Z-web-7"), 0);
	assert_out("2026-11-21 20:05:01Z  web-7 (tool): heap_size\n");
	assert_out("  50.0 MB │"); /* written before there was a recorder: the curve is drawn all the same */
	assert_out("█ max\n");
	assert_out("  max 50.0 MB, high none\n");
	assert_out("kernel (memory.max)");
	setenv("LANG", "C", 1);
	assert_int_equal(memweir(&f, "report", "20261121T200501Z-web-7"), 0);
	assert_out("  50.0 MB |");
	assert_out("# max\n");
	setenv("LANG", "C.UTF-8", 1);
}

static void report_one(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "report", "web-7"), 0);
	assert_out("web-7 (tool), cgroup /memweir/tool/web-7\n  npx some-server\n");
	assert_out("  reclaimed ahead of it: 34.1 MB in 12 batches, 210 ms of the guard's time\n");
	assert_out("incidents\nnone\n");
	assert_null(strstr(last.out, "container"));
	assert_int_equal(memweir(&f, "report", "boxed"), 0);
	assert_out("  container bo?xed of docker, ID 0123456789ab, image box:1\n");
	assert_out("  limited through systemd, unit docker-0123.scope\n");
	assert_out("  its limits were changed by others 2 times and put back 1; last memory.max to ");
	assert_out(" by runc\n");
	assert_out("  its limits are not in force: max 50.0 MB, more is in use; tried 3 times in 7.5 s, next in 4 s\n");
	assert_int_equal(memweir(&f, "report", "nobody"), 1);
	assert_string_equal(last.err, "memweir report: no worker under guard has this name\n");
}

static void events(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "events"), 0);
	assert_string_equal(last.out,
			    "2026-11-21 20:05:01Z  throttle    web-7  pid 123 (no?de)  high-throttle  312 ms  limit: "
			    "class, filled by api\n");
	assert_int_equal(memweir(&f, "events", "--follow"), 1); /* the stream ends: the daemon went */
	assert_out("throttle    web-7");
	assert_out("events lost");
	assert_out("2026-11-21 20:05:02Z  started     worker x started\n");
	assert_int_equal(memweir(&f, "events", "--follow", "--json"), 1);
	assert_out("\"type\":\"throttle\"");
}

static void classes(void **state)
{
	(void)state;
	assert_int_equal(memweir(&f, "classes"), 0);
	assert_string_equal(last.out, "KEY        context    mine\n"
				      "max_heap  100.0 MB     max\n"
				      "policy     protect  strict\n"
				      "(rules)          2       0\n"
				      "\n[monitor]\ncheck_interval = 5 s\n"
				      "\n[tree]\nroot = \n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ps_passes_json_through),
		cmocka_unit_test(ps_prints_a_table),
		cmocka_unit_test(ps_picks),
		cmocka_unit_test(check_tells_by_its_code),
		cmocka_unit_test(check_codes),
		cmocka_unit_test(report_leaks),
		cmocka_unit_test(report_pauses),
		cmocka_unit_test(report_pauses_of_some),
		cmocka_unit_test(report_incidents),
		cmocka_unit_test(report_one),
		cmocka_unit_test(events),
		cmocka_unit_test(classes),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
