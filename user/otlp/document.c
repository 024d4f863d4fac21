/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "otlp/pairs.h"
#include "util/cleanup.h"

/* The names of the three lists one in another. */
static const struct {
	const char *resources, *scopes, *records;
} lists[] = {
	[MW_OTLP_TRACES] = {"resourceSpans", "scopeSpans", "spans"},
	[MW_OTLP_METRICS] = {"resourceMetrics", "scopeMetrics", "metrics"},
	[MW_OTLP_LOGS] = {"resourceLogs", "scopeLogs", "logRecords"},
};
_Static_assert(ARRAY_SIZE(lists) == MW_OTLP_SIGNALS, "names for every signal");

struct own {
	const char *key, *value;
	bool number, said; /* said: by the environment */
};

struct writing {
	struct mw_out *o;
	struct own *own;
	size_t n;
	bool named; /* OTEL_SERVICE_NAME stands before service.name */
};

static int put_pair(const char *key, const char *value, void *arg)
{
	struct writing *w = arg;

	if (w->named && strcmp(key, "service.name") == 0)
		return 0;
	for (size_t i = 0; i < w->n; i++)
		w->own[i].said |= strcmp(key, w->own[i].key) == 0;
	mw_out_attr_text(w->o, key, value);
	return 0;
}

void mw_resource_write(struct mw_out *o, struct mw_settings *s, mw_env_fn env, void *arg)
{
	struct utsname host = {0};
	struct own own[] = {
		{"service.name", s->service_name ? s->service_name : "memweir"},
		{"service.version", MW_VERSION},
		{"service.instance.id", env(MW_OTLP_ENV_INSTANCE, arg)},
		{"host.name", uname(&host) == 0 ? host.nodename : NULL},
		{"os.type", "linux"},
		{"process.pid", env(MW_OTLP_ENV_PID, arg), .number = true},
		{"process.executable.name", "memweir-daemon"},
	};
	struct writing w = {o, own, ARRAY_SIZE(own), s->service_name != NULL};
	size_t at = 0;
	int r = mw_pairs_each(s->attributes, put_pair, &w, &at);

	if (r < 0 && s->n_warnings < MW_WARNINGS_MAX)
		snprintf(s->warnings[s->n_warnings++], sizeof(s->warnings[0]),
			 "OTEL_RESOURCE_ATTRIBUTES: from \"%.40s\" on: expected KEY=VALUE,...: the rest is not used",
			 s->attributes + at);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (own[i].said || !own[i].value)
			continue;
		if (own[i].number)
			mw_out_attr_int(o, own[i].key, atoll(own[i].value));
		else
			mw_out_attr_text(o, own[i].key, own[i].value);
	}
}

void mw_document_begin(struct mw_out *o, enum mw_otlp_signal s, const char *resource)
{
	mw_out_open(o, "{");
	mw_out_key(o, lists[s].resources);
	mw_out_raw(o, "[{");
	mw_out_key(o, "resource");
	mw_out_raw(o, "{\"attributes\":[");
	mw_out_raw(o, resource);
	mw_out_raw(o, "]}");
	mw_out_key(o, lists[s].scopes);
	mw_out_raw(o, "[{\"scope\":{\"name\":\"memweir\",\"version\":\"" MW_VERSION "\"}");
	mw_out_key(o, lists[s].records);
	mw_out_raw(o, "[");
}

void mw_document_end(struct mw_out *o)
{
	mw_out_raw(o, "]}]}]}");
}
