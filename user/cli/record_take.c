/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/field.h"
#include "util/cleanup.h"

#define NO_SUCH "GET /v1/samples: expected %s; is the daemon of another version?"

/* n numbers and no more. */
static bool numbers(struct json_object *o, const char *key, __u64 *ret_values, size_t n)
{
	struct json_object *list = mw_field_array(o, key);

	if (!list || mw_field_length(list) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct json_object *v = json_object_array_get_idx(list, i);

		if (!json_object_is_type(v, json_type_int))
			return false;
		ret_values[i] = json_object_get_uint64(v);
	}
	return true;
}

static bool fields_are_ours(struct json_object *doc)
{
	struct json_object *list = mw_field_array(doc, "fields");

	if (mw_field_length(list) != MW_RECORD_FIELDS)
		return false;
	for (size_t i = 0; i < MW_RECORD_FIELDS; i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(list, i));

		if (!name || strcmp(name, mw_record_fields[i].name) != 0)
			return false;
	}
	return true;
}

static int take_head(struct mw_recording *r, struct json_object *doc, struct mw_error *err)
{
	struct mw_record_head head = {0};
	__u64 monitor[MW_RECORD_MONITOR];
	struct mw_error why = {""};

	if (!mw_field_u64(doc, "wall_ns", &head.wall_ns) || !mw_field_u64(doc, "time_ns", &head.time_ns) ||
	    !numbers(doc, "monitor", monitor, MW_RECORD_MONITOR))
		return mw_fail(err, -EPROTO, NO_SUCH, "wall_ns, time_ns and monitor");
	if (mw_record_monitor_in(monitor, &head.monitor, &why) < 0)
		return mw_fail(err, -EPROTO, NO_SUCH, why.text);
	r->now_ns = head.time_ns;
	r->interval_ns = head.monitor.sample_interval_ns;
	if (r->begun)
		return 0;
	if (!fields_are_ours(doc))
		return mw_fail(err, -EPROTO, NO_SUCH, "the fields this version knows");
	if (mw_record_begin(&r->writer, &head) < 0)
		return mw_fail(err, -ENOMEM, "no memory");
	r->begun = true;
	return 0;
}

static struct mw_recorded *find(struct mw_recording *r, __u64 id)
{
	for (size_t i = 0; i < r->n_known; i++) {
		struct mw_recorded *k = &r->known[(r->near + i) % r->n_known];

		if (k->id != id)
			continue;
		r->near = (size_t)(k - r->known) + 1;
		return k;
	}
	return NULL;
}

static bool wanted(const struct mw_recording *r, const char *name)
{
	for (int i = 0; i < r->n_names; i++)
		if (strcmp(r->names[i], name) == 0)
			return true;
	return !r->n_names;
}

static struct mw_recorded *add(struct mw_recording *r, __u64 id, const char *name)
{
	struct mw_recorded *grown = r->known;

	if (r->n_known == r->room) {
		grown = reallocarray(grown, r->room ? 2 * r->room : 16, sizeof(*grown));
		if (!grown)
			return NULL;
		r->room = r->room ? 2 * r->room : 16;
		r->known = grown;
	}
	grown[r->n_known] = (struct mw_recorded){.id = id, .wanted = wanted(r, name), .worker = r->n_workers};
	r->n_workers += grown[r->n_known].wanted;
	return &grown[r->n_known++];
}

/* Its profile, where the document has it and it is new. */
static int take_profile(struct mw_recording *r, struct mw_recorded *k, struct json_object *o, struct mw_error *err)
{
	struct mw_record_item item = {.kind = MW_RECORD_WORKER, .worker = k->worker, .time_ns = r->now_ns};
	__u64 profile[MW_RECORD_PROFILE];
	struct mw_error why = {""};

	if (!numbers(o, "profile", profile, MW_RECORD_PROFILE))
		return mw_fail(err, -EPROTO, NO_SUCH, "a profile of 16 numbers");
	if (memcmp(k->profile, profile, sizeof(profile)) == 0)
		return 0;
	if (mw_record_profile_in(profile, &item.about.profile, &why) < 0)
		return mw_fail(err, -EPROTO, NO_SUCH, why.text);
	snprintf(item.about.name, sizeof(item.about.name), "%s", mw_field_str(o, "name"));
	snprintf(item.about.class_name, sizeof(item.about.class_name), "%s", mw_field_str(o, "class"));
	memcpy(k->profile, profile, sizeof(profile));
	return mw_record_add(&r->writer, &item);
}

