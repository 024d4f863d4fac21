/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/settings.h"

#include <ctype.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/cleanup.h"

static const struct {
	const char *name, *upper, *path; /* in variables; behind a common endpoint */
	const char *delay, *queue, *batch, *export_timeout; /* variables of its own; NULL: none */
	__u32 delay_ms, queue_max, batch_max;
} signals[] = {
	[MW_OTLP_TRACES] = {"traces", "TRACES", "v1/traces", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_MAX_QUEUE_SIZE",
			    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_EXPORT_TIMEOUT", 5000, 2048, 512},
	[MW_OTLP_METRICS] = {"metrics", "METRICS", "v1/metrics", "OTEL_METRIC_EXPORT_INTERVAL", NULL, NULL,
			     "OTEL_METRIC_EXPORT_TIMEOUT", 60000, 4096, 512},
	[MW_OTLP_LOGS] = {"logs", "LOGS", "v1/logs", "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BLRP_MAX_QUEUE_SIZE",
			  "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "OTEL_BLRP_EXPORT_TIMEOUT", 1000, 2048, 512},
};
_Static_assert(ARRAY_SIZE(signals) == MW_OTLP_SIGNALS, "a row for every signal");

#define TIMEOUT_MS	  10000
#define EXPORT_TIMEOUT_MS 30000
#define MOST_MS		  (24 * 3600 * 1000)
#define MOST_QUEUED	  65536 /* memory of ours is bounded, whatever is asked for */

struct reading {
	mw_env_fn env;
	void *arg;
	struct mw_settings *s;
};

const char *mw_otlp_signal_name(enum mw_otlp_signal s)
{
	return signals[s].name;
}

static __attribute__((format(printf, 2, 3))) void warn(struct mw_settings *s, const char *fmt, ...)
{
	va_list ap;

	if (s->n_warnings == MW_WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(s->warnings[s->n_warnings++], sizeof(s->warnings[0]), fmt, ap);
	va_end(ap);
}

/* An empty one is as one that is not set. */
static const char *get(const struct reading *r, const char *name)
{
	const char *value = name ? r->env(name, r->arg) : NULL;

	return value && *value ? value : NULL;
}

/* OTEL_EXPORTER_OTLP_<SIGNAL>_WHAT, else OTEL_EXPORTER_OTLP_WHAT. name: of the one that was found. */
static const char *get_either(const struct reading *r, enum mw_otlp_signal s, const char *what, char *name, size_t size)
{
	const char *value;

	snprintf(name, size, "OTEL_EXPORTER_OTLP_%s_%s", signals[s].upper, what);
	value = get(r, name);
	if (value)
		return value;
	snprintf(name, size, "OTEL_EXPORTER_OTLP_%s", what);
	return get(r, name);
}

static __u32 number(const struct reading *r, const char *name, __u32 def, __u32 most)
{
	const char *text = get(r, name);
	unsigned long long n;
	char *end;

	if (!text)
		return def;
	n = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || !n || n > most) {
		warn(r->s, "%s: found \"%.40s\", expected a number from 1 to %u: %u is used", name, text, most, def);
		return def;
	}
	return (__u32)n;
}

bool mw_url_valid(const char *url)
{
	const char *host = !strncasecmp(url, "http://", 7)    ? url + 7
			   : !strncasecmp(url, "https://", 8) ? url + 8
							      : NULL;
	const char *at;

	if (!host || strlen(url) >= MW_URL_MAX - 16)
		return false;
	for (const unsigned char *c = (const unsigned char *)url; *c; c++)
		if (*c <= ' ' || *c >= 0x7f || *c == '"' || *c == '<' || *c == '>' || *c == '\\')
			return false;
	at = memchr(host, '@', strcspn(host, "/?#"));
	host = at ? at + 1 : host;
	return *host && !strchr("/?#:", *host);
}

const char *mw_url_plain(const char *url, char *buf, size_t size)
{
	const char *host = strstr(url, "://"), *at;
	size_t scheme;

	host = host ? host + 3 : url;
	scheme = (size_t)(host - url);
	at = memchr(host, '@', strcspn(host, "/?#"));
	host = at ? at + 1 : host;
	snprintf(buf, size, "%.*s%.*s", (int)scheme, url, (int)strcspn(host, "?#"), host);
	return buf;
}

/* The configuration's word stands before the environment's. A common endpoint is a folder, a signal's own is used as
 * it is. */
static void read_url(const struct reading *r, enum mw_otlp_signal s, struct mw_destination *d)
{
	const char *base = get(r, MW_OTLP_ENV_ENDPOINT), *url;
	char name[64] = "[otlp] endpoint";

	url = base ? base : get_either(r, s, "ENDPOINT", name, sizeof(name));
	if (!url)
		return; /* nobody has said where this signal goes: nowhere */
	if (!mw_url_valid(url)) {
		warn(r->s, "%s: found \"%.80s\", expected http://HOST:PORT or https://HOST:PORT: no %s are sent", name,
		     url, signals[s].name);
		return;
	}
	d->on = true;
	if (base || strcmp(name, "OTEL_EXPORTER_OTLP_ENDPOINT") == 0)
		snprintf(d->url, sizeof(d->url), "%s%s%s", url, url[strlen(url) - 1] == '/' ? "" : "/",
			 signals[s].path);
	else
		snprintf(d->url, sizeof(d->url), "%s%s", url, strchr(strstr(url, "://") + 3, '/') ? "" : "/");
}

static void read_exporter(const struct reading *r, enum mw_otlp_signal s, struct mw_destination *d)
{
	char name[64];
	const char *value;

	snprintf(name, sizeof(name), "OTEL_%s_EXPORTER", signals[s].upper);
	value = get(r, name);
	if (!value || strcmp(value, "otlp") == 0)
		return;
	d->on = false;
	if (strcmp(value, "none") != 0)
		warn(r->s, "%s: found \"%.40s\", expected otlp or none: no %s are sent", name, value, signals[s].name);
}

static void read_protocol(const struct reading *r, enum mw_otlp_signal s, struct mw_destination *d)
{
	char name[64];
	const char *value = get_either(r, s, "PROTOCOL", name, sizeof(name));

	if (d->on && value && strcmp(value, "http/json") != 0)
		warn(r->s, "%s: found \"%.40s\", expected http/json, which is all memweir speaks: %s go as http/json",
		     name, value, signals[s].name);
	value = get_either(r, s, "COMPRESSION", name, sizeof(name));
	d->gzip = value && strcmp(value, "gzip") == 0;
	if (d->on && value && !d->gzip && strcmp(value, "none") != 0)
		warn(r->s, "%s: found \"%.40s\", expected gzip or none: %s go uncompressed", name, value,
		     signals[s].name);
}

static void read_path(const struct reading *r, enum mw_otlp_signal s, const char *what, char *ret)
{
	char name[64];
	const char *value = get_either(r, s, what, name, sizeof(name));

	if (value && strlen(value) >= MW_PATH_SIZE)
		warn(r->s, "%s: expected a path of at most %d bytes: it is not used", name, MW_PATH_SIZE - 1);
	else
		snprintf(ret, MW_PATH_SIZE, "%s", value ? value : "");
}

static void read_signal(const struct reading *r, enum mw_otlp_signal s, struct mw_destination *d)
{
	char name[64];
	const char *headers;
	__u32 whole_ms;

	read_url(r, s, d);
	read_exporter(r, s, d);
	read_protocol(r, s, d);
	read_path(r, s, "CERTIFICATE", d->certificate);
	read_path(r, s, "CLIENT_KEY", d->client_key);
	read_path(r, s, "CLIENT_CERTIFICATE", d->client_certificate);
	headers = get_either(r, s, "HEADERS", name, sizeof(name));
	d->headers = headers ? headers : "";
	get_either(r, s, "TIMEOUT", name, sizeof(name));
	d->timeout_ms = number(r, name, TIMEOUT_MS, MOST_MS);
	whole_ms = number(r, signals[s].export_timeout, EXPORT_TIMEOUT_MS, MOST_MS);
	if (whole_ms < d->timeout_ms)
		d->timeout_ms = whole_ms;
	d->delay_ms = number(r, signals[s].delay, signals[s].delay_ms, MOST_MS);
	d->queue_max = number(r, signals[s].queue, signals[s].queue_max, MOST_QUEUED);
	d->batch_max = number(r, signals[s].batch, signals[s].batch_max, MOST_QUEUED);
	if (d->batch_max > d->queue_max)
		d->batch_max = d->queue_max;
}

void mw_settings_read(mw_env_fn env, void *arg, struct mw_settings *ret_settings)
{
	struct reading r = {env, arg, ret_settings};
	const char *attributes;

	*ret_settings = (struct mw_settings){0};
	for (enum mw_otlp_signal s = 0; s < MW_OTLP_SIGNALS; s++)
		read_signal(&r, s, &ret_settings->signals[s]);
	ret_settings->service_name = get(&r, "OTEL_SERVICE_NAME");
	attributes = get(&r, "OTEL_RESOURCE_ATTRIBUTES");
	ret_settings->attributes = attributes ? attributes : "";
}
