// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Items come out the same wherever the parts end; memory is bounded; what stops can go on. */
#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memweir/json.h>
#include <memweir/limiter.h>

struct memweir_limiter {
	int calls, refuse_from; /* refuse this call and the later ones; 0: never */
};

/* Stands in for the real one: streams call it once an item. */
int memweir_limiter_check(struct memweir_limiter *limiter)
{
	limiter->calls++;
	return limiter->refuse_from && limiter->calls >= limiter->refuse_from ? -ENOMEM : 0;
}

struct sink {
	char text[8192]; /* "index@offset:line:column item|" */
	size_t n;
	uint64_t items;
	uint64_t stop_at; /* return 5 at this item, from 1 */
	struct memweir_json_stream *stream;
	uint64_t cancel_at;
};

static int take(void *data, const struct memweir_json_item *item)
{
	struct sink *sink = data;

	assert_int_equal(item->size, sizeof(*item));
	assert_int_equal(item->index, sink->items);
	sink->n += (size_t)snprintf(sink->text + sink->n, sizeof(sink->text) - sink->n, "%lu@%lu:%lu:%lu %.*s|",
				    (unsigned long)item->index, (unsigned long)item->offset, (unsigned long)item->line,
				    (unsigned long)item->column, (int)item->length, item->text);
	sink->items++;
	if (sink->items == sink->cancel_at)
		memweir_json_stream_cancel(sink->stream);
	return sink->items == sink->stop_at ? 5 : 0;
}

static struct memweir_json_stream *make(struct sink *sink, int mode, size_t max)
{
	struct memweir_json_stream_options options = MEMWEIR_INIT(struct memweir_json_stream_options);
	struct memweir_json_stream *stream;

	options.mode = mode;
	options.max_item_bytes = max;
	options.read_bytes = 64;
	memset(sink, 0, sizeof(*sink));
	assert_int_equal(memweir_json_stream_new(&options, take, sink, &stream), 0);
	sink->stream = stream;
	return stream;
}

static struct memweir_json_position position(const struct memweir_json_stream *stream)
{
	struct memweir_json_position at = MEMWEIR_INIT(struct memweir_json_position);

	assert_int_equal(memweir_json_stream_position(stream, &at), 0);
	return at;
}

/* In parts [0, a), [a, a + step)…; errors are appended. */
static int run(struct sink *sink, int mode, size_t max, const char *text, size_t a, size_t step)
{
	struct memweir_json_stream *stream = make(sink, mode, max);
	struct memweir_json_position at;
	size_t n = strlen(text), used = 0;
	int r = 0;

	for (size_t i = 0; !r && i < n; i += used) {
		size_t part = i < a ? a - i : step;
		char *copy;

		part = part < n - i ? part : n - i;
		copy = malloc(part);
		memcpy(copy, text + i, part);
		r = memweir_json_stream_feed(stream, copy, part, &used);
		free(copy);
		assert_true(r || used == part);
	}
	if (!r)
		r = memweir_json_stream_end(stream);
	at = position(stream);
	assert_true(at.memory_bytes <= max + 2048);
	assert_int_equal(at.item, sink->items);
	if (r < 0) {
		assert_non_null(at.expected);
		snprintf(sink->text + sink->n, sizeof(sink->text) - sink->n, "%d %lu:%lu:%lu %s", r,
			 (unsigned long)at.offset, (unsigned long)at.line, (unsigned long)at.column, at.expected);
		assert_int_equal(memweir_json_stream_feed(stream, " ", 1, &used), r);
		assert_int_equal(used, 0);
		assert_int_equal(memweir_json_stream_end(stream), r);
	} else {
		assert_null(at.expected);
	}
	memweir_json_stream_free(stream);
	return r;
}

static struct sink whole, parts;

static void everywhere(int mode, size_t max, const char *text, const char *want)
{
	size_t n = strlen(text);

	run(&whole, mode, max, text, n, n);
	assert_string_equal(whole.text, want);
	for (size_t a = 0; a <= n; a++) {
		run(&parts, mode, max, text, a, n ? n : 1);
		assert_string_equal(parts.text, want);
	}
	for (size_t step = 1; step < 8; step++) {
		run(&parts, mode, max, text, 0, step);
		assert_string_equal(parts.text, want);
	}
}

