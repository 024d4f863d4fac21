/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Settings of one worker that only take away: by `run --set`, and by a member of the group for a worker of its own.
 * They stay with the worker, not with its name, and a class that changes below them wins. Pure.
 */
#ifndef MW_TIGHT_H
#define MW_TIGHT_H

#include <linux/types.h>

#include "core/config.h"
#include "util/error.h"

enum mw_tight_bit {
	MW_TIGHT_MAX_HEAP = 1,
	MW_TIGHT_MAX_BIN_HEAP = 2,
	MW_TIGHT_SWAP_MAX = 4,
	MW_TIGHT_LOW = 8,
	MW_TIGHT_THRESHOLD = 16,
	MW_TIGHT_POLICY = 32,
	MW_TIGHT_ALL = 63,
};

struct mw_tight {
	unsigned int set; /* enum mw_tight_bit: what was said */
	__u64 max_heap, max_bin_heap, swap_max, low; /* bytes */
	double hibernate_threshold;
	enum mw_policy policy;
};

/*
 * Take KEY = VALUE pairs in, all or none; "default" takes one back. base: what the worker has without them, which none
 * may pass. -EPERM for a value above it, for a key that is not among these and for a class that shares its profile;
 * -EINVAL for no value of its key.
 */
int mw_tight_take(struct mw_tight *t, const struct mw_profile *base, const struct mw_kv *kv, size_t n,
		  struct mw_error *err);
/* p is at most what was said, and agrees with itself (mw_profile_check). */
void mw_tight_apply(const struct mw_tight *t, struct mw_profile *p);
/* Forget what was said of key: root has spoken. */
void mw_tight_drop(struct mw_tight *t, const char *key);
/* Is p looser than base in one of these? Its name, or NULL. */
const char *mw_tight_exceeds(const struct mw_profile *p, const struct mw_profile *base);

#endif
