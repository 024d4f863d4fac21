/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * JSON (RFC 8259) of any size in constant memory: values one after another, or the items of one huge array, each
 * given to a callback as its text. And what reads such a text without making a tree of it: a member by
 * its path, a string decoded, numbers exactly.
 *
 * A stream belongs to one thread at a time, but for memweir_json_stream_cancel(). The readers of texts keep nothing
 * and may be called from any thread.
 */
#ifndef MEMWEIR_JSON_H
#define MEMWEIR_JSON_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_limiter;
struct memweir_json_stream;

enum memweir_json_mode {
	MEMWEIR_JSON_VALUES = 0, /* values one after another, also one a line (NDJSON): each is an item; none is fine */
	MEMWEIR_JSON_ARRAY = 1, /* one array: each of its items */
};

/* One item, for as long as its callback runs. */
struct memweir_json_item {
	size_t size; /* of this structure, by the library */
	uint64_t index; /* from 0 */
	uint64_t offset; /* of its first byte, from the beginning of the stream */
	uint64_t line, column; /* the same, from 1; columns are bytes */
	const char *text; /* from its first to its last byte, as it came; valid JSON; no NUL behind it */
	size_t length; /* bytes, at least 1 */
};

/* 0: go on. Anything else stops, and is returned by what was called; feeding what is left goes on behind this item. */
typedef int (*memweir_json_item_fn)(void *data, const struct memweir_json_item *item);

/*
 * Put at most room bytes into buffer. Returns how many, 0 at the end, or a negative errno number: it is passed on, but
 * for -EINTR, after which it is called again.
 */
typedef int64_t (*memweir_json_read_fn)(void *data, void *buffer, size_t room);

struct memweir_json_stream_options {
	size_t size; /* of this structure */
	int mode; /* enum memweir_json_mode */
	int lone_surrogates; /* not 0: \ud800 without its other half is let through, as JavaScript may write it */
	size_t max_item_bytes; /* a longer item is -EMSGSIZE: the bound of the stream's memory; 0: 1 MiB */
	uint32_t max_depth; /* objects and arrays in one another, 1 to 4,096; 0: 512 */
	uint32_t read_bytes; /* read at a time by _fd() and _read(), at least 64; 0: 64 KiB */
	struct memweir_limiter *limiter; /* each item is one operation, so that memory is looked at every 100 items
					    (its `every`), behind the callback; must outlive the stream. NULL: none */
};

/* Where a stream is, or where and why it failed. */
struct memweir_json_position {
	size_t size; /* of this structure, by the caller */
	uint64_t offset; /* of the byte that cannot stand there, or of the next one; -EMSGSIZE: of the item */
	uint64_t line, column; /* the same, from 1; columns are bytes */
	uint64_t item; /* index of the item this is in, or of the next one: so many were given to the callback */
	uint64_t memory_bytes; /* what the stream has allocated: at most max_item_bytes + read_bytes + 2 KiB */
	const char *expected; /* what could have stood there, in English ("',' or ']'"); static. NULL: no error */
};

/*
 * options may be NULL. *ret_stream is the caller's: memweir_json_stream_free(). data is given to item_fn.
 * -EINVAL: a mode, depth or read_bytes that cannot be, no item_fn; -ENOMEM.
 */
MEMWEIR_API int memweir_json_stream_new(const struct memweir_json_stream_options *options, memweir_json_item_fn item_fn,
					void *data, struct memweir_json_stream **ret_stream);

/* NULL: nothing happens. Not from inside of its callback. */
MEMWEIR_API void memweir_json_stream_free(struct memweir_json_stream *stream);

/*
 * The next n bytes of the text; parts may end anywhere. An item that lies in bytes as a whole is not copied.
 * *ret_used (may be NULL): how many of them were taken, all unless it stopped; set in every case.
 *
 * 0; what item_fn returned, or -ENOMEM of the limiter: the item was given, feed the rest to go on.
 * For good: -EBADMSG: not JSON, or no array (_position() says where and what was expected); -EMSGSIZE: an
 * item longer than max_item_bytes; -ECANCELED; -ENOMEM of the item's buffer (_position() has `expected` then).
 * -EBUSY: from inside of its own callback.
 */
