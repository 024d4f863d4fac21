/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Samples: a pass of the cgroup iterator over each subtree, and a consistent copy of a slot. */
#include <string.h>

#include "daemon/kernel_private.h"
#include "util/clock.h"

#define COPY_TRIES 1000

static const char *const plain_program = "sample";

/* The one flush program this kernel can run, or NULL. */
static const char *flush_program(const struct mw_kernel *k)
{
	for (size_t i = 0; i < mw_program_count; i++) {
		const struct program_row *row = &mw_program_rows[i];

		if (k->programs[i].chosen && row->kind == HOOK_CGROUP_ITER && row->needs)
			return row->program;
	}
	return NULL;
}

static struct bpf_link *attach(const struct mw_kernel *k, const char *program, int dir_fd, bool self_only)
{
	union bpf_iter_link_info info = {
		.cgroup = {.order = self_only ? BPF_CGROUP_ITER_SELF_ONLY : BPF_CGROUP_ITER_DESCENDANTS_PRE,
			   .cgroup_fd = dir_fd},
	};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));

	return bpf_program__attach_iter(bpf_object__find_program_by_name(k->object, program), &opts);
}

static ssize_t free_place(struct mw_kernel *k)
{
	struct subtree *more;

	for (size_t i = 0; i < k->subtree_count; i++) {
		if (!k->subtrees[i].plain)
			return i;
	}
	more = reallocarray(k->subtrees, k->subtree_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	k->subtrees = more;
	k->subtrees[k->subtree_count] = (struct subtree){};
	return k->subtree_count++;
}

int mw_kernel_subtree_add(struct mw_kernel *k, int dir_fd, bool self_only)
{
	const char *flush = flush_program(k);
	ssize_t place;
	struct subtree *subtree;

	if (!k->object || !mw_kernel_has(k, MW_CAP_SAMPLE_ITER))
		return -EOPNOTSUPP;
	place = free_place(k);
	if (place < 0)
		return place;
	subtree = &k->subtrees[place];
	subtree->self_only = self_only;
	subtree->plain = attach(k, plain_program, dir_fd, self_only);
	if (!subtree->plain)
		return -errno;
	subtree->flush = flush ? attach(k, flush, dir_fd, self_only) : NULL;
	return place;
}

void mw_kernel_subtree_remove(struct mw_kernel *k, int handle)
{
	struct subtree *subtree;

	if (handle < 0 || (size_t)handle >= k->subtree_count)
		return;
	subtree = &k->subtrees[handle];
	bpf_link__destroy(subtree->plain);
	bpf_link__destroy(subtree->flush);
	*subtree = (struct subtree){};
}

/* The programs print nothing: reading to the end is what drives them. */
static int run_pass(const struct bpf_link *link)
{
	_cleanup_close_ int fd = bpf_iter_create(bpf_link__fd(link));
	char nothing[64];
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, nothing, sizeof(nothing));
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	return n < 0 ? -errno : 0;
}

static int sample_subtree(const struct subtree *s, bool flush)
{
	return run_pass(flush && s->flush ? s->flush : s->plain);
}

/* Attached cgroups, each a pass of its own: as many as the budget allows, where the last call stopped. */
static int sample_single(struct mw_kernel *k, bool flush, __u64 budget_ns)
{
	__u64 began = mw_now_ns();
	int result = 0;

	for (size_t n = 0; n < k->subtree_count; n++) {
		const struct subtree *s = &k->subtrees[k->next_single++ % k->subtree_count];
		int one = s->plain && s->self_only ? sample_subtree(s, flush) : 0;

		if (one && !result)
			result = one; /* the others are still sampled */
		if (mw_now_ns() - began > budget_ns)
			break;
	}
	return result;
}

int mw_kernel_sample_within(struct mw_kernel *k, bool flush, __u64 budget_ns)
{
	int result = 0, one;

	if (!k->object || !mw_kernel_has(k, MW_CAP_SAMPLE_ITER))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < k->subtree_count; i++) {
		one = k->subtrees[i].plain && !k->subtrees[i].self_only ? sample_subtree(&k->subtrees[i], flush) : 0;
		if (one && !result)
			result = one;
	}
	one = sample_single(k, flush, budget_ns);
	return result ? result : one;
}

int mw_kernel_sample(struct mw_kernel *k, bool flush)
{
	return mw_kernel_sample_within(k, flush, ~0ULL);
}

int mw_kernel_sample_read(const struct mw_kernel *k, __u32 slot, __u64 cgroup_id, struct mw_sample *ret_sample)
{
	const struct mw_sample *from;
	struct mw_sample copy;

	if (!k->samples)
		return -EOPNOTSUPP;
	if (slot >= k->max_workers)
		return -EINVAL;
	from = &k->samples[slot];
	for (int tries = 0; tries < COPY_TRIES; tries++) {
		__u64 seq = __atomic_load_n(&from->seq, __ATOMIC_ACQUIRE);

		if (seq & 1)
			continue;
		memcpy(&copy, from, sizeof(copy));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&from->seq, __ATOMIC_RELAXED) != seq)
			continue;
		if (copy.cgroup_id != cgroup_id)
			return -EAGAIN;
		*ret_sample = copy;
		return 0;
	}
	return -EAGAIN;
}
