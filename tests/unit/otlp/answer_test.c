/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "unit.h"

#include "otlp/answer.h"
#include "otlp/retry.h"
#include "util/cleanup.h"

static __u64 refused;
static char text[200];

static enum mw_verdict_of judge(unsigned status, const char *body)
{
	struct mw_attempt a = {.status = status,
			       .body = body,
			       .size = strlen(body),
			       .retry_after_ms = MW_RETRY_AFTER_NONE,
			       .why = "w"};

	return mw_answer_judge(&a, MW_OTLP_LOGS, 10, &refused, text, sizeof(text));
}

static void by_status(void **state)
{
	static const unsigned again[] = {429, 502, 503, 504},
			      never[] = {301, 304, 400, 401, 404, 408, 413, 500, 501, 505};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(again); i++)
		assert_int_equal(judge(again[i], ""), MW_AGAIN);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		assert_int_equal(judge(never[i], ""), MW_REFUSED);
	assert_int_equal(judge(200, "{}"), MW_TAKEN);
	assert_int_equal(judge(202, "<html>"), MW_TAKEN);
	assert_int_equal(judge(400, "{\"code\":3,\"message\":\"no\\u001b[31m such field\"}"), MW_REFUSED);
	assert_string_equal(text, "no?[31m such field");
}

static void partial_success(void **state)
{
	(void)state;
	assert_int_equal(judge(200, "{\"partialSuccess\":{\"rejectedLogRecords\":\"3\",\"errorMessage\":\"old\"}}"),
			 MW_TAKEN);
	assert_int_equal(refused, 3);
	assert_string_equal(text, "old");
	judge(200, "{\"partialSuccess\":{\"rejectedLogRecords\":4}}");
	assert_int_equal(refused, 4);
	judge(200, "{\"partialSuccess\":{\"rejectedLogRecords\":\"11\"}}"); /* more than there were */
	assert_int_equal(refused, 0);
	judge(200, "{\"partialSuccess\":{\"rejectedSpans\":\"3\"}}"); /* not of this signal */
	assert_int_equal(refused, 0);
	judge(200, "{\"partialSuccess\":{\"rejectedLogRecords\":\"-3\"}}");
	assert_int_equal(refused, 0);
	judge(200, "{\"partialSuccess\":[]}");
	assert_int_equal(refused, 0);
}

static void without_an_answer(void **state)
{
	struct mw_attempt broken = {.broken = true, .why = "Connection refused"}, odd = {.why = "not HTTP"},
			  long_one = {.status = 200, .too_long = true};

	(void)state;
	assert_int_equal(mw_answer_judge(&broken, MW_OTLP_LOGS, 10, &refused, text, sizeof(text)), MW_AGAIN);
	assert_string_equal(text, "Connection refused");
	assert_int_equal(mw_answer_judge(&odd, MW_OTLP_LOGS, 10, &refused, text, sizeof(text)), MW_REFUSED);
	assert_int_equal(mw_answer_judge(&long_one, MW_OTLP_LOGS, 10, &refused, text, sizeof(text)), MW_REFUSED);
	assert_non_null(strstr(text, "longer than"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_status),
		cmocka_unit_test(partial_success),
		cmocka_unit_test(without_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
