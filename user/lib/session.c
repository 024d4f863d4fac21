// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* The session store: made, filled. Each call does its own work, then mw_store_tend() a step of what goes on behind it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/session_impl.h"
#include "lib/sized.h"
#include "util/cleanup.h"

#define MAX_BYTES    (16UL << 20)
#define SESSION_MOST (1UL << 30) /* max_session_bytes */
#define STORE_MOST   (SIZE_MAX / 4)
#define LEVEL	     3
#define LEVEL_MOST   12 /* from 13 on the working memory grows by more than is saved */
#define DICTIONARY   (110UL << 10)
#define TRAIN_AFTER  200

static int options_in(const struct memweir_session_options *from, struct memweir_session_options *o)
{
	int r = mw_sized_in(o, sizeof(*o), from);

	if (r < 0)
		return r;
	o->max_bytes = o->max_bytes ? o->max_bytes : MAX_BYTES;
	if (!o->max_session_bytes)
		o->max_session_bytes = o->max_bytes / 4 < 1UL << 20 ? o->max_bytes / 4 : 1UL << 20;
	if (!o->dictionary_bytes)
		o->dictionary_bytes = o->max_bytes / 64 < DICTIONARY ? o->max_bytes / 64 : DICTIONARY;
	o->train_after = o->train_after ? o->train_after : TRAIN_AFTER;
	o->level = o->level ? o->level : LEVEL;
	if (o->max_bytes < MEMWEIR_SESSION_STORE_MIN || o->max_bytes > STORE_MOST ||
	    o->max_session_bytes > SESSION_MOST || o->max_session_bytes > o->max_bytes || o->dictionary_bytes < 1024 ||
	    o->dictionary_bytes > 1UL << 20 || o->dictionary_bytes > o->max_bytes / 8 || o->level < 1 ||
	    o->level > LEVEL_MOST)
		return -EINVAL;
	return 0;
}

static int lock_new(pthread_mutex_t *lock)
{
	pthread_mutexattr_t how;
	int r;

	pthread_mutexattr_init(&how);
	pthread_mutexattr_settype(&how, PTHREAD_MUTEX_ERRORCHECK); /* a callback that calls back is told */
	r = -pthread_mutex_init(lock, &how);
	pthread_mutexattr_destroy(&how);
	return r;
}

int memweir_session_store_new(const struct memweir_session_options *options, struct memweir_session_store **ret_store)
{
	_cleanup_free_ struct memweir_session_store *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	r = options_in(options, &store->o);
	if (r < 0)
		return r;
	r = lock_new(&store->lock);
	if (r < 0)
		return r;
	r = mw_ids_new(&store->ids);
	if (r == 0)
		r = mw_packer_new(&store->packer, store->o.level);
	if (r < 0) {
		memweir_session_store_free(TAKE_PTR(store));
		return r;
	}
	*ret_store = TAKE_PTR(store);
	return 0;
}

void memweir_session_store_free(struct memweir_session_store *store)
{
	if (!store)
		return;
	mw_train_end(store);
	mw_ids_free(&store->ids);
	mw_packer_free(&store->packer);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

static int id_length(const char *id, size_t *ret_n)
{
	size_t n = id ? strnlen(id, MEMWEIR_SESSION_ID_MAX + 1) : 0;

	if (!n)
		return -EINVAL;
	if (n > MEMWEIR_SESSION_ID_MAX)
		return -ENAMETOOLONG;
	*ret_n = n;
	return 0;
}

/* s in, old out if there is one. Nothing is evicted where all of it would not help. */
static int place(struct memweir_session_store *store, struct mw_session *s, struct mw_session *old)
{
	uint64_t max = store->o.max_bytes, need = mw_allocated(s), kept = old ? mw_allocated(old) : 0, fixed;

	mw_packer_tend(&store->packer);
	fixed = mw_store_fixed(store) - mw_train_bytes(store) - mw_packer_rooms(&store->packer);
	if (need > max || fixed > max - need)
		return -EMSGSIZE;
	if (!mw_store_shrink(store, max - need + kept, old))
		return -EMSGSIZE;
	if (old)
		mw_store_drop(store, old);
	mw_ids_add(&store->ids, s);
	mw_store_account(store, s, 1);
	return 0;
}

static int put(struct memweir_session_store *store, const char *id, size_t id_n, const void *data, size_t n)
{
	struct mw_session *old, *s;
	uint32_t hash;
	size_t frame_n;
	int r;

	r = mw_pack(&store->packer, data, n, &frame_n);
	if (r < 0)
		return r;
	old = mw_ids_find(&store->ids, id, id_n, &hash);
	s = mw_packed(&store->packer, id, id_n, hash, n, frame_n);
	if (!s)
		return -ENOMEM;
	r = place(store, s, old);
	if (r < 0)
		mw_packed_free(s);
	return r;
}

int memweir_session_store_put(struct memweir_session_store *store, const char *id, const void *data, size_t n)
{
	size_t id_n;
	int r;

	r = id_length(id, &id_n);
	if (r < 0)
		return r;
	if (!data && n)
		return -EINVAL;
	if (n > store->o.max_session_bytes)
		return -EMSGSIZE;
	MW_STORE_LOCKED(store, held);
	if (held < 0)
		return held;
	r = put(store, id, id_n, n ? data : "", n);
	mw_store_tend(store);
	return r;
}
