// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Any sequence of calls on a session store, against a plain table of what it must hold, in order of use; the bound
 * after each. Built as config_fuzz.c is.
 */
#include <memweir.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IDS	  64
#define LARGEST	  90000 /* of one session; max_session_bytes is a little less */
#define MAX_BYTES ((size_t)MEMWEIR_SESSION_STORE_MIN)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct held {
	uint32_t seed, n;
	uint64_t used; /* 0: not there */
};
static struct held model[IDS];
static uint64_t turn;
static unsigned char content[LARGEST];

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

/* Odd seeds give what cannot be compressed, even ones text that the others have too. */
static void make(uint32_t seed, uint32_t n)
{
	static const char text[] =
		"{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{\"name\":\"read_file\",\"arguments\":{}}}";
	uint64_t x = seed * 2654435761ULL + 88172645463325252ULL;

	for (uint32_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		content[i] =
			(unsigned char)(seed & 1 || i % 50 == 7 ? x >> 11
								: (uint64_t)text[(i + seed / 2) % (sizeof(text) - 1)]);
	}
}

static size_t number(const char *id)
{
	size_t i = strtoul(id + 1, NULL, 10);

	must(i < IDS && model[i].used, "an id that is not there");
	return i;
}

static void same(size_t i, const void *data, size_t n)
{
	must(n == model[i].n, "as many bytes as were put");
	make(model[i].seed, model[i].n);
	must(!n || memcmp(content, data, n) == 0, "the bytes that were put");
}

static void evicted(void *arg, const char *id, const void *data, size_t n)
{
	size_t i = number(id);

	(void)arg;
	same(i, data, n);
	for (size_t k = 0; k < IDS; k++)
		must(!model[k].used || model[k].used >= model[i].used, "the least recently used goes first");
	model[i].used = 0;
}

static uint64_t last_seen;
static int seen(void *arg, const char *id, const void *data, size_t n)
{
	size_t i = number(id);
	uint32_t drop = *(uint32_t *)arg;

	same(i, data, n);
	must(model[i].used < last_seen, "most recently used first");
	last_seen = model[i].used;
	if (!drop || i % drop)
		return MEMWEIR_SESSION_GO_ON;
	model[i].used = 0;
	return MEMWEIR_SESSION_REMOVE;
}

static void put(struct memweir_session_store *store, const char *id, size_t i, uint32_t seed, uint32_t n)
{
	uint64_t used = model[i].used;
	int r;

	model[i].used = used ? ++turn : 0; /* what is replaced is not evicted for it */
	make(seed, n);
	r = memweir_session_store_put(store, id, content, n);
	if (r == 0)
		model[i] = (struct held){seed, n, ++turn};
	else
		must(r == -EMSGSIZE && n > LARGEST - 5000, "only what is too large is refused");
	if (r < 0)
		model[i].used = used;
}

static void get(struct memweir_session_store *store, const char *id, size_t i)
{
	static void *buf;
	static size_t room;
	size_t n;
	int r = memweir_session_store_get(store, id, &buf, &room, &n);

	must(r == (model[i].used ? 0 : -ENOENT), "what was put is there, and nothing else");
	if (r < 0)
		return;
	same(i, buf, n);
	model[i].used = ++turn;
}

static void check(struct memweir_session_store *store)
{
	struct memweir_session_stats s = MEMWEIR_INIT(struct memweir_session_stats);
	uint64_t n = 0, raw = 0;

	must(memweir_session_store_stats(store, &s) == 0, "statistics");
	for (size_t i = 0; i < IDS; i++) {
		n += model[i].used != 0;
		raw += model[i].used ? model[i].n : 0;
	}
	must(s.sessions == n && s.raw_bytes == raw, "as many sessions and bytes as there are");
	must(s.total_bytes <= s.max_bytes, "the bound");
	must(s.stored_bytes + s.bookkeeping_bytes + s.dictionary_bytes == s.total_bytes, "parts of a whole");
	must(s.corrupt == 0 && s.outdated <= n, "nothing is damaged");
}

static void step(struct memweir_session_store *store, const uint8_t *op)
{
	size_t i = op[1] % IDS;
	uint32_t n = (uint32_t)(op[2] << 8 | op[3]) % LARGEST, drop = op[2] % 7;
	char id[8];

	snprintf(id, sizeof(id), "i%zu", i);
	switch (op[0] % 16) {
	case 0:
		must(memweir_session_store_remove(store, id) == (model[i].used ? 0 : -ENOENT), "removing");
		model[i].used = 0;
		break;
	case 1:
		last_seen = UINT64_MAX;
		must(memweir_session_store_iterate(store, seen, &drop) == 0, "iterating");
		break;
	case 2:
		memweir_session_store_train(store);
		break;
	case 3:
		memweir_session_store_trim(store, MAX_BYTES - 16 * (size_t)n);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		get(store, id, i);
		break;
	case 8:
		put(store, id, i, op[3], LARGEST - n % 10000);
		break;
	default:
		put(store, id, i, op[3], op[0] & 16 ? n : n % 4000);
	}
	check(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memweir_session_options o = MEMWEIR_INIT(struct memweir_session_options);
	struct memweir_session_store *store;

	memset(model, 0, sizeof(model));
	o.max_bytes = MAX_BYTES;
	o.max_session_bytes = LARGEST - 5000;
	o.dictionary_bytes = size ? 1024u << data[0] % 5 : 0;
	o.train_after = 20;
	o.on_evict = evicted;
	must(memweir_session_store_new(&o, &store) == 0, "a store");
	for (size_t at = 0; at + 4 <= size; at += 4)
		step(store, data + at);
	memweir_session_store_free(store);
	return 0;
}

#ifdef MW_FUZZ_MAIN

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Arguments: calls (20000), in sequences of at most 500; seed (1). */
int main(int argc, char **argv)
{
	unsigned long calls = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000, left;
	uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	static uint8_t ops[2000];
	size_t n;

	state = state ? state : 1; /* zero stays zero */
	for (left = calls; left; left -= n) {
		n = draw(&state) % (sizeof(ops) / 4) + 1;
		n = n < left ? n : left;
		for (size_t k = 0; k < 4 * n; k++)
			ops[k] = (uint8_t)(draw(&state) >> 13);
		LLVMFuzzerTestOneInput(ops, 4 * n);
	}
	printf("%lu calls\n", calls);
	return 0;
}

#endif
