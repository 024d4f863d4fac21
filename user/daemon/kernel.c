/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Open and close; who is guarded; the event ring; counters. */
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>

#include "core/event.h"
#include "daemon/kernel_private.h"

#define DEFAULT_RING_BYTES (1U << 20)
#define MAX_WORKERS	   65536
#define SWEEP_AFTER	   64 /* removed workers; see mw_sweep() in kernel_growth.c */

static __u64 now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int check_options(const struct mw_kernel_options *opts, struct mw_error *err)
{
	__u32 ring = opts->ring_bytes;

	if (opts->max_workers < 1 || opts->max_workers > MAX_WORKERS)
		return mw_fail(err, -EINVAL, "max_workers is %u: expected 1 to %d", opts->max_workers, MAX_WORKERS);
	if (ring && (ring & (ring - 1) || ring % sysconf(_SC_PAGESIZE)))
		return mw_fail(err, -EINVAL, "ring_bytes is %u: expected a power of two and whole pages", ring);
	if (!opts->pin_dir || strlen(opts->pin_dir) >= sizeof(((struct mw_kernel *)NULL)->pin_dir))
		return mw_fail(err, -EINVAL, "pin_dir is missing or too long");
	return 0;
}

/* From here the new programs count, and older ones on the same maps keep quiet. */
static void hand_over(struct mw_kernel *k)
{
	struct mw_config_map config = {
		.abi_version = MW_ABI_VERSION,
		.growth_stacks_per_s = k->opts.growth_stacks_per_s,
		.generation = k->generation,
	};
	__u32 zero = 0;

	if (bpf_map_update_elem(k->maps[MAP_CONFIG], &zero, &config, BPF_ANY))
		mw_capability_refuse(k, MW_CAP_RINGBUF, "cannot write maps/config: %s", strerror(errno));
}

static int on_record(void *arg, void *data, size_t size)
{
	struct mw_kernel *k = arg;

	if (mw_event_valid(data, size) < 0) {
		k->bad_records++;
		return 0;
	}
	k->event_fn(data, k->event_arg);
	k->handed_on++;
	return 0;
}

static int open_ring(struct mw_kernel *k)
{
	if (!mw_kernel_has(k, MW_CAP_RINGBUF))
		return 0;
	k->ring = ring_buffer__new(k->maps[MAP_EVENTS], on_record, k, NULL);
	if (!k->ring)
		mw_capability_refuse(k, MW_CAP_RINGBUF, "cannot map the ring: %s", strerror(errno));
	return errno == ENOMEM && !k->ring ? -ENOMEM : 0;
}

static int map_samples(struct mw_kernel *k)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	long page = sysconf(_SC_PAGESIZE);
	void *at;

	if (bpf_obj_get_info_by_fd(k->maps[MAP_SAMPLES], &info, &size))
		return -errno;
	k->max_workers = info.max_entries;
	k->samples_bytes = ((size_t)info.max_entries * sizeof(struct mw_sample) + page - 1) / page * page;
	at = mmap(NULL, k->samples_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, k->maps[MAP_SAMPLES], 0);
	if (at == MAP_FAILED)
		return -errno;
	k->samples = at;
	k->slot_owner = calloc(k->max_workers, sizeof(*k->slot_owner));
	return k->slot_owner ? 0 : -ENOMEM;
}

/* Adopted workers keep their slots. */
static void claim_slots(struct mw_kernel *k)
{
	struct mw_worker_info info = {};
	__u64 id, *previous = NULL;

	while (bpf_map_get_next_key(k->maps[MAP_WORKERS], previous, &id) == 0) {
		if (mw_kernel_worker_info(k, id, &info) == 0 && info.slot < k->max_workers)
			k->slot_owner[info.slot] = id;
		previous = &id;
	}
}

static int start(struct mw_kernel *k, struct mw_error *err)
{
	int result = mw_pins_open(k);

	if (result)
		return mw_fail(err, result, "%s is in use by another daemon", k->opts.pin_dir);
	mw_probe(k);
	if (!mw_kernel_has(k, MW_CAP_BTF))
		return 0;
	result = mw_load(k);
	if (result)
		return mw_fail(err, result, "no memory to load the BPF programs");
	if (!k->object || k->opts.probe_only)
		return 0;
	result = map_samples(k);
	if (result)
		return mw_fail(err, result, "cannot map the samples: %s", strerror(-result));
	if (mw_pins_keep(k)) {
		hand_over(k); /* to themselves: only settings change */
	} else {
		mw_attach(k);
		mw_pins_replace(k, hand_over);
	}
	claim_slots(k);
	mw_copies_forget(k);
	result = open_ring(k);
	return result ? mw_fail(err, result, "no memory for the event ring") : 0;
}

