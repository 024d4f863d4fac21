/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Where in an OpenAPI document one is, and what that means for a key there: a table of places and keys, of 2.0, 3.0,
 * 3.1 and 3.2 in one. What it does not know is data and stays as it is.
 */
#ifndef MW_LIB_SPEC_RULES_H
#define MW_LIB_SPEC_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t mw_spec_place;

enum {
	/* Values without keys of ours. */
	MW_SPEC_DATA, /* kept to the last byte, and all in it */
	MW_SPEC_REFERENCE, /* a URI reference, perhaps into this document */
	MW_SPEC_TEXT, /* for people, may be missing */
	MW_SPEC_NEEDED_TEXT, /* for people, must be there */
	MW_SPEC_EXAMPLE, /* from here to MW_SPEC_EXTENSION: left out */
	MW_SPEC_METADATA,
	MW_SPEC_EXTENSION,
	/* Objects, or arrays of them. */
	MW_SPEC_ROOT,
	MW_SPEC_INFO,
	MW_SPEC_TAG,
	MW_SPEC_SERVER,
	MW_SPEC_SERVER_VARIABLE,
	MW_SPEC_PATH_ITEM,
	MW_SPEC_OPERATION,
	MW_SPEC_PARAMETER, /* and Header */
	MW_SPEC_REQUEST_BODY,
	MW_SPEC_MEDIA_TYPE,
	MW_SPEC_ENCODING,
	MW_SPEC_RESPONSE,
	MW_SPEC_LINK,
	MW_SPEC_COMPONENTS,
	MW_SPEC_SECURITY_SCHEME,
	MW_SPEC_FLOW,
	MW_SPEC_SCHEMA,
	MW_SPEC_PLACE_MAX,
	/* With a place: an object whose keys are names of such places. */
	MW_SPEC_MAP = 0x80,
	MW_SPEC_MAP_EXTENSIBLE = 0xc0, /* and where x-… is no name */
	MW_SPEC_MAP_BITS = 0xc0,
};

/* Where the value of this key (decoded) is, in an object at place. */
mw_spec_place mw_spec_at_key(mw_spec_place place, const char *key, size_t len);

/* Where the elements of an array at place are. */
mw_spec_place mw_spec_at_element(mw_spec_place place);

static inline bool mw_spec_left_out(mw_spec_place place, bool keep_extensions)
{
	return place >= MW_SPEC_EXAMPLE && place <= MW_SPEC_EXTENSION &&
	       !(place == MW_SPEC_EXTENSION && keep_extensions);
}

#endif
