/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A store of session states: kept compressed with zstd and a dictionary that is trained
 * on the sessions themselves, within a number of bytes; the least recently used ones go first.
 *
 * The bound counts everything the store has asked of the allocator, as rounded by it: sessions,
 * table, dictionaries, working memory of zstd and of a training. It holds after each call; while
 * one runs there may be up to twice max_session_bytes more, and what memweir_session_store_train() says.
 *
 * All functions may be called from several threads at once, but for
 * memweir_session_store_free(); they take turns (one mutex). From inside a callback of the same store each of
 * them gives -EDEADLK and does nothing.
 */
#ifndef MEMWEIR_SESSION_H
#define MEMWEIR_SESSION_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_session_store;

#define MEMWEIR_SESSION_ID_MAX	    255 /* bytes of an id, without its NUL */
#define MEMWEIR_SESSION_STORE_MIN   (2u << 20) /* least max_bytes: zstd alone works with about one MiB */
#define MEMWEIR_SESSION_NO_TRAINING UINT32_MAX /* for train_after */

/* What a callback is given: valid until it returns. data is NULL when what was stored could not be read any more. */
typedef void (*memweir_session_evicted)(void *arg, const char *id, const void *data, size_t n);

struct memweir_session_options {
	size_t size; /* of this structure */
	size_t max_bytes; /* of everything; 0: 16 MiB, least MEMWEIR_SESSION_STORE_MIN */
	size_t max_session_bytes; /* of one session, uncompressed; 0: a quarter of max_bytes, at most 1 MiB */
	size_t dictionary_bytes; /* of a dictionary, 1 KiB to 1 MiB; 0: 110 KiB, at most a 64th of max_bytes */
	uint32_t train_after; /* sessions stored before the first training; 0: 200. MEMWEIR_SESSION_NO_TRAINING */
	int level; /* of zstd, 1 to 12; 0: 3 */
	memweir_session_evicted
		on_evict; /* a session goes to make room; not for removed or replaced ones. NULL: none */
	void *arg; /* its first argument */
};

/* Figures of one moment; counters since the store was made. */
struct memweir_session_stats {
	size_t size; /* of this structure, by the caller */
	uint64_t sessions; /* stored now */
	uint64_t raw_bytes; /* their sizes as they were put */
	uint64_t stored_bytes; /* the same compressed */
	uint64_t bookkeeping_bytes; /* ids, table, rounding, working memory of zstd and of a training */
	uint64_t dictionary_bytes; /* dictionaries that stored sessions need */
	uint64_t total_bytes; /* the three together: what max_bytes bounds */
	uint64_t max_bytes;
	uint64_t hits, misses; /* of get */
	uint64_t evictions; /* to make room, or by trim */
	uint64_t corrupt; /* sessions that could not be read any more, and were removed */
	uint64_t trainings; /* dictionaries made */
	uint64_t dictionaries; /* of them, those that are kept */
	uint64_t outdated; /* stored sessions that wait to be compressed with the newest dictionary */
	double saved; /* 1 - total_bytes / raw_bytes; below 0 for a store that is nearly empty */
};

/*
 * options may be NULL. *ret_store is the caller's: memweir_session_store_free(). -EINVAL: a figure out of its
 * range; -ENOMEM.
 */
MEMWEIR_API int memweir_session_store_new(const struct memweir_session_options *options,
					  struct memweir_session_store **ret_store);

/* on_evict is not called. NULL: nothing happens. */
MEMWEIR_API void memweir_session_store_free(struct memweir_session_store *store);

/*
 * Keep a copy of n bytes under id, in place of what was there; it is the most recently used one then.
 * -EINVAL: an empty id, or NULL data with n; -ENAMETOOLONG; -EMSGSIZE: larger than max_session_bytes, or than all the
 * room there is; -ENOMEM. After a failure what was stored under id is still there.
 */
MEMWEIR_API int memweir_session_store_put(struct memweir_session_store *store, const char *id, const void *data,
					  size_t n);

/*
 * Read it into *buf of *size bytes, which may be NULL and 0, and is made larger with realloc(3) where it
 * has to be; the caller frees it. Its size is *ret_n; it becomes the most recently used one. -ENOENT; -EBADMSG: it
 * was damaged and is removed; -ENOMEM. *ret_n is untouched then, *buf and *size may have grown.
 */
MEMWEIR_API int memweir_session_store_get(struct memweir_session_store *store, const char *id, void **buf, size_t *size,
					  size_t *ret_n);

/* -ENOENT. */
MEMWEIR_API int memweir_session_store_remove(struct memweir_session_store *store, const char *id);

/* What an iterating callback gives back. Any other value ends the iteration, too, and is what iterate returns. */
enum memweir_session_next {
	MEMWEIR_SESSION_GO_ON = 0,
	MEMWEIR_SESSION_REMOVE = 1, /* remove this one and go on */
	MEMWEIR_SESSION_STOP = 2, /* iterate returns 0 */
};
typedef int (*memweir_session_seen)(void *arg, const char *id, const void *data, size_t n);

/*
 * Every session, most recently used first, which this does not change. Other threads wait meanwhile; the callback
 * can change the store by what it returns only. Damaged sessions are left out and removed. 0, the callback's negative
 * number, -ENOMEM.
 */
MEMWEIR_API int memweir_session_store_iterate(struct memweir_session_store *store, memweir_session_seen seen,
					      void *arg);

/*
 * Make a dictionary of what is stored now, at once (10 to 30 ms, and up to a quarter of max_bytes more while it
 * runs): sessions put from now on are compressed with it, older ones a few with each later put and get. -ENODATA: too
 * little is stored, or a first dictionary would not make it smaller; -ENOMEM. On failure nothing changes.
 *
 * Without this call the first dictionary is made once train_after sessions are stored or half of max_bytes is taken, a
 * small step with each put and get.
 */
MEMWEIR_API int memweir_session_store_train(struct memweir_session_store *store);

/* Evict, the least recently used first, until the store takes at most bytes. 0, or -ENOSPC: it takes more though it is
 * empty. */
MEMWEIR_API int memweir_session_store_trim(struct memweir_session_store *store, size_t bytes);

/* ret_stats->size says how much of it there is. */
MEMWEIR_API int memweir_session_store_stats(struct memweir_session_store *store,
					    struct memweir_session_stats *ret_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
