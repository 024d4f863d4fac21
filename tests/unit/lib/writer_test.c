// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/* Whatever the other side takes at a time: what comes out is what was taken, in order, once. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memweir/limiter.h>
#include <memweir/writer.h>

struct memweir_limiter {
	int refuse;
};

int memweir_limiter_check(struct memweir_limiter *limiter)
{
	return limiter->refuse ? -ENOMEM : 0;
}

/* Takes as its script says, and keeps it. */
struct mouth {
	uint8_t got[1 << 16];
	size_t n;
	const int64_t *script; /* the most of each call, or an errno number; 0 at its end: all from now on */
	size_t at;
	size_t largest; /* call */
	int calls;
};

static int64_t swallow(void *data, const void *bytes, size_t n)
{
	struct mouth *mouth = data;
	int64_t most = mouth->script[mouth->at] ? mouth->script[mouth->at++] : INT64_MAX;

	mouth->calls++;
	mouth->largest = n > mouth->largest ? n : mouth->largest;
	if (most < 0)
		return most;
	n = (int64_t)n < most ? n : (size_t)most;
	assert_true(mouth->n + n <= sizeof(mouth->got));
	memcpy(mouth->got + mouth->n, bytes, n);
	mouth->n += n;
	return (int64_t)n;
}

static struct memweir_writer *make(struct mouth *mouth, const int64_t *script, size_t buffer_bytes, void *buffer)
{
	struct memweir_writer_options options = MEMWEIR_INIT(struct memweir_writer_options);
	struct memweir_writer *writer;

	memset(mouth, 0, sizeof(*mouth));
	mouth->script = script;
	options.buffer_bytes = buffer_bytes;
	options.buffer = buffer;
	assert_int_equal(memweir_writer_new(&options, swallow, mouth, &writer), 0);
	return writer;
}

static struct memweir_writer_stats stats(const struct memweir_writer *writer)
{
	struct memweir_writer_stats s = MEMWEIR_INIT(struct memweir_writer_stats);

	assert_int_equal(memweir_writer_stats(writer, &s), 0);
	assert_int_equal(s.taken_bytes, s.written_bytes + s.held_bytes);
	assert_int_equal(s.held_bytes, memweir_writer_held(writer));
	return s;
}

static const int64_t all[] = {0};
static struct mouth mouth;

static void small_ones_are_gathered(void **state)
{
	struct memweir_writer *writer = make(&mouth, all, 16, NULL);

	(void)state;
	for (int i = 0; i < 8; i++)
		assert_int_equal(memweir_writer_write(writer, "ab", 2, NULL), 0);
	assert_int_equal(mouth.calls, 0); /* sixteen bytes fit */
	assert_int_equal(memweir_writer_write(writer, "c", 1, NULL), 0);
	assert_int_equal(mouth.n, 17);
	assert_int_equal(memweir_writer_write(writer, "d", 1, NULL), 0);
	assert_int_equal(memweir_writer_held(writer), 1);
	assert_int_equal(memweir_writer_flush(writer), 0);
	assert_int_equal(memweir_writer_flush(writer), 0);
	assert_memory_equal(mouth.got, "ababababababababcd", 18);
	assert_int_equal(mouth.calls, 3);
	assert_int_equal(stats(writer).writes, 10);
	memweir_writer_free(writer);
}

static void large_ones_are_not_copied(void **state)
{
	static const char text[64] = "a large one";
	struct memweir_writer *writer = make(&mouth, all, 16, NULL);

	(void)state;
	assert_int_equal(memweir_writer_write(writer, text, sizeof(text), NULL), 0);
	assert_int_equal(memweir_writer_write(writer, text, 16, NULL), 0); /* as long as the buffer */
	assert_int_equal(stats(writer).copied_bytes, 0);
	assert_int_equal(mouth.largest, 64);
	assert_int_equal(mouth.calls, 2);
	assert_int_equal(memweir_writer_write(writer, "x", 1, NULL), 0);
	assert_int_equal(memweir_writer_write(writer, text, sizeof(text), NULL), 0);
	assert_int_equal(stats(writer).copied_bytes, 1);
	assert_int_equal(mouth.n, 64 + 16 + 1 + 64);
	assert_int_equal(mouth.got[80], 'x');
	memweir_writer_free(writer);
}

