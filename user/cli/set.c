/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir set: change settings of a worker, a class, a rule, the monitor, the tree or the server while all runs. */
#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/verb.h"
#include "util/cleanup.h"

struct set_values {
	bool save, remove;
};

static const struct mw_option rows[] = {
	{"save", 's', MW_OPT_FLAG, offsetof(struct set_values, save), NULL, "keep it as a drop-in, over restarts"},
	{"remove", 'r', MW_OPT_FLAG, offsetof(struct set_values, remove), NULL,
	 "take the rule away; with --save, also one that --save has kept"},
	{NULL},
};

/* How many words name the target ("class tool": 2); 0 after having said what is wrong. */
static int target_words(const struct mw_cli *cli, bool remove, int argc, char **argv)
{
	static const char *const kinds[] = {"worker", "class", "rule", "monitor", "tree", "http", "otlp", NULL};
	const char *near = mw_nearest(argv[0], kinds);
	int n = 0;

	for (int i = 0; kinds[i]; i++) {
		if (strcmp(argv[0], kinds[i]) == 0)
			n = i < 3 ? 2 : 1;
	}
	if (n == 0)
		mw_say_usage(cli,
			     "\"%s\": expected worker NAME, class NAME, rule NAME, monitor, tree, http or otlp%s%s%s",
			     argv[0], near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
	else if (argc < n || (n == 2 && strchr(argv[1], '=')))
		mw_say_usage(cli, "which %s? expected its name", argv[0]);
	else if (remove && strcmp(argv[0], "rule") != 0)
		mw_say_usage(cli, "--remove is for rules; what was set of a %s goes back with KEY=default", argv[0]);
	else if (remove && argc > n)
		mw_say_usage(cli, "\"%s\": with --remove nothing is set, expected set rule NAME --remove", argv[n]);
	else if (!remove && argc == n)
		mw_say_usage(cli, "nothing to set, expected KEY=VALUE%s",
			     strcmp(argv[0], "rule") ? "" : ", or --remove");
	else
		return n;
	return 0;
}

static struct json_object *settings(const struct mw_cli *cli, int argc, char **argv)
{
	_cleanup_json_ struct json_object *o = json_object_new_object();

	for (int i = 0; i < argc; i++) {
		char *equals = strchr(argv[i], '=');

		if (!equals || equals == argv[i]) {
			mw_say_usage(cli, "\"%s\": expected KEY=VALUE", argv[i]);
			return NULL;
		}
		*equals = '\0';
		json_object_object_add(o, argv[i], json_object_new_string(equals + 1));
	}
	return TAKE_PTR(o);
}

static int set_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct set_values *v = cli->values;
	_cleanup_json_ struct json_object *body = json_object_new_object();
	int n = target_words(cli, v->remove, argc, argv);
	struct json_object *kv;
	char target[256];

	if (n == 0)
		return MW_EXIT_USAGE;
	snprintf(target, sizeof(target), "%s%s%s", argv[0], n == 2 ? " " : "", n == 2 ? argv[1] : "");
	json_object_object_add(body, "target", json_object_new_string(target));
	if (!v->remove) {
		kv = settings(cli, argc - n, argv + n);
		if (!kv)
			return MW_EXIT_USAGE;
		json_object_object_add(body, "settings", kv);
	}
	if (v->remove)
		json_object_object_add(body, "remove", json_object_new_boolean(true));
	json_object_object_add(body, "save", json_object_new_boolean(v->save));
	return mw_call_text(cli, "PATCH", "/v1/config", body);
}

const struct mw_verb mw_verb_set = {
	.name = "set",
	.args = "((worker NAME | class NAME | rule NAME | monitor | tree | http | otlp) KEY=VALUE... | rule NAME "
		"--remove) "
		"[--save]",
	.summary = "change settings while all runs, until reload or restart",
	.notes = "memweir classes shows keys and values, e.g. memweir set class tool max_heap=60MB policy=strict",
	.options = rows,
	.min_args = 1,
	.max_args = -1,
	.run = set_run,
};
