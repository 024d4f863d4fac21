/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "unit.h"

#include "otlp/settings.h"

/* NAME=VALUE, ends with NULL. */
static const char *env(const char *name, void *arg)
{
	size_t n = strlen(name);

	for (const char **e = arg; *e; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			return *e + n + 1;
	return NULL;
}

static struct mw_settings s;

#define READ(...)		mw_settings_read(env, (const char *[]){__VA_ARGS__, NULL}, &s)
#define WANTED(configured, ...) mw_settings_wanted(configured, env, (const char *[]){__VA_ARGS__, NULL})

static void who_asks(void **state)
{
	(void)state;
	assert_false(WANTED("", "HOME=/"));
	assert_false(WANTED("", "OTEL_EXPORTER_OTLP_ENDPOINT="));
	assert_true(WANTED("", "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318"));
	assert_true(WANTED("", "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=http://c:4318"));
	assert_false(WANTED("none", "OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318"));
	assert_true(WANTED("http://c:4318", "HOME=/"));
	assert_false(WANTED("http://c:4318", "OTEL_SDK_DISABLED=TRUE"));
	assert_true(WANTED("http://c:4318", "OTEL_SDK_DISABLED=1")); /* only true is true */
}

static void where_to(void **state)
{
	(void)state;
	READ("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318/base/",
	     "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=https://logs.example/in",
	     "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://m:1");
	assert_string_equal(s.signals[MW_OTLP_TRACES].url, "http://c:4318/base/v1/traces");
	assert_string_equal(s.signals[MW_OTLP_LOGS].url, "https://logs.example/in");
	assert_string_equal(s.signals[MW_OTLP_METRICS].url, "http://m:1/");
	assert_true(s.signals[MW_OTLP_TRACES].on && s.signals[MW_OTLP_LOGS].on && s.signals[MW_OTLP_METRICS].on);
	assert_int_equal(s.n_warnings, 0);

	READ("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", MW_OTLP_ENV_ENDPOINT "=http://file:1",
	     "OTEL_METRICS_EXPORTER=none", "OTEL_LOGS_EXPORTER=console");
	assert_string_equal(s.signals[MW_OTLP_TRACES].url, "http://file:1/v1/traces");
	assert_false(s.signals[MW_OTLP_METRICS].on);
	assert_false(s.signals[MW_OTLP_LOGS].on);
	assert_int_equal(s.n_warnings, 1);
	assert_non_null(strstr(s.warnings[0], "OTEL_LOGS_EXPORTER: found \"console\""));

	READ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/x"); /* the others were not asked for */
	assert_true(s.signals[MW_OTLP_TRACES].on);
	assert_false(s.signals[MW_OTLP_METRICS].on || s.signals[MW_OTLP_LOGS].on);

	READ("OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317");
	assert_false(s.signals[MW_OTLP_TRACES].on);
	assert_int_equal(s.n_warnings, 3);
	assert_non_null(strstr(s.warnings[0], "found \"collector:4317\", expected http://HOST:PORT"));
}

static void numbers(void **state)
{
	const struct mw_destination *d = &s.signals[MW_OTLP_TRACES];

	(void)state;
	READ("X=");
	assert_int_equal(d->timeout_ms, 10000);
	assert_int_equal(d->delay_ms, 5000);
	assert_int_equal(d->queue_max, 2048);
	assert_int_equal(d->batch_max, 512);
	assert_int_equal(s.signals[MW_OTLP_LOGS].delay_ms, 1000);
	assert_int_equal(s.signals[MW_OTLP_METRICS].delay_ms, 60000);

	READ("OTEL_EXPORTER_OTLP_TIMEOUT=700", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT=900", "OTEL_BSP_SCHEDULE_DELAY=5",
	     "OTEL_BSP_MAX_QUEUE_SIZE=10", "OTEL_METRIC_EXPORT_INTERVAL=250", "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE=3",
	     "OTEL_BSP_EXPORT_TIMEOUT=100");
	assert_int_equal(d->timeout_ms, 100); /* an attempt is never longer than the whole may be */
	assert_int_equal(s.signals[MW_OTLP_LOGS].timeout_ms, 900);
	assert_int_equal(s.signals[MW_OTLP_METRICS].timeout_ms, 700);
	assert_int_equal(d->delay_ms, 5);
	assert_int_equal(d->queue_max, 10);
	assert_int_equal(d->batch_max, 10); /* at most the queue's */
	assert_int_equal(s.signals[MW_OTLP_METRICS].delay_ms, 250);
	assert_int_equal(s.signals[MW_OTLP_LOGS].batch_max, 3);
	assert_int_equal(s.n_warnings, 0);

	READ("OTEL_BSP_SCHEDULE_DELAY=5s", "OTEL_BSP_MAX_QUEUE_SIZE=0", "OTEL_BLRP_MAX_QUEUE_SIZE=-1",
	     "OTEL_METRIC_EXPORT_INTERVAL=99999999999999999999999");
	assert_int_equal(s.n_warnings, 4);
	assert_int_equal(d->delay_ms, 5000);
	assert_int_equal(d->queue_max, 2048);
	assert_non_null(strstr(s.warnings[0], "expected a number from 1 to"));
}

static void words(void **state)
{
	(void)state;
	READ("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
	     "OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION=none",
	     "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=zstd", "OTEL_EXPORTER_OTLP_HEADERS=a=b",
	     "OTEL_EXPORTER_OTLP_CERTIFICATE=/ca.pem", "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY=/key.pem",
	     "OTEL_SERVICE_NAME=n");
	assert_int_equal(s.n_warnings, 4); /* of the protocol, for each signal; of zstd */
	assert_non_null(strstr(s.warnings[0], "found \"grpc\", expected http/json"));
	assert_true(s.signals[MW_OTLP_METRICS].gzip);
	assert_false(s.signals[MW_OTLP_LOGS].gzip || s.signals[MW_OTLP_TRACES].gzip);
	assert_string_equal(s.signals[MW_OTLP_LOGS].headers, "a=b");
	assert_string_equal(s.signals[MW_OTLP_LOGS].certificate, "/ca.pem");
	assert_string_equal(s.signals[MW_OTLP_LOGS].client_key, "/key.pem");
	assert_string_equal(s.signals[MW_OTLP_TRACES].client_key, "");
	assert_string_equal(s.service_name, "n");
	READ("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json");
	assert_int_equal(s.n_warnings, 0);
}

static void urls(void **state)
{
	char buf[64];

	(void)state;
	assert_true(mw_url_valid("http://c"));
	assert_true(mw_url_valid("HTTPS://[::1]:4318/x"));
	assert_true(mw_url_valid("http://me:secret@c:1/"));
	assert_false(mw_url_valid("http://"));
	assert_false(mw_url_valid("http://:4318"));
	assert_false(mw_url_valid("ftp://c"));
	assert_false(mw_url_valid("c:4318"));
	assert_false(mw_url_valid("http://c/a b"));
	assert_false(mw_url_valid("http://c/\r\nX: y"));
	assert_string_equal(mw_url_plain("http://me:secret@c:1/p?key=k", buf, sizeof(buf)), "http://c:1/p");
	assert_string_equal(mw_url_plain("https://c/a@b", buf, sizeof(buf)), "https://c/a@b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks), cmocka_unit_test(where_to), cmocka_unit_test(numbers),
		cmocka_unit_test(words),    cmocka_unit_test(urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
