/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/json.h"
#include "util/clock.h"
#include "util/journal.h"

struct mw_teller {
	struct mw_server *server;
	struct json_object *kept[MW_TELL_KEPT];
	__u32 head, count;
	__u64 lost;
};

int mw_teller_new(struct mw_teller **ret_teller)
{
	struct mw_teller *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	*ret_teller = t;
	return 0;
}

void mw_teller_free(struct mw_teller *t)
{
	if (!t)
		return;
	for (__u32 i = 0; i < t->count; i++)
		json_object_put(t->kept[i]);
	free(t);
}

void mw_teller_attach(struct mw_teller *t, struct mw_server *s)
{
	t->server = s;
}

__u64 mw_teller_lost(const struct mw_teller *t)
{
	return t->lost;
}

/* One write, only when stderr takes it now: O_NONBLOCK would be shared with whoever started us. */
static void line_out(struct mw_teller *t, int priority, const char *text)
{
	struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[1024];
	int n;

	if (mw_journal_on(STDERR_FILENO))
		n = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
	else
		n = snprintf(line, sizeof(line), "memweir: %s\n", text);
	if (n >= (int)sizeof(line)) {
		n = sizeof(line) - 1;
		line[n - 1] = '\n';
	}
	if (poll(&p, 1, 0) <= 0 || write(STDERR_FILENO, line, (size_t)n) != n) {
		if (t)
			t->lost++;
	}
}

void mw_say(struct mw_teller *t, int priority, const char *fmt, ...)
{
	char text[900];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_out(t, priority, text);
}

static void keep(struct mw_teller *t, struct json_object *doc)
{
	if (t->count == MW_TELL_KEPT)
		json_object_put(t->kept[t->head]);
	else
		t->count++;
	t->kept[t->head] = json_object_get(doc);
	t->head = (t->head + 1) % MW_TELL_KEPT;
}

bool mw_teller_followed(const struct mw_teller *t)
{
	return t->server && mw_server_streams(t->server);
}

/* What is about no worker is root's. */
static uid_t owner_of(struct json_object *doc)
{
	struct json_object *v;

	return json_object_object_get_ex(doc, "uid", &v) ? (uid_t)json_object_get_int64(v) : 0;
}

void mw_tell_json(struct mw_teller *t, const char *kind, struct json_object *doc, bool keep_it)
{
	if (!doc)
		return;
	if (keep_it)
		keep(t, doc);
	if (mw_teller_followed(t))
		mw_server_broadcast(t->server, owner_of(doc), kind,
				    json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN));
	json_object_put(doc);
}

void mw_tell(struct mw_teller *t, int priority, const char *kind, const struct mw_worker *w, const char *fmt, ...)
{
	struct json_object *doc;
	char text[900], when[40];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	line_out(t, priority, text);
	doc = w ? mw_json_worker(w) : json_object_new_object();
	if (!doc)
		return;
	json_object_object_add(doc, "type", json_object_new_string(kind));
	json_object_object_add(doc, "time", json_object_new_string(mw_json_time(mw_wall_ns(), when, sizeof(when))));
	json_object_object_add(doc, "text", json_object_new_string(text));
	mw_tell_json(t, kind, doc, true);
}

struct json_object *mw_teller_recent(const struct mw_teller *t, uid_t reader)
{
	struct json_object *list = json_object_new_array();

	for (__u32 i = 0; list && i < t->count; i++) {
		__u32 at = (t->head + MW_TELL_KEPT - t->count + i) % MW_TELL_KEPT;

		if (mw_json_is_for(t->kept[at], reader))
			json_object_array_add(list, json_object_get(t->kept[at]));
	}
	return list;
}
