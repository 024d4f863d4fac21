/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
#include "daemon/tell.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/json.h"
#include "report/text.h"
#include "util/clock.h"

struct mw_teller {
	struct mw_server *server;
	struct mw_recorder *recorder;
	struct json_object *kept[MW_TELL_KEPT];
	__u32 head, count;
	struct mw_log *log;
	mw_tell_hook_fn hook;
	void *hook_arg;
	int priority; /* of what is being told */
};

int mw_teller_new(struct mw_teller **ret_teller)
{
	struct mw_teller *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	if (mw_log_new(MW_JOURNAL_SOCKET, &t->log) < 0) {
		free(t);
		return -ENOMEM;
	}
	t->priority = LOG_INFO;
	*ret_teller = t;
	return 0;
}

void mw_teller_free(struct mw_teller *t)
{
	if (!t)
		return;
	for (__u32 i = 0; i < t->count; i++)
		json_object_put(t->kept[i]);
	mw_log_free(t->log);
	free(t);
}

void mw_teller_attach(struct mw_teller *t, struct mw_server *s)
{
	t->server = s;
}

void mw_teller_record(struct mw_teller *t, struct mw_recorder *rec)
{
	if (t)
		t->recorder = rec;
}

void mw_teller_hook(struct mw_teller *t, mw_tell_hook_fn fn, void *arg)
{
	t->hook = fn;
	t->hook_arg = arg;
}

struct mw_log_counts mw_teller_counts(const struct mw_teller *t)
{
	return mw_log_counts(t->log);
}

void mw_teller_tick(struct mw_teller *t, __u64 now_ns)
{
	mw_log_tick(t->log, now_ns);
}

void mw_say(struct mw_teller *t, int priority, const char *fmt, ...)
{
	char text[900];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* Places in the code are told apart by their format. */
	mw_log_line(t ? t->log : NULL, mw_told_of("daemon"), fmt, priority, NULL, NULL, text);
}

void mw_tell_log(struct mw_teller *t, int priority, const char *kind, const struct mw_worker *w,
		 const struct mw_fact *fact, const char *text)
{
	mw_log_line(t->log, mw_told_of(kind), kind, priority, w, fact, text);
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
	return t->server && mw_server_followed(t->server, MW_TOPIC_EVENTS);
}

void mw_teller_pass(struct mw_teller *t)
{
	if (t->server)
		mw_server_pass(t->server, MW_TOPIC_EVENTS);
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
	if (keep_it && t->hook)
		t->hook(t->hook_arg, t->priority, kind, doc);
	if (mw_teller_followed(t))
		mw_server_broadcast(t->server, MW_TOPIC_EVENTS, owner_of(doc), kind,
				    json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN));
	json_object_put(doc);
}

/* Into the recording of that worker. */
static void mark(struct mw_teller *t, const char *kind, const struct mw_worker *w, const char *text)
{
	size_t n = strlen(kind);

	text = mw_text_bare(w, text);
	if (strncmp(text, kind, n) == 0 && text[n] == ':')
		text += n + 1 + strspn(text + n + 1, " ");
	mw_recorder_mark(t->recorder, w->cgroup_id, kind, 0, mw_now_ns(), text);
}

__attribute__((format(printf, 6, 0))) static void tell(struct mw_teller *t, int priority, const char *kind,
						       const struct mw_worker *w, const struct mw_fact *fact,
						       const char *fmt, va_list ap)
{
	const struct mw_told_kind *k = mw_told_of(kind);
	struct json_object *doc;
	char text[900], when[40];

	vsnprintf(text, sizeof(text), fmt, ap);
	mw_log_line(t->log, k, k, priority, w, fact, text);
	if (w)
		mark(t, kind, w, text);
	doc = w ? mw_json_worker(w) : json_object_new_object();
	if (!doc)
		return;
	json_object_object_add(doc, "type", json_object_new_string(kind));
	json_object_object_add(doc, "time", json_object_new_string(mw_json_time(mw_wall_ns(), when, sizeof(when))));
	json_object_object_add(doc, "text", json_object_new_string(text));
	t->priority = priority;
	mw_tell_json(t, kind, doc, true);
	t->priority = LOG_INFO;
}

void mw_tell(struct mw_teller *t, int priority, const char *kind, const struct mw_worker *w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(t, priority, kind, w, NULL, fmt, ap);
	va_end(ap);
}

void mw_tell_fact(struct mw_teller *t, int priority, const char *kind, const struct mw_worker *w,
		  const struct mw_fact *fact, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(t, priority, kind, w, fact, fmt, ap);
	va_end(ap);
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
