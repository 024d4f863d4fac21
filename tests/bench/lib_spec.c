/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * An OpenAPI document loaded: stripped into a store as it comes, against the tree json-c builds of it.
 *   lib_spec make examples|schemas BYTES FILE   a document of that size, mostly examples or mostly schemas
 *   lib_spec ours|yaml|tree FILE                yaml: read as YAML. Prints: bytes in, stripped, stored, nanoseconds,
 * peak KB, KB before it
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <memweir/spec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

/* Of this program: getrusage() would know whoever started it too. */
static long peak_kb(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	long kb = 0;

	while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmHWM: %ld", &kb) != 1)
		;
	return kb;
}

static void schema(FILE *f, unsigned int i, unsigned int example)
{
	fprintf(f, "\n      \"schema\": {\n        \"type\": \"object\",\n        \"required\": [\"id\", \"name\"],\n"
		   "        \"properties\": {\n");
	for (unsigned int p = 0; p < 12; p++)
		fprintf(f,
			"          \"%s_%u\": {\n            \"type\": \"%s\",\n            \"description\": \"The %s "
			"of a "
			"thing that has number %u, as the service gives it to whoever asks for it.\",\n"
			"            \"example\": \"%s %u\"\n          },\n",
			p % 3 ? "name" : "id", p, p % 4 ? "string" : "integer", p % 3 ? "name" : "number", i, "value",
			p);
	fprintf(f, "          \"self\": {\"$ref\": \"#/components/schemas/Thing\"}\n        }\n      }");
	for (unsigned int e = 0; e < example; e++)
		fprintf(f,
			"%s\n          {\n            \"id\": %u,\n            \"name\": \"name %u\",\n            "
			"\"url\": "
			"\"/things/%u\",\n            \"tags\": [\"a\", \"b\", null, true]\n          }",
			e ? "," : ",\n      \"example\": [", e + i, e * 7919 + i, e);
	fputs(example ? "\n      ]" : "", f);
}

static int make(const char *kind, long bytes, const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return 1;
	fprintf(f, "{\n  \"openapi\": \"3.0.3\",\n  \"info\": {\"title\": \"made up\", \"version\": \"1\"},\n"
		   "  \"components\": {\"schemas\": {\"Thing\": {\"type\": \"object\"}}},\n  \"paths\": {");
	for (unsigned int i = 0; ftell(f) < bytes; i++) {
		fprintf(f,
			"%s\n  \"/things/%u/{id}\": {\n    \"get\": {\n      \"operationId\": \"get%u\",\n      "
			"\"description\": \"Gives thing %u. What it is, and who may see it, is told at some length "
			"here, since "
			"people read this more often than programs do.\",\n      \"parameters\": [{\"name\": \"id\", "
			"\"in\": \"path\", \"required\": true, \"schema\": {\"type\": \"string\"}, \"example\": "
			"\"a%u\"}],\n"
			"      \"responses\": {\"200\": {\"description\": \"It is there.\", \"content\": "
			"{\"application/json\": {",
			i ? "," : "", i, i, i, i);
		schema(f, i, strcmp(kind, "examples") == 0 ? 40 : 0);
		fprintf(f, "\n      }}}}\n    }\n  }");
	}
	fprintf(f, "\n}}\n");
	return fclose(f) ? 1 : 0;
}

static int64_t on_read(void *arg, void *buffer, size_t room)
{
	ssize_t n = read(*(int *)arg, buffer, room);

	return n < 0 ? -errno : n;
}

static int on_again(void *arg)
{
	return lseek(*(int *)arg, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int ours(int fd, uint32_t format)
{
	const struct memweir_spec_io io = {sizeof(io), on_read, NULL, on_again, &fd};
	const struct memweir_spec_options options = {.size = sizeof(options), .format = format};
	struct memweir_spec_store_stats stats = MEMWEIR_INIT(struct memweir_spec_store_stats);
	struct memweir_spec_error error = MEMWEIR_INIT(struct memweir_spec_error);
	struct memweir_spec_store *store;
	long before = peak_kb();
	__u64 began = mw_now_ns(), took;

	if (memweir_spec_store_new(NULL, &store) < 0)
		return 1;
	if (memweir_spec_store_put(store, "spec", &options, &io, NULL, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	took = mw_now_ns() - began;
	memweir_spec_store_stats(store, &stats);
	printf("%llu %llu %llu %llu %ld %ld\n", (unsigned long long)stats.input_bytes,
	       (unsigned long long)stats.stripped_bytes, (unsigned long long)stats.stored_bytes,
	       (unsigned long long)took, peak_kb(), before);
	memweir_spec_store_free(store);
	return 0;
}

/* In parts too, so that the text is not in memory beside its tree. */
static int tree(int fd)
{
	struct json_tokener *tokener = json_tokener_new_ex(512);
	struct json_object *root = NULL;
	long before = peak_kb();
	__u64 began = mw_now_ns();
	unsigned long long total = 0;
	char part[65536];
	ssize_t n;

	while (!root && (n = read(fd, part, sizeof(part))) > 0) {
		total += (unsigned long long)n;
		root = json_tokener_parse_ex(tokener, part, (int)n);
		if (!root && json_tokener_get_error(tokener) != json_tokener_continue)
			return 1;
	}
	printf("%llu 0 0 %llu %ld %ld\n", total, (unsigned long long)(mw_now_ns() - began), peak_kb(), before);
	json_object_put(root);
	json_tokener_free(tokener);
	return root ? 0 : 1;
}

int main(int argc, char **argv)
{
	_cleanup_close_ int fd = -1;

	if (argc == 5 && strcmp(argv[1], "make") == 0)
		return make(argv[2], atol(argv[3]), argv[4]);
	if (argc == 3)
		fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && strcmp(argv[1], "ours") == 0)
		return ours(fd, MEMWEIR_SPEC_JSON);
	if (fd >= 0 && strcmp(argv[1], "yaml") == 0)
		return ours(fd, MEMWEIR_SPEC_YAML);
	if (fd >= 0 && strcmp(argv[1], "tree") == 0)
		return tree(fd);
	fprintf(stderr, "usage: lib_spec make examples|schemas BYTES FILE | ours FILE | yaml FILE | tree FILE\n");
	return 2;
}
