/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The JSON documents of the interface. New references; sizes and times are exact 64-bit integers, ratios and
 * rates have at most three places; text that is not UTF-8 is made valid; NULL only on no memory.
 */
#ifndef MW_JSON_H
#define MW_JSON_H

#include <json-c/json.h>

#include "core/worker.h"

/* {"schema":1, "timestamp":"2026-11-21T20:05:01.123Z"} */
/* Is a document about a worker (its "uid" says whose) for this reader? Root reads all. */
bool mw_json_is_for(struct json_object *doc, uid_t reader);
struct json_object *mw_json_document(__u64 wall_ns);
/* RFC 3339, UTC, milliseconds, of CLOCK_REALTIME nanoseconds. */
const char *mw_json_time(__u64 wall_ns, char *buf, size_t size);
/* name, class, cgroup, cgroup_id: what every object about a worker has. */
struct json_object *mw_json_worker(const struct mw_worker *w);
struct json_object *mw_json_container(const struct mw_container *c); /* "container" of whoever is one */
/*
 * ps: the same + pids, owner, policy, usage_bytes, heap_bytes, bin_bytes, max_bytes, high_bytes, percent, status,
 * level, verdict, sample_age_ms and peak_bytes, main_pid, command, started, lifted, frozen, frozen_by, hibernated,
 * effective_low_bytes, paced_reclaims, paced_bytes, paced_ns (batches reclaimed ahead of it, what they freed, our time
 * for them), reclaims_per_min, stalled_share, worst_pause_ns (these three as of the last check). pids and effective_low
 * are asked of the caller. Limits that are "max" are null, as is what is not known (pids < 0, never sampled, main_pid 0
 * or gone).
 */
struct json_object *mw_json_ps(const struct mw_worker *w, long pids, __u64 effective_low, __u64 now_ns);
/*
 * What a list begins with: name, class, cgroup_id, usage_bytes, heap_bytes, bin_bytes, high_bytes, max_bytes,
 * max_heap_bytes, hibernate_threshold, percent, level, verdict, lifted, frozen, hibernated. As in ps.
 */
struct json_object *mw_json_brief(const struct mw_worker *w);
/* check, one worker: + heap_bytes, bin_bytes, percent, status, over_bin, hibernate. */
struct json_object *mw_json_check(const struct mw_worker *w);
/* ladder[]: {rung, heard (of notify, else null), time, level, before_bytes; after_bytes, took_ms, level_after, fell,
 * null while it is under way}. */
struct json_object *mw_json_ladder(const struct mw_worker *w);
/* level: + level, percent, max_bytes, high_bytes, usage_bytes, heap_bytes, bin_bytes, lifted, time_to_limit_s (or
 * null). */
struct json_object *mw_json_level(const struct mw_worker *w);
struct mw_json_out;
/* Into o: sites[] and lines[], empty for NULL, and sites_left_out_bytes, null where nobody has looked. Both lists go in
 * as the text they are kept as, mw_json_kept. */
void mw_json_sites(struct mw_json_out *o, const struct mw_sites *sites);
/*
 * account: charged {bytes, placed_bytes}, used {bytes, anon_bytes, cache_bytes, shmem_bytes, kernel_bytes, sock_bytes,
 * rest_bytes, swapped_bytes, came_back_bytes}, kernel (its part of it: slab_bytes, page_table_bytes, stack_bytes,
 * per_cpu_bytes, vmalloc_bytes, rest_bytes), descriptors {pipes, sockets, memfds, anon_inodes, other, more}, sampled
 * {bytes, shown_bytes, samples, lost_bytes, processes, processes_without, without_bytes}; each null where it is not
 * known. See leak/account.h.
 */
struct json_object *mw_json_account(const struct mw_account *a);
/* report leaks: + verdict, rate_bytes_per_s, onset (RFC 3339 or null), window_s, time_to_limit_s and its interval
 * time_to_limit_low_s, time_to_limit_high_s (null: never, or not known), confidence, evidence[], against[], account
 * (null: nobody has looked), sites[], lines[],
 * sites_left_out_bytes. */
struct json_object *mw_json_leak(const struct mw_worker *w, __u64 now_ns, __u64 wall_ns);
/*
 * events: type, time, name, class, cgroup, cgroup_id (class and cgroup null when w is NULL: not or no longer guarded),
 * pid, tid, comm, kind (null but for pause and throttle), duration_ns, value, seq; an oom also has limit: "memcg" or
 * "host". boot_offset: wall - monotonic, ns.
 */
struct json_object *mw_json_event(const struct mw_event *e, const struct mw_worker *w, __s64 boot_offset_ns);

const char *mw_event_name(enum mw_event_type type); /* "throttle" */
const char *mw_pause_name(enum mw_pause_kind kind); /* "high-throttle" */
/* Largest value of the slot that holds quantile q (0..1) of a log2 histogram, ns, never above max_ns; 0 for an empty
 * one. */
__u64 mw_hist_quantile(const struct mw_pause_stat *s, double q);

#endif
