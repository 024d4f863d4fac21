/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/exporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "otlp/document.h"
#include "util/cleanup.h"
#include "util/gzip.h"

const size_t mw_exporter_bytes[MW_OTLP_SIGNALS] = {
	[MW_OTLP_TRACES] = 4U << 20,
	[MW_OTLP_METRICS] = 16U << 20,
	[MW_OTLP_LOGS] = 4U << 20,
};

int mw_exporter_init(struct mw_exporter *e, enum mw_otlp_signal s, const struct mw_destination *to,
		     const char *resource)
{
	*e = (struct mw_exporter){.signal = s, .to = to, .resource = resource};
	return mw_queue_init(&e->queue, to->queue_max, mw_exporter_bytes[s]);
}

void mw_exporter_free(struct mw_exporter *e)
{
	mw_queue_free(&e->queue);
	mw_freep(&e->body);
}

bool mw_exporter_add(struct mw_exporter *e, const char *text, size_t size, __u64 records, __u64 now_ns)
{
	if (!e->queue.count)
		e->since_ns = now_ns;
	return mw_queue_add(&e->queue, text, size, records);
}

void mw_exporter_outdated(struct mw_exporter *e)
{
	if (!e->under_way) {
		mw_freep(&e->body);
		e->batch = 0;
	}
	mw_queue_cut(&e->queue, e->batch);
}

__u64 mw_exporter_due(const struct mw_exporter *e)
{
	if (e->under_way || !e->queue.count)
		return MW_EXPORTER_NEVER;
	if (e->retry.failures)
		return e->retry.not_before_ns;
	/* A document of metrics waits for nobody: its interval was before it. */
	if (e->ending || e->signal == MW_OTLP_METRICS || e->queue.count >= e->to->batch_max)
		return 0;
	return e->since_ns + e->to->delay_ms * MW_NS_PER_MS;
}

static int compress(struct mw_exporter *e)
{
	_cleanup_free_ char *plain = e->body;
	void *packed;
	size_t n;
	int r = mw_gzip(plain, e->body_size, &packed, &n);

	e->body = NULL;
	if (r < 0)
		return r;
	e->body = packed;
	e->body_size = n;
	return 0;
}

int mw_exporter_begin(struct mw_exporter *e)
{
	_cleanup_(mw_out_free) struct mw_out o = MW_OUT(MW_EXPORTER_BODY_MAX + (64U << 10));
	const struct mw_queued *q;
	int r = 0;

	if (!e->body) {
		e->batch = 0;
		e->batch_records = 0;
		mw_document_begin(&o, e->signal, e->resource);
		while (e->batch < e->to->batch_max && (q = mw_queue_at(&e->queue, e->batch)) &&
		       (!e->batch || o.size + q->size < MW_EXPORTER_BODY_MAX)) {
			mw_out_open(&o, ""); /* a comma */
			mw_out_bytes(&o, q->text, q->size);
			e->batch_records += q->records;
			e->batch++;
		}
		mw_document_end(&o);
		if (o.failed)
			return -ENOMEM;
		e->body_size = o.size;
		e->body = TAKE_PTR(o.data);
		r = e->to->gzip ? compress(e) : 0;
	}
	if (r < 0)
		return r;
	e->under_way = true;
	e->counts.requests++;
	return 0;
}

static void batch_done(struct mw_exporter *e, __u64 now_ns)
{
	mw_queue_remove(&e->queue, e->batch);
	mw_freep(&e->body);
	e->batch = 0;
	e->since_ns = now_ns;
	mw_retry_done(&e->retry);
}

void mw_exporter_end(struct mw_exporter *e, const struct mw_attempt *a, __u64 now_ns, __u32 chance)
{
	__u64 refused = 0;
	char text[200];
	enum mw_verdict_of v = mw_answer_judge(a, e->signal, e->batch_records, &refused, text, sizeof(text));

	e->under_way = false;
	e->failing = v != MW_TAKEN || refused;
	e->counts.failures += v != MW_TAKEN;
	if (a->status && v != MW_TAKEN)
		snprintf(e->why, sizeof(e->why), "answers %u%s%s", a->status, text[0] ? ": " : "", text);
	else if (v != MW_TAKEN)
		snprintf(e->why, sizeof(e->why), "does not answer: %s", text);
	else if (refused)
		snprintf(e->why, sizeof(e->why), "refuses %llu of %llu %s%s", refused, e->batch_records,
			 text[0] ? ": " : "", text);
	if (v == MW_AGAIN) {
		mw_retry_failed(&e->retry, now_ns, a->retry_after_ms, chance);
		return;
	}
	e->counts.sent += v == MW_TAKEN ? e->batch_records - refused : 0;
	e->counts.refused += v == MW_TAKEN ? refused : e->batch_records;
	batch_done(e, now_ns);
}

struct mw_otlp_counts mw_exporter_counts(const struct mw_exporter *e)
{
	struct mw_otlp_counts c = e->counts;

	c.dropped = e->queue.dropped;
	c.waiting = e->queue.records;
	c.waiting_bytes = e->queue.bytes;
	return c;
}