static int add_sample(struct mw_recording *r, struct mw_recorded *k, const __u64 v[1 + MW_RECORD_FIELDS])
{
	struct mw_record_item item = {.kind = MW_RECORD_SAMPLE, .worker = k->worker};

	if (v[0] > r->newest_ns)
		r->newest_ns = v[0];
	if (v[0] <= k->sample_ns)
		return 0;
	k->sample_ns = item.time_ns = item.usage.time_ns = v[0];
	for (size_t i = 0; i < MW_RECORD_FIELDS; i++)
		*mw_record_field(&item.usage, i) = v[1 + i];
	r->samples++;
	return mw_record_add(&r->writer, &item);
}

/* What was checked in that time; it was looked at then, if not recorded. */
static int take_check(struct mw_recording *r, struct mw_recorded *k, struct json_object *o, __u64 from_ns, __u64 to_ns)
{
	struct mw_record_item item = {.kind = MW_RECORD_CHECK, .worker = k->worker};
	__u64 check[3];

	if (!numbers(o, "check", check, 3) || check[0] <= k->check_ns || check[2] >= MW_TREND_MAX)
		return 0;
	if (!from_ns || check[0] < from_ns || check[0] > to_ns)
		return 0;
	k->check_ns = item.time_ns = check[0];
	item.used = check[1];
	item.said = (enum mw_trend_verdict)check[2];
	return mw_record_add(&r->writer, &item);
}

static int take_sample(struct mw_recording *r, struct mw_recorded *k, struct json_object *o, struct mw_error *err)
{
	__u64 v[1 + MW_RECORD_FIELDS];
	int rc;

	if (!numbers(o, "sample", v, 1 + MW_RECORD_FIELDS) || !v[0])
		return mw_fail(err, -EPROTO, NO_SUCH, "a sample of each worker");
	rc = take_check(r, k, o, k->sample_ns, v[0] - 1);
	if (rc >= 0)
		rc = add_sample(r, k, v);
	return rc < 0 ? rc : take_check(r, k, o, k->sample_ns, k->sample_ns);
}

static int take_worker(struct mw_recording *r, struct json_object *o, struct mw_error *err)
{
	bool told = mw_field_array(o, "profile") != NULL;
	struct mw_recorded *k;
	__u64 id;
	int rc;

	if (!mw_field_u64(o, "id", &id))
		return mw_fail(err, -EPROTO, NO_SUCH, "an id of each worker");
	k = find(r, id);
	if (!k && !told) {
		r->strangers = true;
		return 0;
	}
	k = k ? k : add(r, id, mw_field_str(o, "name"));
	if (!k)
		return mw_fail(err, -ENOMEM, "no memory");
	k->seen = true;
	if (!k->wanted)
		return 0;
	rc = told ? take_profile(r, k, o, err) : 0;
	return rc < 0 ? rc : take_sample(r, k, o, err);
}

/* Whoever is no longer there has ended. */
static int take_ends(struct mw_recording *r)
{
	struct mw_record_item item = {.kind = MW_RECORD_ENDED, .time_ns = r->now_ns};
	size_t left = 0;
	int rc = 0;

	for (size_t i = 0; i < r->n_known && rc >= 0; i++) {
		struct mw_recorded *k = &r->known[i];

		item.worker = k->worker;
		if (!k->seen && k->wanted)
			rc = mw_record_add(&r->writer, &item);
		if (k->seen)
			r->known[left++] = *k;
	}
	if (rc >= 0)
		r->n_known = left;
	return rc;
}

int mw_recording_take(struct mw_recording *r, struct json_object *doc, struct mw_error *err)
{
	struct json_object *workers = mw_field_array(doc, "workers");
	int rc = workers ? take_head(r, doc, err) : mw_fail(err, -EPROTO, NO_SUCH, "workers");

	r->strangers = false;
	for (size_t i = 0; i < r->n_known; i++)
		r->known[i].seen = false;
	for (size_t i = 0; i < mw_field_length(workers) && rc >= 0; i++)
		rc = take_worker(r, json_object_array_get_idx(workers, i), err);
	if (rc >= 0)
		rc = take_ends(r);
	if (rc < 0 && !err->text[0])
		mw_fail(err, rc, rc == -EINVAL ? "more than %u workers" : "no memory for %u workers",
			rc == -EINVAL ? MW_RECORD_WORKERS : r->n_workers);
	return rc;
}

int mw_recording_close(struct mw_recording *r, __u64 now_ns)
{
	const struct mw_record_item item = {.kind = MW_RECORD_CLOSE, .time_ns = now_ns};

	return r->begun ? mw_record_add(&r->writer, &item) : 0;
}

void mw_recording_free(struct mw_recording *r)
{
	mw_record_writer_free(&r->writer);
	free(r->known);
	*r = (struct mw_recording){0};
}