static void nothing_taken_for_now(void **state)
{
	static const int64_t script[] = {-EAGAIN, -EAGAIN, 3, -EAGAIN, 2, -EINTR, 1, -EAGAIN, 0};
	struct memweir_writer *writer = make(&mouth, script, 8, NULL);
	size_t taken = 99;

	(void)state;
	assert_int_equal(memweir_writer_write(writer, "abcdef", 6, &taken), 0);
	assert_int_equal(taken, 6);
	assert_int_equal(memweir_writer_write(writer, "ghijk", 5, &taken), -EAGAIN);
	assert_int_equal(taken, 2); /* what there was room for */
	assert_int_equal(memweir_writer_held(writer), 8);
	assert_int_equal(memweir_writer_flush(writer), -EAGAIN);
	assert_int_equal(memweir_writer_write(writer, "ijk", 3, &taken), 0); /* three go, three come */
	assert_int_equal(taken, 3);
	assert_int_equal(memweir_writer_flush(writer), -EAGAIN); /* two, an interruption, one */
	assert_int_equal(memweir_writer_held(writer), 5);
	assert_int_equal(memweir_writer_flush(writer), 0);
	assert_int_equal(mouth.n, 11);
	assert_memory_equal(mouth.got, "abcdefghijk", 11);
	assert_int_equal(stats(writer).short_calls, 7);
	memweir_writer_free(writer);
}

static void errors_lose_nothing(void **state)
{
	static const int64_t script[] = {2, -ENOSPC, -ENOSPC, 0};
	struct memweir_writer *writer = make(&mouth, script, 8, NULL);
	size_t taken = 99;

	(void)state;
	assert_int_equal(memweir_writer_write(writer, "abcd", 4, NULL), 0);
	assert_int_equal(memweir_writer_write(writer, "efghijklmn", 10, &taken), -ENOSPC);
	assert_int_equal(taken, 0);
	assert_int_equal(memweir_writer_held(writer), 2);
	assert_int_equal(memweir_writer_flush(writer), -ENOSPC);
	assert_int_equal(memweir_writer_write(writer, "efghijklmn", 10, &taken), 0);
	assert_int_equal(memweir_writer_flush(writer), 0);
	assert_memory_equal(mouth.got, "abcdefghijklmn", 14);
	memweir_writer_free(writer);
}

/* Every mixture of what may happen, the same each time. */
static void any_script(void **state)
{
	static uint8_t text[4096];
	static int64_t script[512];
	uint64_t random = 1;
	char lent[32];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + i / 256);
	for (int round = 0; round < 2000; round++) {
		struct memweir_writer *writer;
		size_t at = 0, taken;
		int r;

		for (size_t i = 0; i < 511; i++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			script[i] = random >> 62 ? (int64_t)(random >> 33) % 40 + 1 : -EAGAIN;
			script[i] = random >> 59 ? script[i] : -EINTR;
		}
		writer = make(&mouth, script, 1 + (size_t)round % 32, round % 2 ? lent : NULL);
		while (at < sizeof(text)) {
			size_t n;

			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			n = (size_t)(random >> 33) % 70;
			n = n < sizeof(text) - at ? n : sizeof(text) - at;
			r = memweir_writer_write(writer, text + at, n, &taken);
			assert_true(taken <= n && (r == -EAGAIN ? taken < n : r == 0 && taken == n));
			at += taken;
			assert_true(memweir_writer_held(writer) <= 1 + (size_t)round % 32);
			assert_int_equal(mouth.n + memweir_writer_held(writer), at);
		}
		do
			r = memweir_writer_flush(writer);
		while (r == -EAGAIN);
		assert_int_equal(r, 0);
		assert_int_equal(mouth.n, sizeof(text));
		assert_memory_equal(mouth.got, text, sizeof(text));
		assert_true(stats(writer).calls <= (uint64_t)mouth.calls); /* interruptions are not counted */
		memweir_writer_free(writer);
	}
}

static int64_t liar(void *data, const void *bytes, size_t n)
{
	(void)bytes;
	return *(int *)data ? (int64_t)n + 1 : 0;
}

static void callbacks_that_lie(void **state)
{
	struct memweir_writer_options options = MEMWEIR_INIT(struct memweir_writer_options);
	struct memweir_writer *writer;
	int more = 1;

	(void)state;
	options.buffer_bytes = 4;
	assert_int_equal(memweir_writer_new(&options, liar, &more, &writer), 0);
	assert_int_equal(memweir_writer_write(writer, "a", 1, NULL), 0);
	assert_int_equal(memweir_writer_write(writer, "bcdefg", 6, NULL), -EIO); /* two of one */
	assert_int_equal(memweir_writer_held(writer), 1);
	more = 0;
	assert_int_equal(memweir_writer_flush(writer), -EAGAIN); /* nothing: later */
	memweir_writer_free(writer);
}

