// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
#include <memweir/writer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/operation.h"
#include "lib/sized.h"
#include "util/cleanup.h"

#define BUFFER_BYTES_DEFAULT (1UL << 16)
#define CALL_BYTES_MAX	     (1UL << 30) /* of a large write at a time: the kernel takes 2 GiB less a page */

struct memweir_writer {
	int fd; /* -1: write_fn */
	int is_socket;
	memweir_writer_fn write_fn;
	void *data;
	struct memweir_limiter *limiter;
	unsigned char *buffer, *own; /* own: to be freed */
	size_t room, at, held; /* what is held: [at, at + held) */
	struct memweir_writer_stats stats;
};

/* What is held and then n bytes, in one call. Returns how many went out of both. */
static int64_t send_both(struct memweir_writer *writer, const void *bytes, size_t n)
{
	struct iovec parts[2] = {{writer->buffer + writer->at, writer->held}, {(void *)bytes, n}};
	int from = writer->held ? 0 : 1, count = (writer->held ? 1 : 0) + (n ? 1 : 0);
	struct msghdr message = {.msg_iov = parts + from, .msg_iovlen = (size_t)count};
	ssize_t r;

	if (writer->fd < 0)
		return writer->write_fn(writer->data, parts[from].iov_base, parts[from].iov_len);
	if (writer->is_socket)
		r = sendmsg(writer->fd, &message, MSG_NOSIGNAL);
	else
		r = writev(writer->fd, parts + from, count);
	return r < 0 ? -errno : r;
}

/* Write out what is held and the bytes behind it; *n becomes what is left of these. */
static int put_out(struct memweir_writer *writer, const unsigned char *bytes, size_t *n)
{
	while (writer->held || *n) {
		size_t straight = *n < CALL_BYTES_MAX ? *n : CALL_BYTES_MAX, of_held;
		int64_t given = (int64_t)(writer->fd < 0 && writer->held ? writer->held : writer->held + straight);
		int64_t r = send_both(writer, bytes, straight);

		if (r == -EINTR)
			continue;
		writer->stats.calls++;
		if (r > given)
			return -EIO;
		if (r < given && (r >= 0 || r == -EAGAIN))
			writer->stats.short_calls++;
		if (r <= 0)
			return !r ? -EAGAIN : r < INT32_MIN ? -EIO : (int)r;
		writer->stats.written_bytes += (uint64_t)r;
		of_held = (size_t)r < writer->held ? (size_t)r : writer->held;
		writer->held -= of_held;
		writer->at = writer->held ? writer->at + of_held : 0;
		bytes += (size_t)r - of_held;
		*n -= (size_t)r - of_held;
	}
	return 0;
}

/* Copy as many as there is room for. */
static size_t gather(struct memweir_writer *writer, const unsigned char *bytes, size_t n)
{
	size_t room = writer->room - writer->held;

	n = n < room ? n : room;
	if (writer->at + writer->held + n > writer->room) {
		memmove(writer->buffer, writer->buffer + writer->at, writer->held);
		writer->at = 0;
	}
	if (n)
		memcpy(writer->buffer + writer->at + writer->held, bytes, n);
	writer->held += n;
	writer->stats.copied_bytes += n;
	return n;
}

static size_t take(struct memweir_writer *writer, const unsigned char *bytes, size_t n, int *ret)
{
	size_t left = n;

	*ret = 0;
	if (n < writer->room && n <= writer->room - writer->held)
		return gather(writer, bytes, n);
	*ret = put_out(writer, bytes, &left);
	if (*ret == -EAGAIN) {
		left -= gather(writer, bytes + (n - left), left);
		if (!left)
			*ret = 0;
	}
	return n - left;
}

int memweir_writer_write(struct memweir_writer *writer, const void *bytes, size_t n, size_t *ret_taken)
{
	size_t taken = 0;
	int r = mw_operation(writer->limiter);

	if (!r) {
		taken = take(writer, bytes, n, &r);
		writer->stats.writes++;
		writer->stats.taken_bytes += taken;
	}
	if (ret_taken)
		*ret_taken = taken;
	return r;
}

int memweir_writer_flush(struct memweir_writer *writer)
{
	size_t nothing = 0;

	return put_out(writer, NULL, &nothing);
}

size_t memweir_writer_held(const struct memweir_writer *writer)
{
	return writer->held;
}

int memweir_writer_stats(const struct memweir_writer *writer, struct memweir_writer_stats *ret_stats)
{
	struct memweir_writer_stats stats = writer->stats;

	stats.size = sizeof(stats);
	stats.held_bytes = writer->held;
	return mw_sized_out(ret_stats, &stats, sizeof(stats));
}

void memweir_writer_free(struct memweir_writer *writer)
{
	if (!writer)
		return;
	free(writer->own);
	free(writer);
}

static void freep(struct memweir_writer **writer)
{
	memweir_writer_free(*writer);
}

static int make(const struct memweir_writer_options *options, struct memweir_writer **ret_writer)
{
	struct memweir_writer_options ours;
	_cleanup_(freep) struct memweir_writer *writer = NULL;
	int r;

	r = mw_sized_in(&ours, sizeof(ours), options);
	if (r < 0)
		return r;
	if (ours.buffer && !ours.buffer_bytes)
		return -EINVAL;
	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return -ENOMEM;
	writer->fd = -1;
	writer->limiter = ours.limiter;
	writer->room = ours.buffer_bytes ? ours.buffer_bytes : BUFFER_BYTES_DEFAULT;
	if (!ours.buffer)
		writer->own = malloc(writer->room);
	writer->buffer = ours.buffer ? ours.buffer : writer->own;
	if (!writer->buffer)
		return -ENOMEM;
	*ret_writer = TAKE_PTR(writer);
	return 0;
}

int memweir_writer_new(const struct memweir_writer_options *options, memweir_writer_fn write_fn, void *data,
		       struct memweir_writer **ret_writer)
{
	struct memweir_writer *writer;
	int r;

	if (!write_fn)
		return -EINVAL;
	r = make(options, &writer);
	if (r < 0)
		return r;
	writer->write_fn = write_fn;
	writer->data = data;
	*ret_writer = writer;
	return 0;
}

int memweir_writer_fd(const struct memweir_writer_options *options, int fd, struct memweir_writer **ret_writer)
{
	struct memweir_writer *writer;
	struct stat status;
	int r;

	if (fstat(fd, &status) < 0)
		return -errno;
	r = make(options, &writer);
	if (r < 0)
		return r;
	writer->fd = fd;
	writer->is_socket = S_ISSOCK(status.st_mode);
	*ret_writer = writer;
	return 0;
}
