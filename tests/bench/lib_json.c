/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * One array of made-up items, read from memory in parts of 64 KiB, each way in a process of its own: lib_json MB
 *ROUNDS. Prints "WAY MB/s KB" lines, the ways by turns: text read a second of CPU time, and peak RSS.
 *	scan	all tokens told, nothing done with them
 *	stream	each item told
 *	members	and two members of each read: a number and a string
 *	trees	each item told, and a json-c tree made of it, for the same two
 *	tree	one json-c tree of it all, for the same two
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <memweir/json.h>

#include "lib/json_scan.h"

#define PART_BYTES 65536

static int text_fd;
static uint64_t sum, bytes; /* of what was found, so that each way does the same work */

static void must(int condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "%s failed\n", what);
	exit(1);
}

/* Records as interfaces give them: short strings, a longer text with an escape now and then, numbers, a list. */
static uint64_t make_text(uint64_t size)
{
	FILE *f = fdopen(dup(text_fd), "w");
	uint64_t id = 0;

	must(f != NULL, "fdopen");
	for (; (uint64_t)ftello(f) < size; id++)
		fprintf(f,
			"%s{\"id\": %lu, \"name\": \"user %lu\", \"email\": \"user.%lu@example.org\", \"score\": "
			"%lu.%02lu, "
			"\"active\": %s, \"tags\": [\"red\", \"green\", \"a longer one\"], \"note\": \"A line of text, "
			"as "
			"people write it, with a \\\"quote\\\" and the end of a line\\n now and then.\", \"parent\": "
			"null}",
			id ? ",\n" : "[", (unsigned long)id, (unsigned long)(id * 7919 % 100000), (unsigned long)id,
			(unsigned long)(id % 1000), (unsigned long)(id % 100), id % 3 ? "true" : "false");
	fputs("]\n", f);
	must(fclose(f) == 0, "writing");
	return id;
}

static int see_token(void *data, const struct mw_json_event *event)
{
	(void)data;
	bytes += event->length;
	return 0;
}

static void scan(void)
{
	static struct mw_json_scan s;
	static char part[PART_BYTES];
	ssize_t n;

	mw_json_scan_init(&s, 0, 0, see_token, NULL);
	while ((n = read(text_fd, part, sizeof(part))) > 0)
		must(mw_json_scan_feed(&s, part, (size_t)n) == 0, "scan");
	must(mw_json_scan_end(&s) == 0, "scan");
}

static int see_item(void *data, const struct memweir_json_item *item)
{
	(void)data;
	bytes += item->length;
	return 0;
}

static int read_members(void *data, const struct memweir_json_item *item)
{
	const char *value;
	char name[64];
	uint64_t id;
	size_t n;

	(void)data;
	must(memweir_json_get(item->text, item->length, "/id", &value, &n) == 0 &&
		     memweir_json_uint64(value, n, &id) == 0 &&
		     memweir_json_get(item->text, item->length, "/name", &value, &n) == 0 &&
		     memweir_json_string(value, n, name, sizeof(name), &n) == 0,
	     "members");
	sum += id + n;
	return 0;
}

static void see_object(struct json_object *object)
{
	sum += json_object_get_uint64(json_object_object_get(object, "id")) +
	       (uint64_t)json_object_get_string_len(json_object_object_get(object, "name"));
}

static int make_tree(void *data, const struct memweir_json_item *item)
{
	struct json_tokener *tokener = data;
	struct json_object *object;

	json_tokener_reset(tokener);
	object = json_tokener_parse_ex(tokener, item->text, (int)item->length);
	must(object != NULL, "a tree of an item");
	see_object(object);
	json_object_put(object);
	return 0;
}

static void stream(memweir_json_item_fn item_fn, void *data)
{
	struct memweir_json_stream_options options = MEMWEIR_INIT(struct memweir_json_stream_options);
	struct memweir_json_stream *s;

	options.mode = MEMWEIR_JSON_ARRAY;
	must(memweir_json_stream_new(&options, item_fn, data, &s) == 0, "a stream");
	must(memweir_json_stream_fd(s, text_fd) == 0, "the stream");
	memweir_json_stream_free(s);
}

static void trees(void)
{
	struct json_tokener *tokener = json_tokener_new();

	stream(make_tree, tokener);
	json_tokener_free(tokener);
}

static void tree(void)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *all = NULL;
	static char part[PART_BYTES];
	ssize_t n;

	while (!all && (n = read(text_fd, part, sizeof(part))) > 0)
		all = json_tokener_parse_ex(tokener, part, (int)n);
	must(all != NULL, "a tree of all");
	for (size_t i = 0; i < json_object_array_length(all); i++)
		see_object(json_object_array_get_idx(all, i));
	json_object_put(all);
	json_tokener_free(tokener);
}

static void go(int way)
{
	switch (way) {
	case 0:
		return scan();
	case 1:
		return stream(see_item, NULL);
	case 2:
		return stream(read_members, NULL);
	case 3:
		return trees();
	default:
		return tree();
	}
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"scan", "stream", "members", "trees", "tree"};
	uint64_t mb = argc > 1 ? strtoull(argv[1], NULL, 0) : 100, *sums;
	int rounds = argc > 2 ? atoi(argv[2]) : 5;

	sums = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	text_fd = memfd_create("text", 0);
	must(sums != MAP_FAILED && text_fd >= 0, "memory");
	make_text(mb * 1000000);
	for (int turn = 0; turn < rounds * 5; turn++) {
		struct rusage usage;
		double seconds;
		pid_t pid;
		int status;

		lseek(text_fd, 0, SEEK_SET);
		pid = fork();
		must(pid >= 0, "fork");
		if (!pid) {
			go(turn % 5);
			sums[turn % 5] = sum;
			_exit(0);
		}
		must(wait4(pid, &status, 0, &usage) == pid && status == 0, "a way");
		seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
			  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
		printf("%s %.0f %ld\n", names[turn % 5], (double)mb / seconds, usage.ru_maxrss);
	}
	must(sums[2] == sums[3] && sums[3] == sums[4], "the same sums");
	return 0;
}
