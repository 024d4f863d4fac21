/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* One worker's figures for pacing, from its cgroup's files: three reads, so only for who is near its memory.high. */
#ifndef MW_PACE_READ_H
#define MW_PACE_READ_H

#include "core/pace.h"

/*
 * Fills current, high_now, cache, stolen, refaulted, stalled_ns, swappable (at most swap_free, the host's, and what
 * swap_max leaves). 0, or -errno when the cgroup is gone.
 *
 * refaulted: anonymous pages that were swapped in again, and file pages that came back while they still would have been
 * there with the memory of the active list (workingset_activate). workingset_refault_file alone is no sign of harm: a
 * file larger than the limit that is read in a circle comes back all the time, whoever reclaims.
 */
int mw_pace_read(int dir_fd, __u64 swap_free, __u64 swap_max, struct mw_pace_input *ret_input);
/* Time in which some task stalled, ns, from a pressure file's text ("some avg10=... total=US"); 0 without. */
__u64 mw_pace_stalled(const char *text);

#endif
