// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* A value inside of a text, found by scanning no further than it. */
#include <memweir/json.h>

#include <errno.h>
#include <string.h>

#include "lib/json_decode.h"
#include "lib/json_scan.h"

#define FOUND 1

struct search {
	struct mw_json_scan scan;
	const char *step; /* the pointer's part to be matched next, behind its '/'; NULL: the value itself is wanted */
	unsigned int depth; /* of the value that is looked at next */
	uint64_t index; /* of it, in an array */
	int in_array; /* what is around it */
	int taken; /* the next value is the one */
	uint64_t from, to; /* of the value */
};

static const char *step_end(const char *step)
{
	return step + strcspn(step, "/");
}

/* A character of a step; *p is behind it afterwards. */
static char step_char(const char **p)
{
	char c = *(*p)++;

	if (c != '~')
		return c;
	return *(*p)++ == '0' ? '~' : '/';
}

static int is_pointer(const char *pointer)
{
	if (*pointer && *pointer != '/')
		return 0;
	for (const char *p = strchr(pointer, '~'); p; p = strchr(p + 1, '~'))
		if (p[1] != '0' && p[1] != '1')
			return 0;
	return 1;
}

static int key_matches(const char *step, const struct mw_json_event *event)
{
	const char *end = step_end(step), *p = event->text + 1, *key_end = event->text + event->length - 1;
	char utf8[4];

	while (p < key_end) {
		size_t n = mw_json_decode(&p, key_end, utf8);

		for (size_t i = 0; i < n; i++)
			if (step == end || step_char(&step) != utf8[i])
				return 0;
	}
	return step == end;
}

static int index_matches(const char *step, uint64_t index)
{
	const char *end = step_end(step);
	uint64_t n = 0;

	if (step == end || (*step == '0' && end - step > 1) || end - step > 19)
		return 0;
	for (; step < end; step++) {
		if (*step < '0' || *step > '9')
			return 0;
		n = n * 10 + (uint64_t)(*step - '0');
	}
	return n == index;
}

static const char *next_step(const char *step)
{
	const char *end = step_end(step);

	return *end ? end + 1 : NULL;
}

/* The value that begins with the event is on the way: it itself, or what holds it. */
static int enter(struct search *s, const struct mw_json_event *event)
{
	if (!s->step) {
		s->from = event->offset;
		s->to = event->offset + event->length;
		s->scan.event_depth = event->depth;
		return event->token == MW_JSON_OBJECT_BEGIN || event->token == MW_JSON_ARRAY_BEGIN ||
				       !(event->flags & MW_JSON_LAST)
			       ? 0
			       : FOUND;
	}
	if (event->token != MW_JSON_OBJECT_BEGIN && event->token != MW_JSON_ARRAY_BEGIN)
		return -ENOENT;
	s->in_array = event->token == MW_JSON_ARRAY_BEGIN;
	s->depth = s->scan.event_depth = event->depth + 1;
	s->taken = 0;
	s->index = 0;
	return 0;
}

static int look(void *data, const struct mw_json_event *event)
{
	struct search *s = data;
	int ends = event->token == MW_JSON_OBJECT_END || event->token == MW_JSON_ARRAY_END;

	if (!s->step && s->to) { /* in the value already */
		s->to = event->offset + event->length;
		return event->flags & MW_JSON_LAST ? FOUND : 0;
	}
	if (!s->step)
		return enter(s, event);
	if (event->depth < s->depth)
		return -ENOENT; /* what should have it has ended */
	if (ends ||
	    (event->token == MW_JSON_KEY && !(event->flags & MW_JSON_LAST))) /* a key cut off: an error follows */
		return 0;
	if (event->token == MW_JSON_KEY) {
		s->taken = key_matches(s->step, event);
		if (s->taken)
			s->step = next_step(s->step);
		return 0;
	}
	if (s->in_array && index_matches(s->step, s->index++)) {
		s->taken = 1;
		s->step = next_step(s->step);
	}
	return s->taken ? enter(s, event) : 0;
}

int memweir_json_get(const char *text, size_t n, const char *pointer, const char **ret_value, size_t *ret_length)
{
	struct search s = {0};
	int r;

	if (!is_pointer(pointer))
		return -EINVAL;
	s.step = *pointer ? pointer + 1 : NULL;
	s.taken = 1; /* the text itself is on the way */
	mw_json_scan_init(&s.scan, MW_JSON_LONE_SURROGATES, MW_JSON_DEPTH_MAX, look, &s);
	s.scan.event_depth = 0;
	r = mw_json_scan_feed(&s.scan, text, n);
	if (!r)
		r = mw_json_scan_end(&s.scan);
	if (r != FOUND)
		return r ? r : -ENOENT;
	*ret_value = text + s.from;
	*ret_length = (size_t)(s.to - s.from);
	return 0;
}

/* One pass over what is directly in the text's value. */
struct pass {
	const char *text;
	memweir_json_member_fn member_fn;
	void *data;
	const char *key;
	size_t key_length;
	uint64_t from; /* of the value being read */
};

static int give(void *data, const struct mw_json_event *event)
{
	struct pass *pass = data;
	int begins = event->token == MW_JSON_OBJECT_BEGIN || event->token == MW_JSON_ARRAY_BEGIN;
	int ends = event->token == MW_JSON_OBJECT_END || event->token == MW_JSON_ARRAY_END;

	if (!event->depth)
		return begins || ends ? 0 : -EDOM;
	if (event->token == MW_JSON_KEY) {
		pass->key = event->text;
		pass->key_length = event->length;
		return 0;
	}
	if (!ends)
		pass->from = event->offset;
	if (begins || !(event->flags & MW_JSON_LAST)) /* cut off inside: an error follows */
		return 0;
	return pass->member_fn(pass->data, pass->key, pass->key_length, pass->text + pass->from,
			       (size_t)(event->offset + event->length - pass->from));
}

int memweir_json_each(const char *text, size_t n, memweir_json_member_fn member_fn, void *data)
{
	struct pass pass = {.text = text, .member_fn = member_fn, .data = data};
	struct mw_json_scan scan;
	int r;

	if (!member_fn)
		return -EINVAL;
	mw_json_scan_init(&scan, MW_JSON_LONE_SURROGATES, MW_JSON_DEPTH_MAX, give, &pass);
	scan.event_depth = 1;
	r = mw_json_scan_feed(&scan, text, n);
	return r ? r : mw_json_scan_end(&scan);
}
