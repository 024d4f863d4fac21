/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "core/tight.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/config_impl.h"
#include "util/cleanup.h"
#include "util/size.h"

static const struct {
	const char *key;
	enum mw_tight_bit bit;
} rows[] = {
	{"max_heap", MW_TIGHT_MAX_HEAP}, {"max_bin_heap", MW_TIGHT_MAX_BIN_HEAP},     {"swap_max", MW_TIGHT_SWAP_MAX},
	{"low", MW_TIGHT_LOW},		 {"hibernate_threshold", MW_TIGHT_THRESHOLD}, {"policy", MW_TIGHT_POLICY},
};

static unsigned int bit_of(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].key, key) == 0)
			return rows[i].bit;
	}
	return 0;
}

/* The figure of a size's key, with what follows from others worked out. */
static __u64 size_of(const struct mw_profile *p, unsigned int bit)
{
	const struct mw_limits l = mw_profile_limits(p);

	switch (bit) {
	case MW_TIGHT_MAX_HEAP:
		return p->max_heap;
	case MW_TIGHT_MAX_BIN_HEAP:
		return p->max_bin_heap;
	case MW_TIGHT_SWAP_MAX:
		return l.swap_max;
	default:
		return l.low;
	}
}

static bool looser(const struct mw_profile *p, const struct mw_profile *base, unsigned int bit)
{
	if (bit == MW_TIGHT_THRESHOLD)
		return p->hibernate_threshold > base->hibernate_threshold;
	if (bit == MW_TIGHT_POLICY)
		return p->policy < base->policy;
	return size_of(p, bit) > size_of(base, bit);
}

const char *mw_tight_exceeds(const struct mw_profile *p, const struct mw_profile *base)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (looser(p, base, rows[i].bit))
			return rows[i].key;
	}
	return NULL;
}

static void keep(struct mw_tight *t, const struct mw_profile *p, unsigned int bit)
{
	t->set |= bit;
	switch (bit) {
	case MW_TIGHT_MAX_HEAP:
		t->max_heap = p->max_heap;
		break;
	case MW_TIGHT_MAX_BIN_HEAP:
		t->max_bin_heap = p->max_bin_heap;
		break;
	case MW_TIGHT_SWAP_MAX:
		t->swap_max = p->swap_max;
		break;
	case MW_TIGHT_LOW:
		t->low = p->low;
		break;
	case MW_TIGHT_THRESHOLD:
		t->hibernate_threshold = p->hibernate_threshold;
		break;
	default:
		t->policy = p->policy;
	}
}

static int above(struct mw_error *err, const struct mw_key *key, const char *value, const struct mw_profile *base,
		 unsigned int bit)
{
	char bound[64];
	__u64 size;

	if (bit == MW_TIGHT_THRESHOLD || bit == MW_TIGHT_POLICY) {
		mw_key_print(key, base, bound, sizeof(bound));
	} else {
		size = size_of(base, bit);
		mw_size_exact(size, bound, sizeof(bound));
	}
	return mw_fail(err, -EPERM, "%s = %.40s is looser than %s, what the worker has: it may only be tightened",
		       key->name, value, bound);
}

static int take(struct mw_tight *t, const struct mw_profile *base, const struct mw_kv *kv, struct mw_error *err)
{
	const struct mw_key *key = mw_key_find(MW_SECTION_WORKER, kv->key);
	unsigned int bit = bit_of(kv->key);
	struct mw_profile p = *base;
	char expected[200];

	if (!key || !bit)
		return mw_fail(err, -EPERM,
			       "%.40s is not among what tightens a worker: expected max_heap, max_bin_heap, swap_max, "
			       "low, hibernate_threshold or policy",
			       kv->key);
	if (mw_is_default(key, kv->value)) {
		t->set &= ~bit;
		return 0;
	}
	if (mw_key_parse(key, kv->value, &p) < 0 ||
	    (key->type == MW_KEY_SIZE && *(__u64 *)((char *)&p + key->offset) == MW_AUTO))
		return mw_fail(err, -EINVAL, "%s: found \"%.40s\", expected %s", key->name, kv->value,
			       mw_key_expected(key, expected, sizeof(expected)));
	if (looser(&p, base, bit))
		return above(err, key, kv->value, base, bit);
	keep(t, &p, bit);
	return 0;
}

int mw_tight_take(struct mw_tight *t, const struct mw_profile *base, const struct mw_kv *kv, size_t n,
		  struct mw_error *err)
{
	struct mw_tight next = *t;
	int r = 0;

	if (base->share && n)
		return mw_fail(err, -EPERM,
			       "the worker's class shares its limits among its workers: one alone has none");
	for (size_t i = 0; i < n && r >= 0; i++)
		r = take(&next, base, &kv[i], err);
	if (r < 0)
		return r;
	*t = next;
	return 0;
}

static void at_most(__u64 *value, __u64 most)
{
	if (*value > most)
		*value = most;
}

void mw_tight_apply(const struct mw_tight *t, struct mw_profile *p)
{
	struct mw_limits l;

	if (!t->set || p->share)
		return;
	if ((t->set & MW_TIGHT_SWAP_MAX) && t->swap_max < mw_profile_limits(p).swap_max)
		p->swap_max = t->swap_max;
	if ((t->set & MW_TIGHT_LOW) && t->low < mw_profile_limits(p).low)
		p->low = t->low;
	if (t->set & MW_TIGHT_MAX_HEAP)
		at_most(&p->max_heap, t->max_heap);
	if (p->bin_follows)
		p->max_bin_heap = mw_profile_bin_auto(p->max_heap);
	if (t->set & MW_TIGHT_MAX_BIN_HEAP) {
		p->bin_follows &= p->max_bin_heap <= t->max_bin_heap;
		at_most(&p->max_bin_heap, t->max_bin_heap);
	}
	if (p->max_bin_heap != MW_UNLIMITED)
		at_most(&p->max_bin_heap, p->max_heap);
	if ((t->set & MW_TIGHT_THRESHOLD) && t->hibernate_threshold < p->hibernate_threshold)
		p->hibernate_threshold = t->hibernate_threshold;
	if ((t->set & MW_TIGHT_POLICY) && t->policy > p->policy)
		p->policy = t->policy;
	l = mw_profile_limits(p);
	if (l.low > l.high)
		p->low = l.high;
}

void mw_tight_drop(struct mw_tight *t, const char *key)
{
	t->set &= ~bit_of(key);
}
