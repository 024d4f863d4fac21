/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Whole screens of top, as text, at several sizes; and what its keys do. */
#include "top_fixture.h"

/* clang-format off */
static const char *const wide80[] = {
		"memweir 0.1.0 on db1                                                22:14:19 UTC",
		"6 workers, 210.6 MB in use of 3.0 GB budget, host has 4.1 GB of 16.0 GB left",
		"4 alerts: 1 at limit, 1 leak, 1 suspect, 1 stalled, 1 lifted, 1 frozen; lost 3",
		"WORKER       CLASS     WHATv                 USED  %MAX          LAST MIN  STALL",
		"full         context   at its limit       99.0 MB  99.0 ███████▉ ▁▁▁▁▁▁▁▁    0.0",
		"web-7        tool      leak, 51 s         43.6 MB  87.2 ███████  ▁▂▃▄▅▆▇█    0.0",
		"maybe        tool      suspect             5.0 MB   8.0 ▋        ▁▁▁▁▁▁▁▁    0.0",
		"cold         tool      frozen             12.0 MB  18.0 █▌       ▁▁▁▁▁▁▁▁    0.0",
		"slow         transport pauses             31.0 MB  60.0 ████▊    ▁▁▁▁▁▁▁▁    2.0",
		"free         generic   ok                 20.0 MB   0.0          ▁▁▁▁▁▁▁▁    0.0",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"? help  Enter look  / filter  s sort: attention  h f t act  q quit",
	NULL};

static const char *const wide132[] = {
		"memweir 0.1.0 on db1                                                                                                    22:14:19 UTC",
		"6 workers, 210.6 MB in use of 3.0 GB budget, host has 4.1 GB of 16.0 GB left",
		"4 alerts: 1 at limit, 1 leak, 1 suspect, 1 stalled, 1 lifted, 1 frozen; lost 3",
		"WORKER       CLASS         WHATv                 USED   %MAX              LAST MIN          GROWTH  STALL       MAX STATE",
		"full         context       at its limit       99.0 MB   99.0 ███████████▉ ▁▁▁▁▁▁▁▁▁▁▁▁           0    0.0  100.0 MB lifted",
		"web-7        tool          leak, 51 s         43.6 MB   87.2 ██████████▌  ▁▂▂▃▃▄▅▅▆▆▇█  400.0 KB/s    0.0   50.0 MB",
		"maybe        tool          suspect             5.0 MB    8.0 █            ▁▁▁▁▁▁▁▁▁▁▁▁           0    0.0   50.0 MB hibernated",
		"cold         tool          frozen             12.0 MB   18.0 ██▏          ▁▁▁▁▁▁▁▁▁▁▁▁           0    0.0   50.0 MB frozen",
		"slow         transport     pauses             31.0 MB   60.0 ███████▎     ▁▁▁▁▁▁▁▁▁▁▁▁           0    2.0   50.0 MB paced",
		"free         generic       ok                 20.0 MB    0.0              ▁▁▁▁▁▁▁▁▁▁▁▁           0    0.0       max",
		"",
		"? help  Enter look  / filter  s sort: attention  h f t act  q quit",
	NULL};

static const char *const narrow40[] = {
		"memweir 0.1.0 on db1        22:14:19 UTC",
		"6 workers, 210.6 MB in use of 3.0 GB bu~",
		"4 alerts: 1 at limit, 1 leak, 1 suspect~",
		"WORKER       WHATv              %MAX",
		"full         at its limit       99.0",
		"web-7        leak, 51 s         87.2",
		"maybe        suspect             8.0",
		"cold         frozen             18.0",
		"slow         pauses             60.0",
		"? help  Enter look  / filter  s sort: a~",
	NULL};

static const char *const narrow20[] = {
		"memwei  22:14:19 UTC",
		"WORKER         %MAX",
		"full           99.0",
		"web-7          87.2",
		"? help  Enter look ~",
	NULL};