static void values(void **state)
{
	(void)state;
	everywhere(MEMWEIR_JSON_VALUES, 100, "{\"a\":1}\n{\"a\":[2,{}]} 3 \"x\" [] true\n4.5e1",
		   "0@0:1:1 {\"a\":1}|1@8:2:1 {\"a\":[2,{}]}|2@21:2:14 3|3@23:2:16 \"x\"|4@27:2:20 []|5@30:2:23 "
		   "true|6@35:3:1 4.5e1|");
	everywhere(MEMWEIR_JSON_VALUES, 100, " \n ", "");
	everywhere(MEMWEIR_JSON_VALUES, 100, "{}\n{\"a\" 1}\n", "0@0:1:1 {}|-74 8:2:6 ':'");
	everywhere(MEMWEIR_JSON_VALUES, 100, "1 [", "0@0:1:1 1|-74 3:1:4 a value or ']'");
}

static void array(void **state)
{
	(void)state;
	everywhere(MEMWEIR_JSON_ARRAY, 100, "[ {\"a\": 1},\n12345678901234567890123 ,[[1],[]],\"\\u00e9\",null ]\n",
		   "0@2:1:3 {\"a\": 1}|1@12:2:1 12345678901234567890123|2@37:2:26 [[1],[]]|3@46:2:35 "
		   "\"\\u00e9\"|4@55:2:44 null|");
	everywhere(MEMWEIR_JSON_ARRAY, 100, "[]", "");
	everywhere(MEMWEIR_JSON_ARRAY, 100, "[1,2", "0@1:1:2 1|-74 4:1:5 ',' or ']'");
	everywhere(MEMWEIR_JSON_ARRAY, 100, "[1] 2", "0@1:1:2 1|-74 4:1:5 the end");
	everywhere(MEMWEIR_JSON_ARRAY, 100, "[1,\n x]", "0@1:1:2 1|-74 5:2:2 a value");
	everywhere(MEMWEIR_JSON_ARRAY, 100, " {\"a\":1}", "-74 1:1:2 '['");
	everywhere(MEMWEIR_JSON_ARRAY, 100, "\"a\"", "-74 0:1:1 '['");
	everywhere(MEMWEIR_JSON_ARRAY, 100, "", "-74 0:1:1 a value");
}

static void longest_item(void **state)
{
	(void)state;
	everywhere(MEMWEIR_JSON_VALUES, 5, "\"abc\" 12345 [1,2]\n", "0@0:1:1 \"abc\"|1@6:1:7 12345|2@12:1:13 [1,2]|");
	everywhere(MEMWEIR_JSON_VALUES, 5, "1 \"abcd\" 2", "0@0:1:1 1|-90 2:1:3 an item of at most max_item_bytes");
	everywhere(MEMWEIR_JSON_ARRAY, 5, "[1,\n[1,22],3]", "0@1:1:2 1|-90 4:2:1 an item of at most max_item_bytes");
	everywhere(MEMWEIR_JSON_ARRAY, 5, "[123456]", "-90 1:1:2 an item of at most max_item_bytes");
}

static void stopped_by_its_callback(void **state)
{
	static const char text[] = "[1,{\"b\":2},[3],\"four\" ,5]";
	const size_t n = sizeof(text) - 1;
	struct memweir_json_stream *stream;
	size_t used, at;

	(void)state;
	run(&whole, MEMWEIR_JSON_ARRAY, 100, text, n, n);
	for (size_t step = 1; step <= n; step++) {
		for (uint64_t stop = 1; stop <= 5; stop++) {
			int stops = 0, r = 0;

			stream = make(&parts, MEMWEIR_JSON_ARRAY, 100);
			parts.stop_at = stop;
			for (at = 0; at < n; at += used) {
				r = memweir_json_stream_feed(stream, text + at, step < n - at ? step : n - at, &used);
				assert_true(r == 0 || r == 5);
				stops += r == 5;
			}
			assert_int_equal(memweir_json_stream_end(stream), 0);
			assert_int_equal(stops, 1);
			assert_string_equal(parts.text, whole.text);
			memweir_json_stream_free(stream);
		}
	}
}

