/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define CUMULATIVE 2

static const struct {
	const char *word;
	enum mw_points points;
} types[] = {
	{"gauge", MW_POINTS_GAUGE},  {"unknown", MW_POINTS_GAUGE},	 {"counter", MW_POINTS_COUNTER},
	{"info", MW_POINTS_SUM},     {"stateset", MW_POINTS_SUM},	 {"histogram", MW_POINTS_HISTOGRAM},
	{"summary", MW_POINTS_NONE}, {"gaugehistogram", MW_POINTS_NONE},
};

/* Words of OpenMetrics, in the code of units that OpenTelemetry uses. */
static const struct {
	const char *word, *ucum;
} units[] = {
	{"bytes", "By"}, {"seconds", "s"}, {"percent", "%"},   {"ratio", "1"},
	{"days", "d"},	 {"hours", "h"},   {"minutes", "min"},
};

int mw_metrics_init(struct mw_metrics *m)
{
	*m = (struct mw_metrics){.out = MW_OUT(2 * MW_METRIC_PIECE), .group.labels = MW_OUT(16U << 10)};
	return 0;
}

void mw_metrics_free(struct mw_metrics *m)
{
	mw_starts_free(&m->starts);
	mw_out_free(&m->out);
	mw_out_free(&m->group.labels);
}

/* ---- a piece of a family, an item of the queue ---- */

static void begin_piece(struct mw_metrics *m, const char *name)
{
	static const char *const kinds[] = {"gauge", "sum", "sum", "histogram"};
	enum mw_points points = m->family.points;

	mw_out_open(&m->out, "{");
	mw_out_key(&m->out, "name");
	mw_out_text(&m->out, name);
	if (m->family.help[0]) {
		mw_out_key(&m->out, "description");
		mw_out_text(&m->out, m->family.help);
	}
	if (m->family.unit[0]) {
		mw_out_key(&m->out, "unit");
		mw_out_text(&m->out, m->family.unit);
	}
	mw_out_key(&m->out, kinds[points]);
	mw_out_raw(&m->out, "{");
	if (points != MW_POINTS_GAUGE) {
		mw_out_key(&m->out, "aggregationTemporality");
		mw_out_int(&m->out, CUMULATIVE);
	}
	if (points == MW_POINTS_COUNTER || points == MW_POINTS_SUM) {
		mw_out_key(&m->out, "isMonotonic");
		mw_out_raw(&m->out, points == MW_POINTS_COUNTER ? "true" : "false");
	}
	mw_out_key(&m->out, "dataPoints");
	mw_out_raw(&m->out, "[");
}

static void end_piece(struct mw_metrics *m, __u64 now_ns)
{
	if (!m->out.size)
		return;
	mw_out_raw(&m->out, "]}}");
	if (m->out.failed)
		m->to->queue.dropped += m->points;
	else
		mw_exporter_add(m->to, m->out.data, m->out.size, m->points, now_ns);
	mw_out_cut(&m->out, 0);
	m->points = 0;
}

/* ---- a point ---- */

static void put_time(struct mw_out *o, const char *key, __u64 ns)
{
	if (!ns)
		return;
	mw_out_key(o, key);
	mw_out_u64(o, ns);
}

static __u64 nanoseconds(double s)
{
	return s > 0 && s < 1e10 ? (__u64)(s * 1e9) : 0;
}

static void put_number(struct mw_out *o, const struct mw_om_line *l)
{
	mw_out_key(o, l->whole ? "asInt" : "asDouble");
	if (l->whole)
		mw_out_s64(o, l->number);
	else
		mw_out_double(o, l->value);
}

/* Buckets count what is below their bound too: here each counts its own. */
static void put_buckets(struct mw_out *o, const struct mw_metric_group *g)
{
	double below = 0;

	mw_out_key(o, "bucketCounts");
	mw_out_raw(o, "[");
	for (size_t i = 0; i < g->n_buckets; i++) {
		mw_out_u64(o, (__u64)(g->buckets[i] - below));
		below = g->buckets[i];
	}
	mw_out_raw(o, "]");
	mw_out_key(o, "explicitBounds");
	mw_out_raw(o, "[");
	for (size_t i = 0; i + 1 < g->n_buckets; i++)
		mw_out_double(o, g->bounds[i]);
	mw_out_raw(o, "]");
}

