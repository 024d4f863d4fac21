/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Samples: a pass over each subtree, and a consistent copy of a slot. */
#include <string.h>

#include "core/cgroup.h"
#include "daemon/kernel_private.h"
#include "memweir.skel.h"
#include "util/clock.h"

#define COPY_TRIES 1000

/* Of the programs that serve a capability the one this kernel can run, or NULL. */
static const struct program_row *chosen_row(const struct mw_kernel *k, enum mw_capability cap)
{
	for (size_t i = 0; k->object && i < mw_program_count; i++) {
		if (k->programs[i].chosen && mw_program_rows[i].caps & MW_CAP_BIT(cap))
			return &mw_program_rows[i];
	}
	return NULL;
}

static struct bpf_link *attach(const struct mw_kernel *k, const struct program_row *row, int dir_fd, bool self_only)
{
	union bpf_iter_link_info info = {
		.cgroup = {.order = self_only || !row->each_cgroup ? BPF_CGROUP_ITER_SELF_ONLY
								   : BPF_CGROUP_ITER_DESCENDANTS_PRE,
			   .cgroup_fd = dir_fd},
	};
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));

	return bpf_program__attach_iter(bpf_object__find_program_by_name(k->object, row->program), &opts);
}

static ssize_t free_place(struct mw_kernel *k)
{
	struct subtree *more;

	for (size_t i = 0; i < k->subtree_count; i++) {
		if (!k->subtrees[i].cgroup_id)
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
	const struct program_row *sample = chosen_row(k, MW_CAP_SAMPLE_ITER);
	const struct program_row *flush = chosen_row(k, MW_CAP_SAMPLE_FLUSH);
	struct subtree s = {.cgroup_id = mw_cgroup_id(dir_fd), .self_only = self_only};
	ssize_t place;

	if (!sample || !mw_kernel_has(k, MW_CAP_SAMPLE_ITER))
		return -EOPNOTSUPP;
	if (!s.cgroup_id)
		return -EINVAL;
	place = free_place(k);
	if (place < 0)
		return place;
	if (sample->kind == HOOK_CGROUP_ITER) {
		s.iter = attach(k, sample, dir_fd, self_only);
		if (!s.iter)
			return -errno;
	}
	s.flush = flush ? attach(k, flush, dir_fd, self_only) : NULL;
	k->subtrees[place] = s;
	return place;
}

void mw_kernel_subtree_remove(struct mw_kernel *k, int handle)
{
	struct subtree *subtree;

	if (handle < 0 || (size_t)handle >= k->subtree_count)
		return;
	subtree = &k->subtrees[handle];
	bpf_link__destroy(subtree->iter);
	bpf_link__destroy(subtree->flush);
	*subtree = (struct subtree){};
}

/* The programs print nothing: reading to the end is what drives them. */
static int run_iterator(const struct bpf_link *link)
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

static int walk(const struct mw_kernel *k, const struct subtree *s)
{
	struct mw_walk args = {.cgroup_id = s->cgroup_id, .self_only = s->self_only};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &args, .ctx_size_in = sizeof(args));

	if (bpf_prog_test_run_opts(bpf_program__fd(k->skel->progs.sample_walk), &opts))
		return -errno;
	return (int)opts.retval;
}

static int pass(struct mw_kernel *k, const struct subtree *s, enum mw_sample_depth depth)
{
	int r = depth == MW_SAMPLE_COUNTERS || !s->flush ? 0 : run_iterator(s->flush);

	if (r)
		return r;
	k->skel->bss->mw_depth = depth;
	return s->iter ? run_iterator(s->iter) : walk(k, s);
}

static int sample_subtree(struct mw_kernel *k, const struct subtree *s, enum mw_sample_depth depth)
{
	__u32 position = k->skel->bss->mw_position;

	/* Mostly nobody has: then there is nothing to flush either. */
	if (depth == MW_SAMPLE_MOVED) {
		int r;

		k->skel->bss->mw_moved = 0;
		r = pass(k, s, MW_SAMPLE_COUNTERS);
		if (r || !k->skel->bss->mw_moved)
			return r;
		k->skel->bss->mw_position = position;
	}
	return pass(k, s, depth);
}

/* Attached cgroups, each a pass of its own: as many as the budget allows, where the last call stopped. */
static int sample_single(struct mw_kernel *k, enum mw_sample_depth depth, __u64 budget_ns)
{
	__u64 began = mw_now_ns();
	int result = 0;

	for (size_t n = 0; n < k->subtree_count; n++) {
		const struct subtree *s = &k->subtrees[k->next_single++ % k->subtree_count];
		int one = s->cgroup_id && s->self_only ? sample_subtree(k, s, depth) : 0;

		if (one && !result)
			result = one; /* the others are still sampled */
		if (mw_now_ns() - began > budget_ns)
			break;
	}
	return result;
}

int mw_kernel_sample_within(struct mw_kernel *k, enum mw_sample_depth depth, __u64 budget_ns)
{
	int result = 0, one;

	if (!k->object || !mw_kernel_has(k, MW_CAP_SAMPLE_ITER))
		return -EOPNOTSUPP;
	/* Without a flush what has moved shows up to 2 s later: nobody could tell when to read it. */
	if (depth == MW_SAMPLE_MOVED && !mw_kernel_has(k, MW_CAP_SAMPLE_FLUSH))
		depth = MW_SAMPLE_ALL;
	k->skel->bss->mw_position = 0;
	for (size_t i = 0; i < k->subtree_count; i++) {
		const struct subtree *s = &k->subtrees[i];

		one = s->cgroup_id && !s->self_only ? sample_subtree(k, s, depth) : 0;
		if (one && !result)
			result = one;
	}
	one = sample_single(k, depth, budget_ns);
	return result ? result : one;
}

int mw_kernel_sample(struct mw_kernel *k, enum mw_sample_depth depth)
{
	return mw_kernel_sample_within(k, depth, ~0ULL);
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