/* At the end only: a number that nothing follows. */
static void stopped_at_the_end(void **state)
{
	struct memweir_json_stream *stream = make(&parts, MEMWEIR_JSON_VALUES, 100);

	(void)state;
	parts.stop_at = 1;
	assert_int_equal(memweir_json_stream_feed(stream, "42", 2, NULL), 0);
	assert_int_equal(memweir_json_stream_end(stream), 5);
	assert_int_equal(memweir_json_stream_end(stream), 0);
	assert_string_equal(parts.text, "0@0:1:1 42|");
	memweir_json_stream_free(stream);
}

static void cancelled(void **state)
{
	struct memweir_json_stream *stream = make(&parts, MEMWEIR_JSON_VALUES, 100);

	(void)state;
	parts.cancel_at = 2;
	assert_int_equal(memweir_json_stream_feed(stream, "1 2 3 4 ", 8, NULL), -ECANCELED);
	assert_string_equal(parts.text, "0@0:1:1 1|1@2:1:3 2|");
	assert_int_equal(memweir_json_stream_feed(stream, "1 ", 2, NULL), -ECANCELED);
	assert_int_equal(memweir_json_stream_end(stream), -ECANCELED);
	memweir_json_stream_free(stream);
}

static int feed_again(void *data, const struct memweir_json_item *item)
{
	(void)item;
	return memweir_json_stream_feed(*(struct memweir_json_stream **)data, "1 ", 2, NULL);
}

static void not_from_inside(void **state)
{
	struct memweir_json_stream *stream;

	(void)state;
	assert_int_equal(memweir_json_stream_new(NULL, feed_again, &stream, &stream), 0);
	assert_int_equal(memweir_json_stream_feed(stream, "1 ", 2, NULL), -EBUSY);
	memweir_json_stream_free(stream);
	memweir_json_stream_free(NULL);
}

static void limited(void **state)
{
	struct memweir_json_stream_options options = MEMWEIR_INIT(struct memweir_json_stream_options);
	struct memweir_limiter limiter = {.refuse_from = 2};
	struct memweir_json_stream *stream;
	size_t used;

	(void)state;
	options.limiter = &limiter;
	memset(&parts, 0, sizeof(parts));
	assert_int_equal(memweir_json_stream_new(&options, take, &parts, &stream), 0);
	assert_int_equal(memweir_json_stream_feed(stream, "1 2 3 4 ", 8, &used), -ENOMEM);
	assert_int_equal(parts.items, 2);
	assert_int_equal(used, 3);
	assert_null(position(stream).expected);
	limiter.refuse_from = 0;
	assert_int_equal(memweir_json_stream_feed(stream, " 3 4 ", 5, &used), 0);
	assert_int_equal(parts.items, 4);
	assert_int_equal(limiter.calls, 4);
	memweir_json_stream_free(stream);
}

static void options_that_cannot_be(void **state)
{
	struct memweir_json_stream_options options = MEMWEIR_INIT(struct memweir_json_stream_options);
	struct memweir_json_stream *stream = (void *)1;

	(void)state;
	assert_int_equal(memweir_json_stream_new(NULL, NULL, NULL, &stream), -EINVAL);
	options.mode = 2;
	assert_int_equal(memweir_json_stream_new(&options, take, NULL, &stream), -EINVAL);
	options.mode = 0;
	options.max_depth = 4097;
	assert_int_equal(memweir_json_stream_new(&options, take, NULL, &stream), -EINVAL);
	options.max_depth = 4096;
	options.read_bytes = 63;
	assert_int_equal(memweir_json_stream_new(&options, take, NULL, &stream), -EINVAL);
	options.size = 3;
	assert_int_equal(memweir_json_stream_new(&options, take, NULL, &stream), -EINVAL);
	assert_ptr_equal(stream, (void *)1);
}

