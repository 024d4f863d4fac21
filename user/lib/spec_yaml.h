/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Between libyaml's events and the filter: tokens of JSON, keys told from values, anchors written out. */
#ifndef MW_LIB_SPEC_YAML_H
#define MW_LIB_SPEC_YAML_H

#include <yaml.h>

#include "lib/spec_anchors.h"
#include "lib/spec_input.h"

struct mw_yaml_level {
	bool is_map, key_next;
	enum { MW_YAML_NO_MERGE, MW_YAML_MERGE, MW_YAML_MERGE_LIST } merge; /* after <<: an alias, or a list of them */
	uint32_t anchor; /* of the collection, or MW_YAML_NO_ANCHOR */
	struct mw_seen keys; /* of a mapping */
	struct mw_spec_bytes merges; /* numbers of the anchors its << names, in order */
};

struct mw_yaml {
	yaml_parser_t parser;
	yaml_event_t event;
	struct mw_spec_input *input;
	struct mw_strip *strip;
	struct mw_yaml_anchors anchors;
	uint64_t expanded; /* bytes aliases have made, roughly as JSON */
	int read_rc;
	int documents;
	unsigned int merging; /* how many << in one another */
	size_t depth;
	struct mw_yaml_level levels[MW_SPEC_DEPTH];
};

static inline struct mw_yaml_level *mw_yaml_top(struct mw_yaml *y)
{
	return &y->levels[y->depth - 1];
}

static inline bool mw_yaml_key_is_next(struct mw_yaml *y)
{
	return y->depth && mw_yaml_top(y)->is_map && mw_yaml_top(y)->key_next;
}

int mw_yaml_fail(struct mw_yaml *y, int code, const char *what);

/* One token to the filter, a key where one is next. anchor: of a collection that begins, or MW_YAML_NO_ANCHOR. */
int mw_yaml_tell(struct mw_yaml *y, unsigned int token, const char *text, size_t len, uint32_t anchor);
/* What an anchor stands for, once more. */
int mw_yaml_expand(struct mw_yaml *y, uint32_t number);
/* Its keys into the mapping that is being told, but for those that are there. */
int mw_yaml_merge(struct mw_yaml *y, uint32_t number);

#endif
