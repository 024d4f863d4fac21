/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* The file of the recorder: a page of head, two rings of marks, a track for each worker. Its parts alone need this. */
#ifndef MW_RECORDER_IMPL_H
#define MW_RECORDER_IMPL_H

#include "core/recorder.h"

#define MW_RECORDER_MAGIC   "MWREC\r\n\x1a" /* a text tool's idea of line ends breaks it */
#define MW_RECORDER_VERSION 1U
#define MW_RECORDER_HEAD    4096U
#define MW_RECORDER_TRACKS  (1U << 20) /* more is no file of ours */

/* Pauses come in storms, and must not push out what else happened. */
enum mw_mark_ring {
	MW_RING_ACTS,
	MW_RING_PAUSES,
	MW_RING_MAX,
};
#define MW_RING_ACTS_SIZE   2048U
#define MW_RING_PAUSES_SIZE 512U

struct mw_recorder_head {
	char magic[8];
	__u32 version, head_size, track_size, mark_size;
	__u32 tracks;
	__u32 ring_size[MW_RING_MAX];
	__u32 reserved;
	__u64 ring_seq[MW_RING_MAX]; /* marks so far */
	__u64 looked_ns; /* CLOCK_MONOTONIC */
	char boot_id[40];
};

struct mw_left {
	__u64 cgroup_id;
	__u32 at;
};

struct mw_recorder {
	int fd; /* -1: in memory alone */
	size_t mapped;
	struct mw_recorder_head *head;
	struct mw_mark *rings[MW_RING_MAX];
	struct mw_track *tracks;
	__u8 *used; /* tracks that are somebody's, or left */
	__u8 *given; /* tracks that have memory */
	__u32 n_given, ring_given[MW_RING_MAX];
	struct mw_left *left; /* by cgroup_id */
	__u32 n_left;
	__u64 looked_before_ns, lost;
};

/* Memory for these bytes of the file, so that writing there cannot fail: a full tmpfs would be a SIGBUS. */
int mw_recorder_give(const struct mw_recorder *rec, const void *at, size_t size);
/* "" or what is wrong with a file of this size that begins so. */
const char *mw_recorder_head_wrong(const struct mw_recorder_head *h, __u64 file_size, const char *boot_id);
__u64 mw_recorder_size(__u32 tracks);

#endif
