/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * A writer: small writes are gathered in one buffer, large ones go straight through behind what was gathered, in the
 * same system call. Nothing is lost when the other side takes only a part, or nothing for now.
 *
 * A writer belongs to one thread at a time. It never closes what it writes to.
 *
 * SIGPIPE: to a socket everything is sent with MSG_NOSIGNAL, so that the program sees -EPIPE. Who writes to a pipe has
 * to ignore the signal, as with write(2): the library does not change a program's signals.
 */
#ifndef MEMWEIR_WRITER_H
#define MEMWEIR_WRITER_H

#include <memweir/lib.h>

#ifdef __cplusplus
extern "C" {
#endif

struct memweir_limiter;
struct memweir_writer;

/* Take at most n bytes. Returns how many, 0 or -EAGAIN: none for now; another negative errno number is passed on. */
typedef int64_t (*memweir_writer_fn)(void *data, const void *bytes, size_t n);

struct memweir_writer_options {
	size_t size; /* of this structure */
	size_t buffer_bytes; /* of the buffer; writes this long are never copied as a whole; 0: 64 KiB */
	void *buffer; /* to be used, of a pool for example; must outlive the writer. NULL: one of its own */
	struct memweir_limiter *limiter; /* each write is one operation; must outlive the writer. NULL: none */
};

/* Since the writer was made. */
struct memweir_writer_stats {
	size_t size; /* of this structure, by the caller */
	uint64_t writes; /* calls of memweir_writer_write() that were let through */
	uint64_t taken_bytes; /* taken from the caller; = written + held */
	uint64_t written_bytes; /* gone out */
	uint64_t held_bytes; /* gathered and not gone out */
	uint64_t copied_bytes; /* taken by way of the buffer */
	uint64_t calls; /* system calls, or calls of the callback */
	uint64_t short_calls; /* of them: took less than they were given, or nothing for now */
};

/*
 * To a descriptor that can be written to, blocking or not; or to a callback. options may be NULL.
 * *ret_writer is the caller's: memweir_writer_free(). -EINVAL: no callback, buffer_bytes of 0 with a buffer;
 * -ENOMEM; -EBADF: no descriptor.
 */
MEMWEIR_API int memweir_writer_fd(const struct memweir_writer_options *options, int fd,
				  struct memweir_writer **ret_writer);
MEMWEIR_API int memweir_writer_new(const struct memweir_writer_options *options, memweir_writer_fn write_fn, void *data,
				   struct memweir_writer **ret_writer);

/* What is still held is dropped: memweir_writer_flush() before. NULL: nothing happens. */
MEMWEIR_API void memweir_writer_free(struct memweir_writer *writer);

/*
 * Write n bytes. *ret_taken (may be NULL; set in every case): how many of them are the writer's now, gone out or held;
 * the caller offers the rest again. 0: all of them. -EAGAIN: the other side takes nothing for now and the buffer is
 * full: poll(2), then memweir_writer_flush() or this again. -ENOMEM: of the limiter, nothing is taken. Else why writing
 * failed (-EPIPE, -ENOSPC, …): what is held stays held. EINTR goes on.
 */
MEMWEIR_API int memweir_writer_write(struct memweir_writer *writer, const void *bytes, size_t n, size_t *ret_taken);

/* Write out what is held. 0: all; errors as above. */
MEMWEIR_API int memweir_writer_flush(struct memweir_writer *writer);

/* Bytes held: not 0, then POLLOUT is of interest. */
MEMWEIR_API size_t memweir_writer_held(const struct memweir_writer *writer);

/* ret_stats->size says how much of it there is. */
MEMWEIR_API int memweir_writer_stats(const struct memweir_writer *writer, struct memweir_writer_stats *ret_stats);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
