/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as a row of calls of both pools, two bytes a call, beside a list of what has to come of them: nothing is
 * lent twice, nothing that is lent changes, and what is given back wrongly is refused. Built as config_fuzz.c is.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <memweir/byte_pool.h>
#include <memweir/pool.h>

#include "util/cleanup.h"

#define BUFFERS 4
#define BYTES	4096
#define LENT	6 /* growing buffers at once */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct memweir_pool *pool;
static void *seen[BUFFERS]; /* each buffer there is, as it was lent first */
static uint8_t mark[BUFFERS]; /* what was written into it; 0: it is not lent */
static size_t n_seen, n_lent;

static struct memweir_byte_pool *byte_pool;
static struct memweir_bytes *lent[LENT];
static size_t length[LENT];

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static size_t number_of(const void *buffer)
{
	size_t i = 0;

	while (i < n_seen && seen[i] != buffer)
		i++;
	return i;
}

static void checkout(uint8_t value)
{
	void *p = NULL;
	int r = memweir_pool_checkout(pool, 0, &p);
	size_t i = number_of(p);

	must(r == (n_lent < BUFFERS ? 0 : -EAGAIN), "lent if there is one");
	if (r < 0)
		return;
	must(i < BUFFERS, "not more than there are");
	must(i == n_seen || !mark[i], "not lent twice");
	if (i == n_seen)
		seen[n_seen++] = p;
	mark[i] = (uint8_t)(value | 1);
	memset(p, mark[i], BYTES);
	n_lent++;
}

static void checkin(size_t i)
{
	int r;

	if (i >= n_seen)
		return;
	must(memweir_pool_checkin(pool, (char *)seen[i] + 8) == -EINVAL, "not its beginning");
	for (size_t at = 0; mark[i] && at < BYTES; at++)
		must(((uint8_t *)seen[i])[at] == mark[i], "nobody else wrote there");
	must(memweir_pool_own(pool, seen[i]) == (mark[i] ? 0 : -EALREADY), "owned if lent");
	r = memweir_pool_checkin(pool, seen[i]);
	must(r == (mark[i] ? 0 : -EALREADY), "given back once");
	n_lent -= r == 0;
	mark[i] = 0;
}

static uint8_t at(size_t i, size_t where)
{
	return (uint8_t)(where * 31 + i * 7);
}

static void append(size_t i, size_t n)
{
	_cleanup_free_ uint8_t *piece = malloc(n + 1);

	must(piece != NULL, "memory");
	if (!lent[i]) {
		must(memweir_byte_pool_get(byte_pool, n, &lent[i]) == 0, "lent");
		must(lent[i]->length == 0 && lent[i]->capacity >= n, "empty, and large enough");
		length[i] = 0;
	}
	for (size_t k = 0; k < n; k++)
		piece[k] = at(i, length[i] + k);
	must(memweir_bytes_append(lent[i], piece, n) == 0, "appended");
	length[i] += n;
}

static void put(size_t i)
{
	struct memweir_bytes *b = lent[i];

	if (!b)
		return;
	must(b->length == length[i] && b->capacity >= b->length, "as long as was appended");
	for (size_t k = 0; k < length[i]; k++)
		must(b->data[k] == at(i, k), "as it was appended");
	must(memweir_byte_pool_put(byte_pool, b) == 0, "given back");
	lent[i] = NULL;
}

static void check(void)
{
	struct memweir_byte_pool_stats b = MEMWEIR_INIT(struct memweir_byte_pool_stats);
	struct memweir_pool_stats s = MEMWEIR_INIT(struct memweir_pool_stats);
	size_t n = 0;

	for (size_t i = 0; i < LENT; i++)
		n += lent[i] != NULL;
	must(memweir_pool_stats(pool, &s) == 0 && s.in_use == n_lent && s.total_created == n_seen, "counted");
	must(s.memory_usage >= n_lent * BYTES && s.memory_usage <= n_seen * BYTES, "memory of those lent");
	must(memweir_byte_pool_stats(byte_pool, &b) == 0 && b.in_use == n, "counted, growing ones");
	must(b.kept_bytes <= 64 << 10 && (b.kept == 0) == (b.kept_bytes == 0), "kept within bounds");
}

static void call(uint8_t what, uint8_t value)
{
	switch (what % 8) {
	case 0:
	case 1:
		checkout(value);
		break;
	case 2:
	case 3:
		checkin(value % BUFFERS);
		break;
	case 4:
		must(memweir_pool_tend(pool, value & 1) >= 0, "tended");
		memweir_byte_pool_trim(byte_pool, (size_t)value << 8);
		break;
	case 5:
	case 6:
		append(value % LENT, (size_t)value * value / 2);
		break;
	default:
		put(value % LENT);
	}
	check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memweir_byte_pool_options b = MEMWEIR_INIT(struct memweir_byte_pool_options);
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);

	o.buffers = BUFFERS;
	o.buffer_bytes = BYTES;
	b.initial_bytes = 512;
	b.cap_bytes = 32 << 10;
	b.keep_bytes = 64 << 10;
	must(memweir_pool_new(&o, &pool) == 0 && memweir_byte_pool_new(&b, &byte_pool) == 0, "pools");
	n_seen = n_lent = 0;
	memset(mark, 0, sizeof(mark));
	for (size_t i = 0; i + 1 < size; i += 2)
		call(data[i], data[i + 1]);
	for (size_t i = 0; i < LENT; i++)
		put(i);
	memweir_byte_pool_free(byte_pool);
	memweir_pool_free(pool);
	return 0;
}

#ifdef MW_FUZZ_MAIN

#include "mutate.h"

int main(int argc, char **argv)
{
	static const char *const seeds[] = {
		"0a0b0c0d0e2a2b2c2d4a4b",
		"5z6y5x7x7y7z4a5z6~7~",
		"0a2a0a2a0a0b2a0c2c4a0d0e",
		"6\x7f"
		"6\x7f"
		"6\x7f"
		"7\x7f"
		"4 5~6~7~",
	};
	static const char *const words[] = {"0a", "0b", "2a", "2b", "2c", "4a", "4b", "5a", "6~", "7a", "7~"};

	return fuzz_main(argc, argv, FUZZ_TEXTS(seeds), FUZZ_TEXTS(words));
}

#endif