static void put_histogram(struct mw_out *o, const struct mw_metric_group *g)
{
	mw_out_key(o, "count");
	mw_out_u64(o, (__u64)g->count);
	if (g->has_sum) {
		mw_out_key(o, "sum");
		mw_out_double(o, g->sum);
	}
	if (g->n_buckets)
		put_buckets(o, g);
}

/* Bounds and counts rise, the last bound is infinite and its count all of them: else it is none. */
static bool good_histogram(const struct mw_metric_group *g)
{
	if (!g->has_count || g->broken || !(g->count >= 0 && g->count < 1e18))
		return false;
	for (size_t i = 0; i < g->n_buckets; i++)
		if (!(g->buckets[i] >= (i ? g->buckets[i - 1] : 0)) || (i && !(g->bounds[i] > g->bounds[i - 1])))
			return false;
	return !g->n_buckets || (isinf(g->bounds[g->n_buckets - 1]) && g->buckets[g->n_buckets - 1] == g->count);
}

static void write_point(struct mw_metrics *m)
{
	const struct mw_metric_group *g = &m->group;
	bool histogram = m->family.points == MW_POINTS_HISTOGRAM;
	__u64 start_ns = 0, time_ns = g->time_s > 0 ? nanoseconds(g->time_s) : m->wall_ns;

	if (m->family.points != MW_POINTS_GAUGE && m->family.points != MW_POINTS_SUM)
		start_ns = g->created_s > 0 ? nanoseconds(g->created_s)
					    : mw_starts_of(&m->starts, mw_starts_key(g->key, g->name),
							   histogram ? g->count : g->value.value);
	mw_out_open(&m->out, "{");
	mw_out_key(&m->out, "attributes");
	mw_out_raw(&m->out, "[");
	mw_out_bytes(&m->out, g->labels.data ? g->labels.data : "", g->labels.size);
	mw_out_raw(&m->out, "]");
	put_time(&m->out, "startTimeUnixNano", start_ns < time_ns ? start_ns : time_ns * !!start_ns);
	put_time(&m->out, "timeUnixNano", time_ns);
	if (histogram)
		put_histogram(&m->out, g);
	else
		put_number(&m->out, &g->value);
	mw_out_raw(&m->out, "}");
	m->points++;
}

static void end_group(struct mw_metrics *m, __u64 now_ns)
{
	struct mw_metric_group *g = &m->group;
	bool good = m->family.points == MW_POINTS_HISTOGRAM ? good_histogram(g) : g->has_value;

	if (!g->key)
		return;
	if (good && !g->labels.failed) {
		if (!m->out.size)
			begin_piece(m, g->name);
		write_point(m);
		if (m->out.size >= MW_METRIC_PIECE)
			end_piece(m, now_ns);
	} else {
		m->left_out++;
	}
	mw_out_cut(&g->labels, 0);
	*g = (struct mw_metric_group){.labels = g->labels};
}

/* ---- samples ---- */

static const char *suffix_of(const struct mw_metrics *m, const struct mw_om_line *l)
{
	size_t n = strlen(m->family.name);

	return n && strncmp(l->name, m->family.name, n) == 0 ? l->name + n : NULL;
}

static __u64 key_of(const struct mw_om_line *l)
{
	__u64 key = mw_starts_key(0, "");

	for (size_t i = 0; i < l->n_labels; i++)
		if (strcmp(l->labels[i].key, "le") != 0)
			key = mw_starts_key(mw_starts_key(key, l->labels[i].key), l->labels[i].value);
	return key;
}

static void begin_group(struct mw_metrics *m, const struct mw_om_line *l, __u64 key)
{
	struct mw_metric_group *g = &m->group;

	g->key = key;
	snprintf(g->name, sizeof(g->name), "%s", m->family.points == MW_POINTS_HISTOGRAM ? m->family.name : l->name);
	for (size_t i = 0; i < l->n_labels; i++)
		if (strcmp(l->labels[i].key, "le") != 0 || m->family.points != MW_POINTS_HISTOGRAM)
			mw_out_attr_text(&g->labels, l->labels[i].key, l->labels[i].value);
}

