/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Copies of stacks: whose are wanted, and what came. */
#include <string.h>

#include "daemon/kernel_private.h"

int mw_kernel_copies_want(struct mw_kernel *k, __u64 cgroup_id, __u32 left, __u64 every_ns)
{
	struct mw_copy_want want = {};

	if (!k->object || !mw_kernel_has(k, MW_CAP_GROWTH_COPIES))
		return -EOPNOTSUPP;
	if (!left) {
		bpf_map_delete_elem(k->maps[MAP_WANTED], &cgroup_id);
		return 0;
	}
	/* What it has charged meanwhile goes on counting; a charge or two of this very moment may be lost. */
	bpf_map_lookup_elem(k->maps[MAP_WANTED], &cgroup_id, &want);
	want.left = left;
	want.every_ns = every_ns;
	want.next_at = 0;
	if (bpf_map_update_elem(k->maps[MAP_WANTED], &cgroup_id, &want, BPF_ANY))
		return errno == E2BIG ? -ENOSPC : -errno;
	return 0;
}

bool mw_kernel_copies_wanted(struct mw_kernel *k, __u64 cgroup_id)
{
	struct mw_copy_want want;

	return k->object && mw_kernel_has(k, MW_CAP_GROWTH_COPIES) &&
	       bpf_map_lookup_elem(k->maps[MAP_WANTED], &cgroup_id, &want) == 0;
}

void mw_copies_forget(struct mw_kernel *k)
{
	__u64 id;

	if (!k->object || !mw_kernel_has(k, MW_CAP_GROWTH_COPIES))
		return;
	while (bpf_map_get_next_key(k->maps[MAP_WANTED], NULL, &id) == 0) {
		if (bpf_map_delete_elem(k->maps[MAP_WANTED], &id))
			break;
	}
}

struct reader {
	mw_copy_fn fn;
	void *arg;
	int handed_on;
};

/* The ring is the kernel's; but what it says of its size is checked before bytes are read by it. */
static int on_copy(void *arg, void *data, size_t size)
{
	struct reader *r = arg;
	const struct mw_copy *copy = data;
	size_t head = offsetof(struct mw_copy, bytes);

	if (size < head || copy->size > MW_COPY_BYTES || size - head < copy->size)
		return 0;
	r->fn(copy, r->arg);
	r->handed_on++;
	return 0;
}

/* Mapped for this reading alone: half a megabyte that is mostly of no use. Where it stopped stands in the ring. */
int mw_kernel_copies_read(struct mw_kernel *k, mw_copy_fn fn, void *arg)
{
	struct reader reader = {.fn = fn, .arg = arg};
	struct ring_buffer *ring;
	int r;

	if (!k->object || !mw_kernel_has(k, MW_CAP_GROWTH_COPIES))
		return -EOPNOTSUPP;
	ring = ring_buffer__new(k->maps[MAP_COPIES], on_copy, &reader, NULL);
	if (!ring)
		return -errno;
	r = ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return r < 0 ? r : reader.handed_on;
}
