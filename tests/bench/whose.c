/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Ask whose container that is, as memweir does: whose NAME | /CGROUP [TIMES]. One JSON object: what was found, or code
 * and error, and the median time of a question.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "containers/container.h"
#include "report/json_out.h"
#include "util/cleanup.h"
#include "util/clock.h"

#define TIMES_MAX 10000

static int by_size(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return x < y ? -1 : x > y;
}

static void put_container(struct mw_json_out *o, const struct mw_container *c)
{
	struct mw_json_out labels[MW_LABEL_MAX];

	mw_json_text(o, "engine", c->engine);
	mw_json_text(o, "id", c->id);
	mw_json_text(o, "name", c->name);
	mw_json_text(o, "image", c->image);
	mw_json_text(o, "pod", c->pod);
	mw_json_text(o, "namespace", c->namespace);
	mw_json_text(o, "cgroup", c->cgroup);
	mw_json_int(o, "pid", c->pid);
	mw_json_u64(o, "pid_start", c->pid_start);
	for (size_t i = 0; i < MW_LABEL_MAX; i++)
		labels[i] = mw_json_begin(json_object_new_object());
	for (size_t i = 0; i < c->n_labels; i++)
		mw_json_text(&labels[c->labels[i].kind], c->labels[i].key, c->labels[i].value);
	mw_json_put(o, "labels", mw_json_end(&labels[MW_LABEL_LABEL]));
	mw_json_put(o, "annotations", mw_json_end(&labels[MW_LABEL_ANNOTATION]));
}

int main(int argc, char **argv)
{
	struct mw_container_question q = {.timeout_ms = 60000};
	long times = argc > 2 ? strtol(argv[2], NULL, 10) : 1;
	static __u64 took[TIMES_MAX];
	struct mw_json_out o = mw_json_begin(json_object_new_object());
	struct mw_container c = {0};
	struct mw_error err = {""};
	struct json_object *obj;
	int r = 0;

	if (argc < 2 || times < 1 || times > TIMES_MAX)
		return 2;
	*(argv[1][0] == '/' ? &q.cgroup : &q.name) = argv[1];
	for (long i = 0; i < times; i++) {
		__u64 began = mw_now_ns();

		mw_container_free(&c);
		c = (struct mw_container){0};
		r = mw_container_ask(&q, &c, &err);
		took[i] = mw_now_ns() - began;
	}
	qsort(took, (size_t)times, sizeof(took[0]), by_size);
	mw_json_int(&o, "code", r);
	mw_json_text(&o, "error", r ? err.text : "");
	mw_json_u64(&o, "median_us", took[times / 2] / 1000);
	if (!r)
		put_container(&o, &c);
	mw_container_free(&c);
	obj = mw_json_end(&o);
	puts(obj ? json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PLAIN) : "{}");
	json_object_put(obj);
	return 0;
}
