// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Hostile bytes in place of a collector's answer, its headers, the daemon's records and figures, and the environment.
 * The first byte of an input says which; what comes out is JSON, or nothing.
 *
 * With libFuzzer: clang -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iuser -Iinclude and the files of user/otlp
 * but main.c and sender.c. Without: MW_FUZZ_MAIN; arguments: rounds (20000), seed (1). Same seed, same inputs.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/answer.h"
#include "otlp/metrics.h"
#include "otlp/pairs.h"
#include "otlp/record.h"
#include "otlp/retry.h"
#include "util/cleanup.h"
#include "util/json_in.h"

static void must_be_json(const char *text, size_t n)
{
	_cleanup_(mw_json_putp) struct json_object *o = NULL;

	if (mw_json_parse(text, n, &o, NULL) < 0)
		abort();
}

static void an_answer(const char *text, size_t n)
{
	struct mw_attempt a = {.status = 200, .body = text, .size = n, .retry_after_ms = mw_retry_after(text, 1)};
	__u64 refused;
	char words[64];

	mw_answer_judge(&a, MW_OTLP_TRACES, 5, &refused, words, sizeof(words));
	if (refused > 5 || a.retry_after_ms < MW_RETRY_AFTER_NONE)
		abort();
}

static void a_record(const char *text, size_t n)
{
	_cleanup_(mw_out_free) struct mw_out o = MW_OUT(65536);
	enum mw_otlp_signal s;

	if (mw_record_write(text, n, 1, &s, &o) == 0)
		must_be_json(o.data, o.size);
}

static void figures(char *text)
{
	static struct mw_destination to = {.on = true, .queue_max = 64, .batch_max = 64};
	struct mw_exporter e;
	struct mw_metrics m;
	const struct mw_queued *q;

	if (mw_exporter_init(&e, MW_OTLP_METRICS, &to, "") < 0 || mw_metrics_init(&m) < 0)
		abort();
	mw_metrics_begin(&m, &e, 5);
	for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		mw_metrics_line(&m, line, 0);
	mw_metrics_end(&m, 0);
	for (size_t i = 0; (q = mw_queue_at(&e.queue, i)); i++)
		must_be_json(q->text, q->size);
	mw_metrics_free(&m);
	mw_exporter_free(&e);
}

static int a_pair(const char *key, const char *value, void *arg)
{
	(void)arg;
	if (!*key || strpbrk(value, "\r\n"))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1); /* exactly as large: a read past it is seen */
	size_t at;

	if (!text || !size)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 4) {
	case 0:
		an_answer(text, size - 1);
		break;
	case 1:
		a_record(text, size - 1);
		break;
	case 2:
		figures(text);
		break;
	default:
		mw_pairs_each(text, a_pair, NULL, &at);
	}
	return 0;
}

#ifdef MW_FUZZ_MAIN
#include "mutate.h"

static const char *const seeds[] = {
	"0{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"x\"}}",
	"0{\"code\":3,\"message\":\"no such field\"}",
	"0Sun, 06 Nov 1994 08:49:37 GMT",
	"1{\"check\":{\"trace\":\"0123456789abcdef0123456789abcdef\",\"span\":\"0123456789abcdef\",\"start\":1,\"end\":"
	"2}}",
	"1{\"event\":{\"kind\":\"oom\",\"priority\":4,\"time\":7,\"doc\":{\"name\":\"w\",\"text\":\"a\",\"x\":1.5,"
	"\"y\":null}}}",
	"2# TYPE a_bytes gauge\n# UNIT a_bytes bytes\n# HELP a_bytes h\\n\na_bytes{w=\"x\\\"\"} 5\n# TYPE c counter\n"
	"c_total{w=\"x\"} 5 # {a=\"b\"} 1\nc_created{w=\"x\"} 5.5\n# EOF",
	"2# TYPE p histogram\np_bucket{le=\"1.0\"} 1\np_bucket{le=\"+Inf\"} 2\np_count 2\np_sum 1.5\n# TYPE i "
	"info\ni_info{v=\"1\"} 1",
	"3a=b,Authorization=Basic%20x==, c = d",
};

static const char *const words[] = {"\"",
				    "\\",
				    "\n",
				    "{",
				    "}",
				    "_total",
				    "_bucket",
				    "le=\"+Inf\"",
				    "NaN",
				    "1e999",
				    "%0a",
				    "# TYPE ",
				    "9999999999999999999",
				    "-1",
				    "\xff",
				    "{}"};

int main(int argc, char **argv)
{
	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
