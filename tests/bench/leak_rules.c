/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * leak_rules RECORDING [WORKER]: what plain rules (rules.h) say of each worker of a recording, a line of JSON each; of
 * one worker, its samples as a CSV that memweir replay reads. Five minutes count as an hour: floors of 5 s, the last 60
 * of them, from a minute on. "ever": the rule called it at some time; "end": it does after the last one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leak/record.h"
#include "rules.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define BUCKET_NS (5 * MW_NS_PER_S)
#define WINDOW	  60 /* buckets: what counts as an hour */
#define LEAST	  12

struct judged {
	char name[MW_NAME_SIZE];
	double x[WINDOW]; /* the last floors, oldest first */
	int n;
	double open; /* the floor of the bucket that is open */
	__u64 first_ns, last_ns, began_ns;
	bool ever[N_RULES], end[N_RULES];
};

static void close_bucket(struct judged *w)
{
	if (w->n == WINDOW)
		memmove(w->x, w->x + 1, (WINDOW - 1) * sizeof(*w->x));
	w->x[w->n == WINDOW ? WINDOW - 1 : w->n++] = w->open;
	for (size_t r = 0; r < N_RULES && w->n >= LEAST; r++) {
		w->end[r] = rules[r].calls(w->x, w->n, WINDOW);
		w->ever[r] |= w->end[r];
	}
}

static void sample(struct judged *w, const struct mw_usage *u)
{
	double used = (double)(u->heap + u->bin);

	if (!w->first_ns)
		w->first_ns = w->began_ns = u->time_ns;
	else if (u->time_ns - w->began_ns >= BUCKET_NS)
		close_bucket(w);
	if (w->first_ns == u->time_ns || u->time_ns - w->began_ns >= BUCKET_NS) {
		w->began_ns = u->time_ns;
		w->open = used;
	}
	w->open = used < w->open ? used : w->open;
	w->last_ns = u->time_ns;
}

static void print_worker(const struct judged *w)
{
	printf("{\"name\":\"%s\",\"seconds\":%.1f,\"rules\":{", w->name, (double)(w->last_ns - w->first_ns) / 1e9);
	for (size_t r = 0; r < N_RULES; r++)
		printf("%s\"%s\":{\"ever\":%s,\"end\":%s}", r ? "," : "", rules[r].name, w->ever[r] ? "true" : "false",
		       w->end[r] ? "true" : "false");
	printf("}}\n");
}

static int read_all(struct mw_record_reader *r, struct judged *workers, const char *only, struct mw_error *err)
{
	struct mw_record_item item;
	int rc;

	if (only)
		printf("seconds,memory_bytes\n");
	while ((rc = mw_record_next(r, &item, err)) > 0) {
		struct judged *w = &workers[item.worker];

		if (item.kind == MW_RECORD_WORKER)
			snprintf(w->name, sizeof(w->name), "%s", item.about.name);
		if (item.kind != MW_RECORD_SAMPLE)
			continue;
		sample(w, &item.usage);
		if (only && strcmp(only, w->name) == 0)
			printf("%.3f,%llu\n", (double)(w->last_ns - w->first_ns) / 1e9,
			       item.usage.heap + item.usage.bin);
	}
	return rc;
}

int main(int argc, char **argv)
{
	_cleanup_free_ struct judged *workers = calloc(MW_RECORD_WORKERS, sizeof(*workers));
	_cleanup_(mw_record_reader_free) struct mw_record_reader reader = {0};
	_cleanup_free_ unsigned char *bytes = NULL;
	struct mw_error err = {""};
	size_t size;
	int rc;

	if (argc < 2 || argc > 3 || !workers) {
		fprintf(stderr, "usage: leak_rules RECORDING [WORKER]\n");
		return 2;
	}
	rc = mw_record_load(argv[1], &bytes, &size, &err);
	if (rc >= 0)
		rc = mw_record_open(argv[1], bytes, size, &reader, &err);
	if (rc >= 0)
		rc = read_all(&reader, workers, argc > 2 ? argv[2] : NULL, &err);
	if (rc < 0) {
		fprintf(stderr, "leak_rules: %s\n", err.text);
		return 1;
	}
	for (__u32 i = 0; i < reader.n_workers && argc == 2; i++)
		print_worker(&workers[i]);
	return 0;
}
