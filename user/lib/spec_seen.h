/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Names by their hash (64 bits: two different names with the same one are not expected), each with a number. */
#ifndef MW_LIB_SPEC_SEEN_H
#define MW_LIB_SPEC_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MW_SPEC_SEEN_MAX (1u << 20)

struct mw_seen_slot {
	uint64_t hash; /* 0: free */
	uint32_t number;
};

struct mw_seen {
	struct mw_seen_slot *slots;
	size_t room, n; /* room: a power of two */
};

uint64_t mw_seen_hash(const char *name, size_t len);
void mw_seen_free(struct mw_seen *s);
/* Forget all; a large table is given back. */
void mw_seen_clear(struct mw_seen *s);
/* The place of the name's number, made with *ret_new when it was not there; NULL: no memory, or more than
 * MW_SPEC_SEEN_MAX. */
uint32_t *mw_seen_put(struct mw_seen *s, uint64_t hash, bool *ret_new);
/* NULL: not there. */
uint32_t *mw_seen_get(struct mw_seen *s, uint64_t hash);

#endif
