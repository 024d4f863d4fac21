// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <memweir/json.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/json_scan.h"
#include "lib/operation.h"
#include "lib/sized.h"
#include "util/cleanup.h"

#define ITEM_BYTES_DEFAULT (1UL << 20)
#define READ_BYTES_DEFAULT (1U << 16)
#define READ_BYTES_MIN	   64
#define BUFFER_BYTES_MIN   4096

struct memweir_json_stream {
	struct memweir_json_stream_options options;
	memweir_json_item_fn item_fn;
	void *data;
	struct mw_json_scan scan;
	atomic_int cancelled;
	int busy; /* inside of a call */
	int failed; /* for good: what it is */
	struct mw_json_error error; /* of failed, where the scanner has none */

	struct memweir_json_item item; /* being read, or the next one: index */
	int open; /* it has begun */
	char *buffer; /* its bytes from earlier feeds */
	size_t held, room;

	const char *bytes; /* the feed */
	uint64_t bytes_at; /* offset of its first byte */

	char *chunk; /* what was read */
	size_t chunk_at, chunk_n; /* and not yet fed */
};

_Static_assert(sizeof(struct memweir_json_stream) <= 2048, "the header promises it");

static int stream_fail(struct memweir_json_stream *stream, int r, const char *expected, uint64_t offset, uint64_t line,
		       uint64_t column)
{
	stream->failed = r;
	stream->error = (struct mw_json_error){.offset = offset, .line = line, .column = column, .expected = expected};
	return r;
}

static int too_long(struct memweir_json_stream *stream)
{
	return stream_fail(stream, -EMSGSIZE, "an item of at most max_item_bytes", stream->item.offset,
			   stream->item.line, stream->item.column);
}

/* Keep the part of the item that ends at `end` in this feed. */
static int hold(struct memweir_json_stream *stream, uint64_t end)
{
	uint64_t from = stream->held ? stream->bytes_at : stream->item.offset;
	size_t n = (size_t)(end - from), max = stream->options.max_item_bytes, room = stream->room;
	char *grown;

	if (n > max || stream->held > max - n)
		return too_long(stream);
	while (room < stream->held + n)
		room = room ? room * 2 : BUFFER_BYTES_MIN;
	if (room != stream->room) {
		room = room < max ? room : max;
		grown = realloc(stream->buffer, room);
		if (!grown)
			return stream_fail(stream, -ENOMEM, "memory for an item", stream->item.offset,
					   stream->item.line, stream->item.column);
		stream->buffer = grown;
		stream->room = room;
	}
	memcpy(stream->buffer + stream->held, stream->bytes + (from - stream->bytes_at), n);
	stream->held += n;
	return 0;
}

static int give_item(struct memweir_json_stream *stream, uint64_t end)
{
	struct memweir_json_item *item = &stream->item;
	int r;

	if (atomic_load_explicit(&stream->cancelled, memory_order_relaxed))
		return -ECANCELED;
	if (stream->held) {
		r = end > stream->bytes_at ? hold(stream, end) : 0;
		if (r < 0)
			return r;
		item->text = stream->buffer;
	} else if (end - item->offset > stream->options.max_item_bytes) {
		return too_long(stream);
	} else {
		item->text = stream->bytes + (item->offset - stream->bytes_at);
	}
	item->length = (size_t)(end - item->offset);
	r = stream->item_fn(stream->data, item);
	stream->open = 0;
	stream->held = 0;
	item->index++;
	return r ? r : mw_operation(stream->options.limiter);
}

static int on_event(void *data, const struct mw_json_event *event)
{
	struct memweir_json_stream *stream = data;
	int ends = event->token == MW_JSON_OBJECT_END || event->token == MW_JSON_ARRAY_END;
	int begins = event->token == MW_JSON_OBJECT_BEGIN || event->token == MW_JSON_ARRAY_BEGIN;

	if (event->depth < stream->scan.event_depth) { /* around the array */
		if (event->token == MW_JSON_ARRAY_BEGIN || event->token == MW_JSON_ARRAY_END)
			return 0;
		return stream_fail(stream, -EBADMSG, "'['", event->offset, event->line, event->column);
	}
	if (event->flags & MW_JSON_FIRST && !ends) {
		stream->item.offset = event->offset;
		stream->item.line = event->line;
		stream->item.column = event->column;
		stream->open = 1;
	}
	return event->flags & MW_JSON_LAST && !begins ? give_item(stream, event->offset + event->length) : 0;
}

static int check_options(struct memweir_json_stream_options *options)
{
	if (options->mode != MEMWEIR_JSON_VALUES && options->mode != MEMWEIR_JSON_ARRAY)
		return -EINVAL;
	if (options->max_depth > MW_JSON_DEPTH_MAX)
		return -EINVAL;
	options->max_item_bytes = options->max_item_bytes ? options->max_item_bytes : ITEM_BYTES_DEFAULT;
	options->read_bytes = options->read_bytes ? options->read_bytes : READ_BYTES_DEFAULT;
	return options->read_bytes < READ_BYTES_MIN ? -EINVAL : 0;
}

int memweir_json_stream_new(const struct memweir_json_stream_options *options, memweir_json_item_fn item_fn, void *data,
			    struct memweir_json_stream **ret_stream)
{
	struct memweir_json_stream *stream;
	struct memweir_json_stream_options ours;
	unsigned int flags = 0;
	int r;

