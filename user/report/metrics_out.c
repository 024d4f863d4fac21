/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/metrics_out.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/metrics_number.h"
#include "util/cleanup.h"

#define CHUNK_FIRST 1024
#define CHUNK_MOST  (64 << 10)

static const struct {
	const char *open, *prometheus, *suffix;
} types[] = {
	[MW_METRIC_GAUGE] = {"gauge", "gauge", ""},
	[MW_METRIC_COUNTER] = {"counter", "counter", "_total"},
	[MW_METRIC_HISTOGRAM] = {"histogram", "histogram", ""},
	[MW_METRIC_INFO] = {"info", "gauge", "_info"},
};
_Static_assert(ARRAY_SIZE(types) == MW_METRIC_TYPE_MAX, "a row for each type");

/* What is written of a family: full chunks, and the one that is being filled. */
struct text {
	struct mw_parts *full;
	struct mw_kept *chunk;
	size_t room;
};

struct mw_metrics_out {
	const char *families;
	size_t stride, n;
	bool open, failed;
	struct text texts[];
};

const char *mw_metric_type_name(enum mw_metric_type type, bool openmetrics)
{
	return openmetrics ? types[type].open : types[type].prometheus;
}

struct mw_metrics_out *mw_metrics_out_new(const struct mw_metric_family *families, size_t stride, size_t n,
					  bool openmetrics)
{
	struct mw_metrics_out *o = calloc(1, sizeof(*o) + n * sizeof(o->texts[0]));

	if (!o)
		return NULL;
	o->families = (const char *)families;
	o->stride = stride;
	o->n = n;
	o->open = openmetrics;
	return o;
}

void mw_metrics_out_free(struct mw_metrics_out *o)
{
	for (size_t i = 0; o && i < o->n; i++) {
		mw_parts_free(o->texts[i].full);
		mw_kept_drop(o->texts[i].chunk);
	}
	free(o);
}

bool mw_metrics_out_is_open(const struct mw_metrics_out *o)
{
	return o->open;
}

static const struct mw_metric_family *family(const struct mw_metrics_out *o, size_t i)
{
	return (const struct mw_metric_family *)(const void *)(o->families + i * o->stride);
}

/* The chunk becomes a part. */
static int put_by(struct text *t)
{
	int r;

	if (!t->chunk)
		return 0;
	if (!t->full)
		t->full = mw_parts_new();
	r = t->full ? mw_parts_add(t->full, t->chunk, 0, t->chunk->size) : -ENOMEM;
	mw_kept_drop(TAKE_PTR(t->chunk));
	return r;
}

/* Room for size more bytes, at the end of what is written. NULL: none. */
static char *reserve(struct mw_metrics_out *o, struct text *t, size_t size)
{
	size_t room = t->room ? t->room * 4 : CHUNK_FIRST;

	if (o->failed)
		return NULL;
	if (t->chunk && t->room - t->chunk->size >= size)
		return t->chunk->text + t->chunk->size;
	room = room > CHUNK_MOST ? CHUNK_MOST : room;
	room = room > size ? room : size;
	if (put_by(t) == 0)
		t->chunk = malloc(sizeof(*t->chunk) + room + 1);
	o->failed = !t->chunk;
	if (!t->chunk)
		return NULL;
	*t->chunk = (struct mw_kept){.holders = 1};
	t->room = room;
	return t->chunk->text;
}

static void head(struct mw_metrics_out *o, size_t i)
{
	const struct mw_metric_family *f = family(o, i);
	const char *type = mw_metric_type_name(f->type, o->open), *suffix = o->open ? "" : types[f->type].suffix;
	size_t size = 4 * strlen(f->name) + strlen(f->help) + 96;
	char *to = reserve(o, &o->texts[i], size);
	int n;

	if (!to)
		return;
	n = snprintf(to, size, "# HELP %s%s %s\n# TYPE %s%s %s\n", f->name, suffix, f->help, f->name, suffix, type);
	if (o->open && f->unit)
		n += snprintf(to + n, size - (size_t)n, "# UNIT %s %s\n", f->name, f->unit);
	o->texts[i].chunk->size += (size_t)n;
}

/* What a sample begins with. */
struct sample {
	const char *suffix; /* of its name; NULL: the type's */
	const struct mw_metric_labels *labels;
	const char *le; /* one label more; NULL: none */
};

static char *put(char *to, const char *text, size_t size)
{
	memcpy(to, text, size);
	return to + size;
}

/* name_suffix{labels,le="…"} value[more]\n */
static void sample(struct mw_metrics_out *o, size_t i, const struct sample *s, const char *value, const char *more)
{
	const struct mw_metric_family *f = family(o, i);
	const char *suffix = s->suffix ? s->suffix : types[f->type].suffix;
	size_t name = strlen(f->name), ending = strlen(suffix), labels = s->labels ? s->labels->used : 0;
	size_t digits = strlen(value), extra = more ? strlen(more) : 0, le = s->le ? strlen(s->le) : 0;
	char *to, *begin;

	if (!o->texts[i].chunk)
		head(o, i);
	begin = to = reserve(o, &o->texts[i], name + ending + labels + digits + extra + le + 16);
	if (!to)
		return;
	to = put(to, f->name, name);
	to = put(to, suffix, ending);
	if (labels || le) {
		*to++ = '{';
		if (labels)
			to = put(to, s->labels->text, labels);
		if (labels && le)
			*to++ = ',';
		if (le) {
			to = put(to, "le=\"", 4);
			to = put(to, s->le, le);
			*to++ = '"';
		}
		*to++ = '}';
	}
	*to++ = ' ';
	to = put(to, value, digits);
	to = put(to, more ? more : "", extra);
	*to++ = '\n';
	o->texts[i].chunk->size += (size_t)(to - begin);
}

