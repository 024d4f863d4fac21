/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a worker's memory is made of, and how much of it the sites above it account for. */
#include <math.h>
#include <stdio.h>

#include "cli/field.h"
#include "cli/report.h"
#include "util/cleanup.h"
#include "util/table.h"

#define KERNEL_WORTH 0.05 /* of what is in use */

static double number(struct json_object *o, const char *key)
{
	return mw_field_number(o, key, 0);
}

static double percent(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : 0;
}

struct part {
	const char *key, *name;
};

/* Those that are not nothing, behind a colon. */
static void print_parts(struct json_object *of, const struct part *parts, size_t n)
{
	const char *between = ": ";
	char buf[MW_TEXT];

	for (size_t i = 0; i < n; i++) {
		if (number(of, parts[i].key) <= 0)
			continue;
		printf("%s%s %s", between, parts[i].name, mw_say_bytes(of, parts[i].key, buf));
		between = ", ";
	}
}

static void print_used(struct json_object *used)
{
	static const struct part parts[] = {
		{"anon_bytes", "anon"},	    {"cache_bytes", "page cache"}, {"shmem_bytes", "shmem"},
		{"kernel_bytes", "kernel"}, {"sock_bytes", "sockets"},	   {"rest_bytes", "not in memory.stat"},
	};
	char buf[MW_TEXT];

	printf("  in use %s", mw_say_bytes(used, "bytes", buf));
	print_parts(used, parts, ARRAY_SIZE(parts));
	if (number(used, "swapped_bytes") > 0)
		printf("; swapped out %s", mw_say_bytes(used, "swapped_bytes", buf));
	putchar('\n');
}

/* Where it is a part worth a line. */
static void print_kernel(struct json_object *kernel, struct json_object *used)
{
	static const struct part parts[] = {
		{"slab_bytes", "slab"},	      {"page_table_bytes", "page tables"},
		{"stack_bytes", "stacks"},    {"per_cpu_bytes", "per processor"},
		{"vmalloc_bytes", "vmalloc"}, {"rest_bytes", "pages of pipes, sockets and the like"},
	};
	char buf[MW_TEXT];

	if (number(used, "kernel_bytes") < KERNEL_WORTH * number(used, "bytes"))
		return;
	printf("  kernel %s", mw_say_bytes(used, "kernel_bytes", buf));
	print_parts(kernel, parts, ARRAY_SIZE(parts));
	putchar('\n');
}

static void print_descriptors(struct json_object *d)
{
	static const struct part kinds[] = {
		{"pipes", "of pipes"},	 {"sockets", "of sockets"},
		{"memfds", "of memfds"}, {"anon_inodes", "of epoll, eventfd and the like"},
		{"other", "of files"},
	};
	const char *between = "  its processes hold descriptors: ";

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (number(d, kinds[i].key) <= 0)
			continue;
		printf("%s%.0f %s", between, number(d, kinds[i].key), kinds[i].name);
		between = ", ";
	}
	puts(mw_field_bool(d, "more") ? ", and more" : "");
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
	if (number(s, "processes_silent") > 0)
		printf("  %.0f of %.0f sampled processes never call malloc: an allocator inside a program is out of "
		       "reach\n",
		       number(s, "processes_silent"), number(s, "processes"));
	if (without > 0)
		printf("  %.0f of %.0f processes have no sampler; they hold up to %s of anon and swap\n", without,
		       without + number(s, "processes"), mw_say_bytes(s, "without_bytes", buf));
}

static void print_share(struct json_object *site, const char *key, const char *of)
{
	double share = mw_field_number(site, key, -1);

	if (share >= 0)
		printf("; %.0f %% %s", 100 * share, of);
}

void mw_print_life(struct json_object *site)
{
	double age = mw_field_number(site, "mean_age_s", -1), span = mw_field_number(site, "pages_span_s", -1);
	char buf[MW_TEXT], pages[MW_TEXT];

	if (age < 0)
		return;
	printf("    held for %s on average", mw_say_seconds(age, buf));
	print_share(site, "kept_share", "of what it held at the first look is held still");
	if (span >= 0 && mw_field_number(site, "untouched_share", -1) >= 0) {
		snprintf(pages, sizeof(pages), "of its pages not touched for %s", mw_say_seconds(span, buf));
		print_share(site, "untouched_share", pages);
	}
	if (mw_field_number(site, "swapped_share", 0) > 0)
		print_share(site, "swapped_share", "of its pages swapped out");
	putchar('\n');
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
	if (part && mw_field_object(account, "kernel"))
		print_kernel(mw_field_object(account, "kernel"), part);
	part = account ? mw_field_object(account, "descriptors") : NULL;
	if (part)
		print_descriptors(part);
	part = account ? mw_field_object(account, "charged") : NULL;
	if (part)
		print_charged(part);
	part = account ? mw_field_object(account, "sampled") : NULL;
	if (part)
		print_sampled(part);
}
