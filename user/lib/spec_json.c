// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <errno.h>
#include <limits.h>

#include "lib/spec_input.h"

struct reader {
	struct mw_json_scan scan;
	struct mw_strip *strip;
};

static int on_event(void *data, const struct mw_json_event *e)
{
	struct reader *reader = data;
	struct mw_strip *s = reader->strip;
	int r = mw_strip_event(s, e);

	if (r) {
		s->error.byte = e->offset;
		s->error.line = e->line;
		s->error.column = e->column;
		return r;
	}
	/* What is left out is checked, and not told token by token. */
	reader->scan.event_depth = s->skipped ? e->depth : UINT_MAX;
	return 0;
}

static int failed(struct reader *reader)
{
	const struct mw_json_error *e = &reader->scan.error;
	struct memweir_spec_error *error = &reader->strip->error;

	error->byte = e->offset;
	error->line = e->line;
	error->column = e->column;
	if (e->code == MW_JSON_ERROR_DEPTH)
		return mw_spec_fail(error, -E2BIG, "nested deeper than %d", MW_SPEC_DEPTH);
	return mw_spec_fail(error, -EBADMSG, "no JSON here: expected %s%s", e->expected,
			    e->code == MW_JSON_ERROR_END ? ", and the document ends" : "");
}

int mw_spec_read_json(struct mw_spec_input *in, struct mw_strip *s)
{
	struct reader reader = {.strip = s};
	int r = 0;

	mw_json_scan_init(&reader.scan, 0, MW_SPEC_DEPTH, on_event, &reader);
	do {
		r = mw_json_scan_feed(&reader.scan, in->bytes + in->at, in->len - in->at);
		if (r)
			break;
		in->at = in->len;
		r = mw_spec_input_fill(in, &s->error);
		if (r)
			return r;
	} while (in->at < in->len);
	if (!r)
		r = mw_json_scan_end(&reader.scan);
	return reader.scan.error.code != MW_JSON_ERROR_NONE ? failed(&reader) : r;
}
