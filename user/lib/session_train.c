// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A dictionary from samples, in steps that are short beside a put. zstd's own trainer chooses the content in one go
 * that takes half a second and some 10 MiB; here it is chosen by the same thought (a stretch is worth the sum of its
 * strings of 8 bytes, each by the number of sessions that have it) and given to zstd to finish.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zdict.h>

#include "lib/session_impl.h"
#include "util/cleanup.h"

#define WORD	      8 /* bytes of the strings that are counted */
#define STRETCH	      512 /* bytes taken at once */
#define SAMPLES_TIMES 12 /* samples have so many times the dictionary's size */
#define TIMES_LEAST   4 /* with fewer samples the dictionary is smaller */
#define JUDGES_SHARE  8
#define STEP_BYTES    16384
#define FINISH_BYTES  65536 /* zstd looks at so many for its tables, and so many judge */

struct mw_trainer {
	enum { COLLECT, COUNT, CHOOSE, FINISH, JUDGE, ADOPT } phase;
	size_t stride; /* of so many sessions one is a sample */
	unsigned char *samples;
	size_t n, room;
	size_t *ends; /* of each sample */
	size_t n_ends, max_ends;
	size_t judges; /* the first of those that are left out, to see whether the dictionary helps others */
	uint16_t *worth; /* of a string, by its hash: samples that have it, less one */
	uint16_t *seen; /* COUNT: the last sample that had it; CHOOSE: how often the present stretch has it */
	unsigned int bits;
	size_t at, sample; /* COUNT: where */
	unsigned char *content; /* filled from its end: what is chosen first is nearest to a session */
	size_t free, size;
	size_t part, parts; /* CHOOSE: each part of the samples gives its best stretch in turn */
	bool found; /* in this round */
	char *dictionary; /* from JUDGE on */
	size_t dictionary_n;
	size_t before; /* what the judging samples take without it */
};

static size_t slots_bytes(const struct mw_trainer *t)
{
	return sizeof(uint16_t) << t->bits;
}

static size_t bytes_of(const struct mw_trainer *t)
{
	return mw_allocated(t) + mw_allocated(t->samples) + mw_allocated(t->ends) + mw_allocated(t->worth) +
	       mw_allocated(t->seen) + mw_allocated(t->content) + mw_allocated(t->dictionary);
}

size_t mw_train_bytes(const struct memweir_session_store *store)
{
	return store->trainer ? bytes_of(store->trainer) : 0;
}

void mw_train_end(struct memweir_session_store *store)
{
	struct mw_trainer *t = store->trainer;

	if (!t)
		return;
	free(t->samples);
	free(t->ends);
	free(t->worth);
	free(t->seen);
	free(t->content);
	free(t->dictionary);
	free(t);
	store->trainer = NULL;
}

/* At most a quarter of the store is for it: samples, the two tables (twice as large as the samples at most), the
 * dictionary twice. */
static size_t samples_room(const struct memweir_session_store *store)
{
	size_t room = SAMPLES_TIMES * store->o.dictionary_bytes, most = store->o.max_bytes / 4;

	if (room > store->raw_bytes)
		room = store->raw_bytes;
	while (3 * room + 2 * store->o.dictionary_bytes > most)
		room -= room / 4;
	return room;
}

static unsigned int bits_for(size_t n)
{
	unsigned int bits = 12;

	while (bits < 20 && (size_t)1 << (bits + 1) < n)
		bits++;
	return bits;
}

int mw_train_begin(struct memweir_session_store *store)
{
	size_t room = samples_room(store), want = store->o.dictionary_bytes;
	struct mw_trainer *t;

	if (store->ids.n < MW_TRAIN_LEAST || room < MW_TRAIN_LEAST * WORD)
		return -ENODATA;
	if (want > room / TIMES_LEAST)
		want = room / TIMES_LEAST;
	if (want < STRETCH)
		return -ENODATA;
	t = store->trainer = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->room = room;
	t->stride = (size_t)(store->raw_bytes / room);
	t->stride = t->stride ? t->stride : 1;
	t->max_ends = store->ids.n / t->stride + 1;
	t->bits = bits_for(room);
	t->size = t->free = want;
	t->samples = malloc(room);
	t->ends = calloc(t->max_ends, sizeof(*t->ends));
	t->worth = calloc(1, slots_bytes(t));
	t->seen = calloc(1, slots_bytes(t));
	t->content = malloc(want);
	if (!t->samples || !t->ends || !t->worth || !t->seen || !t->content) {
		mw_train_end(store);
		return -ENOMEM;
	}
	store->ids.sample = store->ids.newest;
	return 1;
}

static size_t place(const struct mw_trainer *t, size_t at)
{
	uint64_t word;

	memcpy(&word, t->samples + at, WORD);
	return (size_t)((word * 0x9e3779b97f4a7c15ULL) >> (64 - t->bits));
}

/* The next session of the walk; a long one gives its beginning. */
static void collect(struct memweir_session_store *store, struct mw_trainer *t)
{
	struct mw_session *s = store->ids.sample;
	size_t n, most = t->room / MW_TRAIN_LEAST;

	if (!s || t->n == t->room || t->n_ends == t->max_ends) {
		t->judges = t->n_ends - t->n_ends / JUDGES_SHARE;
		t->n = t->judges ? t->ends[t->judges - 1] : 0;
		t->phase = COUNT;
		return;
	}
	if (mw_unpack_here(&store->packer, s) == 0) {
		n = s->raw_n < most ? s->raw_n : most;
		n = n < t->room - t->n ? n : t->room - t->n;
		memcpy(t->samples + t->n, store->packer.raw.at, n);
		t->n += n;
		t->ends[t->n_ends++] = t->n;
	}
	for (size_t i = 0; i < t->stride && s; i++)
		s = s->older;
	store->ids.sample = s;
}

