/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Four request paths at once, a thread each: JSON that is parsed, HTTP replies (both grow from 8 KiB), chunks of a
 * stream and frames of a transport (64 KiB, filled, and up to a quarter of it). Each has connections of which some have
 * a request under way. lib_paths HOW [CONNECTIONS [UNDER WAY [REQUESTS [LIFE]]]], all of one path: 250, 8, 50000; LIFE:
 * requests until a connection is closed and another one takes its place, 50. HOW has the buffer of a request: private:
 * its connection, from its first request on; each: nobody, it is allocated and freed; shared: a pool. "PEAK DIRTY
 * ALLOCATIONS": KiB by which the most resident memory, and Private_Dirty at the end with all connections open, are more
 * than at the start; and calls of malloc, calloc, realloc and their like.
 */
#include <memweir/byte_pool.h>
#include <memweir/pool.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATHS	    4
#define FIXED_BYTES ((size_t)64 << 10)
#define FIRST_BYTES ((size_t)8 << 10)
#define PIECE	    4096

enum path { JSON, REPLY, CHUNK, FRAME };

struct own {
	unsigned char *data;
	size_t capacity;
};

struct connection {
	struct own own;
	int requests; /* since it was opened */
	bool busy;
};

/* A request under way. */
struct request {
	struct connection *connection;
	struct own own;
	struct memweir_bytes *bytes;
	void *fixed;
};

struct path_run {
	enum path path;
	struct connection *connections;
	struct request *requests;
	uint64_t random;
};

static long n_connections = 250, n_under_way = 8, n_requests = 50000, life = 50;
static char how;
static struct memweir_pool *pool;
static struct memweir_byte_pool *byte_pool;
static atomic_long allocations;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t m);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);

static void count(void)
{
	atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

void *malloc(size_t n)
{
	count();
	return __libc_malloc(n);
}

void *calloc(size_t n, size_t m)
{
	count();
	return __libc_calloc(n, m);
}

void *realloc(void *p, size_t n)
{
	count();
	return __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	count();
	return __libc_memalign(align, n);
}
#endif

static void must(bool good)
{
	if (!good)
		abort();
}

static uint64_t draw(struct path_run *r, uint64_t below)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random % below;
}

/* Most are small, one in fifty is large. */
static size_t bytes_of(struct path_run *r)
{
	switch (r->path) {
	case JSON:
		return draw(r, 50) ? 1000 + draw(r, 12000) : 40000 + draw(r, 160000);
	case REPLY:
		return draw(r, 50) ? 500 + draw(r, 30000) : 50000 + draw(r, 50000);
	case CHUNK:
		return FIXED_BYTES;
	default:
		return 100 + draw(r, FIXED_BYTES / 4);
	}
}

static bool grows(const struct path_run *r)
{
	return r->path == JSON || r->path == REPLY;
}

static void own_reserve(struct own *o, size_t bytes, size_t first)
{
	size_t capacity = o->capacity ? o->capacity : first;

	while (capacity < bytes)
		capacity *= 2;
	if (capacity == o->capacity)
		return;
	o->data = o->capacity ? realloc(o->data, capacity) : malloc(capacity);
	must(o->data);
	o->capacity = capacity;
}

/* As it comes from the network: the whole length is not known at first. */
static void fill_growing(struct path_run *r, struct request *q, size_t bytes)
{
	static const unsigned char piece[PIECE] = {1};
	struct own *o = how == 'p' ? &q->connection->own : &q->own;

	if (how == 's')
		must(memweir_byte_pool_get(byte_pool, 0, &q->bytes) == 0);
	for (size_t done = 0; done < bytes; done += PIECE) {
		size_t n = bytes - done < PIECE ? bytes - done : PIECE;

		if (how == 's') {
			must(memweir_bytes_append(q->bytes, piece, n) == 0);
		} else {
			own_reserve(o, done + n, FIRST_BYTES);
			memcpy(o->data + done, piece, n);
		}
	}
	(void)r;
}

