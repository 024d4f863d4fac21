// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The session store: read, emptied, trained, counted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session_impl.h"
#include "lib/sized.h"

static struct mw_session *find(struct memweir_session_store *store, const char *id)
{
	size_t n = id ? strnlen(id, MEMWEIR_SESSION_ID_MAX + 1) : 0;
	uint32_t hash;

	return n && n <= MEMWEIR_SESSION_ID_MAX ? mw_ids_find(&store->ids, id, n, &hash) : NULL;
}

static int grow(void **buf, size_t *size, size_t n)
{
	void *at;

	if (*buf && *size >= n)
		return 0;
	at = realloc(*buf, n ? n : 1);
	if (!at)
		return -ENOMEM;
	*buf = at;
	*size = n ? n : 1;
	return 0;
}

static int get(struct memweir_session_store *store, const char *id, void **buf, size_t *size, size_t *ret_n)
{
	struct mw_session *s = find(store, id);
	int r;

	if (!s) {
		store->misses++;
		return -ENOENT;
	}
	r = grow(buf, size, s->raw_n);
	if (r == 0)
		r = mw_unpack(&store->packer, s, *buf);
	if (r == -EBADMSG) {
		store->corrupt++;
		mw_store_drop(store, s);
	}
	if (r < 0)
		return r;
	store->hits++;
	mw_ids_touch(&store->ids, s);
	*ret_n = s->raw_n;
	return 0;
}

int memweir_session_store_get(struct memweir_session_store *store, const char *id, void **buf, size_t *size,
			      size_t *ret_n)
{
	MW_STORE_LOCKED(store, r);
	if (r < 0)
		return r;
	r = get(store, id, buf, size, ret_n);
	mw_store_tend(store);
	return r;
}

int memweir_session_store_remove(struct memweir_session_store *store, const char *id)
{
	struct mw_session *s;

	MW_STORE_LOCKED(store, r);
	if (r < 0)
		return r;
	s = find(store, id);
	if (!s)
		return -ENOENT;
	mw_store_drop(store, s);
	mw_store_tend(store);
	return 0;
}

/* What the callback wants; a damaged one is removed without asking it. */
static int show(struct memweir_session_store *store, struct mw_session *s, memweir_session_seen seen, void *arg)
{
	int r = mw_unpack_here(&store->packer, s);

	if (r == -EBADMSG) {
		store->corrupt++;
		return MEMWEIR_SESSION_REMOVE;
	}
	return r < 0 ? r : seen(arg, s->bytes, store->packer.raw.at, s->raw_n);
}

int memweir_session_store_iterate(struct memweir_session_store *store, memweir_session_seen seen, void *arg)
{
	struct mw_session *s, *next;

	MW_STORE_LOCKED(store, r);
	if (r < 0)
		return r;
	for (s = store->ids.newest; s && r == 0; s = next) {
		next = s->older;
		r = show(store, s, seen, arg);
		if (r != MEMWEIR_SESSION_REMOVE)
			continue;
		mw_store_drop(store, s);
		r = 0;
	}
	mw_packer_tend(&store->packer);
	return r == MEMWEIR_SESSION_STOP ? 0 : r;
}

int memweir_session_store_train(struct memweir_session_store *store)
{
	MW_STORE_LOCKED(store, r);
	if (r < 0)
		return r;
	store->trained = true;
	mw_train_end(store);
	r = mw_train_begin(store);
	while (r > 0)
		r = mw_train_step(store);
	mw_train_end(store);
	mw_store_shrink(store, store->o.max_bytes, NULL);
	return r;
}

int memweir_session_store_trim(struct memweir_session_store *store, size_t bytes)
{
	MW_STORE_LOCKED(store, r);
	if (r < 0)
		return r;
	return mw_store_shrink(store, bytes, NULL) ? 0 : -ENOSPC;
}

static uint64_t outdated(const struct memweir_session_store *store)
{
	return store->packer.newest ? store->ids.n - store->packer.newest->users : 0;
}

static void fill(const struct memweir_session_store *store, struct memweir_session_stats *s)
{
	*s = (struct memweir_session_stats){
		.sessions = store->ids.n,
		.raw_bytes = store->raw_bytes,
		.stored_bytes = store->frame_bytes,
		.dictionary_bytes = mw_packer_dictionary_bytes(&store->packer),
		.total_bytes = mw_store_total(store),
		.max_bytes = store->o.max_bytes,
		.hits = store->hits,
		.misses = store->misses,
		.evictions = store->evictions,
		.corrupt = store->corrupt,
		.trainings = store->trainings,
		.outdated = outdated(store),
	};
	s->bookkeeping_bytes = s->total_bytes - s->stored_bytes - s->dictionary_bytes;
	for (const struct mw_dictionary *d = store->packer.newest; d; d = d->older)
		s->dictionaries++;
	s->saved = s->raw_bytes ? 1 - (double)s->total_bytes / (double)s->raw_bytes : 0;
}

int memweir_session_store_stats(struct memweir_session_store *store, struct memweir_session_stats *ret_stats)
{
	struct memweir_session_stats s;

	MW_STORE_LOCKED(store, r);
	if (r < 0)
		return r;
	fill(store, &s);
	return mw_sized_out(ret_stats, &s, sizeof(s));
}
