/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * OpenAPI documents (2.0, 3.0, 3.1) without what only people read: examples go, descriptions are shortened, contact,
 * licence, links to documentation and extensions go. What carries meaning stays as it is: $ref, required,
 * enum, default, formats, security and every key that is not known here. A valid document stays valid. JSON or
 * YAML comes in, minimal JSON goes out.
 *
 * The document is read as a stream: memory does not grow with it (spec_strip: some 100 KB for JSON). A store keeps
 * documents so, compressed.
 */
#ifndef MEMWEIR_SPEC_H
#define MEMWEIR_SPEC_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MEMWEIR_SPEC_MAX_BYTES	     100000000u /* of one document as it comes in: 100 MB */
#define MEMWEIR_SPEC_MAX_TOTAL_BYTES 512000000u /* of all in a store, as they came in: 512 MB */
#define MEMWEIR_SPEC_TEXT_CHARS	     80u /* a description keeps */
#define MEMWEIR_SPEC_NAME_MAX	     255u /* bytes of a name in a store */

enum memweir_spec_format {
	MEMWEIR_SPEC_AUTO, /* JSON where the first character is { or [, else YAML */
	MEMWEIR_SPEC_JSON, /* RFC 8259 in UTF-8 */
	MEMWEIR_SPEC_YAML, /* 1.2, core schema, one document; << of 1.1; see libmemweir(3) */
};

/* What is taken away. All 0, or a NULL pointer: the defaults. */
struct memweir_spec_options {
	size_t size; /* of this structure */
	uint32_t format; /* enum memweir_spec_format */
	uint32_t keep_extensions; /* not 0: x-… keys stay, as they are */
	/*
	 * Characters (Unicode) a description or summary keeps, cut between words, with … at its end. 0: 80; at
	 * most 4,096; negative: none, "" where OpenAPI wants one (responses, OAuth scopes).
	 */
	int32_t description_chars;
	uint32_t reserved; /* 0 */
	uint64_t max_bytes; /* of the document as it comes in, and of what YAML aliases make of it; 0: 100 MB */
};

/* Where a document comes from and where it goes. Each is called by the thread that called the function. */
struct memweir_spec_io {
	size_t size; /* of this structure */
	/* Up to room bytes into buffer: how many, 0 at the end, or a negative errno that fails the whole. */
	int64_t (*read)(void *arg, void *buffer, size_t room);
	/* bytes of the result, in order, a few KB at a time: 0, or a negative errno that fails the whole. */
	int (*write)(void *arg, const void *bytes, size_t count);
	/*
	 * Begin again: read at the first byte; forget what was written. Called when a $ref points into something that
	 * was left out (an example, an extension): it is kept then. 0 or a negative errno. NULL: such a document fails
	 * with -ENOLINK.
	 */
	int (*again)(void *arg);
	void *arg;
};

struct memweir_spec_stats {
	size_t size; /* of this structure, by the caller */
	uint64_t input_bytes; /* as it came in */
	uint64_t output_bytes; /* as it went out */
	uint32_t format; /* MEMWEIR_SPEC_JSON or MEMWEIR_SPEC_YAML */
	uint32_t passes; /* 1; more where again was called */
	uint64_t examples; /* left out: example, examples */
	uint64_t texts; /* descriptions and summaries shortened or left out */
	uint64_t metadata; /* left out: contact, license, termsOfService, externalDocs, $comment */
	uint64_t extensions; /* left out: x-… */
	uint64_t references; /* $ref and operationRef, all kept */
	uint64_t kept; /* left in since a reference points there */
};

/* Filled on failure only. */
struct memweir_spec_error {
	size_t size; /* of this structure, by the caller */
	uint64_t byte; /* of the input, from 0 */
	uint64_t line; /* from 1; 0: of no place in the input */
	uint64_t column; /* from 1, in bytes (YAML: in characters) */
	char text[256]; /* one sentence: what was found and what was expected */
};

