// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * The session store beside plain zstd and beside no compression. Arguments: sessions (1000), a file of texts for their
 * messages ("-": words), files of real tool lists. Prints one line: "KEY VALUE" pairs.
 */
#include <memweir.h>

#include <malloc.h>
#include <stdlib.h>
#include <time.h>
#include <zstd.h>

#include "sessions.h"

struct many {
	char **at;
	size_t *sizes, n, bytes;
};

/* Processor time: who else runs here does not matter. */
static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s did not work\n", what);
	exit(1);
}

static char *whole(const char *path, size_t *ret_n)
{
	FILE *in = fopen(path, "re");
	char *buf;
	long n;

	must(in && fseek(in, 0, SEEK_END) == 0 && (n = ftell(in)) >= 0, path);
	rewind(in);
	buf = malloc((size_t)n + 1);
	must(buf && fread(buf, 1, (size_t)n, in) == (size_t)n, path);
	buf[n] = '\0';
	fclose(in);
	*ret_n = (size_t)n;
	return buf;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct many made(struct session_maker *m, size_t n)
{
	struct many s = {calloc(n, sizeof(char *)), calloc(n, sizeof(size_t)), n, 0};

	for (size_t i = 0; i < n; i++) {
		s.sizes[i] = session_make(m);
		s.at[i] = malloc(s.sizes[i]);
		memcpy(s.at[i], m->buf, s.sizes[i]);
		s.bytes += s.sizes[i];
	}
	return s;
}

/* Without a dictionary, at the same level: sizes as malloc gives them, one context for all. */
static void plain(const struct many *s)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(SESSION_ROOM), total = 0;
	char *out = malloc(room);
	double began = now_us();

	for (size_t i = 0; i < s->n; i++) {
		size_t n = ZSTD_compressCCtx(c, out, room, s->at[i], s->sizes[i], 3);

		must(!ZSTD_isError(n), "zstd");
		total += n + 64; /* what an entry takes in any store */
	}
	printf("plain_saved %.4f plain_put_us %.2f ", 1 - (double)(total + ZSTD_sizeof_CCtx(c)) / (double)s->bytes,
	       (now_us() - began) / (double)s->n);
	ZSTD_freeCCtx(c);
	free(out);
}

/* Every session copied: what a put costs at least. */
static void copies(const struct many *s)
{
	double began = now_us();

	for (size_t i = 0; i < s->n; i++) {
		char *volatile p = malloc(s->sizes[i]);

		memcpy(p, s->at[i], s->sizes[i]);
		free(p);
	}
	printf("copy_us %.2f ", (now_us() - began) / (double)s->n);
}

static struct memweir_session_stats stats(struct memweir_session_store *store)
{
	struct memweir_session_stats s = MEMWEIR_INIT(struct memweir_session_stats);

	must(memweir_session_store_stats(store, &s) == 0, "stats");
	return s;
}

/* One at a time; the median and the longest. */
static void put_all(struct memweir_session_store *store, const struct many *s, const char *name, double *times)
{
	char id[64];

	for (size_t i = 0; i < s->n; i++) {
		double began = now_us();

		snprintf(id, sizeof(id), "session-%zu", i);
		must(memweir_session_store_put(store, id, s->at[i], s->sizes[i]) == 0, "put");
		times[i] = now_us() - began;
	}
	qsort(times, s->n, sizeof(times[0]), by_size);
	printf("%s_us %.2f %s_max_us %.0f ", name, times[s->n / 2], name, times[s->n - 1]);
}

static void get_all(struct memweir_session_store *store, const struct many *s, double *times)
{
	size_t size = 0, n;
	void *buf = NULL;
	char id[64];

	for (size_t i = 0; i < s->n; i++) {
		double began = now_us();

		snprintf(id, sizeof(id), "session-%zu", i);
		must(memweir_session_store_get(store, id, &buf, &size, &n) == 0, "get");
		times[i] = now_us() - began;
		must(n == s->sizes[i] && memcmp(buf, s->at[i], n) == 0, "what was put is there");
	}
	free(buf);
	qsort(times, s->n, sizeof(times[0]), by_size);
	printf("get_us %.2f ", times[s->n / 2]);
}

int main(int argc, char **argv)
{
	struct memweir_session_options o = MEMWEIR_INIT(struct memweir_session_options);
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000, ignored;
	struct session_maker m = {.state = 20260618, .buf = malloc(SESSION_ROOM), .room = SESSION_ROOM};
	struct memweir_session_store *store;
	struct memweir_session_stats st;
	double *times = calloc(n, sizeof(*times)), began;
	struct many s;

	if (argc > 2 && strcmp(argv[2], "-") != 0)
		m.corpus = whole(argv[2], &m.corpus_n);
	m.n_tools = argc > 3 ? (size_t)argc - 3 : 0;
	for (int i = 3; i < argc; i++)
		argv[i] = whole(argv[i], &ignored);
	m.tools = (const char *const *)argv + 3;
	s = made(&m, n);
	o.max_bytes = s.bytes > 8 << 20 ? s.bytes : 8 << 20;
	must(memweir_session_store_new(&o, &store) == 0, "a store");
	put_all(store, &s, "fill", times);
	get_all(store, &s, times);
	while (stats(store).outdated)
		memweir_session_store_get(store, "nobody", NULL, NULL, NULL);
	put_all(store, &s, "put", times);
	get_all(store, &s, times);
	st = stats(store);
	must(st.sessions == n && !st.evictions && st.trainings == 1, "all are there, by one dictionary");
	printf("sessions %zu raw %zu frames %llu book %llu dict %llu saved %.4f frames_saved %.4f ", n, s.bytes,
	       (unsigned long long)st.stored_bytes, (unsigned long long)st.bookkeeping_bytes,
	       (unsigned long long)st.dictionary_bytes, st.saved, 1 - (double)st.stored_bytes / (double)st.raw_bytes);
	began = now_us();
	must(memweir_session_store_train(store) == 0, "training");
	printf("train_ms %.1f ", (now_us() - began) / 1e3);
	plain(&s);
	copies(&s);
	putchar('\n');
	memweir_session_store_free(store);
	return 0;
}
