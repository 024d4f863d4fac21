// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include "lib/spec_anchors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In front of each token's text. */
struct kept {
	uint32_t token;
	uint32_t len; /* of the text; an alias or a merge: the anchor's number, and no text */
};

void mw_yaml_anchors_free(struct mw_yaml_anchors *a)
{
	free(a->kept.at);
	free(a->list.at);
	mw_seen_free(&a->names);
}

struct mw_yaml_anchor *mw_yaml_anchor_at(struct mw_yaml_anchors *a, uint32_t number)
{
	return (struct mw_yaml_anchor *)a->list.at + number;
}

int64_t mw_yaml_anchor_begin(struct mw_yaml_anchors *a, const char *name)
{
	struct mw_yaml_anchor anchor = {.begin = a->kept.len, .open = true};
	uint32_t number = (uint32_t)(a->list.len / sizeof(anchor)), *at;
	bool is_new;

	if (number >= MW_SPEC_SEEN_MAX)
		return -E2BIG;
	at = mw_seen_put(&a->names, mw_seen_hash(name, strlen(name)), &is_new);
	if (!at || mw_spec_bytes_add(&a->list, (const char *)&anchor, sizeof(anchor)))
		return -ENOMEM;
	*at = number;
	a->open++;
	return number;
}

void mw_yaml_anchor_end(struct mw_yaml_anchors *a, uint32_t number)
{
	struct mw_yaml_anchor *anchor = mw_yaml_anchor_at(a, number);

	anchor->end = a->kept.len;
	anchor->open = false;
	a->open--;
}

struct mw_yaml_anchor *mw_yaml_anchor_find(struct mw_yaml_anchors *a, const char *name, uint32_t *ret_number)
{
	uint32_t *at = mw_seen_get(&a->names, mw_seen_hash(name, strlen(name)));

	if (!at)
		return NULL;
	*ret_number = *at;
	return mw_yaml_anchor_at(a, *at);
}

int mw_yaml_keep(struct mw_yaml_anchors *a, unsigned int token, const char *text, size_t len)
{
	struct kept k = {.token = token, .len = (uint32_t)len};
	int r;

	if (!a->open)
		return 0;
	if (a->kept.len + sizeof(k) + (text ? len : 0) > MW_YAML_KEPT_BYTES)
		return -E2BIG;
	r = mw_spec_bytes_add(&a->kept, (const char *)&k, sizeof(k));
	return r || !text ? r : mw_spec_bytes_add(&a->kept, text, len);
}

unsigned int mw_yaml_kept(const struct mw_yaml_anchors *a, size_t *at, const char **ret_text, size_t *ret_len)
{
	struct kept k;

	memcpy(&k, a->kept.at + *at, sizeof(k));
	*at += sizeof(k);
	*ret_text = a->kept.at + *at;
	*ret_len = k.len;
	if (k.token < MW_YAML_ALIAS)
		*at += k.len;
	return k.token;
}
