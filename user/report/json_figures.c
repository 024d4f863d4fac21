// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "report/json_figures.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/json_out.h"
#include "util/clock.h"

/* No counter of a process comes near, and sums of a few of them still fit. */
#define VALUE_MAX ((__u64)1 << 60)

/* Member key of what; missing: 0. */
static int read_value(struct json_object *o, const char *what, const char *key, __u64 *ret, struct mw_error *err)
{
	struct json_object *v;

	if (!json_object_object_get_ex(o, key, &v))
		return 0;
	if (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) < 0 ||
	    json_object_get_uint64(v) > VALUE_MAX)
		return mw_fail(err, -EINVAL, "figures: %s: \"%s\": expected a whole number from 0 to 2^60", what, key);
	*ret = json_object_get_uint64(v);
	return 0;
}

static int read_values(struct json_object *o, const char *what, const struct mw_figure_row *rows, size_t n,
		       unsigned int of, __u64 *ret, struct mw_error *err)
{
	for (size_t i = 0; i < n; i++) {
		int r = rows[i].of & of ? read_value(o, what, rows[i].key, &ret[i], err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* A list of at most most objects, or nothing. */
static int read_list(struct json_object *o, const char *key, size_t most, struct json_object **ret_list, size_t *ret_n,
		     struct mw_error *err)
{
	*ret_list = NULL;
	*ret_n = 0;
	if (!json_object_object_get_ex(o, key, ret_list))
		return 0;
	if (!json_object_is_type(*ret_list, json_type_array) || json_object_array_length(*ret_list) > most)
		return mw_fail(err, -EINVAL, "figures: \"%s\": expected a list of at most %zu objects", key, most);
	*ret_n = json_object_array_length(*ret_list);
	return 0;
}

static int read_name(struct json_object *o, const char *key, size_t i, char ret[MW_FIGURES_NAME], struct mw_error *err)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, "name", &v) ||
	    !json_object_is_type(v, json_type_string) || !mw_figure_name_valid(json_object_get_string(v)))
		return mw_fail(err, -EINVAL,
			       "figures: \"%s\", number %zu: expected \"name\", 1 to %d letters, digits, _ . or -", key,
			       i + 1, MW_FIGURES_NAME - 1);
	snprintf(ret, MW_FIGURES_NAME, "%s", json_object_get_string(v));
	return 0;
}

static int twice(const char *key, const char *name, struct mw_error *err)
{
	return mw_fail(err, -EINVAL, "figures: \"%s\": the name %s is there twice", key, name);
}

static int read_pool(struct json_object *o, size_t i, struct mw_pool_figures *p, struct mw_error *err)
{
	struct json_object *v;
	int r = read_name(o, "pools", i, p->name, err);

	if (r < 0)
		return r;
	p->bytes = json_object_object_get_ex(o, "bytes", &v) && json_object_get_boolean(v);
	return read_values(o, p->name, mw_pool_rows, MW_POOL_FIGURE_MAX,
			   p->bytes ? MW_FIGURE_OF_BYTES : MW_FIGURE_OF_POOL, p->values, err);
}

static int read_pools(struct json_object *o, struct mw_figures *f, struct mw_error *err)
{
	struct json_object *list;
	size_t n;
	int r = read_list(o, "pools", MW_FIGURES_POOLS, &list, &n, err);

	for (size_t i = 0; r >= 0 && i < n; i++, f->n_pools++) {
		r = read_pool(json_object_array_get_idx(list, i), i, &f->pools[i], err);
		for (size_t k = 0; r >= 0 && k < i; k++)
			if (strcmp(f->pools[k].name, f->pools[i].name) == 0)
				r = twice("pools", f->pools[i].name, err);
	}
	return r;
}

static int read_limiters(struct json_object *o, struct mw_figures *f, struct mw_error *err)
{
	struct json_object *list;
	size_t n;
	int r = read_list(o, "limiters", MW_FIGURES_LIMITERS, &list, &n, err);

	for (size_t i = 0; r >= 0 && i < n; i++, f->n_limiters++) {
		struct json_object *one = json_object_array_get_idx(list, i);
		struct mw_limiter_figures *l = &f->limiters[i];

		r = read_name(one, "limiters", i, l->name, err);
		if (r >= 0)
			r = read_values(one, l->name, mw_limiter_rows, MW_LIMITER_FIGURE_MAX, MW_FIGURE_OF_LIMITER,
					l->values, err);
		for (size_t k = 0; r >= 0 && k < i; k++)
			if (strcmp(f->limiters[k].name, l->name) == 0)
				r = twice("limiters", l->name, err);
	}
	return r;
}