int mw_kernel_open(const struct mw_kernel_options *opts, struct mw_kernel **ret_kernel, struct mw_error *err)
{
	struct mw_kernel *k;
	int result = check_options(opts, err);

	if (result)
		return result;
	k = calloc(1, sizeof(*k));
	if (!k)
		return mw_fail(err, -ENOMEM, "no memory");
	k->opts = *opts;
	if (!k->opts.ring_bytes)
		k->opts.ring_bytes = DEFAULT_RING_BYTES;
	k->lock_fd = -1;
	k->generation = now_ns();
	for (int map = 0; map < MAP_MAX; map++)
		k->maps[map] = -1;
	for (size_t i = 0; i < MW_MAX_PROGRAMS; i++)
		k->programs[i].running_fd = -1;
	mw_capabilities_init(k);
	result = start(k, err);
	k->opts.pin_dir = k->pin_dir;
	if (result) {
		mw_kernel_close(k);
		return result;
	}
	*ret_kernel = k;
	return 0;
}

void mw_kernel_close(struct mw_kernel *k)
{
	if (!k)
		return;
	ring_buffer__free(k->ring);
	mw_copies_forget(k);
	for (size_t i = 0; i < k->subtree_count; i++)
		mw_kernel_subtree_remove(k, i);
	free(k->subtrees);
	if (k->samples)
		munmap(k->samples, k->samples_bytes);
	free(k->slot_owner);
	mw_unload_object(k);
	if (k->lock_fd >= 0)
		flock(k->lock_fd, LOCK_UN); /* also where a forked child still has the descriptor */
	mw_close(&k->lock_fd);
	free(k);
}

const struct mw_capability_info *mw_kernel_capability(const struct mw_kernel *k, enum mw_capability cap)
{
	return &k->caps[cap];
}

bool mw_kernel_has(const struct mw_kernel *k, enum mw_capability cap)
{
	return k->caps[cap].have;
}

bool mw_kernel_adopted(const struct mw_kernel *k)
{
	return k->adopted;
}

/* New settings for a worker whose counters go on. */
static int change_worker(struct mw_kernel *k, __u64 cgroup_id, const struct mw_worker_info *info)
{
	struct bpf_program *program = bpf_object__find_program_by_name(k->object, "worker_set");
	struct mw_worker_set set = {.cgroup_id = cgroup_id, .info = *info};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &set, .ctx_size_in = sizeof(set));

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		return -errno;
	return (int)opts.retval;
}

static void clear_slot(struct mw_kernel *k, __u32 slot)
{
	struct mw_sample *sample = &k->samples[slot];

	__atomic_fetch_add(&sample->seq, 1, __ATOMIC_SEQ_CST);
	memset((char *)sample + sizeof(sample->seq), 0, sizeof(*sample) - sizeof(sample->seq));
	__atomic_fetch_add(&sample->seq, 1, __ATOMIC_SEQ_CST);
}

static int insert_worker(struct mw_kernel *k, __u64 cgroup_id, const struct mw_worker_info *info)
{
	struct mw_worker_info fresh = *info;
	size_t counters = offsetof(struct mw_worker_info, forks);

	memset((char *)&fresh + counters, 0, sizeof(fresh) - counters);
	if (bpf_map_update_elem(k->maps[MAP_WORKERS], &cgroup_id, &fresh, BPF_NOEXIST))
		return errno == E2BIG ? -ENOSPC : -errno;
	return 0;
}

/* An earlier daemon had numbered them another way: who had this slot gets ours. */
static int swap_slots(struct mw_kernel *k, __u64 cgroup_id, const struct mw_worker_info *info, __u32 old_slot)
{
	__u64 other = k->slot_owner[info->slot];
	struct mw_worker_info its = {};
	int result = mw_kernel_worker_info(k, other, &its);

	if (result)
		return result;
	its.slot = old_slot;
	result = change_worker(k, other, &its);
	if (!result)
		result = change_worker(k, cgroup_id, info);
	if (result)
		return result;
	k->slot_owner[old_slot] = other;
	k->slot_owner[info->slot] = cgroup_id;
	clear_slot(k, old_slot);
	clear_slot(k, info->slot);
	return mw_kernel_member_add(k, cgroup_id, cgroup_id);
}

int mw_kernel_worker_add(struct mw_kernel *k, __u64 cgroup_id, const struct mw_worker_info *info)
{
	struct mw_worker_info old = {};
	bool known;
	int result;

	if (!k->object)
		return -EOPNOTSUPP;
	if (!cgroup_id || info->slot >= k->max_workers)
		return -EINVAL;
	known = mw_kernel_worker_info(k, cgroup_id, &old) == 0;
	if (k->slot_owner[info->slot] && k->slot_owner[info->slot] != cgroup_id) {
		if (!known)
			return -EEXIST;
		return swap_slots(k, cgroup_id, info, old.slot);
	}
	result = known ? change_worker(k, cgroup_id, info) : insert_worker(k, cgroup_id, info);
	if (result)
		return result;
	if (known && old.slot != info->slot) {
		k->slot_owner[old.slot] = 0;
		clear_slot(k, old.slot);
	}
	k->slot_owner[info->slot] = cgroup_id;
	return mw_kernel_member_add(k, cgroup_id, cgroup_id);
}

