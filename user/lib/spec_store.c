// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Stripped documents, compressed as they come in and given out as a stream: none is ever whole in memory but as zstd.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "lib/sized.h"
#include "lib/spec.h"
#include "util/cleanup.h"

#define LEVEL	    3
#define LEVEL_MAX   19
#define WINDOW_LOG  20 /* 1 MiB: names repeat nearby; the window is memory of each put and get */
#define CHUNK_BYTES 65536

struct entry {
	struct entry *next;
	char *name;
	char *bytes;
	size_t stored, room;
	uint64_t input_bytes, stripped_bytes;
	unsigned int users; /* the store, and each get under way: under its lock */
};

struct memweir_spec_store {
	pthread_mutex_t lock;
	struct entry *entries; /* under the lock, and what follows */
	uint64_t input_bytes; /* of entries and of what is read now */
	uint64_t max_spec_bytes, max_total_bytes;
	int level;
};

/* A put under way. */
struct incoming {
	struct memweir_spec_store *store;
	struct entry *entry;
	ZSTD_CCtx *zstd;
	uint64_t counted; /* in the store's input_bytes */
};

static void free_entry(struct entry *e)
{
	if (!e)
		return;
	free(e->name);
	free(e->bytes);
	free(e);
}

int memweir_spec_store_new(const struct memweir_spec_store_options *options, struct memweir_spec_store **ret_store)
{
	struct memweir_spec_store_options o;
	struct memweir_spec_store *s;
	int r = ret_store ? mw_sized_in(&o, sizeof(o), options) : -EINVAL;

	if (r < 0)
		return r;
	if (o.level < 0 || o.level > LEVEL_MAX || o.reserved)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	s->max_spec_bytes = o.max_spec_bytes ? o.max_spec_bytes : MEMWEIR_SPEC_MAX_BYTES;
	s->max_total_bytes = o.max_total_bytes ? o.max_total_bytes : MEMWEIR_SPEC_MAX_TOTAL_BYTES;
	s->level = o.level ? o.level : LEVEL;
	*ret_store = s;
	return 0;
}

void memweir_spec_store_free(struct memweir_spec_store *store)
{
	if (!store)
		return;
	for (struct entry *e = store->entries, *next; e; e = next) {
		next = e->next;
		free_entry(e);
	}
	pthread_mutex_destroy(&store->lock);
	free(store);
}

