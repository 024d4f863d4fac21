/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What YAML anchors name, kept for their aliases: tokens of the nodes, within a bound. */
#ifndef MW_LIB_SPEC_ANCHORS_H
#define MW_LIB_SPEC_ANCHORS_H

#include "lib/json_scan.h"
#include "lib/spec_seen.h"
#include "lib/spec_strip.h"

#define MW_YAML_KEPT_BYTES (16u << 20) /* all anchored nodes of a document */
#define MW_YAML_ALIAS	   MW_JSON_TOKEN_MAX /* in place of a token: another anchor, len is its number */
#define MW_YAML_MERGED	   (MW_JSON_TOKEN_MAX + 1) /* the same: its keys are merged here */
#define MW_YAML_NO_ANCHOR  UINT32_MAX

struct mw_yaml_anchor {
	size_t begin, end; /* in kept; an anchor within another is a part of it */
	bool open; /* its node is being read */
};

struct mw_yaml_anchors {
	struct mw_spec_bytes kept, list; /* tokens; struct mw_yaml_anchor */
	struct mw_seen names; /* the last anchor of a name */
	uint32_t open; /* how many: while any is, tokens are kept */
};

void mw_yaml_anchors_free(struct mw_yaml_anchors *a);

/* A node with this name begins: its number, or -ENOMEM, -E2BIG. */
int64_t mw_yaml_anchor_begin(struct mw_yaml_anchors *a, const char *name);
void mw_yaml_anchor_end(struct mw_yaml_anchors *a, uint32_t number);
/* The anchor an alias means, or NULL. */
struct mw_yaml_anchor *mw_yaml_anchor_find(struct mw_yaml_anchors *a, const char *name, uint32_t *ret_number);
struct mw_yaml_anchor *mw_yaml_anchor_at(struct mw_yaml_anchors *a, uint32_t number);

/* Keep a token if any anchor is open. 0, -ENOMEM, -E2BIG. */
int mw_yaml_keep(struct mw_yaml_anchors *a, unsigned int token, const char *text, size_t len);
/* The token at *at, which moves on; *ret_text is valid until the next is kept. */
unsigned int mw_yaml_kept(const struct mw_yaml_anchors *a, size_t *at, const char **ret_text, size_t *ret_len);

#endif