static void depth(void **state)
{
	struct memweir_json_stream_options options = MEMWEIR_INIT(struct memweir_json_stream_options);
	struct memweir_json_stream *stream;

	(void)state;
	options.max_depth = 2;
	memset(&parts, 0, sizeof(parts));
	assert_int_equal(memweir_json_stream_new(&options, take, &parts, &stream), 0);
	assert_int_equal(memweir_json_stream_feed(stream, "[[]]\n[[[", 8, NULL), -EBADMSG);
	assert_int_equal(position(stream).offset, 7);
	assert_int_equal(position(stream).column, 3);
	assert_int_equal(position(stream).item, 1);
	memweir_json_stream_free(stream);
}

/* A pipe that now and then has nothing: what was there is read, the rest comes with the next call. */
static void from_a_descriptor(void **state)
{
	static const char text[] =
		"[\"one item that is longer than what is read at a time: sixty-four bytes are not many\","
		"2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28]";
	struct memweir_json_stream *stream = make(&parts, MEMWEIR_JSON_ARRAY, 100);
	int fds[2], r, waits = 0;

	(void)state;
	run(&whole, MEMWEIR_JSON_ARRAY, 100, text, sizeof(text), 1);
	parts.stop_at = 9;
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	for (size_t i = 0; i < sizeof(text) - 1; i += 37) {
		size_t n = sizeof(text) - 1 - i;

		n = n < 37 ? n : 37;
		assert_int_equal(write(fds[1], text + i, n), n);
		r = memweir_json_stream_fd(stream, fds[0]);
		if (r == 5)
			r = memweir_json_stream_fd(stream, fds[0]);
		assert_int_equal(r, -EAGAIN);
		waits++;
	}
	close(fds[1]);
	assert_int_equal(memweir_json_stream_fd(stream, fds[0]), 0);
	close(fds[0]);
	assert_string_equal(parts.text, whole.text);
	assert_int_equal(parts.items, 28);
	assert_true(waits > 3);
	assert_int_equal(memweir_json_stream_fd(stream, -1), -EBADF);
	memweir_json_stream_free(stream);
}

/* A read that is interrupted goes on, but not if the signal's handler has cancelled. */
struct interrupted {
	struct memweir_json_stream *stream;
	int calls, cancel_at;
};

static int64_t interrupt(void *data, void *buffer, size_t room)
{
	struct interrupted *i = data;

	(void)room;
	if (++i->calls == i->cancel_at)
		memweir_json_stream_cancel(i->stream);
	if (i->calls % 2)
		return -EINTR;
	memcpy(buffer, "1 ", 2);
	return i->calls < 6 ? 2 : 0;
}

static void interrupted(void **state)
{
	struct interrupted i = {.stream = make(&parts, MEMWEIR_JSON_VALUES, 100)};

	(void)state;
	assert_int_equal(memweir_json_stream_read(i.stream, interrupt, &i), 0);
	assert_int_equal(parts.items, 2);
	memweir_json_stream_free(i.stream);
	i = (struct interrupted){.stream = make(&parts, MEMWEIR_JSON_VALUES, 100), .cancel_at = 3};
	assert_int_equal(memweir_json_stream_read(i.stream, interrupt, &i), -ECANCELED);
	assert_int_equal(i.calls, 3);
	memweir_json_stream_free(i.stream);
}

/* More than room, and errors of other kinds. */
static int64_t answer(void *data, void *buffer, size_t room)
{
	(void)buffer;
	(void)room;
	return *(int64_t *)data;
}

static void readers_that_fail(void **state)
{
	struct memweir_json_stream *stream = make(&parts, MEMWEIR_JSON_VALUES, 100);
	int64_t returns = 65;

	(void)state;
	assert_int_equal(memweir_json_stream_read(stream, answer, &returns), -EIO);
	returns = -EISDIR;
	assert_int_equal(memweir_json_stream_read(stream, answer, &returns), -EISDIR);
	returns = INT64_MIN;
	assert_int_equal(memweir_json_stream_read(stream, answer, &returns), -EIO);
	returns = 0;
	assert_int_equal(memweir_json_stream_read(stream, answer, &returns), 0);
	memweir_json_stream_free(stream);
}