int mw_kernel_worker_remove(struct mw_kernel *k, __u64 cgroup_id)
{
	struct mw_worker_info info = {};

	if (!k->object || mw_kernel_worker_info(k, cgroup_id, &info))
		return 0;
	mw_kernel_copies_want(k, cgroup_id, 0, 0);
	bpf_map_delete_elem(k->maps[MAP_MEMBERS], &cgroup_id);
	bpf_map_delete_elem(k->maps[MAP_WORKERS], &cgroup_id);
	for (int kind = 0; kind < MW_PAUSE_MAX; kind++) {
		struct mw_pause_key key = {.cgroup_id = cgroup_id, .kind = kind};

		bpf_map_delete_elem(k->maps[MAP_PAUSES], &key);
	}
	if (info.slot < k->max_workers && k->slot_owner[info.slot] == cgroup_id) {
		k->slot_owner[info.slot] = 0;
		clear_slot(k, info.slot);
	}
	if (++k->removed_since_sweep >= SWEEP_AFTER) {
		k->removed_since_sweep = 0;
		mw_sweep(k);
	}
	return 0;
}

int mw_kernel_member_add(struct mw_kernel *k, __u64 cgroup_id, __u64 worker_id)
{
	if (!k->object)
		return -EOPNOTSUPP;
	if (bpf_map_update_elem(k->maps[MAP_MEMBERS], &cgroup_id, &worker_id, BPF_ANY))
		return errno == E2BIG ? -ENOSPC : -errno;
	return 0;
}

int mw_kernel_worker_info(struct mw_kernel *k, __u64 cgroup_id, struct mw_worker_info *ret_info)
{
	struct mw_worker_info info;

	if (!k->object)
		return -EOPNOTSUPP;
	if (bpf_map_lookup_elem(k->maps[MAP_WORKERS], &cgroup_id, &info))
		return -errno;
	*ret_info = info;
	return 0;
}

int mw_kernel_worker_ids(struct mw_kernel *k, __u64 *ids, size_t n)
{
	__u64 id, *previous = NULL;
	size_t found = 0;

	if (!k->object)
		return -EOPNOTSUPP;
	while (found < n && bpf_map_get_next_key(k->maps[MAP_WORKERS], previous, &id) == 0) {
		ids[found++] = id;
		previous = &id;
	}
	return found;
}

int mw_kernel_events_fd(const struct mw_kernel *k)
{
	return k->ring ? ring_buffer__epoll_fd(k->ring) : -1;
}

int mw_kernel_events_consume(struct mw_kernel *k, mw_event_fn fn, void *arg)
{
	int result;

	if (!k->ring)
		return -EOPNOTSUPP;
	k->event_fn = fn;
	k->event_arg = arg;
	k->handed_on = 0;
	result = ring_buffer__consume(k->ring);
	return result < 0 ? result : k->handed_on;
}

__u64 mw_kernel_bad_records(const struct mw_kernel *k)
{
	return k->bad_records;
}

int mw_kernel_pause_read(struct mw_kernel *k, __u64 cgroup_id, enum mw_pause_kind kind, struct mw_pause_stat *ret_stat)
{
	struct mw_pause_key key = {.cgroup_id = cgroup_id, .kind = kind};
	struct mw_pause_stat stat = {};

	if (!k->object)
		return -EOPNOTSUPP;
	if (bpf_map_lookup_elem(k->maps[MAP_PAUSES], &key, &stat) && errno != ENOENT)
		return -errno;
	*ret_stat = stat;
	return 0;
}

int mw_kernel_pauses_read(struct mw_kernel *k, __u64 cgroup_id, struct mw_pause_stat ret_stats[MW_PAUSE_MAX])
{
	for (int kind = 0; kind < MW_PAUSE_MAX; kind++) {
		int r = mw_kernel_pause_read(k, cgroup_id, kind, &ret_stats[kind]);

		if (r < 0)
			return r;
	}
	return 0;
}

int mw_kernel_stats(struct mw_kernel *k, struct mw_stats *ret_stats)
{
	struct mw_stats stats;
	__u32 zero = 0;

	if (!k->object)
		return -EOPNOTSUPP;
	if (bpf_map_lookup_elem(k->maps[MAP_STATS], &zero, &stats))
		return -errno;
	*ret_stats = stats;
	return 0;
}