/* Where the entry of this name hangs, or where one would; under the lock. */
static struct entry **find(struct memweir_spec_store *s, const char *name)
{
	struct entry **at = &s->entries;

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

/* One user less; under the lock. What is to be freed, when that was the last. */
static struct entry *unused(struct entry *e)
{
	return e && --e->users == 0 ? e : NULL;
}

static int account(void *arg, int64_t more)
{
	struct incoming *in = arg;
	struct memweir_spec_store *s = in->store;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	if (more > 0 && (uint64_t)more > s->max_total_bytes - s->input_bytes) {
		r = -ENOSPC;
	} else {
		s->input_bytes += (uint64_t)more;
		in->counted += (uint64_t)more;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

static int reserve(struct entry *e, size_t more)
{
	size_t room = e->room + e->room / 4 + more;
	char *grown;

	if (e->room - e->stored >= more)
		return 0;
	grown = realloc(e->bytes, room);
	if (!grown)
		return -ENOMEM;
	e->bytes = grown;
	e->room = room;
	return 0;
}

static int compress(struct incoming *in, const void *bytes, size_t count, ZSTD_EndDirective how)
{
	struct entry *e = in->entry;
	ZSTD_inBuffer from = {bytes, count, 0};
	size_t left;

	do {
		int r = reserve(e, CHUNK_BYTES / 4);
		ZSTD_outBuffer to;

		if (r < 0)
			return r;
		to = (ZSTD_outBuffer){e->bytes + e->stored, e->room - e->stored, 0};
		left = ZSTD_compressStream2(in->zstd, &to, &from, how);
		if (ZSTD_isError(left))
			return -ENOMEM;
		e->stored += to.pos;
	} while (how == ZSTD_e_end ? left > 0 : from.pos < from.size);
	return 0;
}

static int on_write(void *arg, const void *bytes, size_t count)
{
	return compress(arg, bytes, count, ZSTD_e_continue);
}

static int on_again(void *arg)
{
	struct incoming *in = arg;

	in->entry->stored = 0;
	return ZSTD_isError(ZSTD_CCtx_reset(in->zstd, ZSTD_reset_session_only)) ? -ENOMEM : 0;
}

/* Whatever of the put is not in the store. */
static void give_up(struct incoming *in)
{
	pthread_mutex_lock(&in->store->lock);
	in->store->input_bytes -= in->counted;
	pthread_mutex_unlock(&in->store->lock);
	free_entry(in->entry);
	ZSTD_freeCCtx(in->zstd);
}

static int begin(struct incoming *in, const char *name)
{
	in->entry = calloc(1, sizeof(*in->entry));
	in->zstd = ZSTD_createCCtx();
	if (!in->entry || !in->zstd)
		return -ENOMEM;
	in->entry->users = 1;
	in->entry->name = strdup(name);
	if (!in->entry->name)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(in->zstd, ZSTD_c_compressionLevel, in->store->level);
	ZSTD_CCtx_setParameter(in->zstd, ZSTD_c_windowLog, WINDOW_LOG);
	ZSTD_CCtx_setParameter(in->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

/* The entry is complete: into the store, in place of the one of its name. */
static void commit(struct incoming *in, const struct memweir_spec_stats *stats)
{
	struct entry *e = TAKE_PTR(in->entry), *old, **at;
	char *fitting = realloc(e->bytes, e->stored ? e->stored : 1);

	if (fitting) {
		e->bytes = fitting;
		e->room = e->stored;
	}
	e->input_bytes = stats->input_bytes;
	e->stripped_bytes = stats->output_bytes;
	pthread_mutex_lock(&in->store->lock);
	at = find(in->store, e->name);
	old = *at;
	e->next = old ? old->next : NULL;
	*at = e;
	in->store->input_bytes -= old ? old->input_bytes : 0;
	in->counted = 0;
	old = unused(old);
	pthread_mutex_unlock(&in->store->lock);
	free_entry(old);
}

int memweir_spec_store_put(struct memweir_spec_store *store, const char *name,
			   const struct memweir_spec_options *options, const struct memweir_spec_io *io,
			   struct memweir_spec_stats *ret_stats, struct memweir_spec_error *ret_error)
{
	_cleanup_(give_up) struct incoming in = {.store = store};
	const struct mw_spec_target target = {.write = on_write,
					      .account = account,
					      .again = on_again,
					      .arg = &in,
					      .max_bytes = store->max_spec_bytes};
	struct memweir_spec_stats stats = MEMWEIR_INIT(struct memweir_spec_stats);
	struct memweir_spec_io ours;
	int r = io ? mw_sized_in(&ours, sizeof(ours), io) : -EINVAL;

	if (r < 0)
		return r;
	if (!ours.read || !name || !*name || strlen(name) > MEMWEIR_SPEC_NAME_MAX)
		return -EINVAL;
	r = begin(&in, name);
	r = r ? r : mw_spec_run(options, &ours, &target, &stats, ret_error);
	r = r ? r : compress(&in, NULL, 0, ZSTD_e_end);
	if (!r && ret_stats)
		r = mw_sized_out(ret_stats, &stats, sizeof(stats));
	if (r < 0)
		return r;
	commit(&in, &stats);
	return 0;
}

static void free_dctx(ZSTD_DCtx **d)
{
	ZSTD_freeDCtx(*d);
}

static int expand(const struct entry *e, int (*write)(void *arg, const void *bytes, size_t count), void *arg)
{
	_cleanup_(free_dctx) ZSTD_DCtx *zstd = ZSTD_createDCtx();
	_cleanup_free_ char *out = malloc(CHUNK_BYTES);
	ZSTD_inBuffer from = {e->bytes, e->stored, 0};
	size_t left = 1;

	if (!zstd || !out)
		return -ENOMEM;
	while (left) {
		ZSTD_outBuffer to = {out, CHUNK_BYTES, 0};
		int r;

		left = ZSTD_decompressStream(zstd, &to, &from);
		if (ZSTD_isError(left))
			return ZSTD_getErrorCode(left) == ZSTD_error_memory_allocation ? -ENOMEM : -EIO;
		r = to.pos ? write(arg, out, to.pos) : 0;
		if (r)
			return r;
	}
	return 0;
}

int memweir_spec_store_get(struct memweir_spec_store *store, const char *name,
			   int (*write)(void *arg, const void *bytes, size_t count), void *arg)
{
	struct entry *e;
	int r;

	pthread_mutex_lock(&store->lock);
	e = *find(store, name);
	if (e)
		e->users++;
	pthread_mutex_unlock(&store->lock);
	if (!e)
		return -ENOENT;
	r = expand(e, write, arg);
	pthread_mutex_lock(&store->lock);
	e = unused(e);
	pthread_mutex_unlock(&store->lock);
	free_entry(e);
	return r;
}

int memweir_spec_store_remove(struct memweir_spec_store *store, const char *name)
{
	struct entry *e, **at;
	bool found;

	pthread_mutex_lock(&store->lock);
	at = find(store, name);
	e = *at;
	found = e;
	if (e) {
		*at = e->next;
		store->input_bytes -= e->input_bytes;
		e = unused(e);
	}
	pthread_mutex_unlock(&store->lock);
	free_entry(e);
	return found ? 0 : -ENOENT;
}

int memweir_spec_store_iterate(struct memweir_spec_store *store,
			       int (*visit)(void *arg, const struct memweir_spec_entry *entry), void *arg)
{
	int r = 0;

	pthread_mutex_lock(&store->lock);
	for (const struct entry *e = store->entries; e && !r; e = e->next) {
		const struct memweir_spec_entry entry = {.size = sizeof(entry),
							 .name = e->name,
							 .input_bytes = e->input_bytes,
							 .stripped_bytes = e->stripped_bytes,
							 .stored_bytes = e->stored};

		r = visit(arg, &entry);
	}
	pthread_mutex_unlock(&store->lock);
	return r;
}

int memweir_spec_store_stats(struct memweir_spec_store *store, struct memweir_spec_store_stats *ret_stats)
{
	struct memweir_spec_store_stats stats = {0};

	pthread_mutex_lock(&store->lock);
	for (const struct entry *e = store->entries; e; e = e->next) {
		stats.specs++;
		stats.input_bytes += e->input_bytes;
		stats.stripped_bytes += e->stripped_bytes;
		stats.stored_bytes += e->room;
	}
	pthread_mutex_unlock(&store->lock);
	return mw_sized_out(ret_stats, &stats, sizeof(stats));
}
