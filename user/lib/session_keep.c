// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The bound, and what is done a step at a time behind the calls. */
#include <errno.h>

#include "lib/session_impl.h"

#define STEP_SESSIONS 2 /* compressed again by one call */
#define STEP_BYTES    32768 /* or fewer, when they have so many */
#define STEP_LOOKS    64

uint64_t mw_store_fixed(const struct memweir_session_store *store)
{
	return mw_allocated(store) + mw_ids_bytes(&store->ids) + mw_packer_bytes(&store->packer) +
	       mw_packer_dictionary_bytes(&store->packer) + mw_train_bytes(store);
}

uint64_t mw_store_total(const struct memweir_session_store *store)
{
	return mw_store_fixed(store) + store->session_bytes;
}

void mw_store_account(struct memweir_session_store *store, const struct mw_session *s, int sign)
{
	uint64_t n = (uint64_t)sign;

	store->raw_bytes += n * s->raw_n;
	store->frame_bytes += n * s->frame_n;
	store->session_bytes += n * mw_allocated(s);
}

void mw_store_drop(struct memweir_session_store *store, struct mw_session *s)
{
	mw_store_account(store, s, -1);
	mw_ids_drop(&store->ids, s);
	mw_packed_free(s);
}

static void evict(struct memweir_session_store *store, struct mw_session *s)
{
	store->evictions++;
	if (store->o.on_evict) {
		int r = mw_unpack_here(&store->packer, s);

		store->corrupt += r == -EBADMSG;
		store->o.on_evict(store->o.arg, s->bytes, r < 0 ? NULL : store->packer.raw.at, s->raw_n);
	}
	mw_store_drop(store, s);
}

/* Make room, the oldest first and one not at all. False: the rest is no longer in the way, and it is not enough. */
bool mw_store_shrink(struct memweir_session_store *store, uint64_t bytes, const struct mw_session *keep)
{
	mw_packer_tend(&store->packer);
	while (mw_store_total(store) > bytes) {
		struct mw_session *s = store->ids.oldest;

		if (s && s == keep)
			s = s->newer;
		if (store->trainer)
			mw_train_end(store);
		else if (s)
			evict(store, s);
		else
			break;
		mw_packer_tend(&store->packer);
	}
	if (mw_store_total(store) > bytes)
		mw_packer_rooms_free(&store->packer);
	return mw_store_total(store) <= bytes;
}

/* With what is packed in p->frame. */
static int renew(struct memweir_session_store *store, struct mw_session *old, size_t frame_n)
{
	struct mw_session *s;

	s = mw_packed(&store->packer, old->bytes, old->id_n, old->hash, old->raw_n, frame_n);
	if (!s)
		return -ENOMEM;
	mw_store_account(store, old, -1);
	mw_store_account(store, s, 1);
	mw_ids_replace(&store->ids, old, s);
	mw_packed_free(old);
	return 0;
}

/* Some sessions from where the walk is: those of older dictionaries come into the newest. */
static void recompress(struct memweir_session_store *store)
{
	struct mw_ids *t = &store->ids;
	struct mw_packer *p = &store->packer;
	size_t bytes = 0, frame_n;
	int done = 0, r;

	if (!p->newest || p->newest->users == t->n)
		return;
	if (!t->recompress)
		t->recompress = t->newest;
	for (int i = 0; i < STEP_LOOKS && t->recompress && done < STEP_SESSIONS && bytes < STEP_BYTES; i++) {
		struct mw_session *s = t->recompress;

		t->recompress = s->older;
		if (s->dictionary == p->newest)
			continue;
		done++;
		bytes += s->raw_n;
		r = mw_unpack_here(p, s);
		if (r == -EBADMSG) {
			store->corrupt++;
			mw_store_drop(store, s);
		} else if (r == 0 && mw_pack(p, p->raw.at, s->raw_n, &frame_n) == 0) {
			renew(store, s, frame_n);
		}
	}
}

/* A store that is half full has room for a training still, and soon no longer. */
static bool train_is_due(const struct memweir_session_store *store)
{
	size_t n = store->ids.n, after = store->o.train_after;

	if (after == MEMWEIR_SESSION_NO_TRAINING || n < MW_TRAIN_LEAST)
		return false;
	return n >= after || mw_store_total(store) > store->o.max_bytes / 2;
}

/* What goes on behind the calls, a step of it; then the bound. */
void mw_store_tend(struct memweir_session_store *store)
{
	mw_ids_tend(&store->ids);
	if (!store->trained && train_is_due(store)) {
		store->trained = true;
		mw_train_begin(store);
	}
	if (store->trainer)
		mw_train_step(store);
	else
		recompress(store);
	mw_store_shrink(store, store->o.max_bytes, NULL);
}
