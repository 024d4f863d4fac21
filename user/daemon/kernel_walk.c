/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/kernel_walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdlib.h>

#include "util/cleanup.h"

#define BATCH_BYTES 65536 /* of one call: what the heap has without asking the kernel */
#define BATCH_MAX   16384 /* entries: a bucket is handed out whole, and more than this in one is no hash */

struct batch {
	char *keys, *values;
	__u32 room;
};

static void batch_free(struct batch *b)
{
	free(b->keys);
	free(b->values);
	*b = (struct batch){0};
}

static int batch_make(struct batch *b, __u32 room, size_t key_bytes, size_t value_bytes)
{
	batch_free(b);
	b->keys = calloc(room, key_bytes);
	b->values = calloc(room, value_bytes);
	b->room = room;
	return b->keys && b->values ? 0 : -ENOMEM;
}

int mw_map_walk(int map_fd, size_t key_bytes, size_t value_bytes, mw_walk_fn fn, void *arg)
{
	_cleanup_(batch_free) struct batch b = {0};
	__u32 at = 0, next = 0;
	bool first = true, end = false;
	int r = batch_make(&b, BATCH_BYTES / (__u32)(key_bytes + value_bytes) + 1, key_bytes, value_bytes);

	while (!end && r >= 0) {
		__u32 n = b.room;

		r = bpf_map_lookup_batch(map_fd, first ? NULL : &at, &next, b.keys, b.values, &n, NULL);
		if (r == -ENOSPC && b.room < BATCH_MAX) {
			r = batch_make(&b, 2 * b.room, key_bytes, value_bytes);
			continue;
		}
		end = r == -ENOENT; /* with the last of them, or none */
		if (r < 0 && !end)
			return r;
		r = 0;
		for (__u32 i = 0; i < n && r >= 0; i++)
			r = fn(b.keys + i * key_bytes, b.values + i * value_bytes, arg);
		at = next;
		first = false;
	}
	return r < 0 ? r : 0;
}
