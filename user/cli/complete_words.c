/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* Where words come from: tables by verb and by what rows call a value, and the daemon's lists. */
#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/complete.h"
#include "cli/field.h"
#include "util/cleanup.h"
#include "util/table.h"

#define ASK_MS 1000 /* a shell waits for it */

/* Verbs that are not here take none. */
static const struct {
	const char *verb;
	enum mw_words words;
} verbs[] = {
	{"calibrate", MW_WORDS_FILE}, {"check", MW_WORDS_WORKER},  {"detach", MW_WORDS_WORKER},
	{"freeze", MW_WORDS_WORKER},  {"help", MW_WORDS_VERB},	   {"hibernate", MW_WORDS_WORKER},
	{"kill", MW_WORDS_WORKER},    {"ps", MW_WORDS_WORKER},	   {"record", MW_WORDS_WORKER},
	{"replay", MW_WORDS_FILE},    {"report", MW_WORDS_REPORT}, {"run", MW_WORDS_COMMAND},
	{"set", MW_WORDS_SET},	      {"spec", MW_WORDS_FILE},	   {"thaw", MW_WORDS_WORKER},
};

/* verb NULL: of every verb; option NULL: every option whose value has that name. The first that fits counts. */
static const struct {
	const char *verb, *option, *arg;
	enum mw_words words;
} values[] = {
	{"attach", "container", "NAME", MW_WORDS_CONTAINER},
	{"plan", "worker", "NAME", MW_WORDS_WORKER},
	{"attach", "cgroup", "PATH", MW_WORDS_NONE},
	{NULL, NULL, "CLASS", MW_WORDS_CLASS},
	{NULL, NULL, "UNIT", MW_WORDS_UNIT},
	{NULL, NULL, "GROUP", MW_WORDS_GROUP},
	{NULL, NULL, "METHOD", MW_WORDS_METHOD},
	{NULL, NULL, "KEY=VALUE,...", MW_WORDS_SETTINGS},
	{NULL, NULL, "FILE", MW_WORDS_FILE},
	{NULL, NULL, "OUT", MW_WORDS_FILE},
	{NULL, NULL, "DIR", MW_WORDS_FILE},
	{NULL, NULL, "PATH", MW_WORDS_FILE},
};

enum mw_words mw_complete_word(const char *verb)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].verb, verb) == 0)
			return verbs[i].words;
	}
	return MW_WORDS_NONE;
}

enum mw_words mw_complete_value(const char *verb, const char *option, const char *arg)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if ((!values[i].verb || strcmp(values[i].verb, verb) == 0) &&
		    (!values[i].option || strcmp(values[i].option, option) == 0) && strcmp(values[i].arg, arg) == 0)
			return values[i].words;
	}
	return MW_WORDS_NONE;
}

void mw_complete_ask(const struct mw_cli *cli, enum mw_words words, const char *before)
{
	static const struct {
		const char *path, *list, *field, *hint;
	} asks[MW_WORDS_MAX] = {
		[MW_WORDS_WORKER] = {"/v1/workers", "workers", "name", "class"},
		[MW_WORDS_CLASS] = {"/v1/config", "classes", "name", "max_heap"},
		[MW_WORDS_RULE] = {"/v1/report/rules", "rules", "name", "class"},
		[MW_WORDS_INCIDENT] = {"/v1/report/incidents?brief&limit=50", "incidents", "id", "reason"},
	};
	_cleanup_answer_ struct mw_answer a = {0};
	char clean[256], hint[256];
	struct json_object *list;
	struct mw_error err;

	if (!asks[words].path || mw_call_quiet(cli, "GET", asks[words].path, NULL, ASK_MS, &a, &err) < 0)
		return;
	list = mw_field_array(a.doc, asks[words].list);
	for (size_t i = 0; i < mw_field_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		printf("%s%s\t%s\n", before, mw_text_clean(mw_field_str(o, asks[words].field), 0, clean, sizeof(clean)),
		       mw_text_clean(mw_field_str(o, asks[words].hint), 0, hint, sizeof(hint)));
	}
}