static const char *const worker80[] = {
		"memweir 0.1.0 on db1                                                22:14:19 UTC",
		"6 workers, 210.6 MB in use of 3.0 GB budget, host has 4.1 GB of 16.0 GB left",
		"4 alerts: 1 at limit, 1 leak, 1 suspect, 1 stalled, 1 lifted, 1 frozen; lost 3",
		"web-7 (tool): 43.6 MB of 50.0 MB, 87.2 % of max_heap",
		"leak, meets its limit in 51 s",
		"   50.0 MB ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄ max",
		"           ┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄▁▁▂▂▃▃▄▄▅▅▆▆▇▇ high",
		"                                          ▁▁▂▃▃▄▄▅▅▆▆▇▇████████████████",
		"                          ▁▁▂▂▃▃▄▄▅▅▆▆▇▇███████████████████████████████",
		"   25.0 MB ▁▂▂▃▃▄▄▅▅▆▆▇▇███████████████████████████████████████████████",
		"           ████████████████████████████████████████████████████████████",
		"           ████████████████████████████████████████████████████████████",
		"           ████████████████████████████████████████████████████████████",
		"           the last minute, now at the right",
		"asking the daemon",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"",
		"q back  j k scroll  h hibernate  f freeze  t thaw  ? help",
	NULL};

/* clang-format on */

static struct mw_top m;
static struct mw_top_ui ui;
static struct mw_canvas c;
static struct mw_top_link now = {.now_ms = T0_MS + 59000};

static int setup(void **state)
{
	(void)state;
	setenv("LC_ALL", "C.UTF-8", 1);
	six(&m);
	snprintf(m.host.version, sizeof(m.host.version), "0.1.0");
	m.host.lost = 3;
	m.host.mem_total = 16000000000;
	m.host.mem_available = 4100000000;
	mw_top_find(&m, 11)->limit_s = 51;
	ui = (struct mw_top_ui){0};
	c.utf8 = c.blocks = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mw_top_free(&m);
	mw_canvas_free(&c);
	return 0;
}

static void draw(int width, int height)
{
	mw_top_order(&m);
	mw_canvas_begin(&c, width, height);
	mw_top_draw(&c, &m, &ui, &now, NULL, NULL);
}

/* A row of the screen has text in it. */
static void has(int row, const char *text)
{
	char line[2048];

	mw_canvas_row(&c, row < 0 ? c.height + row : row, line, sizeof(line));
	if (!strstr(line, text))
		fail_msg("row %d has no \"%s\": \"%s\"", row, text, line);
}

static enum mw_top_do press(unsigned key)
{
	mw_top_order(&m);
	return mw_top_key(&m, &ui, key);
}

static void type(const char *text)
{
	while (*text)
		press((unsigned char)*text++);
}

static void test_screens(void **state)
{
	(void)state;
	draw(80, 24);
	same_screen(&c, wide80);
	draw(132, 12);
	same_screen(&c, wide132);
	c.utf8 = c.blocks = false;
	setenv("LC_ALL", "C", 1);
	draw(40, 10);
	same_screen(&c, narrow40);
	draw(20, 5);
	same_screen(&c, narrow20);
}

/* Nothing is ever outside of the terminal, however small it is. */
static void test_sizes(void **state)
{
	static const enum mw_top_mode modes[] = {MW_TOP_LIST, MW_TOP_WORKER, MW_TOP_HELP};

	(void)state;
	ui.chosen = 11;
	ui.asking = MW_ASK_NONE;
	for (int w = 1; w < 300; w += w < 90 ? 1 : 23) {
		for (int h = 1; h < 60; h += h < 26 ? 1 : 11) {
			for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
				ui.mode = modes[i];
				draw(w, h);
				for (size_t p = 0; p < c.n; p++) {
					assert_in_range(c.pieces[p].row, 0, h - 1);
					assert_in_range(c.pieces[p].col, 0, w - 1);
					assert_true(c.pieces[p].col + c.pieces[p].width <= w);
				}
			}
		}
	}
}

/* A row only for what is seen. */
static void test_only_visible(void **state)
{
	char row[64];
	size_t few;

	(void)state;
	draw(80, 24);
	for (unsigned i = 0; i < 17; i++) { /* 6 and 17 fill the screen */
		snprintf(row, sizeof(row), "[%u,1,0,0,null,null,0,0,0,0,0]", 1000 + i);
		live(&m, 59, row, "");
	}
	draw(80, 24);
	few = c.n;
	for (unsigned i = 17; i < 3000; i++) {
		snprintf(row, sizeof(row), "[%u,1,0,0,null,null,0,0,0,0,0]", 1000 + i);
		live(&m, 59, row, "");
	}
	draw(80, 24);
	assert_int_equal(c.n, few);
}

