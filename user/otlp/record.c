/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A check becomes a span. What is told becomes a log record with an event name and the span it happened in: the
 * specification (OTEP 4430) takes back events inside spans, and much of what is told happens between two checks.
 */
#include "otlp/record.h"

#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "util/cleanup.h"
#include "util/json_in.h"

#define TRACE_DIGITS 32
#define SPAN_DIGITS  16
#define SAMPLED	     1
#define LOCAL	     0x100 /* it is known that the context came from nobody else */
#define INTERNAL     1

static const struct {
	const char *key, *attribute;
} check_rows[] = {
	{"checked", "monitor.checked_processes"},   {"high", "monitor.high_memory_count"},
	{"bytes", "monitor.total_memory"},	    {"workers", "monitor.checked_workers"},
	{"leaks", "monitor.memory_leaks_count"},    {"suspects", "monitor.memory_suspects_count"},
	{"hibernated", "monitor.hibernated_count"},
};

/* Members of what is told that have a name of their own; NULL: they stand elsewhere. The rest is memweir.KEY. */
static const struct {
	const char *key, *attribute;
} event_rows[] = {
	{"name", "memweir.worker"},
	{"pid", "process.pid"},
	{"tid", "thread.id"},
	{"comm", "thread.name"},
	{"type", NULL},
	{"time", NULL},
	{"text", NULL},
	{"schema", NULL},
};

/* Of syslog's priorities, as the data model of logs maps them. */
static const struct {
	int number;
	const char *text;
} severities[] = {
	[LOG_EMERG] = {21, "EMERGENCY"}, [LOG_ALERT] = {19, "ALERT"},	  [LOG_CRIT] = {18, "CRITICAL"},
	[LOG_ERR] = {17, "ERROR"},	 [LOG_WARNING] = {13, "WARNING"}, [LOG_NOTICE] = {10, "NOTICE"},
	[LOG_INFO] = {9, "INFO"},	 [LOG_DEBUG] = {5, "DEBUG"},
};

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v = mw_json_member(o, key, json_type_string);

	return v ? json_object_get_string(v) : NULL;
}

/* Digits of that length, not all of them 0: an id that is none must not be sent. */
static const char *id_of(struct json_object *o, const char *key, size_t digits)
{
	const char *id = text_of(o, key);

	if (!id || strlen(id) != digits || strspn(id, "0123456789abcdef") != digits || strspn(id, "0") == digits)
		return NULL;
	return id;
}

static void put(struct mw_out *o, const char *key, const char *text)
{
	mw_out_key(o, key);
	mw_out_text(o, text);
}

static void put_u64(struct mw_out *o, const char *key, __u64 value)
{
	mw_out_key(o, key);
	mw_out_u64(o, value);
}

static int write_check(struct json_object *c, struct mw_out *o)
{
	const char *trace = id_of(c, "trace", TRACE_DIGITS), *span = id_of(c, "span", SPAN_DIGITS);
	__u64 start, end, value;

	if (!trace || !span || !mw_json_member_u64(c, "start", ~0ULL, &start) ||
	    !mw_json_member_u64(c, "end", ~0ULL, &end))
		return -EBADMSG;
	mw_out_open(o, "{");
	put(o, "traceId", trace);
	put(o, "spanId", span);
	mw_out_key(o, "flags");
	mw_out_int(o, LOCAL | SAMPLED);
	put(o, "name", "memweir.memory.check");
	mw_out_key(o, "kind");
	mw_out_int(o, INTERNAL);
	put_u64(o, "startTimeUnixNano", start);
	put_u64(o, "endTimeUnixNano", end > start ? end : start);
	mw_out_key(o, "attributes");
	mw_out_raw(o, "[");
	for (size_t i = 0; i < ARRAY_SIZE(check_rows); i++)
		if (mw_json_member_u64(c, check_rows[i].key, INT64_MAX, &value))
			mw_out_attr_int(o, check_rows[i].attribute, (__s64)value);
	if (mw_json_member(c, "dry_run", json_type_boolean))
		mw_out_attr_bool(o, "memweir.dry_run",
				 json_object_get_boolean(mw_json_member(c, "dry_run", json_type_boolean)));
	mw_out_raw(o, "]}");
	return 0;
}

