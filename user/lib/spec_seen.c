// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec_seen.h"

#include <stdlib.h>
#include <string.h>

#include "util/fnv.h"

#define ROOM_KEPT 64 /* slots: what most mappings need */

uint64_t mw_seen_hash(const char *name, size_t len)
{
	uint64_t h = mw_fnv1a(MW_FNV1A, name, len);

	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ULL;
	h ^= h >> 32;
	return h ? h : 1;
}

void mw_seen_free(struct mw_seen *s)
{
	free(s->slots);
	*s = (struct mw_seen){0};
}

void mw_seen_clear(struct mw_seen *s)
{
	if (s->room > ROOM_KEPT)
		mw_seen_free(s);
	else if (s->n)
		memset(s->slots, 0, s->room * sizeof(*s->slots));
	s->n = 0;
}

static struct mw_seen_slot *find(struct mw_seen *s, uint64_t hash)
{
	size_t at = hash & (s->room - 1);

	while (s->slots[at].hash && s->slots[at].hash != hash)
		at = (at + 1) & (s->room - 1);
	return &s->slots[at];
}

static bool grow(struct mw_seen *s)
{
	struct mw_seen grown = {.room = s->room ? s->room * 2 : 16, .n = s->n};

	if (s->n >= MW_SPEC_SEEN_MAX)
		return false;
	grown.slots = calloc(grown.room, sizeof(*grown.slots));
	if (!grown.slots)
		return false;
	for (size_t i = 0; i < s->room; i++)
		if (s->slots[i].hash)
			*find(&grown, s->slots[i].hash) = s->slots[i];
	free(s->slots);
	*s = grown;
	return true;
}

uint32_t *mw_seen_put(struct mw_seen *s, uint64_t hash, bool *ret_new)
{
	struct mw_seen_slot *slot;

	if (s->n * 2 >= s->room && !grow(s))
		return NULL;
	slot = find(s, hash);
	*ret_new = !slot->hash;
	s->n += !slot->hash;
	slot->hash = hash;
	return &slot->number;
}

uint32_t *mw_seen_get(struct mw_seen *s, uint64_t hash)
{
	struct mw_seen_slot *slot = s->room ? find(s, hash) : NULL;

	return slot && slot->hash ? &slot->number : NULL;
}