	r = mw_sized_in(&ours, sizeof(ours), options);
	if (r < 0)
		return r;
	r = item_fn && ret_stream ? check_options(&ours) : -EINVAL;
	if (r < 0)
		return r;
	stream = calloc(1, sizeof(*stream));
	if (!stream)
		return -ENOMEM;
	stream->options = ours;
	stream->item_fn = item_fn;
	stream->data = data;
	stream->item.size = sizeof(stream->item);
	flags |= ours.mode == MEMWEIR_JSON_VALUES ? MW_JSON_MANY : 0;
	flags |= ours.lone_surrogates ? MW_JSON_LONE_SURROGATES : 0;
	mw_json_scan_init(&stream->scan, flags, ours.max_depth, on_event, stream);
	stream->scan.event_depth = ours.mode == MEMWEIR_JSON_ARRAY ? 1 : 0;
	*ret_stream = stream;
	return 0;
}

void memweir_json_stream_free(struct memweir_json_stream *stream)
{
	if (!stream)
		return;
	free(stream->buffer);
	free(stream->chunk);
	free(stream);
}

/* What may not go on: 0 or why. */
static int stream_state(struct memweir_json_stream *stream)
{
	if (stream->busy)
		return -EBUSY;
	if (stream->failed)
		return stream->failed;
	return atomic_load_explicit(&stream->cancelled, memory_order_relaxed) ? -ECANCELED : 0;
}

static int feed(struct memweir_json_stream *stream, const void *bytes, size_t n, size_t *ret_used)
{
	int r = stream_state(stream);

	*ret_used = 0;
	if (r < 0 || !n)
		return r;
	stream->bytes = bytes;
	stream->bytes_at = stream->scan.offset;
	stream->busy = 1;
	r = mw_json_scan_feed(&stream->scan, bytes, n);
	*ret_used = (size_t)(stream->scan.offset - stream->bytes_at);
	if (!r && stream->open)
		r = hold(stream, stream->scan.offset);
	stream->busy = 0;
	if (stream->scan.error.code)
		stream->failed = -EBADMSG;
	return r;
}

int memweir_json_stream_feed(struct memweir_json_stream *stream, const void *bytes, size_t n, size_t *ret_used)
{
	size_t used;
	int r = feed(stream, bytes, n, &used);

	if (ret_used)
		*ret_used = used;
	return r;
}

int memweir_json_stream_end(struct memweir_json_stream *stream)
{
	int r = stream_state(stream);

	if (r < 0)
		return r;
	stream->bytes_at = stream->scan.offset;
	stream->busy = 1;
	r = mw_json_scan_end(&stream->scan);
	stream->busy = 0;
	if (stream->scan.error.code)
		stream->failed = -EBADMSG;
	return r;
}

static int64_t read_fd(void *data, void *buffer, size_t room)
{
	ssize_t n = read(*(const int *)data, buffer, room);

	return n < 0 ? -errno : n;
}

int memweir_json_stream_fd(struct memweir_json_stream *stream, int fd)
{
	return memweir_json_stream_read(stream, read_fd, &fd);
}

int memweir_json_stream_read(struct memweir_json_stream *stream, memweir_json_read_fn read_fn, void *read_data)
{
	int r = stream_state(stream);
	int64_t n;
	size_t used;

	if (r < 0)
		return r;
	if (!stream->chunk)
		stream->chunk = malloc(stream->options.read_bytes);
	if (!stream->chunk)
		return -ENOMEM;
	for (;;) {
		r = feed(stream, stream->chunk + stream->chunk_at, stream->chunk_n - stream->chunk_at, &used);
		stream->chunk_at += used;
		if (r)
			return r;
		stream->chunk_at = stream->chunk_n = 0;
		n = read_fn(read_data, stream->chunk, stream->options.read_bytes);
		if (n == -EINTR) /* by a signal whose handler may have cancelled */
			continue;
		if (n < 0)
			return n < INT32_MIN ? -EIO : (int)n;
		if (n > stream->options.read_bytes)
			return -EIO;
		stream->chunk_n = (size_t)n;
		if (!n)
			return memweir_json_stream_end(stream);
	}
}

void memweir_json_stream_cancel(struct memweir_json_stream *stream)
{
	atomic_store_explicit(&stream->cancelled, 1, memory_order_relaxed);
}

int memweir_json_stream_position(const struct memweir_json_stream *stream, struct memweir_json_position *ret_position)
{
	const struct mw_json_scan *scan = &stream->scan;
	const struct mw_json_error *error = scan->error.code ? &scan->error : &stream->error;
	struct memweir_json_position position = {
		.size = sizeof(position),
		.offset = scan->offset,
		.line = scan->line,
		.column = scan->offset - scan->line_at + 1,
		.item = stream->item.index,
		.memory_bytes = sizeof(*stream) + stream->room + (stream->chunk ? stream->options.read_bytes : 0),
		.expected = error->expected,
	};

	if (error->expected) {
		position.offset = error->offset;
		position.line = error->line;
		position.column = error->column;
	}
	return mw_sized_out(ret_position, &position, sizeof(position));
}