static int read_histogram(struct json_object *o, const char *key, struct mw_figure_histogram *h, struct mw_error *err)
{
	struct json_object *one, *counts;
	int r;

	if (!json_object_object_get_ex(o, key, &one))
		return 0;
	if (!json_object_is_type(one, json_type_object) || !json_object_object_get_ex(one, "counts", &counts) ||
	    !json_object_is_type(counts, json_type_array) || json_object_array_length(counts) != MW_FIGURES_BUCKETS)
		return mw_fail(err, -EINVAL, "figures: requests: \"%s\": expected \"sum\" and \"counts\", a list of %d",
			       key, MW_FIGURES_BUCKETS);
	r = read_value(one, key, "sum", &h->sum, err);
	for (size_t i = 0; r >= 0 && i < MW_FIGURES_BUCKETS; i++) {
		struct json_object *v = json_object_array_get_idx(counts, i);

		if (!json_object_is_type(v, json_type_int) || json_object_get_int64(v) < 0 ||
		    json_object_get_uint64(v) > VALUE_MAX / MW_FIGURES_BUCKETS)
			return mw_fail(err, -EINVAL, "figures: requests: \"%s\": a count is no whole number from 0 on",
				       key);
		h->counts[i] = json_object_get_uint64(v);
	}
	return r;
}

static int read_requests(struct json_object *o, struct mw_figures *f, struct mw_error *err)
{
	struct json_object *q;
	int r;

	if (!json_object_object_get_ex(o, "requests", &q) || !q)
		return 0;
	if (!json_object_is_type(q, json_type_object))
		return mw_fail(err, -EINVAL, "figures: \"requests\": expected an object");
	f->has_requests = true;
	r = read_values(q, "requests", mw_request_rows, MW_REQUEST_FIGURE_MAX, MW_FIGURE_OF_REQUESTS,
			f->requests.values, err);
	for (size_t i = 0; r >= 0 && i < MW_REQUEST_HISTOGRAM_MAX; i++)
		r = read_histogram(q, mw_request_histograms[i].key, &f->requests.histograms[i], err);
	return r;
}

int mw_json_figures_read(struct json_object *o, struct mw_figures *ret_figures, struct mw_error *err)
{
	struct mw_figures f = {0};
	int r = read_pools(o, &f, err);

	if (r >= 0)
		r = read_limiters(o, &f, err);
	if (r >= 0)
		r = read_requests(o, &f, err);
	if (r < 0)
		return r;
	*ret_figures = f;
	return 0;
}

static void put_values(struct mw_json_out *o, const struct mw_figure_row *rows, size_t n, unsigned int of,
		       const __u64 *values)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].of & of)
			mw_json_u64(o, rows[i].key, values[i]);
}

/* An object goes into the list; NULL stays NULL. */
static struct json_object *with(struct json_object *list, struct json_object *one)
{
	if (list && one && json_object_array_add(list, one) == 0)
		return list;
	json_object_put(one);
	json_object_put(list);
	return NULL;
}

static struct json_object *pools(const struct mw_figures *f)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < f->n_pools; i++) {
		const struct mw_pool_figures *p = &f->pools[i];
		struct mw_json_out o = mw_json_begin(json_object_new_object());

		mw_json_text(&o, "name", p->name);
		mw_json_bool(&o, "bytes", p->bytes);
		put_values(&o, mw_pool_rows, MW_POOL_FIGURE_MAX, p->bytes ? MW_FIGURE_OF_BYTES : MW_FIGURE_OF_POOL,
			   p->values);
		list = with(list, mw_json_end(&o));
	}
	return list;
}

static struct json_object *limiters(const struct mw_figures *f)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < f->n_limiters; i++) {
		struct mw_json_out o = mw_json_begin(json_object_new_object());

		mw_json_text(&o, "name", f->limiters[i].name);
		put_values(&o, mw_limiter_rows, MW_LIMITER_FIGURE_MAX, MW_FIGURE_OF_LIMITER, f->limiters[i].values);
		list = with(list, mw_json_end(&o));
	}
	return list;
}

static struct json_object *histogram(const struct mw_figure_histogram *h)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	struct json_object *counts = json_object_new_array();

	for (unsigned int i = 0; i < MW_FIGURES_BUCKETS; i++)
		counts = with(counts, json_object_new_uint64(h->counts[i]));
	mw_json_u64(&o, "sum", h->sum);
	mw_json_put(&o, "counts", counts);
	return mw_json_end(&o);
}

static struct json_object *requests(const struct mw_request_figures *q)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "count", mw_figure_counted(&q->histograms[MW_REQUEST_DURATION]));
	put_values(&o, mw_request_rows, MW_REQUEST_FIGURE_MAX, MW_FIGURE_OF_REQUESTS, q->values);
	for (size_t i = 0; i < MW_REQUEST_HISTOGRAM_MAX; i++)
		mw_json_put(&o, mw_request_histograms[i].key, histogram(&q->histograms[i]));
	return mw_json_end(&o);
}

struct json_object *mw_json_figures(const struct mw_reported *r, __u64 now_ns)
{
	struct mw_json_out o = mw_json_begin(json_object_new_object());

	mw_json_u64(&o, "age_ms", now_ns > r->time_ns ? (now_ns - r->time_ns) / MW_NS_PER_MS : 0);
	mw_json_bool(&o, "stale", !mw_figures_fresh(r, now_ns));
	mw_json_int(&o, "pid", r->pid);
	mw_json_put(&o, "pools", pools(&r->figures));
	mw_json_put(&o, "limiters", limiters(&r->figures));
	if (r->figures.has_requests)
		mw_json_put(&o, "requests", requests(&r->figures.requests));
	else
		mw_json_null(&o, "requests");
	return mw_json_end(&o);
}
