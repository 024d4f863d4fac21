/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* What a JSON object says under three names, and nothing of the rest. */
#ifndef CONNECTIONS_MEMBER_H
#define CONNECTIONS_MEMBER_H

#include <stddef.h>

struct member {
	const char *name;
	const char *text; /* the value as it stands there; NULL: not there */
	size_t bytes;
};

/*
 * Finds the members of an object (the last of each name counts), from the line itself, without copies. 0; -EINVAL: not
 * one JSON object; -E2BIG: nested deeper than 64.
 */
int members_find(const char *text, size_t bytes, struct member *members, size_t count);

#endif
