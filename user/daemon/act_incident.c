/* SPDX-License-Identifier: LGPL-2.1-or-later OR BSD-2-Clause */
/*
 * Incidents on their way to the disk. What is known is copied here, in the loop; the document is made, written and
 * given back in an action thread: it has some four hundred small objects, and a thousand workers may end at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/cgroup.h"
#include "daemon/guard.h"
#include "daemon/recording.h"
#include "report/text.h"
#include "util/clock.h"

#define WRITE_NS	 (10 * MW_NS_PER_S)
#define LIFT_INCIDENT_NS (60 * MW_NS_PER_S) /* lifts of one worker closer than this share one incident */

static const char *string_in(struct json_object *doc, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(doc, key, &v) ? json_object_get_string(v) : "?";
}

/* In an action thread, or at the end in the loop's. The incident is used up. */
static int write_incident(void *arg, char *text, size_t size)
{
	struct mw_unwritten *u = arg;
	struct json_object *doc = mw_incident_facts_json(u->facts);
	struct mw_error err = {"no memory for its document"};
	char id[MW_INCIDENT_ID_SIZE];
	int r = doc ? mw_incidents_write(u->store, doc, id, sizeof(id), &err) : -ENOMEM;

	if (r < 0)
		snprintf(text, size, "%.200s", err.text);
	else
		snprintf(text, size, "%s %s %s", id, string_in(doc, "name"), string_in(doc, "class"));
	json_object_put(doc);
	mw_incident_facts_free(u->facts);
	free(u);
	return r;
}

static int submit(struct mw_guard *g, struct mw_unwritten *u)
{
	struct mw_action a = mw_action_make(MW_ACTION_CALL, -1, 0, WRITE_NS);

	a.arg = u;
	a.call = write_incident;
	return mw_actions_submit(g->actions, &a);
}

/* Many workers may die at once: what finds no room now is written a beat later. */
static void write_later(struct mw_guard *g, struct mw_unwritten *u)
{
	struct mw_unwritten **end = &g->unwritten;

	while (*end)
		end = &(*end)->next;
	*end = u;
}

bool mw_act_incident_tick(struct mw_guard *g)
{
	while (g->unwritten) {
		struct mw_unwritten *u = g->unwritten, *next = u->next;

		if (submit(g, u) < 0)
			return false;
		g->unwritten = next;
	}
	return true;
}

/* text: "ID NAME CLASS"; its worker may be gone by now. */
static void tell_written(struct mw_guard *g, const char *text)
{
	char id[MW_INCIDENT_ID_SIZE], name[MW_NAME_SIZE], class_name[MW_NAME_SIZE], line[320];
	const struct mw_fact fact = {.incident = id, .worker = name, .class_name = class_name};

	if (sscanf(text, "%95s %63s %63s", id, name, class_name) != 3)
		return;
	snprintf(line, sizeof(line), "worker %s (%s): incident %s", name, class_name, id);
	mw_tell_log(g->tell, LOG_NOTICE, "incident", NULL, &fact, line);
}

bool mw_act_incident_done(struct mw_guard *g, const struct mw_action_result *r)
{
	if (r->call != write_incident)
		return false;
	if (r->status)
		mw_say(g->tell, LOG_ERR, "incident: %s", r->text);
	else
		tell_written(g, r->text);
	return true;
}

void mw_act_flush(struct mw_guard *g)
{
	while (g->unwritten) {
		struct mw_unwritten *u = g->unwritten;
		char text[MW_ACTION_TEXT];

		g->unwritten = u->next;
		if (write_incident(u, text, sizeof(text)) < 0)
			mw_say(g->tell, LOG_ERR, "incident: %s", text);
	}
}

/* Everything that will be gone when it is written. NULL: no memory. */
static struct mw_unwritten *gather(struct mw_guard *g, const struct mw_worker *w, const struct mw_incident *inc)
{
	struct mw_pause_stat pauses[MW_PAUSE_MAX];
	struct mw_mark marks[MW_SCENE_MARKS];
	struct mw_incident_more more;
	struct mw_unwritten *u = calloc(1, sizeof(*u));
	char stat[8192];
	bool have_stat = mw_cgroup_read(w->dir_fd, "memory.stat", stat, sizeof(stat)) > 0;
	bool have_pauses = mw_kernel_pauses_read(g->kernel, w->cgroup_id, pauses) >= 0;

	if (!u)
		return NULL;
	u->store = g->incidents;
	mw_scene_gather(g, w, inc, marks, &more);
	u->facts = mw_incident_facts(inc, w, have_stat ? stat : NULL, have_pauses ? pauses : NULL, &more);
	if (u->facts)
		return u;
	free(u);
	return NULL;
}

void mw_act_incident(struct mw_guard *g, struct mw_worker *w, const struct mw_incident *inc)
{
	struct mw_incident full = *inc;
	struct mw_unwritten *u;

	if (inc->reason == MW_REASON_LIFT) {
		if (w->lift_incident_ns && mw_now_ns() - w->lift_incident_ns < LIFT_INCIDENT_NS)
			return;
		w->lift_incident_ns = mw_now_ns();
	}
	mw_totals_incident(g, w, inc->reason, inc->killed_by[0] != '\0');
	if (!full.why[0])
		mw_text_why(&full, w, full.why, sizeof(full.why));
	u = gather(g, w, &full);
	if (!u)
		mw_say(g->tell, LOG_ERR, "incident of worker %s is lost: no memory: %s", w->name, full.why);
	else if (g->unwritten || submit(g, u) < 0)
		write_later(g, u);
}
