/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "report/pprof.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "util/cleanup.h"
#include "util/gzip.h"
#include "util/proto.h"

/* Fields of profile.proto, by message. */
enum {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING = 6,
	PROFILE_TIME_NS = 9,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_TYPE = 14
};
enum { TYPE_TYPE = 1, TYPE_UNIT = 2 };
enum { SAMPLE_LOCATIONS = 1, SAMPLE_VALUES = 2, SAMPLE_LABEL = 3 };
enum { LABEL_KEY = 1, LABEL_TEXT = 2, LABEL_NUMBER = 3 };
enum {
	MAPPING_ID = 1,
	MAPPING_LIMIT = 3,
	MAPPING_FILE = 5,
	MAPPING_BUILD_ID = 6,
	MAPPING_FUNCTIONS = 7,
	MAPPING_FILES = 8,
	MAPPING_LINES = 9,
	MAPPING_INLINED = 10
};
enum { LOCATION_ID = 1, LOCATION_MAPPING = 2, LOCATION_ADDRESS = 3, LOCATION_LINE = 4 };
enum { LINE_FUNCTION = 1, LINE_LINE = 2 };
enum { FUNCTION_ID = 1, FUNCTION_NAME = 2, FUNCTION_SYSTEM_NAME = 3, FUNCTION_FILE = 4 };

#define FRAMES 256 /* of one stack */

/* What is written once and named by a number: from 0 for strings, from 1 for all else. */
struct known {
	UT_hash_handle hh;
	__u64 id;
	char key[];
};
struct table {
	struct known *by_key;
	__u64 n;
};

/* Written at the end, since it is known only then how far its addresses go. */
struct mapping {
	__u64 file, build_id; /* strings */
	__u64 limit;
	bool functions, files, lines, inlined;
};

struct mw_pprof {
	struct mw_proto out;
	struct mw_proto one, two; /* messages in the making: of out, and of one */
	struct table strings, functions, mappings, locations;
	struct mapping *mapping; /* by id less 1 */
	bool failed;
};

static void table_free(struct table *t)
{
	struct known *k, *next;

	HASH_ITER (hh, t->by_key, k, next) {
		HASH_DEL(t->by_key, k);
		free(k);
	}
}

void mw_pprof_free(struct mw_pprof *p)
{
	if (!p)
		return;
	table_free(&p->strings);
	table_free(&p->functions);
	table_free(&p->mappings);
	table_free(&p->locations);
	mw_proto_free(&p->out);
	mw_proto_free(&p->one);
	mw_proto_free(&p->two);
	free(p->mapping);
	free(p);
}

/* Its number; true: it is new. */
static bool is_new(struct mw_pprof *p, struct table *t, const void *key, size_t n, __u64 first, __u64 *ret_id)
{
	struct known *k;

	HASH_FIND(hh, t->by_key, key, n, k);
	if (k) {
		*ret_id = k->id;
		return false;
	}
	*ret_id = 0;
	k = malloc(sizeof(*k) + n);
	if (!k) {
		p->failed = true;
		return false;
	}
	k->id = first + t->n++;
	memcpy(k->key, key, n);
	HASH_ADD_KEYPTR(hh, t->by_key, k->key, n, k);
	if (!k->hh.tbl) {
		free(k);
		p->failed = true;
		return false;
	}
	*ret_id = k->id;
	return true;
}

static __u64 string(struct mw_pprof *p, const char *text)
{
	size_t n = strlen(text);
	__u64 id;

	if (is_new(p, &p->strings, text, n, 0, &id))
		mw_proto_bytes(&p->out, PROFILE_STRING, text, n);
	return id;
}

/* Between two messages: one is empty. */
static __u64 function(struct mw_pprof *p, const struct mw_frame *f)
{
	const __u64 key[] = {string(p, f->function), string(p, f->file)};
	__u64 id;

	if (!is_new(p, &p->functions, key, sizeof(key), 1, &id))
		return id;
	mw_proto_u64(&p->one, FUNCTION_ID, id);
	mw_proto_u64(&p->one, FUNCTION_NAME, key[0]);
	mw_proto_u64(&p->one, FUNCTION_SYSTEM_NAME, key[0]);
	mw_proto_u64(&p->one, FUNCTION_FILE, key[1]);
	mw_proto_message(&p->out, PROFILE_FUNCTION, &p->one);
	return id;
}

/* 0: its frames are in no module. */
static __u64 mapping(struct mw_pprof *p, const struct mw_frame *f, size_t n)
{
	const __u64 key[] = {string(p, f->module), string(p, f->build_id)};
	struct mapping *m;
	__u64 id;

	if (!*f->module)
		return 0;
	if (is_new(p, &p->mappings, key, sizeof(key), 1, &id)) {
		m = reallocarray(p->mapping, p->mappings.n, sizeof(*m));
		p->failed |= !m;
		p->mapping = m ? m : p->mapping;
		if (m)
			m[id - 1] = (struct mapping){.file = key[0], .build_id = key[1]};
	}
	if (p->failed)
		return 0;
	m = &p->mapping[id - 1];
	if (f->offset >= m->limit)
		m->limit = f->offset + 1;
	for (size_t i = 0; i < n; i++) {
		m->functions |= *f[i].function != '\0';
		m->files |= *f[i].file != '\0';
		m->lines |= f[i].line != 0;
	}
	m->inlined |= n > 1;
	return id;
}

