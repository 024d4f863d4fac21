/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * What kind of memory a worker grew by. Its readings are kept thinner the older they are, so that the one from before a
 * growth is there however long that has gone on. Pure.
 */
#ifndef MW_KINDS_H
#define MW_KINDS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/verdict.h"

enum mw_kind {
	MW_KIND_HEAP, /* anon + swapped */
	MW_KIND_SHMEM,
	MW_KIND_KERNEL, /* less slab_reclaimable */
	MW_KIND_SOCK,
	MW_KIND_MAX,
};
const char *mw_kind_name(enum mw_kind kind); /* "shmem" */

#define MW_KINDS_KEPT 16
#define MW_KINDS_EVERY_NS                                                                                              \
	2000000000ULL /* between two that are kept, at first; twice that whenever the room is full                     \
		       */

struct mw_kinds {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 kib[MW_KIND_MAX];
};
struct mw_kinds_past {
	struct mw_kinds kept[MW_KINDS_KEPT]; /* oldest first */
	__u64 every_ns;
	__u64 onset_ns; /* the earliest that was said since it was steady; 0: it is */
	__u32 n;
};

struct mw_kinds mw_kinds_of(const struct mw_usage *u);
/* Times that go back are dropped. */
void mw_kinds_note(struct mw_kinds_past *past, const struct mw_kinds *reading);
/*
 * When its growth began, as is said now (0: it is steady). A line through the last minute begins with that minute: of
 * one growth the earliest word counts.
 */
void mw_kinds_onset(struct mw_kinds_past *past, __u64 onset_ns);
/* The newest that is not after the onset, else the oldest there is. NULL: none is, or it is steady. */
const struct mw_kinds *mw_kinds_before(const struct mw_kinds_past *past);

struct mw_kinds_grown {
	__s64 bytes[MW_KIND_MAX]; /* by kind; what shrank is negative */
	__u64 total; /* of those that grew */
	__u64 span_ns;
	enum mw_kind most; /* that grew most */
};
struct mw_kinds_grown mw_kinds_compare(const struct mw_kinds *before, const struct mw_kinds *now);
/*
 * "grew by 31.4 MB in 2 min: 30.9 MB shmem (files in tmpfs, memfd or shared memory)". Nothing, that is "", below 1 MiB.
 */
const char *mw_kinds_say(const struct mw_kinds_grown *g, char *buf, size_t size);

#endif
