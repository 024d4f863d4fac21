/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* A scalar of YAML 1.2 (core schema) as JSON has it. */
#ifndef MW_LIB_SPEC_SCALAR_H
#define MW_LIB_SPEC_SCALAR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/json_scan.h"

/* What a scalar is in JSON. text: of a string its characters, else JSON's own, perhaps in room. */
struct mw_yaml_value {
	enum mw_json_token token; /* STRING, NUMBER, TRUE, FALSE or NULL */
	const char *text;
	size_t len;
	char room[512]; /* of a number that is written anew */
};

/*
 * plain: without quotes. tag: as written out by the parser, or NULL. *ret_why: what is wrong. -EBADMSG: JSON has no
 * word for it (.inf, .nan, binary, tags of one's own), or it is not what its tag says.
 */
int mw_yaml_scalar(const char *text, size_t len, bool plain, const char *tag, struct mw_yaml_value *ret,
		   const char **ret_why);

#endif