/* n frames at one address, the innermost first: all but the last were put into the next. */
static __u64 location(struct mw_pprof *p, const struct mw_frame *f, size_t n)
{
	__u64 functions[FRAMES], id;

	for (size_t i = 0; i < n; i++)
		functions[i] = *f[i].function ? function(p, &f[i]) : 0;
	mw_proto_u64(&p->one, LOCATION_MAPPING, mapping(p, f, n));
	mw_proto_u64(&p->one, LOCATION_ADDRESS, f->offset);
	for (size_t i = 0; i < n; i++) {
		if (!functions[i])
			continue;
		mw_proto_u64(&p->two, LINE_FUNCTION, functions[i]);
		mw_proto_u64(&p->two, LINE_LINE, f[i].line);
		mw_proto_message(&p->one, LOCATION_LINE, &p->two);
	}
	if (p->one.failed || !is_new(p, &p->locations, p->one.at ? p->one.at : "", p->one.n, 1, &id)) {
		p->failed |= p->one.failed;
		id = p->one.failed ? 0 : id;
		p->one.n = 0;
		return id;
	}
	mw_proto_u64(&p->one, LOCATION_ID, id);
	mw_proto_message(&p->out, PROFILE_LOCATION, &p->one);
	return id;
}

void mw_pprof_sample(struct mw_pprof *p, const struct mw_frame *frames, size_t n, __u64 objects, __u64 bytes,
		     const struct mw_pprof_label *labels, size_t n_labels)
{
	const __u64 values[] = {objects, bytes};
	__u64 locations[FRAMES], text[16][2];
	size_t n_locations = 0;

	for (size_t i = 0, run; i < n && n_locations < FRAMES; i += run) {
		for (run = 1; i + run < n && run < FRAMES && frames[i + run - 1].inlined; run++)
			;
		locations[n_locations++] = location(p, &frames[i], run);
	}
	for (size_t i = 0; i < n_labels && i < ARRAY_SIZE(text); i++) {
		text[i][0] = string(p, labels[i].key);
		text[i][1] = labels[i].text ? string(p, labels[i].text) : 0;
	}
	mw_proto_packed(&p->one, SAMPLE_LOCATIONS, locations, n_locations);
	mw_proto_packed(&p->one, SAMPLE_VALUES, values, ARRAY_SIZE(values));
	for (size_t i = 0; i < n_labels && i < ARRAY_SIZE(text); i++) {
		mw_proto_u64(&p->two, LABEL_KEY, text[i][0]);
		mw_proto_u64(&p->two, LABEL_TEXT, text[i][1]);
		mw_proto_u64(&p->two, LABEL_NUMBER, labels[i].text ? 0 : (__u64)labels[i].number);
		mw_proto_message(&p->one, SAMPLE_LABEL, &p->two);
	}
	mw_proto_message(&p->out, PROFILE_SAMPLE, &p->one);
}

static __u64 sample_type(struct mw_pprof *p, const char *type, const char *unit)
{
	const __u64 names[] = {string(p, type), string(p, unit)};

	mw_proto_u64(&p->one, TYPE_TYPE, names[0]);
	mw_proto_u64(&p->one, TYPE_UNIT, names[1]);
	mw_proto_message(&p->out, PROFILE_SAMPLE_TYPE, &p->one);
	return names[0];
}

struct mw_pprof *mw_pprof_new(__u64 wall_ns, const char *comment)
{
	struct mw_pprof *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	string(p, ""); /* is number 0 */
	sample_type(p, "inuse_objects", "count");
	mw_proto_u64(&p->out, PROFILE_DEFAULT_TYPE, sample_type(p, "inuse_space", "bytes"));
	mw_proto_u64(&p->out, PROFILE_TIME_NS, wall_ns);
	mw_proto_u64(&p->out, PROFILE_COMMENT, string(p, comment));
	return p;
}

int mw_pprof_end(struct mw_pprof *p, void **ret_bytes, size_t *ret_n)
{
	for (__u64 i = 0; !p->failed && i < p->mappings.n; i++) {
		const struct mapping *m = &p->mapping[i];

		mw_proto_u64(&p->one, MAPPING_ID, i + 1);
		mw_proto_u64(&p->one, MAPPING_LIMIT, m->limit);
		mw_proto_u64(&p->one, MAPPING_FILE, m->file);
		mw_proto_u64(&p->one, MAPPING_BUILD_ID, m->build_id);
		mw_proto_u64(&p->one, MAPPING_FUNCTIONS, m->functions);
		mw_proto_u64(&p->one, MAPPING_FILES, m->files);
		mw_proto_u64(&p->one, MAPPING_LINES, m->lines);
		mw_proto_u64(&p->one, MAPPING_INLINED, m->inlined);
		mw_proto_message(&p->out, PROFILE_MAPPING, &p->one);
	}
	if (p->failed || p->out.failed)
		return -ENOMEM;
	return mw_gzip(p->out.at, p->out.n, ret_bytes, ret_n);
}
