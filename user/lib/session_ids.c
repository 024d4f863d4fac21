// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Sessions by id, and in order of use. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/session_impl.h"
#include "lib/siphash.h"

#define SLOTS_FIRST 64
#define SLOTS_STEP                                                                                                     \
	16 /* moved by one call; more than one session a call comes, so that it ends before the next growth */

int mw_ids_new(struct mw_ids *t)
{
	*t = (struct mw_ids){0};
	if (getrandom(t->key, sizeof(t->key), 0) != sizeof(t->key))
		return -EIO;
	t->now.at = calloc(SLOTS_FIRST, sizeof(struct mw_session *));
	if (!t->now.at)
		return -ENOMEM;
	t->now.n = SLOTS_FIRST;
	return 0;
}

void mw_ids_free(struct mw_ids *t)
{
	while (t->newest) {
		struct mw_session *s = t->newest;

		t->newest = s->older;
		mw_packed_free(s);
	}
	free(t->now.at);
	free(t->before.at);
	*t = (struct mw_ids){0};
}

static struct mw_session **slot(const struct mw_slots *slots, uint32_t hash)
{
	return &slots->at[hash & (slots->n - 1)];
}

/* The pointer that points to it. */
static struct mw_session **link_of(struct mw_ids *t, const struct mw_session *s)
{
	struct mw_session **p = slot(&t->now, s->hash);

	while (*p && *p != s)
		p = &(*p)->chain;
	if (*p)
		return p;
	p = slot(&t->before, s->hash);
	while (*p != s)
		p = &(*p)->chain;
	return p;
}

static struct mw_session *find_in(const struct mw_slots *slots, uint32_t hash, const char *id, size_t id_n)
{
	struct mw_session *s = slots->n ? *slot(slots, hash) : NULL;

	while (s && (s->hash != hash || s->id_n != id_n || memcmp(s->bytes, id, id_n) != 0))
		s = s->chain;
	return s;
}

struct mw_session *mw_ids_find(struct mw_ids *t, const char *id, size_t id_n, uint32_t *ret_hash)
{
	uint32_t hash = (uint32_t)mw_siphash(t->key, id, id_n);
	struct mw_session *s = find_in(&t->now, hash, id, id_n);

	*ret_hash = hash;
	return s ? s : find_in(&t->before, hash, id, id_n);
}

static void push(struct mw_session **at, struct mw_session *s)
{
	s->chain = *at;
	*at = s;
}

static void order_first(struct mw_ids *t, struct mw_session *s)
{
	s->newer = NULL;
	s->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = s;
	t->newest = s;
}

static void order_out(struct mw_ids *t, struct mw_session *s)
{
	if (t->recompress == s)
		t->recompress = s->older;
	if (t->sample == s)
		t->sample = s->older;
	*(s->newer ? &s->newer->older : &t->newest) = s->older;
	*(s->older ? &s->older->newer : &t->oldest) = s->newer;
}

void mw_ids_add(struct mw_ids *t, struct mw_session *s)
{
	push(slot(&t->now, s->hash), s);
	order_first(t, s);
	t->n++;
}

void mw_ids_drop(struct mw_ids *t, struct mw_session *s)
{
	*link_of(t, s) = s->chain;
	order_out(t, s);
	t->n--;
}

void mw_ids_replace(struct mw_ids *t, struct mw_session *old, struct mw_session *s)
{
	struct mw_session **p = link_of(t, old);

	s->chain = old->chain;
	*p = s;
	s->newer = old->newer;
	s->older = old->older;
	*(s->newer ? &s->newer->older : &t->newest) = s;
	*(s->older ? &s->older->newer : &t->oldest) = s;
	if (t->recompress == old)
		t->recompress = s;
	if (t->sample == old)
		t->sample = s;
}

void mw_ids_touch(struct mw_ids *t, struct mw_session *s)
{
	if (t->newest == s)
		return;
	order_out(t, s);
	order_first(t, s);
}

/* Another number of slots: the old ones are emptied by later calls. Without memory for it chains are longer, no more.
 */
static void resize(struct mw_ids *t, size_t n)
{
	struct mw_session **at = calloc(n, sizeof(struct mw_session *));

	if (!at)
		return;
	t->before = t->now;
	t->now = (struct mw_slots){at, n};
	t->moved = 0;
}

void mw_ids_tend(struct mw_ids *t)
{
	if (!t->before.n) {
		if (t->n > t->now.n)
			resize(t, 2 * t->now.n);
		else if (t->now.n > SLOTS_FIRST && t->n < t->now.n / 8)
			resize(t, t->now.n / 2);
		return;
	}
	for (int i = 0; i < SLOTS_STEP && t->moved < t->before.n; i++, t->moved++)
		while (t->before.at[t->moved]) {
			struct mw_session *s = t->before.at[t->moved];

			t->before.at[t->moved] = s->chain;
			push(slot(&t->now, s->hash), s);
		}
	if (t->moved < t->before.n)
		return;
	free(t->before.at);
	t->before = (struct mw_slots){0};
}

size_t mw_ids_bytes(const struct mw_ids *t)
{
	return mw_allocated(t->now.at) + mw_allocated(t->before.at);
}
