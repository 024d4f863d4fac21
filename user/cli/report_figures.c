/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a worker says of its own pools, limiters and requests. */
#include <stdio.h>

#include "cli/field.h"
#include "cli/report.h"
#include "util/size.h"
#include "util/table.h"

static double number(struct json_object *o, const char *key)
{
	return mw_field_number(o, key, 0);
}

static void print_pool(struct json_object *p)
{
	char name[64], bytes[MW_TEXT];
	double size = number(p, "buffers"), got_nothing = number(p, "timeouts") + number(p, "refused");

	printf("  pool %s: %.0f", mw_text_clean(mw_field_str(p, "name"), 0, name, sizeof(name)), number(p, "in_use"));
	if (size > 0)
		printf(" of %.0f buffers in use (%.0f %%)", size, 100 * number(p, "in_use") / size);
	else
		printf(" buffers in use");
	printf(", %s, lent %.0f times", mw_say_bytes(p, "memory_bytes", bytes), number(p, "checkouts"));
	if (number(p, "exhaustions") + number(p, "waits") + got_nothing > 0)
		printf("; ran out %.0f times: %.0f waited, %.0f got nothing", number(p, "exhaustions"),
		       number(p, "waits"), got_nothing);
	puts("");
}

static void print_limiter(struct json_object *l)
{
	char name[64], used[MW_TEXT], max[MW_TEXT];

	printf("  limiter %s: %s of %s; %.0f operations, %.0f trims, %.0f refused\n",
	       mw_text_clean(mw_field_str(l, "name"), 0, name, sizeof(name)), mw_say_bytes(l, "used_bytes", used),
	       mw_say_limit(l, "max_bytes", max), number(l, "operations"), number(l, "trims"), number(l, "refusals"));
}

static void print_requests(struct json_object *q)
{
	double n = number(q, "count");
	char took[MW_TEXT], grew[MW_TEXT];

	if (!q)
		return;
	printf("  requests: %.0f done, %.0f open", n, number(q, "open"));
	if (n > 0) {
		mw_duration_format((__u64)(number(mw_field_object(q, "duration_ns"), "sum") / n), took, sizeof(took));
		mw_size_format((__u64)(number(mw_field_object(q, "growth_bytes"), "sum") / n), grew, sizeof(grew));
		printf("; each took %s and %s on average", took, grew);
	}
	puts("");
}

void mw_print_figures(struct json_object *f)
{
	struct json_object *pools = mw_field_array(f, "pools"), *limiters = mw_field_array(f, "limiters");
	char age[MW_TEXT];

	if (!f)
		return;
	printf("\nfigures of its own, by process %.0f, %s ago%s\n", number(f, "pid"),
	       mw_say_seconds(number(f, "age_ms") / 1000, age), mw_field_bool(f, "stale") ? ": out of date" : "");
	for (size_t i = 0; i < mw_field_length(pools); i++)
		print_pool(json_object_array_get_idx(pools, i));
	for (size_t i = 0; i < mw_field_length(limiters); i++)
		print_limiter(json_object_array_get_idx(limiters, i));
	print_requests(mw_field_object(f, "requests"));
}
