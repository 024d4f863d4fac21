/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "unit.h"

#include "otlp/document.h"
#include "otlp/record.h"
#include "util/cleanup.h"
#include "util/json_in.h"

#define TRACE "\"trace\":\"0123456789abcdef0123456789abcdef\",\"span\":\"0123456789abcdef\""

static struct mw_out out = MW_OUT(65536);
static enum mw_otlp_signal signal_of;

static int record(const char *text)
{
	mw_out_cut(&out, 0);
	return mw_record_write(text, strlen(text), 42, &signal_of, &out);
}

static void has(const char *part)
{
	if (!strstr(out.data, part))
		fail_msg("no %s in %s", part, out.data);
}

static void check_is_a_span(void **state)
{
	(void)state;
	assert_int_equal(record("{\"check\":{" TRACE ",\"start\":1795400854872379158,\"end\":1795400854872448070,"
				"\"checked\":12,\"high\":1,\"bytes\":9007199254740993,\"leaks\":2,\"hibernated\":3,"
				"\"dry_run\":true}}"),
			 0);
	assert_int_equal(signal_of, MW_OTLP_TRACES);
	has("\"traceId\":\"0123456789abcdef0123456789abcdef\",\"spanId\":\"0123456789abcdef\"");
	has("\"name\":\"memweir.memory.check\",\"kind\":1");
	has("\"startTimeUnixNano\":\"1795400854872379158\",\"endTimeUnixNano\":\"1795400854872448070\"");
	has("{\"key\":\"monitor.checked_processes\",\"value\":{\"intValue\":\"12\"}}");
	has("{\"key\":\"monitor.total_memory\",\"value\":{\"intValue\":\"9007199254740993\"}}");
	has("{\"key\":\"memweir.dry_run\",\"value\":{\"boolValue\":true}}");
	/* a clock that was set back must not make a span of negative length */
	assert_int_equal(record("{\"check\":{" TRACE ",\"start\":100,\"end\":7}}"), 0);
	has("\"startTimeUnixNano\":\"100\",\"endTimeUnixNano\":\"100\"");
}

static void told_is_a_log_record(void **state)
{
	(void)state;
	assert_int_equal(
		record("{\"event\":{\"kind\":\"memory-high\",\"priority\":4,\"time\":7," TRACE
		       ",\"doc\":{\"name\":\"w-1\",\"class\":\"tool\",\"uid\":0,\"text\":\"a \\\"b\\\" \\u0007\","
		       "\"percent\":85.5,\"gone\":null,\"list\":[1],\"x-y\":1,\"frozen\":false,"
		       "\"container\":{\"id\":\"abc\",\"name\":\"web\"}}}}"),
		0);
	assert_int_equal(signal_of, MW_OTLP_LOGS);
	has("\"timeUnixNano\":\"7\",\"observedTimeUnixNano\":\"42\",\"severityNumber\":13,\"severityText\":"
	    "\"WARNING\"");
	has("\"eventName\":\"memweir.memory_high\"");
	has("\"body\":{\"stringValue\":\"a \\\"b\\\" \\u0007\"}");
	has("{\"key\":\"memweir.worker\",\"value\":{\"stringValue\":\"w-1\"}}");
	has("{\"key\":\"memweir.percent\",\"value\":{\"doubleValue\":85.5}}");
	has("{\"key\":\"memweir.frozen\",\"value\":{\"boolValue\":false}}");
	has("{\"key\":\"container.id\",\"value\":{\"stringValue\":\"abc\"}}");
	has("\"flags\":1,\"traceId\":\"0123456789abcdef0123456789abcdef\"");
	assert_null(strstr(out.data, "gone"));
	assert_null(strstr(out.data, "x-y"));
	assert_int_equal(record("{\"event\":{\"kind\":\"oom\",\"time\":7,\"doc\":{}}}"), 0);
	has("\"body\":{\"stringValue\":\"oom\"}");
	assert_null(strstr(out.data, "traceId"));
}

