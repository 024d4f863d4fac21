/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* uthash ends the program when memory is short unless told to report it. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "symbols/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* Hashed byte by byte: zeroed before it is filled in. */
struct key {
	__u64 inode, offset;
	__u32 dev_major, dev_minor;
	char build_id[MW_BUILD_ID];
	bool is_return;
};

/* One block: the frames, and behind them their texts. */
struct kept {
	UT_hash_handle hh;
	struct key key;
	size_t bytes, n;
	struct mw_frame frames[];
};

struct mw_symbol_cache {
	struct kept *all; /* the longest unused first */
	size_t bytes, bytes_max;
};

struct mw_symbol_cache *mw_symbol_cache_new(size_t bytes_max)
{
	struct mw_symbol_cache *c = calloc(1, sizeof(*c));

	if (c)
		c->bytes_max = bytes_max;
	return c;
}

static void drop(struct mw_symbol_cache *c, struct kept *k)
{
	HASH_DEL(c->all, k);
	c->bytes -= k->bytes;
	free(k);
}

void mw_symbol_cache_free(struct mw_symbol_cache *c)
{
	while (c && c->all)
		drop(c, c->all);
	free(c);
}

size_t mw_symbol_cache_bytes(const struct mw_symbol_cache *c)
{
	return c->bytes;
}

/* Only code of a file that says which it is. */
static bool key_of(const struct mw_modules *modules, const struct mw_address *a, struct key *ret)
{
	const struct mw_module *m = mw_modules_find(modules, a->pc - a->is_return);

	if (!m || !m->inode || !*m->build_id)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->inode = m->inode;
	ret->dev_major = m->dev_major;
	ret->dev_minor = m->dev_minor;
	ret->offset = a->pc - m->start + m->offset;
	ret->is_return = a->is_return;
	strcpy(ret->build_id, m->build_id);
	return true;
}

/* And it is the last that goes, now. */
static struct kept *look_up(struct mw_symbol_cache *c, const struct key *key)
{
	struct kept *k;

	HASH_FIND(hh, c->all, key, sizeof(*key), k);
	if (!k)
		return NULL;
	HASH_DEL(c->all, k);
	HASH_ADD(hh, c->all, key, sizeof(k->key), k);
	if (k->hh.tbl)
		return k;
	c->bytes -= k->bytes; /* no memory: it is not in there any more */
	free(k);
	return NULL;
}

static const char *copy(const char *text, char **at)
{
	size_t n = strlen(text) + 1;
	const char *to = memcpy(*at, text, n);

	*at += n;
	return to;
}

/* Without memory it is not kept: no harm. */
static void keep(struct mw_symbol_cache *c, const struct key *key, const struct mw_frame *frames, size_t n)
{
	size_t bytes = sizeof(struct kept) + n * sizeof(*frames);
	struct kept *k;
	char *at;

	for (size_t i = 0; i < n; i++)
		bytes += strlen(frames[i].function) + strlen(frames[i].file) + strlen(frames[i].module) +
			 strlen(frames[i].build_id) + 4;
	HASH_FIND(hh, c->all, key, sizeof(*key), k); /* twice in one question */
	if (k || bytes > c->bytes_max)
		return;
	k = calloc(1, bytes);
	if (!k)
		return;
	k->key = *key;
	k->bytes = bytes;
	k->n = n;
	at = (char *)&k->frames[n];
	for (size_t i = 0; i < n; i++) {
		k->frames[i] = frames[i];
		k->frames[i].function = copy(frames[i].function, &at);
		k->frames[i].file = copy(frames[i].file, &at);
		k->frames[i].module = copy(frames[i].module, &at);
		k->frames[i].build_id = copy(frames[i].build_id, &at);
	}
	HASH_ADD(hh, c->all, key, sizeof(k->key), k);
	if (!k->hh.tbl) {
		free(k);
		return;
	}
	c->bytes += bytes;
	while (c->bytes > c->bytes_max)
		drop(c, c->all);
}

static int add_frames(struct mw_symbols *s, const struct mw_frame *frames, size_t n)
{
	int r = mw_symbols_place(s);

	for (size_t i = 0; !r && i < n; i++)
		r = mw_symbols_frame(s, &frames[i]);
	return r;
}

/* Is it about what the modules said, and does it say something? */
static bool may_keep(const struct key *key, const struct mw_frame *frames, size_t n)
{
	return *frames[n - 1].function && frames[0].offset == key->offset && !strcmp(frames[0].build_id, key->build_id);
}

/* All places in their order: of one that is not kept from the answer, and kept from now on. */
static int merge(struct mw_symbol_cache *c, const struct mw_modules *modules, const struct mw_symbols_question *q,
		 const bool *asked, const struct mw_symbols *answer, struct mw_symbols *s)
{
	size_t next = 0;
	int r = 0;

	/* First what is there: what is kept from now on may push it out. */
	for (size_t i = 0; !r && i < q->n; i++) {
		struct kept *k = NULL;
		struct key key;

		if (asked[i]) {
			const struct mw_place *p = &answer->places[next++];

			r = add_frames(s, &answer->frames[p->first], p->n);
			continue;
		}
		k = key_of(modules, &q->addresses[i], &key) ? look_up(c, &key) : NULL;
		r = k ? add_frames(s, k->frames, k->n) : -ENOMEM;
	}
	for (size_t i = 0; !r && i < q->n; i++) {
		const struct mw_frame *frames = &s->frames[s->places[i].first];
		struct key key;

		if (asked[i] && key_of(modules, &q->addresses[i], &key) && may_keep(&key, frames, s->places[i].n))
			keep(c, &key, frames, s->places[i].n);
	}
	s->unfinished = answer->unfinished;
	s->unread = answer->unread;
	memcpy(s->problem, answer->problem, sizeof(s->problem));
	return r;
}

int mw_symbols_ask_cached(struct mw_symbol_cache *c, const struct mw_modules *modules,
			  const struct mw_symbols_question *q, struct mw_symbols *ret_symbols, struct mw_error *err)
{
	_cleanup_free_ struct mw_address *missing = calloc(q->n + 1, sizeof(*missing));
	_cleanup_free_ bool *asked = calloc(q->n + 1, sizeof(*asked));
	struct mw_symbols_question rest = *q;
	struct mw_symbols answer = {0}, s = {0};
	int r = 0;

	if (!missing || !asked)
		return -ENOMEM;
	rest.addresses = missing;
	rest.n = 0;
	for (size_t i = 0; i < q->n; i++) {
		struct key key;

		asked[i] = !key_of(modules, &q->addresses[i], &key) || !look_up(c, &key);
		if (asked[i])
			missing[rest.n++] = q->addresses[i];
	}
	if (rest.n || !q->n) /* of nothing at all it says what is wrong */
		r = mw_symbols_ask(&rest, &answer, err);
	if (!r)
		r = merge(c, modules, q, asked, &answer, &s);
	mw_symbols_free(&answer);
	if (r)
		mw_symbols_free(&s);
	else
		*ret_symbols = s;
	return r;
}