static void test_odd_names(void **state)
{
	struct mw_top_worker *w = mw_top_find(&m, 13);

	(void)state;
	strcpy(w->name, "日本語の長い名前のワーカー");
	draw(80, 24);
	has(4, "日本語の長…");
	has(4, "at its limit       99.0 MB  99.0");
	strcpy(w->name, "a\033[2Jb\xff\xe2\x80\xaeq");
	draw(80, 24);
	has(4, "a?[2Jb??q");
	c.utf8 = c.blocks = false;
	strcpy(w->name, "grün日x");
	draw(80, 24);
	has(4, "gr?n?x");
	w->name[0] = '\0';
	draw(80, 24);
	has(4, "cgroup 13");
}

static void test_stale(void **state)
{
	(void)state;
	now = (struct mw_top_link){true, T0_MS + 47000, T0_MS + 59000, "daemon away (/run/x.sock)"};
	draw(80, 24);
	has(0, "stale since 12 s: daemon away (/run/x.sock)");
	has(4, "full"); /* what was known last is still there */
	now.since_ms = 0;
	draw(80, 24);
	has(0, "daemon away (/run/x.sock)");
	now = (struct mw_top_link){.now_ms = T0_MS + 59000};
	draw(80, 24);
	has(0, "22:14:19 UTC");
}

static void test_empty(void **state)
{
	(void)state;
	mw_top_free(&m);
	mw_top_init(&m);
	draw(80, 24);
	has(1, "0 workers, 0 B in use");
	has(2, "nothing needs attention");
	has(4, "no workers under guard");
	assert_int_equal(press(MW_KEY_ENTER), MW_DO_NOTHING);
	assert_int_equal(press('h'), MW_DO_NOTHING);
	press(MW_KEY_DOWN);
	press(MW_KEY_END);
	assert_int_equal(press('q'), MW_DO_QUIT);
}

static void test_move(void **state)
{
	(void)state;
	draw(80, 24);
	assert_string_equal(mw_top_chosen(&m, &ui)->name, "full");
	press('j');
	press(MW_KEY_DOWN);
	assert_string_equal(mw_top_chosen(&m, &ui)->name, "maybe");
	/* The cursor stays on the worker when the order changes, */
	press('r');
	assert_int_equal(ui.chosen, 0); /* but another order begins at its top. */
	press('r');
	press('j');
	live(&m, 60, "[16,48000000,48000000,0,null,50000000,99,3,3,0,0],[11,1,0,0,null,null,1,0,0,0,0]", "");
	mw_top_order(&m);
	assert_string_equal(mw_top_chosen(&m, &ui)->name, "web-7");
	press(MW_KEY_END);
	mw_top_order(&m);
	assert_ptr_equal(mw_top_chosen(&m, &ui), m.rows[m.n_rows - 1]);
	press(MW_KEY_PAGE_UP);
	press('g');
	assert_int_equal(ui.chosen, 0);
	/* On a small page it is scrolled to. */
	press(MW_KEY_END);
	draw(80, 8);
	assert_int_equal(ui.page, 3);
	assert_int_equal(ui.first, 3);
	has(6, m.rows[5]->name);
	/* It goes while the cursor is on it. */
	live(&m, 61, "", "14,15");
	draw(80, 24);
	assert_int_equal(ui.first, 0);
}

static void test_filter(void **state)
{
	(void)state;
	press('/');
	type("too");
	draw(80, 24);
	has(-1, "/too_   3 of 6");
	has(4, "web-7");
	press(MW_KEY_BACKSPACE);
	press(MW_KEY_BACKSPACE);
	press('q'); /* is a letter now */
	draw(80, 24);
	has(-1, "/tq_   0 of 6");
	has(4, "no worker fits");
	press(MW_KEY_ESCAPE); /* as it was */
	assert_string_equal(m.filter, "");
	press('/');
	type("web");
	press(MW_KEY_ENTER);
	draw(80, 24);
	has(-1, "1 of 6 /web  ? help");
	press(MW_KEY_ESCAPE);
	assert_string_equal(m.filter, "");
	press('c');
	draw(80, 24);
	has(-1, "1 of 6 class context");
	press('/');
	for (int i = 0; i < 200; i++)
		press('x');
	assert_int_equal(strlen(m.filter), sizeof(m.filter) - 1);
}

