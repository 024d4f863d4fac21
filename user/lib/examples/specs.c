/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * OpenAPI documents in a store: each file named is read as a stream and kept without what only people read; then says
 * what they take, and writes the first to standard output.
 *
 *	specs FILE...
 */
#include <errno.h>
#include <fcntl.h>
#include <memweir.h>
#include <stdio.h>
#include <unistd.h>

static int64_t from_fd(void *fd, void *buffer, size_t room)
{
	ssize_t n = read(*(int *)fd, buffer, room);

	return n < 0 ? -errno : n;
}

static int from_start(void *fd)
{
	return lseek(*(int *)fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int to_stream(void *stream, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, stream) == count ? 0 : -EIO;
}

static int load(struct memweir_spec_store *store, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;
	struct memweir_spec_io io = {sizeof(io), .read = from_fd, .again = from_start, .arg = &fd};
	struct memweir_spec_error error = MEMWEIR_INIT(struct memweir_spec_error);

	if (fd < 0) {
		perror(path);
		return -1;
	}
	r = memweir_spec_store_put(store, path, NULL, &io, NULL, &error);
	if (r < 0)
		fprintf(stderr, "%s:%llu:%llu: %s\n", path, (unsigned long long)error.line,
			(unsigned long long)error.column, error.text);
	close(fd);
	return r;
}

int main(int argc, char **argv)
{
	struct memweir_spec_store_stats stats = MEMWEIR_INIT(struct memweir_spec_store_stats);
	struct memweir_spec_store *store;
	int failed = 0;

	if (argc < 2 || memweir_spec_store_new(NULL, &store) < 0)
		return 2;
	for (int i = 1; i < argc; i++)
		failed |= load(store, argv[i]) < 0;
	memweir_spec_store_stats(store, &stats);
	fprintf(stderr, "%llu documents of %llu bytes: %llu bytes of meaning, %llu in memory\n",
		(unsigned long long)stats.specs, (unsigned long long)stats.input_bytes,
		(unsigned long long)stats.stripped_bytes, (unsigned long long)stats.stored_bytes);
	failed |= memweir_spec_store_get(store, argv[1], to_stream, stdout) < 0;
	memweir_spec_store_free(store);
	return failed;
}
