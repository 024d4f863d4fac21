/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/answer.h"

#include <stdio.h>
#include <stdlib.h>

#include "otlp/retry.h"
#include "util/cleanup.h"
#include "util/json_in.h"

static const char *const rejected[] = {
	[MW_OTLP_TRACES] = "rejectedSpans",
	[MW_OTLP_METRICS] = "rejectedDataPoints",
	[MW_OTLP_LOGS] = "rejectedLogRecords",
};
_Static_assert(ARRAY_SIZE(rejected) == MW_OTLP_SIGNALS, "a name for every signal");

/* A number or, as 64 bits are in JSON, a text of digits. */
static __u64 number_of(struct json_object *o, const char *key, __u64 max)
{
	struct json_object *v = mw_json_member(o, key, json_type_string);
	unsigned long long n = 0;
	char *end;

	if (mw_json_member_u64(o, key, max, (__u64 *)&n))
		return n;
	if (!v)
		return 0;
	n = strtoull(json_object_get_string(v), &end, 10);
	return *end || n > max ? 0 : n;
}

/* Of a success: {"partialSuccess":{...}}; of a failure a google.rpc.Status: {"message":"..."}. */
static __u64 read_body(const struct mw_attempt *a, enum mw_otlp_signal s, __u64 n, char *text, size_t size)
{
	_cleanup_(mw_json_putp) struct json_object *o = NULL;
	struct json_object *partial;

	if (!a->size || mw_json_parse(a->body, a->size, &o, NULL) < 0)
		return 0; /* a proxy's page says nothing that the status does not */
	mw_json_member_text(o, "message", text, size);
	partial = mw_json_member(o, "partialSuccess", json_type_object);
	if (!partial)
		return 0;
	mw_json_member_text(partial, "errorMessage", text, size);
	return number_of(partial, rejected[s], n);
}

enum mw_verdict_of mw_answer_judge(const struct mw_attempt *a, enum mw_otlp_signal s, __u64 n, __u64 *ret_refused,
				   char *text, size_t size)
{
	__u64 refused;

	text[0] = '\0';
	*ret_refused = 0;
	if (a->too_long) {
		snprintf(text, size, "its answer is longer than %u bytes", MW_ANSWER_MAX);
		return MW_REFUSED;
	}
	if (!a->status) {
		snprintf(text, size, "%s", a->why);
		return a->broken ? MW_AGAIN : MW_REFUSED;
	}
	refused = read_body(a, s, n, text, size);
	if (a->status >= 200 && a->status < 300) {
		*ret_refused = refused;
		return MW_TAKEN;
	}
	return mw_retry_status(a->status) ? MW_AGAIN : MW_REFUSED;
}
