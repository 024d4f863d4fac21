/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * The filter between a reader of JSON or YAML and the output: it is told each token, knows where in an OpenAPI
 * document it stands (spec_rules.h), and writes what stays.
 */
#ifndef MW_LIB_SPEC_STRIP_H
#define MW_LIB_SPEC_STRIP_H

#include <memweir/spec.h>
#include <stdbool.h>

#include "lib/json_scan.h"
#include "lib/spec_keep.h"
#include "lib/spec_out.h"
#include "lib/spec_rules.h"
#include "lib/spec_text.h"

#define MW_SPEC_DEPTH	  MW_JSON_DEPTH_DEFAULT
#define MW_SPEC_KEY_BYTES 65536 /* as it stands in the document, with its quotes */

struct mw_spec_frame {
	mw_spec_place place;
	bool is_array, any; /* something is written in it */
	size_t path_len;
	uint64_t index; /* of an array: elements seen */
};

/* A buffer that grows. */
struct mw_spec_bytes {
	char *at;
	size_t len, room;
};

struct mw_strip {
	struct mw_spec_out out;
	struct memweir_spec_stats stats;
	struct memweir_spec_error error; /* text: why it failed, when the filter itself did */
	struct mw_spec_keep keep; /* what earlier passes found */
	struct mw_short_text text;
	bool keep_extensions;
	bool is_openapi; /* openapi or swagger was seen */
	bool must_again; /* something to keep was found that may be gone already */
	bool tracks_path; /* since there is something to keep */

	struct mw_spec_frame frames[MW_SPEC_DEPTH];
	size_t depth;
	size_t skipped; /* depth within what is left out; 0: not in it */
	enum { MW_STRIP_WRITE, MW_STRIP_SKIP, MW_STRIP_SHORTEN, MW_STRIP_REFERENCE } mode; /* of a value in parts */
	struct mw_spec_bytes key, decoded, path, reference;
	mw_spec_place key_place;
};

/* -ENOMEM; -EINVAL: options. s is large: not for the stack. */
int mw_strip_init(struct mw_strip *s, const struct memweir_spec_options *options,
		  int (*write)(void *arg, const void *bytes, size_t count), void *arg);
void mw_strip_free(struct mw_strip *s);
/* For another pass: what is to be kept stays. */
void mw_strip_restart(struct mw_strip *s);

/* Each token or part of one, in order; they make up one well-formed text. Errors as memweir_spec_strip(). */
int mw_strip_event(struct mw_strip *s, const struct mw_json_event *e);
/* The document is at its end: -ENOMSG; else 0 or what write returned. */
int mw_strip_end(struct mw_strip *s);

/* A failure of ours with its sentence; where is told by who reads. */
int mw_spec_fail(struct memweir_spec_error *error, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* -ENOMEM. */
int mw_spec_bytes_add(struct mw_spec_bytes *b, const char *bytes, size_t count);

#endif