static void fill_fixed(struct request *q, size_t bytes)
{
	struct own *o = how == 'p' ? &q->connection->own : &q->own;

	if (how == 's')
		must(memweir_pool_checkout(pool, -1, &q->fixed) == 0);
	else
		own_reserve(o, FIXED_BYTES, FIXED_BYTES);
	memset(how == 's' ? q->fixed : o->data, 2, bytes);
}

static void begin(struct path_run *r, struct request *q)
{
	size_t bytes = bytes_of(r);

	do
		q->connection = &r->connections[draw(r, (uint64_t)n_connections)];
	while (q->connection->busy);
	q->connection->busy = true;
	if (grows(r))
		fill_growing(r, q, bytes);
	else
		fill_fixed(q, bytes);
}

static void end(struct request *q)
{
	struct connection *c = q->connection;

	free(q->own.data);
	if (q->bytes)
		must(memweir_byte_pool_put(byte_pool, q->bytes) == 0);
	if (q->fixed)
		must(memweir_pool_checkin(pool, q->fixed) == 0);
	*q = (struct request){NULL};
	c->busy = false;
	if (++c->requests == life) {
		free(c->own.data);
		*c = (struct connection){0};
	}
}

static void *work(void *arg)
{
	struct path_run *r = arg;

	for (long i = 0; i < n_under_way; i++)
		begin(r, &r->requests[i]);
	for (long i = n_under_way; i < n_requests; i++) {
		struct request *q = &r->requests[draw(r, (uint64_t)n_under_way)];

		end(q);
		begin(r, q);
	}
	for (long i = 0; i < n_under_way; i++)
		end(&r->requests[i]);
	return NULL;
}

static void close_all(struct path_run *r)
{
	for (long i = 0; i < n_connections; i++)
		free(r->connections[i].own.data);
	free(r->connections);
	free(r->requests);
}

static long kib_of(const char *file, const char *key)
{
	FILE *f = fopen(file, "r");
	char line[256];
	long kib = -1;

	must(f);
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (strncmp(line, key, strlen(key)) == 0)
			kib = strtol(line + strlen(key), NULL, 10);
	fclose(f);
	return kib;
}

int main(int argc, char **argv)
{
	long *options[] = {&n_connections, &n_under_way, &n_requests, &life}, before_kib, before_dirty_kib;
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	struct path_run runs[PATHS];
	pthread_t ids[PATHS];

	for (int i = 2; i < argc && i < 6; i++)
		*options[i - 2] = atol(argv[i]);
	if (argc < 2 || n_under_way < 1 || n_under_way > n_connections)
		return 2;
	how = argv[1][0];
	before_kib = kib_of("/proc/self/status", "VmRSS:");
	before_dirty_kib = kib_of("/proc/self/smaps_rollup", "Private_Dirty:");
	atomic_store(&allocations, 0);
	o.buffer_bytes = FIXED_BYTES;
	if (how == 's')
		must(memweir_pool_new(&o, &pool) == 0 && memweir_byte_pool_new(NULL, &byte_pool) == 0);
	for (int i = 0; i < PATHS; i++) {
		runs[i] = (struct path_run){.path = (enum path)i, .random = 1000003ULL * (uint64_t)(i + 1)};
		runs[i].connections = calloc((size_t)n_connections, sizeof(struct connection));
		runs[i].requests = calloc((size_t)n_under_way, sizeof(struct request));
		must(runs[i].connections && runs[i].requests);
		pthread_create(&ids[i], NULL, work, &runs[i]);
	}
	for (int i = 0; i < PATHS; i++)
		pthread_join(ids[i], NULL);
	printf("%ld %ld %ld\n", kib_of("/proc/self/status", "VmHWM:") - before_kib,
	       kib_of("/proc/self/smaps_rollup", "Private_Dirty:") - before_dirty_kib, atomic_load(&allocations));
	for (int i = 0; i < PATHS; i++)
		close_all(&runs[i]);
	memweir_byte_pool_free(byte_pool);
	memweir_pool_free(pool);
	return 0;
}