static void take_bucket(struct mw_metric_group *g, const struct mw_om_line *l)
{
	const char *le = mw_om_label(l, "le");

	if (!le || g->n_buckets == MW_METRIC_BUCKETS) {
		g->broken = true;
		return;
	}
	g->bounds[g->n_buckets] = strcmp(le, "+Inf") == 0 ? INFINITY : strtod(le, NULL);
	g->buckets[g->n_buckets++] = l->value;
}

static void take_sample(struct mw_metrics *m, const struct mw_om_line *l, const char *suffix)
{
	struct mw_metric_group *g = &m->group;

	if (l->time_s > 0)
		g->time_s = l->time_s;
	if (strcmp(suffix, "_created") == 0 && m->family.points != MW_POINTS_GAUGE) {
		g->created_s = l->value;
	} else if (m->family.points != MW_POINTS_HISTOGRAM) {
		g->has_value = true;
		g->value = *l;
		g->value.n_labels = 0;
	} else if (strcmp(suffix, "_bucket") == 0) {
		take_bucket(g, l);
	} else if (strcmp(suffix, "_count") == 0) {
		g->has_count = true;
		g->count = l->value;
	} else if (strcmp(suffix, "_sum") == 0) {
		g->has_sum = true;
		g->sum = l->value;
	}
}

static void on_sample(struct mw_metrics *m, const struct mw_om_line *l, __u64 now_ns)
{
	const char *suffix = suffix_of(m, l);
	__u64 key = key_of(l);
	/* A value of its own begins a point; what else there is of it follows. */
	bool again = m->group.has_value && suffix && strcmp(suffix, "_created") != 0;

	if (!suffix || m->family.points == MW_POINTS_NONE) {
		m->left_out++;
		return;
	}
	if (key != m->group.key || again)
		end_group(m, now_ns);
	if (!m->group.key)
		begin_group(m, l, key);
	take_sample(m, l, suffix);
}

/* ---- families ---- */

static void begin_family(struct mw_metrics *m, const char *name, __u64 now_ns)
{
	if (strcmp(m->family.name, name) == 0)
		return;
	end_group(m, now_ns);
	end_piece(m, now_ns);
	m->family = (struct mw_metric_family){.points = MW_POINTS_GAUGE};
	snprintf(m->family.name, sizeof(m->family.name), "%s", name);
}

static void take_meta(struct mw_metrics *m, const struct mw_om_line *l, __u64 now_ns)
{
	begin_family(m, l->name, now_ns);
	if (l->kind == MW_OM_HELP) {
		snprintf(m->family.help, sizeof(m->family.help), "%s", l->text);
		return;
	}
	if (l->kind == MW_OM_UNIT) {
		snprintf(m->family.unit, sizeof(m->family.unit), "%.31s", l->text);
		for (size_t i = 0; i < ARRAY_SIZE(units); i++)
			if (strcmp(l->text, units[i].word) == 0)
				snprintf(m->family.unit, sizeof(m->family.unit), "%s", units[i].ucum);
		return;
	}
	end_group(m, now_ns); /* one that says its type late */
	end_piece(m, now_ns);
	m->family.points = MW_POINTS_NONE;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(l->text, types[i].word) == 0)
			m->family.points = types[i].points;
}

void mw_metrics_begin(struct mw_metrics *m, struct mw_exporter *to, __u64 wall_ns)
{
	mw_out_cut(&m->out, 0);
	mw_out_cut(&m->group.labels, 0);
	m->group = (struct mw_metric_group){.labels = m->group.labels};
	m->family = (struct mw_metric_family){.points = MW_POINTS_GAUGE};
	m->points = 0;
	m->to = to;
	m->wall_ns = wall_ns;
	mw_starts_look(&m->starts, wall_ns);
}

void mw_metrics_line(struct mw_metrics *m, char *line, __u64 now_ns)
{
	struct mw_om_line l;

	if (mw_om_parse(line, &l) < 0) {
		m->left_out++;
		return;
	}
	if (l.kind == MW_OM_SAMPLE)
		on_sample(m, &l, now_ns);
	else if (l.kind == MW_OM_TYPE || l.kind == MW_OM_UNIT || l.kind == MW_OM_HELP)
		take_meta(m, &l, now_ns);
}

void mw_metrics_end(struct mw_metrics *m, __u64 now_ns)
{
	end_group(m, now_ns);
	end_piece(m, now_ns);
}
