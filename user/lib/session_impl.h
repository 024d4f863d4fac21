/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The session store from inside. session.c and session_read.c: what the public header promises. session_keep.c: the
 * bound. session_ids.c: ids and the order of use. session_zstd.c: frames and dictionaries. session_train.c: a
 * dictionary from samples, in steps. All of it under the store's lock.
 */
#ifndef MW_LIB_SESSION_IMPL_H
#define MW_LIB_SESSION_IMPL_H

#include <memweir/session.h>
#include <pthread.h>
#include <stdbool.h>
#include <zstd.h>

#include "util/cleanup.h"

/* One generation. Without any, frames stand alone (NULL). */
struct mw_dictionary {
	struct mw_dictionary *older;
	ZSTD_DDict *digested;
	size_t users; /* sessions that need it */
};

struct mw_session {
	struct mw_session *chain; /* of its slot */
	struct mw_session *newer, *older; /* in order of use */
	struct mw_dictionary *dictionary;
	uint32_t hash;
	uint32_t raw_n, frame_n;
	uint8_t id_n;
	char bytes[]; /* id, NUL, frame */
};

struct mw_slots {
	struct mw_session **at;
	size_t n; /* a power of two, or 0 */
};

struct mw_ids {
	uint64_t key[2];
	struct mw_slots now, before; /* a larger table is filled from before, some slots at a time */
	size_t moved; /* slots of before that are empty for good */
	struct mw_session *newest, *oldest;
	struct mw_session *recompress, *sample; /* where two walks towards the oldest go on */
	size_t n;
};

struct mw_room { /* one buffer, made larger as needed */
	void *at;
	size_t size;
};

struct mw_packer {
	ZSTD_CCtx *cctx;
	ZSTD_DCtx *dctx;
	struct mw_dictionary *newest;
	struct mw_room frame, raw; /* of what is being put, read, recompressed */
	int level;
};

struct mw_trainer;

struct memweir_session_store {
	pthread_mutex_t lock;
	struct memweir_session_options o; /* with what was left to us filled in */
	struct mw_ids ids;
	struct mw_packer packer;
	struct mw_trainer *trainer; /* while a dictionary is being made */
	bool trained; /* or tried: not again by itself */
	uint64_t raw_bytes, frame_bytes, session_bytes; /* session_bytes: as allocated */
	uint64_t hits, misses, evictions, corrupt, trainings;
};

size_t mw_allocated(const void *p); /* bytes p takes of the heap; 0 for NULL */
int mw_room_make(struct mw_room *room, size_t size);
void mw_room_free(struct mw_room *room);

static inline char *mw_session_frame(struct mw_session *s)
{
	return s->bytes + s->id_n + 1;
}

/* Table. Walks go on at the next one when theirs goes. */
int mw_ids_new(struct mw_ids *t);
void mw_ids_free(struct mw_ids *t); /* sessions too */
struct mw_session *mw_ids_find(struct mw_ids *t, const char *id, size_t id_n, uint32_t *ret_hash);
void mw_ids_add(struct mw_ids *t, struct mw_session *s); /* as the newest */
void mw_ids_drop(struct mw_ids *t, struct mw_session *s); /* s is not freed */
void mw_ids_replace(struct mw_ids *t, struct mw_session *old, struct mw_session *s); /* same id, same place */
void mw_ids_touch(struct mw_ids *t, struct mw_session *s); /* the newest now */
void mw_ids_tend(struct mw_ids *t); /* a step towards the right size */
size_t mw_ids_bytes(const struct mw_ids *t); /* without sessions */

/* Frames. */
int mw_packer_new(struct mw_packer *p, int level);
void mw_packer_free(struct mw_packer *p); /* dictionaries too */
size_t mw_packer_bytes(const struct mw_packer *p); /* without dictionaries */
size_t mw_packer_dictionary_bytes(const struct mw_packer *p);
size_t mw_packer_rooms(const struct mw_packer *p); /* bytes of the buffers, part of mw_packer_bytes */
void mw_packer_rooms_free(struct mw_packer *p); /* nothing that is in them is needed */
void mw_packer_tend(struct mw_packer *p); /* free dictionaries without users, large buffers */
int mw_pack(struct mw_packer *p, const void *data, size_t n, size_t *ret_n); /* into p->frame */
/* A session of what p->frame holds. NULL: no memory. */
struct mw_session *mw_packed(struct mw_packer *p, const char *id, size_t id_n, uint32_t hash, size_t raw_n,
			     size_t frame_n);
void mw_packed_free(struct mw_session *s);
int mw_unpack(struct mw_packer *p, struct mw_session *s, void *buf); /* of at least raw_n bytes. -EBADMSG, -ENOMEM */
int mw_unpack_here(struct mw_packer *p, struct mw_session *s); /* into p->raw */
int mw_packer_adopt(struct mw_packer *p, const void *dictionary, size_t n); /* compress with this from now on */
void mw_packer_abandon(struct mw_packer *p); /* what was adopted last and has no users; on without one */

#define MW_TRAIN_LEAST 16 /* sessions */

/* Training. 1: begun; -ENODATA: too little is stored. */
int mw_train_begin(struct memweir_session_store *store);
/* 1: goes on; 0: the dictionary is in use; -errno: it is over, without one (-ENODATA: it would not help). */
int mw_train_step(struct memweir_session_store *store);
void mw_train_end(struct memweir_session_store *store); /* nothing happens when none is under way */
size_t mw_train_bytes(const struct memweir_session_store *store);

static inline void mw_store_unlockp(struct memweir_session_store **store)
{
	if (*store)
		pthread_mutex_unlock(&(*store)->lock);
}

/* The rest of the scope has the store; r tells whether it does. */
#define MW_STORE_LOCKED(store, r)                                                                                      \
	int(r) = -pthread_mutex_lock(&(store)->lock);                                                                  \
	_cleanup_(mw_store_unlockp) struct memweir_session_store *locked_ = (r) < 0 ? NULL : (store)

/* The bound. */
uint64_t mw_store_fixed(const struct memweir_session_store *store); /* bytes of all but the sessions */
uint64_t mw_store_total(const struct memweir_session_store *store);
void mw_store_account(struct memweir_session_store *store, const struct mw_session *s, int sign);
void mw_store_drop(struct memweir_session_store *store, struct mw_session *s);
/* Evict until at most bytes are taken, the oldest first and keep never (NULL: all may go). False: it is not enough. */
bool mw_store_shrink(struct memweir_session_store *store, uint64_t bytes, const struct mw_session *keep);
void mw_store_tend(struct memweir_session_store *store); /* a step of what is under way; then the bound */

#endif
