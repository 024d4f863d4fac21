// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * A member of each item of a huge array, a line each, in constant memory:
 *	json_items /user/name < array.json
 * With -v the input is values one after another (NDJSON) instead of one array.
 */
#include <memweir.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct job {
	const char *pointer;
	struct memweir_writer *out;
};

static int put_member(void *data, const struct memweir_json_item *item)
{
	struct job *job = data;
	const char *value;
	size_t n;
	int r = memweir_json_get(item->text, item->length, job->pointer, &value, &n);

	if (!r)
		r = memweir_writer_write(job->out, value, n, NULL);
	else if (r == -ENOENT) /* an empty line */
		r = 0;
	return r ? r : memweir_writer_write(job->out, "\n", 1, NULL);
}

static void explain(struct memweir_json_stream *stream, int r)
{
	struct memweir_json_position at = MEMWEIR_INIT(struct memweir_json_position);

	memweir_json_stream_position(stream, &at);
	if (at.expected)
		fprintf(stderr, "stdin:%lu:%lu: expected %s (item %lu, byte %lu)\n", (unsigned long)at.line,
			(unsigned long)at.column, at.expected, (unsigned long)at.item, (unsigned long)at.offset);
	else
		fprintf(stderr, "stopped behind item %lu: %s\n", (unsigned long)at.item, strerror(-r));
}

int main(int argc, char **argv)
{
	struct memweir_json_stream_options options = MEMWEIR_INIT(struct memweir_json_stream_options);
	struct memweir_json_stream *stream;
	struct job job = {.pointer = argv[argc - 1]};
	int r;

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[1], "-v") != 0)) {
		fprintf(stderr, "usage: json_items [-v] POINTER\n");
		return 2;
	}
	options.mode = argc == 3 ? MEMWEIR_JSON_VALUES : MEMWEIR_JSON_ARRAY;
	options.max_item_bytes = 10 << 20;
	r = memweir_writer_fd(NULL, STDOUT_FILENO, &job.out);
	if (!r)
		r = memweir_json_stream_new(&options, put_member, &job, &stream);
	if (r) {
		fprintf(stderr, "json_items: %s\n", strerror(-r));
		return 1;
	}
	r = memweir_json_stream_fd(stream, STDIN_FILENO);
	if (r)
		explain(stream, r);
	if (memweir_writer_flush(job.out) < 0) /* what came before an error, too */
		r = -EIO;
	memweir_json_stream_free(stream);
	memweir_writer_free(job.out);
	return r ? 1 : 0;
}