void mw_metric_u64(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels, __u64 value)
{
	char text[MW_NUMBER_SIZE];

	sample(o, i, &(struct sample){.labels = labels}, mw_number_u64(value, text), NULL);
}

void mw_metric_seconds(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels, __u64 ns)
{
	char text[MW_NUMBER_SIZE];

	sample(o, i, &(struct sample){.labels = labels}, mw_number_seconds(ns, text), NULL);
}

void mw_metric_double(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels, double value)
{
	char text[MW_NUMBER_SIZE];

	sample(o, i, &(struct sample){.labels = labels}, mw_number_double(value, text), NULL);
}

/* " # {labels} value time" */
static void exemplar_text(const struct mw_metric_exemplar *e, char *buf, size_t size)
{
	char value[MW_NUMBER_SIZE], time[MW_NUMBER_SIZE] = "";

	if (e->wall_ns)
		mw_number_seconds(e->wall_ns, time);
	snprintf(buf, size, " # {%s} %s%s%s", e->labels->text, mw_number_seconds(e->value_ns, value),
		 time[0] ? " " : "", time);
}

void mw_metric_histogram(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels,
			 const struct mw_pause_stat *stat, const struct mw_metric_buckets *buckets,
			 const struct mw_metric_exemplar *exemplar)
{
	char le[MW_NUMBER_SIZE], value[MW_NUMBER_SIZE], example[sizeof(labels->text) + 96];
	struct sample s = {.suffix = "_bucket", .labels = labels, .le = le};
	__u64 all = 0, below = 0;
	int slot = 0;

	if (!o->open)
		exemplar = NULL;
	if (exemplar)
		exemplar_text(exemplar, example, sizeof(example));
	for (int power = buckets->first; power <= buckets->last; power += buckets->step) {
		bool here = exemplar && exemplar->value_ns < 1ULL << power;

		for (; slot < power && slot < MW_HIST_SLOTS; slot++)
			below += stat->hist[slot];
		mw_number_seconds(1ULL << power, le);
		sample(o, i, &s, mw_number_u64(below, value), here ? example : NULL);
		exemplar = here ? NULL : exemplar;
	}
	for (all = below; slot < MW_HIST_SLOTS; slot++)
		all += stat->hist[slot];
	snprintf(le, sizeof(le), "+Inf");
	sample(o, i, &s, mw_number_u64(all, value), exemplar ? example : NULL);
	s = (struct sample){.suffix = "_count", .labels = labels};
	sample(o, i, &s, value, NULL);
	s.suffix = "_sum";
	sample(o, i, &s, mw_number_seconds(stat->total_ns, value), NULL);
}

void mw_metric_steps(struct mw_metrics_out *o, size_t i, const struct mw_metric_labels *labels,
		     const struct mw_metric_steps *steps)
{
	const char *(*number)(__u64 value, char *buf) = steps->ns ? mw_number_seconds : mw_number_u64;
	char le[MW_NUMBER_SIZE], value[MW_NUMBER_SIZE];
	struct sample s = {.suffix = "_bucket", .labels = labels, .le = le};
	__u64 all = 0;

	for (size_t b = 0; b < steps->n; b++) {
		all += steps->counts[b];
		if (b == steps->n - 1)
			snprintf(le, sizeof(le), "+Inf");
		else if (steps->ns)
			mw_number_seconds(steps->bounds[b], le);
		else
			snprintf(le, sizeof(le), "%llu.0", steps->bounds[b]); /* a float, as OpenMetrics wants it */
		sample(o, i, &s, mw_number_u64(all, value), NULL);
	}
	s = (struct sample){.suffix = "_count", .labels = labels};
	sample(o, i, &s, value, NULL);
	s.suffix = "_sum";
	sample(o, i, &s, number(steps->sum, value), NULL);
}

static int end_of_all(struct mw_parts *all)
{
	struct mw_kept *eof = mw_kept_new("# EOF\n", 6);
	int r = eof ? mw_parts_add(all, eof, 0, eof->size) : -ENOMEM;

	mw_kept_drop(eof);
	return r;
}

struct mw_parts *mw_metrics_out_end(struct mw_metrics_out *o)
{
	struct mw_parts *all = mw_parts_new();
	int r = all && !o->failed ? 0 : -ENOMEM;

	for (size_t i = 0; i < o->n && r == 0; i++) {
		struct text *t = &o->texts[i];

		r = put_by(t);
		if (r == 0 && t->full)
			r = mw_parts_append(all, t->full);
		mw_parts_free(TAKE_PTR(t->full));
	}
	if (r == 0 && o->open)
		r = end_of_all(all);
	if (r == 0)
		return all;
	mw_parts_free(all);
	return NULL;
}