MEMWEIR_API int memweir_json_stream_feed(struct memweir_json_stream *stream, const void *bytes, size_t n,
					 size_t *ret_used);

/* The text is complete: a number at its very end is an item now. Errors as _feed(); -EBADMSG: something is missing. */
MEMWEIR_API int memweir_json_stream_end(struct memweir_json_stream *stream);

/*
 * Read from fd, or with read_fn(read_data, …), feed, and at the end end. 0: all of it was read and well. Errors as
 * _feed(), and it is called again where feeding could go on; and those of reading: -EAGAIN from a non-blocking fd is
 * one of them, call again when there is more. EINTR goes on, unless the stream was cancelled.
 */
MEMWEIR_API int memweir_json_stream_fd(struct memweir_json_stream *stream, int fd);
MEMWEIR_API int memweir_json_stream_read(struct memweir_json_stream *stream, memweir_json_read_fn read_fn,
					 void *read_data);

/*
 * No further item is given, and what runs or comes returns -ECANCELED, for good: at the next item or part; a read that
 * waits is not woken. From any thread, from item_fn and from a signal handler.
 */
MEMWEIR_API void memweir_json_stream_cancel(struct memweir_json_stream *stream);

/*
 * ret_position->size says how much of it there is. From item_fn too, where only item and memory_bytes are those of the
 * moment.
 */
MEMWEIR_API int memweir_json_stream_position(const struct memweir_json_stream *stream,
					     struct memweir_json_position *ret_position);

/*
 * A value inside of a text, by JSON Pointer (RFC 6901): "" is the text itself, "/users/0/name" a member of an item of a
 * member; ~1 is a '/', ~0 a '~'. *ret_value points into text. Of a key given twice the first counts. Its
 * first byte tells what it is: { [ " t f n, or a number. Nothing is allocated; what is passed over is checked, what
 * comes behind is not. -ENOENT: there is none; -EINVAL: the pointer neither is "" nor begins with '/', or has another
 * ~; -EBADMSG: not JSON up to there.
 */
MEMWEIR_API int memweir_json_get(const char *text, size_t n, const char *pointer, const char **ret_value,
				 size_t *ret_length);

/*
 * All members of an object, or items of an array, in one pass: member_fn gets the key as its text, quotes included
 * (NULL for items), and the value. Not 0 stops, and is returned. Nothing is allocated. -EINVAL: no member_fn; -EDOM:
 * neither an object nor an array; -EBADMSG: not JSON; what came before was given.
 */
typedef int (*memweir_json_member_fn)(void *data, const char *key, size_t key_length, const char *value, size_t length);
MEMWEIR_API int memweir_json_each(const char *text, size_t n, memweir_json_member_fn member_fn, void *data);

/*
 * The characters of a string, as UTF-8: text from quote to quote, as memweir_json_get() gives it. A NUL is put behind
 * them; \u0000 can be among them. Half a surrogate pair alone becomes U+FFFD. room: n - 1 always does.
 * -EBADMSG: no string; -ENOSPC: room is too small.
 */
MEMWEIR_API int memweir_json_string(const char *text, size_t n, char *buffer, size_t room, size_t *ret_length);

/*
 * Numbers, from their text and nothing else around it. -EBADMSG: no number; -ERANGE: it does not fit; -EDOM (not for a
 * double): it has a fraction or an exponent. A double is the nearest one, whatever the locale; not exact beyond 2^53:
 * who must keep more keeps the text. (-ENOMEM: a number of more than 127 characters is copied.)
 */
MEMWEIR_API int memweir_json_int64(const char *text, size_t n, int64_t *ret_number);
MEMWEIR_API int memweir_json_uint64(const char *text, size_t n, uint64_t *ret_number);
MEMWEIR_API int memweir_json_double(const char *text, size_t n, double *ret_number);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
