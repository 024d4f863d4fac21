/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What probes on the allocator cost who calls it: nanoseconds of a malloc and its free, in this process itself: bare,
 * probed, and probed with each object a sample. The least of some rounds each. probed SIZE PAIRS a round
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/probe_check.h"
#include "daemon/kernel_objects.h"
#include "util/clock.h"

#define ROUNDS 9

static __u64 least(size_t size, long pairs)
{
	__u64 best = ~0ULL;

	for (int n = 0; n < ROUNDS; n++) {
		__u64 began = mw_now_ns(), took;

		for (long i = 0; i < pairs; i++) {
			void *volatile p = malloc(size);

			free(p);
		}
		took = mw_now_ns() - began;
		best = took < best ? took : best;
	}
	return best / (__u64)pairs;
}

static int attach(struct mw_object_probes *probes, const struct mw_allocators *all, enum mw_allocator_fn fn,
		  struct mw_error *err)
{
	for (size_t i = 0; i < all->n; i++) {
		struct mw_allocator_place p = all->at[i];
		char path[96];

		if (p.fn != fn)
			continue;
		p.offset += mw_probe_check_skip(p.code);
		snprintf(path, sizeof(path), "/proc/self/map_files/%llx-%llx", p.start, p.end);
		return mw_object_probes_attach(probes, getpid(), path, &p, err);
	}
	return mw_fail(err, -ENOENT, "no %s", mw_allocator_name(fn));
}

int main(int argc, char **argv)
{
	static struct mw_allocators all;
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	long pairs = argc > 2 ? strtol(argv[2], NULL, 10) : 20000;
	struct mw_object_probes *probes;
	struct mw_error err = {""};
	const char *symbols = argc > 3 ? argv[3] : NULL;
	__u64 bare = least(size, 10 * pairs), probed, sampled;
	int r = mw_allocators_ask(getpid(), 0, symbols, 20000, &all, &err);

	r = r ? r : mw_object_probes_open(MW_HEAP_MEAN_MAX, &probes, &err);
	r = r ? r : attach(probes, &all, MW_FN_MALLOC, &err);
	r = r ? r : attach(probes, &all, MW_FN_FREE, &err);
	if (r) {
		fprintf(stderr, "probed: %s\n", err.text);
		return 1;
	}
	probed = least(size, pairs);
	mw_object_probes_thin(probes, 1);
	sampled = least(size, pairs);
	mw_object_probes_close(probes);
	printf("%llu %llu %llu\n", bare, probed, sampled);
	return 0;
}
