// SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause
/*
 * Standard input, a request a line, through both pools: each line is gathered in a buffer that grows, and answered in
 * one of a fixed size. pool <FILE says at the end what that cost; meanwhile `memweir report` shows how both are doing,
 * where a daemon runs.
 */
#include <memweir.h>
#include <stdio.h>
#include <string.h>

static struct memweir_guard *guard; /* NULL: nobody is told */
static struct memweir_pool *replies;
static struct memweir_byte_pool *requests;

/* 0: a line; 1: the end. */
static int read_line(struct memweir_bytes *line)
{
	char piece[256];

	while (fgets(piece, sizeof(piece), stdin)) {
		if (memweir_bytes_append(line, piece, strlen(piece)) < 0)
			return 1;
		if (line->data[line->length - 1] == '\n')
			return 0;
	}
	return line->length == 0;
}

static int answer(const struct memweir_bytes *line)
{
	size_t room = memweir_pool_buffer_bytes(replies);
	void *reply;
	int r = memweir_pool_checkout(replies, 1000, &reply); /* a second: then the client is told to come later */

	if (r < 0)
		return r;
	snprintf(reply, room, "%zu bytes\n", line->length);
	fputs(reply, stdout);
	return memweir_pool_checkin(replies, reply);
}

static void say_what_it_cost(void)
{
	struct memweir_byte_pool_stats b = MEMWEIR_INIT(struct memweir_byte_pool_stats);
	struct memweir_pool_stats s = MEMWEIR_INIT(struct memweir_pool_stats);

	if (memweir_pool_stats(replies, &s) < 0 || memweir_byte_pool_stats(requests, &b) < 0)
		return;
	fprintf(stderr,
		"replies: %llu, in %llu of %llu buffers, %llu KiB; requests: %llu bytes kept, %llu allocated of %llu\n",
		(unsigned long long)s.checkouts, (unsigned long long)s.total_created, (unsigned long long)s.pool_size,
		(unsigned long long)(s.memory_usage >> 10), (unsigned long long)b.kept_bytes,
		(unsigned long long)b.misses + b.grown, (unsigned long long)b.hits + b.misses);
}

static int make_pools(void)
{
	struct memweir_byte_pool_options b = MEMWEIR_INIT(struct memweir_byte_pool_options);
	struct memweir_pool_options o = MEMWEIR_INIT(struct memweir_pool_options);
	int r;

	o.guard = b.guard = guard;
	o.name = "replies"; /* so they are named in reports and metrics */
	b.name = "requests";
	r = memweir_pool_new(&o, &replies);
	return r < 0 ? r : memweir_byte_pool_new(&b, &requests);
}

int main(void)
{
	int r;

	if (memweir_guard_enrol(NULL, &guard) < 0)
		guard = NULL;
	r = make_pools();
	while (r == 0) {
		struct memweir_bytes *line;
		int end;

		r = memweir_byte_pool_get(requests, 0, &line);
		if (r < 0)
			break;
		end = read_line(line);
		if (!end)
			r = answer(line);
		memweir_byte_pool_put(requests, line);
		if (guard)
			memweir_guard_report(guard); /* once in some seconds; costs nothing in between */
		if (end)
			break;
	}
	if (r < 0)
		fprintf(stderr, "pool: %s\n", strerror(-r));
	else
		say_what_it_cost();
	memweir_byte_pool_free(requests);
	memweir_pool_free(replies);
	memweir_guard_free(guard); /* after who may tell it something */
	return r < 0;
}