static void put_attribute(struct mw_out *o, const char *name, struct json_object *v)
{
	switch (json_object_get_type(v)) {
	case json_type_string:
		mw_out_attr_text(o, name, json_object_get_string(v));
		break;
	case json_type_int:
		mw_out_attr_int(o, name, json_object_get_int64(v));
		break;
	case json_type_boolean:
		mw_out_attr_bool(o, name, json_object_get_boolean(v));
		break;
	case json_type_double:
		mw_out_attr_double(o, name, json_object_get_double(v));
		break;
	default: /* null, and what is no single value */
		break;
	}
}

static void put_member(struct mw_out *o, const char *key, struct json_object *v)
{
	char name[96];

	for (size_t i = 0; i < ARRAY_SIZE(event_rows); i++) {
		if (strcmp(key, event_rows[i].key) != 0)
			continue;
		if (event_rows[i].attribute)
			put_attribute(o, event_rows[i].attribute, v);
		return;
	}
	if (strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(key))
		return;
	snprintf(name, sizeof(name), "memweir.%.80s", key);
	put_attribute(o, name, v);
}

static void put_container(struct mw_out *o, struct json_object *doc)
{
	struct json_object *c = mw_json_member(doc, "container", json_type_object);

	mw_out_attr_text(o, "container.id", text_of(c, "id"));
	mw_out_attr_text(o, "container.name", text_of(c, "name"));
	mw_out_attr_text(o, "container.image.name", text_of(c, "image"));
}

/* "memory-high" -> memweir.memory_high */
static void put_name(struct mw_out *o, const char *kind)
{
	char name[96];

	snprintf(name, sizeof(name), "memweir.%.80s", kind);
	for (char *c = name; *c; c++)
		if (*c == '-')
			*c = '_';
	put(o, "eventName", name);
}

static void put_context(struct mw_out *o, struct json_object *e)
{
	const char *trace = id_of(e, "trace", TRACE_DIGITS), *span = id_of(e, "span", SPAN_DIGITS);

	if (!trace || !span)
		return;
	mw_out_key(o, "flags");
	mw_out_int(o, SAMPLED);
	put(o, "traceId", trace);
	put(o, "spanId", span);
}

static int write_event(struct json_object *e, __u64 wall_ns, struct mw_out *o)
{
	struct json_object *doc = mw_json_member(e, "doc", json_type_object);
	const char *kind = text_of(e, "kind"), *text = text_of(doc, "text");
	__u64 time, priority = LOG_INFO;

	if (!doc || !kind || !mw_json_member_u64(e, "time", ~0ULL, &time))
		return -EBADMSG;
	mw_json_member_u64(e, "priority", LOG_DEBUG, &priority);
	mw_out_open(o, "{");
	put_u64(o, "timeUnixNano", time);
	put_u64(o, "observedTimeUnixNano", wall_ns);
	mw_out_key(o, "severityNumber");
	mw_out_int(o, severities[priority].number);
	put(o, "severityText", severities[priority].text);
	put_name(o, kind);
	mw_out_key(o, "body");
	mw_out_raw(o, "{\"stringValue\":");
	mw_out_text(o, text ? text : kind);
	mw_out_raw(o, "}");
	mw_out_key(o, "attributes");
	mw_out_raw(o, "[");
	json_object_object_foreach (doc, key, value)
		put_member(o, key, value);
	put_container(o, doc);
	mw_out_raw(o, "]");
	put_context(o, e);
	mw_out_raw(o, "}");
	return 0;
}

int mw_record_write(const char *text, size_t n, __u64 wall_ns, enum mw_otlp_signal *ret_signal, struct mw_out *o)
{
	_cleanup_(mw_json_putp) struct json_object *obj = NULL;
	struct json_object *member;
	int r = mw_json_parse(text, n, &obj, NULL);

	if (r < 0)
		return -EBADMSG;
	if (mw_json_member(obj, "metrics", json_type_object))
		return 1;
	member = mw_json_member(obj, "check", json_type_object);
	*ret_signal = member ? MW_OTLP_TRACES : MW_OTLP_LOGS;
	if (member)
		r = write_check(member, o);
	else
		r = write_event(mw_json_member(obj, "event", json_type_object), wall_ns, o);
	return r < 0 || o->failed ? -EBADMSG : 0;
}
