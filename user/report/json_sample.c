/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/json_sample.h"

#include <stdlib.h>
#include <string.h>

#include "leak/record.h"
#include "report/json.h"
#include "util/cleanup.h"

static void put(struct mw_json_text *t, const char *text, size_t n)
{
	if (t->size + n > t->room && !t->failed) {
		size_t room = t->room ? t->room : 4096;
		char *grown;

		while (room < t->size + n)
			room *= 2;
		grown = realloc(t->text, room);
		t->failed = !grown;
		if (grown) {
			t->text = grown;
			t->room = room;
		}
	}
	if (t->failed)
		return;
	memcpy(t->text + t->size, text, n);
	t->size += n;
}

static void put_text(struct mw_json_text *t, const char *text)
{
	put(t, text, strlen(text));
}

static void put_number(struct mw_json_text *t, __u64 value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + value % 10);
	while (value /= 10);
	put(t, digits + at, sizeof(digits) - at);
}

static void put_list(struct mw_json_text *t, const char *key, const __u64 *values, size_t n)
{
	put_text(t, key);
	for (size_t i = 0; i < n; i++) {
		put_text(t, i ? "," : "[");
		put_number(t, values[i]);
	}
	put_text(t, "]");
}

void mw_json_samples_begin(struct mw_json_text *t, const struct mw_monitor *m, __u64 now_ns, __u64 wall_ns)
{
	__u64 monitor[MW_RECORD_MONITOR];
	char when[64];

	*t = (struct mw_json_text){0};
	put_text(t, "{\"schema\":1,\"timestamp\":\"");
	put_text(t, mw_json_time(wall_ns, when, sizeof(when)));
	put_text(t, "\",\"wall_ns\":");
	put_number(t, wall_ns);
	put_text(t, ",\"time_ns\":");
	put_number(t, now_ns);
	mw_record_monitor_out(m, monitor);
	put_list(t, ",\"monitor\":", monitor, MW_RECORD_MONITOR);
	put_text(t, ",\"fields\":[");
	for (size_t i = 0; i < MW_RECORD_FIELDS; i++) {
		put_text(t, i ? ",\"" : "\"");
		put_text(t, mw_record_fields[i].name);
		put_text(t, "\"");
	}
	put_text(t, "],\"workers\":[");
}

/* Names of workers and classes are letters, digits, ".", "_" and "-" (core/name.c): nothing has to be escaped. */
static void put_profile(struct mw_json_text *t, const struct mw_worker *w)
{
	__u64 profile[MW_RECORD_PROFILE];

	put_text(t, ",\"name\":\"");
	put_text(t, w->name);
	put_text(t, "\",\"class\":\"");
	put_text(t, w->class_name);
	put_text(t, "\"");
	mw_record_profile_out(&w->profile, profile);
	put_list(t, ",\"profile\":", profile, MW_RECORD_PROFILE);
}

void mw_json_sample(struct mw_json_text *t, struct mw_worker *w, bool profile)
{
	__u64 sample[1 + MW_RECORD_FIELDS] = {w->usage.time_ns};

	if (!w->usage.time_ns)
		return;
	put_text(t, t->more ? ",{\"id\":" : "{\"id\":");
	t->more = true;
	put_number(t, w->cgroup_id);
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
	put_text(t, "}");
}

char *mw_json_samples_end(struct mw_json_text *t)
{
	put(t, "]}", 3);
	if (t->failed)
		mw_freep(&t->text);
	return TAKE_PTR(t->text);
}
