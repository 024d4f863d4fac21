/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/* memweir events: what happened last, and what happens. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/field.h"
#include "cli/verb.h"
#include "http/client.h"
#include "util/cleanup.h"
#include "util/table.h"

struct events_values {
	bool follow, json;
};

static const struct mw_option rows[] = {
	{"follow", 'f', MW_OPT_FLAG, offsetof(struct events_values, follow), NULL,
	 "go on with what happens, until Ctrl-C"},
	{"json", 'j', MW_OPT_FLAG, offsetof(struct events_values, json), NULL, "JSON, with --follow one event a line"},
	{NULL},
};

/* before and value and after, unless value is empty. */
static void append(char *line, size_t size, const char *before, const char *value, const char *after)
{
	size_t at = strlen(line);

	if (*value)
		snprintf(line + at, size - at, "%s%s%s", before, value, after);
}

/* "2026-11-21 20:05:01Z throttle  web-7  pid 123 (node) high-throttle 312 ms": what there is of it. */
static void print_event(const char *type, struct json_object *e)
{
	char line[1024] = "", clean[1024], buf[MW_TEXT];
	__u64 number;

	snprintf(line, sizeof(line), "%-20s  %-10s", mw_say_time(e, "time", buf), type);
	append(line, sizeof(line), "  ", mw_field_str(e, "name"), "");
	if (mw_field_u64(e, "pid", &number) && number) {
		snprintf(buf, sizeof(buf), "%llu", number);
		append(line, sizeof(line), "  pid ", buf, "");
		append(line, sizeof(line), " (", mw_field_str(e, "comm"), ")");
	}
	append(line, sizeof(line), "  ", mw_field_str(e, "kind"), "");
	if (mw_field_u64(e, "duration_ns", &number) && number)
		append(line, sizeof(line), "  ", mw_say_ns(e, "duration_ns", buf), "");
	if (*mw_field_str(e, "file")) {
		append(line, sizeof(line), "  ", mw_field_str(e, "file"), " set to ");
		append(line, sizeof(line), "", mw_say_limit(e, "new_bytes", buf), "");
	}
	append(line, sizeof(line), "  limit: ", mw_field_str(e, "limit"), "");
	append(line, sizeof(line), ", filled by ", mw_field_str(e, "culprit"), "");
	append(line, sizeof(line), "  ", mw_field_str(e, "level"), "");
	append(line, sizeof(line), " (was ", mw_field_str(e, "before"), ")");
	append(line, sizeof(line), "  ", mw_field_str(e, "text"), "");
	puts(mw_text_clean(line, 0, clean, sizeof(clean)));
}

/* The type is the SSE event's name where the data says none. */
static int on_event(const char *event, const char *data, void *arg)
{
	const struct mw_cli *cli = arg;
	const struct events_values *v = cli->values;
	_cleanup_json_ struct json_object *e = json_tokener_parse(data);
	const char *type = mw_field_str(e, "type");
	char clean[1024];

	if (v->json)
		puts(data);
	else if (strcmp(event, "lost") == 0)
		printf("(events lost, this reader was too slow: %s)\n", mw_text_clean(data, 0, clean, sizeof(clean)));
	else if (json_object_is_type(e, json_type_object))
		print_event(*type ? type : event, e);
	else
		printf("%s %s\n", event, mw_text_clean(data, 0, clean, sizeof(clean)));
	return fflush(stdout) ? -EIO : 0;
}

static int follow(const struct mw_cli *cli)
{
	struct mw_error err = {0};
	int r = mw_client_stream(cli->socket, "/v1/events", on_event, (void *)cli, &err);

	if (mw_call_no_daemon(r))
		mw_say_error(cli, "no daemon on %s: %s", cli->socket, strerror(-r));
	else
		mw_say_error(cli, "%s",
			     r < 0 ? (*err.text ? err.text : strerror(-r)) : "the daemon has ended the stream");
	return MW_EXIT_FAILURE;
}

static int events_run(const struct mw_cli *cli, int argc, char **argv)
{
	const struct events_values *v = cli->values;
	_cleanup_answer_ struct mw_answer a = {0};
	struct json_object *events;

	(void)argc;
	(void)argv;
	if (v->follow)
		return follow(cli);
	if (mw_call(cli, "GET", "/v1/events/recent", NULL, MW_CALL_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	if (v->json) {
		mw_call_print(&a);
		return MW_EXIT_OK;
	}
	events = mw_field_array(a.doc, "events");
	for (size_t i = 0; i < mw_field_length(events); i++) {
		struct json_object *e = json_object_array_get_idx(events, i);

		print_event(mw_field_str(e, "type"), e);
	}
	return MW_EXIT_OK;
}

const struct mw_verb mw_verb_events = {
	.name = "events",
	.args = "[--follow] [--json]",
	.summary = "what happened last, or what happens",
	.options = rows,
	.run = events_run,
};