static void none_of_these(void **state)
{
	static const char *const rows[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"check\":{}}",
		"{\"check\":{\"trace\":\"00000000000000000000000000000000\",\"span\":\"0123456789abcdef\",\"start\":1,"
		"\"end\":2}}",
		"{\"check\":{\"trace\":\"0123\",\"span\":\"0123456789abcdef\",\"start\":1,\"end\":2}}",
		"{\"event\":{\"kind\":\"x\"}}",
		"{\"event\":{\"kind\":1,\"time\":1,\"doc\":{}}}",
		"{\"event\":{\"kind\":\"x\",\"time\":-1,\"doc\":{}}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(record(rows[i]), -EBADMSG);
	assert_int_equal(record("{\"metrics\":{}}"), 1);
}

static const char *env(const char *name, void *arg)
{
	(void)arg;
	return strcmp(name, MW_OTLP_ENV_PID) == 0 ? "77" : strcmp(name, MW_OTLP_ENV_INSTANCE) == 0 ? "i-1" : NULL;
}

static void resource(void **state)
{
	_cleanup_(mw_json_putp) struct json_object *o = NULL;
	struct mw_settings s = {.attributes = "service.version=9,host.name=h%20x,team=a"};

	(void)state;
	mw_out_cut(&out, 0);
	mw_resource_write(&out, &s, env, NULL);
	has("{\"key\":\"service.version\",\"value\":{\"stringValue\":\"9\"}}"); /* said over known */
	has("{\"key\":\"host.name\",\"value\":{\"stringValue\":\"h x\"}}");
	has("{\"key\":\"team\",\"value\":{\"stringValue\":\"a\"}}");
	has("{\"key\":\"service.name\",\"value\":{\"stringValue\":\"memweir\"}}");
	has("{\"key\":\"process.pid\",\"value\":{\"intValue\":\"77\"}}");
	assert_null(strstr(strstr(out.data, "service.version") + 1, "service.version"));

	s = (struct mw_settings){.attributes = "service.name=a,bad", .service_name = "b"};
	mw_out_cut(&out, 0);
	mw_resource_write(&out, &s, env, NULL);
	has("{\"key\":\"service.name\",\"value\":{\"stringValue\":\"b\"}}");
	assert_null(strstr(out.data, "\"a\""));
	assert_int_equal(s.n_warnings, 1);

	mw_out_cut(&out, 0);
	mw_document_begin(&out, MW_OTLP_LOGS, "");
	mw_document_end(&out);
	assert_int_equal(mw_json_parse(out.data, out.size, &o, NULL), 0);
}

static void texts_of_others(void **state)
{
	struct mw_out small = MW_OUT(16);

	(void)state;
	mw_out_cut(&out, 0);
	mw_out_text(&out, "\xff\xc3\xa4\xed\xa0\x80\n");
	assert_string_equal(out.data, "\"\\ufffd\xc3\xa4\\ufffd\\ufffd\\ufffd\\u000a\"");
	mw_out_cut(&out, 0);
	mw_out_open(&out, "[");
	mw_out_double(&out, 0.1);
	mw_out_double(&out, __builtin_inf());
	mw_out_double(&out, -__builtin_inf());
	mw_out_double(&out, __builtin_nan(""));
	mw_out_s64(&out, INT64_MIN);
	mw_out_u64(&out, UINT64_MAX);
	assert_string_equal(out.data,
			    "[0.10000000000000001,\"Infinity\",\"-Infinity\",\"NaN\",\"-9223372036854775808\","
			    "\"18446744073709551615\"");
	mw_out_raw(&small, "0123456789abcdef");
	assert_false(small.failed);
	mw_out_raw(&small, "g");
	assert_true(small.failed);
	mw_out_cut(&small, 2);
	mw_out_raw(&small, "x");
	assert_string_equal(small.data, "01x");
	mw_out_free(&small);
}

static int tear_down(void **state)
{
	(void)state;
	mw_out_free(&out);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_is_a_span), cmocka_unit_test(told_is_a_log_record),
		cmocka_unit_test(none_of_these),   cmocka_unit_test(resource),
		cmocka_unit_test(texts_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
