/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "otlp/series.h"

#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/fnv.h"

#define FIRST_ROOM 1024
#define LOOKS_KEPT 3

void mw_starts_free(struct mw_series_table *t)
{
	free(t->slots);
	*t = (struct mw_series_table){0};
}

__u64 mw_starts_key(__u64 key, const char *text)
{
	key = mw_fnv1a(key ? key : MW_FNV1A, text, strlen(text) + 1); /* with its end: "a" "bc" is not "ab" "c" */
	return key ? key : 1;
}

/* Its place, or the free one it would get. */
static struct mw_one_series *place(struct mw_one_series *slots, size_t room, __u64 key)
{
	size_t i = (size_t)(key ^ (key >> 32)) & (room - 1);

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & (room - 1);
	return &slots[i];
}

/* Into a table of that size, without who is gone. */
static int rebuild(struct mw_series_table *t, size_t room)
{
	struct mw_one_series *fresh = calloc(room, sizeof(*fresh));
	size_t count = 0;

	if (!fresh)
		return -ENOMEM;
	for (size_t i = 0; i < t->room; i++) {
		const struct mw_one_series *s = &t->slots[i];

		if (!s->key || t->look - s->look > LOOKS_KEPT)
			continue;
		*place(fresh, room, s->key) = *s;
		count++;
	}
	free(t->slots);
	t->slots = fresh;
	t->room = room;
	t->count = count;
	return 0;
}

void mw_starts_look(struct mw_series_table *t, __u64 now_ns)
{
	size_t gone = 0;

	t->before_ns = t->now_ns;
	t->now_ns = now_ns;
	t->look++;
	for (size_t i = 0; i < t->room; i++)
		gone += t->slots[i].key && t->look - t->slots[i].look > LOOKS_KEPT;
	if (gone > t->count / 8)
		rebuild(t, t->room);
}

__u64 mw_starts_of(struct mw_series_table *t, __u64 key, double value)
{
	struct mw_one_series *s;

	if (t->count * 2 >= t->room && t->room < 2 * (size_t)MW_SERIES_MAX)
		rebuild(t, t->room ? t->room * 2 : FIRST_ROOM);
	if (!t->room)
		return 0;
	s = place(t->slots, t->room, key);
	if (!s->key) {
		if (t->count >= MW_SERIES_MAX || t->count * 2 >= t->room)
			return 0;
		*s = (struct mw_one_series){.key = key, .start_ns = t->before_ns ? t->before_ns : t->now_ns};
		t->count++;
	} else if (value < s->value) {
		s->start_ns = t->before_ns;
		s->resets++;
	}
	s->value = value;
	s->look = t->look;
	return s->start_ns;
}
