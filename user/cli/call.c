/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "cli/call.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/field.h"
#include "http/client.h"
#include "util/cleanup.h"
#include "util/table.h"

#define BUSY_TRIES    20
#define BUSY_PAUSE_MS 250

void mw_answer_clear(struct mw_answer *a)
{
	mw_json_putp(&a->doc);
	mw_freep(&a->text);
}

bool mw_call_no_daemon(int code)
{
	return code == -ENOENT || code == -ECONNREFUSED;
}

int mw_call_not_reached(const struct mw_cli *cli, int code, const struct mw_error *why, struct mw_error *err)
{
	if (mw_call_no_daemon(code))
		return mw_fail(err, code,
			       "no daemon on %s: %s (start it with `systemctl start memweir` or `memweir daemon`)",
			       cli->socket, strerror(-code));
	if (code == -EACCES || code == -EPERM)
		return mw_fail(err, code,
			       "%s: %s: only root and the members of its group, if one is configured, may ask",
			       cli->socket, strerror(-code));
	if (why->text[0])
		return mw_fail(err, code, "%s", why->text);
	return mw_fail(err, code, "%s: %s", cli->socket, strerror(-code));
}

/* The daemon's own sentence, or what can be said without one. Which verb it is about stands before it anyway. */
static int refused(const struct mw_cli *cli, const struct mw_answer *a, struct mw_error *err)
{
	const char *sentence = mw_field_str(a->doc, "error");
	size_t len = cli->verb ? strlen(cli->verb->name) : 0;

	if (len && strncmp(sentence, cli->verb->name, len) == 0 && strncmp(sentence + len, ": ", 2) == 0)
		sentence += len + 2;
	if (*sentence)
		return mw_fail(err, -EREMOTEIO, "%s", sentence);
	return mw_fail(err, -EREMOTEIO, "the daemon answered %u and gave no reason", a->status);
}

/* A GET that the daemon has no room to answer now is asked again for some seconds: others read large answers. */
static int request(const struct mw_cli *cli, const char *method, const char *path, const char *text, int timeout_ms,
		   struct mw_reply *ret_reply, struct mw_error *err)
{
	struct timespec pause = {.tv_nsec = BUSY_PAUSE_MS * 1000000L};
	int r = 0;

	for (int i = 0; i < BUSY_TRIES; i++) {
		r = mw_client_request(cli->socket, method, path, text, timeout_ms, ret_reply, err);
		if (r < 0 || ret_reply->status != 503 || strcmp(method, "GET") != 0 || i == BUSY_TRIES - 1)
			break;
		mw_freep(&ret_reply->body);
		nanosleep(&pause, NULL);
	}
	return r;
}

int mw_call_quiet(const struct mw_cli *cli, const char *method, const char *path, struct json_object *body,
		  int timeout_ms, struct mw_answer *ret_answer, struct mw_error *err)
{
	const char *text = body ? json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN) : NULL;
	struct mw_error why = {0};
	struct mw_reply reply = {0};
	int r;

	if (body && !text)
		return mw_fail(err, -ENOMEM, "no memory");
	r = request(cli, method, path, text, timeout_ms, &reply, &why);
	if (r < 0)
		return mw_call_not_reached(cli, r, &why, err);
	return mw_call_take(cli, method, path, &reply, ret_answer, err);
}

int mw_call_take(const struct mw_cli *cli, const char *method, const char *path, struct mw_reply *reply,
		 struct mw_answer *ret_answer, struct mw_error *err)
{
	_cleanup_answer_ struct mw_answer a = {0};

	a.status = ret_answer->status = reply->status;
	a.text = TAKE_PTR(reply->body);
	if (a.text)
		a.doc = json_tokener_parse(a.text);
	if (a.status >= 400)
		return refused(cli, &a, err);
	if (a.text && *a.text && !json_object_is_type(a.doc, json_type_object))
		return mw_fail(err, -EPROTO,
			       "the daemon on %s answered %u to %s %s with something that is no JSON object",
			       cli->socket, a.status, method, path);
	*ret_answer = a;
	a = (struct mw_answer){0};
	return 0;
}

int mw_call(const struct mw_cli *cli, const char *method, const char *path, struct json_object *body, int timeout_ms,
	    struct mw_answer *ret_answer)
{
	struct mw_error err = {0};
	int r = mw_call_quiet(cli, method, path, body, timeout_ms, ret_answer, &err);

	if (r < 0)
		mw_say_error(cli, "%s", err.text);
	return r;
}

char *mw_call_path(const char *prefix, const char *name, const char *suffix)
{
	size_t size = strlen(prefix) + 3 * strlen(name) + (suffix ? strlen(suffix) : 0) + 3;
	char *path = malloc(size), *p;

	if (!path)
		return NULL;
	p = stpcpy(stpcpy(path, prefix), "/");
	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (c < 0x80 && (isalnum(c) || strchr("._-~", c)))
			*p++ = (char)c;
		else
			p += sprintf(p, "%%%02X", c);
	}
	*p = '\0';
	if (suffix)
		stpcpy(stpcpy(p, "/"), suffix);
	return path;
}

void mw_call_print(const struct mw_answer *a)
{
	size_t size = a->text ? strlen(a->text) : 0;

	fwrite(a->text, 1, size, stdout);
	if (size == 0 || a->text[size - 1] != '\n')
		putchar('\n');
}

int mw_call_text(const struct mw_cli *cli, const char *method, const char *path, struct json_object *body)
{
	_cleanup_answer_ struct mw_answer a = {0};
	char clean[1024];
	int r = mw_call(cli, method, path, body, MW_ACTION_MS, &a);

	if (r < 0)
		return MW_EXIT_FAILURE;
	if (*mw_field_str(a.doc, "text"))
		puts(mw_text_clean(mw_field_str(a.doc, "text"), 0, clean, sizeof(clean)));
	return MW_EXIT_OK;
}

int mw_call_placed(const struct mw_cli *cli, struct json_object *body)
{
	_cleanup_answer_ struct mw_answer a = {0};
	char line[1024], clean[1024];
	const char *text;

	if (mw_call(cli, "POST", "/v1/workers", body, MW_ACTION_MS, &a) < 0)
		return MW_EXIT_FAILURE;
	text = mw_field_str(a.doc, "text");
	snprintf(line, sizeof(line), "%s (%s) is under guard in %s%s%s", mw_field_str(a.doc, "name"),
		 mw_field_str(a.doc, "class"), mw_field_str(a.doc, "cgroup"), *text ? ": " : "", text);
	puts(mw_text_clean(line, 0, clean, sizeof(clean)));
	return MW_EXIT_OK;
}