/* An array that is made while it is read. */
struct source {
	uint64_t left; /* bytes */
	uint64_t made;
	char rest[300];
	size_t n;
};

static int64_t make_up(void *data, void *buffer, size_t room)
{
	struct source *source = data;
	char *out = buffer;
	size_t done = 0;

	while (done < room && (source->n || source->left)) {
		size_t part = source->n < room - done ? source->n : room - done;

		memcpy(out + done, source->rest, part);
		memmove(source->rest, source->rest + part, source->n - part);
		source->n -= part;
		done += part;
		if (source->n)
			break;
		if (!source->left)
			continue;
		source->n = (size_t)
			snprintf(source->rest, sizeof(source->rest),
				 "%c\n{\"id\": %lu, \"name\": \"user %lu\", \"tags\": [\"a\", \"b\"], \"ok\": true}",
				 source->made ? ',' : '[', (unsigned long)source->made, (unsigned long)source->made);
		source->made++;
		source->left -= source->left < source->n ? source->left : source->n;
		if (!source->left)
			source->n += (size_t)snprintf(source->rest + source->n, sizeof(source->rest) - source->n, "]");
	}
	return (int64_t)done;
}

static int sum(void *data, const struct memweir_json_item *item)
{
	uint64_t *total = data;
	const char *id;
	uint64_t number;
	size_t n;

	if (item->index % 1024)
		return 0;
	assert_int_equal(memweir_json_get(item->text, item->length, "/id", &id, &n), 0);
	assert_int_equal(memweir_json_uint64(id, n, &number), 0);
	assert_int_equal(number, item->index);
	*total += 1;
	return 0;
}

static void constant_memory(void **state)
{
	struct source source = {.left = 64UL << 20};
	struct memweir_json_stream_options options = MEMWEIR_INIT(struct memweir_json_stream_options);
	struct memweir_json_stream *stream;
	struct rusage before, after;
	uint64_t total = 0;

	(void)state;
	options.mode = MEMWEIR_JSON_ARRAY;
	options.max_item_bytes = 4096;
	assert_int_equal(memweir_json_stream_new(&options, sum, &total, &stream), 0);
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(memweir_json_stream_read(stream, make_up, &source), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(position(stream).item, source.made);
	assert_int_equal(total, (source.made + 1023) / 1024);
	assert_true(position(stream).offset >= 64UL << 20);
	assert_true(position(stream).memory_bytes <= 4096 + 65536 + 2048);
	assert_true(after.ru_maxrss - before.ru_maxrss < 8192); /* KiB: an eighth of what was read */
	memweir_json_stream_free(stream);
}

static void *cancel_it(void *arg)
{
	memweir_json_stream_cancel(arg);
	return NULL;
}

/* Endless, until another thread says so. */
static int64_t endless(void *data, void *buffer, size_t room)
{
	(void)data;
	memset(buffer, ' ', room);
	memcpy(buffer, "1 ", 2);
	return (int64_t)room;
}

static int nothing(void *data, const struct memweir_json_item *item)
{
	(void)data;
	(void)item;
	return 0;
}

static void cancelled_by_another_thread(void **state)
{
	struct memweir_json_stream *stream;
	pthread_t thread;

	(void)state;
	assert_int_equal(memweir_json_stream_new(NULL, nothing, NULL, &stream), 0);
	assert_int_equal(pthread_create(&thread, NULL, cancel_it, stream), 0);
	assert_int_equal(memweir_json_stream_read(stream, endless, NULL), -ECANCELED);
	pthread_join(thread, NULL);
	memweir_json_stream_free(stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(array),
		cmocka_unit_test(longest_item),
		cmocka_unit_test(stopped_by_its_callback),
		cmocka_unit_test(stopped_at_the_end),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(not_from_inside),
		cmocka_unit_test(limited),
		cmocka_unit_test(options_that_cannot_be),
		cmocka_unit_test(depth),
		cmocka_unit_test(from_a_descriptor),
		cmocka_unit_test(interrupted),
		cmocka_unit_test(readers_that_fail),
		cmocka_unit_test(constant_memory),
		cmocka_unit_test(cancelled_by_another_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
