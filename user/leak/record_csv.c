/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A CSV of "seconds,memory_bytes", as measurements of others come: one worker, named after the file. What it is made of
 * is not known; all of it counts as anonymous memory, which nothing reclaims.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "leak/record_impl.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define HEADING "seconds,memory_bytes"
#define START	MW_NS_PER_S /* of its clock: 0 is "never" to those who judge */

/* The line from at on without its end; *ret_next: where the next one begins. */
static size_t line_at(const unsigned char *bytes, size_t size, size_t at, size_t *ret_next)
{
	const unsigned char *newline = memchr(bytes + at, '\n', size - at);
	size_t end = newline ? (size_t)(newline - bytes) : size;

	*ret_next = newline ? end + 1 : size;
	return end > at && bytes[end - 1] == '\r' ? end - 1 - at : end - at;
}

bool mw_record_is_csv(const void *bytes, size_t size)
{
	size_t next;

	return size >= sizeof(HEADING) - 1 && line_at(bytes, size, 0, &next) == sizeof(HEADING) - 1 &&
	       memcmp(bytes, HEADING, sizeof(HEADING) - 1) == 0;
}

int mw_record_csv_open(struct mw_record_reader *r, struct mw_error *err)
{
	_cleanup_(mw_config_free) struct mw_config defaults = {0};

	if (mw_config_defaults(&defaults) < 0)
		return mw_fail(err, -ENOMEM, "%s: no memory", r->name);
	r->csv = r->closed = true;
	r->head = (struct mw_record_head){.time_ns = START, .monitor = defaults.monitor};
	r->time_ns = START;
	return 0;
}

/* Digits, and with places at most nine of them behind a point, as whole units of 10^-places. */
static bool decimal(const char **text, const char *end, unsigned places, __u64 *ret_value)
{
	const char *p = *text;
	__u64 value = 0;
	bool point = false, any = false;
	unsigned left = places;

	for (; p < end && ((*p >= '0' && *p <= '9') || (*p == '.' && places && !point)); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		any = true;
		if (point && !left)
			continue; /* finer than a nanosecond */
		if (value > (1ULL << 56))
			return false;
		value = value * 10 + (__u64)(*p - '0');
		left -= point;
	}
	for (; left; left--) {
		if (value > (1ULL << 60) / 10)
			return false;
		value *= 10;
	}
	*text = p;
	*ret_value = value;
	return any && !(value >> 60);
}

static int worker_item(struct mw_record_reader *r, struct mw_record_item *ret_item, struct mw_error *err)
{
	struct mw_record_item item = {.kind = MW_RECORD_WORKER, .time_ns = START};
	const char *slash = strrchr(r->name, '/'), *base = slash ? slash + 1 : r->name;
	size_t n = strlen(base);
	char stem[MW_NAME_SIZE];

	if (mw_record_room(&r->last, 0, &r->workers_room) < 0)
		return mw_fail(err, -ENOMEM, "%s: no memory", r->name);
	if (n > 4 && strcmp(base + n - 4, ".csv") == 0)
		n -= 4;
	snprintf(stem, sizeof(stem), "%.*s", (int)(n < sizeof(stem) ? n : sizeof(stem) - 1), base);
	mw_name_from(stem, item.about.name);
	item.about.profile = (struct mw_profile){
		.max_heap = MW_UNLIMITED,
		.max_bin_heap = MW_UNLIMITED,
		.bin_follows = true,
		.hibernate_threshold = 0.8,
		.swap_max = MW_AUTO,
		.low = MW_AUTO,
		.policy = MW_POLICY_PROTECT,
		.budget = MW_UNLIMITED,
	};
	r->n_workers = 1;
	*ret_item = item;
	return 1;
}

int mw_record_csv_next(struct mw_record_reader *r, struct mw_record_item *ret_item, struct mw_error *err)
{
	const char *text, *end, *p;
	__u64 ns, bytes;
	size_t next, n;

	if (!r->n_workers)
		return worker_item(r, ret_item, err);
	if (r->line == 0) {
		line_at(r->bytes, r->size, 0, &r->at);
		r->line = 1;
	}
	if (r->at >= r->size || r->cut)
		return 0;
	n = line_at(r->bytes, r->size, r->at, &next);
	r->line++;
	if (!n && next == r->size)
		return 0; /* an empty line ends it */
	text = p = (const char *)r->bytes + r->at;
	end = text + n;
	if (!decimal(&p, end, 9, &ns) || p == end || *p++ != ',' || !decimal(&p, end, 0, &bytes) || p != end) {
		r->cut = next == r->size && r->bytes[r->size - 1] != '\n';
		if (r->cut)
			return 0;
		return mw_fail(err, -EBADMSG, "%s:%llu: found \"%.*s\", expected SECONDS,BYTES", r->name, r->line,
			       (int)(n < 60 ? n : 60), text);
	}
	if (START + ns < r->time_ns)
		return mw_fail(err, -EBADMSG, "%s:%llu: found %.*s, expected a time not before the line above", r->name,
			       r->line, (int)(n < 60 ? n : 60), text);
	*ret_item = (struct mw_record_item){.kind = MW_RECORD_SAMPLE, .time_ns = START + ns};
	ret_item->usage = (struct mw_usage){.time_ns = START + ns, .current = bytes, .anon = bytes};
	ret_item->usage.max = ret_item->usage.high = MW_UNLIMITED;
	mw_record_derive(&ret_item->usage);
	r->time_ns = START + ns;
	r->at = next;
	r->records++;
	return 1;
}
