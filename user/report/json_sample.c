/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/json_sample.h"

#include <stdlib.h>
#include <string.h>

#include "leak/record.h"
#include "report/json.h"
#include "util/cleanup.h"

static void put_list(struct mw_json_text *t, const char *key, const __u64 *values, size_t n)
{
	mw_json_put_text(t, key);
	for (size_t i = 0; i < n; i++) {
		mw_json_put_text(t, i ? "," : "[");
		mw_json_put_number(t, values[i]);
	}
	mw_json_put_text(t, "]");
}

void mw_json_samples_begin(struct mw_json_text *t, const struct mw_monitor *m, __u64 now_ns, __u64 wall_ns)
{
	__u64 monitor[MW_RECORD_MONITOR];
	char when[64];

	*t = (struct mw_json_text){0};
	mw_json_put_text(t, "{\"schema\":1,\"timestamp\":\"");
	mw_json_put_text(t, mw_json_time(wall_ns, when, sizeof(when)));
	mw_json_put_text(t, "\",\"wall_ns\":");
	mw_json_put_number(t, wall_ns);
	mw_json_put_text(t, ",\"time_ns\":");
	mw_json_put_number(t, now_ns);
	mw_record_monitor_out(m, monitor);
	put_list(t, ",\"monitor\":", monitor, MW_RECORD_MONITOR);
	mw_json_put_text(t, ",\"fields\":[");
	for (size_t i = 0; i < MW_RECORD_FIELDS; i++) {
		mw_json_put_text(t, i ? ",\"" : "\"");
		mw_json_put_text(t, mw_record_fields[i].name);
		mw_json_put_text(t, "\"");
	}
	mw_json_put_text(t, "],\"workers\":[");
}

/* Names of workers and classes are letters, digits, ".", "_" and "-" (core/name.c): nothing has to be escaped. */
static void put_profile(struct mw_json_text *t, const struct mw_worker *w)
{
	__u64 profile[MW_RECORD_PROFILE];

	mw_json_put_text(t, ",\"name\":\"");
	mw_json_put_text(t, w->name);
	mw_json_put_text(t, "\",\"class\":\"");
	mw_json_put_text(t, w->class_name);
	mw_json_put_text(t, "\"");
	mw_record_profile_out(&w->profile, profile);
	put_list(t, ",\"profile\":", profile, MW_RECORD_PROFILE);
}

void mw_json_sample(struct mw_json_text *t, struct mw_worker *w, bool profile)
{
	__u64 sample[1 + MW_RECORD_FIELDS] = {w->usage.time_ns};

	if (!w->usage.time_ns)
		return;
	mw_json_put_text(t, t->more ? ",{\"id\":" : "{\"id\":");
	t->more = true;
	mw_json_put_number(t, w->cgroup_id);
	for (size_t i = 0; i < MW_RECORD_FIELDS; i++)
		sample[1 + i] = *mw_record_field(&w->usage, i);
	put_list(t, ",\"sample\":", sample, 1 + MW_RECORD_FIELDS);
	if (w->history.count) {
		struct mw_point p = mw_series_at(&w->history, w->history.count - 1);
		const __u64 check[] = {p.time_ns, p.bytes, w->trend.verdict};

		put_list(t, ",\"check\":", check, ARRAY_SIZE(check));
	}
	if (profile)
		put_profile(t, w);
	mw_json_put_text(t, "}");
}

char *mw_json_samples_end(struct mw_json_text *t)
{
	mw_json_put_bytes(t, "]}", 3);
	if (t->failed)
		mw_freep(&t->text);
	return TAKE_PTR(t->text);
}