static void test_sort_keys(void **state)
{
	(void)state;
	press('U');
	draw(80, 24);
	has(3, "USEDv");
	has(-1, "sort: usage");
	press('r');
	draw(80, 24);
	has(3, "USED^");
	has(-1, "sort: usage, reversed");
	press('s');
	assert_int_equal(m.sort, MW_TOP_BY_PERCENT);
	press('A');
	press('S');
	assert_int_equal(m.sort, MW_TOP_BY_CLASS);
}

static void test_worker(void **state)
{
	static const char report[] =
		"{\"worker\":{\"heap_bytes\":1,\"bin_bytes\":2,\"peak_bytes\":44000000,\"high_bytes\":42500000,"
		"\"max_bytes\":50000000,\"pids\":2,\"policy\":\"protect\",\"main_pid\":42,\"command\":\"node "
		"a\\u001bb.js\"},"
		"\"leak\":{\"verdict\":\"leak\",\"rate_bytes_per_s\":400000,\"onset\":\"2023-11-14T22:13:20.000Z\","
		"\"confidence\":0.9,\"time_to_limit_s\":51,\"time_to_limit_low_s\":40,\"time_to_limit_high_s\":70,"
		"\"evidence\":[\"its floor rose\"],\"against\":[\"others "
		"grow\"],\"sites\":[{\"bytes\":30700000,\"share\":1,"
		"\"kind\":\"heap\",\"frames\":[{\"function\":\"remember\",\"file\":\"leak.c\",\"line\":13},"
		"{\"function\":\"main\",\"module\":\"/bin/leak\"},{\"module\":\"/x/libc.so\",\"offset\":16}]}]},"
		"\"pauses\":{\"kinds\":{\"reclaim\":{\"count\":3,\"total_ns\":9000000,\"p50_ns\":1000000,\"p99_ns\":"
		"5000000,"
		"\"max_ns\":5000000},\"swap\":{\"count\":0}},\"stalled_share\":0.02},"
		"\"ladder\":[{\"rung\":\"lift\",\"time\":\"2023-11-14T22:13:30.000Z\",\"level\":\"critical\","
		"\"before_bytes\":40000000,\"after_bytes\":30000000,\"took_ms\":12,\"level_after\":\"ok\"}],"
		"\"recommendations\":[{\"text\":\"hibernate web-7: idle\"}],"
		"\"incidents\":[{\"time\":\"2023-11-14T21:00:00.000Z\",\"reason\":\"oom\",\"why\":\"killed\",\"id\":"
		"\"i-1\"}]}";
	static const char *const said[] = {"no such thing",
					   "heap 1 B, bin 2 B, peak 44.0 MB",
					   "pid 42: node a?b.js",
					   "leak, 400.0 KB/s since 2023-11-14 22:13:20Z, sure 90 %",
					   "its floor rose",
					   "but others grow",
					   "30.7 MB, 100 %, heap",
					   "    remember  leak.c:13",
					   "     main  leak",
					   "      libc.so+0x10",
					   "reclaim                   3 times",
					   "stalled 2.0 %",
					   "3 s ago  pause  12 ms of reclaim",
					   "lift at level critical, 40.0 MB: 30.0 MB after 12 ms",
					   "hibernate web-7: idle",
					   "oom: killed  (memweir report i-1)"};
	struct json_object *doc = json_tokener_parse(report);
	struct json_object *marks =
		json_tokener_parse("{\"marks\":[{\"t_ms\":-3000,\"type\":\"pause\",\"text\":\"12 ms of reclaim\"}]}");
	char row[2048], all[16384] = "";

	(void)state;
	press('j');
	assert_int_equal(press(MW_KEY_ENTER), MW_DO_OPEN);
	draw(80, 24);
	same_screen(&c, worker80);
	mw_canvas_begin(&c, 80, 80);
	mw_top_draw(&c, &m, &ui, &now, doc, marks);
	for (int i = 0; i < 80; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s\n", mw_canvas_row(&c, i, row, sizeof(row)));
	for (size_t i = 1; i < ARRAY_SIZE(said); i++)
		if (!strstr(all, said[i]))
			fail_msg("not on the screen: \"%s\"\n%s", said[i], all);
	assert_null(strstr(all, said[0]));
	/* It is scrolled to its end and no further. */
	press(MW_KEY_END);
	mw_canvas_begin(&c, 80, 24);
	mw_top_draw(&c, &m, &ui, &now, doc, marks);
	has(-2, "oom: killed");
	/* Fields that are missing, or of another type. */
	json_object_put(doc);
	doc = json_tokener_parse(
		"{\"worker\":[],\"leak\":7,\"pauses\":{\"kinds\":[]},\"ladder\":{},\"incidents\":[1,null]}");
	mw_canvas_begin(&c, 80, 80);
	mw_top_draw(&c, &m, &ui, &now, doc, doc);
	/* It ends while it is looked at. */
	live(&m, 60, "", "11");
	mw_canvas_begin(&c, 80, 24);
	mw_top_draw(&c, &m, &ui, &now, doc, NULL);
	has(3, "this worker has ended");
	press('q');
	assert_int_equal(ui.mode, MW_TOP_LIST);
	json_object_put(doc);
	json_object_put(marks);
}

static void test_act(void **state)
{
	(void)state;
	draw(80, 24);
	press('j');
	assert_int_equal(press('h'), MW_DO_DRY);
	assert_string_equal(ui.act->name, "hibernate");
	assert_string_equal(ui.act_on, "web-7");
	draw(80, 24);
	has(-1, "hibernate web-7: asking what it would do");
	assert_int_equal(press('y'), MW_DO_DRAW); /* not asked yet: no yes */
	assert_int_equal(press('h'), MW_DO_NOTHING);
	mw_top_told(&ui, true, "would reclaim 12.0 MB of 43.6 MB");
	draw(80, 24);
	has(-3, "hibernate web-7? It gives back what it does not use now");
	has(-1, "Do it? [y/N]");
	assert_int_equal(press('x'), MW_DO_DRAW); /* whatever is no y */
	assert_int_equal(ui.asking, MW_ASK_NONE);
	draw(80, 24);
	has(-1, "web-7: nothing was done");
	assert_int_equal(press('f'), MW_DO_DRY);
	mw_top_told(&ui, true, "would freeze 2 processes");
	assert_int_equal(press('y'), MW_DO_ACT);
	assert_string_equal(ui.act->name, "freeze");
	mw_top_told(&ui, true, "frozen in 2 ms");
	draw(80, 24);
	has(-1, "freeze web-7: frozen in 2 ms");
	press('j');
	draw(80, 24);
	has(-1, "? help");
	/* The daemon refuses the dry run: nothing is asked. */
	press('t');
	mw_top_told(&ui, false, "it is not frozen");
	draw(80, 24);
	assert_int_equal(ui.asking, MW_ASK_NONE);
	has(-1, "it is not frozen");
	/* It was left before the answer came. */
	press('t');
	press(MW_KEY_ESCAPE);
	mw_top_told(&ui, true, "late");
	assert_int_equal(ui.asking, MW_ASK_NONE);
	assert_int_equal(press('K'), MW_DO_DRAW); /* killing is not to be had */
}

static void test_help(void **state)
{
	const char *key, *help;
	size_t n = 0;

	(void)state;
	press('?');
	draw(80, 24);
	has(3, "j k, arrows");
	press(MW_KEY_END);
	draw(80, 10);
	while (mw_top_key_row(n, &key, &help)) {
		assert_true(*key && *help);
		n++;
	}
	has(-2, "out of this screen");
	assert_int_equal(press('q'), MW_DO_DRAW);
	assert_int_equal(ui.mode, MW_TOP_LIST);
	assert_int_equal(press('q'), MW_DO_QUIT);
	assert_true(n > 15);
}

static void test_print(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(mw_top_print(&m, 132, false, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "leak, 51 s"));
	assert_null(strchr(text, '\033'));
	free(text);
}

static void test_left(void **state)
{
	static const struct {
		double s;
		const char *text;
	} cases[] = {{-1, ""},	    {0, "0 s"},	     {119, "119 s"},   {120, "2 min"},
		     {7300, "2 h"}, {180000, "2 d"}, {1e300, "9999 d"}};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(mw_top_left(cases[i].s, buf, sizeof(buf)), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_screens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_visible, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sort_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_worker, setup, teardown),
		cmocka_unit_test_setup_teardown(test_act, setup, teardown),
		cmocka_unit_test_setup_teardown(test_help, setup, teardown),
		cmocka_unit_test_setup_teardown(test_print, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
