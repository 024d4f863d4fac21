/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Events and documents as a daemon sends them, and a screen as lines of text. */
#ifndef MW_TESTS_TOP_FIXTURE_H
#define MW_TESTS_TOP_FIXTURE_H

#include "../unit.h"

#include "cli/call.h"
#include "cli/top_view.h"
#include "util/cleanup.h"
#include "util/table.h"

#define T0_MS 1700000000000ULL /* 2023-11-14 22:13:20 UTC */

#define NAMES                                                                                                          \
	"\"columns\":[\"cgroup_id\",\"usage_bytes\",\"heap_bytes\",\"bin_bytes\",\"high_bytes\",\"max_bytes\","        \
	"\"percent\",\"level\",\"verdict\",\"stalled_ns\",\"flags\"],\"levels\":[\"ok\",\"warning\",\"hibernate-"      \
	"now\","                                                                                                       \
	"\"critical\"],\"verdicts\":[\"steady\",\"growing\",\"suspect\",\"leak\"],"

static inline void listed(struct mw_top *m, const char *json, bool whole)
{
	struct json_object *doc = json_tokener_parse(json);

	assert_non_null(doc);
	assert_int_equal(mw_top_listed(m, doc, T0_MS, whole), 0);
	json_object_put(doc);
}

static inline int live(struct mw_top *m, unsigned second, const char *rows, const char *gone)
{
	char text[8192];

	snprintf(text, sizeof(text),
		 "{\"t\":%llu,\"full\":true,\"part\":0,\"parts\":1," NAMES "\"rows\":[%s],\"gone\":[%s]}",
		 T0_MS + second * 1000ULL, rows, gone);
	return mw_top_live(m, text);
}

#define WORKER(id, name, class)                                                                                        \
	"{\"name\":\"" name "\",\"class\":\"" class "\",\"cgroup_id\":" #id ",\"usage_bytes\":0,\"level\":\"ok\","     \
						    "\"verdict\":\"steady\"}"

/* Six workers of which each has something else. */
static inline void six(struct mw_top *m)
{
	char rows[2048];

	mw_top_init(m);
	snprintf(m->host.name, sizeof(m->host.name), "db1");
	for (unsigned s = 0; s < 60; s++) {
		snprintf(rows, sizeof(rows),
			 "[11,%u,%u,0,42500000,50000000,%.2f,2,3,0,0],[12,12000000,9000000,0,42500000,50000000,18.00,0,"
			 "0,0,1],"
			 "[13,99000000,90000000,0,90000000,100000000,99.00,3,0,0,2],[14,20000000,20000000,0,null,null,"
			 "0.00,0,0,0,0],"
			 "[15,31000000,30000000,0,42500000,50000000,60.00,1,0,%u000000,8],"
			 "[16,5000000,4000000,0,42500000,50000000,8.00,0,2,0,4]",
			 20000000 + s * 400000, 19000000 + s * 400000, 40 + s * 0.8, s * 20);
		assert_int_equal(live(m, s, rows, ""), 0);
	}
	listed(m,
	       "{\"workers\":[" WORKER(11, "web-7", "tool") "," WORKER(12, "cold", "tool") "," WORKER(
		       13, "full",
		       "context") "," WORKER(14, "free",
					     "generic") "," WORKER(15, "slow",
								   "transport") "," WORKER(16, "maybe",
											   "tool") "],\"budget_bytes\":"
												   "3000000000}",
	       true);
	mw_top_order(m);
}

/* Each row of a screen, compared to lines; NULL ends them, rows behind that are empty. */
static inline void same_screen(const struct mw_canvas *c, const char *const *lines)
{
	char row[2048];

	for (int i = 0; i < c->height; i++) {
		mw_canvas_row(c, i, row, sizeof(row));
		assert_true(mw_text_width(row) <= (size_t)c->width);
		assert_string_equal(row, *lines ? *lines : "");
		lines += *lines != NULL;
	}
}

/* The lines as they stand in a test. */
static inline void print_screen(const struct mw_canvas *c)
{
	char row[2048];

	for (int i = 0; i < c->height; i++)
		printf("\t\t\"%s\",\n", mw_canvas_row(c, i, row, sizeof(row)));
}

#endif