static void count(struct mw_trainer *t)
{
	for (size_t done = 0; t->sample < t->judges; t->sample++, t->at = t->ends[t->sample - 1])
		for (; t->at + WORD <= t->ends[t->sample]; t->at++) {
			size_t p = place(t, t->at);
			uint16_t mark = (uint16_t)(t->sample % UINT16_MAX + 1);

			if (done++ == STEP_BYTES)
				return;
			if (t->seen[p] && t->seen[p] != mark && t->worth[p] < UINT16_MAX)
				t->worth[p]++;
			t->seen[p] = mark;
		}
	memset(t->seen, 0, slots_bytes(t));
	t->parts = t->size / STRETCH;
	t->phase = CHOOSE;
}

/* Where the best stretch between from and to begins; its worth. */
static uint64_t best(struct mw_trainer *t, size_t from, size_t to, size_t *ret_at)
{
	uint64_t worth = 0, most = 0;
	size_t tail = from, at, last = to - WORD + 1;

	for (at = from; at < last; at++) {
		size_t p = place(t, at);

		if (t->seen[p]++ == 0)
			worth += t->worth[p];
		if (at - tail == STRETCH - WORD + 1) {
			p = place(t, tail++);
			if (--t->seen[p] == 0)
				worth -= t->worth[p];
		}
		if (worth > most) {
			most = worth;
			*ret_at = tail;
		}
	}
	for (; tail < last; tail++)
		t->seen[place(t, tail)] = 0;
	return most;
}

/* Into the content, without what is worth nothing at its ends; what it has is worth nothing from now on. */
static void take(struct mw_trainer *t, size_t at)
{
	size_t end = at + STRETCH < t->n ? at + STRETCH : t->n, n;

	while (at + WORD < end && !t->worth[place(t, at)])
		at++;
	while (at + WORD < end && !t->worth[place(t, end - WORD)])
		end--;
	n = end - at < t->free ? end - at : t->free;
	t->free -= n;
	memcpy(t->content + t->free, t->samples + at, n);
	for (; at + WORD <= end; at++)
		t->worth[place(t, at)] = 0;
}

static void choose(struct mw_trainer *t)
{
	size_t each = t->n / t->parts, at = 0;

	for (size_t done = 0; done < STEP_BYTES && t->free; done += each) {
		size_t from = t->part * each;

		if (each > WORD && best(t, from, from + each, &at)) {
			take(t, at);
			t->found = true;
		}
		if (++t->part < t->parts)
			continue;
		if (!t->found)
			break;
		t->part = 0;
		t->found = false;
	}
	if (!t->free || t->part == t->parts)
		t->phase = FINISH;
}

static size_t sample_bytes(const struct mw_trainer *t, size_t i)
{
	return t->ends[i] - (i ? t->ends[i - 1] : 0);
}

/* What the judging samples take now; 0: no memory. */
static size_t packed(struct mw_packer *p, const struct mw_trainer *t)
{
	size_t total = 0, all = 0, bytes;

	for (size_t i = t->judges; i < t->n_ends && all < FINISH_BYTES; i++) {
		size_t n = sample_bytes(t, i);

		if (mw_pack(p, t->samples + t->ends[i] - n, n, &bytes) < 0)
			return 0;
		total += bytes;
		all += n;
	}
	return total;
}

/* zstd's tables in front of the content. */
static int finish(struct memweir_session_store *store, struct mw_trainer *t)
{
	_cleanup_free_ size_t *sizes = calloc(t->n_ends + 1, sizeof(*sizes));
	ZDICT_params_t how = {.compressionLevel = store->packer.level};
	size_t n = 0, size;

	t->dictionary = malloc(t->size);
	if (!sizes || !t->dictionary)
		return -ENOMEM;
	for (; n < t->judges && t->ends[n] <= FINISH_BYTES; n++)
		sizes[n] = sample_bytes(t, n);
	size = ZDICT_finalizeDictionary(t->dictionary, t->size, t->content + t->free, t->size - t->free, t->samples,
					sizes, (unsigned int)n, how);
	if (ZDICT_isError(size))
		return -ENODATA;
	t->dictionary_n = size;
	t->phase = JUDGE;
	return 1;
}

/* Who has a dictionary takes the next one in any case: there is no copy of it to go back to. */
static int adopt(struct memweir_session_store *store, struct mw_trainer *t)
{
	struct mw_packer *p = &store->packer;
	bool first = !p->newest;
	int r;

	r = mw_packer_adopt(p, t->dictionary, t->dictionary_n);
	if (r < 0 || !first || packed(p, t) < t->before)
		return r;
	mw_packer_abandon(p);
	return -ENODATA;
}

static int step(struct memweir_session_store *store, struct mw_trainer *t)
{
	switch (t->phase) {
	case COLLECT:
		collect(store, t);
		return 1;
	case COUNT:
		count(t);
		return 1;
	case CHOOSE:
		choose(t);
		return 1;
	case FINISH:
		return finish(store, t);
	case JUDGE:
		t->before = packed(&store->packer, t);
		t->phase = ADOPT;
		return 1;
	case ADOPT:
	default:
		return adopt(store, t);
	}
}

int mw_train_step(struct memweir_session_store *store)
{
	int r = step(store, store->trainer);

	if (r > 0)
		return r;
	mw_train_end(store);
	store->trainings += r == 0;
	return r;
}
