/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir replay: recordings judged again. Needs no daemon and no rights. */
#include "cli/replay.h"

#include <errno.h>
#include <stdio.h>

#include "cli/call.h"
#include "report/json.h"
#include "util/cleanup.h"
#include "util/clock.h"

struct replay_values {
	bool json;
	struct mw_other_rules other;
};

#define AT(field) offsetof(struct replay_values, field)
static const struct mw_option rows[] = {
	{"json", 'j', MW_OPT_FLAG, AT(json), NULL, "one JSON document, all figures exact"},
	{"set", 's', MW_OPT_TEXT, AT(other.set), "KEY=VALUE,...",
	 "judge by these: max_heap=40MB,hibernate_threshold=0.8"},
	{"class", 'c', MW_OPT_TEXT, AT(other.class_name), "CLASS", "judge by the profile of this class"},
	{"config", 0, MW_OPT_TEXT, AT(other.config), "FILE", "take the class from FILE, not from this host's"},
	{"method", 0, MW_OPT_TEXT, AT(other.method), "METHOD", "judge growth by windows or regression"},
	{NULL},
};

struct listener {
	const struct replay_values *values;
	struct mw_tale tale;
};

static int rules(const struct mw_record_worker *about, struct mw_replay_rules *r, void *arg, struct mw_error *err)
{
	const struct listener *l = arg;

	return mw_other_apply(&l->values->other, about, r, err);
}

static void event(__u32 worker, const struct mw_replay_event *e, void *arg)
{
	struct listener *l = arg;

	mw_tale_add(&l->tale, worker, e);
}

/* list NULL: as text. */
static int replay_file(const struct replay_values *v, const char *path, struct json_object *list, struct mw_error *err)
{
	struct listener l = {.values = v};
	const struct mw_replay_asks asks = {.rules = rules,
					    .event = event,
					    .keep_profile = v->other.set || v->other.class_name,
					    .arg = &l};
	_cleanup_(mw_replay_run_free) struct mw_replay_run run = {0};
	_cleanup_free_ unsigned char *bytes = NULL;
	size_t size;
	int rc = mw_record_load(path, &bytes, &size, err);

	if (rc >= 0)
		rc = mw_replay_run(path, bytes, size, &asks, &run, err);
	if (rc >= 0 && l.tale.failed)
		rc = mw_fail(err, -ENOMEM, "%s: no memory for what happened", path);
	if (rc >= 0 && list)
		json_object_array_add(list, mw_tale_json(path, &run, &l.tale));
	else if (rc >= 0)
		mw_tale_print(path, &run, &l.tale);
	mw_tale_free(&l.tale);
	return rc;
}

static int replay_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct replay_values *v = cli->values;
	_cleanup_json_ struct json_object *doc = v->json ? mw_json_document(mw_wall_ns()) : NULL;
	struct json_object *list = v->json ? json_object_new_array() : NULL;
	int code = MW_EXIT_OK;

	if (doc)
		json_object_object_add(doc, "recordings", list);
	for (int i = 0; i < argc; i++) {
		struct mw_error err = {0};

		if (!v->json && i)
			putchar('\n');
		if (replay_file(v, argv[i], list, &err) < 0) {
			mw_say_error(cli, "%s", err.text);
			code = MW_EXIT_FAILURE;
		}
	}
	if (doc)
		puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return code;
}

const struct mw_verb mw_verb_replay = {
	.name = "replay",
	.args = "[--json] [--method METHOD] [--set KEY=VALUE,...] [--class CLASS [--config FILE]] FILE...",
	.summary = "judge a recording again, by its own rules or others",
	.notes = "FILE is of memweir record, or a CSV with the heading seconds,memory_bytes. Needs no daemon and no "
		 "root.",
	.options = rows,
	.min_args = 1,
	.max_args = -1,
	.run = replay_run,
};