/*
 * Strip a document from io->read to io->write. options may be NULL; ret_stats and ret_error too. What was written
 * before a failure is no document. From any thread. -EBADMSG: not JSON or YAML, or of a kind JSON has no word for;
 * -ENOMSG: no OpenAPI document (an object with openapi or swagger); -EFBIG: over max_bytes; -E2BIG: nested deeper than
 * 512, a key over 64 KiB, too many anchors; -ENOLINK: see again; -EINVAL: options; -ENOMEM; what read, write and again
 * returned.
 */
MEMWEIR_API int memweir_spec_strip(const struct memweir_spec_options *options, const struct memweir_spec_io *io,
				   struct memweir_spec_stats *ret_stats, struct memweir_spec_error *ret_error);

struct memweir_spec_store;

struct memweir_spec_store_options {
	size_t size; /* of this structure */
	/* Of one document and of all, each as it comes in, before anything is taken away or compressed. */
	uint64_t max_spec_bytes; /* 0: 100 MB */
	uint64_t max_total_bytes; /* 0: 512 MB */
	int32_t level; /* of zstd, 1 to 19; 0: 3 */
	uint32_t reserved; /* 0 */
};

struct memweir_spec_store_stats {
	size_t size; /* of this structure, by the caller */
	uint64_t specs;
	uint64_t input_bytes; /* as they came in: what max_total_bytes is of */
	uint64_t stripped_bytes; /* as memweir_spec_store_get() gives them */
	uint64_t stored_bytes; /* compressed: memory they take */
};

/* One document of a store. name is valid during the call it is given to. */
struct memweir_spec_entry {
	size_t size; /* of this structure, as the library has it */
	const char *name;
	uint64_t input_bytes, stripped_bytes, stored_bytes;
};

/* options may be NULL. *ret_store is the caller's: memweir_spec_store_free(). -EINVAL: a level; -ENOMEM. */
MEMWEIR_API int memweir_spec_store_new(const struct memweir_spec_store_options *options,
				       struct memweir_spec_store **ret_store);

/* Frees every document. No other call may be under way. NULL: nothing happens. */
MEMWEIR_API void memweir_spec_store_free(struct memweir_spec_store *store);

/*
 * Strip a document and keep it under name (1 to 255 bytes); the one of that name before is replaced once it is read to
 * its end, and stays on any failure. options->max_bytes counts where it is lower than the store's. io->write is not
 * used; io->again has only to begin reading again. Errors as memweir_spec_strip(), and -ENOSPC: the store's total;
 * while a document is read its bytes count in it, and the one it replaces counts until then. From any thread.
 */
MEMWEIR_API int memweir_spec_store_put(struct memweir_spec_store *store, const char *name,
				       const struct memweir_spec_options *options, const struct memweir_spec_io *io,
				       struct memweir_spec_stats *ret_stats, struct memweir_spec_error *ret_error);

/*
 * The stripped document, minimal JSON, to write, some KB at a time. -ENOENT; -ENOMEM; what write returned. One that is
 * removed or replaced meanwhile is given to its end. From any thread.
 */
MEMWEIR_API int memweir_spec_store_get(struct memweir_spec_store *store, const char *name,
				       int (*write)(void *arg, const void *bytes, size_t count), void *arg);

/* -ENOENT. From any thread. */
MEMWEIR_API int memweir_spec_store_remove(struct memweir_spec_store *store, const char *name);

/*
 * Each document, in no order; visit returns 0 to go on, and what else it returns ends it and is returned. visit must
 * not call functions of this store. From any thread.
 */
MEMWEIR_API int memweir_spec_store_iterate(struct memweir_spec_store *store,
					   int (*visit)(void *arg, const struct memweir_spec_entry *entry), void *arg);

/* From any thread. -EINVAL: ret_stats->size. */
MEMWEIR_API int memweir_spec_store_stats(struct memweir_spec_store *store, struct memweir_spec_store_stats *ret_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