static void limited(void **state)
{
	struct memweir_writer_options options = MEMWEIR_INIT(struct memweir_writer_options);
	struct memweir_limiter limiter = {.refuse = 1};
	struct memweir_writer *writer;
	size_t taken = 99;

	(void)state;
	memset(&mouth, 0, sizeof(mouth));
	mouth.script = all;
	options.limiter = &limiter;
	assert_int_equal(memweir_writer_new(&options, swallow, &mouth, &writer), 0);
	assert_int_equal(memweir_writer_write(writer, "a", 1, &taken), -ENOMEM);
	assert_int_equal(taken, 0);
	assert_int_equal(memweir_writer_flush(writer), 0); /* gives memory back rather than takes some */
	limiter.refuse = 0;
	assert_int_equal(memweir_writer_write(writer, "a", 1, &taken), 0);
	assert_int_equal(memweir_writer_flush(writer), 0);
	assert_int_equal(mouth.n, 1);
	memweir_writer_free(writer);
}

static void options_that_cannot_be(void **state)
{
	struct memweir_writer_options options = MEMWEIR_INIT(struct memweir_writer_options);
	struct memweir_writer *writer = (void *)1;
	char buffer[1];

	(void)state;
	assert_int_equal(memweir_writer_new(NULL, NULL, NULL, &writer), -EINVAL);
	options.buffer = buffer;
	assert_int_equal(memweir_writer_new(&options, swallow, NULL, &writer), -EINVAL);
	assert_int_equal(memweir_writer_fd(NULL, -1, &writer), -EBADF);
	assert_ptr_equal(writer, (void *)1);
	memweir_writer_free(NULL);
}

struct reader {
	int fd;
	uint64_t n, wrong;
};

/* Byte i is i * 31 / 7. */
static void *read_all(void *arg)
{
	struct reader *reader = arg;
	uint8_t bytes[3000];
	ssize_t n;

	while ((n = read(reader->fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++, reader->n++)
			reader->wrong += bytes[i] != (uint8_t)(reader->n * 31 / 7);
	return NULL;
}

static void write_all(struct memweir_writer *writer, int fd, const uint8_t *bytes, size_t n)
{
	struct pollfd out = {.fd = fd, .events = POLLOUT};
	size_t taken;
	int r;

	for (; n; bytes += taken, n -= taken) {
		r = memweir_writer_write(writer, bytes, n, &taken);
		assert_true(r == 0 || r == -EAGAIN);
		if (r)
			assert_int_equal(poll(&out, 1, 60000), 1);
	}
}

static void to_descriptors(void **state)
{
	static uint8_t bytes[1 << 20];
	struct memweir_writer_options options = MEMWEIR_INIT(struct memweir_writer_options);

	(void)state;
	options.buffer_bytes = 4096;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 31 / 7);
	for (int kind = 0; kind < 4; kind++) { /* pipes and sockets, blocking and not */
		struct pollfd out;
		struct memweir_writer *writer;
		struct reader reader = {0};
		pthread_t thread;
		int fds[2], r;

		if (kind < 2)
			assert_int_equal(pipe2(fds, 0), 0);
		else
			assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
		if (kind % 2)
			assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
		reader.fd = fds[0];
		assert_int_equal(memweir_writer_fd(&options, fds[1], &writer), 0);
		assert_int_equal(pthread_create(&thread, NULL, read_all, &reader), 0);
		for (size_t at = 0, n = 1; at < sizeof(bytes); at += n, n = n * 5 % 9973 + 1)
			write_all(writer, fds[1], bytes + at, n < sizeof(bytes) - at ? n : sizeof(bytes) - at);
		out = (struct pollfd){.fd = fds[1], .events = POLLOUT};
		while ((r = memweir_writer_flush(writer)) == -EAGAIN)
			assert_int_equal(poll(&out, 1, 60000), 1);
		assert_int_equal(r, 0);
		assert_int_equal(stats(writer).written_bytes, sizeof(bytes));
		memweir_writer_free(writer);
		close(fds[1]);
		pthread_join(thread, NULL);
		close(fds[0]);
		assert_int_equal(reader.n, sizeof(bytes));
		assert_int_equal(reader.wrong, 0);
	}
}

/* SIGPIPE would end this program. */
static void nobody_reads(void **state)
{
	struct memweir_writer *writer;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[0]);
	assert_int_equal(memweir_writer_fd(NULL, fds[1], &writer), 0);
	assert_int_equal(memweir_writer_write(writer, "a", 1, NULL), 0);
	assert_int_equal(memweir_writer_flush(writer), -EPIPE);
	assert_int_equal(memweir_writer_held(writer), 1);
	memweir_writer_free(writer);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_ones_are_gathered),
		cmocka_unit_test(large_ones_are_not_copied),
		cmocka_unit_test(nothing_taken_for_now),
		cmocka_unit_test(errors_lose_nothing),
		cmocka_unit_test(any_script),
		cmocka_unit_test(callbacks_that_lie),
		cmocka_unit_test(limited),
		cmocka_unit_test(options_that_cannot_be),
		cmocka_unit_test(to_descriptors),
		cmocka_unit_test(nobody_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
