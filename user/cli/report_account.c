/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a worker's memory is made of, and how much of it the sites above it account for. */
#include <math.h>
#include <stdio.h>

#include "cli/field.h"
#include "cli/report.h"
#include "util/cleanup.h"
#include "util/table.h"

static double number(struct json_object *o, const char *key)
{
	return mw_field_number(o, key, 0);
}

static double percent(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

static void print_used(struct json_object *used)
{
	static const struct {
		const char *key, *name;
	} parts[] = {
		{"anon_bytes", "anon"},	    {"cache_bytes", "page cache"}, {"shmem_bytes", "shmem"},
		{"kernel_bytes", "kernel"}, {"sock_bytes", "sockets"},	   {"rest_bytes", "not in memory.stat"},
	};
	const char *between = ": ";
	char buf[MW_TEXT];

	printf("  in use %s", mw_say_bytes(used, "bytes", buf));
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		if (number(used, parts[i].key) <= 0)
			continue;
		printf("%s%s %s", between, parts[i].name, mw_say_bytes(used, parts[i].key, buf));
		between = ", ";
	}
	if (number(used, "swapped_bytes") > 0)
		printf("; swapped out %s", mw_say_bytes(used, "swapped_bytes", buf));
	putchar('\n');
}

static void print_charged(struct json_object *charged)
{
	char buf[MW_TEXT];

	if (number(charged, "bytes") > 0)
		printf("  charged since it is watched %s, given back or not; of %.1f %% it is known which code touched "
		       "it "
		       "first\n",
		       mw_say_bytes(charged, "bytes", buf),
		       percent(number(charged, "placed_bytes"), number(charged, "bytes")));
}

/* How far off a sum of samples may be: one in the square root of their number. */
static void print_sampled(struct json_object *s)
{
	double samples = number(s, "samples"), without = number(s, "processes_without");
	char buf[MW_TEXT];

	printf("  samples stand for %s that was allocated and not freed", mw_say_bytes(s, "bytes", buf));
	if (samples > 0)
		printf(" (%.0f samples, give or take %.0f %%), the places above for %.0f %% of that", samples,
		       100 / sqrt(samples), percent(number(s, "shown_bytes"), number(s, "bytes")));
	putchar('\n');
	if (number(s, "lost_bytes") > 0)
		printf("  %s more was allocated and could not be followed, freed or not\n",
		       mw_say_bytes(s, "lost_bytes", buf));
	if (without > 0)
		printf("  %.0f of %.0f processes have no sampler; they hold up to %s of anon and swap\n", without,
		       without + number(s, "processes"), mw_say_bytes(s, "without_bytes", buf));
}

void mw_print_account(struct json_object *w)
{
	struct json_object *account = mw_field_object(w, "account"), *part;
	char clean[256];

	if (account && !mw_field_length(mw_field_array(w, "sites")))
		printf("\n%s\n", mw_text_clean(mw_field_str(w, "name"), 0, clean, sizeof(clean)));

	part = account ? mw_field_object(account, "used") : NULL;
	if (part)
		print_used(part);
	part = account ? mw_field_object(account, "charged") : NULL;
	if (part)
		print_charged(part);
	part = account ? mw_field_object(account, "sampled") : NULL;
	if (part)
		print_sampled(part);
}
