/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Is it guarded? One hash lookup says no; that is all an unguarded task pays. */
#ifndef MW_WATCH_BPF_H
#define MW_WATCH_BPF_H

#include "maps.bpf.h"

extern const volatile __u64 mw_generation; /* worker.bpf.c; set by the daemon */

/*
 * While a new daemon takes over, its programs and the old ones are attached
 * together, on the same maps. Writing maps/config.generation hands over at one
 * instant: nothing is counted twice and nothing is missed.
 */
static __always_inline bool mw_live(void)
{
	__u32 zero = 0;
	struct mw_config_map *now = bpf_map_lookup_elem(&config, &zero);

	return now && now->generation == mw_generation;
}

/* The worker that cgroup_id belongs to, or NULL. */
static __always_inline struct mw_worker_info *mw_watch(__u64 cgroup_id, __u64 *ret_worker)
{
	__u64 *worker = bpf_map_lookup_elem(&members, &cgroup_id);

	if (!worker || !mw_live())
		return NULL;
	*ret_worker = *worker;
	return bpf_map_lookup_elem(&workers, ret_worker);
}

#endif
