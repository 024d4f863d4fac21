/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Any bytes as what a process has in its region: a head, and records of which a second copy differs a little. Built as
 * config_fuzz.c is.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leak/heap.h"
#include "leak/heap_region.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void check_sites(const struct mw_heap *h)
{
	__u64 samples = 0;

	must(h->n_sites <= MW_HEAP_SITES_MAX, "more sites than there are");
	for (size_t i = 0; i < h->n_sites; i++) {
		const struct mw_heap_site *s = &h->sites[i];

		must(s->n_frames <= MW_HEAP_FRAMES && s->kind < MW_HEAP_KIND_MAX, "a site that cannot be");
		must(s->samples && s->live_bytes && s->oldest_ns <= s->newest_ns, "a site of nothing");
		must(mw_heap_find(h, s) == s, "a site that is not found again");
		must(!i || s->live_bytes <= h->sites[i - 1].live_bytes, "sites in order");
		samples += s->samples;
	}
	must(samples <= h->samples, "more samples in sites than there are");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(mw_heap_free) struct mw_heap h = {0}, none = {0};
	struct mw_heap_record *first, *second;
	_cleanup_free_ uint8_t *copies = NULL;
	struct mw_error err = {""};
	struct mw_heap_region region = {0};
	struct mw_heap_head head;
	char line[512];
	size_t n;

	snprintf(line, sizeof(line), "%.*s", (int)(size < 400 ? size : 400), (const char *)data);
	if (mw_heap_region_line(&region, line, NULL) >= 0 && region.begin)
		must(region.end > region.begin, "a region of nothing");
	if (mw_heap_head_check(data, size, &head, &err) < 0) {
		must(*err.text, "a failure without a sentence");
		return 0;
	}
	must(head.n_used <= head.n_records && head.n_records <= MW_HEAP_RECORDS_MAX, "a head that cannot be");
	mw_heap_add_counts(&h, &head);
	n = (size - sizeof(head)) / sizeof(*first);
	copies = malloc(2 * n * sizeof(*first) + 1);
	if (!copies)
		return 0;
	first = (struct mw_heap_record *)(void *)copies;
	second = first + n;
	memcpy(first, data + sizeof(head), n * sizeof(*first));
	memcpy(second, first, n * sizeof(*first));
	if (n > 1)
		second[n - 1].time_ns ^= size & 1;
	must(mw_heap_add(&h, 1, &head, first, second, n) == 0, "records are added");
	mw_heap_sort(&h);
	check_sites(&h);
	mw_heap_compare(&h, &none);
	mw_heap_sort_by_growth(&h);
	check_sites(&h);
	return 0;
}

#ifdef MW_FUZZ_MAIN

/* Seeds hold zeros, which mutate.h's texts cannot: so whole fields of a good region are changed, and its length. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#define N 9

struct region {
	struct mw_heap_head head;
	struct mw_heap_record records[N];
};

static void good(struct region *r, uint64_t *state)
{
	memset(r, 0, sizeof(*r));
	r->head = (struct mw_heap_head){.magic = MW_HEAP_MAGIC,
					.version = MW_HEAP_VERSION,
					.head_size = sizeof(r->head),
					.record_size = sizeof(r->records[0]),
					.n_records = MW_HEAP_RECORDS_MAX,
					.records_at = 4096,
					.mean_bytes = MW_HEAP_MEAN_DEFAULT,
					.n_used = N};
	for (size_t i = 0; i < N; i++)
		r->records[i] = (struct mw_heap_record){.seq = 2,
							.address = 4096 * (i + 1),
							.size = 1 + draw(state) % 10000,
							.weight = 524288,
							.time_ns = i,
							.n_frames = (__u32)(draw(state) % 4),
							.frames = {draw(state) % 3, draw(state) % 3}};
}

static void change(struct region *r, uint64_t *state)
{
	static const uint64_t odd[] = {0,	   1,	       2,	   3,	       31,   32,
				       33,	   255,	       4095,	   4096,       4097, 1ULL << 31,
				       1ULL << 32, 1ULL << 50, 1ULL << 62, 1ULL << 63, ~0ULL};
	uint64_t value = draw(state) % 3 ? odd[draw(state) % ARRAY_SIZE(odd)] : draw(state);
	size_t width = draw(state) % 2 ? 8 : 4, words = (draw(state) % 4 ? sizeof(*r) : sizeof(r->head)) / width;

	memcpy((char *)r + draw(state) % words * width, &value, width);
}

/* Arguments: inputs (20000), seed (1). */
int main(int argc, char **argv)
{
	unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 20000;
	uint64_t state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	static struct region r;

	state = state ? state : 1; /* zero stays zero */
	for (unsigned long i = 0; i < rounds; i++) {
		good(&r, &state);
		for (uint64_t m = draw(&state) % 8; m; m--)
			change(&r, &state);
		LLVMFuzzerTestOneInput((const uint8_t *)&r, draw(&state) % 4 ? sizeof(r) : draw(&state) % sizeof(r));
	}
	printf("%lu inputs\n", rounds);
	return 0;
}

#endif
